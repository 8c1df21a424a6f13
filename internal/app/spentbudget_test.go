package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/outcome"
)

// From a budget to the door and back, with every part real: an agent's runs at the door
// end badly, its objective's budget is spent, the response policy supervises it, its next
// write waits for a person and is not done; good runs bring the budget back, and its
// writes pass again.
func TestSpentBudgetAtTheDoorAndBack(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) {
		c.Outcomes = outcome.Config{Interactive: time.Second, Autonomous: time.Second, Asynchronous: time.Second}
		c.Runs.Deadline = time.Second
		c.Approvals.Wait = 200 * time.Millisecond
	})
	ctx := t.Context()
	c := client.New("http://"+a.Address("listen"), "")
	var written atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			written.Add(1)
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(shop.Close)
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(c.CreateTeam(ctx, client.CreateTeamRequest{Name: "shop"}))
	ok(c.PutUpstream(ctx, client.PutUpstreamRequest{Name: "shop", Kind: "http", URL: shop.URL, Team: "shop", Environment: "production", AllowPrivate: true, Routes: []client.Route{
		{Method: "POST", Path: "/refunds", Effect: "write"}, {Method: "GET", Path: "/orders/{id}", Effect: "read"},
	}}))
	// It may write by itself, until something says otherwise.
	if err := c.DeletePolicy(ctx, client.DeletePolicyRequest{Name: "bounded", Reason: "entitled by name"}); err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, name := range []string{"refunds"} {
		ok(c.CreateAgent(ctx, client.CreateAgentRequest{Name: name, Team: "shop", Environment: "production", Purpose: "refunds", Autonomy: "bounded", Enforcement: "enforce"}))
		k, err := c.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: name, Label: "test"})
		ok(k, err)
		keys[name] = k.Key
		ok(c.PutPolicy(ctx, client.PutPolicyRequest{Name: name + "-may", Team: "shop", Mode: "enforce", Reason: "its purpose", Cedar: fmt.Sprintf(`@id("may") permit (principal == Agent::%q, action == Action::"call_api", resource);`, name)}))
		ok(c.PutObjective(ctx, client.PutObjectiveRequest{Name: name + "-done", Title: "done", KPI: "task_completion", Agent: name, Target: 0.5, Minimum: 10, Coverage: 0.01, Window: &client.ObjectiveWindow{Rolling: "1d"}}))
	}
	list, err := c.ListResponsePolicies(ctx)
	ok(list, err)
	i := slices.IndexFunc(list.Items, func(p client.ResponsePolicy) bool { return p.Name == "spent-budget-supervised" })
	if i < 0 {
		t.Fatal("there is no such response policy")
	}
	p := list.Items[i]
	if p.Mode != "observe" {
		t.Fatalf("a new house lets it %s", p.Mode)
	}
	ok(c.PutResponsePolicy(ctx, client.PutResponsePolicyRequest{Name: p.Name, Text: p.Text, Detectors: p.Detectors, Severity: p.Severity, Contain: p.Contain, For: p.For, Mode: "enforce", Reason: "a test", Revision: p.Revision}))

	call := func(agent, run, method, path string) answer {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, a.Door()+"/http/shop"+path, strings.NewReader(`{"order":1}`))
		ok(req, err)
		req.Header.Set("Authorization", "Bearer "+keys[agent])
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Reeve-Run", run)
		resp, err := http.DefaultClient.Do(req)
		ok(resp, err)
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
	}
	runs := 0
	work := func(n int, outcome string) {
		t.Helper()
		for range n {
			runs++
			run := fmt.Sprintf("refund-%d", runs)
			if got := call("refunds", run, "GET", fmt.Sprintf("/orders/%d", runs)); got.status != http.StatusOK {
				t.Fatalf("a read is answered with %+v", got)
			}
			id := activity.RunOfKey(run).String()
			ok(c.ReportOutcome(ctx, client.ReportOutcomeRequest{Source: "shop", SenderID: run, RunID: id, Outcome: outcome}))
		}
	}
	stands := func(name string) client.ObjectiveStanding {
		t.Helper()
		o, err := c.GetObjective(ctx, client.ObjectiveRequest{Name: name})
		ok(o, err)
		return o.Status
	}
	contained := func(name string) string {
		t.Helper()
		g, err := c.GetAgent(ctx, client.AgentRequest{Name: name})
		ok(g, err)
		return g.Containment
	}

	if got := call("refunds", "before", "POST", "/refunds"); got.status != http.StatusOK || written.Load() != 1 {
		t.Fatalf("before anything went wrong: %+v", got)
	}
	work(15, "failed")
	var last client.ObjectiveStanding
	defer func() {
		if t.Failed() {
			t.Logf("the objective stands so: %+v", last)
		}
	}()
	patiently(t, "the budget to be spent", func() bool { last = stands("refunds-done"); return last.State == "spent" })
	patiently(t, "the agent to be supervised", func() bool { return contained("refunds") == "supervised" })
	held := call("refunds", "held", "POST", "/refunds")
	if held.status != http.StatusConflict || !strings.Contains(held.body, "approval.pending") || written.Load() != 1 {
		t.Errorf("a write while its budget is spent: %+v, %d done", held, written.Load())
	}
	d, err := c.GetDecision(ctx, client.IDRequest{ID: held.header.Get("X-Reeve-Decision")})
	if err != nil || d.Verdict != "hold" || d.Containment != "supervised" {
		t.Errorf("the decision: %+v, %v", d, err)
	}
	if got := call("refunds", "reads", "GET", "/orders/7"); got.status != http.StatusOK {
		t.Errorf("a read while it is supervised: %+v", got)
	}

	work(25, "resolved")
	patiently(t, "the agent to be as it was", func() bool { return contained("refunds") != "supervised" })
	if s := stands("refunds-done"); s.State == "spent" {
		t.Errorf("it is lifted, and the objective %+v", s)
	}
	if got := call("refunds", "after", "POST", "/refunds"); got.status != http.StatusOK || written.Load() != 2 {
		t.Errorf("a write once the budget is back: %+v, %d done", got, written.Load())
	}
}
