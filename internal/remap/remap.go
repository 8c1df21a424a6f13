// Package remap maps stored telemetry again, after the table of dialects changed.
//
// What for: which attribute feeds which field is a table with a version. Steps
// keep their attributes, so that what an older table made can be made anew. A plan
// shows what would differ, by dialect and by field; applying it changes these steps.
//
// Who calls it: app runs it; api, the command line and the console plan and apply.
//
// Promises: a plan changes nothing. Applying is idempotent: a step that does not
// differ is not written, and a second plan finds nothing. Each part is in the
// store before progress tells so: an apply that a crash breaks off goes on at the
// next start, at the day at which it was. One job works at a time. Runs that still
// move are mapped as they are; what comes later comes under today's table.
//
// How it fails: remap.range, remap.not_found, remap.state (not planned yet, already
// applied). A job that fails says so in its state and may be applied again.
//
// Start reading at Book.Run and Book.work. What mapping again means for one step is
// dialect.Again's; for a run and its sums, run.Reader.Remap's.
package remap

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// Steps finds stored steps by the table that made them; *duck.Store does.
type Steps interface {
	// Mapped lists runs with steps of a time that a table below a version made.
	Mapped(ctx context.Context, from, to time.Time, below int32) ([]telemetry.MappedRun, error)
	// Stats tells how far back the store goes.
	Stats(ctx context.Context) (telemetry.Stats, error)
}

// Runs maps the steps of runs again; *run.Reader does, by today's table.
type Runs interface {
	// Version is of today's table.
	Version() int32
	// Remap maps steps of one run and tells how many differ.
	Remap(ctx context.Context, run activity.RunID, q telemetry.Remap) (int, error)
	// Flush waits until the store has what was changed.
	Flush(ctx context.Context) error
}

// Options are what a Book needs; all but Logger and Now are required.
type Options struct {
	DB     *control.DB
	Steps  Steps
	Runs   Runs
	Logger *slog.Logger
	Now    func() time.Time
}

// Book is all of them. Safe for concurrent use.
type Book struct {
	o    Options
	wake chan struct{}
}

// New makes a Book and starts nothing.
func New(o Options) *Book {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Book{o: o, wake: make(chan struct{}, 1)}
}

// Bounds: of a plan's time, of how many plans are remembered, and of what one
// tells, since senders choose the words.
const (
	maxRange    = 4000 * 24 * time.Hour
	maxKept     = 100
	maxRows     = 200
	maxExamples = 3
	// saveEvery is after how many runs progress is kept.
	saveEvery = 1000
	// maxFailed is how many runs may be unreadable before the store is.
	maxFailed = 1000
)

// Plan begins to look for what mapping a time again would change. A zero time is
// open.
func (b *Book) Plan(ctx context.Context, by string, from, to time.Time, all bool) (client.Remap, error) {
	now := b.o.Now().UTC()
	if to.IsZero() {
		to = now.Add(24 * time.Hour) // clocks of senders go fast
	}
	if from.IsZero() {
		st, err := b.o.Steps.Stats(ctx)
		if err != nil {
			return client.Remap{}, err
		}
		if from = st.Oldest.Add(-24 * time.Hour); st.Oldest.IsZero() || !from.Before(to) {
			from = to.Add(-24 * time.Hour)
		}
	}
	from, to = from.UTC(), to.UTC()
	r := client.Remap{
		From: from, To: to, All: all, Version: int(b.o.Runs.Version()), State: "planning", Person: by,
		CreatedAt: now.Truncate(time.Microsecond), Rows: []client.RemapRow{}, Fields: []client.RemapField{},
	}
	if from.Year() < 1970 || to.Year() > 2200 || !from.Before(to) || to.Sub(from) > maxRange {
		return r, fault.New(fault.KindInvalid, "remap.range", "a time begins before it ends and is at most 4,000 days")
	}
	r.ID = activity.Mint("rmp_", r.CreatedAt.UnixNano())
	r.Days = int64(to.Add(-1).Truncate(24*time.Hour).Sub(from.Truncate(24*time.Hour))/(24*time.Hour)) + 1
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM remaps WHERE state IN ('planned', 'failed') AND id NOT IN (SELECT id FROM remaps ORDER BY created_at DESC LIMIT ?)`, maxKept); err != nil {
			return err
		}
		if err := put(ctx, tx, &r); err != nil {
			return err
		}
		return record(ctx, tx, by, "plan", &r)
	})
	b.nudge()
	return r, err
}

// record writes that somebody asked for it.
func record(ctx context.Context, tx *control.Tx, by, action string, r *client.Remap) error {
	return audit.Append(ctx, tx, audit.Record{Kind: "admin.remap_" + action, Person: by, Action: action, Object: r.ID, After: map[string]any{
		"from": r.From.Format(time.RFC3339), "to": r.To.Format(time.RFC3339), "version": r.Version, "changed": r.Changed, "all": r.All,
	}})
}

func put(ctx context.Context, tx *control.Tx, r *client.Remap) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO remaps (id, state, body, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body`,
		r.ID, r.State, string(body), control.Micros(r.CreatedAt))
	return err
}

func (b *Book) save(ctx context.Context, r *client.Remap) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error { return put(ctx, tx, r) })
}

func scan(row control.Row) (r client.Remap, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(body), &r)
}

// List is all of them, newest first.
func (b *Book) List(ctx context.Context) ([]client.Remap, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT body FROM remaps ORDER BY created_at DESC, id DESC LIMIT ?`, maxKept)
}

// Get is one of them.
func (b *Book) Get(ctx context.Context, id string) (client.Remap, error) {
	all, err := control.All(ctx, b.o.DB, scan, `SELECT body FROM remaps WHERE id = ?`, id)
	if err != nil {
		return client.Remap{}, err
	}
	if len(all) == 0 {
		return client.Remap{}, fault.New(fault.KindNotFound, "remap.not_found", "there is no remap %.60s", id).WithHint("`reeve remaps` lists them")
	}
	return all[0], nil
}

// Apply begins to change what a plan showed, and what differs by now.
func (b *Book) Apply(ctx context.Context, by, id string) (client.Remap, error) {
	r, err := b.Get(ctx, id)
	if err != nil {
		return r, err
	}
	before := r.State
	if before != "planned" && before != "failed" {
		return r, wrongState(&r)
	}
	r.State, r.Version, r.DaysDone, r.RunsDone, r.Applied, r.Failed, r.EndedAt, r.Error = "applying", int(b.o.Runs.Version()), 0, 0, 0, 0, nil, ""
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		// Somebody else may have begun meanwhile.
		n, err := tx.Exec(ctx, `UPDATE remaps SET state = ? WHERE id = ? AND state = ?`, r.State, id, before)
		if err != nil {
			return err
		}
		if n == 0 {
			return wrongState(&r)
		}
		if err := put(ctx, tx, &r); err != nil {
			return err
		}
		return record(ctx, tx, by, "apply", &r)
	})
	b.nudge()
	return r, err
}

func wrongState(r *client.Remap) error {
	return fault.New(fault.KindConflict, "remap.state", "%s is %s", r.ID, r.State).WithHint("plan again")
}

func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run works on what was begun, one after the other, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	for {
		jobs, err := control.All(ctx, b.o.DB, scan, `SELECT body FROM remaps WHERE state IN ('planning', 'applying') ORDER BY created_at`)
		if err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("remaps cannot be read", "err", err)
		}
		for i := range jobs {
			b.work(ctx, &jobs[i])
		}
		if len(jobs) > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.wake:
		}
	}
}

// work does one job to its end, or until ctx ends: then the next start does.
func (b *Book) work(ctx context.Context, r *client.Remap) {
	began := b.o.Now()
	state, err := "planned", error(nil)
	if r.State == "planning" {
		err = b.plan(ctx, r)
	} else {
		state, err = "applied", b.apply(ctx, r)
	}
	if ctx.Err() != nil {
		return
	}
	now := b.o.Now().UTC()
	r.State, r.EndedAt, r.TookMS = state, &now, r.TookMS+now.Sub(began).Milliseconds()
	if err != nil {
		b.o.Logger.Error("a remap failed", "remap", r.ID, "err", err)
		r.State, r.Error = "failed", fault.From(err).Message
	}
	if err := b.save(ctx, r); err != nil {
		b.o.Logger.Error("a remap cannot be kept", "remap", r.ID, "err", err)
	}
}

// plan adds up what would change. Its figures lie in memory until it is done: a
// restart begins it again.
func (b *Book) plan(ctx context.Context, r *client.Remap) error {
	r.DaysDone, r.RunsDone, r.TookMS, r.Failed, r.Error = 0, 0, 0, 0, ""
	r.Version = int(b.o.Runs.Version())
	s := sums{rows: map[rowKey]*client.RemapRow{}, fields: map[string]*client.RemapField{}}
	err := b.byDay(ctx, r, func(run activity.RunID, from, to time.Time) error {
		_, err := b.o.Runs.Remap(ctx, run, telemetry.Remap{From: from, To: to, All: r.All, Dry: true, Visit: s.add})
		return err
	}, func() error { return nil })
	s.fill(r)
	return err
}

// apply changes what differs now. It goes on at the day at which it was.
func (b *Book) apply(ctx context.Context, r *client.Remap) error {
	return b.byDay(ctx, r, func(run activity.RunID, from, to time.Time) error {
		n, err := b.o.Runs.Remap(ctx, run, telemetry.Remap{From: from, To: to, All: r.All})
		r.Applied += int64(n)
		return err
	}, func() error { return b.o.Runs.Flush(ctx) })
}

// byDay does the runs of the days that are left, and keeps its progress after
// flush made it last.
func (b *Book) byDay(ctx context.Context, r *client.Remap, do func(run activity.RunID, from, to time.Time) error, flush func() error) error {
	below := b.o.Runs.Version()
	if r.All {
		below = math.MaxInt32
	}
	from := r.From
	for n := int64(0); from.Before(r.To); n++ {
		to := from.Truncate(24 * time.Hour).Add(24 * time.Hour)
		if to.After(r.To) {
			to = r.To
		}
		if n >= r.DaysDone {
			if err := b.day(ctx, r, from, to, below, do, flush); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

func (b *Book) day(ctx context.Context, r *client.Remap, from, to time.Time, below int32, do func(run activity.RunID, from, to time.Time) error, flush func() error) error {
	runs, err := b.o.Steps.Mapped(ctx, from, to, below)
	if err != nil {
		return err
	}
	keep := func() error {
		if err := flush(); err != nil {
			return err
		}
		return b.save(ctx, r)
	}
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := do(runs[i].Run, from, to); err != nil {
			err = fmt.Errorf("mapping run %s again: %w", runs[i].Run, err)
			if r.Failed++; ctx.Err() != nil || hopeless(err) || r.Failed > maxFailed {
				return err
			}
			if r.Error == "" {
				r.Error = fmt.Sprintf("run %s cannot be read", runs[i].Run)
			}
			b.o.Logger.Warn("a run is not mapped again", "remap", r.ID, "run", runs[i].Run.String(), "err", err)
		}
		if r.RunsDone++; r.RunsDone%saveEvery == 0 {
			if err := keep(); err != nil {
				return err
			}
		}
	}
	// Days without anything are not worth a write each.
	if r.DaysDone++; len(runs) > 0 || r.DaysDone == r.Days {
		return keep()
	}
	return nil
}

// hopeless reports a failure that the next run would meet too.
func hopeless(err error) bool {
	return fault.Is(err, fault.KindUnavailable) || fault.Is(err, fault.KindExhausted)
}

// sums are a plan's figures.
type sums struct {
	steps, changed int64
	rows           map[rowKey]*client.RemapRow
	fields         map[string]*client.RemapField
}

type rowKey struct {
	dialect string
	version int32
}

func (s *sums) add(x *telemetry.Remapped) {
	s.steps++
	k := rowKey{x.Dialect, x.Version}
	if s.rows[k] == nil && len(s.rows) >= maxRows {
		k = rowKey{"(others)", 0}
	}
	row := s.rows[k]
	if row == nil {
		k.dialect = string([]byte(k.dialect)) // the visited's memory is used again
		row = &client.RemapRow{Dialect: k.dialect, Version: int(k.version)}
		s.rows[k] = row
	}
	row.Steps++
	if len(x.Changes) == 0 {
		return
	}
	s.changed++
	row.Changed++
	for _, c := range x.Changes {
		f := s.fields[c.Field]
		if f == nil {
			f = &client.RemapField{Field: c.Field, Examples: []client.RemapExample{}}
			s.fields[c.Field] = f
		}
		if f.Steps++; len(f.Examples) < maxExamples && !slices.ContainsFunc(f.Examples, func(e client.RemapExample) bool { return e.Before == c.Before && e.After == c.After }) {
			f.Examples = append(f.Examples, client.RemapExample{Run: x.Run.String(), Step: x.Step.String(), Name: x.Name, Before: c.Before, After: c.After})
		}
	}
}

func (s *sums) fill(r *client.Remap) {
	r.Steps, r.Changed, r.Rows, r.Fields = s.steps, s.changed, []client.RemapRow{}, []client.RemapField{}
	for _, row := range s.rows {
		r.Rows = append(r.Rows, *row)
	}
	slices.SortFunc(r.Rows, func(a, b client.RemapRow) int {
		return cmp.Or(cmp.Compare(b.Changed, a.Changed), cmp.Compare(b.Steps, a.Steps), cmp.Compare(a.Dialect, b.Dialect), cmp.Compare(a.Version, b.Version))
	})
	for _, f := range s.fields {
		r.Fields = append(r.Fields, *f)
	}
	slices.SortFunc(r.Fields, func(a, b client.RemapField) int {
		return cmp.Or(cmp.Compare(b.Steps, a.Steps), cmp.Compare(a.Field, b.Field))
	})
}
