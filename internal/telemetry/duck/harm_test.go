package duck

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go/format"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

func fill(t *testing.T, s *Store, writes, runs int) *telemetry.Write {
	t.Helper()
	g := telemetrytest.NewGenerator(1, time.Now().UTC().Truncate(24*time.Hour))
	g.History = 40
	var first *telemetry.Write
	for range writes {
		w := g.Write(runs)
		if err := s.Append(context.Background(), w); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = w
		}
	}
	return first
}

// TestMergeCopies holds that large segments are joined by copying: the codec
// and the encodings stay, and every row is found where the side file says.
func TestMergeCopies(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	w := fill(t, s, 20, 12)
	ctx := context.Background()
	if err := s.maintain(ctx, true); err != nil {
		t.Fatal(err)
	}
	group := s.segs.of(tableSteps, allDays)
	if len(group) >= 20 {
		t.Fatalf("%d segments after a merge", len(group))
	}
	// Copy what is there, whatever its size.
	out := segment{table: tableSteps, day: group[0].day, tier: 1}
	id, err := s.index.reserve(1)
	if err != nil {
		t.Fatal(err)
	}
	out.id = id
	if err := s.join(group, &out, false, func(*openSegment) ([]uint32, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	groups := 0
	for _, g := range group {
		o, err := s.segs.acquire(g)
		if err != nil {
			t.Fatal(err)
		}
		groups += len(o.file.RowGroups())
		s.segs.release(o)
	}
	s.write.Lock()
	err = errors.Join(s.index.swap(group, []segment{out}))
	s.segs.replace(group, []segment{out})
	s.write.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.segs.acquire(out)
	if err != nil {
		t.Fatal(err)
	}
	defer s.segs.release(o)
	md := o.file.Metadata()
	if len(md.RowGroups) != groups {
		t.Errorf("the copy has %d row groups, its sources %d", len(md.RowGroups), groups)
	}
	for _, rg := range md.RowGroups {
		for i, c := range rg.Columns {
			if (c.MetaData.Codec != format.Zstd) != steps.layout[i].Raw {
				t.Fatalf("column %v has codec %v", c.MetaData.PathInSchema, c.MetaData.Codec)
			}
		}
	}
	for _, r := range w.Runs {
		got, err := s.Steps(ctx, r.ID)
		if err != nil || int64(len(got)) != r.Steps {
			t.Fatalf("%d steps (%v), want %d", len(got), err, r.Steps)
		}
	}
}

// TestMergeDropsDeadRows merges revisions away and forgets the list of them.
func TestMergeDropsDeadRows(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	w := fill(t, s, 1, 5)
	ctx := context.Background()
	for i := range 16 {
		again := &telemetry.Write{Cursor: 100 + uint64(i), Steps: w.Steps[:7], Runs: w.Runs[:2]}
		for j := range again.Steps {
			again.Steps[j].Revision++
		}
		for j := range again.Runs {
			again.Runs[j].Revision++
		}
		if err := s.Append(ctx, again); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := s.maintain(ctx, false); err != nil {
			t.Fatal(err)
		}
	}
	var rows int64
	for _, g := range s.segs.of(tableSteps, allDays) {
		rows += g.rows
	}
	if limit := int64(len(w.Steps)) + 7*17/2; rows > limit {
		t.Errorf("%d rows of steps are left, want at most %d", rows, limit)
	}
	got, err := s.Steps(ctx, w.Runs[0].ID)
	if err != nil || int64(len(got)) != w.Runs[0].Steps || got[0].Revision != 17 {
		t.Errorf("%d steps, first of revision %d (%v)", len(got), got[0].Revision, err)
	}
}

// TestMergeLeavesItsSourcesAlone looks at a file in the cache after a merge has
// sifted it: who reads it meanwhile, or after a merge that failed, must find
// every row, or a sound segment is taken for a damaged one.
func TestMergeLeavesItsSourcesAlone(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	w := fill(t, s, 1, 5)
	again := &telemetry.Write{Cursor: 100, Steps: w.Steps, Runs: w.Runs}
	for j := range again.Steps {
		again.Steps[j].Revision++
	}
	for j := range again.Runs {
		again.Runs[j].Revision++
	}
	if err := s.Append(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{tableRuns, tableSteps} {
		for _, g := range s.segs.of(table, allDays) {
			dead, _, err := s.deadRows(table, g.day)
			if err != nil {
				t.Fatal(err)
			}
			o, err := s.segs.acquire(g)
			if err != nil {
				t.Fatal(err)
			}
			to, err := newRecoder(scratchFile(t), layoutOf(table))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.joinSegment(to, g, false, func(o *openSegment) ([]uint32, error) { return staying(o, dead) }, &segmentIndex{}); err != nil || to.rows > g.rows {
				t.Errorf("%s: %d rows kept of %d: %v", table, to.rows, g.rows, err)
			}
			var rows int64
			for _, rg := range o.file.RowGroups() {
				rows += rg.NumRows()
			}
			if rows != g.rows {
				t.Errorf("%s: the open file has %d rows left of %d", table, rows, g.rows)
			}
			s.segs.release(o)
		}
	}
}

func scratchFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestDamagedSegmentsAreSetAside cuts and overwrites files; the rest stays
// readable.
func TestDamagedSegmentsAreSetAside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		harm func(path string) error
	}{
		{"cut", func(p string) error { return os.Truncate(p, 100) }},
		{"gone", os.Remove},
		{"zeros", func(p string) error {
			info, err := os.Stat(p)
			if err != nil {
				return err
			}
			return os.WriteFile(p, make([]byte, info.Size()), 0o600)
		}},
		{"pages", func(p string) error {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			copy(b[64:len(b)/2], bytes.Repeat([]byte{0xa5}, len(b)/2-64))
			return os.WriteFile(p, b, 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := openTest(t, Options{Dir: dir})
			fill(t, s, 1, 3)
			bad := s.segs.of(tableSteps, allDays)[0]
			g := telemetrytest.NewGenerator(2, time.Now().UTC().Truncate(24*time.Hour))
			w := g.Write(3)
			w.Cursor = 2
			if err := s.Append(context.Background(), w); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(s.segs.path(bad)); err != nil {
				t.Fatal(err)
			}
			s = openTest(t, Options{Dir: dir})
			for range 2 {
				for _, r := range w.Runs {
					got, err := s.Steps(context.Background(), r.ID)
					if err != nil || int64(len(got)) != r.Steps {
						t.Fatalf("a run of the sound segment has %d steps (%v), want %d", len(got), err, r.Steps)
					}
				}
			}
			first := telemetrytest.NewGenerator(1, time.Now().UTC().Truncate(24*time.Hour))
			first.History = 40
			if _, err := s.Steps(context.Background(), first.Write(3).Runs[0].ID); err != nil {
				t.Errorf("a run of the damaged segment: %v", err)
			}
		})
	}
}

func TestFolderIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	if _, err := Open(Options{Dir: s.o.Dir}); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a second store on the folder gives %v, want conflict", err)
	}
}

// TestUnwritableFolder stands a file where a partition's folder should be: the
// append fails whole, and works once it is gone.
func TestUnwritableFolder(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	g := telemetrytest.NewGenerator(1, time.Now().UTC().Truncate(24*time.Hour))
	w := g.Write(3)
	block := filepath.Join(s.o.Dir, "segments", dayName(dayOf(w.Steps[0].Start)))
	if err := os.WriteFile(block, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := s.Append(ctx, w); !fault.Is(err, fault.KindUnavailable) {
		t.Fatalf("append gives %v, want unavailable", err)
	}
	if at, err := s.Cursor(ctx, 0); at != 0 || err != nil {
		t.Errorf("the cursor is %d (%v) after a failed append", at, err)
	}
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx, w); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Steps(ctx, w.Runs[0].ID); err != nil || int64(len(got)) != w.Runs[0].Steps {
		t.Errorf("%d steps (%v), want %d", len(got), err, w.Runs[0].Steps)
	}
}

// TestWithoutTheChild holds that runs, steps, messages and rollups need no
// DuckDB, and that questions which do are refused as unavailable.
func TestWithoutTheChild(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{Exec: []string{"/nonexistent/query-child"}})
	w := fill(t, s, 1, 10)
	ctx := context.Background()
	if _, err := s.Run(ctx, w.Runs[0].ID); err != nil {
		t.Error(err)
	}
	if p, err := s.Runs(ctx, telemetry.RunsQuery{}); err != nil || len(p.Runs) != 10 {
		t.Errorf("%d runs, %v", len(p.Runs), err)
	}
	if m, err := s.Messages(ctx, w.Messages[0].Run, nil); err != nil || len(m) == 0 {
		t.Errorf("%d messages, %v", len(m), err)
	}
	if r, err := s.Query(ctx, telemetry.Query{Table: "steps", GroupBy: []string{"agent"}}); err != nil || r.Source != "rollups" {
		t.Errorf("rollups: %v", err)
	}
	if _, err := s.Query(ctx, telemetry.Query{Table: "steps", GroupBy: []string{"kind"}}); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("a question over rows gives %v, want unavailable", err)
	}
}

// TestChildComesBack kills the query process and asks again.
func TestChildComesBack(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	fill(t, s, 1, 3)
	ctx := context.Background()
	q := telemetry.Query{Table: "steps", GroupBy: []string{"kind"}}
	if _, err := s.Query(ctx, q); err != nil {
		t.Fatal(err)
	}
	p, err := s.child.running()
	if err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	if _, err := s.Query(ctx, q); err != nil {
		t.Errorf("after a kill: %v", err)
	}
}

// TestChildIsLockedUp asks the child for what it must refuse.
func TestChildIsLockedUp(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	fill(t, s, 1, 1)
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SELECT * FROM read_csv(" + quoteText(outside) + ")",
		"SELECT * FROM read_blob(" + quoteText(filepath.Join(s.o.Dir, "index.db")) + ")",
		"ATTACH " + quoteText(filepath.Join(s.o.Dir, "x.db")),
		"COPY (SELECT 1) TO " + quoteText(outside),
		"SET enable_external_access=true",
		"INSTALL httpfs",
	} {
		if _, err := s.child.query(context.Background(), sql, nil); err == nil {
			t.Errorf("the child did not refuse %s", sql)
		}
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(telemetrytest.Strings(telemetrytest.Int(telemetrytest.String(nil, "a", "b"), "n", -4), "l", "x", `"`, "\x1f"))
	f.Add([]byte{0x0a, 0x02, 0x0a, 0x00})
	f.Add([]byte{0x0a, 0x80, 0x00})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a, r renderer
		row := stepRow{Step: &activity.Step{}}
		row.Attributes, row.Span = raw, activity.SpanID{1}
		row.prepare(&a, &r)
		back := stepRow{Step: &activity.Step{}, rest: row.rest}
		back.Step.Step = row.Step.Step
		back.whole, back.sid, back.slo = row.whole, row.sid, row.slo
		back.texts.keys, back.texts.types, back.texts.values = string(row.attrs.keys), string(row.attrs.types), string(row.attrs.values)
		if err := back.finish(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.Attributes, raw) {
			t.Fatalf("%x came back as %x (texts %q %q %q)", raw, back.Attributes, row.attrs.keys, row.attrs.types, row.attrs.values)
		}
	})
}

// What is written by hand is what the packer writes.
func TestRefsAreWrittenAsRead(t *testing.T) {
	t.Parallel()
	refs := []activity.ContentRef{
		{Field: activity.ContentOutput, Format: "text", From: "gen_ai.output.messages", Order: activity.ContentBand(2) + 7, Messages: "0-31,33"},
		{},
	}
	p := packer{}
	p.refs(&refs)
	b := appendRefs(nil, refs)
	if !bytes.Equal(b, p.b) {
		t.Fatalf("wrote %x, the packer %x", b, p.b)
	}
	var back []activity.ContentRef
	r := packer{b: b, reading: true}
	if r.refs(&back); r.damaged || !slices.Equal(back, refs) {
		t.Fatalf("read %+v", back)
	}
}

func FuzzRecords(f *testing.F) {
	g := telemetrytest.NewGenerator(1, time.Unix(1e9, 0))
	w := g.Write(1)
	f.Add(packRun(nil, &w.Runs[0]))
	f.Add(packRest(nil, &w.Steps[1], true, true))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = unpackRun(b)
		var s activity.Step
		unpackRest(b, &s)
		_, _ = unpackRollups(b)
		_, _ = openParquet(bytes.NewReader(b), int64(len(b)))
	})
}
