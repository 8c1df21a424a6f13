package duck

import (
	"path/filepath"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

// twice is a price card under which every call costs double.
func twice(c *telemetry.Call) (activity.Cost, bool) {
	now := c.Cost
	now.Nanos, now.Price = 2*now.Nanos, "twice"
	return now, true
}

// sums is what calls, runs and rollups say that a day costs, and its steps.
type sums struct{ calls, runs, rolls, steps int64 }

func (s *Store) sumsOf(t *testing.T, from, to time.Time) (out sums) {
	t.Helper()
	if err := s.Calls(t.Context(), from, to, func(c *telemetry.Call) error { out.calls += c.Cost.Nanos; return nil }); err != nil {
		t.Fatal(err)
	}
	q := telemetry.RunsQuery{From: from, To: to, Limit: 1000}
	for {
		page, err := s.Runs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Runs {
			out.runs += r.Cost.Nanos
			steps, err := s.Steps(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			out.steps += int64(len(steps))
		}
		if q.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	rows, err := s.rollups(t.Context(), telemetry.FamilyAgent, levelMinute, from.Unix()/60, to.Unix()/60)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out.rolls += r.CostNanos
	}
	return out
}

// exchanged begins an exchange of a day.
func (s *Store) exchanged(t *testing.T, from, to time.Time) telemetry.Exchange {
	t.Helper()
	x, err := s.Exchange(t.Context(), from, to, telemetry.Part{}, twice)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func commit(t *testing.T, x telemetry.Exchange) bool {
	t.Helper()
	if err := x.Build(); err != nil {
		t.Fatal(err)
	}
	done, err := x.Commit(func(*telemetry.RollupDelta) {}, func(activity.RunID, uint32) {})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestExchange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -3)
	g := telemetrytest.NewGenerator(4, day.Add(2*time.Hour))
	s := openTest(t, Options{Dir: dir})
	var last *telemetry.Write
	for range 20 {
		last = g.Write(15)
		if err := s.Append(t.Context(), last); err != nil {
			t.Fatal(err)
		}
	}
	// Later revisions make rows dead, which must stay so.
	again := &telemetry.Write{Cursor: last.Cursor + 1, Steps: append([]activity.Step(nil), last.Steps[:30]...)}
	for i := range again.Steps {
		again.Steps[i].Revision++
		again.Steps[i].Name += " again"
	}
	if err := s.Append(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	to := day.AddDate(0, 0, 1)
	before := s.sumsOf(t, day, to)
	if before.calls == 0 || before.calls != before.runs || before.calls != before.rolls {
		t.Fatalf("before: %+v", before)
	}
	double := sums{2 * before.calls, 2 * before.runs, 2 * before.rolls, before.steps}
	reopen := func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, Options{Dir: dir})
	}
	want := func(when string, w sums) {
		t.Helper()
		if got := s.sumsOf(t, day, to); got != w {
			t.Errorf("%s: %+v, want %+v", when, got, w)
		}
	}

	if _, err := s.Exchange(t.Context(), day, to.Add(1), telemetry.Part{}, twice); fault.From(err).Code != "telemetry.bad_range" {
		t.Errorf("two days at once: %v", err)
	}
	// Ended by a crash before its commit, it leaves nothing.
	x := s.exchanged(t, day, to)
	if err := x.Build(); err != nil {
		t.Fatal(err)
	}
	s.maint.Unlock() // the process ends without Close
	built := len(segmentFiles(t, dir))
	reopen()
	if left := len(segmentFiles(t, dir)); left >= built {
		t.Errorf("%d files of %d are left", left, built)
	}
	want("after a crash before the commit", before)
	x = s.exchanged(t, day, to)
	if err := x.Build(); err != nil {
		t.Fatal(err)
	}
	x.Close()
	x.Close()
	if n := s.ExchangeParts(day); n != 1 {
		t.Errorf("%d parts", n)
	}
	want("closed without a commit", before)

	// News of a run set it apart.
	x = s.exchanged(t, day, to)
	if err := x.Build(); err != nil {
		t.Fatal(err)
	}
	moved := last.Runs[0]
	moved.Revision++
	if err := s.Append(t.Context(), &telemetry.Write{Cursor: last.Cursor + 2, Runs: []activity.Run{moved}}); err != nil {
		t.Fatal(err)
	}
	if done, err := x.Commit(func(*telemetry.RollupDelta) {}, func(activity.RunID, uint32) {}); done || err != nil {
		t.Fatalf("with news of a run: %v, %v", done, err)
	}
	want("with news", before)
	if !commit(t, x) {
		t.Fatal("built again, it still found news")
	}
	apart := int64(0)
	if err := x.Each(func(c *telemetry.Recost, a bool) error {
		if a != (c.Run == moved.ID) {
			t.Errorf("call of %v apart: %v", c.Run, a)
		}
		if a {
			apart += c.Old.Nanos
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	x.Close()
	if apart == 0 {
		t.Error("the run that moved has no calls")
	}
	want("without the run that moved", sums{double.calls - apart, double.runs - apart, double.rolls - apart, double.steps})
	reopen()
	want("after a restart", sums{double.calls - apart, double.runs - apart, double.rolls - apart, double.steps})

	// The rest, run by run, and all of it merged: dead rows stay dead.
	rest, err := s.Exchange(t.Context(), day, to, telemetry.Part{}, func(c *telemetry.Call) (activity.Cost, bool) {
		if c.Run != moved.ID {
			return activity.Cost{}, false
		}
		return twice(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !commit(t, rest) {
		t.Fatal("news without an append")
	}
	rest.Close()
	want("all of it", double)
	for range 3 {
		if err := s.maintain(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	want("merged", double)
	if err := s.Calls(t.Context(), day, to, func(c *telemetry.Call) error {
		if c.Cost.Price != "twice" {
			t.Errorf("a call by %q", c.Cost.Price)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	reopen()
	want("merged, after a restart", double)
	for _, g := range s.segs.of(tableSteps, allDays) { // what DuckDB reads is the same
		if g.tier == 0 && g.encodes == 0 {
			t.Errorf("segment %d was not exchanged", g.id)
		}
	}
	got, err := s.Query(t.Context(), telemetry.Query{Table: "steps", Select: []telemetry.Measure{{Func: "sum", Field: "cost"}}, GroupBy: []string{"provider"}, From: day, To: to})
	if err != nil || got.Source != "rows" {
		t.Fatalf("%+v, %v", got, err)
	}
	total := 0.0
	for _, row := range got.Rows {
		if v, ok := row[len(row)-1].(float64); ok {
			total += v
		}
	}
	if diff := total*1e9 - float64(double.calls); diff > 1e3 || diff < -1e3 {
		t.Errorf("rows say %v, want %v", total, float64(double.calls)/1e9)
	}
}

func segmentFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "segments", "*", "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
