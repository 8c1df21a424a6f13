package decision

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
)

// lines are the records of a message's first payload.
func lines(payload []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(payload) > 0 {
			line, rest, _ := bytes.Cut(payload, []byte{'\n'})
			if !yield(line) {
				return
			}
			payload = rest
		}
	}
}

// recover reads the log's tail and completes what is open.
func (l *Log) recover(ctx context.Context) error {
	st, err := l.o.Stream.Stats(ctx)
	if err != nil {
		return err
	}
	err = l.o.Stream.ReadThrough(ctx, l.w.last+1, st.LastSeq, func(seq uint64, _ time.Time, payloads [][]byte) error {
		return l.adopt(seq, payloads, l.note)
	})
	if err != nil {
		return err
	}
	return l.closeOpen(ctx)
}

// note keeps which decisions are open.
func (l *Log) note(r *record.Record) error {
	switch r.Kind {
	case KindProposed:
		d, _, err := readProposed(r.Body)
		if err != nil {
			return err
		}
		if d.Result == activity.ResultPending {
			l.opened[d.ID] = r.Seq
		}
	case KindCompleted:
		var d activity.Decision
		o, err := readCompleted(r.Body, &d)
		if err != nil {
			return err
		}
		delete(l.opened, o.id)
	}
	return nil
}

// closeOpen completes as unknown what the process before this one left open:
// whether those calls were forwarded, and how they ended, nobody can say.
func (l *Log) closeOpen(ctx context.Context) error {
	if len(l.opened) == 0 {
		return nil
	}
	l.o.Logger.Warn("decisions of the last process never ended", "decisions", len(l.opened))
	ids := slices.SortedFunc(maps.Keys(l.opened), func(a, b string) int { return int(l.opened[a] - l.opened[b]) })
	now := l.o.Now().UnixNano()
	for part := range slices.Chunk(ids, maxBatch) {
		var batch []*entry
		for _, id := range part {
			batch = append(batch, &entry{kind: KindCompleted, id: id, body: appendLost(nil, id, l.opened[id], now, activity.ResultUnknown, "decision.crashed")})
		}
		if err := l.write(ctx, batch); err != nil {
			return err
		}
		for _, id := range part {
			delete(l.opened, id)
		}
	}
	return nil
}
