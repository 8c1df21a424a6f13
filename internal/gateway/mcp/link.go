package mcp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/upstream"
)

// link is our own connection to a server, for one caller: what a bridge speaks
// over. It is safe for concurrent use.
type link interface {
	// modern says which era is spoken over it.
	modern() bool
	// info is what the server said of itself: its DiscoverResult or its
	// InitializeResult.
	info() []byte
	// call sends a request, which build makes with an id of ours, and gives the
	// messages that belong to it. like carries the upstream's credential.
	call(ctx context.Context, like *http.Request, m *message, build func(id []byte) []byte) (*flight, error)
	// tell sends a message that has no answer.
	tell(ctx context.Context, like *http.Request, msg []byte) error
	// overhear gives the messages that belong to no call, until ctx ends.
	overhear(ctx context.Context, like *http.Request) (<-chan []byte, error)
}

// flight is a request at a server and what comes back for it.
type flight struct {
	id   []byte
	next func(ctx context.Context) ([]byte, error) // io.EOF after the last
	end  func()                                    // may be called twice
}

// httpLink speaks to a server over streamable HTTP.
type httpLink struct {
	u    *upstream.Upstream
	now  bool // 2026-07-28
	said []byte
	ids  *atomic.Int64

	// of a session:
	session string
	version string
	mu      sync.Mutex
	hub     *hub
	level   string // of logging, as the server was told
	gone    atomic.Bool
}

func (l *httpLink) modern() bool { return l.now }
func (l *httpLink) info() []byte { return l.said }

// request makes one of ours, with like's headers.
func (l *httpLink) request(ctx context.Context, like *http.Request, method string, body []byte) *http.Request {
	req := like.Clone(ctx)
	req.Method = method
	h := req.Header
	for name := range h {
		if len(name) > 4 && name[:4] == "Mcp-" || name == "Last-Event-Id" {
			delete(h, name)
		}
	}
	h["Accept"] = []string{"application/json, text/event-stream"}
	h["Mcp-Protocol-Version"] = []string{l.version}
	if l.session != "" {
		h["Mcp-Session-Id"] = []string{l.session}
	}
	if body != nil {
		h["Content-Type"] = []string{"application/json"}
		setBody(req, body)
		return req
	}
	delete(h, "Content-Type")
	h["Accept"] = []string{"text/event-stream"}
	req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	return req
}

func (l *httpLink) call(ctx context.Context, like *http.Request, m *message, build func(id []byte) []byte) (*flight, error) {
	id := strconv.AppendInt(nil, l.ids.Add(1), 10)
	body := build(id)
	req := l.request(ctx, like, http.MethodPost, body)
	if l.now {
		if err := mirror(req.Header, like.Header, body); err != nil {
			return nil, err
		}
	}
	resp, err := l.u.Transport().RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		_ = resp.Body.Close()
		return nil, errLocked
	case resp.StatusCode == http.StatusNotFound && l.session != "":
		_ = resp.Body.Close()
		l.gone.Store(true)
		return nil, errGone
	}
	s := &httpStream{l: l, like: like, resp: resp}
	return &flight{id: id, next: s.next, end: s.close}, nil
}

var errGone = fault.New(fault.KindUnavailable, "mcp.session_ended", "the server ended the door's session with it").
	WithHint("call again: a new one is made")

func (l *httpLink) tell(ctx context.Context, like *http.Request, msg []byte) error {
	resp, err := l.u.Transport().RoundTrip(l.request(ctx, like, http.MethodPost, msg))
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		return errSpeech
	}
	return nil
}

// mirror repeats in headers what stands in the body, as 2026-07-28 wants it.
func mirror(dst, src http.Header, body []byte) error {
	m, err := parse(body)
	if err != nil {
		return err
	}
	dst["Mcp-Protocol-Version"], dst["Mcp-Method"] = []string{modernVersion}, []string{m.method}
	switch name := methods[m.method].name; {
	case name == "uri":
		dst["Mcp-Name"] = []string{encodeHeader(m.uri)}
	case name == "name":
		dst["Mcp-Name"] = []string{encodeHeader(m.name)}
	case name == "taskId":
		dst["Mcp-Name"] = []string{encodeHeader(m.task)}
	}
	for name, v := range src {
		if len(name) > 10 && name[:10] == "Mcp-Param-" {
			dst[name] = v
		}
	}
	return nil
}

// httpStream reads the messages of one answer.
type httpStream struct {
	l    *httpLink
	like *http.Request

	once   sync.Once
	resp   *http.Response
	sse    wire.SSE
	ready  [][]byte
	last   string // event id
	retry  time.Duration
	again  int
	ended  bool
	had    bool // the response was among the messages
	buffer []byte
}

const (
	maxAgain     = 50 // times that one stream is resumed
	defaultRetry = 500 * time.Millisecond
	maxRetry     = 5 * time.Second
)

func (s *httpStream) close() { s.once.Do(func() { _ = s.resp.Body.Close() }) }

func (s *httpStream) next(ctx context.Context) ([]byte, error) {
	for len(s.ready) == 0 {
		if s.ended {
			if s.had || s.last == "" || s.l.now {
				return nil, io.EOF
			}
			if err := s.resume(ctx); err != nil {
				return nil, err
			}
		}
		if err := s.read(); err != nil {
			return nil, err
		}
	}
	msg := s.ready[0]
	s.ready = s.ready[1:]
	return msg, nil
}

func (s *httpStream) read() error {
	if !isStream(s.resp.Header) {
		b, err := io.ReadAll(io.LimitReader(s.resp.Body, maxAnswer))
		s.ended, s.had = true, true
		if err != nil {
			return err
		}
		if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '{' {
			s.ready = append(s.ready, b)
		} else if s.resp.StatusCode >= 300 {
			return fault.New(fault.KindUnavailable, "mcp.status", "the server answers with status %d", s.resp.StatusCode)
		}
		return nil
	}
	if s.buffer == nil {
		s.buffer, s.sse.Limit = make([]byte, 16<<10), maxAnswer
	}
	n, err := s.resp.Body.Read(s.buffer)
	if wrong := s.sse.Push(s.buffer[:n], s.event); wrong != nil {
		return errAnswer.WithCause(wrong)
	}
	switch {
	case errors.Is(err, io.EOF):
		s.ended = true
		return s.sse.End(s.event)
	case err != nil && s.last != "" && !s.l.now:
		s.ended = true // resumed from the last event
		return nil
	}
	return err
}

func (s *httpStream) event(e *wire.Event) error {
	for _, line := range lines(e.Raw) {
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "id":
			s.last = string(value)
		case "retry":
			if ms, err := strconv.Atoi(string(value)); err == nil {
				s.retry = min(time.Duration(ms)*time.Millisecond, maxRetry)
			}
		}
	}
	if len(e.Data) > 0 {
		msg := bytes.Clone(e.Data)
		s.had = s.had || !bytes.Contains(msg, []byte(`"method"`))
		s.ready = append(s.ready, msg)
	}
	return nil
}

// resume goes on with a stream that the server closed before its end.
func (s *httpStream) resume(ctx context.Context) error {
	s.again++
	if s.again > maxAgain {
		return errSilent
	}
	wait := s.retry
	if wait == 0 {
		wait = defaultRetry
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
	}
	req := s.l.request(ctx, s.like, http.MethodGet, nil)
	req.Header["Last-Event-Id"] = []string{s.last}
	resp, err := s.l.u.Transport().RoundTrip(req)
	if err != nil {
		return err
	}
	_ = s.resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !isStream(resp.Header) {
		_ = resp.Body.Close()
		return errSilent
	}
	s.resp, s.ended, s.sse = resp, false, wire.SSE{Limit: maxAnswer}
	return nil
}

// hub gives the messages that belong to no call to all who want to hear them.
type hub struct {
	mu   sync.Mutex
	ears map[chan []byte]bool
	end  func()
}

const earSize = 64

// overhear reads the session's own stream, once for all who listen.
func (l *httpLink) overhear(ctx context.Context, like *http.Request) (<-chan []byte, error) {
	if l.now {
		return nil, errSpeech // listening is a call there
	}
	ear := make(chan []byte, earSize)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hub == nil {
		running, end := context.WithCancel(context.WithoutCancel(like.Context()))
		l.hub = &hub{ears: map[chan []byte]bool{}, end: end}
		go l.hear(running, like, l.hub)
	}
	h := l.hub
	h.mu.Lock()
	h.ears[ear] = true
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.ears, ear)
		if len(h.ears) == 0 && l.hub == h {
			h.end()
			l.hub = nil
		}
	})
	return ear, nil
}

// hear reads the stream until nobody listens any more.
func (l *httpLink) hear(ctx context.Context, like *http.Request, h *hub) {
	defer h.end()
	for again := 0; ctx.Err() == nil && again < maxAgain; again++ {
		resp, err := l.u.Transport().RoundTrip(l.request(ctx, like, http.MethodGet, nil))
		if err == nil && resp.StatusCode == http.StatusOK && isStream(resp.Header) {
			again = 0
			s := &httpStream{l: l, like: like, resp: resp}
			for {
				msg, err := s.next(ctx)
				if err != nil {
					break
				}
				h.tell(msg)
			}
			s.close()
		} else if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusMethodNotAllowed {
				return // it says nothing by itself
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// tell gives a message to all; who does not listen misses it.
func (h *hub) tell(msg []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ear := range h.ears {
		select {
		case ear <- msg:
		default:
		}
	}
}
