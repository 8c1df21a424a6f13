package client

import "time"

// Gate is what an agent has to show before it goes into production, computed now.
type Gate struct {
	Agent     string      `json:"agent"`
	Version   string      `json:"version,omitempty"`
	Lifecycle string      `json:"lifecycle"`
	At        time.Time   `json:"at"`
	From      time.Time   `json:"from"` // of the records that it was computed from
	Passed    bool        `json:"passed"`
	Checks    []GateCheck `json:"checks"`
}

// GateCheck is one line of the list.
type GateCheck struct {
	Name   string   `json:"name"` // evaluations, experiment, policy, budget, latency, coverage, incidents, approvals
	Passed bool     `json:"passed"`
	Text   string   `json:"text"`
	N      int64    `json:"n"` // records behind it
	Value  *float64 `json:"value"`
	Needed *float64 `json:"needed"`
	Run    string   `json:"run,omitempty"`   // that fails it
	About  string   `json:"about,omitempty"` // experiment, incident, approval or decision that does
}

// GateRequest names an agent.
type GateRequest struct {
	Name string `path:"name"`
}

// PassGateRequest promotes an agent if all checks pass.
type PassGateRequest struct {
	Name   string `path:"name" json:"-"`
	To     string `json:"to,omitempty"` // production where none is given
	Reason string `json:"reason"`
}
