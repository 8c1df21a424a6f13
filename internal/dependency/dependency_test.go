package dependency

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func by(name, agent, kind, used, within string, days int64) Use {
	return Use{Place: Place{"core", "production", name}, Agent: agent, Kind: kind, Name: used, Within: within, Days: days, First: day, Last: day.Add(time.Hour), Run: "run_" + name}
}

func counted(name, kind, used string, n, errors int64, p95 float64) Calls {
	return Calls{Place{"core", "production", name}, kind, used, n, errors, &p95}
}

func text(g *Graph) string {
	var b strings.Builder
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "%s > %s", e.From, e.To)
		if e.Count == nil {
			b.WriteString(" ?")
		} else {
			fmt.Fprintf(&b, " %d", *e.Count)
		}
		if e.Errors != nil {
			fmt.Fprintf(&b, " errors %d p95 %g", *e.Errors, *e.P95)
		}
		if e.ByDay {
			b.WriteString(" by day")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func house() *Graph {
	return Build([]Use{
		by("refund", "refund", Tool, "look", "", -1), // as a step says it
		by("refund", "refund", Tool, "look", "orders", -1),
		by("refund", "refund", Tool, "unused", "orders", -1),
		by("refund", "refund", Server, "orders", "", 9),
		by("refund", "refund", Server, "crm", "", 4),
		by("refund", "refund", Model, "m", "openai", -1),
		by("refund", "refund", Agent, "helper", "", 3),
		by("refund-2", "refund", Tool, "look", "orders", -1), // another name of the same agent
		by("helper", "", Model, "m", "openai", -1),
		by("helper", "", Source, "kb", "", 7),
		{Place: Place{"core", "production", "helper"}, Kind: Agent, Name: "boss", Back: true, Days: 2, First: day, Last: day},
	}, []Calls{
		counted("refund", Tool, "look", 10, 1, 120), counted("refund-2", Tool, "look", 5, 0, 300),
		counted("refund", Model, "m", 20, 0, 900),
	})
}

func TestBuild(t *testing.T) {
	t.Parallel()
	want := `agent:boss@core > agent:helper@core 2 by day
agent:helper@core > model:m ?
agent:helper@core > source:kb 7 by day
agent:refund > agent:helper@core 3 by day
agent:refund > model:m 20 errors 0 p95 900
agent:refund > server:crm 4 by day
agent:refund > tool:orders/look 15 errors 1 p95 300
model:m > provider:openai 20 errors 0 p95 900
tool:orders/look > server:orders 15 errors 1 p95 300
`
	g := house()
	if got := text(g); got != want {
		t.Errorf("edges:\n%swant\n%s", got, want)
	}
	for id, want := range map[string]string{"agent:refund": "true true [refund refund-2]", "agent:helper@core": "false true [helper]", "agent:boss@core": "false false []"} {
		n, ok := g.Node(id)
		if !ok {
			t.Errorf("no node %s", id)
			continue
		}
		if got := fmt.Sprint(n.Registered, n.Seen, n.Names); got != want {
			t.Errorf("%s is %s, want %s (registered, seen, names)", id, got, want)
		}
	}
	if n, _ := g.Node("server:orders"); n.Calls == nil || *n.Calls != 15 || *n.Errors != 1 {
		t.Errorf("the server's figures are %+v", n)
	}
	if again := text(house()); again != want {
		t.Error("the same input gives another order")
	}
}

// A helper called the tool in the run of another: the edge has no count, the
// tool has.
func TestCallsInAnothersRun(t *testing.T) {
	t.Parallel()
	g := Build([]Use{by("boss", "", Agent, "helper", "", 1), by("helper", "", Tool, "ledger", "books", -1)}, []Calls{counted("boss", Tool, "ledger", 30, 29, 10)})
	want := `agent:boss@core > agent:helper@core 1 by day
agent:helper@core > tool:books/ledger ?
tool:books/ledger > server:books 30 errors 29 p95 10
`
	if got := text(g); got != want {
		t.Errorf("edges:\n%swant\n%s", got, want)
	}
	if n, _ := g.Node("tool:books/ledger"); n.Calls == nil || *n.Calls != 30 || *n.Errors != 29 {
		t.Errorf("the tool's figures: %+v", n)
	}
}

// A registered agent is its own team's, in whatever order it is met, and a name
// that another team's telemetry uses draws no line to it.
func TestClaimedNames(t *testing.T) {
	t.Parallel()
	mine := Use{Place: Place{"pay", "production", "payments-bot"}, Agent: "payments-bot", Kind: Agent, Name: "ledger", Days: 1, First: day, Last: day}
	friend := Use{Place: Place{"pay", "staging", "caller"}, Kind: Agent, Name: "payments-bot", Days: 1, First: day, Last: day}
	claimed := Use{Place: Place{"evil", "production", "spy"}, Kind: Agent, Name: "payments-bot", Days: 1, First: day, Last: day}
	for _, uses := range [][]Use{{mine, friend, claimed}, {claimed, friend, mine}} {
		g := Build(uses, nil)
		n, ok := g.Node("agent:payments-bot")
		if !ok || n.Team != "pay" || n.Environment != "production" || !n.Registered || !n.Seen {
			t.Errorf("the registered agent is %+v", n)
		}
		if got := fmt.Sprint(g.Dependents("agent:payments-bot")); got != "[{agent:caller@pay 1}]" {
			t.Errorf("on it depend %s, want its own team's caller alone", got)
		}
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	g := house()
	for _, c := range []struct {
		name string
		got  []Hop
		want string
	}{
		{"who needs the provider", g.Dependents("provider:openai"), "[{model:m 1} {agent:helper@core 2} {agent:refund 2} {agent:boss@core 3}]"},
		{"what the refund agent needs", g.Dependencies("agent:refund"), "[{agent:helper@core 1} {model:m 1} {server:crm 1} {tool:orders/look 1} {provider:openai 2} {server:orders 2} {source:kb 2}]"},
		{"nobody needs the first", g.Dependents("agent:boss@core"), "[]"},
		{"a node that is not there", g.Dependents("tool:none"), "[]"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestCirclesEnd(t *testing.T) {
	t.Parallel()
	g := Build([]Use{by("a", "", Agent, "b", "", 1), by("b", "", Agent, "a", "", 1), by("a", "", Agent, "a", "", 1)}, nil)
	if got := fmt.Sprint(g.Dependents("agent:a@core")); got != "[{agent:b@core 1}]" {
		t.Errorf("in a circle: %s", got)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	g := house().Keep(3, func(n *Node) int64 {
		if n.Calls == nil {
			return 0
		}
		return *n.Calls
	})
	if len(g.Nodes) != 3 || len(g.Edges) != 1 {
		t.Errorf("kept %d nodes and %d edges, want 3 (model, provider, tool or server) and the edge between two", len(g.Nodes), len(g.Edges))
	}
	order := Kinds()
	if !slices.IsSortedFunc(g.Nodes, func(x, y Node) int { return slices.Index(order, x.Kind) - slices.Index(order, y.Kind) }) {
		t.Errorf("order of kinds changed: %+v", g.Nodes)
	}
	for _, e := range g.Edges {
		if _, ok := g.Node(e.To); !ok {
			t.Errorf("an edge leads to %s, which is not kept", e.To)
		}
	}
}

// 1,000 agents that use 50 things each are more than any house has.
func BenchmarkBuild(b *testing.B) {
	var uses []Use
	var calls []Calls
	for a := range 1000 {
		for k := range 50 {
			name := fmt.Sprint("agent-", a)
			uses = append(uses, by(name, name, Tool, fmt.Sprint("tool-", (a+k)%400), "server", -1))
			calls = append(calls, counted(name, Tool, fmt.Sprint("tool-", (a+k)%400), 3, 0, 5))
		}
	}
	for b.Loop() {
		Build(uses, calls)
	}
}
