package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/notify/channel"
)

// What became of a state that another system told.
const (
	TakenOver = "done"
	Late      = "late"    // what is known is newer
	Nothing   = "nothing" // it changes nothing here
	Stranger  = "unknown" // it is about nothing that was sent there
)

// Told is a state that a channel's receiver told, and what became of it.
type Told struct {
	Channel   string    `json:"-"`
	ArrivedAt time.Time `json:"-"`
	Outcome   string    `json:"-"`
	Again     bool      `json:"-"` // it was told before

	Change channel.StateChange `json:"change"`
	Object string              `json:"object,omitempty"`
	Text   string              `json:"text,omitempty"`
}

// Receive takes what a channel's receiver tells of something that was sent there.
// It does it once, however often it is told, and leaves out what comes after newer
// news. An error that is not the sender's is one to be told again for.
func (b *Book) Receive(ctx context.Context, kind, name string, h http.Header, body []byte) (Told, error) {
	c, err := b.Get(name)
	secrets := b.Signing(name)
	if err != nil || c.Kind != kind || c.Off {
		secrets = nil // who may not know what channels there are learns nothing
	}
	change, err := channel.ReadState(kind, secrets, h, body)
	if err != nil {
		return Told{}, err
	}
	now := b.now()
	if change.At = change.At.UTC().Truncate(time.Microsecond); change.At.Unix() <= 0 || change.At.After(now) {
		change.At = now
	}
	_, object, _ := strings.Cut(change.Key, "-")
	t := Told{Channel: name, ArrivedAt: now, Change: change, Object: object}
	b.receiving.Lock()
	defer b.receiving.Unlock()
	seen, known, newest, err := b.standing(ctx, &t)
	switch {
	case err != nil:
		return t, err
	case seen != nil:
		seen.Again = true
		return *seen, nil
	case change.State == "":
		return t, nil // nothing that is followed, and nothing worth a row
	case !known:
		t.Outcome = Stranger
	case change.At.Before(newest):
		t.Outcome, t.Text = Late, "what came before it is newer"
	case b.o.Outside == nil:
		t.Outcome = Nothing
	default:
		// Before the row: what a kill comes between is told again, and doing it twice
		// does nothing.
		if t.Outcome, t.Text, err = b.o.Outside(ctx, c, t); err != nil {
			if f := fault.From(err); f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable {
				return t, err
			}
			t.Outcome, t.Text = Nothing, fault.From(err).Message
		}
	}
	return t, b.keepTold(ctx, &t)
}

// standing is what is known of a change before it is taken.
func (b *Book) standing(ctx context.Context, t *Told) (seen *Told, known bool, newest time.Time, err error) {
	old, ok, err := control.One(ctx, b.o.DB, scanTold, `SELECT `+toldColumns+` WHERE channel = ? AND event = ?`, t.Channel, t.Change.ID)
	if err != nil || ok {
		return &old, true, newest, err
	}
	at, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n *int64, err error) { return n, r.Scan(&n) },
		`SELECT MAX(at) FROM channel_states WHERE channel = ? AND told_key = ? AND outcome <> ?`, t.Channel, t.Change.Key, Late)
	if err != nil {
		return nil, false, newest, err
	}
	if at != nil {
		newest = control.Time(*at)
	}
	_, known, err = control.One(ctx, b.o.DB, scanDelivery, `SELECT `+deliveryColumns+` WHERE channel = ? AND object = ? ORDER BY created_at LIMIT 1`, t.Channel, t.Object)
	return nil, known, newest, err
}

func (b *Book) keepTold(ctx context.Context, t *Told) error {
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO channel_states (channel, event, told_key, state, at, arrived_at, outcome, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, event) DO NOTHING`,
			t.Channel, t.Change.ID, t.Change.Key, t.Change.State, control.Micros(t.Change.At), control.Micros(t.ArrivedAt), t.Outcome, string(body))
		if err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "channel.told", Object: t.Channel})
	})
}

const toldColumns = `channel, arrived_at, outcome, body FROM channel_states`

func scanTold(r control.Row) (t Told, err error) {
	var at int64
	var body string
	if err := r.Scan(&t.Channel, &at, &t.Outcome, &body); err != nil {
		return t, err
	}
	t.ArrivedAt = control.Time(at)
	return t, json.Unmarshal([]byte(body), &t)
}

// States lists what a channel's receiver told, the newest first.
func (b *Book) States(ctx context.Context, name string, limit int) ([]Told, error) {
	if limit <= 0 {
		limit = 100
	}
	return control.All(ctx, b.o.DB, scanTold, `SELECT `+toldColumns+` WHERE channel = ? ORDER BY arrived_at DESC, event LIMIT ?`, name, min(limit, 1000))
}
