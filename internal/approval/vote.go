package approval

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Person is who answers. The caller made sure that it is a person, signed in,
// with the right to answer for the agent's team, and for what approves with a
// fresh second factor.
type Person struct {
	ID     string
	Name   string
	Groups []string // of the approval's, those that the person stands for
	Reason string
	// Dev is who tries things out without an account: nobody's owner.
	Dev bool
	// Any says that the person stands for whoever may approve (Group "").
	Any bool
}

const maxReason = 1000

func (p *Person) check() error {
	p.Reason = strings.TrimSpace(p.Reason)
	if len(p.Reason) > maxReason || !utf8.ValidString(p.Reason) {
		return fault.New(fault.KindInvalid, "approval.invalid", "a reason has at most %d bytes of UTF-8", maxReason)
	}
	return nil
}

// own reports whether the agent is the person's own: whose it is never agrees to
// what it does.
func (a *Approval) own(p *Person) bool {
	if p.Dev {
		return false
	}
	for _, n := range []string{a.Ask.Owner, a.Ask.Sponsor, a.Ask.User} {
		if n != "" && (n == p.ID || strings.EqualFold(n, p.Name)) {
			return true
		}
	}
	return false
}

// May is why a person may not agree to an approval, or nil.
func (a *Approval) May(p *Person) error {
	if a.own(p) {
		return fault.New(fault.KindDenied, "approval.own", "nobody agrees to what their own agent does").
			WithHint("somebody else who may approve for team %s answers it", a.Ask.Team)
	}
	for _, g := range a.groups() {
		if g.Name == "" && p.Any || g.Name != "" && slices.Contains(p.Groups, g.Name) {
			return nil
		}
	}
	var names []string
	for _, g := range a.groups() {
		if g.Name != "" {
			names = append(names, g.Name)
		}
	}
	if len(names) == 0 {
		return fault.New(fault.KindDenied, "approval.role", "this needs the role approver for team %s in %s", a.Ask.Team, a.Ask.Environment).WithHint("an admin can grant it")
	}
	return fault.New(fault.KindDenied, "approval.group", "this needs somebody of %s", strings.Join(names, " or ")).
		WithHint("an admin can put a person into that team")
}

// open reports whether an answer still counts.
func (a *Approval) open(now time.Time) error {
	if a.State != Pending {
		return errSettled
	}
	if !now.Before(a.ExpiresAt) {
		return errSettled.WithHint("its time is over")
	}
	return nil
}

// Approve counts a person's agreement to exactly what is bound, the hash that
// they were shown; with enough of each group the action may happen.
//
// Faults: approval.own, approval.role, approval.group, approval.settled,
// approval.other (bound is not what it is about any more), approval.voted.
func (b *Book) Approve(ctx context.Context, id string, p Person, bound string) (*Approval, error) {
	return b.answer(ctx, id, p, "approve", func(_ *control.Tx, a *Approval, v *Vote) error {
		if !same(bound, a.Bound) {
			return errOther
		}
		return nil
	})
}

// Edit agrees to the action with the body of to in place of the one that was
// asked for; what others agreed to before counts no more. from is the hash that
// the person was shown, bound that of the new arguments.
func (b *Book) Edit(ctx context.Context, id string, p Person, from string, to Request, bound string) (*Approval, error) {
	return b.answer(ctx, id, p, "edit", func(_ *control.Tx, a *Approval, v *Vote) error {
		switch {
		case !a.Ask.Editable:
			return errFixed
		case !same(from, a.Bound):
			return errOther
		}
		a.edited = b.keys.box(a.ID, "edited "+bound, Request{Body: to.Body, From: to.From, To: to.To})
		a.Bound, a.Edited = bound, true
		v.Bound = bound
		return nil
	})
}

var (
	errOther = fault.New(fault.KindConflict, "approval.other", "it is not about these arguments: somebody edited it since, or this is the hash of another").
			WithHint("read it again: `arguments.hash` is what you agree to")
	errFixed = fault.New(fault.KindInvalid, "approval.not_editable", "the arguments of this action cannot be edited here").
			WithHint("deny it and say why: whoever asked is told the reason")
)

// Deny ends it: the action does not happen, nor the same again for a day.
func (b *Book) Deny(ctx context.Context, id string, p Person) (*Approval, error) {
	return b.answer(ctx, id, p, "deny", func(_ *control.Tx, a *Approval, _ *Vote) error { return nil })
}

// answer counts what a person says about a pending approval.
func (b *Book) answer(ctx context.Context, id string, p Person, verdict string, f func(*control.Tx, *Approval, *Vote) error) (*Approval, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	var out *Approval
	kind := map[string]string{"approve": "approved", "edit": "edited", "deny": "denied", "takeover": "taken"}[verdict]
	err := b.step(ctx, id, kind, p.ID, func(tx *control.Tx, a *Approval) error {
		out = a
		now := b.now().UTC().Truncate(time.Microsecond)
		if err := a.open(now); err != nil {
			return err
		}
		if verdict != "deny" {
			if err := a.May(&p); err != nil {
				return err
			}
		}
		v := Vote{Person: p.ID, Name: p.Name, Verdict: verdict, Groups: p.Groups, Bound: a.Bound, Reason: p.Reason, At: now}
		if err := f(tx, a, &v); err != nil {
			return err
		}
		if err := b.cast(ctx, tx, a, &v); err != nil {
			return err
		}
		a.Reason = p.Reason
		switch {
		case verdict == "deny":
			a.State, a.Code, a.DecidedAt, a.EndedAt = Denied, "approval.denied", now, now
		case verdict == "takeover":
			a.State, a.Code, a.DecidedAt, a.EndedAt = Taken, "approval.taken", now, now
		case len(a.Missing()) == 0:
			a.State, a.DecidedAt, a.ExpiresAt = Approved, now, now.Add(b.c.Use)
			return tx.SetTimer(ctx, control.Timer{ID: "approval/" + a.ID, Kind: TimerExpire, Due: a.ExpiresAt, Body: a.ID})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.stats.answered(out, verdict)
	return out, nil
}

// cast stores a vote: one a person, unless it was about other arguments.
func (b *Book) cast(ctx context.Context, tx *control.Tx, a *Approval, v *Vote) error {
	at, ok, err := control.One(ctx, tx, func(r control.Row) (at int64, err error) { return at, r.Scan(&at) },
		`SELECT at FROM approval_opened WHERE approval = ? AND person = ?`, a.ID, v.Person)
	if err != nil {
		return err
	}
	if ok {
		v.OpenedAt = control.Time(at)
	}
	for i := range a.Votes {
		if old := &a.Votes[i]; old.Person == v.Person && v.Verdict == "approve" && old.agrees(v.Bound) {
			return fault.New(fault.KindConflict, "approval.voted", "you agreed to it already; %s", wanting(a.Missing()))
		}
	}
	groups, err := json.Marshal(v.Groups)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO approval_votes (approval, person, name, verdict, groups, bound, reason, at, opened_at, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (approval, person) DO UPDATE SET name = excluded.name, verdict = excluded.verdict, groups = excluded.groups, bound = excluded.bound,
		reason = excluded.reason, at = excluded.at, opened_at = excluded.opened_at, mac = excluded.mac`,
		a.ID, v.Person, v.Name, v.Verdict, string(groups), v.Bound, v.Reason, control.Micros(v.At), stamp(v.OpenedAt), b.keys.voteMAC(a.ID, v)); err != nil {
		return err
	}
	a.Votes = slices.DeleteFunc(slices.Clone(a.Votes), func(o Vote) bool { return o.Person == v.Person })
	a.Votes = append(a.Votes, *v)
	return nil
}

func wanting(missing []Group) string {
	var b strings.Builder
	b.WriteString("it waits for ")
	for i, g := range missing {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(countOf(g))
	}
	return b.String()
}

func countOf(g Group) string {
	name := g.Name
	if name == "" {
		name = "an approver"
	}
	if g.Count == 1 {
		return "one more of " + name
	}
	return "more people of " + name
}

// HasOpened reports whether a person opened an approval.
func (b *Book) HasOpened(ctx context.Context, id, person string) (bool, error) {
	_, ok, err := control.One(ctx, b.db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT 1 FROM approval_opened WHERE approval = ? AND person = ?`, id, person)
	return ok, err
}

// Opened notes that a person looked at an approval; it is counted how many are
// approved without.
func (b *Book) Opened(ctx context.Context, id, person string) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := b.read(ctx, tx, id); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO approval_opened (approval, person, at) VALUES (?, ?, ?) ON CONFLICT (approval, person) DO NOTHING`, id, person, control.Micros(b.now()))
		if err != nil || n == 0 {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "approval.opened", Person: person, Action: "open", Object: id})
	})
}
