package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Version is what an agent was made of from a time on.
type Version struct {
	Hash                string
	Name                string            // the claimed name it was observed under
	Parts               map[string]string // part -> hash
	MadeOf              map[string][]string
	Changed             []string
	FirstSeen, LastSeen time.Time
	Run                 string // that showed it first
	ApprovedBy, Reason  string
	ApprovedAt          time.Time
	Current             bool

	place  string
	number int64
}

// partsRow is what is known of the parts of an agent as it is written.
type partsRow struct {
	t        *parts
	id, body string
	number   int64
	hash     string
	hashes   map[string]string
	madeOf   map[string][]string
	changed  []string
	at       int64
	run      string
	fresh    bool
	filled   bool
	seenAt   int64
}

func (f *Fleet) loadParts(ctx context.Context) error {
	type stored struct{ id, body string }
	rows, err := control.All(ctx, f.o.DB, func(r control.Row) (s stored, err error) { return s, r.Scan(&s.id, &s.body) }, `SELECT place, body FROM fleet_parts`)
	if err != nil {
		return err
	}
	places := make(map[string]place, len(f.byName))
	for p := range f.byName {
		places[p.id()] = p
	}
	for _, s := range rows {
		p, ok := places[s.id]
		if !ok {
			continue // of a claim that is not kept any more
		}
		t := &parts{place: p, id: s.id}
		if err := json.Unmarshal([]byte(s.body), t); err != nil {
			return fmt.Errorf("reading the parts of %s: %w", s.id, err)
		}
		f.parts[p] = t
	}
	for _, c := range f.claims {
		c.parts = f.parts[c.place()]
	}
	return nil
}

// settleParts decides which agents have another version now, and takes what is
// to be written. The caller holds the lock.
func (f *Fleet) settleParts(now int64, all bool, best map[string]*claim) (out []partsRow) {
	for name, c := range best {
		f.entitle(name, c, now)
	}
	for _, t := range f.parts {
		f.settled(t, t.Pending != 0 && now-t.waits >= int64(settleAfter))
		if all && t.dirty {
			f.ripen(t, nil, false, false)
		}
	}
	out, f.ripe = f.ripe, nil
	for name, c := range best {
		if a, ok := f.o.Agents.Lookup(name); ok && a.Version != c.parts.Hash {
			f.o.Agents.Seen(agent.Sighting{Agent: name, At: time.Unix(0, c.seenAt), Version: c.parts.Hash})
		}
	}
	return out
}

// settled settles the version of an agent, and has it written when that is
// another one. The caller holds the lock.
func (f *Fleet) settled(t *parts, due bool) {
	since := t.Pending
	if changed, fresh, filled := t.settle(due); fresh || filled {
		f.ripen(t, changed, fresh, filled)
		if fresh && since > 0 {
			f.ripe[len(f.ripe)-1].at = since
		}
	}
}

// ripen takes what is known of an agent's parts to be written.
func (f *Fleet) ripen(t *parts, changed []string, fresh, filled bool) {
	body, err := json.Marshal(t)
	if err != nil { // numbers and strings: cannot happen
		f.log.Error("parts of an agent not encoded", "err", err)
		return
	}
	r := partsRow{
		t: t, id: t.id, body: string(body), number: t.Number, hash: t.Hash, changed: changed, at: t.Latest, run: runText(t.lastRun), fresh: fresh, filled: filled, seenAt: t.Latest,
		hashes: make(map[string]string), madeOf: make(map[string][]string),
	}
	for i := range t.Parts {
		if t.Hashes[i] != "" {
			r.hashes[partNames[i]], r.madeOf[partNames[i]] = t.Hashes[i], t.Parts[i].names()
		}
	}
	t.dirty = false
	f.ripe = append(f.ripe, r)
}

// entitle notes the policies that can be about an agent that worked since.
func (f *Fleet) entitle(name string, c *claim, now int64) {
	if f.o.Policies == nil || !c.dirty || now-c.parts.asked < int64(10*time.Second) {
		return
	}
	c.parts.asked = now
	a, ok := f.o.Agents.Lookup(name)
	if !ok {
		return
	}
	names, hash := f.o.Policies(a)
	for _, n := range names {
		c.use(KindPolicy, n, "", c.seenAt, c.lastRun, 0)
	}
	if hash != "" {
		f.seen(c.parts, partPolicy, value{Hash: hash, Name: strings.Join(names, ", ")}, c.lastRun, c.parts.Latest)
	}
}

func writeParts(ctx context.Context, tx *control.Tx, rows []partsRow) error {
	for _, r := range rows {
		if _, err := tx.Exec(ctx, `INSERT INTO fleet_parts (place, body) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET body = excluded.body`, r.id, r.body); err != nil {
			return err
		}
		if r.number == 0 {
			continue
		}
		hashes, err := json.Marshal(r.hashes)
		if err != nil {
			return err
		}
		madeOf, err := json.Marshal(r.madeOf)
		if err != nil {
			return err
		}
		changed, err := json.Marshal(r.changed)
		if err != nil {
			return err
		}
		if r.fresh {
			if _, err := tx.Exec(ctx, `UPDATE fleet_versions SET last_seen = MAX(last_seen, ?) WHERE place = ? AND number = ?`, micros(r.at), r.id, r.number-1); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO fleet_versions (place, number, hash, parts, made_of, changed, first_seen, last_seen, run_id, approved_by, approved_at, reason)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '') ON CONFLICT (place, number) DO UPDATE SET hash = excluded.hash, parts = excluded.parts, made_of = excluded.made_of`,
				r.id, r.number, r.hash, string(hashes), string(madeOf), string(changed), micros(r.at), micros(r.seenAt), r.run)
		} else {
			_, err = tx.Exec(ctx, `UPDATE fleet_versions SET hash = ?, parts = ?, made_of = ?, last_seen = ? WHERE place = ? AND number = ?`,
				r.hash, string(hashes), string(madeOf), micros(r.seenAt), r.id, r.number)
		}
		if err != nil {
			return err
		}
		if r.fresh {
			data, err := json.Marshal(map[string]any{"agent": r.t.place.name, "version": r.hash, "changed": r.changed, "at": time.Unix(0, r.at).UTC()})
			if err != nil {
				return err
			}
			if err := tx.Event(ctx, control.Event{Type: "agent.version_seen", Object: r.t.place.name, Data: data}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Versions lists what an agent was made of, the newest first.
func (f *Fleet) Versions(ctx context.Context, name string) ([]Version, error) {
	f.mu.Lock()
	gen := f.match.generation()
	ids, names, current := []any{}, map[string]string{}, map[string]int64{}
	for _, c := range f.claims {
		if f.settle(c, gen); c.match.Agent == name && c.parts != nil && names[c.parts.id] == "" {
			ids, names[c.parts.id], current[c.parts.id] = append(ids, c.parts.id), c.parts.place.name, c.parts.Number
		}
	}
	f.mu.Unlock()
	var out []Version
	for part := range slices.Chunk(ids, 500) {
		rows, err := control.All(ctx, f.o.DB, scanVersion, `SELECT place, number, hash, parts, made_of, changed, first_seen, last_seen, run_id, approved_by, approved_at, reason
			FROM fleet_versions WHERE place IN (?`+strings.Repeat(", ?", len(part)-1)+`) ORDER BY first_seen DESC LIMIT 1000`, part...)
		if err != nil {
			return nil, err
		}
		for _, v := range rows {
			v.Name, v.Current = names[v.place], current[v.place] == v.number
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(x, y Version) int {
		return cmp.Or(y.FirstSeen.Compare(x.FirstSeen), cmp.Compare(y.number, x.number))
	})
	return out, nil
}

func scanVersion(r control.Row) (v Version, err error) {
	var parts, madeOf, changed string
	var first, last, approved int64
	if err := r.Scan(&v.place, &v.number, &v.Hash, &parts, &madeOf, &changed, &first, &last, &v.Run, &v.ApprovedBy, &approved, &v.Reason); err != nil {
		return v, err
	}
	v.FirstSeen, v.LastSeen, v.ApprovedAt = control.Time(first), control.Time(last), control.Time(approved)
	for _, u := range []struct {
		text string
		to   any
	}{{parts, &v.Parts}, {madeOf, &v.MadeOf}, {changed, &v.Changed}} {
		if err := json.Unmarshal([]byte(u.text), u.to); err != nil {
			return v, err
		}
	}
	return v, nil
}

// ApproveVersion says that a version is what the agent should be: developer or
// security. What it is made of is known from then on.
func (f *Fleet) ApproveVersion(ctx context.Context, who agent.Actor, a *agent.Agent, hash, reason string) (Version, error) {
	if err := reasonable(reason); err != nil {
		return Version{}, err
	}
	if err := f.mayChange(who, a); err != nil {
		return Version{}, err
	}
	all, err := f.Versions(ctx, a.Name)
	if err != nil {
		return Version{}, err
	}
	i := slices.IndexFunc(all, func(v Version) bool { return v.Hash == hash })
	if i < 0 {
		return Version{}, fault.New(fault.KindNotFound, "fleet.no_version", "%s was never observed to be that", a.Name).WithHint("`reeve agent versions %s` lists what it was", a.Name)
	}
	v := all[i]
	v.ApprovedBy, v.ApprovedAt, v.Reason = who.Name, f.o.Now().UTC().Truncate(time.Microsecond), reason
	return v, f.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE fleet_versions SET approved_by = ?, approved_at = ?, reason = ? WHERE place = ? AND hash = ?`,
			v.ApprovedBy, control.Micros(v.ApprovedAt), reason, v.place, hash); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO fleet_approved (agent, hash, by_who, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (agent, hash) DO NOTHING`,
			a.Name, hash, who.Name, reason, control.Micros(v.ApprovedAt)); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			f.approved.Store(a.Name+"\x00"+hash, true)
			f.changed.Store(true)
			f.poke()
		})
		for part, names := range v.MadeOf {
			kind := map[string]string{"prompt": KindPrompt, "model": KindModel, "tools": KindTool, "code": KindCode}[part]
			for _, n := range names {
				if kind == KindPrompt {
					n = "prompt " + n
				}
				if kind == "" {
					continue
				}
				if err := f.approveIn(ctx, tx, who, a.Name, kind, n, true, reason); err != nil {
					return err
				}
			}
		}
		if err := tx.Event(ctx, control.Event{Type: "agent.version_approved", Object: a.Name}); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.agent_version", Person: who.Person, Via: who.Via, Action: "approve", Object: a.Name, Reason: reason, After: map[string]string{"version": hash},
		})
	})
}

// VersionNow is the version that an agent was last observed to be, with the run
// that showed it last; ok is false when none is known.
func (f *Fleet) VersionNow(name string) (hash string, run activity.RunID, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gen := f.match.generation()
	var best *claim
	for _, c := range f.claims {
		if f.settle(c, gen); c.match.Agent == name && c.parts != nil && c.parts.Number > 0 && (best == nil || c.seenAt > best.seenAt) {
			best = c
		}
	}
	if best == nil {
		return "", run, false
	}
	return best.parts.Hash, best.parts.lastRun, true
}
