package watch

import (
	"math"
	"math/rand/v2"
	"testing"
)

// On values that are what they always were, a threshold of p is passed about as
// often as p says, and values that never were are rare.
func TestTailHolds(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(*rand.Rand) float64{
		"log normal":  func(r *rand.Rand) float64 { return math.Exp(0.5 * r.NormFloat64()) },
		"exponential": func(r *rand.Rand) float64 { return r.ExpFloat64() + 0.01 },
		"small cost":  func(r *rand.Rand) float64 { return 1e-9 * (1 + r.Float64()) },
		"pareto":      func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -0.4) },
	} {
		r := rand.New(rand.NewPCG(1, 2))
		var tl tail
		alarms, judged := 0, 0
		const p = 1e-3
		for range 40_000 {
			x := draw(r)
			if tl.seen >= warm {
				judged++
				if tl.above(x) <= p {
					alarms++
				}
			}
			tl.add(x)
		}
		if want := p * float64(judged); float64(alarms) > 3*want {
			t.Errorf("%s: %d alarms of %d, want about %.0f", name, alarms, judged, want)
		}
		if got := tl.above(tl.quantile(0.999) * 20); got > 1e-3 {
			t.Errorf("%s: twenty times the largest has p %g", name, got)
		}
		if m := tl.median(); tl.above(m) < 0.3 || tl.below(m) < 0.3 {
			t.Errorf("%s: the median is rare: %g %g", name, tl.above(m), tl.below(m))
		}
	}
}

func TestTailKnowsNothingAtFirst(t *testing.T) {
	t.Parallel()
	var tl tail
	for range warm - 1 {
		tl.add(1)
	}
	if tl.above(1e9) != 1 || tl.below(1e-9) != 1 {
		t.Error("judged before it was warm")
	}
	tl.add(1)
	if p := tl.above(1e3); p > 1e-3 {
		t.Errorf("a thousand times everything has p %g", p)
	}
	tl.add(0)
	tl.add(-4)
	tl.add(math.Inf(1))
	if p := tl.above(2); math.IsNaN(p) || p <= 0 {
		t.Errorf("odd values spoil it: %g", p)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	var s share
	for i := range 1000 {
		s.add(i%20 == 0)
	}
	if p := s.atLeast(1, 20); p < 0.5 {
		t.Errorf("one of twenty has p %g", p)
	}
	if p := s.atLeast(12, 20); p > 1e-6 {
		t.Errorf("twelve of twenty has p %g", p)
	}
	if p := s.atLeast(0, 20); math.Abs(p-1) > 1e-9 {
		t.Errorf("none or more has p %g", p)
	}
}
