package client

import "time"

// Drill is a failover that is tried: an agent's cases once as ever, and once with an
// upstream taken as down in those tests alone.
type Drill struct {
	Name        string     `json:"name"`
	Agent       string     `json:"agent"`
	Team        string     `json:"team"`
	Environment string     `json:"environment"`
	Upstream    string     `json:"upstream"`          // taken as down
	Fallbacks   []string   `json:"fallbacks"`         // what stands in for it as it is now; none: a drill fails
	Dataset     string     `json:"dataset,omitempty"` // whose cases the agent is invoked with
	Runs        int        `json:"runs,omitempty"`    // the newest recorded ones that are replayed, at most, in place of a data set
	Model       string     `json:"model,omitempty"`   // of runs; "" as recorded
	Evaluators  []string   `json:"evaluators"`
	Least       float64    `json:"least"`           // share of cases that has to be answered
	Tolerance   float64    `json:"tolerance"`       // by how much the share that passes may fall
	Needs       int64      `json:"needs"`           // cases that have to be compared before it can pass
	Every       string     `json:"every,omitempty"` // 24h0m0s; "" not so
	At          string     `json:"at,omitempty"`    // each day at HH:MM
	Zone        string     `json:"zone,omitempty"`  // of at; "" UTC
	Paused      bool       `json:"paused"`
	By          string     `json:"by,omitempty"` // who set it: by itself it may do what they may
	MadeAt      time.Time  `json:"made_at"`
	NextAt      *time.Time `json:"next_at"` // null: not by time
	LastAt      *time.Time `json:"last_at"`
	Running     string     `json:"running,omitempty"` // experiment that is underway or waits
	Trouble     string     `json:"trouble,omitempty"` // why the last one came to nothing
	Failing     bool       `json:"failing"`           // its alert fires, until one passes
	Revision    int64      `json:"revision"`
	Result      *DrillRun  `json:"result"`            // the newest that came to something; null: none yet
	History     []DrillRun `json:"history,omitempty"` // of one drill that is read alone, the newest first
}

// DrillRun is one time that a drill was tried.
type DrillRun struct {
	Experiment   string       `json:"experiment"`
	At           time.Time    `json:"at"`
	State        string       `json:"state"` // waiting, running, done, failed, stopped
	Why          string       `json:"why,omitempty"`
	By           string       `json:"by,omitempty"`
	AgentVersion string       `json:"agent_version,omitempty"`
	Came         *DrillResult `json:"came"` // null: it is not over
}

// DrillResult is what came of a drill.
type DrillResult struct {
	Verdict   string      `json:"verdict"`  // passed, failed, unsure (too few to know about quality), nothing
	Says      string      `json:"says"`     // all of it in words
	Cases     int64       `json:"cases"`    // that were tried
	Answered  Share       `json:"answered"` // of those that called the upstream which was taken as down
	Untouched int64       `json:"untouched"`
	Unclear   int64       `json:"unclear"` // that failed on their own, also with the upstream, or could not be put again
	Served    []string    `json:"served"`  // what answered in its place
	Lost      []DrillLost `json:"lost"`    // the first that were not answered

	Compared   int64    `json:"compared"`    // answered and judged both times
	Before     Share    `json:"before"`      // of them that passed with the upstream
	Now        Share    `json:"now"`         // and without it
	OnlyBefore int64    `json:"only_before"` // that passed only with it
	OnlyNow    int64    `json:"only_now"`    // only without
	Quality    Interval `json:"quality"`     // share that passes without it less that with it, with its 95 % interval
	TookBefore *int64   `json:"took_before"` // ms a case, median; null unknown
	TookNow    *int64   `json:"took_now"`    // without it
	SlowNow    *int64   `json:"slow_now"`    // 95 of 100 were faster
	Priced     int64    `json:"priced"`      // cases of which both are priced
	CostBefore *float64 `json:"cost_before"` // USD a case; null unknown
	CostNow    *float64 `json:"cost_now"`
	CostGrowth Interval `json:"cost_growth"` // USD a case more without it
}

// DrillLost is a case that was not answered without the upstream.
type DrillLost struct {
	Item string `json:"item"`
	Run  string `json:"run,omitempty"` // of the test
	Why  string `json:"why,omitempty"` // for readers: it may quote a provider
}

// ListDrillsRequest narrows them.
type ListDrillsRequest struct {
	Agent string `query:"agent"`
}

// PutDrillRequest makes or changes a drill.
type PutDrillRequest struct {
	Name       string   `path:"name" json:"-"`
	Agent      string   `json:"agent"`
	Upstream   string   `json:"upstream"`
	Dataset    string   `json:"dataset,omitempty"`
	Runs       int      `json:"runs,omitempty"`
	Model      string   `json:"model,omitempty"`
	Evaluators []string `json:"evaluators,omitempty"`
	Least      float64  `json:"least,omitempty"`     // 0: all have to be answered
	Tolerance  float64  `json:"tolerance,omitempty"` // 0: a tenth
	Every      string   `json:"every,omitempty"`     // 24h, 7d
	At         string   `json:"at,omitempty"`        // 04:30
	Zone       string   `json:"zone,omitempty"`
	Paused     bool     `json:"paused,omitempty"`
	Revision   int64    `json:"revision,omitempty"`
}
