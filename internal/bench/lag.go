package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// LagOptions shape the measurement of how far a live run's page is behind.
type LagOptions struct {
	Bin      string
	Steps    int
	Every    time.Duration // between two steps
	Gather   time.Duration // how long a page gathers events before it reads
	Spans    int           // a second, of other runs, beside it; 0: none
	Progress io.Writer
}

// LagReport is how long it took from the moment a step of a live run was sent
// until its event came and until a page that follows events had read it, in ms.
type LagReport struct {
	Steps   int     `json:"steps"`
	Spans   int     `json:"spans_per_second"`
	Gather  float64 `json:"gather_ms"`
	Event50 float64 `json:"event_p50_ms"`
	Event99 float64 `json:"event_p99_ms"`
	Read50  float64 `json:"read_p50_ms"`
	Read99  float64 `json:"read_p99_ms"`
	Max     float64 `json:"read_max_ms"`
}

// Text writes the report for people.
func (r *LagReport) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d steps of a live run beside %d spans/s\nuntil its event: p50 %.0f ms, p99 %.0f ms\nuntil a page that gathers events for %.0f ms has read it: p50 %.0f ms, p99 %.0f ms, most %.0f ms (aim 1,000)\n",
		r.Steps, r.Spans, r.Event50, r.Event99, r.Gather, r.Read50, r.Read99, r.Max)
	return err
}

func lagMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o LagOptions
	var output string
	fs := flag.NewFlagSet("reeve bench lag", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Steps, "steps", 200, "steps of the run that is followed")
	fs.DurationVar(&o.Every, "every", 150*time.Millisecond, "time between two steps")
	fs.DurationVar(&o.Gather, "gather", 400*time.Millisecond, "how long the page gathers events before it reads; the console's own")
	fs.IntVar(&o.Spans, "spans", 0, "spans a second of other runs that are taken in beside it")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Progress = stderr
	r, err := Lag(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// lagged is one run as it is sent and as it is seen.
type lagged struct {
	o     LagOptions
	api   *client.Client
	otlp  string
	trace string
	run   string // the id, once an event named it
	sent  chan time.Time
	moved chan client.RunUpdated
}

// Lag sends a run step by step and follows it as its page does.
func Lag(ctx context.Context, o LagOptions) (*LagReport, error) {
	if o.Steps < 1 || o.Every <= 0 || o.Gather < 0 {
		return nil, fmt.Errorf("%w: steps and every are above zero", errUsage)
	}
	dir, err := os.MkdirTemp("", "reeve-lag-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := NewServer(o.Bin, dir, io.Discard)
	if err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = s.Kill() }()
	if o.Spans > 0 {
		end, err := beside(ctx, o.Bin, "http://"+s.OTLP, o.Spans)
		if err != nil {
			return nil, err
		}
		defer end()
		if err := wait(ctx, 3*time.Second); err != nil {
			return nil, err
		}
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	l := &lagged{
		o: o, api: client.New("http://"+s.HTTP, ""), otlp: "http://" + s.OTLP + "/v1/traces", trace: hex.EncodeToString(id[:]),
		sent: make(chan time.Time, o.Steps), moved: make(chan client.RunUpdated, 1),
	}
	return l.measure(ctx)
}

func (l *lagged) measure(ctx context.Context) (*LagReport, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l.o.Steps)*l.o.Every+time.Minute)
	defer cancel()
	var all errgroup.Group
	all.Go(func() error {
		err := l.api.Events(ctx, client.EventsRequest{}, l.event)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	all.Go(func() error {
		defer close(l.sent)
		for i := range l.o.Steps {
			l.sent <- time.Now()
			if err := l.send(ctx, i); err != nil {
				cancel()
				return err
			}
			if err := wait(ctx, l.o.Every); err != nil {
				return err
			}
		}
		return nil
	})
	r, err := l.follow(ctx)
	cancel()
	return r, cmp.Or(all.Wait(), err)
}

// event hands on what is said of the run; a page knows one "it moved" at a time.
func (l *lagged) event(e client.Event) error {
	if e.Type != "run.updated" {
		return nil
	}
	var u client.RunUpdated
	if err := json.Unmarshal(e.Data, &u); err != nil {
		return err
	}
	if u.Agent != "lag-bench" {
		return nil
	}
	select {
	case <-l.moved:
	default:
	}
	l.moved <- u
	return nil
}

// follow reads the run's steps as its page does, a while after the first event
// that says it moved.
func (l *lagged) follow(ctx context.Context) (*LagReport, error) {
	var sent []time.Time
	var events, reads []float64
	ms := func(since time.Time) float64 { return time.Since(since).Seconds() * 1e3 }
	var read <-chan time.Time
	for len(reads) < l.o.Steps {
		select {
		case at, more := <-l.sent:
			if !more {
				l.sent = nil
				continue
			}
			sent = append(sent, at)
		case u := <-l.moved:
			l.run = u.ID
			for len(events) < min(int(u.Steps), len(sent)) {
				events = append(events, ms(sent[len(events)]))
			}
			if read == nil {
				read = time.After(l.o.Gather)
			}
		case <-read:
			read = nil
			list, err := l.api.ListSteps(ctx, client.ListStepsRequest{ID: l.run, Limit: 50_000})
			if err != nil {
				return nil, fmt.Errorf("reading the run: %w", err)
			}
			for len(reads) < min(len(list.Items), len(sent)) {
				reads = append(reads, ms(sent[len(reads)]))
			}
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%d of %d steps were seen", len(reads), l.o.Steps), context.Cause(ctx))
		}
	}
	return &LagReport{
		Steps: l.o.Steps, Spans: l.o.Spans, Gather: l.o.Gather.Seconds() * 1e3, Event50: rank(events, 0.5), Event99: rank(events, 0.99),
		Read50: rank(reads, 0.5), Read99: rank(reads, 0.99), Max: rank(reads, 1),
	}, nil
}

// send sends one step of the run, which goes on.
func (l *lagged) send(ctx context.Context, n int) error {
	now := time.Now().UnixNano()
	body := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"lag-bench"}}]},"scopeSpans":[{"spans":[`+
		`{"traceId":%q,"spanId":"%016x","parentSpanId":"00000000000000ff","name":"execute_tool look","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[`+
		`{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},{"key":"gen_ai.tool.name","value":{"stringValue":"look"}},{"key":"gen_ai.agent.name","value":{"stringValue":"lag-bench"}}]}]}]}]}`,
		l.trace, 0x100+n, now-1e6, now)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.otlp, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("sending a step: %s %s", resp.Status, text)
	}
	return nil
}
