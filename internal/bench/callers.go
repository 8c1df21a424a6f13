package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// route is one way through the door, and the same call to the upstream itself.
type route struct {
	name   string
	prefix string // of the door
	method string
	path   string
	stream string // the same as a stream
	body   string
	sbody  string // body of the stream
}

var routeOf = map[string]route{
	"http": {name: "http", prefix: "/http/bench", method: http.MethodGet, path: "/1k", stream: "/first"},
	"llm": {
		name: "llm", prefix: "/llm/bench-model", method: http.MethodPost, path: "/v1/chat/completions", stream: "/v1/chat/completions",
		body: chatBody(false), sbody: chatBody(true),
	},
}

func chatBody(stream bool) string {
	return fmt.Sprintf(`{"model":%q,"max_tokens":256,"stream":%t,"messages":[{"role":"system","content":%q},{"role":"user","content":%q}]}`,
		benchModel, stream, strings.Repeat("You answer questions about orders. ", 12), strings.Repeat("Where is my order, please? ", 12))
}

// contender is a proxy to the upstream.
type contender struct {
	name string
	base string
	pid  int
	keys []string // of agents, used in turn; none for a proxy that asks for none
}

// measured is what a contender did over all rounds.
type measured struct {
	calls    int64
	took     time.Duration
	cpu      float64   // seconds
	rateCPU  float64   // µs a call, the last round's
	speeds   []float64 // calls/s of each round
	waits    quantiles // ms, at the set rate
	firsts   quantiles // ms to a stream's first byte
	failures atomic.Int64
}

func (m *measured) figures(name string) GatewayFigures {
	return GatewayFigures{
		Name: name, CallsPerSecond: float64(m.calls) / m.took.Seconds(), CPUPerCall: m.cpu * 1e6 / float64(max(1, m.calls)), RateCPU: m.rateCPU,
		P50: rank(m.waits.p50, 0.5), P99: rank(m.waits.p99, 0.5), FirstP50: rank(m.firsts.p50, 0.5), FirstP99: rank(m.firsts.p99, 0.5), Errors: m.failures.Load(),
	}
}

// quantiles are those of each round. The median round is reported: on a shared
// machine one stall of the whole machine would else be the p99 of all.
type quantiles struct{ p50, p99 []float64 }

func (q *quantiles) add(values []float64) {
	q.p50, q.p99 = append(q.p50, rank(values, 0.5)), append(q.p99, rank(values, 0.99))
}

// afterwards is how long a server gets to do what follows its calls, before its
// CPU is read: rows are stored a second behind them.
const afterwards = 1500 * time.Millisecond

// round warms up, runs the closed loop for calls/s and CPU, then the open loop
// for latencies, then streams for their first byte.
func (m *measured) round(ctx context.Context, o GatewayOptions, rt route, c *contender, profile profiler) error {
	p := &caller{rt: rt, c: c, series: rand.Text(), runCalls: int64(max(1, o.RunCalls)), client: &http.Client{
		Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxConnsPerHost: 512, DisableCompression: true},
	}}
	defer p.client.CloseIdleConnections()
	p.closed(ctx, o.Connections, o.For/4)
	p.failed.Store(0)
	stop := profile.take("")
	cpu, err := cpuOf(ctx, c.pid, func() {
		began := time.Now()
		calls := p.closed(ctx, o.Connections, o.For)
		took := time.Since(began)
		m.calls += calls
		m.took += took
		m.speeds = append(m.speeds, float64(calls)/took.Seconds())
	})
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	m.cpu += cpu
	if m.calls == 0 {
		return fmt.Errorf("no call came through, %d failed, the last with: %v", p.failed.Load(), p.why.Load())
	}
	var waits []float64
	stop = profile.take(".rate")
	cpu, err = cpuOf(ctx, c.pid, func() { waits = p.open(ctx, o.For, o.Rate, p.call) })
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	m.rateCPU = cpu * 1e6 / float64(max(1, len(waits)))
	m.waits.add(waits)
	m.firsts.add(p.open(ctx, o.For/2, firstRate, p.first))
	m.failures.Add(p.failed.Load())
	return ctx.Err()
}

// firstRate is how many streams a second are begun to measure their first byte.
const firstRate = 100

// cpuOf is the CPU of a process, in seconds, while do runs and shortly after.
func cpuOf(ctx context.Context, pid int, do func()) (float64, error) {
	before, ok := procUsage(pid)
	do()
	if err := wait(ctx, afterwards); err != nil {
		return 0, err
	}
	after, still := procUsage(pid)
	if !ok || !still {
		return 0, errors.New("the server's CPU cannot be read from /proc")
	}
	return after.cpu - before.cpu, nil
}

// caller calls one contender by one route. Safe for concurrent use.
type caller struct {
	rt       route
	c        *contender
	client   *http.Client
	series   string // begins the names of its runs: a run of the round before would be read back
	runCalls int64
	next     atomic.Int64
	failed   atomic.Int64
	why      atomic.Value // the last failure's text
}

func (p *caller) fail(format string, args ...any) bool {
	p.failed.Add(1)
	p.why.Store(fmt.Sprintf(format, args...))
	return false
}

func (p *caller) request(ctx context.Context, path, body string) (*http.Request, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, p.rt.method, p.c.base+path, reader)
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if n := int64(len(p.c.keys)); n > 0 {
		i := p.next.Add(1)
		req.Header.Set("Authorization", "Bearer "+p.c.keys[i%n])
		req.Header.Set("X-Reeve-Run", p.series+"-"+strconv.FormatInt(i%n, 10)+"-"+strconv.FormatInt(i/n/p.runCalls, 10))
	}
	return req, nil
}

// call makes one call and reports whether its whole answer came.
func (p *caller) call(ctx context.Context) bool {
	req, err := p.request(ctx, p.rt.path, p.rt.body)
	if err != nil {
		return p.fail("%v", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return p.fail("%v", err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || n != 1024 {
		return p.fail("%s, %d bytes, %v", resp.Status, n, err)
	}
	return true
}

// first begins a stream and returns with its first byte; the rest is read
// behind it.
func (p *caller) first(ctx context.Context) bool {
	req, err := p.request(ctx, p.rt.stream, p.rt.sbody)
	if err != nil {
		return p.fail("%v", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return p.fail("%v", err)
	}
	var b [1]byte
	if _, err := io.ReadFull(resp.Body, b[:]); err != nil || resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return p.fail("%s, %v", resp.Status, err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
		resp.Body.Close()
	}()
	return true
}

// closed makes calls on so many connections, each as soon as the last is over.
func (p *caller) closed(ctx context.Context, connections int, d time.Duration) int64 {
	var n atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(d)
	for range connections {
		all.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				if p.call(ctx) {
					n.Add(1)
				}
			}
		})
	}
	all.Wait()
	return n.Load()
}

// open makes calls at a set rate: a call begins when it is due, whatever became
// of those before, and its latency (ms) counts from when it was due.
func (p *caller) open(ctx context.Context, d time.Duration, rate int, call func(context.Context) bool) (waits []float64) {
	var mu sync.Mutex // guards waits
	var all errgroup.Group
	all.SetLimit(1024)
	every := time.Second / time.Duration(max(1, rate))
	start := time.Now()
	for i := 0; time.Since(start) < d && ctx.Err() == nil; i++ {
		due := start.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		all.Go(func() error {
			if call(ctx) {
				ms := time.Since(due).Seconds() * 1e3
				mu.Lock()
				waits = append(waits, ms)
				mu.Unlock()
			}
			return nil
		})
	}
	_ = all.Wait() // no call ends the loop
	return waits
}
