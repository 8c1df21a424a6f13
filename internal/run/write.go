package run

import (
	"context"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// write is a telemetry.Write that is being filled or appended.
type write struct {
	telemetry.Write
	number  uint32
	arena   arena
	refs    refs
	owners  []owner                   // whose step lies in each slot
	layers  map[int32]activity.Layers // of the slots that need them
	shares  map[shareKey]*share       // of the rollups
	blank   blankShares
	touched []*live   // runs to be counted when it is built
	oldest  int64     // received time of the first message in it; 0: none
	since   time.Time // when that was folded
}

// A write's room doubles from fewSteps on, which most writes stay below when little
// comes, and grows by moreSteps at most: the memory is used by one write after the
// other, and what is never filled (a write may be full of bytes first) would live
// as long.
const (
	fewSteps  = 16
	moreSteps = 2 << 10
)

type owner struct {
	run *live
	at  int32
}

func (r *Reader) begin() *write {
	r.number++
	w := r.spare
	r.spare = nil
	if w == nil {
		w = &write{layers: make(map[int32]activity.Layers), shares: make(map[shareKey]*share)}
	}
	w.number = r.number
	w.Partition = r.o.Partition
	return w
}

// recycle empties w for its next use.
func (w *write) recycle() {
	clear(w.Steps)
	clear(w.Messages)
	clear(w.Logs)
	clear(w.Metrics)
	clear(w.Runs)
	clear(w.owners)
	clear(w.touched)
	clear(w.layers)
	clear(w.shares)
	clear(w.Rollups) // they share their latencies with blank
	w.blank.reset()
	w.Write = telemetry.Write{
		Steps: w.Steps[:0], Messages: w.Messages[:0], Logs: w.Logs[:0], Metrics: w.Metrics[:0], Runs: w.Runs[:0], Rollups: w.Rollups[:0],
	}
	w.owners, w.touched = w.owners[:0], w.touched[:0]
	w.arena.reset()
	w.refs = refs{}
	w.oldest, w.since = 0, time.Time{}
}

func (w *write) full(o *Options) bool {
	return len(w.Steps) >= o.FlushSteps || w.arena.used >= o.FlushBytes ||
		len(w.Logs)+len(w.Metrics)+len(w.Messages) >= 4*o.FlushSteps
}

// work reports whether there is anything to append.
func (w *write) work() bool {
	return w.oldest != 0 || len(w.Steps)+len(w.Runs)+len(w.Logs)+len(w.Metrics)+len(w.Messages)+len(w.touched)+len(w.shares) > 0
}

// take adds an empty slot for a step of l.
func (w *write) take(l *live, at int32) int32 {
	slot := int32(len(w.Steps))
	if len(w.Steps) == cap(w.Steps) {
		w.Steps, w.owners = grown(w.Steps), grown(w.owners)
	}
	w.Steps = w.Steps[:slot+1] // empty: recycle left it so, or nobody ever wrote there
	w.owners = append(w.owners, owner{l, at})
	return slot
}

// grown has room for more.
func grown[T any](s []T) []T {
	return append(make([]T, 0, len(s)+min(max(len(s), fewSteps), moreSteps)), s...)
}

// open brings the fold of step i into the current write, from the write in
// flight, from those held in memory or from the store, as its next revision.
func (r *Reader) open(ctx context.Context, l *live, i int32) (*activity.Step, error) {
	st := &l.steps[i]
	if st.write == r.cur.number {
		return &r.cur.Steps[st.slot], nil
	}
	var from activity.Step
	switch {
	case r.inflight != nil && st.write == r.inflight.number:
		from = r.inflight.Steps[st.slot]
	default:
		if s := r.held.take(st.id); s != nil {
			r.stats.Held++
			from = *s
			break
		}
		s, err := r.fetch(ctx, l, st.id)
		if err != nil {
			return nil, err
		}
		st = &l.steps[i]
		from = *s
	}
	slot := r.cur.take(l, i)
	s := &r.cur.Steps[slot]
	*s = from
	st.revision = max(st.revision, s.Revision) + 1
	s.Revision = st.revision
	st.slot, st.write = slot, r.cur.number
	r.mark(l)
	return s, nil
}

// commits appends one write after the other. When ctx ends it writes what is
// there, for at most a few seconds.
func (r *Reader) commits(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-r.wake:
			r.commit(ctx, false)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	r.commit(last, true)
	close(r.observing)
}

// commit builds and appends the current write if it is due.
func (r *Reader) commit(ctx context.Context, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	due := all || r.cur.full(&r.o) || r.o.Now().Sub(r.cur.since) >= r.o.FlushEvery
	if !due || !r.cur.work() {
		// Every tick comes here: what the last write left is trimmed when nothing
		// follows it.
		if cursor := r.done; cursor > r.trimmed {
			r.mu.Unlock()
			r.trimLog(ctx, cursor, all)
			r.mu.Lock()
		}
		return
	}
	began := r.o.Stages.Begin()
	err := r.build(ctx)
	r.o.Stages.End(telemetry.StageRuns, began)
	if err != nil {
		return // ctx ended while the store refused; the log still has it all
	}
	w := r.cur
	r.inflight, r.cur = w, r.begin()
	r.changed.Broadcast()
	r.mu.Unlock()
	_, err = retry(ctx, r, "appending", func() (struct{}, error) {
		err := r.o.Store.Append(ctx, &w.Write)
		if err != nil {
			r.mu.Lock()
			r.stats.Failures++
			r.failing = err
			r.mu.Unlock()
		}
		return struct{}{}, err
	})
	if err == nil {
		r.trimLog(ctx, w.Cursor, all)
	}
	r.mu.Lock()
	if err != nil {
		return // the process ends; inflight stays, so nobody takes it for stored
	}
	r.failing = nil
	r.stats.Writes++
	r.stats.Steps += int64(len(w.Steps))
	r.stats.Messages += int64(len(w.Messages))
	r.stats.Rows += int64(len(w.Runs))
	r.stored, r.done = w.number, w.Cursor
	r.forgetSettled()
	r.inflight = nil
	r.hold(w)
	r.changed.Broadcast()
	if r.o.Observe == nil {
		r.reuse(w)
		return
	}
	r.mu.Unlock()
	r.observing <- w // waits for the one before: memory holds one such write
	r.mu.Lock()
}

// trimEvery is how often the log is trimmed at most: each time it writes the block
// anew that the cursor stands in.
const trimEvery = 2 * time.Second

// trimLog deletes what is stored from the log, unless that was done just now.
func (r *Reader) trimLog(ctx context.Context, cursor uint64, now bool) {
	if at := r.o.Now(); now || at.Sub(r.trimmedAt) >= trimEvery {
		r.trimmedAt = at
		// What the log keeps too long costs space only; the next time tries again.
		if err := r.o.Log.DeleteThrough(ctx, cursor); err == nil {
			r.trimmed = cursor
		} else if ctx.Err() == nil {
			r.o.Logger.Warn("log not trimmed", "err", err)
		}
	}
}

// reuse keeps the memory of a write that nobody looks at any more. r.mu is held.
func (r *Reader) reuse(w *write) {
	w.recycle()
	r.spare = w
}

// observe shows one write after the other to who looks at what was stored, while
// the next is appended.
func (r *Reader) observe() {
	for w := range r.observing {
		r.o.Observe(&w.Write)
		r.mu.Lock()
		r.reuse(w)
		r.mu.Unlock()
	}
}

// build completes the current write: what counts is decided anew for every
// run that changed, and rows and rollups follow. It may be called again after
// an error.
func (r *Reader) build(ctx context.Context) error {
	w := r.cur
	now := r.o.Now().UnixNano()
	for k := 0; k < len(w.touched); k++ { // recount may touch no run but this one
		if err := r.recount(ctx, w.touched[k]); err != nil {
			return err
		}
	}
	for _, l := range w.touched {
		row := r.row(l, now)
		r.contribute(l, &row)
		if l.seen > 0 {
			// What comes after the end is written at once: nobody will look at
			// the run again after a crash.
			over := l.status == activity.RunDone || l.status == activity.RunStale
			if l.rowAt == 0 || over || row.Status != l.status || now-l.rowAt >= int64(r.o.RowEvery) {
				r.writeRow(l, &row, now)
			} else if !l.rowQueued {
				l.rowQueued = true
				r.rows.push(l, now)
			}
		}
		l.touched = false
		l.written = w.number
		r.weigh(l)
	}
	clear(w.touched)
	w.touched = w.touched[:0]
	for slot := range w.Steps {
		s, o := &w.Steps[slot], w.owners[slot]
		st := &o.run.steps[o.at]
		s.Call, s.Counted = st.is(bitCall), st.is(bitCounted)
		if st.is(bitCycle) {
			s.Flags |= activity.FlagCycle
		} else {
			s.Flags &^= activity.FlagCycle
		}
		if ls, ok := w.layers[int32(slot)]; ok {
			s.Layers = activity.AppendLayers(nil, ls, s)
		}
	}
	w.Rollups = appendRollups(w.Rollups[:0], w.shares)
	w.Cursor = r.seq
	w.Received = max(r.received, 1)
	return nil
}

// recount decides which steps of l count, and opens those whose answer changed.
func (r *Reader) recount(ctx context.Context, l *live) error {
	const decided = bitCall | bitCounted | bitCycle
	var wrong []int32
	var want []uint16
	r.counter.count(l, func(i int32, bits uint16) {
		if l.steps[i].bits&decided != bits {
			wrong, want = append(wrong, i), append(want, bits)
		}
	})
	for k, i := range wrong {
		if l.steps[i].is(bitSeen) {
			if _, err := r.open(ctx, l, i); err != nil {
				return err
			}
		}
		r.retract(l, i)
		st := &l.steps[i]
		st.bits = st.bits&^decided | want[k]
	}
	return nil
}

func (r *Reader) writeRow(l *live, row *activity.Run, now int64) {
	l.revision++
	row.Revision = l.revision
	r.cur.Runs = append(r.cur.Runs, *row)
	l.rowAt, l.rowDirty, l.status = now, false, row.Status
}

// touch notes that a fragment of l came.
func (r *Reader) touch(l *live, received int64) {
	l.updated = max(l.updated, received)
	if l.received == 0 || received < l.received {
		l.received = received
	}
	l.ended = false
	r.mark(l)
	if r.active.back != l {
		l.unlink()
		r.active.push(l)
	}
}

// mark notes that l changed: it is counted when the write is built.
func (r *Reader) mark(l *live) {
	l.rowDirty = true
	if !l.touched {
		l.touched = true
		r.cur.touched = append(r.cur.touched, l)
		if r.cur.since.IsZero() {
			r.cur.since = r.o.Now()
		}
	}
	if !l.noted && r.o.Notify != nil {
		l.noted = true
		r.dirty = append(r.dirty, l)
	}
}

// weigh brings the account of memory up to date.
func (r *Reader) weigh(l *live) {
	n := l.estimate()
	r.bytes += int64(n - l.size)
	l.size = n
}

// held keeps stored steps of which more is expected soon: pending ones, those
// known only by log records, and model calls that came without content. Its
// size is bounded; what falls out comes back from the store.
type held struct {
	limit, bytes int
	steps        map[activity.StepID]*heldStep
	queue        []*heldStep
}

type heldStep struct {
	step activity.Step
	size int
	gone bool
}

func (h *held) take(id activity.StepID) *activity.Step {
	s := h.steps[id]
	if s == nil {
		return nil
	}
	delete(h.steps, id)
	s.gone = true
	h.bytes -= s.size
	return &s.step
}

func (h *held) put(s *heldStep) {
	h.take(s.step.Step)
	h.steps[s.step.Step] = s
	h.queue = append(h.queue, s)
	h.bytes += s.size
	for h.bytes > h.limit || len(h.queue) > 2*len(h.steps)+64 {
		first := h.queue[0]
		h.queue[0] = nil
		h.queue = h.queue[1:]
		if !first.gone {
			h.take(first.step.Step)
		}
	}
}

// hold keeps those steps of a stored write that will probably be asked for.
func (r *Reader) hold(w *write) {
	for slot := range w.Steps {
		s, o := &w.Steps[slot], w.owners[slot]
		if o.run.steps[o.at].write != w.number || !unfinished(s) {
			continue
		}
		if r.runs[s.Run] != o.run {
			continue
		}
		r.held.put(keep(s))
	}
}

func unfinished(s *activity.Step) bool {
	return !s.WholeFragment || s.OnlyContent || s.Kind == activity.KindModel && len(s.Refs) == 0
}

// keep is a copy of s whose text lies in one piece of memory of its own.
func keep(s *activity.Step) *heldStep {
	h := &heldStep{step: *s}
	a := arena{}
	c := &h.step
	texts := [...]*string{
		&c.Name, &c.StatusMessage, &c.ErrorType, &c.Agent, &c.AgentID, &c.AgentVersion, &c.Service, &c.Environment, &c.Task,
		&c.RunName, &c.Session, &c.User, &c.Mode, &c.Outcome, &c.Provider, &c.ModelRequested, &c.Model, &c.ResponseID,
		&c.FinishReason, &c.ToolName, &c.ToolCallID, &c.DecisionID, &c.Dialect, &c.Scope, &c.ScopeVersion,
		&c.ReportedCost.Currency, &c.ReportedCost.Price,
	}
	raws := [...]*[]byte{&c.Attributes, &c.Resource, &c.Events, &c.ScopeAttribute, &c.Layers}
	n := 0
	for _, p := range texts {
		n += len(*p)
	}
	for _, p := range raws {
		n += len(*p)
	}
	a.chunk = make([]byte, 0, n)
	for _, p := range texts {
		*p = a.text(*p)
	}
	for _, p := range raws {
		if len(*p) > 0 {
			b := []byte(nil)
			at := len(a.chunk)
			a.chunk = append(a.chunk, *p...)
			b = a.chunk[at:len(a.chunk):len(a.chunk)]
			*p = b
		}
	}
	c.Tags, c.Labels = slices.Clone(c.Tags), slices.Clone(c.Labels)
	for i := range c.Tags {
		c.Tags[i] = string([]byte(c.Tags[i]))
	}
	c.Refs = slices.Clone(c.Refs) // those of the write lie beside those of others
	for i := range c.Refs {
		c.Refs[i].Messages = string([]byte(c.Refs[i].Messages))
	}
	for i := range c.Labels {
		c.Labels[i] = activity.Label{Key: string([]byte(c.Labels[i].Key)), Value: string([]byte(c.Labels[i].Value))}
	}
	h.size = n + 1600 // the struct, its place in map and queue
	return h
}
