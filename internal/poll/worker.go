package poll

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// worker is one poller. It never changes; a changed one is another worker with
// the same place.
type worker struct {
	p      *Poller
	d      client.Poller
	base   *url.URL
	remote Remote
	tokens Remote // where a token is asked for; nil where the credential is sent itself
	broken error  // why it cannot be used; nil for a sound one
	wake   chan struct{}
	token  token
	*place
}

// place is how far a poller is and how it does. Of its workers one runs at a
// time.
type place struct {
	mu   sync.Mutex // guards what follows
	at   position
	seen map[string]int64 // records of the time that is read again, with their times
	gone bool             // the poller was deleted or reads elsewhere: nothing is to be kept

	reading      bool
	lastPoll     time.Time
	failingSince time.Time // zero: it works
	next         time.Time
	failure      error
	rejected     string
	failures     int
}

func newPlace() *place { return &place{seen: map[string]int64{}} }

// position is what is saved of a place.
type position struct {
	Through  int64 `json:"through"`   // ns: all was read up to here, but for what comes late
	CaughtUp int64 `json:"caught_up"` // ns: when all that was there had been read
	Newest   int64 `json:"newest"`    // ns: of the newest record
	Records  int64 `json:"records"`
	Steps    int64 `json:"steps"`
	Rejected int64 `json:"rejected"`

	key   string // the last one of the page before; scans begin without
	token string // of the page that comes next
	until int64  // where the scan ends
}

// item is a record that was fetched.
type item struct {
	id   string // by which it is known when it is read again
	at   int64  // ns
	body []byte
}

// page is what a feed gives at once.
type page struct {
	items  []item
	listed int      // how many there were, those that were seen before too
	next   position // behind them
	more   bool     // there is more now
}

// feed is where records of a kind are read.
type feed interface {
	// next reads the page behind a position, without records that were seen.
	next(ctx context.Context, at position, seen func(id string) bool) (page, error)
	kind() Kind
}

func (w *worker) feed() feed {
	switch w.d.Kind {
	case "bedrock_s3":
		return s3{w}
	case "bedrock_cloudwatch":
		return cloudwatch{w}
	}
	return dataverse{w}
}

func (p *place) position() position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *place) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

// late is how much is read again.
func (w *worker) late() int64 { return w.d.LateSeconds * int64(time.Second) }

// begin is where a scan begins.
func (w *worker) begin(at position) int64 {
	if at.Through == 0 {
		return w.d.From.UnixNano()
	}
	return max(at.Through-w.late(), w.d.From.UnixNano())
}

// run polls until ctx ends.
func (w *worker) run(ctx context.Context) {
	defer w.remote.Close()
	if w.tokens != nil {
		defer w.tokens.Close()
	}
	for {
		err := w.once(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := w.settle(err)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-w.wake:
			t.Stop()
		}
	}
}

// settle notes how a poll went and says how long to wait.
func (w *worker) settle(err error) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.p.o.Now()
	every := time.Duration(w.d.EverySeconds) * time.Second
	w.reading, w.failure = false, err
	wait := every - time.Duration(rand.Int64N(int64(every/20)+1)) // pollers of one system spread
	if err == nil {
		w.failures, w.failingSince = 0, time.Time{}
	} else {
		if w.failingSince.IsZero() {
			w.failingSince = now
			w.p.o.Logger.Warn("a poller cannot read", "poller", w.d.Name, "err", err)
		}
		w.failures++
		wait = w.p.backoff(w.failures, err)
	}
	w.next = now.Add(wait)
	return wait
}

// backoff is the pause after so many failures in a row.
func (p *Poller) backoff(failures int, err error) time.Duration {
	first := p.pause
	if first == 0 {
		first = time.Second
	}
	const most = 15 * time.Minute
	wait := min(first<<min(failures-1, 20), most)
	wait = wait/2 + rand.N(wait/2+1)
	var f *fault.Error
	if errors.As(err, &f) && f.RetryAfter > 0 {
		wait = max(wait, min(f.RetryAfter, time.Hour))
	}
	return wait
}

// once reads all that is there.
func (w *worker) once(ctx context.Context) error {
	f := w.feed()
	w.mu.Lock()
	w.reading, w.lastPoll = true, w.p.o.Now()
	began := w.lastPoll
	at := w.at
	w.mu.Unlock()
	at.key, at.token, at.until = "", "", 0 // a scan begins anew: pages of a dead one are not trusted
	for {
		got, err := f.next(ctx, at, w.saw)
		if err != nil {
			return err
		}
		if !got.more {
			got.next.CaughtUp = began.UnixNano()
		}
		if at, err = w.take(ctx, f.kind(), got); err != nil {
			return err
		}
		if !got.more {
			return nil
		}
	}
}

func (w *worker) saw(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.seen[id]
	return ok
}

const deliverBytes = 4 << 20

// take gives a page to intake and saves the place behind it.
func (w *worker) take(ctx context.Context, kind Kind, got page) (position, error) {
	var batch []byte
	next := got.next
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		t, err := w.p.o.Deliver(ctx, &w.d, kind, wrap(kind, batch))
		if err != nil {
			return err
		}
		next.Steps += t.Steps
		next.Rejected += t.Rejected
		if t.Reason != "" {
			w.mu.Lock()
			w.rejected = t.Reason
			w.mu.Unlock()
		}
		batch = batch[:0]
		return nil
	}
	for i := range got.items {
		it := &got.items[i]
		if len(batch)+len(it.body) > deliverBytes {
			if err := flush(); err != nil {
				return next, err
			}
		}
		if len(batch) > 0 && kind == Transcripts {
			batch = append(batch, ',')
		}
		batch = append(batch, it.body...)
		if kind == Invocations && len(batch) > 0 && batch[len(batch)-1] != '\n' {
			batch = append(batch, '\n')
		}
		next.Newest = max(next.Newest, it.at)
	}
	if err := flush(); err != nil {
		return next, err
	}
	return next, w.save(ctx, next, got.items)
}

// wrap makes one body of records: a list of rows, or lines.
func wrap(kind Kind, batch []byte) []byte {
	if kind != Transcripts {
		return batch
	}
	return append(append([]byte(`{"value":[`), batch...), "]}"...)
}

// save keeps the place and what was read, in one transaction.
func (w *worker) save(ctx context.Context, next position, items []item) error {
	old := next.Through - w.late() - int64(time.Hour)
	err := w.p.o.DB.Write(ctx, func(tx *control.Tx) error {
		w.mu.Lock()
		gone := w.gone
		w.mu.Unlock()
		if gone {
			return errGone
		}
		body, err := json.Marshal(next)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO poller_places (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body`, w.d.Name, string(body)); err != nil {
			return err
		}
		for i := range items {
			if _, err := tx.Exec(ctx, `INSERT INTO poller_seen (name, id, at) VALUES (?, ?, ?) ON CONFLICT (name, id) DO NOTHING`, w.d.Name, items[i].id, items[i].at); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `DELETE FROM poller_seen WHERE name = ? AND at < ?`, w.d.Name, old)
		return err
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = next
	w.at.key, w.at.token, w.at.until = "", "", 0
	for i := range items {
		w.seen[items[i].id] = items[i].at
	}
	for id, at := range w.seen {
		if at < old {
			delete(w.seen, id)
		}
	}
	return nil
}

var errGone = fault.New(fault.KindConflict, "poll.gone", "the poller was removed or reads elsewhere now")

// load reads the place that was saved.
func (w *worker) load(ctx context.Context) error {
	type seen struct {
		id string
		at int64
	}
	bodies, err := control.All(ctx, w.p.o.DB, func(row control.Row) (s string, err error) { return s, row.Scan(&s) }, `SELECT body FROM poller_places WHERE name = ?`, w.d.Name)
	if err != nil {
		return err
	}
	ids, err := control.All(ctx, w.p.o.DB, func(row control.Row) (s seen, err error) { return s, row.Scan(&s.id, &s.at) }, `SELECT id, at FROM poller_seen WHERE name = ?`, w.d.Name)
	if err != nil {
		return err
	}
	for _, s := range ids {
		w.seen[s.id] = s.at
	}
	for _, b := range bodies {
		if err := json.Unmarshal([]byte(b), &w.at); err != nil {
			return fault.New(fault.KindInternal, "poll.stored", "the place of poller %s cannot be read", w.d.Name).WithCause(err)
		}
	}
	return nil
}

// shape is the poller with how it does.
func (w *worker) shape() client.Poller {
	d := w.d
	if d.Credential != nil {
		c := *d.Credential
		if from := w.tokens; from != nil {
			c.Set = from.Set()
		} else if w.remote != nil {
			c.Set = w.remote.Set()
		}
		d.Credential = &c
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := client.PollerStatus{
		State: "waiting", Records: w.at.Records, Steps: w.at.Steps, Rejected: w.at.Rejected, LastPollAt: when(w.lastPoll),
		LastRecordAt: instant(w.at.Newest), Through: instant(w.at.Through), FailingSince: when(w.failingSince), NextPollAt: when(w.next), LastRejected: w.rejected,
	}
	if w.at.CaughtUp > 0 {
		lag := max(w.p.o.Now().Sub(time.Unix(0, w.at.CaughtUp)).Seconds(), 0)
		s.LagSeconds = &lag
	}
	failure := w.failure
	switch {
	case w.broken != nil:
		s.State, failure = "failing", w.broken
	case d.Paused:
		s.State, s.NextPollAt = "paused", nil
	case failure != nil:
		s.State = "failing"
	case w.reading:
		s.State = "reading"
	}
	if failure != nil {
		f := fault.From(failure)
		s.Error, s.Hint = f.Message, f.Hint
	}
	d.Status = s
	return d
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func instant(ns int64) *time.Time {
	if ns == 0 {
		return nil
	}
	return when(time.Unix(0, ns))
}
