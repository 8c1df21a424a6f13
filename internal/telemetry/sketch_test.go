package telemetry

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSketchQuantilesAreWithinTwoPercent(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var s Sketch
	var all []float64
	for range 20000 {
		ns := int64(math.Exp(r.NormFloat64()*2 + 18))
		all = append(all, float64(ns))
		s.Add(Bucket{Index(ns), 1})
		other := r.Int64N(1e12)
		s.Add(Bucket{Index(other), 1})
		s.Add(Bucket{Index(other), -1}) // taken back
	}
	slices.Sort(all)
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
		got, ok := s.Quantile(q)
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if !ok || math.Abs(got-want) > 0.021*want {
			t.Errorf("quantile %v = %v, want %v within 2 %%", q, got, want)
		}
	}
}

func TestIndexIsInsideItsBounds(t *testing.T) {
	t.Parallel()
	for _, ns := range []int64{-5, 0, 1, 2, 3, 999, 1e6, 123456789, 3600e9, math.MaxInt64} {
		above, upTo := Bounds(Index(ns))
		v := math.Max(float64(ns), 0)
		if ns > 1 && (v <= above*(1-1e-9) || v > upTo*(1+1e-9)) {
			t.Errorf("%d is in bucket %d, which holds (%v, %v]", ns, Index(ns), above, upTo)
		}
	}
	var empty Sketch
	if _, ok := empty.Quantile(0.5); ok {
		t.Error("an empty sketch has a quantile")
	}
}
