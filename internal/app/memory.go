package app

import (
	"os"
	"runtime/debug"
)

// TuneMemory says what the collector lets the heap become. Most of what lives
// here are buffers of one size (200 MB at 40,000 spans/s), so the heap may grow
// to three times of what lives
// until it meets the limit, which is set so that the process stays below 500 MB
// with what is not the heap's. The limit is soft: a question that needs more gets
// it, at the price of more collecting. GOGC and GOMEMLIMIT, where set, are the
// operator's word.
func TuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(200)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(400 << 20)
	}
}
