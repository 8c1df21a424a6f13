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
	DB     *control.DB
	Agents *agent.Registry
	Stops  Stops            // nil: nothing can be blocked at the door
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
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
	refused int64               // claims beyond maxClaims, counted by step

	calls   chan Call
	dropped atomic.Int64 // calls that the queue had no room for
	wake    chan struct{}
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
		mark: make(map[int]mark), unknown: make(map[string]*finding), calls: make(chan Call, queuedSaws), wake: make(chan struct{}, 1),
	}
	if err := f.load(ctx); err != nil {
		return nil, fmt.Errorf("reading what was observed of the agents: %w", err)
	}
	return f, nil
}

// Changed tells the fleet of a change in the register; before is nil for a new
// agent. It is quick and takes no lock that Observe holds.
func (f *Fleet) Changed(before, after *agent.Agent) {
	f.match.change(before, after)
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
	countEvery = 20 * time.Second // counts are written
)

// Run writes what is observed until ctx ends, whose cause it returns. What was
// gathered by then is written first.
func (f *Fleet) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	counted := f.o.Now()
	for {
		select {
		case c := <-f.calls:
			f.saw(c)
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
	}
}

// drain takes in the calls that are queued.
func (f *Fleet) drain() {
	for {
		select {
		case c := <-f.calls:
			f.saw(c)
		default:
			return
		}
	}
}
