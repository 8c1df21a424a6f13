package gateway

import (
	"context"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/stop"
)

// judging is who decides the tool calls of the answer; nil when no policy is
// about local tools of this agent: then the answer passes byte for byte.
func (d *Door) judging(x *passage) Judge {
	a := x.Caller.Agent
	if x.proposal.Action != "call_model" || !d.o.Policies.NamesLocal(a.Name, a.Team, "") {
		return nil
	}
	return func(t ToolCall) *fault.Error { return d.tool(x, t) }
}

// effectLabel begins the label by which an agent's people say what a local tool
// does: "effect.get_weather" = read. Without it a tool destroys.
const effectLabel = "effect."

// tool decides a call of a local tool that a model proposed. The agent runs it
// itself, so its record ends here: that it ran is for telemetry to say.
func (d *Door) tool(x *passage, t ToolCall) *fault.Error {
	a := x.Caller.Agent
	if !d.o.Policies.NamesLocal(a.Name, a.Team, t.Name) {
		return nil
	}
	y := &passage{started: d.o.Now(), kind: x.kind, protocol: x.protocol, trace: x.trace}
	y.Call, y.identified = x.Call, true
	y.Body = t.Arguments
	y.proposal = &Proposal{
		Action: "call_tool", Name: t.Name, Kind: activity.KindTool, Tool: t.Name, Args: ArgsOf(t.Arguments),
		Resource: localTool(a, t.Name),
	}
	r, of := &y.record, &x.record
	r.ID, r.At, r.Node = d.o.Decisions.NewID(), y.started.UnixNano(), d.o.Node
	r.Run, r.Trace, r.Session, r.Upstream, r.Parent, r.LocalTool = of.Run, of.Trace, of.Session, policy.Local, of.ID, true
	y.describe()
	err := d.o.Stops.Check(stop.Call{
		ID: r.ID, Agent: r.Agent, Instance: r.Instance, Run: r.Run.String(), Session: r.Session, User: y.Caller.User, Version: r.Version,
		Tool: t.Name, Upstream: policy.Local, Team: r.Team, Credential: r.CredentialID, Chain: r.Chain, Labels: a.Labels,
	})
	if err == nil {
		err = d.decide(x.Context, y)
		switch {
		case !d.o.Policies.EnforcesLocal(a.Name, a.Team, t.Name):
			// Observing refuses nothing, and the floor is not asked about tools
			// that no policy in force is about.
			r.Verdict, r.Enforced, err = activity.VerdictAllow, r.Would == activity.VerdictAllow, nil
		case err == nil:
			err = d.rates(y)
		}
	}
	if err != nil {
		f := fault.From(err)
		if err := d.denied(y, f); err != nil {
			f = fault.From(err)
		}
		d.figures.count(y, d.o.Now())
		return f.WithHint("this is decision %s", r.ID)
	}
	if err := d.write(context.WithoutCancel(x.Context), y); err != nil {
		return fault.From(err)
	}
	now := d.o.Now()
	r.Result, r.Completed, r.LatencyUS = activity.ResultOK, now.UnixNano(), now.Sub(y.started).Microseconds()
	d.o.Decisions.Complete(r)
	d.figures.count(y, now)
	return nil
}
