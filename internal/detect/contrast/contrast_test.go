package contrast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Counts, shares and interval of a row are Newcombe's: his worked example of 56
// of 70 against 48 of 80.
func TestDifference(t *testing.T) {
	t.Parallel()
	var table Table
	for i := range 70 {
		table.Add([]Attribute{{"v", fmt.Sprint(i < 56)}}, true)
	}
	for i := range 80 {
		table.Add([]Attribute{{"v", fmt.Sprint(i < 48)}}, false)
	}
	got := table.Rank(0)
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	d := got[0]
	if math.Abs(math.Abs(d.Effect)-.2) > 1e-9 {
		t.Errorf("%+v", d)
	}
	low, high := d.Low, d.High
	if d.Value == "false" {
		low, high = -high, -low
	}
	if math.Abs(low-.0524) > 1e-3 || math.Abs(high-.3339) > 1e-3 {
		t.Errorf("interval %v to %v, want .0524 to .3339", low, high)
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	var table, chance Table
	for i := range 3000 {
		version := []string{"v1", "v2", "v3"}[r.IntN(3)]
		row := []Attribute{{"version", version}, {"team", fmt.Sprint("t", r.IntN(5))}, {"run", fmt.Sprint(i)}, {"tool", "search"}, {"tool", "search"}, {"tool", fmt.Sprint("x", r.IntN(4))}}
		failed := r.Float64() < .03 || version == "v3" && r.Float64() < .4
		table.Add(row, failed)
		chance.Add(row, r.Float64() < .1)
	}
	got := table.Rank(2)
	if len(got) == 0 || len(got) > 2 || got[0].Name != "version" || got[0].Value != "v3" {
		t.Fatalf("%+v", got)
	}
	if d := got[0]; d.Low <= 0 || d.Low > d.Effect || d.High < d.Effect || d.Lift < 5 || d.P > 1e-6 || d.Selected > d.Of || d.Rest > d.OfRest {
		t.Errorf("%+v", d)
	}
	if n := table.counts["tool"]["search"]; n[0]+n[1] != 3000 {
		t.Errorf("a value that a row has twice counts %d times in 3000 rows", n[0]+n[1])
	}
	if got := chance.Rank(0); len(got) > 1 {
		t.Errorf("a selection by chance is set apart by %+v", got)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	var table Table
	if got := table.Rank(0); got != nil {
		t.Errorf("%+v", got)
	}
	for i := range 5000 {
		table.Add([]Attribute{{"id", fmt.Sprint(i)}, {fmt.Sprint("n", i), "x"}}, i%2 == 0)
	}
	if len(table.counts) > mostNames || len(table.counts["id"]) > mostValues+1 {
		t.Errorf("%d names, %d values", len(table.counts), len(table.counts["id"]))
	}
	if got := table.Rank(0); len(got) != 0 {
		t.Errorf("ids set nothing apart: %+v", got)
	}
	var one Table
	one.Add([]Attribute{{"a", "b"}}, true)
	if got := one.Rank(0); got != nil {
		t.Errorf("no rest: %+v", got)
	}
}

// A figure that lies apart is clear, one that chance moves is not, one known for too
// few is not judged; quantiles are by the nearest rank.
func TestMeasures(t *testing.T) {
	t.Parallel()
	var table Table
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		selected := i < 40
		slow := 100 + 10*rng.Float64()
		if selected {
			slow += 8
		}
		table.Number("slow", slow, selected)
		table.Number("chance", rng.Float64(), selected)
		table.Number("equal", 3, selected)
		if i < 4 || i > 150 {
			table.Number("few", float64(i), selected)
		}
		table.Number("unknown", math.NaN(), selected)
	}
	got := table.Measures()
	if len(got) != 4 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		name     string
		clear    bool
		selected int
	}{{"slow", true, 40}, {"chance", false, 40}, {"equal", false, 40}, {"few", false, 4}} {
		if m := got[i]; m.Name != want.name || m.Clear != want.clear || m.Selected != want.selected {
			t.Errorf("%+v, want %+v", m, want)
		}
	}
	if m := got[3]; m.Median != 1 || m.P95 != 3 || m.RestMedian != 175 {
		t.Errorf("quantiles of 0..3 and 151..199: %+v", m)
	}
	// Six against six, apart but for one: the exact tail is 2 in 924, the normal curve's .006.
	var small Table
	for i := range 6 {
		small.Number("v", float64(i), true)
		small.Number("v", float64(i)+5.5, false)
	}
	if m := small.Measures()[0]; math.Abs(m.P-.0039) > .0006 {
		t.Errorf("p of six against six apart: %v", m.P)
	}
	if len((&Table{}).Measures()) != 0 {
		t.Error("an empty table has measures")
	}
}
