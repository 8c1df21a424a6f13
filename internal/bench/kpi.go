package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"reeve/client"
	"reeve/internal/telemetry"
)

// KPIOptions shape the measurement of the pages of figures.
type KPIOptions struct {
	Spans    int64
	Data     string // where the server keeps its data; a load that lies there is not sent again
	Bin      string
	Tries    int // of each page
	Progress io.Writer
}

// KPIReport is how long pages of figures took, and whether figures are what the
// raw records add up to.
type KPIReport struct {
	Steps   int64     `json:"steps"`
	Runs    int       `json:"runs"`
	Pages   []Latency `json:"pages"`
	Figures []Recount `json:"figures"`
	Errors  []string  `json:"errors,omitempty"`
	Slowest string    `json:"slowest"`
	MostMS  float64   `json:"slowest_median_ms"`
	// Each page asked for once after the server was started again.
	Restarted   []Latency `json:"after_restart,omitempty"`
	SlowestThen string    `json:"slowest_after_restart,omitempty"`
	MostThenMS  float64   `json:"slowest_after_restart_ms,omitempty"`

	truth  Truth // of the load; without spans when it was not sent
	period [2]time.Time
}

// Recount is a figure beside the same one computed from the raw records.
type Recount struct {
	Name    string  `json:"name"`
	Shown   float64 `json:"shown"`
	Raw     float64 `json:"raw"`
	Allowed float64 `json:"allowed"` // how far they may be apart
}

func (f Recount) same() bool { return math.Abs(f.Shown-f.Raw) <= f.Allowed }

const kpiAim = 300 // ms, a page over a million steps

// Text writes the report for people.
func (r *KPIReport) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "%d steps, %d runs that are over\n\nPAGE\tMEDIAN MS\tP95 MS\tFIRST TIME\tFIRST TIME AFTER A START\n", r.Steps, r.Runs)
	for i, p := range r.Pages {
		then := ""
		if i < len(r.Restarted) {
			then = fmt.Sprintf("%.1f", r.Restarted[i].ColdMS)
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%s\n", p.Name, p.MedianMS, p.P95MS, p.ColdMS, then)
	}
	fmt.Fprintf(t, "slowest\t%.1f\t(aim %d)\t%s\n", r.MostMS, kpiAim, r.Slowest)
	if len(r.Restarted) > 0 {
		fmt.Fprintf(t, "slowest after a start\t%.1f\t(aim %d)\t%s\n", r.MostThenMS, kpiAim, r.SlowestThen)
	}
	fmt.Fprint(t, "\nFIGURE\tSHOWN\tFROM RAW RECORDS\t\n")
	for _, f := range r.Figures {
		word := "same"
		if !f.same() {
			word = "DIFFERS"
		}
		fmt.Fprintf(t, "%s\t%.6f\t%.6f\t%s\n", f.Name, f.Shown, f.Raw, word)
	}
	for _, e := range r.Errors {
		fmt.Fprintf(t, "error\t%s\n", e)
	}
	return t.Flush()
}

func kpiMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o KPIOptions
	var output string
	fs := flag.NewFlagSet("reeve bench kpi", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Int64Var(&o.Spans, "spans", 1_000_000, "how many steps there are")
	fs.IntVar(&o.Tries, "tries", 5, "how often each page is asked for, after a first time that is not counted")
	fs.StringVar(&o.Data, "data", "", "keep the server's data there; a load that lies there is not sent again")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Progress = stderr
	r, err := KPIs(ctx, o)
	if err != nil {
		return err
	}
	if err := report(stdout, output, r); err != nil {
		return err
	}
	if len(r.Errors) > 0 {
		return errors.New(strings.Join(r.Errors, "; "))
	}
	if i := slices.IndexFunc(r.Figures, func(f Recount) bool { return !f.same() }); i >= 0 {
		return fmt.Errorf("%s is shown as %v, and the raw records say %v", r.Figures[i].Name, r.Figures[i].Shown, r.Figures[i].Raw)
	}
	return nil
}

// KPIs fills a server, asks it for every page of figures, and computes figures anew
// from the runs that it lists.
func KPIs(ctx context.Context, o KPIOptions) (*KPIReport, error) {
	if o.Spans < 1000 || o.Tries < 1 {
		return nil, fmt.Errorf("%w: at least 1000 spans, and one try", errUsage)
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	s, cleanup, err := tempServer(ctx, o.Bin, o.Data, nil, io.Discard)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	r := &KPIReport{}
	b := &kpiBench{o: o, raw: newAPI("http://"+s.HTTP, ""), api: client.New("http://"+s.HTTP, ""), r: r}
	if err := b.fill(ctx, s); err != nil {
		return r, err
	}
	if err := b.assume(ctx); err != nil {
		return r, err
	}
	if err := b.pages(ctx); err != nil {
		return r, err
	}
	if err := s.Stop(); err != nil {
		return r, err
	}
	if err := s.Start(ctx); err != nil {
		return r, err
	}
	if err := b.again(ctx); err != nil {
		return r, err
	}
	return r, b.recount(ctx)
}

type kpiBench struct {
	o   KPIOptions
	raw *api
	api *client.Client
	r   *KPIReport
}

// fill sends the load, unless it is there.
func (b *kpiBench) fill(ctx context.Context, s *Server) error {
	now := time.Now()
	wide := window{now.Add(-8 * 24 * time.Hour), now.Add(24 * time.Hour)}
	have, err := b.raw.count(ctx, wide)
	if err != nil {
		return err
	}
	if have < b.o.Spans {
		load := Load{Spans: b.o.Spans, Period: 6 * 24 * time.Hour, End: now, Cost: true, Ends: true}
		sent, err := Ingest(ctx, IngestOptions{Load: load, Target: Target{Endpoint: "http://" + s.OTLP}, API: "http://" + s.HTTP, Pid: s.Pid(), NoReads: true, Progress: b.o.Progress, Settle: 3 * time.Minute})
		if err != nil {
			return err
		}
		if len(sent.Errors) > 0 {
			return errors.New(strings.Join(sent.Errors, "; "))
		}
		b.r.truth = sent.Truth
		if have, err = b.raw.count(ctx, wide); err != nil {
			return err
		}
	}
	b.r.Steps = have
	// Ends before now: what is still being stored is in no figure of either side.
	b.r.period = [2]time.Time{now.Add(-7 * 24 * time.Hour).UTC().Truncate(time.Second), now.Add(-2 * time.Hour).UTC().Truncate(time.Second)}
	return nil
}

var benchWorth = client.ValueAssumptions{
	Source: "bench", Hour: client.Assumption{Value: 48, Low: 40, High: 60},
	Tasks: map[string]client.TaskWorth{
		"":       {Minutes: client.Assumption{Value: 3, Low: 2, High: 4}},
		"refund": {Minutes: client.Assumption{Value: 6, Low: 4, High: 9}, Money: client.Assumption{Value: 0.5, Low: 0, High: 1}},
	},
	Harm:   map[string]client.Assumption{"failed": {Value: 2, Low: 0.5, High: 10}, "abandoned": {Value: 1, Low: 0, High: 3}},
	Reason: "to measure the ledger",
}

// assume puts assumptions in force, unless some are.
func (b *kpiBench) assume(ctx context.Context) error {
	l, err := b.api.GetValueLedger(ctx, client.KPIScope{From: "-1h"})
	if err != nil || l.Assumptions != nil {
		return err
	}
	_, err = b.api.PutAssumptions(ctx, benchWorth)
	return err
}

// each visits every page of figures as the console asks for it, of a period.
func (b *kpiBench) each(ctx context.Context, visit func(name string, ask func(from, to string) error)) error {
	list, err := b.api.ListKPIs(ctx, client.ListKPIsRequest{Definitions: true})
	if err != nil {
		return err
	}
	visit("KPIs", func(from, to string) error {
		_, err := b.api.ListKPIs(ctx, client.ListKPIsRequest{From: from, To: to})
		return err
	})
	visit("KPIs of one agent", func(from, to string) error {
		_, err := b.api.ListKPIs(ctx, client.ListKPIsRequest{From: from, To: to, Agent: "bench-agent-07"})
		return err
	})
	for _, k := range list.Items {
		visit("KPI "+k.ID+" by agent", func(from, to string) error {
			_, err := b.api.GetKPI(ctx, client.KPIRequest{ID: k.ID, From: from, To: to, By: "agent"})
			return err
		})
	}
	visit("value ledger", func(from, to string) error {
		_, err := b.api.GetValueLedger(ctx, client.KPIScope{From: from, To: to})
		return err
	})
	visit("overview", func(from, to string) error {
		_, err := b.api.Overview(ctx, client.OverviewRequest{From: from, To: to})
		return err
	})
	for _, by := range []string{"agent", "model", "day", "task", "outcome"} {
		visit("cost by "+by, func(from, to string) error {
			_, err := b.api.SplitCost(ctx, client.CostSplitRequest{By: by, From: from, To: to})
			return err
		})
	}
	return nil
}

// timed asks for a page of a period that moves on with every try, as time does: no
// page is asked for twice over the same period. A negative answer is none.
func (b *kpiBench) timed(name string, try int, ask func(from, to string) error) float64 {
	d := time.Duration(try) * time.Second
	began := time.Now()
	if err := ask(b.r.period[0].Add(d).Format(time.RFC3339), b.r.period[1].Add(d).Format(time.RFC3339)); err != nil {
		b.r.Errors = append(b.r.Errors, name+": "+err.Error())
		return -1
	}
	return time.Since(began).Seconds() * 1e3
}

// pages asks for every page, a first time and then as often as was said.
func (b *kpiBench) pages(ctx context.Context) error {
	return b.each(ctx, func(name string, ask func(from, to string) error) {
		l := Latency{Name: name}
		var times []float64
		for i := range b.o.Tries + 1 {
			took := b.timed(name, i, ask)
			if took < 0 {
				break
			}
			if i > 0 {
				times = append(times, took)
			} else {
				l.ColdMS = took
			}
		}
		l.MedianMS, l.P95MS = rank(times, 0.5), rank(times, 0.95)
		if l.MedianMS > b.r.MostMS {
			b.r.MostMS, b.r.Slowest = l.MedianMS, name
		}
		b.r.Pages = append(b.r.Pages, l)
		fmt.Fprintf(b.o.Progress, "%s: %.1f ms\n", name, l.MedianMS)
	})
}

// again asks for every page once, of a server that was just started.
func (b *kpiBench) again(ctx context.Context) error {
	return b.each(ctx, func(name string, ask func(from, to string) error) {
		took := b.timed(name, b.o.Tries+1, ask)
		if took > b.r.MostThenMS {
			b.r.MostThenMS, b.r.SlowestThen = took, name
		}
		b.r.Restarted = append(b.r.Restarted, Latency{Name: name, ColdMS: took})
		fmt.Fprintf(b.o.Progress, "%s, after a start: %.1f ms\n", name, took)
	})
}

// recount computes figures from the runs that the server lists, one by one.
func (b *kpiBench) recount(ctx context.Context) error {
	from, to := b.r.period[0].Format(time.RFC3339), b.r.period[1].Format(time.RFC3339)
	var runs []client.Run
	for cursor := ""; ; {
		page, err := b.api.ListRuns(ctx, client.ListRunsRequest{From: from, To: to, Query: "status:done,stale", Limit: 1000, Cursor: cursor})
		if err != nil {
			return err
		}
		runs = append(runs, page.Items...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	b.r.Runs = len(runs)
	raw := addUp(runs)
	list, err := b.api.ListKPIs(ctx, client.ListKPIsRequest{From: from, To: to})
	if err != nil {
		return err
	}
	for _, k := range list.Items {
		want, ok := raw.figures[k.ID]
		if !ok || k.Value == nil {
			continue
		}
		allowed := 1e-9 * max(1, math.Abs(want))
		if k.Unit == "ms" { // read from bins
			allowed = telemetry.BinError * want
		}
		b.r.Figures = append(b.r.Figures, Recount{k.ID, *k.Value, want, allowed})
		if k.ID == "cost_per_run" { // the sum behind the mean, to the cent
			b.r.Figures = append(b.r.Figures, Recount{"cost, all runs", *k.Value * float64(k.N), raw.cost, 0.005})
		}
	}
	if len(b.r.Figures) < len(raw.figures) {
		b.r.Errors = append(b.r.Errors, fmt.Sprintf("%d figures are unknown", len(raw.figures)+1-len(b.r.Figures)))
	}
	l, err := b.api.GetValueLedger(ctx, client.KPIScope{From: from, To: to})
	if err != nil {
		return err
	}
	if l.Net == nil {
		b.r.Errors = append(b.r.Errors, "there is no value ledger")
	} else {
		b.r.Figures = append(b.r.Figures, Recount{"ledger: value", *l.Value, raw.value, 0.005}, Recount{"ledger: models", *l.Cost, raw.knownCost, 0.005},
			Recount{"ledger: harm", *l.Harm, raw.harm, 0.005}, Recount{"ledger: net", *l.Net, raw.value - raw.knownCost - raw.harm, 0.005})
	}
	return errors.Join(b.steps(ctx, runs), b.sent(ctx))
}

// sampled is of how many runs every step is added up.
const sampled = 200

// steps compares what rows of runs say with the steps that they are folded from.
func (b *kpiBench) steps(ctx context.Context, runs []client.Run) error {
	var rows, cost, rowTools, tools float64
	for i := 0; i < len(runs); i += max(1, len(runs)/sampled) {
		r := &runs[i]
		if r.Cost.Amount == nil {
			continue
		}
		list, err := b.api.ListSteps(ctx, client.ListStepsRequest{ID: r.ID})
		if err != nil {
			return err
		}
		rows, rowTools = rows+*r.Cost.Amount, rowTools+float64(r.ToolCalls)
		for j := range list.Items {
			s := &list.Items[j]
			if s.Kind == "tool" {
				tools++
			}
			if s.Cost.Amount != nil {
				cost += *s.Cost.Amount
			}
		}
	}
	b.r.Figures = append(b.r.Figures, Recount{"cost, steps of a sample of runs", rows, cost, 1e-6}, Recount{"tool calls, the same", rowTools, tools, 0})
	return nil
}

// sent compares what is stored with what was sent, where it was sent just now.
func (b *kpiBench) sent(ctx context.Context) error {
	t := b.r.truth
	if t.Spans == 0 {
		return nil
	}
	now := time.Now()
	var res client.QueryResult
	q := window{now.Add(-8 * 24 * time.Hour), now.Add(24 * time.Hour)}.query(client.Query{From: "runs", Select: []client.Measure{
		{Func: "sum", Field: "cost", As: "cost"}, {Func: "sum", Field: "input_tokens", As: "in"}, {Func: "sum", Field: "output_tokens", As: "out"}, {Func: "sum", Field: "model_calls", As: "calls"},
	}})
	if err := b.raw.call(ctx, "POST", "/query", q, &res); err != nil {
		return err
	}
	if len(res.Rows) != 1 {
		return fmt.Errorf("a sum has %d rows", len(res.Rows))
	}
	for i, want := range []float64{float64(t.CostNanos) / 1e9, float64(t.InputTokens), float64(t.OutputTokens), float64(t.ModelCalls)} {
		name := []string{"cost as sent", "input tokens as sent", "output tokens as sent", "model calls as sent"}[i]
		got, _ := res.Rows[0][len(res.Rows[0])-4+i].(float64)
		b.r.Figures = append(b.r.Figures, Recount{name, got, want, 0.005})
	}
	return nil
}

// added is what runs come to.
type added struct {
	figures                      map[string]float64
	cost, knownCost, value, harm float64
}

// addUp is plain arithmetic over runs, apart from the product's own.
func addUp(runs []client.Run) added {
	var a added
	var known, resolved, escalated, abandoned, failed, priced, tokenRuns, tools, steps, toolsPriced float64
	var tokens, input, cached, costKnown, costTools float64
	var durations []float64
	for i := range runs {
		r := &runs[i]
		outcome := ""
		switch {
		case r.Outcome != nil:
			outcome = *r.Outcome
		case r.Failed:
			outcome = "failed"
		}
		done := strings.HasSuffix(outcome, "resolved")
		steps += float64(r.StepCount)
		if r.DurationMS != nil {
			durations = append(durations, *r.DurationMS)
		}
		if c := r.Cost.Amount; c != nil {
			priced++
			a.cost += *c
			costTools += *c
			toolsPriced += float64(r.ToolCalls)
			if outcome != "" {
				costKnown += *c
			}
		}
		if u := r.Usage; u.InputTotal != nil && u.OutputTotal != nil {
			tokenRuns++
			tokens += float64(*u.InputTotal + *u.OutputTotal)
			if u.InputCacheRead != nil {
				input += float64(*u.InputTotal)
				cached += float64(*u.InputCacheRead)
			}
		}
		tools += float64(r.ToolCalls)
		if outcome == "" {
			continue
		}
		known++
		if done || outcome == "contained" { // runs without a word of how they ended are, once they settled
			w, ok := benchWorth.Tasks[r.Task]
			if !ok {
				w = benchWorth.Tasks[""]
			}
			a.value += w.Minutes.Value/60*benchWorth.Hour.Value + w.Money.Value
		}
		switch {
		case done:
			resolved++
		case outcome == "escalated":
			escalated++
		case outcome == "abandoned":
			abandoned++
		case outcome == "failed":
			failed++
		}
		a.harm += benchWorth.Harm[outcome].Value
	}
	a.knownCost = costKnown
	slices.Sort(durations)
	at := func(q float64) float64 { return durations[max(0, int(math.Ceil(q*float64(len(durations))))-1)] }
	n := float64(len(runs))
	a.figures = map[string]float64{
		"runs": n, "steps_per_run": steps / n, "task_completion": resolved / known, "escalation_rate": escalated / known, "abandonment_rate": abandoned / known,
		"failure_rate": failed / known, "cost_per_run": a.cost / priced, "cost_per_action": costTools / toolsPriced, "cost_per_resolved": costKnown / resolved,
		"tokens_per_run": tokens / tokenRuns, "cache_share": cached / input,
	}
	if len(durations) > 0 {
		a.figures["run_latency_p50"], a.figures["run_latency_p95"] = at(0.5), at(0.95)
	}
	return a
}
