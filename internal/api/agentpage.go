package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/policy"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// agentSummary answers "may it go on?" in one call: what the page of one agent
// opens with. Nothing in it asks the store for more than a day of rollups.
func agentSummary(a *API, ctx context.Context, req *client.AgentRequest) (*client.AgentSummary, error) {
	agents, g, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out := &client.AgentSummary{Agent: *a.marking().agent(agents, g), Inventory: []client.InventoryCount{}, Known: []string{g.Name}}
	out.MayDo = a.entitlements(g)
	events, err := a.timeline(ctx, g)
	if err != nil {
		return nil, err
	}
	if len(events) > 0 {
		out.LastChange = &events[0]
	}
	if a.o.Fleet != nil {
		if err := a.summaryParts(ctx, g, out); err != nil {
			return nil, err
		}
	}
	if a.o.Stops != nil {
		if p, err := a.o.Stops.Preview(client.StopTarget{Kind: "agent", Value: g.Name}); err == nil {
			out.LiveCalls = &p.Total
		}
	}
	if a.o.Live != nil {
		var n int64
		for _, r := range a.o.Live.LiveRuns(search.Both(search.Is("agent", out.Known...), search.Is("team", g.Team))) {
			if r.Status.String() == "running" || r.Status.String() == "waiting" {
				n++
			}
		}
		out.LiveRuns = &n
	}
	out.Day = a.agentDay(ctx, g, out.Known)
	out.Verdict, out.Text = verdictOf(out)
	return out, nil
}

func (a *API) summaryParts(ctx context.Context, g *agent.Agent, out *client.AgentSummary) error {
	out.Known = a.o.Fleet.Aliases(g.Name)
	versions, err := a.o.Fleet.Versions(ctx, g.Name)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.Current {
			shape := versionOf(v)
			out.Version = &shape
			break
		}
	}
	inv, err := a.o.Fleet.Inventory(ctx, g, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	lately := a.o.Now().Add(-seenLately)
	for _, p := range inv.Parts {
		if p.LastSeen.Before(lately) {
			continue // what it used once is no question of today
		}
		if n := len(out.Inventory); n == 0 || out.Inventory[n-1].Kind != p.Kind {
			out.Inventory = append(out.Inventory, client.InventoryCount{Kind: p.Kind})
		}
		c := &out.Inventory[len(out.Inventory)-1]
		c.Parts++
		if !p.Known {
			c.Unknown++
			out.Unknown++
		}
	}
	return nil
}

// PoliciesAbout finds the policies that can be about an agent of a team.
type PoliciesAbout func(agent, team string) []*policy.Policy

// entitlements says in words which policies can be about an agent.
func (a *API) entitlements(g *agent.Agent) []client.Entitlement {
	if a.o.PoliciesAbout == nil {
		return nil
	}
	out := []client.Entitlement{}
	for _, p := range a.o.PoliciesAbout(g.Name, g.Team) {
		e := client.Entitlement{Policy: p.Name, Team: p.Team, Guardrail: p.Guardrail, Mode: p.Mode(), Statements: []string{}}
		for i := range p.Statements {
			if st := &p.Statements[i]; st.About(g.Name, g.Team) {
				e.Statements = append(e.Statements, statementText(st))
			}
		}
		out = append(out, e)
	}
	return out
}

func statementText(st *policy.Statement) string {
	var b strings.Builder
	b.WriteString(map[string]string{"permit": "permits", "forbid": "forbids"}[st.Effect])
	fmt.Fprintf(&b, " %s", st.ID)
	if st.Reason != "" {
		fmt.Fprintf(&b, ": %s", st.Reason)
	}
	for _, h := range st.Hold {
		fmt.Fprintf(&b, "; held for %d of %s", h.Count, h.Group)
	}
	if len(st.Redact) > 0 {
		fmt.Fprintf(&b, "; redacts %s", strings.Join(st.Redact, ", "))
	}
	for _, l := range st.Limits {
		fmt.Fprintf(&b, "; at most %s", l)
	}
	return b.String()
}

// agentDay is what an agent did in 24 hours, from rollups; nil when the store
// does not answer: the page is about more than figures.
func (a *API) agentDay(ctx context.Context, g *agent.Agent, names []string) *client.AgentDay {
	now := a.o.Now()
	res, err := a.o.Store.Query(ctx, telemetry.Query{
		Table: "runs", From: now.Add(-24 * time.Hour), To: now, GroupBy: []string{"agent"}, Limit: 100,
		Where:  search.Both(search.Is("agent", names...), search.Is("team", g.Team)),
		Select: []telemetry.Measure{{Func: "count", As: "count"}, {Func: "sum", Field: "failed", As: "failed"}, {Func: "sum", Field: "cost", As: "cost"}, {Func: "sum", Field: "input_tokens", As: "in"}, {Func: "sum", Field: "output_tokens", As: "out"}},
	})
	if err != nil {
		a.o.Logger.Warn("an agent's day could not be read", "agent", g.Name, "err", err)
		return nil
	}
	day := &client.AgentDay{}
	rows := newAnswers(res)
	for _, row := range rows.rows {
		day.Runs += rows.count(row, "count")
		day.Failed += rows.count(row, "failed")
		if c := rows.number(row, "cost"); c != nil {
			sum := *c
			if day.Cost != nil {
				sum += *day.Cost
			}
			day.Cost = &sum
		}
		for _, of := range []string{"in", "out"} {
			if n := rows.number(row, of); n != nil {
				sum := int64(*n)
				if day.Tokens != nil {
					sum += *day.Tokens
				}
				day.Tokens = &sum
			}
		}
	}
	day.Decisions = a.decisionsOf(ctx, g.Name, now)
	return day
}

// decisionsOf counts an agent's decisions of 24 hours by verdict, and under
// would_deny and would_hold what observing let pass; nil without a door.
func (a *API) decisionsOf(ctx context.Context, name string, now time.Time) map[string]int64 {
	if a.o.Decisions == nil {
		return nil
	}
	res, err := a.o.Store.Query(ctx, telemetry.Query{
		Table: "decisions", From: now.Add(-24 * time.Hour), To: now, GroupBy: []string{"verdict", "would"}, Limit: 100,
		Where: search.Is("agent", name), Select: []telemetry.Measure{{Func: "count", As: "count"}},
	})
	if err != nil {
		a.o.Logger.Warn("an agent's decisions could not be counted", "agent", name, "err", err)
		return nil
	}
	out := map[string]int64{"allow": 0, "hold": 0, "deny": 0}
	rows := newAnswers(res)
	for _, row := range rows.rows {
		n, verdict, would := rows.count(row, "count"), rows.text(row, "verdict"), rows.text(row, "would")
		out[verdict] += n
		if would != verdict {
			out["would_"+would] += n
		}
	}
	return out
}

// verdictOf answers whether the agent may go on: what stops or limits it first,
// then what a person should look at.
func verdictOf(s *client.AgentSummary) (state, text string) {
	a := &s.Agent
	switch {
	case a.Lifecycle == agent.Retired:
		return stateBad, "It is retired: every call of it is refused."
	case a.Containment == agent.Quarantined:
		return stateBad, "It is quarantined: every call of it is refused" + until(a.ContainedTill) + "."
	case a.Containment != agent.None:
		return stateWarn, "It goes on, contained to " + a.Containment + until(a.ContainedTill) + "."
	}
	var look []string
	state = stateGood
	worse := func(to, why string) {
		if badness(to) < badness(state) {
			state = to
		}
		look = append(look, why)
	}
	for _, m := range a.Marks {
		if m.State == stateBad || m.State == stateWarn {
			worse(m.State, m.Reason)
		}
	}
	if s.Unknown > 0 {
		worse(stateWarn, fmt.Sprintf("%d of the parts it uses %s known to nobody", s.Unknown, map[bool]string{true: "is", false: "are"}[s.Unknown == 1]))
	}
	if s.Version != nil && len(s.Version.Changed) > 0 && !s.Version.Approved {
		worse(stateWarn, "nobody approved its newest version")
	}
	if a.Enforcement == agent.Observe && a.Lifecycle == agent.Production {
		worse(stateWarn, "it is in production, and policy only observes it")
	}
	if len(look) == 0 {
		return state, "It may go on: nothing needs a look."
	}
	slices.Sort(look)
	return state, "It may go on; look at this: " + strings.Join(slices.Compact(look), "; ") + "."
}

func until(t *time.Time) string {
	if t == nil {
		return " until it is released"
	}
	return " until " + t.UTC().Format("2 January 15:04")
}
