package feedback

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"reeve/internal/fault"
)

// TicketPrefix begins a ticket, so that one that leaked is recognised.
const TicketPrefix = "rvf1."

// MaxTicketLife is how long a ticket may be used.
const MaxTicketLife = 90 * 24 * time.Hour

// Ticket lets whoever holds it say something of one run, once, as often as they
// change their mind. It is signed and not stored: mails may be sent by thousands.
type Ticket struct {
	Team        string `json:"t,omitempty"`
	Environment string `json:"e,omitempty"`
	On          On     `json:"o"`
	User        string `json:"u,omitempty"`
	Question    string `json:"q,omitempty"`
	Expires     int64  `json:"x"` // Unix seconds
}

// Sign makes a ticket.
func (b *Book) Sign(t Ticket, life time.Duration) (string, time.Time, error) {
	if life <= 0 || life > MaxTicketLife {
		return "", time.Time{}, invalid("a ticket lives for %s at most", MaxTicketLife)
	}
	if err := t.On.check(); err != nil {
		return "", time.Time{}, err
	}
	t.User, t.Question = clip(t.User, maxKey), clip(t.Question, maxWord)
	expires := b.o.Now().Add(life).UTC().Truncate(time.Second)
	t.Expires = expires.Unix()
	body, err := json.Marshal(t)
	if err != nil {
		return "", time.Time{}, err
	}
	return TicketPrefix + enc.EncodeToString(body) + "." + enc.EncodeToString(b.mac("ticket", string(body))[:24]), expires, nil
}

// Strict: of two texts for the same bytes one would pass as another ticket.
var enc = base64.RawURLEncoding.Strict()

// maxTicket bounds what is looked at.
const maxTicket = 4096

// Open reads a ticket that we signed.
func (b *Book) Open(text string) (Ticket, error) {
	wrong := fault.New(fault.KindUnauthenticated, "feedback.forged", "this link is not one of ours, or it was changed").WithHint("ask for a new one")
	rest, ok := strings.CutPrefix(text, TicketPrefix)
	body, mac, both := strings.Cut(rest, ".")
	if !ok || !both || len(text) > maxTicket {
		return Ticket{}, wrong
	}
	raw, err1 := enc.DecodeString(body)
	given, err2 := enc.DecodeString(mac)
	if err1 != nil || err2 != nil || !hmac.Equal(given, b.mac("ticket", string(raw))[:24]) {
		return Ticket{}, wrong
	}
	var t Ticket
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&t); err != nil {
		return Ticket{}, wrong
	}
	if !b.o.Now().Before(time.Unix(t.Expires, 0)) {
		return t, fault.New(fault.KindUnauthenticated, "feedback.expired", "this link has expired").WithHint("ask for a new one")
	}
	return t, nil
}

// TicketKeys is what Sender.Keys is for who shows a ticket. No source has such a
// name.
const TicketKeys = "ticket:"

// Key is by what a ticket's feedback is known: a second word of the same holder
// on the same thing replaces the first.
func (t *Ticket) Key() string {
	return clip("ticket "+t.On.Run+t.On.Trace+t.On.RunKey+" "+t.On.JoinKey+" "+t.On.Session+" "+t.On.Step+" "+t.User+" "+t.Question, maxKey)
}
