package content

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text as its reader will understand it: with the escapes of JSON
// decoded, wherever they stand. A secret that is spelled \u0041KIA is found in
// the view and redacted in the raw text.
type view struct {
	text []byte
	at   []int32 // where each byte of text, and its end, begins in the raw one; nil: they are the same
}

// raw is where a place of the view begins in the raw text.
func (v *view) raw(i int) int {
	if v.at == nil {
		return i
	}
	return int(v.at[i])
}

// unescape decodes raw; whole is how much of it could be decoded: an escape that
// the end cuts in two waits, unless final. One that is none stays as it is.
func unescape(raw []byte, final bool) (v view, whole int) {
	first := bytes.IndexByte(raw, '\\')
	if first < 0 {
		return view{text: raw}, len(raw)
	}
	v.text = make([]byte, 0, len(raw))
	v.at = make([]int32, 0, len(raw)+1)
	add := func(b []byte, at int, each bool) {
		for i := range b {
			v.text = append(v.text, b[i])
			if each {
				v.at = append(v.at, int32(at+i))
			} else {
				v.at = append(v.at, int32(at))
			}
		}
	}
	i := 0
	for i < len(raw) {
		n := bytes.IndexByte(raw[i:], '\\')
		if n < 0 {
			n = len(raw) - i
		}
		add(raw[i:i+n], i, true)
		if i += n; i == len(raw) {
			break
		}
		var buf [utf8.UTFMax]byte
		out, size := escape(buf[:0], raw[i:], final)
		if size == 0 {
			break
		}
		add(out, i, false)
		i += size
	}
	v.at = append(v.at, int32(i))
	return v, i
}

// escape decodes the escape that b begins with; size 0 asks for more.
func escape(dst, b []byte, final bool) (out []byte, size int) {
	if len(b) < 2 {
		if final {
			return append(dst, b...), len(b)
		}
		return nil, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return append(dst, c), 2
	case 'n':
		return append(dst, '\n'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 'b', 'f':
		return append(dst, ' '), 2
	case 'u':
		r, ok, short := hex4(b[2:])
		switch {
		case short && !final:
			return nil, 0
		case !ok:
			return append(dst, '\\'), 1
		case !utf16.IsSurrogate(r):
			return utf8.AppendRune(dst, r), 6
		}
		if len(b) < 12 && !final && bytes.HasPrefix([]byte(`\u`), b[6:min(8, len(b))]) || len(b) < 12 && !final && len(b) >= 8 && b[6] == '\\' && b[7] == 'u' {
			return nil, 0
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if low, ok, _ := hex4(b[8:]); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return utf8.AppendRune(dst, pair), 12
				}
			}
		}
		return utf8.AppendRune(dst, utf8.RuneError), 6
	}
	return append(dst, '\\'), 1
}

// hex4 reads four hexadecimals; short says that they are not all there.
func hex4(b []byte) (r rune, ok, short bool) {
	for i := range 4 {
		if i >= len(b) {
			return 0, false, true
		}
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false, false
		}
		r = r<<4 | rune(c)
	}
	return r, true, false
}

// unpercent decodes %41 and + as forms and queries write them. A + alone is one
// only where no space stands beside it, which neither has.
func unpercent(raw []byte) (v view, changed bool) {
	if bytes.IndexByte(raw, '%') < 0 {
		if bytes.IndexByte(raw, '+') < 0 || bytes.ContainsAny(raw, " \n\t") {
			return view{text: raw}, false
		}
		changed = true
	}
	for i := 0; i < len(raw); i++ {
		c, size := raw[i], 1
		if c == '%' && i+2 < len(raw) {
			if h, ok, _ := hex4([]byte{'0', '0', raw[i+1], raw[i+2]}); ok {
				c, size, changed = byte(h), 3, true
			}
		} else if c == '+' {
			c = ' '
		}
		v.text, v.at = append(v.text, c), append(v.at, int32(i))
		i += size - 1
	}
	v.at = append(v.at, int32(len(raw)))
	return v, changed
}
