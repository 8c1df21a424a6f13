package chance

import (
	"math"
	"slices"
)

// Normal is the upper tail of the standard normal distribution.
func Normal(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// Beta is the regularised incomplete beta function I_x(a, b): the probability
// that a Beta(a, b) variable is at most x. NaN for a or b below or at 0.
func Beta(x, a, b float64) float64 {
	switch {
	case !(a > 0) || !(b > 0) || math.IsNaN(x):
		return math.NaN()
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	front := math.Exp(lgamma(a+b) - lgamma(a) - lgamma(b) + a*math.Log(x) + b*math.Log1p(-x))
	if x < (a+1)/(a+b+2) {
		return front * fraction(x, a, b) / a
	}
	return 1 - front*fraction(1-x, b, a)/b
}

func lgamma(x float64) float64 { v, _ := math.Lgamma(x); return v }

// fraction is the continued fraction of the incomplete beta function, by Lentz's
// method. It converges in about sqrt(max(a, b)) rounds.
func fraction(x, a, b float64) float64 {
	const tiny = 1e-300
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1), tiny)
	h := d
	for m := 1.0; m <= 10_000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+even*d, tiny), away(1+even/c, tiny)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+odd*d, tiny), away(1+odd/c, tiny)
		step := d * c
		h *= step
		if math.Abs(step-1) < 1e-14 {
			break
		}
	}
	return h
}

func away(v, tiny float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}

// NegativeBinomial gives both tails of the number of events in exposure e, when
// the rate is known as Gamma(shape, per): the probabilities of n or fewer, and of
// n or more. This is what a Poisson count looks like whose rate is only known
// from the past.
func NegativeBinomial(n, e, shape, per float64) (low, high float64) {
	if !(e > 0) || !(shape > 0) || !(per > 0) || n < 0 {
		return 1, 1
	}
	q := e / (per + e)
	low, high = Beta(1-q, shape, n+1), 1
	if n > 0 {
		high = Beta(q, n, shape)
	}
	return low, high
}

// most trials that BetaBinomial sums over; more are scaled down, which makes the
// tails heavier, never lighter.
const mostTrials = 4096

// BetaBinomial gives both tails of k successes among n trials, when the ratio is
// known as Beta(a, b): the probabilities of k or fewer, and of k or more.
func BetaBinomial(k, n, a, b float64) (low, high float64) {
	if !(a > 0) || !(b > 0) || !(n > 0) || k < 0 || k > n {
		return 1, 1
	}
	if n > mostTrials {
		k, n = k*mostTrials/n, mostTrials
	}
	// Log of the probability of k exactly; then both tails by the ratio of
	// neighbours, which ends where nothing is added any more.
	at := math.Exp(lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1) + lgamma(k+a) + lgamma(n-k+b) - lgamma(n+a+b) + lgamma(a+b) - lgamma(a) - lgamma(b))
	low, high = at, at
	for j, p := k, at; j < n; j++ {
		p *= (n - j) * (a + j) / ((j + 1) * (b + n - j - 1))
		high += p
		if !(p > high*1e-12) && j-k > 1 {
			break
		}
		if b+n-j-1 <= 0 {
			break
		}
	}
	for j, p := k, at; j >= 1; j-- {
		p *= j * (b + n - j) / ((n - j + 1) * (a + j - 1))
		low += p
		if a+j-1 <= 0 || (!(p > low*1e-12) && k-j > 1) {
			break
		}
	}
	return min(low, 1), min(high, 1)
}

// Wilson is the interval of 95 % of a proportion, k among n; 0 and 1 without any.
func Wilson(k, n float64) (low, high float64) {
	if !(n > 0) {
		return 0, 1
	}
	const z = 1.959964
	x := k / n
	middle := (x + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(x*(1-x)/n+z*z/(4*n*n))
	return max(0, middle-half), min(1, middle+half)
}

// Choose marks the tests whose probabilities are small enough that the share of
// false ones among all marked stays at most share in expectation (Benjamini and
// Hochberg). NaN is never marked.
func Choose(ps []float64, share float64) []bool {
	out := make([]bool, len(ps))
	sorted := slices.DeleteFunc(slices.Clone(ps), math.IsNaN)
	slices.Sort(sorted)
	limit := -1.0
	for i, p := range sorted {
		if p <= share*float64(i+1)/float64(len(sorted)) {
			limit = p
		}
	}
	for i, p := range ps {
		out[i] = p <= limit
	}
	return out
}
