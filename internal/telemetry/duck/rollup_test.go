package duck

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/telemetry/telemetrytest"
)

// TestRollupsThroughFoldAndRestart holds that a chart says the same whether its
// sums are news, in blocks, both, or read again after a restart.
func TestRollupsThroughFoldAndRestart(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(-30 * time.Hour)
	folded := openTest(t, Options{Dir: dir})
	plain := openTest(t, Options{})
	g := telemetrytest.NewGenerator(5, start)
	same := func(when string) {
		t.Helper()
		for _, bucket := range []time.Duration{time.Minute, 5 * time.Minute, time.Hour, 0} {
			for _, by := range [][]string{nil, {"agent"}, {"model"}} {
				q := telemetry.Query{
					Table: "steps", GroupBy: by, Bucket: bucket,
					Select: []telemetry.Measure{{Func: "count"}, {Func: "p95", Field: "duration_ms"}, {Func: "sum", Field: "cost"}, {Func: "sum", Field: "tokens"}},
				}
				if by != nil && by[0] == "model" {
					q.Where = &search.Cmp{Field: "call", Op: ":", Values: []string{"true"}}
				}
				want, err := plain.Query(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				got, err := folded.Query(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if want.Source != "rollups" || len(want.Rows) == 0 {
					t.Fatalf("%s: %d rows from %s", when, len(want.Rows), want.Source)
				}
				if d := cmp.Diff(want.Rows, got.Rows); d != "" {
					t.Fatalf("%s, by %v in %s:\n%s", when, by, bucket, d)
				}
			}
		}
	}
	write := func(at time.Duration) {
		t.Helper()
		g.Start = start.Add(at)
		w := g.Write(40)
		for _, d := range w.Rollups {
			d.Family, d.Key = telemetry.FamilyModel, "model-of-"+d.Team
			w.Rollups = append(w.Rollups, d)
		}
		for _, s := range []*Store{plain, folded} {
			if err := s.Append(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	fold := func() {
		t.Helper()
		if err := folded.foldRollups(true); err != nil {
			t.Fatal(err)
		}
		if n := len(folded.rolls.fresh.sums); n != 0 || folded.rolls.frozen != nil {
			t.Fatalf("%d sums are left after a fold", n)
		}
	}
	write(0)
	same("news")
	fold()
	same("blocks")
	write(10 * time.Minute)
	write(26 * time.Hour)
	same("blocks and news")
	if err := folded.Close(); err != nil {
		t.Fatal(err)
	}
	folded = openTest(t, Options{Dir: dir})
	same("after a restart")
	fold()
	write(5 * time.Minute)
	fold()
	same("folded twice")
	if err := folded.Close(); err != nil {
		t.Fatal(err)
	}
	folded = openTest(t, Options{Dir: dir})
	same("blocks after a restart")
}

// TestJoinRolled holds merging into a block against sums in a map.
func TestJoinRolled(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	all := cells{}
	var block []byte
	for round := range 40 {
		come := cells{}
		for range rng.IntN(60) {
			d := telemetry.RollupDelta{
				Minute: rng.Int64N(8), Family: telemetry.Family(rng.IntN(2)), Agent: string(rune('a' + rng.IntN(3))), Key: string(rune('x' + rng.IntN(2))),
				Team: string(rune('t' + rng.IntN(2))), Environment: "p", Count: rng.Int64N(5) - 2, CostNanos: rng.Int64N(3) - 1,
				Latency: []telemetry.Bucket{{Index: int16(rng.IntN(6) - 3), Count: rng.Int64N(5) - 2}},
			}
			if d.Latency[0].Count == 0 {
				d.Latency = nil
			}
			come.own(d.Minute, &d)
			all.add(d.Minute, &d)
		}
		var sums []*telemetry.RollupDelta
		for _, d := range come {
			sums = append(sums, d)
		}
		var to rollPacker
		var err error
		if block, err = joinRolled(&to, block, sums); err != nil {
			t.Fatal(err)
		}
		rows, err := unpackRollups(block)
		if err != nil {
			t.Fatal(err)
		}
		got := cells{}
		for i := range rows {
			if i > 0 && compareRolled(&rows[i-1].RollupDelta, &rows[i].RollupDelta) >= 0 {
				t.Fatalf("round %d: row %d is out of order", round, i)
			}
			rows[i].decode()
			d := &rows[i].RollupDelta
			got[cell{d.Minute, d.Family, d.Agent, d.Team, d.Environment, d.Key}] = d
		}
		want := cells{}
		for c, d := range all {
			x := rolled{RollupDelta: *d}
			if !x.empty() {
				want[c] = d
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(cell{})); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d sums", len(all))
	}
}

// TestMergeInto holds merging in place against merging into a new list.
func TestMergeInto(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 9))
	some := func() (out []telemetry.Bucket) {
		for i := range int16(8) {
			if rng.IntN(3) == 0 {
				out = append(out, telemetry.Bucket{Index: i - 4, Count: rng.Int64N(3)*2 - 3})
			}
		}
		return out
	}
	for range 2000 {
		a, b := some(), some()
		want := mergeBuckets(a, b)
		kept := slices.Clone(b)
		got := mergeInto(slices.Clone(a), b)
		if !slices.Equal(got, want) || !slices.Equal(b, kept) {
			t.Fatalf("%v and %v: got %v, want %v", a, b, got, want)
		}
	}
}
