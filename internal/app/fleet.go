package app

import (
	"context"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/stop"
	"reeve/internal/telemetry"
)

// openFleet loads what was observed of the agents.
func (a *App) openFleet(ctx context.Context) (err error) {
	a.fleet, err = fleet.New(ctx, fleet.Options{
		DB: a.control, Agents: a.agents, Stops: nameStops{a}, Logger: a.log.With("part", "fleet"),
	})
	return err
}

// agentChanged tells who follows the register.
func (a *App) agentChanged(before, after *agent.Agent) {
	if a.fleet != nil { // nil only while the process is built, when nothing changes
		a.fleet.Changed(before, after)
	}
	a.cutContained(before, after)
	a.authority.agentChanged(before, after)
}

// observed is the store with the fleet behind it: what the store took, the
// fleet sees.
type observed struct {
	telemetry.Store
	fleet *fleet.Fleet
}

func (o observed) Append(ctx context.Context, w *telemetry.Write) error {
	err := o.Store.Append(ctx, w)
	if err == nil {
		o.fleet.Observe(w)
	}
	return err
}

// nameStops lets the fleet stop a name at the door.
type nameStops struct{ app *App }

func (s nameStops) StopName(ctx context.Context, by, name, reason string) (string, error) {
	st, err := s.app.stops.Stop(ctx, by, client.StopTarget{Kind: stop.KindAgent, Value: name}, reason, time.Time{})
	return st.ID, err
}

func (s nameStops) LiftStop(ctx context.Context, by, id, reason string) error {
	_, err := s.app.stops.Lift(ctx, by, id, reason)
	if fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindConflict) {
		return nil // it was lifted, or ended by itself
	}
	return err
}
