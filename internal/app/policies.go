package app

import (
	"context"
	"errors"

	"reeve/internal/bus"
	"reeve/internal/policy"
)

// policyNotice tells the other nodes that a set of policies is in force.
type policyNotice struct {
	Version int64 `json:"version"`
}

// openPolicies puts the policies in force before anything listens.
func (a *App) openPolicies(ctx context.Context) (err error) {
	a.engine = &policy.Engine{Dev: a.o.Config.Dev}
	a.policyTopic = bus.NewTopic[policyNotice](a.bus, "policies")
	a.policies, err = policy.NewStore(ctx, policy.StoreOptions{
		DB: a.control, Engine: a.engine, Dir: a.o.Config.Policies.Dir, Logger: a.log.With("part", "policies"),
		AgentTeam: func(name string) (string, bool) {
			team, _, ok := a.agentPlace(name)
			return team, ok
		},
		Upstream: func(name string) (team string, shared, ok bool) {
			if name == policy.Local { // each agent's own tools: whose team is its own
				return "", true, true
			}
			u, ok := a.upstreams.Lookup(name)
			if !ok {
				return "", false, false
			}
			return u.Team, u.Shared, true
		},
		Tools: a.pins,
		Changed: func(version int64) {
			// The set is in force here; another node that misses this reads it at its
			// next notice.
			if err := a.policyTopic.Publish(policyNotice{Version: version}); err != nil {
				a.log.Warn("other nodes were not told of the policies", "version", version, "err", err)
			}
		},
	})
	return err
}

// buildSimulator wires simulations to what was decided.
func (a *App) buildSimulator(context.Context) (err error) {
	a.simulator, err = policy.NewSimulator(policy.SimulatorOptions{Store: a.policies, Past: a.decisions.Each, Logger: a.log.With("part", "simulations")})
	return err
}

// followPolicies reads the policies when another node changed them.
func (a *App) followPolicies(ctx context.Context) error {
	for {
		err := a.policyTopic.Subscribe(ctx, nil, func(n policyNotice) {
			if err := a.policies.Refresh(ctx, n.Version); err != nil && ctx.Err() == nil {
				a.log.Error("policies that another node changed could not be read", "version", n.Version, "err", err)
			}
		})
		if !errors.Is(err, bus.ErrLagged) {
			return err
		}
	}
}
