package app

import (
	"context"
	"net/http"
	"time"

	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/a2a"
	"reeve/internal/identity/token"
	"reeve/internal/stop"
)

// delegationLife is how long a registered peer may act for whoever sent to it.
const delegationLife = 30 * time.Minute

// buildPeers makes the door's part for agents that agents call.
func (a *App) buildPeers(ctx context.Context) (err error) {
	a.peers, err = a2a.New(ctx, a2a.Options{
		Upstreams: a.upstreams, DB: a.control, Base: a.authority.issuer, Sign: a.authority.keys.SignCard, Delegate: a.delegateTo,
		Stopped: a.stoppedTask, Pins: a.pins, Approvals: a.approvals, Dev: a.o.Config.Dev, Logger: a.log.With("part", "peers"),
	})
	return err
}

// delegateTo makes the token with which a registered agent acts for a caller
// that sends it a message. It says nothing of what may be done: policy is asked
// about each action, and sees the chain.
func (a *App) delegateTo(_ context.Context, c *gateway.Caller, to string) (string, error) {
	x := token.Access{
		Subject:  token.Subject{Agent: c.Agent.Name, Instance: c.Instance, Epoch: c.Agent.Epoch},
		Audience: a.authority.issuer, Delegate: to, Life: delegationLife, NotAfter: c.Expires, User: c.User, Groups: c.UserGroups,
	}
	for _, name := range c.Chain {
		g, ok := a.agents.Lookup(name)
		if !ok {
			return "", fault.New(fault.KindDenied, "a2a.chain", "the agent %s, for which this acts, is not registered", name)
		}
		x.Chain = append(x.Chain, token.Link{Agent: name, Epoch: g.Epoch})
	}
	i, err := a.authority.keys.Access(x)
	return i.Token, err
}

// stoppedTask says whether the agent of a task at a peer may not go on.
func (a *App) stoppedTask(t a2a.Task) bool {
	g, ok := a.agents.Lookup(t.Agent)
	if ok && (g.Lifecycle == agent.Retired || g.Contained(time.Now()) == agent.Quarantined) {
		return true
	}
	c := stop.Call{Agent: t.Agent, Instance: t.Instance, User: t.User, Upstream: t.Upstream, Team: t.Team, Credential: t.Credential, Resource: t.Upstream}
	if ok {
		c.Labels = g.Labels
	}
	err := a.stops.Check(c)
	return err != nil && fault.From(err).Code != "stop.stale"
}

// serveCardKeys publishes the keys that sign the cards of peers.
func (a *App) serveCardKeys(w http.ResponseWriter, r *http.Request) {
	text, err := a.authority.keys.CardJWKS()
	if err != nil {
		a.log.ErrorContext(r.Context(), "card keys not made", "err", err)
		http.Error(w, "card keys not available", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(text)
}
