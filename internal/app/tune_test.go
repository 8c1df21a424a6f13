package app

import "testing"

// One more than there are, unless somebody said how many, or this process may use
// fewer than the machine has.
func TestProcessors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set          bool
		has, machine int
		want         int
	}{{false, 2, 2, 3}, {false, 1, 1, 2}, {false, 2, 8, 0}, {true, 2, 2, 0}, {true, 16, 8, 0}} {
		if got := processors(c.set, c.has, c.machine); got != c.want {
			t.Errorf("GOMAXPROCS set: %v, %d of %d: got %d, want %d", c.set, c.has, c.machine, got, c.want)
		}
	}
}
