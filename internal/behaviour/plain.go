package behaviour

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// plainText is a text as entities are looked for in it: JSON's escapes read where
// escaped is true, and without what nobody sees, which can tear an address apart
// for us and not for a model. It gives text itself when nothing is to be done;
// else it uses buf.
func plainText(text, buf []byte, escaped bool) []byte {
	if !(escaped && bytes.IndexByte(text, '\\') >= 0) && !hasHidden(text) {
		return text
	}
	out := readOnce(text, buf[:0], escaped)
	// A text within a text is escaped twice, as arguments and results often are.
	if escaped && bytes.IndexByte(out, '\\') >= 0 {
		out = readOnce(out, nil, true)
	}
	return out
}

func readOnce(text, out []byte, escaped bool) []byte {
	from := 0 // of what goes over as it is
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\\' && escaped && i+1 < len(text):
			var n int
			out, n = unescape(append(out, text[from:i]...), text[i:])
			i += n
			from = i
		case c < 0x80:
			i++
		default:
			r, n := utf8.DecodeRune(text[i:])
			if unseen(r) {
				out = append(out, text[from:i]...)
				from = i + n
			}
			i += n
		}
	}
	return append(out, text[from:]...)
}

// unescape reads one escape.
func unescape(out, b []byte) (_ []byte, n int) {
	switch b[1] {
	case 'n', 't', 'r', 'b', 'f':
		return append(out, ' '), 2
	case 'u':
		r, ok := hex4(b)
		if !ok {
			return append(out, ' '), 2
		}
		n = 6
		if utf16.IsSurrogate(r) {
			if low, ok := hex4(b[6:]); ok {
				r, n = utf16.DecodeRune(r, low), 12
			}
		}
		if unseen(r) {
			return out, n
		}
		return utf8.AppendRune(out, r), n
	}
	return append(out, b[1]), 2
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(v), err == nil
}

// unseen reports whether a character is not drawn.
func unseen(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r == 0xad, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff, r == 0x180e, r == 0x034f,
		r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0000 && r <= 0xe01ef:
		return true
	}
	return false
}

// hasHidden looks for a character that is not drawn.
func hasHidden(text []byte) bool {
	for i := 0; i < len(text); {
		if text[i] < 0x80 {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if unseen(r) {
			return true
		}
		i += n
	}
	return false
}
