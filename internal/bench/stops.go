package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
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
	Floor      bool
	Each       string // file for one line a stop; "": none
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
	In50      float64 `json:"way_in_p50_ms"` // of it, until the stop had begun in the server
	In99      float64 `json:"way_in_p99_ms"`
	Answer50  float64 `json:"answer_p50_ms"` // until the receipt was there
	Answer99  float64 `json:"answer_p99_ms"`
	Door50    float64 `json:"door_p50_ms"` // time to stop as the receipts say it
	Door99    float64 `json:"door_p99_ms"`
	// Floor is the same for a bare reverse proxy that does nothing but end its
	// streams, in turn with the door; nil where it was not asked for.
	Floor *StopFloor `json:"floor,omitempty"`
}

// StopFloor is what the streams of a program that does nothing else waited for.
type StopFloor struct {
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p999_ms"`
	Max  float64 `json:"max_ms"`
	In50 float64 `json:"way_in_p50_ms"`
	In99 float64 `json:"way_in_p99_ms"`
}

// Text writes the report for people.
func (r *StopReport) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d stops of %d streams in all (%d of delegates) beside %d spans/s\nlast byte: p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, most %.1f ms; of it until the stop began p50 %.1f ms, p99 %.1f ms\nby the receipts p50 %.1f ms, p99 %.1f ms; the receipt came after p50 %.1f ms, p99 %.1f ms\n",
		r.Stops, r.Streams, r.Delegates, r.Spans, r.P50, r.P99, r.P999, r.Max, r.In50, r.In99, r.Door50, r.Door99, r.Answer50, r.Answer99)
	if f := r.Floor; f != nil && err == nil {
		_, err = fmt.Fprintf(w, "a bare proxy that only ends its streams, in turn: p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, most %.1f ms; until it began p50 %.1f ms, p99 %.1f ms\n",
			f.P50, f.P99, f.P999, f.Max, f.In50, f.In99)
	}
	return err
}

func stopMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o StopOptions
	var output, bare string
	fs := flag.NewFlagSet("reeve bench stop", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Streams, "streams", 200, "streams in flight at each stop")
	fs.IntVar(&o.Delegates, "delegates", 20, "of them, of an agent that acts for the stopped one")
	fs.IntVar(&o.Stops, "stops", 20, "how often the agent is stopped")
	fs.IntVar(&o.Spans, "spans", 0, "spans a second that are taken in beside it")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.BoolVar(&o.Floor, "floor", false, "stop streams of a bare proxy too, in turn, that does nothing else: what they wait for is the machine's")
	fs.StringVar(&o.Each, "each", "", "write one line a stop to this file: ms from the request until it began, its first and its last stream's end, the receipt, and the receipt's own time to stop")
	fs.StringVar(&bare, "bare-proxy", "", "be the bare proxy to this address, as the measurement starts it")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if bare != "" {
		return serveStopFloor(ctx, bare, stdout)
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
	var floor string
	if o.Floor {
		var end func()
		if floor, _, end, err = startBare(ctx, o.Bin, "stop", up); err != nil {
			return nil, err
		}
		defer end()
	}
	each := io.Discard
	if o.Each != "" {
		f, err := os.Create(o.Each)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		each = f
	}
	var door, bare stoppedAll
	for n := range o.Stops {
		if n%50 == 0 {
			fmt.Fprintf(o.Progress, "stopping %d streams, %d of %d\n", o.Streams, n+1, o.Stops)
		}
		one, err := g.stopOnce(ctx, o, chain)
		if err != nil {
			return nil, err
		}
		door.add(one)
		fmt.Fprintf(each, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\n", one.in, slices.Min(one.ends), slices.Max(one.ends), one.answer, one.door)
		if floor == "" {
			continue
		}
		if one, err = floorOnce(ctx, floor, o.Streams); err != nil {
			return nil, fmt.Errorf("stopping the bare proxy's streams: %w", err)
		}
		bare.add(one)
	}
	r := &StopReport{
		Stops: o.Stops, Streams: len(door.ends), Delegates: o.Stops * o.Delegates, Spans: o.Spans,
		P50: rank(door.ends, 0.5), P99: rank(door.ends, 0.99), P999: rank(door.ends, 0.999), Max: rank(door.ends, 1),
		In50: rank(door.ins, 0.5), In99: rank(door.ins, 0.99), Answer50: rank(door.answers, 0.5), Answer99: rank(door.answers, 0.99),
		Door50: rank(door.doors, 0.5), Door99: rank(door.doors, 0.99),
	}
	if floor != "" {
		r.Floor = &StopFloor{
			P50: rank(bare.ends, 0.5), P99: rank(bare.ends, 0.99), P999: rank(bare.ends, 0.999), Max: rank(bare.ends, 1),
			In50: rank(bare.ins, 0.5), In99: rank(bare.ins, 0.99),
		}
	}
	return r, nil
}

// stoppedAll collects what many stops did.
type stoppedAll struct{ ends, ins, answers, doors []float64 }

func (a *stoppedAll) add(one *stopped) {
	a.ends = append(a.ends, one.ends...)
	a.ins, a.answers, a.doors = append(a.ins, one.in), append(a.answers, one.answer), append(a.doors, one.door)
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
	ends             []float64 // of each stream
	in, answer, door float64
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
	var id string
	out, err := endStreams(ctx, g.door+"/http/bench/stream", credentials, func(asked time.Time, out *stopped) error {
		s, err := g.api.CreateStop(ctx, client.CreateStopRequest{Target: client.StopTarget{Kind: "agent", Value: benchAgent}, Reason: "measures the stop"})
		out.answer = time.Since(asked).Seconds() * 1e3
		if err != nil {
			return err
		}
		if n := len(s.Receipt.CallsCut); n != o.Streams {
			return fmt.Errorf("the stop cut %d of %d streams", n, o.Streams)
		}
		id, out.door = s.ID, s.Receipt.TimeToStopMS
		out.in = s.Receipt.RequestedAt.Sub(asked).Seconds() * 1e3
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = g.api.LiftStop(ctx, client.LiftStopRequest{ID: id, Reason: "measured"})
	return out, err
}

// floorOnce is stopOnce for the bare proxy.
func floorOnce(ctx context.Context, base string, streams int) (*stopped, error) {
	return endStreams(ctx, base+"/stream", make([]string, streams), func(asked time.Time, out *stopped) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/stop", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var a floorAnswer
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
			return err
		}
		if a.Cut != streams {
			return fmt.Errorf("it cut %d of %d streams", a.Cut, streams)
		}
		out.in = a.RequestedAt.Sub(asked).Seconds() * 1e3
		return nil
	})
}

// endStreams opens a stream for each credential, has them stopped, and says when
// each ended.
func endStreams(ctx context.Context, url string, credentials []string, stop func(asked time.Time, out *stopped) error) (*stopped, error) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(credentials)}}
	defer c.CloseIdleConnections()
	last := make([]time.Time, len(credentials))
	var running sync.WaitGroup
	running.Add(len(credentials))
	var all errgroup.Group
	for i, credential := range credentials {
		all.Go(func() (err error) {
			last[i], err = stream(ctx, c, url, credential, running.Done)
			return err
		})
	}
	running.Wait()
	var out stopped
	asked := time.Now()
	if err := stop(asked, &out); err != nil {
		return nil, fmt.Errorf("stopping: %w", err)
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	for _, at := range last {
		out.ends = append(out.ends, at.Sub(asked).Seconds()*1e3)
	}
	return &out, nil
}

// stream reads one stream to its end and says when that came. up is called once
// the stream runs, or will not.
func stream(ctx context.Context, c *http.Client, url, credential string, up func()) (last time.Time, err error) {
	var once sync.Once
	defer once.Do(up)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return last, err
	}
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
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
