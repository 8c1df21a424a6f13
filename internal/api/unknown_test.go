package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/fleet"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
)

// observed is a test API with a real register and a fleet that sees steps.
type observed struct {
	testAPI
	t     *testing.T
	fleet *fleet.Fleet
	list  *agent.Registry
	n     uint64
}

func newObserved(t *testing.T) *observed {
	t.Helper()
	o := &observed{testAPI: newTestAPI(t, nil), t: t}
	var err error
	now := func() time.Time { return testNow }
	o.list, err = agent.New(t.Context(), agent.Options{
		DB: o.house.db, Now: now, Changed: func(before, after *agent.Agent) { o.fleet.Changed(before, after) },
		Permit: func(before, after *agent.Agent) error { return o.fleet.Permit(before, after) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.fleet, err = fleet.New(t.Context(), fleet.Options{DB: o.house.db, Agents: o.list, Now: now}); err != nil {
		t.Fatal(err)
	}
	o.o.Agents, o.o.Fleet, o.o.Version = o.list, o.fleet, "1.2.3"
	return o
}

// saw has the fleet observe an agent of a team.
func (o *observed) saw(team, name string, edit func(*activity.Step)) {
	o.n++
	s := activity.Step{Revision: 1, Team: team}
	s.Run, s.Step = activity.RunOfKey(fmt.Sprint(o.n)), activity.StepOfKey(fmt.Sprint(o.n))
	s.Kind, s.Agent, s.AgentExplicit, s.Environment, s.Start = activity.KindAgent, name, true, "production", testNow.UnixNano()
	if edit != nil {
		edit(&s)
	}
	o.fleet.Observe(&telemetry.Write{Cursor: o.n, Received: testNow.UnixNano(), Steps: []activity.Step{s}})
	if err := o.fleet.Sync(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

func (o *observed) ask(method, path, caller, body string, status int) answer {
	o.t.Helper()
	got := send(o.testAPI, method, Prefix+path, caller, body)
	if got.status != status {
		o.t.Errorf("%s %s as %s: %d %s, want %d", method, path, caller, got.status, got.body, status)
	}
	return got
}

const (
	coreDev  = "as developer@core/production"
	coreSec  = "as security@core/production"
	coreView = "as viewer@core/production"
	shopView = "as viewer@shop/production"
)

func TestUnknownAgents(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.saw("core", "Refund Agent", nil)
	o.saw("core", "search", nil)
	o.saw("shop", "stock", nil)
	page := get[client.List[client.UnknownAgent]](t, o.testAPI, "/unknown-agents", coreView)
	if len(page.Items) != 2 {
		t.Fatalf("core sees %+v", page.Items)
	}
	one := get[client.List[client.UnknownAgent]](t, o.testAPI, "/unknown-agents?limit=1", coreView)
	two := get[client.List[client.UnknownAgent]](t, o.testAPI, "/unknown-agents?limit=1&cursor="+one.Next, coreView)
	if len(one.Items) != 1 || len(two.Items) != 1 || one.Items[0].ID == two.Items[0].ID || two.Next != "" {
		t.Errorf("pages %+v and %+v", one, two)
	}
	ids := map[string]string{}
	for _, u := range page.Items {
		ids[u.Name] = u.ID
	}
	path := "/unknown-agents/" + ids["Refund Agent"]
	o.ask("GET", path, shopView, "", 404)
	o.ask("GET", "/unknown-agents/unk_none", coreView, "", 404)
	o.ask("GET", "/unknown-agents?state=odd", coreView, "", 400)
	o.ask("POST", path+"/register", coreView, `{}`, 403)
	o.ask("POST", path+"/register", shopView, `{}`, 403)
	o.ask("POST", path+"/register", coreDev, `{"team":"shop"}`, 400)
	o.ask("POST", path+"/register", coreDev, `{"name":"Bad Name"}`, 400)
	if u := get[client.UnknownAgent](t, o.testAPI, path, coreView); u.Suggested != "refund-agent" || u.RunID == "" || u.Where != "telemetry" {
		t.Errorf("found %+v", u)
	}
	var made client.Agent
	if err := json.Unmarshal(o.ask("POST", path+"/register", coreDev, `{"purpose":"gives money back","reason":"ours"}`, 201).body, &made); err != nil {
		t.Fatal(err)
	}
	if made.Name != "refund-agent" || made.Origin != "adopted" || made.Enforcement != "observe" || len(made.Aliases) != 1 {
		t.Errorf("registered %+v", made)
	}
	o.ask("POST", path+"/register", coreDev, `{}`, 409)
	claims := get[client.List[client.AgentMatch]](t, o.testAPI, "/agents/refund-agent/claims", coreView)
	if len(claims.Items) != 1 || claims.Items[0].Why != "matched by alias name=Refund Agent" {
		t.Errorf("claims %+v", claims.Items)
	}
	// An alias reads as the agent.
	if g := get[client.Agent](t, o.testAPI, "/agents/Refund%20Agent", coreView); g.Name != "refund-agent" {
		t.Errorf("by its alias: %+v", g)
	}
	o.ask("GET", "/agents/Refund%20Agent", shopView, "", 404)

	search := "/unknown-agents/" + ids["search"]
	o.ask("POST", search+"/merge", coreDev, `{"into":"stock","reason":"r"}`, 404)
	o.ask("POST", search+"/merge", coreDev, `{"into":"refund-agent","reason":""}`, 400)
	o.ask("POST", search+"/merge", coreDev, `{"into":"refund-agent","reason":"same code"}`, 200)
	o.ask("POST", search+"/undo", coreDev, `{"reason":"not the same"}`, 200)
	o.ask("POST", search+"/dismiss", coreDev, `{"reason":"a test"}`, 200)
	o.ask("POST", search+"/block", "as responder@core/production", `{"reason":"odd"}`, 503) // no door here
	o.ask("POST", "/agents/adopt", coreDev, `{}`, 400)
	o.ask("POST", "/agents/adopt", coreDev, `{"ids":["unk_none"]}`, 404)
	var done client.Adoption
	if err := json.Unmarshal(o.ask("POST", "/agents/adopt", "as developer@shop/production", `{"all":true,"reason":"start"}`, 200).body, &done); err != nil || len(done.Adopted) != 1 || done.Adopted[0].Name != "stock" {
		t.Errorf("adopted %+v, %v", done, err)
	}
	if m := get[client.AgentMatch](t, o.testAPI, "/match-agent?name=stock&team=core&environment=production", coreView); m.Agent != "" || len(m.Candidates) != 0 || strings.Contains(m.Why, "shop") {
		t.Errorf("another team's agent shows: %+v", m)
	}
	o.ask("GET", "/match-agent", coreView, "", 400)
	o.ask("GET", "/match-agent?name=stock&team=shop", coreView, "", 403)
}

func TestMergedAgentsReadAsOne(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	for _, name := range []string{"refund", "refund-two"} {
		o.ask("POST", "/agents", coreDev, `{"name":"`+name+`","team":"core","purpose":"gives money back"}`, 201)
		o.saw("core", name, nil)
	}
	o.ask("POST", "/agents/refund-two/merge", coreView, `{"into":"refund","reason":"r"}`, 403)
	o.ask("POST", "/agents/refund-two/merge", coreDev, `{"into":"refund","reason":""}`, 400)
	o.ask("POST", "/agents/refund-two/merge", coreDev, `{"into":"none","reason":"r"}`, 404)
	o.ask("POST", "/agents/refund-two/merge", coreDev, `{"into":"refund","reason":"registered twice"}`, 200)
	if g := get[client.Agent](t, o.testAPI, "/agents/refund-two", coreView); g.MergedInto != "refund" || g.Lifecycle != "retired" {
		t.Errorf("merged %+v", g)
	}
	if c := get[client.List[client.AgentMatch]](t, o.testAPI, "/agents/refund/claims", coreView); len(c.Items) != 2 {
		t.Errorf("claims %+v", c.Items)
	}
	// Runs keep the name they came with; a question for the agent finds both.
	who := identity.Dev()
	q, err := o.runsQuery(context.WithValue(t.Context(), callKey{}, &call{who: &who}), &client.ListRunsRequest{Agent: "refund"})
	if err != nil || !strings.Contains(q.Filter.String(), "refund-two") {
		t.Errorf("runs of the agent are asked by %v, %v", q.Filter, err)
	}
	run := client.Run{Team: "core", Environment: "production", Agent: "refund-two"}
	if o.nameState(&run); run.AgentState != "registered" || run.Registered != "refund" {
		t.Errorf("a run of it says %q %q", run.AgentState, run.Registered)
	}
	o.ask("POST", "/agents/refund-two/unmerge", coreDev, `{"reason":"they differ"}`, 200)
	if c := get[client.List[client.AgentMatch]](t, o.testAPI, "/agents/refund/claims", coreView); len(c.Items) != 1 {
		t.Errorf("claims after it %+v", c.Items)
	}
	o.saw("core", "stranger", nil)
	run = client.Run{Team: "core", Environment: "production", Agent: "stranger"}
	if o.nameState(&run); run.AgentState != "unknown" {
		t.Errorf("a stranger's run says %q", run.AgentState)
	}
}

func TestAgentPage(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.ask("POST", "/agents", coreDev, `{"name":"refund","team":"core","purpose":"gives money back"}`, 201)
	for range 2 {
		o.saw("core", "refund", func(s *activity.Step) {
			s.Kind, s.Model, s.Provider, s.AgentVersion = activity.KindModel, "gpt-4o", "openai", "1.0"
		})
	}
	inv := get[client.Inventory](t, o.testAPI, "/agents/refund/inventory", coreView)
	if len(inv.Items) != 2 || inv.Items[0].Name != "gpt-4o" || inv.Items[0].Seen != 2 || inv.Items[0].Known {
		t.Errorf("inventory %+v", inv)
	}
	o.ask("GET", "/agents/refund/inventory", shopView, "", 404)
	o.ask("GET", "/agents/refund/inventory?format=spdx", coreView, "", 400)
	o.ask("GET", "/agents/refund/inventory?from=tomorrowish", coreView, "", 400)
	o.ask("GET", "/agents/refund/inventory/changes", coreView, "", 400)
	o.ask("GET", "/agents/refund/inventory/changes?from=-48h&days=9999", coreView, "", 400)
	var bom struct {
		BOMFormat  string `json:"bomFormat"`
		Components []struct{ Type, Name string }
	}
	if err := json.Unmarshal(o.ask("GET", "/agents/refund/inventory?format=cyclonedx", coreView, "", 200).body, &bom); err != nil || bom.BOMFormat != "CycloneDX" || len(bom.Components) != 2 || bom.Components[0].Type != "machine-learning-model" {
		t.Errorf("bill of materials %+v, %v", bom, err)
	}
	changes := get[client.List[client.InventoryChange]](t, o.testAPI, "/agents/refund/inventory/changes?from=-240h&days=3", coreView)
	if len(changes.Items) != 2 || changes.Items[0].Change != "added" {
		t.Errorf("changes %+v", changes.Items)
	}
	o.ask("POST", "/agents/refund/inventory/approve", coreView, `{"kind":"model","part":"gpt-4o","reason":"r"}`, 403)
	o.ask("POST", "/agents/refund/inventory/approve", coreDev, `{"kind":"model","part":"gpt-4o","reason":"ours"}`, 204)
	o.ask("POST", "/agents/refund/versions/none/approve", coreDev, `{"reason":"r"}`, 404)
	o.ask("POST", "/agents/refund/contain", "as responder@core/production", `{"containment":"throttled","reason":"odd"}`, 200)

	s := get[client.AgentSummary](t, o.testAPI, "/agents/refund/summary", coreView)
	if s.Verdict != "warn" || !strings.Contains(s.Text, "throttled") || s.Unknown != 1 || s.LastChange == nil || s.LastChange.Kind != "containment" || s.LastChange.Reason != "odd" {
		t.Errorf("summary %+v", s)
	}
	revisions := get[client.List[client.AgentRevision]](t, o.testAPI, "/agents/refund/revisions", coreView)
	if len(revisions.Items) != 2 || revisions.Items[0].Action != "contain" || !slices.Equal(revisions.Items[0].Changed, []string{"containment"}) || revisions.Items[0].Author == "" {
		t.Errorf("revisions %+v", revisions.Items)
	}
	o.ask("GET", "/agents/refund/revisions", shopView, "", 404)
	o.ask("GET", "/agents/refund/summary", shopView, "", 404)
	o.ask("GET", "/agents/refund/timeline", shopView, "", 404)
}

func TestStandardAndLists(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.ask("POST", "/agents", coreDev, `{"name":"a","team":"core","purpose":"gives money back","data_classes":["production"]}`, 409)
	o.ask("POST", "/agents", coreDev, `{"name":"refund","team":"core","purpose":"gives money back"}`, 201)
	o.ask("POST", "/agents", coreDev, `{"name":"short","team":"core","purpose":"x","labels":{"tier":"1"}}`, 201)
	o.ask("POST", "/agents", "as developer@shop/production", `{"name":"stock","team":"shop","purpose":"counts the stock"}`, 201)
	o.ask("POST", "/agents/refund/promote", coreSec, `{"to":"production","reason":"ready"}`, 409)
	o.ask("POST", "/agents/refund/waivers", coreDev, `{"rule":"sponsor","until":"10d","reason":"r"}`, 403)
	o.ask("POST", "/agents/refund/waivers", coreSec, `{"rule":"sponsor","until":"yesterday","reason":"r"}`, 400)
	o.ask("POST", "/agents/refund/waivers", coreSec, `{"rule":"sponsor","until":"10d","reason":"hired in spring"}`, 200)
	o.ask("POST", "/agents/refund/promote", coreSec, `{"to":"production","reason":"ready"}`, 200)
	if w := get[client.List[client.Waiver]](t, o.testAPI, "/standard/waivers", coreView); len(w.Items) != 1 || w.Items[0].Rule != "sponsor" {
		t.Errorf("waivers %+v", w.Items)
	}
	if w := get[client.List[client.Waiver]](t, o.testAPI, "/standard/waivers", shopView); len(w.Items) != 0 {
		t.Errorf("another team's waivers %+v", w.Items)
	}
	g := get[client.Agent](t, o.testAPI, "/agents/refund", coreView)
	if len(g.Standard) != 2 || g.Standard[0].Rule != "sponsor" || g.Standard[0].WaivedTill == nil || g.Standard[1].Why != "it was never seen at work" || len(g.Marks) != 3 {
		t.Errorf("standard of the agent %+v, marks %+v", g.Standard, g.Marks)
	}
	c := get[client.Conformance](t, o.testAPI, "/standard/conformance", coreView)
	if len(c.Teams) != 1 || c.Teams[0].Agents != 2 || c.Teams[0].Conforming != 0 {
		t.Errorf("conformance %+v", c)
	}
	if s := get[client.Standard](t, o.testAPI, "/standard", coreView); s.Version == "" || len(s.Rules) < 5 {
		t.Errorf("standard %+v", s)
	}
	names := func(query string) string {
		t.Helper()
		var out []string
		for _, g := range get[client.List[client.Agent]](t, o.testAPI, "/agents?"+query, coreView).Items {
			out = append(out, g.Name)
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"": "refund short", "q=MONEY": "refund", "q=tier%3D1": "short", "lifecycle=production": "refund", "broken=true": "refund short",
		"sort=worst": "refund short", "sort=worst&limit=1": "refund", "sort=worst&cursor=refund": "short", "environment=staging": "", "origin=adopted": "", "observed=true": "",
	} {
		if got := names(query); got != want {
			t.Errorf("/agents?%s: %q, want %q", query, got, want)
		}
	}
	o.ask("GET", "/agents?sort=colour", coreView, "", 400)
	o.ask("DELETE", "/agents/refund/waivers/sponsor", coreDev, "", 403)
	o.ask("DELETE", "/agents/refund/waivers/sponsor", coreSec, "", 204)
	o.ask("DELETE", "/agents/refund/waivers/sponsor", coreSec, "", 404)
}

// A register of ten thousand stays quick to list.
func BenchmarkListTenThousandAgents(b *testing.B) {
	var f *fleet.Fleet
	var list *agent.Registry
	a := newTestAPI(b, func(o *Options) { o.Dev = true })
	var err error
	if list, err = agent.New(b.Context(), agent.Options{DB: a.house.db, Changed: func(before, after *agent.Agent) { f.Changed(before, after) }}); err != nil {
		b.Fatal(err)
	}
	if f, err = fleet.New(b.Context(), fleet.Options{DB: a.house.db, Agents: list}); err != nil {
		b.Fatal(err)
	}
	a.o.Agents, a.o.Fleet = list, f
	who := agent.Actor{Person: "prs_1", Name: "ann", Can: func(string, string, string) bool { return true }}
	err = a.house.db.Write(b.Context(), func(tx *control.Tx) error {
		for i := range 10_000 {
			n := agent.Agent{Name: fmt.Sprintf("agent-%d", i), Team: fmt.Sprintf("team-%d", i%40), Purpose: "counts the stock"}
			if _, err := list.CreateIn(b.Context(), tx, who, n, "bench"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, query := range []string{"limit=200", "sort=worst&limit=200", "q=agent-77", "team=team-7&limit=200", "broken=true&limit=200"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				if got := send(a, "GET", Prefix+"/agents?"+query, "", ""); got.status != 200 {
					b.Fatalf("%d %s", got.status, got.body)
				}
			}
		})
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if got := send(a, "GET", Prefix+"/agents/agent-77", "", ""); got.status != 200 {
				b.Fatalf("%d %s", got.status, got.body)
			}
		}
	})
}
