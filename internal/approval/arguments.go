package approval

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"reeve/internal/fault"
)

// Bounds of arguments that are listed and edited.
const (
	maxDepth  = 64
	maxValues = 4096
)

// Value is a value within JSON: where it stands, by JSON Pointer and by bytes.
type Value struct {
	Path     string
	Kind     string // text, number, flag, null, object, array
	From, To int
}

var errJSON = fault.New(fault.KindInvalid, "approval.not_json", "these arguments are not JSON that reads in one way").
	WithHint("edit the whole text instead")

// Values lists every value of a JSON text in its order, containers before what
// is in them. JSON that two readers could read differently (a name twice, bad
// UTF-8, more after the value) has none.
func Values(text []byte) ([]Value, error) {
	if !utf8.Valid(text) {
		return nil, errJSON
	}
	w := walker{in: text}
	w.space()
	if err := w.value(""); err != nil {
		return nil, err
	}
	w.space()
	if w.at != len(text) {
		return nil, errJSON
	}
	return w.out, nil
}

// walker reads JSON and notes where its values stand, which encoding/json does
// not say.
type walker struct {
	in    []byte
	at    int
	depth int
	out   []Value
}

func (w *walker) space() {
	for w.at < len(w.in) && strings.IndexByte(" \t\r\n", w.in[w.at]) >= 0 {
		w.at++
	}
}

func (w *walker) is(c byte) bool {
	if w.at < len(w.in) && w.in[w.at] == c {
		w.at++
		return true
	}
	return false
}

func (w *walker) value(path string) error {
	if w.at >= len(w.in) || len(w.out) >= maxValues {
		return errJSON
	}
	i := len(w.out)
	w.out = append(w.out, Value{Path: path, From: w.at})
	kind := "number"
	var err error
	switch c := w.in[w.at]; c {
	case '{':
		kind, err = "object", w.object(path)
	case '[':
		kind, err = "array", w.array(path)
	case '"':
		kind = "text"
		_, err = w.text()
	default:
		switch c {
		case 't', 'f':
			kind = "flag"
		case 'n':
			kind = "null"
		}
		err = w.word()
	}
	w.out[i].Kind, w.out[i].To = kind, w.at
	return err
}

// word reads a number, true, false or null.
func (w *walker) word() error {
	from := w.at
	for w.at < len(w.in) && strings.IndexByte(" \t\r\n,]}:\"{[", w.in[w.at]) < 0 {
		w.at++
	}
	if !json.Valid(w.in[from:w.at]) {
		return errJSON
	}
	return nil
}

func (w *walker) text() (string, error) {
	from := w.at
	for w.at++; w.at < len(w.in); w.at++ {
		switch w.in[w.at] {
		case '\\':
			w.at++
		case '"':
			w.at++
			var s string
			if json.Unmarshal(w.in[from:w.at], &s) != nil || strings.ContainsRune(s, utf8.RuneError) {
				return "", errJSON
			}
			return s, nil
		}
	}
	return "", errJSON
}

func (w *walker) deeper() error {
	if w.depth++; w.depth > maxDepth {
		return errJSON
	}
	w.at++
	w.space()
	return nil
}

func (w *walker) object(path string) error {
	if err := w.deeper(); err != nil {
		return err
	}
	defer func() { w.depth-- }()
	seen := map[string]bool{}
	if w.is('}') {
		return nil
	}
	for {
		w.space()
		if w.at >= len(w.in) || w.in[w.at] != '"' {
			return errJSON
		}
		name, err := w.text()
		if err != nil || seen[name] {
			return errJSON
		}
		seen[name] = true
		w.space()
		if !w.is(':') {
			return errJSON
		}
		w.space()
		if err := w.value(path + "/" + escape.Replace(name)); err != nil {
			return err
		}
		w.space()
		switch {
		case w.is('}'):
			return nil
		case !w.is(','):
			return errJSON
		}
	}
}

func (w *walker) array(path string) error {
	if err := w.deeper(); err != nil {
		return err
	}
	defer func() { w.depth-- }()
	if w.is(']') {
		return nil
	}
	for i := 0; ; i++ {
		w.space()
		if err := w.value(path + "/" + strconv.Itoa(i)); err != nil {
			return err
		}
		w.space()
		switch {
		case w.is(']'):
			return nil
		case !w.is(','):
			return errJSON
		}
	}
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// Replacement is a new value for the one at a path.
type Replacement struct {
	Path  string
	Value json.RawMessage
}

// Replace puts new values in the place of those at the paths. Every other byte
// stays as it was.
//
// Faults: approval.not_json, approval.edit.
func Replace(text []byte, edits []Replacement) ([]byte, error) {
	values, err := Values(text)
	if err != nil {
		return nil, err
	}
	type part struct {
		Value
		with []byte
	}
	parts := make([]part, 0, len(edits))
	for _, e := range edits {
		i := slices.IndexFunc(values, func(v Value) bool { return v.Path == e.Path })
		if i < 0 {
			return nil, fault.New(fault.KindInvalid, "approval.edit", "there is no argument at %q", e.Path).WithHint("an edit replaces a value that is there; edit the whole text to add one")
		}
		if _, err := Values(e.Value); err != nil {
			return nil, fault.New(fault.KindInvalid, "approval.edit", "the new value of %q is no JSON", e.Path)
		}
		parts = append(parts, part{values[i], bytes.TrimSpace(e.Value)})
	}
	slices.SortFunc(parts, func(a, b part) int { return a.From - b.From })
	var out []byte
	at := 0
	for _, p := range parts {
		if p.From < at {
			return nil, fault.New(fault.KindInvalid, "approval.edit", "the edit of %q lies within another", p.Path)
		}
		out = append(append(out, text[at:p.From]...), p.with...)
		at = p.To
	}
	return append(out, text[at:]...), nil
}
