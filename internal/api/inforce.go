package api

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// This file fills two bands of the overview: what needs a person now, and every
// limit that holds at this moment, so that nothing that was switched on once is
// forgotten. Both show what the asker may see, and name the parts that reported:
// no rows from a part that looked is calm, no part is blind.

// maxInForce bounds each list; the page shows fewer.
const maxInForce = 50

// rowsOf is what one part has to report.
type rowsOf func(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error)

// gather asks each part. One that is not here reports nothing and is not named;
// one that failed is not named either, which shows as less than all.
func (a *API) gather(ctx context.Context, env, team string, parts map[string]rowsOf) client.OverviewWaiting {
	out := client.OverviewWaiting{Items: []client.OverviewRow{}, Sources: []string{}}
	for name, ask := range parts {
		rows, err := ask(a, ctx, env, team)
		if err != nil {
			if fault.From(err).Code != "api.not_here" {
				a.o.Logger.WarnContext(ctx, "part of the overview could not be read", "part", name, "err", err)
			}
			continue
		}
		out.Sources = append(out.Sources, name)
		out.Items = append(out.Items, rows...)
	}
	slices.Sort(out.Sources)
	slices.SortFunc(out.Items, func(x, y client.OverviewRow) int {
		return cmp.Or(byDeadline(x, y), y.Since.Compare(x.Since), strings.Compare(x.ID, y.ID))
	})
	out.Items = out.Items[:min(len(out.Items), maxInForce)]
	return out
}

// byDeadline puts what ends by itself first, the nearest end before the others.
func byDeadline(x, y client.OverviewRow) int {
	switch {
	case x.Until != nil && y.Until != nil:
		return x.Until.Compare(*y.Until)
	case x.Until != nil:
		return -1
	case y.Until != nil:
		return 1
	}
	return 0
}

var needsPerson = map[string]rowsOf{
	"findings":  findingRows,
	"responses": brakedRows,
	"approvals": approvalRows,
	"incidents": incidentRows,
	"second people": func(a *API, ctx context.Context, _, _ string) ([]client.OverviewRow, error) {
		l, err := listProposals(a, ctx, &client.ListProposalsRequest{Open: true})
		if err != nil {
			return nil, err
		}
		var out []client.OverviewRow
		for _, p := range l.Items {
			if !p.Mine {
				out = append(out, client.OverviewRow{ID: p.ID, Kind: "proposal", Text: p.By + " asks to " + p.Summary, Since: p.CreatedAt, Until: &p.ExpiresAt, Path: "/inbox"})
			}
		}
		return out, nil
	},
	"tools": func(a *API, ctx context.Context, _, _ string) ([]client.OverviewRow, error) {
		l, err := listTools(a, ctx, &client.ListToolsRequest{State: "held", Limit: 1000})
		if err != nil {
			return nil, err
		}
		if len(l.Items) == 0 {
			return nil, nil
		}
		first := slices.MaxFunc(l.Items, func(x, y client.Tool) int { return x.ChangedAt.Compare(y.ChangedAt) })
		row := client.OverviewRow{ID: "tools", Kind: "tool", Text: "The tool " + first.Name + " of " + first.Upstream + " is held: " + cmp.Or(first.Reason, "nobody accepted it") + ".", Since: first.ChangedAt, Path: "/tools?tool=" + url.QueryEscape(first.Upstream+"/"+first.Name)}
		if more := len(l.Items) - 1; more > 0 {
			row.Text = strconv.Itoa(more+1) + " tools of servers are held until a person accepts them, " + first.Name + " of " + first.Upstream + " among them."
		}
		return []client.OverviewRow{row}, nil
	},
	"unknown agents": func(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
		l, err := listUnknownAgents(a, ctx, &client.ListUnknownAgentsRequest{Team: team, Limit: 200})
		if err != nil {
			return nil, err
		}
		here := slices.DeleteFunc(l.Items, func(u client.UnknownAgent) bool { return env != "" && u.Environment != env })
		if len(here) == 0 {
			return nil, nil
		}
		first := here[0]
		for _, u := range here {
			if u.OpenedAt.After(first.OpenedAt) {
				first = u
			}
		}
		text := "Nobody registered " + cmp.Or(first.Name, "an agent without a name")
		if len(here) > 1 {
			text += " and " + strconv.Itoa(len(here)-1) + " more"
		}
		return []client.OverviewRow{{ID: "unknown-agents", Kind: "unknown_agent", Text: text + ", and they are at work.", Since: first.OpenedAt, Path: "/agents?show=unknown"}}, nil
	},
}

// mostObserved is how many agents in observe have a row each; more are one row.
const mostObserved = 3

var inForce = map[string]rowsOf{
	"silences":  silenceRows,
	"takeovers": takenRows,
	"held_runs": heldRunRows,
	"stops": func(a *API, ctx context.Context, _, _ string) ([]client.OverviewRow, error) {
		l, err := listStops(a, ctx, &client.ListStopsRequest{Active: true, Limit: 200})
		if err != nil {
			return nil, err
		}
		var out []client.OverviewRow
		for _, s := range l.Items {
			row := client.OverviewRow{ID: s.ID, Kind: "stop", Text: stopText(s.Target) + " is stopped: " + s.Reason, Since: s.CreatedAt, Until: s.Until, Owner: s.By, Path: "/agents?show=contained"}
			if s.Target.Kind == "agent" {
				row.Path = agentPath(s.Target.Value)
			}
			out = append(out, row)
		}
		return out, nil
	},
	"agents": func(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
		all, err := a.agents()
		if err != nil {
			return nil, err
		}
		who, now := whoOf(ctx), a.o.Now()
		var out, observed []client.OverviewRow
		for _, g := range all.List() {
			if g.Lifecycle == agent.Retired || env != "" && g.Environment != env || team != "" && g.Team != team || !who.Can(identity.Viewer, g.Team, g.Environment) {
				continue
			}
			row := client.OverviewRow{Since: g.UpdatedAt, Owner: g.Owner, Path: agentPath(g.Name)}
			if level := g.Contained(now); level != agent.None {
				row.ID, row.Kind, row.Text, row.Until = "contained-"+g.Name, "containment", g.Name+" is "+strings.ReplaceAll(level, "_", " "), optionalTime(g.ContainedTill)
				out = append(out, row)
			}
			if !g.Enforced(now) && !g.ObserveTill.IsZero() {
				row.ID, row.Kind, row.Text, row.Until = "break-glass-"+g.Name, "break_glass", "The glass is broken for "+g.Name+": nothing is refused", optionalTime(g.ObserveTill)
				out = append(out, row)
			} else if !g.Enforced(now) && g.Environment == "production" {
				row.ID, row.Kind, row.Text, row.Until = "observe-"+g.Name, "observe", g.Name+" is in observe in production: nothing is refused", optionalTime(g.ObserveTill)
				observed = append(observed, row)
			}
		}
		if len(observed) > mostObserved {
			last := slices.MaxFunc(observed, func(x, y client.OverviewRow) int { return x.Since.Compare(y.Since) })
			observed = []client.OverviewRow{{
				ID: "observe", Kind: "observe", Text: strconv.Itoa(len(observed)) + " agents are in observe in production: nothing is refused of them",
				Since: last.Since, Path: "/agents?show=observe",
			}}
		}
		return append(out, observed...), nil
	},
	"budgets": func(a *API, ctx context.Context, _, team string) ([]client.OverviewRow, error) {
		l, err := listBudgets(a, ctx, &struct{}{})
		if err != nil {
			return nil, err
		}
		var out []client.OverviewRow
		for _, b := range l.Items {
			spent, whose := b.Spent, ""
			if b.Match == "*" {
				if b.Fullest == nil {
					continue
				}
				spent, whose = b.Fullest.Spent, " of "+b.Scope+" "+b.Fullest.Key
			}
			if b.Limit <= 0 || spent < b.Limit || team != "" && b.Team != "" && b.Team != team {
				continue
			}
			does, since := "warns", b.UpdatedAt
			if b.BuiltIn {
				since = a.o.Now() // nobody made it; when it was spent is not kept
			}
			if b.Hard {
				does = "refuses"
			}
			out = append(out, client.OverviewRow{ID: "budget-" + b.Name, Kind: "budget", Text: "The budget " + b.Name + whose + " is spent, and " + does, Since: since, Until: b.ResetsAt, Owner: b.Team, Path: "/policies?tab=budgets"})
		}
		return out, nil
	},
}

func stopText(t client.StopTarget) string {
	if t.Kind == "everything" {
		return "Everything"
	}
	return t.Kind + " " + t.Value
}

func agentPath(name string) string { return "/agents/" + url.PathEscape(name) }
