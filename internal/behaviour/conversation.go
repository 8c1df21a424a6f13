package behaviour

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"strings"
)

// Conversation hears the messages of a request to a model: a JSON array of them
// in any of the providers' forms. A request repeats all that was said before:
// what this scope heard already is passed over. name gives the tool that a call
// was of; it may be nil.
func (m *Memory) Conversation(w Who, step string, messages []byte, name func(call []byte) string) {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	scopes := m.scopes.of(w)
	c := conversation{scopes: scopes, buf: buf, step: step, name: name, in: messages}
	// What was heard in the narrowest was heard in the wider ones too.
	c.at = scopes[0].known(messages)
	scopes[0].knows(messages, c.hear())
}

// known is how much of a conversation was heard; 0 is nothing.
func (s *scope) known(messages []byte) (length int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.talks {
		if t.length > length && t.length <= len(messages) && sampled(messages[:t.length]) == t.hash {
			length = t.length
		}
	}
	return length
}

// knows notes that a conversation was heard so far.
func (s *scope) knows(messages []byte, length int) {
	if length == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.talks[s.next] = talk{length, sampled(messages[:length])}
	s.next = (s.next + 1) % len(s.talks)
}

// sampled is a digest of a long text's beginning and end: who repeats a
// conversation changes its end, if anything.
func sampled(b []byte) uint64 {
	const part = 4 << 10
	if len(b) <= 2*part {
		return maphash.Bytes(seed, b)
	}
	return maphash.Bytes(seed, b[:part]) ^ bits.RotateLeft64(maphash.Bytes(seed, b[len(b)-part:]), 1)
}

// conversation walks messages; what it cannot read it passes over as a whole,
// since the protocol refuses a body that is no JSON.
type conversation struct {
	scopes []*scope
	buf    *buffer
	step   string
	name   func(call []byte) string
	in     []byte
	at     int
}

// hear hears the messages from at on and gives where the last one ends.
func (c *conversation) hear() (last int) {
	if c.at == 0 {
		if c.space(); !c.take('[') {
			return 0
		}
	}
	last = c.at
	for {
		c.space()
		c.take(',')
		c.space()
		if c.at >= len(c.in) || c.in[c.at] == ']' {
			return last
		}
		from := c.at
		if !c.skip() {
			return last
		}
		c.message(c.in[from:c.at])
		last = c.at
	}
}

// message hears one message.
func (c *conversation) message(raw []byte) {
	by, call := speaker(raw)
	if by == ByModel {
		// Its own words say nothing new, but what calls were of.
		return
	}
	c.texts(raw, Source{By: by, Step: c.stepOf(by), Tool: c.toolOf(by, call)}, 0)
}

func (c *conversation) stepOf(by Said) string {
	if by == ByTool {
		return c.step
	}
	return ""
}

func (c *conversation) toolOf(by Said, call []byte) string {
	if by != ByTool || c.name == nil || len(call) == 0 {
		return ""
	}
	return c.name(call)
}

// speaker reads who says a message, and of a result which call it answers.
func speaker(raw []byte) (by Said, call []byte) {
	by = ByUser // words alone are the user's
	members(raw, func(key, value []byte) {
		switch string(key) {
		case "role":
			switch string(unquoted(value)) {
			case "assistant", "model":
				by = ByModel
			case "tool", "function", "ipython":
				by = ByTool
			case "system", "developer":
				by = BySystem
			}
		case "type":
			if b, ok := byType(unquoted(value)); ok {
				by = b
			}
		case "tool_call_id", "call_id", "tool_use_id", "toolUseId", "name":
			call = unquoted(value)
		}
	})
	return by, call
}

// byType is who says a part of this type.
func byType(typ []byte) (Said, bool) {
	t := string(typ)
	switch {
	case strings.HasSuffix(t, "_result"), strings.HasSuffix(t, "_output"), t == "tool_result":
		return ByTool, true
	case strings.HasSuffix(t, "_call"), t == "tool_use", t == "reasoning", t == "thinking", t == "output_text", t == "refusal":
		return ByModel, true
	}
	return 0, false
}

// results are members that hold a tool's result, by providers' names.
func isResult(key []byte) bool {
	switch string(key) {
	case "toolResult", "functionResponse", "function_response", "tool_result":
		return true
	}
	return false
}

func isCall(key []byte) bool {
	switch string(key) {
	case "toolUse", "functionCall", "function_call", "tool_calls", "tool_use":
		return true
	}
	return false
}

// texts hears every text of a value, parts of others in their name.
func (c *conversation) texts(raw []byte, from Source, depth int) {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 || depth > 32 {
		return
	}
	switch raw[0] {
	case '"':
		c.text(raw[1:max(1, len(raw)-1)], from)
	case '[':
		elements(raw, func(e []byte) { c.texts(e, from, depth+1) })
	case '{':
		var call []byte
		by, typed := from.By, false
		members(raw, func(key, value []byte) {
			switch string(key) {
			case "type":
				if b, ok := byType(unquoted(value)); ok && depth > 0 {
					by, typed = b, true
				}
			case "tool_call_id", "call_id", "tool_use_id", "toolUseId", "name":
				call = unquoted(value)
			}
		})
		if typed && by == ByModel {
			return
		}
		if typed {
			from = Source{By: by, Step: c.stepOf(by), Tool: c.toolOf(by, call)}
		}
		members(raw, func(key, value []byte) {
			switch {
			case isCall(key):
			case isResult(key):
				_, call := speaker(value)
				c.texts(value, Source{By: ByTool, Step: c.step, Tool: c.toolOf(ByTool, call)}, depth+1)
			case string(key) == "role" || string(key) == "type" || string(key) == "id":
			case string(key) == "data" || string(key) == "bytes" || string(key) == "file_data" || string(key) == "image_url":
				if len(value) < 4<<10 { // an address; what is longer is the thing itself
					c.texts(value, from, depth+1)
				}
			default:
				c.texts(value, from, depth+1)
			}
		})
	}
}

func (c *conversation) text(escaped []byte, from Source) {
	if bytes.HasPrefix(escaped, []byte("data:")) && len(escaped) > 4<<10 {
		escaped = nil
	}
	c.buf.collect(from.By, escaped, true)
	for _, s := range c.scopes {
		s.take(from, c.buf)
	}
}

func unquoted(v []byte) []byte {
	if len(v) >= 2 && v[0] == '"' {
		return v[1 : len(v)-1]
	}
	return nil
}

// members calls each for the members of a JSON object.
func members(raw []byte, each func(key, value []byte)) {
	c := conversation{in: raw}
	if !c.take('{') {
		return
	}
	for {
		c.space()
		c.take(',')
		c.space()
		from := c.at
		if c.at >= len(c.in) || c.in[c.at] != '"' || !c.skip() {
			return
		}
		key := c.in[from+1 : c.at-1]
		c.space()
		if !c.take(':') {
			return
		}
		c.space()
		from = c.at
		if !c.skip() {
			return
		}
		each(key, c.in[from:c.at])
	}
}

// elements calls each for the elements of a JSON array.
func elements(raw []byte, each func(e []byte)) {
	c := conversation{in: raw}
	if !c.take('[') {
		return
	}
	for {
		c.space()
		c.take(',')
		c.space()
		from := c.at
		if c.at >= len(c.in) || c.in[c.at] == ']' || !c.skip() {
			return
		}
		each(c.in[from:c.at])
	}
}

func (c *conversation) space() {
	for c.at < len(c.in) && (c.in[c.at] == ' ' || c.in[c.at] == '\n' || c.in[c.at] == '\t' || c.in[c.at] == '\r') {
		c.at++
	}
}

func (c *conversation) take(b byte) bool {
	if c.at < len(c.in) && c.in[c.at] == b {
		c.at++
		return true
	}
	return false
}

// skip passes over one value; false where there is none. It only counts
// brackets: that they match is the protocol's to see.
func (c *conversation) skip() bool {
	from := c.at
	depth := 0
	for c.at < len(c.in) {
		switch b := c.in[c.at]; b {
		case '"':
			if !c.quoted() {
				return false
			}
			if depth == 0 {
				return true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return c.at > from
			}
			if depth--; depth == 0 {
				c.at++
				return true
			}
		case ',':
			if depth == 0 {
				return c.at > from
			}
		}
		c.at++
	}
	return depth == 0 && c.at > from
}

func (c *conversation) quoted() bool {
	for i := c.at + 1; ; {
		j := bytes.IndexByte(c.in[i:], '"')
		if j < 0 {
			return false
		}
		i += j + 1
		slashes := 0
		for k := i - 2; k > c.at && c.in[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			c.at = i
			return true
		}
	}
}
