package change

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Place is a team and an environment that somebody may see; "*" is all.
type Place struct{ Team, Environment string }

// Filter says which changes.
type Filter struct {
	Agent                        string
	Only                         bool // the agent's own alone
	Team, Environment, Source, Q string
	Kinds                        []string
	From, To                     time.Time
	Visible                      []Place // nil: all
	Limit                        int
	After                        Cursor
}

// Cursor is where a page ended; the zero one is the beginning.
type Cursor struct {
	At int64  `json:"a,omitempty"`
	ID string `json:"i,omitempty"`
}

func (f *Filter) where() control.Where {
	var w control.Where
	switch {
	case f.Agent != "" && f.Only:
		w.Add("agent = ?", f.Agent)
	case f.Agent != "":
		w.Add("agent IN (?, '')", f.Agent)
	}
	for _, is := range [...]struct{ column, value string }{{"source", f.Source}, {"team", f.Team}, {"environment", f.Environment}} {
		switch {
		case is.value == "":
		case f.Agent != "" && !f.Only || is.column == "environment": // what names none is of all
			w.Add(is.column+" IN (?, '')", is.value)
		default:
			w.Add(is.column+" = ?", is.value)
		}
	}
	if len(f.Kinds) > 0 {
		args := make([]any, len(f.Kinds))
		for i, k := range f.Kinds {
			args[i] = k
		}
		w.Add("kind IN ("+strings.TrimSuffix(strings.Repeat("?,", len(args)), ",")+")", args...)
	}
	if f.Q != "" {
		w.Add(`LOWER(title || ' ' || change_key || ' ' || agent || ' ' || body) LIKE ? ESCAPE '\'`, control.Like(f.Q))
	}
	if !f.From.IsZero() {
		w.Add("at >= ?", control.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.Add("at < ?", control.Micros(f.To))
	}
	f.see(&w)
	if c := f.After; c.ID != "" {
		w.Add("(at < ? OR (at = ? AND id > ?))", c.At, c.At, c.ID)
	}
	return w
}

// see narrows to what somebody may see: what names no team is everybody's.
func (f *Filter) see(w *control.Where) {
	if f.Visible == nil {
		return
	}
	or := []string{"1 = 0"}
	var args []any
	for _, p := range f.Visible {
		cond := "1 = 1"
		if p.Team != "*" {
			cond += " AND team IN ('', ?)"
			args = append(args, p.Team)
		}
		if p.Environment != "*" {
			cond += " AND environment IN ('', ?)"
			args = append(args, p.Environment)
		}
		or = append(or, "("+cond+")")
	}
	w.Add("("+strings.Join(or, " OR ")+")", args...)
}

const columns = `id, source, change_key, kind, status, title, agent, team, environment, body, at, status_at, received_at`

func scan(r control.Row) (c client.Change, err error) {
	var text string
	var at, statusAt, received int64
	if err := r.Scan(&c.ID, &c.Source, &c.Key, &c.Kind, &c.Status, &c.Title, &c.Agent, &c.Team, &c.Environment, &text, &at, &statusAt, &received); err != nil {
		return c, err
	}
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return c, fault.New(fault.KindInternal, "change.stored", "a stored change cannot be read").WithCause(err)
	}
	c.Text, c.Version, c.By, c.URL, c.Labels, c.Before, c.After, c.AgentReason = b.Text, b.Version, b.By, b.URL, b.Labels, b.Before, b.After, b.Reason
	c.At, c.ReceivedAt = control.Time(at), control.Time(received)
	if ended := c.Status == "succeeded" || c.Status == "failed"; ended && statusAt > at {
		t := control.Time(statusAt)
		c.EndedAt = &t
	}
	return c, nil
}

// List lists changes, the newest first. next is the zero cursor at the end.
func (b *Book) List(ctx context.Context, f Filter) (all []client.Change, next Cursor, err error) {
	w := f.where()
	query := `SELECT ` + columns + ` FROM changes` + w.Text()
	limit := cmp.Or(f.Limit, 100)
	all, err = control.All(ctx, b.o.DB, scan, query+` ORDER BY at DESC, id LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	return all, Cursor{control.Micros(all[limit-1].At), all[limit-1].ID}, nil
}

// Get reads one.
func (b *Book) Get(ctx context.Context, id string) (client.Change, error) {
	c, ok, err := control.One(ctx, b.o.DB, scan, `SELECT `+columns+` FROM changes WHERE id = ?`, id)
	if err == nil && !ok {
		err = fault.New(fault.KindNotFound, "change.not_found", "there is no change %.60s", id).WithHint("`reeve change list` lists them")
	}
	return c, err
}
