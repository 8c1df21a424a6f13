package content

import (
	"slices"
	"sync"
)

// finds gathers what was found of one body or stream.
type finds struct {
	plan *Plan
	side *side
	all  []Found
}

// note adds what begins in [from, until); a match that a rule blocks is an
// error.
func (f *finds) note(text []byte, list []match, from, until int) error {
	for _, m := range list {
		if m.start < from || m.start >= until {
			continue
		}
		if err := f.add(m, text); err != nil {
			return err
		}
	}
	return nil
}

func (f *finds) add(m match, text []byte) error {
	if m.class == OwnKeys && f.plan.set.leaked != nil {
		f.plan.set.leaked(string(text[m.start:m.end]))
	}
	rule, action := f.side.rule(m.class)
	found := Found{Class: m.class, Rule: rule, Action: action, Count: 1}
	if action == Block {
		f.count(found)
		return blocked(found)
	}
	f.count(found)
	return nil
}

func (f *finds) count(n Found) { f.all = Add(f.all, []Found{n}) }

// Add adds up what was found; list may change.
func Add(list, more []Found) []Found {
	for _, n := range more {
		i := slices.IndexFunc(list, func(v Found) bool { return v.Class == n.Class && v.Rule == n.Rule })
		if i < 0 {
			list = append(list, n)
			continue
		}
		list[i].Count += n.Count
	}
	return list
}

func (f *finds) list() []Found { return f.all }

// memory remembers what messages hold, so that a history that is sent again
// with each turn is scanned once. Two generations bound it.
type memory struct {
	mu         sync.Mutex
	young, old map[memoryKey][]match
}

type memoryKey struct {
	hash   uint64
	length int
	engine uint64
}

const remembered = 32_768 // messages a generation

func (m *memory) get(k memoryKey) ([]match, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.young[k]; ok {
		return v, true
	}
	v, ok := m.old[k]
	if ok {
		m.store(k, v)
	}
	return v, ok
}

func (m *memory) put(k memoryKey, v []match) {
	if len(v) > 100 {
		return // rare, and they would fill it
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store(k, v)
}

func (m *memory) store(k memoryKey, v []match) {
	if m.young == nil || len(m.young) >= remembered {
		m.young, m.old = make(map[memoryKey][]match, 1024), m.young
	}
	m.young[k] = v
}
