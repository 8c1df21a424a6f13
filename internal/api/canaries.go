package api

import (
	"cmp"
	"context"
	"net/http"

	"reeve/client"
	"reeve/internal/canary"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/identity"
	"reeve/internal/pin"
)

func canaryOperations() []operation {
	view, keep := rows(identity.Viewer), rows(identity.Developer, identity.Responder, identity.Security)
	return []operation{
		define(operation{Name: "ListCanaries", Method: http.MethodGet, Path: "/canaries", Permission: view, Summary: "lists the models that are asked fixed prompts, and what changed of their answers"}, listCanaries),
		define(operation{Name: "GetCanary", Method: http.MethodGet, Path: "/canaries/{name}", Permission: view, Summary: "reads a canary with its newest answers"}, getCanary),
		define(operation{Name: "PutCanary", Method: http.MethodPut, Path: "/canaries/{name}", Permission: keep, Audit: AuditChange, Summary: "makes or changes a canary: a model that is asked fixed prompts through the door"}, putCanary),
		define(operation{Name: "AcceptCanary", Method: http.MethodPost, Path: "/canaries/{name}/accept", Permission: keep, Audit: AuditChange, Summary: "says that what answers now is the new normal"}, acceptCanary),
		define(operation{Name: "AskCanary", Method: http.MethodPost, Path: "/canaries/{name}/ask", Permission: keep, Audit: AuditChange, Summary: "asks a canary's prompts now, before they are due"}, askCanary),
		define(operation{Name: "DeleteCanary", Method: http.MethodDelete, Path: "/canaries/{name}", Permission: keep, Audit: AuditChange, Summary: "drops a canary and its answers"}, deleteCanary),
	}
}

func (a *API) canaries() (*canary.Book, error) {
	if a.o.Canaries == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server asks no canary prompts")
	}
	return a.o.Canaries, nil
}

func canaryActor(ctx context.Context) canary.Actor {
	who := actorOf(ctx)
	return canary.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: who.Can}
}

// canarySeen is a canary that the asker may see.
func (a *API) canarySeen(ctx context.Context, name string) (*canary.Book, canary.Canary, error) {
	book, err := a.canaries()
	if err != nil {
		return nil, canary.Canary{}, err
	}
	c, err := book.Get(ctx, name)
	if err == nil && !whoOf(ctx).Can(identity.Viewer, c.Team, c.Environment) {
		err = fault.New(fault.KindNotFound, "canary.not_found", "there is no such canary").WithHint("`reeve canary list` lists them")
	}
	return book, c, err
}

// shapeCanary is a canary with what its answers tell.
func (a *API) shapeCanary(ctx context.Context, book *canary.Book, c canary.Canary) (*client.Canary, error) {
	out := &client.Canary{
		Name: c.Name, Team: c.Team, Environment: c.Environment, Agent: c.Agent, Upstream: c.Upstream, Model: c.Model, Every: c.Every.String(), Prompts: c.Questions(), Off: c.Off,
		By: c.By, Revision: c.Revision, UpdatedAt: c.UpdatedAt, NormalFrom: c.From, Due: c.Due, Shifts: []client.CanaryShift{}, Answers: []client.CanaryAnswer{},
	}
	shifts, err := book.Judge(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, s := range shifts {
		out.Shifts = append(out.Shifts, client.CanaryShift{Feature: s.Feature, Text: pin.Visible(s.What), Distance: s.Distance, Chance: s.P})
	}
	s, err := book.Stands(ctx, c)
	if err != nil {
		return nil, err
	}
	out.Rounds, out.Needed, out.AnsweredAt, out.FailedAt = s.Rounds, s.Needed, optionalTime(s.Answered), optionalTime(s.Failed)
	out.Silent = s.Silent
	out.Finding = a.canaryFinding(&c)
	return out, nil
}

// canaryFinding is the open finding that what answers under a canary's model is
// another thing, or that nothing answers it; "" without.
func (a *API) canaryFinding(c *canary.Canary) string {
	if a.o.Findings == nil {
		return ""
	}
	silent, id := finding.Fingerprint(canary.SilentDetector, c.Name), ""
	for _, f := range a.o.Findings.Live(func(f *finding.Finding) bool {
		return f.Subject == c.Model && f.Team == c.Team && f.Environment == c.Environment
	}) {
		switch {
		case f.Detector == "provider_change" && f.Measure == "canary":
			return f.ID // which is worse than no answer
		case f.Fingerprint == silent:
			id = f.ID
		}
	}
	return id
}

func listCanaries(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Canary], error) {
	book, err := a.canaries()
	if err != nil {
		return nil, err
	}
	all, err := book.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Canary]{Items: []client.Canary{}}
	for _, c := range all {
		if !whoOf(ctx).Can(identity.Viewer, c.Team, c.Environment) {
			continue
		}
		shape, err := a.shapeCanary(ctx, book, c)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, *shape)
	}
	return out, nil
}

// maxCanaryAnswers is how many answers one page shows.
const maxCanaryAnswers = 200

func getCanary(a *API, ctx context.Context, req *client.CanaryRequest) (*client.Canary, error) {
	book, c, err := a.canarySeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out, err := a.shapeCanary(ctx, book, c)
	if err != nil {
		return nil, err
	}
	answers, err := book.Answers(ctx, c.Name, maxCanaryAnswers)
	if err != nil {
		return nil, err
	}
	known := func(n int64) *int64 {
		if n <= 0 {
			return nil
		}
		return &n
	}
	for _, x := range answers {
		s := client.CanaryAnswer{
			At: x.At, Error: pin.Visible(x.Error), Model: pin.Visible(x.Model), Fingerprint: pin.Visible(x.Fingerprint), Finish: pin.Visible(x.Finish), Text: pin.Visible(x.Text),
			In: known(x.In), Out: known(x.Out), TookMS: x.Took.Milliseconds(), Decision: x.Decision,
		}
		if x.Prompt < len(out.Prompts) {
			s.Prompt = out.Prompts[x.Prompt]
		}
		out.Answers = append(out.Answers, s)
	}
	return out, nil
}

func putCanary(a *API, ctx context.Context, req *client.PutCanaryRequest) (*client.Canary, error) {
	book, err := a.canaries()
	if err != nil {
		return nil, err
	}
	every, err := lifeOf("every", cmp.Or(req.Every, "1h"))
	if err != nil {
		return nil, err
	}
	// Who may not act for an agent does not have it ask.
	if _, g, err := a.visible(ctx, req.Agent); err != nil {
		return nil, err
	} else if g.Team != req.Team || g.Environment != req.Environment {
		return nil, fault.New(fault.KindInvalid, "canary.invalid", "agent %s is of team %q in %q: a canary asks as an agent of its own place", g.Name, g.Team, g.Environment)
	}
	if !a.seesUpstream(ctx, req.Upstream) {
		return nil, noUpstream(req.Upstream)
	}
	c, err := book.Put(ctx, canaryActor(ctx), canary.Canary{
		Name: req.Name, Revision: req.Revision, Team: req.Team, Environment: req.Environment, Agent: req.Agent, Upstream: req.Upstream, Model: req.Model, Every: every, Prompts: req.Prompts, Off: req.Off,
	}, req.Reason)
	if err != nil {
		return nil, err
	}
	return a.shapeCanary(ctx, book, c)
}

func acceptCanary(a *API, ctx context.Context, req *client.CanaryReasonRequest) (*client.Canary, error) {
	book, _, err := a.canarySeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	c, err := book.Accept(ctx, canaryActor(ctx), req.Name, req.Reason)
	if err != nil {
		return nil, err
	}
	return a.shapeCanary(ctx, book, c)
}

func askCanary(a *API, ctx context.Context, req *client.CanaryReasonRequest) (*client.Canary, error) {
	book, _, err := a.canarySeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	c, err := book.AskNow(ctx, canaryActor(ctx), req.Name, req.Reason)
	if err != nil {
		return nil, err
	}
	return a.shapeCanary(ctx, book, c)
}

func deleteCanary(a *API, ctx context.Context, req *client.DeleteCanaryRequest) (*struct{}, error) {
	book, _, err := a.canarySeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, canaryActor(ctx), req.Name, req.Reason)
}
