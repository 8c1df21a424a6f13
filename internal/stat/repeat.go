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

// SpreadWithin is the spread of these very tasks: as Spread, but its 95 % interval is
// of the tries that were not made of them and not of tasks that are not there. So one
// task has an interval too. n is of tasks with two tries. The intervals of tasks are
// joined by their distances from what was seen (MOVER), since they lean to one side.
func SpreadWithin(tasks [][]int64) (share, low, high float64, n int64, ok bool) {
	var down, up float64
	for _, counts := range tasks {
		d, l, h, ok := oneSpread(counts)
		if !ok {
			continue
		}
		n++
		share, down, up = share+d, down+(d-l)*(d-l), up+(h-d)*(h-d)
	}
	if n == 0 {
		return 0, 0, 0, 0, false
	}
	all := float64(n)
	share /= all
	return share, max(0, share-math.Sqrt(down)/all), min(1, share+math.Sqrt(up)/all), n, true
}

// oneSpread is of one task. The ends of its interval are the spreads of which what was
// seen would just be within 1.96 deviations: nearer to the commonest result, and
// nearer to all results, and one that was not seen, being as common. (What was seen
// with its own deviation would not do: near a half the deviation of a spread is next
// to nothing, whatever the truth.)
func oneSpread(counts []int64) (d, low, high float64, ok bool) {
	var of, same float64
	for _, c := range counts {
		of += float64(c)
		same += float64(c) * float64(c-1)
	}
	if of < 2 {
		return 0, 0, 0, false
	}
	d = 1 - same/(of*(of-1))
	var seen []float64
	for _, c := range slices.Sorted(slices.Values(counts)) { // the same however they came
		if c > 0 {
			seen = append(seen, float64(c)/of)
		}
	}
	most := len(seen) - 1
	seen = append(seen, 0)
	shifted := make([]float64, len(seen))
	end := func(target func(i int) float64, within func(mean, deviation float64) bool) float64 {
		at := func(by float64) (mean, deviation float64) {
			for i, p := range seen {
				shifted[i] = p*(1-by) + by*target(i)
			}
			return spreadOf(shifted, of)
		}
		mean, deviation := at(1)
		if within(mean, deviation) {
			return mean
		}
		inside, outside := 0.0, 1.0
		for range 40 {
			half := (inside + outside) / 2
			if within(at(half)) {
				inside = half
			} else {
				outside = half
			}
		}
		mean, _ = at(inside)
		return mean
	}
	low = end(func(i int) float64 {
		if i == most {
			return 1
		}
		return 0
	}, func(mean, deviation float64) bool { return d <= mean+z95*deviation })
	high = end(func(int) float64 { return 1 / float64(len(seen)) }, func(mean, deviation float64) bool { return d >= mean-z95*deviation })
	return d, min(low, d), max(high, d), true
}

// spreadOf is the mean and the deviation of the spread of n tries of results with
// these chances: of one try with all others, and of the pair itself, which is what is
// left where the first is nothing, as with a coin.
func spreadOf(p []float64, n float64) (mean, deviation float64) {
	var two, three float64
	for _, x := range p {
		two, three = two+x*x, three+x*x*x
	}
	pairs := n * (n - 1)
	return 1 - two, math.Sqrt(4*max(0, n-2)/pairs*max(0, three-two*two) + 2/pairs*two*max(0, 1-two))
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
