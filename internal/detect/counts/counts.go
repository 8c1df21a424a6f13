package counts

import (
	"math"

	"reeve/internal/detect/chance"
)

// Direction says which changes matter.
type Direction uint8

// The directions.
const (
	Both Direction = iota
	Up
	Down
)

// Options of a Rate or a Ratio say what an alarm is worth. The zero value is
// useful: one false alarm a week at one-minute windows, effects of half as much
// again, five events at least.
type Options struct {
	AlarmsPerWeek float64   // false ones a person bears from this series; 0 is 1
	LooksPerWeek  float64   // windows a week; 0 is 10,080 (minutes)
	MinEffect     float64   // least ratio of seen to expected (or expected to seen); 0 is 1.5
	MinCount      float64   // least events in the window (or expected in it, for falls); 0 is 5
	MinWindows    int       // windows learnt from before anything is said; 0 is 20
	Memory        float64   // windows after which the past counts less; 0 is 2,000
	Rest          int       // windows of silence after an alarm; 0 is 30
	Direction     Direction // which changes matter
}

func (o Options) filled() Options {
	set := func(v *float64, to float64) {
		if *v == 0 {
			*v = to
		}
	}
	set(&o.AlarmsPerWeek, 1)
	set(&o.LooksPerWeek, 7*24*60)
	set(&o.MinEffect, 1.5)
	set(&o.MinCount, 5)
	set(&o.Memory, 2000)
	if o.MinWindows == 0 {
		o.MinWindows = 20
	}
	if o.Rest == 0 {
		o.Rest = 30
	}
	return o
}

// Verdict is what is said of one window.
type Verdict struct {
	Alarm    bool    // worth a person, under the options
	Resting  bool    // it would be, but for the alarm just before
	Learning bool    // too little is known yet
	Seen     float64 // events, or successes
	Expected float64 // of this exposure, by the past
	Ratio    float64 // seen to expected
	P        float64 // of something as far out on this side, when nothing changed
	Rising   bool
}

// state is what Rate and Ratio share: when to speak, and how much the past
// scatters beyond what chance alone explains.
type state struct {
	o       Options
	windows int
	rest    int
	scatter float64 // mean square of standardised residuals, faded
	weight  float64
}

// dispersion is how many times more the windows vary than counts of a constant
// rate would; never below 1. Bursty agents would otherwise alarm by nature.
func (s *state) dispersion() float64 {
	if s.weight < 5 {
		return 1
	}
	return max(1, s.scatter/s.weight)
}

func (s *state) learn(residual float64) {
	fade := 1 - 1/min(float64(s.windows)+2, s.o.Memory)
	// One wild window must not make the next ones invisible: its part is bounded.
	s.scatter = s.scatter*fade + min(residual*residual, 25)
	s.weight = s.weight*fade + 1
	s.windows++
}

// judge fills in what does not depend on the distribution.
func (s *state) judge(v *Verdict, low, high float64) {
	v.Rising = v.Seen >= v.Expected
	v.P = low
	if v.Rising {
		v.P = high
	}
	v.Ratio = v.Seen / max(v.Expected, 1e-12)
	if s.rest > 0 {
		s.rest--
		v.Resting = true
	}
	v.Learning = s.windows < s.o.MinWindows
	if v.Learning {
		return
	}
	sides, effect, count := 2.0, v.Ratio, v.Seen
	if !v.Rising {
		effect, count = 1/max(v.Ratio, 1e-12), v.Expected
	}
	if s.o.Direction != Both {
		sides = 1
		if v.Rising != (s.o.Direction == Up) {
			return
		}
	}
	if v.P > s.o.AlarmsPerWeek/s.o.LooksPerWeek/sides || effect < s.o.MinEffect || count < s.o.MinCount {
		v.Resting = false
		return
	}
	if v.Resting {
		return
	}
	v.Alarm, s.rest = true, s.o.Rest
}

// Rate watches a count by window: Gamma-Poisson, so that a rate known from few
// windows is not taken for certain.
type Rate struct {
	state
	events, exposure float64 // faded
}

// NewRate watches from nothing.
func NewRate(o Options) *Rate { return &Rate{state: state{o: o.filled()}} }

// Look judges a window of n events under an exposure (its length, or how many
// calls there were; 1 when all windows are alike), then learns it.
func (r *Rate) Look(n, exposure float64) (v Verdict) {
	if !(n >= 0) || !(exposure > 0) || math.IsInf(n, 0) || math.IsInf(exposure, 0) {
		return Verdict{Learning: true, P: 1}
	}
	// Half an event in no time at all is what is known before anything is.
	shape, per := r.events+0.5, r.exposure+1e-9
	d := r.dispersion()
	v.Seen, v.Expected = n, exposure*shape/per
	low, high := 1.0, 1.0
	if r.windows > 0 {
		low, high = chance.NegativeBinomial(n/d, exposure, shape/d, per)
	} else {
		v.Expected = n
	}
	r.judge(&v, low, high)
	residual := 0.0
	if r.windows > 0 {
		residual = (n - v.Expected) / math.Sqrt(max(v.Expected*(1+exposure/per), 0.5))
	}
	r.learn(residual)
	fade := 1 - 1/r.o.Memory
	r.events, r.exposure = r.events*fade+n, r.exposure*fade+exposure
	return v
}

// Ratio watches the part of tries that end in some way: Beta-Binomial.
type Ratio struct {
	state
	hits, misses float64 // faded
}

// NewRatio watches from nothing.
func NewRatio(o Options) *Ratio { return &Ratio{state: state{o: o.filled()}} }

// Look judges k of n tries, then learns them. A window without tries says
// nothing.
func (r *Ratio) Look(k, n float64) (v Verdict) {
	if !(k >= 0) || !(n > 0) || k > n || math.IsInf(n, 0) {
		return Verdict{Learning: true, P: 1}
	}
	a, b := r.hits+0.5, r.misses+0.5
	share := a / (a + b)
	d := r.dispersion()
	v.Seen, v.Expected = k, n*share
	low, high := 1.0, 1.0
	if r.windows > 0 {
		low, high = chance.BetaBinomial(k/d, n/d, a/d, b/d)
	} else {
		v.Expected = k
	}
	r.judge(&v, low, high)
	residual := 0.0
	if r.windows > 0 {
		residual = (k - v.Expected) / math.Sqrt(max(n*share*(1-share)*(1+n/(a+b)), 0.25))
	}
	r.learn(residual)
	fade := 1 - 1/r.o.Memory
	r.hits, r.misses = r.hits*fade+k, r.misses*fade+n-k
	return v
}
