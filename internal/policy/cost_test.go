package policy

import (
	"testing"
	"time"
)

// A decision with its context allocates only what it gives back, and takes at
// most 5 µs with 1,000 policies and 10 with 10,000, the best of many rounds (a
// busy machine makes the others slower). It measured 1.2 µs for both.
func TestDecideIsCheap(t *testing.T) {
	for n, limit := range map[int]time.Duration{1000: 5 * time.Microsecond, 10000: 10 * time.Microsecond} {
		var e Engine
		e.Replace(1, many(t, n))
		r := request()
		r.Agent.Name, r.Resource.Upstream = "a7", "u7"
		r.Call.Model = &ModelCall{Endpoint: "chat"}
		if got := testing.AllocsPerRun(200, func() { e.Decide(r) }); got > 4 && !raced {
			t.Errorf("%d policies: %v allocations", n, got)
		}
		best := time.Hour
		for range 200 {
			start := time.Now()
			for range 100 {
				e.Decide(r)
			}
			best = min(best, time.Since(start)/100)
		}
		t.Logf("%d policies: %v a decision", n, best)
		if best > limit && !raced {
			t.Errorf("%d policies: %v a decision, at most %v", n, best, limit)
		}
	}
	r := request()
	if got := testing.AllocsPerRun(200, func() { r.contextJSON() }); got > 1 && !raced {
		t.Errorf("the context's JSON: %v allocations", got)
	}
}
