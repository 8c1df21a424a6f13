package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/change"
	"reeve/internal/fault"
	"reeve/internal/hook"
	"reeve/internal/identity"
	"reeve/internal/intake/alerts"
	"reeve/internal/intake/changes"
)

// Alerts are what is wrong, as outside systems say; *alert.Book is one.
type Alerts interface {
	List(ctx context.Context, f alert.Filter) ([]client.Alert, alert.Cursor, error)
	Get(ctx context.Context, id string) (client.AlertDetail, error)
	Close(ctx context.Context, who alert.Actor, id, reason string) (client.AlertDetail, error)
}

func (a *API) alerts() (Alerts, error) {
	if a.o.Alerts == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no alerts")
	}
	return a.o.Alerts, nil
}

func (a *API) hooks() (*hook.Registry, error) {
	if a.o.Hooks == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server takes no alerts")
	}
	return a.o.Hooks, nil
}

// placesOf are the teams and environments where somebody is a viewer; nil is all.
func placesOf(who identity.Principal) []alert.Place {
	out := []alert.Place{}
	for _, g := range who.Scopes(identity.Viewer) {
		team, environment := g.Team, g.Environment
		if team == identity.Everything {
			team = "*"
		}
		if environment == identity.Everything {
			environment = "*"
		}
		if team == "*" && environment == "*" {
			return nil
		}
		out = append(out, alert.Place{Team: team, Environment: environment})
	}
	return out
}

// maySeeAt: what names no team or no environment is everybody's.
func maySeeAt(who identity.Principal, team, environment string) bool {
	return seenAt(placesOf(who), team, environment)
}

func listAlerts(a *API, ctx context.Context, req *client.ListAlertsRequest) (*client.List[client.Alert], error) {
	book, err := a.alerts()
	if err != nil {
		return nil, err
	}
	if req.State != "" && req.State != alert.Firing && req.State != alert.Resolved {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is firing or resolved")
	}
	f := alert.Filter{
		State: req.State, Source: req.Source, Agent: req.Agent, Team: req.Team, Environment: req.Environment, Q: strings.TrimSpace(req.Q),
		Visible: placesOf(whoOf(ctx)), Limit: req.Limit,
	}
	if req.Severity != "" {
		f.Severities = strings.Split(req.Severity, ",")
		for i, s := range f.Severities {
			if s == "unknown" {
				f.Severities[i] = ""
			} else if !slices.Contains(alert.Severities, s) {
				return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "severity is one of %s and unknown", strings.Join(alert.Severities, ", "))
			}
		}
	}
	if f.From, f.To, err = a.period(req.From, req.To); err != nil {
		return nil, err
	}
	if req.Cursor != "" {
		if err := readCursor(req.Cursor, &f.After); err != nil || f.After.ID == "" {
			return nil, errCursor
		}
	}
	all, next, err := book.List(ctx, f)
	out, err := listOf(all, err, func(a client.Alert) client.Alert { return a })
	if err == nil && next.ID != "" {
		out.Next = writeCursor(next)
	}
	return out, err
}

// alertFor reads an alert that the caller may see.
func (a *API) alertFor(ctx context.Context, id string) (client.AlertDetail, Alerts, error) {
	book, err := a.alerts()
	if err != nil {
		return client.AlertDetail{}, nil, err
	}
	d, err := book.Get(ctx, id)
	if err == nil && !maySeeAt(whoOf(ctx), d.Team, d.Environment) {
		err = fault.New(fault.KindNotFound, "alert.not_found", "there is no alert %.60s", id)
	}
	return d, book, err
}

// withoutContent drops a sender's own words for those who may not read content.
func withoutContent(who identity.Principal, d *client.AlertDetail) *client.AlertDetail {
	if !who.Can(identity.Reader, d.Team, d.Environment) {
		d.Raw = nil
	}
	return d
}

func getAlert(a *API, ctx context.Context, req *client.AlertRequest) (*client.AlertDetail, error) {
	d, _, err := a.alertFor(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if book, err := a.incidents(); err == nil {
		if id, _, ok := book.Of(d.ID); ok {
			if _, i, err := a.incidentSeen(ctx, id); err == nil {
				d.Incident = i.ID
			}
		}
	}
	return withoutContent(whoOf(ctx), &d), nil
}

func closeAlert(a *API, ctx context.Context, req *client.CloseAlertRequest) (*client.AlertDetail, error) {
	_, book, err := a.alertFor(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	d, err := book.Close(ctx, alert.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}, req.ID, req.Reason)
	if err != nil {
		return nil, err
	}
	return withoutContent(who, &d), nil
}

func hookActor(ctx context.Context) hook.Actor {
	who := whoOf(ctx)
	return hook.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}
}

func listAlertSources(a *API, ctx context.Context, req *client.ListAlertSourcesRequest) (*client.List[client.AlertSource], error) {
	hooks, err := a.hooks()
	if err != nil {
		return nil, err
	}
	if req.Purpose != "" && req.Purpose != hook.Alerts && req.Purpose != hook.Changes && req.Purpose != hook.Feedback {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "purpose is alerts, changes or feedback")
	}
	who := whoOf(ctx)
	all := slices.DeleteFunc(hooks.List(req.Purpose), func(s client.AlertSource) bool { return !maySeeAt(who, s.Team, s.Environment) })
	return listOf(all, nil, func(s client.AlertSource) client.AlertSource { return s })
}

func getAlertSource(a *API, ctx context.Context, req *client.AlertSourceRequest) (*client.AlertSource, error) {
	hooks, err := a.hooks()
	if err != nil {
		return nil, err
	}
	s, err := hooks.Get(req.Name)
	if err == nil && !maySeeAt(whoOf(ctx), s.Team, s.Environment) {
		return nil, fault.New(fault.KindNotFound, "hook.not_found", "there is no source %.80s", req.Name)
	}
	return &s, err
}

func putAlertSource(a *API, ctx context.Context, req *client.PutAlertSourceRequest) (*client.AlertSourceWithSecret, error) {
	hooks, err := a.hooks()
	if err != nil {
		return nil, err
	}
	s, err := hooks.Put(ctx, hookActor(ctx), *req)
	return &s, err
}

func rotateAlertSource(a *API, ctx context.Context, req *client.RotateAlertSourceRequest) (*client.AlertSourceWithSecret, error) {
	hooks, err := a.hooks()
	if err != nil {
		return nil, err
	}
	s, err := hooks.Rotate(ctx, hookActor(ctx), *req)
	return &s, err
}

func deleteAlertSource(a *API, ctx context.Context, req *client.AlertSourceRequest) (*struct{}, error) {
	hooks, err := a.hooks()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, hooks.Delete(ctx, hookActor(ctx), req.Name)
}

// maxTried bounds an example, and what is shown of it.
const (
	maxTried      = 256 << 10
	maxTriedShown = 50
)

func tryAlertSource(a *API, _ context.Context, req *client.TryAlertSourceRequest) (*client.TriedAlerts, error) {
	kind, ok := hook.KindOf(req.Kind)
	if !ok {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "kind is the kind of a source, not %.40q", req.Kind)
	}
	if len(req.Body) > maxTried {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "an example has at most %d bytes", maxTried)
	}
	if kind.Purpose == hook.Changes {
		return a.tryChanges(req)
	}
	rec := alerts.Receivers[req.Kind]
	out := &client.TriedAlerts{Alerts: []client.Alert{}}
	in := &alerts.Request{Header: http.Header{}, Body: []byte(req.Body), Now: a.o.Now()}
	for name, value := range req.Headers {
		in.Header.Set(name, value)
	}
	if req.Kind == "cloudevents" && in.Header.Get("Content-Type") == "" {
		in.Header.Set("Content-Type", cloudEventType(req.Body))
	}
	if req.Mapping != nil && kind.Mapping && *req.Mapping != (client.AlertMapping{}) {
		if in.Mapping, out.Problems = alerts.Compile(req.Mapping); len(out.Problems) > 0 {
			return out, nil
		}
	}
	reports, err := rec.Read(in)
	if err != nil {
		out.Problems = append(out.Problems, alerts.ProblemOf(err))
		return out, nil
	}
	for i := range reports[:min(len(reports), maxTriedShown)] {
		if err := reports[i].Check(); err != nil {
			out.Problems = append(out.Problems, client.MappingProblem{Message: fault.From(err).Message})
			continue
		}
		shown := alerts.Shape("example", req.Kind, &reports[i], in.Now)
		if a.o.MatchLabels != nil {
			shown.Agent, shown.Team, shown.AgentReason = a.o.MatchLabels("", reports[i].Labels)
		}
		out.Alerts = append(out.Alerts, shown)
	}
	return out, nil
}

// tryChanges tells what a delivery of changes would become.
func (a *API) tryChanges(req *client.TryAlertSourceRequest) (*client.TriedAlerts, error) {
	out := &client.TriedAlerts{Alerts: []client.Alert{}}
	in := &changes.Request{Header: http.Header{}, Body: []byte(req.Body), Now: a.o.Now(), Branches: []string{"*", "*/*"}}
	for name, value := range req.Headers {
		in.Header.Set(name, value)
	}
	reports, err := changes.Receivers[req.Kind](in)
	if err != nil {
		out.Problems = append(out.Problems, client.MappingProblem{Message: fault.From(err).Message})
		return out, nil
	}
	for i := range reports[:min(len(reports), maxTriedShown)] {
		r := &reports[i]
		shown := client.Change{
			ID: change.ID("example", r.Key), Kind: r.Kind, Title: r.Title, Text: r.Text, Status: r.Status, Environment: r.Environment, Version: r.Version,
			By: r.By, URL: r.URL, Source: "example", Key: r.Key, Labels: r.Labels, Before: r.Before, After: r.After, At: r.At, ReceivedAt: in.Now,
		}
		if shown.At.IsZero() {
			shown.At = in.Now
		}
		if a.o.MatchLabels != nil {
			shown.Agent, shown.Team, shown.AgentReason = a.o.MatchLabels("", r.Labels)
		}
		out.Changes = append(out.Changes, shown)
	}
	return out, nil
}

// cloudEventType guesses the content type of a pasted event.
func cloudEventType(body string) string {
	if strings.HasPrefix(strings.TrimSpace(body), "[") {
		return "application/cloudevents-batch+json"
	}
	var probe struct {
		SpecVersion string `json:"specversion"`
	}
	if json.Unmarshal([]byte(body), &probe) == nil && probe.SpecVersion != "" {
		return "application/cloudevents+json"
	}
	return "application/json"
}
