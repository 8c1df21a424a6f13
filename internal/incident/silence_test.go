package incident

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"reeve/internal/control"
)

func keptSilenced(t *testing.T, db *control.DB) int {
	t.Helper()
	n, _, err := control.One(t.Context(), db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM silenced_signals`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a silence holds back while the process ends is taken in when the silence is
// over: its feed is read past it by then.
func TestSilencedOverARestart(t *testing.T) {
	t.Parallel()
	db, ctx := openDB(t), t.Context()
	b, _ := newTestBook(t, db)
	if _, err := b.Silence(ctx, anybody, Silence{Kind: "silence", Reason: "index is rebuilt", EndsAt: start.Add(time.Hour), Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}}); err != nil {
		t.Fatal(err)
	}
	fires, ends := sig("a", "tool errors", tool("crm__find")), sig("a", "loop of a")
	b.TakeFrom(ctx, "alerts", 7, []Signal{fires, ends})
	b.mustFlush(t)
	if n := keptSilenced(t, db); n != 2 {
		t.Fatalf("%d silenced signals are stored, want 2", n)
	}

	b, clk := newTestBook(t, db)
	if n, err := b.Cursor(ctx, "alerts"); err != nil || n != 7 {
		t.Fatalf("cursor %d, %v", n, err)
	}
	if list, err := b.Silences(ctx, false); err != nil || len(list) != 1 || list[0].Held != 2 {
		t.Errorf("after a restart the silence holds %+v, %v, want 2", list, err)
	}
	b.settle(clk.now())
	if list := b.live(t); len(list) != 0 {
		t.Fatalf("the restart let in %+v", list)
	}
	ends.Resolved = true
	b.TakeFrom(ctx, "alerts", 8, []Signal{ends})
	b.mustFlush(t)

	b, clk = newTestBook(t, db)
	clk.add(61 * time.Minute)
	b.settle(clk.now())
	list := b.live(t)
	if len(list) != 1 || list[0].Signals != 1 || list[0].Title != fires.Title {
		t.Fatalf("after the silence %+v, want the one that still fires", list)
	}
	if n := keptSilenced(t, db); n != 0 {
		t.Errorf("%d silenced signals are left, want none", n)
	}
	// A silence that ended while nobody ran lets in as well.
	b, clk = newTestBook(t, db)
	if _, err := b.Silence(ctx, anybody, Silence{Kind: "silence", Reason: "x", EndsAt: start.Add(2 * time.Hour), Matchers: []Matcher{{Name: "agent", Value: "b", IsEqual: true}}}); err != nil {
		t.Fatal(err)
	}
	b.Take(ctx, []Signal{sig("b", "tool errors", tool("erp__find"))})
	b.mustFlush(t)
	later := clk.now().Add(3 * time.Hour)
	b, err := New(ctx, Options{DB: db, Now: func() time.Time { return later }})
	if err != nil {
		t.Fatal(err)
	}
	b.settle(later)
	if list := b.live(t); !slices.ContainsFunc(list, func(i Incident) bool { return slices.Equal(i.Agents, []string{"b"}) }) {
		t.Errorf("a silence that ended while nobody ran lost its signal: %+v", list)
	}
}

// What a silence holds back is stored with what came of the news around it, and is
// written once, however often it repeats.
func TestSilencedIsStoredOnce(t *testing.T) {
	t.Parallel()
	db, ctx := openDB(t), t.Context()
	b, _ := newTestBook(t, db)
	if _, err := b.Silence(ctx, anybody, Silence{Kind: "silence", Reason: "x", EndsAt: start.Add(time.Hour), Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}}); err != nil {
		t.Fatal(err)
	}
	s := sig("a", "tool errors", tool("crm__find"))
	b.Take(ctx, []Signal{s})
	off, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Flush(off); err == nil || keptSilenced(t, db) != 0 {
		t.Fatalf("a flush without a database: %v", err)
	}
	b.mustFlush(t)
	if n := keptSilenced(t, db); n != 1 {
		t.Fatalf("%d stored after the write was repeated, want 1", n)
	}
	for range 100 {
		b.Take(ctx, []Signal{s})
	}
	if !b.out.empty() {
		t.Error("a silenced signal that repeats is written again")
	}
	s.Severity = Critical
	b.Take(ctx, []Signal{s})
	if b.out.empty() {
		t.Error("one that became worse is not")
	}
}

// A silenced signal brings back no incident that ended, and calls nobody; after the
// silence it does.
func TestSilencedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	var told []string
	b, clk := newTestBook(t, openDB(t), func(o *Options) {
		o.Opened = func(i Incident, why string) { told = append(told, fmt.Sprint(i.Number, " ", why)) }
	})
	ctx := t.Context()
	take := func(s Signal) {
		s.At = clk.now()
		b.Take(ctx, []Signal{s})
		b.mustFlush(t)
	}
	take(sig("a", "tool errors", tool("crm__find")))
	clk.add(time.Minute)
	take(sig("a", "tool errors", tool("crm__find"), over))
	if _, err := b.Resolve(ctx, anybody, "1", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Silence(ctx, anybody, Silence{Kind: "silence", Reason: "x", EndsAt: clk.now().Add(10 * time.Minute), Matchers: []Matcher{{Name: "agent", Value: "a", IsEqual: true}}}); err != nil {
		t.Fatal(err)
	}
	clk.add(time.Minute)
	take(sig("a", "tool errors", tool("crm__find")))
	if list := b.live(t); len(list) != 0 {
		t.Fatalf("a silenced signal opened again %+v", list)
	}
	clk.add(10 * time.Minute)
	b.settle(clk.now())
	if list := b.live(t); len(list) != 1 || list[0].Number != 1 || list[0].Firing != 1 {
		t.Fatalf("after the silence %+v, want incident 1 again", list)
	}
	if want := []string{"1 opened", "1 back"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
