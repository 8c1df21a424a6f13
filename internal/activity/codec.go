package activity

import (
	"errors"
	"math"
	"sync"
	"unsafe"
)

// The wire format of the activity log is protobuf, written by hand: encoding
// only appends, decoding aliases. An envelope is {1: Batch, repeated}, so
// envelopes join by laying them end to end. Fields are never renumbered; a
// reader skips what it does not know; a field at its default is not written.
//
// What repeats within a batch (resources, scopes, names) stands once in the
// batch's table, before its first user, and is referred to by its place there,
// counted from 1 ("ref"). "unknown" fields default to Unknown, not to zero.
//
//	Batch        1 received fixed64   2 sender        3 team          4 environment
//	             5 table entry        6 Fragment      7 LogRecord     8 MetricPoint
//
//	Fragment     1 run    2 step    3 parent   4 trace   5 span   (16, 16, 16, 16, 8 bytes)
//	             6 source 7 kind    8 status   9 flags (varints)
//	            10 start fixed64   11 end fixed64, unknown       12 name
//	            13 bits: 1 agent explicit, 2 waiting, 4 whole fragment, 8 only content
//	            14 attributes      15 Content (repeated)
//	            16 resource ref    17 scope attributes ref       18 service ref
//	            19 scope ref       20 scope version ref          21 dialect ref
//	            22 map version     23 agent ref                  24 agent id
//	            25 agent version ref   26 environment ref        27 provider ref
//	            28 model requested ref 29 model ref              30 status message
//	            31 error type      32 task ref                   33 run name
//	            34 session         35 user                       36 mode
//	            37 outcome         38 response id                39 finish reason
//	            40 time to first token, unknown                  41 input total, unknown
//	            42 cache read, unknown 43 cache write, unknown   44 output total, unknown
//	            45 reasoning, unknown  46 cost nanos             47 cost currency
//	            48 cost basis      49 cost price                 50 tool name
//	            51 tool call id    52 decision id                53 tag (repeated)
//	            54 Label {1 key, 2 value}   55 link, 24 or 57 bytes   56 events
//
//	Content      1 field  2 format ref  3 from ref  4 order  5 raw
//
//	LogRecord    1 time fixed64  2 run  3 step  4 trace  5 span  6 severity
//	             7 event name ref  8 body  9 agent ref  10 service ref  11 session
//	            12 scope ref  13 flags  14 attributes  15 resource ref
//	            16 environment ref
//
//	MetricPoint  1 time fixed64  2 start fixed64  3 name ref  4 unit ref  5 type ref
//	             6 bits: 1 monotonic, 2 delta  7 value fixed64  8 count, unknown
//	             9 agent ref  10 service ref  11 attributes  12 resource ref  13 point
//	            14 environment ref
//
// Signed varints are zigzag, so that any value survives the round trip.
const (
	bitAgentExplicit = 1 << iota
	bitWaiting
	bitWholeFragment
	bitOnlyContent
)

const (
	bitMonotonic = 1 << iota
	bitDelta
)

// ErrCodec is in the chain of every error that decoding returns of its own.
var ErrCodec = errors.New("activity: not an envelope of batches")

// Places of the table references of a Fragment, in order of their fields.
const (
	refResource = iota
	refScopeAttribute
	refService
	refScope
	refScopeVersion
	refDialect
	refAgent
	refAgentVersion
	refEnvironment
	refProvider
	refModelRequested
	refModel
	refTask
	refCount
)

var refField = [refCount]uint64{16, 17, 18, 19, 20, 21, 23, 25, 26, 27, 28, 29, 32}

// encoder is the table of one batch while it is written. Each place that
// refers to the table remembers its last value: neighbours mostly repeat it,
// and then neither hash nor map is needed.
type encoder struct {
	index    map[string]uint64
	last     [refCount + 2*int(contentFieldCount)]slot
	contents []uint64 // format and from of each content of the fragment at hand
}

type slot struct {
	s   string
	ref uint64
}

// encoders saves the map between batches; it holds no state of a caller.
var encoders = sync.Pool{New: func() any { return &encoder{index: make(map[string]uint64, 64)} }}

// AppendBatch appends one encoded batch to dst and returns it. Several appended
// to one slice make an envelope. Safe for concurrent use with separate slices.
func AppendBatch(dst []byte, b *Batch) []byte {
	e := encoders.Get().(*encoder)
	dst, at := appendOpen(dst, 1)
	dst = appendFixed(dst, 1, uint64(b.Received))
	dst = appendString(dst, 2, b.Sender)
	dst = appendString(dst, 3, b.Team)
	dst = appendString(dst, 4, b.Environment)
	for i := range b.Fragments {
		dst = e.fragment(dst, &b.Fragments[i])
	}
	for i := range b.Logs {
		dst = e.log(dst, &b.Logs[i])
	}
	for i := range b.Metrics {
		dst = e.metric(dst, &b.Metrics[i])
	}
	for i := range b.Settled {
		var at int
		dst, at = appendOpen(dst, 9)
		dst = appendBytes(dst, 1, b.Settled[i].Run[:])
		dst = appendString(dst, 2, b.Settled[i].Outcome)
		if b.Settled[i].Labelled {
			dst = appendVarint(dst, 3, 1)
		}
		dst = closeAt(dst, at)
	}
	clear(e.index)
	e.last = [len(e.last)]slot{}
	encoders.Put(e)
	return closeAt(dst, at)
}

// ref finds or makes the table entry of s; n is the place that asks.
func (e *encoder) ref(dst []byte, n int, s string) ([]byte, uint64) {
	if s == "" {
		return dst, 0
	}
	l := &e.last[n]
	if len(l.s) == len(s) && (unsafe.StringData(l.s) == unsafe.StringData(s) || l.s == s) {
		return dst, l.ref
	}
	ref, ok := e.index[s]
	if !ok {
		ref = uint64(len(e.index) + 1)
		e.index[s] = ref
		dst = appendString(dst, 5, s)
	}
	*l = slot{s, ref}
	return dst, ref
}

func (e *encoder) fragment(dst []byte, f *Fragment) []byte {
	// The entries must stand before the fragment, so all references first.
	var refs [refCount]uint64
	for i, s := range [refCount]string{
		view(f.Resource), view(f.ScopeAttribute), f.Service, f.Scope, f.ScopeVersion, f.Dialect, f.Agent,
		f.AgentVersion, f.Environment, f.Provider, f.ModelRequested, f.Model, f.Task,
	} {
		if s != "" {
			dst, refs[i] = e.ref(dst, i, s)
		}
	}
	e.contents = e.contents[:0]
	for i := range f.Contents {
		c := &f.Contents[i]
		place := refCount + 2*int(c.Field%contentFieldCount)
		var format, from uint64
		dst, format = e.ref(dst, place, c.Format)
		dst, from = e.ref(dst, place+1, c.From)
		e.contents = append(e.contents, format, from)
	}

	dst, at := appendOpen(dst, 6)
	dst = appendID(dst, 1, f.Run[:])
	dst = appendID(dst, 2, f.Step[:])
	dst = appendID(dst, 3, f.Parent[:])
	dst = appendID(dst, 4, f.Trace[:])
	dst = appendID(dst, 5, f.Span[:])
	dst = appendVarint(dst, 6, uint64(f.Source))
	dst = appendVarint(dst, 7, uint64(f.Kind))
	dst = appendVarint(dst, 8, uint64(f.Status))
	dst = appendVarint(dst, 9, uint64(f.Flags))
	if f.Start != 0 {
		dst = appendFixed(dst, 10, uint64(f.Start))
	}
	if f.End != Unknown {
		dst = appendFixed(dst, 11, uint64(f.End))
	}
	dst = appendString(dst, 12, f.Name)
	var bits uint64
	if f.AgentExplicit {
		bits |= bitAgentExplicit
	}
	if f.Waiting {
		bits |= bitWaiting
	}
	if f.WholeFragment {
		bits |= bitWholeFragment
	}
	if f.OnlyContent {
		bits |= bitOnlyContent
	}
	dst = appendVarint(dst, 13, bits)
	dst = appendBytes(dst, 14, f.Attributes)
	for i := range f.Contents {
		dst = appendContent(dst, &f.Contents[i], e.contents[2*i], e.contents[2*i+1])
	}
	for i, ref := range refs {
		dst = appendVarint(dst, refField[i], ref)
	}
	dst = appendSigned(dst, 22, int64(f.MapVersion), 0)
	dst = appendString(dst, 24, f.AgentID)
	dst = appendString(dst, 30, f.StatusMessage)
	dst = appendString(dst, 31, f.ErrorType)
	dst = appendString(dst, 33, f.RunName)
	dst = appendString(dst, 34, f.Session)
	dst = appendString(dst, 35, f.User)
	dst = appendString(dst, 36, f.Mode)
	dst = appendString(dst, 37, f.Outcome)
	dst = appendString(dst, 38, f.ResponseID)
	dst = appendString(dst, 39, f.FinishReason)
	dst = appendSigned(dst, 40, f.TTFT, Unknown)
	dst = appendSigned(dst, 41, f.Usage.InputTotal, Unknown)
	dst = appendSigned(dst, 42, f.Usage.CacheRead, Unknown)
	dst = appendSigned(dst, 43, f.Usage.CacheWrite, Unknown)
	dst = appendSigned(dst, 44, f.Usage.OutputTotal, Unknown)
	dst = appendSigned(dst, 45, f.Usage.Reasoning, Unknown)
	dst = appendSigned(dst, 46, f.ReportedCost.Nanos, 0)
	dst = appendString(dst, 47, f.ReportedCost.Currency)
	dst = appendVarint(dst, 48, uint64(f.ReportedCost.Basis))
	dst = appendString(dst, 49, f.ReportedCost.Price)
	dst = appendString(dst, 50, f.ToolName)
	dst = appendString(dst, 51, f.ToolCallID)
	dst = appendString(dst, 52, f.DecisionID)
	for _, t := range f.Tags {
		dst = appendElement(dst, 53, t)
	}
	for i := range f.Labels {
		l := &f.Labels[i]
		dst = appendTag(dst, 54, 2)
		dst = putVarint(dst, uint64(fieldSize(len(l.Key))+fieldSize(len(l.Value))))
		dst = appendString(dst, 1, l.Key)
		dst = appendString(dst, 2, l.Value)
	}
	for i := range f.Links {
		l := &f.Links[i]
		dst = appendTag(dst, 55, 2)
		size := byte(24)
		if l.Kind != LinkSpan {
			size = 24 + 33
		}
		dst = append(append(append(dst, size), l.TraceID[:]...), l.SpanID[:]...)
		if l.Kind != LinkSpan {
			dst = append(append(append(dst, l.Run[:]...), l.Step[:]...), byte(l.Kind))
		}
	}
	dst = appendBytes(dst, 56, f.Events)
	return closeAt(dst, at)
}

func appendContent(dst []byte, c *Content, format, from uint64) []byte {
	dst, at := appendOpen(dst, 15)
	dst = appendVarint(dst, 1, uint64(c.Field))
	dst = appendVarint(dst, 2, format)
	dst = appendVarint(dst, 3, from)
	dst = appendSigned(dst, 4, int64(c.Order), 0)
	dst = appendBytes(dst, 5, c.Raw)
	return closeAt(dst, at)
}

func (e *encoder) log(dst []byte, l *LogRecord) []byte {
	var event, agent, service, scope, resource, environment uint64
	dst, event = e.ref(dst, refCount, l.EventName)
	dst, agent = e.ref(dst, refAgent, l.Agent)
	dst, service = e.ref(dst, refService, l.Service)
	dst, scope = e.ref(dst, refScope, l.Scope)
	dst, resource = e.ref(dst, refResource, view(l.Resource))
	dst, environment = e.ref(dst, refEnvironment, l.Environment)

	dst, at := appendOpen(dst, 7)
	dst = appendFixed(dst, 1, uint64(l.Time))
	dst = appendID(dst, 2, l.Run[:])
	dst = appendID(dst, 3, l.Step[:])
	dst = appendID(dst, 4, l.Trace[:])
	dst = appendID(dst, 5, l.Span[:])
	dst = appendSigned(dst, 6, int64(l.Severity), 0)
	dst = appendVarint(dst, 7, event)
	dst = appendString(dst, 8, l.Body)
	dst = appendVarint(dst, 9, agent)
	dst = appendVarint(dst, 10, service)
	dst = appendString(dst, 11, l.Session)
	dst = appendVarint(dst, 12, scope)
	dst = appendVarint(dst, 13, uint64(l.Flags))
	dst = appendBytes(dst, 14, l.Attributes)
	dst = appendVarint(dst, 15, resource)
	dst = appendVarint(dst, 16, environment)
	return closeAt(dst, at)
}

func (e *encoder) metric(dst []byte, m *MetricPoint) []byte {
	var name, unit, kind, agent, service, resource, environment uint64
	dst, name = e.ref(dst, refCount, m.Name)
	dst, unit = e.ref(dst, refCount+1, m.Unit)
	dst, kind = e.ref(dst, refCount+2, m.Type)
	dst, agent = e.ref(dst, refAgent, m.Agent)
	dst, service = e.ref(dst, refService, m.Service)
	dst, resource = e.ref(dst, refResource, view(m.Resource))
	dst, environment = e.ref(dst, refEnvironment, m.Environment)

	dst, at := appendOpen(dst, 8)
	dst = appendFixed(dst, 1, uint64(m.Time))
	if m.StartTime != 0 {
		dst = appendFixed(dst, 2, uint64(m.StartTime))
	}
	dst = appendVarint(dst, 3, name)
	dst = appendVarint(dst, 4, unit)
	dst = appendVarint(dst, 5, kind)
	var bits uint64
	if m.Monotonic {
		bits |= bitMonotonic
	}
	if m.Delta {
		bits |= bitDelta
	}
	dst = appendVarint(dst, 6, bits)
	if v := math.Float64bits(m.Value); v != 0 {
		dst = appendFixed(dst, 7, v)
	}
	dst = appendSigned(dst, 8, m.Count, Unknown)
	dst = appendVarint(dst, 9, agent)
	dst = appendVarint(dst, 10, service)
	dst = appendBytes(dst, 11, m.Attributes)
	dst = appendVarint(dst, 12, resource)
	dst = appendBytes(dst, 13, m.Point)
	dst = appendVarint(dst, 14, environment)
	return closeAt(dst, at)
}

// view reads b as a string without copying; valid while b is.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func putVarint(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

func appendTag(dst []byte, field, wire uint64) []byte {
	if t := field<<3 | wire; t >= 0x80 {
		return append(dst, byte(t)|0x80, byte(t>>7))
	}
	return append(dst, byte(field<<3|wire))
}

func appendVarint(dst []byte, field, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return putVarint(appendTag(dst, field, 0), v)
}

func appendSigned(dst []byte, field uint64, v, absent int64) []byte {
	if v == absent {
		return dst
	}
	return putVarint(appendTag(dst, field, 0), uint64(v<<1)^uint64(v>>63))
}

func appendFixed(dst []byte, field, v uint64) []byte {
	dst = appendTag(dst, field, 1)
	return append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56))
}

func appendString(dst []byte, field uint64, s string) []byte {
	if s == "" {
		return dst
	}
	return appendElement(dst, field, s)
}

// appendElement writes s even when it is empty: the length of a list counts.
func appendElement(dst []byte, field uint64, s string) []byte {
	return append(putVarint(appendTag(dst, field, 2), uint64(len(s))), s...)
}

func appendBytes(dst []byte, field uint64, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	return append(putVarint(appendTag(dst, field, 2), uint64(len(b))), b...)
}

func appendID(dst []byte, field uint64, id []byte) []byte {
	for _, c := range id {
		if c != 0 {
			dst = appendTag(dst, field, 2)
			dst = append(dst, byte(len(id)))
			return append(dst, id...)
		}
	}
	return dst
}

// fieldSize is the size of a string field below 16 with its tag; 0 when empty.
func fieldSize(n int) int {
	if n == 0 {
		return 0
	}
	size := 2 + n
	for v := n; v >= 0x80; v >>= 7 {
		size++
	}
	return size
}

// lengthBytes is the room left for the length of a message that is written
// before its size is known: a padded varint, which every reader accepts.
const lengthBytes = 5

func appendOpen(dst []byte, field uint64) ([]byte, int) {
	dst = appendTag(dst, field, 2)
	return append(dst, 0x80, 0x80, 0x80, 0x80, 0), len(dst) + lengthBytes
}

func closeAt(dst []byte, at int) []byte {
	n := uint64(len(dst) - at)
	p := dst[at-lengthBytes : at]
	p[0] = byte(n) | 0x80
	p[1] = byte(n>>7) | 0x80
	p[2] = byte(n>>14) | 0x80
	p[3] = byte(n>>21) | 0x80
	p[4] = byte(n>>28) & 0x7f
	return dst
}

// DecodeEnvelope calls each for every batch of src in order and stops at the
// first error, its own (ErrCodec) or that of each. Every batch is decoded into
// into (nil makes one), whose slices are used again: what each receives is
// valid until it returns, and its strings and bytes alias src, which must not
// change while they are used. Lists that are absent are empty, not always nil.
func DecodeEnvelope(src []byte, into *Batch, each func(*Batch) error) error {
	if into == nil {
		into = new(Batch)
	}
	var table []string
	d := decoder{b: src}
	for d.more() {
		if field, wire := d.tag(); field != 1 || wire != 2 {
			d.skip(wire)
			continue
		}
		body := d.bytes()
		if d.bad {
			break
		}
		var ok bool
		if table, ok = decodeBatch(body, into, table[:0]); !ok {
			return ErrCodec
		}
		if err := each(into); err != nil {
			return err
		}
	}
	if d.bad {
		return ErrCodec
	}
	return nil
}

func decodeBatch(src []byte, b *Batch, table []string) ([]string, bool) {
	*b = Batch{Fragments: b.Fragments[:0], Logs: b.Logs[:0], Metrics: b.Metrics[:0], Settled: b.Settled[:0]}
	d := decoder{b: src, table: table}
	for d.more() {
		switch field, wire := d.tag(); field<<3 | wire {
		case 1<<3 | 1:
			b.Received = int64(d.fixed())
		case 2<<3 | 2:
			b.Sender = d.string()
		case 3<<3 | 2:
			b.Team = d.string()
		case 4<<3 | 2:
			b.Environment = d.string()
		case 5<<3 | 2:
			d.table = append(d.table, d.string())
		case 6<<3 | 2:
			b.Fragments = grow(b.Fragments)
			d.fragment(d.bytes(), &b.Fragments[len(b.Fragments)-1])
		case 7<<3 | 2:
			b.Logs = grow(b.Logs)
			d.log(d.bytes(), &b.Logs[len(b.Logs)-1])
		case 8<<3 | 2:
			b.Metrics = grow(b.Metrics)
			d.metric(d.bytes(), &b.Metrics[len(b.Metrics)-1])
		case 9<<3 | 2:
			b.Settled = append(b.Settled, d.settled(d.bytes()))
		default:
			d.skip(wire)
		}
	}
	return d.table, !d.bad
}

func (d *decoder) settled(src []byte) (s Settled) {
	outer := d.enter(src)
	for d.more() {
		switch field, wire := d.tag(); field<<3 | wire {
		case 1<<3 | 2:
			d.id(s.Run[:])
		case 2<<3 | 2:
			s.Outcome = d.string()
		case 3 << 3:
			s.Labelled = d.varint() != 0
		default:
			d.skip(wire)
		}
	}
	d.leave(outer)
	return s
}

// grow lengthens s by one element and keeps what lay there, whose inner slices
// are used again.
func grow[T any](s []T) []T {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	var zero T
	return append(s, zero)
}

// fragmentWire is the wire type of each field of a Fragment. It lets the switch
// run over plain field numbers, which lie close enough for a jump table: the
// usual field<<3|wire does not, and cost twice the time.
var fragmentWire = [57]uint64{
	0: none, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 10: 1, 11: 1, 12: 2, 14: 2, 15: 2, 24: 2, 30: 2, 31: 2, 33: 2, 34: 2, 35: 2, 36: 2, 37: 2, 38: 2, 39: 2, 47: 2, 49: 2, 50: 2, 51: 2, 52: 2, 53: 2, 54: 2, 55: 2, 56: 2,
}

// none is no wire type.
const none = 99

func (d *decoder) fragment(src []byte, f *Fragment) {
	tags, labels, links, contents := f.Tags[:0], f.Labels[:0], f.Links[:0], f.Contents[:0]
	*f = Fragment{}
	f.Tags, f.Labels, f.Links, f.Contents = tags, labels, links, contents
	f.End, f.TTFT, f.Usage = Unknown, Unknown, NoUsage
	outer := d.enter(src)
	for d.more() {
		field, wire := d.tag()
		if field >= uint64(len(fragmentWire)) || wire != fragmentWire[field] {
			d.skip(wire)
			continue
		}
		switch field {
		case 1:
			d.id(f.Run[:])
		case 2:
			d.id(f.Step[:])
		case 3:
			d.id(f.Parent[:])
		case 4:
			d.id(f.Trace[:])
		case 5:
			d.id(f.Span[:])
		case 6:
			f.Source = Source(d.varint())
		case 7:
			f.Kind = Kind(d.varint())
		case 8:
			f.Status = Status(d.varint())
		case 9:
			f.Flags = Flag(d.varint())
		case 10:
			f.Start = int64(d.fixed())
		case 11:
			f.End = int64(d.fixed())
		case 12:
			f.Name = d.string()
		case 13:
			bits := d.varint()
			f.AgentExplicit = bits&bitAgentExplicit != 0
			f.Waiting = bits&bitWaiting != 0
			f.WholeFragment = bits&bitWholeFragment != 0
			f.OnlyContent = bits&bitOnlyContent != 0
		case 14:
			f.Attributes = d.bytes()
		case 15:
			f.Contents = append(f.Contents, Content{})
			d.content(d.bytes(), &f.Contents[len(f.Contents)-1])
		case 16:
			f.Resource = d.refBytes()
		case 17:
			f.ScopeAttribute = d.refBytes()
		case 18:
			f.Service = d.ref()
		case 19:
			f.Scope = d.ref()
		case 20:
			f.ScopeVersion = d.ref()
		case 21:
			f.Dialect = d.ref()
		case 22:
			f.MapVersion = int32(d.signed())
		case 23:
			f.Agent = d.ref()
		case 24:
			f.AgentID = d.string()
		case 25:
			f.AgentVersion = d.ref()
		case 26:
			f.Environment = d.ref()
		case 27:
			f.Provider = d.ref()
		case 28:
			f.ModelRequested = d.ref()
		case 29:
			f.Model = d.ref()
		case 30:
			f.StatusMessage = d.string()
		case 31:
			f.ErrorType = d.string()
		case 32:
			f.Task = d.ref()
		case 33:
			f.RunName = d.string()
		case 34:
			f.Session = d.string()
		case 35:
			f.User = d.string()
		case 36:
			f.Mode = d.string()
		case 37:
			f.Outcome = d.string()
		case 38:
			f.ResponseID = d.string()
		case 39:
			f.FinishReason = d.string()
		case 40:
			f.TTFT = d.signed()
		case 41:
			f.Usage.InputTotal = d.signed()
		case 42:
			f.Usage.CacheRead = d.signed()
		case 43:
			f.Usage.CacheWrite = d.signed()
		case 44:
			f.Usage.OutputTotal = d.signed()
		case 45:
			f.Usage.Reasoning = d.signed()
		case 46:
			f.ReportedCost.Nanos = d.signed()
		case 47:
			f.ReportedCost.Currency = d.string()
		case 48:
			f.ReportedCost.Basis = CostBasis(d.varint())
		case 49:
			f.ReportedCost.Price = d.string()
		case 50:
			f.ToolName = d.string()
		case 51:
			f.ToolCallID = d.string()
		case 52:
			f.DecisionID = d.string()
		case 53:
			f.Tags = append(f.Tags, d.string())
		case 54:
			f.Labels = append(f.Labels, Label{})
			d.label(d.bytes(), &f.Labels[len(f.Labels)-1])
		case 55:
			switch b := d.bytes(); len(b) {
			case 24:
				f.Links = append(f.Links, Link{TraceID: TraceID(b[:16]), SpanID: SpanID(b[16:])})
			case 24 + 33:
				f.Links = append(f.Links, Link{TraceID(b[:16]), SpanID(b[16:24]), RunID(b[24:40]), StepID(b[40:56]), LinkKind(b[56])})
			default:
				d.fail()
			}
		case 56:
			f.Events = d.bytes()
		}
	}
	d.leave(outer)
}

func (d *decoder) content(src []byte, c *Content) {
	outer := d.enter(src)
	for d.more() {
		switch field, wire := d.tag(); field<<3 | wire {
		case 1 << 3:
			c.Field = ContentField(d.varint())
		case 2 << 3:
			c.Format = d.ref()
		case 3 << 3:
			c.From = d.ref()
		case 4 << 3:
			c.Order = int32(d.signed())
		case 5<<3 | 2:
			c.Raw = d.bytes()
		default:
			d.skip(wire)
		}
	}
	d.leave(outer)
}

func (d *decoder) label(src []byte, l *Label) {
	outer := d.enter(src)
	for d.more() {
		switch field, wire := d.tag(); field<<3 | wire {
		case 1<<3 | 2:
			l.Key = d.string()
		case 2<<3 | 2:
			l.Value = d.string()
		default:
			d.skip(wire)
		}
	}
	d.leave(outer)
}

func (d *decoder) log(src []byte, l *LogRecord) {
	*l = LogRecord{}
	outer := d.enter(src)
	for d.more() {
		switch field, wire := d.tag(); field<<3 | wire {
		case 1<<3 | 1:
			l.Time = int64(d.fixed())
		case 2<<3 | 2:
			d.id(l.Run[:])
		case 3<<3 | 2:
			d.id(l.Step[:])
		case 4<<3 | 2:
			d.id(l.Trace[:])
		case 5<<3 | 2:
			d.id(l.Span[:])
		case 6 << 3:
			l.Severity = int32(d.signed())
		case 7 << 3:
			l.EventName = d.ref()
		case 8<<3 | 2:
			l.Body = d.string()
		case 9 << 3:
			l.Agent = d.ref()
		case 10 << 3:
			l.Service = d.ref()
		case 11<<3 | 2:
			l.Session = d.string()
		case 12 << 3:
			l.Scope = d.ref()
		case 13 << 3:
			l.Flags = Flag(d.varint())
		case 14<<3 | 2:
			l.Attributes = d.bytes()
		case 15 << 3:
			l.Resource = d.refBytes()
		case 16 << 3:
			l.Environment = d.ref()
		default:
			d.skip(wire)
		}
	}
	d.leave(outer)
}

func (d *decoder) metric(src []byte, m *MetricPoint) {
	*m = MetricPoint{Count: Unknown}
	outer := d.enter(src)
	for d.more() {
		switch field, wire := d.tag(); field<<3 | wire {
		case 1<<3 | 1:
			m.Time = int64(d.fixed())
		case 2<<3 | 1:
			m.StartTime = int64(d.fixed())
		case 3 << 3:
			m.Name = d.ref()
		case 4 << 3:
			m.Unit = d.ref()
		case 5 << 3:
			m.Type = d.ref()
		case 6 << 3:
			bits := d.varint()
			m.Monotonic, m.Delta = bits&bitMonotonic != 0, bits&bitDelta != 0
		case 7<<3 | 1:
			m.Value = math.Float64frombits(d.fixed())
		case 8 << 3:
			m.Count = d.signed()
		case 9 << 3:
			m.Agent = d.ref()
		case 10 << 3:
			m.Service = d.ref()
		case 11<<3 | 2:
			m.Attributes = d.bytes()
		case 12 << 3:
			m.Resource = d.refBytes()
		case 13<<3 | 2:
			m.Point = d.bytes()
		case 14 << 3:
			m.Environment = d.ref()
		default:
			d.skip(wire)
		}
	}
	d.leave(outer)
}

// decoder walks one message. After the first bad byte it is at its end and
// stays there, so that callers look at bad once, when they are done.
type decoder struct {
	b     []byte
	i     int
	bad   bool
	table []string
}

// position is what enter saved and leave restores: messages nest two deep.
type position struct {
	b []byte
	i int
}

func (d *decoder) enter(src []byte) position {
	p := position{d.b, d.i}
	if d.bad {
		src = nil
	}
	d.b, d.i = src, 0
	return p
}

func (d *decoder) leave(p position) {
	d.b, d.i = p.b, p.i
	if d.bad {
		d.i = len(d.b)
	}
}

func (d *decoder) more() bool { return d.i < len(d.b) }

func (d *decoder) fail() {
	d.bad = true
	d.i = len(d.b)
}

func (d *decoder) varint() uint64 {
	if d.i < len(d.b) && d.b[d.i] < 0x80 {
		d.i++
		return uint64(d.b[d.i-1])
	}
	return d.longVarint()
}

func (d *decoder) longVarint() uint64 {
	var v uint64
	for n := uint(0); n < 70 && d.i < len(d.b); n += 7 {
		c := d.b[d.i]
		d.i++
		v |= uint64(c&0x7f) << n
		if c < 0x80 {
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) signed() int64 {
	v := d.varint()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) tag() (field, wire uint64) {
	t := d.varint()
	return t >> 3, t & 7
}

func (d *decoder) fixed() uint64 {
	if len(d.b)-d.i < 8 {
		d.fail()
		return 0
	}
	b := d.b[d.i : d.i+8 : d.i+8]
	d.i += 8
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func (d *decoder) bytes() []byte {
	n := d.varint()
	if n > uint64(len(d.b)-d.i) {
		d.fail()
		return nil
	}
	b := d.b[d.i : d.i+int(n) : d.i+int(n)]
	d.i += int(n)
	return b
}

func (d *decoder) string() string { return view(d.bytes()) }

func (d *decoder) id(into []byte) {
	if copy(into, d.bytes()) != len(into) {
		d.fail()
	}
}

// ref reads a reference to the table; one that leads nowhere is bad input.
func (d *decoder) ref() string {
	n := d.varint()
	if n == 0 {
		return ""
	}
	if n > uint64(len(d.table)) {
		d.fail()
		return ""
	}
	return d.table[n-1]
}

func (d *decoder) refBytes() []byte {
	s := d.ref()
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

func (d *decoder) skip(wire uint64) {
	switch wire {
	case 0:
		d.varint()
	case 1:
		d.fixed()
	case 2:
		d.bytes()
	case 5:
		if len(d.b)-d.i < 4 {
			d.fail()
		} else {
			d.i += 4
		}
	default:
		d.fail()
	}
}
