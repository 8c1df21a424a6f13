package app

import (
	"os"
	"runtime"
	"runtime/debug"
)

// TuneProcessors gives the runtime one processor more than there are. With all of
// them busy it looks at the network every 10 ms only, so that a stop, or a call,
// waits that long before anybody knows that it is there; with one to spare a
// thread waits for the network, and the system lets it run at once, as it does who
// slept. GOMAXPROCS, where set, is the operator's word; else a limit of processors
// that changes while this runs is not followed. Call it after New, where heavy work
// learns how many there are.
func TuneProcessors() {
	if _, set := os.LookupEnv("GOMAXPROCS"); !set {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

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
		debug.SetMemoryLimit(360 << 20)
	}
}
