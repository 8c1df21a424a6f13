package response

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/finding"
)

// house is a register with agents, and a responder.
type house struct {
	*Responder
	t      testing.TB
	db     *control.DB
	agents *agent.Registry
	now    time.Time
	n      int
}

func open(t testing.TB, perHour int, names ...string) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		db.Close()
	})
	now := func() time.Time { return h.now }
	if h.agents, err = agent.New(t.Context(), agent.Options{DB: db, Now: now}); err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if _, err := h.agents.Create(t.Context(), boss(), agent.Agent{Name: n, Team: "core", Environment: "production", Purpose: "x"}, "new"); err != nil {
			t.Fatal(err)
		}
	}
	if h.Responder, err = New(t.Context(), Options{DB: db, Agents: h.agents, PerHour: perHour, Now: now}); err != nil {
		t.Fatal(err)
	}
	for _, p := range h.Policies() { // those of a new house are tried elsewhere
		if err := h.Delete(t.Context(), security(), p.Name, "test"); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func boss() agent.Actor {
	return agent.Actor{Person: "p1", Name: "ann", Can: func(string, string, string) bool { return true }}
}

func security() Actor {
	return Actor{Person: "p1", Name: "ann", Can: func(role, _, _ string) bool { return role == "security" }}
}

func (h *house) policy(p Policy) {
	h.t.Helper()
	if _, err := h.Put(h.t.Context(), security(), p); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) found(name, detector string, authenticated bool) finding.Finding {
	h.n++
	return finding.Finding{
		ID: fmt.Sprintf("fnd_%d", h.n), Detector: detector, Severity: finding.Warning, Agent: name, Team: "core", Environment: "production",
		Text: "did it", Authenticated: authenticated, First: h.now, Last: h.now, Event: h.now.Add(-time.Second).UnixNano(),
	}
}

func (h *house) respond(f finding.Finding) []Act {
	h.t.Helper()
	acts, err := h.Respond(h.t.Context(), f)
	if err != nil {
		h.t.Fatal(err)
	}
	return acts
}

func (h *house) contained(name string) string {
	a, _ := h.agents.Lookup(name)
	return a.Contained(h.now)
}

// due fires the timers that are due.
func (h *house) due() {
	h.t.Helper()
	acts, err := h.List(h.t.Context(), Filter{State: InForce})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, a := range acts {
		if a.Until.IsZero() || a.Until.After(h.now) {
			continue
		}
		if err := h.db.Write(h.t.Context(), func(tx *control.Tx) error {
			return h.End(h.t.Context(), tx, control.Timer{ID: "response/" + a.ID, Kind: TimerEnd, Body: a.ID})
		}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func states(acts []Act) (out []string) {
	for _, a := range acts {
		out = append(out, a.State)
	}
	return out
}

func TestRespondAndRevert(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a", "b")
	h.policy(Policy{Name: "loops", Detectors: []string{"loop"}, Contain: agent.Throttled, For: time.Hour, Mode: Enforce})
	f := h.found("a", "loop", true)
	acts := h.respond(f)
	if len(acts) != 1 || acts[0].State != InForce || acts[0].Took < int64(time.Second) || acts[0].Until != h.now.Add(time.Hour) {
		t.Fatalf("did %+v", acts)
	}
	if got := h.contained("a"); got != agent.Throttled {
		t.Errorf("a is %s", got)
	}
	if again := h.respond(f); len(again) != 0 {
		t.Errorf("told twice it did %+v", again)
	}
	if acts := h.respond(h.found("a", "other", true)); len(acts) != 0 {
		t.Errorf("another detector did %+v", acts)
	}
	revisions, err := h.agents.Revisions(t.Context(), "a")
	if err != nil || revisions[0].Action != "respond" || revisions[0].Author != "response loops" {
		t.Errorf("the timeline says %+v, %v", revisions[0], err)
	}
	if _, err := h.Revert(t.Context(), agent.Actor{Name: "bob", Can: func(role, _, _ string) bool { return role == "viewer" }}, acts[0].ID, "false alarm"); fault.From(err).Code != "response.denied" {
		t.Errorf("anybody could revert: %v", err)
	}
	back, err := h.Revert(t.Context(), boss(), acts[0].ID, "false alarm")
	if err != nil || back.State != Reverted || h.contained("a") != agent.None {
		t.Errorf("reverted %+v, %v; a is %s", back, err, h.contained("a"))
	}
	if _, err := h.Revert(t.Context(), boss(), acts[0].ID, "again"); fault.From(err).Code != "response.state" {
		t.Errorf("reverted twice: %v", err)
	}
}

// Nothing acts on a claim, on what observes, on an agent that is narrow enough
// already or that nobody registered.
func TestRespondNot(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a", "b", "c")
	h.policy(Policy{Name: "enforced", Contain: agent.Quarantined, Mode: Enforce, Agents: []string{"a", "b", "nobody"}})
	h.policy(Policy{Name: "observed", Contain: agent.Quarantined, Agents: []string{"c"}})
	if _, err := h.agents.Contain(t.Context(), boss(), "b", agent.Quarantined, time.Time{}, "by hand"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		auth  bool
		state string
	}{{"a", false, Claimed}, {"b", true, NotNeeded}, {"c", true, Would}, {"c", false, Claimed}, {"nobody", true, Failed}} {
		acts := h.respond(h.found(c.name, "loop", c.auth))
		if len(acts) != 1 || acts[0].State != c.state || acts[0].Why == "" {
			t.Errorf("%s: %+v, want %s", c.name, acts, c.state)
		}
	}
	if h.contained("a") != agent.None || h.contained("c") != agent.None {
		t.Error("something was contained")
	}
	// An agent that only telemetry names is contained by no policy at all.
	if got := h.respond(h.found("a", "injected_destination", false)); states(got)[0] != Claimed {
		t.Errorf("did %+v", got)
	}
	would, err := h.List(t.Context(), Filter{State: Would})
	if err != nil || len(would) != 1 {
		t.Fatalf("%+v, %v", would, err)
	}
	applied, err := h.Apply(t.Context(), boss(), would[0].ID, "it is right")
	if err != nil || applied.State != InForce || h.contained("c") != agent.Quarantined {
		t.Errorf("applied %+v, %v", applied, err)
	}
}

// What a person set comes back, and what they set later stays.
func TestRespondBeneathPeople(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a", "b")
	h.policy(Policy{Name: "throttle", Detectors: []string{"loop"}, Contain: agent.Throttled, For: 2 * time.Hour, Mode: Enforce})
	h.policy(Policy{Name: "stop", Detectors: []string{"hijack"}, Contain: agent.Quarantined, For: time.Hour, Mode: Enforce})
	if _, err := h.agents.Contain(t.Context(), boss(), "a", agent.Supervised, time.Time{}, "by hand"); err != nil {
		t.Fatal(err)
	}
	if got := states(h.respond(h.found("a", "loop", true))); got[0] != NotNeeded {
		t.Errorf("a looser one did %v", got)
	}
	h.respond(h.found("a", "hijack", true))
	if got := h.contained("a"); got != agent.Quarantined {
		t.Fatalf("a is %s", got)
	}
	h.now = h.now.Add(time.Hour)
	h.due()
	if got := h.contained("a"); got != agent.Supervised {
		t.Errorf("after its time a is %s, and a person had set supervised", got)
	}
	// Two at once: the stricter ends first, then the milder holds, then nothing.
	h.respond(h.found("b", "loop", true))
	h.respond(h.found("b", "hijack", true))
	if got := h.contained("b"); got != agent.Quarantined {
		t.Fatalf("b is %s", got)
	}
	h.now = h.now.Add(time.Hour)
	h.due()
	if got := h.contained("b"); got != agent.Throttled {
		t.Errorf("b is %s, and its throttling goes on", got)
	}
	h.now = h.now.Add(time.Hour)
	h.due()
	if got := h.contained("b"); got != agent.None {
		t.Errorf("at the end b is %s", got)
	}
	// A person goes further meanwhile.
	acts := h.respond(h.found("b", "loop", true))
	if _, err := h.agents.Contain(t.Context(), boss(), "b", agent.ReadOnly, time.Time{}, "by hand"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Revert(t.Context(), boss(), acts[0].ID, "false alarm"); err != nil {
		t.Fatal(err)
	}
	if got := h.contained("b"); got != agent.ReadOnly {
		t.Errorf("b is %s, and a person had set read_only", got)
	}
}

// The brake: so many agents an hour, then people decide. Eight findings at once.
func TestBrake(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 8 {
		names = append(names, fmt.Sprintf("a%d", i))
	}
	h := open(t, 3, names...)
	h.policy(Policy{Name: "all", Contain: agent.Quarantined, For: time.Hour, Mode: Enforce})
	var list []finding.Finding
	for _, n := range names {
		list = append(list, h.found(n, "loop", true))
	}
	var all sync.WaitGroup
	for _, f := range list {
		all.Go(func() { h.respond(f) })
	}
	all.Wait()
	held, err := h.List(t.Context(), Filter{State: InForce})
	braked, err2 := h.List(t.Context(), Filter{State: Braked})
	if err != nil || err2 != nil || len(held) != 3 || len(braked) != 5 {
		t.Fatalf("%d contained, %d braked, %v, %v", len(held), len(braked), err, err2)
	}
	if got, err := h.Apply(t.Context(), boss(), braked[0].ID, "go on"); err != nil || h.contained(got.Agent) != agent.Quarantined {
		t.Errorf("applied %+v, %v", got, err)
	}
	h.now = h.now.Add(61 * time.Minute)
	h.due()
	f := h.found("a7", "loop", true)
	if got := states(h.respond(f)); got[0] != InForce {
		t.Errorf("an hour later %v", got)
	}
}

// The trouble of one team leaves something to the others.
func TestBrakeOfATeam(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a1", "a2", "a3")
	h.o.PerTeam = 2
	if _, err := h.agents.Create(t.Context(), boss(), agent.Agent{Name: "b1", Team: "risk", Environment: "production", Purpose: "x"}, "new"); err != nil {
		t.Fatal(err)
	}
	h.policy(Policy{Name: "all", Contain: agent.Quarantined, For: time.Hour, Mode: Enforce})
	for _, c := range []struct{ agent, want string }{{"a1", InForce}, {"a2", InForce}, {"a3", Braked}, {"b1", InForce}} {
		if got := states(h.respond(h.found(c.agent, "loop", true))); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %v, want %s", c.agent, got, c.want)
		}
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a")
	for _, bad := range []Policy{
		{Name: "A B", Contain: agent.Throttled},
		{Name: "a", Contain: "none"},
		{Name: "a", Contain: "killed"},
		{Name: "a", Contain: agent.Throttled, Mode: "dry"},
		{Name: "a", Contain: agent.Throttled, For: time.Second},
		{Name: "a", Contain: agent.Throttled, Severity: "bad"},
		{Name: "a", Contain: agent.Throttled, Text: "a\nb"},
		{Name: "a", Contain: agent.Throttled, Revision: 3},
	} {
		if _, err := h.Put(t.Context(), security(), bad); err == nil {
			t.Errorf("took %+v", bad)
		}
	}
	if _, err := h.Put(t.Context(), Actor{Can: func(_, team, _ string) bool { return team == "core" }}, Policy{Name: "all", Contain: agent.Throttled}); fault.From(err).Code != "response.denied" {
		t.Errorf("a team's security made a policy for all: %v", err)
	}
	staging := Actor{Can: func(_, team, environment string) bool { return team == "core" && environment == "staging" }}
	for _, environment := range []string{"", "production"} {
		if _, err := h.Put(t.Context(), staging, Policy{Name: "all", Contain: agent.Throttled, Team: "core", Environment: environment}); fault.From(err).Code != "response.denied" {
			t.Errorf("security in staging made a policy for %q: %v", environment, err)
		}
	}
	p, err := h.Put(t.Context(), security(), Policy{Name: "x", Contain: agent.Throttled})
	if err != nil || p.Mode != Observe || p.Revision != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	p.Mode = Enforce
	if p, err = h.Put(t.Context(), security(), p); err != nil || p.Revision != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	// A finding of before the change is not acted on by it.
	old := h.found("a", "loop", true)
	old.Last = h.now.Add(-time.Minute)
	if acts := h.respond(old); len(acts) != 0 {
		t.Errorf("acted on the past: %+v", acts)
	}
	again, err := New(t.Context(), Options{DB: h.db, Agents: h.agents, Now: func() time.Time { return h.now }})
	if err != nil || len(again.Policies()) != 1 || again.Policies()[0].Mode != Enforce {
		t.Errorf("after a restart %+v, %v", again.Policies(), err)
	}
}
