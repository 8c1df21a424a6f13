package app

import (
	"context"
	"path/filepath"

	"reeve/internal/budget"
	"reeve/internal/content"
)

// openBudgets reads what may be spent. Until the decisions of earlier processes
// are read as well, hard budgets let nothing through.
func (a *App) openBudgets(ctx context.Context) (err error) {
	a.budgets, err = budget.Open(ctx, budget.Options{
		DB: a.control, Dir: filepath.Join(a.o.Config.Data, "budget"), Config: a.o.Config.Limits, Logger: a.log.With("part", "budgets"),
	})
	if err != nil {
		return err
	}
	a.budgets.Ready()
	return nil
}

// openContent reads what content may hold. A key of ours that is seen in content
// dies: the door tells of it and goes on, killing writes to the database.
func (a *App) openContent(ctx context.Context) (err error) {
	a.leaks = make(chan string, 256)
	a.content, err = content.New(ctx, content.Options{DB: a.control, Leaked: func(key string) {
		select {
		case a.leaks <- key:
		default: // more at once than can be killed: they are seen again
		}
	}})
	return err
}

// killLeaked ends the keys that were seen in content.
func (a *App) killLeaked(ctx context.Context) error {
	for {
		select {
		case key := <-a.leaks:
			died, err := a.agents.Leaked(ctx, key)
			if err == nil && !died {
				died, err = a.identity.Leaked(ctx, key)
			}
			switch {
			case err != nil && ctx.Err() == nil:
				a.log.Error("a key that was seen in content could not be killed", "err", err)
			case died:
				a.log.Warn("a key was seen in content and is dead now", "key", key[:min(16, len(key))])
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
