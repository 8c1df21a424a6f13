package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"reeve/internal/control"
	"reeve/internal/notify/channel"
)

// A delivery goes
//
//	queued -> claimed -> sent | failed | unknown
//	   ^         |
//	   '---------'  it certainly did not arrive, or its receiver keeps one of a key
//
// Claimed is stored before the request is made. Whoever finds a claimed one at a
// start does not know whether it arrived.

// Run sends what is due until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	if err := b.recover(ctx); err != nil {
		return err
	}
	slots := make(chan struct{}, maxSending)
	var sending sync.WaitGroup
	defer sending.Wait()
	tidied := time.Time{}
	for {
		list, next, err := b.claim(ctx, maxSending)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			b.o.Logger.Error("deliveries could not be claimed and are tried again", "err", err)
		}
		for _, d := range list {
			slots <- struct{}{}
			sending.Go(func() {
				defer func() { <-slots }()
				b.send(ctx, d)
				b.Wake()
			})
		}
		if now := b.now(); now.Sub(tidied) > time.Hour {
			tidied = now
			b.tidy(ctx)
		}
		if len(list) == maxSending {
			continue
		}
		wait := 5 * time.Second
		if !next.IsZero() {
			wait = min(max(next.Sub(b.now()), 10*time.Millisecond), wait)
		}
		look := time.NewTimer(wait)
		select {
		case <-look.C:
		case <-b.wake:
		case <-ctx.Done():
			look.Stop()
			return context.Cause(ctx)
		}
		look.Stop()
	}
}

// recover settles what a former process was sending.
func (b *Book) recover(ctx context.Context) error {
	list, err := control.All(ctx, b.o.DB, scanDelivery, `SELECT `+deliveryColumns+` WHERE state = ?`, Claimed)
	if err != nil {
		return fmt.Errorf("reading deliveries that were being sent: %w", err)
	}
	for _, d := range list {
		a := channel.Answer{Outcome: channel.Unknown, Text: "Reeve ended while it was sent"}
		if err := b.settle(ctx, d, Attempt{At: b.now(), Answer: a}); err != nil {
			return err
		}
	}
	return nil
}

// claim takes due deliveries, which is stored when it returns, and tells when the
// next is due.
func (b *Book) claim(ctx context.Context, most int) (list []Delivery, next time.Time, err error) {
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		now := b.now()
		list, next = nil, time.Time{}
		due, err := control.All(ctx, tx, scanDelivery, `SELECT `+deliveryColumns+` WHERE state = ? ORDER BY next_at, id LIMIT ?`, Queued, most+1)
		if err != nil {
			return err
		}
		for _, d := range due {
			if d.NextAt.After(now) || len(list) == most {
				if next.IsZero() || d.NextAt.Before(next) {
					next = d.NextAt
				}
				break
			}
			waits, err := b.before(ctx, tx, &d, now)
			switch {
			case err != nil:
				return err
			case waits:
				next = now.Add(250 * time.Millisecond) // its time was moved
				continue
			}
			if _, err := tx.Exec(ctx, `UPDATE deliveries SET state = ?, attempts = attempts + 1 WHERE id = ? AND state = ?`, Claimed, d.ID, Queued); err != nil {
				return err
			}
			d.State = Claimed
			d.Attempts++
			list = append(list, d)
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return list, next, nil
}

// before reports whether something about the same is on its way to the same receiver
// and goes first; then d is looked at again a moment later. An end that overtook its
// beginning was dropped there, and the beginning stayed for good.
func (b *Book) before(ctx context.Context, tx *control.Tx, d *Delivery, now time.Time) (bool, error) {
	if d.Message.Action == channel.Trigger || d.Message.Action == "" {
		return false, nil
	}
	next, waits, err := control.One(ctx, tx, func(r control.Row) (at int64, err error) { return at, r.Scan(&at) },
		`SELECT next_at FROM deliveries WHERE channel = ? AND object = ? AND state IN (?, ?) AND (created_at < ? OR created_at = ? AND id < ?) ORDER BY created_at DESC LIMIT 1`,
		d.Channel, d.Object, Queued, Claimed, control.Micros(d.CreatedAt), control.Micros(d.CreatedAt), d.ID)
	if err != nil || !waits {
		return false, err
	}
	at := control.Time(next)
	if soon := now.Add(250 * time.Millisecond); at.Before(soon) {
		at = soon
	}
	_, err = tx.Exec(ctx, `UPDATE deliveries SET next_at = ? WHERE id = ?`, control.Micros(at.Add(time.Millisecond)), d.ID)
	return true, err
}

func (b *Book) send(ctx context.Context, d Delivery) {
	began := b.now()
	answer := b.ask(ctx, &d)
	// What was sent is noted although the process is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := b.settle(ctx, d, Attempt{At: began, Took: b.now().Sub(began), Answer: answer}); err != nil {
		// It stays claimed, and is unknown at the next start.
		b.o.Logger.Error("what came of a delivery could not be stored", "delivery", d.ID, "err", err)
	}
}

// ask makes the attempt. A kind's bug is an unknown delivery, not the end of the
// process.
func (b *Book) ask(ctx context.Context, d *Delivery) (answer channel.Answer) {
	defer func() {
		if p := recover(); p != nil {
			b.o.Logger.Error("a channel panicked", "channel", d.Channel, "err", p)
			answer = channel.Answer{Outcome: channel.Unknown, Text: "the channel failed inside Reeve"}
		}
	}()
	b.mu.RLock()
	c := b.channels[d.Channel]
	b.mu.RUnlock()
	switch {
	case c == nil:
		return channel.Answer{Outcome: channel.Failed, Text: "there is no such channel any more"}
	case c.Off && d.Purpose != "test":
		return channel.Answer{Outcome: channel.Failed, Text: "the channel is off"}
	}
	k, ok := channel.Find(c.Kind)
	if !ok {
		return channel.Answer{Outcome: channel.Failed, Text: "no such kind of channel"}
	}
	m := d.Message
	if m.Ref == "" && m.Action != channel.Trigger {
		m.Ref = b.ref(ctx, c.Name, m.Key)
	}
	return k.Send(ctx, b.o.Client, c.Settings, c.secret, &m)
}

// ref is what a channel called what was triggered under a key before.
func (b *Book) ref(ctx context.Context, name, key string) string {
	list, err := control.All(ctx, b.o.DB, scanDelivery, `SELECT `+deliveryColumns+` WHERE channel = ? AND state = ? ORDER BY created_at DESC LIMIT 200`, name, Sent)
	if err != nil {
		return "" // it is sent without
	}
	for _, d := range list {
		if d.Message.Key == key && len(d.Tries) > 0 && d.Message.Action == channel.Trigger {
			return d.Tries[len(d.Tries)-1].Answer.Ref
		}
	}
	return ""
}

// settle stores what came of an attempt.
func (b *Book) settle(ctx context.Context, d Delivery, t Attempt) error {
	keyed := false
	if c, err := b.Get(d.Channel); err == nil {
		k, _ := channel.Find(c.Kind)
		keyed = k.Keyed
	}
	d.Tries = append(d.Tries, t)
	again := t.Answer.Outcome == channel.Again || t.Answer.Outcome == channel.Unknown && keyed
	switch {
	case t.Answer.Outcome == channel.Sent:
		d.State = Sent
	case again && d.Attempts < maxTries:
		d.State = Queued
		d.NextAt = b.now().Add(max(t.Answer.Wait, min(time.Second<<min(d.Attempts, 9), 5*time.Minute)))
	case t.Answer.Outcome == channel.Unknown:
		d.State = Unknown
	default:
		d.State = Failed
	}
	if d.State != Queued {
		d.DoneAt = b.now()
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE deliveries SET state = ?, next_at = ?, done_at = ?, body = ? WHERE id = ? AND state = ?`,
			d.State, control.Micros(d.NextAt), control.Micros(d.DoneAt), string(body), d.ID, Claimed)
		if err != nil {
			return err
		}
		if n == 0 {
			return errGone
		}
		return tx.Event(ctx, control.Event{Type: "delivery." + d.State, Object: d.ID})
	})
	if errors.Is(err, errGone) {
		return nil
	}
	if err == nil && b.o.Settled != nil && d.State != Queued {
		b.o.Settled(ctx, d)
	}
	return err
}

var errGone = errors.New("the delivery was settled otherwise")

// tidy drops old deliveries.
func (b *Book) tidy(ctx context.Context) {
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM deliveries WHERE state NOT IN (?, ?) AND created_at < ?`, Queued, Claimed, control.Micros(b.now().Add(-keep))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM channel_states WHERE arrived_at < ?`, control.Micros(b.now().Add(-keep))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM deliveries WHERE state NOT IN (?, ?) AND id IN (SELECT id FROM deliveries ORDER BY created_at DESC LIMIT ? OFFSET ?)`, Queued, Claimed, 10*maxKept, maxKept)
		return err
	})
	if err != nil && ctx.Err() == nil {
		b.o.Logger.Error("old deliveries were not dropped", "err", err)
	}
}

// Link says that a chat's user is a person of ours.
func (b *Book) Link(ctx context.Context, name, account, person string) error {
	if account == "" || len(account) > 200 || person == "" {
		return invalid("an account and a person are needed")
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO chat_accounts (channel, account, person, linked_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (channel, account) DO UPDATE SET person = excluded.person, linked_at = excluded.linked_at`, name, account, person, control.Micros(b.now())); err != nil {
			return err
		}
		return b.record(ctx, tx, Actor{Person: person}, "chat_linked", "link", name, map[string]any{"account": account})
	})
}

// Linked is whose account in a chat it is; "" nobody's.
func (b *Book) Linked(ctx context.Context, name, account string) (string, error) {
	p, _, err := control.One(ctx, b.o.DB, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT person FROM chat_accounts WHERE channel = ? AND account = ?`, name, account)
	return p, err
}
