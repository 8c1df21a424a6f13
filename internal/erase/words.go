// Package erase takes what somebody said, and how they are called, out of what
// other parts copied of it.
//
// What for: a run is erased by its id, but words of it stand elsewhere: a person
// quoted a user in a review, a message told it to a channel, an evaluation cited
// the answer. Nobody can follow each copy, so all text is looked through.
//
// Who calls it: app, when a user, a session or a run is erased; packages with
// texts in memory take a Cutter.
//
// Promises: Columns says of every column of text in the control database what
// becomes of it, and a test holds it to the schema. What is cut is the words alone:
// rows, figures and links stay. Words is safe for concurrent use once it is filled.
//
// How it fails: erase.too_much when more was said than fits in memory; what the
// database says.
//
// Start reading at Words.Cut, then Columns and Sweep.
package erase

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"reeve/internal/fault"
)

// Gone stands where something was cut.
const Gone = "[erased]"

const (
	// stretch is how many words in a row have to be the same: fewer are everybody's.
	stretch = 5
	// letters is how many letters such words have at least, together.
	letters = 18
	// maxStretches bounds the memory: some 250 MB.
	maxStretches = 6 << 20
	maxDeep      = 64
	quoted       = 1000 // added to the depth within a document that is a string of another
)

// Cutter cuts words out of a text and reports whether there were any.
type Cutter func(text string) (string, bool)

// Words are what is looked for: names, and stretches of what was said.
type Words struct {
	seed  maphash.Seed
	names []string
	tells map[uint64]struct{} // words that only one thing is called: addresses, numbers of orders
	said  map[uint64]struct{} // stretches
	whole map[uint64]struct{} // texts shorter than a stretch
	keep  map[string]struct{}
	full  bool
}

// NewWords makes an empty set. keep are words that are never cut, such as names of
// agents and teams.
func NewWords(keep ...string) *Words {
	w := &Words{seed: maphash.MakeSeed(), tells: map[uint64]struct{}{}, said: map[uint64]struct{}{}, whole: map[uint64]struct{}{}, keep: map[string]struct{}{}}
	for _, k := range keep {
		w.keep[strings.ToLower(k)] = struct{}{}
	}
	return w
}

// Name adds what somebody is called. It is cut where it stands as a word of its own.
func (w *Words) Name(name string) {
	if name = strings.TrimSpace(name); name == "" || slices.Contains(w.names, name) {
		return
	}
	if _, ok := w.keep[strings.ToLower(name)]; ok {
		return
	}
	w.names = append(w.names, name)
}

// Empty reports whether there is nothing to look for.
func (w *Words) Empty() bool {
	return len(w.names) == 0 && len(w.tells) == 0 && len(w.said) == 0 && len(w.whole) == 0
}

// Err says that more was said than Words can hold.
func (w *Words) Err() error {
	if !w.full {
		return nil
	}
	return fault.New(fault.KindExhausted, "erase.too_much", "more was said than can be looked for at once").
		WithHint("erase session by session, then the user")
}

// Say adds what was said: a text, or JSON whose strings are.
func (w *Words) Say(raw []byte) { w.say(raw, 0) }

func (w *Words) say(raw []byte, deep int) {
	if v, ok := parse(raw); ok && deep < 4 {
		w.sayAll(v, deep)
		return
	}
	w.text(string(raw))
}

func (w *Words) sayAll(v any, deep int) {
	switch x := v.(type) {
	case string:
		w.say([]byte(x), deep+1) // a call's arguments are JSON in JSON
	case json.Number:
		w.text(x.String())
	case []any:
		for _, e := range x {
			w.sayAll(e, deep)
		}
	case map[string]any:
		for _, e := range x {
			w.sayAll(e, deep)
		}
	}
}

func (w *Words) text(s string) {
	list := spans(s)
	for i := range list {
		if i+stretch > len(list) {
			break
		}
		if h, ok := w.stretchAt(s, list[i:i+stretch]); ok {
			if len(w.said) >= maxStretches {
				w.full = true
				return
			}
			w.said[h] = struct{}{}
		}
	}
	if n := len(list); n > 1 && n < stretch && lettersOf(s, list) >= letters/2 {
		w.whole[w.hash(s, list)] = struct{}{}
	}
	for _, t := range tokens(s) {
		if word := s[t.from:t.to]; w.telling(word) {
			w.tells[maphash.String(w.seed, strings.ToLower(word))] = struct{}{}
		}
	}
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// spans are the words of a text: letters and digits.
func spans(s string) (out []span) {
	from := -1
	for i, r := range s {
		switch in := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r); {
		case in && from < 0:
			from = i
		case !in && from >= 0:
			out, from = append(out, span{from, i}), -1
		}
	}
	if from >= 0 {
		out = append(out, span{from, len(s)})
	}
	return out
}

// tokens are the words of a text with what joins them: an address or a number is one.
func tokens(s string) (out []span) {
	from := -1
	end := func(to int) {
		for from < to && strings.IndexByte("-_.+", s[to-1]) >= 0 {
			to--
		}
		for from < to && strings.IndexByte("-_.", s[from]) >= 0 {
			from++
		}
		if to > from {
			out = append(out, span{from, to})
		}
		from = -1
	}
	for i, r := range s {
		switch in := unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.@+", r); {
		case in && from < 0:
			from = i
		case !in && from >= 0:
			end(i)
		}
	}
	if from >= 0 {
		end(len(s))
	}
	return out
}

// telling reports whether a word alone says whom or what it is about: an address, or
// a number of an order, a card, a contract. Dates and names that are kept are not.
func (w *Words) telling(word string) bool {
	if _, ok := w.keep[strings.ToLower(word)]; ok || len(word) < 6 || len(word) > 200 {
		return false
	}
	if i := strings.IndexByte(word, '@'); i > 0 && i < len(word)-1 {
		return true
	}
	digits, other := 0, false
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			digits++
		case r != '-' && r != '.' && r != '+' && r != 'T' && r != 'Z':
			other = true
		}
	}
	if digits < 4 {
		return false
	}
	// 2026-05-03, 2026.05.03T10 and a time in seconds are no names.
	date := !other && strings.HasPrefix(word, "20") && len(word) >= 8 && (word[4] == '-' || word[4] == '.')
	return !date
}

func lettersOf(s string, list []span) (n int) {
	for _, x := range list {
		n += utf8.RuneCountInString(s[x.from:x.to])
	}
	return n
}

func (w *Words) hash(s string, list []span) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	for _, x := range list {
		_, _ = h.WriteString(strings.ToLower(s[x.from:x.to]))
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func (w *Words) stretchAt(s string, list []span) (uint64, bool) {
	if lettersOf(s, list) < letters {
		return 0, false
	}
	return w.hash(s, list), true
}

// Cut takes out of a text what is looked for.
func (w *Words) Cut(s string) (string, bool) {
	if len(s) < 2 || w.Empty() {
		return s, false
	}
	var cuts []span
	list := spans(s)
	if n := len(list); n > 1 && n < stretch && len(w.whole) > 0 {
		if _, ok := w.whole[w.hash(s, list)]; ok {
			cuts = append(cuts, span{list[0].from, list[n-1].to})
		}
	}
	if len(w.said) > 0 {
		for i := 0; i+stretch <= len(list); i++ {
			h, ok := w.stretchAt(s, list[i:i+stretch])
			if !ok {
				continue
			}
			if _, ok := w.said[h]; !ok {
				continue
			}
			to := list[i+stretch-1].to
			// Who quotes cuts in the middle of a word.
			if i+stretch == len(list)-1 {
				if rest := strings.TrimSpace(s[list[i+stretch].to:]); strings.HasPrefix(rest, "…") || strings.HasPrefix(rest, "...") {
					to = list[i+stretch].to
				}
			}
			cuts = append(cuts, span{list[i].from, to})
		}
	}
	if len(w.tells) > 0 {
		for _, t := range tokens(s) {
			word := s[t.from:t.to]
			if len(word) < 6 || len(word) > 200 {
				continue
			}
			if _, ok := w.tells[maphash.String(w.seed, strings.ToLower(word))]; ok {
				cuts = append(cuts, t)
			}
		}
	}
	for _, name := range w.names {
		cuts = append(cuts, named(s, name)...)
	}
	if len(cuts) == 0 {
		return s, false
	}
	return without(s, cuts), true
}

// named finds a name where it stands as a word of its own.
func named(s, name string) (out []span) {
	within := func(r rune) bool {
		return r == '_' || r == '-' || r == '@' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	for at := 0; ; {
		i := strings.Index(s[at:], name)
		if i < 0 {
			return out
		}
		from, to := at+i, at+i+len(name)
		before, _ := utf8.DecodeLastRuneInString(s[:from])
		after, _ := utf8.DecodeRuneInString(s[to:])
		if (from == 0 || !within(before)) && (to == len(s) || !within(after)) {
			out = append(out, span{from, to})
		}
		at = to
	}
}

func without(s string, cuts []span) string {
	slices.SortFunc(cuts, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for i := 0; i < len(cuts); {
		from, to := cuts[i].from, cuts[i].to
		for i++; i < len(cuts) && (cuts[i].from <= to || !wordy(s[to:cuts[i].from])); i++ {
			to = max(to, cuts[i].to)
		}
		if from < at {
			from = at
		}
		b.WriteString(s[at:from])
		b.WriteString(Gone)
		at = to
	}
	b.WriteString(s[at:])
	return b.String()
}

func wordy(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0
}

// plain are fields of stored JSON that link records or name parts of the house:
// what was said never stands there, and nothing may be cut there.
var plain = func() map[string]bool {
	out := map[string]bool{}
	for f := range strings.FieldsSeq(`id ids run runs step steps trace agent agents agent_id team teams environment environments fingerprint kind state states severity
		detector detectors person by owner lead communications channel upstream tool model provider policy rule rules version versions hash mac digest item case dataset
		evaluator format status mode role verdict task service acknowledged_by undone_by ended_by revoked_by merged_into prints source target incident finding
		objective kpi at unit field code via level decision decisions alert page`) {
		out[f] = true
	}
	return out
}()

func parse(raw []byte) (any, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) < 2 || raw[0] != '{' && raw[0] != '[' && raw[0] != '"' {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	return v, true
}

// JSON cuts in the strings of a stored document, but for fields that link records. What
// is no JSON is a text.
func (c Cutter) JSON(raw string) (string, bool) {
	v, ok := parse([]byte(raw))
	if !ok {
		return c(raw)
	}
	changed := false
	v = c.value(v, &changed, 0)
	if !changed {
		return raw, false
	}
	out, err := json.Marshal(v)
	if err != nil {
		return Gone, true // it was made of what was read: cannot happen, and nothing may stay
	}
	return string(out), true
}

func (c Cutter) value(v any, changed *bool, deep int) any {
	if deep%quoted > maxDeep {
		return v
	}
	switch x := v.(type) {
	case string:
		// Documents stand in documents: of a change, of a request.
		if v, ok := parse([]byte(x)); ok && x[0] != '"' && deep < 4*quoted {
			did := false
			v = c.value(v, &did, deep/quoted*quoted+quoted)
			if out, err := json.Marshal(v); did && err == nil {
				*changed = true
				return string(out)
			}
			return x
		}
		out, did := c(x)
		*changed = *changed || did
		return out
	case json.Number:
		// Figures of records stay; a document that was quoted has numbers of orders.
		if _, did := c(x.String()); did && deep >= quoted {
			*changed = true
			return json.Number("0") // a number stays one, or the document is no longer read
		}
		return x
	case []any:
		for i := range x {
			x[i] = c.value(x[i], changed, deep+1)
		}
		return x
	case map[string]any:
		for _, k := range slices.Collect(maps.Keys(x)) {
			e := x[k]
			if !plain[k] {
				x[k] = c.value(e, changed, deep+1)
			} else if list, ok := e.(map[string]any); ok {
				x[k] = c.value(list, changed, deep+1)
			}
			if name, did := c(k); did { // labels by name
				for x[name] != nil {
					name += "*"
				}
				x[name], *changed = x[k], true
				delete(x, k)
			}
		}
		return x
	}
	return v
}

// Wipe cuts every text of more than one word: of records that are about what is
// erased, whoever said it, and in whichever words.
func Wipe(s string) (string, bool) {
	if s == Gone || len(spans(s)) < 2 || s[0] == '{' && json.Valid([]byte(s)) {
		return s, false
	}
	return Gone, true
}
