// Package genai knows the shapes in which senders write messages, tools and
// documents, and reads them into one: a role and a list of parts.
//
// What for: telemetry keeps each message as its sender gave it, together with
// the name of its format; people and programs read one canonical form.
//
// Who calls it: intake names formats, package run cuts arrays into messages
// (Split) and asks for roles (Role), api parses on read (Parse).
//
// Promises: pure functions, safe for concurrent use; Split and Role allocate
// nothing; Parse keeps what it does not understand as a part of type "json".
//
// How it fails: Parse and Split return an error that wraps ErrFormat for text
// that is not of the format; nothing panics, whatever the input.
//
// Start reading at Message and Parse, then formats.go.
package genai

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrFormat is in the chain of errors about text that is not of its format.
var ErrFormat = errors.New("not of this format")

// Split calls each with every element of the JSON array raw, in order, without
// the white space around it, until each returns false. Elements alias raw. It
// looks at strings and brackets only: that an element is valid JSON is left to
// who reads it. A raw that is no array, or is cut, is ErrFormat; elements
// before the fault have been given to each by then.
func Split(raw []byte, each func(elem []byte) bool) error {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return fmt.Errorf("genai: no JSON array: %w", ErrFormat)
	}
	i = space(raw, i+1)
	if i < len(raw) && raw[i] == ']' {
		return trailing(raw, i+1)
	}
	for {
		end := value(raw, i)
		if end <= i {
			return fmt.Errorf("genai: JSON array is cut or broken at byte %d: %w", i, ErrFormat)
		}
		if !each(raw[i:end:end]) {
			return nil
		}
		i = space(raw, end)
		switch {
		case i >= len(raw):
			return fmt.Errorf("genai: JSON array is cut: %w", ErrFormat)
		case raw[i] == ']':
			return trailing(raw, i+1)
		case raw[i] != ',':
			return fmt.Errorf("genai: JSON array is broken at byte %d: %w", i, ErrFormat)
		}
		i = space(raw, i+1)
	}
}

func trailing(raw []byte, i int) error {
	if i = space(raw, i); i < len(raw) {
		return fmt.Errorf("genai: text after the JSON at byte %d: %w", i, ErrFormat)
	}
	return nil
}

// Members calls each with the name and value of every member of the JSON object
// raw, in order, until each returns false. The name is what stands between the
// quotes, escapes and all. Both alias raw. What Split says of values and faults
// holds here too.
func Members(raw []byte, each func(name, val []byte) bool) error {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return fmt.Errorf("genai: no JSON object: %w", ErrFormat)
	}
	i = space(raw, i+1)
	if i < len(raw) && raw[i] == '}' {
		return trailing(raw, i+1)
	}
	for {
		if i >= len(raw) || raw[i] != '"' {
			return fmt.Errorf("genai: JSON object is cut or broken at byte %d: %w", i, ErrFormat)
		}
		end := str(raw, i)
		if end < 0 {
			return fmt.Errorf("genai: JSON object is cut: %w", ErrFormat)
		}
		name := raw[i+1 : end-1]
		if i = space(raw, end); i >= len(raw) || raw[i] != ':' {
			return fmt.Errorf("genai: JSON object is broken at byte %d: %w", i, ErrFormat)
		}
		i = space(raw, i+1)
		if end = value(raw, i); end <= i {
			return fmt.Errorf("genai: JSON object is cut or broken at byte %d: %w", i, ErrFormat)
		}
		if !each(name, raw[i:end:end]) {
			return nil
		}
		switch i = space(raw, end); {
		case i >= len(raw):
			return fmt.Errorf("genai: JSON object is cut: %w", ErrFormat)
		case raw[i] == '}':
			return trailing(raw, i+1)
		case raw[i] != ',':
			return fmt.Errorf("genai: JSON object is broken at byte %d: %w", i, ErrFormat)
		}
		i = space(raw, i+1)
	}
}

// space is the first place from i that is no white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// value is the end of the JSON value that starts at i, or -1. It counts
// brackets of both sorts together, so "[}" passes: a reader will refuse it.
func value(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = str(b, i); i < 0 {
				return -1
			}
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of a bare value before the bracket around it
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	if depth > 0 {
		return -1
	}
	return i
}

// str is the end of the string that starts with the quote at i, or -1. Strings
// are most of what messages consist of, hence the search for the next quote.
func str(b []byte, i int) int {
	for i++; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		start := i
		i += n
		back := 0
		for i-1-back >= start && b[i-1-back] == '\\' {
			back++
		}
		if back%2 == 0 {
			return i + 1
		}
	}
	return -1
}

// Unescape turns \uXXXX of the JSON text raw into UTF-8, so that search finds
// words in any script, and leaves alone what must stay escaped: quotes,
// backslashes, control characters and lone halves of surrogate pairs. The
// value of the JSON is unchanged. Without such escapes it returns raw itself,
// else new bytes.
func Unescape(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	return AppendUnescaped(make([]byte, 0, len(raw)), raw)
}

// AppendUnescaped appends what Unescape would return to dst.
func AppendUnescaped(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 >= len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		raw = raw[i:]
		r, size := escape(raw)
		if size == 0 {
			dst = append(dst, raw[:2]...) // another escape, or one to keep
			raw = raw[2:]
			continue
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[size:]
	}
}

// escape reads the \uXXXX (or pair of them) that b starts with; size is 0 when
// there is none or it must stay.
func escape(b []byte) (r rune, size int) {
	r = hex4(b)
	switch {
	case r < 0x20, r == '"', r == '\\':
		return 0, 0
	case utf16.IsSurrogate(r):
		if len(b) < 12 {
			return 0, 0
		}
		if r = utf16.DecodeRune(r, hex4(b[6:])); r == utf8.RuneError {
			return 0, 0
		}
		return r, 12
	}
	return r, 6
}

// hex4 reads \uXXXX at the start of b; -1 when b starts otherwise.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
