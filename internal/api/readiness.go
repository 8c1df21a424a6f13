package api

import (
	"cmp"
	"context"
	"net/http"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/source"
	"reeve/internal/telemetry/search"
)

// This file is the HTTP face of how far what agents read can be relied on.

func readinessOperations() []operation {
	view := rows(identity.Viewer)
	return []operation{
		define(operation{Name: "GetReadiness", Method: http.MethodGet, Path: "/readiness", Permission: view, Summary: "says how far what agents read can be relied on: freshness, update frequency, errors, audits, coverage of what is asked"}, getReadiness),
		define(operation{Name: "ListUnanswered", Method: http.MethodGet, Path: "/unanswered-questions", Permission: view, Audit: AuditContent, Summary: "lists what was asked and not answered, the newest first, each with its run; the words are for who may read content"}, listUnanswered),
		define(operation{Name: "ListSourceAudits", Method: http.MethodGet, Path: "/sources/{name}/audits", Permission: view, Summary: "lists audits of a source, the newest first"}, listSourceAudits),
		define(operation{Name: "AuditSource", Method: http.MethodPost, Path: "/sources/{name}/audits", Permission: rows(identity.Developer), Audit: AuditChange, Status: http.StatusCreated, MaxBody: 12 << 20, Summary: "holds answers from a source against the truth"}, auditSource),
		define(operation{Name: "GetAuditPlan", Method: http.MethodGet, Path: "/sources/{name}/audit-plan", Permission: view, Summary: "reads how a source is audited by itself, by asking an agent"}, getAuditPlan),
		define(operation{Name: "PutAuditPlan", Method: http.MethodPut, Path: "/sources/{name}/audit-plan", Permission: rows(identity.Developer), Audit: AuditChange, MaxBody: 6 << 20, Summary: "has an agent asked sampled questions at times, as tests, and its answers held against the truth"}, putAuditPlan),
		define(operation{Name: "AskAuditPlan", Method: http.MethodPost, Path: "/sources/{name}/audit-plan/now", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "has the audit plan of a source ask now"}, askAuditPlan),
		define(operation{Name: "DeleteAuditPlan", Method: http.MethodDelete, Path: "/sources/{name}/audit-plan", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "ends the audit plan of a source; its audits stay"}, deleteAuditPlan),
	}
}

func getReadiness(a *API, ctx context.Context, req *client.ReadinessRequest) (*client.Readiness, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	out := &client.Readiness{Sources: []client.SourceReadiness{}, Topics: []client.TopicCoverage{}, Grouped: "task"}
	if out.From, out.To, err = a.period(req.From, req.To); err != nil {
		return nil, err
	}
	if out.To.IsZero() {
		out.To = a.o.Now().UTC()
	}
	if out.From.IsZero() {
		out.From = out.To.AddDate(0, 0, -7)
	}
	all, err := sources.Readiness(ctx)
	if err != nil {
		return nil, err
	}
	plans, err := sources.Plans(ctx)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	for _, x := range all {
		if p, ok := plans[x.Source.Name]; ok {
			said := a.auditPlanOf(ctx, &p, false)
			x.Plan = &said
		}
		if maySeeSource(who, x.Source.Team) && (req.Team == "" || x.Source.Team == req.Team) {
			if x.Audit != nil {
				said := *x.Audit
				said.Wrong = []client.AuditItem{} // content: the list of audits has it
				x.Audit = &said
			}
			out.Sources = append(out.Sources, x)
		}
	}
	var where search.Expr
	for name, v := range map[string]string{"team": req.Team, "environment": req.Environment} {
		if v != "" {
			where = search.Both(where, search.Is(name, v))
		}
	}
	if err := a.readings(ctx, where, out); err != nil {
		return nil, err
	}
	return out, a.coverage(ctx, where, req, out)
}

func listSourceAudits(a *API, ctx context.Context, req *client.SourceRequest) (*client.List[client.SourceAudit], error) {
	s, err := getSource(a, ctx, req)
	if err != nil {
		return nil, err
	}
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	list, err := sources.Audits(ctx, req.Name)
	reads := whoOf(ctx).Can(identity.Reader, cmp.Or(s.Team, identity.Everything), identity.Everything)
	return listOf(list, err, func(x client.SourceAudit) client.SourceAudit {
		if !reads {
			x.Wrong = []client.AuditItem{} // questions and answers are content
		}
		return x
	})
}

func auditSource(a *API, ctx context.Context, req *client.AuditSourceRequest) (*client.SourceAudit, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	x, err := sources.Audit(ctx, sourceActor(ctx), *req)
	return &x, err
}

// auditPlanOf is how a plan is shown; its questions are content.
func (a *API) auditPlanOf(ctx context.Context, p *source.AuditPlan, reads bool) client.AuditPlan {
	out := client.AuditPlan{
		Source: p.Source, Agent: p.Agent, Questions: p.Questions, Dataset: p.Dataset, Sheet: []client.KnownQuestion{}, Known: len(p.Sheet), TruthURL: p.TruthURL, AllowPrivate: p.AllowPrivate, Sample: p.Sample,
		Every: p.Every.String(), Paused: p.Paused, By: p.By, NextAt: optionalTime(p.NextAt), LastAt: optionalTime(p.LastAt), Running: p.Running, Last: p.Last, LastAudit: p.LastAudit, Trouble: p.Trouble, Revision: p.Revision,
	}
	if reads {
		for _, k := range p.Sheet {
			out.Sheet = append(out.Sheet, client.KnownQuestion(k))
		}
	}
	if a.o.Experiments != nil {
		if _, err := a.o.Experiments.Target(ctx, p.Agent); err != nil {
			out.NotPossible = fault.From(err).Message
		}
	}
	return out
}

// sheetReader reports who may read the questions of a source's team.
func sheetReader(ctx context.Context, s *client.SourceDetail) bool {
	return whoOf(ctx).Can(identity.Reader, cmp.Or(s.Team, identity.Everything), identity.Everything)
}

func getAuditPlan(a *API, ctx context.Context, req *client.SourceRequest) (*client.AuditPlan, error) {
	s, err := getSource(a, ctx, req)
	if err != nil {
		return nil, err
	}
	p, err := a.o.Sources.Plan(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out := a.auditPlanOf(ctx, &p, sheetReader(ctx, s))
	return &out, nil
}

func putAuditPlan(a *API, ctx context.Context, req *client.PutAuditPlanRequest) (*client.AuditPlan, error) {
	s, err := getSource(a, ctx, &client.SourceRequest{Name: req.Name})
	if err != nil {
		return nil, err
	}
	p := source.AuditPlan{
		Source: req.Name, Agent: req.Agent, Questions: req.Questions, Dataset: req.Dataset, TruthURL: req.TruthURL, AllowPrivate: req.AllowPrivate, Sample: req.Sample, Paused: req.Paused, Revision: req.Revision,
	}
	for _, k := range req.Sheet {
		p.Sheet = append(p.Sheet, source.Known(k))
	}
	if p.Questions == "" {
		switch {
		case p.Dataset != "":
			p.Questions = source.FromDataset
		case len(p.Sheet) > 0:
			p.Questions = source.FromSheet
		case p.TruthURL != "":
			p.Questions = source.FromRecorded
		}
	}
	if req.Every != "" {
		if p.Every, err = everyOr(req.Every); err != nil || p.Every <= 0 {
			return nil, fault.New(fault.KindInvalid, "source.invalid", "%.40q is no time between two audits", req.Every).WithHint("24h, or 7d")
		}
	}
	if p, err = a.o.Sources.PutPlan(ctx, sourceActor(ctx), p); err != nil {
		return nil, err
	}
	out := a.auditPlanOf(ctx, &p, sheetReader(ctx, s))
	return &out, nil
}

func askAuditPlan(a *API, ctx context.Context, req *client.SourceRequest) (*client.AuditPlan, error) {
	s, err := getSource(a, ctx, req)
	if err != nil {
		return nil, err
	}
	p, err := a.o.Sources.PlanNow(ctx, sourceActor(ctx), req.Name)
	if err != nil {
		return nil, err
	}
	out := a.auditPlanOf(ctx, &p, sheetReader(ctx, s))
	return &out, nil
}

func deleteAuditPlan(a *API, ctx context.Context, req *client.SourceRequest) (*struct{}, error) {
	if _, err := getSource(a, ctx, req); err != nil {
		return nil, err
	}
	return &struct{}{}, a.o.Sources.DropPlan(ctx, sourceActor(ctx), req.Name)
}
