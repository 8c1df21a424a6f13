package bench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// StopOptions shape the measurement of how fast a stop is.
type StopOptions struct {
	Bin        string
	ServerArgs []string
	Streams    int // in flight at each stop
	Delegates  int // of them, of an agent that acts for the one that is stopped
	Stops      int
	Spans      int // a second, sent beside it; 0: none
	Progress   io.Writer
}

// StopReport is how long it took from the request to a stream's end, at the
// agents.
type StopReport struct {
	Stops     int     `json:"stops"`
	Streams   int     `json:"streams"` // over all stops
	Delegates int     `json:"delegate_streams"`
	Spans     int     `json:"spans_per_second"` // asked for
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p999_ms"`
	Max       float64 `json:"max_ms"`
	Answer50  float64 `json:"answer_p50_ms"` // until the receipt was there
	Answer99  float64 `json:"answer_p99_ms"`
	Door99    float64 `json:"door_p99_ms"` // time to stop as the receipts say it
}

// Text writes the report for people.
func (r *StopReport) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d stops of %d streams in all (%d of delegates) beside %d spans/s\nlast byte: p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, most %.1f ms\nby the receipts, p99 %.1f ms; the receipt came after p50 %.1f ms, p99 %.1f ms\n",
		r.Stops, r.Streams, r.Delegates, r.Spans, r.P50, r.P99, r.P999, r.Max, r.Door99, r.Answer50, r.Answer99)
	return err
}

func stopMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o StopOptions
	var output string
	fs := flag.NewFlagSet("reeve bench stop", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Streams, "streams", 200, "streams in flight at each stop")
	fs.IntVar(&o.Delegates, "delegates", 20, "of them, of an agent that acts for the stopped one")
	fs.IntVar(&o.Stops, "stops", 20, "how often the agent is stopped")
	fs.IntVar(&o.Spans, "spans", 0, "spans a second that are taken in beside it")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Progress = stderr
	r, err := Stops(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// Stops opens streams through the door, stops their agent, measures when each
// stream's last byte came, lifts the stop and begins again.
func Stops(ctx context.Context, o StopOptions) (*StopReport, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	up, stopUpstream, err := gatewayUpstream()
	if err != nil {
		return nil, err
	}
	defer stopUpstream()
	g, err := startGoverned(ctx, o.Bin, o.ServerArgs)
	if err != nil {
		return nil, err
	}
	defer g.end()
	if err := g.settle(ctx, up, 10, 1); err != nil {
		return nil, fmt.Errorf("setting the door up: %w", err)
	}
	var chain *delegation
	if o.Delegates > 0 {
		if chain, err = g.delegation(ctx); err != nil {
			return nil, fmt.Errorf("setting a delegate up: %w", err)
		}
	}
	if o.Spans > 0 {
		end, err := beside(ctx, o.Bin, "http://"+g.server.OTLP, o.Spans)
		if err != nil {
			return nil, err
		}
		defer end()
		if err := wait(ctx, 3*time.Second); err != nil { // until the load flows
			return nil, err
		}
	}
	r := &StopReport{Spans: o.Spans}
	var ends, answers, doors []float64
	for n := range o.Stops {
		if n%50 == 0 {
			fmt.Fprintf(o.Progress, "stopping %d streams, %d of %d\n", o.Streams, n+1, o.Stops)
		}
		one, err := g.stopOnce(ctx, o, chain)
		if err != nil {
			return nil, err
		}
		ends = append(ends, one.ends...)
		answers, doors = append(answers, one.answer), append(doors, one.door)
		r.Stops, r.Streams, r.Delegates = r.Stops+1, r.Streams+len(one.ends), r.Delegates+o.Delegates
	}
	r.P50, r.P99, r.P999, r.Max = rank(ends, 0.5), rank(ends, 0.99), rank(ends, 0.999), rank(ends, 1)
	r.Answer50, r.Answer99, r.Door99 = rank(answers, 0.5), rank(answers, 0.99), rank(doors, 0.99)
	return r, nil
}

// beside sends spans from a process of its own, so that measuring the streams'
// ends is not disturbed by it more than by any other process.
func beside(ctx context.Context, bin, endpoint string, rate int) (end func(), err error) {
	if bin == "" {
		if bin, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, bin, "bench", "ingest", "--endpoint", endpoint, "--rate", fmt.Sprint(rate), "--spans", "1000000000", "--no-reads")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the load beside: %w", err)
	}
	return func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }, nil
}

// stopped is what one stop did, in ms from its request.
type stopped struct {
	ends         []float64 // of each stream
	answer, door float64
}

func (g *governed) stopOnce(ctx context.Context, o StopOptions, chain *delegation) (*stopped, error) {
	keys, err := g.keys(ctx, 1)
	if err != nil {
		return nil, err
	}
	credentials := make([]string, o.Streams)
	for i := range credentials {
		credentials[i] = keys[0]
	}
	if chain != nil {
		text, err := chain.token(ctx)
		if err != nil {
			return nil, err
		}
		for i := range min(o.Delegates, o.Streams) {
			credentials[i] = text
		}
	}
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.Streams}}
	defer c.CloseIdleConnections()
	last := make([]time.Time, o.Streams)
	var running sync.WaitGroup
	running.Add(o.Streams)
	var all errgroup.Group
	for i := range o.Streams {
		all.Go(func() (err error) {
			last[i], err = g.stream(ctx, c, credentials[i], running.Done)
			return err
		})
	}
	running.Wait()
	asked := time.Now()
	s, err := g.api.CreateStop(ctx, client.CreateStopRequest{Target: client.StopTarget{Kind: "agent", Value: benchAgent}, Reason: "measures the stop"})
	answered := time.Since(asked)
	if err != nil {
		return nil, fmt.Errorf("stopping: %w", err)
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	out := &stopped{answer: answered.Seconds() * 1e3, door: s.Receipt.TimeToStopMS}
	if n := len(s.Receipt.CallsCut); n != o.Streams {
		return nil, fmt.Errorf("the stop cut %d of %d streams", n, o.Streams)
	}
	for _, at := range last {
		out.ends = append(out.ends, at.Sub(asked).Seconds()*1e3)
	}
	_, err = g.api.LiftStop(ctx, client.LiftStopRequest{ID: s.ID, Reason: "measured"})
	return out, err
}

// stream reads one stream to its end and says when that came. up is called once
// the stream runs, or will not.
func (g *governed) stream(ctx context.Context, c *http.Client, credential string, up func()) (last time.Time, err error) {
	var once sync.Once
	defer once.Do(up)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.door+"/http/bench/stream", nil)
	if err != nil {
		return last, err
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	resp, err := c.Do(req)
	if err != nil {
		return last, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return last, fmt.Errorf("a stream was refused with %s", resp.Status)
	}
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			once.Do(up)
		}
		if err != nil {
			return time.Now(), nil // its end is what the agent sees
		}
	}
}
