package counts

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

func poisson(r *rand.Rand, mean float64) float64 {
	n, p, limit := 0.0, r.Float64(), math.Exp(-mean)
	for p > limit {
		p *= r.Float64()
		n++
	}
	return n
}

func binomial(r *rand.Rand, n int, p float64) (k float64) {
	for range n {
		if r.Float64() < p {
			k++
		}
	}
	return k
}

// A week of minutes in which nothing changes: no more alarms than were asked for
// on average, over rates from rare to frequent and over bursty ones.
func TestStationary(t *testing.T) {
	t.Parallel()
	weeks, alarms := 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		mean := []float64{.05, 1, 6, 20}[seed%4]
		bursty := seed%8 > 3
		rate, ratio := NewRate(Options{}), NewRatio(Options{MinCount: 3})
		for range 7 * 24 * 60 {
			m := mean
			if bursty {
				m *= 2 * r.Float64()
			}
			if rate.Look(poisson(r, m), 1).Alarm {
				alarms++
			}
			if ratio.Look(binomial(r, 12, .08), 12).Alarm {
				alarms++
			}
		}
		weeks += 2
	}
	if alarms > weeks {
		t.Errorf("%d false alarms in %d weeks where one a week was asked for", alarms, weeks)
	}
	t.Logf("%d false alarms in %d series-weeks", alarms, weeks)
}

// Changes of the size that is asked for are found within a few windows.
func TestChanges(t *testing.T) {
	t.Parallel()
	found, late := 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		rate, ratio := NewRate(Options{Direction: Up}), NewRatio(Options{MinCount: 3})
		for range 500 {
			rate.Look(poisson(r, 6), 1)
			ratio.Look(binomial(r, 20, .05), 20)
		}
		for i := range 10 {
			a, b := rate.Look(poisson(r, 24), 1), ratio.Look(binomial(r, 20, .5), 20)
			if a.Alarm {
				found++
			}
			if b.Alarm {
				found++
			}
			if (a.Alarm || b.Alarm) && i > 2 {
				late++
			}
			if a.Alarm && (!a.Rising || a.Ratio < 1.5 || a.P > 1e-4) {
				t.Errorf("%+v", a)
			}
		}
	}
	if found < 78 || late > 4 {
		t.Errorf("%d of 80 changes found, %d late", found, late)
	}
}

// The options bind: small effects, small counts, the other direction, rest.
func TestOptions(t *testing.T) {
	t.Parallel()
	learnt := func(o Options) *Rate {
		r := NewRate(o)
		for i := range 300 {
			r.Look(float64(10+i%3-1), 1)
		}
		return r
	}
	if v := learnt(Options{}).Look(40, 1); !v.Alarm || math.Abs(v.Expected-10) > .2 {
		t.Errorf("%+v", v)
	}
	for name, v := range map[string]Verdict{
		"effect":    learnt(Options{MinEffect: 5}).Look(40, 1),
		"count":     learnt(Options{MinCount: 50}).Look(40, 1),
		"direction": learnt(Options{Direction: Down}).Look(40, 1),
		"learning":  learnt(Options{MinWindows: 1000}).Look(40, 1),
		"exposure":  learnt(Options{}).Look(40, 4),
	} {
		if v.Alarm {
			t.Errorf("%s: %+v", name, v)
		}
	}
	r := learnt(Options{Rest: 3})
	if !r.Look(60, 1).Alarm {
		t.Fatal("no alarm")
	}
	for range 3 {
		if v := r.Look(90, 1); v.Alarm || !v.Resting {
			t.Errorf("in its rest: %+v", v)
		}
	}
	if !r.Look(300, 1).Alarm {
		t.Error("after its rest")
	}
	if v := learnt(Options{}).Look(0, 1); !v.Alarm || v.Rising {
		t.Errorf("silence: %+v", v)
	}
}

// Not in parallel: it counts allocations.
func TestBadInput(t *testing.T) {
	rate, ratio := NewRate(Options{}), NewRatio(Options{})
	before, was := *rate, *ratio
	for _, x := range []float64{-1, math.NaN(), math.Inf(1)} {
		rate.Look(x, 1)
		rate.Look(1, x)
		ratio.Look(x, 2)
		ratio.Look(1, x)
	}
	rate.Look(1, 0)
	ratio.Look(3, 2)
	if *rate != before || *ratio != was {
		t.Error("what is no count was learnt")
	}
	if s := unsafe.Sizeof(*rate); s > 200 {
		t.Errorf("a series takes %d bytes", s)
	}
	if n := testing.AllocsPerRun(100, func() { rate.Look(3, 1); ratio.Look(1, 9) }); n != 0 {
		t.Errorf("%v allocations a window", n)
	}
}

func BenchmarkRate(b *testing.B) {
	r := NewRate(Options{})
	for i := range b.N {
		r.Look(float64(i%13), 1)
	}
}
