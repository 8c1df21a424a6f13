package llm

import (
	"cmp"
	"slices"
	"strconv"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
)

// chat reads OpenAI's chat completions and completions. In a stream the parts
// of parallel calls may be mixed, so calls are complete when their choice
// finishes: until then events with parts of calls are held, while those with
// text alone go on.
type chat struct {
	choices []*choice
	open    int // choices with calls that are not decided
	chunk   chunk
}

type choice struct {
	index           int64
	text, reasoning []byte // what stands between the quotes, put together
	calls           []*proposed
	finish          string
	current         *proposed // the one that a part without index and id continues
	open, decided   bool
	waits           bool // some of its text is held: what follows it waits too
	refused         int  // calls
}

// proposed is a tool call of an answer.
type proposed struct {
	index    int64
	id, name []byte // between the quotes
	args     []byte // between the quotes, put together
	custom   bool
	old      bool // function_call, which has no id
	place    int64
	denied   *fault.Error
	told     bool // the refusal was said
}

func newChat(*request) family { return &chat{} }

func newCompletions(*request) family { return &chat{} }

// chunk is where the parts of an event, or of a whole answer, are.
type chunk struct {
	cur           wire.Cursor
	id, model     []byte
	usage, failed []byte
	choices       []chunkChoice
}

type chunkChoice struct {
	index   int64
	content wire.Edit // where the value of content is; To 0: no such member
	text    []byte    // between its quotes
	plain   []byte    // completions: text beside the message
	thought []byte
	calls   wire.Edit // the member with calls
	from    int       // where its value begins
	list    []chunkCall
	finish  wire.Edit
	reason  []byte
	said    bool // there was a message
}

type chunkCall struct {
	at       wire.Edit // the element
	index    int64
	number   wire.Edit // where the index is; To 0: it has none
	id, name []byte
	args     []byte
	custom   bool
	old      bool
}

func span(from, to int) wire.Edit { return wire.Edit{From: from, To: to} }

// read finds the parts of data.
func (k *chunk) read(data []byte) error {
	*k = chunk{choices: k.choices[:0], cur: wire.NewCursor(data)}
	c := &k.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "id":
			k.id, _ = c.Quoted()
		case "model":
			k.model, _ = c.Quoted()
		case "usage":
			k.usage = c.Raw()
		case "x_groq":
			for g := c.Object(); g.Next(); {
				if string(g.Key) == "usage" {
					k.usage = c.Raw()
				}
			}
		case "error":
			k.failed = c.Raw()
		case "choices":
			for a := c.Array(); a.Next(); {
				if len(k.choices) >= maxCalls {
					return wire.ErrLarge
				}
				k.choices = append(k.choices, chunkChoice{})
				k.choices[len(k.choices)-1].read(c)
			}
		default:
			o.Like("choices")
		}
	}
	return c.End()
}

func (x *chunkChoice) read(c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "index":
			x.index, _ = c.Int()
		case "delta", "message":
			if x.said { // in both: readers differ in which one they look at
				c.Fail(errStrange)
			}
			x.said = true
			x.message(c)
		case "text":
			x.plain, _ = c.Quoted()
		case "finish_reason":
			from := c.Pos()
			x.reason, _ = c.Quoted()
			x.finish = span(from, c.Pos())
		default:
			o.Like("delta", "message", "index", "finish_reason")
		}
	}
}

func (x *chunkChoice) message(c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		at, from := o.KeyAt, c.Pos()
		switch string(o.Key) {
		case "content":
			x.text, _ = c.Quoted()
			x.content = span(from, c.Pos())
		case "reasoning_content", "reasoning":
			x.thought, _ = c.Quoted()
		case "tool_calls":
			if c.Kind() != '[' {
				continue // null
			}
			if len(x.list) > 0 {
				c.Fail(errStrange)
				return
			}
			for a := c.Array(); a.Next(); {
				if len(x.list) >= maxCalls {
					c.Fail(wire.ErrLarge)
					return
				}
				x.list = append(x.list, readCall(c))
			}
			x.calls, x.from = span(at, c.Pos()), from
		case "function_call":
			if c.Kind() != '{' {
				continue
			}
			if len(x.list) > 0 {
				c.Fail(errStrange)
				return
			}
			call := chunkCall{old: true, index: -1}
			call.function(c)
			x.list = append(x.list, call)
			x.calls, x.from = span(at, c.Pos()), from
		default:
			o.Like("tool_calls", "function_call", "content")
		}
	}
}

func readCall(c *wire.Cursor) chunkCall {
	call := chunkCall{index: -1}
	from := c.Pos()
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "index":
			at := c.Pos()
			if n, ok := c.Int(); ok {
				call.index, call.number = n, span(at, c.Pos())
			}
		case "id":
			call.id, _ = c.Quoted()
		case "function":
			call.function(c)
		case "custom":
			call.custom = c.Kind() == '{'
			call.function(c)
		default:
			o.Like("index", "function", "custom")
		}
	}
	call.at = span(from, c.Pos())
	return call
}

func (x *chunkCall) function(c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "name":
			x.name, _ = c.Quoted()
		case "arguments", "input":
			if c.Kind() == '{' { // some servers give the object itself
				x.args = wire.Quote(nil, string(c.Raw()))
				continue
			}
			x.args, _ = c.Quoted()
		default:
			o.Like("name", "arguments", "input")
		}
	}
}

// of finds or makes the state of a choice.
func (f *chat) of(index int64) (*choice, error) {
	for _, c := range f.choices {
		if c.index == index {
			return c, nil
		}
	}
	if len(f.choices) >= maxCalls {
		return nil, wire.ErrLarge
	}
	c := &choice{index: index}
	f.choices = append(f.choices, c)
	return c, nil
}

func (f *chat) event(w *watcher, ev *wire.Event) error {
	switch {
	case ev.Failure != "":
		w.frameFailure(ev)
		w.pass(ev)
		return nil
	case ev.Odd:
		return errStrange
	case ev.Data == nil: // a comment
		w.pass(ev)
		return nil
	case string(ev.Data) == "[DONE]":
		if err := f.done(w); err != nil {
			return err
		}
		w.pass(ev)
		return nil
	}
	k := &f.chunk
	if err := k.read(ev.Data); err != nil {
		return err
	}
	f.common(w, k)
	calls, finished, words, waits := false, false, false, false
	for i := range k.choices {
		x := &k.choices[i]
		ch, err := f.of(x.index)
		if err != nil {
			return err
		}
		w.keep(&ch.text, x.text)
		w.keep(&ch.text, x.plain)
		w.keep(&ch.reasoning, x.thought)
		if len(x.text)+len(x.plain)+len(x.thought)+len(x.list) > 0 {
			w.token()
		}
		words = words || len(x.text) > 0 || len(x.thought) > 0
		waits = waits || ch.waits
		if len(x.list) > 0 {
			calls = true
			if err := f.parts(w, ch, x); err != nil {
				return err
			}
		}
		if x.reason != nil {
			finished = true
			ch.finish = wire.Unquote(x.reason)
			if w.facts.FinishReason == "" || x.index == 0 {
				w.facts.FinishReason = ch.finish
			}
		}
	}
	// Text overtakes what is held; whatever may end a call waits with it.
	if !calls && (f.open == 0 || words && !finished && !waits) {
		if f.refused(k) {
			w.put(ev, ev.Name, wire.Apply(nil, ev.Data, f.edits(ev.Data, k, true)))
		} else {
			w.pass(ev)
		}
		return nil
	}
	if err := w.hold(ev); err != nil {
		return err
	}
	for i := range k.choices {
		x := &k.choices[i]
		ch, err := f.of(x.index)
		if err != nil {
			return err
		}
		ch.waits = ch.waits || len(x.text) > 0 || len(x.thought) > 0
		if x.reason != nil {
			f.decide(w, ch)
		}
	}
	return f.settle(w)
}

// refused says whether an event is about a choice of which calls were refused,
// so that it is rewritten.
func (f *chat) refused(k *chunk) bool {
	for i := range k.choices {
		if ch, err := f.of(k.choices[i].index); err == nil && ch.refused > 0 {
			return true
		}
	}
	return false
}

// parts adds the parts of calls that an event has.
func (f *chat) parts(w *watcher, ch *choice, x *chunkChoice) error {
	if ch.decided && w.judge != nil {
		return errStrange // more of a call that was decided
	}
	if !ch.open {
		ch.open = true
		f.open++
	}
	for i := range x.list {
		part := &x.list[i]
		call := ch.call(part)
		if call == nil {
			return wire.ErrLarge
		}
		if len(call.id) == 0 {
			call.id = append(call.id, part.id...)
		}
		if len(part.name) > 0 {
			switch {
			case len(call.name) == 0:
				call.name = append(call.name, part.name...)
			case w.judge != nil && string(call.name) != string(part.name):
				return errStrange // some readers join the two, others take the last
			}
		}
		if len(call.args)+len(part.args) > maxHeld {
			return wire.ErrLarge
		}
		if w.judge != nil {
			call.args = append(call.args, part.args...)
		} else {
			w.keep(&call.args, part.args)
		}
	}
	return nil
}

// call finds the call that a part belongs to: by index, and where a server
// gives none by id, and then by order.
func (ch *choice) call(part *chunkCall) *proposed {
	for _, c := range ch.calls {
		switch {
		case c.old != part.old:
		case part.index >= 0 && c.index == part.index, part.old, part.index < 0 && len(part.id) > 0 && string(c.id) == string(part.id):
			ch.current = c
			return c
		}
	}
	if part.index < 0 && !part.old && len(part.id) == 0 && ch.current != nil {
		return ch.current
	}
	if len(ch.calls) >= maxCalls {
		return nil
	}
	ch.current = &proposed{index: part.index, custom: part.custom, old: part.old}
	if part.index < 0 && !part.old {
		ch.current.index = int64(len(ch.calls))
	}
	ch.calls = append(ch.calls, ch.current)
	return ch.current
}

// decide judges the calls of a choice in their order.
func (f *chat) decide(w *watcher, ch *choice) {
	if ch.decided || len(ch.calls) == 0 {
		return
	}
	ch.decided = true
	if ch.open {
		ch.open = false
		f.open--
	}
	// Their order is that of the indexes, whatever came first.
	slices.SortStableFunc(ch.calls, func(a, b *proposed) int { return cmp.Compare(a.index, b.index) })
	place := int64(0)
	for _, call := range ch.calls {
		call.denied = w.ask(gateway.ToolCall{ID: wire.Unquote(call.id), Name: wire.Unquote(call.name), Arguments: []byte(wire.Unquote(call.args))})
		if call.denied != nil {
			ch.refused++
			continue
		}
		call.place = place
		place++
	}
}

// settle lets go on what is held once nothing is open.
func (f *chat) settle(w *watcher) error {
	if f.open > 0 || w.judge == nil {
		return nil
	}
	for i := range w.held {
		ev := &w.held[i]
		if err := f.chunk.read(ev.Data); err != nil {
			return err
		}
		if !f.refused(&f.chunk) {
			w.pass(ev)
			continue
		}
		w.put(ev, ev.Name, wire.Apply(nil, ev.Data, f.edits(ev.Data, &f.chunk, true)))
	}
	for _, ch := range f.choices {
		ch.waits = false
	}
	w.drop()
	return nil
}

func (f *chat) done(w *watcher) error {
	for _, ch := range f.choices {
		f.decide(w, ch)
	}
	return f.settle(w)
}

// edits are what takes refused calls out of an event or a whole answer.
func (f *chat) edits(data []byte, k *chunk, stream bool) []wire.Edit {
	var edits []wire.Edit
	for i := range k.choices {
		x := &k.choices[i]
		ch, err := f.of(x.index)
		if err != nil || ch.refused == 0 {
			continue
		}
		edits = append(edits, ch.edits(data, x, stream)...)
		if r := string(x.reason); ch.refused == len(ch.calls) && (r == "tool_calls" || r == "function_call") {
			x.finish.With = []byte(`"stop"`)
			edits = append(edits, x.finish)
		}
	}
	slices.SortFunc(edits, func(a, b wire.Edit) int { return cmp.Compare(a.From, b.From) })
	return edits
}

func (ch *choice) edits(data []byte, x *chunkChoice, stream bool) (edits []wire.Edit) {
	var left [][]byte
	var said []byte
	for i := range x.list {
		part := &x.list[i]
		call := ch.call(part)
		if call == nil || call.denied == nil {
			left = append(left, moved(data, part, call))
			continue
		}
		if !call.told {
			call.told = true
			if len(said) > 0 || len(x.text) > 0 || stream && len(ch.text) > 0 {
				said = append(said, `\n\n`...)
			}
			said = wire.Quote(said, refusedCall(wire.Unquote(call.name), call.denied))
		}
	}
	if len(x.list) == 0 {
		return nil
	}
	text := append(append(append([]byte{'"'}, x.text...), said...), '"')
	switch {
	case len(said) > 0 && x.content.To > 0:
		x.content.With = text
		edits = append(edits, x.content)
	case len(said) > 0:
		member := append([]byte(`"content":`), text...)
		if len(left) == 0 {
			x.calls.With = member
			return append(edits, x.calls)
		}
		edits = append(edits, wire.Edit{From: x.calls.From, To: x.calls.From, With: append(member, ',')})
	}
	if len(left) == 0 {
		return append(edits, wire.Cut(data, x.calls.From, x.calls.To))
	}
	list := []byte{'['}
	for i, call := range left {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, call...)
	}
	return append(edits, wire.Edit{From: x.from, To: x.calls.To, With: append(list, ']')})
}

// moved is a call's part with the index that it has once others are gone.
func moved(data []byte, part *chunkCall, call *proposed) []byte {
	raw := data[part.at.From:part.at.To]
	if call == nil || part.number.To == 0 || part.index == call.place {
		return raw
	}
	return wire.Apply(nil, raw, []wire.Edit{{
		From: part.number.From - part.at.From, To: part.number.To - part.at.From, With: strconv.AppendInt(nil, call.place, 10),
	}})
}

func (f *chat) common(w *watcher, k *chunk) {
	if k.id != nil && w.facts.ResponseID == "" {
		w.facts.ResponseID = wire.Unquote(k.id)
	}
	if len(k.model) > 0 && w.facts.Model == "" {
		w.facts.Model = wire.Unquote(k.model)
	}
	if k.usage != nil {
		w.count(k.usage, false)
	}
	if k.failed != nil {
		w.errorValue(k.failed)
	}
}

// member reads a whole answer; its calls are noted when there is nobody to
// judge them.
func (f *chat) member(w *watcher, key, value []byte) {
	w.common(key, value)
	if string(key) != "choices" {
		return
	}
	w.output(genai.OpenAI, value)
	c := wire.Inner(value)
	for a := c.Array(); a.Next(); {
		var x chunkChoice
		x.read(&c)
		if w.facts.FinishReason == "" {
			w.facts.FinishReason = wire.Unquote(x.reason)
		}
		if w.judge == nil {
			ch := &choice{index: x.index}
			_ = f.parts(w, ch, &x)
			f.decide(w, ch)
		}
	}
}

func (f *chat) rewrite(w *watcher, body []byte) ([]byte, error) {
	k := &f.chunk
	if err := k.read(body); err != nil {
		return nil, err
	}
	for i := range k.choices {
		x := &k.choices[i]
		for j := range x.list {
			x.list[j].number = wire.Edit{} // a list's place is its index
			if x.list[j].index = int64(j); x.list[j].old {
				x.list[j].index = -1
			}
		}
		ch, err := f.of(x.index)
		if err != nil {
			return nil, err
		}
		if len(ch.calls) > 0 {
			return nil, errStrange // two choices of one index
		}
		if err := f.parts(w, ch, x); err != nil {
			return nil, err
		}
	}
	for _, ch := range f.choices {
		f.decide(w, ch)
	}
	edits := f.edits(body, k, false)
	if len(edits) == 0 {
		return body, nil
	}
	return wire.Apply(nil, body, edits), nil
}

// contents puts a stream's choices together.
func (f *chat) contents() []activity.Content {
	if len(f.choices) == 0 {
		return nil
	}
	b := []byte{'['}
	for i, ch := range f.choices {
		if i > 0 {
			b = append(b, ',')
		}
		b = ch.append(b)
	}
	if len(b) > 2*maxKept {
		return nil
	}
	return []activity.Content{{Field: activity.ContentOutput, Format: genai.OpenAI, From: "response", Raw: append(b, ']')}}
}

func (ch *choice) append(b []byte) []byte {
	b = append(strconv.AppendInt(append(b, `{"index":`...), ch.index, 10), `,"message":{"role":"assistant"`...)
	if len(ch.reasoning) > 0 {
		b = append(append(append(b, `,"reasoning_content":"`...), ch.reasoning...), '"')
	}
	if len(ch.text) > 0 {
		b = append(append(append(b, `,"content":"`...), ch.text...), '"')
	}
	for i, call := range ch.calls {
		switch {
		case call.old:
			b = append(append(append(b, `,"function_call":{"name":"`...), call.name...), `","arguments":"`...)
			b = append(append(b, call.args...), `"}`...)
			continue
		case i == 0:
			b = append(b, `,"tool_calls":[`...)
		default:
			b = append(b, ',')
		}
		b = append(append(append(b, `{"id":"`...), call.id...), `","type":"function","function":{"name":"`...)
		b = append(append(append(b, call.name...), `","arguments":"`...), call.args...)
		b = append(b, `"}}`...)
		if i == len(ch.calls)-1 {
			b = append(b, ']')
		}
	}
	b = append(b, '}')
	if ch.finish != "" {
		b = append(wire.Quote(append(b, `,"finish_reason":"`...), ch.finish), '"')
	}
	return append(b, '}')
}
