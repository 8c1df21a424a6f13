package client

import "time"

// Retention is how long telemetry is kept, and what was dropped for it.
type Retention struct {
	Rules       []RetentionRule `json:"rules"`
	RunsDays    int64           `json:"runs_days"`    // what the configuration says; 0: for good
	ContentDays int64           `json:"content_days"` // 0: as long as its run
	MaxBytes    int64           `json:"max_bytes"`    // 0: no limit
	Bytes       int64           `json:"bytes"`        // of the store now
	Oldest      *time.Time      `json:"oldest"`       // null: it is empty
	Last        *RetentionPass  `json:"last"`         // null: none since the start
	Text        string          `json:"text"`
}

// RetentionRule says how long something is kept. An empty environment or team is
// any; the most specific rule holds.
type RetentionRule struct {
	Kind        string    `json:"kind"` // content (messages, arguments, results), runs (everything of a run)
	Environment string    `json:"environment,omitempty"`
	Team        string    `json:"team,omitempty"`
	Days        int64     `json:"days"` // 0: for good
	By          string    `json:"by"`
	Reason      string    `json:"reason"`
	At          time.Time `json:"at"`
}

// RetentionPass is what one pass of retention dropped.
type RetentionPass struct {
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	Days   int       `json:"days"` // whole days
	Runs   int64     `json:"runs"` // of places with an age of their own, within days that stay
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"`
	Error  string    `json:"error,omitempty"`
}

// PutRetentionRequest makes a rule, or replaces the one of its kind and place.
type PutRetentionRequest struct {
	Kind        string `json:"kind"`
	Environment string `json:"environment,omitempty"`
	Team        string `json:"team,omitempty"`
	Days        int64  `json:"days"`
	Reason      string `json:"reason,omitempty"`
}

// DeleteRetentionRequest drops the rule of a kind and place.
type DeleteRetentionRequest struct {
	Kind        string `query:"kind"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Reason      string `query:"reason"`
}

// RetentionPreview is what a rule would drop that is kept without it.
type RetentionPreview struct {
	Runs   int64            `json:"runs"`   // whose content, or all, would go
	Back   int64            `json:"back"`   // that would stay and would go without it
	Before time.Time        `json:"before"` // runs of the rule's place that started before go; the zero time: none
	Places []RetentionPlace `json:"places"` // whose they are
	Text   string           `json:"text"`
}

// RetentionPlace is a team and environment that a preview is about.
type RetentionPlace struct {
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	Runs        int64  `json:"runs"`
}

// ErasePersonRequest erases what is known of a user of agents, of a session or of a
// run (one of the three), or with DryRun only tells what that is.
type ErasePersonRequest struct {
	User    string `json:"user,omitempty"`
	Session string `json:"session,omitempty"`
	Run     string `json:"run,omitempty"`

	Reason string `json:"reason,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"`
}

// Erasure is the receipt of an erasure. It does not say of whom.
type Erasure struct {
	ID     string        `json:"id,omitempty"` // empty for a dry run
	Of     string        `json:"of"`           // user, session, run; not which
	At     time.Time     `json:"at"`
	By     string        `json:"by,omitempty"`
	Reason string        `json:"reason,omitempty"`
	DryRun bool          `json:"dry_run"`
	Whole  bool          `json:"whole"` // every part answered, and nothing is left that it holds
	Parts  []ErasurePart `json:"parts"`
	Text   string        `json:"text"`
}

// ErasurePart is what one part of Reeve holds of a person, or held.
type ErasurePart struct {
	Part   string `json:"part"`   // telemetry, decisions, feedback, cases, incidents, messages..., backups, elsewhere
	Holds  *int64 `json:"holds"`  // records found; null: it cannot tell beforehand
	Erased *int64 `json:"erased"` // null: nothing was asked of it
	Left   int64  `json:"left"`   // that could not be erased yet
	Note   string `json:"note,omitempty"`
	Error  string `json:"error,omitempty"`
}
