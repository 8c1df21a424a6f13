package api

import (
	"net/http"
	"testing"
	"time"

	"reeve/internal/activity"
)

// Each large page takes a hundred megabytes: the others wait, and small ones
// never do.
func TestLargeRunsAreReadOneByOne(t *testing.T) {
	t.Parallel()
	store := &memStore{runs: []activity.Run{
		testRun(0, func(r *activity.Run) { r.Steps = largePage }),
		testRun(1, nil),
	}}
	a := newTestAPI(t, func(o *Options) { o.Store, o.Timeout = store, 100*time.Millisecond })
	steps := func(n int) answer {
		return send(a, http.MethodGet, Prefix+"/runs/"+runID(n).String()+"/steps?limit=50000", "as viewer", "")
	}
	for range 2 * maxLargeReads { // each gives its slot back
		if got := steps(0); got.status != http.StatusOK {
			t.Fatalf("a large run alone: %d %s", got.status, got.body)
		}
	}
	for range maxLargeReads {
		a.large <- struct{}{}
	}
	if got := steps(0); got.status != http.StatusTooManyRequests || got.problem(t).Code != "api.busy" {
		t.Errorf("a large run beside others: %d %s, want 429 api.busy", got.status, got.body)
	}
	if got := steps(1); got.status != http.StatusOK {
		t.Errorf("a small run beside large ones: %d %s", got.status, got.body)
	}
}
