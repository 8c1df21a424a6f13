package experiment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// biased answers yes to whoever is not named Lakisha.
func (h *house) biased() {
	h.answer = func(x *Test, task *Task) (Said, error) {
		x.Called("call_model", "m", "")
		if strings.Contains(task.Messages[0].Content, "Lakisha") {
			return Said{Answer: "No."}, nil
		}
		return Said{Answer: "Yes, granted."}, nil
	}
}

func pairs(n int) Bias {
	b := Bias{Attribute: "name", A: []string{"Emily"}, B: []string{"Lakisha"}, Favours: []string{"yes"}}
	for i := range n {
		b.Prompts = append(b.Prompts, fmt.Sprintf("{{x}} asks for %d.", i))
	}
	return b
}

// A plan runs at its times and once for each version, tells what it came to, and is
// quiet once the word makes no difference.
func TestBiasPlans(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.biased()
	h.now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	p, err := h.book.PutPlan(t.Context(), anybody, BiasPlan{Name: "names", Agent: "refund", Bias: pairs(12), Every: 24 * time.Hour, OnVersion: true})
	if err != nil {
		t.Fatal(err)
	}
	look := func() int { // how many experiments a look starts
		h.book.Look(t.Context())
		n := 0
		for x := h.book.next(); x != nil; x = h.book.next() {
			h.book.One(t.Context(), x)
			n++
		}
		return n
	}
	for i, c := range []struct {
		what    string
		after   time.Duration
		version string
		want    int
	}{
		{"at once", 0, "v1", 1},
		{"the same version again", time.Minute, "v1", 0},
		{"a new version", time.Minute, "v2", 1},
		{"a day later", 24 * time.Hour, "v2", 1},
		{"no version is known", time.Minute, "", 0},
		{"the old one beside it", time.Minute, "v1", 0},
		{"and the new one again", time.Minute, "v2", 0},
	} {
		h.now, h.version = h.now.Add(c.after), c.version
		if got := look(); got != c.want {
			t.Fatalf("%d, %s: %d started, want %d", i, c.what, got, c.want)
		}
	}
	if len(h.told) != 3 || !h.told[0].Adverse || !strings.Contains(h.told[0].Text, "in 12 pairs only a was favoured") || h.told[1].Experiment.AgentVersion != "v2" {
		t.Fatalf("%+v", h.told)
	}
	if p, err = h.book.Plan(t.Context(), anybody, "names"); err != nil || !p.Adverse || p.LastVersion != "v2" || p.Last == "" {
		t.Errorf("%+v, %v", p, err)
	}
	h.answer = func(x *Test, _ *Task) (Said, error) {
		x.Called("call_model", "m", "")
		return Said{Answer: "Yes."}, nil
	}
	developer := Actor{Name: "dev", Can: func(role, _, _ string) bool { return role == "developer" || role == "viewer" }}
	if err := h.book.DropPlan(t.Context(), developer, "names"); fault.From(err).Code != "experiment.denied" {
		t.Errorf("a developer ends the alert: %v", err)
	}
	for name, change := range map[string]func(*BiasPlan){
		"other pairs": func(p *BiasPlan) { p.Bias = pairs(20) }, "a pause": func(p *BiasPlan) { p.Paused = true },
	} {
		q := p
		change(&q)
		if _, err := h.book.PutPlan(t.Context(), developer, q); fault.From(err).Code != "experiment.denied" {
			t.Errorf("%s, by a developer, while it fires: %v", name, err)
		}
	}
	for i, adverse := range []bool{true, false, false} { // one result without ends nothing
		h.now, h.version = h.now.Add(24*time.Hour), "v2"
		if look() != 1 || h.told[3+i].Adverse != adverse {
			t.Errorf("%d, the same for both: %+v", i, h.told[3+i])
		}
	}
	h.biased()
	h.now = h.now.Add(24 * time.Hour)
	if look() != 1 || !h.told[6].Adverse {
		t.Errorf("it is not found again: %+v", h.told[6])
	}
	if p, err = h.book.Plan(t.Context(), anybody, "names"); err != nil {
		t.Fatal(err)
	}
	was := p
	p.Paused, p.Adverse, p.Last, p.Looks = true, !p.Adverse, "", 0
	if p, err = h.book.PutPlan(t.Context(), anybody, p); err != nil {
		t.Fatal(err)
	}
	if p.Adverse != was.Adverse || p.Last != was.Last || p.Looks != was.Looks || p.Looks != 7 || len(p.Windows) != 2 {
		t.Errorf("a change of the plan forgot what it came to: %+v", p)
	}
	if h.now = h.now.Add(48 * time.Hour); look() != 0 {
		t.Error("a paused plan started")
	}
	if err := h.book.DropPlan(t.Context(), anybody, "names"); err != nil {
		t.Fatal(err)
	}
	if all, err := h.book.Plans(t.Context(), anybody, ""); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	good := BiasPlan{Name: "names", Agent: "refund", Bias: pairs(20), Every: time.Hour}
	for name, change := range map[string]func(*BiasPlan){
		"a name": func(p *BiasPlan) { p.Name = "Names!" }, "no time": func(p *BiasPlan) { p.Every = 0 }, "too often": func(p *BiasPlan) { p.Every = time.Minute },
		"never": func(p *BiasPlan) { p.Every = 1000 * 24 * time.Hour }, "no pairs": func(p *BiasPlan) { p.Bias.Prompts = nil }, "no words": func(p *BiasPlan) { p.Bias.Favours = nil },
		"too few to find anything": func(p *BiasPlan) { p.Bias = pairs(14) },
	} {
		p := good
		change(&p)
		if _, err := h.book.PutPlan(t.Context(), anybody, p); fault.From(err).Code != "experiment.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.book.PutPlan(t.Context(), Actor{Can: func(role, _, _ string) bool { return role == "viewer" }}, good); fault.From(err).Code != "experiment.denied" {
		t.Errorf("a viewer: %v", err)
	}
	if _, err := h.book.PutPlan(t.Context(), anybody, good); err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.PutPlan(t.Context(), anybody, good); fault.From(err).Code != "experiment.conflict" {
		t.Errorf("without a revision: %v", err)
	}
	good.Agent, good.Name = "returns", "others"
	if _, err := h.book.PutPlan(t.Context(), anybody, good); fault.From(err).Code != "experiment.not_possible" {
		t.Errorf("of an agent that cannot be invoked: %v", err)
	}
	stranger := Actor{Can: func(string, string, string) bool { return false }}
	if err := h.book.DropPlan(t.Context(), stranger, "names"); fault.From(err).Code != "experiment.not_found" {
		t.Errorf("a stranger: %v", err)
	}
}

// Whether a result is adverse goes by the paired test or by the whole interval; few
// pairs prove nothing.
func TestAdverse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b, n, first, second int64
		want                   bool
	}{
		"nothing":              {0, 0, 0, 0, 0, false},
		"three of three":       {3, 0, 3, 3, 0, false},
		"ten of ten":           {10, 0, 10, 10, 0, true},
		"even":                 {20, 20, 40, 5, 5, false},
		"a little, of many":    {400, 390, 400, 10, 0, true},
		"half as often, of 40": {40, 20, 40, 20, 0, true},
	} {
		s := Summary{A: c.a, NA: c.n, B: c.b, NB: c.n}
		p := paired(c.n, c.first, c.second)
		s.Pairs = &p
		s.Ratio, s.Low, s.Top, _ = FourFifths(c.a, c.n, c.b, c.n)
		if got, text := s.Adverse(0.01); got != c.want {
			t.Errorf("%s: %v: %s", name, got, text)
		}
	}
}

// A plan says adverse of a fair version of an agent within 30 days in 5 % of cases at
// most, however often it looks: 1,000 plans of 20 pairs, an answer either way by chance.
// And it finds a difference as well at its last look as at its first.
func TestFairAgentsAreSeldomBlamed(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	for _, p := range []BiasPlan{{Every: 24 * time.Hour, OnVersion: true}, {Every: 7 * 24 * time.Hour}, {OnVersion: true}, {Every: time.Hour}} {
		blamed := func(a, b int) (n int, last bool) { // of 8 pairs a favours the first alone, b the second
			for range 1000 {
				q, now := p, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
				found := false
				for range p.looks() + 3 { // a plan that is changed looks once more
					var first, second int64
					for range 20 {
						switch r := random.IntN(8); {
						case r < a:
							first++
						case r < a+b:
							second++
						}
					}
					last = McNemar(first, second) < q.spend("v1", now)
					found = found || last
				}
				if found {
					n++
				}
				if q.spend("v1", now) != 0 || q.spend("v2", now) == 0 || q.spend("v1", now.Add(lookWindow)) == 0 {
					t.Fatal("the window's looks are not counted")
				}
			}
			return n, last
		}
		wrong, _ := blamed(2, 2)
		if wrong > 50 {
			t.Errorf("%d of 1,000 fair agents are called adverse", wrong)
		}
		right, _ := blamed(7, 0)
		if right < 990 {
			t.Errorf("of 1,000 unfair agents %d are found", right)
		}
		t.Logf("every %s: %d fair of 1,000 are blamed, %d unfair are found; %d pairs have to differ, at p under %.2g", p.Every, wrong, right, p.Needs(), p.Alpha())
	}
}

// An alert does not end by looking again, nor by answers that are missing.
func TestAnAlertStays(t *testing.T) {
	t.Parallel()
	p := BiasPlan{Every: 7 * 24 * time.Hour, Bias: pairs(12)}
	result := func(pairs, first, second int64) *Summary {
		x := paired(pairs, first, second)
		return &Summary{Pairs: &x}
	}
	for i, c := range []struct {
		s    *Summary
		want bool
	}{
		{result(12, 4, 0), false}, // p .125: nothing yet
		{result(12, 12, 0), true}, // p .0005
		{result(12, 7, 0), true},  // p .016: not enough to begin one, and no end
		{result(12, 3, 2), true},  // one that says nothing
		{result(12, 9, 1), true},  // p .02, and the count begins anew
		{result(12, 1, 1), true},  //
		{result(2, 0, 0), true},   // hardly an answer: no result
		{&Summary{}, true},        //
		{result(12, 0, 0), true},  //
		{result(12, 1, 2), false}, // two in a row
		{result(12, 0, 12), true}, // the other way
	} {
		adverse, _ := c.s.Adverse(p.Alpha())
		p.settle(c.s, adverse)
		if p.Adverse != c.want {
			t.Fatalf("%d: %+v: %v", i, c.s.Pairs, p.Adverse)
		}
	}
}

// Changes of a plan, and the looks that would end an alert, take nothing of what its
// schedule may be wrong by: it is not made blind.
func TestAPlanIsNotBlinded(t *testing.T) {
	t.Parallel()
	h := open(t)
	fair := func(x *Test, _ *Task) (Said, error) {
		x.Called("call_model", "m", "")
		return Said{Answer: "Yes."}, nil
	}
	h.answer = fair
	h.now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	p, err := h.book.PutPlan(t.Context(), anybody, BiasPlan{Name: "names", Agent: "refund", Bias: pairs(12), Every: 7 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	look := func() (n int) {
		h.book.Look(t.Context())
		for x := h.book.next(); x != nil; x = h.book.next() {
			h.book.One(t.Context(), x)
			n++
		}
		return n
	}
	if look() != 1 {
		t.Fatal("it did not run at once")
	}
	for range 8 {
		h.now = h.now.Add(time.Hour)
		if p, err = h.book.Plan(t.Context(), anybody, "names"); err != nil {
			t.Fatal(err)
		}
		p.Repeats = 3 - p.Repeats
		if _, err := h.book.PutPlan(t.Context(), anybody, p); err != nil {
			t.Fatal(err)
		}
		if look() != 0 {
			t.Fatal("a change is a look")
		}
	}
	h.biased()
	for week := range 3 {
		h.now = h.now.Add(7 * 24 * time.Hour)
		h.biased()
		if look() != 1 || !h.told[len(h.told)-1].Adverse {
			t.Fatalf("week %d: the plan is blind: %+v", week, h.told[len(h.told)-1])
		}
		h.answer = fair
		h.now = h.now.Add(6*24*time.Hour + 23*time.Hour)
		if week == 2 {
			break
		}
	}
	// Weekly again, with the looks of the schedule alone: the alert is over after one of it
	// and one an hour later, which took nothing.
	h.now = h.now.Add(time.Hour)
	if look() != 1 {
		t.Fatal("no weekly look")
	}
	h.now = h.now.Add(time.Hour)
	if look() != 1 || h.told[len(h.told)-1].Adverse || !strings.Contains(h.told[len(h.told)-1].Text, "beside the plan's schedule") {
		t.Fatalf("%+v", h.told[len(h.told)-1])
	}
	if p, err = h.book.Plan(t.Context(), anybody, "names"); err != nil || p.Adverse || p.Windows[len(p.Windows)-1].Looks > p.looks() {
		t.Errorf("%+v, %v", p, err)
	}
	// An experiment that came to no result is told, and is no result.
	h.answer = func(*Test, *Task) (Said, error) { return Said{Answer: "Yes."}, nil } // past the door
	h.now = h.now.Add(8 * 24 * time.Hour)
	was := p.Looks
	if look() != 1 {
		t.Fatal("no look")
	}
	if p, err = h.book.Plan(t.Context(), anybody, "names"); err != nil || p.Looks != was || !strings.Contains(p.Trouble, "its last experiment is failed: a test did not come through the door") {
		t.Errorf("%+v, %v", p, err)
	}
	// One of before that asked for enough pairs says that it sees nothing, and its alert ends.
	old := BiasPlan{Every: 7 * 24 * time.Hour, Bias: pairs(4), Adverse: true}
	even := paired(4, 0, 0)
	for range fineInARow {
		old.settle(&Summary{Pairs: &even}, false)
	}
	if old.Adverse {
		t.Error("the alert of a plan with few pairs does not end")
	}
}

// One team's experiments do not hold another's, nor fill the queue.
func TestTeamsTakeTurns(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.book.PutTarget(t.Context(), anybody, Target{Agent: "returns", Kind: A2A, URL: "https://b.example"}); err != nil {
		t.Fatal(err)
	}
	start := func(agent string) error {
		b := pairs(1)
		_, err := h.book.Start(t.Context(), anybody, Plan{Agent: agent, Kind: BiasKind, Bias: &b})
		return err
	}
	for range maxOfTeam {
		if err := start("refund"); err != nil {
			t.Fatal(err)
		}
	}
	if err := start("refund"); fault.From(err).Code != "experiment.too_many" {
		t.Errorf("one team fills the queue: %v", err)
	}
	if err := start("returns"); err != nil {
		t.Fatal(err)
	}
	var order []string
	for range 3 {
		order = append(order, h.book.next().Agent)
	}
	if !slices.Equal(order, []string{"refund", "returns", "refund"}) {
		t.Errorf("%v", order)
	}
}

// What was said goes, by age and by whose it was; figures stay.
func TestAnswersAreForgotten(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.tasks = []Task{{Item: "itm_1", Messages: []Message{{"user", "?"}}, Contains: []string{"14"}}, {Item: "itm_2", Messages: []Message{{"user", "?"}}, Contains: []string{"receipt"}}}
	x, s, all := h.run(Plan{Dataset: "refunds"})
	if s.Passed != 1 || s.N != 2 || s.FailedItem != "itm_2" || all[0].Answer == "" {
		t.Fatalf("%+v %+v", s, all)
	}
	if n, err := h.book.Forget(t.Context(), []string{"itm_1", "itm_9"}); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	see := func() (Summary, []Result) {
		s, err := h.book.Sum(t.Context(), &x)
		all, err2 := h.book.Results(t.Context(), x.ID)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return s, all
	}
	if s, all = see(); all[0].Answer != "" || !all[0].Forgotten || all[1].Answer == "" || s.Passed != 1 || s.N != 2 {
		t.Errorf("%+v %+v", s, all)
	}
	h.now = time.Now().Add(answersKept + time.Hour)
	h.book.Look(t.Context())
	if s, all = see(); all[1].Answer != "" || all[1].Why != "" || s.Passed != 1 || s.N != 2 {
		t.Errorf("after %s: %+v %+v", answersKept, s, all)
	}
	h.now = time.Now().Add(experimentsKept + time.Hour)
	h.book.Look(t.Context())
	if _, err := h.book.Get(t.Context(), anybody, x.ID); fault.From(err).Code != "experiment.not_found" {
		t.Errorf("after %s: %v", experimentsKept, err)
	}
}

// The first data set of a gate is a developer's to name; a weaker one security's.
func TestGateSets(t *testing.T) {
	t.Parallel()
	h := open(t)
	as := func(role string) Actor {
		return Actor{Name: role, Can: func(r, _, _ string) bool { return r == role || r == "viewer" }}
	}
	for i, c := range []struct {
		who   string
		set   GateSet
		wants string
	}{
		{"viewer", GateSet{Dataset: "a"}, "experiment.denied"},
		{"developer", GateSet{Dataset: ""}, "experiment.invalid"},
		{"developer", GateSet{Dataset: "a", Least: maxLeast + 1}, "experiment.invalid"},
		{"developer", GateSet{Dataset: "a", Least: 10}, ""},
		{"developer", GateSet{Dataset: "a", Least: 20}, ""},
		{"developer", GateSet{Dataset: "a", Least: 1}, "experiment.denied"},
		{"developer", GateSet{Dataset: "b", Least: 20}, "experiment.denied"},
		{"security", GateSet{Dataset: "b"}, ""},
	} {
		c.set.Agent = "refund"
		if _, err := h.book.PutGateSet(t.Context(), as(c.who), c.set, Approved{Version: 3, Cases: 5}); err == nil && c.wants != "" || err != nil && fault.From(err).Code != c.wants {
			t.Errorf("%d: %v", i, err)
		}
	}
	got, ok, err := h.book.GateSet(t.Context(), "refund")
	if err != nil || !ok || got.Dataset != "b" || got.Least != usualLeast || got.Person != "security" || got.Version != 3 || got.By != "security" {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	// A developer who asks for more changes nothing of what was seen, and approves nothing.
	if got, err = h.book.PutGateSet(t.Context(), as("developer"), GateSet{Agent: "refund", Dataset: "b", Least: 7}, Approved{Version: 9, Cases: 9}); err != nil || got.Version != 3 || got.Cases != 5 || got.By != "security" {
		t.Errorf("%+v %v", got, err)
	}
	for _, c := range []struct {
		who, dataset string
		seen         Approved
		wants        string
	}{
		{"developer", "b", Approved{Version: 4, Cases: 2}, "experiment.denied"},
		{"security", "a", Approved{Version: 4, Cases: 2}, "experiment.conflict"},
		{"security", "b", Approved{}, "experiment.invalid"},
		{"security", "b", Approved{Version: 4, Cases: 2}, ""},
	} {
		if err := h.book.ApproveGate(t.Context(), as(c.who), "refund", c.dataset, c.seen); err == nil && c.wants != "" || err != nil && fault.From(err).Code != c.wants {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if got, _, err = h.book.GateSet(t.Context(), "refund"); err != nil || got.Version != 4 || got.Cases != 2 || got.Least != 7 {
		t.Errorf("%+v %v", got, err)
	}
	// Nor does security that looked at nothing; of another data set nobody has seen any.
	if got, err = h.book.PutGateSet(t.Context(), as("security"), GateSet{Agent: "refund", Dataset: "b", Least: 9}, Approved{}); err != nil || got.Version != 4 || got.Least != 9 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err = h.book.PutGateSet(t.Context(), as("security"), GateSet{Agent: "refund", Dataset: "c"}, Approved{}); err != nil || got.Version != 0 || got.By != "" {
		t.Errorf("%+v %v", got, err)
	}
	var id string
	err = h.book.o.DB.Write(t.Context(), func(tx *control.Tx) (err error) {
		id, err = h.book.KeepGate(t.Context(), tx, anybody, "refund", GateRefused, "why", map[string]int{"n": 1})
		return err
	})
	if all, err2 := h.book.Gates(t.Context(), "refund", 10); err != nil || err2 != nil || len(all) != 1 || all[0].ID != id || string(all[0].Body) != `{"n":1}` {
		t.Errorf("%+v %v %v", all, err, err2)
	}
}
