package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
)

// This file is the HTTP face of runbooks and of a review as a document.

func runbookOperations() []operation {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	view, act := rows(identity.Viewer), rows(identity.Responder)
	return []operation{
		define(operation{Name: "ListRunbooks", Method: get, Path: "/runbooks", Permission: view, Summary: "lists what is done about incidents, step by step"}, listRunbooks),
		define(operation{Name: "PutRunbook", Method: put, Path: "/runbooks/{name}", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "makes or changes a runbook"}, putRunbook),
		define(operation{Name: "DeleteRunbook", Method: del, Path: "/runbooks/{name}", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "ends a runbook; its runs stay"}, deleteRunbook),
		define(operation{Name: "TryRunbook", Method: post, Path: "/incidents/{id}/runbook-trials", Permission: act.reading(), Summary: "says what a runbook would do to an incident, without doing it"}, tryRunbook),
		define(operation{Name: "ListRunbookRuns", Method: get, Path: "/incidents/{id}/runbook-runs", Permission: view, Summary: "lists the runbooks that were run on an incident"}, listRunbookRuns),
		define(operation{Name: "ListWaitingRunbookRuns", Method: get, Path: "/runbook-runs", Permission: view, Summary: "lists the runs of runbooks that wait for the asker's agreement"}, listWaitingRuns),
		define(operation{Name: "StartRunbook", Method: post, Path: "/incidents/{id}/runbook-runs", Permission: act.onlyPeople(), Audit: AuditChange, Status: http.StatusCreated, Summary: "begins a runbook on an incident, or proposes it to a second person"}, startRunbook),
		define(operation{Name: "ApproveRunbook", Method: post, Path: "/runbook-runs/{id}/approve", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "agrees to a runbook that somebody else proposed"}, onRun(func(b *incident.Book, ctx context.Context, who incident.Actor, id, _ string) (incident.RunbookRun, error) {
			return b.ApproveRunbook(ctx, who, id)
		})),
		define(operation{Name: "StepRunbook", Method: post, Path: "/runbook-runs/{id}/step", Permission: act.freshly(), Audit: AuditChange, Summary: "does the next step of a runbook"}, onRun((*incident.Book).StepRunbook)),
		define(operation{Name: "RollBackRunbook", Method: post, Path: "/runbook-runs/{id}/roll-back", Permission: act.freshly(), Audit: AuditChange, Summary: "takes back what a runbook did, the last first"}, onRun((*incident.Book).RollBackRunbook)),
		define(operation{Name: "GetIncidentReviewPDF", Method: get, Path: "/incidents/{id}/review-pdf", Permission: view, Summary: "gives the review of an incident as a PDF"}, getReviewPDF),
	}
}

func stepShape(s incident.RunbookStep) client.RunbookStep {
	out := client.RunbookStep{Text: s.Text, Kind: s.Act.Kind, Target: s.Act.Target, Level: s.Act.Level}
	if s.For > 0 {
		out.For = s.For.String()
	}
	return out
}

func runbookShape(r incident.Runbook) client.Runbook {
	out := client.Runbook{Name: r.Name, Team: r.Team, Text: r.Text, Kinds: list(r.Kinds), Approval: r.Approval, Revision: r.Revision, UpdatedAt: r.UpdatedAt, Steps: []client.RunbookStep{}}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, stepShape(s))
	}
	return out
}

func (a *API) runShape(ctx context.Context) func(r incident.RunbookRun) client.RunbookRun {
	names := a.personNames(ctx)
	return func(r incident.RunbookRun) client.RunbookRun {
		out := client.RunbookRun{ID: r.ID, Incident: r.Incident, Runbook: r.Runbook, State: r.State, Reason: r.Reason, By: names(r.By), ApprovedBy: names(r.ApprovedBy), At: r.At, Steps: []client.RunbookRunStep{}}
		for _, s := range r.Steps {
			out.Steps = append(out.Steps, client.RunbookRunStep{RunbookStep: stepShape(s.RunbookStep), State: s.State, Acts: list(s.Acts), Result: s.Result, By: names(s.By), At: optionalTime(s.At)})
		}
		return out
	}
}

func listRunbooks(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Runbook], error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	all, err := book.Runbooks(ctx)
	all = slices.DeleteFunc(all, func(r incident.Runbook) bool { return !mayKnowTeam(ctx, r.Team) })
	return listOf(all, err, runbookShape)
}

func putRunbook(a *API, ctx context.Context, req *client.PutRunbookRequest) (*client.Runbook, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	r := incident.Runbook{Name: req.Name, Team: req.Team, Text: req.Text, Kinds: req.Kinds, Approval: req.Approval, Revision: req.Revision}
	for i, s := range req.Steps {
		step := incident.RunbookStep{Text: s.Text, Act: incident.Offer{Kind: s.Kind, Target: s.Target, Level: s.Level}}
		if s.For != "" {
			if step.For, err = time.ParseDuration(s.For); err != nil {
				return nil, fault.New(fault.KindInvalid, "incident.invalid", "step %d: %.40q is no time such as 2h", i+1, s.For)
			}
		}
		r.Steps = append(r.Steps, step)
	}
	if r, err = book.PutRunbook(ctx, incidentActor(ctx), r); err != nil {
		return nil, err
	}
	out := runbookShape(r)
	return &out, nil
}

func deleteRunbook(a *API, ctx context.Context, req *client.NameRequest) (*struct{}, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.DeleteRunbook(ctx, incidentActor(ctx), req.Name)
}

func tryRunbook(a *API, ctx context.Context, req *client.TryRunbookRequest) (*client.RunbookTrial, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	tried, err := book.TryRunbook(ctx, incidentActor(ctx), i.ID, req.Runbook)
	if err != nil {
		return nil, err
	}
	out := &client.RunbookTrial{Steps: []client.RunbookTrialStep{}}
	for _, t := range tried {
		x := client.RunbookTrialStep{RunbookStep: stepShape(t.Step), Problem: t.Problem, Previews: []client.IncidentPreview{}}
		for _, p := range t.Previews {
			x.Previews = append(x.Previews, client.IncidentPreview{Text: p.Text, Hits: list(p.Hits), Undo: p.Undo, Needs: p.Needs})
		}
		out.Steps = append(out.Steps, x)
	}
	return out, nil
}

func listRunbookRuns(a *API, ctx context.Context, req *client.IncidentRequest) (*client.List[client.RunbookRun], error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	all, err := book.RunbookRuns(ctx, i.ID)
	all = slices.DeleteFunc(all, func(r incident.RunbookRun) bool { return !mayKnowTeam(ctx, r.Team) })
	return listOf(all, err, a.runShape(ctx))
}

func listWaitingRuns(a *API, ctx context.Context, _ *struct{}) (*client.List[client.RunbookRun], error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	all, err := book.WaitingRuns(ctx)
	who := incidentActor(ctx)
	all = slices.DeleteFunc(all, func(r incident.RunbookRun) bool {
		return !mayKnowTeam(ctx, r.Team) || !book.MayAgree(ctx, who, r.Incident, r.By, incident.Place{})
	})
	shape := a.runShape(ctx)
	return listOf(all, err, func(r incident.RunbookRun) client.RunbookRun {
		out := shape(r)
		if i, err := book.Get(ctx, r.Incident); err == nil {
			out.Number = i.Number
		}
		return out
	})
}

func startRunbook(a *API, ctx context.Context, req *client.StartRunbookRequest) (*client.RunbookRun, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	r, err := book.StartRunbook(ctx, incidentActor(ctx), i.ID, req.Runbook, req.Reason)
	if err != nil {
		return nil, err
	}
	out := a.runShape(ctx)(r)
	return &out, nil
}

// onRun is something that is done to a run of a runbook.
func onRun(do func(*incident.Book, context.Context, incident.Actor, string, string) (incident.RunbookRun, error)) func(*API, context.Context, *client.RunbookRunRequest) (*client.RunbookRun, error) {
	return func(a *API, ctx context.Context, req *client.RunbookRunRequest) (*client.RunbookRun, error) {
		book, err := a.incidents()
		if err != nil {
			return nil, err
		}
		r, err := do(book, ctx, incidentActor(ctx), req.ID, req.Text)
		if err != nil {
			return nil, err
		}
		out := a.runShape(ctx)(r)
		return &out, nil
	}
}

func getReviewPDF(a *API, ctx context.Context, req *client.IncidentRequest) (*client.IncidentReviewPDF, error) {
	r, err := getReview(a, ctx, req)
	if err != nil {
		return nil, err
	}
	pdf, err := incident.PDF(fmt.Sprintf("Review of incident %d", r.Number), r.Text)
	if err != nil {
		return nil, err
	}
	return &client.IncidentReviewPDF{Name: fmt.Sprintf("incident-%d.pdf", r.Number), PDF: base64.StdEncoding.EncodeToString(pdf)}, nil
}
