package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
)

// Serving says how a Door is served.
type Serving struct {
	TLS *tls.Config // nil: plain
	// Other answers what is no call: identity, health. It is asked for paths
	// that lie outside of the protocols' and that it knows.
	Other *http.ServeMux
	// Guarded is Other as it answers.
	Guarded http.Handler
	Proxies Proxies       // who may say whose certificate they saw
	Drain   time.Duration // what calls in flight get to end by themselves at a stop
}

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	handshakeTime = 10 * time.Second
	// maxHeaders bounds a request's head. Beyond a margin net/http itself
	// refuses, and framed gives its refusal a code.
	maxHeaders = 64 << 10
)

var errDraining = fault.New(fault.KindUnavailable, "gateway.draining", "this process ends and the call took longer than it may then").
	WithHint("call again: the next process answers")

// Serve answers on l until ctx ends; then it accepts no more, lets calls in
// flight go on for s.Drain, cuts what is left, and returns.
func (d *Door) Serve(ctx context.Context, l net.Listener, s Serving) error {
	// Calls outlive ctx: they are drained.
	calls, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	// Amazon's SDK speaks HTTP/2 to an address without TLS too.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{
		Handler:           d.handler(s),
		Protocols:         &protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaders,
		TLSConfig:         s.TLS,
		ErrorLog:          slog.NewLogLogger(d.o.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return calls },
		ConnContext:       connContext,
		// No ReadTimeout: it would end calls that last longer. Bodies have a
		// deadline of their own (readBody), answers the upstream's patience.
	}
	read := d.framing(calls, l, s.TLS)
	var fresh fresh
	srv.ConnState = fresh.note
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(read) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	d.endOnce.Do(func() { close(d.ending) }) // who waits for people is told to come again
	// Shutdown drops a request that it finds unread. So first nobody new is let
	// in, and who is in is heard.
	read.stop()
	srv.SetKeepAlivesEnabled(false)
	fresh.wait(min(s.Drain/2, freshTime))
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		cut(errDraining)
		// They end by themselves now, and settle; this bounds the wait for one
		// that does not.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			_ = srv.Close()
		}
	}
	<-ended
	return nil
}

// freshTime is how long a stop waits for what connections say that were taken
// in and have said nothing yet.
const freshTime = time.Second

// fresh knows the connections on which no request was read yet.
type fresh struct{ conns sync.Map }

func (f *fresh) note(c net.Conn, state http.ConnState) {
	if state == http.StateNew {
		f.conns.Store(c, struct{}{})
		return
	}
	f.conns.Delete(c)
}

// wait waits until there is none, but not for long: one may say nothing at all.
func (f *fresh) wait(most time.Duration) {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		some := false
		f.conns.Range(func(any, any) bool {
			some = true
			return false
		})
		if !some {
			return
		}
	}
}

// handler sends calls to the door as they are: a mux would clean their path
// before the door has seen it.
func (d *Door) handler(s Serving) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok && c.state != nil {
			r.TLS = c.state
		}
		r = s.Proxies.client(r)
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if d.protocols[kind] == nil && d.roots[kind] == nil && s.Other != nil {
			if _, pattern := s.Other.Handler(r); pattern != "" {
				s.Guarded.ServeHTTP(w, r)
				return
			}
		}
		d.ServeHTTP(w, r)
	})
}

// connKey finds a call's connection in its context.
type connKey struct{}

// conn is a connection of HTTP/1 with what net/http cannot say of it.
type conn struct {
	framed
	state *tls.ConnectionState // nil: plain
}

// hangUp tells the agent that nothing more comes. HTTP/1 has no other way to cut
// an answer than to end its connection, and closing it would wait for those who
// read and write it. Behind TLS no notice of an orderly end goes out: what was
// sent is not the whole.
func (c *conn) hangUp() {
	raw := c.Conn
	if t, ok := raw.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if half, ok := raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // it fails where the agent has gone already
		return
	}
	_ = c.SetWriteDeadline(time.Unix(1, 0)) // no TCP: the write ends at least
}

func connContext(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// ambiguous reports whether the request's connection carried bytes that can be
// read in two ways.
func ambiguous(ctx context.Context) bool {
	c, ok := ctx.Value(connKey{}).(*conn)
	return ok && c.bad.Load()
}

// framing makes a listener whose HTTP/1 connections are read along.
func (d *Door) framing(ctx context.Context, l net.Listener, secure *tls.Config) *framing {
	f := &framing{Listener: l, secure: secure, done: make(chan struct{}), refused: func(why *fault.Error) { d.unreadable(ctx, why) }}
	if secure != nil {
		f.ready = make(chan net.Conn)
		go f.accept(ctx) // until the listener is closed
	}
	return f
}

// framing is a listener. With TLS the handshake is made here, since only
// net/http's own type carries HTTP/2 and only ours can read along HTTP/1.
type framing struct {
	net.Listener
	secure  *tls.Config
	refused func(*fault.Error)
	ready   chan net.Conn // of finished handshakes
	stopped atomic.Bool
	end     sync.Once
	done    chan struct{} // closed with the server
}

// Accept gives the next connection.
func (f *framing) Accept() (net.Conn, error) {
	if f.secure == nil {
		c, err := f.Listener.Accept()
		if err == nil {
			return f.plain(c, nil), nil
		}
		if f.stopped.Load() {
			<-f.done // the server goes on with whom it has
		}
		return nil, err
	}
	select {
	case c := <-f.ready:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

func (f *framing) plain(c net.Conn, state *tls.ConnectionState) *conn {
	return &conn{framed: framed{Conn: c, refused: f.refused}, state: state}
}

// accept takes connections until the listener is closed. Handshakes run beside
// each other: a peer that makes none keeps nobody waiting.
func (f *framing) accept(ctx context.Context) {
	for {
		c, err := f.Listener.Accept()
		switch {
		case err == nil:
			go f.handshake(ctx, c)
		case errors.Is(err, net.ErrClosed):
			if !f.stopped.Load() {
				f.end.Do(func() { close(f.done) })
			}
			return
		default: // no file descriptor left, or a peer that went away meanwhile
			select {
			case <-f.done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

func (f *framing) handshake(ctx context.Context, c net.Conn) {
	t := tls.Server(c, f.secure)
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return
	}
	var out net.Conn = t
	if state := t.ConnectionState(); state.NegotiatedProtocol != "h2" {
		out = f.plain(t, &state)
	}
	select {
	case f.ready <- out:
	case <-f.done:
		_ = c.Close()
	}
}

// stop ends accepting; what was taken in is served.
func (f *framing) stop() {
	f.stopped.Store(true)
	_ = f.Listener.Close() // closed again with the server
}

// Close is the server's end.
func (f *framing) Close() error {
	f.end.Do(func() { close(f.done) })
	if err := f.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// unreadable counts a request that net/http itself refused.
func (d *Door) unreadable(ctx context.Context, f *fault.Error) {
	x := &passage{started: d.o.Now()}
	x.Context = ctx
	d.stranger(x, f)
	d.figures.count(x, d.o.Now())
}
