package run

import (
	"container/heap"
	"context"
	"time"

	"reeve/internal/activity"
)

// tick ends runs whose time has come and writes rows that are due.
//
//	active --quiet--> finished (done)
//	   |                 ^
//	   '--quiet--> idle -'--deadline--> finished (stale)
//	any --fragment--> active        any --memory short--> parked
func (r *Reader) tick(ctx context.Context, at time.Time) {
	now := at.UnixNano()
	for l := r.active.front; l != nil && now-l.updated >= int64(r.o.Quiet); l = r.active.front {
		l.unlink()
		row := r.row(l, now)
		if row.Status == activity.RunDone {
			r.mark(l)
			r.finished.push(l)
		} else {
			r.idle.push(l)
		}
	}
	for l := r.idle.front; l != nil && now-l.updated >= int64(r.o.Deadline); l = r.idle.front {
		r.expire(l, now)
	}
	for r.rows.due(now - int64(r.o.RowEvery)) {
		l := r.rows.pop()
		l.rowQueued = false
		if l.rowDirty && r.runs[l.id] == l {
			r.mark(l)
		}
	}
	for n := 0; n < maxRevived && r.parked.due(now); n++ {
		id := r.parked.pop()
		if r.runs[id] != nil {
			continue
		}
		l, err := r.find(ctx, id)
		if err != nil {
			return
		}
		if l == nil {
			continue
		}
		if now-l.updated >= int64(r.o.Deadline) || r.row(l, now).Status == activity.RunDone {
			r.expire(l, now)
		} else {
			l.unlink()
			r.parked.put(id, l.updated+int64(r.o.Deadline))
			r.finished.push(l) // it came back early and may leave again
			l.rowAt = 0        // its row may miss what came before a crash
			r.mark(l)
		}
	}
	r.trim(now)
}

// expire ends a run for whose news nobody waits any longer, or parks it while it
// waits for a person or a job.
func (r *Reader) expire(l *live, now int64) {
	l.unlink()
	r.finished.push(l)
	if r.row(l, now).Status == activity.RunWaiting && now-l.updated < int64(r.o.WaitDeadline) {
		r.parked.put(l.id, l.updated+int64(r.o.WaitDeadline))
	} else {
		l.ended = true
	}
	r.mark(l)
}

// maxRevived bounds how many parked runs one tick brings back.
const maxRevived = 64

// trim drops finished runs, and others while memory is short. A run leaves
// only when everything of it is in the store.
func (r *Reader) trim(now int64) {
	for l := r.finished.front; l != nil; {
		next := l.next
		if now-l.updated < int64(r.o.Linger) && r.bytes <= int64(r.o.MaxBytes) {
			break
		}
		switch {
		case !r.clean(l):
		case l.rowDirty && l.seen > 0:
			l.rowAt = 0
			r.mark(l)
		default:
			r.forget(l)
		}
		l = next
	}
	for _, q := range [...]*list{&r.idle, &r.active} {
		for l := q.front; l != nil && r.bytes > int64(r.o.MaxBytes); {
			next := l.next
			switch {
			case l.seen == 0:
				r.orphans.counts[l.id] += l.logs
				r.forget(l)
			case !r.clean(l):
			case l.rowDirty:
				l.rowAt = 0 // its row has to be written first
				r.mark(l)
			default:
				r.parked.put(l.id, l.updated+int64(r.o.Deadline))
				r.stats.Evicted++
				r.forget(l)
			}
			l = next
		}
	}
}

// clean reports whether the store has all of l, its row apart: that is made
// from the steps whenever the run comes back.
func (r *Reader) clean(l *live) bool {
	return !l.touched && l.written <= r.stored
}

// rowQueue are runs whose row waits to be written, in order of when they
// joined.
type rowQueue struct{ at []queuedRow }

type queuedRow struct {
	run *live
	at  int64
}

func (q *rowQueue) push(l *live, at int64) { q.at = append(q.at, queuedRow{l, at}) }

func (q *rowQueue) due(before int64) bool { return len(q.at) > 0 && q.at[0].at <= before }

func (q *rowQueue) pop() *live {
	l := q.at[0].run
	q.at[0] = queuedRow{}
	q.at = q.at[1:]
	return l
}

// parked are runs that left memory before they ended, by when they have to
// be looked at again.
type parked struct {
	heap  parkedHeap
	times map[activity.RunID]int64
}

// maxParked bounds them; beyond it the one that is due first is looked at
// early or, after a restart, again.
const maxParked = 1 << 20

func newParked() parked { return parked{times: make(map[activity.RunID]int64)} }

func (p *parked) put(id activity.RunID, due int64) {
	if _, ok := p.times[id]; !ok && len(p.times) >= maxParked {
		return
	}
	p.times[id] = due
	heap.Push(&p.heap, parkedRun{id, due})
}

func (p *parked) due(now int64) bool {
	for len(p.heap) > 0 {
		top := p.heap[0]
		if due, ok := p.times[top.id]; ok && due == top.due {
			return due <= now
		}
		heap.Pop(&p.heap) // parked again since, for another time
	}
	return false
}

func (p *parked) pop() activity.RunID {
	top := heap.Pop(&p.heap).(parkedRun)
	delete(p.times, top.id)
	return top.id
}

type parkedRun struct {
	id  activity.RunID
	due int64
}

type parkedHeap []parkedRun

func (h parkedHeap) Len() int           { return len(h) }
func (h parkedHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h parkedHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *parkedHeap) Push(v any) { *h = append(*h, v.(parkedRun)) }

// Pop is for container/heap.
func (h *parkedHeap) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}
