package dataset

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Book. DB, Read and Redact are required.
type Options struct {
	DB *control.DB
	// Read reads what a run said; false when there is no such run.
	Read func(ctx context.Context, run string) (Recorded, bool, error)
	// Redact cuts personal data and secrets out of a text and names their classes. An
	// error says that it could not be looked at: then it is not kept.
	Redact func(team, environment, text string) (out string, classes []string, err error)
	Logger *slog.Logger
	Now    func() time.Time
}

// Book keeps data sets.
type Book struct {
	o   Options
	key []byte // of user references
}

// New opens the book, making its key at first.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Read == nil || o.Redact == nil {
		return nil, errors.New("dataset: DB, Read and Redact are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Book{o: o}
	err := o.DB.Write(ctx, func(tx *control.Tx) error {
		var fresh [32]byte
		_, _ = rand.Read(fresh[:]) // never fails
		if _, err := tx.Exec(ctx, `INSERT INTO dataset_key (id, key) VALUES (1, ?) ON CONFLICT (id) DO NOTHING`, hex.EncodeToString(fresh[:])); err != nil {
			return err
		}
		text, _, err := control.One(ctx, tx, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT key FROM dataset_key WHERE id = 1`)
		if err != nil {
			return err
		}
		if b.key, err = hex.DecodeString(text); err != nil {
			return err
		}
		return readComplaints(ctx, tx)
	})
	if err != nil {
		return nil, fmt.Errorf("opening data sets: %w", err)
	}
	return b, nil
}

// Actor is who does something.
type Actor struct {
	Person, Name, Via string
	// Can reports whether the actor has a role for a team and environment; "*"
	// stands for all of them.
	Can func(role, team, environment string) bool
}

func (w *Actor) may(role string, team, environment string) bool {
	return w.Can(role, cmp.Or(team, "*"), cmp.Or(environment, "*"))
}

func (w *Actor) need(s *Set, roles ...string) error {
	for _, r := range roles {
		if w.may(r, s.Team, s.Environment) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "dataset.denied", "this needs the role %s for team %q in %q", strings.Join(roles, " or "), s.Team, s.Environment)
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "dataset.not_found", "there is no data set %.80s", name).WithHint("`reeve dataset list` lists them")
}

const setColumns = `name, team, environment, version, body, updated_at, born, (SELECT COUNT(*) FROM dataset_items i WHERE i.dataset = d.name AND i.removed IS NULL)`

func scanSet(r control.Row) (s Set, err error) {
	var text string
	var at, born int64
	if err := r.Scan(&s.Name, &s.Team, &s.Environment, &s.Version, &text, &at, &born, &s.Items); err != nil {
		return s, err
	}
	s.UpdatedAt, s.Born = control.Time(at), control.Time(born)
	return s, json.Unmarshal([]byte(text), &s)
}

// List lists data sets by name.
func (b *Book) List(ctx context.Context) ([]Set, error) {
	return control.All(ctx, b.o.DB, scanSet, `SELECT `+setColumns+` FROM datasets d WHERE name NOT LIKE '%~%' ORDER BY name`)
}

// Get is one data set, for who may see it.
func (b *Book) Get(ctx context.Context, who Actor, name string) (Set, error) {
	return b.get(ctx, b.o.DB, who, name)
}

func (b *Book) get(ctx context.Context, r control.Reader, who Actor, name string) (Set, error) {
	s, ok, err := control.One(ctx, r, scanSet, `SELECT `+setColumns+` FROM datasets d WHERE name = ?`, name)
	if err == nil && (!ok || !nameShape.MatchString(name) || !who.may("viewer", s.Team, s.Environment)) {
		err = notFound(name)
	}
	return s, err
}

// Put makes a data set, or changes what is said of it. Its team and environment
// stay: who may read its content goes by them.
func (b *Book) Put(ctx context.Context, who Actor, s Set) (Set, error) {
	if err := s.check(); err != nil {
		return s, err
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, scanSet, `SELECT `+setColumns+` FROM datasets d WHERE name = ?`, s.Name)
		if err != nil {
			return err
		}
		if known {
			if !who.may("viewer", was.Team, was.Environment) {
				return fault.New(fault.KindConflict, "dataset.conflict", "the name %s is taken", s.Name)
			}
			s.Team, s.Environment, s.Version, s.Born = was.Team, was.Environment, was.Version, was.Born
		} else if n, _, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM datasets WHERE name NOT LIKE '%~%'`); err != nil || n >= maxSets {
			return errors.Join(err, fault.New(fault.KindExhausted, "dataset.too_many", "there are %d data sets", maxSets))
		}
		if err := who.need(&s, "developer"); err != nil {
			return err
		}
		s.UpdatedAt = b.o.Now().UTC().Truncate(time.Microsecond)
		if !known {
			s.Born = s.UpdatedAt
		}
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO datasets (name, team, environment, version, body, updated_at, born) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`,
			s.Name, s.Team, s.Environment, s.Version, string(text), control.Micros(s.UpdatedAt), control.Micros(s.Born)); err != nil {
			return err
		}
		s.Items = was.Items
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.dataset_put", Person: who.Person, Via: who.Via, Action: "put", Object: s.Name, After: json.RawMessage(text)})
	})
	return s, err
}

// Delete removes a data set with its items. What was exported stays on record.
func (b *Book) Delete(ctx context.Context, who Actor, name string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		s, err := b.get(ctx, tx, who, name)
		if err != nil {
			return err
		}
		if err := who.need(&s, "developer"); err != nil {
			return err
		}
		// Its rows stay under a name that no data set has, without content: who was in
		// which export is asked for when somebody is erased.
		suffix := fmt.Sprintf("~%d", control.Micros(b.o.Now()))
		for _, q := range []string{
			`UPDATE dataset_exported SET item = item || ? WHERE item IN (SELECT id FROM dataset_items WHERE dataset = ?)`,
			`UPDATE dataset_items SET id = id || ?, dataset = dataset || '~', body = '{}' WHERE dataset = ?`,
			`UPDATE dataset_exports SET dataset = dataset || ? WHERE dataset = ?`,
		} {
			if _, err := tx.Exec(ctx, q, suffix, name); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE dataset_items SET dataset = dataset || ? WHERE dataset = ?`, suffix[1:], name+"~"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE datasets SET name = name || ? WHERE name = ?`, suffix, name); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.dataset_deleted", Person: who.Person, Via: who.Via, Action: "delete", Object: name, After: map[string]any{"items": s.Items}})
	})
}

// Case is an item to add: of a run, or written by a person (Run is "" then).
type Case struct {
	Run      string
	Input    []Message // nil: as recorded
	Expected string
	Contains []string
	Absent   []string
	Labels   []string
	Note     string
	Verdict  string // of the recorded answer
	Consent  string // given or refused; "" goes by feedback and basis
}

// Add makes a run a case of a data set, or changes the case that it is. It gives
// the item, redacted.
func (b *Book) Add(ctx context.Context, who Actor, name string, n Case) (Item, error) {
	s, err := b.Get(ctx, who, name)
	if err != nil {
		return Item{}, err
	}
	if err := who.need(&s, "developer", "responder"); err != nil {
		return Item{}, err
	}
	i, err := b.form(ctx, who, &s, n)
	if err != nil {
		return i, err
	}
	if err := i.check(); err != nil {
		return i, err
	}
	if err := b.redact(&s, &i); err != nil {
		return i, err
	}
	return i, b.put(ctx, who, &i)
}

// Preview is the item that Add would make, redacted and not kept. The set may be one
// that is not there yet. A run that is a case of it already is a dataset.conflict.
func (b *Book) Preview(ctx context.Context, who Actor, s Set, n Case) (Item, error) {
	if err := s.check(); err != nil {
		return Item{}, err
	}
	_, there, err := control.One(ctx, b.o.DB, scanSet, `SELECT `+setColumns+` FROM datasets d WHERE name = ?`, s.Name)
	if err != nil {
		return Item{}, err
	}
	roles := []string{"developer", "responder"}
	if !there {
		roles = roles[:1] // who makes one
	}
	if err := who.need(&s, roles...); err != nil {
		return Item{}, err
	}
	i, err := b.form(ctx, who, &s, n)
	if err != nil {
		return i, err
	}
	if err := i.check(); err != nil {
		return i, err
	}
	if was, known, err := control.One(ctx, b.o.DB, scanItem, `SELECT `+itemColumns+` FROM dataset_items WHERE id = ?`, i.ID); err != nil || known && was.Removed == 0 {
		return i, cmp.Or(err, error(fault.New(fault.KindConflict, "dataset.conflict", "the run is a case of %s already", s.Name)))
	}
	return i, b.redact(&s, &i)
}

// TakeBack takes an item that Add made out of the next version, if nobody changed
// it since: dataset.conflict says that somebody did.
func (b *Book) TakeBack(ctx context.Context, who Actor, name, item string, revision int64) error {
	return b.remove(ctx, who, name, item, revision, "developer", "responder")
}

// form makes an item of what was recorded and what a person adds.
func (b *Book) form(ctx context.Context, who Actor, s *Set, n Case) (Item, error) {
	i := Item{
		Dataset: s.Name, Run: n.Run, Input: n.Input, Expected: n.Expected, Contains: n.Contains, Absent: n.Absent, Labels: n.Labels, Note: n.Note,
		Verdict: n.Verdict, Consent: n.Consent, At: b.o.Now().UTC().Truncate(time.Microsecond), By: who.Name,
	}
	if n.Consent != "" && n.Consent != ConsentGiven && n.Consent != ConsentRefused {
		return i, invalid("consent is given or refused; empty goes by what the user said and by the data set's basis")
	}
	if n.Run == "" {
		i.Case = "case_" + strings.ToLower(rand.Text()[:24])
		i.ID = shortID("itm_", s.Name, i.Case)
		i.Consent = ConsentOwn
		return i, nil
	}
	r, ok, err := b.o.Read(ctx, n.Run)
	if err != nil {
		return i, err
	}
	if !ok || !who.may("viewer", r.Team, r.Environment) {
		return i, invalid("there is no run %.60s", n.Run)
	}
	// Whoever reads the data set reads what the run said.
	if !who.may("reader", r.Team, r.Environment) {
		return i, fault.New(fault.KindDenied, "dataset.denied", "making a case of this run needs the role reader for team %q in %q", r.Team, r.Environment)
	}
	i.Case = CaseOf(n.Run)
	i.ID = shortID("itm_", s.Name, i.Case)
	i.Agent, i.Version, i.Task, i.Answer, i.Tools, i.Feedback, i.FeedbackAt = r.Agent, r.Version, r.Task, r.Answer, r.Tools, r.Feedback, r.FeedbackAt
	i.UserRef = refOf(b.key, r.User)
	if i.Input == nil {
		i.Input = r.Input
	}
	switch {
	case r.Consent != "": // the user's own word goes before what anybody says for them
		i.Consent = r.Consent
	case i.Consent != "":
	case s.Basis != "":
		i.Consent = ConsentBasis
	default:
		i.Consent = ConsentUnknown
	}
	if i.Verdict == "" && i.Feedback != "" {
		i.Verdict = Bad
	}
	return i, nil
}

// redact cuts out of all texts what may not be kept. A text that cannot be looked
// at is not kept at all.
func (b *Book) redact(s *Set, i *Item) error {
	one := func(text string) (string, error) {
		if text == "" {
			return "", nil
		}
		out, classes, err := b.o.Redact(s.Team, s.Environment, text)
		if err != nil {
			return "", fault.New(fault.KindInvalid, "dataset.unreadable", "a text of the case cannot be looked at for personal data, and is not kept").WithCause(err)
		}
		for _, c := range classes {
			if !slices.Contains(i.Redacted, c) {
				i.Redacted = append(i.Redacted, c)
			}
		}
		return out, nil
	}
	var err error
	input := slices.Clone(i.Input)
	for k := range input {
		if input[k].Content, err = one(input[k].Content); err != nil {
			return err
		}
	}
	i.Input = input
	for _, text := range []*string{&i.Answer, &i.Expected, &i.Note} {
		if *text, err = one(*text); err != nil {
			return err
		}
	}
	for _, list := range []*[]string{&i.Contains, &i.Absent, &i.Labels} {
		out := slices.Clone(*list)
		for k := range out {
			if out[k], err = one(out[k]); err != nil {
				return err
			}
		}
		*list = out
	}
	slices.Sort(i.Redacted)
	return nil
}

const itemColumns = `id, dataset, added, removed, revision, case_id, run, agent, user_ref, withdrawn, verdict, consent, body, at`

func scanItem(r control.Row) (i Item, err error) {
	var text string
	var at int64
	var removed *int64
	if err := r.Scan(&i.ID, &i.Dataset, &i.Added, &removed, &i.Revision, &i.Case, &i.Run, &i.Agent, &i.UserRef, &i.Withdrawn, &i.Verdict, &i.Consent, &text, &at); err != nil {
		return i, err
	}
	if removed != nil {
		i.Removed = *removed
	}
	i.At = control.Time(at)
	return i, json.Unmarshal([]byte(text), &i)
}

// put stores an item in a new version of its data set. What it was before stays
// part of the versions before, under an id of its own.
func (b *Book) put(ctx context.Context, who Actor, i *Item) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		version, n, err := b.next(ctx, tx, i.Dataset)
		if err != nil {
			return err
		}
		if n >= maxItems {
			return fault.New(fault.KindExhausted, "dataset.too_many", "data set %s has had %d items", i.Dataset, maxItems).WithHint("make another one")
		}
		was, known, err := control.One(ctx, tx, scanItem, `SELECT `+itemColumns+` FROM dataset_items WHERE id = ?`, i.ID)
		if err != nil {
			return err
		}
		if gone, err := b.gone(ctx, tx, i); err != nil || gone {
			return cmp.Or(err, error(fault.New(fault.KindDenied, "dataset.withdrawn", "the person of this case was erased: nothing of theirs is kept")))
		}
		i.Added, i.Revision = version, 1
		if known {
			i.Revision = was.Revision + 1
			removed := cmp.Or(was.Removed, version)
			if _, err := tx.Exec(ctx, `UPDATE dataset_items SET id = ?, removed = ? WHERE id = ?`, fmt.Sprintf("%s.%d", i.ID, was.Revision), removed, i.ID); err != nil {
				return err
			}
			// What was exported of it was exported of that revision.
			if _, err := tx.Exec(ctx, `UPDATE dataset_exported SET item = ? WHERE item = ?`, fmt.Sprintf("%s.%d", i.ID, was.Revision), i.ID); err != nil {
				return err
			}
		}
		text, err := json.Marshal(i)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO dataset_items (`+itemColumns+`, complained_at) VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`,
			i.ID, i.Dataset, i.Added, i.Revision, i.Case, i.Run, i.Agent, i.UserRef, i.Verdict, i.Consent, string(text), control.Micros(i.At), complainedAt(i)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.dataset_item", Person: who.Person, Via: who.Via, Action: "add", Object: i.Dataset + " " + i.ID, After: map[string]any{"run": i.Run, "case": i.Case, "version": version, "consent": i.Consent}})
	})
}

// gone reports whether the user of an item was erased, here or everywhere.
func (b *Book) gone(ctx context.Context, r control.Reader, i *Item) (bool, error) {
	if i.UserRef == "" {
		return false, nil
	}
	n, _, err := control.One(ctx, r, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM dataset_withdrawn w WHERE w.user_ref = ? AND (w.team = '' OR w.team = (SELECT team FROM datasets WHERE name = ?))`, i.UserRef, i.Dataset)
	return n > 0, err
}

// next begins a version of a data set, and counts what was ever in it.
func (b *Book) next(ctx context.Context, tx *control.Tx, name string) (version, items int64, err error) {
	changed, err := tx.Exec(ctx, `UPDATE datasets SET version = version + 1, updated_at = ? WHERE name = ?`, control.Micros(b.o.Now()), name)
	if err == nil && changed == 0 {
		err = notFound(name)
	}
	if err != nil {
		return 0, 0, err
	}
	_, _, err = control.One(ctx, tx, func(r control.Row) (struct{}, error) { return struct{}{}, r.Scan(&version, &items) },
		`SELECT version, (SELECT COUNT(*) FROM dataset_items WHERE dataset = name) FROM datasets WHERE name = ?`, name)
	return version, items, err
}

// Remove takes an item out of the next version; versions before keep it.
func (b *Book) Remove(ctx context.Context, who Actor, name, item string) error {
	return b.remove(ctx, who, name, item, 0, "developer")
}

// remove takes an item out, of one revision where that is not 0.
func (b *Book) remove(ctx context.Context, who Actor, name, item string, revision int64, roles ...string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		s, err := b.get(ctx, tx, who, name)
		if err != nil {
			return err
		}
		if err := who.need(&s, roles...); err != nil {
			return err
		}
		was, known, err := control.One(ctx, tx, scanItem, `SELECT `+itemColumns+` FROM dataset_items WHERE id = ? AND dataset = ?`, item, name)
		if err != nil {
			return err
		}
		if known && revision != 0 && was.Revision != revision {
			return fault.New(fault.KindConflict, "dataset.conflict", "the item was changed since")
		}
		version, _, err := b.next(ctx, tx, name)
		if err != nil {
			return err
		}
		changed, err := tx.Exec(ctx, `UPDATE dataset_items SET removed = ? WHERE id = ? AND dataset = ? AND removed IS NULL`, version, item, name)
		if err != nil {
			return err
		}
		if changed == 0 {
			return fault.New(fault.KindNotFound, "dataset.item_not_found", "there is no item %.60s in data set %s", item, name)
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.dataset_item", Person: who.Person, Via: who.Via, Action: "remove", Object: name + " " + item, After: map[string]any{"version": version}})
	})
}

// at settles which version of a set is meant; 0 is the newest.
func (s *Set) at(version int64) error {
	if version < 0 || version > s.Version {
		return invalid("data set %s has the versions 1 to %d", s.Name, s.Version)
	}
	s.Version = cmp.Or(version, s.Version)
	return nil
}

const itemsOf = ` FROM dataset_items WHERE dataset = ? AND added <= ? AND (removed IS NULL OR removed > ?) ORDER BY at, id`

// each gives the items of a version one after the other, some in memory at a time.
func (b *Book) each(ctx context.Context, s *Set, version int64, f func(*Item) error) error {
	if err := s.at(version); err != nil {
		return err
	}
	const together = 200
	for offset := 0; ; offset += together {
		some, err := control.All(ctx, b.o.DB, scanItem, `SELECT `+itemColumns+itemsOf+` LIMIT ? OFFSET ?`, s.Name, s.Version, s.Version, together, offset)
		if err != nil {
			return err
		}
		for k := range some {
			if err := f(&some[k]); err != nil {
				return err
			}
		}
		if len(some) < together {
			return nil
		}
	}
}

// Items lists a version's items for readers, oldest first, at most 1,000; 0 is the
// newest version.
func (b *Book) Items(ctx context.Context, who Actor, name string, version int64, limit int) (Set, []Item, error) {
	s, err := b.Get(ctx, who, name)
	if err != nil {
		return s, nil, err
	}
	if err := who.need(&s, "reader"); err != nil {
		return s, nil, err
	}
	if err := s.at(version); err != nil {
		return s, nil, err
	}
	all, err := control.All(ctx, b.o.DB, scanItem, `SELECT `+itemColumns+itemsOf+` LIMIT ?`, name, s.Version, s.Version, max(1, min(cmp.Or(limit, 1000), 1000)))
	return s, all, err
}

// Cases lists in which data sets a run is a case now.
func (b *Book) Cases(ctx context.Context, who Actor, run string) ([]Item, error) {
	all, err := control.All(ctx, b.o.DB, scanItem, `SELECT `+itemColumns+` FROM dataset_items WHERE case_id = ? AND removed IS NULL ORDER BY at LIMIT 1000`, CaseOf(run))
	if err != nil {
		return nil, err
	}
	var out []Item
	for _, i := range all {
		if _, err := b.Get(ctx, who, i.Dataset); err == nil {
			out = append(out, i)
		} else if !fault.Is(err, fault.KindNotFound) {
			return nil, err
		}
	}
	return out, nil
}
