package mcp

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// Bounds of what a server may send unasked.
const (
	maxNotes     = 5_000 // within one call
	notesSecond  = 200   // on a stream that is listened to
	maxKept      = 64 << 10
	maxErrorText = 300
)

var (
	errAnswer  = fault.New(fault.KindUnavailable, "mcp.answer", "the server's answer cannot be read in one way")
	errForeign = fault.New(fault.KindUnavailable, "mcp.foreign_answer", "the server answers another request than it was asked")
	errTwice   = fault.New(fault.KindUnavailable, "mcp.answered_twice", "the server answers twice")
	errFlood   = fault.New(fault.KindUnavailable, "mcp.flood", "the server sends more notifications than a call may have")
	errSilent  = fault.New(fault.KindUnavailable, "mcp.no_answer", "the server ended its answer without one")
)

// answer watches what comes back for one exchange, in the words of the client's
// era. It is gateway.Answer.
type answer struct {
	x      *exchange
	status int
	stream bool
	begun  bool // the client reads events already, whatever the server sends
	sse    wire.SSE
	buf    []byte // of one that is no stream
	out    []byte
	done   bool // the response was seen
	over   bool // nothing more passes
	notes  int
	second time.Time     // of the notes that are counted on a stream without a call
	rules  *content.Plan // of a stream that is listened to; nil: the door applies them, or there are none
	found  []content.Found
	facts  gateway.Facts
}

// watch begins to watch an answer.
func (x *exchange) watch(status int, h http.Header, _ gateway.Judge) gateway.Answer {
	a := &answer{x: x, status: status, stream: isStream(h), begun: x.c.Begun, sse: wire.SSE{Limit: maxAnswer}}
	a.facts.Usage = activity.NoUsage
	return a
}

// Next implements gateway.Answer.
func (a *answer) Next(piece []byte) ([]byte, error) {
	a.out = a.out[:0]
	switch {
	case a.over:
	case !a.stream:
		if len(a.buf)+len(piece) > maxAnswer {
			a.fail(errAnswer)
			break
		}
		a.buf = append(a.buf, piece...)
	default:
		if err := a.sse.Push(piece, a.event); err != nil {
			a.fail(errAnswer.WithCause(err))
		}
	}
	return a.out, nil
}

// End implements gateway.Answer.
func (a *answer) End(err error) ([]byte, gateway.Facts) {
	a.out = a.out[:0]
	if err == nil && !a.over {
		if a.stream {
			if err := a.sse.End(a.event); err != nil {
				a.fail(errAnswer.WithCause(err))
			}
			if x := a.x; x.modern && !a.done && !a.over && x.m.isRequest() && x.m.method != "subscriptions/listen" {
				a.fail(errSilent) // with sessions the client may come back for the rest
			}
		} else {
			a.whole()
		}
	}
	return a.out, a.facts
}

// whole looks at an answer that is no stream.
func (a *answer) whole() {
	body := bytes.TrimSpace(a.buf)
	if len(body) == 0 {
		if a.x.m != nil && a.x.m.isRequest() && a.status < 300 {
			a.fail(errSilent)
		}
		return
	}
	if a.status >= 400 && body[0] != '{' { // words of an HTTP server
		if a.begun {
			a.fail(fault.New(fault.KindUnavailable, "mcp.status", "the server answers with status %d", a.status))
			return
		}
		a.facts.ErrorType = "http_" + strconv.Itoa(a.status)
		a.out = append(a.out, a.buf...)
		return
	}
	a.message(body, nil)
}

// event looks at an event of a stream.
func (a *answer) event(e *wire.Event) error {
	if a.over {
		return nil
	}
	if len(e.Data) == 0 { // a comment, or an id to resume from
		a.out = a.marked(a.out, e.Raw)
		return nil
	}
	a.message(e.Data, e.Raw)
	return nil
}

// Rules implements gateway.Ruled: on a stream that is listened to they are applied
// message by message. A stream's text would be held back until more of it comes,
// and a message may be the last for long.
func (a *answer) Rules(p *content.Plan) bool {
	if !a.x.listens() {
		return false
	}
	a.rules = p
	return true
}

// Found implements gateway.Ruled.
func (a *answer) Found() []content.Found { return a.found }

// message looks at one message; raw is its event, nil outside of a stream.
func (a *answer) message(b, raw []byte) {
	if a.rules != nil {
		out, found, err := a.rules.Answer(b)
		a.found = append(a.found, found...)
		if err != nil {
			a.blocked(b, fault.From(err))
			return
		}
		b = out
	}
	m, err := parse(b)
	if err != nil && (m.id == nil || m.method != "" || a.status < 400) {
		if a.status >= 400 && m != nil {
			// An error without an id, as transports give it.
			a.error(b)
			a.pass(b, raw)
			return
		}
		a.fail(errAnswer.WithCause(err))
		return
	}
	switch {
	case m.isResponse():
		a.response(m, raw)
	case m.isNotification():
		a.note(m, raw)
	default:
		a.asked(m, raw)
	}
}

// blocked keeps back a message of a stream that is listened to: a notification is
// not told, a response is an error, and a question is answered with one.
func (a *answer) blocked(b []byte, why *fault.Error) {
	m, err := parse(b)
	if err != nil || m.isNotification() {
		return
	}
	out, _ := failureOf(why, a.x.c.DecisionID())
	if m.isResponse() {
		a.pass(errorMessage(m.id, out), nil)
		return
	}
	if a.x.reply != nil {
		a.x.reply(m.id, refusedAnswer(m.method, m.id, why))
	}
}

// response is the server's answer to the request.
func (a *answer) response(m *message, raw []byte) {
	x := a.x
	switch {
	case x.m == nil:
		a.pass(m.raw, raw) // of a stream that was resumed: its events were given in this session
		return
	case a.done:
		a.fail(errTwice)
		return
	case !x.m.isRequest() || !sameID(m.id, x.m.id):
		a.fail(errForeign)
		return
	}
	a.done = true
	if m.fault.to != 0 {
		a.error(m.fault.in(m.raw))
		a.pass(m.raw, raw)
		return
	}
	result := m.result.in(m.raw)
	changed, f := a.result(result)
	switch {
	case f != nil:
		a.done = false
		a.fail(f)
	case changed == nil:
		a.pass(m.raw, raw)
	default:
		a.pass(wire.Apply(nil, m.raw, []wire.Edit{{From: m.result.from, To: m.result.to, With: changed}}), raw)
	}
}

// result looks at a result; changed is nil when it passes as it is.
func (a *answer) result(b []byte) (changed []byte, f *fault.Error) {
	x := a.x
	var kind string
	var wide span // a scope of caching that lets others have this answer
	c := wire.NewCursor(b)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "resultType":
			kind = c.Text()
		case "cacheScope":
			from := c.Pos()
			if c.Text() != "private" {
				wide = span{from: from, to: c.Pos()}
			}
		case "isError":
			if c.True() {
				a.facts.ErrorType = "tool_error"
			}
		case "protocolVersion":
			if v := c.Text(); x.m.method == "initialize" && x.ses != nil {
				x.ses.mu.Lock()
				x.ses.version = v
				x.ses.mu.Unlock()
			}
		default:
			o.Like("resultType", "isError", "protocolVersion", "cacheScope")
		}
	}
	if c.End() != nil {
		return nil, errAnswer.WithCause(c.Err())
	}
	if wide.to != 0 {
		// What the door let this caller have is nobody else's, whatever the server
		// says: another may be shown less, and a cache asks no policy.
		b = wire.Apply(nil, b, []wire.Edit{{From: wide.from, To: wide.to, With: []byte(`"private"`)}})
		changed = b
	}
	switch {
	case kind == "input_required":
		return a.inputs(b)
	case x.m.method == "tasks/get" && x.modern && !x.decided && bytes.Contains(b, []byte(`"inputRequests"`)):
		return a.taskInputs(b, x.own)
	case x.of.list != "" && x.c.Upstream != x.p.nowhere: // the entry's own lists are filtered already
		if shorter, f := x.list(b); f != nil || shorter != nil {
			return shorter, f
		}
		return changed, nil
	}
	if x.m.method == "tools/call" || x.m.method == "resources/read" || x.m.method == "prompts/get" {
		a.facts.Contents = []activity.Content{{Field: activity.ContentResult, Format: "json", From: "result", Raw: bytes.Clone(b[:min(len(b), maxKept)])}}
	}
	if out := x.tasks(b); len(out) != len(b) {
		return out, nil
	}
	return changed, nil
}

// error notes what a JSON-RPC error says.
func (a *answer) error(b []byte) {
	code, text := "", ""
	c := wire.NewCursor(b)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "code":
			if n, ok := c.Int(); ok {
				code = strconv.FormatInt(n, 10)
			}
		case "message":
			text = c.Text()
		case "error":
			for in := c.Object(); in.Next(); {
				if string(in.Key) == "message" {
					text = c.Text()
				}
			}
		}
	}
	a.facts.ErrorType = "jsonrpc_" + code
	a.facts.ErrorMessage = text[:min(len(text), maxErrorText)]
}

// note is a notification of the server's.
func (a *answer) note(m *message, raw []byte) {
	x := a.x
	if !serverNotes[m.method] {
		return // it means nothing to a client
	}
	if m.method == "notifications/tools/list_changed" {
		x.p.catalogue.stale(x.c.Upstream.Name)
	}
	a.notes++
	call := x.m != nil && m.method != "notifications/subscriptions/acknowledged" && x.m.method != "subscriptions/listen"
	switch {
	case call && a.notes > maxNotes:
		a.fail(errFlood)
		return
	case !call:
		now := x.p.o.Now()
		if now.Sub(a.second) >= time.Second {
			a.second, a.notes = now, 1
		}
		if a.notes > notesSecond {
			return // what is left out can be asked for
		}
	}
	if m.method == "notifications/progress" && call && !sameID(m.token.in(m.raw), x.m.own.progress.in(x.m.raw)) {
		return // of another request
	}
	changed, ok := a.noteOfTask(m)
	switch {
	case !ok: // the client hears why when it asks for the task
	case changed != nil:
		a.pass(wire.Apply(nil, m.raw, []wire.Edit{{From: m.params.from, To: m.params.to, With: changed}}), raw)
	default:
		a.pass(m.raw, raw)
	}
}

// pass hands a message on; raw is its event as it came, nil outside of a stream.
func (a *answer) pass(msg, raw []byte) {
	switch {
	case raw == nil && (a.begun || a.stream):
		a.out = wire.AppendSSE(a.out, "message", msg)
		return
	case raw == nil:
		a.out = append(a.out, msg...)
		return
	}
	if bytes.Contains(raw, msg) && (a.x.ses == nil || a.x.ses.legacy != nil) {
		a.out = append(a.out, raw...)
		return
	}
	for _, line := range lines(raw) {
		if field, value, _ := bytes.Cut(line, []byte(":")); string(field) == "id" || string(field) == "retry" {
			a.out = a.field(a.out, field, value)
		}
	}
	a.out = wire.AppendSSE(a.out, "message", msg)
}

// marked appends an event without data, its id as ours.
func (a *answer) marked(dst, raw []byte) []byte {
	if a.x.ses == nil || a.x.ses.legacy != nil {
		return append(dst, raw...)
	}
	for _, line := range lines(raw) {
		field, value, _ := bytes.Cut(line, []byte(":"))
		dst = a.field(dst, field, value)
	}
	return append(dst, '\n')
}

// field appends a line of an event. Ids are marked as given in this session.
func (a *answer) field(dst, field, value []byte) []byte {
	if string(field) == "id" && a.x.ses != nil {
		value = []byte(" " + a.x.ses.tagged(string(bytes.TrimPrefix(value, []byte(" ")))))
	}
	dst = append(append(dst, field...), ':')
	return append(append(dst, value...), '\n')
}

func lines(raw []byte) [][]byte {
	return bytes.FieldsFunc(raw, func(r rune) bool { return r == '\n' || r == '\r' })
}

// fail ends the answer with an error of ours, in the protocol's own shape: what
// the server sends from here on goes nowhere.
func (a *answer) fail(f *fault.Error) {
	a.over = true
	if a.x.abandon != nil {
		a.x.abandon()
	}
	a.facts.ErrorType, a.facts.ErrorMessage = f.Code, f.Message
	if a.x.flow != nil {
		a.x.flow.done = true
	}
	if a.x.m == nil || !a.x.m.isRequest() {
		return
	}
	out, _ := failureOf(f, a.x.c.DecisionID())
	if a.stream || a.begun {
		if !a.done || f == errTwice {
			a.out = wire.AppendSSE(a.out, "message", errorMessage(a.x.m.id, out))
		}
		return
	}
	a.out = append(a.out[:0], errorMessage(a.x.m.id, out)...)
}
