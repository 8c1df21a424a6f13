package approval

import (
	"context"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// TimerExpire is the kind of the timers by which approvals end.
const TimerExpire = "approval.expire"

// Expire is the handler of TimerExpire: what nobody answered is denied, what
// nobody used is void.
func (b *Book) Expire(ctx context.Context, tx *control.Tx, t control.Timer) error {
	a, err := b.read(ctx, tx, t.Body)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := b.now().UTC()
	from := a.State
	if from != Pending && from != Approved {
		return nil // answered or used meanwhile
	}
	if now.Before(a.ExpiresAt) { // the clock stepped back
		return tx.SetTimer(ctx, control.Timer{ID: t.ID, Kind: t.Kind, Due: a.ExpiresAt, Body: t.Body})
	}
	b.expire(a, now)
	a.Asked = b.askedOf(a)
	if err := b.update(ctx, tx, a, from); err != nil {
		return err
	}
	return b.record(ctx, tx, a, "expired", "reeve", nil)
}

func (b *Book) expire(a *Approval, now time.Time) {
	a.Code, a.EndedAt = "approval.expired", now
	if a.State == Pending {
		a.Reason = "nobody answered in time, so it is denied"
	} else {
		a.Reason = "it was approved and its call did not come in time"
	}
	a.State = Expired
}

// Void ends an approval that may not be used any more.
func (b *Book) Void(ctx context.Context, id, code, reason string) error {
	return b.step(ctx, id, "void", "reeve", func(_ *control.Tx, a *Approval) error {
		if a.State != Pending && a.State != Approved {
			return errSettled
		}
		a.State, a.Code, a.Reason, a.EndedAt = Void, code, reason, b.now().UTC()
		return nil
	})
}

// end is an approval that Run shall void.
type end struct{ id, code, reason string }

// VoidWhere ends the open approvals for which why gives a code. It does not wait:
// Run stores it, and who would use one meanwhile finds out by itself.
func (b *Book) VoidWhere(why func(k *Ask) (code, reason string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, l := range b.byID {
		if l.a.State != Pending && l.a.State != Approved {
			continue
		}
		if code, reason := why(&l.a.Ask); code != "" {
			b.ends = append(b.ends, end{id, code, reason})
		}
	}
	b.kick()
}

// Discard is VoidWhere for one.
func (b *Book) Discard(id, code, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ends = append(b.ends, end{id, code, reason})
	b.kick()
}

func (b *Book) kick() {
	select {
	case b.work <- struct{}{}:
	default: // one is pending
	}
}

// discard voids what waits for it.
func (b *Book) discard(ctx context.Context) {
	b.mu.Lock()
	ends := b.ends
	b.ends = nil
	b.mu.Unlock()
	for _, e := range ends {
		if err := b.Void(ctx, e.id, e.code, e.reason); err != nil && !fault.Is(err, fault.KindConflict) {
			b.log.Warn("an approval is void and it could not be stored; its use is refused all the same", "approval", e.id, "err", err)
		}
	}
}

// check is why an approved one may not be used, or nil: every word of it is
// Reeve's own, enough people agreed to what is bound, and its time is not over.
func (b *Book) check(a *Approval) error {
	now := b.now()
	last := time.Time{}
	for i := range a.Votes {
		if v := &a.Votes[i]; v.agrees(a.Bound) && v.At.After(last) {
			last = v.At
		}
	}
	switch {
	case !same(a.mac, b.keys.rowMAC(a, a.Ask.Joins, a.Ask.Arguments)), len(a.Missing()) > 0:
		return errTampered
	case !now.Before(a.ExpiresAt), !now.Before(last.Add(b.c.Use)):
		return errExpired
	}
	return nil
}

var (
	errExpired = fault.New(fault.KindDenied, "approval.expired", "the approval's time is over").WithHint("call again: a person is asked anew")
	errUsed    = fault.New(fault.KindConflict, "approval.used", "the approval was used by another call").WithHint("the same call again collects its answer")
)

// Open gives the bytes that an approval is about: the body as it was edited, if
// it was.
func (b *Book) Open(a *Approval) (Request, error) {
	r, err := b.Original(a)
	if err != nil {
		return r, err
	}
	if len(a.edited) == 0 {
		if !same(a.Bound, a.Ask.Arguments) { // there was an edit, and it is gone
			return r, errTampered
		}
		return r, nil
	}
	var edited Request
	if err := b.keys.unbox(a.ID, "edited "+a.Bound, a.edited, &edited); err != nil {
		return r, err
	}
	r.Body, r.From, r.To = edited.Body, edited.From, edited.To
	return r, nil
}

// Original is Open without the edit.
func (b *Book) Original(a *Approval) (r Request, err error) {
	if len(a.request) == 0 {
		return r, fault.New(fault.KindNotFound, "approval.dropped", "the arguments of this approval are not kept any more")
	}
	return r, b.keys.unbox(a.ID, "request", a.request, &r)
}

// Claim takes an approved one for the decision under which it is forwarded, once:
// whoever comes later gets approval.used. It is durable before it returns.
func (b *Book) Claim(ctx context.Context, id, decision string) error {
	if a, _, ok := b.Follow(id); ok && a.State != Approved {
		return errUsed // whatever the database says
	}
	var refused error
	err := b.step(ctx, id, "executing", "reeve", func(_ *control.Tx, a *Approval) error {
		if a.State != Approved {
			return errUsed
		}
		if refused = b.check(a); refused != nil {
			a.State, a.Code, a.EndedAt = Void, fault.From(refused).Code, b.now().UTC()
			a.Reason = fault.From(refused).Message
			return nil
		}
		a.State, a.UsedBy = Executing, decision
		return nil
	})
	if err == nil {
		err = refused
	}
	return err
}

// Finish says what an executing one came to. delivered says that the agent has
// the answer; else a retry collects it.
func (b *Book) Finish(ctx context.Context, id, code string, answer *Answer, delivered bool) error {
	return b.step(ctx, id, "done", "reeve", func(_ *control.Tx, a *Approval) error {
		if a.State != Executing {
			return errSettled
		}
		a.State, a.Code, a.EndedAt, a.Delivered = Done, code, b.now().UTC(), delivered
		if answer != nil {
			a.answer = b.keys.box(a.ID, "answer", answer)
		}
		return nil
	})
}

// Unclaim gives an executing one back of which nothing was sent: it waits for
// its call again.
func (b *Book) Unclaim(ctx context.Context, id string) error {
	return b.step(ctx, id, "released", "reeve", func(tx *control.Tx, a *Approval) error {
		if a.State != Executing {
			return errSettled
		}
		a.State, a.UsedBy = Approved, ""
		return tx.SetTimer(ctx, control.Timer{ID: "approval/" + a.ID, Kind: TimerExpire, Due: a.ExpiresAt, Body: a.ID})
	})
}

// Collected notes that a retry has the answer.
func (b *Book) Collected(ctx context.Context, id string) error {
	return b.step(ctx, id, "collected", "reeve", func(_ *control.Tx, a *Approval) error {
		if !a.State.over() || a.Delivered {
			return errSettled
		}
		a.Delivered = true
		return nil
	})
}

// Answer opens what an approval came to; ok is false when nothing was kept.
func (b *Book) Answer(a *Approval) (out Answer, ok bool, err error) {
	if len(a.answer) == 0 {
		return out, false, nil
	}
	err = b.keys.unbox(a.ID, "answer", a.answer, &out)
	return out, err == nil, err
}
