package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"reeve/client"
)

// BenchmarkRemap maps REEVE_REMAP_STEPS steps (20,000) again, ten a run, over five
// days, of which all differ in agent, model, tokens and content: what a plan, an apply
// and a plan that finds nothing take for a step, in time and in CPU time of the process.
func BenchmarkRemap(b *testing.B) {
	steps := 20_000
	if n, err := strconv.Atoi(os.Getenv("REEVE_REMAP_STEPS")); err == nil && n >= 1000 {
		steps = n
	}
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "data")
		run := func(o Options) (*App, func()) {
			o.Config, o.Logger, o.Version = testConfig(dir), slog.New(slog.DiscardHandler), "bench"
			a, err := New(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- a.Run(ctx) }() // ends with ctx
			return a, func() {
				cancel()
				if err := errors.Join(<-done, a.Stop(context.Background())); err != nil {
					b.Error(err)
				}
			}
		}
		a, stop := run(Options{Table: olderTable()})
		sendOldCalls(b, a, steps, 5, time.Now().UTC().Add(-3*time.Hour), "kim")
		wait := func(is func() bool) {
			for !is() {
				select {
				case <-time.After(20 * time.Millisecond):
				case <-b.Context().Done():
					b.Fatal("it took too long")
				}
			}
		}
		wait(func() bool {
			s, err := a.store.Stats(b.Context())
			return err == nil && s.Steps >= int64(steps)
		})
		stop()
		a, stop = run(Options{})
		api := client.New("http://"+a.Address("listen"), "")
		work := func(what, state string, begin func() (*client.Remap, error)) *client.Remap {
			began, cpu := time.Now(), cpuTime(b)
			r, err := begin()
			wait(func() bool {
				if err == nil && r.State != state && r.State != "failed" {
					r, err = api.GetRemap(b.Context(), client.RemapRequest{ID: r.ID})
				}
				return err != nil || r.State == state || r.State == "failed"
			})
			if err != nil || r.State != state {
				b.Fatalf("%+v: %v", r, err)
			}
			b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(steps), what+"-ns/step")
			b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(steps), what+"-cpu-ns/step")
			return r
		}
		plan := func() (*client.Remap, error) { return api.PlanRemap(b.Context(), client.PlanRemapRequest{All: true}) }
		r := work("plan", "planned", plan)
		if r.Changed != int64(steps) {
			b.Fatalf("%d of %d steps differ", r.Changed, r.Steps)
		}
		x := work("apply", "applied", func() (*client.Remap, error) { return api.ApplyRemap(b.Context(), client.RemapRequest{ID: r.ID}) })
		if x.Applied != int64(steps) {
			b.Fatalf("%d steps were changed", x.Applied)
		}
		if again := work("same", "planned", plan); again.Changed != 0 {
			b.Fatalf("%d steps differ again", again.Changed)
		}
		var most syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &most); err == nil {
			b.ReportMetric(float64(most.Maxrss)/1024, "peak-MB")
		}
		stop()
	}
	b.ReportMetric(0, "ns/op") // the sending is in it
}

// cpuTime is what this process used of the processor.
func cpuTime(t testing.TB) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
