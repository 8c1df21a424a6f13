// Package wire reads the framings that model providers use: JSON texts,
// server-sent events, Amazon's event stream and streamed JSON arrays.
//
// What for: the door looks into bodies and answers that pass it, without
// decoding what it does not act on and without changing a byte of it.
//
// Who calls it: package llm, for each request and each piece of an answer.
//
// Promises: a Cursor checks the whole of a JSON text in one pass and allocates
// nothing for what is skipped; the splitters give the same events however the
// bytes were cut into pieces, and hold at most their limit.
//
// How it fails: with the sentinel errors below; nothing panics on any input. A
// text that two readers could take for two different values is an error: names
// twice in one object, also when they differ only in case or escapes.
//
// Start reading at Cursor and Object, then SSE.
package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// The errors of a JSON text.
var (
	ErrSyntax = errors.New("not one JSON value")
	ErrUTF8   = errors.New("invalid UTF-8")
	ErrDepth  = errors.New("nested too deeply")
	ErrTwice  = errors.New("a name twice in one object")
	ErrCase   = errors.New("a known name in another case")
	ErrLarge  = errors.New("too large")
)

const (
	maxDepth   = 200
	maxMembers = 256 // of an object whose names are read; others have no limit
)

// Cursor walks one JSON text from its beginning to its end. The first error
// stays and ends every iteration, so callers look at Err once, at the end.
type Cursor struct {
	b     []byte
	i     int
	depth int
	err   error
}

// NewCursor starts at the beginning of b, which must not change meanwhile.
func NewCursor(b []byte) Cursor {
	c := Cursor{b: b}
	if !utf8.Valid(b) {
		c.err = ErrUTF8
	}
	c.space()
	return c
}

// Inner starts at the beginning of a value that another Cursor has passed: it
// is known to be UTF-8.
func Inner(b []byte) Cursor {
	c := Cursor{b: b}
	c.space()
	return c
}

// Err is the first error, nil while there is none.
func (c *Cursor) Err() error { return c.err }

// End is Err, or ErrSyntax when something follows the value.
func (c *Cursor) End() error {
	if c.err == nil {
		if c.space(); c.i < len(c.b) {
			c.err = ErrSyntax
		}
	}
	return c.err
}

// Pos is where the next value begins.
func (c *Cursor) Pos() int { return c.i }

// Kind is the first byte of the next value, '0' for any number, 0 when there
// is none.
func (c *Cursor) Kind() byte {
	if c.err != nil || c.i >= len(c.b) {
		return 0
	}
	switch b := c.b[c.i]; b {
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return '0'
	default:
		return b
	}
}

func (c *Cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *Cursor) space() {
	for c.i < len(c.b) && (c.b[c.i] == ' ' || c.b[c.i] == '\n' || c.b[c.i] == '\t' || c.b[c.i] == '\r') {
		c.i++
	}
}

// Skip passes over the next value and checks it.
func (c *Cursor) Skip() {
	if c.err == nil {
		c.skip()
	}
}

func (c *Cursor) skip() {
	if c.i >= len(c.b) {
		c.fail(ErrSyntax)
		return
	}
	switch c.b[c.i] {
	case '"':
		c.str()
	case '{':
		c.skipInside('}', true)
	case '[':
		c.skipInside(']', false)
	case 't':
		c.word("true")
	case 'f':
		c.word("false")
	case 'n':
		c.word("null")
	default:
		c.number()
	}
}

// skipInside passes over an object or array whose opening bracket is next.
func (c *Cursor) skipInside(end byte, named bool) {
	if c.depth++; c.depth > maxDepth {
		c.fail(ErrDepth)
		return
	}
	c.i++
	c.space()
	if c.i < len(c.b) && c.b[c.i] == end {
		c.i++
		c.depth--
		return
	}
	for c.err == nil {
		if named {
			if c.i >= len(c.b) || c.b[c.i] != '"' {
				c.fail(ErrSyntax)
				return
			}
			c.str()
			if c.space(); c.i >= len(c.b) || c.b[c.i] != ':' {
				c.fail(ErrSyntax)
				return
			}
			c.i++
			c.space()
		}
		c.skip()
		if c.space(); c.i >= len(c.b) {
			c.fail(ErrSyntax)
			return
		}
		switch c.b[c.i] {
		case ',':
			c.i++
			c.space()
		case end:
			c.i++
			c.depth--
			return
		default:
			c.fail(ErrSyntax)
		}
	}
}

func (c *Cursor) word(w string) {
	if len(c.b)-c.i < len(w) || string(c.b[c.i:c.i+len(w)]) != w {
		c.fail(ErrSyntax)
		return
	}
	c.i += len(w)
}

func (c *Cursor) digits() bool {
	from := c.i
	for c.i < len(c.b) && c.b[c.i]-'0' <= 9 {
		c.i++
	}
	return c.i > from
}

func (c *Cursor) number() {
	if c.b[c.i] == '-' {
		c.i++
	}
	if c.i < len(c.b) && c.b[c.i] == '0' {
		c.i++
	} else if !c.digits() {
		c.fail(ErrSyntax)
		return
	}
	if c.i < len(c.b) && c.b[c.i] == '.' {
		c.i++
		if !c.digits() {
			c.fail(ErrSyntax)
			return
		}
	}
	if c.i < len(c.b) && c.b[c.i]|0x20 == 'e' {
		c.i++
		if c.i < len(c.b) && (c.b[c.i] == '+' || c.b[c.i] == '-') {
			c.i++
		}
		if !c.digits() {
			c.fail(ErrSyntax)
		}
	}
}

const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// plain is how many bytes of b come before a quote, a backslash or a control
// character, up to the last seven of b, which it leaves to the caller. Strings
// are nearly all of a body, so this loop is what reading costs: eight bytes at
// a time, where the lowest bit that is set is exact.
func plain(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, back := w^(low*'"'), w^(low*'\\')
		if hit := ((quote-low)&^quote | (back-low)&^back | (w-low*0x20)&^w) & high; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	return i
}

// str passes over the string whose opening quote is next, and says whether it
// has escapes.
func (c *Cursor) str() (escaped bool) {
	b, i := c.b, c.i+1
	for {
		i += plain(b[i:])
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		switch {
		case i >= len(b) || b[i] < 0x20:
			c.i = min(i, len(b))
			c.fail(ErrSyntax)
			return escaped
		case b[i] == '"':
			c.i = i + 1
			return escaped
		}
		escaped = true
		n := escapeLen(b[i:])
		if n == 0 {
			c.i = i
			c.fail(ErrSyntax)
			return escaped
		}
		i += n
	}
}

// escapeLen is the length of the escape that b begins with, 0 when it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, h := range b[2:6] {
			if h-'0' > 9 && h|0x20-'a' > 5 {
				return 0
			}
		}
		return 6
	}
	return 0
}

// Raw passes over the next value and gives its bytes.
func (c *Cursor) Raw() []byte {
	from := c.i
	c.Skip()
	if c.err != nil {
		return nil
	}
	return c.b[from:c.i:c.i]
}

// Quoted passes over the next value and gives what is between the quotes of a
// string, escapes as they are; ok is false for another value.
func (c *Cursor) Quoted() (s []byte, ok bool) {
	if c.Kind() != '"' {
		c.Skip()
		return nil, false
	}
	raw := c.Raw()
	if raw == nil {
		return nil, false
	}
	return raw[1 : len(raw)-1 : len(raw)-1], true
}

// Word passes over the next value and gives a string's text, nil for another
// value. It is for words that are compared: one spelled with escapes is the same
// word.
func (c *Cursor) Word() []byte {
	s, ok := c.Quoted()
	if !ok {
		return nil
	}
	if bytes.IndexByte(s, '\\') >= 0 {
		return []byte(Unquote(s))
	}
	return s
}

// Text passes over the next value and gives a string's text, "" for another
// value.
func (c *Cursor) Text() string {
	s, _ := c.Quoted()
	return Unquote(s)
}

// Unquote is the text of what stands between a string's quotes.
func Unquote(s []byte) string {
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s)
	}
	var out string
	q := make([]byte, 0, len(s)+2)
	q = append(append(append(q, '"'), s...), '"')
	if json.Unmarshal(q, &out) != nil {
		return ""
	}
	return out
}

// Quote appends text as a JSON string without its quotes.
func Quote(dst []byte, text string) []byte {
	q, err := json.Marshal(text)
	if err != nil {
		return dst // strings always encode
	}
	return append(dst, q[1:len(q)-1]...)
}

// Int passes over the next value and gives a whole number; ok is false for
// another value. What is larger than an int64 holds is its largest.
func (c *Cursor) Int() (n int64, ok bool) {
	if c.Kind() != '0' {
		c.Skip()
		return 0, false
	}
	raw := c.Raw()
	if raw == nil {
		return 0, false
	}
	s := unsafe.String(unsafe.SliceData(raw), len(raw)) // does not outlive this function
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, false
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f <= math.MinInt64:
		return math.MinInt64, true
	case f != math.Trunc(f):
		return 0, false
	}
	return int64(f), true
}

// True passes over the next value and says whether it is true.
func (c *Cursor) True() bool {
	yes := c.Kind() == 't'
	c.Skip()
	return yes
}

// Array is an iteration over the elements of the next value, none when it is
// no array: for a := c.Array(); a.Next(); { … c.Text() … }. An element that was
// not read is passed over.
type Array struct {
	c       *Cursor
	at      int // where the element began
	started bool
	depth   int
}

// Array begins to iterate.
func (c *Cursor) Array() Array {
	if c.Kind() != '[' {
		c.Skip()
		return Array{}
	}
	if c.depth++; c.depth > maxDepth {
		c.fail(ErrDepth)
	}
	c.i++
	c.space()
	return Array{c: c, depth: c.depth}
}

// Next goes to the next element.
func (a *Array) Next() bool {
	c := a.c
	if c == nil || c.err != nil {
		return false
	}
	if a.started {
		if c.i == a.at {
			c.skip()
		}
		if c.err != nil || c.depth != a.depth {
			c.fail(ErrSyntax)
			return false
		}
		c.space()
	}
	if c.i >= len(c.b) {
		c.fail(ErrSyntax)
		return false
	}
	switch {
	case c.b[c.i] == ']' && (!a.started || c.i > a.at):
		c.i++
		c.depth--
		a.c = nil
		return false
	case a.started && c.b[c.i] != ',':
		c.fail(ErrSyntax)
		return false
	case a.started:
		c.i++
		c.space()
	}
	a.started, a.at = true, c.i
	return true
}

// Object is an iteration over the members of the next value, none when it is
// no object: for o := c.Object(); o.Next(); { switch string(o.Key) { … } }. A
// value that was not read is passed over. A name that was there before, also in
// another case or spelled with escapes, is ErrTwice.
type Object struct {
	Key     []byte // the member's name, escapes resolved
	KeyAt   int    // where the member begins
	c       *Cursor
	at      int
	started bool
	depth   int
	n       int
	seen    [16]span
	more    [][]byte // those that do not fit, or that had escapes
}

// span is a part of the text; small, since an Object is made for each object
// that is read.
type span struct{ from, to int32 }

// Object begins to iterate.
func (c *Cursor) Object() Object {
	if c.Kind() != '{' {
		c.Skip()
		return Object{}
	}
	if c.depth++; c.depth > maxDepth {
		c.fail(ErrDepth)
	}
	c.i++
	c.space()
	return Object{c: c, depth: c.depth}
}

// Next goes to the next member.
func (o *Object) Next() bool {
	c := o.c
	if c == nil || c.err != nil {
		return false
	}
	if o.started {
		if c.i == o.at {
			c.skip()
		}
		if c.err != nil || c.depth != o.depth {
			c.fail(ErrSyntax)
			return false
		}
		c.space()
	}
	if c.i >= len(c.b) {
		c.fail(ErrSyntax)
		return false
	}
	switch {
	case c.b[c.i] == '}' && (!o.started || c.i > o.at):
		c.i++
		c.depth--
		o.c = nil
		return false
	case o.started && c.b[c.i] != ',':
		c.fail(ErrSyntax)
		return false
	case o.started:
		c.i++
		c.space()
	}
	return o.name()
}

func (o *Object) name() bool {
	c := o.c
	o.KeyAt = c.i
	if c.i >= len(c.b) || c.b[c.i] != '"' {
		c.fail(ErrSyntax)
		return false
	}
	escaped := c.str()
	if c.err != nil {
		return false
	}
	o.Key = c.b[o.KeyAt+1 : c.i-1 : c.i-1]
	if escaped {
		o.Key = []byte(Unquote(o.Key))
	}
	if c.space(); c.i >= len(c.b) || c.b[c.i] != ':' {
		c.fail(ErrSyntax)
		return false
	}
	c.i++
	c.space()
	o.started, o.at = true, c.i
	return o.note(escaped)
}

// note remembers the name and refuses one that was there.
func (o *Object) note(escaped bool) bool {
	c := o.c
	for _, at := range o.seen[:o.n] {
		if sameName(c.b[at.from:at.to], o.Key) {
			c.fail(ErrTwice)
			return false
		}
	}
	for _, k := range o.more {
		if sameName(k, o.Key) {
			c.fail(ErrTwice)
			return false
		}
	}
	switch {
	case !escaped && o.n < len(o.seen) && c.i < math.MaxInt32:
		o.seen[o.n] = span{int32(o.KeyAt + 1), int32(o.KeyAt + 1 + len(o.Key))}
		o.n++
	case len(o.more) >= maxMembers-len(o.seen):
		c.fail(ErrLarge)
		return false
	default:
		o.more = append(o.more, o.Key)
	}
	return true
}

// Like refuses the member at hand when its name is one of these in another case:
// readers in Go would take it for that one.
func (o *Object) Like(names ...string) {
	for _, n := range names {
		if len(n) == len(o.Key) && strings.EqualFold(n, string(o.Key)) {
			o.c.fail(ErrCase)
		}
	}
}

// sameName is how the most lenient of readers compares: Go's takes names in
// any case, and folds letters outside ASCII too.
func sameName(a, b []byte) bool {
	if len(a) == len(b) {
		if len(a) == 0 || string(a) == string(b) {
			return true
		}
		if (a[0]^b[0])&^0x20 != 0 && a[0]|b[0] < utf8.RuneSelf {
			return false
		}
		return bytes.EqualFold(a, b)
	}
	return (!ascii(a) || !ascii(b)) && bytes.EqualFold(a, b)
}

func ascii(b []byte) bool {
	for _, x := range b {
		if x >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Valid checks one whole JSON text as a Cursor does.
func Valid(b []byte) error {
	c := NewCursor(b)
	c.Skip()
	return c.End()
}

// Fail makes err the Cursor's error, for a reader that finds more wrong than
// JSON knows of. An earlier error stays.
func (c *Cursor) Fail(err error) { c.fail(err) }

// Since is what was passed over since Pos was from.
func (c *Cursor) Since(from int) []byte {
	if c.err != nil {
		return nil
	}
	return c.b[from:c.i:c.i]
}
