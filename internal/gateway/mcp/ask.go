package mcp

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

// would is what policy would say to an action on a resource of an upstream.
type would func(*upstream.Upstream, policy.Resource) policy.Decision

var (
	errSecrets = fault.New(fault.KindDenied, "mcp.secrets", "the server's form asks for what looks like a secret").
			WithHint("a server that needs one opens a page of its own (URL elicitation), or has the person sign in with OAuth")
	errHost = fault.New(fault.KindDenied, "mcp.url", "the server sends people to a host that is not listed").
		WithHint("security lists hosts with `reeve upstream set NAME --ask-host HOST`")
	errQuestion = fault.New(fault.KindInvalid, "mcp.question", "the server's question cannot be read")
	errUnknown  = fault.New(fault.KindDenied, "mcp.question_unknown", "the server asks what no client can be asked")
	errOutside  = fault.New(fault.KindDenied, "mcp.question_outside", "the server asks while no call of this caller is open")
)

// asked is a request of the server's, on its way to the client.
func (a *answer) asked(m *message, raw []byte) {
	x := a.x
	refuse := func(f *fault.Error) {
		x.reply(m.id, refusedAnswer(m.method, m.id, f))
	}
	action, known := serverAsks[m.method]
	switch {
	case !known || x.ses == nil:
		refuse(errUnknown)
		return
	case action != "" && x.m == nil && !x.ses.busy():
		refuse(errOutside)
		return
	}
	params, f := x.question(m.method, m.params.in(m.raw))
	if f != nil {
		refuse(f)
		return
	}
	if x.ses.legacy == nil {
		if err := x.ses.asking(string(m.id), ask{method: m.method}); err != nil {
			refuse(fault.From(err))
			return
		}
	}
	msg := m.raw
	if params != nil {
		msg = wire.Apply(nil, m.raw, []wire.Edit{{From: m.params.from, To: m.params.to, With: params}})
	}
	a.pass(msg, raw)
}

// busy reports whether a call is open in the session.
func (n *session) busy() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls > 0
}

// refusedAnswer is what the server hears instead of the client's answer.
func refusedAnswer(method string, id []byte, f *fault.Error) []byte {
	if method == "elicitation/create" && f.Kind == fault.KindDenied {
		out := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
		return append(out, `,"result":{"action":"decline"}}`...)
	}
	code := codeDenied
	if f.Code == errUnknown.Code || method == "roots/list" {
		code = codeMethod
	}
	return errorMessage(id, failure{Code: code, Message: "refused: " + f.Message})
}

// question decides what a server asks. params are what the client gets instead,
// nil for as they are.
func (x *exchange) question(method string, params []byte) (changed []byte, f *fault.Error) {
	action := serverAsks[method]
	if action == "" {
		return nil, nil
	}
	q := policy.Ask{}
	if method == "elicitation/create" {
		var err *fault.Error
		if changed, q.URL, err = elicitation(x.c.Upstream, params); err != nil {
			return nil, err
		}
	}
	agent := x.c.Caller.Agent.Name
	f = x.c.Aside(&gateway.Proposal{
		Action: action, Name: x.c.Upstream.Name + " " + method, Kind: activity.KindMCP, Ask: &q,
		Resource: policy.Resource{Type: "Agent", ID: agent, Name: agent, Effect: "read", Classes: x.c.Upstream.Classes},
		Args:     policy.Args{Readable: true},
	}, params)
	if f != nil || method != "sampling/createMessage" {
		return changed, f
	}
	return changed, x.sampled(params)
}

// sampled decides a server's use of the client's model as the agent's own call
// of a model: it counts in its budgets, and forbids about models hold.
func (x *exchange) sampled(params []byte) *fault.Error {
	var most int64
	model := "sampling"
	c := wire.NewCursor(params)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "maxTokens":
			most, _ = c.Int()
		case "includeContext":
			if v := c.Text(); v != "" && v != "none" {
				return fault.New(fault.KindDenied, "mcp.context", "the server wants its question answered with what others told the agent")
			}
		}
	}
	if c.End() != nil || most < 0 {
		return errQuestion
	}
	in := int64(len(params))
	return x.c.Aside(&gateway.Proposal{
		Action: "call_model", Name: "sampling for " + x.c.Upstream.Name, Kind: activity.KindModel,
		Resource: policy.Resource{Type: "Model", ID: x.c.Upstream.Name + "/" + model, Provider: "client", Name: model},
		Model:    &policy.ModelCall{Endpoint: "sampling", MaxOutput: most},
		Args:     gateway.ArgsOf(params), MaxTokens: in + most, MaxInput: in, MaxOutput: most,
	}, params)
}

// secretWords are names of fields that ask for a secret.
var secretWords = regexp.MustCompile(`(?i)pass(word|wd|phrase|code)|secret|(api|access|private|signing|encryption)[ _.-]*key|auth[a-z]*[ _.-]*(token|code)|(access|refresh|bearer|session)[ _.-]*token|^token$|credential|\bpin\b|\bcvv|\bcvc\b|card[ _.-]*number|\bssn\b|social[ _.-]*security|seed[ _.-]*phrase|one[ _.-]*time[ _.-]*code|\botp\b|2fa|mfa`)

// elicitation checks what a person is asked: a form may not ask for secrets, and
// an address is one of the hosts that the upstream may send people to. The
// message then says who asks and where it leads.
func elicitation(u *upstream.Upstream, params []byte) (changed []byte, address string, f *fault.Error) {
	var mode, message, to string
	var at span
	var bad bool
	c := wire.NewCursor(params)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "mode":
			mode = c.Text()
		case "message":
			at.from = c.Pos()
			message = c.Text()
			at.to = c.Pos()
		case "url":
			to = c.Text()
		case "requestedSchema":
			bad = asksSecret(c.Raw())
		}
	}
	switch {
	case c.End() != nil:
		return nil, "", errQuestion.WithCause(c.Err())
	case bad:
		return nil, "", errSecrets
	case mode == "" && to == "" || mode == "form":
		return nil, "", nil
	case mode != "url" && to == "":
		return nil, "", errQuestion
	}
	target, err := url.Parse(to)
	if err != nil || target.Host == "" || target.User != nil || target.Scheme != "https" && target.Scheme != "http" {
		return nil, "", errQuestion
	}
	host := strings.ToLower(target.Host)
	if !slices.Contains(u.AskHosts, host) && !slices.Contains(u.AskHosts, strings.ToLower(target.Hostname())) {
		return nil, "", errHost
	}
	if at.to == 0 {
		return nil, to, nil
	}
	text := "The server " + u.Name + " asks you to open " + host + ": " + message
	return wire.Apply(nil, params, []wire.Edit{{From: at.from, To: at.to, With: quote(text)}}), to, nil
}

// asksSecret reports whether a form has a field for a secret.
func asksSecret(schema []byte) bool {
	var form struct {
		Properties map[string]struct {
			Title, Description, Format string
		} `json:"properties"`
	}
	if json.Unmarshal(schema, &form) != nil {
		return true // nobody can say what it asks for
	}
	for name, p := range form.Properties {
		spaced := strings.NewReplacer("_", " ", "-", " ", ".", " ").Replace(name)
		if p.Format == "password" || secretWords.MatchString(name) || secretWords.MatchString(spaced) || secretWords.MatchString(p.Title) {
			return true
		}
	}
	return false
}

// inputs decides what a server without sessions asks, and seals its state.
func (a *answer) inputs(b []byte) (changed []byte, f *fault.Error) {
	x := a.x
	if !x.modern || !x.of.asks {
		return nil, errAnswer
	}
	var edits []wire.Edit
	state := []byte{stateNone}
	var stateAt span
	some := false
	end := 0
	c := wire.NewCursor(b)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "inputRequests":
			some = true
			if edits, f = x.askedAll(&c, b, edits, x.asked); f != nil {
				return nil, f
			}
		case "requestState":
			stateAt.from = c.Pos()
			state = append([]byte{stateServer}, c.Text()...)
			stateAt.to = c.Pos()
		}
		end = c.Pos()
	}
	if c.End() != nil || !some && stateAt.to == 0 {
		return nil, errAnswer
	}
	sealed := quote(x.p.seals.seal(state, x.over()))
	if stateAt.to != 0 {
		edits = append(edits, wire.Edit{From: stateAt.from, To: stateAt.to, With: sealed})
	} else {
		edits = append(edits, wire.Edit{From: end, To: end, With: append([]byte(`,"requestState":`), sealed...)})
	}
	slices.SortFunc(edits, func(a, b wire.Edit) int { return a.From - b.From })
	return wire.Apply(nil, b, edits), nil
}

// askedAll decides the questions at c, each by asked: edits grows by what the
// client gets instead.
func (x *exchange) askedAll(c *wire.Cursor, b []byte, edits []wire.Edit, asked func(method string, params []byte) ([]byte, *fault.Error)) ([]wire.Edit, *fault.Error) {
	for in := c.Object(); in.Next(); {
		method, params := question(c)
		part, f := asked(method, params.in(b))
		if f != nil {
			return nil, f
		}
		if part != nil {
			edits = append(edits, wire.Edit{From: params.from, To: params.to, With: part})
		}
	}
	return edits, nil
}

// taskInputs decides what a task of a server without sessions waits for. A client
// polls: what was decided once for a task is not decided and recorded again.
func (a *answer) taskInputs(b []byte, own string) (changed []byte, f *fault.Error) {
	x := a.x
	var edits []wire.Edit
	c := wire.NewCursor(b)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "inputRequests" {
			continue
		}
		edits, f = x.askedAll(&c, b, edits, func(method string, params []byte) ([]byte, *fault.Error) {
			k := bound(x.taskOwner(), method, own, params)
			return x.p.answers.of([32]byte(k), x.p.o.Now(), func() ([]byte, *fault.Error) { return x.asked(method, params) })
		})
		if f != nil {
			return nil, f
		}
	}
	if c.End() != nil {
		return nil, errAnswer
	}
	return x.tasks(wire.Apply(nil, b, edits)), nil
}

// decisions are those about questions of tasks, for a while.
type decisions struct {
	mu  sync.Mutex
	all map[[32]byte]decided
}

type decided struct {
	changed []byte
	refused *fault.Error
	until   time.Time
}

const (
	maxDecided = 10_000
	decidedFor = time.Minute
)

// of is what was decided, or what decide says now.
func (s *decisions) of(k [32]byte, now time.Time, decide func() ([]byte, *fault.Error)) ([]byte, *fault.Error) {
	s.mu.Lock()
	d, known := s.all[k]
	s.mu.Unlock()
	if known && now.Before(d.until) {
		return d.changed, d.refused
	}
	d.changed, d.refused = decide()
	d.until = now.Add(decidedFor)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= maxDecided {
		s.all = map[[32]byte]decided{} // they are decided again
	}
	s.all[k] = d
	return d.changed, d.refused
}

// question reads one of a server's questions: {"method":…,"params":{…}}.
func question(c *wire.Cursor) (method string, params span) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "method":
			method = c.Text()
		case "params":
			params.from = c.Pos()
			c.Skip()
			params.to = c.Pos()
		}
	}
	return method, params
}

// asked decides one question of an input_required result.
func (x *exchange) asked(method string, params []byte) (changed []byte, f *fault.Error) {
	if serverAsks[method] == "" {
		return nil, errUnknown
	}
	if len(params) == 0 {
		params = []byte("{}")
	}
	return x.question(method, params)
}
