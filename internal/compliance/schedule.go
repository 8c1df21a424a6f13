package compliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Schedule says how often a framework is assessed by itself.
type Schedule struct {
	Framework string
	Days      int // every so many, over the days since
	By        string
	Next      time.Time
	Done      time.Time // until when it was assessed, or since when it is wanted
}

const maxDays = 366

func scanSchedule(r control.Row) (s Schedule, err error) {
	var next, done int64
	err = r.Scan(&s.Framework, &s.Days, &s.By, &next, &done)
	s.Next, s.Done = control.Time(next), control.Time(done)
	return s, err
}

// Schedules lists them, what is due first.
func (b *Book) Schedules(ctx context.Context) ([]Schedule, error) {
	return control.All(ctx, b.db, scanSchedule, `SELECT framework, days, person, next, done FROM compliance_schedules ORDER BY next, framework`)
}

// PutSchedule has a framework assessed every so many days, the first time after so
// many; 0 days ends it.
func (b *Book) PutSchedule(ctx context.Context, who Who, framework string, days int) error {
	if days < 0 || days > maxDays {
		return invalid("a framework is assessed every 1 to %d days", maxDays).WithHint("0 ends it")
	}
	if _, err := b.Framework(ctx, framework); err != nil && days > 0 {
		return err
	}
	return b.db.Write(ctx, func(tx *control.Tx) error {
		var err error
		if days == 0 {
			_, err = tx.Exec(ctx, `DELETE FROM compliance_schedules WHERE framework = ?`, framework)
		} else {
			_, err = tx.Exec(ctx, `INSERT INTO compliance_schedules (framework, days, person, next, done) VALUES (?, ?, ?, ?, ?) ON CONFLICT (framework) DO UPDATE SET days = excluded.days, person = excluded.person, next = excluded.next`,
				framework, days, who.Name, control.Micros(b.now().Add(time.Duration(days)*24*time.Hour)), control.Micros(b.now()))
		}
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.compliance_scheduled", Person: who.Person, Via: who.Via, Action: "schedule", Object: framework, After: map[string]int{"days": days}})
	})
}

// Worse is called with an assessment by schedule and the ids of controls that fail
// in it and did not fail in the one before.
type Worse func(ctx context.Context, a *Assessment, controls []string)

// RunSchedules assesses what is due until ctx ends. facts answers of everything
// that this house has.
func (b *Book) RunSchedules(ctx context.Context, facts Facts, worse Worse, log *slog.Logger) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := b.due(ctx, facts, worse); err != nil && ctx.Err() == nil {
			log.Warn("a framework is not assessed yet", "err", err) // it is due until it was
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// due assesses each framework whose time has come, once, however long nobody
// looked. A framework that is gone is not asked for again.
func (b *Book) due(ctx context.Context, facts Facts, worse Worse) (failed error) {
	all, err := b.Schedules(ctx)
	if err != nil {
		return err
	}
	now := b.now()
	for _, s := range all {
		if s.Next.After(now) {
			break
		}
		last, err := b.Assessments(ctx, s.Framework, 1)
		if err != nil {
			return err
		}
		who := Who{Person: "reeve", Name: fmt.Sprintf("reeve, every %d days, as %s wanted", s.Days, cmp.Or(s.By, "somebody"))}
		a, err := b.Assess(ctx, who, s.Framework, facts, s.since(now), now)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			failed = fmt.Errorf("assessing %s: %w", s.Framework, err)
			if ctx.Err() == nil {
				err = b.postpone(ctx, s, now.Add(tryAgain)) // asking walks the audit logs: not each minute
			}
			if err != nil {
				return errors.Join(failed, err)
			}
			continue
		}
		if a != nil && worse != nil {
			if ids := newlyFailing(a, last); len(ids) > 0 {
				worse(ctx, a, ids)
			}
		}
		if err := b.done(ctx, s, now); err != nil {
			return err
		}
	}
	return failed
}

// tryAgain is how long after a failure a framework is assessed again.
const tryAgain = 30 * time.Minute

// since is where the last assessment by schedule ended, so that no day is in none,
// and a year and a month ago at the earliest.
func (s *Schedule) since(now time.Time) time.Time {
	from := s.Done
	if oldest := now.Add(-399 * 24 * time.Hour); from.Before(oldest) {
		from = oldest
	}
	return from
}

func (b *Book) postpone(ctx context.Context, s Schedule, to time.Time) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE compliance_schedules SET next = ? WHERE framework = ? AND next = ?`, control.Micros(to), s.Framework, control.Micros(s.Next))
		return err
	})
}

// done notes that it was assessed until now. The next time is by the calendar that
// it began with, not by when somebody looked.
func (b *Book) done(ctx context.Context, s Schedule, now time.Time) error {
	every := time.Duration(s.Days) * 24 * time.Hour
	next := s.Next.Add(every)
	if !next.After(now) {
		next = now.Add(every)
	}
	return b.db.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE compliance_schedules SET next = ?, done = ? WHERE framework = ? AND next = ?`, control.Micros(next), control.Micros(now), s.Framework, control.Micros(s.Next))
		return err
	})
}

func newlyFailing(a *Assessment, last []*Assessment) (ids []string) {
	for _, c := range a.Controls {
		if c.Result != Fail {
			continue
		}
		if len(last) > 0 && slices.ContainsFunc(last[0].Controls, func(was ControlResult) bool { return was.ID == c.ID && was.Result == Fail }) {
			continue
		}
		ids = append(ids, c.ID)
	}
	return ids
}
