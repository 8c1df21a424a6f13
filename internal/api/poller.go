package api

import (
	"context"

	"reeve/client"
	"reeve/internal/fault"
)

// Pollers are the systems that are asked for records; *poll.Poller is one.
type Pollers interface {
	List() []client.Poller
	Get(name string) (client.Poller, error)
	Put(ctx context.Context, by string, p client.Poller) (client.Poller, error)
	Pause(ctx context.Context, by, name string, paused bool) (client.Poller, error)
	Delete(ctx context.Context, by, name string) error
	Poll(name string) (client.Poller, error)
	Test(ctx context.Context, name string) (client.PollerTest, error)
}

func (a *API) pollers() (Pollers, error) {
	if a.o.Pollers == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server polls nothing")
	}
	return a.o.Pollers, nil
}

func listPollers(a *API, _ context.Context, _ *struct{}) (*client.List[client.Poller], error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	return listOf(p.List(), nil, func(d client.Poller) client.Poller { return d })
}

func getPoller(a *API, _ context.Context, req *client.PollerRequest) (*client.Poller, error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	d, err := p.Get(req.Name)
	return &d, err
}

func putPoller(a *API, ctx context.Context, req *client.PutPollerRequest) (*client.Poller, error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	d, err := p.Put(ctx, actor(ctx), client.Poller{
		Name: req.Name, Kind: req.Kind, URL: req.URL, Team: req.Team, Environment: req.Environment, Agent: req.Agent, Credential: req.Credential,
		TokenURL: req.TokenURL, Scope: req.Scope, Prefix: req.Prefix, LogGroup: req.LogGroup, Filter: req.Filter, From: req.From,
		EverySeconds: req.EverySeconds, LateSeconds: req.LateSeconds, AllowPrivate: req.AllowPrivate, Paused: req.Paused, Revision: req.Revision,
	})
	return &d, err
}

func deletePoller(a *API, ctx context.Context, req *client.PollerRequest) (*struct{}, error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, p.Delete(ctx, actor(ctx), req.Name)
}

func pausePoller(a *API, ctx context.Context, req *client.PollerRequest) (*client.Poller, error) {
	return a.pausePoller(ctx, req.Name, true)
}

func resumePoller(a *API, ctx context.Context, req *client.PollerRequest) (*client.Poller, error) {
	return a.pausePoller(ctx, req.Name, false)
}

func (a *API) pausePoller(ctx context.Context, name string, paused bool) (*client.Poller, error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	d, err := p.Pause(ctx, actor(ctx), name, paused)
	return &d, err
}

func pollNow(a *API, _ context.Context, req *client.PollerRequest) (*client.Poller, error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	d, err := p.Poll(req.Name)
	return &d, err
}

func testPoller(a *API, ctx context.Context, req *client.PollerRequest) (*client.PollerTest, error) {
	p, err := a.pollers()
	if err != nil {
		return nil, err
	}
	t, err := p.Test(ctx, req.Name)
	return &t, err
}
