package llm

import (
	"cmp"
	"slices"
	"strconv"

	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
)

func sortEdits(edits []wire.Edit) {
	slices.SortFunc(edits, func(a, b wire.Edit) int { return cmp.Compare(a.From, b.From) })
}

// converse is the vocabulary of Bedrock's Converse. Blocks of text have no
// beginning of their own.
var converse = vocabulary{
	read: readConverseEvent, ended: "end_turn", wants: "tool_use", format: genai.Bedrock,
	text: func(index int64, text string) []named {
		n, q := strconv.FormatInt(index, 10), string(wire.Quote(nil, text))
		return []named{
			{"contentBlockDelta", []byte(`{"contentBlockIndex":` + n + `,"delta":{"text":"` + q + `"}}`)},
			{"contentBlockStop", []byte(`{"contentBlockIndex":` + n + `}`)},
		}
	},
	whole: wholeConverse,
	element: func(text string) []byte {
		return append(wire.Quote([]byte(`{"text":"`), text), `"}`...)
	},
	message: func(list []*block) []byte {
		b := []byte(`[{"role":"assistant","content":[`)
		for i, x := range list {
			if i > 0 {
				b = append(b, ',')
			}
			switch {
			case x.tool:
				b = append(append(append(append(b, `{"toolUse":{"toolUseId":"`...), x.id...), `","name":"`...), x.name...)
				b = append(append(append(b, `","input":`...), x.json()...), `}}`...)
			case x.thought:
				b = append(append(append(b, `{"reasoningContent":{"reasoningText":{"text":"`...), x.text...), `"}}}`...)
			case x.other:
				b = append(b, x.input...)
			default:
				b = append(append(append(b, `{"text":"`...), x.text...), `"}`...)
			}
		}
		return append(b, `]}]`...)
	},
}

// nova is Converse's vocabulary in the events of invoke, where an event's name
// is the key around it.
var nova = func() vocabulary {
	v := converse
	v.read = readNovaEvent
	v.text = func(index int64, text string) []named {
		list := converse.text(index, text)
		for i, e := range list {
			list[i].data = append(append([]byte(`{"`+e.name+`":`), e.data...), '}')
		}
		return list
	}
	return v
}()

type converseFamily struct{ blocks }

func newConverse(*request) family { return &converseFamily{blocks{words: converse}} }

// newInvoke reads what the model of the path answers in its own words.
func newInvoke(r *request) family {
	switch r.shape {
	case "anthropic":
		return newMessages(r)
	case "nova":
		return &converseFamily{blocks{words: nova}}
	case "openai":
		return &chat{}
	}
	return &plain{noOutput: r.silent}
}

func (f *converseFamily) member(w *watcher, key, value []byte) {
	if string(key) != "output" {
		f.blocks.member(w, key, value)
		return
	}
	c := wire.Inner(value)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "message" {
			continue
		}
		from := c.Pos()
		for m := c.Object(); m.Next(); {
			if string(m.Key) == "content" {
				for a := c.Array(); a.Next(); {
					if b := readConverseBlock(&c); b.tool && w.judge == nil {
						f.ask(w, &b)
					}
				}
			}
		}
		w.output(genai.Bedrock, append(append([]byte{'['}, c.Since(from)...), ']'))
	}
}

// readConverseBlock reads a block, whole or at its beginning.
func readConverseBlock(c *wire.Cursor) (b block) {
	from := c.Pos()
	b.other = true
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "text":
			b.other = false
			b.text, _ = c.Quoted()
		case "toolUse":
			b.tool = true
			for t := c.Object(); t.Next(); {
				switch string(t.Key) {
				case "toolUseId":
					b.id, _ = c.Quoted()
				case "name":
					b.name, _ = c.Quoted()
				case "input":
					b.input = c.Raw()
				default:
					t.Like("toolUseId", "name", "input")
				}
			}
		default:
			o.Like("text", "toolUse")
		}
	}
	if b.tool {
		b.other, b.text = false, nil
	}
	if b.other {
		b.input = c.Since(from)
	}
	return b
}

func readConverseEvent(w *watcher, ev *wire.Event) (s step, err error) {
	c := wire.NewCursor(ev.Data)
	s.converse(w, ev.Name, &c)
	return s, c.End()
}

func readNovaEvent(w *watcher, ev *wire.Event) (s step, err error) {
	c := wire.NewCursor(ev.Data)
	n := 0
	for o := c.Object(); o.Next(); {
		if string(o.Key) == invocationMetrics {
			w.metrics(c.Raw())
			continue
		}
		if n++; n > 1 {
			return s, errStrange // two events in one
		}
		s.converse(w, string(o.Key), &c)
	}
	return s, c.End()
}

// converse reads an event of this name.
func (s *step) converse(w *watcher, name string, c *wire.Cursor) {
	switch name {
	case "messageStart":
		s.what = "message_start"
	case "contentBlockStart":
		s.what = "start"
	case "contentBlockDelta":
		s.what = "delta"
	case "contentBlockStop":
		s.what = "stop"
	case "messageStop":
		s.what = "message_delta"
	}
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "contentBlockIndex":
			s.index, _ = c.Int()
		case "start":
			s.block = readConverseBlock(c)
		case "delta":
			s.converseDelta(c)
		case "stopReason":
			from := c.Pos()
			s.why, _ = c.Quoted()
			s.stop = span(from, c.Pos())
		case "usage":
			s.usage = c.Raw()
		case "message":
			if c.Kind() == '"' {
				w.failed(name, c.Text())
			}
		default:
			o.Like("contentBlockIndex", "start", "delta", "stopReason")
		}
	}
}

func (s *step) converseDelta(c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "text":
			s.text, _ = c.Quoted()
		case "toolUse":
			s.tool = true
			for t := c.Object(); t.Next(); {
				if string(t.Key) == "input" {
					s.text, _ = c.Quoted()
				} else {
					t.Like("input")
				}
			}
		case "reasoningContent":
			s.think = true
			for t := c.Object(); t.Next(); {
				if string(t.Key) == "text" {
					s.text, _ = c.Quoted()
				}
			}
		default:
			o.Like("toolUse")
		}
	}
}

func wholeConverse(c *wire.Cursor, each func(from int, b *block, to int)) (stop wire.Edit, why []byte) {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "output":
			for p := c.Object(); p.Next(); {
				if string(p.Key) == "message" {
					converseContent(c, each)
				} else {
					p.Like("message")
				}
			}
		case "stopReason":
			from := c.Pos()
			why, _ = c.Quoted()
			stop = span(from, c.Pos())
		default:
			o.Like("output", "stopReason")
		}
	}
	return stop, why
}

func converseContent(c *wire.Cursor, each func(from int, b *block, to int)) {
	for m := c.Object(); m.Next(); {
		if string(m.Key) != "content" {
			m.Like("content")
			continue
		}
		for a := c.Array(); a.Next(); {
			from := c.Pos()
			b := readConverseBlock(c)
			each(from, &b, c.Pos())
		}
	}
}
