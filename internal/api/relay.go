package api

import (
	"context"
	"slices"

	"reeve/client"
	"reeve/internal/fault"
)

// Relay is where telemetry is forwarded to; *relay.Relay is one.
type Relay interface {
	List(ctx context.Context) []client.RelayDestination
	Put(ctx context.Context, by string, d client.RelayDestination) (client.RelayDestination, error)
	Pause(ctx context.Context, by, name string, paused bool) (client.RelayDestination, error)
	Delete(ctx context.Context, by, name string) error
	Test(ctx context.Context, name string) (client.RelayTest, error)
}

func (a *API) relays() (Relay, error) {
	if a.o.Relay == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server relays nothing")
	}
	return a.o.Relay, nil
}

func listRelays(a *API, ctx context.Context, _ *struct{}) (*client.List[client.RelayDestination], error) {
	r, err := a.relays()
	if err != nil {
		return nil, err
	}
	return listOf(r.List(ctx), nil, func(d client.RelayDestination) client.RelayDestination { return d })
}

func getRelay(a *API, ctx context.Context, req *client.RelayRequest) (*client.RelayDestination, error) {
	r, err := a.relays()
	if err != nil {
		return nil, err
	}
	all := r.List(ctx)
	i := slices.IndexFunc(all, func(d client.RelayDestination) bool { return d.Name == req.Name })
	if i < 0 {
		return nil, fault.New(fault.KindNotFound, "relay.not_found", "there is no relay destination %.60s", req.Name)
	}
	return &all[i], nil
}

func putRelay(a *API, ctx context.Context, req *client.PutRelayRequest) (*client.RelayDestination, error) {
	r, err := a.relays()
	if err != nil {
		return nil, err
	}
	d, err := r.Put(ctx, actor(ctx), client.RelayDestination{
		Name: req.Name, URL: req.URL, Protocol: req.Protocol, Signals: req.Signals, Agents: req.Agents, Teams: req.Teams, Environments: req.Environments,
		Dialects: req.Dialects, Redact: req.Redact, Headers: req.Headers, Credential: req.Credential, Compression: req.Compression,
		AllowPrivate: req.AllowPrivate, TimeoutMS: req.TimeoutMS, Paused: req.Paused, Revision: req.Revision,
	})
	return &d, err
}

func pauseRelay(a *API, ctx context.Context, req *client.RelayRequest) (*client.RelayDestination, error) {
	return a.pauseRelay(ctx, req.Name, true)
}

func resumeRelay(a *API, ctx context.Context, req *client.RelayRequest) (*client.RelayDestination, error) {
	return a.pauseRelay(ctx, req.Name, false)
}

func (a *API) pauseRelay(ctx context.Context, name string, paused bool) (*client.RelayDestination, error) {
	r, err := a.relays()
	if err != nil {
		return nil, err
	}
	d, err := r.Pause(ctx, actor(ctx), name, paused)
	return &d, err
}

func deleteRelay(a *API, ctx context.Context, req *client.RelayRequest) (*struct{}, error) {
	r, err := a.relays()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, r.Delete(ctx, actor(ctx), req.Name)
}

func testRelay(a *API, ctx context.Context, req *client.RelayRequest) (*client.RelayTest, error) {
	r, err := a.relays()
	if err != nil {
		return nil, err
	}
	t, err := r.Test(ctx, req.Name)
	return &t, err
}
