package fleet

import (
	"context"
	"encoding/json"
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
	for _, c := range claims {
		f.claims[c.Claim] = c
		f.names[c.place()]++
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
	isNew         bool
}

// flush writes what is new, and with all also what was counted. What a failed
// flush did not write stays for the next.
func (f *Fleet) flush(ctx context.Context, all bool) error {
	rows, opened, marks := f.gather(all)
	for len(rows) > 0 {
		part := rows[:min(len(rows), writeBatch)]
		if err := f.o.DB.Write(ctx, func(tx *control.Tx) error { return writeClaims(ctx, tx, part) }); err != nil {
			return err
		}
		f.written(part)
		rows = rows[len(part):]
	}
	for len(opened) > 0 {
		part := opened[:min(len(opened), writeBatch)]
		if err := f.o.DB.Write(ctx, func(tx *control.Tx) error { return f.writeFindings(ctx, tx, part) }); err != nil {
			return err
		}
		opened = opened[len(part):]
	}
	if !all || len(marks) == 0 {
		return nil
	}
	return f.o.DB.Write(ctx, func(tx *control.Tx) error {
		for p, m := range marks {
			if _, err := tx.Exec(ctx, `INSERT INTO fleet_marks (place, cursor, received) VALUES (?, ?, ?) ON CONFLICT (place) DO UPDATE SET cursor = excluded.cursor, received = excluded.received`,
				p, m.cursor, m.received); err != nil {
				return err
			}
		}
		return nil
	})
}

// gather takes what is to be written, and decides what each claim is.
func (f *Fleet) gather(all bool) (rows []row, opened []*finding, marks map[int]mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gen := f.match.generation()
	f.fresh = false
	groups := make(map[place][]*claim)
	for _, c := range f.claims {
		stale := !c.matched || c.gen != gen
		f.settle(c, gen)
		if c.dirty || c.told != c.match.Agent {
			f.sighting(c)
		}
		if c.works && (stale || !c.stored || c.match.Agent == "") {
			groups[c.place()] = append(groups[c.place()], c)
		}
		if c.works && !c.stored || all && c.dirty {
			rows = append(rows, f.rowOf(c, all))
		}
	}
	opened = f.findings(groups)
	if all {
		marks = make(map[int]mark)
		for p, m := range f.mark {
			if m.dirty {
				marks[p] = m
				m.dirty = false
				f.mark[p] = m
			}
		}
	}
	return rows, opened, marks
}

func (f *Fleet) rowOf(c *claim, all bool) row {
	r := row{c: c, key: c.Claim, id: c.id, places: c.places, first: c.first / 1000, last: c.seenAt / 1000, run: c.run, step: c.step, isNew: !c.stored}
	if c.works {
		r.works = 1
	}
	if !c.lastRun.IsZero() {
		r.lastRun = c.lastRun.String()
	}
	if all { // only together with the mark, or a crash would count twice
		r.pending = c.pending
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
	}
}

func timeOf(ns int64) time.Time {
	if ns <= 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
