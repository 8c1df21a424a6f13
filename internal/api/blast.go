package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/dependency"
	"reeve/internal/fault"
	"reeve/internal/pin"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// maxBlastNames bounds a search over runs: a node that more agents depend on is
// answered for all runs that the asker sees.
const maxBlastNames = 500

func getBlast(a *API, ctx context.Context, req *client.BlastRequest) (*client.Blast, error) {
	if req.Node == "" {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "node is missing").WithHint("the id of a node of the map, such as tool:orders/lookup; `reeve map` lists them")
	}
	m, err := a.mapAsk(ctx, req.From, req.To, req.Environment, req.Team)
	if err != nil {
		return nil, err
	}
	n, ok := m.graph.Node(req.Node)
	if !ok {
		return nil, fault.New(fault.KindNotFound, "map.not_found", "nothing of that name was seen in this period").WithHint("`reeve map` lists what was; a longer period may have it")
	}
	if err := m.troubles(); err != nil {
		return nil, err
	}
	out := &client.Blast{From: m.from, To: m.to, Node: m.node(n), Teams: []client.BlastTeam{}}
	before, after := m.graph.Dependents(n.ID), m.graph.Dependencies(n.ID)
	out.Dependents, out.Dependencies = m.hops(before), m.hops(after)
	var g errgroup.Group
	g.Go(func() (err error) { out.Touched, err = m.reach(m.touching(n)); return err })
	g.Go(func() (err error) { out.AtRisk, err = m.reach(m.risked(n, before)); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out.Incidents = m.openAt(n, before)
	teams := map[string]int{}
	for _, d := range out.Dependents {
		if d.Kind == dependency.Agent {
			teams[d.Team]++
		}
	}
	for team, agents := range teams {
		out.Teams = append(out.Teams, client.BlastTeam{Team: team, Agents: agents})
	}
	slices.SortFunc(out.Teams, func(x, y client.BlastTeam) int {
		return cmp.Or(cmp.Compare(y.Agents, x.Agents), strings.Compare(x.Team, y.Team))
	})
	out.Text = blastText(out)
	return out, nil
}

func (m *mapAsk) hops(list []dependency.Hop) []client.BlastNode {
	out := make([]client.BlastNode, 0, len(list))
	for _, h := range list {
		n, _ := m.graph.Node(h.ID)
		shape := m.node(n)
		b := client.BlastNode{ID: n.ID, Kind: n.Kind, Name: shape.Name, Team: n.Team, State: shape.State, Distance: h.Distance, Path: shape.Path}
		if g := m.agentOf(n); g != nil {
			b.Owner = g.Owner
		}
		out = append(out, b)
	}
	return out
}

// touching is the search for the runs that used a node themselves; nil when no
// search can tell.
func (m *mapAsk) touching(n *dependency.Node) search.Expr {
	switch n.Kind {
	case dependency.Agent:
		return m.agents([]*dependency.Node{n})
	case dependency.Tool:
		if n.Within == "" {
			return search.Is("tool", n.Name)
		}
		return search.Both(search.Is("tool", n.Name), m.agents(m.direct(n.ID))) // another server's tool may have the name
	case dependency.Model, dependency.Source:
		return search.Is(n.Kind, n.Names...)
	}
	var names []string
	field := dependency.Tool
	for _, id := range m.graph.Direct(n.ID) {
		if of, _ := m.graph.Node(id); of.Kind == dependency.Tool || of.Kind == dependency.Model {
			names, field = append(names, of.Name), of.Kind
		}
	}
	if len(names) == 0 || len(names) > maxBlastNames {
		return nil // agents call it without a tool that has a name
	}
	return search.Is(field, names...)
}

func (m *mapAsk) direct(id string) (out []*dependency.Node) {
	for _, d := range m.graph.Direct(id) {
		if n, _ := m.graph.Node(d); n.Kind == dependency.Agent {
			out = append(out, n)
		}
	}
	return out
}

// agents is the search for the runs in which any of these agents worked.
func (m *mapAsk) agents(list []*dependency.Node) search.Expr {
	var names []string
	for _, n := range list {
		names = append(names, n.Name)
		names = append(names, n.Names...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 || len(names) > maxBlastNames {
		return nil
	}
	return search.Is("agents", names...)
}

// risked is the search for all runs of whoever depends on a node.
func (m *mapAsk) risked(n *dependency.Node, before []dependency.Hop) search.Expr {
	var list []*dependency.Node
	if n.Kind == dependency.Agent {
		list = append(list, n)
	}
	for _, h := range before {
		if d, _ := m.graph.Node(h.ID); d.Kind == dependency.Agent {
			list = append(list, d)
		}
	}
	return m.agents(list)
}

// reach counts the runs of a search: how many, for whom and at what cost.
func (m *mapAsk) reach(where search.Expr) (client.BlastReach, error) {
	if where == nil {
		return client.BlastReach{}, nil
	}
	a, err := m.ask("runs", where, nil,
		telemetry.Measure{Func: "count", As: "count"}, telemetry.Measure{Func: "sum", Field: "failed", As: "failed"},
		telemetry.Measure{Func: "distinct", Field: "user", As: "users"}, telemetry.Measure{Func: "count", As: "no_user", Where: search.Unknown("user")},
		telemetry.Measure{Func: "sum", Field: "cost", As: "cost"}, telemetry.Measure{Func: "count", As: "no_cost", Where: search.Unknown("cost")})
	if err != nil {
		return client.BlastReach{}, err
	}
	out := client.BlastReach{Query: where.String()}
	if len(a.rows) == 0 {
		zero := int64(0)
		out.Runs, out.Failed, out.NoUser, out.CostUnknown = &zero, &zero, &zero, &zero
		return out, nil
	}
	row := a.rows[0]
	whole := func(name string) *int64 { n := a.count(row, name); return &n }
	out.Runs, out.Failed, out.NoUser, out.CostUnknown, out.Cost = whole("count"), whole("failed"), whole("no_user"), whole("no_cost"), a.number(row, "cost")
	if *out.NoUser < *out.Runs {
		out.Users = whole("users") // else no run names any, which is not nobody
	}
	return out, nil
}

// openAt are the live incidents of a node and of what depends on it.
func (m *mapAsk) openAt(n *dependency.Node, before []dependency.Hop) []client.BlastRecord {
	byName := map[[2]string][]string{}
	add := func(n *dependency.Node) {
		for _, name := range append([]string{n.Name}, n.Names...) {
			byName[[2]string{n.Kind, name}] = append(byName[[2]string{n.Kind, name}], n.ID)
		}
	}
	add(n)
	for _, h := range before {
		d, _ := m.graph.Node(h.ID)
		add(d)
	}
	out := []client.BlastRecord{}
	for _, i := range m.liveIncidents() {
		ids := about(&i, byName)
		if len(ids) == 0 {
			continue
		}
		on := ids[0]
		if slices.Contains(ids, n.ID) {
			on = n.ID
		}
		out = append(out, client.BlastRecord{ID: i.ID, Number: i.Number, Title: i.Title, Severity: i.Severity, On: on})
	}
	return out
}

func blastText(b *client.Blast) string {
	agents, others := 0, 0
	for _, d := range b.Dependents {
		if d.Kind == dependency.Agent {
			agents++
		} else {
			others++
		}
	}
	name := b.Node.Kind + " " + pin.Visible(b.Node.Name)
	if agents+others == 0 {
		return "Nothing that was seen depends on the " + name + "."
	}
	var t strings.Builder
	fmt.Fprintf(&t, "Without the %s, %s of %s may not work", name, many(agents, "agent"), many(len(b.Teams), "team"))
	if r := b.AtRisk; r.Runs != nil {
		fmt.Fprintf(&t, ": %s in this period", many(*r.Runs, "run"))
		if r.Users != nil {
			fmt.Fprintf(&t, " for %s", many(*r.Users, "user"))
		}
		if r.Cost != nil {
			fmt.Fprintf(&t, ", %s", money(*r.Cost))
		}
	}
	return t.String() + "."
}

// many is a number with what it counts.
func many[N int | int64](n N, word string) string {
	return count(int64(n)) + " " + plural(int64(n), word)
}
