package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Some changes need two people (roles, guardrails, release from quarantine):
// who asks for one gets 202 and a proposal, and the change is made, in the name
// of who asked, once another person with the permission and a fresh second
// factor confirms it. Where nobody else could confirm, it is made at once and
// its record names "self" as the second person.

// question is what a second person is asked.
type question struct {
	roles             []identity.Role // one of which the second person has
	team, environment string
	summary, reason   string
}

// twoPeople gives an operation the question that it puts to a second person;
// nil for a request that needs none.
func twoPeople[Req any](op operation, ask func(a *API, ctx context.Context, req *Req) (*question, error)) operation {
	op.second = func(a *API, ctx context.Context, req any) (*question, error) { return ask(a, ctx, req.(*Req)) }
	return op
}

// fresh refuses who has not shown a second factor in the last minutes. In dev
// mode whoever leaves the session away has every role, so it would guard
// nothing.
func (a *API) fresh(ctx context.Context) error {
	if a.o.Dev && whoOf(ctx).Kind != identity.KindToken {
		return nil
	}
	return identity.NeedFresh(whoOf(ctx), a.o.Now())
}

// askSecond finds out whether a request has to wait for a second person. It
// gives the context to make the change under when it has not.
func (a *API) askSecond(ctx context.Context, r *http.Request, c *call, req any, body []byte) (context.Context, *client.Proposal, error) {
	if c.op.second == nil || whoOf(ctx).Kind == identity.KindSetup {
		return ctx, nil, nil
	}
	q, err := c.op.second(a, ctx, req)
	if err != nil || q == nil {
		return ctx, nil, err
	}
	if err := a.fresh(ctx); err != nil {
		return ctx, nil, err
	}
	who := whoOf(ctx)
	if who.Kind == identity.KindDev {
		return audit.WithSecond(ctx, audit.Self), nil, nil
	}
	alone, err := a.o.Identity.Alone(ctx, who, q.roles, q.team, q.environment)
	if err != nil {
		return ctx, nil, err
	}
	if alone {
		return audit.WithSecond(ctx, audit.Self), nil, nil
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), Prefix)
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	p, err := a.o.Identity.Propose(ctx, who, identity.Proposal{
		Operation: c.op.Name, Path: path, Body: string(body), Summary: q.summary, Reason: q.reason, Team: q.team, Environment: q.environment,
	})
	if err != nil {
		return ctx, nil, err
	}
	shape := proposalOf(p)
	return ctx, &shape, nil
}

func proposalOf(p identity.Proposal) client.Proposal {
	return client.Proposal{
		ID: p.ID, Operation: p.Operation, Summary: p.Summary, Request: []byte(cmp.Or(p.Body, "null")), Path: p.Path, Reason: p.Reason, Team: p.Team, Environment: p.Environment,
		By: p.PersonName, CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, State: p.State, DecidedBy: p.DecidedBy, DecidedAt: optionalTime(p.DecidedAt), Error: p.Error,
	}
}

// operationNamed finds an operation of the table.
func (a *API) operationNamed(name string) *operation {
	for i := range a.table {
		if a.table[i].Name == name {
			return &a.table[i]
		}
	}
	return nil
}

// mayAgreeTo is nil for who may be the second person of a proposal.
func (a *API) mayAgreeTo(ctx context.Context, op *operation, p identity.Proposal) error {
	who := whoOf(ctx)
	for _, r := range op.Permission.roles {
		if who.Can(r, p.Team, p.Environment) {
			return nil
		}
	}
	return op.Permission.denied()
}

func listProposals(a *API, ctx context.Context, req *client.ListProposalsRequest) (*client.List[client.Proposal], error) {
	all, err := a.o.Identity.Proposals(ctx, req.Open, orDefault(req.Limit, 100))
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	out := &client.List[client.Proposal]{Items: []client.Proposal{}}
	for _, p := range all {
		op := a.operationNamed(p.Operation)
		if p.Person != who.PersonID && !who.Everywhere(identity.Auditor) && (op == nil || a.mayAgreeTo(ctx, op, p) != nil) {
			continue
		}
		shape := proposalOf(p)
		shape.Mine = p.Person == who.PersonID
		out.Items = append(out.Items, shape)
	}
	return out, nil
}

// confirmProposal makes a change as its second person.
func confirmProposal(a *API, ctx context.Context, req *client.IDRequest) (*client.Proposal, error) {
	if err := a.fresh(ctx); err != nil {
		return nil, err
	}
	p, err := a.o.Identity.Proposal(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	op := a.operationNamed(p.Operation)
	if op == nil {
		return nil, fault.New(fault.KindConflict, "api.proposal_old", "this version does not have the operation %s any more", p.Operation).WithHint("decline it and ask anew")
	}
	if err := a.mayAgreeTo(ctx, op, p); err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	if p, err = a.o.Identity.Decide(ctx, who, p.ID, identity.ProposalConfirmed); err != nil {
		return nil, err
	}
	failed := a.perform(audit.WithSecond(ctx, who.PersonID), op, p)
	text := ""
	if failed != nil {
		f := faultOf(failed)
		text = f.Code + ": " + f.Message
	}
	// The change is made or not by now: its end is written whoever went away.
	if err := a.o.Identity.Finish(context.WithoutCancel(ctx), who, p.ID, text); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	if p, err = a.o.Identity.Proposal(ctx, p.ID); err != nil {
		return nil, err
	}
	out := proposalOf(p)
	return &out, nil
}

// perform makes the request of a proposal again, in the name of who asked.
func (a *API) perform(ctx context.Context, op *operation, p identity.Proposal) error {
	who, err := a.o.Identity.Standing(ctx, p.Person, p.ID)
	if err != nil {
		return err
	}
	if err := op.Permission.allow(&who); err != nil {
		return err
	}
	r, err := op.rebuild(ctx, p)
	if err != nil {
		return err
	}
	req, _, err := op.decode(nil, r)
	if err != nil {
		return err
	}
	c := *callOf(ctx)
	c.op, c.who, c.cookie, c.release = op, &who, nil, nil
	ctx = context.WithValue(ctx, callKey{}, &c)
	if op.named != nil {
		team, environment := op.named(req)
		if err := op.Permission.allowNamed(who, team, environment); err != nil {
			return err
		}
	}
	_, err = op.call(ctx, a, req)
	return err
}

// rebuild makes the HTTP request that a proposal was.
func (op *operation) rebuild(ctx context.Context, p identity.Proposal) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, op.Method, "http://reeve"+Prefix+p.Path, strings.NewReader(p.Body))
	if err != nil {
		return nil, fault.New(fault.KindInternal, "api.proposal_damaged", "the proposal cannot be read").WithCause(err)
	}
	r.Header.Set("Content-Type", "application/json")
	given, pattern := strings.Split(r.URL.EscapedPath(), "/"), strings.Split(Prefix+op.Path, "/")
	if len(given) != len(pattern) {
		return nil, fault.New(fault.KindInternal, "api.proposal_damaged", "the proposal is of another path")
	}
	for i, part := range pattern {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		value, err := url.PathUnescape(given[i])
		if err != nil {
			return nil, fault.New(fault.KindInternal, "api.proposal_damaged", "the proposal cannot be read").WithCause(err)
		}
		r.SetPathValue(strings.Trim(part, "{}"), value)
	}
	return r, nil
}

func declineProposal(a *API, ctx context.Context, req *client.IDRequest) (*client.Proposal, error) {
	p, err := a.o.Identity.Proposal(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if op := a.operationNamed(p.Operation); op != nil {
		if err := a.mayAgreeTo(ctx, op, p); err != nil {
			return nil, err
		}
	}
	return a.settle(ctx, req.ID, identity.ProposalDeclined)
}

func withdrawProposal(a *API, ctx context.Context, req *client.IDRequest) (*client.Proposal, error) {
	return a.settle(ctx, req.ID, identity.ProposalWithdrawn)
}

func (a *API) settle(ctx context.Context, id, to string) (*client.Proposal, error) {
	p, err := a.o.Identity.Decide(ctx, whoOf(ctx), id, to)
	if err != nil {
		return nil, err
	}
	out := proposalOf(p)
	return &out, nil
}

// Which requests need a second person.

func askRoles(a *API, ctx context.Context, req *client.UpdatePersonRequest) (*question, error) {
	if req.Grants == nil {
		return nil, nil
	}
	if req.Password != nil {
		return nil, fault.New(fault.KindInvalid, "api.split_change", "roles and a password are not changed together").
			WithHint("roles may wait for a second person, who must not see the password: send two requests")
	}
	p, err := a.o.Identity.Person(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	var roles []string
	for _, g := range *req.Grants {
		roles = append(roles, g.Role+" "+g.Team+" "+g.Environment)
	}
	return &question{
		roles: []identity.Role{identity.Admin}, team: identity.Everything, environment: identity.Everything,
		summary: "give " + p.Name + " the roles " + cmp.Or(strings.Join(roles, ", "), "(none)"),
	}, nil
}

func askRelease(a *API, ctx context.Context, req *client.AgentReasonRequest) (*question, error) {
	_, found, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	if found.Contained(a.o.Now()) != agent.Quarantined {
		return nil, a.fresh(ctx)
	}
	return &question{
		roles: []identity.Role{identity.Security}, team: found.Team, environment: found.Environment,
		summary: "release " + found.Name + " from quarantine", reason: req.Reason,
	}, nil
}
