package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
)

// gateHouse is a server with an agent that nobody looked at yet.
func gateHouse(t *testing.T) (*App, *client.Client) {
	t.Helper()
	a := start(t, nil)
	if _, err := a.agents.Create(t.Context(), everyRole(), agent.Agent{Name: "refund", Team: "core", Purpose: "explains refunds to users", Owner: "ann", Sponsor: "bo"}, ""); err != nil {
		t.Fatal(err)
	}
	return a, client.New("http://"+a.Address("listen"), "")
}

// testAgent is a server that answers cases as reply says, after a call of its model at
// the door with the test's token.
func testAgent(t *testing.T, a *App, c *client.Client, name string) (reply *atomic.Value) {
	t.Helper()
	reply = &atomic.Value{}
	reply.Store("Within 14 days.")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Message, Token string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if got := post(r.Context(), a.Door()+"/llm/openai/v1/chat/completions", "application/json", []byte(`{"model":"gpt-4o-mini","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`), "Authorization", "Bearer "+in.Token); got.status != http.StatusOK {
			t.Errorf("its model: %+v", got)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"reply": reply.Load()})
	}))
	t.Cleanup(server.Close)
	if _, err := c.PutInvokeTarget(t.Context(), client.PutInvokeTargetRequest{Name: name, Kind: "http", URL: server.URL, AllowPrivate: true, Body: `{"message":"{{input}}","token":"{{token}}"}`, Answer: "/reply"}); err != nil {
		t.Fatal(err)
	}
	return reply
}

// versionOf waits until an agent is observed to be another version than was: a change
// settles for 20 s before it is one.
func versionOf(t *testing.T, a *App, name, was string) (now string) {
	t.Helper()
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		tick := time.NewTicker(50 * time.Millisecond)
		for ctx.Err() == nil {
			if now = a.agents.VersionNow(name); now != "" && now != was {
				if g, ok := a.agents.Lookup(name); ok && g.Version == now {
					tick.Stop()
					cancel()
					return now
				}
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
		tick.Stop()
		cancel()
	}
	t.Fatalf("%s is not observed to be another version than %q", name, was)
	return ""
}

func checkOf(t *testing.T, g *client.Gate, name string) client.GateCheck {
	t.Helper()
	for _, k := range g.Checks {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no check %s", name)
	return client.GateCheck{}
}

// TestTheGate: what was never shown is not passed, by whichever way; a refusal names
// what fails and changes nothing, and it is kept, as is going without.
func TestTheGate(t *testing.T) {
	t.Parallel()
	a, c := gateHouse(t)
	g, err := c.GetGate(t.Context(), client.GateRequest{Name: "refund"})
	if err != nil {
		t.Fatal(err)
	}
	passed := map[string]bool{}
	for _, k := range g.Checks {
		passed[k.Name] = k.Passed
	}
	if g.Passed || len(g.Checks) != 8 || passed["evaluations"] || passed["experiment"] || passed["policy"] || passed["budget"] || passed["coverage"] || passed["latency"] || !passed["incidents"] || !passed["approvals"] {
		t.Errorf("%+v", g)
	}
	lifecycle := func() string { ag, _ := a.agents.Lookup("refund"); return ag.Lifecycle }
	for name, do := range map[string]func() error{
		"the gate": func() error {
			_, err := c.PassGate(t.Context(), client.PassGateRequest{Name: "refund", Reason: "it is ready"})
			return err
		},
		"a promotion": func() error {
			_, err := c.PromoteAgent(t.Context(), client.PromoteAgentRequest{Name: "refund", To: "production", Reason: "it is ready"})
			return err
		},
	} {
		if err := do(); apiCode(err) != "promote.refused" || !strings.Contains(err.Error(), "experiment: no data set was named") || lifecycle() == "production" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for code, req := range map[string]client.PassGateRequest{"agent.invalid": {Name: "refund"}, "agent.transition": {Name: "refund", To: "pilot", Reason: "x"}, "agent.not_found": {Name: "ghost", Reason: "x"}} {
		if _, err := c.PassGate(t.Context(), req); apiCode(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
	made, err := c.PassGate(t.Context(), client.PassGateRequest{Name: "refund", Reason: "the old one is worse", Ungated: true})
	if err != nil || made.Lifecycle != "production" || made.Kept == "" || lifecycle() != "production" {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := c.PassGate(t.Context(), client.PassGateRequest{Name: "refund", Reason: "again", Ungated: true}); apiCode(err) != "agent.transition" {
		t.Errorf("there already: %v", err)
	}
	g, err = c.GetGate(t.Context(), client.GateRequest{Name: "refund"})
	if err != nil || len(g.Records) != 3 || g.Records[0].Outcome != "overridden" || g.Records[1].Outcome != "refused" || len(g.Records[0].Failed) != 6 || g.Records[0].Reason != "the old one is worse" {
		t.Errorf("%+v, %v", g.Records, err)
	}
	kept, err := c.ListAudit(t.Context(), client.ListAuditRequest{Kind: "admin.agent_gate"})
	if err != nil || len(kept.Items) != 3 {
		t.Errorf("%+v, %v", kept, err)
	}
}

// doorRuns has an agent call its model at the door n times, each in a run of its own.
func doorRuns(t *testing.T, a *App, name, version string, n int) {
	t.Helper()
	c := client.New("http://"+a.Address("listen"), "")
	key, err := c.CreateAgentKey(t.Context(), client.CreateAgentKeyRequest{Name: name, Label: "gate"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if got := post(t.Context(), a.Door()+"/llm/openai/v1/chat/completions", "application/json", []byte(`{"model":"gpt-4o-mini","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`),
			"Authorization", "Bearer "+key.Key, "X-Reeve-Run", fmt.Sprint(version, "-", i), "X-Reeve-Version", version); got.status != http.StatusOK {
			t.Fatalf("%+v", got)
		}
	}
}

// TestTheGateIsOfAVersion: what one version showed says nothing of the next; a case that
// is added closes the gate until it is passed; what fails names its run.
func TestTheGateIsOfAVersion(t *testing.T) {
	t.Parallel()
	a, c := gateHouse(t)
	provider(t, a, "openai", "openai", func(string, string) string {
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"Within 14 days."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	})
	reply := testAgent(t, a, c, "refund")
	look := func() *client.Gate {
		g, err := c.GetGate(t.Context(), client.GateRequest{Name: "refund"})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	if _, err := c.PutEvaluator(t.Context(), client.PutEvaluatorRequest{Name: "short", Kind: "rule", Agents: []string{"refund"}, When: "answer.size() < 1000"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutBudget(t.Context(), client.PutBudgetRequest{Name: "refund-calls", Scope: "agent", Match: "refund", Unit: "calls", Limit: 100000, Period: "day", Hard: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutDataset(t.Context(), client.PutDatasetRequest{Name: "golden", Team: "core", Environment: "production"}); err != nil {
		t.Fatal(err)
	}
	add := func(contains string) {
		if _, err := c.AddDatasetItem(t.Context(), client.AddDatasetItemRequest{Name: "golden", Input: []client.ChatMessage{{Role: "user", Content: "When? " + contains}}, Contains: []string{contains}}); err != nil {
			t.Fatal(err)
		}
	}
	add("14 days")
	if _, err := c.PutGateSet(t.Context(), client.PutGateSetRequest{Name: "refund", Dataset: "nobody's"}); apiCode(err) != "dataset.not_found" {
		t.Errorf("a data set that is not there: %v", err)
	}
	if _, err := c.PutGateSet(t.Context(), client.PutGateSetRequest{Name: "refund", Dataset: "golden", Least: 2}); err != nil {
		t.Fatal(err)
	}
	if k := checkOf(t, look(), "experiment"); !strings.Contains(k.Text, "nobody of security has seen the 1 cases") {
		t.Errorf("%+v", k)
	}
	if _, err := c.PutGateSet(t.Context(), client.PutGateSetRequest{Name: "refund", Dataset: "golden", Least: 2, Version: 7}); apiCode(err) != "experiment.conflict" {
		t.Errorf("a version that is not there: %v", err)
	}
	if _, err := c.PutGateSet(t.Context(), client.PutGateSetRequest{Name: "refund", Dataset: "golden", Least: 2, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if k := checkOf(t, look(), "experiment"); !strings.Contains(k.Text, "has 1 approved cases; 2 are needed") {
		t.Errorf("%+v", k)
	}
	approve := func() {
		t.Helper()
		x, err := c.ListGateChanges(t.Context(), client.GateRequest{Name: "refund"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ApproveGate(t.Context(), client.ApproveGateRequest{Name: "refund", Version: x.Version - 1}); apiCode(err) != "experiment.conflict" {
			t.Errorf("a version that is not the newest: %v", err)
		}
		if _, err := c.ApproveGate(t.Context(), client.ApproveGateRequest{Name: "refund", Version: x.Version}); err != nil {
			t.Fatal(err)
		}
	}
	doorRuns(t, a, "refund", "v1", 30)
	first := versionOf(t, a, "refund", "")
	add("days")
	approve()
	experiment := func() {
		x, err := c.StartExperiment(t.Context(), client.StartExperimentRequest{Agent: "refund", Dataset: "golden"})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the experiment's end", func() bool {
			x, err = c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: x.ID})
			return err == nil && x.State == "done"
		})
	}
	experiment()
	var g *client.Gate
	eventually(t, "the gate to pass", func() bool { g = look(); return g.Passed })
	for _, k := range g.Checks {
		if (k.Name == "policy" || k.Name == "coverage" || k.Name == "evaluations") && k.N < 20 {
			t.Errorf("passed by %d records: %+v", k.N, k)
		}
	}

	// A case more: what passed before was of other cases.
	add("receipt")
	if k := checkOf(t, look(), "experiment"); k.Passed || !strings.Contains(k.Text, "has changed since") {
		t.Errorf("%+v", k)
	}
	experiment()
	k := checkOf(t, look(), "experiment")
	if k.Passed || !strings.HasPrefix(k.Run, "run_") || !strings.HasPrefix(k.About, "xpr_") {
		t.Errorf("%+v", k)
	}
	eventually(t, "the run that fails it to be there", func() bool {
		r, err := c.GetRun(t.Context(), client.RunRequest{ID: k.Run})
		return err == nil && r.Mode == "test"
	})
	if _, err := c.PassGate(t.Context(), client.PassGateRequest{Name: "refund", Reason: "x"}); apiCode(err) != "promote.refused" || !strings.Contains(err.Error(), k.Run) {
		t.Errorf("the refusal does not name the run: %v", err)
	}
	reply.Store("Within 14 days, with the receipt.")
	experiment()
	eventually(t, "the gate to pass again", func() bool { return look().Passed })

	// The case that was hard is taken out: what is left was never seen by security, and
	// passing it is worth nothing until it is.
	items, err := c.ListDatasetItems(t.Context(), client.ListDatasetItemsRequest{Name: "golden"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveDatasetItem(t.Context(), client.DatasetItemRequest{Name: "golden", Item: items.Items[2].ID}); err != nil {
		t.Fatal(err)
	}
	experiment()
	if g = look(); g.Passed || g.Cases == nil || g.Cases.Changed != 1 || !strings.Contains(checkOf(t, g, "experiment").Text, "changed or went since") {
		t.Errorf("%+v %+v", checkOf(t, g, "experiment"), g.Cases)
	}
	if x, err := c.ListGateChanges(t.Context(), client.GateRequest{Name: "refund"}); err != nil || len(x.Items) != 1 || x.Items[0].What != "passing" || x.Items[0].Is.Contains[0] != "receipt" {
		t.Errorf("%+v, %v", x, err)
	}
	approve()
	eventually(t, "the gate to pass with what was approved", func() bool { return look().Passed })

	// A new version has shown nothing.
	doorRuns(t, a, "refund", "v2", 1)
	second := versionOf(t, a, "refund", first)
	for _, name := range []string{"evaluations", "experiment", "policy", "latency", "coverage"} {
		if k := checkOf(t, look(), name); k.Passed {
			t.Errorf("the new version passes by the old one's records: %+v", k)
		}
	}
	doorRuns(t, a, "refund", "v2", 30)
	experiment()
	eventually(t, "the new version to pass", func() bool { return look().Passed })
	made, err := c.PassGate(t.Context(), client.PassGateRequest{Name: "refund", Reason: "it passes"})
	if err != nil || made.Lifecycle != "production" || made.Kept == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	if g := look(); len(g.Records) == 0 || g.Records[0].Outcome != "passed" || g.Records[0].Version != second || time.Since(g.Records[0].At) > time.Hour {
		t.Errorf("%+v", g.Records)
	}
}
