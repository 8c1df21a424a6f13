package telemetry

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// Bins count rows by value: numbers by the bin that they fall into, orders of tool
// calls by their hash. Unlike quantiles they add up: those of a week are the sums
// of its days. Sorted by key; never changed once they are made.
type Bins []Bin

// Bin is how many rows have a value.
type Bin struct {
	Key uint64
	N   int64
}

// BinError is how far the middle of a bin is from a number in it, at most, as a
// share of the number.
const BinError = 1.0 / (1 << (binBits + 1))

// A number is counted as a whole number of the smallest part of its unit. Those
// below 2^(binBits+1) have bins of their own; above, each power of two has
// 2^binBits bins: the key is the power and the number's first bits.
const binBits = 11

// binParts is how many of the smallest parts a unit has.
func binParts(unit string) float64 {
	switch unit {
	case "ms":
		return 1e6
	case "usd":
		return 1e9
	}
	return 1
}

// BinKey is the bin of a number.
func BinKey(v float64, unit string) uint64 {
	n := uint64(max(0, math.Round(v*binParts(unit))))
	k := max(0, bits.Len64(n)-binBits-1)
	return uint64(k)<<(binBits+1) + n>>k
}

// BinBounds are the least and the greatest number of a bin.
func BinBounds(key uint64, unit string) (low, high float64) {
	k := key >> (binBits + 1)
	first := key & (1<<(binBits+1) - 1)
	last := first
	if k > 0 {
		first, last = first<<k, first<<k+1<<k-1
	}
	parts := binParts(unit)
	return float64(first) / parts, float64(last) / parts
}

// Total is how many rows there are.
func (b Bins) Total() (n int64) {
	for _, x := range b {
		n += x.N
	}
	return n
}

// At is the bin of the q-th quantile (0 to 1): that of the row of rank ceil(q n),
// as DuckDB's quantile_disc has it; ok is false without rows.
func (b Bins) At(q float64) (key uint64, ok bool) {
	total := b.Total()
	if total == 0 {
		return 0, false
	}
	rank := max(1, int64(math.Ceil(q*float64(total))))
	for _, x := range b {
		if rank -= x.N; rank <= 0 {
			return x.Key, true
		}
	}
	return b[len(b)-1].Key, true
}

// AddBins is the sum of lists.
func AddBins(lists ...Bins) Bins {
	n := 0
	for _, l := range lists {
		n += len(l)
	}
	all := make(Bins, 0, n)
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.SortFunc(all, func(a, b Bin) int { return cmp.Compare(a.Key, b.Key) })
	out := all[:0]
	for _, x := range all {
		if n := len(out); n > 0 && out[n-1].Key == x.Key {
			out[n-1].N += x.N
		} else {
			out = append(out, x)
		}
	}
	return out
}
