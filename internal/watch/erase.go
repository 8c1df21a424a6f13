package watch

import (
	"reeve/internal/erase"
)

// Forget drops the destinations and other names that agents were seen to use in which
// cut finds something: an address that somebody's mail went to. It is new again when it
// comes again. It returns how many; with dry nothing is dropped.
func (w *Watch) Forget(cut erase.Cutter, dry bool) (n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.agents {
		for _, of := range a.known {
			for name := range of {
				if _, found := cut(name); !found {
					continue
				}
				if n++; !dry {
					delete(of, name)
				}
			}
		}
		for _, of := range a.parts {
			for name := range of {
				if _, found := cut(name); !found {
					continue
				}
				if n++; !dry {
					delete(of, name)
				}
			}
		}
		if a.ways == nil {
			continue
		}
		ways, dropped := a.ways.Known(), false
		for name := range ways {
			if _, found := cut(name); found {
				delete(ways, name)
				dropped = true
				n++
			}
		}
		if dropped && !dry {
			a.ways.Restore(ways)
		}
	}
	if n > 0 && !dry {
		w.dirty, w.savedAt = true, 0
	}
	return n
}
