package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/upstream"
	"reeve/internal/upstream/connection"
)

// Upstreams is what the door forwards to; *upstream.Registry is one.
type Upstreams interface {
	List() []client.Upstream
	Put(ctx context.Context, by string, u client.Upstream) (client.Upstream, error)
	Delete(ctx context.Context, by, name string) error
	Switch(ctx context.Context, by upstream.Actor, name, to string, till time.Time, reason string) (client.Upstream, error)
	SwitchBack(ctx context.Context, by upstream.Actor, name, reason string) (client.Upstream, error)
}

func (a *API) upstreams() (Upstreams, error) {
	if a.o.Upstreams == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")
	}
	return a.o.Upstreams, nil
}

func listUpstreams(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Upstream], error) {
	ups, err := a.upstreams()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	all := slices.DeleteFunc(ups.List(), func(u client.Upstream) bool { return !maySeeUpstream(who, u) })
	return listOf(all, nil, func(u client.Upstream) client.Upstream { return u })
}

// maySeeUpstream: one's team's, and what others share.
func maySeeUpstream(who identity.Principal, u client.Upstream) bool {
	return u.Shared || who.Can(identity.Viewer, u.Team, u.Environment)
}

// findUpstream is the upstream of that name, if who may see it.
func findUpstream(ctx context.Context, ups Upstreams, name string) (client.Upstream, bool) {
	all := ups.List()
	i := slices.IndexFunc(all, func(u client.Upstream) bool { return u.Name == name && maySeeUpstream(whoOf(ctx), u) })
	if i < 0 {
		return client.Upstream{}, false
	}
	return all[i], true
}

func getUpstream(a *API, ctx context.Context, req *client.UpstreamRequest) (*client.Upstream, error) {
	ups, err := a.upstreams()
	if err != nil {
		return nil, err
	}
	u, ok := findUpstream(ctx, ups, req.Name)
	if !ok {
		return nil, noUpstream(req.Name)
	}
	return &u, nil
}

func noUpstream(name string) error {
	return fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %s", name)
}

func putUpstream(a *API, ctx context.Context, req *client.PutUpstreamRequest) (*client.Upstream, error) {
	ups, err := a.upstreams()
	if err != nil {
		return nil, err
	}
	// Who moves an upstream from one team to another answers for both; the
	// team that the request names was checked before.
	all := ups.List()
	if i := slices.IndexFunc(all, func(u client.Upstream) bool { return u.Name == req.Name }); i >= 0 {
		if err := where(identity.Security).allowNamed(whoOf(ctx), all[i].Team, all[i].Environment); err != nil {
			return nil, err
		}
	}
	// Only its own team calls what is not shared: one that nobody is in helps nobody.
	if req.Team != "" {
		if err := a.needTeam(ctx, whoOf(ctx), req.Team); err != nil {
			return nil, err
		}
	}
	// The credential is the loot: who sends it elsewhere has it.
	if req.Credential != nil {
		if err := a.fresh(ctx); err != nil {
			return nil, err
		}
	}
	u, err := ups.Put(ctx, actor(ctx), client.Upstream{
		Name: req.Name, Kind: req.Kind, Dialect: req.Dialect, URL: req.URL, Team: req.Team, Environment: req.Environment, Shared: req.Shared,
		External: req.External, Region: req.Region, Headers: req.Headers, Credential: req.Credential, Models: req.Models, Routes: req.Routes,
		Classes: req.Classes, MaxTokens: req.MaxTokens, TimeoutMS: req.TimeoutMS, AllowPrivate: req.AllowPrivate, Fallback: req.Fallback,
		HealthPath: req.HealthPath, AskHosts: req.AskHosts, Peer: req.Peer, Revision: req.Revision,
	})
	return &u, err
}

func deleteUpstream(a *API, ctx context.Context, req *client.UpstreamRequest) (*struct{}, error) {
	ups, err := a.upstreams()
	if err != nil {
		return nil, err
	}
	u, ok := findUpstream(ctx, ups, req.Name)
	if !ok {
		return nil, noUpstream(req.Name)
	}
	if err := where(identity.Security).allowNamed(whoOf(ctx), u.Team, u.Environment); err != nil {
		return nil, err
	}
	return &struct{}{}, ups.Delete(ctx, actor(ctx), req.Name)
}

// switchable is an upstream whose calls the asker may send elsewhere: who responds
// for its place.
func (a *API) switchable(ctx context.Context, name string) (Upstreams, upstream.Actor, error) {
	ups, err := a.upstreams()
	if err != nil {
		return nil, upstream.Actor{}, err
	}
	u, ok := findUpstream(ctx, ups, name)
	if !ok {
		return nil, upstream.Actor{}, noUpstream(name)
	}
	who := whoOf(ctx)
	by := upstream.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Name: cmp.Or(who.Name, actor(ctx))}
	switch {
	case who.Can(identity.Security, u.Team, u.Environment):
		return ups, by, nil
	case u.Shared: // it is several teams', so it takes who responds for all
		return ups, by, where(identity.Responder).allowNamed(who, identity.Everything, identity.Everything)
	}
	return ups, by, where(identity.Responder).allowNamed(who, u.Team, u.Environment)
}

func switchUpstream(a *API, ctx context.Context, req *client.SwitchUpstreamRequest) (*client.Upstream, error) {
	ups, by, err := a.switchable(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	if _, ok := findUpstream(ctx, ups, req.To); !ok {
		return nil, noUpstream(req.To)
	}
	var till time.Time
	if req.Until != nil {
		till = *req.Until
	}
	u, err := ups.Switch(ctx, by, req.Name, req.To, till, req.Reason)
	return &u, err
}

func switchBackUpstream(a *API, ctx context.Context, req *client.SwitchBackRequest) (*client.Upstream, error) {
	ups, by, err := a.switchable(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	u, err := ups.SwitchBack(ctx, by, req.Name, req.Reason)
	return &u, err
}

// Peers knows the cards of upstreams of kind a2a; *a2a.Protocol is one.
type Peers interface {
	Card(upstream string) client.PeerCard
}

func getPeerCard(a *API, ctx context.Context, req *client.UpstreamRequest) (*client.PeerCard, error) {
	ups, err := a.upstreams()
	if err != nil {
		return nil, err
	}
	u, ok := findUpstream(ctx, ups, req.Name)
	switch {
	case !ok:
		return nil, noUpstream(req.Name)
	case u.Kind != "a2a" || a.o.Peers == nil:
		return nil, fault.New(fault.KindNotFound, "upstream.no_card", "upstream %s is no peer and has no card", req.Name)
	}
	card := a.o.Peers.Card(req.Name)
	return &card, nil
}

// Connections connects upstreams to their authorization servers;
// *connection.Book is one.
type Connections interface {
	Begin(ctx context.Context, upstream string, by connection.Starter, anywhere bool) (client.ConnectionAttempt, error)
	Finish(ctx context.Context, by connection.Starter, said client.FinishConnectionRequest) (client.Connection, error)
	Disconnect(ctx context.Context, upstream string, by connection.Starter) error
}

// connecting checks who wants to change an upstream's connection, which is as
// good as its credential.
func (a *API) connecting(ctx context.Context, name string) (Connections, connection.Starter, error) {
	who := whoOf(ctx)
	by := connection.Starter{Person: actor(ctx), Name: cmp.Or(who.Name, who.Kind), Session: who.SignInID}
	ups, err := a.upstreams()
	if err != nil {
		return nil, by, err
	}
	u, ok := findUpstream(ctx, ups, name)
	if !ok || a.o.Connections == nil {
		return nil, by, noUpstream(name)
	}
	if err := where(identity.Security).allowNamed(who, u.Team, u.Environment); err != nil {
		return nil, by, err
	}
	return a.o.Connections, by, a.fresh(ctx)
}

func connectUpstream(a *API, ctx context.Context, req *client.ConnectUpstreamRequest) (*client.ConnectionAttempt, error) {
	c, by, err := a.connecting(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out, err := c.Begin(ctx, req.Name, by, req.Anywhere)
	return &out, err
}

func finishUpstreamConnection(a *API, ctx context.Context, req *client.FinishConnectionRequest) (*client.Connection, error) {
	c, by, err := a.connecting(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out, err := c.Finish(ctx, by, *req)
	return &out, err
}

func disconnectUpstream(a *API, ctx context.Context, req *client.UpstreamRequest) (*struct{}, error) {
	c, by, err := a.connecting(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, c.Disconnect(ctx, req.Name, by)
}
