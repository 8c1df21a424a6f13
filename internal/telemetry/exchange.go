package telemetry

import (
	"encoding/binary"

	"reeve/internal/activity"
)

// Part is some of all runs: each run is in one of Of parts. The zero value is all.
type Part struct{ Number, Of int }

// Has reports whether a run is in the part.
func (p Part) Has(id activity.RunID) bool {
	return p.Of <= 1 || int(binary.BigEndian.Uint32(id[8:])%uint32(p.Of)) == p.Number
}

// Recost is a stored call and the cost that it is to get.
type Recost struct {
	Run      activity.RunID
	Step     activity.StepID
	Old, New activity.Cost
}

// Exchange is other costs for the calls of a day, worked out and not yet in
// force. One goroutine uses it, and closes it; merges rest until then.
//
// Calls of a run whose row cannot follow from the day alone are apart from the
// start: it goes on, or crosses midnight. Skip puts more of them there.
type Exchange interface {
	// Each visits all calls whose cost is to change, apart or not.
	Each(visit func(c *Recost, apart bool) error) error
	// Runs visits the runs of those calls that are not apart.
	Runs(visit func(activity.RunID))
	// Skip sets a run's calls apart.
	Skip(activity.RunID)
	// Build writes what Commit brings into force.
	Build() error
	// Commit brings all of it into force at once: calls, rows of runs and
	// rollups, each rollup as name tells. When runs got news since Build nothing
	// changes, they are apart, and it says false: Build again. revised tells the
	// revision of each run's new row.
	Commit(name func(*RollupDelta), revised func(activity.RunID, uint32)) (bool, error)
	// Close removes what did not come into force.
	Close()
}

// CostSum adds the costs of a run's calls by currency. The run's is the one that
// most calls were paid in; calls in another count as unknown, since no rate is
// known. The zero value is ready.
type CostSum struct{ of []currencySum }

type currencySum struct {
	currency string
	nanos    int64
	calls    int64
	basis    activity.CostBasis
}

// Add adds a call whose cost is known.
func (s *CostSum) Add(c activity.Cost) {
	for i := range s.of {
		if x := &s.of[i]; x.currency == c.Currency {
			x.nanos += c.Nanos
			x.calls++
			x.basis = min(x.basis, c.Basis)
			return
		}
	}
	s.of = append(s.of, currencySum{c.Currency, c.Nanos, 1, c.Basis})
}

// Reset empties it and keeps its memory.
func (s *CostSum) Reset() { s.of = s.of[:0] }

// Total is the sum and the number of calls that are not in it.
func (s *CostSum) Total() (c activity.Cost, left int64) {
	if len(s.of) == 0 {
		return c, 0
	}
	best := 0
	for i := range s.of {
		left += s.of[i].calls
		if x, y := &s.of[i], &s.of[best]; x.calls > y.calls || x.calls == y.calls && x.currency > y.currency {
			best = i
		}
	}
	b := &s.of[best]
	return activity.Cost{Nanos: b.nanos, Currency: b.currency, Basis: b.basis}, left - b.calls
}
