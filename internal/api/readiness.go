package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/source"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// This file is the HTTP face of how far what agents read can be relied on.

func readinessOperations() []operation {
	view := rows(identity.Viewer)
	return []operation{
		define(operation{Name: "GetReadiness", Method: http.MethodGet, Path: "/readiness", Permission: view, Summary: "says how far what agents read can be relied on: freshness, update frequency, errors, audits, coverage of what is asked"}, getReadiness),
		define(operation{Name: "ListSourceAudits", Method: http.MethodGet, Path: "/sources/{name}/audits", Permission: view, Summary: "lists audits of a source, the newest first"}, listSourceAudits),
		define(operation{Name: "AuditSource", Method: http.MethodPost, Path: "/sources/{name}/audits", Permission: rows(identity.Developer), Audit: AuditChange, Status: http.StatusCreated, MaxBody: 12 << 20, Summary: "holds answers from a source against the truth"}, auditSource),
		define(operation{Name: "GetAuditPlan", Method: http.MethodGet, Path: "/sources/{name}/audit-plan", Permission: view, Summary: "reads how a source is audited by itself, by asking an agent"}, getAuditPlan),
		define(operation{Name: "PutAuditPlan", Method: http.MethodPut, Path: "/sources/{name}/audit-plan", Permission: rows(identity.Developer), Audit: AuditChange, MaxBody: 6 << 20, Summary: "has an agent asked sampled questions at times, as tests, and its answers held against the truth"}, putAuditPlan),
		define(operation{Name: "AskAuditPlan", Method: http.MethodPost, Path: "/sources/{name}/audit-plan/now", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "has the audit plan of a source ask now"}, askAuditPlan),
		define(operation{Name: "DeleteAuditPlan", Method: http.MethodDelete, Path: "/sources/{name}/audit-plan", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "ends the audit plan of a source; its audits stay"}, deleteAuditPlan),
	}
}

// readyRuns bounds the runs whose reading is looked up, the newest first.
const readyRuns = 400

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
	if err := a.readings(ctx, sources, where, out); err != nil {
		return nil, err
	}
	return out, a.topicCoverage(ctx, where, out)
}

// readings looks up what the newest runs that read something read, as it was then.
func (a *API) readings(ctx context.Context, sources Sources, where search.Expr, out *client.Readiness) error {
	reads := search.Both(where, &search.Not{Of: search.Unknown("source")}, &search.Not{Of: search.Is("mode", "test")})
	res, err := a.askLimited(ctx, telemetry.Query{Table: "runs", From: out.From, To: out.To, Where: reads})
	if err != nil {
		return err
	}
	if len(res.Rows) > 0 {
		out.Reading = newAnswers(res).count(res.Rows[0], "count")
	}
	q := telemetry.Query{Table: "runs", Where: reads}
	if err := a.restrict(ctx, &q, search.ScopeRun, reads); err != nil {
		return err
	}
	page, err := a.o.Store.Runs(ctx, telemetry.RunsQuery{Filter: q.Where, Teams: q.Teams, From: out.From, To: out.To, Limit: readyRuns})
	if err != nil {
		return err
	}
	byName := map[string]*client.SourceReadiness{}
	for i := range out.Sources {
		byName[out.Sources[i].Source.Name] = &out.Sources[i]
	}
	type tally struct{ runs, fresh, known int64 }
	of := map[string]*tally{}
	var fresh, known int64
	for i := range page.Runs {
		r := &page.Runs[i]
		var refs []source.Ref
		for _, name := range r.Sources {
			refs = append(refs, source.Ref{Name: name, At: time.Unix(0, r.Start).UTC()})
		}
		uses, err := sources.AsOf(ctx, r.Team, refs)
		if err != nil {
			return err
		}
		stale, unknown := false, false
		for _, u := range uses {
			if u.Source != "" {
				t := of[u.Source]
				if t == nil {
					t = &tally{}
					of[u.Source] = t
				}
				t.runs++
				if u.State != "unknown" {
					t.known++
				}
				if u.State == "fresh" || u.State == "warn" {
					t.fresh++
				}
			}
			stale, unknown = stale || u.State == "stale", unknown || u.State == "unknown"
		}
		out.Looked++
		switch {
		case stale:
			known++
		case unknown:
			out.Unknown++
		default:
			known, fresh = known+1, fresh+1
		}
	}
	out.AllFresh = source.Share(fresh, known)
	for name, t := range of {
		if x := byName[name]; x != nil {
			x.Runs, x.Fresh = t.runs, source.Share(t.fresh, t.known)
		}
	}
	return nil
}

// topicCoverage is what was asked about, by task, and how often it was answered by
// a run that had read something. A run that read nothing and is resolved was
// answered from what the model knows: that is no support.
func (a *API) topicCoverage(ctx context.Context, where search.Expr, out *client.Readiness) error {
	resolved := search.Is("outcome", "resolved", "verified_resolved", "implied_resolved", "contained")
	lost := search.Either(search.Is("outcome", "failed", "escalated", "abandoned", "deflected"), search.Both(search.Unknown("outcome"), search.Is("failed", "true")))
	read := &search.Not{Of: search.Unknown("source")}
	people := search.Both(where, &search.Not{Of: search.Is("mode", "test")})
	res, err := a.askLimited(ctx, telemetry.Query{
		Table: "runs", From: out.From, To: out.To, GroupBy: []string{"task"}, Where: people, OrderBy: "-asked",
		Select: []telemetry.Measure{
			{Func: "count", As: "asked"},
			{Func: "count", As: "supported", Where: search.Both(resolved, read)},
			{Func: "count", As: "told", Where: search.Either(resolved, lost)},
			{Func: "count", As: "lost", Where: lost},
		},
	})
	if err != nil {
		return err
	}
	t := newAnswers(res)
	weight, sum := 0.0, 0.0
	for _, row := range t.rows {
		x := client.TopicCoverage{Topic: t.text(row, "task"), Asked: t.count(row, "asked"), Supported: source.Share(t.count(row, "supported"), t.count(row, "told")), Backlog: t.count(row, "lost")}
		task := search.Expr(search.Unknown("task"))
		if x.Topic != "" {
			task = search.Is("task", x.Topic)
		}
		x.Records = search.Both(people, task, lost).String()
		if x.Supported != nil {
			weight += float64(x.Asked)
			sum += float64(x.Asked) * x.Supported.Value
		}
		out.Topics = append(out.Topics, x)
	}
	if weight > 0 {
		v := sum / weight
		out.Coverage = &v
	}
	slices.SortStableFunc(out.Topics, func(x, y client.TopicCoverage) int {
		return cmp.Or(cmp.Compare(y.Backlog, x.Backlog), cmp.Compare(y.Asked, x.Asked), strings.Compare(x.Topic, y.Topic))
	})
	out.Topics = out.Topics[:min(len(out.Topics), 200)]
	return nil
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
