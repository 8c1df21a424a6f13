package duck

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"reeve/internal/activity"
)

// column is one column of a table and both ways between it and a row. put may
// return a value that aliases the row; get must copy what it keeps.
type column[T any] struct {
	name string
	node parquet.Node
	null bool // put may return null
	fat  bool // text that no bounds can prune
	put  func(*T) parquet.Value
	get  func(*T, parquet.Value)
	str  func(*T) string // put's text, where neighbours often have the same
}

// table is the layout of a table's segments. Columns are only ever added; a
// file without one leaves its field zero.
type table[T any] struct {
	name   string
	cols   []column[T]
	schema *parquet.Schema
}

func newTable[T any](name string, cols ...column[T]) *table[T] {
	// parquet.Group orders its fields by name, and so must the column writers.
	slices.SortFunc(cols, func(a, b column[T]) int { return strings.Compare(a.name, b.name) })
	g := parquet.Group{}
	for _, c := range cols {
		n := c.node
		if c.null {
			n = parquet.Optional(n)
		}
		g[c.name] = n
	}
	return &table[T]{name: name, cols: cols, schema: parquet.NewSchema(name, g)}
}

// pageSize is how much of a column lies in one page. One page is all that reading a
// run has to decompress of it; 1 MB saved 0.3 % of the size of steps.
const pageSize = 256 << 10

// codec compresses every page; its time is a fifth of what writing a segment
// takes, so the fastest level it is.
var codec = &zstd.Codec{Level: zstd.SpeedFastest}

func (t *table[T]) options() []parquet.WriterOption {
	opts := []parquet.WriterOption{
		t.schema, parquet.Compression(codec), parquet.PageBufferSize(pageSize), parquet.DataPageStatistics(false),
		parquet.CreatedBy("reeve", "1", ""), parquet.WriteBufferSize(256 << 10),
	}
	for _, c := range t.cols {
		if c.fat {
			opts = append(opts, parquet.SkipPageBounds(c.name))
		}
	}
	return opts
}

func (t *table[T]) writer(w io.Writer) *parquet.GenericWriter[any] {
	return parquet.NewGenericWriter[any](w, t.options()...)
}

// encoder writes rows of one table; it keeps its buffers. Not safe for
// concurrent use.
type encoder[T any] struct {
	t      *table[T]
	w      *parquet.GenericWriter[any]
	values []parquet.Value
}

const chunkRows = 1024

// encode writes n rows as one row group and closes the file.
func (e *encoder[T]) encode(w io.Writer, n int, at func(int) *T) error {
	if e.w == nil {
		e.w = e.t.writer(w)
		e.values = make([]parquet.Value, chunkRows)
	} else {
		e.w.Reset(w)
	}
	if err := e.group(e.w, n, at); err != nil {
		e.w = nil // its buffers are in an unknown state
		return err
	}
	if err := e.w.Close(); err != nil {
		e.w = nil
		return err
	}
	return nil
}

// group adds one row group's rows, column by column.
func (e *encoder[T]) group(w *parquet.GenericWriter[any], n int, at func(int) *T) error {
	if e.values == nil {
		e.values = make([]parquet.Value, chunkRows)
	}
	cws := w.ColumnWriters()
	for c := range e.t.cols {
		col := &e.t.cols[c]
		for from := 0; from < n; from += chunkRows {
			vs := e.values[:min(chunkRows, n-from)]
			if col.str != nil {
				repeated(vs, func(i int) string { return col.str(at(from + i)) })
			} else {
				for i := range vs {
					v := col.put(at(from + i))
					if col.null && !v.IsNull() {
						v = v.Level(0, 1, c)
					}
					vs[i] = v
				}
			}
			if _, err := cws[c].WriteRowValues(vs); err != nil {
				return fmt.Errorf("writing column %s of %s: %w", col.name, e.t.name, err)
			}
		}
	}
	clear(e.values)
	return nil
}

// repeated fills vs with texts of which most equal the one before: the rows of
// a run lie together, so its agent, its model and thirty other words repeat.
func repeated(vs []parquet.Value, text func(int) string) {
	last := text(0)
	v := textValue(last)
	for i := range vs {
		if s := text(i); s != last {
			last, v = s, textValue(s)
		}
		vs[i] = v
	}
}

// read appends rows [row, row+n) of a segment to out. only limits the columns;
// none means all.
func (t *table[T]) read(o *openSegment, row, n int64, out []T, only ...string) ([]T, error) {
	first := len(out)
	out = slices.Grow(out, int(n))[:first+int(n)]
	clear(out[first:])
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
				i, ok := place[col.name]
				if !ok || len(only) > 0 && !slices.Contains(only, col.name) {
					continue
				}
				if err := readChunk(chunks[i], from-start, out[from-row:to-row], col.get); err != nil {
					return fmt.Errorf("%w: column %s: %w", errCorrupt, col.name, err)
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

var (
	nodeDict  = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	nodeText  = parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray)
	nodeBytes = parquet.Encoded(parquet.Leaf(parquet.ByteArrayType), &parquet.DeltaLengthByteArray)
	nodeID    = parquet.Encoded(parquet.UUID(), &parquet.RLEDictionary)
	nodeHash  = parquet.Encoded(parquet.UUID(), &parquet.Plain)
	nodeDelta = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	nodePlain = parquet.Encoded(parquet.Int(64), &parquet.Plain)
	nodeSet   = parquet.Encoded(parquet.Int(64), &parquet.RLEDictionary)
	nodeBool  = parquet.Leaf(parquet.BooleanType)
	nodeFloat = parquet.Leaf(parquet.DoubleType)
)

// copyOf copies what a page's memory holds; nothing is nil, as senders leave it.
func copyOf(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// textValue is a string as DuckDB accepts it: invalid UTF-8 would make the
// whole segment unreadable there.
func textValue(s string) parquet.Value {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return parquet.ByteArrayValue(bytesOf(s))
}

// dict is a text that repeats.
func dict[T any](name string, field func(*T) *string) column[T] {
	return column[T]{
		name: name, node: nodeDict,
		put: func(r *T) parquet.Value { return textValue(*field(r)) },
		get: func(r *T, v parquet.Value) { *field(r) = string(v.ByteArray()) },
		str: func(r *T) string { return *field(r) },
	}
}

// text is a text that does not repeat.
func text[T any](name string, field func(*T) *string) column[T] {
	c := dict(name, field)
	c.node, c.fat, c.str = nodeText, true, nil
	return c
}

func blob[T any](name string, field func(*T) *[]byte) column[T] {
	return column[T]{
		name: name, node: nodeBytes, fat: true,
		put: func(r *T) parquet.Value { return parquet.ByteArrayValue(*field(r)) },
		get: func(r *T, v parquet.Value) { *field(r) = copyOf(v.ByteArray()) },
	}
}

func bytes16[T any](name string, node parquet.Node, field func(*T) *[16]byte) column[T] {
	return column[T]{
		name: name, node: node, fat: true,
		put: func(r *T) parquet.Value { return parquet.FixedLenByteArrayValue(field(r)[:]) },
		get: func(r *T, v parquet.Value) { copy(field(r)[:], v.ByteArray()) },
	}
}

// number is a whole number that is always known.
func number[T any](name string, node parquet.Node, get func(*T) int64, set func(*T, int64)) column[T] {
	return column[T]{
		name: name, node: node,
		put: func(r *T) parquet.Value { return parquet.Int64Value(get(r)) },
		get: func(r *T, v parquet.Value) { set(r, v.Int64()) },
	}
}

// count is a whole number that activity.Unknown makes null. Reading leaves the
// field as the row's maker set it when it is null.
func count[T any](name string, field func(*T) *int64) column[T] {
	return column[T]{
		name: name, node: nodeDelta, null: true,
		put: func(r *T) parquet.Value {
			if n := *field(r); n != activity.Unknown {
				return parquet.Int64Value(n)
			}
			return parquet.Value{}
		},
		get: func(r *T, v parquet.Value) { *field(r) = v.Int64() },
	}
}

func boolean[T any](name string, field func(*T) *bool) column[T] {
	return column[T]{
		name: name, node: nodeBool,
		put: func(r *T) parquet.Value { return parquet.BooleanValue(*field(r)) },
		get: func(r *T, v parquet.Value) { *field(r) = v.Boolean() },
	}
}

// word is an enumeration kept by its stable name.
func word[T any](name string, get func(*T) string, set func(*T, string)) column[T] {
	return column[T]{
		name: name, node: nodeDict,
		put: func(r *T) parquet.Value { return parquet.ByteArrayValue(bytesOf(get(r))) },
		get: func(r *T, v parquet.Value) { set(r, string(v.ByteArray())) },
		str: get,
	}
}
