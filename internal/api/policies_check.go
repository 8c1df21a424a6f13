package api

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"strings"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
)

// Asker says what the door would put to policy; *gateway.Door is one.
type Asker interface {
	Ask(ctx context.Context, who gateway.Caller, action, resource string) (*policy.Request, error)
	// Listed reports whether a tool of a server was ever listed by it.
	Listed(resource string) bool
}

func checkPolicy(a *API, ctx context.Context, req *client.CheckRequest) (*client.CheckAnswer, error) {
	all, err := a.policies()
	if err != nil {
		return nil, err
	}
	_, found, err := a.visible(ctx, req.Agent)
	if err != nil {
		return nil, err
	}
	if a.o.Door == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door")
	}
	engine := all.Engine()
	if len(req.Policies) > 0 {
		plan := policy.Plan{}
		if err := a.propose(ctx, all, req.Policies, &plan); err != nil {
			return nil, err
		}
		if engine, err = all.Proposed(&plan); err != nil {
			return nil, err
		}
	}
	in := req.Context
	if in == nil {
		in = &client.CheckContext{}
	}
	if tool, ok := strings.CutPrefix(req.Resource, policy.Local+"."); ok && req.Action == "call_tool" && !engine.NamesLocal(found.Name, found.Team, tool) {
		there, err := a.asDecisionPoint(ctx, engine, found, req, in)
		if err != nil {
			return nil, err
		}
		return &client.CheckAnswer{
			Verdict: "allow", Would: "allow", Enforced: true, Floor: "allow", Policies: []client.PolicyRef{}, Hold: []client.HoldGroup{}, Redact: []string{},
			Limits: []client.PolicyRate{}, PolicyVersion: engine.Version(),
			Reasons: []client.Reason{{Code: "gateway.undecided", Text: "no policy names this tool"}},
			Text: "In the path of the model (the door): not decided, so the agent may. It runs its local tools itself, and no policy names this one in a scope; with Tool::\"" + req.Resource +
				"\" in one, its calls are decided in the model's answers. At decision points (`reeve decision ask`, hooks, AuthZEN), which decide every tool they are asked about: " + there,
		}, nil
	}
	q, err := a.o.Door.Ask(ctx, callerOf(found, in), req.Action, req.Resource)
	if f := fault.From(err); f != nil {
		if f.Kind != fault.KindDenied {
			return nil, err
		}
		// The door refuses it before it asks policy.
		reason := activity.Reason{Code: f.Code, Text: f.Message}
		return checkAnswer(policy.Decision{
			Verdict: activity.VerdictDeny, Would: activity.VerdictDeny, Enforced: true, Reasons: []activity.Reason{reason}, Version: engine.Version(),
		}), nil
	}
	if err := bring(q, in); err != nil {
		return nil, err
	}
	out := checkAnswer(engine.Decide(q))
	if req.Action == "call_tool" && !a.o.Door.Listed(req.Resource) {
		server, _, _ := strings.Cut(req.Resource, ".")
		out.Hint = "no server ever listed this tool, so nothing is known of it and it counts as destructive: `reeve tool list --upstream " + server + "` lists those that there are"
	}
	return out, nil
}

// asDecisionPoint is what is said of a local tool where each is decided, in words.
func (a *API) asDecisionPoint(ctx context.Context, engine *policy.Engine, found *agent.Agent, req *client.CheckRequest, in *client.CheckContext) (string, error) {
	q, err := a.o.Door.Ask(ctx, callerOf(found, in), req.Action, req.Resource)
	if err != nil {
		return "", err
	}
	if err := bring(q, in); err != nil {
		return "", err
	}
	v := engine.Decide(q)
	text := inWords(&v)
	return strings.ToLower(text[:1]) + text[1:], nil
}

// callerOf is the agent as a call of it would come in.
func callerOf(a *agent.Agent, in *client.CheckContext) gateway.Caller {
	credential := in.Credential
	if credential == "" {
		credential = "agent_key"
	}
	return gateway.Caller{
		Agent: a, Credential: credential, Bound: in.Bound, Instance: in.Instance, User: in.User, UserTeams: in.UserTeams, UserGroups: in.UserGroups,
		Chain: in.Chain, Epoch: a.Epoch,
	}
}

// bring adds what the asker says that the call brings.
func bring(q *policy.Request, in *client.CheckContext) error {
	c := &q.Call
	c.Classes = append(c.Classes, in.Classes...)
	c.Findings = append(c.Findings, in.Findings...)
	if in.Now != nil {
		c.Now = *in.Now
	}
	if in.Address != "" {
		a, err := netip.ParseAddr(in.Address)
		if err != nil {
			return fault.New(fault.KindInvalid, "api.address", "%q is no IP address", in.Address)
		}
		c.Address = a
	}
	if in.UserActive != nil {
		c.UserActive = in.UserActive
	}
	c.UserDirectory = cmp.Or(in.UserDirectory, c.UserDirectory)
	c.Version = cmp.Or(in.Version, c.Version)
	if in.VersionApproved != nil {
		c.VersionApproved = *in.VersionApproved
	}
	if in.Fresh != nil {
		q.Resource.Fresh = in.Fresh
	}
	if x := in.Budget; x != nil {
		c.Budget = policy.Budget{Tokens: x.Tokens, Calls: x.Calls}
		if x.Money != nil {
			if math.Abs(*x.Money) > maxBudgetAsked { // Cedar's decimals end at 15 digits before the point
				return fault.New(fault.KindInvalid, "api.budget", "a budget of %g is beyond what policies can compare", *x.Money)
			}
			m := int64(math.Round(*x.Money * 10_000))
			c.Budget.Money = &m
		}
	}
	if x := in.Args; x != nil {
		c.Args.Readable = true
		c.Args.Text, c.Args.Int = joined(c.Args.Text, x.Text), joined(c.Args.Int, x.Int) // beside what the path has
		c.Args.Number, c.Args.Flag = joined(c.Args.Number, x.Number), joined(c.Args.Flag, x.Flag)
	}
	if x := in.Model; x != nil && c.Model != nil {
		m := *c.Model
		m.MaxOutput, m.Tools, m.HostedTools = x.MaxOutput, x.Tools, x.HostedTools
		c.Model = &m
	}
	if x := in.Taint; x != nil {
		c.Taint = policy.Taint{Classes: x.Classes, Sources: x.Sources, Upstreams: x.Upstreams, Untrusted: x.Untrusted}
	}
	if x := in.Destinations; x != nil {
		c.Destinations = policy.Destinations{All: x.All, Domains: x.Domains, FirstSeen: x.FirstSeen, Injected: x.Injected, External: x.External || c.Destinations.External}
	}
	return nil
}

const maxBudgetAsked = 1e12

func joined[V any](a, b map[string]V) map[string]V {
	out := make(map[string]V, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

func checkAnswer(d policy.Decision) *client.CheckAnswer {
	out := &client.CheckAnswer{
		Verdict: d.Verdict.String(), Would: d.Would.String(), Enforced: d.Enforced, Floor: d.Floor.String(), Reasons: []client.Reason{}, Policies: []client.PolicyRef{},
		Hold: []client.HoldGroup{}, Redact: list(d.Redact), Limits: []client.PolicyRate{}, PolicyVersion: d.Version,
	}
	for _, r := range d.Reasons {
		out.Reasons = append(out.Reasons, client.Reason{Code: r.Code, Text: r.Text})
	}
	for _, p := range d.Policies {
		out.Policies = append(out.Policies, client.PolicyRef{Policy: p.Policy, Statement: p.Statement, Hash: p.Hash})
	}
	for _, h := range d.Hold {
		out.Hold = append(out.Hold, client.HoldGroup{Group: h.Group, Count: h.Count})
	}
	for _, l := range d.Limits {
		out.Limits = append(out.Limits, client.PolicyRate{Limit: l.Text, Statement: l.Statement})
	}
	out.Text = inWords(&d)
	return out
}

// inWords says a decision in sentences.
func inWords(d *policy.Decision) string {
	var b strings.Builder
	why := func() {
		for i, r := range d.Reasons {
			sep := "; "
			if i == 0 {
				sep = ": "
			}
			fmt.Fprintf(&b, "%s%s (%s)", sep, r.Text, r.Code)
		}
		b.WriteString(".")
	}
	switch d.Verdict {
	case activity.VerdictAllow:
		b.WriteString("Allowed")
		if d.Would == activity.VerdictAllow {
			for i, p := range d.Policies {
				sep := ", "
				if i == 0 {
					sep = " by "
				}
				b.WriteString(sep + p.Policy + "/" + p.Statement)
			}
			b.WriteString(".")
		} else {
			fmt.Fprintf(&b, ", because it is only observed. Enforced, it would be %s", map[activity.Verdict]string{activity.VerdictHold: "held", activity.VerdictDeny: "denied"}[d.Would])
			why()
		}
	case activity.VerdictHold:
		b.WriteString("Held until a person agrees")
		why()
	default:
		b.WriteString("Denied")
		why()
	}
	if d.Verdict == activity.VerdictDeny {
		return b.String()
	}
	for _, h := range d.Hold {
		fmt.Fprintf(&b, " %d of %s must agree.", h.Count, h.Group)
	}
	for _, c := range d.Redact {
		fmt.Fprintf(&b, " Class %s is taken out before it is forwarded.", c)
	}
	for _, l := range d.Limits {
		fmt.Fprintf(&b, " At most %s (%s).", l.Text, l.Statement)
	}
	return b.String()
}
