// Package relay forwards telemetry as it arrived to other OTLP back ends.
//
// What for: Reeve can stand in front of what people already have. What senders
// send is kept as bytes in a queue, and each destination takes its part of it:
// filtered by agent, team, environment and dialect, with content cut out.
//
// Who calls it: intake offers what it accepted; app runs it; api and the
// command line put, pause, test and remove destinations.
//
// Promises: what was acknowledged to a sender reaches every destination that it
// passes the filters of at least once, with the ids it came with, also over
// kill -9: the queue is durable before the sender hears, and a cursor moves only
// behind what its destination took. Destinations do not wait for each other and
// nobody waits for them: the queue is bounded and drops its oldest, and a
// destination that fell off its end goes on at what is left and counts the gap.
// What is neither filtered nor redacted is forwarded byte for byte. Memory is
// bounded by a batch a destination. Safe for concurrent use.
//
// How it fails: relay.invalid, relay.not_found, relay.revision, relay.configured
// and relay.too_many for changes. A destination that does not take anything is
// tried again with growing, jittered pauses, or when it says (Retry-After);
// records that it can never take are counted as rejected and left behind.
//
// Start reading at Relay.Offer and worker.run; arrival.go is what lies in the
// queue, rewrite.go what filters and redacts, send.go the protocol.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/bus"
	"reeve/internal/content"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Queue is the durable log that arrivals wait in; *bus.Stream is one.
type Queue interface {
	Publish(ctx context.Context, data []byte) (uint64, error)
	ReadThrough(ctx context.Context, from, to uint64, handle func(seq uint64, received time.Time, payloads [][]byte) error) error
	DeleteThrough(ctx context.Context, seq uint64) error
	Stats(ctx context.Context) (bus.Stats, error)
}

// Plans says what of a content is cut out for whom; *content.Set is one.
type Plans interface {
	Redacting(agent, team, environment string, classes []string) (*content.Plan, error)
}

// Remote is a destination's address with its credential; an *upstream.Outside
// is one.
type Remote interface {
	Authorize(req *http.Request) error
	Transport() http.RoundTripper
	Cleartext2() http.RoundTripper
	Set() bool
	Close()
}

// Options are what a Relay needs; DB, Queue, Plans and Open are
// required.
type Options struct {
	DB    *control.DB
	Queue Queue
	Plans Plans
	// Open checks an address and its credential, and calls nobody.
	Open func(d *client.RelayDestination) (Remote, error)
	// Secret reports whether an attribute's name says that it holds a
	// credential: such ones are never relayed, as they are never stored.
	Secret func(key []byte) bool
	Static []client.RelayDestination // of the configuration
	// Install is this installation's id: it travels with what is relayed, so that
	// a circle is seen.
	Install string
	Logger  *slog.Logger
	Now     func() time.Time
}

// Relay is the queue with its destinations.
type Relay struct {
	o       Options
	pause   time.Duration // the first one after a failure; 0 is a second
	dropped atomic.Int64  // records that the queue did not take
	offered atomic.Int64

	change  sync.Mutex // one change at a time
	all     atomic.Pointer[map[string]*worker]
	changed chan struct{} // to Run, of one
}

const (
	maxDestinations = 50
	offerTimeout    = 2 * time.Second
)

// New loads the destinations. It starts nothing.
func New(ctx context.Context, o Options) (*Relay, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Relay{o: o, changed: make(chan struct{}, 1)}
	stored, err := control.All(ctx, o.DB, scanDestination, `SELECT body FROM relay_destinations`)
	if err != nil {
		return nil, err
	}
	cursors, err := control.All(ctx, o.DB, scanCursor, `SELECT name, seq, counts FROM relay_cursors`)
	if err != nil {
		return nil, err
	}
	at := make(map[string]cursor, len(cursors))
	last := uint64(0)
	for _, c := range cursors {
		at[c.name] = c
		last = max(last, c.seq)
	}
	// A queue that lost its tail in a power cut would number new messages as old
	// ones: the cursors would take them for sent.
	st, err := o.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	if last > st.LastSeq {
		if err := o.Queue.DeleteThrough(ctx, last); err != nil {
			return nil, err
		}
		st.LastSeq = last
	}
	all := make(map[string]*worker, len(stored)+len(o.Static))
	for _, d := range stored {
		w, err := r.worker(d)
		if err != nil {
			// A rule that was tightened since must not keep the house closed.
			o.Logger.Error("a relay destination cannot be used", "destination", d.Name, "err", err)
			d.Paused = true
			w = &worker{r: r, d: d, broken: err, wake: make(chan struct{}, 1), place: &place{}}
		}
		all[d.Name] = w
	}
	for _, d := range o.Static {
		d.Configured = true
		d.CreatedAt, d.UpdatedAt = o.Now().UTC(), o.Now().UTC()
		if err := complete(&d); err != nil {
			return nil, err
		}
		w, err := r.worker(d)
		if err != nil {
			return nil, err
		}
		if all[d.Name] != nil {
			o.Logger.Warn("a relay destination of the configuration stands for a stored one", "destination", d.Name)
		}
		all[d.Name] = w
	}
	for name, w := range all {
		c, ok := at[name]
		if !ok {
			c = cursor{name: name, seq: st.LastSeq}
			if err := r.saveCursor(ctx, c); err != nil {
				return nil, err
			}
		}
		w.at, w.saved = c, c
	}
	r.all.Store(&all)
	return r, nil
}

// Wants reports whether some destination may take something of this signal from
// such a sender, so that nothing is copied for nobody.
func (r *Relay) Wants(signal Signal, team, environment string) bool {
	if r == nil {
		return false
	}
	for _, w := range *r.all.Load() {
		if w.wants(signal, team, environment) {
			return true
		}
	}
	return false
}

// Offer puts what a sender sent into the queue, and returns once it is durable
// there or it is clear that it cannot be: then it is counted as dropped, since
// no sender waits for a destination.
func (r *Relay) Offer(ctx context.Context, a *Arrival) {
	r.offered.Add(int64(len(a.Records)))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), offerTimeout)
	defer cancel()
	if err := r.offer(ctx, a, 0); err != nil {
		r.dropped.Add(int64(len(a.Records)))
		r.o.Logger.Error("telemetry is not relayed: its queue does not take it", "records", len(a.Records), "err", err)
		return
	}
	for _, w := range *r.all.Load() {
		w.nudge()
	}
}

// offer halves what is too large for one message.
func (r *Relay) offer(ctx context.Context, a *Arrival, depth int) error {
	_, err := r.o.Queue.Publish(ctx, a.append(nil))
	var f *fault.Error
	if err == nil || !errors.As(err, &f) || f.Code != "bus.too_large" || len(a.Records) < 2 || depth > 12 {
		return err
	}
	for _, half := range a.halves() {
		if err := r.offer(ctx, half, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Stats are counts since the start.
type Stats struct {
	Offered int64 // records
	Dropped int64 // records that the queue did not take
	Bytes   uint64
	Quota   int64
}

// Stats reads the counts.
func (r *Relay) Stats(ctx context.Context) Stats {
	s := Stats{Offered: r.offered.Load(), Dropped: r.dropped.Load()}
	if q, err := r.o.Queue.Stats(ctx); err == nil {
		s.Bytes, s.Quota = q.Bytes, q.Quota
	}
	return s
}

// Run sends to all destinations until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	type running struct {
		stop context.CancelFunc
		done chan struct{}
	}
	live := map[*worker]running{}
	end := func(w *worker) {
		live[w].stop()
		<-live[w].done
		delete(live, w)
	}
	defer func() {
		for w := range live {
			live[w].stop()
		}
		for w := range live {
			<-live[w].done
		}
	}()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		all := *r.all.Load()
		for w := range live {
			if all[w.d.Name] != w {
				end(w)
			}
		}
		for _, w := range all {
			if _, ok := live[w]; ok || w.d.Paused || w.broken != nil {
				continue
			}
			wctx, stop := context.WithCancel(ctx)
			run := running{stop, make(chan struct{})}
			live[w] = run
			go func() {
				defer close(run.done)
				w.run(wctx)
			}()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-r.changed:
		case <-trim.C:
			if err := r.trim(ctx); err != nil && ctx.Err() == nil {
				r.o.Logger.Warn("what every relay destination has cannot be deleted yet", "err", err)
			}
		}
	}
}

const trimEvery = 5 * time.Second

// trim deletes what every destination has.
func (r *Relay) trim(ctx context.Context) error {
	st, err := r.o.Queue.Stats(ctx)
	if err != nil || st.Messages == 0 {
		return err
	}
	all := *r.all.Load()
	least := st.LastSeq
	for _, w := range all {
		least = min(least, w.position().seq)
	}
	if least < st.FirstSeq {
		return nil
	}
	return r.o.Queue.DeleteThrough(ctx, least)
}

// List is all destinations by name, with how they do.
func (r *Relay) List(ctx context.Context) []client.RelayDestination {
	st, err := r.o.Queue.Stats(ctx)
	if err != nil {
		r.o.Logger.Warn("the relay's queue does not say how much it holds", "err", err)
	}
	all := *r.all.Load()
	out := make([]client.RelayDestination, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name].shape(ctx, st))
	}
	return out
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "relay.not_found", "there is no relay destination %.60s", name).WithHint("`reeve relay list` lists them")
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "relay.invalid", format, args...)
}

// complete fills in defaults and refuses what cannot work.
func complete(d *client.RelayDestination) error {
	if d.Protocol == "" {
		d.Protocol = "http/protobuf"
	}
	if len(d.Signals) == 0 {
		d.Signals = []string{"traces", "logs", "metrics"}
	}
	if d.Compression == "" {
		d.Compression = "gzip"
	}
	if d.TimeoutMS == 0 {
		d.TimeoutMS = 10_000
	}
	inOrder := slices.Clone(d.Signals)
	slices.SortStableFunc(inOrder, func(a, b string) int { return slices.Index(signalNames[:], a) - slices.Index(signalNames[:], b) })
	d.Signals = slices.Compact(inOrder)
	switch {
	case !nameForm.MatchString(d.Name):
		return invalid("%.60q cannot name a relay destination", d.Name).WithHint("use up to 40 lower-case letters, digits and -, a letter first")
	case d.Protocol != "http/protobuf" && d.Protocol != "grpc":
		return invalid("a protocol is http/protobuf or grpc")
	case d.Compression != "gzip" && d.Compression != "none":
		return invalid("a compression is gzip or none")
	case d.TimeoutMS < 100 || d.TimeoutMS > 120_000:
		return invalid("timeout_ms is between 100 and 120,000")
	case d.Credential != nil && d.Credential.Kind == "query":
		return invalid("a credential in an address would stand in every log on the way").WithHint("send it as bearer, header or basic")
	case d.Protocol == "grpc" && d.Credential != nil && d.Credential.Kind == "sigv4":
		return invalid("a sigv4 credential signs HTTP, not gRPC")
	}
	for _, s := range d.Signals {
		if _, ok := signalOf(s); !ok {
			return invalid("%.40q is no signal", s).WithHint("traces, logs and metrics are")
		}
	}
	for what, list := range map[string][]string{"agents": d.Agents, "teams": d.Teams, "environments": d.Environments, "dialects": d.Dialects, "redact": d.Redact} {
		if len(list) > 200 {
			return invalid("%s: at most 200", what)
		}
		for _, v := range list {
			if v == "" || len(v) > 200 || strings.ContainsFunc(v, func(c rune) bool { return c < ' ' }) {
				return invalid("%s: %.60q names nothing", what, v)
			}
		}
	}
	return nil
}
