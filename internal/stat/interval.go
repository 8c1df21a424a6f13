package stat

import (
	"math"

	"reeve/internal/detect/chance"
)

// z95 is the standard normal's 97.5 % quantile.
const z95 = 1.959963984540054

// Wilson is the 95 % interval of a share of k among n; 0 to 1 without any.
func Wilson(k, n int64) (low, high float64) { return WilsonAt(k, n, z95) }

// WilsonAt is the same for another width: z is how many standard deviations of a
// normal distribution it reaches to either side.
func WilsonAt(k, n int64, z float64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	m := float64(n)
	p := min(max(float64(k)/m, 0), 1)
	d := 1 + z*z/m
	mid := (p + z*z/(2*m)) / d
	half := z / d * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	low, high = max(0, mid-half), min(1, mid+half)
	if k <= 0 {
		low = 0 // and not what rounding leaves of it
	}
	if k >= n {
		high = 1
	}
	return low, high
}

// Student is the two-sided 95 % quantile of Student's t with so many degrees of
// freedom; infinite below one.
func Student(freedom float64) float64 {
	if freedom < 1 {
		return math.Inf(1)
	}
	low, high := 1.9, 13.0
	for range 60 {
		t := (low + high) / 2
		if chance.Beta(freedom/(freedom+t*t), freedom/2, 0.5) > 0.05 {
			low = t
		} else {
			high = t
		}
	}
	return (low + high) / 2
}

// Sums are what intervals of means are made of.
type Sums struct {
	N           int64
	Sum, Square float64 // of the values, and of their squares
}

// Mean is the mean with its 95 % interval by Student's t; ok is false without
// values. One value alone has no interval: low and high are infinite.
func (s Sums) Mean() (mean, low, high float64, ok bool) {
	if s.N <= 0 {
		return 0, 0, 0, false
	}
	n := float64(s.N)
	mean = s.Sum / n
	if s.N == 1 {
		return mean, math.Inf(-1), math.Inf(1), true
	}
	variance := max(0, s.Square-s.Sum*mean) / (n - 1)
	half := Student(n-1) * math.Sqrt(variance/n)
	return mean, mean - half, mean + half, true
}

// Ratio is the sum of y's over the sum of x's with its 95 % interval by the delta
// method; xy is the sum of their products. ok is false where the x's add up to
// nothing. Both are of the same n things.
func Ratio(y, x Sums, xy float64) (ratio, low, high float64, ok bool) {
	if x.Sum <= 0 || x.N <= 0 {
		return 0, 0, 0, false
	}
	ratio = y.Sum / x.Sum
	n := float64(x.N)
	if x.N == 1 {
		return ratio, math.Inf(-1), math.Inf(1), true
	}
	// The residuals y - ratio*x add up to nothing.
	squares := y.Square - 2*ratio*xy + ratio*ratio*x.Square
	variance := max(0, squares) / (n - 1)
	half := Student(n-1) * math.Sqrt(variance/n) / (x.Sum / n)
	return ratio, ratio - half, ratio + half, true
}

// Ranks are the two quantiles between whose values the q-th quantile of the
// population lies in at least about 95 % of samples of n; ok is false for a
// sample too small to say it.
func Ranks(n int64, q float64) (low, high float64, ok bool) {
	m := float64(n)
	half := z95 * math.Sqrt(m*q*(1-q))
	a, b := math.Floor(m*q-half), math.Ceil(m*q+half)+1
	if n <= 0 || a < 1 || b > m {
		return 0, 0, false
	}
	return a / m, b / m, true
}

// AtLeast is the chance of k or more among n where each has chance p.
func AtLeast(k, n int64, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	}
	return chance.Beta(min(max(p, 0), 1), float64(k), float64(n-k+1))
}
