package telemetry

import (
	"math"
	"math/bits"
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
// share of the number; its edges are twice as far.
const BinError = 1.0 / (1 << (BinBits + 1))

// BinBits says how fine bins are. A number is counted as a whole number of the
// smallest part of its unit. Those below 2^(BinBits+1) have bins of their own;
// above, each power of two has 2^BinBits bins: the key is the power and the
// number's first bits.
const BinBits = 11

// BinParts is how many of the smallest parts a unit has.
func BinParts(unit string) float64 {
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
	n := uint64(max(0, math.Round(v*BinParts(unit))))
	k := max(0, bits.Len64(n)-BinBits-1)
	return uint64(k)<<(BinBits+1) + n>>k
}

// BinBounds are the least and the greatest number of a bin.
func BinBounds(key uint64, unit string) (low, high float64) {
	k := key >> (BinBits + 1)
	first := key & (1<<(BinBits+1) - 1)
	last := first
	if k > 0 {
		first, last = first<<k, first<<k+1<<k-1
	}
	parts := BinParts(unit)
	return float64(first) / parts, float64(last) / parts
}

// BinValue is what a bin is shown as: its middle, and of a unit without smaller parts
// its least number, since half a token is none.
func BinValue(key uint64, unit string) float64 {
	low, high := BinBounds(key, unit)
	if BinParts(unit) == 1 {
		return low
	}
	return (low + high) / 2
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
	switch len(lists) {
	case 0:
		return nil
	case 1:
		return lists[0]
	case 2:
		return addTwo(lists[0], lists[1])
	}
	half := len(lists) / 2
	return addTwo(AddBins(lists[:half]...), AddBins(lists[half:]...))
}

func addTwo(a, b Bins) Bins {
	out := make(Bins, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Key < b[0].Key:
			out, a = append(out, a[0]), a[1:]
		case b[0].Key < a[0].Key:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, Bin{a[0].Key, a[0].N + b[0].N}), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
