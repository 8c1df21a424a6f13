package duck

import (
	"context"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
)

// mappedRow is what tells which table made a step.
type mappedRow struct {
	run                           activity.RunID
	sid, start, version, revision int64
}

var mappedRows = newTable(tableSteps,
	id("run", columnar.Dictionary, func(r *mappedRow) *[16]byte { return (*[16]byte)(&r.run) }),
	number("sid", columnar.Plain, func(r *mappedRow) int64 { return r.sid }, func(r *mappedRow, n int64) { r.sid = n }),
	number("start", columnar.Delta, func(r *mappedRow) int64 { return r.start }, func(r *mappedRow, n int64) { r.start = n }),
	number("revision", columnar.Dictionary, func(r *mappedRow) int64 { return r.revision }, func(r *mappedRow, n int64) { r.revision = n }),
	number("map_version", columnar.Dictionary, func(r *mappedRow) int64 { return r.version }, func(r *mappedRow, n int64) { r.version = n }),
)

// Mapped lists the runs with steps of a time that a table below a version made,
// by id. It reads five columns, and takes 24 bytes a run. What arrives meanwhile
// may be missed.
func (s *Store) Mapped(ctx context.Context, from, to time.Time, below int32) ([]telemetry.MappedRun, error) {
	lo, hi := from.UnixNano(), to.UnixNano()
	count := map[activity.RunID]int64{}
	var rows []mappedRow
	dead := map[int32]map[int64]int64{}
	// A wrong clock puts a step into another day's segments: their times decide.
	for _, g := range s.segs.of(tableSteps, allDays) {
		if g.tmax < lo || g.tmin >= hi {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if dead[g.day] == nil {
			gone, _, err := s.deadRows(tableSteps, g.day)
			if err != nil {
				return nil, err
			}
			dead[g.day] = gone
		}
		o, err := s.segs.acquire(g)
		if err != nil {
			return nil, storageFault("reading which table made steps", err)
		}
		rows, err = mappedRows.read(o, 0, o.rows, rows[:0])
		s.segs.release(o)
		if err != nil {
			return nil, storageFault("reading which table made steps", err)
		}
		for i := range rows {
			r := &rows[i]
			if r.version <= 0 || r.version >= int64(below) || r.start < lo || r.start >= hi {
				continue
			}
			if newest, ok := dead[g.day][r.sid]; ok && r.revision < newest {
				continue
			}
			count[r.run]++
		}
	}
	out := make([]telemetry.MappedRun, 0, len(count))
	for id, n := range count {
		out = append(out, telemetry.MappedRun{Run: id, Steps: n})
	}
	slices.SortFunc(out, func(a, b telemetry.MappedRun) int { return slices.Compare(a.Run[:], b.Run[:]) })
	return out, nil
}
