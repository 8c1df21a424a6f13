package objective

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Store is what is asked about records; a telemetry.Store is one.
type Store interface {
	Run(ctx context.Context, id activity.RunID) (*activity.Run, error)
	Runs(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error)
	Steps(ctx context.Context, id activity.RunID) ([]activity.Step, error)
	Query(ctx context.Context, q telemetry.Query) (*telemetry.Result, error)
}

// Point is a KPI's figure in a slice of time; Value is nil when unknown.
type Point struct {
	At    time.Time
	Value *float64
	N     int64
}

// Part asks for a KPI's figures slice by slice.
type Part struct {
	From, To time.Time
	Slice    time.Duration
	Where    map[string]search.Expr // by table; absent: all

	Agent, Version, Task, Team, Environment string // the same in words; "" all
}

// Indicators are the KPIs that objectives are set on.
type Indicators interface {
	// Indicator finds one; its error is a fault.
	Indicator(id string) (Indicator, error)
	// Figures computes one slice by slice.
	Figures(ctx context.Context, id string, p Part) ([]Point, error)
}

// slack is how far before its end a run may have begun and still be counted in
// the window of its end.
const slack = 7 * 24 * time.Hour

func atTime(field, op string, t time.Time) search.Expr {
	return &search.Cmp{Field: field, Op: op, Values: []string{t.UTC().Format(time.RFC3339Nano)}}
}

// within narrows to records whose time lies in [from, to): the end of runs, the
// beginning of others.
func within(table string, from, to time.Time) search.Expr {
	if table != "runs" {
		return nil // the question's own From and To say it
	}
	return search.Both(atTime("ended", ">=", from), atTime("ended", "<", to))
}

func begins(table string, from time.Time) time.Time {
	if table == "runs" {
		return from.Add(-slack)
	}
	return from
}

// counter asks one question a table about an objective's records.
type counter struct {
	o     *Objective
	in    *Indicator
	store Store
	kpis  Indicators
	teams []string // nil: all
}

func (c *counter) measures(more search.Expr) []telemetry.Measure {
	known := search.Both(c.o.known(c.in), more)
	if c.in.Kind == KindEvents {
		return []telemetry.Measure{{Func: "count", As: "n", Where: search.Both(c.in.Among, more)}}
	}
	return []telemetry.Measure{
		{Func: "count", As: "n", Where: known},
		{Func: "count", As: "good", Where: search.Both(known, c.o.good(c.in))},
		{Func: "count", As: "base", Where: search.Both(c.in.base(), more)},
	}
}

// Group is what a part of the records came to.
type Group struct {
	At   time.Time // zero without buckets
	Name string
	Counts
}

// proved counts runs that ended since a time and passed the door: what telemetry
// alone claims may raise a doubt, and takes back nothing that was done to an agent
// for what it did at the door.
func (c *counter) proved(ctx context.Context, from, to time.Time) (Counts, error) {
	door, err := search.ParseIn(search.ScopeRun, "any(reported_by:gateway)")
	if err != nil {
		return Counts{}, err
	}
	list, err := c.ask(ctx, c.in.Table, from, to, 0, "", c.measures(search.Both(within(c.in.Table, from, to), door)))
	return sum(list), err
}

// groups counts in a time, split by a bucket or a dimension.
func (c *counter) groups(ctx context.Context, from, to time.Time, bucket time.Duration, by string) ([]Group, error) {
	if c.o.Slice > 0 {
		return c.slices(ctx, from, to)
	}
	rows, err := c.ask(ctx, c.in.Table, from, to, bucket, by, c.measures(within(c.in.Table, from, to)))
	if err != nil || c.in.Kind != KindEvents {
		return rows, err
	}
	events, err := c.ask(ctx, c.in.Events, from, to, bucket, by, []telemetry.Measure{{Func: "count", As: "bad", Where: c.in.Where}})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		i := slices.IndexFunc(rows, func(g Group) bool { return g.At.Equal(e.At) && g.Name == e.Name })
		if i < 0 {
			rows = append(rows, Group{At: e.At, Name: e.Name})
			i = len(rows) - 1
		}
		rows[i].Bad = e.Bad
	}
	for i := range rows {
		rows[i].Base = rows[i].N
	}
	return rows, nil
}

func (c *counter) ask(ctx context.Context, table string, from, to time.Time, bucket time.Duration, by string, measures []telemetry.Measure) ([]Group, error) {
	q := telemetry.Query{Table: table, Select: measures, Where: c.o.scope(table), From: begins(table, from), To: to, Bucket: bucket, NoTests: true, Teams: c.teams, Limit: 20_000}
	if by != "" {
		q.GroupBy = []string{by}
	}
	res, err := c.store.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]Group, 0, len(res.Rows))
	for _, row := range res.Rows {
		var g Group
		good, counted := int64(0), false
		for i, col := range res.Columns {
			switch {
			case col.Kind == "time":
				if ns, ok := row[i].(int64); ok {
					g.At = time.Unix(0, ns).UTC()
				}
			case col.Kind == "dimension":
				g.Name, _ = row[i].(string)
			case col.Name == "n":
				g.N = whole(row[i])
			case col.Name == "good":
				good, counted = whole(row[i]), true
			case col.Name == "base":
				g.Base = whole(row[i])
			case col.Name == "bad":
				g.Bad = float64(whole(row[i]))
			}
		}
		if counted {
			g.Bad = float64(g.N - good)
		}
		g.Base = max(g.Base, g.N)
		out = append(out, g)
	}
	return out, nil
}

func whole(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case int:
		return int64(v)
	case float64:
		return int64(math.Round(v))
	case json.Number:
		f, _ := v.Float64()
		return int64(math.Round(f))
	}
	return 0
}

// slices counts slices of time: known are those in which the KPI has a figure.
func (c *counter) slices(ctx context.Context, from, to time.Time) ([]Group, error) {
	from = from.Truncate(c.o.Slice)
	p := Part{From: from, To: to.Truncate(c.o.Slice), Slice: c.o.Slice, Where: map[string]search.Expr{}, Agent: c.o.Agent, Version: c.o.Version, Task: c.o.Task, Team: c.o.Team, Environment: c.o.Environment}
	for _, table := range []string{"runs", "steps", "decisions"} {
		if w := c.o.scope(table); w != nil {
			p.Where[table] = w
		}
	}
	if !p.To.After(p.From) {
		return nil, nil
	}
	points, err := c.kpis.Figures(ctx, c.in.ID, p)
	if err != nil {
		return nil, err
	}
	known := map[int64]bool{}
	var out []Group
	for _, x := range points {
		if x.At.Before(from) || !x.At.Before(p.To) {
			continue
		}
		g := Group{At: x.At, Counts: Counts{Base: 1}}
		if x.Value != nil {
			g.N = 1
			if !c.o.keeps(c.in, *x.Value) {
				g.Bad = 1
			}
		}
		known[x.At.UnixNano()] = true
		out = append(out, g)
	}
	if missing := int64(p.To.Sub(from)/c.o.Slice) - int64(len(known)); missing > 0 {
		out = append(out, Group{At: from, Counts: Counts{Base: missing}})
	}
	slices.SortStableFunc(out, func(x, y Group) int { return x.At.Compare(y.At) })
	return out, nil
}

// keeps reports whether a figure keeps the limit.
func (o *Objective) keeps(in *Indicator, v float64) bool {
	if in.Direction == "down" {
		return v <= *o.Limit
	}
	return v >= *o.Limit
}

// sum adds groups up.
func sum(list []Group) (c Counts) {
	for _, g := range list {
		c.N, c.Bad, c.Base = c.N+g.N, c.Bad+g.Bad, c.Base+g.Base
	}
	return c
}

// recent counts the records of several times that end now with one question: the
// counts are in the times' order. It is not for runs, which are counted as their
// verdicts come.
func (c *counter) recent(ctx context.Context, now time.Time, spans []time.Duration) ([]Counts, error) {
	out := make([]Counts, len(spans))
	longest := slices.Max(spans)
	if c.o.Slice > 0 {
		list, err := c.slices(ctx, now.Add(-longest), now)
		for i, d := range spans {
			from := now.Add(-d).Truncate(c.o.Slice)
			out[i] = sum(slices.DeleteFunc(slices.Clone(list), func(g Group) bool { return g.At.Before(from) }))
		}
		return out, err
	}
	// A minute is the finest that matters, and the coarsest that answers.
	bucket := time.Minute
	for longest/bucket > 5000 {
		bucket *= 5
	}
	list, err := c.groups(ctx, now.Add(-longest), now, bucket, "")
	for i, d := range spans {
		from := now.Add(-d).Truncate(bucket)
		out[i] = sum(slices.DeleteFunc(slices.Clone(list), func(g Group) bool { return g.At.Before(from) }))
	}
	return out, err
}

// verdict says what a run is to the objective: known is false for one that does
// not count, or does not yet.
func (c *counter) verdict(ctx context.Context, now time.Time, run *activity.Run) (good, known bool, err error) {
	var failed error
	var steps []activity.Step
	good, known, err = c.judge(now, run, func() []activity.Step {
		if steps == nil {
			steps, failed = c.store.Steps(ctx, run.ID)
		}
		return steps
	})
	if failed != nil {
		return false, false, failed
	}
	return good, known, err
}

// judge is verdict of a run whose steps load gives.
func (c *counter) judge(now time.Time, run *activity.Run, load func() []activity.Step) (good, known bool, err error) {
	if !c.o.about(run) {
		return false, false, nil
	}
	if known, err = match(c.o.known(c.in), now, run, load); err != nil || !known {
		return false, false, err
	}
	good, err = match(c.o.good(c.in), now, run, load)
	return good, true, err
}

func match(e search.Expr, now time.Time, run *activity.Run, load func() []activity.Step) (bool, error) {
	if e == nil {
		return true, nil
	}
	return search.MatchAt(e, now, run, load)
}

// about reports whether a run lies in the objective's scope, without asking
// anybody.
func (o *Objective) about(r *activity.Run) bool {
	has := func(want, is string) bool { return want == "" || want == is }
	return r.Mode != "test" && has(o.Team, r.Team) && has(o.Environment, r.Environment) && has(o.Agent, r.Agent) && has(o.Version, r.Version) && has(o.Task, r.Task)
}

// minimum is how many labels a sequence needs.
func (s *Stream) minimum() int64 { return cmp.Or(s.Minimum, defaultLabelMin) }
