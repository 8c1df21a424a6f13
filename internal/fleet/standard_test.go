package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/agent"
	"reeve/internal/fault"
)

func (h *house) rulesOf(name string) (out []string) {
	h.t.Helper()
	a, ok := h.agents.Lookup(name)
	if !ok {
		h.t.Fatalf("no agent %s", name)
	}
	for _, b := range h.Breaks(a) {
		mark := ""
		if !b.WaivedTill.IsZero() {
			mark = " waived"
		}
		out = append(out, b.Rule+mark)
	}
	return out
}

func TestDefaultStandard(t *testing.T) {
	t.Parallel()
	h := open(t)
	ptr := func(s string) *string { return &s }
	everything := as("developer", "security")
	_, err := h.agents.Create(t.Context(), dev, agent.Agent{Name: "a", Team: "core", Purpose: "gives money back", DataClasses: []string{"production"}}, "")
	h.want("a pilot with production data", err, "standard.refused")
	_, err = h.agents.Create(t.Context(), everything, agent.Agent{Name: "a", Team: "core", Purpose: "gives money back", Autonomy: agent.Autonomous}, "")
	h.want("an autonomous pilot", err, "standard.refused")
	if _, ok := h.agents.Lookup("a"); ok {
		t.Fatal("what was refused is there")
	}
	a := h.register("refund", nil) // purpose "tests": flagged, not refused
	if got := h.rulesOf("refund"); !slices.Equal(got, []string{"purpose"}) {
		t.Errorf("a pilot breaks %q", got)
	}
	_, err = h.agents.Promote(t.Context(), everything, "refund", agent.Production, "ready")
	h.want("production without a sponsor", err, "standard.refused")
	if !strings.Contains(err.Error(), "sponsor") {
		t.Errorf("says %v", err)
	}
	if _, err = h.agents.Update(t.Context(), dev, "refund", agent.Change{Sponsor: ptr("bob"), Purpose: ptr("gives money back")}); err != nil {
		t.Fatal(err)
	}
	if _, err = h.agents.Promote(t.Context(), everything, "refund", agent.Production, "ready"); err != nil {
		t.Fatal(err)
	}
	if got := h.rulesOf("refund"); !slices.Equal(got, []string{"seen"}) {
		t.Errorf("in production it breaks %q", got)
	}
	_, err = h.agents.Update(t.Context(), dev, "refund", agent.Change{Sponsor: ptr("")})
	h.want("taking the sponsor away", err, "standard.refused")
	// A key that lives longer than the standard wants is flagged.
	if _, _, err := h.agents.CreateKey(t.Context(), dev, "refund", agent.NewKey{Label: "ci", Life: 60 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if got := h.rulesOf("refund"); !slices.Equal(got, []string{"key-life", "seen"}) {
		t.Errorf("with a long key it breaks %q", got)
	}
	// An adopted agent is only ever flagged.
	if _, err := h.agents.Create(t.Context(), dev, agent.Agent{Name: "found", Team: "core", Purpose: "x", Origin: agent.OriginAdopted, DataClasses: []string{"production"}}, ""); err != nil {
		t.Error(err)
	}
	if got := h.rulesOf("found"); !slices.Equal(got, []string{"purpose", "pilot-data"}) {
		t.Errorf("an adopted agent breaks %q", got)
	}
	c := h.Conformance(func(*agent.Agent) bool { return true })
	if len(c) != 1 || c[0].Agents != 2 || c[0].Conforming != 0 || c[0].Rules["purpose"] != 1 {
		t.Errorf("conformance %+v", c)
	}
	_ = a
}

func TestWaiver(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("refund", func(a *agent.Agent) { a.Purpose = "gives money back" })
	a, _ := h.agents.Lookup("refund")
	sec := as("security")
	till := h.clock().Add(10 * 24 * time.Hour)
	for name, c := range map[string]struct {
		who    agent.Actor
		rule   string
		till   time.Time
		reason string
		want   string
	}{
		"a developer":  {dev, "sponsor", till, "r", "fleet.denied"},
		"no such rule": {sec, "colour", till, "r", "standard.no_rule"},
		"in the past":  {sec, "sponsor", h.clock(), "r", "standard.waiver"},
		"for ever":     {sec, "sponsor", h.clock().Add(MaxWaiver + time.Hour), "r", "standard.waiver"},
		"no reason":    {sec, "sponsor", till, " ", "fleet.reason"},
	} {
		_, err := h.Waive(t.Context(), c.who, a, c.rule, c.till, c.reason)
		h.want(name, err, c.want)
	}
	if _, err := h.Waive(t.Context(), sec, a, "sponsor", till, "hired in spring"); err != nil {
		t.Fatal(err)
	}
	h.restart()
	if _, err := h.agents.Promote(t.Context(), as("security"), "refund", agent.Production, "ready"); err != nil {
		t.Errorf("with a waiver: %v", err)
	}
	if got := h.rulesOf("refund"); !slices.Equal(got, []string{"sponsor waived", "seen"}) {
		t.Errorf("breaks %q", got)
	}
	if err := h.judge(t.Context()); err != nil { // the first look
		t.Fatal(err)
	}
	h.pass(11 * 24 * time.Hour)
	if got := h.rulesOf("refund"); !slices.Equal(got, []string{"sponsor", "seen"}) || len(h.Waivers()) != 0 {
		t.Errorf("after its end %q, %v", got, h.Waivers())
	}
	if err := h.judge(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := h.db.Events(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; last.Type != "agent.standard" || string(last.Data) != `{"agent":"refund","breaks":["sponsor","seen"]}` {
		t.Errorf("the end of the waiver was told as %s %s", last.Type, last.Data)
	}
	h.want("ending it twice", h.Unwaive(t.Context(), sec, &agent.Agent{Name: "other"}, "sponsor", ""), "standard.no_waiver")
	if err := h.Unwaive(t.Context(), sec, a, "sponsor", "done"); err != nil {
		t.Error(err)
	}
}

func TestReadStandard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no version":       {"rules: []", "no version"},
		"an unknown key":   {"version: '1'\nrulez: []", "[2:1]"},
		"an unknown need":  {"version: '1'\nrules:\n- id: a\n  text: x\n  require: {colour: red}", "[5:13]"},
		"no id":            {"version: '1'\nrules:\n- text: x\n  require: {owner: true}", `the id ""`},
		"twice":            {"version: '1'\nrules:\n- {id: a, text: x, require: {owner: true}}\n- {id: a, text: x, require: {owner: true}}", "each is there once"},
		"no text":          {"version: '1'\nrules:\n- {id: a, require: {owner: true}}", "has no text"},
		"asks for nothing": {"version: '1'\nrules:\n- {id: a, text: x}", "asks for nothing"},
		"odd autonomy":     {"version: '1'\nrules:\n- {id: a, text: x, require: {autonomy: free}}", "autonomy is \"free\""},
		"odd lifecycle":    {"version: '1'\nrules:\n- {id: a, text: x, when: {lifecycle: [prod]}, require: {owner: true}}", "lifecycle is \"prod\""},
		"odd expression":   {"version: '1'\nrules:\n- {id: a, text: x, require: {team: '('}}", "no regular expression"},
		"negative":         {"version: '1'\nrules:\n- {id: a, text: x, require: {seen: -1h}}", "less than nothing"},
		"not YAML":         {"version: [", "["},
	} {
		s, err := ReadStandard([]byte(c.text))
		if err == nil {
			t.Errorf("%s: read as %+v", name, s)
			continue
		}
		f := fault.From(err)
		if f.Code != "standard.invalid" || !strings.Contains(f.Message+f.Hint, c.want) {
			t.Errorf("%s: %s, %q, %q", name, f.Code, f.Message, f.Hint)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	good := agent.Agent{Name: "a", Team: "core", Owner: "ann", Sponsor: "bob", Purpose: "gives money back", Autonomy: agent.Bounded, Enforcement: agent.Enforce, DataClasses: []string{"pii"}, Labels: map[string]string{"tier": "1"}}
	fine := facts{now: now, keyLife: time.Hour, seen: now.Add(-time.Hour), approved: true}
	for require, c := range map[string]struct {
		bad  func(*agent.Agent, *facts)
		want string
	}{
		"owner: true":            {func(a *agent.Agent, _ *facts) { a.Owner = "" }, "it has no owner"},
		"sponsor: true":          {func(a *agent.Agent, _ *facts) { a.Sponsor = "" }, "it has no sponsor"},
		"purpose: 5":             {func(a *agent.Agent, _ *facts) { a.Purpose = "x" }, "its purpose is shorter than 5 letters"},
		"classes: [pii]":         {func(a *agent.Agent, _ *facts) { a.DataClasses = []string{"pii", "payment"} }, "it has the data classes payment"},
		"classes_not: [payment]": {func(a *agent.Agent, _ *facts) { a.DataClasses = []string{"pii", "payment"} }, "it has the data classes payment"},
		"autonomy: bounded":      {func(a *agent.Agent, _ *facts) { a.Autonomy = agent.Autonomous }, "its autonomy is autonomous"},
		"enforced: true":         {func(a *agent.Agent, _ *facts) { a.Enforcement = agent.Observe }, "it is in observe"},
		"team: '^c'":             {func(a *agent.Agent, _ *facts) { a.Team = "shop" }, "its team is shop"},
		"labels: [tier]":         {func(a *agent.Agent, _ *facts) { a.Labels = nil }, "it has no label tier"},
		"key_life: 24h":          {func(_ *agent.Agent, f *facts) { f.keyLife = 50 * 24 * time.Hour }, "one of its keys lives 50 days"},
		"no_keys: true":          {func(_ *agent.Agent, f *facts) { f.keyLife = time.Hour }, "it has a key that is not short-lived"},
		"seen: 24h":              {func(_ *agent.Agent, f *facts) { f.seen = now.Add(-25 * time.Hour) }, "it was last seen 25h0m0s ago"},
		"seen: 25h":              {func(_ *agent.Agent, f *facts) { f.seen = time.Time{} }, "it was never seen at work"},
		"version_approved: true": {func(_ *agent.Agent, f *facts) { f.approved = false }, "nobody approved the version that runs"},
	} {
		s, err := ReadStandard([]byte("version: '1'\nrules:\n- {id: a, text: x, require: {" + require + "}}"))
		if err != nil {
			t.Errorf("%s: %v", require, err)
			continue
		}
		a, f := good, fine
		if require == "no_keys: true" {
			f.keyLife = 0
		}
		if why := s.Rules[0].breaks(&a, f); why != "" {
			t.Errorf("%s: a good agent: %s", require, why)
		}
		c.bad(&a, &f)
		if why := s.Rules[0].breaks(&a, f); why != c.want {
			t.Errorf("%s: %q, want %q", require, why, c.want)
		}
	}
}

// A rule that refuses keys refuses them when they are made.
func TestStandardRefusesKeys(t *testing.T) {
	t.Parallel()
	h := open(t)
	rules, err := ReadStandard([]byte("version: '2'\nrules:\n- {id: short, text: keys are short-lived, refuse: true, require: {key_life: 24h}}\n- {id: sponsor, text: x, refuse: true, when: {team: [core]}, require: {owner: true}}"))
	if err != nil {
		t.Fatal(err)
	}
	h.standard.Store(rules)
	h.register("refund", nil)
	_, _, err = h.agents.CreateKey(t.Context(), dev, "refund", agent.NewKey{Label: "ci", Life: 48 * time.Hour})
	h.want("a long key", err, "standard.refused")
	if _, _, err := h.agents.CreateKey(t.Context(), dev, "refund", agent.NewKey{Label: "ci", Life: 24 * time.Hour}); err != nil {
		t.Error(err)
	}
}

func BenchmarkConformance(b *testing.B) {
	f := bench(b)
	who := agent.Actor{Name: "ann", Can: func(string, string, string) bool { return true }}
	for i := range 10_000 {
		// Straight into memory: what is measured is the reading.
		f.match.change(nil, &agent.Agent{Name: fmt.Sprint("a", i), Team: "core", Revision: 1})
	}
	_ = who
	a := &agent.Agent{Name: "a", Team: "core", Owner: "x", Purpose: "gives money back", Lifecycle: agent.Production, Environment: "production", Autonomy: agent.Bounded, Enforcement: agent.Enforce}
	judge := f.Judge()
	for b.Loop() {
		judge(a)
	}
}
