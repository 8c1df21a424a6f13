package telemetry

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns()
		turns.most = 1
		var waits atomic.Bool
		turns.Urgent(waits.Load)
		turns.Take()
		turns.Take() // nobody waits: all at once
		waits.Store(true)
		var third atomic.Bool
		go func() { turns.Take(); third.Store(true) }()
		synctest.Wait()
		turns.Give()
		synctest.Wait()
		if third.Load() {
			t.Fatal("two turns at a time while somebody waits")
		}
		turns.Give()
		synctest.Wait()
		if !third.Load() {
			t.Fatal("no turn after all were given back")
		}
		waits.Store(false)
		turns.Take()
		turns.Give()
		turns.Give()
		if turns.taken != 0 {
			t.Errorf("%d turns are taken", turns.taken)
		}
	})
	var none *Turns
	none.Take()
	none.Give()
}
