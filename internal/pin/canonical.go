package pin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"reeve/internal/audit/record"
)

// maxDepth bounds how deep a schema may nest.
const maxDepth = 64

var errCanonical = errors.New("not JSON that reads in one way")

// Hash is SHA-256, in hex, over the canonical form (RFC 8785) of what a server
// says about a tool. A schema that has a name twice, is no JSON or nests too
// deep has none.
func (t *Tool) Hash() (string, error) {
	form, err := t.canonical()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(form)
	return hex.EncodeToString(sum[:]), nil
}

// canonical is the definition as one JSON object, members that are not there
// left out.
func (t *Tool) canonical() ([]byte, error) {
	if !utf8.ValidString(t.Name + t.Title + t.Description) {
		return nil, errCanonical
	}
	dst, first := []byte{'{'}, true
	member := func(name string) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(record.AppendString(dst, name), ':')
	}
	part := func(name string, raw json.RawMessage) (err error) {
		if len(bytes.TrimSpace(raw)) == 0 {
			return nil
		}
		member(name)
		dst, err = appendCanonical(dst, raw)
		return err
	}
	// In the order of their names, as the form asks.
	err := part("annotations", t.Annotations)
	if t.Description != "" {
		member("description")
		dst = record.AppendString(dst, t.Description)
	}
	err = errors.Join(err, part("inputSchema", t.InputSchema))
	member("name")
	dst = record.AppendString(dst, t.Name)
	err = errors.Join(err, part("outputSchema", t.OutputSchema))
	if t.Title != "" {
		member("title")
		dst = record.AppendString(dst, t.Title)
	}
	return append(dst, '}'), err
}

// appendCanonical writes a JSON text in its canonical form.
func appendCanonical(dst []byte, raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	dst, err := canonicalValue(dst, d, 0)
	if err != nil {
		return nil, err
	}
	if d.More() || len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 || !utf8.Valid(raw) {
		return nil, errCanonical
	}
	return dst, nil
}

func canonicalValue(dst []byte, d *json.Decoder, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errCanonical
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return record.AppendString(dst, t), nil
	case bool:
		return strconv.AppendBool(dst, t), nil
	case nil:
		return append(dst, "null"...), nil
	case json.Number:
		return appendNumber(dst, t)
	case json.Delim:
		if t == '[' {
			return canonicalArray(dst, d, depth)
		}
		if t == '{' {
			return canonicalObject(dst, d, depth)
		}
	}
	return nil, errCanonical
}

func canonicalArray(dst []byte, d *json.Decoder, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for first := true; d.More(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, err = canonicalValue(dst, d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return append(dst, ']'), err
}

// memberOf is a member of an object, its value in canonical form.
type memberOf struct {
	order []uint16 // of the key, by which members are sorted
	key   string
	value []byte
}

func canonicalObject(dst []byte, d *json.Decoder, depth int) ([]byte, error) {
	var all []memberOf
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, errCanonical
		}
		value, err := canonicalValue(nil, d, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, memberOf{utf16.Encode([]rune(key)), key, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b memberOf) int { return slices.Compare(a.order, b.order) })
	dst = append(dst, '{')
	for i, m := range all {
		if i > 0 {
			if all[i-1].key == m.key {
				return nil, errCanonical // readers choose differently
			}
			dst = append(dst, ',')
		}
		dst = append(append(record.AppendString(dst, m.key), ':'), m.value...)
	}
	return append(dst, '}'), nil
}

// appendNumber writes a number as ECMAScript does.
func appendNumber(dst []byte, n json.Number) ([]byte, error) {
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, errCanonical
	}
	if f == 0 {
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
