package gateway

import (
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
)

// Coverage counts, by agent, how much of what it does was decided here. Its
// methods never wait.
type Coverage interface {
	// Results counts tool results that came back to a model: all, and those of
	// calls that were decided.
	Results(agent, team, environment string, all, governed int)
	// Unchecked counts an action that went on without waiting for our answer.
	Unchecked(agent, team, environment string)
}

// UngovernedAction is the code of the finding that a tool's result came back to
// a model, and no decision allowed the call.
const UngovernedAction = "ungoverned_action"

// governed remembers which tool calls were decided, until their results come
// back to a model. Its zero value is empty. What finds no room is forgotten,
// the oldest first: its result then counts as ungoverned.
type governed struct {
	mu     sync.Mutex
	calls  map[governedCall]time.Time // by the model's id of the call
	byName map[governedCall]int       // decisions that named no id, by tool
	seen   map[governedCall]time.Time // results that were counted: a request is sent again when it fails
	order  []governedEntry
}

// governedCall is a call by its model's id, or a tool by its name, of an agent.
type governedCall struct{ agent, id string }

type governedEntry struct {
	call governedCall
	in   uint8 // governedByID, governedByName, governedSeen
	at   time.Time
}

const (
	governedByID = iota
	governedByName
	governedSeen

	maxGoverned  = 100_000
	governedLife = time.Hour
)

// governs notes a decided tool call.
func (d *Door) governs(x *passage) {
	if x.record.Action == "call_tool" && x.record.Agent != "" && x.record.Verdict == activity.VerdictAllow {
		d.governed.decided(x.started, x.record.Agent, x.callID, x.record.Tool)
	}
}

// ungoverned counts the tool results that a call brings back to a model, and
// says in its record which were never decided. Those of a test come from a
// recording: nobody ran a tool.
func (d *Door) ungoverned(x *passage) {
	results := x.proposal.ToolResults
	if len(results) == 0 || x.isTest() {
		return
	}
	r := &x.record
	all, ok, names := d.governed.results(x.started, r.Agent, results)
	if all == 0 {
		return
	}
	if d.o.Coverage != nil {
		d.o.Coverage.Results(r.Agent, r.Team, r.Environment, all, ok)
	}
	if all > ok {
		r.Reasons = append(r.Reasons[:len(r.Reasons):len(r.Reasons)], activity.Reason{
			Code: UngovernedAction, Text: "results of tools came back that no decision allowed: " + listed(names),
		})
	}
}

// listed names some tools.
func listed(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and others"
}

// decided notes a decision on a call; id is "" where nobody told the model's.
func (g *governed) decided(now time.Time, agent, id, tool string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls == nil {
		g.calls, g.byName, g.seen = map[governedCall]time.Time{}, map[governedCall]int{}, map[governedCall]time.Time{}
	}
	if id != "" {
		g.add(governedEntry{governedCall{agent, id}, governedByID, now})
		return
	}
	g.add(governedEntry{governedCall{agent, bare(tool)}, governedByName, now})
}

func (g *governed) add(e governedEntry) {
	for len(g.order) > 0 && (len(g.order) >= maxGoverned || e.at.Sub(g.order[0].at) > governedLife) {
		old := g.order[0]
		g.order = g.order[1:]
		switch old.in {
		case governedByID:
			delete(g.calls, old.call)
		case governedSeen:
			delete(g.seen, old.call)
		default:
			g.less(old.call)
		}
	}
	g.order = append(g.order, e)
	switch e.in {
	case governedByID:
		g.calls[e.call] = e.at
	case governedSeen:
		g.seen[e.call] = e.at
	default:
		g.byName[e.call]++
	}
}

// less takes one decision from a tool's; one that was used up stays so.
func (g *governed) less(c governedCall) bool {
	n := g.byName[c]
	if n <= 1 {
		delete(g.byName, c)
	} else {
		g.byName[c] = n - 1
	}
	return n > 0
}

// results counts results that were not counted before, and those of them whose
// calls were decided; names are the tools of the others.
func (g *governed) results(now time.Time, agent string, list []ToolResult) (all, ok int, names []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls == nil {
		g.calls, g.byName, g.seen = map[governedCall]time.Time{}, map[governedCall]int{}, map[governedCall]time.Time{}
	}
	for _, t := range list {
		c := governedCall{agent, t.CallID}
		if t.CallID != "" {
			if _, again := g.seen[c]; again {
				continue
			}
			g.add(governedEntry{c, governedSeen, now})
		}
		all++
		_, known := g.calls[c]
		if known || t.Name != "" && g.less(governedCall{agent, bare(t.Name)}) {
			ok++
			continue
		}
		name := t.Name
		if name == "" {
			name = "unnamed"
		}
		names = append(names, name)
	}
	return all, ok, names
}

// bare is a tool's own name: models know a tool of a server by the server's
// name and its own, in a way that differs by client.
func bare(tool string) string {
	if i := strings.LastIndex(tool, "__"); i >= 0 && i+2 < len(tool) {
		return tool[i+2:]
	}
	return tool
}
