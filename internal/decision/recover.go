package decision

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"os"
	"path/filepath"
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

// recover continues where the process before this one ended: what it archived
// is known from its state, the rest is read from the stream.
func (l *Log) recover(ctx context.Context) error {
	if err := os.MkdirAll(l.o.Dir, 0o700); err != nil {
		return archiveFault(err)
	}
	if err := l.loadKey(); err != nil {
		return err
	}
	if err := l.loadUsers(ctx); err != nil {
		return err
	}
	s, err := l.loadState()
	if err != nil {
		return err
	}
	if l.records, err = openShelf(filepath.Join(l.o.Dir, "records"), s.Records); err != nil {
		return err
	}
	if l.contents, err = openShelf(filepath.Join(l.o.Dir, "content"), s.Contents); err != nil {
		return err
	}
	if l.o.span > 0 {
		l.records.span, l.contents.span = l.o.span, l.o.span
	}
	l.state = s
	l.kept.Store(&position{s.Message, s.Seq})
	l.dropped.Store(s.Dropped)
	l.w.seq, l.w.at, l.w.last = s.Seq, s.At, s.Message
	if s.Seq > 0 {
		if l.w.prev, err = record.ParseHash(s.Leaf); err != nil {
			return archiveFault(err)
		}
	}
	l.w.records.Store(s.Seq)
	l.ring.head = s.Seq
	for id, seq := range s.Open {
		l.opened[id] = opened{seq: seq}
	}
	if err := l.readTail(ctx); err != nil {
		return err
	}
	if err := l.regrow(ctx); err != nil {
		return err
	}
	return l.closeOpen(ctx)
}

// regrow gives the tree the archived records that it lacks: a power cut may have
// taken its tiles.
func (l *Log) regrow(ctx context.Context) error {
	if l.o.Tree == nil {
		return nil
	}
	for l.o.Tree.Size() < l.state.Seq {
		chunks, err := l.since(ctx, l.o.Tree.Size())
		if err != nil {
			return err
		}
		for i := range chunks {
			var leaves []record.Hash
			err := chunks[i].each(0, func(_ int64, e entryAt) error {
				leaves = append(leaves, record.Leaf(e.line))
				return nil
			})
			if err != nil {
				return err
			}
			if err := l.o.Tree.Append(chunks[i].first, leaves); err != nil {
				return err
			}
		}
	}
	return nil
}

// readTail reads what the stream has beyond the archive.
func (l *Log) readTail(ctx context.Context) error {
	st, err := l.o.Stream.Stats(ctx)
	if err != nil {
		return err
	}
	// A power cut may take the stream's tail, which the archive still has: new
	// messages must not take its numbers.
	if st.LastSeq < l.w.last {
		if err := l.o.Stream.DeleteThrough(ctx, l.w.last); err != nil {
			return err
		}
		l.o.Logger.Warn("the stream of decisions lost messages that are archived", "messages", l.w.last-st.LastSeq)
	}
	return l.o.Stream.ReadThrough(ctx, l.w.last+1, st.LastSeq, func(seq uint64, _ time.Time, payloads [][]byte) error {
		if err := l.adopt(seq, payloads, l.note); err != nil {
			return err
		}
		c, err := chunkOf(seq, payloads)
		l.ring.put(c)
		return err
	})
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
			l.opened[d.ID] = opened{seq: r.Seq}
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
	ids := slices.SortedFunc(maps.Keys(l.opened), func(a, b string) int { return int(l.opened[a].seq - l.opened[b].seq) })
	now := l.o.Now().UnixNano()
	for part := range slices.Chunk(ids, maxBatch) {
		var batch []*entry
		for _, id := range part {
			batch = append(batch, &entry{kind: KindCompleted, id: id, body: appendLost(nil, id, l.opened[id].seq, now, activity.ResultUnknown, "decision.crashed")})
		}
		if err := l.write(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}
