package fleet

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
)

// writeBatch bounds a transaction: people's writes wait behind it.
const writeBatch = 400

// load reads marks, claims and findings.
func (f *Fleet) load(ctx context.Context) error {
	type marked struct {
		place int
		mark
	}
	marks, err := control.All(ctx, f.o.DB, func(r control.Row) (m marked, err error) {
		return m, r.Scan(&m.place, &m.cursor, &m.received)
	}, `SELECT place, cursor, received FROM fleet_marks`)
	if err != nil {
		return err
	}
	for _, m := range marks {
		f.mark[m.place] = m.mark
	}
	claims, err := control.All(ctx, f.o.DB, scanClaim, `SELECT team, environment, name, agent_id, service, places, works, first_seen, last_seen, seen, run_id, step_id, last_run
		FROM fleet_claims ORDER BY last_seen DESC LIMIT ?`, maxClaims)
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(claims) { // of one name the last seen stays in byName
		c.explicit = c.AgentID != "" || c.Name != c.Service
		f.claims[c.Claim] = c
		f.byName[c.place()] = c
		f.names[c.place()]++
		if c.explicit {
			f.hosted(c)
		}
	}
	if err := f.loadParts(ctx); err != nil {
		return err
	}
	found, err := control.All(ctx, f.o.DB, scanFinding, `SELECT id, team, environment, name, state, agent, undo, decided_by, reason, opened_at, decided_at FROM fleet_unknown`)
	if err != nil {
		return err
	}
	for _, u := range found {
		f.unknown[u.id] = u
	}
	return nil
}

func scanClaim(r control.Row) (c *claim, err error) {
	c = &claim{stored: true}
	var first, last int64
	var works int
	var lastRun string
	if err := r.Scan(&c.Team, &c.Environment, &c.Name, &c.AgentID, &c.Service, &c.places, &works, &first, &last, &c.seen, &c.run, &c.step, &lastRun); err != nil {
		return nil, err
	}
	c.works, c.first, c.seenAt = works == 1, first*1000, last*1000
	c.id = c.Claim.id()
	if id, err := activity.ParseRunID(lastRun); err == nil {
		c.lastRun = id
	}
	return c, nil
}

func scanFinding(r control.Row) (u *finding, err error) {
	u = &finding{}
	var undo string
	var opened, decided int64
	if err := r.Scan(&u.id, &u.Team, &u.Environment, &u.Name, &u.state, &u.agent, &undo, &u.by, &u.reason, &opened, &decided); err != nil {
		return nil, err
	}
	u.opened, u.decided = control.Time(opened), control.Time(decided)
	if undo != "" {
		if err := json.Unmarshal([]byte(undo), &u.undo); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// row is a claim as it is written, taken while the fleet's lock was held.
type row struct {
	c             *claim
	key           Claim
	id            string
	places, works int
	first, last   int64
	pending       int64
	run, step     string
	lastRun       string
	items         []itemRow
}

type itemRow struct {
	it          *item
	key         itemKey
	id, detail  string
	first, last int64
	pending     int64
	days        []dayCount
	run         string
}

// batch is everything that one flush writes.
type batch struct {
	rows     []row
	findings []*finding
	parts    []partsRow
	marks    map[int]mark
}

// flush writes what is new, and with all also what was counted. What a failed
// flush did not write stays for the next.
func (f *Fleet) flush(ctx context.Context, all bool) error {
	b := f.gather(all)
	for part := range slices.Chunk(b.rows, writeBatch) {
		if err := f.o.DB.Write(ctx, func(tx *control.Tx) error { return writeClaims(ctx, tx, part) }); err != nil {
			return err
		}
		f.written(part)
	}
	for part := range slices.Chunk(b.findings, writeBatch) {
		if err := f.o.DB.Write(ctx, func(tx *control.Tx) error { return f.writeFindings(ctx, tx, part) }); err != nil {
			return err
		}
	}
	for f.unwritten = append(f.unwritten, b.parts...); len(f.unwritten) > 0; {
		part := f.unwritten[:min(len(f.unwritten), writeBatch/4)]
		if err := f.o.DB.Write(ctx, func(tx *control.Tx) error { return writeParts(ctx, tx, part) }); err != nil {
			return err // they stay, in order
		}
		f.unwritten = f.unwritten[len(part):]
	}
	f.unwritten = nil
	if len(b.marks) == 0 {
		return nil
	}
	return f.o.DB.Write(ctx, func(tx *control.Tx) error {
		for p, m := range b.marks {
			if _, err := tx.Exec(ctx, `INSERT INTO fleet_marks (place, cursor, received) VALUES (?, ?, ?) ON CONFLICT (place) DO UPDATE SET cursor = excluded.cursor, received = excluded.received`,
				p, m.cursor, m.received); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM fleet_days WHERE day < ?`, f.o.Now().Add(-time.Duration(maxPast)).Unix()/86400)
		return err
	})
}

// hostDelay is how long a service that nobody named as an agent may take to
// turn out to host one: the span that names it often comes last.
const hostDelay = int64(20 * time.Second)

// gather takes what is to be written, and decides what each claim is.
func (f *Fleet) gather(all bool) (b batch) {
	now := f.o.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	gen := f.match.generation()
	f.fresh = false
	groups := make(map[place][]*claim)
	best := make(map[string]*claim) // by agent: whose version is the agent's
	seen := make(map[string]Presence)
	for _, c := range f.claims {
		was := c.match.Agent
		f.settle(c, gen)
		if a := c.match.Agent; a != "" {
			p := seen[a]
			p.Door, p.Telemetry = p.Door || c.places&placeDoor != 0, p.Telemetry || c.places&placeTelemetry != 0
			if at := timeOf(c.seenAt); at.After(p.LastSeen) {
				p.LastSeen = at
			}
			seen[a] = p
			if c.dirty || c.told != a {
				f.sighting(c)
			}
			if c.parts != nil && c.parts.Number > 0 && (best[a] == nil || c.Name == a || best[a].Name != a && c.seen > best[a].seen) {
				best[a] = c
			}
		}
		young := !c.explicit && now.UnixNano()-c.at < hostDelay
		if c.works && !young && (c.match.Agent == "" || c.match.Agent != was || !c.judged) {
			groups[c.place()] = append(groups[c.place()], c)
			c.judged = true
		}
		if c.works && !c.stored || all && c.dirty || c.hasNews() {
			b.rows = append(b.rows, f.rowOf(c, all))
		}
	}
	f.presence.Store(&seen)
	b.findings = f.findings(groups)
	f.clock = now.UnixNano()
	b.parts = f.settleParts(now.UnixNano(), all, best)
	if all {
		b.marks = make(map[int]mark)
		for p, m := range f.mark {
			if m.dirty {
				b.marks[p] = m
				m.dirty = false
				f.mark[p] = m
			}
		}
	}
	return b
}

// hasNews reports whether a claim used something that no row has yet.
func (c *claim) hasNews() bool {
	news := c.news
	c.news = false
	return news
}

func (f *Fleet) rowOf(c *claim, all bool) row {
	r := row{c: c, key: c.Claim, id: c.id, places: c.places, first: c.first / 1000, last: c.seenAt / 1000, run: c.run, step: c.step}
	if c.works {
		r.works = 1
	}
	r.lastRun = runText(c.lastRun)
	if all { // counts only together with the mark, or a crash would count twice
		r.pending = c.pending
	}
	for k, it := range c.items {
		if !it.dirty || it.stored && !all {
			continue
		}
		i := itemRow{it: it, key: k, id: it.id, detail: it.detail, first: it.first / 1000, last: it.last / 1000, run: runText(it.lastRun)}
		if all {
			i.pending, i.days = it.pending, slices.Clone(it.days)
		}
		r.items = append(r.items, i)
	}
	return r
}

func writeClaims(ctx context.Context, tx *control.Tx, rows []row) error {
	for _, r := range rows {
		if _, err := tx.Exec(ctx, `INSERT INTO fleet_claims (id, team, environment, name, agent_id, service, places, works, first_seen, last_seen, seen, run_id, step_id, last_run)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET places = excluded.places, works = excluded.works, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
				seen = fleet_claims.seen + excluded.seen, run_id = excluded.run_id, step_id = excluded.step_id, last_run = excluded.last_run`,
			r.id, r.key.Team, r.key.Environment, r.key.Name, r.key.AgentID, r.key.Service, r.places, r.works, r.first, r.last, r.pending, r.run, r.step, r.lastRun); err != nil {
			return err
		}
		for _, i := range r.items {
			if err := i.write(ctx, tx, r.id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *itemRow) write(ctx context.Context, tx *control.Tx, claim string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO fleet_items (id, claim, kind, name, detail, first_seen, last_seen, seen, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET detail = CASE WHEN excluded.detail = '' THEN fleet_items.detail ELSE excluded.detail END,
			first_seen = MIN(fleet_items.first_seen, excluded.first_seen), last_seen = MAX(fleet_items.last_seen, excluded.last_seen),
			seen = fleet_items.seen + excluded.seen, run_id = excluded.run_id`,
		i.id, claim, i.key.kind, i.key.name, i.detail, i.first, i.last, i.pending, i.run); err != nil {
		return err
	}
	for _, d := range i.days {
		if _, err := tx.Exec(ctx, `INSERT INTO fleet_days (item, day, seen) VALUES (?, ?, ?) ON CONFLICT (item, day) DO UPDATE SET seen = fleet_days.seen + excluded.seen`,
			i.id, d.day, d.seen); err != nil {
			return err
		}
	}
	return nil
}

// written notes what the database has.
func (f *Fleet) written(rows []row) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rows {
		r.c.stored = true
		r.c.pending -= r.pending
		r.c.dirty = r.c.pending > 0 || r.c.seenAt/1000 > r.last
		for _, i := range r.items {
			it := i.it
			it.stored = true
			it.pending -= i.pending
			for _, d := range i.days {
				it.take(d)
			}
			it.dirty = it.pending > 0 || it.last/1000 > i.last
		}
	}
}

// take takes written counts of a day away.
func (it *item) take(d dayCount) {
	for k := range it.days {
		if it.days[k].day == d.day {
			it.days[k].seen -= d.seen
		}
	}
	it.days = slices.DeleteFunc(it.days, func(d dayCount) bool { return d.seen <= 0 })
}

func timeOf(ns int64) time.Time {
	if ns <= 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// micros is ns as the database keeps it.
func micros(ns int64) int64 { return ns / 1000 }
