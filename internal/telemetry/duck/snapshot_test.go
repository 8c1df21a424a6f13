package duck

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// A store that is opened on a snapshot answers as the original did at that
// moment, whatever was appended, merged or dropped meanwhile.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Now()
	add := func(s *Store, cursor uint64, n int) {
		t.Helper()
		w := &telemetry.Write{Cursor: cursor, Received: now.UnixNano()}
		for i := range n {
			id := activity.RunOfKey(fmt.Sprint(cursor, "-", i))
			w.Runs = append(w.Runs, activity.Run{ID: id, Revision: 1, Agent: "a", Status: activity.RunDone, Start: now.UnixNano(), End: now.UnixNano() + 1, Received: now.UnixNano(), Updated: now.UnixNano(), Steps: 1})
			w.Steps = append(w.Steps, activity.Step{Fragment: activity.Fragment{Run: id, Step: activity.StepOfKey(fmt.Sprint(cursor, "-", i)), Kind: activity.KindTool, Status: activity.StatusOK, Start: now.UnixNano(), End: now.UnixNano() + 1, TTFT: -1, Usage: activity.NoUsage}, Revision: 1, Received: now.UnixNano()})
		}
		if err := s.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	for c := range uint64(20) {
		add(s, c+1, 10)
	}
	// Steps that ended later are there in two rows, and count once.
	again := &telemetry.Write{Cursor: 21, Received: now.UnixNano()}
	for i := range 5 {
		id := activity.RunOfKey(fmt.Sprint("1-", i))
		again.Steps = append(again.Steps, activity.Step{Fragment: activity.Fragment{Run: id, Step: activity.StepOfKey(fmt.Sprint("1-", i)), Kind: activity.KindTool, Status: activity.StatusOK, Start: now.UnixNano(), End: now.UnixNano() + 2, TTFT: -1, Usage: activity.NoUsage}, Revision: 2, Received: now.UnixNano()})
	}
	if err := s.Append(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.MkdirAll(copied, 0o700); err != nil {
		t.Fatal(err)
	}
	first := true
	held, err := s.Snapshot(t.Context(), filepath.Join(copied, "index.db"), func(file string) error {
		if first { // the store goes on while files are linked
			first = false
			add(s, 22, 10)
			if err := s.maintain(t.Context(), true); err != nil {
				return err
			}
			if _, err := s.Retain(context.Background(), telemetry.Retention{Now: now.Add(90 * 24 * time.Hour), MaxAge: time.Hour}); err != nil {
				return err
			}
		}
		to := filepath.Join(copied, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return os.Link(filepath.Join(dir, filepath.FromSlash(file)), to)
	})
	if err != nil || held.Steps != 200 || held.Segments == 0 {
		t.Fatalf("held %+v, %v", held, err)
	}
	c, err := Open(Options{Dir: copied})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if at, err := c.Cursor(t.Context(), 0); at != 21 || err != nil {
		t.Errorf("the copy is at %d, %v; want 21", at, err)
	}
	if st, err := c.Stats(t.Context()); err != nil || st.Steps != held.Steps {
		t.Errorf("the copy holds %d steps, %v; the snapshot says %d", st.Steps, err, held.Steps)
	}
	for i := range 10 {
		for cursor := 1; cursor <= 22; cursor++ {
			steps, err := c.Steps(t.Context(), activity.RunOfKey(fmt.Sprint(cursor, "-", i)))
			if want := map[bool]int{true: 1}[cursor <= 20]; err != nil && want == 1 || len(steps) != want {
				t.Fatalf("run %d-%d has %d steps, %v; want %d", cursor, i, len(steps), err, want)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(t.Context(), filepath.Join(copied, "x"), func(string) error { return nil }); err == nil {
		t.Error("a closed store gave a snapshot")
	}
}
