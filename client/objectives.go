package client

import "time"

// Objective says what a KPI should come to, and how that stands.
type Objective struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Text        string `json:"text,omitempty"`
	Team        string `json:"team,omitempty"` // whose records; "" all
	Environment string `json:"environment,omitempty"`
	Agent       string `json:"agent,omitempty"`
	Version     string `json:"version,omitempty"`
	Task        string `json:"task,omitempty"`

	KPI       string  `json:"kpi"`
	KPITitle  string  `json:"kpi_title,omitempty"`
	Unit      string  `json:"unit,omitempty"`      // of the KPI
	Direction string  `json:"direction,omitempty"` // up: at least; down: at most
	Target    float64 `json:"target"`              // of a share the share itself; with a limit the share of records, or slices, that keep it

	Limit    *float64         `json:"limit,omitempty"` // of a record's value, a slice's figure, or the events of a run
	Slice    string           `json:"slice,omitempty"` // slices of time are counted: 1m, 1h
	Window   ObjectiveWindow  `json:"window"`
	Alerts   []ObjectiveAlert `json:"alerts"`
	Stream   *ObjectiveStream `json:"stream,omitempty"`
	Coverage float64          `json:"coverage"` // share of the records that must be known
	Minimum  int64            `json:"minimum"`  // records below which the budget is not called spent
	Propose  bool             `json:"propose"`  // a lasting change of the agent's autonomy

	Status ObjectiveStanding `json:"status"`

	Revision  int64     `json:"revision"`
	By        string    `json:"by"`
	Reason    string    `json:"reason,omitempty"`
	CreatedAt time.Time `json:"created_at"` // or since when it counts as it does
	UpdatedAt time.Time `json:"updated_at"`
}

// ObjectiveWindow is the time over which a budget holds: rolling, or of a
// calendar.
type ObjectiveWindow struct {
	Rolling  string `json:"rolling,omitempty"`  // 30d, 24h
	Calendar string `json:"calendar,omitempty"` // day, week, month, quarter, year
	Zone     string `json:"zone,omitempty"`     // of the calendar; "" UTC
	// Start is when some window of the calendar began, for those that do not begin
	// with its own first midnight.
	Start *time.Time `json:"start,omitempty"`
}

// ObjectiveAlert is raised while the budget burns at factor times the pace that
// spends it in exactly its window, over both times.
type ObjectiveAlert struct {
	Severity string  `json:"severity"` // info, warning, critical
	Long     string  `json:"long"`
	Short    string  `json:"short"`
	Factor   float64 `json:"factor"`
}

// ObjectiveStream watches verdicts about runs one by one, by a sequence that
// holds however often one looks.
type ObjectiveStream struct {
	Labels  int64   `json:"labels,omitempty"`  // a new bet after so many; default 500
	Within  string  `json:"within,omitempty"`  // or after so long; default 24h
	Alpha   float64 `json:"alpha,omitempty"`   // the chance that it ever alarms of a good stream; default 0.05
	Minimum int64   `json:"minimum,omitempty"` // labels before it says anything; default 30
}

// ObjectiveStanding is how an objective stood when it was looked at last.
type ObjectiveStanding struct {
	State    string          `json:"state"` // met, burning, missed, spent, frozen, no_data, waiting
	At       *time.Time      `json:"at"`
	From     *time.Time      `json:"from"` // the window
	To       *time.Time      `json:"to"`
	Value    *float64        `json:"value"` // null: unknown
	Low      *float64        `json:"low"`
	High     *float64        `json:"high"`
	N        int64           `json:"n"`   // records, or slices of time
	Bad      float64         `json:"bad"` // of them; events where those are counted
	Allowed  *float64        `json:"allowed"`
	Left     *float64        `json:"left"` // share of the budget; below 0 it is overspent
	Coverage *float64        `json:"coverage"`
	Few      bool            `json:"few,omitempty"` // fewer than its minimum
	Why      string          `json:"why,omitempty"`
	Since    *time.Time      `json:"since,omitempty"` // since when an alarm holds
	Burns    []ObjectiveBurn `json:"burns"`
	Stream   *ObjectiveLabel `json:"stream,omitempty"`
	Alarms   []ObjectiveHeld `json:"alarms"`
	Warnings []string        `json:"warnings"`
}

// ObjectiveBurn is what one burn alert saw.
type ObjectiveBurn struct {
	ObjectiveAlert
	LongRate     *float64 `json:"long_rate"` // null: nothing was counted
	ShortRate    *float64 `json:"short_rate"`
	LongN        int64    `json:"long_n"`
	LongBad      float64  `json:"long_bad"`
	Chance       float64  `json:"chance"`       // of so many bad where the objective is just met
	Significance float64  `json:"significance"` // below which that is believed
	Never        string   `json:"never,omitempty"`
	Fires        bool     `json:"fires"`
	Why          string   `json:"why,omitempty"`
}

// ObjectiveLabel is what the sequence of verdicts says.
type ObjectiveLabel struct {
	N       int64   `json:"n"`
	Passed  int64   `json:"passed"`
	Low     float64 `json:"low"` // holds however often one looks
	High    float64 `json:"high"`
	Worth   float64 `json:"worth"` // of the bets against the target
	Needs   float64 `json:"needs"` // that alarms
	Minimum int64   `json:"minimum"`
	Short   bool    `json:"short"` // it falls short of the target
}

// ObjectiveHeld is an alarm that holds.
type ObjectiveHeld struct {
	Kind     string    `json:"kind"` // burn, spent, missed
	Severity string    `json:"severity"`
	Text     string    `json:"text"`
	Finding  string    `json:"finding,omitempty"`
	Since    time.Time `json:"since"`
}

// ObjectiveStatus is an objective over its window, and what spent its budget.
type ObjectiveStatus struct {
	Objective
	BucketMS int64               `json:"bucket_ms"`
	Series   []ObjectivePoint    `json:"series"`
	Spent    []ObjectiveSpender  `json:"spent"`
	Runs     []ObjectiveRun      `json:"runs"` // the newest bad ones, newest first
	Table    string              `json:"table,omitempty"`
	Records  string              `json:"records,omitempty"` // the search that opens all that is bad
	Proposal *ObjectiveProposal  `json:"proposal,omitempty"`
	Decided  []ObjectiveProposal `json:"decided"` // the last ones
}

// ObjectivePoint is a bucket of the window.
type ObjectivePoint struct {
	At   time.Time `json:"at"`
	N    int64     `json:"n"`
	Bad  float64   `json:"bad"`
	Left *float64  `json:"left"` // of the whole window's budget after it
}

// ObjectiveSpender is what a part of the records took from the budget.
type ObjectiveSpender struct {
	By      string  `json:"by"` // agent, version, task, error_type, tool, model
	Name    string  `json:"name"`
	N       int64   `json:"n"`
	Bad     float64 `json:"bad"`
	Share   float64 `json:"share"` // of all that is bad
	Records string  `json:"records"`
}

// ObjectiveRun is a run that spent the budget.
type ObjectiveRun struct {
	ID      string     `json:"id"`
	Agent   string     `json:"agent"`
	Version string     `json:"version,omitempty"`
	Task    string     `json:"task,omitempty"`
	Outcome string     `json:"outcome,omitempty"`
	Error   string     `json:"error,omitempty"`
	EndedAt *time.Time `json:"ended_at"`
}

// ObjectiveProposal is a lasting change of an agent's autonomy that the figures
// speak for; a person accepts it.
type ObjectiveProposal struct {
	ID          string     `json:"id"`
	Objective   string     `json:"objective"`
	Agent       string     `json:"agent"`
	Team        string     `json:"team"`
	Environment string     `json:"environment"`
	State       string     `json:"state"` // open, accepted, declined, lapsed
	From        string     `json:"from"`
	To          string     `json:"to"`
	Narrows     bool       `json:"narrows"`
	Why         string     `json:"why"`
	Target      float64    `json:"target"`
	Value       *float64   `json:"value"`
	Low         *float64   `json:"low"`
	High        *float64   `json:"high"`
	N           int64      `json:"n"`
	Bad         float64    `json:"bad"`
	Left        float64    `json:"left"`
	At          time.Time  `json:"at"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
	By          string     `json:"by,omitempty"`
	Reason      string     `json:"reason,omitempty"`
}

// ListObjectivesRequest narrows a list.
type ListObjectivesRequest struct {
	Agent       string `query:"agent"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	State       string `query:"state"`
}

// ObjectiveRequest names one.
type ObjectiveRequest struct {
	Name string `path:"name"`
}

// PutObjectiveRequest makes or changes an objective.
type PutObjectiveRequest struct {
	Name        string           `path:"name" json:"-"`
	Title       string           `json:"title"`
	Text        string           `json:"text,omitempty"`
	Team        string           `json:"team,omitempty"`
	Environment string           `json:"environment,omitempty"`
	Agent       string           `json:"agent,omitempty"`
	Version     string           `json:"version,omitempty"`
	Task        string           `json:"task,omitempty"`
	KPI         string           `json:"kpi"`
	Target      float64          `json:"target,omitempty"`
	Limit       *float64         `json:"limit,omitempty"`
	Slice       string           `json:"slice,omitempty"`
	Window      *ObjectiveWindow `json:"window,omitempty"` // default the last 30 days
	Alerts      []ObjectiveAlert `json:"alerts,omitempty"` // default those of the window
	Stream      *ObjectiveStream `json:"stream,omitempty"`
	Coverage    float64          `json:"coverage,omitempty"` // default 0.3
	Minimum     int64            `json:"minimum,omitempty"`  // default 50
	Propose     bool             `json:"propose,omitempty"`
	Revision    int64            `json:"revision,omitempty"` // as read; 0 for a new one
	Reason      string           `json:"reason,omitempty"`
	DryRun      bool             `json:"dry_run,omitempty"` // only say what is wrong, and what warns
}

// DeleteObjectiveRequest names one.
type DeleteObjectiveRequest struct {
	Name   string `path:"name" json:"-"`
	Reason string `query:"reason"`
}

// ListObjectiveProposalsRequest narrows a list.
type ListObjectiveProposalsRequest struct {
	Objective string `query:"objective"`
	Agent     string `query:"agent"`
	State     string `query:"state"` // open, accepted, declined, lapsed
}

// DecideObjectiveProposalRequest accepts or declines a proposal.
type DecideObjectiveProposalRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason,omitempty"`
}
