package intake

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
	"reeve/internal/relay"
)

// signal is one of OTLP's three.
type signal uint8

const (
	traces signal = iota
	logs
	metrics
)

// normaliser turns the protobuf of one request into one batch. It is used
// again and again; what it makes aliases the request's body and its own memory
// and is valid until the next request.
type normaliser struct {
	table        *dialect.Map
	maxAttribute int
	keeps        func() time.Duration // 0: for ever
	keeping      time.Duration        // what that said for the request at hand
	held         *ticket              // of the request at hand; may be nil

	batch     activity.Batch // the result
	fragments []activity.Fragment
	logs      []activity.LogRecord
	metrics   []activity.MetricPoint
	sender    string
	owner     activity.Scope

	span     dialect.Span // the record at hand
	resource dialect.Span // what its resource says
	arena    []byte       // raw attributes with their new tags
	orders   map[activity.StepID]int32
	scratch  [][]byte
	told     dialect.Writer // steps that log records tell of

	marking bool           // what records are is noted, for the relay
	marks   []relay.Record // of each record, in order

	now      int64
	rejected int64
	reasons  []string
	accepted int64
	skipped  uint64 // the first field around the records that OTLP does not have; 0: none
	records  int    // read so far, whatever became of them
	ticket   int64  // what held was good for at the start
	over     error  // why no further record is read

	lastTrace       activity.TraceID // whose run is lastRun
	lastRun         activity.RunID
	lastParent      activity.SpanID // in lastParentRun and lastParentTrace is lastParentStep
	lastParentRun   activity.RunID
	lastParentTrace activity.TraceID
	lastParentStep  activity.StepID

	resourceRaw []byte
	scopeRaw    []byte
	scope       string
	scopeVer    string
	size        int // bytes of the attributes of the record at hand
}

// maxRecord is where the attributes of one record together are large: a message
// of the log is 8 MB at most, and a record is never spread over two.
const maxRecord = 4 << 20

// maxRecords is how many records one request may hold: two bytes of a body are a
// log record, which takes hundreds in memory. It is many times what exporters send
// at once, and keeps a request below some 50 MB.
const maxRecords = 50_000

// recordBytes is about what a record takes in memory beyond its body, and
// recordsHeld how many are free of charge: those of a usual request.
const (
	recordBytes = 1 << 10
	recordsHeld = 1 << 10
)

// maxReasons bounds the text of a partial success.
const maxReasons = 5

var errTruncated = fault.New(fault.KindInvalid, "intake.malformed", "the body is not the protobuf of this signal: it is cut or damaged")

// run decodes body. An error means that nothing of it can be trusted; records
// that could not be read on their own are counted in rejected.
func (n *normaliser) run(s signal, body []byte, now time.Time, from Sender) error {
	n.now = now.UnixNano()
	n.keeping = n.keeps()
	n.fragments, n.logs, n.metrics = n.fragments[:0], n.logs[:0], n.metrics[:0]
	n.sender, n.owner = from.ID, activity.ScopeOf(from.Team, from.Environment)
	n.lastTrace, n.lastRun, n.lastParent = activity.TraceID{}, activity.RunID{}, activity.SpanID{} // another sender's ids
	n.span.Reset()
	n.resource.Reset()
	n.span.ResetArena()
	n.resource.ResetArena()
	if n.arena = n.arena[:0]; cap(n.arena) > 8<<20 {
		n.arena = nil
	}
	clear(n.orders)
	n.told = dialect.Writer{}
	n.rejected, n.accepted, n.reasons = 0, 0, n.reasons[:0]
	n.skipped = 0
	n.records, n.over, n.ticket = 0, nil, 0
	if n.held != nil {
		n.ticket = n.held.n
	}
	n.marks = n.marks[:0]
	r := dialect.Reader{B: body}
	for r.More() {
		field, wire := r.Tag()
		if field != 1 || wire != 2 {
			n.skip(&r, field, wire, 1)
			continue
		}
		if group := r.Bytes(); !r.Bad && !n.group(s, group) {
			if n.over != nil {
				return n.over
			}
			return errTruncated
		}
	}
	if r.Bad {
		return errTruncated
	}
	n.batch = activity.Batch{
		Received: n.now, Sender: from.ID, Team: from.Team, Environment: from.Environment,
		Fragments: n.fragments, Logs: n.logs, Metrics: n.metrics,
	}
	return nil
}

func (n *normaliser) reject(count int64, format string, args ...any) {
	n.rejected += count
	if len(n.reasons) >= maxReasons {
		return
	}
	text := fmt.Sprintf(format, args...)
	for _, r := range n.reasons {
		if r == text {
			return
		}
	}
	n.reasons = append(n.reasons, text)
}

// room reports whether one more record may be read; over says why not.
func (n *normaliser) room() bool {
	n.records++
	if n.records > maxRecords && n.over == nil {
		n.over = fault.New(fault.KindInvalid, "intake.too_many", "the request holds more than %d records", maxRecords).
			WithHint("send smaller batches")
	}
	if n.over == nil && n.held != nil && n.records%recordsHeld == 0 {
		n.over = n.held.growWithin(n.ticket + int64(n.records)*recordBytes)
	}
	return n.over == nil
}

// group reads ResourceSpans, ResourceLogs or ResourceMetrics: the same shape.
// The resource may stand behind what it describes, hence the two passes.
func (n *normaliser) group(s signal, body []byte) bool {
	var resource []byte
	r := dialect.Reader{B: body}
	for r.More() {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			resource = r.Bytes()
		default:
			r.Skip(wire)
		}
	}
	if r.Bad || !n.readResource(resource) {
		return false
	}
	for r = (dialect.Reader{B: body}); r.More(); {
		field, wire := r.Tag()
		// Before OTLP 0.15 the same stood in a field of its own.
		if (field == 2 || field == librariesField) && wire == 2 {
			if !n.scopeGroup(s, r.Bytes()) {
				return false
			}
			continue
		}
		n.skip(&r, field, wire, 3)
	}
	return !r.Bad
}

// librariesField is where spans, log records and metrics of a library stood before
// scopes; the message is the same.
const librariesField = 1000

// skip passes over a field around the records; last is the highest that OTLP has
// there.
func (n *normaliser) skip(r *dialect.Reader, field, wire, last uint64) {
	if field > last && n.skipped == 0 {
		n.skipped = field
	}
	r.Skip(wire)
}

func (n *normaliser) readResource(body []byte) bool {
	n.resource.Reset()
	start := len(n.arena)
	r := dialect.Reader{B: body}
	for r.More() {
		field, wire := r.Tag()
		if field != 1 || wire != 2 {
			r.Skip(wire)
			continue
		}
		n.attribute(&n.resource, r.Bytes(), false, true)
	}
	n.resourceRaw = n.arena[start:len(n.arena):len(n.arena)]
	n.resource.Service = n.resource.Text(dialect.Service)
	return !r.Bad
}

func (n *normaliser) scopeGroup(s signal, body []byte) bool {
	n.scope, n.scopeVer, n.scopeRaw = "", "", nil
	var scope []byte
	r := dialect.Reader{B: body}
	for r.More() {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			scope = r.Bytes()
		default:
			r.Skip(wire)
		}
	}
	if r.Bad {
		return false
	}
	start := len(n.arena)
	n.span.Reset()
	for r = (dialect.Reader{B: scope}); r.More(); {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			n.scope = n.text(&n.span, r.Bytes())
		case 2<<3 | 2:
			n.scopeVer = n.text(&n.span, r.Bytes())
		case 3<<3 | 2:
			n.attribute(&n.span, r.Bytes(), false, true)
		default:
			r.Skip(wire)
		}
	}
	n.scopeRaw = n.arena[start:len(n.arena):len(n.arena)]
	if r.Bad {
		return false
	}
	for r = (dialect.Reader{B: body}); r.More(); {
		field, wire := r.Tag()
		if field != 2 || wire != 2 {
			n.skip(&r, field, wire, 3)
			continue
		}
		record := r.Bytes()
		if r.Bad {
			break
		}
		before := n.counts()
		switch s {
		case traces:
			n.readSpan(record)
		case logs:
			n.readLog(record)
		case metrics:
			n.readMetric(record)
		}
		if n.over != nil {
			return false
		}
		if n.marking {
			n.mark(s, before)
		}
	}
	return !r.Bad
}

// attribute hands one KeyValue to the table and keeps it verbatim unless it
// became content or is a credential. all keeps content too: on a resource or
// scope it has no step to go to.
func (n *normaliser) attribute(s *dialect.Span, raw []byte, event, all bool) {
	key, v := dialect.KeyValue(raw)
	cut := false
	limit := n.maxAttribute
	if n.size > maxRecord {
		limit = min(limit, 1024) // many large attributes make a large record too
	}
	n.size += min(len(raw), limit)
	switch {
	case len(raw) > limit+len(key)+16:
		key, v, raw = n.cut(s, key, v, limit)
		cut = true
	case v.Type == dialect.String:
		if !utf8.Valid(v.Raw()) || !utf8.Valid(key) {
			key, v, raw = n.valid(s, key, v)
		}
	case v.Type == dialect.Array || v.Type == dialect.Pairs:
		// Lengths below 128 are ASCII: only long or really invalid ones pay.
		if !utf8.Valid(raw) && !validDeep(v, 0) {
			key, v, raw = n.valid(s, key, v)
		}
	case !utf8.Valid(key):
		key, v, raw = n.valid(s, key, v)
	}
	switch n.table.Attribute(s, key, v, event, cut) {
	case dialect.Secret:
		return
	case dialect.Taken:
		if !all {
			return
		}
	}
	n.arena = dialect.AppendEntry(n.arena, raw)
}

// cut shortens an attribute to the limit: text stays text, the rest becomes
// JSON text, cut between characters.
func (n *normaliser) cut(s *dialect.Span, key []byte, v dialect.Value, limit int) ([]byte, dialect.Value, []byte) {
	s.Flags |= activity.FlagTruncated
	raw := v.Raw()
	if v.Type != dialect.String {
		raw = v.AppendJSON(nil)
	}
	if len(key) > 1024 {
		key = key[:1024]
	}
	raw = raw[:min(len(raw), limit)]
	for i := 0; i < utf8.UTFMax && len(raw) > 0; i++ {
		if r, size := utf8.DecodeLastRune(raw); r != utf8.RuneError || size != 1 {
			break
		}
		raw = raw[:len(raw)-1]
	}
	return n.rebuild(s, key, raw)
}

// valid replaces what is no UTF-8; nested text becomes JSON text on the way.
func (n *normaliser) valid(s *dialect.Span, key []byte, v dialect.Value) ([]byte, dialect.Value, []byte) {
	s.Flags |= activity.FlagInvalidUTF8
	raw := v.Raw()
	if v.Type != dialect.String {
		raw = v.AppendJSON(nil)
	}
	return n.rebuild(s, key, raw)
}

func (n *normaliser) rebuild(s *dialect.Span, key, text []byte) ([]byte, dialect.Value, []byte) {
	clean := func(b []byte) string {
		if utf8.Valid(b) {
			return string(b)
		}
		s.Flags |= activity.FlagInvalidUTF8
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	k, t := clean(key), clean(text)
	value := append([]byte{1<<3 | 2}, dialect.AppendVarint(nil, uint64(len(t)))...)
	value = append(value, t...)
	out := append([]byte{1<<3 | 2}, dialect.AppendVarint(nil, uint64(len(k)))...)
	out = append(out, k...)
	out = append(out, 2<<3|2)
	out = dialect.AppendVarint(out, uint64(len(value)))
	out = append(out, value...)
	key, v := dialect.KeyValue(out)
	return key, v, out
}

func validDeep(v dialect.Value, depth int) bool {
	ok := true
	switch {
	case depth > 64:
		return true // what is deeper is never read
	case v.Type == dialect.String:
		return utf8.Valid(v.Raw())
	}
	v.Each(func(e dialect.Value) bool { ok = validDeep(e, depth+1); return ok })
	v.EachPair(func(key string, e dialect.Value) bool {
		ok = utf8.ValidString(key) && validDeep(e, depth+1)
		return ok
	})
	return ok
}

// text is a plain text field, made valid.
func (n *normaliser) text(s *dialect.Span, b []byte) string {
	if len(b) > n.maxAttribute {
		b = b[:n.maxAttribute]
		s.Flags |= activity.FlagTruncated
	}
	if !utf8.Valid(b) {
		s.Flags |= activity.FlagInvalidUTF8
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// traceID reads an id; one of a wrong length is replaced by a hash of it, so
// that records which agree on it still meet.
func traceID(s *dialect.Span, b []byte) (id activity.TraceID) {
	if len(b) == len(id) {
		copy(id[:], b)
	} else if len(b) > 0 {
		s.Flags |= activity.FlagBadID
		sum := sha256.Sum256(b)
		copy(id[:], sum[:])
	}
	return id
}

func spanID(s *dialect.Span, b []byte) (id activity.SpanID) {
	if len(b) == len(id) {
		copy(id[:], b)
	} else if len(b) > 0 {
		s.Flags |= activity.FlagBadID
		sum := sha256.Sum256(b)
		copy(id[:], sum[:])
	}
	return id
}

// instant reads nanoseconds; what no clock says is 0.
func instant(v uint64) int64 {
	if v > math.MaxInt64/2 {
		return 0
	}
	return int64(v)
}

func (n *normaliser) readSpan(body []byte) {
	if !n.room() {
		return
	}
	s := &n.span
	s.Reset()
	n.size = 0
	n.fragments = append(n.fragments, activity.Fragment{})
	f := &n.fragments[len(n.fragments)-1]
	f.Source = activity.SourceSDK
	f.WholeFragment = true
	var parentRaw []byte
	var start, end, code uint64
	events := n.scratch[:0]
	attributes := len(n.arena)
	r := dialect.Reader{B: body}
	for r.More() {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			f.Trace = traceID(s, r.Bytes())
		case 2<<3 | 2:
			f.Span = spanID(s, r.Bytes())
		case 4<<3 | 2:
			parentRaw = r.Bytes()
		case 5<<3 | 2:
			f.Name = n.text(s, r.Bytes())
		case 6 << 3:
			s.SpanKind = r.Varint()
		case 7<<3 | 1:
			start = r.Fixed64()
		case 8<<3 | 1:
			end = r.Fixed64()
		case 9<<3 | 2:
			n.attribute(s, r.Bytes(), false, false)
		case 11<<3 | 2:
			if e := r.Bytes(); len(events) < maxEvents {
				events = append(events, e)
			} else {
				s.Flags |= activity.FlagTruncated
			}
		case 13<<3 | 2:
			if link := r.Bytes(); len(f.Links) < maxLinks {
				f.Links = append(f.Links, readLink(s, link))
			} else {
				s.Flags |= activity.FlagTruncated
			}
		case 15<<3 | 2:
			code = n.readStatus(s, r.Bytes(), f)
		default:
			r.Skip(wire)
		}
	}
	n.scratch = events[:0]
	drop := func(format string, args ...any) {
		n.fragments = n.fragments[:len(n.fragments)-1]
		n.arena = n.arena[:attributes]
		n.reject(1, format, args...)
	}
	if r.Bad {
		drop("a span is cut or damaged")
		return
	}
	f.Attributes = n.arena[attributes:len(n.arena):len(n.arena)]
	s.Inherit(&n.resource)
	if f.Span == (activity.SpanID{}) {
		drop("a span has no span id")
		return
	}
	switch key := s.Text(dialect.RunKey); {
	case key != "":
		f.Run = n.owner.RunOfKey(key)
	case f.Trace != (activity.TraceID{}):
		f.Run = n.runOf(f.Trace)
	case s.Text(dialect.Session) != "":
		f.Run = activity.RunOfSession(n.sender, s.Text(dialect.Session))
		s.Flags |= activity.FlagBadID
	default:
		drop("a span has no trace id, run or session")
		return
	}
	f.Step = n.step(f.Run, f.Trace, f.Span)
	if parent := spanID(s, parentRaw); parent != (activity.SpanID{}) {
		if parent == f.Span {
			s.Flags |= activity.FlagSelfParent
		} else {
			// Siblings stand together: most have the parent of the one before.
			if parent != n.lastParent || f.Run != n.lastParentRun || f.Trace != n.lastParentTrace {
				n.lastParent, n.lastParentRun = parent, f.Run
				n.lastParentStep, n.lastParentTrace = n.step(f.Run, f.Trace, parent), f.Trace
			}
			f.Parent = n.lastParentStep
		}
	}
	if n.times(s, f, start, end); s.Flags&activity.FlagClampedTime != 0 {
		f.Attributes = n.arena[attributes:len(n.arena):len(n.arena)] // with what was sent
	}
	switch {
	case code == 2:
		f.Status = activity.StatusError
	case f.End != activity.Unknown:
		f.Status = activity.StatusOK
	}
	f.Events = n.readEvents(s, events)
	n.pending(s, f)
	s.Name, s.Scope, s.ScopeVersion, s.Root = f.Name, n.scope, n.scopeVer, f.Parent.IsZero()
	f.Service = s.Text(dialect.Service)
	f.Scope, f.ScopeVersion = n.scope, n.scopeVer
	f.Resource, f.ScopeAttribute = n.resourceRaw, n.scopeRaw
	s.Flags |= n.resource.Flags
	n.table.Fill(s, f)
	n.accepted++
}

// runOf is the run of a trace, remembered for the spans of one trace that
// stand together.
func (n *normaliser) runOf(t activity.TraceID) activity.RunID {
	if t != n.lastTrace || n.lastRun.IsZero() {
		n.lastTrace, n.lastRun = t, n.owner.RunOfTrace(t)
	}
	return n.lastRun
}

// step is the id of a step: of its trace and span, or where there is no trace,
// of its run and span.
func (n *normaliser) step(run activity.RunID, trace activity.TraceID, span activity.SpanID) activity.StepID {
	if trace == (activity.TraceID{}) {
		return activity.StepOfKey(run.String() + "/" + span.String())
	}
	return n.owner.StepOfSpan(trace, span)
}

const (
	maxLinks  = 128
	maxEvents = 1000
	maxRaw    = 10_000 // attributes of a log record or of an event
	second    = int64(time.Second)
)

// times sets start and end: the other edge, else the time of receipt, stands in
// for a missing start; a span without an end is running.
func (n *normaliser) times(s *dialect.Span, f *activity.Fragment, start, end uint64) {
	f.Start, f.End = instant(start), instant(end)
	if f.Start == 0 {
		s.Flags |= activity.FlagStartMissing
		if f.Start = f.End; f.Start == 0 {
			f.Start, f.End = n.now, n.now
		}
	}
	switch {
	case f.End == 0:
		f.End = activity.Unknown
		f.WholeFragment = false
	case f.End < f.Start:
		f.End = f.Start
		s.Flags |= activity.FlagEndBeforeStart
	}
	n.skew(s, max(f.Start, f.End))
	sentStart, sentEnd := f.Start, f.End
	f.Start, f.End = activity.ClampSpan(f.Start, f.End, n.now, n.keeping)
	n.sent(s, activity.TimeSent, sentStart, f.Start)
	n.sent(s, activity.TimeSentEnd, sentEnd, f.End)
}

func (n *normaliser) skew(s *dialect.Span, t int64) {
	if t > n.now+60*second {
		s.Flags |= activity.FlagClockSkew
	}
}

// sent keeps what the sender said of a time that was clamped, behind the attributes
// of the record at hand.
func (n *normaliser) sent(s *dialect.Span, key string, said, taken int64) {
	if said != taken {
		s.Flags |= activity.FlagClampedTime
		n.arena = activity.AppendTime(n.arena, key, said)
	}
}

// pending turns Logfire's notice that a span began into that running span: the
// notice is a span of its own whose parent is the real one.
func (n *normaliser) pending(s *dialect.Span, f *activity.Fragment) {
	if s.Text(dialect.PendingSpan) != "pending_span" || f.Parent.IsZero() {
		return
	}
	f.Step, f.Parent = f.Parent, activity.StepID{}
	f.Span = activity.SpanID{}
	if id, err := activity.ParseSpanID(s.Text(dialect.PendingParent)); err == nil && id != (activity.SpanID{}) {
		f.Parent = n.step(f.Run, f.Trace, id)
	}
	f.Status, f.End, f.WholeFragment = activity.StatusRunning, activity.Unknown, false
}

func (n *normaliser) readStatus(s *dialect.Span, body []byte, f *activity.Fragment) (code uint64) {
	for r := (dialect.Reader{B: body}); r.More(); {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 2<<3 | 2:
			f.StatusMessage = n.text(s, r.Bytes())
		case 3 << 3:
			code = r.Varint()
		default:
			r.Skip(wire)
		}
	}
	return code
}

func readLink(s *dialect.Span, body []byte) (l activity.Link) {
	for r := (dialect.Reader{B: body}); r.More(); {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			l.TraceID = traceID(s, r.Bytes())
		case 2<<3 | 2:
			l.SpanID = spanID(s, r.Bytes())
		default:
			r.Skip(wire)
		}
	}
	return l
}

// readEvents keeps the events of a span, those that carry content without it.
func (n *normaliser) readEvents(s *dialect.Span, events [][]byte) []byte {
	if len(events) == 0 {
		return nil
	}
	attributes := len(n.arena)
	var out []byte
	for _, body := range events {
		out = n.readEvent(s, out, body)
	}
	n.arena = n.arena[:attributes]
	n.arena = append(n.arena, out...)
	return n.arena[attributes:len(n.arena):len(n.arena)]
}

func (n *normaliser) readEvent(s *dialect.Span, out, body []byte) []byte {
	var name string
	var at uint64
	var raw [][]byte
	r := dialect.Reader{B: body}
	for r.More() {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 1:
			at = r.Fixed64()
		case 2<<3 | 2:
			name = n.text(s, r.Bytes())
		case 3<<3 | 2:
			raw = n.entry(s, raw, r.Bytes())
		default:
			r.Skip(wire)
		}
	}
	if r.Bad {
		s.Flags |= activity.FlagTruncated
		return out
	}
	start := len(n.arena)
	var list []byte
	for _, kv := range raw {
		list = dialect.AppendEntry(list, kv)
	}
	if !n.table.Event(s, name, dialect.Value{}, list) {
		// Vendors' words count on their own events; on others they are about
		// something else (a retry's error.type is not the step's).
		if strings.HasPrefix(name, "gen_ai.") || name == "exception" {
			for _, kv := range raw {
				n.attribute(s, kv, true, false)
			}
		} else {
			var other dialect.Span
			for _, kv := range raw {
				n.attribute(&other, kv, false, true)
			}
			s.Flags |= other.Flags
		}
	}
	e := append([]byte{1<<3 | 1}, byte(at), byte(at>>8), byte(at>>16), byte(at>>24), byte(at>>32), byte(at>>40), byte(at>>48), byte(at>>56))
	e = append(e, 2<<3|2)
	e = append(dialect.AppendVarint(e, uint64(len(name))), name...)
	for k := (dialect.Reader{B: n.arena[start:]}); k.More(); {
		k.Tag()
		kv := k.Bytes()
		e = append(e, 3<<3|2)
		e = append(dialect.AppendVarint(e, uint64(len(kv))), kv...)
	}
	n.arena = n.arena[:start]
	return dialect.AppendEntry(out, e)
}

// entry adds an attribute to those of the record at hand, of which there are at
// most maxRaw: two bytes of a body would be twenty-four here.
func (n *normaliser) entry(s *dialect.Span, raw [][]byte, kv []byte) [][]byte {
	if len(raw) >= maxRaw {
		s.Flags |= activity.FlagTruncated
		return raw
	}
	return append(raw, kv)
}

func (n *normaliser) readLog(body []byte) {
	if !n.room() {
		return
	}
	s := &n.span
	s.Reset()
	n.size = 0
	var l activity.LogRecord
	var at, observed uint64
	var value dialect.Value
	raw := n.scratch[:0]
	start := len(n.arena)
	r := dialect.Reader{B: body}
	for r.More() {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 1:
			at = r.Fixed64()
		case 2 << 3:
			l.Severity = int32(min(r.Varint(), 24))
		case 5<<3 | 2:
			value = dialect.ParseValue(r.Bytes())
		case 6<<3 | 2:
			raw = n.entry(s, raw, r.Bytes())
		case 9<<3 | 2:
			l.Trace = traceID(s, r.Bytes())
		case 10<<3 | 2:
			l.Span = spanID(s, r.Bytes())
		case 11<<3 | 1:
			observed = r.Fixed64()
		case 12<<3 | 2:
			l.EventName = n.text(s, r.Bytes())
		default:
			r.Skip(wire)
		}
	}
	n.scratch = raw[:0]
	if r.Bad {
		n.reject(1, "a log record is cut or damaged")
		return
	}
	for _, kv := range raw {
		// A record of no step keeps its content: it has nowhere else to go.
		n.attribute(s, kv, true, l.Span == (activity.SpanID{}) || l.Trace == (activity.TraceID{}))
	}
	attributes := n.arena[start:len(n.arena):len(n.arena)]
	s.Inherit(&n.resource)
	if l.EventName == "" {
		l.EventName = s.Text(dialect.EventName)
	}
	if l.Time = instant(at); l.Time == 0 {
		if l.Time = instant(observed); l.Time == 0 {
			l.Time = n.now
			s.Flags |= activity.FlagStartMissing
		}
	}
	n.skew(s, l.Time)
	said := l.Time
	l.Time = activity.ClampTime(said, n.now, n.keeping)
	if n.sent(s, activity.TimeSent, said, l.Time); said != l.Time {
		attributes = n.arena[start:len(n.arena):len(n.arena)]
	}
	switch key := s.Text(dialect.RunKey); {
	case key != "":
		l.Run = n.owner.RunOfKey(key)
	case l.Trace != (activity.TraceID{}):
		l.Run = n.owner.RunOfTrace(l.Trace)
	}
	l.Session = s.Text(dialect.Session)
	l.Service = s.Text(dialect.Service)
	if l.Agent = s.Text(dialect.Agent); l.Agent == "" {
		l.Agent = l.Service
	}
	l.Scope = n.scope
	l.Attributes, l.Resource, l.Environment = attributes, n.resourceRaw, s.Text(dialect.Environment)
	if l.Trace != (activity.TraceID{}) && l.Span != (activity.SpanID{}) {
		l.Step = n.owner.StepOfSpan(l.Trace, l.Span)
		if n.contentOf(s, &l, value, raw) {
			value = dialect.Value{} // its content is behind content's permission now
		}
	}
	switch value.Type {
	case dialect.None:
	case dialect.Array, dialect.Pairs, dialect.Bytes:
		l.Body = n.text(s, value.AppendJSON(nil))
	default:
		l.Body = n.text(s, []byte(value.Text()))
	}
	s.Flags |= n.resource.Flags
	l.Flags = s.Flags
	n.logs = append(n.logs, l)
	n.accepted++
	n.tell(&l, raw)
}

// tell makes the steps that a log record tells of: a coding agent that sends no
// spans is seen all the same.
func (n *normaliser) tell(l *activity.LogRecord, raw [][]byte) {
	if l.EventName == "" || !n.table.Logs() {
		return
	}
	r := dialect.LogRecord{Scope: n.scope, Service: l.Service, Event: l.EventName, Time: l.Time, Trace: l.Trace, Attributes: make(map[string]dialect.Value, len(raw))}
	for _, kv := range raw {
		key, v := dialect.KeyValue(kv)
		r.Attributes[string(key)] = v
	}
	before := n.told.Mark()
	n.table.Log(&n.told, &r)
	accepted := n.accepted
	n.told.Since(before, n.readSpan)
	n.accepted = accepted // the record was counted
}

// contentOf makes a fragment of a log record that carries content of its step,
// and reports whether the body was part of it.
func (n *normaliser) contentOf(s *dialect.Span, l *activity.LogRecord, body dialect.Value, raw [][]byte) bool {
	var list []byte
	if strings.HasPrefix(l.EventName, "gen_ai.") {
		for _, kv := range raw {
			list = dialect.AppendEntry(list, kv)
		}
	}
	taken := n.table.Event(s, l.EventName, body, list)
	if !taken && !s.HasContent() {
		return false
	}
	f := activity.Fragment{
		Run: l.Run, Step: l.Step, Trace: l.Trace, Span: l.Span, Source: activity.SourceSDK, OnlyContent: true,
		Start: l.Time, End: activity.Unknown, TTFT: activity.Unknown, Usage: activity.NoUsage,
	}
	order := n.orders[l.Step]
	n.orders[l.Step] = order + 1
	n.table.FillContent(s, &f, order)
	n.fragments = append(n.fragments, f)
	return taken
}

// kinds of metrics, by their field in Metric.
var metricTypes = map[uint64]string{5: "gauge", 7: "sum", 9: "histogram", 10: "exponential_histogram", 11: "summary"}

func (n *normaliser) readMetric(body []byte) {
	s := &n.span
	s.Reset()
	n.size = 0
	m := activity.MetricPoint{Count: activity.Unknown, Resource: n.resourceRaw}
	var data []byte
	var kind uint64
	r := dialect.Reader{B: body}
	for r.More() {
		field, wire := r.Tag()
		switch {
		case field == 1 && wire == 2:
			m.Name = n.text(s, r.Bytes())
		case field == 3 && wire == 2:
			m.Unit = n.text(s, r.Bytes())
		case metricTypes[field] != "" && wire == 2:
			kind, data = field, r.Bytes()
		default:
			r.Skip(wire)
		}
	}
	if r.Bad || kind == 0 {
		n.room()
		n.reject(1, "a metric is cut or has no data")
		return
	}
	m.Type = metricTypes[kind]
	points := n.scratch[:0]
	for r = (dialect.Reader{B: data}); r.More(); {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			if points = append(points, r.Bytes()); !n.room() {
				n.scratch = points[:0]
				return
			}
		case 2 << 3:
			m.Delta = r.Varint() == 1
		case 3 << 3:
			m.Monotonic = r.Varint() != 0
		default:
			r.Skip(wire)
		}
	}
	n.scratch = points[:0]
	if r.Bad {
		n.reject(1, "the points of a metric are cut or damaged")
		return
	}
	for _, p := range points {
		n.readPoint(m, kind, p)
	}
}

// attributeField is where a data point of each kind keeps its attributes.
var attributeField = map[uint64]uint64{5: 7, 7: 7, 9: 9, 10: 1, 11: 7}

func (n *normaliser) readPoint(m activity.MetricPoint, kind uint64, body []byte) {
	s := &n.span
	s.Reset()
	n.size = 0
	own := attributeField[kind]
	start := len(n.arena)
	var at, from uint64
	r := dialect.Reader{B: body}
	rest := make([]byte, 0, len(body))
	for r.More() {
		begin := r.I
		field, wire := r.Tag()
		switch {
		case field == own && wire == 2:
			n.attribute(s, r.Bytes(), false, true)
			continue
		case field == 2 && wire == 1:
			from = r.Fixed64()
		case field == 3 && wire == 1:
			at = r.Fixed64()
		case field == 4 && wire == 1 && (kind == 5 || kind == 7):
			m.Value = math.Float64frombits(r.Fixed64())
		case field == 6 && wire == 1 && (kind == 5 || kind == 7):
			m.Value = float64(int64(r.Fixed64()))
		case field == 4 && wire == 1:
			m.Count = int64(min(r.Fixed64(), math.MaxInt64))
		case field == 5 && wire == 1 && kind >= 9:
			m.Value = math.Float64frombits(r.Fixed64())
		default:
			r.Skip(wire)
		}
		rest = append(rest, body[begin:r.I]...)
	}
	if r.Bad {
		n.arena = n.arena[:start]
		n.reject(1, "a data point is cut or damaged")
		return
	}
	s.Inherit(&n.resource)
	m.Point = rest
	m.Service = s.Text(dialect.Service)
	if m.Agent = s.Text(dialect.Agent); m.Agent == "" {
		m.Agent = m.Service
	}
	m.Environment = s.Text(dialect.Environment)
	m.StartTime = instant(from)
	if m.Time = instant(at); m.Time == 0 {
		m.Time = n.now
	}
	said := m.Time
	m.Time = activity.ClampTime(said, n.now, n.keeping)
	n.sent(s, activity.TimeSent, said, m.Time)
	m.Attributes = n.arena[start:len(n.arena):len(n.arena)]
	n.metrics = append(n.metrics, m)
	n.accepted++
}
