package behaviour

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"sync"
	"time"
)

// Scopes are kept in two generations: what is not looked at while a generation
// fills is dropped with the one before. That a scope was dropped is remembered
// much longer: what is said in it from then on, and was not heard again, counts
// as unknown and not as new.
const (
	shards     = 32
	generation = 8_000  // scopes of both generations of all shards, half of each
	dropped    = 64_000 // scopes that are known to have been dropped, per generation of all shards
	// lostFor is how long a credential whose scope was dropped is under suspicion:
	// unlike a run it has no end.
	lostFor = 10 * time.Minute
	// keptFor is how long it is remembered that a scope was dropped by a restart.
	keptFor = 24 * time.Hour
)

// scopes are all scopes.
type scopes struct {
	now     func() time.Time
	shards  [shards]shard
	earlier map[uint64]int64 // dropped by an earlier process; never changes
}

// shard is a part of the scopes, by their key's hash.
type shard struct {
	mu         sync.Mutex
	young, old map[string]*scope
	gone, left map[uint64]int64 // dropped scopes, by their key's digest: when, in seconds
	changed    bool
}

// keys are the scopes of a call, the narrowest first; the last is the widest.
func (w *Who) keys() (list [3]string, n int) {
	if w.Run != "" {
		list[n] = "r\x00" + w.Run
		n++
	}
	if w.Session != "" {
		list[n] = "s\x00" + w.Credential + "\x00" + w.Session
		n++
	}
	list[n] = "c\x00" + w.Credential + "\x00" + w.User
	return list, n + 1
}

// of are the scopes of a call, made if need be.
func (c *scopes) of(w Who) []*scope {
	keys, n := w.keys()
	out := make([]*scope, n)
	for i, key := range keys[:n] {
		out[i] = c.shard(key).get(key, c.now())
	}
	return out
}

// look are the scopes of a call that are there.
func (c *scopes) look(w Who) []looked {
	keys, n := w.keys()
	out := make([]looked, n)
	now := c.now()
	for i, key := range keys[:n] {
		s, at := c.shard(key).find(key)
		if at == 0 && len(c.earlier) > 0 {
			at = c.earlier[digest(key)]
		}
		// The widest has no end: it is asked only where nothing else says what belongs
		// together, and not for long.
		wide := i == n-1
		out[i] = looked{s, at > 0 && (!wide || n == 1 && now.Unix()-at < int64(lostFor/time.Second)), wide}
	}
	return out
}

func (c *scopes) shard(key string) *shard {
	return &c.shards[maphash.String(seed, key)%shards]
}

func (s *shard) get(key string, now time.Time) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.promote(key); x != nil {
		return x
	}
	s.turn(now)
	x := &scope{}
	s.young[key] = x
	s.changed = true
	return x
}

// find is a scope, and when an earlier one of its key was dropped; 0 never.
func (s *shard) find(key string) (x *scope, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.gone)+len(s.left) > 0 {
		d := digest(key)
		if at = s.gone[d]; at == 0 {
			at = s.left[d]
		}
	}
	return s.promote(key), at
}

func (s *shard) promote(key string) *scope {
	if x := s.young[key]; x != nil {
		return x
	}
	x := s.old[key]
	if x != nil {
		delete(s.old, key)
		s.young[key] = x
	}
	return x
}

// turn begins a new generation when the young one is full; mu is held.
func (s *shard) turn(now time.Time) {
	if s.young != nil && len(s.young) < generation/2/shards {
		return
	}
	for key := range s.old {
		s.drop(digest(key), now.Unix())
	}
	s.old, s.young = s.young, map[string]*scope{}
}

// drop remembers that a scope is not known any more; mu is held.
func (s *shard) drop(d uint64, at int64) {
	if s.gone == nil || len(s.gone) >= dropped/shards {
		s.left, s.gone = s.gone, map[uint64]int64{}
	}
	s.gone[d] = at
	s.changed = true
}

// digest names a scope across restarts.
func digest(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:8])
}

// useKey is the name under which it is kept that an agent used a destination:
// what names a person or an account is kept as a digest.
func useKey(kind Kind, unit string) string {
	if kind == URL || kind == Host {
		return unit
	}
	sum := sha256.Sum256([]byte(unit))
	return "~" + hex.EncodeToString(sum[:12])
}

// lost lists the scopes that a restart drops, with those that were dropped
// before; changed says whether that differs from the last time.
func (c *scopes) lost() (all map[uint64]int64, changed bool) {
	now := c.now().Unix()
	all = map[uint64]int64{}
	put := func(d uint64, at int64) {
		if now-at < int64(keptFor/time.Second) {
			all[d] = at
		}
	}
	for d, at := range c.earlier {
		put(d, at)
	}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		changed = changed || s.changed
		s.changed = false
		for _, m := range []map[uint64]int64{s.left, s.gone} {
			for d, at := range m {
				put(d, at)
			}
		}
		for _, m := range []map[string]*scope{s.old, s.young} {
			for key := range m {
				all[digest(key)] = now
			}
		}
		s.mu.Unlock()
	}
	return all, changed
}
