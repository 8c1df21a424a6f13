package source

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// outs are the sources out of use by team and the names that calls know them by;
// the team "" has those of no team, which are everybody's. exact has the aliases
// alone: what people said a source is called, and not what its dataset happens to
// be called.
type outs struct {
	called, exact map[string]map[string]time.Time
	// Whoever reads another team's source is refused as well: have are the names by
	// which a team has sources of its own, which it means by them.
	have map[string]map[string]bool
}

// forever stands for an end that nobody set.
var forever = time.Unix(1<<40, 0)

// isOut reports whether the source is out of use at a time.
func (s *row) isOut(at time.Time) bool {
	return s.out != nil && (s.out.Until == nil || at.Before(*s.out.Until))
}

func isOut(name string) error {
	return fault.New(fault.KindConflict, "source.out_of_use", "source %.60s is out of use", name).WithHint("put it back first: `reeve source back %s`", name)
}

// keepsNames refuses a change that would take a name from a source which is out of
// use, or give it to another team: calls by that name would pass again.
func (s *row) keepsNames(next *row, now time.Time) error {
	if !s.isOut(now) {
		return nil
	}
	names := next.called()
	for _, name := range s.called() {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return isOut(s.name)
		}
	}
	for _, name := range s.said.Aliases {
		if !slices.ContainsFunc(next.said.Aliases, func(n string) bool { return strings.EqualFold(n, name) }) {
			return isOut(s.name)
		}
	}
	if next.team != s.team {
		return isOut(s.name)
	}
	return nil
}

// keepOuts keeps what IsOut answers from.
func (b *Book) keepOuts(rows []row) {
	out := &outs{called: map[string]map[string]time.Time{}, exact: map[string]map[string]time.Time{}, have: map[string]map[string]bool{}}
	put := func(in map[string]map[string]time.Time, team, name string, until time.Time) {
		if in[team] == nil {
			in[team] = map[string]time.Time{}
		}
		name = strings.ToLower(name)
		if in[team][name].Before(until) {
			in[team][name] = until
		}
	}
	now := b.o.Now()
	for i := range rows {
		s := &rows[i]
		if out.have[s.team] == nil {
			out.have[s.team] = map[string]bool{}
		}
		for _, name := range s.called() {
			out.have[s.team][strings.ToLower(name)] = true
		}
		if !s.isOut(now) {
			continue
		}
		until := forever
		if s.out.Until != nil {
			until = *s.out.Until
		}
		for _, name := range s.called() {
			put(out.called, s.team, name, until)
		}
		for _, name := range s.said.Aliases {
			put(out.exact, s.team, name, until)
		}
	}
	b.outs.Store(out)
}

// Load reads what IsOut and Fresh answer from, so that nothing that is out of use
// passes before Run runs.
func (b *Book) Load(ctx context.Context) error { return b.look(ctx) }

// IsOut reports whether the source that a team calls so is out of use; exact: by
// an alias alone. A name that nobody of the team or the house has means the other
// teams' source; an alias does not, as it may be the name of anything: a tool, a
// route, a model. It reads memory only, which TakeOut has changed when it returns.
func (b *Book) IsOut(team, name string, exact bool) bool {
	all := b.outs.Load()
	if all == nil || len(all.called) == 0 || name == "" {
		return false
	}
	of := all.called
	if exact {
		of = all.exact
	}
	name = strings.ToLower(name)
	until, ok := of[team][name]
	if other, is := of[""][name]; is && other.After(until) {
		until, ok = other, true
	}
	if !ok && !exact && !all.have[team][name] && !all.have[""][name] {
		for _, names := range of {
			if at := names[name]; at.After(until) {
				until, ok = at, true
			}
		}
	}
	return ok && b.o.Now().Before(until)
}

// maxOut bounds for how long a source is taken out with an end.
const maxOut = 365 * 24 * time.Hour

// TakeOut takes a source out of use, until a time or until it is put back.
// Responders and developers of its team may. When it returns the door refuses.
func (b *Book) TakeOut(ctx context.Context, who Actor, in client.TakeSourceOutRequest) (client.Source, error) {
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	out := &client.SourceOut{By: who.Person, Reason: strings.TrimSpace(in.Reason), Cause: in.Cause, At: now}
	if in.For != "" {
		d, err := parseAge(in.For)
		if err != nil || d < time.Minute || d > maxOut {
			return client.Source{}, invalid("for is a duration from 1m to 365d, or left out: until it is put back")
		}
		until := now.Add(d)
		out.Until = &until
	}
	if err := reasoned(out.Reason); err != nil {
		return client.Source{}, err
	}
	if !oneLine(in.Cause) || len(in.Cause) > maxName {
		return client.Source{}, invalid("cause is the id of an incident or a finding")
	}
	return b.setOut(ctx, who, in.Name, "source_out", out.Reason, out, nil)
}

// PutBack puts a source back into use.
func (b *Book) PutBack(ctx context.Context, who Actor, in client.PutSourceBackRequest) (client.Source, error) {
	if err := reasoned(strings.TrimSpace(in.Reason)); err != nil {
		return client.Source{}, err
	}
	return b.setOut(ctx, who, in.Name, "source_back", strings.TrimSpace(in.Reason), nil, nil)
}

func reasoned(reason string) error {
	if reason == "" || len(reason) > maxText || !oneLine(reason) {
		return invalid("say why in a line of at most %d bytes", maxText).WithHint("--reason")
	}
	return nil
}

func oneLine(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

func (who Actor) mayTake(team string) bool {
	return who.Can("responder", team, "*") || who.Can("developer", team, "*")
}

// setOut writes that a source is out of use, or with nil that it is in use again;
// still, where given, says whether what is there now may be changed.
func (b *Book) setOut(ctx context.Context, who Actor, name, kind, reason string, out *client.SourceOut, still func(*row) bool) (client.Source, error) {
	text := ""
	if out != nil {
		body, err := json.Marshal(out)
		if err != nil {
			return client.Source{}, err
		}
		text = string(body)
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		old, ok, err := control.One(ctx, tx, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, name)
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound(name)
		case !who.mayTake(old.team):
			return fault.New(fault.KindDenied, "source.denied", "a source is taken out of use, and put back, by responders and developers of its team")
		case still != nil && !still(&old):
			return fault.New(fault.KindConflict, "source.changed", "source %.60s was changed meanwhile", name)
		case out == nil && !old.isOut(b.o.Now()):
			return fault.New(fault.KindConflict, "source.in_use", "source %.60s is in use", name)
		}
		if _, err := tx.Exec(ctx, `UPDATE sources SET out_of_use = ? WHERE name = ?`, text, name); err != nil {
			return err
		}
		record := audit.Record{Kind: "admin." + kind, Person: who.Person, Via: who.Via, Action: kind, Object: name, Reason: reason}
		if old.out != nil {
			record.Before = old.out
		}
		if out != nil {
			record.After = out
		}
		if err := audit.Append(ctx, tx, record); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: name})
	})
	if err != nil {
		return client.Source{}, err
	}
	if err := b.look(ctx); err != nil {
		return client.Source{}, err
	}
	d, err := b.Get(ctx, name)
	return d.Source, err
}
