package predict

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// made is a run of an agent of which failed ones take one tool more often and
// apologise; everything else varies by itself.
func made(r *rand.Rand, failed bool) []Step {
	steps := []Step{{Kind: User, Text: "please look at case 17"}}
	for range 3 + r.IntN(6) {
		steps = append(steps, Step{Kind: Calls, Tool: "search", Text: `{"case": 17}`}, Step{Kind: Result, Text: "found 3 of 17", Failed: r.IntN(4) == 0})
	}
	if r.Float64() < .2 != failed {
		steps = append(steps, Step{Kind: Calls, Tool: "override", Text: `{"code": "x99"}`}, Step{Kind: Result, Text: "done"})
	}
	if r.Float64() < .3 != failed {
		steps = append(steps, Step{Kind: Says, Text: "I am sorry, that is not possible"})
	}
	return append(steps, Step{Kind: Says, Text: "case 17 is closed"})
}

func judged(r *rand.Rand, n int) (out []Judged) {
	for i := range n {
		out = append(out, Judged{Look(made(r, i%3 == 0)), i%3 == 0})
	}
	return out
}

func TestItLearns(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	m, err := Fit(judged(r, 120), 0)
	if err != nil {
		t.Fatal(err)
	}
	right, n := 0.0, 0.0
	var bad, good []float64
	for _, j := range judged(r, 300) {
		p, parts := m.Chance(j.Run)
		if !(p >= 0 && p <= 1) || len(parts) == 0 || math.Abs(parts[0].Adds) < math.Abs(parts[len(parts)-1].Adds) {
			t.Fatalf("%v %v", p, parts)
		}
		if j.Failed {
			bad = append(bad, p)
		} else {
			good = append(good, p)
		}
	}
	for _, b := range bad {
		for _, g := range good {
			n++
			if b > g {
				right++
			}
		}
	}
	if right/n < .85 {
		t.Errorf("a failed run is above a good one in %.2f of pairs", right/n)
	}
	// What tells them apart is named among the first, and speaks for failure.
	_, parts := m.Chance(Look([]Step{
		{Kind: User, Text: "please look at case 17"},
		{Kind: Calls, Tool: "search", Text: `{"case": 17}`},
		{Kind: Calls, Tool: "override", Text: `{"code": "x99"}`},
		{Kind: Says, Text: "I am sorry, that is not possible"},
	}))
	found := 0
	for _, p := range parts[:6] {
		if (p.Name == "override" || p.Name == "refusals and apologies") && p.Adds > 0 {
			found++
		}
	}
	if found != 2 {
		t.Errorf("the first are %+v", parts[:6])
	}
}

func TestNothingToLearn(t *testing.T) {
	t.Parallel()
	if _, err := Fit(nil, 0); !errors.Is(err, ErrFew) {
		t.Error(err)
	}
	all := judged(rand.New(rand.NewPCG(2, 2)), 60)
	for i := range all {
		all[i].Failed = i < 3
	}
	if _, err := Fit(all, 0); !errors.Is(err, ErrFew) {
		t.Error(err)
	}
	// Runs that are all alike: there is a model, and it says nothing.
	for i := range all {
		all[i] = Judged{Look(nil), i%2 == 0}
	}
	m, err := Fit(all, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := m.Chance(Look(nil)); math.Abs(p-.5) > 1e-6 {
		t.Errorf("%v", p)
	}
	if p, _ := m.Chance(Look(made(rand.New(rand.NewPCG(3, 3)), true))); math.IsNaN(p) {
		t.Error("a run unlike all others has no chance")
	}
}

func TestSolve(t *testing.T) {
	t.Parallel()
	h := [][]float64{{4, 0, 0}, {2, 5, 0}, {1, 3, 6}}
	x := cholesky(h, []float64{9, 21, 25})
	full := [][]float64{{4, 2, 1}, {2, 5, 3}, {1, 3, 6}}
	for i, want := range []float64{9, 21, 25} {
		if got := dot(full[i], x); math.Abs(got-want) > 1e-9 {
			t.Errorf("row %d: %v, want %v", i, got, want)
		}
	}
}
