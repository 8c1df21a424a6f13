package mcp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

var (
	errSpeech = fault.New(fault.KindUnavailable, "mcp.era", "the server speaks no version of the protocol that the door knows")
	errLocked = fault.New(fault.KindUnavailable, "mcp.credential", "the server refuses the door's credential").
			WithHint("set the upstream's credential anew")
)

// carry takes the request upstream, as the server speaks.
func (x *exchange) carry(req *http.Request) (*http.Response, error) {
	if x.state.state != nil {
		if err := x.p.seals.spend(x.state); err != nil {
			return nil, err
		}
	}
	if x.c.Upstream == x.p.nowhere {
		return x.atOnce(req)
	}
	if x.modern {
		modern, err := x.p.eras.modern(x.c.Upstream, req)
		switch {
		case err != nil:
			return nil, err
		case modern:
			return x.pass(req)
		}
		return x.toSessions(req)
	}
	if x.ses != nil && x.ses.legacy != nil {
		return x.toStateless(req)
	}
	if x.ses != nil {
		if x.ses.upstream != "" {
			req.Header["Mcp-Session-Id"] = []string{x.ses.upstream}
		} else {
			delete(req.Header, "Mcp-Session-Id")
		}
		return x.pass(req)
	}
	return x.initialize(req)
}

// pass lets the request go on as it is.
func (x *exchange) pass(req *http.Request) (*http.Response, error) {
	if x.ses != nil && x.m != nil && x.m.isRequest() {
		x.ses.enter()
	}
	resp, err := x.c.Upstream.Transport().RoundTrip(req)
	if err != nil {
		x.exit()
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		_ = resp.Body.Close()
		x.exit()
		return nil, errLocked
	}
	h := resp.Header
	given := h.Get("Mcp-Session-Id")
	h.Del("Mcp-Session-Id")
	h.Del("Www-Authenticate")
	switch {
	case x.ses != nil && x.ses.upstream != "" && resp.StatusCode == http.StatusNotFound:
		x.p.sessions.close(x.ses) // the server ended its own
	case x.ses == nil && !x.modern && resp.StatusCode == http.StatusOK: // initialize
		if x.ses, err = x.p.sessions.open(ownerOf(x.c), revisionOf(x.c)); err != nil {
			_ = resp.Body.Close()
			return nil, err
		}
		x.ses.upstream, x.ses.caps, x.ses.client = given, bytes.Clone(x.m.caps.in(x.m.raw)), bytes.Clone(x.m.client.in(x.m.raw))
		x.ses.enter()
		h["Mcp-Session-Id"] = []string{x.ses.id}
	}
	x.reply = func(id, answer []byte) { x.post(req, answer) }
	x.flow = &flow{ReadCloser: resp.Body, exit: x.exit}
	resp.Body = x.flow
	return resp, nil
}

// exit ends the call in its session.
func (x *exchange) exit() {
	if x.ses != nil && x.m != nil && x.m.isRequest() {
		x.ses.exit(x.p.o.Now())
	}
}

// post sends the server a message of ours beside the call.
func (x *exchange) post(like *http.Request, body []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(like.Context()), 10*time.Second)
	go func() {
		defer cancel()
		req := like.Clone(ctx)
		req.Method = http.MethodPost
		req.Header["Content-Type"] = []string{"application/json"}
		req.Header["Accept"] = []string{"application/json, text/event-stream"}
		delete(req.Header, "Last-Event-Id")
		setBody(req, body)
		resp, err := x.c.Upstream.Transport().RoundTrip(req)
		if err != nil {
			x.p.o.Logger.Debug("a server was not told that its question is refused", "upstream", x.c.Upstream.Name, "err", err)
			return
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		_ = resp.Body.Close()
	}()
}

func setBody(req *http.Request, body []byte) {
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

// flow is an answer's body that can be ended before its sender does.
type flow struct {
	io.ReadCloser
	once sync.Once
	exit func()
	done bool // by the watcher, which reads too
}

func (f *flow) Read(b []byte) (int, error) {
	if f.done {
		return 0, io.EOF
	}
	return f.ReadCloser.Read(b)
}

func (f *flow) Close() error {
	f.once.Do(f.exit)
	return f.ReadCloser.Close()
}

// listen opens the stream of a session on which a server says what belongs to
// no call, or on which a broken one is resumed.
func (p *Protocol) listen(c *gateway.Call) (*gateway.Proposal, error) {
	x := &exchange{p: p, c: c}
	h := c.Request.Header
	if isModern(h.Get("Mcp-Protocol-Version")) {
		return x.quiet(), errHTTPMethod
	}
	if !accepts(h, "text/event-stream") {
		return x.quiet(), errAccept
	}
	if err := x.find(); err != nil {
		return x.quiet(), err
	}
	if last, there, err := one(h, "Last-Event-Id"); err != nil {
		return x.quiet(), err
	} else if there {
		own, ok := x.ses.untag(last)
		if !ok {
			return x.quiet(), errEvent
		}
		h["Last-Event-Id"] = []string{own}
	}
	return x.quiet(), nil
}

var errEvent = fault.New(fault.KindInvalid, "mcp.event", "Last-Event-ID is of no event of this session")

// leave ends a session.
func (p *Protocol) leave(c *gateway.Call) (*gateway.Proposal, error) {
	x := &exchange{p: p, c: c}
	if isModern(c.Request.Header.Get("Mcp-Protocol-Version")) {
		return x.quiet(), errHTTPMethod
	}
	if err := x.find(); err != nil {
		return x.quiet(), err
	}
	pr := x.quiet()
	carry := pr.Forward.RoundTrip
	pr.Forward.RoundTrip = func(req *http.Request) (*http.Response, error) {
		defer p.sessions.close(x.ses)
		if x.ses.legacy != nil || x.ses.upstream == "" {
			return local(req, http.StatusOK, "", nil), nil
		}
		resp, err := carry(req)
		if err == nil && resp.StatusCode == http.StatusMethodNotAllowed { // the server keeps its own; ours ends
			_ = resp.Body.Close()
			return local(req, http.StatusOK, "", nil), nil
		}
		return resp, err
	}
	return pr, nil
}

func (x *exchange) find() error {
	id, there, err := one(x.c.Request.Header, "Mcp-Session-Id")
	switch {
	case err != nil:
		return err
	case !there:
		return errNoSession
	}
	x.ses, err = x.p.sessions.find(id, ownerOf(x.c), revisionOf(x.c))
	return err
}
