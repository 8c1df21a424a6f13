package duck

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/parquet-go/parquet-go"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
)

// callRow is what a call's price depends on, what tells it from others, and its
// cost; a whole step takes five times the memory.
type callRow struct {
	telemetry.Call
	trace    activity.TraceID
	span     activity.SpanID
	sid, slo int64
	whole    bool // slo is the id's second half; else the id follows from trace and span
	revision uint32
	call     bool
	failed   bool
}

// step is the call's id.
func (r *callRow) step() activity.StepID {
	if r.whole {
		return join(r.sid, r.slo)
	}
	var s activity.Step
	s.Trace, s.Span, s.Team, s.Environment = r.trace, r.span, r.Team, r.Environment
	return derivedStep(&s, r.sid)
}

// seenWords gives one string to all that are equal: the words of a day are few,
// its calls a million. It forgets when senders make up too many.
type seenWords map[string]string

func (w seenWords) of(b []byte) string {
	if s, ok := w[string(b)]; ok {
		return s
	}
	if len(w) > 100_000 {
		clear(w)
	}
	s := string(b)
	w[s] = s
	return s
}

// callTable reads calls. Not safe for concurrent use: it shares words.
func callTable(words seenWords) *table[callRow] {
	type C = callRow
	read := func(name string, get func(*C, parquet.Value)) column[C] {
		return column[C]{Column: columnar.Column{Name: name}, get: get}
	}
	text := func(name string, field func(*C) *string) column[C] {
		return read(name, func(r *C, v parquet.Value) { *field(r) = words.of(v.ByteArray()) })
	}
	number := func(name string, field func(*C) *int64) column[C] {
		return read(name, func(r *C, v parquet.Value) { *field(r) = v.Int64() })
	}
	return newTable(tableSteps,
		read("run", func(r *C, v parquet.Value) { copy(r.Run[:], v.ByteArray()) }),
		read("trace", func(r *C, v parquet.Value) { copy(r.trace[:], v.ByteArray()) }),
		read("span", func(r *C, v parquet.Value) { binary.BigEndian.PutUint64(r.span[:], uint64(v.Int64())) }),
		number("sid", func(r *C) *int64 { return &r.sid }),
		read("slo", func(r *C, v parquet.Value) { r.slo, r.whole = v.Int64(), true }),
		read("revision", func(r *C, v parquet.Value) { r.revision = uint32(v.Int64()) }),
		number("start", func(r *C) *int64 { return &r.Start }),
		text("team", func(r *C) *string { return &r.Team }),
		text("environment", func(r *C) *string { return &r.Environment }),
		text("agent", func(r *C) *string { return &r.Agent }),
		read("kind", func(r *C, v parquet.Value) { r.Kind, _ = activity.ParseKind(words.of(v.ByteArray())) }),
		read("status", func(r *C, v parquet.Value) { r.failed = parseStatus(words.of(v.ByteArray())) == activity.StatusError }),
		text("provider", func(r *C) *string { return &r.Provider }),
		text("model", func(r *C) *string { return &r.Model }),
		text("model_requested", func(r *C) *string { return &r.ModelRequested }),
		number("input_tokens", func(r *C) *int64 { return &r.Usage.InputTotal }),
		number("cache_read_tokens", func(r *C) *int64 { return &r.Usage.CacheRead }),
		number("cache_write_tokens", func(r *C) *int64 { return &r.Usage.CacheWrite }),
		number("output_tokens", func(r *C) *int64 { return &r.Usage.OutputTotal }),
		number("reasoning_tokens", func(r *C) *int64 { return &r.Usage.Reasoning }),
		number("cost", func(r *C) *int64 { return &r.Cost.Nanos }),
		read("cost_basis", func(r *C, v parquet.Value) { r.Cost.Basis = parseBasis(words.of(v.ByteArray())) }),
		text("currency", func(r *C) *string { return &r.Cost.Currency }),
		text("price", func(r *C) *string { return &r.Cost.Price }),
		read("counted", func(r *C, v parquet.Value) { r.Counted = v.Boolean() }),
		read("call", func(r *C, v parquet.Value) { r.call = v.Boolean() }),
	)
}

// calls reads the calls of segments, row group by row group.
type calls struct {
	s     *Store
	words seenWords
	table *table[callRow]
	rows  []callRow
}

func (s *Store) newCalls() *calls {
	words := seenWords{}
	return &calls{s: s, words: words, table: callTable(words)}
}

// of visits the calls of a segment that no later revision replaced, with their
// row. The row is the visitor's while it looks at it.
func (c *calls) of(ctx context.Context, g segment, dead map[int64]int64, visit func(row int64, r *callRow) error) error {
	o, err := c.s.segs.acquire(g)
	if err != nil {
		return storageFault("reading calls", err)
	}
	defer c.s.segs.release(o)
	at := int64(0)
	for _, group := range o.file.RowGroups() {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := int(group.NumRows())
		if cap(c.rows) < n {
			c.rows = make([]callRow, n)
		}
		rows := c.rows[:n]
		for i := range rows {
			rows[i] = callRow{}
			rows[i].Usage = activity.NoUsage
		}
		if err := c.table.fill(o, at, rows); err != nil {
			return storageFault("reading calls", err)
		}
		for i := range rows {
			r := &rows[i]
			if !r.call {
				continue
			}
			if newest, ok := dead[r.sid]; ok && int64(r.revision) < newest {
				continue
			}
			if r.Cost.Basis == activity.CostUnknown {
				r.Cost = activity.Cost{}
			}
			if err := visit(at+int64(i), r); err != nil {
				return err
			}
		}
		at += int64(n)
	}
	return nil
}

// Calls visits the newest revision of every model call of a time, day by day; a
// few columns of each segment are read. The call is the visitor's while it looks
// at it. What arrives meanwhile may be missed.
func (s *Store) Calls(ctx context.Context, from, to time.Time, visit func(*telemetry.Call) error) error {
	lo, hi := from.UnixNano(), to.UnixNano()
	calls := s.newCalls()
	for day := dayOf(lo); day <= dayOf(hi-1); day++ {
		all := s.segs.of(tableSteps, dayRange{day, day})
		if len(all) == 0 {
			continue
		}
		dead, _, err := s.deadRows(tableSteps, day)
		if err != nil {
			return err
		}
		for _, g := range all {
			if g.tmax < lo || g.tmin >= hi {
				continue
			}
			err := calls.of(ctx, g, dead, func(_ int64, r *callRow) error {
				if r.Start < lo || r.Start >= hi {
					return nil
				}
				r.Step = r.step()
				return visit(&r.Call)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
