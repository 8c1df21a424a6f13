package chance

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, off float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > off {
		t.Errorf("%s is %v, want %v (within %v)", what, got, want, off)
	}
}

// The figures are sums of the exact probabilities, written out.
func TestTails(t *testing.T) {
	t.Parallel()
	near(t, "I_.5(2,3)", Beta(.5, 2, 3), 0.6875, 1e-12)
	near(t, "I_.3(1,1)", Beta(.3, 1, 1), .3, 1e-12)
	near(t, "I_.01(50,900)+complement", Beta(.05, 50, 900)+Beta(.95, 900, 50), 1, 1e-12)
	near(t, "normal tail", Normal(1.959964), .025, 1e-7)

	// A rate known as Gamma(1, 1) gives the geometric distribution with 1/2.
	low, high := NegativeBinomial(3, 1, 1, 1)
	near(t, "P(N<=3)", low, 1-1.0/16, 1e-12)
	near(t, "P(N>=3)", high, 1.0/8, 1e-12)
	// Known from much, it is the Poisson distribution.
	_, high = NegativeBinomial(10, 1, 4e7, 1e7)
	near(t, "P(Poisson(4)>=10)", high, 0.00813224, 1e-6)

	// A ratio known as Beta(1, 1) makes every count as likely as another.
	low, high = BetaBinomial(7, 9, 1, 1)
	near(t, "P(K<=7 of 9)", low, .8, 1e-12)
	near(t, "P(K>=7 of 9)", high, .3, 1e-12)
	// Known from much, it is the binomial distribution.
	_, high = BetaBinomial(9, 10, 5e8, 5e8)
	near(t, "P(Bin(10,.5)>=9)", high, 11.0/1024, 1e-6)
	for _, k := range []float64{0, 5} {
		low, high = BetaBinomial(k, 5, .5, .5)
		near(t, "an end", max(low, high), 1, 1e-9)
	}
	_, high = BetaBinomial(900_000, 1e6, 50, 50)
	if !(high < 1e-6) {
		t.Errorf("nine of ten of a million where half was known: %v", high)
	}
	for _, bad := range [][4]float64{{1, 0, 1, 1}, {-1, 1, 1, 1}, {5, 3, 1, 1}, {1, 2, -1, 1}, {math.NaN(), 1, 1, 1}} {
		low, high = BetaBinomial(bad[0], bad[1], bad[2], bad[3])
		if low < 0 || low > 1 || high < 0 || high > 1 {
			t.Errorf("%v: %v %v", bad, low, high)
		}
	}
}

func TestWilson(t *testing.T) {
	t.Parallel()
	low, high := Wilson(1, 10)
	near(t, "low", low, 0.0179, 1e-4)
	near(t, "high", high, 0.4042, 1e-4)
	if low, high = Wilson(0, 0); low != 0 || high != 1 {
		t.Error("nothing tried")
	}
}

// The worked example of Benjamini and Hochberg (1995), table of 15 tests.
func TestChoose(t *testing.T) {
	t.Parallel()
	ps := []float64{.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1, math.NaN()}
	n := 0
	for _, yes := range Choose(ps, .05) {
		if yes {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d chosen, want 4", n)
	}
	if slices.Contains(Choose([]float64{.5, .9}, .05), true) || len(Choose(nil, .05)) != 0 {
		t.Error("nothing is small enough here")
	}
}

// A threshold for one alarm in 2,000 gives about that, whatever the scores are
// made of.
func TestCalibrator(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(r *rand.Rand) float64{
		"normal":      func(r *rand.Rand) float64 { return r.NormFloat64() },
		"exponential": func(r *rand.Rand) float64 { return 40 * r.ExpFloat64() },
		"uniform":     func(r *rand.Rand) float64 { return r.Float64() - 7 },
		"lognormal":   func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() / 2) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const p = 1.0 / 2000
			over, looks := 0, 0
			for seed := range uint64(20) {
				var c Calibrator
				r := rand.New(rand.NewPCG(seed, 1))
				for i := range 20_000 {
					x := draw(r)
					if i > 2_000 {
						looks++
						if x >= c.Threshold(p) {
							over++
						}
						if got := c.P(c.Threshold(p)); math.Abs(got-p) > p/100 {
							t.Fatalf("P of the threshold is %v", got)
						}
					}
					c.Observe(x)
				}
			}
			if rate := float64(over) / float64(looks) / p; rate > 2.5 || rate < .4 && name != "uniform" { // bounded scores are judged with care
				t.Errorf("%.2f times the alarms that were asked for", rate)
			}
		})
	}
}

// Not in parallel: it counts allocations.
func TestCalibratorBadInput(t *testing.T) {
	var c Calibrator
	for range 1000 {
		c.Observe(math.NaN())
		c.Observe(math.Inf(1))
	}
	if c.Ready() || c.P(5) != 1 || !math.IsInf(c.Threshold(.1), 1) {
		t.Error("it learnt from what is no score")
	}
	for range 1000 {
		c.Observe(3)
	}
	if p := c.P(3); !(p >= 0 && p <= 1) {
		t.Errorf("constant scores: %v", p)
	}
	if n := testing.AllocsPerRun(100, func() { c.Observe(1); c.P(2) }); n != 0 {
		t.Errorf("%v allocations a value", n)
	}
}
