package price

import (
	"math/rand/v2"
	"testing"
	"time"

	"reeve/internal/activity"
)

// Whatever part of the tokens is cached or reasoned, no call costs more than its
// bound.
func TestBoundHolds(t *testing.T) {
	t.Parallel()
	b := book(t)
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	rnd := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for _, p := range b.providers {
		for _, m := range p.models {
			for range 8 {
				maxIn, maxOut := rnd.Int64N(1_000_000), rnd.Int64N(100_000)
				nanos, _, ok := b.Bound(p.id, m.id, at, maxIn, maxOut)
				in, out := rnd.Int64N(maxIn+1), rnd.Int64N(maxOut+1)
				read := rnd.Int64N(in + 1)
				write := rnd.Int64N(in - read + 1)
				c := b.Cost(p.id, m.id, at, usage(in, read, write, out, rnd.Int64N(out+1)))
				if c.Basis == activity.CostUnknown {
					continue
				}
				tried++
				if !ok || c.Nanos > nanos {
					t.Fatalf("%s %s: %d in (%d, %d cached), %d out cost %d; the bound of %d and %d is %d, %v", p.id, m.id, in, read, write, out, c.Nanos, maxIn, maxOut, nanos, ok)
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d calls had a price", tried)
	}
	if _, _, ok := b.Bound("openai", "no-such-model", at, 1, 1); ok {
		t.Error("an unknown model has a bound")
	}
	if _, _, ok := b.Bound("openai", "gpt-4o", at, activity.Unknown, 1); ok {
		t.Error("an unknown input has a bound")
	}
}
