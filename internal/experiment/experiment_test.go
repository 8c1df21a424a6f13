package experiment

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

var anybody = Actor{Person: "per_1", Name: "Ann", Can: func(string, string, string) bool { return true }}

type house struct {
	t      *testing.T
	book   *Book
	tasks  []Task
	answer func(t *Test, task *Task) (Said, error)

	version string
	now     time.Time // zero: the clock's
	told    []Told

	dir      string
	options  Options
	standIns []string
	rights   func(role, team, environment string) bool
	drills   []DrillTold
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, version: "v1", dir: t.TempDir(), standIns: []string{"spare"}, rights: anybody.Can}
	db, err := controltest.Open(t.Context(), filepath.Join(h.dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h.answer = func(x *Test, _ *Task) (Said, error) {
		x.Called("call_model", "openai/m", "")
		return Said{Answer: "Within 14 days."}, nil
	}
	h.options = Options{
		DB: db,
		Agent: func(name string) (string, string, string, bool) {
			return map[string]string{"refund": "core"}[name] + map[string]string{"returns": "other"}[name], "production", h.version, name == "refund" || name == "returns"
		},
		Tell: func(_ context.Context, x Told) error { h.told = append(h.told, x); return nil },
		Now: func() time.Time {
			if h.now.IsZero() {
				return time.Now()
			}
			return h.now
		},
		Cases: func(context.Context, Actor, string, int64) ([]Task, int64, error) { return h.tasks, 3, nil },
		Recording: func(_ context.Context, run string) (*Recording, error) {
			r := &Recording{}
			r.Add("orders__find", []byte(`{"id": 7}`), []byte(run))
			return r, nil
		},
		Invoke: func(_ context.Context, x *Test, _ *Target, task *Task) (Said, error) { return h.answer(x, task) },
		Look: func(_ context.Context, _ Actor, name, _ string, _ *Task, answer string) (Check, error) {
			return Check{Name: name, Verdict: map[bool]string{true: "pass", false: "fail"}[len(answer) < 100]}, nil
		},
		StandIns:  func(string, string) ([]string, error) { return h.standIns, nil },
		Rights:    func(context.Context, string) (func(role, team, environment string) bool, error) { return h.rights, nil },
		TellDrill: func(_ context.Context, x DrillTold) error { h.drills = append(h.drills, x); return nil },
	}
	h.book, err = New(t.Context(), h.options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.PutTarget(t.Context(), anybody, Target{Agent: "refund", Kind: A2A, URL: "https://a.example"}); err != nil {
		t.Fatal(err)
	}
	return h
}

// run starts an experiment and carries it out.
func (h *house) run(p Plan) (Experiment, Summary, []Result) {
	h.t.Helper()
	p.Agent = "refund"
	x, err := h.book.Start(h.t.Context(), anybody, p)
	if err != nil {
		h.t.Fatal(err)
	}
	h.book.One(h.t.Context(), h.book.next())
	got, err := h.book.Get(h.t.Context(), anybody, x.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := h.book.Sum(h.t.Context(), &got)
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := h.book.Results(h.t.Context(), x.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return got, s, all
}

func TestGoldenTasks(t *testing.T) {
	t.Parallel()
	h := open(t)
	ask := []Message{{"user", "When?"}}
	h.tasks = []Task{
		{Item: "good", Messages: ask, Contains: []string{"14 DAYS"}, Absent: []string{"never"}},
		{Item: "words", Messages: ask, Expected: "within 14 days"},
		{Item: "missing", Messages: ask, Contains: []string{"receipt"}},
		{Item: "nothing said", Messages: ask},
	}
	x, s, all := h.run(Plan{Dataset: "refunds", Repeats: 2})
	if x.State != Done || x.Version != 3 || x.Tasks != 8 || s.N != 8 || s.Passed != 4 || len(s.PassHat) != 2 || s.PassHat[1] != 0.5 || x.AgentVersion != "v1" {
		t.Errorf("%+v %+v", x, s)
	}
	if all[3].Passed || !strings.Contains(all[3].Why, "nothing says") || all[0].Run == all[1].Run || !strings.HasPrefix(all[0].Run, "tst_") {
		t.Errorf("%+v", all)
	}
	h.answer = func(x *Test, _ *Task) (Said, error) {
		x.Called("call_model", "m", "")
		return Said{Answer: "Bring the receipt."}, nil
	}
	_, s, _ = h.run(Plan{Dataset: "refunds", Baseline: x.ID})
	if s.Against == nil || s.Against.Pairs != 4 || s.Against.OnlyFirst != 2 || s.Against.OnlySecond != 1 || s.Against.P != 1 {
		t.Errorf("%+v", s.Against)
	}
	// One less of four, with half a pair added to each cell: -1/6, give or take 1.96 times its error.
	if d, low, high, ok := s.Against.Change(); !ok || d != -0.25 || math.Abs(low+0.80623) > 1e-4 || math.Abs(high-0.47290) > 1e-4 {
		t.Errorf("%v (%v to %v)", d, low, high)
	}
	if s.Ran != 4 {
		t.Errorf("%d ran, want 4", s.Ran)
	}
}

// TestBesideAnother: an experiment that had no baseline is compared with another one on
// the same cases, and with no other.
func TestBesideAnother(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.tasks = []Task{{Item: "1", Messages: []Message{{"user", "?"}}, Contains: []string{"14"}}}
	one, _, _ := h.run(Plan{Dataset: "refunds"})
	two, _, _ := h.run(Plan{Dataset: "refunds"})
	other, _, _ := h.run(Plan{Dataset: "orders"})
	names := func(a string) *Bias {
		return &Bias{Attribute: "name", Prompts: []string{"{{x}}?"}, A: []string{a}, B: []string{"Lakisha"}, Favours: []string{"yes"}}
	}
	pairs, _, _ := h.run(Plan{Kind: BiasKind, Bias: names("Emily")})
	same, _, _ := h.run(Plan{Kind: BiasKind, Bias: names("Emily")})
	unlike, _, _ := h.run(Plan{Kind: BiasKind, Bias: names("Anne")})
	for _, c := range []struct {
		what     string
		x        Experiment
		baseline string
		code     string
	}{
		{"of the same cases", two, one.ID, ""},
		{"itself", two, two.ID, "experiment.invalid"},
		{"other cases", two, other.ID, "experiment.invalid"},
		{"another kind", two, pairs.ID, "experiment.invalid"},
		{"nothing", two, "xpr_nothing", "experiment.not_found"},
		{"the same pairs", same, pairs.ID, ""},
		{"other pairs", unlike, pairs.ID, "experiment.invalid"},
	} {
		x := c.x
		err := h.book.Beside(t.Context(), anybody, &x, c.baseline)
		if c.code == "" && (err != nil || x.Baseline != c.baseline) || c.code != "" && (err == nil || fault.From(err).Code != c.code || x.Baseline != "") {
			t.Errorf("%s: %v, baseline %q", c.what, err, x.Baseline)
		}
	}
}

// TestWhatIsNoTest: an agent that did not come through the door is told so at once;
// a call that was not recorded fails its case; an agent that fails is a result.
func TestWhatIsNoTest(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i := range 5 {
		h.tasks = append(h.tasks, Task{Item: fmt.Sprint(i), Run: "run_1", Messages: []Message{{"user", "?"}}, Contains: []string{"14"}})
	}
	asked := 0
	h.answer = func(*Test, *Task) (Said, error) { asked++; return Said{Answer: "14"}, nil }
	x, s, _ := h.run(Plan{Dataset: "refunds"})
	if x.State != Failed || asked != 1 || s.N != 0 || s.Invalid != 1 || !strings.Contains(x.Why, "did not come through the door") {
		t.Errorf("%d asked, %+v %+v", asked, x, s)
	}
	h.answer = func(x *Test, task *Task) (Said, error) {
		got, ok := x.Recorded("find", []byte(`{ "id":7 }`))
		again, _ := x.Recorded("orders__find", []byte(`{"id":7}`))
		if _, other := x.Recorded("find", []byte(`{"id":8}`)); !ok || string(got) != "run_1" || string(again) != "run_1" || other {
			t.Errorf("%q %v", got, ok)
		}
		code := ""
		if task.Item == "1" {
			code = "test.not_recorded"
		}
		x.Called("call_tool", "orders.refund", "")
		x.Called("call_tool", "orders.refund", code)
		if task.Item == "2" {
			return Said{}, fault.New(fault.KindUnavailable, "experiment.invoke", "the agent cannot be reached")
		}
		return Said{Answer: "14 " + strings.Repeat("x", 200*len(task.Item))}, nil
	}
	x, s, all := h.run(Plan{Dataset: "refunds", Evaluators: []string{"short"}})
	if x.State != Done || s.N != 5 || s.Passed != 0 || !strings.Contains(all[1].Why, "not in the recording") || !strings.Contains(all[2].Why, "reached") || all[0].Why != "short says fail" {
		t.Errorf("%+v %+v %+v", x, s, all)
	}
}

func TestStopping(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.tasks = []Task{{Item: "1", Messages: []Message{{"user", "?"}}, Contains: []string{"14"}}, {Item: "2", Messages: []Message{{"user", "?"}}, Contains: []string{"14"}}}
	var id string
	h.answer = func(x *Test, _ *Task) (Said, error) {
		x.Called("call_model", "m", "")
		if err := h.book.Stop(t.Context(), anybody, id); err != nil {
			t.Error(err)
		}
		return Said{Answer: "14"}, nil
	}
	x, err := h.book.Start(t.Context(), anybody, Plan{Agent: "refund", Dataset: "refunds"})
	if err != nil {
		t.Fatal(err)
	}
	id = x.ID
	h.book.One(t.Context(), h.book.next())
	if got, err := h.book.Get(t.Context(), anybody, id); err != nil || got.State != Stopped {
		t.Errorf("%+v, %v", got, err)
	}
	// One that waits is stopped at once, and those behind it are not.
	waits, err := h.book.Start(t.Context(), anybody, Plan{Agent: "refund", Dataset: "refunds"})
	if err != nil {
		t.Fatal(err)
	}
	behind, err := h.book.Start(t.Context(), anybody, Plan{Agent: "refund", Dataset: "refunds"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.book.Stop(t.Context(), anybody, waits.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := h.book.Get(t.Context(), anybody, waits.ID); err != nil || got.State != Stopped || got.EndedAt.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if next := h.book.next(); next == nil || next.ID != behind.ID {
		t.Errorf("%+v is next, want %s", next, behind.ID)
	}
	if next := h.book.next(); next != nil {
		t.Errorf("%s is still to be run", next.ID)
	}
}

// TestTryingATarget: one question tells whether an agent can be tested, by what is kept or
// by what is not kept yet; another address is security's to try, as to name.
func TestTryingATarget(t *testing.T) {
	t.Parallel()
	h := open(t)
	var at string
	h.book.o.Invoke = func(_ context.Context, x *Test, target *Target, task *Task) (Said, error) {
		at = target.URL
		if task.Messages[0].Content != "on its own" {
			x.Called("call_model", "openai/m", "")
		}
		if task.Messages[0].Content == "tool" {
			x.Called("call_tool", "orders.refund", "test.not_recorded")
		}
		return Said{Answer: "Within 14 days."}, nil
	}
	only := func(role string) Actor {
		return Actor{Person: "per_2", Can: func(r, _, _ string) bool { return r == role || r == "viewer" }}
	}
	other := &Target{Kind: A2A, URL: "https://other.example"}
	for _, c := range []struct {
		name, question string
		who            Actor
		agent          string
		target         *Target
		code, at       string
		passed, valid  bool
		why            string
	}{
		{name: "works", question: "through the door", who: only("developer"), agent: "refund", at: "https://a.example", passed: true, valid: true},
		{name: "no test", question: "on its own", who: only("developer"), agent: "refund", at: "https://a.example", why: "no call of it came to the door"},
		{name: "a tool", question: "tool", who: only("developer"), agent: "refund", at: "https://a.example", valid: true, why: "not in the recording"},
		{name: "another address", question: "through the door", who: only("security"), agent: "refund", target: other, at: "https://other.example", passed: true, valid: true},
		{name: "another address, by a developer", question: "x", who: only("developer"), agent: "refund", target: other, code: "experiment.denied"},
		{name: "an address that cannot be", question: "x", who: anybody, agent: "refund", target: &Target{Kind: A2A}, code: "experiment.invalid"},
		{name: "a command", question: "x", who: anybody, agent: "refund", target: &Target{Kind: Command, Command: []string{"sh"}}, code: "experiment.command"},
		{
			name: "an address of the house, by security of one team", question: "x", agent: "refund", target: &Target{Kind: A2A, URL: "http://127.0.0.1", AllowPrivate: true}, code: "experiment.denied",
			who: Actor{Person: "per_3", Can: func(_, team, _ string) bool { return team == "core" }},
		},
		{name: "nobody said how", question: "x", who: anybody, agent: "returns", code: "experiment.not_possible"},
		{name: "nothing", question: " ", who: anybody, agent: "refund", code: "experiment.invalid"},
		{name: "nobody", question: "x", who: anybody, agent: "nobody", code: "experiment.not_found"},
	} {
		at = ""
		r, err := h.book.TryTarget(t.Context(), c.who, c.agent, c.target, c.question)
		if c.code != "" {
			if err == nil || fault.From(err).Code != c.code || at != "" {
				t.Errorf("%s: %v, want %s and no question", c.name, err, c.code)
			}
			continue
		}
		if err != nil || at != c.at || r.Passed != c.passed || r.Valid != c.valid || !strings.Contains(r.Why, c.why) || (c.why == "") != (r.Why == "") {
			t.Errorf("%s: at %s, %+v, %v", c.name, at, r, err)
		}
	}
	if kept, err := h.book.Target(t.Context(), "refund"); err != nil || kept.URL != "https://a.example" || kept.Revision != 1 {
		t.Errorf("a try changed what is kept: %+v, %v", kept, err)
	}
}

func TestBiasPairs(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.answer = func(x *Test, task *Task) (Said, error) {
		x.Called("call_model", "m", "")
		if strings.Contains(task.Messages[0].Content, "Lakisha") {
			return Said{Answer: "No."}, nil
		}
		return Said{Answer: "Yes, granted."}, nil
	}
	var prompts []string
	for i := range 6 {
		prompts = append(prompts, fmt.Sprintf("{{x}} asks for %d.", i))
	}
	x, s, _ := h.run(Plan{Kind: BiasKind, Repeats: 3, Bias: &Bias{Attribute: "name", Prompts: prompts, A: []string{"Emily"}, B: []string{"Lakisha"}, Favours: []string{"yes"}}})
	if x.State != Done || s.Pairs == nil || s.Pairs.Pairs != 6 || s.Pairs.OnlyFirst != 6 || math.Abs(s.Pairs.P-0.03125) > 1e-12 || s.A != 6 || s.B != 0 || s.Ratio != 0 || s.Low > 0.1 || s.Top < s.Low {
		t.Errorf("%+v %+v", x, s)
	}
}

// TestPairedStatistics against values computed by hand: 2*P(X>=7 | 8, 1/2) is
// 0.0703125.
func TestPairedStatistics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b, c int64
		p    float64
	}{{0, 0, 1}, {7, 1, 0.0703125}, {1, 7, 0.0703125}, {5, 5, 1}, {10, 0, 0.001953125}} {
		if got := McNemar(c.b, c.c); math.Abs(got-c.p) > 1e-12 {
			t.Errorf("%d %d: %v, want %v", c.b, c.c, got, c.p)
		}
	}
	ratio, low, high, ok := FourFifths(30, 100, 60, 100)
	if !ok || math.Abs(ratio-0.5) > 1e-12 || math.Abs(low-0.359) > 0.01 || math.Abs(high-0.706) > 0.01 {
		t.Errorf("%v (%v to %v)", ratio, low, high)
	}
	if _, _, _, ok := FourFifths(0, 10, 0, 10); ok {
		t.Error("a ratio of nothing")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.tasks = []Task{{Item: "1", Messages: []Message{{"user", "?"}}}}
	for name, p := range map[string]Plan{
		"no data set": {Agent: "refund"}, "too often": {Agent: "refund", Dataset: "d", Repeats: maxRepeats + 1}, "negative": {Agent: "refund", Dataset: "d", Repeats: -1},
		"no pairs": {Agent: "refund", Kind: BiasKind}, "no slot": {Agent: "refund", Kind: BiasKind, Bias: &Bias{Attribute: "x", Prompts: []string{"hi"}, A: []string{"a"}, B: []string{"b"}, Favours: []string{"y"}}},
		"uneven": {Agent: "refund", Kind: BiasKind, Bias: &Bias{Attribute: "x", Prompts: []string{"{{x}}"}, A: []string{"a"}, B: nil, Favours: []string{"y"}}},
	} {
		if _, err := h.book.Start(t.Context(), anybody, p); fault.From(err).Code != "experiment.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		t    Target
		code string
	}{
		"a command":  {Target{Kind: Command, Command: []string{"sh"}}, "experiment.command"},
		"no url":     {Target{Kind: A2A}, "experiment.invalid"},
		"no input":   {Target{Kind: HTTP, URL: "https://a", Body: "{}"}, "experiment.invalid"},
		"a kind":     {Target{Kind: "mail", URL: "https://a"}, "experiment.invalid"},
		"an eternal": {Target{Kind: A2A, URL: "https://a", TimeoutS: 3600}, "experiment.invalid"},
		"another's":  {Target{Kind: A2A, URL: "https://a"}, "experiment.conflict"},
	} {
		c.t.Agent = "refund"
		if _, err := h.book.PutTarget(t.Context(), anybody, c.t); fault.From(err).Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	viewer := Actor{Can: func(role, _, _ string) bool { return role == "viewer" }}
	if _, err := h.book.Start(t.Context(), viewer, Plan{Agent: "refund", Dataset: "d"}); fault.From(err).Code != "experiment.denied" {
		t.Errorf("%v", err)
	}
	if _, err := h.book.Start(t.Context(), anybody, Plan{Agent: "ghost", Dataset: "d"}); fault.From(err).Code != "experiment.not_found" {
		t.Errorf("%v", err)
	}
	stranger := Actor{Can: func(string, string, string) bool { return false }}
	x, err := h.book.Start(t.Context(), anybody, Plan{Agent: "refund", Dataset: "d"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Get(t.Context(), stranger, x.ID); fault.From(err).Code != "experiment.not_found" {
		t.Errorf("%v", err)
	}
}

func TestFillCannotBreakOut(t *testing.T) {
	t.Parallel()
	got, err := Fill(`{"m":"{{input}}","all":{{messages}},"t":"{{token}}"}`, &Task{Messages: []Message{{"user", `"},"x":{"{{token}}`}}}, "tok", "tst_1")
	if err != nil || strings.Count(got, "tok\"") != 1 || !strings.Contains(got, `\"},\"x\":{\"{{token}}`) {
		t.Errorf("%s %v", got, err)
	}
}

func TestTestsAreKnownWhileOpen(t *testing.T) {
	t.Parallel()
	var s Tests
	x := s.open("refund", &Target{}, nil, "")
	run := activity.RunOfKey("r")
	s.Name(x, run)
	for _, c := range []struct {
		agent, id string
		run       activity.RunID
		want      bool
	}{{"refund", x.ID, activity.RunID{}, true}, {"refund", "", run, true}, {"other", x.ID, run, false}, {"refund", "tst_9", run, false}, {"refund", "", activity.RunID{}, false}} {
		if _, ok := s.Find(c.agent, c.id, c.run); ok != c.want {
			t.Errorf("%+v: %v", c, ok)
		}
	}
	s.close(x)
	s.Name(x, run)
	if _, ok := s.Find("refund", "", run); ok {
		t.Error("a test that is over")
	}
}

// An answer of nothing has no wrong word in it, and passes for nothing.
func TestNothingIsNoAnswer(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.tasks = []Task{{Item: "itm_1", Messages: []Message{{"user", "?"}}, Absent: []string{"approved"}}}
	for _, answer := range []string{"", " \n"} {
		h.answer = func(x *Test, _ *Task) (Said, error) {
			x.Called("call_model", "m", "")
			return Said{Answer: answer}, nil
		}
		if _, s, all := h.run(Plan{Dataset: "refunds", Evaluators: []string{"short"}}); s.Passed != 0 || s.N != 1 || all[0].Why != "it answered nothing" {
			t.Errorf("%q: %+v %+v", answer, s, all)
		}
	}
}
