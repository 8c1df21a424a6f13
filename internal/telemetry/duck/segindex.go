package duck

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
)

// Every segment carries an index of its own, behind its row groups, where
// readers of Parquet do not look; the manifest says where it begins.
//
//	header  "RVX2", how many groups, keys and hashes: uint32 each
//	group   rows uint32, least and greatest event time int64
//	key     first 8 bytes of a run's id, first row uint32, rows uint16; by key, then row
//	hash    first 8 bytes of a content's hash, row uint32; by hash, then row
//
// Numbers are little-endian. Half a run's id may be that of another run too
// (whoever tries hard can make such a pair), so whoever finds rows looks whose
// they are.
const (
	indexHeader = 16
	groupEntry  = 20
	keyEntry    = 14
	hashEntry   = 12
)

var indexMagic = []byte("RVX2")

// segmentIndex is an index in memory.
type segmentIndex struct {
	groups []groupRow
	keys   []idxRow
	hashes []hashRow
}

type groupRow struct {
	rows       uint32
	tmin, tmax int64
}

// idxRow says that n rows from row on are of the run whose id begins with key.
type idxRow struct {
	key    [8]byte
	row, n uint32
}

// hashRow says where content lies that other runs may refer to.
type hashRow struct {
	hash [8]byte
	row  uint32
}

func keyOf(id [16]byte) [8]byte { return [8]byte(id[:8]) }

// maxRange is how many rows one entry stands for at most.
const maxRange = 1<<16 - 1

// addKey notes that the next row, row, is of id.
func (x *segmentIndex) addKey(id [16]byte, row int) {
	k := keyOf(id)
	if last := len(x.keys) - 1; last >= 0 {
		if e := &x.keys[last]; e.key == k && int(e.row+e.n) == row && e.n < maxRange {
			e.n++
			return
		}
	}
	x.keys = append(x.keys, idxRow{k, uint32(row), 1})
}

// sort brings the entries into the order they are looked up in.
func (x *segmentIndex) sort() {
	slices.SortFunc(x.keys, func(a, b idxRow) int {
		return cmp.Or(cmp.Compare(binary.BigEndian.Uint64(a.key[:]), binary.BigEndian.Uint64(b.key[:])), cmp.Compare(a.row, b.row))
	})
	slices.SortFunc(x.hashes, func(a, b hashRow) int {
		return cmp.Or(cmp.Compare(binary.BigEndian.Uint64(a.hash[:]), binary.BigEndian.Uint64(b.hash[:])), cmp.Compare(a.row, b.row))
	})
}

func (x *segmentIndex) encode() []byte {
	x.sort()
	le := binary.LittleEndian
	b := make([]byte, 0, indexHeader+len(x.groups)*groupEntry+len(x.keys)*keyEntry+len(x.hashes)*hashEntry)
	b = append(b, indexMagic...)
	b = le.AppendUint32(b, uint32(len(x.groups)))
	b = le.AppendUint32(b, uint32(len(x.keys)))
	b = le.AppendUint32(b, uint32(len(x.hashes)))
	for _, g := range x.groups {
		b = le.AppendUint32(b, g.rows)
		b = le.AppendUint64(b, uint64(g.tmin))
		b = le.AppendUint64(b, uint64(g.tmax))
	}
	for _, e := range x.keys {
		b = append(b, e.key[:]...)
		b = le.AppendUint32(b, e.row)
		b = le.AppendUint16(b, uint16(e.n))
	}
	for _, h := range x.hashes {
		b = append(b, h.hash[:]...)
		b = le.AppendUint32(b, h.row)
	}
	return b
}

func parseKey(b []byte) idxRow {
	return idxRow{[8]byte(b[:8]), binary.LittleEndian.Uint32(b[8:]), uint32(binary.LittleEndian.Uint16(b[12:]))}
}

func parseHash(b []byte) hashRow {
	return hashRow{[8]byte(b[:8]), binary.LittleEndian.Uint32(b[8:])}
}

// indexPlaces is where the parts of an open segment's index lie.
type indexPlaces struct {
	groups, keys, hashes       int64 // how many
	groupsAt, keysAt, hashesAt int64
}

// placeIndex reads the header of o's index.
func (o *openSegment) placeIndex() error {
	var head [indexHeader]byte
	if o.idxLen < indexHeader {
		return fmt.Errorf("%w: no index", errCorrupt)
	}
	if _, err := o.f.ReadAt(head[:], o.idxAt); err != nil {
		return fmt.Errorf("%w: index: %w", errCorrupt, err)
	}
	p := &o.idx
	le := binary.LittleEndian
	p.groups, p.keys, p.hashes = int64(le.Uint32(head[4:])), int64(le.Uint32(head[8:])), int64(le.Uint32(head[12:]))
	p.groupsAt = o.idxAt + indexHeader
	p.keysAt = p.groupsAt + p.groups*groupEntry
	p.hashesAt = p.keysAt + p.keys*keyEntry
	if !bytes.Equal(head[:4], indexMagic) || p.hashesAt+p.hashes*hashEntry != o.idxAt+o.idxLen {
		return fmt.Errorf("%w: index of %d bytes", errCorrupt, o.idxLen)
	}
	return nil
}

// index reads the whole index.
func (o *openSegment) index() (*segmentIndex, error) {
	b := make([]byte, o.idxLen)
	if _, err := o.f.ReadAt(b, o.idxAt); err != nil {
		return nil, fmt.Errorf("%w: index: %w", errCorrupt, err)
	}
	x := &segmentIndex{
		groups: make([]groupRow, 0, o.idx.groups), keys: make([]idxRow, 0, o.idx.keys), hashes: make([]hashRow, 0, o.idx.hashes),
	}
	le := binary.LittleEndian
	b = b[indexHeader:]
	var rows int64
	for range o.idx.groups {
		x.groups = append(x.groups, groupRow{le.Uint32(b), int64(le.Uint64(b[4:])), int64(le.Uint64(b[12:]))})
		rows += int64(le.Uint32(b))
		b = b[groupEntry:]
	}
	bad := rows != o.rows
	for range o.idx.keys {
		e := parseKey(b)
		bad = bad || int64(e.row)+int64(e.n) > o.rows
		x.keys = append(x.keys, e)
		b = b[keyEntry:]
	}
	for range o.idx.hashes {
		h := parseHash(b)
		bad = bad || int64(h.row) >= o.rows
		x.hashes = append(x.hashes, h)
		b = b[hashEntry:]
	}
	if bad {
		return nil, fmt.Errorf("%w: index points behind the end", errCorrupt)
	}
	return x, nil
}

// find lists the row ranges of a run. Some of them may be another's.
func (o *openSegment) find(id [16]byte, dst []idxRow) ([]idxRow, error) {
	err := o.lookup(o.idx.keysAt, o.idx.keys, keyEntry, keyOf(id), func(b []byte) error {
		r := parseKey(b)
		if int64(r.row)+int64(r.n) > o.rows {
			return fmt.Errorf("%w: index points behind the end", errCorrupt)
		}
		dst = append(dst, r)
		return nil
	})
	return dst, err
}

// findHash lists the rows of content with a hash. Some may be another's.
func (o *openSegment) findHash(hash [16]byte, dst []uint32) ([]uint32, error) {
	err := o.lookup(o.idx.hashesAt, o.idx.hashes, hashEntry, keyOf(hash), func(b []byte) error {
		r := parseHash(b)
		if int64(r.row) >= o.rows {
			return fmt.Errorf("%w: index points behind the end", errCorrupt)
		}
		dst = append(dst, r.row)
		return nil
	})
	return dst, err
}

// lookup calls each for the entries of key in a sorted list of n entries. Keys
// are hashes, so a guess by interpolation lands within a page of the place.
func (o *openSegment) lookup(base, n, size int64, key [8]byte, each func([]byte) error) error {
	if n == 0 {
		return nil
	}
	var buf [4096]byte
	width := int64(len(buf)) / size
	read := func(at int64) ([]byte, error) {
		b := buf[:max(0, min(width, n-at))*size]
		_, err := o.f.ReadAt(b, base+at*size)
		return b, err
	}
	want := binary.BigEndian.Uint64(key[:])
	lo, hi := int64(0), n // the first entry >= key is in [lo, hi]
	at := min(int64(float64(want)/(1<<64)*float64(n)), n-1) - width/2
	for step := 0; ; step++ {
		at = max(lo, min(at, hi-width), 0)
		b, err := read(at)
		if err != nil {
			return err
		}
		got := int64(len(b)) / size
		switch {
		case got == 0:
			return nil
		case at > lo && bytes.Compare(b[:8], key[:]) >= 0:
			hi = at
		case at+got < hi && bytes.Compare(b[(got-1)*size:][:8], key[:]) < 0:
			lo = at + got
		default:
			return o.collect(key, b, size, at, n, read, each)
		}
		if lo >= hi {
			at = lo
			continue
		}
		at = (lo+hi)/2 - width/2
		if step > 64 {
			return fmt.Errorf("%w: index is not sorted", errCorrupt)
		}
	}
}

// collect takes the entries of key from a page and those after it.
func (o *openSegment) collect(key [8]byte, b []byte, size, at, n int64, read func(int64) ([]byte, error), each func([]byte) error) error {
	for {
		for i := int64(0); i < int64(len(b)); i += size {
			switch c := bytes.Compare(b[i:i+8], key[:]); {
			case c > 0:
				return nil
			case c == 0:
				if err := each(b[i : i+size]); err != nil {
					return err
				}
			}
		}
		if at += int64(len(b)) / size; at >= n {
			return nil
		}
		var err error
		if b, err = read(at); err != nil {
			return err
		}
	}
}

// eachKey calls add for every key of a segment, without opening it as Parquet.
func (s *segments) eachKey(g segment, add func([8]byte)) error {
	f, err := os.Open(s.path(g))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	o := &openSegment{segment: g, f: f}
	if err := o.placeIndex(); err != nil {
		return err
	}
	b := make([]byte, o.idx.keys*keyEntry)
	if _, err := f.ReadAt(b, o.idx.keysAt); err != nil {
		return fmt.Errorf("%w: index: %w", errCorrupt, err)
	}
	for ; len(b) > 0; b = b[keyEntry:] {
		add([8]byte(b[:8]))
	}
	return nil
}
