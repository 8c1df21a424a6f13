package api

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/policy"
)

// Policies is the policies as they are kept; *policy.Store is one.
type Policies interface {
	Get(name string) (*policy.Policy, bool)
	List() []*policy.Policy
	Put(ctx context.Context, who policy.Actor, in policy.Change) (*policy.Policy, error)
	SetMode(ctx context.Context, who policy.Actor, name, mode, reason string) (*policy.Policy, error)
	Delete(ctx context.Context, who policy.Actor, name string, revision int64, reason string) error
	Restore(ctx context.Context, who policy.Actor, name string, revision int64, reason string) (*policy.Policy, error)
	Revisions(ctx context.Context, name string) ([]policy.Revision, error)
	Compile(d policy.Document) ([]policy.Statement, error)
	Warnings(p *policy.Policy) []string
	Engine() *policy.Engine
	Proposed(p *policy.Plan) (*policy.Engine, error)
}

func (a *API) policies() (Policies, error) {
	if a.o.Policies == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no policies")
	}
	return a.o.Policies, nil
}

func policyActor(ctx context.Context) policy.Actor {
	who, as := whoOf(ctx), actorOf(ctx)
	return policy.Actor{
		Person: as.Person, Via: as.Via, Name: as.Name, Token: who.Kind == identity.KindToken, Can: as.Can,
		Some: func(role, team string) bool { return someEnvironment(who, identity.Role(role), team) },
	}
}

// someEnvironment reports whether who has a role for a team in one environment
// at least.
func someEnvironment(who identity.Principal, role identity.Role, team string) bool {
	for _, g := range who.Scopes(role) {
		if g.Team == identity.Everything || g.Team == team && team != "" {
			return true
		}
	}
	return false
}

// seesPolicy: everybody's, and one's own teams'.
func seesPolicy(ctx context.Context, team string) bool {
	return team == "" || someEnvironment(whoOf(ctx), identity.Viewer, team)
}

func (a *API) policyOf(all Policies, p *policy.Policy) *client.Policy {
	return &client.Policy{
		Name: p.Name, Team: p.Team, Guardrail: p.Guardrail, Mode: p.Mode(), Cedar: p.Cedar, Statements: statementsOf(p.Statements),
		Reason: p.Reason, Author: p.Author, Origin: p.Origin, Warnings: all.Warnings(p), Revision: p.Revision, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func statementsOf(from []policy.Statement) []client.PolicyStatement {
	out := []client.PolicyStatement{}
	for i := range from {
		st := &from[i]
		var hold []string
		for _, g := range st.Hold {
			text := g.Group
			if g.Count > 1 {
				text += ":" + strconv.Itoa(g.Count)
			}
			hold = append(hold, text)
		}
		out = append(out, client.PolicyStatement{
			ID: st.ID, Effect: st.Effect, Reason: st.Reason, Hold: strings.Join(hold, ", "), Redact: strings.Join(st.Redact, ", "),
			Limit: strings.Join(st.Limits, ", "), Hash: st.Hash, Line: st.Line,
		})
	}
	return out
}

func listPolicies(a *API, ctx context.Context, req *client.ListPoliciesRequest) (*client.List[client.Policy], error) {
	all, err := a.policies()
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Policy]{Items: []client.Policy{}}
	for _, p := range all.List() {
		if seesPolicy(ctx, p.Team) && (req.Team == "" || p.Team == req.Team) {
			out.Items = append(out.Items, *a.policyOf(all, p))
		}
	}
	return out, nil
}

// visiblePolicy finds a policy that the caller may see; to others it is not
// there.
func (a *API) visiblePolicy(ctx context.Context, name string) (Policies, *policy.Policy, error) {
	all, err := a.policies()
	if err != nil {
		return nil, nil, err
	}
	p, ok := all.Get(name)
	if !ok || !seesPolicy(ctx, p.Team) {
		return nil, nil, noPolicy(name)
	}
	return all, p, nil
}

func noPolicy(name string) error {
	return fault.New(fault.KindNotFound, "policy.not_found", "there is no policy %s", clip(name, 64)).WithHint("reeve policy list (GET %s/policies) lists them", Prefix)
}

func getPolicy(a *API, ctx context.Context, req *client.PolicyRequest) (*client.Policy, error) {
	all, p, err := a.visiblePolicy(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return a.policyOf(all, p), nil
}

func (a *API) policyOr(all Policies, p *policy.Policy, err error) (*client.Policy, error) {
	if err != nil {
		return nil, err
	}
	return a.policyOf(all, p), nil
}

func putPolicy(a *API, ctx context.Context, req *client.PutPolicyRequest) (*client.Policy, error) {
	all, err := a.policies()
	if err != nil {
		return nil, err
	}
	d := policy.Document{Name: req.Name, Team: req.Team, Guardrail: req.Guardrail, Cedar: req.Cedar, Observe: req.Team != ""}
	if old, ok := all.Get(req.Name); ok {
		if !seesPolicy(ctx, old.Team) {
			return nil, fault.New(fault.KindConflict, "policy.exists", "the name %s is taken", clip(req.Name, 64))
		}
		d.Observe = old.Observe
	}
	switch req.Mode {
	case "":
	case policy.ModeObserve, policy.ModeEnforce:
		d.Observe = req.Mode == policy.ModeObserve
	default:
		return nil, fault.New(fault.KindInvalid, "policy.invalid", "a mode is observe or enforce")
	}
	p, err := all.Put(ctx, policyActor(ctx), policy.Change{Document: d, Revision: req.Revision, Reason: req.Reason})
	return a.policyOr(all, p, err)
}

func deletePolicy(a *API, ctx context.Context, req *client.DeletePolicyRequest) (*struct{}, error) {
	all, _, err := a.visiblePolicy(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, all.Delete(ctx, policyActor(ctx), req.Name, req.Revision, req.Reason)
}

func setPolicyMode(a *API, ctx context.Context, req *client.PolicyModeRequest) (*client.Policy, error) {
	all, _, err := a.visiblePolicy(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	p, err := all.SetMode(ctx, policyActor(ctx), req.Name, req.Mode, req.Reason)
	return a.policyOr(all, p, err)
}

func restorePolicy(a *API, ctx context.Context, req *client.RestorePolicyRequest) (*client.Policy, error) {
	all, _, err := a.revisions(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	p, err := all.Restore(ctx, policyActor(ctx), req.Name, req.Revision, req.Reason)
	return a.policyOr(all, p, err)
}

// revisions are those of a policy that the caller may see now or, when it is
// gone, could see last.
func (a *API) revisions(ctx context.Context, name string) (Policies, []policy.Revision, error) {
	all, err := a.policies()
	if err != nil {
		return nil, nil, err
	}
	list, err := all.Revisions(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if !seesPolicy(ctx, list[0].Team) {
		return nil, nil, noPolicy(name)
	}
	return all, list, nil
}

func listPolicyRevisions(a *API, ctx context.Context, req *client.PolicyRequest) (*client.List[client.PolicyRevision], error) {
	_, all, err := a.revisions(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.PolicyRevision]{Items: []client.PolicyRevision{}}
	for _, r := range all {
		if !seesPolicy(ctx, r.Team) {
			continue // it was another team's then
		}
		out.Items = append(out.Items, client.PolicyRevision{
			Revision: r.Revision, Version: r.Version, At: r.At, Author: r.Author, Action: r.Action, Reason: r.Reason,
			Team: r.Team, Guardrail: r.Guardrail, Mode: r.Mode(), Cedar: r.Cedar,
		})
	}
	return out, nil
}

func validatePolicy(a *API, ctx context.Context, req *client.ValidatePolicyRequest) (*client.PolicyValidation, error) {
	all, err := a.policies()
	if err != nil {
		return nil, err
	}
	d := policy.Document{Name: req.Name, Team: req.Team, Guardrail: req.Guardrail, Cedar: req.Cedar}
	if d.Name == "" {
		d.Name = "policy"
	}
	if !seesPolicy(ctx, d.Team) {
		return nil, fault.New(fault.KindDenied, "policy.denied", "this needs the role viewer for team %s", clip(d.Team, 64)).WithHint("an admin can grant it")
	}
	out := &client.PolicyValidation{Problems: []client.PolicyProblem{}, Statements: []client.PolicyStatement{}, Warnings: []string{}}
	statements, err := all.Compile(d)
	if err != nil {
		if !fault.Is(err, fault.KindInvalid) {
			return nil, err
		}
		problem := client.PolicyProblem{Line: 1, Column: 1, Text: fault.From(err).Message}
		var at *policy.SyntaxError
		if errors.As(err, &at) {
			problem = client.PolicyProblem{Line: at.Line, Column: at.Column, Text: at.Text}
		}
		out.Problems = append(out.Problems, problem)
		return out, nil
	}
	out.OK, out.Statements = true, statementsOf(statements)
	out.Warnings = all.Warnings(&policy.Policy{Document: d, Statements: statements})
	return out, nil
}
