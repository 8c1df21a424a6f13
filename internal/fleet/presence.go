package fleet

import (
	"slices"
	"time"
)

// Presence is where and when an agent was seen, by its registered name.
type Presence struct {
	Door, Telemetry bool
	LastSeen        time.Time
}

// Presence is where agents were seen, as of the last second. The map is shared:
// do not change it.
func (f *Fleet) Presence() map[string]Presence {
	if m := f.presence.Load(); m != nil {
		return *m
	}
	return nil
}

// Aliases are the names under which an agent's telemetry comes, its own first.
func (f *Fleet) Aliases(name string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	gen := f.match.generation()
	var out []string
	for _, c := range f.claims {
		if f.settle(c, gen); c.match.Agent == name && c.Name != "" && c.Name != name && !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	slices.Sort(out)
	return append([]string{name}, out...)
}

// Canonical finds the one agent that has a name as an alias; "" when none or
// several have.
func (f *Fleet) Canonical(name string) string {
	f.match.mu.RLock()
	defer f.match.mu.RUnlock()
	if list := f.match.aliases[alias{"name", name}]; len(list) == 1 {
		return list[0]
	}
	return ""
}
