package app

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/api"
	"reeve/internal/behaviour"
	"reeve/internal/budget"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/extauthz"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/gateway/llm"
	"reeve/internal/gateway/mcp"
	"reeve/internal/gateway/points"
	"reeve/internal/lesson"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// protocols read the kinds of upstreams; each names its own kind.
func (a *App) protocols() []gateway.Protocol {
	a.mcp = mcp.New(mcp.Options{Pins: pinned{a.pins}, Config: a.o.Config.MCP, Upstreams: func() []*upstream.Upstream { return a.upstreams.Of("mcp") }, Logger: a.log.With("part", "mcp")})
	return []gateway.Protocol{httpapi.New(), llm.New(nil), a.mcp, a.peers}
}

// buildDoor wires the door to what it asks on each call.
func (a *App) buildDoor(ctx context.Context) (err error) {
	a.steps = gateway.NewSteps(func(ctx context.Context, batch []byte) error { return a.health.publishOwn(ctx, batch) }, a.log.With("part", "door"))
	a.behaviour, err = behaviour.New(behaviour.Options{File: filepath.Join(a.o.Config.Data, "behaviour.json"), Logger: a.log.With("part", "behaviour")})
	if err != nil {
		return err
	}
	a.coverage = points.NewCoverage(a.control, a.log.With("part", "coverage"), time.Now)
	a.jobs, err = gateway.NewJobs(ctx, gateway.JobsOptions{DB: a.control, Upstreams: a.upstreams, Stops: a.stops, Logger: a.log.With("part", "jobs")})
	if err != nil {
		return err
	}
	a.gateway, err = gateway.New(gateway.Options{
		Jobs:   a.jobs,
		Tests:  openTests{a},
		Agents: a.agents, Upstreams: a.upstreams, Policies: a.engine, Stops: a.stops,
		Decisions: witnessed{a.decisions, a.fleet, a.watching.watch}, Steps: a.steps, Protocols: a.protocols(),
		Budgets: a.budgets, Rates: budget.NewRates(time.Now(), 0), Limits: a.o.Config.Limits, Prices: a.book, Behaviour: a.behaviour, Findings: a.watching.findings.About, Pins: a.pins, Content: a.content,
		Approvals: a.approvals, Page: a.approvalPage, Steer: a.steer,
		Coverage: a.coverage, Base: a.authority.issuer, Known: known{a},
		Tokens: a.authority.who, Subjects: &a.authority, Guard: api.Guarded(api.GuardOptions{Hosts: a.o.Config.Hosts}),
		Dev: a.o.Config.Dev, Keyed: a.identity.Keyed, Node: a.stops.Node(), Logger: a.log.With("part", "door"),
	})
	if err != nil {
		return err
	}
	a.turns.Urgent(func() bool { return a.gateway.Live() > 0 })
	a.approvals.Tell(a.gateway.ApprovalChanged)
	a.points, err = points.New(points.Options{
		Door: a.gateway, Agents: a.agents, Upstreams: a.upstreams, Base: a.authority.issuer, Coverage: a.coverage, Logger: a.log.With("part", "points"),
		Token: func(ctx context.Context, text string) (points.Speaker, error) {
			p, err := a.identity.Token(ctx, text)
			return api.SpeakerOf(p), err
		},
	})
	return err
}

// serveDoor is the door's listener: calls of agents, and what they ask about
// identity.
func (a *App) serveDoor(ctx context.Context, l net.Listener) error {
	other := a.door()
	decided := a.points.Handler()
	for _, p := range points.Paths() {
		other.Handle(p, decided)
	}
	lessons := a.lessonServer().Handler()
	for _, p := range lesson.Paths() {
		other.Handle(p, lessons)
	}
	proxies, err := a.o.Config.proxies()
	if err != nil {
		return err
	}
	return a.gateway.Serve(ctx, l, gateway.Serving{
		Proxies: proxies,
		TLS:     a.authority.tls, Other: other, Guarded: api.Guard(other, api.GuardOptions{Hosts: a.o.Config.Hosts}), Drain: a.o.Config.Shutdown,
	})
}

// serveExtAuthz answers proxies. Whom other machines reach asks each for a token.
func (a *App) serveExtAuthz(ctx context.Context, l net.Listener, secure *tls.Config) error {
	host, _, err := net.SplitHostPort(a.o.Config.ExtAuthzListen)
	if err != nil {
		return err
	}
	s, err := extauthz.New(extauthz.Options{
		Door: a.gateway, Points: a.points, Upstreams: a.upstreams, Required: !isLoopback(host), Logger: a.log.With("part", "ext_authz"),
	})
	if err != nil {
		return err
	}
	return s.Serve(ctx, l, secure)
}

// cutContained ends the live calls of an agent that may not act any more, and
// of those that act for it: the next ones are refused by what it is now.
func (a *App) cutContained(before, after *agent.Agent) {
	now := time.Now()
	dead := func(g *agent.Agent) string {
		switch {
		case g == nil:
		case g.Lifecycle == agent.Retired:
			return "floor.retired"
		case g.Contained(now) == agent.Quarantined:
			return "floor.quarantined"
		}
		return ""
	}
	code := dead(after)
	if a.stops == nil || code == "" || dead(before) == code { // nil only while the process is built
		return
	}
	why := fault.New(fault.KindDenied, "stop.agent", "the agent %s was stopped: %s", after.Name, code)
	if n := a.stops.Cut(client.StopTarget{Kind: stop.KindAgent, Value: after.Name}, "reeve", why); n > 0 {
		a.log.Info("live calls of an agent were cut", "agent", after.Name, "code", code, "calls", n)
	}
}
