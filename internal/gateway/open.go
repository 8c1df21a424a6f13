package gateway

import (
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/policy"
)

// openActions are those that were allowed elsewhere and not reported yet, and
// how those ended that were. Its zero value is empty.
type openActions struct {
	mu     sync.Mutex
	open   map[string]*openAction
	order  []string // ids of open, by the time they were added
	closed map[string]closedAction
	mine   map[string]int // open ones by agent: one that reports nothing takes no room of the others'
	ended  []string       // ids of closed, the oldest first
}

type openAction struct {
	x       *passage
	expires time.Time
}

// closedAction is what is kept of one that was reported: enough to know the
// same report again, and who may give it.
type closedAction struct {
	result                   activity.Result
	agent, team, environment string
}

const (
	// maxOpen bounds how many actions wait for a report; beyond it the oldest ends
	// as unreported.
	maxOpen = 20_000
	// maxMine bounds those of one agent; beyond it the next ones end at once.
	maxMine = 1_000
)

// full reports whether an agent has as many open as it may.
func (o *openActions) full(agent string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mine[agent] >= maxMine
}

// less counts one that is no longer open.
func (o *openActions) less(agent string) {
	if o.mine[agent]--; o.mine[agent] <= 0 {
		delete(o.mine, agent)
	}
}

// add keeps x until it is reported; the answer is until when that may be.
func (o *openActions) add(x *passage, now time.Time, life time.Duration) time.Time {
	if life <= 0 {
		life = outsideLife
	}
	expires := now.Add(min(life, maxOutsideLife))
	// What an action needs until its end is little; its request is not.
	x.Body, x.replacement, x.scan.out = nil, nil, nil
	p := *x.proposal
	p.Args, p.Contents, p.Forward, p.Bind, p.BindFunc, p.Same = policy.Args{}, nil, nil, nil, nil, nil
	x.proposal = &p
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open == nil {
		o.open, o.closed, o.mine = map[string]*openAction{}, map[string]closedAction{}, map[string]int{}
	}
	o.open[x.record.ID] = &openAction{x: x, expires: expires}
	o.order = append(o.order, x.record.ID)
	o.mine[x.record.Agent]++
	return expires
}

// take removes the action of an id for its report; x is nil for one that was
// reported before, which ended as was.
func (o *openActions) take(id string, may func(agent, team, environment string) bool) (x *passage, was activity.Result, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c, ok := o.closed[id]; ok && may(c.agent, c.team, c.environment) {
		return nil, c.result, nil
	}
	a := o.open[id]
	if a == nil || !may(a.x.record.Agent, a.x.record.Team, a.x.record.Environment) {
		return nil, 0, errOutsideUnknown
	}
	delete(o.open, id)
	r := &a.x.record
	o.less(r.Agent)
	o.closed[id] = closedAction{agent: r.Agent, team: r.Team, environment: r.Environment}
	o.ended = append(o.ended, id)
	if len(o.ended) > maxOpen {
		delete(o.closed, o.ended[0])
		o.ended = o.ended[1:]
	}
	return a.x, 0, nil
}

// done keeps how a taken action ended, for the same report again.
func (o *openActions) done(id string, result activity.Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c, ok := o.closed[id]; ok {
		c.result = result
		o.closed[id] = c
	}
}

// expired takes what was not reported in time, and the oldest of too many.
func (o *openActions) expired(now time.Time) (out []*passage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	keep := o.order[:0]
	for _, id := range o.order {
		a := o.open[id]
		switch {
		case a == nil: // reported
		case now.Before(a.expires) && len(o.open) <= maxOpen:
			keep = append(keep, id)
		default:
			delete(o.open, id)
			r := &a.x.record
			o.less(r.Agent)
			o.closed[id] = closedAction{result: activity.ResultUnknown, agent: r.Agent, team: r.Team, environment: r.Environment}
			o.ended = append(o.ended, id)
			out = append(out, a.x)
		}
	}
	clear(o.order[len(keep):])
	o.order = keep
	for len(o.ended) > maxOpen {
		delete(o.closed, o.ended[0])
		o.ended = o.ended[1:]
	}
	return out
}
