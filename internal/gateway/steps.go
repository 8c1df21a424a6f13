package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Steps publishes what calls were as steps of their runs, behind the door's
// back: a call never waits for it. Where the log refuses for now it is tried
// again, since a call is not made twice; what finds no room meanwhile is lost and
// counted. The record of a decision is elsewhere and complete.
//
// What is told within gather shares a message of the log. That a call began is
// told only once it is underway for linger: most calls are over by then, and
// their end says it all.
type Steps struct {
	publish func(context.Context, []byte) error
	log     *slog.Logger
	limit   int
	kick    chan struct{}

	mu     sync.Mutex // guards what follows
	ready  []message  // the last of them is being filled
	young  []*news    // by time
	held   int        // bytes in young
	filled int        // bytes in ready
	flying int        // bytes that are being published, and may come back

	spare   []byte // for the next message; Run's own, and so is refused
	refused bool   // by the log, the last time
	lost    atomic.Int64
}

// message is one of the log.
type message struct {
	data  []byte // batches end to end
	steps int64
	lent  bool // to a publishing that ran out of time, and may read it still
}

// news is a call of which nobody was told yet.
type news struct {
	at   time.Time
	data []byte // its batch; nil once it was told of, or is over
}

const (
	// maxSteps bounds the bytes that wait.
	maxSteps = 16 << 20
	// maxPublished is from where on a message of the log is full.
	maxPublished = 1 << 20
	gather       = 50 * time.Millisecond
	linger       = 200 * time.Millisecond
	// refusedFor is how long what the log refused waits.
	refusedFor = 500 * time.Millisecond
	// publishTime bounds one publishing.
	publishTime = 10 * time.Second
)

// NewSteps makes an empty queue; publish puts encoded batches into the activity
// log. Run empties it.
func NewSteps(publish func(context.Context, []byte) error, log *slog.Logger) *Steps {
	return &Steps{publish: publish, log: log, limit: maxSteps, kick: make(chan struct{}, 1)}
}

// Lost is how many steps found no room, or were refused by the log.
func (s *Steps) Lost() int64 { return s.lost.Load() }

func (s *Steps) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Run publishes until ctx ends, and then what is left.
func (s *Steps) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flush(context.WithoutCancel(ctx), 0)
			s.leave()
			return context.Cause(ctx)
		case <-s.kick:
		}
		for left := true; left; {
			t.Reset(s.pause())
			select {
			case <-ctx.Done():
				left = false // the rest goes above
				s.wake()
			case <-t.C:
				left = s.flush(ctx, linger)
			}
		}
	}
}

// flush publishes what is ready, and the calls that are underway for longer than
// a time. It reports whether something is left that was not told of.
func (s *Steps) flush(ctx context.Context, underway time.Duration) (left bool) {
	s.mu.Lock()
	s.grow(time.Now().Add(-underway))
	list := s.ready
	s.ready, s.flying, s.filled = nil, s.filled, 0
	if s.spare != nil {
		s.ready, s.spare = []message{{data: s.spare}}, nil
	}
	left = len(s.young) > 0
	s.mu.Unlock()
	for i := range list {
		if m := &list[i]; len(m.data) > 0 && !s.send(ctx, m) {
			s.back(list[i:])
			return true
		}
	}
	s.mu.Lock()
	s.flying = 0
	s.mu.Unlock()
	if n := len(list); n > 0 && !list[n-1].lent && cap(list[n-1].data) <= maxPublished {
		s.spare = list[n-1].data[:0] // a burst's buffer is not kept
	}
	return left
}

// send publishes one message; false when the log refuses it for now. What the log
// will never take is lost: telemetry fails open, and the decisions' own log has
// them all. What ran out of time may be there, and is the same step when it comes
// again.
func (s *Steps) send(ctx context.Context, m *message) bool {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	err := s.publish(ctx, m.data)
	m.lent = m.lent || ctx.Err() != nil
	switch {
	case err == nil && s.refused:
		s.refused = false
		s.log.Info("the log takes steps of calls at the door again")
	case err == nil:
	case ctx.Err() != nil || fault.Is(err, fault.KindExhausted) || fault.Is(err, fault.KindUnavailable):
		if !s.refused {
			s.refused = true
			s.log.Warn("the log refuses steps of calls at the door; they are kept for now", "steps", m.steps, "err", err)
		}
		return false
	default:
		s.lost.Add(m.steps)
		s.log.Warn("steps of calls at the door were lost", "steps", m.steps, "err", err)
	}
	return true
}

// back takes back what the log refused, before what came meanwhile.
func (s *Steps) back(list []message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = append(slices.Clip(list), s.ready...)
	s.flying = 0
	s.filled = 0
	for _, m := range s.ready {
		s.filled += len(m.data)
	}
}

// put adds a batch to the message that is being filled. Called with mu held.
func (s *Steps) put(add func([]byte) []byte) {
	n := len(s.ready)
	if n == 0 || len(s.ready[n-1].data) >= maxPublished {
		s.ready = append(s.ready, message{})
		n++
	}
	m := &s.ready[n-1]
	s.filled -= len(m.data)
	m.data, m.steps = add(m.data), m.steps+1
	s.filled += len(m.data)
}

// full reports whether nothing more may wait. Called with mu held.
func (s *Steps) full() bool { return s.held+s.filled+s.flying > s.limit }

// pause is how long Run waits for more to share a message.
func (s *Steps) pause() time.Duration {
	if s.refused {
		return refusedFor
	}
	return gather
}

// leave counts what the log did not take by the end.
func (s *Steps) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	for _, m := range s.ready {
		n += m.steps
	}
	if n > 0 {
		s.lost.Add(n)
		s.log.Warn("steps of calls at the door were lost: the log took none by the end", "steps", n)
	}
	s.ready, s.filled = nil, 0
}

// grow makes ready what began before a time. Called with mu held.
func (s *Steps) grow(before time.Time) {
	n := 0
	for ; n < len(s.young) && (s.young[n].data == nil || !s.young[n].at.After(before)); n++ {
		if b := s.young[n]; b.data != nil {
			s.put(func(to []byte) []byte { return append(to, b.data...) })
			s.held -= len(b.data)
			b.data = nil
		}
	}
	s.young = slices.Delete(s.young, 0, n)
}

// begin tells that a call is about to be forwarded, or waits for people.
func (s *Steps) begin(d *Door, x *passage) {
	if !x.identified {
		return
	}
	if x.news == nil && x.proposal != nil {
		x.asked = x.stored(x.proposal.Contents, false)
	}
	f := x.fragment(d)
	f.Contents = x.asked
	b := &news{at: time.Now(), data: activity.AppendBatch(nil, x.batch(f))}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full() {
		s.lost.Add(1)
		return
	}
	x.news = b
	s.young, s.held = append(s.young, b), s.held+len(b.data)
	s.wake()
}

// take forgets that a call began when nobody was told yet, and reports whether
// that was so: its end then has to say all.
func (s *Steps) take(b *news) bool {
	if b == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.data == nil {
		return false
	}
	s.held -= len(b.data)
	b.data = nil
	return true
}

// end tells how it went.
func (s *Steps) end(d *Door, x *passage, err *fault.Error, now time.Time) {
	f := x.fragment(d)
	if s.take(x.news) {
		f.Contents = x.asked
	}
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
		f.Contents = append(f.Contents[:len(f.Contents):len(f.Contents)], x.stored(t.Contents, true)...)
	}
	switch r := &x.record; {
	case err != nil:
		f.Status, f.ErrorType, f.StatusMessage = activity.StatusError, err.Code, err.Message
	case t.ErrorType != "":
		f.Status, f.ErrorType, f.StatusMessage = activity.StatusError, t.ErrorType, t.ErrorMessage
	case r.Status >= 400:
		f.Status, f.ErrorType = activity.StatusError, statusWord(r.Status)
	}
	s.tell(x.batch(f))
}

func (s *Steps) tell(b *activity.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full() {
		s.lost.Add(1)
		return
	}
	s.put(func(to []byte) []byte { return activity.AppendBatch(to, b) })
	s.wake()
}

func (x *passage) batch(f activity.Fragment) *activity.Batch {
	r := &x.record
	return &activity.Batch{
		Received: time.Now().UnixNano(), Sender: "door", Team: r.Team, Environment: r.Environment, Fragments: []activity.Fragment{f},
	}
}

func statusWord(status int32) string {
	b := [3]byte{byte('0' + status/100%10), byte('0' + status/10%10), byte('0' + status%10)}
	return string(b[:])
}

type asTest struct{}

// AsTest makes a call of this process itself one of mode test: it is decided, paid
// and recorded as any, and counts in no figure of its agent.
func AsTest(ctx context.Context) context.Context { return context.WithValue(ctx, asTest{}, true) }

// fragment is what both words about a call have in common.
func (x *passage) fragment(d *Door) activity.Fragment {
	r, p := &x.record, x.proposal
	provider, model := p.model()
	name := r.Resource
	if p != nil && p.Name != "" {
		name = p.Name
	}
	flags, mode := activity.Flag(0), x.Caller.Agent.Mode
	if x.isTest() {
		mode = "test"
	}
	if x.alone {
		flags = activity.FlagAlone
	}
	return activity.Fragment{
		Flags: flags, Run: r.Run, Step: r.Step, Parent: x.parent(), Trace: r.Trace, Span: r.Span,
		Source: activity.SourceGateway, Kind: x.kindOf(), Status: activity.StatusRunning, Start: cmp.Or(x.asks, r.At), End: activity.Unknown,
		Name: name, Agent: r.Agent, AgentVersion: r.Version, AgentExplicit: true, Environment: r.Environment,
		Task: x.Caller.Agent.Task, Session: r.Session, User: r.User, Mode: mode,
		Provider: provider, ModelRequested: model, TTFT: activity.Unknown, Usage: activity.NoUsage,
		ToolName: r.Tool, DecisionID: r.ID, Dialect: activity.DialectDoor,
	}
}
