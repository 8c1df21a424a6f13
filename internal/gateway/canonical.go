package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"reeve/internal/upstream"
)

// maxCanonical bounds how deep a text may nest.
const maxCanonical = 64

var errCanonical = errors.New("not JSON that reads in one way")

// Canonical is a JSON text in the one form that all texts of the same value have
// (after RFC 8785; members stand in the order of bytes, and exponents as Go
// writes them), so that a space or another escape is no other question. A number
// that readers may keep more exactly than a double stays as it is written. A text
// that is no JSON, has a name twice or half a surrogate pair has none, since
// readers make different values of it, and one that nests too deep.
//
// leave names members to leave out, by how deep they stand (1 is the outermost
// object) and the name of the member that they are in; nil leaves out nothing.
func Canonical(raw []byte, leave func(depth int, in, name string) bool) ([]byte, error) {
	if !json.Valid(raw) || !utf8.Valid(raw) || LoneSurrogate(raw) {
		return nil, errCanonical
	}
	c := canon{d: json.NewDecoder(bytes.NewReader(raw)), leave: leave}
	c.d.UseNumber()
	return c.value(nil, 0, "")
}

// LoneSurrogate reports whether a JSON text has half a surrogate pair: readers
// replace it, drop it or keep it.
func LoneSurrogate(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 >= len(raw) {
			return false
		}
		raw = raw[i:]
		switch u := unit(raw); {
		case u < 0:
			raw = raw[2:]
		case u >= 0xd800 && u < 0xdc00:
			if low := unit(raw[6:]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			raw = raw[12:]
		case u >= 0xdc00 && u <= 0xdfff:
			return true
		default:
			raw = raw[6:]
		}
	}
}

// unit is the code unit of the escape \uXXXX that b begins with, -1 for none.
func unit(b []byte) int64 {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int64(n)
}

type canon struct {
	d     *json.Decoder
	leave func(depth int, in, name string) bool
}

func (c *canon) value(dst []byte, depth int, in string) ([]byte, error) {
	if depth > maxCanonical {
		return nil, errCanonical
	}
	t, err := c.d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return quoted(dst, t)
	case bool:
		return strconv.AppendBool(dst, t), nil
	case nil:
		return append(dst, "null"...), nil
	case json.Number:
		return appendNumber(dst, t.String()), nil
	case json.Delim:
		if t == '[' {
			return c.array(dst, depth)
		}
		return c.object(dst, depth, in)
	}
	return nil, errCanonical
}

func (c *canon) array(dst []byte, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for first := true; c.d.More(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, err = c.value(dst, depth+1, ""); err != nil {
			return nil, err
		}
	}
	_, err = c.d.Token()
	return append(dst, ']'), err
}

func (c *canon) object(dst []byte, depth int, in string) ([]byte, error) {
	type member struct {
		name  string
		value []byte
	}
	var all []member
	for c.d.More() {
		t, err := c.d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errCanonical
		}
		value, err := c.value(nil, depth+1, name)
		if err != nil {
			return nil, err
		}
		all = append(all, member{name, value})
	}
	if _, err := c.d.Token(); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	first := true
	for i, m := range all {
		if i > 0 && all[i-1].name == m.name {
			return nil, errCanonical
		}
		if c.leave != nil && c.leave(depth+1, in, m.name) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var err error
		if dst, err = quoted(dst, m.name); err != nil {
			return nil, err
		}
		dst = append(append(dst, ':'), m.value...)
	}
	return append(dst, '}'), nil
}

func quoted(dst []byte, s string) ([]byte, error) {
	q, err := json.Marshal(s)
	return append(dst, q...), err
}

// appendNumber writes a number as ECMAScript does where a double keeps all of it.
func appendNumber(dst []byte, s string) []byte {
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	f, err := strconv.ParseFloat(s, 64)
	switch abs := math.Abs(f); {
	case digits == "":
		return append(dst, '0')
	case err != nil || len(digits) > 15 || abs < 1e-300 || math.IsInf(f, 0):
		return append(dst, s...)
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'e', -1, 64)
}

// boundBody is a body as an approval is bound to it.
func boundBody(body []byte) (form string, b []byte) {
	if at := bytes.TrimLeft(body, " \t\r\n"); len(at) > 0 && (at[0] == '{' || at[0] == '[') {
		if b, err := Canonical(body, nil); err == nil {
			return "json", b
		}
	}
	return "bytes", body
}

// boundHeaders are the headers that an approval is bound to: what would go
// upstream of the agent's, without what its next attempt at the same call says
// differently. A2A carries a held message by other calls than its own: there the
// protocol binds what matters.
func (x *passage) boundHeaders() []byte {
	if x.record.LocalTool || x.Upstream == nil || x.Request == nil || x.kind == "a2a" {
		return nil
	}
	h := http.Header{}
	upstream.Outgoing(h, x.Request.Header)
	names := make([]string, 0, len(h))
	for name := range h {
		if !varies(http.CanonicalHeaderKey(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []byte
	part := func(s string) { out = append(append(strconv.AppendInt(out, int64(len(s)), 10), ':'), s...) }
	for _, name := range names {
		part(name)
		out = append(strconv.AppendInt(out, int64(len(h[name])), 10), '*')
		for _, v := range h[name] {
			part(v)
		}
	}
	return out
}

// varies names the headers that differ between attempts at the same call and
// change nothing of what it does.
func varies(name string) bool {
	switch name {
	case "Traceparent", "Tracestate", "Baggage", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Expect",
		"X-Request-Id", "Idempotency-Key", "Content-Length", "Mcp-Session-Id", "Mcp-Protocol-Version", "Last-Event-Id",
		"X-Amz-Date", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request": // of an AWS SDK's own signature, which ends here
		return true
	}
	return strings.HasPrefix(name, "X-Stainless-") || strings.HasPrefix(name, "X-Reeve-")
}
