package columnar

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

var every = []Column{
	{Name: "a", Kind: Int64, Encoding: Plain, Raw: true},
	{Name: "b", Kind: Int64, Encoding: Delta, Bounds: true},
	{Name: "c", Kind: Int64, Encoding: Dictionary, Bounds: true},
	{Name: "d", Kind: Int64, Encoding: Delta, Optional: true, Bounds: true},
	{Name: "e", Kind: Int64, Encoding: Dictionary, Optional: true},
	{Name: "f", Kind: Text, Encoding: Plain},
	{Name: "g", Kind: Text, Encoding: Delta, Bounds: true},
	{Name: "h", Kind: Text, Encoding: Dictionary, Bounds: true},
	{Name: "i", Kind: Bytes, Encoding: Delta, Optional: true},
	{Name: "j", Kind: ID, Encoding: Plain, Raw: true},
	{Name: "k", Kind: ID, Encoding: Dictionary},
	{Name: "l", Kind: Bool},
	{Name: "m", Kind: Double},
	{Name: "n", Kind: Text, Encoding: Dictionary, Optional: true},
}

// row is a value for each column of every.
type row []parquet.Value

// makeRows makes rows; the smaller spread, the more they repeat.
func makeRows(rng *rand.Rand, n, spread int) []row {
	out := make([]row, n)
	null := false
	for i := range out {
		if rng.IntN(20) == 0 {
			null = !null // in stretches, as they come
		}
		number := func() parquet.Value { return parquet.Int64Value(int64(rng.IntN(spread)) - 3) }
		text := func() parquet.Value {
			return parquet.ByteArrayValue([]byte(strings.Repeat("é-", rng.IntN(4)) + fmt.Sprint(rng.IntN(spread))))
		}
		id := func() parquet.Value {
			return parquet.FixedLenByteArrayValue(fmt.Appendf(nil, "%016d", rng.IntN(spread)))
		}
		maybe := func(v parquet.Value) parquet.Value {
			if null || rng.IntN(9) == 0 {
				return parquet.Value{}
			}
			return v
		}
		out[i] = row{
			parquet.Int64Value(rng.Int64() - 1<<62), number(), number(), maybe(number()), maybe(number()), text(), text(), text(), maybe(text()), id(), id(),
			parquet.BooleanValue(rng.IntN(3) == 0), parquet.DoubleValue(rng.NormFloat64()),
			parquet.Value{},
		}
		if spread > 1 {
			out[i][13] = maybe(text())
		}
	}
	return out
}

func fill(w *Writer, rows []row) {
	for c := range every {
		for _, r := range rows {
			w.Column(c).Value(r[c])
		}
	}
	w.Flush(len(rows))
}

func readAll(t *testing.T, b []byte) []row {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)), parquet.SkipPageIndex(true))
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	for _, g := range f.RowGroups() {
		part := make([]row, g.NumRows())
		for i := range part {
			part[i] = make(row, len(every))
		}
		for c, chunk := range g.ColumnChunks() {
			pages, n := chunk.Pages(), 0
			for {
				p, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("column %s: %v", every[c].Name, err)
				}
				vs := make([]parquet.Value, p.NumValues())
				if _, err := p.Values().ReadValues(vs); err != nil && err != io.EOF {
					t.Fatalf("column %s: %v", every[c].Name, err)
				}
				for _, v := range vs {
					part[n][c] = v.Clone()
					n++
				}
			}
			if n != len(part) {
				t.Fatalf("column %s has %d values, want %d", every[c].Name, n, len(part))
			}
			_ = pages.Close()
		}
		out = append(out, part...)
	}
	return out
}

func compare(t *testing.T, got, want []row) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		for c := range every {
			if !parquet.Equal(got[i][c], want[i][c]) {
				t.Fatalf("row %d, column %s: %v, want %v", i, every[c].Name, got[i][c], want[i][c])
			}
		}
	}
}

func TestFilesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	w := NewWriter(every) // one writer for all: what a file leaves behind must not show in the next
	for _, n := range []int{0, 1, 7, 8, 9, 64, 1000, 70_000} {
		for _, spread := range []int{1, 5, 100_000} {
			if n > pageRows && spread == 1 {
				continue // takes long with the race detector
			}
			rows := makeRows(rand.New(rand.NewPCG(uint64(n), uint64(spread))), n, spread)
			var b bytes.Buffer
			if n > 10 {
				fill(w, rows[:n/3])
				fill(w, rows[n/3:])
			} else {
				fill(w, rows)
			}
			if _, err := w.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			compare(t, readAll(t, b.Bytes()), rows)
		}
	}
}

func TestBoundsHoldAllValues(t *testing.T) {
	t.Parallel()
	w := NewWriter(every)
	rows := makeRows(rand.New(rand.NewPCG(1, 2)), 3000, 900)
	fill(w, rows)
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for c, chunk := range f.Metadata().RowGroups[0].Columns {
		s := chunk.MetaData.Statistics
		if !every[c].Bounds {
			if s.MinValue != nil || s.MaxValue != nil {
				t.Errorf("column %s has bounds that nobody asked for", every[c].Name)
			}
			continue
		}
		var lo, hi parquet.Value
		typ := f.Schema().Fields()[c].Type()
		for i, r := range rows {
			if r[c].IsNull() {
				continue
			}
			if lo.IsNull() || typ.Compare(r[c], lo) < 0 {
				lo = r[c]
			}
			if hi.IsNull() || typ.Compare(r[c], hi) > 0 {
				hi = rows[i][c]
			}
		}
		if !bytes.Equal(s.MinValue, lo.AppendBytes(nil)) || !bytes.Equal(s.MaxValue, hi.AppendBytes(nil)) {
			t.Errorf("column %s has bounds %q to %q, want %v to %v", every[c].Name, s.MinValue, s.MaxValue, lo, hi)
		}
	}
}

func TestJoinedFilesHoldAllRowsInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 4))
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	j, err := NewJoiner(out, every)
	if err != nil {
		t.Fatal(err)
	}
	var want []row
	w := NewWriter(every)
	for n := range 5 {
		rows := makeRows(rng, 100+n, 40)
		want = append(want, rows...)
		fill(w, rows[:30])
		fill(w, rows[30:])
		if n == 2 {
			if err := j.Append(w); err != nil {
				t.Fatal(err)
			}
			continue
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			t.Fatal(err)
		}
		size, err := w.WriteTo(f)
		if err != nil {
			t.Fatal(err)
		}
		pf, err := parquet.OpenFile(f, size)
		if err != nil {
			t.Fatal(err)
		}
		for i := range pf.Metadata().RowGroups {
			if err := j.Copy(f, &pf.Metadata().RowGroups[i]); err != nil {
				t.Fatal(err)
			}
		}
		_ = f.Close()
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	compare(t, readAll(t, b), want)
}

// TestCopyRefusesOtherLayouts holds that a row group of an older release is not
// copied under names it does not have.
func TestCopyRefusesOtherLayouts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	less := slices.Clone(every[:len(every)-1])
	w := NewWriter(less)
	for c := range less {
		w.Column(c).Value(makeRows(rand.New(rand.NewPCG(1, 1)), 1, 5)[0][c])
	}
	w.Flush(1)
	size, err := w.WriteTo(f)
	if err != nil {
		t.Fatal(err)
	}
	pf, err := parquet.OpenFile(f, size)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	j, err := NewJoiner(out, every)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Copy(f, &pf.Metadata().RowGroups[0]); err != ErrLayout {
		t.Errorf("copying another layout: %v, want ErrLayout", err)
	}
}

// TestWritingAllocatesLittle holds that buffers are reused.
func TestWritingAllocatesLittle(t *testing.T) {
	rows := makeRows(rand.New(rand.NewPCG(5, 6)), 2000, 50)
	w := NewWriter(every)
	n := testing.AllocsPerRun(10, func() {
		fill(w, rows)
		if _, err := w.WriteTo(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
	if limit := 600.0; n > limit {
		t.Errorf("%v allocations a file of %d rows, limit %v", n, len(rows), limit)
	}
}
