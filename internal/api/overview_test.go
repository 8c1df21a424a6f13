package api

import (
	"context"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
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

// TestOverviewEqualsRaw: each figure is what the runs themselves add up to, whatever
// they came to: the page asks for sums by time and by agent, and adds those up.
func TestOverviewEqualsRaw(t *testing.T) {
	t.Parallel()
	store, err := duck.Open(duck.Options{Dir: t.TempDir(), Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	g := telemetrytest.NewGenerator(7, testNow.Add(-48*time.Hour))
	g.Span, g.History, g.Agents = 48*time.Hour, 1, 9
	w := g.Write(3000)
	outcomes := []string{"", "", "resolved", "implied_resolved", "verified_resolved", "failed", "escalated", "abandoned", "contained", "deflected"}
	states := []activity.RunStatus{activity.RunDone, activity.RunDone, activity.RunStale, activity.RunRunning, activity.RunWaiting}
	for i := range w.Runs {
		r := &w.Runs[i]
		r.Outcome, r.Status, r.RootError, r.Partial = outcomes[i%len(outcomes)], states[i/10%len(states)], i%7 == 0, i%11 == 0
		if i%13 == 0 {
			r.Cost, r.UnknownCostCalls = activity.Cost{}, 1
		}
		if r.Status == activity.RunRunning {
			r.End = activity.Unknown
		}
	}
	w.Steps, w.Messages, w.Logs = nil, nil, nil
	if err := store.Append(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	from, to := testNow.Add(-24*time.Hour), testNow
	got := get[client.Overview](t, a, "/overview?from=-24h", "as viewer")

	// The same from the runs, one by one.
	type raw struct {
		runs, ended, failed, known, resolved, full, priced, escalated int64
		cost, tokens                                                  float64
		durations                                                     []float64
	}
	var now, before raw
	agents, hours := map[string]*raw{}, map[time.Time]*raw{}
	add := func(s *raw, r *activity.Run) {
		over := r.Status == activity.RunDone || r.Status == activity.RunStale
		outcome := r.Outcome
		if outcome == "" && over && r.RootError {
			outcome = "failed"
		}
		count := func(n *int64, yes bool) {
			if yes {
				*n++
			}
		}
		s.runs++
		count(&s.ended, over || outcome != "")
		count(&s.known, outcome != "")
		count(&s.failed, outcome == "failed")
		count(&s.escalated, outcome == "escalated")
		count(&s.resolved, outcome == "resolved" || outcome == "implied_resolved" || outcome == "verified_resolved")
		count(&s.full, !r.Partial && r.UnknownUsageCalls == 0 && r.UnknownCostCalls == 0)
		count(&s.priced, r.Cost.Basis != activity.CostUnknown)
		s.cost += float64(r.Cost.Nanos) / 1e9
		s.tokens += float64(r.Usage.InputTotal + r.Usage.OutputTotal)
		if r.End != activity.Unknown {
			s.durations = append(s.durations, float64(r.End-r.Start)/1e6)
		}
	}
	of := func(all map[string]*raw, k string) *raw {
		if all[k] == nil {
			all[k] = &raw{}
		}
		return all[k]
	}
	for i := range w.Runs {
		r := &w.Runs[i]
		switch at := time.Unix(0, r.Start); {
		case at.Before(from):
			add(&before, r)
		case at.Before(to):
			add(&now, r)
			add(of(agents, r.Agent), r)
			bucket := at.UTC().Truncate(time.Duration(got.Outcomes.BucketMS) * time.Millisecond)
			if hours[bucket] == nil {
				hours[bucket] = &raw{}
			}
			add(hours[bucket], r)
		}
	}
	quantile := func(s *raw, q float64) float64 {
		slices.Sort(s.durations)
		return s.durations[max(0, int(math.Ceil(q*float64(len(s.durations))))-1)]
	}
	near := func(what string, v *float64, want, allowed float64) {
		t.Helper()
		if v == nil {
			t.Errorf("%s is unknown, from the runs %v", what, want)
		} else if math.Abs(*v-want) > allowed*max(1, math.Abs(want)) {
			t.Errorf("%s is %v, from the runs %v", what, *v, want)
		}
	}
	figures := map[string]client.Figure{}
	for _, f := range got.Figures {
		figures[f.ID] = f
	}
	for id, want := range map[string][3]float64{ // value, the period before, how far off
		"runs": {float64(now.runs), float64(before.runs)}, "resolved": {float64(now.resolved) / float64(now.known), float64(before.resolved) / float64(before.known), 1e-9},
		"escalated": {float64(now.escalated), float64(before.escalated)}, "cost": {now.cost, before.cost, 1e-9}, "tokens": {now.tokens, before.tokens, 1e-9},
		"p50_ms": {quantile(&now, .5), quantile(&before, .5), telemetry.BinError}, "p95_ms": {quantile(&now, .95), quantile(&before, .95), telemetry.BinError},
	} {
		near(id, figures[id].Value, want[0], want[2])
		near(id+" before", figures[id].Previous, want[1], want[2])
	}
	near("ended_ok", figures["ended_ok"].Value, 1-float64(now.failed)/float64(now.ended), 1e-9)
	near("cost_per_run", figures["cost_per_run"].Value, now.cost/float64(now.priced), 1e-9)
	near("runs_seen", figures["runs_seen"].Value, float64(now.full)/float64(now.runs), 1e-9)
	if f := figures["cost"]; f.N != now.priced || f.Unknown != now.runs-now.priced {
		t.Errorf("cost is of %d runs, %d unknown; want %d of %d", f.N, f.Unknown, now.priced, now.runs)
	}
	seen := 0
	for _, team := range got.Fleet {
		for _, x := range team.Agents {
			seen++
			s := of(agents, x.Agent)
			if x.Runs != s.runs || x.Running != s.runs-s.ended || x.Failed != s.failed || x.Success.N != s.ended || x.Resolved.N != s.known {
				t.Errorf("%s: %+v, from the runs %+v", x.Agent, x, *s)
			}
			near(x.Agent+"'s resolved", x.Resolved.Value, float64(s.resolved)/float64(s.known), 1e-9)
			near(x.Agent+"'s cost", x.Cost, s.cost, 1e-9)
			near(x.Agent+"'s p95", x.P95MS, quantile(s, .95), telemetry.BinError)
			near(x.Agent+"'s coverage", x.Coverage, float64(s.full)/float64(s.runs), 1e-9)
		}
	}
	if seen != len(agents) || seen < 5 {
		t.Errorf("%d agents are shown of %d", seen, len(agents))
	}
	charted := 0
	for _, c := range got.Charts {
		for name, points := range c.Series {
			for _, p := range points {
				s := hours[p.At]
				if s == nil || c.ID == "satisfaction" {
					continue
				}
				charted++
				want := map[string]float64{"p50": quantile(s, .5), "p95": quantile(s, .95), "cost_per_run": s.cost / float64(s.runs)}[name]
				near(c.ID+" "+name+" at "+p.At.String(), p.Value, want, telemetry.BinError)
				if p.N != s.runs {
					t.Errorf("%s at %s is of %d runs, want %d", name, p.At, p.N, s.runs)
				}
			}
		}
	}
	if charted < 3*24 {
		t.Errorf("%d points are charted", charted)
	}
	if sum := sumPoints(got.Outcomes.Points); sum.Total != now.runs || sum.Failed != now.failed || sum.Resolved != now.resolved {
		t.Errorf("outcomes by time: %+v, from the runs %+v", sum, now)
	}
}

// askedStore remembers what it is asked.
type askedStore struct {
	*duck.Store
	mu    sync.Mutex
	asked []telemetry.Query
}

func (s *askedStore) Query(ctx context.Context, q telemetry.Query) (*telemetry.Result, error) {
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.mu.Unlock()
	return s.Store.Query(ctx, q)
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
	engine, err := duck.Open(duck.Options{Dir: b.TempDir(), Now: func() time.Time { return testNow }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = engine.Close() })
	store := &askedStore{Store: engine}
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
		store.asked = nil
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
	for _, q := range store.asked {
		res, err := store.Store.Query(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%s by %v, bucket %s, from %s, %d measures: %s, %d rows read of %s", q.Table, q.GroupBy, q.Bucket, q.From.Format(time.RFC3339), len(q.Select), res.Took.Round(time.Millisecond), res.Scanned, res.Source)
	}
	slices.Sort(times)
	b.ReportMetric(first, "first-ms")
	b.ReportMetric(times[len(times)/2], "median-ms")
	b.ReportMetric(times[len(times)-1], "worst-ms")
	b.ReportMetric(float64(steps)/1e6, "M-steps")
	b.ReportMetric(float64(runs)/1e3, "k-runs")
}
