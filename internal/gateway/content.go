package gateway

import (
	"context"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/upstream"
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
	if s.out, s.found, s.err = s.plan.Request(body); s.err != nil {
		return
	}
	if s.err = s.fixed(x.target(), errTarget); s.err == nil {
		s.err = s.fixed(x.said(), errSaid)
	}
}

// fixed looks at a part of a request from which nothing can be taken out without
// asking for something else: what would be redacted there is refused with f.
func (s *scanned) fixed(text string, f *fault.Error) error {
	if text == "" {
		return nil
	}
	out, found, err := s.plan.Request([]byte(text))
	s.found = append(s.found, found...)
	if err == nil && string(out) != text {
		return f
	}
	return err
}

// target is what an agent says in the address of a call: its query, and the path
// of an API, of which routes leave parts to it. The others' paths are of their
// protocols.
func (x *passage) target() string {
	if x.Upstream == nil || x.Upstream.Kind != "http" {
		return x.Query
	}
	if x.Query == "" {
		return x.Path
	}
	return x.Path + "?" + x.Query
}

// said are the values of the headers that go upstream and can say anything, a line
// each. Their names are left out: that a value stands under "Idempotency-Key"
// makes it no key.
func (x *passage) said() string {
	if x.Upstream == nil || x.Request == nil || x.proposal.Resource.Upstream == policy.Local {
		return ""
	}
	var b strings.Builder
	for _, name := range x.saying() {
		for _, v := range x.Request.Header[name] {
			b.WriteString(v)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// saying are the names of those headers, in order: what was scanned of a call once
// is known of the next.
func (x *passage) saying() (names []string) {
	for name := range x.Request.Header {
		if !worded(name) && upstream.Goes(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// worded names headers whose values are words of a protocol, or made by a client
// library, and which a scan of every call can do without.
func worded(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Length", "Content-Encoding", "Cache-Control", "Traceparent",
		"Sec-Fetch-Mode", "Anthropic-Version", "Mcp-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "A2a-Version", "X-Amz-Date", "X-Amz-Content-Sha256":
		return true
	}
	return strings.HasPrefix(name, "X-Stainless-") || strings.HasPrefix(name, "Amz-Sdk-")
}

var (
	errTarget = fault.New(fault.KindDenied, "content.query", "the address holds what a content rule keeps back, in its path or query").
			WithHint("send it in the body, where it can be taken out, or leave it out")
	errSaid = fault.New(fault.KindDenied, "content.header", "a header holds what a content rule keeps back").
		WithHint("send it in the body, where it can be taken out, or leave it out; a credential of the upstream's own is kept at the door: `reeve upstream set --credential`")
)

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
