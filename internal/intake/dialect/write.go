package dialect

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/bits"
	"strconv"
	"time"

	"reeve/internal/activity"
)

// Writer makes the OTLP of what a vendor's own wire format says. The zero value
// is ready; Reset makes it so again and keeps its memory. Nothing given to it is
// kept after it returned.
type Writer struct {
	spans, logs []byte // encoded, with the tags of their scope groups
	record      []byte // the one at hand
	spare       []byte // memory for attributes
	request     []byte
	rejected    int64
	reasons     []string
}

// Reset forgets all that was written.
func (w *Writer) Reset() {
	*w = Writer{spans: w.spans[:0], logs: w.logs[:0], record: w.record[:0], spare: w.spare[:0], request: w.request[:0]}
	const most = 4 << 20 // one giant must not be remembered for good
	if cap(w.spans)+cap(w.request) > most {
		*w = Writer{}
	}
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

// Attributes is memory for the next record's: what the last one's used.
func (w *Writer) Attributes() Attributes {
	b := w.spare[:0]
	w.spare = nil
	return Attributes{b}
}

// attributesOfSpan is the tag of a span's attributes; a log record's is put in
// its place when it is written.
const attributesOfSpan = 9<<3 | 2

func varintLen(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }

// entry begins an attribute whose AnyValue has that many bytes.
func (a *Attributes) entry(key string, size int) {
	a.b = append(a.b, attributesOfSpan)
	a.b = AppendVarint(a.b, uint64(2+varintLen(len(key))+len(key)+varintLen(size)+size))
	a.b = append(a.b, 1<<3|2)
	a.b = append(AppendVarint(a.b, uint64(len(key))), key...)
	a.b = append(a.b, 2<<3|2)
	a.b = AppendVarint(a.b, uint64(size))
}

// Text adds a text.
func (a *Attributes) Text(key, v string) {
	if v == "" {
		return
	}
	a.entry(key, 1+varintLen(len(v))+len(v))
	a.b = append(a.b, 1<<3|2)
	a.b = append(AppendVarint(a.b, uint64(len(v))), v...)
}

// JSON adds JSON as its text, a JSON string as what it says; null is nothing.
func (a *Attributes) JSON(key string, raw Raw) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return
	}
	if raw[0] == '"' {
		a.Text(key, raw.Text())
		return
	}
	a.Text(key, alias(raw))
}

// Int adds a whole number.
func (a *Attributes) Int(key string, n int64) {
	var b [10]byte
	v := AppendVarint(b[:0], uint64(n))
	a.entry(key, 1+len(v))
	a.b = append(append(a.b, 3<<3), v...)
}

// Count adds a whole number that may not have been said.
func (a *Attributes) Count(key string, raw Raw) {
	if n, ok := raw.Int(); ok {
		a.Int(key, n)
	}
}

// Number adds a number that may not have been said, whole ones as such.
func (a *Attributes) Number(key string, raw Raw) {
	switch f, ok := raw.Float(); {
	case !ok:
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		a.Int(key, int64(f))
	default:
		a.Float(key, f)
	}
}

// Float adds a number.
func (a *Attributes) Float(key string, f float64) {
	a.entry(key, 9)
	a.b = append(a.b, 4<<3|1)
	a.b = binary.LittleEndian.AppendUint64(a.b, math.Float64bits(f))
}

// Texts adds a list of texts.
func (a *Attributes) Texts(key string, all []string) {
	size := 0
	for _, v := range all {
		n := 1 + varintLen(len(v)) + len(v)
		size += 1 + varintLen(n) + n
	}
	if size == 0 {
		return
	}
	a.entry(key, 1+varintLen(size)+size)
	a.b = append(a.b, 5<<3|2)
	a.b = AppendVarint(a.b, uint64(size))
	for _, v := range all {
		a.b = append(a.b, 1<<3|2)
		a.b = AppendVarint(a.b, uint64(1+varintLen(len(v))+len(v)))
		a.b = append(a.b, 1<<3|2)
		a.b = append(AppendVarint(a.b, uint64(len(v))), v...)
	}
}

// Span writes s, whose attributes may not be used after.
func (w *Writer) Span(s *OutSpan) {
	b := w.record[:0]
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
		size := 2
		if s.Message != "" {
			size += 1 + varintLen(len(s.Message)) + len(s.Message)
		}
		b = append(b, 15<<3|2)
		b = AppendVarint(b, uint64(size))
		b = text(b, 2<<3|2, s.Message)
		b = append(b, 3<<3, 2)
	}
	w.record, w.spare = b, s.b[:0]
	w.spans = entry2(w.spans, b)
}

// Log writes l, whose attributes may not be used after.
func (w *Writer) Log(l *OutLog) {
	b := fixed(w.record[:0], 1<<3|1, l.Time)
	if l.Body != "" {
		b = append(b, 5<<3|2)
		b = AppendVarint(b, uint64(1+varintLen(len(l.Body))+len(l.Body)))
		b = text(b, 1<<3|2, l.Body)
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
	w.record, w.spare = b, l.b[:0]
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
// They stay valid until Reset.
func (w *Writer) Since(mark int, each func(span []byte)) {
	for r := (Reader{B: w.spans[mark:]}); r.More(); {
		r.Tag()
		each(r.Bytes())
	}
}

// Traces is the request that holds all spans; nil for none. It is valid until
// Reset.
func (w *Writer) Traces() []byte { return w.wrap(w.spans) }

// Logs is the request that holds all log records; nil for none. It is valid
// until Reset.
func (w *Writer) Logs() []byte { return w.wrap(w.logs) }

// wrap puts records into one scope of one resource.
func (w *Writer) wrap(records []byte) []byte {
	if len(records) == 0 {
		return nil
	}
	from := len(w.request)
	w.request = append(w.request, 1<<3|2)
	w.request = AppendVarint(w.request, uint64(1+varintLen(len(records))+len(records)))
	w.request = entry2(w.request, records)
	return w.request[from:len(w.request):len(w.request)]
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
	switch {
	case id == "" || unhex(t[:], id):
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
// decimal number as its bytes where decimal is true, anything else by its hash.
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
	if unhex(s[:], id) {
		return s
	}
	sum := sha256.Sum256([]byte(id))
	copy(s[:], sum[:])
	return s
}

// unhex reads hex into dst, with the dashes of a UUID or without.
func unhex(dst []byte, id string) bool {
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		id = id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	}
	if len(id) != 2*len(dst) {
		return false
	}
	var whole [16]byte
	if n, err := hex.Decode(whole[:], []byte(id)); err != nil || n != len(dst) {
		return false
	}
	copy(dst, whole[:])
	return true
}

// Instant reads a time as vendors write it: RFC 3339, or a number of seconds,
// milliseconds, microseconds or nanoseconds since 1970. 0 is none.
func Instant(raw Raw) int64 {
	raw = bytes.Trim(bytes.TrimSpace(raw), `"`)
	if len(raw) == 0 || string(raw) == "null" {
		return 0
	}
	said := alias(raw)
	if f, err := strconv.ParseFloat(said, 64); err == nil {
		switch {
		case f <= 0 || f > 9e18:
			return 0
		case f > 1e17:
			if n, err := strconv.ParseInt(said, 10, 64); err == nil {
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
		if t, err := time.Parse(layout, said); err == nil && t.Year() > 1970 && t.Year() < 2200 {
			return t.UnixNano()
		}
	}
	return 0
}
