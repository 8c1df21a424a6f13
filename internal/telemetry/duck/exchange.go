package duck

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

	"reeve/internal/activity"
	"reeve/internal/durable"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
)

// exchange gives the calls of a day other costs without folding their runs
// again: the segments of steps are written anew with their four columns of cost
// exchanged and all others moved as bytes, the rows of runs get another
// revision, and rollups get the difference.
//
//	Exchange   reads calls, then the rows of the runs whose calls change
//	Build      writes new segments beside the old ones, without holding anybody up
//	Commit     one transaction of index.db: segments, rows, rollups
//
// A crash before the transaction leaves files that the manifest does not name;
// after it nothing is left to do. What arrives between reading and Commit is
// found there: its runs are set apart and the rest is built again.
type exchange struct {
	s       *Store
	part    telemetry.Part
	day     int32
	closed  bool
	segs    []segment // of steps, as they were read
	read    map[int64]bool
	changes []recost // by segment, then row
	kinds   []activity.Cost
	kindOf  map[activity.Cost]uint16
	runs    map[activity.RunID]*recostRun
	changed []*recostRun // those of changes

	gone, come []segment // what Build made
	rows       []*activity.Run
	rolls      []telemetry.RollupDelta
}

// recost is a call whose cost is to change; kinds are places in exchange.kinds.
type recost struct {
	run             *recostRun
	step            activity.StepID
	model           string
	was, is         int64
	wasKind, isKind uint16
	row             uint32
	seg             int32
	minute          int64
	counted         bool
}

// recostRun is what the counted calls of a run cost before and after.
type recostRun struct {
	id            activity.RunID
	before, after telemetry.CostSum
	unknown       int64 // calls of unknown cost, after less before
	calls         int   // that change
	apart         bool
	revision      uint32
	blob          []byte // its row
	row           *activity.Run
}

var _ telemetry.Exchange = (*exchange)(nil)

// exchangeRows is how many steps of a day one part of it has, about: it bounds
// memory (120 bytes a call that changes), and how long Commit holds up the rest.
const exchangeRows = 256 << 10

// ExchangeParts is in how many parts the costs of a day are exchanged: each reads
// all of the day, and holds every so manieth run.
func (s *Store) ExchangeParts(day time.Time) int {
	d := dayOf(day.UnixNano())
	rows := int64(0)
	for _, g := range s.segs.of(tableSteps, dayRange{d, d}) {
		rows += g.rows
	}
	return int(1 + rows/exchangeRows)
}

// Exchange works out other costs for the calls of a time, which lies within one
// day of UTC, of the runs of a part: price tells a call's, and whether it differs;
// it is asked once a call. What a sender said that a call costs stays, whatever
// price says. Whoever gets an Exchange closes it: maintenance rests meanwhile.
func (s *Store) Exchange(ctx context.Context, from, to time.Time, part telemetry.Part, price func(*telemetry.Call) (activity.Cost, bool)) (telemetry.Exchange, error) {
	lo, hi := from.UnixNano(), to.UnixNano()
	x := &exchange{s: s, part: part, day: dayOf(lo), read: map[int64]bool{}, kindOf: map[activity.Cost]uint16{}, runs: map[activity.RunID]*recostRun{}}
	if hi <= lo || dayOf(hi-1) != x.day {
		return nil, fault.New(fault.KindInvalid, "telemetry.bad_range", "costs are exchanged within one day")
	}
	s.maint.Lock()
	if err := x.prepare(ctx, lo, hi, price); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

func (x *exchange) prepare(ctx context.Context, lo, hi int64, price func(*telemetry.Call) (activity.Cost, bool)) error {
	s, days := x.s, dayRange{x.day, x.day}
	s.write.Lock()
	err := s.flushFresh(true) // rows that no segment has yet
	x.segs = s.segs.of(tableSteps, days)
	rows := s.segs.of(tableRuns, days)
	s.write.Unlock()
	if err != nil {
		return err
	}
	dead, _, err := s.deadRows(tableSteps, x.day)
	if err != nil {
		return err
	}
	calls := s.newCalls()
	for i, g := range x.segs {
		x.read[g.id] = true
		err := calls.of(ctx, g, dead, func(row int64, r *callRow) error {
			x.look(int32(i), row, r, r.Start >= lo && r.Start < hi, price)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, g := range rows {
		x.read[g.id] = true
		if err := x.readRows(ctx, g); err != nil {
			return err
		}
	}
	for _, r := range x.changed {
		x.check(r)
	}
	return x.checkLayouts()
}

// look adds up a call, and notes it when its cost is to change.
func (x *exchange) look(seg int32, row int64, r *callRow, asked bool, price func(*telemetry.Call) (activity.Cost, bool)) {
	if !x.part.Has(r.Run) {
		return
	}
	now, changes := activity.Cost{}, false
	if asked {
		r.Step = r.step()
		now, changes = price(&r.Call)
		changes = changes && r.Cost.Basis != activity.CostProvider
	}
	if !changes {
		if !r.Counted {
			return
		}
		now = r.Cost
	}
	run := x.runs[r.Run]
	if run == nil {
		run = &recostRun{id: r.Run}
		x.runs[r.Run] = run
	}
	if r.Counted {
		add := func(sum *telemetry.CostSum, c activity.Cost, sign int64) {
			if c.Basis != activity.CostUnknown {
				sum.Add(c)
			} else if r.Usage.Known() || !r.failed {
				run.unknown += sign
			}
		}
		add(&run.before, r.Cost, -1)
		add(&run.after, now, 1)
	}
	if !changes {
		return
	}
	if run.calls == 0 {
		x.changed = append(x.changed, run)
	}
	run.calls++
	x.changes = append(x.changes, recost{
		run: run, step: r.Step, model: cmp.Or(r.Model, r.ModelRequested), was: r.Cost.Nanos, is: now.Nanos, wasKind: x.kind(r.Cost), isKind: x.kind(now),
		row: uint32(row), seg: seg, minute: floorDiv(r.Start, minuteNanos), counted: r.Counted,
	})
}

// kind is the place of a cost's words. Beyond 64,000 kinds, which no price book
// has, calls share the last.
func (x *exchange) kind(c activity.Cost) uint16 {
	c.Nanos = 0
	k, ok := x.kindOf[c]
	if !ok {
		if len(x.kinds) < 1<<16 {
			x.kinds = append(x.kinds, c)
		}
		k = uint16(len(x.kinds) - 1)
		x.kindOf[c] = k
	}
	return k
}

func (x *exchange) cost(nanos int64, kind uint16) activity.Cost {
	c := x.kinds[kind]
	c.Nanos = nanos
	return c
}

// readRows finds the newest rows of the runs whose calls change.
func (x *exchange) readRows(ctx context.Context, g segment) error {
	o, err := x.s.segs.acquire(g)
	if err != nil {
		return storageFault("reading run rows", err)
	}
	defer x.s.segs.release(o)
	var rows []runRow
	at := int64(0)
	for _, group := range o.file.RowGroups() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if rows, err = runs.read(o, at, group.NumRows(), rows[:0], "run", "revision", "blob"); err != nil {
			return storageFault("reading run rows", err)
		}
		at += group.NumRows()
		for i := range rows {
			if r := x.runs[rows[i].id]; r != nil && r.calls > 0 && (r.blob == nil || uint32(rows[i].rev) > r.revision) {
				r.blob, r.revision = rows[i].blob, uint32(rows[i].rev)
			}
		}
	}
	return nil
}

// check sets a run apart unless its new row follows from this day's calls: it is
// over, all of it lies in the day, and what its calls cost is what its row says.
func (x *exchange) check(r *recostRun) {
	r.apart = true
	if r.blob == nil {
		return
	}
	row, err := unpackRun(r.blob)
	r.blob = nil
	if err != nil {
		return // whoever folds it reads it again, and says what is wrong
	}
	over := row.Status == activity.RunDone || row.Status == activity.RunStale
	was, _ := r.before.Total()
	same := was.Nanos == row.Cost.Nanos && was.Currency == row.Cost.Currency && was.Basis == row.Cost.Basis
	if over && same && dayOf(row.Start) == x.day && row.End != activity.Unknown && dayOf(row.End) == x.day {
		r.row, r.apart = row, false
	}
}

// checkLayouts sets runs of segments apart that an older release wrote with
// other columns.
func (x *exchange) checkLayouts() error {
	other := map[int32]bool{}
	for i, g := range x.segs {
		o, err := x.s.segs.acquire(g)
		if err != nil {
			return storageFault("reading calls", err)
		}
		groups := o.file.Metadata().RowGroups
		other[int32(i)] = slices.ContainsFunc(groups, func(g columnar.RowGroup) bool { return !columnar.Same(steps.layout, &g) })
		x.s.segs.release(o)
	}
	for i := range x.changes {
		if c := &x.changes[i]; other[c.seg] {
			c.run.apart = true
		}
	}
	return nil
}

// Each is telemetry.Exchange's.
func (x *exchange) Each(visit func(*telemetry.Recost, bool) error) error {
	for i := range x.changes {
		c := &x.changes[i]
		if err := visit(&telemetry.Recost{Run: c.run.id, Step: c.step, Old: x.cost(c.was, c.wasKind), New: x.cost(c.is, c.isKind)}, c.run.apart); err != nil {
			return err
		}
	}
	return nil
}

// Runs is telemetry.Exchange's.
func (x *exchange) Runs(visit func(activity.RunID)) {
	for _, r := range x.changed {
		if !r.apart {
			visit(r.id)
		}
	}
}

// Skip is telemetry.Exchange's.
func (x *exchange) Skip(id activity.RunID) {
	if r := x.runs[id]; r != nil {
		r.apart = true
	}
}

// Close is telemetry.Exchange's.
func (x *exchange) Close() {
	if x.closed {
		return
	}
	x.closed = true
	x.drop()
	x.s.maint.Unlock()
}

func (x *exchange) drop() {
	x.s.segs.remove(x.come)
	x.gone, x.come, x.rows, x.rolls = nil, nil, nil, nil
}

// Build is telemetry.Exchange's.
func (x *exchange) Build() error {
	x.drop()
	costs := costTable(seenWords{})
	enc := &encoder[costRow]{t: costs}
	for from := 0; from < len(x.changes); {
		to := from
		var mine []recost
		for ; to < len(x.changes) && x.changes[to].seg == x.changes[from].seg; to++ {
			if c := &x.changes[to]; !c.run.apart {
				mine = append(mine, *c)
			}
		}
		g := x.segs[x.changes[from].seg]
		from = to
		if len(mine) == 0 {
			continue
		}
		out, err := x.rewrite(g, mine, enc)
		if err != nil {
			return storageFault("exchanging costs", err)
		}
		x.gone, x.come = append(x.gone, g), append(x.come, out)
	}
	x.newRows()
	x.newRolls()
	s := x.s
	s.write.Lock()
	defer s.write.Unlock()
	come, err := s.writeAll(append(s.runParts(x.rows, nil), s.oldParts(&telemetry.Write{}, x.rows)...))
	x.come = append(x.come, come...)
	return storageFault("exchanging costs", err)
}

// costRow is the columns that are exchanged.
type costRow struct{ activity.Cost }

func costTable(words seenWords) *table[costRow] {
	type C = costRow
	text := func(c column[C], field func(*C) *string) column[C] {
		c.get = func(r *C, v parquet.Value) { *field(r) = words.of(v.ByteArray()) }
		return c
	}
	return newTable("costs",
		maybe("cost", columnar.Delta, func(r *C) (int64, bool) { return r.Nanos, r.Basis != activity.CostUnknown }, func(r *C, n int64) { r.Nanos = n }),
		word("cost_basis", func(r *C) string { return r.Basis.String() }, func(r *C, s string) { r.Basis = parseBasis(s) }),
		text(dict("currency", func(r *C) *string { return &r.Currency }), func(r *C) *string { return &r.Currency }),
		text(dict("price", func(r *C) *string { return &r.Price }), func(r *C) *string { return &r.Price }),
	)
}

// rewrite makes a segment with other costs of one. Dead rows stay what they are.
func (x *exchange) rewrite(g segment, changes []recost, enc *encoder[costRow]) (segment, error) {
	s := x.s
	number, err := s.index.reserve(1)
	if err != nil {
		return g, err
	}
	out := g
	out.id = number
	if g.tier == 0 && g.encodes == 0 {
		// Lists of dead rows from before g do not concern it. Its place in the
		// manifest no longer says so, since out's number is younger than theirs.
		out.tier, out.applied = 1, max(g.applied, g.id)
	}
	o, err := s.segs.acquire(g)
	if err != nil {
		return out, err
	}
	defer s.segs.release(o)
	idx, err := o.index()
	if err != nil {
		return out, err
	}
	if err := s.segs.makeDir(out); err != nil {
		return out, err
	}
	groups := o.file.RowGroups()
	if len(groups) != len(idx.groups) {
		return out, errCorrupt
	}
	size, err := writeFile(s.segs.path(out), func(f *os.File) error {
		to, err := newRecoder(f, steps.layout)
		if err != nil {
			return err
		}
		at, rows := int64(0), []costRow(nil)
		for i := range groups {
			n := groups[i].NumRows()
			k := 0
			for k < len(changes) && int64(changes[k].row) < at+n {
				k++
			}
			mine := changes[:k]
			changes = changes[k:]
			about, meta := idx.groups[i], &o.file.Metadata().RowGroups[i]
			if len(mine) == 0 {
				err = to.copy(o.f, meta, about)
			} else if rows, err = x.exchanged(enc, o, at, n, mine, rows[:0]); err == nil {
				err = to.exchange(o.f, meta, about, enc.w)
			}
			if err != nil {
				return err
			}
			at += n
		}
		out.idxAt, out.idxLen, err = to.close(idx)
		return err
	})
	if err != nil {
		return out, err
	}
	out.bytes = size
	return out, durable.SyncDir(filepath.Dir(s.segs.path(out)))
}

// exchanged fills enc with the costs of a row group after changes.
func (x *exchange) exchanged(enc *encoder[costRow], o *openSegment, at, n int64, changes []recost, rows []costRow) ([]costRow, error) {
	rows, err := enc.t.read(o, at, n, rows)
	if err != nil {
		return rows, err
	}
	for i := range changes {
		c := &changes[i]
		r := &rows[int64(c.row)-at]
		if r.Nanos != c.was && r.Basis != activity.CostUnknown {
			return rows, fmt.Errorf("%w: another cost than was read", errCorrupt)
		}
		r.Cost = x.cost(c.is, c.isKind)
	}
	if enc.w == nil {
		enc.w = columnar.NewWriter(enc.t.layout)
	}
	enc.group(int(n), func(i int) *costRow { return &rows[i] })
	return rows, nil
}

// newRows are the rows of runs with what their calls cost now.
func (x *exchange) newRows() {
	for _, r := range x.changed {
		if r.apart {
			continue
		}
		row := *r.row
		row.Revision++
		_, before := r.before.Total()
		cost, after := r.after.Total()
		row.Cost = cost
		row.UnknownCostCalls += r.unknown + after - before
		x.rows = append(x.rows, &row)
	}
}

// newRolls are the differences in the rollups, of the run's agent and by model,
// as package run books a call.
func (x *exchange) newRolls() {
	sums := cells{}
	for i := range x.changes {
		c := &x.changes[i]
		if c.run.apart || !c.counted {
			continue
		}
		row := c.run.row
		d := telemetry.RollupDelta{Minute: c.minute, Family: telemetry.FamilyAgent, Agent: row.Agent, Team: row.Team, Environment: row.Environment}
		was, is := x.kinds[c.wasKind].Basis != activity.CostUnknown, x.kinds[c.isKind].Basis != activity.CostUnknown
		if was {
			d.CostNanos -= c.was
		} else {
			d.CostUnknown--
		}
		if is {
			d.CostNanos += c.is
		} else {
			d.CostUnknown++
		}
		sums.add(d.Minute, &d)
		d.Family, d.Key = telemetry.FamilyModel, c.model
		sums.add(d.Minute, &d)
	}
	for _, d := range sums {
		if d.CostNanos|d.CostUnknown != 0 {
			x.rolls = append(x.rolls, *d)
		}
	}
	slices.SortFunc(x.rolls, func(a, b telemetry.RollupDelta) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Minute, b.Minute), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.Team, b.Team), cmp.Compare(a.Environment, b.Environment))
	})
}

// Commit is telemetry.Exchange's.
func (x *exchange) Commit(name func(*telemetry.RollupDelta), revised func(activity.RunID, uint32)) (bool, error) {
	s := x.s
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Load() {
		return false, fault.New(fault.KindUnavailable, "telemetry.closed", "the telemetry store is closed")
	}
	moved, err := x.news()
	if err != nil || moved {
		return false, storageFault("exchanging costs", err)
	}
	for i := range x.rolls {
		name(&x.rolls[i])
	}
	var news int64
	var words int
	err = s.index.tx(context.Background(), func(tx *sql.Tx) (err error) {
		if err := deleteSegments(tx, x.gone); err != nil {
			return err
		}
		if err := insertSegments(tx, x.come); err != nil {
			return err
		}
		if err := s.commitRuns(tx, x.rows, true); err != nil { // they start when they did
			return err
		}
		if words, err = s.words.save(tx); err != nil {
			return err
		}
		news, err = s.rolls.insertNews(tx, x.rolls)
		return err
	})
	if err != nil {
		return false, storageFault("exchanging costs", err)
	}
	gone := x.gone
	s.segs.replace(gone, x.come)
	s.words.saved = words
	late := s.rolls.add(news, x.rolls, s.o.Now())
	for i := range x.rows {
		revised(x.rows[i].ID, x.rows[i].Revision)
	}
	x.come = nil // they are the store's now
	s.segs.remove(gone)
	if late {
		// What was committed stays committed; the next fold tries again.
		if err := s.foldRollups(true); err != nil {
			s.log.Warn("rollups not folded", "err", err)
		}
	}
	return true, nil
}

// news sets runs apart that rows arrived of since they were read. Store.write is
// held.
func (x *exchange) news() (bool, error) {
	var fresh []segment
	for _, table := range []string{tableSteps, tableRuns} {
		for _, g := range x.s.segs.of(table, dayRange{x.day, x.day}) {
			if !x.read[g.id] {
				fresh = append(fresh, g)
			}
		}
	}
	keys := map[[8]byte]bool{}
	for _, g := range fresh {
		if err := x.s.segs.eachKey(g, func(k [8]byte) { keys[k] = true }); err != nil {
			return false, err
		}
	}
	moved := false
	for _, r := range x.changed {
		_, unwritten := x.s.fresh.rows[r.id]
		if !r.apart && (unwritten || keys[keyOf(r.id)]) {
			r.apart, moved = true, true
		}
	}
	return moved, nil
}
