package kpi

import (
	"flag"
	"math"
	"os"
	"slices"
	"testing"

	"reeve/internal/fault"
)

// The catalogue says everything of each KPI, and what it lists beside one exists.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, d := range Catalogue() {
		if ids[d.ID] {
			t.Errorf("%s is defined twice", d.ID)
		}
		ids[d.ID] = true
		if d.Owner == "" || d.Source == "" || d.Version < 1 || d.Formula() == "" {
			t.Errorf("%s lacks owner, source, version or formula: %+v", d.ID, d)
		}
		if table, _ := d.Records(); table == "" && d.Missing == "" {
			t.Errorf("%s opens no records", d.ID)
		}
		if d.Missing == "" && d.Ledger == "" && d.Count == nil && d.Method() == "" {
			t.Errorf("%s has no interval", d.ID)
		}
	}
	for _, d := range Catalogue() {
		for _, g := range d.Guards {
			if !ids[g] {
				t.Errorf("%s is guarded by %s, which does not exist", d.ID, g)
			}
		}
	}
	for _, id := range []string{
		"task_completion", "containment_rate", "escalation_rate", "assisted_escalation_rate", "resolution_rate", "cost_per_action", "cost_per_resolved",
		"tokens_per_run", "cache_share", "model_error_rate", "tool_error_rate", "run_latency_p95", "time_to_first_token_p95", "human_minutes_per_run", "override_rate",
		"approval_load", "pass_hat_4", "outcome_spread", "path_entropy", "policy_denial_rate", "compliant_completion", "frustration_rate", "csat", "value_net", "harm_cost",
	} {
		if !ids[id] {
			t.Errorf("%s is missing", id)
		}
	}
	c := Catalogue()[slices.IndexFunc(Catalogue(), func(d *Definition) bool { return d.ID == "containment_rate" })]
	for _, g := range []string{"repeat_contact_rate", "abandonment_rate", "csat"} {
		if !slices.Contains(c.Guards, g) {
			t.Errorf("containment can be read without %s", g)
		}
	}
}

func TestBadDefinitions(t *testing.T) {
	t.Parallel()
	good := func() Definition {
		return Definition{ID: "x", Title: "X", About: "X.", Unit: "share", Direction: "up", Owner: "o", Share: &Share{Table: "runs", Of: "outcome:failed", Among: "status:done"}}
	}
	if d := good(); d.Compile() != nil {
		t.Fatal("a good definition is refused")
	}
	for name, change := range map[string]func(*Definition){
		"id":        func(d *Definition) { d.ID = "X y" },
		"no shape":  func(d *Definition) { d.Share = nil },
		"two":       func(d *Definition) { d.Count = &Count{Table: "runs"} },
		"table":     func(d *Definition) { d.Share.Table = "secrets" },
		"field":     func(d *Definition) { d.Share.Of = "nosuch:1" },
		"phrase":    func(d *Definition) { d.Share.Of = `"what was said"` },
		"unit":      func(d *Definition) { d.Unit = "furlongs" },
		"direction": func(d *Definition) { d.Direction = "sideways" },
		"share":     func(d *Definition) { d.Unit = "usd" },
		"quantile": func(d *Definition) {
			d.Share, d.Unit, d.Quantile = nil, "ms", &Quantile{Table: "runs", Field: "duration_ms", At: 1.5}
		},
		"ratio": func(d *Definition) { d.Share, d.Unit, d.Ratio = nil, "usd", &Ratio{Table: "runs", Field: "cost"} },
		"pass":  func(d *Definition) { d.Share, d.Repeat = nil, &Repeat{What: "pass"} },
	} {
		d := good()
		change(&d)
		if err := d.Compile(); err == nil || fault.From(err).Kind != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	a := &Assumptions{
		Source: "finance", Hour: Assumption{60, 50, 80},
		Tasks: map[string]Worth{"refund": {Minutes: Assumption{6, 4, 9}, Money: Assumption{1, 0, 2}}},
		Harm:  map[string]Assumption{"failed": {10, 5, 40}},
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	l := Compute([]Group{
		{Task: "refund", Outcome: "verified_resolved", Runs: 10, Cost: 3, Waiting: 30, Priced: 10},
		{Task: "refund", Outcome: "failed", Runs: 2, Cost: 1, Priced: 1},
		{Task: "other", Outcome: "verified_resolved", Runs: 5}, // nobody said what it is worth
	}, a)
	// 10 * (6 min at 60 an hour + 1) = 70; models 4; people 30 min = 30; harm 20.
	if l.Value != 70 || l.Cost != 4 || l.People != 30 || l.Harm != 20 || l.Net != 16 || l.Valued != 10 || l.Runs != 17 {
		t.Errorf("%+v", l)
	}
	if s := l.Sensitivity[0]; s.Name != "harm.failed" || s.Low.Net != 26 || s.High.Net != -44 {
		t.Errorf("the largest swing is %+v", s)
	}
	// The worst of all at once: money 0, 4 min, harm 40; an hour costs more than it saves then.
	if l.Low >= l.Net || l.High <= l.Net || math.Abs(l.Low-(10*4.0/60*80-4-40-80)) > 50 {
		t.Errorf("net %v from %v to %v", l.Net, l.Low, l.High)
	}
	for _, bad := range []*Assumptions{
		{},
		{Source: "x", Tasks: map[string]Worth{"": {}}, Hour: Assumption{1, 2, 3}},
		{Source: "x", Tasks: map[string]Worth{"": {}}, Harm: map[string]Assumption{"resolved": {}}},
		{Source: "x", Tasks: map[string]Worth{"": {}}, Hour: Assumption{math.NaN(), 0, 1}},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

var update = flag.Bool("update", false, "rewrite docs/kpis.md")

// The page of KPIs is what the catalogue says.
func TestPage(t *testing.T) {
	t.Parallel()
	const file = "../../docs/kpis.md"
	want := Page()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s differs from the catalogue (%v): run go test ./internal/kpi -run TestPage -update", file, err)
	}
}
