package chance

// Kept is what a Calibrator has learned, for a file.
type Kept struct {
	N, Level, Step, Over, Sum, Squares, Largest, Smallest float64
	Seen                                                  int
}

// Keep copies what was learned.
func (c *Calibrator) Keep() Kept {
	return Kept{c.n, c.level, c.step, c.over, c.sum, c.sq, c.largest, c.smallest, c.seen}
}

// Restore takes what was kept in place of what was learned; Memory stays.
func (c *Calibrator) Restore(k Kept) {
	*c = Calibrator{
		Memory: c.Memory, n: k.N, level: k.Level, step: k.Step, over: k.Over, sum: k.Sum, sq: k.Squares, largest: k.Largest, smallest: k.Smallest,
		seen: max(k.Seen, 0),
	}
}
