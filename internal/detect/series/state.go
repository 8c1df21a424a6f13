package series

import (
	"slices"

	"reeve/internal/detect/chance"
)

// Kept is what a Detector has learned, for a file.
type Kept struct {
	Seen, Quiet                                   int
	Last, Now, Slow, Away, Move, Restless, Spread float64
	Above, Below, Moves, Restlessness             KeptSizes
	Low, High, Smooth                             float64
	Symbols                                       []uint8
	Length                                        int
	Totals, Pairs                                 []uint16
	Rest                                          []float64
	RestAt, RestN                                 int
	Top                                           float64
	InBlock                                       int
	Calibrator                                    chance.Kept
}

// KeptSizes is the distribution of a size.
type KeptSizes struct {
	Bins []float32
	N    float32
	Max  float64
}

func (s *sizes) keep() KeptSizes { return KeptSizes{slices.Clone(s.bins[:]), s.n, s.max} }

func (k *KeptSizes) sizes() (s sizes) {
	copy(s.bins[:], k.Bins)
	s.n, s.max = k.N, k.Max
	return s
}

// Keep copies what was learned.
func (d *Detector) Keep() Kept {
	return Kept{
		Seen: d.seen, Quiet: d.quiet, Last: d.last, Now: d.now, Slow: d.slow, Away: d.away, Move: d.move, Restless: d.restless, Spread: d.spread,
		Above: d.above.keep(), Below: d.below.keep(), Moves: d.moves.keep(), Restlessness: d.restlessness.keep(),
		Low: d.order.low, High: d.order.high, Smooth: d.order.smooth, Symbols: slices.Clone(d.order.last[:]), Length: d.order.length,
		Totals: slices.Clone(d.order.totals[:]), Pairs: slices.Clone(d.order.pairs[:]),
		Rest: slices.Clone(d.rest.parts[:]), RestAt: d.rest.at, RestN: d.rest.n, Top: d.block.top, InBlock: d.block.n, Calibrator: d.calibrator.Keep(),
	}
}

// Restore takes what was kept in place of what was learned. It reports whether it
// fits, else nothing changed; the options stay.
func (d *Detector) Restore(k Kept) bool {
	for _, s := range [...]*KeptSizes{&k.Above, &k.Below, &k.Moves, &k.Restlessness} {
		if len(s.Bins) != sizeBins {
			return false
		}
	}
	switch {
	case k.Seen < 0, len(k.Symbols) != contexts, k.Length < 0, k.Length > contexts, len(k.Totals) != len(d.order.totals), len(k.Pairs) != len(d.order.pairs):
		return false
	case len(k.Rest) != restParts, k.RestAt < 0, k.RestAt >= restParts, k.InBlock < 0, k.InBlock >= blockLength:
		return false
	}
	d.seen, d.quiet, d.last, d.now, d.slow, d.away, d.move, d.restless, d.spread = k.Seen, max(k.Quiet, 0), k.Last, k.Now, k.Slow, k.Away, k.Move, k.Restless, k.Spread
	d.above, d.below, d.moves, d.restlessness = k.Above.sizes(), k.Below.sizes(), k.Moves.sizes(), k.Restlessness.sizes()
	d.order = pattern{low: k.Low, high: k.High, smooth: k.Smooth, length: k.Length}
	copy(d.order.last[:], k.Symbols)
	copy(d.order.totals[:], k.Totals)
	copy(d.order.pairs[:], k.Pairs)
	d.rest = resting{at: k.RestAt, n: k.RestN}
	copy(d.rest.parts[:], k.Rest)
	d.block.top, d.block.n = k.Top, k.InBlock
	d.calibrator.Restore(k.Calibrator)
	return true
}
