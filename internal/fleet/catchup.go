package fleet

import (
	"context"
	"fmt"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// Store is what the fleet reads of what was stored while nobody observed.
type Store interface {
	Cursor(ctx context.Context, partition int) (uint64, error)
	Runs(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error)
	StepsPage(ctx context.Context, id activity.RunID, q telemetry.StepsQuery) (telemetry.StepsPage, error)
}

// Bounds of catching up: a start must not wait for it. What is beyond them is
// seen again when its agent works again; only its counts are lost.
const (
	catchRuns  = 5000
	catchSteps = 1000 // of one run
	catchTime  = 10 * time.Second
)

// CatchUp observes what the store took after the last position that was
// written: what a crash took from memory, or everything when nothing was
// observed before. Call it before Observe is called.
func (f *Fleet) CatchUp(ctx context.Context, store Store, partition int) error {
	cursor, err := store.Cursor(ctx, partition)
	if err != nil {
		return fmt.Errorf("asking how far the store is: %w", err)
	}
	from := f.mark[partition]
	if cursor <= from.cursor {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, catchTime)
	defer cancel()
	runs, whole, err := f.catch(ctx, store, from.received)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("reading what was not observed: %w", err)
	}
	f.mu.Lock()
	f.mark[partition] = mark{cursor, f.o.Now().UnixNano(), true}
	f.mu.Unlock()
	f.log.Info("caught up with what was not observed", "runs", runs, "whole", whole && err == nil)
	return nil
}

// catch observes the steps that came after a time, the newest runs first.
func (f *Fleet) catch(ctx context.Context, store Store, after int64) (runs int, whole bool, err error) {
	q := telemetry.RunsQuery{Sort: "updated", Limit: 500}
	for {
		page, err := store.Runs(ctx, q)
		if err != nil {
			return runs, false, err
		}
		for i := range page.Runs {
			r := &page.Runs[i]
			if r.Updated <= after {
				return runs, true, nil
			}
			if runs == catchRuns {
				return runs, false, nil
			}
			steps, err := store.StepsPage(ctx, r.ID, telemetry.StepsQuery{Limit: catchSteps})
			if err != nil {
				return runs, false, err
			}
			f.mu.Lock()
			f.clock = f.o.Now().UnixNano()
			for k := range steps.Steps {
				if s := &steps.Steps[k]; s.Received > after {
					s.Revision = 1 // the newest of a step that was not counted
					f.step(s, s.Received)
				}
			}
			f.peers(r)
			f.mu.Unlock()
			runs++
		}
		if page.Next == "" {
			return runs, true, nil
		}
		q.Cursor = page.Next
	}
}
