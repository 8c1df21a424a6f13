package pin

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"reeve/internal/visible"
)

// hiddenKind says why a character is not seen by who reads a text, or "" when it
// is. before and after are its neighbours.
func hiddenKind(before, r, after rune) string {
	switch {
	case r == '\n' || r == '\t' || r == '\r' && after == '\n':
		return ""
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return "control"
	case r < 0xa0:
		return ""
	case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c:
		return "bidi"
	case r == 0x200d && (joins(before) && joins(after) || pictographic(before) && pictographic(after)):
		return "" // within an emoji, or between letters of a script that needs it
	case r == 0x200c && joins(before) && joins(after):
		return ""
	case r >= 0x200b && r <= 0x200d || r == 0x2060 || r == 0xfeff || r == 0x180e || r == 0x00ad || r == 0x034f:
		return "zero-width"
	case r >= 0xe0000 && r <= 0xe007f:
		return "tag"
	case (r == 0xfe0f || r == 0xfe0e) && (pictographic(before) && before != 0xfe0f || before == '#' || before == '*' || before >= '0' && before <= '9'):
		return "" // one after an emoji chooses how it looks
	case r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0100 && r <= 0xe01ef || r >= 0x180b && r <= 0x180f:
		return "variation selector"
	case r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0 || r == 0x2800 || r == 0x17b4 || r == 0x17b5:
		return "blank letter"
	case r == 0x2028 || r == 0x2029:
		return "control"
	case unicode.Is(unicode.Cf, r):
		return "format"
	case unicode.Is(unicode.Co, r):
		return "private use"
	case r == utf8.RuneError:
		return "broken"
	}
	return ""
}

// joins reports whether a letter is of a script in which joiners change what is
// read.
func joins(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi,
		unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar)
}

// pictographic reports whether a character may begin or continue an emoji.
func pictographic(r rune) bool {
	return unicode.Is(unicode.So, r) || r >= 0x1f000 && r <= 0x1faff || r == 0xfe0f || r == 0x20e3 || r == 0x203c || r == 0x2049 ||
		r >= 0x2190 && r <= 0x21ff || r == 0x2934 || r == 0x2935 || r == 0x3030 || r == 0x303d
}

// Layouts that keep a part of a text out of sight in most pages.
const (
	farRight = 60 // blanks in a line, then text
	farDown  = 12 // empty lines, then text
)

// HiddenIn says what a text has that who reads it does not see, each kind once,
// with how often; nil for nothing.
func HiddenIn(text string) []string {
	var out []string
	count := map[string]int{}
	note := func(kind string) {
		if count[kind]++; count[kind] == 1 {
			out = append(out, kind)
		}
	}
	blanks, lines, seen := 0, 0, false
	before := rune(0)
	for i, r := range text {
		if kind := hiddenKind(before, r, following(text, i)); kind != "" {
			note(kind)
		}
		switch {
		case r == '\n':
			lines++
			blanks = 0
		case unicode.IsSpace(r):
			blanks++
		default:
			if seen && blanks >= farRight || seen && lines >= farDown {
				note("far away")
			}
			blanks, lines, seen = 0, 0, true
		}
		before = r
	}
	if i := strings.Index(text, "<!--"); i >= 0 {
		note("comment")
	}
	for i, kind := range out {
		out[i] = fmt.Sprintf("%s (%d)", kind, count[kind])
	}
	return out
}

// Visible writes a text so that everything in it is seen.
func Visible(text string) string { return visible.Text(text) }

func hiddenAt(text string, i int, before, r rune) bool {
	return hiddenKind(before, r, following(text, i)) != ""
}

// following is the character after the one at i.
func following(text string, i int) rune {
	_, n := utf8.DecodeRuneInString(text[i:])
	r, _ := utf8.DecodeRuneInString(text[i+n:])
	return r
}
