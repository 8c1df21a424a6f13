//go:build race

package policy

// raced is set under the race detector, which makes everything slower.
const raced = true
