package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// cases are n of them, all of which pass with an answer that names 14 days.
func cases(n int) (out []Task) {
	for i := range n {
		out = append(out, Task{Item: fmt.Sprintf("itm_%d", i), Messages: []Message{{"user", "When?"}}, Contains: []string{"14 days"}})
	}
	return out
}

// agentOf calls the upstream openai as the door would have it: what stands in for it gives
// spare's answer, or fails.
func (h *house) agentOf(spare func(i int) (answer string, err error)) {
	i := 0
	price := activity.Cost{Nanos: 2000, Currency: "USD", Basis: activity.CostBook}
	h.answer = func(x *Test, _ *Task) (Said, error) {
		if !x.Down("openai") {
			x.Called("call_model", "openai/m", "")
			x.Ended("openai", false, time.Millisecond, price)
			return Said{Answer: "Within 14 days."}, nil
		}
		x.Avoided("openai")
		i++
		answer, err := spare(i)
		if err != nil {
			x.Called("call_model", "openai/m", fault.From(err).Code)
			return Said{}, err
		}
		x.Called("call_model", "spare/m", "")
		price := price
		price.Nanos *= 2
		x.Ended("spare", false, time.Millisecond, price)
		return Said{Answer: answer}, nil
	}
}

// look starts what is due and carries it out.
func (h *house) look() (n int) {
	h.book.Look(h.t.Context())
	return h.carryOut()
}

func (h *house) carryOut() (n int) {
	for x := h.book.next(); x != nil; x = h.book.next() {
		h.book.One(h.t.Context(), x)
		n++
	}
	return n
}

func (h *house) drill(change func(*DrillPlan)) DrillPlan {
	h.t.Helper()
	p := DrillPlan{Name: "openai-down", Agent: "refund", Dataset: "golden", Drill: Drill{Upstream: "openai"}, Every: 24 * time.Hour}
	if change != nil {
		change(&p)
	}
	p, err := h.book.PutDrill(h.t.Context(), anybody, p)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// last is a drill with its newest experiment.
func (h *house) last() (DrillPlan, Experiment) {
	h.t.Helper()
	p, err := h.book.Drill(h.t.Context(), anybody, "openai-down")
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := h.book.DrillHistory(h.t.Context(), &p, 0)
	if err != nil || len(all) == 0 {
		return p, Experiment{}
	}
	return p, all[0]
}

// A drill runs at its times, tells whether the failover answered and how good, and its
// alert fires until one passes.
func TestDrills(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	h.tasks = cases(20)
	h.agentOf(func(int) (string, error) { return "It takes 14 days.", nil })
	if p := h.drill(nil); p.Drill.Least != 1 || p.Drill.Tolerance != .1 || p.Drill.Needs() != 18 || !p.NextAt.Equal(h.now) {
		t.Errorf("%+v, needs %d", p, p.Drill.Needs())
	}
	if h.look() != 1 {
		t.Fatal("it was not started")
	}
	p, x := h.last()
	d := x.Drilled
	if x.State != Done || d == nil || d.Verdict != DrillPassed || d.Asked != 20 || d.Answered != 20 || d.Compared != 20 || *d.Quality.Value != 0 || *d.Quality.Low <= -.1 || !slices.Equal(d.Served, []string{"spare"}) || x.Tasks != 40 || !slices.Equal(x.Drill.Fallbacks, []string{"spare"}) {
		t.Fatalf("%+v %+v", x, d)
	}
	if near := func(v *float64, want float64) bool { return v != nil && math.Abs(*v-want) < 1e-12 }; d.Priced != 20 || !near(d.CostBefore, 2e-6) || !near(d.CostNow, 4e-6) || !near(d.Cost.Value, 2e-6) {
		t.Errorf("cost: %+v", d)
	}
	if p.Failing || p.Running != "" || p.Trouble != "" || !p.NextAt.Equal(h.now.Add(24*time.Hour)) || len(h.drills) != 0 {
		t.Errorf("%+v, told %+v", p, h.drills)
	}
	if h.look() != 0 {
		t.Error("it ran again before it was due")
	}
	// The fallback answers worse, then not at all, then as before.
	for _, c := range []struct {
		what    string
		spare   func(int) (string, error)
		verdict string
		failing bool
		says    string
	}{
		{"one is worse, which may be chance", func(i int) (string, error) {
			if i%20 == 7 {
				return "I do not know.", nil
			}
			return "14 days", nil
		}, DrillUnsure, false, "-5.0 points"},
		{"half are worse", func(i int) (string, error) {
			if i%2 == 0 {
				return "I do not know.", nil
			}
			return "14 days", nil
		}, DrillFailed, true, "-50.0 points"},
		{"one is not answered", func(i int) (string, error) {
			if i%20 == 3 {
				return "", fault.New(fault.KindUnavailable, "upstream.unreachable", "the spare is down as well")
			}
			return "14 days", nil
		}, DrillFailed, true, "one that was not: the spare is down as well"},
		{"none is", func(int) (string, error) {
			return "", fault.New(fault.KindUnavailable, "test.upstream_down", "nothing stands in")
		}, DrillFailed, true, "0 of 20 cases were answered"},
		{"all are well", func(int) (string, error) { return "14 days", nil }, DrillPassed, false, "20 of 20"},
	} {
		h.agentOf(c.spare)
		h.now = h.now.Add(24 * time.Hour)
		if h.look() != 1 {
			t.Fatalf("%s: it was not started", c.what)
		}
		p, x := h.last()
		if says := x.Drilled.InWords(x.Drill); x.Drilled.Verdict != c.verdict || p.Failing != c.failing || !strings.Contains(says, c.says) {
			t.Errorf("%s: %s, failing %v: %s", c.what, x.Drilled.Verdict, p.Failing, says)
		}
	}
	if n := len(h.drills); n != 4 || !h.drills[0].Failing || h.drills[0].Before || !h.drills[1].Before || h.drills[3].Failing {
		t.Errorf("told: %+v", h.drills)
	}
}

// What says nothing of the failover is in no figure: an agent that fails also with its
// upstream, or never calls it; one that answers by itself when its model is gone was not
// answered.
func TestWhatADrillCounts(t *testing.T) {
	t.Parallel()
	good := []Check{{Name: "contains", Verdict: "pass"}}
	a := func(change func(*Result)) Result {
		r := Result{Group: "a", Valid: true, Passed: true, Upstreams: []string{"openai"}, Checks: good, TookMS: 100}
		if change != nil {
			change(&r)
		}
		return r
	}
	b := func(change func(*Result)) Result {
		r := Result{Group: "b", Valid: true, Passed: true, Avoided: true, Upstreams: []string{"spare"}, Checks: good, TookMS: 300}
		if change != nil {
			change(&r)
		}
		return r
	}
	for _, c := range []struct {
		what     string
		a, b     Result
		want     [5]int64 // asked, answered, untouched, unclear, compared
		verdict  string
		lostWord string
	}{
		{"both well", a(nil), b(nil), [5]int64{1, 1, 0, 0, 1}, DrillUnsure, ""},
		{"never called", a(nil), b(func(r *Result) { r.Avoided, r.Upstreams = false, []string{"other"} }), [5]int64{0, 0, 1, 0, 0}, DrillNothing, ""},
		{"the agent fails by itself", a(func(r *Result) { r.Failed = true }), b(func(r *Result) { r.Failed = true }), [5]int64{0, 0, 0, 1, 0}, DrillNothing, ""},
		{"policy refuses it either way", a(func(r *Result) { r.Failed, r.Upstreams, r.Refused = true, nil, []string{"policy.denied openai/m"} }), b(func(r *Result) { r.Failed = true }), [5]int64{0, 0, 0, 1, 0}, DrillNothing, ""},
		{"policy refuses the fallback", a(nil), b(func(r *Result) {
			r.Failed, r.Upstreams, r.Refused, r.Why = true, nil, []string{"policy.denied spare/m"}, "status 500"
		}), [5]int64{1, 0, 0, 0, 0}, DrillFailed, "policy.denied spare/m"},
		{"the upstream is down in fact", a(func(r *Result) {
			r.Failed, r.Upstreams, r.Refused = true, nil, []string{"upstream.unreachable openai/m"}
		}), b(nil), [5]int64{1, 1, 0, 0, 0}, DrillUnsure, ""},
		{"its calls went elsewhere already", a(func(r *Result) { r.Upstreams = []string{"spare"} }), b(nil), [5]int64{1, 1, 0, 0, 0}, DrillUnsure, ""},
		{"it says sorry by itself", a(nil), b(func(r *Result) { r.Upstreams = nil }), [5]int64{1, 0, 0, 0, 0}, DrillFailed, "said something by itself"},
		{"another call than was recorded", a(nil), b(func(r *Result) { r.Failed, r.Stopped, r.Passed, r.Checks = true, true, false, nil }), [5]int64{1, 1, 0, 0, 1}, DrillUnsure, ""},
		{"nobody says what is right", a(func(r *Result) { r.Checks = nil }), b(func(r *Result) { r.Checks = nil }), [5]int64{1, 1, 0, 0, 0}, DrillUnsure, ""},
		{"it could not be put again", a(func(r *Result) { r.Unclear = true }), b(nil), [5]int64{0, 0, 0, 1, 0}, DrillNothing, ""},
	} {
		c.a.Pair, c.b.Pair = "1", "1"
		x := &Drill{Upstream: "openai", Least: 1, Tolerance: .1}
		d := drillOf(x, []Result{c.a, c.b})
		if got := [5]int64{d.Asked, d.Answered, d.Untouched, d.Unclear, d.Compared}; got != c.want || d.Verdict != c.verdict {
			t.Errorf("%s: %v %s, want %v %s", c.what, got, d.Verdict, c.want, c.verdict)
		}
		if c.lostWord != "" && (len(d.Lost) != 1 || !strings.Contains(d.Lost[0].Why, c.lostWord)) {
			t.Errorf("%s: %+v", c.what, d.Lost)
		}
	}
	half := drillOf(&Drill{Upstream: "openai", Least: 1, Tolerance: .1}, []Result{{Pair: "1", Group: "a"}})
	if half.Cases != 0 || half.Verdict != DrillNothing {
		t.Errorf("a case of which one half is missing: %+v", half)
	}
}

// A drill that Reeve's end breaks off is run again, once, and is nothing that failed.
func TestADrillIsBrokenOff(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	h.tasks = cases(3)
	h.drill(nil)
	again := func() { // the process is killed, and another one opens the folder
		t.Helper()
		var err error
		if h.book, err = New(t.Context(), h.options); err != nil {
			t.Fatal(err)
		}
	}
	ctx, kill := context.WithCancel(t.Context())
	n := 0
	h.agentOf(func(int) (string, error) {
		if n++; n == 2 {
			kill()
		}
		return "14 days", nil
	})
	h.book.Look(ctx)
	h.book.One(ctx, h.book.next()) // as Run does until it ends
	p, x := h.last()
	if x.State != Failed || p.Running != "" || !p.Again || !p.NextAt.Equal(h.now) || !strings.Contains(p.Trouble, "Reeve ended") || len(h.drills) != 0 || x.Drilled.Verdict != DrillNothing {
		t.Fatalf("%+v %+v", p, x)
	}
	again()
	h.now = h.now.Add(time.Minute)
	h.book.Look(t.Context()) // claimed; and killed before it is begun
	if p, x = h.last(); p.Running != x.ID || x.State != Waiting || !p.NextAt.Equal(h.now.Add(24*time.Hour)) {
		t.Fatalf("%+v %+v", p, x)
	}
	if _, _, err := h.book.RunDrill(t.Context(), anybody, "openai-down"); fault.From(err).Code != "experiment.running" {
		t.Errorf("a second one at once: %v", err)
	}
	again()
	if p, x = h.last(); p.Running != "" || x.State != Failed || x.Why != Interrupted || p.Again || !p.NextAt.Equal(h.now.Add(24*time.Hour)) {
		t.Fatalf("broken off twice: %+v %+v", p, x)
	}
	if h.look() != 0 {
		t.Error("a third time at once")
	}
	due := p.NextAt
	h.now = h.now.Add(time.Minute)
	if _, _, err := h.book.RunDrill(t.Context(), anybody, "openai-down"); err != nil {
		t.Fatal(err)
	}
	h.carryOut()
	if p, x = h.last(); x.State != Done || p.Trouble != "" || x.Drilled.Answered != 3 || !p.NextAt.Equal(due) {
		t.Errorf("by hand: %+v %+v", p, x)
	}
}

// What a drill is set to is checked when it is set; it may do what its maker may now, and
// an upstream that lost its fallback is a drill that failed.
func TestDrillsAreChecked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	h.tasks = cases(2)
	for what, c := range map[string]struct {
		change func(*DrillPlan)
		code   string
	}{
		"a name":              {func(p *DrillPlan) { p.Name = "No" }, "experiment.invalid"},
		"no upstream":         {func(p *DrillPlan) { p.Drill.Upstream = "" }, "experiment.invalid"},
		"cases and runs":      {func(p *DrillPlan) { p.Drill.Runs = 3 }, "experiment.invalid"},
		"neither":             {func(p *DrillPlan) { p.Dataset = "" }, "experiment.invalid"},
		"runs unjudged":       {func(p *DrillPlan) { p.Dataset, p.Drill.Runs = "", 3 }, "experiment.invalid"},
		"a model for cases":   {func(p *DrillPlan) { p.Drill.Model = "m" }, "experiment.invalid"},
		"tolerance":           {func(p *DrillPlan) { p.Drill.Tolerance = 1 }, "experiment.invalid"},
		"least":               {func(p *DrillPlan) { p.Drill.Least = 1.5 }, "experiment.invalid"},
		"two schedules":       {func(p *DrillPlan) { p.At = "04:30" }, "experiment.invalid"},
		"too often":           {func(p *DrillPlan) { p.Every = time.Minute }, "experiment.invalid"},
		"a time":              {func(p *DrillPlan) { p.Every, p.At = 0, "24:30" }, "experiment.invalid"},
		"a zone":              {func(p *DrillPlan) { p.Every, p.At, p.Zone = 0, "04:30", "Mars/Olympus" }, "experiment.invalid"},
		"a zone without time": {func(p *DrillPlan) { p.Zone = "Europe/Berlin" }, "experiment.invalid"},
		"no agent":            {func(p *DrillPlan) { p.Agent = "nobody" }, "experiment.not_found"},
		"not invoked":         {func(p *DrillPlan) { p.Agent = "returns" }, "experiment.not_possible"},
		"recorded elsewhere":  {func(p *DrillPlan) { p.Dataset, p.Drill.Runs, p.Evaluators = "", 3, []string{"short"} }, "experiment.not_possible"},
	} {
		p := DrillPlan{Name: "openai-down", Agent: "refund", Dataset: "golden", Drill: Drill{Upstream: "openai"}, Every: 24 * time.Hour}
		c.change(&p)
		if _, err := h.book.PutDrill(t.Context(), anybody, p); fault.From(err).Code != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}
	h.standIns = nil
	if _, err := h.book.PutDrill(t.Context(), anybody, DrillPlan{Name: "x", Agent: "refund", Dataset: "golden", Drill: Drill{Upstream: "openai"}}); fault.From(err).Code != noFallback {
		t.Errorf("no fallback: %v", err)
	}
	h.standIns = []string{"spare"}
	only := func(roles ...string) Actor {
		return Actor{Person: "per_2", Name: "Bob", Can: func(role, _, _ string) bool { return slices.Contains(roles, role) }}
	}
	if _, err := h.book.PutDrill(t.Context(), only("viewer", "developer"), DrillPlan{Name: "x", Agent: "refund", Dataset: "golden", Drill: Drill{Upstream: "openai"}}); fault.From(err).Code != "experiment.denied" {
		t.Errorf("who may not read what is said: %v", err)
	}
	p := h.drill(nil)
	if _, _, err := h.book.RunDrill(t.Context(), only("viewer", "reader"), p.Name); fault.From(err).Code != "experiment.denied" {
		t.Errorf("who may not start it: %v", err)
	}
	h.rights = only("viewer").Can
	if h.look() != 0 {
		t.Error("its maker may not run it any more")
	}
	if p, _ = h.last(); !strings.Contains(p.Trouble, "may not run it any more") || p.Failing || !p.NextAt.After(h.now) {
		t.Errorf("%+v", p)
	}
	h.rights, h.standIns, h.now = anybody.Can, nil, h.now.Add(25*time.Hour)
	if h.look() != 0 {
		t.Error("without a fallback nothing is tried")
	}
	if p, _ = h.last(); !p.Failing || len(h.drills) != 1 || !h.drills[0].Failing || !strings.Contains(h.drills[0].Text, "has no fallback") {
		t.Errorf("%+v, told %+v", p, h.drills)
	}
	h.standIns = []string{"spare"}
	developer := only("viewer", "reader", "developer")
	softer := p
	softer.Drill.Tolerance = .5
	if _, err := h.book.PutDrill(t.Context(), developer, softer); fault.From(err).Code != "experiment.denied" {
		t.Errorf("a developer softens a drill whose alert fires: %v", err)
	}
	if err := h.book.DropDrill(t.Context(), developer, p.Name); fault.From(err).Code != "experiment.denied" {
		t.Errorf("and ends it: %v", err)
	}
	if err := h.book.DropDrill(t.Context(), anybody, p.Name); err != nil || len(h.drills) != 2 || h.drills[1].Failing {
		t.Errorf("%v, told %+v", err, h.drills)
	}
	// One of the same name later is another one.
	h.agentOf(func(int) (string, error) { return "14 days", nil })
	h.now = h.now.Add(time.Hour)
	h.drill(nil)
	if _, x := h.last(); x.ID != "" {
		t.Errorf("it has the history of the one before: %+v", x)
	}
}

// Each day at a time of a zone, also when its clocks change.
func TestWhenADrillIsDue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ at, zone, now, want string }{
		{"04:30", "", "2026-11-27T04:29:59Z", "2026-11-27T04:30:00Z"},
		{"04:30", "", "2026-11-27T04:30:00Z", "2026-11-28T04:30:00Z"},
		{"04:30", "Europe/Berlin", "2026-11-27T08:00:00Z", "2026-11-28T03:30:00Z"},
		{"02:30", "Europe/Berlin", "2027-03-27T12:00:00Z", "2027-03-28T01:30:00Z"}, // there is no 02:30: the hour after
		{"02:30", "Europe/Berlin", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"},
		{"23:00", "America/New_York", "2026-11-27T04:30:00Z", "2026-11-28T04:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		p := DrillPlan{At: c.at, Zone: c.zone}
		if got := p.after(now).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %q after %s: %s, want %s", c.at, c.zone, c.now, got, c.want)
		}
	}
}
