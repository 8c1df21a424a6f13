package app

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/bus"
	"reeve/internal/decision"
)

// openDecisions continues the log of decisions where the last process left it.
func (a *App) openDecisions(ctx context.Context) (err error) {
	a.decisions, err = decision.Open(ctx, decision.Options{
		Stream: a.bus.Decisions(), Dir: filepath.Join(a.o.Config.Data, "decisions"), Install: a.control.Install(), Node: a.stops.Node(), DB: a.control,
		Logger: a.log.With("part", "decisions"), Tree: a.proofs.decisions, Turns: a.turns,
	})
	return err
}

// buildIndex makes the log searchable in the telemetry store.
func (a *App) buildIndex(ctx context.Context) (err error) {
	a.decided, err = decision.NewIndex(ctx, a.decisions, a.store, a.notifyDecided)
	return err
}

// decided is what the API reads of decisions.
type decided struct {
	*decision.Index
	*decision.Log
}

// notifyDecided tells live views which decisions were recorded. A lost notice is
// harmless: the lists show them.
func (a *App) notifyDecided(ctx context.Context, list []decision.Notice) {
	events := make([]bus.Event, 0, len(list))
	for _, n := range list {
		e := client.DecisionsRecorded{
			Team: n.Team, Environment: n.Environment, Count: n.Count, Denied: n.Denied, Held: n.Held, WouldDeny: n.WouldDeny, IDs: []string{}, Runs: []string{}, Agents: []string{},
		}
		for i := range n.Newest {
			d := &n.Newest[i]
			e.IDs = append(e.IDs, d.ID)
			if run := d.Run.String(); !d.Run.IsZero() && !slices.Contains(e.Runs, run) {
				e.Runs = append(e.Runs, run)
			}
			if !slices.Contains(e.Agents, d.Agent) {
				e.Agents = append(e.Agents, d.Agent)
			}
		}
		data, err := json.Marshal(e)
		if err != nil {
			a.log.Error("notice not encoded", "err", err)
			continue
		}
		events = append(events, bus.Event{Type: "decision.recorded", Data: data})
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := a.bus.Events().Publish(ctx, events...); err != nil {
		a.log.Warn("live views were not told of decisions", "err", err)
	}
}
