// Package llm reads the wire formats of model providers at the door.
//
// What for: an agent's SDK talks to /llm/{upstream} as it would to its
// provider. This package says which model a request asks for, with which tools,
// at what cost at most; watches the answer as it passes; lets the door decide on
// the tool calls that an answer proposes; and says no in the provider's words.
//
// Who calls it: the door (package gateway), as the Protocol of kind llm.
//
// Promises: pure functions of what they are given; safe for concurrent use; one
// pass over a request and no copy of it. Bytes that nothing acts on pass as they
// are and at once. With a judge only the events of a tool call are kept back,
// and of an answer that is not streamed the whole. Memory is bounded: see the
// constants in answer.go.
//
// How it fails: with faults llm.*, for requests before anything is forwarded.
// What a rule must read and cannot (compressed, broken, larger than may be held)
// is refused; without a rule it passes, and its facts are unknown.
//
// Start reading at Propose and operation; a dialect is one table in the file of
// its name; answer.go has the watcher and family what a wire shape adds to it.
package llm

import (
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
)

// Protocol reads calls of model upstreams.
type Protocol struct{ now func() time.Time }

var _ gateway.Protocol = (*Protocol)(nil)

// New makes a Protocol; a nil now means time.Now.
func New(now func() time.Time) *Protocol {
	if now == nil {
		now = time.Now
	}
	return &Protocol{now: now}
}

// Kind is llm.
func (p *Protocol) Kind() string { return "llm" }

// dialects are the wire formats by the name that an upstream gives.
var dialects = map[string]*dialect{
	"openai": &openai, "anthropic": &anthropic, "azure": &azure, "bedrock": &bedrock, "gemini": &gemini,
}

// Propose says what a request asks for. With an error it says what it could
// read up to there.
func (p *Protocol) Propose(c *gateway.Call) (*gateway.Proposal, error) {
	d := dialects[c.Upstream.Dialect]
	if d == nil {
		return nil, fault.New(fault.KindInternal, "llm.dialect", "upstream %s has a dialect that nobody reads", c.Upstream.Name)
	}
	op, model := d.find(c.Method, c.Path)
	if op == nil {
		return p.unknown(c, d), fault.New(fault.KindDenied, "llm.unknown_path", "%s is nothing that Reeve knows of this provider", shown(c.Method+" "+c.Path)).
			WithHint("model calls pass here; files, batches, images, audio and the rest do not")
	}
	r := &request{call: c, dialect: d, op: op, model: model, most: activity.Unknown, times: 1, silent: op.silent}
	err := r.read()
	if err == nil && op.stored {
		err = r.background()
	}
	if r.model != "" || err != nil {
		r.rule = ruleOf(c.Upstream, r.model)
	}
	if err == nil {
		err = r.allowed()
	}
	return r.proposal(p), err
}

// unknown is the proposal of a path that nobody reads.
func (p *Protocol) unknown(c *gateway.Call, d *dialect) *gateway.Proposal {
	return &gateway.Proposal{
		Action: "call_model", Name: shown(c.Method + " " + c.Path), Kind: activity.KindHTTP,
		Resource: resource(c.Upstream, "*", d.providerOf(c.Upstream, nil)), Args: policy.Args{Bytes: int64(len(c.Body))},
		MaxTokens: activity.Unknown, MaxInput: activity.Unknown, MaxOutput: activity.Unknown,
	}
}

// shown cuts what a caller chose to a length that a message may have.
func shown(s string) string {
	if len(s) > 120 {
		return s[:117] + "..."
	}
	return s
}
