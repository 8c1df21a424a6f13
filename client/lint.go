package client

// LintRequest asks what senders leave out.
type LintRequest struct {
	From  string `query:"from"` // RFC 3339 or a distance from now; "" is -24h
	To    string `query:"to"`
	Agent string `query:"agent"`
}

// Lint is what one agent's telemetry leaves out of the minimal standard.
type Lint struct {
	Agent    string        `json:"agent"`
	Team     string        `json:"team,omitempty"`
	Dialects []string      `json:"dialects"` // what it sends in
	Runs     int64         `json:"runs"`
	Score    float64       `json:"score"`    // 0 to 1: the share of the standard that is there, by weight
	Findings []LintFinding `json:"findings"` // what is missing, what costs most first
	Seen     []LintSeen    `json:"seen"`     // which kinds of evidence there are of it
}

// LintFinding is a fact that is missing.
type LintFinding struct {
	Field   string  `json:"field"`
	Missing int64   `json:"missing"` // of Of runs or steps
	Of      int64   `json:"of"`
	Share   float64 `json:"share"` // missing of them
	Costs   string  `json:"costs"` // what cannot be done without it
	Fix     string  `json:"fix"`   // what to set where
	Line    string  `json:"line"`  // the line that sets it, to copy
	Open    string  `json:"open"`  // the search that finds them
	Table   string  `json:"table"` // runs or steps
}

// LintSeen says whether a kind of evidence was seen of an agent in the period.
type LintSeen struct {
	Kind  string `json:"kind"`  // identity, traces, decisions, feedback, sources
	Count *int64 `json:"count"` // of what Of says; nil: nobody here can know
	Of    string `json:"of"`
	Fix   string `json:"fix,omitempty"` // what brings it, when there is none
}
