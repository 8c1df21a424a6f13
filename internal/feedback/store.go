package feedback

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

const columns = `id, seq, source, team, environment, giver, verdict, kind, user_ref, run, agent, version, failed, body, at, received_at`

func scan(r control.Row) (f Feedback, err error) {
	var text string
	var failed, at, received int64
	if err := r.Scan(&f.ID, &f.Seq, &f.Source, &f.Team, &f.Environment, &f.Giver, &f.Verdict, &f.Kind, &f.UserRef, &f.Run, &f.Agent, &f.Version, &failed, &text, &at, &received); err != nil {
		return f, err
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return f, fault.New(fault.KindInternal, "feedback.stored", "a stored feedback cannot be read").WithCause(err)
	}
	if failed < 2 {
		yes := failed == 1
		f.Failed = &yes
	}
	f.At, f.ReceivedAt = control.Time(at), control.Time(received)
	return f, nil
}

// save writes a feedback whole, under a new number of the feed.
func (f *Feedback) save(ctx context.Context, tx *control.Tx) (err error) {
	if f.Seq, err = tx.Next(ctx, "feedback"); err != nil {
		return err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	failed := 2
	if f.Failed != nil {
		failed = 0
		if *f.Failed {
			failed = 1
		}
	}
	test := 0
	if f.Test {
		test = 1
	}
	var run, session, key string
	if f.Run == "" && !f.Removed {
		t := f.target()
		run, session, key = "", t.session, t.key
		if !t.run.IsZero() {
			run = t.run.String()
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO feedback (`+columns+`, wait_run, wait_session, wait_key, test) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, team = excluded.team, environment = excluded.environment, giver = excluded.giver, verdict = excluded.verdict, kind = excluded.kind, user_ref = excluded.user_ref, run = excluded.run, agent = excluded.agent,
		version = excluded.version, failed = excluded.failed, body = excluded.body, at = excluded.at, wait_run = excluded.wait_run, wait_session = excluded.wait_session, wait_key = excluded.wait_key, test = excluded.test`,
		f.ID, f.Seq, f.Source, f.Team, f.Environment, f.Giver, f.Verdict, f.Kind, f.UserRef, f.Run, f.Agent, f.Version, failed, string(text), control.Micros(f.At), control.Micros(f.ReceivedAt), run, session, key, test)
	return err
}

func read(ctx context.Context, r control.Reader, id string) (Feedback, bool, error) {
	return control.One(ctx, r, scan, `SELECT `+columns+` FROM feedback WHERE id = ?`, id)
}

// put writes one report; fresh is false when it says nothing new.
func (b *Book) put(ctx context.Context, tx *control.Tx, from *Sender, r *Report) (f Feedback, fresh bool, err error) {
	now := b.o.Now()
	id := r.id(from)
	was, known, err := read(ctx, tx, id)
	if err != nil {
		return f, false, err
	}
	if known && (was.Erased || was.Removed && !r.At.After(was.At) || was.At.After(r.At)) {
		return was, false, nil // an older word, or what was erased for good
	}
	if !known && b.stats.rows.Load() >= maxRows {
		return f, false, fault.New(fault.KindExhausted, "feedback.too_many", "%d feedbacks are kept", maxRows).WithHint("the oldest go after 400 days; erase what is not needed").WithRetryAfter(time.Minute)
	}
	f = b.form(id, from, r, now)
	if known {
		f.ReceivedAt, f.Times, f.Told, f.Status, f.Watched = was.ReceivedAt, was.Times+1, was.Told, was.Status, was.Watched
		if r.Removed {
			f.On, f.Kind, f.Giver = was.On, was.Kind, was.Giver
		}
		if was.On == f.On && was.Team == f.Team && was.Environment == f.Environment {
			f.Run, f.Agent, f.Version, f.Failed, f.Test, f.JoinedBy, f.Task, f.Session, f.JoinedAt = was.Run, was.Agent, was.Version, was.Failed, was.Test, was.JoinedBy, was.Task, was.Session, was.JoinedAt
		}
		if same(&was, &f) {
			return was, false, nil
		}
	}
	if err := f.save(ctx, tx); err != nil {
		return f, false, err
	}
	if !known {
		tx.AfterCommit(func() { b.stats.rows.Add(1) })
	}
	return f, true, nil
}

// form makes a feedback of a report.
func (b *Book) form(id string, from *Sender, r *Report, now time.Time) Feedback {
	f := Feedback{
		ID: id, Source: from.Source, Team: from.Team, Environment: from.Environment, Giver: r.Giver, Verdict: r.verdict(), Kind: r.Kind, UserRef: b.userRef(from.Team, r.User),
		At: r.At.UTC().Truncate(time.Microsecond), ReceivedAt: now.UTC().Truncate(time.Microsecond), Name: r.Name, Value: r.Value, Min: r.Min, Max: r.Max, Label: r.Label,
		Verified: from.Verified, Consent: r.Consent, On: r.On, Times: 1,
	}
	if r.Removed {
		f.Removed, f.Verdict, f.Value, f.Label = true, "", nil, ""
		return f
	}
	if r.Comment != "" {
		f.Comment, f.Redacted = b.o.Redact(from.Team, from.Environment, r.Comment)
	}
	if r.Contact != "" && b.o.Sealer != nil {
		sealed, err := b.o.Sealer.Seal("feedback "+id, []byte(r.Contact))
		if err != nil {
			b.o.Logger.Warn("a contact could not be sealed and is not kept", "err", err)
		} else {
			f.Contact = sealed
		}
	}
	return f
}

// same reports whether two words of one feedback say the same.
func same(a, b *Feedback) bool {
	eq := func(x, y *float64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
	eqb := func(x, y *bool) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
	return a.Verdict == b.Verdict && a.Kind == b.Kind && a.Label == b.Label && a.Comment == b.Comment && a.Name == b.Name && a.On == b.On && a.Removed == b.Removed &&
		a.UserRef == b.UserRef && a.Min == b.Min && a.Max == b.Max && eq(a.Value, b.Value) && eqb(a.Consent, b.Consent) && (len(a.Contact) > 0) == (len(b.Contact) > 0)
}

// tell writes the event for live views.
func (b *Book) tell(ctx context.Context, tx *control.Tx, all []Feedback) error {
	if len(all) == 0 {
		return nil
	}
	ids, runs := []string{}, []string{}
	for i := range all[:min(len(all), 20)] {
		ids = append(ids, all[i].ID)
		if r := all[i].Run; r != "" && !slices.Contains(runs, r) {
			runs = append(runs, r)
		}
	}
	data, err := json.Marshal(map[string]any{"ids": ids, "runs": runs, "feedback": len(all)})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "feedback.updated", Object: ids[0], Data: data})
}

// load reads what waits, and how much is kept.
func (b *Book) load(ctx context.Context) error {
	n, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM feedback`)
	if err != nil {
		return fmt.Errorf("counting feedback: %w", err)
	}
	b.stats.rows.Store(n)
	return b.loadWaiting(ctx)
}

// loadWaiting has everything wait that should: of each sender its newest, those
// first that prove who they are.
func (b *Book) loadWaiting(ctx context.Context) error {
	const proven = `COALESCE(json_extract(body, '$.verified'), 0)`
	now := b.o.Now()
	list, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM (SELECT *, `+proven+` AS proven, ROW_NUMBER() OVER (PARTITION BY source, team ORDER BY `+proven+` DESC, received_at DESC) AS place
			FROM feedback WHERE run = '' AND received_at > ? AND (wait_run <> '' OR wait_session <> '' OR wait_key <> '') AND (received_at > ? OR `+proven+` = 1))
		WHERE place <= ? ORDER BY proven DESC, received_at DESC LIMIT ?`,
		control.Micros(now.Add(-waitFor)), control.Micros(now.Add(-waitUnproven)), b.wait.most/4, b.wait.most)
	if err != nil {
		return fmt.Errorf("reading what waits for its run: %w", err)
	}
	for i := range list {
		b.wait.add(&list[i])
	}
	b.stir()
	return nil
}

// After lists what changed after a number of the feed, in its order. Who follows
// keeps the last number.
func (b *Book) After(ctx context.Context, seq int64, limit int) ([]Feedback, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM feedback WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
}

// OfRun lists a run's feedback, the oldest first.
func (b *Book) OfRun(ctx context.Context, run activity.RunID) ([]Feedback, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM feedback WHERE run = ? ORDER BY at, id LIMIT 1000`, run.String())
}

// Get reads one.
func (b *Book) Get(ctx context.Context, id string) (Feedback, error) {
	f, ok, err := read(ctx, b.o.DB, id)
	if err == nil && !ok {
		err = fault.New(fault.KindNotFound, "feedback.not_found", "there is no feedback %.60s", id).WithHint("`reeve feedback list` lists them")
	}
	return f, err
}
