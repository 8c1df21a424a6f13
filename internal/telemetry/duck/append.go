package duck

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/durable"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// encoders are the buffers of Append, guarded by Store.write.
type encoders struct {
	steps    encoder[stepRow]
	messages encoder[messageRow]
	content  encoder[contentRow]
	logs     encoder[logRow]
	metrics  encoder[activity.MetricPoint]
	runs     encoder[runRow]

	decisions encoder[decisionRow]

	chunk    stepChunk // of steps
	msgRows  []messageRow
	conRows  []contentRow
	logAttrs renderer
	logRes   renderer
}

// release lets go of a write, which is its owner's again.
func (e *encoders) release() {
	clear(e.msgRows)
	clear(e.conRows)
	e.chunk.release()
}

// starts remembers where the rows of recent runs stand in the index. Two
// generations bound it.
type starts struct{ young, old map[activity.RunID]int64 }

const startsKept = 100_000

func (s *starts) put(id activity.RunID, start int64) {
	if s.young == nil || len(s.young) >= startsKept {
		s.old, s.young = s.young, make(map[activity.RunID]int64)
	}
	s.young[id] = start
}

func (s *starts) get(id activity.RunID) (int64, bool) {
	if n, ok := s.young[id]; ok {
		return n, true
	}
	n, ok := s.old[id]
	return n, ok
}

// part is a segment being written by Append.
type part struct {
	segment
	write func(io.Writer, *segment) error
}

// Append stores a write and moves the cursor. Segments are written and synced
// first; one transaction then makes them, rollups, run rows and the cursor
// count. An error before its commit leaves files that the manifest does not
// name: they are removed here, or at the next start.
func (s *Store) Append(ctx context.Context, w *telemetry.Write) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Load() {
		return fault.New(fault.KindUnavailable, "telemetry.closed", "the telemetry store is closed")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := s.index.cursor(ctx, w.Partition)
	if err != nil {
		return err
	}
	if w.Cursor < at {
		return fault.New(fault.KindConflict, "telemetry.replayed", "log position %d is stored already (the store is at %d)", w.Cursor, at)
	}
	fresh, stored := s.fresh.part(w.Runs)
	data, packed := packFresh(fresh)
	s.o.Stages.Take()
	began := s.o.Stages.Begin()
	parts := s.parts(w, stored)
	s.o.Stages.End(telemetry.StageSegments, began)
	s.o.Stages.Give()
	come, err := s.writeAll(parts)
	s.enc.release()
	var done committed
	if err == nil {
		began = s.o.Stages.Begin()
		done, err = s.commit(w, stored, data, come)
		s.o.Stages.End(telemetry.StageRuns, began)
	}
	if err != nil {
		s.segs.remove(come)
		return storageFault("appending to the telemetry store", err)
	}
	s.segs.replace(nil, come)
	s.words.saved = done.words
	began = s.o.Stages.Begin()
	late := s.rolls.add(done.news, w.Rollups, s.o.Now())
	s.o.Stages.End(telemetry.StageRollups, began)
	if late {
		// Whoever folds is late. What was committed stays committed.
		if err := s.foldRollups(true); err != nil {
			s.log.Warn("rollups not folded", "err", err)
		}
	}
	now := s.o.Now()
	s.fresh.put(fresh, packed, done.fresh, now)
	for i := range w.Runs {
		s.known.add(w.Runs[i].ID)
	}
	for _, r := range stored {
		s.recent.put(r.ID, r.Start)
	}
	for i := range w.Steps {
		// A run may have steps before it has a row.
		if i == 0 || w.Steps[i].Run != w.Steps[i-1].Run {
			s.known.add(w.Steps[i].Run)
		}
	}
	if s.fresh.due(now) {
		began = s.o.Stages.Begin()
		s.leaveFresh(false)
		s.o.Stages.End(telemetry.StageRuns, began)
	}
	return nil
}

// writeAll gives parts their numbers and writes them. On an error it returns
// what it wrote, to be removed.
func (s *Store) writeAll(parts []part) ([]segment, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	first, err := s.index.reserve(len(parts))
	if err != nil {
		return nil, err
	}
	for i := range parts {
		parts[i].id = first + int64(i)
	}
	return s.writeParts(parts)
}

// writeParts writes the files, two at a time, and syncs their folders. On an
// error it returns what it wrote, to be removed.
func (s *Store) writeParts(parts []part) ([]segment, error) {
	var wg sync.WaitGroup
	errs := make([]error, len(parts))
	limit := make(chan struct{}, 2)
	for i := range parts {
		wg.Add(1)
		limit <- struct{}{}
		go func() {
			defer func() { <-limit; wg.Done() }()
			began := s.o.Stages.Begin()
			errs[i] = s.writePart(&parts[i])
			s.o.Stages.End(telemetry.StageSegments, began)
		}()
	}
	wg.Wait()
	err := errors.Join(errs...)
	dirs := map[string]bool{}
	out := make([]segment, len(parts))
	for i := range parts {
		out[i] = parts[i].segment
		dirs[filepath.Dir(s.segs.path(out[i]))] = true
	}
	for d := range dirs {
		if err == nil {
			err = durable.SyncDir(d)
		}
	}
	return out, err
}

func (s *Store) writePart(p *part) error {
	if err := s.segs.makeDir(p.segment); err != nil {
		return err
	}
	n, err := writeFile(s.segs.path(p.segment), func(f *os.File) error {
		s.o.Stages.Take()
		defer s.o.Stages.Give()
		return p.write(f, &p.segment)
	})
	p.bytes = n
	return err
}

// committed is what a commit left in the index.
type committed struct {
	news  int64 // row of the write's rollups
	words int   // how many are saved
	fresh int64 // its fresh run rows
}

func (s *Store) commit(w *telemetry.Write, stored []*activity.Run, fresh []byte, come []segment) (done committed, err error) {
	// A commit that was begun is finished: ctx may end, the answer may not be
	// "unknown".
	err = s.index.tx(context.Background(), func(tx *sql.Tx) error {
		if err := insertSegments(tx, come); err != nil {
			return err
		}
		if err := s.commitRuns(tx, stored, false); err != nil {
			return err
		}
		if done.fresh, err = insertFresh(tx, freshRows, fresh); err != nil {
			return err
		}
		if done.words, err = s.words.save(tx); err != nil {
			return err
		}
		if done.news, err = s.rolls.insertNews(tx, w.Rollups); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO cursors (part, position) VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET position = excluded.position`,
			w.Partition, int64(w.Cursor))
		return err
	})
	return done, err
}

// commitRuns writes thin run rows; those of runs older than the index keeps are
// read from segments only.
// first says that none of them has a row yet.
func (s *Store) commitRuns(tx *sql.Tx, runs []*activity.Run, first bool) error {
	if len(runs) == 0 {
		return nil
	}
	insert, err := tx.Prepare(runInsert)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	drop, err := tx.Prepare(`DELETE FROM runs WHERE start = ? AND id = ?`)
	if err != nil {
		return err
	}
	defer func() { _ = drop.Close() }()
	keep := s.o.Now().Add(-s.o.RunRows).UnixNano()
	var buf []byte
	// The newest revision of a run in this write counts.
	var rested time.Time
	for _, r := range newest(runs) {
		telemetry.Rest(&rested)
		if !first && s.known.has(r.ID) {
			if err := s.dropRun(drop, r); err != nil {
				return err
			}
		}
		if r.Start < keep {
			continue
		}
		p := packer{b: buf[:0]}
		p.thin(r, &s.words)
		buf = p.b
		if _, err := insert.Exec(r.Start, r.ID[:], r.Agent, r.Team, r.Environment, r.Status.String(), r.Outcome, r.Session, r.User,
			r.Task, r.Version, r.Mode, r.Name, b2i(r.RootError), r.Errors, r.Steps, unknownNull(runDuration(r)), unknownNull(runCost(r)),
			unknownNull(tokens(r.Usage)), r.Updated, r.Revision, buf); err != nil {
			return err
		}
	}
	return nil
}

// dropRun removes the row of a run that now starts at another time. REPLACE
// does the rest.
func (s *Store) dropRun(drop *sql.Stmt, r *activity.Run) error {
	start, ok := s.recent.get(r.ID)
	if !ok {
		if r.Revision <= 1 {
			return nil // the filter was mistaken, or its steps came before it
		}
		old, err := s.findRun(r.ID)
		if fault.Is(err, fault.KindNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		start = old.Start
	}
	if start == r.Start {
		return nil
	}
	_, err := drop.Exec(start, r.ID[:])
	return err
}

// newest are the rows of the highest revision of each run, by start.
func newest(runs []*activity.Run) []*activity.Run {
	order := slices.Clone(runs)
	slices.SortFunc(order, func(a, b *activity.Run) int {
		return cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), cmp.Compare(b.Revision, a.Revision))
	})
	order = slices.CompactFunc(order, func(a, b *activity.Run) bool { return a.ID == b.ID })
	slices.SortFunc(order, func(a, b *activity.Run) int { return cmp.Compare(a.Start, b.Start) })
	return order
}

// pointers are those of a slice's elements.
func pointers[T any](s []T) []*T {
	out := make([]*T, len(s))
	for i := range s {
		out[i] = &s[i]
	}
	return out
}

// parts splits a write into segments by table and day.
func (s *Store) parts(w *telemetry.Write, stored []*activity.Run) []part {
	var out []part
	e := &s.enc
	out = append(out, s.stepParts(w)...)

	msg := slices.Grow(e.msgRows[:0], len(w.Messages))
	con := slices.Grow(e.conRows[:0], len(w.Messages))
	for i := range w.Messages {
		m := &w.Messages[i]
		msg = append(msg, messageRow{Message: m})
		if m.Raw != nil {
			con = append(con, contentRow{Message: m, exact: utf8.Valid(m.Raw)})
		}
	}
	e.msgRows, e.conRows = msg, con // release lets go of what they point to
	e.messages.t, e.content.t = messages, content
	out = append(out, split(&e.messages, msg, rowsOf[messageRow]{
		day: func(r *messageRow) int32 { return r.Day }, at: func(r *messageRow) int64 { return r.Time }, key: func(r *messageRow) [16]byte { return r.Run },
		then: func(r *messageRow) int64 { return int64(r.Ordinal) },
	})...)
	out = append(out, split(&e.content, con, rowsOf[contentRow]{
		day: func(r *contentRow) int32 { return r.Day }, at: func(r *contentRow) int64 { return r.Time }, key: func(r *contentRow) [16]byte { return r.Run },
		then: func(r *contentRow) int64 { return int64(r.Ordinal) },
		hash: func(r *contentRow) ([16]byte, bool) { return r.Hash, r.hashed() }, raw: func(r *contentRow) int64 { return int64(len(r.Raw)) },
	})...)

	e.logAttrs.reset()
	e.logRes.reset()
	lg := make([]logRow, len(w.Logs))
	for i := range w.Logs {
		lg[i].LogRecord = w.Logs[i]
		lg[i].prepare(&e.logAttrs, &e.logRes)
	}
	e.logs.t = logs
	out = append(out, split(&e.logs, lg, rowsOf[logRow]{
		day: func(r *logRow) int32 { return dayOf(r.Time) }, at: func(r *logRow) int64 { return r.Time }, key: func(r *logRow) [16]byte { return r.Run },
		then: func(r *logRow) int64 { return r.Time },
	})...)

	e.metrics.t = metrics
	out = append(out, split(&e.metrics, slices.Clone(w.Metrics), rowsOf[activity.MetricPoint]{
		day: func(r *activity.MetricPoint) int32 { return dayOf(r.Time) }, at: func(r *activity.MetricPoint) int64 { return r.Time },
		then: func(r *activity.MetricPoint) int64 { return r.Time },
	})...)

	out = append(out, s.runParts(stored, nil)...)
	out = append(out, s.decisionParts(w)...)
	return append(out, s.oldParts(w, stored)...)
}

// runParts makes segments of run rows. packed is each as packRun writes it; nil:
// it is packed here.
func (s *Store) runParts(rows []*activity.Run, packed [][]byte) []part {
	rs := make([]runRow, len(rows))
	var rested time.Time
	var buf []byte
	for i, r := range rows {
		telemetry.Rest(&rested)
		rs[i] = runRow{Run: r, id: r.ID, rev: int64(r.Revision)}
		if packed != nil {
			rs[i].blob = packed[i]
			continue
		}
		buf = packRun(buf[:0], r)
		rs[i].blob = slices.Clone(buf)
	}
	s.enc.runs.t = runs
	return split(&s.enc.runs, rs, rowsOf[runRow]{
		day: func(r *runRow) int32 { return dayOf(r.Start) }, at: func(r *runRow) int64 { return r.Start }, key: func(r *runRow) [16]byte { return r.id },
		then: func(r *runRow) int64 { return r.rev },
	})
}

func (s *Store) stepParts(w *telemetry.Write) []part {
	e := &s.enc
	e.steps.t = steps
	return splitBy(&e.steps, w.Steps, rowsOf[activity.Step]{
		day: func(r *activity.Step) int32 { return dayOf(r.Start) }, at: func(r *activity.Step) int64 { return r.Start },
		key:  func(r *activity.Step) [16]byte { return r.Run },
		then: func(r *activity.Step) int64 { return r.Start },
	}, e.chunk.row)
}

// oldParts lists which stored rows this write makes dead: every revision above
// the first of something that may have been stored.
func (s *Store) oldParts(w *telemetry.Write, stored []*activity.Run) []part {
	type dated struct {
		oldRow
		day int32
	}
	var st, rn []dated
	for i := range w.Steps {
		if x := &w.Steps[i]; x.Revision > 1 {
			st = append(st, dated{oldRow{half(x.Step[:8]), int64(x.Revision)}, dayOf(x.Start)})
		}
	}
	for _, x := range stored {
		if x.Revision > 1 {
			rn = append(rn, dated{oldRow{half(x.ID[:8]), int64(x.Revision)}, dayOf(x.Start)})
		}
	}
	var out []part
	for _, t := range []struct {
		table *table[oldRow]
		rows  []dated
	}{{oldSteps, st}, {oldRuns, rn}} {
		slices.SortStableFunc(t.rows, func(a, b dated) int { return cmp.Compare(a.day, b.day) })
		for len(t.rows) > 0 {
			n := 1
			for n < len(t.rows) && t.rows[n].day == t.rows[0].day {
				n++
			}
			rows := t.rows[:n]
			t.rows = t.rows[n:]
			out = append(out, part{
				segment: segment{table: t.table.name, day: rows[0].day, rows: int64(n)},
				write: func(w io.Writer, g *segment) error {
					x := &segmentIndex{groups: []groupRow{{rows: uint32(n)}}}
					return (&encoder[oldRow]{t: t.table}).encode(w, g, x, n, func(i int) *oldRow { return &rows[i].oldRow })
				},
			})
		}
	}
	return out
}

// rowsOf says of a table's rows what split needs. key nil means that nobody
// asks for them by run; hash and raw are content's.
type rowsOf[T any] struct {
	day  func(*T) int32
	at   func(*T) int64 // event time
	key  func(*T) [16]byte
	then func(*T) int64 // the order within a key
	hash func(*T) ([16]byte, bool)
	raw  func(*T) int64
}

// split sorts rows by day, key and then and cuts them into parts by day.
func split[T any](e *encoder[T], rows []T, of rowsOf[T]) []part {
	return splitBy(e, rows, of, func(_ int, r *T) *T { return r })
}

// rowPlace is what rows are ordered by: day, key and then; i is where the row lies.
type rowPlace struct {
	day  int32
	i    int32
	hi   uint64
	then int64
}

// fewPlaces is up to where comparing is quicker than dealing out.
const fewPlaces = 256

// sortPlaces orders rows. Those of one day, which most are, are dealt out by the
// first byte of their key first: keys are hashes, so each of 256 heaps is small, and
// the rows of a run, which came one after the other, stay so.
func sortPlaces(order []rowPlace) {
	day := order[0].day
	if len(order) < fewPlaces || slices.ContainsFunc(order, func(p rowPlace) bool { return p.day != day }) {
		slices.SortFunc(order, comparePlaces)
		return
	}
	var starts [257]int
	for i := range order {
		starts[order[i].hi>>56+1]++
	}
	for i := range 256 {
		starts[i+1] += starts[i]
	}
	dealt, at := make([]rowPlace, len(order)), starts
	for _, p := range order {
		k := p.hi >> 56
		dealt[at[k]] = p
		at[k]++
	}
	for i := range 256 {
		slices.SortFunc(dealt[starts[i]:starts[i+1]], comparePlaces)
	}
	copy(order, dealt)
}

func comparePlaces(a, b rowPlace) int {
	// One after the other: cmp.Or would compare rows for every pair.
	if c := cmp.Compare(a.day, b.day); c != 0 {
		return c
	}
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.then, b.then)
}

// splitBy is split for rows that row makes of something, the i-th of its
// segment, when it is their turn to be written. The parts of one table share e
// and row, so they are written one after the other (see the lock).
func splitBy[S, T any](e *encoder[T], rows []S, of rowsOf[S], row func(i int, s *S) *T) []part {
	if len(rows) == 0 {
		return nil
	}
	order := make([]rowPlace, len(rows))
	for i := range rows {
		// What is compared lies together: the rows themselves are a kilobyte each.
		order[i] = rowPlace{day: of.day(&rows[i]), i: int32(i), then: of.then(&rows[i])}
		if of.key != nil {
			k := of.key(&rows[i])
			order[i].hi = binary.BigEndian.Uint64(k[:8])
		}
	}
	sortPlaces(order)
	var lock sync.Mutex
	var out []part
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].day == order[0].day {
			n++
		}
		mine := order[:n]
		order = order[n:]
		at := func(i int) *S { return &rows[mine[i].i] }
		p := part{segment: segment{table: e.t.name, day: mine[0].day, rows: int64(n), tmin: of.at(at(0)), tmax: of.at(at(0))}}
		x := &segmentIndex{}
		for i := range n {
			r := at(i)
			t := of.at(r)
			p.tmin, p.tmax = min(p.tmin, t), max(p.tmax, t)
			if of.raw != nil {
				p.raw += of.raw(r)
			}
			if of.hash != nil {
				if h, ok := of.hash(r); ok {
					x.hashes = append(x.hashes, hashRow{keyOf(h), uint32(i)})
				}
			}
			if of.key == nil {
				continue
			}
			if k := of.key(r); k != ([16]byte{}) { // else it belongs to no run
				x.addKey(k, i)
			}
		}
		x.groups = []groupRow{{uint32(n), p.tmin, p.tmax}}
		p.write = func(w io.Writer, g *segment) error {
			lock.Lock()
			defer lock.Unlock()
			return e.encode(w, g, x, n, func(i int) *T { return row(i, at(i)) })
		}
		out = append(out, p)
	}
	return out
}
