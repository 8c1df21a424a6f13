package duck

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// BenchmarkChart measures a day's chart of 20 of 50 agents in 5-minute buckets,
// as five million steps of that day leave it, while news come and are folded.
func BenchmarkChart(b *testing.B) {
	const minutes, agents, steps = 1440, 50, 70 // a minute and agent
	ctx := context.Background()
	s := openTest(b, Options{})
	first := time.Now().UTC().Truncate(24*time.Hour).Unix()/60 - minutes
	r := rand.New(rand.NewPCG(1, 2))
	cursor := uint64(0)
	load := func(from, to int64) {
		b.Helper()
		cursor++
		w := &telemetry.Write{Cursor: cursor, Received: 1}
		for m := from; m < to; m++ {
			for a := range agents {
				var sketch telemetry.Sketch
				for range steps {
					sketch.Add(telemetry.Bucket{Index: telemetry.Index(int64(1e7 * r.ExpFloat64() * float64(1+a))), Count: 1})
				}
				w.Rollups = append(w.Rollups, telemetry.RollupDelta{
					Minute: m, Agent: fmt.Sprintf("agent-%02d", a), Environment: "production", Runs: 7, Count: steps, Errors: 2, InputTotal: 1000 * steps,
					OutputTotal: 100 * steps, CostNanos: 12_345_678, Latency: sketch.Buckets(),
				})
			}
		}
		if err := s.Append(ctx, w); err != nil {
			b.Fatal(err)
		}
	}
	for m := int64(0); m < minutes; m += 20 {
		load(first+m, first+m+20)
	}
	if err := s.foldRollups(true); err != nil {
		b.Fatal(err)
	}
	q := telemetry.Query{
		Table: "steps", GroupBy: []string{"agent"}, Bucket: 5 * time.Minute, From: time.Unix(first*60, 0), To: time.Unix((first+minutes)*60, 0),
		Select: []telemetry.Measure{{Func: "count"}, {Func: "p95", Field: "duration_ms"}, {Func: "sum", Field: "cost"}, {Func: "sum", Field: "errors"}},
	}
	top := q
	var names []string
	for a := range 20 {
		names = append(names, fmt.Sprintf("agent-%02d", 2*a))
	}
	top.Where = &search.Cmp{Field: "agent", Op: ":", Values: names}
	for name, q := range map[string]telemetry.Query{"top20": top, "all": q} {
		for _, state := range []string{"folded", "news", "cold"} {
			b.Run(name+"/"+state, func(b *testing.B) {
				if state == "news" {
					load(first+minutes-30, first+minutes-5)
				}
				for range b.N {
					if state == "cold" {
						s.rolls.cache = rollCache{}
					}
					res, err := s.Query(ctx, q)
					if err != nil || res.Source != "rollups" || len(res.Rows) < 288*20 {
						b.Fatal(err, len(res.Rows))
					}
				}
			})
		}
	}
}
