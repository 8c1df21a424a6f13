package encoder

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var fast = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// dotBytes is the inner product of bytes with a scale for each group with four
// rows of x, each as long as q. len(q) is a multiple of group.
func dotBytes(q string, scales, x []float32, sums *[lanes]float32) {
	if !fast || len(q) == 0 {
		dotPlain(q, scales, x, sums)
		return
	}
	_, _ = x[lanes*len(q)-1], scales[len(q)/group-1]
	dotAVX2(unsafe.StringData(q), &scales[0], &x[0], len(q), sums)
}

// dotAVX2 needs n a multiple of 64, n bytes at q, n/64 floats at scales and 4·n
// at x.
//
//go:noescape
func dotAVX2(q *byte, scales, x *float32, n int, sums *[lanes]float32)
