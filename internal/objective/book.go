package objective

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Agent is what is known of a registered agent.
type Agent struct {
	Name, Team, Environment, Autonomy string
	Containment                       string
	Retired                           bool
}

// Options of a Book. DB, Store and KPIs are required.
type Options struct {
	DB    *control.DB
	Store Store
	KPIs  Indicators
	// Agent finds a registered agent; nil: none is.
	Agent func(name string) (Agent, bool)
	// Alarm makes a finding of an alarm, again every few minutes while it holds;
	// nil: nobody is told.
	Alarm func(ctx context.Context, a Alarm) (Told, error)
	// Over is told that what a finding was about has passed; nil: nobody is told.
	Over   func(ctx context.Context, finding, why string) error
	Now    func() time.Time
	Logger *slog.Logger
}

// Told is the finding of an alarm. Proved says that it rests on what agents did at
// the door: then only that may end it.
type Told struct {
	Finding string
	Proved  bool
}

// Book is all objectives. Make one with New, start it with Run.
type Book struct {
	o    Options
	wake chan struct{}

	// turn is held by whoever changes an objective or what it remembers: a change
	// by a person, the taking in of verdicts, one look. It is held across the store
	// and the database; mu never is.
	turn sync.Mutex

	mu      sync.RWMutex // guards what follows
	entries map[string]*entry
	queue   []news // verdicts about runs, in the order in which they came
	queued  map[activity.RunID]bool
	gap     bool // the queue was full: what came is looked for in the store

	looks, labels, alarms, failed atomic.Int64
	took                          atomic.Int64 // ns, of the last look at all
}

// entry is an objective with how it stands. The Book's lock guards it; only Run
// writes state and counts.
type entry struct {
	Objective
	state    state
	standing Standing
	counts   Counts // of the budget, at countedAt
	counted  time.Time
	from, to time.Time
	looked   time.Time
	in       *Indicator // nil until it was looked at
	caught   bool       // the store was asked for runs that came before
	news     bool       // a verdict came since it was looked at
}

// New reads the objectives.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Store == nil || o.KPIs == nil {
		return nil, errors.New("objective: Options.DB, Store and KPIs are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Agent == nil {
		o.Agent = func(string) (Agent, bool) { return Agent{}, false }
	}
	b := &Book{o: o, wake: make(chan struct{}, 1), entries: map[string]*entry{}, queued: map[activity.RunID]bool{}}
	list, err := control.All(ctx, o.DB, scan, `SELECT `+columns+` FROM objectives`)
	if err != nil {
		return nil, fmt.Errorf("reading objectives: %w", err)
	}
	for _, x := range list {
		e := &entry{Objective: x}
		if e.state, err = readState(ctx, o.DB, x.Name); err != nil {
			return nil, fmt.Errorf("reading how the objective %s stands: %w", x.Name, err)
		}
		b.entries[x.Name] = e
	}
	return b, nil
}

const (
	columns       = `name, team, environment, body, revision, person, reason, created_at, updated_at`
	maxObjectives = 500
	maxQueued     = 50_000
)

func scan(r control.Row) (o Objective, err error) {
	var body string
	var created, updated int64
	if err := r.Scan(&o.Name, &o.Team, &o.Environment, &body, &o.Revision, &o.By, &o.Reason, &created, &updated); err != nil {
		return o, err
	}
	o.CreatedAt, o.UpdatedAt = control.Time(created), control.Time(updated)
	return o, json.Unmarshal([]byte(body), &o)
}

// Actor is who changes objectives. Can reports whether they have a role for a
// team and an environment ("*": all).
type Actor struct {
	Person, Name, Via string
	Can               func(role, team, environment string) bool
}

func (who *Actor) may(team, environment string) error {
	for _, role := range []string{"developer", "responder"} {
		if who.Can != nil && who.Can(role, cmp.Or(team, "*"), cmp.Or(environment, "*")) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "objective.denied", "this needs developer or responder for %s", cmp.Or(team, "all teams")).
		WithHint("give the objective your team and environment, or ask an admin for the role")
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "objective.not_found", "there is no objective %.63q", name).WithHint("`reeve objective list` lists them")
}

// List is all objectives by name.
func (b *Book) List() []Objective {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Objective, 0, len(b.entries))
	for _, e := range b.entries {
		out = append(out, e.Objective)
	}
	slices.SortFunc(out, func(x, y Objective) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Get finds one.
func (b *Book) Get(name string) (Objective, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.entries[name]; e != nil {
		return e.Objective, nil
	}
	return Objective{}, notFound(name)
}

// Check says what is wrong with an objective, completes it with what was left
// out, and tells what may surprise: alerts whose factor can never be reached.
func (b *Book) Check(o *Objective) (warnings []string, err error) {
	if o.Agent != "" {
		if g, ok := b.o.Agent(o.Agent); ok {
			if o.Team != "" && o.Team != g.Team || o.Environment != "" && o.Environment != g.Environment {
				return nil, invalid("the agent %s is of team %q in %q", o.Agent, g.Team, g.Environment).WithHint("leave out team and environment, or name the agent's")
			}
			o.Team, o.Environment = g.Team, g.Environment
		}
	}
	o.complete()
	in, err := b.o.KPIs.Indicator(o.KPI)
	if err != nil {
		return nil, err
	}
	if err := o.check(&in); err != nil {
		return nil, err
	}
	if err := o.narrows(&in); err != nil {
		return nil, err
	}
	return o.warnings(&in), nil
}

func (o *Objective) warnings(in *Indicator) (out []string) {
	r := o.rule(in)
	for _, a := range o.Alerts {
		if _, why := a.Exact(r); why != "" {
			out = append(out, fmt.Sprintf("%s over %s: %s", a.Severity, span(a.Long), why))
		}
	}
	return out
}

// Put keeps an objective. Its Revision is the one that was read; 0 for a new one.
// What a response policy did for its alarms stays in force: who sets objectives is
// not who takes back responses.
func (b *Book) Put(ctx context.Context, who Actor, o Objective) (Objective, error) {
	if _, err := b.Check(&o); err != nil {
		return Objective{}, err
	}
	if err := who.may(o.Team, o.Environment); err != nil {
		return Objective{}, err
	}
	b.turn.Lock()
	defer b.turn.Unlock()
	b.mu.RLock()
	old, n := b.entries[o.Name], len(b.entries)
	b.mu.RUnlock()
	switch {
	case old == nil && o.Revision != 0:
		return Objective{}, notFound(o.Name)
	case old == nil && n >= maxObjectives:
		return Objective{}, fault.New(fault.KindExhausted, "objective.too_many", "there are %d objectives already", maxObjectives).WithHint("delete one")
	case old != nil && old.Revision != o.Revision:
		return Objective{}, fault.New(fault.KindConflict, "objective.conflict", "the objective %s is at revision %d", o.Name, old.Revision).WithHint("read it again and repeat")
	case old != nil:
		if err := who.may(old.Team, old.Environment); err != nil {
			return Objective{}, err
		}
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	o.Revision, o.By, o.CreatedAt, o.UpdatedAt = o.Revision+1, who.Name, now, now
	record := audit.Record{Kind: "admin.objective", Person: who.Person, Via: who.Via, Action: "create", Object: o.Name, Reason: o.Reason, After: o}
	anew := old == nil || old.recount(&o)
	if old != nil {
		o.CreatedAt = old.CreatedAt
		record.Action, record.Before = "update", old.Objective
	}
	if anew {
		o.CreatedAt = now // what it counts begins now
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		// Two who read the same revision: the second is told so.
		at, ok, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT revision FROM objectives WHERE name = ?`, o.Name)
		if err != nil {
			return err
		}
		if ok && at != o.Revision-1 || !ok && o.Revision != 1 {
			return fault.New(fault.KindConflict, "objective.conflict", "the objective %s is at revision %d", o.Name, at).WithHint("read it again and repeat")
		}
		if err := o.write(ctx, tx); err != nil {
			return err
		}
		if anew {
			if err := forget(ctx, tx, o.Name); err != nil {
				return err
			}
		}
		if err := audit.Append(ctx, tx, record); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "objective.updated", Object: o.Name})
	})
	if err != nil {
		return Objective{}, err
	}
	next := &entry{Objective: o, state: state{Alarms: map[string]*held{}}}
	if !anew {
		next.state, next.caught, next.in = old.state, old.caught, old.in
	}
	b.mu.Lock()
	b.entries[o.Name] = next
	b.mu.Unlock()
	b.nudge()
	return o, nil
}

// recount reports whether a change makes what was counted worthless.
func (o *Objective) recount(next *Objective) bool {
	same := o.KPI == next.KPI && o.Team == next.Team && o.Environment == next.Environment && o.Agent == next.Agent && o.Version == next.Version && o.Task == next.Task &&
		o.Target == next.Target && o.Slice == next.Slice && equal(o.Limit, next.Limit) && equal(o.Stream, next.Stream)
	return !same
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func (o *Objective) write(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO objectives (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET team = excluded.team, environment = excluded.environment, body = excluded.body, revision = excluded.revision,
			person = excluded.person, reason = excluded.reason, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		o.Name, o.Team, o.Environment, string(body), o.Revision, o.By, o.Reason, control.Micros(o.CreatedAt), control.Micros(o.UpdatedAt))
	return err
}

// forget drops what was counted for an objective.
func forget(ctx context.Context, tx *control.Tx, name string) error {
	for _, sql := range []string{`DELETE FROM objective_labels WHERE objective = ?`, `DELETE FROM objective_states WHERE objective = ?`} {
		if _, err := tx.Exec(ctx, sql, name); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE objective_proposals SET state = 'lapsed', decided_at = at WHERE objective = ? AND state = 'open'`, name)
	return err
}

// Delete drops an objective. What a response policy did for its alarms stays until
// a person takes it back.
func (b *Book) Delete(ctx context.Context, who Actor, name, reason string) error {
	b.turn.Lock()
	defer b.turn.Unlock()
	b.mu.RLock()
	old := b.entries[name]
	b.mu.RUnlock()
	if old == nil {
		return notFound(name)
	}
	if err := who.may(old.Team, old.Environment); err != nil {
		return err
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM objectives WHERE name = ?`, name); err != nil {
			return err
		}
		if err := forget(ctx, tx, name); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.objective", Person: who.Person, Via: who.Via, Action: "delete", Object: name, Reason: reason, Before: old.Objective}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "objective.deleted", Object: name})
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.entries, name)
	b.mu.Unlock()
	return nil
}

func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Stats counts since the start.
type Stats struct {
	Looks, Labels, Alarms, Failed int64
	Took                          time.Duration // of the last round of looks
	Waiting                       int           // runs whose verdict was not looked at yet
}

// Stats of the book.
func (b *Book) Stats() Stats {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return Stats{b.looks.Load(), b.labels.Load(), b.alarms.Load(), b.failed.Load(), time.Duration(b.took.Load()), len(b.queue)}
}
