package content

import (
	"bytes"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// engine looks for a set of classes. It never changes and is safe for
// concurrent use.
//
//	automaton   one walk finds every keyword of every rule, and our own keys
//	quick       most keywords are dismissed by what stands beside them
//	expression  asked around the others only
//	personal    a walk of its own over numbers and @
//	patterns    the house's own expressions, over the whole text
type engine struct {
	id       uint64 // names it in the cache
	words    *automaton
	names    []string        // the words
	uses     [][]*secretRule // by word; nil is one of our own keys
	personal personal
	patterns []*pattern
}

// pattern is an expression of the house's own.
type pattern struct {
	class   string
	re      *regexp.Regexp
	longest int
}

var engines atomic.Uint64

// maxWord is longer than any keyword.
const maxWord = 64

// lookahead is how far behind a keyword a stream waits until it decides. With
// what may stand before it, no more than 256 bytes are held back.
const lookahead = 240

// newEngine makes an engine for classes and everything below them.
func newEngine(classes []string, patterns []*pattern) (*engine, error) {
	rules, err := secretRules()
	if err != nil {
		return nil, err
	}
	wants := func(class string) bool {
		return slices.ContainsFunc(classes, func(c string) bool { return covers(c, class) })
	}
	e := &engine{id: engines.Add(1)}
	var words []string
	index := map[string]int{}
	use := func(w string, r *secretRule) {
		i, ok := index[w]
		if !ok {
			i = len(words)
			index[w] = i
			words = append(words, w)
			e.uses = append(e.uses, nil)
		}
		e.uses[i] = append(e.uses[i], r)
	}
	if wants(OwnKeys) {
		for _, w := range ownPrefixes {
			use(w, nil)
		}
	}
	for _, r := range rules {
		if wants(r.class) {
			for _, k := range r.keywords {
				use(k, r)
			}
		}
	}
	if e.names = words; len(words) > 0 {
		e.words = newAutomaton(words)
	}
	e.personal = personal{
		email: wants("pii.email"), phone: wants("pii.phone"), iban: wants("pii.payment.iban"), card: wants("pii.payment.card"),
		id: wants("pii.national_id"), ip: wants("pii.ip"),
	}
	for _, p := range patterns {
		if wants(p.class) {
			e.patterns = append(e.patterns, p)
		}
	}
	return e, nil
}

// scan is where a search stands: text from a place on is to be decided, and the
// last search knew the text up to seen. A search in a stream decides on a keyword
// once lookahead bytes behind it are known, whatever pieces they came in.
type scan struct {
	text   []byte
	from   int
	seen   int
	final  bool
	stream bool
}

// find adds what is found and answers from where on it cannot say yet.
func (e *engine) find(s scan, dst []match) (_ []match, hold int) {
	hold = len(s.text)
	if e.words != nil {
		dst, hold = e.findWords(s, dst)
	}
	if e.personal.any() {
		var h int
		dst, h = e.personal.find(s.text, s.from, s.final, dst)
		hold = min(hold, h)
	}
	for _, p := range e.patterns {
		var h int
		dst, h = p.find(s, dst)
		hold = min(hold, h)
	}
	return dst, hold
}

func (e *engine) findWords(s scan, dst []match) (_ []match, hold int) {
	hold = len(s.text)
	done := map[*secretRule]int(nil) // up to where a rule has matched: words within say nothing new
	// A stream walks over what was sent on only as far as words may matter.
	base := 0
	if s.stream {
		base = max(min(s.from, s.seen-lookahead)-maxWord, 0)
	}
	open := e.words.find(s.text[base:], func(word, at int) {
		if at += base; at < s.from && at+lookahead <= s.seen {
			return // decided before
		}
		for _, r := range e.uses[word] {
			if at < done[r] {
				continue
			}
			n := len(dst)
			var undecided bool
			if dst, undecided = e.decide(s, r, at, e.names[word], dst); undecided {
				hold = min(hold, at)
			}
			if len(dst) > n && !s.stream { // a stream may meet them one by one
				if done == nil {
					done = map[*secretRule]int{}
				}
				done[r] = dst[len(dst)-1].end
			}
		}
	})
	if !s.final {
		hold = min(hold, len(s.text)-open)
	}
	return dst, max(hold, 0)
}

// decide asks a rule about a keyword; r is nil for our own keys.
func (e *engine) decide(s scan, r *secretRule, at int, keyword string, dst []match) (_ []match, undecided bool) {
	if r == nil {
		return ownKey(s, at, dst)
	}
	until := len(s.text)
	if s.stream {
		until = min(until, at+lookahead)
	} else {
		until = min(until, at+r.reach())
	}
	switch v := r.quick(s.text[:until], at, keyword); {
	case v == no, v == open && s.final && until == len(s.text): // too short for what must stand there
		return dst, false
	}
	if s.stream && !s.final && len(s.text) < at+lookahead {
		return dst, true
	}
	n := len(dst)
	dst = r.ask(s.text, at, until, dst)
	if s.stream && until == at+lookahead {
		dst = r.lengthen(s.text, at, until, n, dst)
	}
	return dst, false
}

// pattern.find runs an expression over the text. In a stream a match counts once
// nothing that comes can make it longer.
func (p *pattern) find(s scan, dst []match) (_ []match, hold int) {
	if !s.stream {
		for _, m := range p.re.FindAllIndex(s.text, maxMatches) {
			if m[1] > m[0] {
				dst = append(dst, match{start: m[0], end: m[1], at: m[0], class: p.class})
			}
		}
		return dst, len(s.text)
	}
	hold = len(s.text)
	if !s.final {
		hold = max(len(s.text)-p.longest, 0)
	}
	for _, m := range p.re.FindAllIndex(s.text, maxMatches) {
		switch {
		case m[1] <= s.from || m[1] == m[0]:
		case !s.final && m[0]+p.longest >= len(s.text):
			return dst, min(hold, max(m[0], s.from))
		default:
			dst = append(dst, match{start: m[0], end: m[1], at: m[0], class: p.class})
		}
	}
	return dst, hold
}

// maxMatches bounds what one text is searched for.
const maxMatches = 10_000

// OwnKeys is the class of Reeve's own keys.
const OwnKeys = "secret.reeve"

var ownPrefixes = []string{"rvk_", "rvi_", "rvt_"}

// A key in text is prefix, public id, "_", secret and a CRC-32 in base62: see
// packages agent and identity, which mint them.
const (
	ownLength  = 4 + 12 + 1 + 32 + 6
	ownChecked = ownLength - 6
	base62     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func ownKey(s scan, at int, dst []match) (_ []match, undecided bool) {
	text := s.text[at:]
	for i, c := range text[:min(len(text), ownLength)] {
		switch {
		case i < 4 && c != "rvk_"[i] && !(i == 2 && (c == 'i' || c == 't')), i == 16 && c != '_', i >= 4 && i != 16 && strings.IndexByte(base62, c) < 0:
			return dst, false
		}
	}
	if len(text) < ownLength {
		return dst, !s.final
	}
	sum := crc32.ChecksumIEEE(text[:ownChecked])
	for i := ownLength - 1; i >= ownChecked; i-- {
		if text[i] != base62[sum%62] {
			return dst, false
		}
		sum /= 62
	}
	return append(dst, match{start: at, end: at + ownLength, at: at, class: OwnKeys}), false
}

// EachOwnKey tells of Reeve's own keys that stand in a text as they are; what is
// shaped like one and fails its check sum is not told of. It is cheap enough for
// everything that is stored: it looks at each v.
func EachOwnKey(text []byte, tell func(key string)) {
	// What people and models write mostly has no underscore at all.
	first := bytes.IndexByte(text, '_')
	if first < 0 {
		return
	}
	for at := max(0, first-len("rvk")); ; {
		i := bytes.IndexByte(text[at:], 'v')
		if i < 0 {
			return
		}
		at += i + 1
		if at < 2 || text[at-2] != 'r' || at+1 >= len(text) || text[at+1] != '_' {
			continue
		}
		if found, _ := ownKey(scan{text: text, final: true}, at-2, nil); len(found) > 0 {
			tell(string(text[found[0].start:found[0].end]))
		}
	}
}

// mayHoldOwn is a quick no for most texts.
func mayHoldOwn(text []byte) bool {
	for _, p := range ownPrefixes {
		if bytes.Contains(text, []byte(p)) {
			return true
		}
	}
	return bytes.Contains(text, []byte(`\u00`)) || bytes.Contains(text, []byte("%"))
}
