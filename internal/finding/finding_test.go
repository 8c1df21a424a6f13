package finding

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

type shelf struct {
	*Book
	t      testing.TB
	db     *control.DB
	now    time.Time
	opened []Finding
}

func open(t testing.TB) *shelf {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		db.Close()
	})
	s := &shelf{t: t, db: db, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	s.again()
	return s
}

// again opens the book as a restart does.
func (s *shelf) again() {
	s.t.Helper()
	b, err := New(s.t.Context(), Options{DB: s.db, Now: func() time.Time { return s.now }, Opened: func(f Finding) { s.opened = append(s.opened, f) }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Book = b
}

func (s *shelf) see(f Finding) (Finding, bool) {
	s.t.Helper()
	f, fresh, err := s.See(s.t.Context(), f)
	if err != nil {
		s.t.Fatal(err)
	}
	return f, fresh
}

func loop(agent, run string, authenticated bool) Finding {
	return Finding{Detector: "loop", Agent: agent, Team: "core", Environment: "production", Subject: "search", Text: "again and again", Runs: []string{run}, Steps: []string{"stp_" + run}, Authenticated: authenticated}
}

// What is seen again is the same finding, until it was quiet for long.
func TestSeeAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, fresh := s.see(loop("a", "run_1", false))
	if !fresh || first.ID == "" || first.Count != 1 || !first.Open() {
		t.Fatalf("%+v, %v", first, fresh)
	}
	for i := range 40 {
		s.now = s.now.Add(time.Minute)
		f, fresh := s.see(loop("a", fmt.Sprintf("run_%d", i+2), false))
		if fresh || f.ID != first.ID || f.Count != int64(i+2) {
			t.Fatalf("%+v, %v", f, fresh)
		}
		if len(f.Runs) > maxEvidence || f.Runs[0] != "run_1" {
			t.Fatalf("evidence %v", f.Runs)
		}
	}
	if _, fresh := s.see(loop("b", "run_1", false)); !fresh {
		t.Error("another agent's is the same finding")
	}
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.again()
	if f, fresh := s.see(loop("a", "run_99", false)); fresh || f.ID != first.ID || f.Count != 42 {
		t.Errorf("after a restart %+v, %v", f, fresh)
	}
	s.now = s.now.Add(quiet)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), first.ID); err != nil || got.Open() {
		t.Errorf("after an hour %+v, %v", got, err)
	}
	if f, fresh := s.see(loop("a", "run_1", false)); !fresh || f.ID == first.ID {
		t.Errorf("then it was seen: %+v, %v", f, fresh)
	}
	s.now = s.now.Add(keep + quiet)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), first.ID); fault.From(err).Code != "finding.not_found" {
		t.Errorf("kept beyond its time: %v", err)
	}
	if len(s.opened) != 3 {
		t.Errorf("told of %d", len(s.opened))
	}
}

// A claim that is proved later is news, and a proved one is never a claim again.
func TestProvedLater(t *testing.T) {
	t.Parallel()
	s := open(t)
	claimed, _ := s.see(loop("a", "run_1", false))
	proved, fresh := s.see(loop("a", "run_2", true))
	if !fresh || proved.ID == claimed.ID || !proved.Authenticated {
		t.Errorf("%+v, %v", proved, fresh)
	}
	again, fresh := s.see(loop("a", "run_3", false))
	if fresh || again.ID != proved.ID || !again.Authenticated {
		t.Errorf("%+v, %v", again, fresh)
	}
	if got := s.About("a", "core"); !slices.Equal(got, []string{"loop"}) {
		t.Errorf("policies read %v", got)
	}
}

// What somebody merely claims adds nothing to what was proved: no severity, no
// evidence, and no room is made for it at its cost.
func TestClaimsAddNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, _ := s.see(loop("a", "run_1", true))
	claim := loop("a", "run_2", false)
	claim.Severity, claim.Text = Critical, "it sends everything away"
	s.now = s.now.Add(time.Minute)
	if again, fresh := s.see(claim); fresh || again.ID != first.ID {
		t.Fatalf("%+v, %v", again, fresh)
	}
	f, err := s.Get(t.Context(), first.ID)
	if err != nil || f.Severity != Warning || f.Text != first.Text || f.Count != 1 || !slices.Equal(f.Runs, []string{"run_1"}) || !f.Last.Equal(first.Last) {
		t.Errorf("%+v, %v", f, err)
	}
	claimed, _ := s.see(loop("b", "run_3", false))
	if got := s.About("b", "other"); len(got) != 0 {
		t.Errorf("another team's claim is told to policies: %v", got)
	}
	if got := s.oldest(1); !slices.Equal(got, []string{claimed.ID}) {
		t.Errorf("%v goes before %s, which is only claimed", got, claimed.ID)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	s := open(t)
	f, _ := s.see(loop("a", "run_1", false))
	who := Actor{Person: "p1", Name: "ann"}
	on := About{ID: f.ID, Detector: f.Detector, Agent: f.Agent, Fingerprint: f.Fingerprint}
	if got := s.About("a", "core"); !slices.Equal(got, []string{"claimed:loop"}) {
		t.Errorf("policies read %v", got)
	}
	for _, bad := range []struct{ verdict, reason, code string }{{"maybe", "", "finding.verdict"}, {Noise, "a\nb", "finding.reason"}} {
		if err := s.Judge(t.Context(), who, on, bad.verdict, bad.reason); fault.From(err).Code != bad.code {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for range 2 { // twice is once
		if err := s.Judge(t.Context(), who, on, Noise, "it polls"); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.About("a", "core"); len(got) != 0 {
		t.Errorf("noise is still told to policies: %v", got)
	}
	if l := s.Learned("loop", "a"); l != (Learned{Noise: 1}) || l.Factor() != 0.1 || l.Effect() != 1.3 {
		t.Errorf("learned %+v, factor %v", l, l.Factor())
	}
	s.again()
	if l := s.Learned("loop", "a"); l != (Learned{Noise: 1}) {
		t.Errorf("after a restart %+v", l)
	}
	got, err := s.Get(t.Context(), f.ID)
	if err != nil || got.Verdict == nil || got.Verdict.Name != "ann" || got.Verdict.Reason != "it polls" {
		t.Errorf("%+v, %v", got, err)
	}
	if list, err := s.List(t.Context(), Filter{Verdict: "none"}); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	// Useful instead of noise, then nothing: all that was learned is gone.
	if err := s.Judge(t.Context(), who, on, Useful, ""); err != nil {
		t.Fatal(err)
	}
	if l := s.Learned("loop", "a"); l != (Learned{Useful: 1}) || l.Factor() != 1 {
		t.Errorf("learned %+v", l)
	}
	if err := s.Judge(t.Context(), who, on, "", ""); err != nil {
		t.Fatal(err)
	}
	if l := s.Learned("loop", "a"); l != (Learned{}) || len(s.Adjusted("loop")) != 0 {
		t.Errorf("learned %+v", l)
	}
	if got := s.About("a", "core"); len(got) != 1 {
		t.Errorf("policies read %v", got)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i := range 30 {
		s.now = s.now.Add(time.Second)
		f := loop(fmt.Sprintf("a%d", i), fmt.Sprintf("run_%d", i), false)
		if i%3 == 0 {
			f.Severity = Critical
		}
		s.see(f)
	}
	no := false
	for _, c := range []struct {
		q    Filter
		want int
	}{
		{Filter{}, 30},
		{Filter{Limit: 7}, 7},
		{Filter{Agent: "a3"}, 1},
		{Filter{Run: "run_3"}, 1},
		{Filter{Run: "run_%"}, 0},
		{Filter{Severity: Critical}, 10},
		{Filter{Open: &no}, 0},
		{Filter{Detector: "cost"}, 0},
		{Filter{From: s.now.Add(-4500 * time.Millisecond)}, 5},
	} {
		list, err := s.List(t.Context(), c.q)
		if err != nil || len(list) != c.want {
			t.Errorf("%+v gives %d, %v, want %d", c.q, len(list), err, c.want)
		}
	}
	page, _ := s.List(t.Context(), Filter{Limit: 10})
	rest, err := s.List(t.Context(), Filter{Before: page[9].ID})
	if err != nil || len(rest) != 20 || rest[0].Agent != "a19" {
		t.Errorf("the page after has %d, %v", len(rest), err)
	}
	if n := s.Counts()[[2]string{"loop", Critical}]; n != 10 {
		t.Errorf("%d critical ones", n)
	}
}

// None of the open findings is left out of what is asked for, however many others there are.
func TestLiveLeavesNoneOut(t *testing.T) {
	t.Parallel()
	b := &Book{byID: map[string]*entry{}, verdicts: map[string]Verdict{}}
	for n := range 2500 {
		id := fmt.Sprintf("fnd_%05d", n)
		b.byID[id] = &entry{Finding: Finding{ID: id, Team: "others"}}
	}
	b.byID["fnd_00000"].Team = "ours"
	b.byID["fnd_02499"].Closed = time.Now()
	if got := b.Live(func(f *Finding) bool { return f.Team == "ours" }); len(got) != 1 || got[0].ID != "fnd_00000" {
		t.Errorf("%+v", got)
	}
	if got := b.Live(func(*Finding) bool { return true }); len(got) != 2499 || got[0].ID != "fnd_02498" {
		t.Errorf("%d, the first %+v", len(got), got[0])
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"refund", "calls lookup 5 times with the same arguments", "refund: calls lookup 5 times with the same arguments"},
		{"refund", "the budget of chats of refund is spent", "the budget of chats of refund is spent"},
		{"", "a source is stale", "a source is stale"},
		{"call", "calls lookup 5 times", "call: calls lookup 5 times"},
		{"chat", "the budget of chat-triage and chats is spent", "chat: the budget of chat-triage and chats is spent"},
		{"chat", "a chats chat", "a chats chat"},
	} {
		if got := Line(c[0], c[1]); got != c[2] {
			t.Errorf("Line(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// One that becomes more severe is told of again, once it is durable; a sighting that
// could not be written is made up for by the next.
func TestRises(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, _ := s.see(loop("a", "run_1", true))
	worse := loop("a", "run_2", true)
	worse.Severity = Critical
	s.now = s.now.Add(time.Minute)
	off, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.See(off, worse); err == nil || len(s.opened) != 1 {
		t.Fatalf("without a database: %v, told of %d", err, len(s.opened))
	}
	f, fresh := s.see(worse)
	if fresh || f.ID != first.ID || f.Severity != Critical || !f.News().Equal(s.now) {
		t.Fatalf("%+v, %v", f, fresh)
	}
	s.see(worse)
	s.see(loop("a", "run_3", true))
	if len(s.opened) != 2 || s.opened[1].ID != first.ID || s.opened[1].Severity != Critical {
		t.Errorf("told of %+v, want the one twice", s.opened)
	}
	list, _, err := s.Moved(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].Severity != Critical {
		t.Errorf("who follows findings reads %+v, %v", list, err)
	}
}
