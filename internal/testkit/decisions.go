// Package testkit is what tests of several packages share.
//
// What for: each protocol of the door needs the same house behind it, a log of
// decisions that its tests can read, slow down or make fail, and somebody who may
// do anything.
//
// Who calls it: tests below gateway; never a product package.
//
// Promises: Decisions keeps decisions as they were when the door gave them.
//
// How it fails: through testing.TB.
//
// Start reading at House, then Decisions.
package testkit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
)

// EveryRole is somebody who may do anything.
func EveryRole() agent.Actor {
	return agent.Actor{Person: "ada", Name: "ada", Can: func(string, string, string) bool { return true }}
}

// Decisions is a log of decisions in memory: a gateway.Recorder. Its zero value is
// empty. Safe for concurrent use.
type Decisions struct {
	mu       sync.Mutex
	n        int
	proposed map[string]activity.Decision
	ended    map[string]activity.Decision
	order    []string
	fail     error
	before   func()
}

// FailWith makes each proposal fail from now on.
func (l *Decisions) FailWith(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// Before has f called before each proposal.
func (l *Decisions) Before(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = f
}

// NewID gives ids that count.
func (l *Decisions) NewID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	return fmt.Sprintf("dec_%08d", l.n)
}

// Commit gives the length of the arguments.
func (l *Decisions) Commit(arguments []byte) string { return fmt.Sprint(len(arguments)) }

// Propose keeps a decision; one without a result to come has ended.
func (l *Decisions) Propose(_ context.Context, d *activity.Decision) error {
	l.mu.Lock()
	before := l.before
	l.mu.Unlock()
	if before != nil {
		before()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	if l.proposed == nil {
		l.proposed = map[string]activity.Decision{}
	}
	l.proposed[d.ID] = *d
	l.order = append(l.order, d.ID)
	if d.Result != activity.ResultPending {
		l.end(d)
	}
	return nil
}

// Complete keeps the end of a decision.
func (l *Decisions) Complete(d *activity.Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(d)
}

func (l *Decisions) end(d *activity.Decision) {
	if l.ended == nil {
		l.ended = map[string]activity.Decision{}
	}
	l.ended[d.ID] = *d
}

// Of waits for the end of a decision.
func (l *Decisions) Of(t testing.TB, id string) activity.Decision {
	t.Helper()
	for range 5000 {
		l.mu.Lock()
		d, ok := l.ended[id]
		l.mu.Unlock()
		if ok {
			return d
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("decision %q was never completed", id)
	return activity.Decision{}
}

// Proposed is a decision as it was proposed.
func (l *Decisions) Proposed(id string) activity.Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.proposed[id]
}

// End is a decision as it ended, the zero Decision before.
func (l *Decisions) End(id string) activity.Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended[id]
}

// Proposals are the decisions as they were proposed, in order.
func (l *Decisions) Proposals() (out []activity.Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.order {
		out = append(out, l.proposed[id])
	}
	return out
}

// Ended are the decisions that ended, by id, as they did.
func (l *Decisions) Ended() []activity.Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	byID := func(a, b activity.Decision) int { return strings.Compare(a.ID, b.ID) }
	return slices.SortedFunc(maps.Values(l.ended), byID)
}

// All are the decisions so far, in order: as they ended, or were proposed.
func (l *Decisions) All() (out []activity.Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.order {
		d, ok := l.ended[id]
		if !ok {
			d = l.proposed[id]
		}
		out = append(out, d)
	}
	return out
}
