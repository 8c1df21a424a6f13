package incident

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"reeve/internal/control"
)

// MaxMessage bounds what people are told of an incident, in bytes.
const MaxMessage = 4000

// Heard is how a user stands in the list of who was told: a digest under the
// book's key, so that who has the table cannot try addresses on it.
func (b *Book) Heard(incident, user string) string {
	mac := hmac.New(sha256.New, b.o.Key)
	mac.Write([]byte(incident + "\x00" + user))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Told reports which of the users were told of an incident already.
func (b *Book) Told(ctx context.Context, incident string, users []string) (map[string]bool, error) {
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT who FROM incident_told WHERE incident = ?`, incident)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(all))
	for _, w := range all {
		known[w] = true
	}
	out := map[string]bool{}
	for _, u := range users {
		if known[b.Heard(incident, u)] {
			out[u] = true
		}
	}
	return out, nil
}

// ToldIn notes in the transaction of a message that a user gets it; fresh is false
// for one who was told before, who gets no second one.
func (b *Book) ToldIn(ctx context.Context, tx *control.Tx, incident, user, act, delivery string) (fresh bool, err error) {
	n, err := tx.Exec(ctx, `INSERT INTO incident_told (incident, who, act, delivery, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		incident, b.Heard(incident, user), act, delivery, control.Micros(b.now()))
	return n == 1, err
}

// UntoldIn forgets that those whose message was taken back were told.
func (b *Book) UntoldIn(ctx context.Context, tx *control.Tx, delivery string) error {
	_, err := tx.Exec(ctx, `DELETE FROM incident_told WHERE delivery = ?`, delivery)
	return err
}

// Message is a draft of what people who were touched are told. It says no more
// than is known: what went wrong for them and when, and neither why nor by whom.
func (i *Incident) Message() string {
	from := i.OpenedAt.UTC().Format("2 January 2006 15:04 UTC")
	when := "since " + from
	if !i.ResolvedAt.IsZero() {
		when = "between " + from + " and " + i.ResolvedAt.UTC().Format("2 January 15:04 UTC")
	}
	var b strings.Builder
	switch i.Kind {
	case WrongAnswer:
		fmt.Fprintf(&b, "Answers that you received from us %s may have been wrong or out of date.\n\nPlease do not rely on them. If you decided something because of one, reply to this message and we look at it with you.", when)
	case WrongAction:
		fmt.Fprintf(&b, "Something may have been done for you %s that should not have been done, or not in this way.\n\nWe look at each case and put right what was wrong. If you see something that you do not expect, reply to this message.", when)
	case Outage:
		fmt.Fprintf(&b, "Requests that you sent us %s may not have been answered, or not in time.\n\nIf yours is still open, please send it again or reply to this message.", when)
	default:
		fmt.Fprintf(&b, "What you received from us %s may not be right.\n\nWe are looking into it. If something is not as you expect, reply to this message.", when)
	}
	fmt.Fprintf(&b, "\n\nReference: incident %d", i.Number)
	return b.String()
}

// ReachOf is whom an incident may have touched: the runs of its agents since it
// began, and of those only the ones that have its cause too.
func (i *Incident) ReachOf(now time.Time) Scope {
	s := i.ScopeOf(now)
	s.Cause = i.Cause
	return s
}
