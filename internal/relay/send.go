package relay

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"reeve/internal/fault"
)

// sent is how a request went. rest is what is still to be sent.
type sent struct {
	taken, rejected int64
	rest            []byte
	restRecords     int64
	note            string        // what was said about rejected records
	err             error         // why rest was not taken; nil when it was, or was left behind
	once            bool          // by the protocol it should not come again
	after           time.Duration // when it may come again; 0 leaves that to us
}

// answer is what a destination said to one request, whatever the transport.
type answer struct {
	verdict  verdict
	rejected int64
	text     string
	after    time.Duration
	err      error // of the connection
}

type verdict uint8

const (
	accepted verdict = iota
	again            // later
	broken           // it may be the batch, or the destination: some tries more
	tooLarge         // less of it
	never            // not these records
)

// send makes one request of a signal's body, smaller ones when it is too large
// for the destination.
func (w *worker) send(ctx context.Context, s Signal, body []byte, records int64) sent {
	// gRPC servers take 4 MB unless somebody said otherwise.
	a := answer{verdict: tooLarge}
	if len(body) <= largestBody || records < 2 {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(w.d.TimeoutMS)*time.Millisecond)
		defer cancel()
		if w.d.Protocol == "grpc" {
			a = w.grpc(ctx, s, body)
		} else {
			a = w.http(ctx, s, body)
		}
	}
	switch {
	case a.verdict == accepted:
		rejected := min(max(a.rejected, 0), records)
		return sent{taken: records - rejected, rejected: rejected, note: a.text}
	case a.verdict == tooLarge && records > 1:
		return w.halves(ctx, s, body, records)
	case a.verdict == never || a.verdict == tooLarge:
		return sent{rejected: records, note: a.reason()}
	}
	err := fault.New(fault.KindUnavailable, "relay.refused", "%s", a.reason()).WithCause(a.err)
	return sent{rest: body, restRecords: records, err: err, once: a.verdict == broken, after: min(a.after, longestAfter)}
}

func (a *answer) reason() string {
	switch {
	case a.text != "":
		return a.text
	case a.err != nil:
		return reasonOf(a.err)
	}
	return "a record is too large"
}

const largestBody = 3 << 20

// halves sends the first half of the records; the rest comes next.
func (w *worker) halves(ctx context.Context, s Signal, body []byte, records int64) sent {
	a := Arrival{Signal: s, Body: body, Records: make([]Record, records)}
	h := a.halves()
	first := w.send(ctx, s, h[0].Body, int64(len(h[0].Records)))
	// What of the first half is left goes before the second.
	first.rest = append(first.rest[:len(first.rest):len(first.rest)], h[1].Body...)
	first.restRecords += int64(len(h[1].Records))
	return first
}

// reasonOf is what of a connection's failure is for people: no address of ours.
func reasonOf(err error) string {
	var f *fault.Error
	var u *url.Error
	switch {
	case errors.As(err, &f):
		return f.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.As(err, &u):
		return "it cannot be reached: " + clean(u.Err.Error())
	}
	return "it cannot be reached: " + clean(err.Error())
}

// clean is a sender's words for a page: one short line.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return strings.TrimSpace(s)
}

var paths = [...]string{"v1/traces", "v1/logs", "v1/metrics"}

const maxAnswer = 64 << 10

func (w *worker) http(ctx context.Context, s Signal, body []byte) answer {
	base, err := url.Parse(w.d.URL)
	if err != nil {
		return answer{verdict: again, err: err}
	}
	u := base.JoinPath(paths[s])
	if u.RawQuery == "" {
		u.RawQuery = base.RawQuery
	}
	encoded := w.compress(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(encoded))
	if err != nil {
		return answer{verdict: again, err: err}
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if w.d.Compression == "gzip" {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if err := w.head(req); err != nil {
		return answer{verdict: again, err: err}
	}
	resp, err := w.remote.Transport().RoundTrip(req)
	if err != nil {
		return answer{verdict: again, err: err}
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil && resp.StatusCode < 300 {
		return answer{verdict: again, err: err}
	}
	return httpAnswer(resp, said, w.r.o.Now())
}

// head sets what every request carries.
func (w *worker) head(req *http.Request) error {
	req.Header.Set("User-Agent", "reeve-relay")
	if w.r.o.Install != "" {
		req.Header.Set(HopHeader, w.r.o.Install)
	}
	return w.remote.Authorize(req)
}

// HopHeader names the installation that relayed a request, so that telemetry
// sent in a circle is refused where it began.
const HopHeader = "X-Reeve-Relay"

func (w *worker) compress(body []byte) []byte {
	if w.d.Compression != "gzip" {
		return body
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is a valid one
	_, _ = z.Write(body)                            // into memory
	_ = z.Close()
	return b.Bytes()
}

// httpAnswer reads a status by OTLP/HTTP's rules, except that what a person
// must repair (a dead key, a wrong path) waits for them instead of being lost.
func httpAnswer(resp *http.Response, said []byte, now time.Time) answer {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		a := answer{}
		a.rejected, a.text = partial(resp.Header.Get("Content-Type"), said)
		return a
	}
	a := answer{text: fmt.Sprintf("it answered %d %s", code, http.StatusText(code))}
	if text := statusText(resp.Header.Get("Content-Type"), said); text != "" {
		a.text += ": " + text
	}
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		a.verdict, a.after = again, retryAfter(resp.Header.Get("Retry-After"), now)
	case http.StatusRequestEntityTooLarge:
		a.verdict = tooLarge
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		a.verdict = never
	case http.StatusInternalServerError, http.StatusNotImplemented:
		a.verdict = broken
	default:
		a.verdict = again
	}
	return a
}

func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(text); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// partial reads an export response's partial_success.
func partial(kind string, said []byte) (rejected int64, text string) {
	if strings.Contains(kind, "json") {
		var r struct {
			PartialSuccess struct {
				RejectedSpans      json.Number `json:"rejectedSpans"`
				RejectedLogRecords json.Number `json:"rejectedLogRecords"`
				RejectedDataPoints json.Number `json:"rejectedDataPoints"`
				ErrorMessage       string      `json:"errorMessage"`
			} `json:"partialSuccess"`
		}
		if json.Unmarshal(said, &r) != nil {
			return 0, ""
		}
		for _, n := range []json.Number{r.PartialSuccess.RejectedSpans, r.PartialSuccess.RejectedLogRecords, r.PartialSuccess.RejectedDataPoints} {
			if v, err := n.Int64(); err == nil {
				rejected = max(rejected, v)
			}
		}
		return rejected, clean(r.PartialSuccess.ErrorMessage)
	}
	eachField(said, func(field, wire, _ uint64, value []byte) {
		if field != 1 || wire != 2 {
			return
		}
		eachField(value, func(field, wire, number uint64, value []byte) {
			switch {
			case field == 1 && wire == 0:
				rejected = int64(min(number, math.MaxInt64))
			case field == 2 && wire == 2:
				text = clean(string(value))
			}
		})
	})
	return rejected, text
}

// statusText is the message of a google.rpc.Status, or what else an error's body
// says.
func statusText(kind string, said []byte) (text string) {
	switch {
	case strings.Contains(kind, "protobuf"):
		eachField(said, func(field, wire, _ uint64, value []byte) {
			if field == 2 && wire == 2 {
				text = clean(string(value))
			}
		})
	case strings.Contains(kind, "json"):
		var s struct{ Message, Detail string }
		if json.Unmarshal(said, &s) == nil {
			text = clean(s.Message + s.Detail)
		}
	case strings.HasPrefix(kind, "text/plain"):
		text = clean(string(said))
	}
	return text
}

// eachField walks a message; damaged bytes end it.
func eachField(b []byte, each func(field, wire, number uint64, value []byte)) {
	for at := 0; at < len(b); {
		tag, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return
		}
		from := at + n
		next, size := skip(b, from, tag&7)
		if next < 0 {
			return
		}
		number := uint64(0)
		if tag&7 == 0 {
			number, _ = binary.Uvarint(b[from:])
		}
		each(tag>>3, tag&7, number, b[next-size:next])
		at = next
	}
}

var services = [...]string{"trace.v1.TraceService", "logs.v1.LogsService", "metrics.v1.MetricsService"}

// grpc makes a unary call by hand: one frame there, one back, the status in the
// trailer. A client of gRPC's own would dial by itself, past the check of
// addresses.
func (w *worker) grpc(ctx context.Context, s Signal, body []byte) answer {
	u, err := url.Parse(w.d.URL)
	if err != nil {
		return answer{verdict: again, err: err}
	}
	u.Path, u.RawPath, u.RawQuery = "/opentelemetry.proto.collector."+services[s]+"/Export", "", ""
	encoded := w.compress(body)
	frame := make([]byte, 5, 5+len(encoded))
	if w.d.Compression == "gzip" {
		frame[0] = 1
	}
	binary.BigEndian.PutUint32(frame[1:], uint32(len(encoded)))
	frame = append(frame, encoded...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(frame))
	if err != nil {
		return answer{verdict: again, err: err}
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	if w.d.Compression == "gzip" {
		req.Header.Set("Grpc-Encoding", "gzip")
	}
	if d, ok := ctx.Deadline(); ok {
		req.Header.Set("Grpc-Timeout", strconv.FormatInt(max(1, time.Until(d).Milliseconds()), 10)+"m")
	}
	if err := w.head(req); err != nil {
		return answer{verdict: again, err: err}
	}
	transport := w.remote.Transport()
	if u.Scheme == "http" {
		transport = w.remote.Cleartext2()
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer{verdict: again, err: err}
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{verdict: again, err: err}
	}
	if resp.StatusCode != http.StatusOK {
		return httpAnswer(resp, said, w.r.o.Now()) // a proxy on the way
	}
	return grpcAnswer(resp, said)
}

// frameOf is the message of an answer's one frame. Servers answer compressed
// whoever sends so.
func frameOf(resp *http.Response, said []byte) []byte {
	switch {
	case len(said) < 5:
		return nil
	case said[0] == 0:
		return said[5:]
	case resp.Header.Get("Grpc-Encoding") != "gzip":
		return nil
	}
	z, err := gzip.NewReader(bytes.NewReader(said[5:]))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, maxAnswer))
	if err != nil {
		return nil
	}
	return out
}

// The status codes of gRPC that matter here.
const (
	codeOK                = 0
	codeInvalidArgument   = 3
	codeResourceExhausted = 8
	codeUnimplemented     = 12
	codeInternal          = 13
)

func grpcAnswer(resp *http.Response, said []byte) answer {
	status, message := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" { // an answer of a trailer alone
		status, message = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		return answer{verdict: again, text: "it does not speak gRPC"}
	}
	if code == codeOK {
		a := answer{}
		a.rejected, a.text = partial("application/x-protobuf", frameOf(resp, said))
		return a
	}
	if text, err := url.PathUnescape(message); err == nil {
		message = text
	}
	a := answer{verdict: again, text: fmt.Sprintf("it answered with gRPC status %d: %s", code, clean(message))}
	switch code {
	case codeInvalidArgument:
		a.verdict = never
	case codeResourceExhausted:
		// The same code says "too many" and "too large".
		if strings.Contains(message, "larger than max") || strings.Contains(message, "message too large") {
			a.verdict = tooLarge
		}
		if b := resp.Trailer.Get("Grpc-Status-Details-Bin"); b != "" {
			a.after = retryInfo(b)
		}
	case codeUnimplemented, codeInternal:
		a.verdict = broken
	}
	return a
}
