package bench

import (
	"path/filepath"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/control/controltest"
	"reeve/internal/incident"
)

// replayStorm takes a storm into incidents by the storm's own clock, without waiting
// for it.
func replayStorm(t *testing.T, o StormOptions) *StormReport {
	t.Helper()
	ctx := t.Context()
	db, err := controltest.Open(ctx, filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	now := began
	book, err := incident.New(ctx, incident.Options{DB: db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	list := stormFleet(o)
	for next, ms := 0, 0; ms <= o.Seconds*1000; ms += int(incident.DefaultFlush.Milliseconds()) {
		now = began.Add(time.Duration(ms) * time.Millisecond)
		for ; next < len(list) && list[next].from <= ms; next++ {
			r := &list[next].report
			x := client.Alert{
				ID: alert.ID("storm", r.Key), State: "firing", StateChangedAt: began.Add(time.Duration(list[next].from) * time.Millisecond), Title: r.Title,
				Severity: r.Severity, Labels: r.Labels, Agent: r.Labels["agent"], Team: r.Labels["team"], Environment: "production",
			}
			book.Take(ctx, []incident.Signal{incident.OfAlert(&x, func(_, name string) string { return name })})
		}
		if err := book.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r, err := judgeStorm(ctx, book, list)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What a storm becomes is what its faults were: pairs of alerts that are together
// belong together, and each says why it is where it is.
func TestStormQuality(t *testing.T) {
	t.Parallel()
	var precision, f1 float64
	seeds := []uint64{1, 2, 3}
	for _, seed := range seeds {
		r := replayStorm(t, StormOptions{Seconds: 60, Faults: 24, Agents: 60, Seed: seed})
		t.Logf("seed %d: %d alerts, %d incidents, precision %.3f, recall %.3f", seed, r.Alerts, r.Incidents, r.Precision, r.Recall)
		if r.Unexplained > 0 || r.Compression < 0.95 {
			t.Errorf("seed %d: %d joins without a reason, compression %.3f", seed, r.Unexplained, r.Compression)
		}
		precision += r.Precision / float64(len(seeds))
		f1 += r.F1 / float64(len(seeds))
	}
	if precision < 0.92 || f1 < 0.93 {
		t.Errorf("precision %.3f and F1 %.3f, want .92 and .93", precision, f1)
	}
}

// No two alerts of a storm are the same one: the storm waits for each.
func TestStormAlertsAreDistinct(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		seen := map[string]bool{}
		for _, a := range stormFleet(StormOptions{Seconds: 60, Faults: 24, Agents: 60, Seed: seed + 1}) {
			if seen[a.report.Key] {
				t.Fatalf("seed %d: %s fires twice", seed+1, a.report.Key)
			}
			seen[a.report.Key] = true
		}
	}
}
