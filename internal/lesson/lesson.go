// Package lesson keeps what was learned of incidents for those who can make use of
// it: the agents.
//
// What for: an incident's review is read by people, once. A lesson is a few words
// that an agent fetches before it works, until a date, with a record of who read it
// and of what became of the measure that it is about.
//
// Who calls it: api for people (Put, Revoke, List, Get, Effect); app serves it to
// agents at the door (Server) and runs it.
//
// Promises: an agent is given what is for it alone, while that is neither revoked nor
// expired. What people do is in the audit log. Who read is counted in memory and
// stored within two seconds; a kill loses those. Memory is bounded. Safe for
// concurrent use.
//
// How it fails: lesson.not_found, lesson.invalid, lesson.denied, lesson.conflict,
// lesson.too_many.
//
// Start reading at Lesson and Book.For, then serve.go.
package lesson

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

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// The states of a lesson.
const (
	Active  = "active"
	Expired = "expired"
	Revoked = "revoked"
)

// The measures that a lesson can be about.
var Measures = []string{"failures", "errors", "cost", "duration", "steps"}

// Lesson is something to keep in mind.
type Lesson struct {
	ID        string    `json:"-"`
	Team      string    `json:"-"` // whose agents; "" all teams'
	Incident  string    `json:"-"` // that it was learned of; "" none
	ExpiresAt time.Time `json:"-"`
	RevokedAt time.Time `json:"-"`
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Title       string    `json:"title"`
	Text        string    `json:"text"`
	Environment string    `json:"environment,omitempty"` // "" all
	Agents      []string  `json:"agents,omitempty"`      // none: all of the team
	Owner       string    `json:"owner"`                 // a person
	Measure     string    `json:"measure,omitempty"`     // one of Measures; "" none
	By          string    `json:"by"`
	CreatedAt   time.Time `json:"created_at"`
	RevokedBy   string    `json:"revoked_by,omitempty"`
	Why         string    `json:"why,omitempty"` // it was revoked
}

// State is what a lesson is at a time.
func (l *Lesson) State(now time.Time) string {
	switch {
	case !l.RevokedAt.IsZero():
		return Revoked
	case !now.Before(l.ExpiresAt):
		return Expired
	}
	return Active
}

// Agent is who reads.
type Agent struct{ Name, Team, Environment string }

// about reports whether a lesson is for an agent.
func (l *Lesson) about(a Agent) bool {
	return (l.Team == "" || l.Team == a.Team) && (l.Environment == "" || l.Environment == a.Environment) && (len(l.Agents) == 0 || slices.Contains(l.Agents, a.Name))
}

// Actor is who changes lessons. Can reports whether they have a role for a team and
// an environment ("*": all).
type Actor struct {
	Person, Via string
	Can         func(role, team, environment string) bool
}

func (a *Actor) may(team, environment string) error {
	team, environment = cmp.Or(team, "*"), cmp.Or(environment, "*")
	for _, role := range []string{"responder", "developer"} {
		if a.Can != nil && a.Can(role, team, environment) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "lesson.denied", "a lesson needs the role responder or developer for team %q in %q", team, environment).WithHint("an admin can grant it")
}

// Read is that an agent read a lesson.
type Read struct {
	Lesson   string
	Revision int64
	Agent    string
	How      string // http, resource, prompt
	First    time.Time
	Last     time.Time
	Count    int64
}

// Effect is the measure of a lesson before its agents read it and after: nil where
// there were no runs.
type Effect struct {
	Measure     string
	Before      *float64
	After       *float64
	RunsBefore  int64
	RunsAfter   int64
	From, Since time.Time // of both parts
	To          time.Time
}

// Measured reads a measure of agents over a time: its value, and of how many runs.
type Measured func(ctx context.Context, measure string, agents []string, environment string, from, to time.Time) (value float64, runs int64, err error)

// Options of a Book. DB is required.
type Options struct {
	DB       *control.DB
	Measured Measured // nil: effects are unknown
	Now      func() time.Time
	Logger   *slog.Logger
}

const (
	maxLessons = 2000
	maxTitle   = 200
	maxText    = 8000
	maxAgents  = 100
	maxReads   = 50_000 // that wait to be stored
	longest    = 366 * 24 * time.Hour
	window     = 7 * 24 * time.Hour // of an effect, to each side
	storeEvery = 2 * time.Second
)

// Book keeps lessons. Make one with New, start it with Run.
type Book struct {
	o Options

	mu      sync.RWMutex // guards what follows
	lessons map[string]*Lesson
	reads   map[Read]*Read // by their key, with zero times and count; not stored yet
}

// New reads the lessons.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("lesson: Options.DB is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o, lessons: map[string]*Lesson{}, reads: map[Read]*Read{}}
	list, err := control.All(ctx, o.DB, scanLesson, `SELECT `+columns+` FROM lessons`)
	if err != nil {
		return nil, fmt.Errorf("reading the lessons: %w", err)
	}
	for _, l := range list {
		b.lessons[l.ID] = l
	}
	return b, nil
}

func (b *Book) now() time.Time { return b.o.Now().UTC().Truncate(time.Microsecond) }

const columns = `id, team, incident, expires_at, revoked_at, revision, updated_at, body`

func scanLesson(r control.Row) (*Lesson, error) {
	l := &Lesson{}
	var expires, revoked, updated int64
	var body string
	if err := r.Scan(&l.ID, &l.Team, &l.Incident, &expires, &revoked, &l.Revision, &updated, &body); err != nil {
		return nil, err
	}
	l.ExpiresAt, l.RevokedAt, l.UpdatedAt = control.Time(expires), control.Time(revoked), control.Time(updated)
	return l, json.Unmarshal([]byte(body), l)
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "lesson.invalid", format, args...)
}

func notFound() *fault.Error {
	return fault.New(fault.KindNotFound, "lesson.not_found", "there is no such lesson").WithHint("`reeve lesson list` lists them")
}

func (l *Lesson) check(now time.Time) error {
	control := func(s string, lines bool) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return (r < ' ' && !(lines && (r == '\n' || r == '\t'))) || r == 0x7f })
	}
	switch {
	case l.Title == "" || len(l.Title) > maxTitle || control(l.Title, false):
		return invalid("a title is a line of 1 to %d bytes", maxTitle)
	case l.Text == "" || len(l.Text) > maxText || control(l.Text, true):
		return invalid("a lesson has 1 to %d bytes of plain text", maxText)
	case l.Owner == "" || len(l.Owner) > 100:
		return invalid("a lesson has an owner").WithHint("what nobody owns is never taken back")
	case !l.ExpiresAt.After(now) || l.ExpiresAt.After(now.Add(longest)):
		return invalid("a lesson ends within a year").WithHint("it can be given a later end then")
	case len(l.Agents) > maxAgents || slices.Contains(l.Agents, "") || len(l.Team) > 200 || len(l.Environment) > 200 || len(l.Incident) > 100:
		return invalid("a lesson is for at most %d agents, by name", maxAgents)
	case l.Measure != "" && !slices.Contains(Measures, l.Measure):
		return invalid("a measure is one of %s, or none", strings.Join(Measures, ", "))
	}
	return nil
}

// Put makes a lesson, or changes the one of its ID at its Revision.
func (b *Book) Put(ctx context.Context, who Actor, l Lesson) (Lesson, error) {
	now := b.now()
	l.Title, l.Text = strings.TrimSpace(l.Title), strings.TrimSpace(strings.ReplaceAll(l.Text, "\r\n", "\n"))
	l.ExpiresAt = l.ExpiresAt.UTC().Truncate(time.Microsecond)
	if err := who.may(l.Team, l.Environment); err != nil {
		return Lesson{}, err
	}
	if err := l.check(now); err != nil {
		return Lesson{}, err
	}
	b.mu.RLock()
	old, n := b.lessons[l.ID], len(b.lessons)
	b.mu.RUnlock()
	switch {
	case l.ID == "" && n >= maxLessons:
		return Lesson{}, fault.New(fault.KindExhausted, "lesson.too_many", "there are %d lessons", n).WithHint("who reads them all?")
	case l.ID == "":
		l.ID, l.Revision, l.By, l.CreatedAt = activity.Mint("les_", now.UnixNano()), 0, who.Person, now
	case old == nil:
		return Lesson{}, notFound()
	default:
		if err := who.may(old.Team, old.Environment); err != nil {
			return Lesson{}, err
		}
		if l.Revision != old.Revision {
			return Lesson{}, fault.New(fault.KindConflict, "lesson.conflict", "somebody changed it since you read it").WithHint("read it again")
		}
		l.By, l.CreatedAt, l.Incident = old.By, old.CreatedAt, cmp.Or(l.Incident, old.Incident)
	}
	l.RevokedAt, l.RevokedBy, l.Why, l.UpdatedAt = time.Time{}, "", "", now
	return b.store(ctx, who, l, "put", "")
}

// Revoke takes a lesson back: no agent is given it any more.
func (b *Book) Revoke(ctx context.Context, who Actor, id, why string) (Lesson, error) {
	l, err := b.Get(id)
	if err != nil {
		return l, err
	}
	if err := who.may(l.Team, l.Environment); err != nil {
		return Lesson{}, err
	}
	if !l.RevokedAt.IsZero() {
		return Lesson{}, fault.New(fault.KindConflict, "lesson.conflict", "it was revoked already")
	}
	if why = strings.TrimSpace(why); why == "" || len(why) > 800 {
		return Lesson{}, invalid("this needs a reason of at most 800 bytes")
	}
	l.RevokedAt, l.RevokedBy, l.Why, l.UpdatedAt = b.now(), who.Person, why, b.now()
	return b.store(ctx, who, l, "revoke", why)
}

func (b *Book) store(ctx context.Context, who Actor, l Lesson, action, reason string) (Lesson, error) {
	was := l.Revision
	l.Revision++
	body, err := json.Marshal(l)
	if err != nil {
		return Lesson{}, err
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO lessons (id, team, incident, expires_at, revoked_at, revision, updated_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET team = excluded.team, incident = excluded.incident, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
			revision = excluded.revision, updated_at = excluded.updated_at, body = excluded.body WHERE lessons.revision = ?`,
			l.ID, l.Team, l.Incident, control.Micros(l.ExpiresAt), control.Micros(l.RevokedAt), l.Revision, control.Micros(l.UpdatedAt), string(body), was)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindConflict, "lesson.conflict", "somebody changed it since you read it").WithHint("read it again")
		}
		if err := tx.Event(ctx, control.Event{Type: "lesson.updated", Object: l.ID}); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.lessons[l.ID] = &l
			b.mu.Unlock()
		})
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.lesson", Person: who.Person, Via: who.Via, Action: action, Object: l.ID, Reason: reason, After: map[string]any{"title": l.Title, "team": l.Team, "agents": l.Agents, "expires_at": l.ExpiresAt, "revision": l.Revision}})
	})
	return l, err
}

// Get is one lesson.
func (b *Book) Get(id string) (Lesson, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	l := b.lessons[id]
	if l == nil {
		return Lesson{}, notFound()
	}
	return *l, nil
}

// List is all lessons, the newest first.
func (b *Book) List() []Lesson {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Lesson, 0, len(b.lessons))
	for _, l := range b.lessons {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(x, y Lesson) int {
		return cmp.Or(y.CreatedAt.Compare(x.CreatedAt), strings.Compare(y.ID, x.ID))
	})
	return out
}

// Active is how many lessons hold.
func (b *Book) Active() (n int) {
	now := b.now()
	for _, l := range b.List() {
		if l.State(now) == Active {
			n++
		}
	}
	return n
}

// For are the lessons that hold for an agent now, the newest first.
func (b *Book) For(a Agent) []Lesson {
	now := b.now()
	return slices.DeleteFunc(b.List(), func(l Lesson) bool { return l.State(now) != Active || !l.about(a) })
}

// Gave notes that an agent was given a lesson.
func (b *Book) Gave(a Agent, l *Lesson, how string) {
	now := b.now()
	k := Read{Lesson: l.ID, Revision: l.Revision, Agent: a.Name, How: how}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.reads[k]
	if r == nil {
		if len(b.reads) >= maxReads {
			return // who reads is counted, and never worth the memory of the door
		}
		r = &Read{Lesson: k.Lesson, Revision: k.Revision, Agent: k.Agent, How: k.How, First: now}
		b.reads[k] = r
	}
	r.Last = now
	r.Count++
}

// Run stores who read, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(storeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			b.Flush(last)
			return context.Cause(ctx)
		case <-tick.C:
			b.Flush(ctx)
		}
	}
}

// Flush stores who read since the last time.
func (b *Book) Flush(ctx context.Context) {
	b.mu.Lock()
	reads := b.reads
	b.reads = map[Read]*Read{}
	b.mu.Unlock()
	if len(reads) == 0 {
		return
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, r := range reads {
			if _, err := tx.Exec(ctx, `INSERT INTO lesson_reads (lesson, revision, agent, how, first_at, last_at, count) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (lesson, revision, agent, how) DO UPDATE SET last_at = excluded.last_at, count = lesson_reads.count + excluded.count`,
				r.Lesson, r.Revision, r.Agent, r.How, control.Micros(r.First), control.Micros(r.Last), r.Count); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		// They are lost: that an agent read is told a little too low.
		b.o.Logger.Warn("who read lessons could not be stored", "err", err)
	}
}

// Reads lists who read a lesson, the latest first.
func (b *Book) Reads(ctx context.Context, id string) ([]Read, error) {
	b.Flush(ctx)
	return control.All(ctx, b.o.DB, func(r control.Row) (x Read, err error) {
		var first, last int64
		err = r.Scan(&x.Lesson, &x.Revision, &x.Agent, &x.How, &first, &last, &x.Count)
		x.First, x.Last = control.Time(first), control.Time(last)
		return x, err
	}, `SELECT lesson, revision, agent, how, first_at, last_at, count FROM lesson_reads WHERE lesson = ? ORDER BY last_at DESC, agent LIMIT 1000`, id)
}

// Effect is the measure of a lesson over the agents that read it, before the first
// of them did and after; ok is false without a measure or a reader.
func (b *Book) Effect(ctx context.Context, l *Lesson, reads []Read) (e Effect, ok bool, err error) {
	if l.Measure == "" || len(reads) == 0 || b.o.Measured == nil {
		return e, false, nil
	}
	now := b.now()
	var agents []string
	first := now
	for _, r := range reads {
		if !slices.Contains(agents, r.Agent) {
			agents = append(agents, r.Agent)
		}
		if r.First.Before(first) {
			first = r.First
		}
	}
	slices.Sort(agents)
	e = Effect{Measure: l.Measure, From: first.Add(-window), Since: first, To: now}
	if end := first.Add(window); end.Before(now) {
		e.To = end
	}
	part := func(from, to time.Time) (*float64, int64, error) {
		v, n, err := b.o.Measured(ctx, l.Measure, agents, l.Environment, from, to)
		if err != nil || n == 0 {
			return nil, 0, err
		}
		return &v, n, nil
	}
	if e.Before, e.RunsBefore, err = part(e.From, e.Since); err != nil {
		return e, false, err
	}
	e.After, e.RunsAfter, err = part(e.Since, e.To)
	return e, err == nil, err
}
