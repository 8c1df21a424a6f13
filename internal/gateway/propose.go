package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/upstream"
)

var (
	errNoUpstream = fault.New(fault.KindNotFound, "gateway.upstream", "there is no such upstream").
			WithHint("`reeve upstream list` lists them")
	errTooLarge = fault.New(fault.KindInvalid, "gateway.too_large", "the request's body is larger than the door takes")
	errBody     = fault.New(fault.KindInvalid, "gateway.body", "the request's body ended early or has broken chunks")
)

// propose finds the upstream, reads the body and asks the protocol what the
// call would do.
func (d *Door) propose(_ context.Context, x *passage) error {
	entrance, _ := x.protocol.(Entrance)
	entering := entrance != nil && x.record.Upstream == ""
	if !entering {
		// One that stands in for another is chosen now, so that all that is decided
		// and recorded is about what is really called.
		u, instead, ok := d.choose(x)
		if !ok || u.Kind != x.kind {
			return errNoUpstream
		}
		x.Upstream, x.instead, x.record.Upstream = u, instead, u.Name
	}
	if x.Request.ContentLength != 0 && x.before == nil {
		rc := http.NewResponseController(x.w)
		_ = rc.SetReadDeadline(time.Now().Add(bodyTime)) // not supported: then the agent's patience bounds it
		body, err := readBody(x.Request, d.o.MaxBody)
		_ = rc.SetReadDeadline(time.Time{})
		if err != nil {
			return err
		}
		x.Body = body
	}
	if entering {
		u, err := entrance.Enter(&x.Call)
		if err != nil {
			return err
		}
		x.Upstream, x.record.Upstream = u, u.Name
	}
	p, err := x.protocol.Propose(&x.Call)
	x.proposal = p // also with an error: the record says what was asked
	return err
}

// choose finds the upstream that a call is for, or the one that takes it over.
func (d *Door) choose(x *passage) (u *upstream.Upstream, instead string, ok bool) {
	if x.before == nil {
		return d.o.Upstreams.Choose(x.record.Upstream)
	}
	u, ok = d.o.Upstreams.Lookup(x.record.Upstream)
	return u, x.instead, ok
}

// standIn is the same call for the next upstream that stands in for one that
// could not be reached: nothing of the call was sent, so nothing is done twice.
// It is decided, limited and recorded anew, about the upstream that is then
// called. nil when there is none.
func (d *Door) standIn(x *passage) *passage {
	if !x.unsent || x.wrote || x.Begun || x.granted != nil || x.Request.Context().Err() != nil {
		return nil
	}
	asked, tried := x.Upstream.Name, map[string]bool{}
	for y := x; y != nil; y = y.before {
		tried[y.Upstream.Name] = true
		if y.instead != "" {
			asked = y.instead
		}
	}
	u, ok := d.o.Upstreams.Instead(asked, tried)
	if !ok {
		return nil
	}
	y := &passage{w: x.w, started: d.o.Now(), kind: x.kind, protocol: x.protocol, instead: asked, identified: true, before: x}
	y.x, y.door = y, d
	y.Context, y.Request, y.Method, y.Path, y.Query, y.Body, y.Caller = x.Request.Context(), x.Request, x.Method, x.Path, x.Query, x.Body, x.Caller
	if x.unnoted != nil {
		y.Body = x.unnoted
	}
	y.record.Upstream, y.repinned = u.Name, x.repinned
	return y
}

// bodyTime bounds how long an agent may take to send a body.
const bodyTime = 2 * time.Minute

// readBody reads a request's whole body, at most limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	switch {
	case r.Body == nil || r.ContentLength == 0:
		return nil, nil
	case r.ContentLength > limit:
		return nil, errTooLarge
	case r.ContentLength > 0:
		// The length is what the peer says: memory follows what arrives.
		if r.ContentLength <= 64<<10 {
			body := make([]byte, r.ContentLength)
			if _, err := io.ReadFull(r.Body, body); err != nil {
				return nil, errBody.WithCause(err)
			}
			return body, nil
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, errBody.WithCause(err)
	case int64(len(body)) > limit:
		return nil, errTooLarge
	}
	return body, nil
}

// describe fills in the record what is known of caller and proposal.
func (x *passage) describe() {
	r, c, p := &x.record, &x.Caller, x.proposal
	if a := c.Agent; a != nil {
		r.Agent, r.Registered, r.Version, r.Team, r.Environment = a.Name, true, a.Version, a.Team, a.Environment
		r.Lifecycle, r.Autonomy, r.Containment = a.Lifecycle, a.Autonomy, a.Contained(x.started)
	}
	r.Instance, r.Credential, r.CredentialID, r.Bound, r.Chain, r.User = c.Instance, c.Credential, c.CredentialID, c.Bound, c.Chain, c.User
	r.ArgumentsBytes = int64(len(x.Body))
	r.BytesIn = int64(len(x.Body))
	if p == nil {
		if r.Action == "" {
			r.Action = actions[x.kind]
		}
		if r.Resource == "" {
			r.Resource = r.Upstream + " " + x.Method
		}
		return
	}
	r.Action, r.Resource, r.Effect, r.Tool, r.Pin = p.Action, p.Resource.ID, p.Resource.Effect, p.Tool, p.Pin
	if p.Resource.Type == "Model" {
		r.Model = p.Resource.Name
	}
}

// actions are what calls of a kind of upstream are before they were read.
var actions = map[string]string{"http": "call_api", "llm": "call_model", "mcp": "call_tool", "a2a": "send_task"}

// provider and model of a proposal, for steps and budgets.
func (p *Proposal) model() (provider, model string) {
	if p == nil || p.Resource.Type != "Model" {
		return "", ""
	}
	return p.Resource.Provider, p.Resource.Name
}

// kindOf is the kind of the call's step.
func (x *passage) kindOf() activity.Kind {
	if x.proposal != nil {
		return x.proposal.Kind
	}
	if x.kind == "llm" {
		return activity.KindModel
	}
	return activity.KindHTTP
}
