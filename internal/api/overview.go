package api

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/stat"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// The overview is eight aggregate questions, asked side by side: four about the same
// runs, by time and by agent of the period and of the one before, and four about what
// models and tools did. Everything else here is arithmetic on their answers: what adds
// up is asked once, by the finest groups that are shown.

// overviewAsk is what all of its questions share.
type overviewAsk struct {
	a          *API
	ctx        context.Context // lives as long as the request that asks
	where      search.Expr
	text       string // the same as a search, for links
	from, to   time.Time
	prev       time.Time // the period before starts here and ends at from
	bucket     time.Duration
	concurrent *errgroup.Group
	five       *fiveMarks // of the agents
}

// later asks a question and hands its answer on; the answers do not share
// anything.
func (o *overviewAsk) later(table string, from, to time.Time, where search.Expr, group []string, bucket time.Duration, measures []telemetry.Measure, use func(*answers)) {
	o.concurrent.Go(func() error {
		q := telemetry.Query{Table: table, Select: measures, GroupBy: group, Bucket: bucket, From: from, To: to, Limit: telemetry.MostRows, Binned: true}
		scope := queryTables[table]
		if err := o.a.restrict(o.ctx, &q, scope, search.Both(o.where, where)); err != nil {
			return err
		}
		res, err := o.a.o.Store.Query(o.ctx, q)
		if err != nil {
			return fmt.Errorf("asking %s by %v for the overview: %w", table, group, err)
		}
		if res.Cut && table == "runs" { // figures of a part would be wrong ones
			return fault.New(fault.KindExhausted, "api.too_many_groups", "there are more than %d agents, times and outcomes in the period", len(res.Rows)).WithHint("ask for a shorter period, a longer bucket, or one team")
		}
		use(newAnswers(res))
		return nil
	})
}

// answers reads a result by column name.
type answers struct {
	rows [][]any
	at   map[string]int
	time int
}

func newAnswers(r *telemetry.Result) *answers {
	a := &answers{rows: r.Rows, at: map[string]int{}, time: -1}
	for i, c := range r.Columns {
		a.at[c.Name] = i
		if c.Kind == "time" {
			a.time = i
		}
	}
	return a
}

func (a *answers) text(row []any, name string) string {
	i, ok := a.at[name]
	if !ok {
		return ""
	}
	s, _ := row[i].(string)
	return s
}

// number is a cell's number, nil when unknown.
func (a *answers) number(row []any, name string) *float64 {
	i, ok := a.at[name]
	if !ok {
		return nil
	}
	var f float64
	switch v := row[i].(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case int32:
		f = float64(v)
	case int:
		f = float64(v)
	case uint64:
		f = float64(v)
	default:
		return nil
	}
	if math.IsNaN(f) {
		return nil
	}
	return &f
}

func (a *answers) count(row []any, name string) int64 {
	if f := a.number(row, name); f != nil {
		return int64(*f)
	}
	return 0
}

// outcome is how the runs of a row count.
func (a *answers) outcome(row []any) string {
	failed := false
	if i, ok := a.at["failed"]; ok {
		switch v := row[i].(type) {
		case bool:
			failed = v
		case int64:
			failed = v != 0
		}
	}
	return outcomeOf(a.text(row, "outcome"), a.text(row, "status"), failed)
}

func (a *answers) bucket(row []any) (time.Time, bool) {
	if a.time < 0 {
		return time.Time{}, false
	}
	switch v := row[a.time].(type) {
	case time.Time:
		return v.UTC(), true
	case int64: // ns
		return at(v), true
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		return t, err == nil
	}
	return time.Time{}, false
}

// bins are the values of a row's records by bin.
func (a *answers) bins(row []any, name string) telemetry.Bins {
	i, ok := a.at[name]
	if !ok {
		return nil
	}
	b, _ := row[i].(telemetry.Bins)
	return b
}

var counting = []telemetry.Measure{{Func: "count", As: "count"}}

// outcomeOf is how a run counts: by the outcome that was reported; without one,
// as failed when it ended with its root in error, since that is how an outage
// looks, and else as unknown. A run that is not over has none yet.
func outcomeOf(reported, status string, rootFailed bool) string {
	switch {
	case reported != "" || !over(status):
		return reported
	case rootFailed:
		return outcomeFailed
	}
	return ""
}

const (
	outcomeFailed = "failed"
	// failedRuns is the same rule as a search.
	failedRuns   = "(outcome:failed or outcome:unknown failed:true status:done,stale)"
	failedRule   = "failed: outcome failed, or no outcome and the root ended in error"
	resolvedRuns = "outcome:resolved,verified_resolved,implied_resolved"
	endedStates  = "status:done,stale"
)

// seenInFull are the runs of which nothing is missing.
func seenInFull() search.Expr {
	return search.Both(search.Is("partial", "false"), search.Is("unknown_usage", "0"), search.Is("unknown_cost", "0"))
}

type agentKey struct{ team, agent string }

// agentSums are the counts of one agent over a period.
type agentSums struct {
	runs, running, ended, failed, known, resolved, full int64
	last                                                time.Time
	cost                                                *float64
	p95                                                 *float64
}

// runSums are what runs came to.
type runSums struct {
	n, unpriced         int64
	cost, input, output *float64
	durations           []telemetry.Bins
}

func (r *runSums) add(a *answers, row []any) {
	r.n += a.count(row, "count")
	r.unpriced += a.count(row, "unpriced")
	r.cost, r.input, r.output = plus(r.cost, a.number(row, "cost")), plus(r.input, a.number(row, "input")), plus(r.output, a.number(row, "output"))
	if b := a.bins(row, "durations"); len(b) > 0 {
		r.durations = append(r.durations, b)
	}
}

// settle adds the bins up.
func (r *runSums) settle() { r.durations = []telemetry.Bins{telemetry.AddBins(r.durations...)} }

// quantile is of the durations in milliseconds, once they are settled; nil without any.
func (r *runSums) quantile(q float64) *float64 {
	if len(r.durations) == 0 {
		return nil
	}
	key, ok := r.durations[0].At(q)
	if !ok {
		return nil
	}
	v := telemetry.BinValue(key, "ms")
	return &v
}

// overviewSums are all answers; each field has one writer.
type overviewSums struct {
	outcomes, before []client.OutcomePoint
	byAgent          map[agentKey]*agentSums // written by fill after all answers came
	agentRows        struct{ now, before *answers }
	series           []runSums // by bucket
	totals           runSums
	prev             runSums // written by fill
	said             []feedback.Bucket
	models, tools    [2]*answers
}

func overview(a *API, ctx context.Context, req *client.OverviewRequest) (*client.Overview, error) {
	start := time.Now()
	ask, err := a.overviewAsk(ctx, req)
	if err != nil {
		return nil, err
	}
	var s overviewSums
	ask.all(&s)
	ask.feedback(req, &s)
	seen, err := a.seen(ctx)
	if err != nil {
		return nil, err
	}
	if ask.five, err = a.fiveMarks(ctx, req.Environment); err != nil {
		return nil, err
	}
	if err := ask.concurrent.Wait(); err != nil {
		return nil, err
	}
	s.fill()
	out := &client.Overview{
		From: ask.from, To: ask.to, PreviousFrom: ask.prev, PreviousTo: ask.from, Environment: req.Environment, Team: req.Team,
		Figures: ask.figures(&s), Seen: seen,
		NeedsPerson: a.gather(ctx, req.Environment, req.Team, needsPerson),
		InForce:     a.gather(ctx, req.Environment, req.Team, inForce),
		Outcomes:    client.OverviewOutcomes{BucketMS: ask.bucket.Milliseconds(), Points: s.outcomes, Previous: []int64{}},
		Charts:      ask.charts(&s), Fleet: ask.fleet(&s), Outside: ask.outside(&s),
	}
	for _, p := range s.before {
		out.Outcomes.Previous = append(out.Outcomes.Previous, p.Total)
	}
	for _, sum := range s.byAgent {
		out.Seen.Running += sum.running
	}
	out.Text = ask.sentence(out)
	out.TookMS = float64(time.Since(start).Microseconds()) / 1e3
	return out, nil
}

// maxOverview bounds the period: longer ones are questions for Query.
const maxOverview = 92 * 24 * time.Hour

func (a *API) overviewAsk(ctx context.Context, req *client.OverviewRequest) (*overviewAsk, error) {
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = a.o.Now()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	length := to.Sub(from)
	if length > maxOverview || length < time.Minute {
		return nil, invalid("the overview is of a minute to 92 days").WithHint("POST %s/query answers about longer ones", Prefix)
	}
	o := &overviewAsk{a: a, from: from.UTC(), to: to.UTC(), prev: from.Add(-length).UTC()}
	o.where = search.Both(exactly("environment", req.Environment), exactly("team", req.Team))
	if o.where != nil {
		o.text = o.where.String()
	}
	if req.Bucket != "" {
		ms, err := (search.Field{Type: search.TypeDuration}).Read(req.Bucket, time.Time{})
		if err != nil || ms.Number < 60_000 {
			return nil, invalid("bucket is %q", req.Bucket).WithHint("a minute or more: 15m, 1h")
		}
		o.bucket = time.Duration(ms.Number * 1e6)
	} else {
		for _, b := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour} {
			if o.bucket = b; length/b <= 120 {
				break
			}
		}
	}
	if length/o.bucket > 1000 {
		return nil, invalid("the period has more than 1000 buckets").WithHint("take a longer bucket")
	}
	// Four at once: the engine has two cores and an ear for others.
	o.concurrent, o.ctx = errgroup.WithContext(ctx)
	o.concurrent.SetLimit(4)
	return o, nil
}

// What runs came to, and how long they took: by bin, since bins add up.
var runFigures = []telemetry.Measure{
	{Func: "count", As: "count"},
	{Func: "sum", Field: "cost", As: "cost"},
	{Func: "sum", Field: "input_tokens", As: "input"},
	{Func: "sum", Field: "output_tokens", As: "output"},
	{Func: "bins", Field: "duration_ms", As: "durations"},
}

func (o *overviewAsk) all(s *overviewSums) {
	calls := []telemetry.Measure{
		{Func: "count", As: "count"},
		{Func: "sum", Field: "errors", As: "errors"},
		{Func: "p95", Field: "duration_ms", As: "p95"},
	}
	unpriced := append(slices.Clone(runFigures), telemetry.Measure{Func: "count", As: "unpriced", Where: search.Unknown("cost")})
	o.later("runs", o.from, o.to, nil, runStates, o.bucket, unpriced, func(a *answers) { s.outcomes = o.points(a, o.from, o.to); o.figuresOf(a, s) })
	o.later("runs", o.prev, o.from, nil, runStates, o.bucket, counting, func(a *answers) { s.before = o.points(a, o.prev, o.from) })
	o.agents(s, runFigures)
	now, before := wholeBuckets(o.from, o.to), wholeBuckets(o.prev, o.from)
	before[1] = now[0] // the bucket between the two counts once
	for i, p := range [][2]time.Time{now, before} {
		o.later("steps", p[0], p[1], search.Is("call", "true"), []string{"model"}, 0, calls, func(a *answers) { s.models[i] = a })
		o.later("steps", p[0], p[1], search.Is("kind", "tool"), []string{"tool"}, 0, calls, func(a *answers) { s.tools[i] = a })
	}
}

// wholeBuckets widens a period to whole buckets of rollups, so that what models and
// tools did is read from those: of a period that ends between two minutes, every step
// is read, and there may be ten million. What is not over yet holds nothing.
func wholeBuckets(from, to time.Time) [2]time.Time {
	step := time.Minute
	switch length := to.Sub(from); {
	case length >= 7*24*time.Hour:
		step = time.Hour
	case length >= 6*time.Hour:
		step = 5 * time.Minute
	}
	end := to.Truncate(step)
	if end.Before(to) {
		end = end.Add(step)
	}
	return [2]time.Time{from.Truncate(step), end}
}

// runStates are what tells how a run counts.
var runStates = []string{"outcome", "status", "failed"}

// How the runs of an agent count, as outcomeOf has it, as searches.
var (
	isOver      = search.Is("status", "done", "stale")
	hasOutcome  = &search.Not{Of: search.Unknown("outcome")}
	silentEnd   = search.Both(search.Unknown("outcome"), isOver, search.Is("failed", "true"))
	agentStates = []telemetry.Measure{
		{Func: "count", As: "ended", Where: search.Either(isOver, hasOutcome)},
		{Func: "count", As: "known", Where: search.Either(hasOutcome, silentEnd)},
		{Func: "count", As: "resolved", Where: search.Is("outcome", activity.OutcomeResolved, activity.OutcomeImplied, activity.OutcomeVerified)},
		{Func: "count", As: "failed", Where: search.Either(search.Is("outcome", outcomeFailed), silentEnd)},
		{Func: "count", As: "full", Where: seenInFull()},
		{Func: "max", Field: "started", As: "last"},
	}
)

// agents asks what each agent's runs came to, and some of it of the period before.
func (o *overviewAsk) agents(s *overviewSums, before []telemetry.Measure) {
	byAgent := []string{"team", "agent"}
	perAgent := append([]telemetry.Measure{
		{Func: "count", As: "count"},
		{Func: "sum", Field: "cost", As: "cost"},
		{Func: "bins", Field: "duration_ms", As: "durations"},
	}, agentStates...)
	o.later("runs", o.from, o.to, nil, byAgent, 0, perAgent, func(a *answers) { s.agentRows.now = a })
	o.later("runs", o.prev, o.from, nil, byAgent, 0, before, func(a *answers) { s.agentRows.before = a })
}

// narrow leaves one agent's.
func (o *overviewAsk) narrow(agent string) {
	o.where = search.Both(o.where, search.Is("agent", agent))
	o.text = o.where.String()
}

// points lays counts by outcome and status into buckets; a bucket without runs
// has a point of zeros, since that is known.
func (o *overviewAsk) points(a *answers, from, to time.Time) []client.OutcomePoint {
	first := from.Truncate(o.bucket)
	n := int((to.Sub(first) + o.bucket - 1) / o.bucket)
	out := make([]client.OutcomePoint, n)
	for i := range out {
		out[i].At = first.Add(time.Duration(i) * o.bucket)
	}
	for _, row := range a.rows {
		t, ok := a.bucket(row)
		if !ok {
			continue
		}
		i := int(t.Sub(first) / o.bucket)
		if i < 0 || i >= n {
			continue
		}
		addOutcome(&out[i], a.outcome(row), a.text(row, "status"), a.count(row, "count"))
	}
	return out
}

// figuresOf adds up what the runs of each bucket came to.
func (o *overviewAsk) figuresOf(a *answers, s *overviewSums) {
	s.series = make([]runSums, len(s.outcomes))
	for _, row := range a.rows {
		t, ok := a.bucket(row)
		if i := int(t.Sub(o.from.Truncate(o.bucket)) / o.bucket); ok && i >= 0 && i < len(s.series) {
			s.series[i].add(a, row)
		}
		s.totals.add(a, row)
	}
	for i := range s.series {
		s.series[i].settle()
	}
	s.totals.settle()
}

func addOutcome(p *client.OutcomePoint, outcome, status string, n int64) {
	p.Total += n
	switch outcome {
	case activity.OutcomeResolved, activity.OutcomeImplied:
		p.Resolved += n
	case activity.OutcomeVerified:
		p.Resolved += n
		p.Verified += n
	case activity.OutcomeDeflected:
		p.Deflected += n
	case "contained":
		p.Contained += n
	case "escalated":
		p.Escalated += n
	case "abandoned":
		p.Abandoned += n
	case outcomeFailed:
		p.Failed += n
	default:
		if over(status) {
			p.Unknown += n
		} else {
			p.Running += n
		}
	}
}

func over(status string) bool {
	return status != activity.RunRunning.String() && status != activity.RunWaiting.String()
}

func sumPoints(points []client.OutcomePoint) (t client.OutcomePoint) {
	for _, p := range points {
		t.Resolved += p.Resolved
		t.Verified += p.Verified
		t.Deflected += p.Deflected
		t.Contained += p.Contained
		t.Escalated += p.Escalated
		t.Abandoned += p.Abandoned
		t.Failed += p.Failed
		t.Unknown += p.Unknown
		t.Running += p.Running
		t.Total += p.Total
	}
	return t
}

func knownOutcomes(p client.OutcomePoint) int64 {
	return p.Resolved + p.Contained + p.Deflected + p.Escalated + p.Abandoned + p.Failed
}

func (s *overviewSums) fill() {
	s.byAgent = map[agentKey]*agentSums{}
	a := s.agentRows.now
	for _, row := range a.rows {
		k := agentKey{a.text(row, "team"), a.text(row, "agent")}
		g := s.byAgent[k]
		if g == nil {
			g = &agentSums{}
			s.byAgent[k] = g
		}
		var sums runSums
		sums.add(a, row)
		sums.settle()
		g.runs, g.cost, g.p95 = sums.n, sums.cost, sums.quantile(0.95)
		g.ended, g.failed, g.known, g.resolved, g.full = a.count(row, "ended"), a.count(row, "failed"), a.count(row, "known"), a.count(row, "resolved"), a.count(row, "full")
		g.running = g.runs - g.ended
		if last := a.number(row, "last"); last != nil {
			g.last = at(int64(*last * 1e9))
		}
	}
	for _, row := range s.agentRows.before.rows {
		s.prev.add(s.agentRows.before, row)
	}
	s.prev.settle()
}

func share(id, label, formula, query string, k, n int64) client.Figure {
	f := client.Figure{ID: id, Label: label, Unit: "share", N: n, Formula: formula, Query: query}
	if n > 0 {
		v := float64(k) / float64(n)
		low, high := stat.Wilson(k, n)
		f.Value, f.Low, f.High = &v, &low, &high
	}
	return f
}

func ratio(k, n int64) *float64 {
	if n == 0 {
		return nil
	}
	v := float64(k) / float64(n)
	return &v
}

func (o *overviewAsk) link(more string) string {
	switch {
	case o.text == "":
		return more
	case more == "":
		return o.text
	}
	return o.text + " " + more
}

func plus(a, b *float64) *float64 {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	v := *a + *b
	return &v
}

func (o *overviewAsk) figures(s *overviewSums) []client.Figure {
	now, before := sumPoints(s.outcomes), sumPoints(s.before)
	float := func(n int64) *float64 { f := float64(n); return &f }
	number := func(id, label, unit, formula, query string, v, prev *float64, n int64) client.Figure {
		return client.Figure{ID: id, Label: label, Unit: unit, Value: v, Previous: prev, N: n, Formula: formula, Query: o.link(query)}
	}
	runs := number("runs", "runs", "runs", "runs that started in the period", "", float(now.Total), float(before.Total), now.Total)
	resolved := share("resolved", "resolved", "runs that are resolved, verified or assumed / runs with a known outcome; "+failedRule, o.link(resolvedRuns), now.Resolved, knownOutcomes(now))
	resolved.Previous, resolved.Unknown = ratio(before.Resolved, knownOutcomes(before)), now.Unknown
	var failed, ended, full, seen int64
	for _, g := range s.byAgent {
		failed, ended, full = failed+g.failed, ended+g.ended, full+g.full
		if g.full == g.runs && g.runs > 0 {
			seen++
		}
	}
	ok := share("ended_ok", "ended without failing", "1 - failed runs / runs that ended; "+failedRule, o.link(endedStates+" -"+failedRuns), max(0, ended-failed), ended)
	escalated := number("escalated", "handed to people", "runs", "runs with outcome escalated", "outcome:escalated", float(now.Escalated), float(before.Escalated), knownOutcomes(now))
	escalated.Unknown = now.Unknown
	cost := number("cost", "cost", "usd", "sum of the cost of the runs; those without a price are left out and counted", "cost:*", s.totals.cost, s.prev.cost, now.Total-s.totals.unpriced)
	cost.Unknown = s.totals.unpriced
	perRun := number("cost_per_run", "cost a run", "usd", "cost / runs whose cost is known", "cost:*", nil, nil, cost.N)
	perRun.Unknown = s.totals.unpriced
	if cost.Value != nil && cost.N > 0 {
		v := *cost.Value / float64(cost.N)
		perRun.Value = &v
	}
	tokens := number("tokens", "tokens", "tokens", "input and output tokens of the counted model calls", "", plus(s.totals.input, s.totals.output), plus(s.prev.input, s.prev.output), now.Total)
	p50 := number("p50_ms", "time to result, median", "ms", "p50 of the duration of the runs", "", s.totals.quantile(0.5), s.prev.quantile(0.5), now.Total)
	p95 := number("p95_ms", "time to result, p95", "ms", "p95 of the duration of the runs", "", s.totals.quantile(0.95), s.prev.quantile(0.95), now.Total)
	agents := share("agents_seen", "agents seen in full", "agents all of whose runs have a root, usage and cost / agents", "", seen, int64(len(s.byAgent)))
	agents.Low, agents.High = nil, nil // all agents are counted, none is a sample
	coverage := share("runs_seen", "runs seen in full", "runs with a root, usage and cost / runs", o.link("partial:false unknown_usage:0 unknown_cost:0"), full, now.Total)
	coverage.Low, coverage.High = nil, nil
	return []client.Figure{runs, resolved, ok, escalated, o.satisfied(s), cost, perRun, tokens, p50, p95, agents, coverage}
}

// feedback asks what users said in the period, by the same parts of it.
func (o *overviewAsk) feedback(req *client.OverviewRequest, s *overviewSums) {
	if o.a.o.Feedback == nil {
		return
	}
	o.concurrent.Go(func() (err error) {
		f := feedback.Filter{Team: req.Team, Environment: req.Environment, From: o.from, To: o.to, Visible: feedbackPlaces(whoOf(o.ctx))}
		s.said, err = o.a.o.Feedback.Series(o.ctx, f, o.bucket)
		return err
	})
}

// satisfied is the share of users' words that were good.
func (o *overviewAsk) satisfied(s *overviewSums) client.Figure {
	var good, all int64
	for _, b := range s.said {
		good, all = good+b.Positive, all+b.Positive+b.Neutral+b.Negative
	}
	return share("satisfaction", "satisfaction", "good words / all words that users gave in the period", "", good, all)
}

// satisfaction is its course; without a word it says so.
func (o *overviewAsk) satisfaction(s *overviewSums, n int, first time.Time) client.OverviewChart {
	c := client.OverviewChart{ID: "satisfaction", Title: "Satisfaction", Unit: "share", Series: map[string][]client.ChartPoint{}}
	if len(s.said) == 0 {
		c.Missing = "no feedback reached Reeve in the period"
		return c
	}
	points := make([]client.ChartPoint, n)
	for i := range points {
		points[i].At = first.Add(time.Duration(i) * o.bucket)
	}
	for _, b := range s.said {
		i, all := int(b.At.Sub(first)/o.bucket), b.Positive+b.Neutral+b.Negative
		if i < 0 || i >= n || all == 0 {
			continue
		}
		v := float64(b.Positive) / float64(all)
		points[i].Value, points[i].N = &v, all
	}
	c.Series["satisfaction"] = points
	return c
}

func (o *overviewAsk) charts(s *overviewSums) []client.OverviewChart {
	first := o.from.Truncate(o.bucket)
	n := int((o.to.Sub(first) + o.bucket - 1) / o.bucket)
	series := map[string][]client.ChartPoint{}
	for _, name := range []string{"p50", "p95", "cost_per_run"} {
		points := make([]client.ChartPoint, n)
		for i := range points {
			points[i].At = first.Add(time.Duration(i) * o.bucket)
		}
		series[name] = points
	}
	for i := range s.series[:min(n, len(s.series))] {
		sums := &s.series[i]
		if sums.n == 0 {
			continue
		}
		for name, v := range map[string]*float64{"p50": sums.quantile(0.5), "p95": sums.quantile(0.95)} {
			series[name][i].Value, series[name][i].N = v, sums.n
		}
		if sums.cost != nil {
			v := *sums.cost / float64(sums.n)
			series["cost_per_run"][i].Value, series["cost_per_run"][i].N = &v, sums.n
		}
	}
	none := map[string][]client.ChartPoint{}
	return []client.OverviewChart{
		o.satisfaction(s, n, first),
		{ID: "cost", Title: "Cost a run", Unit: "usd", Series: map[string][]client.ChartPoint{"cost_per_run": series["cost_per_run"]}},
		{ID: "time", Title: "Time to result", Unit: "ms", Series: map[string][]client.ChartPoint{"p50": series["p50"], "p95": series["p95"]}},
		{ID: "minutes", Title: "People's minutes", Unit: "min", Series: none, Missing: "nothing reports people's time yet"},
	}
}
