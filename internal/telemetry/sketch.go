package telemetry

import (
	"math"
	"sort"
)

// A latency sketch is a histogram with logarithmic buckets: bucket i holds
// durations in (gamma^(i-1), gamma^i] nanoseconds, so that any quantile is
// right to about 2 %. Counts are plain numbers, so sketches can be added and,
// unlike digests, subtracted from: a step that changes takes its old duration
// back.
const gamma = 1.04

var logGamma = math.Log(gamma)

// Index is the bucket of a duration in nanoseconds; nothing and less is bucket 0.
func Index(ns int64) int16 {
	if ns <= 1 {
		return 0
	}
	return int16(math.Ceil(math.Log(float64(ns)) / logGamma))
}

// Bounds are the smallest and largest duration in nanoseconds of a bucket, the
// smallest excluded.
func Bounds(index int16) (above, upTo float64) {
	if index <= 0 {
		return 0, 1
	}
	return math.Pow(gamma, float64(index)-1), math.Pow(gamma, float64(index))
}

// middle is the value that is nearest, relatively, to all of a bucket.
func middle(index int16) float64 {
	if index <= 0 {
		return 0
	}
	return 2 * math.Pow(gamma, float64(index)) / (1 + gamma)
}

// Sketch is the sum of many sparse sketches. The zero Sketch is empty. Not safe
// for concurrent use.
type Sketch struct {
	counts map[int16]int64
}

// Add adds signed counts.
func (s *Sketch) Add(buckets ...Bucket) {
	if s.counts == nil {
		s.counts = make(map[int16]int64, len(buckets))
	}
	for _, b := range buckets {
		s.counts[b.Index] += b.Count
	}
}

// Buckets lists the buckets that are not zero, by index.
func (s *Sketch) Buckets() []Bucket {
	out := make([]Bucket, 0, len(s.counts))
	for i, n := range s.counts {
		if n != 0 {
			out = append(out, Bucket{i, n})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Index < out[j].Index })
	return out
}

// Quantile is the q-th quantile (0 to 1) in nanoseconds; ok is false when the
// sketch is empty.
func (s *Sketch) Quantile(q float64) (ns float64, ok bool) {
	return Quantile(s.Buckets(), q)
}

// Quantile is the q-th quantile (0 to 1) in nanoseconds of buckets sorted by
// index; ok is false when they are empty. Buckets below zero, which a
// subtraction seen before its addition can leave, count as none.
func Quantile(buckets []Bucket, q float64) (ns float64, ok bool) {
	var total int64
	for _, b := range buckets {
		total += max(b.Count, 0)
	}
	if total == 0 {
		return 0, false
	}
	// The rank is that of DuckDB's quantile_disc, so that both ways of
	// answering a question agree.
	rank := int64(math.Ceil(q * float64(total)))
	rank = min(max(rank, 1), total)
	for _, b := range buckets {
		if rank -= max(b.Count, 0); rank <= 0 {
			return middle(b.Index), true
		}
	}
	return middle(buckets[len(buckets)-1].Index), true
}
