package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"reeve/internal/jcs"
	"reeve/internal/upstream"
)

// Canonical is a request's JSON in canonical form (RFC 8785, with numbers that a
// double would change as they are written), so that a space or another escape is
// no other question. A text that is no JSON, has a name twice or half a surrogate
// pair has none, since readers make different values of it, and one that nests
// too deep.
//
// leave names members to leave out, by how deep they stand (1 is the outermost
// object) and the name of the member that they are in; nil leaves out nothing.
func Canonical(raw []byte, leave func(depth int, in, name string) bool) ([]byte, error) {
	if !json.Valid(raw) || LoneSurrogate(raw) {
		return nil, jcs.ErrForm
	}
	return jcs.Form{Exact: true, Leave: leave}.Append(nil, raw)
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
// protocol binds and forwards those of the message that was held.
func (x *passage) boundHeaders() []byte {
	if x.record.LocalTool || x.Upstream == nil || x.Request == nil || x.kind == "a2a" && x.proposal.bind() != nil {
		return nil
	}
	if x.onward != nil {
		return headerForm(x.onward)
	}
	return BoundHeaders(x.Request.Header)
}

// BoundHeaders are the headers of an agent's request that an approval is bound
// to, in one form whatever their order.
func BoundHeaders(from http.Header) []byte {
	h := http.Header{}
	upstream.Outgoing(h, from)
	return headerForm(h)
}

func headerForm(h http.Header) []byte {
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
		"X-Request-Id", "Idempotency-Key", "Content-Length", "Grpc-Timeout", "Mcp-Session-Id", "Mcp-Protocol-Version", "Last-Event-Id",
		"X-Amz-Date", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", // of an AWS SDK's own signature, which ends here
		"B3", "X-Amzn-Trace-Id", "X-Cloud-Trace-Context", "Uber-Trace-Id", "Sentry-Trace", // of tracers
		"X-Envoy-Attempt-Count", "X-Envoy-Expected-Rq-Timeout-Ms":
		return true
	}
	return strings.HasPrefix(name, "X-Stainless-") || strings.HasPrefix(name, "X-Reeve-") || strings.HasPrefix(name, "X-B3-") || strings.HasPrefix(name, "X-Datadog-")
}
