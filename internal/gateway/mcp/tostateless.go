package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// A client with a session at a server without one. The session is ours alone:
// what the client said at its beginning goes with each request, and what the
// server asks for becomes requests to the client on the answer's stream.

// legacy is a client's session that the server knows nothing of.
type legacy struct {
	l link

	mu      sync.Mutex
	level   string
	subs    []string // resources whose changes the client wants to hear of
	changed chan struct{}
	open    map[string]context.CancelCauseFunc // calls by the client's ids
	asked   int                                // questions so far
	tasks   bool                               // the server runs tools as tasks
}

const codeCancelled = "mcp.cancelled"

var errCancelled = fault.New(fault.KindUnavailable, codeCancelled, "the client ended the call")

// initialize begins a session: with the server, where it has them, or with us.
func (x *exchange) initialize(req *http.Request) (*http.Response, error) {
	u := x.c.Upstream
	switch {
	case u.Dialect == "session":
		return x.pass(req)
	case u.Dialect == "stateless":
		l, err := discovered(u, req, &x.p.links.ids)
		if err != nil {
			return nil, err
		}
		return x.ours(req, l)
	case piped(u):
		l, err := x.p.links.of(x, req, x.m.caps.in(x.m.raw), x.m.client.in(x.m.raw))
		if err != nil {
			return nil, err
		}
		return x.ours(req, l)
	}
	resp, err := x.pass(req)
	if err != nil || resp.StatusCode < 400 || resp.StatusCode >= 500 {
		return resp, err
	}
	// It may be a server without sessions, or one of the oldest kind.
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxProbe))
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if l, err := discovered(u, req, &x.p.links.ids); err == nil && speaksModern(append(append([]byte(`{"result":`), l.said...), '}')) {
		return x.ours(req, l)
	}
	resp.Body = io.NopCloser(bytes.NewReader(said))
	x.flow = &flow{ReadCloser: resp.Body, exit: func() {}}
	return resp, nil
}

// ours begins a session that is ours alone.
func (x *exchange) ours(req *http.Request, l link) (*http.Response, error) {
	ses, err := x.p.sessions.open(ownerOf(x.c), revisionOf(x.c))
	if err != nil {
		return nil, err
	}
	version := x.m.version
	if !slices.Contains(sessionVersions, version) {
		version = latestSession
	}
	ses.version, ses.caps, ses.client = version, bytes.Clone(x.m.caps.in(x.m.raw)), bytes.Clone(x.m.client.in(x.m.raw))
	ses.legacy = &legacy{l: l, changed: make(chan struct{}, 1), open: map[string]context.CancelCauseFunc{}}
	said := l.info()
	if l.modern() {
		said, ses.legacy.tasks = asInitialized(said, version)
	} else {
		said = withVersion(said, version)
	}
	resp := x.localResult(req, said)
	resp.Header["Mcp-Session-Id"] = []string{ses.id}
	x.ses = ses
	return resp, nil
}

// withVersion is an InitializeResult with the version that the client asked for:
// the older versions differ in what they know, not in how they say it.
func withVersion(said []byte, version string) []byte {
	var edits []wire.Edit
	c := wire.Inner(said)
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "protocolVersion" {
			from := c.Pos()
			c.Skip()
			edits = append(edits, wire.Edit{From: from, To: c.Pos(), With: quote(version)})
		}
	}
	return wire.Apply(nil, said, edits)
}

// toStateless carries a message of a session that is ours.
func (x *exchange) toStateless(req *http.Request) (*http.Response, error) {
	g, m := x.ses.legacy, x.m
	if atEntry(x.c) {
		return x.behind(req)
	}
	switch {
	case m == nil:
		return x.hearing(req)
	case m.isNotification():
		switch m.method {
		case "notifications/cancelled":
			g.cancel(string(m.request.in(m.raw)))
		case "notifications/initialized":
		default:
			if !g.l.modern() {
				return accepted(req), g.l.tell(req.Context(), req, m.raw)
			}
		}
		return accepted(req), nil
	case m.method == "ping":
		return x.localResult(req, []byte("{}")), nil
	case !g.l.modern():
		return x.across(req, g.l)
	case m.method == "logging/setLevel":
		g.mu.Lock()
		g.level = m.level
		g.mu.Unlock()
		return x.localResult(req, []byte("{}")), nil
	case m.method == "resources/subscribe" || m.method == "resources/unsubscribe":
		if !g.subscribe(m.uri, m.method == "resources/subscribe") {
			return nil, errParams
		}
		return x.localResult(req, []byte("{}")), nil
	case strings.HasPrefix(m.method, "tasks/"):
		return x.taskOfStateless(req, g.l)
	}
	if err := x.wishes(); err != nil {
		return nil, err
	}
	return x.respond(req, func(ctx context.Context, say emit) error { return x.rounds(ctx, req, g.l, say) })
}

// behind carries a request at /mcp to the server that it is for.
func (x *exchange) behind(req *http.Request) (*http.Response, error) {
	of := ownerOf(x.c)
	of.upstream = x.c.Upstream.Name
	l, err := x.p.linkTo(x.c.Upstream, req, of, x.ses.caps, x.ses.client)
	if err != nil {
		return nil, err
	}
	if !l.modern() {
		return x.across(req, l)
	}
	if x.m.method == "resources/subscribe" || x.m.method == "resources/unsubscribe" {
		return nil, errMethod(x.m.method)
	}
	return x.respond(req, func(ctx context.Context, say emit) error { return x.rounds(ctx, req, l, say) })
}

func (g *legacy) subscribe(uri string, on bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.subs, uri)
	switch {
	case on && i < 0:
		if len(g.subs) >= maxSubscribed {
			return false
		}
		g.subs = append(g.subs, uri)
	case !on && i >= 0:
		g.subs = slices.Delete(g.subs, i, i+1)
	default:
		return true
	}
	g.listenAnew()
	return true
}

// listenAnew has the session's own stream ask for other news than before.
func (g *legacy) listenAnew() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

func (g *legacy) cancel(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if end := g.open[id]; end != nil {
		end(errCancelled)
	}
}

// during makes a call one that the client can cancel.
func (g *legacy) during(ctx context.Context, id []byte) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	g.mu.Lock()
	g.open[string(id)] = cancel
	g.mu.Unlock()
	return ctx, func() {
		g.mu.Lock()
		delete(g.open, string(id))
		g.mu.Unlock()
		cancel(nil)
	}
}

// meta is what goes with each request of the session; tasks says that the client
// takes a task for it.
func (n *session) meta(tasks bool) []byte {
	g := n.legacy
	g.mu.Lock()
	defer g.mu.Unlock()
	caps, client := n.caps, n.client
	if len(caps) == 0 {
		caps = []byte("{}")
	}
	if tasks {
		caps = takingTasks(caps)
	}
	out := append([]byte(`"`+keyVersion+`":"`+modernVersion+`","`+keyCaps+`":`), caps...)
	if len(client) > 0 {
		out = append(append(out, `,"`+keyClient+`":`...), client...)
	}
	if g.level != "" {
		out = append(append(out, `,"`+keyLevel+`":`...), quote(g.level)...)
	}
	return out
}

const maxRounds = 20 // times that one request is asked for input

// rounds makes a request as often as the server asks for input.
func (x *exchange) rounds(ctx context.Context, req *http.Request, l link, say emit) error {
	ctx, end := x.ses.legacy.during(ctx, x.m.id)
	defer end()
	var more []byte
	for range maxRounds {
		r, err := x.round(ctx, req, l, more, say)
		switch {
		case err != nil:
			return err
		case r.fault.to != 0:
			return say(answering(r, x.m.id, nil), true)
		}
		asks, state, asking := inputRequired(r.result.in(r.raw))
		if !asking {
			result, err := x.asOld(r.result.in(r.raw))
			if err != nil {
				return err
			}
			return say(answering(r, x.m.id, func([]byte) []byte { return result }), true)
		}
		given, err := x.gather(ctx, asks, say)
		if err != nil {
			return err
		}
		more = nil
		if len(asks) > 0 {
			more = append([]byte(`"inputResponses":`), encoded(given)...)
		}
		if state != nil {
			if len(more) > 0 {
				more = append(more, ',')
			}
			more = append(append(more, `"requestState":`...), state...)
		}
	}
	return fault.New(fault.KindUnavailable, "mcp.rounds", "the server asks for input again and again")
}

// round makes the request once and gives its response.
func (x *exchange) round(ctx context.Context, req *http.Request, l link, more []byte, say emit) (*message, error) {
	req, err := x.withParams(ctx, req, l)
	if err != nil {
		return nil, err
	}
	f, err := l.call(ctx, req, x.m, func(id []byte) []byte { return rewrite(x.m, id, x.ses.meta(x.asTask), more) })
	if err != nil {
		return nil, err
	}
	defer f.end()
	for {
		msg, err := f.next(ctx)
		switch {
		case ended(err):
			return nil, errSilent
		case err != nil:
			return nil, err
		}
		m, err := parse(msg)
		switch {
		case err != nil && (m == nil || m.id == nil):
			return nil, errAnswer.WithCause(err)
		case m.isNotification():
			if err := say(msg, false); err != nil {
				return nil, err
			}
		case m.isRequest(): // none asks so
		case !sameID(m.id, f.id):
			return nil, errForeign
		default:
			return m, nil
		}
	}
}

// inputRequired reads a result that asks for input; asking is false for another.
func inputRequired(result []byte) (asks []pendingAsk, state []byte, asking bool) {
	c := wire.Inner(result)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "resultType":
			asking = c.Text() == "input_required"
		case "requestState":
			state = c.Raw()
		case "inputRequests":
			for in := c.Object(); in.Next(); {
				key := string(in.Key)
				method, params := question(&c)
				asks = append(asks, pendingAsk{key: key, method: method, params: params.in(result)})
			}
		}
	}
	return asks, state, asking
}

// gather asks the client for input, all at once, and waits for its answers.
func (x *exchange) gather(ctx context.Context, asks []pendingAsk, say emit) (map[string]json.RawMessage, error) {
	if len(asks) > maxQuestion {
		return nil, errManyAsks
	}
	type heard struct {
		key string
		m   *message
	}
	answers := make(chan heard, len(asks))
	g := x.ses.legacy
	var ids []string
	defer func() {
		for _, id := range ids {
			x.ses.answered(id) // none waits any more
		}
	}()
	x.reply = func(id, answer []byte) { // the watcher refused it
		if a, ok := x.ses.answered(string(id)); ok {
			if m, err := parse(answer); err == nil {
				a.answer(m)
			}
		}
	}
	for _, q := range asks {
		g.mu.Lock()
		g.asked++
		id := fmt.Sprintf(`"reeve-%d"`, g.asked)
		g.mu.Unlock()
		if err := x.ses.asking(id, ask{method: q.method, answer: func(m *message) { answers <- heard{q.key, m} }}); err != nil {
			return nil, err
		}
		ids = append(ids, id)
		params := q.params
		if len(params) == 0 {
			params = []byte("{}")
		}
		msg := append([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":`), quote(q.method)...)
		if err := say(append(append(append(msg, `,"params":`...), params...), '}'), false); err != nil {
			return nil, err
		}
	}
	out := make(map[string]json.RawMessage, len(asks))
	for range asks {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-x.ses.gone:
			return nil, errSession
		case a := <-answers:
			if a.m.fault.to != 0 {
				return nil, fault.New(fault.KindDenied, "mcp.question_refused", "the client, or policy, refuses what the server asks for")
			}
			out[a.key] = bytes.Clone(a.m.result.in(a.m.raw))
		}
	}
	return out, nil
}

// hearing is the session's own stream: what the server says by itself.
func (x *exchange) hearing(req *http.Request) (*http.Response, error) {
	g := x.ses.legacy
	if !g.l.modern() {
		return x.respond(req, func(ctx context.Context, say emit) error {
			heard, err := g.l.overhear(ctx, req)
			if err != nil {
				return err
			}
			for {
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-x.ses.gone:
					return nil
				case msg := <-heard:
					if err := say(msg, false); err != nil {
						return err
					}
				}
			}
		})
	}
	return x.respond(req, func(ctx context.Context, say emit) error {
		for {
			if err := x.hear(ctx, req, say); err != nil {
				return err
			}
			select {
			case <-x.ses.gone:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			default:
			}
		}
	})
}

// hear listens with what the client wants to hear of now, until that changes.
func (x *exchange) hear(ctx context.Context, req *http.Request, say emit) error {
	g := x.ses.legacy
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-g.changed: // is in what is asked for now
	default:
	}
	g.mu.Lock()
	want := subscription{Tools: true, Prompts: true, Resources: true, URIs: slices.Clone(g.subs)}
	g.mu.Unlock()
	if g.tasks {
		want.Tasks = x.p.tasks.running(x.taskOwner(), x.p.o.Now())
	}
	changed := make(chan struct{})
	go func() {
		select {
		case <-g.changed:
			close(changed)
			cancel()
		case <-x.ses.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	id := []byte(nil)
	f, err := g.l.call(ctx, req, nil, func(own []byte) []byte {
		id = own
		return append(append([]byte(`{"jsonrpc":"2.0","id":`), own...),
			append(append([]byte(`,"method":"subscriptions/listen","params":{"_meta":{`), x.ses.meta(len(want.Tasks) > 0)...), append([]byte(`},"notifications":`), append(encoded(want), `}}`...)...)...)...)
	})
	if err != nil {
		return x.quietly(ctx, changed, err)
	}
	defer f.end()
	for {
		msg, err := f.next(ctx)
		if err != nil {
			return x.quietly(ctx, changed, err)
		}
		m, err := parse(msg)
		switch {
		case err != nil:
			return errAnswer.WithCause(err)
		case m.method == noteTask && m.isNotification():
			if msg = x.asStatus(m, want.Tasks); msg == nil {
				continue
			}
			if err := say(msg, false); err != nil {
				return err
			}
		case m.isNotification() && m.method != "notifications/subscriptions/acknowledged":
			if err := say(msg, false); err != nil {
				return err
			}
		case m.isResponse() && sameID(m.id, id):
			return x.quietly(ctx, changed, io.EOF)
		}
	}
}

// quietly waits where the server says nothing by itself, or ended its stream.
func (x *exchange) quietly(ctx context.Context, changed <-chan struct{}, err error) error {
	select {
	case <-changed:
		return nil
	case <-x.ses.gone:
		return nil
	case <-x.c.Context.Done():
		return context.Cause(x.c.Context)
	default:
	}
	x.p.o.Logger.Debug("a server ended its stream", "upstream", x.c.Upstream.Name, "err", err)
	select {
	case <-changed:
		return nil
	case <-x.ses.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// across carries a request of a session to a server with sessions that is
// reached over a pipe.
func (x *exchange) across(req *http.Request, l link) (*http.Response, error) {
	g := x.ses.legacy
	if x.m.method == "tasks/list" && x.p.children.shareable(x.c.Upstream) {
		return nil, errMethod(x.m.method) // it would list those of all who share the process
	}
	return x.respond(req, func(ctx context.Context, say emit) error {
		ctx, end := g.during(ctx, x.m.id)
		defer end()
		f, err := l.call(ctx, req, x.m, func(id []byte) []byte {
			return wire.Apply(nil, x.m.raw, []wire.Edit{{From: x.m.idAt.from, To: x.m.idAt.to, With: id}})
		})
		if err != nil {
			return err
		}
		defer f.end()
		return x.handOn(ctx, f, say, func(m *message) error { return x.passAsk(ctx, req, l, m, say) })
	})
}

// passAsk hands a server's request on under an id of ours, and its answer back.
func (x *exchange) passAsk(ctx context.Context, req *http.Request, l link, m *message, say emit) error {
	g := x.ses.legacy
	theirs := bytes.Clone(m.id)
	back := func(answer *message) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
		defer cancel()
		msg := wire.Apply(nil, answer.raw, []wire.Edit{{From: answer.idAt.from, To: answer.idAt.to, With: theirs}})
		if err := l.tell(ctx, req, msg); err != nil {
			x.p.o.Logger.Debug("a server did not take an answer", "upstream", x.c.Upstream.Name, "err", err)
		}
	}
	g.mu.Lock()
	g.asked++
	id := fmt.Sprintf(`"reeve-%d"`, g.asked)
	g.mu.Unlock()
	if err := x.ses.asking(id, ask{method: m.method, answer: back}); err != nil {
		return err
	}
	x.reply = func(id, answer []byte) {
		if a, ok := x.ses.answered(string(id)); ok {
			if r, err := parse(answer); err == nil {
				a.answer(r)
			}
		}
	}
	return say(wire.Apply(nil, m.raw, []wire.Edit{{From: m.idAt.from, To: m.idAt.to, With: []byte(id)}}), false)
}
