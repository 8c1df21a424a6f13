package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/approval"
	"reeve/internal/identity"
)

// maxCounted bounds the approvals that one answer about them counts.
const maxCounted = 10_000

// approvalIndicators say how approvals of a period were answered: how soon, by
// whom, and how many without being looked at.
func approvalIndicators(a *API, ctx context.Context, req *client.ApprovalIndicatorsRequest) (*client.ApprovalIndicators, error) {
	book, err := a.approvals()
	if err != nil {
		return nil, err
	}
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	now := a.o.Now()
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-7 * 24 * time.Hour)
	}
	out := &client.ApprovalIndicators{From: from, To: to, States: map[string]int{}, Approvers: []client.ApproverLoad{}}
	c := tally{out: out, people: map[string]*load{}}
	who := whoOf(ctx)
	f := approval.Filter{Before: to, Limit: 1000}
	for n := 0; ; {
		list, err := book.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, ap := range list {
			if ap.CreatedAt.Before(from) {
				return c.done(to.Sub(from)), nil
			}
			if n++; n > maxCounted {
				out.Incomplete = true
				return c.done(to.Sub(from)), nil
			}
			if (req.Team == "" || req.Team == ap.Ask.Team) && who.Can(identity.Viewer, ap.Ask.Team, ap.Ask.Environment) {
				c.add(ap)
			}
		}
		if len(list) < f.Limit {
			return c.done(to.Sub(from)), nil
		}
		last := list[len(list)-1]
		f.Before, f.BeforeID = last.CreatedAt, last.ID
	}
}

// tally adds approvals up.
type tally struct {
	out                *client.ApprovalIndicators
	people             map[string]*load
	seconds            []float64
	approved, unopened int
}

// load is what one person answered.
type load struct {
	client.ApproverLoad
	seconds []float64
}

func (c *tally) add(ap *approval.Approval) {
	c.out.Asked++
	c.out.States[string(ap.State)]++
	if ap.State == approval.Pending {
		c.out.Pending++
	}
	if !ap.DecidedAt.IsZero() {
		c.out.Answered++
		c.seconds = append(c.seconds, ap.DecidedAt.Sub(ap.CreatedAt).Seconds())
	}
	for _, v := range ap.Votes {
		p := c.people[v.Person]
		if p == nil {
			p = &load{ApproverLoad: client.ApproverLoad{Name: v.Name}}
			c.people[v.Person] = p
		}
		p.Answers++
		p.seconds = append(p.seconds, v.At.Sub(ap.CreatedAt).Seconds())
		switch v.Verdict {
		case "approve", "edit":
			p.Approved++
			c.approved++
			if v.OpenedAt.IsZero() {
				p.Unopened++
				c.unopened++
			}
		case "deny":
			p.Denied++
		}
	}
}

func (c *tally) done(period time.Duration) *client.ApprovalIndicators {
	c.out.AnswerP50, c.out.AnswerP95 = quantile(c.seconds, 0.5), quantile(c.seconds, 0.95)
	if c.approved > 0 {
		share := float64(c.unopened) / float64(c.approved)
		c.out.Unopened = &share
	}
	days := max(period.Hours()/24, 1.0/24)
	for _, p := range c.people {
		p.PerDay, p.P50 = float64(p.Answers)/days, quantile(p.seconds, 0.5)
		c.out.Approvers = append(c.out.Approvers, p.ApproverLoad)
	}
	slices.SortFunc(c.out.Approvers, func(x, y client.ApproverLoad) int {
		return cmp.Or(cmp.Compare(y.Answers, x.Answers), cmp.Compare(x.Name, y.Name))
	})
	return c.out
}

// quantile is the value at rank q, nil of none.
func quantile(values []float64, q float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	v := values[min(int(q*float64(len(values))), len(values)-1)]
	return &v
}

// approvalRows are the held actions that wait for the asker.
func approvalRows(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
	l, err := listApprovals(a, ctx, &client.ListApprovalsRequest{Limit: 100})
	if err != nil {
		return nil, err
	}
	var out []client.OverviewRow
	for i := range l.Items {
		v := &l.Items[i]
		if env != "" && v.Environment != env || team != "" && v.Team != team || !v.Can.Approve && !v.Can.Deny {
			continue
		}
		out = append(out, client.OverviewRow{
			ID: v.ID, Kind: "approval", Text: v.Words, Since: v.CreatedAt, Until: &v.ExpiresAt, Owner: v.Owner, Path: "/approvals/" + v.ID,
		})
	}
	return out, nil
}

// takenRows are the runs that people finish instead of their agents.
func takenRows(a *API, ctx context.Context, _, _ string) ([]client.OverviewRow, error) {
	book, err := a.approvals()
	if err != nil {
		return nil, err
	}
	var out []client.OverviewRow
	who := whoOf(ctx)
	for _, t := range book.TakenRuns() {
		ap, err := book.Get(ctx, t.Approval)
		if err != nil || !who.Can(identity.Viewer, ap.Ask.Team, ap.Ask.Environment) {
			continue
		}
		out = append(out, client.OverviewRow{
			ID: "taken-" + t.Run, Kind: "takeover", Text: t.Name + " took over a run of " + t.Agent + "; its calls are held", Since: t.At, Until: &t.Until, Owner: t.Name,
			Path: "/approvals/" + t.Approval,
		})
	}
	return out, nil
}
