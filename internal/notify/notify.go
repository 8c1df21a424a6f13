// Package notify sends what people should know to the channels that they
// registered, and knows of each delivery whether it arrived.
//
// What for: a page that was sent twice wakes somebody twice, and one that was
// lost wakes nobody. Each delivery is a row that is claimed before it is sent.
//
// Who calls it: oncall and app enqueue in the transaction of what they tell of;
// api registers channels, tries them and lists deliveries; app runs it.
//
// Promises: what was enqueued is sent once it is committed, also over a restart.
// A delivery that may have arrived is sent again only where the receiver keeps
// one of the same key (channel.Kind.Keyed); else it ends as unknown, which
// Settled is told. Secrets are sealed and never read back. Safe for concurrent
// use.
//
// How it fails: notify.not_found, notify.invalid, notify.denied; what a receiver
// refuses is in the delivery's answers.
//
// Start reading at Delivery and Book.EnqueueIn, then send.go.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/notify/channel"
)

// The states of a delivery.
const (
	Queued    = "queued"
	Claimed   = "claimed" // being sent; found so after a crash, nobody knows
	Sent      = "sent"
	Failed    = "failed"
	Unknown   = "unknown"
	Cancelled = "cancelled" // what it told of was over before it was sent
)

// Channel is a registered way to people.
type Channel struct {
	Name      string    `json:"-"`
	Kind      string    `json:"-"`
	Team      string    `json:"-"` // "" all teams
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Settings  channel.Settings `json:"settings"`
	Off       bool             `json:"off,omitempty"`
	Incidents string           `json:"incidents,omitempty"` // tells of incidents of at least this severity; "" none

	secret channel.Secret
}

// Attempt is one try of a delivery.
type Attempt struct {
	At     time.Time      `json:"at"`
	Took   time.Duration  `json:"took"`
	Answer channel.Answer `json:"answer"`
}

// Delivery is one message on one channel.
type Delivery struct {
	ID        string    `json:"-"`
	Channel   string    `json:"-"`
	Purpose   string    `json:"-"`
	Object    string    `json:"-"`
	Page      string    `json:"-"`
	State     string    `json:"-"`
	CreatedAt time.Time `json:"-"`
	NextAt    time.Time `json:"-"`
	DoneAt    time.Time `json:"-"`
	Attempts  int       `json:"-"`

	Team    string          `json:"team,omitempty"`
	Person  string          `json:"person,omitempty"`
	Level   int             `json:"level,omitempty"` // of the page's escalation
	Message channel.Message `json:"message"`
	Tries   []Attempt       `json:"tries,omitempty"`
}

// MayBeThere reports whether its receiver may have it: it was sent, is being sent, or
// a try ended so that nobody knows. What was cancelled after such a try may be there.
func (d *Delivery) MayBeThere() bool {
	return d.State == Sent || d.State == Claimed || d.State == Unknown ||
		slices.ContainsFunc(d.Tries, func(t Attempt) bool { return t.Answer.Outcome == channel.Unknown })
}

// Sealer keeps secrets; *ca.CA is one.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Sealer Sealer // nil leaves secrets to the file's rights
	Logger *slog.Logger
	Now    func() time.Time
	Client *http.Client
	// Settled is told of each delivery that ended, after it is stored. It may be
	// told again of the same one after a crash. May be nil.
	Settled func(ctx context.Context, d Delivery)
	// Outside does here what a channel's receiver told, and says what came of it
	// (TakenOver or Nothing) with words. It may be asked twice for the same. May be
	// nil.
	Outside func(ctx context.Context, c Channel, t Told) (outcome, text string, err error)
}

const (
	maxTries   = 8
	maxSending = 8 // at once
	keep       = 90 * 24 * time.Hour
	maxKept    = 100_000
)

// Book keeps channels and deliveries.
type Book struct {
	o Options

	mu       sync.RWMutex // guards channels
	channels map[string]*Channel

	wake      chan struct{}
	receiving sync.Mutex // one state that comes back at a time: order is decided by what was before
}

// New reads the channels.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("notify: Options.DB is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = channel.NewClient(nil)
	}
	b := &Book{o: o, channels: map[string]*Channel{}, wake: make(chan struct{}, 1)}
	list, err := control.All(ctx, o.DB, b.scanChannel, `SELECT name, kind, team, body, secret, revision, updated_at FROM channels ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("reading the channels: %w", err)
	}
	for _, c := range list {
		b.channels[c.Name] = c
	}
	return b, nil
}

func (b *Book) now() time.Time { return b.o.Now().UTC().Truncate(time.Microsecond) }

func (b *Book) scanChannel(r control.Row) (*Channel, error) {
	c := &Channel{}
	var body string
	var sealed []byte
	var at int64
	if err := r.Scan(&c.Name, &c.Kind, &c.Team, &body, &sealed, &c.Revision, &at); err != nil {
		return nil, err
	}
	c.UpdatedAt = control.Time(at)
	if err := json.Unmarshal([]byte(body), c); err != nil {
		return nil, err
	}
	var err error
	if b.o.Sealer != nil {
		if sealed, err = b.o.Sealer.Unseal("channel "+c.Name, sealed); err != nil {
			// It is shown and can be given a new secret; what is sent on it fails.
			b.o.Logger.Error("a channel's secret cannot be read", "channel", c.Name, "err", err)
			return c, nil
		}
	}
	return c, json.Unmarshal(sealed, &c.secret)
}

func notFound(what string) *fault.Error {
	return fault.New(fault.KindNotFound, "notify.not_found", "there is no such %s", what).WithHint("`reeve channel list` lists them")
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "notify.invalid", format, args...)
}

// Actor is who changes channels.
type Actor struct {
	Person, Via string
	Can         func(role, team, environment string) bool
}

// may: a team's responders keep its channels, those of all teams security.
func (a *Actor) may(team string) error {
	switch {
	case a.Can == nil:
	case team != "" && (a.Can("responder", team, "*") || a.Can("security", team, "*")):
		return nil
	case a.Can("security", "*", "*"):
		return nil
	}
	return fault.New(fault.KindDenied, "notify.denied", "a team's channels need responder or security for the team, those of all teams security").WithHint("an admin can grant it")
}

// Change is a channel as somebody wants it; an empty Secret keeps the one there
// is.
type Change struct {
	Name, Kind, Team string
	Settings         channel.Settings
	Token, Signing   string
	Off              bool
	Incidents        string
	Revision         int64
}

func goodName(s string) bool {
	return s != "" && len(s) <= 60 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

// Put makes or changes a channel. One that leads elsewhere needs its secret anew:
// it would be sent to a stranger.
func (b *Book) Put(ctx context.Context, who Actor, in Change) (Channel, error) {
	k, ok := channel.Find(in.Kind)
	switch {
	case !goodName(in.Name):
		return Channel{}, invalid("a channel's name has 1 to 60 of a-z, 0-9, - and _")
	case !ok:
		return Channel{}, invalid("%.40q is no kind of channel", in.Kind).WithHint("%s", kindNames())
	case in.Incidents != "" && !slices.Contains([]string{"info", "warning", "critical"}, in.Incidents):
		return Channel{}, invalid("incidents is info, warning or critical, or nothing")
	}
	b.mu.RLock()
	old := b.channels[in.Name]
	b.mu.RUnlock()
	next := &Channel{Name: in.Name, Kind: in.Kind, Team: in.Team, Settings: in.Settings, Off: in.Off, Incidents: in.Incidents, Revision: 1, UpdatedAt: b.now(), secret: channel.Secret{Token: in.Token, Signing: in.Signing}}
	if err := who.may(in.Team); err != nil {
		return Channel{}, err
	}
	if old != nil {
		if err := who.may(old.Team); err != nil {
			return Channel{}, err
		}
		if in.Revision != 0 && in.Revision != old.Revision {
			return Channel{}, fault.New(fault.KindConflict, "notify.conflict", "somebody changed it since you read it").WithHint("read it again")
		}
		next.Revision = old.Revision + 1
		moved := old.Kind != in.Kind || old.Settings.URL != in.Settings.URL || old.Settings.User != in.Settings.User
		if in.Token == "" && !moved {
			next.secret.Token = old.secret.Token
		}
		if in.Signing == "" && !moved {
			next.secret.Signing = old.secret.Signing
		}
	}
	next.Settings.Signing = next.secret.Signing != ""
	if err := k.Check(next.Settings, next.secret); err != nil {
		return Channel{}, err
	}
	body, err := json.Marshal(next)
	if err != nil {
		return Channel{}, err
	}
	sealed, err := json.Marshal(next.secret)
	if err == nil && b.o.Sealer != nil {
		sealed, err = b.o.Sealer.Seal("channel "+next.Name, sealed)
	}
	if err != nil {
		return Channel{}, fmt.Errorf("sealing the secret of channel %s: %w", next.Name, err)
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO channels (name, kind, team, body, secret, revision, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, team = excluded.team, body = excluded.body, secret = excluded.secret, revision = excluded.revision, updated_at = excluded.updated_at`,
			next.Name, next.Kind, next.Team, string(body), sealed, next.Revision, control.Micros(next.UpdatedAt)); err != nil {
			return err
		}
		// Accounts were linked by what the channel was: whoever sets another secret
		// could sign in their names.
		if old != nil && (old.Kind != next.Kind || old.Team != next.Team || old.Settings.URL != next.Settings.URL || old.Settings.User != next.Settings.User || old.secret != next.secret) {
			if _, err := tx.Exec(ctx, `DELETE FROM chat_accounts WHERE channel = ?`, next.Name); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.channels[next.Name] = next
			b.mu.Unlock()
		})
		return b.record(ctx, tx, who, "channel_put", "put", next.Name, map[string]any{"kind": next.Kind, "team": next.Team, "settings": next.Settings, "off": next.Off, "incidents": next.Incidents})
	})
	return *next, err
}

func kindNames() string {
	var names []string
	for _, k := range channel.Kinds() {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

func (b *Book) record(ctx context.Context, tx *control.Tx, who Actor, kind, action, object string, after any) error {
	if err := tx.Event(ctx, control.Event{Type: "channel.updated", Object: object}); err != nil {
		return err
	}
	return audit.Append(ctx, tx, audit.Record{Kind: "admin." + kind, Person: who.Person, Via: who.Via, Action: action, Object: object, After: after})
}

// Remove ends a channel; what waits on it fails.
func (b *Book) Remove(ctx context.Context, who Actor, name string) error {
	c, err := b.Get(name)
	if err != nil {
		return err
	}
	if err := who.may(c.Team); err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM channels WHERE name = ?`, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM chat_accounts WHERE channel = ?`, name); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			delete(b.channels, name)
			b.mu.Unlock()
		})
		return b.record(ctx, tx, who, "channel_removed", "remove", name, nil)
	})
}

// Get is a channel, without its secret.
func (b *Book) Get(name string) (Channel, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	c := b.channels[name]
	if c == nil {
		return Channel{}, notFound("channel")
	}
	out := *c
	out.secret = channel.Secret{}
	return out, nil
}

// List is all channels, by name.
func (b *Book) List() []Channel {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Channel, 0, len(b.channels))
	for _, c := range b.channels {
		x := *c
		x.secret = channel.Secret{}
		out = append(out, x)
	}
	slices.SortFunc(out, func(x, y Channel) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Signing are the secrets by which what comes back on a channel is verified.
func (b *Book) Signing(name string) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if c := b.channels[name]; c != nil && c.secret.Signing != "" {
		return []string{c.secret.Signing}
	}
	return nil
}

// EnqueueIn adds a delivery in the transaction of what it tells of.
func (b *Book) EnqueueIn(ctx context.Context, tx *control.Tx, d Delivery) (Delivery, error) {
	now := b.now()
	d.ID, d.State, d.CreatedAt, d.NextAt, d.DoneAt, d.Attempts, d.Tries = activity.Mint("dlv_", now.UnixNano()), Queued, now, now, time.Time{}, 0, nil
	d.Message.ID = d.ID
	for i := range d.Message.Buttons {
		d.Message.Buttons[i].Value = d.ID // opaque: what it is about is looked up
	}
	if d.Message.At.IsZero() {
		d.Message.At = now
	}
	if d.Message.Key == "" {
		d.Message.Key = d.ID
	}
	body, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO deliveries (id, channel, purpose, object, page, state, created_at, next_at, done_at, attempts, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)`,
		d.ID, d.Channel, d.Purpose, d.Object, d.Page, d.State, control.Micros(now), control.Micros(now), string(body))
	tx.AfterCommit(b.Wake)
	return d, err
}

// Enqueue is EnqueueIn in a transaction of its own.
func (b *Book) Enqueue(ctx context.Context, d Delivery) (Delivery, error) {
	err := b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		d, err = b.EnqueueIn(ctx, tx, d)
		return err
	})
	return d, err
}

// CancelIn takes back what of a page was not sent yet.
func (b *Book) CancelIn(ctx context.Context, tx *control.Tx, page string) error {
	_, err := tx.Exec(ctx, `UPDATE deliveries SET state = ?, done_at = ? WHERE page = ? AND state = ?`, Cancelled, control.Micros(b.now()), page, Queued)
	return err
}

// Wake has what waits looked at.
func (b *Book) Wake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

const deliveryColumns = `id, channel, purpose, object, page, state, created_at, next_at, done_at, attempts, body FROM deliveries`

func scanDelivery(r control.Row) (d Delivery, err error) {
	var created, next, done int64
	var body string
	if err := r.Scan(&d.ID, &d.Channel, &d.Purpose, &d.Object, &d.Page, &d.State, &created, &next, &done, &d.Attempts, &body); err != nil {
		return d, err
	}
	d.CreatedAt, d.NextAt, d.DoneAt = control.Time(created), control.Time(next), control.Time(done)
	return d, json.Unmarshal([]byte(body), &d)
}

// Filter narrows Deliveries.
type Filter struct {
	Channel, State, Object, Page string
	Except                       string // a purpose that is left out
	Before                       time.Time
	Limit                        int
}

// Deliveries lists what was or will be sent, the newest first.
func (b *Book) Deliveries(ctx context.Context, f Filter) ([]Delivery, error) {
	return b.DeliveriesIn(ctx, b.o.DB, f)
}

// DeliveriesIn is Deliveries as a transaction sees them.
func (b *Book) DeliveriesIn(ctx context.Context, r control.Reader, f Filter) ([]Delivery, error) {
	where, args := []string{"1 = 1"}, []any{}
	for column, v := range map[string]string{"channel": f.Channel, "state": f.State, "object": f.Object, "page": f.Page} {
		if v != "" {
			where, args = append(where, column+" = ?"), append(args, v)
		}
	}
	if f.Except != "" {
		where, args = append(where, "purpose <> ?"), append(args, f.Except)
	}
	if !f.Before.IsZero() {
		where, args = append(where, "created_at < ?"), append(args, control.Micros(f.Before))
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	return control.All(ctx, r, scanDelivery, `SELECT `+deliveryColumns+` WHERE `+strings.Join(where, " AND ")+` ORDER BY created_at DESC, id DESC LIMIT ?`, append(args, min(limit, 1000))...)
}

// Counts is how many deliveries of the last day there are by channel and state, and
// how long the one that waits longest has waited.
func (b *Book) Counts(ctx context.Context) (counts map[[2]string]int64, oldest time.Duration, err error) {
	type row struct {
		key   [2]string
		n     int64
		first int64
	}
	now := b.now()
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (x row, err error) { return x, r.Scan(&x.key[0], &x.key[1], &x.n, &x.first) },
		`SELECT channel, state, COUNT(*), MIN(created_at) FROM deliveries WHERE created_at > ? GROUP BY channel, state`, control.Micros(now.Add(-24*time.Hour)))
	counts = map[[2]string]int64{}
	for _, x := range list {
		counts[x.key] = x.n
		if x.key[1] == Queued {
			oldest = max(oldest, now.Sub(control.Time(x.first)))
		}
	}
	return counts, oldest, err
}

// Delivery reads one.
func (b *Book) Delivery(ctx context.Context, id string) (Delivery, error) {
	d, ok, err := control.One(ctx, b.o.DB, scanDelivery, `SELECT `+deliveryColumns+` WHERE id = ?`, id)
	if err == nil && !ok {
		err = notFound("delivery")
	}
	return d, err
}

// Try sends a test message on a channel and tells what came of it.
func (b *Book) Try(ctx context.Context, who Actor, name, to, url string) (Delivery, error) {
	c, err := b.Get(name)
	if err != nil {
		return Delivery{}, err
	}
	if err := who.may(c.Team); err != nil {
		return Delivery{}, err
	}
	d := Delivery{Channel: name, Purpose: "test", Object: name, Team: c.Team, Person: who.Person, Message: channel.Message{
		Action: channel.Trigger, Title: "A test from Reeve", Text: "If you can read this, the channel " + name + " works. Nothing is wrong.", Severity: "info", URL: url, To: to,
	}}
	if d, err = b.Enqueue(ctx, d); err != nil {
		return d, err
	}
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		now, err := b.Delivery(ctx, d.ID)
		if err != nil || now.State != Queued && now.State != Claimed || now.Attempts > 0 && now.State == Queued {
			return now, err
		}
		select {
		case <-tick.C:
		case <-wait.Done():
			return now, nil // it goes on; its page tells
		}
	}
}
