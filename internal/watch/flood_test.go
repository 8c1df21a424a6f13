package watch

import (
	"fmt"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/finding"
	"reeve/internal/telemetry"
)

// A flood of claimed agents and runs takes nothing from those that proved who
// they are: what was learned of them stays, and so do their runs and findings.
func TestClaimsTakeNoRoom(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	x.door = true
	x.usual("refunds", 60)
	r := x.run("refunds")
	for range 3 {
		r.step(activity.KindTool, "search_orders", time.Millisecond, args(1))
	}
	x.flush()
	x.door = false
	for i := range maxAgents + 2000 {
		c := x.run(fmt.Sprintf("claimed-%d", i))
		if i%100 == 0 {
			c.id = r.id // into the run of the other
		}
		c.step(activity.KindTool, "t", time.Microsecond, nil)
	}
	x.flush()
	for range 2 {
		x.wr = telemetry.Write{}
		for range maxRuns {
			x.run("claimed").step(activity.KindTool, "t", time.Microsecond, nil)
		}
		x.flush()
	}
	if s := x.w.Stats(); s.Agents > maxAgents || s.Runs > maxRuns+1 || s.Forgotten == 0 {
		t.Errorf("beyond the bounds: %+v", s)
	}
	x.door = true
	for range 9 {
		r.step(activity.KindTool, "search_orders", time.Millisecond, args(1))
	}
	x.flush()
	if got := x.k.of("loop"); len(got) != 1 || !got[0].Authenticated || got[0].Seen == "9 times" {
		t.Errorf("the loop of the agent that is proved: %+v", got)
	}
}

// So many findings of what is claimed are kept; those that are proved are none
// of them.
func TestClaimsAreFew(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	x.w.clock = t0.UnixNano()
	for i := range 3 * claimsBurst {
		x.w.find(finding.Finding{Detector: "loop", Agent: fmt.Sprint(i)})
	}
	for i := range maxQueue {
		x.w.find(finding.Finding{Detector: "loop", Agent: fmt.Sprint(i), Authenticated: true})
	}
	x.w.Drain(t.Context())
	claimed := 0
	for _, f := range x.k.list {
		if !f.Authenticated {
			claimed++
		}
	}
	if claimed != claimsBurst || len(x.k.list) != claimsBurst+maxQueue {
		t.Errorf("%d of %d kept are claimed", claimed, len(x.k.list))
	}
	x.w.clock += int64(10 * time.Second)
	x.w.find(finding.Finding{Detector: "loop", Agent: "later"})
	x.w.Drain(t.Context())
	if len(x.k.list) != claimsBurst+maxQueue+1 {
		t.Error("later ones are not told either")
	}
}
