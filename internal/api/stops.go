package api

import (
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Stops is what is stopped and the calls in flight; *stop.Board is one.
type Stops interface {
	Stop(ctx context.Context, by string, t client.StopTarget, reason string, until time.Time) (client.Stop, error)
	Lift(ctx context.Context, by, id, reason string) (client.Stop, error)
	Preview(t client.StopTarget) (client.StopPreview, error)
	Get(ctx context.Context, id string) (client.Stop, error)
	List(ctx context.Context, active bool, limit int) ([]client.Stop, error)
}

// AgentPlace finds the team and environment of a registered agent.
type AgentPlace func(name string) (team, environment string, ok bool)

func (a *API) stops() (Stops, error) {
	if a.o.Stops == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")
	}
	return a.o.Stops, nil
}

// placeOf is where a stop's target lies: who stops it needs the role there.
// What belongs to no team, and what is not known, lies everywhere.
func (a *API) placeOf(ctx context.Context, t client.StopTarget) (team, environment string) {
	switch t.Kind {
	case "team":
		if t.Value != "" {
			return t.Value, identity.Everything
		}
	case "agent":
		if a.o.AgentPlace != nil {
			if team, environment, ok := a.o.AgentPlace(t.Value); ok && team != "" {
				return team, environment
			}
		}
	case "run":
		if id, err := activity.ParseRunID(t.Value); err == nil {
			if a.o.Live != nil {
				if r, ok := a.o.Live.LiveRun(id); ok && r.Team != "" {
					return r.Team, r.Environment
				}
			}
			if r, err := a.o.Store.Run(ctx, id); err == nil && r.Team != "" {
				return r.Team, r.Environment
			}
		}
	}
	return identity.Everything, identity.Everything
}

// mayStop needs responder where the target lies.
func (a *API) mayStop(ctx context.Context, t client.StopTarget) error {
	team, environment := a.placeOf(ctx, t)
	return where(identity.Responder).allowNamed(whoOf(ctx), team, environment)
}

func listStops(a *API, ctx context.Context, req *client.ListStopsRequest) (*client.List[client.Stop], error) {
	stops, err := a.stops()
	if err != nil {
		return nil, err
	}
	all, err := stops.List(ctx, req.Active, req.Limit)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	if !who.Everywhere(identity.Viewer) {
		all = slices.DeleteFunc(all, func(s client.Stop) bool {
			team, environment := a.placeOf(ctx, s.Target)
			return !who.Can(identity.Viewer, team, environment)
		})
	}
	return listOf(all, nil, func(s client.Stop) client.Stop { return s })
}

func createStop(a *API, ctx context.Context, req *client.CreateStopRequest) (*client.Stop, error) {
	stops, err := a.stops()
	if err != nil {
		return nil, err
	}
	if err := a.mayStop(ctx, req.Target); err != nil {
		return nil, err
	}
	var until time.Time
	if req.Until != nil {
		until = *req.Until
	}
	st, err := stops.Stop(ctx, actor(ctx), req.Target, req.Reason, until)
	return &st, err
}

func previewStop(a *API, ctx context.Context, req *client.PreviewStopRequest) (*client.StopPreview, error) {
	stops, err := a.stops()
	if err != nil {
		return nil, err
	}
	if err := a.mayStop(ctx, req.Target); err != nil {
		return nil, err
	}
	p, err := stops.Preview(req.Target)
	return &p, err
}

func liftStop(a *API, ctx context.Context, req *client.LiftStopRequest) (*client.Stop, error) {
	stops, err := a.stops()
	if err != nil {
		return nil, err
	}
	st, err := stops.Get(ctx, req.ID)
	switch {
	case fault.Is(err, fault.KindNotFound):
		// Perhaps one that could not be stored; what it stopped is not known here.
		if err := where(identity.Responder).allowNamed(whoOf(ctx), identity.Everything, identity.Everything); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		if err := a.mayStop(ctx, st.Target); err != nil {
			return nil, err
		}
	}
	st, err = stops.Lift(ctx, actor(ctx), req.ID, req.Reason)
	return &st, err
}

// actor is who acts, as audit records name it.
func actor(ctx context.Context) string {
	who := whoOf(ctx)
	if who.PersonID != "" {
		return who.PersonID
	}
	return who.Kind
}
