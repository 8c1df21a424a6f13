package behaviour

import "reeve/internal/erase"

// Forget drops what a user and sessions touched, and domains in whose names cut finds
// something. It returns how many entries; with dry nothing is dropped.
func (m *Memory) Forget(user string, sessions []string, cut erase.Cutter, dry bool) (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := make([]string, 0, len(sessions)+1)
	if user != "" {
		keys = append(keys, "u\x00"+user)
	}
	for _, s := range sessions {
		keys = append(keys, "s\x00"+s)
	}
	for _, k := range keys {
		if _, ok := m.taints[k]; ok {
			if n++; !dry {
				delete(m.taints, k)
			}
		}
	}
	for _, of := range []map[string]map[string]bool{m.reached, m.done} {
		for _, names := range of {
			for name := range names {
				if _, found := cut(name); !found {
					continue
				}
				if n++; !dry {
					delete(names, name)
				}
			}
		}
	}
	m.dirty = m.dirty || n > 0 && !dry
	return n
}
