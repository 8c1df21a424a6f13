package kpi

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// A question of the store has room for 160 measures, and anybody may add figures:
// one team's must not end everybody's.
func TestManyFiguresAreAskedInParts(t *testing.T) {
	t.Parallel()
	defs := Catalogue()
	for i := range 100 {
		d := &Definition{
			ID: fmt.Sprint("k", i), Title: "t", About: "a", Owner: "o", Unit: "count", Direction: "none", Custom: true, Team: "a",
			Mean: &Mean{Table: "runs", Field: "steps", Among: fmt.Sprintf("task:t%d", i)},
		}
		if err := d.Compile(); err != nil {
			t.Fatal(err)
		}
		defs = append(defs, d)
	}
	got, err := Evaluate(t.Context(), func(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
		if len(q.Select) > measuresAtOnce {
			t.Errorf("%d measures in one question of %s", len(q.Select), q.Table)
		}
		res := &telemetry.Result{Rows: [][]any{{}}}
		for _, m := range q.Select {
			res.Columns = append(res.Columns, telemetry.Column{Name: m.As, Kind: "measure"})
			res.Rows[0] = append(res.Rows[0], 10.0)
		}
		return res, nil
	}, defs, Question{From: time.Now().Add(-time.Hour), To: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if f := got["k99"].Cells; len(f) != 1 || f[0].N == 0 {
		t.Errorf("the last of them: %+v", f)
	}
}

// What is not in the store is asked for outside, and unknown where nobody knows.
func TestOutside(t *testing.T) {
	t.Parallel()
	var defs []*Definition
	for _, d := range Catalogue() {
		if d.ID == "csat" || d.ID == "groundedness" {
			defs = append(defs, d)
		}
	}
	q := Question{From: time.Unix(0, 0), To: time.Unix(3600, 0), Outside: func(_ context.Context, id string, _ *Question) ([]Cell, bool, error) {
		return []Cell{{Figure: ShareFigure(3, 4)}}, id == "csat", nil
	}}
	out, err := Evaluate(t.Context(), nil, defs, q)
	if err != nil {
		t.Fatal(err)
	}
	if f := out["csat"].Whole(); f.Value == nil || *f.Value != .75 || f.N != 4 || *f.Low >= .75 {
		t.Errorf("satisfaction %+v", f)
	}
	if f := out["groundedness"].Whole(); f.Value != nil || f.Why == "" {
		t.Errorf("what nobody supplies %+v", f)
	}
	q.Outside = func(context.Context, string, *Question) ([]Cell, bool, error) { return nil, false, context.Canceled }
	if _, err := Evaluate(t.Context(), nil, defs, q); err == nil {
		t.Error("an error outside is not told")
	}
}

// TestPathsAreCountedWhole: the entropy of more orders of tool calls than an answer
// has rows is that of all of them, and a figure of which a part is missing is
// unknown.
func TestPathsAreCountedWhole(t *testing.T) {
	t.Parallel()
	const paths = 1 << 15 // as many, each of one run: 15 bits, and half a bit for what was not seen
	var bins telemetry.Bins
	for i := range paths {
		bins = append(bins, telemetry.Bin{Key: uint64(i), N: 1})
	}
	d := Catalogue()[slices.IndexFunc(Catalogue(), func(d *Definition) bool { return d.ID == "path_entropy" })]
	cut := false
	ask := func(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
		if slices.Contains(q.GroupBy, "path") || len(q.Select) != 1 || q.Select[0].Func != "bins" {
			t.Errorf("asked by %v for %v", q.GroupBy, q.Select)
		}
		return &telemetry.Result{
			Columns: []telemetry.Column{{Name: "agent", Kind: "dimension"}, {Name: "task", Kind: "dimension"}, {Name: "n", Kind: "measure"}},
			Rows:    [][]any{{"a", "refund", bins}}, Cut: cut,
		}, nil
	}
	figure := func() Figure {
		t.Helper()
		all, err := Evaluate(t.Context(), ask, []*Definition{d}, Question{From: time.Now().Add(-time.Hour), To: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return all[d.ID].Whole()
	}
	if f := figure(); f.Value == nil || f.N != paths || math.Abs(*f.Value-15) > 0.8 {
		t.Errorf("%d runs of as many paths have %v", paths, f)
	}
	cut = true
	if f := figure(); f.Value != nil || f.Why == "" {
		t.Errorf("a figure of some of the paths is %v", f)
	}
}

// The median's interval has the ranks of the binomial: of 6 values the ends, of 20 the
// sixth from each side.
func TestMedianFigure(t *testing.T) {
	t.Parallel()
	of := func(n int) []float64 {
		var out []float64
		for i := range n {
			out = append(out, float64((i*7)%n+1)) // 1 to n, in another order: 7 divides none of them
		}
		return out
	}
	for n, want := range map[int][3]float64{6: {3.5, 1, 6}, 20: {10.5, 6, 15}, 101: {51, 41, 61}} {
		f := MedianFigure(of(n))
		if f.N != int64(n) || *f.Value != want[0] || *f.Low != want[1] || *f.High != want[2] {
			t.Errorf("%d: %v %v %v", n, *f.Value, *f.Low, *f.High)
		}
	}
	if f := MedianFigure(of(5)); *f.Value != 3 || f.Low != nil || f.High != nil {
		t.Errorf("%+v", f)
	}
	if f := MedianFigure(nil); f.Value != nil || f.Why == "" {
		t.Errorf("%+v", f)
	}
}

// TestALedgerOfAPartIsNone: of more tasks and outcomes than an answer has there is no
// ledger, and it says why.
func TestALedgerOfAPartIsNone(t *testing.T) {
	t.Parallel()
	cut := func(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
		return &telemetry.Result{Cut: true, Columns: []telemetry.Column{{Name: "task", Kind: "dimension"}, {Name: "outcome", Kind: "dimension"}, {Name: "n", Kind: "measure"}}, Rows: [][]any{{"refund", "resolved", int64(10)}}}, nil
	}
	a := &Assumptions{Hour: Assumption{50, 40, 60}, Tasks: map[string]Worth{"": {Minutes: Assumption{3, 2, 4}}}}
	q := Question{From: time.Unix(0, 0), To: time.Unix(3600, 0), Ledger: a}
	var defs []*Definition
	for _, d := range Catalogue() {
		if d.Ledger != "" || d.Repeat != nil {
			defs = append(defs, d)
		}
	}
	for _, by := range []string{"", "agent"} {
		q.By = by
		out, err := Evaluate(t.Context(), cut, defs, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range defs {
			if f := out[d.ID].Whole(); f.Value != nil || f.Why == "" {
				t.Errorf("%s by %q: %+v", d.ID, by, f)
			}
		}
	}
	if _, err := Value(t.Context(), cut, q); !fault.Is(err, fault.KindExhausted) {
		t.Errorf("the page of it: %v", err)
	}
}
