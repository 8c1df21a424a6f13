// Package record is the form of one line in a chained log, and nothing else.
//
// What for: decisions and administrative changes are recorded in one form, so
// that one verifier, one proof and one exporter serve both:
//
//	{"at":µs,"body":{…},"kind":"…","log":"<install>/audit/<node>","prev":"<leaf of seq-1>","seq":n,"v":1}
//
// Who calls it: audit and decision write lines; their verifiers, siem and the
// command line read them.
//
// Promises: a line is canonical JSON (RFC 8785) of objects, arrays, strings,
// booleans and integers below 2^53, absent instead of null; Parse accepts
// exactly what Append can write, so the bytes of a line are its only form. The
// leaf of a line is SHA-256(0x00 || line), as RFC 6962 has it. Safe for
// concurrent use.
//
// How it fails: Parse and Reader give an error in whose chain is ErrForm.
//
// Start reading at Append and Parse; canonical.go writes, reader.go reads.
package record

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"reeve/internal/jcs"
)

// ErrForm is in the chain of every error about text that is no record.
var ErrForm = errors.New("not a record in canonical form")

// Version is the only version of the form so far.
const Version = 1

// MaxBytes bounds a line: proofs and bundles of others count an entry's length
// in two bytes.
const MaxBytes = 1<<16 - 1

// Hash is the leaf hash of a line.
type Hash [sha256.Size]byte

// Leaf is SHA-256(0x00 || line).
func Leaf(line []byte) Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(line)
	var out Hash
	h.Sum(out[:0])
	return out
}

// String is the hash in base64url without padding.
func (h Hash) String() string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// ParseHash reads what Hash.String wrote.
func ParseHash(s string) (h Hash, err error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(h)) {
		return h, fmt.Errorf("%w: a hash of %d characters", ErrForm, len(s))
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("%w: a hash that is no base64url", ErrForm)
	}
	return h, nil
}

// Record is one line, read or to be written. Body is canonical JSON, an object.
type Record struct {
	Log  string
	Seq  int64 // from 0, without a gap
	At   int64 // µs since 1970 UTC
	Prev Hash  // leaf of the line before; meaningless for Seq 0
	Kind string
	Body []byte
}

// Append writes the line of r to dst, without a line end. Kind, Log and Body
// must be valid: they are made by us.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, `{"at":`...)
	dst = AppendInt(dst, r.At)
	dst = append(dst, `,"body":`...)
	dst = append(dst, r.Body...)
	dst = append(dst, `,"kind":`...)
	dst = jcs.AppendString(dst, r.Kind)
	dst = append(dst, `,"log":`...)
	dst = jcs.AppendString(dst, r.Log)
	if r.Seq > 0 {
		dst = append(dst, `,"prev":"`...)
		dst = base64.RawURLEncoding.AppendEncode(dst, r.Prev[:])
		dst = append(dst, '"')
	}
	dst = append(dst, `,"seq":`...)
	dst = AppendInt(dst, r.Seq)
	return append(dst, `,"v":1}`...)
}

// Parse reads a line; its parts alias line. Text that Append would not have
// written in exactly these bytes is refused.
func Parse(line []byte) (Record, error) {
	var r Record
	if len(line) > MaxBytes {
		return r, fmt.Errorf("%w: %d bytes", ErrForm, len(line))
	}
	version, seen := int64(0), 0
	hasPrev := false
	d := NewReader(line)
	d.Object(func(key []byte) {
		seen++
		switch string(key) {
		case "at":
			r.At = d.Int()
		case "body":
			r.Body = d.Raw()
		case "kind":
			r.Kind = d.String()
		case "log":
			r.Log = d.String()
		case "prev":
			hasPrev = true
			seen--
			h, err := ParseHash(d.String())
			if err != nil {
				d.Fail("prev is no hash")
			}
			r.Prev = h
		case "seq":
			r.Seq = d.Int()
		case "v":
			version = d.Int()
		default:
			d.Fail("unknown key " + string(key))
		}
	})
	if err := d.End(); err != nil {
		return Record{}, err
	}
	switch {
	case version != Version:
		return Record{}, fmt.Errorf("%w: version %d", ErrForm, version)
	case seen != 6 || r.Seq < 0 || hasPrev != (r.Seq > 0) || r.At < 0 || r.Kind == "" || r.Log == "":
		return Record{}, fmt.Errorf("%w: a part is missing", ErrForm)
	case !bytes.HasPrefix(r.Body, []byte("{")):
		return Record{}, fmt.Errorf("%w: its body is no object", ErrForm)
	}
	return r, nil
}

// KeyBytes is the length of the key of a record's commitments.
const KeyBytes = 32

// Commit is the commitment to content that is kept apart and may be erased:
// HMAC-SHA256(key, field || 0x00 || content), in base64url. A plain hash of a
// short value, such as an address, could be guessed. The key is random, of
// KeyBytes, one a record, and dies with the content.
func Commit(key []byte, field string, content []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(field))
	m.Write([]byte{0})
	m.Write(content)
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(m.Sum(sum[:0]))
}
