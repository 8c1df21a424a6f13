package a2a

import (
	"context"
	"sync"
	"time"

	"reeve/internal/gateway"
)

const (
	delegationLife = 5 * time.Minute // of a token that is given again
	maxDelegations = 10_000
)

// delegation finds a token that was given.
type delegation struct{ owner, user, agent string }

type given struct {
	token string
	until time.Time
}

// delegations are tokens by which registered peers act for callers. One is given
// several times, since making one costs more than the rest of the call.
type delegations struct {
	mu sync.Mutex
	m  map[delegation]given
}

// delegate bounds how often a message was handed on, and gives the token with
// which a registered peer acts for the caller; "" where the peer is none.
func (p *Protocol) delegate(c *gateway.Call) (string, error) {
	if len(c.Caller.Chain)+1 > MaxDepth {
		return "", errDepth.WithHint("a message comes by at most %d agents", MaxDepth)
	}
	if c.Upstream.Peer == nil || c.Upstream.Peer.Agent == "" || p.o.Delegate == nil {
		return "", nil
	}
	key := delegation{ownerOf(c).Owner, c.Caller.User, c.Upstream.Peer.Agent}
	for _, name := range c.Caller.Chain {
		key.owner += " " + name
	}
	now := p.o.Now()
	d := &p.given
	d.mu.Lock()
	g, ok := d.m[key]
	d.mu.Unlock()
	if ok && now.Before(g.until) {
		return g.token, nil
	}
	token, err := p.o.Delegate(context.WithoutCancel(c.Context), &c.Caller, c.Upstream.Peer.Agent)
	if err != nil {
		return "", err
	}
	until := now.Add(delegationLife)
	if e := c.Caller.Expires; !e.IsZero() && e.Before(until) {
		until = e
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.m) >= maxDelegations {
		clear(d.m)
	}
	d.m[key] = given{token, until}
	return token, nil
}
