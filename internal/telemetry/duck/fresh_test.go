package duck

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

// TestFreshRowsSurvive plays what a crash may leave: rows that are fresh, rows
// that left, and revisions of both, each read as its newest after every restart
// (Close writes nothing: the folder is as kill -9 would leave it).
func TestFreshRowsSurvive(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	now := time.Now().UTC()
	s := openTest(t, Options{Dir: dir, Now: func() time.Time { return now }})
	g := telemetrytest.NewGenerator(11, now.Add(-time.Hour))
	want := map[activity.RunID]activity.Run{}
	var ids []activity.RunID
	cursor := uint64(0)
	write := func(w *telemetry.Write) {
		t.Helper()
		cursor++
		w.Cursor = cursor
		if err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
		for i := range w.Runs {
			if _, ok := want[w.Runs[i].ID]; !ok {
				ids = append(ids, w.Runs[i].ID)
			}
			want[w.Runs[i].ID] = w.Runs[i]
		}
	}
	again := func(from, to int, status activity.RunStatus) *telemetry.Write {
		w := &telemetry.Write{}
		for _, id := range ids[from:to] {
			r := want[id]
			r.Revision++
			r.Status = status
			r.Steps++
			w.Runs = append(w.Runs, r)
		}
		return w
	}
	check := func(what string) {
		t.Helper()
		for _, id := range ids {
			got, err := s.Run(ctx, id)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if d := cmp.Diff(want[id], *got); d != "" {
				t.Fatalf("%s (-want +got):\n%s", what, d)
			}
		}
		if st, err := s.Stats(ctx); err != nil || int(st.Runs) != len(ids) {
			t.Fatalf("%s: %d runs (%v), want %d", what, st.Runs, err, len(ids))
		}
	}
	restart := func(what string) {
		t.Helper()
		check(what)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, Options{Dir: dir, Now: func() time.Time { return now }})
		check(what + ", restarted")
		if err := s.maintain(ctx, true); err != nil {
			t.Fatal(err)
		}
		check(what + ", merged")
	}
	first := g.Write(40)
	for i := range first.Runs {
		first.Runs[i].Status, first.Runs[i].Revision = activity.RunRunning, 1
	}
	write(first)
	if n := s.fresh.len(); n != 40 {
		t.Fatalf("%d fresh rows, want 40", n)
	}
	restart("all are fresh")
	write(again(0, 20, activity.RunDone))
	restart("half are over")
	s.write.Lock()
	err := s.flushFresh(false)
	s.write.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if n := s.fresh.len(); n != 20 {
		t.Fatalf("%d fresh rows, want 20", n)
	}
	restart("half have left")
	write(again(10, 30, activity.RunRunning)) // late news of some that left
	restart("late news")
	now = now.Add(freshFor)
	write(again(30, 40, activity.RunRunning))
	if n := s.fresh.len(); n != 0 {
		t.Errorf("%d rows are fresh after %v", n, freshFor)
	}
	restart("all have left")
	var blobs int
	if err := s.index.w.QueryRow(`SELECT count(*) FROM fresh`).Scan(&blobs); err != nil || blobs != 0 {
		t.Errorf("%d blobs of fresh rows are left (%v)", blobs, err)
	}
}

// TestQuestionsSeeFreshRows holds that what was appended is found at once.
func TestQuestionsSeeFreshRows(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	w := fill(t, s, 1, 30)
	if s.fresh.len() == 0 {
		t.Fatal("no rows are fresh")
	}
	page, err := s.Runs(t.Context(), telemetry.RunsQuery{Limit: 100})
	if err != nil || len(page.Runs) != len(w.Runs) {
		t.Errorf("%d runs are listed (%v), want %d", len(page.Runs), err, len(w.Runs))
	}
	more := telemetrytest.NewGenerator(2, time.Now().UTC().Add(-time.Hour)).Write(30)
	more.Cursor = w.Cursor + 1
	if err := s.Append(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	res, err := s.Query(t.Context(), telemetry.Query{Table: "runs", GroupBy: []string{"outcome"}})
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, r := range res.Rows {
		n += toInt(r[1])
	}
	if n != 60 {
		t.Errorf("%d runs are counted, want 60", n)
	}
}

// The room for packed rows is what they take, whichever of them comes first.
func TestPackFreshRoom(t *testing.T) {
	t.Parallel()
	rows := make([]*activity.Run, 1000)
	for i := range rows {
		rows[i] = &activity.Run{Name: "small"}
	}
	for range 64 {
		rows[0].Tags = append(rows[0].Tags, strings.Repeat("x", 1000))
	}
	data, each := packFresh(rows)
	total := 0
	for _, b := range each {
		total += len(b)
	}
	if cap(data) > 2*total {
		t.Errorf("room for %d bytes, rows of %d", cap(data), total)
	}
	back, _, err := unpackFresh(data)
	if err != nil || len(back) != len(rows) || len(back[0].Tags) != 64 || back[999].Name != "small" {
		t.Fatalf("%d rows, %v", len(back), err)
	}
}
