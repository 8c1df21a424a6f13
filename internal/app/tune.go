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
// slept. Where the machine gives this process fewer than it has (a container's
// limit) one more would only use that up sooner, and all of it would
// stand still until the next period: there the runtime goes by the limit, and
// follows it. GOMAXPROCS, where set, is the operator's word. Call it after New, where
// heavy work learns how many there are.
func TuneProcessors() {
	_, set := os.LookupEnv("GOMAXPROCS")
	if n := processors(set, runtime.GOMAXPROCS(0), runtime.NumCPU()); n > 0 {
		runtime.GOMAXPROCS(n)
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

// processors is how many the runtime is to have; 0: what it has.
func processors(set bool, has, machine int) int {
	if set || has < machine {
		return 0
	}
	return has + 1
}
