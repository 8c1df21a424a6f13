// Package forest says when a run, or a window of an agent's work, is unlike the
// others in several measures at once, and which of them make it so.
//
// What for: steps, tokens, latency and tools may each be ordinary while nobody
// ever saw them together. One number over all of them finds it; its parts say
// why.
//
// Who calls it: live detectors over the measures of runs, a Forest an agent.
//
// Promises: streaming, about 64 KiB a Forest of any number of measures, no
// allocation a point but for an alarm's parts; the same points give the same
// answers. Units do not matter: each measure is put on its own scale first. Not
// safe for concurrent use.
//
// How it fails: a missing measure (NaN) is taken as its usual value, and so
// counts for nothing.
//
// Start reading at Forest.Look. The trees are half-space trees (Tan, Ting and
// Liu, IJCAI 2011): random parts of random measures; where few of the points
// just before were, is unusual. Cuts are at random places, as in isolation forests
// (Liu, Ting and Zhou, ICDM 2008): they fall into the gap before an outlier more
// often than in half.
package forest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"reeve/internal/detect/chance"
)

const (
	trees   = 32
	depth   = 7
	inner   = 1<<depth - 1
	nodes   = 1<<(depth+1) - 1
	window  = 256 // points that are compared with
	few     = 8   // of them in a box: who is there is nearly alone
	scaling = 64  // points from which a measure's scale is first learnt
)

// Options of a Forest; the zero value is useful.
type Options struct {
	AlarmsPerWeek float64 // false ones a person bears; 0 is 1
	LooksPerWeek  float64 // points a week; 0 is 1,000
	Rest          int     // points of silence after an alarm; 0 is 10
}

// Part is what one measure adds to how unusual a point is.
type Part struct {
	Name  string
	Share float64 // of the whole; the shares of an alarm add up to at most 1
	Value float64
	Usual float64 // its median
}

// Verdict is what is said of a point.
type Verdict struct {
	Alarm    bool
	Learning bool
	Score    float64 // larger is more unusual
	P        float64 // share of ordinary points that are as unusual
	Parts    []Part  // of an alarm, the heaviest first
}

// Forest watches points of a few measures. Use New.
type Forest struct {
	o      Options
	names  []string
	scales []scale
	split  [trees][inner]struct {
		measure uint16
		at      float32
	}
	mass, next [trees][nodes]uint16 // of the window before, of this one
	seen       int
	rest       int
	x, y       []float64
	early      [][]float64 // points before scales are known
	calibrator chance.Calibrator
}

// scale puts a measure on a scale of its own: its distance from the median, in
// usual ones, squeezed into 0 to 1.
type scale struct{ median, spread float64 }

func (s *scale) of(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return .5
	}
	z := (v - s.median) / s.spread
	return .5 + math.Atan(z/8)/math.Pi
}

// follow lets median and spread go along slowly.
func (s *scale) follow(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	const rate = .005
	if v > s.median {
		s.median += rate * s.spread
	} else if v < s.median {
		s.median -= rate * s.spread
	}
	if off := math.Abs(v - s.median); off > s.spread {
		s.spread *= 1 + rate
	} else {
		s.spread *= 1 - rate
	}
	s.spread = max(s.spread, 1e-9, 1e-6*math.Abs(s.median))
}

// New watches the named measures. Seed makes the random halves; the same one
// gives the same answers.
func New(names []string, seed uint64, o Options) *Forest {
	if o.AlarmsPerWeek == 0 {
		o.AlarmsPerWeek = 1
	}
	if o.LooksPerWeek == 0 {
		o.LooksPerWeek = 1000
	}
	if o.Rest == 0 {
		o.Rest = 10
	}
	f := &Forest{o: o, names: names, scales: make([]scale, len(names)), x: make([]float64, len(names)), y: make([]float64, len(names))}
	r := rand.New(rand.NewPCG(seed, 1))
	for t := range f.split {
		low, high := make([]float64, len(names)), make([]float64, len(names))
		for i := range high {
			high[i] = 1
		}
		f.grow(r, t, 0, low, high)
	}
	return f
}

// grow cuts a random measure of a node's box at a random place.
func (f *Forest) grow(r *rand.Rand, tree, node int, low, high []float64) {
	if node >= inner || len(f.names) == 0 {
		return
	}
	m := r.IntN(len(f.names))
	at := low[m] + r.Float64()*(high[m]-low[m])
	f.split[tree][node].measure, f.split[tree][node].at = uint16(m), float32(at)
	was := high[m]
	high[m] = at
	f.grow(r, tree, 2*node+1, low, high)
	high[m] = was
	was = low[m]
	low[m] = at
	f.grow(r, tree, 2*node+2, low, high)
	low[m] = was
}

// Look judges a point, with a value for each measure in their order, then learns
// it. A point of another length says nothing.
func (f *Forest) Look(point []float64) (v Verdict) {
	v = Verdict{Learning: true, P: 1}
	if len(point) != len(f.names) || len(point) == 0 {
		return v
	}
	f.seen++
	if f.seen <= scaling {
		f.early = append(f.early, slices.Clone(point))
		if f.seen == scaling {
			f.scale()
		}
		return v
	}
	for i := range point {
		f.x[i] = f.scales[i].of(point[i])
	}
	ready := f.seen > scaling+window
	if ready {
		v.Score = f.score(f.x)
		v.Learning = !f.calibrator.Ready()
		v.P = f.calibrator.P(v.Score)
		f.decide(&v, point)
		f.calibrator.Observe(v.Score)
	}
	f.learn(f.x)
	for i := range point {
		f.scales[i].follow(point[i])
	}
	return v
}

func (f *Forest) decide(v *Verdict, point []float64) {
	if f.rest > 0 {
		f.rest--
		return
	}
	if v.Learning || v.P > f.o.AlarmsPerWeek/f.o.LooksPerWeek {
		return
	}
	v.Alarm, f.rest = true, f.o.Rest
	v.Parts = f.parts(v.Score, point)
}

// scale learns each measure's scale from the first points.
func (f *Forest) scale() {
	for i := range f.scales {
		var xs []float64
		for _, p := range f.early {
			if !math.IsNaN(p[i]) && !math.IsInf(p[i], 0) {
				xs = append(xs, p[i])
			}
		}
		s := scale{spread: 1}
		if len(xs) > 0 {
			slices.Sort(xs)
			s.median = xs[len(xs)/2]
			for k := range xs {
				xs[k] = math.Abs(xs[k] - s.median)
			}
			slices.Sort(xs)
			s.spread = max(xs[len(xs)/2], xs[len(xs)*9/10]/3, 1e-9, 1e-6*math.Abs(s.median))
		}
		f.scales[i] = s
	}
	f.early = nil
}

// score is how early a point comes to be nearly alone, as the mean over the trees
// of the cuts that were not needed; where it never is, the emptiness of the last
// box counts.
func (f *Forest) score(x []float64) float64 {
	sum := 0.0
	for t := range f.split {
		node, level := 0, 0
		for node < inner && f.mass[t][node] >= few {
			node, level = f.step(t, node, x), level+1
		}
		sum += float64(depth-level) - math.Log2((float64(f.mass[t][node])+1)/few)
	}
	return sum / trees
}

func (f *Forest) step(tree, node int, x []float64) int {
	s := &f.split[tree][node]
	if x[s.measure] < float64(s.at) {
		return 2*node + 1
	}
	return 2*node + 2
}

// learn counts a point; a full window becomes the one that is compared with.
func (f *Forest) learn(x []float64) {
	for t := range f.split {
		for node := 0; ; node = f.step(t, node, x) {
			f.next[t][node]++
			if node >= inner {
				break
			}
		}
	}
	if (f.seen-scaling)%window == 0 {
		f.mass = f.next
		f.next = [trees][nodes]uint16{}
	}
}

// parts say what each measure adds: how much less unusual the point would be with
// the usual value in its place.
func (f *Forest) parts(score float64, point []float64) (out []Part) {
	total := 0.0
	for i := range f.x {
		copy(f.y, f.x)
		f.y[i] = .5
		gain := max(0, score-f.score(f.y))
		total += gain
		out = append(out, Part{f.names[i], gain, point[i], f.scales[i].median})
	}
	for i := range out {
		if total > 0 {
			out[i].Share /= total
		}
	}
	slices.SortStableFunc(out, func(a, b Part) int { return cmp.Compare(b.Share, a.Share) })
	return out
}
