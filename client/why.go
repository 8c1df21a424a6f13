package client

import (
	"context"
	"encoding/json"
	"time"
)

// Why says why a run ended as it did: what took part (data, models, reasoning
// steps, entitlements, rules), what of it is out of order, and what nobody knows.
type Why struct {
	RunID    string       `json:"run_id"`
	Agent    string       `json:"agent,omitempty"`
	Wrong    bool         `json:"wrong"`     // it failed, or somebody complained; else nothing is blamed
	Asked    []string     `json:"asked"`     // why it is asked, in words
	Known    bool         `json:"known"`     // false: what is unknown may be the cause
	Sentence string       `json:"sentence"`  // the answer in one sentence
	Causes   []WhyCause   `json:"causes"`    // likely, the likeliest first
	Possible []WhyCause   `json:"possible"`  // what else there is evidence for; cannot be told before what is unknown is known
	Unknown  []WhyUnknown `json:"unknown"`   // with what would supply it
	RuledOut []WhyNote    `json:"ruled_out"` // what was looked at and is in order
	Nodes    []WhyNode    `json:"nodes"`
	Links    []WhyLink    `json:"links"`
	Omitted  int          `json:"omitted"` // nodes in order that are not listed
	Suspects []Suspect    `json:"suspects"`
	Upstream []WhyCause   `json:"upstream"` // of what the agent stands on, by figures of all its runs
	Blast    *WhyBlast    `json:"blast"`    // whom the cause reached; null: no cause is known
}

// WhyNode is something that took part in a run.
type WhyNode struct {
	ID       string        `json:"id"`
	Kind     string        `json:"kind"` // outcome, data, model, step, entitlement, rule
	Role     string        `json:"role"` // in words: source, job, tool call, policy statement, ...
	Name     string        `json:"name"`
	Version  *string       `json:"version"` // null: unknown
	State    string        `json:"state"`   // guilty, ruled_out, unknown, seen
	Sentence string        `json:"sentence"`
	Evidence []WhyEvidence `json:"evidence"`
	At       *time.Time    `json:"at"`
}

// WhyEvidence is a record that a sentence rests on.
type WhyEvidence struct {
	Kind string `json:"kind"` // run, step, source, decision, policy, change, finding, agent, upstream
	ID   string `json:"id"`
	Text string `json:"text"`
}

// WhyLink says that one node stands on another.
type WhyLink struct {
	From string `json:"from"`
	To   string `json:"to"`
	How  string `json:"how"` // in words: was said by, read, was made by, was refused by, ...
}

// WhyCause is a node that may be the cause.
type WhyCause struct {
	Node    string   `json:"node"`
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Score   float64  `json:"score"` // those of one list add up to at most 1
	Path    []string `json:"path"`  // nodes from the outcome to it
	Reasons []string `json:"reasons"`
}

// WhyUnknown is what nobody knows.
type WhyUnknown struct {
	Node   string `json:"node"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Supply string `json:"supply"` // what would tell
	Blocks bool   `json:"blocks"` // it may be the cause
}

// WhyNote is something that was looked at.
type WhyNote struct {
	Node string `json:"node,omitempty"`
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// WhyBlast is whom and what a cause reached.
type WhyBlast struct {
	Node      string           `json:"node"`
	Sentence  string           `json:"sentence"`
	From      time.Time        `json:"from"`
	To        time.Time        `json:"to"`
	Runs      int              `json:"runs"`
	Failed    int              `json:"failed"`
	Users     *int             `json:"users"` // null: no run names its user
	Agents    []string         `json:"agents"`
	Records   []IncidentRecord `json:"records"` // what these runs changed, the newest first
	RunIDs    []string         `json:"run_ids"` // the newest, at most 50
	Search    string           `json:"search"`  // finds the runs; "" when no search does
	Truncated bool             `json:"truncated"`
}

// WhyRequest asks why a run ended as it did.
type WhyRequest struct {
	ID     string `path:"id"`
	Format string `query:"format"` // "" or prov: a W3C PROV-JSON document
}

// IncidentWhy says why an incident came about, by its runs and by the figures of
// what its agents stand on.
type IncidentWhy struct {
	Incident string       `json:"incident"`
	Known    bool         `json:"known"`
	Sentence string       `json:"sentence"`
	Causes   []WhyCause   `json:"causes"`
	Possible []WhyCause   `json:"possible"`
	Unknown  []WhyUnknown `json:"unknown"`
	RuledOut []WhyNote    `json:"ruled_out"`
	Nodes    []WhyNode    `json:"nodes"`
	Links    []WhyLink    `json:"links"`
	Upstream []WhyCause   `json:"upstream"`
	Blast    *WhyBlast    `json:"blast"`
	RunIDs   []string     `json:"run_ids"` // that were looked at
	OfRuns   int          `json:"of_runs"` // of so many
}

// RunProv exports why a run ended as it did as a W3C PROV-JSON document.
func (c *Client) RunProv(ctx context.Context, id string) (json.RawMessage, error) {
	doc, err := call[json.RawMessage](ctx, c, "GET", "/api/v1/runs/{id}/why", WhyRequest{ID: id, Format: "prov"})
	if err != nil {
		return nil, err
	}
	return *doc, nil
}
