package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Actor is who acts.
type Actor struct {
	Person string // id, or "dev"
	Via    string // the sign-in or token, by id
	Name   string
	// Can reports whether the actor has a role for a team and environment; "*"
	// stands for all of them.
	Can func(role, team, environment string) bool
}

const responder = "responder"

func (a *Actor) can(team, environment string) bool {
	return a.Can != nil && (a.Can(responder, team, environment) || a.Can(responder, "*", "*"))
}

// may is nil for somebody who responds for all of an incident: for the place that
// most of its signals are of, or for each that it touches. Who responds for a
// lesser part must not end what others are called about.
func (a *Actor) may(i *Incident) error {
	if a.can(i.Team, i.Environment) || len(i.Places) > 0 && !slices.ContainsFunc(i.Places, func(p Place) bool { return !a.can(p.Team, p.Environment) }) {
		return nil
	}
	return denied(i.Team, i.Environment)
}

// part is the place of an incident for which somebody may speak: none for who
// responds for all of it.
func (a *Actor) part(i *Incident) (Place, error) {
	err := a.may(i)
	if err == nil {
		return Place{}, nil
	}
	for _, p := range i.Places {
		if p.Team != "" && a.can(p.Team, p.Environment) {
			return p, nil
		}
	}
	return Place{}, err
}

func denied(team, environment string) error {
	return fault.New(fault.KindDenied, "incident.denied", "this needs the role responder for team %q in %q", team, environment).WithHint("an admin can grant it")
}

// find gives the group of an incident: the live one, or an old one read for this
// act alone. The caller holds writing, and mu not.
func (b *Book) find(ctx context.Context, id string) (*group, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	g := b.engine.groups[i.ID]
	b.mu.Unlock()
	if g != nil {
		return g, nil
	}
	g = newGroup(i)
	members, err := b.members(ctx, i.ID, maxMembers)
	if err != nil {
		return nil, err
	}
	side := newEngine() // its figures are made, and nothing joins it
	for _, stored := range members {
		m := memberOf(stored.Signal)
		m.Member = stored
		side.put(g, m)
	}
	g.held = i.Held
	for _, a := range i.Apart {
		g.apart[a] = true
	}
	g.extra = max(0, i.Signals-len(members))
	g.pending.grown = false
	return g, nil
}

// act changes one incident for a person. f sees it as it is and returns the
// sentence for the timeline.
func (b *Book) act(ctx context.Context, who Actor, id string, revision int64, action, reason string, f func(g *group, now time.Time) (Entry, error)) (Incident, error) {
	return b.actAs(ctx, who, who.may, id, revision, action, reason, f)
}

// actAs is act for who may do it.
func (b *Book) actAs(ctx context.Context, who Actor, may func(*Incident) error, id string, revision int64, action, reason string, f func(g *group, now time.Time) (Entry, error)) (Incident, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := b.flush(ctx); err != nil {
		return Incident{}, err
	}
	g, err := b.find(ctx, id)
	if err != nil {
		return Incident{}, err
	}
	if reason = strings.TrimSpace(reason); len(reason) > maxText {
		return Incident{}, invalid("a reason has at most %d bytes", maxText)
	}
	now := b.now()
	b.mu.Lock()
	err = may(&g.inc)
	if err == nil && g.inc.State == Merged {
		err = conflict("it was merged into another one").WithHint("act on %s", g.inc.MergedInto)
	}
	if err == nil && revision != 0 && revision != g.inc.Revision {
		err = conflict("somebody changed it since you read it").WithHint("read it again")
	}
	before := g.inc
	var e Entry
	if err == nil {
		e, err = f(g, now)
	}
	if err != nil {
		b.mu.Unlock()
		return Incident{}, err
	}
	if e.Text != "" {
		e.At, e.Person = now, who.Person
		e.Detail = cmp.Or(e.Detail, reason)
		if e.Evidence == nil { // what shows that they did it
			e.Evidence = &Evidence{"audit", "incident." + action}
		}
		g.pending.entries = append(g.pending.entries, e)
	}
	b.changed(g)
	b.out.acts = append(b.out.acts, audit.Record{
		Kind: "incident." + action, Person: who.Person, Via: who.Via, Action: action, Object: g.inc.ID, Reason: reason,
		Before: public(&before), After: public(&g.inc),
	})
	b.mu.Unlock()
	if err := b.flush(ctx); err != nil {
		return Incident{}, err
	}
	out, err := b.Get(ctx, g.inc.ID)
	if err == nil && b.o.Changed != nil {
		b.o.Changed(out)
	}
	return out, err
}

// public is an incident as the audit log keeps it.
func public(i *Incident) map[string]any {
	return map[string]any{
		"state": i.State, "severity": i.Severity, "kind": i.Kind, "title": i.Title, "owner": i.Owner, "lead": i.Lead, "communications": i.Communications,
	}
}

func wrongState(i *Incident, to string) error {
	return fault.New(fault.KindConflict, "incident.state", "it is %s, so it cannot be %s", i.State, to).WithHint("`reeve incident show %d` tells how it stands", i.Number)
}

// Acknowledge says that somebody looks at it: paging ends.
func (b *Book) Acknowledge(ctx context.Context, who Actor, id, note string) (Incident, error) {
	return b.act(ctx, who, id, 0, "acknowledge", note, func(g *group, now time.Time) (Entry, error) {
		i := &g.inc
		if i.State != Open {
			return Entry{}, wrongState(i, Acknowledged)
		}
		i.State, i.AcknowledgedAt, i.AcknowledgedBy = Acknowledged, now, who.Person
		i.Owner = cmp.Or(i.Owner, who.Person)
		return Entry{Kind: "state", Text: "Acknowledged"}, nil
	})
}

// Mitigate says that people are safe from it, while its cause is still there.
func (b *Book) Mitigate(ctx context.Context, who Actor, id, note string) (Incident, error) {
	return b.act(ctx, who, id, 0, "mitigate", note, func(g *group, now time.Time) (Entry, error) {
		i := &g.inc
		if i.State != Open && i.State != Acknowledged {
			return Entry{}, wrongState(i, Mitigated)
		}
		if i.AcknowledgedAt.IsZero() {
			i.AcknowledgedAt, i.AcknowledgedBy = now, who.Person
		}
		i.State, i.MitigatedAt = Mitigated, now
		return Entry{Kind: "state", Text: "Mitigated"}, nil
	})
}

// recovered refuses to end an incident while what is required to be well again is
// not. Whoever may not act on it is told nothing of it here.
func (b *Book) recovered(ctx context.Context, who Actor, id string) error {
	if b.o.Unrecovered == nil {
		return nil
	}
	i, err := b.Get(ctx, id)
	if err != nil || !i.Live() || who.may(&i) != nil {
		return err
	}
	why, err := b.o.Unrecovered(ctx, i)
	if err != nil || why == "" {
		return err
	}
	return fault.New(fault.KindConflict, "incident.not_recovered", "it cannot be resolved yet: %s", why).WithHint("mitigate it, and resolve it when that is well again")
}

// Resolve ends it.
func (b *Book) Resolve(ctx context.Context, who Actor, id, note string) (Incident, error) {
	if err := b.recovered(ctx, who, id); err != nil {
		return Incident{}, err
	}
	return b.act(ctx, who, id, 0, "resolve", note, func(g *group, now time.Time) (Entry, error) {
		i := &g.inc
		if !i.Live() {
			return Entry{}, wrongState(i, Resolved)
		}
		i.State, i.ResolvedAt = Resolved, now
		return Entry{Kind: "state", Text: "Resolved"}, nil
	})
}

// Reopen takes back that it was mitigated or resolved.
func (b *Book) Reopen(ctx context.Context, who Actor, id, note string) (Incident, error) {
	out, err := b.act(ctx, who, id, 0, "reopen", note, func(g *group, _ time.Time) (Entry, error) {
		i := &g.inc
		if i.State == Open || i.State == Acknowledged {
			return Entry{}, wrongState(i, Open)
		}
		i.State, i.ResolvedAt, i.MitigatedAt, i.ReviewedAt, i.QuietAt = Acknowledged, time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if i.AcknowledgedBy == "" {
			i.AcknowledgedBy = who.Person
		}
		return Entry{Kind: "state", Text: "Opened again"}, nil
	})
	if err == nil {
		err = b.revive(ctx, out)
	}
	return out, err
}

// revive puts an old incident among the live ones, so that signals join it.
func (b *Book) revive(ctx context.Context, i Incident) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine.groups[i.ID] != nil {
		return nil
	}
	return b.loadGroup(ctx, i)
}

// Edit is what people change of an incident; a nil field stays.
type Edit struct {
	Title, Severity, Kind       *string
	Owner, Lead, Communications *string
	Revision                    int64
	Reason                      string
}

// Update changes what people say of it.
func (b *Book) Update(ctx context.Context, who Actor, id string, e Edit) (Incident, error) {
	return b.act(ctx, who, id, e.Revision, "update", e.Reason, func(g *group, _ time.Time) (Entry, error) {
		i := &g.inc
		next, said := *i, []string(nil)
		if e.Title != nil {
			title := strings.TrimSpace(*e.Title)
			if title == "" || len(title) > maxTitle {
				return Entry{}, invalid("a title has 1 to %d bytes", maxTitle)
			}
			next.Title, next.Named = title, true
			said = append(said, "called it "+title)
		}
		if e.Severity != nil {
			if !slices.Contains(severities, *e.Severity) {
				return Entry{}, invalid("a severity is info, warning or critical")
			}
			next.Severity, next.Rated = *e.Severity, true
			said = append(said, "severity "+*e.Severity)
		}
		if e.Kind != nil {
			if !slices.Contains([]string{"", WrongAnswer, WrongAction, Outage}, *e.Kind) {
				return Entry{}, invalid("a kind is wrong_answer, wrong_action or outage")
			}
			next.Kind, next.Typed = *e.Kind, true
			said = append(said, "kind "+strings.ReplaceAll(*e.Kind, "_", " "))
		}
		for _, f := range []struct {
			name string
			from *string
			to   *string
		}{{"owner", e.Owner, &next.Owner}, {"lead", e.Lead, &next.Lead}, {"communications", e.Communications, &next.Communications}} {
			if f.from == nil {
				continue
			}
			if len(*f.from) > 100 {
				return Entry{}, invalid("a person's id has at most 100 bytes")
			}
			*f.to = *f.from
			if *f.from == "" {
				said = append(said, "no "+f.name)
			} else {
				said = append(said, f.name+" {"+*f.from+"}")
			}
		}
		if len(said) == 0 {
			return Entry{}, invalid("nothing to change was given")
		}
		*i = next
		return Entry{Kind: "edit", Text: "Set " + strings.Join(said, ", ")}, nil
	})
}

// Note adds a person's words to the timeline. Those of somebody who responds for a
// part of it stand there for that part.
func (b *Book) Note(ctx context.Context, who Actor, id, words string, evidence *Evidence) (Incident, error) {
	if words = strings.TrimSpace(words); words == "" || len(words) > maxText {
		return Incident{}, invalid("a note has 1 to %d bytes", maxText)
	}
	var at Place
	may := func(i *Incident) (err error) {
		at, err = who.part(i)
		return err
	}
	return b.actAs(ctx, who, may, id, 0, "note", "", func(*group, time.Time) (Entry, error) {
		return Entry{Kind: "note", Text: words, Evidence: evidence, Team: at.Team, Environment: at.Environment}, nil
	})
}

// MaySpeak is nil for somebody who may add to an incident's timeline.
func (b *Book) MaySpeak(ctx context.Context, who Actor, id string) error {
	i, err := b.Get(ctx, id)
	if err != nil {
		return err
	}
	_, err = who.part(&i)
	return err
}

// Tell adds what Reeve itself did (a page, a delivery) to the timeline.
func (b *Book) Tell(ctx context.Context, id string, e Entry) error {
	if e.At.IsZero() {
		e.At = b.now()
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error { return b.TellIn(ctx, tx, id, e) })
}

// TellIn is Tell in a transaction of the caller's.
func (b *Book) TellIn(ctx context.Context, tx *control.Tx, id string, e Entry) error {
	i, err := get(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := e.save(ctx, tx, i.ID); err != nil {
		return err
	}
	return i.event(ctx, tx, "incident.updated")
}

// Report is an incident that a person opens.
type Report struct {
	Title, Text, Severity, Kind string
	Team, Environment           string
	Agents                      []string
}

// Open opens an incident by hand: what the person says is its first signal.
func (b *Book) Open(ctx context.Context, who Actor, r Report) (Incident, error) {
	r.Title = strings.TrimSpace(r.Title)
	switch {
	case r.Title == "" || len(r.Title) > maxTitle:
		return Incident{}, invalid("a title has 1 to %d bytes", maxTitle)
	case len(r.Text) > maxText:
		return Incident{}, invalid("a text has at most %d bytes", maxText)
	case !slices.Contains(severities, r.Severity):
		return Incident{}, invalid("a severity is info, warning or critical")
	case !slices.Contains([]string{"", WrongAnswer, WrongAction, Outage}, r.Kind):
		return Incident{}, invalid("a kind is wrong_answer, wrong_action or outage")
	case len(r.Agents) > 50:
		return Incident{}, invalid("an incident is opened with at most 50 agents")
	case !who.can(r.Team, r.Environment):
		return Incident{}, denied(r.Team, r.Environment)
	}
	for _, name := range r.Agents {
		if b.o.AgentPlace == nil {
			break
		}
		if team, environment, ok := b.o.AgentPlace(name); ok && !who.can(team, environment) {
			return Incident{}, fault.New(fault.KindDenied, "incident.denied", "agent %.80s is of another place, for which you do not respond", name).WithHint("ask its team to open it, or leave the agent out")
		}
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	now := b.now()
	b.mu.Lock()
	g := newGroup(Incident{
		ID: b.incidentID(now), State: Open, Severity: r.Severity, Rated: true, Title: r.Title, Named: true, Kind: r.Kind, Typed: r.Kind != "",
		OpenedAt: now, LastAt: now, People: -1, Manual: who.Person, Team: r.Team, Environment: r.Environment,
	})
	agents := r.Agents
	if len(agents) == 0 {
		agents = []string{""}
	}
	for n, agent := range agents {
		s := Signal{
			ID: g.inc.ID, Kind: "person", Fingerprint: fmt.Sprintf("person/%s/%d", g.inc.ID, n), At: now, Severity: r.Severity,
			Title: r.Title, Text: r.Text, Team: r.Team, Environment: r.Environment, Agent: agent,
		}
		s.clean(now)
		m := memberOf(s)
		m.Score, m.By, m.Reasons = 1, who.Person, []Reason{{Rule: "first", Text: "a person opened this incident", Weight: 1}}
		b.engine.put(g, m)
		g.pending.members[m.Fingerprint] = true
		g.inc.Occurrences++
	}
	g.pending.created, g.pending.told = true, "opened"
	g.pending.entries = []Entry{{At: now, Kind: "state", Text: "Opened by hand", Detail: r.Text, Evidence: &Evidence{"audit", "incident.open"}, Person: who.Person, Team: r.Team, Environment: r.Environment}}
	b.engine.groups[g.inc.ID] = g
	b.changed(g)
	b.out.acts = append(b.out.acts, audit.Record{Kind: "incident.open", Person: who.Person, Via: who.Via, Action: "open", Object: g.inc.ID, After: public(&g.inc)})
	b.mu.Unlock()
	if err := b.flush(ctx); err != nil {
		return Incident{}, err
	}
	return b.Get(ctx, g.inc.ID)
}
