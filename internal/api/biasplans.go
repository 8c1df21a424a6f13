package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/experiment"
	"reeve/internal/fault"
)

func biasPlanOf(p experiment.BiasPlan) client.BiasPlan {
	every := ""
	if p.Every > 0 {
		every = p.Every.String()
	}
	return client.BiasPlan{
		Name: p.Name, Agent: p.Agent, Team: p.Team, Environment: p.Environment, Bias: client.BiasPairs(p.Bias), Repeats: p.Repeats, Every: every, OnVersion: p.OnVersion, Paused: p.Paused, By: p.By,
		NextAt: optionalTime(p.NextAt), LastAt: optionalTime(p.LastAt), LastVersion: p.LastVersion, Last: p.Last, Trouble: p.Trouble, Adverse: p.Adverse, Looks: p.Looks, Alpha: p.Alpha(), Pairs: p.Pairs(), Needs: p.Needs(), Revision: p.Revision,
	}
}

// everyOr reads 24h or 7d.
func everyOr(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

func listBiasPlans(a *API, ctx context.Context, req *client.ListBiasPlansRequest) (*client.List[client.BiasPlan], error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	all, err := book.Plans(ctx, experimentActor(ctx), req.Agent)
	return listOf(all, err, biasPlanOf)
}

func putBiasPlan(a *API, ctx context.Context, req *client.PutBiasPlanRequest) (*client.BiasPlan, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	var every time.Duration
	if req.Every != "" {
		if every, err = everyOr(req.Every); err != nil {
			return nil, fault.New(fault.KindInvalid, "experiment.invalid", "%.40q is no time between two runs", req.Every).WithHint("24h, or 7d")
		}
	}
	p, err := book.PutPlan(ctx, experimentActor(ctx), experiment.BiasPlan{
		Name: req.Name, Agent: req.Agent, Bias: experiment.Bias(req.Bias), Repeats: req.Repeats, Every: every, OnVersion: req.OnVersion, Paused: req.Paused, Revision: req.Revision,
	})
	if err != nil {
		return nil, err
	}
	out := biasPlanOf(p)
	return &out, nil
}

func deleteBiasPlan(a *API, ctx context.Context, req *client.NameRequest) (*struct{}, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.DropPlan(ctx, experimentActor(ctx), req.Name)
}
