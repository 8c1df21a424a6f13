// Package run is the one reader of a partition of the activity log: it folds
// fragments into steps and runs, keeps each message once, counts, prices, and
// writes the lot to the telemetry store.
//
// What for: senders speak in spans that come child first, root last or never,
// twice, late or in pieces; people ask about runs.
//
// Who calls it: app starts one Reader a partition; api reads live runs from
// it; intake asks it for its lag.
//
// Promises: what a run's row, its steps and the rollups say depends on the set
// of fragments that arrived, not on their order, number or grouping. Steps
// reach the store within about a second. A write carries the log position up
// to which it holds everything, so a crash repeats nothing and loses nothing.
// Memory is bounded; a run that was dropped from it comes back from the store.
// The read methods are safe for concurrent use.
//
// How it fails: a payload that cannot be decoded is counted and skipped. While
// the store refuses, the reader keeps one write, tries again with growing
// pauses, stops reading the log when that write is full, and Lag grows until
// intake refuses what comes. Run returns only when its context ends or the log
// cannot be read.
//
// Start reading at Reader.Run, then fragment in fold.go, build in write.go and
// row in row.go.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// Log is the partition's activity log.
type Log interface {
	// Read calls handle for each message from sequence from on, in order,
	// until ctx ends or handle fails. payloads are valid during the call.
	Read(ctx context.Context, from uint64, handle func(seq uint64, received time.Time, payloads [][]byte) error) error
	// DeleteThrough deletes the messages up to and including seq.
	DeleteThrough(ctx context.Context, seq uint64) error
}

// Prices says what a model call costs; *price.Book is one.
type Prices interface {
	Cost(provider, model string, at time.Time, u activity.Usage) activity.Cost
}

// Options of a Reader. Log, Store and HashKey are required.
type Options struct {
	Partition int
	Log       Log
	Store     telemetry.Store
	HashKey   []byte // 32 bytes, secret, the same for the life of the store
	Prices    Prices // nil: costs are known only where the provider says them
	Now       func() time.Time
	Logger    *slog.Logger

	Stages *telemetry.Stages // counts where time goes; may be nil

	// Test reports whether a trace was given to a test: its steps have mode test,
	// whatever their sender calls them. It must not wait. May be nil.
	Test func(activity.TraceID) bool

	// Observe sees each write once it is stored, one after the other, while the next
	// is appended; the write is the reader's again when it returns. A process that
	// ends in between never shows it. May be nil.
	Observe func(*telemetry.Write)
	// Notify is told of changed runs, at most every NotifyEvery a run; its ctx
	// ends with Run's. May be nil.
	Notify func(ctx context.Context, notes []Note)
	// Nobody reports that nobody would be told of changes now; then they are left
	// out, which saves summing up each run that changed. May be nil.
	Nobody func(ctx context.Context) bool

	Quiet        time.Duration // a run is done when its root has ended and nothing came for so long; default 5 s
	Deadline     time.Duration // a run without an ended root is stale when nothing came for so long; default 30 min
	WaitDeadline time.Duration // the same for a run that waits for a person or a job; default 7 days
	FlushEvery   time.Duration // a step is in the store so soon after it came; default 700 ms
	RowEvery     time.Duration // a changed run's row is written at least so often; default 10 s
	NotifyEvery  time.Duration // default 250 ms
	Linger       time.Duration // a finished run stays in memory for so long, for what comes late; default 5 s
	FlushSteps   int           // a write is full at so many steps; default 10,000
	FlushBytes   int           // or so many bytes; default 7 MB
	MaxBytes     int           // memory for live runs; default 128 MB
	HoldBytes    int           // memory for stored steps of which more is expected; default 24 MB

	// Keeps is how long telemetry is kept, 0 for ever: events older than that and than
	// activity.LongestAge are clamped, as intake does. It must not wait. May be nil.
	Keeps func() time.Duration
}

func (o *Options) complete() error {
	if o.Log == nil || o.Store == nil {
		return errors.New("run: Options.Log and Options.Store are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	def(&o.Quiet, 5*time.Second)
	def(&o.Deadline, 30*time.Minute)
	def(&o.WaitDeadline, 7*24*time.Hour)
	def(&o.FlushEvery, 700*time.Millisecond)
	def(&o.RowEvery, 10*time.Second)
	def(&o.NotifyEvery, 250*time.Millisecond)
	def(&o.Linger, 5*time.Second)
	def(&o.FlushSteps, 10_000)
	def(&o.FlushBytes, 7<<20)
	def(&o.MaxBytes, 128<<20)
	def(&o.HoldBytes, 24<<20)
	return nil
}

func def[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Note says that a run changed.
type Note struct {
	ID          activity.RunID
	Status      activity.RunStatus
	Agent       string
	Team        string
	Environment string
	Session     string
	Steps       int64
	Updated     int64 // ns, received time
}

// Stats counts what a Reader did since its start.
type Stats struct {
	Fragments, Logs, Metrics int64
	Duplicates               int64 // exact resends
	Undecodable              int64 // payloads that were skipped
	Refused                  int64 // steps beyond the limit of a run
	Writes, Failures         int64
	Steps, Messages, Rows    int64 // written
	Reloads                  int64 // runs or steps that came back from the store
	Held                     int64 // steps that did not have to
	Evicted                  int64 // runs dropped before they were done
	PrefixHits               int64 // histories that were recognised without a look at them
	ContentBytes             int64 // bytes of messages that were looked at one by one
	StoredBytes              int64 // bytes of content that were stored
	Live                     int   // runs in memory
	LiveBytes                int64 // about what they take
}

// Reader reads one partition. Make one with New and start it with Run.
type Reader struct {
	o Options

	// mu guards everything below. It is held while a message is folded and
	// while a write is built, and never while one is appended.
	mu      sync.Mutex
	changed sync.Cond // cur has room again, or the reader ends
	wake    chan struct{}

	runs     map[activity.RunID]*live
	last     *live // of the fragment before
	active   list  // by last change: news may come any moment
	idle     list  // quiet, but its root has not ended
	finished list  // done or stale, about to leave
	rows     rowQueue
	parked   parked
	dirty    []*live // changed since the last Notify
	bytes    int64

	cur      *write
	inflight *write // being appended; nil when none is
	spare    *write

	observing chan *write // stored, to be shown to Observe
	number    uint32
	stored    uint32 // number of the last write in the store
	done      uint64 // its cursor
	held      held

	hasher    *hasher
	variety   *variety
	contents  *seen[[16]byte]
	decisions map[activity.RunID]decided // outcomes whose row is on its way to the store
	others    []Note                     // runs that changed without being in memory
	records   *seen[uint64]
	orphans   orphanLogs
	calls     calls
	back      backLinks
	names     *names
	whos      whos
	counter   counter
	resource  same
	scope     same
	hashed    numbers
	tail      []byte
	order     []int32           // scratch of row
	sums      telemetry.CostSum // scratch of row
	lists     [6][]string       // scratch of row: what it holds is of no run

	rerating bool            // a run's costs are being changed
	reread   []activity.Step // of the run that was reloaded for that

	received int64  // the latest received time of the log
	seq      uint64 // last message folded
	stats    Stats
	failing  error // of the last append, nil when it went well
	decoded  activity.Batch

	// Of the committer alone.
	trimmed   uint64 // through where the log is deleted
	trimmedAt time.Time

	rested time.Time     // when folding last let others run
	clock  time.Duration // what a measurement of nothing gives
}

// New checks the options and makes a Reader; it starts nothing.
func New(o Options) (*Reader, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	h, err := newHasher(o.HashKey)
	if err != nil {
		return nil, err
	}
	r := &Reader{
		o: o, hasher: h, variety: newVariety(maxVariety), runs: make(map[activity.RunID]*live), decisions: make(map[activity.RunID]decided), names: newNames(), wake: make(chan struct{}, 1),
		contents: newSeen[[16]byte](64 << 10), records: newSeen[uint64](128 << 10),
		held: held{limit: o.HoldBytes, steps: make(map[activity.StepID]*heldStep)}, parked: newParked(),
		orphans: orphanLogs{counts: make(map[activity.RunID]int64)},
	}
	r.clock = r.o.Stages.Cost()
	r.changed.L = &r.mu
	r.cur = r.begin()
	r.observing = make(chan *write)
	return r, nil
}

// Run reads the log until ctx ends, then writes what it holds. It may be
// called once.
func (r *Reader) Run(ctx context.Context) error {
	cursor, err := retry(ctx, r, "reading the cursor", func() (uint64, error) { return r.o.Store.Cursor(ctx, r.o.Partition) })
	if err != nil {
		return stopped(ctx, err)
	}
	// Also tells the log where we are, should a power cut have taken its end.
	if err := r.o.Log.DeleteThrough(ctx, cursor); err != nil {
		r.o.Logger.Warn("log not trimmed", "err", err)
	}
	r.mu.Lock()
	r.seq = cursor
	r.mu.Unlock()
	if err := r.resume(ctx); err != nil {
		return stopped(ctx, err)
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		r.changed.Broadcast()
		r.mu.Unlock()
	})
	defer stop()
	var group sync.WaitGroup
	group.Go(func() { r.commits(ctx) })
	group.Go(r.observe)
	group.Go(func() { r.ticks(ctx) })
	err = r.o.Log.Read(ctx, cursor+1, func(seq uint64, received time.Time, payloads [][]byte) error {
		return r.handle(ctx, seq, received, payloads)
	})
	cancel(err)
	group.Wait()
	return stopped(ctx, err)
}

// stopped hides the error of a stop that was asked for.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, ctx.Err())) {
		return nil
	}
	return err
}

// handle folds one message of the log.
func (r *Reader) handle(ctx context.Context, seq uint64, received time.Time, payloads [][]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq <= r.seq {
		return nil // the log was trimmed less far than the store has come
	}
	for r.cur.full(&r.o) {
		r.poke()
		r.changed.Wait()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	for _, p := range payloads {
		if err := r.payload(ctx, p, received.UnixNano()); err != nil {
			if ctx.Err() != nil {
				return err
			}
			// It would fail again after every restart; what was good in it is
			// folded already.
			r.stats.Undecodable++
			r.o.Logger.Error("activity not decoded", "seq", seq, "bytes", len(p), "err", err)
		}
	}
	r.seq = seq
	if r.cur.oldest == 0 {
		r.cur.oldest = received.UnixNano()
		r.cur.since = r.o.Now()
	}
	if r.cur.full(&r.o) {
		r.poke()
	}
	return nil
}

// payload folds one envelope. A panic is a bug of ours that this payload sets
// off; the log must not stop for it.
func (r *Reader) payload(ctx context.Context, p []byte, received int64) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("folding activity: panic: %v", v)
		}
	}()
	began := r.o.Stages.Begin()
	defer func() { r.o.Stages.End(telemetry.StageDecode, began) }()
	return activity.DecodeEnvelope(p, &r.decoded, func(b *activity.Batch) error {
		began := r.o.Stages.Begin()
		defer func() { r.o.Stages.Add(telemetry.StageDecode, -r.o.Stages.End(telemetry.StageFold, began)) }()
		return r.batch(ctx, b, received)
	})
}

// poke wakes the committer.
func (r *Reader) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// notifyShare is how many times longer than it told of changes a reader pauses
// until it tells again, and notifyPause for how long at most: telling may have
// waited for others, and who follows a run must not wait with it.
const (
	notifyShare = 20
	notifyPause = time.Second
)

// ticks does what time brings: runs end, rows and steps become due, changes
// are told.
func (r *Reader) ticks(ctx context.Context) {
	t := time.NewTicker(min(r.o.NotifyEvery, r.o.FlushEvery/2))
	defer t.Stop()
	var next time.Time // when changes are told again
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := r.o.Now()
		r.mu.Lock()
		r.tick(ctx, now)
		var moved changes
		due := r.o.Notify != nil && !now.Before(next)
		if due {
			moved = r.changes()
		}
		r.mu.Unlock()
		if due {
			next = now.Add(r.o.NotifyEvery)
		}
		// What changes from here on is among the next: whoever begins to listen behind
		// the answer of Nobody misses nothing.
		if moved.some() && (r.o.Nobody == nil || !r.o.Nobody(ctx)) {
			began := r.o.Now()
			r.mu.Lock()
			notes := r.notes(moved)
			r.mu.Unlock()
			if len(notes) > 0 {
				r.o.Notify(ctx, notes)
			}
			// When thousands of runs change nobody follows each.
			told := r.o.Now()
			if at := told.Add(min(notifyShare*told.Sub(began), notifyPause)); at.After(next) {
				next = at
			}
		}
		r.poke()
	}
}

// retry calls f until it succeeds or ctx ends, with growing pauses.
func retry[T any](ctx context.Context, r *Reader, what string, f func() (T, error)) (T, error) {
	pause := 50 * time.Millisecond
	for {
		v, err := f()
		if err == nil || ctx.Err() != nil {
			return v, err
		}
		r.o.Logger.Error("store refuses, trying again", "doing", what, "err", err, "pause", pause)
		select {
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}
