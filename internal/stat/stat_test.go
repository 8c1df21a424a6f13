package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

// The worked values of Newcombe (1998), table I, method 3.
func TestWilson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		k, n      int64
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}, {0, 0, 0, 1}, {5, 5, 0.5655, 1},
	} {
		if low, high := Wilson(c.k, c.n); !near(low, c.low, 5e-5) || !near(high, c.high, 5e-5) {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

// Tables of Student's t.
func TestStudent(t *testing.T) {
	t.Parallel()
	for freedom, want := range map[float64]float64{1: 12.7062, 4: 2.7764, 10: 2.2281, 30: 2.0423, 1e7: 1.96} {
		if got := Student(freedom); !near(got, want, 1e-4) {
			t.Errorf("with %v degrees of freedom %.5f, want %v", freedom, got, want)
		}
	}
	if !math.IsInf(Student(0), 1) {
		t.Error("no degree of freedom has an interval")
	}
}

func TestMeanAndRatio(t *testing.T) {
	t.Parallel()
	// 1..5: mean 3, standard deviation sqrt(2.5), half = 2.7764*sqrt(2.5/5).
	mean, low, high, ok := Sums{5, 15, 55}.Mean()
	if !ok || mean != 3 || !near(high-low, 2*2.77645*math.Sqrt(0.5), 1e-3) {
		t.Errorf("mean %v, %v to %v, %t", mean, low, high, ok)
	}
	if _, _, _, ok := (Sums{}).Mean(); ok {
		t.Error("nothing has a mean")
	}
	if _, low, _, ok := (Sums{1, 2, 4}).Mean(); !ok || !math.IsInf(low, -1) {
		t.Error("one value has an interval")
	}
	// y = 2x exactly: the ratio is certain.
	r, low, high, ok := Ratio(Sums{3, 12, 56}, Sums{3, 6, 14}, 28)
	if !ok || r != 2 || !near(low, 2, 1e-6) || !near(high, 2, 1e-6) {
		t.Errorf("ratio %v, %v to %v, %t", r, low, high, ok)
	}
	if _, _, _, ok := Ratio(Sums{3, 1, 1}, Sums{3, 0, 0}, 0); ok {
		t.Error("a ratio over nothing")
	}
}

// Intervals hold what they promise on samples of known truth.
func TestCoverageOfIntervals(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 11))
	const rounds, n = 2000, 120
	var ratios, quantiles int
	for range rounds {
		var x, y Sums
		var xy float64
		sample := make([]float64, n)
		for i := range n {
			done := 0.0
			if r.Float64() < 0.6 {
				done = 1
			}
			cost := 1 + r.ExpFloat64()
			x.N, x.Sum, x.Square = x.N+1, x.Sum+done, x.Square+done
			y.N, y.Sum, y.Square = y.N+1, y.Sum+cost, y.Square+cost*cost
			xy += cost * done
			sample[i] = r.Float64()
		}
		if _, low, high, _ := Ratio(y, x, xy); low <= 2/0.6 && 2/0.6 <= high {
			ratios++
		}
		low, high, ok := Ranks(n, 0.9)
		if !ok {
			t.Fatal("120 values are too few for a 90 % quantile")
		}
		var below int // how many lie below the true quantile
		for _, v := range sample {
			if v < 0.9 {
				below++
			}
		}
		if below >= int(math.Round(low*n)) && below < int(math.Round(high*n)) {
			quantiles++
		}
	}
	if s := float64(ratios) / rounds; s < 0.93 {
		t.Errorf("intervals of a ratio hold in %.3f", s)
	}
	if s := float64(quantiles) / rounds; s < 0.94 {
		t.Errorf("intervals of a quantile hold in %.3f", s)
	}
	if _, _, ok := Ranks(20, 0.99); ok {
		t.Error("20 values say something of the 99 % quantile")
	}
}

func TestAtLeast(t *testing.T) {
	t.Parallel()
	// 10 coins: P(at least 8) = 56/1024; one in 1,000 at least once in 500.
	if got := AtLeast(8, 10, 0.5); !near(got, 56.0/1024, 1e-12) {
		t.Errorf("8 heads of 10: %v", got)
	}
	if got := AtLeast(1, 500, 0.001); !near(got, 1-math.Pow(0.999, 500), 1e-12) {
		t.Errorf("once: %v", got)
	}
	if AtLeast(0, 5, 0.1) != 1 || AtLeast(6, 5, 0.1) != 0 {
		t.Error("bounds")
	}
}

func TestRepeatability(t *testing.T) {
	t.Parallel()
	tasks := []Trials{{4, 4}, {2, 4}, {0, 4}, {1, 1}}
	// pass^2: 1, 1/6, 0 over three tasks.
	if p, _, _, n, ok := PassHat(tasks, 2); !ok || n != 3 || !near(p, (1+1.0/6)/3, 1e-12) {
		t.Errorf("pass^2 %v of %d", p, n)
	}
	if _, _, _, _, ok := PassHat(tasks, 9); ok {
		t.Error("pass^9 of four tries")
	}
	// 2 of 4: pairs that differ are 4 of 6.
	if d, _, _, n, ok := Spread([][]int64{{2, 2}, {4}, {1}}); !ok || n != 2 || !near(d, (4.0/6)/2, 1e-12) {
		t.Errorf("spread %v of %d", d, n)
	}
	if h, low, high, ok := Entropy([]int64{500, 500}); !ok || !near(h, 1, 1e-3) || low > h || high < h {
		t.Errorf("a coin has %v bits", h)
	}
	if h, _, _, ok := Entropy([]int64{10}); !ok || h != 0 {
		t.Errorf("one way has %v bits", h)
	}
}

// The interval of a spread holds what it says, of one task and of several, of tasks
// that end alike, as a coin, and in between.
func TestSpreadHoldsItsInterval(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	for _, shares := range [][][]float64{
		{{0.8, 0.2}},
		{{0.5, 0.5}},
		{{0.97, 0.03}},
		{{0.6, 0.3, 0.1}},
		{{0.9, 0.1}, {0.5, 0.5}, {0.7, 0.2, 0.1}},
		{{1}},
	} {
		for _, n := range []int{20, 60, 300} {
			truth := 0.0
			for _, p := range shares {
				same := 0.0
				for _, x := range p {
					same += x * x
				}
				truth += (1 - same) / float64(len(shares))
			}
			held, above, width := 0, 0, 0.0
			const tries = 1000
			for range tries {
				tasks := make([][]int64, len(shares))
				for i, p := range shares {
					tasks[i] = make([]int64, len(p))
					for range n {
						x, k := r.Float64(), 0
						for k < len(p)-1 && x >= p[k] {
							x -= p[k]
							k++
						}
						tasks[i][k]++
					}
				}
				share, low, high, of, ok := SpreadWithin(tasks)
				if !ok || of != int64(len(shares)) || share < low || share > high || low < 0 || high > 1 {
					t.Fatalf("%v: %v from %v to %v of %d", tasks, share, low, high, of)
				}
				if same, _, _, _, _ := Spread(tasks); !near(same, share, 1e-12) {
					t.Fatalf("%v: %v, and %v over tasks", tasks, share, same)
				}
				width += (high - low) / tries
				if low <= truth+1e-9 && truth <= high+1e-9 {
					held++
				}
				if low > truth+1e-9 { // what an alarm asks
					above++
				}
			}
			if part := float64(held) / tries; part < 0.91 || above > 0.07*tries {
				t.Errorf("%v, %d tries each: %.3f of the intervals hold %.3f (%.2f wide), %d of %d are above it", shares, n, part, truth, width, above, tries)
			}
			if n == 300 && width > 0.16 {
				t.Errorf("%v, %d tries each: intervals are %.2f wide", shares, n, width)
			}
		}
	}
	if _, _, _, _, ok := SpreadWithin([][]int64{{1}, nil}); ok {
		t.Error("the spread of single tries")
	}
}

// The promise: looked at 1,000 times, at most 5 % of 1,000 streams ever miss.
func TestAnytimeMissesSeldom(t *testing.T) {
	t.Parallel()
	for _, p := range []float64{0.5, 0.95} {
		r := rand.New(rand.NewPCG(3, uint64(p*100)))
		missed := 0
		for range 1000 {
			var k int64
			miss := false
			for n := int64(1); n <= 1000; n++ {
				if r.Float64() < p {
					k++
				}
				if !anytime(k, n, 0.05)(p) {
					miss = true
					break
				}
			}
			if miss {
				missed++
			}
		}
		t.Logf("at %v %d of 1,000 streams ever miss", p, missed)
		if missed > 50 {
			t.Errorf("at %v %d of 1,000 streams ever miss, at most 50 may", p, missed)
		}
	}
	// It narrows: after 1,000 it says something.
	if low, high := Anytime(950, 1000, 0.05); low < 0.915 || high > 0.975 {
		t.Errorf("950 of 1,000: %.3f to %.3f", low, high)
	}
}

// At least 95 %: streams at 96 % and at 95 % itself, looked at after each label,
// alarm in at most 5 % ever; one at 94 % alarms, and one that turns bad after a
// long good time does too.
func TestSequence(t *testing.T) {
	t.Parallel()
	ever := func(p float64, streams, length int) (alarms int, labels float64) {
		r := rand.New(rand.NewPCG(5, uint64(p*1000)))
		for range streams {
			s := NewSequence(0.95, 0.05, 500)
			for i := range length {
				s.Add(r.Float64() < p)
				if i%5 == 4 && s.Alarm() {
					alarms++
					labels += float64(i)
					break
				}
			}
		}
		return alarms, labels / max(1, float64(alarms))
	}
	for _, p := range []float64{0.96, 0.95} {
		if n, _ := ever(p, 200, 5000); n > 10 {
			t.Errorf("at %v %d of 200 streams alarm", p, n)
		} else {
			t.Logf("at %v %d of 200 streams alarm ever", p, n)
		}
	}
	n, after := ever(0.94, 20, 40_000)
	t.Logf("at 0.94 %d of 20 alarm, after %.0f labels", n, after)
	if n != 20 {
		t.Errorf("at 0.94 %d of 20 streams alarm", n)
	}
	if n, after := ever(0.90, 20, 4000); n != 20 || after > 1500 {
		t.Errorf("at 0.90 %d of 20 alarm, after %.0f", n, after)
	}
	s := NewSequence(0.95, 0.05, 500)
	r := rand.New(rand.NewPCG(1, 1))
	for range 50_000 {
		s.Add(r.Float64() < 0.99)
	}
	if s.Alarm() {
		t.Fatal("a good stream alarms")
	}
	late := 0
	for late = 0; late < 5000 && !s.Alarm(); late++ {
		s.Add(r.Float64() < 0.85)
	}
	t.Logf("turned bad after 50,000: alarms after %d", late)
	if late > 600 {
		t.Errorf("a stream that turned bad alarms after %d labels", late)
	}
}

func TestFisher(t *testing.T) {
	t.Parallel()
	// The worked values: Fisher's tea (The Design of Experiments, 1935) and Agresti's.
	for _, c := range []struct {
		a, b, c, d int64
		want       float64
	}{
		{3, 1, 1, 3, 34. / 70}, {4, 0, 0, 4, 2. / 70}, {1, 9, 11, 3, .002759456}, {0, 0, 3, 4, 1}, {5, 5, 5, 5, 1}, {-1, 2, 3, 4, 1}, {500_000, 500_000, 500_000, 500_000, 1},
	} {
		if got := Fisher(c.a, c.b, c.c, c.d); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("Fisher(%d, %d, %d, %d) = %.9f, want %.9f", c.a, c.b, c.c, c.d, got, c.want)
		}
	}
	if p := Fisher(600_000, 400_000, 500_000, 500_000); p > 1e-9 {
		t.Errorf("far from alike: %v", p)
	}
}

// TestDifference: the worked examples of Newcombe (1998), table II, method 10.
func TestDifference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, n, b, m      int64
		diff, low, high float64
	}{
		{56, 70, 48, 80, .2, .0524, .3339},
		{9, 10, 3, 10, .6, .1705, .8090},
		{6, 7, 2, 7, .5714, .0582, .8062},
		{5, 56, 0, 29, .0893, -.0381, .1926},
		{0, 10, 0, 10, 0, -.2775, .2775},
		{10, 10, 0, 10, 1, .6075, 1},
	} {
		diff, low, high := Difference(c.a, c.n, c.b, c.m)
		if math.Abs(diff-c.diff) > 5e-5 || math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("%d/%d - %d/%d: %.4f, %.4f to %.4f, want %.4f, %.4f to %.4f", c.a, c.n, c.b, c.m, diff, low, high, c.diff, c.low, c.high)
		}
	}
	if d, low, high := Difference(0, 0, 1, 2); d != 0 || low != -1 || high != 1 {
		t.Errorf("without any: %g %g %g", d, low, high)
	}
}
