package gateway

import (
	"context"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// Asker asks policy what one caller might do, many times over: what an agent is
// shown of a list is what it may call. It is used by one goroutine.
type Asker struct {
	req  *policy.Request
	door *Door
}

// Asker prepares to ask about actions of c's caller. c has been identified.
func (c *Call) Asker(action string) *Asker {
	if c.door == nil {
		return &Asker{}
	}
	x := &passage{started: c.door.o.Now()}
	x.Call = *c
	x.Upstream = &upstream.Upstream{}
	x.proposal = &Proposal{Action: action, Resource: policy.Resource{Upstream: policy.Local}}
	req := c.door.request(x)
	req.Call.Args = policy.Args{Readable: true}
	return &Asker{req: req, door: c.door}
}

// Would is what policy would say to the action on res of u, whatever its
// arguments. A caller that nobody identified may do nothing.
func (a *Asker) Would(u *upstream.Upstream, res policy.Resource) policy.Decision {
	if a.req == nil {
		return policy.Decision{Verdict: activity.VerdictDeny, Would: activity.VerdictDeny}
	}
	res.Upstream, res.UpstreamTeam, res.UpstreamShared, res.UpstreamKind, res.External = u.Name, u.Team, u.Shared, u.Kind, u.External
	a.req.Resource = res
	a.door.freshness(a.req)
	a.req.Call.Destinations = policy.Destinations{External: u.External}
	return a.door.o.Policies.Decide(a.req)
}

// Aside decides and records an action that takes place within c: what a server
// asks back of its caller. It is counted in rates and budgets, its record names
// c's, and it ends with it. A nil answer permits.
func (c *Call) Aside(p *Proposal, body []byte) *fault.Error {
	d, of := c.door, c.x
	if d == nil {
		return fault.New(fault.KindInternal, "gateway.aside", "no call is being made")
	}
	y := &passage{started: d.o.Now(), kind: of.kind, protocol: of.protocol, trace: of.trace}
	y.Call, y.identified = of.Call, true
	y.x, y.Body, y.proposal = y, body, p
	r := &y.record
	r.ID, r.At, r.Node = d.o.Decisions.NewID(), y.started.UnixNano(), d.o.Node
	r.Run, r.Trace, r.Session, r.Upstream, r.Parent = of.record.Run, of.record.Trace, of.record.Session, of.record.Upstream, of.record.ID
	y.describe()
	err := d.aside(y)
	if err != nil {
		f := fault.From(err)
		y.reservation.Release()
		if err := d.denied(y, f); err != nil {
			f = fault.From(err)
		}
		d.figures.count(y, d.o.Now())
		return f.WithHint("this is decision %s", r.ID)
	}
	now := d.o.Now()
	r.Result, r.Completed, r.LatencyUS = activity.ResultOK, now.UnixNano(), now.Sub(y.started).Microseconds()
	y.reservation.Settle(y.started, activity.Unknown, activity.Unknown)
	d.o.Decisions.Complete(r)
	d.figures.count(y, now)
	return nil
}

func (d *Door) aside(y *passage) error {
	r, c := &y.record, &y.Caller
	err := d.o.Stops.Check(stop.Call{
		ID: r.ID, Agent: r.Agent, Instance: c.Instance, Run: r.Run.String(), Session: r.Session, User: c.User, Version: r.Version,
		Tool: r.Tool, Model: r.Model, Upstream: r.Upstream, Team: r.Team, Credential: r.CredentialID, Chain: c.Chain, Labels: c.Agent.Labels,
	})
	if err != nil {
		return err
	}
	if err := d.decide(y.Context, y); err != nil {
		return err
	}
	if err := d.limit(y.Context, y); err != nil {
		return err
	}
	return d.write(context.WithoutCancel(y.Context), y)
}

// Linger registers c with the stops once more, for what goes on after its
// answer: an upstream's call that waits for the caller's next word. The context
// ends with a stop, or when leave is called; it does not end with the request.
func (c *Call) Linger() (ctx context.Context, leave func(), err error) {
	x := c.x
	r := &x.record
	return c.door.o.Stops.Enter(context.WithoutCancel(c.Request.Context()), stop.Call{
		ID: r.ID + "+", Agent: r.Agent, Instance: c.Caller.Instance, Run: r.Run.String(), Session: r.Session, User: c.Caller.User, Version: r.Version,
		Tool: r.Tool, Upstream: r.Upstream, Team: r.Team, Credential: c.Caller.CredentialID, Resource: r.Resource,
		Chain: c.Caller.Chain, Labels: c.Caller.Agent.Labels, StartedAt: x.started, Sent: &x.sent.n,
	})
}

// Approval is the id of the approval that c waits for or collects; "" for none.
func (c *Call) Approval() string {
	if c.x == nil {
		return ""
	}
	return c.x.record.Approval
}

// Held is what a Waiter was told of the approval that c waits for; zero when
// none was asked.
func (c *Call) Held() Held {
	if c.x == nil {
		return Held{}
	}
	return c.x.told
}

// DecisionID is the id of c's record: it is known once the call was joined to
// its run.
func (c *Call) DecisionID() string {
	if c.x == nil {
		return ""
	}
	return c.x.record.ID
}
