package decision

import (
	"bytes"
	"context"
	"fmt"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
)

// Reserved calls do for every record from a sequence on that says something of
// a budget: a decision as it was proposed with what it reserved, or as it was
// completed with what that came to, or lost. Of a completion only the id, the
// result and what was reserved are told. It ends at the end of the log, with the
// sequence to go on from.
func (l *Log) Reserved(ctx context.Context, from int64, do func(seq int64, d *activity.Decision)) (next int64, err error) {
	for next = from; ; {
		chunks, err := l.since(ctx, next)
		if err != nil || len(chunks) == 0 {
			return next, err
		}
		for i := range chunks {
			err := chunks[i].each(next, func(seq int64, e entryAt) error {
				d, err := reservedOf(e)
				if err == nil && d != nil {
					do(seq, d)
				}
				return err
			})
			if err != nil {
				return next, err
			}
			next = chunks[i].next
		}
		if ctx.Err() != nil {
			return next, context.Cause(ctx)
		}
	}
}

// What a record has in its text that says something of a budget. A completion
// without it may still be of a decision that reserved: lost, or never forwarded.
var (
	saysReserved = []byte(`"reserved":`)
	saysLost     = []byte(`"outcome":"unknown"`)
	saysDenied   = []byte(`"outcome":"denied"`)
)

// reservedOf is what a record says of a budget; nil when it is of none.
func reservedOf(e entryAt) (*activity.Decision, error) {
	t := e.told
	switch {
	case t.d == nil:
		return reservedIn(e.line)
	case t.ended && len(t.d.Reserved) == 0 && t.d.Result != activity.ResultUnknown && t.d.Result != activity.ResultDenied:
		return nil, nil
	case t.ended:
		return &activity.Decision{ID: t.d.ID, Result: t.d.Result, Reserved: t.d.Reserved, Completed: max(t.d.Completed, 1)}, nil
	case len(t.d.Reserved) == 0 || t.d.Result != activity.ResultPending:
		return nil, nil
	}
	return t.d, nil
}

// reservedIn reads a record; nil when it is of no budget.
func reservedIn(line []byte) (*activity.Decision, error) {
	// Most records are of none, and reading one costs microseconds.
	if !bytes.Contains(line, saysReserved) && !bytes.Contains(line, saysLost) && !bytes.Contains(line, saysDenied) {
		return nil, nil
	}
	r, err := record.Parse(line)
	if err != nil {
		return nil, err
	}
	switch r.Kind {
	case KindProposed:
		d, _, err := readProposed(r.Body)
		if err != nil {
			return nil, fmt.Errorf("reading record %d: %w", r.Seq, err)
		}
		if d.Result != activity.ResultPending {
			return nil, nil // proposed and ended in one: nothing was forwarded
		}
		d.Completed = activity.Unknown
		return &d, nil
	case KindCompleted:
		d := blank()
		o, err := readCompleted(r.Body, &d)
		if err != nil {
			return nil, fmt.Errorf("reading record %d: %w", r.Seq, err)
		}
		d.ID, d.Completed = o.id, max(d.Completed, 1)
		return &d, nil
	}
	return nil, nil
}
