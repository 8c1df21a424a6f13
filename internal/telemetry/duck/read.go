package duck

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// each visits the rows of a key in every segment of a table. A damaged segment
// is set aside and the rest is read.
func (s *Store) each(ctx context.Context, table string, days dayRange, key [16]byte, visit func(*openSegment, idxRow) error) error {
	var ranges []idxRow
	for _, g := range s.segs.of(table, days) {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := s.segs.acquire(g)
		if err == nil {
			if ranges, err = o.find(key, ranges[:0]); err == nil {
				for _, r := range ranges {
					if err = visit(o, r); err != nil {
						break
					}
				}
			}
			s.segs.release(o)
		}
		switch {
		case err == nil:
		case errors.Is(err, fs.ErrNotExist) && !s.segs.has(g.id):
			// A merge replaced it between the listing and here.
			return errMoved
		case errors.Is(err, errCorrupt), errors.Is(err, fs.ErrNotExist):
			go s.setAside(g, err) // the lock may be ours (Append looks up old rows)
		default:
			return storageFault("reading "+table, err)
		}
	}
	return nil
}

var errMoved = errors.New("segments changed while they were read")

// again repeats a read that a merge moved the ground under.
func again(read func() error) error {
	var err error
	for range 10 {
		if err = read(); !errors.Is(err, errMoved) {
			return err
		}
	}
	return storageFault("reading", err)
}

func noRun(id activity.RunID) error {
	return fault.New(fault.KindNotFound, "telemetry.no_run", "there is no run %s", id)
}

// Run reads the newest revision of a run's row.
func (s *Store) Run(ctx context.Context, id activity.RunID) (*activity.Run, error) {
	if !s.known.has(id) {
		return nil, noRun(id)
	}
	return s.findRunContext(ctx, id)
}

func (s *Store) findRun(id activity.RunID) (*activity.Run, error) {
	return s.findRunContext(context.Background(), id)
}

func (s *Store) findRunContext(ctx context.Context, id activity.RunID) (*activity.Run, error) {
	var best runRow
	err := again(func() error {
		best = runRow{rev: -1}
		return s.each(ctx, tableRuns, allDays, id, func(o *openSegment, r idxRow) error {
			rows, err := runs.read(o, int64(r.row), int64(r.n), nil, "revision", "blob")
			for _, row := range rows {
				if row.rev > best.rev {
					best = row
				}
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if best.rev < 0 {
		return nil, noRun(id)
	}
	return unpackRun(best.blob)
}

// Steps reads the newest revision of every step of a run, by start time.
func (s *Store) Steps(ctx context.Context, id activity.RunID) ([]activity.Step, error) {
	if !s.known.has(id) {
		return nil, nil
	}
	var rows []stepRow
	err := again(func() error {
		rows = rows[:0]
		return s.each(ctx, tableSteps, allDays, id, func(o *openSegment, r idxRow) error {
			first := len(rows)
			rows = slices.Grow(rows, int(r.n))
			part := rows[first : first : first+int(r.n)]
			for range r.n {
				part = append(part, blankStep())
			}
			if err := steps.fill(o, int64(r.row), part); err != nil {
				return err
			}
			for i := range part {
				if err := part[i].finish(); err != nil {
					return err
				}
				if part[i].Run != id {
					return errCorrupt
				}
			}
			rows = rows[:first+int(r.n)]
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return newestSteps(rows), nil
}

func newestSteps(rows []stepRow) []activity.Step {
	best := make(map[activity.StepID]int, len(rows))
	out := make([]activity.Step, 0, len(rows))
	for i := range rows {
		s := &rows[i].Step
		at, seen := best[s.Step]
		switch {
		case !seen:
			best[s.Step] = len(out)
			out = append(out, *s)
		case s.Revision > out[at].Revision:
			out[at] = *s
		}
	}
	slices.SortStableFunc(out, func(a, b activity.Step) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

// Messages reads messages of a run by ordinal with their content.
func (s *Store) Messages(ctx context.Context, id activity.RunID, ordinals []int32) ([]activity.Message, error) {
	if !s.known.has(id) {
		return nil, nil
	}
	want := make(map[int32]bool, len(ordinals))
	for _, n := range ordinals {
		want[n] = true
	}
	var out []activity.Message
	err := again(func() error {
		out = out[:0]
		seen := map[int32]bool{}
		err := s.each(ctx, tableMessages, allDays, id, func(o *openSegment, r idxRow) error {
			rows, err := messages.read(o, int64(r.row), int64(r.n), nil)
			for _, row := range rows {
				if seen[row.Ordinal] || len(want) > 0 && !want[row.Ordinal] {
					continue
				}
				seen[row.Ordinal] = true
				row.Day = o.day
				out = append(out, row.Message)
			}
			return err
		})
		if err != nil {
			return err
		}
		return s.fillContent(ctx, out)
	})
	slices.SortFunc(out, func(a, b activity.Message) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return out, err
}

// fillContent finds the content of messages by day and hash. Content that
// retention took is missing: Raw stays nil.
func (s *Store) fillContent(ctx context.Context, ms []activity.Message) error {
	byDay := map[int32]map[[16]byte][]int{}
	for i := range ms {
		m := &ms[i]
		if m.Size == 0 {
			m.Raw = []byte{}
			continue
		}
		if byDay[m.Day] == nil {
			byDay[m.Day] = map[[16]byte][]int{}
		}
		byDay[m.Day][m.Hash] = append(byDay[m.Day][m.Hash], i)
	}
	for day, hashes := range byDay {
		for _, g := range s.segs.of(tableContent, dayRange{day, day}) {
			if len(hashes) == 0 {
				break
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			o, err := s.segs.acquire(g)
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) && !s.segs.has(g.id) {
					return errMoved
				}
				s.setAside(g, err)
				continue
			}
			err = s.contentOf(o, hashes, ms)
			s.segs.release(o)
			if errors.Is(err, errCorrupt) {
				s.setAside(g, err)
			} else if err != nil {
				return storageFault("reading content", err)
			}
		}
	}
	return nil
}

// contentOf reads what a segment holds of hashes, in the order of its rows so
// that a page is decompressed once for neighbours.
func (s *Store) contentOf(o *openSegment, hashes map[[16]byte][]int, ms []activity.Message) error {
	var found []idxRow
	var buf []idxRow
	for h := range hashes {
		var err error
		if buf, err = o.find(h, buf[:0]); err != nil {
			return err
		}
		if len(buf) > 0 {
			found = append(found, buf[0])
		}
	}
	slices.SortFunc(found, func(a, b idxRow) int { return cmp.Compare(a.row, b.row) })
	for len(found) > 0 {
		// Rows close to each other are read together.
		n := 1
		for n < len(found) && found[n].row-found[n-1].row < 64 && found[n].row-found[0].row < 4096 {
			n++
		}
		first, last := int64(found[0].row), int64(found[n-1].row)
		rows := make([]contentRow, last-first+1)
		for i := range rows {
			rows[i].exact = true
		}
		if err := content.fill(o, first, rows, "hash", "raw", "raw_bytes"); err != nil {
			return err
		}
		for _, f := range found[:n] {
			row := &rows[int64(f.row)-first]
			if row.Hash != f.key {
				return errCorrupt
			}
			for _, i := range hashes[f.key] {
				ms[i].Raw = row.Raw
			}
			delete(hashes, f.key)
		}
		found = found[n:]
	}
	return nil
}

// logsOf reads all log records of a run.
func (s *Store) logsOf(ctx context.Context, id activity.RunID) ([]activity.LogRecord, error) {
	var out []activity.LogRecord
	err := again(func() error {
		out = out[:0]
		return s.each(ctx, tableLogs, allDays, id, func(o *openSegment, r idxRow) error {
			rows, err := logs.read(o, int64(r.row), int64(r.n), nil)
			for i := range rows {
				if err := rows[i].finish(); err != nil {
					return err
				}
				out = append(out, rows[i].LogRecord)
			}
			return err
		})
	})
	return out, err
}

// Stats describes the store.
func (s *Store) Stats(context.Context) (telemetry.Stats, error) {
	var st telemetry.Stats
	oldest := int64(0)
	for _, t := range allTables {
		for _, g := range s.segs.of(t, allDays) {
			st.Files++
			st.Bytes += g.bytes
			switch t {
			case tableSteps:
				st.Steps += g.rows
				st.StepBytes += g.bytes
				if oldest == 0 || g.tmin < oldest {
					oldest = g.tmin
				}
			case tableRuns:
				st.Runs += g.rows
			case tableMessages:
				st.Messages += g.rows
				st.MessageBytes += g.bytes
			case tableContent:
				st.MessageBytes += g.bytes
				st.MessagesRaw += g.raw
			case tableLogs:
				st.Logs += g.rows
			case tableMetrics:
				st.Metrics += g.rows
			case tableOldSteps:
				st.Steps -= g.rows
			case tableOldRuns:
				st.Runs -= g.rows
			}
		}
	}
	if oldest != 0 {
		st.Oldest = timeOf(oldest)
	}
	st.Bytes += s.indexBytes()
	return st, nil
}

var allTables = []string{tableSteps, tableMessages, tableContent, tableLogs, tableMetrics, tableRuns, tableOldSteps, tableOldRuns}
