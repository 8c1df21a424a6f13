package run

import (
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/search"
)

// Live reads what memory knows of a run: its row as it stands now, and those
// steps and messages that the store does not have yet (they replace the
// store's of the same id). ok is false for a run that is not in memory, which
// the store then knows in full. The result is the caller's to keep, not to
// write to.
func (r *Reader) Live(id activity.RunID) (row *activity.Run, steps []activity.Step, messages []activity.Message, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.runs[id]
	if l == nil || l.seen == 0 {
		return nil, nil, nil, false
	}
	run := r.row(l, r.o.Now().UnixNano())
	steps, messages = r.unstored(l)
	return &run, steps, messages, true
}

// LiveRun is Live for the row alone, which is much cheaper.
func (r *Reader) LiveRun(id activity.RunID) (*activity.Run, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.runs[id]
	if l == nil || l.seen == 0 {
		return nil, false
	}
	run := r.row(l, r.o.Now().UnixNano())
	return &run, true
}

// unstored are the steps and messages of l that are not in the store yet.
func (r *Reader) unstored(l *live) (steps []activity.Step, messages []activity.Message) {
	for i := range l.steps {
		st := &l.steps[i]
		if s := r.pending(st); s != nil {
			c := *s
			c.Call, c.Counted = st.is(bitCall), st.is(bitCounted)
			steps = append(steps, c)
		}
	}
	for _, w := range []*write{r.inflight, r.cur} {
		if w == nil || l.written < w.number && !l.touched {
			continue
		}
		for k := range w.Messages {
			if w.Messages[k].Run == l.id {
				messages = append(messages, w.Messages[k])
			}
		}
	}
	return steps, messages
}

// pending is the step's fold while a write holds it.
func (r *Reader) pending(st *step) *activity.Step {
	switch {
	case !st.is(bitSeen):
	case st.write == r.cur.number:
		return &r.cur.Steps[st.slot]
	case r.inflight != nil && st.write == r.inflight.number:
		return &r.inflight.Steps[st.slot]
	}
	return nil
}

// LiveRuns are the runs in memory whose row is newer than the store's and that
// fulfil filter (nil: all of them). Predicates over steps see only those steps
// that the store does not have yet. Order is by start, newest first.
func (r *Reader) LiveRuns(filter search.Expr) []activity.Run {
	// The lock is taken in short spells, so that folding goes on beside a
	// search over many runs.
	r.mu.Lock()
	ids := make([]activity.RunID, 0, 256)
	for id, l := range r.runs {
		if l.seen > 0 && (l.rowDirty || l.written > r.stored) {
			ids = append(ids, id)
		}
	}
	r.mu.Unlock()
	now := r.o.Now()
	var out []activity.Run
	for chunk := range slices.Chunk(ids, 128) {
		r.mu.Lock()
		for _, id := range chunk {
			l := r.runs[id]
			if l == nil {
				continue
			}
			run := r.row(l, now.UnixNano())
			if filter != nil {
				ok, err := search.MatchAt(filter, now, &run, func() []activity.Step {
					steps, _ := r.unstored(l)
					return steps
				})
				if err != nil || !ok {
					continue
				}
			}
			out = append(out, run)
		}
		r.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b activity.Run) int {
		switch {
		case a.Start > b.Start:
			return -1
		case a.Start < b.Start:
			return 1
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return out
}

// Lag is how long ago the oldest message that was read and is not yet stored
// came in; 0 when all are stored. The error is the store's last refusal, nil
// when it accepts.
func (r *Reader) Lag() (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.cur.oldest
	if r.inflight != nil && r.inflight.oldest != 0 {
		oldest = r.inflight.oldest
	}
	if oldest == 0 {
		return 0, r.failing
	}
	return max(0, time.Duration(r.o.Now().UnixNano()-oldest)), r.failing
}

// Stats describes the reader for /metrics.
func (r *Reader) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Live, s.LiveBytes = len(r.runs), r.bytes
	return s
}

// changes are runs that changed.
type changes struct {
	live   []*live
	others []Note // of runs that are not in memory
}

func (c *changes) some() bool { return len(c.live)+len(c.others) > 0 }

// changes takes the runs that changed since the last call.
func (r *Reader) changes() (c changes) {
	c, r.dirty, r.others = changes{r.dirty, r.others}, nil, nil
	for _, l := range c.live {
		l.noted = false
	}
	return c
}

// notes say how runs that changed are now.
func (r *Reader) notes(c changes) []Note {
	now := r.o.Now().UnixNano()
	out := append(make([]Note, 0, len(c.live)+len(c.others)), c.others...)
	for _, l := range c.live {
		if l.seen == 0 {
			continue
		}
		run := r.row(l, now)
		out = append(out, Note{
			ID: l.id, Status: run.Status, Agent: run.Agent, Team: run.Team, Environment: run.Environment,
			Session: run.Session, Steps: run.Steps, Updated: run.Updated,
		})
	}
	return out
}
