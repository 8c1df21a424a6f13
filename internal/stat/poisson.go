package stat

import "math"

// PoissonAtLeast is the chance of k or more events where mean are expected: the
// lower incomplete gamma function of k at mean, of which small values are exact.
func PoissonAtLeast(k int64, mean float64) float64 {
	switch {
	case k <= 0:
		return 1
	case !(mean > 0):
		return 0
	}
	a, x := float64(k), mean
	front := math.Exp(a*math.Log(x) - x - lgamma(a))
	if x < a+1 { // a series of falling terms
		term := 1 / a
		sum := term
		for n := a + 1; term > sum*1e-16; n++ {
			term *= x / n
			sum += term
		}
		return min(1, front*sum)
	}
	// Lentz's fraction for the upper part.
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 10_000; i++ {
		an := -i * (i - a)
		b += 2
		if d = an*d + b; math.Abs(d) < tiny {
			d = tiny
		}
		if c = b + an/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		step := d * c
		h *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	return max(0, 1-front*h)
}
