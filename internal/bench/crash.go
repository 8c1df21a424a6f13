package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

// CrashOptions say how a server is killed and checked. Server is required; it
// must not be running.
type CrashOptions struct {
	Server    *Server
	Rounds    int           // how often it is killed [10]
	Seed      uint64        // of the load and of the moments [1]
	Spans     int64         // in all [2,000 a round]
	Between   time.Duration // a kill comes 0.1 to 1.0 of this after the start [1 s]
	Senders   int           // [4]
	Abandon   float64       // share of unanswered bodies that are never resent; they may be there once or not
	SpanBytes int           // [1600]
	Settle    time.Duration // longest wait for the end state [60 s]
	Progress  io.Writer     // nil: none
}

// CrashReport is what was kept, against what was acknowledged.
type CrashReport struct {
	Rounds      int      `json:"rounds"`
	Acked       Truth    `json:"acknowledged"` // of bodies whose answer came
	Abandoned   int64    `json:"abandoned_spans"`
	Resent      int64    `json:"resent_bodies"`
	Runs        int      `json:"runs"`
	Missing     int64    `json:"missing_spans"`          // acknowledged and not there
	Twice       int64    `json:"spans_stored_twice"`     // there more than once
	Foreign     int64    `json:"spans_never_sent"`       // there and never sent
	WrongTotals []string `json:"wrong_totals,omitempty"` // tokens, cost or counts that differ, at most 20
}

// Err is nil when nothing was lost, doubled or miscounted.
func (r *CrashReport) Err() error {
	if r.Missing == 0 && r.Twice == 0 && r.Foreign == 0 && len(r.WrongTotals) == 0 {
		return nil
	}
	return fmt.Errorf("%d acknowledged spans missing, %d stored twice, %d never sent, wrong totals: %q", r.Missing, r.Twice, r.Foreign, r.WrongTotals)
}

// ledger remembers what was sent and what was acknowledged. Safe for
// concurrent use.
type ledger struct {
	mu     sync.Mutex
	spans  map[activity.RunID]map[string]spanFate // by run, then step id
	report *CrashReport
}

type spanFate struct {
	truth Truth
	acked bool
}

func (l *ledger) note(spans []SpanTruth, acked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range spans {
		run := activity.RunOfTrace(s.Trace)
		if l.spans[run] == nil {
			l.spans[run] = map[string]spanFate{}
		}
		l.spans[run][activity.StepOfSpan(s.Trace, s.Span).String()] = spanFate{s.Truth, acked}
		if acked {
			l.report.Acked.Add(s.Truth)
		} else {
			l.report.Abandoned++
		}
	}
}

// Crash starts the server, sends a load, kills the server at random moments
// and starts it again, Rounds times; then it reads everything back through the
// API and compares.
func Crash(ctx context.Context, o CrashOptions) (*CrashReport, error) {
	if o.Rounds == 0 {
		o.Rounds = 10
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Spans == 0 {
		o.Spans = int64(o.Rounds) * 2000
	}
	if o.Between == 0 {
		o.Between = time.Second
	}
	if o.Senders == 0 {
		o.Senders = 4
	}
	if o.SpanBytes == 0 {
		o.SpanBytes = 1600
	}
	if o.Settle == 0 {
		o.Settle = time.Minute
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	report := &CrashReport{}
	l := &ledger{spans: map[activity.RunID]map[string]spanFate{}, report: report}
	if err := o.Server.Start(ctx); err != nil {
		return report, err
	}
	defer func() { _ = o.Server.Stop() }()

	load := Load{Spans: o.Spans, SpanBytes: o.SpanBytes, Seed: o.Seed, Agents: 8, Batch: 100, Cost: true, Period: 2 * time.Hour}.withDefaults()
	agents := load.AgentsOf()
	// The sending is spread over the whole trial, so that every kill hits load.
	pause := time.Duration(float64(o.Between) * 0.7 * float64(o.Rounds) / (float64(o.Spans) / float64(load.Batch) / float64(o.Senders)))
	sendCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range o.Senders {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(o.Seed, uint64(i)+1000))
			if err := crashSender(sendCtx, o, everyNth(agents, i, o.Senders), l, random, pause); err != nil {
				cancel(err)
			}
		})
	}
	sent := make(chan struct{})
	go func() { wg.Wait(); close(sent) }()

	random := rand.New(rand.NewPCG(o.Seed, 7))
	for report.Rounds < o.Rounds && sendCtx.Err() == nil {
		moment := time.Duration((0.1 + 0.9*random.Float64()) * float64(o.Between))
		if err := wait(ctx, moment); err != nil {
			return report, err
		}
		if err := o.Server.Kill(); err != nil {
			return report, fmt.Errorf("killing the server: %w", err)
		}
		report.Rounds++
		fmt.Fprintf(o.Progress, "round %d: killed after %s\n", report.Rounds, moment.Round(time.Millisecond))
		if err := o.Server.Start(ctx); err != nil {
			return report, fmt.Errorf("starting after kill %d: %w", report.Rounds, err)
		}
	}
	<-sent
	if err := context.Cause(sendCtx); err != nil {
		return report, err
	}
	return report, l.compare(ctx, o, newAPI("http://"+o.Server.HTTP, ""), window{load.End.Add(-26 * time.Hour).Truncate(time.Hour), load.End.Add(24 * time.Hour).Truncate(time.Hour)})
}

func crashSender(ctx context.Context, o CrashOptions, agents []*Agent, l *ledger, random *rand.Rand, pause time.Duration) error {
	s, err := newSender(Target{Endpoint: "http://" + o.Server.OTLP}, 1)
	if err != nil {
		return err
	}
	defer s.close()
	var body []byte
	for len(agents) > 0 {
		var left []*Agent
		for _, a := range agents {
			a.KeepSpans = true
			var truth Truth
			if body, truth = a.Body(body[:0]); truth.Spans == 0 {
				continue
			}
			left = append(left, a)
			acked, err := deliverOrAbandon(ctx, s, body, o.Abandon, l, random)
			if err != nil {
				return err
			}
			l.note(a.Last, acked)
			if err := wait(ctx, pause); err != nil {
				return err
			}
		}
		agents = left
	}
	return nil
}

// deliverOrAbandon sends a body until it is acknowledged, or gives up after a
// lost answer with the probability given.
func deliverOrAbandon(ctx context.Context, s sender, body []byte, abandon float64, l *ledger, random *rand.Rand) (acked bool, err error) {
	for first := true; ; first = false {
		res := s.send(ctx, body)
		switch {
		case res.accepted && res.rejected > 0:
			return false, fmt.Errorf("the server refused %d spans of a good body", res.rejected)
		case res.accepted:
			return true, nil
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case res.retryAfter == 0 && first && random.Float64() < abandon:
			return false, nil
		}
		l.mu.Lock()
		l.report.Resent++
		l.mu.Unlock()
		if err := wait(ctx, max(res.retryAfter, 20*time.Millisecond)); err != nil {
			return false, err
		}
	}
}

// compare reads back every run and the totals until they agree with the truth
// or the time for it is over.
func (l *ledger) compare(ctx context.Context, o CrashOptions, a *api, w window) error {
	deadline := time.Now().Add(o.Settle)
	for {
		err := l.compareOnce(ctx, a, w)
		if err != nil && ctx.Err() != nil {
			return err
		}
		// Twice and foreign never heal; missing and totals may be on their way.
		if err == nil && (l.report.Err() == nil || time.Now().After(deadline)) {
			return nil
		}
		if err != nil && time.Now().After(deadline) {
			return err
		}
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

func (l *ledger) compareOnce(ctx context.Context, a *api, w window) error {
	r := l.report
	r.Missing, r.Twice, r.Foreign, r.WrongTotals, r.Runs = 0, 0, 0, nil, len(l.spans)
	var there Truth
	byAgent := map[string]Truth{}
	wrong := func(format string, args ...any) {
		if len(r.WrongTotals) < 20 {
			r.WrongTotals = append(r.WrongTotals, fmt.Sprintf(format, args...))
		}
	}
	for _, run := range slices.SortedFunc(maps.Keys(l.spans), func(x, y activity.RunID) int { return slices.Compare(x[:], y[:]) }) {
		fates := l.spans[run]
		steps, err := a.steps(ctx, run)
		if err != nil {
			return err
		}
		counts := map[string]int{}
		var sum Truth
		agent := ""
		for _, s := range steps {
			counts[s.ID]++
			fate, sent := fates[s.ID]
			switch {
			case !sent:
				r.Foreign++
			case counts[s.ID] > 1:
				r.Twice++
			default:
				sum.Add(fate.truth)
				agent = s.Agent
				if got := stepTruth(s); got != fate.truth {
					wrong("step %s: got %+v, sent %+v", s.ID, got, fate.truth)
				}
			}
		}
		for span, fate := range fates {
			if fate.acked && counts[span] == 0 {
				r.Missing++
			}
		}
		there.Add(sum)
		t := byAgent[agent]
		t.Add(sum)
		byAgent[agent] = t
		if sum.Spans == 0 {
			continue // all of it was abandoned
		}
		var row client.Run
		if err := a.call(ctx, http.MethodGet, "/runs/"+run.String(), nil, &row); err != nil {
			return err
		}
		if got := runTruth(&row); got != sum {
			wrong("run %s: its row says %+v, its steps %+v", row.ID, got, sum)
		}
	}
	// Totals twice: as rollups answer them, by the hour, and as rows do
	// (grouping by kind is beyond the rollups).
	for _, q := range []client.Query{{GroupBy: []string{"agent"}, Bucket: "1h"}, {GroupBy: []string{"agent", "kind"}}} {
		got, source, err := a.totals(ctx, w, q)
		if err != nil {
			return err
		}
		var sum Truth
		for agent, t := range got {
			sum.Add(t)
			if want := byAgent[agent]; !nearly(t, want) {
				wrong("agent %s from %s: got %+v, want %+v", agent, source, t, want)
			}
		}
		if !nearly(sum, there) {
			wrong("all from %s: got %+v, want %+v", source, sum, there)
		}
	}
	return nil
}

// steps pages through a run.
func (a *api) steps(ctx context.Context, run activity.RunID) ([]client.Step, error) {
	var all []client.Step
	for cursor := ""; ; {
		var page client.List[client.Step]
		err := a.call(ctx, http.MethodGet, "/runs/"+run.String()+"/steps?cursor="+url.QueryEscape(cursor), nil, &page)
		var p *client.Problem
		if errors.As(err, &p) && p.Status == http.StatusNotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

func stepTruth(s client.Step) Truth {
	t := Truth{Spans: 1}
	if s.Kind == "model" {
		t.ModelCalls = 1
		t.InputTokens, t.OutputTokens = known(s.Usage.InputTotal), known(s.Usage.OutputTotal)
		t.CostNanos = nanos(s.Cost.Amount)
	}
	return t
}

func runTruth(r *client.Run) Truth {
	return Truth{r.StepCount, r.ModelCalls, known(r.Usage.InputTotal), known(r.Usage.OutputTotal), nanos(r.Cost.Amount)}
}

func known(v *int64) int64 {
	if v == nil {
		return 0
	}
	return *v
}

func nanos(v *float64) int64 {
	if v == nil {
		return 0
	}
	return int64(math.Round(*v * 1e9))
}

// totals asks for sums by agent.
func (a *api) totals(ctx context.Context, w window, q client.Query) (map[string]Truth, string, error) {
	var res client.QueryResult
	q.From, q.Limit = "steps", 10_000
	q.Select = []client.Measure{
		{Func: "count", As: "n"},
		{Func: "sum", Field: "input_tokens", As: "input"},
		{Func: "sum", Field: "output_tokens", As: "output"},
		{Func: "sum", Field: "cost", As: "cost"},
	}
	err := a.call(ctx, http.MethodPost, "/query", w.query(q), &res)
	if err != nil {
		return nil, "", err
	}
	at := map[string]int{}
	for i, c := range res.Columns {
		at[c.Name] = i
	}
	for _, name := range []string{"agent", "n", "input", "output", "cost"} {
		if _, ok := at[name]; !ok {
			return nil, "", fmt.Errorf("the answer to a query has no column %q: %v", name, res.Columns)
		}
	}
	out := map[string]Truth{}
	for _, row := range res.Rows {
		agent, _ := row[at["agent"]].(string)
		cost, _ := row[at["cost"]].(float64)
		t := out[agent]
		t.Add(Truth{Spans: number(row[at["n"]]), InputTokens: number(row[at["input"]]), OutputTokens: number(row[at["output"]]), CostNanos: nanos(&cost)})
		out[agent] = t
	}
	return out, res.Source, nil
}

// nearly compares totals. Model calls are not asked for; money travels as a
// float, which is exact to a nano-unit only within a run.
func nearly(got, want Truth) bool {
	return got.Spans == want.Spans && got.InputTokens == want.InputTokens && got.OutputTokens == want.OutputTokens &&
		math.Abs(float64(got.CostNanos-want.CostNanos)) <= 1e-9*float64(want.CostNanos)+10
}

func crashMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o CrashOptions
	var bin, data string
	var verbose bool
	fs := flag.NewFlagSet("reeve bench crash", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Rounds, "rounds", 10, "how often the server is killed")
	fs.Uint64Var(&o.Seed, "seed", 1, "of the load and of the moments")
	fs.Int64Var(&o.Spans, "spans", 0, "how many spans in all (default: 2,000 a round)")
	fs.DurationVar(&o.Between, "between", time.Second, "longest time between two kills")
	fs.Float64Var(&o.Abandon, "abandon", 0.2, "share of unanswered bodies that are never resent")
	fs.IntVar(&o.Senders, "senders", 4, "connections")
	fs.IntVar(&o.SpanBytes, "span-bytes", 1600, "1600 or 16000")
	fs.StringVar(&bin, "bin", "", "the program to kill (default: this one)")
	fs.StringVar(&data, "data", "", "its data folder (default: a temporary one)")
	fs.BoolVar(&verbose, "server-log", false, "pass on what the server says")
	output := fs.String("o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Progress = stderr
	var log io.Writer
	if verbose {
		log = stderr
	}
	if data == "" {
		dir, cleanup, err := tempDir()
		if err != nil {
			return err
		}
		defer cleanup()
		data = dir
	}
	server, err := NewServer(bin, data, log)
	if err != nil {
		return err
	}
	o.Server = server
	r, err := Crash(ctx, o)
	if r != nil {
		if *output == "json" {
			err = errors.Join(err, writeJSON(stdout, r))
		} else {
			fmt.Fprintf(stdout, "killed %d times; %d spans acknowledged in %d runs, %d abandoned, %d bodies resent\n",
				r.Rounds, r.Acked.Spans, r.Runs, r.Abandoned, r.Resent)
			fmt.Fprintf(stdout, "missing %d, stored twice %d, never sent %d\n", r.Missing, r.Twice, r.Foreign)
			for _, w := range r.WrongTotals {
				fmt.Fprintln(stdout, "wrong:", w)
			}
		}
		if err == nil {
			err = r.Err()
		}
	}
	return err
}
