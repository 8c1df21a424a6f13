package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/incident"
)

// mapped is a house in which agent-0 and agent-2 of core, agent-1 and agent-3 of
// shop call the model m and the tool look, a third of whose calls fail.
func mapped(t *testing.T) *observed {
	t.Helper()
	o := newObserved(t)
	o.o.Store = fill(t, 100)
	for i, team := range []string{teams[0], teams[1]} {
		name := fmt.Sprint("agent-", i)
		o.saw(team, name, func(s *activity.Step) { s.Kind, s.Model, s.Provider = activity.KindModel, "m", "openai" })
		o.saw(team, name, func(s *activity.Step) { s.Kind, s.ToolName = activity.KindTool, "look" })
		o.saw(team, name, func(s *activity.Step) { s.Kind, s.Name = activity.KindRetrieval, "kb" })
		o.saw(team, name, func(s *activity.Step) { s.Kind, s.ToolName = activity.KindTool, "never-called" })
	}
	o.saw(teams[0], "agent-0", func(s *activity.Step) { s.Kind, s.ToolName = activity.KindHandoff, "agent-9" })
	return o
}

func edges(m client.Map) string {
	var b strings.Builder
	for _, e := range m.Edges {
		fmt.Fprintf(&b, "%s > %s %s", e.From, e.To, e.State)
		if e.Count != nil {
			fmt.Fprintf(&b, " %d", *e.Count)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestMap(t *testing.T) {
	t.Parallel()
	o := mapped(t)
	m := get[client.Map](t, o.testAPI, "/map", "as viewer")
	want := `agent:agent-0@core > agent:agent-9@core unknown 1
agent:agent-0@core > source:kb unknown 1
agent:agent-0@core > tool:look bad 25
agent:agent-1@shop > source:kb unknown 1
agent:agent-1@shop > tool:look warn 25
`
	if got := edges(m); got != want {
		t.Errorf("edges:\n%swant\n%s", got, want)
	}
	nodes := map[string]client.MapNode{}
	for _, n := range m.Nodes {
		nodes[n.ID] = n
	}
	if n := nodes["tool:look"]; n.State != stateBad || len(n.Trouble) != 1 || n.Trouble[0].Kind != "errors" || *n.Calls != 100 || n.Query != "tool:look" {
		t.Errorf("the failing tool is %+v", n)
	}
	if n := nodes["agent:agent-0@core"]; n.Registered == nil || *n.Registered || !*n.Seen || n.Runs == nil || *n.Runs != 25 || len(n.Trouble) != 1 || n.Trouble[0].Kind != "errors" {
		t.Errorf("the unregistered agent is %+v", n)
	}
	if n := nodes["agent:agent-9@core"]; n.Seen == nil || *n.Seen || n.State != stateGood {
		t.Errorf("an agent that was only named is %+v", n)
	}
	if !strings.Contains(m.Text, "3 agents, 1 tool, 1 source, 5 edges. 2 are in trouble, 1 of them badly.") {
		t.Errorf("in words: %s", m.Text)
	}
	if m.From.Minute() != 0 || m.To.Minute() != 0 {
		t.Errorf("the period is %v to %v, want whole hours", m.From, m.To)
	}

	// A team sees its own, and its figures are its own.
	shop := get[client.Map](t, o.testAPI, "/map", "as viewer@shop/*")
	if got := edges(shop); got != "agent:agent-1@shop > source:kb unknown 1\nagent:agent-1@shop > tool:look warn 25\n" {
		t.Errorf("what shop sees:\n%s", got)
	}
	if got := edges(get[client.Map](t, o.testAPI, "/map?team=core&environment=staging", "as viewer")); got != "" {
		t.Errorf("an environment without agents:\n%s", got)
	}
	few := get[client.Map](t, o.testAPI, "/map?limit=2", "as viewer")
	if len(few.Nodes) != 2 || few.Left != 3 || !strings.Contains(few.Text, "3 less busy nodes left out") {
		t.Errorf("a bounded map: %+v", few)
	}
	if early := get[client.Map](t, o.testAPI, "/map?from=-72h&to=-48h", "as viewer"); len(early.Nodes) != 0 || early.Text != "Nothing was seen at work in this period." {
		t.Errorf("before anybody worked: %+v", early)
	}
}

func TestMapTrouble(t *testing.T) {
	t.Parallel()
	o := mapped(t)
	g, err := o.list.Create(t.Context(), agent.Actor{Person: "per_1", Name: "Ada", Can: func(string, string, string) bool { return true }}, agent.Agent{Name: "agent-0", Team: teams[0], Environment: "production", Owner: "Ada", Purpose: "x", Kind: "internal"}, "")
	if err != nil {
		t.Fatal(err)
	}
	book, err := incident.New(t.Context(), incident.Options{DB: o.house.db, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	o.o.Incidents = book
	if _, err := book.Open(t.Context(), incident.Actor{Person: "per_1", Name: "Ada", Can: func(string, string, string) bool { return true }}, incident.Report{Title: "orders are wrong", Severity: incident.Critical, Team: teams[0], Environment: "production", Agents: []string{g.Name}}); err != nil {
		t.Fatal(err)
	}
	b := get[client.Blast](t, o.testAPI, "/map/blast?node=tool:look", "as viewer")
	if len(b.Dependents) != 2 || b.Dependents[0].ID != "agent:agent-0" || b.Dependents[0].Owner != "Ada" || b.Dependents[0].State != stateBad {
		t.Errorf("dependents are %+v, want the registered agent with its owner and its incident", b.Dependents)
	}
	if len(b.Incidents) != 1 || b.Incidents[0].On != "agent:agent-0" || b.Incidents[0].Title != "orders are wrong" {
		t.Errorf("incidents are %+v", b.Incidents)
	}
	if b.Touched.Runs == nil || *b.Touched.Runs != 100 || b.Touched.Query != "tool:look" || b.AtRisk.Runs == nil || b.Touched.Users != nil || *b.Touched.NoUser != 100 {
		t.Errorf("touched %+v, at risk %+v", b.Touched, b.AtRisk)
	}
	if !strings.HasPrefix(b.Text, "Without the tool look, 2 agents of 2 teams may not work: ") {
		t.Errorf("in words: %s", b.Text)
	}
	// Who sees one team hears of nobody else.
	only := get[client.Blast](t, o.testAPI, "/map/blast?node=tool:look", "as viewer@shop/*")
	if len(only.Dependents) != 1 || len(only.Incidents) != 0 || *only.Touched.Runs != 50 {
		t.Errorf("what shop hears: %+v", only)
	}
}

func TestMapBadInput(t *testing.T) {
	t.Parallel()
	o := mapped(t)
	for _, c := range []struct {
		path   string
		status int
		code   string
	}{
		{"/map?from=-10s", 400, "api.query_invalid"},
		{"/map?from=-400d", 400, "api.query_invalid"},
		{"/map?from=yesterday-ish", 400, "api.parameter_invalid"},
		{"/map?limit=9999", 400, ""},
		{"/map/blast", 400, "api.parameter_invalid"},
		{"/map/blast?node=tool:none", 404, "map.not_found"},
		{"/map/blast?node=%00%ff", 404, "map.not_found"},
	} {
		got := o.ask("GET", c.path, "as viewer", "", c.status)
		if !strings.Contains(string(got.body), c.code) {
			t.Errorf("GET %s: %s, want %s", c.path, got.body, c.code)
		}
	}
	o.ask("GET", "/map/blast?node=agent:agent-0@core", "as viewer@shop/*", "", 404) // another team's is not there
}

func TestErrorState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		errors, calls int64
		want          string
	}{{0, 0, stateUnknown}, {1, 2, stateUnknown}, {0, 1000, stateGood}, {12, 100, stateWarn}, {40, 100, stateBad}} {
		if got := errorState(c.errors, c.calls); got != c.want {
			t.Errorf("%d of %d is %s, want %s", c.errors, c.calls, got, c.want)
		}
	}
}
