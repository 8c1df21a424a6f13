package gateway

import (
	"context"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/stop"
)

// judging is who decides the tool calls of the answer; nil when no policy is
// about local tools of this agent: then the answer passes byte for byte.
func (d *Door) judging(x *passage) Judge {
	a := x.Caller.Agent
	if x.test != nil && x.proposal.Action == "call_model" {
		return func(t ToolCall) *fault.Error {
			if f := x.testTool(t); f != nil {
				return f
			}
			return d.tool(x, t)
		}
	}
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
	y := &passage{started: d.o.Now(), kind: x.kind, protocol: x.protocol, trace: x.trace, named: x.named, test: x.test, callID: t.ID}
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
	if err == nil && r.Verdict == activity.VerdictHold && x.test != nil {
		err = errTestHeld
	} else if err == nil && r.Verdict == activity.VerdictHold {
		err = d.holdTool(x, y)
	}
	if err == nil {
		err = d.write(context.WithoutCancel(x.Context), y)
	}
	if err == nil && y.granted != nil {
		err = d.o.Approvals.Claim(context.WithoutCancel(x.Context), y.granted.ID, r.ID)
	}
	now := d.o.Now()
	if err != nil {
		f := fault.From(err)
		switch {
		case !y.recorded:
			if err := d.denied(y, f); err != nil {
				f = fault.From(err)
			}
		case r.Result == activity.ResultPending:
			r.Result, r.ErrorCode, r.Completed, r.LatencyUS = activity.ResultDenied, f.Code, now.UnixNano(), now.Sub(y.started).Microseconds()
			d.o.Decisions.Complete(r)
		}
		d.figures.count(y, now)
		return f.WithHint("this is decision %s", r.ID)
	}
	d.goes(y)
	r.Result, r.Completed, r.LatencyUS = activity.ResultOK, now.UnixNano(), now.Sub(y.started).Microseconds()
	d.o.Decisions.Complete(r)
	if y.granted != nil {
		// What the agent does with it is for telemetry to say.
		if err := d.o.Approvals.Finish(context.WithoutCancel(x.Context), y.granted.ID, "ok", nil, true); err != nil {
			d.o.Logger.Error("what an approved call came to could not be stored", "approval", y.granted.ID, "decision", r.ID, "err", err)
		}
	}
	d.figures.count(y, now)
	return nil
}

// holdTool makes a held call of a local tool wait for people, while the answer
// that proposes it waits.
func (d *Door) holdTool(x, y *passage) error {
	a, err := d.question(x.Context, y)
	if err != nil {
		return err
	}
	if a.State == approval.Pending {
		if err := d.handed(y); err != nil {
			return err
		}
		x.watching.pause()
		a, err = d.await(x.Context, y, a)
		x.watching.alive()
		if err != nil {
			return err
		}
	}
	if a.State != approval.Approved {
		return d.refusal(a)
	}
	y.granted = a
	y.again(d, a.ID)
	if code, why := d.changed(y, &a.Ask); code != "" {
		return d.void(y, code, why)
	}
	y.describe()
	return d.decide(x.Context, y)
}
