package app

import (
	"context"

	"reeve/internal/pin"
)

// openPins reads which tools of MCP servers people accepted.
func (a *App) openPins(ctx context.Context) (err error) {
	config := a.o.Config.Tools
	a.pins, err = pin.New(ctx, pin.Options{DB: a.control, Config: config, Logger: a.log.With("part", "tools")})
	return err
}
