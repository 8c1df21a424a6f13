package app

import (
	"context"
	"path/filepath"

	"reeve/internal/budget"
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
