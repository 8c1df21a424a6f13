// Package steer lets people take a hand in a run while it goes on: its further
// calls wait for a person, or its model is told something.
//
// What for: an operator who watches a live run and sees it go wrong wants less
// than a stop: to look at each next action first, or to say what the agent should
// do instead.
//
// Who calls it: api for people; the gateway asks on every call (Held, Any) and
// carries notes to models (Take, Told); app opens it and runs it.
//
// Promises: what people said is durable, audited and told to live views before
// they are answered. What calls ask reads memory alone. A note is in one call at a
// time and ends once that call was forwarded; that it was told is stored a moment
// later, so after a crash in between it may be told once more. Safe for concurrent
// use.
//
// How it fails: steer.ended for what is over, steer.too_many and steer.text for
// notes that are not taken. What cannot be stored is refused.
//
// Start reading at Book.Hold, Book.Tell and Book.Take.
package steer

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// CodeHeld is the reason of verdicts that hold because a person holds the run.
const CodeHeld = "steer.held"

// Limits of what people can say to a run.
const (
	MaxText  = 4000 // bytes of a note
	maxNotes = 20   // of a run that were not told yet
	maxFor   = 24 * time.Hour
)

// Place is the run that a person steers, and whose it is.
type Place struct{ Run, Agent, Team, Environment string }

// Person is who steers.
type Person struct{ ID, Name string }

// Hold is a run whose further calls wait for a person.
type Hold struct {
	Place
	By     Person
	Reason string
	At     time.Time
	Until  time.Time
}

// Note is what a person says to a run.
type Note struct {
	ID string
	Place
	By       Person
	Text     string
	Every    bool // each further call of a model carries it, not the next alone
	At       time.Time
	Until    time.Time
	EndedAt  time.Time // zero while it may still be told
	ToldAt   time.Time // the first time; zero: not yet
	Told     int64     // times
	Decision string    // of the last call that carried it
}

// Open reports whether a note may still be told.
func (n *Note) Open(now time.Time) bool { return n.EndedAt.IsZero() && now.Before(n.Until) }

// Options are what a Book needs: DB.
type Options struct {
	DB     *control.DB
	Logger *slog.Logger
	Now    func() time.Time
}

// Book holds what people do about live runs.
type Book struct {
	db  *control.DB
	log *slog.Logger
	now func() time.Time

	holds atomic.Pointer[map[string]*Hold] // by run

	mu    sync.Mutex         // guards what follows
	notes map[string][]*note // open ones by run, the oldest first
	ended []*note            // told since Run last stored
	wake  chan struct{}

	waiting atomic.Int64 // open notes
}

// note is a note that may be told.
type note struct {
	Note
	in string // the decision of the call that carries it now; "" for none
}

// New loads what holds and what was not told yet.
func New(ctx context.Context, o Options) (*Book, error) {
	b := &Book{db: o.DB, log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)), now: o.Now, notes: map[string][]*note{}, wake: make(chan struct{}, 1)}
	if b.now == nil {
		b.now = time.Now
	}
	holds, err := control.All(ctx, b.db, scanHold, `SELECT run, agent, team, environment, person, name, reason, at, until_at FROM run_holds WHERE until_at > ?`, control.Micros(b.now()))
	if err != nil {
		return nil, err
	}
	m := make(map[string]*Hold, len(holds))
	for _, h := range holds {
		m[h.Run] = h
	}
	b.holds.Store(&m)
	notes, err := control.All(ctx, b.db, scanNote, `SELECT `+noteColumns+` FROM run_notes WHERE ended_at IS NULL AND until_at > ? ORDER BY at, id`, control.Micros(b.now()))
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		b.notes[n.Run] = append(b.notes[n.Run], &note{Note: *n})
	}
	b.waiting.Store(int64(len(notes)))
	return b, nil
}

func scanHold(r control.Row) (*Hold, error) {
	h := &Hold{}
	var at, until int64
	err := r.Scan(&h.Run, &h.Agent, &h.Team, &h.Environment, &h.By.ID, &h.By.Name, &h.Reason, &at, &until)
	h.At, h.Until = control.Time(at), control.Time(until)
	return h, err
}

const noteColumns = `id, run, agent, team, environment, person, name, text, every, at, until_at, ended_at, told_at, told, decision`

func scanNote(r control.Row) (*Note, error) {
	n := &Note{}
	var every, at, until int64
	var ended, told *int64
	err := r.Scan(&n.ID, &n.Run, &n.Agent, &n.Team, &n.Environment, &n.By.ID, &n.By.Name, &n.Text, &every, &at, &until, &ended, &told, &n.Told, &n.Decision)
	n.Every, n.At, n.Until = every != 0, control.Time(at), control.Time(until)
	if ended != nil {
		n.EndedAt = control.Time(*ended)
	}
	if told != nil {
		n.ToldAt = control.Time(*told)
	}
	return n, err
}

// Held is who holds a run; nil for nobody. It is asked on every call.
func (b *Book) Held(run string) *Hold {
	m := *b.holds.Load()
	if len(m) == 0 {
		return nil
	}
	if h := m[run]; h != nil && b.now().Before(h.Until) {
		return h
	}
	return nil
}

// Holds lists the runs that are held.
func (b *Book) Holds() []*Hold {
	var out []*Hold
	for _, h := range *b.holds.Load() {
		if b.now().Before(h.Until) {
			out = append(out, h)
		}
	}
	return out
}

// until is when what a person set ends: after the time they gave, or the longest.
func (b *Book) until(d time.Duration) (at, until time.Time, err error) {
	at = b.now().UTC().Truncate(time.Microsecond)
	switch {
	case d == 0:
		d = maxFor
	case d < time.Second || d > maxFor:
		return at, at, fault.New(fault.KindInvalid, "steer.time", "it lasts from a second to %s", maxFor)
	}
	return at, at.Add(d), nil
}

// Hold makes each further call of a run wait for a person; 0 lasts a day. Holding
// it again changes how long and why.
func (b *Book) Hold(ctx context.Context, p Place, by Person, reason string, d time.Duration) (*Hold, error) {
	at, until, err := b.until(d)
	if err != nil {
		return nil, err
	}
	h := &Hold{Place: p, By: by, Reason: reason, At: at, Until: until}
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO run_holds (run, agent, team, environment, person, name, reason, at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (run) DO UPDATE SET person = excluded.person, name = excluded.name, reason = excluded.reason, at = excluded.at, until_at = excluded.until_at`,
			p.Run, p.Agent, p.Team, p.Environment, by.ID, by.Name, reason, control.Micros(at), control.Micros(until)); err != nil {
			return err
		}
		tx.AfterCommit(func() { b.setHold(p.Run, h) })
		return record(ctx, tx, "steering.held", p, by, reason, map[string]any{"until": until})
	})
	return h, err
}

// Release lets a run go on. What waits for a person already goes on waiting.
func (b *Book) Release(ctx context.Context, p Place, by Person, reason string) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM run_holds WHERE run = ?`, p.Run)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindConflict, "steer.ended", "nobody holds this run")
		}
		tx.AfterCommit(func() { b.setHold(p.Run, nil) })
		return record(ctx, tx, "steering.released", p, by, reason, nil)
	})
}

// setHold changes one run of the map that calls read.
func (b *Book) setHold(run string, h *Hold) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := maps.Clone(*b.holds.Load())
	now := b.now()
	maps.DeleteFunc(m, func(_ string, h *Hold) bool { return !now.Before(h.Until) })
	if h == nil {
		delete(m, run)
	} else {
		m[run] = h
	}
	b.holds.Store(&m)
}

// record is the audit record and the event of what a person did about a run.
func record(ctx context.Context, tx *control.Tx, kind string, p Place, by Person, reason string, after map[string]any) error {
	if after == nil {
		after = map[string]any{}
	}
	after["agent"], after["team"], after["environment"] = p.Agent, p.Team, p.Environment
	_, action, _ := strings.Cut(kind, ".")
	if err := audit.Append(ctx, tx, audit.Record{Kind: kind, Person: by.ID, Action: action, Object: p.Run, After: after, Reason: reason}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: p.Run})
}

// checkText says what is wrong with what a person wants to say.
func checkText(text string) error {
	if strings.TrimSpace(text) == "" || len(text) > MaxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fault.New(fault.KindInvalid, "steer.text", "a note has from 1 to %d bytes of text", MaxText)
	}
	return nil
}
