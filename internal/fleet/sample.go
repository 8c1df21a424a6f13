package fleet

import (
	"bytes"
	"time"

	"reeve/internal/activity"
)

// Messages tell what prompts and tools an agent has. A message is read once:
// the store keeps each once a day and names it by hash, and so does the cache
// here. Reading is bounded, since a prompt that is filled in anew for each call
// is new each time.
const (
	queuedSamples = 1024
	queuedBytes   = 8 << 20
	bytesASec     = 100 << 10 // that are read, some 5 ms of work
	bytesBurst    = 2 << 20
	maxSample     = 256 << 10
	cachedValues  = 8 << 10
	readEvery     = 2 * time.Second // a prompt of one agent, once it had many
)

// sample is a message to be read outside the lock.
type sample struct {
	place  place
	which  int
	run    activity.RunID
	at     int64
	format string
	hash   [16]byte
	raw    []byte
}

// message takes in a message that may be a prompt or a tool's definition.
func (f *Fleet) message(m *activity.Message) {
	which := partPrompt
	switch {
	case m.Field == activity.ContentTools:
		which = partTools
	case m.Field == activity.ContentSystem:
	case m.Field == activity.ContentInput && (m.Role == "system" || m.Role == "developer"):
	default:
		return
	}
	c := f.byName[place{m.Team, m.Env, m.Agent}]
	if c == nil {
		return
	}
	if v, ok := f.cache.get(m.Hash); ok {
		f.partSeen(c, which, v, m.Run, m.Time)
		return
	}
	if len(m.Raw) == 0 || len(m.Raw) > maxSample || f.queued+len(m.Raw) > queuedBytes {
		return
	}
	if _, ok := f.waiting[m.Hash]; ok {
		return
	}
	if t := c.parts; t != nil && which == partPrompt && t.Parts[partPrompt].Runs > 8 {
		if f.clock-t.readAt < int64(readEvery) {
			return
		}
		t.readAt = f.clock
	}
	s := sample{c.place(), which, m.Run, m.Time, string([]byte(m.Format)), m.Hash, bytes.Clone(m.Raw)}
	select {
	case f.samples <- s:
		f.waiting[m.Hash] = struct{}{}
		f.queued += len(s.raw)
	default:
	}
}

// partSeen notes a prompt or a tool's definition.
func (f *Fleet) partSeen(c *claim, which int, v value, run activity.RunID, at int64) {
	if v.Hash == "" {
		return // it was read and is nothing
	}
	t := f.partsOf(c)
	if t == nil {
		return
	}
	f.seen(t, which, v, run, at)
	if which == partPrompt {
		for i := range t.Parts[partPrompt].Values { // a template stands for all that it covers
			if have := &t.Parts[partPrompt].Values[i]; have.is(&v) {
				v.Hash = have.Hash
				break
			}
		}
		c.use(KindPrompt, "prompt "+v.Hash, v.Hash, at, run, 1)
		return
	}
	c.use(KindTool, v.Name, "", at, run, 0) // offered, and not called by that
}

// read makes the value of a message.
func (f *Fleet) read(s sample) {
	var v value
	switch s.which {
	case partPrompt:
		p := readPrompt(textOf(s.format, s.raw))
		v = value{Hash: p.hash, Lines: p.lines}
	case partTools:
		if name, hash, ok := readTool(s.format, s.raw); ok {
			v = value{Hash: hash, Name: name}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, s.hash)
	f.queued -= len(s.raw)
	f.cache.put(s.hash, v)
	if c := f.byName[s.place]; c != nil {
		f.partSeen(c, s.which, v, s.run, s.at)
	}
}

// reads reports whether another message may be read now, and refill gives the
// reading its share of the time that went by. Both are Run's alone.
func (f *Fleet) reads() bool { return f.budget > 0 }

func (f *Fleet) refill(now time.Time) {
	f.budget = min(bytesBurst, f.budget+now.Sub(f.filled).Seconds()*bytesASec)
	f.filled = now
}

// twoAges is a bounded memory in two generations: when the young one is full it
// becomes the old one, and what nobody asked for since is forgotten.
type twoAges struct{ young, old map[[16]byte]value }

func (a *twoAges) get(k [16]byte) (value, bool) {
	if v, ok := a.young[k]; ok {
		return v, true
	}
	v, ok := a.old[k]
	if ok {
		a.put(k, v)
	}
	return v, ok
}

func (a *twoAges) put(k [16]byte, v value) {
	if a.young == nil || len(a.young) >= cachedValues {
		a.old, a.young = a.young, make(map[[16]byte]value)
	}
	a.young[k] = v
}
