package columnar

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go/format"
)

// RowGroup is what a file's footer says of one of its row groups.
type RowGroup = format.RowGroup

// Joiner makes one file of the row groups of others, which are copied as they
// are: the system moves the bytes, only their places change.
type Joiner struct {
	cols   []Column
	to     *os.File
	at     int64
	rows   int64
	groups []format.RowGroup
}

// NewJoiner begins a file.
func NewJoiner(to *os.File, cols []Column) (*Joiner, error) {
	if _, err := to.WriteString(magic); err != nil {
		return nil, err
	}
	return &Joiner{cols: cols, to: to, at: int64(len(magic))}, nil
}

// ErrLayout says that a row group has other columns than the file it is to go
// into: one of an older release, whose rows have to be written anew.
var ErrLayout = errors.New("row group of another layout")

// Copy appends a row group that lies in from, whose offset moves.
func (j *Joiner) Copy(from *os.File, g *RowGroup) error {
	if !Same(j.cols, g) {
		return ErrLayout
	}
	lo, hi := int64(1)<<62, int64(0)
	for i := range g.Columns {
		md := &g.Columns[i].MetaData
		start := chunkStart(md)
		lo, hi = min(lo, start), max(hi, start+md.TotalCompressedSize)
	}
	at := j.at
	if err := j.move(from, lo, hi); err != nil {
		return err
	}
	j.add(g, at-lo)
	return nil
}

// Same reports whether a row group has just these columns.
func Same(cols []Column, g *RowGroup) bool {
	if len(g.Columns) != len(cols) {
		return false
	}
	for i := range cols {
		md := &g.Columns[i].MetaData
		if md.Type != physical[cols[i].Kind] || md.Codec != codec(&cols[i]) || len(md.PathInSchema) != 1 || md.PathInSchema[0] != cols[i].Name {
			return false
		}
	}
	return true
}

// move appends the bytes of from between two places.
func (j *Joiner) move(from *os.File, lo, hi int64) error {
	if lo < int64(len(magic)) || hi < lo {
		return fmt.Errorf("a row group from %d to %d", lo, hi)
	}
	if _, err := from.Seek(lo, io.SeekStart); err != nil {
		return err
	}
	n, err := j.to.ReadFrom(io.LimitReader(from, hi-lo))
	j.at += n
	if err == nil && n != hi-lo {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Exchange is Copy with some columns taken from w, which holds one row group of
// them alone, with as many rows; it is empty afterwards.
func (j *Joiner) Exchange(from *os.File, g *RowGroup, w *Writer) error {
	defer w.Reset()
	if !Same(j.cols, g) {
		return ErrLayout
	}
	if len(w.groups) != 1 || w.groups[0].NumRows != g.NumRows {
		return fmt.Errorf("%d row groups in exchange for one of %d rows", len(w.groups), g.NumRows)
	}
	place := make(map[string]*format.ColumnChunk, len(w.cols))
	for i := range w.cols {
		place[w.cols[i].Name] = &w.groups[0].Columns[i]
	}
	out := format.RowGroup{NumRows: g.NumRows, FileOffset: j.at, Ordinal: int16(len(j.groups)), Columns: make([]format.ColumnChunk, len(g.Columns))}
	for i := 0; i < len(g.Columns); {
		if c := place[j.cols[i].Name]; c != nil {
			lo := chunkStart(&c.MetaData)
			at := j.at
			n, err := j.to.Write(w.out[lo : lo+c.MetaData.TotalCompressedSize])
			j.at += int64(n)
			if err != nil {
				return err
			}
			out.Columns[i] = shifted(c, at-lo)
			i++
			continue
		}
		// Columns that lie one behind the other move together.
		first := i
		lo := chunkStart(&g.Columns[i].MetaData)
		hi := lo
		for ; i < len(g.Columns) && place[j.cols[i].Name] == nil && chunkStart(&g.Columns[i].MetaData) == hi; i++ {
			hi += g.Columns[i].MetaData.TotalCompressedSize
		}
		at := j.at
		if err := j.move(from, lo, hi); err != nil {
			return err
		}
		for k := first; k < i; k++ {
			out.Columns[k] = shifted(&g.Columns[k], at-lo)
		}
	}
	for i := range out.Columns {
		out.TotalByteSize += out.Columns[i].MetaData.TotalUncompressedSize
		out.TotalCompressedSize += out.Columns[i].MetaData.TotalCompressedSize
	}
	j.groups = append(j.groups, out)
	j.rows += g.NumRows
	return nil
}

func chunkStart(md *format.ColumnMetaData) int64 {
	if md.DictionaryPageOffset > 0 {
		return min(md.DictionaryPageOffset, md.DataPageOffset)
	}
	return md.DataPageOffset
}

// add notes a row group whose bytes lie shift further than it says.
func (j *Joiner) add(g *RowGroup, shift int64) {
	out := format.RowGroup{
		NumRows: g.NumRows, TotalByteSize: g.TotalByteSize, TotalCompressedSize: g.TotalCompressedSize,
		FileOffset: g.FileOffset + shift, Ordinal: int16(len(j.groups)), Columns: make([]format.ColumnChunk, len(g.Columns)),
	}
	for i := range g.Columns {
		out.Columns[i] = shifted(&g.Columns[i], shift)
	}
	j.groups = append(j.groups, out)
	j.rows += g.NumRows
}

// shifted is what the footer says of a column whose bytes lie shift further.
func shifted(c *format.ColumnChunk, shift int64) format.ColumnChunk {
	md := c.MetaData
	md.DataPageOffset += shift
	if md.DictionaryPageOffset > 0 {
		md.DictionaryPageOffset += shift
	}
	// Indexes lie outside of row groups and stay behind.
	md.IndexPageOffset, md.BloomFilterOffset, md.BloomFilterLength = 0, 0, 0
	return format.ColumnChunk{FileOffset: chunkStart(&md), MetaData: md}
}

// Append appends the row groups that w holds, and empties it.
func (j *Joiner) Append(w *Writer) error {
	defer w.Reset()
	if len(w.groups) == 0 {
		return nil
	}
	body := w.out[len(magic):]
	if _, err := j.to.Write(body); err != nil {
		return err
	}
	for i := range w.groups {
		j.add(&w.groups[i], j.at-int64(len(magic)))
	}
	j.at += int64(len(body))
	return nil
}

// Extra is Writer.Extra: the last thing before Close.
func (j *Joiner) Extra(b []byte) (int64, error) {
	at := j.at
	_, err := j.to.Write(b)
	j.at += int64(len(b))
	return at, err
}

// Close writes the footer; the file itself stays the caller's.
func (j *Joiner) Close() error {
	foot, err := footer(j.cols, j.rows, j.groups)
	if err != nil {
		return err
	}
	_, err = j.to.Write(foot)
	return err
}
