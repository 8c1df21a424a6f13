package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/dependency"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/identity"
	"reeve/internal/pin"
	"reeve/internal/stat"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// houseOperations are those about the house as a whole.
func houseOperations() []operation {
	return slices.Concat(mapOperations(), backupOperations(), retentionOperations(), connectionOperations(), complianceOperations())
}

func mapOperations() []operation {
	return []operation{
		define(operation{Name: "GetMap", Method: http.MethodGet, Path: "/map", Permission: rows(identity.Viewer), Summary: "tells who depends on what: agents, tools, models, servers and sources, as they were observed"}, getMap),
		define(operation{Name: "GetBlast", Method: http.MethodGet, Path: "/map/blast", Permission: rows(identity.Viewer), Summary: "tells what a node of the map would take down: agents, runs, users, cost, and what is open there"}, getBlast),
	}
}

const (
	defaultMapNodes = 600
	maxMapNodes     = 2000
	minErrorCalls   = 20 // below, a share of errors is not held against anybody
)

// mapAsk is one question about the map: the graph that the asker may see.
type mapAsk struct {
	a                 *API
	mu                sync.Mutex      // guards cut, while questions are asked side by side
	ctx               context.Context // of the request that asks
	environment, team string
	from, to          time.Time
	graph             *dependency.Graph
	runs              map[[2]string][]ownRuns // by team and name, as records say them
	cut               bool                    // some counts were beyond what a question answers
	trouble           map[string][]client.MapTrouble
}

// ownRuns are an agent's runs in an environment, and those that failed.
type ownRuns struct {
	environment  string
	runs, failed int64
}

func getMap(a *API, ctx context.Context, req *client.MapRequest) (*client.Map, error) {
	start := time.Now()
	m, err := a.mapAsk(ctx, req.From, req.To, req.Environment, req.Team)
	if err != nil {
		return nil, err
	}
	if err := m.troubles(); err != nil {
		return nil, err
	}
	all := len(m.graph.Nodes)
	m.graph = m.graph.Keep(min(orDefault(req.Limit, defaultMapNodes), maxMapNodes), m.rank)
	out := &client.Map{From: m.from, To: m.to, Nodes: make([]client.MapNode, 0, len(m.graph.Nodes)), Edges: make([]client.MapEdge, 0, len(m.graph.Edges)), Left: all - len(m.graph.Nodes)}
	for i := range m.graph.Nodes {
		out.Nodes = append(out.Nodes, m.node(&m.graph.Nodes[i]))
	}
	for i := range m.graph.Edges {
		out.Edges = append(out.Edges, edgeShape(&m.graph.Edges[i]))
	}
	if out.Text = mapText(out); m.cut {
		out.Text += " There are more counts than one answer holds: some nodes lack theirs."
	}
	out.TookMS = float64(time.Since(start).Microseconds()) / 1e3
	return out, nil
}

// mapAsk reads what the graph is made of, for what the asker may see.
func (a *API) mapAsk(ctx context.Context, from, to, environment, team string) (*mapAsk, error) {
	seen, err := a.fleet()
	if err != nil {
		return nil, err
	}
	m := &mapAsk{a: a, ctx: ctx, environment: environment, team: team, runs: map[[2]string][]ownRuns{}, trouble: map[string][]client.MapTrouble{}}
	if m.from, m.to, err = a.mapPeriod(from, to); err != nil {
		return nil, err
	}
	uses, err := seen.Uses(ctx, m.from, m.to)
	if err != nil {
		return nil, err
	}
	var tools, models []dependency.Calls
	var g errgroup.Group
	g.Go(func() (err error) { tools, err = m.calls(dependency.Tool, search.Is("kind", "tool")); return err })
	g.Go(func() (err error) { models, err = m.calls(dependency.Model, search.Is("call", "true")); return err })
	g.Go(m.countRuns)
	if err := g.Wait(); err != nil {
		return nil, err
	}
	m.graph = dependency.Build(m.uses(uses), append(tools, models...))
	return m, nil
}

// mapPeriod puts the ends of a period where rollups have bounds: a question that
// ends between them would be answered from every step.
func (a *API) mapPeriod(from, to string) (time.Time, time.Time, error) {
	f, t, err := a.period(from, to)
	if err != nil {
		return f, t, err
	}
	if t.IsZero() {
		t = a.o.Now()
	}
	if f.IsZero() {
		f = t.Add(-24 * time.Hour)
	}
	if length := t.Sub(f); length < time.Minute || length > maxOverview {
		return f, t, invalid("the map is of a minute to 92 days")
	}
	step := time.Minute
	if t.Sub(f) > 6*time.Hour {
		step = time.Hour
	}
	return f.UTC().Truncate(step), t.UTC().Add(step - 1).Truncate(step), nil
}

// uses are those of agents that the asker may see, in the graph's words.
func (m *mapAsk) uses(all []fleet.Use) []dependency.Use {
	who := whoOf(m.ctx)
	names := m.sourceNames()
	out := make([]dependency.Use, 0, len(all))
	for _, u := range all {
		c := u.Claim
		if m.team != "" && c.Team != m.team || m.environment != "" && c.Environment != m.environment || !who.Can(identity.Viewer, c.Team, c.Environment) {
			continue
		}
		name := cmp.Or(c.Name, c.AgentID, c.Service)
		d := dependency.Use{
			Place: dependency.Place{Team: c.Team, Environment: c.Environment, Name: name}, Agent: u.Agent, Kind: u.Kind, Name: u.Name, Days: u.Seen,
			First: u.FirstSeen, Last: u.LastSeen, Run: u.Run,
		}
		switch u.Kind {
		case fleet.KindTool, fleet.KindModel:
			d.Within = u.Detail
		case fleet.KindPeer:
			d.Kind, d.Back = dependency.Agent, u.Detail == fleet.ActsFor
		case fleet.KindSource, fleet.KindDataset:
			d.Kind = dependency.Source
			if known, ok := names[strings.ToLower(u.Name)]; ok {
				d.Name = known
			}
		}
		out = append(out, d)
	}
	return out
}

// sourceNames are the names of registered sources by all that steps call them.
func (m *mapAsk) sourceNames() map[string]string {
	out := map[string]string{}
	for _, s := range m.sources() {
		for _, n := range append([]string{s.Name, s.Dataset}, s.Aliases...) {
			if n != "" {
				out[strings.ToLower(n)] = s.Name
			}
		}
	}
	return out
}

func (m *mapAsk) sources() []client.Source {
	l, err := listSources(m.a, m.ctx, &client.ListSourcesRequest{})
	if err != nil {
		m.blind("sources", err)
		return nil
	}
	return l.Items
}

// blind notes a part that could not be asked: the map is drawn without its
// trouble, which is more than no map.
func (m *mapAsk) blind(part string, err error) {
	if fault.From(err).Code != "api.not_here" {
		m.a.o.Logger.WarnContext(m.ctx, "part of the map could not be read", "part", part, "err", err)
	}
}

func (m *mapAsk) ask(table string, where search.Expr, by []string, measures ...telemetry.Measure) (*answers, error) {
	q := telemetry.Query{Table: table, Select: measures, GroupBy: by, From: m.from, To: m.to, Limit: maxQueryRows}
	where = search.Both(where, exactly("environment", m.environment), exactly("team", m.team))
	if err := m.a.restrict(m.ctx, &q, queryTables[table], where); err != nil {
		return nil, err
	}
	res, err := m.a.o.Store.Query(m.ctx, q)
	if err != nil {
		return nil, fmt.Errorf("asking %s by %v for the map: %w", table, by, err)
	}
	if len(res.Rows) >= maxQueryRows {
		m.mu.Lock()
		m.cut = true
		m.mu.Unlock()
	}
	return newAnswers(res), nil
}

// calls counts calls of tools or of models by who made them, from rollups.
func (m *mapAsk) calls(kind string, where search.Expr) ([]dependency.Calls, error) {
	a, err := m.ask("steps", where, []string{"agent", "team", "environment", kind},
		telemetry.Measure{Func: "count", As: "count"}, telemetry.Measure{Func: "sum", Field: "errors", As: "errors"}, telemetry.Measure{Func: "p95", Field: "duration_ms", As: "p95"})
	if err != nil {
		return nil, err
	}
	out := make([]dependency.Calls, 0, len(a.rows))
	for _, row := range a.rows {
		if name := a.text(row, kind); name != "" {
			out = append(out, dependency.Calls{Place: placeOf(a, row), Kind: kind, Name: name, Count: a.count(row, "count"), Errors: a.count(row, "errors"), P95: a.number(row, "p95")})
		}
	}
	return out, nil
}

func placeOf(a *answers, row []any) dependency.Place {
	return dependency.Place{Team: a.text(row, "team"), Environment: a.text(row, "environment"), Name: a.text(row, "agent")}
}

func (m *mapAsk) countRuns() error {
	a, err := m.ask("runs", nil, []string{"agent", "team", "environment"},
		telemetry.Measure{Func: "count", As: "count"}, telemetry.Measure{Func: "sum", Field: "failed", As: "failed"})
	if err != nil {
		return err
	}
	for _, row := range a.rows {
		p := placeOf(a, row)
		k := [2]string{p.Team, p.Name}
		m.runs[k] = append(m.runs[k], ownRuns{p.Environment, a.count(row, "count"), a.count(row, "failed")})
	}
	return nil
}

// runsOf sums the runs of an agent's names; nil when none of them has any, since
// an agent that works in others' runs has none of its own.
func (m *mapAsk) runsOf(n *dependency.Node) (runs, failed *int64) {
	for _, name := range n.Names {
		for _, c := range m.runs[[2]string{n.Team, name}] {
			if n.Registered || c.environment == n.Environment {
				r, f := c.runs, c.failed
				if runs != nil {
					r, f = r+*runs, f+*failed
				}
				runs, failed = &r, &f
			}
		}
	}
	return runs, failed
}

// rank says which nodes a bounded map keeps: those in trouble, then the busiest.
func (m *mapAsk) rank(n *dependency.Node) int64 {
	var busy int64
	if n.Calls != nil {
		busy = *n.Calls
	}
	if runs, _ := m.runsOf(n); runs != nil {
		busy += *runs
	}
	if len(m.trouble[n.ID]) > 0 {
		busy += 1 << 50
	}
	return busy
}

func (m *mapAsk) node(n *dependency.Node) client.MapNode {
	out := client.MapNode{
		ID: n.ID, Kind: n.Kind, Name: pin.Visible(n.Name), Within: pin.Visible(n.Within), Team: n.Team, Environment: n.Environment,
		Calls: n.Calls, Errors: n.Errors, P95MS: n.P95, State: stateGood, Trouble: m.trouble[n.ID],
	}
	if n.Kind == dependency.Agent {
		out.Registered, out.Seen = &n.Registered, &n.Seen
		out.Runs, out.Failed = m.runsOf(n)
	}
	if out.Trouble == nil {
		out.Trouble = []client.MapTrouble{}
	}
	slices.SortStableFunc(out.Trouble, func(x, y client.MapTrouble) int { return cmp.Compare(badness(x.Level), badness(y.Level)) })
	if len(out.Trouble) > 0 {
		out.State = out.Trouble[0].Level
	}
	if e := m.touching(n); e != nil {
		out.Query = e.String()
	}
	out.Path = nodePath(n)
	return out
}

func nodePath(n *dependency.Node) string {
	q := url.QueryEscape
	switch {
	case n.Kind == dependency.Agent && n.Registered:
		return agentPath(n.Name)
	case n.Kind == dependency.Agent:
		return "/agents?show=unknown"
	case n.Kind == dependency.Tool && n.Within != "":
		return "/tools?tool=" + q(n.Within+"/"+n.Name)
	case n.Kind == dependency.Source:
		return "/sources?source=" + q(n.Name)
	case n.Kind == dependency.Server:
		return "/settings/upstreams"
	}
	return "/tools"
}

// errorState judges errors of calls: by the least share that they stand for, so
// that one failure of two is no alarm.
func errorState(errors, calls int64) string {
	if calls < minErrorCalls {
		return stateUnknown
	}
	low, _ := stat.Wilson(errors, calls)
	switch {
	case low > badFailing:
		return stateBad
	case low > warnFailing:
		return stateWarn
	}
	return stateGood
}

func edgeShape(e *dependency.Edge) client.MapEdge {
	out := client.MapEdge{From: e.From, To: e.To, Count: e.Count, ByDay: e.ByDay, Errors: e.Errors, P95MS: e.P95, State: stateUnknown, First: e.First, Last: e.Last, LastRun: e.Run}
	if e.Errors != nil && e.Count != nil {
		out.State = errorState(*e.Errors, *e.Count)
	}
	return out
}

func mapText(m *client.Map) string {
	if len(m.Nodes) == 0 {
		return "Nothing was seen at work in this period."
	}
	kinds, states := map[string]int{}, map[string]int{}
	for _, n := range m.Nodes {
		kinds[n.Kind]++
		states[n.State]++
	}
	var of []string
	for _, k := range dependency.Kinds() {
		if kinds[k] > 0 {
			of = append(of, many(kinds[k], k))
		}
	}
	text := strings.Join(of, ", ") + ", " + many(len(m.Edges), "edge") + "."
	if bad := states[stateBad] + states[stateWarn]; bad > 0 {
		text += fmt.Sprintf(" %s in trouble, %d of them badly.", map[bool]string{true: "One is", false: count(int64(bad)) + " are"}[bad == 1], states[stateBad])
	} else {
		text += " None is in trouble that is known."
	}
	if m.Left > 0 {
		text += fmt.Sprintf(" %s left out.", many(m.Left, "less busy node"))
	}
	return text
}

// agentOf is the registered agent of a node, when the asker may see it.
func (m *mapAsk) agentOf(n *dependency.Node) *agent.Agent {
	if !n.Registered || m.a.o.Agents == nil {
		return nil
	}
	g, ok := m.a.o.Agents.Lookup(n.Name)
	if !ok || !whoOf(m.ctx).Can(identity.Viewer, g.Team, g.Environment) {
		return nil
	}
	return g
}
