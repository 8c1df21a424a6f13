package watch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

// A stale source that was read is told once a rest, with the run and the step; a
// fresh one, one that nobody knows and one that cannot be looked up are not.
func TestStaleSource(t *testing.T) {
	t.Parallel()
	asked, some := 0, true
	x := newWorld(t, func(o *Options) {
		o.AnySource = func() bool { return some }
		o.Sources = func(_ context.Context, team, name string, at time.Time) (Reading, error) {
			asked++
			if team != "core" || at.IsZero() {
				t.Errorf("asked for %q of team %q at %v", name, team, at)
			}
			switch name {
			case "policies":
				return Reading{Source: "refund_policy", Stale: true, Sentence: "it read refund_policy in version 3, 30 h old", Version: "3"}, nil
			case "broken":
				return Reading{}, errors.New("the database is closed")
			}
			return Reading{}, nil
		}
	})
	for _, name := range []string{"fresh", "policies", "broken"} {
		for range 3 {
			r := x.run("advisor")
			r.step(activity.KindRetrieval, name, time.Second, nil)
			r.end(false)
		}
	}
	got := x.k.of("stale_source")
	if len(got) != 1 {
		t.Fatalf("%d findings", len(got))
	}
	f := got[0]
	if f.Subject != "refund_policy" || !strings.Contains(f.Text, "30 h old") || len(f.Runs) != 1 || len(f.Steps) != 1 || f.Agent != "advisor" || f.Authenticated {
		t.Errorf("%+v", f)
	}
	if asked != 3 {
		t.Errorf("looked up %d times: once a source and while", asked)
	}
	x.now = x.now.Add(20 * time.Minute)
	r := x.run("advisor")
	r.step(activity.KindRetrieval, "policies", time.Second, nil)
	r.end(false)
	if got := x.k.of("stale_source"); len(got) != 2 {
		t.Errorf("after the rest: %d findings", len(got))
	}
	// Failed reads brought nothing.
	r = x.run("other")
	r.step(activity.KindRetrieval, "policies", time.Second, func(s *activity.Step) { s.Status = activity.StatusError })
	r.end(true)
	if got := x.k.of("stale_source"); len(got) != 2 {
		t.Errorf("a read that failed: %d findings", len(got))
	}
	// Where nothing is known of any source nobody asks.
	some, asked = false, 0
	x.now = x.now.Add(20 * time.Minute)
	r = x.run("advisor")
	r.step(activity.KindRetrieval, "policies", time.Second, nil)
	r.end(false)
	if asked != 0 {
		t.Errorf("looked up %d times where there is no source", asked)
	}
}
