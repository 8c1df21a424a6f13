package telemetry

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBins: a bin holds what falls into it, is as narrow as is said, and quantiles
// of sums of bins are those of all values.
func TestBins(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var all []float64
	var parts []Bins
	for range 7 {
		counts := map[uint64]int64{}
		for range 2000 {
			v := math.Round(math.Exp(r.NormFloat64()*3)*1e9) / 1e6 // ms, from ns to hours
			all = append(all, v)
			key := BinKey(v, "ms")
			low, high := BinBounds(key, "ms")
			if v < low || v > high {
				t.Fatalf("%v is in the bin from %v to %v", v, low, high)
			}
			if mid := (low + high) / 2; math.Abs(mid-v) > BinError*v {
				t.Fatalf("%v is shown as %v", v, mid)
			}
			counts[key]++
		}
		var b Bins
		for key, n := range counts {
			b = append(b, Bin{key, n})
		}
		slices.SortFunc(b, func(x, y Bin) int { return int(x.Key) - int(y.Key) })
		parts = append(parts, b)
	}
	slices.Sort(all)
	sum := AddBins(parts...)
	if sum.Total() != int64(len(all)) {
		t.Fatalf("%d values, want %d", sum.Total(), len(all))
	}
	for _, q := range []float64{0, 0.001, 0.05, 0.5, 0.95, 0.999, 1} {
		want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
		key, ok := sum.At(q)
		if low, high := BinBounds(key, "ms"); !ok || want < low || want > high {
			t.Errorf("quantile %v is from %v to %v, want %v", q, low, high, want)
		}
	}
	if _, ok := (Bins{}).At(0.5); ok {
		t.Error("there is a quantile of nothing")
	}
	for _, v := range []float64{0, 1, 2047, 4095} { // small counts have bins of their own
		if low, high := BinBounds(BinKey(v, "count"), "count"); low != v || high != v {
			t.Errorf("%v is from %v to %v", v, low, high)
		}
	}
}
