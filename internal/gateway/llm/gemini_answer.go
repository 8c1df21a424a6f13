package llm

import (
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
)

// geminiAnswer reads Gemini's answers, whole or as a stream of them. A call is
// one part of one event, so nothing is ever held.
type geminiAnswer struct {
	parts []byte // of the first candidate, put together
	open  byte   // 't' or 'r' while the last of parts is a text or a thought
	cut   bool   // a call that comes in pieces was refused
}

func newGemini(*request) family { return &geminiAnswer{} }

func newGeminiEmbed(*request) family { return &plain{noOutput: true} }

// errPartial refuses calls whose arguments come in pieces under paths of their
// own: what they add up to is for their reader to say.
var errPartial = fault.New(fault.KindDenied, "llm.answer_unreadable", "its arguments come in pieces, which cannot be decided").
	WithHint("leave out streamFunctionCallArguments")

func (f *geminiAnswer) event(w *watcher, ev *wire.Event) error {
	switch {
	case ev.Odd:
		return errStrange
	case ev.Data == nil:
		w.pass(ev)
		return nil
	}
	body, err := f.answer(w, ev.Data)
	if err != nil {
		return err
	}
	if body == nil {
		w.pass(ev)
		return nil
	}
	w.put(ev, ev.Name, body)
	return nil
}

// answer reads one answer and takes refused calls out of it; nil when there are
// none.
func (f *geminiAnswer) answer(w *watcher, body []byte) ([]byte, error) {
	var edits []wire.Edit
	c := wire.NewCursor(body)
	for o := c.Object(); o.Next(); {
		switch key := o.Key; string(key) {
		case "candidates":
			for a := c.Array(); a.Next(); {
				edits = f.candidate(w, &c, edits)
			}
		case "usageMetadata", "modelVersion", "responseId", "error":
			w.common(key, c.Raw())
		case "promptFeedback":
			f.blocked(w, &c)
		default:
			o.Like("candidates")
		}
	}
	if err := c.End(); err != nil || len(edits) == 0 {
		return nil, err
	}
	return wire.Apply(nil, body, edits), nil
}

func (f *geminiAnswer) blocked(w *watcher, c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "blockReason" && w.facts.FinishReason == "" {
			w.facts.FinishReason = c.Text()
		}
	}
}

func (f *geminiAnswer) candidate(w *watcher, c *wire.Cursor, edits []wire.Edit) []wire.Edit {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "content":
			for m := c.Object(); m.Next(); {
				if string(m.Key) != "parts" {
					m.Like("parts")
					continue
				}
				for a := c.Array(); a.Next(); {
					edits = f.part(w, c, edits)
				}
			}
		case "finishReason":
			if s := c.Text(); w.facts.FinishReason == "" {
				w.facts.FinishReason = s
			}
		default:
			o.Like("content")
		}
	}
	return edits
}

func (f *geminiAnswer) part(w *watcher, c *wire.Cursor, edits []wire.Edit) []wire.Edit {
	from := c.Pos()
	var text, id, name, args []byte
	var call, partial, thought bool
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "text":
			text, _ = c.Quoted()
		case "thought":
			thought = c.True()
		case "functionCall", "function_call":
			if call {
				c.Fail(wire.ErrTwice) // in both spellings
			}
			call = true
			for m := c.Object(); m.Next(); {
				switch string(m.Key) {
				case "id":
					id, _ = c.Quoted()
				case "name":
					name, _ = c.Quoted()
				case "args":
					args = c.Raw()
				case "partialArgs", "partial_args", "willContinue", "will_continue":
					partial = true
				default:
					m.Like("name", "args", "partialArgs")
				}
			}
		default:
			o.Like("functionCall", "function_call", "text")
		}
	}
	raw := c.Since(from)
	if raw == nil {
		return edits
	}
	w.token()
	f.collect(w, raw, text, thought)
	if !call {
		return edits
	}
	if partial {
		if len(name) > 0 && len(w.facts.ToolCalls) < maxCalls {
			w.facts.ToolCalls = append(w.facts.ToolCalls, gateway.ToolCall{ID: wire.Unquote(id), Name: wire.Unquote(name)})
		}
		if w.judge == nil {
			return edits
		}
		said := ""
		if len(name) > 0 || !f.cut {
			said = refusedCall(wire.Unquote(name), errPartial)
		}
		f.cut = true
		return append(edits, wire.Edit{From: from, To: c.Pos(), With: converse.element(said)})
	}
	if len(args) == 0 {
		args = []byte("{}")
	}
	if no := w.ask(gateway.ToolCall{ID: wire.Unquote(id), Name: wire.Unquote(name), Arguments: clone(args)}); no != nil {
		return append(edits, wire.Edit{From: from, To: c.Pos(), With: converse.element(refusedCall(wire.Unquote(name), no))})
	}
	return edits
}

// collect puts the parts of a stream together; texts that follow each other are
// one part.
func (f *geminiAnswer) collect(w *watcher, raw, text []byte, thought bool) {
	if w.split == nil {
		return // noted whole
	}
	kind := byte(0)
	if text != nil {
		if kind = 't'; thought {
			kind = 'r'
		}
	}
	if kind != 0 && kind == f.open {
		w.keep(&f.parts, text)
		return
	}
	f.close()
	if len(f.parts) > 0 {
		f.parts = append(f.parts, ',')
	}
	switch kind {
	case 0:
		n := len(f.parts)
		if w.keep(&f.parts, raw); len(f.parts) == n && n > 0 {
			f.parts = f.parts[:n-1] // no room: nor for its comma
		}
	case 'r':
		f.parts = append(f.parts, `{"thought":true,"text":"`...)
		w.keep(&f.parts, text)
	default:
		f.parts = append(f.parts, `{"text":"`...)
		w.keep(&f.parts, text)
	}
	f.open = kind
}

func (f *geminiAnswer) close() {
	if f.open != 0 {
		f.parts = append(f.parts, `"}`...)
		f.open = 0
	}
}

func (f *geminiAnswer) done(*watcher) error { return nil }

func (f *geminiAnswer) member(w *watcher, key, value []byte) {
	if string(key) != "candidates" {
		if string(key) == "promptFeedback" {
			c := wire.Inner(value)
			f.blocked(w, &c)
			return
		}
		w.common(key, value)
		return
	}
	w.output(genai.Gemini, value)
	if w.judge != nil {
		return // rewrite asks
	}
	c := wire.Inner(value)
	for a := c.Array(); a.Next(); {
		f.candidate(w, &c, nil)
	}
}

func (f *geminiAnswer) rewrite(w *watcher, body []byte) ([]byte, error) {
	changed, err := f.answer(w, body)
	if changed == nil {
		changed = body
	}
	return changed, err
}

func (f *geminiAnswer) contents() []activity.Content {
	f.close()
	if len(f.parts) == 0 {
		return nil
	}
	raw := append(append([]byte(`[{"role":"model","parts":[`), f.parts...), `]}]`...)
	return []activity.Content{{Field: activity.ContentOutput, Format: genai.Gemini, From: "response", Raw: raw}}
}
