package retention

import (
	"context"
	"time"

	"reeve/internal/control"
)

// Days is the kind of a mark of whole days, of everything and of every place.
const Days = "days"

// unknown is what the migration leaves where records may have been dropped before
// marks were kept.
const unknown = "unknown"

// Mark says that what is older may have been dropped: of Days everything, of Runs the
// runs of a place. It stays when the rule that dropped it is another or gone.
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
		ON CONFLICT (kind, environment, team) DO UPDATE SET before_at = max(before_at, excluded.before_at)`, m.Kind, m.Environment, m.Team, before)
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

// Dropped is the time from when on nothing was dropped; zero when nothing ever was.
func Dropped(marks []Mark) (t time.Time) {
	for _, m := range marks {
		if m.Before.After(t) {
			t = m.Before
		}
	}
	return t
}

// Settle finds out, once, what was dropped before marks were kept: all from before the
// oldest record that is there, or from before now where there is none.
func (b *Book) Settle(ctx context.Context, oldest func() (time.Time, error)) error {
	marks, err := b.Marks(ctx)
	if err != nil {
		return err
	}
	for _, m := range marks {
		if m.Kind != unknown {
			continue
		}
		before, err := oldest()
		if err != nil {
			return err
		}
		if before.IsZero() {
			before = b.now()
		}
		return b.db.Write(ctx, func(tx *control.Tx) error {
			if err := put(ctx, tx, Mark{Kind: Days, Before: before}); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `DELETE FROM retention_marks WHERE kind = ?`, unknown)
			return err
		})
	}
	return nil
}
