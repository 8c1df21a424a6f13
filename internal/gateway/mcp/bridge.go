package mcp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// A bridge carries one request of a client to a server of another era, or one
// that is reached in another way. It makes the answer as the client's era has
// it; the door watches it as any other.
//
//	                  server with sessions       server without
//	client with       pass, or over a pipe       toStateless
//	client without    toSessions                 pass, or over a pipe

// emit gives the client a message; last says that it is the response.
type emit func(msg []byte, last bool) error

type emitted struct {
	msg  []byte
	last bool
}

// respond makes an answer of the messages that work gives: one JSON object when
// the response is the first of them, else a stream. work ends with the request.
func (x *exchange) respond(req *http.Request, work func(ctx context.Context, say emit) error) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	s := &events{ctx: ctx, cancel: cancel, said: make(chan emitted), failed: make(chan error, 1), id: x.idBytes(), c: x}
	if x.ses != nil {
		x.ses.enter()
	}
	go func() {
		s.failed <- x.guarded(func() error { return work(ctx, s.say) })
		close(s.said)
		if x.ses != nil {
			x.ses.exit(x.p.o.Now())
		}
	}()
	x.flow = &flow{ReadCloser: s, exit: func() {}}
	if x.streams() {
		return s.stream(req, x.flow), nil
	}
	select {
	case e, ok := <-s.said:
		switch {
		case !ok:
			cancel()
			if err := <-s.failed; err != nil {
				return nil, err
			}
			return nil, errSilent
		case e.last:
			cancel()
			return local(req, statusOf(e.msg, x.modern), "application/json", e.msg), nil
		}
		s.buf = wire.AppendSSE(nil, "message", e.msg)
		return s.stream(req, x.flow), nil
	case <-ctx.Done():
		cancel()
		return nil, context.Cause(ctx)
	}
}

// statusOf is the HTTP status that carries a response: 2026-07-28 has its own
// errors in bad requests.
func statusOf(msg []byte, modern bool) int {
	if !modern || !bytes.Contains(msg, []byte(`"error"`)) {
		return http.StatusOK
	}
	m, err := parse(msg)
	if err != nil || m.fault.to == 0 {
		return http.StatusOK
	}
	c := wire.Inner(m.fault.in(m.raw))
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "code" {
			continue
		}
		switch n, _ := c.Int(); n {
		case codeHeader, codeCapability, codeVersion:
			return http.StatusBadRequest
		}
	}
	return http.StatusOK
}

// streams reports whether the answer is a stream from its beginning.
func (x *exchange) streams() bool { return x.listens() }

func (x *exchange) idBytes() []byte {
	if x.m == nil {
		return nil
	}
	return x.m.id
}

// guarded turns a panic, which is a bug of ours, into an error of this call.
func (x *exchange) guarded(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			x.p.o.Logger.Error("a bridge failed", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return work()
}

// events is the body of a stream that we make.
type events struct {
	c      *exchange
	ctx    context.Context
	cancel context.CancelFunc
	said   chan emitted
	failed chan error
	id     []byte
	buf    []byte
	end    bool
}

func (s *events) say(msg []byte, last bool) error {
	select {
	case s.said <- emitted{msg, last}:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

func (s *events) stream(req *http.Request, body io.ReadCloser) *http.Response {
	resp := local(req, http.StatusOK, "text/event-stream", nil)
	resp.Header["Cache-Control"] = []string{"no-cache, no-transform"}
	resp.Header["X-Accel-Buffering"] = []string{"no"}
	resp.ContentLength, resp.Body = -1, body
	return resp
}

const aliveEvery = 15 * time.Second

// Read implements io.Reader.
func (s *events) Read(b []byte) (int, error) {
	for len(s.buf) == 0 {
		if s.end {
			return 0, io.EOF
		}
		select {
		case e, ok := <-s.said:
			if ok {
				s.buf, s.end = wire.AppendSSE(s.buf[:0], "message", e.msg), e.last
				continue
			}
			s.end = true
			err := <-s.failed
			if err != nil && s.id != nil {
				out, _ := failureOf(fault.From(err), s.c.c.DecisionID())
				s.buf = wire.AppendSSE(s.buf[:0], "message", errorMessage(s.id, out))
			}
		case <-time.After(aliveEvery):
			s.buf = append(s.buf[:0], ":\n\n"...) // keeps those on the way from closing it
		case <-s.ctx.Done():
			return 0, context.Cause(s.ctx)
		}
	}
	n := copy(b, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

// Close implements io.Closer.
func (s *events) Close() error {
	s.cancel()
	return nil
}

// rewrite makes a request of m with another id, own members of _meta taken out,
// and members added to _meta and params. Members are written as "name":value,
// with commas between them.
func rewrite(m *message, id, meta, params []byte) []byte {
	kept := m.otherMeta()
	switch {
	case len(kept) > 0 && len(meta) > 0:
		meta = append(append(append([]byte(nil), kept...), ','), meta...)
	case len(kept) > 0:
		meta = kept
	}
	var edits []wire.Edit
	if m.idAt.to != 0 {
		edits = append(edits, wire.Edit{From: m.idAt.from, To: m.idAt.to, With: id})
	}
	whole := func(meta []byte) []byte { return append(append([]byte("{"), meta...), '}') }
	var first []byte // members at the beginning of params
	if m.meta.to == 0 && len(meta) > 0 {
		first = append(append([]byte(`"_meta":`), whole(meta)...), ',')
	}
	if len(params) > 0 {
		first = append(append(first, params...), ',')
	}
	switch {
	case m.params.to == 0:
		first = bytes.TrimSuffix(first, []byte(","))
		at := bytes.LastIndexByte(m.raw, '}')
		edits = append(edits, wire.Edit{From: at, To: at, With: append(append([]byte(`,"params":{`), first...), '}')})
	case len(first) > 0:
		at := m.params.from + 1
		if len(bytes.TrimSpace(m.raw[at:m.params.to-1])) == 0 {
			first = bytes.TrimSuffix(first, []byte(","))
		}
		edits = append(edits, wire.Edit{From: at, To: at, With: first})
	}
	if m.meta.to != 0 {
		edits = append(edits, wire.Edit{From: m.meta.from, To: m.meta.to, With: whole(meta)})
	}
	sortEdits(edits)
	return wire.Apply(nil, m.raw, edits)
}

// otherMeta is what stands in _meta beside what the eras give another place.
func (m *message) otherMeta() []byte {
	raw := m.meta.in(m.raw)
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	var out []byte
	c := wire.Inner(raw)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case keyVersion, keyCaps, keyClient, keyLevel:
			continue
		}
		from := o.KeyAt
		c.Skip()
		if len(out) > 0 {
			out = append(out, ',')
		}
		out = append(out, raw[from:c.Pos()]...)
	}
	return out
}

// answering is a server's response as the client's request asked for it: with
// its id, and its result as result gives it.
func answering(r *message, id []byte, result func([]byte) []byte) []byte {
	edits := []wire.Edit{{From: r.idAt.from, To: r.idAt.to, With: id}}
	if r.result.to != 0 && result != nil {
		edits = append(edits, wire.Edit{From: r.result.from, To: r.result.to, With: result(r.result.in(r.raw))})
	}
	sortEdits(edits)
	return wire.Apply(nil, r.raw, edits)
}

func sortEdits(e []wire.Edit) {
	for i := 1; i < len(e); i++ {
		for j := i; j > 0 && e[j].From < e[j-1].From; j-- {
			e[j], e[j-1] = e[j-1], e[j]
		}
	}
}

// members are the names that an object has at its top.
func members(object []byte) map[string]bool {
	out := map[string]bool{}
	c := wire.Inner(object)
	for o := c.Object(); o.Next(); {
		out[string(o.Key)] = true
	}
	return out
}

// asModern adds to a result what 2026-07-28 wants in it.
func asModern(method string, result []byte) []byte {
	has := members(result)
	var add []byte
	put := func(name, value string) {
		if !has[name] {
			add = append(append(append(append(append(add, '"'), name...), `":`...), value...), ',')
		}
	}
	put("resultType", `"complete"`)
	switch method {
	case "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read", "server/discover":
		put("ttlMs", "0")
		put("cacheScope", `"private"`)
	}
	if len(add) == 0 {
		return result
	}
	if len(has) == 0 {
		add = bytes.TrimSuffix(add, []byte(","))
	}
	at := bytes.IndexByte(result, '{') + 1
	return append(append(append([]byte(nil), result[:at]...), add...), result[at:]...)
}

// modernError is a JSON-RPC error as 2026-07-28 numbers it.
func modernError(m *message) []byte {
	return bytes.Replace(m.raw, []byte(`-32002`), []byte(`-32602`), 1)
}

// localResult is an answer of our own to the client's request.
func (x *exchange) localResult(req *http.Request, result []byte) *http.Response {
	out := append(append([]byte(`{"jsonrpc":"2.0","id":`), x.m.id...), `,"result":`...)
	return local(req, http.StatusOK, "application/json", append(append(out, result...), '}'))
}

// ended reports whether a flight's error is its ordinary end.
func ended(err error) bool { return err == io.EOF } //nolint:errorlint // one that has io.EOF as its cause is another

// told is what a server says when a call ends that a client gave up.
func cancelled(id []byte) []byte {
	out := append([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`), id...)
	return append(out, `,"reason":"the client ended the call"}}`...)
}
