package gateway

import (
	"context"
	"slices"

	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/policy"
)

// scanned is what content rules made of a request.
type scanned struct {
	plan  *content.Plan // nil: nothing is looked for
	out   []byte        // the body that may be forwarded
	found []content.Found
	err   error
}

// payload is the body that the call sends, as its protocol has it.
func (x *passage) payload() []byte {
	if f := x.proposal.Forward; f != nil {
		return f.Body
	}
	return x.Body
}

// look scans the request before it is decided: the classes that it carries are
// policy's to know.
func (d *Door) look(x *passage) {
	// A local tool's call was scanned with the answer, unless it is asked apart.
	if d.o.Content == nil || x.proposal.Resource.Upstream == policy.Local && !x.outside {
		return
	}
	a := x.Caller.Agent
	x.scan.plan = d.o.Content.For(a.Name, a.Team, a.Environment)
	d.scan(x)
	for _, f := range x.scan.found {
		if !slices.Contains(x.proposal.Classes, f.Class) {
			x.proposal.Classes = append(x.proposal.Classes, f.Class)
		}
	}
}

func (d *Door) scan(x *passage) {
	s := &x.scan
	body := x.payload()
	if s.err = s.plan.Encoded(x.Request.Header.Get("Content-Encoding"), false); s.err != nil {
		return
	}
	if s.out, s.found, s.err = s.plan.Request(body); s.err != nil || x.Query == "" {
		return
	}
	// What stands in a query cannot be taken out without asking for something
	// else, so what would be redacted there is refused.
	out, found, err := s.plan.Request([]byte(x.Query))
	s.found = append(s.found, found...)
	if err == nil && string(out) != x.Query {
		err = errQuery
	}
	s.err = err
}

var errQuery = fault.New(fault.KindDenied, "content.query", "the query holds what a content rule keeps back").
	WithHint("send it in the body, where it can be taken out, or leave it out")

// content blocks, redacts and flags the request.
func (d *Door) content(_ context.Context, x *passage) error {
	s := &x.scan
	if d.o.Content == nil {
		return nil
	}
	if redact := x.verdict.Redact; len(redact) > 0 {
		a := x.Caller.Agent
		plan, err := d.o.Content.Redacting(a.Name, a.Team, a.Environment, redact)
		if err != nil {
			return err
		}
		s.plan = plan
		d.scan(x)
	}
	if s.err != nil {
		s.out = x.payload()
		return x.would(s.err)
	}
	for _, f := range s.found {
		if f.Action >= content.Redact && !slices.Contains(x.record.Redacted, f.Class) {
			x.record.Redacted = append(x.record.Redacted, f.Class)
		}
	}
	if len(x.record.Redacted) == 0 {
		return nil
	}
	f := Forward{Path: x.Path, Query: x.Query}
	if x.proposal.Forward != nil {
		f = *x.proposal.Forward
	}
	f.Body = s.out
	x.proposal.Forward = &f
	return nil
}

// stored is what may be kept of contents: without what rules keep out of the
// store. An agent of which only metadata is kept has none.
func (x *passage) stored(list []activity.Content, answer bool) []activity.Content {
	if x.Caller.Agent.Content == "metadata" {
		return nil
	}
	for i := range list {
		text := string(list[i].Raw)
		if kept := x.scan.plan.Stored(text, answer); kept != text {
			list[i].Raw = []byte(kept)
		}
	}
	return list
}

// tags say on the step what was found in the call, and never what it was.
func (x *passage) tags() []string {
	var out []string
	for _, f := range x.scan.found {
		if tag := "content:" + f.Class; !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}
