package forest

import (
	"slices"

	"reeve/internal/detect/chance"
)

// Kept is what a Forest has learned, for a file. The trees themselves come from
// the seed and are not in it.
type Kept struct {
	Names      []string
	Median     []float64
	Spread     []float64
	Mass, Next []uint16 // tree by tree
	Seen, Rest int
	Early      [][]float64
	Calibrator chance.Kept
}

// Keep copies what was learned.
func (f *Forest) Keep() Kept {
	k := Kept{Names: f.names, Seen: f.seen, Rest: f.rest, Calibrator: f.calibrator.Keep()}
	for _, s := range f.scales {
		k.Median, k.Spread = append(k.Median, s.median), append(k.Spread, s.spread)
	}
	for _, p := range f.early {
		k.Early = append(k.Early, slices.Clone(p))
	}
	if f.seen > scaling { // before that nobody was counted
		k.Mass, k.Next = make([]uint16, 0, trees*nodes), make([]uint16, 0, trees*nodes)
		for t := range f.mass {
			k.Mass, k.Next = append(k.Mass, f.mass[t][:]...), append(k.Next, f.next[t][:]...)
		}
	}
	return k
}

// Restore takes what was kept in place of what was learned. It reports whether it
// fits: a Forest of other measures or another size of trees stays as it is.
func (f *Forest) Restore(k Kept) bool {
	counted := k.Seen > scaling
	switch {
	case !slices.Equal(k.Names, f.names), len(k.Median) != len(f.names), len(k.Spread) != len(f.names), k.Seen < 0:
		return false
	case counted && (len(k.Mass) != trees*nodes || len(k.Next) != trees*nodes), !counted && len(k.Early) != k.Seen%scaling:
		return false
	case slices.ContainsFunc(k.Early, func(p []float64) bool { return len(p) != len(f.names) }):
		return false
	}
	for i := range f.scales {
		f.scales[i] = scale{k.Median[i], k.Spread[i]}
	}
	f.seen, f.rest, f.early = k.Seen, max(k.Rest, 0), k.Early
	for t := range f.mass {
		if counted {
			copy(f.mass[t][:], k.Mass[t*nodes:])
			copy(f.next[t][:], k.Next[t*nodes:])
		}
	}
	f.calibrator.Restore(k.Calibrator)
	return true
}
