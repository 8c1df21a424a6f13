package duck

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/telemetry/telemetrytest"
)

// busyDays fills five days with runs of tasks and outcomes, tests and people among
// them.
func busyDays(t *testing.T, s *Store) (first time.Time, last *telemetry.Write) {
	t.Helper()
	first = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -5)
	g := telemetrytest.NewGenerator(9, first)
	g.Span, g.Agents = 5*24*time.Hour, 5
	for i := range 12 {
		last = g.Write(25)
		for j := range last.Runs {
			r := &last.Runs[j]
			r.Task, r.Outcome = []string{"", "refund", "order"}[j%3], []string{"resolved", "failed", "escalated", ""}[(i+j)%4]
			if j%11 == 0 {
				r.Mode = "test"
			}
		}
		for j := range last.Steps {
			if f := &last.Steps[j].Fragment; f.Kind == activity.KindTool {
				f.ToolName = []string{"lookup", "refund", "mail"}[(i+j)%3]
				if j%13 == 0 {
					f.Kind = activity.KindHuman
				}
			}
		}
		if err := s.Append(t.Context(), last); err != nil {
			t.Fatal(err)
		}
	}
	s.settleRuns()
	return first, last
}

// questions are of every kind that is asked in parts.
func questions(from, to time.Time) map[string]telemetry.Query {
	human, err := search.ParseIn(search.ScopeRun, "any(kind:human)")
	if err != nil {
		panic(err)
	}
	figures := []telemetry.Measure{
		{Func: "count", As: "n"},
		{Func: "count", Field: "cost", As: "priced"},
		{Func: "sum", Field: "cost", As: "cost"},
		{Func: "squares", Field: "input_tokens", As: "squares"},
		{Func: "products", Field: "input_tokens", With: "output_tokens", As: "products"},
		{Func: "bins", Field: "duration_ms", As: "durations"},
		{Func: "min", Field: "cost", As: "least"},
		{Func: "max", Field: "cost", As: "most"},
		{Func: "count", As: "none", Where: search.Is("agent", "nobody")},
		{Func: "sum", Field: "cost", As: "unknown", Where: search.Is("agent", "nobody")},
	}
	deep := append([]telemetry.Measure{{Func: "sum", Field: "waiting_ms", As: "waiting"}, {Func: "bins", Field: "path", As: "paths"}, {Func: "sum", Field: "tool_successes", As: "acted"}, {Func: "products", Field: "cost", With: "tool_successes", As: "paid"}, {Func: "count", As: "people", Where: human}}, figures...)
	return map[string]telemetry.Query{
		"runs":                 {Table: "runs", From: from, To: to, NoTests: true, Select: deep},
		"runs by agent, task":  {Table: "runs", From: from, To: to, NoTests: true, Select: deep, GroupBy: []string{"agent", "task", "failed"}},
		"runs by time":         {Table: "runs", From: from, To: to, NoTests: true, Select: deep, Bucket: 7 * time.Hour, GroupBy: []string{"outcome"}},
		"with people":          {Table: "runs", From: from, To: to, Where: human, Select: figures},
		"steps":                {Table: "steps", From: from, To: to, NoTests: true, Select: figures},
		"quantiles, binned":    {Table: "steps", From: from, To: to, Select: []telemetry.Measure{{Func: "count", As: "n"}}, Binned: true, GroupBy: []string{"kind"}},
		"steps by model":       {Table: "steps", From: from, To: to, NoTests: true, Select: figures, GroupBy: []string{"model", "run_task"}, OrderBy: "-n"},
		"one team's":           {Table: "steps", From: from, To: to, NoTests: true, Select: figures, Teams: []string{"team-a"}, GroupBy: []string{"kind"}},
		"the largest two":      {Table: "steps", From: from, To: to, Select: figures, GroupBy: []string{"model"}, OrderBy: "-n", Limit: 2},
		"until now, no groups": {Table: "runs", From: from, Select: figures},
		"of nobody":            {Table: "runs", From: from, To: to, Where: search.Is("agent", "nobody"), Select: figures},
	}
}

// TestPartsAddUp: an answer in parts is that of one statement.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	first, last := busyDays(t, s)
	compare := func(when string) {
		t.Helper()
		from, to := first.Add(10*time.Hour+17*time.Minute), first.Add(4*24*time.Hour+15*time.Hour+3*time.Second)
		for name, q := range questions(from, to) {
			now := s.o.Now()
			parts := partsOf(&q, now, func(time.Time) bool { return false })
			if len(parts) < 5 {
				t.Fatalf("%s: %s: %d parts", when, name, len(parts))
			}
			got, err := s.queryParts(t.Context(), &q, parts, now)
			if err != nil {
				t.Fatalf("%s: %s: %v", when, name, err)
			}
			want, err := s.queryPart(t.Context(), &queryPlan{Query: &q, now: now})
			if err != nil {
				t.Fatalf("%s: %s: %v", when, name, err)
			}
			if len(got.Rows) != len(want.Rows) || got.Cut != want.Cut || len(want.Rows) == 0 {
				t.Fatalf("%s: %s: %d rows, cut %v, want %d, %v", when, name, len(got.Rows), got.Cut, len(want.Rows), want.Cut)
			}
			for i, row := range want.Rows {
				for j, v := range row {
					if c := want.Columns[j]; c != got.Columns[j] {
						t.Errorf("%s: %s: column %v, want %v", when, name, got.Columns[j], c)
					}
					if !alike(got.Rows[i][j], v) {
						t.Errorf("%s: %s: row %d: %s is %v, want %v", when, name, i, want.Columns[j].Name, got.Rows[i][j], v)
					}
				}
			}
		}
	}
	compare("at first")
	paths, err := s.Query(t.Context(), telemetry.Query{Table: "runs", From: first, Select: []telemetry.Measure{{Func: "distinct", Field: "path", As: "n"}}})
	if err != nil {
		t.Fatal(err)
	}
	spelt, err := s.Query(t.Context(), telemetry.Query{Table: "runs", From: first, GroupBy: []string{"path"}})
	if err != nil || len(spelt.Rows) < 5 || fmt.Sprint(paths.Rows[0][0]) != fmt.Sprint(len(spelt.Rows)) {
		t.Errorf("%v orders of tool calls, and %d spelt out: %v", paths.Rows[0][0], len(spelt.Rows), err)
	}
	compare("from what is kept")

	// A late word about a run, one that turns out to have begun the day before, and
	// one that was a test.
	again := &telemetry.Write{Cursor: last.Cursor + 1, Runs: append([]activity.Run(nil), last.Runs...)}
	for i := range again.Runs {
		r := &again.Runs[i]
		r.Revision, r.Outcome = r.Revision+1, "verified_resolved"
		switch i % 3 {
		case 1:
			r.Start -= int64(24 * time.Hour)
		case 2:
			r.Mode = "test"
		}
	}
	if err := s.Append(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	s.settleRuns()
	compare("after late words")
	gone := telemetry.Forget{Runs: map[activity.RunID]struct{}{}}
	for i := range last.Runs[:5] {
		gone.Runs[last.Runs[i].ID] = struct{}{}
	}
	if _, err := s.Forget(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for _, k := range s.sums.kept {
		if !k.named || !s.sums.files.alive(k.ids) {
			t.Errorf("an answer is kept that names segments which runs were taken out of: %v", k.ids)
		}
	}
	compare("after some were forgotten")
}

// TestAnswersAreOnesOwn: who asks the same at the same time may write into what it
// gets, as the API does with times.
func TestAnswersAreOnesOwn(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	first, _ := busyDays(t, s)
	q := telemetry.Query{Table: "runs", From: first, To: first.Add(5 * 24 * time.Hour), Bucket: 6 * time.Hour, Select: []telemetry.Measure{{Func: "avg", Field: "cost", As: "mean"}}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			res, err := s.Query(t.Context(), q)
			if err != nil {
				t.Error(err)
				return
			}
			for _, row := range res.Rows {
				if _, ok := row[0].(int64); !ok {
					t.Errorf("a time is %v", row[0])
				}
				row[0] = "mine"
			}
		})
	}
	wg.Wait()
}

// TestErasedIsNotKept: an answer that was on its way while runs were forgotten is
// given to who asked, and not kept.
func TestErasedIsNotKept(t *testing.T) {
	t.Parallel()
	var c keptSums
	c.kept = map[[32]byte]*keptSum{}
	key := [32]byte{1}
	k := &keptSum{done: make(chan struct{}), rows: [][]any{{"kim"}}}
	c.kept[key] = k
	c.forget()
	c.finish(key, k, true)
	if len(c.kept) != 0 || c.size != 0 {
		t.Errorf("%d answers are kept", len(c.kept))
	}
}

// TestGroupsAreApart: a group without a name is not the one that is called so.
func TestGroupsAreApart(t *testing.T) {
	t.Parallel()
	columns := []telemetry.Column{{Name: "a", Kind: "dimension"}, {Name: "b", Kind: "dimension"}, {Name: "n", Kind: "measure"}}
	q := &telemetry.Query{GroupBy: []string{"a", "b"}, Select: []telemetry.Measure{{Func: "count", As: "n"}}}
	got := addUp(q, []*telemetry.Result{
		{Columns: columns, Rows: [][]any{{nil, "x", int64(1)}, {"<nil>", "x", int64(2)}, {"a\x00b", "c", int64(4)}}},
		{Columns: columns, Rows: [][]any{{nil, "x", int64(8)}, {"a", "b\x00c", int64(16)}}},
	})
	var counts []int64
	for _, row := range got.Rows {
		counts = append(counts, row[2].(int64))
	}
	slices.Sort(counts)
	if !slices.Equal(counts, []int64{2, 4, 9, 16}) {
		t.Errorf("%v", counts)
	}
}

func alike(a, b any) bool {
	x, isNumber := b.(float64)
	if n, ok := b.(int64); ok {
		x, isNumber = float64(n), true
	}
	if isNumber {
		return a != nil && math.Abs(toFloat(a)-x) <= 1e-9*max(1, math.Abs(x))
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// TestPartsOfATime: what a period is split into.
func TestPartsOfATime(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC) }
	still := func(time.Time) bool { return false }
	today := func(day time.Time) bool { return day.Equal(at(9, 0, 0)) }
	count := []telemetry.Measure{{Func: "count"}}
	kin, err := search.ParseIn(search.ScopeStep, "child(kind:tool)")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q     telemetry.Query
		moves func(time.Time) bool
		want  string
	}{
		"a week":             {telemetry.Query{Table: "runs", Select: count, From: at(2, 13, 40), To: at(4, 15, 20)}, still, "2:13:40-2:14:00 2:14:00-3:00:00* 3:00:00-4:00:00* 4:00:00-4:15:00* 4:15:00-4:15:20"},
		"on the hour":        {telemetry.Query{Table: "runs", Select: count, From: at(2, 0, 0), To: at(4, 0, 0)}, still, "2:00:00-3:00:00* 3:00:00-4:00:00*"},
		"today moves":        {telemetry.Query{Table: "runs", Select: count, From: at(7, 13, 40), To: at(9, 15, 20)}, today, "7:13:40-7:14:00 7:14:00-8:00:00* 8:00:00-9:00:00* 9:00:00-9:15:20"},
		"all of it moves":    {telemetry.Query{Table: "runs", Select: count, From: at(9, 1, 40), To: at(9, 15, 20)}, today, ""},
		"an hour":            {telemetry.Query{Table: "runs", Select: count, From: at(2, 13, 40), To: at(2, 14, 40)}, still, ""},
		"no beginning":       {telemetry.Query{Table: "runs", Select: count, To: at(2, 14, 40)}, still, ""},
		"a quantile":         {telemetry.Query{Table: "runs", Select: []telemetry.Measure{{Func: "p95", Field: "cost"}}, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
		"one from bins":      {telemetry.Query{Table: "runs", Binned: true, Select: []telemetry.Measure{{Func: "p95", Field: "cost"}}, From: at(2, 0, 0), To: at(4, 0, 0)}, still, "2:00:00-3:00:00* 3:00:00-4:00:00*"},
		"a mean":             {telemetry.Query{Table: "runs", Select: []telemetry.Measure{{Func: "avg", Field: "cost"}}, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
		"different ones":     {telemetry.Query{Table: "runs", Select: []telemetry.Measure{{Func: "distinct", Field: "user"}}, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
		"each run":           {telemetry.Query{Table: "runs", Select: count, GroupBy: []string{"run"}, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
		"a step's next":      {telemetry.Query{Table: "steps", Select: count, Where: kin, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
		"a phrase":           {telemetry.Query{Table: "runs", Select: count, Where: &search.Text{Phrase: "x"}, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
		"messages, as whole": {telemetry.Query{Table: "messages", Select: count, From: at(2, 0, 0), To: at(4, 0, 0)}, still, ""},
	} {
		got := ""
		for i, p := range partsOf(&c.q, at(9, 20, 0), c.moves) {
			if i > 0 {
				got += " "
			}
			got += p.from.Format("2:15:04") + "-" + p.to.Format("2:15:04")
			if p.whole {
				got += "*"
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestKeptSumsAreBounded: the longest unused goes first, and errors are not kept.
func TestKeptSumsAreBounded(t *testing.T) {
	t.Parallel()
	var c keptSums
	c.kept = map[[32]byte]*keptSum{}
	for i := range 5 {
		key := [32]byte{byte(i)}
		k := &keptSum{done: make(chan struct{}), used: int64(i + 1)}
		k.rows = [][]any{{make([]byte, 0), string(make([]byte, sumsBytes/3))}}
		c.kept[key] = k
		c.finish(key, k, true)
	}
	if len(c.kept) != 2 || c.kept[[32]byte{4}] == nil || c.size > sumsBytes {
		t.Errorf("%d answers of %d bytes are kept", len(c.kept), c.size)
	}
	bad := &keptSum{done: make(chan struct{}), err: errCorrupt}
	c.kept[[32]byte{9}] = bad
	c.finish([32]byte{9}, bad, true)
	if c.kept[[32]byte{9}] != nil {
		t.Error("an error is kept")
	}
}

// TestBinsAreCountedAlike: bins are the same whether DuckDB counts rows or sends a key
// of each, and those that Go makes; rows without a value and rows that a condition
// leaves out are in none.
func TestBinsAreCountedAlike(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	column := measureColumn{"v / 1e6", "ms"}
	values := []int64{0, 1, 999, 4095, 4096, 4097, 1e6, 1e6, 1_234_567, 9e12, 1e6}
	want := map[uint64]int64{}
	var rows []string
	for i, v := range values {
		rows = append(rows, fmt.Sprintf("(%d, %t)", v, i < 10))
		if i < 10 {
			want[telemetry.BinKey(float64(v)/1e6, "ms")]++
		}
	}
	rows = append(rows, "(NULL, true)")
	for _, few := range []bool{true, false} {
		sql := "SELECT " + strings.ReplaceAll(binsSQL(column, few), here, " FILTER (WHERE c)") + ", " + strings.ReplaceAll(binsSQL(column, few), here, " FILTER (WHERE v < 0)") +
			" FROM (VALUES " + strings.Join(rows, ", ") + ") x(v, c)"
		got, err := askChild(t.Context(), s.child, sql, nil, []int{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		bins := got[0][0].(telemetry.Bins)
		if len(bins) != len(want) || bins.Total() != 10 || !slices.IsSortedFunc(bins, func(a, b telemetry.Bin) int { return cmp.Compare(a.Key, b.Key) }) {
			t.Errorf("few %v: %v, want %v", few, bins, want)
		}
		for _, b := range bins {
			if b.N != want[b.Key] {
				t.Errorf("few %v: bin %d has %d, want %d", few, b.Key, b.N, want[b.Key])
			}
		}
		if none := got[0][1].(telemetry.Bins); len(none) != 0 {
			t.Errorf("few %v: %v of no rows", few, none)
		}
	}
}
