package dialect

import (
	"bytes"
	"strings"

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
		speaks := c.field == ContentInput || (c.field == ContentOutput && (kind == activity.KindModel || kind == activity.KindAgent))
		if c.kept > 0 && (!speaks || !s.kept.heard(c, kind)) {
			continue
		}
		c.format = genai.JSON
		if c.v.Type != String || !speaks {
			continue
		}
		raw := c.v.Raw()
		said := split(raw)
		if said.tools != nil {
			s.contents = append(s.contents, found{field: ContentTools, rank: c.rank, format: genai.Tools, from: c.from, v: Value{Type: String, b: said.tools}})
			c = &s.contents[i]
		}
		if said.system != nil {
			s.contents = append(s.contents, found{field: ContentSystem, rank: c.rank, format: said.systemFormat, from: c.from, v: Value{Type: String, b: said.system}})
			c = &s.contents[i]
		}
		if said.messages != nil {
			c.format, c.v = said.format, Value{Type: String, b: said.messages}
		}
	}
}

// said is what a value was found to be.
type said struct {
	messages []byte // a list, or one
	format   string
	tools    []byte
	system   []byte // instructions that stand beside the messages

	systemFormat string
}

// containers are the members under which requests and answers keep messages, in
// the order in which they are looked for, with the format of those.
var containers = [...]struct{ member, format string }{
	{"messages", genai.OpenAI},
	{"choices", genai.Events},     // OpenAI's chat completions: {message, finish_reason}
	{"generations", genai.OpenAI}, // LangChain: choices around messages
	{"candidates", genai.Gemini},  // Gemini's answers
	{"contents", genai.Gemini},    // and requests
	{"output", genai.Responses},   // OpenAI's Responses
	{"output_messages", genai.OpenAI},
	{"input", genai.Responses},
}

// split finds messages and tools in a request or an answer as a client hands it
// to its tracer.
func split(raw []byte) (out said) {
	raw = bytes.TrimSpace(raw)
	switch open, end := ends(raw); {
	case open == '[' && end == ']':
		if out.messages, out.format = spoken(raw); out.messages == nil && calls(raw) {
			out.messages, out.format = wrapped(`[{"role":"assistant","tool_calls":`, raw, `}]`), genai.OpenAI
		}
	case open == '{' && end == '}':
		if speaks(raw) {
			return said{messages: raw, format: genai.OpenAI}
		}
		o := Raw(raw).Object()
		for _, c := range containers {
			v := o.Get(c.member)
			switch {
			case v == nil:
				continue
			case v[0] == '"' && c.format != genai.OpenAI: // a text alone
				out.messages, out.format = wrapped(`[{"role":"user","content":`, v, `}]`), genai.OpenAI
			case c.format == genai.OpenAI || c.format == genai.Responses:
				out.messages, out.format = spoken(v)
			case v[0] == '[':
				out.messages, out.format = v, c.format
			}
			if out.messages != nil {
				break
			}
		}
		if content := o.Get("content"); out.messages == nil && content.Object().Get("parts") != nil {
			out.messages, out.format = wrapped("[", content, "]"), genai.Gemini // an answer of Google's kits
		}
		if offered := o.Get("tools"); out.messages != nil && len(offered) > 2 && offered[0] == '[' {
			out.tools = offered
		}
		out.instructed(o)
	}
	return out
}

// instructed finds the system's words where requests keep them apart.
func (s *said) instructed(o Object) {
	v := o.Get("config").Object().Get("system_instruction")
	for _, key := range [...]string{"system", "system_instruction", "systemInstruction"} {
		if v == nil {
			v = o.Get(key)
		}
	}
	switch parts := v.Object().Get("parts"); {
	case s.messages == nil:
	case parts != nil:
		s.system, s.systemFormat = parts, genai.Parts
	case len(v) > 2 && v[0] == '[':
		s.system, s.systemFormat = v, genai.Parts
	case v.Text() != "":
		s.system, s.systemFormat = []byte(v.Text()), genai.Text
	}
}

// calls reports a list of nothing but calls of tools, how the AI SDK gives them.
func calls(list []byte) bool {
	n, all := 0, true
	err := genai.Split(list, func(e []byte) bool {
		n++
		all = all && bytes.Contains(e, []byte(`"toolCallId"`)) && bytes.Contains(e, []byte(`"toolName"`))
		return all && n < 64
	})
	return all && n > 0 && (err == nil || n == 64)
}

func wrapped(before string, v []byte, after string) []byte {
	return append(append([]byte(before), v...), after...)
}

// speaks reports a message: it names a role, or is LangChain's.
func speaks(e []byte) bool {
	if genai.Role(genai.OpenAI, e) != "" || bytes.HasPrefix(e, []byte(`{"lc"`)) {
		return true
	}
	if len(e) == 0 || e[0] != '{' || !bytes.Contains(e, []byte(`"content"`)) {
		return false
	}
	switch Raw(e).Object().Get("type").Text() {
	case "human", "ai", "tool", "system", "AIMessageChunk", "function":
		return true
	}
	return false
}

// item reports a part of OpenAI's Responses that is no message.
func item(e []byte) bool {
	if len(e) == 0 || e[0] != '{' || !bytes.Contains(e, []byte(`"type"`)) {
		return false
	}
	switch t := Raw(e).Object().Get("type").Text(); t {
	case "message", "reasoning", "function_call", "function_call_output":
		return true
	default:
		return strings.HasSuffix(t, "_call") || strings.HasSuffix(t, "_call_output")
	}
}

// spoken is a list whose elements are messages or items of Responses. A list of
// one such list, how LangChain writes a batch of one, is that list. It is nil for
// any other.
func spoken(list []byte) (messages []byte, format string) {
	return spokenIn(list, true)
}

// spokenIn is spoken; a list around the list is looked into once: a hostile
// sender nests thousands, and each would be walked.
func spokenIn(list []byte, around bool) (messages []byte, format string) {
	var only []byte
	n, all, items := 0, true, false
	err := genai.Split(list, func(e []byte) bool {
		n++
		only = e
		switch {
		case speaks(e):
		case item(e):
			items = true
		default:
			all = false
		}
		return all && n < 64
	})
	switch {
	case n == 0 || (err != nil && !all):
		return nil, ""
	case n == 1 && only[0] == '[' && around:
		return spokenIn(only, false)
	case n == 1 && only[0] == '[':
		return nil, ""
	case err != nil || !all:
		return nil, ""
	case items:
		return list, genai.Responses
	}
	return list, genai.OpenAI
}
