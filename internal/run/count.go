package run

import "reeve/internal/activity"

// counter decides which steps of a run count. Its slices are scratch space
// that is reused from run to run.
//
// The model steps of a run form a forest (a step's parent in it is its nearest
// model ancestor). Of that forest
//
//   - a step with usage that has a descendant with usage is a container: its
//     numbers repeat theirs;
//   - a step with usage and no descendant with usage is one call, and whatever
//     lies below it is part of that call (a provider's own span, a retry layer);
//   - a step without usage is a call only when it is a leaf and no step above it
//     is the call.
type counter struct {
	above []int32 // nearest model ancestor, or none
	mark  []uint8
	path  []int32
}

// Marks of a step while its run is counted.
const (
	markOpen  uint8 = 1 << iota // on the path being walked
	markDone                    // above is known
	markBelow                   // a model step with usage lies below
	markInner                   // a model step lies below
	markCycle
	markCutKnown
	markCut // a step above is the call
)

// count finds calls and circles; want receives, for every step, the bits
// bitCall, bitCounted and bitCycle that it should have.
func (c *counter) count(l *live, want func(i int32, bits uint16)) {
	n := len(l.steps)
	c.above, c.mark = resize(c.above, n), resize(c.mark, n)
	clear(c.mark)
	for i := range l.steps {
		c.climb(l, int32(i))
	}
	for i := range l.steps {
		if !l.steps[i].model() {
			continue
		}
		known := l.steps[i].knownUsage(l)
		for a := c.above[i]; a != none; a = c.above[a] {
			was := c.mark[a]
			c.mark[a] |= markInner
			if known {
				c.mark[a] |= markBelow
			}
			if c.mark[a] == was {
				break // everything above is marked already
			}
		}
	}
	for i := range l.steps {
		st := &l.steps[i]
		var bits uint16
		if c.mark[i]&markCycle != 0 {
			bits |= bitCycle
		}
		if st.model() && c.isCall(l, int32(i)) {
			bits |= bitCall | bitCounted
		}
		want(int32(i), bits)
	}
}

func (c *counter) isCall(l *live, i int32) bool {
	switch m := c.mark[i]; {
	case l.steps[i].knownUsage(l):
		return m&markBelow == 0
	case m&markInner != 0:
		return false
	}
	return !c.cut(l, i)
}

// cut reports whether a step above i is the call that i is part of.
func (c *counter) cut(l *live, i int32) bool {
	c.path = c.path[:0]
	cut := false
	for a := c.above[i]; a != none; a = c.above[a] {
		if c.mark[a]&markCutKnown != 0 {
			cut = c.mark[a]&markCut != 0
			break
		}
		if l.steps[a].knownUsage(l) {
			// Not marked: its own answer depends on what is above it, but
			// below it everything is decided here.
			if c.mark[a]&markBelow == 0 {
				cut = true
			}
			break
		}
		c.path = append(c.path, a)
	}
	for _, a := range c.path {
		c.mark[a] |= markCutKnown
		if cut {
			c.mark[a] |= markCut
		}
	}
	return cut
}

// climb finds the nearest model ancestor of i and of everything above it, each
// step once, and marks circles.
func (c *counter) climb(l *live, i int32) {
	c.path = c.path[:0]
	at := i
	for at != none && c.mark[at]&(markOpen|markDone) == 0 {
		c.mark[at] |= markOpen
		c.path = append(c.path, at)
		at = l.steps[at].parent
	}
	if at != none && c.mark[at]&markOpen != 0 {
		for k := len(c.path) - 1; k >= 0; k-- {
			c.mark[c.path[k]] |= markCycle
			if c.path[k] == at {
				break
			}
		}
	}
	for k := len(c.path) - 1; k >= 0; k-- {
		s := c.path[k]
		p := l.steps[s].parent
		switch {
		case p == none || c.mark[s]&markCycle != 0:
			c.above[s] = none
		case l.steps[p].model():
			c.above[s] = p
		default:
			c.above[s] = c.above[p]
		}
		c.mark[s] = c.mark[s]&^markOpen | markDone
	}
}

// knownUsage reports whether the step reported any total.
func (s *step) knownUsage(l *live) bool { return s.usage != none && l.usages[s.usage].Known() }

func (s *step) usageOf(l *live) *usage {
	if s.usage == none {
		return &noUsage
	}
	return &l.usages[s.usage]
}

var noUsage = usage{Usage: activity.NoUsage, currency: none}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
