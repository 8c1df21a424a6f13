package columnar

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// Buffer is the values of a column in the row group that is being filled. The
// method of the column's kind, or Null, is called once a row.
type Buffer struct {
	col    *Column
	rows   int    // with nulls
	values int    // without
	levels []byte // Optional: 1 where there is a value

	ints []int64  // Int64 and Double, or their dictionary
	data []byte   // Text, Bytes and ID end to end, or their dictionary; Bool: a byte each
	offs []uint32 // where each of data begins, and the end (Text, Bytes)

	index []int32 // Dictionary: each value's place in it
	table []int32 // Dictionary: hash table of places plus one
	last  int32   // Dictionary: the place of the value before; -1: none

	lengths []int32 // scratch of encode
}

func (b *Buffer) reset() {
	b.rows, b.values = 0, 0
	b.levels, b.ints, b.index = b.levels[:0], b.ints[:0], b.index[:0]
	if cap(b.data) > keepBytes {
		b.data = nil
	}
	b.data, b.offs = b.data[:0], append(b.offs[:0], 0)
	clear(b.table)
	b.last = -1
}

// size is about how much there is to encode.
func (b *Buffer) size() int {
	return 8*len(b.ints) + len(b.data) + len(b.index)*b.bits()/8 + b.rows/64
}

// Null appends a null to an optional column.
func (b *Buffer) Null() {
	b.rows++
	b.levels = append(b.levels, 0)
}

func (b *Buffer) value() {
	b.rows++
	b.values++
	if b.col.Optional {
		b.levels = append(b.levels, 1)
	}
}

// Int appends to an Int64 column.
func (b *Buffer) Int(v int64) {
	b.value()
	if b.col.Encoding != Dictionary {
		b.ints = append(b.ints, v)
		return
	}
	if b.last >= 0 && b.ints[b.last] == v {
		b.index = append(b.index, b.last)
		return
	}
	h := uint64(v) * 0x9E3779B97F4A7C15
	for at := b.slot(h); ; at = (at + 1) & (len(b.table) - 1) {
		n := b.table[at]
		if n == 0 {
			b.ints = append(b.ints, v)
			b.enter(at, len(b.ints))
			return
		}
		if b.ints[n-1] == v {
			b.last = n - 1
			b.index = append(b.index, b.last)
			return
		}
	}
}

// Double appends to a Double column.
func (b *Buffer) Double(v float64) {
	b.value()
	b.ints = append(b.ints, int64(math.Float64bits(v)))
}

// Bool appends to a Bool column.
func (b *Buffer) Bool(v bool) {
	b.value()
	var n byte
	if v {
		n = 1
	}
	b.data = append(b.data, n)
}

// String appends to a Text or Bytes column.
func (b *Buffer) String(v string) { b.Bytes(unsafe.Slice(unsafe.StringData(v), len(v))) }

// Bytes appends to a Text or Bytes column.
func (b *Buffer) Bytes(v []byte) {
	b.value()
	if b.col.Encoding != Dictionary {
		b.data = append(b.data, v...)
		b.offs = append(b.offs, uint32(len(b.data)))
		return
	}
	if b.last >= 0 && string(b.at(b.last)) == string(v) {
		b.index = append(b.index, b.last)
		return
	}
	h := maphash.Bytes(seed, v)
	for at := b.slot(h); ; at = (at + 1) & (len(b.table) - 1) {
		n := b.table[at]
		if n == 0 {
			b.data = append(b.data, v...)
			b.offs = append(b.offs, uint32(len(b.data)))
			b.enter(at, len(b.offs)-1)
			return
		}
		if string(b.at(n-1)) == string(v) {
			b.last = n - 1
			b.index = append(b.index, b.last)
			return
		}
	}
}

// Again appends the value before once more to a Dictionary column; there must
// have been one.
func (b *Buffer) Again() {
	b.value()
	b.index = append(b.index, b.last)
}

// ID appends to an ID column.
func (b *Buffer) ID(v *[16]byte) {
	if b.col.Encoding == Dictionary {
		b.Bytes(v[:])
		return
	}
	b.value()
	b.data = append(b.data, v[:]...)
}

// Value appends what a reader of Parquet gave; a null that the column cannot
// hold becomes nothing or zero.
func (b *Buffer) Value(v parquet.Value) {
	if v.IsNull() && b.col.Optional {
		b.Null()
		return
	}
	switch b.col.Kind {
	case Int64:
		b.Int(v.Int64())
	case Text, Bytes:
		b.Bytes(v.ByteArray())
	case Bool:
		b.Bool(v.Boolean())
	case Double:
		b.Double(v.Double())
	case ID:
		var id [16]byte
		copy(id[:], v.ByteArray())
		b.ID(&id)
	}
}

var seed = maphash.MakeSeed() // only where values lie in the hash table depends on it

func (b *Buffer) at(n int32) []byte { return b.data[b.offs[n]:b.offs[n+1]] }

// slot is where to begin looking for a hash; the table has room.
func (b *Buffer) slot(h uint64) int {
	if n := b.distinct(); 2*n >= len(b.table) {
		b.grow(n)
	}
	return int((h ^ h>>32) & uint64(len(b.table)-1))
}

func (b *Buffer) grow(n int) {
	size := max(16, 4*len(b.table))
	if cap(b.table) >= size {
		b.table = b.table[:size]
		clear(b.table)
	} else {
		b.table = make([]int32, size)
	}
	for i := range n {
		var h uint64
		if b.col.Kind == Int64 {
			h = uint64(b.ints[i]) * 0x9E3779B97F4A7C15
		} else {
			h = maphash.Bytes(seed, b.at(int32(i)))
		}
		at := int((h ^ h>>32) & uint64(size-1))
		for b.table[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		b.table[at] = int32(i + 1)
	}
}

// enter gives the newest value of the dictionary its slot.
func (b *Buffer) enter(slot, n int) {
	b.table[slot] = int32(n)
	b.last = int32(n - 1)
	b.index = append(b.index, b.last)
}

// distinct is the size of the dictionary.
func (b *Buffer) distinct() int {
	if b.col.Kind == Int64 {
		return len(b.ints)
	}
	return len(b.offs) - 1
}

// bits is how many a place in the dictionary takes.
func (b *Buffer) bits() int {
	n := 0
	for b.distinct() > 1<<n {
		n++
	}
	return n
}

func (b *Buffer) encoding() format.Encoding {
	switch {
	case b.col.Encoding == Dictionary:
		return format.RLEDictionary
	case b.col.Encoding == Delta && b.col.Kind == Int64:
		return format.DeltaBinaryPacked
	case b.col.Encoding == Delta:
		return format.DeltaLengthByteArray
	}
	return format.Plain
}

// dictionary appends the dictionary's page.
func (b *Buffer) dictionary(dst []byte) []byte {
	switch b.col.Kind {
	case Int64:
		return appendInts(dst, b.ints)
	case ID:
		return append(dst, b.data...)
	}
	for i := range b.distinct() {
		v := b.at(int32(i))
		dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(v))), v...)
	}
	return dst
}

// fit is how many rows from row at on, whose first value is value, make a page,
// and how many values they have.
func (b *Buffer) fit(at, value int) (rows, values int) {
	if n := b.even(); n > 0 {
		rows = min(b.rows-at, pageRows, (pageBytes+n-1)/n)
		return rows, rows
	}
	size := 0
	for at+rows < b.rows && rows < pageRows && size < pageBytes {
		if !b.col.Optional || b.levels[at+rows] == 1 {
			size += b.width(value + values)
			values++
		}
		rows++
	}
	return rows, values
}

// even is the width of each value where all have the same and none is null; 0
// where they are to be looked at one by one.
func (b *Buffer) even() int {
	if b.col.Optional || b.col.Encoding != Dictionary && (b.col.Kind == Text || b.col.Kind == Bytes || b.col.Kind == Bool) {
		return 0
	}
	return b.width(0)
}

func (b *Buffer) width(value int) int {
	switch {
	case b.col.Encoding == Dictionary:
		return 2
	case b.col.Kind == ID:
		return 16
	case b.col.Kind == Bool:
		return 0
	case b.col.Kind == Text || b.col.Kind == Bytes:
		return 1 + int(b.offs[value+1]-b.offs[value])
	}
	return 8
}

// encode appends the values [from, to).
func (b *Buffer) encode(dst, scratch []byte, from, to int) (out, kept []byte) {
	switch {
	case b.col.Encoding == Dictionary:
		bits := b.bits()
		dst = append(dst, byte(bits))
		e := rle.Encoding{BitWidth: bits}
		scratch, _ = e.EncodeInt32(scratch[:0], b.index[from:to]) // fails only for widths that bits does not give
		return append(dst, scratch...), scratch
	case b.col.Kind == Bool:
		return appendBools(dst, b.data[from:to]), scratch
	case b.col.Kind == ID:
		return append(dst, b.data[16*from:16*to]...), scratch
	case b.col.Kind == Int64 && b.col.Encoding == Delta:
		var e delta.BinaryPackedEncoding
		scratch, _ = e.EncodeInt64(scratch[:0], b.ints[from:to]) // never fails
		return append(dst, scratch...), scratch
	case b.col.Kind == Int64 || b.col.Kind == Double:
		return appendInts(dst, b.ints[from:to]), scratch
	case b.col.Encoding == Delta:
		// The library's encoding of such texts, without a copy of the texts on the way:
		// their lengths as differences, then all of them end to end.
		b.lengths = b.lengths[:0]
		for i := from; i < to; i++ {
			b.lengths = append(b.lengths, int32(b.offs[i+1]-b.offs[i]))
		}
		var e delta.BinaryPackedEncoding
		scratch, _ = e.EncodeInt32(scratch[:0], b.lengths) // never fails
		return append(append(dst, scratch...), b.data[b.offs[from]:b.offs[to]]...), scratch
	}
	for i := from; i < to; i++ {
		v := b.data[b.offs[i]:b.offs[i+1]]
		dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(v))), v...)
	}
	return dst, scratch
}

func appendInts(dst []byte, ints []int64) []byte {
	for _, v := range ints {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	return dst
}

func appendBools(dst, bools []byte) []byte {
	for len(bools) > 0 {
		n := min(8, len(bools))
		var b byte
		for i, v := range bools[:n] {
			b |= v << i
		}
		dst, bools = append(dst, b), bools[n:]
	}
	return dst
}

// appendLevels writes which rows have a value, with their length before them.
func appendLevels(dst, levels []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for i := 0; i < len(levels); {
		n := 1
		for i+n < len(levels) && levels[i+n] == levels[i] {
			n++
		}
		if n >= 8 || i+n == len(levels) {
			dst = append(binary.AppendUvarint(dst, uint64(n)<<1), levels[i])
			i += n
			continue
		}
		i += packLevels(&dst, levels[i:])
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// packLevels writes a stretch of levels that change as bits, eight rows at a
// time, up to the next eight that are all the same, and tells how many it took.
func packLevels(dst *[]byte, levels []byte) int {
	n := 0
	for n < len(levels) {
		l := levels[n:min(n+8, len(levels))]
		if n > 0 && len(l) == 8 && bytes.Count(l, l[:1]) == 8 {
			break
		}
		n += len(l)
	}
	groups := (n + 7) / 8
	*dst = binary.AppendUvarint(*dst, uint64(groups)<<1|1)
	*dst = appendBools(*dst, levels[:n])
	return n
}

// bounds are the least and greatest value, as readers compare them.
func (b *Buffer) bounds() (s format.Statistics) {
	if b.values == 0 {
		return s
	}
	if b.col.Kind == Int64 {
		lo, hi := b.ints[0], b.ints[0]
		for _, v := range b.ints {
			lo, hi = min(lo, v), max(hi, v)
		}
		s.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(lo))
		s.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(hi))
		return s
	}
	if b.col.Kind != Text {
		return s
	}
	lo, hi := b.at(0), b.at(0)
	for i := range b.distinct() {
		v := b.at(int32(i))
		if bytes.Compare(v, lo) < 0 {
			lo = v
		}
		if bytes.Compare(v, hi) > 0 {
			hi = v
		}
	}
	if len(lo) > maxBound || len(hi) > maxBound {
		return s
	}
	s.MinValue, s.MaxValue = bytes.Clone(lo), bytes.Clone(hi)
	return s
}

// maxBound is the longest text that is worth being a bound.
const maxBound = 256
