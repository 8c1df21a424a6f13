package llm

import (
	"bytes"
	"strings"

	"reeve/internal/gateway/llm/wire"
)

// quoted is where a string that was just passed over stands, between its quotes;
// ok is false for another value.
func quoted(c *wire.Cursor) (from, to int, ok bool) {
	at := c.Pos()
	if _, ok = c.Quoted(); !ok {
		return 0, 0, false
	}
	return at + 1, c.Pos() - 1, true
}

// texts of chat completions and completions: words, thoughts, refusals and
// arguments by choice, whole when the choice finishes.
func (f *chat) texts(s *sieve, ev *wire.Event) error {
	if string(ev.Data) == "[DONE]" {
		return s.endAll()
	}
	c := wire.NewCursor(ev.Data)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "choices" {
			continue
		}
		for a := c.Array(); a.Next(); {
			if err := chatTexts(s, &c); err != nil {
				return err
			}
		}
	}
	return c.End()
}

// told is a part before it is known which choice it belongs to.
type told struct {
	kind     string
	number   int64
	id       bool // a call begins
	json     bool
	from, to int
}

func chatTexts(s *sieve, c *wire.Cursor) error {
	var choice int64
	var list []told
	finished := false
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "index":
			choice, _ = c.Int()
		case "text":
			list = tell(list, c, "text")
		case "delta", "message":
			list = chatDelta(list, c)
		case "finish_reason":
			_, finished = c.Quoted()
		}
	}
	for _, t := range list {
		key := textKey{t.kind, choice, t.number}
		if t.number < 0 { // some servers number no calls: an id begins one
			if t.id {
				if err := s.end(func(k textKey) bool { return k == key }); err != nil {
					return err
				}
			}
		}
		if t.to == 0 {
			continue
		}
		if err := s.part(key, t.json, t.from, t.to); err != nil {
			return err
		}
	}
	if !finished {
		return nil
	}
	return s.end(func(k textKey) bool { return k.at == choice })
}

func tell(list []told, c *wire.Cursor, kind string) []told {
	if from, to, ok := quoted(c); ok {
		list = append(list, told{kind: kind, from: from, to: to})
	}
	return list
}

func chatDelta(list []told, c *wire.Cursor) []told {
	for o := c.Object(); o.Next(); {
		switch key := string(o.Key); key {
		case "content", "reasoning_content", "reasoning", "refusal":
			list = tell(list, c, key)
		case "function_call":
			list = append(list, chatCall(c, false))
		case "tool_calls":
			for a := c.Array(); a.Next(); {
				list = append(list, chatCall(c, true))
			}
		}
	}
	return list
}

// chatCall reads a part of a call, or with element false of a function_call.
func chatCall(c *wire.Cursor, element bool) told {
	t := told{kind: "call", number: -1, json: true}
	arguments := func() {
		for o := c.Object(); o.Next(); {
			switch string(o.Key) {
			case "arguments", "input":
				if from, to, ok := quoted(c); ok {
					t.from, t.to = from, to
				}
			}
		}
	}
	if !element {
		t.kind = "function_call"
		arguments()
		return t
	}
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "index":
			if n, ok := c.Int(); ok {
				t.number = n
			}
		case "id":
			id, _ := c.Quoted()
			t.id = len(id) > 0
		case "function":
			arguments()
		case "custom":
			t.json = c.Kind() != '{'
			arguments()
		}
	}
	return t
}

// texts of blocks: one each, whole when the block stops.
func (f *blocks) texts(s *sieve, ev *wire.Event) error {
	c := wire.NewCursor(ev.Data)
	if err := blockTexts(s, ev.Name, &c); err != nil {
		return err
	}
	return c.End()
}

// blockTexts reads an event in the words of Anthropic and Converse; Nova's have
// their name around them.
func blockTexts(s *sieve, name string, c *wire.Cursor) error {
	var index int64
	var list []told
	for o := c.Object(); o.Next(); {
		switch key := string(o.Key); key {
		case "type":
			name = string(c.Word())
		case "index", "contentBlockIndex":
			index, _ = c.Int()
		case "delta", "content_block":
			list = blockDelta(list, c)
		case "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop":
			if err := blockTexts(s, key, c); err != nil {
				return err
			}
		}
	}
	for _, t := range list {
		if err := s.part(textKey{t.kind, index, 0}, t.json, t.from, t.to); err != nil {
			return err
		}
	}
	switch name {
	case "content_block_stop", "contentBlockStop":
		return s.end(func(k textKey) bool { return k.at == index })
	case "message_delta", "message_stop", "messageStop":
		return s.endAll()
	}
	return nil
}

func blockDelta(list []told, c *wire.Cursor) []told {
	call := func() {
		if from, to, ok := quoted(c); ok {
			list = append(list, told{kind: "call", json: true, from: from, to: to})
		}
	}
	for o := c.Object(); o.Next(); {
		switch key := string(o.Key); key {
		case "text", "thinking":
			list = tell(list, c, key)
		case "partial_json":
			call()
		case "toolUse":
			for t := c.Object(); t.Next(); {
				if string(t.Key) == "input" {
					call()
				}
			}
		case "reasoningContent":
			for t := c.Object(); t.Next(); {
				if string(t.Key) == "text" {
					list = tell(list, c, "thinking")
				}
			}
		}
	}
	return list
}

// texts of Responses: a .delta goes on with one, the .done of the same name tells
// it again as a whole, and so do the events of its part, its item and the answer.
// A text that is told again is looked at in the same manner, so that it says the
// same.
func (f *responses) texts(s *sieve, ev *wire.Event) error {
	data := ev.Data
	if string(data) == "[DONE]" {
		return s.endAll()
	}
	var kind string
	var output, content int64
	delta := told{}
	var again []told
	c := wire.NewCursor(data)
	for o := c.Object(); o.Next(); {
		key, from := o.Key, c.Pos()
		switch string(key) {
		case "type":
			kind = string(c.Word())
		case "output_index":
			output, _ = c.Int()
		case "content_index", "summary_index":
			content, _ = c.Int()
		case "delta":
			delta.from, delta.to, _ = quoted(&c)
		case "text", "refusal", "arguments", "input", "code":
			again = toldAgain(again, data, key, from, pass(&c))
		case "item", "part", "response":
			eachMember(&c, func(key []byte, from, to int) { again = toldAgain(again, data, key, from, to) })
		}
	}
	if err := c.End(); err != nil {
		return err
	}
	for _, t := range again {
		if err := s.whole(t.json, t.from, t.to); err != nil {
			return err
		}
	}
	name, isDelta := strings.CutSuffix(kind, ".delta")
	switch {
	case isDelta && delta.to > 0 && !strings.HasSuffix(name, ".audio"):
		return s.part(textKey{name, output, content}, strings.HasSuffix(name, "_arguments"), delta.from, delta.to)
	case kind == "response.output_item.done":
		return s.end(func(k textKey) bool { return k.at == output })
	case kind == "response.completed", kind == "response.incomplete", kind == "response.failed", kind == "error":
		return s.endAll()
	}
	if name, is := strings.CutSuffix(kind, ".done"); is {
		return s.end(func(k textKey) bool { return k == textKey{name, output, content} })
	}
	return nil
}

func pass(c *wire.Cursor) (to int) {
	c.Skip()
	return c.Pos()
}

// toldAgain adds a member that is a text.
func toldAgain(list []told, data, key []byte, from, to int) []told {
	switch string(key) {
	case "text", "refusal", "arguments", "input", "code":
		if to-from >= 2 && data[from] == '"' {
			list = append(list, told{json: bytes.Equal(key, []byte("arguments")), from: from + 1, to: to - 1})
		}
	}
	return list
}

// texts of Gemini: a candidate's words and thoughts, and arguments that come in
// pieces, by their path.
func (f *geminiAnswer) texts(s *sieve, ev *wire.Event) error {
	c := wire.NewCursor(ev.Data)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "candidates" {
			continue
		}
		for a := c.Array(); a.Next(); {
			if err := geminiTexts(s, &c); err != nil {
				return err
			}
		}
	}
	return c.End()
}

func geminiTexts(s *sieve, c *wire.Cursor) error {
	var candidate int64
	var list []told
	finished := false
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "index":
			candidate, _ = c.Int()
		case "finishReason":
			_, finished = c.Quoted()
		case "content":
			for m := c.Object(); m.Next(); {
				if string(m.Key) == "parts" {
					for a := c.Array(); a.Next(); {
						list = geminiPart(list, c)
					}
				}
			}
		}
	}
	for _, t := range list {
		if t.id { // a call begins: no piece goes on with another's
			if err := s.end(func(k textKey) bool { return k.at == candidate && strings.HasPrefix(k.kind, "$") }); err != nil {
				return err
			}
			continue
		}
		if err := s.part(textKey{t.kind, candidate, 0}, false, t.from, t.to); err != nil {
			return err
		}
	}
	if !finished {
		return nil
	}
	return s.end(func(k textKey) bool { return k.at == candidate })
}

func geminiPart(list []told, c *wire.Cursor) []told {
	t := told{kind: "text"}
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "text":
			t.from, t.to, _ = quoted(c)
		case "thought":
			if c.True() {
				t.kind = "thought"
			}
		case "functionCall", "function_call":
			list = geminiCall(list, c)
		}
	}
	if t.to > 0 {
		list = append(list, t)
	}
	return list
}

// geminiCall reads the pieces of a call's arguments.
func geminiCall(list []told, c *wire.Cursor) []told {
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "name":
			if name, _ := c.Quoted(); len(name) > 0 {
				list = append(list, told{id: true})
			}
		case "partialArgs", "partial_args":
			for a := c.Array(); a.Next(); {
				t := told{}
				for m := c.Object(); m.Next(); {
					switch string(m.Key) {
					case "jsonPath", "json_path":
						t.kind = "$" + c.Text()
					case "stringValue", "string_value":
						t.from, t.to, _ = quoted(c)
					}
				}
				if t.to > 0 {
					list = append(list, t)
				}
			}
		}
	}
	return list
}
