package app

import (
	"context"

	"reeve/internal/activity"
	"reeve/internal/intake"
	"reeve/internal/intake/dialect"
	"reeve/internal/remap"
	"reeve/internal/run"
	"reeve/internal/telemetry"
)

// remapRuns lets the reader map runs again by intake's table.
type remapRuns struct {
	reader *run.Reader
	again  *dialect.Again // of the one job that works
}

func (r remapRuns) Version() int32 { return r.again.Version() }

func (r remapRuns) Flush(ctx context.Context) error { return r.reader.Flush(ctx) }

func (r remapRuns) Remap(ctx context.Context, id activity.RunID, q telemetry.Remap) (int, error) {
	return r.reader.Remap(ctx, id, r.again, q)
}

// openRemaps makes the book of what is mapped again; it works while the process
// runs.
func (a *App) openRemaps(context.Context) error {
	a.remaps = remap.New(remap.Options{
		DB: a.control, Steps: a.store, Runs: remapRuns{a.reader, intake.Table().Again()}, Logger: a.log.With("part", "remaps"),
	})
	return nil
}
