// Package topic groups what people ask agents for by what it means, and tells how
// each topic fares; and of each session whether its user loses patience.
//
// What for: agents are asked for more than anybody planned. Without labels, a
// service or a model, everybody sees what is asked for, what of it goes well, and
// what nobody answers.
//
// Who calls it: the store of activity tells of runs that ended (Observe); app
// reads what was asked in them (Prompts) and says what their users thought of it
// (Said); api lists; other subjects ask for the topic of a run (OfRun).
//
// Promises: a topic keeps its id across restarts and as prompts come; one that
// becomes part of another says of which. Observe never waits. At most a tenth of
// one core is taken, and what does not fit in that is counted, not hidden
// (Stats.Skipped): topics are of the runs that were looked at. While the store is
// behind what comes it is a fiftieth. No text is stored,
// vectors and single words alone, and a word names a topic only when three prompts
// have it. Memory is bounded: eight places of 512 cells, others are read again.
// Safe for concurrent use.
//
// How it fails: faults topic.*. A run that cannot be read is tried again and then
// counted; what a failed write leaves in memory is dropped and read again.
//
// Start reading at Book.Work, then space.go; mood has the signs of frustration.
package topic

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/telemetry"
)

// Topic is prompts that ask for nearly the same.
type Topic struct {
	ID, Team, Environment string
	Name                  string   // that somebody gave it; may be ""
	Words                 []string // of its prompts, the most telling first
	Prompts               int64    // that it was made of
	Into                  string   // of one that is no more: the topic that most of it went to; may be ""
	Revision              int64    // of the name
	CreatedAt, UpdatedAt  time.Time

	dirty bool
}

// Prompts reads what was asked in runs.
type Prompts interface {
	// Asked are the texts that a run's user wrote, the oldest first, as the run saw
	// them; false when the run is gone. Texts are redacted by the place's rules.
	Asked(ctx context.Context, id activity.RunID) ([]string, bool, error)
	// Ended lists runs that ended since a time, the newest first.
	Ended(ctx context.Context, since time.Time, limit int) ([]activity.Run, error)
}

// Options of a Book. DB, Prompts and Key are required.
type Options struct {
	DB      *control.DB
	Prompts Prompts
	Key     []byte           // of 32 bytes: users and prompts are told apart by it and cannot be guessed without
	Turns   *telemetry.Turns // makes way for calls; may be nil
	Logger  *slog.Logger
	Now     func() time.Time
	// Rest bounds the share of one core: after work of some time it rests so many
	// times as long. 0 is 9, below 0 none.
	Rest float64
	// Busy says that the store is behind what comes: then it rests 25 times as
	// long. nil never is.
	Busy func() bool
}

const (
	maxQueue  = 20_000
	together  = 32 // runs of one transaction
	maxTries  = 4
	catchUp   = time.Hour
	regroupIn = 15 * time.Second // topics are found anew so long after a change
	keep      = 100 * 24 * time.Hour
	maxRows   = 500_000
	maxSpaces = 8
	maxAsked  = 50 // texts of one run
	// maxPlaces bounds the teams and environments whose prompts are grouped: where
	// senders need no key, they name what they like.
	maxPlaces = 200
)

// Book groups prompts. Make one with New, start it with Run.
type Book struct {
	o Options

	mu     sync.Mutex
	queue  []seen
	queued map[activity.RunID]int // index in queue, from base on
	base   int
	// skipped are runs that were erased: what was told of them before is not looked at.
	skipped map[activity.RunID]bool

	work   sync.Mutex // held by whoever works; guards what follows
	spaces map[[2]string]*space
	used   map[[2]string]time.Time
	cells  int64 // the highest number of a cell

	tidyEvery time.Duration // 0: an hour; tests make it short

	wake  chan struct{}
	stats struct{ runs, prompts, skipped, failed, micros atomic.Int64 }
}

// seen is what is known of a run that ended.
type seen struct {
	id                                                  activity.RunID
	user                                                string // as a keyed hash; "" nobody is named
	agent, version, team, environment, session, outcome string
	failed                                              bool
	cost                                                float64 // NaN: unknown
	start                                               time.Time
	tries                                               int
}

// Stats are counts since the start; Waiting is now.
type Stats struct{ Runs, Prompts, Skipped, Failed, Micros, Waiting int64 }

// Stats reads the counts. Skipped are runs that found no room to wait.
func (b *Book) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{b.stats.runs.Load(), b.stats.prompts.Load(), b.stats.skipped.Load(), b.stats.failed.Load(), b.stats.micros.Load(), int64(len(b.queue))}
}

// New reads how far cells are numbered.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Prompts == nil || len(o.Key) != 32 {
		return nil, errors.New("topic: DB, Prompts and a key of 32 bytes are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Rest = max(cmp.Or(o.Rest, 9), 0)
	if o.Busy == nil {
		o.Busy = func() bool { return false }
	}
	b := &Book{o: o, queued: map[activity.RunID]int{}, wake: make(chan struct{}, 1)}
	b.forget()
	return b, b.number(ctx)
}

// forget drops what is in memory; it is read again when it is needed.
func (b *Book) forget() {
	b.spaces, b.used = map[[2]string]*space{}, map[[2]string]time.Time{}
}

// Observe takes note of runs that ended, and of news of those that had. It must be
// quick: it is in the reader's way.
func (b *Book) Observe(w *telemetry.Write) { b.enqueue(w.Runs) }

func (b *Book) enqueue(runs []activity.Run) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range runs {
		r := &runs[i]
		if r.Status == activity.RunRunning || r.Mode == "test" {
			continue
		}
		at, waits := b.queued[r.ID]
		if !waits && len(b.queue) >= maxQueue {
			b.stats.skipped.Add(1)
			continue
		}
		s := seen{
			id: r.ID, agent: strings.Clone(r.Agent), version: strings.Clone(r.Version), team: strings.Clone(r.Team), environment: strings.Clone(r.Environment), session: strings.Clone(r.Session), outcome: strings.Clone(r.Outcome),
			user: b.userRef(r.Team, r.User), failed: r.RootError, cost: costOf(r), start: time.Unix(0, r.Start),
		}
		if waits {
			s.tries = b.queue[at-b.base].tries
			b.queue[at-b.base] = s
			continue
		}
		b.queued[r.ID] = b.base + len(b.queue)
		b.queue = append(b.queue, s)
	}
	if len(b.queue) > 0 {
		select {
		case b.wake <- struct{}{}:
		default: // it works already
		}
	}
}

func costOf(r *activity.Run) float64 {
	if r.Cost.Basis == activity.CostUnknown {
		return math.NaN()
	}
	return float64(r.Cost.Nanos) / 1e9
}

// userRef is how a user is known without being named.
func (b *Book) userRef(team, user string) string {
	if user == "" {
		return ""
	}
	return activity.Text32(b.mac("user", team, user)[:15])
}

// mac is a hash that nobody can make without the key.
func (b *Book) mac(words ...string) []byte {
	h := hmac.New(sha256.New, b.o.Key)
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// short is a mac that fits beside many others; never 0, which says nobody.
func (b *Book) short(words ...string) uint32 {
	return max(binary.LittleEndian.Uint32(b.mac(words...)), 1)
}

// take is the next runs that wait.
func (b *Book) take() (batch []seen, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), together)
	batch = append(batch, b.queue[:n]...)
	for _, s := range batch {
		delete(b.queued, s.id)
	}
	batch = slices.DeleteFunc(batch, func(s seen) bool { return b.skipped[s.id] })
	b.queue = b.queue[n:]
	b.base += n
	if len(b.queue) == 0 {
		b.queue = nil
	}
	return batch, len(b.queue) > 0
}

// later has runs looked at again, a few times.
func (b *Book) later(batch ...seen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range batch {
		if s.tries++; s.tries >= maxTries {
			b.stats.failed.Add(1)
			continue
		}
		if _, ok := b.queued[s.id]; !ok {
			b.queued[s.id] = b.base + len(b.queue)
			b.queue = append(b.queue, s)
		}
	}
}

// Run works until ctx ends, whose cause it returns.
func (b *Book) Run(ctx context.Context) error {
	if runs, err := b.o.Prompts.Ended(ctx, b.o.Now().Add(-catchUp), maxQueue/2); err == nil {
		b.enqueue(runs)
	} else if ctx.Err() == nil {
		b.o.Logger.Warn("what was asked before the start is not grouped", "err", err)
	}
	tidy := time.NewTicker(cmp.Or(b.tidyEvery, time.Hour))
	defer tidy.Stop()
	for {
		began := time.Now()
		more, err := b.Work(ctx)
		took := time.Since(began)
		if err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("prompts were not grouped and are again", "err", err)
		}
		if err := sleep(ctx, b.rest(took)); err != nil {
			return err
		}
		select {
		case <-tidy.C: // before anything else: news may never end
			if err := b.tidy(ctx); err != nil && ctx.Err() == nil {
				b.o.Logger.Warn("old topics could not be dropped", "err", err)
			}
		default:
		}
		if more && err == nil {
			continue
		}
		pause := time.NewTimer(regroupIn)
		select {
		case <-b.wake:
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
		pause.Stop()
	}
}

// busyRest is how many times as long as else it rests while the store is behind.
const busyRest = 25

func (b *Book) rest(took time.Duration) time.Duration {
	d := time.Duration(b.o.Rest * float64(took))
	if b.o.Busy() {
		d *= busyRest
	}
	return d
}

// sleep waits whatever comes, so that news that never ends does not end its rest.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
