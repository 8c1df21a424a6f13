package jcs

import (
	"strings"
	"unicode/utf8"
)

var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// Plain tells whether a byte stands for itself in a JSON string. Bytes of longer
// UTF-8 sequences do too.
func Plain(c byte) bool { return plain[c] }

// AppendString escapes as RFC 8785 §3.2.2.2: the short forms where JSON has
// them, \u00xx for other control characters, and everything else as it is.
// Invalid UTF-8 is replaced, because a record of a refused call must not fail
// for a name that somebody claims.
func AppendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	dst = append(dst, '"')
	at := 0
	for i := range len(s) {
		if c := s[i]; !plain[c] {
			dst = AppendEscape(append(dst, s[at:i]...), c)
			at = i + 1
		}
	}
	return append(append(dst, s[at:]...), '"')
}

// AppendEscape appends the one escape of a byte that is not Plain.
func AppendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
