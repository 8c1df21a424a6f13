package a2a

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
)

// A message that waits for a person is a task of ours, whose id is the
// approval's, in the state input-required. Whoever sent it asks for it (GetTask,
// SubscribeToTask, or a message to it): while it waits, that changes nothing;
// once people agreed, that call forwards what was held and gets the answer, and
// from then on the id stands for the peer's task. What the client says to the
// waiting task is never taken for an agreement.
//
//	SendMessage -- held --> input-required -- agreed, asked for --> the peer's task
//	                              |-- denied, expired, void ------> rejected
//	                              '-- cancelled by the client ----> canceled

// asking is what a call keeps from one proposal to the next, which is made when
// a person edited what is forwarded.
type asking struct {
	asked *request  // by the client, in this call
	held  *original // whose call it continues; nil: its own
	owner Task
}

// original is a held call as it came.
type original struct {
	id      string // of the approval, and of the task
	request approval.Request
	bind    []byte
}

// recall reads a held call, with body as it is to be forwarded.
func (h *original) recall(c *gateway.Call, body []byte, asked *request) (*request, error) {
	old := &gateway.Call{
		Context: c.Context, Upstream: c.Upstream, Caller: c.Caller, Method: h.request.Method, Path: h.request.Path, Query: h.request.Query, Body: body,
		Request: &http.Request{Header: h.request.Header},
	}
	r, err := read(old)
	if err != nil {
		return r, err
	}
	// What differs is only whether the answer is a stream.
	if r.op = opSend; ops[asked.op].streams {
		r.op = opStream
	}
	return r, nil
}

// Wait implements gateway.Waiter: the message becomes a task that waits.
func (p *Protocol) Wait(_ context.Context, w http.ResponseWriter, c *gateway.Call, _ *gateway.Proposal, h gateway.Held, _ <-chan struct{}) (bool, error) {
	s, ok := c.State.(*asking)
	if !ok || s.held != nil || !ops[s.asked.op].sends {
		return false, nil // the door says that it waits
	}
	t := s.owner
	t.Context = s.asked.context
	if t.Context == "" {
		t.Context = h.Approval
	}
	if !p.tasks.claim(ownsHeld, h.Approval, t) {
		return false, nil // joined by another credential: its own retry collects
	}
	text := "A person must agree first: " + h.Reason + ". " + h.Address + " shows it, until " + h.Expires.UTC().Format(time.RFC3339) +
		". Ask for this task again; an answer to it changes nothing."
	x := &exchange{p: p, u: c.Upstream, r: s.asked, c: s.asked, to: iface{wire: wire{httpJSON, era10}}}
	resp, err := x.local(taskJSON(h.Approval, t.Context, "TASK_STATE_INPUT_REQUIRED", text, p.o.Now()))
	if err != nil {
		return false, err
	}
	return true, x.write(w, resp)
}

// taskJSON is a task of ours.
func taskJSON(id, context, state, text string, now time.Time) object {
	return object{
		"id": id, "contextId": context,
		"status": object{
			"state": state, "timestamp": now.UTC().Format("2006-01-02T15:04:05.000Z"),
			"message": object{
				"messageId": id + "-" + state, "taskId": id, "contextId": context, "role": "ROLE_AGENT", "parts": []any{object{"text": text, "mediaType": "text/plain"}},
			},
		},
		"metadata": object{"reeve": object{"approval": id}},
	}
}

// local is an answer of ours, about a task, in the client's words.
func (x *exchange) local(task object) (*http.Response, error) { return x.give(object{"task": task}) }

// give is an answer of ours: a task or a message as 1.0 answers to one.
func (x *exchange) give(result object) (*http.Response, error) {
	v := x.reply(result)
	if x.c.era == era03 {
		var err error
		if v, err = oldResult(x.c.op, v); err != nil {
			return nil, err
		}
	}
	text, err := encode(v)
	if err != nil {
		return nil, err
	}
	resp := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}}
	body := x.envelope(text)
	h := x.headers(resp)
	if ops[x.c.op].streams {
		body = eventOf(body)
	}
	answer := x.response(resp, http.StatusOK, h, body)
	if ops[x.c.op].streams && x.c.binding != gRPC {
		answer.Header.Set("Content-Type", "text/event-stream")
	}
	return answer, nil
}

// write sends an answer that does not pass the door's own way.
func (x *exchange) write(w http.ResponseWriter, resp *http.Response) error {
	h := w.Header()
	for k, v := range resp.Header {
		h[k] = v
	}
	body, err := readAll(resp)
	if err != nil {
		return err
	}
	if x.c.binding != gRPC {
		w.WriteHeader(resp.StatusCode)
		_, err = w.Write(body)
		return err
	}
	a := &grpcAnswer{x: x}
	out, err := a.Next(body)
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(out); err != nil {
		return err
	}
	tail, facts := a.End(nil)
	if facts.Fault != nil {
		return facts.Fault
	}
	for k, v := range a.Trailers() {
		h[http.TrailerPrefix+k] = v
	}
	_, err = w.Write(tail)
	return err
}

// continued is a call about a task that was held. It reports whether there is
// one of that id.
func (p *Protocol) continued(c *gateway.Call, out *gateway.Proposal, r *request, owner Task) (x *exchange, is bool, err error) {
	if r.task == "" || p.o.Approvals == nil {
		return nil, false, nil
	}
	t, ok := p.tasks.get(owner.Upstream, ownsHeld, r.task, owner.Owner)
	if !ok {
		return nil, false, nil
	}
	x = &exchange{p: p, u: c.Upstream, r: r, c: r, owner: owner, alias: t.ID}
	if t.State != "" { // the peer has it: only its name differs
		err := r.about(t.State)
		return x, true, err
	}
	a, ok := p.o.Approvals.Known(c.Context, t.ID)
	if !ok {
		return x, true, errTask
	}
	switch {
	case r.op != opGet && r.op != opSubscribe && r.op != opCancel && !ops[r.op].sends:
		return x, true, errUnable.WithHint("the task waits for a person")
	case a.State == approval.Pending || r.op == opCancel && a.State == approval.Approved:
		return nil, true, p.waiting(out, x, a, t)
	case a.State == approval.Approved, a.State == approval.Executing, a.State == approval.Done, a.State == approval.Taken && p.answers(a):
		return x, true, p.resume(c, out, x, a)
	}
	state := "TASK_STATE_REJECTED"
	if a.State == approval.Unknown {
		state = "TASK_STATE_FAILED"
	}
	p.answered(out, x, taskJSON(t.ID, t.Context, state, "The approval is "+string(a.State)+": "+ended(a), p.o.Now()))
	return nil, true, nil
}

// answers reports whether a person who took a call over gave something for it.
func (p *Protocol) answers(a *approval.Approval) bool {
	_, is, err := p.o.Approvals.Answer(a)
	return is || err != nil // one that cannot be opened is said by whoever gives it
}

func ended(a *approval.Approval) string {
	switch {
	case a.Reason != "":
		return a.Reason
	case a.State == approval.Taken:
		return "a person does this instead"
	}
	return "nothing was forwarded"
}

// waiting answers about a task that waits.
func (p *Protocol) waiting(out *gateway.Proposal, x *exchange, a *approval.Approval, t Task) error {
	if x.r.op != opCancel {
		text := "A person must agree first, until " + a.ExpiresAt.UTC().Format(time.RFC3339) + ". An answer to this task changes nothing."
		p.answered(out, x, taskJSON(t.ID, t.Context, "TASK_STATE_INPUT_REQUIRED", text, p.o.Now()))
		return nil
	}
	p.answered(out, x, taskJSON(t.ID, t.Context, "TASK_STATE_CANCELED", "It was cancelled while it waited for a person.", p.o.Now()))
	answer := out.Forward.RoundTrip
	out.Forward.RoundTrip = func(req *http.Request) (*http.Response, error) {
		if err := p.o.Approvals.Void(req.Context(), a.ID, "a2a.cancelled", "the agent cancelled it"); err != nil && !fault.Is(err, fault.KindConflict) {
			return nil, err
		}
		return answer(req)
	}
	return nil
}

// answered makes a proposal of asking us, not the peer.
func (p *Protocol) answered(out *gateway.Proposal, x *exchange, task object) {
	out.Kind, out.Resource.Effect, out.Rewrites = activity.KindA2A, "read", true
	// Whatever was said to the task, nothing of it is acted on.
	out.Name = opGet.String() + " " + x.u.Name
	out.Args = policy.Args{Readable: true}
	gateway.AddText(&out.Args, "path:operation", []string{opGet.String()})
	out.Forward = &gateway.Forward{Path: "/", RoundTrip: func(req *http.Request) (*http.Response, error) {
		resp, err := x.local(task)
		if err == nil {
			resp.Request = req
		}
		return resp, err
	}}
	out.Answer = x.watch
}

// resume makes a proposal of what was held.
func (p *Protocol) resume(c *gateway.Call, out *gateway.Proposal, x *exchange, a *approval.Approval) error {
	was, err := p.o.Approvals.Original(a)
	if err != nil {
		return err
	}
	h := &original{id: a.ID, request: was}
	first, err := h.recall(c, was.Body, x.c)
	if err != nil {
		return err
	}
	h.bind = bindOf(first)
	now, err := p.o.Approvals.Open(a)
	if err != nil {
		return err
	}
	if x.r, err = h.recall(c, now.Body, x.c); err != nil {
		return err
	}
	out.Collects = a.ID
	c.State = &asking{asked: x.c, held: h, owner: x.owner}
	return nil
}

// bindOf is what an approval of a message is bound to: the message, its version,
// its extensions and other headers that go with it, and how it is to be answered;
// not the call's own id.
func bindOf(r *request) []byte {
	b := append([]byte(r.era.String()), 0)
	b = append(strconv.AppendInt(b, int64(len(r.heads)), 10), 0)
	return append(append(b, r.heads...), r.params...)
}

// headers are those that go with a held message, whoever's call carries it: as
// people agreed to them, in the trace of this call.
func (h *original) headers(now http.Header) http.Header {
	out := make(http.Header, len(h.request.Header)+3)
	maps.Copy(out, h.request.Header)
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
		delete(out, name)
		if v := now[name]; len(v) > 0 {
			out[name] = v
		}
	}
	return out
}

// about puts another task into a request.
func (r *request) about(task string) error {
	v, err := decode(r.params)
	if err != nil {
		return err
	}
	renameTask(v, r.task, task)
	r.task = task
	r.params, err = encode(v)
	return err
}

// renameTask puts one task's id in the place of another wherever a task is named.
func renameTask(v any, from, to string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			renameTask(e, from, to)
		}
	case object:
		for k, e := range v {
			switch e := e.(type) {
			case string:
				if e == from && (k == "id" || k == "taskId") {
					v[k] = to
				}
			case []any:
				if k == "referenceTaskIds" {
					for i := range e {
						if e[i] == from {
							e[i] = to
						}
					}
					continue
				}
				renameTask(e, from, to)
			case object:
				if k != "metadata" && k != "data" {
					renameTask(e, from, to)
				}
			}
		}
	}
}

// reply makes what the client asked for of what the peer answered to the message
// that was held.
func (x *exchange) reply(v any) any {
	if ops[x.c.op].sends || ops[x.c.op].streams {
		return v // a message's own answer, or a stream
	}
	o, _ := v.(object)
	if task, is := o["task"].(object); is {
		return task
	}
	// A message ends what it answers: to whoever asks for a task it is a completed one.
	m, _ := o["message"].(object)
	now := x.p.o.Now()
	if x.p.o.Approvals != nil {
		if a, ok := x.p.o.Approvals.Known(context.Background(), x.alias); ok && !a.EndedAt.IsZero() {
			now = a.EndedAt // as it was answered, however often it is asked for
		}
	}
	of, _ := m["contextId"].(string)
	if of == "" {
		of = x.alias
	}
	t := taskJSON(x.alias, of, "TASK_STATE_COMPLETED", "", now)
	t["status"].(object)["message"] = m
	return t
}
