package steer

import (
	"context"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Tell keeps what a person says to a run: its next call of a model carries it, or
// with every each further one. 0 gives it a day.
func (b *Book) Tell(ctx context.Context, p Place, by Person, text string, every bool, d time.Duration) (*Note, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	at, until, err := b.until(d)
	if err != nil {
		return nil, err
	}
	n := &Note{ID: activity.Mint("not_", at.UnixNano()), Place: p, By: by, Text: text, Every: every, At: at, Until: until}
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		open, _, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
			`SELECT COUNT(*) FROM run_notes WHERE run = ? AND ended_at IS NULL AND until_at > ?`, p.Run, control.Micros(at))
		if err != nil {
			return err
		}
		if open >= maxNotes {
			return fault.New(fault.KindExhausted, "steer.too_many", "%d notes wait for this run to call a model", open).WithHint("withdraw some")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO run_notes (id, run, agent, team, environment, person, name, text, every, at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			n.ID, p.Run, p.Agent, p.Team, p.Environment, by.ID, by.Name, text, flag(every), control.Micros(at), control.Micros(until)); err != nil {
			return err
		}
		tx.AfterCommit(func() { b.add(n) })
		return record(ctx, tx, "steering.noted", p, by, "", map[string]any{"note": n.ID, "text": text, "every": every, "until": until})
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (b *Book) add(n *Note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes[n.Run] = append(b.notes[n.Run], &note{Note: *n})
	b.waiting.Add(1)
}

// Withdraw ends a note that was not told yet, or that each call carries. A call
// that carries it already is not called back.
func (b *Book) Withdraw(ctx context.Context, p Place, id string, by Person) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE run_notes SET ended_at = ? WHERE id = ? AND run = ? AND ended_at IS NULL`, control.Micros(b.now()), id, p.Run)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindConflict, "steer.ended", "there is no such note that could still be told")
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.drop(p.Run, func(n *note) bool { return n.ID == id })
		})
		return record(ctx, tx, "steering.note_withdrawn", p, by, "", map[string]any{"note": id})
	})
}

// drop takes notes of a run out of memory; mu is held.
func (b *Book) drop(run string, which func(*note) bool) {
	before := b.notes[run]
	after := slices.DeleteFunc(slices.Clone(before), which)
	b.waiting.Add(int64(len(after) - len(before)))
	if len(after) == 0 {
		delete(b.notes, run)
		return
	}
	b.notes[run] = after
}

// Notes are what was said to a run, the newest first.
func (b *Book) Notes(ctx context.Context, run string) ([]*Note, error) {
	return control.All(ctx, b.db, scanNote, `SELECT `+noteColumns+` FROM run_notes WHERE run = ? ORDER BY at DESC, id DESC LIMIT 200`, run)
}

// Any reports whether anything waits to be told to any run: mostly nothing does.
func (b *Book) Any() bool { return b.waiting.Load() > 0 }

// Take gives what a run's call by an agent is to carry, the oldest first; decision
// names the call. A run is known by a name that other agents of its team may use
// too, so what was said to one agent is not told to another. Who takes calls Told
// when the call has ended, however it did.
func (b *Book) Take(run, agent, decision string) []Note {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.drop(run, func(n *note) bool { return n.in == "" && !now.Before(n.Until) })
	var out []Note
	for _, n := range b.notes[run] {
		if (n.Agent == "" || n.Agent == agent) && (n.in == "" || n.Every) {
			n.in = decision
			out = append(out, n.Note)
		}
	}
	return out
}

// Told says how a call that carried notes ended: forwarded, they were told; else
// the next call may carry them.
func (b *Book) Told(run, decision string, forwarded bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now().UTC()
	for _, n := range b.notes[run] {
		if n.in != decision {
			continue
		}
		n.in = ""
		if !forwarded {
			continue
		}
		if n.Told++; n.ToldAt.IsZero() {
			n.ToldAt = now
		}
		n.Decision = decision
		if !n.Every {
			n.EndedAt = now
		}
		told := *n
		b.ended = append(b.ended, &told)
	}
	b.drop(run, func(n *note) bool { return !n.EndedAt.IsZero() })
	if len(b.ended) > 0 {
		select {
		case b.wake <- struct{}{}:
		default: // Run is to look anyway
		}
	}
}

// Run stores what was told, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			// What was told in the last moment.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			b.store(last)
			return nil
		case <-b.wake:
			b.store(ctx)
		}
	}
}

func (b *Book) store(ctx context.Context) {
	b.mu.Lock()
	told := b.ended
	b.ended = nil
	b.mu.Unlock()
	if len(told) == 0 {
		return
	}
	err := b.db.Write(ctx, func(tx *control.Tx) error {
		for _, n := range told {
			var ended *int64
			if !n.EndedAt.IsZero() {
				at := control.Micros(n.EndedAt)
				ended = &at
			}
			if _, err := tx.Exec(ctx, `UPDATE run_notes SET told = ?, told_at = ?, decision = ?, ended_at = COALESCE(ended_at, ?) WHERE id = ?`,
				n.Told, control.Micros(n.ToldAt), n.Decision, ended, n.ID); err != nil {
				return err
			}
			if err := tx.Event(ctx, control.Event{Type: "steering.note_told", Object: n.Run}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		// It was told: memory knows, so it is not told again while this process
		// lives, and the page shows it a moment later or not at all.
		b.log.Warn("what was told to a run could not be stored", "err", err)
	}
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}
