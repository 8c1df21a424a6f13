package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// GatewayOptions shape the measurement of the door against a bare Go proxy, in
// one run, the same upstream answering 1 kB to both.
type GatewayOptions struct {
	Bin         string        // the program; "" is this one
	Policies    int           // statements beside the starters [1,000]
	Connections int           // of the closed loop [32]
	For         time.Duration // each measurement [5 s]
	Rate        int           // calls a second of the open loop [1,000]
	Streams     int           // in flight at a stop [200]
	Stops       int           // how often [5]
	Progress    io.Writer     // nil: none
}

// GatewayReport is what each server did, and how fast a stop was.
type GatewayReport struct {
	Bare    GatewayFigures `json:"bare_proxy"`
	Door    GatewayFigures `json:"door"`
	Share   float64        `json:"share_of_bare"`   // calls/s of the door by those of the bare proxy
	MoreP99 float64        `json:"more_p99_ms"`     // of the door over the bare proxy, at Rate
	Streams int            `json:"streams"`         // in flight at each stop
	StopP50 float64        `json:"stop_p50_ms"`     // from the request to a stream's last byte, at the client
	StopP99 float64        `json:"stop_p99_ms"`     //
	StopMax float64        `json:"stop_max_ms"`     //
	Stopped int            `json:"streams_stopped"` // over all stops
}

// GatewayFigures are one server's.
type GatewayFigures struct {
	CallsPerSecond float64 `json:"calls_per_second"`
	CPUPerCall     float64 `json:"cpu_us_per_call"`
	P50            float64 `json:"p50_ms"` // at Rate
	P99            float64 `json:"p99_ms"`
	Errors         int64   `json:"errors"`
}

// Text writes the report for people.
func (r *GatewayReport) Text(w io.Writer) error {
	line := func(name string, f GatewayFigures) string {
		return fmt.Sprintf("%-11s %9.0f calls/s %7.0f us CPU a call   at the set rate p50 %.2f ms, p99 %.2f ms   %d errors\n", name, f.CallsPerSecond, f.CPUPerCall, f.P50, f.P99, f.Errors)
	}
	_, err := fmt.Fprintf(w, "%s%sthe door makes %.0f %% of the bare proxy's calls/s; p99 is %.2f ms more\ntime to stop, %d streams: p50 %.1f ms, p99 %.1f ms, most %.1f ms (%d streams ended)\n",
		line("bare proxy", r.Bare), line("door", r.Door), 100*r.Share, r.MoreP99, r.Streams, r.StopP50, r.StopP99, r.StopMax, r.Stopped)
	return err
}

func gatewayMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o GatewayOptions
	var bare, output string
	fs := flag.NewFlagSet("reeve bench gateway", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Policies, "policies", 1000, "statements beside the starter policies")
	fs.IntVar(&o.Connections, "connections", 32, "connections of the closed loop")
	fs.DurationVar(&o.For, "for", 5*time.Second, "how long each measurement takes")
	fs.IntVar(&o.Rate, "rate", 1000, "calls a second for the latencies")
	fs.IntVar(&o.Streams, "streams", 200, "streams in flight at a stop")
	fs.IntVar(&o.Stops, "stops", 5, "how often everything is stopped")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	fs.StringVar(&bare, "bare-proxy", "", "be the bare proxy to this address, as the measurement starts it")
	if err := parse(fs, args); err != nil {
		return err
	}
	if bare != "" {
		return bareProxy(ctx, bare, stdout)
	}
	o.Progress = stderr
	r, err := Gateway(ctx, o)
	if err != nil {
		return err
	}
	if output == "json" {
		return json.NewEncoder(stdout).Encode(r)
	}
	return r.Text(stdout)
}

// bareProxy is the floor: the standard library's reverse proxy and nothing else,
// in a process of its own so that its CPU is known. It prints its address.
func bareProxy(ctx context.Context, to string, stdout io.Writer) error {
	target, err := url.Parse(to)
	if err != nil {
		return fmt.Errorf("reading --bare-proxy: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute, DisableCompression: true},
	}
	s := &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	fmt.Fprintln(stdout, "http://"+l.Addr().String())
	go func() { <-ctx.Done(); _ = s.Close() }()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Gateway measures. It starts the upstream in this process, and a bare proxy and
// a Reeve in processes of their own.
func Gateway(ctx context.Context, o GatewayOptions) (*GatewayReport, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	up, stopUpstream, err := gatewayUpstream()
	if err != nil {
		return nil, err
	}
	defer stopUpstream()
	bareURL, barePid, stopBare, err := startBare(ctx, o.Bin, up)
	if err != nil {
		return nil, err
	}
	defer stopBare()
	door, err := freeAddress()
	if err != nil {
		return nil, err
	}
	server, cleanup, err := tempServer(ctx, o.Bin, "", []string{"--gateway-listen", door}, io.Discard)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	g := &governed{api: client.New("http://"+server.HTTP, ""), door: "http://" + door}
	if err := g.settle(ctx, up, o.Policies); err != nil {
		return nil, fmt.Errorf("setting the door up: %w", err)
	}
	key, err := g.key(ctx)
	if err != nil {
		return nil, err
	}
	r := &GatewayReport{Streams: o.Streams}
	for _, m := range []struct {
		name, url, key string
		pid            int
		into           *GatewayFigures
	}{
		{"bare proxy", bareURL + "/1k", "", barePid, &r.Bare},
		{"door", g.door + "/http/bench/1k", key, server.Pid(), &r.Door},
	} {
		fmt.Fprintf(o.Progress, "measuring the %s for %s\n", m.name, 2*o.For+o.For/2)
		if err := measure(ctx, o, m.url, m.key, m.pid, m.into); err != nil {
			return nil, fmt.Errorf("measuring the %s: %w", m.name, err)
		}
	}
	if r.Bare.CallsPerSecond > 0 {
		r.Share = r.Door.CallsPerSecond / r.Bare.CallsPerSecond
	}
	r.MoreP99 = r.Door.P99 - r.Bare.P99
	return r, g.stops(ctx, o, r)
}

// measure warms up, then runs the closed loop for calls/s and CPU, then the open
// loop for latencies.
func measure(ctx context.Context, o GatewayOptions, target, key string, pid int, into *GatewayFigures) error {
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxConnsPerHost: 512, DisableCompression: true}}
	defer c.CloseIdleConnections()
	var failed atomic.Int64
	call := func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return false
		}
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		resp, err := c.Do(req)
		if err != nil {
			failed.Add(1)
			return false
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || n != 1024 {
			failed.Add(1)
			return false
		}
		return true
	}
	closed := func(d time.Duration) (calls int64) {
		var n atomic.Int64
		var g errgroup.Group
		end := time.Now().Add(d)
		for range o.Connections {
			g.Go(func() error {
				for time.Now().Before(end) && ctx.Err() == nil {
					if call() {
						n.Add(1)
					}
				}
				return nil
			})
		}
		_ = g.Wait() // no loop fails
		return n.Load()
	}
	closed(o.For / 2)
	failed.Store(0)
	before, ok := procUsage(pid)
	began := time.Now()
	calls := closed(o.For)
	took := time.Since(began)
	after, still := procUsage(pid)
	switch {
	case !ok || !still:
		return errors.New("the server's CPU cannot be read from /proc")
	case calls == 0:
		return fmt.Errorf("no call came through, %d failed", failed.Load())
	}
	into.CallsPerSecond = float64(calls) / took.Seconds()
	into.CPUPerCall = (after.cpu - before.cpu) * 1e6 / float64(calls)

	// The open loop: a call begins when it is due, whatever became of those
	// before, and its latency counts from when it was due.
	var mu sync.Mutex
	var took1 []float64
	var g errgroup.Group
	g.SetLimit(1024)
	every := time.Second / time.Duration(max(1, o.Rate))
	start := time.Now()
	for i := 0; time.Since(start) < o.For && ctx.Err() == nil; i++ {
		due := start.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		g.Go(func() error {
			if call() {
				ms := time.Since(due).Seconds() * 1e3
				mu.Lock()
				took1 = append(took1, ms)
				mu.Unlock()
			}
			return nil
		})
	}
	_ = g.Wait() // no call fails the loop
	into.P50, into.P99, into.Errors = rank(took1, 0.5), rank(took1, 0.99), failed.Load()
	return ctx.Err()
}

// rank is the q-th quantile of values, which it sorts.
func rank(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}

// gatewayUpstream answers 1 kB at /1k, and streams a line each 20 ms at /stream
// until its reader goes away.
func gatewayUpstream() (base string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	body := []byte(strings.Repeat("x", 1024))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /1k", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body) // the proxy has gone away: nobody to tell
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if _, err := io.WriteString(w, "data: x\n\n"); err != nil {
				return
			}
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), func() { _ = s.Close() }, nil
}

func startBare(ctx context.Context, bin, upstream string) (base string, pid int, stop func(), err error) {
	if bin == "" {
		if bin, err = os.Executable(); err != nil {
			return "", 0, nil, fmt.Errorf("finding this program: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, bin, "bench", "gateway", "--bare-proxy", upstream)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, nil, fmt.Errorf("starting the bare proxy: %w", err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", 0, nil, fmt.Errorf("the bare proxy did not say where it is: %w", err)
	}
	return strings.TrimSpace(line), cmd.Process.Pid, stop, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// governed is a Reeve with an agent that calls through its door, and everything
// switched on that a call passes.
type governed struct {
	api  *client.Client
	door string
}

const benchAgent = "bench-agent"

func (g *governed) settle(ctx context.Context, upstream string, policies int) error {
	if _, err := g.api.CreateTeam(ctx, client.CreateTeamRequest{Name: "bench"}); err != nil {
		return err
	}
	if _, err := g.api.PutUpstream(ctx, client.PutUpstreamRequest{
		Name: "bench", Kind: "http", URL: upstream, Team: "bench", Environment: "production", AllowPrivate: true,
		Routes: []client.Route{{Method: "GET", Path: "/1k", Effect: "read"}, {Method: "GET", Path: "/stream", Effect: "read"}},
	}); err != nil {
		return err
	}
	if _, err := g.api.CreateAgent(ctx, client.CreateAgentRequest{Name: benchAgent, Team: "bench", Environment: "production", Purpose: "measures the door", Owner: "dev", Sponsor: "dev"}); err != nil {
		return err
	}
	if _, err := g.api.PromoteAgent(ctx, client.PromoteAgentRequest{Name: benchAgent, To: "production", Reason: "measures the door"}); err != nil {
		return err
	}
	for from := 0; from < policies; from += 100 {
		var b strings.Builder
		for i := from; i < min(policies, from+100); i++ {
			fmt.Fprintf(&b, "@id(\"p%d\") permit (principal == Agent::\"agent-%d\", action == Action::\"call_api\", resource in Upstream::\"up-%d\") when { resource.effect == Effect::\"read\" };\n", i, i, i%50)
		}
		if _, err := g.api.PutPolicy(ctx, client.PutPolicyRequest{Name: fmt.Sprintf("bench-%d", from), Mode: "enforce", Cedar: b.String(), Reason: "measures the door"}); err != nil {
			return err
		}
	}
	// The reads of a real agent have a rate of their own; this one is measured.
	if _, err := g.api.PutPolicy(ctx, client.PutPolicyRequest{
		Name: "read-only", Mode: "enforce", Reason: "measures the door", Revision: 1,
		Cedar: "@id(\"read\") @limit(\"100000000/m by agent\") permit (principal, action in [Action::\"call_tool\", Action::\"call_api\"], resource) when { resource.effect == Effect::\"read\" };",
	}); err != nil {
		return err
	}
	if _, err := g.api.PutBudget(ctx, client.PutBudgetRequest{Name: "bench", Scope: "agent", Match: benchAgent, Unit: "calls", Limit: 1e9, Period: "day", Hard: true}); err != nil {
		return err
	}
	_, err := g.api.PutContentRule(ctx, client.PutContentRuleRequest{Name: "bench", Classes: []string{"secret", "pii"}, Action: "flag", Reason: "measures the door"})
	return err
}

func (g *governed) key(ctx context.Context) (string, error) {
	k, err := g.api.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: benchAgent, Label: "bench", ExpiresIn: "1d"})
	if err != nil {
		return "", fmt.Errorf("making a key: %w", err)
	}
	return k.Key, nil
}

// stops opens streams, stops the agent, and measures when the last byte of each
// stream came; then it lifts the stop and begins again with a new key.
func (g *governed) stops(ctx context.Context, o GatewayOptions, r *GatewayReport) error {
	var ends []float64
	for n := range o.Stops {
		fmt.Fprintf(o.Progress, "stopping %d streams, %d of %d\n", o.Streams, n+1, o.Stops)
		key, err := g.key(ctx)
		if err != nil {
			return err
		}
		took, err := g.stopOnce(ctx, key, o.Streams)
		if err != nil {
			return err
		}
		ends = append(ends, took...)
	}
	r.Stopped = len(ends)
	r.StopP50, r.StopP99, r.StopMax = rank(ends, 0.5), rank(ends, 0.99), rank(ends, 1)
	return nil
}

func (g *governed) stopOnce(ctx context.Context, key string, streams int) ([]float64, error) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams}}
	defer c.CloseIdleConnections()
	var running sync.WaitGroup
	running.Add(streams)
	last := make([]time.Time, streams)
	var all errgroup.Group
	for i := range streams {
		all.Go(func() error {
			var once sync.Once
			up := func() { once.Do(running.Done) }
			defer up()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.door+"/http/bench/stream", nil)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+key)
			resp, err := c.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("a stream was refused with %s", resp.Status)
			}
			buf := make([]byte, 4096)
			for {
				n, err := resp.Body.Read(buf)
				if n > 0 {
					last[i] = time.Now()
					up()
				}
				if err != nil {
					last[i] = time.Now() // its end is what the agent sees
					return nil
				}
			}
		})
	}
	running.Wait()
	asked := time.Now()
	s, err := g.api.CreateStop(ctx, client.CreateStopRequest{Target: client.StopTarget{Kind: "agent", Value: benchAgent}, Reason: "measures the stop"})
	if err != nil {
		return nil, fmt.Errorf("stopping: %w", err)
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	took := make([]float64, streams)
	for i, at := range last {
		took[i] = at.Sub(asked).Seconds() * 1e3
	}
	_, err = g.api.LiftStop(ctx, client.LiftStopRequest{ID: s.ID, Reason: "measured"})
	return took, err
}
