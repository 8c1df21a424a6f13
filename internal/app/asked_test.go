package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
)

// sendSix sends six runs of three agents, half of them two days ago.
func sendSix(t *testing.T, a *App) {
	t.Helper()
	for n := range 6 {
		at := time.Now().Add(-time.Duration(n%2) * 48 * time.Hour)
		if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", aRun(fmt.Sprint("agent-", n%3), "v1", "ann", "gpt-4o", n, at.Add(-time.Minute))); r.status != http.StatusOK {
			t.Fatal(r)
		}
	}
}

// What a search finds is tried as a rule on what is stored, kept, and told when it
// holds.
func TestASearchSavedAsARule(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	c := client.New("http://"+a.Address("listen"), "")
	sendSix(t, a)
	q := &client.RuleQuery{Table: "runs", Func: "count", Where: "model:gpt-4o-2024-08-06", By: "agent"}
	try := client.TryRuleRequest{When: "value >= 1.0", Query: q, Window: "1h"}
	eventually(t, "the runs to be found", func() bool {
		got, err := c.TryRule(ctx, try)
		if err != nil {
			t.Fatal(err)
		}
		return got.Runs == 6 && got.Fired == 6 && len(got.Agents) == 3 && len(got.Days) >= 2 && got.Whole
	})
	try.When = "value >= 2.0"
	if got, err := c.TryRule(ctx, try); err != nil || got.Fired != 0 {
		t.Errorf("none would have held: %+v, %v", got, err)
	}
	try.Query = &client.RuleQuery{Table: "runs", Func: "p95"}
	if _, err := c.TryRule(ctx, try); apiCode(err) != "rule.invalid" {
		t.Errorf("no field: %v", err)
	}
	if _, err := c.PutRule(ctx, client.PutRuleRequest{Name: "gpt-4o-is-used", When: "value >= 1.0 && records >= 1.0", Query: q, Window: "1h", Text: "gpt-4o is used"}); err != nil {
		t.Fatal(err)
	}
	a.watching.asker.Ask(ctx)
	l, err := c.ListFindings(ctx, client.ListFindingsRequest{Detector: "rule:gpt-4o-is-used"})
	if err != nil || len(l.Items) != 3 || l.Items[0].Text != "gpt-4o is used" || !strings.Contains(l.Items[0].Seen, "of 1 records") {
		t.Fatalf("%+v, %v", l, err)
	}
	a.watching.asker.Ask(ctx) // it rests
	if l, err := c.ListFindings(ctx, client.ListFindingsRequest{Detector: "rule:gpt-4o-is-used"}); err != nil || l.Items[0].Count != 1 {
		t.Errorf("told again at once: %+v, %v", l.Items, err)
	}
}

// A KPI becomes a rule: it is tried on what is stored, gives the page's own figure of
// each agent, is kept and told; one that is of another team or not there is refused.
func TestAKPISavedAsARule(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	c := client.New("http://"+a.Address("listen"), "")
	sendSix(t, a)
	ids := []string{"model_latency_p95", "steps_per_run", "run_latency_p95", "cache_share", "path_entropy", "runs", "policy_denial_rate", "approval_load", "csat", "tool_error_rate", "cost_per_run"}
	for _, id := range ids {
		for _, by := range []string{"", "agent"} {
			try := client.TryRuleRequest{When: "value >= 0.0", Query: &client.RuleQuery{KPI: id, By: by}, Window: "24h"}
			if id == "csat" && by == "agent" {
				if _, err := c.TryRule(ctx, try); apiCode(err) != "rule.invalid" {
					t.Errorf("agents by name of all teams: %v", err)
				}
				try.Team = "support"
			}
			eventually(t, "the runs to be found of "+id, func() bool {
				got, err := c.TryRule(ctx, try)
				if err != nil {
					t.Fatalf("%s by %q: %v", id, by, err)
				}
				return id != "model_latency_p95" || got.Runs == 6 && got.Fired > 0 && (by == "" || len(got.Agents) == 3)
			})
		}
	}
	k, err := c.GetKPI(ctx, client.KPIRequest{ID: "model_latency_p95", From: "-90d"})
	if err != nil || k.Value == nil {
		t.Fatalf("%+v, %v", k, err)
	}
	for when, want := range map[string]int{
		fmt.Sprintf("value >= %f && records >= 1.0", *k.Value-.001): 1,
		fmt.Sprintf("value > %f", *k.Value+.001):                    0,
	} {
		got, err := c.TryRule(ctx, client.TryRuleRequest{When: when, Query: &client.RuleQuery{KPI: "model_latency_p95", By: "agent"}, Window: "24h"})
		if err != nil || (got.Fired == 0) != (want == 0) {
			t.Errorf("%s: %+v, %v", when, got, err)
		}
	}
	for what, q := range map[string]*client.RuleQuery{
		"kpi.not_found": {KPI: "no_such"}, "rule.invalid": {KPI: "runs", Func: "count"},
	} {
		if _, err := c.TryRule(ctx, client.TryRuleRequest{When: "value > 1.0", Query: q, Window: "1h"}); apiCode(err) != what {
			t.Errorf("%+v: %v, want %s", q, err, what)
		}
		if _, err := c.PutRule(ctx, client.PutRuleRequest{Name: "no", When: "value > 1.0", Query: q, Window: "1h"}); apiCode(err) != what {
			t.Errorf("keeping %+v: %v, want %s", q, err, what)
		}
	}
	if _, err := c.PutRule(ctx, client.PutRuleRequest{Name: "slow", When: "value >= 1.0", Query: &client.RuleQuery{KPI: "model_latency_p95", By: "agent"}, Window: "1h", Text: "calls are slow"}); err != nil {
		t.Fatal(err)
	}
	a.watching.asker.Ask(ctx)
	l, err := c.ListFindings(ctx, client.ListFindingsRequest{Detector: "rule:slow"})
	if err != nil || len(l.Items) != 3 || l.Items[0].Text != "calls are slow" || l.Items[0].Agent == "" {
		t.Fatalf("%+v, %v", l, err)
	}
}

// A KPI that rules ask for is not taken from under them without a word.
func TestAKPIThatRulesAskFor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	c := client.New("http://"+a.Address("listen"), "")
	k, err := c.PutKPI(ctx, client.PutKPIRequest{ID: "clerks", Title: "Runs of clerks", Unit: "count", Direction: "up", About: "x", Owner: "ops", KPIShape: client.KPIShape{Count: &client.KPICount{Table: "runs"}}, Reason: "new"})
	if err != nil {
		t.Fatal(err)
	}
	rule := client.PutRuleRequest{Name: "many-clerks", When: "value > 9.0", Query: &client.RuleQuery{KPI: "clerks"}, Window: "1h"}
	if _, err := c.PutRule(ctx, rule); err != nil {
		t.Fatal(err)
	}
	err = c.DeleteKPI(ctx, client.DeleteKPIRequest{ID: "clerks", Reason: "not used"})
	if apiCode(err) != "kpi.in_use" || !strings.Contains(err.Error(), "many-clerks") {
		t.Errorf("deleting it: %v", err)
	}
	put := client.PutKPIRequest{ID: "clerks", Version: k.Version, Title: "Runs of clerks", Unit: "count", Direction: "up", About: "y", Owner: "ops", Team: "support", KPIShape: client.KPIShape{Count: &client.KPICount{Table: "runs"}}, Reason: "ours"}
	if _, err := c.PutKPI(ctx, put); apiCode(err) != "kpi.in_use" || !strings.Contains(err.Error(), "many-clerks") {
		t.Errorf("giving it to a team: %v", err)
	}
	put.Team = ""
	if _, err := c.PutKPI(ctx, put); err != nil {
		t.Errorf("saying more about it: %v", err)
	}
	if err := c.DeleteRule(ctx, client.DeleteRuleRequest{Name: "many-clerks", Reason: "no more"}); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteKPI(ctx, client.DeleteKPIRequest{ID: "clerks", Reason: "not used"}); err != nil {
		t.Errorf("with no rule left: %v", err)
	}
}

// Canary prompts go through the door as an agent's calls; another model behind the
// name is a finding; what the door refuses is no answer.
func TestCanariesAskThroughTheDoor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	g := register(t, a, "canary")
	model := "gpt-4o-2024-08-06"
	provider(t, a, "openai", "openai", func(_, body string) string {
		if !strings.Contains(body, `"temperature":0`) {
			t.Error(body)
		}
		return fmt.Sprintf(`{"id":"c1","model":%q,"system_fingerprint":"fp_1","choices":[{"message":{"role":"assistant","content":"Blue."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`, model)
	})
	c := client.New("http://"+a.Address("listen"), "")
	put := client.PutCanaryRequest{Name: "gpt", Team: g.Team, Environment: g.Environment, Agent: "canary", Upstream: "openai", Model: "gpt-4o", Every: "10m"}
	if _, err := c.PutCanary(ctx, client.PutCanaryRequest{Name: "gpt", Team: "growth", Environment: g.Environment, Agent: "canary", Upstream: "openai", Model: "gpt-4o"}); apiCode(err) != "canary.invalid" {
		t.Errorf("as another team's agent: %v", err)
	}
	if _, err := c.PutCanary(ctx, put); err != nil {
		t.Fatal(err)
	}
	var x *client.Canary
	eventually(t, "the first round", func() bool {
		var err error
		x, err = c.GetCanary(ctx, client.CanaryRequest{Name: "gpt"})
		return err == nil && len(x.Answers) == 8
	})
	if x.Answers[0].Model != model || x.Answers[0].Text != "Blue." || x.Answers[0].Decision == "" || x.Answers[0].Error != "" {
		t.Fatalf("%+v", x.Answers[0])
	}
	eventually(t, "the decision", func() bool {
		d, err := c.GetDecision(ctx, client.IDRequest{ID: x.Answers[0].Decision})
		return err == nil && d.Agent == "canary" && d.Result == "ok"
	})
	due := func() {
		if err := a.control.Write(ctx, func(tx *control.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE canaries SET due_at = 0`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := a.canaries.Round(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for range 11 {
		due()
	}
	if l, err := c.ListFindings(ctx, client.ListFindingsRequest{Detector: "provider_change"}); err != nil || len(l.Items) != 0 {
		t.Fatalf("before the switch: %+v, %v", l, err)
	}
	model = "gpt-4o-2099-01-01"
	for range 6 {
		due()
	}
	l, err := c.ListFindings(ctx, client.ListFindingsRequest{Detector: "provider_change"})
	// That the model's name changed is found in the telemetry too, sooner or later.
	l.Items = slices.DeleteFunc(l.Items, func(f client.Finding) bool { return f.Measure != "canary" })
	if err != nil || len(l.Items) != 1 || l.Items[0].Agent != "" || l.Items[0].Authenticated || !strings.Contains(l.Items[0].Seen, "answering model") || l.Items[0].Subject != "gpt-4o" {
		t.Fatalf("after the switch: %+v, %v", l, err)
	}
	if x, err = c.GetCanary(ctx, client.CanaryRequest{Name: "gpt"}); err != nil || x.Finding != l.Items[0].ID || len(x.Shifts) == 0 {
		t.Errorf("the canary does not lead to its finding %s: %s, %v", l.Items[0].ID, x.Finding, err)
	}
	if _, err := c.AskCanary(ctx, client.CanaryReasonRequest{Name: "gpt", Reason: "once more"}); err != nil {
		t.Error(err)
	}
	if _, err := c.AcceptCanary(ctx, client.CanaryReasonRequest{Name: "gpt", Reason: "we moved"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.agents.Contain(ctx, everyRole(), "canary", "quarantined", time.Time{}, "a test"); err != nil {
		t.Fatal(err)
	}
	due()
	if x, err = c.GetCanary(ctx, client.CanaryRequest{Name: "gpt"}); err != nil || !strings.Contains(x.Answers[0].Error, "quarantined") || len(x.Shifts) != 0 {
		t.Errorf("a canary that is stopped: %+v, %v", x.Answers[0], err)
	}
}
