package app

import (
	"context"
	"time"

	"reeve/internal/agent"
)

// openAgents loads the register of agents, before anything asks for one.
func (a *App) openAgents(ctx context.Context) (err error) {
	a.agents, err = agent.New(ctx, agent.Options{
		DB: a.control, Logger: a.log.With("part", "agents"), Changed: a.agentChanged,
		Permit:    func(before, after *agent.Agent) error { return a.fleet.Permit(before, after) },
		PermitKey: func(g *agent.Agent, life time.Duration) error { return a.fleet.PermitKey(g, life) },
	})
	if err != nil {
		return err
	}
	return a.openFleet(ctx)
}

// agentPlace finds where a registered agent belongs, for the roles of a stop.
func (a *App) agentPlace(name string) (team, environment string, ok bool) {
	found, ok := a.agents.Lookup(name)
	if !ok {
		return "", "", false
	}
	return found.Team, found.Environment, true
}
