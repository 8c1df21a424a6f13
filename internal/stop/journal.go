package stop

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/durable"
)

// journal keeps the stops that are in force and not in the database yet, in a
// file of its own, so that a stop waits for nobody: what is written to it lives
// through the end of the process, and the database has the stop on disk before
// anybody is told that it holds.
//
//	slot: "RSTP" | length | crc32 of the text | the stop as JSON
//
// The file is as large as it will ever be from the beginning, so it takes stops
// on a full disk too. A slot that was torn by a power cut is none: its stop was
// answered to nobody.
type journal struct {
	mu   sync.Mutex
	f    *os.File
	free []int
	used map[string]int // slots by the stop's id
}

const (
	slotSize   = 8192 // the longest reason and value, each byte escaped as six, take more: those go the slow way
	slotCount  = 32
	slotHeader = 12
	slotMagic  = "RSTP"
)

var errNoSlot = errors.New("the journal of stops has no room for it")

// kept is a stop as the journal has it.
type kept struct {
	ID      string            `json:"id"`
	Target  client.StopTarget `json:"target"`
	Reason  string            `json:"reason"`
	By      string            `json:"by"`
	Created time.Time         `json:"created"`
	Until   *time.Time        `json:"until,omitempty"`
}

// openJournal opens the file, or makes it, and gives the stops that it holds.
func openJournal(path string) (*journal, []*client.Stop, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the journal of stops: %w", err)
	}
	j := &journal{f: f, used: map[string]int{}}
	all, err := j.load(path)
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, nil, fmt.Errorf("reading the journal of stops: %w", err)
	}
	return j, all, nil
}

func (j *journal) load(path string) (all []*client.Stop, err error) {
	text := make([]byte, slotSize*slotCount)
	n, err := io.ReadFull(j.f, text)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if n < len(text) { // new, or cut off: its blocks are written now, so that a stop writes in place
		if _, err := j.f.WriteAt(text[n:], int64(n)); err != nil {
			return nil, err
		}
		if err := errors.Join(j.f.Sync(), durable.SyncDir(filepath.Dir(path))); err != nil {
			return nil, err
		}
	}
	for i := range slotCount {
		st, ok := readSlot(text[i*slotSize : (i+1)*slotSize])
		if !ok {
			j.free = append(j.free, i)
			continue
		}
		j.used[st.ID] = i
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *client.Stop) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all, nil
}

// readSlot reads a stop; ok is false for an empty slot and for a broken one.
func readSlot(slot []byte) (st *client.Stop, ok bool) {
	if string(slot[:4]) != slotMagic {
		return nil, false
	}
	n := binary.BigEndian.Uint32(slot[4:])
	if n > slotSize-slotHeader {
		return nil, false
	}
	text := slot[slotHeader : slotHeader+n]
	var k kept
	if crc32.ChecksumIEEE(text) != binary.BigEndian.Uint32(slot[8:]) || json.Unmarshal(text, &k) != nil || k.ID == "" || checkTarget(k.Target) != nil {
		return nil, false
	}
	return &client.Stop{ID: k.ID, Target: k.Target, Reason: k.Reason, By: k.By, CreatedAt: k.Created, Until: k.Until}, true
}

// put writes a stop. It is safe from the end of this process once put returns,
// and from that of the machine after sync.
func (j *journal) put(st *client.Stop) error {
	text, err := json.Marshal(kept{ID: st.ID, Target: st.Target, Reason: st.Reason, By: st.By, Created: st.CreatedAt, Until: st.Until})
	if err != nil {
		return err
	}
	if len(text) > slotSize-slotHeader {
		return errNoSlot
	}
	slot := make([]byte, slotHeader+len(text))
	copy(slot, slotMagic)
	binary.BigEndian.PutUint32(slot[4:], uint32(len(text)))
	binary.BigEndian.PutUint32(slot[8:], crc32.ChecksumIEEE(text))
	copy(slot[slotHeader:], text)

	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.free) == 0 {
		return errNoSlot
	}
	i := j.free[len(j.free)-1]
	if _, err := j.f.WriteAt(slot, int64(i)*slotSize); err != nil {
		return err
	}
	j.free = j.free[:len(j.free)-1]
	j.used[st.ID] = i
	return nil
}

// sync makes what was put outlive a power cut.
func (j *journal) sync() error { return j.f.Sync() }

// drop forgets a stop that the database has, or that was lifted. One that is not
// there is no error.
func (j *journal) drop(id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	i, ok := j.used[id]
	if !ok {
		return nil
	}
	if _, err := j.f.WriteAt(make([]byte, slotHeader), int64(i)*slotSize); err != nil {
		return err // it stays used: whoever finds it after a restart sees that the database has it
	}
	delete(j.used, id)
	j.free = append(j.free, i)
	return nil
}

func (j *journal) close() error { return j.f.Close() }
