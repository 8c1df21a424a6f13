// Package fleet is the agents as they are observed: who telemetry and calls
// say they are, which registered agent that is, what each one uses and is made
// of, and how far it keeps to the standard.
//
// What for: a register is only as good as its answer to "who else is out
// there, and are those we know still what we approved?".
//
// Who calls it: app hands it what the store took (Observe) and what the door
// decided (Saw), and runs it; api reads it and passes on what people decide.
//
// Promises: Observe and Saw never wait for the database, and a step costs about
// a tenth of a microsecond. An agent that nobody registered is a finding within
// seconds. What was observed is written together with the log's cursor, so a
// crash makes nobody count twice; what a crash took is read again from the
// store. Memory and rows are bounded: beyond the bounds names are counted, not
// kept. Nothing here lets a call pass. Safe for concurrent use.
//
// How it fails: a database that refuses is logged and tried again with what
// was gathered meanwhile. Decisions answer fleet.not_found, fleet.state,
// fleet.merge, fleet.block, and the register's own faults.
//
// Start reading at Fleet.Observe, then Matcher.Match and Fleet.flush.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/agent"
	"reeve/internal/control"
)

// Options of a Fleet. DB and Agents are required.
type Options struct {
	DB       *control.DB
	Agents   *agent.Registry
	Stops    Stops     // nil: nothing can be blocked at the door
	Standard *Standard // nil is the default
	// Known reports whether the house knows a part of an agent: a model that an
	// upstream offers, a server that is one. nil: only what people approved.
	Known func(a *agent.Agent, kind, name, detail string) bool
	// Policies names the policies that can be about an agent, with a hash of
	// their text. nil: unknown.
	Policies func(a *agent.Agent) (names []string, hash string)
	Now      func() time.Time // nil is time.Now
	Logger   *slog.Logger     // nil discards
}

// Stops ends calls at the door.
type Stops interface {
	// StopName refuses whoever calls itself by this name, and says by which id
	// that can be lifted again.
	StopName(ctx context.Context, by, name, reason string) (id string, err error)
	// LiftStop ends a stop; one that is over already is no error.
	LiftStop(ctx context.Context, by, id, reason string) error
}

// Fleet observes. Make one with New, start it with Run.
type Fleet struct {
	o     Options
	log   *slog.Logger
	match *Matcher

	mu      sync.Mutex // guards what follows; held for one write or one read of memory
	claims  map[Claim]*claim
	last    *claim // of the step before
	names   map[place]int
	mark    map[int]mark
	unknown map[string]*finding // by id
	fresh   bool                // there are claims that no row has yet
	byName  map[place]*claim    // one of each name, for what does not say its service
	hosts   map[place]string    // by service: the agent that it hosts; "" several
	rehost  uint64              // changes of hosts
	parts   map[place]*parts
	cache   twoAges // values of messages that were read
	clock   int64   // ns, of the write that is taken in
	refused int64   // claims beyond maxClaims, counted by step

	presence atomic.Pointer[map[string]Presence]
	standard atomic.Pointer[Standard]
	waivers  sync.Map          // agent NUL rule -> Waiver
	approved sync.Map          // agent NUL version
	judged   map[string]string // by agent: what it broke when last looked; Run's alone

	unwritten []partsRow // of a flush that failed; Run's alone

	waiting map[[16]byte]struct{} // hashes of the messages in samples; under mu
	queued  int                   // bytes in samples; under mu
	ripe    []partsRow            // versions that were settled while observing; under mu
	samples chan sample
	budget  float64 // bytes of samples that may be read now; Run's alone
	filled  time.Time
	calls   chan Call
	dropped atomic.Int64 // calls that the queue had no room for
	wake    chan struct{}
	changed atomic.Bool // the register was, since judge looked
}

// mark is how far a partition's log was observed.
type mark struct {
	cursor   uint64
	received int64
	dirty    bool
}

const (
	maxClaims  = 50_000 // kept in memory and in the database
	maxOfName  = 64     // agent ids and services told apart under one name
	maxWord    = 200    // bytes of a claimed word
	queuedSaws = 4096
)

// New reads what was observed before. Run goes on with it.
func New(ctx context.Context, o Options) (*Fleet, error) {
	if o.DB == nil || o.Agents == nil {
		return nil, errors.New("the fleet needs a database and the register of agents")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{
		o: o, log: o.Logger, match: newMatcher(o.Agents.List()), claims: make(map[Claim]*claim), names: make(map[place]int),
		mark: make(map[int]mark), byName: make(map[place]*claim), hosts: make(map[place]string), parts: make(map[place]*parts), samples: make(chan sample, queuedSamples), unknown: make(map[string]*finding), calls: make(chan Call, queuedSaws), wake: make(chan struct{}, 1),
		budget: bytesBurst, filled: o.Now(), waiting: make(map[[16]byte]struct{}),
	}
	if o.Standard == nil {
		var err error
		if o.Standard, err = ReadStandard(nil); err != nil {
			return nil, err
		}
	}
	f.standard.Store(o.Standard)
	if err := errors.Join(f.load(ctx), f.loadStandard(ctx)); err != nil {
		return nil, fmt.Errorf("reading what was observed of the agents: %w", err)
	}
	return f, nil
}

// Changed tells the fleet of a change in the register; before is nil for a new
// agent. It is quick and takes no lock that Observe holds.
func (f *Fleet) Changed(before, after *agent.Agent) {
	f.match.change(before, after)
	f.changed.Store(true)
	f.poke()
}

func (f *Fleet) poke() {
	select {
	case f.wake <- struct{}{}:
	default: // one is pending
	}
}

const (
	lookEvery  = time.Second      // new names become findings
	countEvery = 30 * time.Second // counts are written
)

// Run writes what is observed until ctx ends, whose cause it returns. What was
// gathered by then is written first.
func (f *Fleet) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	counted, judged := f.o.Now(), time.Time{}
	for {
		samples := f.samples
		if !f.reads() {
			samples = nil // until refill
		}
		select {
		case c := <-f.calls:
			f.saw(c)
			continue
		case s := <-samples:
			f.budget -= float64(len(s.raw))
			f.read(s)
			continue
		case <-f.wake:
		case <-tick.C:
		case <-ctx.Done():
			f.drain()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			if err := f.flush(last, true); err != nil {
				f.log.Warn("what was observed of the agents could not be written", "err", err)
			}
			return context.Cause(ctx)
		}
		now := f.o.Now()
		f.refill(now)
		all := now.Sub(counted) >= countEvery
		if err := f.flush(ctx, all); err != nil {
			if ctx.Err() == nil {
				f.log.Warn("what was observed of the agents could not be written", "err", err)
			}
			continue
		}
		if all {
			counted = now
		}
		if f.changed.Swap(false) || now.Sub(judged) >= judgeEvery {
			judged = now
			if err := f.judge(ctx); err != nil && ctx.Err() == nil {
				f.log.Warn("agents could not be held against the standard", "err", err)
			}
		}
	}
}

// Sync writes all that was observed, counts included, as Run does by itself. It
// must not be called while Run runs.
func (f *Fleet) Sync(ctx context.Context) error {
	f.drain()
	return f.flush(ctx, true)
}

// drain takes in what is queued.
func (f *Fleet) drain() {
	for {
		select {
		case c := <-f.calls:
			f.saw(c)
		case s := <-f.samples:
			f.read(s)
		default:
			return
		}
	}
}
