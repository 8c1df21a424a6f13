package api

import (
	"context"
	"time"

	"reeve/client"
	"reeve/internal/experiment"
	"reeve/internal/fault"
)

func rangeOf(r experiment.Range) client.Interval {
	return client.Interval{Value: r.Value, Low: r.Low, High: r.High}
}

// drillResultOf is what a drill came to; why cases were not answered is for readers alone.
func drillResultOf(d *experiment.Drilled, x *experiment.Drill, reads bool) *client.DrillResult {
	out := &client.DrillResult{
		Verdict: d.Verdict, Cases: d.Cases, Answered: shareOf(d.Answered, d.Asked), Untouched: d.Untouched, Unclear: d.Unclear, Served: list(d.Served), Lost: []client.DrillLost{},
		Compared: d.Compared, Before: shareOf(d.Before, d.Compared), Now: shareOf(d.Now, d.Compared), OnlyBefore: d.Only[0], OnlyNow: d.Only[1], Quality: rangeOf(d.Quality),
		TookBefore: d.Took.Before, TookNow: d.Took.Now, SlowNow: d.Took.Slow, Priced: d.Priced, CostBefore: d.CostBefore, CostNow: d.CostNow, CostGrowth: rangeOf(d.Cost),
	}
	said := *d
	for _, l := range d.Lost {
		y := client.DrillLost{Item: l.Item, Run: l.Run}
		if reads {
			y.Why = l.Why
		}
		out.Lost = append(out.Lost, y)
	}
	if !reads {
		said.Lost = nil
	}
	out.Says = said.InWords(x)
	return out
}

func drillRunOf(x *experiment.Experiment, reads bool) client.DrillRun {
	out := client.DrillRun{Experiment: x.ID, At: x.At, State: x.State, Why: x.Why, By: x.By, AgentVersion: x.AgentVersion}
	if x.Drilled != nil && x.Drill != nil {
		out.Came = drillResultOf(x.Drilled, x.Drill, reads)
	}
	return out
}

// drillLook is how many times back a list looks for one that came to something.
const drillLook = 5

// drillOf is a drill with its newest result, and where it is read alone all of them.
func (a *API) drillOf(ctx context.Context, book *experiment.Book, p *experiment.DrillPlan, whole bool) (*client.Drill, error) {
	every := ""
	if p.Every > 0 {
		every = p.Every.String()
	}
	out := &client.Drill{
		Name: p.Name, Agent: p.Agent, Team: p.Team, Environment: p.Environment, Upstream: p.Drill.Upstream, Fallbacks: []string{}, Dataset: p.Dataset, Runs: p.Drill.Runs, Model: p.Drill.Model, Evaluators: list(p.Evaluators),
		Least: p.Drill.Least, Tolerance: p.Drill.Tolerance, Needs: p.Drill.Needs(), Every: every, At: p.At, Zone: p.Zone, Paused: p.Paused, By: p.By, MadeAt: p.MadeAt,
		NextAt: optionalTime(p.NextAt), LastAt: optionalTime(p.LastAt), Running: p.Running, Trouble: p.Trouble, Failing: p.Failing, Revision: p.Revision,
	}
	if all, err := book.StandIns(p); err == nil { // none, or an upstream that is gone: the list is empty, and a drill says why
		out.Fallbacks = list(all)
	}
	limit := drillLook
	if whole {
		limit = 0
	}
	all, err := book.DrillHistory(ctx, p, limit)
	if err != nil {
		return nil, err
	}
	reads := experimentActor(ctx).Can("reader", p.Team, p.Environment)
	for i := range all {
		r := drillRunOf(&all[i], reads)
		if out.Result == nil && r.Came != nil && all[i].State == experiment.Done {
			out.Result = &r
		}
		if whole {
			out.History = append(out.History, r)
		}
	}
	return out, nil
}

func listDrills(a *API, ctx context.Context, req *client.ListDrillsRequest) (*client.List[client.Drill], error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	all, err := book.Drills(ctx, experimentActor(ctx), req.Agent)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Drill]{Items: []client.Drill{}}
	for i := range all {
		d, err := a.drillOf(ctx, book, &all[i], false)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, *d)
	}
	return out, nil
}

func getDrill(a *API, ctx context.Context, req *client.NameRequest) (*client.Drill, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	p, err := book.Drill(ctx, experimentActor(ctx), req.Name)
	if err != nil {
		return nil, err
	}
	return a.drillOf(ctx, book, &p, true)
}

func putDrill(a *API, ctx context.Context, req *client.PutDrillRequest) (*client.Drill, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	var every time.Duration
	if req.Every != "" {
		if every, err = everyOr(req.Every); err != nil || every <= 0 {
			return nil, fault.New(fault.KindInvalid, "experiment.invalid", "%.40q is no time between two drills", req.Every).WithHint("24h, or 7d")
		}
	}
	p, err := book.PutDrill(ctx, experimentActor(ctx), experiment.DrillPlan{
		Name: req.Name, Agent: req.Agent, Dataset: req.Dataset, Evaluators: req.Evaluators, Every: every, At: req.At, Zone: req.Zone, Paused: req.Paused, Revision: req.Revision,
		Drill: experiment.Drill{Upstream: req.Upstream, Runs: req.Runs, Model: req.Model, Least: req.Least, Tolerance: req.Tolerance},
	})
	if err != nil {
		return nil, err
	}
	return a.drillOf(ctx, book, &p, true)
}

func runDrill(a *API, ctx context.Context, req *client.NameRequest) (*client.Drill, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	p, _, err := book.RunDrill(ctx, experimentActor(ctx), req.Name)
	if err != nil {
		return nil, err
	}
	return a.drillOf(ctx, book, &p, true)
}

func deleteDrill(a *API, ctx context.Context, req *client.NameRequest) (*struct{}, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.DropDrill(ctx, experimentActor(ctx), req.Name)
}
