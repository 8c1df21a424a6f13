package duck

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// without is a table as it was before it had some columns.
func without[T any](t *table[T], names ...string) *table[T] {
	cols := slices.DeleteFunc(slices.Clone(t.cols), func(c column[T]) bool { return slices.Contains(names, c.Name) })
	return withBlank(t.blank, newTable(t.name, cols...))
}

// A folder of a release whose log records and metric points had no team is read,
// searched, added to and merged; what it holds is at no place. Not parallel: the
// layout of the older release is the package's for a moment.
func TestRecordsOfAnOlderRelease(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	write := func(s *Store, cursor uint64, team string) {
		t.Helper()
		w := &telemetry.Write{Cursor: cursor, Received: now.UnixNano()}
		for i := range 3 {
			// Both releases write into both days.
			at := now.Add(-time.Duration(i%2) * 24 * time.Hour).UnixNano()
			w.Logs = append(w.Logs, activity.LogRecord{Time: at, Agent: "a", Body: fmt.Sprint(team, " line ", i), Team: team, Environment: "prod"})
			w.Metrics = append(w.Metrics, activity.MetricPoint{Time: at, Agent: "a", Name: "n", Type: "gauge", Value: float64(i), Count: activity.Unknown, Team: team, Environment: "prod"})
		}
		if err := s.Append(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *Store {
		t.Helper()
		s, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	func() {
		l, m := logs, metrics
		defer func() { logs, metrics = l, m }()
		logs, metrics = without(l, "team", "environment"), without(m, "team", "environment")
		s := open()
		write(s, 1, "old")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	s := open()
	defer s.Close()
	count := func(when string, places []telemetry.Place, want int) {
		t.Helper()
		l, err := s.Logs(t.Context(), telemetry.LogsQuery{OnlyLoose: true, Places: places})
		p, err2 := s.Metrics(t.Context(), telemetry.MetricsQuery{Places: places})
		if err != nil || err2 != nil || len(l.Logs) != want || len(p.Points) != want {
			t.Errorf("%s: %d records and %d points at %v, want %d: %v, %v", when, len(l.Logs), len(p.Points), places, want, err, err2)
		}
	}
	shop := []telemetry.Place{{Team: "shop", Environment: telemetry.Anywhere}}
	nowhere := []telemetry.Place{{}}
	count("only older files", nil, 3)
	count("only older files", shop, 0)
	count("only older files", nowhere, 3)
	write(s, 2, "shop")
	for _, when := range []string{"both", "merged"} {
		count(when, nil, 6)
		count(when, shop, 3)
		count(when, nowhere, 3)
		count(when, []telemetry.Place{{Team: "shop", Environment: "staging"}}, 0)
		count(when, []telemetry.Place{}, 0)
		if r, err := s.Query(t.Context(), telemetry.Query{Table: "logs", Select: []telemetry.Measure{{Func: "count"}}}); err != nil || fmt.Sprint(r.Rows[0][0]) != "6" {
			t.Errorf("%s: counting log records: %+v, %v", when, r, err)
		}
		l, err := s.Logs(t.Context(), telemetry.LogsQuery{OnlyLoose: true})
		for _, r := range l.Logs {
			if team, _, _ := strings.Cut(r.Body, " "); err != nil || (r.Team == "shop") != (team == "shop") {
				t.Errorf("%s: %q is of team %q: %v", when, r.Body, r.Team, err)
			}
		}
		for _, table := range []string{tableLogs, tableMetrics} {
			for _, ago := range []time.Duration{0, 24 * time.Hour} {
				day := dayOf(now.Add(-ago).UnixNano())
				group := s.segs.of(table, dayRange{day, day})
				if when == "both" && len(group) != 2 {
					t.Fatalf("%d files of %s on a day, want one of each release", len(group), table)
				}
				if len(group) < 2 {
					continue
				}
				s.maint.Lock()
				err := s.merge(group)
				s.maint.Unlock()
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
