package duck

import (
	"encoding/binary"
	"strings"

	"github.com/parquet-go/parquet-go"

	"reeve/internal/activity"
	"reeve/internal/telemetry/duck/columnar"
)

// stepRow is a step and what its columns are made of.
//
// An id derived from (trace, span) is not stored: it is 16 bytes that nothing
// can compress. The first half stays as sid, by which children find parents.
type stepRow struct {
	*activity.Step
	attrs, resource attrText // writing
	rest            []byte
	texts           stepTexts // reading
	sid, slo        int64
	whole           bool // slo is stored: the id is not derived
	psid, plo       int64
}

type stepTexts struct{ keys, types, values, resKeys, resTypes, resValues string }

func half(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

func join(hi, lo int64) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(hi))
	binary.BigEndian.PutUint64(id[8:], uint64(lo))
	return id
}

// prepare fills in what the columns are made of.
func (r *stepRow) prepare(attrs, resources *renderer) {
	s := r.Step
	r.sid, r.slo = half(s.Step[:8]), half(s.Step[8:])
	r.whole = s.Span == (activity.SpanID{}) || derivedStep(s, r.sid) != s.Step
	r.psid, r.plo = half(s.Parent[:8]), half(s.Parent[8:])
	r.attrs, r.resource = attrs.render(s.Attributes), resources.cached(s.Resource)
	r.rest = packRest(r.rest[:0], s, r.attrs.exact, r.resource.exact)
}

// stepChunk prepares the rows of steps for an encoder, which takes so many and
// then the next: what a row is made of lies in the processor's cache while its
// columns are written, and a write of ten thousands takes no memory for it.
type stepChunk struct {
	rows             [chunkRows]stepRow
	attrs, resources renderer
}

// row is the row of a step, the i-th of its segment; it is valid until the next
// chunk begins.
func (c *stepChunk) row(i int, s *activity.Step) *stepRow {
	if i%chunkRows == 0 {
		c.attrs.reset()
		c.resources.reset()
	}
	r := &c.rows[i%chunkRows]
	r.Step = s
	r.prepare(&c.attrs, &c.resources)
	return r
}

// keptRest is what a chunk keeps of the memory of one row: an odd one with
// megabytes of attributes must not hold them for good.
const keptRest = 16 << 10

func (c *stepChunk) release() {
	for i := range c.rows {
		r := &c.rows[i]
		r.Step, r.attrs, r.resource = nil, attrText{}, attrText{}
		if cap(r.rest) > keptRest {
			r.rest = nil
		}
	}
	c.attrs.reset()
	c.resources.reset()
}

// derivedStep is the id that a step's span has in its team's scope, or else in
// nobody's: sid tells which.
func derivedStep(s *activity.Step, sid int64) activity.StepID {
	if id := activity.ScopeOf(s.Team, s.Environment).StepOfSpan(s.Trace, s.Span); half(id[:8]) == sid {
		return id
	}
	return activity.StepOfSpan(s.Trace, s.Span)
}

// finish makes a step of what was read.
func (r *stepRow) finish() error {
	s := r.Step
	if r.whole {
		s.Step = join(r.sid, r.slo)
	} else {
		s.Step = derivedStep(s, r.sid)
	}
	s.Parent = join(r.psid, r.plo)
	s.Attributes = rawAttributes(r.texts.keys, r.texts.types, r.texts.values)
	s.Resource = rawAttributes(r.texts.resKeys, r.texts.resTypes, r.texts.resValues)
	if s.End != activity.Unknown {
		s.End += s.Start
	}
	if !unpackRest(r.rest, s) {
		return errCorrupt
	}
	return nil
}

// blankSteps makes rows ready for their columns to be read: what is null is
// unknown.
func blankSteps(rows []stepRow) {
	steps := make([]activity.Step, len(rows))
	for i := range steps {
		s := &steps[i]
		s.End, s.TTFT, s.Usage = activity.Unknown, activity.Unknown, activity.NoUsage
		rows[i].Step = s
	}
}

func (r *stepRow) bits() int64 {
	return int64(b2i(r.AgentExplicit) | b2i(r.Waiting)<<1 | b2i(r.WholeFragment)<<2 | b2i(r.OnlyContent)<<3)
}

func (r *stepRow) setBits(n int64) {
	r.AgentExplicit, r.Waiting, r.WholeFragment, r.OnlyContent = n&1 != 0, n&2 != 0, n&4 != 0, n&8 != 0
}

// S is a short name for the columns below.
type S = stepRow

// attrColumn is a part of rendered attributes, which are valid UTF-8.
func attrColumn[T any](name string, how columnar.Encoding, write func(*T) []byte, read func(*T) *string) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Text, Encoding: how},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				b.Bytes(write(r))
			}
		},
		get: func(r *T, v parquet.Value) { *read(r) = string(v.ByteArray()) },
	}
}

var steps = withBlank(blankSteps, newTable(tableSteps,
	id("run", columnar.Dictionary, func(r *S) *[16]byte { return (*[16]byte)(&r.Run) }),
	id("trace", columnar.Dictionary, func(r *S) *[16]byte { return (*[16]byte)(&r.Trace) }),
	number("sid", columnar.Plain, func(r *S) int64 { return r.sid }, func(r *S, n int64) { r.sid = n }),
	maybe("slo", columnar.Plain, func(r *S) (int64, bool) { return r.slo, r.whole }, func(r *S, n int64) { r.slo, r.whole = n, true }),
	number("span", columnar.Plain, func(r *S) int64 { return half(r.Span[:]) },
		func(r *S, n int64) { binary.BigEndian.PutUint64(r.Span[:], uint64(n)) }),
	number("psid", columnar.Dictionary, func(r *S) int64 { return r.psid }, func(r *S, n int64) { r.psid = n }),
	number("plo", columnar.Dictionary, func(r *S) int64 { return r.plo }, func(r *S, n int64) { r.plo = n }),
	number("revision", columnar.Dictionary, func(r *S) int64 { return int64(r.Revision) }, func(r *S, n int64) { r.Revision = uint32(n) }),
	number("start", columnar.Delta, func(r *S) int64 { return r.Start }, func(r *S, n int64) { r.Start = n }),
	maybe("duration", columnar.Delta, func(r *S) (int64, bool) { return r.End - r.Start, r.End != activity.Unknown }, func(r *S, n int64) { r.End = n }),
	number("received", columnar.Dictionary, func(r *S) int64 { return r.Received }, func(r *S, n int64) { r.Received = n }),
	word("kind", func(r *S) string { return r.Kind.String() }, func(r *S, s string) { r.Kind, _ = activity.ParseKind(s) }),
	word("status", func(r *S) string { return r.Status.String() }, func(r *S, s string) { r.Status = parseStatus(s) }),
	word("source", func(r *S) string { return r.Source.String() }, func(r *S, s string) { r.Source = parseSource(s) }),
	dict("name", func(r *S) *string { return &r.Name }),
	dict("agent", func(r *S) *string { return &r.Agent }),
	dict("agent_id", func(r *S) *string { return &r.AgentID }),
	dict("version", func(r *S) *string { return &r.AgentVersion }),
	dict("service", func(r *S) *string { return &r.Service }),
	dict("environment", func(r *S) *string { return &r.Environment }),
	dict("team", func(r *S) *string { return &r.Team }),
	dict("sender", func(r *S) *string { return &r.Sender }),
	dict("task", func(r *S) *string { return &r.Task }),
	dict("run_name", func(r *S) *string { return &r.RunName }),
	dict("session", func(r *S) *string { return &r.Session }),
	dict("user", func(r *S) *string { return &r.User }),
	dict("mode", func(r *S) *string { return &r.Mode }),
	dict("outcome", func(r *S) *string { return &r.Outcome }),
	dict("provider", func(r *S) *string { return &r.Provider }),
	dict("model_requested", func(r *S) *string { return &r.ModelRequested }),
	dict("model", func(r *S) *string { return &r.Model }),
	dict("finish_reason", func(r *S) *string { return &r.FinishReason }),
	dict("tool", func(r *S) *string { return &r.ToolName }),
	dict("error_type", func(r *S) *string { return &r.ErrorType }),
	dict("dialect", func(r *S) *string { return &r.Dialect }),
	dict("scope", func(r *S) *string { return &r.Scope }),
	dict("scope_version", func(r *S) *string { return &r.ScopeVersion }),
	text("error", func(r *S) *string { return &r.StatusMessage }),
	text("response_id", func(r *S) *string { return &r.ResponseID }),
	text("tool_call_id", func(r *S) *string { return &r.ToolCallID }),
	text("decision_id", func(r *S) *string { return &r.DecisionID }),
	number("flags", columnar.Dictionary, func(r *S) int64 { return int64(r.Flags) }, func(r *S, n int64) { r.Flags = activity.Flag(n) }),
	number("bits", columnar.Dictionary, func(r *S) int64 { return r.bits() }, func(r *S, n int64) { r.setBits(n) }),
	number("map_version", columnar.Dictionary, func(r *S) int64 { return int64(r.MapVersion) }, func(r *S, n int64) { r.MapVersion = int32(n) }),
	count("ttft", func(r *S) *int64 { return &r.TTFT }),
	count("input_tokens", func(r *S) *int64 { return &r.Usage.InputTotal }),
	count("cache_read_tokens", func(r *S) *int64 { return &r.Usage.CacheRead }),
	count("cache_write_tokens", func(r *S) *int64 { return &r.Usage.CacheWrite }),
	count("output_tokens", func(r *S) *int64 { return &r.Usage.OutputTotal }),
	count("reasoning_tokens", func(r *S) *int64 { return &r.Usage.Reasoning }),
	maybe("cost", columnar.Delta, func(r *S) (int64, bool) { return r.Cost.Nanos, r.Cost.Basis != activity.CostUnknown },
		func(r *S, n int64) { r.Cost.Nanos = n }),
	word("cost_basis", func(r *S) string { return r.Cost.Basis.String() }, func(r *S, s string) { r.Cost.Basis = parseBasis(s) }),
	dict("currency", func(r *S) *string { return &r.Cost.Currency }),
	dict("price", func(r *S) *string { return &r.Cost.Price }),
	boolean("counted", func(r *S) bool { return r.Counted }, func(r *S, b bool) { r.Counted = b }),
	boolean("call", func(r *S) bool { return r.Call }, func(r *S, b bool) { r.Call = b }),
	attrColumn("attr_keys", columnar.Dictionary, func(r *S) []byte { return r.attrs.keys }, func(r *S) *string { return &r.texts.keys }),
	attrColumn("attr_types", columnar.Dictionary, func(r *S) []byte { return r.attrs.types }, func(r *S) *string { return &r.texts.types }),
	attrColumn("attr_values", columnar.Delta, func(r *S) []byte { return r.attrs.values }, func(r *S) *string { return &r.texts.values }),
	attrColumn("res_keys", columnar.Dictionary, func(r *S) []byte { return r.resource.keys }, func(r *S) *string { return &r.texts.resKeys }),
	attrColumn("res_types", columnar.Dictionary, func(r *S) []byte { return r.resource.types }, func(r *S) *string { return &r.texts.resTypes }),
	attrColumn("res_values", columnar.Dictionary, func(r *S) []byte { return r.resource.values }, func(r *S) *string { return &r.texts.resValues }),
	blob("events", func(r *S) *[]byte { return &r.Events }),
	blob("rest", func(r *S) *[]byte { return &r.rest }),
))

func parseStatus(s string) activity.Status {
	for v := activity.StatusRunning; v <= activity.StatusError; v++ {
		if v.String() == s {
			return v
		}
	}
	return activity.StatusRunning
}

func parseSource(s string) activity.Source {
	for v := activity.SourceInferred; v <= activity.SourceGateway; v++ {
		if v.String() == s {
			return v
		}
	}
	return activity.SourceInferred
}

func parseBasis(s string) activity.CostBasis {
	for v := activity.CostUnknown; v <= activity.CostProvider; v++ {
		if v.String() == s {
			return v
		}
	}
	return activity.CostUnknown
}

func parseContentField(s string) activity.ContentField {
	for v := activity.ContentInput; v <= activity.ContentQuery; v++ {
		if v.String() == s {
			return v
		}
	}
	return activity.ContentInput
}

// messageRow is a message's metadata; contentRow its content.
type messageRow struct {
	*activity.Message
	first bool // its content lies under its own run and ordinal
}

func blankMessages(rows []messageRow) {
	ms := make([]activity.Message, len(rows))
	for i := range ms {
		rows[i].Message = &ms[i]
	}
}

// A hash is kept whole only where content is shared: a message without its
// second half is stored with every run that has it.
func hashColumns[T any](whole bool, field func(*T) *[16]byte) (hi, lo column[T]) {
	shared := func(r *T) bool { return [8]byte(field(r)[8:]) != [8]byte{} }
	set := func(r *T, n int64) { binary.BigEndian.PutUint64(field(r)[:8], uint64(n)) }
	if whole {
		hi = number("hash", columnar.Plain, func(r *T) int64 { return half(field(r)[:8]) }, set)
	} else {
		hi = maybe("hash", columnar.Plain, func(r *T) (int64, bool) { return half(field(r)[:8]), shared(r) }, set)
	}
	lo = maybe("hash_lo", columnar.Plain, func(r *T) (int64, bool) { return half(field(r)[8:]), shared(r) },
		func(r *T, n int64) { binary.BigEndian.PutUint64(field(r)[8:], uint64(n)) })
	return hi, lo
}

// M is a short name for the columns below.
type M = messageRow

func stepColumn[T any](how columnar.Encoding, field func(*T) *activity.StepID) (hi, lo column[T]) {
	hi = number("sid", how, func(r *T) int64 { return half(field(r)[:8]) },
		func(r *T, n int64) { binary.BigEndian.PutUint64(field(r)[:8], uint64(n)) })
	lo = number("slo", how, func(r *T) int64 { return half(field(r)[8:]) },
		func(r *T, n int64) { binary.BigEndian.PutUint64(field(r)[8:], uint64(n)) })
	return hi, lo
}

var messages = func() *table[M] {
	// The step is kept whole: several messages of a step lie together, and the
	// second costs little.
	hi, lo := stepColumn(columnar.Dictionary, func(r *M) *activity.StepID { return &r.Step })
	hash, hashLo := hashColumns(true, func(r *M) *[16]byte { return &r.Hash })
	return withBlank(blankMessages, newTable(tableMessages, hi, lo, hash, hashLo,
		id("run", columnar.Dictionary, func(r *M) *[16]byte { return (*[16]byte)(&r.Run) }),
		number("ordinal", columnar.Delta, func(r *M) int64 { return int64(r.Ordinal) }, func(r *M, n int64) { r.Ordinal = int32(n) }),
		number("time", columnar.Delta, func(r *M) int64 { return r.Time }, func(r *M, n int64) { r.Time = n }),
		word("field", func(r *M) string { return r.Field.String() }, func(r *M, s string) { r.Field = parseContentField(s) }),
		dict("format", func(r *M) *string { return &r.Format }),
		dict("role", func(r *M) *string { return &r.Role }),
		number("size", columnar.Delta, func(r *M) int64 { return int64(r.Size) }, func(r *M, n int64) { r.Size = int32(n) }),
		number("first", columnar.Dictionary, func(r *M) int64 { return int64(b2i(r.Raw != nil)) }, func(r *M, n int64) { r.first = n != 0 }),
		dict("agent", func(r *M) *string { return &r.Agent }),
		dict("team", func(r *M) *string { return &r.Team }),
		dict("environment", func(r *M) *string { return &r.Env }),
	))
}()

type contentRow struct {
	*activity.Message
	exact bool // false: Raw is not UTF-8, raw_bytes has it
}

func blankContents(rows []contentRow) {
	ms := make([]activity.Message, len(rows))
	for i := range ms {
		rows[i] = contentRow{Message: &ms[i], exact: true}
	}
}

// C is a short name for the columns below.
type C = contentRow

// hashed reports whether messages of other runs may refer to it.
func (r *contentRow) hashed() bool { return [8]byte(r.Hash[8:]) != [8]byte{} }

var contentHash, contentHashLo = hashColumns(false, func(r *C) *[16]byte { return &r.Hash })

var content = withBlank(blankContents, newTable(tableContent, contentHash, contentHashLo,
	// When it first appeared, to the minute: enough to leave out row groups of
	// another hour. The time itself is the message's.
	number("minute", columnar.Dictionary, func(r *C) int64 { return floorDiv(r.Time, minuteNanos) }, func(*C, int64) {}),
	id("run", columnar.Dictionary, func(r *C) *[16]byte { return (*[16]byte)(&r.Run) }),
	number("ordinal", columnar.Delta, func(r *C) int64 { return int64(r.Ordinal) }, func(r *C, n int64) { r.Ordinal = int32(n) }),
	word("field", func(r *C) string { return r.Field.String() }, func(r *C, s string) { r.Field = parseContentField(s) }),
	dict("format", func(r *C) *string { return &r.Format }),
	dict("role", func(r *C) *string { return &r.Role }),
	dict("agent", func(r *C) *string { return &r.Agent }),
	dict("team", func(r *C) *string { return &r.Team }),
	dict("environment", func(r *C) *string { return &r.Env }),
	column[C]{
		Column: columnar.Column{Name: "raw", Kind: columnar.Text, Encoding: columnar.Delta},
		put: func(b *columnar.Buffer, rows []*C) {
			for _, r := range rows {
				if r.exact {
					b.Bytes(r.Raw)
				} else {
					b.Bytes(validBytes(r.Raw))
				}
			}
		},
		get: func(r *C, v parquet.Value) {
			if r.exact {
				r.Raw = append([]byte{}, v.ByteArray()...)
			}
		},
	},
	column[C]{
		Column: columnar.Column{Name: "raw_bytes", Kind: columnar.Bytes, Encoding: columnar.Delta, Optional: true},
		put: func(b *columnar.Buffer, rows []*C) {
			for _, r := range rows {
				if r.exact {
					b.Null()
				} else {
					b.Bytes(r.Raw)
				}
			}
		},
		// Columns are read in order of their names: this comes after raw.
		get: func(r *C, v parquet.Value) { r.Raw = append([]byte{}, v.ByteArray()...) },
	},
))

// logRow is a log record with its attributes as text.
type logRow struct {
	activity.LogRecord
	attrs, resource attrText
	rest            []byte
	texts           stepTexts
}

// L is a short name for the columns below.
type L = logRow

func (r *logRow) prepare(attrs, resources *renderer) {
	r.attrs, r.resource = attrs.render(r.Attributes), resources.cached(r.Resource)
	var s activity.Step
	s.Attributes, s.Resource = r.Attributes, r.Resource
	r.rest = packRest(nil, &s, r.attrs.exact, r.resource.exact)
}

func (r *logRow) finish() error {
	var s activity.Step
	s.Attributes = rawAttributes(r.texts.keys, r.texts.types, r.texts.values)
	s.Resource = rawAttributes(r.texts.resKeys, r.texts.resTypes, r.texts.resValues)
	if !unpackRest(r.rest, &s) {
		return errCorrupt
	}
	r.Attributes, r.Resource = s.Attributes, s.Resource
	return nil
}

var logs = func() *table[L] {
	hi, lo := stepColumn(columnar.Plain, func(r *L) *activity.StepID { return &r.Step })
	return newTable(tableLogs, hi, lo,
		id("run", columnar.Dictionary, func(r *L) *[16]byte { return (*[16]byte)(&r.Run) }),
		id("trace", columnar.Dictionary, func(r *L) *[16]byte { return (*[16]byte)(&r.Trace) }),
		number("span", columnar.Plain, func(r *L) int64 { return half(r.Span[:]) },
			func(r *L, n int64) { binary.BigEndian.PutUint64(r.Span[:], uint64(n)) }),
		number("time", columnar.Delta, func(r *L) int64 { return r.Time }, func(r *L, n int64) { r.Time = n }),
		number("severity", columnar.Dictionary, func(r *L) int64 { return int64(r.Severity) }, func(r *L, n int64) { r.Severity = int32(n) }),
		number("flags", columnar.Dictionary, func(r *L) int64 { return int64(r.Flags) }, func(r *L, n int64) { r.Flags = activity.Flag(n) }),
		dict("event", func(r *L) *string { return &r.EventName }),
		text("body", func(r *L) *string { return &r.Body }),
		dict("agent", func(r *L) *string { return &r.Agent }),
		dict("service", func(r *L) *string { return &r.Service }),
		dict("session", func(r *L) *string { return &r.Session }),
		dict("scope", func(r *L) *string { return &r.Scope }),
		attrColumn("attr_keys", columnar.Dictionary, func(r *L) []byte { return r.attrs.keys }, func(r *L) *string { return &r.texts.keys }),
		attrColumn("attr_types", columnar.Dictionary, func(r *L) []byte { return r.attrs.types }, func(r *L) *string { return &r.texts.types }),
		attrColumn("attr_values", columnar.Delta, func(r *L) []byte { return r.attrs.values }, func(r *L) *string { return &r.texts.values }),
		attrColumn("res_keys", columnar.Dictionary, func(r *L) []byte { return r.resource.keys }, func(r *L) *string { return &r.texts.resKeys }),
		attrColumn("res_types", columnar.Dictionary, func(r *L) []byte { return r.resource.types }, func(r *L) *string { return &r.texts.resTypes }),
		attrColumn("res_values", columnar.Dictionary, func(r *L) []byte { return r.resource.values }, func(r *L) *string { return &r.texts.resValues }),
		blob("rest", func(r *L) *[]byte { return &r.rest }),
		dict("team", func(r *L) *string { return &r.Team }),
		dict("environment", func(r *L) *string { return &r.Environment }),
	)
}()

// P is a short name for the columns below.
type P = activity.MetricPoint

// sameBlob is blob for what many rows share.
func sameBlob(name string, field func(*P) *[]byte) column[P] {
	c := blob(name, field)
	c.Encoding = columnar.Dictionary
	return c
}

var metrics = newTable(tableMetrics,
	number("time", columnar.Delta, func(r *P) int64 { return r.Time }, func(r *P, n int64) { r.Time = n }),
	number("start", columnar.Delta, func(r *P) int64 { return r.StartTime }, func(r *P, n int64) { r.StartTime = n }),
	dict("name", func(r *P) *string { return &r.Name }),
	dict("unit", func(r *P) *string { return &r.Unit }),
	dict("type", func(r *P) *string { return &r.Type }),
	boolean("monotonic", func(r *P) bool { return r.Monotonic }, func(r *P, b bool) { r.Monotonic = b }),
	boolean("delta", func(r *P) bool { return r.Delta }, func(r *P, b bool) { r.Delta = b }),
	column[P]{
		Column: columnar.Column{Name: "value", Kind: columnar.Double},
		put: func(b *columnar.Buffer, rows []*P) {
			for _, r := range rows {
				b.Double(r.Value)
			}
		},
		get: func(r *P, v parquet.Value) { r.Value = v.Double() },
	},
	count("count", func(r *P) *int64 { return &r.Count }),
	dict("agent", func(r *P) *string { return &r.Agent }),
	dict("service", func(r *P) *string { return &r.Service }),
	sameBlob("attributes", func(r *P) *[]byte { return &r.Attributes }),
	sameBlob("resource", func(r *P) *[]byte { return &r.Resource }),
	blob("point", func(r *P) *[]byte { return &r.Point }),
	dict("team", func(r *P) *string { return &r.Team }),
	dict("environment", func(r *P) *string { return &r.Environment }),
)

// runRow is a revision of a run. Lists are texts with a separator on either
// side of each element; the whole row is in blob.
type runRow struct {
	*activity.Run
	id   [16]byte
	rev  int64
	blob []byte
}

// R is a short name for the columns below.
type R = runRow

func runText(name string, get func(*activity.Run) string) column[R] {
	return word(name, func(r *R) string { return get(r.Run) }, func(*R, string) {})
}

func runList(name string, get func(*activity.Run) []string) column[R] {
	return runText(name, func(r *activity.Run) string { return joinList(get(r)) })
}

func joinList(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return "\x1f" + strings.Join(l, "\x1f") + "\x1f"
}

func runCount(name string, get func(*activity.Run) int64) column[R] {
	return maybe(name, columnar.Delta, func(r *R) (int64, bool) { n := get(r.Run); return n, n != activity.Unknown }, func(*R, int64) {})
}

func runNumber(name string, get func(*activity.Run) int64) column[R] {
	return number(name, columnar.Delta, func(r *R) int64 { return get(r.Run) }, func(*R, int64) {})
}

func runBool(name string, get func(*activity.Run) bool) column[R] {
	return boolean(name, func(r *R) bool { return get(r.Run) }, func(*R, bool) {})
}

func traceNames(r *activity.Run) []string {
	out := make([]string, len(r.Traces))
	for i, t := range r.Traces {
		out[i] = t.String()
	}
	return out
}

func labelTexts(r *activity.Run) []string {
	out := make([]string, len(r.Labels))
	for i, l := range r.Labels {
		out[i] = l.Key + "\x1e" + l.Value
	}
	return out
}

func tokens(u activity.Usage) int64 {
	if !u.Known() {
		return activity.Unknown
	}
	return max(u.InputTotal, 0) + max(u.OutputTotal, 0)
}

func runDuration(r *activity.Run) int64 {
	if r.End == activity.Unknown {
		return activity.Unknown
	}
	return max(r.End-r.Start, 0)
}

func runCost(r *activity.Run) int64 {
	if r.Cost.Basis == activity.CostUnknown {
		return activity.Unknown
	}
	return max(r.Cost.Nanos, 0)
}

type run = activity.Run

var runs = newTable(tableRuns,
	id("run", columnar.Plain, func(r *R) *[16]byte { return &r.id }),
	number("rid", columnar.Plain, func(r *R) int64 { return half(r.id[:8]) }, func(*R, int64) {}),
	number("revision", columnar.Delta, func(r *R) int64 { return r.rev }, func(r *R, n int64) { r.rev = n }),
	runList("traces", traceNames),
	runText("name", func(r *run) string { return r.Name }),
	runText("agent", func(r *run) string { return r.Agent }),
	runList("agents", func(r *run) []string { return r.Agents }),
	runText("version", func(r *run) string { return r.Version }),
	runText("task", func(r *run) string { return r.Task }),
	runText("environment", func(r *run) string { return r.Environment }),
	runText("team", func(r *run) string { return r.Team }),
	runText("sender", func(r *run) string { return r.Sender }),
	runText("session", func(r *run) string { return r.Session }),
	runText("user", func(r *run) string { return r.User }),
	runText("mode", func(r *run) string { return r.Mode }),
	runText("status", func(r *run) string { return r.Status.String() }),
	runText("outcome", func(r *run) string { return r.Outcome }),
	runNumber("start", func(r *run) int64 { return r.Start }),
	runCount("duration", runDuration),
	runNumber("updated", func(r *run) int64 { return r.Updated }),
	runNumber("steps", func(r *run) int64 { return r.Steps }),
	runNumber("errors", func(r *run) int64 { return r.Errors }),
	runNumber("model_calls", func(r *run) int64 { return r.ModelCalls }),
	runNumber("tool_calls", func(r *run) int64 { return r.ToolCalls }),
	runNumber("logs", func(r *run) int64 { return r.Logs }),
	runNumber("unknown_usage", func(r *run) int64 { return r.UnknownUsageCalls }),
	runNumber("unknown_cost", func(r *run) int64 { return r.UnknownCostCalls }),
	runBool("failed", func(r *run) bool { return r.RootError }),
	runText("error_type", func(r *run) string { return r.ErrorType }),
	runCount("tokens", func(r *run) int64 { return tokens(r.Usage) }),
	runCount("input_tokens", func(r *run) int64 { return r.Usage.InputTotal }),
	runCount("output_tokens", func(r *run) int64 { return r.Usage.OutputTotal }),
	runCount("cache_read_tokens", func(r *run) int64 { return r.Usage.CacheRead }),
	runCount("cache_write_tokens", func(r *run) int64 { return r.Usage.CacheWrite }),
	runCount("reasoning_tokens", func(r *run) int64 { return r.Usage.Reasoning }),
	runCount("cost", runCost),
	runList("models", func(r *run) []string { return r.Models }),
	runList("tools", func(r *run) []string { return r.Tools }),
	runList("sources", func(r *run) []string { return r.Sources }),
	runList("dialects", func(r *run) []string { return r.Dialects }),
	runList("tags", func(r *run) []string { return r.Tags }),
	runList("labels", labelTexts),
	runNumber("flags", func(r *run) int64 { return int64(r.Flags) }),
	runBool("partial", func(r *run) bool { return r.Partial }),
	blob("blob", func(r *R) *[]byte { return &r.blob }),
)

// oldRow says that rows of key with a lower revision are dead.
type oldRow struct{ key, revision int64 }

func oldTable(name string) *table[oldRow] {
	return newTable(name,
		number("key", columnar.Plain, func(r *oldRow) int64 { return r.key }, func(r *oldRow, n int64) { r.key = n }),
		number("revision", columnar.Delta, func(r *oldRow) int64 { return r.revision }, func(r *oldRow, n int64) { r.revision = n }),
	)
}

var (
	oldSteps = oldTable(tableOldSteps)
	oldRuns  = oldTable(tableOldRuns)
)
