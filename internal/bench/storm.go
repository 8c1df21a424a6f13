package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"reeve/internal/alert"
	"reeve/internal/control"
	"reeve/internal/incident"
)

// StormOptions shape a storm of alerts made from faults of known truth.
type StormOptions struct {
	Rate     int           // reports a second; 0 is 10,000
	Seconds  int           // 0 is 60
	Request  int           // reports in one request; 0 is 20
	Faults   int           // 0 is 24
	Agents   int           // 0 is 60
	Seed     uint64        // 0 is 1
	Flush    time.Duration // between writes of incidents; 0 is the product's
	HTTP     bool          // through the door of alerts of a server in a process of its own
	Bin      string        // that server's program; "" is this one
	Progress io.Writer
}

// StormReport is what became of a storm.
type StormReport struct {
	Reports     int     `json:"reports"`
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"per_second"`
	Alerts      int     `json:"alerts"`    // different ones
	Faults      int     `json:"faults"`    // that made more than one alert
	Lone        int     `json:"lone"`      // alerts of no fault
	Incidents   int     `json:"incidents"` // at the end
	Compression float64 `json:"compression"`
	Precision   float64 `json:"pairwise_precision"`
	Recall      float64 `json:"pairwise_recall"`
	F1          float64 `json:"pairwise_f1"`
	Unexplained int     `json:"unexplained"` // joins without a reason
	PlacedP50   float64 `json:"placed_p50_ms"`
	PlacedP99   float64 `json:"placed_p99_ms"`
	StoredP50   float64 `json:"stored_p50_ms"`
	StoredP99   float64 `json:"stored_p99_ms"`
	Absorbed    int64   `json:"absorbed"`
	Samples     int     `json:"samples,omitempty"` // alerts whose way was followed, over HTTP
	Turned      int64   `json:"turned,omitempty"`  // requests that were told to come again, and did
}

// Text writes the report for people.
func (r *StormReport) Text(w io.Writer) error {
	if r.Samples > 0 {
		_, err := fmt.Fprintf(w, `%d reports over HTTP in %.1f s (%.0f/s), %d requests told to come again; %d different alerts of %d faults, %d of none
%d incidents: compression %.1f %% of alerts, pairwise precision %.3f, recall %.3f, F1 %.3f
from sending to being in an incident that the API shows, ms, of %d alerts: p50 %.1f, p99 %.1f
`, r.Reports, r.Seconds, r.PerSecond, r.Turned, r.Alerts, r.Faults, r.Lone, r.Incidents, 100*r.Compression, r.Precision, r.Recall, r.F1, r.Samples, r.StoredP50, r.StoredP99)
		return err
	}
	_, err := fmt.Fprintf(w, `%d reports in %.1f s (%.0f/s), %d different alerts of %d faults, %d of none
%d incidents: compression %.1f %% of alerts, pairwise precision %.3f, recall %.3f, F1 %.3f; %d joins without a reason; %d incidents were taken into others
from arrival to being in an incident, ms: p50 %.1f, p99 %.1f; until that is stored: p50 %.1f, p99 %.1f
`, r.Reports, r.Seconds, r.PerSecond, r.Alerts, r.Faults, r.Lone, r.Incidents, 100*r.Compression, r.Precision, r.Recall, r.F1, r.Unexplained, r.Absorbed, r.PlacedP50, r.PlacedP99, r.StoredP50, r.StoredP99)
	return err
}

func stormMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o StormOptions
	var asJSON bool
	fs := flag.NewFlagSet("reeve bench storm", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Rate, "rate", 10_000, "reports a second")
	fs.IntVar(&o.Seconds, "seconds", 60, "how long")
	fs.IntVar(&o.Request, "request", 20, "reports in one request")
	fs.IntVar(&o.Faults, "faults", 24, "faults that make alerts")
	fs.IntVar(&o.Agents, "agents", 60, "agents of the fleet")
	fs.Uint64Var(&o.Seed, "seed", 1, "of the fleet, the faults and their order")
	fs.BoolVar(&o.HTTP, "http", false, "send over HTTP to a server in a process of its own")
	fs.StringVar(&o.Bin, "bin", "", "with --http, the program to measure (default: this one)")
	fs.BoolVar(&asJSON, "json", false, "write the report as JSON")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	storm := Storm
	if o.HTTP {
		storm = StormHTTP
	}
	r, err := storm(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(stdout).Encode(r)
	}
	return r.Text(stdout)
}

func (o StormOptions) withDefaults() StormOptions {
	o.Rate, o.Seconds, o.Request, o.Faults, o.Agents = cmp.Or(o.Rate, 10_000), cmp.Or(o.Seconds, 60), cmp.Or(o.Request, 20), cmp.Or(o.Faults, 24), cmp.Or(o.Agents, 60)
	o.Seed = cmp.Or(o.Seed, 1)
	return o
}

// stormAlert is one alert of the storm with its truth.
type stormAlert struct {
	report alert.Report
	fault  int // -1: of none
	from   int // ms since the beginning when it first fires
}

// stormFleet makes a fleet and faults in it, and the alerts that monitoring sends
// of them: each affected agent has symptoms of several kinds, from several pods.
func stormFleet(o StormOptions) []stormAlert {
	rng := rand.New(rand.NewPCG(o.Seed, 7))
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	type agent struct {
		name, team, provider, model, source, version, cluster string
		tools                                                 []string
	}
	providers := map[string][]string{"openai": {"gpt-4o", "gpt-4o-mini", "o3"}, "anthropic": {"claude-sonnet", "claude-haiku"}, "google": {"gemini-pro", "gemini-flash"}, "mistral": {"mistral-large"}}
	names := []string{"openai", "anthropic", "google", "mistral"}
	agents := make([]agent, o.Agents)
	for i := range agents {
		a := agent{name: fmt.Sprintf("agent-%02d", i), team: fmt.Sprintf("team-%d", i%6), version: fmt.Sprintf("v%d", 1+rng.IntN(9)), source: fmt.Sprintf("source-%d", rng.IntN(14)), cluster: fmt.Sprintf("cluster-%d", rng.IntN(3))}
		a.provider = pick(names)
		a.model = pick(providers[a.provider])
		for range 3 {
			a.tools = append(a.tools, fmt.Sprintf("srv%02d__tool%d", rng.IntN(20), rng.IntN(4)))
		}
		agents[i] = a
	}
	var out []stormAlert
	ms := o.Seconds * 1000
	add := func(fault int, at int, a *agent, name, text, severity string, extra map[string]string, pods int) {
		for pod := range pods {
			labels := map[string]string{"alertname": name, "severity": severity, "pod": fmt.Sprintf("pod-%d", pod)}
			if a != nil {
				labels["agent"], labels["team"], labels["cluster"] = a.name, a.team, a.cluster
			}
			maps.Copy(labels, extra)
			out = append(out, stormAlert{alert.Report{Key: fmt.Sprint(labels), State: alert.Firing, Severity: severity, Title: text, Labels: labels}, fault, min(at+rng.IntN(6000), ms-1)})
		}
	}
	users := func(uses func(*agent) bool) (out []*agent) {
		for i := range agents {
			if uses(&agents[i]) {
				out = append(out, &agents[i])
			}
		}
		return out
	}
	taken := map[string]bool{} // one cause makes one fault
	for f := 0; f < o.Faults; {
		at := rng.IntN(max(1, ms*2/3))
		some := &agents[rng.IntN(len(agents))]
		kind := []string{"tool", "server", "provider", "source", "version", "loop", "cost", "policy", "quality"}[rng.IntN(9)]
		cause := kind + some.name
		switch kind {
		case "tool", "server":
			cause = "server" + some.tools[0][:5]
		case "provider":
			cause = "provider" + some.provider
		case "source":
			cause = "source" + some.source
		case "policy":
			cause = "policy" + some.team
		}
		if taken[cause] {
			if len(taken) > 4*o.Agents {
				break
			}
			taken[fmt.Sprint("again", len(taken))] = true
			continue
		}
		taken[cause] = true
		pods := 6 + rng.IntN(10)
		switch kind {
		case "tool":
			for _, a := range users(func(a *agent) bool { return slices.Contains(a.tools, some.tools[0]) }) {
				add(f, at, a, "ToolErrors", "tool errors over 20 %", "warning", map[string]string{"tool": some.tools[0]}, pods)
				add(f, at+2000, a, "RunFailures", "runs of the agent fail", "critical", nil, pods)
			}
		case "server":
			server := some.tools[0][:5]
			add(f, at, nil, "ProbeFailed", "probe failed: server is down", "critical", map[string]string{"upstream": server}, 2)
			for _, a := range users(func(a *agent) bool {
				return slices.ContainsFunc(a.tools, func(t string) bool { return t[:5] == server })
			}) {
				for _, t := range a.tools {
					if t[:5] == server {
						add(f, at+500, a, "ToolTimeouts", "tool calls run into timeouts", "warning", map[string]string{"tool": t}, pods)
					}
				}
				add(f, at+3000, a, "RunLatency", "run latency p95 doubled", "warning", nil, pods)
			}
		case "provider":
			for _, a := range users(func(a *agent) bool { return a.provider == some.provider }) {
				add(f, at, a, "ModelErrors", "model errors: 529 overloaded", "critical", map[string]string{"model": a.model, "provider": a.provider}, pods)
				add(f, at+2500, a, "RunFailures", "runs of the agent fail", "critical", nil, pods)
			}
		case "source":
			add(f, at, nil, "SourceStale", "source is stale: its job was skipped", "warning", map[string]string{"source": some.source}, 2)
			for _, a := range users(func(a *agent) bool { return a.source == some.source }) {
				add(f, at+2000, a, "AnswerQuality", "answer quality dropped", "warning", map[string]string{"source": some.source}, pods)
			}
		case "version":
			add(f, at, some, "RunFailures", "runs of the agent fail since its new version", "critical", map[string]string{"version": some.version}, pods)
			add(f, at+1500, some, "ErrorClass", "a new kind of error appears", "warning", map[string]string{"version": some.version}, pods)
		case "loop":
			add(f, at, some, "Loop", "loop: the same call repeated", "critical", nil, pods)
			add(f, at+2000, some, "CostOfRun", "cost of a run over budget", "warning", map[string]string{"model": some.model, "provider": some.provider}, pods)
		case "cost":
			add(f, at, some, "CostRunaway", "spend runs away", "critical", map[string]string{"model": some.model, "provider": some.provider}, pods)
			add(f, at+1000, some, "ContextGrowth", "context grows: tokens per call doubled", "warning", nil, pods)
		case "policy":
			for _, a := range users(func(a *agent) bool { return a.team == some.team }) {
				add(f, at, a, "Denials", "denials up: policy forbids what it did before", "warning", map[string]string{"policy": "policy-" + some.team}, pods)
			}
		case "quality":
			add(f, at, some, "AnswerQuality", "answer quality dropped", "warning", nil, pods)
			add(f, at+2000, some, "Complaints", "unhappy users: complaints up", "warning", nil, pods)
		}
		f++
	}
	// Alerts of nothing in particular, of agents that have no fault or have one.
	lone := len(out) / 200
	for i := range lone {
		a := &agents[rng.IntN(len(agents))]
		add(-1-i, rng.IntN(ms), a, pick([]string{"CertExpiry", "DiskFilling", "UnknownDestination"}), pick([]string{"certificate expires in 9 days", "disk fills up", "unknown destination seen"}), "info", map[string]string{"host": fmt.Sprintf("host-%d", i)}, 1)
	}
	slices.SortStableFunc(out, func(x, y stormAlert) int { return cmp.Compare(x.from, y.from) })
	// An alert is known by its labels: what two faults would both set off fires once,
	// for the first of them.
	fires := map[string]bool{}
	return slices.DeleteFunc(out, func(a stormAlert) bool {
		if fires[a.report.Key] {
			return true
		}
		fires[a.report.Key] = true
		return false
	})
}

// stormWatch notes when each alert was placed and stored.
type stormWatch struct {
	mu      sync.Mutex
	arrived map[string]time.Time
	waiting map[string]time.Time // placed, not stored
	placed  []time.Duration
	stored  []time.Duration
}

// Storm sends a storm through the alerts and into incidents, as the process does:
// each request is durable before it is answered, alerts are followed by sequence,
// incidents are stored together.
func Storm(ctx context.Context, o StormOptions) (*StormReport, error) {
	o = o.withDefaults()
	dir, err := os.MkdirTemp("", "reeve-storm-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	db, err := control.Open(ctx, filepath.Join(dir, "control.db"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	moved := make(chan struct{}, 1)
	alerts, err := alert.New(ctx, alert.Options{DB: db, Match: func(_ string, l map[string]string) (string, string, string) { return l["agent"], l["team"], "label" }, Committed: func() {
		select {
		case moved <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		return nil, err
	}
	book, err := incident.New(ctx, incident.Options{DB: db, FlushEvery: o.Flush})
	if err != nil {
		return nil, err
	}
	list := stormFleet(o)
	w := &stormWatch{arrived: map[string]time.Time{}, waiting: map[string]time.Time{}}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	var followers sync.WaitGroup
	followers.Go(func() { w.follow(follow, alerts, book, moved) })
	followers.Go(func() { w.flush(follow, book) })
	began := time.Now()
	sent, err := w.send(ctx, alerts, list, o, began)
	took := time.Since(began)
	if err != nil {
		return nil, err
	}
	if err := w.settle(ctx, len(list)); err != nil {
		return nil, err
	}
	stop()
	followers.Wait()
	r, err := judgeStorm(ctx, book, list)
	if err != nil {
		return nil, err
	}
	r.Reports, r.Seconds, r.PerSecond = sent, took.Seconds(), float64(sent)/took.Seconds()
	stats, _ := book.Stats()
	r.Absorbed = stats.Absorbs
	slices.Sort(w.placed)
	slices.Sort(w.stored)
	at := func(d []time.Duration, q float64) float64 {
		if len(d) == 0 {
			return 0
		}
		return float64(d[min(len(d)-1, int(q*float64(len(d))))]) / 1e6
	}
	r.PlacedP50, r.PlacedP99, r.StoredP50, r.StoredP99 = at(w.placed, 0.5), at(w.placed, 0.99), at(w.stored, 0.5), at(w.stored, 0.99)
	return r, nil
}

// send keeps the rate by the clock: what fires is told again and again, as
// monitoring does.
func (w *stormWatch) send(ctx context.Context, alerts *alert.Book, list []stormAlert, o StormOptions, began time.Time) (int, error) {
	const senders = 8
	total := o.Rate * o.Seconds
	next := 0 // of list: not fired yet
	again := 0
	from := alert.Sender{Source: "storm", Kind: "alertmanager", Environment: "production"}
	requests := make(chan []alert.Report, senders)
	var failed error
	var once sync.Once
	var work sync.WaitGroup
	for range senders {
		work.Go(func() {
			for reports := range requests {
				if err := alerts.Take(ctx, from, reports); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	sent := 0
	for sent < total && ctx.Err() == nil {
		now := time.Since(began)
		due := min(int(now.Seconds()*float64(o.Rate)), total)
		if due-sent < o.Request {
			pause := time.NewTimer(time.Millisecond)
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
			continue
		}
		for sent < due {
			batch := make([]alert.Report, 0, o.Request)
			arrival := time.Now()
			for len(batch) < o.Request {
				switch {
				case next < len(list) && time.Duration(list[next].from)*time.Millisecond <= now:
					rep := list[next].report
					rep.At = arrival
					w.mu.Lock()
					w.arrived[alert.ID("storm", rep.Key)] = arrival
					w.mu.Unlock()
					batch = append(batch, rep)
					next++
				case next > 0:
					rep := list[again%next].report
					again++
					batch = append(batch, rep)
				default:
					batch = append(batch, alert.Report{Key: "heartbeat", State: alert.Resolved, Title: "heartbeat"})
				}
			}
			sent += len(batch)
			requests <- batch
		}
	}
	// What the clock left over still fires.
	for ; next < len(list); next++ {
		rep := list[next].report
		rep.At = time.Now()
		w.mu.Lock()
		w.arrived[alert.ID("storm", rep.Key)] = rep.At
		w.mu.Unlock()
		requests <- []alert.Report{rep}
		sent++
	}
	close(requests)
	work.Wait()
	return sent, errors.Join(failed, ctx.Err())
}

// follow is what the process does with alerts that moved.
func (w *stormWatch) follow(ctx context.Context, alerts *alert.Book, book *incident.Book, moved chan struct{}) {
	var after int64
	for {
		list, last, err := alerts.Moved(ctx, after, 1000)
		if err != nil {
			return
		}
		if last == after {
			select {
			case <-ctx.Done():
				return
			case <-moved:
			}
			continue
		}
		signals := make([]incident.Signal, len(list))
		for i := range list {
			signals[i] = incident.OfAlert(&list[i], func(_, name string) string { return name })
		}
		book.TakeFrom(ctx, "alerts", last, signals)
		after = last
		now := time.Now()
		w.mu.Lock()
		for i := range list {
			if at, ok := w.arrived[list[i].ID]; ok && !at.IsZero() {
				w.placed = append(w.placed, now.Sub(at))
				w.waiting[list[i].ID] = at
				w.arrived[list[i].ID] = time.Time{}
			}
		}
		w.mu.Unlock()
	}
}

// flush is incident.Book.Run with an eye on what it stored.
func (w *stormWatch) flush(ctx context.Context, book *incident.Book) {
	tick := time.NewTicker(incident.DefaultFlush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		taken := w.waiting
		w.waiting = map[string]time.Time{}
		w.mu.Unlock()
		if book.Flush(ctx) != nil {
			return
		}
		now := time.Now()
		w.mu.Lock()
		for _, at := range taken {
			w.stored = append(w.stored, now.Sub(at))
		}
		w.mu.Unlock()
	}
}

// settle waits until everything is stored.
func (w *stormWatch) settle(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		w.mu.Lock()
		have := len(w.stored)
		w.mu.Unlock()
		if have >= want {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d alerts are in incidents after a minute", have, want)
		}
	}
}

// judgeStorm compares incidents with the truth, pair by pair of alerts.
func judgeStorm(ctx context.Context, book *incident.Book, list []stormAlert) (*StormReport, error) {
	fault := map[string]int{}
	size := map[int]int{}
	for _, a := range list {
		fault[alert.ID("storm", a.report.Key)] = a.fault
		size[a.fault]++
	}
	r := &StormReport{Alerts: len(fault)}
	for f := range size {
		if f >= 0 {
			r.Faults++
		} else {
			r.Lone++
		}
	}
	incidents, err := book.List(ctx, incident.Filter{States: []string{incident.Open}, Limit: 500}, nil)
	if err != nil {
		return nil, err
	}
	groups := make([][]int, 0, len(incidents))
	for _, i := range incidents {
		members, err := book.Members(ctx, i.ID, 1_000_000)
		if err != nil {
			return nil, err
		}
		var of []int
		for _, m := range members {
			if f, ok := fault[m.Fingerprint]; ok {
				of = append(of, f)
				if len(m.Reasons) == 0 {
					r.Unexplained++
				}
			}
		}
		groups = append(groups, of)
	}
	r.compare(groups, size)
	return r, nil
}

// compare judges incidents, each as the faults of its alerts, pair by pair; size is
// how many alerts each fault has.
func (r *StormReport) compare(groups [][]int, size map[int]int) {
	r.Incidents = len(groups)
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	var together, right, all float64
	for _, n := range size {
		all += pairs(n)
	}
	for _, of := range groups {
		by := map[int]int{}
		for _, f := range of {
			by[f]++
		}
		together += pairs(len(of))
		for _, k := range by {
			right += pairs(k)
		}
	}
	if together > 0 {
		r.Precision = right / together
	}
	if all > 0 {
		r.Recall = right / all
	}
	if r.Precision+r.Recall > 0 {
		r.F1 = 2 * r.Precision * r.Recall / (r.Precision + r.Recall)
	}
	if r.Alerts > 0 {
		r.Compression = 1 - float64(r.Incidents)/float64(r.Alerts)
	}
}
