package duck

import (
	"context"
	"database/sql"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// A run has a row at its first step and another at its end, mostly seconds
// later. Written to the index and to a segment each, the first would cost as
// much as the second and be dead at once. So the rows of runs that have none yet
// are fresh: in memory, and in the index as one blob an Append. A row leaves
// for index and segment when its run is over, when it has been fresh for long,
// or when a question is asked that looks there.
//
//	index.db, table fresh    seq, kind, data
//	  kind 0                 rows of one Append; a later one of a run replaces an earlier
//	  kind 1                 ids of runs that left
type freshRuns struct {
	mu     sync.RWMutex // guards rows; the rest is guarded by Store.write
	rows   map[activity.RunID]freshRun
	live   map[int64]int // by seq of kind 0: how many of its rows are in rows
	left   []int64       // seqs of kind 1
	over   int           // rows of runs that are over
	since  time.Time     // of the oldest row, at the earliest
	asked  time.Time     // when a question last made all leave
	failed bool          // they could not, of late: whoever asks looks at them here
}

type freshRun struct {
	packed []byte
	seq    int64
	since  time.Time
	over   bool
}

const (
	freshRows = 0
	freshLeft = 1

	freshOver = 8192             // so many rows of runs that are over leave together
	freshFor  = 10 * time.Second // how long a row stays fresh
	// Questions make few rows leave whenever they are asked, many once a second.
	freshFew   = 2000
	freshPause = time.Second
	// A list looks at so many itself: each takes two microseconds to unpack.
	freshListed = 256
)

// get is the row of a run that is fresh.
func (f *freshRuns) get(id activity.RunID) (*activity.Run, bool) {
	f.mu.RLock()
	row, ok := f.rows[id]
	f.mu.RUnlock()
	if !ok {
		return nil, false
	}
	r, err := unpackRun(row.packed)
	return r, err == nil
}

// all are the rows that are fresh.
func (f *freshRuns) all() []activity.Run {
	f.mu.RLock()
	packed := make([][]byte, 0, len(f.rows))
	for _, row := range f.rows {
		packed = append(packed, row.packed)
	}
	f.mu.RUnlock()
	out := make([]activity.Run, 0, len(packed))
	for _, b := range packed {
		if r, err := unpackRun(b); err == nil { // we packed it
			out = append(out, *r)
		}
	}
	return out
}

func (f *freshRuns) len() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.rows)
}

// part splits the newest rows of a write, by start, into those that stay fresh
// and those whose run has a row already.
func (f *freshRuns) part(runs []activity.Run) (fresh, stored []*activity.Run) {
	all := newest(pointers(runs))
	fresh = make([]*activity.Run, 0, len(all))
	for _, r := range all {
		if _, ok := f.rows[r.ID]; ok || r.Revision <= 1 {
			fresh = append(fresh, r)
		} else {
			stored = append(stored, r)
		}
	}
	return fresh, stored
}

// packFresh writes rows one after the other.
func packFresh(rows []*activity.Run) (data []byte, each [][]byte) {
	each = make([][]byte, len(rows))
	var buf []byte
	size := 0
	for i, r := range rows {
		buf = packRun(buf[:0], r)
		each[i] = slices.Clone(buf)
		size += binary.MaxVarintLen32 + len(buf)
	}
	data = make([]byte, 0, size)
	for _, packed := range each {
		data = append(binary.AppendUvarint(data, uint64(len(packed))), packed...)
	}
	return data, each
}

// insertFresh writes fresh rows as one blob of the index; 0 when there are none.
func insertFresh(tx *sql.Tx, kind int, data []byte) (int64, error) {
	if len(data) == 0 {
		return 0, nil
	}
	res, err := tx.Exec(`INSERT INTO fresh (kind, data) VALUES (?, ?)`, kind, s2.Encode(nil, data))
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// put takes over what a commit wrote.
func (f *freshRuns) put(rows []*activity.Run, packed [][]byte, seq int64, now time.Time) {
	if len(rows) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows, f.live = make(map[activity.RunID]freshRun), make(map[int64]int)
	}
	for i, r := range rows {
		row := freshRun{packed[i], seq, now, r.Status == activity.RunDone || r.Status == activity.RunStale}
		if old, ok := f.rows[r.ID]; ok {
			f.live[old.seq]--
			row.since = old.since
			if old.over {
				f.over--
			}
		}
		if row.over {
			f.over++
		}
		f.rows[r.ID] = row
		f.live[seq]++
	}
	if f.since.IsZero() {
		f.since = now
	}
}

// due reports whether rows should leave.
func (f *freshRuns) due(now time.Time) bool {
	return f.over >= freshOver || !f.since.IsZero() && now.Sub(f.since) >= freshFor
}

// flushFresh moves fresh rows into index and segments: all of them, or those
// whose time has come. Store.write is held.
func (s *Store) flushFresh(all bool) error {
	f, now := &s.fresh, s.o.Now()
	var rows []*activity.Run
	var packed [][]byte
	var ids []byte
	live := maps.Clone(f.live)
	since := time.Time{}
	var rested time.Time
	for id, row := range f.rows {
		telemetry.Rest(&rested)
		if !all && !row.over && now.Sub(row.since) < freshFor {
			if since.IsZero() || row.since.Before(since) {
				since = row.since
			}
			continue
		}
		r, err := unpackRun(row.packed)
		if err != nil {
			return err // we packed it
		}
		rows, packed = append(rows, r), append(packed, row.packed)
		ids = append(ids, id[:]...)
		live[row.seq]--
	}
	f.since = since
	if len(rows) == 0 {
		return nil
	}
	parts := s.runParts(rows, packed)
	come, err := s.writeAll(parts)
	var left int64
	var words int
	var gone []int64
	if err == nil {
		err = s.index.tx(context.Background(), func(tx *sql.Tx) (err error) {
			if err := insertSegments(tx, come); err != nil {
				return err
			}
			if err := s.commitRuns(tx, rows, true); err != nil {
				return err
			}
			if words, err = s.words.save(tx); err != nil {
				return err
			}
			if left, err = insertFresh(tx, freshLeft, ids); err != nil {
				return err
			}
			gone = forgetFresh(live, append(slices.Clone(f.left), left))
			for _, seq := range gone {
				if _, err := tx.Exec(`DELETE FROM fresh WHERE seq = ?`, seq); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		s.segs.remove(come)
		return storageFault("writing run rows", err)
	}
	s.segs.replace(nil, come)
	s.words.saved = words
	f.left = slices.DeleteFunc(append(f.left, left), func(seq int64) bool { return slices.Contains(gone, seq) })
	maps.DeleteFunc(live, func(_ int64, n int) bool { return n == 0 })
	f.live = live
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rows {
		if f.rows[r.ID].over {
			f.over--
		}
		delete(f.rows, r.ID)
		s.recent.put(r.ID, r.Start)
	}
	return nil
}

// forgetFresh lists the blobs that nobody needs: rows that have all left or were
// replaced, and lists of runs that left from blobs before them.
func forgetFresh(live map[int64]int, left []int64) (gone []int64) {
	first := int64(1) << 62
	for seq, n := range live {
		if n == 0 {
			gone = append(gone, seq)
		} else {
			first = min(first, seq)
		}
	}
	for _, seq := range left {
		if seq < first {
			gone = append(gone, seq)
		}
	}
	return gone
}

// settleRuns makes fresh rows leave for where a question looks. A failure is
// the disk's: the question is answered from what is there.
func (s *Store) settleRuns() {
	n := s.fresh.len()
	if n == 0 {
		return
	}
	s.write.Lock()
	defer s.write.Unlock()
	now := s.o.Now()
	if s.closed.Load() || (n > freshFew || s.fresh.failed) && now.Sub(s.fresh.asked) < freshPause {
		return
	}
	s.fresh.asked = now
	s.leaveFresh(true)
}

// leaveFresh is flushFresh for whoever has no use for its error: what was
// committed stays committed, rows stay fresh for longer. Store.write is held.
func (s *Store) leaveFresh(all bool) {
	err := s.flushFresh(all)
	if err != nil && !s.fresh.failed {
		s.log.Warn("fresh run rows not written", "err", err)
	}
	s.fresh.failed = err != nil
}

// loadFresh reads what was fresh when the process ended.
func (s *Store) loadFresh() error {
	rows, err := s.index.w.Query(`SELECT seq, kind, data FROM fresh ORDER BY seq`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	now := s.o.Now()
	f := &s.fresh
	for rows.Next() {
		var seq int64
		var kind int
		var data []byte
		if err := rows.Scan(&seq, &kind, &data); err != nil {
			return err
		}
		raw, err := s2.Decode(nil, data)
		if err != nil {
			return errCorrupt
		}
		if kind == freshLeft {
			f.left = append(f.left, seq)
			for ; len(raw) >= 16; raw = raw[16:] {
				id := activity.RunID(raw[:16])
				if row, ok := f.rows[id]; ok {
					f.live[row.seq]--
					if row.over {
						f.over--
					}
					delete(f.rows, id)
				}
			}
			continue
		}
		runs, packed, err := unpackFresh(raw)
		if err != nil {
			return err
		}
		f.put(runs, packed, seq, now)
		for i := range runs {
			s.known.add(runs[i].ID)
		}
	}
	return rows.Err()
}

func unpackFresh(raw []byte) (runs []*activity.Run, packed [][]byte, err error) {
	for len(raw) > 0 {
		n, w := binary.Uvarint(raw)
		if w <= 0 || n > uint64(len(raw)-w) {
			return nil, nil, errCorrupt
		}
		one := raw[w : w+int(n)]
		r, err := unpackRun(one)
		if err != nil {
			return nil, nil, err
		}
		runs, packed = append(runs, r), append(packed, slices.Clone(one))
		raw = raw[w+int(n):]
	}
	return runs, packed, nil
}

// settleOld makes rows leave whose time came while nothing was appended.
func (s *Store) settleOld() {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Load() || !s.fresh.due(s.o.Now()) {
		return
	}
	s.leaveFresh(false)
}
