package duck

import (
	"cmp"
	"context"
	"slices"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
)

// A run may have hundreds of thousands of steps of 4 kB each. Whoever asks for
// some of them gets them in two passes: the few columns that tell which rows
// they are, then the rest of those rows.

// stepPlace is what the first pass reads of a step: where it lies and whether
// it is asked for.
type stepPlace struct {
	run                   activity.RunID
	sid, slo, span, start int64
	revision              uint32
	seg                   int64
	row                   uint32
}

var stepPlaces = newTable(tableSteps,
	id("run", columnar.Dictionary, func(r *stepPlace) *[16]byte { return (*[16]byte)(&r.run) }),
	number("sid", columnar.Plain, func(r *stepPlace) int64 { return r.sid }, func(r *stepPlace, n int64) { r.sid = n }),
	number("slo", columnar.Plain, func(r *stepPlace) int64 { return r.slo }, func(r *stepPlace, n int64) { r.slo = n }),
	number("span", columnar.Plain, func(r *stepPlace) int64 { return r.span }, func(r *stepPlace, n int64) { r.span = n }),
	number("start", columnar.Delta, func(r *stepPlace) int64 { return r.start }, func(r *stepPlace, n int64) { r.start = n }),
	number("revision", columnar.Dictionary, func(r *stepPlace) int64 { return int64(r.revision) }, func(r *stepPlace, n int64) { r.revision = uint32(n) }),
)

// lightColumns are what activity.Step needs for telemetry.StepsQuery.Light.
var lightColumns = []string{
	"run", "trace", "sid", "slo", "span", "psid", "plo", "team", "environment", "revision", "start", "duration", "kind", "status", "source",
	"name", "agent", "provider", "model", "finish_reason", "tool", "tool_call_id", "error_type", "error", "decision_id", "flags", "ttft",
	"input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost", "cost_basis", "currency", "counted",
	"rest",
}

// places reads where a run's rows lie, appending to dst.
func (s *Store) places(ctx context.Context, id activity.RunID, dst []stepPlace, only ...string) ([]stepPlace, error) {
	err := s.each(ctx, tableSteps, allDays, id, func(o *openSegment, r idxRow) (err error) {
		first := len(dst)
		if dst, err = stepPlaces.read(o, int64(r.row), int64(r.n), dst, only...); err != nil {
			return err
		}
		kept := dst[:first]
		for i, p := range dst[first:] {
			if p.run == id {
				p.seg, p.row = o.id, r.row+uint32(i)
				kept = append(kept, p)
			}
		}
		dst = kept
		return nil
	})
	return dst, err
}

// fetch reads the rows at places, in no order.
func (s *Store) fetch(ctx context.Context, id activity.RunID, places []stepPlace, only ...string) ([]stepRow, error) {
	wanted := map[int64][]uint32{}
	for _, p := range places {
		wanted[p.seg] = append(wanted[p.seg], p.row)
	}
	for _, rows := range wanted {
		slices.Sort(rows)
	}
	out := make([]stepRow, 0, len(places))
	err := s.each(ctx, tableSteps, allDays, id, func(o *openSegment, r idxRow) error {
		rows := wanted[o.id]
		at, _ := slices.BinarySearch(rows, r.row)
		rows = rows[at:]
		for len(rows) > 0 && rows[0] < r.row+r.n {
			// Rows close to each other are read together, what lies between with
			// them: each reading starts at 37 columns or more.
			n := 1
			for n < len(rows) && rows[n] < r.row+r.n && rows[n]-rows[n-1] < 64 {
				n++
			}
			part, err := steps.read(o, int64(rows[0]), int64(rows[n-1]-rows[0]+1), nil, only...)
			if err != nil {
				return err
			}
			for _, row := range rows[:n] {
				got := &part[row-rows[0]]
				if err := got.finish(); err != nil {
					return err
				}
				if got.Run != id {
					return errCorrupt
				}
				out = append(out, *got)
			}
			rows = rows[n:]
		}
		return nil
	})
	if err == nil && len(out) != len(places) {
		err = errMoved // a segment left between the passes
	}
	return out, err
}

// Step reads the newest revision of one step.
func (s *Store) Step(ctx context.Context, run activity.RunID, id activity.StepID) (*activity.Step, error) {
	missing := fault.New(fault.KindNotFound, "telemetry.no_step", "the run has no step %s", id)
	if !s.known.has(run) {
		return nil, missing
	}
	var best *activity.Step
	err := again(func() error {
		best = nil
		places, err := s.places(ctx, run, nil, "run", "sid")
		if err != nil {
			return err
		}
		places = slices.DeleteFunc(places, func(p stepPlace) bool { return p.sid != half(id[:8]) })
		rows, err := s.fetch(ctx, run, places)
		for i := range rows {
			if st := rows[i].Step; st.Step == id && (best == nil || st.Revision > best.Revision) {
				best = st
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if best == nil {
		return nil, missing
	}
	return best, nil
}

// StepsPage reads some of a run's steps.
func (s *Store) StepsPage(ctx context.Context, id activity.RunID, q telemetry.StepsQuery) (page telemetry.StepsPage, err error) {
	if !s.known.has(id) {
		return page, nil
	}
	only := lightColumns
	if !q.Light {
		only = nil
	}
	err = again(func() error {
		places, err := s.places(ctx, id, nil)
		if err != nil {
			return err
		}
		places = pageOf(newestPlaces(places), q.After)
		if page.More = q.Limit > 0 && len(places) > q.Limit; page.More {
			places = places[:q.Limit]
		}
		rows, err := s.fetch(ctx, id, places, only...)
		page.Steps = make([]activity.Step, len(rows))
		for i := range rows {
			page.Steps[i] = *rows[i].Step
			if q.Light {
				// They share a column with what is asked for.
				st := &page.Steps[i]
				st.Tags, st.Labels, st.Links, st.Layers, st.ScopeAttribute = nil, nil, nil, nil, nil
				st.Attributes, st.Resource, st.ReportedCost = nil, nil, activity.Cost{}
			}
		}
		return err
	})
	if err != nil {
		return telemetry.StepsPage{}, err
	}
	slices.SortFunc(page.Steps, telemetry.ByStart)
	return page, nil
}

// newestPlaces keeps the newest revision of each step. Two steps of a run with
// the same half of their ids and the same span are one.
func newestPlaces(places []stepPlace) []stepPlace {
	type key struct{ sid, slo, span int64 }
	seen := make(map[key]int, len(places))
	out := places[:0]
	for _, p := range places {
		k := key{p.sid, p.slo, p.span}
		if at, ok := seen[k]; !ok {
			seen[k] = len(out)
			out = append(out, p)
		} else if p.revision > out[at].revision {
			out[at] = p
		}
	}
	return out
}

// pageOf orders places as telemetry.ByStart does (but for ids whose first
// halves are the same) and cuts off what is not behind after.
func pageOf(places []stepPlace, after telemetry.StepPlace) []stepPlace {
	if after != (telemetry.StepPlace{}) {
		last := stepPlace{start: after.Start, sid: half(after.Step[:8])}
		places = slices.DeleteFunc(places, func(p stepPlace) bool { return byPlace(p, last) <= 0 })
	}
	slices.SortFunc(places, byPlace)
	return places
}

func byPlace(a, b stepPlace) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(uint64(a.sid), uint64(b.sid)))
}
