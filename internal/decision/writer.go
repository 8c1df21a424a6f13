package decision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/fault"
)

const (
	// maxBatch bounds a message: records of a batch share its fate.
	maxBatch      = 2000
	maxBatchBytes = 1 << 20
	// writeTimeout is how long a call waits for its record; the disk needs some
	// milliseconds at most.
	writeTimeout = 2 * time.Second
	// pause is how long calls are refused at once after a write that was not
	// answered, and how long completions wait before they are tried again.
	pause = time.Second
	// aliveEvery is the time between records that say only that the log lives, so
	// that a log that was silenced differs from a quiet one.
	aliveEvery = time.Minute
	// gather is how long completions wait for company when no proposal comes.
	gather = 5 * time.Millisecond
)

// writer is the end of the chain.
type writer struct {
	last    uint64      // message of the stream
	seq     int64       // next record
	prev    record.Hash // leaf of seq-1
	at      int64       // µs of seq-1: time never runs back in the log
	unsure  bool        // the last write failed: it may still have been stored
	records atomic.Int64
	lines   []byte // of the batch at hand
	extra   []byte
	leaves  []record.Hash
	told    []told
}

// link writes e as the next record.
func (w *writer) link(name string, e *entry, now int64) {
	w.at = max(w.at, now)
	r := record.Record{Log: name, Seq: w.seq, At: w.at, Prev: w.prev, Kind: e.kind, Body: e.body}
	start := len(w.lines)
	w.lines = r.Append(w.lines)
	w.prev = record.Leaf(w.lines[start:])
	w.lines = append(w.lines, '\n')
	w.leaves, w.told = append(w.leaves, w.prev), append(w.told, e.told)
	if !e.content.empty() {
		e.content.seq = w.seq
		w.extra = e.content.append(w.extra)
	}
	e.content.seq = w.seq
	w.seq++
}

// Run writes what is proposed and completed until ctx ends; then it refuses new
// proposals, writes what waits, and returns.
func (l *Log) Run(ctx context.Context) error {
	var keeper sync.WaitGroup
	keep, endKeep := context.WithCancel(context.WithoutCancel(ctx))
	defer keeper.Wait()
	defer endKeep() // after the last write, so that all of it is kept
	keeper.Go(func() { l.keep(keep) })
	return l.run(ctx)
}

func (l *Log) run(ctx context.Context) error {
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	writes := context.WithoutCancel(ctx) // a write that was begun is finished
	for {
		select {
		case <-ctx.Done():
			return l.finish(writes)
		case <-alive.C:
			l.push(l.alive())
		case <-l.wake:
			if err := l.drain(writes); err != nil {
				l.close(err)
				return err
			}
		}
	}
}

func (l *Log) alive() *entry {
	s := l.Stats()
	o := open(nil)
	o.known("open", s.Open)
	o.known("refused", s.Refused)
	return &entry{kind: KindAlive, body: o.end()}
}

// finish is the orderly end: whoever still waits gets an answer.
func (l *Log) finish(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := l.drain(ctx)
	l.close(errors.New("the log is closed"))
	return err
}

// close refuses what waits and all that comes.
func (l *Log) close(cause error) {
	l.mu.Lock()
	l.closed = true
	waiting := l.queue
	l.queue = nil
	l.mu.Unlock()
	for _, e := range waiting {
		e.answer(notRecorded(cause))
	}
}

// drain writes until nothing waits, or a write failed. Its error is one after
// which the log cannot go on.
func (l *Log) drain(ctx context.Context) error {
	if l.w.unsure {
		if err := l.resync(ctx); err != nil {
			l.failed(l.take(), err)
			return forked(err)
		}
	}
	for {
		l.rest(ctx)
		batch := l.take()
		if len(batch) == 0 {
			return nil
		}
		if err := l.write(ctx, batch); err != nil {
			return forked(err)
		}
	}
}

// forked keeps the one error after which no write makes sense.
func forked(err error) error {
	if errors.Is(err, errForked) {
		return err
	}
	return nil
}

// rest lets completions gather while nobody waits for an answer: one message
// for many of them.
func (l *Log) rest(ctx context.Context) {
	l.mu.Lock()
	alone := !l.closed && len(l.queue) > 0 && len(l.queue) < maxBatch/2 && !slices.ContainsFunc(l.queue, func(e *entry) bool { return e.done != nil })
	l.mu.Unlock()
	if !alone {
		return
	}
	t := time.NewTimer(gather)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return
		case <-ctx.Done():
			return
		case <-l.wake:
			l.mu.Lock()
			asked := slices.ContainsFunc(l.queue, func(e *entry) bool { return e.done != nil })
			l.mu.Unlock()
			if asked {
				return
			}
		}
	}
}

// take is the next batch, what was given back first.
func (l *Log) take() []*entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.later) > 0 {
		l.queue = append(l.later, l.queue...)
		l.later = nil
	}
	n, size := 0, 0
	for n < len(l.queue) && n < maxBatch && size < maxBatchBytes {
		size += len(l.queue[n].body) + len(l.queue[n].content.context)
		n++
	}
	batch := slices.Clone(l.queue[:n])
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	return batch
}

// write chains a batch and publishes it as one message. After a failure the
// chain is as before, proposals are refused and completions wait.
func (l *Log) write(ctx context.Context, batch []*entry) error {
	batch = slices.DeleteFunc(batch, func(e *entry) bool { return e.state.Load() == stateAbandoned })
	if len(batch) == 0 {
		return nil
	}
	w := &l.w
	seq, prev, at := w.seq, w.prev, w.at
	w.lines, w.extra, w.leaves, w.told = w.lines[:0], w.extra[:0], w.leaves[:0], w.told[:0]
	now := l.o.Now().UnixMicro()
	for _, e := range batch {
		w.link(l.name, e, now)
	}
	wctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	last, err := l.o.Stream.PublishAfter(wctx, w.last, w.lines, w.extra)
	if err != nil {
		w.seq, w.prev, w.at, w.unsure = seq, prev, at, true
		l.failed(batch, err)
		return err
	}
	w.last = last
	l.settle(batch) // first: the keeper saves what is open with what it finds in the ring
	l.ring.put(chunk{
		msg: last, first: seq, next: w.seq, at: w.at,
		lines: slices.Clone(w.lines), extra: slices.Clone(w.extra), leaves: slices.Clone(w.leaves), told: slices.Clone(w.told),
	})
	clear(w.told)
	w.records.Store(w.seq)
	l.written(batch)
	return nil
}

// settle notes what a batch that was stored opened and ended. openNow may be newer
// than the records that it is saved with, and never older: a start would end what
// has ended, and leave open what was opened.
func (l *Log) settle(batch []*entry) {
	l.stats.batches.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing {
		l.failing = false
		l.o.Logger.Info("decisions are recorded again", "refused", l.stats.refused.Load())
	}
	for _, e := range batch {
		switch {
		case e.kind == KindProposed:
			l.stats.proposed.Add(1)
			if e.open {
				l.opened[e.id] = opened{seq: e.content.seq}
			}
		case e.kind == KindCompleted:
			l.stats.completed.Add(1)
			delete(l.opened, e.id)
		}
	}
}

// written tells everybody that their record is durable.
func (l *Log) written(batch []*entry) {
	for _, e := range batch {
		if !e.answer(nil) && e.open {
			l.give(e.id, activity.ResultCut, "decision.abandoned")
		}
	}
}

// give completes an open decision whose caller is not there to do it.
func (l *Log) give(id string, r activity.Result, code string) {
	if seq, ok := l.ending(id); ok {
		l.push(&entry{kind: KindCompleted, id: id, body: appendLost(nil, id, seq, l.o.Now().UnixNano(), r, code)})
	}
}

// failed refuses the proposals of a batch, and those that wait behind it, and
// keeps the rest for later.
func (l *Log) failed(batch []*entry, err error) {
	l.mu.Lock()
	batch = append(batch, l.queue...)
	l.queue = nil
	if !l.failing {
		l.failing = true
		l.o.Logger.Error("decisions cannot be recorded: actions are refused", "err", err)
	}
	for _, e := range batch {
		if e.done == nil {
			l.later = append(l.later, e)
		}
	}
	// A log that did not answer would keep each caller for the whole timeout.
	if errors.Is(err, context.DeadlineExceeded) {
		l.expects = l.o.Now().Add(pause)
	}
	l.mu.Unlock()
	for _, e := range batch {
		if e.done != nil {
			e.answer(notRecorded(err))
		}
	}
	time.AfterFunc(pause, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.signal()
	})
}

// errForked means that somebody else wrote to our stream.
var errForked = errors.New("the log was written by another")

// resync finds out what became of a write that failed. A batch that was stored
// after all is part of the chain; its proposals were refused, so they end as
// denied.
func (l *Log) resync(ctx context.Context) error {
	st, err := l.o.Stream.Stats(ctx)
	if err != nil {
		return err
	}
	var refused []string
	err = l.o.Stream.ReadThrough(ctx, l.w.last+1, st.LastSeq, func(seq uint64, _ time.Time, payloads [][]byte) error {
		c, err := chunkOf(seq, payloads)
		if err != nil {
			return err
		}
		err = l.adopt(seq, payloads, func(r *record.Record) error {
			switch r.Kind {
			case KindProposed:
				d, _, err := readProposed(r.Body)
				if err != nil {
					return err
				}
				if d.Result == activity.ResultPending {
					refused = append(refused, d.ID)
					l.mu.Lock()
					l.opened[d.ID] = opened{seq: r.Seq}
					l.mu.Unlock()
				}
			case KindCompleted:
				var d activity.Decision
				o, err := readCompleted(r.Body, &d)
				if err != nil {
					return err
				}
				l.forget(o.id)
			}
			return nil
		})
		if err == nil {
			l.ring.put(c)
		}
		return err
	})
	if err != nil {
		return err
	}
	l.w.unsure = false
	for _, id := range refused {
		l.give(id, activity.ResultDenied, "decision.not_recorded")
	}
	return nil
}

// forget drops a completion that was stored although its write failed.
func (l *Log) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.opened, id)
	l.later = slices.DeleteFunc(l.later, func(e *entry) bool { return e.kind == KindCompleted && e.id == id })
}

// adopt makes a message that is in the stream the end of the chain.
func (l *Log) adopt(seq uint64, payloads [][]byte, each func(*record.Record) error) error {
	if len(payloads) != 2 {
		return fmt.Errorf("%w: message %d has %d parts", errForked, seq, len(payloads))
	}
	w := &l.w
	for line := range lines(payloads[0]) {
		r, err := record.Parse(line)
		if err != nil {
			return fmt.Errorf("%w: message %d: %v", errForked, seq, err)
		}
		if r.Log != l.name || r.Seq != w.seq || (r.Seq > 0 && r.Prev != w.prev) {
			return fault.New(fault.KindInternal, "decision.forked", "record %d of %s does not follow record %d of %s", r.Seq, r.Log, w.seq-1, l.name).
				WithHint("run reeve audit verify").WithCause(errForked)
		}
		if err := each(&r); err != nil {
			return err
		}
		w.seq, w.prev, w.at = w.seq+1, record.Leaf(line), r.At
	}
	w.last = seq
	w.records.Store(w.seq)
	return nil
}
