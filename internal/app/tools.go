package app

import (
	"context"

	"reeve/client"
	"reeve/internal/pin"
	"reeve/internal/upstream"
)

// openPins reads which tools of MCP servers people accepted.
func (a *App) openPins(ctx context.Context) (err error) {
	config := a.o.Config.Tools
	a.pins, err = pin.New(ctx, pin.Options{DB: a.control, Config: config, Logger: a.log.With("part", "tools")})
	return err
}

// moving is the upstreams as people change them: what was accepted of a server
// was not looked at where its name leads now.
type moving struct {
	*upstream.Registry
	pins *pin.Book
}

// Put holds the tools of a server that leads elsewhere, then lets it.
func (m moving) Put(ctx context.Context, by string, u client.Upstream) (client.Upstream, error) {
	if old, ok := m.Lookup(u.Name); ok && (old.URL != u.URL || old.Kind != u.Kind) {
		if err := m.pins.Lead(ctx, u.Name); err != nil {
			return client.Upstream{}, err
		}
	}
	return m.Registry.Put(ctx, by, u)
}

// Delete holds the tools too: another server may get the name.
func (m moving) Delete(ctx context.Context, by, name string) error {
	if err := m.pins.Lead(ctx, name); err != nil {
		return err
	}
	return m.Registry.Delete(ctx, by, name)
}
