// Package judged keeps which step of a failed run people named as the one where it
// went wrong, and what the order of suspects learned from that.
//
// What for: runs fail otherwise in each house. Twenty or thirty verdicts move the
// order of suspects, and whoever reads it must see by how much and undo it.
//
// Who calls it: api, for suspects and their verdicts; app makes it.
//
// Promises: a verdict teaches the team of its run and nobody else. It is kept as the
// evidence on the run's steps in numbers, so that it outlives what the run said. The
// weights are a function of the verdicts that stand: one that is taken back takes its
// change back. Safe for concurrent use.
//
// How it fails: judged.* faults for what cannot be named; what cannot be read of an
// older form is kept and teaches nothing.
//
// Start reading at Book.Name.
package judged

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/provenance"
)

// Bounds.
const (
	mostVerdicts = 20_000 // kept
	mostTeach    = 100    // of a team, the newest: fitting stays below a second
	mostReason   = 1000
)

// Verdict is what a person said of one run.
type Verdict struct {
	Run, Team, Environment, Agent string
	Step, Kind, StepName          string
	Reason, Person, By            string // Person is an id, By a name
	At                            time.Time
	Example                       provenance.Example
}

// Actor is who says it.
type Actor struct{ Person, Name, Via string }

// Learned is what a team's verdicts came to.
type Learned struct {
	Verdicts int // that teach
	Weights  provenance.Weights
	Changes  []provenance.Change
}

// Options of a Book. DB is required.
type Options struct {
	DB  *control.DB
	Now func() time.Time // nil is time.Now
}

// Book keeps verdicts.
type Book struct {
	o Options

	mu      sync.Mutex          // guards what follows
	learned map[string]*Learned // by team; a change drops it
	changed map[string]int      // how often a team's verdicts changed
}

// New makes a Book.
func New(o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("judged: Options.DB is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Book{o: o, learned: map[string]*Learned{}, changed: map[string]int{}}, nil
}

const columns = `run, team, environment, agent, step, kind, name, reason, person, person_name, at`

func scan(r control.Row) (v Verdict, err error) {
	var at int64
	err = r.Scan(&v.Run, &v.Team, &v.Environment, &v.Agent, &v.Step, &v.Kind, &v.StepName, &v.Reason, &v.Person, &v.By, &at)
	v.At = control.Time(at)
	return v, err
}

// Of is what was said of a run; nil when nothing was.
func (b *Book) Of(ctx context.Context, run string) (*Verdict, error) {
	list, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM suspect_verdicts WHERE run = ?`, run)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// List is what was said, the newest first; "" is all teams.
func (b *Book) List(ctx context.Context, team string, limit int) ([]Verdict, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM suspect_verdicts WHERE ? = '' OR team = ? ORDER BY at DESC, run LIMIT ?`, team, team, limit)
}

// Teams are those whose people named something.
func (b *Book) Teams(ctx context.Context) ([]string, error) {
	return control.All(ctx, b.o.DB, func(r control.Row) (team string, err error) {
		err = r.Scan(&team)
		return team, err
	}, `SELECT DISTINCT team FROM suspect_verdicts ORDER BY team`)
}

// Name keeps that a run went wrong at a step, in place of what was said of it before.
// It answers judged.reason and judged.too_many.
func (b *Book) Name(ctx context.Context, who Actor, v Verdict) error {
	if len(v.Reason) > mostReason || strings.ContainsFunc(v.Reason, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		return fault.New(fault.KindInvalid, "judged.reason", "a reason is text of at most %d bytes", mostReason)
	}
	v.Person, v.By, v.At = who.Person, who.Name, b.o.Now().UTC().Truncate(time.Microsecond)
	example, err := json.Marshal(v.Example)
	if err != nil {
		return fmt.Errorf("writing what a verdict teaches: %w", err)
	}
	return b.change(ctx, who, v.Run, v.Team, "name", v.Step, v.Reason, func(tx *control.Tx) error {
		all, err := control.All(ctx, tx, func(r control.Row) (n int, err error) {
			err = r.Scan(&n)
			return n, err
		}, `SELECT COUNT(*) FROM suspect_verdicts WHERE run <> ?`, v.Run)
		if err != nil {
			return err
		}
		if all[0] >= mostVerdicts {
			return fault.New(fault.KindExhausted, "judged.too_many", "there are %d verdicts on suspects already", all[0]).WithHint("take back what is old: reeve run suspects weights lists them")
		}
		_, err = tx.Exec(ctx, `INSERT INTO suspect_verdicts (`+columns+`, example) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (run) DO UPDATE SET team = excluded.team, environment = excluded.environment, agent = excluded.agent, step = excluded.step, kind = excluded.kind,
				name = excluded.name, reason = excluded.reason, person = excluded.person, person_name = excluded.person_name, at = excluded.at, example = excluded.example`,
			v.Run, v.Team, v.Environment, v.Agent, v.Step, v.Kind, v.StepName, v.Reason, v.Person, v.By, control.Micros(v.At), string(example))
		return err
	})
}

// TakeBack forgets what was said of a run. It answers judged.not_found.
func (b *Book) TakeBack(ctx context.Context, who Actor, run string) error {
	v, err := b.Of(ctx, run)
	if err != nil {
		return err
	}
	if v == nil {
		return fault.New(fault.KindNotFound, "judged.not_found", "nobody named a step of this run")
	}
	return b.change(ctx, who, run, v.Team, "take_back", v.Step, "", func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM suspect_verdicts WHERE run = ?`, run)
		return err
	})
}

func (b *Book) change(ctx context.Context, who Actor, run, team, action, step, reason string, write func(*control.Tx) error) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := write(tx); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.suspect_named", Person: who.Person, Via: who.Via, Action: action, Object: run + "/" + step, Reason: reason}); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.learned, team)
			b.changed[team]++
		})
		return nil
	})
}

// Learned is what a team's verdicts came to; with none the weights are those that
// Reeve is shipped with.
func (b *Book) Learned(ctx context.Context, team string) (*Learned, error) {
	b.mu.Lock()
	l, at := b.learned[team], b.changed[team]
	b.mu.Unlock()
	if l != nil {
		return l, nil
	}
	examples, err := control.All(ctx, b.o.DB, func(r control.Row) (x provenance.Example, err error) {
		var body string
		if err := r.Scan(&body); err != nil {
			return x, err
		}
		// What does not read is of another form, and teaches nothing.
		_ = json.Unmarshal([]byte(body), &x)
		return x, nil
	}, `SELECT example FROM suspect_verdicts WHERE team = ? ORDER BY at DESC, run LIMIT ?`, team, mostTeach)
	if err != nil {
		return nil, err
	}
	examples = slices.DeleteFunc(examples, func(x provenance.Example) bool { return len(x.Steps) == 0 })
	l = &Learned{Verdicts: len(examples), Weights: provenance.FitExamples(examples, provenance.DefaultWeights, 0)}
	l.Changes = l.Weights.Changes(provenance.DefaultWeights)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed[team] == at { // else somebody said more meanwhile
		if len(b.learned) > 1000 {
			clear(b.learned)
		}
		b.learned[team] = l
	}
	return l, nil
}
