// Package tree is the Merkle tree over a chained log, and what proves things
// with it: tiles, signed checkpoints, receipts and witnesses.
//
// What for: with a checkpoint that somebody else keeps, nobody (we least of all)
// can change, remove or insert a record behind it unseen; with a proof, one
// record can be shown to be in the log without showing the others.
//
// Who calls it: app grows one tree for each log (decisions, administrative
// changes); api and the command line make and check receipts.
//
// Promises: the tree is RFC 6962's, its files are C2SP tlog-tiles and its
// checkpoints C2SP signed notes, so tools of others read them. Appending the same
// leaves again changes nothing, which is how a crash is repaired. A checkpoint is
// signed only over what was written. Everything is safe for concurrent use.
//
//	tile/0/x001/234         256 leaf hashes; a full tile is never written again
//	tile/0/x001/235.p/17    the 17 that there are of the next
//	tile/1/...              roots of the tiles below
//	checkpoint              origin, size, root, signatures
//
// How it fails: leaves that do not continue the tree are refused (tree.gap); a
// disk that cannot be written is tree.disk and changes nothing that was signed.
//
// Start reading at Tree.Append, then checkpoint.go and receipt.go.
package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"reeve/internal/audit/record"
	"reeve/internal/fault"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// Options says where a tree lives and whose it is. All but Witness are required.
type Options struct {
	Dir    string // ours alone; made when missing
	Origin string // the log's name, as its records and checkpoints say it
	Keys   *Keys
	// Witness is given each new checkpoint; it must not wait. May be nil.
	Witness func(origin string, checkpoint []byte)
}

// Tree is an open tree.
type Tree struct {
	o Options

	mu      sync.Mutex // guards what follows
	hasher  Hasher
	saved   int64 // leaves whose hashes are on disk
	signed  int64 // size of the newest checkpoint
	note    []byte
	partial map[string]bool // partial tiles on disk
}

// Hasher computes roots of a growing tree; the zero value is the empty tree. It
// is used by one goroutine.
type Hasher struct {
	size   int64
	levels [][]tlog.Hash // of each level of tiles, the hashes of the tile that is not full
}

// Add appends a leaf. full is called for every tile that it completes.
func (h *Hasher) Add(leaf record.Hash, full func(level int, n int64, tile []tlog.Hash) error) error {
	hash := tlog.Hash(leaf)
	for level := 0; ; level++ {
		if level == len(h.levels) {
			h.levels = append(h.levels, make([]tlog.Hash, 0, tileWidth))
		}
		h.levels[level] = append(h.levels[level], hash)
		if len(h.levels[level]) < tileWidth {
			break
		}
		if full != nil {
			if err := full(level, h.size>>(tileHeight*(level+1)), h.levels[level]); err != nil {
				h.levels[level] = h.levels[level][:tileWidth-1]
				return err
			}
		}
		hash = perfect(h.levels[level])
		h.levels[level] = h.levels[level][:0]
	}
	h.size++
	return nil
}

// Size is how many leaves were added.
func (h *Hasher) Size() int64 { return h.size }

// Root is the root of the tree as it is.
func (h *Hasher) Root() tlog.Hash {
	var root tlog.Hash
	any := false
	for _, tile := range h.levels { // from the right edge, small subtrees first
		for n := len(tile); n > 0; {
			width := n & -n // the lowest bit: the smallest perfect subtree
			part := perfect(tile[n-width : n])
			if any {
				part = tlog.NodeHash(part, root)
			}
			root, any = part, true
			n -= width
		}
	}
	if !any {
		root, _ = tlog.TreeHash(0, nil) // the hash of nothing
	}
	return root
}

// perfect is the root over a power of two of hashes.
func perfect(of []tlog.Hash) tlog.Hash {
	var buf [tileWidth]tlog.Hash
	n := copy(buf[:], of)
	for ; n > 1; n /= 2 {
		for i := range n / 2 {
			buf[i] = tlog.NodeHash(buf[2*i], buf[2*i+1])
		}
	}
	return buf[0]
}

// Open opens a tree as its files say.
func Open(o Options) (*Tree, error) {
	if o.Dir == "" || o.Origin == "" || o.Keys == nil {
		return nil, fault.New(fault.KindInternal, "tree.options", "a tree lacks a part")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, diskFault(err)
	}
	t := &Tree{o: o, partial: map[string]bool{}}
	text, err := os.ReadFile(t.path("tree.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	var size struct {
		Origin string `json:"origin"`
		Size   int64  `json:"size"`
	}
	if err == nil {
		err = json.Unmarshal(text, &size)
	}
	if err != nil {
		return nil, diskFault(err)
	}
	if size.Origin != o.Origin {
		return nil, fault.New(fault.KindConflict, "tree.origin", "the tiles in %s are of %s", filepath.Base(o.Dir), size.Origin)
	}
	if err := t.load(size.Size); err != nil {
		return nil, err
	}
	note, err := os.ReadFile(t.path("checkpoint"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t, nil
	case err != nil:
		return nil, diskFault(err)
	}
	c, err := ParseCheckpoint(note)
	if err == nil && c.Size <= size.Size {
		t.note, t.signed = note, c.Size
	}
	return t, nil // one that is ahead or unreadable is signed anew
}

// load fills the tiles that are not full.
func (t *Tree) load(size int64) error {
	t.hasher.size, t.saved = size, size
	for level := 0; size > 0; level++ {
		width := int(size % tileWidth)
		tile := make([]tlog.Hash, 0, tileWidth)
		if width > 0 {
			data, err := t.readTile(level, size/tileWidth, width)
			if err != nil {
				return err
			}
			t.remember(level, size/tileWidth)
			for i := range width {
				tile = append(tile, tlog.Hash(data[i*tlog.HashSize:(i+1)*tlog.HashSize]))
			}
		}
		t.hasher.levels = append(t.hasher.levels, tile)
		size /= tileWidth
	}
	return nil
}

// remember finds the partial tiles that are on disk, to be removed in time.
func (t *Tree) remember(level int, n int64) {
	dir := tileName(level, n, tileWidth) + ".p"
	names, err := os.ReadDir(t.path(dir))
	if err != nil {
		return // there are none
	}
	for _, e := range names {
		t.partial[dir+"/"+e.Name()] = true
	}
}

func (t *Tree) path(name string) string { return filepath.Join(t.o.Dir, filepath.FromSlash(name)) }

// tileName is a tile's path as C2SP tlog-tiles has it; width 256 is a full one.
func tileName(level int, n int64, width int) string {
	name := tlog.Tile{H: tileHeight, L: level, N: n, W: width}.Path()
	return "tile" + strings.TrimPrefix(name, "tile/"+strconv.Itoa(tileHeight))
}

// readTile reads a tile's first hashes from whichever file has them: after a
// crash there may be a wider one than was committed.
func (t *Tree) readTile(level int, n int64, width int) ([]byte, error) {
	full, err := os.ReadFile(t.path(tileName(level, n, tileWidth)))
	if err == nil && len(full) >= width*tlog.HashSize {
		return full[:width*tlog.HashSize], nil
	}
	names, err := filepath.Glob(t.path(tileName(level, n, tileWidth)) + ".p/*")
	if err != nil {
		return nil, diskFault(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err == nil && len(data) >= width*tlog.HashSize && len(data)%tlog.HashSize == 0 {
			return data[:width*tlog.HashSize], nil
		}
	}
	return nil, fault.New(fault.KindInternal, "tree.lost", "tile %s is gone", tileName(level, n, width)).
		WithHint("remove the folder of tiles; it is made again from the records").WithCause(errors.Join(err, fs.ErrNotExist))
}

// Size is how many leaves are on disk.
func (t *Tree) Size() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.saved
}

// Still runs do while nothing is added or signed: its files can be copied.
func (t *Tree) Still(do func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return do()
}

// Origin is the name of the log.
func (t *Tree) Origin() string { return t.o.Origin }

// Append adds leaves from index from on and makes them durable. Those that are
// there already are skipped. Fault tree.gap when from is behind the end.
func (t *Tree) Append(from int64, leaves []record.Hash) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if from > t.hasher.size {
		return fault.New(fault.KindInternal, "tree.gap", "leaf %d does not follow leaf %d", from, t.hasher.size-1)
	}
	skip := min(t.hasher.size-from, int64(len(leaves)))
	for _, leaf := range leaves[skip:] {
		if err := t.hasher.Add(leaf, t.writeFull); err != nil {
			return diskFault(err)
		}
	}
	return t.save()
}

func (t *Tree) writeFull(level int, n int64, tile []tlog.Hash) error {
	return t.write(tileName(level, n, tileWidth), encodeTile(tile))
}

func encodeTile(tile []tlog.Hash) []byte {
	out := make([]byte, 0, len(tile)*tlog.HashSize)
	for i := range tile {
		out = append(out, tile[i][:]...)
	}
	return out
}

// save writes the tiles that are not full, then the size; then the partial tiles
// of before are of no more use. Called with mu held.
func (t *Tree) save() error {
	if t.saved == t.hasher.size {
		return nil
	}
	now := map[string]bool{}
	for level, tile := range t.hasher.levels {
		if len(tile) == 0 {
			continue
		}
		name := tileName(level, t.hasher.size>>(tileHeight*(level+1)), len(tile))
		now[name] = true
		if t.partial[name] {
			continue
		}
		if err := t.write(name, encodeTile(tile)); err != nil {
			return diskFault(err)
		}
	}
	text, err := json.Marshal(map[string]any{"origin": t.o.Origin, "size": t.hasher.size})
	if err != nil {
		return err
	}
	if err := t.write("tree.json", text); err != nil {
		return diskFault(err)
	}
	t.saved = t.hasher.size
	for name := range t.partial {
		if !now[name] {
			_ = os.Remove(t.path(name)) // a leftover is harmless
			_ = os.Remove(filepath.Dir(t.path(name)))
		}
	}
	t.partial = now
	return nil
}

// write replaces a file. It is not synced: the records are, and tiles that a
// power cut took are made again from them; see Sync.
func (t *Tree) write(name string, data []byte) error {
	path, tmp := t.path(name), filepath.Join(t.o.Dir, ".tmp-tile") // there is one writer
	err := os.WriteFile(tmp, data, 0o600)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if errors.Is(err, fs.ErrNotExist) { // the first of 256 tiles of a folder
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = os.Rename(tmp, path)
		}
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return err
}

// Sync makes the tiles with the leaves before index durable against a power cut:
// before their records are dropped, which they could be made from.
func (t *Tree) Sync(index int64) error {
	for level := 0; index > 0; level++ {
		for n := range index / tileWidth {
			f, err := os.Open(t.path(tileName(level, n, tileWidth)))
			if err != nil {
				return diskFault(err)
			}
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				return diskFault(err)
			}
		}
		index /= tileWidth
	}
	return nil
}

// Reset forgets the tiles, to make them again from the records. What was signed
// stays: the same records give the same roots.
func Reset(dir string) error {
	for _, name := range []string{"tree.json", "tile"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return diskFault(err)
		}
	}
	return nil
}

// ReadHashes implements tlog.HashReader over the tiles.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		tile := tlog.TileForIndex(tileHeight, index)
		data, err := t.tile(tile.L, tile.N, tile.W)
		if err != nil {
			return nil, err
		}
		if out[i], err = tlog.HashFromTile(tile, data, index); err != nil {
			return nil, fmt.Errorf("reading the tree: %w", err)
		}
	}
	return out, nil
}

// tile reads a tile, from memory when it is the one that is not full. Called
// with mu held.
func (t *Tree) tile(level int, n int64, width int) ([]byte, error) {
	if level < len(t.hasher.levels) && n == t.hasher.size>>(tileHeight*(level+1)) {
		tile := t.hasher.levels[level]
		if len(tile) < width {
			return nil, fault.New(fault.KindNotFound, "tree.not_there", "the tree has no such leaf yet")
		}
		return encodeTile(tile[:width]), nil
	}
	return t.readTile(level, n, width)
}

// Leaves reads leaf hashes from on, at most a tile of them; none at the end.
func (t *Tree) Leaves(from int64) ([]record.Hash, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if from < 0 || from >= t.saved {
		return nil, nil
	}
	n := from / tileWidth
	width := int(min(tileWidth, t.saved-n*tileWidth))
	data, err := t.tile(0, n, width)
	if err != nil {
		return nil, err
	}
	var out []record.Hash
	for data = data[from%tileWidth*tlog.HashSize:]; len(data) > 0; data = data[tlog.HashSize:] {
		out = append(out, record.Hash(data[:tlog.HashSize]))
	}
	return out, nil
}

// Prove gives the proof that leaf index is in the tree of the newest checkpoint.
// Fault tree.not_signed when no checkpoint has it yet.
func (t *Tree) Prove(index int64) (hashes []tlog.Hash, checkpoint []byte, err error) {
	t.mu.Lock()
	size, note := t.signed, bytes.Clone(t.note)
	t.mu.Unlock()
	if index < 0 || index >= size {
		return nil, nil, fault.New(fault.KindUnavailable, "tree.not_signed", "record %d is not under a checkpoint yet", index).
			WithHint("checkpoints are signed each second: ask again")
	}
	proof, err := tlog.ProveRecord(size, index, t)
	return proof, note, err
}

func diskFault(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.New(fault.KindUnavailable, "tree.disk", "the tree of the audit log cannot be read or written").
		WithHint("check the disk and the rights of the data folder").WithCause(err)
}
