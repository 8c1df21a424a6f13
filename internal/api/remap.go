package api

import (
	"context"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/remap"
)

func (a *API) remaps() (*remap.Book, error) {
	if a.o.Remaps == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server maps nothing again")
	}
	return a.o.Remaps, nil
}

func planRemap(a *API, ctx context.Context, req *client.PlanRemapRequest) (*client.Remap, error) {
	b, err := a.remaps()
	if err != nil {
		return nil, err
	}
	var from, to time.Time
	if req.From != nil {
		from = *req.From
	}
	if req.To != nil {
		to = *req.To
	}
	r, err := b.Plan(ctx, actor(ctx), from, to, req.All)
	return &r, err
}

func listRemaps(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Remap], error) {
	b, err := a.remaps()
	if err != nil {
		return nil, err
	}
	all, err := b.List(ctx)
	return listOf(all, err, func(r client.Remap) client.Remap { return r })
}

func getRemap(a *API, ctx context.Context, req *client.RemapRequest) (*client.Remap, error) {
	b, err := a.remaps()
	if err != nil {
		return nil, err
	}
	r, err := b.Get(ctx, req.ID)
	return &r, err
}

func applyRemap(a *API, ctx context.Context, req *client.RemapRequest) (*client.Remap, error) {
	b, err := a.remaps()
	if err != nil {
		return nil, err
	}
	r, err := b.Apply(ctx, actor(ctx), req.ID)
	return &r, err
}
