package app

import (
	"os"
	"runtime/debug"
)

// TuneMemory makes the collector eager. Most of what lives here are buffers of
// one size, so the live heap is small (300 MB at 40,000 spans/s) and Go's
// default of letting it double costs 300 MB for 2 % of the time. The limit is
// soft: a question that needs more gets it, at the price of more collecting.
// GOGC and GOMEMLIMIT, where set, are the operator's word.
func TuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(50)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(440 << 20)
	}
}
