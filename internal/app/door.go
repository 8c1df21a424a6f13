package app

import (
	"context"
	"net"
	"time"

	"reeve/internal/api"
	"reeve/internal/budget"
	"reeve/internal/gateway"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/gateway/llm"
)

// protocols read the kinds of upstreams; each names its own kind.
func protocols() []gateway.Protocol {
	return []gateway.Protocol{httpapi.New(), llm.New(nil)}
}

// buildDoor wires the door to what it asks on each call.
func (a *App) buildDoor(context.Context) (err error) {
	a.steps = gateway.NewSteps(func(ctx context.Context, batch []byte) error { return a.health.Publish(ctx, batch) }, a.log.With("part", "door"))
	a.gateway, err = gateway.New(gateway.Options{
		Agents: a.agents, Upstreams: a.upstreams, Policies: a.engine, Stops: a.stops,
		Decisions: witnessed{a.decisions, a.fleet}, Steps: a.steps, Protocols: protocols(),
		Budgets: a.budgets, Rates: budget.NewRates(time.Now(), 0), Limits: a.o.Config.Limits, Prices: a.book,
		Tokens: a.authority.who, Subjects: &a.authority, Guard: api.Guarded(api.GuardOptions{Hosts: a.o.Config.Hosts}),
		Dev: a.o.Config.Dev, Node: a.stops.Node(), Logger: a.log.With("part", "door"),
	})
	return err
}

// serveDoor is the door's listener: calls of agents, and what they ask about
// identity.
func (a *App) serveDoor(ctx context.Context, l net.Listener) error {
	other := a.door()
	return a.gateway.Serve(ctx, l, gateway.Serving{
		TLS: a.authority.tls, Other: other, Guarded: api.Guard(other, api.GuardOptions{Hosts: a.o.Config.Hosts}), Drain: a.o.Config.Shutdown,
	})
}
