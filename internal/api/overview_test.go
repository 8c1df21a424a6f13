package api

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
	"reeve/internal/telemetry/search"
	"reeve/internal/telemetry/telemetrytest"
)

// What models and tools did is asked of whole buckets of rollups, however the period
// ends: else every step of it is read.
func TestOverviewReadsRollups(t *testing.T) {
	t.Parallel()
	for from, step := range map[string]time.Duration{"-24h": 5 * time.Minute, "-90m": time.Minute, "-30d": time.Hour} {
		store := &memStore{}
		a := newTestAPI(t, func(o *Options) {
			o.Store = store
			now := testNow.Add(17*time.Minute + 13*time.Second)
			o.Now = func() time.Time { return now }
		})
		get[client.Overview](t, a, "/overview?from="+from, "as viewer")
		asked := 0
		for _, q := range store.asked {
			if q.Table != "steps" {
				continue
			}
			asked++
			if q.From.Truncate(step) != q.From || q.To.Truncate(step) != q.To {
				t.Errorf("%s: steps are asked from %s to %s, which are no whole %s", from, q.From, q.To, step)
			}
		}
		if asked != 4 {
			t.Errorf("%s: steps are asked %d times", from, asked)
		}
	}
}

// BenchmarkLargeOverview asks for the Overview beside the runs and the rollups of ten
// million steps (REEVE_OVERVIEW_STEPS sets how many) of two days, of which the page
// shows one against the other. The steps themselves are left out: the page must not
// need them.
func BenchmarkLargeOverview(b *testing.B) {
	want := 10_000_000
	if n, err := strconv.Atoi(os.Getenv("REEVE_OVERVIEW_STEPS")); err == nil {
		want = n
	}
	store, err := duck.Open(duck.Options{Dir: b.TempDir(), Now: func() time.Time { return testNow }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	const period, parts = 48 * time.Hour, 400
	g := telemetrytest.NewGenerator(1, testNow.Add(-period))
	g.Span, g.History = period/parts, 1
	steps, runs := 0, 0
	for part := range parts {
		g.Start = testNow.Add(-period + time.Duration(part)*g.Span)
		for steps < int(float64(want)*float64(part+1)/parts) {
			w := g.Write(500)
			steps, runs = steps+len(w.Steps), runs+len(w.Runs)
			w.Steps, w.Messages, w.Logs = nil, nil, nil
			if err := store.Append(b.Context(), w); err != nil {
				b.Fatal(err)
			}
		}
	}
	now := testNow
	a := newTestAPI(b, func(o *Options) {
		o.Store = store
		o.Now = func() time.Time { now = now.Add(time.Second); return now } // no period is asked for twice
	})
	var times []float64
	ask := func() {
		began := time.Now()
		if got := send(a, "GET", Prefix+"/overview?from=-24h", "as viewer", ""); got.status != 200 {
			b.Fatalf("%d %s", got.status, got.body)
		}
		times = append(times, time.Since(began).Seconds()*1e3)
	}
	ask()
	first := times[0]
	for b.Loop() {
		ask()
	}
	// What each question alone takes, and what it reads.
	for _, q := range []telemetry.Query{
		{Table: "runs", GroupBy: runStates, Bucket: 15 * time.Minute, Select: counting},
		{Table: "runs", Select: []telemetry.Measure{{Func: "sum", Field: "cost", As: "cost"}, {Func: "p95", Field: "duration_ms", As: "p95"}}},
		{Table: "runs", GroupBy: []string{"team", "agent"}, Select: []telemetry.Measure{{Func: "count", As: "count"}, {Func: "p95", Field: "duration_ms", As: "p95"}}},
		{Table: "steps", Where: search.Is("call", "true"), GroupBy: []string{"model"}, Select: []telemetry.Measure{{Func: "count", As: "count"}, {Func: "sum", Field: "errors", As: "errors"}, {Func: "p95", Field: "duration_ms", As: "p95"}}},
	} {
		at := wholeBuckets(now.Add(-24*time.Hour), now)
		q.From, q.To, q.Limit = at[0], at[1], maxQueryRows
		res, err := store.Query(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%s by %v: %s, %d rows read of %s", q.Table, q.GroupBy, res.Took.Round(time.Millisecond), res.Scanned, res.Source)
	}
	slices.Sort(times)
	b.ReportMetric(first, "first-ms")
	b.ReportMetric(times[len(times)/2], "median-ms")
	b.ReportMetric(times[len(times)-1], "worst-ms")
	b.ReportMetric(float64(steps)/1e6, "M-steps")
	b.ReportMetric(float64(runs)/1e3, "k-runs")
}
