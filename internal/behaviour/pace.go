package behaviour

import (
	"hash/maphash"
	"sync"
	"time"
)

// This file measures what a run does as far as its very next action depends on
// it: calls made again with the same arguments, and what the agent never did
// before. The words are those of the detectors, which tell people of the same.

// Words of what an action would be.
const (
	Loop    = "loop"     // the same call with the same arguments, again and again
	NewTool = "new_tool" // the agent never did this before
)

const (
	// loopFrom is the call from which the same is a loop.
	loopFrom = 5
	// paceFor and paceKept bound how long, and how many, calls are compared. A run
	// that goes on is compared over its last paceFor at least.
	paceFor  = 10 * time.Minute
	paceKept = 40_000
	maxDone  = 1_000 // kinds of action of an agent
)

// paces counts calls by digest, in two generations: no argument is kept.
type paces struct {
	mu         sync.Mutex
	young, old map[uint64]uint16
	since      time.Time
}

// Again counts a call and says how often it was made with these bytes in its run,
// or where it names none in its session, or by its credential and user; this one
// included.
func (m *Memory) Again(w Who, resource string, call ...[]byte) int {
	keys, _ := w.keys()
	var h maphash.Hash
	h.SetSeed(seed)
	part := func(s string) {
		_, _ = h.WriteString(s) // a hash's writer never fails
		_ = h.WriteByte(0)
	}
	part(keys[0])
	part(resource)
	for _, b := range call {
		_, _ = h.Write(b)
		_ = h.WriteByte(0)
	}
	return m.paces.count(h.Sum64(), m.o.Now())
}

func (p *paces) count(key uint64, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.young == nil || len(p.young) >= paceKept || now.Sub(p.since) >= paceFor {
		p.old, p.young, p.since = p.young, map[uint64]uint16{}, now
	}
	n, ok := p.young[key]
	if !ok {
		n = p.old[key]
	}
	if n < 1<<16-1 {
		n++
	}
	p.young[key] = n
	return int(n)
}

// Looping reports whether so many of the same call are a loop.
func Looping(n int) bool { return n >= loopFrom }

// Did reports whether an agent ever did this.
func (m *Memory) Did(agent, resource string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.done[agent][resource]
}

// Do notes that an action of an agent goes on.
func (m *Memory) Do(agent, resource string) {
	if agent == "" || resource == "" || m.Did(agent, resource) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.done[agent]
	switch {
	case of == nil && len(m.done) >= maxAgents || len(of) >= maxDone:
		return // it stays a first time
	case of == nil:
		of = map[string]bool{}
		m.done[agent] = of
	}
	of[resource] = true
	m.dirty = true
}
