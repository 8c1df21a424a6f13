package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"golang.org/x/time/rate"

	"github.com/klauspost/compress/zstd"
)

// IngestOptions say what to send where and what to measure. Endpoint is
// required unless Start is set.
type IngestOptions struct {
	Load        Load
	Target      Target
	Concurrency int     // connections, each with its share of the agents [4]
	Rate        float64 // spans a second; 0: as fast as the server takes them
	API         string  // http://host:7300: reads, drain and stages; "" skips them
	Token       string  // personal or service token for the API
	Metrics     string  // URL of the server's /metrics; "" is API + /metrics
	Pid         int     // the server's process; 0: CPU from /metrics
	Data        string  // the server's data folder, for bytes on disk
	Start       bool    // start a server of our own in a temporary folder
	Bin         string  // which program to start; "" is this one
	ServerArgs  []string
	Idle        time.Duration // measure the idle server so long before the load; 0: do not
	Settle      time.Duration // longest wait for the server to be done afterwards [2 min]
	NoReads     bool
	Progress    io.Writer // nil: none
	ServerLog   io.Writer // nil: dropped
}

// Report is what a measurement found. Pointers are nil when it could not be
// measured.
type Report struct {
	Load          string             `json:"load"`
	Endpoint      string             `json:"endpoint"`
	Truth         Truth              `json:"truth"` // of what was accepted
	Bodies        int64              `json:"bodies"`
	BodyBytes     int64              `json:"body_bytes"`
	BytesPerSpan  float64            `json:"bytes_per_span"`
	ZstdPerSpan   float64            `json:"zstd_bytes_per_span"` // the bodies alone through zstd: how compressible the load is
	Busy          int64              `json:"busy_answers"`
	Refused       int64              `json:"refused_spans"`
	SendSeconds   float64            `json:"send_seconds"`
	SpansPerSec   float64            `json:"spans_per_second"`
	SettleSeconds float64            `json:"settle_seconds"`
	Stored        *int64             `json:"stored_spans"` // as the API counts them
	GeneratorCPU  float64            `json:"generator_cpu_seconds_per_million"`
	ServerCPU     *float64           `json:"server_cpu_seconds_per_million"`
	Stages        map[string]float64 `json:"stage_cpu_seconds_per_million,omitempty"`
	ServerPeak    *int64             `json:"server_peak_bytes"`
	ChildPeak     *int64             `json:"query_child_peak_bytes"`
	DiskPerSpan   *float64           `json:"disk_bytes_per_span"`
	Disk          map[string]int64   `json:"disk_bytes,omitempty"`
	IdleCPU       *float64           `json:"idle_cpu_share"`
	IdleBytes     *int64             `json:"idle_bytes"`
	Reads         []Latency          `json:"reads,omitempty"`
	Errors        []string           `json:"errors,omitempty"`
}

// Ingest sends the load and measures the server.
func Ingest(ctx context.Context, o IngestOptions) (*Report, error) {
	o.Load = o.Load.withDefaults()
	if o.Concurrency == 0 {
		o.Concurrency = 4
	}
	if o.Settle == 0 {
		o.Settle = 2 * time.Minute
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Start {
		s, cleanup, err := tempServer(ctx, o.Bin, o.Data, o.ServerArgs, o.ServerLog)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		if o.Target.Endpoint == "grpc" {
			o.Target.Endpoint = "grpc://" + s.GRPC
		} else {
			o.Target.Endpoint = "http://" + s.OTLP
		}
		o.API, o.Pid, o.Data = "http://"+s.HTTP, s.Pid(), s.Dir
		fmt.Fprintf(o.Progress, "started a server on %s, data in %s\n", s.HTTP, s.Dir)
	}
	if o.Metrics == "" && o.API != "" {
		o.Metrics = strings.TrimSuffix(o.API, "/") + "/metrics"
	}
	m := &meter{o: o}
	r := &Report{Endpoint: o.Target.Endpoint, Load: fmt.Sprintf("%d spans of about %d B, %d agents with %d runs each in progress, seed %d",
		o.Load.Spans, o.Load.SpanBytes, o.Load.Agents, o.Load.OpenRuns, o.Load.Seed)}
	if o.Idle > 0 {
		if err := m.idle(ctx, r); err != nil {
			return nil, err
		}
	}
	before := m.read(ctx)
	disk0, _, _ := diskBytes(o.Data)
	own := ownCPU()
	span := window{o.Load.End.Add(-o.Load.Period - 24*time.Hour), o.Load.End.Add(24 * time.Hour)}
	var already int64
	if o.API != "" {
		var err error
		if already, err = newAPI(o.API, o.Token).count(ctx, span); err != nil {
			r.Errors = append(r.Errors, "counting stored steps: "+err.Error())
		}
	}
	traces, err := send(ctx, o, r)
	if err != nil {
		return r, err
	}
	millions := float64(max(r.Truth.Spans, 1)) / 1e6
	r.GeneratorCPU = (ownCPU() - own) / millions
	after, err := m.settle(ctx, r, already, span)
	if err != nil {
		return r, err
	}
	if before.cpuOK && after.cpuOK {
		r.ServerCPU = new((after.cpu - before.cpu) / millions)
	}
	for k, v := range after.stages {
		if r.Stages == nil {
			r.Stages = map[string]float64{}
		}
		r.Stages[k] = (v - before.stages[k]) / millions
	}
	if after.procOK {
		r.ServerPeak = new(after.proc.peak)
	}
	if o.Data != "" {
		total, by, err := diskBytes(o.Data)
		if err != nil {
			r.Errors = append(r.Errors, "measuring the data folder: "+err.Error())
		} else {
			r.DiskPerSpan, r.Disk = new(float64(total-disk0)/float64(max(r.Truth.Spans, 1))), by
		}
	}
	if o.API != "" && !o.NoReads {
		fmt.Fprintln(o.Progress, "asking")
		r.Reads = newAPI(o.API, o.Token).reads(ctx, traces, window{o.Load.End.Add(-o.Load.Period), o.Load.End})
		if u, ok := procUsage(o.Pid); ok {
			r.ChildPeak = new(u.childRSS)
		}
	}
	return r, nil
}

// send runs the senders until the load is gone.
func send(ctx context.Context, o IngestOptions, r *Report) ([][16]byte, error) {
	s, err := newSender(o.Target, o.Concurrency)
	if err != nil {
		return nil, err
	}
	defer s.close()
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	limiter := rate.NewLimiter(limit, max(o.Load.Batch, int(o.Rate/10)))
	agents := o.Load.AgentsOf()
	fmt.Fprintf(o.Progress, "sending %d spans to %s\n", o.Load.Spans, o.Target.Endpoint)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex // guards r and sample
	var sample []byte
	var accepted atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for w := range o.Concurrency {
		wg.Go(func() {
			var body []byte
			for mine := everyNth(agents, w, o.Concurrency); len(mine) > 0; {
				var left []*Agent
				for _, a := range mine {
					var truth Truth
					body, truth = a.Body(body[:0])
					if truth.Spans == 0 {
						continue
					}
					left = append(left, a)
					if err := limiter.WaitN(ctx, int(truth.Spans)); err != nil {
						return
					}
					busy, res := deliver(ctx, s, body)
					if res.err != nil {
						cancel(res.err)
						return
					}
					accepted.Add(truth.Spans)
					mu.Lock()
					r.Truth.Add(truth)
					r.Bodies++
					r.BodyBytes += int64(len(body))
					r.Busy += busy
					r.Refused += res.rejected
					if r.Bodies%16 == 1 && len(sample) < 32<<20 {
						sample = append(sample, body...)
					}
					mu.Unlock()
				}
				mine = left
			}
		})
	}
	stop := make(chan struct{})
	go progress(o, &accepted, stop)
	wg.Wait()
	close(stop)
	r.SendSeconds = time.Since(start).Seconds()
	if r.Truth.Spans > 0 {
		r.SpansPerSec = float64(r.Truth.Spans) / r.SendSeconds
		r.BytesPerSpan = float64(r.BodyBytes) / float64(r.Truth.Spans)
		r.ZstdPerSpan = float64(zstdSize(sample)) / (float64(len(sample)) / r.BytesPerSpan)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var traces [][16]byte
	for _, a := range agents {
		traces = append(traces, a.Recent()...)
	}
	return traces, nil
}

func everyNth(agents []*Agent, from, step int) []*Agent {
	var out []*Agent
	for i := from; i < len(agents); i += step {
		out = append(out, agents[i])
	}
	return out
}

// deliver sends one body until the server takes it, as a collector would.
func deliver(ctx context.Context, s sender, body []byte) (busy int64, res sendResult) {
	for {
		res = s.send(ctx, body)
		if res.accepted || res.retryAfter == 0 {
			return busy, res
		}
		busy++
		if err := wait(ctx, res.retryAfter); err != nil {
			return busy, sendResult{err: err}
		}
	}
}

func progress(o IngestOptions, accepted *atomic.Int64, stop <-chan struct{}) {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for last := int64(0); ; {
		select {
		case <-stop:
			return
		case <-t.C:
			n := accepted.Load()
			fmt.Fprintf(o.Progress, "%9d spans accepted, %d/s\n", n, (n-last)/5)
			last = n
		}
	}
}

func zstdSize(b []byte) int {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0
	}
	return len(e.EncodeAll(b, nil))
}

// meter reads what the server has used.
type meter struct{ o IngestOptions }

type reading struct {
	cpu    float64
	cpuOK  bool
	proc   usage
	procOK bool
	stages map[string]float64
}

func (m *meter) read(ctx context.Context) reading {
	var r reading
	if m.o.Metrics != "" {
		token := ""
		if m.o.API != "" && strings.HasPrefix(m.o.Metrics, strings.TrimSuffix(m.o.API, "/")+"/") {
			token = m.o.Token // nobody else's page is shown it
		}
		page := metrics(ctx, m.o.Metrics, token)
		r.stages = stages(page)
		r.cpu, r.cpuOK = page["process_cpu_seconds_total"]
	}
	if m.o.Pid != 0 {
		if r.proc, r.procOK = procUsage(m.o.Pid); r.procOK {
			r.cpu, r.cpuOK = r.proc.cpu, true
		}
	}
	return r
}

func (m *meter) idle(ctx context.Context, r *Report) error {
	fmt.Fprintf(m.o.Progress, "watching the idle server for %s\n", m.o.Idle)
	if err := wait(ctx, 2*time.Second); err != nil { // its start is not idling
		return err
	}
	a := m.read(ctx)
	start := time.Now()
	if err := wait(ctx, m.o.Idle); err != nil {
		return err
	}
	b := m.read(ctx)
	if a.cpuOK && b.cpuOK {
		r.IdleCPU = new((b.cpu - a.cpu) / time.Since(start).Seconds())
	}
	if b.procOK {
		r.IdleBytes = new(b.proc.rss)
	}
	return nil
}

// settle waits until the server has stored everything and is quiet: what it
// does after its last answer is part of the cost.
func (m *meter) settle(ctx context.Context, r *Report, already int64, span window) (reading, error) {
	start := time.Now()
	now := m.read(ctx)
	for quiet := 0; quiet < 2 && time.Since(start) < m.o.Settle; {
		if err := wait(ctx, time.Second); err != nil {
			return now, err
		}
		next := m.read(ctx)
		if next.cpu-now.cpu < 0.05 {
			quiet++
		} else {
			quiet = 0
			r.SettleSeconds = time.Since(start).Seconds()
		}
		now = next
		if !now.cpuOK {
			break
		}
	}
	if m.o.API == "" {
		return now, nil
	}
	for {
		n, err := newAPI(m.o.API, m.o.Token).count(ctx, span)
		if err != nil {
			r.Errors = append(r.Errors, "counting stored steps: "+err.Error())
			return now, nil
		}
		r.Stored = new(n - already)
		if *r.Stored == r.Truth.Spans || time.Since(start) > m.o.Settle {
			if *r.Stored != r.Truth.Spans {
				r.Errors = append(r.Errors, fmt.Sprintf("%d spans accepted, %d stored", r.Truth.Spans, *r.Stored))
			}
			return now, nil
		}
		if err := wait(ctx, time.Second); err != nil {
			return now, err
		}
	}
}

// JSON writes the report as one JSON document.
func (r *Report) JSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	line("load", "%s", r.Load)
	line("sent to", "%s", r.Endpoint)
	line("accepted", "%d spans in %d bodies, %.0f B a span (%.0f through zstd alone)", r.Truth.Spans, r.Bodies, r.BytesPerSpan, r.ZstdPerSpan)
	line("speed", "%.0f spans/s over %.1f s; %d busy answers, %d spans refused", r.SpansPerSec, r.SendSeconds, r.Busy, r.Refused)
	line("generator", "%.1f CPU-s a million", r.GeneratorCPU)
	line("server", "%s CPU-s a million, quiet %.1f s after the last answer", orUnknown(r.ServerCPU, "%.1f"), r.SettleSeconds)
	for _, k := range sortedBy(r.Stages) {
		line("  "+k, "%.2f", r.Stages[k])
	}
	line("memory", "%s MB at most; query child %s MB", megabytes(r.ServerPeak), megabytes(r.ChildPeak))
	if r.IdleCPU != nil {
		line("idle", "%.2f %% of a core, %s MB", 100**r.IdleCPU, megabytes(r.IdleBytes))
	}
	line("disk", "%s B a span", orUnknown(r.DiskPerSpan, "%.0f"))
	for _, k := range sortedBy(r.Disk) {
		line("  "+k, "%.1f MB", float64(r.Disk[k])/1e6)
	}
	if r.Stored != nil {
		line("stored", "%d spans by the API's count", *r.Stored)
	}
	for _, l := range r.Reads {
		if l.Error != "" {
			line(l.Name, "failed: %s", l.Error)
			continue
		}
		more := ""
		if l.ServerMS > 0 {
			more = fmt.Sprintf(", server %.1f from %s", l.ServerMS, l.Source)
		}
		line(l.Name, "%.1f ms (p95 %.1f, %d rows%s)", l.MedianMS, l.P95MS, l.Rows, more)
	}
	for _, e := range r.Errors {
		line("error", "%s", e)
	}
	return t.Flush()
}

func orUnknown(v *float64, format string) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf(format, *v)
}

func megabytes(v *int64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f", float64(*v)/(1<<20))
}

func sortedBy[V int64 | float64](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if m[a] != m[b] {
			if m[a] > m[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return keys
}
