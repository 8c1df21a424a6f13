// Package retention is how long telemetry is kept, by environment, team and kind.
//
// What for: one age for everything keeps some too long and some too short: what
// a support agent said to a customer goes sooner than what a deployment did.
//
// Who calls it: api shows and changes the rules; app applies them once an hour.
//
// What was dropped is written down first (Drop), and stays known when rules change.
//
// Promises: a rule names a kind (content, or whole runs), an environment and a
// team, each or any; the most specific rule holds (team and environment, then
// team, then environment, then all), and where there is none the configuration.
// Content never stays longer than its run. A change is one transaction with its
// audit record. Safe for concurrent use.
//
// How it fails: retention.rule (no such kind, an age out of bounds),
// retention.reason, and what the database says.
//
// Start reading at Rules.Of, then Book.Put.
package retention

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// The kinds of what is kept.
const (
	Content = "content" // messages, arguments, results
	Runs    = "runs"    // everything of a run: its row, steps, logs, and content with them
)

// Kinds lists them.
func Kinds() []string { return []string{Content, Runs} }

// Forever is the age of what is kept for good.
const Forever = time.Duration(0)

const (
	maxDays  = 36_500
	maxRules = 200
)

// Rule says how long something is kept. An Environment or Team of "" is any.
type Rule struct {
	Kind, Environment, Team string
	Age                     time.Duration // 0: for good
	By, Reason              string
	At                      time.Time
}

// Rules are those in force, with what the configuration says where none is.
type Rules struct {
	List    []Rule
	Default map[string]time.Duration // by kind
}

// Of is how long something of a place is kept; zero is for good.
func (r *Rules) Of(kind, environment, team string) time.Duration {
	own := r.own(kind, environment, team)
	if kind != Content {
		return own
	}
	whole := r.own(Runs, environment, team)
	if own == Forever || whole != Forever && whole < own {
		return whole // content goes with its run at the latest
	}
	return own
}

func (r *Rules) own(kind, environment, team string) time.Duration {
	_, age := r.decides(kind, environment, team)
	return age
}

// decides is the place and the age of the rule that holds for a place.
func (r *Rules) decides(kind, environment, team string) (Place, time.Duration) {
	for _, want := range []Place{{environment, team}, {"", team}, {environment, ""}, {}} {
		for _, x := range r.List {
			if x.Kind == kind && x.Environment == want.Environment && x.Team == want.Team {
				return want, x.Age
			}
		}
	}
	return Place{}, r.Default[kind]
}

// Decides is the place of the rule that says how long something of a place is kept. Of
// content that is the one of runs, where that lets it go sooner.
func (r *Rules) Decides(kind, environment, team string) Place {
	p, own := r.decides(kind, environment, team)
	if kind == Content {
		if whole, age := r.decides(Runs, environment, team); own == Forever || age != Forever && age < own {
			return whole
		}
	}
	return p
}

// Longest is the most that anything of a kind is kept: what is older may go by
// whole days, whoever's it is.
func (r *Rules) Longest(kind string) time.Duration {
	long := r.Of(kind, "", "")
	for _, x := range r.Places() {
		age := r.Of(kind, x.Environment, x.Team)
		if age == Forever || long == Forever {
			return Forever
		}
		long = max(long, age)
	}
	return long
}

// Shortest is the least that anything of a kind is kept: of what is older some may be
// gone. Forever when all of it is kept for good.
func (r *Rules) Shortest(kind string) time.Duration {
	short := r.Of(kind, "", "")
	for _, x := range r.Places() {
		if age := r.Of(kind, x.Environment, x.Team); age != Forever && (short == Forever || age < short) {
			short = age
		}
	}
	return short
}

// Place is an environment and a team whose things have an age of their own.
type Place struct{ Environment, Team string }

// Places are every environment with every team that any rule names, and any,
// the most specific first: two rules together may say what neither says alone.
func (r *Rules) Places() []Place {
	if len(r.List) == 0 {
		return nil
	}
	environments, teams := []string{""}, []string{""}
	for _, x := range r.List {
		if !slices.Contains(environments, x.Environment) {
			environments = append(environments, x.Environment)
		}
		if !slices.Contains(teams, x.Team) {
			teams = append(teams, x.Team)
		}
	}
	var out []Place
	for _, e := range environments {
		for _, t := range teams {
			out = append(out, Place{e, t})
		}
	}
	slices.SortFunc(out, func(x, y Place) int {
		return cmp.Or(cmp.Compare(specific(y), specific(x)), strings.Compare(x.Team, y.Team), strings.Compare(x.Environment, y.Environment))
	})
	return out
}

func specific(p Place) (n int) {
	if p.Team != "" {
		n += 2
	}
	if p.Environment != "" {
		n++
	}
	return n
}

// Actor is who changes a rule.
type Actor struct{ Person, Name, Via string }

// Book keeps the rules.
type Book struct {
	db      *control.DB
	now     func() time.Time
	changed func()
	byKind  map[string]time.Duration
}

// New makes a book. def are the ages of the configuration by kind; changed is
// called after each change and may be nil; now nil is time.Now.
func New(db *control.DB, def map[string]time.Duration, changed func(), now func() time.Time) *Book {
	if now == nil {
		now = time.Now
	}
	if changed == nil {
		changed = func() {}
	}
	return &Book{db, now, changed, def}
}

// Rules reads what is in force.
func (b *Book) Rules(ctx context.Context) (Rules, error) {
	list, err := control.All(ctx, b.db, func(r control.Row) (x Rule, err error) {
		var days, at int64
		err = r.Scan(&x.Kind, &x.Environment, &x.Team, &days, &x.By, &x.Reason, &at)
		x.Age, x.At = time.Duration(days)*24*time.Hour, control.Time(at)
		return x, err
	}, `SELECT kind, environment, team, days, by_who, reason, at FROM retention_rules ORDER BY kind, team, environment`)
	return Rules{List: list, Default: b.byKind}, err
}

// Check says whether a rule can be one.
func Check(r Rule) error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "retention.rule", format, args...).WithHint("a kind (%s), whole days from 1 on or 0 for good, and maybe an environment and a team", strings.Join(Kinds(), ", "))
	}
	days := r.Age / (24 * time.Hour)
	switch {
	case !slices.Contains(Kinds(), r.Kind):
		return bad("%.40q is no kind of what is kept", r.Kind)
	case r.Age < 0 || r.Age%(24*time.Hour) != 0 || days > maxDays:
		return bad("an age is 0 to %d whole days", maxDays)
	case len(r.Environment) > 100 || len(r.Team) > 100:
		return bad("a name is too long")
	}
	return nil
}

// Put makes a rule or replaces the one of its kind and place.
func (b *Book) Put(ctx context.Context, who Actor, r Rule) error {
	if err := Check(r); err != nil {
		return err
	}
	if err := reasonable(r.Reason); err != nil {
		return err
	}
	rules, err := b.Rules(ctx)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(rules.List, func(x Rule) bool {
		return x.Kind == r.Kind && x.Environment == r.Environment && x.Team == r.Team
	})
	if !known && len(rules.List) >= maxRules {
		return fault.New(fault.KindExhausted, "retention.too_many", "there are %d rules", len(rules.List)).WithHint("drop one first")
	}
	before := rules.Of(r.Kind, r.Environment, r.Team)
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO retention_rules (kind, environment, team, days, by_who, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (kind, environment, team) DO UPDATE SET days = excluded.days, by_who = excluded.by_who, reason = excluded.reason, at = excluded.at`,
			r.Kind, r.Environment, r.Team, int64(r.Age/(24*time.Hour)), who.Name, r.Reason, control.Micros(b.now())); err != nil {
			return err
		}
		return b.record(ctx, tx, who, "set", r, before, r.Age)
	})
	if err == nil {
		b.changed()
	}
	return err
}

// Delete drops a rule: what is less specific holds again.
func (b *Book) Delete(ctx context.Context, who Actor, r Rule) error {
	if err := reasonable(r.Reason); err != nil {
		return err
	}
	rules, err := b.Rules(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rules.List, func(x Rule) bool {
		return x.Kind == r.Kind && x.Environment == r.Environment && x.Team == r.Team
	})
	if i < 0 {
		return fault.New(fault.KindNotFound, "retention.not_found", "there is no such rule").WithHint("`reeve retention list` shows them")
	}
	before := rules.List[i].Age
	rules.List = slices.Delete(slices.Clone(rules.List), i, i+1)
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM retention_rules WHERE kind = ? AND environment = ? AND team = ?`, r.Kind, r.Environment, r.Team); err != nil {
			return err
		}
		return b.record(ctx, tx, who, "delete", r, before, rules.Of(r.Kind, r.Environment, r.Team))
	})
	if err == nil {
		b.changed()
	}
	return err
}

func (b *Book) record(ctx context.Context, tx *control.Tx, who Actor, action string, r Rule, before, after time.Duration) error {
	days := func(d time.Duration) map[string]any { return map[string]any{"days": int64(d / (24 * time.Hour))} }
	return audit.Append(ctx, tx, audit.Record{
		Kind: "admin.retention", Person: who.Person, Via: who.Via, Action: action, Object: strings.Join([]string{r.Kind, cmp.Or(r.Environment, "*"), cmp.Or(r.Team, "*")}, " "),
		Before: days(before), After: days(after), Reason: r.Reason,
	})
}

func reasonable(reason string) error {
	if strings.TrimSpace(reason) == "" || len(reason) > 1000 {
		return fault.New(fault.KindInvalid, "retention.reason", "this needs a reason of at most 1000 bytes").WithHint("what is dropped does not come back")
	}
	return nil
}
