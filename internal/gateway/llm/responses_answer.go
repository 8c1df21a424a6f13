package llm

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
)

// responses reads OpenAI's Responses. A call's events are held from the item's
// beginning to its end; in the place of a refused one stands a message, and from
// then on events are numbered anew. The last event repeats the whole answer.
type responses struct {
	shell   bool // the shell is the agent's own
	items   []*item
	open    int
	text    []byte // between the quotes, put together
	whole   bool   // the last event had the output
	altered bool
	next    int64 // the number of the next event
}

// item is a tool call among the output.
type item struct {
	output     int64 // its place
	id, callID string
	name, args string
	parts      []byte // of args, between the quotes
	decided    bool
	denied     *fault.Error
	told       bool
}

func newResponses(r *request) family {
	return &responses{shell: slices.Contains(r.tools, "shell") || !slices.Contains(r.hosted, "shell")}
}

// local says whether items of a type are run by the agent itself.
func (f *responses) local(kind []byte) bool {
	switch string(kind) {
	case "function_call", "custom_tool_call", "local_shell_call", "apply_patch_call", "computer_call":
		return true
	case "shell_call":
		return f.shell
	}
	return false
}

// said is what an item of the output says.
type said struct {
	kind       []byte
	id, callID []byte
	name       []byte
	args       []byte // between quotes
	object     []byte // args that are no text
	from, to   int
}

func (s *said) read(c *wire.Cursor) {
	s.from = c.Pos()
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			s.kind = c.Word()
		case "id":
			s.id, _ = c.Quoted()
		case "call_id":
			s.callID, _ = c.Quoted()
		case "name":
			s.name, _ = c.Quoted()
		case "arguments", "input":
			s.args, _ = c.Quoted()
		case "action", "operation":
			s.object = c.Raw()
		default:
			o.Like("type", "name", "arguments", "input", "action", "operation")
		}
	}
	s.to = c.Pos()
}

// call is the tool call that the item is.
func (s *said) call() gateway.ToolCall {
	t := gateway.ToolCall{ID: wire.Unquote(s.callID), Name: wire.Unquote(s.name), Arguments: []byte(wire.Unquote(s.args))}
	if t.Name == "" {
		t.Name = strings.TrimSuffix(string(s.kind), "_call")
	}
	if s.args == nil {
		t.Arguments = bytes.Clone(s.object)
	}
	return t
}

// responseEvent is what an event says.
type responseEvent struct {
	kind     []byte
	output   int64
	number   wire.Edit // where sequence_number is; To 0: it has none
	sequence int64
	item     said
	hasItem  bool
	delta    []byte
	args     []byte // of a .done
	hasArgs  bool
	message  []byte
	response wire.Edit
}

func (e *responseEvent) read(data []byte) error {
	*e = responseEvent{output: -1}
	c := wire.NewCursor(data)
	for o := c.Object(); o.Next(); {
		from := c.Pos()
		switch string(o.Key) {
		case "type":
			e.kind = c.Word()
		case "output_index":
			e.output, _ = c.Int()
		case "sequence_number":
			e.sequence, _ = c.Int()
			e.number = span(from, c.Pos())
		case "item":
			e.item.read(&c)
			e.hasItem = true
		case "delta":
			e.delta, _ = c.Quoted()
		case "arguments", "input":
			e.args, e.hasArgs = c.Quoted()
		case "message":
			e.message, _ = c.Quoted()
		case "response":
			c.Skip()
			e.response = span(from, c.Pos())
		default:
			o.Like("type", "output_index", "item", "delta", "arguments", "response")
		}
	}
	return c.End()
}

func (f *responses) event(w *watcher, ev *wire.Event) error {
	switch {
	case ev.Odd:
		return errStrange
	case ev.Data == nil, string(ev.Data) == "[DONE]":
		w.pass(ev)
		return nil
	}
	var e responseEvent
	if err := e.read(ev.Data); err != nil {
		return err
	}
	if e.number.To > 0 && !f.altered {
		f.next = e.sequence + 1
	}
	if e.response.To > 0 {
		return f.snapshot(w, ev, &e)
	}
	if e.hasItem && f.local(e.item.kind) {
		return f.callItem(w, ev, &e)
	}
	switch string(e.kind) {
	case "response.output_text.delta", "response.refusal.delta":
		w.token()
		w.keep(&f.text, e.delta)
	case "error":
		w.failed("error", wire.Unquote(e.message))
	}
	if x := f.at(e.output); x != nil && e.output >= 0 {
		if x.decided && w.judge != nil {
			return errStrange // more of a call that was decided
		}
		if err := x.add(w, &e); err != nil {
			return err
		}
	}
	if f.open > 0 {
		return w.hold(ev)
	}
	f.send(w, ev, &e)
	return nil
}

// at finds the call at a place of the output.
func (f *responses) at(output int64) *item {
	for _, x := range f.items {
		if x.output == output {
			return x
		}
	}
	return nil
}

// add puts a part of the arguments to those before.
func (x *item) add(w *watcher, e *responseEvent) error {
	switch {
	case bytes.HasSuffix(e.kind, []byte("arguments.delta")), bytes.HasSuffix(e.kind, []byte("input.delta")):
		w.token()
		if len(x.parts)+len(e.delta) > maxHeld {
			return wire.ErrLarge
		}
		x.parts = append(x.parts, e.delta...)
	case e.hasArgs:
		x.args = wire.Unquote(e.args)
	}
	return nil
}

// callItem reads the beginning or the end of a call.
func (f *responses) callItem(w *watcher, ev *wire.Event, e *responseEvent) error {
	x := f.at(e.output)
	if string(e.kind) == "response.output_item.added" {
		if x != nil || len(f.items) >= maxCalls {
			return errStrange
		}
		f.items = append(f.items, &item{output: e.output, id: wire.Unquote(e.item.id), callID: wire.Unquote(e.item.callID)})
		f.open++
		w.token()
		return w.hold(ev)
	}
	if x == nil { // an end without a beginning
		x = &item{output: e.output, id: wire.Unquote(e.item.id), callID: wire.Unquote(e.item.callID)}
		f.items = append(f.items, x)
		f.open++
	}
	if x.decided {
		return errStrange
	}
	if err := w.hold(ev); err != nil {
		return err
	}
	if err := f.decide(w, x, &e.item); err != nil {
		return err
	}
	return f.settle(w)
}

// decide judges a call whose end has come. Readers take the arguments from the
// parts, from their end or from the item: with a judge all must be the same.
func (f *responses) decide(w *watcher, x *item, s *said) error {
	t := s.call()
	if w.judge != nil {
		given := string(t.Arguments)
		if len(x.parts) > 0 && wire.Unquote(x.parts) != given || x.args != "" && x.args != given || x.callID != "" && x.callID != t.ID {
			return errStrange
		}
	}
	x.name, x.args, x.callID = t.Name, string(t.Arguments), t.ID
	x.decided = true
	x.denied = w.ask(t)
	f.open--
	return nil
}

// settle lets go on what is held once nothing is open.
func (f *responses) settle(w *watcher) error {
	if f.open > 0 || w.judge == nil {
		return nil
	}
	for i := range w.held {
		ev := &w.held[i]
		var e responseEvent
		if err := e.read(ev.Data); err != nil {
			return err
		}
		x := f.at(e.output)
		if x == nil || x.denied == nil {
			f.send(w, ev, &e)
			continue
		}
		if !x.told {
			x.told = true
			f.say(w, ev, &e, x)
		}
	}
	w.drop()
	return nil
}

// send lets an event go on, with a new number where numbers have changed.
func (f *responses) send(w *watcher, ev *wire.Event, e *responseEvent) {
	if !f.altered || e.number.To == 0 {
		w.pass(ev)
		return
	}
	w.put(ev, ev.Name, wire.Apply(nil, ev.Data, []wire.Edit{f.renumber(e)}))
}

func (f *responses) renumber(e *responseEvent) wire.Edit {
	n := e.number
	n.With = strconv.AppendInt(nil, f.next, 10)
	f.next++
	return n
}

// message is the item that stands in the place of a refused call.
func (x *item) message(status string, text string) []byte {
	b := append([]byte(`{"id":"msg_`), wire.Quote(nil, cut(x.id, 100))...)
	b = append(append(append(b, `","type":"message","status":"`...), status...), `","role":"assistant","content":[`...)
	if text != "" {
		b = append(b, part(text)...)
	}
	return append(b, "]}"...)
}

func part(text string) []byte {
	b := append([]byte(`{"type":"output_text","annotations":[],"logprobs":[],"text":"`), wire.Quote(nil, text)...)
	return append(b, `"}`...)
}

// say sends the events of a message that says the refusal.
func (f *responses) say(w *watcher, ev *wire.Event, e *responseEvent, x *item) {
	if !f.altered {
		f.altered = true
		f.next = e.sequence
	}
	text := refusedCall(x.name, x.denied)
	id := `,"item_id":"msg_` + string(wire.Quote(nil, cut(x.id, 100))) + `","content_index":0`
	quoted := string(wire.Quote(nil, text))
	for _, s := range []struct{ kind, rest string }{
		{"response.output_item.added", `,"item":` + string(x.message("in_progress", ""))},
		{"response.content_part.added", id + `,"part":` + string(part(""))},
		{"response.output_text.delta", id + `,"delta":"` + quoted + `","logprobs":[]`},
		{"response.output_text.done", id + `,"text":"` + quoted + `","logprobs":[]`},
		{"response.content_part.done", id + `,"part":` + string(part(text))},
		{"response.output_item.done", `,"item":` + string(x.message("completed", text))},
	} {
		b := append([]byte(`{"type":"`+s.kind+`"`), `,"output_index":`...)
		b = strconv.AppendInt(b, x.output, 10)
		if e.number.To > 0 {
			b = strconv.AppendInt(append(b, `,"sequence_number":`...), f.next, 10)
			f.next++
		}
		w.put(ev, s.kind, append(append(b, s.rest...), '}'))
	}
}

// snapshot reads an event that has the answer as it stands: at the beginning
// empty, at the end whole.
func (f *responses) snapshot(w *watcher, ev *wire.Event, e *responseEvent) error {
	body := ev.Data[e.response.From:e.response.To]
	end := bytes.HasSuffix(e.kind, []byte(".completed")) || bytes.HasSuffix(e.kind, []byte(".incomplete")) || bytes.HasSuffix(e.kind, []byte(".failed"))
	c := wire.Inner(body)
	for o := c.Object(); o.Next(); {
		switch key := o.Key; string(key) {
		case "id", "model", "usage", "error", "status", "incomplete_details":
			f.member(w, key, c.Raw())
		case "output":
			if raw := c.Raw(); end {
				w.output(genai.Responses, raw)
				f.whole = len(w.facts.Contents) > 0
			}
		}
	}
	if err := c.End(); err != nil {
		return err
	}
	if f.open > 0 && end { // calls whose end never came are in the answer
		for _, x := range f.items {
			if !x.decided {
				x.decided, x.denied = true, errBroken
				f.open--
			}
		}
		if w.judge != nil {
			return errStrange
		}
	}
	if w.judge == nil {
		return nil
	}
	changed, err := f.output(w, body)
	if err != nil {
		return err
	}
	if len(w.held) > 0 {
		return w.hold(ev) // a snapshot between a call's events
	}
	edits := make([]wire.Edit, 0, 2)
	if changed != nil {
		at := e.response
		at.With = changed
		edits = append(edits, at)
	}
	if f.altered && e.number.To > 0 {
		edits = append(edits, f.renumber(e))
	}
	if len(edits) == 0 {
		w.pass(ev)
		return nil
	}
	slices.SortFunc(edits, func(a, b wire.Edit) int { return cmp.Compare(a.From, b.From) })
	w.put(ev, ev.Name, wire.Apply(nil, ev.Data, edits))
	return nil
}

// output judges the calls in an answer's output that were not judged yet and
// takes the refused ones out; nil when there are none.
func (f *responses) output(w *watcher, body []byte) ([]byte, error) {
	var edits []wire.Edit
	c := wire.NewCursor(body)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "output" {
			o.Like("output")
			continue
		}
		place := int64(-1)
		for a := c.Array(); a.Next(); {
			var s said
			s.read(&c)
			place++
			if !f.local(s.kind) {
				continue
			}
			x := f.known(&s)
			if x == nil {
				if len(f.items) >= maxCalls {
					return nil, wire.ErrLarge
				}
				x = &item{output: -2 - place, id: wire.Unquote(s.id)}
				f.items = append(f.items, x)
				f.open++
				if err := f.decide(w, x, &s); err != nil {
					return nil, err
				}
			} else if t := s.call(); x.name != t.Name || x.args != string(t.Arguments) {
				return nil, errStrange // another call than the one that was decided
			}
			if x.denied != nil {
				edits = append(edits, wire.Edit{From: s.from, To: s.to, With: x.message("completed", refusedCall(x.name, x.denied))})
			}
		}
	}
	if err := c.End(); err != nil || len(edits) == 0 {
		return nil, err
	}
	return wire.Apply(nil, body, edits), nil
}

// known finds the call that an item repeats.
func (f *responses) known(s *said) *item {
	id := wire.Unquote(s.callID)
	for _, x := range f.items {
		if x.decided && x.callID == id && x.id == wire.Unquote(s.id) {
			return x
		}
	}
	return nil
}

func (f *responses) done(*watcher) error {
	if f.open > 0 {
		return errStrange // a call without its end
	}
	return nil
}

func (f *responses) member(w *watcher, key, value []byte) {
	c := wire.Inner(value)
	switch string(key) {
	case "status":
		if s := c.Text(); s != "in_progress" && s != "queued" && w.facts.FinishReason == "" {
			w.facts.FinishReason = s
		}
		return
	case "incomplete_details":
		for o := c.Object(); o.Next(); {
			if string(o.Key) == "reason" {
				w.facts.FinishReason = c.Text()
			}
		}
		return
	case "output":
		w.output(genai.Responses, value)
		if w.judge != nil {
			return // rewrite asks
		}
		for a := c.Array(); a.Next(); {
			var s said
			if s.read(&c); f.local(s.kind) {
				w.ask(s.call())
			}
		}
		return
	}
	w.common(key, value)
}

func (f *responses) rewrite(w *watcher, body []byte) ([]byte, error) {
	changed, err := f.output(w, body)
	if changed == nil {
		changed = body
	}
	return changed, err
}

// contents is the text of a stream that ended before it told the whole.
func (f *responses) contents() []activity.Content {
	if f.whole || len(f.text) == 0 {
		return nil
	}
	raw := append([]byte(`[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"`), f.text...)
	return []activity.Content{{Field: activity.ContentOutput, Format: genai.Responses, From: "response", Raw: append(raw, `"}]}]`...)}}
}
