package approval

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Config bounds approvals.
type Config struct {
	Wait   time.Duration `yaml:"wait" doc:"How long a held call is kept open before it is answered with the approval's address; the retry joins."`
	Life   time.Duration `yaml:"life" doc:"How long an approval waits for a person; then it is denied."`
	Use    time.Duration `yaml:"use" doc:"How long what was approved waits for its call; then it is void."`
	Open   int64         `yaml:"open" doc:"Approvals of one agent that may wait at once; what it asks beyond is denied."`
	Hourly int64         `yaml:"hourly" doc:"Approvals that one agent may ask for in an hour."`
	Keep   time.Duration `yaml:"keep" doc:"How long the arguments of settled approvals are kept; their records stay."`
	// Console is for whoever names an approval's address.
	Console string `yaml:"console" doc:"URL of the console as people reach it, such as https://reeve.example: held calls are answered with the approval's page there. Empty: the address it listens on."`
}

// Default is the configuration of who sets nothing.
func Default() Config {
	return Config{Wait: 55 * time.Second, Life: 8 * time.Hour, Use: time.Hour, Open: 5, Hourly: 20, Keep: 30 * 24 * time.Hour}
}

// Validate refuses what cannot work.
func (c *Config) Validate() error {
	if u, err := url.Parse(c.Console); c.Console != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "") {
		return fault.New(fault.KindInvalid, "config.invalid", "approvals.console: %q is no URL such as https://reeve.example", c.Console)
	}
	if c.Wait < 0 || c.Wait > 30*time.Minute || c.Life < time.Minute || c.Life > 30*24*time.Hour || c.Use < time.Second || c.Use > 24*time.Hour ||
		c.Open < 1 || c.Open > 1000 || c.Hourly < 1 || c.Hourly > 10_000 || c.Keep < time.Hour {
		return fault.New(fault.KindInvalid, "config.invalid", "approvals: wait is at most 30m, life 1m to 720h, use 1s to 24h, open 1 to 1000, hourly 1 to 10000, keep at least 1h")
	}
	return nil
}

// Options are what a Book needs: DB and Key are required.
type Options struct {
	DB  *control.DB
	Key []byte // KeySize bytes, kept outside of the database
	Config
	Logger *slog.Logger
	Now    func() time.Time
}

// deniedFor is how long what a person denied is denied again.
const deniedFor = 24 * time.Hour

// Book holds the approvals of an installation.
type Book struct {
	db       *control.DB
	keys     keys
	c        Config
	listener atomic.Pointer[func(*Approval, string)]
	log      *slog.Logger
	now      func() time.Time

	work  chan struct{} // holds one token while there are ends
	order atomic.Int64  // of steps, as their transactions wrote them

	creating sync.Mutex // one new approval at a time: its limits are read before it is stored

	mu     sync.Mutex // guards what follows
	byID   map[string]*live
	byJoin map[string]*live
	denied map[string]time.Time // until when, by agent and arguments
	hourly map[string][]time.Time
	floods map[string]time.Time // when an agent's flood was last told
	ends   []end
	runs   atomic.Pointer[map[string]*Takeover]

	stats counters
}

// live is an approval that may still be asked about by a call.
type live struct {
	a       *Approval
	order   int64 // of the step that made it so
	asked   int64
	changed chan struct{} // closed with the next step
}

// New loads what is open. What was executing when the last process ended is
// unknown from now on.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.Config == (Config{}) {
		o.Config = Default()
	}
	k, err := newKeys(o.Key)
	if err != nil {
		return nil, err
	}
	b := &Book{
		db: o.DB, keys: k, c: o.Config, log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)), now: o.Now,
		work: make(chan struct{}, 1),
		byID: map[string]*live{}, byJoin: map[string]*live{}, denied: map[string]time.Time{}, hourly: map[string][]time.Time{}, floods: map[string]time.Time{},
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.runs.Store(&map[string]*Takeover{})
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	return b, b.loadRuns(ctx)
}

func (b *Book) load(ctx context.Context) error {
	now := b.now()
	list, err := control.All(ctx, b.db, scan, `SELECT `+columns+` WHERE state IN ('pending', 'approved', 'executing') OR created_at > ? OR decided_at > ? ORDER BY created_at`,
		control.Micros(now.Add(-deniedFor)), control.Micros(now.Add(-deniedFor)))
	if err != nil {
		return err
	}
	for at := 0; at < len(list); at += 500 {
		if err := b.votes(ctx, b.db, list[at:min(at+500, len(list))]...); err != nil {
			return err
		}
	}
	for _, a := range list {
		if a.State == Executing {
			if err := b.lost(ctx, a.ID); err != nil {
				return err
			}
			continue
		}
		b.publish(a, 0)
		if a.CreatedAt.After(now.Add(-time.Hour)) {
			b.hourly[a.Ask.Agent] = append(b.hourly[a.Ask.Agent], a.CreatedAt)
		}
	}
	return nil
}

// lost ends what was executing when the process died: whether it happened is not
// known, so it is never repeated.
func (b *Book) lost(ctx context.Context, id string) error {
	return b.step(ctx, id, "unknown", "reeve", func(_ *control.Tx, a *Approval) error {
		a.State, a.EndedAt = Unknown, b.now().UTC()
		a.Code, a.Reason = "approval.unknown", "Reeve ended while it was forwarded: whether it happened is not known"
		return nil
	})
}

// Tell names who is told of each step once it is durable; kind is the last word
// of its audit record. It must not wait.
func (b *Book) Tell(f func(a *Approval, kind string)) { b.listener.Store(&f) }

func (b *Book) changed(a *Approval, kind string) {
	if f := b.listener.Load(); f != nil {
		(*f)(a, kind)
	}
}

// Hash is a keyed digest of parts: what an approval is bound to.
func (b *Book) Hash(parts ...[]byte) string { return digest(b.keys.hash, parts...) }

// Wait is how long a call that can carry no wait of its own is kept open.
func (b *Book) Wait() time.Duration { return b.c.Wait }

var (
	errSettled = fault.New(fault.KindConflict, "approval.settled", "somebody answered it before, or it is over").WithHint("read it again")
	errStored  = fault.New(fault.KindUnavailable, "approval.not_stored", "a person would have to agree, and the question could not be stored").
			WithHint("nothing was forwarded; try again after a second")
)

// Hold makes a held action an approval, or joins the one that waits for the same
// action: then what it answers is that one as it stands, which may be decided
// already. The caller goes on with Follow.
//
// Faults: approval.denied_before, approval.too_many, approval.not_stored.
func (b *Book) Hold(ctx context.Context, k Ask) (a *Approval, joined bool, err error) {
	if a, err := b.admit(&k); a != nil || err != nil {
		return a, true, err
	}
	b.creating.Lock()
	defer b.creating.Unlock()
	if a, err := b.admit(&k); a != nil || err != nil { // another made it meanwhile
		return a, true, err
	}
	now := b.now().UTC().Truncate(time.Microsecond)
	a = &Approval{ID: activity.Mint("apr_", now.UnixNano()), State: Pending, Ask: k, Bound: k.Arguments, CreatedAt: now, ExpiresAt: now.Add(b.c.Life), Asked: 1, raw: encodeAsk(&k)}
	a.request = b.keys.box(a.ID, "request", k.Request)
	a.Ask.Request = Request{} // it is in the seal; memory keeps one copy
	a.mac = b.keys.rowMAC(a, k.Joins, k.Arguments)
	err = b.db.Write(ctx, func(tx *control.Tx) error {
		if err := b.insert(ctx, tx, a); err != nil {
			return err
		}
		if err := tx.SetTimer(ctx, control.Timer{ID: "approval/" + a.ID, Kind: TimerExpire, Due: a.ExpiresAt, Body: a.ID}); err != nil {
			return err
		}
		return b.record(ctx, tx, a, "requested", "reeve", map[string]any{"arguments": k.Arguments, "expires_at": a.ExpiresAt})
	})
	if err != nil {
		return nil, false, errStored.WithCause(err)
	}
	b.mu.Lock()
	b.hourly[k.Agent] = append(b.hourly[k.Agent], now)
	b.mu.Unlock()
	b.stats.requested.Add(1)
	return a, false, nil
}

// admit finds the approval that a call joins, or refuses one that may not ask;
// neither: a new one may be made.
func (b *Book) admit(k *Ask) (*Approval, error) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.byJoin[k.Joins]; l != nil && l.joinable(now) {
		l.asked++
		return l.a, nil
	}
	key := k.Agent + "\x00" + k.User + "\x00" + k.Arguments
	if until, ok := b.denied[key]; ok {
		if now.Before(until) {
			b.stats.again.Add(1)
			return nil, fault.New(fault.KindDenied, "approval.denied_before", "a person denied this very action; it is denied until %s", until.UTC().Format(time.RFC3339)).
				WithHint("do something else; the same question is not asked again that soon")
		}
		delete(b.denied, key)
	}
	open := int64(0)
	for _, l := range b.byID {
		if l.a.State == Pending && l.a.Ask.Agent == k.Agent {
			open++
		}
	}
	recent := slices.DeleteFunc(b.hourly[k.Agent], func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	b.hourly[k.Agent] = recent
	if open < b.c.Open && int64(len(recent)) < b.c.Hourly {
		return nil, nil
	}
	b.stats.refused.Add(1)
	return nil, fault.New(fault.KindDenied, "approval.too_many", "the agent asks too much: %d of at most %d approvals wait, %d of %d were asked for in the last hour",
		open, b.c.Open, len(recent), b.c.Hourly).WithHint("people answer what waits first; identical calls join one approval")
}

// joinable reports whether a call of the same action belongs to this approval.
// That an answer was written does not mean that the agent has it, so the same
// call again collects for a while before it is a new act.
func (l *live) joinable(now time.Time) bool {
	a := l.a
	if !a.State.over() {
		return true
	}
	if a.State != Done && a.State != Unknown && a.State != Taken {
		return false
	}
	window := collectFor
	switch {
	case !a.Delivered:
	case !a.Ask.Forwarded: // what became of it is not known here
		return false
	case a.Ask.Named:
		window = retryFor
	default:
		window = unnamedFor
	}
	return now.Before(a.EndedAt.Add(window))
}

// How long after its end the same call collects an answer: one that the agent
// does not have, one that was written to it, and one of a run that it does not
// name, whose calls cannot be told from those of another.
const (
	collectFor = time.Hour
	retryFor   = 10 * time.Minute
	unnamedFor = time.Minute
)

// publish puts an approval as a step made it into memory and wakes who follows
// it. Steps are told after their transactions ended, in any order: one that a
// later step overtook says nothing any more.
func (b *Book) publish(a *Approval, order int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	l := b.byID[a.ID]
	if l == nil {
		l = &live{changed: make(chan struct{}), asked: a.Asked}
		b.byID[a.ID] = l
	}
	if order < l.order {
		return
	}
	l.a, l.order = a, order
	close(l.changed)
	l.changed = make(chan struct{})
	if l.joinable(now) {
		if other := b.byJoin[a.Ask.Joins]; other == nil || other == l || !other.joinable(now) || other.a.State.over() {
			b.byJoin[a.Ask.Joins] = l
		}
	} else if b.byJoin[a.Ask.Joins] == l {
		delete(b.byJoin, a.Ask.Joins)
	}
	if a.State == Denied && a.DecidedAt.After(now.Add(-deniedFor)) {
		b.denied[a.Ask.Agent+"\x00"+a.Ask.User+"\x00"+a.Ask.Arguments] = a.DecidedAt.Add(deniedFor)
	}
}

// Follow is an approval as it stands, and a channel that is closed with its next
// step. ok is false for one that is long over, or never was.
func (b *Book) Follow(id string) (a *Approval, changed <-chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.byID[id]
	if l == nil {
		return nil, nil, false
	}
	return l.a, l.changed, true
}

// step changes an approval in one transaction with its record and event. f gets
// it as the database has it.
func (b *Book) step(ctx context.Context, id, kind, by string, f func(tx *control.Tx, a *Approval) error) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		a, err := b.read(ctx, tx, id)
		if err != nil {
			return err
		}
		from := a.State
		if err := f(tx, a); err != nil {
			return err
		}
		a.Asked = b.askedOf(a)
		if err := b.update(ctx, tx, a, from); err != nil {
			return err
		}
		if a.State != from && a.State != Approved {
			if _, err := tx.CancelTimer(ctx, "approval/"+a.ID); err != nil {
				return err
			}
		}
		return b.record(ctx, tx, a, kind, by, map[string]any{"bound": a.Bound})
	})
}

func (b *Book) askedOf(a *Approval) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.byID[a.ID]; l != nil {
		return max(a.Asked, l.asked)
	}
	return a.Asked
}

// Run voids what changes made void, and forgets what is over until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.work:
			b.discard(ctx)
		case <-tick.C:
			b.forget()
			if err := b.drop(ctx); err != nil && ctx.Err() == nil {
				b.log.Warn("old requests of approvals were not dropped", "err", err) // they stay a minute longer
			}
		}
	}
}

// forget lets go of what no call can ask about any more.
func (b *Book) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	for id, l := range b.byID {
		if l.a.State.over() && !l.joinable(now) {
			delete(b.byID, id)
			if b.byJoin[l.a.Ask.Joins] == l {
				delete(b.byJoin, l.a.Ask.Joins)
			}
		}
	}
	for key, until := range b.denied {
		if !now.Before(until) {
			delete(b.denied, key)
		}
	}
	for agent, list := range b.hourly {
		if len(list) == 0 || now.Sub(list[len(list)-1]) >= time.Hour {
			delete(b.hourly, agent)
		}
	}
	for agent, at := range b.floods {
		if now.Sub(at) >= floodPause {
			delete(b.floods, agent)
		}
	}
}

// drop ends the keeping of requests and answers of what is long over.
func (b *Book) drop(ctx context.Context) error {
	limit := control.Micros(b.now().Add(-b.c.Keep))
	n, _, err := control.One(ctx, b.db, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM approvals WHERE request IS NOT NULL AND created_at < ? AND state NOT IN ('pending', 'approved', 'executing')`, limit)
	if err != nil || n == 0 {
		return err
	}
	return b.db.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE approvals SET request = NULL, edited = NULL, answer = NULL
			WHERE request IS NOT NULL AND created_at < ? AND state NOT IN ('pending', 'approved', 'executing')`, limit)
		return err
	})
}

// floodPause is how often an agent's flood is told at most.
const floodPause = 10 * time.Minute

// Flooded tells people, now and then, that an agent asks for more than it may.
// It does not wait for the database.
func (b *Book) Flooded(ctx context.Context, k *Ask, why *fault.Error) {
	now := b.now()
	b.mu.Lock()
	told, ok := b.floods[k.Agent]
	if ok && now.Sub(told) < floodPause {
		b.mu.Unlock()
		return
	}
	b.floods[k.Agent] = now
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	go func() {
		defer cancel()
		a := &Approval{ID: k.Agent, Ask: *k, Reason: why.Message}
		err := b.db.Write(ctx, func(tx *control.Tx) error { return b.tell(ctx, tx, a, why.Code) })
		if err != nil {
			b.log.Warn("an agent asks for too many approvals and it could not be recorded", "agent", k.Agent, "err", err)
		}
	}()
}
