package compliance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Book keeps mappings and assessments. Make one with New.
type Book struct {
	db       *control.DB
	now      func() time.Time
	starters []*Framework
	one      sync.Mutex // held while a framework is assessed: it walks the audit logs
}

const (
	maxCustom      = 50
	maxAssessments = 1000 // of a framework
)

// New reads the mappings that ship.
func New(db *control.DB, now func() time.Time) (*Book, error) {
	if db == nil {
		return nil, errors.New("compliance: a database is required")
	}
	if now == nil {
		now = time.Now
	}
	all, err := Starters()
	return &Book{db: db, now: now, starters: all}, err
}

func hashText(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func scanFramework(r control.Row) (*Framework, error) {
	var text string
	var revision int64
	if err := r.Scan(&text, &revision); err != nil {
		return nil, err
	}
	f, err := Read(text)
	if err != nil {
		return nil, fault.New(fault.KindInternal, "compliance.stored", "a stored mapping does not read").WithCause(err)
	}
	f.Custom, f.Revision = true, revision
	return f, nil
}

// Frameworks lists the mappings, people's own first.
func (b *Book) Frameworks(ctx context.Context) ([]*Framework, error) {
	own, err := control.All(ctx, b.db, scanFramework, `SELECT text, revision FROM compliance_frameworks ORDER BY id`)
	if err != nil {
		return nil, err
	}
	for _, s := range b.starters {
		if !slices.ContainsFunc(own, func(f *Framework) bool { return f.ID == s.ID }) {
			own = append(own, s)
		}
	}
	return own, nil
}

// Framework finds one; one of people's stands before the one of that id that ships.
func (b *Book) Framework(ctx context.Context, id string) (*Framework, error) {
	all, err := b.Frameworks(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(f *Framework) bool { return f.ID == id }); i >= 0 {
		return all[i], nil
	}
	return nil, fault.New(fault.KindNotFound, "compliance.not_found", "there is no framework %.80s", id).WithHint("`reeve compliance list` lists them")
}

// Who changes or asks something.
type Who struct{ Person, Name, Via string }

// Put makes a mapping, or changes the one of that revision.
func (b *Book) Put(ctx context.Context, who Who, text string, revision int64) (*Framework, error) {
	f, err := Read(text)
	if err != nil {
		return nil, err
	}
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT revision FROM compliance_frameworks WHERE id = ?`, f.ID)
		if err != nil {
			return err
		}
		if was != revision {
			return fault.New(fault.KindConflict, "compliance.conflict", "framework %s was changed meanwhile, or is there already", f.ID).WithHint("read it again and give its revision")
		}
		if !known {
			n, _, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM compliance_frameworks`)
			if err != nil {
				return err
			}
			if n >= maxCustom {
				return fault.New(fault.KindExhausted, "compliance.too_many", "there are %d frameworks", maxCustom)
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO compliance_frameworks (id, revision, text, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, text = excluded.text, updated_at = excluded.updated_at`,
			f.ID, revision+1, text, control.Micros(b.now())); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.compliance_framework_put", Person: who.Person, Via: who.Via, Action: "put", Object: f.ID, After: map[string]string{"sha256": hashText(text)}})
	})
	if err != nil {
		return nil, err
	}
	return b.Framework(ctx, f.ID)
}

// Delete removes a mapping of people's; what it was assessed to stays.
func (b *Book) Delete(ctx context.Context, who Who, id string) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM compliance_frameworks WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindNotFound, "compliance.not_found", "there is no framework %.80s of yours", id).WithHint("those that ship cannot be removed; one of yours with the same id stands before them")
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.compliance_framework_deleted", Person: who.Person, Via: who.Via, Action: "delete", Object: id})
	})
}

// Assess asks all questions of a framework and keeps what they came to.
func (b *Book) Assess(ctx context.Context, who Who, id string, facts Facts, from, to time.Time) (*Assessment, error) {
	if !b.one.TryLock() {
		return nil, fault.New(fault.KindExhausted, "compliance.busy", "a framework is being assessed already").WithHint("wait until it is done")
	}
	defer b.one.Unlock()
	f, err := b.Framework(ctx, id)
	if err != nil {
		return nil, err
	}
	a, err := assess(ctx, f, facts, from.UTC(), to.UTC())
	if err != nil {
		return nil, err
	}
	now := b.now().UTC().Truncate(time.Microsecond)
	a.ID, a.At, a.By = activity.Mint("asm_", now.UnixNano()), now, who.Name
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO compliance_assessments (id, framework, body, at) VALUES (?, ?, ?, ?)`, a.ID, a.Framework, string(text), control.Micros(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM compliance_assessments WHERE framework = ? AND id IN (SELECT id FROM compliance_assessments WHERE framework = ? ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)`, id, id, maxAssessments); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: AssessedKind, Person: who.Person, Via: who.Via, Action: "assess", Object: recorded(a.ID, text), After: map[string]any{"framework": id, "pass": a.Pass, "fail": a.Fail, "unknown": a.Unknown}})
	})
	return a, err
}

// recorded is what the log of changes says of an assessment: in words that its
// record has in the open, so that whoever holds the record alone can compare.
func recorded(id string, body []byte) string { return id + " sha256:" + hashText(string(body)) }

// AssessedKind is the kind of records of assessments in the log of changes.
const AssessedKind = "admin.compliance_assessed"

// Body is an assessment byte for byte as it was kept, and what the record of it in
// the log of changes must be about: Object. Who finds no such record must not sign
// the body.
func (b *Book) Body(ctx context.Context, id string) (body []byte, object string, err error) {
	text, ok, err := control.One(ctx, b.db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT body FROM compliance_assessments WHERE id = ?`, id)
	if err == nil && !ok {
		err = errNoAssessment(id)
	}
	return []byte(text), recorded(id, []byte(text)), err
}

func errNoAssessment(id string) error {
	return fault.New(fault.KindNotFound, "compliance.no_assessment", "there is no assessment %.80s", strings.ToValidUTF8(id, "")).WithHint("`reeve compliance assess FRAMEWORK` makes one")
}

func scanAssessment(r control.Row) (*Assessment, error) {
	var text string
	if err := r.Scan(&text); err != nil {
		return nil, err
	}
	a := &Assessment{}
	return a, json.Unmarshal([]byte(text), a)
}

// Assessments lists those of a framework ("" all), the newest first.
func (b *Book) Assessments(ctx context.Context, framework string, limit int) ([]*Assessment, error) {
	var w control.Where
	w.Is("framework", framework)
	return control.All(ctx, b.db, scanAssessment, `SELECT body FROM compliance_assessments`+w.Text()+` ORDER BY at DESC, id DESC LIMIT ?`, append(w.Args, limit)...)
}

// Assessment reads one.
func (b *Book) Assessment(ctx context.Context, id string) (*Assessment, error) {
	a, ok, err := control.One(ctx, b.db, scanAssessment, `SELECT body FROM compliance_assessments WHERE id = ?`, id)
	if err == nil && !ok {
		err = errNoAssessment(id)
	}
	return a, err
}
