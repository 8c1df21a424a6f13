// Package jcs writes JSON in the one form that all texts of the same value have
// (RFC 8785, the JSON Canonicalization Scheme).
//
// What for: what is hashed, signed or compared must not depend on who wrote it:
// records of the audit log, definitions of tools, cards of peers, and requests
// that an approval is bound to.
//
// Who calls it: packages record, decision and pin, and the door.
//
// Promises: Form.Append of a canonical text gives that text; two texts that
// readers could take for different values never have the same form, but for
// numbers, which are doubles unless Form says otherwise.
//
// How it fails: with ErrForm for a text that is no JSON, has a name twice in an
// object or nests too deep. Nothing panics on any input.
//
// Start reading at Form.
package jcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrForm is the error of a text that has no canonical form.
var ErrForm = errors.New("not JSON that reads in one way")

// Depth is how deep a text may nest unless its Form says otherwise.
const Depth = 64

// Form says how a text is written; its zero value is RFC 8785.
type Form struct {
	// Depth is how deep the text may nest; Depth for 0.
	Depth int
	// Exact keeps a number as it is written where a double may not keep all of
	// it, so that readers with larger numbers do not see different values in one
	// form. Without it a number beyond a double is an error.
	Exact bool
	// Leave names members to leave out, by how deep they stand (1 is the
	// outermost object) and the name of the member that they are in.
	Leave func(depth int, in, name string) bool
}

// Append appends the canonical form of a JSON text.
func (f Form) Append(dst, raw []byte) ([]byte, error) {
	if f.Depth == 0 {
		f.Depth = Depth
	}
	w := writer{Form: f, in: json.NewDecoder(bytes.NewReader(raw))}
	w.in.UseNumber()
	dst, err := w.value(dst, 0, "")
	if err != nil {
		return nil, err
	}
	if w.in.More() || len(bytes.TrimSpace(raw[w.in.InputOffset():])) > 0 || !utf8.Valid(raw) {
		return nil, ErrForm
	}
	return dst, nil
}

type writer struct {
	Form
	in *json.Decoder
}

func (w *writer) value(dst []byte, depth int, in string) ([]byte, error) {
	if depth > w.Depth {
		return nil, ErrForm
	}
	t, err := w.in.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return AppendString(dst, t), nil
	case bool:
		return strconv.AppendBool(dst, t), nil
	case nil:
		return append(dst, "null"...), nil
	case json.Number:
		if w.Exact && beyondDouble(t) {
			return append(dst, t...), nil
		}
		return appendNumber(dst, t)
	case json.Delim:
		if t == '[' {
			return w.array(dst, depth)
		}
		if t == '{' {
			return w.object(dst, depth, in)
		}
	}
	return nil, ErrForm
}

func (w *writer) array(dst []byte, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for first := true; w.in.More(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, err = w.value(dst, depth+1, ""); err != nil {
			return nil, err
		}
	}
	_, err = w.in.Token()
	return append(dst, ']'), err
}

// member is a member of an object, its value in canonical form.
type member struct {
	order []uint16 // of the name, by which members are sorted
	name  string
	value []byte
}

func (w *writer) object(dst []byte, depth int, in string) ([]byte, error) {
	var all []member
	for w.in.More() {
		t, err := w.in.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, ErrForm
		}
		value, err := w.value(nil, depth+1, name)
		if err != nil {
			return nil, err
		}
		all = append(all, member{units(name), name, value})
	}
	if _, err := w.in.Token(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b member) int { return slices.Compare(a.order, b.order) })
	dst = append(dst, '{')
	first := true
	for i, m := range all {
		if i > 0 && all[i-1].name == m.name {
			return nil, ErrForm // readers choose differently
		}
		if w.Leave != nil && w.Leave(depth+1, in, m.name) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(AppendString(dst, m.name), ':'), m.value...)
	}
	return append(dst, '}'), nil
}

// Compare orders names by UTF-16 code units, as RFC 8785 §3.2.3 asks: beyond the
// basic plane that differs from the order of bytes.
func Compare(a, b string) int { return slices.Compare(units(a), units(b)) }

func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

// beyondDouble tells whether a double may lose something of a number.
func beyondDouble(n json.Number) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(n.String()), "e")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := strings.Trim(whole+fraction, "0")
	f, err := n.Float64()
	return digits != "" && (err != nil || len(digits) > 15 || math.Abs(f) < 1e-300 || math.IsInf(f, 0))
}

// appendNumber writes a number as ECMAScript does (RFC 8785 §3.2.2.3).
func appendNumber(dst []byte, n json.Number) ([]byte, error) {
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, ErrForm
	}
	if f == 0 { // without a minus
		return append(dst, '0'), nil
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes at least two digits of the exponent, ECMAScript no zero before it.
	if n := len(dst); n-at > 4 && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst = append(dst[:n-2], dst[n-1])
	}
	return dst, nil
}
