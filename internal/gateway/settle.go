package gateway

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// settle ends a call, however it went: the decision is completed, the step
// published, the upstream's health told, and the stop board left.
func (d *Door) settle(x *passage, err error) {
	if x.leave != nil {
		defer x.leave()
	}
	r := &x.record
	if len(x.noted) > 0 {
		defer d.o.Steer.Told(r.Run.String(), r.ID, x.unnoted != nil && x.forwarded && !x.unsent)
	}
	now := d.o.Now()
	f := fault.From(err)
	if r.Result == activity.ResultPending {
		r.Result = x.result(f)
		if f != nil {
			r.ErrorCode = f.Code
		}
		r.BytesOut = x.sent.n.Load()
		r.Completed, r.LatencyUS = now.UnixNano(), now.Sub(x.started).Microseconds()
		if x.forwarded {
			answered := x.clock.answered
			if answered.IsZero() {
				answered = now
			}
			r.UpstreamUS = answered.Sub(x.clock.forwarded).Microseconds()
			x.health(answered.Sub(x.clock.forwarded), f)
		}
		d.spent(x)
		if x.recorded {
			d.o.Decisions.Complete(r)
		}
		d.used(x, f)
		if x.test != nil && x.forwarded && x.kind == "llm" && !x.proposal.Quiet {
			x.test.Ended(x.Upstream.Name, r.Result != activity.ResultOK, now.Sub(x.clock.forwarded), r.Cost)
		}
	} else {
		x.reservation.Release() // refused, and recorded so
	}
	d.jobs(x)
	if x.recorded && x.identified {
		d.o.Steps.end(d, x, f, now)
	}
	d.figures.count(x, now)
}

// health tells the breaker how the upstream did. What we or the agent ended is
// no fault of the upstream's.
func (x *passage) health(took time.Duration, f *fault.Error) {
	b := x.Upstream.Breaker()
	switch {
	case f == nil && x.record.Status < 500:
		b.Done(took, nil)
	case f == nil:
		b.Done(took, errStatus)
	case f.Code == "upstream.timeout" || f.Code == "upstream.broken" || f.Code == "upstream.unreachable" || f.Code == "upstream.address":
		b.Done(took, f)
	}
}

var errStatus = fault.New(fault.KindUnavailable, "upstream.status", "the upstream answers with errors of its own")

// result is how the call went; f is nil when it was answered.
func (x *passage) result(f *fault.Error) activity.Result {
	switch {
	case f == nil && (x.record.Status >= 400 || x.facts.ErrorType != ""):
		return activity.ResultError
	case f == nil:
		return activity.ResultOK
	case !x.forwarded:
		return activity.ResultDenied
	case strings.HasPrefix(f.Code, "stop.") || f.Code == errGone.Code:
		return activity.ResultCut
	case f.Code == errTimeout.Code:
		return activity.ResultTimeout
	}
	return activity.ResultError
}

// figures count calls for /metrics.
type figures struct {
	live, strangers atomic.Int64
	calls           sync.Map // callKey -> *atomic.Int64
	whole, ours     histogram
}

// callKey is what calls are counted by; all of it comes from short vocabularies
// of ours.
type callKey struct{ Kind, Verdict, Result, Code string }

func (f *figures) count(x *passage, now time.Time) {
	r := &x.record
	k := callKey{x.kind, r.Verdict.String(), r.Result.String(), r.ErrorCode}
	n, ok := f.calls.Load(k)
	if !ok {
		n, _ = f.calls.LoadOrStore(k, new(atomic.Int64))
	}
	n.(*atomic.Int64).Add(1)
	f.whole.add(now.Sub(x.started))
	if r.DecideUS > 0 {
		f.ours.add(time.Duration(r.DecideUS) * time.Microsecond)
	}
}

// Bounds of the latency histograms.
var bounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond,
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
	2500 * time.Millisecond, 10 * time.Second, time.Minute,
}

type histogram struct {
	buckets [len(bounds) + 1]atomic.Int64
	sum     atomic.Int64 // ns
}

func (h *histogram) add(took time.Duration) {
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(took))
}

// Histogram is a latency distribution: Buckets counts up to each bound, by
// seconds, cumulatively.
type Histogram struct {
	Count   uint64
	Sum     float64
	Buckets map[float64]uint64
}

func (h *histogram) read() Histogram {
	out := Histogram{Buckets: make(map[float64]uint64, len(bounds)), Sum: time.Duration(h.sum.Load()).Seconds()}
	for i := range h.buckets {
		out.Count += uint64(h.buckets[i].Load())
		if i < len(bounds) {
			out.Buckets[bounds[i].Seconds()] = out.Count
		}
	}
	return out
}

// CallCount is how many calls ended in one way.
type CallCount struct {
	Kind, Verdict, Result, Code string
	Calls                       int64
}

// Stats is what the door counted since it was made.
type Stats struct {
	Live      int64 // calls at the door now
	Strangers int64 // refusals of callers that nobody knows
	Calls     []CallCount
	Whole     Histogram // time from request to the answer's end
	Deciding  Histogram // of it, before forwarding
	StepsLost int64     // steps that found no room
}

// Live is how many calls are at the door now.
func (d *Door) Live() int64 { return d.figures.live.Load() }

// Stats reads the counters.
func (d *Door) Stats() Stats {
	s := Stats{
		Live: d.figures.live.Load(), Strangers: d.figures.strangers.Load(), Whole: d.figures.whole.read(), Deciding: d.figures.ours.read(),
		StepsLost: d.o.Steps.Lost(),
	}
	d.figures.calls.Range(func(k, n any) bool {
		c := k.(callKey)
		s.Calls = append(s.Calls, CallCount{c.Kind, c.Verdict, c.Result, c.Code, n.(*atomic.Int64).Load()})
		return true
	})
	return s
}
