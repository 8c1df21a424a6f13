package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Registry. DB is required.
type Options struct {
	DB     *control.DB
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
	// Changed is told of each change once it is durable and in force, before the
	// call that made it returns; before is nil for a new agent. It must be quick.
	Changed func(before, after *Agent)
	// Permit may refuse a registration (before is nil), a promotion or an edit of
	// what people set, inside its transaction: it must not write. nil permits all.
	Permit func(before, after *Agent) error
	// PermitKey may refuse a key of this life. nil permits all.
	PermitKey func(a *Agent, life time.Duration) error
}

// Registry holds the agents and their keys.
type Registry struct {
	db      *control.DB
	now     func() time.Time
	log     *slog.Logger
	changed func(before, after *Agent)
	permit  func(before, after *Agent) error

	permitKey func(a *Agent, life time.Duration) error

	mu     sync.Mutex // one writer to what is in memory; readers take no lock
	agents sync.Map   // name -> *entry
	keys   sync.Map   // id -> *keyEntry
}

// entry is an agent in memory with what is observed of it between flushes.
type entry struct {
	at      atomic.Pointer[Agent]
	seen    atomic.Int64 // µs
	flushed atomic.Int64 // µs, as in the database
	version atomic.Pointer[string]
}

// New reads the register. Run keeps it tidy.
func New(ctx context.Context, o Options) (*Registry, error) {
	if o.DB == nil {
		return nil, errors.New("the register of agents needs a database")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func(_, _ *Agent) {}
	}
	if o.Permit == nil {
		o.Permit = func(_, _ *Agent) error { return nil }
	}
	if o.PermitKey == nil {
		o.PermitKey = func(*Agent, time.Duration) error { return nil }
	}
	r := &Registry{db: o.DB, now: o.Now, log: o.Logger, changed: o.Changed, permit: o.Permit, permitKey: o.PermitKey}
	type row struct {
		a    *Agent
		seen int64
	}
	agents, err := control.All(ctx, o.DB, func(s control.Row) (out row, err error) {
		out.a, out.seen, err = scanAgent(s)
		return out, err
	}, `SELECT `+agentColumns)
	if err != nil {
		return nil, fmt.Errorf("reading the agents: %w", err)
	}
	for _, a := range agents {
		e := &entry{}
		e.at.Store(a.a)
		e.seen.Store(a.seen)
		e.flushed.Store(a.seen)
		r.agents.Store(a.a.Name, e)
	}
	return r, r.loadKeys(ctx)
}

// loadKeys reads the keys that live, and those that died lately.
func (r *Registry) loadKeys(ctx context.Context) error {
	now := r.now()
	keys, err := control.All(ctx, r.db, scanKey, `SELECT `+keyColumns+` WHERE expires_at > ? AND (revoked_at IS NULL OR revoked_at > ?)`,
		control.Micros(now), control.Micros(now.Add(-mourning)))
	if err != nil {
		return fmt.Errorf("reading the agents' keys: %w", err)
	}
	for _, k := range keys {
		r.keys.Store(k.key.ID, k)
	}
	// The revision that raised the epoch may be written a moment after its keys.
	fell, err := control.All(ctx, r.db, func(s control.Row) (id string, err error) { return id, s.Scan(&id) },
		`SELECT id FROM agent_keys k WHERE revoked_at > ? AND EXISTS (
		   SELECT 1 FROM agent_revisions v WHERE v.agent = k.agent AND v.epoch > k.epoch AND v.at <= k.revoked_at + 1000000)`, control.Micros(now.Add(-mourning)))
	if err != nil {
		return fmt.Errorf("reading how keys died: %w", err)
	}
	for _, id := range fell {
		if v, ok := r.keys.Load(id); ok {
			v.(*keyEntry).fell.Store(true)
		}
	}
	return nil
}

const agentColumns = `name, body, epoch, revision, version, created_at, updated_at, seen_at FROM agents`

func scanAgent(s control.Row) (a *Agent, seen int64, err error) {
	a = &Agent{}
	var name, body string
	var created, updated int64
	var seenAt *int64
	if err := s.Scan(&name, &body, &a.Epoch, &a.Revision, &a.Version, &created, &updated, &seenAt); err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal([]byte(body), a); err != nil {
		return nil, 0, fmt.Errorf("reading agent %s: %w", name, err)
	}
	a.Name, a.CreatedAt, a.UpdatedAt = name, control.Time(created), control.Time(updated)
	if seenAt != nil {
		seen = *seenAt
	}
	return a, seen, nil
}

// Lookup finds an agent by name, without a lock or the database. The value is
// shared: do not change it.
func (r *Registry) Lookup(name string) (*Agent, bool) {
	e, ok := r.entry(name)
	if !ok {
		return nil, false
	}
	return e.at.Load(), true
}

func (r *Registry) entry(name string) (*entry, bool) {
	v, ok := r.agents.Load(name)
	if !ok {
		return nil, false
	}
	return v.(*entry), true
}

// EpochAt is the epoch that an agent had at a time, for credentials of others
// that do not carry it: 1 before the agent was registered. It reads the
// database.
func (r *Registry) EpochAt(ctx context.Context, name string, at time.Time) (int64, error) {
	epoch, _, err := control.One(ctx, r.db, func(s control.Row) (n int64, err error) { return n, s.Scan(&n) },
		`SELECT COALESCE(MAX(epoch), 1) FROM agent_revisions WHERE agent = ? AND at <= ?`, name, control.Micros(at))
	return epoch, err
}

// List is all agents by name. The values are shared: do not change them.
func (r *Registry) List() []*Agent {
	var out []*Agent
	r.agents.Range(func(_, v any) bool {
		out = append(out, v.(*entry).at.Load())
		return true
	})
	slices.SortFunc(out, func(a, b *Agent) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// LastSeen is when an agent was last seen at work; zero for never.
func (r *Registry) LastSeen(name string) time.Time {
	if e, ok := r.entry(name); ok && e.seen.Load() > 0 {
		return control.Time(e.seen.Load())
	}
	return time.Time{}
}

// Sighting is an agent seen at work.
type Sighting struct {
	Agent   string // a registered name; others are ignored
	At      time.Time
	Version string // hash of what it is made of; "" unknown
}

// Seen notes that an agent is at work. It takes no lock and never waits; Run
// writes what is new.
func (r *Registry) Seen(s Sighting) {
	e, ok := r.entry(s.Agent)
	if !ok {
		return
	}
	raise(&e.seen, control.Micros(s.At))
	if s.Version != "" && len(s.Version) <= maxText {
		if a := e.at.Load(); a.Version != s.Version {
			e.version.Store(&s.Version)
		}
	}
}

// raise sets v to n unless it is there or beyond.
func raise(v *atomic.Int64, n int64) {
	for old := v.Load(); n > old && !v.CompareAndSwap(old, n); old = v.Load() {
	}
}

// put brings a committed agent into memory. Commits may be told out of order:
// an older revision never replaces a newer one.
func (r *Registry) put(a *Agent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entry(a.Name)
	if !ok {
		e = &entry{}
		e.at.Store(a)
		r.agents.Store(a.Name, e)
		r.changed(nil, a)
		return
	}
	before := e.at.Load()
	if before.Revision >= a.Revision {
		return
	}
	e.at.Store(a)
	r.changed(before, a)
}

// Actor is who asks for a change: a person or a token of theirs.
type Actor struct {
	Person string // id, or "dev", "setup"
	Via    string // the sign-in or token, by id
	Name   string // as revisions show it
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

// The roles that changes ask for, in the words of identity.
const (
	developer = "developer"
	responder = "responder"
	security  = "security"
	auditor   = "auditor"
)

// need refuses an actor with none of the roles for the agent.
func (w Actor) need(a *Agent, what string, roles ...string) error {
	if w.has(a, roles...) {
		return nil
	}
	return fault.New(fault.KindDenied, "agent.denied", "%s %s needs the role %s for team %q in %q", what, cut(a.Name), roles[0], cut(a.Team), cut(a.Environment)).
		WithHint("an admin can grant it")
}

func (w Actor) has(a *Agent, roles ...string) bool {
	return w.Can != nil && slices.ContainsFunc(roles, func(role string) bool { return w.Can(role, a.Team, a.Environment) })
}

// system is Reeve itself, ending what was set with an end.
func system() Actor {
	return Actor{Person: "reeve", Name: "reeve", Can: func(string, string, string) bool { return true }}
}

// load reads an agent inside a transaction.
func load(ctx context.Context, tx control.Reader, name string) (*Agent, error) {
	a, ok, err := control.One(ctx, tx, func(s control.Row) (*Agent, error) {
		a, _, err := scanAgent(s)
		return a, err
	}, `SELECT `+agentColumns+` WHERE name = ?`, name)
	if err == nil && !ok {
		err = notFound()
	}
	return a, err
}

func notFound() error {
	return fault.New(fault.KindNotFound, "agent.not_found", "there is no such agent").WithHint("`reeve agent list` lists them")
}

// save writes the next revision of an agent in tx; before is nil for a new one.
func (r *Registry) save(ctx context.Context, tx *control.Tx, author, action, reason string, before, after *Agent) error {
	after.UpdatedAt = r.now().UTC().Truncate(time.Microsecond)
	body, err := json.Marshal(after)
	if err != nil {
		return err
	}
	if before == nil {
		after.Revision, after.CreatedAt = 1, after.UpdatedAt
		_, err = tx.Exec(ctx, `INSERT INTO agents (name, team, body, epoch, revision, version, created_at, updated_at) VALUES (?, ?, ?, ?, 1, '', ?, ?)`,
			after.Name, after.Team, string(body), after.Epoch, control.Micros(after.CreatedAt), control.Micros(after.UpdatedAt))
	} else {
		after.Revision = before.Revision + 1
		_, err = tx.Exec(ctx, `UPDATE agents SET body = ?, epoch = ?, revision = ?, updated_at = ? WHERE name = ?`,
			string(body), after.Epoch, after.Revision, control.Micros(after.UpdatedAt), after.Name)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO agent_revisions (agent, revision, at, author, action, reason, epoch, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		after.Name, after.Revision, control.Micros(after.UpdatedAt), author, action, reason, after.Epoch, string(body)); err != nil {
		return err
	}
	tx.AfterCommit(func() { r.put(after) })
	return nil
}

// record adds the audit record and the event of a person's change.
func record(ctx context.Context, tx *control.Tx, who Actor, kind, action, object, reason string, before, after any) error {
	if err := audit.Append(ctx, tx, audit.Record{
		Kind: kind, Person: who.Person, Via: who.Via, Action: action, Object: object, Reason: reason, Before: before, After: after,
	}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: object})
}

// Revision is an agent as it was at one time, with who made it so and why.
type Revision struct {
	Revision int64
	At       time.Time
	Author   string
	Action   string
	Reason   string
	Agent    Agent
}

// Revisions lists what an agent was, the newest first, at most 1000.
func (r *Registry) Revisions(ctx context.Context, name string) ([]Revision, error) {
	if _, ok := r.Lookup(name); !ok {
		return nil, notFound()
	}
	return control.All(ctx, r.db, scanRevision, revisionQuery+` ORDER BY revision DESC LIMIT 1000`, name)
}

const revisionQuery = `SELECT revision, at, author, action, reason, epoch, body FROM agent_revisions WHERE agent = ?`

func scanRevision(s control.Row) (v Revision, err error) {
	var at int64
	var body string
	if err := s.Scan(&v.Revision, &at, &v.Author, &v.Action, &v.Reason, &v.Agent.Epoch, &body); err != nil {
		return v, err
	}
	v.At = control.Time(at)
	v.Agent.Revision, v.Agent.UpdatedAt = v.Revision, v.At
	return v, json.Unmarshal([]byte(body), &v.Agent)
}

const (
	endEvery   = time.Second
	flushEvery = 15 // times endEvery
)

// Run ends containments and observation whose time is over, and writes what was
// seen every few seconds, until ctx ends, whose cause it returns. A database
// that fails is logged and tried again: Agent.Contained knows the time by
// itself, and sightings are for showing.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(endEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
			if err := r.end(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("containments could not be ended", "err", err)
			}
			if n%flushEvery != 0 {
				continue
			}
			if err := r.flush(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("sightings could not be written", "err", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if err := r.flush(last); err != nil {
				r.log.Warn("sightings could not be written", "err", err)
			}
			return context.Cause(ctx)
		}
	}
}

// end writes that what had an end is over.
func (r *Registry) end(ctx context.Context) error {
	now := r.now()
	over := func(a *Agent) bool {
		return a.Contained(now) != a.Containment || a.Enforced(now) && a.Enforcement == Observe || len(a.Pinned(now)) != len(a.Pins)
	}
	var errs []error
	r.agents.Range(func(_, v any) bool {
		if a := v.(*entry).at.Load(); over(a) {
			_, err := r.change(ctx, system(), a.Name, 0, "end", "its time was over", func(_, after *Agent) error {
				if after.Contained(now) != after.Containment {
					after.Containment, after.ContainedTill = None, time.Time{}
				}
				if after.Enforcement == Observe && after.Enforced(now) {
					after.Enforcement, after.ObserveTill = Enforce, time.Time{}
				}
				after.Pins = after.Pinned(now)
				return nil
			})
			errs = append(errs, err)
		}
		return true
	})
	return errors.Join(errs...)
}

// flush writes last sightings, last uses of keys, and versions that are new.
func (r *Registry) flush(ctx context.Context) error {
	type sighting struct {
		e       *entry
		name    string
		at      int64
		version *string
	}
	type use struct {
		k  *keyEntry
		at int64
	}
	var seen []sighting
	var used []use
	r.agents.Range(func(name, v any) bool {
		e := v.(*entry)
		if at, version := e.seen.Load(), e.version.Load(); at > e.flushed.Load() || version != nil {
			seen = append(seen, sighting{e, name.(string), at, version})
		}
		return true
	})
	r.keys.Range(func(id, v any) bool {
		k := v.(*keyEntry)
		if at := k.used.Load(); at > k.flushed.Load() {
			used = append(used, use{k, at})
		}
		// A key that cannot come back to life is not kept in memory for ever.
		if at := k.revoked.Load(); !r.now().Before(k.key.ExpiresAt) || at > 0 && at < control.Micros(r.now().Add(-mourning)) {
			r.keys.Delete(id)
		}
		return true
	})
	if len(seen)+len(used) == 0 {
		return nil
	}
	err := r.db.Write(ctx, func(tx *control.Tx) error {
		for _, s := range seen {
			if _, err := tx.Exec(ctx, `UPDATE agents SET seen_at = ? WHERE name = ? AND (seen_at IS NULL OR seen_at < ?)`, s.at, s.name, s.at); err != nil {
				return err
			}
			if s.version == nil {
				continue
			}
			if _, err := tx.Exec(ctx, `UPDATE agents SET version = ? WHERE name = ?`, *s.version, s.name); err != nil {
				return err
			}
			data, err := json.Marshal(map[string]string{"version": *s.version})
			if err != nil {
				return err
			}
			if err := tx.Event(ctx, control.Event{Type: "agent.version", Object: s.name, Data: data}); err != nil {
				return err
			}
		}
		for _, u := range used {
			if _, err := tx.Exec(ctx, `UPDATE agent_keys SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)`, u.at, u.k.key.ID, u.at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing sightings: %w", err)
	}
	for _, u := range used {
		raise(&u.k.flushed, u.at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range seen {
		raise(&s.e.flushed, s.at)
		if s.version != nil {
			a := *s.e.at.Load() // maps and slices may be shared: nobody changes them
			a.Version = *s.version
			s.e.at.Store(&a)
			s.e.version.CompareAndSwap(s.version, nil)
		}
	}
	return nil
}
