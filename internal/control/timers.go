package control

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Timer is something to do once at a time.
type Timer struct {
	ID       string // chosen by the caller; setting it again replaces the timer
	Kind     string // names the handler
	Due      time.Time
	Body     string // for the handler; JSON by custom
	Attempts int    // failed ones so far; ignored when set
}

// TimerFunc does what a timer asks, in the transaction that also removes it:
// its error undoes both, and the timer is tried again with growing pauses. It
// must not do slow work outside the database; it can set off an event.
type TimerFunc func(ctx context.Context, tx *Tx, t Timer) error

const (
	timerRetry    = time.Second
	timerRetryMax = 5 * time.Minute
	// timerLook bounds a wait, so that a step of the wall clock is noticed.
	timerLook = time.Minute
)

// SetTimer makes or replaces a timer; it exists once tx commits.
func (tx *Tx) SetTimer(ctx context.Context, t Timer) error {
	due := Micros(t.Due)
	_, err := tx.Exec(ctx, `INSERT INTO timers (id, kind, due_at, next_at, attempts, body) VALUES (?, ?, ?, ?, 0, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at, next_at = excluded.next_at, attempts = 0, body = excluded.body`,
		t.ID, t.Kind, due, due, t.Body)
	tx.timers = true
	return err
}

// CancelTimer removes a timer; existed is false when it fired or was never set.
func (tx *Tx) CancelTimer(ctx context.Context, id string) (existed bool, err error) {
	n, err := tx.Exec(ctx, `DELETE FROM timers WHERE id = ?`, id)
	return n > 0, err
}

// Timers fires the database's timers. Run one per database.
type Timers struct {
	db       *DB
	log      *slog.Logger
	handlers map[string]TimerFunc
}

// NewTimers takes the handlers by kind; a nil logger discards.
func NewTimers(db *DB, handlers map[string]TimerFunc, log *slog.Logger) *Timers {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Timers{db: db, log: log, handlers: handlers}
}

// Run fires timers as they fall due (at once for those that fell due while
// nobody ran) until ctx ends, whose cause it returns, or the database fails.
func (t *Timers) Run(ctx context.Context) error {
	for {
		due, ok, err := One(ctx, t.db, scanTimer, `SELECT id, kind, due_at, attempts, body, next_at FROM timers ORDER BY next_at, id LIMIT 1`)
		if err != nil {
			return err
		}
		wait := timerLook
		if ok {
			wait = min(wait, time.Until(due.next))
		}
		if ok && wait <= 0 {
			if err := t.fire(ctx, due.Timer); err != nil {
				return err
			}
			continue
		}
		look := time.NewTimer(wait)
		select {
		case <-look.C:
		case <-t.db.wakes.timers:
		case <-ctx.Done():
			look.Stop()
			return context.Cause(ctx)
		}
		look.Stop()
	}
}

type dueTimer struct {
	Timer
	next time.Time
}

func scanTimer(r Row) (t dueTimer, err error) {
	var due, next int64
	err = r.Scan(&t.ID, &t.Kind, &due, &t.Attempts, &t.Body, &next)
	t.Due, t.next = Time(due), Time(next)
	return t, err
}

// fire runs one timer; only an error of the database itself comes back.
func (t *Timers) fire(ctx context.Context, due Timer) error {
	failed := t.attempt(ctx, due)
	if failed == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	pause := min(timerRetry<<min(due.Attempts, 16), timerRetryMax)
	t.log.Error("timer failed and is tried again", "timer", due.ID, "kind", due.Kind, "attempts", due.Attempts+1, "in", pause, "err", failed)
	return t.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE timers SET attempts = attempts + 1, next_at = ? WHERE id = ?`, Micros(time.Now().Add(pause)), due.ID)
		return err
	})
}

func (t *Timers) attempt(ctx context.Context, due Timer) (err error) {
	handle := t.handlers[due.Kind]
	if handle == nil {
		return fmt.Errorf("no handler for timers of kind %q", due.Kind)
	}
	return t.db.Write(ctx, func(tx *Tx) (err error) {
		// A handler's bug must not stop the timers of the others.
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("handler panicked: %v", p)
			}
		}()
		existed, err := tx.CancelTimer(ctx, due.ID)
		if err != nil || !existed {
			return err
		}
		return handle(ctx, tx, due)
	})
}
