package stat

import "math"

// Difference is how much larger the share of a among n is than that of b among m, with
// its 95 % interval: Newcombe's, from the Wilson intervals of the two ("Interval
// estimation for the difference between independent proportions", Statistics in
// Medicine 17, 1998, method 10). Without any of either it is -1 to 1.
func Difference(a, n, b, m int64) (diff, low, high float64) {
	if n <= 0 || m <= 0 {
		return 0, -1, 1
	}
	p, q := float64(a)/float64(n), float64(b)/float64(m)
	pl, ph := Wilson(a, n)
	ql, qh := Wilson(b, m)
	diff = p - q
	return diff, diff - math.Hypot(p-pl, qh-q), diff + math.Hypot(ph-p, q-ql)
}
