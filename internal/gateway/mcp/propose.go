package mcp

import (
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

const (
	maxMessage  = 4 << 20 // of a client's message
	maxAnswer   = 32 << 20
	maxToolName = 512
	maxURI      = 8 << 10
)

const deny = activity.VerdictDeny

var (
	errLarge = fault.New(fault.KindInvalid, "mcp.too_large", "the message is larger than %d MiB", maxMessage>>20)
	errArgs  = fault.New(fault.KindInvalid, "mcp.arguments", "the arguments are no object that reads in one way").
			WithHint("no name twice in an object, and UTF-8")
	errName    = fault.New(fault.KindInvalid, "mcp.name", "the request names nothing, or by a name that nobody could show")
	errVersion = fault.New(fault.KindInvalid, "mcp.version", "the version of the protocol is not one that the door speaks").
			WithHint("%s without sessions; %s with", modernVersion, strings.Join(sessionVersions[:3], ", "))
	errMeta = fault.New(fault.KindInvalid, "mcp.meta", "params._meta says neither version nor capabilities").
		WithHint("%s and %s are part of every request", keyVersion, keyCaps)
	errTrack = fault.New(fault.KindInvalid, "mcp.response", "the message answers a request that the server did not make, or that was answered")
	errEmpty = fault.New(fault.KindDenied, "mcp.not_entitled", "nothing at this server is for this agent").
			WithHint("a policy permits call_tool or read_source on what it offers")
)

// exchange is one message of a client on its way.
type exchange struct {
	p      *Protocol
	c      *gateway.Call
	m      *message // nil for a stream that the client opens
	of     method
	modern bool
	ses    *session // nil without one
	out    []byte   // what goes upstream
	own    string   // the server's name of what it is about, where the client's is another
	flow   *flow    // the upstream's answer, once there is one
	state  opened   // that the request brings back; state.state is nil for none
	// decided says that what the server asks in the answer was decided already.
	decided bool
	asTask  bool     // the server with sessions makes a task of it
	news    []string // tasks that it wants to hear of, by the server's names
	comes   string   // the approval that it comes back for; "" none
	// reply answers a request of the server's that may not reach the client.
	reply func(id, answer []byte)
	// abandon gives up what was begun for a result that does not pass; nil for
	// nothing.
	abandon func()
}

// post takes a message.
func (p *Protocol) post(c *gateway.Call) (*gateway.Proposal, error) {
	if kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errContent
	}
	if len(c.Body) > maxMessage {
		return nil, errLarge
	}
	m, err := parse(c.Body)
	if err != nil {
		return nil, err
	}
	if m, err = underItsID(c, m); err != nil {
		return nil, err
	}
	version, _, err := one(c.Request.Header, "Mcp-Protocol-Version")
	if err != nil {
		return nil, err
	}
	x := &exchange{p: p, c: c, m: m, out: m.raw}
	x.modern = m.own.version != "" || isModern(version) || m.method == "server/discover"
	if m.own.traceparent != "" && len(c.Request.Header["Traceparent"]) == 0 {
		c.Request.Header["Traceparent"] = []string{m.own.traceparent}
	}
	if m.isRequest() && gateway.LoneSurrogate(c.Body) {
		return x.quiet(), errSurrogate // what it says depends on who reads it
	}
	if x.modern {
		return x.stateless()
	}
	return x.sessioned()
}

// underItsID is a message under the id that the client gave this request: what
// people agreed to may have been asked for by an earlier attempt.
func underItsID(c *gateway.Call, m *message) (*message, error) {
	first, again := c.State.(*message)
	if !again {
		c.State = m
		return m, nil
	}
	if first.id == nil || m.id == nil || sameID(first.id, m.id) {
		return m, nil
	}
	return parse(wire.Apply(nil, m.raw, []wire.Edit{{From: m.idAt.from, To: m.idAt.to, With: first.id}}))
}

// stateless takes a message of 2026-07-28.
func (x *exchange) stateless() (*gateway.Proposal, error) {
	m, h := x.m, x.c.Request.Header
	h.Del("Mcp-Session-Id") // of another time: to be ignored
	h.Del("Last-Event-Id")
	if m.isResponse() {
		return x.quiet(), errTrack
	}
	of, known := methods[m.method]
	x.of = of
	if m.isNotification() {
		if !clientNotes[m.method] {
			return x.quiet(), errMethod(m.method)
		}
		return x.quiet(), nil
	}
	if err := checkHeaders(h, m, of); err != nil {
		return x.quiet(), err
	}
	switch {
	case m.own.version == "" || m.own.caps.to == 0:
		return x.quiet(), errMeta
	case m.own.version != modernVersion:
		return x.quiet(), errVersion
	case !known || !of.modern:
		return x.quiet(), errMethod(m.method)
	case (of.name == "taskId" || x.wantsNews()) && !takesTasks(m.own.caps.in(m.raw)):
		return x.quiet(), errTasksWanted
	}
	return x.request()
}

// sessioned takes a message of a version with sessions.
func (x *exchange) sessioned() (*gateway.Proposal, error) {
	m, h := x.m, x.c.Request.Header
	id, there, err := one(h, "Mcp-Session-Id")
	if err != nil {
		return nil, err
	}
	if m.method == "initialize" && m.isRequest() {
		h.Del("Mcp-Session-Id")
		x.of = methods["initialize"]
		return x.request()
	}
	if !there {
		return x.quiet(), errNoSession
	}
	if x.ses, err = x.p.sessions.find(id, ownerOf(x.c), revisionOf(x.c)); err != nil {
		return x.quiet(), err
	}
	if version, there, _ := one(h, "Mcp-Protocol-Version"); there && !slices.Contains(sessionVersions, version) {
		return x.quiet(), errVersion
	}
	if h.Get("X-Reeve-Session") == "" && h.Get("X-Reeve-Run") == "" && len(h["Traceparent"]) == 0 {
		h.Set("X-Reeve-Session", "mcp:"+x.ses.id[:8]) // the calls of a session are of one run
	}
	switch {
	case m.isResponse():
		return x.answer()
	case m.isNotification():
		if !clientNotes[m.method] {
			return x.quiet(), errMethod(m.method)
		}
		pr := x.quiet()
		if m.method == "notifications/cancelled" && x.ses.cancelHeld(string(m.request.in(m.raw))) {
			// The server never heard of that request.
			pr.Forward.RoundTrip = func(req *http.Request) (*http.Response, error) { return accepted(req), nil }
		}
		return pr, nil
	}
	of, known := methods[m.method]
	if !known || !of.session {
		return x.quiet(), errMethod(m.method)
	}
	x.of = of
	return x.request()
}

// answer takes a client's answer to what the server asked.
func (x *exchange) answer() (*gateway.Proposal, error) {
	a, ok := x.ses.answered(string(x.m.id))
	if !ok {
		return x.quiet(), errTrack
	}
	if a.answer == nil {
		return x.quiet(), nil
	}
	pr := x.quiet()
	pr.Forward.RoundTrip = func(req *http.Request) (*http.Response, error) {
		a.answer(x.m)
		return accepted(req), nil
	}
	return pr, nil
}

// request takes a request that passes as a method that is known.
func (x *exchange) request() (*gateway.Proposal, error) {
	if atEntry(x.c) {
		if err := x.entered(); err != nil {
			return x.quiet(), err
		}
		if x.c.Upstream == x.p.nowhere {
			return x.quiet(), nil
		}
	}
	if err := x.comesBack(); err != nil {
		return x.quiet(), err
	}
	if err := x.openState(); err != nil {
		return x.quiet(), err
	}
	switch x.of.action {
	case "call_tool":
		return x.tool()
	case "read_source":
		return x.source()
	}
	if x.of.name == "taskId" {
		if err := x.task(); err != nil {
			return x.quiet(), err
		}
	}
	if x.wantsNews() {
		if err := x.ownNews(); err != nil {
			return x.quiet(), err
		}
	}
	pr := x.quiet()
	pr.Late = pr.Late || x.of.name == "taskId" // it brings what a call came to
	if !x.entitled() {
		return pr, errEmpty
	}
	return pr, nil
}

// carried makes the proposal's way upstream and back.
func (x *exchange) carried(pr *gateway.Proposal) *gateway.Proposal {
	pr.Forward = &gateway.Forward{Query: x.c.Query, Body: x.out, RoundTrip: x.carry, Header: x.renamed()}
	pr.Answer, pr.Rewrites = x.watch, true
	if m := x.m; m != nil && !pr.Quiet {
		// A retry has another id, and perhaps an answer to a question of ours.
		pr.BindFunc, pr.Collects = x.over, x.comes
		if pr.Same = m.args.in(m.raw); pr.Same == nil {
			pr.Same = []byte{}
		}
		pr.Fixed = m.args.to == 0 || atEntry(x.c) || m.raw == nil || len(m.raw) != len(x.c.Body)
		if !pr.Fixed {
			pr.Arguments = gateway.Span{From: m.args.from, To: m.args.to}
		}
	}
	return pr
}

// renamed are the call's headers with the server's own name of what it is about;
// nil when that is the client's. The call keeps its own: it may be proposed again.
func (x *exchange) renamed() http.Header {
	if x.own == "" || x.c.Request.Header.Get("Mcp-Name") == "" {
		return nil
	}
	h := maps.Clone(x.c.Request.Header)
	h["Mcp-Name"] = []string{encodeHeader(x.own)}
	return h
}

// quiet proposes what is no action of its own.
func (x *exchange) quiet() *gateway.Proposal {
	name := "listen"
	if x.m != nil {
		name = word(x.m.method)
		if x.m.isResponse() {
			name = "response"
		}
	}
	return x.carried(&gateway.Proposal{
		Action: "call_tool", Name: name, Kind: activity.KindMCP, Quiet: true,
		Resource: policy.Resource{Type: "Tool", ID: x.c.Upstream.Name + " " + name},
		Late:     x.listens(), // a stream brings what calls came to, and what servers say by themselves
	})
}

// listens reports whether the message opens a stream on which a server says what
// belongs to no call, or on which the answer of an earlier one is resumed.
func (x *exchange) listens() bool { return x.m == nil || x.m.method == "subscriptions/listen" }

// toolOf is a tool as policy sees it.
func (p *Protocol) toolOf(u *upstream.Upstream, name string) (policy.Resource, Pin) {
	pin, _ := p.o.Pins.Lookup(u.Name, name)
	return policy.Resource{
		Type: "Tool", ID: u.Name + "." + name, Name: name, Effect: pin.Effect, Pinned: pin.Accepted,
		Classes: append(u.Classes[:len(u.Classes):len(u.Classes)], pin.Classes...),
	}, pin
}

// sourceOf is a resource, a template of resources or a prompt as policy sees it:
// "docs file:///a", "docs prompt/summary".
func sourceOf(u *upstream.Upstream, name string) policy.Resource {
	return policy.Resource{Type: "Source", ID: u.Name + " " + name, Name: name, Trusted: !u.External, Classes: u.Classes}
}

// tool proposes a call of a tool.
func (x *exchange) tool() (*gateway.Proposal, error) {
	m := x.m
	res, pin := x.p.toolOf(x.c.Upstream, m.name)
	pr := x.carried(&gateway.Proposal{
		Action: "call_tool", Name: m.name, Kind: activity.KindTool, Tool: m.name, Resource: res, Pin: pin.Hash,
	})
	if m.name == "" || len(m.name) > maxToolName || strings.ContainsFunc(m.name, control) {
		pr.Name, pr.Tool, pr.Resource.ID, pr.Resource.Name = "tools/call", "", x.c.Upstream.Name+" tools/call", ""
		return pr, errName
	}
	if x.modern {
		if err := x.checkParams(); err != nil {
			return pr, err
		}
	}
	return pr, x.arguments(pr)
}

// source proposes to read.
func (x *exchange) source() (*gateway.Proposal, error) {
	m := x.m
	name := m.uri
	var err error
	switch m.method {
	case "prompts/get":
		name = "prompt/" + m.name
		if m.name == "" {
			err = errName
		}
	case "completion/complete":
		name, err = completed(m.ref.in(m.raw))
	default:
		if m.uri == "" {
			err = errName
		}
	}
	if len(name) > maxURI || strings.ContainsFunc(name, control) {
		name, err = m.method, errName
	}
	pr := x.carried(&gateway.Proposal{
		Action: "read_source", Name: m.method + " " + word(name), Kind: activity.KindMCP, Resource: sourceOf(x.c.Upstream, name),
	})
	if err != nil {
		return pr, err
	}
	return pr, x.arguments(pr)
}

// completed is what a completion is about: {"type":"ref/prompt","name":…} or
// {"type":"ref/resource","uri":…}.
func completed(ref []byte) (string, error) {
	var kind, name, uri string
	c := wire.NewCursor(ref)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Text()
		case "name":
			name = c.Text()
		case "uri":
			uri = c.Text()
		}
	}
	switch {
	case c.End() != nil:
	case kind == "ref/prompt" && name != "":
		return "prompt/" + name, nil
	case kind == "ref/resource" && uri != "":
		return uri, nil
	}
	return "completion", errName
}

func control(r rune) bool { return r < 0x20 || r == 0x7f }

// arguments gives policy what it can ask of the call.
func (x *exchange) arguments(pr *gateway.Proposal) error {
	raw := x.m.args.in(x.m.raw)
	if len(raw) == 0 {
		pr.Args = policy.Args{Readable: true}
		return nil
	}
	if raw[0] != '{' {
		return errArgs
	}
	pr.Args = gateway.ArgsOf(raw)
	if !pr.Args.Readable && twice(raw) {
		return errArgs
	}
	pr.Contents = []activity.Content{{Field: activity.ContentArguments, Format: "json", From: "arguments", Raw: raw}}
	return nil
}

// entitled reports whether there is anything at the upstream for the caller.
// What the door never saw a list of it cannot know.
func (x *exchange) entitled() bool {
	u := x.c.Upstream
	ask := x.c.Asker("read_source")
	if ask.Would(u, sourceOf(u, "")).Verdict != deny {
		return true
	}
	ask = x.c.Asker("call_tool")
	tools := x.p.o.Pins.Tools(u.Name)
	for _, name := range tools {
		res, _ := x.p.toolOf(u, name)
		if ask.Would(u, res).Verdict != deny {
			return true
		}
	}
	return len(tools) == 0
}
