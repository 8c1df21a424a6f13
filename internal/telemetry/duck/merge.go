package duck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"reeve/internal/durable"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
)

const (
	fanIn      = 16      // segments of a tier that become one of the next
	smallRows  = 4_000   // below it rows are encoded again, at most maxEncodes times,
	smallBytes = 1 << 20 // unless they are large: 16 kB of content a row make a page of few
	maxEncodes = 2
	mergedRows = 8 << 20 // no segment grows beyond it
	settled    = 30 * time.Minute
)

// Maintain merges segments, folds rollups and drops run rows that the index no
// longer keeps, until ctx ends. It may be slow; Append never waits for it.
func (s *Store) Maintain(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for n := 0; ; n++ {
		if err := s.maintain(ctx, n%600 == 0); err != nil && ctx.Err() == nil {
			// The next round tries again; nothing is lost, files only stay many.
			s.log.Warn("telemetry maintenance failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (s *Store) maintain(ctx context.Context, prune bool) error {
	s.maint.Lock()
	defer s.maint.Unlock()
	if err := s.foldRollups(false); err != nil {
		return err
	}
	s.settleOld()
	if prune {
		if err := s.index.pruneRuns(s.o.Now().Add(-s.o.RunRows)); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		group := s.nextMerge()
		if group == nil {
			break
		}
		began := s.o.Stages.Begin()
		err := s.merge(group)
		s.o.Stages.End(telemetry.StageMerging, began)
		if err != nil {
			return err
		}
		if err := s.foldRollups(false); err != nil {
			return err
		}
	}
	if err := s.dropOld(); err != nil {
		return err
	}
	s.sums.save(s.still)
	if prune {
		s.forgetSums()
	}
	return nil
}

// forgetSums drops the answers of segments that are gone. One that cannot be deleted
// is never found again, and is tried at the next round and start.
func (s *Store) forgetSums() {
	if err := s.sums.forget(); err != nil {
		s.log.Warn("kept answers not deleted", "err", err)
	}
}

// encodable reports whether a segment's rows are to be encoded again rather
// than copied.
func encodable(g segment) bool {
	return g.rows < smallRows && g.bytes < smallBytes && g.encodes < maxEncodes
}

// nextMerge chooses segments of one table and day that should become one: a
// full tier, or, in a day that is over, whatever is left.
func (s *Store) nextMerge() []segment {
	type shelf struct {
		day   int32
		small bool
		tier  int
	}
	today := dayOf(s.o.Now().Add(-settled).UnixNano())
	for _, t := range allTables {
		shelves := map[shelf][]segment{}
		var order []shelf
		days := map[int32]int{}
		for _, g := range s.segs.of(t, allDays) {
			days[g.day]++
			k := shelf{g.day, encodable(g), g.tier}
			if k.small {
				k.tier = g.encodes
			}
			if shelves[k] == nil {
				order = append(order, k)
			}
			shelves[k] = append(shelves[k], g)
		}
		for _, k := range order {
			group := shelves[k]
			// Days that arrive in pieces (a history being loaded) have many files
			// of their own: they are joined sooner.
			if len(group) >= fanIn || k.day < today && len(group) >= 4 {
				if group = fitting(group); len(group) >= 2 {
					return group
				}
			}
		}
	}
	return nil
}

// fitting takes as many segments as one merge may join.
func fitting(group []segment) []segment {
	var rows int64
	for i, g := range group {
		if rows += g.rows; rows > mergedRows || i == fanIn {
			return group[:i]
		}
	}
	return group
}

// merge joins segments into one and swaps it in. Rows that a later revision
// replaced stay behind.
func (s *Store) merge(group []segment) error {
	id, err := s.index.reserve(1)
	if err != nil {
		return storageFault("reserving a segment", err)
	}
	first := group[0]
	out := segment{id: id, table: first.table, day: first.day, tmin: first.tmin, tmax: first.tmax, applied: 1 << 62}
	encode := encodable(first)
	for _, g := range group {
		out.raw += g.raw
		out.tmin, out.tmax = min(out.tmin, g.tmin), max(out.tmax, g.tmax)
		out.encodes = max(out.encodes, g.encodes)
		out.tier = max(out.tier, g.tier)
	}
	out.tier++
	if encode {
		out.encodes++
		out.tier = 0
	}
	dead, applied, err := s.deadRows(first.table, first.day)
	if err != nil {
		return err
	}
	out.applied = applied
	if err := s.segs.makeDir(out); err != nil {
		return storageFault("merging", err)
	}
	stay := func(o *openSegment) ([]uint32, error) { return staying(o, dead) }
	if err := s.join(group, &out, encode, stay); err != nil {
		s.segs.remove([]segment{out})
		var bad *damagedSegment
		if errors.As(err, &bad) {
			s.setAside(bad.segment, bad.err)
			return nil
		}
		return storageFault("merging", err)
	}
	s.write.Lock()
	err = s.index.swap(group, []segment{out})
	if err == nil {
		s.segs.replace(group, []segment{out})
	}
	s.write.Unlock()
	if err != nil {
		s.segs.remove([]segment{out})
		return storageFault("merging", err)
	}
	s.segs.remove(group)
	return nil
}

type damagedSegment struct {
	segment
	err error
}

func (d *damagedSegment) Error() string { return fmt.Sprintf("segment %d: %v", d.id, d.err) }
func (d *damagedSegment) Unwrap() error { return d.err }

func layoutOf(table string) []columnar.Column {
	switch table {
	case tableSteps:
		return steps.layout
	case tableMessages:
		return messages.layout
	case tableContent:
		return content.layout
	case tableLogs:
		return logs.layout
	case tableMetrics:
		return metrics.layout
	case tableRuns:
		return runs.layout
	case tableDecisions:
		return decisions.layout
	case tableOldSteps:
		return oldSteps.layout
	}
	return oldRuns.layout
}

// join writes the rows of group that stay into out. A row group of which all do
// is copied as it is, unless encode says that it is too small.
func (s *Store) join(group []segment, out *segment, encode bool, stay func(*openSegment) ([]uint32, error)) error {
	var idx segmentIndex
	n, err := writeFile(s.segs.path(*out), func(f *os.File) error {
		to, err := newRecoder(f, layoutOf(out.table))
		if err != nil {
			return err
		}
		for _, g := range group {
			s.o.Stages.Take()
			err := s.joinSegment(to, g, encode, stay, &idx)
			s.o.Stages.Give()
			if err != nil {
				return err
			}
		}
		s.o.Stages.Take()
		defer s.o.Stages.Give()
		out.rows = to.rows
		out.idxAt, out.idxLen, err = to.close(&idx)
		return err
	})
	if err != nil {
		return err
	}
	out.bytes = n
	return durable.SyncDir(filepath.Dir(s.segs.path(*out)))
}

// joinSegment adds the rows of a segment that live, and their places to idx.
func (s *Store) joinSegment(to *recoder, g segment, encode bool, staying func(*openSegment) ([]uint32, error), idx *segmentIndex) error {
	o, err := s.segs.acquire(g)
	if err != nil {
		if errors.Is(err, errCorrupt) || errors.Is(err, fs.ErrNotExist) {
			return &damagedSegment{g, err}
		}
		return err
	}
	defer s.segs.release(o)
	old, err := o.index()
	if err != nil {
		return &damagedSegment{g, err}
	}
	groups := o.file.RowGroups()
	if len(groups) != len(old.groups) {
		return &damagedSegment{g, errCorrupt}
	}
	before, err := staying(o)
	if err != nil {
		return &damagedSegment{g, err}
	}
	base := uint32(to.rows)
	start := int64(0)
	for i, rg := range groups {
		n := rg.NumRows()
		var stay []uint32
		if before != nil {
			stay = before[start : start+n+1]
		}
		start += n
		if stay != nil && int64(stay[n]-stay[0]) == n {
			stay = nil
		}
		if stay == nil && !encode {
			err := to.copy(o.f, &o.file.Metadata().RowGroups[i], old.groups[i])
			if err == nil {
				continue
			}
			if !errors.Is(err, columnar.ErrLayout) {
				return err
			}
		}
		if err := to.recode(o.file.Schema(), rg, stay, old.groups[i]); err != nil {
			if errors.Is(err, errCorrupt) {
				return &damagedSegment{g, err}
			}
			return err
		}
	}
	place := func(row uint32) uint32 {
		if before != nil {
			row = before[row]
		}
		return base + row
	}
	for _, e := range old.keys {
		if from, to := place(e.row), place(e.row+e.n); to > from {
			idx.keys = append(idx.keys, idxRow{e.key, from, to - from})
		}
	}
	for _, h := range old.hashes {
		if before != nil && before[h.row+1] == before[h.row] {
			continue // it was forgotten
		}
		idx.hashes = append(idx.hashes, hashRow{h.hash, place(h.row)})
	}
	return nil
}

// staying tells how many rows before each row of a segment stay; nil when all
// do.
func staying(o *openSegment, dead map[int64]int64) ([]uint32, error) {
	if len(dead) == 0 || o.table != tableSteps && o.table != tableRuns {
		return nil, nil
	}
	keys := make([]oldRow, o.rows)
	key, t := "sid", &table[oldRow]{cols: slices.Clone(oldSteps.cols)}
	if o.table == tableRuns {
		key = "rid"
	}
	for i := range t.cols {
		if t.cols[i].Name == "key" {
			t.cols[i].Name = key
		}
	}
	if err := t.fill(o, 0, keys); err != nil {
		return nil, err
	}
	before := make([]uint32, o.rows+1)
	for i, k := range keys {
		before[i+1] = before[i] + 1
		if r, ok := dead[k.key]; ok && k.revision < r {
			before[i+1] = before[i]
		}
	}
	if int64(before[o.rows]) == o.rows {
		return nil, nil
	}
	return before, nil
}

// deadRows reads which revisions of a table's keys are dead, and the newest
// list that was read.
func (s *Store) deadRows(table string, day int32) (map[int64]int64, int64, error) {
	old := map[string]string{tableSteps: tableOldSteps, tableRuns: tableOldRuns}[table]
	if old == "" {
		return nil, 0, nil
	}
	t := oldSteps
	if old == tableOldRuns {
		t = oldRuns
	}
	dead := map[int64]int64{}
	newest := int64(0)
	for _, g := range s.segs.of(old, dayRange{day - 1, day + 1}) {
		o, err := s.segs.acquire(g)
		if err != nil {
			return nil, 0, storageFault("reading "+old, err)
		}
		rows, err := t.read(o, 0, o.rows, nil)
		s.segs.release(o)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range rows {
			dead[r.key] = max(dead[r.key], r.revision)
		}
		newest = max(newest, g.id)
	}
	return dead, newest, nil
}

// dropOld drops lists of dead rows that no segment needs any more.
func (s *Store) dropOld() error {
	for _, t := range []struct{ table, old string }{{tableSteps, tableOldSteps}, {tableRuns, tableOldRuns}} {
		var gone []segment
		for _, g := range s.segs.of(t.old, allDays) {
			needed := slices.ContainsFunc(s.segs.of(t.table, dayRange{g.day - 1, g.day + 1}), func(x segment) bool {
				fresh := x.tier == 0 && x.encodes == 0 && x.id > g.id
				return !fresh && x.applied < g.id
			})
			if !needed {
				gone = append(gone, g)
			}
		}
		if err := s.drop(gone); err != nil {
			return err
		}
	}
	return nil
}

// drop takes segments out of the manifest and deletes them.
func (s *Store) drop(gone []segment) error {
	if len(gone) == 0 {
		return nil
	}
	s.write.Lock()
	err := s.index.swap(gone, nil)
	if err == nil {
		s.segs.replace(gone, nil)
	}
	s.write.Unlock()
	if err != nil {
		return storageFault("dropping segments", err)
	}
	s.segs.remove(gone)
	return nil
}

// Retain drops whole partitions: content first, then what is too old, then the
// oldest until the rest fits.
func (s *Store) Retain(ctx context.Context, p telemetry.Retention) (telemetry.Dropped, error) {
	s.maint.Lock()
	defer s.maint.Unlock()
	var d telemetry.Dropped
	defer func() {
		if d.Files > 0 || d.Rows > 0 {
			s.forgetSums()
		}
	}()
	if p.MaxAge < 0 || p.MaxBytes < 0 || p.Content < 0 {
		return d, fault.New(fault.KindInvalid, "telemetry.bad_retention", "a retention is not negative")
	}
	s.settleRuns()
	cut := func(age time.Duration) int32 { return dayOf(p.Now.Add(-age).UnixNano()) - 1 }
	take := func(table string, upTo int32) error {
		gone := s.segs.of(table, dayRange{allDays.from, upTo})
		days := map[int32]bool{}
		for _, g := range gone {
			d.Files++
			d.Bytes += g.bytes
			days[g.day] = true
		}
		if table == tableSteps || table == tableContent && p.Content > 0 {
			d.Partitions += len(days)
		}
		return s.drop(gone)
	}
	if p.Content > 0 {
		if upTo := cut(p.Content); p.DroppingContent != nil && len(s.segs.of(tableContent, dayRange{allDays.from, upTo})) > 0 {
			if err := p.DroppingContent(timeOf(int64(upTo+1) * nsPerDay)); err != nil {
				return d, err
			}
		}
		if err := take(tableContent, cut(p.Content)); err != nil {
			return d, err
		}
	}
	if p.MaxAge > 0 {
		before := p.Now.Add(-p.MaxAge)
		if err := s.dropping(&p, before, cut(p.MaxAge)); err != nil {
			return d, err
		}
		for _, t := range allTables {
			if err := take(t, cut(p.MaxAge)); err != nil {
				return d, err
			}
		}
		if err := s.index.forget(before); err != nil {
			return d, storageFault("dropping old rows", err)
		}
	}
	today := dayOf(p.Now.UnixNano())
	for p.MaxBytes > 0 && ctx.Err() == nil {
		bytes, oldest := s.indexBytes()+s.sums.files.bytes(), today
		for _, t := range allTables {
			for _, g := range s.segs.of(t, allDays) {
				bytes += g.bytes
				oldest = min(oldest, g.day)
			}
		}
		if bytes <= p.MaxBytes || oldest >= today {
			break // today's stays: losing what was just acknowledged helps nobody
		}
		before := timeOf(int64(oldest+1) * nsPerDay)
		if err := s.dropping(&p, before, oldest); err != nil {
			return d, err
		}
		for _, t := range allTables {
			if err := take(t, oldest); err != nil {
				return d, err
			}
		}
		if err := s.index.forget(before); err != nil {
			return d, storageFault("dropping old rows", err)
		}
	}
	return d, ctx.Err()
}

// dropping tells of what is about to go, if anything is: segments up to a day, and
// rows of the index from before a time.
func (s *Store) dropping(p *telemetry.Retention, before time.Time, upTo int32) error {
	if p.Dropping == nil {
		return nil
	}
	some, err := s.index.hasBefore(before)
	if err != nil {
		return storageFault("looking for old rows", err)
	}
	for _, t := range allTables {
		some = some || len(s.segs.of(t, dayRange{allDays.from, upTo})) > 0
	}
	if !some {
		return nil
	}
	return p.Dropping(before)
}

// hasBefore tells whether forget would drop anything.
func (x *index) hasBefore(before time.Time) (some bool, err error) {
	err = x.w.QueryRow(`SELECT EXISTS (SELECT 1 FROM runs WHERE start < ?) OR EXISTS (SELECT 1 FROM rollups WHERE bucket < ?)`, before.UnixNano(), floorDiv(before.Unix(), 60)).Scan(&some)
	return some, err
}

// forget drops run rows and rollups from before a time.
func (x *index) forget(before time.Time) error {
	if err := x.pruneRuns(before); err != nil {
		return err
	}
	_, err := x.w.Exec(`DELETE FROM rollups WHERE bucket < ?`, floorDiv(before.Unix(), 60))
	return err
}
