package drift

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestDistances(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"KS of equal", KS([]float64{1, 2, 3}, []float64{3, 2, 1}), 0},
		{"KS of apart", KS([]float64{1, 2}, []float64{3, 4}), 1},
		{"KS of half", KS([]float64{1, 2, 3, 4}, []float64{3, 4, 5, 6}), .5},
		{"KS with ties", KS([]float64{1, 1, 1, 2}, []float64{1, 2, 2, 2}), .5},
		{"KS of nothing", KS(nil, []float64{1}), 0},
		{"JS of equal", JensenShannon([]float64{1, 1}, []float64{5, 5}), 0},
		{"JS of apart", JensenShannon([]float64{1, 0}, []float64{0, 9}), 1},
		{"JS of nothing", JensenShannon([]float64{0}, []float64{1}), 0},
		// By hand: p = (3/4, 1/4), q = (1/4, 3/4), m = (1/2, 1/2).
		{"JS of three quarters", JensenShannon([]float64{3, 1}, []float64{1, 3}), .75*math.Log2(1.5) + .25*math.Log2(.5)},
		{"PSI of equal", PSI([]float64{2, 8}, []float64{20, 80}), 0},
		{"PSI of three quarters", PSI([]float64{3, 1}, []float64{1, 3}), math.Log(3)},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

// The chances of distances by permutation are uniform where nothing changed, and
// small where something did.
func TestPermuted(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	sample := func(n int, shift float64) (out []float64) {
		for range n {
			out = append(out, r.NormFloat64()+shift)
		}
		return out
	}
	below := 0
	for range 400 {
		s := newSorted(sample(60, 0), sample(30, 0))
		if permuted(s, s.distance(), 200, r) <= .1 {
			below++
		}
	}
	if below < 20 || below > 65 {
		t.Errorf("%d of 400 chances are below .1, want about 40", below)
	}
	s := newSorted(sample(100, 0), sample(100, 2))
	if p := permuted(s, s.distance(), 1000, r); p > .002 {
		t.Errorf("a shift of two deviations has chance %v", p)
	}
}

// The distance is the largest difference of the two distribution functions as they
// are defined, also where values are equal.
func TestDistanceByDefinition(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		a, b := make([]float64, 1+r.IntN(40)), make([]float64, 1+r.IntN(40))
		kinds := 2 + r.IntN(60)
		for _, list := range [][]float64{a, b} {
			for i := range list {
				list[i] = float64(r.IntN(kinds))
			}
		}
		share := func(list []float64, x float64) (n float64) {
			for _, v := range list {
				if v <= x {
					n++
				}
			}
			return n / float64(len(list))
		}
		want := 0.0
		for x := range kinds {
			want = math.Max(want, math.Abs(share(a, float64(x))-share(b, float64(x))))
		}
		if got := KS(a, b); math.Abs(got-want) > 1e-12 {
			t.Fatalf("KS(%v, %v) = %v, want %v", a, b, got, want)
		}
	}
}

// A deal keeps the sizes of both samples, whichever is the smaller, and each value
// comes into either of them about as often as its size says.
func TestDeal(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ n, m int }{{40, 10}, {10, 40}, {25, 25}} {
		s := newSorted(make([]float64, c.n), make([]float64, c.m))
		k := &kinds{n: c.n, a: make([]float64, 50), b: make([]float64, 50)}
		for i := range 50 {
			k.values = append(k.values, i)
		}
		var marks, kindsIn [50]int
		const deals = 4000
		for range deals {
			s.deal(r)
			k.deal(r)
			in := 0
			for i, move := range s.moves {
				if move < 0 {
					in++
					marks[i]++
				}
			}
			if in != c.m {
				t.Fatalf("%d and %d: a deal gives the second sample %d", c.n, c.m, in)
			}
			for _, v := range k.values[c.n:] {
				kindsIn[v]++
			}
		}
		want := deals * float64(c.m) / 50
		for i := range 50 {
			if math.Abs(float64(marks[i])-want) > 200 || math.Abs(float64(kindsIn[i])-want) > 200 {
				t.Errorf("%d and %d: value %d is dealt %d and %d times to the second sample, want about %.0f", c.n, c.m, i, marks[i], kindsIn[i], want)
			}
		}
	}
}

// Many runs a second are compared as often as their rest allows, all counted.
func TestMonitorRests(t *testing.T) {
	t.Parallel()
	m := New(features(), Options{Reference: 60, Window: 40, Every: 10, Rest: time.Minute})
	r := rand.New(rand.NewPCG(3, 4))
	last, comparisons := 0, 0
	for i := range 6000 {
		m.Look(int64(i+1)*int64(100*time.Millisecond), []Value{{Number: r.Float64()}, {Kind: "t"}})
		if m.compared != last {
			last = m.compared
			comparisons++
		}
	}
	if comparisons != 10 {
		t.Errorf("%d comparisons in ten minutes, want one each", comparisons)
	}
}

func features() []Feature { return []Feature{{Name: "latency"}, {Name: "tool", Kinds: true}} }

func look(m *Monitor, r *rand.Rand, median, share float64) []Shift {
	tool := "search"
	if r.Float64() < share {
		tool = "mail"
	}
	return m.Look(0, []Value{{Number: median * math.Exp(r.NormFloat64()/2)}, {Kind: tool}})
}

func TestMonitor(t *testing.T) {
	t.Parallel()
	wrong, weeks := 0, 0.0
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 2))
		m := New(features(), Options{})
		for range 1500 {
			wrong += len(look(m, r, 3, .2))
		}
		weeks += 1.1
		m.Reset()
		for range 500 {
			wrong += len(look(m, r, 3, .2))
		}
		found := map[string]Shift{}
		for range 200 {
			for _, s := range look(m, r, 6, .7) {
				if _, again := found[s.Feature]; again {
					t.Errorf("%s was told twice", s.Feature)
				}
				found[s.Feature] = s
			}
		}
		l, tool := found["latency"], found["tool"]
		if l.What == "" || l.Now < 1.2*l.Before || l.PSI < .1 || l.P > .02 || l.Runs != 100 {
			t.Errorf("seed %d: latency %+v", seed, l)
		}
		if math.Abs(tool.Now-tool.Before) < .15 || tool.PSI < .1 || !strings.Contains(tool.What, "of runs") {
			t.Errorf("seed %d: tool %+v", seed, tool)
		}
		// A version was approved: what is now is the new normal.
		m.Reset()
		if !m.Learning() {
			t.Error("it does not learn anew")
		}
		for range 1000 {
			wrong += len(look(m, r, 6, .7))
		}
		weeks += .6
	}
	if float64(wrong) > weeks {
		t.Errorf("%d false alarms in %.0f weeks, where one a week was asked for", wrong, weeks)
	}
}

func TestMonitorBadInput(t *testing.T) {
	t.Parallel()
	m := New(features(), Options{Reference: 60, Window: 40, Every: 10})
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 400 {
		if got := m.Look(0, []Value{{Number: math.NaN()}}); got != nil {
			t.Error("a run with too few values was looked at")
		}
		// Latency is missing half of the time, and every tool is a new one.
		m.Look(0, []Value{{Number: r.Float64(), Missing: i%2 == 0}, {Kind: fmt.Sprint("t", i)}})
		m.Look(0, []Value{{Number: math.Inf(1)}, {Missing: true}})
	}
	for i := range m.features {
		f := &m.features[i]
		if len(f.list) > mostKinds || len(f.names) > mostKinds || len(f.window) > 40 || len(f.reference) > 60 {
			t.Errorf("%s keeps %d kinds, %d and %d values", f.Name, len(f.list), len(f.reference), len(f.window))
		}
	}
}

func TestADWIN(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	coin := func(p float64) float64 {
		if r.Float64() < p {
			return 1
		}
		return 0
	}
	cuts := 0
	a := NewADWIN(0)
	for range 20_000 {
		if changed, _ := a.Look(coin(.9)); changed {
			cuts++
		}
	}
	if cuts > 3 || math.Abs(a.Mean()-.9) > .03 || a.Len() < 2000 {
		t.Errorf("%d cuts of a steady coin, mean %v of %d", cuts, a.Mean(), a.Len())
	}
	late := 0
	for range 400 {
		late++
		if changed, before := a.Look(coin(.6)); changed {
			if math.Abs(before-.9) > .1 {
				t.Errorf("it was %v before", before)
			}
			break
		}
	}
	if late > 200 {
		t.Errorf("a fall from .9 to .6 is found after %d values", late)
	}
	n := 0
	for _, row := range a.rows {
		n += len(row)
	}
	if n > (perRow+1)*mostRows {
		t.Errorf("%d buckets", n)
	}
	before := a.Len()
	a.Look(math.NaN())
	a.Look(math.Inf(1))
	if a.Len() != before {
		t.Error("what is no value was learnt")
	}
	flat := NewADWIN(2)
	for range 1000 {
		if changed, _ := flat.Look(7); changed {
			t.Error("a constant changed")
		}
	}
	if !math.IsNaN(NewADWIN(0).Mean()) {
		t.Error("the mean of nothing")
	}
}

func BenchmarkLook(b *testing.B) {
	m := New(features(), Options{})
	r := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		look(m, r, 3, .2)
	}
}
