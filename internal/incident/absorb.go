package incident

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// absorption is one incident that becomes part of another.
type absorption struct {
	from, into *group
	score      float64
	reasons    []Reason
}

const (
	// absorbAt is what the members of an incident must reach on average to be
	// taken into another one: more than a single signal, since it is many.
	absorbAt   = 0.56
	maxSampled = 8
	maxPairs   = 200 // compared each time
)

// absorb finds incidents that grew together: a provider's outage is one agent's
// trouble until the others of its agents have it too.
func (e *engine) absorb(now time.Time) []absorption {
	var grown []*group
	for _, g := range e.groups {
		if g.grown && g.inc.Live() {
			grown = append(grown, g)
		}
		g.grown = false
	}
	slices.SortFunc(grown, func(a, b *group) int { return cmp.Compare(a.inc.ID, b.inc.ID) })
	var out []absorption
	gone := map[*group]bool{}
	pairs := 0
	for _, g := range grown {
		if gone[g] {
			continue
		}
		for _, h := range e.around(g) {
			if pairs++; pairs > maxPairs {
				g.grown = true // looked at again next time
				return out
			}
			if gone[h] || gone[g] || !e.may(g, h) {
				continue
			}
			into, from := g, h
			if older(h, g) {
				into, from = h, g
			}
			score, reasons := e.together(from, into)
			if score < absorbAt {
				continue
			}
			gone[from] = true
			out = append(out, absorption{from, into, score, reasons})
			if from == g {
				break
			}
		}
	}
	return out
}

// older reports which of two an incident keeps its number: the one that a person
// took up, then the one that began first.
func older(a, b *group) bool {
	ta, tb := a.inc.State != Open, b.inc.State != Open
	if ta != tb {
		return ta
	}
	if c := a.inc.OpenedAt.Compare(b.inc.OpenedAt); c != 0 {
		return c < 0
	}
	return a.inc.ID < b.inc.ID
}

// may reports whether machines may make two incidents one.
func (e *engine) may(a, b *group) bool {
	if a == b || !a.inc.Live() || !b.inc.Live() || a.apart[b.inc.ID] || b.apart[a.inc.ID] {
		return false
	}
	from := b
	if older(b, a) {
		from = a
	}
	return from.inc.State == Open && !from.held && from.inc.Manual == "" && a.inc.OpenedAt.Sub(b.inc.OpenedAt).Abs() <= apartStart
}

// around are the incidents that share something with one, those with the most
// first.
func (e *engine) around(g *group) []*group {
	n := map[*group]int{}
	for node := range g.nodes {
		for h := range e.byNode[node] {
			if h != g {
				n[h]++
			}
		}
		if node.Kind != "agent" {
			continue
		}
		for used := range e.uses[node.Value] {
			if len(e.byNode[used]) > maxTried {
				continue
			}
			for h := range e.byNode[used] {
				if h != g {
					n[h]++
				}
			}
		}
	}
	out := make([]*group, 0, len(n))
	for h := range n {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b *group) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a.inc.ID, b.inc.ID)) })
	return out[:min(len(out), maxTried)]
}

// together is how well two incidents are one, with the reasons.
func (e *engine) together(a, b *group) (float64, []Reason) {
	fit := fits(a.kinds(), b.kinds())
	if fit < 0.5 {
		return 0, nil
	}
	if r, ok := e.oneNode(a, b, fit); ok {
		return r.Weight, []Reason{r}
	}
	small, big := a, b
	if len(small.members) > len(big.members) {
		small, big = big, small
	}
	var sum float64
	var best []Reason
	above, n := 0, 0
	for _, p := range sampled(small.members) {
		m := small.members[p]
		s, r := e.score(m, big)
		if big.apart[m.Fingerprint] {
			return 0, nil
		}
		sum += s
		n++
		if s >= Threshold {
			above++
			if best == nil {
				best = r
			}
		}
	}
	if n == 0 || above*5 < n*3 {
		return 0, nil
	}
	return sum / float64(n), best
}

// sampled are some of a group's fingerprints, always the same ones.
func sampled(members map[string]*member) []string {
	keys := sortedKeys(members)
	if len(keys) <= maxSampled {
		return keys
	}
	out := make([]string, 0, maxSampled)
	for i := range maxSampled {
		out = append(out, keys[i*len(keys)/maxSampled])
	}
	return out
}

// oneNode reports that both are about one thing, most of whose users are in
// trouble: then it, and not each of its users, is the cause.
func (e *engine) oneNode(a, b *group, fit float64) (Reason, bool) {
	for n, sh := range a.nodes {
		other := b.nodes[n]
		rule := causeKinds[n.Kind]
		if other == nil || rule == "" || n.Kind == "version" || a.part(n) < 0.5 || b.part(n) < 0.5 || min(blame(n.Kind, sh.kinds()), blame(n.Kind, other.kinds())) < 1 {
			continue
		}
		hit := map[string]struct{}{}
		for x := range sh.agents {
			hit[x] = struct{}{}
		}
		for x := range other.agents {
			hit[x] = struct{}{}
		}
		users := len(e.users[n])
		if len(hit) < 3 || users == 0 || 2*len(hit) < users {
			continue
		}
		return Reason{rule, fmt.Sprintf("%d of %d agents that use %s %s are in trouble at once", len(hit), max(users, len(hit)), n.Kind, n.Value), min(0.98, e.weights[rule]*fit+0.2)}, true
	}
	return Reason{}, false
}
