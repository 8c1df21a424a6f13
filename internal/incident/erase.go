package incident

import (
	"context"

	"reeve/internal/erase"
)

// Cut takes what cut finds out of what is held in memory: live incidents, their
// signals, silences and what these hold back. What is stored is the caller's to cut
// after it: from then on nothing is written with it again.
func (b *Book) Cut(ctx context.Context, cut erase.Cutter) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := b.flush(ctx); err != nil { // entries that wait are cut where they are stored
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.engine.groups {
		cut.In(&g.inc)
		for _, m := range g.members {
			cut.In(&m.Member)
		}
		for i := range g.pending.entries {
			cut.In(&g.pending.entries[i])
		}
	}
	for _, s := range b.silences {
		cut.In(s)
	}
	for print, s := range b.muted {
		if cut.In(&s) {
			b.muted[print] = s
		}
	}
	return nil
}
