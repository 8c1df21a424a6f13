package api

import (
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/identity"
	"reeve/internal/response"
)

// Responses is what follows from findings; *response.Responder is one.
type Responses interface {
	Policies() []response.Policy
	Put(ctx context.Context, who response.Actor, p response.Policy) (response.Policy, error)
	Delete(ctx context.Context, who response.Actor, name, reason string) error
	List(ctx context.Context, q response.Filter) ([]response.Act, error)
	Revert(ctx context.Context, who agent.Actor, id, reason string) (response.Act, error)
	Apply(ctx context.Context, who agent.Actor, id, reason string) (response.Act, error)
	PerHour() int
	PerTeam() int
}

func (a *API) responses() (Responses, error) {
	if a.o.Responses == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server responds to nothing")
	}
	return a.o.Responses, nil
}

func responseShape(x response.Act) client.Response {
	out := client.Response{
		ID: x.ID, Policy: x.Policy, Revision: x.Revision, Finding: x.Finding, Detector: x.Detector, Agent: x.Agent, Team: x.Team, Environment: x.Environment,
		Contain: x.Contain, Before: x.Before, State: x.State, Why: x.Says(), At: x.At, Until: optionalTime(x.Until), EndedAt: optionalTime(x.EndedAt), EndedBy: x.EndedBy, Reason: x.EndReason,
	}
	if x.Took > 0 {
		ms := x.Took / int64(time.Millisecond)
		out.TookMS = &ms
	}
	return out
}

// withResponses fills in what was done about findings. What cannot be read is
// left out: the findings are what was asked for.
func (a *API) withResponses(ctx context.Context, items []client.Finding) {
	if a.o.Responses == nil || len(items) == 0 {
		return
	}
	ids := make([]string, len(items))
	at := make(map[string]*client.Finding, len(items))
	for i := range items {
		ids[i] = items[i].ID
		at[items[i].ID] = &items[i]
	}
	for part := range slices.Chunk(ids, 500) {
		acts, err := a.o.Responses.List(ctx, response.Filter{Findings: part, Limit: 2000})
		if err != nil {
			a.o.Logger.WarnContext(ctx, "responses to findings could not be read", "err", err)
			return
		}
		for _, x := range acts {
			f := at[x.Finding]
			f.Responses = append(f.Responses, responseShape(x))
		}
	}
}

var responseStates = []string{
	"", response.InForce, response.Ended, response.Reverted, response.Would, response.Braked, response.Claimed, response.NotNeeded, response.Failed,
}

func listResponses(a *API, ctx context.Context, req *client.ListResponsesRequest) (*client.List[client.Response], error) {
	r, err := a.responses()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(responseStates, req.State) {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is %q", clip(req.State, 40)).WithHint("in_force, ended, reverted, would, braked, claimed, not_needed or failed")
	}
	limit := min(orDefault(req.Limit, 100), 1000)
	q := response.Filter{Agent: req.Agent, Finding: req.Finding, State: req.State, Before: req.Cursor, Limit: limit}
	out := &client.List[client.Response]{Items: []client.Response{}}
	who := whoOf(ctx)
	for range 20 {
		page, err := r.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, x := range page {
			if len(out.Items) == limit {
				return out, nil
			}
			if out.Next = x.ID; who.Can(identity.Viewer, x.Team, x.Environment) {
				out.Items = append(out.Items, responseShape(x))
			}
		}
		if len(page) < limit {
			out.Next = ""
			return out, nil
		}
		q.Before = page[len(page)-1].ID
	}
	return out, nil
}

func (a *API) actSeen(ctx context.Context, id string) (Responses, error) {
	r, err := a.responses()
	if err != nil {
		return nil, err
	}
	page, err := r.List(ctx, response.Filter{Before: id + "~", Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page) == 0 || page[0].ID != id || !whoOf(ctx).Can(identity.Viewer, page[0].Team, page[0].Environment) {
		return nil, fault.New(fault.KindNotFound, "response.not_found", "there is no such response").WithHint("GET %s/responses lists them", Prefix)
	}
	return r, nil
}

func revertResponse(a *API, ctx context.Context, req *client.ResponseActRequest) (*client.Response, error) {
	return a.actOn(ctx, req, Responses.Revert)
}

func applyResponse(a *API, ctx context.Context, req *client.ResponseActRequest) (*client.Response, error) {
	return a.actOn(ctx, req, Responses.Apply)
}

func (a *API) actOn(ctx context.Context, req *client.ResponseActRequest, do func(Responses, context.Context, agent.Actor, string, string) (response.Act, error)) (*client.Response, error) {
	r, err := a.actSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	x, err := do(r, ctx, actorOf(ctx), req.ID, req.Reason)
	if err != nil {
		return nil, err
	}
	out := responseShape(x)
	return &out, nil
}

// falseAlarm calls a finding noise and takes back what Reeve did because of it.
func falseAlarm(a *API, ctx context.Context, req *client.FalseAlarmRequest) (*client.Finding, error) {
	book, f, fingerprint, err := a.findingSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range f.Responses {
		if x.State != response.InForce {
			continue
		}
		r, err := a.responses()
		if err != nil {
			return nil, err
		}
		// What ended meanwhile needs no taking back.
		if _, err := r.Revert(ctx, actorOf(ctx), x.ID, req.Reason); err != nil && fault.From(err).Code != "response.state" {
			return nil, err
		}
	}
	if err := judges(whoOf(ctx), f); err != nil {
		return nil, err
	}
	if err := book.Judge(ctx, findingActor(ctx), a.judged(f, fingerprint), finding.Noise, req.Reason); err != nil {
		return nil, err
	}
	_, f, _, err = a.findingSeen(ctx, req.ID)
	return f, err
}

// Policies.

func responsePolicyShape(p response.Policy) client.ResponsePolicy {
	out := client.ResponsePolicy{
		Name: p.Name, Text: p.Text, Detectors: list(p.Detectors), Severity: p.Severity, Team: p.Team, Environment: p.Environment, Agents: list(p.Agents),
		Contain: p.Contain, Mode: p.Mode, Revision: p.Revision, By: p.By, Reason: p.Reason, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	if p.For > 0 {
		out.For = p.For.String()
	}
	return out
}

func seesTeam(who identity.Principal, team string) bool {
	return team == "" || slices.ContainsFunc(who.Scopes(identity.Viewer), func(g identity.Grant) bool { return g.Team == identity.Everything || g.Team == team })
}

func listResponsePolicies(a *API, ctx context.Context, _ *struct{}) (*client.ResponsePolicies, error) {
	r, err := a.responses()
	if err != nil {
		return nil, err
	}
	acts, err := r.List(ctx, response.Filter{Limit: 5000})
	if err != nil {
		return nil, err
	}
	since, did, would := a.o.Now().AddDate(0, 0, -30), map[string]int{}, map[string]int{}
	who := whoOf(ctx)
	for _, x := range acts {
		switch {
		case x.At.Before(since) || !who.Can(identity.Viewer, x.Team, x.Environment):
		case x.State == response.InForce || x.State == response.Ended || x.State == response.Reverted:
			did[x.Policy]++
		case x.State == response.Would || x.State == response.Braked:
			would[x.Policy]++
		}
	}
	out := &client.ResponsePolicies{Items: []client.ResponsePolicy{}, PerHour: r.PerHour(), PerTeam: r.PerTeam()}
	for _, p := range r.Policies() {
		if seesTeam(who, p.Team) {
			shape := responsePolicyShape(p)
			shape.Acts, shape.Would = did[p.Name], would[p.Name]
			out.Items = append(out.Items, shape)
		}
	}
	return out, nil
}

func responseActor(ctx context.Context) response.Actor {
	who := ruleActor(ctx)
	return response.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: who.Can}
}

func putResponsePolicy(a *API, ctx context.Context, req *client.PutResponsePolicyRequest) (*client.ResponsePolicy, error) {
	r, err := a.responses()
	if err != nil {
		return nil, err
	}
	life, err := lifeOf("for", req.For)
	if err != nil {
		return nil, err
	}
	p, err := r.Put(ctx, responseActor(ctx), response.Policy{
		Name: req.Name, Text: req.Text, Detectors: req.Detectors, Severity: req.Severity, Team: req.Team, Environment: req.Environment, Agents: req.Agents,
		Contain: req.Contain, For: life, Mode: req.Mode, Revision: req.Revision, Reason: req.Reason,
	})
	if err != nil {
		return nil, err
	}
	out := responsePolicyShape(p)
	return &out, nil
}

func deleteResponsePolicy(a *API, ctx context.Context, req *client.DeleteResponsePolicyRequest) (*struct{}, error) {
	r, err := a.responses()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, r.Delete(ctx, responseActor(ctx), req.Name, req.Reason)
}
