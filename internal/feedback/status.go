package feedback

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// What became of what somebody said, as they are shown it.
const (
	StatusOpen      = "open"
	StatusWorking   = "working"
	StatusCorrected = "corrected"
)

// Status is what the giver is shown behind their link, in the team's words.
type Status struct {
	State string    `json:"state"`
	Text  string    `json:"text,omitempty"`
	At    time.Time `json:"at"`
	By    string    `json:"by,omitempty"` // is not shown to them
}

// StatusPrefix begins a token of a status link, so that one that leaked is recognised.
const StatusPrefix = "rvfs_"

const (
	// StatusLife is how long a status link shows something.
	StatusLife   = 90 * 24 * time.Hour
	maxStatus    = maxComment // bytes of text
	linksOfOne   = 5          // of one feedback; the oldest goes
	maxToken     = 100
	watchedMost  = 20_000
	watchedChunk = 500
)

// errNoStatus is the one answer to a token that was never given out, has expired, was
// taken back, or is of what was erased: which of them it is is nobody's business.
var errNoStatus = fault.New(fault.KindNotFound, "feedback.no_status", "this link is not known, or it has expired or was taken back")

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// StatusLink makes a token by which whoever holds it sees what becomes of a feedback.
// It is kept as its hash alone: nobody can read it again.
func (b *Book) StatusLink(ctx context.Context, id string) (token string, expires time.Time, err error) {
	token = StatusPrefix + strings.ToLower(rand.Text())
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	expires = now.Add(StatusLife)
	b.write.Lock()
	defer b.write.Unlock()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		f, ok, err := read(ctx, tx, id)
		if err != nil {
			return err
		}
		if !ok || f.Erased || f.Removed {
			return errNoStatus
		}
		for _, q := range []struct {
			text string
			args []any
		}{
			{`DELETE FROM feedback_status WHERE expires <= ?`, []any{control.Micros(now)}},
			{`INSERT INTO feedback_status (token, feedback, at, expires) VALUES (?, ?, ?, ?)`, []any{hashOf(token), id, control.Micros(now), control.Micros(expires)}},
			{`DELETE FROM feedback_status WHERE feedback = ? AND token NOT IN (SELECT token FROM feedback_status WHERE feedback = ? ORDER BY at DESC, token LIMIT ?)`, []any{id, id, linksOfOne}},
		} {
			if _, err := tx.Exec(ctx, q.text, q.args...); err != nil {
				return err
			}
		}
		f.Watched = expires
		return f.save(ctx, tx)
	})
	return token, expires, err
}

// statusOf is the feedback that a token is of.
func (b *Book) statusOf(ctx context.Context, r control.Reader, token string) (Feedback, error) {
	if !strings.HasPrefix(token, StatusPrefix) || len(token) > maxToken {
		return Feedback{}, errNoStatus
	}
	f, ok, err := control.One(ctx, r, scan, `SELECT `+columns+` FROM feedback WHERE id = (SELECT feedback FROM feedback_status WHERE token = ? AND expires > ?)`, hashOf(token), control.Micros(b.o.Now()))
	if err == nil && (!ok || f.Erased || f.Removed) {
		err = errNoStatus
	}
	return f, err
}

// StatusBy is what the holder of a token is shown; feedback.no_status to anybody else.
func (b *Book) StatusBy(ctx context.Context, token string) (Status, error) {
	f, err := b.statusOf(ctx, b.o.DB, token)
	if err != nil {
		return Status{}, err
	}
	if f.Status == nil {
		return Status{State: StatusOpen, At: f.ReceivedAt}, nil
	}
	return Status{State: f.Status.State, Text: f.Status.Text, At: f.Status.At}, nil
}

// ForgetStatus ends all links of a feedback for the holder of one.
func (b *Book) ForgetStatus(ctx context.Context, token string) error {
	b.write.Lock()
	defer b.write.Unlock()
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		f, err := b.statusOf(ctx, tx, token)
		if err != nil {
			return err
		}
		return b.unwatch(ctx, tx, &f)
	})
}

func (b *Book) unwatch(ctx context.Context, tx *control.Tx, f *Feedback) error {
	if _, err := tx.Exec(ctx, `DELETE FROM feedback_status WHERE feedback = ?`, f.ID); err != nil {
		return err
	}
	f.Watched = time.Time{}
	return f.save(ctx, tx)
}

// Watching reports whether the giver can see what becomes of it.
func (f *Feedback) Watching(now time.Time) bool { return f.Watched.After(now) }

func checkStatus(state, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case !slices.Contains([]string{StatusOpen, StatusWorking, StatusCorrected}, state):
		return "", invalid("state is %s, %s or %s, not %.20q", StatusOpen, StatusWorking, StatusCorrected, state)
	case len(text) > maxStatus || clip(text, maxStatus) != text:
		return "", invalid("what somebody is shown is a text of %d bytes at most", maxStatus)
	}
	return text, nil
}

// SetStatus says what the giver of a feedback is shown behind their link.
func (b *Book) SetStatus(ctx context.Context, who Actor, id, state, text string) (f Feedback, err error) {
	if text, err = checkStatus(state, text); err != nil {
		return f, err
	}
	return f, b.onStatus(ctx, who, id, "status", func(tx *control.Tx, x *Feedback) error {
		if !x.Watching(b.o.Now()) {
			return fault.New(fault.KindConflict, "feedback.no_link", "this person has no link to see it by").WithHint("whoever answers by a link of a mail or a chat is given one; it ends after 90 days")
		}
		x.Status = &Status{State: state, Text: text, At: b.o.Now().UTC().Truncate(time.Microsecond), By: cmp.Or(who.Name, who.Person)}
		f = *x
		return x.save(ctx, tx)
	})
}

// RevokeStatus ends the links by which the giver of a feedback sees what becomes of it.
func (b *Book) RevokeStatus(ctx context.Context, who Actor, id string) error {
	return b.onStatus(ctx, who, id, "revoke", func(tx *control.Tx, x *Feedback) error { return b.unwatch(ctx, tx, x) })
}

func (b *Book) onStatus(ctx context.Context, who Actor, id, action string, do func(*control.Tx, *Feedback) error) error {
	b.write.Lock()
	defer b.write.Unlock()
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		f, ok, err := read(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case !ok || !who.Can("viewer", f.Team, f.Environment):
			return fault.New(fault.KindNotFound, "feedback.not_found", "there is no feedback %.60s", id)
		case !who.Can("responder", f.Team, f.Environment) && !who.Can("developer", f.Team, f.Environment):
			return fault.New(fault.KindDenied, "feedback.denied", "answering needs the role responder or developer for team %q", f.Team)
		case f.Erased:
			return fault.New(fault.KindConflict, "feedback.erased", "what this person said was erased; nobody knows whom to tell")
		}
		if err := do(tx, &f); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.feedback_status", Person: who.Person, Via: who.Via, Action: action, Object: id}); err != nil {
			return err
		}
		return b.tell(ctx, tx, []Feedback{f})
	})
}

// TellWatching shows a text to all who complained of some runs and see what becomes of it
// by a link; affected picks of some runs those that are meant. teams bounds it ("" all).
// It returns how many people that are.
func (b *Book) TellWatching(ctx context.Context, who Actor, team, state, text string, affected func(context.Context, []string) (map[string]bool, error)) (n int, err error) {
	if len(text) > maxStatus {
		text = clip(text, maxStatus)
	}
	if text, err = checkStatus(state, text); err != nil {
		return 0, err
	}
	all, err := b.watching(ctx, team, affected)
	if err != nil {
		return 0, err
	}
	for _, id := range all {
		_, err := b.SetStatus(ctx, who, id, state, text)
		switch {
		case fault.Is(err, fault.KindConflict), fault.Is(err, fault.KindNotFound), fault.Is(err, fault.KindDenied):
			continue // its link ended meanwhile, or it is not theirs to answer
		case err != nil:
			return n, err
		}
		n++
	}
	return n, nil
}

// Watching counts whom TellWatching would tell.
func (b *Book) Watching(ctx context.Context, team string, affected func(context.Context, []string) (map[string]bool, error)) (int, error) {
	all, err := b.watching(ctx, team, affected)
	return len(all), err
}

func (b *Book) watching(ctx context.Context, team string, affected func(context.Context, []string) (map[string]bool, error)) (ids []string, err error) {
	type seen struct{ id, run string }
	var w control.Where
	w.Add("id IN (SELECT feedback FROM feedback_status WHERE expires > ?)", control.Micros(b.o.Now()))
	w.Add("run <> ''")
	w.Add("verdict <> 'positive'")
	w.Is("team", team)
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (s seen, err error) { return s, r.Scan(&s.id, &s.run) }, `SELECT id, run FROM feedback`+w.Text()+` ORDER BY at DESC, id LIMIT ?`, append(w.Args, watchedMost)...)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(all, watchedChunk) {
		runs := make([]string, len(part))
		for i := range part {
			runs[i] = part[i].run
		}
		of, err := affected(ctx, runs)
		if err != nil {
			return nil, err
		}
		for _, s := range part {
			if of[s.run] {
				ids = append(ids, s.id)
			}
		}
	}
	return ids, nil
}
