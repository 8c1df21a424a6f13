package app

import (
	"context"
	"path/filepath"
	"time"

	"reeve/internal/activity"
	"reeve/internal/budget"
)

// openBudgets reads what may be spent, and what the log of decisions says was:
// what earlier processes left open stays spent.
func (a *App) openBudgets(ctx context.Context) (err error) {
	a.budgets, err = budget.Open(ctx, budget.Options{
		DB: a.control, Dir: filepath.Join(a.o.Config.Data, "budget"), Config: a.o.Config.Limits, Logger: a.log.With("part", "budgets"),
	})
	if err != nil {
		return err
	}
	a.budgetsAt = int64(a.budgets.Start(uint64(a.decisions.Stats().Records)))
	if err := a.readReserved(ctx); err != nil {
		return err
	}
	a.budgets.Ready()
	return nil
}

// readReserved tells the budgets what the log has of them since the last time.
// A record's position is that of the one behind it: 0 is the log's beginning.
func (a *App) readReserved(ctx context.Context) (err error) {
	a.budgetsAt, err = a.decisions.Reserved(ctx, a.budgetsAt, func(seq int64, d *activity.Decision) { a.budgets.Replay(uint64(seq)+1, d) })
	if err == nil {
		a.budgets.Read(uint64(a.budgetsAt))
	}
	return err
}

// reservedEvery is often enough to find thousands of decisions a second still in
// memory.
const reservedEvery = 250 * time.Millisecond

// followReserved keeps the budgets' snapshot close to the log, so that the next
// start reads little of it.
func (a *App) followReserved(ctx context.Context) error {
	tick := time.NewTicker(reservedEvery)
	defer tick.Stop()
	failing := false
	for {
		err := a.readReserved(ctx)
		if (err != nil) != failing && ctx.Err() == nil {
			failing = err != nil
			a.log.Warn("what decisions reserved is read late", "failing", failing, "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
