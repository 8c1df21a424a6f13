package dialect

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"reeve/internal/activity"
)

// Writer makes the OTLP of what a vendor's own wire format says. The zero value
// is ready. Nothing given to it is kept after it returned.
type Writer struct {
	spans, logs []byte // encoded, with the tags of their scope groups
	rejected    int64
	reasons     []string
}

// OutSpan is a span to write. What is zero is not written.
type OutSpan struct {
	Trace      activity.TraceID
	ID, Parent activity.SpanID
	Name       string
	Start, End int64 // ns
	Failed     bool
	Message    string // of the failure

	Attributes
}

// OutLog is a log record to write.
type OutLog struct {
	Trace activity.TraceID
	Span  activity.SpanID
	Time  int64 // ns
	Event string
	Body  string

	Attributes
}

// Attributes are the attributes of a record to write; empty values are left out.
type Attributes struct{ b []byte }

func (a *Attributes) entry(field byte, key string, value []byte) {
	kv := append([]byte{1<<3 | 2}, AppendVarint(nil, uint64(len(key)))...)
	kv = append(kv, key...)
	kv = append(kv, 2<<3|2)
	kv = append(AppendVarint(kv, uint64(len(value))), value...)
	a.b = append(a.b, field)
	a.b = append(AppendVarint(a.b, uint64(len(kv))), kv...)
}

// attributesOfSpan is the tag of a span's attributes; a log record's is put in
// its place when it is written.
const attributesOfSpan = 9<<3 | 2

// Text adds a text.
func (a *Attributes) Text(key, v string) {
	if v == "" {
		return
	}
	value := AppendVarint([]byte{1<<3 | 2}, uint64(len(v)))
	a.entry(attributesOfSpan, key, append(value, v...))
}

// JSON adds JSON as its text, a JSON string as what it says; null is nothing.
func (a *Attributes) JSON(key string, raw []byte) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	if raw[0] == '"' {
		a.Text(key, unquoteJSON(raw))
		return
	}
	value := AppendVarint([]byte{1<<3 | 2}, uint64(len(raw)))
	a.entry(attributesOfSpan, key, append(value, raw...))
}

// Int adds a whole number.
func (a *Attributes) Int(key string, n int64) {
	a.entry(attributesOfSpan, key, AppendVarint([]byte{3 << 3}, uint64(n)))
}

// Count adds a number that may not have been said: nil is none.
func (a *Attributes) Count(key string, n *int64) {
	if n != nil {
		a.Int(key, *n)
	}
}

// Float adds a number.
func (a *Attributes) Float(key string, f float64) {
	a.entry(attributesOfSpan, key, binary.LittleEndian.AppendUint64([]byte{4<<3 | 1}, math.Float64bits(f)))
}

// Bool adds a truth.
func (a *Attributes) Bool(key string, v bool) {
	a.entry(attributesOfSpan, key, []byte{2 << 3, byte(b2i(v))})
}

// Texts adds a list of texts.
func (a *Attributes) Texts(key string, all []string) {
	if len(all) == 0 {
		return
	}
	var list []byte
	for _, v := range all {
		e := AppendVarint([]byte{1<<3 | 2}, uint64(len(v)))
		list = AppendEntry(list, append(e, v...))
	}
	value := AppendVarint([]byte{5<<3 | 2}, uint64(len(list)))
	a.entry(attributesOfSpan, key, append(value, list...))
}

// Span writes s.
func (w *Writer) Span(s *OutSpan) {
	var b []byte
	if s.Trace != (activity.TraceID{}) {
		b = append(b, 1<<3|2, 16)
		b = append(b, s.Trace[:]...)
	}
	b = append(b, 2<<3|2, 8)
	b = append(b, s.ID[:]...)
	if s.Parent != (activity.SpanID{}) {
		b = append(b, 4<<3|2, 8)
		b = append(b, s.Parent[:]...)
	}
	b = text(b, 5<<3|2, s.Name)
	b = fixed(b, 7<<3|1, s.Start)
	b = fixed(b, 8<<3|1, s.End)
	b = append(b, s.b...)
	if s.Failed {
		status := text(nil, 2<<3|2, s.Message)
		status = append(status, 3<<3, 2)
		b = append(b, 15<<3|2)
		b = append(AppendVarint(b, uint64(len(status))), status...)
	}
	w.spans = entry2(w.spans, b)
}

// Log writes l.
func (w *Writer) Log(l *OutLog) {
	b := fixed(nil, 1<<3|1, l.Time)
	if l.Body != "" {
		value := text(nil, 1<<3|2, l.Body)
		b = append(b, 5<<3|2)
		b = append(AppendVarint(b, uint64(len(value))), value...)
	}
	for r := (Reader{B: l.b}); r.More(); {
		r.Tag()
		kv := r.Bytes()
		b = append(b, 6<<3|2)
		b = append(AppendVarint(b, uint64(len(kv))), kv...)
	}
	if l.Trace != (activity.TraceID{}) {
		b = append(b, 9<<3|2, 16)
		b = append(b, l.Trace[:]...)
	}
	if l.Span != (activity.SpanID{}) {
		b = append(b, 10<<3|2, 8)
		b = append(b, l.Span[:]...)
	}
	b = text(b, 12<<3|2, l.Event)
	w.logs = entry2(w.logs, b)
}

// Reject counts a record that could not be read, and why.
func (w *Writer) Reject(why string) {
	w.rejected++
	if len(w.reasons) < 5 {
		w.reasons = append(w.reasons, why)
	}
}

// Rejected is how many records Reject counted, and why the first of them were.
func (w *Writer) Rejected() (int64, []string) { return w.rejected, w.reasons }

// Mark is where the next span will stand, for Since.
func (w *Writer) Mark() int { return len(w.spans) }

// Since calls each with every encoded span that was written after the mark.
// They stay valid.
func (w *Writer) Since(mark int, each func(span []byte)) {
	for r := (Reader{B: w.spans[mark:]}); r.More(); {
		r.Tag()
		each(r.Bytes())
	}
}

// Traces is the request that holds all spans; nil for none.
func (w *Writer) Traces() []byte { return wrap(w.spans) }

// Logs is the request that holds all log records; nil for none.
func (w *Writer) Logs() []byte { return wrap(w.logs) }

// wrap puts records into one scope of one resource.
func wrap(records []byte) []byte {
	if len(records) == 0 {
		return nil
	}
	return AppendEntry(nil, entry2(nil, records))
}

// entry2 is AppendEntry for field 2, where OTLP keeps what belongs to a scope
// or resource.
func entry2(dst, b []byte) []byte {
	dst = append(dst, 2<<3|2)
	return append(AppendVarint(dst, uint64(len(b))), b...)
}

func text(dst []byte, tag byte, s string) []byte {
	if s == "" {
		return dst
	}
	dst = append(dst, tag)
	return append(AppendVarint(dst, uint64(len(s))), s...)
}

func fixed(dst []byte, tag byte, n int64) []byte {
	if n <= 0 {
		return dst
	}
	return binary.LittleEndian.AppendUint64(append(dst, tag), uint64(n))
}

// TraceOf is the trace that a vendor's id names: 32 hex digits and UUIDs as
// they are, a decimal number as its bytes, anything else by its hash, so that
// the same text is always the same trace.
func TraceOf(id string) (t activity.TraceID) {
	if id == "" {
		return t
	}
	if raw, ok := unhex(id, 16); ok {
		copy(t[:], raw)
		return t
	}
	if n, err := strconv.ParseUint(id, 10, 64); err == nil {
		binary.BigEndian.PutUint64(t[8:], n)
		return t
	}
	sum := sha256.Sum256([]byte(id))
	copy(t[:], sum[:])
	return t
}

// SpanOf is the span that a vendor's id names: 16 hex digits as they are, a
// decimal number as its bytes, anything else by its hash. A number of 16 digits
// that is both is read as decimal where decimal is true.
func SpanOf(id string, decimal bool) (s activity.SpanID) {
	if id == "" {
		return s
	}
	if decimal {
		if n, err := strconv.ParseUint(id, 10, 64); err == nil {
			binary.BigEndian.PutUint64(s[:], n)
			return s
		}
	}
	if raw, ok := unhex(id, 8); ok {
		copy(s[:], raw)
		return s
	}
	sum := sha256.Sum256([]byte(id))
	copy(s[:], sum[:])
	return s
}

// unhex reads n bytes in hex, with the dashes of a UUID or without.
func unhex(id string, n int) ([]byte, bool) {
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		id = id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	}
	if len(id) != 2*n {
		return nil, false
	}
	raw, err := hex.DecodeString(id)
	return raw, err == nil
}

// Instant reads a time as vendors write it: RFC 3339, or a number of
// milliseconds or microseconds or nanoseconds since 1970. 0 is none.
func Instant(raw []byte) int64 {
	raw = bytes.Trim(bytes.TrimSpace(raw), `"`)
	if len(raw) == 0 || string(raw) == "null" {
		return 0
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
		switch {
		case f <= 0 || f > 9e18:
			return 0
		case f > 1e17:
			if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
				return n
			}
			return int64(f)
		case f > 1e14:
			return int64(f * 1e3)
		case f > 1e11:
			return int64(f * 1e6)
		}
		return int64(f * 1e9)
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, string(raw)); err == nil && t.Year() > 1970 && t.Year() < 2200 {
			return t.UnixNano()
		}
	}
	return 0
}

// unquoteJSON is what a JSON string says; what is none is itself.
func unquoteJSON(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// Keys are a map's keys in order: the same request must give the same bytes.
func Keys[M ~map[string]V, V any](m M) []string { return slices.Sorted(maps.Keys(m)) }
