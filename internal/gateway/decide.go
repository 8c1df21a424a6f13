package gateway

import (
	"context"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/budget"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/stop"
)

// enter registers the call where stops look, and refuses one that is stopped.
func (d *Door) enter(ctx context.Context, x *passage) error {
	x.describe()
	ctx, leave, err := d.enterStops(ctx, x)
	if err != nil {
		return err
	}
	x.Context, x.leave = ctx, leave
	return nil
}

func (d *Door) enterStops(ctx context.Context, x *passage) (_ context.Context, leave func(), err error) {
	r, c := &x.record, &x.Caller
	return d.o.Stops.Enter(ctx, stop.Call{
		ID: r.ID, Agent: r.Agent, Instance: c.Instance, Run: r.Run.String(), Session: r.Session, User: c.User, Version: r.Version,
		Tool: r.Tool, Model: r.Model, Upstream: r.Upstream, Team: r.Team, Credential: c.CredentialID, Resource: r.Resource,
		Chain: c.Chain, Labels: c.Agent.Labels, StartedAt: x.started, Sent: &x.sent.n, HangUp: x.cut,
	})
}

// scopes are the words that an access token of ours has for the actions that it
// may be used for.
var scopes = map[string]string{
	"call_model": "models:call", "call_api": "apis:call", "call_tool": "tools:call", "send_task": "tasks:send", "read_source": "sources:read",
}

// anyAction is the scope of a token that may be used for all of them.
const anyAction = "door"

var errScope = fault.New(fault.KindDenied, "gateway.scope", "the token's scopes do not let it do this")

// scoped refuses what the token was not made for: a token with scopes is good for
// what they name and nothing else, whatever its agent may do.
func (x *passage) scoped() error {
	list := x.Caller.Scopes
	if word := scopes[x.proposal.Action]; len(list) > 0 && !slices.Contains(list, word) && !slices.Contains(list, anyAction) {
		return fault.New(errScope.Kind, errScope.Code, "the token's scopes do not let it %s", x.proposal.Action).
			WithHint("ask for a token with the scope %s, or with %s", word, anyAction)
	}
	return nil
}

// reach refuses what is no action of its own, and so not decided, at an upstream
// that the agent may not use at all: with the upstream's credential its lists are
// read, and its sessions begun.
func (d *Door) reach(x *passage) error {
	u, a := x.Upstream, x.Caller.Agent
	res := policy.Resource{Upstream: u.Name, UpstreamTeam: u.Team, UpstreamShared: u.Shared}
	if d.o.Policies.Reaches(&policy.Agent{Team: a.Team}, x.Caller.Credential, &res) {
		return nil
	}
	r := &x.record
	r.Verdict, r.Would, r.Enforced, r.Floor = activity.VerdictDeny, activity.VerdictDeny, true, activity.VerdictDeny
	r.Reasons = []activity.Reason{policy.Unreached()}
	return fault.New(fault.KindDenied, "decision.denied", "denied: %s", because(r.Reasons)).WithHint("`reeve decision show %s` says why", r.ID)
}

// decide asks policy and floor.
func (d *Door) decide(_ context.Context, x *passage) error {
	if p := x.proposal; p.Quiet {
		if a := x.Caller.Agent; p.Late && d.o.Content != nil {
			x.scan.plan = d.o.Content.For(a.Name, a.Team, a.Environment)
		}
		return d.reach(x)
	}
	if err := x.scoped(); err != nil {
		return err
	}
	d.look(x)
	d.listen(x)
	d.pace(x)
	req := d.request(x)
	v := d.verdict(x, req)
	x.verdict = v
	x.observed = req.Agent.Enforcement == "observe"
	r := &x.record
	r.Verdict, r.Would, r.Enforced, r.Floor = v.Verdict, v.Would, v.Enforced, v.Floor
	r.Reasons, r.Policies, r.PolicyVersion = v.Reasons, v.Policies, v.Version
	if x.instead != "" {
		why := activity.Reason{Code: "upstream.fallback", Text: x.Upstream.Name + " stands in for " + x.instead + ", which fails"}
		if s := d.o.Upstreams.Switched(x.instead); s != nil && s.To == x.Upstream.Name {
			why = activity.Reason{Code: "upstream.switched", Text: s.By + " switched " + x.instead + " to " + s.To + ": " + s.Reason}
		}
		if x.test != nil && x.test.Down(x.instead) {
			why = activity.Reason{Code: "upstream.drill", Text: x.Upstream.Name + " stands in for " + x.instead + ", which this test takes as down"}
		}
		r.Reasons = append(slices.Clip(r.Reasons), why)
	}
	d.ungoverned(x)
	if v.Context != nil {
		r.Context = v.Context()
	}
	if err := d.delegators(x); err != nil {
		return err
	}
	if err := d.pinned(x); err != nil {
		return err
	}
	d.inHand(x)
	switch r.Verdict {
	case activity.VerdictAllow:
		x.agreed()
		return nil
	case activity.VerdictHold:
		return d.held(x)
	}
	return fault.New(fault.KindDenied, "decision.denied", "denied: %s", because(v.Reasons)).
		WithHint("`reeve decision show %s` says why", r.ID)
}

// verdict asks policy: about what an agent does, or about what a server asks.
func (d *Door) verdict(x *passage, req *policy.Request) policy.Decision {
	a := x.proposal.Ask
	if a == nil {
		return d.o.Policies.Decide(req)
	}
	u := x.Upstream
	a.Upstream, a.UpstreamTeam, a.UpstreamShared, a.UpstreamKind, a.External, a.Agent, a.Action = u.Name, u.Team, u.Shared, u.Kind, u.External, req.Agent, req.Action
	a.Classes = req.Call.Classes
	return d.o.Policies.Ask(a)
}

// delegators refuses an action for an agent that may not act itself.
func (d *Door) delegators(x *passage) error {
	for _, name := range x.Caller.Chain {
		a, ok := d.o.Agents.Lookup(name)
		if ok && (a.Lifecycle == agent.Retired || a.Contained(x.started) == agent.Quarantined) {
			r := &x.record
			r.Verdict, r.Would, r.Enforced, r.Floor = activity.VerdictDeny, activity.VerdictDeny, true, activity.VerdictDeny
			r.Reasons = append([]activity.Reason{{Code: "floor.delegator", Text: "it acts for " + name + ", which may not act"}}, r.Reasons...)
			return fault.New(fault.KindDenied, "decision.denied", "denied: %s", because(r.Reasons)).WithHint("`reeve decision show %s` says why", r.ID)
		}
	}
	return nil
}

// because is why, in words for the caller: the first is not always the one that
// they can do something about.
func because(reasons []activity.Reason) string {
	if len(reasons) == 0 {
		return "no policy permits it"
	}
	var b strings.Builder
	for i, r := range reasons[:min(len(reasons), 3)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(r.Text + " (" + r.Code + ")")
	}
	return b.String()
}

// nanosPerTenth are the billionths of money in a ten-thousandth, which policy
// counts in.
const nanosPerTenth = 100_000

// request puts the call into policy's words.
func (d *Door) request(x *passage) *policy.Request {
	a, c, p := x.Caller.Agent, &x.Caller, x.proposal
	enforcement := "enforce"
	if !a.Enforced(x.started) {
		enforcement = "observe"
	}
	res := p.Resource
	if u := x.Upstream; u != nil && res.Upstream != policy.Local {
		res.Upstream, res.UpstreamTeam, res.UpstreamShared, res.UpstreamKind, res.External = u.Name, u.Team, u.Shared, u.Kind, u.External
	}
	var left policy.Budget
	if d.o.Budgets != nil {
		use := budget.Use{Agent: a.Name, User: c.User, Task: a.Task, Team: a.Team, Pilot: a.Lifecycle == "pilot"}
		left.Tokens, left.Calls, left.Money = d.o.Budgets.Left(x.started, use)
		if left.Money != nil {
			tenths := *left.Money / nanosPerTenth // rounded down: what policy reads is never more than there is
			left.Money = &tenths
		}
	}
	req := &policy.Request{
		Agent: policy.Agent{
			Name: a.Name, Team: a.Team, Owner: a.Owner, Kind: a.Kind, Lifecycle: a.Lifecycle, Autonomy: a.Autonomy, Environment: a.Environment,
			Mode: a.Mode, Containment: a.Contained(x.started), Enforcement: enforcement, Classes: a.DataClasses, Labels: a.Labels,
		},
		Action: p.Action, Resource: res,
		Call: policy.Call{
			Credential: c.Credential, Bound: c.Bound, Instance: c.Instance, Version: a.Version,
			User: c.User, UserTeams: c.UserTeams, UserGroups: c.UserGroups, Chain: c.Chain, Depth: len(c.Chain),
			Classes: p.Classes, Now: x.started, Address: c.Address, Args: p.Args, Model: p.Model, Budget: left,
			Destinations: policy.Destinations{External: res.External}, Findings: d.open(x, &res),
		},
	}
	d.known(req, c.Expires)
	d.taint(x, req)
	return req
}

// write makes the proposal durable: what is not recorded is not forwarded.
func (d *Door) write(ctx context.Context, x *passage) error {
	r := &x.record
	if len(x.Body) > 0 {
		r.ArgumentsHash = d.o.Decisions.Commit(x.Body)
	}
	if r.Result == activity.ResultPending {
		r.Completed, r.LatencyUS = activity.Unknown, activity.Unknown
	}
	r.UpstreamUS, r.Usage = activity.Unknown, activity.NoUsage
	r.DecideUS = d.o.Now().Sub(x.started).Microseconds()
	if err := d.o.Decisions.Propose(ctx, r); err != nil {
		return err
	}
	x.recorded = true
	d.governs(x)
	if x.w != nil { // nil for a request that net/http itself refused
		x.w.Header()["X-Reeve-Decision"] = []string{r.ID}
	}
	return nil
}
