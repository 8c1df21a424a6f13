package api

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/dependency"
	"reeve/internal/finding"
	"reeve/internal/incident"
)

// This file lays on the map what else is known to be wrong: stops, incidents,
// findings, errors, tools that are held, sources that are stale, upstreams that
// do not answer. Each part is asked as its own
// page asks it, so that the map shows nothing which the asker may not see there.

func (m *mapAsk) add(id string, t client.MapTrouble) { m.trouble[id] = append(m.trouble[id], t) }

// troubles asks each part.
func (m *mapAsk) troubles() error {
	byName := map[[2]string][]string{} // kind and name, as records say it, to nodes
	for i := range m.graph.Nodes {
		n := &m.graph.Nodes[i]
		for _, name := range append([]string{n.Name}, n.Names...) {
			k := [2]string{n.Kind, name}
			if !slices.Contains(byName[k], n.ID) {
				byName[k] = append(byName[k], n.ID)
			}
		}
		m.own(n)
	}
	m.stopped(byName)
	m.incidents(byName)
	m.findings(byName)
	m.heldTools()
	m.staleSources()
	m.upstreams()
	return m.ctx.Err()
}

// own is the trouble that a node's own figures and its register show.
func (m *mapAsk) own(n *dependency.Node) {
	q := ""
	if e := m.touching(n); e != nil {
		q = "/runs?q=" + url.QueryEscape(e.String())
	}
	if n.Errors != nil && n.Calls != nil {
		if s := errorState(*n.Errors, *n.Calls); s == stateBad || s == stateWarn {
			m.add(n.ID, client.MapTrouble{Kind: "errors", Level: s, Text: count(*n.Errors) + " of " + count(*n.Calls) + " calls failed", Path: q})
		}
	}
	if n.Kind != dependency.Agent {
		return
	}
	if runs, failed := m.runsOf(n); runs != nil {
		if s := errorState(*failed, *runs); s == stateBad || s == stateWarn {
			m.add(n.ID, client.MapTrouble{Kind: "errors", Level: s, Text: count(*failed) + " of " + count(*runs) + " runs failed", Path: q})
		}
	}
	g := m.agentOf(n)
	if g == nil {
		return
	}
	if level := g.Contained(m.a.o.Now()); level == agent.Quarantined {
		m.add(n.ID, client.MapTrouble{Kind: "stopped", Level: stateBad, Text: "it is quarantined", Path: agentPath(g.Name)})
	} else if level != agent.None {
		m.add(n.ID, client.MapTrouble{Kind: "stopped", Level: stateWarn, Text: "it is contained to " + strings.ReplaceAll(level, "_", " "), Path: agentPath(g.Name)})
	}
}

// stopped marks what a stop is in force for.
func (m *mapAsk) stopped(byName map[[2]string][]string) {
	l, err := listStops(m.a, m.ctx, &client.ListStopsRequest{Active: true, Limit: 200})
	if err != nil {
		m.blind("stops", err)
		return
	}
	kinds := map[string]string{"agent": dependency.Agent, "tool": dependency.Tool, "model": dependency.Model, "upstream": dependency.Server}
	for _, s := range l.Items {
		t := client.MapTrouble{Kind: "stopped", Level: stateBad, Text: stopText(s.Target) + " is stopped: " + s.Reason, Path: "/agents?show=contained"}
		switch s.Target.Kind {
		case "team", "everything":
			for i := range m.graph.Nodes {
				if n := &m.graph.Nodes[i]; n.Kind == dependency.Agent && (s.Target.Kind == "everything" || n.Team == s.Target.Value) {
					m.add(n.ID, t)
				}
			}
		default:
			for _, id := range byName[[2]string{kinds[s.Target.Kind], s.Target.Value}] {
				m.add(id, t)
			}
		}
	}
}

func (m *mapAsk) liveIncidents() []client.Incident {
	l, err := listIncidents(m.a, m.ctx, &client.ListIncidentsRequest{Team: m.team, Limit: 200})
	if err != nil {
		m.blind("incidents", err)
		return nil
	}
	return l.Items
}

// about are the nodes that an incident is about.
func about(i *client.Incident, byName map[[2]string][]string) (ids []string) {
	for _, name := range i.Agents {
		ids = append(ids, byName[[2]string{dependency.Agent, name}]...)
	}
	for _, n := range i.Nodes {
		ids = append(ids, byName[[2]string{n.Kind, n.Value}]...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (m *mapAsk) incidents(byName map[[2]string][]string) {
	for _, i := range m.liveIncidents() {
		level := stateWarn
		if i.Severity == incident.Critical {
			level = stateBad
		}
		for _, id := range about(&i, byName) {
			m.add(id, client.MapTrouble{Kind: "incident", Level: level, Text: "incident " + strconv.FormatInt(i.Number, 10) + ": " + i.Title, Path: "/incidents/" + url.PathEscape(i.ID)})
		}
	}
}

// findings marks agents with open findings that nobody called noise: one line
// for each agent, however many there are.
func (m *mapAsk) findings(byName map[[2]string][]string) {
	l, err := listFindings(m.a, m.ctx, &client.ListFindingsRequest{State: "open", Team: m.team, Environment: m.environment, Limit: 1000})
	if err != nil {
		m.blind("findings", err)
		return
	}
	type found struct {
		n     int
		level string
		first client.Finding
	}
	by := map[string]*found{}
	for _, f := range l.Items {
		if f.Agent == "" || f.Severity == finding.Info || f.Detector == "unknown_agent" || f.Verdict != nil && f.Verdict.Verdict == finding.Noise {
			continue
		}
		for _, id := range byName[[2]string{dependency.Agent, f.Agent}] {
			if n, _ := m.graph.Node(id); f.Team != "" && n.Team != "" && f.Team != n.Team {
				continue // another team's agent of that name
			}
			at := by[id]
			if at == nil {
				at = &found{level: stateWarn, first: f}
				by[id] = at
			}
			at.n++
			if f.Severity == finding.Critical {
				at.level, at.first = stateBad, f
			}
		}
	}
	for id, at := range by {
		text := cmp.Or(at.first.Text, at.first.Detector)
		if at.n > 1 {
			text = strconv.Itoa(at.n) + " findings, among them: " + text
		}
		m.add(id, client.MapTrouble{Kind: "finding", Level: at.level, Text: text, Path: "/findings?finding=" + url.QueryEscape(at.first.ID)})
	}
}

func (m *mapAsk) heldTools() {
	l, err := listTools(m.a, m.ctx, &client.ListToolsRequest{State: "held", Limit: 1000})
	if err != nil {
		m.blind("tools", err)
		return
	}
	for _, t := range l.Items {
		id := dependency.ID(dependency.Tool, t.Name, t.Upstream)
		if _, ok := m.graph.Node(id); ok {
			m.add(id, client.MapTrouble{Kind: "held", Level: stateWarn, Text: "it is held: " + cmp.Or(t.Reason, "nobody accepted it"), Path: "/tools?tool=" + url.QueryEscape(t.Upstream+"/"+t.Name)})
		}
	}
}

func (m *mapAsk) staleSources() {
	for _, s := range m.sources() {
		id := dependency.ID(dependency.Source, s.Name, "")
		if _, ok := m.graph.Node(id); !ok {
			continue
		}
		t := client.MapTrouble{Kind: "stale", Text: s.Reason, Path: "/sources?source=" + url.QueryEscape(s.Name)}
		switch {
		case s.OutOfUse != nil:
			t.Kind, t.Level, t.Text = "stopped", stateBad, "it is out of use: "+s.OutOfUse.Reason
		case s.State == "stale":
			t.Level = stateBad
		case s.State == "warn":
			t.Level = stateWarn
		default:
			continue
		}
		m.add(id, t)
	}
}

func (m *mapAsk) upstreams() {
	if m.a.o.Upstreams == nil {
		return
	}
	for _, u := range m.a.o.Upstreams.List() {
		id := dependency.ID(dependency.Server, u.Name, "")
		if _, ok := m.graph.Node(id); !ok || u.Health.State != "failing" && u.Health.State != "open" || !maySeeUpstream(whoOf(m.ctx), u) {
			continue
		}
		m.add(id, client.MapTrouble{Kind: "down", Level: stateBad, Text: "it does not answer: " + cmp.Or(u.Health.LastError, u.Health.State), Path: "/settings/upstreams"})
	}
}
