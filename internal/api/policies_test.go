package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
)

func withPolicies(t *testing.T) testAPI {
	t.Helper()
	a := newTestAPI(t, nil)
	store, err := policy.NewStore(t.Context(), policy.StoreOptions{DB: a.house.db, Engine: &policy.Engine{}})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Policies = store
	return a
}

func quoted(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A team's developers propose, security enforces, other teams see nothing.
func TestPolicies(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	path := Prefix + "/policies/refunds"
	body := func(mode string, revision int64) string {
		return quoted(t, client.PutPolicyRequest{Team: "core", Mode: mode, Cedar: "permit (principal, action, resource);", Reason: "try", Revision: revision})
	}
	for _, c := range []struct {
		caller, method, path, body string
		want                       int
	}{
		{"as developer@shop/*", http.MethodPut, path, body("observe", 0), http.StatusForbidden},
		{"as developer@core/test", http.MethodPut, path, body("enforce", 0), http.StatusForbidden},
		{"as developer@core/test", http.MethodPut, path, body("", 0), http.StatusOK},
		{"as developer@core/test", http.MethodPut, path, body("", 0), http.StatusConflict},
		{"as developer@core/test", http.MethodPut, path, body("loud", 1), http.StatusBadRequest},
		{"as developer@shop/*", http.MethodPut, path, body("", 1), http.StatusConflict}, // taken, and not shown
		{"as developer@core/test", http.MethodPost, path + "/mode", `{"mode":"enforce"}`, http.StatusForbidden},
		{"as security@core/test", http.MethodPost, path + "/mode", `{"mode":"enforce"}`, http.StatusForbidden}, // it acts in production too
		{"as security@core/*", http.MethodPost, path + "/mode", `{"mode":"enforce","reason":"seen"}`, http.StatusOK},
		{"as viewer@shop/*", http.MethodGet, path, "", http.StatusNotFound},
		{"as viewer@shop/*", http.MethodGet, path + "/revisions", "", http.StatusNotFound},
		{"as viewer@shop/*", http.MethodGet, Prefix + "/policies/guardrails", "", http.StatusOK},
		{"as security@core/*", http.MethodDelete, Prefix + "/policies/guardrails", "", http.StatusForbidden},
		{"as security@core/*", http.MethodDelete, path + "?reason=over", "", http.StatusNoContent},
		{"as security@core/*", http.MethodPost, path + "/restore", `{"revision":1}`, http.StatusOK},
		{"as security", http.MethodPut, Prefix + "/policies/check", body("", 0), http.StatusBadRequest}, // reserved
		{"as security", http.MethodPut, Prefix + "/policies/Big", body("", 0), http.StatusBadRequest},
		{"as security", http.MethodPut, Prefix + "/policies/x", `{"cedar":"permit (principal"}`, http.StatusBadRequest},
	} {
		if got := send(a, c.method, c.path, c.caller, c.body); got.status != c.want {
			t.Errorf("%s %s %s %s: %d %s, want %d", c.caller, c.method, c.path, c.body, got.status, got.body, c.want)
		}
	}
	if p := get[client.Policy](t, a, "/policies/refunds", "as viewer@core/*"); p.Mode != "observe" || p.Revision != 4 || p.Statements[0].Effect != "permit" || p.Origin != "api" {
		t.Errorf("restored: %+v", p)
	}
	if l := get[client.List[client.Policy]](t, a, "/policies", "as viewer@shop/*"); len(l.Items) != 5 || !l.Items[0].Guardrail {
		t.Errorf("another team sees %+v", l.Items)
	}
	if l := get[client.List[client.PolicyRevision]](t, a, "/policies/refunds/revisions", "as viewer@core/*"); len(l.Items) != 4 || l.Items[3].Reason != "try" {
		t.Errorf("revisions %+v", l.Items)
	}
}

func TestValidatePolicy(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	ask := func(cedar string) (v client.PolicyValidation) {
		t.Helper()
		got := send(a, http.MethodPost, Prefix+"/policies/validate", "as viewer", quoted(t, client.ValidatePolicyRequest{Cedar: cedar}))
		if got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if err := json.Unmarshal(got.body, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := ask(`@hold("ops:2") permit (principal == Agent::"nobody", action, resource);`); !v.OK || v.Statements[0].Hold != "ops:2" || len(v.Warnings) != 1 {
		t.Errorf("%+v", v)
	}
	v := ask("permit (principal, action == Action::\"call_tool\", resource)\nwhen { resource.effect == Effect::\"raed\" };")
	if v.OK || len(v.Problems) != 1 || v.Problems[0].Line != 2 || v.Problems[0].Column != 27 || !strings.Contains(v.Problems[0].Text, "raed") {
		t.Errorf("%+v", v)
	}
}

// asker puts a request to policy without a door.
type asker struct{}

func (asker) Ask(_ context.Context, who gateway.Caller, action, resource string) (*policy.Request, error) {
	switch action {
	case "call_api":
		return nil, fault.New(fault.KindDenied, "http.no_route", "no route takes this")
	case "fly":
		return nil, fault.New(fault.KindInvalid, "gateway.asked", "no such action")
	}
	a, typ := who.Agent, map[string]string{"call_model": "Model", "send_task": "Peer", "call_tool": "Tool"}[action]
	return &policy.Request{
		Agent: policy.Agent{
			Name: a.Name, Team: a.Team, Lifecycle: a.Lifecycle, Autonomy: a.Autonomy, Containment: a.Containment, Enforcement: a.Enforcement, Classes: a.DataClasses,
		},
		Action:   action,
		Resource: policy.Resource{Type: typ, ID: resource, Upstream: "openai", UpstreamTeam: a.Team, Name: "gpt"},
		Call:     policy.Call{Credential: who.Credential, Bound: who.Bound, User: who.User, Now: testNow, Model: &policy.ModelCall{Endpoint: "chat"}},
	}, nil
}

// Listed implements Asker.
func (asker) Listed(resource string) bool { return resource != "crm.typo" }

// withPast is an API with an agent of team core and decisions of it.
func withPast(t *testing.T) (testAPI, *agent.Registry, *policy.Store) {
	t.Helper()
	a := newTestAPI(t, nil)
	agents, err := agent.New(t.Context(), agent.Options{DB: a.house.db, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agents.Create(t.Context(), agent.Actor{Person: "p", Name: "ann", Can: func(string, string, string) bool { return true }},
		agent.Agent{Name: "refund", Team: "core", Purpose: "pays back", Enforcement: "observe"}, ""); err != nil {
		t.Fatal(err)
	}
	engine := &policy.Engine{}
	store, err := policy.NewStore(t.Context(), policy.StoreOptions{DB: a.house.db, Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := agents.Lookup("refund")
	var past []*activity.Decision
	for i, action := range []string{"call_model", "call_model", "call_model", "send_task"} {
		q, err := asker{}.Ask(t.Context(), gateway.Caller{Agent: found, Credential: "agent_key"}, action, "openai/gpt")
		if err != nil {
			t.Fatal(err)
		}
		v := engine.Decide(q)
		past = append(past, &activity.Decision{
			ID: fmt.Sprint("dec_", i), At: testNow.Add(-time.Hour).UnixNano(), Agent: "refund", Team: "core", Environment: "production", Action: action, Resource: "openai/gpt",
			Verdict: v.Verdict, Would: v.Would, Enforced: v.Enforced, Reasons: v.Reasons, Policies: v.Policies, PolicyVersion: v.Version, Context: v.Context(),
		})
	}
	sim, err := policy.NewSimulator(policy.SimulatorOptions{Store: store, Now: func() time.Time { return testNow }, Past: func(_ context.Context, from, to time.Time, do func(*activity.Decision) error) error {
		for _, d := range past {
			if d.At < from.UnixNano() || d.At >= to.UnixNano() {
				continue
			}
			if err := do(d); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	a.o.Agents, a.o.Policies, a.o.Simulations, a.o.Door = agents, store, sim, asker{}
	return a, agents, store
}

func postAs[T any](t *testing.T, a testAPI, path, caller string, body any, want int) (out T) {
	t.Helper()
	got := send(a, http.MethodPost, Prefix+path, caller, quoted(t, body))
	if got.status != want {
		t.Fatalf("%s as %s: %d %s, want %d", path, caller, got.status, got.body, want)
	}
	if want == http.StatusOK {
		if err := json.Unmarshal(got.body, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestCheckPolicy(t *testing.T) {
	t.Parallel()
	a, _, _ := withPast(t)
	viewer := "as viewer@core/*"
	check := func(req client.CheckRequest) client.CheckAnswer {
		t.Helper()
		return postAs[client.CheckAnswer](t, a, "/policies/check", viewer, req, http.StatusOK)
	}
	model := client.CheckRequest{Agent: "refund", Action: "call_model", Resource: "openai/gpt"}
	if got := check(model); got.Verdict != "allow" || !strings.HasPrefix(got.Text, "Allowed by read-only/think.") || len(got.Policies) != 1 {
		t.Errorf("%+v", got)
	}
	with := model
	with.Policies = []client.ProposedPolicy{{Name: "no", Cedar: `@reason("drill") forbid (principal, action, resource);`}}
	if got := check(with); got.Verdict != "allow" || got.Would != "deny" || !strings.Contains(got.Text, "Enforced, it would be denied: drill (policy.forbid)") {
		t.Errorf("observed: %+v", got)
	}
	hosted := model
	hosted.Context = &client.CheckContext{Model: &client.CheckModel{HostedTools: []string{"web_search"}}}
	if got := check(hosted); got.Would != "deny" {
		t.Errorf("what the call brings does not count: %+v", got)
	}
	yes, no, five, money, much := true, false, int64(5), 2.5, 1e30
	for when, brought := range map[string]*client.CheckContext{
		"context has user && !context.user.active":                                   {User: "ann", UserActive: &no},
		`context has user && context.user.directory == "https://idp.example"`:        {User: "ann", UserDirectory: "https://idp.example"},
		`context has version && context.version == "v9" && context.version_approved`: {Version: "v9", VersionApproved: &yes},
		`context.findings.contains("loop")`:                                          {Findings: []string{"loop"}},
		`context has address && context.address.isInRange(ip("10.0.0.0/8"))`:         {Address: "10.1.2.3"},
		`context.budget has calls && context.budget.calls < 6`:                       {Budget: &client.CheckBudget{Calls: &five}},
		`context.budget has tokens && context.budget.tokens < 6`:                     {Budget: &client.CheckBudget{Tokens: &five}},
		`context.budget has money && context.budget.money.lessThan(decimal("2.6"))`:  {Budget: &client.CheckBudget{Money: &money}},
	} {
		asked := model
		asked.Policies = []client.ProposedPolicy{{Name: "no", Cedar: `@reason("drill") forbid (principal, action == Action::"call_model", resource) when { ` + when + " };"}}
		if got := check(asked); got.Would != "allow" {
			t.Errorf("%s without it: %+v", when, got)
		}
		asked.Context = brought
		if got := check(asked); got.Would != "deny" {
			t.Errorf("%s: %+v", when, got)
		}
	}
	for _, bad := range []*client.CheckContext{{Address: "here"}, {Budget: &client.CheckBudget{Money: &much}}} {
		asked := model
		asked.Context = bad
		postAs[client.CheckAnswer](t, a, "/policies/check", viewer, asked, http.StatusBadRequest)
	}
	if got := check(client.CheckRequest{Agent: "refund", Action: "call_api", Resource: "crm GET /x"}); got.Verdict != "deny" || got.Reasons[0].Code != "http.no_route" {
		t.Errorf("refused before policy: %+v", got)
	}
	if got := check(client.CheckRequest{Agent: "refund", Action: "call_tool", Resource: "local.search"}); got.Verdict != "allow" || got.Reasons[0].Code != "gateway.undecided" ||
		!strings.Contains(got.Text, "(the door): not decided") || !strings.Contains(got.Text, "asked about: held until a person agrees: ") {
		t.Errorf("a local tool that nobody names: %+v", got)
	}
	for tool, slip := range map[string]bool{"crm.typo": true, "crm.look": false} {
		if got := check(client.CheckRequest{Agent: "refund", Action: "call_tool", Resource: tool}); (got.Hint != "") != slip || slip && !strings.Contains(got.Hint, "reeve tool list --upstream crm") {
			t.Errorf("%s: %q", tool, got.Hint)
		}
	}
	postAs[client.CheckAnswer](t, a, "/policies/check", viewer, client.CheckRequest{Agent: "refund", Action: "fly"}, http.StatusBadRequest)
	postAs[client.CheckAnswer](t, a, "/policies/check", "as viewer@shop/*", model, http.StatusNotFound)
	if got := send(a, http.MethodPost, Prefix+"/policies/check", viewer, `{"agent":"refund","action":"call_model","resource":"x","context":{"colour":1}}`); got.status != http.StatusBadRequest {
		t.Errorf("an unknown word in the context: %d %s", got.status, got.body)
	}
}

func TestSimulateAndEnforce(t *testing.T) {
	t.Parallel()
	a, agents, store := withPast(t)
	viewer := "as viewer@core/*"
	no := client.SimulateRequest{Policies: []client.ProposedPolicy{{Name: "no", Cedar: `forbid (principal, action, resource);`}}, Agents: map[string]string{"refund": "enforce"}}
	s := postAs[client.Simulation](t, a, "/policies/simulate", viewer, no, http.StatusOK)
	if s.State != "done" || s.Progress != 1 || s.Decisions != 4 || s.Stricter != 4 || len(s.Changes) != 2 || s.Changes[0].Count != 3 {
		t.Errorf("%+v", s)
	}
	if got := get[client.Simulation](t, a, "/simulations/"+s.ID, viewer); got.Stricter != 4 {
		t.Errorf("read again: %+v", got)
	}
	if got := send(a, http.MethodGet, Prefix+"/simulations/"+s.ID, "as viewer", ""); got.status != http.StatusNotFound {
		t.Errorf("another reads it: %d", got.status)
	}
	none := no
	none.Agents = nil
	if got := postAs[client.Simulation](t, a, "/policies/simulate", "as viewer@shop/*", none, http.StatusOK); got.Decisions != 0 {
		t.Errorf("another team sees %+v", got)
	}
	postAs[client.Simulation](t, a, "/policies/simulate", "as viewer@shop/*", no, http.StatusNotFound)
	w := get[client.WouldAnswer](t, a, "/policies/would?from=-24h", viewer)
	if w.Decisions != 4 || w.Refused != 1 || len(w.Groups) != 1 || w.Groups[0].Action != "send_task" {
		t.Errorf("would %+v", w)
	}

	// The agent is enforced only when it was shown what that refuses.
	sec := "as security@core/*"
	e := postAs[client.EnforceAnswer](t, a, "/agents/refund/enforce", sec, client.EnforceRequest{}, http.StatusOK)
	if e.Enforced || e.Simulation == nil || e.Simulation.Stricter != 1 {
		t.Fatalf("%+v", e)
	}
	postAs[client.EnforceAnswer](t, a, "/agents/refund/enforce", sec, client.EnforceRequest{Simulation: s.ID}, http.StatusNotFound) // another's
	if found, _ := agents.Lookup("refund"); found.Enforcement != "observe" {
		t.Error("enforced unseen")
	}
	if e := postAs[client.EnforceAnswer](t, a, "/agents/refund/enforce", sec, client.EnforceRequest{Simulation: e.Simulation.ID, Reason: "seen"}, http.StatusOK); !e.Enforced {
		t.Errorf("%+v", e)
	}
	if found, _ := agents.Lookup("refund"); found.Enforcement != "enforce" {
		t.Error("not enforced")
	}
	for body, want := range map[string]int{`{"minutes":0,"reason":"x"}`: 400, `{"minutes":61,"reason":"x"}`: 400, `{"minutes":5,"reason":""}`: 400, `{"minutes":5,"reason":"outage"}`: 200} {
		if got := send(a, http.MethodPost, Prefix+"/agents/refund/break-glass", "as responder@core/*", body); got.status != want {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if found, _ := agents.Lookup("refund"); found.Enforced(testNow) || !found.Enforced(testNow.Add(6*time.Minute)) {
		t.Error("the glass is not broken, or stays so")
	}

	// So is a policy.
	if got := send(a, http.MethodPut, Prefix+"/policies/no", "as developer@core/*", quoted(t, client.PutPolicyRequest{Team: "core", Cedar: "forbid (principal, action, resource);"})); got.status != http.StatusOK {
		t.Fatalf("%s", got.body)
	}
	e = postAs[client.EnforceAnswer](t, a, "/policies/no/enforce", sec, client.EnforceRequest{Days: 3}, http.StatusOK)
	if e.Enforced || e.Simulation.Decisions != 4 {
		t.Errorf("%+v", e.Simulation)
	}
	if _, err := store.Put(t.Context(), policyAll, policy.Change{Document: policy.Document{Name: "no", Team: "core", Observe: true, Cedar: "forbid (principal is Agent, action, resource);"}, Revision: 1}); err != nil {
		t.Fatal(err)
	}
	postAs[client.EnforceAnswer](t, a, "/policies/no/enforce", sec, client.EnforceRequest{Simulation: e.Simulation.ID}, http.StatusConflict) // changed since

	p := postAs[client.PolicyProposal](t, a, "/policies/propose", viewer, client.ProposePolicyRequest{Agent: "refund"}, http.StatusOK)
	if !strings.Contains(p.Policy.Cedar, `resource == Model::"openai/gpt"`) || p.Policy.Team != "core" || p.Policy.Mode != "observe" || p.Simulation == nil || len(p.Used) != 1 {
		t.Errorf("%+v", p)
	}
	postAs[client.PolicyProposal](t, a, "/policies/propose", viewer, client.ProposePolicyRequest{Agent: "refund", Days: 1000}, http.StatusBadRequest)
}

var policyAll = policy.Actor{
	Person: "p", Name: "ann", Can: func(string, string, string) bool { return true }, Some: func(string, string) bool { return true },
}

// A change of a guardrail waits for a second person, and is made at once where
// nobody else could agree.
func TestGuardrailsNeedTwo(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	body := quoted(t, client.PutPolicyRequest{Guardrail: true, Cedar: "forbid (principal, action, resource) when { context has user };"})
	if got := send(a, http.MethodPut, Prefix+"/policies/alone", "as security", body); got.status != http.StatusOK {
		t.Fatalf("alone: %d %s", got.status, got.body)
	}
	get[client.List[client.Policy]](t, a, "/policies", "as security+viewer") // there are two now
	for _, c := range [][3]string{
		{http.MethodPut, "/policies/no", body},
		{http.MethodPut, "/policies/alone", quoted(t, client.PutPolicyRequest{Cedar: "permit (principal, action, resource);", Revision: 1})}, // no guardrail any more
		{http.MethodDelete, "/policies/guardrails", ""},
		{http.MethodPost, "/policies/guardrails/mode", `{"mode":"observe"}`},
		{http.MethodPost, "/policies/guardrails/restore", `{"revision":1}`},
	} {
		if got := send(a, c[0], Prefix+c[1], "as security", c[2]); got.status != http.StatusAccepted {
			t.Errorf("%v: %d %s", c, got.status, got.body)
		}
	}
	if _, ok := a.o.Policies.Get("no"); ok {
		t.Error("made without the second person")
	}
	if p, ok := a.o.Policies.Get("guardrails"); !ok || p.Revision != 1 {
		t.Error("changed without the second person")
	}
	if got := send(a, http.MethodPut, Prefix+"/policies/plain", "as security", quoted(t, client.PutPolicyRequest{Cedar: "permit (principal, action, resource);"})); got.status != http.StatusOK {
		t.Errorf("no guardrail: %d %s", got.status, got.body)
	}
}
