package mcp

import (
	"context"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/upstream"
)

const (
	maxListed = 10_000 // entries of one list
	seeTime   = 5 * time.Second
)

var errLong = fault.New(fault.KindUnavailable, "mcp.list_too_long", "the server lists more than %d at once", maxListed)

// entry is one element of a list, with what the door reads of it.
type entry struct {
	at   span
	name string // of a tool or prompt, uri or uriTemplate
	tool Tool
}

// list leaves of a list what the caller may use. changed is nil when that is
// all of it.
func (x *exchange) list(b []byte) (changed []byte, f *fault.Error) {
	field, all, more, f := entries(b, x.of.list)
	if f != nil || field.to == 0 {
		return nil, f
	}
	whole := !more && x.c.Upstream.Name != "*" && len(x.m.cursor.in(x.m.raw)) == 0
	show, f := x.p.shown(x.c.Context, x.c.Upstream, x.of.list, all, whole, x.c.Asker(actionOf(x.of.list)).Would)
	if f != nil {
		return nil, f
	}
	out, n := []byte{'['}, 0
	for i, e := range all {
		if !show[i] {
			continue
		}
		if n++; n > 1 {
			out = append(out, ',')
		}
		out = append(out, e.at.in(b)...)
	}
	if n == len(all) {
		return nil, nil
	}
	return wire.Apply(nil, b, []wire.Edit{{From: field.from, To: field.to, With: append(out, ']')}}), nil
}

func actionOf(list string) string {
	if list == "tools" {
		return "call_tool"
	}
	return "read_source"
}

// entries reads a list in a result; more says that it goes on.
func entries(b []byte, list string) (field span, all []entry, more bool, f *fault.Error) {
	c := wire.NewCursor(b)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case list:
			field.from = c.Pos()
			if c.Kind() != '[' {
				return span{}, nil, false, errAnswer
			}
			for a := c.Array(); a.Next(); {
				if len(all) >= maxListed {
					return span{}, nil, false, errLong
				}
				e := readEntry(&c, list, b)
				all = append(all, e)
			}
			field.to = c.Pos()
		case "nextCursor":
			more = c.Kind() == '"'
		}
	}
	if c.End() != nil {
		return span{}, nil, false, errAnswer.WithCause(c.Err())
	}
	return field, all, more, nil
}

func readEntry(c *wire.Cursor, list string, b []byte) entry {
	e := entry{at: span{from: c.Pos()}}
	key := map[string]string{"tools": "name", "prompts": "name", "resources": "uri", "resourceTemplates": "uriTemplate"}[list]
	for o := c.Object(); o.Next(); {
		if string(o.Key) == key {
			e.name = c.Text()
			e.tool.Name = e.name
			continue
		}
		if list != "tools" {
			continue
		}
		switch string(o.Key) {
		case "title":
			e.tool.Title = c.Text()
		case "description":
			e.tool.Description = c.Text()
		case "inputSchema":
			e.tool.InputSchema = c.Raw()
		case "outputSchema":
			e.tool.OutputSchema = c.Raw()
		case "annotations":
			e.tool.Annotations = c.Raw()
		case "execution":
			for in := c.Object(); in.Next(); {
				if string(in.Key) == "taskSupport" {
					e.tool.Tasks = c.Text()
				}
			}
		}
	}
	e.at.to = c.Pos()
	return e
}

// shown says which entries of a list a caller sees. A list of tools is noted
// first: a definition that nobody accepted is shown only where policy allows it
// outright, since a description is text that the model obeys.
func (p *Protocol) shown(ctx context.Context, u *upstream.Upstream, list string, all []entry, whole bool, would would) ([]bool, *fault.Error) {
	show := make([]bool, len(all))
	if list == "tools" {
		tools := make([]Tool, len(all))
		for i := range all {
			tools[i] = all[i].tool
		}
		p.params.learn(u.Name, tools, whole)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seeTime)
		defer cancel()
		pins, err := p.o.Pins.See(ctx, u.Name, tools, whole)
		if err != nil || len(pins) != len(all) {
			return nil, fault.From(err)
		}
		for i := range all {
			res, _ := p.toolOf(u, all[i].name)
			res.Effect, res.Pinned = pins[i].Effect, pins[i].Accepted
			v := would(u, res).Verdict
			show[i] = v == activity.VerdictAllow || v == activity.VerdictHold && pins[i].Accepted
			if of, _ := p.params.of(u.Name, all[i].name); of.broken && p.eras.known(u) {
				show[i] = false // as every client of that era leaves it out
			}
		}
		return show, nil
	}
	for i := range all {
		name := all[i].name
		if list == "prompts" {
			name = "prompt/" + name
		}
		show[i] = all[i].name != "" && would(u, sourceOf(u, name)).Verdict != deny
	}
	return show, nil
}
