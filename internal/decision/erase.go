package decision

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Note records something else than a decision: kind is one of the kinds above,
// body an object of strings, booleans, integers and lists. It returns when that
// is durable.
func (l *Log) Note(ctx context.Context, kind string, body map[string]any) error {
	_, err := l.recordNote(ctx, kind, body)
	return err
}

// recordNote is Note and tells the record's sequence.
func (l *Log) recordNote(ctx context.Context, kind string, body map[string]any) (seq int64, err error) {
	text, err := record.Canonical(body)
	if err != nil {
		return 0, fmt.Errorf("recording %s: %w", kind, err)
	}
	if len(text) > maxBody {
		return 0, fault.New(fault.KindInvalid, "decision.too_large", "a record of %d bytes", len(text))
	}
	e := &entry{kind: kind, body: text, done: make(chan error, 1)}
	if err := l.enqueue(e); err != nil {
		return 0, err
	}
	select {
	case err := <-e.done:
		return e.content.seq, err
	case <-ctx.Done():
		return 0, notRecorded(context.Cause(ctx)) // it may be recorded all the same
	}
}

// Erased is what Erase removed.
type Erased struct {
	Pseudonyms []string
	Records    int // whose content is gone
}

// Erase removes what is known of a user: the name behind the pseudonyms, and the
// content of every record about it, with the keys of its commitments. The
// records stay, and one says what was done. by and reason go into it.
func (l *Log) Erase(ctx context.Context, name, by, reason string) (Erased, error) {
	pseudonyms, err := l.Pseudonyms(ctx, name)
	if err != nil {
		return Erased{}, err
	}
	slices.Sort(pseudonyms)
	pseudonyms = slices.Compact(pseudonyms)
	if len(pseudonyms) == 0 {
		return Erased{}, fault.New(fault.KindNotFound, "decision.no_user", "no decision was made for this user")
	}
	if len(pseudonyms) > maxList {
		pseudonyms = pseudonyms[:maxList] // the rest with the next call
	}
	l.users.forget(name)
	body := map[string]any{"users": anys(pseudonyms), "by": cut(by)}
	if reason != "" {
		body["reason"] = cut(reason)
	}
	// Recorded first: content that is gone without a record would be a break.
	seq, err := l.recordNote(ctx, KindErased, body)
	if err != nil {
		return Erased{}, err
	}
	out := Erased{Pseudonyms: pseudonyms}
	theirs := func(d *activity.Decision) bool { return slices.Contains(pseudonyms, d.User) }
	if out.Records, err = l.eraseContent(ctx, theirs, seq); err != nil {
		return out, err
	}
	if l.o.DB == nil {
		return out, nil
	}
	return out, l.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, p := range pseudonyms {
			if _, err := tx.Exec(ctx, `DELETE FROM decision_users WHERE pseudonym = ?`, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// EraseRuns removes the content of every record about runs, as Erase does that of a
// user. The names behind pseudonyms stay. It returns of how many records.
func (l *Log) EraseRuns(ctx context.Context, runs []activity.RunID, by, reason string) (n int, err error) {
	if len(runs) == 0 {
		return 0, nil
	}
	gone := make(map[activity.RunID]bool, len(runs))
	first := int64(math.MaxInt64)
	for some := range slices.Chunk(runs, maxList) {
		names := make([]any, len(some))
		for i, r := range some {
			names[i], gone[r] = r.String(), true
		}
		body := map[string]any{"runs": names, "by": cut(by)}
		if reason != "" {
			body["reason"] = cut(reason)
		}
		seq, err := l.recordNote(ctx, KindErased, body)
		if err != nil {
			return 0, err
		}
		first = min(first, seq)
	}
	return l.eraseContent(ctx, func(d *activity.Decision) bool { return gone[d.Run] }, first)
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// eraseContent moves everything to the archive, where content can be rewritten,
// and removes that of their records before the one that says so.
func (l *Log) eraseContent(ctx context.Context, theirs func(*activity.Decision) bool, before int64) (int, error) {
	if err := l.keepAll(ctx); err != nil {
		return 0, err
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if err := l.o.Stream.DeleteThrough(ctx, l.state.Message); err != nil {
		return 0, err
	}
	gone := map[int64]bool{}
	err := l.records.read(0, func(it item) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		r, err := record.Parse(it.data)
		if err != nil || r.Kind != KindProposed {
			return err
		}
		d, _, err := readProposed(r.Body)
		if err == nil && r.Seq < before && theirs(&d) {
			gone[r.Seq] = true
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	erased, err := l.contents.erase(func(it item) bool { return gone[it.seq] })
	if err != nil {
		return len(erased), err
	}
	l.ring.forget()
	return len(erased), l.commit(l.state)
}

// forget empties the memory of what was written last.
func (r *ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chunks, r.bytes = nil, 0
}

// Retention says how long records and their content stay; 0 is for good.
type Retention struct{ Records, Content time.Duration }

// Retain drops what is older, whole files at a time, and records that it did.
// Hashes of what is dropped stay, so that the log can still be verified.
func (l *Log) Retain(ctx context.Context, p Retention) error {
	if err := l.retain(ctx, KindErased, l.contents, p.Content, nil); err != nil {
		return err
	}
	return l.retain(ctx, KindRetention, l.records, p.Records, func(before int64) error {
		if l.o.Tree != nil {
			return l.o.Tree.Sync(before)
		}
		return nil
	})
}

func (l *Log) retain(ctx context.Context, kind string, from *shelf, age time.Duration, ready func(before int64) error) error {
	if age <= 0 {
		return nil
	}
	seq, err := l.firstAt(ctx, l.o.Now().Add(-age))
	if err != nil {
		return err
	}
	before := min(seq, l.kept.Load().Seq) / from.span * from.span
	if !from.has(before) {
		return nil
	}
	if ready != nil {
		if err := ready(before); err != nil {
			return err
		}
	}
	if err := l.Note(ctx, kind, map[string]any{"before": before, "by": "retention"}); err != nil {
		return err
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if _, err := from.drop(before); err != nil {
		return err
	}
	if from != l.records {
		return nil
	}
	s := l.state
	s.Dropped = max(s.Dropped, before)
	return l.commit(s)
}

// has reports whether dropping up to seq would drop a file.
func (s *shelf) has(seq int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.files) > 1 && s.files[0].first+s.span <= seq
}
