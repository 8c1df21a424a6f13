package stat

import "math"

// Fisher is the two-sided chance of a table of two by two that is at least as
// unlikely as a, b / c, d, were its rows alike (Fisher's exact test).
func Fisher(a, b, c, d int64) float64 {
	if a < 0 || b < 0 || c < 0 || d < 0 {
		return 1
	}
	row, col, n := a+b, a+c, a+b+c+d
	if row == 0 || row == n || col == 0 || col == n {
		return 1
	}
	log := func(k int64) float64 { return logChoose(row, k) + logChoose(n-row, col-k) - logChoose(n, col) }
	own := log(a)
	var p float64
	// From the likeliest table outwards on both sides, so that a million of runs
	// takes as many steps as the distribution is wide.
	low, high := max(0, col-(n-row)), min(row, col)
	mode := min(max((row+1)*(col+1)/(n+2), low), high)
	for k := mode; k >= low; k-- {
		l := log(k)
		if l <= own+1e-7 {
			p += math.Exp(l)
		}
		if l < own-40 {
			break
		}
	}
	for k := mode + 1; k <= high; k++ {
		l := log(k)
		if l <= own+1e-7 {
			p += math.Exp(l)
		}
		if l < own-40 {
			break
		}
	}
	return min(p, 1)
}

func logChoose(n, k int64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
