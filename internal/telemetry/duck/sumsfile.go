package duck

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"reeve/internal/durable"
	"reeve/internal/telemetry"
)

// Kept answers lie on disk too, so that the first page of a period after a start
// does not look at every row again. A file is believed when its hashes are right,
// when it was made by the same engine, and when the segments that it was computed
// from are those that the manifest has now, byte for byte as far as their ends
// tell; else it is deleted and its question asked. One that names a segment which
// the manifest no longer has is dead and is deleted: what was erased from the rows
// is in no answer either.
//
//	sums/<key in hex>
//	  magic                    12 bytes
//	  length of the head       4 bytes, big-endian
//	  SHA-256 of the head      32
//	  SHA-256 of the rows      32
//	  head                     key (32), print of its segments (32), engine, ids of segments
//	  rows                     zstd
//
// Nothing is lost with these files: none is synced, and a backup leaves them out.
type sumFiles struct {
	dir  string
	segs *segments
	enc  *zstd.Encoder
	dec  *zstd.Decoder

	mu     sync.Mutex // a file is written, or deleted, by one at a time
	kept   map[[32]byte]*sumFile
	size   int64
	prints map[int64][32]byte // of segments, by id
}

type sumFile struct {
	ids  []int64
	size int64
	used time.Time
}

const (
	sumsMagic = "reeve sums 1"
	sumsHead  = len(sumsMagic) + 4 + 2*sha256.Size

	sumFilesBytes = 64 << 20
	sumFilesMost  = 4096
	sumFileBytes  = 8 << 20 // one answer
	sumFileIDs    = 4096    // segments that one was computed from
	tailBytes     = 4096    // of a segment: the end of its Parquet footer, with counts, sizes and places of its columns
)

// sumsEngine is what made answers: another one may count otherwise.
var sumsEngine = sync.OnceValue(func() string {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if strings.HasPrefix(d.Path, "github.com/duckdb/duckdb-go") {
				version += " " + d.Path + " " + d.Version
			}
		}
	}
	return fmt.Sprintf("1 %d %s", telemetry.BinBits, version)
})

var errStaleSum = errors.New("a kept answer is not of these segments")

// openSums reads the heads of what is on disk and deletes what cannot be used. Kept
// answers are a convenience: without them the store works, so that no error is one
// of opening it.
func openSums(dir string, segs *segments) (*sumFiles, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return nil, err
	}
	f := &sumFiles{dir: dir, segs: segs, enc: enc, dec: dec, kept: map[[32]byte]*sumFile{}, prints: map[int64][32]byte{}}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		key, file := f.look(path)
		if file == nil || f.path(key) != path {
			_ = os.RemoveAll(path)
			continue
		}
		f.kept[key] = file
		f.size += file.size
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bound()
	return f, nil
}

func (f *sumFiles) path(key [32]byte) string { return filepath.Join(f.dir, hex.EncodeToString(key[:])) }

// look reads the head of a file; nil when it is of no use.
func (f *sumFiles) look(path string) (key [32]byte, file *sumFile) {
	o, err := os.Open(path)
	if err != nil {
		return key, nil
	}
	defer func() { _ = o.Close() }()
	info, err := o.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return key, nil
	}
	h, err := readSumHead(o)
	if err != nil || h.engine != sumsEngine() || !f.alive(h.ids) {
		return key, nil
	}
	return h.key, &sumFile{ids: h.ids, size: info.Size(), used: info.ModTime()}
}

// alive reports whether the manifest has every one of these segments.
func (f *sumFiles) alive(ids []int64) bool {
	return !slices.ContainsFunc(ids, func(id int64) bool { return !f.segs.has(id) })
}

type sumHead struct {
	key, print, rows [32]byte // of the statement, of the segments, of the rows
	engine           string
	ids              []int64
}

func readSumHead(r io.Reader) (h sumHead, err error) {
	var fixed [sumsHead]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return h, err
	}
	if string(fixed[:len(sumsMagic)]) != sumsMagic {
		return h, errCorrupt
	}
	at := fixed[len(sumsMagic):]
	n := binary.BigEndian.Uint32(at)
	if n > 64+1024+sumFileIDs*binary.MaxVarintLen64 {
		return h, errCorrupt
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(r, head); err != nil {
		return h, err
	}
	if sum := sha256.Sum256(head); !bytes.Equal(sum[:], at[4:36]) {
		return h, errCorrupt
	}
	h.rows = [32]byte(at[36:68])
	b := &packed{b: head}
	copy(h.key[:], b.take(32))
	copy(h.print[:], b.take(32))
	h.engine = string(b.take(b.uint()))
	ids := b.uint()
	if ids > sumFileIDs {
		return h, errCorrupt
	}
	for range ids {
		h.ids = append(h.ids, int64(b.uint()))
	}
	if b.bad || len(b.b) > 0 {
		return h, errCorrupt
	}
	return h, nil
}

// print tells segments apart by what the manifest says of them and by their ends.
// A number is not enough: an older manifest that was put back gives numbers again.
func (f *sumFiles) print(ids []int64) (out [32]byte, err error) {
	h := sha256.New()
	for _, id := range ids {
		one, err := f.printOf(id)
		if err != nil {
			return out, err
		}
		_, _ = h.Write(one[:])
	}
	return [32]byte(h.Sum(nil)), nil
}

func (f *sumFiles) printOf(id int64) (out [32]byte, err error) {
	f.mu.Lock()
	out, ok := f.prints[id]
	f.mu.Unlock()
	if ok {
		return out, nil
	}
	g, ok := f.segs.get(id)
	if !ok {
		return out, errStaleSum
	}
	file, err := os.Open(f.segs.path(g))
	if err != nil {
		return out, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return out, err
	}
	tail := make([]byte, min(info.Size(), tailBytes))
	if _, err := file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return out, err
	}
	said := fmt.Appendf(nil, "%d %s %d %d %d %d %d %d %d %d\n", g.id, g.table, g.day, g.rows, g.bytes, g.tmin, g.tmax, g.idxAt, g.idxLen, info.Size())
	out = sha256.Sum256(append(said, tail...))
	f.mu.Lock()
	f.prints[id] = out
	f.mu.Unlock()
	return out, nil
}

// filesOf are the segments that a statement names.
func (f *sumFiles) filesOf(sql string) (ids []int64, ok bool) {
	root := strings.ReplaceAll(filepath.Join(f.segs.dir, "segments")+string(filepath.Separator), "'", "''")
	for {
		_, rest, found := strings.Cut(sql, root)
		if !found {
			break
		}
		name, _, ended := strings.Cut(rest, ".parquet'")
		if !ended {
			return nil, false
		}
		id, err := strconv.ParseInt(name[strings.LastIndexByte(name, filepath.Separator)+1:], 10, 64)
		if err != nil {
			return nil, false
		}
		ids = append(ids, id)
		sql = rest
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids, len(ids) > 0 && len(ids) <= sumFileIDs
}

// load gives the answer that is on disk; ok is false when there is none to believe.
func (f *sumFiles) load(key [32]byte, ids []int64) (rows [][]any, ok bool) {
	f.mu.Lock()
	file := f.kept[key]
	f.mu.Unlock()
	if file == nil {
		return nil, false
	}
	rows, err := f.read(key, ids)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.delete(key)
		return nil, false
	}
	file.used = time.Now()
	_ = os.Chtimes(f.path(key), time.Time{}, file.used) // after a restart the longest unused goes first, too
	return rows, true
}

func (f *sumFiles) read(key [32]byte, ids []int64) ([][]any, error) {
	data, err := os.ReadFile(f.path(key))
	if err != nil {
		return nil, err
	}
	r := bytes.NewReader(data)
	h, err := readSumHead(r)
	if err != nil {
		return nil, err
	}
	packed := data[len(data)-r.Len():]
	if sum := sha256.Sum256(packed); h.key != key || sum != h.rows {
		return nil, errCorrupt
	}
	print, err := f.print(ids)
	if err != nil {
		return nil, err
	}
	if h.engine != sumsEngine() || print != h.print || !slices.Equal(h.ids, ids) {
		return nil, errStaleSum
	}
	raw, err := f.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	return unpackRows(raw)
}

// save writes an answer, unless one of its segments is gone or it is of no kind that
// can be written.
func (f *sumFiles) save(key [32]byte, ids []int64, rows [][]any) {
	raw, ok := packRows(rows)
	if !ok || len(raw) > 4*sumFileBytes {
		return
	}
	packed := f.enc.EncodeAll(raw, nil)
	print, err := f.print(ids)
	if err != nil || len(packed) > sumFileBytes {
		return
	}
	head := append(append(make([]byte, 0, 256), key[:]...), print[:]...)
	head = append(binary.AppendUvarint(head, uint64(len(sumsEngine()))), sumsEngine()...)
	head = binary.AppendUvarint(head, uint64(len(ids)))
	for _, id := range ids {
		head = binary.AppendUvarint(head, uint64(id))
	}
	of, over := sha256.Sum256(head), sha256.Sum256(packed)
	data := binary.BigEndian.AppendUint32([]byte(sumsMagic), uint32(len(head)))
	data = slices.Concat(data, of[:], over[:], head, packed)

	f.mu.Lock()
	defer f.mu.Unlock()
	// Under the lock: whoever takes segments away deletes their answers after it,
	// and finds this one, or this one finds them gone.
	if f.kept[key] != nil || !f.alive(ids) {
		return
	}
	if os.MkdirAll(f.dir, 0o700) != nil {
		return
	}
	path := f.path(key)
	if os.WriteFile(path, data, 0o600) != nil { // a torn one is known by its hashes
		_ = os.Remove(path)
		return
	}
	f.kept[key] = &sumFile{ids: ids, size: int64(len(data)), used: time.Now()}
	f.size += int64(len(data))
	f.bound()
}

// bound deletes the longest unused until the rest fits. Called with mu held.
func (f *sumFiles) bound() {
	for f.size > sumFilesBytes || len(f.kept) > sumFilesMost {
		var old [32]byte
		var oldest *sumFile
		for key, file := range f.kept {
			if oldest == nil || file.used.Before(oldest.used) {
				old, oldest = key, file
			}
		}
		f.delete(old)
	}
}

// delete is called with mu held.
func (f *sumFiles) delete(key [32]byte) {
	if file := f.kept[key]; file != nil {
		delete(f.kept, key)
		f.size -= file.size
		_ = os.Remove(f.path(key)) // it is dead: at the next start it is deleted if it is still there
	}
}

// prune deletes what names segments that are gone, and makes that outlive a power
// cut: a name that was erased must not come back.
func (f *sumFiles) prune() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := false
	for key, file := range f.kept {
		if !f.alive(file.ids) {
			f.delete(key)
			gone = true
		}
	}
	for id := range f.prints {
		if !f.segs.has(id) {
			delete(f.prints, id)
		}
	}
	if !gone {
		return nil
	}
	return durable.SyncDir(f.dir)
}

// bytes is what they take on disk.
func (f *sumFiles) bytes() int64 {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Kinds of cells.
const (
	cellNone = iota
	cellInt
	cellFloat
	cellText
	cellFalse
	cellTrue
	cellBins
)

// packRows writes rows; ok is false when a cell is of a kind that is not known.
func packRows(rows [][]any) (b []byte, ok bool) {
	width := 0
	if len(rows) > 0 {
		width = len(rows[0])
	}
	b = binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(rows))), uint64(width))
	for _, row := range rows {
		if len(row) != width {
			return nil, false
		}
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				b = append(b, cellNone)
			case int64:
				b = binary.AppendVarint(append(b, cellInt), v)
			case float64:
				b = binary.BigEndian.AppendUint64(append(b, cellFloat), math.Float64bits(v))
			case string:
				b = append(binary.AppendUvarint(append(b, cellText), uint64(len(v))), v...)
			case bool:
				b = append(b, cellFalse+byte(b2i(v)))
			case telemetry.Bins:
				b = binary.AppendUvarint(append(b, cellBins), uint64(len(v)))
				last := uint64(0)
				for _, x := range v {
					b = binary.AppendVarint(binary.AppendUvarint(b, x.Key-last), x.N)
					last = x.Key
				}
			default:
				return nil, false
			}
		}
	}
	return b, true
}

// unpackRows reads what packRows wrote.
func unpackRows(raw []byte) ([][]any, error) {
	b := &packed{b: raw}
	n, width := b.uint(), b.uint()
	if n > uint64(len(raw)) || width > uint64(len(raw)) || n > 0 && width == 0 {
		return nil, errCorrupt
	}
	rows := make([][]any, 0, min(n, 1<<14))
	for range n {
		row := make([]any, 0, min(width, uint64(len(b.b))))
		for range width {
			v, err := b.cell()
			if err != nil {
				return nil, err
			}
			row = append(row, v)
		}
		rows = append(rows, row)
	}
	if b.bad || len(b.b) > 0 {
		return nil, errCorrupt
	}
	return rows, nil
}

func (r *packed) cell() (any, error) {
	kind := r.take(1)
	if r.bad {
		return nil, errCorrupt
	}
	var v any
	switch kind[0] {
	case cellNone:
	case cellInt:
		v = r.int()
	case cellFloat:
		if at := r.take(8); at != nil {
			v = math.Float64frombits(binary.BigEndian.Uint64(at))
		}
	case cellText:
		v = string(r.take(r.uint()))
	case cellFalse, cellTrue:
		v = kind[0] == cellTrue
	case cellBins:
		n := r.uint()
		if n > uint64(len(r.b)) {
			return nil, errCorrupt
		}
		bins, last := make(telemetry.Bins, 0, n), uint64(0)
		for range n {
			last += r.uint()
			bins = append(bins, telemetry.Bin{Key: last, N: r.int()})
		}
		v = bins
	default:
		return nil, errCorrupt
	}
	if r.bad {
		return nil, errCorrupt
	}
	return v, nil
}
