package llm

import (
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/jcs"
)

var _ gateway.Speaker = (*Protocol)(nil)

// Say adds a user's message to the end of the conversation that a request
// carries. What is there already stays byte for byte, so that the provider's
// prompt cache still meets it. A request that ends with the model's own words,
// which the model is to continue, takes none.
func (p *Protocol) Say(c *gateway.Call, text string) ([]byte, bool) {
	d := dialects[c.Upstream.Dialect]
	if d == nil {
		return nil, false
	}
	op, _ := d.find(c.Method, c.Path)
	if op == nil {
		return nil, false
	}
	words := jcs.AppendString(nil, text)
	switch op.endpoint {
	case "chat.completions", "messages":
		return sayLast(c.Body, "messages", `{"role":"user","content":`, words, `}`)
	case "converse":
		return sayInside(c.Body, words)
	case "generate_content":
		return sayLast(c.Body, "contents", `{"role":"user","parts":[{"text":`, words, `}]}`)
	case "responses":
		return sayToResponses(c.Body, words)
	}
	return nil, false
}

// list is an array of a request, and the element of it that stands last.
type list struct {
	from, to int // of the array with its brackets
	last     []byte
	lastAt   int
}

// listOf finds a member that is an array.
func listOf(body []byte, member string) (l list, ok bool) {
	c := wire.NewCursor(body)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != member || c.Kind() != '[' {
			c.Skip()
			continue
		}
		l, ok = list{from: c.Pos()}, true
		for a := c.Array(); a.Next(); {
			l.lastAt = c.Pos()
			l.last = c.Raw()
		}
		l.to = c.Pos()
	}
	return l, ok && c.End() == nil && len(l.last) > 0
}

// role is who said an element of a conversation.
func role(element []byte) string {
	c := wire.NewCursor(element)
	out := ""
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "role" {
			out = c.Text()
		} else {
			c.Skip()
		}
	}
	return out
}

// sayLast appends an element to a conversation that does not end with the model.
func sayLast(body []byte, member, before string, words []byte, after string) ([]byte, bool) {
	l, ok := listOf(body, member)
	if !ok {
		return nil, false
	}
	if r := role(l.last); r == "assistant" || r == "model" {
		return nil, false
	}
	return splice(body, l.to-1, ","+before, words, after), true
}

// sayInside adds a block to the user's last message: Bedrock refuses two
// messages of one role in a row.
func sayInside(body, words []byte) ([]byte, bool) {
	l, ok := listOf(body, "messages")
	if !ok || role(l.last) != "user" {
		return nil, false
	}
	blocks, ok := listOf(l.last, "content")
	if !ok {
		return nil, false
	}
	return splice(body, l.lastAt+blocks.to-1, `,{"text":`, words, `}`), true
}

// sayToResponses adds an item to a list of items; a text alone becomes one first.
func sayToResponses(body, words []byte) ([]byte, bool) {
	const before, after = `{"role":"user","content":`, `}`
	if out, ok := sayLast(body, "input", before, words, after); ok {
		return out, true
	}
	c := wire.NewCursor(body)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "input" || c.Kind() != '"' {
			c.Skip()
			continue
		}
		from := c.Pos()
		old := c.Raw()
		out := append(append([]byte(`[`+before), old...), after+`,`+before...)
		out = append(append(out, words...), after+`]`...)
		return wire.Apply(nil, body, []wire.Edit{{From: from, To: c.Pos(), With: out}}), true
	}
	return nil, false
}

func splice(body []byte, at int, before string, words []byte, after string) []byte {
	with := append(append([]byte(before), words...), after...)
	return wire.Apply(make([]byte, 0, len(body)+len(with)), body, []wire.Edit{{From: at, To: at, With: with}})
}
