package run

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// A model call that passed the door is told twice: by the door and by the
// agent's SDK. Where the agent passes its trace context on, both stand in one
// run. Where it does not, the door had to make up a run, and only the provider's
// response id says that the two are one call. Response ids repeat in the wild, so
// they must also share a trace, or a door's call without any trace context must
// fall into the SDK's call, in its team, environment and session.
//
//	same agent      the SDK's step gets the door's figures as a layer and counts;
//	                the door's step is marked joined and does not
//	another agent   the door's step counts: who called was proved there; the
//	                SDK's is marked joined
//
// Both get links to each other, which reads follow; no row moves to another run.

// doorDialect is what the door calls its own words. Source says less: a step that
// was joined has the door's figures and is still the SDK's.
const doorDialect = "door"

// callSkew is how far the door's clock and the agent's may be apart.
const callSkew = int64(2 * time.Second)

// Bounds of what is remembered of calls.
const (
	maxKnownCalls = 32 << 10
	maxSameID     = 64 // calls of one response id
)

// modelCall is what has to be known of a call to find its other half. Texts are
// only ever compared, so that hashes of them do: ten thousands of calls without a
// pointer are nothing to the collector.
type modelCall struct {
	id          [2]uint64 // the provider's, of the response
	run         activity.RunID
	step        activity.StepID
	trace       activity.TraceID
	team, env   uint64 // 0: none
	agent       uint64
	session     uint64
	start, end  int64
	joined      activity.RunID // of a door's call: whose it is
	older       int32          // the place of the call before with this id; none
	door, alone bool           // told by the door; which was given no trace context
	paired      bool           // of an SDK's call: its other half is found
	known       bool           // by its id
}

// calls are the latest model calls by response id, oldest forgotten first. They
// lie in a ring, in pieces that never move.
type calls struct {
	by   map[[2]uint64]int32 // the place of the newest
	ring [][]modelCall
	next int32 // the place that is written next
}

const callPiece = 1024

func (c *calls) at(place int32) *modelCall { return &c.ring[place/callPiece][place%callPiece] }

func (c *calls) newest(id [2]uint64) int32 {
	if place, ok := c.by[id]; ok {
		return place
	}
	return none
}

// of are the calls of an id, newest first.
func (c *calls) of(id [2]uint64) (list []*modelCall) {
	for place := c.newest(id); place != none; {
		k := c.at(place)
		list, place = append(list, k), k.older
	}
	return list
}

// learn adds a call or brings it up to date, and returns it.
func (c *calls) learn(m modelCall) *modelCall {
	if c.by == nil {
		c.by = make(map[[2]uint64]int32)
	}
	same, oldest := 0, (*modelCall)(nil)
	for place := c.newest(m.id); place != none; place = oldest.older {
		k := c.at(place)
		if k.run == m.run && k.step == m.step {
			k.start, k.end = min(k.start, m.start), max(k.end, m.end)
			if k.session == 0 {
				k.session = m.session
			}
			return k
		}
		same, oldest = same+1, k
	}
	if same >= maxSameID {
		c.forget(oldest)
	}
	place := c.next
	c.next = (c.next + 1) % maxKnownCalls
	if int(place/callPiece) == len(c.ring) {
		c.ring = append(c.ring, make([]modelCall, callPiece))
	}
	k := c.at(place)
	if k.known {
		c.forget(k)
	}
	*k = m
	k.known, k.older = true, c.newest(m.id)
	c.by[m.id] = place
	return k
}

// forget takes a call out of those of its id.
func (c *calls) forget(k *modelCall) {
	k.known = false
	place := c.by[k.id]
	if c.at(place) == k {
		if k.older == none {
			delete(c.by, k.id)
		} else {
			c.by[k.id] = k.older
		}
		return
	}
	for {
		newer := c.at(place)
		if c.at(newer.older) == k {
			newer.older = k.older
			return
		}
		place = newer.older
	}
}

var callSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// textOf stands for a text that is compared with others; 0 for none.
func textOf(s string) uint64 {
	if s == "" {
		return 0
	}
	return max(maphash.String(callSeeds[0], s), 1)
}

// half reports whether d, of the door, may be the call that s, of an SDK, tells,
// and how far apart they are.
func (d *modelCall) half(s *modelCall) (apart int64, ok bool) {
	switch {
	case !d.door || s.door || d.end < 0:
		return 0, false
	case d.trace != s.trace && !d.alone:
		return 0, false // the door was told another trace
	case d.team != 0 && s.team != 0 && d.team != s.team, d.env != 0 && s.env != 0 && d.env != s.env:
		return 0, false
	case d.trace != s.trace && d.session != 0 && s.session != 0 && d.session != s.session:
		return 0, false
	case !d.joined.IsZero() && d.joined != s.run:
		return 0, false // its other half is found
	}
	middle := d.start + (d.end-d.start)/2
	end := s.end
	if end < 0 {
		end = max(s.start, d.end)
	}
	if middle < s.start-callSkew || middle > end+callSkew {
		return 0, false
	}
	apart = middle - (s.start + (end-s.start)/2)
	return max(apart, -apart), true
}

// callOf is what a step says of its call; ok is false for a step that is none.
func (r *Reader) callOf(f *activity.Fragment, team string) (m modelCall, ok bool) {
	if f.ResponseID == "" || f.Kind != activity.KindModel && f.Kind != activity.KindEmbedding {
		return m, false
	}
	return modelCall{
		id:  [2]uint64{textOf(f.ResponseID), maphash.String(callSeeds[1], f.ResponseID)},
		run: f.Run, step: f.Step, trace: f.Trace, team: textOf(team), env: textOf(f.Environment),
		agent: textOf(f.Agent), session: textOf(f.Session), start: f.Start, end: f.End,
		door: f.Dialect == doorDialect, alone: f.Flags&activity.FlagAlone != 0,
	}, true
}

// pair looks for the other half of the call that a fragment told, and joins the
// two.
func (r *Reader) pair(ctx context.Context, f *activity.Fragment, team string, received int64) error {
	m, ok := r.callOf(f, team)
	if !ok {
		return nil
	}
	k := r.calls.learn(m)
	if !k.door {
		return r.pairSDK(ctx, k, received)
	}
	for _, s := range slices.Backward(r.calls.of(k.id)) {
		if !s.door {
			if err := r.pairSDK(ctx, s, received); err != nil {
				return err
			}
		}
	}
	return nil
}

// pairSDK joins an SDK's call with the nearest of the door's.
func (r *Reader) pairSDK(ctx context.Context, s *modelCall, received int64) error {
	if s.paired {
		return nil
	}
	var best *modelCall
	var least int64
	for place := r.calls.newest(s.id); place != none; {
		d := r.calls.at(place)
		if apart, ok := d.half(s); ok && (best == nil || apart <= least) { // of two as near the older
			best, least = d, apart
		}
		place = d.older
	}
	if best == nil {
		return nil
	}
	best.joined, s.paired = s.run, true
	return r.link(ctx, best, s, received)
}

// link folds into both steps what follows from their being one call.
func (r *Reader) link(ctx context.Context, d, s *modelCall, received int64) error {
	door, err := r.stepAt(ctx, d)
	if err != nil || door == nil {
		return err
	}
	told := *door // folding the other may move it
	sdk, err := r.stepAt(ctx, s)
	if err != nil || sdk == nil {
		return err
	}
	toDoor := activity.Link{TraceID: d.trace, SpanID: told.Span, Run: d.run, Step: d.step, Kind: activity.LinkSameCall}
	toSDK := activity.Link{TraceID: s.trace, SpanID: sdk.Span, Run: s.run, Step: s.step, Kind: activity.LinkSameCall}
	same := d.agent == s.agent
	ofDoor, ofSDK := blank(activity.SourceGateway), blank(activity.SourceSDK)
	ofDoor.Links, ofSDK.Links = []activity.Link{toSDK}, []activity.Link{toDoor}
	if same {
		ofDoor.Flags = activity.FlagJoined
	} else {
		ofSDK.Flags = activity.FlagJoined
	}
	if u := &sdk.Usage; u.Known() && told.Usage.Known() && (u.InputTotal != told.Usage.InputTotal || u.OutputTotal != told.Usage.OutputTotal) {
		ofSDK.Flags |= activity.FlagUsageMismatch
	}
	if err := r.amend(ctx, d, &ofDoor, received); err != nil {
		return err
	}
	if err := r.amend(ctx, s, &ofSDK, received); err != nil || !same {
		return err
	}
	figures := blank(activity.SourceGateway)
	figures.Usage, figures.TTFT, figures.DecisionID = told.Usage, told.TTFT, told.DecisionID
	figures.Provider, figures.ModelRequested, figures.Model = told.Provider, told.ModelRequested, told.Model
	return r.amend(ctx, s, &figures, received)
}

// blank is a fragment that says nothing yet.
func blank(source activity.Source) activity.Fragment {
	return activity.Fragment{
		Source: source, End: activity.Unknown, TTFT: activity.Unknown, Usage: activity.NoUsage, WholeFragment: true, OnlyContent: true,
	}
}

// stepAt is the fold of a call's step, in the current write; nil when there is
// none any more.
func (r *Reader) stepAt(ctx context.Context, m *modelCall) (*activity.Step, error) {
	l, err := r.find(ctx, m.run)
	if err != nil || l == nil {
		return nil, err
	}
	i := l.find(m.step)
	if i == none || !l.steps[i].is(bitSeen) {
		return nil, nil
	}
	return r.open(ctx, l, i)
}

// amend folds f into the step of a call.
func (r *Reader) amend(ctx context.Context, m *modelCall, f *activity.Fragment, received int64) error {
	f.Run, f.Step = m.run, m.step
	l, err := r.find(ctx, m.run)
	if err != nil || l == nil {
		return err
	}
	i := l.find(m.step)
	if i == none || !l.steps[i].is(bitSeen) {
		return nil
	}
	if err := r.join(ctx, l, i, &activity.Layer{Fragment: *f}, &activity.Batch{}, received); err != nil {
		return err
	}
	r.mark(l)
	return nil
}

// backLinks are links of spans to spans that have not come yet.
type backLinks struct {
	by    map[activity.StepID][]activity.Link
	queue []activity.StepID
}

const (
	maxBackLinks  = 8 << 10
	maxLinksAStep = 32
)

func (b *backLinks) put(to activity.StepID, from activity.Link) {
	if b.by == nil {
		b.by = make(map[activity.StepID][]activity.Link)
	}
	list, ok := b.by[to]
	if len(list) >= maxLinksAStep {
		return
	}
	if !ok {
		if b.queue = append(b.queue, to); len(b.queue) > maxBackLinks {
			delete(b.by, b.queue[0])
			b.queue = b.queue[1:]
		}
	}
	b.by[to] = append(list, from)
}

// answer lets the spans that f links to know of it: those in memory at once,
// those that come later when they come. A span that left memory is not brought
// back for it: the link can still be followed from here.
func (r *Reader) answer(ctx context.Context, f *activity.Fragment, team string, received int64) error {
	if len(r.back.by) > 0 {
		if list := r.back.by[f.Step]; len(list) > 0 {
			delete(r.back.by, f.Step)
			c := blank(activity.SourceSDK)
			c.Links = list
			if err := r.amend(ctx, &modelCall{run: f.Run, step: f.Step}, &c, received); err != nil {
				return err
			}
		}
	}
	for _, link := range f.Links {
		if link.Kind != activity.LinkSpan {
			continue
		}
		scope := activity.ScopeOf(team, f.Environment)
		to := modelCall{run: scope.RunOfTrace(link.TraceID), step: scope.StepOfSpan(link.TraceID, link.SpanID)}
		if to.step.IsZero() || to.run == f.Run {
			continue
		}
		back := activity.Link{TraceID: f.Trace, SpanID: f.Span, Run: f.Run, Step: f.Step, Kind: activity.LinkBack}
		if l := r.runs[to.run]; l == nil || l.find(to.step) == none || !l.steps[l.find(to.step)].is(bitSeen) {
			r.back.put(to.step, back)
			continue
		}
		c := blank(activity.SourceSDK)
		c.Links = []activity.Link{back}
		if err := r.amend(ctx, &to, &c, received); err != nil {
			return err
		}
	}
	return nil
}

// linksOf notes where a step's links lead.
func (l *live) linksOf(i int32, s *activity.Step) {
	for _, link := range s.Links {
		to := link.Run
		if link.Kind == activity.LinkSpan {
			to = activity.ScopeOf(s.Team, s.Environment).RunOfTrace(link.TraceID)
		}
		if to != s.Run && to != (activity.RunID{}) {
			l.notes = append(l.notes, note{i, noteLink, string(to[:]), string([]byte{byte(link.Kind)})})
		}
	}
}

// recallCalls and recallRuns bound which of the door's runs a new reader looks at
// again, for SDK's spans that were on their way while it was away.
const (
	recallCalls = 5 * time.Minute
	recallRuns  = 200
)

// recallAlone learns the calls that the door told of late without any trace
// context.
func (r *Reader) recallAlone(ctx context.Context) {
	page, err := r.o.Store.Runs(ctx, telemetry.RunsQuery{
		Filter: search.Is("flag", "alone"), From: r.o.Now().Add(-recallCalls), Limit: recallRuns,
	})
	for k := 0; k < len(page.Runs) && err == nil; k++ {
		var steps []activity.Step
		steps, err = r.o.Store.Steps(ctx, page.Runs[k].ID)
		r.mu.Lock()
		for i := range steps {
			r.recallCall(&steps[i])
		}
		r.mu.Unlock()
	}
	if err != nil && ctx.Err() == nil {
		r.o.Logger.Warn("calls of before the start are not known", "err", err)
	}
}

// recallCall learns the call of a stored step.
func (r *Reader) recallCall(s *activity.Step) {
	m, ok := r.callOf(&s.Fragment, s.Team)
	if !ok {
		return
	}
	for _, link := range s.Links {
		if link.Kind != activity.LinkSameCall {
			continue
		}
		if m.door {
			m.joined = link.Run
		} else {
			m.paired = true
		}
	}
	r.calls.learn(m)
}
