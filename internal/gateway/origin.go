package gateway

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/behaviour"
	"reeve/internal/genai"
	"reeve/internal/pin"
	"reeve/internal/policy"
)

// origins finds what a call's arguments name, where each of it came from, and
// where the call would send data.
func (d *Door) origins(x *passage, req *policy.Request) {
	m := d.o.Behaviour
	if m == nil || req.Action != "call_tool" && req.Action != "call_api" && req.Action != "send_task" {
		return
	}
	f := m.Origins(x.who(), req.Agent.Name, d.arguments(x), d.vouched)
	x.found = f
	to := &req.Call.Destinations
	to.All, to.Domains = both(to.All, f.All), both(to.Domains, f.Domains)
	to.FirstSeen, to.Injected = both(to.FirstSeen, f.FirstSeen), f.Injected
	req.Call.Origins = make([]activity.Origin, len(f.Origins))
	for i := range f.Origins {
		o := &f.Origins[i]
		source := o.Source.By.String()
		if o.Lost {
			source = "unknown"
		}
		req.Call.Origins[i] = activity.Origin{
			Path: o.Path, Index: o.Index, From: o.From, To: o.To, Kind: o.Kind.String(), Entity: o.Entity,
			Source: source, Tool: o.Source.Tool, Step: o.Source.Step, First: o.First, Injected: o.Injected,
		}
	}
	x.origins = req.Call.Origins
}

// vouched reports whether a person said of a tool, named as decisions do, that
// what its results name may be sent to.
func (d *Door) vouched(resource string) bool {
	upstream, tool, ok := strings.Cut(resource, ".")
	if !ok || d.o.Pins == nil {
		return false
	}
	p, _ := d.o.Pins.Lookup(upstream, tool)
	return p.Vouches && p.State == pin.Accepted
}

// both are two lists as one, each name once.
func both(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	out := slices.Clip(a)
	for _, s := range b {
		if !slices.Contains(a, s) {
			out = append(out, s)
		}
	}
	return out
}

// arguments are the texts of a call in which destinations are looked for. What
// policy cannot read is looked at as it is.
func (d *Door) arguments(x *passage) []behaviour.Argument {
	p := x.proposal
	var out []behaviour.Argument
	if !p.Args.Readable {
		body := x.Body
		if s := p.Arguments; s.To > s.From && s.To <= len(body) {
			body = body[s.From:s.To]
		}
		out = append(out, behaviour.Argument{Text: string(body), Escaped: true})
	}
	named := d.named(x)
	for path, list := range p.Args.Text {
		for i, text := range list {
			out = append(out, behaviour.Argument{Path: path, Index: i, Text: text, Named: slices.Contains(named, path)})
		}
		out = memberNames(out, path)
	}
	for path := range p.Args.Number {
		out = memberNames(out, path)
	}
	for path := range p.Args.Flag {
		out = memberNames(out, path)
	}
	for _, path := range p.Args.Unfit {
		out = memberNames(out, path)
	}
	slices.SortFunc(out, func(a, b behaviour.Argument) int { return cmp.Or(strings.Compare(a.Path, b.Path), a.Index-b.Index) })
	return out
}

// pathWords are the words of a path, for who looks for destinations in them.
var pathWords = strings.NewReplacer("~1", " ", "~0", " ", "/", " ")

// memberNames adds a path whose names could be a destination.
func memberNames(out []behaviour.Argument, path string) []behaviour.Argument {
	if strings.ContainsAny(path, "@.") {
		out = append(out, behaviour.Argument{Path: path, Text: pathWords.Replace(path)})
	}
	return out
}

// named are the paths at which a person said, when they accepted the tool, that
// a destination or recipient stands; nil when nobody did.
func (d *Door) named(x *passage) []string {
	if d.o.Pins == nil || x.proposal.Tool == "" || x.proposal.Resource.Upstream == policy.Local {
		return nil
	}
	p, ok := d.o.Pins.Lookup(x.Upstream.Name, x.proposal.Tool)
	if !ok {
		return nil
	}
	return both(p.Paths.Destination, p.Paths.Recipient)
}

// shown are the arguments that a person sees first: as the call's protocol says,
// else as a person said when they accepted the tool.
func (d *Door) shown(x *passage) approval.Shown {
	s := x.proposal.Shown
	said := len(s.Amount)+len(s.Currency)+len(s.Destination)+len(s.Recipient) > 0
	if said || d.o.Pins == nil || x.Upstream == nil || x.record.LocalTool {
		return s
	}
	p, _ := d.o.Pins.Lookup(x.Upstream.Name, x.proposal.Tool)
	return approval.Shown{Amount: p.Paths.Amount, Destination: p.Paths.Destination, Recipient: p.Paths.Recipient}
}

// masked are origins as they are kept beside what is sealed.
func masked(list []activity.Origin) []activity.Origin {
	out := slices.Clone(list)
	for i := range out {
		out[i].Entity = policy.Masked(out[i].Entity)
	}
	return out
}

// goes notes that a call goes on: where it sends data is known from now on.
func (d *Door) goes(x *passage) {
	if m := d.o.Behaviour; m != nil && x.proposal != nil && !x.proposal.Quiet && x.proposal.Resource.Type != "Model" {
		m.Do(x.record.Agent, acted(x, &x.proposal.Resource))
	}
	if m := d.o.Behaviour; m != nil && x.found != nil {
		m.Used(x.who(), x.record.Agent, x.found, x.granted != nil)
	}
}

// listen hears what a request tells a model: what the user asked, what tools
// brought back, what the agent's own instructions say.
func (d *Door) listen(x *passage) {
	m := d.o.Behaviour
	if m == nil || x.kind != "llm" || x.proposal.Action != "call_model" {
		return
	}
	who, step := x.who(), x.record.Step.String()
	name := func(call []byte) string {
		for i := range x.proposal.ToolResults {
			if r := &x.proposal.ToolResults[i]; r.CallID == string(call) || r.Name == string(call) {
				return policy.LocalTool(r.Name)
			}
		}
		return ""
	}
	for i := range x.proposal.Contents {
		switch c := &x.proposal.Contents[i]; {
		case c.Field == activity.ContentSystem:
			m.Heard(who, behaviour.Source{By: behaviour.BySystem}, c.Raw, true)
		case c.Field == activity.ContentInput && c.Format == genai.JSON:
			m.Heard(who, behaviour.Source{By: behaviour.ByUser}, c.Raw, true)
		case c.Field == activity.ContentInput:
			m.Conversation(who, step, c.Raw, name)
		}
	}
}

// Bounds of hearing an answer.
const (
	maxHeard = 64 << 20 // bytes; what follows is not heard, and then nothing unknown is new
	maxTail  = 1024     // of a piece that is looked at again with the next
)

// ear hears an answer on its way to the agent, each piece before it leaves. nil
// hears nothing.
type ear struct {
	m    *behaviour.Memory
	who  behaviour.Who
	from behaviour.Source
	tail []byte
	left int
}

// hears says who listens to an answer: a model's is made of what was said
// before, and pictures say nothing.
func (d *Door) hears(x *passage, h http.Header) *ear {
	m := d.o.Behaviour
	if m == nil || x.kind == "llm" {
		return nil
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), "/")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "image", "audio", "video", "font":
		return nil
	}
	who := x.who()
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		m.Missed(who)
		return nil
	}
	from := behaviour.Source{By: behaviour.ByTool, Tool: x.record.Resource, Step: x.record.Step.String()}
	return &ear{m: m, who: who, from: from, left: maxHeard}
}

// piece hears a piece. What is named across two pieces is seen with the second.
func (e *ear) piece(b []byte) {
	if e == nil || len(b) == 0 || e.left <= 0 {
		return
	}
	if e.left -= len(b); e.left <= 0 {
		e.m.Missed(e.who)
		return
	}
	text := b
	if len(e.tail) > 0 {
		text = append(e.tail, b...)
	}
	e.m.Heard(e.who, e.from, text, true)
	rest := text[max(0, len(text)-maxTail):]
	// From a blank or quote on, so that no escape is torn.
	if i := bytes.IndexAny(rest, " \"\n"); i >= 0 && len(rest) < len(text) {
		rest = rest[i:]
	}
	e.tail = append(make([]byte, 0, maxTail+len(b)), rest...)
}
