package outcome

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

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// Store is what is asked about runs; a telemetry.Store is one.
type Store interface {
	Run(ctx context.Context, id activity.RunID) (*activity.Run, error)
	Runs(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error)
	Steps(ctx context.Context, id activity.RunID) ([]activity.Step, error)
}

// Config says when runs are settled.
type Config struct {
	Interactive  time.Duration `yaml:"interactive" doc:"How long after its end a run of mode interactive (or of none) is settled: a user who comes back within it was not helped."`
	Autonomous   time.Duration `yaml:"autonomous" doc:"The same for runs of mode autonomous."`
	Asynchronous time.Duration `yaml:"asynchronous" doc:"The same for runs of mode asynchronous."`
}

// Defaults are the windows without configuration.
func Defaults() Config {
	return Config{Interactive: 24 * time.Hour, Autonomous: time.Hour, Asynchronous: 24 * time.Hour}
}

// Validate says what is wrong with it.
func (c Config) Validate() error {
	for name, d := range map[string]time.Duration{"interactive": c.Interactive, "autonomous": c.Autonomous, "asynchronous": c.Asynchronous} {
		if d < time.Second || d > 30*24*time.Hour {
			return fmt.Errorf("outcomes.%s is %s: a settling window is from a second to 30 days", name, d)
		}
	}
	return nil
}

// Window is the settling window of a mode.
func (c Config) Window(mode string) time.Duration {
	switch mode {
	case "autonomous":
		return c.Autonomous
	case "asynchronous":
		return c.Asynchronous
	}
	return c.Interactive
}

// Late is a run that takes too long or stands still.
type Late struct {
	Run  activity.Run
	Kind string // deadline, stuck
	Rule string
	Over time.Duration // beyond what it may
	Text string
}

// Options of a Book. DB, Store and Publish are required.
type Options struct {
	DB      *control.DB
	Store   Store
	Publish func(ctx context.Context, batch []byte) error // into the activity log
	Windows Config
	Now     func() time.Time
	Logger  *slog.Logger
	// Late is told of each run that a rule calls late, again while it is; may be nil.
	Late func(ctx context.Context, l Late)
	// Labelled is told that evidence found its run; it must be quick; may be nil.
	Labelled func()
}

// Book is everything about outcomes. Make one with New, start it with Run.
type Book struct {
	o    Options
	wake chan struct{}

	mu    sync.RWMutex
	rules map[string]*Rule

	settled, said, unmatched atomic.Int64
	behind                   atomic.Int64 // ns of time that settling lags
	lateFrom                 string       // where the list of unfinished runs is gone on with; of Run alone
}

// New reads the rules; it starts nothing.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Store == nil || o.Publish == nil {
		return nil, errors.New("outcome: Options.DB, Store and Publish are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Windows == (Config{}) {
		o.Windows = Defaults()
	}
	b := &Book{o: o, wake: make(chan struct{}, 1), rules: map[string]*Rule{}}
	list, err := control.All(ctx, o.DB, scanRule, `SELECT name, body, revision, person, reason, updated_at FROM outcome_rules`)
	if err != nil {
		return nil, fmt.Errorf("reading the rules of outcomes: %w", err)
	}
	for i := range list {
		if err := list[i].compile(); err != nil {
			o.Logger.Warn("a rule of outcomes can no longer be asked", "rule", list[i].Name, "err", err)
			continue
		}
		b.rules[list[i].Name] = &list[i]
	}
	return b, nil
}

// Stats counts since the start.
type Stats struct {
	Settled, Evidence int64
	Unmatched         int64 // evidence whose run was not there when it came
	Lag               time.Duration
}

// Stats of the book.
func (b *Book) Stats() Stats {
	return Stats{b.settled.Load(), b.said.Load(), b.unmatched.Load(), time.Duration(b.behind.Load())}
}

// Windows are the settling windows in force.
func (b *Book) Windows() Config { return b.o.Windows }

const (
	maxKept   = 30 * 24 * time.Hour // evidence waits so long for its run
	maxPerRun = 200
	maxRules  = 200
	maxSource = 120
	maxText   = 600
	maxNamed  = 300
	lookSoon  = 2 * time.Second
	lookLater = 6 * time.Hour // at the latest, however long it waits
)

// Report keeps evidence. first is false when the same was said before.
func (b *Book) Report(ctx context.Context, person string, e activity.Evidence) (kept Evidence, first bool, err error) {
	now := b.o.Now()
	if err := check(&e, now); err != nil {
		return Evidence{}, false, err
	}
	kept = Evidence{Evidence: e, OurID: activity.Mint("evd_", now.UnixNano()), Person: person, Received: now.UTC(), Unmatched: true, Look: now.UTC()}
	by, named := kept.name()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if e.ID != "" {
			old, ok, err := control.One(ctx, tx, scanEvidence, `SELECT `+evidenceColumns+` FROM outcome_evidence
				WHERE team = ? AND environment = ? AND source = ? AND sender_id = ?`, e.Team, e.Environment, e.Source, e.ID)
			if err != nil {
				return err
			}
			if ok {
				kept = old
				return nil
			}
		}
		first = true
		seq, err := tx.Next(ctx, "outcome_evidence")
		if err != nil {
			return err
		}
		kept.Seq = seq
		_, err = tx.Exec(ctx, `INSERT INTO outcome_evidence (seq, id, team, environment, kind, source, sender_id, named_by, named, run, agent, outcome, at, received_at, next_look, text, person)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?, ?, ?, ?)`,
			seq, kept.OurID, e.Team, e.Environment, e.Kind, e.Source, e.ID, by, named, e.Outcome, e.At, control.Micros(now), control.Micros(now), e.Text, person)
		if err != nil || e.Kind != activity.EvidencePerson {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.outcome", Person: person, Action: "decide", Object: named, After: e.Outcome, Reason: e.Text})
	})
	if err != nil {
		return Evidence{}, false, err
	}
	if first {
		b.said.Add(1)
		b.nudge()
	}
	return kept, first, nil
}

func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// name is how the evidence names its run.
func (e *Evidence) name() (by, named string) {
	switch {
	case !e.Run.IsZero():
		return "run", e.Run.String()
	case e.Session != "":
		return "session", e.Session
	}
	return "key", e.Key
}

func check(e *activity.Evidence, now time.Time) error {
	names := 0
	for _, given := range []bool{!e.Run.IsZero(), e.Session != "", e.Key != ""} {
		if given {
			names++
		}
	}
	if e.At == 0 {
		e.At = now.UnixNano()
	}
	switch {
	case !slices.Contains(activity.EvidenceKinds(), e.Kind):
		return invalid("there is no kind of evidence %.40q", e.Kind).WithHint("%s", strings.Join(activity.EvidenceKinds(), ", "))
	case !slices.Contains(activity.Outcomes(), e.Outcome):
		return invalid("there is no outcome %.40q", e.Outcome).WithHint("%s", strings.Join(activity.Outcomes(), ", "))
	case names != 1:
		return invalid("evidence names its run in exactly one way, not in %d", names).WithHint("run_id, session or key: a join key, or NAME=VALUE of a label")
	case strings.HasPrefix(e.Key, "="):
		return invalid("the key names no label before the =").WithHint("NAME=VALUE of a label, or a value of the label join_key without =")
	case !line(e.Source, maxSource) || !line(e.ID, 200) || !line(e.Session, maxNamed) || !line(e.Key, maxNamed) || !line(e.Text, maxText):
		return invalid("source, id, session, key and text are one line each, of at most %d, 200, %d, %d and %d bytes", maxSource, maxNamed, maxNamed, maxText)
	case e.At > now.Add(5*time.Minute).UnixNano() || e.At < now.Add(-400*24*time.Hour).UnixNano():
		return invalid("it happened in the future, or over 400 days ago")
	}
	return nil
}

const evidenceColumns = `seq, id, team, environment, kind, source, sender_id, named_by, named, run, agent, outcome, at, received_at, text, person, next_look`

func scanEvidence(r control.Row) (e Evidence, err error) {
	var by, named, run string
	var received, look int64
	if err := r.Scan(&e.Seq, &e.OurID, &e.Team, &e.Environment, &e.Kind, &e.Source, &e.ID, &by, &named, &run, &e.Agent, &e.Outcome, &e.At, &received, &e.Text, &e.Person, &look); err != nil {
		return e, err
	}
	e.Received, e.Unmatched = control.Time(received), run == ""
	if look > 0 {
		e.Look = control.Time(look)
	}
	if run != "" {
		e.Run, err = activity.ParseRunID(run)
	} else if by == "run" {
		e.Run, err = activity.ParseRunID(named)
	}
	switch by {
	case "session":
		e.Session = named
	case "key":
		e.Key = named
	}
	return e, err
}

// About is the evidence about a run, the strongest first.
func (b *Book) About(ctx context.Context, id activity.RunID) ([]Evidence, error) {
	list, err := control.All(ctx, b.o.DB, scanEvidence, `SELECT `+evidenceColumns+` FROM outcome_evidence WHERE run = ? ORDER BY seq DESC LIMIT ?`, id.String(), maxPerRun)
	slices.SortStableFunc(list, func(x, y Evidence) int {
		kinds := activity.EvidenceKinds()
		return cmp.Or(cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)), cmp.Compare(y.At, x.At))
	})
	return list, err
}

// Filter narrows a list of evidence.
type Filter struct {
	After   int64 // only what came behind this number, oldest first; 0: the newest first
	Agent   string
	Team    string
	Kind    string
	Waiting bool // only without a run
	Teams   []string
	Limit   int
}

// List is evidence.
func (b *Book) List(ctx context.Context, q Filter) ([]Evidence, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	order := "DESC"
	if q.After > 0 {
		add("seq > ?", q.After)
		order = "ASC"
	}
	if q.Agent != "" {
		add("agent = ?", q.Agent)
	}
	if q.Team != "" {
		add("team = ?", q.Team)
	}
	if q.Kind != "" {
		add("kind = ?", q.Kind)
	}
	if q.Waiting {
		where = append(where, "run = ''")
	}
	if q.Teams != nil {
		marks := make([]string, len(q.Teams))
		for i, t := range q.Teams {
			marks[i], args = "?", append(args, t)
		}
		where = append(where, "team IN ("+strings.Join(marks, ", ")+")")
	}
	limit := min(cmp.Or(q.Limit, 100), 10_000)
	return control.All(ctx, b.o.DB, scanEvidence, `SELECT `+evidenceColumns+` FROM outcome_evidence WHERE `+strings.Join(where, " AND ")+
		fmt.Sprintf(` ORDER BY seq %s LIMIT %d`, order, limit), args...)
}

func scanRule(row control.Row) (r Rule, err error) {
	var body string
	var at int64
	if err := row.Scan(&r.Name, &body, &r.Revision, &r.By, &r.Reason, &at); err != nil {
		return r, err
	}
	r.UpdatedAt = control.Time(at)
	return r, json.Unmarshal([]byte(body), &r)
}

// Actor is who changes rules.
type Actor struct {
	Person, Name, Via string
	Can               func(role, team, environment string) bool
}

func (who *Actor) may(r *Rule) error {
	for _, role := range []string{"developer", "responder"} {
		if who.Can != nil && who.Can(role, cmp.Or(r.Team, "*"), cmp.Or(r.Environment, "*")) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "outcome.denied", "this needs developer or responder for %s", cmp.Or(r.Team, "all teams")).
		WithHint("give the rule your team and environment, or ask an admin for the role")
}

func notFound() error {
	return fault.New(fault.KindNotFound, "outcome.not_found", "there is no such rule").WithHint("`reeve outcome rules` lists them")
}

// Rules lists them by name.
func (b *Book) Rules() []Rule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Rule, 0, len(b.rules))
	for _, r := range b.rules {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(x, y Rule) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Put keeps a rule. Its Revision is the one that was read; 0 for a new one.
func (b *Book) Put(ctx context.Context, who Actor, r Rule) (Rule, error) {
	if err := r.compile(); err != nil {
		return Rule{}, err
	}
	if err := who.may(&r); err != nil {
		return Rule{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.rules[r.Name]
	switch {
	case old == nil && r.Revision != 0:
		return Rule{}, notFound()
	case old == nil && len(b.rules) >= maxRules:
		return Rule{}, fault.New(fault.KindExhausted, "outcome.too_many", "there are %d rules already", maxRules).WithHint("delete one")
	case old != nil && old.Revision != r.Revision:
		return Rule{}, fault.New(fault.KindConflict, "outcome.conflict", "the rule %s is at revision %d", r.Name, old.Revision).WithHint("read it again and repeat")
	case old != nil:
		if err := who.may(old); err != nil {
			return Rule{}, err
		}
	}
	r.Revision, r.By, r.UpdatedAt = r.Revision+1, who.Name, b.o.Now().UTC().Truncate(time.Microsecond)
	record := audit.Record{Kind: "admin.outcome_rule", Person: who.Person, Via: who.Via, Action: "create", Object: r.Name, Reason: r.Reason, After: r}
	if old != nil {
		record.Action, record.Before = "update", *old
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO outcome_rules (name, body, revision, person, reason, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, person = excluded.person, reason = excluded.reason, updated_at = excluded.updated_at`,
			r.Name, string(body), r.Revision, r.By, r.Reason, control.Micros(r.UpdatedAt)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, record)
	})
	if err != nil {
		return Rule{}, err
	}
	b.rules[r.Name] = &r
	return r, nil
}

// Delete drops a rule. What it decided stays until the runs are settled again.
func (b *Book) Delete(ctx context.Context, who Actor, name, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.rules[name]
	if old == nil {
		return notFound()
	}
	if err := who.may(old); err != nil {
		return err
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM outcome_rules WHERE name = ?`, name); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.outcome_rule", Person: who.Person, Via: who.Via, Action: "delete", Object: name, Reason: reason, Before: *old})
	})
	if err == nil {
		delete(b.rules, name)
	}
	return err
}

// Restate keeps evidence whose sender may say something else later, or take it
// back: what the same source said by the same id before holds no more. withdrawn
// says that nothing does instead.
func (b *Book) Restate(ctx context.Context, e activity.Evidence, withdrawn bool) error {
	if e.Source == "" || e.ID == "" {
		return invalid("what can be restated names its source and its id")
	}
	said := ""
	if !withdrawn {
		said = e.Outcome
	}
	old, had, err := control.One(ctx, b.o.DB, scanEvidence, `SELECT `+evidenceColumns+` FROM outcome_evidence 
		WHERE (run = ? OR team = ? AND environment = ?) AND source = ? AND sender_id = ? AND kind = ? LIMIT 1`, e.Run.String(), e.Team, e.Environment, e.Source, e.ID, e.Kind)
	if err != nil || had && old.Outcome == said {
		return err
	}
	if had {
		if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM outcome_evidence WHERE seq = ?`, old.Seq)
			return err
		}); err != nil {
			return err
		}
	}
	if !withdrawn {
		_, _, err := b.Report(ctx, "", e)
		return err
	}
	if !had || old.Run.IsZero() {
		return nil
	}
	return b.reconsider(ctx, old.Run)
}

// reconsider decides a run of which something is no longer said; where nothing
// is left, what the run itself reported holds again.
func (b *Book) reconsider(ctx context.Context, id activity.RunID) error {
	facts, err := b.factsOf(ctx, id)
	if err != nil || len(facts) == 0 {
		return err
	}
	v := Decide(facts[0])
	if v.Outcome == facts[0].Run.Outcome && v.labelled() == (facts[0].Run.Flags&activity.FlagLabelled != 0) {
		return nil
	}
	batch := activity.Batch{Received: b.o.Now().UnixNano(), Sender: "outcome", Settled: []activity.Settled{{Run: id, Outcome: v.Outcome, Labelled: v.labelled()}}}
	return b.o.Publish(ctx, activity.AppendBatch(nil, &batch))
}

// Follow is where somebody who reads a feed for evidence has got to.
func (b *Book) Follow(ctx context.Context, feed string) (seq int64, err error) {
	seq, _, err = control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT seq FROM outcome_feeds WHERE feed = ?`, feed)
	return seq, err
}

// Followed keeps how far a feed was read.
func (b *Book) Followed(ctx context.Context, feed string, seq int64) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO outcome_feeds (feed, seq) VALUES (?, ?) ON CONFLICT (feed) DO UPDATE SET seq = excluded.seq`, feed, seq)
		return err
	})
}
