package control

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

const (
	relayCursor = "relay"
	relayBatch  = 256
	// outboxTail is how many relayed events stay for views that start from a
	// snapshot and catch up by sequence.
	outboxTail = 10_000
)

// wakes are the signals from a committed Write to Relay and Timers.Run; one
// pending signal is enough.
type wakes struct{ relay, timers, checkpoint chan struct{} }

func newWakes() wakes {
	return wakes{relay: make(chan struct{}, 1), timers: make(chan struct{}, 1), checkpoint: make(chan struct{}, 1)}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is pending already
	}
}

// Event says that an object changed. Data is JSON and may be nil.
type Event struct {
	Seq    int64 // in the order of commits, from 1
	At     time.Time
	Type   string // "person.updated"
	Object string // the object's id
	Data   json.RawMessage
}

// Event adds e to the outbox; its Seq and At are set here. It leaves when the
// transaction commits.
func (tx *Tx) Event(ctx context.Context, e Event) error {
	seq, err := tx.Next(ctx, "outbox")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO outbox (seq, at, type, object, data) VALUES (?, ?, ?, ?, ?)`,
		seq, Micros(time.Now()), e.Type, e.Object, string(e.Data))
	tx.events = true
	return err
}

func scanEvent(r Row) (e Event, err error) {
	var at int64
	var data string
	err = r.Scan(&e.Seq, &at, &e.Type, &e.Object, &data)
	e.At = Time(at)
	if data != "" {
		e.Data = json.RawMessage(data)
	}
	return e, err
}

// Events lists the outbox after a sequence, oldest first, at most limit. Some
// ten thousand relayed events are kept.
func (db *DB) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	return All(ctx, db, scanEvent, `SELECT seq, at, type, object, data FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
}

// Relay hands each event to publish, in order and at least once, until ctx
// ends (its cause is returned) or the database fails. A failed publish is
// tried again with growing pauses; publish logs its own failures.
func (db *DB) Relay(ctx context.Context, publish func(context.Context, Event) error) error {
	beside, end := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { db.checkpoints(beside) })
	defer func() { end(); done.Wait() }()
	cursor, _, err := One(ctx, db, scanInt, `SELECT seq FROM cursors WHERE name = ?`, relayCursor)
	if err != nil {
		return err
	}
	pause := newBackoff(100*time.Millisecond, 30*time.Second)
	for {
		events, err := db.Events(ctx, cursor, relayBatch)
		if err != nil {
			return err
		}
		done := cursor
		var failed error
		for _, e := range events {
			if failed = publish(ctx, e); failed != nil {
				break
			}
			done = e.Seq
		}
		if done > cursor {
			if err := db.relayed(ctx, done); err != nil {
				return err
			}
			cursor = done
			pause.reset()
		}
		if failed == nil && len(events) == relayBatch {
			continue
		}
		var again <-chan time.Time
		stop := func() bool { return true }
		if failed != nil {
			t := time.NewTimer(pause.next())
			again, stop = t.C, t.Stop
		}
		select {
		case <-db.wakes.relay:
		case <-again:
		case <-ctx.Done():
			stop()
			return context.Cause(ctx)
		}
		stop()
	}
}

func (db *DB) relayed(ctx context.Context, seq int64) error {
	// Whoever forgets it relays again, which is promised anyway.
	err := db.writeLoose(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, relayCursor, seq); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM outbox WHERE seq <= ?`, seq-outboxTail)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting the relay's position %d: %w", seq, err)
	}
	return nil
}

func scanInt(r Row) (v int64, err error) { return v, r.Scan(&v) }

// backoff doubles a pause up to a limit.
type backoff struct{ first, limit, now time.Duration }

func newBackoff(first, limit time.Duration) *backoff { return &backoff{first: first, limit: limit} }

func (b *backoff) next() time.Duration {
	b.now = min(max(b.first, 2*b.now), b.limit)
	return b.now
}

func (b *backoff) reset() { b.now = 0 }
