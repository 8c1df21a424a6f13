// Package dependency is the graph of who depends on what: agents, the tools,
// models and servers they call, the sources they read and the agents they hand
// work to, as it was observed.
//
// What for: the map of the house, and the answer to "what would this take down?".
//
// Who calls it: api builds a Graph of what the fleet saw and what the store
// counted, for one period and for what the asker may see.
//
// Promises: pure: no clock, no database, nothing kept between calls. The same
// input gives the same graph in the same order. An edge is there only when a
// record names both of its ends; a figure that nobody measured is nil, never 0.
// Cost goes by the number of edges.
//
// How it fails: it does not. A node that is not in the graph reaches nothing.
//
// Start reading at Build, then Graph.Dependents.
package dependency

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The kinds of nodes, from those who depend to what is depended on.
const (
	Agent    = "agent"
	Tool     = "tool"
	Model    = "model"
	Source   = "source"
	Server   = "server"   // of tools, or an upstream of the door
	Provider = "provider" // of models
)

// Kinds lists the kinds in the order of the map.
func Kinds() []string { return []string{Agent, Tool, Model, Source, Server, Provider} }

// Place is a name within a team and environment: who records say they are.
type Place struct{ Team, Environment, Name string }

// Use is that somebody was seen to use something.
type Use struct {
	Place
	Agent  string // the registered agent; "" nobody's
	Kind   string // Tool, Model, Source, Server or Agent
	Name   string
	Within string // a tool's server, a model's provider; "" unknown
	Back   bool   // of kind Agent: the named one gave the work, and depends on this one
	Days   int64  // uses by day; negative: not counted by day
	First  time.Time
	Last   time.Time
	Run    string // where it was last seen
}

// Calls is what was counted of one name's calls of a tool or model.
type Calls struct {
	Place
	Kind, Name    string
	Count, Errors int64
	P95           *float64 // ms; nil unknown
}

// Node is something that depends or is depended on.
type Node struct {
	ID, Kind, Name    string
	Within            string // a tool's server, a model's provider
	Team, Environment string // of an agent
	Registered        bool   // an agent of the register
	Seen              bool   // it was at work itself; an agent that others only name was not
	Names             []string
	Calls, Errors     *int64 // that reached it; nil unknown
	P95               *float64
}

// Edge says that From depends on To.
type Edge struct {
	From, To    string
	Count       *int64 // nil: used, and counted with the agent whose run it was
	Errors      *int64
	P95         *float64 // ms; of several parts the slowest
	ByDay       bool     // Count is of whole days (UTC)
	First, Last time.Time
	Run         string
}

// Graph is made by Build. It is not changed afterwards.
type Graph struct {
	Nodes []Node // by kind and name
	Edges []Edge // by their ends

	at        map[string]int
	out, back map[string][]string
}

// Node finds a node.
func (g *Graph) Node(id string) (*Node, bool) {
	i, ok := g.at[id]
	if !ok {
		return nil, false
	}
	return &g.Nodes[i], true
}

// AgentID is the id of an agent's node: a registered name is one of the house,
// any other one of its team.
func AgentID(p Place, registered string) string {
	if registered != "" {
		return Agent + ":" + registered
	}
	return Agent + ":" + p.Name + "@" + p.Team
}

// ID is the id of a node that is no agent.
func ID(kind, name, within string) string {
	if within != "" && kind == Tool {
		return kind + ":" + within + "/" + name // two servers may call different tools by one name
	}
	return kind + ":" + name
}

type callKey struct {
	Place
	kind, name string
}

type pair struct{ from, to string }

type builder struct {
	nodes map[string]*Node
	edges map[pair]*Edge
	calls map[callKey]*Calls // those that no edge has taken yet
	any   map[[2]string]bool // kind and name: somebody called it in the period
	owner map[Place]string   // the node of who was seen
	named map[string]string  // the team of registered names that were seen
}

// Build joins uses and counts to a graph. A tool or model is in it when it was
// called in the period of the counts. Counts go by the agent whose run it was, so
// one that worked in another's run has the edge without the figure.
func Build(uses []Use, calls []Calls) *Graph {
	b := &builder{
		nodes: map[string]*Node{}, edges: map[pair]*Edge{}, calls: map[callKey]*Calls{}, any: map[[2]string]bool{},
		owner: map[Place]string{}, named: map[string]string{},
	}
	for i := range calls {
		c := &calls[i]
		b.calls[callKey{c.Place, c.Kind, c.Name}] = c
		b.any[[2]string{c.Kind, c.Name}] = true
	}
	uses = placed(uses)
	served := map[pair]bool{} // agent and server that a tool of it leads to
	for i := range uses {
		u := &uses[i]
		id := AgentID(u.Place, u.Agent)
		b.owner[u.Place] = id
		if u.Agent != "" {
			b.named[u.Agent] = u.Team
		}
		if u.Kind == Tool && u.Within != "" && b.called(u) {
			served[pair{id, ID(Server, u.Within, "")}] = true
		}
	}
	for i := range uses {
		u := &uses[i]
		if (u.Kind == Tool || u.Kind == Model) && !b.called(u) {
			continue
		}
		if u.Kind == Server && served[pair{AgentID(u.Place, u.Agent), ID(Server, u.Name, "")}] {
			continue // by way of its tools
		}
		b.use(u)
	}
	b.rest()
	return b.graph()
}

// rest gives calls that no edge took (an agent made them in another's run) to
// the node they reached, where a name has only one: whoever failed there, it
// failed.
func (b *builder) rest() {
	nodes := map[[2]string][]*Node{}
	for _, n := range b.nodes {
		nodes[[2]string{n.Kind, n.Name}] = append(nodes[[2]string{n.Kind, n.Name}], n)
	}
	for k, c := range b.calls {
		to := nodes[[2]string{k.kind, k.name}]
		if len(to) != 1 {
			continue
		}
		addNode(to[0], c)
		behind := Server
		if k.kind == Model {
			behind = Provider
		}
		if n := b.nodes[ID(behind, to[0].Within, "")]; to[0].Within != "" && n != nil {
			addNode(n, c)
			add(b.edges[pair{to[0].ID, n.ID}], c)
		}
	}
}

// placed gives the uses of a tool or model that nobody said the server or provider
// of what another record of the same name says: the door knows it, steps seldom.
func placed(uses []Use) []Use {
	within := map[callKey]string{}
	for i := range uses {
		if u := &uses[i]; u.Within != "" {
			within[callKey{u.Place, u.Kind, u.Name}] = u.Within
		}
	}
	uses = slices.Clone(uses)
	for i := range uses {
		if u := &uses[i]; u.Within == "" {
			u.Within = within[callKey{u.Place, u.Kind, u.Name}]
		}
	}
	return uses
}

func (b *builder) called(u *Use) bool { return b.any[[2]string{u.Kind, u.Name}] }

// agent is the node of who used something.
func (b *builder) agent(u *Use) *Node {
	n := b.node(Node{ID: AgentID(u.Place, u.Agent), Kind: Agent, Name: cmp.Or(u.Agent, u.Place.Name), Team: u.Team, Environment: u.Environment, Registered: u.Agent != "", Seen: true})
	n.Seen, n.Registered, n.Team, n.Environment = true, u.Agent != "", u.Team, u.Environment // whoever named it before knew less
	if !slices.Contains(n.Names, u.Place.Name) {
		n.Names = append(n.Names, u.Place.Name)
	}
	return n
}

// peer is the node of an agent that another names: a registered one, one seen in
// the same team, or nobody that was ever seen.
func (b *builder) peer(u *Use) *Node {
	p := Place{u.Team, u.Environment, u.Name}
	id, seen := b.owner[p]
	team, registered := b.named[u.Name]
	switch {
	case registered && team == u.Team:
		// Only in its own team: a name that another team's telemetry uses is a
		// claim, and draws no line to somebody else's agent.
		id = AgentID(p, u.Name)
	case !seen:
		id = AgentID(p, "")
	}
	return b.node(Node{ID: id, Kind: Agent, Name: u.Name, Team: u.Team, Environment: u.Environment, Registered: id == AgentID(p, u.Name)})
}

func (b *builder) node(n Node) *Node {
	have := b.nodes[n.ID]
	if have == nil {
		have = &n
		b.nodes[n.ID] = have
	}
	have.Within = cmp.Or(have.Within, n.Within)
	return have
}

func (b *builder) use(u *Use) {
	from := b.agent(u)
	if u.Kind == Agent {
		to := b.peer(u)
		if u.Back {
			from, to = to, from
		}
		if from.ID != to.ID {
			b.byDay(b.edge(from.ID, to.ID, u), u)
		}
		return
	}
	within := ""
	if u.Kind == Tool || u.Kind == Model {
		within = u.Within
	}
	to := b.node(Node{ID: ID(u.Kind, u.Name, within), Kind: u.Kind, Name: u.Name, Within: within, Names: []string{u.Name}})
	e := b.edge(from.ID, to.ID, u)
	if u.Kind != Tool && u.Kind != Model {
		b.byDay(e, u)
		return
	}
	var counted *Calls
	k := callKey{u.Place, u.Kind, u.Name}
	if counted = b.calls[k]; counted != nil {
		delete(b.calls, k) // a name has one count, and maybe several services
		add(e, counted)
		addNode(to, counted)
	}
	if within == "" {
		return
	}
	kind := Server
	if u.Kind == Model {
		kind = Provider
	}
	behind := b.node(Node{ID: ID(kind, within, ""), Kind: kind, Name: within, Names: []string{within}})
	e = b.edge(to.ID, behind.ID, u)
	if counted != nil {
		add(e, counted)
		addNode(behind, counted)
	}
}

func (b *builder) edge(from, to string, u *Use) *Edge {
	e := b.edges[pair{from, to}]
	if e == nil {
		e = &Edge{From: from, To: to, First: u.First, Last: u.Last, Run: u.Run}
		b.edges[pair{from, to}] = e
	}
	if u.First.Before(e.First) {
		e.First = u.First
	}
	if u.Last.After(e.Last) {
		e.Last, e.Run = u.Last, cmp.Or(u.Run, e.Run)
	}
	return e
}

func (b *builder) byDay(e *Edge, u *Use) {
	if u.Days >= 0 {
		e.Count, e.ByDay = plus(e.Count, u.Days), true
	}
}

func add(e *Edge, c *Calls) {
	e.Count, e.Errors, e.P95 = plus(e.Count, c.Count), plus(e.Errors, c.Errors), slower(e.P95, c.P95)
}

func addNode(n *Node, c *Calls) {
	n.Calls, n.Errors, n.P95 = plus(n.Calls, c.Count), plus(n.Errors, c.Errors), slower(n.P95, c.P95)
}

func plus(sum *int64, n int64) *int64 {
	if sum != nil {
		n += *sum
	}
	return &n
}

func slower(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

func (b *builder) graph() *Graph {
	g := &Graph{Nodes: make([]Node, 0, len(b.nodes)), Edges: make([]Edge, 0, len(b.edges))}
	for _, n := range b.nodes {
		slices.Sort(n.Names)
		g.Nodes = append(g.Nodes, *n)
	}
	for _, e := range b.edges {
		g.Edges = append(g.Edges, *e)
	}
	order := Kinds()
	slices.SortFunc(g.Nodes, func(x, y Node) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Kind), slices.Index(order, y.Kind)), strings.Compare(x.Name, y.Name), strings.Compare(x.ID, y.ID))
	})
	slices.SortFunc(g.Edges, func(x, y Edge) int { return cmp.Or(strings.Compare(x.From, y.From), strings.Compare(x.To, y.To)) })
	g.index()
	return g
}

func (g *Graph) index() {
	g.at, g.out, g.back = make(map[string]int, len(g.Nodes)), map[string][]string{}, map[string][]string{}
	for i := range g.Nodes {
		g.at[g.Nodes[i].ID] = i
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		g.out[e.From] = append(g.out[e.From], e.To)
		g.back[e.To] = append(g.back[e.To], e.From)
	}
}

// Hop is a node that is reached, and over how many edges at least.
type Hop struct {
	ID       string
	Distance int
}

// Dependents are the nodes that depend on one, directly or through others, the
// nearest first; itself is not among them.
func (g *Graph) Dependents(id string) []Hop { return reach(id, g.back) }

// Direct are the nodes with an edge to one.
func (g *Graph) Direct(id string) []string { return g.back[id] }

// Dependencies are the nodes that one depends on, the nearest first.
func (g *Graph) Dependencies(id string) []Hop { return reach(id, g.out) }

func reach(id string, next map[string][]string) []Hop {
	seen := map[string]bool{id: true}
	var out []Hop
	for at, ring := 1, []string{id}; len(ring) > 0; at++ {
		var far []string
		for _, n := range ring {
			for _, to := range next[n] {
				if !seen[to] {
					seen[to] = true
					far = append(far, to)
				}
			}
		}
		slices.Sort(far)
		for _, n := range far {
			out = append(out, Hop{n, at})
		}
		ring = far
	}
	return out
}

// Keep is the graph of its first n nodes by a rank, the highest first, with the
// edges between them.
func (g *Graph) Keep(n int, rank func(*Node) int64) *Graph {
	if len(g.Nodes) <= n {
		return g
	}
	order, ranks := make([]int, len(g.Nodes)), make([]int64, len(g.Nodes))
	for i := range order {
		order[i], ranks[i] = i, rank(&g.Nodes[i])
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(ranks[y], ranks[x]) })
	order = order[:n]
	slices.Sort(order)
	out := &Graph{}
	kept := map[string]bool{}
	for _, i := range order {
		out.Nodes = append(out.Nodes, g.Nodes[i])
		kept[g.Nodes[i].ID] = true
	}
	for _, e := range g.Edges {
		if kept[e.From] && kept[e.To] {
			out.Edges = append(out.Edges, e)
		}
	}
	out.index()
	return out
}
