package series

import "math"

// sizes is the distribution of a size seen so far, as a histogram over its
// logarithm: a quarter of an octave a bin, from 2^-13 to 2^11 times what is
// usual for it.
type sizes struct {
	bins [sizeBins]float32
	n    float32
	max  float64
}

const (
	sizeBins = 96
	centre   = 56     // the bin of 1
	mostKept = 20_000 // sizes; then all count half as much
)

func sizeBin(m float64) int {
	if m <= 1e-9 {
		return 0
	}
	// Frexp is many times cheaper than Log2, and a straight line within each
	// octave will do for bins of a quarter.
	frac, exp := math.Frexp(m) // m = frac * 2^exp, frac in [.5, 1)
	return max(1, min(sizeBins-1, centre+4*(exp-1)+int((frac-.5)*8)))
}

// look says how unlikely a size at least this large was, as minus the base-10
// logarithm of its share, and learns it. Beyond the largest seen the share falls
// with the cube, as in the tails of most heavy distributions.
func (s *sizes) look(m float64) float64 {
	b := sizeBin(m)
	above := s.bins[b] / 2
	for i := b + 1; i < sizeBins; i++ {
		above += s.bins[i]
	}
	p := (float64(above) + 1) / (float64(s.n) + 2)
	if m > s.max {
		if s.max > 0 {
			r := s.max / m
			p *= r * r * r
		}
		s.max = m
	}
	s.bins[b]++
	s.n++
	if s.n >= mostKept {
		s.fade()
	}
	return -math.Log10(p)
}

// fade halves what is known, so that a series may change its ways for good.
func (s *sizes) fade() {
	s.n, s.max = 0, s.max/math.Sqrt2
	for i := range s.bins {
		s.bins[i] /= 2
		s.n += s.bins[i]
	}
}
