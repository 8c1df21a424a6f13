package fleet

import (
	"slices"
	"time"
)

// AgentKey names an agent as runs do: by its team, which a sender's key or the
// register says, and its name.
type AgentKey struct{ Team, Name string }

// Reads are the sources and data sets that each agent was seen to read since a
// time, by the names it knows them by.
func (f *Fleet) Reads(since time.Time) map[AgentKey][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	gen, from := f.match.generation(), since.UnixNano()
	out := map[AgentKey][]string{}
	for _, c := range f.claims {
		f.settle(c, gen)
		k := AgentKey{c.Team, c.Name}
		if c.match.Agent != "" {
			k.Name = c.match.Agent
		}
		for i, it := range c.items {
			if (i.kind == KindSource || i.kind == KindDataset) && it.last >= from && !slices.Contains(out[k], i.name) {
				out[k] = append(out[k], i.name)
			}
		}
	}
	return out
}
