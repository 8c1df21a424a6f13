package dialect

import (
	"bytes"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// Chat is the format of content rules whose value may be messages: a list of
// them, one alone, or an object that holds a list under "messages" and perhaps
// the tools offered. What is none of these is JSON or text.
const Chat = "chat"

// chats gives the contents of format Chat the format that they have. What a
// chain gives out is its state, with the whole conversation in it: only models
// and agents say messages.
func (s *Span) chats(kind activity.Kind) {
	for i := range s.contents {
		c := &s.contents[i]
		if c.format != Chat {
			continue
		}
		c.format = genai.JSON
		speaks := c.field == ContentInput || (c.field == ContentOutput && (kind == activity.KindModel || kind == activity.KindAgent))
		if c.v.Type != String || !speaks {
			continue
		}
		raw := c.v.Raw()
		messages, tools := split(raw)
		if tools != nil {
			s.contents = append(s.contents, found{field: ContentTools, rank: c.rank, format: genai.Tools, from: c.from, v: Value{Type: String, b: tools}})
			c = &s.contents[i]
		}
		if messages != nil {
			c.format, c.v = genai.OpenAI, Value{Type: String, b: messages}
		}
	}
}

// split finds messages and tools in a request or an answer as a client hands it
// to its tracer; nil for what is not there.
func split(raw []byte) (messages, tools []byte) {
	raw = bytes.TrimSpace(raw)
	switch open, end := ends(raw); {
	case open == '[' && end == ']':
		return spoken(raw), nil
	case open == '{' && end == '}':
		if genai.Role(genai.OpenAI, raw) != "" {
			return raw, nil
		}
		if !bytes.Contains(raw, []byte(`"messages"`)) && !bytes.Contains(raw, []byte(`"generations"`)) {
			return nil, nil
		}
		o := Raw(raw).Object()
		if messages = spoken(o.Get("messages")); messages == nil {
			return spoken(o.Get("generations")), nil // LangChain: choices around messages
		}
		if offered := o.Get("tools"); len(offered) > 2 && offered[0] == '[' {
			tools = offered
		}
		return messages, tools
	}
	return nil, nil
}

// spoken is a list whose elements are messages: they name a role each, are
// LangChain's constructors, or choices around one. A list of one such list, how
// LangChain writes a batch of one, is that list. It is nil for any other.
func spoken(list []byte) []byte {
	var only []byte
	n, said := 0, true
	err := genai.Split(list, func(e []byte) bool {
		n++
		only = e
		said = said && (genai.Role(genai.OpenAI, e) != "" || bytes.HasPrefix(e, []byte(`{"lc"`)))
		return n < 64
	})
	switch {
	case err != nil || n == 0:
		return nil
	case said:
		return list
	case n == 1 && only[0] == '[':
		return spoken(only)
	}
	return nil
}
