package duck

import (
	"fmt"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Runs that started long before the index's rows begin are found by a list
// without a period: the reader asks so for the unfinished ones at its start.
func TestOldUnfinishedRuns(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start := time.Now().AddDate(0, -8, 0).UnixNano()
	for revision := range uint32(3) {
		w := &telemetry.Write{Cursor: uint64(revision) + 1, Received: time.Now().UnixNano()}
		for i := range 3 {
			w.Runs = append(w.Runs, activity.Run{
				ID: activity.RunOfKey(fmt.Sprint(i)), Revision: revision + 1, Agent: "a", Status: activity.RunRunning,
				Start: start + int64(i), End: activity.Unknown, Received: start, Updated: start + int64(revision), Usage: activity.NoUsage, Steps: 1,
			})
		}
		if err := s.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	for name, q := range map[string]telemetry.RunsQuery{
		"all":     {},
		"running": {Filter: &search.Cmp{Field: "status", Op: ":", Values: []string{"running"}}, Limit: 1000},
	} {
		page, err := s.Runs(t.Context(), q)
		if err != nil || len(page.Runs) != 3 {
			t.Errorf("%s: %d runs, want 3: %v", name, len(page.Runs), err)
		}
		for _, r := range page.Runs {
			if r.Revision != 3 {
				t.Errorf("%s: run %v in revision %d, want 3", name, r.ID, r.Revision)
			}
		}
	}
}
