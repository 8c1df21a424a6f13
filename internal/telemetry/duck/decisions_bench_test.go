package duck

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/telemetry/telemetrytest"
)

// BenchmarkDecisions asks what the console asks, over REEVE_DECISIONS rows
// (default 100,000) of some days.
func BenchmarkDecisions(b *testing.B) {
	n := 100_000
	if v, err := strconv.Atoi(os.Getenv("REEVE_DECISIONS")); err == nil {
		n = v
	}
	s := openTest(b, Options{})
	g := telemetrytest.NewGenerator(31, time.Now().UTC().Add(-time.Duration(n)*time.Second))
	began := time.Now()
	var id string
	for at := 0; at < n; at += 20_000 {
		part := g.Decisions(20_000)
		g.Start = g.Start.Add(20_000 * time.Second)
		id = part[77].ID
		if err := s.Append(b.Context(), &telemetry.Write{Partition: telemetry.PartitionDecisions, Cursor: uint64(at + 20_000), Decisions: part}); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d rows written in %s", n, time.Since(began).Round(time.Millisecond))
	st, err := s.Stats(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%.0f bytes a row", float64(st.Bytes)/float64(n))
	rare, err := search.ParseIn(search.ScopeDecision, `agent:agent-03 verdict:deny reason:policy.r1 latency>85ms`)
	if err != nil {
		b.Fatal(err)
	}
	for name, ask := range map[string]func(context.Context) error{
		"newest page": func(ctx context.Context) error {
			_, err := s.Decisions(ctx, telemetry.DecisionsQuery{Limit: 50})
			return err
		},
		"rare, in all": func(ctx context.Context) error {
			_, err := s.Decisions(ctx, telemetry.DecisionsQuery{Filter: rare, Limit: 1000})
			return err
		},
		"one by its id": func(ctx context.Context) error { _, err := s.Decision(ctx, id); return err },
		"by agent, reason, verdict": func(ctx context.Context) error {
			_, err := s.Query(ctx, telemetry.Query{
				Table: "decisions", GroupBy: []string{"agent", "reason", "verdict"},
				Select: []telemetry.Measure{{Func: "count"}, {Func: "p95", Field: "latency_ms"}, {Func: "p99", Field: "decide_ms"}},
			})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
