package api

import (
	"context"
	"math"

	"reeve/client"
	"reeve/internal/experiment"
	"reeve/internal/fault"
)

func (a *API) experiments() (*experiment.Book, error) {
	if a.o.Experiments == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server runs no experiments")
	}
	return a.o.Experiments, nil
}

func experimentActor(ctx context.Context) experiment.Actor {
	who := actorOf(ctx)
	return experiment.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return who.Can(role, everyOf(team), everyOf(environment))
	}}
}

func targetOf(t experiment.Target) *client.InvokeTarget {
	return &client.InvokeTarget{
		Agent: t.Agent, Kind: t.Kind, URL: t.URL, Body: t.Body, Answer: t.Answer, AllowPrivate: t.AllowPrivate, Sandbox: list(t.Sandbox), Local: list(t.Local), TimeoutS: t.TimeoutS,
		Configured: t.Revision == 0, Revision: t.Revision, UpdatedAt: t.UpdatedAt,
	}
}

func getInvokeTarget(a *API, ctx context.Context, req *client.InvokeTargetRequest) (*client.InvokeTarget, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	if _, _, err := a.visible(ctx, req.Name); err != nil {
		return nil, err
	}
	t, err := book.Target(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return targetOf(t), nil
}

func putInvokeTarget(a *API, ctx context.Context, req *client.PutInvokeTargetRequest) (*client.InvokeTarget, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	t, err := book.PutTarget(ctx, experimentActor(ctx), experiment.Target{
		Agent: req.Name, Kind: req.Kind, URL: req.URL, Body: req.Body, Answer: req.Answer, AllowPrivate: req.AllowPrivate, Sandbox: req.Sandbox, Local: req.Local, TimeoutS: req.TimeoutS, Revision: req.Revision,
	})
	if err != nil {
		return nil, err
	}
	return targetOf(t), nil
}

func tryInvoke(a *API, ctx context.Context, req *client.TryInvokeRequest) (*client.TriedInvoke, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	var t *experiment.Target
	if in := req.Target; in != nil {
		t = &experiment.Target{Kind: in.Kind, URL: in.URL, Body: in.Body, Answer: in.Answer, AllowPrivate: in.AllowPrivate, Sandbox: in.Sandbox, Local: in.Local, TimeoutS: in.TimeoutS}
	}
	r, err := book.TryTarget(ctx, experimentActor(ctx), req.Name, t, req.Input)
	if err != nil {
		return nil, err
	}
	return &client.TriedInvoke{Answer: r.Answer, Works: r.Passed && r.Valid, Valid: r.Valid, Why: r.Why, Calls: r.Calls, Refused: list(r.Refused), RunID: r.RunID, TookMS: r.TookMS}, nil
}

func startExperiment(a *API, ctx context.Context, req *client.StartExperimentRequest) (*client.Experiment, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	x, err := book.Start(ctx, experimentActor(ctx), experiment.Plan{
		Agent: req.Agent, Kind: req.Kind, Dataset: req.Dataset, Version: req.DatasetVersion, Repeats: req.Repeats, Evaluators: req.Evaluators, Baseline: req.Baseline, Note: req.Note,
		Bias: (*experiment.Bias)(req.Bias), Proof: (*experiment.Proof)(req.Proof),
	})
	if err != nil {
		return nil, err
	}
	return a.experimentOf(ctx, book, x, false)
}

// experimentOf adds an experiment up; its results are shown where they were asked
// for, their answers to those who may read content there.
func (a *API) experimentOf(ctx context.Context, book *experiment.Book, x *experiment.Experiment, whole bool) (*client.Experiment, error) {
	s, err := book.Sum(ctx, x)
	if err != nil {
		return nil, err
	}
	out := &client.Experiment{
		ID: x.ID, Agent: x.Agent, AgentVersion: x.AgentVersion, Team: x.Team, Environment: x.Environment, Kind: x.Kind, Dataset: x.Dataset, DatasetVersion: x.Version, Repeats: x.Repeats,
		Evaluators: list(x.Evaluators), Baseline: x.Baseline, Note: x.Note, Plan: x.OfPlan, Bias: (*client.BiasPairs)(x.Bias), State: x.State, Why: x.Why, By: x.By, At: x.At, EndedAt: optionalTime(x.EndedAt), Tasks: x.Tasks, Ran: s.Ran,
		Passed: shareOf(s.Passed, s.N), Invalid: s.Invalid, PassHat: append([]float64{}, s.PassHat...), Against: pairedOf(s.Against), Pairs: pairedOf(s.Pairs),
	}
	if s.Saved != nil {
		out.Proof, out.Proves, out.Says, out.Pairs = (*client.Proof)(x.Proof), provesOf(&s), s.Saved.InWords(), nil
	} else if s.Pairs != nil {
		out.Adverse, out.Says = s.Adverse(experiment.OneLook)
		one, two := shareOf(s.A, s.NA), shareOf(s.B, s.NB)
		ratio := intervalOf(s.Ratio, s.Low, s.Top, !math.IsNaN(s.Ratio))
		out.GroupA, out.GroupB, out.FourFifths = &one, &two, &ratio
	}
	if x.Drilled != nil && x.Drill != nil {
		out.Says = drillResultOf(x.Drilled, x.Drill, false).Says
	}
	if !whole {
		return out, nil
	}
	results, err := book.Results(ctx, x.ID)
	if err != nil {
		return nil, err
	}
	reads := experimentActor(ctx).Can("reader", x.Team, x.Environment)
	for _, r := range results {
		y := client.ExperimentResult{
			Item: r.Item, Repeat: r.Repeat, Pair: r.Pair, Group: r.Group, Run: r.Run, RunID: r.RunID, Forgotten: r.Forgotten, Passed: r.Passed, Valid: r.Valid, Why: r.Why, Calls: r.Calls, Refused: list(r.Refused), Checks: []client.ExperimentCheck{}, TookMS: r.TookMS, At: r.At,
		}
		if reads {
			y.Answer = r.Answer
		}
		for _, c := range r.Checks {
			y.Checks = append(y.Checks, client.ExperimentCheck(c))
		}
		out.Results = append(out.Results, y)
	}
	return out, nil
}

// pairedOf is a comparison with the change that it comes to; nil where nothing is compared.
func pairedOf(p *experiment.Paired) *client.PairedResult {
	if p == nil {
		return nil
	}
	d, low, high, ok := p.Change()
	return &client.PairedResult{Pairs: p.Pairs, OnlyFirst: p.OnlyFirst, OnlySecond: p.OnlySecond, P: p.P, Change: intervalOf(d, low, high, ok)}
}

// provesOf is what a proof comes to.
func provesOf(s *experiment.Summary) *client.ProofResult {
	known := func(f float64) *float64 {
		if math.IsNaN(f) {
			return nil
		}
		return &f
	}
	v := s.Saved
	out := &client.ProofResult{
		Compared: v.Compared, Unknown: v.Unknown, Priced: v.Priced, Before: known(v.Before), Now: known(v.Now), P: 1,
		Saving: client.Interval{Value: known(v.Saving), Low: known(v.Low), High: known(v.High)}, Quality: client.Interval{Value: known(v.Quality), Low: known(v.Lower), High: known(v.Higher)},
		Passed: shareOf(s.A, s.NA), Passes: shareOf(s.B, s.NB),
	}
	if s.Pairs != nil {
		out.P = s.Pairs.P
	}
	return out
}

func getExperiment(a *API, ctx context.Context, req *client.GetExperimentRequest) (*client.Experiment, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	who := experimentActor(ctx)
	x, err := book.Get(ctx, who, req.ID)
	if err != nil {
		return nil, err
	}
	if req.Baseline != "" {
		if err := book.Beside(ctx, who, &x, req.Baseline); err != nil {
			return nil, err
		}
	}
	return a.experimentOf(ctx, book, &x, true)
}

func listExperiments(a *API, ctx context.Context, req *client.ListExperimentsRequest) (*client.List[client.Experiment], error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	all, err := book.List(ctx, experimentActor(ctx), req.Agent, req.Kind, orDefault(req.Limit, 50))
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Experiment]{Items: []client.Experiment{}}
	for i := range all {
		x, err := a.experimentOf(ctx, book, &all[i], false)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, *x)
	}
	return out, nil
}

func stopExperiment(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Stop(ctx, experimentActor(ctx), req.ID)
}
