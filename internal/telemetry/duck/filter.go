package duck

import (
	"encoding/binary"
	"sync"

	"reeve/internal/activity"
)

// filter is a set of run ids that may say yes by mistake (about 1 in 200) and
// never no: blocked Bloom filters, each twice as large as the one before. Ids
// are hashes already, so their bits are taken as they are. The zero filter is
// empty; safe for concurrent use.
type filter struct {
	mu     sync.RWMutex
	blocks [][][8]uint64
	room   int // ids that the last one still takes
}

const (
	filterFirst   = 1 << 14 // blocks of 64 bytes: 1 MB
	idsPerBlock   = 42      // 12 bits an id
	filterProbes  = 7
	bitsOfOneStep = 9
)

func probe(b *[8]uint64, h uint64, set bool) bool {
	all := true
	for range filterProbes {
		bit := h & 511
		h >>= bitsOfOneStep
		if b[bit>>6]&(1<<(bit&63)) == 0 {
			if !set {
				return false
			}
			all = false
			b[bit>>6] |= 1 << (bit & 63)
		}
	}
	return all
}

// blockOf uses the first half of an id only: that is what the segments' indexes
// have.
func blockOf(id [8]byte, n int) (block int, bits uint64) {
	h := binary.LittleEndian.Uint64(id[:])
	return int(h % uint64(n)), h * 0x9E3779B97F4A7C15 >> 1
}

func (f *filter) has(id activity.RunID) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.hasLocked(keyOf(id))
}

func (f *filter) hasLocked(id [8]byte) bool {
	for _, bs := range f.blocks {
		at, bits := blockOf(id, len(bs))
		if probe(&bs[at], bits, false) {
			return true
		}
	}
	return false
}

func (f *filter) add(id activity.RunID) { f.addKey(keyOf(id)) }

func (f *filter) addKey(id [8]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hasLocked(id) {
		return
	}
	if f.room == 0 {
		n := filterFirst << len(f.blocks)
		f.blocks = append(f.blocks, make([][8]uint64, n))
		f.room = n * idsPerBlock
	}
	bs := f.blocks[len(f.blocks)-1]
	at, bits := blockOf(id, len(bs))
	probe(&bs[at], bits, true)
	f.room--
}
