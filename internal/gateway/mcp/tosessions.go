package mcp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// A client of 2026-07-28 at a server with sessions. The server asks within an
// open call and waits; the client gets input_required and repeats its request.
// In between the server's call stays open here, and the client's state names it.

// waits are the calls at servers that wait for what their clients bring.
type waits struct {
	mu  sync.Mutex
	all map[string]*waiting
	of  map[owner]int
}

// waiting is a call at a server that outlives the request that made it.
type waiting struct {
	l      link
	like   *http.Request
	f      *flight
	msgs   chan []byte  // of the server; closed at the end
	err    error        // why, once msgs is closed
	asks   []pendingAsk // that wait for answers
	end    func()       // gives the call up, also at the server when it runs on
	done   bool         // the response was seen
	asTask bool         // it becomes a task
	expire *time.Timer
	of     owner
}

// pendingAsk is a request of the server's that a client is asked by a key.
type pendingAsk struct {
	key    string
	id     []byte // the server's
	method string
	params []byte
}

const (
	maxWaits    = 10_000
	maxWaitsOf  = 64 // of one caller at one upstream
	gatherFor   = 40 * time.Millisecond
	maxQuestion = 32 // that one call asks at once
)

var errManyWaits = fault.New(fault.KindExhausted, "mcp.waiting", "too many calls wait for input")

// toSessions carries a request of 2026-07-28 to a server with sessions.
func (x *exchange) toSessions(req *http.Request) (*http.Response, error) {
	m := x.m
	if m.isNotification() {
		return accepted(req), nil
	}
	if x.state.state != nil {
		return x.resumed(req)
	}
	if x.of.name == "taskId" {
		if t := x.p.tasks.find(taskKey{x.taskOwner(), x.own}, x.p.o.Now()); t != nil {
			return x.taskOfSessions(req, t)
		}
	}
	l, err := x.p.links.of(x, req, m.own.caps.in(m.raw), m.own.client.in(m.raw))
	if err != nil {
		return nil, err
	}
	switch {
	case l.modern():
		return x.straight(req, l)
	case m.method == "server/discover":
		return x.localResult(req, asDiscovered(l.info())), nil
	case m.method == "subscriptions/listen":
		return x.subscribed(req, l)
	case x.of.name == "taskId":
		return nil, errTask
	}
	if err := x.level(req, l); err != nil {
		return nil, err
	}
	if x.asTask, err = x.wants(req, l); err != nil {
		return nil, err
	}
	var wish []byte
	if m = x.m; x.asTask {
		wish = []byte(`"task":{}`)
	}
	w, err := x.begin(req, l, func(id []byte) []byte { return rewrite(m, id, nil, wish) })
	if err != nil {
		return nil, err
	}
	w.asTask = x.asTask
	return x.respond(req, func(ctx context.Context, say emit) error { return x.relay(ctx, w, say) })
}

// begin makes a call that may outlive the request.
func (x *exchange) begin(req *http.Request, l link, build func(id []byte) []byte) (*waiting, error) {
	ctx, leave, err := x.c.Linger()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	like := req.Clone(ctx)
	var f *flight
	made := make(chan error, 1)
	go func() {
		var err error
		f, err = l.call(ctx, like, x.m, build)
		made <- err
	}()
	select {
	case err = <-made:
	case <-req.Context().Done():
		cancel()
		if <-made == nil {
			f.end()
		}
		err = context.Cause(req.Context())
	}
	if err != nil {
		cancel()
		leave()
		return nil, err
	}
	w := &waiting{l: l, like: like, f: f, msgs: make(chan []byte)}
	var once sync.Once
	w.end = func() {
		once.Do(func() {
			cancel()
			f.end()
			leave()
			if !w.done {
				go func() {
					ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
					defer cancel()
					_ = l.tell(ctx, like.WithContext(ctx), cancelled(f.id)) // the server finds out by itself else
				}()
			}
		})
	}
	go func() {
		defer close(w.msgs)
		for {
			msg, err := f.next(ctx)
			if err != nil {
				w.err = err
				return
			}
			select {
			case w.msgs <- msg:
			case <-ctx.Done():
				w.err = context.Cause(ctx)
				return
			}
		}
	}()
	return w, nil
}

// relay hands on what the server says until it answers or asks.
func (x *exchange) relay(ctx context.Context, w *waiting, say emit) error {
	kept := false
	defer func() {
		if !kept {
			w.end()
		}
	}()
	var gather <-chan time.Time // more questions may come with the first
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-gather:
			kept = true
			return x.ask(w, say)
		case msg, ok := <-w.msgs:
			if !ok {
				if ended(w.err) {
					return errSilent
				}
				return w.err
			}
			m, err := parse(msg)
			if err != nil && (m == nil || m.id == nil || m.method != "") {
				return errAnswer.WithCause(err)
			}
			switch {
			case m.isRequest():
				if !x.gathered(w, m) {
					continue
				}
				gather = time.After(gatherFor)
			case m.isNotification():
				if m.method == "notifications/elicitation/complete" || m.method == noteStatus {
					continue // of another form there
				}
				if err := say(msg, false); err != nil {
					return err
				}
			case !sameID(m.id, w.f.id):
				return errForeign
			default:
				w.done = true
				if m.fault.to != 0 {
					m.raw = modernError(m)
				}
				if m.fault.to == 0 && x.asTask {
					result, err := x.created(m.result.in(m.raw))
					if err != nil {
						return err
					}
					return say(x.resultMessage(result), true)
				}
				return say(answering(m, x.m.id, func(r []byte) []byte { return asModern(x.m.method, r) }), true)
			}
		}
	}
}

// gathered takes a question of the server's. One that no client is asked is
// answered here.
func (x *exchange) gathered(w *waiting, m *message) bool {
	var refusal []byte
	switch action, known := serverAsks[m.method]; {
	case m.method == "ping":
		refusal = append(append([]byte(`{"jsonrpc":"2.0","id":`), m.id...), `,"result":{}}`...)
	case !known || action == "" || !x.of.asks || len(w.asks) >= maxQuestion:
		refusal = refusedAnswer(m.method, m.id, errUnknown)
	}
	if refusal != nil {
		x.tell(w, refusal)
		return false
	}
	params := m.params.in(m.raw)
	if len(params) == 0 {
		params = []byte("{}")
	}
	w.asks = append(w.asks, pendingAsk{key: fmt.Sprintf("q%d", len(w.asks)+1), id: m.id, method: m.method, params: params})
	return true
}

func (x *exchange) tell(w *waiting, msg []byte) {
	ctx, cancel := context.WithTimeout(w.like.Context(), 10*time.Second)
	defer cancel()
	if err := w.l.tell(ctx, w.like, msg); err != nil {
		x.p.o.Logger.Debug("a server did not take an answer", "upstream", x.c.Upstream.Name, "err", err)
	}
}

// ask ends the request with input_required; the server's call waits.
func (x *exchange) ask(w *waiting, say emit) error {
	token, err := x.p.waits.keep(ownerOf(x.c), w)
	if err != nil {
		w.end()
		return err
	}
	out := append([]byte(`{"resultType":"input_required","inputRequests":`), requestsOf(w.asks)...)
	out = append(append(append(out, `,"requestState":`...), quote(token)...), '}')
	msg := append(append([]byte(`{"jsonrpc":"2.0","id":`), x.m.id...), `,"result":`...)
	x.abandon = func() { // the client is not asked after all
		if w := x.p.waits.take(token); w != nil {
			w.end()
		}
	}
	return say(append(append(msg, out...), '}'), true)
}

// keep remembers a call that waits; it is given up after a while.
func (s *waits) keep(of owner, w *waiting) (token string, err error) {
	token = rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.of = map[string]*waiting{}, map[owner]int{}
	}
	if len(s.all) >= maxWaits || s.of[of] >= maxWaitsOf {
		return "", errManyWaits
	}
	w.of = of
	s.all[token] = w
	s.of[of]++
	w.expire = time.AfterFunc(sealFor, func() {
		if s.take(token) != nil {
			w.end()
		}
	})
	return token, nil
}

// take gives the call that waits, once; nil when there is none.
func (s *waits) take(token string) *waiting {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.all[token]
	if w == nil {
		return nil
	}
	delete(s.all, token)
	if s.of[w.of]--; s.of[w.of] <= 0 {
		delete(s.of, w.of)
	}
	w.expire.Stop()
	return w
}

// end gives up all that wait.
func (s *waits) end() {
	s.mu.Lock()
	tokens := slices.Collect(maps.Keys(s.all))
	s.mu.Unlock()
	for _, token := range tokens {
		if w := s.take(token); w != nil {
			w.end()
		}
	}
}

// resumed goes on with a call that waits for what the client brings now.
func (x *exchange) resumed(req *http.Request) (*http.Response, error) {
	if x.state.state[0] != stateServer {
		return nil, errState
	}
	w := x.p.waits.take(string(x.state.state[1:]))
	if w == nil {
		return nil, errState
	}
	x.asTask = w.asTask
	var given map[string]json.RawMessage
	if raw := x.m.inputs.in(x.m.raw); len(raw) > 0 && json.Unmarshal(raw, &given) != nil {
		w.end()
		return nil, errParams
	}
	var left []pendingAsk
	for _, q := range w.asks {
		if len(given[q.key]) == 0 {
			left = append(left, q)
			continue
		}
		msg := append(append([]byte(`{"jsonrpc":"2.0","id":`), q.id...), `,"result":`...)
		x.tell(w, append(append(msg, given[q.key]...), '}'))
	}
	w.asks = left
	return x.respond(req, func(ctx context.Context, say emit) error {
		if len(left) > 0 {
			return x.ask(w, say) // what is missing is asked for again
		}
		return x.relay(ctx, w, say)
	})
}

// level tells the server how much it shall log, when this request says so.
func (x *exchange) level(req *http.Request, l link) error {
	h, ok := l.(*httpLink)
	if !ok || x.m.own.level == "" {
		return nil
	}
	h.mu.Lock()
	same := h.level == x.m.own.level
	h.level = x.m.own.level
	h.mu.Unlock()
	if same {
		return nil
	}
	f, err := l.call(req.Context(), req, x.m, func(id []byte) []byte {
		return append(append(append([]byte(`{"jsonrpc":"2.0","id":`), id...), `,"method":"logging/setLevel","params":{"level":`...), append(quote(x.m.own.level), `}}`...)...)
	})
	if err != nil {
		return err
	}
	defer f.end()
	_, err = f.next(req.Context())
	if ended(err) {
		err = nil
	}
	return err
}

// subscription is what a client wants to hear.
type subscription struct {
	Tools     bool     `json:"toolsListChanged,omitempty"`
	Prompts   bool     `json:"promptsListChanged,omitempty"`
	Resources bool     `json:"resourcesListChanged,omitempty"`
	URIs      []string `json:"resourceSubscriptions,omitempty"`
	Tasks     []string `json:"taskIds,omitempty"`
}

const maxSubscribed = 1000

// wanted reads what a subscription asks for, without what the caller may not
// read.
func (x *exchange) wanted() (s subscription, f *fault.Error) {
	if raw := x.m.notes.in(x.m.raw); len(raw) > 0 && json.Unmarshal(raw, &s) != nil || len(s.URIs) > maxSubscribed || len(s.Tasks) > maxTasksOf {
		return s, errParams
	}
	ask := x.c.Asker("read_source")
	var may []string
	for _, uri := range s.URIs {
		if ask.Would(x.c.Upstream, sourceOf(x.c.Upstream, uri)).Verdict != deny {
			may = append(may, uri)
		}
	}
	s.URIs = may
	return s, nil
}

// subscribed hands on what a server with sessions says by itself.
func (x *exchange) subscribed(req *http.Request, l link) (*http.Response, error) {
	want, f := x.wanted()
	if f != nil {
		return nil, f
	}
	news := x.newsOf(req, l, &want)
	x.decided = true // what tasks wait for, where it is asked of their server
	return x.respond(req, func(ctx context.Context, say emit) error {
		ctx, cancel := context.WithCancel(ctx)
		heard, done, err := overhearAll(ctx, req, l, news)
		defer done()
		defer cancel()
		if err != nil {
			return err
		}
		if err := say(x.subscriptionNote("notifications/subscriptions/acknowledged", `"notifications":`+string(encoded(want))), false); err != nil {
			return err
		}
		for _, uri := range want.URIs {
			if err := x.subscribe(ctx, req, l, "resources/subscribe", uri); err != nil {
				return err
			}
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			for _, uri := range want.URIs {
				_ = x.subscribe(ctx, req.WithContext(ctx), l, "resources/unsubscribe", uri) // nobody listens any more
			}
		}()
		for {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case msg := <-heard:
				m, err := parse(msg)
				if err != nil || !m.isNotification() {
					continue
				}
				if t, ok := news[m.task]; ok && m.method == noteStatus {
					if err := x.tellTask(ctx, req, t, say); err != nil {
						return err
					}
					continue
				}
				if !want.has(m) {
					continue
				}
				if err := say(rewrite(m, nil, append([]byte(`"`+keySub+`":`), x.m.id...), nil), false); err != nil {
					return err
				}
			}
		}
	})
}

// has reports whether a notification is of what was asked for.
func (s *subscription) has(m *message) bool {
	switch m.method {
	case "notifications/tools/list_changed":
		return s.Tools
	case "notifications/prompts/list_changed":
		return s.Prompts
	case "notifications/resources/list_changed":
		return s.Resources
	case "notifications/resources/updated":
		for _, uri := range s.URIs {
			if uri == m.uri || strings.HasPrefix(m.uri, uri) {
				return true
			}
		}
	}
	return false
}

func (x *exchange) subscriptionNote(method, params string) []byte {
	out := append([]byte(`{"jsonrpc":"2.0","method":"`+method+`","params":{"_meta":{"`+keySub+`":`), x.m.id...)
	return append(append(append(out, `},`...), params...), `}}`...)
}

func (x *exchange) subscribe(ctx context.Context, like *http.Request, l link, method, uri string) error {
	f, err := l.call(ctx, like, x.m, func(id []byte) []byte {
		out := append(append([]byte(`{"jsonrpc":"2.0","id":`), id...), `,"method":"`+method+`","params":{"uri":`...)
		return append(append(out, quote(uri)...), `}}`...)
	})
	if err != nil {
		return err
	}
	defer f.end()
	if _, err = f.next(ctx); ended(err) {
		err = nil
	}
	return err
}

// straight carries a request to a server of the client's own era that is not
// reached by HTTP.
func (x *exchange) straight(req *http.Request, l link) (*http.Response, error) {
	return x.respond(req, func(ctx context.Context, say emit) error {
		f, err := l.call(ctx, req, x.m, func(id []byte) []byte {
			n, err := parse(x.out)
			if err != nil { // it was read before its state was put in
				return x.out
			}
			return wire.Apply(nil, n.raw, []wire.Edit{{From: n.idAt.from, To: n.idAt.to, With: id}})
		})
		if err != nil {
			return err
		}
		defer f.end()
		return x.handOn(ctx, f, say, nil)
	})
}

// handOn gives the client what comes for its request, with its own id.
func (x *exchange) handOn(ctx context.Context, f *flight, say emit, asked func(*message) error) error {
	for {
		msg, err := f.next(ctx)
		switch {
		case ended(err):
			return errSilent
		case err != nil:
			return err
		}
		m, err := parse(msg)
		switch {
		case err != nil:
			return errAnswer.WithCause(err)
		case m.isRequest() && asked != nil:
			if err := asked(m); err != nil {
				return err
			}
		case m.isRequest():
			// A server without sessions asks nothing on its own.
		case m.isNotification():
			if err := say(msg, false); err != nil {
				return err
			}
		case !sameID(m.id, f.id):
			return errForeign
		default:
			return say(answering(m, x.m.id, nil), true)
		}
	}
}
