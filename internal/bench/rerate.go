package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"reeve/client"
)

// RerateOptions shape the measurement of pricing a time again.
type RerateOptions struct {
	Bin      string
	Calls    int
	PerRun   int
	Days     int
	Progress io.Writer
}

// RerateReport is how long pricing all calls again takes.
type RerateReport struct {
	Calls     int64   `json:"calls"`
	Runs      int64   `json:"runs"`
	Days      int     `json:"days"`
	Plan      float64 `json:"plan_seconds"`
	Apply     float64 `json:"apply_seconds"`
	ApplyCPU  float64 `json:"apply_cpu_seconds"`
	Undo      float64 `json:"undo_seconds"`
	Before    float64 `json:"before"` // what the period costs, by the sums that charts read
	After     float64 `json:"after"`
	Undone    float64 `json:"undone"`
	PeakBytes int64   `json:"peak_bytes"`
}

// Text writes the report for people.
func (r *RerateReport) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d calls of %d runs over %d days\nplan   %.1f s\napply  %.1f s, %.1f of the processor (aim 10 for 1 M)\nundo   %.1f s\ncost   %.4f, then %.4f, undone %.4f\nmemory %d MB at most\n",
		r.Calls, r.Runs, r.Days, r.Plan, r.Apply, r.ApplyCPU, r.Undo, r.Before, r.After, r.Undone, r.PeakBytes>>20)
	return err
}

func rerateMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o RerateOptions
	var output string
	fs := flag.NewFlagSet("reeve bench rerate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Calls, "calls", 1_000_000, "model calls")
	fs.IntVar(&o.PerRun, "per-run", 10, "calls of a run")
	fs.IntVar(&o.Days, "days", 30, "days that they lie in, ending now")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if o.Calls < 1 || o.PerRun < 1 || o.Days < 1 || o.Days > 300 || o.Calls > 50_000_000 {
		fmt.Fprintln(stderr, "reeve: error: there are 1 to 50,000,000 calls in 1 to 300 days")
		return errUsage
	}
	o.Progress = stderr
	r, err := Rerate(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// Rerate sends calls under one price, starts the server again with another, and
// prices them all again, and back.
func Rerate(ctx context.Context, o RerateOptions) (*RerateReport, error) {
	data, remove, err := tempDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	card := filepath.Join(filepath.Dir(data), "prices.yaml")
	s, err := NewServer(o.Bin, data, io.Discard)
	if err != nil {
		return nil, err
	}
	s.Env = []string{"REEVE_PRICES_FILE=" + card}
	start := func(input string) error {
		if err := os.WriteFile(card, []byte("name: ours\nprices:\n  - model: house-model\n    input: "+input+"\n    output: 0\n"), 0o600); err != nil {
			return err
		}
		return s.Start(ctx)
	}
	if err := start("1"); err != nil {
		return nil, err
	}
	defer func() { _ = s.Kill() }()
	to := time.Now().UTC().Truncate(time.Minute)
	from := to.AddDate(0, 0, -o.Days)
	fmt.Fprintf(o.Progress, "sending %d calls\n", o.Calls)
	runs, err := sendCalls(ctx, "http://"+s.OTLP+"/v1/traces", o, from, to)
	if err != nil {
		return nil, err
	}
	span := window{from.AddDate(0, 0, -1), to.AddDate(0, 0, 1)}
	for {
		n, err := newAPI("http://"+s.HTTP, "").count(ctx, span)
		if err == nil && n >= int64(o.Calls) {
			break
		}
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
	}
	// The second server finds what any finds that ran for a month: merged files.
	if err := wait(ctx, 12*time.Second); err != nil {
		return nil, err
	}
	if err := s.Stop(); err != nil {
		return nil, err
	}
	if err := start("3"); err != nil {
		return nil, err
	}
	api := client.New("http://"+s.HTTP, "")
	r := &RerateReport{Runs: runs, Days: o.Days}
	if r.Before, err = costOf(ctx, api, span, 0); err != nil {
		return nil, err
	}
	fmt.Fprintln(o.Progress, "pricing again")
	job, err := rerated(ctx, api, "planned", func() (*client.Rerate, error) {
		return api.PlanRerate(ctx, client.PlanRerateRequest{From: span.from, To: span.to})
	})
	if err != nil {
		return nil, err
	}
	r.Calls, r.Plan = job.Changed, float64(job.TookMS)/1e3
	before, _ := procUsage(s.Pid())
	ask := client.RerateRequest{ID: job.ID}
	if job, err = rerated(ctx, api, "applied", func() (*client.Rerate, error) { return api.ApplyRerate(ctx, ask) }); err != nil {
		return nil, err
	}
	after, _ := procUsage(s.Pid())
	r.Apply, r.ApplyCPU, r.PeakBytes = float64(job.TookMS)/1e3, after.cpu-before.cpu, after.peak
	if r.After, err = costOf(ctx, api, span, 3*r.Before); err != nil {
		return nil, err
	}
	if job, err = rerated(ctx, api, "undone", func() (*client.Rerate, error) { return api.UndoRerate(ctx, ask) }); err != nil {
		return nil, err
	}
	r.Undo = float64(job.TookMS) / 1e3
	if r.Undone, err = costOf(ctx, api, span, r.Before); err != nil {
		return nil, err
	}
	switch {
	case r.Calls != int64(o.Calls):
		err = fmt.Errorf("%d of %d calls were priced again", r.Calls, o.Calls)
	case !near(r.After, 3*r.Before) || !near(r.Undone, r.Before):
		err = fmt.Errorf("%.6f cost three times as much as %.6f, and undone %.6f", r.After, r.Before, r.Undone)
	}
	return r, err
}

// rerated begins something and waits for the state it ends in.
func rerated(ctx context.Context, api *client.Client, state string, begin func() (*client.Rerate, error)) (*client.Rerate, error) {
	r, err := begin()
	for err == nil && r.State != state {
		if r.State == "failed" {
			return nil, errors.New(r.Error)
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
		r, err = api.GetRerate(ctx, client.RerateRequest{ID: r.ID})
	}
	return r, err
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }

// costOf is what a time costs by the sums that charts read. Runs that were folded
// one by one are stored a second later: it waits a little for what it should be,
// where that is known.
func costOf(ctx context.Context, api *client.Client, w window, want float64) (v float64, err error) {
	for try := 0; ; try++ {
		q, err := api.Query(ctx, w.query(client.Query{From: "steps", Select: []client.Measure{{Func: "sum", Field: "cost", As: "cost"}}}))
		if err != nil {
			return 0, err
		}
		if len(q.Rows) != 1 || len(q.Rows[0]) == 0 {
			return 0, errors.New("no sum of costs")
		}
		v, _ := q.Rows[0][len(q.Rows[0])-1].(float64)
		if want == 0 || near(v, want) || try == 100 {
			return v, nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// sendCalls sends model calls in the order of time, and tells how many runs they
// are.
func sendCalls(ctx context.Context, url string, o RerateOptions, from, to time.Time) (runs int64, err error) {
	resource := AppendText(nil, ResourceAttr, "service.name", "payer")
	step := max(1, int64(to.Sub(from))/int64(o.Calls)*int64(o.PerRun))
	var records, attrs []byte
	flush := func() error {
		if len(records) == 0 {
			return nil
		}
		body := AppendRequest(nil, resource, Scope{"bench", "1"}, records)
		records = records[:0]
		for {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/x-protobuf")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			switch resp.StatusCode {
			case http.StatusOK:
				return nil
			case http.StatusServiceUnavailable, http.StatusTooManyRequests: // it is busy
				if err := wait(ctx, 200*time.Millisecond); err != nil {
					return err
				}
			default:
				return fmt.Errorf("the server answers %s", resp.Status)
			}
		}
	}
	for i := range o.Calls {
		run, call := i/o.PerRun, i%o.PerRun
		runs = int64(run) + 1
		sp := Span{Name: "chat house-model", Kind: KindClient, Status: StatusOK}
		binary.BigEndian.PutUint64(sp.Trace[:], 0x9d5f<<48|uint64(run))
		binary.BigEndian.PutUint64(sp.Trace[8:], uint64(run)*0x9E3779B97F4A7C15|1)
		binary.BigEndian.PutUint64(sp.ID[:], uint64(i)*0x9E3779B97F4A7C15|1)
		sp.Start = from.UnixNano() + int64(run)*step + int64(call)*1e9
		sp.End = sp.Start + 5e8
		attrs = AppendText(attrs[:0], SpanAttr, "gen_ai.operation.name", "chat")
		attrs = AppendText(attrs, SpanAttr, "gen_ai.agent.name", fmt.Sprintf("agent-%d", run%20))
		attrs = AppendText(attrs, SpanAttr, "gen_ai.request.model", "house-model")
		attrs = AppendText(attrs, SpanAttr, "gen_ai.conversation.id", fmt.Sprintf("conversation-%d", run))
		attrs = AppendInt(attrs, SpanAttr, "gen_ai.usage.input_tokens", 500+int64(i)%4000)
		attrs = AppendInt(attrs, SpanAttr, "gen_ai.usage.output_tokens", 20+int64(i)%600)
		sp.Attributes = attrs
		records = AppendSpan(records, &sp)
		if i%1000 == 999 {
			if err := flush(); err != nil {
				return runs, err
			}
		}
	}
	return runs, flush()
}
