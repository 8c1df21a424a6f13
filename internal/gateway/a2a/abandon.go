package a2a

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"reeve/internal/upstream"
)

const (
	sweepEvery  = time.Second
	cancelTime  = 10 * time.Second
	refreshLead = 20 * time.Second
)

// figures count what has no record of its own.
type figures struct{ cancelled, uncancelled atomic.Int64 }

// Stats are what the protocol counted since it was made.
type Stats struct {
	Tasks       int64 // tasks and contexts whose owner is known
	Cancelled   int64 // tasks that peers ended since their agent was stopped
	Uncancelled int64 // those that they did not end
}

// Stats reads the counters.
func (p *Protocol) Stats() Stats {
	p.tasks.mu.Lock()
	n := len(p.tasks.all)
	p.tasks.mu.Unlock()
	return Stats{Tasks: int64(n), Cancelled: p.figures.cancelled.Load(), Uncancelled: p.figures.uncancelled.Load()}
}

// abandon has a peer told that a task's agent was stopped. It never waits.
func (p *Protocol) abandon(t Task, why string) {
	select {
	case p.abandoned <- t:
		p.o.Logger.Info("a peer is told to end a task: its agent was stopped", "upstream", t.Upstream, "agent", t.Agent, "code", why)
	default: // the sweep finds it
	}
}

// cancelling tells peers of tasks whose agent was stopped: those of cut calls at
// once, those that no call is about within a second.
func (p *Protocol) cancelling(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	told := map[ownerKey]time.Time{} // told already: not again for a minute
	tell := func(t Task) {
		key := ownerKey{t.Upstream, ownsTask, t.ID}
		now := p.o.Now()
		if at, ok := told[key]; ok && now.Sub(at) < time.Minute {
			return
		}
		if len(told) > maxOfOwner {
			clear(told)
		}
		told[key] = now
		p.end(ctx, t)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-p.abandoned:
			tell(t)
		case <-tick.C:
			if p.o.Stopped == nil {
				continue
			}
			for _, t := range p.tasks.open() {
				if p.o.Stopped(t) {
					tell(t)
				}
			}
		}
	}
}

// end asks the peer to cancel a task, with the upstream's own credential.
func (p *Protocol) end(ctx context.Context, t Task) {
	ctx, cancel := context.WithTimeout(ctx, cancelTime)
	defer cancel()
	state, err := p.cancelTask(ctx, t)
	if err != nil || !over(state) {
		p.figures.uncancelled.Add(1)
		p.o.Logger.Warn("a peer did not end a task of a stopped agent", "upstream", t.Upstream, "agent", t.Agent, "err", err)
		return
	}
	p.figures.cancelled.Add(1)
}

func (p *Protocol) cancelTask(ctx context.Context, t Task) (state string, err error) {
	u, ok := p.o.Upstreams.Lookup(t.Upstream)
	if !ok {
		return "", errWhere
	}
	k, err := p.cards.get(ctx, u)
	if err != nil {
		return "", err
	}
	r := &request{wire: wire{jsonRPC, era10}, op: opCancel, id: []byte("1"), task: t.ID}
	r.params = append(appendText([]byte(`{"id":`), t.ID), '}')
	to, err := k.choose(u, r.wire)
	if err != nil {
		return "", err
	}
	x := &exchange{p: p, u: u, r: r, c: r, to: to, owner: t, ours: true}
	body, err := x.body(nil)
	if err != nil {
		return "", err
	}
	req, err := p.ownRequest(ctx, u, body)
	if err != nil {
		return "", err
	}
	resp, err := x.RoundTrip(req)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if x.facts.ErrorType == "TASK_NOT_CANCELABLE" || x.facts.ErrorType == "TASK_NOT_FOUND" {
		x.owner.State = "TASK_STATE_CANCELED" // over, as far as the peer is concerned
		p.tasks.claim(ownsTask, t.ID, x.owner)
		return x.owner.State, nil
	}
	return x.state, err
}

// ownRequest is a request of the door itself.
func (p *Protocol) ownRequest(ctx context.Context, u *upstream.Upstream, body []byte) (*http.Request, error) {
	target, err := u.Target("/", "")
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return req, u.Authorize(req)
}

// refresh fetches cards before they are needed, so that calls do not wait, and a
// change is seen whether or not somebody calls.
func (p *Protocol) refresh(ctx context.Context) {
	tick := time.NewTicker(minCardLife / 6)
	defer tick.Stop()
	for {
		for _, s := range p.o.Upstreams.List() {
			if s.Kind != p.Kind() || ctx.Err() != nil {
				continue
			}
			if u, ok := p.o.Upstreams.Lookup(s.Name); ok {
				_ = p.cards.ahead(ctx, u) // known tells why it failed
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
