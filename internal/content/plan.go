package content

import (
	"bytes"
	"hash/maphash"
	"slices"

	"reeve/internal/fault"
)

// Plan is what is looked for in the content of one agent. It never changes and
// is safe for concurrent use. A nil Plan looks for nothing.
type Plan struct {
	set     *Set
	request side
	answer  side
}

// side is one direction of a Plan.
type side struct {
	engine *engine // nil: nothing is looked for
	rules  []use   // strictest first
	holds  bool    // something is blocked or redacted: it must be read, and waits
	own    bool    // nothing but our own keys are looked for
}

// use is a rule as one side applies it.
type use struct {
	classes []string
	name    string
	action  Action
}

// rule is the strictest rule for a class, with what it does; our own keys are
// flagged without one.
func (s *side) rule(class string) (name string, a Action) {
	for _, u := range s.rules {
		for _, c := range u.classes {
			if covers(c, class) {
				return u.name, u.action
			}
		}
	}
	return "", Flag
}

func (s *side) action(class string) Action {
	_, a := s.rule(class)
	return a
}

// Request looks at a request's whole body: out is what may be forwarded, which
// is body itself when nothing is redacted. It fails with content.blocked and
// content.unreadable.
func (p *Plan) Request(body []byte) (out []byte, found []Found, err error) {
	if p == nil {
		return body, nil, nil
	}
	return p.whole(&p.request, body, Redact)
}

// Answer is Request for a whole answer.
func (p *Plan) Answer(body []byte) (out []byte, found []Found, err error) {
	if p == nil {
		return body, nil, nil
	}
	return p.whole(&p.answer, body, Redact)
}

// Stored is what may be kept of a text that goes in or out: without what rules
// redact before storage or before forwarding. answer says which way it goes.
func (p *Plan) Stored(text string, answer bool) string {
	if p == nil || text == "" {
		return text
	}
	s := &p.request
	if answer {
		s = &p.answer
	}
	if s.engine == nil || s.own || !s.stores() {
		return text
	}
	b := []byte(text)
	out := p.redact(s, b, p.scan(s, b), RedactStore)
	return string(out)
}

// stores reports whether something is to be kept out of the store.
func (s *side) stores() bool {
	return slices.ContainsFunc(s.rules, func(u use) bool { return u.action >= RedactStore })
}

// Reads reports whether answers are looked at, so that the upstream must send
// them uncompressed.
func (p *Plan) Reads() bool { return p != nil && p.answer.engine != nil && !p.answer.own }

// Holds reports whether something is blocked or redacted in one direction: what
// passes then may become longer or shorter, or end.
func (p *Plan) Holds(answer bool) bool {
	return p != nil && (answer && p.answer.holds || !answer && p.request.holds)
}

// Encoded says what a Content-Encoding means: content.unreadable when a rule
// must read the body. answer says whose it is.
func (p *Plan) Encoded(encoding string, answer bool) error {
	if p == nil || encoding == "" || encoding == "identity" {
		return nil
	}
	if s := &p.request; answer && p.answer.holds || !answer && s.holds {
		return Unreadable("compressed")
	}
	return nil
}

func (p *Plan) whole(s *side, body []byte, from Action) ([]byte, []Found, error) {
	if s.engine == nil || len(body) == 0 {
		return body, nil, nil
	}
	list, found, err := p.look(s, body)
	switch {
	case err != nil:
		return nil, found, err
	case len(list) == 0:
		return body, found, nil
	}
	return p.redact(s, body, list, from), found, nil
}

// look finds everything in a body, and says what a rule blocks.
func (p *Plan) look(s *side, body []byte) ([]place, []Found, error) {
	if s.own && !mayHoldOwn(body) {
		return nil, nil, nil
	}
	if why := binary(body); why != "" {
		if s.holds {
			return nil, nil, Unreadable(why)
		}
		return nil, nil, nil
	}
	list := p.scan(s, body)
	f := finds{plan: p, side: s}
	for _, m := range list {
		if err := f.add(m.match, m.text); err != nil {
			return nil, f.list(), err
		}
	}
	return list, f.list(), nil
}

// binary says what a body is that cannot be read as text; "" for text.
func binary(body []byte) string {
	for _, m := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "PK\x03\x04", "BZh", "\xfd7zXZ"} {
		if bytes.HasPrefix(body, []byte(m)) {
			return "compressed"
		}
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return "binary"
	}
	return ""
}

// place is a match in a body: start and end are raw, text is what it was found
// in (for our own keys, which are killed by their text).
type place struct {
	match
	text []byte
}

// redact takes out of body what has at least an action.
func (p *Plan) redact(s *side, body []byte, list []place, from Action) []byte {
	cuts := p.cuts(s, body, list, from)
	if len(cuts) == 0 {
		return body
	}
	out := make([]byte, 0, len(body)+64)
	at := int64(0)
	for _, c := range cuts {
		out = append(append(out, body[at:c.From]...), c.With...)
		at = c.To
	}
	return append(out, body[at:]...)
}

// cuts is how that is done.
func (p *Plan) cuts(s *side, body []byte, list []place, from Action) []Cut {
	var take []match
	for _, m := range list {
		if s.action(m.class) >= from {
			take = append(take, match{start: m.rawStart, end: m.rawEnd, at: m.rawStart, class: m.class})
		}
	}
	if len(take) == 0 {
		return nil
	}
	w := writer{json: looksJSON(body)}
	var cuts []Cut
	at := 0
	for _, sp := range merge(take, func(i int) int { return i }) {
		w.follow(body[at:sp.start])
		cuts = append(cuts, Cut{From: int64(sp.start), To: int64(sp.end), With: string(w.redact(nil, body[sp.start:sp.end], sp.class, true))})
		at = sp.end
	}
	return cuts
}

// scan finds everything in a body, message by message.
func (p *Plan) scan(s *side, body []byte) (out []place) {
	json := looksJSON(body)
	for _, seg := range segments(body, json) {
		out = append(out, p.segment(s, body[seg[0]:seg[1]], seg[0], json)...)
	}
	return out
}

// fromMemory is the least length of what is worth remembering.
const fromMemory = 256

var seed = maphash.MakeSeed()

func (p *Plan) segment(s *side, text []byte, offset int, json bool) (out []place) {
	k := memoryKey{hash: maphash.Bytes(seed, text), length: len(text), engine: s.engine.id}
	keep := len(text) >= fromMemory
	list, ok := []match(nil), false
	if keep {
		list, ok = p.set.memory.get(k)
	}
	if !ok {
		list = s.engine.all(text, json)
		if keep {
			p.set.memory.put(k, list)
		}
	}
	for _, m := range list {
		v := place{match: m}
		v.rawStart += offset
		v.rawEnd += offset
		if m.class == OwnKeys { // spelled out again: memory keeps no text
			v.match, v.text = s.engine.spell(text, json, m)
			v.rawStart, v.rawEnd = m.rawStart+offset, m.rawEnd+offset
		}
		out = append(out, v)
	}
	return out
}

// maxViews is how often escapes within escapes are decoded: the arguments of a
// tool call are JSON in a string of JSON.
const maxViews = 3

// all finds everything in a whole text, in every view of it. Places are raw.
func (e *engine) all(text []byte, json bool) (out []match) {
	e.views(text, json, func(v view, raw func(int) int) bool {
		list, _ := e.find(scan{text: v.text, final: true}, nil)
		for _, m := range list {
			m.rawStart, m.rawEnd = raw(m.start), raw(m.end)
			out = append(out, m)
		}
		return true
	})
	slices.SortFunc(out, func(a, b match) int { return byPlace(a.inRaw(), b.inRaw()) })
	return slices.CompactFunc(out, func(a, b match) bool {
		return a.rawStart == b.rawStart && a.rawEnd == b.rawEnd && a.class == b.class
	})
}

func (m match) inRaw() match {
	m.start, m.end, m.at = m.rawStart, m.rawEnd, m.rawStart
	return m
}

// views calls do with each view of a text, from the plainest on, until it says
// false.
func (e *engine) views(text []byte, json bool, do func(v view, raw func(int) int) bool) {
	same := func(i int) int { return i }
	if !json {
		cur, raw := text, same
		for range maxViews {
			v, changed := unpercent(cur)
			if !changed {
				break
			}
			below := raw
			raw = func(i int) int { return below(v.raw(i)) }
			if !unescaped(v.text, raw, do) {
				return
			}
			cur = v.text
		}
	}
	unescaped(text, same, do)
}

// unescaped calls do with each view of a text by JSON's escapes; raw is where a
// place of the text is. It reports whether do wants more.
func unescaped(text []byte, raw func(int) int, do func(v view, raw func(int) int) bool) bool {
	for range maxViews {
		v, _ := unescape(text, true)
		below := raw
		raw = func(i int) int { return below(v.raw(i)) }
		if !do(v, raw) {
			return false
		}
		if v.at == nil || bytes.IndexByte(v.text, '\\') < 0 {
			return true
		}
		text = v.text
	}
	return true
}

// spell finds the text of one of our own keys again.
func (e *engine) spell(text []byte, json bool, m match) (out match, in []byte) {
	e.views(text, json, func(v view, raw func(int) int) bool {
		if m.end <= len(v.text) && raw(m.start) == m.rawStart {
			if list, _ := ownKey(scan{text: v.text, final: true}, m.start, nil); len(list) > 0 {
				out, in = m, v.text
				return false
			}
		}
		return true
	})
	if in == nil {
		return m, make([]byte, m.end) // not reached: it was found there
	}
	return out, in
}

// segments cuts a JSON body where messages end: at commas outside strings, at
// most two levels deep, once half a kilobyte has gathered. Cuts depend on what
// stands before them alone, so a longer history has the same segments. Anything
// else is one segment.
func segments(body []byte, json bool) [][2]int {
	if len(body) < 2*least || !json {
		return [][2]int{{0, len(body)}}
	}
	var out [][2]int
	from, depth := 0, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			end := stringEnd(body, i+1)
			if end < 0 {
				i = len(body)
				continue
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth <= 2 && i-from >= least {
				out = append(out, [2]int{from, i})
				from = i
			}
		}
	}
	return append(out, [2]int{from, len(body)})
}

const least = 512

// stringEnd is where the string that begins at i ends; -1 for none.
func stringEnd(b []byte, i int) int {
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for j := i - 1; j >= 0 && b[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
		i++
	}
}

// classFault is for policy's @redact of something that nobody can find.
func classFault(class string) error {
	return fault.New(fault.KindDenied, "content.class", "nothing is known to find %.60q by, which a policy wants redacted", class).
		WithHint("`reeve content classes` lists what can be found")
}
