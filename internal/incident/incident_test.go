package incident

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

var start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// clock is the time of a test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func openDB(t *testing.T) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newTestBook(t *testing.T, db *control.DB, more ...func(*Options)) (*Book, *clock) {
	t.Helper()
	c := &clock{t: start}
	o := Options{DB: db, Now: c.now}
	for _, f := range more {
		f(&o)
	}
	b, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

// anybody may do everything.
var anybody = Actor{Person: "per_ada", Name: "ada", Can: func(string, string, string) bool { return true }}

func sig(agent, title string, more ...func(*Signal)) Signal {
	s := Signal{Kind: "alert", Severity: Warning, Title: title, Agent: agent, Team: "support", Environment: "production"}
	for _, f := range more {
		f(&s)
	}
	s.Fingerprint = strings.Join([]string{title, s.Agent, s.Tool, s.Model, s.Source, s.Environment, s.Labels["pod"]}, "/")
	s.ID = "alt_" + s.Fingerprint
	return s
}

func tool(name string) func(*Signal)   { return func(s *Signal) { s.Tool = name } }
func source(name string) func(*Signal) { return func(s *Signal) { s.Source = name } }
func place(team, env string) func(*Signal) {
	return func(s *Signal) { s.Team, s.Environment = team, env }
}
func model(m, p string) func(*Signal) { return func(s *Signal) { s.Model, s.Provider = m, p } }
func label(k, v string) func(*Signal) {
	return func(s *Signal) {
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		s.Labels[k] = v
	}
}
func over(s *Signal) { s.Resolved = true }

func (b *Book) mustFlush(t *testing.T) {
	t.Helper()
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (b *Book) live(t *testing.T) []Incident {
	t.Helper()
	b.mustFlush(t)
	list, err := b.List(t.Context(), Filter{States: []string{Open, Acknowledged, Mitigated}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Which signals, given in order, are one incident.
func TestCorrelation(t *testing.T) {
	t.Parallel()
	fleet := func(b *Book, n int, m string) { // so many agents are known to use a provider
		for i := range n {
			b.engine.use(fmt.Sprint("other-", i), Node{"provider", m})
		}
	}
	cases := []struct {
		name string
		prep func(*Book)
		in   []Signal
		gap  time.Duration
		want int
	}{
		{name: "the same tool, two agents", in: []Signal{sig("a", "tool errors", tool("crm__find")), sig("b", "tool errors", tool("crm__find"))}, want: 1},
		{name: "two tools of one server", in: []Signal{sig("a", "tool errors", tool("crm__find")), sig("b", "tool timeouts", tool("crm__save"))}, want: 1},
		{name: "two tools of two servers", in: []Signal{sig("a", "tool errors", tool("crm__find")), sig("b", "tool errors", tool("erp__find"))}, want: 2},
		{name: "one agent, two tools of two servers", in: []Signal{sig("a", "tool errors", tool("crm__find")), sig("a", "tool errors", tool("erp__find"))}, want: 2},
		{name: "an agent's symptom joins its tool's outage", in: []Signal{sig("a", "tool errors", tool("crm__find")), sig("a", "run failures up")}, want: 1},
		{name: "a tool explains the symptom that came first", in: []Signal{sig("a", "run failures up"), sig("a", "tool errors", tool("crm__find"))}, want: 1},
		{name: "the same agent in loops and in wrong answers", in: []Signal{sig("a", "loop: same call repeated"), sig("a", "quality score dropped")}, want: 2},
		{name: "two agents in loops, each for itself", in: []Signal{sig("a", "loop: same call repeated"), sig("b", "loop: same call repeated")}, want: 2},
		{name: "too long after", in: []Signal{sig("a", "tool errors", tool("crm__find")), sig("b", "tool errors", tool("crm__find"))}, gap: 40 * time.Minute, want: 2},
		{name: "another environment", in: []Signal{sig("a", "run failures up"), sig("a", "run failures up", place("support", "staging"))}, want: 2},
		{
			name: "two of thirty users of a provider, with different troubles", prep: func(b *Book) { fleet(b, 30, "openai") },
			in: []Signal{sig("a", "cost runaway", model("gpt-4o", "openai")), sig("b", "model errors", model("gpt-4o-mini", "openai"))}, want: 2,
		},
		{
			name: "most users of a provider", prep: func(b *Book) { fleet(b, 1, "openai") },
			in: []Signal{
				sig("a", "model errors", model("gpt-4o", "openai")), sig("b", "model errors", model("gpt-4o-mini", "openai")), sig("c", "model timeouts", model("o3", "openai")),
				sig("d", "model errors", model("o3", "openai")), sig("e", "latency up", model("gpt-4o", "openai")),
			}, want: 1,
		},
		{
			name: "a skipped job and the agents that read its data", prep: func(b *Book) {
				b.engine.use("a", Node{"source", "refund_policy"})
				b.engine.use("b", Node{"source", "refund_policy"})
			},
			in: []Signal{sig("", "source is stale: job skipped", source("refund_policy")), sig("a", "wrong answers: quality score dropped"), sig("b", "answers contradict: quality score dropped")}, want: 1,
		},
		{
			name: "the agent that it works for", in: []Signal{
				sig("worker", "errors", tool("crm__find")),
				sig("boss", "run failures up", func(s *Signal) { s.Peer = "worker" }),
			}, want: 1,
		},
		{name: "labels that few carry", in: []Signal{sig("", "node down", label("host", "gpu-7")), sig("", "probe failed", label("host", "gpu-7"))}, want: 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, clk := newTestBook(t, openDB(t))
			if c.prep != nil {
				c.prep(b)
			}
			for _, s := range c.in {
				s.At = clk.now()
				b.Take(t.Context(), []Signal{s})
				clk.add(max(c.gap, 20*time.Second))
			}
			list := b.live(t)
			if len(list) != c.want {
				for _, i := range list {
					ms, _ := b.Members(t.Context(), i.ID, 100)
					for _, m := range ms {
						t.Logf("%d: %s %s: %v", i.Number, m.Agent, m.Title, m.Reasons)
					}
				}
				t.Errorf("%d incidents of %d signals, want %d", len(list), len(c.in), c.want)
			}
			for _, i := range list {
				ms, err := b.Members(t.Context(), i.ID, 100)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range ms {
					if len(m.Reasons) == 0 {
						t.Errorf("%q is in incident %d without a reason", m.Title, i.Number)
					}
				}
			}
		})
	}
}

// A provider's outage begins as one agent's trouble; the incidents become one,
// with the provider as its cause.
func TestProviderIsTheCause(t *testing.T) {
	t.Parallel()
	b, clk := newTestBook(t, openDB(t))
	for i := range 10 {
		b.engine.use(fmt.Sprint("agent-", i), Node{"provider", "acme"})
	}
	titles := []string{"model errors", "latency p95 up", "timeouts of the model", "run failures up"}
	for i := range 8 {
		s := sig(fmt.Sprint("agent-", i), titles[i%4], model(fmt.Sprint("m-", i%3), "acme"))
		s.At = clk.now()
		b.Take(t.Context(), []Signal{s})
		clk.add(5 * time.Second)
		b.mustFlush(t)
	}
	list := b.live(t)
	if len(list) != 1 || list[0].Cause == nil || *list[0].Cause != (Node{"provider", "acme"}) {
		t.Fatalf("got %d incidents, the first with cause %v, want one with provider acme", len(list), list[0].Cause)
	}
}

func TestRepeatsCostNothing(t *testing.T) {
	t.Parallel()
	b, clk := newTestBook(t, openDB(t))
	for range 1000 {
		s := sig("a", "tool errors", tool("crm__find"))
		s.At = clk.now()
		b.Take(t.Context(), []Signal{s})
		clk.add(time.Millisecond)
	}
	i := b.live(t)
	if len(i) != 1 || i[0].Signals != 1 || i[0].Occurrences != 1000 {
		t.Fatalf("got %+v, want one incident with one signal that occurred 1,000 times", i)
	}
}

func TestEndAndComeBack(t *testing.T) {
	t.Parallel()
	var told []string
	b, clk := newTestBook(t, openDB(t), func(o *Options) {
		o.Opened = func(i Incident, why string) { told = append(told, fmt.Sprint(i.Number, " ", why)) }
	})
	take := func(s Signal) {
		s.At = clk.now()
		b.Take(t.Context(), []Signal{s})
		b.mustFlush(t)
	}
	take(sig("a", "tool errors", tool("crm__find")))
	clk.add(time.Minute)
	take(sig("a", "tool errors", tool("crm__find"), over))
	if i := b.live(t)[0]; i.Firing != 0 || i.QuietAt.IsZero() {
		t.Fatalf("after the end of its only signal: %+v", i)
	}
	// News of before the end, arriving late, changes nothing.
	late := sig("a", "tool errors", tool("crm__find"))
	late.At = clk.now().Add(-30 * time.Second)
	b.Take(t.Context(), []Signal{late})
	if i := b.live(t)[0]; i.Firing != 0 {
		t.Fatal("late news opened it again")
	}
	clk.add(16 * time.Minute)
	b.settle(clk.now())
	if left := b.live(t); len(left) != 0 {
		t.Fatalf("%d incidents are live after the quiet time", len(left))
	}
	clk.add(10 * time.Minute)
	take(sig("a", "tool errors", tool("crm__find")))
	if i := b.live(t); len(i) != 1 || i[0].Number != 1 {
		t.Fatalf("a signal that fires again should bring its incident back, got %v", i)
	}
	clk.add(time.Minute)
	take(sig("a", "tool errors", tool("crm__find"), over))
	if _, err := b.Resolve(t.Context(), anybody, "1", ""); err != nil {
		t.Fatal(err)
	}
	clk.add(2 * time.Hour)
	take(sig("a", "tool errors", tool("crm__find")))
	if i := b.live(t); len(i) != 1 || i[0].Number != 2 {
		t.Fatalf("two hours after its end it is a new incident, got %v", i)
	}
	if want := []string{"1 opened", "1 back", "2 opened"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	b, clk := newTestBook(t, db)
	ctx := t.Context()
	b.Take(ctx, []Signal{sig("a", "tool errors", tool("crm__find"))})
	b.mustFlush(t)
	viewer := Actor{Person: "per_eve", Can: func(role, team, _ string) bool { return role == "viewer" || team == "other" }}
	if _, err := b.Acknowledge(ctx, viewer, "1", ""); fault.From(err).Code != "incident.denied" {
		t.Errorf("a viewer acknowledged: %v", err)
	}
	if i, err := b.Acknowledge(ctx, anybody, "1", "looking"); err != nil || i.State != Acknowledged || i.Owner != "per_ada" {
		t.Fatalf("acknowledge: %+v, %v", i, err)
	}
	if _, err := b.Acknowledge(ctx, anybody, "1", ""); fault.From(err).Code != "incident.state" {
		t.Errorf("acknowledged twice: %v", err)
	}
	sev, lead := Critical, "per_bob"
	i, err := b.Update(ctx, anybody, "1", Edit{Severity: &sev, Lead: &lead})
	if err != nil || i.Severity != Critical || i.Lead != lead {
		t.Fatalf("update: %+v, %v", i, err)
	}
	if _, err := b.Update(ctx, anybody, "1", Edit{Severity: &sev, Revision: i.Revision - 1}); fault.From(err).Code != "incident.conflict" {
		t.Errorf("an old revision was taken: %v", err)
	}
	clk.add(time.Minute)
	for _, step := range []func() (Incident, error){
		func() (Incident, error) { return b.Mitigate(ctx, anybody, "1", "blocked the tool") },
		func() (Incident, error) { return b.Resolve(ctx, anybody, "1", "fixed") },
	} {
		if _, err := step(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Review(ctx, "1", func(id string) string { return strings.TrimPrefix(id, "per_") }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tool errors", "Acknowledged", "bob", "blocked the tool", "[alert alt\\_", "unknown: no run named its user"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("the draft says nothing of %q:\n%s", want, r.Text)
		}
	}
	if _, err := b.SaveReview(ctx, anybody, "1", r.Text+"\nbecause of X", 0, true); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SaveReview(ctx, anybody, "1", "mine", 0, false); fault.From(err).Code != "incident.conflict" {
		t.Errorf("an old review overwrote a newer one: %v", err)
	}
	if i, _ := b.Get(ctx, "1"); i.State != Reviewed {
		t.Errorf("state is %s after the review", i.State)
	}
	// Another process reads the same.
	again, _ := newTestBook(t, db)
	if i, err := again.Get(ctx, "1"); err != nil || i.State != Reviewed || i.Signals != 1 {
		t.Errorf("after a restart: %+v, %v", i, err)
	}
	acts, err := audit.List(ctx, db, audit.Filter{})
	if err != nil || len(acts) != 6 {
		t.Errorf("%d audit records, want 6 (%v)", len(acts), err)
	}
}

func TestMergeSplitUndo(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	b, _ := newTestBook(t, db)
	ctx := t.Context()
	b.Take(ctx, []Signal{
		sig("a", "tool errors", tool("crm__find")), sig("b", "tool errors", tool("crm__find")), sig("a", "run failures up"), sig("z", "loop: same call repeated"),
	})
	list := b.live(t)
	if len(list) != 2 {
		t.Fatalf("%d incidents, want 2", len(list))
	}
	start := b.engine.weights
	stray := sig("a", "run failures up").Fingerprint
	made, err := b.Split(ctx, anybody, "1", []string{stray}, "another thing")
	if err != nil || made.Signals != 1 || made.Number != 3 {
		t.Fatalf("split: %+v, %v", made, err)
	}
	if w := b.engine.weights[symptom]; w >= start[symptom] {
		t.Errorf("the rule that misled is believed as before: %v, was %v", w, start[symptom])
	}
	// What people took apart stays apart, even when it repeats or grows.
	b.Take(ctx, []Signal{sig("a", "run failures up"), sig("c", "tool errors", tool("crm__find"))})
	if i, _ := b.Get(ctx, "3"); len(b.live(t)) != 3 || i.Signals != 1 {
		t.Fatal("machines undid what a person did")
	}
	moves, err := b.Moves(ctx, made.ID)
	if err != nil || len(moves) != 1 {
		t.Fatalf("moves: %v, %v", moves, err)
	}
	if i, err := b.Undo(ctx, anybody, moves[0].ID, "was right"); err != nil || i.Number != 1 || i.Signals != 4 {
		t.Fatalf("undo of the split: %+v, %v", i, err)
	}
	if d := Diff(start, b.engine.weights); len(d) != 0 {
		t.Errorf("the verdict was taken back and still moves weights: %v", d)
	}
	if _, err := b.Undo(ctx, anybody, moves[0].ID, ""); fault.From(err).Code != "incident.conflict" {
		t.Errorf("taken back twice: %v", err)
	}
	merged, err := b.Merge(ctx, anybody, "2", "1", "the same person did both")
	if err != nil || merged.Number != 1 || merged.Signals != 5 {
		t.Fatalf("merge: %+v, %v", merged, err)
	}
	if i, _ := b.Get(ctx, "2"); i.State != Merged || i.MergedInto != merged.ID {
		t.Fatalf("the merged one is %+v", i)
	}
	// Both survive a restart, and can be taken back there.
	b, _ = newTestBook(t, db)
	second, err := b.Get(ctx, "2")
	if err != nil {
		t.Fatal(err)
	}
	if moves, err = b.Moves(ctx, second.ID); err != nil {
		t.Fatal(err)
	}
	if back, err := b.Undo(ctx, anybody, moves[0].ID, ""); err != nil || back.Number != 2 || back.State != Open || back.Signals != 1 {
		t.Fatalf("undo of the merge: %+v, %v", back, err)
	}
	for name, f := range map[string]func() error{
		"all signals": func() error {
			_, err := b.Split(ctx, anybody, "2", []string{sig("z", "loop: same call repeated").Fingerprint}, "")
			return err
		},
		"a strange one": func() error { _, err := b.Split(ctx, anybody, "1", []string{"nothing"}, ""); return err },
		"itself":        func() error { _, err := b.Merge(ctx, anybody, "1", "1", ""); return err },
	} {
		if err := f(); fault.From(err).Kind != fault.KindInvalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestVerdictsMoveWeightsAndBack(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t))
	ctx := t.Context()
	b.Take(ctx, []Signal{sig("a", "tool errors", tool("crm__find")), sig("b", "tool errors", tool("crm__find"))})
	b.mustFlush(t)
	if _, err := b.Judge(ctx, anybody, "1", sig("b", "tool errors", tool("crm__find")).Fingerprint, true, ""); err != nil {
		t.Fatal(err)
	}
	now, history, err := b.Learned(ctx, 10)
	if err != nil || len(history) != 1 || now[sameTool] <= Defaults()[sameTool] {
		t.Fatalf("weights %v, history %v, %v", now, history, err)
	}
	if err := b.Revert(ctx, anybody, 1, "no"); err != nil {
		t.Fatal(err)
	}
	now, history, _ = b.Learned(ctx, 10)
	if d := Diff(Defaults(), now); len(d) != 0 || len(history) != 2 || history[0].Reverts != 1 {
		t.Errorf("after the revert: %v, %v", d, history)
	}
	team := Actor{Person: "per_t", Can: func(_, team, _ string) bool { return team == "support" }}
	if err := b.Revert(ctx, team, 1, ""); fault.From(err).Code != "incident.denied" {
		t.Errorf("a team's responder changed the weights of all: %v", err)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	b, clk := newTestBook(t, openDB(t))
	ctx := t.Context()
	s, err := b.Silence(ctx, anybody, Silence{Kind: "silence", Reason: "index is rebuilt", EndsAt: start.Add(time.Hour), Matchers: []Matcher{{Name: "agent", Value: "a|b", IsRegex: true, IsEqual: true}, {Name: "severity", Value: "critical", IsEqual: false}}})
	if err != nil {
		t.Fatal(err)
	}
	critical := sig("a", "tool errors critical", tool("crm__find"))
	critical.Severity = Critical
	b.Take(ctx, []Signal{sig("a", "tool errors", tool("crm__find")), sig("ab", "loop of ab"), critical})
	if n := len(b.live(t)); n != 2 {
		t.Fatalf("%d incidents, want 2: a regular expression matches whole values, and critical ones are not silenced", n)
	}
	list, err := b.Silences(ctx, false)
	if err != nil || len(list) != 1 || list[0].Held != 1 {
		t.Fatalf("silences: %+v, %v", list, err)
	}
	clk.add(time.Minute)
	if _, err := b.EndSilence(ctx, anybody, s.ID, "done"); err != nil {
		t.Fatal(err)
	}
	b.mustFlush(t)
	var signals int
	for _, i := range b.live(t) {
		signals += i.Signals
	}
	if signals != 3 {
		t.Errorf("%d signals after the silence, want 3: what still fires is taken in", signals)
	}
	bad := map[string]Silence{
		"no reason":       {Kind: "silence", EndsAt: start.Add(time.Hour), Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}},
		"no end":          {Kind: "silence", Reason: "x", Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}},
		"hides all":       {Kind: "silence", Reason: "x", EndsAt: start.Add(time.Hour), Matchers: []Matcher{{Name: "agent", Value: ".*", IsRegex: true, IsEqual: true}}},
		"no matcher":      {Kind: "silence", Reason: "x", EndsAt: start.Add(time.Hour)},
		"bad expression":  {Kind: "silence", Reason: "x", EndsAt: start.Add(time.Hour), Matchers: []Matcher{{Name: "agent", Value: "(", IsRegex: true, IsEqual: true}}},
		"too long":        {Kind: "silence", Reason: "x", EndsAt: start.Add(100 * 24 * time.Hour), Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}},
		"ends before now": {Kind: "silence", Reason: "x", EndsAt: start.Add(-time.Hour), Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}},
	}
	for name, s := range bad {
		if _, err := b.Silence(ctx, anybody, s); fault.From(err).Code != "incident.invalid" {
			t.Errorf("%s: %v, want incident.invalid", name, err)
		}
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t))
	ctx := t.Context()
	if _, err := b.Open(ctx, anybody, Report{Title: "refunds paid twice", Severity: Critical, Kind: WrongAction, Team: "support", Environment: "production", Agents: []string{"refunds"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddTask(ctx, anybody, "1", Task{Kind: TaskAction, Text: "limit the amount"}); fault.From(err).Code != "incident.invalid" {
		t.Errorf("an action without owner and date was taken: %v", err)
	}
	c, err := b.AddTask(ctx, anybody, "1", Task{Kind: TaskCompensation, Text: "take refund 17 back", Evidence: &Evidence{"decision", "dec_1"}})
	if err != nil {
		t.Fatal(err)
	}
	done := true
	if _, err := b.ChangeTask(ctx, anybody, c.ID, TaskChange{Done: &done}); fault.From(err).Code != "incident.conflict" {
		t.Errorf("done without agreement: %v", err)
	}
	if _, err := b.ChangeTask(ctx, anybody, c.ID, TaskChange{Approve: true}); fault.From(err).Code != "incident.second_person" {
		t.Errorf("agreed to one's own: %v", err)
	}
	other := anybody
	other.Person = "per_bob"
	if _, err := b.ChangeTask(ctx, other, c.ID, TaskChange{Approve: true}); err != nil {
		t.Fatal(err)
	}
	if got, err := b.ChangeTask(ctx, anybody, c.ID, TaskChange{Done: &done, Result: "reversed"}); err != nil || got.DoneBy != "per_ada" {
		t.Fatalf("done: %+v, %v", got, err)
	}
}

// A write that fails loses nothing: what was placed is stored with the next one.
func TestFailedWriteIsRepeated(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	b, _ := newTestBook(t, db)
	b.Take(t.Context(), []Signal{sig("a", "tool errors", tool("crm__find"))})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Flush(gone); err == nil {
		t.Fatal("a write with a dead context should fail")
	}
	b.Take(t.Context(), []Signal{sig("b", "tool errors", tool("crm__find"))})
	if list := b.live(t); len(list) != 1 || list[0].Signals != 2 {
		t.Fatalf("got %+v, want one incident with two signals", list)
	}
	e, err := b.Timeline(t.Context(), b.live(t)[0].ID)
	if err != nil || len(e) != 2 {
		t.Errorf("%d sentences on the timeline, want 2 (%v)", len(e), err)
	}
}

// Where something has to recover first, nobody resolves an incident before, neither
// here nor from another system; mitigating stays possible, and who may not act on it
// learns nothing.
func TestRecoveryBeforeClosing(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t))
	why := "users are unhappy"
	b.o.Unrecovered = func(context.Context, Incident) (string, error) { return why, nil }
	b.Take(t.Context(), []Signal{sig("a", "users are unhappy")})
	id := b.live(t)[0].ID
	ctx := t.Context()
	if _, err := b.Resolve(ctx, anybody, id, "done"); fault.From(err).Code != "incident.not_recovered" || !strings.Contains(err.Error(), why) {
		t.Errorf("resolved too early: %v", err)
	}
	if _, changed, err := b.FromOutside(ctx, anybody, id, Outside{Where: "pager", State: "resolve"}); changed || err != nil {
		t.Errorf("resolved from outside: %v, %v", changed, err)
	}
	nobody := Actor{Person: "per_bob", Can: func(string, string, string) bool { return false }}
	if _, err := b.Resolve(ctx, nobody, id, ""); err == nil || strings.Contains(err.Error(), why) {
		t.Errorf("who may not act: %v", err)
	}
	if _, err := b.Mitigate(ctx, anybody, id, ""); err != nil {
		t.Error(err)
	}
	why = ""
	if i, err := b.Resolve(ctx, anybody, id, "well again"); err != nil || i.State != Resolved {
		t.Errorf("%+v, %v", i, err)
	}
}
