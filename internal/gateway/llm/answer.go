package llm

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// The memory that one answer may take.
const (
	maxKept  = 1 << 20  // of its content, for the step
	maxEvent = 4 << 20  // of one event, while it arrives
	maxHeld  = 8 << 20  // of events that a judge has yet to see
	maxWhole = 16 << 20 // of an answer that is not streamed and that a judge has to see
	maxCalls = 256      // tool calls, choices or blocks
)

// family is one wire shape of a model's answers: what the events and members
// mean, whatever framing carries them. It is made for one answer.
type family interface {
	// event reads one event of a stream, and lets it pass, holds it or puts
	// others in its place.
	event(w *watcher, ev *wire.Event) error
	// done is called when a stream ended whole.
	done(w *watcher) error
	// member reads a member of an answer that is one JSON object.
	member(w *watcher, key, value []byte)
	// rewrite judges the tool calls of such an answer, and gives the body to send.
	rewrite(w *watcher, body []byte) ([]byte, error)
	// contents is what a stream said, put together.
	contents() []activity.Content
}

// framing cuts a stream into events and puts events into its form.
type framing interface {
	Push(piece []byte, each func(*wire.Event) error) error
	End(each func(*wire.Event) error) error
	// put appends an event with the name and data, in the manner of like.
	put(dst []byte, like *wire.Event, name string, data []byte) []byte
}

// watcher is a gateway.Answer. It has one of four ways: passing looks at
// nothing; picking takes members out of one JSON object as it passes; a framing
// reads events, and with a judge lets them pass itself; gathering keeps one JSON
// object back for the judge.
type watcher struct {
	now    func() time.Time
	judge  gateway.Judge
	family family
	split  framing
	pick   *wire.Fields
	gather bool
	sieve  *sieve // nil: no content rules are applied here
	blind  bool   // the family cannot read on

	facts gateway.Facts
	usage activity.Usage // of headers and metrics, where the answer itself has none
	out   []byte
	body  []byte
	held  []wire.Event
	holds int // bytes of held
	kept  int // bytes of content
	each  func(*wire.Event) error
	fault *fault.Error // why nothing more may pass
}

var (
	errEncoded = fault.New(fault.KindUnavailable, "llm.answer_encoded", "the provider's answer is compressed, and tool calls in it cannot be decided")
	errKind    = fault.New(fault.KindUnavailable, "llm.answer_unreadable", "the provider's answer has a form in which tool calls cannot be decided")
	errBroken  = fault.New(fault.KindUnavailable, "llm.answer_broken", "the provider's answer is broken, and tool calls in it cannot be decided")
	errLarge   = fault.New(fault.KindUnavailable, "llm.answer_too_large", "the provider's answer is larger than may be kept back to decide on its tool calls")
)

// errStrange is an answer that says one thing in two ways.
var errStrange = errors.New("an answer that readers would understand differently")

// watch makes what looks at an answer.
func (p *Protocol) watch(r *request, status int, h http.Header, judge gateway.Judge) gateway.Answer {
	w := &watcher{now: p.now, judge: judge, facts: gateway.Facts{Usage: activity.NoUsage}, usage: headerUsage(h)}
	w.each = func(ev *wire.Event) error { return w.family.event(w, ev) }
	good := status >= 200 && status < 300
	switch {
	case good && r.op.answer != nil:
		w.family = r.op.answer(r)
	default:
		// Errors propose nothing, and neither do lists of models.
		w.family, w.judge = &plain{}, nil
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	switch e := strings.Join(h["Content-Encoding"], ","); {
	case e != "" && !strings.EqualFold(e, "identity"):
		w.refuse(errEncoded)
	case len(h["Content-Type"]) > 1:
		w.refuse(errKind) // readers differ in which one counts
	case w.judge != nil && r.shape == "closed":
		w.refuse(errKind)
	case good && kind == "text/event-stream":
		w.split = &serverSent{wire.SSE{Limit: maxEvent}}
	case good && kind == "application/vnd.amazon.eventstream" && r.op.endpoint == "invoke":
		w.split = &chunks{Frames: wire.Frames{Limit: maxEvent}}
	case good && kind == "application/vnd.amazon.eventstream":
		w.split = &frames{wire.Frames{Limit: maxEvent}}
	case kind != "application/json" && !strings.HasSuffix(kind, "+json"):
		w.refuse(errKind)
	case good && r.stream && r.dialect == &gemini:
		w.split = &elements{wire.Elements{Limit: maxEvent}}
	case w.judge != nil:
		w.gather = true
	default:
		w.pick = &wire.Fields{Want: wanted, Each: func(key, value []byte, cut bool) {
			if !cut {
				w.family.member(w, key, value)
			}
		}}
	}
	return w
}

// wanted are the members of answers that say something about them.
func wanted(key []byte) int {
	switch string(key) {
	case "choices", "output", "content", "candidates", "message":
		return maxKept
	case "id", "model", "usage", "usageMetadata", "modelVersion", "responseId", "stop_reason", "stopReason", "error", "status", "incomplete_details", "type",
		"promptFeedback", "inputTextTokenCount", "__type", "Message":
		return 64 << 10
	}
	return 0
}

// refuse notes that a judge cannot see the answer. Without one it passes and
// nobody looks.
func (w *watcher) refuse(f *fault.Error) {
	if w.judge != nil {
		w.fault = f
	}
}

// Next lets a piece pass.
func (w *watcher) Next(piece []byte) ([]byte, error) {
	switch {
	case w.fault != nil:
		return nil, w.fault
	case w.gather:
		if len(w.body)+len(piece) > maxWhole {
			w.fault, w.body = errLarge, nil
			return nil, errLarge
		}
		w.body = append(w.body, piece...)
		return nil, nil
	case w.pick != nil:
		w.pick.Push(piece)
		return piece, nil
	case w.split == nil:
		return piece, nil
	}
	w.out = w.out[:0]
	err := w.split.Push(piece, w.each)
	if !w.changes() {
		if err != nil {
			w.split = nil // what cannot be read passes all the same
		}
		return piece, nil
	}
	if err != nil {
		return nil, w.stop(err)
	}
	return w.out, nil
}

// stop ends what may pass.
func (w *watcher) stop(err error) *fault.Error {
	if w.fault != nil {
		return w.fault
	}
	w.held, w.body = nil, nil
	var f *fault.Error
	switch {
	case errors.As(err, &f): // a rule says so
		w.fault = f
	case errors.Is(err, wire.ErrLarge):
		w.fault = errLarge.WithCause(err)
	case w.judge == nil:
		w.fault = content.Unreadable("broken").WithCause(err)
	default:
		w.fault = errBroken.WithCause(err)
	}
	return w.fault
}

// End gives what was held back and the facts.
func (w *watcher) End(err error) ([]byte, gateway.Facts) {
	w.out = w.out[:0]
	var rest []byte
	switch {
	case err != nil || w.fault != nil:
	case w.gather:
		rest = w.whole()
	case w.split != nil:
		e := w.split.End(w.each)
		if e == nil && w.sieve != nil {
			e = w.sieve.done()
		}
		if e == nil {
			if e = w.family.done(w); w.judge == nil {
				e = nil // nothing has to be read to its end
			}
		}
		switch {
		case !w.changes():
		case e != nil:
			w.stop(e)
		default:
			rest = w.out
		}
	}
	w.facts.Fault = w.fault
	if w.split != nil {
		w.facts.Contents = append(w.facts.Contents, w.family.contents()...)
	}
	u, v := &w.facts.Usage, &w.usage
	for _, n := range []struct{ to, from *int64 }{
		{&u.InputTotal, &v.InputTotal}, {&u.CacheRead, &v.CacheRead}, {&u.CacheWrite, &v.CacheWrite}, {&u.OutputTotal, &v.OutputTotal},
	} {
		if *n.to < 0 {
			*n.to = *n.from
		}
	}
	return rest, w.facts
}

// whole judges an answer that is one JSON object.
func (w *watcher) whole() []byte {
	if len(w.body) == 0 {
		return nil
	}
	c := wire.NewCursor(w.body)
	if c.Kind() != '{' {
		w.stop(wire.ErrSyntax)
		return nil
	}
	for o := c.Object(); o.Next(); {
		key := o.Key
		if wanted(key) > 0 {
			w.family.member(w, key, c.Raw())
		}
	}
	if err := c.End(); err != nil {
		w.stop(err)
		return nil
	}
	body, err := w.family.rewrite(w, w.body)
	if err != nil {
		w.stop(err)
		return nil
	}
	return body
}

// pass lets an event go on, before those that are held.
func (w *watcher) pass(ev *wire.Event) {
	if w.judge != nil {
		w.out = append(w.out, ev.Raw...)
	}
}

// put sends an event of ours in the manner of like.
func (w *watcher) put(like *wire.Event, name string, data []byte) {
	if w.judge != nil {
		w.out = w.split.put(w.out, like, name, data)
	}
}

// hold keeps an event back.
func (w *watcher) hold(ev *wire.Event) error {
	if w.judge == nil {
		return nil
	}
	size := len(ev.Raw) + len(ev.Data) + len(ev.Headers)
	if w.holds += size; w.holds > maxHeld {
		return wire.ErrLarge
	}
	w.held = append(w.held, kept(ev))
	return nil
}

// kept is an event whose bytes stay.
func kept(ev *wire.Event) wire.Event {
	own := *ev
	buf := make([]byte, 0, len(ev.Raw)+len(ev.Data)+len(ev.Headers))
	own.Raw, buf = save(buf, ev.Raw)
	own.Data, buf = save(buf, ev.Data)
	own.Headers, _ = save(buf, ev.Headers)
	return own
}

func save(buf, b []byte) (own, rest []byte) {
	n := len(buf)
	buf = append(buf, b...)
	return buf[n:len(buf):len(buf)], buf
}

// release lets all that is held go on.
func (w *watcher) release() {
	for i := range w.held {
		w.pass(&w.held[i])
	}
	w.drop()
}

// drop forgets all that is held.
func (w *watcher) drop() { w.held, w.holds = w.held[:0], 0 }

// ask judges a tool call; nil lets it pass. Without a judge it only notes it.
func (w *watcher) ask(t gateway.ToolCall) *fault.Error {
	if len(w.facts.ToolCalls) < maxCalls {
		w.facts.ToolCalls = append(w.facts.ToolCalls, t)
	}
	if w.judge == nil {
		return nil
	}
	return w.judge(t)
}

// token notes the time of the first word.
func (w *watcher) token() {
	if w.facts.FirstToken.IsZero() {
		w.facts.FirstToken = w.now()
	}
}

// keep appends content to dst as long as there is room.
func (w *watcher) keep(dst *[]byte, b []byte) {
	if w.kept+len(b) > maxKept {
		w.kept = maxKept // what follows would not continue it
		return
	}
	w.kept += len(b)
	*dst = append(*dst, b...)
}

// output notes a JSON array of messages that the answer is or has.
func (w *watcher) output(format string, raw []byte) {
	if w.kept+len(raw) > maxKept || len(raw) == 0 {
		return
	}
	w.kept += len(raw)
	w.facts.Contents = append(w.facts.Contents, activity.Content{
		Field: activity.ContentOutput, Format: format, From: "response", Raw: append([]byte(nil), raw...),
	})
}

// failed notes an error that the body tells.
func (w *watcher) failed(kind, message string) {
	if w.facts.ErrorType == "" {
		if kind == "" {
			kind = "error"
		}
		w.facts.ErrorType, w.facts.ErrorMessage = cut(kind, 200), cut(message, 2000)
	}
}

// refusedCall is what stands in the place of a tool call that was denied.
func refusedCall(name string, f *fault.Error) string {
	s := "[Reeve] The call of tool " + strconv.Quote(cut(name, 200)) + " was refused: " + strings.TrimPrefix(f.Message, "denied: ") + " (" + f.Code + ")."
	if f.Hint != "" {
		s += " " + strings.ToUpper(f.Hint[:1]) + f.Hint[1:] + "."
	}
	return s + " It was not run, and will not be when it is proposed again."
}

// headerUsage is what Bedrock counts in headers.
func headerUsage(h http.Header) activity.Usage {
	u := activity.NoUsage
	for name, to := range map[string]*int64{
		"X-Amzn-Bedrock-Input-Token-Count": &u.InputTotal, "X-Amzn-Bedrock-Output-Token-Count": &u.OutputTotal,
		"X-Amzn-Bedrock-Cache-Read-Input-Token-Count": &u.CacheRead, "X-Amzn-Bedrock-Cache-Write-Input-Token-Count": &u.CacheWrite,
	} {
		if v := h.Get(name); v != "" {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
				*to = n
			}
		}
	}
	if u.InputTotal >= 0 {
		u.InputTotal += max(u.CacheRead, 0) + max(u.CacheWrite, 0)
	}
	return u
}

// serverSent are server-sent events.
type serverSent struct{ wire.SSE }

func (s *serverSent) put(dst []byte, like *wire.Event, name string, data []byte) []byte {
	if like.Name == "" {
		name = "" // this provider does without
	}
	return wire.AppendSSE(dst, name, data)
}

// elements are those of a JSON array.
type elements struct{ wire.Elements }

func (*elements) put(dst []byte, like *wire.Event, _ string, data []byte) []byte {
	return append(append(dst, like.Raw[:len(like.Raw)-len(like.Data)]...), data...)
}

// frames are Amazon's event stream.
type frames struct{ wire.Frames }

func (*frames) put(dst []byte, like *wire.Event, name string, data []byte) []byte {
	headers := like.Headers
	if name != like.Name {
		headers = wire.AppendHeader(nil, ":event-type", name)
		headers = wire.AppendHeader(headers, ":content-type", "application/json")
		headers = wire.AppendHeader(headers, ":message-type", "event")
	}
	return wire.AppendFrame(dst, headers, data)
}

// chunks are Amazon's event stream around a model's own events, in base64.
type chunks struct {
	wire.Frames
	own []byte
}

// Push gives the events inside.
func (s *chunks) Push(piece []byte, each func(*wire.Event) error) error {
	return s.Frames.Push(piece, func(ev *wire.Event) error {
		if ev.Failure != "" {
			return each(ev)
		}
		var text []byte
		c := wire.NewCursor(ev.Data)
		for o := c.Object(); o.Next(); {
			if string(o.Key) == "bytes" {
				text, _ = c.Quoted()
			}
		}
		if err := c.End(); err != nil {
			return err
		}
		var err error
		if s.own, err = base64.StdEncoding.AppendDecode(s.own[:0], text); err != nil {
			return err
		}
		inner := *ev
		inner.Name, inner.Data = "", s.own
		return each(&inner)
	})
}

func (s *chunks) put(dst []byte, like *wire.Event, _ string, data []byte) []byte {
	payload := append([]byte(nil), `{"bytes":"`...)
	payload = append(base64.StdEncoding.AppendEncode(payload, data), `"}`...)
	return wire.AppendFrame(dst, like.Headers, payload)
}
