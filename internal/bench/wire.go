package bench

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The OTLP messages are written by hand because a generator that shares the
// machine with the server it measures must cost next to nothing: the protobuf
// runtime takes several times as long as the texts themselves.

// The field that holds attributes, by the message they belong to.
const (
	ResourceAttr protowire.Number = 1
	ScopeAttr    protowire.Number = 3
	EventAttr    protowire.Number = 3
	LogAttr      protowire.Number = 6
	SpanAttr     protowire.Number = 9
)

// Span and status codes of OTLP that callers need.
const (
	KindInternal = 1
	KindServer   = 2
	KindClient   = 3
	StatusUnset  = 0
	StatusOK     = 1
	StatusError  = 2
)

// Text is text or bytes of text.
type Text interface{ ~string | ~[]byte }

// AppendText appends a string attribute to the message whose attributes are in
// field.
func AppendText[T Text](dst []byte, field protowire.Number, key string, value T) []byte {
	inner := 1 + protowire.SizeBytes(len(value))
	dst = attrHead(dst, field, key, inner)
	dst = append(dst, 1<<3|2)
	dst = protowire.AppendVarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// appendJoined appends a string attribute made of three parts, sparing the
// copy that joining a long history first would take.
func appendJoined(dst []byte, field protowire.Number, key, open string, middle []byte, end string) []byte {
	n := len(open) + len(middle) + len(end)
	dst = attrHead(dst, field, key, 1+protowire.SizeBytes(n))
	dst = append(dst, 1<<3|2)
	dst = protowire.AppendVarint(dst, uint64(n))
	dst = append(dst, open...)
	dst = append(dst, middle...)
	return append(dst, end...)
}

// AppendInt appends an integer attribute.
func AppendInt(dst []byte, field protowire.Number, key string, value int64) []byte {
	dst = attrHead(dst, field, key, 1+protowire.SizeVarint(uint64(value)))
	dst = append(dst, 3<<3)
	return protowire.AppendVarint(dst, uint64(value))
}

// AppendFloat appends a floating point attribute.
func AppendFloat(dst []byte, field protowire.Number, key string, value float64) []byte {
	dst = attrHead(dst, field, key, 9)
	dst = append(dst, 4<<3|1)
	return protowire.AppendFixed64(dst, math.Float64bits(value))
}

// AppendBool appends a boolean attribute.
func AppendBool(dst []byte, field protowire.Number, key string, value bool) []byte {
	dst = attrHead(dst, field, key, 2)
	return append(dst, 2<<3, byte(protowire.EncodeBool(value)))
}

// AppendTexts appends an attribute that is a list of strings.
func AppendTexts(dst []byte, field protowire.Number, key string, values ...string) []byte {
	size := 0
	for _, v := range values {
		size += 1 + protowire.SizeBytes(1+protowire.SizeBytes(len(v)))
	}
	dst = attrHead(dst, field, key, 1+protowire.SizeBytes(size))
	dst = append(dst, 5<<3|2)
	dst = protowire.AppendVarint(dst, uint64(size))
	for _, v := range values {
		dst = append(dst, 1<<3|2)
		dst = protowire.AppendVarint(dst, uint64(1+protowire.SizeBytes(len(v))))
		dst = append(dst, 1<<3|2)
		dst = protowire.AppendString(dst, v)
	}
	return dst
}

// attrHead opens a KeyValue whose AnyValue has size bytes.
func attrHead(dst []byte, field protowire.Number, key string, size int) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(1+protowire.SizeBytes(len(key))+1+protowire.SizeBytes(size)))
	dst = append(dst, 1<<3|2)
	dst = protowire.AppendString(dst, key)
	dst = append(dst, 2<<3|2)
	return protowire.AppendVarint(dst, uint64(size))
}

// Span is one span to be written. Attributes, Events and Links are fields
// already written (AppendText with SpanAttr, AppendEvent).
type Span struct {
	Trace         [16]byte
	ID, Parent    [8]byte // a zero Parent is none
	Name          string
	Kind          int
	Start, End    int64 // ns
	Attributes    []byte
	Events        []byte
	Status        int
	StatusMessage string
}

// AppendSpan appends a span as ScopeSpans holds it.
func AppendSpan(dst []byte, s *Span) []byte {
	status := 0
	if s.Status != StatusUnset || s.StatusMessage != "" {
		status = 2
		if s.StatusMessage != "" {
			status += 1 + protowire.SizeBytes(len(s.StatusMessage))
		}
	}
	size := 18 + 10 + 1 + protowire.SizeBytes(len(s.Name)) + 2 + 9 + 9 + len(s.Attributes) + len(s.Events)
	if s.Parent != ([8]byte{}) {
		size += 10
	}
	if status > 0 {
		size += 1 + protowire.SizeBytes(status)
	}
	dst = append(dst, 2<<3|2)
	dst = protowire.AppendVarint(dst, uint64(size))
	dst = append(append(dst, 1<<3|2, 16), s.Trace[:]...)
	dst = append(append(dst, 2<<3|2, 8), s.ID[:]...)
	if s.Parent != ([8]byte{}) {
		dst = append(append(dst, 4<<3|2, 8), s.Parent[:]...)
	}
	dst = protowire.AppendString(append(dst, 5<<3|2), s.Name)
	dst = append(dst, 6<<3, byte(s.Kind))
	dst = protowire.AppendFixed64(append(dst, 7<<3|1), uint64(s.Start))
	dst = protowire.AppendFixed64(append(dst, 8<<3|1), uint64(s.End))
	dst = append(dst, s.Attributes...)
	dst = append(dst, s.Events...)
	if status > 0 {
		dst = protowire.AppendVarint(append(dst, 15<<3|2), uint64(status))
		if s.StatusMessage != "" {
			dst = protowire.AppendString(append(dst, 2<<3|2), s.StatusMessage)
		}
		dst = append(dst, 3<<3, byte(s.Status))
	}
	return dst
}

// AppendEvent appends a span event as Span holds it; attributes are written
// with EventAttr.
func AppendEvent(dst []byte, at int64, name string, attributes []byte) []byte {
	size := 9 + 1 + protowire.SizeBytes(len(name)) + len(attributes)
	dst = protowire.AppendVarint(append(dst, 11<<3|2), uint64(size))
	dst = protowire.AppendFixed64(append(dst, 1<<3|1), uint64(at))
	dst = protowire.AppendString(append(dst, 2<<3|2), name)
	return append(dst, attributes...)
}

// AppendLog appends a log record as ScopeLogs holds it; attributes are written
// with LogAttr. severity is OTLP's number; a zero trace is none.
func AppendLog(dst []byte, at int64, severity int, event, body string, trace [16]byte, span [8]byte, attributes []byte) []byte {
	text := 1 + protowire.SizeBytes(len(body))
	size := 9 + 2 + 1 + protowire.SizeBytes(text) + len(attributes) + 9
	if trace != ([16]byte{}) {
		size += 18 + 10
	}
	if event != "" {
		size += 1 + protowire.SizeBytes(len(event))
	}
	dst = protowire.AppendVarint(append(dst, 2<<3|2), uint64(size))
	dst = protowire.AppendFixed64(append(dst, 1<<3|1), uint64(at))
	dst = append(dst, 2<<3, byte(severity))
	dst = protowire.AppendVarint(append(dst, 5<<3|2), uint64(text))
	dst = protowire.AppendString(append(dst, 1<<3|2), body)
	dst = append(dst, attributes...)
	if trace != ([16]byte{}) {
		dst = append(append(dst, 9<<3|2, 16), trace[:]...)
		dst = append(append(dst, 10<<3|2, 8), span[:]...)
	}
	dst = protowire.AppendFixed64(append(dst, 11<<3|1), uint64(at))
	if event != "" {
		dst = protowire.AppendString(append(dst, 12<<3|2), event)
	}
	return dst
}

// Scope is the instrumentation scope of a group of records.
type Scope struct{ Name, Version string }

// AppendRequest appends an export request of one resource and one scope:
// resource is attributes written with ResourceAttr, records are spans or log
// records as AppendSpan and AppendLog write them (the two requests have the
// same shape). Requests may be appended one after another: protobuf joins them.
func AppendRequest(dst, resource []byte, scope Scope, records []byte) []byte {
	scopeSize := 1 + protowire.SizeBytes(len(scope.Name)) + 1 + protowire.SizeBytes(len(scope.Version))
	group := 1 + protowire.SizeBytes(scopeSize) + len(records)
	all := 1 + protowire.SizeBytes(len(resource)) + 1 + protowire.SizeBytes(group)
	dst = protowire.AppendVarint(append(dst, 1<<3|2), uint64(all))
	dst = protowire.AppendBytes(append(dst, 1<<3|2), resource)
	dst = protowire.AppendVarint(append(dst, 2<<3|2), uint64(group))
	dst = protowire.AppendVarint(append(dst, 1<<3|2), uint64(scopeSize))
	dst = protowire.AppendString(append(dst, 1<<3|2), scope.Name)
	dst = protowire.AppendString(append(dst, 2<<3|2), scope.Version)
	return append(dst, records...)
}
