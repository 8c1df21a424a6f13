package forest

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

var names = []string{"steps", "tokens", "latency", "cost", "tools", "errors"}

// usual is a point of an agent: tokens go with steps, cost with tokens.
func usual(r *rand.Rand) []float64 {
	steps := 4 + float64(r.IntN(5))
	tokens := steps * 300 * math.Exp(.2*r.NormFloat64())
	return []float64{steps, tokens, 2 * math.Exp(.4*r.NormFloat64()), tokens * .00001 * math.Exp(.1*r.NormFloat64()), float64(1 + r.IntN(3)), float64(r.IntN(2))}
}

func TestFinds(t *testing.T) {
	t.Parallel()
	alarms, weeks, found, named, tried := 0, 0.0, 0, 0, 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := New(names, seed, Options{})
		for i := range 4000 {
			v := f.Look(usual(r))
			if i >= 1000 && v.Alarm {
				alarms++
			}
		}
		weeks += 3
		for k, odd := range []func(p []float64){
			func(p []float64) { p[2] = 60 },
			func(p []float64) { p[5] = 9 },
			func(p []float64) { p[1], p[3] = 30_000, .3 },
			func(p []float64) { p[0], p[4] = 40, 9 },
		} {
			f.rest = 0
			p := usual(r)
			odd(p)
			tried++
			v := f.Look(p)
			if !v.Alarm {
				continue
			}
			found++
			want := [][]string{{"latency"}, {"errors"}, {"tokens", "cost"}, {"steps", "tools"}}[k]
			if v.Parts[0].Name == want[0] || v.Parts[0].Name == want[len(want)-1] {
				named++
			}
			sum := 0.0
			for _, part := range v.Parts {
				sum += part.Share
			}
			if sum > 1+1e-9 {
				t.Errorf("shares add up to %v", sum)
			}
			for range 30 {
				f.Look(usual(r))
			}
		}
	}
	t.Logf("%d false alarms in %.0f weeks; %d of %d found, %d named", alarms, weeks, found, tried, named)
	if float64(alarms) > 1.5*weeks || found < tried*9/10 || named < found*8/10 {
		t.Errorf("%d false alarms in %.0f weeks; %d of %d found, %d named", alarms, weeks, found, tried, named)
	}
}

// Not in parallel: it counts allocations.
func TestBounds(t *testing.T) {
	f := New(names, 1, Options{})
	if s := unsafe.Sizeof(*f); s > 80<<10 {
		t.Errorf("a forest takes %d bytes", s)
	}
	r := rand.New(rand.NewPCG(2, 2))
	nan := []float64{math.NaN(), math.Inf(1), math.NaN(), math.NaN(), math.Inf(-1), math.NaN()}
	for i := range 2000 {
		p := usual(r)
		if i%5 == 0 {
			p = nan
		}
		if v := f.Look(p); math.IsNaN(v.Score) || math.IsNaN(v.P) {
			t.Fatalf("%+v", v)
		}
		if f.Look(p[:2]).Alarm {
			t.Error("half a point is an alarm")
		}
	}
	p := usual(r)
	if n := testing.AllocsPerRun(100, func() { f.rest = 5; f.Look(p) }); n != 0 {
		t.Errorf("%v allocations a point", n)
	}
	if v := New(nil, 1, Options{}).Look(nil); v.Alarm {
		t.Error("a point of nothing is an alarm")
	}
	a, b := New(names, 3, Options{}), New(names, 3, Options{})
	for range 1000 {
		p := usual(r)
		if x, y := a.Look(p), b.Look(p); x.Score != y.Score {
			t.Fatal("the same points give other answers")
		}
	}
}

func BenchmarkLook(b *testing.B) {
	f := New(names, 1, Options{})
	r := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		f.Look(usual(r))
	}
	p := usual(r)
	b.ReportAllocs()
	for b.Loop() {
		f.rest = 5
		f.Look(p)
	}
}
