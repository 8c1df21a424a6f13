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
// A value moves the difference of the two distribution functions, times n times m,
// up by m where it is of the first sample and down by n where it is of the second:
// whole numbers, since the largest difference is looked for thousands of times.
type sorted struct {
	moves []int32
	ends  []bool // whether the next value is another; equal values are one step
	ties  bool
	n, m  int
	order []int32 // of values, as last dealt
}

func newSorted(a, b []float64) *sorted {
	type value struct {
		v    float64
		move int32
	}
	s := &sorted{n: len(a), m: len(b)}
	all := make([]value, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, value{v, int32(s.m)})
	}
	for _, v := range b {
		all = append(all, value{v, int32(-s.n)})
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
	s.moves, s.ends = make([]int32, len(all)), make([]bool, len(all))
	for i, x := range all {
		s.moves[i] = x.move
		s.ends[i] = i+1 == len(all) || all[i+1].v != x.v
		s.ties = s.ties || !s.ends[i]
	}
	return s
}

func (s *sorted) distance() float64 {
	at, low, high := 0, 0, 0
	if s.ties {
		for i, move := range s.moves {
			if at += int(move); s.ends[i] {
				low, high = min(low, at), max(high, at)
			}
		}
	} else {
		for _, move := range s.moves {
			at += int(move)
			low, high = min(low, at), max(high, at)
		}
	}
	return float64(max(-low, high)) / float64(s.n*s.m)
}

// deal gives the second sample's marks to as many values at random (the first
// steps of Fisher and Yates, over the smaller sample).
func (s *sorted) deal(r *rand.Rand) {
	few, mark, rest := s.m, int32(-s.n), int32(s.m)
	if s.n < s.m {
		few, mark, rest = s.n, rest, mark
	}
	for i := range s.moves {
		s.moves[i] = rest
	}
	if s.order == nil {
		s.order = make([]int32, len(s.moves))
		for i := range s.order {
			s.order[i] = int32(i)
		}
	}
	for i := range few {
		j := i + r.IntN(len(s.order)-i)
		s.order[i], s.order[j] = s.order[j], s.order[i]
		s.moves[s.order[i]] = mark
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
