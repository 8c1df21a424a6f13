package pin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"reeve/internal/jcs"
)

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
		return nil, jcs.ErrForm
	}
	dst, first := []byte{'{'}, true
	member := func(name string) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jcs.AppendString(dst, name), ':')
	}
	part := func(name string, raw json.RawMessage) (err error) {
		if len(bytes.TrimSpace(raw)) == 0 {
			return nil
		}
		member(name)
		dst, err = jcs.Form{}.Append(dst, raw)
		return err
	}
	// In the order of their names, as the form asks.
	err := part("annotations", t.Annotations)
	if t.Description != "" {
		member("description")
		dst = jcs.AppendString(dst, t.Description)
	}
	err = errors.Join(err, part("inputSchema", t.InputSchema))
	member("name")
	dst = jcs.AppendString(dst, t.Name)
	err = errors.Join(err, part("outputSchema", t.OutputSchema))
	if t.Title != "" {
		member("title")
		dst = jcs.AppendString(dst, t.Title)
	}
	return append(dst, '}'), err
}
