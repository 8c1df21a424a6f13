package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// stall is how long an upstream may send nothing, where it has no limit of its
// own.
const stall = 5 * time.Minute

var (
	errTimeout = fault.New(fault.KindUnavailable, "upstream.timeout", "the upstream did not answer in time")
	errBroken  = fault.New(fault.KindUnavailable, "upstream.broken", "the upstream's answer broke off or cannot be read")
	errReach   = fault.New(fault.KindUnavailable, "upstream.unreachable", "the upstream cannot be reached or does not answer in HTTP")
	errLeak    = fault.New(fault.KindDenied, "upstream.leak", "the upstream's answer contains its credential and was cut")
	errEncoded = fault.New(fault.KindDenied, "upstream.encoded", "the upstream's answer is compressed and cannot be looked at")
	errMoved   = fault.New(fault.KindDenied, "upstream.redirect", "the upstream redirects to somewhere else, which is not followed").
			WithHint("call the final address as an upstream of its own")
	errGone = fault.New(fault.KindUnavailable, "gateway.client_closed", "the agent closed the call")
)

// forward sends the call with the upstream's credential and lets the answer
// pass as it comes.
func (d *Door) forward(ctx context.Context, x *passage) error {
	if done, err := d.rehearsed(ctx, x); done {
		return err
	}
	w := watch{x: x, patience: stall}
	if ms := x.Upstream.TimeoutMS; ms > 0 {
		w.patience = time.Duration(ms) * time.Millisecond
	}
	x.watching = &w
	ctx, end := w.begin(x.Context) // which a stop ends
	defer end()
	req, err := x.outgoing(ctx)
	if err != nil {
		return err
	}
	if err := x.Upstream.Breaker().Allow(); err != nil {
		return err
	}
	x.judge = d.judging(x)
	if !x.proposal.Quiet {
		d.o.Steps.begin(d, x)
	}
	x.forwarded = true
	x.clock.forwarded = d.o.Now()
	send := x.Upstream.Transport().RoundTrip
	if f := x.proposal.Forward; f != nil && f.RoundTrip != nil {
		send = f.RoundTrip
	}
	resp, err := send(req)
	if err != nil {
		var op *net.OpError
		x.unsent = errors.As(err, &op) && op.Op == "dial" && (x.proposal.Forward == nil || x.proposal.Forward.RoundTrip == nil)
		return x.broke(ctx, err, errReach)
	}
	defer func() { _ = resp.Body.Close() }() // what is left of it goes nowhere
	x.clock.answered = d.o.Now()
	w.alive()
	leak := x.Upstream.Leak()
	if err := x.head(resp, leak); err != nil {
		return err
	}
	if !x.proposal.Quiet {
		d.touched(x)
	}
	return x.body(ctx, resp, leak, &w)
}

// watch ends a call whose upstream is silent for too long, and lets a call that
// was ended leave at once: an agent that reads nothing would else keep it in a
// write.
type watch struct {
	x        *passage
	patience time.Duration
	timer    *time.Timer
}

func (w *watch) begin(parent context.Context) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(parent)
	w.timer = time.AfterFunc(w.patience, func() { cancel(errTimeout) })
	undo := context.AfterFunc(ctx, func() {
		w.x.hangUp()
	})
	return ctx, func() {
		undo()
		w.timer.Stop()
		cancel(nil)
	}
}

// hangUp ends an answer that has begun: the agent sees that at once, and not
// after the calls that end with it were settled one by one. It waits for nobody.
func (x *passage) hangUp() { x.cut(nil) }

// cut is hangUp for a cause, which comes before the end of the call's context.
func (x *passage) cut(cause error) {
	x.answering.mu.Lock()
	defer x.answering.mu.Unlock()
	if !x.answering.on {
		return
	}
	if x.answering.by == nil {
		x.answering.by = cause
	}
	if c, ok := x.Request.Context().Value(connKey{}).(*conn); ok && x.Request.ProtoMajor == 1 {
		c.hangUp()
		return
	}
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Unix(1, 0)) // not supported: the write ends when the peer does
}

// answering is whether a call's answer is on its way: before, a refusal can still
// be given, and after, the connection is another call's.
type answering struct {
	mu sync.Mutex
	on bool
	by error // by whom it was cut; nil: by nobody
}

// cause is why the answer was cut; nil when it was not.
func (a *answering) cause() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by
}

func (a *answering) begin() { a.set(true) }
func (a *answering) end()   { a.set(false) }

func (a *answering) set(on bool) {
	a.mu.Lock()
	a.on = on
	a.mu.Unlock()
}

// alive says that the upstream sent something.
func (w *watch) alive() { w.timer.Reset(w.patience) }

// pause lets the upstream be silent while we keep it from being heard.
func (w *watch) pause() { w.timer.Stop() }

// broke says what an error on the way means: a stop's or a limit's own word
// first, then the agent that went away.
func (x *passage) broke(ctx context.Context, err error, otherwise *fault.Error) error {
	var f *fault.Error
	switch {
	case errors.As(context.Cause(ctx), &f):
		return f
	case errors.As(x.answering.cause(), &f):
		return f
	case x.Request.Context().Err() != nil && !x.claims:
		return errGone.WithCause(err)
	case errors.As(err, &f):
		return f
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errTimeout.WithCause(err)
	}
	return otherwise.WithCause(err)
}

// outgoing builds the upstream's request.
func (x *passage) outgoing(ctx context.Context) (*http.Request, error) {
	path, query, body, header := x.Path, x.Query, x.Body, x.Request.Header
	f := x.proposal.Forward
	if f != nil {
		path, query, body = f.Path, f.Query, f.Body
		if f.Header != nil {
			header = f.Header
		}
	}
	target, err := x.Upstream.Target(path, query)
	if err != nil {
		return nil, err
	}
	req := (&http.Request{
		Method: x.Method, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(header)+4),
	}).WithContext(ctx)
	upstream.Outgoing(req.Header, header)
	// What cannot be read cannot be watched for our credential.
	req.Header["Accept-Encoding"] = identity
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header["User-Agent"] = noAgent // else Go adds its own
	}
	if x.trace.span != noSpan {
		req.Header["Traceparent"] = []string{x.trace.header()}
		delete(req.Header, "Tracestate")
	}
	if len(body) > 0 {
		setBody(req, body)
	}
	if err := x.Upstream.Authorize(req); err != nil {
		return nil, err
	}
	if f != nil && f.Sign != nil {
		if err := f.Sign(req); err != nil {
			return nil, err
		}
	}
	return req, nil
}

var (
	identity = []string{"identity"}
	noAgent  = []string{""}
	noSpan   = [8]byte{}
)

// setBody gives a request a body that can be sent again on another connection
// when the first was closed before anything of it was written.
func setBody(req *http.Request, body []byte) {
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}
