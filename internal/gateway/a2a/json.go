package a2a

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Bounds of JSON from outside.
const (
	maxDepth   = 100
	maxMembers = 100_000 // of one object
)

var (
	errJSON      = errors.New("not JSON")
	errDuplicate = errors.New("a name stands twice in one object")
	errUTF8      = errors.New("not UTF-8")
	errDeep      = errors.New("nested too deeply")
)

// strict reports what would let two readers see different values in b: anything
// but one JSON value in UTF-8, or a name twice in an object.
func strict(b []byte) error {
	if !utf8.Valid(b) {
		return errUTF8
	}
	s := scanner{in: b}
	s.space()
	if err := s.value(0); err != nil {
		return err
	}
	s.space()
	if s.at != len(b) {
		return errJSON
	}
	return nil
}

// scanner walks JSON once and keeps nothing.
type scanner struct {
	in    []byte
	at    int
	names []span // of the objects that are open, innermost last
}

type span struct{ from, to int }

func (s *scanner) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) value(depth int) error {
	if s.at >= len(s.in) {
		return errJSON
	}
	if depth > maxDepth {
		return errDeep
	}
	switch c := s.in[s.at]; {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		return s.text()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	return errJSON
}

func (s *scanner) word(w string) error {
	if len(s.in)-s.at < len(w) || string(s.in[s.at:s.at+len(w)]) != w {
		return errJSON
	}
	s.at += len(w)
	return nil
}

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.in) && '0' <= s.in[s.at] && s.in[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

func (s *scanner) number() error {
	if s.in[s.at] == '-' {
		s.at++
	}
	first := s.at
	if !s.digits() || s.in[first] == '0' && s.at-first > 1 {
		return errJSON
	}
	if s.at < len(s.in) && s.in[s.at] == '.' {
		s.at++
		if !s.digits() {
			return errJSON
		}
	}
	if s.at < len(s.in) && (s.in[s.at] == 'e' || s.in[s.at] == 'E') {
		s.at++
		if s.at < len(s.in) && (s.in[s.at] == '+' || s.in[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			return errJSON
		}
	}
	return nil
}

// text walks over a string; half a surrogate pair is no text.
func (s *scanner) text() error {
	s.at++
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case c == '"':
			s.at++
			return nil
		case c < 0x20:
			return errJSON
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			s.at++
		}
	}
	return errJSON
}

func (s *scanner) escape() error {
	if s.at+1 >= len(s.in) {
		return errJSON
	}
	switch s.in[s.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at += 2
		return nil
	case 'u':
	default:
		return errJSON
	}
	r, ok := s.unit(s.at)
	if !ok || r >= 0xDC00 && r <= 0xDFFF {
		return errJSON
	}
	s.at += 6
	if r < 0xD800 || r > 0xDBFF {
		return nil
	}
	if low, ok := s.unit(s.at); !ok || low < 0xDC00 || low > 0xDFFF {
		return errJSON
	}
	s.at += 6
	return nil
}

// unit reads \uXXXX at at.
func (s *scanner) unit(at int) (rune, bool) {
	if at+6 > len(s.in) || s.in[at] != '\\' || s.in[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.in[at+2:at+6]), 16, 16)
	return rune(n), err == nil
}

func (s *scanner) array(depth int) error {
	s.at++
	for first := true; ; first = false {
		s.space()
		if s.at >= len(s.in) {
			return errJSON
		}
		switch {
		case s.in[s.at] == ']':
			s.at++
			return nil
		case !first && s.in[s.at] != ',':
			return errJSON
		case !first:
			s.at++
			s.space()
		}
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
}

func (s *scanner) object(depth int) error {
	s.at++
	mark := len(s.names)
	var seen map[string]struct{} // of an object with many members
	for first := true; ; first = false {
		s.space()
		if s.at >= len(s.in) {
			return errJSON
		}
		switch {
		case s.in[s.at] == '}':
			s.at++
			s.names = s.names[:mark]
			return nil
		case !first && s.in[s.at] != ',':
			return errJSON
		case !first:
			s.at++
			s.space()
		}
		if s.at >= len(s.in) || s.in[s.at] != '"' {
			return errJSON
		}
		from := s.at
		if err := s.text(); err != nil {
			return err
		}
		var twice bool
		if seen, twice = s.named(mark, span{from, s.at}, seen); twice {
			return errDuplicate
		}
		if len(s.names)-mark > maxMembers {
			return errJSON
		}
		s.space()
		if s.at >= len(s.in) || s.in[s.at] != ':' {
			return errJSON
		}
		s.at++
		s.space()
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
}

// named notes a name of the object whose names begin at mark.
func (s *scanner) named(mark int, n span, seen map[string]struct{}) (_ map[string]struct{}, twice bool) {
	const few = 16
	raw := s.in[n.from:n.to]
	if seen == nil && len(s.names)-mark >= few {
		seen = map[string]struct{}{}
		for _, o := range s.names[mark:] {
			seen[plain(s.in[o.from:o.to])] = struct{}{}
		}
	}
	if seen != nil {
		name := plain(raw)
		_, twice = seen[name]
		seen[name] = struct{}{}
	} else {
		escaped := bytes.IndexByte(raw, '\\') >= 0
		for _, o := range s.names[mark:] {
			other := s.in[o.from:o.to]
			if bytes.Equal(raw, other) || (escaped || bytes.IndexByte(other, '\\') >= 0) && plain(raw) == plain(other) {
				twice = true
			}
		}
	}
	s.names = append(s.names, n)
	return seen, twice
}

// plain is the text of a JSON string that strict let through.
func plain(raw []byte) string {
	if len(raw) >= 2 && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var out string
	if json.Unmarshal(raw, &out) != nil {
		return ""
	}
	return out
}

// members gives the members of an object that strict let through, as they stand.
// It stops when yield says so.
func members(b []byte, yield func(name string, value []byte) bool) {
	s := scanner{in: b}
	s.space()
	if s.at >= len(b) || b[s.at] != '{' {
		return
	}
	s.at++
	for {
		s.space()
		if s.at >= len(b) || b[s.at] == '}' {
			return
		}
		if b[s.at] == ',' {
			s.at++
			s.space()
		}
		from := s.at
		if s.text() != nil {
			return
		}
		name := plain(b[from:s.at])
		s.space()
		s.at++ // the colon
		s.space()
		from = s.at
		if !s.skip() || !yield(name, b[from:s.at]) {
			return
		}
	}
}

// elements gives the elements of an array that strict let through.
func elements(b []byte, yield func(value []byte) bool) {
	s := scanner{in: b}
	s.space()
	if s.at >= len(b) || b[s.at] != '[' {
		return
	}
	s.at++
	for {
		s.space()
		if s.at >= len(b) || b[s.at] == ']' {
			return
		}
		if b[s.at] == ',' {
			s.at++
			s.space()
		}
		from := s.at
		if !s.skip() || !yield(b[from:s.at]) {
			return
		}
	}
}

// skip walks over a value that strict let through; it counts brackets only.
func (s *scanner) skip() bool {
	if s.at >= len(s.in) {
		return false
	}
	switch s.in[s.at] {
	case '"':
		return s.text() == nil
	case '{', '[':
	default:
		for s.at < len(s.in) {
			switch s.in[s.at] {
			case ',', '}', ']', ' ', '\t', '\n', '\r':
				return true
			}
			s.at++
		}
		return true
	}
	for depth := 0; s.at < len(s.in); {
		switch s.in[s.at] {
		case '"':
			if s.text() != nil {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return true
		}
	}
	return false
}

// find is the value at a path of names; nil when it is not there.
func find(b []byte, path ...string) []byte {
	for _, want := range path {
		var at []byte
		members(b, func(name string, value []byte) bool {
			if name == want {
				at = value
			}
			return at == nil
		})
		if b = at; b == nil {
			return nil
		}
	}
	return b
}

// textAt is the string at a path, "" when there is none.
func textAt(b []byte, path ...string) string {
	v := find(b, path...)
	if len(v) < 2 || v[0] != '"' {
		return ""
	}
	return plain(v)
}

func isObject(b []byte) bool { return len(b) > 0 && b[0] == '{' }

func isNull(b []byte) bool { return len(b) == 0 || string(b) == "null" }

// with is an object that has a member with this value instead of any of its
// name; a nil value takes it out.
func with(object []byte, name string, value []byte) []byte {
	out := make([]byte, 0, len(object)+len(name)+len(value)+8)
	out = append(out, '{')
	put := func(n string, v []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendText(out, n), ':')
		out = append(out, v...)
	}
	members(object, func(n string, v []byte) bool {
		if n != name {
			put(n, v)
		}
		return true
	})
	if value != nil {
		put(name, value)
	}
	return append(out, '}')
}

// appendText writes a JSON string.
func appendText(dst []byte, s string) []byte {
	if !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f }) {
		return append(append(append(dst, '"'), s...), '"')
	}
	b, err := json.Marshal(s)
	if err != nil { // a string: cannot happen
		panic(err)
	}
	return append(dst, b...)
}

// decode reads JSON that strict let through, with numbers as they stand.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// encode writes JSON as decode read it: & and < stay what they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
