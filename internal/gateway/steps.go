package gateway

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Steps publishes what calls were as steps of their runs, behind the door's
// back: a call never waits for it, and what finds no room is lost and counted.
// The record of a decision is elsewhere and complete.
type Steps struct {
	publish func(context.Context, []byte) error
	log     *slog.Logger
	limit   int

	mu   sync.Mutex
	open []byte // batches end to end
	kick chan struct{}

	waiting int64 // steps in open, under mu
	lost    atomic.Int64
}

// maxSteps bounds the bytes that wait.
const maxSteps = 16 << 20

// maxPublished bounds one message of the log.
const maxPublished = 1 << 20

// NewSteps makes an empty queue; publish puts encoded batches into the activity
// log. Run empties it.
func NewSteps(publish func(context.Context, []byte) error, log *slog.Logger) *Steps {
	return &Steps{publish: publish, log: log, limit: maxSteps, kick: make(chan struct{}, 1)}
}

// Lost is how many steps found no room, or were refused by the log.
func (s *Steps) Lost() int64 { return s.lost.Load() }

func (s *Steps) add(b *activity.Batch) {
	s.mu.Lock()
	if len(s.open) > s.limit {
		s.mu.Unlock()
		s.lost.Add(1)
		return
	}
	s.open = activity.AppendBatch(s.open, b)
	s.waiting++
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Run publishes until ctx ends, and then what is left.
func (s *Steps) Run(ctx context.Context) error {
	var spare []byte
	for {
		select {
		case <-ctx.Done():
			s.flush(context.WithoutCancel(ctx), spare)
			return context.Cause(ctx)
		case <-s.kick:
			spare = s.flush(ctx, spare)
		}
	}
}

// flush publishes what waits and gives back the buffer for the next round.
func (s *Steps) flush(ctx context.Context, spare []byte) []byte {
	s.mu.Lock()
	data, n := s.open, s.waiting
	s.open, s.waiting = spare[:0], 0
	s.mu.Unlock()
	if len(data) == 0 {
		return data
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.publish(ctx, data); err != nil {
		// Telemetry fails open: the decisions' own log has them all.
		s.lost.Add(n)
		s.log.Warn("steps of calls at the door were lost", "steps", n, "err", err)
	}
	if cap(data) > maxPublished {
		return nil // a burst's buffer is not kept
	}
	return data
}

// begin publishes a call that is about to be forwarded.
func (s *Steps) begin(d *Door, x *passage) {
	if !x.identified {
		return
	}
	f := x.fragment(d)
	if p := x.proposal; p != nil {
		f.Contents = x.stored(p.Contents, false)
	}
	s.send(x, f)
}

// end publishes how it went.
func (s *Steps) end(d *Door, x *passage, err *fault.Error, now time.Time) {
	f := x.fragment(d)
	f.WholeFragment = true
	f.End = now.UnixNano()
	f.Status = activity.StatusOK
	f.Tags = x.tags()
	t := &x.facts
	if x.hasFacts {
		f.Usage, f.Model, f.ResponseID, f.FinishReason = t.Usage, t.Model, t.ResponseID, t.FinishReason
		if !t.FirstToken.IsZero() {
			f.TTFT = t.FirstToken.Sub(x.started).Nanoseconds()
		}
		f.Contents = x.stored(t.Contents, true)
	}
	switch r := &x.record; {
	case err != nil:
		f.Status, f.ErrorType, f.StatusMessage = activity.StatusError, err.Code, err.Message
	case t.ErrorType != "":
		f.Status, f.ErrorType, f.StatusMessage = activity.StatusError, t.ErrorType, t.ErrorMessage
	case r.Status >= 400:
		f.Status, f.ErrorType = activity.StatusError, statusWord(r.Status)
	}
	s.send(x, f)
}

func (s *Steps) send(x *passage, f activity.Fragment) {
	r := &x.record
	s.add(&activity.Batch{
		Received: time.Now().UnixNano(), Sender: "door", Team: r.Team, Environment: r.Environment, Fragments: []activity.Fragment{f},
	})
}

func statusWord(status int32) string {
	b := [3]byte{byte('0' + status/100%10), byte('0' + status/10%10), byte('0' + status%10)}
	return string(b[:])
}

// fragment is what both words about a call have in common.
func (x *passage) fragment(d *Door) activity.Fragment {
	r, p := &x.record, x.proposal
	provider, model := p.model()
	name := r.Resource
	if p != nil && p.Name != "" {
		name = p.Name
	}
	return activity.Fragment{
		Run: r.Run, Step: r.Step, Parent: x.parent(), Trace: r.Trace, Span: r.Span,
		Source: activity.SourceGateway, Kind: x.kindOf(), Status: activity.StatusRunning, Start: r.At, End: activity.Unknown,
		Name: name, Agent: r.Agent, AgentVersion: r.Version, AgentExplicit: true, Environment: r.Environment,
		Task: x.Caller.Agent.Task, Session: r.Session, User: r.User, Mode: x.Caller.Agent.Mode,
		Provider: provider, ModelRequested: model, TTFT: activity.Unknown, Usage: activity.NoUsage,
		ToolName: r.Tool, DecisionID: r.ID, Dialect: "door",
	}
}
