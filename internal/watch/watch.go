// Package watch measures what agents do while they do it, and says when that is
// unlike them.
//
// What for: loops, retry storms, tools and destinations never seen before,
// errors, cost and latency that left their range: what an agent's behaviour shows
// without anybody reading what it wrote, and without a model.
//
// Who calls it: app hands it what the store took (Observe) and what the door
// decided (Decided), and runs it; api reads measures (Behaviour) and settings;
// findings go to package finding.
//
// Promises: Observe never waits: it measures in memory, and what is found waits
// in a queue for Run. A step counts once, when it has ended. Detectors look at
// nothing that comes later. What the door saw of agents that proved who they are
// is measured apart from what telemetry claims, so a finding says truly whether
// its agent was authenticated. Memory is bounded: beyond the bounds the agents
// and runs that were quiet longest are forgotten, and counted. What was learned
// survives a restart, but for the last seconds before a kill.
//
// How it fails: a file that cannot be read is put aside and logged, and learning
// begins anew. When findings cannot be written they wait; when the queue is full
// they are counted and dropped, and the next sighting brings them again.
//
// Start reading at Watch.Observe, then run.go and look.go.
package watch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/finding"
	"reeve/internal/rule"
	"reeve/internal/telemetry"
)

// Findings keeps what was found; *finding.Book is one.
type Findings interface {
	See(ctx context.Context, f finding.Finding) (finding.Finding, bool, error)
	Learned(detector, agent string) finding.Learned
}

// Options of a Watch. Findings is required.
type Options struct {
	Findings Findings
	Settings *Settings           // nil: the defaults, which nobody can change
	Rules    func() []*rule.Rule // those that are on; nil: none
	// Canonical is the registered agent that a name in telemetry stands for; nil
	// or "" leaves the name as it is.
	Canonical func(name string) string
	// Sources tells what a source was at a time, by the name that a step gives it;
	// nil looks at no data.
	Sources func(ctx context.Context, team, name string, at time.Time) (Reading, error)
	// AnySource reports whether Sources knows of any now; else no step is asked for
	// what it read. nil is yes.
	AnySource func() bool
	File      string           // what was learned; "" is kept nowhere
	Now       func() time.Time // nil is time.Now
	Logger    *slog.Logger     // nil discards
}

// Watch is what all agents do. Make one with New, start it with Run.
type Watch struct {
	o Options

	mu      sync.Mutex // guards what follows; held for one write or one read of memory
	agents  map[who]*agent
	runs    map[activity.RunID][]*run // one for each agent that is in it, and way of knowing of it
	clock   int64                     // ns, received time of the write that is taken in
	mark    map[int]mark
	proven  *provenSteps
	calls   chan call
	asked   chan read             // sources to look up
	refuses map[[16]byte]struct{} // answers that refuse, by the hash under which they come again
	steps   int                   // ids kept in all runs
	deeps   int                   // agents with a deep
	logs    int                   // and with lines
	dirty   bool
	touched []*run
	looked  []*agent
	last    *agent                      // of the step before
	mute    bool                        // learn, and find nothing: what is read again after a restart
	only    bool                        // ask the rules alone
	savedAt int64                       // ns, not before this
	cut     map[activity.RunID]struct{} // runs that went on when the last process was saved: only their ends are seen

	queue   chan sighting // of what is proved
	claims  chan sighting // of the rest: it waits behind
	may     float64       // claims that may be told now
	mayAt   int64
	dropped atomic.Int64
	forgot  atomic.Int64 // agents and runs beyond the bounds
	seen    atomic.Int64 // steps
	found   atomic.Int64
	slowest atomic.Int64 // ns from arrival to the finding, of those since the last scrape
}

// mark is how far a partition was observed.
type mark struct {
	Cursor   uint64 `json:"cursor"`
	Received int64  `json:"received"`
}

// who is whose behaviour is measured: an agent by one way of knowing of it.
type who struct {
	team, environment, name string
	door                    bool // the door saw it and the agent had proved who it is
}

type sighting struct {
	finding.Finding
	arrived int64 // ns, when the record came that led here
}

// lookEvery is how long a decision may wait to be looked at.
const lookEvery = 200 * time.Millisecond

// Bounds.
const (
	maxAgents   = 10_000
	maxRuns     = 20_000
	maxStepIDs  = 400_000
	maxOfRun    = 32    // agents in one run
	maxRunSteps = 5_000 // of one run, by id; later ones count at their first revision
	maxQueue    = 4_096
	maxNames    = 256 // tools, models... of an agent
	maxWord     = 160
)

// New reads what the last process learned. It starts nothing.
func New(o Options) (*Watch, error) {
	if o.Findings == nil {
		return nil, errors.New("watch: Options.Findings is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Settings == nil {
		o.Settings = &Settings{}
	}
	w := &Watch{
		o: o, agents: map[who]*agent{}, runs: map[activity.RunID][]*run{}, mark: map[int]mark{},
		proven: newProven(), queue: make(chan sighting, maxQueue), claims: make(chan sighting, maxQueue), may: claimsBurst, calls: make(chan call, maxQueue), asked: make(chan read, maxReads),
	}
	w.restore()
	return w, nil
}

// Observe takes in what the store has just taken. It keeps nothing of wr.
func (w *Watch) Observe(wr *telemetry.Write) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = wr.Received
	if w.clock == 0 {
		w.clock = w.o.Now().UnixNano()
	}
	w.drainCalls()
	for i := range wr.Steps {
		w.step(&wr.Steps[i])
	}
	for i := range wr.Logs {
		w.log(&wr.Logs[i])
	}
	for i := range wr.Messages {
		w.message(&wr.Messages[i])
	}
	for i := range wr.Runs {
		w.run(&wr.Runs[i])
	}
	w.look()
	if m := w.mark[wr.Partition]; wr.Cursor > m.Cursor {
		w.mark[wr.Partition] = mark{wr.Cursor, w.clock}
	}
	w.dirty = w.dirty || len(wr.Steps) > 0
	w.bound()
}

// call is a decision as it is measured.
type call struct {
	who
	id, resource string
	tool         string // as steps call it
	run          activity.RunID
	step         activity.StepID
	verdict      activity.Verdict
	context      []byte
}

// Decided takes in a decision of the door, before its step comes: from then on
// the step is known as one of an agent that proved who it is. It never waits.
func (w *Watch) Decided(d *activity.Decision) {
	if !proves(d) {
		return
	}
	if !d.Step.IsZero() {
		w.proven.add(d.Step)
	}
	c := call{who{d.Team, d.Environment, d.Agent, true}, d.ID, d.Resource, cmp.Or(d.Tool, d.Model, d.Resource), d.Run, d.Step, d.Verdict, d.Context}
	select {
	case w.calls <- c:
	default:
		w.dropped.Add(1)
	}
}

// drainCalls takes in the decisions that wait. The caller holds the lock.
func (w *Watch) drainCalls() {
	for {
		select {
		case c := <-w.calls:
			w.decided(&c)
		default:
			return
		}
	}
}

// proves reports whether a decision's agent showed a credential of its own. A
// team's token and the dev mode name agents, and prove none.
func proves(d *activity.Decision) bool {
	if !d.Registered {
		return false
	}
	switch d.Credential {
	case "x509_svid", "jwt_svid", "access_token", "foreign_token", "agent_key":
		return true
	}
	return false
}

// provenSteps are the ids of steps whose agent was authenticated, in two
// generations.
type provenSteps struct {
	mu         sync.Mutex
	young, old map[activity.StepID]struct{}
}

const provenGeneration = 50_000

func newProven() *provenSteps {
	return &provenSteps{young: map[activity.StepID]struct{}{}, old: map[activity.StepID]struct{}{}}
}

func (p *provenSteps) add(id activity.StepID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.young) >= provenGeneration {
		p.old, p.young = p.young, make(map[activity.StepID]struct{}, provenGeneration)
	}
	p.young[id] = struct{}{}
}

func (p *provenSteps) has(id activity.StepID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.young[id]; ok {
		return true
	}
	_, ok := p.old[id]
	return ok
}

// find queues what was found. The caller holds the lock.
func (w *Watch) find(f finding.Finding) {
	if w.mute {
		return
	}
	if w.o.Canonical != nil {
		if name := w.o.Canonical(f.Agent); name != "" {
			f.Agent = name
		}
	}
	f.Event = w.clock
	to := w.queue
	if !f.Authenticated {
		if to = w.claims; !w.mayClaim() {
			w.dropped.Add(1)
			return
		}
	}
	select {
	case to <- sighting{f, w.clock}:
	default:
		w.dropped.Add(1)
	}
}

// Whoever may send telemetry may claim any number of agents that go in circles:
// so many findings of that kind are kept, and the rest is counted.
const (
	claimsBurst  = 500
	claimsSecond = 10.0
)

func (w *Watch) mayClaim() bool {
	if w.only {
		return true
	}
	if w.mayAt > 0 {
		w.may = min(w.may+claimsSecond*float64(max(w.clock-w.mayAt, 0))/1e9, claimsBurst)
	}
	w.mayAt = w.clock
	if w.may < 1 {
		return false
	}
	w.may--
	return true
}

// Run writes what is found, and keeps what was learned, until ctx ends, whose
// cause it returns.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case s := <-w.queue: // before what is claimed
			w.tell(ctx, s)
			continue
		default:
		}
		select {
		case s := <-w.queue:
			w.tell(ctx, s)
		case s := <-w.claims:
			w.tell(ctx, s)
		case q := <-w.asked:
			w.lookUp(ctx, q)
		case <-look.C:
			// Actions that were refused have no step to bring them here.
			w.mu.Lock()
			w.clock = max(w.clock, w.o.Now().UnixNano())
			w.drainCalls()
			w.mu.Unlock()
		case <-tick.C:
			w.save()
		case <-ctx.Done():
			w.save()
			return context.Cause(ctx)
		}
	}
}

// Drain takes in and writes what is queued, as Run does by itself. It must not
// be called while Run runs.
func (w *Watch) Drain(ctx context.Context) {
	w.mu.Lock()
	w.drainCalls()
	w.mu.Unlock()
	for {
		select {
		case q := <-w.asked:
			w.lookUp(ctx, q)
		case s := <-w.queue:
			w.tell(ctx, s)
		case s := <-w.claims:
			w.tell(ctx, s)
		default:
			return
		}
	}
}

// tell keeps a finding; what the database refuses is tried again.
func (w *Watch) tell(ctx context.Context, s sighting) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		s.Lag = w.o.Now().UnixNano() - s.arrived
		_, fresh, err := w.o.Findings.See(ctx, s.Finding)
		switch {
		case err == nil:
			if fresh {
				w.found.Add(1)
				if s.Lag > w.slowest.Load() {
					w.slowest.Store(s.Lag)
				}
			}
			return
		case ctx.Err() != nil:
			return
		}
		w.o.Logger.Warn("a finding could not be kept yet", "detector", s.Detector, "agent", s.Agent, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Stats are figures for operators.
type Stats struct {
	Steps, Found, Dropped, Forgotten int64
	Agents, Runs                     int
	Slowest                          time.Duration // from a record's arrival to the finding, since the last call
}

// Stats reads them.
func (w *Watch) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Stats{
		w.seen.Load(), w.found.Load(), w.dropped.Load(), w.forgot.Load(), len(w.agents), len(w.runs), time.Duration(w.slowest.Swap(0)),
	}
}

// word is a sender's word as it is kept: its own memory, one line, not long.
func word(s string) string {
	if len(s) > maxWord {
		s = strings.ToValidUTF8(s[:maxWord], "")
	}
	return strings.Clone(finding.OneLine(s))
}
