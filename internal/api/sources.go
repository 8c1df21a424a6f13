package api

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/source"
	"reeve/internal/telemetry"
)

// Sources are what agents read; *source.Book is one.
type Sources interface {
	List(ctx context.Context) ([]client.Source, error)
	Get(ctx context.Context, name string) (client.SourceDetail, error)
	Put(ctx context.Context, who source.Actor, in client.PutSourceRequest) (client.Source, error)
	Delete(ctx context.Context, who source.Actor, name string) error
	TakeOut(ctx context.Context, who source.Actor, in client.TakeSourceOutRequest) (client.Source, error)
	PutBack(ctx context.Context, who source.Actor, in client.PutSourceBackRequest) (client.Source, error)
	Readiness(ctx context.Context) ([]client.SourceReadiness, error)
	Audits(ctx context.Context, name string) ([]client.SourceAudit, error)
	Audit(ctx context.Context, who source.Actor, in client.AuditSourceRequest) (client.SourceAudit, error)
	Plans(ctx context.Context) (map[string]source.AuditPlan, error)
	Plan(ctx context.Context, name string) (source.AuditPlan, error)
	PutPlan(ctx context.Context, who source.Actor, p source.AuditPlan) (source.AuditPlan, error)
	PlanNow(ctx context.Context, who source.Actor, name string) (source.AuditPlan, error)
	DropPlan(ctx context.Context, who source.Actor, name string) error
	Versions(ctx context.Context, team, name string) ([]client.SourceVersion, error)
	History(ctx context.Context, from, to time.Time) (*source.History, error)
	AsOf(ctx context.Context, team string, refs []source.Ref) ([]client.SourceUse, error)
}

func (a *API) sources() (Sources, error) {
	if a.o.Sources == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no sources")
	}
	return a.o.Sources, nil
}

// maySeeSource: a team's own, and those of the house.
func maySeeSource(who identity.Principal, team string) bool {
	teams := who.Teams(identity.Viewer)
	return teams == nil || team == "" || slices.Contains(teams, team)
}

func sourceActor(ctx context.Context) source.Actor {
	who := whoOf(ctx)
	return source.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}
}

func listSources(a *API, ctx context.Context, req *client.ListSourcesRequest) (*client.List[client.Source], error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	if req.State != "" && !slices.Contains([]string{"fresh", "warn", "stale", "unknown"}, req.State) {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is fresh, warn, stale or unknown")
	}
	all, err := sources.List(ctx)
	who, q := whoOf(ctx), strings.ToLower(req.Q)
	all = slices.DeleteFunc(all, func(s client.Source) bool {
		return !maySeeSource(who, s.Team) || req.State != "" && s.State != req.State ||
			q != "" && !strings.Contains(strings.ToLower(s.Name+"\n"+s.Dataset+"\n"+s.Description), q)
	})
	return listOf(all, err, func(s client.Source) client.Source { return s })
}

func getSource(a *API, ctx context.Context, req *client.SourceRequest) (*client.SourceDetail, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	s, err := sources.Get(ctx, req.Name)
	if err == nil && !maySeeSource(whoOf(ctx), s.Team) {
		return nil, fault.New(fault.KindNotFound, "source.not_found", "there is no source %.60s", req.Name)
	}
	return &s, err
}

func putSource(a *API, ctx context.Context, req *client.PutSourceRequest) (*client.Source, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	if req.Team != "" {
		if err := a.needTeam(ctx, whoOf(ctx), req.Team); err != nil {
			return nil, err
		}
	}
	s, err := sources.Put(ctx, sourceActor(ctx), *req)
	return &s, err
}

func deleteSource(a *API, ctx context.Context, req *client.SourceRequest) (*struct{}, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, sources.Delete(ctx, sourceActor(ctx), req.Name)
}

func takeSourceOut(a *API, ctx context.Context, req *client.TakeSourceOutRequest) (*client.Source, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	s, err := sources.TakeOut(ctx, sourceActor(ctx), *req)
	return &s, err
}

func putSourceBack(a *API, ctx context.Context, req *client.PutSourceBackRequest) (*client.Source, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	s, err := sources.PutBack(ctx, sourceActor(ctx), *req)
	return &s, err
}

// maxReading bounds the steps of a run that are looked at for sources.
const maxReading = 5000

func listRunSources(a *API, ctx context.Context, req *client.RunRequest) (*client.List[client.SourceUse], error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	page, err := a.steps(ctx, run, telemetry.StepsQuery{Limit: maxReading})
	if err != nil {
		return nil, err
	}
	reading := slices.DeleteFunc(page.Steps, func(s activity.Step) bool { return !reads(&s) })
	full := make([]client.Step, len(reading))
	if err := a.fillContent(ctx, run.ID, reading, full); err != nil {
		return nil, err
	}
	var refs []source.Ref
	for i := range reading {
		refs = append(refs, readBy(&reading[i], full[i].Documents)...)
	}
	uses, err := sources.AsOf(ctx, run.Team, refs)
	return listOf(uses, err, func(u client.SourceUse) client.SourceUse { return u })
}

// reads reports a step that reads a source.
func reads(s *activity.Step) bool {
	return s.Kind == activity.KindRetrieval || activity.SourceOf(s) != ""
}

// readBy are the sources of a step: the one it names, and those that its
// documents name.
func readBy(s *activity.Step, documents []client.Message) []source.Ref {
	own := cmp.Or(activity.SourceOf(s), s.ToolName, s.Name)
	bySource := map[string]*source.Ref{}
	order := []string{}
	add := func(name string) *source.Ref {
		r := bySource[name]
		if r == nil {
			r = &source.Ref{StepID: s.Step.String(), Name: name, At: time.Unix(0, s.Start).UTC()}
			bySource[name] = r
			order = append(order, name)
		}
		return r
	}
	for _, m := range documents {
		for _, p := range m.Parts {
			if p.Type != "document" {
				continue
			}
			of, id, version := documentOf(p)
			r := add(cmp.Or(of, own))
			if d := (source.DocumentRef{ID: id, Version: version}); id != "" && !slices.Contains(r.Documents, d) {
				r.Documents = append(r.Documents, d)
			}
		}
	}
	if len(order) == 0 {
		add(own)
	}
	out := make([]source.Ref, 0, len(order))
	for _, name := range order {
		out = append(out, *bySource[name])
	}
	return out
}

// documentOf reads which document a retrieved chunk is of: retrievers write its
// source and version into the chunk's metadata.
func documentOf(p client.Part) (of, id, version string) {
	var d struct {
		Metadata json.RawMessage `json:"metadata"`
		meta
	}
	_ = json.Unmarshal([]byte(p.Data), &d) // of another shape: its id is all there is
	var inner meta
	if err := json.Unmarshal(d.Metadata, &inner); err != nil {
		var text string // JSON inside a string
		if json.Unmarshal(d.Metadata, &text) == nil {
			_ = json.Unmarshal([]byte(text), &inner) // as above
		}
	}
	return cmp.Or(d.Collection, inner.Collection), cmp.Or(d.Document, inner.Document, p.ID, p.Name), cmp.Or(string(d.Version), string(inner.Version))
}

type meta struct {
	Collection string    `json:"collection"`
	Document   string    `json:"document_id"`
	Version    wordOrNum `json:"version"`
}

// wordOrNum is a text, or a number as it is written.
type wordOrNum string

// UnmarshalJSON takes both; anything else is none.
func (w *wordOrNum) UnmarshalJSON(b []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		*w = wordOrNum(s)
	case json.Unmarshal(b, &n) == nil:
		*w = wordOrNum(n)
	}
	return nil
}
