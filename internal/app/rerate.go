package app

import (
	"context"
	"path/filepath"

	"reeve/internal/price"
	"reeve/internal/rerate"
)

// openRerates makes the book of what is priced again; it works while the process
// runs.
func (a *App) openRerates(context.Context) error {
	a.rerates = rerate.New(rerate.Options{
		DB: a.control, Dir: filepath.Join(a.o.Config.Data, "rerates"), Calls: a.store, Runs: a.reader, Prices: a.book, Logger: a.log.With("part", "rerates"),
		Try: func(card string) (rerate.Prices, error) {
			c, err := price.ReadCard([]byte(card))
			if err != nil {
				return nil, err
			}
			return a.book.With(c), nil
		},
	})
	return nil
}
