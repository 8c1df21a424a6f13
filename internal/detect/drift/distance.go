package drift

import (
	"math"
	"math/rand/v2"
	"slices"
)

// KS is the largest distance between the distribution functions of two samples
// (Kolmogorov and Smirnov); 0 if one is empty.
func KS(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	s := newSorted(a, b)
	return s.distance()
}

// sorted are two samples in one order, so that permuting them is swapping marks.
type sorted struct {
	values []float64
	second []bool // whose value it is
	n, m   int
	order  []int32 // of values, as last dealt
}

func newSorted(a, b []float64) *sorted {
	type value struct {
		v      float64
		second bool
	}
	all := make([]value, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, value{v, false})
	}
	for _, v := range b {
		all = append(all, value{v, true})
	}
	slices.SortFunc(all, func(x, y value) int {
		switch {
		case x.v < y.v:
			return -1
		case x.v > y.v:
			return 1
		}
		return 0
	})
	s := &sorted{n: len(a), m: len(b)}
	for _, x := range all {
		s.values, s.second = append(s.values, x.v), append(s.second, x.second)
	}
	return s
}

func (s *sorted) distance() (top float64) {
	first, second := 0, 0
	for i := range s.values {
		if s.second[i] {
			second++
		} else {
			first++
		}
		if i+1 < len(s.values) && s.values[i+1] == s.values[i] {
			continue // equal values are one step
		}
		top = max(top, math.Abs(float64(first)/float64(s.n)-float64(second)/float64(s.m)))
	}
	return top
}

// deal gives the second sample's marks to as many values at random (the first
// steps of Fisher and Yates, over the smaller sample).
func (s *sorted) deal(r *rand.Rand) {
	clear(s.second)
	few, mark := s.m, true
	if s.n < s.m {
		few, mark = s.n, false
		for i := range s.second {
			s.second[i] = true
		}
	}
	if s.order == nil {
		s.order = make([]int32, len(s.second))
		for i := range s.order {
			s.order[i] = int32(i)
		}
	}
	for i := range few {
		j := i + r.IntN(len(s.order)-i)
		s.order[i], s.order[j] = s.order[j], s.order[i]
		s.second[s.order[i]] = mark
	}
}

// JensenShannon is the distance of two distributions over kinds, given as counts,
// in bits: 0 for equal ones, 1 for ones with nothing in common.
func JensenShannon(a, b []float64) (d float64) {
	na, nb := sum(a), sum(b)
	if na == 0 || nb == 0 {
		return 0
	}
	for i := range a {
		p, q := a[i]/na, b[i]/nb
		m := (p + q) / 2
		if p > 0 {
			d += p / 2 * math.Log2(p/m)
		}
		if q > 0 {
			d += q / 2 * math.Log2(q/m)
		}
	}
	return max(0, d)
}

// PSI is the population stability index of two distributions over kinds, given as
// counts: by custom .1 is a small shift and .25 a large one. Empty kinds count as
// half an event.
func PSI(a, b []float64) (d float64) {
	na, nb := sum(a), sum(b)
	if na == 0 || nb == 0 {
		return 0
	}
	for i := range a {
		p, q := max(a[i], .5)/na, max(b[i], .5)/nb
		d += (q - p) * math.Log(q/p)
	}
	return d
}

func sum(xs []float64) (s float64) {
	for _, x := range xs {
		s += x
	}
	return s
}

// kinds are two samples of kinds as numbers.
type kinds struct {
	values []int
	n      int // the first so many are the first sample
	a, b   []float64
}

func (k *kinds) distance() float64 {
	clear(k.a)
	clear(k.b)
	for i, v := range k.values {
		if i < k.n {
			k.a[v]++
		} else {
			k.b[v]++
		}
	}
	return JensenShannon(k.a, k.b)
}

// deal puts values at random into the smaller sample (the first steps of Fisher
// and Yates, from its end of the list).
func (k *kinds) deal(r *rand.Rand) {
	n := len(k.values)
	for i := range min(k.n, n-k.n) {
		j := i + r.IntN(n-i)
		if k.n > n-k.n { // the second sample is the smaller: from the back
			i, j = n-1-i, n-1-j
		}
		k.values[i], k.values[j] = k.values[j], k.values[i]
	}
}

// permutable is a pair of samples that can be dealt anew.
type permutable interface {
	distance() float64
	deal(r *rand.Rand)
}

// permuted is how likely at least this distance is when the two samples are dealt
// at random: by so many deals at most, and fewer where it is plain that it is
// likely (Besag and Clifford, 1991).
func permuted(p permutable, distance float64, most int, r *rand.Rand) (chance float64) {
	const enough = 12
	over := 0
	for n := 1; n <= most; n++ {
		p.deal(r)
		if p.distance() >= distance-1e-12 {
			over++
		}
		if over == enough {
			return float64(over) / float64(n)
		}
	}
	return float64(over+1) / float64(most+1)
}
