package watch

import (
	"fmt"

	"reeve/internal/erase"
)

// Forget drops the destinations and other names that agents were seen to use in which
// cut finds something: an address that somebody's mail went to, a kind of log line that
// names somebody. It is new again when it comes again. It returns how many; with dry
// nothing is dropped.
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
		found := func(text string) bool {
			_, yes := cut(text)
			return yes
		}
		n += a.paths.forget(found, dry)
		for name := range a.ranges {
			if found(name) {
				if n++; !dry {
					delete(a.ranges, name)
				}
			}
		}
		for k := range a.blocks {
			if found(k.name) && !dry {
				delete(a.blocks, k)
			}
		}
		if a.deep != nil && a.deep.drift != nil {
			n += int64(a.deep.drift.Forget(found, dry))
		}
		if a.lines != nil {
			n += int64(a.lines.miner.Forget(found, dry))
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

// forget takes the names of tools in which gone finds something; where they stood in
// paths stays.
func (p *paths) forget(gone func(string) bool, dry bool) (n int64) {
	for i, name := range p.names {
		if !gone(name) {
			continue
		}
		if n++; dry {
			continue
		}
		delete(p.index, name)
		p.names[i] = fmt.Sprintf("(erased %d)", i+1)
		p.index[p.names[i]] = i
	}
	return n
}
