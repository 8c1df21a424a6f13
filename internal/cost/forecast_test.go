package cost

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The forecast is held against what came: 400 synthetic agents of four kinds, each
// looked at on a day of its month. The 95 % interval holds the month's end in at
// least 90 of 100, and the middle is off by at most 1.4 times what the better of the
// two guesses is that people make: yesterday times the days left, and the mean so
// far, which is the best there is where nothing changes.
func TestForecastIsBacktested(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(r *rand.Rand, day int, level *float64) float64{
		"steady": func(r *rand.Rand, _ int, level *float64) float64 {
			return *level * math.Exp(0.25*r.NormFloat64())
		},
		"weekdays": func(r *rand.Rand, day int, level *float64) float64 {
			v := *level * math.Exp(0.2*r.NormFloat64())
			if day%7 >= 5 {
				v *= 0.1
			}
			return v
		},
		"wandering": func(r *rand.Rand, _ int, level *float64) float64 {
			*level *= math.Exp(0.05 * r.NormFloat64())
			return *level * math.Exp(0.15*r.NormFloat64())
		},
		"growing": func(r *rand.Rand, _ int, level *float64) float64 {
			*level *= 1.005
			return *level * math.Exp(0.2*r.NormFloat64())
		},
	}
	for name, make := range kinds {
		r := rand.New(rand.NewPCG(7, uint64(len(name))))
		inside, n := 0, 100
		var off, byMean, byLast []float64
		for range n {
			level := 10 + 90*r.Float64()
			known, left := 21+r.IntN(36), 5+r.IntN(20)
			series := []float64{}
			for d := range known + left {
				series = append(series, make(r, d, &level))
			}
			past, next := series[:known], 0.0
			for _, v := range series[known:] {
				next += v
			}
			ends := ahead(past, 1, left, 0, seedOf(past))
			slices.Sort(ends)
			mean, all := 0.0, 0.0
			for _, v := range ends {
				mean += v / float64(len(ends))
			}
			for _, v := range past {
				all += v / float64(len(past))
			}
			if low, high := ends[len(ends)/40], ends[len(ends)-1-len(ends)/40]; next >= low && next <= high {
				inside++
			}
			off = append(off, math.Abs(mean-next)/next)
			byMean = append(byMean, math.Abs(all*float64(left)-next)/next)
			byLast = append(byLast, math.Abs(past[len(past)-1]*float64(left)-next)/next)
		}
		mid := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
		t.Logf("%s: inside %d of %d, off by %.3f (mean so far %.3f, yesterday %.3f)", name, inside, n, mid(off), mid(byMean), mid(byLast))
		if inside < 90 {
			t.Errorf("%s: the interval holds %d of %d ends, want at least 90", name, inside, n)
		}
		if mid(off) > 1.4*min(mid(byMean), mid(byLast)) {
			t.Errorf("%s: off by %.3f; the mean so far by %.3f, yesterday by %.3f", name, mid(off), mid(byMean), mid(byLast))
		}
	}
}

// The same series gives the same figure, nothing spent gives nothing, and what is
// spent today already is the least that today costs.
func TestForecastEdges(t *testing.T) {
	t.Parallel()
	past := []float64{5, 6, 5, 7, 5, 6, 5, 6, 5, 7}
	a, b := ahead(past, 0, 5, 0, seedOf(past)), ahead(past, 0, 5, 0, seedOf(past))
	if !slices.Equal(a, b) {
		t.Error("the same series gave two forecasts")
	}
	for _, v := range ahead(past, 0, 1, 400, 1) {
		if v < 400 {
			t.Fatalf("today comes to %v, and 400 are spent already", v)
		}
	}
	for _, v := range ahead(make([]float64, 30), 0, 5, 0, 1) {
		if v != 0 {
			t.Fatalf("nothing was ever spent, and %v is expected", v)
		}
	}
}
