package duck

import (
	"context"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

// BenchmarkSteps reads runs by id from merged segments.
func BenchmarkSteps(b *testing.B) {
	s := openTest(b, Options{})
	g := telemetrytest.NewGenerator(1, time.Now().UTC().Truncate(24*time.Hour))
	var ids []activity.RunID
	for range 20 {
		w := g.Write(2000)
		if err := s.Append(context.Background(), w); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, w.Runs[7].ID)
	}
	if err := s.maintain(context.Background(), true); err != nil {
		b.Fatal(err)
	}
	i := 0
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			got, err := s.Steps(context.Background(), ids[i%len(ids)])
			if err != nil || len(got) == 0 {
				b.Fatal(len(got), err)
			}
			i++
		}
	})
	b.Run("light", func(b *testing.B) {
		for b.Loop() {
			got, err := s.StepsPage(context.Background(), ids[i%len(ids)], telemetry.StepsQuery{Limit: 10_000, Light: true})
			if err != nil || len(got.Steps) == 0 {
				b.Fatal(len(got.Steps), err)
			}
			i++
		}
	})
}
