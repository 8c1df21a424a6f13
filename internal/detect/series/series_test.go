package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// shapes are series in which nothing is wrong.
var shapes = map[string]func(r *rand.Rand) func(i int) float64{
	"noise":  func(r *rand.Rand) func(int) float64 { return func(int) float64 { return 100 + 5*r.NormFloat64() } },
	"skewed": func(r *rand.Rand) func(int) float64 { return func(int) float64 { return math.Exp(r.NormFloat64()) } },
	"sticky": func(r *rand.Rand) func(int) float64 {
		x := 0.0
		return func(int) float64 { x = .9*x + r.NormFloat64(); return 50 + x }
	},
	"daily": func(r *rand.Rand) func(int) float64 {
		return func(i int) float64 { return 100 + 40*math.Sin(2*math.Pi*float64(i)/1440) + 4*r.NormFloat64() }
	},
	"square": func(r *rand.Rand) func(int) float64 {
		return func(i int) float64 { return float64(20+60*(i/144%2)) + r.NormFloat64() }
	},
	"flat": func(*rand.Rand) func(int) float64 { return func(int) float64 { return 45 } },
}

// Three weeks of minutes in which nothing changes: after the first, no more than
// about the alarm a week that was asked for, on average over shapes and seeds.
func TestStationary(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * 60
	total, weeks := 0, 0
	for name, shape := range shapes {
		alarms := 0
		for seed := range uint64(6) {
			next := shape(rand.New(rand.NewPCG(seed, 5)))
			d := New(Options{})
			for i := range 3 * week {
				if d.Look(next(i)).Alarm && i >= week {
					alarms++
				}
			}
		}
		t.Logf("%s: %.2f alarms a week", name, float64(alarms)/12)
		if alarms > 24 {
			t.Errorf("%s: %d alarms in 12 weeks", name, alarms)
		}
		total, weeks = total+alarms, weeks+12
	}
	if total > weeks {
		t.Errorf("%d alarms in %d weeks where one a week was asked for", total, weeks)
	}
}

// Each kind of oddness is found soon and named.
func TestKinds(t *testing.T) {
	t.Parallel()
	noise := func(r *rand.Rand) float64 { return 100 + 5*r.NormFloat64() }
	for _, c := range []struct {
		name  string
		plain func(r *rand.Rand, i int) float64
		odd   func(r *rand.Rand, i int) float64
		cause []Cause
		soon  int
	}{
		{"spike", func(r *rand.Rand, _ int) float64 { return noise(r) }, func(r *rand.Rand, _ int) float64 { return 300 }, []Cause{Jump}, 1},
		{"shift", func(r *rand.Rand, _ int) float64 { return noise(r) }, func(r *rand.Rand, _ int) float64 { return noise(r) + 20 }, []Cause{Level, Pattern}, 40},
		{"creep", func(r *rand.Rand, _ int) float64 { return noise(r) }, func(r *rand.Rand, i int) float64 { return noise(r) + float64(i)/5 }, []Cause{Level, Pattern}, 150},
		{"unrest", func(r *rand.Rand, _ int) float64 { return noise(r) }, func(r *rand.Rand, i int) float64 { return 100 + 14*r.NormFloat64() }, []Cause{Activity, Jump}, 40},
		{
			// A staircase that goes down where it always went up: each value, each
			// step's size and their frequency are as ever.
			"order", func(r *rand.Rand, i int) float64 { return float64(20*(i/20%4)) + r.NormFloat64() },
			func(r *rand.Rand, i int) float64 { return float64(20*(3-i/20%4)) + r.NormFloat64() },
			[]Cause{Pattern, Level},
			200,
		},
	} {
		found, named := 0, 0
		for seed := range uint64(10) {
			r := rand.New(rand.NewPCG(seed, 6))
			d := New(Options{AlarmsPerWeek: 3})
			for i := range 6000 {
				d.Look(c.plain(r, i))
			}
			d.quiet, d.rest = 0, resting{}
			for i := range c.soon {
				v := d.Look(c.odd(r, i))
				if !v.Alarm {
					continue
				}
				found++
				if slices.Contains(c.cause, v.Cause) {
					named++
				}
				if v.Score < v.Limit || v.Learning || v.Cause == None {
					t.Errorf("%s: %+v", c.name, v)
				}
				break
			}
		}
		t.Logf("%s: %d of 10 found, %d named", c.name, found, named)
		if found < 8 || named < 7 {
			t.Errorf("%s: %d of 10 found, %d named", c.name, found, named)
		}
	}
}

// The score of a value does not depend on what comes after it, nor on the unit.
func TestNoLookAhead(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 7))
	whole, part, scaled := New(Options{}), New(Options{}), New(Options{})
	for i := range 3000 {
		v := r.ExpFloat64()
		a, s := whole.Look(v), scaled.Look(v*1024)
		if math.Abs(a.Score-s.Score) > 1e-3 {
			t.Fatalf("value %d: %v in one unit, %v in another", i, a.Score, s.Score)
		}
		if i < 1500 {
			if b := part.Look(v); a != b {
				t.Fatalf("value %d: %+v and %+v", i, a, b)
			}
		}
	}
}

func TestRestAndEffect(t *testing.T) {
	t.Parallel()
	run := func(o Options) (first Verdict, after int) {
		r := rand.New(rand.NewPCG(3, 8))
		d := New(o)
		for range 3000 {
			d.Look(100 + r.NormFloat64())
		}
		d.quiet, d.rest = 0, resting{}
		first = d.Look(140)
		for range 100 {
			if v := d.Look(140 + 20*r.NormFloat64()); v.Alarm {
				after++
			}
		}
		return first, after
	}
	if v, again := run(Options{}); !v.Alarm || again != 0 || math.Abs(v.Expected-100) > 1 {
		t.Errorf("%+v, then %d alarms", v, again)
	}
	if v, _ := run(Options{MinEffect: .9}); v.Alarm || v.Score < v.Limit {
		t.Errorf("a small effect: %+v", v)
	}
}

// Not in parallel: it counts allocations.
func TestBounds(t *testing.T) {
	d := New(Options{})
	if s := unsafe.Sizeof(*d); s > 8<<10 {
		t.Errorf("a series takes %d bytes", s)
	}
	for i := range 500 {
		d.Look(float64(i % 7))
	}
	before := *d
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if d.Look(v).Alarm {
			t.Errorf("%v is an alarm", v)
		}
	}
	if *d != before {
		t.Error("what is no value was learnt")
	}
	if n := testing.AllocsPerRun(100, func() { d.Look(3) }); n != 0 {
		t.Errorf("%v allocations a value", n)
	}
	for _, v := range []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0} {
		for range 50 {
			if w := d.Look(v); math.IsNaN(w.Score) || math.IsNaN(w.Raw) {
				t.Fatalf("%v: %+v", v, w)
			}
		}
	}
}

// A series far longer than the tables' counters goes on being judged.
func TestLong(t *testing.T) {
	t.Parallel()
	d := New(Options{})
	r := rand.New(rand.NewPCG(9, 9))
	for range 200_000 {
		d.Look(10 + r.Float64())
	}
	d.quiet, d.rest = 0, resting{}
	if v := d.Look(40); !v.Alarm {
		t.Errorf("%+v", v)
	}
}

func BenchmarkLook(b *testing.B) {
	d := New(Options{})
	r := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 4096)
	for i := range values {
		values[i] = r.ExpFloat64()
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Look(values[i%len(values)])
	}
}
