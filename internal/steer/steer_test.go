package steer_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/steer"
)

var (
	place = steer.Place{Run: "run_1", Agent: "refunds", Team: "support", Environment: "production"}
	ada   = steer.Person{ID: "per_ada", Name: "ada"}
)

func open(t *testing.T, file string, now func() time.Time) *steer.Book {
	t.Helper()
	db, err := controltest.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := steer.New(t.Context(), steer.Options{DB: db, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		loop.Wait()
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		_ = db.Close()
	})
	return b
}

func code(err error) string {
	if f := fault.From(err); f != nil {
		return f.Code
	}
	return ""
}

func TestHold(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "control.db")
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	b := open(t, file, now)
	if _, err := b.Hold(t.Context(), place, ada, "it repeats itself", time.Minute); err != nil {
		t.Fatal(err)
	}
	if h := b.Held("run_1"); h == nil || h.By != ada || b.Held("run_2") != nil {
		t.Errorf("%+v", h)
	}
	if b := open(t, file, now); b.Held("run_1") == nil || len(b.Holds()) != 1 {
		t.Error("it is not held after a restart")
	}
	at = at.Add(2 * time.Minute)
	if b.Held("run_1") != nil || len(b.Holds()) != 0 {
		t.Error("it is held after its time")
	}
	if _, err := b.Hold(t.Context(), place, ada, "", 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Release(t.Context(), place, ada, "it is fine"); err != nil || b.Held("run_1") != nil {
		t.Error(err)
	}
	if err := b.Release(t.Context(), place, ada, ""); code(err) != "steer.ended" {
		t.Error(err)
	}
	if _, err := b.Hold(t.Context(), place, ada, "", 48*time.Hour); code(err) != "steer.time" {
		t.Error(err)
	}
}

// A note is in one call at a time, and told once that was forwarded.
func TestNotes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "control.db")
	b := open(t, file, nil)
	once, err := b.Tell(t.Context(), place, ada, "ask the customer first", false, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Any() || len(b.Take("run_2", "refunds", "dec_0")) != 0 {
		t.Error("another run carries it")
	}
	if len(b.Take("run_1", "other", "dec_0")) != 0 {
		t.Error("another agent that names its run so is told it")
	}
	if got := b.Take("run_1", "refunds", "dec_1"); len(got) != 1 || got[0].Text != once.Text {
		t.Fatalf("%+v", got)
	}
	if got := b.Take("run_1", "refunds", "dec_2"); len(got) != 0 {
		t.Errorf("two calls at once carry %+v", got)
	}
	b.Told("run_1", "dec_1", false)
	if got := b.Take("run_1", "refunds", "dec_3"); len(got) != 1 {
		t.Error("a call that was not forwarded took it")
	}
	b.Told("run_1", "dec_3", true)
	if b.Any() || len(b.Take("run_1", "refunds", "dec_4")) != 0 {
		t.Error("it is told twice")
	}
	every, err := b.Tell(t.Context(), place, ada, "be brief", true, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"dec_5", "dec_6"} {
		if got := b.Take("run_1", "refunds", d); len(got) != 1 {
			t.Errorf("%s: %+v", d, got)
		}
		b.Told("run_1", d, true)
	}
	// What was told is stored a moment later.
	end := time.Now().Add(30 * time.Second)
	for {
		list, err := b.Notes(t.Context(), "run_1")
		if err != nil || len(list) != 2 || time.Now().After(end) {
			t.Fatalf("%v %+v", err, list)
		}
		if list[0].Told == 2 && list[1].Told == 1 && list[1].Decision == "dec_3" && !list[1].EndedAt.IsZero() && list[0].EndedAt.IsZero() {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	if got := open(t, file, nil).Take("run_1", "refunds", "dec_7"); len(got) != 1 || got[0].ID != every.ID {
		t.Errorf("after a restart: %+v", got)
	}
	if err := b.Withdraw(t.Context(), place, every.ID, ada); err != nil || b.Any() {
		t.Error(err)
	}
	if err := b.Withdraw(t.Context(), place, once.ID, ada); code(err) != "steer.ended" {
		t.Error(err)
	}
}

func TestNotesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	b := open(t, filepath.Join(t.TempDir(), "control.db"), nil)
	for _, text := range []string{"", " \n", string(make([]byte, 3)), "\xff", string(make([]byte, steer.MaxText+1))} {
		if _, err := b.Tell(t.Context(), place, ada, text, false, 0); code(err) != "steer.text" {
			t.Errorf("%q: %v", text[:min(3, len(text))], err)
		}
	}
	for range 20 {
		if _, err := b.Tell(t.Context(), place, ada, "x", false, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Tell(t.Context(), place, ada, "x", false, 0); code(err) != "steer.too_many" {
		t.Error(err)
	}
}
