package relay

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/bus"
	"reeve/internal/content"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// worker sends to one destination. It never changes; a changed destination is
// another worker with the same place.
type worker struct {
	r      *Relay
	d      client.RelayDestination
	remote Remote
	broken error // why it cannot be used; nil for a sound one
	wake   chan struct{}
	*place
}

// place is how far a destination is and how it does. Of its workers one runs at
// a time.
type place struct {
	mu      sync.Mutex // guards what follows
	at      cursor
	saved   cursor
	savedAt time.Time
	gone    bool // the destination was deleted: nothing is to be kept

	lastSent     time.Time
	failingSince time.Time // zero: it works
	nextTry      time.Time
	failure      string
	rejected     string
}

// cursor is the last message of the queue that a destination has.
type cursor struct {
	name   string
	seq    uint64
	counts counts
}

// counts are since the destination was made.
type counts struct {
	Sent     int64 `json:"sent"`
	Filtered int64 `json:"filtered"`
	Rejected int64 `json:"rejected"`
	Lost     int64 `json:"lost"`
}

func (r *Relay) worker(d client.RelayDestination) (*worker, error) {
	// Classes that nothing is found by must not look as if they were cut out.
	if _, err := r.o.Plans.Redacting("", "", "", redacted(&d)); err != nil {
		return nil, err
	}
	remote, err := r.o.Open(&d)
	if err != nil {
		return nil, err
	}
	return &worker{r: r, d: d, remote: remote, wake: make(chan struct{}, 1), place: &place{}}, nil
}

// redacted are the classes cut out for a destination: our own keys always.
func redacted(d *client.RelayDestination) []string {
	return append(slices.Clone(d.Redact), content.OwnKeys)
}

func (w *worker) wants(s Signal, team, environment string) bool {
	return w.broken == nil && slices.Contains(w.d.Signals, s.String()) && passes(w.d.Teams, team) &&
		(environment == "" || passes(w.d.Environments, environment))
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it looks anyway
	}
}

func (p *place) position() cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

const (
	batchBytes   = 1 << 20
	batchRecords = 5000
	idleLook     = time.Second
	saveEvery    = time.Second
)

// batch is what goes out next: a request a signal.
type batch struct {
	last     uint64
	bodies   [3][]byte
	records  [3]int64
	filtered int64
	lost     int64
}

// run sends until ctx ends.
func (w *worker) run(ctx context.Context) {
	defer w.remote.Close()
	defer func() {
		sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		w.save(sctx, true)
	}()
	for ctx.Err() == nil {
		b, err := w.collect(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			w.failed(err, w.r.o.Now().Add(idleLook))
			fallthrough
		case b == nil:
			w.save(ctx, false)
			w.wait(ctx, idleLook)
			continue
		}
		if w.deliver(ctx, b) {
			w.save(ctx, false)
		}
	}
}

// wait ends with ctx, after d, or when something was offered.
func (w *worker) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-w.wake:
	}
}

var errEnough = errors.New("the batch is full")

// collect reads the next batch; nil when the queue has nothing new.
func (w *worker) collect(ctx context.Context) (*batch, error) {
	st, err := w.r.o.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	at := w.position().seq
	if st.LastSeq <= at {
		return nil, nil
	}
	b := &batch{last: at}
	err = w.r.o.Queue.ReadThrough(ctx, at+1, st.LastSeq, func(seq uint64, _ time.Time, payloads [][]byte) error {
		if seq > b.last+1 {
			b.lost += int64(seq - b.last - 1) // the queue was full and dropped them
		}
		b.last = seq
		for _, p := range payloads {
			w.add(b, p)
		}
		if len(b.bodies[Traces])+len(b.bodies[Logs])+len(b.bodies[Metrics]) >= batchBytes || b.records[Traces]+b.records[Logs]+b.records[Metrics] >= batchRecords {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if b.last == at {
		// All between was dropped while we looked.
		b.lost, b.last = int64(st.LastSeq-at), st.LastSeq
	}
	return b, nil
}

// add puts what passes the filters of one arrival into the batch.
func (w *worker) add(b *batch, payload []byte) {
	a, err := parse(payload)
	if err != nil {
		w.r.o.Logger.Error("a message of the relay's queue is skipped", "destination", w.d.Name, "err", err)
		b.lost++
		return
	}
	if !w.wants(a.Signal, a.Team, a.Environment) {
		b.filtered += int64(len(a.Records))
		return
	}
	body, kept, left := w.filter(&a)
	b.filtered += left
	if body == nil {
		return
	}
	// Protobuf messages laid end to end are one with the lists of both.
	b.bodies[a.Signal] = append(b.bodies[a.Signal], body...)
	b.records[a.Signal] += kept
}

// filter is an arrival's body for this destination.
func (w *worker) filter(a *Arrival) (body []byte, kept, left int64) {
	i := -1
	plan := w.plan("", a)
	around := plan // of what stands around records
	if len(a.Records) > 0 && !slices.ContainsFunc(a.Records, func(r Record) bool { return r.Agent != a.Records[0].Agent }) {
		around = w.plan(a.Records[0].Agent, a)
	}
	rw := rewriter{
		secret: w.r.o.Secret,
		begin:  func() { plan = around },
		keep: func() bool {
			i++
			if i >= len(a.Records) || a.Records[i].Unreadable {
				return false
			}
			r := &a.Records[i]
			environment := a.Environment
			if environment == "" {
				environment = r.Environment
			}
			if !passes(w.d.Agents, r.Agent) || !passes(w.d.Environments, environment) || a.Signal == Traces && !passes(w.d.Dialects, r.Dialect) {
				left++
				return false
			}
			kept++
			plan = w.plan(r.Agent, a)
			return true
		},
		text: func(t string) string { return plan.Stored(plan.Stored(t, false), true) },
	}
	body = rw.request(a.Body, a.Signal)
	if body == nil {
		kept = 0
	}
	return body, kept, left
}

// plan is what is cut out of an agent's content: what the house's rules say and
// what the destination asks for besides.
func (w *worker) plan(agent string, a *Arrival) *content.Plan {
	p, err := w.r.o.Plans.Redacting(agent, a.Team, a.Environment, redacted(&w.d))
	if err != nil {
		// A class whose rule was removed since: the house's rules are left.
		p, _ = w.r.o.Plans.Redacting(agent, a.Team, a.Environment, nil)
	}
	return p
}

// deliver sends a batch, again and again until it is taken; false when ctx
// ended first.
func (w *worker) deliver(ctx context.Context, b *batch) bool {
	var sent, rejected int64
	pause := w.r.firstPause()
	for s := Traces; s <= Metrics; s++ {
		tries := 0
		for len(b.bodies[s]) > 0 {
			tries++
			out := w.send(ctx, s, b.bodies[s], b.records[s])
			if ctx.Err() != nil {
				return false
			}
			sent += out.taken
			rejected += out.rejected
			if out.note != "" {
				w.note(out.note)
			}
			b.bodies[s], b.records[s] = out.rest, out.restRecords
			if out.err == nil {
				continue
			}
			if out.once && tries >= giveUp {
				rejected += b.records[s]
				w.note(out.err.Error())
				b.bodies[s] = nil
				continue
			}
			wait := pause + rand.N(pause/2+1)
			pause = min(2*pause, longestPause)
			if out.after > 0 {
				wait = out.after + rand.N(out.after/10+1)
			}
			w.failed(out.err, w.r.o.Now().Add(wait))
			if !sleep(ctx, wait) {
				return false
			}
		}
	}
	w.took(b, sent, rejected)
	return true
}

const (
	longestPause = time.Minute
	longestAfter = time.Hour
	// giveUp is after how many tries a batch is left behind that the destination
	// breaks at without saying that it may come again.
	giveUp = 8
)

// firstPause is a second; tests shorten it.
func (r *Relay) firstPause() time.Duration {
	if r.pause > 0 {
		return r.pause
	}
	return time.Second
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (p *place) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rejected = text
}

func (w *worker) failed(err error, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failure, w.nextTry = fault.From(err).Message, next
	if w.failingSince.IsZero() {
		w.failingSince = w.r.o.Now()
		w.r.o.Logger.Error("a relay destination takes nothing", "destination", w.d.Name, "err", err)
	}
}

// took moves the cursor behind a batch.
func (w *worker) took(b *batch, sent, rejected int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at.seq = b.last
	w.at.counts.Sent += sent
	w.at.counts.Filtered += b.filtered
	w.at.counts.Rejected += rejected
	w.at.counts.Lost += b.lost
	if b.lost > 0 {
		w.r.o.Logger.Error("a relay destination fell behind: its queue dropped what it did not have", "destination", w.d.Name, "batches", b.lost)
	}
	if sent+rejected == 0 {
		return // nothing of it was for this destination: nothing was tried
	}
	w.lastSent = w.r.o.Now()
	if !w.failingSince.IsZero() {
		w.r.o.Logger.Info("a relay destination takes telemetry again", "destination", w.d.Name)
	}
	w.failingSince, w.nextTry, w.failure = time.Time{}, time.Time{}, ""
}

// save keeps the cursor, at most once a second: after a crash the last second is
// sent again.
func (w *worker) save(ctx context.Context, now bool) {
	w.mu.Lock()
	at, old, gone, fresh := w.at, w.saved, w.gone, w.r.o.Now().Sub(w.savedAt) < saveEvery
	w.mu.Unlock()
	if gone || at == old || fresh && !now {
		return
	}
	if err := w.r.saveCursor(ctx, at); err != nil {
		if ctx.Err() == nil {
			w.r.o.Logger.Error("a relay destination's cursor is not kept", "destination", w.d.Name, "err", err)
		}
		return
	}
	w.mu.Lock()
	w.saved, w.savedAt = at, w.r.o.Now()
	w.mu.Unlock()
}

func (r *Relay) saveCursor(ctx context.Context, c cursor) error {
	text, err := json.Marshal(c.counts)
	if err != nil {
		return err
	}
	return r.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO relay_cursors (name, seq, counts) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, counts = excluded.counts`, c.name, int64(c.seq), string(text))
		return err
	})
}

func scanCursor(row control.Row) (c cursor, err error) {
	var seq int64
	var text string
	if err := row.Scan(&c.name, &seq, &text); err != nil {
		return c, err
	}
	c.seq = uint64(seq)
	if err := json.Unmarshal([]byte(text), &c.counts); err != nil {
		return c, fault.New(fault.KindInternal, "relay.queue", "a relay destination's cursor cannot be read").WithCause(err)
	}
	return c, nil
}

// shape is the destination as people see it.
func (w *worker) shape(ctx context.Context, st bus.Stats) client.RelayDestination {
	out := w.d
	if out.Credential != nil {
		c := *out.Credential
		c.Set = w.remote != nil && w.remote.Set()
		out.Credential = &c
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := client.RelayStatus{
		State: "idle", Sent: w.at.counts.Sent, Filtered: w.at.counts.Filtered, Rejected: w.at.counts.Rejected, Lost: w.at.counts.Lost,
		Waiting: int64(max(st.LastSeq, w.at.seq) - w.at.seq), LastSentAt: moment(w.lastSent), FailingSince: moment(w.failingSince), NextTryAt: moment(w.nextTry),
		Error: w.failure, LastRejected: w.rejected,
	}
	switch {
	case w.broken != nil:
		s.State, s.Error = "failing", fault.From(w.broken).Message
	case w.d.Paused:
		s.State = "paused"
	case !w.failingSince.IsZero():
		s.State = "failing"
	case s.Waiting > 0:
		s.State = "sending"
	}
	if s.Waiting > 0 {
		s.LagSeconds = w.r.age(ctx, w.at.seq+1)
	}
	out.Status = s
	return out
}

// age is how long the first message from seq on has waited.
func (r *Relay) age(ctx context.Context, seq uint64) float64 {
	since := r.o.Now()
	err := r.o.Queue.ReadThrough(ctx, seq, seq, func(_ uint64, received time.Time, _ [][]byte) error {
		since = received
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		r.o.Logger.Warn("the relay's queue does not say how old it is", "err", err)
	}
	return max(0, r.o.Now().Sub(since).Seconds())
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
