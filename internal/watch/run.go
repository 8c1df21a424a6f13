package watch

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
)

// run is what is measured of one run, by one way of knowing of it.
type run struct {
	id      activity.RunID
	of      *agent
	version string
	task    string
	start   int64 // ns, of its first step
	done    int64 // ns, of its last end; 0: nothing ended
	last    int64 // ns, received
	ended   bool  // its figures are in its agent's ranges
	cut     bool  // its beginning was before a restart: it is not like others
	touched bool  // by the write that is taken in

	counted stepSet

	steps, errors, models, tools, refused, handoffs, retries int
	looped                                                   int // calls beyond the first of the same
	answers, declined                                        int // of models in words, and those that refuse
	talk                                                     talk
	in, out, cost                                            int64
	waited                                                   int64 // ns, for people
	firstIn, lastIn                                          int64 // tokens given to its first and last model call
	same                                                     sames
	held                                                     string // the action that waited for a person last
	most                                                     *same  // the call repeated most; nil: none was made twice
	calling                                                  bool   // it made some call that can be compared
	failing                                                  map[string]*streak
	before                                                   int // of the path: the tool before, by its number
	moves                                                    int
	surprise                                                 float64            // bits, over all moves
	evidence                                                 [4]activity.StepID // the newest steps
	steer                                                    *steering          // nil: none of its calls sends anything anywhere
	fresh                                                    int                // tools, models, destinations never seen before
	calls                                                    []toolCalls        // the first maxCalls tools
	told                                                     map[string]int64   // by detector or rule: when it was found last
	feels                                                    map[string]float64 // levels at which a figure was found
}

// same is one call with the same arguments.
type same struct {
	tool  string
	n     int
	steps [6]activity.StepID // the first three and the newest three
}

// sames are the distinct calls of a run by their digest, in the order in which
// they came. Most are made once, and few runs have many: looking through them all
// costs less than a map and its memory.
type sames struct {
	keys  []uint64
	first []activity.StepID
	again []*same // nil: made once so far
}

// took is how long the run worked: from its first step's start to its last step's
// end, whenever its telemetry arrived.
func (r *run) took() time.Duration { return time.Duration(max(r.done-r.start, 0)) }

// toolCalls is how often a run called a tool.
type toolCalls struct {
	name string
	n    int64
}

// stepSet are ids of steps; few are kept without a map.
type stepSet struct {
	few  []activity.StepID
	many map[activity.StepID]struct{} // nil while there are few; then has all
}

const fewSteps = 32

// add reports whether an id was not there.
func (s *stepSet) add(id activity.StepID) bool {
	if s.many != nil {
		before := len(s.many)
		s.many[id] = struct{}{}
		return len(s.many) > before
	}
	if slices.Contains(s.few, id) {
		return false
	}
	if len(s.few) < fewSteps {
		if s.few == nil {
			s.few = make([]activity.StepID, 0, 12)
		}
		s.few = append(s.few, id)
		return true
	}
	s.many = make(map[activity.StepID]struct{}, 2*fewSteps)
	for _, x := range s.few {
		s.many[x] = struct{}{}
	}
	s.few, s.many[id] = nil, struct{}{}
	return true
}

func (s *stepSet) has(id activity.StepID) bool {
	if s.many != nil {
		_, ok := s.many[id]
		return ok
	}
	return slices.Contains(s.few, id)
}

func (s *stepSet) len() int { return len(s.few) + len(s.many) }

// streak is failures of one tool or model one after the other.
type streak struct {
	n, longest int
	class      string
	steps      [4]activity.StepID
}

const (
	maxSame    = 512 // distinct calls of a run
	maxStreaks = 64
	maxCalls   = 48 // tools of a run told apart
	usualCalls = 6  // what most runs stay below
)

var seed = maphash.MakeSeed()

// step takes in one folded step.
func (w *Watch) step(s *activity.Step) {
	if s.Run.IsZero() || s.Agent == "" {
		return
	}
	door := s.Source == activity.SourceGateway && w.proven.has(s.Step)
	k := who{s.Team, s.Environment, s.Agent, door}
	a := w.last
	if a == nil || a.who != k {
		if a = w.agentOf(k); a == nil {
			return
		}
		w.last = a
	}
	r := w.runOf(s.Run, a)
	if r == nil {
		return
	}
	if s.Status == activity.StatusRunning && s.End <= 0 {
		return // it counts when it has ended
	}
	if !w.once(r, s) {
		return
	}
	w.seen.Add(1)
	r.last, a.moving = w.clock, r
	copy(r.evidence[1:], r.evidence[:])
	r.evidence[0] = s.Step
	if r.start == 0 || s.Start < r.start {
		r.start = s.Start
	}
	r.done = max(r.done, s.End)
	if s.AgentVersion != "" && s.AgentVersion != r.version {
		r.version = word(s.AgentVersion)
	}
	if s.Task != "" && s.Task != r.task {
		r.task = word(s.Task)
	}
	w.measure(a, r, s)
	w.reads(a, s)
	if !r.touched {
		r.touched = true
		w.touched = append(w.touched, r)
	}
	if !a.touched {
		a.touched = true
		w.looked = append(w.looked, a)
	}
}

// once reports whether a step that has ended is counted for the first time.
func (w *Watch) once(r *run, s *activity.Step) bool {
	if r.ended || r.counted.len() >= maxRunSteps {
		return s.Revision <= 1 && !r.counted.has(s.Step)
	}
	if !r.counted.add(s.Step) {
		return false
	}
	w.steps++
	return true
}

// runOf finds or makes what is measured of a run that an agent does: a nested
// agent's steps are measured apart.
func (w *Watch) runOf(id activity.RunID, a *agent) *run {
	list := w.runs[id]
	for _, r := range list {
		if r.of == a {
			return r
		}
	}
	if len(list) >= maxOfRun && !a.door { // names are claimed at will, not proved
		return nil
	}
	_, cut := w.cut[id]
	r := &run{id: id, of: a, before: -1, last: w.clock, cut: cut}
	w.runs[id] = append(list, r)
	a.started(w.clock)
	return r
}

// heldError is the door's answer while a person has not decided yet. Coming again
// with the same call until then is what it asks for: no failure, no loop.
const heldError = "approval.pending"

// measure counts a step that has ended.
func (w *Watch) measure(a *agent, r *run, s *activity.Step) {
	took := time.Duration(0)
	if s.End > s.Start {
		took = time.Duration(s.End - s.Start)
	}
	waits := s.Source == activity.SourceGateway && s.Status == activity.StatusError && s.ErrorType == heldError // nobody else says so
	failed := s.Status == activity.StatusError && !waits
	b := a.bucket(w.clock)
	r.steps++
	b.Steps++
	called := ""
	switch s.Kind {
	case activity.KindModel:
		called = s.Model
		if called == "" {
			called = s.ModelRequested
		}
		if s.Counted || s.Call || s.Source == activity.SourceGateway {
			r.models++
			b.Models++
			w.modelCall(a, r, s, b, took)
		}
	case activity.KindTool, activity.KindMCP, activity.KindA2A, activity.KindHTTP, activity.KindRetrieval, activity.KindHandoff:
		if called = s.ToolName; called == "" {
			called = s.Name
		}
		r.tools++
		b.Tools++
		if s.Kind == activity.KindHandoff || s.Kind == activity.KindA2A {
			r.handoffs++
			b.Handoffs++
		}
		w.toolCall(a, r, s, called, took, waits)
	case activity.KindHuman:
		r.waited += int64(took)
		b.Waited += float64(took) / 1e6
	}
	if failed {
		r.errors++
		b.Errors++
	}
	if called != "" && !waits {
		w.outcome(a, r, s, called, failed, b)
	}
	w.hours(a, r, s)
}

// modelCall measures what a model was given, gave and cost.
func (w *Watch) modelCall(a *agent, r *run, s *activity.Step, b *Sum, took time.Duration) {
	if in := s.Usage.InputTotal; in > 0 {
		if r.firstIn == 0 {
			r.firstIn = in
		}
		r.lastIn = in
		r.in += in
		b.In += float64(in)
	}
	if out := s.Usage.OutputTotal; out >= 0 {
		r.out += out
		b.Out += float64(out)
		if s.Status == activity.StatusOK && out > 0 {
			w.block(a, r, "output_length", "", s.Model, float64(out))
		}
	}
	if s.Cost.Basis != activity.CostUnknown {
		r.cost += s.Cost.Nanos
		b.Cost += float64(s.Cost.Nanos)
	} else {
		b.Unpriced++
	}
	b.time(took)
	if s.Model != "" {
		w.uses(a, r, "new_model", "model", s.Model, s.Step)
	}
	if s.ModelRequested != "" && s.Model != "" && s.ModelRequested != s.Model {
		w.alias(a, r, s)
	}
	if s.Status == activity.StatusOK && took > 0 {
		w.block(a, r, "latency", "model", s.Model, took.Seconds())
	}
	w.again(a, r, s, "model "+s.Model, activity.ContentInput)
}

// toolCall measures a call of a tool, an API or a peer.
func (w *Watch) toolCall(a *agent, r *run, s *activity.Step, name string, took time.Duration, waits bool) {
	a.bucket(w.clock).time(took)
	kind := "new_tool"
	what := "tool"
	switch s.Kind {
	case activity.KindRetrieval:
		kind, what = "new_source", "source"
	case activity.KindHandoff, activity.KindA2A:
		kind, what = "new_peer", "peer"
	}
	w.uses(a, r, kind, what, name, s.Step)
	if s.Status == activity.StatusOK && took > 0 {
		w.block(a, r, "latency", what, name, took.Seconds())
	}
	r.called(name)
	if waits {
		return
	}
	w.again(a, r, s, name, activity.ContentArguments, activity.ContentQuery, activity.ContentInput)
	w.path(a, r, name)
}

// called counts a call of a tool.
func (r *run) called(name string) {
	if r.count(name) {
		return
	}
	if kept := word(name); kept == name || !r.count(kept) {
		if len(r.calls) < maxCalls {
			r.calls = append(r.calls, toolCalls{kept, 1})
		}
	}
}

func (r *run) count(name string) bool {
	for i := range r.calls {
		if r.calls[i].name == name {
			r.calls[i].n++
			return true
		}
	}
	return false
}

// again counts the same call with the same arguments. Within a run each distinct
// message has one number, so equal arguments are equal numbers; what says no
// arguments is not compared.
func (w *Watch) again(a *agent, r *run, s *activity.Step, name string, fields ...activity.ContentField) {
	var h maphash.Hash
	h.SetSeed(seed)
	found := false
	for _, f := range fields {
		for i := range s.Refs {
			ref := &s.Refs[i]
			if ref.Field == f && ref.Messages != "" && activity.Said(s.Refs, i) {
				_, _ = h.WriteString(ref.Messages) // a hash's writer never fails
				_ = h.WriteByte(0)
				found = true
			}
		}
		if found {
			break
		}
	}
	if !found {
		return
	}
	_, _ = h.WriteString(name)
	w.repeat(a, r, h.Sum64(), name, s.Step)
}

// repeat counts a call by its digest.
func (w *Watch) repeat(a *agent, r *run, key uint64, name string, step activity.StepID) {
	d := &r.same
	i := slices.Index(d.keys, key)
	if i < 0 {
		r.calling = true
		if d.keys == nil {
			d.keys, d.first, d.again = make([]uint64, 0, usualCalls), make([]activity.StepID, 0, usualCalls), make([]*same, 0, usualCalls)
		}
		if len(d.keys) < maxSame { // else: what repeats did so before
			d.keys, d.first, d.again = append(d.keys, key), append(d.first, step), append(d.again, nil)
		}
		return
	}
	c := d.again[i]
	if c == nil {
		c = &same{tool: word(name), n: 1}
		c.steps[0], d.again[i] = d.first[i], c
	}
	if c.n < 3 {
		c.steps[c.n] = step
	} else {
		copy(c.steps[3:], c.steps[4:])
		c.steps[5] = step
	}
	c.n++
	r.looped++
	a.bucket(w.clock).Looped++
	a.part("tool", strings.TrimPrefix(c.tool, "model "), w.clock).Looped++
	if r.most == nil || c.n > r.most.n {
		r.most = c
	}
}

// mostSame is how often the call was made that was made most.
func (r *run) mostSame() int {
	switch {
	case r.most != nil:
		return r.most.n
	case r.calling:
		return 1
	}
	return 0
}

// path measures how usual the order of tools is.
func (w *Watch) path(a *agent, r *run, name string) {
	n := a.paths.number(name)
	if n < 0 {
		return
	}
	if bits, known := a.paths.move(r.before, n); known {
		r.surprise += bits
		r.moves++
		b := a.bucket(w.clock)
		b.Surprise += bits
		b.Moves++
	}
	r.before = n
}

// outcome counts how a call ended: streaks of failures, and what share fails.
func (w *Watch) outcome(a *agent, r *run, s *activity.Step, called string, failed bool, b *Sum) {
	k := r.failing[called]
	if !failed {
		if k != nil {
			k.n = 0
		}
		a.ended(called, false)
		a.part("tool", called, w.clock).add(false, s)
		return
	}
	a.ended(called, true)
	a.part("tool", called, w.clock).add(true, s)
	if s.ErrorType != "" {
		w.uses(a, r, "new_error", "error", s.ErrorType, s.Step)
		a.part("error", s.ErrorType, w.clock).add(true, s)
	}
	if k == nil {
		if len(r.failing) >= maxStreaks {
			return
		}
		if r.failing == nil {
			r.failing = map[string]*streak{}
		}
		k = &streak{}
		r.failing[word(called)] = k
	}
	if k.n > 0 {
		r.retries++
		b.Retries++
		a.part("tool", called, w.clock).Retries++
	}
	k.n++
	k.longest = max(k.longest, k.n)
	k.class = word(s.ErrorType)
	copy(k.steps[1:], k.steps[:])
	k.steps[0] = s.Step
}
