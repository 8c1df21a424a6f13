package price

import (
	"math"
	"time"
)

// Bound is the most that one call of a model can cost when it has at most so
// many tokens of input and of output, whatever part of them is cached or
// reasoning and whatever tier they fall into. ok is false when nothing is known
// to price it by, or the counts are unknown.
func (b *Book) Bound(provider, model string, at time.Time, maxInput, maxOutput int64) (nanos int64, currency string, ok bool) {
	if model == "" || maxInput < 0 || maxOutput < 0 {
		return 0, "", false
	}
	a := b.find(question{provider, model})
	now := at.UnixNano()
	for _, c := range a.cards {
		if !c.holds(now) {
			continue
		}
		if nanos, ok = c.rate.bound(maxInput, maxOutput); ok {
			return nanos, c.card.currency, true
		}
	}
	for i := len(a.rates) - 1; i >= 0; i-- {
		if i > 0 && !a.rates[i].holds(now) {
			continue
		}
		nanos, ok = a.rates[i].bound(maxInput, maxOutput)
		return nanos, "USD", ok
	}
	return 0, "", false
}

// bound applies the dearest price of each kind to every token.
func (r *rate) bound(input, output int64) (nanos int64, ok bool) {
	if r.input == nil && r.output == nil && r.request == nil {
		return 0, false
	}
	sum := float64(input) * max(r.input.most(input), r.read.most(input), r.write.most(input))
	sum += float64(output) * max(r.output.most(input), r.reasoning.most(input))
	if r.request != nil {
		sum += r.request.base
	}
	if math.IsNaN(sum) || sum < 0 || sum > math.MaxInt64/2 {
		return 0, false
	}
	return int64(math.Ceil(sum)) + 1, true // what Cost rounds
}

// most is the dearest price up to an input; nil has none.
func (a *amount) most(input int64) float64 {
	if a == nil {
		return 0
	}
	p := a.base
	for _, t := range a.tiers {
		if input > t.start {
			p = max(p, t.price)
		}
	}
	return p
}
