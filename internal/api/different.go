package api

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/detect/contrast"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// This file answers what sets a selection of runs apart.

const (
	// mostDifferent is how many runs of each side are looked at, the newest first:
	// shares of so many are known to a percent.
	mostDifferent = 10_000
	// mostPicked is how many runs may be named one by one.
	mostPicked = 1000
	// besideWait is how long each thing that lies beside the runs may take to read;
	// without it the answer says that it was not compared.
	besideWait = 3 * time.Second
)

// selection is what a caller sets against the rest.
type selection struct {
	runs   []activity.Run
	query  telemetry.RunsQuery // without runs
	named  search.Expr         // what the caller wrote; nil when nothing
	byTime bool
}

func different(a *API, ctx context.Context, req *client.DifferentRequest) (*client.Different, error) {
	if req.Limit < 0 || req.Limit > 200 {
		return nil, invalid("limit is %d", req.Limit).WithHint("it must be at least 1 and at most 200")
	}
	if req.From == "" {
		req.From = "-24h"
	}
	all, err := a.runsQuery(ctx, &client.ListRunsRequest{Query: req.Query, From: req.From, To: req.To, Limit: 1000})
	if err != nil {
		return nil, err
	}
	sel, err := a.selected(ctx, req, all)
	if err != nil {
		return nil, err
	}
	c := comparison{table: &contrast.Table{}, of: sel, seen: map[activity.RunID]bool{}}
	out := &client.Different{Items: []client.Difference{}, Measures: []client.DifferentMeasure{}, Unread: []string{}}
	for i := range sel.runs {
		if c.take(&sel.runs[i], true) {
			out.Selected++
		}
	}
	if req.Runs == nil {
		if out.Selected, out.Truncated, err = eachRun(ctx, a.runs, sel.query, mostDifferent, func(r *activity.Run) bool { return c.take(r, true) }); err != nil {
			return nil, err
		}
	}
	rest, more, err := eachRun(ctx, a.runs, all, mostDifferent, func(r *activity.Run) bool { return c.take(r, false) })
	if err != nil {
		return nil, err
	}
	out.Rest, out.Truncated = rest, out.Truncated || more
	if out.Selected > 0 && out.Rest > 0 {
		if out.Unread, err = a.beside(ctx, &c); err != nil {
			return nil, err
		}
	}
	for i := range c.rows {
		c.table.Add(c.rows[i].has, c.rows[i].selected)
	}
	for _, d := range c.table.Rank(orDefault(req.Limit, 20)) {
		out.Items = append(out.Items, client.Difference{
			Name: d.Name, Value: d.Value, Selected: d.Selected, Rest: d.Rest, Share: d.Share, RestShare: d.RestShare,
			Effect: d.Effect, Low: d.Low, High: d.High, Lift: d.Lift, P: d.P,
		})
	}
	for _, m := range c.table.Measures() {
		out.Measures = append(out.Measures, client.DifferentMeasure{
			Name: m.Name, Selected: m.Selected, Rest: m.Rest, Median: figure(m.Median), RestMedian: figure(m.RestMedian), P95: figure(m.P95),
			RestP95: figure(m.RestP95), P: m.P, Clear: m.Clear,
		})
	}
	return out, nil
}

func figure(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// selected reads what a request selects, among all.
func (a *API) selected(ctx context.Context, req *client.DifferentRequest, all telemetry.RunsQuery) (s selection, err error) {
	words := strings.TrimSpace(req.Selection) != ""
	s.byTime = req.SelectedFrom != "" || req.SelectedTo != ""
	switch {
	case req.Runs != nil && (words || s.byTime):
		return s, invalid("the selection is runs by their ids and a search or a time").WithHint("give one of them")
	case len(req.Runs) > mostPicked:
		return s, invalid("%d runs are selected", len(req.Runs)).WithHint("at most %d by their ids; select more by a search or a stretch of time", mostPicked)
	case len(req.Runs) == 0 && !words && !s.byTime:
		return s, invalid("the selection is empty").WithHint("a search that holds for some of the runs, such as status:error or duration>10s, a stretch of time, or ids of runs")
	}
	for _, id := range req.Runs {
		run, err := a.run(ctx, id)
		if err != nil {
			return s, err
		}
		s.runs = append(s.runs, *run)
	}
	if req.Runs != nil {
		return s, nil
	}
	some, err := a.runsQuery(ctx, &client.ListRunsRequest{Query: req.Selection, From: req.From, To: req.To, Limit: 1000})
	if err != nil {
		return s, err
	}
	if words {
		s.named = some.Filter
	}
	if s.byTime {
		from, to, err := a.period(req.SelectedFrom, req.SelectedTo)
		if err != nil {
			return s, err
		}
		if from.After(some.From) {
			some.From = from
		}
		if !to.IsZero() && (some.To.IsZero() || to.Before(some.To)) {
			some.To = to
		}
		if !some.To.IsZero() && !some.From.Before(some.To) {
			return s, fault.New(fault.KindInvalid, "api.period", "the selected stretch lies outside of the period")
		}
	}
	// Words of the query are looked for in the selection too: where they may be read.
	if all.Content && !some.Content {
		some.Teams = all.Teams
	}
	some.Filter, some.Content = search.Both(all.Filter, some.Filter), all.Content || some.Content
	s.query = some
	return s, nil
}

// comparison gathers the rows of both sides.
type comparison struct {
	table *contrast.Table
	of    selection
	seen  map[activity.RunID]bool // selected
	rows  []compared
}

// compared is a run as it is compared, with what leads to what lies beside it.
type compared struct {
	run      activity.RunID
	start    int64
	team     string
	sources  []string
	has      []contrast.Attribute
	selected bool
}

// take notes a run for one side; false for one that does not count there.
func (c *comparison) take(r *activity.Run, selected bool) bool {
	if r.Flags&activity.FlagJoined != 0 || c.seen[r.ID] {
		return false // told by another run, or on the other side
	}
	if selected {
		c.seen[r.ID] = true
	}
	c.rows = append(c.rows, compared{run: r.ID, start: r.Start, team: r.Team, sources: r.Sources, has: attributes(r, &c.of), selected: selected})
	number := func(name string, v int64, per float64) {
		if v != activity.Unknown && !c.of.names(name, strings.TrimSuffix(name, "_ms")) {
			c.table.Number(name, float64(v)/per, selected)
		}
	}
	if r.End != activity.Unknown && r.End >= r.Start {
		number("duration_ms", r.End-r.Start, 1e6)
	}
	if r.Cost.Basis != activity.CostUnknown {
		number("cost", r.Cost.Nanos, 1e9)
	}
	number("input_tokens", r.Usage.InputTotal, 1)
	number("output_tokens", r.Usage.OutputTotal, 1)
	number("steps", r.Steps, 1)
	number("model_calls", r.ModelCalls, 1)
	number("tool_calls", r.ToolCalls, 1)
	number("errors", r.Errors, 1)
	return true
}

// names reports whether the selection is itself made by one of the fields: that it
// differs by them says nothing.
func (s *selection) names(fields ...string) bool {
	return s.named != nil && search.Names(s.named, fields...)
}

// attributes are the properties of a run that may set it apart, but for those
// that the selection itself is made by.
func attributes(r *activity.Run, selection *selection) (out []contrast.Attribute) {
	add := func(name string, values ...string) {
		if selection.names(name, strings.Replace(name, "label:", search.PrefixLabel, 1)) {
			return
		}
		for _, v := range values {
			if v != "" {
				out = append(out, contrast.Attribute{Name: name, Value: v})
			}
		}
	}
	add("agent", r.Agent)
	add("version", r.Version)
	add("task", r.Task)
	add("environment", r.Environment)
	add("team", r.Team)
	add("mode", r.Mode)
	add("status", r.Status.String())
	add("outcome", r.Outcome)
	add("error_type", r.ErrorType)
	add("user", r.User)
	add("session", r.Session)
	add("model", r.Models...)
	add("tool", r.Tools...)
	add("source", r.Sources...)
	add("tag", r.Tags...)
	add("dialect", r.Dialects...)
	for _, l := range r.Labels {
		add("label:"+l.Key, l.Value)
	}
	if !selection.byTime {
		add("hour", time.Unix(0, r.Start).UTC().Format("15h"))
	}
	return out
}

// beside adds to the rows what does not lie in runs: the prompts that were sent,
// the policies that took part, the versions of what was read. What cannot be read
// in time is named.
func (a *API) beside(ctx context.Context, c *comparison) (unread []string, err error) {
	unread = []string{}
	at := make(map[activity.RunID]*compared, len(c.rows))
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range c.rows {
		r := &c.rows[i]
		at[r.run], from, to = r, min(from, r.start), max(to, r.start)
	}
	for _, beside := range []struct {
		name string
		read func(context.Context) error
	}{
		{"prompt", func(ctx context.Context) error {
			return a.ofRuns(ctx, telemetry.Query{
				Table: "messages", GroupBy: []string{"run", "hash"}, Where: &search.Or{Of: []search.Expr{search.Is("field", "system"), search.Is("role", "system")}},
			}, from, to, func(run activity.RunID, value string) {
				if r := at[run]; r != nil && value != "" {
					r.has = append(r.has, contrast.Attribute{Name: "prompt", Value: value[:min(12, len(value))]})
				}
			})
		}},
		{"policy", func(ctx context.Context) error {
			return a.ofRuns(ctx, telemetry.Query{Table: "decisions", GroupBy: []string{"run", "policies"}}, from, to, func(run activity.RunID, value string) {
				if r := at[run]; r != nil {
					for _, p := range strings.Fields(value) {
						r.has = append(r.has, contrast.Attribute{Name: "policy", Value: p})
					}
				}
			})
		}},
		{"source_version", func(ctx context.Context) error { return a.readVersions(ctx, c.rows) }},
	} {
		within, cancel := context.WithTimeout(ctx, besideWait)
		err := beside.read(within)
		cancel()
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			// The answer stays correct without it, and says that it is missing.
			a.o.Logger.WarnContext(ctx, "runs are compared without something beside them", "what", beside.name, "err", err)
			unread = append(unread, beside.name)
		}
	}
	return unread, nil
}

// beforeRun is how long before and after its runs' starts things beside them lie.
const (
	beforeRun = time.Hour
	afterRun  = 24 * time.Hour
)

// ofRuns asks for the values of something by run.
func (a *API) ofRuns(ctx context.Context, q telemetry.Query, from, to int64, take func(run activity.RunID, value string)) error {
	var only search.Expr
	q.Teams, only = reachOf(whoOf(ctx), identity.Viewer)
	q.Where, q.Limit = search.Both(q.Where, only), telemetry.MostRows
	q.From, q.To = time.Unix(0, from).Add(-beforeRun), time.Unix(0, to).Add(afterRun)
	q.Select = []telemetry.Measure{{Func: "count", As: "n"}}
	res, err := a.o.Store.Query(ctx, q)
	if err != nil {
		return err
	}
	if res.Cut {
		return fault.New(fault.KindExhausted, "api.too_many", "there are more than %d of them", telemetry.MostRows)
	}
	for _, row := range res.Rows {
		var id activity.RunID
		name, _ := row[0].(string)
		value, _ := row[1].(string)
		if telemetry.ParseUUID(name, (*[16]byte)(&id)) {
			take(id, value)
		}
	}
	return nil
}

// mostVersioned bounds the sources whose versions are looked up.
const mostVersioned = 50

// readVersions adds the version in which runs read what they read: the one that was
// there when each began.
func (a *API) readVersions(ctx context.Context, rows []compared) error {
	if a.o.Sources == nil {
		return nil
	}
	type key struct{ team, name string }
	known := map[key][]client.SourceVersion{}
	for i := range rows {
		r := &rows[i]
		for _, name := range r.sources {
			k := key{r.team, strings.ToLower(name)}
			all, ok := known[k]
			if !ok {
				if len(known) >= mostVersioned {
					return fault.New(fault.KindExhausted, "api.too_many", "there are more than %d sources", mostVersioned)
				}
				var err error
				if all, err = a.o.Sources.Versions(ctx, r.team, name); err != nil {
					return err
				}
				known[k] = all
			}
			start := time.Unix(0, r.start)
			if j := slices.IndexFunc(all, func(v client.SourceVersion) bool { return !v.At.After(start) }); j >= 0 {
				r.has = append(r.has, contrast.Attribute{Name: "source_version", Value: name + " " + all[j].Version})
			}
		}
	}
	return nil
}
