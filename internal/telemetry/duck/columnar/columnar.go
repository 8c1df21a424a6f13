// Package columnar writes flat Parquet files from columns.
//
// What for: segments are written a thousand times an hour from rows whose
// columns are known when the program is built. A general writer boxes every
// value and decides anew for each; here a column is a buffer that rows are
// appended to, and a row group is those buffers encoded one after the other.
//
// Who calls it: package duck, for every segment and for merges.
//
// Promises: the files are plain Parquet (data pages of version 1, dictionary,
// delta and plain encodings, zstd), which any reader of the format opens. A
// Writer keeps its buffers from file to file. What it writes depends on the
// values alone.
//
// How it fails: values of the wrong kind for a column are a bug and panic; an
// error of the file underneath is returned.
//
// Start reading at Writer, then Buffer in buffer.go, then Copy in copy.go.
package columnar

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Kind is the type of a column's values.
type Kind uint8

// The kinds.
const (
	Int64 Kind = iota // signed whole numbers
	Text              // UTF-8; the caller's word for it
	Bytes             // anything
	ID                // 16 bytes
	Bool
	Double
)

// Encoding is how a column's values are laid out.
type Encoding uint8

// The encodings. Bool and Double are always plain.
const (
	Plain      Encoding = iota
	Dictionary          // each value once, and numbers that point to it
	Delta               // Int64: differences; Text and Bytes: lengths, then the bytes end to end
)

// Column describes one column.
type Column struct {
	Name     string
	Kind     Kind
	Encoding Encoding
	Optional bool // may be null
	Bounds   bool // least and greatest value are noted, so that readers may skip a row group
	Raw      bool // not compressed: values that nothing can shrink
}

// pageBytes is about how much of a column lies in one page, which is the least
// that a reader has to decompress.
const pageBytes = 256 << 10

// pageRows bounds the rows of a page whose values are small.
const pageRows = 64 << 10

// Writer writes files of one layout, each with any number of row groups. Not
// safe for concurrent use.
type Writer struct {
	cols    []Column
	bufs    []Buffer
	zstd    *zstd.Encoder
	out     []byte // the file, but for its footer
	groups  []format.RowGroup
	rows    int64
	raw     []byte // scratch: a page before compression
	levels  []byte
	scratch []byte
	rested  time.Time
}

// restEvery is how long a writer computes before it lets others run, who would
// wait for it up to 10 ms.
const restEvery = time.Millisecond

// Rest lets other goroutines run when the writer has worked for long; whoever
// fills its columns calls it in between.
func (w *Writer) Rest() {
	if now := time.Now(); now.Sub(w.rested) > restEvery {
		runtime.Gosched()
		w.rested = time.Now()
	}
}

// NewWriter makes a writer. Columns must be in the order of their names, as
// readers of flat Parquet written elsewhere in Reeve expect.
func NewWriter(cols []Column) *Writer {
	w := &Writer{cols: cols, bufs: make([]Buffer, len(cols))}
	for i := range cols {
		w.bufs[i].col = &cols[i]
		w.bufs[i].reset()
	}
	// One thread and a window of a page: pages are compressed one by one.
	w.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(pageBytes*2), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	return w
}

// Column is the buffer of a column, by its place in NewWriter's list.
func (w *Writer) Column(i int) *Buffer { return &w.bufs[i] }

// Buffered is about how many bytes the columns hold that are not flushed.
func (w *Writer) Buffered() (n int) {
	for i := range w.bufs {
		n += w.bufs[i].size()
	}
	return n
}

const magic = "PAR1"

// Flush ends a row group of n rows: every column must have got n values.
func (w *Writer) Flush(n int) {
	if n == 0 {
		return
	}
	if len(w.out) == 0 {
		w.out = append(w.out, magic...)
	}
	g := format.RowGroup{NumRows: int64(n), Columns: make([]format.ColumnChunk, len(w.cols)), FileOffset: int64(len(w.out)), Ordinal: int16(len(w.groups))}
	for i := range w.bufs {
		b := &w.bufs[i]
		if b.rows != n {
			panic(fmt.Sprintf("columnar: column %s has %d values, the group %d rows", w.cols[i].Name, b.rows, n))
		}
		g.Columns[i] = w.chunk(b)
		g.TotalByteSize += g.Columns[i].MetaData.TotalUncompressedSize
		g.TotalCompressedSize += g.Columns[i].MetaData.TotalCompressedSize
		b.reset()
	}
	w.groups = append(w.groups, g)
	w.rows += int64(n)
}

// WriteTo writes the file and makes the writer ready for the next one.
func (w *Writer) WriteTo(to io.Writer) (int64, error) {
	defer w.Reset()
	if len(w.out) == 0 {
		w.out = append(w.out, magic...)
	}
	foot, err := footer(w.cols, w.rows, w.groups)
	if err != nil {
		return 0, err
	}
	w.out = append(w.out, foot...)
	n, err := to.Write(w.out)
	return int64(n), err
}

// Extra puts bytes of the caller's behind the row groups, where readers of
// Parquet do not look, and tells where they begin in the file.
func (w *Writer) Extra(b []byte) int64 {
	if len(w.out) == 0 {
		w.out = append(w.out, magic...)
	}
	at := int64(len(w.out))
	w.out = append(w.out, b...)
	return at
}

// keepBytes is the size from which a file's buffer is not kept: one odd file
// must not hold memory for good.
const keepBytes = 32 << 20

// Reset drops what was not written.
func (w *Writer) Reset() {
	w.out, w.groups, w.rows = w.out[:0], nil, 0
	if cap(w.out) > keepBytes {
		w.out = nil
	}
	for i := range w.bufs {
		w.bufs[i].reset()
	}
}

// chunk encodes a column of the group.
func (w *Writer) chunk(b *Buffer) format.ColumnChunk {
	c := b.col
	start := int64(len(w.out))
	md := format.ColumnMetaData{
		Type: physical[c.Kind], PathInSchema: thrift.Slice[string]{c.Name}, NumValues: int64(b.rows), Codec: codec(c),
	}
	enc := b.encoding()
	if c.Encoding == Dictionary {
		md.DictionaryPageOffset = start
		md.Encoding = thrift.Slice[format.Encoding]{format.Plain, enc, format.RLE}
		w.raw = b.dictionary(w.raw[:0])
		md.TotalUncompressedSize += w.page(md.Codec, format.DictionaryPage, b.distinct(), format.Plain)
	} else {
		md.Encoding = thrift.Slice[format.Encoding]{enc, format.RLE}
	}
	md.DataPageOffset = int64(len(w.out))
	for at, value := 0, 0; at < b.rows; {
		n, values := b.fit(at, value)
		w.raw = w.raw[:0]
		if c.Optional {
			w.raw = appendLevels(w.raw, b.levels[at:at+n])
		}
		w.raw, w.scratch = b.encode(w.raw, w.scratch, value, value+values)
		md.TotalUncompressedSize += w.page(md.Codec, format.DataPage, n, enc)
		at, value = at+n, value+values
	}
	md.TotalCompressedSize = int64(len(w.out)) - start
	if c.Bounds {
		md.Statistics = b.bounds()
	}
	md.Statistics.NullCount = int64(b.rows - b.values)
	return format.ColumnChunk{FileOffset: start, MetaData: md}
}

// codec goes by the column and never by the chunk: some readers take the first
// row group's word for all of a file.
func codec(c *Column) format.CompressionCodec {
	if c.Raw {
		return format.Uncompressed
	}
	return format.Zstd
}

// page appends w.raw as a page and tells how large it is before compression.
func (w *Writer) page(codec format.CompressionCodec, kind format.PageType, values int, enc format.Encoding) int64 {
	w.Rest()
	body := w.raw
	if codec == format.Zstd {
		w.levels = w.zstd.EncodeAll(w.raw, w.levels[:0])
		body = w.levels
	}
	at := len(w.out)
	w.out = appendPageHeader(w.out, kind, len(w.raw), len(body), values, enc)
	head := len(w.out) - at
	w.out = append(w.out, body...)
	return int64(head + len(w.raw))
}

// appendPageHeader writes a PageHeader in Thrift's compact protocol: a file has
// hundreds, and this is all there is to them.
func appendPageHeader(dst []byte, kind format.PageType, raw, compressed, values int, enc format.Encoding) []byte {
	const (
		i32    = 5
		object = 12
		next   = 1 << 4
	)
	num := func(head byte, n int) { dst = binary.AppendUvarint(append(dst, head), uint64(n)<<1) } // zigzag of what is not negative
	num(next|i32, int(kind))
	num(next|i32, raw)
	num(next|i32, compressed)
	if kind == format.DictionaryPage {
		dst = append(dst, 4<<4|object) // field 7
		num(next|i32, values)
		num(next|i32, int(enc))
	} else {
		dst = append(dst, 2<<4|object) // field 5
		num(next|i32, values)
		num(next|i32, int(enc))
		num(next|i32, int(format.RLE))
		num(next|i32, int(format.RLE))
	}
	return append(dst, 0, 0)
}

var physical = [...]format.Type{
	Int64: format.Int64, Text: format.ByteArray, Bytes: format.ByteArray, ID: format.FixedLenByteArray, Bool: format.Boolean, Double: format.Double,
}

// footer is everything behind the row groups.
func footer(cols []Column, rows int64, groups []format.RowGroup) ([]byte, error) {
	md := format.FileMetaData{
		Version: 1, NumRows: rows, RowGroups: groups, CreatedBy: "reeve version 1", Schema: make([]format.SchemaElement, 1, len(cols)+1),
		ColumnOrders: make([]format.ColumnOrder, len(cols)),
	}
	md.Schema[0] = format.SchemaElement{Name: "rows", NumChildren: thrift.New(int32(len(cols)))}
	for i, c := range cols {
		e := format.SchemaElement{Name: c.Name, Type: thrift.New(physical[c.Kind]), RepetitionType: thrift.New(format.Required)}
		if c.Optional {
			e.RepetitionType = thrift.New(format.Optional)
		}
		switch c.Kind {
		case Text:
			e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.UTF8), &format.StringType{}
		case ID:
			e.TypeLength, e.LogicalType.Value = thrift.New(int32(16)), &format.UUIDType{}
		case Int64:
			e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.Int64), &format.IntType{BitWidth: 64, IsSigned: true}
		}
		md.Schema = append(md.Schema, e)
		md.ColumnOrders[i].Value = &format.TypeDefinedOrder{}
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &md)
	if err != nil {
		return nil, fmt.Errorf("writing a Parquet footer: %w", err)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return append(b, magic...), nil
}
