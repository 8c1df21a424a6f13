package duck

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

// peakMB is the most memory that the process had since the last call.
func peakMB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	var kb float64
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(rest, &kb)
		}
	}
	return kb / 1024
}

// BenchmarkLargeRun reads a step, a light page and everything of large runs.
func BenchmarkLargeRun(b *testing.B) {
	for _, n := range []int{50_000, 250_000} {
		s := openTest(b, Options{})
		g := telemetrytest.NewGenerator(1, time.Now().UTC().Truncate(24*time.Hour))
		var run activity.RunID
		var one activity.StepID
		total := 0
		for total < n {
			w := g.Write(1000)
			if run.IsZero() {
				run = w.Runs[0].ID
			}
			for i := range w.Steps {
				w.Steps[i].Run = run
			}
			w.Runs = w.Runs[:1]
			w.Runs[0].ID = run
			w.Messages, w.Logs, w.Rollups = nil, nil, nil
			if total += len(w.Steps); total >= n/2 && one.IsZero() {
				one = w.Steps[0].Step
			}
			if err := s.Append(context.Background(), w); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.maintain(context.Background(), true); err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		measure := func(name string, read func() (int, error)) {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				peakMB(b)
				for b.Loop() {
					if got, err := read(); err != nil || got == 0 {
						b.Fatal(got, err)
					}
				}
				b.ReportMetric(peakMB(b), "peak-MB")
			})
		}
		measure("step", func() (int, error) { _, err := s.Step(ctx, run, one); return 1, err })
		measure("light-10000", func() (int, error) {
			p, err := s.StepsPage(ctx, run, telemetry.StepsQuery{Limit: 10_000, Light: true})
			return len(p.Steps), err
		})
		measure("light-50000", func() (int, error) {
			p, err := s.StepsPage(ctx, run, telemetry.StepsQuery{Limit: 50_000, Light: true})
			return len(p.Steps), err
		})
		measure("all", func() (int, error) { p, err := s.Steps(ctx, run); return len(p), err })
	}
}
