package duck

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"reeve/internal/fault"
)

// The parent and the query child speak in frames over the child's standard
// input and output: four bytes of length (big-endian), then JSON.
//
//	parent  {"hello": {...}}                    once: folder and limits
//	parent  {"id": 7, "sql": "...", "args": []}
//	parent  {"id": 7, "cancel": true}
//	child   {"id": 7, "columns": [...], "rows": [[...]]} or {"id": 7, "error": "...", "kind": "..."}
type request struct {
	Hello  *hello `json:"hello,omitempty"`
	ID     uint64 `json:"id,omitempty"`
	SQL    string `json:"sql,omitempty"`
	Args   []any  `json:"args,omitempty"`
	Cancel bool   `json:"cancel,omitempty"`
}

type hello struct {
	Dir    string `json:"dir"`  // the segments, all that DuckDB may read
	Temp   string `json:"temp"` // where it may spill
	Memory int64  `json:"memory"`
}

type answer struct {
	ID      uint64   `json:"id"`
	Columns []string `json:"columns,omitempty"`
	Rows    [][]any  `json:"rows,omitempty"`
	Error   string   `json:"error,omitempty"`
	Kind    string   `json:"kind,omitempty"` // memory, canceled, damaged or "" for anything else
}

const maxFrame = 256 << 20

func writeFrame(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

// child keeps one query process running while there are questions. It is
// started by the first one, so that an idle Reeve has none.
type child struct {
	o *Options

	mu      sync.Mutex
	p       *process
	failed  int       // starts in a row that ended badly
	again   time.Time // not before
	closed  bool
	kills   int // for having grown too large
	started int
}

// process is one life of the child.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // closed when it ended

	mu      sync.Mutex // guards writes to in and what follows
	next    uint64
	waiting map[uint64]chan answer
	reason  string // why it was ended by us
}

func newChild(o *Options) *child { return &child{o: o} }

func unavailable(format string, args ...any) *fault.Error {
	return fault.New(fault.KindUnavailable, "telemetry.query_unavailable", format, args...).
		WithHint("runs, their steps and charts by agent, model and tool do not need it; try again in a few seconds")
}

// query runs a statement; ctx's end or the time limit cancels it in the child.
func (c *child) query(ctx context.Context, sql string, args []any) (*answer, error) {
	p, err := c.running()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errTooSlow)
	defer cancel()
	id, ch, err := p.ask(sql, args)
	if err != nil {
		return nil, unavailable("the query process is gone").WithCause(err)
	}
	select {
	case a := <-ch:
		c.mu.Lock()
		c.failed = 0
		c.mu.Unlock()
		return &a, a.fault()
	case <-p.done:
		return nil, p.gone()
	case <-ctx.Done():
	}
	p.cancel(id)
	if errors.Is(context.Cause(ctx), errTooSlow) {
		return nil, fault.New(fault.KindExhausted, "telemetry.query_timeout", "the question took longer than %s", c.o.Timeout).
			WithHint("ask for a shorter period or add a filter")
	}
	return nil, ctx.Err()
}

var errTooSlow = errors.New("question too slow")

func (a *answer) fault() error {
	switch {
	case a.Error == "":
		return nil
	case a.Kind == "memory":
		return fault.New(fault.KindExhausted, "telemetry.query_memory", "the question needs more memory than it may have").
			WithHint("ask for a shorter period or add a filter").WithCause(errors.New(a.Error))
	case a.Kind == "canceled":
		return context.Canceled
	}
	return fault.New(fault.KindInternal, "telemetry.query_failed", "the question could not be answered").
		WithHint("ask for a shorter time or fewer groups; the server's log says what its query process said").WithCause(errors.New(a.Error))
}

// running gives the live process, or starts one unless the last ones died too
// fast.
func (c *child) running() (*process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, unavailable("the telemetry store is closed")
	}
	if c.p != nil {
		select {
		case <-c.p.done:
			c.p = nil
			c.failed++
			c.again = c.o.Now().Add(min(time.Duration(1<<min(c.failed, 8))*50*time.Millisecond, 10*time.Second))
		default:
			return c.p, nil
		}
	}
	if wait := c.again.Sub(c.o.Now()); c.failed > 1 && wait > 0 {
		return nil, unavailable("the query process ended %d times in a row", c.failed)
	}
	p, err := c.start()
	if err != nil {
		c.failed++
		c.again = c.o.Now().Add(time.Second)
		return nil, unavailable("the query process cannot be started").WithCause(err)
	}
	c.p = p
	c.started++
	return p, nil
}

func (c *child) start() (*process, error) {
	args := c.o.Exec
	if len(args) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args = []string{self, "query-child"}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = childEnv()
	cmd.Stderr = &childLog{c.o}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: in, done: make(chan struct{}), waiting: make(map[uint64]chan answer)}
	go p.read(out)
	go c.watch(p)
	h := &hello{Dir: filepath.Join(c.o.Dir, "segments"), Temp: filepath.Join(c.o.Dir, "tmp"), Memory: c.o.Memory}
	if err := p.write(request{Hello: h}); err != nil {
		_ = cmd.Process.Kill()
		return nil, err
	}
	return p, nil
}

// childEnv gives the child nothing but what a process needs to start: keys in
// our environment are no business of a query engine.
func childEnv() []string {
	var env []string
	for _, k := range []string{"PATH", "HOME", "TMPDIR", "LANG", "TZ", "REEVE_TEST_QUERY_CHILD"} {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}

type childLog struct{ o *Options }

func (l *childLog) Write(b []byte) (int, error) {
	l.o.Logger.Warn("query process wrote", "text", string(bytes.TrimSpace(b[:min(len(b), 2048)])))
	return len(b), nil
}

func (p *process) write(r request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return writeFrame(p.in, r)
}

func (p *process) ask(sql string, args []any) (uint64, chan answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	ch := make(chan answer, 1)
	p.waiting[p.next] = ch
	if err := writeFrame(p.in, request{ID: p.next, SQL: sql, Args: args}); err != nil {
		delete(p.waiting, p.next)
		return 0, nil, err
	}
	return p.next, ch, nil
}

func (p *process) cancel(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
	_ = writeFrame(p.in, request{ID: id, Cancel: true}) // a dead child needs no cancelling
}

func (p *process) read(out io.Reader) {
	for {
		var a answer
		if err := readFrame(out, &a); err != nil {
			break
		}
		p.mu.Lock()
		ch := p.waiting[a.ID]
		delete(p.waiting, a.ID)
		p.mu.Unlock()
		if ch != nil {
			ch <- a
		}
	}
	_ = p.cmd.Process.Kill() // it talks nonsense or closed its output
	_ = p.cmd.Wait()
	close(p.done)
}

func (p *process) gone() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason == "memory" {
		return fault.New(fault.KindExhausted, "telemetry.query_memory", "the question needs more memory than it may have").
			WithHint("ask for a shorter period or add a filter")
	}
	return unavailable("the query process ended while it worked")
}

// watch kills the process when it grows beyond its limit: DuckDB's own limit
// does not count everything.
func (c *child) watch(p *process) {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-t.C:
		}
		if n := resident(p.cmd.Process.Pid); n > c.o.ChildLimit {
			c.o.Logger.Warn("query process killed for its memory", "bytes", n)
			p.mu.Lock()
			p.reason = "memory"
			p.mu.Unlock()
			c.mu.Lock()
			c.kills++
			c.mu.Unlock()
			_ = p.cmd.Process.Kill()
		}
	}
}

// resident is the resident memory of a process, 0 where /proc does not tell.
func resident(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.ParseInt(string(f[1]), 10, 64)
	return n * int64(os.Getpagesize())
}

func (c *child) close() {
	c.mu.Lock()
	c.closed = true
	p := c.p
	c.mu.Unlock()
	if p == nil {
		return
	}
	_ = p.in.Close() // the child ends when its input does
	select {
	case <-p.done:
	case <-time.After(2 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
