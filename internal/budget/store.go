package budget

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Ledger. DB and Dir are required.
type Options struct {
	DB     *control.DB
	Dir    string           // where the snapshot lies; made if need be
	Config Config           // the zero value is Defaults()
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil discards
}

// Open reads the budgets and the snapshot of what was spent. Replay and Ready
// follow; Run writes snapshots from then on.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	if o.DB == nil || o.Dir == "" {
		return nil, errors.New("budgets need a database and a folder")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fault.New(fault.KindUnavailable, "budget.folder", "the folder of budgets cannot be made").WithCause(err)
	}
	l := newLedger(o)
	var err error
	if l.people.secret, err = readSecret(o.Dir); err != nil {
		return nil, fault.New(fault.KindUnavailable, "budget.folder", "the secret of the budgets' folder cannot be read").WithCause(err)
	}
	if err := l.book.load(o.Dir); err != nil {
		l.o.Logger.Warn("the snapshot of budgets cannot be used: the whole log is read instead", "err", err)
	}
	rows, err := control.All(ctx, o.DB, scan, `SELECT body, count, revision, updated_at FROM budgets`)
	if err != nil {
		return nil, fmt.Errorf("reading the budgets: %w", err)
	}
	for _, d := range append(rows, l.o.Config.pilots()...) {
		l.accounts[d.name] = &account{def: d, shares: map[string]*share{}}
	}
	l.index()
	return l, nil
}

func newLedger(o Options) *Ledger {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Config == (Config{}) {
		o.Config = Defaults()
	}
	return &Ledger{
		o: o, accounts: map[string]*account{}, notices: make(chan Notice, maxNotices),
		book: book{lines: map[line]*sum{}, open: map[string][]entry{}},
	}
}

func scan(row control.Row) (*definition, error) {
	var body string
	var count, revision, updated int64
	if err := row.Scan(&body, &count, &revision, &updated); err != nil {
		return nil, err
	}
	var b client.Budget
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return nil, fault.New(fault.KindInternal, "budget.stored", "a stored budget cannot be read").WithCause(err)
	}
	d, err := define(b)
	if err != nil {
		return nil, err
	}
	d.count, d.rev, d.updated = count, revision, control.Time(updated)
	return d, nil
}

// index sorts the accounts by whom they are for; mu is held or nobody else
// knows l.
func (l *Ledger) index() {
	l.named, l.everyone = [scopes]map[string][]*account{}, [scopes][]*account{}
	// By name, so that of two spent budgets always the same one is named.
	for _, name := range slices.Sorted(maps.Keys(l.accounts)) {
		a := l.accounts[name]
		s := a.def.scope
		if a.def.match == Everyone {
			l.everyone[s] = append(l.everyone[s], a)
			continue
		}
		if l.named[s] == nil {
			l.named[s] = map[string][]*account{}
		}
		l.named[s][a.def.match] = append(l.named[s][a.def.match], a)
	}
}

// put brings a committed budget into force; nil removes it. What was spent
// stays, unless the budget counts something else now.
func (l *Ledger) put(name string, d *definition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch old := l.accounts[name]; {
	case d == nil:
		delete(l.accounts, name)
	case old != nil && old.def.count == d.count:
		old.def = d
		for _, s := range old.shares {
			s.told = reached(d.limit, s.spent)
		}
	default:
		l.accounts[name] = &account{def: d, shares: map[string]*share{}}
	}
	l.index()
}

// Actor is who asks for a change.
type Actor struct {
	Person string // id, or "dev", "setup"
	Via    string // the sign-in or token, by id
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

// may reports whether the actor answers for the budgets of a team: its
// developers do for their own team's, security for all. Budgets hold in every
// environment, so the role must too.
func (w Actor) may(team string) bool {
	const everywhere = "*"
	if w.Can == nil {
		return false
	}
	if team == "" {
		return w.Can("security", everywhere, everywhere)
	}
	return w.Can("developer", team, everywhere) || w.Can("security", team, everywhere)
}

func denied(team string) error {
	if team == "" {
		return fault.New(fault.KindDenied, "budget.denied", "a budget of the whole house belongs to security").WithHint("give the budget a team to set one for the team's own agents")
	}
	return fault.New(fault.KindDenied, "budget.denied", "changing a budget of team %s needs the role developer or security there, in every environment", team).WithHint("an admin can grant it")
}

// Put makes or replaces a budget; Revision is the one that was read, 0 to make
// a new one. It counts anew when scope, match, unit, period or team change.
func (l *Ledger) Put(ctx context.Context, who Actor, b client.Budget) (client.Budget, error) {
	d, err := define(b)
	if err != nil {
		return client.Budget{}, err
	}
	l.changes.Lock()
	defer l.changes.Unlock()
	old, n := l.current(d.name)
	switch {
	case old != nil && old.pilots:
		return client.Budget{}, builtIn(d.name)
	case !who.may(d.team):
		return client.Budget{}, denied(d.team)
	case old != nil && !who.may(old.team):
		return client.Budget{}, denied(old.team)
	case old == nil && b.Revision != 0:
		return client.Budget{}, notFound(d.name)
	case old != nil && b.Revision != old.rev:
		return client.Budget{}, fault.New(fault.KindConflict, "budget.revision", "budget %s is at revision %d, not %d", d.name, old.rev, b.Revision).
			WithHint("read it again and repeat the change")
	case old == nil && n >= maxBudgets:
		return client.Budget{}, fault.New(fault.KindExhausted, "budget.too_many", "there are %d budgets already", maxBudgets)
	}
	d.updated = l.o.Now().UTC().Truncate(time.Microsecond)
	err = l.o.DB.Write(ctx, func(tx *control.Tx) error {
		// From the database's own sequence, so that a budget made anew under an old
		// name is not charged with what its forerunner spent.
		next, err := tx.Next(ctx, "budget")
		if err != nil {
			return err
		}
		d.rev, d.count = next, next
		if old != nil && old.same(d) {
			d.count = old.count
		}
		body, err := json.Marshal(d.shape())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO budgets (name, body, count, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, count = excluded.count, revision = excluded.revision, updated_at = excluded.updated_at`,
			d.name, string(body), d.count, d.rev, control.Micros(d.updated), control.Micros(d.updated)); err != nil {
			return err
		}
		tx.AfterCommit(func() { l.put(d.name, d) })
		return record(ctx, tx, who, "admin.budget_put", "put", d.name, old, d)
	})
	if err != nil {
		return client.Budget{}, err
	}
	return l.Get(d.name)
}

// Delete removes a budget: what it bounded is bounded no more.
func (l *Ledger) Delete(ctx context.Context, who Actor, name string) error {
	l.changes.Lock()
	defer l.changes.Unlock()
	switch old, _ := l.current(name); {
	case old == nil:
		return notFound(name)
	case old.pilots:
		return builtIn(name)
	case !who.may(old.team):
		return denied(old.team)
	default:
		return l.o.DB.Write(ctx, func(tx *control.Tx) error {
			if _, err := tx.Exec(ctx, `DELETE FROM budgets WHERE name = ?`, name); err != nil {
				return err
			}
			tx.AfterCommit(func() { l.put(name, nil) })
			return record(ctx, tx, who, "admin.budget_deleted", "delete", name, old, nil)
		})
	}
}

func record(ctx context.Context, tx *control.Tx, who Actor, kind, action, name string, before, after *definition) error {
	r := audit.Record{Kind: kind, Person: who.Person, Via: who.Via, Action: action, Object: name}
	if before != nil {
		r.Before = before.shape()
	}
	if after != nil {
		r.After = after.shape()
	}
	if err := audit.Append(ctx, tx, r); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "budget.updated", Object: name})
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "budget.not_found", "there is no budget %.60s", name).WithHint("`reeve budget list` lists them")
}

func builtIn(name string) error {
	return fault.New(fault.KindConflict, "budget.built_in", "budget %s is the pilots' and stands in the configuration", name).WithHint("change limits.pilot there")
}

// current is a budget's definition (nil for none) and how many there are.
func (l *Ledger) current(name string) (*definition, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.accounts[name]; a != nil {
		return a.def, len(l.accounts)
	}
	return nil, len(l.accounts)
}

// shape is what people set of a budget.
func (d *definition) shape() client.Budget {
	b := client.Budget{
		Name: d.name, Scope: scopeNames[d.scope], Match: d.match, Unit: unitNames[d.unit], Limit: d.unit.shown(d.limit),
		Period: periodNames[d.period], Hard: d.hard, Team: d.team, Revision: d.rev, UpdatedAt: d.updated, BuiltIn: d.pilots,
	}
	if d.unit == money {
		b.Currency = Currency
	}
	return b
}

// List is all budgets by name, with what is spent of them and without their
// shares.
func (l *Ledger) List() []client.Budget {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.o.Now()
	out := make([]client.Budget, 0, len(l.accounts))
	for _, name := range slices.Sorted(maps.Keys(l.accounts)) {
		out = append(out, l.show(l.accounts[name], now, false))
	}
	return out
}

// Get is a budget with its shares, the fullest first, at most 1000.
func (l *Ledger) Get(name string) (client.Budget, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accounts[name]
	if a == nil {
		return client.Budget{}, notFound(name)
	}
	return l.show(a, l.o.Now(), true), nil
}

const maxShown = 1000

func (l *Ledger) show(a *account, now time.Time, withShares bool) client.Budget {
	sp := l.calendar.at(a.def.period, now)
	b := a.def.shape()
	u := a.def.unit
	if a.def.period != total {
		at := time.Unix(0, sp.until).UTC()
		b.ResetsAt = &at
	}
	b.Ready = l.ready
	var all []client.BudgetShare
	for key, s := range a.shares {
		if s.since < sp.since {
			continue // of a period that is over
		}
		v := client.BudgetShare{Key: l.people.name(key), Spent: u.shown(s.spent), Reserved: u.shown(s.reserved), UnknownCalls: s.unknown}
		b.Spent += v.Spent
		b.Reserved += v.Reserved
		b.UnknownCalls += v.UnknownCalls
		if b.Fullest == nil || fuller(v, *b.Fullest) < 0 {
			b.Fullest = &v
		}
		all = append(all, v)
	}
	if a.def.match != Everyone {
		b.Fullest = nil
	} else if withShares {
		slices.SortFunc(all, fuller)
		b.Shares = all[:min(len(all), maxShown)]
	}
	return b
}

// fuller sorts the share that has less left first.
func fuller(a, b client.BudgetShare) int {
	return cmp.Or(cmp.Compare(b.Spent+b.Reserved, a.Spent+a.Reserved), cmp.Compare(a.Key, b.Key))
}
