package duck

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSortPlaces holds dealing out and sorting against sorting alone, for rows of
// one day and of several, few and many, with keys that begin alike.
func TestSortPlaces(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 8))
	for _, c := range []struct{ n, days, keys int }{{1, 1, 1}, {fewPlaces, 1, 9}, {5000, 1, 400}, {5000, 1, 1}, {5000, 3, 400}} {
		keys := make([]uint64, c.keys)
		for i := range keys {
			keys[i] = rng.Uint64()
		}
		order := make([]rowPlace, c.n)
		for i := range order {
			order[i] = rowPlace{int32(rng.IntN(c.days)), int32(i), keys[rng.IntN(c.keys)], rng.Int64()}
		}
		want := slices.Clone(order)
		slices.SortFunc(want, comparePlaces)
		if sortPlaces(order); !slices.Equal(order, want) {
			t.Errorf("%d rows of %d days and %d keys are out of order", c.n, c.days, c.keys)
		}
	}
}
