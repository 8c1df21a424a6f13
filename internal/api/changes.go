package api

import (
	"context"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/change"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Changes are what was changed; *change.Book is one.
type Changes interface {
	List(ctx context.Context, f change.Filter) ([]client.Change, change.Cursor, error)
	Get(ctx context.Context, id string) (client.Change, error)
	Create(ctx context.Context, who change.Actor, in client.CreateChangeRequest) (client.Change, error)
}

func (a *API) changes() (Changes, error) {
	if a.o.Changes == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no changes")
	}
	return a.o.Changes, nil
}

// named gives the people of our own changes their names.
func (a *API) named(ctx context.Context, all []client.Change) []client.Change {
	if !slices.ContainsFunc(all, func(c client.Change) bool { return c.By != "" }) {
		return all
	}
	name := a.personNames(ctx)
	for i := range all {
		if all[i].By != "" && (all[i].Source == change.Ours || all[i].Source == change.API) {
			all[i].By = name(all[i].By)
		}
	}
	return all
}

func listChanges(a *API, ctx context.Context, req *client.ListChangesRequest) (*client.List[client.Change], error) {
	book, err := a.changes()
	if err != nil {
		return nil, err
	}
	f := change.Filter{
		Agent: req.Agent, Only: req.Only, Team: req.Team, Environment: req.Environment, Source: req.Source, Q: strings.TrimSpace(req.Q), Limit: req.Limit,
	}
	if places := placesOf(whoOf(ctx)); places != nil {
		f.Visible = make([]change.Place, len(places))
		for i, p := range places {
			f.Visible[i] = change.Place(p)
		}
	}
	if req.Kind != "" {
		f.Kinds = strings.Split(req.Kind, ",")
		for _, k := range f.Kinds {
			if !slices.Contains(change.Kinds, k) {
				return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "kind is one of %s", strings.Join(change.Kinds, ", "))
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
	out, err := listOf(a.named(ctx, all), err, func(c client.Change) client.Change { return c })
	if err == nil && next.ID != "" {
		out.Next = writeCursor(next)
	}
	return out, err
}

func getChange(a *API, ctx context.Context, req *client.ChangeRequest) (*client.Change, error) {
	book, err := a.changes()
	if err != nil {
		return nil, err
	}
	c, err := book.Get(ctx, req.ID)
	if err == nil && !maySeeAt(whoOf(ctx), c.Team, c.Environment) {
		err = fault.New(fault.KindNotFound, "change.not_found", "there is no change %.60s", req.ID)
	}
	if err != nil {
		return nil, err
	}
	return &a.named(ctx, []client.Change{c})[0], nil
}

func createChange(a *API, ctx context.Context, req *client.CreateChangeRequest) (*client.Change, error) {
	book, err := a.changes()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	c, err := book.Create(ctx, change.Actor{Person: actor(ctx), Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}, *req)
	if err != nil {
		return nil, err
	}
	return &a.named(ctx, []client.Change{c})[0], nil
}
