package duck

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// each visits the rows of a run in every segment of a table; some of them may
// be of another run whose id begins alike.
func (s *Store) each(ctx context.Context, table string, days dayRange, id [16]byte, visit func(*openSegment, idxRow) error) error {
	var ranges []idxRow
	return s.eachSegment(ctx, table, days, func(o *openSegment) (err error) {
		if ranges, err = o.find(id, ranges[:0]); err != nil {
			return err
		}
		for _, r := range ranges {
			if err := visit(o, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachSegment visits every segment of a table. A damaged one is set aside and
// the rest is read.
func (s *Store) eachSegment(ctx context.Context, table string, days dayRange, visit func(*openSegment) error) error {
	for _, g := range s.segs.of(table, days) {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := s.segs.acquire(g)
		if err == nil {
			err = visit(o)
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
	if r, ok := s.fresh.get(id); ok { // else it lies in a segment by now, if anywhere
		return r, nil
	}
	var best runRow
	err := again(func() error {
		best = runRow{rev: -1}
		return s.each(ctx, tableRuns, allDays, id, func(o *openSegment, r idxRow) error {
			rows, err := runs.read(o, int64(r.row), int64(r.n), nil, "run", "revision", "blob")
			for _, row := range rows {
				if row.id == id && row.rev > best.rev {
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
			var err error
			if rows, err = steps.read(o, int64(r.row), int64(r.n), rows); err != nil {
				return err
			}
			part := rows[first:]
			kept := 0
			for i := range part {
				if part[i].Run != id { // another run with the same first half of its id
					continue
				}
				if err := part[i].finish(); err != nil {
					return err
				}
				part[kept] = part[i]
				kept++
			}
			rows = rows[:first+kept]
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
		s := rows[i].Step
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
	return s.messagesWithin(ctx, id, ordinals, math.MaxInt64)
}

// MessagesWithin is Messages for at most so many bytes of content: what comes
// first in ordinals is taken first, and what does not fit is left out. No
// ordinals means none.
func (s *Store) MessagesWithin(ctx context.Context, id activity.RunID, ordinals []int32, bytes int64) ([]activity.Message, error) {
	if len(ordinals) == 0 {
		return nil, nil
	}
	return s.messagesWithin(ctx, id, ordinals, bytes)
}

func (s *Store) messagesWithin(ctx context.Context, id activity.RunID, ordinals []int32, bytes int64) ([]activity.Message, error) {
	if !s.known.has(id) {
		return nil, nil
	}
	want := make(map[int32]bool, len(ordinals))
	for _, n := range ordinals {
		want[n] = true
	}
	var out []messageRow
	err := again(func() error {
		out = out[:0]
		seen := map[int32]bool{}
		err := s.each(ctx, tableMessages, allDays, id, func(o *openSegment, r idxRow) error {
			rows, err := messages.read(o, int64(r.row), int64(r.n), nil)
			for _, row := range rows {
				if row.Run != id || seen[row.Ordinal] || len(want) > 0 && !want[row.Ordinal] {
					continue
				}
				seen[row.Ordinal] = true
				row.Day = o.day
				out = append(out, row)
			}
			return err
		})
		if err != nil {
			return err
		}
		if bytes < math.MaxInt64 {
			out = rowsWithin(out, ordinals, bytes)
		}
		return s.fillContent(ctx, id, out)
	})
	slices.SortFunc(out, func(a, b messageRow) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	var ms []activity.Message
	for i := range out {
		ms = append(ms, *out[i].Message)
	}
	return ms, err
}

// rowsWithin are the rows whose content fits, by the order of ordinals.
func rowsWithin(rows []messageRow, ordinals []int32, bytes int64) []messageRow {
	at := make(map[int32]int, len(ordinals))
	for i, n := range ordinals {
		at[n] = i
	}
	slices.SortFunc(rows, func(a, b messageRow) int { return cmp.Compare(at[a.Ordinal], at[b.Ordinal]) })
	return slices.DeleteFunc(rows, func(m messageRow) bool {
		if int64(m.Size) > bytes {
			return true
		}
		bytes -= int64(m.Size)
		return false
	})
}

// fillContent finds the content of a run's messages: under the run and the
// ordinal where it first appeared there, by hash within the day where another
// run had it before. Content that retention took is missing: Raw stays nil.
func (s *Store) fillContent(ctx context.Context, id activity.RunID, ms []messageRow) error {
	own, others := map[int32]map[int32]*messageRow{}, map[int32]map[[16]byte][]*messageRow{}
	for i := range ms {
		m := &ms[i]
		switch {
		case m.Size == 0:
			m.Raw = []byte{}
		case m.first:
			if own[m.Day] == nil {
				own[m.Day] = map[int32]*messageRow{}
			}
			own[m.Day][m.Ordinal] = m
		default:
			if others[m.Day] == nil {
				others[m.Day] = map[[16]byte][]*messageRow{}
			}
			others[m.Day][m.Hash] = append(others[m.Day][m.Hash], m)
		}
	}
	for day, of := range own {
		err := s.each(ctx, tableContent, dayRange{day, day}, id, func(o *openSegment, r idxRow) error { return ownContent(o, r, id, of) })
		if err != nil {
			return err
		}
	}
	for day, of := range others {
		err := s.eachSegment(ctx, tableContent, dayRange{day, day}, func(o *openSegment) error { return sharedContent(o, of) })
		if err != nil {
			return err
		}
	}
	return nil
}

// ownContent reads what of wanted lies in a range of rows.
func ownContent(o *openSegment, r idxRow, id activity.RunID, wanted map[int32]*messageRow) error {
	if len(wanted) == 0 {
		return nil
	}
	places, err := content.read(o, int64(r.row), int64(r.n), nil, "run", "ordinal")
	if err != nil {
		return err
	}
	var rows []uint32
	for i := range places {
		if places[i].Run == id && wanted[places[i].Ordinal] != nil {
			rows = append(rows, r.row+uint32(i))
		}
	}
	return eachContent(o, rows, func(row uint32, c *contentRow) error {
		n := places[row-r.row].Ordinal
		if m := wanted[n]; m != nil {
			m.Raw = c.Raw
			delete(wanted, n)
		}
		return nil
	})
}

// sharedContent reads what a segment holds of wanted.
func sharedContent(o *openSegment, wanted map[[16]byte][]*messageRow) error {
	var rows, found []uint32
	for h := range wanted {
		var err error
		if found, err = o.findHash(h, found[:0]); err != nil {
			return err
		}
		rows = append(rows, found...)
	}
	slices.Sort(rows)
	return eachContent(o, slices.Compact(rows), func(_ uint32, c *contentRow) error {
		for _, m := range wanted[c.Hash] {
			m.Raw = c.Raw
		}
		delete(wanted, c.Hash)
		return nil
	})
}

// eachContent reads rows, which are in order; those close to each other
// together, so that a page is decompressed once for neighbours.
func eachContent(o *openSegment, rows []uint32, visit func(uint32, *contentRow) error) error {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n]-rows[n-1] < 64 && rows[n]-rows[0] < 4096 {
			n++
		}
		part, err := content.read(o, int64(rows[0]), int64(rows[n-1]-rows[0]+1), nil, "hash", "hash_lo", "raw", "raw_bytes")
		if err != nil {
			return err
		}
		for _, row := range rows[:n] {
			if err := visit(row, &part[row-rows[0]]); err != nil {
				return err
			}
		}
		rows = rows[n:]
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
				if rows[i].Run != id {
					continue
				}
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
func (s *Store) Stats(ctx context.Context) (telemetry.Stats, error) {
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
			case tableMessages:
				st.Messages += g.rows
				st.MessageBytes += g.bytes
			case tableContent:
				st.MessageBytes += g.bytes
				st.MessagesRaw += g.raw
				if at := timeOf(int64(g.day) * nsPerDay); st.OldestContent.IsZero() || at.Before(st.OldestContent) {
					st.OldestContent = at
				}
			case tableLogs:
				st.Logs += g.rows
			case tableMetrics:
				st.Metrics += g.rows
			case tableDecisions:
				st.Decisions += g.rows
			case tableOldSteps:
				st.Steps -= g.rows
			}
		}
	}
	// Rows less those of old_runs would be too few: merging drops dead rows at
	// once, and the lists of them when no segment needs them.
	runs, err := s.Query(ctx, telemetry.Query{Table: tableRuns, Select: []telemetry.Measure{{Func: "count"}}})
	if err != nil {
		return st, err
	}
	for _, r := range runs.Rows {
		st.Runs, _ = r[0].(int64)
	}
	if oldest != 0 {
		st.Oldest = timeOf(oldest)
	}
	st.Bytes += s.indexBytes() + s.sums.files.bytes()
	return st, nil
}

var allTables = []string{tableSteps, tableMessages, tableContent, tableLogs, tableMetrics, tableRuns, tableDecisions, tableOldSteps, tableOldRuns}
