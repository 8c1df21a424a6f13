package api

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/finding"
	"reeve/internal/fleet"
	"reeve/internal/identity"
	"reeve/internal/objective"
)

// An agent has five marks, in this order everywhere: objective, behaviour, data,
// identity, cost. Each that is not good says why in words and leads in one step to
// what shows it. What nobody can know is unknown, and never good.

// fiveMarks is what the marks of many agents are made of, read once a request.
type fiveMarks struct {
	objectives map[string][]objectiveAt // by the agent they are of; "team NAME": of all of a team's
	findings   map[agentKey][]finding.Finding
	budgets    map[string][]client.Budget // by agent
	sources    map[string]*client.Source  // by each name that it is called, in lower case
	anySource  bool
	reads      map[fleet.AgentKey][]string
	marking    marking
	agents     Agents
}

type objectiveAt struct {
	objective.Objective
	objective.Standing
}

// fiveMarks reads what is known now and what the asker may see, of one environment
// or ("") of all. A part that is not kept here leaves its mark unknown.
func (a *API) fiveMarks(ctx context.Context, environment string) (*fiveMarks, error) {
	who := whoOf(ctx)
	m := &fiveMarks{
		objectives: map[string][]objectiveAt{}, findings: map[agentKey][]finding.Finding{}, budgets: map[string][]client.Budget{}, sources: map[string]*client.Source{},
		marking: a.marking(), agents: a.o.Agents,
	}
	if a.o.Objectives != nil {
		for _, o := range a.o.Objectives.List() {
			if !seesObjective(ctx, o.Team, o.Environment) || !concerns(o.Environment, environment) {
				continue
			}
			_, s, err := a.o.Objectives.Standing(o.Name)
			if err != nil {
				continue // it was dropped this moment
			}
			key := o.Agent
			if key == "" {
				key = "team " + o.Team
			}
			m.objectives[key] = append(m.objectives[key], objectiveAt{o, s})
		}
	}
	if a.o.Findings != nil {
		m.openFindings(a.o.Findings.Live(func(f *finding.Finding) bool { return showsFinding(who, environment, f) }))
	}
	if a.o.Budgets != nil {
		for _, b := range a.o.Budgets.List() {
			if b.Scope == "agent" && b.Limit > 0 && maySeeBudget(who, b) {
				m.budgets[b.Match] = append(m.budgets[b.Match], b)
			}
		}
	}
	if err := m.readSources(ctx, a); err != nil {
		return nil, err
	}
	return m, nil
}

// concerns reports whether what is said of an environment ("" or "*": of all) is
// about the one that is looked at.
func concerns(of, environment string) bool {
	return environment == "" || of == "" || of == "*" || of == environment
}

// showsFinding reports whether a finding makes a mark for the asker: an agent can work
// in several environments, and a mark shows no more of them than their own page.
func showsFinding(who identity.Principal, environment string, f *finding.Finding) bool {
	return concerns(f.Environment, environment) && seesFinding(who, &client.Finding{Team: f.Team, Environment: f.Environment})
}

func (m *fiveMarks) openFindings(list []finding.Finding) {
	for _, f := range list {
		k := agentKey{f.Team, f.Agent}
		m.findings[k] = append(m.findings[k], f)
	}
}

func (m *fiveMarks) readSources(ctx context.Context, a *API) error {
	if a.o.Sources == nil || a.o.Fleet == nil {
		return nil
	}
	list, err := a.o.Sources.List(ctx)
	if err != nil {
		return err
	}
	who := whoOf(ctx)
	for i := range list {
		s := &list[i]
		if s.Team != "" && !seesPlace(who, s.Team, "") {
			continue
		}
		m.anySource = true
		for _, name := range append([]string{s.Name, s.Dataset}, s.Aliases...) {
			if name != "" {
				m.sources[strings.ToLower(name)] = s
			}
		}
	}
	m.reads = a.o.Fleet.Reads(a.o.Now().Add(-seenLately))
	return nil
}

// page is a path of the console with what it is to show.
func page(path string, search ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(search); i += 2 {
		v.Set(search[i], search[i+1])
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// of are the marks of one agent, whose runs came to g.
func (m *fiveMarks) of(k agentKey, g *agentSums, before float64, runs func(more string) string) []client.Mark {
	return []client.Mark{m.objective(k), m.behaviour(k, g, runs), m.data(k), m.identity(k), m.cost(k, g, before, runs)}
}

// objective is the worst of an agent's objectives, or of its team's where it has
// none of its own.
func (m *fiveMarks) objective(k agentKey) client.Mark {
	out := client.Mark{Name: "objective", State: stateUnknown, Reason: "no objective is set", Path: page("/objectives", "agent", k.agent)}
	list := m.objectives[k.agent]
	if len(list) == 0 {
		list = m.objectives["team "+k.team]
	}
	worst := -1
	for i := range list {
		o := &list[i]
		if o.Team != "" && o.Team != k.team {
			continue
		}
		state, words := objectiveWords(o)
		if worst >= 0 && badness(state) >= badness(out.State) {
			continue
		}
		worst = i
		out.State, out.Reason, out.Path = state, cmp.Or(o.Title, o.Name)+": "+words, page("/objectives", "objective", o.Name)
	}
	return out
}

func objectiveWords(o *objectiveAt) (state, words string) {
	switch o.State {
	case objective.Spent:
		return stateBad, "its budget is spent"
	case objective.Missed:
		return stateBad, "it falls short, as far as the verdicts tell"
	case objective.Burning:
		return stateWarn, "its budget burns faster than it may"
	case objective.Met:
		return stateGood, "met"
	case objective.Frozen:
		return stateUnknown, cmp.Or(o.Why, "too little is known to say")
	case objective.NoData:
		return stateUnknown, "nothing was counted"
	}
	return stateUnknown, cmp.Or(o.Why, "it was not looked at yet")
}

// What findings are about, where it is not behaviour.
var (
	moneyDetectors = []string{"cost"}
	dataDetectors  = []string{"stale_source"}
)

// worstFinding is the worst open finding that fits, the last seen of those.
func (m *fiveMarks) worstFinding(k agentKey, fits func(detector string) bool) *finding.Finding {
	var worst *finding.Finding
	rank := func(f *finding.Finding) int {
		return slices.Index([]string{finding.Critical, finding.Warning, finding.Info}, f.Severity)
	}
	for i := range m.findings[k] {
		if f := &m.findings[k][i]; fits(f.Detector) && (worst == nil || rank(f) < rank(worst)) {
			worst = f
		}
	}
	return worst
}

// found raises a mark to what a finding says: what is only information does not
// colour it.
func found(out *client.Mark, f *finding.Finding) {
	if f == nil {
		return
	}
	state := map[string]string{finding.Critical: stateBad, finding.Warning: stateWarn}[f.Severity]
	if state == "" || badness(state) >= badness(out.State) {
		return
	}
	out.State, out.Reason, out.Path = state, f.Text, page("/findings", "finding", f.ID)
	if !f.Authenticated {
		out.Reason += " (as its telemetry claims)"
	}
}

func (m *fiveMarks) behaviour(k agentKey, g *agentSums, runs func(string) string) client.Mark {
	out := behaviour(g)
	out.Path = page("/runs", "q", runs(""))
	if g.failed > 0 {
		out.Path = page("/runs", "q", runs(failedRuns))
	}
	found(&out, m.worstFinding(k, func(d string) bool { return !slices.Contains(moneyDetectors, d) && !slices.Contains(dataDetectors, d) }))
	return out
}

// data is the worst of the sources that the agent was seen to read in the last days.
func (m *fiveMarks) data(k agentKey) client.Mark {
	out := client.Mark{Name: "data", State: stateUnknown, Reason: "it was not seen to read a source in the last days", Path: page("/agents/" + url.PathEscape(k.agent))}
	names := m.reads[fleet.AgentKey{Team: k.team, Name: k.agent}]
	fresh, told := 0, 0
	for _, name := range names {
		s := m.sources[strings.ToLower(name)]
		if s == nil {
			continue
		}
		state, words := sourceWords(s)
		if state == stateUnknown {
			continue
		}
		told++
		if state == stateGood {
			fresh++
		}
		if told == 1 || badness(state) < badness(out.State) {
			out.State, out.Reason, out.Path = state, words, page("/sources", "source", s.Name)
		}
	}
	switch {
	case told == 0 && len(names) > 0:
		out.Reason = fmt.Sprintf("none of the %d that it reads says how old it is", len(names))
		if len(names) == 1 {
			out.Reason = names[0] + ", which it reads, does not say how old it is"
		}
		out.Path = page("/sources")
	case out.State == stateGood && fresh > 1:
		out.Reason = fmt.Sprintf("the %d sources that it reads are fresh", fresh)
	}
	found(&out, m.worstFinding(k, func(d string) bool { return slices.Contains(dataDetectors, d) }))
	return out
}

func sourceWords(s *client.Source) (state, words string) {
	switch {
	case s.OutOfUse != nil:
		return stateBad, s.Name + " is out of use: " + s.OutOfUse.Reason
	case s.State == "stale":
		return stateBad, s.Name + ": " + s.Reason
	case s.State == "warn":
		return stateWarn, s.Name + ": " + s.Reason
	case s.State == "fresh":
		return stateGood, s.Name + " is fresh"
	}
	return stateUnknown, ""
}

// identity is whether somebody answers for an agent, and whether it proves who it
// is.
func (m *fiveMarks) identity(k agentKey) client.Mark {
	out := client.Mark{Name: "identity", State: stateWarn, Reason: "nobody registered it: known only from its telemetry", Path: page("/agents/" + url.PathEscape(k.agent))}
	if k.agent == "" {
		out.State, out.Reason, out.Path = stateUnknown, "its sender gave no name", page("/runs", "q", "agent:unknown")
		return out
	}
	if m.agents == nil {
		out.State, out.Reason = stateUnknown, "there is no register of agents here"
		return out
	}
	g, ok := m.agents.Lookup(k.agent)
	if !ok || k.team != "" && g.Team != k.team {
		return out
	}
	if m.marking.judge == nil {
		out.State, out.Reason = stateUnknown, "nobody observes agents here"
		return out
	}
	mark := m.marking.identity(g)
	out.State, out.Reason = mark.State, mark.Reason
	switch standard := standardMark(breaksOf(m.marking.judge(g)), g); {
	case g.Lifecycle == agent.Retired:
		out.State, out.Reason = stateBad, "it is retired and is at work"
	case g.Contained(m.marking.now) == agent.Quarantined:
		out.State, out.Reason = stateBad, "it is quarantined"
	case badness(standard.State) < badness(out.State):
		out.State, out.Reason = standard.State, standard.Reason
	}
	return out
}

// fullBudget is the share of a budget from which on it is worth a look.
const fullBudget = 0.9

func (m *fiveMarks) cost(k agentKey, g *agentSums, before float64, runs func(string) string) client.Mark {
	out := costMark(g, before)
	out.Path = page("/runs", "q", runs(""), "sort", "cost")
	for _, b := range m.budgets[k.agent] {
		if b.Team != "" && b.Team != k.team {
			continue // of an agent of the same name
		}
		state := stateGood
		switch share := (b.Spent + b.Reserved) / b.Limit; {
		case share >= 1 && b.Hard:
			state = stateBad
		case share >= fullBudget:
			state = stateWarn
		}
		if state != stateGood && badness(state) < badness(out.State) {
			out.State, out.Path = state, page("/cost")
			out.Reason = fmt.Sprintf("budget %s: %g of %g %s are spent", b.Name, b.Spent, b.Limit, b.Unit)
		}
	}
	found(&out, m.worstFinding(k, func(d string) bool { return slices.Contains(moneyDetectors, d) }))
	return out
}

// worstMark is an agent's state: its worst mark that is known; what nobody can know
// yet does not make every agent look the same.
func worstMark(marks []client.Mark) (state, reason, path string) {
	state = stateUnknown
	for _, m := range marks {
		if m.State != stateUnknown && (state == stateUnknown || badness(m.State) < badness(state)) {
			state, reason, path = m.State, m.Reason, m.Path
		}
	}
	return state, reason, path
}

// listAgentMarks answers how each agent stands, with the reasons.
func listAgentMarks(a *API, ctx context.Context, req *client.ListAgentMarksRequest) (*client.List[client.AgentMarks], error) {
	ask, err := a.overviewAsk(ctx, &client.OverviewRequest{From: req.From, To: req.To, Environment: req.Environment, Team: req.Team})
	if err != nil {
		return nil, err
	}
	if req.Agent != "" {
		ask.narrow(req.Agent)
	}
	var s overviewSums
	ask.agents(&s, runFigures[:2]) // count and cost
	five, err := a.fiveMarks(ctx, req.Environment)
	if err != nil {
		return nil, err
	}
	if err := ask.concurrent.Wait(); err != nil {
		return nil, err
	}
	s.fill()
	ask.five = five
	before := s.costBefore()
	out := &client.List[client.AgentMarks]{Items: []client.AgentMarks{}}
	who, seen := whoOf(ctx), map[string]bool{}
	for k, g := range s.byAgent {
		f := ask.fleetAgent(k, g, before)
		seen[k.agent] = true
		out.Items = append(out.Items, client.AgentMarks{Agent: k.agent, Team: k.team, State: f.State, Reason: f.Reason, Path: f.Path, Marks: f.Marks})
	}
	if a.o.Agents != nil { // those that did nothing in the period stand somewhere too
		for _, g := range a.o.Agents.List() {
			if seen[g.Name] || req.Agent != "" && g.Name != req.Agent || req.Team != "" && g.Team != req.Team || req.Environment != "" && g.Environment != req.Environment ||
				g.Lifecycle == agent.Retired || !seesPlace(who, g.Team, g.Environment) {
				continue
			}
			k := agentKey{g.Team, g.Name}
			f := ask.fleetAgent(k, &agentSums{}, before)
			out.Items = append(out.Items, client.AgentMarks{Agent: g.Name, Team: g.Team, State: f.State, Reason: f.Reason, Path: f.Path, Marks: f.Marks})
		}
	}
	slices.SortFunc(out.Items, func(x, y client.AgentMarks) int {
		return cmp.Or(cmp.Compare(badness(x.State), badness(y.State)), cmp.Compare(x.Agent, y.Agent), cmp.Compare(x.Team, y.Team))
	})
	out.Items = out.Items[:min(len(out.Items), maxMarked)]
	return out, nil
}

// maxMarked bounds one answer: names come from senders.
const maxMarked = 5000
