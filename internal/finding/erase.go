package finding

import (
	"reeve/internal/erase"
)

// Cut takes what cut finds out of the findings and verdicts that are held in memory.
// What is stored is the caller's to cut after it.
func (b *Book) Cut(cut erase.Cutter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.byID {
		cut.In(&e.Finding)
	}
	for id, v := range b.verdicts {
		if cut.In(&v) {
			b.verdicts[id] = v
		}
	}
}
