package evaluate

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// Runs reads what runs said.
type Runs interface {
	// Texts reads a run; false when it is gone.
	Texts(ctx context.Context, id activity.RunID) (Texts, bool, error)
	// Ended lists runs that ended since a time, the newest first.
	Ended(ctx context.Context, since time.Time, limit int) ([]activity.Run, error)
	// Newest lists the newest runs since a time that ended, are no tests, and are of those
	// that an evaluator names.
	Newest(ctx context.Context, e *Evaluator, since time.Time, limit int) ([]activity.RunID, error)
}

// Options of a Book. DB and Runs are required.
type Options struct {
	DB    *control.DB
	Runs  Runs
	Find  Finder // nil: evaluators of kind leak say that they cannot look
	Model Model  // nil: judges cannot be asked
	// Agent is where an agent belongs, for judges that ask as it; nil with Model.
	Agent  func(name string) (team, environment string, ok bool)
	Pause  time.Duration // before a model that was away is asked again; 0 is 10 s
	Logger *slog.Logger
	Now    func() time.Time
}

const (
	maxEvaluators = 200
	maxQueue      = 20_000
	maxRows       = 500_000
	keep          = 90 * 24 * time.Hour
	together      = 50 // runs whose evaluations share a transaction
	catchUp       = time.Hour
	maxTries      = 5
	maxTrying     = 2
)

// Book keeps evaluators and what they found. Make one with New, start it with Run.
type Book struct {
	o   Options
	set atomic.Pointer[[]*Evaluator]

	mu      sync.Mutex
	queue   []queued
	queued  map[activity.RunID]bool
	judging []judging
	spent   map[string]spent // by judge

	wake, wakeJudge chan struct{}
	trying          chan struct{} // a slot for each Try
	refused         atomic.Pointer[Refusal]
	stats           struct{ runs, evaluations, dropped, failed, micros, asked, unasked, tokens, nanos atomic.Int64 }
}

type queued struct {
	id    activity.RunID
	tries int
}

// Stats are counts since the start.
type Stats struct {
	Runs, Evaluations, Dropped, Failed, Micros, Waiting int64
	Asked, Unasked, Tokens, Nanos, Judging              int64 // of judges; Nanos of USD, as far as prices are known
}

// Stats reads the counts. Micros is the time that evaluators took.
func (b *Book) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{b.stats.runs.Load(), b.stats.evaluations.Load(), b.stats.dropped.Load(), b.stats.failed.Load(), b.stats.micros.Load(), int64(len(b.queue)), b.stats.asked.Load(), b.stats.unasked.Load(), b.stats.tokens.Load(), b.stats.nanos.Load(), int64(len(b.judging))}
}

// New reads the evaluators.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Runs == nil {
		return nil, errors.New("evaluate: DB and Runs are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Pause = cmp.Or(o.Pause, 10*time.Second)
	if o.Find == nil {
		o.Find = func(string, string, string) ([]string, error) { return nil, errors.New("nothing is known to find by") }
	}
	b := &Book{o: o, queued: map[activity.RunID]bool{}, spent: map[string]spent{}, wake: make(chan struct{}, 1), wakeJudge: make(chan struct{}, 1), trying: make(chan struct{}, maxTrying)}
	return b, b.load(ctx, o.DB)
}

const evaluatorColumns = `name, team, environment, revision, body, updated_at`

// scanEvaluator reads what is stored, ready or not: what no longer compiles can
// still be changed and removed.
func (b *Book) scanEvaluator(r control.Row) (*Evaluator, error) {
	var e Evaluator
	var text string
	var at int64
	if err := r.Scan(&e.Name, &e.Team, &e.Environment, &e.Revision, &text, &at); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		b.o.Logger.Warn("a stored evaluator cannot be read", "evaluator", e.Name, "err", err)
		e.Kind = "" // of which nothing can be made
	}
	e.UpdatedAt = control.Time(at)
	return &e, nil
}

// compile is Compile with what this book knows to find.
func (b *Book) compile(e Evaluator) (*Evaluator, error) {
	out, err := Compile(e)
	if err == nil && out.Kind == "leak" {
		out.check = leak(b.o.Find)
	}
	return out, err
}

func (b *Book) load(ctx context.Context, r control.Reader) error {
	all, err := control.All(ctx, r, b.scanEvaluator, `SELECT `+evaluatorColumns+` FROM evaluators ORDER BY name`)
	if err != nil {
		return fmt.Errorf("reading evaluators: %w", err)
	}
	for i, e := range all {
		ready, err := b.compile(*e)
		if err != nil {
			// One that was taken by other rules must not keep a server from starting. It
			// stays listed, and looks at nothing (About).
			b.o.Logger.Warn("a stored evaluator is skipped: it is no longer valid", "evaluator", e.Name, "err", err)
			continue
		}
		all[i] = ready
	}
	b.set.Store(&all)
	return nil
}

// Evaluators lists them by name. They are shared: do not change them.
func (b *Book) Evaluators() []*Evaluator { return *b.set.Load() }

// Actor is who changes something.
type Actor struct {
	Person, Name, Via string
	// Can reports whether the actor has a role for a team and environment; "*"
	// stands for all of them.
	Can func(role, team, environment string) bool
}

func (w *Actor) may(roles []string, team, environment string) error {
	for _, r := range roles {
		if w.Can(r, cmp.Or(team, "*"), cmp.Or(environment, "*")) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "evaluate.denied", "this needs the role %s for team %q in %q", strings.Join(roles, " or "), team, environment).WithHint("name the team that it is for")
}

// Put makes an evaluator, or changes the one of that revision.
func (b *Book) Put(ctx context.Context, who Actor, e Evaluator) (*Evaluator, error) {
	if err := who.may([]string{"developer"}, e.Team, e.Environment); err != nil {
		return nil, err
	}
	if _, err := b.compile(e); err != nil {
		return nil, err
	}
	if err := b.mayAsk(who, e.Judge); err != nil {
		return nil, err
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, b.scanEvaluator, `SELECT `+evaluatorColumns+` FROM evaluators WHERE name = ?`, e.Name)
		if err != nil {
			return err
		}
		var revision int64
		if known {
			revision = was.Revision
			if err := who.may([]string{"developer"}, was.Team, was.Environment); err != nil {
				return err
			}
		} else if len(b.Evaluators()) >= maxEvaluators {
			return fault.New(fault.KindExhausted, "evaluate.too_many", "there are %d evaluators", maxEvaluators)
		}
		if e.Revision != revision {
			return fault.New(fault.KindConflict, "evaluate.conflict", "evaluator %s was changed meanwhile, or is there already", e.Name).WithHint("read it again and give its revision")
		}
		e.Revision = revision + 1
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO evaluators (`+evaluatorColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET team = excluded.team, environment = excluded.environment, revision = excluded.revision, body = excluded.body, updated_at = excluded.updated_at`,
			e.Name, e.Team, e.Environment, e.Revision, string(text), control.Micros(b.o.Now())); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.evaluator_put", Person: who.Person, Via: who.Via, Action: "put", Object: e.Name, After: json.RawMessage(text)}); err != nil {
			return err
		}
		return b.load(ctx, tx)
	})
	if err != nil {
		return nil, errors.Join(err, b.reload(ctx))
	}
	return b.find(e.Name)
}

// reload reads them again after a write that failed, which may have loaded what
// was not committed.
func (b *Book) reload(ctx context.Context) error { return b.load(ctx, b.o.DB) }

func (b *Book) find(name string) (*Evaluator, error) {
	all := b.Evaluators()
	if i := slices.IndexFunc(all, func(e *Evaluator) bool { return e.Name == name }); i >= 0 {
		return all[i], nil
	}
	return nil, fault.New(fault.KindNotFound, "evaluate.not_found", "there is no evaluator %.80s", name).WithHint("`reeve evaluator list` lists them")
}

// Delete removes an evaluator; what it found stays.
func (b *Book) Delete(ctx context.Context, who Actor, name string) error {
	e, err := b.find(name)
	if err != nil {
		return err
	}
	if err := who.may([]string{"developer"}, e.Team, e.Environment); err != nil {
		return err
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM evaluators WHERE name = ?`, name); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.evaluator_deleted", Person: who.Person, Via: who.Via, Action: "delete", Object: name})
	})
	return errors.Join(err, b.reload(ctx))
}

// Try tells what an evaluator that need not be kept finds of texts. Few are tried
// at a time, and others wait: it is the work of whoever asks, at any rate.
func (b *Book) Try(ctx context.Context, who Actor, e Evaluator, t *Texts) (Found, Cost, error) {
	select {
	case b.trying <- struct{}{}:
		defer func() { <-b.trying }()
	case <-ctx.Done():
		return Found{}, Cost{}, context.Cause(ctx)
	}
	out, err := b.compile(e)
	if err != nil {
		return Found{}, Cost{}, err
	}
	if out.Judge == nil {
		return out.Look(t), Cost{}, nil
	}
	if err := b.mayAsk(who, out.Judge); err != nil {
		return Found{}, Cost{}, err
	}
	// Tries have a day of their own, whatever the judge that is tried says.
	day := *out
	judge := *out.Judge
	judge.Daily, day.Judge = 0, &judge
	if err := b.spend(ctx, &day); err != nil {
		return Found{}, Cost{}, err
	}
	f, c, err := b.ask(ctx, out, t, id("try", rand.Text()))
	if err == nil {
		b.paid(c)
	}
	return f, c, err
}

// LookBy has an evaluator that there is look at texts that are no run's: an answer
// of a test. A judge is asked, and its question counts in its day.
func (b *Book) LookBy(ctx context.Context, who Actor, name string, t *Texts) (Found, error) {
	e, err := b.find(name)
	switch {
	case err != nil:
		return Found{}, err
	case e.Team != "" && !who.Can("viewer", e.Team, cmp.Or(e.Environment, "*")):
		return Found{}, fault.New(fault.KindNotFound, "evaluate.not_found", "there is no evaluator %.80s", name)
	case e.check == nil:
		return Found{}, invalid("evaluator %s is no longer valid", name)
	case e.Judge == nil:
		return e.Look(t), nil
	}
	if err := b.mayAsk(who, e.Judge); err != nil {
		return Found{}, err
	}
	if err := b.spend(ctx, e); err != nil {
		return Found{}, err
	}
	f, c, err := b.ask(ctx, e, t, id("test", rand.Text()))
	if err == nil {
		b.paid(c)
	}
	return f, err
}

// Observe takes note of runs that ended. It must be quick: it is in the reader's
// way.
func (b *Book) Observe(w *telemetry.Write) {
	if len(b.Evaluators()) > 0 {
		b.enqueue(w.Runs)
	}
}

func (b *Book) enqueue(runs []activity.Run) {
	all := b.Evaluators()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range runs {
		r := &runs[i]
		if r.Status != activity.RunDone || b.queued[r.ID] || !slices.ContainsFunc(all, func(e *Evaluator) bool { return e.About(r) }) {
			continue
		}
		if len(b.queue) >= maxQueue {
			b.stats.dropped.Add(1)
			continue
		}
		b.queue = append(b.queue, queued{id: r.ID})
		b.queued[r.ID] = true
	}
	if len(b.queue) > 0 {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

// Run evaluates what ended until ctx ends, whose cause it returns.
func (b *Book) Run(ctx context.Context) error {
	if runs, err := b.o.Runs.Ended(ctx, b.o.Now().Add(-catchUp), maxQueue/2); err == nil {
		b.enqueue(runs)
	} else if ctx.Err() == nil {
		b.o.Logger.Warn("runs that ended before the start are not evaluated", "err", err)
	}
	var judges sync.WaitGroup
	judges.Go(func() { b.runJudges(ctx) })
	defer judges.Wait()
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	for {
		more, err := b.Work(ctx)
		if err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("runs were not evaluated and are again", "err", err)
		}
		if more && err == nil {
			continue
		}
		pause := time.NewTimer(5 * time.Second)
		select {
		case <-b.wake:
		case <-pause.C:
		case <-tidy.C:
			if err := b.tidy(ctx); err != nil && ctx.Err() == nil {
				b.o.Logger.Warn("old evaluations could not be dropped", "err", err)
			}
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
		pause.Stop()
	}
}

// Work evaluates some of what waits, and reports whether more does; Run does it
// by itself.
func (b *Book) Work(ctx context.Context) (more bool, err error) {
	b.mu.Lock()
	n := min(len(b.queue), together)
	batch := slices.Clone(b.queue[:n])
	b.queue = slices.Delete(b.queue, 0, n)
	for _, q := range batch {
		delete(b.queued, q.id)
	}
	more = len(b.queue) > 0
	b.mu.Unlock()
	var out []Evaluation
	var errs []error
	for _, q := range batch {
		found, err := b.evaluate(ctx, q.id)
		if err != nil {
			errs = append(errs, err)
			b.later(q)
			continue
		}
		out = append(out, found...)
	}
	if err := b.save(ctx, out); err != nil {
		for _, q := range batch {
			b.later(q)
		}
		return false, errors.Join(append(errs, err)...)
	}
	return more, errors.Join(errs...)
}

// later has a run looked at again, a few times.
func (b *Book) later(q queued) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q.tries++; q.tries >= maxTries {
		b.stats.failed.Add(1)
		return
	}
	if !b.queued[q.id] {
		b.queue, b.queued[q.id] = append(b.queue, q), true
	}
}

func (b *Book) evaluate(ctx context.Context, run activity.RunID) ([]Evaluation, error) {
	t, ok, err := b.o.Runs.Texts(ctx, run)
	if err != nil || !ok {
		return nil, err
	}
	row := activity.Run{ID: run, Team: t.Team, Environment: t.Environment, Agent: t.Agent, Mode: t.Mode}
	var out []Evaluation
	for _, e := range b.Evaluators() {
		if !e.About(&row) || e.Judge != nil {
			continue
		}
		began := time.Now()
		x := Evaluation{
			ID: id("online", run.String(), e.Name, fmt.Sprint(e.Revision)), Run: run.String(), Evaluator: e.Name, Source: Online, Agent: t.Agent, Version: t.Version, Team: t.Team, Environment: t.Environment,
			At: b.o.Now().UTC().Truncate(time.Microsecond), Found: e.Look(&t), Kind: e.Kind, Revision: e.Revision,
		}
		x.TookUS = time.Since(began).Microseconds()
		b.stats.micros.Add(x.TookUS)
		out = append(out, x)
	}
	for _, e := range b.Evaluators() {
		if e.Judge == nil || !e.About(&row) || b.judges(t.Agent) {
			continue
		}
		unsure := func(x Evaluation) bool { return x.Evaluator == e.Judge.After && x.Verdict == Unsure }
		if e.Judge.After == "" || slices.ContainsFunc(out, unsure) {
			b.judgeLater(run, e.Name, 0)
		}
	}
	b.stats.runs.Add(1)
	return out, nil
}

func (b *Book) save(ctx context.Context, all []Evaluation) error {
	if len(all) == 0 {
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for i := range all {
			if err := all[i].write(ctx, tx); err != nil {
				return err
			}
		}
		data, err := json.Marshal(map[string]any{"run": all[0].Run, "evaluations": len(all)})
		if err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "evaluation.updated", Object: all[0].Run, Data: data})
	})
	if err != nil {
		return err
	}
	b.stats.evaluations.Add(int64(len(all)))
	for i := range all {
		if x := &all[i]; x.Kind == "judge" {
			b.paid(x.Cost)
		}
	}
	return nil
}

// paid counts a judge's answer.
func (b *Book) paid(c Cost) {
	b.stats.asked.Add(1)
	b.stats.tokens.Add(c.Tokens)
	if !math.IsNaN(c.Amount) {
		b.stats.nanos.Add(int64(c.Amount * 1e9))
	}
}

const columns = `id, seq, run, evaluator, source, verdict, score, agent, version, team, environment, person, body, at, revision, tokens, cost_nanos`

func (x *Evaluation) write(ctx context.Context, tx *control.Tx) (err error) {
	if x.Seq, err = tx.Next(ctx, "evaluations"); err != nil {
		return err
	}
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	var score any
	if x.Score != nil && !math.IsNaN(*x.Score) {
		score = *x.Score
	}
	var nanos any
	if x.Tokens > 0 && !math.IsNaN(x.Amount) {
		nanos = int64(math.Round(x.Amount * 1e9))
	}
	_, err = tx.Exec(ctx, `INSERT INTO evaluations (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, verdict = excluded.verdict, score = excluded.score, agent = excluded.agent, version = excluded.version, body = excluded.body, at = excluded.at`,
		x.ID, x.Seq, x.Run, x.Evaluator, x.Source, x.Verdict, score, x.Agent, x.Version, x.Team, x.Environment, x.Person, string(text), control.Micros(x.At), x.Revision, x.Tokens, nanos)
	return err
}

func scan(r control.Row) (x Evaluation, err error) {
	var text string
	var at int64
	var nanos *int64
	if err := r.Scan(&x.ID, &x.Seq, &x.Run, &x.Evaluator, &x.Source, &x.Verdict, &x.Score, &x.Agent, &x.Version, &x.Team, &x.Environment, &x.Person, &text, &at, &x.Revision, &x.Tokens, &nanos); err != nil {
		return x, err
	}
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		return x, fault.New(fault.KindInternal, "evaluate.stored", "a stored evaluation cannot be read").WithCause(err)
	}
	x.At, x.Amount = control.Time(at), math.NaN()
	if nanos != nil {
		x.Amount = float64(*nanos) / 1e9
	}
	return x, nil
}

// After lists what changed after a number of the feed, in its order.
func (b *Book) After(ctx context.Context, seq int64, limit int) ([]Evaluation, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM evaluations WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
}

// tidy drops what is old, and the oldest of too many.
func (b *Book) tidy(ctx context.Context) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM evaluations WHERE at < ? AND source = 'online'`, control.Micros(b.o.Now().Add(-keep))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM evaluations WHERE id IN (SELECT id FROM evaluations WHERE source = 'online' ORDER BY at DESC LIMIT -1 OFFSET ?)`, maxRows)
		return err
	})
}
