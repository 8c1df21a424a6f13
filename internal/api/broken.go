package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/change"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// This file answers, beside the overview and never in its way, what was changed
// before each incident that needs a person, and what the incident costs.

const (
	// mostBroken is how many incidents are looked at: the page has room for them.
	mostBroken = 5
	// brokenWait is how long all of them may take together. What is not known by
	// then is unknown.
	brokenWait = 1500 * time.Millisecond
	// changedBefore is how far back a change may lie to be told.
	changedBefore = 7 * 24 * time.Hour
	// mostBefore is how many of the changes before an incident are looked through.
	mostBefore = 500
	// mostBegun is how long before an incident opened its runs' cost may begin to count.
	mostBegun = 24 * time.Hour
)

func overviewBroken(a *API, ctx context.Context, req *client.OverviewBrokenRequest) (*client.OverviewBroken, error) {
	waiting, err := a.waitingIncidents(ctx, req.Environment, req.Team)
	if err != nil {
		return nil, err
	}
	out := &client.OverviewBroken{Items: []client.BrokenIncident{}}
	out.More = max(0, len(waiting)-mostBroken)
	waiting = waiting[:min(len(waiting), mostBroken)]
	out.Items = slices.Grow(out.Items, len(waiting))[:len(waiting)]
	within, cancel := context.WithTimeout(ctx, brokenWait)
	defer cancel()
	var side errgroup.Group
	side.SetLimit(2) // the overview itself asks at the same time
	for k := range waiting {
		i, b := &waiting[k], &out.Items[k]
		b.ID, b.Number, b.Title = i.ID, i.Number, i.Title
		side.Go(func() error {
			a.changedBefore(within, i, b)
			a.costOf(within, i, b)
			return nil
		})
	}
	_ = side.Wait() // each says itself what it does not know
	return out, ctx.Err()
}

const notInTime = "it could not be read now"

// changedBefore finds the newest change of what an incident is about.
func (a *API) changedBefore(ctx context.Context, i *client.Incident, b *client.BrokenIncident) {
	if a.o.Changes == nil {
		b.ChangeWhy = "no changes are kept here"
		return
	}
	if len(i.Agents)+len(i.Nodes) == 0 {
		b.ChangeWhy = "it names nothing that could have been changed"
		return
	}
	f := change.Filter{Environment: i.Environment, From: i.OpenedAt.Add(-changedBefore), To: i.OpenedAt.Add(time.Microsecond), Limit: mostBefore}
	if places := placesOf(whoOf(ctx)); places != nil {
		f.Visible = make([]change.Place, len(places))
		for k, p := range places {
			f.Visible[k] = change.Place(p)
		}
	}
	all, next, err := a.o.Changes.List(ctx, f)
	if err != nil {
		a.o.Logger.WarnContext(ctx, "changes before an incident could not be read", "incident", i.ID, "err", err)
		b.ChangeWhy = notInTime
		return
	}
	k := slices.IndexFunc(all, func(c client.Change) bool { return isAbout(&c, i) })
	switch {
	case k >= 0:
		b.Change = &all[k]
	case next.ID != "":
		b.ChangeWhy = "none of the newest 500 changes before it is of what it is about"
	default:
		b.ChangeWhy = "nothing it is about was changed in the seven days before"
	}
}

// isAbout reports whether a change is of something that an incident is about: one
// of its agents, or a tool, model, source and the like that the change names.
func isAbout(c *client.Change, i *client.Incident) bool {
	if c.Agent != "" && slices.Contains(i.Agents, c.Agent) {
		return true
	}
	for _, n := range i.Nodes {
		switch n.Kind {
		case "run", "agent":
			continue // an agent's change names it, above
		case "version":
			if agent, v, _ := strings.Cut(n.Value, "@"); c.Version != "" && c.Version == v && c.Agent == agent {
				return true
			}
			continue
		}
		if c.Key == n.Value || wordIn(c.Title, n.Value) || wordIn(c.Key, n.Value) {
			return true
		}
		for _, v := range c.Labels {
			if v == n.Value {
				return true
			}
		}
	}
	return false
}

// wordIn finds a name in a text, not as a part of a longer name.
func wordIn(text, name string) bool {
	if name == "" {
		return false
	}
	part := func(r byte) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
	}
	for from := 0; ; {
		k := strings.Index(text[from:], name)
		if k < 0 {
			return false
		}
		start, end := from+k, from+k+len(name)
		if (start == 0 || !part(text[start-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		from = start + 1
	}
}

// costOf sums what the runs in an incident's reach cost.
func (a *API) costOf(ctx context.Context, i *client.Incident, b *client.BrokenIncident) {
	full, err := a.o.Incidents.Get(ctx, i.ID)
	if err != nil || len(i.Agents) == 0 {
		b.CostWhy = "it names no agent"
		return
	}
	full.Agents = i.Agents // those that the asker may know of
	reach := full.ReachOf(a.o.Now())
	// What went wrong began with the runs that its signals name, not when it was found.
	if named, _, err := a.incidentRuns(ctx, a.o.Incidents, &full); err == nil {
		for k := range named {
			if start := time.Unix(0, named[k].Start); start.Before(reach.From) && i.OpenedAt.Sub(start) < mostBegun {
				reach.From = start
			}
		}
	}
	b.Q, b.From = reach.Where().String(), reach.From.UTC().Format(time.RFC3339)
	q := telemetry.Query{Table: "runs", From: reach.From, To: reach.To, Select: []telemetry.Measure{
		{Func: "count", As: "count"}, {Func: "sum", Field: "cost", As: "cost"}, {Func: "count", As: "unpriced", Where: search.Unknown("cost")},
	}}
	if err = a.restrict(ctx, &q, search.ScopeRun, reach.Where()); err == nil {
		var res *telemetry.Result
		if res, err = a.o.Store.Query(ctx, q); err == nil {
			at := newAnswers(res)
			for _, row := range at.rows {
				n := at.count(row, "count")
				b.Runs, b.Unpriced, b.Cost = &n, at.count(row, "unpriced"), at.number(row, "cost")
			}
		}
	}
	switch {
	case err != nil:
		a.o.Logger.WarnContext(ctx, "the cost of an incident could not be read", "incident", i.ID, "err", err)
		b.CostWhy = notInTime
	case b.Runs == nil || *b.Runs == 0:
		b.CostWhy = "no run of its agents began since"
	case b.Cost == nil:
		b.CostWhy = cmp.Or(b.CostWhy, "no price is known for their model calls")
	}
}
