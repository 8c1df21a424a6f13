package policy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

// ledger is recorded decisions.
type ledger []*activity.Decision

func (l ledger) past(ctx context.Context, from, to time.Time, do func(*activity.Decision) error) error {
	for _, d := range l {
		if d.At < from.UnixNano() || d.At >= to.UnixNano() {
			continue
		}
		if err := errors.Join(ctx.Err(), do(d)); err != nil {
			return err
		}
	}
	return nil
}

// record decides a request and keeps it as the door does.
func (l *ledger) record(e *Engine, r *Request, at time.Time) *activity.Decision {
	v := e.Decide(r)
	d := &activity.Decision{
		ID: fmt.Sprintf("dec_%d", len(*l)), At: at.UnixNano(), Agent: r.Agent.Name, Team: r.Agent.Team, Environment: r.Agent.Environment, Action: r.Action,
		Resource: r.Resource.ID, Verdict: v.Verdict, Would: v.Would, Enforced: v.Enforced, Floor: v.Floor, Reasons: v.Reasons, Policies: v.Policies,
		PolicyVersion: v.Version, Context: v.Context(),
	}
	*l = append(*l, d)
	return d
}

func all(string, string) bool { return true }

var day = time.Unix(1_790_000_000, 0).UTC()

func newSimulator(t *testing.T, s *Store, l *ledger) *Simulator {
	t.Helper()
	m, err := NewSimulator(SimulatorOptions{Store: s, Past: func(ctx context.Context, from, to time.Time, do func(*activity.Decision) error) error {
		return l.past(ctx, from, to, do)
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return m
}

func (m *Simulator) run(t *testing.T, p Plan) Simulation {
	t.Helper()
	if p.Sees == nil {
		p.Sees = all
	}
	if p.From.IsZero() {
		p.From, p.To = day, day.Add(24*time.Hour)
	}
	s, err := m.Start(p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s, err = m.Wait(ctx, s.ID, p.By); err != nil || s.State != SimulationDone {
		t.Fatalf("%+v, %v", s, err)
	}
	return s
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	var l ledger
	for i := range 100 {
		r := request()
		if i%4 == 0 {
			r.Agent.Name, r.Agent.Team, r.Resource.ID, r.Agent.Environment = "seller", "sales", "orders.list", "test"
		}
		l.record(s.engine, r, day.Add(time.Duration(i)*time.Minute))
	}
	// A budget refused one; no policy changes that. The context of one was erased.
	l[1].Verdict, l[1].Reasons = activity.VerdictDeny, []activity.Reason{{Code: "budget.exceeded"}}
	l[2].Context = nil
	m := newSimulator(t, s.Store, &l)
	forbid := Document{Name: "no-refunds", Cedar: `@reason("drill") forbid (principal == Agent::"refunds", action, resource);`}
	got := m.run(t, Plan{Documents: []Document{forbid}, By: "ann"})
	if got.Decisions != 100 || got.Changed != 73 || got.Stricter != 73 || got.NotKept != 1 || got.Elsewhere != 1 || got.Replayed != 98 || len(got.Groups) != 1 {
		t.Errorf("%+v", got)
	}
	if g := got.Groups[0]; g.Agent != "refunds" || g.Count != 73 || len(g.Examples) != maxExamples || g.Reason.Text != "drill" || g.Was != activity.VerdictAllow || g.Becomes != activity.VerdictDeny {
		t.Errorf("%+v", g)
	}
	if got := m.run(t, Plan{}); got.Changed != 0 || got.Replayed != 98 {
		t.Errorf("the set as it is changes %+v", got)
	}
	if got := m.run(t, Plan{Delete: []string{"read-only"}}); got.Stricter != 98 || got.Groups[0].Reason.Code != "policy.no_permit" {
		t.Errorf("without a permit: %+v", got)
	}
	if got := m.run(t, Plan{Whole: true, Documents: []Document{{Name: "all", Cedar: "permit (principal, action, resource);"}}}); got.Changed != 0 {
		t.Errorf("permitted otherwise: %+v", got)
	}
	sees := func(team, environment string) bool { return team == "sales" && environment == "test" }
	if got := m.run(t, Plan{Delete: []string{"read-only"}, Sees: sees}); got.Decisions != 25 || got.Stricter != 25 {
		t.Errorf("another team's: %+v", got)
	}
	if got := m.run(t, Plan{Delete: []string{"read-only"}, Agent: "seller", From: day, To: day.Add(40 * time.Minute)}); got.Decisions != 10 {
		t.Errorf("a shorter period: %+v", got)
	}
	if _, err := m.Start(Plan{Documents: []Document{{Name: "x", Cedar: "permit"}}, From: day, To: day.Add(1), Sees: all}); code(err) != "policy.invalid" {
		t.Errorf("a set that does not compile: %v", err)
	}
	if _, err := m.Start(Plan{From: day, To: day}); code(err) != "policy.period" {
		t.Errorf("no period: %v", err)
	}
	if _, err := m.Get(got.ID, "bob"); code(err) != "policy.no_simulation" {
		t.Errorf("another's simulation: %v", err)
	}
}

// What observing let pass is what enforcing would refuse, by count and by
// simulation.
func TestObserveThenEnforce(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	var l ledger
	before, err := s.Proposed(&Plan{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		r := request()
		r.Agent.Enforcement = "observe"
		if i%2 == 0 {
			r.Resource.Effect, r.Resource.ID, r.Resource.Classes = "write", "orders.refund", []string{"secret"}
		}
		l.record(s.engine, r, day.Add(time.Duration(i)*time.Minute))
	}
	m := newSimulator(t, s.Store, &l)
	w, err := m.Would(t.Context(), "refunds", day, day.Add(time.Hour), all)
	if err != nil || w.Decisions != 40 || w.Refused != 20 || len(w.Groups) != 1 || w.Groups[0].Resource != "orders.refund" || w.Groups[0].Reason.Code != "policy.no_permit" {
		t.Errorf("%+v, %v", w, err)
	}
	subject := SubjectOf("agent", "refunds", 3)
	got := m.run(t, Plan{Agents: map[string]string{"refunds": "enforce"}, Agent: "refunds", Subject: subject, By: "ann"})
	if got.Stricter != 20 || got.Changed != 20 || got.Groups[0].Resource != "orders.refund" {
		t.Errorf("%+v", got)
	}
	// What somebody else changed since is none of what enforcing the agent changes.
	shown := got.ID
	if _, err := s.Put(t.Context(), as("security"), Change{Document: Document{Name: "drill", Cedar: `forbid (principal == Agent::"refunds", action, resource == Tool::"orders.list");`}}); err != nil {
		t.Fatal(err)
	}
	for i := range 5 { // recorded before it came, and what it forbids is now
		r := request()
		r.Resource.ID = "orders.list"
		l.record(before, r, day.Add(time.Duration(50+i)*time.Minute))
	}
	again := m.run(t, Plan{Agents: map[string]string{"refunds": "enforce"}, Agent: "refunds", Subject: subject, By: "ann"})
	if again.Others != 5 || again.Changed != got.Changed {
		t.Errorf("beside another's change: %+v", again)
	}
	got.ID = shown
	for by, want := range map[string]string{"ann": "", "bob": "policy.no_simulation"} {
		if err := m.Shown(got.ID, by, subject); code(err) != want {
			t.Errorf("%s: %v", by, err)
		}
	}
	if err := m.Shown(got.ID, "ann", SubjectOf("agent", "refunds", 4)); code(err) != "policy.simulation_other" {
		t.Errorf("of another revision: %v", err)
	}
}

// A record has no values of arguments. What an unchanged statement said then
// still stands; a new one that reads them leaves the decision open, unless the
// answer is the same in every case.
func TestReplayWithoutValues(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	ctx := t.Context()
	for _, name := range starterNames {
		if err := s.Delete(ctx, as("security"), name, 0, "out of the way"); err != nil {
			t.Fatal(err)
		}
	}
	small := `@id("small") permit (principal == Agent::"refunds", action == Action::"call_tool", resource == Tool::"orders.refund") when { context.args.number.hasTag("/amount") && context.args.number.getTag("/amount").lessThan(decimal("100.0")) };`
	if _, err := s.Put(ctx, as("security"), Change{Document: Document{Name: "refunds", Cedar: small}}); err != nil {
		t.Fatal(err)
	}
	var l ledger
	for i := range 10 {
		r := request()
		r.Resource.ID, r.Resource.Effect, r.Call.Args.Readable = "orders.refund", "write", true
		r.Call.Args.Number = map[string]string{"/amount": []string{"50.0", "150.0"}[i%2]}
		l.record(s.engine, r, day.Add(time.Duration(i)*time.Minute))
	}
	if l[0].Verdict != activity.VerdictAllow || l[1].Verdict != activity.VerdictDeny {
		t.Fatalf("%v, %v", l[0].Verdict, l[1].Verdict)
	}
	m := newSimulator(t, s.Store, &l)
	if got := m.run(t, Plan{}); got.Replayed != 10 || got.Changed != 0 {
		t.Errorf("unchanged: %+v", got)
	}
	if got := m.run(t, Plan{Documents: []Document{{Name: "refunds", Cedar: strings.Replace(small, "100.0", "10.0", 1)}}}); got.Replayed != 0 || got.NotKept != 10 {
		t.Errorf("another amount: %+v", got)
	}
	stop := Document{Name: "stop", Cedar: `forbid (principal, action, resource == Tool::"orders.refund");`}
	if got := m.run(t, Plan{Documents: []Document{stop, {Name: "refunds", Cedar: strings.Replace(small, "100.0", "10.0", 1)}}}); got.Replayed != 10 || got.Stricter != 5 {
		t.Errorf("denied in every case: %+v", got)
	}
}

// Replaying random decisions under the set that decided them changes nothing.
func TestReplayIsTheDecision(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(15, 16))
	w := &writer{rnd: rnd}
	for i := range 60 {
		d := Document{Name: fmt.Sprint("p", i), Observe: i%5 == 0, Cedar: w.statement("s", true)}
		if _, err := c.Compile(d); err != nil {
			continue
		}
		if _, err := s.Put(t.Context(), as("security"), Change{Document: d}); err != nil {
			t.Fatal(err)
		}
	}
	var l ledger
	for i := range 2000 {
		r := randomRequest(rnd)
		withArgs(rnd, r)
		l.record(s.engine, r, day.Add(time.Duration(i)*time.Second))
	}
	m := newSimulator(t, s.Store, &l)
	if got := m.run(t, Plan{}); got.Changed != 0 || got.Replayed != 2000 {
		t.Errorf("%+v", got)
	}
}

func TestPropose(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	var l ledger
	at := day
	call := func(change func(*Request)) {
		r := request()
		if change != nil {
			change(r)
		}
		at = at.Add(time.Minute)
		l.record(s.engine, r, at)
	}
	for range 5 {
		call(nil)
		call(func(r *Request) {
			r.Action, r.Resource = "call_model", Resource{Type: "Model", ID: "openai/gpt \"4\"", Upstream: "openai", UpstreamTeam: "support", Provider: "openai", Name: "gpt"}
			r.Call.Model, r.Call.Bound = &ModelCall{Endpoint: "chat"}, false
		})
		call(func(r *Request) { r.Resource.Classes, r.Resource.ID = []string{"secret"}, "orders.drop" }) // denied: not its need
		call(func(r *Request) { r.Agent.Name = "seller" })
	}
	for i := range maxNamed + 5 {
		call(func(r *Request) {
			r.Action, r.Resource = "call_api", Resource{Type: "Api", ID: fmt.Sprint("crm GET /", i), Upstream: "crm", UpstreamTeam: "support", Method: "GET", Route: fmt.Sprint("/", i), Effect: "read"}
		})
	}
	m := newSimulator(t, s.Store, &l)
	p, err := m.Propose(t.Context(), "refunds", "support", day, day.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	statements, err := s.Compile(p.Document)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Cedar)
	}
	for _, want := range []string{`resource == Tool::"orders.get"`, `Model::"openai/gpt \"4\""`, `resource in Upstream::"crm"`, "5 calls, the last on 2026-09-21", `action in [Action::"send_task", Action::"read_source"]`} {
		if !strings.Contains(p.Cedar, want) {
			t.Errorf("no %s in\n%s", want, p.Cedar)
		}
	}
	if len(statements) != 3+3+1 || len(p.Used) != maxNamed+5+2 {
		t.Errorf("%d statements, %d used\n%s", len(statements), len(p.Used), p.Cedar)
	}

	// Alone, it permits each call that was allowed, and nothing that was not seen.
	var e Engine
	e.Replace(1, compile(t, Document{Name: p.Name, Cedar: p.Cedar}))
	for _, d := range l {
		r, _ := ParseContext(d.Context)
		got := e.Decide(r).Verdict
		if d.Agent == "refunds" && got != d.Verdict || d.Agent != "refunds" && got != activity.VerdictDeny {
			t.Errorf("%s %s was %v, is %v", d.Agent, d.Resource, d.Verdict, got)
		}
	}
	for name, change := range map[string]func(*Request){
		"another tool":   func(r *Request) { r.Resource.ID = "orders.other" },
		"another effect": func(r *Request) { r.Resource.Effect = "write" },
		"another class":  func(r *Request) { r.Resource.Classes = []string{"secret"} },
		"tainted":        func(r *Request) { r.Call.Taint.Untrusted = true },
		"unbound":        func(r *Request) { r.Call.Bound = false },
	} {
		r := request()
		change(r)
		if v := e.Decide(r).Verdict; v != activity.VerdictDeny {
			t.Errorf("%s: %v", name, v)
		}
	}
	// Beside the starters, the closing forbids hold.
	if _, err := s.Put(t.Context(), as("security"), Change{Document: Document{Name: "least", Cedar: p.Cedar}}); err != nil {
		t.Fatal(err)
	}
	if v := s.verdict(func(r *Request) { r.Resource.ID = "orders.other" }); v != activity.VerdictDeny {
		t.Errorf("a tool that it never used: %v", v)
	}
	if v := s.verdict(nil); v != activity.VerdictAllow {
		t.Errorf("what it used: %v", v)
	}
	if _, err := m.Propose(t.Context(), "nobody", "", day, day.Add(time.Hour)); code(err) != "policy.nothing_used" {
		t.Errorf("nothing used: %v", err)
	}
}

// One asker cannot fill the queue, and nobody reads more than a few periods at
// once.
func TestSimulationsAreBounded(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	block, entered := make(chan struct{}), make(chan struct{}, 10)
	m, err := NewSimulator(SimulatorOptions{Store: s.Store, Past: func(ctx context.Context, _, _ time.Time, _ func(*activity.Decision) error) error {
		entered <- struct{}{}
		select {
		case <-block:
		case <-ctx.Done():
		}
		return ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	plan := Plan{From: day, To: day.Add(time.Hour), Sees: all, By: "ann"}
	for range maxWaitingFor {
		if _, err := m.Start(plan); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Start(plan); code(err) != "policy.busy" {
		t.Errorf("one too many: %v", err)
	}
	plan.By = "bob"
	if _, err := m.Start(plan); err != nil {
		t.Errorf("another asker: %v", err)
	}
	ends := make(chan error, maxReading)
	for range maxReading {
		go func() {
			_, err := m.Would(t.Context(), "", day, day.Add(time.Hour), all)
			ends <- err
		}()
		<-entered
	}
	if _, err := m.Would(t.Context(), "", day, day.Add(time.Hour), all); code(err) != "policy.busy" {
		t.Errorf("one reader too many: %v", err)
	}
	close(block)
	for range maxReading {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}
