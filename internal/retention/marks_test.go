package retention

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

// A mark does not go back, is never earlier than what went, and stays with the place.
func TestMarks(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := New(db, nil, nil, nil)
	at := time.Date(2026, 5, 10, 0, 0, 0, 1, time.UTC)
	if list, err := b.Marks(t.Context()); err != nil || len(list) != 0 || !Dropped(list).IsZero() {
		t.Fatalf("of a new installation: %+v, %v", list, err)
	}
	support := Place{Environment: "production", Team: "support"}
	for _, m := range []Mark{{Days, Place{}, at}, {Days, Place{}, at.Add(-9 * day)}, {Runs, support, at.Add(-day)}} {
		if err := b.Drop(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list, err := New(db, nil, nil, nil).Marks(t.Context())
	if err != nil || len(list) != 2 || list[1].Place != support || Dropped(list).Before(at) || Dropped(list).After(at.Add(time.Microsecond)) {
		t.Errorf("%+v, %v", list, err)
	}
}

// What an installation dropped before it kept marks is all from before its oldest
// record, and of an empty store all from before now; it is found out once.
func TestSettle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 10, 12, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct{ oldest, said, want, wantSaid time.Time }{
		"some is there":   {now.Add(-3 * day), now.Add(-2 * day), now.Add(-3 * day), now.Add(-2 * day)},
		"nothing said is": {now.Add(-3 * day), time.Time{}, now.Add(-3 * day), now},
		"all is gone":     {time.Time{}, time.Time{}, now, now},
	} {
		db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		b := New(db, nil, nil, func() time.Time { return now })
		oldest := func() (time.Time, time.Time, error) { return c.oldest, c.said, nil }
		if err := b.Settle(t.Context(), oldest); err != nil {
			t.Fatal(err)
		}
		if list, err := b.Marks(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%s: a new installation dropped nothing: %+v, %v", what, list, err)
		}
		// As the migration leaves it where something was recorded before.
		if err := db.Write(t.Context(), func(tx *control.Tx) error {
			_, err := tx.Exec(context.Background(), `INSERT INTO retention_marks (kind, environment, team, before_at) VALUES ('unknown', '', '', 0), ('unknown_content', '', '', 0)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("no answer")
		if err := b.Settle(t.Context(), func() (time.Time, time.Time, error) { return time.Time{}, time.Time{}, broken }); !errors.Is(err, broken) {
			t.Errorf("%s: the store does not answer: %v", what, err)
		}
		for range 2 {
			if err := b.Settle(t.Context(), oldest); err != nil {
				t.Fatal(err)
			}
			if list, err := b.Marks(t.Context()); err != nil || len(list) != 2 || list[0].Kind != Content || !list[0].Before.Equal(c.wantSaid) || list[1].Kind != Days || !list[1].Before.Equal(c.want) ||
				!Dropped(list).Equal(c.want) || !DroppedContent(list).Equal(c.wantSaid) {
				t.Errorf("%s: %+v, %v", what, list, err)
			}
			oldest = func() (time.Time, time.Time, error) { return now.Add(-50 * day), now.Add(-50 * day), nil }
		}
	}
}
