package mcp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/upstream"
)

// pipe is a connection on which all messages of a server arrive in one line: a
// child process, or a server of 2024-11-05. Each goes to the call that it
// belongs to.
type pipe struct {
	name   string // of the upstream, for logs
	send   func(ctx context.Context, msg []byte) error
	end    func(why error) // ends what is behind it; once
	shared bool            // of several callers: nobody is asked anything
	now    bool
	said   []byte
	ids    *atomic.Int64

	mu    sync.Mutex
	calls map[string]*piece // by our ids
	order []string          // of the calls, the oldest first
	ears  map[chan []byte]bool
	why   error // it has ended
	done  chan struct{}
}

// piece is a call on a pipe.
type piece struct {
	id       string
	progress []byte // the client's progress token; nil none
	msgs     chan []byte
	over     chan struct{} // closed with err set
	err      error
	once     sync.Once
}

func (p *piece) fail(err error) {
	p.once.Do(func() {
		p.err = err
		close(p.over)
	})
}

const queuedPieces = 256

var (
	errPipe    = fault.New(fault.KindUnavailable, "mcp.pipe", "the server's process or connection ended")
	errGarbage = fault.New(fault.KindUnavailable, "mcp.garbage", "the server wrote what is no message, and was ended")
)

func newPipe(name string, ids *atomic.Int64, shared bool) *pipe {
	return &pipe{name: name, ids: ids, shared: shared, calls: map[string]*piece{}, ears: map[chan []byte]bool{}, done: make(chan struct{})}
}

func (p *pipe) modern() bool { return p.now }
func (p *pipe) info() []byte { return p.said }
func (p *pipe) close()       { p.broke(errPipe) }

func (p *pipe) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why != nil
}

// broke ends the pipe and all calls on it.
func (p *pipe) broke(why error) {
	p.mu.Lock()
	if p.why != nil {
		p.mu.Unlock()
		return
	}
	p.why = why
	calls := p.calls
	p.calls, p.order = map[string]*piece{}, nil
	close(p.done)
	p.mu.Unlock()
	for _, c := range calls {
		c.fail(why)
	}
	p.end(why)
}

func (p *pipe) call(ctx context.Context, _ *http.Request, _ *message, build func(id []byte) []byte) (*flight, error) {
	id := strconv.FormatInt(p.ids.Add(1), 10)
	c := &piece{id: id, msgs: make(chan []byte, queuedPieces), over: make(chan struct{})}
	msg := build([]byte(id))
	m, err := parse(msg)
	if err != nil {
		return nil, err
	}
	if at := m.own.progress; at.to != 0 {
		c.progress = bytes.Clone(at.in(msg))
		msg = wire.Apply(nil, msg, []wire.Edit{{From: at.from, To: at.to, With: []byte(id)}})
	}
	p.mu.Lock()
	if p.why != nil {
		defer p.mu.Unlock()
		return nil, p.why
	}
	p.calls[string(m.id)] = c
	p.order = append(p.order, string(m.id))
	p.mu.Unlock()
	leave := func() { p.leave(string(m.id)) }
	if err := p.send(ctx, msg); err != nil {
		leave()
		return nil, err
	}
	return &flight{id: bytes.Clone(m.id), end: leave, next: func(ctx context.Context) ([]byte, error) {
		select {
		case msg := <-c.msgs:
			return msg, nil
		default:
		}
		select {
		case msg := <-c.msgs:
			return msg, nil
		case <-c.over:
			return nil, c.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}}, nil
}

// leave ends interest in a call. One that was not answered is cancelled.
func (p *pipe) leave(id string) {
	p.mu.Lock()
	c := p.calls[id]
	delete(p.calls, id)
	for i, o := range p.order {
		if o == id {
			p.order = append(p.order[:i], p.order[i+1:]...)
			break
		}
	}
	over := p.why != nil
	p.mu.Unlock()
	if c == nil || over {
		return
	}
	c.fail(io.EOF)
	_ = p.send(context.Background(), cancelled([]byte(id))) // one that is gone needs no word
}

func (p *pipe) tell(ctx context.Context, _ *http.Request, msg []byte) error { return p.send(ctx, msg) }

func (p *pipe) overhear(ctx context.Context, _ *http.Request) (<-chan []byte, error) {
	ear := make(chan []byte, earSize)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why != nil {
		return nil, p.why
	}
	p.ears[ear] = true
	context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.ears, ear)
	})
	return ear, nil
}

// heard takes a message of the server's. An error ends the pipe.
func (p *pipe) heard(ctx context.Context, line []byte) error {
	m, err := parse(line)
	if err != nil && (m == nil || m.id == nil || m.method != "") {
		return errGarbage.WithCause(err)
	}
	switch {
	case m.isResponse():
		p.deliver(string(m.id), m.raw, true)
	case m.isRequest():
		to := p.asked()
		if to == "" {
			return p.send(ctx, refusedAnswer(m.method, m.id, errOutside))
		}
		p.deliver(to, m.raw, false)
	default:
		p.noted(m)
	}
	return nil
}

// asked is the call that a server's request belongs to: the last that is open.
// Where several callers share the server nobody knows whose it is.
func (p *pipe) asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared || len(p.order) == 0 {
		return ""
	}
	return p.order[len(p.order)-1]
}

// noted gives a notification to the call that it names, else to the only one
// that is open, else to who listens.
func (p *pipe) noted(m *message) {
	p.mu.Lock()
	to := ""
	switch token := string(m.token.in(m.raw)); {
	case m.method == "notifications/progress":
		if to = token; p.calls[to] == nil {
			p.mu.Unlock()
			return
		}
		if own := p.calls[to].progress; own != nil {
			m.raw = wire.Apply(nil, m.raw, []wire.Edit{{From: m.token.from, To: m.token.to, With: own}})
		}
	case subscriptionOf(m) != "":
		to = subscriptionOf(m)
	case m.method == "notifications/message" && len(p.order) == 1 && !p.shared:
		to = p.order[0]
	}
	if to == "" {
		defer p.mu.Unlock()
		if p.shared && m.method == "notifications/message" {
			return // whose it is nobody knows
		}
		for ear := range p.ears {
			select {
			case ear <- m.raw:
			default:
			}
		}
		return
	}
	p.mu.Unlock()
	p.deliver(to, m.raw, false)
}

// subscriptionOf is the id of the subscription that a notification is of.
func subscriptionOf(m *message) string {
	raw := m.meta.in(m.raw)
	if len(raw) == 0 {
		return ""
	}
	c := wire.Inner(raw)
	for o := c.Object(); o.Next(); {
		if string(o.Key) == keySub {
			return string(c.Raw())
		}
	}
	return ""
}

// deliver gives a message to a call. A call that takes none is ended: it must
// not keep the others waiting.
func (p *pipe) deliver(id string, msg []byte, last bool) {
	p.mu.Lock()
	c := p.calls[id]
	if last {
		delete(p.calls, id)
	}
	p.mu.Unlock()
	if c == nil {
		return // of a call that nobody waits for, or no call of ours
	}
	select {
	case c.msgs <- bytes.Clone(msg):
	case <-c.over:
	default:
		c.fail(errFlood)
	}
}

// greet finds out what is behind the pipe: it is asked what it is, and where it
// does not know that, a session is begun.
func (p *pipe) greet(ctx context.Context, u *upstream.Upstream, caps, client []byte) error {
	if u.Dialect != "sse" {
		if said, ok := p.hello(ctx, discoverBody); ok && speaksModern(said) {
			m, err := parse(said)
			if err != nil {
				return errGarbage
			}
			p.now, p.said = true, bytes.Clone(m.result.in(m.raw))
			return nil
		}
	}
	if p.shared {
		caps = nil // it asks nobody
	}
	said, ok := p.hello(ctx, initializeBody(latestSession, caps, client))
	if !ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.why != nil {
			return p.why
		}
		return errSpeech
	}
	var err error
	if p.said, _, err = readInitialized(said); err != nil {
		return err
	}
	return p.send(ctx, []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
}

// hello makes a call and gives its response; ok is false when there was none in
// time.
func (p *pipe) hello(ctx context.Context, body []byte) (said []byte, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	f, err := p.call(ctx, nil, nil, func(id []byte) []byte {
		m, err := parse(body)
		if err != nil { // of our own
			panic(fmt.Sprintf("%v in %s", err, body))
		}
		return wire.Apply(nil, body, []wire.Edit{{From: m.idAt.from, To: m.idAt.to, With: id}})
	})
	if err != nil {
		return nil, false
	}
	defer f.end()
	for {
		msg, err := f.next(ctx)
		if err != nil {
			return nil, false
		}
		if m, err := parse(msg); err == nil && m.isResponse() {
			return msg, true
		}
	}
}
