package decision

import (
	"context"

	"reeve/internal/audit/record"
)

// Line is a record verbatim.
type Line struct {
	Seq  int64
	At   int64 // µs
	Kind string
	Raw  []byte
}

// Lines reads at most limit records from seq on, in order; none at the end of the
// log. It begins later when retention dropped the first.
func (l *Log) Lines(ctx context.Context, seq int64, limit int) (out []Line, err error) {
	chunks, err := l.since(ctx, seq)
	if err != nil {
		return nil, err
	}
	for i := range chunks {
		err := chunks[i].each(seq, func(at int64, e entryAt) error {
			if len(out) == limit {
				return errStop
			}
			r, err := record.Parse(e.line)
			if err != nil {
				return err
			}
			out = append(out, Line{at, r.At, r.Kind, e.line})
			return nil
		})
		if err == errStop {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}
