package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"reeve/client"
)

// behindDiscount is what is left of a node whose fault something behind it explains;
// offPath, of one that the run's error did not pass; least, what is worth a line.
const (
	behindDiscount = .15
	offPath        = .3
	least          = .02
)

// mostNodes bounds the graph.
const mostNodes = 120

// answer chooses the causes: what has a record against it, leaf first, unless
// something unknown stands behind it or beside it on the way to the outcome.
func (g *builder) answer() client.Why {
	r := &g.c.Run
	out := client.Why{
		RunID: r.ID.String(), Agent: r.Agent, Wrong: g.wrong, Asked: list(g.asked), Causes: []client.WhyCause{}, Possible: []client.WhyCause{},
		Unknown: []client.WhyUnknown{}, RuledOut: []client.WhyNote{}, Suspects: []client.Suspect{}, Upstream: []client.WhyCause{}, Omitted: g.omitted,
	}
	blocked := false
	for _, n := range g.nodes {
		if n.State != Unknown {
			continue
		}
		blocks := g.wrong && n.blocks && (!g.erred || n.onPath)
		blocked = blocked || blocks
		out.Unknown = append(out.Unknown, client.WhyUnknown{Node: n.ID, Kind: n.Kind, Text: n.Sentence, Supply: n.supply, Blocks: blocks})
	}
	slices.SortStableFunc(out.Unknown, func(a, b client.WhyUnknown) int { return cmp.Compare(rank(b.Blocks), rank(a.Blocks)) })
	for _, n := range g.nodes {
		if n.State == RuledOut {
			out.RuledOut = append(out.RuledOut, client.WhyNote{Node: n.ID, Kind: n.Kind, Text: n.Name + ": " + n.Sentence})
		}
	}
	out.RuledOut = append(out.RuledOut, g.notes...)
	if g.wrong {
		causes := g.causes()
		if blocked {
			out.Possible = causes
		} else {
			out.Causes = causes
		}
	}
	out.Known = len(out.Causes) > 0
	out.Sentence = g.sentence(&out)
	g.draw(&out)
	return out
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// causes are the nodes that a record speaks against, the likeliest first.
func (g *builder) causes() []client.WhyCause {
	next := map[string][]string{}
	for _, l := range g.links {
		next[l.From] = append(next[l.From], l.To)
	}
	paths := reach(next, "outcome")
	out := []client.WhyCause{}
	total := 0.0
	for _, n := range g.nodes {
		if n.State != Guilty || n.Kind == Outcome {
			continue
		}
		c := client.WhyCause{Node: n.ID, Kind: n.Kind, Name: n.Name, Score: n.weight, Path: paths[n.ID], Reasons: list(n.with)}
		if by := g.guiltyBehind(next, n.ID); by != "" {
			c.Score *= behindDiscount
			c.Reasons = append(c.Reasons, by+" behind it explains it")
		}
		if g.erred && !n.onPath {
			c.Score *= offPath
			c.Reasons = append(c.Reasons, "the error that the run ended with did not pass here")
		}
		if c.Path == nil {
			c.Path = []string{"outcome", n.ID}
		}
		total += c.Score
		out = append(out, c)
	}
	for i := range out {
		if total > 1 {
			out[i].Score /= total
		}
	}
	out = slices.DeleteFunc(out, func(c client.WhyCause) bool { return c.Score < least })
	slices.SortStableFunc(out, func(a, b client.WhyCause) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(len(b.Path), len(a.Path)), strings.Compare(a.Node, b.Node))
	})
	return out[:min(len(out), 10)]
}

// guiltyBehind is what is out of order behind a node, and at least half as much.
func (g *builder) guiltyBehind(next map[string][]string, id string) string {
	for to := range reach(next, id) {
		if n := g.at[to]; to != id && n != nil && n.State == Guilty && n.weight >= g.at[id].weight/2 {
			return n.Name
		}
	}
	return ""
}

// reach is what can be reached from a node, each with a shortest path.
func reach(next map[string][]string, from string) map[string][]string {
	paths := map[string][]string{from: {from}}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, to := range next[queue[0]] {
			if paths[to] == nil {
				paths[to] = append(slices.Clone(paths[queue[0]]), to)
				queue = append(queue, to)
			}
		}
	}
	return paths
}

// sentence is the answer in one.
func (g *builder) sentence(w *client.Why) string {
	if !w.Wrong {
		return "Nothing is known to be wrong with this run. This is what it stands on."
	}
	asked := strings.Join(w.Asked, "; ")
	asked = strings.ToUpper(asked[:1]) + asked[1:]
	if len(w.Causes) > 0 {
		n := g.at[w.Causes[0].Node]
		return fmt.Sprintf("%s. Likely cause: %s %s: %s.", asked, n.Role, n.Name, strings.TrimSuffix(n.Sentence, "."))
	}
	var missing []string
	for _, u := range w.Unknown {
		if u.Blocks {
			missing = append(missing, u.Text)
		}
	}
	switch {
	case len(missing) > 0:
		s := fmt.Sprintf("%s. Why is unknown: %s.", asked, strings.Join(missing[:min(len(missing), 3)], "; "))
		if len(w.Possible) > 0 {
			s += fmt.Sprintf(" Were that in order, it would be %s.", g.at[w.Possible[0].Node].Name)
		}
		return s
	case len(w.Unknown) > 0:
		return fmt.Sprintf("%s. Why is unknown: nothing on record speaks against any part of it, and of %s not all is known.", asked, plural(len(w.Unknown), "part"))
	}
	return asked + ". Why is unknown: all that is on record is in order."
}

// draw fills in nodes and links, those that say most first where there are too many.
func (g *builder) draw(w *client.Why) {
	order := map[string]int{Guilty: 0, Unknown: 1, Seen: 2, RuledOut: 3}
	all := slices.Clone(g.nodes)
	slices.SortStableFunc(all, func(a, b *node) int {
		if (a.Kind == Outcome) != (b.Kind == Outcome) {
			return rank(b.Kind == Outcome) - rank(a.Kind == Outcome)
		}
		return cmp.Compare(order[a.State], order[b.State])
	})
	kept := map[string]bool{}
	w.Nodes, w.Links = []client.WhyNode{}, []client.WhyLink{}
	for i, n := range all {
		if i >= mostNodes {
			w.Omitted++
			continue
		}
		kept[n.ID] = true
		if n.Sentence == "" {
			n.Sentence = "it took part"
		}
		w.Nodes = append(w.Nodes, n.WhyNode)
	}
	for _, l := range g.links {
		if kept[l.From] && kept[l.To] {
			w.Links = append(w.Links, l)
		}
	}
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
