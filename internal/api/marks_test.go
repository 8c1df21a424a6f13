package api

import (
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/finding"
	"reeve/internal/fleet"
	"reeve/internal/identity"
	"reeve/internal/objective"
)

// Each mark is what the records say, the worst first; what is not good has its
// reason and its page; what nobody can know is unknown.
func TestFiveMarks(t *testing.T) {
	t.Parallel()
	const of = "refunds"
	k := agentKey{"core", of}
	dollar := 1.0
	obj := func(team, state, why string) objectiveAt {
		return objectiveAt{objective.Objective{Name: "answers-" + state, Team: team}, objective.Standing{State: state, Why: why}}
	}
	find := func(detector, severity string) finding.Finding {
		return finding.Finding{ID: "fnd_" + detector, Detector: detector, Severity: severity, Text: "odd " + detector, Authenticated: true}
	}
	for _, c := range []struct {
		name   string
		made   func(m *fiveMarks)
		runs   agentSums
		before float64
		mark   string
		want   client.Mark
	}{
		{"nothing is set", func(*fiveMarks) {}, agentSums{}, 0, "objective", client.Mark{State: stateUnknown, Reason: "no objective is set", Path: "/objectives?agent=refunds"}},
		{"the worst objective", func(m *fiveMarks) {
			m.objectives[of] = []objectiveAt{obj("core", objective.Met, ""), obj("core", objective.Spent, ""), obj("core", objective.Burning, "")}
		}, agentSums{}, 0, "objective", client.Mark{State: stateBad, Reason: "answers-spent: its budget is spent", Path: "/objectives?objective=answers-spent"}},
		{"one that is frozen is not good", func(m *fiveMarks) {
			m.objectives[of] = []objectiveAt{obj("core", objective.Met, ""), obj("core", objective.Frozen, "too few are known")}
		}, agentSums{}, 0, "objective", client.Mark{State: stateUnknown, Reason: "answers-frozen: too few are known", Path: "/objectives?objective=answers-frozen"}},
		{"its team's, where it has none", func(m *fiveMarks) {
			m.objectives["team core"] = []objectiveAt{obj("core", objective.Met, "")}
		}, agentSums{}, 0, "objective", client.Mark{State: stateGood, Reason: "answers-met: met", Path: "/objectives?objective=answers-met"}},
		{"an agent of the same name of another team", func(m *fiveMarks) {
			m.objectives[of] = []objectiveAt{obj("growth", objective.Spent, "")}
		}, agentSums{}, 0, "objective", client.Mark{State: stateUnknown, Reason: "no objective is set", Path: "/objectives?agent=refunds"}},
		{"no run", func(*fiveMarks) {}, agentSums{}, 0, "behaviour", client.Mark{State: stateUnknown, Reason: "no run has ended", Path: "/runs?q=agent%3Arefunds"}},
		{"an open finding", func(m *fiveMarks) {
			m.findings[k] = []finding.Finding{find("new_source", finding.Info), find("latency", finding.Warning), find("cost", finding.Critical)}
		}, agentSums{ended: 100}, 0, "behaviour", client.Mark{State: stateWarn, Reason: "odd latency", Path: "/findings?finding=fnd_latency"}},
		{"only information", func(m *fiveMarks) {
			m.findings[k] = []finding.Finding{find("new_source", finding.Info)}
		}, agentSums{ended: 100}, 0, "behaviour", client.Mark{State: stateGood, Reason: "0 of 100 runs failed", Path: "/runs?q=agent%3Arefunds"}},
		{"no source", func(*fiveMarks) {}, agentSums{}, 0, "data", client.Mark{State: stateUnknown, Reason: "it was not seen to read a source in the last days", Path: "/agents/refunds"}},
		{"a source that says nothing", func(m *fiveMarks) {
			m.reads = map[fleet.AgentKey][]string{{Team: "core", Name: of}: {"Search"}}
		}, agentSums{}, 0, "data", client.Mark{State: stateUnknown, Reason: "Search, which it reads, does not say how old it is", Path: "/sources"}},
		{"a stale source by another name", func(m *fiveMarks) {
			m.reads = map[fleet.AgentKey][]string{{Team: "core", Name: of}: {"fresh", "Search"}}
			m.sources = map[string]*client.Source{"fresh": {Name: "fresh", State: "fresh"}, "search": {Name: "handbook", State: "stale", Reason: "3 days old"}}
		}, agentSums{}, 0, "data", client.Mark{State: stateBad, Reason: "handbook: 3 days old", Path: "/sources?source=handbook"}},
		{"a source out of use", func(m *fiveMarks) {
			m.reads = map[fleet.AgentKey][]string{{Team: "core", Name: of}: {"search"}}
			m.sources = map[string]*client.Source{"search": {Name: "handbook", State: "fresh", OutOfUse: &client.SourceOut{Reason: "wrong prices"}}}
		}, agentSums{}, 0, "data", client.Mark{State: stateBad, Reason: "handbook is out of use: wrong prices", Path: "/sources?source=handbook"}},
		{"the sources of another team's agent", func(m *fiveMarks) {
			m.reads = map[fleet.AgentKey][]string{{Team: "growth", Name: of}: {"search"}}
			m.sources = map[string]*client.Source{"search": {Name: "handbook", State: "stale"}}
		}, agentSums{}, 0, "data", client.Mark{State: stateUnknown, Reason: "it was not seen to read a source in the last days", Path: "/agents/refunds"}},
		{"a budget of an agent of the same name", func(m *fiveMarks) {
			m.budgets[of] = []client.Budget{{Name: "b", Team: "growth", Limit: 10, Spent: 10, Unit: "calls", Hard: true}}
		}, agentSums{runs: 30, cost: &dollar}, 1.0 / 30, "cost", client.Mark{State: stateGood, Reason: costMark(&agentSums{runs: 30, cost: &dollar}, 1.0/30).Reason, Path: "/runs?q=agent%3Arefunds&sort=cost"}},
		{"a budget that is spent", func(m *fiveMarks) {
			m.budgets[of] = []client.Budget{{Name: "b", Limit: 10, Spent: 10, Unit: "calls", Hard: true}}
		}, agentSums{runs: 30, cost: &dollar}, 1.0 / 30, "cost", client.Mark{State: stateBad, Reason: "budget b: 10 of 10 calls are spent", Path: "/cost"}},
		{
			"a dear run", func(m *fiveMarks) { m.findings[k] = []finding.Finding{find("cost", finding.Warning)} },
			agentSums{runs: 30, cost: &dollar},
			1.0 / 30, "cost",
			client.Mark{State: stateWarn, Reason: "odd cost", Path: "/findings?finding=fnd_cost"},
		},
	} {
		m := &fiveMarks{objectives: map[string][]objectiveAt{}, findings: map[agentKey][]finding.Finding{}, budgets: map[string][]client.Budget{}}
		c.made(m)
		marks := m.of(k, &c.runs, c.before, func(more string) string { return strings.TrimSpace("agent:" + of + " " + more) })
		c.want.Name = c.mark
		if got := marks[map[string]int{"objective": 0, "behaviour": 1, "data": 2, "identity": 3, "cost": 4}[c.mark]]; got != c.want {
			t.Errorf("%s:\n %+v, want\n %+v", c.name, got, c.want)
		}
	}
}

// Marks are made of findings that the asker may see, of the environment that is
// looked at.
func TestMarksShowWhatTheAskerMaySee(t *testing.T) {
	t.Parallel()
	list := []finding.Finding{
		{ID: "a", Team: "core", Agent: "refunds", Environment: "production"},
		{ID: "b", Team: "core", Agent: "refunds", Environment: "staging"},
		{ID: "c", Team: "growth", Agent: "refunds", Environment: "production"},
		{ID: "d", Agent: "refunds"},
	}
	viewer := func(team, environment string) identity.Principal {
		return identity.Principal{Kind: identity.KindPerson, Grants: []identity.Grant{{Role: identity.Viewer, Team: team, Environment: environment}}}
	}
	for _, c := range []struct {
		who         identity.Principal
		environment string
		want        string
	}{
		{viewer("core", "production"), "", "a"},
		{viewer("core", "*"), "", "ab"},
		{viewer("core", "*"), "staging", "b"},
		{viewer("growth", "*"), "", "c"},
		{viewer("core", "production"), "staging", ""},
		{identity.Dev(), "", "abcd"},
		{identity.Dev(), "production", "acd"},
	} {
		m := &fiveMarks{findings: map[agentKey][]finding.Finding{}}
		m.openFindings(slices.DeleteFunc(slices.Clone(list), func(f finding.Finding) bool { return !showsFinding(c.who, c.environment, &f) }))
		var got []string
		for _, of := range m.findings {
			for _, f := range of {
				got = append(got, f.ID)
			}
		}
		slices.Sort(got)
		if strings.Join(got, "") != c.want {
			t.Errorf("%+v in %q sees %v, want %s", c.who.Grants[0], c.environment, got, c.want)
		}
	}
}
