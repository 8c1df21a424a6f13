package decision

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"reeve/internal/durable"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// shelf keeps numbered entries for good, in files of fileSpan numbers each:
//
//	00000000000000065536.log    blocks of the entries 65536 to 131071
//	block   header, then zstd of: uvarint number - first | uvarint length | bytes, …
//	header  "RVL1" | first u64 | entries u32 | raw u32 | packed u32 | CRC-32C of packed u32  (little-endian)
//
// There are two: the records, verbatim and without a gap, and beside them the
// content that they commit to, which may be erased. Only the last file grows;
// what is behind its known size was never committed and is cut off at the next
// start. Reads are safe beside one writer.
type shelf struct {
	dir  string
	span int64 // numbers of a file

	mu    sync.RWMutex // guards what follows
	files []shelfFile  // by first
	w     *os.File     // of the last one
	enc   *zstd.Encoder
	raw   []byte
	pack  []byte
}

type shelfFile struct {
	first  int64
	size   int64
	blocks []blockRef // known so far; nil until somebody reads
}

type blockRef struct {
	first int64
	n     uint32
	at    int64
}

const (
	fileSpan    = 1 << 16
	blockHeader = 28
	blockRaw    = 256 << 10 // a block is closed beyond it
	maxBlockRaw = 16 << 20
)

var (
	blockMagic = []byte("RVL1")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	unpacker   = func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlockRaw))
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	}()
)

// shelfEnd is how far a shelf was committed.
type shelfEnd struct {
	File int64 `json:"file"` // first number of the last file; -1 for none
	Size int64 `json:"size"`
}

// openShelf opens the folder and cuts off what was never committed.
func openShelf(dir string, end shelfEnd) (*shelf, error) {
	s, late, err := listShelf(dir, end)
	if err != nil {
		return nil, err
	}
	if s.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, err
	}
	for _, name := range late {
		if err := os.Remove(name); err != nil {
			return nil, archiveFault(err)
		}
	}
	if n := len(s.files); n > 0 && s.files[n-1].first == end.File {
		if err := os.Truncate(s.path(end.File), s.files[n-1].size); err != nil {
			return nil, archiveFault(err)
		}
	}
	return s, nil
}

// listShelf finds the files of a shelf, and those behind its end, and changes
// nothing: a process may be writing to it.
func listShelf(dir string, end shelfEnd) (_ *shelf, late []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, archiveFault(err)
	}
	s := &shelf{dir: dir, span: fileSpan}
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		first, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(name), ".log"), 10, 64)
		if err != nil {
			continue // not ours
		}
		if first > end.File {
			late = append(late, name)
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, nil, archiveFault(err)
		}
		f := shelfFile{first: first, size: info.Size()}
		if first == end.File {
			// Shorter it is only after an erasure that was not committed, and then
			// it is whole; verification finds what is missing without reason.
			f.size = min(f.size, end.Size)
		}
		s.files = append(s.files, f)
	}
	if end.File >= 0 && (len(s.files) == 0 || s.files[len(s.files)-1].first != end.File) {
		return nil, nil, fault.New(fault.KindInternal, "decision.archive_lost", "the newest file of %s is gone", filepath.Base(dir)).
			WithHint("restore the folder of decisions from a backup")
	}
	return s, late, nil
}

func (s *shelf) path(first int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%020d.log", first))
}

func (s *shelf) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return nil
	}
	err := s.w.Close()
	s.w = nil
	return err
}

// item is one entry of a shelf.
type item struct {
	seq  int64
	data []byte
}

// append writes items, which ascend, behind what is there, a block a turn.
func (s *shelf) append(items []item, turns *telemetry.Turns) error {
	for len(items) > 0 {
		n, size := 1, len(items[0].data)
		for n < len(items) && items[n].seq/s.span == items[0].seq/s.span && size < blockRaw {
			size += len(items[n].data)
			n++
		}
		if err := s.block(items[:n], turns); err != nil {
			return archiveFault(err)
		}
		items = items[n:]
	}
	return nil
}

func (s *shelf) block(items []item, turns *telemetry.Turns) error {
	first := items[0].seq
	s.raw = s.raw[:0]
	for _, it := range items {
		s.raw = binary.AppendUvarint(s.raw, uint64(it.seq-first))
		s.raw = binary.AppendUvarint(s.raw, uint64(len(it.data)))
		s.raw = append(s.raw, it.data...)
	}
	b := append(s.pack[:0], make([]byte, blockHeader)...)
	turns.Take()
	b = s.enc.EncodeAll(s.raw, b)
	turns.Give()
	copy(b, blockMagic)
	binary.LittleEndian.PutUint64(b[4:], uint64(first))
	binary.LittleEndian.PutUint32(b[12:], uint32(len(items)))
	binary.LittleEndian.PutUint32(b[16:], uint32(len(s.raw)))
	binary.LittleEndian.PutUint32(b[20:], uint32(len(b)-blockHeader))
	binary.LittleEndian.PutUint32(b[24:], crc32.Checksum(b[blockHeader:], castagnoli))
	s.pack = b
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.roll(first / s.span * s.span); err != nil {
		return err
	}
	f := &s.files[len(s.files)-1]
	if _, err := s.w.WriteAt(b, f.size); err != nil {
		return err
	}
	if f.blocks != nil || f.size == 0 {
		f.blocks = append(f.blocks, blockRef{first, uint32(len(items)), f.size})
	}
	f.size += int64(len(b))
	return nil
}

// roll opens the file that begins with first.
func (s *shelf) roll(first int64) error {
	last := len(s.files) - 1
	if last >= 0 && s.files[last].first == first && s.w != nil {
		return nil
	}
	if s.w != nil {
		if err := errors.Join(s.w.Sync(), s.w.Close()); err != nil {
			return err
		}
		s.w = nil
	}
	w, err := os.OpenFile(s.path(first), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	s.w = w
	if last < 0 || s.files[last].first != first {
		s.files = append(s.files, shelfFile{first: first})
	}
	return nil
}

// sync makes what was appended durable and says how far that is.
func (s *shelf) sync() (shelfEnd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w != nil {
		if err := s.w.Sync(); err != nil {
			return shelfEnd{}, archiveFault(err)
		}
	}
	if len(s.files) == 0 {
		return shelfEnd{File: -1}, nil
	}
	f := s.files[len(s.files)-1]
	return shelfEnd{f.first, f.size}, nil
}

// cut forgets what was appended behind a committed end.
func (s *shelf) cut(end shelfEnd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.files) > 0 {
		i := len(s.files) - 1
		f := &s.files[i]
		if f.first == end.File && f.size == end.Size {
			return nil
		}
		if s.w != nil {
			if err := s.w.Close(); err != nil {
				return archiveFault(err)
			}
			s.w = nil
		}
		if f.first <= end.File {
			if err := os.Truncate(s.path(f.first), end.Size); err != nil {
				return archiveFault(err)
			}
			f.size, f.blocks = end.Size, nil
			return nil
		}
		if err := os.Remove(s.path(f.first)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return archiveFault(err)
		}
		s.files = s.files[:i]
	}
	return nil
}

// errStop ends a reading early.
var errStop = errors.New("read enough")

// read calls each for the entries from seq on, in order, until each gives
// errStop. The bytes are each's to keep.
func (s *shelf) read(seq int64, each func(item) error) error {
	s.mu.RLock()
	files := slices.Clone(s.files)
	s.mu.RUnlock()
	for i := range files {
		if files[i].first+fileSpan <= seq {
			continue
		}
		if err := s.readFile(files[i], seq, each); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (s *shelf) readFile(f shelfFile, seq int64, each func(item) error) error {
	r, err := os.Open(s.path(f.first))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // dropped meanwhile
	}
	if err != nil {
		return archiveFault(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	refs, err := s.refs(r, f)
	if err != nil {
		return err
	}
	at, _ := slices.BinarySearchFunc(refs, seq+1, func(b blockRef, want int64) int { return int(b.first - want) })
	for _, ref := range refs[max(0, at-1):] {
		items, err := readBlock(r, ref.at, f.size)
		if err != nil {
			return fmt.Errorf("reading %s: %w", filepath.Base(r.Name()), err)
		}
		for _, it := range items {
			if it.seq < seq {
				continue
			}
			if err := each(it); err != nil {
				return err
			}
		}
	}
	return nil
}

// refs finds where a file's blocks begin, and remembers it.
func (s *shelf) refs(r *os.File, f shelfFile) ([]blockRef, error) {
	s.mu.RLock()
	i, found := s.place(f.first)
	var known []blockRef
	if found {
		known = s.files[i].blocks
	}
	s.mu.RUnlock()
	if n := len(known); n > 0 || f.size == 0 {
		for n > 0 && known[n-1].at >= f.size { // grew since
			n--
		}
		return known[:n], nil
	}
	var refs []blockRef
	var h [blockHeader]byte
	for at := int64(0); at < f.size; {
		if _, err := r.ReadAt(h[:], at); err != nil {
			return nil, damaged(err)
		}
		if string(h[:4]) != string(blockMagic) {
			return nil, damaged(fmt.Errorf("no block at %d", at))
		}
		refs = append(refs, blockRef{int64(binary.LittleEndian.Uint64(h[4:])), binary.LittleEndian.Uint32(h[12:]), at})
		at += blockHeader + int64(binary.LittleEndian.Uint32(h[20:]))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, found := s.place(f.first); found && s.files[i].size == f.size && s.files[i].blocks == nil {
		s.files[i].blocks = slices.Clone(refs)
		s.forget(i)
	}
	return refs, nil
}

// knownFiles bounds the files whose blocks are remembered.
const knownFiles = 16

// forget drops what is known of other files when there are too many. Called
// with mu held.
func (s *shelf) forget(but int) {
	n := 0
	for i := len(s.files) - 1; i >= 0; i-- {
		if s.files[i].blocks == nil || i == but {
			continue
		}
		if n++; n > knownFiles && i != len(s.files)-1 {
			s.files[i].blocks = nil
		}
	}
}

func (s *shelf) place(first int64) (int, bool) {
	return slices.BinarySearchFunc(s.files, first, func(f shelfFile, want int64) int { return int(f.first - want) })
}

func damaged(cause error) error {
	return fault.New(fault.KindInternal, "decision.archive_damaged", "a file of the archive of decisions is damaged").
		WithHint("run reeve audit verify, and restore the file from a backup").WithCause(cause)
}

func readBlock(r *os.File, at, size int64) ([]item, error) {
	var h [blockHeader]byte
	if _, err := r.ReadAt(h[:], at); err != nil {
		return nil, damaged(err)
	}
	packed := int64(binary.LittleEndian.Uint32(h[20:]))
	if string(h[:4]) != string(blockMagic) || at+blockHeader+packed > size {
		return nil, damaged(fmt.Errorf("no block at %d", at))
	}
	b := make([]byte, packed)
	if _, err := r.ReadAt(b, at+blockHeader); err != nil {
		return nil, damaged(err)
	}
	return unpackBlock(h[:], b)
}

// unpackBlock reads a block whose header was found to be one.
func unpackBlock(h, packed []byte) ([]item, error) {
	if crc32.Checksum(packed, castagnoli) != binary.LittleEndian.Uint32(h[24:]) {
		return nil, damaged(errors.New("checksum of a block"))
	}
	size, n := binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[12:])
	if size > maxBlockRaw || n > size {
		return nil, damaged(errors.New("size of a block"))
	}
	raw, err := unpacker.DecodeAll(packed, make([]byte, 0, size))
	if err != nil || len(raw) != int(size) {
		return nil, damaged(errors.Join(err, errors.New("a block does not unpack")))
	}
	first := int64(binary.LittleEndian.Uint64(h[4:]))
	items := make([]item, 0, n)
	for len(raw) > 0 {
		d, k := binary.Uvarint(raw)
		if k <= 0 || d >= fileSpan {
			return nil, damaged(errors.New("an entry's number"))
		}
		l, m := binary.Uvarint(raw[k:])
		if m <= 0 || l > uint64(len(raw)-k-m) {
			return nil, damaged(errors.New("an entry's length"))
		}
		end := k + m + int(l)
		items = append(items, item{first + int64(d), raw[k+m : end : end]})
		raw = raw[end:]
	}
	if len(items) != int(n) {
		return nil, damaged(errors.New("a block has other entries than it says"))
	}
	return items, nil
}

// drop removes the files whose entries are all before seq, but never the last.
// It returns the first number that may still be there.
func (s *shelf) drop(seq int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.files) > 1 && s.files[0].first+s.span <= seq {
		if err := os.Remove(s.path(s.files[0].first)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.files[0].first, archiveFault(err)
		}
		s.files = slices.Delete(s.files, 0, 1)
	}
	if len(s.files) == 0 {
		return 0, nil
	}
	return s.files[0].first, nil
}

// erase rewrites the files that have entries which gone names, without them.
// No append may run meanwhile.
func (s *shelf) erase(gone func(item) bool) (erased []int64, err error) {
	s.mu.RLock()
	files := slices.Clone(s.files)
	s.mu.RUnlock()
	for _, f := range files {
		var keep []item
		n := len(erased)
		err := s.readFile(f, 0, func(it item) error {
			if gone(it) {
				erased = append(erased, it.seq)
			} else {
				keep = append(keep, it)
			}
			return nil
		})
		if err != nil {
			return erased, err
		}
		if len(erased) > n {
			if err := s.rewrite(f.first, keep); err != nil {
				return erased, archiveFault(err)
			}
		}
	}
	return erased, nil
}

// rewrite replaces a file by one with these entries.
func (s *shelf) rewrite(first int64, items []item) error {
	tmp, err := openShelf(filepath.Join(s.dir, "rewrite"), shelfEnd{File: -1})
	if err != nil {
		return err
	}
	if err := tmp.append(items, nil); err != nil {
		return err
	}
	if _, err := tmp.sync(); err != nil {
		return err
	}
	if err := tmp.close(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.place(first)
	if !found {
		return nil
	}
	last := i == len(s.files)-1
	if last && s.w != nil {
		if err := s.w.Close(); err != nil {
			return err
		}
		s.w = nil
	}
	var size int64
	if len(items) == 0 {
		if err := os.WriteFile(tmp.path(first), nil, 0o600); err != nil {
			return err
		}
	} else {
		size = tmp.files[0].size
	}
	if err := os.Rename(tmp.path(first), s.path(first)); err != nil {
		return err
	}
	s.files[i].size, s.files[i].blocks = size, nil
	return durable.SyncDir(s.dir)
}

// bytes is what the shelf takes on disk.
func (s *shelf) bytes() (n int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.files {
		n += f.size
	}
	return n
}

func archiveFault(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.New(fault.KindUnavailable, "decision.archive_disk", "the archive of decisions cannot be read or written").
		WithHint("check the disk and the rights of the data folder").WithCause(err)
}

// replaceFile writes a file under another name, syncs it and gives it its name.
func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
