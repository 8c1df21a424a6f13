package retention

import (
	"context"
	"time"

	"reeve/internal/control"
)

// Days is the kind of a mark of whole days, of everything and of every place.
const Days = "days"

// unknown and unknownContent are what migrations leave where records, or what was said
// in them, may have been dropped before marks were kept.
const (
	unknown        = "unknown"
	unknownContent = "unknown_content"
)

// Mark says that what is older may have been dropped: of Days everything, of Runs the
// runs of a place, of Content what was said in those of a place, or in all. It stays
// when the rule that dropped it is another or gone.
type Mark struct {
	Kind string
	Place
	Before time.Time
}

// Drop writes down that what is older than m.Before goes. It is called before it does,
// so that what is gone is never taken for what never was. A mark does not go back.
func (b *Book) Drop(ctx context.Context, m Mark) error {
	return b.db.Write(ctx, func(tx *control.Tx) error { return put(ctx, tx, m) })
}

func put(ctx context.Context, tx *control.Tx, m Mark) error {
	before := control.Micros(m.Before.Add(time.Microsecond - 1)) // never earlier than what goes
	_, err := tx.Exec(ctx, `INSERT INTO retention_marks (kind, environment, team, before_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (kind, environment, team) DO UPDATE SET before_at = CASE WHEN retention_marks.before_at > excluded.before_at THEN retention_marks.before_at ELSE excluded.before_at END`, m.Kind, m.Environment, m.Team, before)
	return err
}

// Marks are what was dropped, as far as any rule or size ever did.
func (b *Book) Marks(ctx context.Context) ([]Mark, error) {
	return control.All(ctx, b.db, func(r control.Row) (m Mark, err error) {
		var before int64
		err = r.Scan(&m.Kind, &m.Environment, &m.Team, &before)
		m.Before = control.Time(before)
		return m, err
	}, `SELECT kind, environment, team, before_at FROM retention_marks ORDER BY kind, environment, team`)
}

// Dropped is the time from when on no record was dropped; zero when none ever was.
// What was only said in records may have gone later: DroppedContent.
func Dropped(marks []Mark) time.Time {
	return latest(marks, func(m Mark) bool { return m.Kind != Content && m.Kind != unknownContent })
}

// DroppedContent is the time from when on nothing of what was said was dropped, with
// its record or before it.
func DroppedContent(marks []Mark) time.Time {
	return latest(marks, func(Mark) bool { return true })
}

func latest(marks []Mark, counts func(Mark) bool) (t time.Time) {
	for _, m := range marks {
		if counts(m) && m.Before.After(t) {
			t = m.Before
		}
	}
	return t
}

// Settle finds out, once, what was dropped before marks were kept: all from before the
// oldest record, or the oldest content, that is there, or from before now where there is
// none.
func (b *Book) Settle(ctx context.Context, oldest func() (record, content time.Time, err error)) error {
	marks, err := b.Marks(ctx)
	if err != nil {
		return err
	}
	for _, m := range marks {
		if m.Kind != unknown && m.Kind != unknownContent {
			continue
		}
		record, content, err := oldest()
		if err != nil {
			return err
		}
		became, before := Days, record
		if m.Kind == unknownContent {
			became, before = Content, content
		}
		if before.IsZero() {
			before = b.now()
		}
		if err := b.db.Write(ctx, func(tx *control.Tx) error {
			if err := put(ctx, tx, Mark{Kind: became, Before: before}); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `DELETE FROM retention_marks WHERE kind = ?`, m.Kind)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
