package a2a

import (
	"context"
	"sync"
	"time"

	"reeve/internal/gateway"
	"reeve/internal/upstream"
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

// delegate gives the token with which a registered peer acts for the caller; ""
// where the peer is none.
func (p *Protocol) delegate(ctx context.Context, c *gateway.Caller, u *upstream.Upstream, owner Task) (string, error) {
	if u.Peer == nil || u.Peer.Agent == "" || p.o.Delegate == nil {
		return "", nil
	}
	key := delegation{owner.Owner, c.User, u.Peer.Agent}
	for _, name := range c.Chain {
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
	token, err := p.o.Delegate(ctx, c, u.Peer.Agent)
	if err != nil {
		return "", err
	}
	until := now.Add(delegationLife)
	if e := c.Expires; !e.IsZero() && e.Before(until) {
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
