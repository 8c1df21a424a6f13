package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/control"
)

// Placed says where a signal is.
type Placed struct {
	Incident string // "" nowhere: silenced, or the end of something unknown
	New      bool   // it opened the incident
	Again    bool   // it was there already
}

// Take places signals: each joins the incident that it fits best, or opens one.
// What repeats counts on. They are stored soon after; see Flush.
func (b *Book) Take(_ context.Context, list []Signal) []Placed { return b.takeAll("", 0, list) }

func (b *Book) takeAll(feed string, last int64, list []Signal) []Placed {
	out := make([]Placed, len(list))
	now := b.now()
	b.mu.Lock()
	if feed != "" {
		b.reached(feed, last)
	}
	for i := range list {
		s := list[i]
		s.clean(now)
		out[i] = b.take(s, now)
	}
	busy := len(b.dirty) > 0 || !b.out.empty()
	b.mu.Unlock()
	if busy {
		select {
		case b.wake <- struct{}{}:
		default: // a flush is due already
		}
	}
	return out
}

// take places one signal. The caller holds mu.
func (b *Book) take(s Signal, now time.Time) Placed {
	b.stats.Taken++
	g := b.engine.prints[s.Fingerprint]
	if g != nil && (g.inc.Live() || s.Resolved && now.Sub(g.inc.ResolvedAt) < comesBack) {
		b.unmute(s.Fingerprint)
		return b.again(g, s, now)
	}
	if s.Resolved {
		b.unmute(s.Fingerprint)
		return Placed{}
	}
	// Before what comes back: a silenced signal opens again as little as it opens.
	if by := b.silencing(&s, now); by != nil {
		b.stats.Silent++
		by.Held++
		b.mute(s)
		return Placed{}
	}
	b.unmute(s.Fingerprint)
	if g != nil && now.Sub(g.inc.ResolvedAt) < comesBack {
		return b.again(g, s, now)
	}
	m := memberOf(s)
	b.engine.learn(m)
	into, score, reasons := b.engine.place(m)
	if into != nil {
		b.stats.Joined++
		m.Score, m.Reasons = score, reasons
		b.join(into, m, now)
		return Placed{Incident: into.inc.ID}
	}
	if len(b.engine.groups) >= maxOpen && !b.makeRoom(now) {
		b.stats.Lost++
		return Placed{}
	}
	m.Score = 1
	m.Reasons = []Reason{{Rule: "first", Text: "it opened this incident" + nearest(score, reasons), Weight: 1}}
	g = newGroup(Incident{ID: b.incidentID(now), State: Open, Severity: s.Severity, OpenedAt: now, LastAt: s.At, People: -1})
	b.engine.groups[g.inc.ID] = g
	g.pending.created = true
	g.pending.told = "opened"
	b.stats.Opened++
	b.join(g, m, now)
	return Placed{Incident: g.inc.ID, New: true}
}

// nearest says how near the best other incident was, so that people see why it
// stands alone.
func nearest(score float64, reasons []Reason) string {
	if score <= 0 || len(reasons) == 0 {
		return ": no other shares anything with it"
	}
	return fmt.Sprintf(": the nearest other reaches %.2f of %.2f (%s)", score, Threshold, reasons[0].Text)
}

// cursorName begins the names of the cursors of feeds.
const cursorName = "incidents/"

// Cursor is how far a feed was taken and stored.
func (b *Book) Cursor(ctx context.Context, feed string) (int64, error) {
	seq, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT seq FROM cursors WHERE name = ?`, cursorName+feed)
	return seq, err
}

// TakeFrom is Take for a feed that is read by sequence: how far it was read is
// stored together with what came of it, so that nothing is left out or counted
// twice over a crash.
func (b *Book) TakeFrom(_ context.Context, feed string, last int64, list []Signal) []Placed {
	return b.takeAll(feed, last, list)
}

// reached notes how far a feed was read. The caller holds mu.
func (b *Book) reached(feed string, seq int64) {
	if b.out.cursors == nil {
		b.out.cursors = map[string]int64{}
	}
	b.out.cursors[feed] = max(b.out.cursors[feed], seq)
}

func (b *Book) changed(g *group) *group {
	b.dirty[g.inc.ID] = g
	return g
}

// join adds a member and tells of it on the timeline.
func (b *Book) join(g *group, m *member, now time.Time) {
	b.changed(g)
	g.inc.Occurrences += m.Count
	g.inc.LastAt = later(g.inc.LastAt, m.Last)
	g.inc.QuietAt = time.Time{}
	before := g.inc.Severity
	if !g.inc.Rated {
		g.inc.Severity = worse(g.inc.Severity, m.Severity)
	}
	if len(g.members) >= maxMembers {
		g.extra++
		g.pending.grown = true
		if len(b.engine.prints) < 10*maxUsers {
			b.engine.prints[m.Fingerprint] = g
		}
		return
	}
	b.engine.put(g, m)
	g.pending.members[m.Fingerprint] = true
	if g.inc.Listed++; g.inc.Listed <= maxEntries {
		why := ""
		if len(m.Reasons) > 0 {
			why = m.Reasons[0].Text
		}
		g.pending.entries = append(g.pending.entries, Entry{
			At: m.First, Kind: "signal", Text: m.Title, Detail: why, Evidence: &Evidence{m.Kind, m.ID}, Team: m.Team, Environment: m.Environment,
		})
	}
	if before != g.inc.Severity && !g.pending.created {
		g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "severity", Text: "It became " + g.inc.Severity, Evidence: &Evidence{m.Kind, m.ID}})
		g.pending.told = cmp.Or(g.pending.told, "worse")
	}
}

// again counts a repetition on, or notes the end.
func (b *Book) again(g *group, s Signal, now time.Time) Placed {
	b.stats.Again++
	b.changed(g)
	g.inc.Occurrences++
	g.inc.LastAt = later(g.inc.LastAt, s.At)
	m := g.members[s.Fingerprint]
	at := Placed{Incident: g.inc.ID, Again: true}
	if m == nil { // one of too many: counted alone
		return at
	}
	m.Count++
	if s.At.Before(m.Last) && s.Resolved != m.Resolved {
		return at // news that came late: what is known is newer
	}
	m.Last = later(m.Last, s.At)
	if m.Resolved != s.Resolved {
		m.Resolved = s.Resolved
		g.pending.members[s.Fingerprint] = true
		if s.Resolved {
			b.ends(g, m, now)
		} else {
			g.firing++
			g.inc.QuietAt = time.Time{}
		}
	}
	if !s.Resolved && !g.inc.Live() {
		b.reopen(g, m, now)
	}
	if worse(s.Severity, m.Severity) != m.Severity {
		m.Severity = s.Severity
		g.pending.members[s.Fingerprint] = true
		if !g.inc.Rated && worse(s.Severity, g.inc.Severity) != g.inc.Severity {
			g.inc.Severity = s.Severity
			g.pending.entries = append(g.pending.entries, Entry{At: s.At, Kind: "severity", Text: "It became " + s.Severity, Evidence: &Evidence{m.Kind, m.ID}})
			g.pending.told = cmp.Or(g.pending.told, "worse")
		}
	}
	return at
}

func (b *Book) ends(g *group, m *member, now time.Time) {
	g.firing--
	if g.inc.Listed <= maxEntries {
		g.inc.Listed++
		g.pending.entries = append(g.pending.entries, Entry{At: m.Last, Kind: "signal_ended", Text: m.Title + " is over", Evidence: &Evidence{m.Kind, m.ID}, Team: m.Team, Environment: m.Environment})
	}
	if g.firing == 0 && g.extra == 0 {
		g.inc.QuietAt = now
		g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "quiet", Text: "None of its signals fires any more", Evidence: &Evidence{m.Kind, m.ID}})
	}
}

func (b *Book) reopen(g *group, m *member, now time.Time) {
	g.inc.State, g.inc.ResolvedAt, g.inc.QuietAt = Open, time.Time{}, time.Time{}
	g.inc.AcknowledgedAt, g.inc.AcknowledgedBy = time.Time{}, ""
	g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "state", Text: "It came back: " + m.Title, Evidence: &Evidence{m.Kind, m.ID}})
	g.pending.told = "back"
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// makeRoom forgets the longest quiet incident; it stays stored. The caller holds
// mu.
func (b *Book) makeRoom(now time.Time) bool {
	var oldest *group
	for _, g := range b.engine.groups {
		if b.dirty[g.inc.ID] == nil && (oldest == nil || g.inc.LastAt.Before(oldest.inc.LastAt)) {
			oldest = g
		}
	}
	if oldest == nil || now.Sub(oldest.inc.LastAt) < window {
		return false
	}
	b.engine.remove(oldest)
	return true
}

// figures makes what is derived from the members. The caller holds mu.
func (e *engine) figures(g *group) {
	i := &g.inc
	i.Signals, i.Firing = len(g.members)+g.extra, g.firing
	if !g.pending.grown {
		return
	}
	g.pending.grown = false
	i.Agents, i.Nodes = nil, nil
	type counted struct {
		Node
		n, agents int
	}
	var all []counted
	for n, sh := range g.nodes {
		if n.Kind == "agent" {
			i.Agents = append(i.Agents, n.Value)
		}
		if n.Kind != "run" {
			all = append(all, counted{n, sh.members, len(sh.agents)})
		}
	}
	slices.Sort(i.Agents)
	i.Agents = i.Agents[:min(len(i.Agents), 100)]
	slices.SortFunc(all, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	for _, c := range all[:min(len(all), 30)] {
		i.Nodes = append(i.Nodes, c.Node)
	}
	e.cause(g)
	i.Places = i.Places[:0:0]
	most := 0
	for _, p := range sortedPlaces(g.places) {
		if len(i.Places) < 50 {
			i.Places = append(i.Places, p)
		}
		if n := g.places[p]; n > most {
			most, i.Team, i.Environment = n, p.Team, p.Environment
		}
	}
	if !i.Typed {
		i.Kind = g.kind()
	}
	if !i.Named {
		i.Title = short(g.title(), maxTitle)
	}
}

func sortedPlaces(m map[Place]int) []Place {
	out := make([]Place, 0, len(m))
	for p := range m {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Environment, b.Environment))
	})
	return out
}

// cause names what most signals share beyond one agent: the tool, the source,
// the provider. A provider-wide cause is such a node.
func (e *engine) cause(g *group) {
	g.inc.Cause, g.inc.CauseText = nil, ""
	best := 0.0
	for n, sh := range g.nodes {
		if causeKinds[n.Kind] == "" || n.Kind == "version" {
			continue
		}
		part := g.part(n)
		if part < 0.4 {
			continue
		}
		value := part * e.weights[causeKinds[n.Kind]] * e.covered(n, sh, "")
		// Of two that explain the same, the one that says more precisely what.
		if value > best+1e-9 || value > best-1e-9 && g.inc.Cause != nil && n.Value < g.inc.Cause.Value {
			node := n
			best, g.inc.Cause = value, &node
			g.inc.CauseText = fmt.Sprintf("%d of %s and %s share %s %s", sh.members, plural(len(g.members), "signal"), plural(len(sh.agents), "agent"), n.Kind, n.Value)
		}
	}
}

func (g *group) kind() string {
	n := func(c ...class) (sum int) {
		for _, x := range c {
			sum += g.classes[x]
		}
		return sum
	}
	answer, action, outage := n(quality, stale), n(security, cost, loop), n(errs, latency)
	switch top := max(answer, action, outage); {
	case top == 0:
		return ""
	case top == answer:
		return WrongAnswer
	case top == action && action > outage:
		return WrongAction
	}
	return Outage
}

// title is what it is about and the words of its first and worst signal.
func (g *group) title() string {
	var first *member
	for _, m := range g.members {
		if first == nil || worse(m.Severity, first.Severity) != first.Severity ||
			m.Severity == first.Severity && (m.First.Before(first.First) || m.First.Equal(first.First) && m.Fingerprint < first.Fingerprint) {
			first = m
		}
	}
	if first == nil {
		return g.inc.Title
	}
	c := g.inc.Cause
	agents := len(g.inc.Agents)
	switch {
	case c != nil && agents > 1:
		return fmt.Sprintf("%s %s: %s", strings.ToUpper(c.Kind[:1])+c.Kind[1:], c.Value, plural(agents, "agent")+" in trouble: "+first.Title)
	case agents > 1:
		return fmt.Sprintf("%s: %s", plural(agents, "agent"), first.Title)
	}
	return first.Title
}

// Of is the incident that a signal belongs to, by its fingerprint; false when it
// belongs to none that is held.
func (b *Book) Of(fingerprint string) (id string, live, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.engine.prints[fingerprint]
	if g == nil {
		return "", false, false
	}
	return g.inc.ID, g.inc.Live(), true
}
