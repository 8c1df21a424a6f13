package app

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/bus"
	"reeve/internal/control"
	"reeve/internal/run"
)

// notify tells live views which runs changed. A lost notice is harmless (the
// next change or a reload shows the state), so a failure is only logged.
func (a *App) notify(ctx context.Context, notes []run.Note) {
	events := make([]bus.Event, 0, len(notes))
	var all bytes.Buffer // a slice of it holds also when more makes it grow: the old memory stays
	all.Grow(256 * len(notes))
	encode := json.NewEncoder(&all)
	for _, n := range notes {
		id, from := n.ID.String(), all.Len()
		err := encode.Encode(client.RunUpdated{
			ID: id, Status: n.Status.String(), Agent: n.Agent, Team: n.Team,
			Environment: n.Environment, Session: n.Session, Steps: n.Steps,
		})
		if err != nil {
			a.log.Error("notice not encoded", "run", id, "err", err)
			continue
		}
		events = append(events, bus.Event{Type: "run.updated", ID: id, Data: all.Bytes()[from : all.Len()-1]})
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := a.bus.Events().Publish(ctx, events...); err != nil {
		a.log.Warn("live views were not told of changed runs", "runs", len(events), "err", err)
	}
}

// nobodyFollows reports that no live view wants to hear of runs that change.
func (a *App) nobodyFollows(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	nobody, err := a.bus.Events().Skip(ctx)
	if err != nil {
		a.log.Warn("live views could not be told that changed runs are left out", "err", err)
	}
	return nobody
}

// relay carries the events of committed changes from the outbox to live views.
func (a *App) relay(ctx context.Context) error {
	return a.control.Relay(ctx, func(ctx context.Context, e control.Event) error {
		if strings.HasPrefix(e.Type, "approval.") {
			a.approvalMoved(ctx, e.Type, e.Data)
		}
		err := a.bus.Events().Publish(ctx, bus.Event{Type: e.Type, ID: e.Object, Data: e.Data})
		if e.Type != "change.updated" {
			a.changes.Wake() // what was changed is in the record by now
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("event not relayed yet", "type", e.Type, "err", err)
		}
		return err
	})
}
