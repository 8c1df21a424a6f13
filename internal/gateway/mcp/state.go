package mcp

import (
	"bytes"
	"net/http"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// What a sealed state stands for, by its first byte.
const (
	stateNone   = 0 // the server gave none of its own
	stateServer = 1 // the server's own follows
)

// over is what a state of this request is sealed over.
func (x *exchange) over() []byte {
	m := x.m
	name := m.name
	if x.of.name == "uri" {
		name = m.uri
	}
	name += "\x00" + x.c.Upstream.Name // which /mcp chose
	params := m.params.in(m.raw)
	if len(params) == 0 {
		params = []byte("{}")
	}
	// What reads in several ways is bound as it stands.
	if form, err := gateway.Canonical(params, ofThisTry); err == nil {
		params = withoutEmptyMeta(form)
	}
	return bound(ownerOf(x.c), m.method, name, params)
}

// withoutEmptyMeta leaves out of params, in their canonical form, a _meta in which
// nothing is left: an attempt may have none.
func withoutEmptyMeta(form []byte) []byte {
	rest, found := bytes.CutPrefix(form, []byte(`{"_meta":{}`))
	if !found {
		return form
	}
	return append([]byte{'{'}, bytes.TrimPrefix(rest, []byte{','})...)
}

// ofThisTry are the params that differ when a client repeats a request: its
// answers to what it was asked, and where the call belongs in its own records.
func ofThisTry(depth int, in, name string) bool {
	switch depth {
	case 1:
		return name == "requestState" || name == "inputResponses"
	case 2:
		return in == "_meta" && (name == "progressToken" || name == "traceparent" || name == "tracestate" || name == "baggage" || name == keyRetry)
	}
	return false
}

// openState puts the server's own state into a request that brings ours back.
func (x *exchange) openState() error {
	m := x.m
	if m.state.to == 0 && (m.inputs.to == 0 || m.method == "tasks/update") {
		return nil
	}
	if !x.modern || !x.of.asks {
		return errState // nothing was asked, so there is nothing to answer
	}
	if m.state.to == 0 {
		return x.unasked() // the server asks anew, through us
	}
	text := wire.Unquote(m.raw[m.state.from+1 : m.state.to-1])
	var err error
	if x.state, err = x.p.seals.open(text, x.over()); err != nil {
		return err
	}
	if len(x.state.state) == 0 {
		return errState
	}
	if x.state.state[0] == stateHeld {
		return x.unasked()
	}
	edit := wire.Cut(m.raw, m.stateKey, m.state.to)
	if x.state.state[0] == stateServer {
		edit = wire.Edit{From: m.state.from, To: m.state.to, With: quote(string(x.state.state[1:]))}
	}
	x.out = wire.Apply(nil, m.raw, []wire.Edit{edit})
	return nil
}

// unasked takes out of a request what answers a question of ours, which the
// server never asked.
func (x *exchange) unasked() error {
	m := x.m
	if m.inputs.to != 0 {
		next, err := parse(wire.Apply(nil, m.raw, []wire.Edit{wire.Cut(m.raw, m.inputsKey, m.inputs.to)}))
		if err != nil {
			return err
		}
		m = next
	}
	if m.state.to != 0 {
		next, err := parse(wire.Apply(nil, m.raw, []wire.Edit{wire.Cut(m.raw, m.stateKey, m.state.to)}))
		if err != nil {
			return err
		}
		m = next
	}
	x.m, x.out, x.state = m, m.raw, opened{}
	return nil
}

// comesBack takes out of a request what says for which approval it comes back:
// that is between the client and the door.
func (x *exchange) comesBack() error {
	m := x.m
	if m.own.retryAt.to == 0 {
		return nil
	}
	next, err := parse(wire.Apply(nil, m.raw, []wire.Edit{wire.Cut(m.raw, m.own.retryAt.from, m.own.retryAt.to)}))
	if err != nil {
		return err
	}
	x.m, x.out, x.comes = next, next.raw, m.own.retry
	return nil
}

var errTask = fault.New(fault.KindInvalid, "mcp.task", "there is no such task of this caller")

// task puts the server's own name of a task into a request about one of ours.
func (x *exchange) task() error {
	m := x.m
	own, ok := x.p.seals.unmark(m.task, ownerOf(x.c))
	if ok && atEntry(x.c) {
		own, ok = strings.CutPrefix(own, x.c.Upstream.Name+"/")
	}
	if !ok {
		return errTask
	}
	x.out = wire.Apply(nil, x.out, []wire.Edit{{From: m.taskAt.from, To: m.taskAt.to, With: quote(own)}})
	x.own = own
	return nil
}

// tasks puts our names of tasks into what a server says: taskId, task.taskId and
// tasks[].taskId of an object.
func (x *exchange) tasks(object []byte) []byte {
	if !bytes.Contains(object, []byte(`"taskId"`)) {
		return object
	}
	var edits []wire.Edit
	of, at := ownerOf(x.c), ""
	if atEntry(x.c) {
		at = x.c.Upstream.Name + "/" // whose it is
	}
	c := wire.NewCursor(object)
	id := func() {
		from := c.Pos()
		if s, ok := c.Quoted(); ok {
			edits = append(edits, wire.Edit{From: from, To: c.Pos(), With: quote(x.p.seals.mark(at+wire.Unquote(s), of))})
		}
	}
	inside := func() {
		for o := c.Object(); o.Next(); {
			if string(o.Key) == "taskId" {
				id()
			}
		}
	}
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "taskId":
			id()
		case "task":
			inside()
		case "tasks":
			for a := c.Array(); a.Next(); {
				inside()
			}
		}
	}
	if c.End() != nil {
		return object
	}
	return wire.Apply(nil, object, edits)
}

// accepted is the answer to what has none.
func accepted(req *http.Request) *http.Response { return local(req, http.StatusAccepted, "", nil) }

// local is an answer of our own.
func local(req *http.Request, status int, kind string, body []byte) *http.Response {
	resp := &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		ContentLength: int64(len(body)), Body: http.NoBody,
	}
	if kind != "" {
		resp.Header["Content-Type"] = []string{kind}
	}
	if len(body) > 0 {
		resp.Body = readCloser{bytes.NewReader(body)}
	}
	return resp
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
