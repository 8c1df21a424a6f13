package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// absorb makes incidents one that grew together. The caller holds mu and
// writing.
func (b *Book) absorb(now time.Time) {
	for _, a := range b.engine.absorb(now) {
		b.stats.Absorbs++
		b.merge(a.from, a.into, "", "", a.reasons, now)
	}
}

// merge moves all of one incident into another. The caller holds mu.
func (b *Book) merge(from, into *group, person, words string, reasons []Reason, now time.Time) *Move {
	prints := sortedKeys(from.members)
	m := Move{ID: activity.Mint("mov_", now.UnixNano()), Kind: "merge", Source: from.inc.ID, Target: into.inc.ID, At: now, Person: person, Prints: prints, Reasons: reasons, Reason: words, State: from.inc.State}
	why := words
	if why == "" && len(reasons) > 0 {
		why = reasons[0].Text
	}
	for _, p := range prints {
		b.carry(from, into, p, person, reasons)
	}
	if from.extra > 0 {
		for p, g := range b.engine.prints {
			if g == from {
				b.engine.prints[p] = into
			}
		}
		into.extra += from.extra
		from.extra = 0
	}
	into.inc.Occurrences += from.inc.Occurrences
	into.inc.LastAt = later(into.inc.LastAt, from.inc.LastAt)
	if from.inc.OpenedAt.Before(into.inc.OpenedAt) {
		into.inc.OpenedAt = from.inc.OpenedAt
	}
	if !into.inc.Rated && worse(from.inc.Severity, into.inc.Severity) != into.inc.Severity {
		into.inc.Severity = from.inc.Severity
		into.pending.told = orText(into.pending.told, "worse")
	}
	if into.firing > 0 {
		into.inc.QuietAt = time.Time{}
	}
	for id := range from.apart {
		if id != into.inc.ID {
			into.apart[id] = true
		}
	}
	from.inc.State, from.inc.MergedInto = Merged, into.inc.ID
	from.pending.told = "" // nobody is called for what is part of another
	evidence := &Evidence{"move", m.ID}
	into.pending.entries = append(into.pending.entries, Entry{At: now, Kind: "merge", Text: fmt.Sprintf("Took in %q with %s", from.inc.Title, plural(len(prints), "signal")), Detail: why, Person: person, Evidence: evidence})
	from.pending.entries = append(from.pending.entries, Entry{At: now, Kind: "merge", Text: fmt.Sprintf("Became part of %q", into.inc.Title), Detail: why, Person: person, Evidence: evidence})
	b.engine.remove(from)
	b.changed(from)
	b.changed(into)
	b.out.moves = append(b.out.moves, m)
	return &b.out.moves[len(b.out.moves)-1]
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// carry moves one member, with the reasons for it put before those it has.
func (b *Book) carry(from, into *group, print, person string, reasons []Reason) *member {
	m := from.members[print]
	if m == nil {
		return nil
	}
	b.engine.drop(from, m)
	delete(from.pending.members, print)
	from.pending.gone = append(from.pending.gone, print)
	if len(into.members) >= maxMembers {
		into.extra++
		b.engine.prints[print] = into
		return m
	}
	if len(reasons) > 0 || person != "" {
		m.Reasons = append(slices.Clone(reasons), m.Reasons...)
		m.Reasons = m.Reasons[:min(len(m.Reasons), 12)]
		m.By = person
	}
	b.engine.put(into, m)
	into.pending.members[print] = true
	into.pending.gone = slices.DeleteFunc(into.pending.gone, func(p string) bool { return p == print })
	return m
}

// alive finds an incident that can be joined or split, for somebody who responds
// for all of it: one in memory. The caller holds mu and writing.
func (b *Book) alive(ctx context.Context, who *Actor, id string) (*group, error) {
	g, err := b.inMemory(ctx, id)
	if err == nil {
		err = who.may(&g.inc)
	}
	return g, err
}

// aliveFor is alive for somebody who responds for the places of some of its
// signals: those are theirs to judge and to take out.
func (b *Book) aliveFor(ctx context.Context, who *Actor, id string, prints []string) (*group, error) {
	g, err := b.inMemory(ctx, id)
	if err != nil || who.may(&g.inc) == nil {
		return g, err
	}
	for _, p := range prints {
		m := g.members[p]
		if m == nil { // nothing is said of what they may not see
			return nil, denied(g.inc.Team, g.inc.Environment)
		}
		if !who.can(m.Team, m.Environment) {
			return nil, denied(m.Team, m.Environment)
		}
	}
	return g, nil
}

func (b *Book) inMemory(ctx context.Context, id string) (*group, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	g := b.engine.groups[i.ID]
	if g == nil || !g.inc.Live() {
		return nil, fault.New(fault.KindConflict, "incident.state", "incident %d is %s: only live ones are merged and split", i.Number, i.State).WithHint("open it again first")
	}
	return g, nil
}

// change runs a change of several incidents and stores it.
func (b *Book) change(ctx context.Context, f func(now time.Time) error) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := b.flush(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	err := f(b.now())
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.flush(ctx)
}

// Merge makes an incident part of another. It teaches the weights that what both
// share means something.
func (b *Book) Merge(ctx context.Context, who Actor, id, into, reason string) (Incident, error) {
	var target string
	err := b.change(ctx, func(now time.Time) error {
		from, err := b.alive(ctx, &who, id)
		if err != nil {
			return err
		}
		to, err := b.alive(ctx, &who, into)
		if err != nil {
			return err
		}
		if from == to {
			return invalid("an incident is not merged into itself")
		}
		target = to.inc.ID
		delete(from.apart, to.inc.ID)
		delete(to.apart, from.inc.ID)
		reasons := b.engine.common(from, to)
		to.held = true
		m := b.merge(from, to, who.Person, reason, reasons, now)
		m.Revision = b.learnFrom(who.Person, reasons, true, to.inc.ID, "a person merged two incidents", now)
		b.record(who, "merge", from.inc.ID, reason, map[string]any{"into": to.inc.ID})
		return nil
	})
	if err != nil {
		return Incident{}, err
	}
	return b.Get(ctx, target)
}

// common are the reasons that speak for two incidents being one, even if they
// are weak: what a verdict is about.
func (e *engine) common(a, b *group) []Reason {
	var best []Reason
	top := -1.0
	for _, p := range sampled(a.members) {
		if s, r := e.score(a.members[p], b); s > top {
			top, best = s, r
		}
	}
	return best
}

func (b *Book) record(who Actor, action, object, reason string, after any) {
	b.out.acts = append(b.out.acts, audit.Record{Kind: "incident." + action, Person: who.Person, Via: who.Via, Action: action, Object: object, Reason: reason, After: after})
}

// Split takes signals out of an incident into one of their own. They stay apart,
// and the rules that had joined them are believed less.
func (b *Book) Split(ctx context.Context, who Actor, id string, prints []string, reason string) (Incident, error) {
	var made string
	err := b.change(ctx, func(now time.Time) error {
		prints = slices.Compact(slices.Sorted(slices.Values(prints)))
		from, err := b.aliveFor(ctx, &who, id, prints)
		if err != nil {
			return err
		}
		if len(prints) == 0 || len(prints) >= len(from.members) {
			return invalid("a split names some of an incident's signals, and not all of them")
		}
		for _, p := range prints {
			if from.members[p] == nil {
				return invalid("signal %.80q is not in incident %d", p, from.inc.Number)
			}
		}
		to := newGroup(Incident{ID: b.incidentID(now), State: Open, Severity: Info, OpenedAt: now, People: -1})
		to.pending.created = true
		b.engine.groups[to.inc.ID] = to
		m := Move{ID: activity.Mint("mov_", now.UnixNano()), Kind: "split", Source: from.inc.ID, Target: to.inc.ID, At: now, Person: who.Person, Prints: prints, Reason: reason, State: from.inc.State}
		for _, p := range prints {
			x := from.members[p]
			if x.By == "" {
				m.Reasons = append(m.Reasons, x.Reasons...)
			}
			b.carry(from, to, p, who.Person, []Reason{{Rule: "person", Text: "a person took it out of another incident", Weight: 1}})
			from.apart[p] = true
			to.inc.Occurrences += x.Count
			from.inc.Occurrences = max(0, from.inc.Occurrences-x.Count)
			to.inc.LastAt = later(to.inc.LastAt, x.Last)
			to.inc.Severity = worse(to.inc.Severity, x.Severity)
			if x.First.Before(to.inc.OpenedAt) {
				to.inc.OpenedAt = x.First
			}
		}
		from.apart[to.inc.ID], to.apart[from.inc.ID] = true, true
		from.held, to.held = true, true
		m.Reasons = strongest(m.Reasons)
		m.Revision = b.learnFrom(who.Person, m.Reasons, false, from.inc.ID, "a person split an incident", now)
		evidence := &Evidence{"move", m.ID}
		from.pending.entries = append(from.pending.entries, Entry{At: now, Kind: "split", Text: plural(len(prints), "signal") + " taken out", Detail: reason, Person: who.Person, Evidence: evidence})
		to.pending.entries = append(to.pending.entries, Entry{At: now, Kind: "split", Text: fmt.Sprintf("Split from %q with %s", from.inc.Title, plural(len(prints), "signal")), Detail: reason, Person: who.Person, Evidence: evidence})
		b.changed(from)
		b.changed(to)
		b.out.moves = append(b.out.moves, m)
		b.record(who, "split", from.inc.ID, reason, map[string]any{"into": to.inc.ID, "signals": len(prints)})
		made = to.inc.ID
		return nil
	})
	if err != nil {
		return Incident{}, err
	}
	return b.Get(ctx, made)
}

// strongest keeps each rule once, with the most that it counted.
func strongest(list []Reason) []Reason {
	at := map[string]int{}
	var out []Reason
	for _, r := range list {
		i, ok := at[r.Rule]
		if !ok {
			at[r.Rule] = len(out)
			out = append(out, r)
		} else if r.Weight > out[i].Weight {
			out[i] = r
		}
	}
	return out
}

// Undo takes a merge or split back: the signals go where they were, what it had
// taught is forgotten, and machines do not repeat it.
func (b *Book) Undo(ctx context.Context, who Actor, move, reason string) (Incident, error) {
	var shown string
	err := b.change(ctx, func(now time.Time) error {
		m, ok, err := control.One(ctx, b.o.DB, scanMove, `SELECT `+moveColumns+` WHERE id = ?`, move)
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound("merge or split")
		case !m.UndoneAt.IsZero():
			return conflict("it was taken back already")
		}
		if m.Kind == "merge" {
			err = b.unmerge(ctx, &who, &m, reason, now)
		} else {
			err = b.unsplit(ctx, &who, &m, reason, now)
		}
		if err != nil {
			return err
		}
		m.UndoneAt, m.UndoneBy = now, who.Person
		b.out.undone = append(b.out.undone, m)
		b.record(who, "undo", m.ID, reason, map[string]any{"kind": m.Kind, "source": m.Source, "target": m.Target})
		shown = m.Source
		return nil
	})
	if err != nil {
		return Incident{}, err
	}
	return b.Get(ctx, shown)
}

func (b *Book) unmerge(ctx context.Context, who *Actor, m *Move, reason string, now time.Time) error {
	from, err := b.alive(ctx, who, m.Target)
	if err != nil {
		return err
	}
	inc, err := b.Get(ctx, m.Source)
	if err != nil {
		return err
	}
	if inc.State != Merged || inc.MergedInto != from.inc.ID {
		return conflict("%q is not part of it any more", inc.Title)
	}
	inc.State, inc.MergedInto = m.State, ""
	to := newGroup(inc)
	b.engine.groups[inc.ID] = to
	for _, p := range m.Prints {
		if x := b.carry(from, to, p, "", nil); x != nil && len(x.Reasons) >= len(m.Reasons) && len(m.Reasons) > 0 && x.Reasons[0] == m.Reasons[0] {
			x.Reasons = x.Reasons[len(m.Reasons):]
			x.By = ""
		}
		from.apart[p] = true
	}
	from.inc.Occurrences = max(0, from.inc.Occurrences-inc.Occurrences)
	from.apart[inc.ID], to.apart[from.inc.ID] = true, true
	from.held, to.held = true, true
	text := fmt.Sprintf("Taken apart again: %q stands alone", inc.Title)
	for _, g := range []*group{from, to} {
		g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "split", Text: text, Detail: reason, Person: who.Person, Evidence: &Evidence{"move", m.ID}})
		b.changed(g)
	}
	if m.Person == "" {
		b.learnFrom(who.Person, m.Reasons, false, from.inc.ID, "a person took back a merge that Reeve made", now)
		return nil
	}
	return b.unlearn(ctx, who.Person, m.Revision, from.inc.ID, now)
}

func (b *Book) unsplit(ctx context.Context, who *Actor, m *Move, reason string, now time.Time) error {
	to, err := b.inMemory(ctx, m.Source) // who may take signals out of it may put them back
	if err != nil {
		return err
	}
	from, err := b.alive(ctx, who, m.Target)
	if err != nil {
		return err
	}
	if len(from.members) > len(m.Prints) || slices.ContainsFunc(sortedKeys(from.members), func(p string) bool { return !slices.Contains(m.Prints, p) }) {
		return conflict("other signals joined what was split off").WithHint("merge the two instead")
	}
	for _, p := range m.Prints {
		delete(to.apart, p)
	}
	delete(to.apart, from.inc.ID)
	for _, p := range sortedKeys(from.members) {
		x := b.carry(from, to, p, "", nil)
		if x != nil && len(x.Reasons) > 0 && x.Reasons[0].Rule == "person" {
			x.Reasons, x.By = x.Reasons[1:], ""
		}
	}
	to.inc.Occurrences += from.inc.Occurrences
	from.inc.State, from.inc.MergedInto = Merged, to.inc.ID
	for _, g := range []*group{from, to} {
		g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "merge", Text: "The split was taken back", Detail: reason, Person: who.Person, Evidence: &Evidence{"move", m.ID}})
		b.changed(g)
	}
	b.engine.remove(from)
	return b.unlearn(ctx, who.Person, m.Revision, to.inc.ID, now)
}

// Judge is what a person says of one join: right strengthens its rules; wrong is
// a split of that one signal.
func (b *Book) Judge(ctx context.Context, who Actor, id, print string, right bool, reason string) (Incident, error) {
	if !right {
		return b.Split(ctx, who, id, []string{print}, reason)
	}
	var shown string
	err := b.change(ctx, func(now time.Time) error {
		g, err := b.aliveFor(ctx, &who, id, []string{print})
		if err != nil {
			return err
		}
		m := g.members[print]
		if m == nil {
			return invalid("signal %.80q is not in incident %d", print, g.inc.Number)
		}
		b.learnFrom(who.Person, m.Reasons, true, g.inc.ID, "a person said that a signal belongs", now)
		m.By = who.Person
		g.pending.members[print] = true
		g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "judged", Text: fmt.Sprintf("%q belongs here", m.Title), Detail: reason, Person: who.Person, Evidence: &Evidence{m.Kind, m.ID}})
		b.changed(g)
		b.record(who, "judge", g.inc.ID, reason, map[string]any{"signal": print, "right": true})
		shown = g.inc.ID
		return nil
	})
	if err != nil {
		return Incident{}, err
	}
	return b.Get(ctx, shown)
}

// learnFrom moves the weights by a verdict and gives the revision that it made;
// 0 when nothing moved. The caller holds mu.
func (b *Book) learnFrom(person string, reasons []Reason, right bool, incident, why string, now time.Time) int64 {
	next := b.engine.weights.moved(reasons, right)
	return b.reweigh(person, next, incident, why, 0, now)
}

func (b *Book) reweigh(person string, next Weights, incident, why string, reverts int64, now time.Time) int64 {
	changes := Diff(b.engine.weights, next)
	if len(changes) == 0 {
		return 0
	}
	b.revision++
	b.engine.weights = next
	b.out.weights = append(b.out.weights, WeightsRevision{Revision: b.revision, At: now, Person: person, Weights: next, Changes: changes, Why: why, Incident: incident, Reverts: reverts})
	return b.revision
}

// unlearn takes the difference of one revision back, whatever came since.
func (b *Book) unlearn(ctx context.Context, person string, revision int64, incident string, now time.Time) error {
	if revision == 0 {
		return nil
	}
	old, ok, err := control.One(ctx, b.o.DB, scanWeights, `SELECT `+weightColumns+` WHERE revision = ?`, revision)
	if err != nil {
		return err
	}
	if !ok {
		return notFound("revision of the weights")
	}
	next := Weights{}
	for k, v := range b.engine.weights {
		next[k] = v
	}
	for _, c := range old.Changes {
		next[c.Rule] = min(max(next[c.Rule]+c.Before-c.After, lowest), highest)
	}
	b.reweigh(person, next, incident, fmt.Sprintf("revision %d taken back", revision), revision, now)
	return nil
}

// Learned are the weights now, the defaults, and what made the difference, the
// newest first.
func (b *Book) Learned(ctx context.Context, limit int) (now Weights, history []WeightsRevision, err error) {
	b.mu.Lock()
	now = b.engine.weights
	b.mu.Unlock()
	history, err = control.All(ctx, b.o.DB, scanWeights, `SELECT `+weightColumns+` ORDER BY revision DESC LIMIT ?`, min(max(limit, 1), 1000))
	return now, history, err
}

// Revert takes the difference of one revision of the weights back. Only who
// responds everywhere may: weights are for all teams.
func (b *Book) Revert(ctx context.Context, who Actor, revision int64, reason string) error {
	if !who.can("*", "*") {
		return fault.New(fault.KindDenied, "incident.denied", "this needs the role responder for all teams").WithHint("an admin can grant it")
	}
	if revision <= 0 {
		return invalid("a revision is a number above 0")
	}
	return b.change(ctx, func(now time.Time) error {
		if err := b.unlearn(ctx, who.Person, revision, "", now); err != nil {
			return err
		}
		b.record(who, "revert_weights", fmt.Sprint(revision), strings.TrimSpace(reason), map[string]any{"revision": revision})
		return nil
	})
}
