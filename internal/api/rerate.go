package api

import (
	"context"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/rerate"
)

func (a *API) rerates() (*rerate.Book, error) {
	if a.o.Rerates == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server prices nothing again")
	}
	return a.o.Rerates, nil
}

func planRerate(a *API, ctx context.Context, req *client.PlanRerateRequest) (*client.Rerate, error) {
	b, err := a.rerates()
	if err != nil {
		return nil, err
	}
	r, err := b.Plan(ctx, actor(ctx), req.From, req.To, req.Card)
	return &r, err
}

func listRerates(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Rerate], error) {
	b, err := a.rerates()
	if err != nil {
		return nil, err
	}
	all, err := b.List(ctx)
	return listOf(all, err, func(r client.Rerate) client.Rerate { return r })
}

func getRerate(a *API, ctx context.Context, req *client.RerateRequest) (*client.Rerate, error) {
	b, err := a.rerates()
	if err != nil {
		return nil, err
	}
	r, err := b.Get(ctx, req.ID)
	return &r, err
}

func applyRerate(a *API, ctx context.Context, req *client.RerateRequest) (*client.Rerate, error) {
	b, err := a.rerates()
	if err != nil {
		return nil, err
	}
	r, err := b.Apply(ctx, actor(ctx), req.ID)
	return &r, err
}

func undoRerate(a *API, ctx context.Context, req *client.RerateRequest) (*client.Rerate, error) {
	b, err := a.rerates()
	if err != nil {
		return nil, err
	}
	r, err := b.Undo(ctx, actor(ctx), req.ID)
	return &r, err
}
