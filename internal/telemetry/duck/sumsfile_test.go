package duck

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

func always([]int64) bool { return true }

// wholeDays is a question whose answer is made of kept ones alone.
func wholeDays(first time.Time) telemetry.Query {
	return telemetry.Query{
		Table: "runs", From: first.AddDate(0, 0, 1), To: first.AddDate(0, 0, 4), NoTests: true, GroupBy: []string{"user"},
		Select: []telemetry.Measure{{Func: "count", As: "n"}, {Func: "sum", Field: "cost", As: "cost"}, {Func: "bins", Field: "duration_ms", As: "durations"}, {Func: "max", Field: "cost", As: "most"}},
	}
}

// TestSumsOutliveARestart: what was answered of whole days is read from disk after a
// start, without the query child; after a change of a day it is asked again.
func TestSumsOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, Options{Dir: dir})
	first, last := busyDays(t, s)
	ask := func(s *Store) *telemetry.Result {
		t.Helper()
		res, err := s.Query(t.Context(), wholeDays(first))
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	want := ask(s)
	if len(want.Rows) < 50 {
		t.Fatalf("%d rows", len(want.Rows))
	}
	if s.sums.save(s.still); len(s.sums.files.kept) != 0 {
		t.Error("answers of days that move are on disk")
	}
	for s.sums.save(always) {
	}
	if n := len(s.sums.files.kept); n != 3 {
		t.Fatalf("%d answers are on disk, want one of each day", n)
	}
	reopen := func() *Store {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, Options{Dir: dir})
		return s
	}
	got := ask(reopen())
	if s.child.started != 0 {
		t.Error("the query child was asked for what is on disk")
	}
	if !reflect.DeepEqual(got.Rows, want.Rows) || !reflect.DeepEqual(got.Columns, want.Columns) {
		t.Errorf("from disk:\n%v\nwant\n%v", got.Rows, want.Rows)
	}

	// Late words about runs of those days.
	again := &telemetry.Write{Cursor: last.Cursor + 1, Runs: append([]activity.Run(nil), last.Runs...)}
	for i := range again.Runs {
		again.Runs[i].Revision++
		again.Runs[i].Cost.Nanos += 1e9
	}
	if err := s.Append(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	after := ask(reopen())
	whole, err := s.queryPart(t.Context(), &queryPlan{Query: pointer(wholeDays(first)), now: s.o.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Rows) != len(whole.Rows) || reflect.DeepEqual(after.Rows, want.Rows) {
		t.Fatalf("after late words: %d rows, want %d, and others than before", len(after.Rows), len(whole.Rows))
	}
	for i, row := range whole.Rows {
		for j, v := range row {
			if !alike(after.Rows[i][j], v) {
				t.Errorf("after late words: row %d: %v, want %v", i, after.Rows[i][j], v)
			}
		}
	}

	// Erased runs are in no answer on disk, and answers to other days stay.
	for s.sums.save(always) {
	}
	before := len(s.sums.files.kept)
	day := first.AddDate(0, 0, 1)
	gone := telemetry.Forget{Runs: map[activity.RunID]struct{}{}}
	for i := range last.Runs {
		if at := timeOf(last.Runs[i].Start); !at.Before(day) && at.Before(day.AddDate(0, 0, 1)) {
			gone.Runs[last.Runs[i].ID] = struct{}{}
		}
	}
	if len(gone.Runs) == 0 || before != 6 { // of before the late words, and of after
		t.Fatalf("%d runs to forget, %d answers", len(gone.Runs), before)
	}
	if _, err := s.Forget(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if n := len(s.sums.files.kept); n != 4 {
		t.Errorf("%d answers are on disk after runs of one day were forgotten, want 4", n)
	}
	files, err := os.ReadDir(filepath.Join(dir, "sums"))
	if err != nil || len(files) != 4 {
		t.Errorf("%d files: %v", len(files), err)
	}
}

func pointer[T any](v T) *T { return &v }

// TestDamagedSumsAreNotBelieved: of a file with any byte changed, or cut anywhere,
// nothing is read; nor of one whose segments have other bytes under the same names.
func TestDamagedSumsAreNotBelieved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, Options{Dir: dir})
	busyDays(t, s)
	segs := s.segs.of(tableRuns, allDays)
	ids := []int64{segs[0].id, segs[1].id}
	key, rows := [32]byte{1, 2}, [][]any{{"kim", int64(-3), 0.5, nil, true, telemetry.Bins{{Key: 7, N: 2}, {Key: 1 << 60, N: -1}}}, {"", int64(math.MinInt64), math.Inf(1), "x", false, telemetry.Bins{}}}
	sums := filepath.Join(dir, "sums")
	open := func() *sumFiles {
		t.Helper()
		f, err := openSums(sums, s.segs)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := open()
	f.save(key, ids, rows)
	path := f.path(key)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok := open().load(key, ids); !ok || !reflect.DeepEqual(got, rows) {
		t.Fatalf("%v, %v", got, ok)
	}
	for i := range whole {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x10
		write(bad)
		if got, ok := open().load(key, ids); ok {
			t.Fatalf("with byte %d changed: %v", i, got)
		}
		write(whole[:i])
		f := open()
		if got, ok := f.load(key, ids); ok {
			t.Fatalf("cut at byte %d: %v", i, got)
		}
		if f.size != 0 || len(f.kept) != 0 {
			t.Fatalf("%d bytes are counted of what is not there", f.size)
		}
	}
	for what, c := range map[string]struct {
		key [32]byte
		ids []int64
	}{"another statement": {[32]byte{9}, ids}, "fewer segments": {key, ids[:1]}, "another segment": {key, []int64{ids[0], segs[2].id}}} {
		write(whole)
		if _, ok := open().load(c.key, c.ids); ok {
			t.Errorf("an answer to %s is believed", what)
		}
	}
	// A manifest that was put back gives numbers again.
	one, err := os.ReadFile(s.segs.path(segs[0]))
	if err != nil {
		t.Fatal(err)
	}
	one[len(one)-100] ^= 1
	if err := os.WriteFile(s.segs.path(segs[0]), one, 0o600); err != nil {
		t.Fatal(err)
	}
	write(whole)
	if _, ok := open().load(key, ids); ok {
		t.Error("an answer is believed whose segment has other bytes")
	}
	// What no longer lies in the manifest.
	one[len(one)-100] ^= 1
	if err := os.WriteFile(s.segs.path(segs[0]), one, 0o600); err != nil {
		t.Fatal(err)
	}
	f = open()
	f.save(key, ids, rows)
	s.segs.replace([]segment{segs[1]}, nil)
	if err := f.prune(); err != nil || len(f.kept) != 0 {
		t.Errorf("%d are kept of segments that are gone: %v", len(f.kept), err)
	}
	if f.save(key, ids, rows); len(f.kept) != 0 {
		t.Error("an answer of segments that are gone is written")
	}
	if files, err := os.ReadDir(sums); err != nil || len(files) != 0 {
		t.Errorf("%d files are left: %v", len(files), err)
	}
}

// TestSumFilesAreBounded: the longest unused goes first.
func TestSumFilesAreBounded(t *testing.T) {
	t.Parallel()
	f, err := openSums(t.TempDir(), newSegments(t.TempDir(), nil))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 5 {
		f.kept[[32]byte{byte(i)}] = &sumFile{size: sumFilesBytes / 3, used: now.Add(time.Duration(i) * time.Second)}
		f.size += sumFilesBytes / 3
	}
	f.bound()
	if len(f.kept) != 3 || f.kept[[32]byte{4}] == nil || f.kept[[32]byte{0}] != nil || f.size > sumFilesBytes {
		t.Errorf("%d of %d bytes are kept", len(f.kept), f.size)
	}
}

func FuzzUnpackRows(f *testing.F) {
	b, _ := packRows([][]any{{"kim", int64(-3), 0.5, nil, true, telemetry.Bins{{Key: 7, N: 2}}}})
	f.Add(b)
	f.Add([]byte{1, 1, cellBins, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0xff, 0xff, 0x03, 0xff, 0xff, 0x03})
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := unpackRows(b)
		if err != nil {
			return
		}
		again, ok := packRows(rows)
		if !ok {
			t.Fatalf("%v cannot be written", rows)
		}
		if back, err := unpackRows(again); err != nil || len(back) != len(rows) {
			t.Fatalf("%v: %d rows of %d", err, len(back), len(rows))
		}
	})
}
