package record

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"reeve/internal/jcs"
)

// maxDepth bounds nesting; our records have four levels.
const maxDepth = 16

// Reader walks canonical JSON from front to back. After the first error every
// call returns zero values, and End tells the error. It is used by one
// goroutine; what it returns as bytes aliases the text.
type Reader struct {
	text  []byte
	at    int
	depth int
	err   error
}

// NewReader reads text.
func NewReader(text []byte) *Reader { return &Reader{text: text} }

// Fail ends the reading, unless an error did before.
func (d *Reader) Fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: at byte %d: %s", ErrForm, d.at, why)
	}
	d.at = len(d.text)
}

// End gives the error, which trailing text is too.
func (d *Reader) End() error {
	if d.err == nil && d.at != len(d.text) {
		d.Fail("text behind the end")
	}
	return d.err
}

func (d *Reader) peek() byte {
	if d.at < len(d.text) {
		return d.text[d.at]
	}
	return 0
}

func (d *Reader) take(c byte) bool {
	if d.peek() != c || d.at >= len(d.text) {
		return false
	}
	d.at++
	return true
}

func (d *Reader) expect(c byte) {
	if !d.take(c) {
		d.Fail("expected " + strconv.QuoteRune(rune(c)))
	}
}

func (d *Reader) enter() bool {
	if d.depth++; d.depth > maxDepth {
		d.Fail("nested too deeply")
	}
	return d.err == nil
}

// Object calls field for each key, whose value field must read (Skip reads
// any). Keys ascend, or the text is refused.
func (d *Reader) Object(field func(key []byte)) {
	d.expect('{')
	if !d.enter() {
		return
	}
	defer func() { d.depth-- }()
	if d.take('}') {
		return
	}
	var last []byte
	for first := true; d.err == nil; first = false {
		key := d.bytes()
		if !first && !ascends(last, key) {
			d.Fail("keys out of order")
		}
		last = key
		d.expect(':')
		if d.err != nil {
			return
		}
		field(key)
		if d.take('}') {
			return
		}
		d.expect(',')
	}
}

// ascends compares by UTF-16 code units, which is the order of bytes but for
// text beyond the basic plane.
func ascends(a, b []byte) bool {
	ascii := func(s []byte) bool {
		for _, c := range s {
			if c >= utf8.RuneSelf {
				return false
			}
		}
		return true
	}
	if ascii(a) && ascii(b) {
		return bytes.Compare(a, b) < 0
	}
	return jcs.Compare(string(a), string(b)) < 0
}

// Array calls element for each element, which element must read.
func (d *Reader) Array(element func()) {
	d.expect('[')
	if !d.enter() {
		return
	}
	defer func() { d.depth-- }()
	if d.take(']') {
		return
	}
	for d.err == nil {
		element()
		if d.take(']') {
			return
		}
		d.expect(',')
	}
}

// Strings reads an array of strings.
func (d *Reader) Strings() []string {
	var out []string
	d.Array(func() { out = append(out, d.String()) })
	return out
}

// String reads a string.
func (d *Reader) String() string { return string(d.bytes()) }

// bytes reads a string without copying it when nothing is escaped.
func (d *Reader) bytes() []byte {
	d.expect('"')
	start := d.at
	for d.at < len(d.text) && jcs.Plain(d.text[d.at]) {
		d.at++
	}
	if d.peek() == '"' && d.at < len(d.text) {
		s := d.text[start:d.at]
		d.at++
		return d.valid(s)
	}
	out := append([]byte(nil), d.text[start:d.at]...)
	for d.err == nil {
		switch {
		case d.at >= len(d.text):
			d.Fail("a string without an end")
		case d.take('"'):
			return d.valid(out)
		case d.take('\\'):
			out = d.escape(out)
		case d.text[d.at] < 0x20:
			d.Fail("a control character in a string")
		default:
			out = append(out, d.text[d.at])
			d.at++
		}
	}
	return nil
}

func (d *Reader) valid(s []byte) []byte {
	if !utf8.Valid(s) {
		d.Fail("a string that is not UTF-8")
	}
	return s
}

// escape reads what follows a backslash: only the escapes that jcs.AppendEscape
// writes, each in its one form.
func (d *Reader) escape(out []byte) []byte {
	rest := d.text[d.at:]
	c := d.peek()
	if i := strings.IndexByte(`"\btnfr`, c); i >= 0 && len(rest) > 0 {
		d.at++
		return append(out, "\"\\\b\t\n\f\r"[i])
	}
	if len(rest) >= 5 && bytes.HasPrefix(rest, []byte("u00")) {
		if n, err := strconv.ParseUint(string(rest[3:5]), 16, 8); err == nil && n < 0x20 {
			if want := jcs.AppendEscape(nil, byte(n)); bytes.Equal(want[1:], rest[:5]) {
				d.at += 5
				return append(out, byte(n))
			}
		}
	}
	d.Fail("an escape that is not canonical")
	return out
}

// Int reads an integer within MaxInteger.
func (d *Reader) Int() int64 {
	start := d.at
	d.take('-')
	for d.at < len(d.text) && d.text[d.at] >= '0' && d.text[d.at] <= '9' {
		d.at++
	}
	s := string(d.text[start:d.at])
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > MaxInteger || n < -MaxInteger || strconv.FormatInt(n, 10) != s {
		d.Fail("no canonical integer")
		return 0
	}
	return n
}

// Bool reads true or false.
func (d *Reader) Bool() bool {
	for _, v := range []string{"true", "false"} {
		if bytes.HasPrefix(d.text[d.at:], []byte(v)) {
			d.at += len(v)
			return v == "true"
		}
	}
	d.Fail("expected true or false")
	return false
}

// Skip reads any value.
func (d *Reader) Skip() {
	switch c := d.peek(); {
	case c == '{':
		d.Object(func([]byte) { d.Skip() })
	case c == '[':
		d.Array(d.Skip)
	case c == '"':
		d.bytes()
	case c == 't' || c == 'f':
		d.Bool()
	default:
		d.Int()
	}
}

// Raw reads any value and gives its text.
func (d *Reader) Raw() []byte {
	start := d.at
	d.Skip()
	if d.err != nil {
		return nil
	}
	return d.text[start:d.at:d.at]
}
