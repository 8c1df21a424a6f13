package policy

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Past walks the decisions recorded in [from, to), the oldest first, until do
// errs; decision.Log.Each is one.
type Past func(ctx context.Context, from, to time.Time, do func(*activity.Decision) error) error

// Plan is what a simulation tries on a period.
type Plan struct {
	Documents []Document        // that take the place of those of their names
	Whole     bool              // Documents are the whole set
	Delete    []string          // policies to leave out
	Agents    map[string]string // enforcement to try, by agent
	Agent     string            // only this agent's decisions; "" for all
	From, To  time.Time
	// Sees reports whether the asker may see decisions of a team in an
	// environment; others are not counted.
	Sees func(team, environment string) bool
	// Subject is what the simulation is of, for an act that asks for it first:
	// see SubjectOf.
	Subject string
	By      string // who asked: nobody else reads it
}

// The states of a simulation.
const (
	SimulationWaiting = "waiting"
	SimulationRunning = "running"
	SimulationDone    = "done"
	SimulationFailed  = "failed"
)

// Simulation is what a plan would have changed, as far as it was tried.
type Simulation struct {
	ID, State, Error string
	Plan             Plan
	StartedAt, Until time.Time // Until is how far the period was tried
	Decisions        int64     // looked at
	Replayed         int64
	NotKept          int64 // could not be tried: their context was not kept
	Elsewhere        int64 // denied by something else than policy: no set changes that
	Changed          int64
	// Others would be decided otherwise today too, since something else changed
	// after they were recorded: they are none of what enforcing changes. Counted
	// for a plan with a Subject alone.
	Others           int64
	Stricter, Looser int64
	Cut              bool    // ended before the period did
	Groups           []Group // the most frequent first
	MoreGroups       int64   // changes that stand in none
}

// Group counts changes that are alike.
type Group struct {
	Agent, Team, Action, Resource string
	Was, Becomes                  activity.Verdict
	Reason                        activity.Reason
	Count                         int64
	Examples                      []string // ids of decisions
	First, Last                   time.Time
}

const (
	maxGroups     = 5000
	maxExamples   = 5
	maxTried      = 20_000_000
	maxSimulation = 10 * time.Minute
	keepFor       = 24 * time.Hour
	maxKept       = 200
	maxWaiting    = 20
	maxWaitingFor = 3 // one asker
	maxReading    = 2 // periods that are read while somebody waits
	// The door needs the processor too: one simulation at a time, and it rests a
	// third of the time.
	workFor = 20 * time.Millisecond
	restFor = 10 * time.Millisecond
)

// SimulatorOptions are what a Simulator needs: Store and Past.
type SimulatorOptions struct {
	Store  *Store
	Past   Past
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil is time.Now
}

// Simulator tries sets of policies on recorded decisions. Run does the work.
type Simulator struct {
	o       SimulatorOptions
	queue   chan *job
	reading chan struct{} // a slot for each period being read at once

	mu   sync.Mutex
	jobs map[string]*job
}

// job is a simulation on its way; mu guards at.
type job struct {
	mu     sync.Mutex
	at     Simulation
	groups map[groupKey]*Group
	engine *Engine
	now    *Engine // the set as it is, for a plan with a Subject; else nil
	done   chan struct{}
}

type groupKey struct {
	agent, action, resource, code string
	was, becomes                  activity.Verdict
}

// NewSimulator makes a Simulator. It starts nothing.
func NewSimulator(o SimulatorOptions) (*Simulator, error) {
	if o.Store == nil || o.Past == nil {
		return nil, errors.New("simulations need a store of policies and recorded decisions")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Simulator{o: o, queue: make(chan *job, maxWaiting), reading: make(chan struct{}, maxReading), jobs: map[string]*job{}}, nil
}

// Proposed is an engine with the set as it would be.
func (s *Store) Proposed(p *Plan) (*Engine, error) {
	now := s.set.Load()
	next := &set{version: now.version, all: map[string]*Policy{}}
	if !p.Whole {
		maps.Copy(next.all, now.all)
	}
	for _, name := range p.Delete {
		if _, ok := next.all[name]; !ok {
			return nil, notFound(name)
		}
		delete(next.all, name)
	}
	for _, d := range p.Documents {
		statements, err := s.Compile(d)
		if err != nil {
			return nil, err
		}
		next.all[d.Name] = &Policy{Document: d, Statements: statements}
	}
	if err := next.fits(); err != nil {
		return nil, err
	}
	e := &Engine{Dev: s.o.Engine.Dev}
	e.Replace(next.version, next.statements())
	return e, nil
}

// Start begins a simulation; Get follows it.
func (m *Simulator) Start(p Plan) (Simulation, error) {
	if !p.From.Before(p.To) {
		return Simulation{}, fault.New(fault.KindInvalid, "policy.period", "the period ends before it begins")
	}
	engine, err := m.o.Store.Proposed(&p)
	if err != nil {
		return Simulation{}, err
	}
	j := &job{groups: map[groupKey]*Group{}, engine: engine, done: make(chan struct{})}
	if p.Subject != "" {
		if j.now, err = m.o.Store.Proposed(&Plan{}); err != nil {
			return Simulation{}, err
		}
	}
	j.at = Simulation{ID: "sim_" + strings.ToLower(rand.Text()), State: SimulationWaiting, Plan: p, StartedAt: m.o.Now().UTC(), Until: p.From}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget()
	busy := fault.New(fault.KindExhausted, "policy.busy", "too many simulations wait already").WithHint("try again in a minute")
	if m.open(p.By) >= maxWaitingFor {
		return Simulation{}, busy
	}
	select {
	case m.queue <- j:
	default:
		return Simulation{}, busy
	}
	m.jobs[j.at.ID] = j
	return j.shot(), nil
}

// open counts the simulations of one asker that have not ended; mu is held.
func (m *Simulator) open(by string) (n int) {
	for _, j := range m.jobs {
		select {
		case <-j.done:
		default:
			if j.at.Plan.By == by {
				n++
			}
		}
	}
	return n
}

// read walks a period for somebody who waits for the answer.
func (m *Simulator) read(ctx context.Context, from, to time.Time, do func(*activity.Decision) error) error {
	select {
	case m.reading <- struct{}{}:
		defer func() { <-m.reading }()
	default:
		return fault.New(fault.KindExhausted, "policy.busy", "too many periods are being read already").WithHint("try again in a minute")
	}
	return m.o.Past(ctx, from, to, do)
}

// forget drops old simulations, and the oldest of too many; mu is held.
func (m *Simulator) forget() {
	var ended []*job
	for id, j := range m.jobs {
		select {
		case <-j.done:
			if m.o.Now().Sub(j.at.StartedAt) > keepFor {
				delete(m.jobs, id)
			} else {
				ended = append(ended, j)
			}
		default:
		}
	}
	slices.SortFunc(ended, func(a, b *job) int { return a.at.StartedAt.Compare(b.at.StartedAt) })
	for len(m.jobs) >= maxKept && len(ended) > 0 {
		delete(m.jobs, ended[0].at.ID)
		ended = ended[1:]
	}
}

// Get is a simulation as it is now, for who asked for it.
func (m *Simulator) Get(id, by string) (Simulation, error) {
	j := m.job(id, by)
	if j == nil {
		return Simulation{}, fault.New(fault.KindNotFound, "policy.no_simulation", "there is no such simulation of yours").WithHint("they are kept for a day")
	}
	return j.shot(), nil
}

func (m *Simulator) job(id, by string) *job {
	m.mu.Lock()
	defer m.mu.Unlock()
	if j := m.jobs[id]; j != nil && j.at.Plan.By == by {
		return j
	}
	return nil
}

// Wait is Get once the simulation ended or ctx did.
func (m *Simulator) Wait(ctx context.Context, id, by string) (Simulation, error) {
	if j := m.job(id, by); j != nil {
		select {
		case <-j.done:
		case <-ctx.Done():
		}
	}
	return m.Get(id, by)
}

// Run simulates, one plan after the other, until ctx ends, whose cause it
// returns.
func (m *Simulator) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case j := <-m.queue:
			m.simulate(ctx, j)
		}
	}
}

var errEnough = errors.New("enough")

func (m *Simulator) simulate(ctx context.Context, j *job) {
	defer close(j.done)
	j.mu.Lock()
	j.at.State = SimulationRunning
	p := j.at.Plan
	j.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, maxSimulation)
	defer cancel()
	r := &replayer{store: m.o.Store, engine: j.engine, agents: p.Agents, past: map[int64]map[refKey]bool{}}
	now := &replayer{store: m.o.Store, engine: j.now, past: r.past}
	w := &scratch{}
	since := time.Now()
	err := m.o.Past(ctx, p.From, p.To, func(d *activity.Decision) error {
		if time.Since(since) > workFor {
			rest(ctx)
			since = time.Now()
		}
		if p.Agent != "" && d.Agent != p.Agent || !p.Sees(d.Team, d.Environment) {
			return nil
		}
		return j.try(ctx, r, now, w, d)
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.at.State = SimulationDone
	switch {
	case err == nil:
		j.at.Until = p.To
	case errors.Is(err, errEnough) || ctx.Err() != nil:
		j.at.Cut = true
	default:
		m.o.Logger.Error("a simulation failed", "simulation", j.at.ID, "err", err)
		j.at.State, j.at.Error = SimulationFailed, fault.From(err).Message
	}
}

// rest gives the processor to others.
func rest(ctx context.Context) {
	t := time.NewTimer(restFor)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// try replays one decision and counts what would change.
func (j *job) try(ctx context.Context, r, now *replayer, w *scratch, d *activity.Decision) error {
	v, _, ok, err := r.replay(ctx, w, d)
	if err != nil {
		return err
	}
	others := false
	if ok && v.Verdict != d.Verdict && now.engine != nil {
		is, _, known, err := now.replay(ctx, w, d)
		if err != nil {
			return err
		}
		others = known && is.Verdict == v.Verdict
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	at := &j.at
	if at.Decisions++; at.Decisions > maxTried {
		return errEnough
	}
	at.Until = time.Unix(0, d.At).UTC()
	switch {
	case elsewhere(d):
		at.Elsewhere++
		return nil
	case !ok:
		at.NotKept++
		return nil
	}
	at.Replayed++
	if v.Verdict == d.Verdict {
		return nil
	}
	if others {
		at.Others++
		return nil
	}
	at.Changed++
	if v.Verdict > d.Verdict {
		at.Stricter++
	} else {
		at.Looser++
	}
	why := activity.Reason{Code: "policy.permit", Text: "it would be permitted"}
	if len(v.Reasons) > 0 && v.Verdict != activity.VerdictAllow {
		why = v.Reasons[0]
	}
	if !count(j.groups, d, d.Verdict, v.Verdict, why) {
		at.MoreGroups++
	}
	return nil
}

// count adds a decision to its group; it reports false when there are too many.
func count(groups map[groupKey]*Group, d *activity.Decision, was, becomes activity.Verdict, why activity.Reason) bool {
	k := groupKey{d.Agent, d.Action, d.Resource, why.Code + why.Text, was, becomes}
	g := groups[k]
	at := time.Unix(0, d.At).UTC()
	if g == nil {
		if len(groups) >= maxGroups {
			return false
		}
		g = &Group{Agent: d.Agent, Team: d.Team, Action: d.Action, Resource: d.Resource, Was: was, Becomes: becomes, Reason: why, First: at}
		groups[k] = g
	}
	g.Count++
	g.Last = at
	if len(g.Examples) < maxExamples {
		g.Examples = append(g.Examples, d.ID)
	}
	return true
}

func sorted(groups map[groupKey]*Group) []Group {
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		c := *g
		c.Examples = slices.Clone(g.Examples)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Reason.Text, b.Reason.Text))
	})
	return out
}

// shot is the simulation as it is now.
func (j *job) shot() Simulation {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := j.at
	out.Groups = sorted(j.groups)
	return out
}

// SubjectOf is what a simulation of enforcing something is about: a later change
// of it makes the simulation another's.
func SubjectOf(kind, name string, revision int64) string {
	return kind + "/" + name + "@" + strconv.FormatInt(revision, 10)
}

// Shown reports whether a simulation that ended showed what enforcing a subject
// would change.
func (m *Simulator) Shown(id, by, subject string) error {
	s, err := m.Get(id, by)
	switch {
	case err != nil:
		return err
	case s.State == SimulationWaiting || s.State == SimulationRunning:
		return fault.New(fault.KindConflict, "policy.simulation_running", "the simulation has not ended yet").WithHint("wait until it is done, and look at it")
	case s.State != SimulationDone || s.Plan.Subject != subject:
		return fault.New(fault.KindConflict, "policy.simulation_other", "the simulation is not about this as it is now").WithHint("simulate again")
	}
	return nil
}

// WouldBe is what observing kept from being refused, over a period.
type WouldBe struct {
	Decisions int64 // looked at
	Refused   int64 // would have been denied or held
	Cut       bool  // ended before the period did
	Groups    []Group
	More      int64 // refusals that stand in no group
}

const (
	maxWould     = 2_000_000
	wouldTimeout = 20 * time.Second
)

// Would counts the decisions of a period that enforcing would have refused.
func (m *Simulator) Would(ctx context.Context, agent string, from, to time.Time, sees func(team, environment string) bool) (WouldBe, error) {
	var out WouldBe
	groups := map[groupKey]*Group{}
	timed, cancel := context.WithTimeout(ctx, wouldTimeout)
	defer cancel()
	err := m.read(timed, from, to, func(d *activity.Decision) error {
		if agent != "" && d.Agent != agent || !sees(d.Team, d.Environment) {
			return nil
		}
		if out.Decisions++; out.Decisions > maxWould {
			return errEnough
		}
		if d.Would <= d.Verdict {
			return nil
		}
		out.Refused++
		why := activity.Reason{Code: "policy.unknown", Text: "the record names no reason"}
		if len(d.Reasons) > 0 {
			why = d.Reasons[0]
		}
		if !count(groups, d, d.Verdict, d.Would, why) {
			out.More++
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) && (timed.Err() == nil || ctx.Err() != nil) {
		return out, err
	}
	out.Cut, out.Groups = err != nil, sorted(groups)
	return out, nil
}
