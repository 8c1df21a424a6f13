package incident

import "testing"

// A feed goes on where what came of it was stored, also over a restart.
func TestFeedGoesOnWhereItWasStored(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	b, _ := newTestBook(t, db)
	b.TakeFrom(t.Context(), "alerts", 7, []Signal{sig("a", "tool errors", tool("crm__find"))})
	if n, err := b.Cursor(t.Context(), "alerts"); err != nil || n != 0 {
		t.Fatalf("cursor %d, %v before anything was stored, want 0", n, err)
	}
	b.mustFlush(t)
	b.TakeFrom(t.Context(), "alerts", 8, nil) // never stored: the process dies
	b, _ = newTestBook(t, db)
	if n, err := b.Cursor(t.Context(), "alerts"); err != nil || n != 7 {
		t.Fatalf("cursor %d, %v after a restart, want 7", n, err)
	}
	// What is read again is not a second signal.
	b.TakeFrom(t.Context(), "alerts", 8, []Signal{sig("a", "tool errors", tool("crm__find"))})
	if list := b.live(t); len(list) != 1 || list[0].Signals != 1 {
		t.Fatalf("got %+v, want one incident with one signal", list)
	}
}
