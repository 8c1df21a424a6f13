package run

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// find is the run in memory, brought back from the store if that has it; nil
// when nobody knows it.
func (r *Reader) find(ctx context.Context, id activity.RunID) (*live, error) {
	if r.last != nil && r.last.id == id {
		return r.last, nil
	}
	if l := r.runs[id]; l != nil {
		r.last = l
		return l, nil
	}
	if !r.o.Store.HasRun(id) {
		return nil, nil
	}
	return r.reload(ctx, id)
}

func (r *Reader) add(id activity.RunID, received int64) *live {
	l := &live{id: id, received: received, logs: r.orphans.take(id)}
	r.runs[id] = l
	r.last = l
	r.active.push(l)
	return l
}

// forget drops a run from memory.
func (r *Reader) forget(l *live) {
	l.unlink()
	delete(r.runs, l.id)
	r.bytes -= int64(l.size)
	l.size = 0
	if r.last == l {
		r.last = nil
	}
}

// reload rebuilds a run from what the store has of it.
func (r *Reader) reload(ctx context.Context, id activity.RunID) (*live, error) {
	row, err := retry(ctx, r, "reading a run", func() (*activity.Run, error) {
		row, err := r.o.Store.Run(ctx, id)
		if fault.Is(err, fault.KindNotFound) {
			return nil, nil
		}
		return row, err
	})
	if err != nil || row == nil {
		return nil, err
	}
	steps, err := retry(ctx, r, "reading the steps of a run", func() ([]activity.Step, error) { return r.o.Store.Steps(ctx, id) })
	if err != nil {
		return nil, err
	}
	logs := row.Logs
	if row.Status == activity.RunRunning || row.Status == activity.RunWaiting {
		// The row may be older than the last records; what came since counts.
		if logs, err = r.countLogs(ctx, id, logs); err != nil {
			return nil, err
		}
	}
	r.stats.Reloads++
	l := r.add(id, row.Received)
	l.updated, l.logs, l.revision, l.rowAt, l.status = row.Updated, logs+r.orphans.take(id), row.Revision, row.Updated, row.Status
	l.stored = true
	l.ended = row.Status == activity.RunStale
	r.recallSettled(l, row)
	slices.SortFunc(steps, func(a, b activity.Step) int { return compareIDs(a.Step, b.Step) })
	for k := range steps {
		s := &steps[k]
		i := l.place(s.Step)
		st := &l.steps[i]
		st.set(bitSeen, true)
		st.revision = s.Revision
		l.seen++
		cost := s.Cost
		r.settle(l, i, s)
		s.Cost = cost
		l.restore(r.names, i, s)
		l.addTrace(s.Trace)
		r.recallCall(s)
	}
	// What the rollups hold of this run follows from the stored steps alone.
	sum := r.row(l, row.Updated)
	l.account = account{
		r.names.get(sum.Agent), r.names.get(sum.Team), r.names.get(sum.Environment), sum.Start / minute, l.counts(&sum),
	}
	r.weigh(l)
	if r.rerating {
		r.reread = steps
	}
	return l, nil
}

// restore takes over what the stored step says of counting and cost, rather
// than deciding it anew: it is what the rollups were given.
func (l *live) restore(n *names, i int32, s *activity.Step) {
	st := &l.steps[i]
	st.set(bitCall, s.Call)
	st.set(bitCounted, s.Counted)
	st.set(bitCycle, s.Flags&activity.FlagCycle != 0)
	st.flags = s.Flags &^ activity.FlagCycle
	st.set(bitContributed, true)
	if st.usage != none {
		// The currency, too: today's price book may have another, or no price.
		l.usages[st.usage].costs(l, n, s.Cost)
	}
}

func compareIDs(a, b activity.StepID) int { return slices.Compare(a[:], b[:]) }

// maxCounted bounds how many records of a run are counted again.
const maxCounted = 10_000

func (r *Reader) countLogs(ctx context.Context, id activity.RunID, atLeast int64) (int64, error) {
	page, err := retry(ctx, r, "counting the records of a run", func() (telemetry.LogsPage, error) {
		return r.o.Store.Logs(ctx, telemetry.LogsQuery{Run: id, Limit: maxCounted})
	})
	return max(atLeast, int64(len(page.Logs))), err
}

// fetch reads one step of a run from the store.
func (r *Reader) fetch(ctx context.Context, l *live, id activity.StepID) (*activity.Step, error) {
	s, err := retry(ctx, r, "reading a step", func() (*activity.Step, error) {
		s, err := r.o.Store.Step(ctx, l.id, id)
		if fault.Is(err, fault.KindNotFound) {
			return nil, nil
		}
		return s, err
	})
	if err != nil {
		return nil, err
	}
	r.stats.Reloads++
	if s != nil {
		return s, nil
	}
	// Gone by retention: what comes now starts it anew, above the old revision.
	return &activity.Step{Fragment: activity.Fragment{
		Run: l.id, Step: id, Start: 0, End: activity.Unknown, TTFT: activity.Unknown, Usage: activity.NoUsage, WholeFragment: true,
	}}, nil
}

// loadWords makes sure that the run's messages are known before content of it
// is split.
func (r *Reader) loadWords(ctx context.Context, l *live) error {
	if l.words != nil {
		return nil
	}
	if !l.stored {
		l.words = &words{}
		return nil
	}
	rows, err := retry(ctx, r, "reading the messages of a run", func() ([]activity.Message, error) { return r.o.Store.Messages(ctx, l.id, nil) })
	if err != nil {
		return err
	}
	w := &words{}
	for k := range rows {
		// Retention may have taken some: their places stay empty.
		for int32(len(w.hashes)) <= rows[k].Ordinal {
			w.hashes = append(w.hashes, 0)
		}
		w.hashes[rows[k].Ordinal] = binary.LittleEndian.Uint64(rows[k].Hash[:])
	}
	if len(w.hashes) > scanHashes {
		w.index = make(map[uint64]int32, len(w.hashes))
		for i, h := range w.hashes {
			w.index[h] = int32(i)
		}
	}
	l.words = w
	return nil
}

// resume parks the runs that had not ended when the last reader stopped, so
// that they end in time, and recalls the records of late.
func (r *Reader) resume(ctx context.Context) error {
	r.recall(ctx)
	r.recallAlone(ctx)
	for _, status := range []string{"running", "waiting"} {
		q := telemetry.RunsQuery{Filter: &search.Cmp{Field: "status", Op: ":", Values: []string{status}}, Limit: 1000}
		for n := 0; n < maxParked/1000; n++ {
			page, err := retry(ctx, r, "reading unfinished runs", func() (telemetry.RunsPage, error) { return r.o.Store.Runs(ctx, q) })
			if err != nil {
				return err
			}
			r.mu.Lock()
			for k := range page.Runs {
				row := &page.Runs[k]
				due := row.Updated + int64(r.o.Quiet)
				if row.Status == activity.RunWaiting {
					due = row.Updated + int64(r.o.WaitDeadline)
				}
				r.parked.put(row.ID, due)
			}
			r.mu.Unlock()
			if q.Cursor = page.Next; page.Next == "" {
				break
			}
		}
	}
	return nil
}

// Which stored records a new reader knows again.
const (
	recallAge   = time.Hour
	recallPage  = 1000
	recallPages = 4
)

// recall learns the newest stored log records and metric points, which have no
// ids, so that a sender whose answer a crash took, and that sends again, does
// not store them twice. It looks back recallAge by their own time and at most
// recallPages pages: what is older or more may be doubled by such a resend.
func (r *Reader) recall(ctx context.Context) {
	from := r.o.Now().Add(-recallAge)
	lq := telemetry.LogsQuery{From: from, Limit: recallPage}
	mq := telemetry.MetricsQuery{From: from, Limit: recallPage}
	var hashes []uint64
	var err error
	for n := 0; n < recallPages && err == nil && (n == 0 || lq.Cursor != ""); n++ {
		var page telemetry.LogsPage
		page, err = r.o.Store.Logs(ctx, lq)
		for k := range page.Logs {
			hashes = append(hashes, logHash(&page.Logs[k]))
		}
		lq.Cursor = page.Next
	}
	for n := 0; n < recallPages && err == nil && (n == 0 || mq.Cursor != ""); n++ {
		var page telemetry.MetricsPage
		page, err = r.o.Store.Metrics(ctx, mq)
		for k := range page.Points {
			hashes = append(hashes, pointHash(&page.Points[k]))
		}
		mq.Cursor = page.Next
	}
	if err != nil && ctx.Err() == nil {
		// A resend may then be stored twice; that is no reason not to read on.
		r.o.Logger.Warn("records of before the start are not known", "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range hashes {
		r.records.add(h)
	}
}

// orphanLogs counts records of runs that have no step yet. It is bounded: of
// traces that never become runs nothing needs to be known.
type orphanLogs struct{ counts map[activity.RunID]int64 }

const maxOrphans = 32 << 10

func (o *orphanLogs) add(id activity.RunID) {
	if len(o.counts) >= maxOrphans {
		clear(o.counts)
	}
	o.counts[id]++
}

func (o *orphanLogs) take(id activity.RunID) int64 {
	n := o.counts[id]
	if n > 0 {
		delete(o.counts, id)
	}
	return n
}
