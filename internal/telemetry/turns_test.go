package telemetry

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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

// While it is held no heavy work begins, for as long as somebody needs and never
// for longer than a moment.
func TestHoldTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns()
		turns.Take() // has begun: goes on
		var begun atomic.Int64
		work := func(n int) {
			for range n {
				go func() { turns.Take(); begun.Add(1); turns.Give() }()
			}
			synctest.Wait()
		}
		first, second := turns.Hold(), turns.Hold()
		work(3)
		turns.Give()
		first()
		first()
		synctest.Wait()
		if n := begun.Load(); n != 0 {
			t.Errorf("%d began while one holds them", n)
		}
		second()
		synctest.Wait()
		if n := begun.Load(); n != 3 {
			t.Errorf("%d began after the release, want 3", n)
		}
		forgotten := turns.Hold()
		work(1)
		<-time.After(holdFor)
		synctest.Wait()
		if n := begun.Load(); n != 4 {
			t.Errorf("%d began after the bound, want 4", n)
		}
		forgotten()
		if turns.held != 0 || turns.taken != 0 {
			t.Errorf("%d held, %d taken", turns.held, turns.taken)
		}
	})
	var none *Turns
	none.Hold()()
}
