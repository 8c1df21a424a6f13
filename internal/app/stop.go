package app

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"reeve/internal/stop"
)

// openStops loads what is stopped and what the door forwards to, before
// anything listens.
func (a *App) openStops(ctx context.Context) (err error) {
	host, _ := os.Hostname() // a name for people; without one the installation's id serves
	a.stops, err = stop.New(ctx, stop.Options{
		DB:      a.control,
		Agents:  a.agents,
		Hurry:   a.turns.Hold,
		Journal: filepath.Join(a.o.Config.Data, "stops.journal"),
		Node:    cmp.Or(host, a.control.Install()),
		Logger:  a.log.With("part", "stop"),
		// The log is inside this process, so no commit can pass it by: StaleAfter
		// is for nodes that share one.
	})
	if err != nil {
		return err
	}
	a.stack.push("stops", func(context.Context) error { return a.stops.Close() })
	return nil
}
