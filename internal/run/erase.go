package run

import "reeve/internal/activity"

// Forget drops runs from memory that the store has whole, so that nothing of them is
// written again when the store forgot them. It returns those of which the store does
// not have everything yet.
func (r *Reader) Forget(runs map[activity.RunID]struct{}) (busy map[activity.RunID]struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.contents.young) // or a later run would refer to what is gone
	clear(r.contents.old)
	busy = map[activity.RunID]struct{}{}
	for id := range runs {
		l := r.runs[id]
		switch {
		case l == nil:
		case !r.clean(l):
			busy[id] = struct{}{}
		case l.rowDirty:
			l.rowAt = 0 // its row is written now
			r.mark(l)
			busy[id] = struct{}{}
		default:
			r.forget(l)
		}
	}
	return busy
}
