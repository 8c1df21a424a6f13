package duck

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
)

// Forget takes runs out of every segment that has rows of them, or only their
// content: the segments are written again without those rows. What rollups say
// stays, since it names nobody. A message that runs which stay refer to is kept:
// it lies under the run that had it first, and is as much theirs.
func (s *Store) Forget(ctx context.Context, f telemetry.Forget) (telemetry.Dropped, error) {
	var d telemetry.Dropped
	if len(f.Runs) == 0 && f.Words == nil && f.Loose == nil && !f.Scrub {
		return d, nil
	}
	if f.Dry {
		return s.forgetWords(ctx, f)
	}
	s.maint.Lock()
	defer s.maint.Unlock()
	defer s.forgetSums()
	s.write.Lock()
	err := s.flushFresh(true) // rows that no segment has yet
	s.write.Unlock()
	if err != nil {
		return d, err
	}
	keys := make(map[[8]byte]bool, len(f.Runs))
	for id := range f.Runs {
		keys[keyOf(id)] = true
	}
	tables := []string{tableContent}
	if !f.ContentOnly {
		// Messages last but one: what stays of content is told by them.
		tables = []string{tableContent, tableSteps, tableLogs, tableMessages, tableRuns}
	}
	if len(f.Runs) == 0 {
		tables = nil
	}
	for _, table := range tables {
		for _, g := range s.segs.of(table, allDays) {
			if err := ctx.Err(); err != nil {
				return d, context.Cause(ctx)
			}
			dying := func(o *openSegment) ([]bool, int64, error) { return s.dying(o, f.Runs, keys) }
			if err := s.forgetIn(g, dying, &d); err != nil {
				return d, storageFault("forgetting runs", err)
			}
		}
	}
	if !f.ContentOnly && len(f.Runs) > 0 {
		if err := s.index.forgetRuns(ctx, f.Runs); err != nil {
			return d, storageFault("forgetting runs", err)
		}
	}
	if f.Words != nil {
		more, err := s.forgetWords(ctx, f)
		d.Rows, d.Files, d.Bytes = d.Rows+more.Rows, d.Files+more.Files, d.Bytes+more.Bytes
		if err != nil {
			return d, err
		}
	}
	if f.Loose != nil {
		more, err := s.forgetLoose(ctx, f.Loose)
		d.Rows, d.Files, d.Bytes = d.Rows+more.Rows, d.Files+more.Files, d.Bytes+more.Bytes
		if err != nil {
			return d, err
		}
	}
	if !f.Scrub {
		return d, nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	return d, storageFault("writing the index anew", s.index.scrub(ctx))
}

// forgetWords takes log records of no run, and metric points, in which f.Words finds
// something, or only counts them. The caller holds maint unless it is dry.
func (s *Store) forgetWords(ctx context.Context, f telemetry.Forget) (telemetry.Dropped, error) {
	var d telemetry.Dropped
	for table, found := range map[string]func(*openSegment, func(string) bool) ([]bool, int64, error){tableLogs: logsWith, tableMetrics: pointsWith} {
		for _, g := range s.segs.of(table, allDays) {
			if err := ctx.Err(); err != nil {
				return d, context.Cause(ctx)
			}
			if !f.Dry {
				if err := s.forgetIn(g, func(o *openSegment) ([]bool, int64, error) { return found(o, f.Words) }, &d); err != nil {
					return d, storageFault("forgetting words", err)
				}
				continue
			}
			o, err := s.segs.acquire(g)
			if err != nil {
				return d, storageFault("looking for words", err)
			}
			_, n, err := found(o, f.Words)
			s.segs.release(o)
			if d.Rows += n; err != nil {
				return d, storageFault("looking for words", err)
			}
		}
	}
	return d, nil
}

// forgetLoose takes log records of no run, and metric points, that are older than
// their place keeps them. The caller holds maint.
func (s *Store) forgetLoose(ctx context.Context, before func(team, environment string) time.Time) (telemetry.Dropped, error) {
	var d telemetry.Dropped
	cuts := map[telemetry.Place]int64{}
	old := func(team, environment string, at int64) bool {
		p := telemetry.Place{Team: team, Environment: environment}
		cut, ok := cuts[p]
		if !ok {
			cut = math.MinInt64
			if t := before(team, environment); !t.IsZero() {
				cut = t.UnixNano()
			}
			cuts[p] = cut
		}
		return at < cut
	}
	for table, found := range map[string]func(*openSegment, func(string, string, int64) bool) ([]bool, int64, error){tableLogs: oldLogs, tableMetrics: oldPoints} {
		for _, g := range s.segs.of(table, allDays) {
			if err := ctx.Err(); err != nil {
				return d, context.Cause(ctx)
			}
			if err := s.forgetIn(g, func(o *openSegment) ([]bool, int64, error) { return found(o, old) }, &d); err != nil {
				return d, storageFault("forgetting records of places", err)
			}
		}
	}
	return d, nil
}

func oldLogs(o *openSegment, old func(team, environment string, at int64) bool) ([]bool, int64, error) {
	rows, err := logs.read(o, 0, o.rows, nil, "run", "time", "team", "environment")
	out, n := make([]bool, len(rows)), int64(0)
	for i := range rows {
		r := &rows[i]
		if out[i] = r.Run.IsZero() && old(r.Team, r.Environment, r.Time); out[i] {
			n++
		}
	}
	return out, n, err
}

func oldPoints(o *openSegment, old func(team, environment string, at int64) bool) ([]bool, int64, error) {
	rows, err := metrics.read(o, 0, o.rows, nil, "time", "team", "environment")
	out, n := make([]bool, len(rows)), int64(0)
	for i := range rows {
		r := &rows[i]
		if out[i] = old(r.Team, r.Environment, r.Time); out[i] {
			n++
		}
	}
	return out, n, err
}

// logsWith tells which log records of no run hold words. Attributes that could not be
// kept as text are looked through as the bytes that they are.
func logsWith(o *openSegment, words func(string) bool) ([]bool, int64, error) {
	rows, err := logs.read(o, 0, o.rows, nil, "run", "body", "session", "attr_values", "res_values", "rest")
	if err != nil {
		return nil, 0, err
	}
	out, n := make([]bool, len(rows)), int64(0)
	for i := range rows {
		r := &rows[i]
		if r.Run != (activity.RunID{}) {
			continue
		}
		if out[i] = anyWords(words, r.Body, r.Session, r.texts.values, r.texts.resValues, string(r.rest)); out[i] {
			n++
		}
	}
	return out, n, nil
}

func pointsWith(o *openSegment, words func(string) bool) ([]bool, int64, error) {
	rows, err := metrics.read(o, 0, o.rows, nil, "attributes", "resource")
	if err != nil {
		return nil, 0, err
	}
	out, n := make([]bool, len(rows)), int64(0)
	var last, lastResource string // points of one series follow each other
	was := false
	for i := range rows {
		a, r := string(rows[i].Attributes), string(rows[i].Resource)
		if i == 0 || a != last || r != lastResource {
			last, lastResource, was = a, r, anyWords(words, a, r)
		}
		if out[i] = was; was {
			n++
		}
	}
	return out, n, nil
}

// anyWords looks through texts part by part: values stand side by side in them.
func anyWords(words func(string) bool, texts ...string) bool {
	for _, t := range texts {
		for part := range strings.FieldsFuncSeq(t, func(r rune) bool { return r < ' ' || r == utf8.RuneError }) {
			if words(part) {
				return true
			}
		}
	}
	return false
}

// scrub writes the index anew and empties its log. The caller holds the store's write.
func (x *index) scrub(ctx context.Context) error {
	if _, err := x.w.ExecContext(ctx, `VACUUM`); err != nil {
		return err
	}
	_, err := x.w.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

type runOf struct{ run activity.RunID }

var runsOf = newTable("", id("run", columnar.Dictionary, func(r *runOf) *[16]byte { return (*[16]byte)(&r.run) }))

// forgetIn writes a segment again without the rows that which tells, if it has any.
func (s *Store) forgetIn(g segment, which func(*openSegment) ([]bool, int64, error), d *telemetry.Dropped) error {
	o, err := s.segs.acquire(g)
	if err != nil {
		return err
	}
	dying, n, err := which(o)
	s.segs.release(o)
	if err != nil || n == 0 {
		return err
	}
	d.Rows += n
	d.Files++
	if n == g.rows {
		d.Bytes += g.bytes
		return s.drop([]segment{g})
	}
	dead, applied, err := s.deadRows(g.table, g.day)
	if err != nil {
		return err
	}
	number, err := s.index.reserve(1)
	if err != nil {
		return err
	}
	out := g
	out.id, out.applied = number, applied
	out.raw = g.raw * (g.rows - n) / g.rows
	stay := func(o *openSegment) ([]uint32, error) {
		old, err := staying(o, dead)
		if err != nil {
			return nil, err
		}
		before := make([]uint32, o.rows+1)
		for i := range dying {
			before[i+1] = before[i]
			if !dying[i] && (old == nil || old[i+1] > old[i]) {
				before[i+1]++
			}
		}
		return before, nil
	}
	if err := s.join([]segment{g}, &out, false, stay); err != nil {
		s.segs.remove([]segment{out})
		return err
	}
	come := []segment{out}
	if out.rows == 0 {
		come = nil
	}
	s.write.Lock()
	err = s.index.swap([]segment{g}, come)
	if err == nil {
		s.segs.replace([]segment{g}, come)
	}
	s.write.Unlock()
	if err != nil || come == nil {
		s.segs.remove([]segment{out})
	}
	if err != nil {
		return err
	}
	d.Bytes += max(0, g.bytes-out.bytes)
	s.segs.remove([]segment{g})
	return nil
}

// dying tells which rows of a segment are of the runs.
func (s *Store) dying(o *openSegment, gone map[activity.RunID]struct{}, keys map[[8]byte]bool) ([]bool, int64, error) {
	x, err := o.index()
	if err != nil {
		return nil, 0, err
	}
	if !slices.ContainsFunc(x.keys, func(e idxRow) bool { return keys[e.key] }) {
		return nil, 0, nil
	}
	rows, err := runsOf.read(o, 0, o.rows, nil)
	if err != nil {
		return nil, 0, err
	}
	out, n := make([]bool, len(rows)), int64(0)
	for i, r := range rows {
		if _, ok := gone[r.run]; ok {
			out[i] = true
			n++
		}
	}
	if o.table == tableContent && n > 0 {
		kept, err := s.shared(o, out, gone)
		return out, n - kept, err
	}
	return out, n, nil
}

// shared spares the content that runs which stay refer to.
func (s *Store) shared(o *openSegment, dying []bool, gone map[activity.RunID]struct{}) (kept int64, err error) {
	rows, err := content.read(o, 0, o.rows, nil, "hash", "hash_lo")
	if err != nil {
		return 0, err
	}
	at := map[[16]byte][]int{}
	for i := range rows {
		if dying[i] && rows[i].hashed() {
			at[rows[i].Hash] = append(at[rows[i].Hash], i)
		}
	}
	if len(at) == 0 {
		return 0, nil
	}
	for _, g := range s.segs.of(tableMessages, dayRange{o.day - 1, o.day + 1}) {
		m, err := s.segs.acquire(g)
		if err != nil {
			return kept, err
		}
		said, err := messages.read(m, 0, m.rows, nil, "hash", "hash_lo", "run")
		s.segs.release(m)
		if err != nil {
			return kept, err
		}
		for i := range said {
			list := at[said[i].Hash]
			if len(list) == 0 {
				continue
			}
			if _, ok := gone[said[i].Run]; ok {
				continue
			}
			for _, k := range list {
				dying[k] = false
				kept++
			}
			delete(at, said[i].Hash)
		}
	}
	return kept, nil
}

// forgetRuns takes runs out of the list of run rows.
func (x *index) forgetRuns(ctx context.Context, gone map[activity.RunID]struct{}) error {
	return x.tx(ctx, func(tx *sql.Tx) error {
		// The rows are sorted by start: a list to look into makes it one pass.
		if _, err := tx.ExecContext(ctx, `CREATE TEMP TABLE IF NOT EXISTS gone_runs (id BLOB PRIMARY KEY) WITHOUT ROWID`); err != nil {
			return err
		}
		put, err := tx.Prepare(`INSERT OR IGNORE INTO gone_runs (id) VALUES (?)`)
		if err != nil {
			return err
		}
		defer func() { _ = put.Close() }()
		for id := range gone {
			if _, err := put.ExecContext(ctx, id[:]); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM runs WHERE id IN (SELECT id FROM gone_runs)`); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM gone_runs`)
		return err
	})
}
