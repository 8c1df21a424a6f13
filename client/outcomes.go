package client

import "time"

// OutcomeEvidence is what somebody said of how a run ended for its user.
type OutcomeEvidence struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`   // person, event, feedback, rule, judge; strongest first
	Source      string    `json:"source"` // who: an event's name, a rule's, a judge's
	SenderID    string    `json:"sender_id,omitempty"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	RunID       string    `json:"run_id,omitempty"` // absent until it is found
	Session     string    `json:"session,omitempty"`
	Key         string    `json:"key,omitempty"`
	Agent       string    `json:"agent,omitempty"`
	Outcome     string    `json:"outcome"`
	At          time.Time `json:"at"`
	ReceivedAt  time.Time `json:"received_at"`
	Text        string    `json:"text,omitempty"`
	Person      string    `json:"person,omitempty"`
	Counts      bool      `json:"counts,omitempty"` // of a run's evidence: it decided
	// Waiting says that its run was not found yet; LookAt is when it is looked for
	// next, null: no more.
	Waiting bool       `json:"waiting,omitempty"`
	LookAt  *time.Time `json:"look_at,omitempty"`
}

// ReportOutcomeRequest says how a run ended. It names the run by its id, its
// session (the last run of it that had begun) or a join key: the value of its
// label join_key, or NAME=VALUE of any label. The run may come later. The same
// source and sender_id say it once.
type ReportOutcomeRequest struct {
	Kind        string     `json:"kind,omitempty"` // event (default), feedback, judge
	Source      string     `json:"source"`
	SenderID    string     `json:"sender_id,omitempty"`
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
	RunID       string     `json:"run_id,omitempty"`
	Session     string     `json:"session,omitempty"`
	Key         string     `json:"key,omitempty"`
	Outcome     string     `json:"outcome"` // resolved, contained, deflected, escalated, abandoned, failed
	At          *time.Time `json:"at,omitempty"`
	Text        string     `json:"text,omitempty"`
}

// ListEvidenceRequest narrows evidence; the newest first.
type ListEvidenceRequest struct {
	Agent   string `query:"agent"`
	Team    string `query:"team"`
	Kind    string `query:"kind"`
	Waiting bool   `query:"waiting"` // only what has not found its run
	Limit   int    `query:"limit"`
}

// RunOutcome says how a run ended and why it counts so.
type RunOutcome struct {
	RunID     string            `json:"run_id"`
	Outcome   string            `json:"outcome"`         // as figures count it now; "" unknown
	Decided   string            `json:"decided"`         // what evidence and rules say now; "" nothing yet
	Basis     string            `json:"basis,omitempty"` // a kind of evidence, agent (its own word) or run (what it shows)
	Why       string            `json:"why"`             // in words
	Settled   bool              `json:"settled"`         // its window has passed
	SettlesAt *time.Time        `json:"settles_at"`      // when it will have
	Window    string            `json:"window"`          // of its mode
	Evidence  []OutcomeEvidence `json:"evidence"`        // the strongest first
	Waiting   *float64          `json:"waiting_ms"`      // time its steps waited for people; null: none did
	Mode      string            `json:"mode,omitempty"`
}

// DecideOutcomeRequest is a person's word, which holds over all evidence.
type DecideOutcomeRequest struct {
	ID      string `path:"id" json:"-"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// OutcomeRule says how the runs that a search finds ended, unless stronger
// evidence says otherwise, or how long they may take and be silent.
type OutcomeRule struct {
	Name        string    `json:"name"`
	Text        string    `json:"text,omitempty"`
	Where       string    `json:"where"`
	Outcome     string    `json:"outcome,omitempty"`
	Deadline    string    `json:"deadline,omitempty"`
	Stuck       string    `json:"stuck,omitempty"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Revision    int64     `json:"revision"`
	By          string    `json:"by"`
	Reason      string    `json:"reason,omitempty"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// OutcomeRules are the rules and the settling windows in force.
type OutcomeRules struct {
	Items   []OutcomeRule     `json:"items"`
	Windows map[string]string `json:"windows"` // by mode
}

// PutOutcomeRuleRequest makes or changes a rule.
type PutOutcomeRuleRequest struct {
	Name        string `path:"name" json:"-"`
	Text        string `json:"text,omitempty"`
	Where       string `json:"where"`
	Outcome     string `json:"outcome,omitempty"`
	Deadline    string `json:"deadline,omitempty"` // 72h
	Stuck       string `json:"stuck,omitempty"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	Revision    int64  `json:"revision,omitempty"` // as read; 0 for a new one
	Reason      string `json:"reason,omitempty"`
}

// TryOutcomeRuleRequest asks what a rule would say of runs that are there. Nothing
// is kept. Name is that of a rule it would replace.
type TryOutcomeRuleRequest struct {
	Name        string `json:"name,omitempty"`
	Where       string `json:"where"`
	Outcome     string `json:"outcome,omitempty"`
	Deadline    string `json:"deadline,omitempty"`
	Stuck       string `json:"stuck,omitempty"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	Days        int    `json:"days,omitempty"` // 0 is 30
}

// OutcomeRuleTrial is what a rule would say of runs that began in a time.
type OutcomeRuleTrial struct {
	From     time.Time             `json:"from"`
	To       time.Time             `json:"to"`
	Whole    bool                  `json:"whole"`    // false: it finds more runs than are looked at; the newest were
	Found    int                   `json:"found"`    // runs that it finds, and were looked at
	Decides  int                   `json:"decides"`  // of them, those whose outcome would be by its word
	Changes  int                   `json:"changes"`  // of those, the ones that would end otherwise
	Stronger int                   `json:"stronger"` // where stronger evidence stands
	Waits    int                   `json:"waits"`    // not settled yet: its word would count once they are
	Late     int                   `json:"late"`     // that go on and are late by it now
	Runs     []OutcomeRuleTrialRun `json:"runs"`     // the newest of which it changes something, at most 20
}

// OutcomeRuleTrialRun is a run with its outcome now and by the rule; "" is none yet.
type OutcomeRuleTrialRun struct {
	RunID     string    `json:"run_id"`
	Agent     string    `json:"agent"`
	Task      string    `json:"task,omitempty"`
	StartedAt time.Time `json:"started_at"`
	Now       string    `json:"now"`
	Then      string    `json:"then"`
	Why       string    `json:"why,omitempty"`
	Late      string    `json:"late,omitempty"` // in words, where it goes on and is late
}

// DeleteOutcomeRuleRequest names a rule.
type DeleteOutcomeRuleRequest struct {
	Name   string `path:"name" json:"-"`
	Reason string `query:"reason"`
}
