package stat

import (
	"math"
	"slices"
)

// Trials are the results of one task that was tried several times.
type Trials struct{ Passed, Of int64 }

// PassHat is pass^k: the chance that k tries of a task, drawn without putting
// back, all pass, averaged over tasks; with its 95 % interval over tasks. Tasks
// with fewer than k tries do not count; ok is false when none is left.
func PassHat(tasks []Trials, k int64) (share, low, high float64, n int64, ok bool) {
	var s Sums
	for _, t := range tasks {
		if t.Of < k || k < 1 {
			continue
		}
		p := 1.0
		for i := range k {
			p *= float64(max(t.Passed-i, 0)) / float64(t.Of-i)
		}
		s.N++
		s.Sum += p
		s.Square += p * p
	}
	share, low, high, ok = s.Mean()
	return share, max(0, low), min(1, high), s.N, ok
}

// Spread is how unlike the results of the same tasks are: the chance that two
// tries of a task, drawn without putting back, end differently, averaged over
// tasks, with its 95 % interval. 0 is perfectly repeatable.
func Spread(tasks [][]int64) (share, low, high float64, n int64, ok bool) {
	var s Sums
	for _, counts := range tasks {
		var of, same float64
		for _, c := range counts {
			of += float64(c)
			same += float64(c) * float64(c-1)
		}
		if of < 2 {
			continue
		}
		d := 1 - same/(of*(of-1))
		s.N++
		s.Sum += d
		s.Square += d * d
	}
	share, low, high, ok = s.Mean()
	return share, max(0, low), min(1, high), s.N, ok
}

// Entropy is the entropy in bits of what was drawn so often, with Miller and
// Madow's correction for small samples, and its 95 % interval; ok is false for
// fewer than two draws.
func Entropy(counts []int64) (bits, low, high float64, ok bool) {
	var n float64
	for _, c := range counts {
		n += float64(c)
	}
	if n < 2 {
		return 0, 0, 0, false
	}
	var h, square, kinds float64
	for _, c := range slices.Sorted(slices.Values(counts)) { // sums the same however they came
		if c > 0 {
			p := float64(c) / n
			l := math.Log2(p)
			h -= p * l
			square += p * l * l
			kinds++
		}
	}
	half := z95 * math.Sqrt(max(0, square-h*h)/n)
	h += (kinds - 1) / (2 * n * math.Ln2)
	return h, max(0, h-half), h + half, true
}
