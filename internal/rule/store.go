package rule

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

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
}

// Book is the rules that are kept.
type Book struct {
	o Options

	mu    sync.Mutex // one writer to what is in memory
	rules map[string]*Rule
	on    atomic.Pointer[[]*Rule]
}

const maxRules = 200

// Actor is who changes a rule. Can reports whether they have a role for a team and
// an environment ("*": all).
type Actor struct {
	Person, Name, Via string
	Can               func(role, team, environment string) bool
}

// New reads the rules. One that no longer compiles is kept, off, and logged.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("rule: Options.DB is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o, rules: map[string]*Rule{}}
	list, err := control.All(ctx, o.DB, scan, `SELECT `+columns+` FROM rules`)
	if err != nil {
		return nil, fmt.Errorf("reading the rules: %w", err)
	}
	for i := range list {
		r, err := Compile(list[i])
		if err != nil {
			o.Logger.Warn("a rule can no longer be asked and is off", "rule", list[i].Name, "err", err)
			r = &list[i]
			r.Off = true
		}
		b.rules[r.Name] = r
	}
	b.publish()
	return b, nil
}

const columns = `name, body, revision, person, reason, created_at, updated_at`

func scan(row control.Row) (r Rule, err error) {
	var body string
	var created, updated int64
	if err := row.Scan(&r.Name, &body, &r.Revision, &r.By, &r.Reason, &created, &updated); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fault.New(fault.KindInternal, "rule.stored", "a stored rule cannot be read").WithCause(err)
	}
	r.CreatedAt, r.UpdatedAt = control.Time(created), control.Time(updated)
	return r, nil
}

// publish puts what is on in force. The caller holds the lock, or nobody else
// has the book yet.
func (b *Book) publish() {
	on := make([]*Rule, 0, len(b.rules))
	for _, r := range b.rules {
		if !r.Off && r.program != nil {
			on = append(on, r)
		}
	}
	slices.SortFunc(on, func(x, y *Rule) int { return strings.Compare(x.Name, y.Name) })
	b.on.Store(&on)
}

// Active are the rules that are on, by name.
func (b *Book) Active() []*Rule { return *b.on.Load() }

// List is all rules by name.
func (b *Book) List() []*Rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*Rule, 0, len(b.rules))
	for _, r := range b.rules {
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y *Rule) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Get reads one.
func (b *Book) Get(name string) (*Rule, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.rules[name]; r != nil {
		return r, nil
	}
	return nil, notFound()
}

func notFound() error {
	return fault.New(fault.KindNotFound, "rule.not_found", "there is no such rule").WithHint("`reeve rule list` lists them")
}

func (who *Actor) may(team, environment string) error {
	for _, role := range []string{"developer", "security", "responder"} {
		if who.Can != nil && who.Can(role, cmp.Or(team, "*"), cmp.Or(environment, "*")) {
			return nil
		}
	}
	if team == "" {
		return fault.New(fault.KindDenied, "rule.denied", "a rule about every team needs developer, responder or security for all teams").WithHint("give it a team")
	}
	return fault.New(fault.KindDenied, "rule.denied", "this needs developer, responder or security for team %q in %q", team, cmp.Or(environment, "*")).WithHint("give it an environment, or ask an admin for the role")
}

// Put keeps a rule. Its Revision is the one that was read: 0 for a new one.
func (b *Book) Put(ctx context.Context, who Actor, next Rule) (*Rule, error) {
	r, err := Compile(next)
	if err != nil {
		return nil, err
	}
	if err := who.may(r.Team, r.Environment); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.rules[r.Name]
	switch {
	case old == nil && r.Revision != 0:
		return nil, notFound()
	case old == nil && len(b.rules) >= maxRules:
		return nil, fault.New(fault.KindExhausted, "rule.too_many", "there are %d rules already", maxRules).WithHint("delete one")
	case old != nil && r.Revision != old.Revision:
		return nil, fault.New(fault.KindConflict, "rule.conflict", "the rule %s is at revision %d", r.Name, old.Revision).WithHint("read it again and repeat")
	case old != nil && (old.Team != r.Team || old.Environment != r.Environment):
		if err := who.may(old.Team, old.Environment); err != nil {
			return nil, err
		}
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	r.Revision, r.By, r.CreatedAt, r.UpdatedAt = r.Revision+1, who.Name, now, now
	record := audit.Record{Kind: "admin.rule", Person: who.Person, Via: who.Via, Action: "create", Object: r.Name, Reason: r.Reason, After: r}
	if old != nil {
		r.CreatedAt, record.Action, record.Before = old.CreatedAt, "update", old
		if old.Revision >= r.Revision {
			r.Revision = old.Revision + 1
		}
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		// A name that was used before goes on counting, so that its versions stay apart.
		if last, ok, err := control.One(ctx, tx, func(row control.Row) (n int64, err error) { return n, row.Scan(&n) },
			`SELECT coalesce(max(revision), 0) FROM rule_revisions WHERE name = ?`, r.Name); err != nil {
			return err
		} else if ok && last >= r.Revision {
			r.Revision = last + 1
		}
		if _, err := tx.Exec(ctx, `INSERT INTO rules (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, person = excluded.person, reason = excluded.reason, updated_at = excluded.updated_at`,
			r.Name, string(body), r.Revision, r.By, r.Reason, control.Micros(r.CreatedAt), control.Micros(r.UpdatedAt)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO rule_revisions (name, revision, body, person, reason, at) VALUES (?, ?, ?, ?, ?, ?)`,
			r.Name, r.Revision, string(body), r.By, r.Reason, control.Micros(now)); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, record); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "rule.updated", Object: r.Name})
	})
	if err != nil {
		return nil, err
	}
	b.rules[r.Name] = r
	b.publish()
	return r, nil
}

// Delete drops a rule; its versions stay.
func (b *Book) Delete(ctx context.Context, who Actor, name, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.rules[name]
	if old == nil {
		return notFound()
	}
	if err := who.may(old.Team, old.Environment); err != nil {
		return err
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM rules WHERE name = ?`, name); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.rule", Person: who.Person, Via: who.Via, Action: "delete", Object: name, Reason: reason, Before: old}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "rule.deleted", Object: name})
	})
	if err != nil {
		return err
	}
	delete(b.rules, name)
	b.publish()
	return nil
}

// Revisions are a rule's versions, the newest first.
func (b *Book) Revisions(ctx context.Context, name string) ([]Rule, error) {
	list, err := control.All(ctx, b.o.DB, func(row control.Row) (r Rule, err error) {
		var body string
		var at int64
		if err := row.Scan(&r.Name, &body, &r.Revision, &r.By, &r.Reason, &at); err != nil {
			return r, err
		}
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			return r, fault.New(fault.KindInternal, "rule.stored", "a stored rule cannot be read").WithCause(err)
		}
		r.UpdatedAt = control.Time(at)
		return r, nil
	}, `SELECT name, revision, body, person, reason, at FROM rule_revisions WHERE name = ? ORDER BY revision DESC LIMIT 200`, name)
	if err == nil && len(list) == 0 {
		return nil, notFound()
	}
	return list, err
}
