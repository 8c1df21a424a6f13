package telemetry

import (
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/search"
)

// PartitionDecisions is the partition of writes that hold decisions; its cursor
// counts records of the log of decisions, not messages of the activity log.
const PartitionDecisions = -1

// DecisionsQuery asks for decisions, newest first.
type DecisionsQuery struct {
	Filter   search.Expr    // of search.ScopeDecision; nil: all
	Run      activity.RunID // only those of this run; zero: any
	From, To time.Time      // by the time of the proposal; zero: open
	Teams    []string       // nil: every team; else only these (access)
	After    DecisionPlace  // only those behind it; zero: from the newest
	Limit    int
}

// DecisionPlace is a decision's place in a list: newest first, then by id.
type DecisionPlace struct {
	At int64
	ID string
}

// DecisionsPage is a page of decisions; More tells that others follow. Contents
// (arguments' digest and context) are not part of the store.
type DecisionsPage struct {
	Decisions []activity.Decision
	More      bool
}
