package watch

import (
	"math"

	"reeve/internal/detect/chance"
)

// tail is what is normal of a positive figure: a histogram on a logarithmic
// scale that forgets slowly, and from it how often a value is reached. Beyond
// what was seen it goes on as a Pareto tail does (Hill's estimator on the upper
// tenth), held towards a cautious one while little was seen.
//
// 64 bins of a quarter octave around the first value cover it from 1/256 to 256
// times; what is beyond counts in the outermost. 280 bytes.
type tail struct {
	lo   float64 // lower edge of the first bin
	n    float64
	bins [tailBins]float32
	seen int64
}

const (
	tailBins  = 64
	perOctave = 4
	// forget is how much a value's weight falls with each later one: the memory
	// is about 2,000 values.
	forget = 1 - 1.0/2000
	// Of the tail's exponent before anything was seen, and how many values that
	// is worth.
	tailScale  = 0.25
	tailWeight = 4
	// warm is how many values there must be before one is judged.
	warm = 20
)

func (t *tail) bin(x float64) int {
	if !(x > t.lo) { // NaN too
		return 0
	}
	return int(math.Min(math.Log2(x/t.lo)*perOctave, tailBins-1))
}

// add learns a value; what is not positive is counted as the smallest.
func (t *tail) add(x float64) {
	if t.lo == 0 {
		t.lo = math.Min(math.Max(x, 1e-12), 1e30) / 256
	}
	t.seen++
	// Rather than making all others lighter, the new one is heavier; scaled down
	// before it grows too large for a float32.
	w := math.Pow(forget, -float64(t.seen%4096))
	if t.seen%4096 == 0 {
		scale := float32(math.Pow(forget, 4096))
		for i := range t.bins {
			t.bins[i] *= scale
		}
		t.n *= float64(scale)
	}
	t.bins[t.bin(x)] += float32(w)
	t.n += w
}

// quantile is the value below which a share q of what was seen lies.
func (t *tail) quantile(q float64) float64 {
	if t.n == 0 {
		return 0
	}
	left := q * t.n
	for i, b := range t.bins {
		if left -= float64(b); left <= 0 {
			// Within the bin values are taken to be spread evenly.
			in := 1 + left/math.Max(float64(b), 1e-9)
			return t.lo * math.Exp2((float64(i)+math.Min(math.Max(in, 0), 1))/perOctave)
		}
	}
	return t.lo * math.Exp2(tailBins/perOctave)
}

func (t *tail) median() float64 { return t.quantile(0.5) }

// above is how likely a value of x or more is; 1 while too little was seen.
func (t *tail) above(x float64) float64 {
	if t.seen < warm || t.n == 0 {
		return 1
	}
	var over float64
	at := t.bin(x)
	for i := at + 1; i < tailBins; i++ {
		over += float64(t.bins[i])
	}
	over += float64(t.bins[at]) / 2
	counted := (over + 0.5*t.n/float64(min(t.seen, 2000))) / t.n
	u := t.quantile(0.9)
	if x <= u {
		return math.Min(counted, 1)
	}
	var weight, excess float64
	for i := t.bin(u); i < tailBins; i++ {
		mid := t.lo * math.Exp2((float64(i)+0.5)/perOctave)
		if mid > u {
			weight += float64(t.bins[i])
			excess += float64(t.bins[i]) * math.Log(mid/u)
		}
	}
	// In numbers of values, so that the prior's weight means something.
	each := t.n / float64(min(t.seen, 2000))
	beta := (excess/each + tailWeight*tailScale) / (weight/each + tailWeight)
	fitted := 0.1 * math.Exp(-math.Log(x/u)/math.Max(beta, 0.04))
	if float64(t.bins[at])/2+over > 0 {
		return math.Max(fitted, counted) // it was reached before: no rarer than that
	}
	return fitted
}

// learn adds a value, held to a little beyond what nearly all stay within: what
// was out of the ordinary once must not make the next of its kind ordinary, and
// what stays becomes the new normal in small steps.
func (t *tail) learn(x float64) {
	if t.seen >= warm {
		x = math.Min(math.Max(x, t.quantile(0.01)/1.2), t.quantile(0.99)*1.2)
	}
	t.add(x)
}

// atLeast is above for counts, whose tail falls as a geometric one does.
func (t *tail) atLeast(x float64) float64 {
	if t.seen < warm || t.n == 0 {
		return 1
	}
	u := t.quantile(0.9)
	if x <= u {
		return t.above(x)
	}
	each := t.n / float64(min(t.seen, 2000))
	var weight, excess float64
	for i := t.bin(u); i < tailBins; i++ {
		if mid := t.lo * math.Exp2((float64(i)+0.5)/perOctave); mid > u {
			weight += float64(t.bins[i]) / each
			excess += float64(t.bins[i]) / each * (mid - u)
		}
	}
	mean := (excess + tailWeight*0.5) / (weight + tailWeight)
	return 0.1 * math.Exp(-(x-u)/math.Max(mean, 0.25))
}

// level is how likely a median of ten is that high, or with low set that low: by
// the tail above and by a log-normal, of which medians are nearly one; their
// geometric mean is harder than the first and more careful than the second.
func (t *tail) level(x float64, low bool) float64 {
	p := t.above(x)
	if low {
		p = t.below(x)
	}
	if t.seen < warm || t.n == 0 || x <= 0 {
		return p
	}
	var mean, square float64
	for i, b := range t.bins {
		if b > 0 {
			y := (float64(i) + 0.5) / perOctave * math.Ln2
			mean += float64(b) * y
			square += float64(b) * y * y
		}
	}
	mean /= t.n
	// A bin's own width, and what few values do not show of the spread.
	sd := math.Sqrt(math.Max(square/t.n-mean*mean, 0) + 0.05*0.05)
	sd *= 1 + 2/math.Sqrt(float64(min(t.seen, 2000)))
	z := (math.Log(x/t.lo) - mean) / sd
	if low {
		z = -z
	}
	return math.Sqrt(p * math.Max(0.5*math.Erfc(z/math.Sqrt2), 1e-12))
}

// below is how likely a value of x or less is.
func (t *tail) below(x float64) float64 {
	if t.seen < warm || t.n == 0 {
		return 1
	}
	var under float64
	at := t.bin(x)
	for i := range at {
		under += float64(t.bins[i])
	}
	under += float64(t.bins[at]) / 2
	counted := (under + 0.5*t.n/float64(min(t.seen, 2000))) / t.n
	d := t.quantile(0.1)
	if x >= d || x <= 0 {
		return math.Min(counted, 1)
	}
	var weight, excess float64
	for i := range t.bin(d) + 1 {
		mid := t.lo * math.Exp2((float64(i)+0.5)/perOctave)
		if mid < d {
			weight += float64(t.bins[i])
			excess += float64(t.bins[i]) * math.Log(d/mid)
		}
	}
	each := t.n / float64(min(t.seen, 2000))
	beta := (excess/each + tailWeight*tailScale) / (weight/each + tailWeight)
	fitted := 0.1 * math.Exp(-math.Log(d/x)/math.Max(beta, 0.04))
	if under > 0 {
		return math.Max(fitted, counted)
	}
	return fitted
}

// share is how often something happens, as two counts that forget.
type share struct{ hits, all float64 }

const shareMemory = 5000

func (s *share) add(hit bool) {
	if s.all >= shareMemory {
		s.hits *= 0.5
		s.all *= 0.5
	}
	s.all++
	if hit {
		s.hits++
	}
}

// rate is the share, held towards a small one while little was seen.
func (s *share) rate() float64 { return (s.hits + 0.5) / (s.all + 10) }

// atLeast is how likely k or more of n are hits, by a beta-binomial whose beta is
// what was seen so far: with little seen it is wide.
func (s *share) atLeast(k, n int) float64 {
	a, b := s.hits+0.5, s.all-s.hits+9.5
	// What share moves by itself from day to day is more than coin tosses: the
	// count is not taken as more certain than that.
	if total := a + b; total > 300 {
		a, b = a*300/total, b*300/total
	}
	_, p := chance.BetaBinomial(float64(k), float64(n), a, b)
	return p
}
