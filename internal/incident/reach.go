package incident

import (
	"context"
	"slices"
	"time"

	"reeve/internal/telemetry/search"
)

// Scope is what an incident may have touched.
type Scope struct {
	Agents       []string
	Environments []string // none: all
	From, To     time.Time
	// Cause is what the signals share beyond one agent: with it the scope is of runs
	// that have it too. nil: all runs of the agents.
	Cause *Node
}

// Where is the search that finds the scope's runs, or its decisions.
func (s *Scope) Where() search.Expr {
	and := []search.Expr{search.Is("agent", s.Agents...)}
	if len(s.Environments) > 0 {
		and = append(and, search.Is("environment", s.Environments...))
	}
	if c := s.Cause; c != nil && slices.Contains([]string{"tool", "model", "source"}, c.Kind) {
		and = append(and, search.Is(c.Kind, c.Value))
	}
	return search.Both(and...)
}

// Touched is one thing that a run of an affected agent changed.
type Touched struct {
	Run      string
	Step     string
	Decision string
	At       time.Time
	Agent    string
	Action   string // what was called
	Target   string
	Effect   string // write, destructive, unknown
	Outcome  string
	User     string
}

// Reach counts whom incidents touch; app fills it from the store of activity.
type Reach interface {
	// People counts distinct users and runs; people is -1 when no run names its
	// user.
	People(ctx context.Context, s Scope) (people, runs int64, err error)
	// Records lists what was changed, the newest first, at most limit.
	Records(ctx context.Context, s Scope, limit int) ([]Touched, error)
}

// ScopeOf is what an incident may have touched.
func (i *Incident) ScopeOf(now time.Time) Scope {
	s := Scope{Agents: i.Agents, From: i.OpenedAt.Add(-5 * time.Minute), To: now}
	if !i.ResolvedAt.IsZero() {
		s.To = i.ResolvedAt
	}
	for _, p := range i.Places {
		if p.Environment == "" {
			s.Environments = nil
			break
		}
		if !slices.Contains(s.Environments, p.Environment) {
			s.Environments = append(s.Environments, p.Environment)
		}
	}
	return s
}

// maxReached bounds how many incidents are looked at in one round.
const maxReached = 25

// reach counts whom the live incidents touch.
func (b *Book) reach(ctx context.Context) {
	if b.o.Reach == nil {
		return
	}
	type asked struct {
		id    string
		scope Scope
	}
	now := b.now()
	var list []asked
	b.mu.Lock()
	for _, id := range sortedKeys(b.engine.groups) {
		if g := b.engine.groups[id]; g.inc.Live() && len(g.inc.Agents) > 0 {
			list = append(list, asked{id, g.inc.ScopeOf(now)})
		}
	}
	b.mu.Unlock()
	slices.Reverse(list) // the newest first
	for _, a := range list[:min(len(list), maxReached)] {
		people, runs, err := b.o.Reach.People(ctx, a.scope)
		if err != nil {
			if ctx.Err() == nil {
				b.o.Logger.Warn("whom an incident touches could not be counted", "incident", a.id, "err", err)
			}
			return
		}
		b.mu.Lock()
		if g := b.engine.groups[a.id]; g != nil && (g.inc.People != people || g.inc.Runs != runs) {
			g.inc.People, g.inc.Runs = people, runs
			b.changed(g)
		}
		b.mu.Unlock()
	}
}

// Records lists what runs of an incident's agents changed since it began.
func (b *Book) Records(ctx context.Context, id string, limit int) ([]Touched, error) {
	i, err := b.Get(ctx, id)
	if err != nil || b.o.Reach == nil || len(i.Agents) == 0 {
		return nil, err
	}
	return b.o.Reach.Records(ctx, i.ScopeOf(b.now()), min(max(limit, 1), 1000))
}
