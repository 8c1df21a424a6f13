package watch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

// ended is a run of usual length, its tokens around a middle.
func (x *world) ended(r *rand.Rand, agent string, tokens float64) {
	s := x.run(agent)
	for range 2 + r.IntN(2) {
		s.step(activity.KindModel, "m", time.Duration(800+r.IntN(400))*time.Millisecond, func(st *activity.Step) {
			st.Usage.InputTotal, st.Usage.OutputTotal = int64(tokens*(0.8+0.4*r.Float64())), 100+int64(r.IntN(50))
		})
		s.step(activity.KindTool, "search", time.Duration(200+r.IntN(200))*time.Millisecond, nil)
	}
	s.end(false)
	x.now = x.now.Add(2 * time.Minute)
}

// Inputs that grow by half are drift after some runs, and told once; a new normal
// begins when a version is approved.
func TestDriftLive(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	r := rand.New(rand.NewPCG(5, 5))
	for range 460 {
		x.ended(r, "a", 1000)
	}
	if got := x.k.of("drift"); len(got) != 0 {
		t.Fatalf("drift of what stays the same: %+v", got[0])
	}
	for range 200 {
		x.ended(r, "a", 1500)
	}
	got := x.k.of("drift")
	if len(got) != 1 || got[0].Subject != "input_tokens" || len(got[0].Runs) != 1 || !strings.Contains(got[0].Why, "PSI") {
		t.Fatalf("%d findings of drift: %+v", len(got), got)
	}
	x.w.Approved("a")
	for range 460 {
		x.ended(r, "a", 1500)
	}
	if got := x.k.of("drift"); len(got) != 1 {
		t.Errorf("after the approval: %d findings", len(got))
	}
}

// More runs that end badly are told long before there are runs enough to compare all
// that they are made of; the same share for long is told at most once.
func TestBadRunsAreTold(t *testing.T) {
	t.Parallel()
	told := 0
	for seed := range uint64(20) {
		x := newWorld(t, nil)
		r := rand.New(rand.NewPCG(seed, 9))
		end := func(share float64) {
			s := x.run("a")
			s.step(activity.KindModel, "m", 10*time.Millisecond, nil)
			s.end(r.Float64() < share)
		}
		of := func() (n int) {
			for _, f := range x.k.of("drift") {
				if f.Measure == "share of bad runs" {
					n++
				}
			}
			return n
		}
		for range 300 {
			end(.1)
		}
		told += of()
		runs := 0
		for before := of(); of() == before && runs < 100; runs++ {
			end(.75)
		}
		if runs > 60 {
			t.Errorf("seed %d: three of four that end badly are told after %d runs", seed, runs)
		}
	}
	if told > 1 {
		t.Errorf("in 20 times 300 runs of which a tenth ends badly it is told %d times", told)
	}
}

// A run that is unlike the others in two measures together, each of which is
// ordinary alone, tells which.
func TestUnusualRun(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	r := rand.New(rand.NewPCG(6, 6))
	for range 700 {
		x.ended(r, "a", 1000)
	}
	before := len(x.k.of("unusual_run"))
	s := x.run("a")
	for range 40 {
		s.step(activity.KindTool, "search", 20*time.Millisecond, func(st *activity.Step) { st.Status = activity.StatusError })
	}
	s.step(activity.KindModel, "m", time.Millisecond, func(st *activity.Step) { st.Usage.InputTotal, st.Usage.OutputTotal = 90_000, 1 })
	s.end(false)
	got := x.k.of("unusual_run")
	if before > 3 || len(got) != before+1 || !strings.Contains(got[len(got)-1].Seen, "%") {
		t.Errorf("%d findings before, %d after: %+v", before, len(got), got)
	}
}

// A kind of log line that never came is told when its log was quiet, without its
// text.
func TestNewLog(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	line := func(body string, severity int32) {
		s := x.run("a")
		s.step(activity.KindTool, "search", time.Second, nil)
		x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Run: s.id, Agent: "a", Body: body, Severity: severity, Scope: "orders"})
		s.end(false)
		x.now = x.now.Add(time.Minute)
	}
	for n := range 400 {
		line(fmt.Sprintf("order %d was looked up in %d ms", n, n%40), 9)
	}
	if got := x.k.of("new_log"); len(got) != 0 {
		t.Fatalf("news of what is always said: %+v", got)
	}
	line("cannot reach the secret vault of Alice", 17)
	got := x.k.of("new_log")
	if len(got) != 1 || got[0].Severity != "warning" || !strings.Contains(got[0].Seen, "error") {
		t.Fatalf("%+v", got)
	}
	if all := fmt.Sprintf("%+v", got[0]); strings.Contains(all, "vault") || strings.Contains(all, "Alice") {
		t.Errorf("the finding tells what the line says: %s", all)
	}
	x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Body: "of no run", Severity: 17})
	x.flush()
}

func TestDeepBounded(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	for n := range maxDeep + 20 {
		a := x.w.agentOf(who{"core", "production", fmt.Sprint("a", n), false})
		a.runs = deepFrom
		if d := x.w.deepOf(a); (d == nil) != (n >= maxDeep) {
			t.Fatalf("agent %d: %v", n, d != nil)
		}
	}
	x.w.clock += int64(2 * time.Hour)
	a := x.w.agentOf(who{"core", "production", "late", false})
	a.runs = deepFrom
	if x.w.deepOf(a) == nil || x.w.deeps != maxDeep {
		t.Errorf("an agent of now finds no place among those long quiet: %d", x.w.deeps)
	}
}
