package duck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

const (
	fanIn      = 16    // segments of a tier that become one of the next
	smallRows  = 4_000 // below it rows are encoded again, at most maxEncodes times
	maxEncodes = 2
	groupRows  = 64 << 10 // rows of a row group made by encoding again
	mergedRows = 8 << 20  // no segment grows beyond it
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
		if err := s.merge(group); err != nil {
			return err
		}
		if err := s.foldRollups(false); err != nil {
			return err
		}
	}
	return s.dropOld()
}

// encodable reports whether a segment's rows are to be encoded again rather
// than copied.
func encodable(g segment) bool { return g.rows < smallRows && g.encodes < maxEncodes }

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
	if err := s.join(group, &out, encode, dead); err != nil {
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

func tableOptions(name string) []parquet.WriterOption {
	switch name {
	case tableSteps:
		return steps.options()
	case tableMessages:
		return messages.options()
	case tableContent:
		return content.options()
	case tableLogs:
		return logs.options()
	case tableMetrics:
		return metrics.options()
	case tableRuns:
		return runs.options()
	case tableOldSteps:
		return oldSteps.options()
	}
	return oldRuns.options()
}

// join writes the rows of group into out. A row group without dead rows is
// copied as it is; the writer has the options the source was written with, or
// it would decode and encode again.
func (s *Store) join(group []segment, out *segment, encode bool, dead map[int64]int64) error {
	var idx []idxRow
	n, err := writeFile(s.segs.path(*out), func(w io.Writer) (err error) {
		defer recoverDamage(&err)
		pw := parquet.NewGenericWriter[any](w, append(tableOptions(out.table), parquet.MaxRowsPerRowGroup(max(groupRows, out.rows)))...)
		var pending []parquet.RowGroup
		var pendingRows int64
		flush := func() error {
			if len(pending) == 0 {
				return nil
			}
			g := pending[0]
			if len(pending) > 1 {
				g = parquet.MultiRowGroup(pending...)
			}
			pending, pendingRows = nil, 0
			if _, err := pw.WriteRowGroup(g); err != nil {
				return err
			}
			return nil
		}
		for _, g := range group {
			o, err := s.segs.acquire(g)
			if err != nil {
				if errors.Is(err, errCorrupt) || errors.Is(err, fs.ErrNotExist) {
					return &damagedSegment{g, err}
				}
				return err
			}
			defer s.segs.release(o) // until the file is complete: copies read from it
			groups, entries, kept, err := s.live(o, dead)
			if err != nil {
				return &damagedSegment{g, err}
			}
			for i := range entries {
				entries[i].row += uint32(out.rows)
			}
			idx = append(idx, entries...)
			out.rows += kept
			for _, rg := range groups {
				if encode && pendingRows+rg.NumRows() > groupRows {
					if err := flush(); err != nil {
						return err
					}
				}
				pending, pendingRows = append(pending, rg), pendingRows+rg.NumRows()
				if !encode {
					if err := flush(); err != nil {
						return err
					}
				}
			}
		}
		if err := flush(); err != nil {
			return err
		}
		return pw.Close()
	})
	if err != nil {
		return err
	}
	out.bytes = n
	if hasIdx(out.table) {
		sortIdx(idx)
		if n, err = s.segs.writeIdx(*out, idx); err != nil {
			return err
		}
		out.bytes += n
	}
	return syncDir(filepath.Dir(s.segs.path(*out)))
}

// live gives a segment's row groups without dead rows, and its side file
// accordingly.
func (s *Store) live(o *openSegment, dead map[int64]int64) ([]parquet.RowGroup, []idxRow, int64, error) {
	// A copy: the file is in the cache, and who reads it meanwhile, or after a
	// merge that failed, needs its own row groups.
	groups := slices.Clone(o.file.RowGroups())
	var entries []idxRow
	var err error
	if hasIdx(o.table) {
		if entries, err = s.segs.readIdx(o.segment); err != nil {
			return nil, nil, 0, err
		}
	}
	if len(dead) == 0 || o.table != tableSteps && o.table != tableRuns {
		return groups, entries, o.rows, nil
	}
	keys := make([]oldRow, o.rows)
	key, t := "sid", &table[oldRow]{cols: slices.Clone(oldSteps.cols)}
	if o.table == tableRuns {
		key = "rid"
	}
	for i := range t.cols {
		if t.cols[i].name == "key" {
			t.cols[i].name = key
		}
	}
	if err := t.fill(o, 0, keys); err != nil {
		return nil, nil, 0, err
	}
	// before[i] is how many rows before i stay.
	before := make([]uint32, o.rows+1)
	for i, k := range keys {
		stays := uint32(1)
		if r, ok := dead[k.key]; ok && k.revision < r {
			stays = 0
		}
		before[i+1] = before[i] + stays
	}
	kept := int64(before[o.rows])
	if kept == o.rows {
		return groups, entries, kept, nil
	}
	start := int64(0)
	for i, rg := range groups {
		n := rg.NumRows()
		if int64(before[start+n]-before[start]) != n {
			if groups[i], err = sift(rg, before[start:start+n+1]); err != nil {
				return nil, nil, 0, err
			}
		}
		start += n
	}
	groups = slices.DeleteFunc(groups, func(g parquet.RowGroup) bool { return g.NumRows() == 0 })
	left := entries[:0]
	for _, e := range entries {
		from, to := before[e.row], before[e.row+e.n]
		if to > from {
			left = append(left, idxRow{e.key, from, to - from})
		}
	}
	return groups, left, kept, nil
}

// sift copies the rows of a row group that stay.
func sift(rg parquet.RowGroup, before []uint32) (parquet.RowGroup, error) {
	buf := parquet.NewBuffer(rg.Schema())
	rows := rg.Rows()
	defer func() { _ = rows.Close() }()
	var some [64]parquet.Row
	at := 0
	for {
		n, err := rows.ReadRows(some[:])
		keep := some[:0:0]
		for i := range n {
			if before[at+i+1] > before[at+i] {
				keep = append(keep, some[i])
			}
		}
		at += n
		if _, err := buf.WriteRows(keep); err != nil {
			return nil, err
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
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
	if p.MaxAge < 0 || p.MaxBytes < 0 || p.Content < 0 {
		return d, fault.New(fault.KindInvalid, "telemetry.bad_retention", "a retention is not negative")
	}
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
		if err := take(tableContent, cut(p.Content)); err != nil {
			return d, err
		}
	}
	if p.MaxAge > 0 {
		for _, t := range allTables {
			if err := take(t, cut(p.MaxAge)); err != nil {
				return d, err
			}
		}
		if err := s.index.forget(p.Now.Add(-p.MaxAge)); err != nil {
			return d, storageFault("dropping old rows", err)
		}
	}
	today := dayOf(p.Now.UnixNano())
	for p.MaxBytes > 0 && ctx.Err() == nil {
		bytes, oldest := s.indexBytes(), today
		for _, t := range allTables {
			for _, g := range s.segs.of(t, allDays) {
				bytes += g.bytes
				oldest = min(oldest, g.day)
			}
		}
		if bytes <= p.MaxBytes || oldest >= today {
			break // today's stays: losing what was just acknowledged helps nobody
		}
		for _, t := range allTables {
			if err := take(t, oldest); err != nil {
				return d, err
			}
		}
		if err := s.index.forget(timeOf(int64(oldest+1) * nsPerDay)); err != nil {
			return d, storageFault("dropping old rows", err)
		}
	}
	return d, ctx.Err()
}

// forget drops run rows and rollups from before a time.
func (x *index) forget(before time.Time) error {
	if err := x.pruneRuns(before); err != nil {
		return err
	}
	_, err := x.w.Exec(`DELETE FROM rollups WHERE bucket < ?`, floorDiv(before.Unix(), 60))
	return err
}
