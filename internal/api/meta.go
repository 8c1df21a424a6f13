package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

func health(a *API, ctx context.Context, _ *struct{}) (*client.Health, error) {
	if a.o.Health == nil {
		return &client.Health{State: "ok", Dev: a.o.Dev, Parts: []client.HealthPart{}}, nil
	}
	h, err := a.o.Health.Health(ctx)
	if err != nil {
		return nil, err
	}
	h.Dev = a.o.Dev
	if h.Parts == nil {
		h.Parts = []client.HealthPart{}
	}
	return &h, nil
}

func notices(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Notice], error) {
	items := []client.Notice{}
	if whoOf(ctx).Everywhere(identity.Admin) {
		var err error
		if items, err = a.emergencies(ctx); err != nil {
			return nil, err
		}
		dropped, err := a.droppedCredentials(ctx)
		if err != nil {
			return nil, err
		}
		items = append(items, dropped...)
	}
	if a.o.Notices == nil {
		return &client.List[client.Notice]{Items: items}, nil
	}
	more, err := a.o.Notices.Notices(ctx)
	return listOf(append(items, more...), err, func(n client.Notice) client.Notice { return n })
}

// emergencies tells admins of the accounts that somebody made on the host.
func (a *API) emergencies(ctx context.Context) ([]client.Notice, error) {
	all, err := a.o.Identity.Emergencies(ctx)
	out := []client.Notice{}
	for _, p := range all {
		out = append(out, client.Notice{
			ID: "recover-" + p.ID, Title: "An emergency account was made on the host",
			Text: p.Name + ", until " + p.EndsAt.UTC().Format(time.RFC3339) + ". " + p.FullName + ". What it did stands in the audit log.",
		})
	}
	return out, err
}

// droppedCredentials tells admins for a day which upstreams lost their credential
// because somebody changed where they lead: that is what theft of one looks like.
func (a *API) droppedCredentials(ctx context.Context) ([]client.Notice, error) {
	if a.o.Audit == nil {
		return nil, nil
	}
	entries, err := a.o.Audit(ctx, audit.Filter{Kind: "admin.upstream_credential_dropped", From: a.o.Now().Add(-24 * time.Hour), Limit: 20})
	if err != nil {
		return nil, err
	}
	var out []client.Notice
	for _, e := range entries {
		var record struct {
			Body struct{ Object string }
		}
		var after struct{ URL string }
		err := json.Unmarshal([]byte(e.Raw), &record)
		if len(e.After) > 0 { // it may have been erased
			err = errors.Join(err, json.Unmarshal(e.After, &after))
		}
		if err != nil {
			return nil, fmt.Errorf("reading audit record %d: %w", e.Seq, err)
		}
		out = append(out, client.Notice{
			ID: fmt.Sprintf("credential-dropped-%d", e.Seq), Title: "The credential of upstream " + record.Body.Object + " was dropped",
			Text:  "Where it leads was changed at " + e.At.UTC().Format(time.RFC3339) + ", to " + after.URL + ". It has none until somebody gives it one; who changed it stands in the audit log.",
			Links: []client.NoticeLink{{Label: "To the upstreams", Path: "/settings/upstreams"}},
		})
	}
	return out, nil
}

// completed are the fields whose values in the data are offered, by the
// dimension that counts them.
var completed = []string{"agent", "team", "environment", "model", "tool", "task", "version", "error_type", "provider"}

const (
	completeFor = 7 * 24 * time.Hour
	maxValues   = 50
)

// values reads what a field holds in the caller's part of the last week, the
// most frequent first.
func (a *API) values(ctx context.Context, scope search.Scope, field string) []string {
	if scope == search.ScopeRun && field == "topic" {
		return a.topicNames(ctx)
	}
	if !slices.Contains(completed, field) || scope != search.ScopeRun && scope != search.ScopeStep {
		return nil
	}
	q := telemetry.Query{
		Table: "steps", Select: []telemetry.Measure{{Func: "count", As: "count"}}, GroupBy: []string{field},
		From: a.o.Now().Add(-completeFor), To: a.o.Now(), OrderBy: "-count", Limit: maxValues,
	}
	if scope == search.ScopeRun && !slices.Contains([]string{"model", "tool", "provider"}, field) {
		q.Table = "runs"
	}
	if err := a.restrict(ctx, &q, scope, nil); err != nil {
		return nil
	}
	res, err := a.o.Store.Query(ctx, q)
	if err != nil {
		// Completion without known values is still completion; the store's
		// trouble shows on the health page and in every question.
		a.o.Logger.WarnContext(ctx, "values for completion not read", "field", field, "err", err)
		return nil
	}
	var out []string
	for _, row := range res.Rows {
		if v, ok := row[0].(string); ok && v != "" {
			out = append(out, v)
		}
	}
	return out
}

func searchFields(a *API, ctx context.Context, req *client.SearchFieldsRequest) (*client.SearchFields, error) {
	out := &client.SearchFields{MaxLength: search.MaxLength, MaxDepth: search.MaxDepth, Items: []client.SearchField{}}
	known := map[string][]string{}
	for _, scope := range []search.Scope{search.ScopeRun, search.ScopeStep, search.ScopeMessage, search.ScopeLog, search.ScopeDecision} {
		if req.Scope != "" && req.Scope != scope.String() {
			continue
		}
		for _, f := range search.Fields(scope) {
			values := f.Values
			if values == nil && (scope == search.ScopeRun || scope == search.ScopeStep && (f.Name == "model" || f.Name == "tool" || f.Name == "provider")) {
				if _, ok := known[f.Name]; !ok {
					known[f.Name] = a.values(ctx, scope, f.Name)
				}
				values = known[f.Name]
			}
			out.Items = append(out.Items, client.SearchField{
				Name: f.Name, Aliases: f.Aliases, Scope: scope.String(), Type: string(f.Type), Unit: f.Unit, Operators: f.Ops(), Values: values, Help: f.Help,
			})
		}
	}
	return out, nil
}

func completeSearch(a *API, ctx context.Context, req *client.CompleteSearchRequest) (*client.List[client.SearchSuggestion], error) {
	cursor := req.Cursor
	if cursor == 0 {
		cursor = len(req.Text)
	}
	out := &client.List[client.SearchSuggestion]{Items: []client.SearchSuggestion{}}
	for _, s := range search.Complete(req.Text, cursor, func(scope search.Scope, field string) []string { return a.values(ctx, scope, field) }) {
		out.Items = append(out.Items, client.SearchSuggestion(s))
	}
	return out, nil
}
