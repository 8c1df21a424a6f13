package incident

import (
	"context"
	"time"
)

// Use is that an agent was seen to use something.
type Use struct {
	Agent string
	Node  Node // tool, server, model, provider, source, or agent: one that it works with
}

// usesEvery is how often what agents use is read; mostUses bounds an agent's.
const (
	usesEvery = 5 * time.Minute
	mostUses  = 200
)

// LearnUses reads what agents were seen to use: a signal of an agent that never had one
// has neighbours then. What is read is kept beside what signals said. A map that cannot
// be read changes nothing.
func (b *Book) LearnUses(ctx context.Context) error {
	if b.o.Uses == nil {
		return nil
	}
	list, err := b.o.Uses(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range list {
		if u.Agent == "" || u.Node.Value == "" || causeKinds[u.Node.Kind] == "" && u.Node.Kind != "agent" || len(b.engine.uses[u.Agent]) >= mostUses {
			continue
		}
		b.engine.use(u.Agent, u.Node)
	}
	return nil
}

// FollowUses reads them until ctx ends, whose cause it returns.
func (b *Book) FollowUses(ctx context.Context) error {
	tick := time.NewTicker(usesEvery)
	defer tick.Stop()
	for {
		if err := b.LearnUses(ctx); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("what agents use could not be read: incidents know what signals said", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
