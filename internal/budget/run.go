package budget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"reeve/internal/control"
)

// Notice says that a share passed a threshold.
type Notice struct {
	Budget  string  `json:"budget"`
	Scope   string  `json:"scope"`
	Key     string  `json:"key"`
	Team    string  `json:"team,omitempty"`
	Unit    string  `json:"unit"`
	Percent int     `json:"percent"` // 80 or 100; 0 for a refusal
	Refused bool    `json:"refused"`
	Spent   float64 `json:"spent"`
	Limit   float64 `json:"limit"`
	Hard    bool    `json:"hard"`
}

// The thresholds, as bits of share.told.
const (
	eighty uint8 = 1 << iota
	full
	refused
)

// maxNotices bounds those that wait for the database. One that finds no room
// is left out: the next settlement of its share tells again.
const maxNotices = 1024

// reached is the thresholds that an amount has passed.
func reached(limit, spent int64) (t uint8) {
	if spent > 0 && spent >= limit-limit/5 {
		t |= eighty
	}
	if spent > 0 && spent >= limit {
		t |= full
	}
	return t
}

// tell raises what was not told in this period; mu is held.
func (l *Ledger) tell(d *definition, key string, s *share, more uint8) {
	fresh := (reached(d.limit, s.spent) | more) &^ s.told
	if fresh == 0 {
		return
	}
	n := Notice{
		Budget: d.name, Scope: scopeNames[d.scope], Key: key, Team: d.team, Unit: unitNames[d.unit], Percent: 80,
		Refused: fresh&refused != 0, Spent: d.unit.shown(s.spent), Limit: d.unit.shown(d.limit), Hard: d.hard,
	}
	switch {
	case fresh&full != 0:
		n.Percent = 100
	case fresh&eighty == 0:
		n.Percent = 0
	}
	select {
	case l.notices <- n:
		s.told |= fresh
	default:
	}
}

// snapshotEvery is how much of the log a start may have to read again.
const (
	snapshotEvery = 5 * time.Second
	sweepEvery    = 60 // times snapshotEvery
)

// Run writes snapshots and raises notices until ctx ends, whose cause it
// returns. A disk that fails is logged and tried again: the log has all of it.
func (l *Ledger) Run(ctx context.Context) error {
	tick := time.NewTicker(snapshotEvery)
	defer tick.Stop()
	n := 0
	for {
		select {
		case <-tick.C:
			l.trySnapshot()
			if n++; n%sweepEvery == 0 {
				l.sweep()
			}
		case n := <-l.notices:
			if err := l.raise(ctx, n); err != nil && ctx.Err() == nil {
				l.o.Logger.Warn("a notice about a budget could not be raised", "budget", n.Budget, "err", err)
			}
		case <-ctx.Done():
			l.trySnapshot()
			return context.Cause(ctx)
		}
	}
}

func (l *Ledger) trySnapshot() {
	if err := l.snapshot(); err != nil {
		l.o.Logger.Warn("the snapshot of budgets could not be written", "err", err)
	}
}

// raise makes an event of a notice, together with those that wait behind it.
func (l *Ledger) raise(ctx context.Context, n Notice) error {
	return l.o.DB.Write(ctx, func(tx *control.Tx) error {
		for {
			data, err := json.Marshal(n)
			if err != nil {
				return err
			}
			if err := tx.Event(ctx, control.Event{Type: "budget.threshold", Object: n.Budget, Data: data}); err != nil {
				return err
			}
			select {
			case n = <-l.notices:
			default:
				return nil
			}
		}
	})
}

// counting is an account's count and the beginning of its period, by the budget's name.
type counting struct{ count, since int64 }

// counting is what counts now; nil before Ready, when the calendar may lag.
func (l *Ledger) counting() map[string]counting {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready {
		return nil
	}
	now := l.o.Now()
	out := make(map[string]counting, len(l.accounts))
	for name, a := range l.accounts {
		out[name] = counting{a.def.count, l.calendar.at(a.def.period, now).since}
	}
	return out
}

// sweep drops the shares whose period is over, one budget at a time so that no
// call waits long. Reservations that go on keep theirs by pointer.
func (l *Ledger) sweep() {
	for name, c := range l.counting() {
		l.mu.Lock()
		if a := l.accounts[name]; a != nil {
			for key, s := range a.shares {
				if s.since < c.since {
					delete(a.shares, key)
				}
			}
		}
		l.mu.Unlock()
	}
}

// snapshot writes what the log said so far, unless it is written.
func (l *Ledger) snapshot() error {
	b := &l.book
	b.mu.Lock()
	if b.cursor == b.saved {
		b.mu.Unlock()
		return nil
	}
	b.prune(l.counting())
	cursor := b.cursor
	raw, err := b.encode()
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encoding the snapshot: %w", err)
	}
	if err := save(l.o.Dir, raw); err != nil {
		return errors.Join(errors.New("saving the snapshot"), err)
	}
	b.mu.Lock()
	b.saved = cursor
	b.mu.Unlock()
	return nil
}
