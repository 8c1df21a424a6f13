package duck

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"reeve/internal/activity"
	"reeve/internal/telemetry/duck/columnar"
)

// column is one column of a table and both ways between it and a row. put
// appends one value a row to the column's buffer; get must copy what it keeps.
type column[T any] struct {
	columnar.Column
	put func(b *columnar.Buffer, rows []*T)
	get func(*T, parquet.Value)
}

// table is the layout of a table's segments. Columns are only ever added; a
// file without one leaves its field zero.
type table[T any] struct {
	name   string
	cols   []column[T]
	layout []columnar.Column
	blank  func([]T) // makes rows ready for reading; nil when they are as they come
}

func withBlank[T any](blank func([]T), t *table[T]) *table[T] {
	t.blank = blank
	return t
}

func newTable[T any](name string, cols ...column[T]) *table[T] {
	slices.SortFunc(cols, func(a, b column[T]) int { return strings.Compare(a.Name, b.Name) })
	t := &table[T]{name: name, cols: cols}
	for _, c := range cols {
		t.layout = append(t.layout, c.Column)
	}
	return t
}

// encoder writes rows of one table; it keeps its buffers. Not safe for
// concurrent use.
type encoder[T any] struct {
	t *table[T]
	w *columnar.Writer
}

// chunkRows is how many rows are taken column by column: so many lie in the
// processor's cache while the columns pass over them.
const chunkRows = 64

// encode writes n rows as one row group with their index and closes the file;
// g learns where the index is. at is asked for each row once, in order; what it
// gives need be valid only until the next chunkRows begin.
func (e *encoder[T]) encode(w io.Writer, g *segment, x *segmentIndex, n int, at func(int) *T) error {
	if e.w == nil {
		e.w = columnar.NewWriter(e.t.layout)
	}
	e.group(n, at)
	b := x.encode()
	g.idxAt, g.idxLen = e.w.Extra(b), int64(len(b))
	if _, err := e.w.WriteTo(w); err != nil {
		return fmt.Errorf("writing %s: %w", e.t.name, err)
	}
	return nil
}

// group adds the rows of one row group.
func (e *encoder[T]) group(n int, at func(int) *T) {
	var chunk [chunkRows]*T
	for from := 0; from < n; from += chunkRows {
		rows := chunk[:min(chunkRows, n-from)]
		for i := range rows {
			rows[i] = at(from + i)
		}
		for c := range e.t.cols {
			e.t.cols[c].put(e.w.Column(c), rows)
		}
		e.w.Rest()
	}
	e.w.Flush(n)
}

// read appends rows [row, row+n) of a segment to out. only limits the columns;
// none means all.
func (t *table[T]) read(o *openSegment, row, n int64, out []T, only ...string) ([]T, error) {
	first := len(out)
	out = slices.Grow(out, int(n))[:first+int(n)]
	clear(out[first:])
	if t.blank != nil {
		t.blank(out[first:])
	}
	return out, t.fill(o, row, out[first:], only...)
}

// fill reads the rows from row on into out; what is null leaves out's field as
// it was.
func (t *table[T]) fill(o *openSegment, row int64, out []T, only ...string) (err error) {
	defer recoverDamage(&err)
	place := make(map[string]int)
	for i, f := range o.file.Schema().Fields() {
		place[f.Name()] = i
	}
	start, n := int64(0), int64(len(out))
	for _, g := range o.file.RowGroups() {
		rows := g.NumRows()
		from, to := max(row, start), min(row+n, start+rows)
		if from < to {
			chunks := g.ColumnChunks()
			for c := range t.cols {
				col := &t.cols[c]
				i, ok := place[col.Name]
				if !ok || len(only) > 0 && !slices.Contains(only, col.Name) {
					continue
				}
				if err := readChunk(chunks[i], from-start, out[from-row:to-row], col.get); err != nil {
					return fmt.Errorf("%w: column %s: %w", errCorrupt, col.Name, err)
				}
			}
		}
		start += rows
	}
	return nil
}

func readChunk[T any](chunk parquet.ColumnChunk, row int64, out []T, get func(*T, parquet.Value)) error {
	pages := chunk.Pages()
	defer func() { _ = pages.Close() }()
	if row > 0 {
		if err := pages.SeekToRow(row); err != nil {
			return err
		}
	}
	var buf [256]parquet.Value
	for done := 0; done < len(out); {
		page, err := pages.ReadPage()
		if err != nil {
			return err
		}
		values := page.Values()
		for done < len(out) {
			n, err := values.ReadValues(buf[:min(len(buf), len(out)-done)])
			for i := range n {
				if !buf[i].IsNull() {
					get(&out[done], buf[i])
				}
				done++
			}
			if err == io.EOF || n == 0 {
				break
			}
			if err != nil {
				parquet.Release(page)
				return err
			}
		}
		parquet.Release(page)
	}
	return nil
}

// The kinds of columns.

// copyOf copies what a page's memory holds; nothing is nil, as senders leave it.
func copyOf(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}

// validText is a text as DuckDB accepts it: invalid UTF-8 would make the whole
// segment unreadable there.
func validText(s string) string {
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

func validBytes(b []byte) []byte {
	if !utf8.Valid(b) {
		return bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	return b
}

// repeated appends texts of which most equal the one before: the rows of a run
// lie together, so its agent, its model and thirty other words repeat.
func repeated[T any](text func(*T) string) func(*columnar.Buffer, []*T) {
	return func(b *columnar.Buffer, rows []*T) {
		last := text(rows[0])
		b.String(validText(last))
		for _, r := range rows[1:] {
			if s := text(r); s != last {
				last = s
				b.String(validText(s))
			} else {
				b.Again()
			}
		}
	}
}

// dict is a text that repeats.
func dict[T any](name string, field func(*T) *string) column[T] {
	return word(name, func(r *T) string { return *field(r) }, func(r *T, s string) { *field(r) = s })
}

// word is dict for what is not kept as a text, such as an enumeration.
func word[T any](name string, get func(*T) string, set func(*T, string)) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Text, Encoding: columnar.Dictionary, Bounds: true},
		put:    repeated(get),
		get:    func(r *T, v parquet.Value) { set(r, string(v.ByteArray())) },
	}
}

// text is a text that does not repeat.
func text[T any](name string, field func(*T) *string) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Text, Encoding: columnar.Delta},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				b.String(validText(*field(r)))
			}
		},
		get: func(r *T, v parquet.Value) { *field(r) = string(v.ByteArray()) },
	}
}

func blob[T any](name string, field func(*T) *[]byte) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Bytes, Encoding: columnar.Delta},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				b.Bytes(*field(r))
			}
		},
		get: func(r *T, v parquet.Value) { *field(r) = copyOf(v.ByteArray()) },
	}
}

// id is 16 bytes; how says whether they repeat.
func id[T any](name string, how columnar.Encoding, field func(*T) *[16]byte) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.ID, Encoding: how, Raw: how == columnar.Plain},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				b.ID(field(r))
			}
		},
		get: func(r *T, v parquet.Value) { copy(field(r)[:], v.ByteArray()) },
	}
}

// number is a whole number that is always known.
func number[T any](name string, how columnar.Encoding, get func(*T) int64, set func(*T, int64)) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Int64, Encoding: how, Bounds: true, Raw: how == columnar.Plain},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				b.Int(get(r))
			}
		},
		get: func(r *T, v parquet.Value) { set(r, v.Int64()) },
	}
}

// maybe is a whole number that get may not know: it is null then, and reading
// leaves the row's field as its maker set it.
func maybe[T any](name string, how columnar.Encoding, get func(*T) (int64, bool), set func(*T, int64)) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Int64, Encoding: how, Optional: true, Bounds: true},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				if n, ok := get(r); ok {
					b.Int(n)
				} else {
					b.Null()
				}
			}
		},
		get: func(r *T, v parquet.Value) { set(r, v.Int64()) },
	}
}

// count is a whole number that activity.Unknown makes null.
func count[T any](name string, field func(*T) *int64) column[T] {
	return maybe(name, columnar.Delta, func(r *T) (int64, bool) { n := *field(r); return n, n != activity.Unknown },
		func(r *T, n int64) { *field(r) = n })
}

func boolean[T any](name string, get func(*T) bool, set func(*T, bool)) column[T] {
	return column[T]{
		Column: columnar.Column{Name: name, Kind: columnar.Bool},
		put: func(b *columnar.Buffer, rows []*T) {
			for _, r := range rows {
				b.Bool(get(r))
			}
		},
		get: func(r *T, v parquet.Value) { set(r, v.Boolean()) },
	}
}
