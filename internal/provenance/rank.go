package provenance

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Part is one of the things behind a symptom, with how badly it did: a figure by
// window that is larger when things are worse (latency, share of errors, age of
// data, cost).
type Part struct {
	ID      string
	Normal  []float64 // of ordinary times; empty is unknown
	Before  []float64 // the windows just before the symptom began
	Now     []float64 // the windows since, in step with the symptom's
	Volume  float64   // calls a window now; 0 is unknown
	Onset   time.Time // when it left its ordinary range; zero is unknown
	Changed time.Time // its last change before now (version, prompt, policy, deploy); zero is none known
	Change  string    // what that was
}

// Edge says that one part stands on another: calls it, reads it, is made by it.
type Edge struct{ From, To string }

// Cause is a part that may have caused a symptom.
type Cause struct {
	ID      string
	Score   float64 // in [0, 1]; parts of one list add up to at most 1
	Out     float64 // how far out it is, in usual distances
	Own     float64 // part of what it has too much that those behind it do not explain
	With    float64 // how much it moves with the symptom, in [0, 1]
	Path    []string
	Reasons []string
}

// far is from how many usual distances on a part is out of its ordinary range;
// farthest is where further makes no difference (what never failed has no usual
// distance).
const (
	far      = 3
	farthest = 1000
)

// Rank orders the parts behind a symptom, the likeliest cause first. Parts that
// are not out of their ordinary range, were so before, or cannot be reached from
// the symptom over such parts (or unknown ones) are left out. When the symptom's
// own figures are known and ordinary, the list is empty.
//
// The order is leaf first: what a part has too much counts for it only as far as
// the parts behind it do not have it too.
func Rank(symptom string, parts []Part, edges []Edge) []Cause {
	g := newGraph(parts, edges)
	top, ok := g.parts[symptom]
	if !ok || top.known && !top.out() {
		return nil // there is nothing to explain
	}
	var out []Cause
	for _, id := range g.reach(symptom) {
		n := g.parts[id]
		if !n.out() {
			continue
		}
		out = append(out, g.weigh(n, top, symptom))
	}
	total := 0.0
	for _, c := range out {
		total += c.Score
	}
	for i := range out {
		if total > 0 {
			out[i].Score /= total
		}
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return out
}

// node is a part with what follows from its figures.
type node struct {
	Part
	known  bool
	median float64 // of ordinary times
	scale  float64
	excess float64 // mean of now, over the worse of ordinary and before
	dev    float64 // the same in usual distances
}

// Out is how far out of its ordinary range a part is now, in usual distances; 0
// where that is not known.
func Out(p Part) float64 {
	if n := measure(p); n.known {
		return n.dev
	}
	return 0
}

func (n *node) out() bool { return n.known && n.dev >= far }

type graph struct {
	parts map[string]*node
	next  map[string][]string
}

func newGraph(parts []Part, edges []Edge) *graph {
	g := &graph{parts: map[string]*node{}, next: map[string][]string{}}
	for _, p := range parts {
		g.parts[p.ID] = measure(p)
	}
	for _, e := range edges {
		for _, id := range []string{e.From, e.To} {
			if g.parts[id] == nil {
				g.parts[id] = &node{Part: Part{ID: id}}
			}
		}
		if e.From != e.To && !slices.Contains(g.next[e.From], e.To) {
			g.next[e.From] = append(g.next[e.From], e.To)
		}
	}
	return g
}

// measure compares now with ordinary times and with just before: what was as bad
// before the symptom began did not begin it.
func measure(p Part) *node {
	n := &node{Part: p}
	normal, now := finite(p.Normal), finite(p.Now)
	if len(normal) < 5 || len(now) == 0 {
		return n
	}
	n.known = true
	n.median = median(normal)
	n.scale = spread(normal, n.median)
	from := n.median
	if before := finite(p.Before); len(before) > 0 {
		from = max(from, slices.Min(before)) // the last of them may be the first of the symptom
	}
	n.excess = mean(now) - from
	n.dev = min((slices.Max(now)-from)/n.scale, farthest)
	return n
}

// spread is the usual distance from the median: of the middle half, or of the
// outer tenth where most values are equal; and never so small that rounding
// would stand out.
func spread(xs []float64, m float64) float64 {
	off := make([]float64, len(xs))
	for i, x := range xs {
		off[i] = math.Abs(x - m)
	}
	slices.Sort(off)
	mad := 1.4826 * off[len(off)/2]
	tenth := off[len(off)*9/10] / 1.645
	return max(mad, tenth/2, 1e-3*math.Abs(m), 1e-9)
}

// reach lists what can be reached from a symptom over parts that are out of
// their range, or of which nothing is known.
func (g *graph) reach(from string) (out []string) {
	seen := map[string]bool{from: true}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		id := queue[0]
		out = append(out, id)
		for _, to := range g.next[id] {
			if n := g.parts[to]; !seen[to] && (n.out() || !n.known) {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	return out
}

// behind are the nearest known parts behind one, over unknown ones.
func (g *graph) behind(id string) (out []*node) {
	seen := map[string]bool{id: true}
	for queue := slices.Clone(g.next[id]); len(queue) > 0; queue = queue[1:] {
		to := queue[0]
		if seen[to] {
			continue
		}
		seen[to] = true
		if n := g.parts[to]; n.known {
			out = append(out, n)
		} else {
			queue = append(queue, g.next[to]...)
		}
	}
	return out
}

// load is what a part has too much over all its calls.
func (n *node) load(volumes bool) float64 {
	if volumes {
		return n.excess * n.Volume
	}
	return n.excess
}

// weigh gives a part its score and the reasons for it.
func (g *graph) weigh(n, top *node, symptom string) Cause {
	c := Cause{ID: n.ID, Out: n.dev, Own: 1, With: 1, Path: g.path(symptom, n.ID)}
	c.Reasons = append(c.Reasons, fmt.Sprintf("%.3g where %.3g is usual: %.0f usual distances off", slices.Max(finite(n.Now)), n.median, n.dev))
	explained, by := 0.0, ""
	for _, b := range g.behind(n.ID) {
		if !b.out() || !(n.excess > 0) {
			continue
		}
		part := min(1, max(0, b.excess/n.excess)) * together(b, n)
		if part > explained {
			explained, by = part, b.ID
		}
	}
	c.Own = 1 - explained
	if by != "" {
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s behind it explains %.0f %% of that", by, 100*explained))
	} else {
		c.Reasons = append(c.Reasons, "nothing behind it is out of its range")
	}
	share := 1.0
	if n != top {
		c.With = together(n, top)
		volumes := n.Volume > 0 && top.Volume > 0
		if l := top.load(volumes); l > 0 {
			share = min(1, max(0, n.load(volumes)/l))
		}
		c.Reasons = append(c.Reasons, fmt.Sprintf("moves with the symptom (%.2f), and carries %.0f %% of it", c.With, 100*share))
	}
	c.Score = (0.05 + c.Own) * (0.1 + c.With) * (0.2 + share) * math.Log1p(n.dev)
	c.Score *= g.timing(n, top, &c)
	return c
}

// timing favours what began before the symptom and what changed shortly before
// it.
func (g *graph) timing(n, top *node, c *Cause) float64 {
	factor := 1.0
	if n != top && !n.Onset.IsZero() && !top.Onset.IsZero() {
		switch late := n.Onset.Sub(top.Onset); {
		case late > 0:
			factor *= 0.5
			c.Reasons = append(c.Reasons, fmt.Sprintf("began %s after the symptom", late.Round(time.Second)))
		case late < 0:
			factor *= 1.2
			c.Reasons = append(c.Reasons, fmt.Sprintf("began %s before the symptom", (-late).Round(time.Second)))
		}
	}
	began := top.Onset
	if !n.Onset.IsZero() {
		began = n.Onset
	}
	if !n.Changed.IsZero() && !began.IsZero() && !n.Changed.After(began) {
		gap := began.Sub(n.Changed)
		near := math.Exp(-gap.Hours() / 6)
		factor *= 1 + 2*near
		what := cmp.Or(n.Change, "a change")
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s %s before it began", what, gap.Round(time.Second)))
	}
	return factor
}

// path is a shortest way from the symptom to a part.
func (g *graph) path(from, to string) []string {
	prev := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			break
		}
		for _, id := range g.next[queue[0]] {
			if _, ok := prev[id]; !ok {
				prev[id] = queue[0]
				queue = append(queue, id)
			}
		}
	}
	var out []string
	for id := to; id != ""; id = prev[id] {
		out = append(out, id)
	}
	slices.Reverse(out)
	return out
}

// together is how much two parts move with each other before and since the
// symptom began, in [0, 1]; 1/2 where that cannot be known.
func together(a, b *node) float64 {
	x, y := slices.Concat(a.Before, a.Now), slices.Concat(b.Before, b.Now)
	if len(x) != len(y) {
		return .5
	}
	var xs, ys []float64
	for i := range x {
		if ok(x[i]) && ok(y[i]) {
			xs, ys = append(xs, x[i]), append(ys, y[i])
		}
	}
	if len(xs) < 3 {
		return .5
	}
	mx, my := mean(xs), mean(ys)
	var sxy, sxx, syy float64
	for i := range xs {
		sxy += (xs[i] - mx) * (ys[i] - my)
		sxx += (xs[i] - mx) * (xs[i] - mx)
		syy += (ys[i] - my) * (ys[i] - my)
	}
	if sxx == 0 || syy == 0 {
		return .5
	}
	return max(0, sxy/math.Sqrt(sxx*syy))
}

func ok(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func finite(xs []float64) (out []float64) {
	for _, x := range xs {
		if ok(x) {
			out = append(out, x)
		}
	}
	return out
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
