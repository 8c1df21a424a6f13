package duck

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

// TestRunRowsAfterRestart holds that a list says all of a run's row, also when
// the words of it were first used by a commit that failed, and by another
// process.
func TestRunRowsAfterRestart(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	s := openTest(t, Options{Dir: dir})
	g := telemetrytest.NewGenerator(3, time.Now().UTC().Add(-time.Hour))
	want := map[activity.RunID]activity.Run{}
	write := func() {
		t.Helper()
		w := g.Write(30)
		for i := range w.Runs {
			r := &w.Runs[i]
			r.Tools = append(r.Tools, "first used here "+time.Duration(w.Cursor).String())
			r.Cost.Currency, r.ErrorType = "EUR", "a text that is far too long to be kept as one of the words that many rows share"
			want[r.ID] = *r
		}
		if err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		page, err := s.Runs(ctx, telemetry.RunsQuery{Limit: 1000})
		if err != nil || len(page.Runs) != len(want) {
			t.Fatalf("%d runs (%v), want %d", len(page.Runs), err, len(want))
		}
		for _, r := range page.Runs {
			if d := cmp.Diff(want[r.ID], r); d != "" {
				t.Fatal(d)
			}
		}
	}
	write()
	check()
	if _, ok := s.words.id("of a commit that failed"); !ok {
		t.Fatal("no number")
	}
	write()
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, Options{Dir: dir})
	check()
	write()
	check()
}
