// Package visible shows text that somebody hostile may have written, so that
// what a person reads is what is there.
//
// What for: arguments of held actions, tool descriptions and answers may hold
// characters that are not seen, that turn the direction of reading around, or
// that look like others. They are made visible, and nothing is cut without its
// size.
//
// Who calls it: api for views of approvals and tools, cli for what it prints and
// exports.
//
// Promises: pure functions. The pieces of a text, put together, are its Text;
// different texts of one length have different Texts; what needs no mark passes
// as it is. Line feeds and tabs pass in Of and are marked in Line.
//
// How it fails: it does not; bytes that are no UTF-8 are marked one by one.
//
// Start reading at Of.
package visible

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of what is marked.
const (
	Control   = "control"   // of terminals and protocols
	Bidi      = "bidi"      // turns the direction of reading
	Invisible = "invisible" // has no width
	Tag       = "tag"       // the Unicode tags and selectors, which carry hidden text
	Mixed     = "mixed"     // a letter of another alphabet in a word, or a letter that only looks like one
	Space     = "space"     // looks like a space and is none
	Stacked   = "stacked"   // marks piled on a letter
	Invalid   = "invalid"   // no character: broken UTF-8, unassigned, private
	Cut       = "cut"       // what follows is not shown; the mark has its size
	Bracket   = "bracket"   // the brackets of these marks, where the text has them
)

// Piece is a part of a text: Kind "" passes as it is, any other is a mark that
// stands for a character.
type Piece struct {
	Text string `json:"text"`
	Kind string `json:"kind,omitempty"`
}

// Shown is a text as a person may see it.
type Shown struct {
	Pieces []Piece
	Bytes  int  // of the whole text
	Cut    bool // Pieces are its beginning
	Marked int  // pieces that are marks
}

// Text is the pieces put together, with the size of what was cut.
func (s *Shown) Text() string {
	var b strings.Builder
	for _, p := range s.Pieces {
		b.WriteString(p.Text)
	}
	return b.String()
}

// The brackets of a mark. A text that has them itself has them marked.
const (
	opening = '⟦'
	closing = '⟧'
)

// Of makes a text visible; at most limit bytes of it are shown, 0 is all. A
// piece at the end says how much was cut.
func Of(s string, limit int) Shown { return show(s, limit, false) }

// Line is Of for one line of a table: line feeds and tabs are marked too.
func Line(s string, limit int) string {
	shown := show(s, limit, true)
	return shown.Text()
}

// Text is Of put together, whole.
func Text(s string) string {
	shown := show(s, 0, false)
	return shown.Text()
}

// Safe marks what acts on a terminal or hides in it, and nothing else: what Of or
// Line made visible passes as it is. It is the last look at what is printed.
func Safe(s string) string {
	if plain(s, false) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		m := marker{}
		switch kind, text := m.look(s[i:i+n], r); kind {
		case Control, Bidi, Invisible, Tag, Invalid:
			b.WriteString(text)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// plain reports whether nothing of a text needs a mark: most have none.
func plain(s string, line bool) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 0x7f || c < ' ' && (line || c != '\n' && c != '\t') {
			return false
		}
	}
	return true
}

func show(s string, limit int, line bool) Shown {
	out := Shown{Bytes: len(s)}
	cut := 0
	if limit > 0 && len(s) > limit {
		for cut = limit; cut > limit-utf8.UTFMax && cut > 0 && !utf8.RuneStart(s[cut]); cut-- {
		}
		out.Cut = true
		s = s[:cut]
	}
	if plain(s, line) {
		if s != "" {
			out.Pieces = []Piece{{Text: s}}
		}
	} else {
		m := marker{line: line}
		m.all(s)
		out.Pieces, out.Marked = m.pieces, m.marked
	}
	if out.Cut {
		out.Pieces = append(out.Pieces, Piece{fmt.Sprintf("%c%d more bytes%c", opening, out.Bytes-len(s), closing), Cut})
	}
	return out
}

// marker walks a text.
type marker struct {
	line   bool
	pieces []Piece
	marked int
	from   int // of what passes
	stack  int // marks on the letter at hand
	word   script
	mixed  bool // the word has letters of several alphabets
}

func (m *marker) all(s string) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if inWord(r) && (i == 0 || !wordBefore(s[:i])) {
			m.word, m.mixed = scriptsOf(s[i:])
		}
		kind, text := m.look(s[i:i+n], r)
		if kind != "" {
			m.pass(s[:i])
			m.pieces = append(m.pieces, Piece{text, kind})
			m.marked++
			m.from = i + n
		}
		i += n
	}
	m.pass(s)
}

func (m *marker) pass(s string) {
	if m.from < len(s) {
		m.pieces = append(m.pieces, Piece{Text: s[m.from:]})
	}
	m.from = len(s)
}

func mark(r rune) string { return fmt.Sprintf("%cU+%04X%c", opening, r, closing) }

// look is the kind and the mark of a character; "" for one that passes.
func (m *marker) look(raw string, r rune) (kind, text string) {
	if unicode.In(r, unicode.Mn, unicode.Me) && !selector(r) {
		if m.stack++; m.stack > 2 {
			return Stacked, mark(r)
		}
		return "", ""
	}
	m.stack = 0
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return Invalid, string(opening) + `\x` + strconv.FormatUint(uint64(raw[0]), 16) + string(closing)
	case r == '\n' || r == '\t':
		if m.line {
			return Control, map[rune]string{'\n': string(opening) + "LF" + string(closing), '\t': string(opening) + "TAB" + string(closing)}[r]
		}
		return "", ""
	case m.mixed && inWord(r) && scriptOf(r) != common && scriptOf(r) != m.word:
		return Mixed, string(r) + mark(r)
	case r < 0x7f && r >= ' ':
		return "", ""
	case r == opening || r == closing:
		return Bracket, mark(r)
	case unicode.IsControl(r):
		return Control, mark(r)
	case unicode.Is(unicode.Bidi_Control, r):
		return Bidi, mark(r)
	case selector(r):
		return Tag, mark(r)
	case invisible(r):
		return Invisible, mark(r)
	case unicode.Is(unicode.Z, r):
		return Space, mark(r)
	case lookalike(r):
		return Mixed, string(r) + mark(r)
	case !unicode.IsPrint(r):
		return Invalid, mark(r)
	}
	return "", ""
}

// selector reports Unicode's tags and variation selectors, by which whole texts
// are hidden behind one character.
func selector(r rune) bool {
	return r >= 0xE0000 && r <= 0xE01EF || r >= 0xFE00 && r <= 0xFE0F || r >= 0x180B && r <= 0x180F
}

// invisible reports what is drawn with no width, or as nothing.
func invisible(r rune) bool {
	switch r {
	case 0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC:
		return true
	}
	return unicode.Is(unicode.Cf, r) || r >= 0xFFF0 && r <= 0xFFF8 || r >= 0x1D173 && r <= 0x1D17A
}

// lookalike reports letters that are drawn as those of ASCII and are none: of
// full width, mathematical, enclosed.
func lookalike(r rune) bool {
	return r >= 0xFF01 && r <= 0xFF5E || r >= 0x1D400 && r <= 0x1D7FF || r >= 0x24B6 && r <= 0x24E9 || r >= 0x1F130 && r <= 0x1F189
}

// script is an alphabet of those that are taken for each other.
type script uint8

const (
	common script = iota
	latin
	cyrillic
	greek
	armenian
	cherokee
	coptic
	other
)

func scriptOf(r rune) script {
	switch {
	case r < 0x80:
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return latin
		}
		return common
	case !unicode.IsLetter(r):
		return common
	case unicode.Is(unicode.Latin, r):
		return latin
	case unicode.Is(unicode.Cyrillic, r):
		return cyrillic
	case unicode.Is(unicode.Greek, r):
		return greek
	case unicode.Is(unicode.Armenian, r):
		return armenian
	case unicode.Is(unicode.Cherokee, r):
		return cherokee
	case unicode.In(r, unicode.Coptic, unicode.Lisu, unicode.Deseret, unicode.Gothic):
		return coptic
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo):
		return common // these are written between Latin letters every day
	}
	return other
}

// inWord reports what makes up a word: of addresses and names too.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}

func wordBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return inWord(r)
}

// scriptsOf is the alphabet that most letters of the word at the beginning of s
// are of, and whether there are others.
func scriptsOf(s string) (most script, mixed bool) {
	var n [other + 1]int
	for _, r := range s {
		if !inWord(r) {
			break
		}
		n[scriptOf(r)]++
	}
	kinds := 0
	for k := latin; k <= other; k++ {
		if n[k] == 0 {
			continue
		}
		kinds++
		if most == common || n[k] > n[most] {
			most = k
		}
	}
	return most, kinds > 1
}
