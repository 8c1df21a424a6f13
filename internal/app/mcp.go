package app

import (
	"context"

	"reeve/internal/gateway/mcp"
	"reeve/internal/pin"
)

// pinned is the book of pins as the door's MCP part asks it.
type pinned struct{ book *pin.Book }

func (p pinned) See(ctx context.Context, upstream string, tools []mcp.Tool, whole bool) ([]mcp.Pin, error) {
	list := make([]pin.Tool, len(tools))
	for i, t := range tools {
		list[i] = pin.Tool{
			Name: t.Name, Title: t.Title, Description: t.Description,
			InputSchema: t.InputSchema, OutputSchema: t.OutputSchema, Annotations: t.Annotations,
		}
	}
	pins, err := p.book.See(ctx, upstream, list, whole)
	if err != nil {
		return nil, err
	}
	out := make([]mcp.Pin, len(pins))
	for i := range pins {
		out[i] = asPin(pins[i])
	}
	return out, nil
}

func (p pinned) Lookup(upstream, tool string) (mcp.Pin, bool) {
	found, ok := p.book.Lookup(upstream, tool)
	return asPin(found), ok
}

func (p pinned) Tools(upstream string) []string { return p.book.Tools(upstream) }

func (p pinned) Alias(name string) (upstream, tool string, ok bool) {
	found, ok := p.book.ByAlias(name)
	return found.Upstream, found.Tool, ok
}

func asPin(p pin.Pin) mcp.Pin {
	return mcp.Pin{Hash: p.Hash, Effect: p.Effect, Classes: p.Classes, Alias: p.Alias, Accepted: p.State == pin.Accepted}
}
