package app

import (
	"context"
	"path/filepath"

	"reeve/internal/decision"
)

// openDecisions continues the log of decisions where the last process left it.
func (a *App) openDecisions(ctx context.Context) (err error) {
	a.decisions, err = decision.Open(ctx, decision.Options{
		Stream: a.bus.Decisions(), Dir: filepath.Join(a.o.Config.Data, "decisions"), Install: a.control.Install(), Node: a.stops.Node(), DB: a.control,
		Logger: a.log.With("part", "decisions"),
	})
	return err
}
