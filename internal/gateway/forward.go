package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// counter is how many bytes went to the agent.
type counter struct{ n atomic.Int64 }

// stall is how long an upstream may send nothing in the middle of an answer,
// where it has no limit of its own.
const stall = 5 * time.Minute

var (
	errTimeout = fault.New(fault.KindUnavailable, "upstream.timeout", "the upstream did not answer in time")
	errBroken  = fault.New(fault.KindUnavailable, "upstream.broken", "the upstream's answer broke off")
	errReach   = fault.New(fault.KindUnavailable, "upstream.unreachable", "the upstream cannot be reached")
	errLeak    = fault.New(fault.KindDenied, "upstream.leak", "the upstream's answer contains its credential and was cut")
	errEncoded = fault.New(fault.KindDenied, "upstream.encoded", "the upstream's answer is compressed and cannot be looked at")
	errMoved   = fault.New(fault.KindDenied, "upstream.redirect", "the upstream redirects to somewhere else, which is not followed").
			WithHint("call the final address as an upstream of its own")
	errGone = fault.New(fault.KindUnavailable, "gateway.client_closed", "the agent closed the call")
)

// pieces are the buffers that answers pass through.
var pieces = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// forward sends the call with the upstream's credential and lets the answer
// pass as it comes.
func (d *Door) forward(_ context.Context, x *passage) error {
	ctx, cancel := context.WithCancelCause(x.Context)
	defer cancel(nil)
	patience := stall
	if x.Upstream.TimeoutMS > 0 {
		patience = time.Duration(x.Upstream.TimeoutMS) * time.Millisecond
	}
	watch := time.AfterFunc(patience, func() { cancel(errTimeout) })
	defer watch.Stop()
	req, err := x.outgoing(ctx)
	if err != nil {
		return err
	}
	if err := x.Upstream.Breaker().Allow(); err != nil {
		return err
	}
	// A cut call whose agent reads nothing would sit in a write: it fails at once.
	rc := http.NewResponseController(x.w)
	undo := context.AfterFunc(ctx, func() { _ = rc.SetWriteDeadline(time.Unix(1, 0)) })
	defer undo()
	d.o.Steps.begin(d, x)
	x.forwarded = true
	x.clock.forwarded = d.o.Now()
	resp, err := x.Upstream.Transport().RoundTrip(req)
	if err != nil {
		return x.broke(ctx, err, errReach)
	}
	defer func() { _ = resp.Body.Close() }() // what is left of it goes nowhere
	x.clock.answered = d.o.Now()
	watch.Reset(patience)
	if err := x.head(resp); err != nil {
		return err
	}
	return x.body(ctx, resp, func() { watch.Reset(patience) })
}

// broke says what an error of the way to the upstream means: a stop's or a
// limit's own word first, then the agent that went away.
func (x *passage) broke(ctx context.Context, err error, otherwise *fault.Error) error {
	var f *fault.Error
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, &f):
		return f
	case x.Request.Context().Err() != nil:
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
	path, query, body := x.Path, x.Query, x.Body
	f := x.proposal.Forward
	if f != nil {
		path, query, body = f.Path, f.Query, f.Body
	}
	target, err := x.Upstream.Target(path, query)
	if err != nil {
		return nil, err
	}
	req := (&http.Request{
		Method: x.Method, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(x.Request.Header)+4),
	}).WithContext(ctx)
	upstream.Outgoing(req.Header, x.Request.Header)
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
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
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

// withheld are headers of an answer that stay here: what belongs to one
// connection, what would lead the agent around the door, and what is ours.
var withheld = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Set-Cookie": true, "Alt-Svc": true,
}

// head checks and copies the answer's headers.
func (x *passage) head(resp *http.Response) error {
	u := x.Upstream
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") && u.Credential != nil && resp.ContentLength != 0 && x.Method != http.MethodHead {
		return errEncoded
	}
	var named []string
	for _, v := range resp.Header["Connection"] {
		for name := range strings.SplitSeq(v, ",") {
			named = append(named, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
	h := x.w.Header()
	for k, v := range resp.Header {
		switch {
		case withheld[k] || slices.Contains(named, k) || strings.HasPrefix(k, "X-Reeve-"):
		case k == "Location" || k == "Content-Location":
			at, err := x.relocate(resp, v[0])
			if err != nil && k == "Location" {
				return err
			}
			if err == nil {
				h[k] = []string{at}
			}
		default:
			h[k] = v
		}
	}
	x.record.Status = int32(resp.StatusCode)
	return nil
}

// relocate turns an address at the upstream into one at the door. An agent that
// followed any other would walk around the door.
func (x *passage) relocate(resp *http.Response, to string) (string, error) {
	target, err := url.Parse(to)
	if err != nil {
		return "", errMoved
	}
	from := resp.Request.URL
	target = from.ResolveReference(target)
	root, err := x.Upstream.Target("/", "")
	if err != nil {
		return "", errMoved
	}
	below, ok := strings.CutPrefix(target.EscapedPath(), root.EscapedPath())
	if !ok || target.Scheme != from.Scheme || target.Host != from.Host || target.User != nil {
		return "", errMoved
	}
	out := url.URL{Path: target.Path, RawQuery: target.RawQuery, Fragment: target.Fragment}
	out.Path, out.RawPath = "", ""
	at := "/" + x.kind + "/" + x.Upstream.Name + "/" + below
	if out.RawQuery != "" {
		at += "?" + out.RawQuery
	}
	if f := target.EscapedFragment(); f != "" {
		at += "#" + f
	}
	return at, nil
}

// body lets the answer pass, piece by piece.
func (x *passage) body(ctx context.Context, resp *http.Response, alive func()) error {
	var answer Answer
	if x.proposal.Answer != nil {
		answer = x.proposal.Answer(resp.StatusCode, resp.Header, nil)
	}
	leak := x.Upstream.Leak()
	for _, list := range resp.Header {
		for _, v := range list {
			if leak.In(v) {
				return errLeak
			}
		}
	}
	flush := resp.ContentLength < 0 && x.Method != http.MethodHead
	rc := http.NewResponseController(x.w)
	begin := func() {
		if !x.wrote {
			x.wrote = true
			x.w.WriteHeader(resp.StatusCode)
		}
	}
	write := func(p []byte) error {
		begin()
		n, err := x.w.Write(p)
		x.sent.n.Add(int64(n))
		if err != nil {
			return x.broke(ctx, err, errGone)
		}
		if flush {
			if err := rc.Flush(); err != nil {
				return x.broke(ctx, err, errGone)
			}
		}
		return nil
	}
	if flush {
		begin() // a stream's head goes at once, before its first piece
		_ = rc.Flush()
	}
	buf := pieces.Get().(*[]byte)
	defer pieces.Put(buf)
	for {
		n, err := resp.Body.Read(*buf)
		alive()
		if n > 0 {
			if err := x.piece((*buf)[:n], leak, answer, write); err != nil {
				x.end(answer, err)
				return err
			}
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			err = x.broke(ctx, err, errBroken)
			x.end(answer, err)
			return err
		}
		break
	}
	rest, found := leak.End()
	if found {
		x.end(answer, errLeak)
		return errLeak
	}
	if err := x.last(rest, answer, write); err != nil {
		return err
	}
	begin()
	return nil
}

func (x *passage) piece(p []byte, leak *upstream.Leak, answer Answer, write func([]byte) error) error {
	p, found := leak.Next(p)
	if found {
		return errLeak
	}
	if answer != nil {
		var err error
		if p, err = answer.Next(p); err != nil {
			return err
		}
	}
	if len(p) == 0 {
		return nil
	}
	return write(p)
}

// last writes what the leak watch and the answer's reader held back.
func (x *passage) last(rest []byte, answer Answer, write func([]byte) error) error {
	if len(rest) > 0 {
		if answer != nil {
			var err error
			if rest, err = answer.Next(rest); err != nil {
				x.end(answer, err)
				return err
			}
		}
		if len(rest) > 0 {
			if err := write(rest); err != nil {
				x.end(answer, err)
				return err
			}
		}
	}
	if tail := x.end(answer, nil); len(tail) > 0 {
		return write(tail)
	}
	return nil
}

// end takes the facts of an answer that ended.
func (x *passage) end(answer Answer, err error) []byte {
	if answer == nil {
		return nil
	}
	tail, facts := answer.End(err)
	x.facts, x.hasFacts = facts, true
	return tail
}
