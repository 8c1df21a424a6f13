package api

import (
	"context"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/steer"
)

var errNoSteering = fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")

// steered finds a run that the asker may steer: who may stop it may do less too.
func (a *API) steered(ctx context.Context, id string) (*steer.Book, steer.Place, error) {
	var p steer.Place
	if a.o.Steer == nil {
		return nil, p, errNoSteering
	}
	run, err := a.run(ctx, id)
	if err != nil {
		return nil, p, err
	}
	if err := a.mayStop(ctx, client.StopTarget{Kind: "run", Value: run.ID.String()}); err != nil {
		return nil, p, err
	}
	if run.Status == activity.RunDone {
		return nil, p, fault.New(fault.KindConflict, "steer.over", "the run is over").WithHint("only a run that goes on can be held or told something")
	}
	return a.o.Steer, steer.Place{Run: run.ID.String(), Agent: run.Agent, Team: run.Team, Environment: run.Environment}, nil
}

func supervisor(ctx context.Context) steer.Person {
	return steer.Person{ID: actor(ctx), Name: whoOf(ctx).Name}
}

// steering is what people do about a run, after a change that ended with err.
func (a *API) steering(ctx context.Context, run string, err error) (*client.Steering, error) {
	if err != nil {
		return nil, err
	}
	notes, err := a.o.Steer.Notes(ctx, run)
	if err != nil {
		return nil, err
	}
	out := &client.Steering{Notes: []client.RunNote{}}
	if h := a.o.Steer.Held(run); h != nil {
		out.Hold = &client.RunHold{By: h.By.Name, Reason: h.Reason, At: h.At, Until: h.Until}
	}
	for _, n := range notes {
		out.Notes = append(out.Notes, client.RunNote{
			ID: n.ID, By: n.By.Name, Text: n.Text, Every: n.Every, At: n.At, Until: n.Until,
			EndedAt: optionalTime(n.EndedAt), ToldAt: optionalTime(n.ToldAt), Told: n.Told, DecisionID: n.Decision,
		})
	}
	return out, nil
}

func getSteering(a *API, ctx context.Context, req *client.RunRequest) (*client.Steering, error) {
	if a.o.Steer == nil {
		return nil, errNoSteering
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	// What people say is content of the run.
	if who := whoOf(ctx); !who.Can(identity.Reader, run.Team, run.Environment) && !who.Can(identity.Responder, run.Team, run.Environment) {
		return nil, fault.New(fault.KindDenied, "api.role_missing", "this needs the role reader or responder for team %q in %q", run.Team, run.Environment)
	}
	return a.steering(ctx, run.ID.String(), nil)
}

func holdRun(a *API, ctx context.Context, req *client.HoldRunRequest) (*client.Steering, error) {
	book, p, err := a.steered(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	_, err = book.Hold(ctx, p, supervisor(ctx), req.Reason, time.Duration(req.Seconds)*time.Second)
	return a.steering(ctx, p.Run, err)
}

func releaseRun(a *API, ctx context.Context, req *client.ReleaseRunRequest) (*client.Steering, error) {
	book, p, err := a.steered(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.steering(ctx, p.Run, book.Release(ctx, p, supervisor(ctx), req.Reason))
}

func tellRun(a *API, ctx context.Context, req *client.TellRunRequest) (*client.Steering, error) {
	book, p, err := a.steered(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if _, ok := a.o.Agents.Lookup(p.Agent); !ok {
		p.Agent = "" // spans named it as nobody does at the door: whoever calls in the run is told
	}
	_, err = book.Tell(ctx, p, supervisor(ctx), req.Text, req.Every, time.Duration(req.Seconds)*time.Second)
	return a.steering(ctx, p.Run, err)
}

func withdrawRunNote(a *API, ctx context.Context, req *client.WithdrawRunNoteRequest) (*client.Steering, error) {
	book, p, err := a.steered(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.steering(ctx, p.Run, book.Withdraw(ctx, p, req.Note, supervisor(ctx)))
}

// heldRunRows are the runs whose calls wait for people.
func heldRunRows(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
	if a.o.Steer == nil {
		return nil, errNoSteering
	}
	who := whoOf(ctx)
	var out []client.OverviewRow
	for _, h := range a.o.Steer.Holds() {
		if env != "" && h.Environment != env || team != "" && h.Team != team || !who.Can(identity.Viewer, h.Team, h.Environment) {
			continue
		}
		out = append(out, client.OverviewRow{
			ID: "held-" + h.Run, Kind: "held_run", Text: "Each call of a run of " + h.Agent + " waits for a person", Since: h.At, Until: &h.Until, Owner: h.By.Name, Path: "/runs/" + h.Run,
		})
	}
	return out, nil
}
