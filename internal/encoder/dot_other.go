//go:build !amd64

package encoder

// dotBytes is the inner product of bytes with a scale for each group with four
// rows of x, each as long as q.
func dotBytes(q string, scales, x []float32, sums *[lanes]float32) {
	dotPlain(q, scales, x, sums)
}
