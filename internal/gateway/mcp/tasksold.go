package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Tasks of a server with sessions, for a client of 2026-07-28.

// wants prepares a call of a tool at a server that runs tools as tasks: task says
// that it is made one.
func (x *exchange) wants(req *http.Request, l link) (task bool, err error) {
	if x.m.method != "tools/call" {
		return false, nil
	}
	if x.m, err = x.m.withoutTask(); err != nil || !hasTasks(l.info()) {
		return false, err
	}
	of, known := x.p.params.of(x.c.Upstream.Name, x.m.name)
	if !known {
		x.p.relist(req.Context(), req, x.c.Upstream.Name, l, nil)
		of, _ = x.p.params.of(x.c.Upstream.Name, x.m.name)
	}
	takes := takesTasks(x.m.own.caps.in(x.m.raw))
	if of.tasks == "required" && !takes {
		return false, errTasksWanted
	}
	return takes && (of.tasks == "required" || of.tasks == "optional"), nil
}

// created is the server's new task as the client gets it.
func (x *exchange) created(result []byte) ([]byte, error) {
	var r struct {
		Task json.RawMessage `json:"task"`
	}
	if json.Unmarshal(result, &r) != nil || len(r.Task) == 0 {
		return asModern(x.m.method, result), nil // it was done at once
	}
	f, err := readTask(r.Task)
	if err != nil {
		return nil, err
	}
	now := x.p.o.Now()
	t := &task{
		key: taskKey{x.taskOwner(), f.ID}, until: now.Add(life(f.TTL)),
		caps: bytes.Clone(x.m.own.caps.in(x.m.raw)), client: bytes.Clone(x.m.own.client.in(x.m.raw)),
	}
	if err := x.p.tasks.put(t, now); err != nil {
		return nil, err
	}
	f.modern()
	f.Type = "task"
	return encoded(f), nil
}

// taskOwner is whom a task belongs to at its server, also when it was asked for
// at the one entry.
func (x *exchange) taskOwner() owner {
	of := ownerOf(x.c)
	of.upstream = x.c.Upstream.Name
	return of
}

// taskOfSessions answers a request about a task.
func (x *exchange) taskOfSessions(req *http.Request, t *task) (*http.Response, error) {
	l, err := x.p.links.of(x, req, t.caps, t.client)
	if err != nil {
		return nil, err
	}
	x.decided = true
	return x.respond(req, func(ctx context.Context, say emit) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		var msg []byte
		var err error
		switch x.m.method {
		case "tasks/get":
			msg, err = x.getOld(ctx, req, l, t)
		case "tasks/cancel":
			msg, err = x.cancelOld(ctx, req, l, t)
		default:
			msg, err = x.updateOld(t)
		}
		if err != nil {
			return err
		}
		return say(msg, true)
	})
}

// resultMessage is a response with a result.
func (x *exchange) resultMessage(result []byte) []byte {
	out := append(append([]byte(`{"jsonrpc":"2.0","id":`), x.m.id...), `,"result":`...)
	return append(append(out, result...), '}')
}

// getOld asks for a task, and for what came of it or what it waits for.
func (x *exchange) getOld(ctx context.Context, req *http.Request, l link, t *task) ([]byte, error) {
	f, failed, err := x.detail(ctx, req, l, t)
	if failed != nil || err != nil {
		return failed, err
	}
	f.Type = "complete"
	return x.resultMessage(encoded(f)), nil
}

// detail is a task as 2026-07-28 tells of it; failed is the error that the server
// answers with, nil for none. t.mu is held.
func (x *exchange) detail(ctx context.Context, req *http.Request, l link, t *task) (f taskFields, failed []byte, err error) {
	m, err := x.once(ctx, req, l, func(id []byte) []byte { return about(id, "tasks/get", t.key.id, nil, nil) })
	switch {
	case err != nil:
		return f, nil, err
	case m.fault.to != 0:
		m.raw = modernError(m)
		return f, answering(m, x.m.id, nil), nil
	}
	if f, err = readTask(m.result.in(m.raw)); err != nil {
		return f, nil, err
	}
	f.modern()
	switch f.Status {
	case "input_required":
		if err := x.questions(ctx, req, l, t); err != nil {
			return f, nil, err
		}
		if f.Status = "working"; len(t.asks) > 0 { // else it was answered, and goes on
			f.Status, f.Requests = "input_required", requestsOf(t.asks)
		}
	case "completed", "failed":
		if err := x.outcome(ctx, req, l, t, &f); err != nil {
			return f, nil, err
		}
	}
	return f, nil, nil
}

// outcome puts into a task what came of it. A tool that says itself that it failed
// is a task that was completed.
func (x *exchange) outcome(ctx context.Context, req *http.Request, l link, t *task, f *taskFields) error {
	m := t.final
	for m == nil && t.w != nil {
		if err := x.hearTask(ctx, t, nil); err != nil {
			return err
		}
		m = t.final
	}
	if m == nil {
		var err error
		if m, err = x.once(ctx, req, l, func(id []byte) []byte { return about(id, "tasks/result", t.key.id, nil, nil) }); err != nil {
			return err
		}
	}
	switch {
	case m.fault.to != 0:
		f.Status, f.Error = "failed", bytes.Clone(m.fault.in(m.raw))
	case f.Status == "failed" && !isToolError(m.result.in(m.raw)):
		f.Error = encoded(failure{Code: codeInternal, Message: "the task failed"})
	default:
		f.Status, f.Result = "completed", asModern("tools/call", unrelated(m.result.in(m.raw)))
	}
	return nil
}

func isToolError(result []byte) bool {
	var r struct {
		IsError bool `json:"isError"`
	}
	return json.Unmarshal(result, &r) == nil && r.IsError
}

// questions opens the stream on which the server asks, and waits for the first
// question when none is known.
func (x *exchange) questions(ctx context.Context, req *http.Request, l link, t *task) error {
	if t.final != nil {
		return nil
	}
	if t.w == nil {
		w, err := x.begin(req, l, func(id []byte) []byte { return about(id, "tasks/result", t.key.id, nil, nil) })
		if err != nil {
			return err
		}
		t.w = w
	}
	wait := firstAsk
	if len(t.asks) > 0 {
		wait = 0
	}
	for {
		before := len(t.asks)
		timer := time.NewTimer(wait)
		err := x.hearTask(ctx, t, timer.C)
		timer.Stop()
		if err != nil || t.w == nil || len(t.asks) == before {
			return err
		}
		wait = gatherFor // more may come with the first
	}
}

// hearTask takes one question of the server's, or its response; until is when it
// stops to wait, nil for never.
func (x *exchange) hearTask(ctx context.Context, t *task, until <-chan time.Time) error {
	for {
		select {
		case msg, ok := <-t.w.msgs:
			if !ok {
				t.w.end()
				t.w = nil
				return nil
			}
			m, err := parse(msg)
			switch {
			case err != nil:
				return errAnswer.WithCause(err)
			case m.isNotification():
			case m.isRequest():
				if x.taskAsks(t, m) {
					return nil
				}
			default:
				if !sameID(m.id, t.w.f.id) {
					return errForeign
				}
				t.w.done = true
				t.final = m
				t.w.end()
				t.w, t.asks = nil, nil
				return nil
			}
		case <-until:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// taskAsks decides a question about a task; false when it was refused, which the
// server hears at once.
func (x *exchange) taskAsks(t *task, m *message) bool {
	params := unrelated(m.params.in(m.raw))
	if len(params) == 0 {
		params = []byte("{}")
	}
	var refusal []byte
	switch action, known := serverAsks[m.method]; {
	case m.method == "ping":
		refusal = append(append([]byte(`{"jsonrpc":"2.0","id":`), m.id...), `,"result":{}}`...)
	case !known || action == "" || len(t.asks) >= maxQuestion:
		refusal = refusedAnswer(m.method, m.id, errUnknown)
	default:
		changed, f := x.question(m.method, params)
		if f != nil {
			refusal = refusedAnswer(m.method, m.id, f)
		} else if changed != nil {
			params = changed
		}
	}
	if refusal != nil {
		x.tell(t.w, refusal)
		return false
	}
	t.asked++
	t.asks = append(t.asks, pendingAsk{key: fmt.Sprintf("q%d", t.asked), id: m.id, method: m.method, params: params})
	return true
}

// requestsOf are questions as 2026-07-28 has them.
func requestsOf(asks []pendingAsk) []byte {
	out := []byte{'{'}
	for i, q := range asks {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, quote(q.key)...), `:{"method":`...)
		out = append(append(append(out, quote(q.method)...), `,"params":`...), q.params...)
		out = append(out, '}')
	}
	return append(out, '}')
}

// updateOld gives the server what the client brings for its questions. What
// nobody asked for is as nothing.
func (x *exchange) updateOld(t *task) ([]byte, error) {
	var given map[string]json.RawMessage
	if raw := x.m.inputs.in(x.m.raw); len(raw) > 0 && json.Unmarshal(raw, &given) != nil {
		return nil, errParams
	}
	t.asks = slices.DeleteFunc(t.asks, func(q pendingAsk) bool {
		answer := given[q.key]
		if len(answer) == 0 || t.w == nil {
			return false
		}
		msg := append(append([]byte(`{"jsonrpc":"2.0","id":`), q.id...), `,"result":`...)
		x.tell(t.w, append(append(msg, answer...), '}'))
		return true
	})
	return x.resultMessage([]byte(`{"resultType":"complete"}`)), nil
}

// cancelOld ends a task. One that is over already is no error to this era.
func (x *exchange) cancelOld(ctx context.Context, req *http.Request, l link, t *task) ([]byte, error) {
	ask := func(method string) (*message, error) {
		return x.once(ctx, req, l, func(id []byte) []byte { return about(id, method, t.key.id, nil, nil) })
	}
	m, err := ask("tasks/cancel")
	if err == nil && m.fault.to != 0 {
		var now *message
		if now, err = ask("tasks/get"); err == nil {
			if f, wrong := readTask(now.result.in(now.raw)); wrong != nil || !f.over() {
				m.raw = modernError(m)
				return answering(m, x.m.id, nil), nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if t.w != nil {
		t.w.end()
		t.w, t.asks = nil, nil
	}
	return x.resultMessage([]byte(`{"resultType":"complete"}`)), nil
}

// withTasks is a DiscoverResult's capabilities with the extension of tasks, which
// a server with sessions calls otherwise.
func withTasks(capabilities map[string]json.RawMessage) {
	extensions := map[string]json.RawMessage{}
	_ = json.Unmarshal(capabilities["extensions"], &extensions) // none, or of another form: it is replaced
	if extensions == nil {
		extensions = map[string]json.RawMessage{}
	}
	extensions[keyTasks] = json.RawMessage("{}")
	capabilities["extensions"] = encoded(extensions)
}
