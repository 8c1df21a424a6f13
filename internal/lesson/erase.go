package lesson

import (
	"reeve/internal/erase"
)

// Cut takes what cut finds out of the lessons that are held in memory. What is stored
// is the caller's to cut after it.
func (b *Book) Cut(cut erase.Cutter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, l := range b.lessons {
		next := *l // who reads one has it without the lock
		if cut.In(&next) {
			b.lessons[id] = &next
		}
	}
}
