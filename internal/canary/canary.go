// Package canary asks models the same questions again and again, and tells when
// what answers under a name is another thing than before.
//
// What for: a provider changes the model behind an alias without a word. Nobody's
// telemetry says so; fixed prompts do, since the same model answers them alike.
//
// Who calls it: api keeps canaries and shows their answers; app runs it and gives
// it the way to ask, which is the door, and who is told.
//
// Promises: each canary is asked once a period, through the door as the agent that
// it names, so that policies, budgets and records hold for it. What was answered is
// kept, and what is told rests on what is kept alone, so a restart forgets nothing.
// A period that was missed is not asked for afterwards. Safe for concurrent use.
//
// How it fails: canary.invalid, canary.not_found, canary.denied, canary.conflict, canary.off. A
// question that the door refuses or the model does not answer is kept as an error
// and counts for nothing: it is no change of the model. Three rounds in a row without
// an answer are told as such, since nobody looks at a name meanwhile.
//
// Start reading at Canary and Book.Run, then judge.go for what counts as a change.
package canary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Canary is one name of a model that is watched.
type Canary struct {
	Name      string    `json:"-"`
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`
	From      time.Time `json:"-"` // where the normal begins
	Due       time.Time `json:"-"`

	Team        string        `json:"team"`
	Environment string        `json:"environment"`
	Agent       string        `json:"agent"`    // as whom it asks
	Upstream    string        `json:"upstream"` // of kind llm
	Model       string        `json:"model"`    // the name that is asked for
	Every       time.Duration `json:"every"`
	Prompts     []string      `json:"prompts,omitempty"` // none: Prompts
	Off         bool          `json:"off,omitempty"`
	By          string        `json:"by"`
}

// Answer is what came of one prompt.
type Answer struct {
	At          time.Time     `json:"-"`
	Prompt      int           `json:"prompt"`
	Error       string        `json:"error,omitempty"`       // why there is none
	Model       string        `json:"model,omitempty"`       // that answered
	Fingerprint string        `json:"fingerprint,omitempty"` // as the provider gives it
	Finish      string        `json:"finish,omitempty"`
	Text        string        `json:"text,omitempty"` // cut
	In          int64         `json:"in"`
	Out         int64         `json:"out"`
	Took        time.Duration `json:"took"`
	Decision    string        `json:"decision,omitempty"`
}

// Prompts are asked where a canary has none of its own: short, without anybody's
// data, each with few answers that a model gives again and again.
var Prompts = []string{
	"Answer with one word: the colour of a clear sky at noon.",
	"Answer with digits only: 17 times 23.",
	"Complete with one word: the quick brown fox jumps over the lazy",
	"Name the third planet from the sun. One word.",
	"Translate into French, one word: bread.",
	"Write the letters of the word 'canary' backwards, without spaces.",
	"Answer yes or no: is 91 a prime number?",
	"Give one synonym of 'happy'. One word.",
}

// Options of a Book: DB, Ask, Changed and Silent are required.
type Options struct {
	DB *control.DB
	// Ask puts one prompt to the model of a canary, through the door.
	Ask func(ctx context.Context, c Canary, prompt string) Answer
	// Changed is told what a canary's answers tell.
	Changed func(ctx context.Context, c Canary, shifts []Shift) error
	// Silent is told of a canary that nothing has answered for SilentRounds or more.
	Silent func(ctx context.Context, c Canary, s Standing) error
	Now    func() time.Time
	Logger *slog.Logger
}

// Book keeps canaries and asks them.
type Book struct {
	o       Options
	asking  sync.Mutex // one round at a time
	changed chan struct{}

	mu     sync.Mutex // guards judged
	judged map[string]judged
}

// New makes a book. It starts nothing.
func New(o Options) (*Book, error) {
	if o.DB == nil || o.Ask == nil || o.Changed == nil || o.Silent == nil {
		return nil, errors.New("canary: DB, Ask, Changed and Silent are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Book{o: o, changed: make(chan struct{}, 1), judged: map[string]judged{}}, nil
}

// Actor is who keeps canaries: developers, responders and security of their team.
type Actor struct {
	Person, Name, Via string
	Can               func(role, team, environment string) bool
}

func (who *Actor) may(team, environment string) error {
	for _, role := range []string{"developer", "responder", "security"} {
		if who.Can != nil && who.Can(role, team, environment) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "canary.denied", "a canary of team %q in %q is kept by its developers, responders and security", team, environment)
}

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

const (
	minEvery   = 10 * time.Minute
	maxEvery   = 7 * 24 * time.Hour
	maxPrompts = 50
	maxPrompt  = 1000
	maxAll     = 200
	maxKept    = 4000 // answers of one canary
	maxAsking  = 8    // at once
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "canary.invalid", format, args...)
}

func notFound() error {
	return fault.New(fault.KindNotFound, "canary.not_found", "there is no such canary").WithHint("`reeve canary list` lists them")
}

func (c *Canary) check() error {
	line := func(s string, most int) bool {
		return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	switch {
	case !nameShape.MatchString(c.Name):
		return invalid("a canary's name has 1 to 63 of a-z, 0-9 and hyphens")
	case !line(c.Team, 64) || !line(c.Environment, 64) || !line(c.Agent, 64) || !line(c.Upstream, 64) || !line(c.Model, 200):
		return invalid("a canary names a team, an environment, an agent, an upstream and a model")
	case c.Every < minEvery || c.Every > maxEvery:
		return invalid("a canary is asked every 10 minutes to 7 days")
	case len(c.Prompts) > maxPrompts:
		return invalid("a canary has at most %d prompts", maxPrompts)
	}
	for _, p := range c.Prompts {
		if !line(p, maxPrompt) {
			return invalid("a prompt is a line of at most %d bytes", maxPrompt)
		}
	}
	return nil
}

// Questions are the prompts that a canary asks.
func (c *Canary) Questions() []string {
	if len(c.Prompts) > 0 {
		return c.Prompts
	}
	return Prompts
}

const columns = `name, body, revision, updated_at, looked_from, due_at FROM canaries`

func scan(r control.Row) (c Canary, err error) {
	var body string
	var updated, from, due int64
	if err := r.Scan(&c.Name, &body, &c.Revision, &updated, &from, &due); err != nil {
		return c, err
	}
	c.UpdatedAt, c.From, c.Due = control.Time(updated), control.Time(from), control.Time(due)
	return c, json.Unmarshal([]byte(body), &c)
}

// List is all canaries by name.
func (b *Book) List(ctx context.Context) ([]Canary, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT `+columns+` ORDER BY name LIMIT 1000`)
}

// Get reads one.
func (b *Book) Get(ctx context.Context, name string) (Canary, error) {
	c, ok, err := control.One(ctx, b.o.DB, scan, `SELECT `+columns+` WHERE name = ?`, name)
	if err == nil && !ok {
		err = notFound()
	}
	return c, err
}

// Answers are the newest answers of a canary, the newest first.
func (b *Book) Answers(ctx context.Context, name string, limit int) ([]Answer, error) {
	return control.All(ctx, b.o.DB, scanAnswer, `SELECT at, body FROM canary_answers WHERE canary = ? ORDER BY at DESC, id DESC LIMIT ?`, name, min(max(limit, 1), maxKept))
}

func scanAnswer(r control.Row) (a Answer, err error) {
	var at int64
	var body string
	if err := r.Scan(&at, &body); err != nil {
		return a, err
	}
	a.At = control.Time(at)
	return a, json.Unmarshal([]byte(body), &a)
}

// Put makes or changes a canary. One that asks something else, or elsewhere, begins
// its normal anew.
func (b *Book) Put(ctx context.Context, who Actor, c Canary, reason string) (Canary, error) {
	c.By = who.Name
	if err := c.check(); err != nil {
		return Canary{}, err
	}
	if err := who.may(c.Team, c.Environment); err != nil {
		return Canary{}, err
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		old, there, err := control.One(ctx, tx, scan, `SELECT `+columns+` WHERE name = ?`, c.Name)
		if err != nil {
			return err
		}
		var before any
		if there {
			before = old
			if err := who.may(old.Team, old.Environment); err != nil {
				return err
			}
			if c.Revision != 0 && c.Revision != old.Revision {
				return fault.New(fault.KindConflict, "canary.conflict", "canary %s is at revision %d", c.Name, old.Revision).WithHint("read it again and repeat")
			}
		} else {
			n, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM canaries`)
			if err != nil {
				return err
			}
			if n >= maxAll {
				return fault.New(fault.KindExhausted, "canary.too_many", "there are %d canaries already", maxAll)
			}
		}
		c.Revision, c.UpdatedAt, c.From, c.Due = old.Revision+1, now, now, now
		if there && old.Agent == c.Agent && old.Upstream == c.Upstream && old.Model == c.Model && strings.Join(old.Questions(), "\n") == strings.Join(c.Questions(), "\n") {
			c.From, c.Due = old.From, old.Due
		}
		if err := c.save(ctx, tx); err != nil {
			return err
		}
		return errors.Join(c.tell(ctx, tx), b.record(ctx, tx, who, "put", c.Name, reason, before, c))
	})
	if err == nil {
		b.wake()
	}
	return c, err
}

func (c *Canary) save(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO canaries (name, body, revision, updated_at, looked_from, due_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at, looked_from = excluded.looked_from, due_at = excluded.due_at`,
		c.Name, string(body), c.Revision, control.Micros(c.UpdatedAt), control.Micros(c.From), control.Micros(c.Due))
	return err
}

func (b *Book) record(ctx context.Context, tx *control.Tx, who Actor, action, name, reason string, before, after any) error {
	return audit.Append(ctx, tx, audit.Record{Kind: "admin.canary_" + action, Person: who.Person, Via: who.Via, Action: action, Object: name, Reason: reason, Before: before, After: after})
}

// tell lets live views know that a canary or its answers are other than before; the
// data name who may see it.
func (c *Canary) tell(ctx context.Context, tx *control.Tx) error {
	data, err := json.Marshal(map[string]string{"id": c.Name, "team": c.Team, "environment": c.Environment})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "canary.updated", Object: c.Name, Data: data})
}

// edit changes a canary that is there.
func (b *Book) edit(ctx context.Context, who Actor, name, action, reason string, f func(tx *control.Tx, c *Canary) error) (Canary, error) {
	var c Canary
	err := b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		var there bool
		if c, there, err = control.One(ctx, tx, scan, `SELECT `+columns+` WHERE name = ?`, name); err != nil {
			return err
		}
		if !there {
			return notFound()
		}
		if err := who.may(c.Team, c.Environment); err != nil {
			return err
		}
		before := c
		if err := f(tx, &c); err != nil {
			return err
		}
		return errors.Join(c.tell(ctx, tx), b.record(ctx, tx, who, action, name, reason, before, c))
	})
	return c, err
}

// Delete drops a canary and its answers.
func (b *Book) Delete(ctx context.Context, who Actor, name, reason string) error {
	_, err := b.edit(ctx, who, name, "delete", reason, func(tx *control.Tx, _ *Canary) error {
		if _, err := tx.Exec(ctx, `DELETE FROM canary_answers WHERE canary = ?`, name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM canaries WHERE name = ?`, name)
		return err
	})
	return err
}

// Accept says that what answers now is the new normal.
func (b *Book) Accept(ctx context.Context, who Actor, name, reason string) (Canary, error) {
	return b.edit(ctx, who, name, "accept", reason, func(tx *control.Tx, c *Canary) error {
		c.From = b.o.Now().UTC().Truncate(time.Microsecond)
		c.UpdatedAt, c.Revision = c.From, c.Revision+1
		return c.save(ctx, tx)
	})
}

// AskNow makes a canary due at once, whatever its period: what it is answered counts
// as any other round.
func (b *Book) AskNow(ctx context.Context, who Actor, name, reason string) (Canary, error) {
	c, err := b.edit(ctx, who, name, "ask", reason, func(tx *control.Tx, c *Canary) error {
		if c.Off {
			return fault.New(fault.KindConflict, "canary.off", "canary %s is paused", name).WithHint("let it ask again first")
		}
		c.Due = b.o.Now().UTC().Truncate(time.Microsecond)
		return c.save(ctx, tx)
	})
	if err == nil {
		b.wake()
	}
	return c, err
}

func (b *Book) wake() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

const lookEvery = 30 * time.Second

// Run asks what is due until ctx ends, whose cause it returns. A database that fails
// is logged and asked again.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := b.Round(ctx); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("canaries could not be asked and are again", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-b.changed:
		}
	}
}

// Round asks each canary that is due, and tells what its answers tell.
func (b *Book) Round(ctx context.Context) error {
	b.asking.Lock()
	defer b.asking.Unlock()
	list, err := b.List(ctx)
	if err != nil {
		return err
	}
	var all errgroup.Group
	all.SetLimit(maxAsking) // one upstream that hangs does not hold up the others
	for _, c := range list {
		if now := b.o.Now(); c.Off || now.Before(c.Due) || ctx.Err() != nil {
			continue
		}
		all.Go(func() error {
			if err := b.ask(ctx, c); err != nil {
				return fmt.Errorf("asking canary %s: %w", c.Name, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// ask puts a canary's prompts once. It is due again a period from now before the
// first is asked, so that a crash does not ask it over and over.
func (b *Book) ask(ctx context.Context, c Canary) error {
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE canaries SET due_at = ? WHERE name = ?`, control.Micros(now.Add(c.Every)), c.Name)
		return err
	}); err != nil {
		return err
	}
	var answers []Answer
	for i, p := range c.Questions() {
		a := b.o.Ask(ctx, c, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.Prompt, a.At = i, b.o.Now().UTC().Truncate(time.Microsecond)
		if len(a.Text) > maxAnswer {
			a.Text = strings.ToValidUTF8(a.Text[:maxAnswer], "")
		}
		answers = append(answers, a)
		if a.Error != "" {
			break // what does not answer is not asked seven times more
		}
	}
	if err := b.keep(ctx, &c, answers); err != nil {
		return err
	}
	shifts, err := b.Judge(ctx, c)
	if err != nil {
		return err
	}
	s, err := b.Stands(ctx, c)
	if err != nil {
		return err
	}
	if s.Silent >= SilentRounds {
		err = b.o.Silent(ctx, c, s)
	}
	if len(shifts) > 0 {
		err = errors.Join(err, b.o.Changed(ctx, c, shifts))
	}
	return err
}

const maxAnswer = 400

func (b *Book) keep(ctx context.Context, c *Canary, answers []Answer) error {
	name := c.Name
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, a := range answers {
			body, err := json.Marshal(a)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO canary_answers (canary, at, body) VALUES (?, ?, ?)`, name, control.Micros(a.At), string(body)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM canary_answers WHERE canary = ? AND id <= (SELECT id FROM canary_answers WHERE canary = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, name, name, maxKept); err != nil {
			return err
		}
		return c.tell(ctx, tx)
	})
}
