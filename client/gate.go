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
	// Dataset is the one on whose cases it has to pass; "" none was named.
	Dataset string `json:"dataset,omitempty"`
	Least   int64  `json:"least,omitempty"` // cases that it has to have, of those that were approved
	// Cases are those of the data set against those that security saw; nil none was named.
	Cases *GateCases `json:"cases,omitempty"`
	// Kept is the id under which this was kept; "" it was only looked at.
	Kept string `json:"kept,omitempty"`
	// Records are what the gate came to before, the newest first.
	Records []GateRecord `json:"records,omitempty"`
}

// GateCheck is one line of the list.
type GateCheck struct {
	Name   string   `json:"name"` // evaluations, experiment, policy, budget, latency, coverage, incidents, approvals
	Passed bool     `json:"passed"`
	Text   string   `json:"text"`
	N      int64    `json:"n"` // records behind it
	Value  *float64 `json:"value"`
	Low    *float64 `json:"low"` // of its 95 % interval; null where there is none
	Needed *float64 `json:"needed"`
	Run    string   `json:"run,omitempty"`   // that fails it
	About  string   `json:"about,omitempty"` // experiment, incident, approval or decision that does
}

// GateRecord is what a gate came to.
type GateRecord struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"` // passed, refused, overridden
	To      string    `json:"to"`
	Version string    `json:"version,omitempty"`
	By      string    `json:"by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Failed  []string  `json:"failed"` // checks
}

// GateRequest names an agent.
type GateRequest struct {
	Name string `path:"name"`
}

// PassGateRequest promotes an agent into production if all checks pass.
type PassGateRequest struct {
	Name   string `path:"name" json:"-"`
	To     string `json:"to,omitempty"` // production; nothing else has a gate
	Reason string `json:"reason"`
	// Ungated promotes although it does not pass: security's, with a fresh second
	// factor, and kept as such.
	Ungated bool `json:"ungated,omitempty"`
}

// PutGateSetRequest says on which data set's cases an agent has to pass.
type PutGateSetRequest struct {
	Name    string `path:"name" json:"-"`
	Dataset string `json:"dataset"`
	Least   int64  `json:"least,omitempty"` // cases that it has to have; 5 where none is given
	// Version of the data set whose cases are approved with it, by security who looked at
	// them; 0 approves nothing.
	Version int64 `json:"version,omitempty"`
}

// GateCases are the cases of a gate's data set against those that security saw.
type GateCases struct {
	Version int64 `json:"version"` // of the data set, now
	Cases   int64 `json:"cases"`   // that an experiment runs
	Silent  int64 `json:"silent"`  // of those, that say nothing of what is right
	// ApprovedVersion is what security saw; 0 nobody saw any.
	ApprovedVersion int64      `json:"approved_version"`
	ApprovedCases   int64      `json:"approved_cases"`
	ApprovedBy      string     `json:"approved_by,omitempty"`
	ApprovedAt      *time.Time `json:"approved_at"`
	Added           int64      `json:"added"`     // since; they need no approval
	Changed         int64      `json:"changed"`   // or taken out since: the gate stays shut until that is approved
	Withdrawn       int64      `json:"withdrawn"` // since, with a person who was erased
}

// GateChanges are what became of the cases of a gate's data set since they were approved.
type GateChanges struct {
	Dataset string       `json:"dataset"`
	Version int64        `json:"version"` // of the data set, now: what is approved
	Since   int64        `json:"since"`   // that was approved; 0 none
	More    bool         `json:"more"`    // there are others than those listed
	Items   []GateChange `json:"items"`
}

// GateChange is what became of one case.
type GateChange struct {
	Case string       `json:"case"`
	What string       `json:"what"` // added, changed, removed, passing (came and went since)
	Was  *DatasetItem `json:"was,omitempty"`
	Is   *DatasetItem `json:"is,omitempty"`
}

// ApproveGateRequest says that the cases of a version of the gate's data set are those
// that its agent has to pass.
type ApproveGateRequest struct {
	Name    string `path:"name" json:"-"`
	Version int64  `json:"version"` // that was looked at
}
