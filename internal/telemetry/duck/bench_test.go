package duck

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/telemetry/telemetrytest"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend measures CPU and bytes a span of Append alone; the generator
// is outside the clock. SetBytes is not used: spans are the unit.
func BenchmarkAppend(b *testing.B) {
	for _, load := range []struct {
		name    string
		history int
	}{{"small", 300}, {"large", 900}} {
		b.Run(load.name, func(b *testing.B) {
			s := openTest(b, Options{})
			g := telemetrytest.NewGenerator(1, time.Now().UTC().Truncate(24*time.Hour))
			g.History = load.history
			var spans int64
			var used time.Duration
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				w := g.Write(2000)
				spans += int64(len(w.Steps))
				b.StartTimer()
				before := cpu()
				if err := s.Append(context.Background(), w); err != nil {
					b.Fatal(err)
				}
				used += cpu() - before
			}
			b.StopTimer()
			before := cpu()
			if err := s.maintain(context.Background(), true); err != nil {
				b.Fatal(err)
			}
			merging := cpu() - before
			st, _ := s.Stats(context.Background())
			b.ReportMetric(float64(used.Nanoseconds())/float64(spans)/1e3, "cpu-µs/span")
			b.ReportMetric(float64(merging.Nanoseconds())/float64(spans)/1e3, "merge-µs/span")
			b.ReportMetric(float64(st.Bytes)/float64(spans), "B/span")
			by := map[string]int64{}
			for _, t := range allTables {
				for _, g := range s.segs.of(t, allDays) {
					by[t] += g.bytes
				}
			}
			for _, t := range []string{tableSteps, tableMessages, tableContent, tableRuns} {
				b.ReportMetric(float64(by[t])/float64(spans), t+"-B/span")
			}
			b.ReportMetric(float64(s.indexBytes())/float64(spans), "index-B/span")
		})
	}
}

// TestFigures prints latencies over as many spans as REEVE_BENCH_SPANS says; it
// is a measurement, not a test, and is skipped without it.
func TestFigures(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("REEVE_BENCH_SPANS"))
	if n == 0 {
		t.Skip("set REEVE_BENCH_SPANS to measure")
	}
	ctx := context.Background()
	s := openTest(t, Options{})
	start := time.Now().UTC().Add(-6 * time.Hour).Truncate(time.Hour)
	if start.Day() != time.Now().UTC().Day() {
		start = time.Now().UTC().Truncate(24 * time.Hour)
	}
	g := telemetrytest.NewGenerator(1, start)
	g.History, g.Span = 200, 10*time.Second
	var spans int
	var appended, merged time.Duration
	var sample []activity.RunID
	var phrase string
	writes := n / 20000
	for i := 0; spans < n; i++ {
		g.Start = start.Add(time.Duration(i) * 5 * time.Hour / time.Duration(writes))
		w := g.Write(2000)
		spans += len(w.Steps)
		before := cpu()
		if err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
		appended += cpu() - before
		before = cpu()
		if err := s.maintain(ctx, false); err != nil {
			t.Fatal(err)
		}
		merged += cpu() - before
		sample = append(sample, w.Runs[i%len(w.Runs)].ID)
		phrase = string(w.Messages[7].Raw[60:90])
	}
	st, _ := s.Stats(ctx)
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(spans) / 1e3 }
	t.Logf("%d spans: append %.2f µs, merge and fold %.2f µs a span; %d files, %.0f B a span", spans, per(appended), per(merged), st.Files, float64(st.Bytes)/float64(spans))
	time2 := func(name string, do func(i int) error) {
		var ds []time.Duration
		for i := range 21 {
			began := time.Now()
			if err := do(i); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			ds = append(ds, time.Since(began))
		}
		slices.Sort(ds)
		t.Logf("%-34s median %8.2f ms, max %8.2f ms", name, float64(ds[10].Microseconds())/1e3, float64(ds[20].Microseconds())/1e3)
	}
	time2("run row by id", func(i int) error { _, err := s.Run(ctx, sample[i*len(sample)/21]); return err })
	time2("steps of a run", func(i int) error { _, err := s.Steps(ctx, sample[i*len(sample)/21]); return err })
	time2("messages of a run", func(i int) error { _, err := s.Messages(ctx, sample[i*len(sample)/21], nil); return err })
	list := func(text string) func(int) error {
		e, err := search.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return func(int) error { _, err := s.Runs(ctx, telemetry.RunsQuery{Filter: e, Limit: 50}); return err }
	}
	time2("runs, newest", func(int) error { _, err := s.Runs(ctx, telemetry.RunsQuery{Limit: 50}); return err })
	time2("runs of an agent", list("agent:agent-07"))
	time2("runs with errors>1", list("errors>1"))
	time2("runs, rare session", list("session:session-nobody"))
	time2("runs that still run", list("status:running"))
	time2("runs by cost", func(int) error {
		_, err := s.Runs(ctx, telemetry.RunsQuery{Limit: 50, Sort: "cost"})
		return err
	})
	time2("runs, any(kind:tool status:error)", list("any(kind:tool status:error)"))
	chart := []telemetry.Measure{{Func: "p95", Field: "duration_ms"}, {Func: "sum", Field: "tokens"}, {Func: "sum", Field: "cost"}}
	time2("5-minute chart from rollups", func(int) error {
		r, err := s.Query(ctx, telemetry.Query{Table: "steps", GroupBy: []string{"agent"}, Bucket: 5 * time.Minute, Select: chart})
		if err == nil && r.Source != "rollups" {
			err = fmt.Errorf("answered from %s", r.Source)
		}
		return err
	})
	time2("5-minute chart from rows", func(int) error {
		_, err := s.queryRows(ctx, &telemetry.Query{Table: "steps", GroupBy: []string{"agent"}, Bucket: 5 * time.Minute, Select: named(chart)})
		return err
	})
	time2("by agent from rows", func(int) error {
		_, err := s.queryRows(ctx, &telemetry.Query{Table: "steps", GroupBy: []string{"agent"}, Select: named(chart)})
		return err
	})
	from := start.Add(2 * time.Hour)
	time2("phrase over one hour, messages", func(int) error {
		_, err := s.Query(ctx, telemetry.Query{Table: "messages", From: from, To: from.Add(time.Hour), Where: &search.Text{Phrase: phrase}, Content: true})
		return err
	})
	time2("phrase over one hour, runs", func(int) error {
		_, err := s.Runs(ctx, telemetry.RunsQuery{From: from, To: from.Add(time.Hour), Filter: &search.Text{Phrase: phrase}, Content: true})
		return err
	})
	if p, err := s.child.running(); err == nil {
		t.Logf("child %d MB, we %d MB", resident(p.cmd.Process.Pid)>>20, resident(os.Getpid())>>20)
	}
}

func named(ms []telemetry.Measure) []telemetry.Measure {
	ms = slices.Clone(ms)
	for i := range ms {
		ms[i].As = ms[i].Func + ms[i].Field
	}
	return ms
}
