package kpi

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
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

var errNoAssumptions = fault.New(fault.KindNotFound, "kpi.no_assumptions", "nobody has said what runs are worth").WithHint("`reeve kpi assume FILE` does")

// Custom is a definition that people made, with its history.
type Custom struct {
	Definition
	By     string
	Reason string
	At     time.Time
}

// body is how a custom definition is kept.
type body struct {
	Title, About, Unit, Direction, Owner, Team string
	Share                                      *Share    `json:",omitempty"`
	Mean                                       *Mean     `json:",omitempty"`
	Ratio                                      *Ratio    `json:",omitempty"`
	Quantile                                   *Quantile `json:",omitempty"`
	PerRun                                     *PerRun   `json:",omitempty"`
	Repeat                                     *Repeat   `json:",omitempty"`
	Count                                      *Count    `json:",omitempty"`
}

// Book is the definitions in force: the catalogue and what people added, and the
// assumptions of the ledger. Make one with New.
type Book struct {
	db  *control.DB
	now func() time.Time

	mu      sync.RWMutex
	custom  map[string]*Custom
	assumed *Assumptions
	askers  func(id string) []Asker
}

// Asker is a rule that asks for a KPI, and the team that it is of ("": all).
type Asker struct{ Rule, Team string }

// AskedBy says who knows the rules that ask for a KPI. It is called once, before
// anybody changes a definition; f is called with the book locked.
func (b *Book) AskedBy(f func(id string) []Asker) { b.askers = f }

// free refuses what would leave rules without an answer: they would be listed as on
// and never hold. A KPI that stays is one of team next.
func (b *Book) free(id string, stays bool, next string) error {
	if b.askers == nil {
		return nil
	}
	var names []string
	for _, a := range b.askers(id) {
		if !stays || next != "" && a.Team != next {
			names = append(names, a.Rule)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	said := strings.Join(names[:min(len(names), 10)], ", ")
	if more := len(names) - 10; more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	if stays {
		return fault.New(fault.KindConflict, "kpi.in_use", "%s cannot be of team %s alone: rules that are not ask for it: %s", id, next, said).WithHint("give these rules that team, or delete them first: `reeve rule list`")
	}
	return fault.New(fault.KindConflict, "kpi.in_use", "rules ask for %s: %s", id, said).WithHint("delete these rules first, or have them ask for another KPI: `reeve rule list`")
}

// New reads what people added.
func New(ctx context.Context, db *control.DB, now func() time.Time, log *slog.Logger) (*Book, error) {
	if db == nil {
		return nil, errors.New("kpi: a database is required")
	}
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &Book{db: db, now: now, custom: map[string]*Custom{}}
	list, err := control.All(ctx, db, scanCustom, `SELECT id, version, body, person, reason, at FROM kpi_versions v
		WHERE version = (SELECT max(version) FROM kpi_versions w WHERE w.id = v.id) AND body <> ''`)
	if err != nil {
		return nil, fmt.Errorf("reading KPIs: %w", err)
	}
	for i := range list {
		if err := list[i].Compile(); err != nil {
			log.Warn("a KPI can no longer be computed", "kpi", list[i].ID, "err", err)
			continue
		}
		b.custom[list[i].ID] = &list[i]
	}
	a, ok, err := control.One(ctx, db, scanAssumptions, `SELECT version, body, person, reason, at FROM value_assumptions ORDER BY version DESC LIMIT 1`)
	if err != nil {
		return nil, fmt.Errorf("reading assumptions: %w", err)
	}
	if ok {
		b.assumed = &a
	}
	return b, nil
}

func scanCustom(r control.Row) (c Custom, err error) {
	var text string
	var at int64
	if err := r.Scan(&c.ID, &c.Version, &text, &c.By, &c.Reason, &at); err != nil {
		return c, err
	}
	c.At, c.Custom, c.Source = control.Time(at), true, "custom"
	if text == "" {
		return c, nil
	}
	var x body
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		return c, err
	}
	c.Title, c.About, c.Unit, c.Direction, c.Owner, c.Team = x.Title, x.About, x.Unit, x.Direction, x.Owner, x.Team
	c.Share, c.Mean, c.Ratio, c.Quantile, c.PerRun, c.Repeat, c.Count = x.Share, x.Mean, x.Ratio, x.Quantile, x.PerRun, x.Repeat, x.Count
	return c, nil
}

func scanAssumptions(r control.Row) (a Assumptions, err error) {
	var text string
	var at int64
	if err := r.Scan(&a.Version, &text, &a.By, &a.Reason, &at); err != nil {
		return a, err
	}
	a.At = control.Time(at)
	return a, json.Unmarshal([]byte(text), &a)
}

// All is every definition in force, the catalogue's first.
func (b *Book) All() []*Definition {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := slices.Clone(catalogue)
	custom := make([]*Definition, 0, len(b.custom))
	for _, c := range b.custom {
		custom = append(custom, &c.Definition)
	}
	slices.SortFunc(custom, func(x, y *Definition) int { return strings.Compare(x.ID, y.ID) })
	return append(out, custom...)
}

// Get finds one.
func (b *Book) Get(id string) (*Definition, error) {
	for _, d := range b.All() {
		if d.ID == id {
			return d, nil
		}
	}
	return nil, errNoKPI(id)
}

// Actor is who changes definitions.
type Actor struct {
	Person, Name, Via string
	Can               func(role, team, environment string) bool
}

func (who *Actor) may(team string) error {
	for _, role := range []string{"developer", "responder"} {
		if who.Can != nil && who.Can(role, cmp.Or(team, "*"), "*") {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "kpi.denied", "this needs developer or responder for %s", cmp.Or(team, "all teams")).WithHint("give it your team, or ask an admin for the role")
}

const maxCustom = 100

// Put adds a definition, or a version of one. Version is the one that was read; 0
// for a new one.
func (b *Book) Put(ctx context.Context, who Actor, d Definition, reason string) (*Definition, error) {
	d.Custom, d.Source = true, "custom"
	if d.Ledger != "" || d.Missing != "" {
		return nil, invalid("a KPI of your own has a shape").WithHint("share, mean, ratio, quantile, per_run, repeat or count")
	}
	if err := d.Compile(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(catalogue, func(c *Definition) bool { return c.ID == d.ID }) {
		return nil, fault.New(fault.KindConflict, "kpi.taken", "%s is defined in the catalogue", d.ID).WithHint("choose another id")
	}
	if err := who.may(d.Team); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.custom[d.ID]
	switch {
	case old == nil && d.Version != 0:
		return nil, errNoKPI(d.ID)
	case old == nil && len(b.custom) >= maxCustom:
		return nil, fault.New(fault.KindExhausted, "kpi.too_many", "there are %d KPIs of your own already", maxCustom).WithHint("delete one")
	case old != nil && old.Version != d.Version:
		return nil, fault.New(fault.KindConflict, "kpi.conflict", "%s is at version %d", d.ID, old.Version).WithHint("read it again and repeat")
	case old != nil:
		if err := who.may(old.Team); err != nil {
			return nil, err
		}
		if err := b.free(d.ID, true, d.Team); err != nil {
			return nil, err
		}
	}
	c := &Custom{Definition: d, By: who.Name, Reason: reason, At: b.now().UTC()}
	text, err := json.Marshal(body{d.Title, d.About, d.Unit, d.Direction, d.Owner, d.Team, d.Share, d.Mean, d.Ratio, d.Quantile, d.PerRun, d.Repeat, d.Count})
	if err != nil {
		return nil, err
	}
	if c.Version, err = b.write(ctx, who, d.ID, string(text), reason); err != nil {
		return nil, err
	}
	b.custom[d.ID] = c
	return &c.Definition, nil
}

// write keeps a version; an id that was used before goes on counting.
func (b *Book) write(ctx context.Context, who Actor, id, text, reason string) (version int, err error) {
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		last, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT coalesce(max(version), 0) FROM kpi_versions WHERE id = ?`, id)
		if err != nil {
			return err
		}
		version = last + 1
		if _, err := tx.Exec(ctx, `INSERT INTO kpi_versions (id, version, body, person, reason, at) VALUES (?, ?, ?, ?, ?, ?)`, id, version, text, who.Name, reason, control.Micros(b.now())); err != nil {
			return err
		}
		record := audit.Record{Kind: "admin.kpi", Person: who.Person, Via: who.Via, Action: "update", Object: id, After: text, Reason: reason}
		if text == "" {
			record.Action, record.After = "delete", nil
		}
		return audit.Append(ctx, tx, record)
	})
	return version, err
}

// Delete drops a definition that no rule asks for; its versions stay.
func (b *Book) Delete(ctx context.Context, who Actor, id, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.custom[id]
	if old == nil {
		return errNoKPI(id)
	}
	if err := who.may(old.Team); err != nil {
		return err
	}
	if err := b.free(id, false, ""); err != nil {
		return err
	}
	if _, err := b.write(ctx, who, id, "", reason); err != nil {
		return err
	}
	delete(b.custom, id)
	return nil
}

// Versions are those of a definition that people made, the newest first.
func (b *Book) Versions(ctx context.Context, id string) ([]Custom, error) {
	list, err := control.All(ctx, b.db, scanCustom, `SELECT id, version, body, person, reason, at FROM kpi_versions WHERE id = ? ORDER BY version DESC LIMIT 100`, id)
	for i := len(list) - 2; i >= 0; i-- {
		if list[i].Title == "" { // that it was dropped is its team's to know
			list[i].Team = list[i+1].Team
		}
	}
	return list, err
}

// Assumptions in force; nil when nobody made any.
func (b *Book) Assumptions() *Assumptions {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.assumed
}

// AssumptionVersions are those that were in force and are, the newest first.
func (b *Book) AssumptionVersions(ctx context.Context) ([]Assumptions, error) {
	return control.All(ctx, b.db, scanAssumptions, `SELECT version, body, person, reason, at FROM value_assumptions ORDER BY version DESC LIMIT 100`)
}

// Assume puts assumptions in force as the next version.
func (b *Book) Assume(ctx context.Context, who Actor, a Assumptions, reason string) (*Assumptions, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	if err := who.may(""); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	last := 0
	if b.assumed != nil {
		last = b.assumed.Version
	}
	if a.Version != last {
		return nil, fault.New(fault.KindConflict, "kpi.conflict", "the assumptions are at version %d", last).WithHint("read them again and repeat")
	}
	a.Version, a.By, a.Reason, a.At = last+1, who.Name, reason, b.now().UTC()
	err := b.db.Write(ctx, func(tx *control.Tx) error {
		text, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO value_assumptions (version, body, person, reason, at) VALUES (?, ?, ?, ?, ?)`, a.Version, string(text), a.By, reason, control.Micros(a.At)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.assumptions", Person: who.Person, Via: who.Via, Action: "update", Object: fmt.Sprint(a.Version), After: a, Reason: reason})
	})
	if err != nil {
		return nil, err
	}
	b.assumed = &a
	return &a, nil
}
