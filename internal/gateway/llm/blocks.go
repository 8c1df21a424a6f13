package llm

import (
	"strconv"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
)

// blocks reads answers that consist of numbered blocks, one after the other:
// Anthropic's messages and Bedrock's Converse, which Nova speaks too. A tool
// call's events are held from its block's beginning to its end.
type blocks struct {
	words vocabulary
	list  []*block
	open  *block
	asked int // calls
	no    int // of them refused
}

// block is one part of the answer.
type block struct {
	index    int64
	tool     bool
	other    bool // neither text nor call nor thought: its beginning is kept as it is
	thought  bool
	id, name []byte // between the quotes
	input    []byte // JSON, where the beginning has it
	text     []byte // between the quotes, put together: text, thought or a call's input
	ended    bool
}

// step is what an event says, in the words that the two shapes share.
type step struct {
	what  string // start, delta, stop, message_start, message_delta, ""
	index int64
	block block     // of a start
	text  []byte    // of a delta, between the quotes
	tool  bool      // a delta of a call's input
	think bool      // a delta of a thought
	stop  wire.Edit // where the reason to stop is; To 0: it says none
	why   []byte
	early bool // the message begins with content
	usage []byte
}

// vocabulary is how a shape writes.
type vocabulary struct {
	read func(w *watcher, ev *wire.Event) (step, error)
	// ended is why a message stops when no call is left; wants when there are calls.
	ended, wants string
	// text are the events of a block of text.
	text func(index int64, text string) []named
	// begins says that every block has a beginning.
	begins bool
	format string
	// whole finds the content's elements and the reason to stop.
	whole func(c *wire.Cursor, each func(from int, b *block, to int)) (stop wire.Edit, why []byte)
	// element is a whole block of text.
	element func(text string) []byte
	message func(list []*block) []byte
}

// named is an event to send.
type named struct {
	name string
	data []byte
}

func (f *blocks) event(w *watcher, ev *wire.Event) error {
	switch {
	case ev.Failure != "":
		w.frameFailure(ev)
		w.pass(ev)
		return nil
	case ev.Odd:
		return errStrange
	case ev.Data == nil:
		w.pass(ev)
		return nil
	}
	s, err := f.words.read(w, ev)
	if err != nil {
		return err
	}
	if s.usage != nil {
		w.count(s.usage, true)
	}
	if s.why != nil {
		w.facts.FinishReason = wire.Unquote(s.why)
	}
	switch s.what {
	case "start":
		return f.start(w, ev, &s)
	case "delta":
		return f.delta(w, ev, &s)
	case "stop":
		return f.stop(w, ev, &s)
	case "message_start", "message_delta":
		if w.judge != nil && (s.early || f.open != nil && f.open.tool) {
			return errStrange // content where readers do not look for it, or a call without its end
		}
	}
	if s.stop.To > 0 && f.no > 0 && f.no == f.asked && wire.Unquote(s.why) == f.words.wants {
		s.stop.With = wire.Quote(append([]byte(nil), '"'), f.words.ended)
		s.stop.With = append(s.stop.With, '"')
		w.put(ev, ev.Name, wire.Apply(nil, ev.Data, []wire.Edit{s.stop}))
		return nil
	}
	w.pass(ev) // also what a provider sends to keep the line open, while a call is held
	return nil
}

func (f *blocks) find(index int64) *block {
	for _, b := range f.list {
		if b.index == index {
			return b
		}
	}
	return nil
}

func (f *blocks) start(w *watcher, ev *wire.Event, s *step) error {
	if len(f.list) >= maxCalls {
		if w.judge != nil {
			return wire.ErrLarge
		}
		return nil
	}
	if w.judge != nil && (f.open != nil || f.find(s.index) != nil) {
		return errStrange // one block within another, or twice
	}
	b := s.block
	b.index = s.index
	b.id, b.name, b.input, b.text = clone(b.id), clone(b.name), clone(b.input), clone(b.text)
	f.list, f.open = append(f.list, &b), &b
	if b.tool {
		w.token()
		return w.hold(ev)
	}
	w.pass(ev)
	return nil
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}

func (f *blocks) delta(w *watcher, ev *wire.Event, s *step) error {
	b := f.open
	if b == nil && !f.words.begins && f.find(s.index) == nil {
		b = &block{index: s.index, thought: s.think, tool: s.tool}
		if f.list = append(f.list, b); len(f.list) > maxCalls {
			return wire.ErrLarge
		}
		f.open = b
		if s.tool && w.judge != nil {
			return errStrange // a call without its beginning
		}
	}
	if w.judge != nil && (b == nil || b.index != s.index || b.tool != s.tool && !b.other) {
		return errStrange
	}
	if len(s.text) > 0 {
		w.token()
	}
	if b != nil {
		b.thought = b.thought || s.think
		if b.other {
			w.pass(ev)
			return nil
		}
		if w.judge == nil || !b.tool {
			w.keep(&b.text, s.text)
		} else {
			b.text = append(b.text, s.text...) // bounded by what may be held
		}
		if b.tool {
			return w.hold(ev)
		}
	}
	w.pass(ev)
	return nil
}

func (f *blocks) stop(w *watcher, ev *wire.Event, s *step) error {
	b := f.open
	if b == nil || b.index != s.index {
		if w.judge != nil {
			return errStrange
		}
		return nil
	}
	f.open, b.ended = nil, true
	if !b.tool {
		w.pass(ev)
		return nil
	}
	if err := w.hold(ev); err != nil {
		return err
	}
	no := f.ask(w, b)
	if no == nil {
		w.release()
		return nil
	}
	like := *ev
	w.drop()
	for _, e := range f.words.text(b.index, refusedCall(wire.Unquote(b.name), no)) {
		w.put(&like, e.name, e.data)
	}
	return nil
}

func (f *blocks) ask(w *watcher, b *block) *fault.Error {
	f.asked++
	no := w.ask(gateway.ToolCall{ID: wire.Unquote(b.id), Name: wire.Unquote(b.name), Arguments: b.arguments()})
	if no != nil {
		f.no++
	}
	return no
}

// arguments are a call's input: what the parts make, else what the beginning has.
func (b *block) arguments() []byte {
	switch {
	case len(b.text) > 0:
		return []byte(wire.Unquote(b.text))
	case b.input == nil:
		return []byte("{}") // none were needed
	}
	return clone(b.input)
}

func (f *blocks) done(w *watcher) error {
	if f.open != nil && f.open.tool && w.judge != nil {
		return errStrange
	}
	return nil
}

func (f *blocks) member(w *watcher, key, value []byte) {
	switch string(key) {
	case "usage":
		w.count(value, true)
	case "stop_reason", "stopReason":
		c := wire.Inner(value)
		w.facts.FinishReason = c.Text()
	case "type": // an error says so beside it
	default:
		w.common(key, value)
	}
}

func (f *blocks) rewrite(w *watcher, body []byte) ([]byte, error) {
	var edits []wire.Edit
	c := wire.NewCursor(body)
	stop, why := f.words.whole(&c, func(from int, b *block, to int) {
		if !b.tool {
			return
		}
		if no := f.ask(w, b); no != nil {
			edits = append(edits, wire.Edit{From: from, To: to, With: f.words.element(refusedCall(wire.Unquote(b.name), no))})
		}
	})
	if err := c.End(); err != nil {
		return nil, err
	}
	if len(edits) == 0 {
		return body, nil
	}
	if f.no == f.asked && stop.To > 0 && wire.Unquote(why) == f.words.wants {
		stop.With = append(append([]byte{'"'}, f.words.ended...), '"')
		edits = append(edits, stop)
	}
	sortEdits(edits)
	return wire.Apply(nil, body, edits), nil
}

func (f *blocks) contents() []activity.Content {
	if len(f.list) == 0 {
		return nil
	}
	raw := f.words.message(f.list)
	if len(raw) > 2*maxKept {
		return nil
	}
	return []activity.Content{{Field: activity.ContentOutput, Format: f.words.format, From: "response", Raw: raw}}
}

// json is a call's input as JSON: itself, or as a text when it is none.
func (b *block) json() []byte {
	args := b.arguments()
	if wire.Valid(args) == nil {
		return args
	}
	return append(wire.Quote([]byte{'"'}, string(args)), '"')
}

// messages is Anthropic's vocabulary.
var messages = vocabulary{
	read: readMessagesEvent, ended: "end_turn", wants: "tool_use", begins: true, format: genai.Anthropic,
	text: func(index int64, text string) []named {
		n, q := strconv.FormatInt(index, 10), string(wire.Quote(nil, text))
		return []named{
			{"content_block_start", []byte(`{"type":"content_block_start","index":` + n + `,"content_block":{"type":"text","text":""}}`)},
			{"content_block_delta", []byte(`{"type":"content_block_delta","index":` + n + `,"delta":{"type":"text_delta","text":"` + q + `"}}`)},
			{"content_block_stop", []byte(`{"type":"content_block_stop","index":` + n + `}`)},
		}
	},
	whole: wholeMessage,
	element: func(text string) []byte {
		return append(wire.Quote([]byte(`{"type":"text","text":"`), text), `"}`...)
	},
	message: func(list []*block) []byte {
		b := []byte(`[{"role":"assistant","content":[`)
		for i, x := range list {
			if i > 0 {
				b = append(b, ',')
			}
			switch {
			case x.tool:
				b = append(append(append(append(b, `{"type":"tool_use","id":"`...), x.id...), `","name":"`...), x.name...)
				b = append(append(append(b, `","input":`...), x.json()...), '}')
			case x.thought:
				b = append(append(append(b, `{"type":"thinking","thinking":"`...), x.text...), `"}`...)
			case x.other:
				b = append(b, x.input...)
			default:
				b = append(append(append(b, `{"type":"text","text":"`...), x.text...), `"}`...)
			}
		}
		return append(b, `]}]`...)
	},
}

// messagesFamily also notes the content of a whole message.
type messagesFamily struct{ blocks }

func newMessages(*request) family { return &messagesFamily{blocks{words: messages}} }

func (f *messagesFamily) member(w *watcher, key, value []byte) {
	if string(key) != "content" {
		f.blocks.member(w, key, value)
		return
	}
	message := append(append([]byte(`[{"role":"assistant","content":`), value...), `}]`...)
	w.output(genai.Anthropic, message)
	if w.judge != nil {
		return
	}
	c := wire.Inner(value)
	for a := c.Array(); a.Next(); {
		if b := readMessagesBlock(&c); b.tool {
			f.ask(w, &b)
		}
	}
}

// readMessagesBlock reads a block, whole or at its beginning.
func readMessagesBlock(c *wire.Cursor) (b block) {
	var kind []byte
	from := c.Pos()
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Word()
		case "id":
			b.id, _ = c.Quoted()
		case "name":
			b.name, _ = c.Quoted()
		case "input":
			b.input = c.Raw()
		case "text", "thinking":
			b.text, _ = c.Quoted()
		default:
			o.Like("type", "name", "input")
		}
	}
	switch string(kind) {
	case "tool_use":
		b.tool, b.text = true, nil
	case "text":
	case "thinking":
		b.thought = true
	default:
		b.other, b.input, b.text = true, c.Since(from), nil
	}
	return b
}

func readMessagesEvent(w *watcher, ev *wire.Event) (s step, err error) {
	var kind, errorValue, metrics []byte
	c := wire.NewCursor(ev.Data)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Word()
		case "index":
			s.index, _ = c.Int()
		case "content_block":
			s.block = readMessagesBlock(&c)
		case "delta":
			s.messagesDelta(&c)
		case "usage":
			s.usage = c.Raw()
		case "message":
			for m := c.Object(); m.Next(); {
				switch string(m.Key) {
				case "usage":
					s.usage = c.Raw()
				case "id", "model":
					key := m.Key
					w.common(key, c.Raw())
				case "content":
					for a := c.Array(); a.Next(); {
						s.early = true
					}
				default:
					m.Like("content")
				}
			}
		case "error":
			errorValue = c.Raw()
		case invocationMetrics:
			metrics = c.Raw()
		default:
			o.Like("type", "index", "content_block", "delta", "message")
		}
	}
	if err := c.End(); err != nil {
		return s, err
	}
	if metrics != nil {
		w.metrics(metrics)
	}
	switch string(kind) {
	case "content_block_start":
		s.what = "start"
	case "content_block_delta":
		s.what = "delta"
	case "content_block_stop":
		s.what = "stop"
	case "message_start", "message_delta":
		s.what = string(kind)
	case "error":
		w.errorValue(errorValue)
	}
	return s, nil
}

func (s *step) messagesDelta(c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "text":
			s.text, _ = c.Quoted()
		case "thinking":
			s.text, _ = c.Quoted()
			s.think = true
		case "partial_json":
			s.text, _ = c.Quoted()
			s.tool = true
		case "stop_reason":
			from := c.Pos()
			s.why, _ = c.Quoted()
			s.stop = span(from, c.Pos())
		default:
			o.Like("partial_json", "stop_reason")
		}
	}
}

func wholeMessage(c *wire.Cursor, each func(from int, b *block, to int)) (stop wire.Edit, why []byte) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "content":
			for a := c.Array(); a.Next(); {
				from := c.Pos()
				b := readMessagesBlock(c)
				each(from, &b, c.Pos())
			}
		case "stop_reason":
			from := c.Pos()
			why, _ = c.Quoted()
			stop = span(from, c.Pos())
		default:
			o.Like("content", "stop_reason")
		}
	}
	return stop, why
}
