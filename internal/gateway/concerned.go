package gateway

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"reeve/internal/fault"
)

// Concern is one reason why the door answered 503 of late, and whose calls it
// was.
type Concern struct {
	Code    string
	Message string
	Calls   int64
	Last    time.Time
	Agents  []string // the latest, by name
}

const (
	concernAge    = 10 * time.Minute
	maxConcerns   = 32
	maxConcerned  = 500 // agents of one reason
	listConcerned = 50
)

// concerns remembers refusals that are nobody's fault: the log of decisions is
// stopped, the disk is full, the node is cut off. They are rare, so a lock will
// do.
type concerns struct {
	mu sync.Mutex
	by map[string]*concern
}

type concern struct {
	message string
	calls   int64
	last    time.Time
	agents  map[string]time.Time
}

func (c *concerns) note(f *fault.Error, agent string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*concern{}
	}
	k := c.by[f.Code]
	if k != nil && now.Sub(k.last) > concernAge {
		k = nil
	}
	if k == nil {
		if len(c.by) >= maxConcerns {
			clear(c.by)
		}
		k = &concern{agents: map[string]time.Time{}}
		c.by[f.Code] = k
	}
	k.message, k.calls, k.last = f.Message, k.calls+1, now
	if _, ok := k.agents[agent]; ok || len(k.agents) < maxConcerned {
		k.agents[agent] = now
	}
}

// Concerns lists why calls were answered 503 within the last ten minutes, the
// latest reason first.
func (d *Door) Concerns() []Concern {
	c := &d.concerns
	now := d.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Concern
	for code, k := range c.by {
		if now.Sub(k.last) > concernAge {
			delete(c.by, code)
			continue
		}
		o := Concern{Code: code, Message: k.message, Calls: k.calls, Last: k.last}
		for name, at := range k.agents {
			if now.Sub(at) <= concernAge && name != "" {
				o.Agents = append(o.Agents, name)
			}
		}
		slices.Sort(o.Agents)
		o.Agents = o.Agents[:min(len(o.Agents), listConcerned)]
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Concern) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Code, b.Code)) })
	return out
}
