package kpi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/internal/fault"
	"reeve/internal/stat"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Ask answers an aggregate question, narrowed to what the asker may see.
type Ask func(ctx context.Context, q telemetry.Query) (*telemetry.Result, error)

// Question says over what figures are computed.
type Question struct {
	From, To time.Time
	Where    map[string]search.Expr // by table: whose records; a table that is absent and not nil in Unasked is all
	Unasked  map[string]string      // tables that cannot be narrowed as asked, with why: their figures are unknown
	Bucket   time.Duration          // 0: the whole period
	By       string                 // a dimension; "" none
	Ledger   *Assumptions           // nil: nobody set any
	// Outside computes what is not in the store (feedback, topics), narrowed as the
	// rest; false where it does not know the definition. nil knows none.
	Outside func(ctx context.Context, id string, q *Question) (cells []Cell, known bool, err error)
}

// Figure is one value with what it rests on. Value is nil when unknown.
type Figure struct {
	Value, Low, High *float64
	N                int64    // records it is from
	Hits             int64    // of a share: those that count
	Coverage         *float64 // n of what there is; nil where it cannot be said
	Why              string   // of an unknown value
}

// Cell is a figure of a time and a group.
type Cell struct {
	At    time.Time // zero without buckets
	Group string
	Figure
}

// Answer is a definition's figures: one without bucket and dimension.
type Answer struct {
	Definition *Definition
	Cells      []Cell
	Took       time.Duration
}

// Whole is the figure over everything that was asked.
func (a *Answer) Whole() Figure {
	if len(a.Cells) == 0 {
		return Figure{Why: "no record"}
	}
	return a.Cells[0].Figure
}

type cellKey struct {
	at    int64
	group string
}

// plan collects the measures of one table, and who reads them.
type plan struct {
	table    string
	measures []telemetry.Measure
	names    map[string]string // what is asked, to its name: asked once
	rows     map[cellKey]map[string]any
	cut      bool // there are more groups than an answer has
}

// add asks for a measure and returns its name.
func (p *plan) add(m telemetry.Measure) string {
	where := ""
	if m.Where != nil {
		where = m.Where.String()
	}
	key := fmt.Sprint(m.Func, "|", m.Field, "|", m.With, "|", m.At, m.Ats, "|", where)
	if name, ok := p.names[key]; ok {
		return name
	}
	m.As = fmt.Sprintf("m%d", len(p.measures))
	p.measures = append(p.measures, m)
	p.names[key] = m.As
	return m.As
}

func (p *plan) count(where search.Expr) string {
	return p.add(telemetry.Measure{Func: "count", Where: where})
}

func (p *plan) of(fn, field, with string, where search.Expr) string {
	return p.add(telemetry.Measure{Func: fn, Field: field, With: with, Where: where})
}

// cell is what a reader sees of one cell of its tables.
type cell map[string]any

func (c cell) number(name string) float64 { v, _ := number(c[name]); return v }
func (c cell) int(name string) int64      { return int64(math.Round(c.number(name))) }

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v)
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// reader makes a figure of a cell; cells are by table.
type reader func(by map[string]cell) Figure

// Evaluate computes definitions with one question a table, and a few more for
// those that are about runs of the same task.
func Evaluate(ctx context.Context, ask Ask, defs []*Definition, q Question) (map[string]*Answer, error) {
	plans := map[string]*plan{}
	at := func(table string) *plan {
		if plans[table] == nil {
			plans[table] = &plan{table: table, names: map[string]string{}, rows: map[cellKey]map[string]any{}}
		}
		return plans[table]
	}
	out := map[string]*Answer{}
	readers := map[string]reader{}
	tables := map[string][]string{} // of a definition
	var apart []*Definition
	for _, d := range defs {
		out[d.ID] = &Answer{Definition: d}
		if why := q.unasked(d); why != "" {
			out[d.ID].Cells = []Cell{{Figure: Figure{Why: why}}}
			continue
		}
		switch {
		case d.Missing != "" && q.Outside == nil:
			out[d.ID].Cells = []Cell{d.missing()}
		case d.Missing != "", d.Repeat != nil, d.Ledger != "":
			apart = append(apart, d)
		default:
			readers[d.ID], tables[d.ID] = d.plan(at)
		}
	}
	began := time.Now()
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(3)
	for _, p := range plans {
		g.Go(func() error { return p.run(inner, ask, &q) })
	}
	for _, d := range apart {
		g.Go(func() error {
			cells, err := d.elsewhere(inner, ask, &q)
			out[d.ID].Cells, out[d.ID].Took = cells, time.Since(began)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for id, read := range readers {
		if slices.ContainsFunc(tables[id], func(t string) bool { return plans[t].cut }) {
			out[id].Cells = []Cell{{Figure: Figure{Why: fmt.Sprintf("there are more values of %s than can be told apart: ask for a shorter period", q.By)}}}
			continue
		}
		out[id].Cells = cells(plans, tables[id], read, &q)
		out[id].Took = time.Since(began)
	}
	return out, nil
}

// missing is the figure of what nobody supplies.
func (d *Definition) missing() Cell {
	return Cell{Figure: Figure{Why: "no data: it needs " + d.Missing}}
}

// elsewhere computes what is not of one question a table.
func (d *Definition) elsewhere(ctx context.Context, ask Ask, q *Question) ([]Cell, error) {
	if d.Missing == "" {
		return d.apart(ctx, ask, q)
	}
	cells, known, err := q.Outside(ctx, d.ID, q)
	if err == nil && (!known || len(cells) == 0) {
		cells = []Cell{d.missing()}
	}
	return cells, err
}

// ShareFigure is a share of k among n with its interval; unknown without any.
func ShareFigure(k, n int64) Figure {
	if n <= 0 {
		return Figure{Why: "no record"}
	}
	v := float64(k) / float64(n)
	low, high := stat.Wilson(k, n)
	return Figure{Value: &v, Low: &low, High: &high, N: n, Hits: k}
}

// MedianFigure is the median of values with the interval of order statistics; with fewer
// than six values it has none. It sorts them.
func MedianFigure(values []float64) Figure {
	n := int64(len(values))
	if n == 0 {
		return Figure{Why: "no record"}
	}
	slices.Sort(values)
	v := (values[(n-1)/2] + values[n/2]) / 2
	f := Figure{Value: &v, N: n}
	below := int64(0) // how many values lie outside on each side, with 2.5 % at most
	for 2*below < n && stat.AtLeast(n-below, n, 0.5) <= 0.025 {
		below++
	}
	if below > 0 {
		f.Low, f.High = &values[below-1], &values[n-below]
	}
	return f
}

// unasked says why a definition cannot be computed as asked; "" it can.
func (q *Question) unasked(d *Definition) string {
	table, _ := d.Records()
	if why := q.Unasked[table]; why != "" {
		return why
	}
	if d.PerRun != nil {
		return q.Unasked["runs"]
	}
	return ""
}

func (q *Question) query(table string) telemetry.Query {
	t := telemetry.Query{Table: table, From: q.From, To: q.To, Where: q.Where[table], Bucket: q.Bucket, NoTests: true}
	if q.By != "" {
		t.GroupBy = []string{q.By}
	}
	return t
}

func (p *plan) run(ctx context.Context, ask Ask, q *Question) error {
	// A question has room for so many measures, and people add figures of their own.
	for part := range slices.Chunk(p.measures, measuresAtOnce) {
		query := q.query(p.table)
		query.Select = part
		res, err := ask(ctx, query)
		if err != nil {
			return err
		}
		p.read(res)
		p.cut = p.cut || res.Cut
	}
	return nil
}

const measuresAtOnce = 100

// read keeps what one question was answered, beside what others were.
func (p *plan) read(res *telemetry.Result) {
	for _, row := range res.Rows {
		var k cellKey
		values := map[string]any{}
		for i, c := range res.Columns {
			switch c.Kind {
			case "time":
				k.at, _ = row[i].(int64)
			case "dimension":
				k.group, _ = row[i].(string)
			default:
				values[c.Name] = row[i]
			}
		}
		if have := p.rows[k]; have != nil {
			maps.Copy(have, values)
		} else {
			p.rows[k] = values
		}
	}
}

// cells reads the figures of a definition from the cells of its tables.
func cells(plans map[string]*plan, tables []string, read reader, q *Question) []Cell {
	keys := map[cellKey]bool{}
	for _, t := range tables {
		for k := range plans[t].rows {
			keys[k] = true
		}
	}
	if q.Bucket == 0 && q.By == "" {
		keys[cellKey{}] = true
	}
	out := make([]Cell, 0, len(keys))
	for k := range keys {
		by := map[string]cell{}
		for _, t := range tables {
			by[t] = plans[t].rows[k]
		}
		c := Cell{Group: k.group, Figure: read(by)}
		if q.Bucket > 0 {
			c.At = time.Unix(0, k.at).UTC()
		}
		out = append(out, c)
	}
	sortCells(out)
	return out
}

func sortCells(list []Cell) {
	slices.SortFunc(list, func(a, b Cell) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(b.N, a.N), cmp.Compare(a.Group, b.Group))
	})
}

// plan asks for what a definition needs and says how it is read.
func (d *Definition) plan(at func(table string) *plan) (reader, []string) {
	switch {
	case d.Share != nil:
		s, p := d.Share, at(d.Share.Table)
		k, n, base := p.count(search.Both(s.of, s.among)), p.count(s.among), p.count(s.base)
		return func(by map[string]cell) Figure {
			c := by[s.Table]
			return share(c.int(k), c.int(n), c.int(base))
		}, []string{s.Table}
	case d.Mean != nil:
		m, p := d.Mean, at(d.Mean.Table)
		n, sum := p.of("count", m.Field, "", m.among), p.of("sum", m.Field, "", m.among)
		square, all := p.of("squares", m.Field, "", m.among), p.count(m.among)
		scale := cmp.Or(m.Scale, 1)
		return func(by map[string]cell) Figure {
			c := by[m.Table]
			mean, low, high, ok := stat.Sums{N: c.int(n), Sum: c.number(sum) / scale, Square: c.number(square) / scale / scale}.Mean()
			return figure(mean, max(low, 0), high, ok, c.int(n), c.int(all))
		}, []string{m.Table}
	case d.Ratio != nil:
		return d.Ratio.plan(at(d.Ratio.Table)), []string{d.Ratio.Table}
	case d.Quantile != nil:
		return d.Quantile.plan(at(d.Quantile.Table)), []string{d.Quantile.Table}
	case d.PerRun != nil:
		r := d.PerRun
		k, n := at(r.Table).count(r.where), at("runs").count(r.among)
		tables := []string{r.Table}
		if r.Table != "runs" {
			tables = append(tables, "runs")
		}
		return func(by map[string]cell) Figure {
			return perRun(by[r.Table].number(k), by["runs"].int(n))
		}, tables
	}
	n := at(d.Count.Table).count(d.Count.among)
	return func(by map[string]cell) Figure {
		v := by[d.Count.Table].number(n)
		half := 1.96 * math.Sqrt(v)
		f := figure(v, max(0, v-half), v+half, true, int64(v), int64(v))
		f.Low, f.High = nil, nil // it was counted, not sampled
		return f
	}, []string{d.Count.Table}
}

func share(k, n, base int64) Figure {
	if n == 0 {
		return Figure{Coverage: covered(0, base), Why: "no record"}
	}
	low, high := stat.Wilson(k, n)
	f := figure(float64(k)/float64(n), low, high, true, n, max(base, n))
	f.Hits = k
	return f
}

func covered(n, of int64) *float64 {
	if of <= 0 {
		return nil
	}
	v := float64(n) / float64(of)
	return &v
}

// figure is a value of n records among all.
func figure(v, low, high float64, ok bool, n, all int64) Figure {
	f := Figure{N: n, Coverage: covered(n, all)}
	if !ok {
		f.Why = "no record"
		return f
	}
	f.Value = &v
	if !math.IsInf(low, 0) && !math.IsInf(high, 0) && !math.IsNaN(low+high) {
		f.Low, f.High = &low, &high
	}
	return f
}

// perRun is a rate of events by run: events come as a Poisson process.
func perRun(events float64, runs int64) Figure {
	if runs == 0 {
		return Figure{Why: "no run"}
	}
	n := float64(runs)
	half := 1.96 * math.Sqrt(events)
	return figure(events/n, max(0, events-half)/n, (events+max(half, 3))/n, true, runs, runs) // none in n: up to 3 in n
}

func (r *Ratio) plan(p *plan) reader {
	n, all := p.of("count", r.Field, "", r.among), p.count(r.among)
	y, yy := p.of("sum", r.Field, "", r.among), p.of("squares", r.Field, "", r.among)
	if r.PerField != "" {
		both := search.Both(r.among, has(r.Table, r.Field), has(r.Table, r.PerField))
		n = p.count(both)
		y, yy = p.of("sum", r.Field, "", both), p.of("squares", r.Field, "", both)
		x, xx, xy := p.of("sum", r.PerField, "", both), p.of("squares", r.PerField, "", both), p.of("products", r.Field, r.PerField, both)
		return func(by map[string]cell) Figure {
			c := by[p.table]
			v, low, high, ok := stat.Ratio(stat.Sums{N: c.int(n), Sum: c.number(y), Square: c.number(yy)}, stat.Sums{N: c.int(n), Sum: c.number(x), Square: c.number(xx)}, c.number(xy))
			return figure(v, max(low, 0), high, ok, c.int(n), c.int(all))
		}
	}
	hit := search.Both(r.among, r.per)
	x, xy := p.of("count", r.Field, "", hit), p.of("sum", r.Field, "", hit)
	return func(by map[string]cell) Figure {
		c := by[p.table]
		v, low, high, ok := stat.Ratio(stat.Sums{N: c.int(n), Sum: c.number(y), Square: c.number(yy)}, stat.Sums{N: c.int(n), Sum: c.number(x), Square: c.number(x)}, c.number(xy))
		f := figure(v, max(low, 0), high, ok, c.int(n), c.int(all))
		if !ok && c.int(n) > 0 {
			f.Why = "nothing to divide by: none of them counts"
		}
		return f
	}
}

// has asks for records that have a measure; nil where every record has it.
func has(table, measure string) search.Expr {
	if _, ok := search.Lookup(scopes[table], fieldOf(measure)); !ok {
		return nil
	}
	return &search.Not{Of: search.Unknown(fieldOf(measure))}
}

// fieldOf is the searchable field of a measure.
func fieldOf(measure string) string {
	if measure == "duration_ms" || measure == "ttft_ms" || measure == "latency_ms" {
		return measure[:len(measure)-3]
	}
	return measure
}

// binUnit is the unit by which the store bins a measure.
func binUnit(field string) string {
	switch {
	case strings.HasSuffix(field, "_ms"):
		return "ms"
	case field == "cost":
		return "usd"
	}
	return ""
}

// plan reads a quantile from bins: a value is right to 0.012 %, and the interval
// reaches from the lower edge of one bin to the upper edge of another.
func (t *Quantile) plan(p *plan) reader {
	all, name := p.count(t.among), p.of("bins", t.Field, "", t.among)
	unit := binUnit(t.Field)
	return func(by map[string]cell) Figure {
		c := by[p.table]
		bins, _ := c[name].(telemetry.Bins)
		n := bins.Total()
		f := Figure{N: n, Coverage: covered(n, c.int(all))}
		key, ok := bins.At(t.At)
		if !ok {
			f.Why = "no record"
			return f
		}
		v := telemetry.BinValue(key, unit)
		f.Value = &v
		if below, above, ok := stat.Ranks(n, t.At); ok {
			lowKey, _ := bins.At(below)
			highKey, _ := bins.At(above)
			low, _ := telemetry.BinBounds(lowKey, unit)
			_, high := telemetry.BinBounds(highKey, unit)
			f.Low, f.High = &low, &high
		}
		return f
	}
}

// apart computes a definition that needs questions of its own.
func (d *Definition) apart(ctx context.Context, ask Ask, q *Question) ([]Cell, error) {
	if d.Ledger != "" {
		return d.ledger(ctx, ask, q)
	}
	return d.Repeat.cells(ctx, ask, q)
}

// resolved are the outcomes that pass.
func resolved(outcome string) bool {
	return outcome == "resolved" || outcome == "verified_resolved" || outcome == "implied_resolved"
}

// same is what runs of one agent and task came to.
type same struct {
	outcomes   map[string]int64
	paths      telemetry.Bins // orders of tool calls
	of, passed int64
}

func (r *Repeat) cells(ctx context.Context, ask Ask, q *Question) ([]Cell, error) {
	query := q.query("runs")
	query.Where = search.Both(query.Where, r.among)
	query.Select = []telemetry.Measure{{Func: "count", As: "n"}}
	split := []string{"agent", "task", "outcome"}
	if r.What == "path" { // orders of tool calls are many: a list for each agent and task
		query.Select = []telemetry.Measure{{Func: "bins", Field: "path", As: "n"}}
		split = split[:2]
	}
	for _, d := range split {
		if d != q.By {
			query.GroupBy = append(query.GroupBy, d)
		}
	}
	res, err := ask(ctx, query)
	if err != nil {
		return nil, err
	}
	if res.Cut { // a figure of some of them would be a wrong one
		return []Cell{{Figure: Figure{Why: fmt.Sprintf("there are more than %d agents, tasks and outcomes in the period: ask for a shorter one, or for one agent", len(res.Rows))}}}, nil
	}
	byCell := map[cellKey]map[string]*same{}
	for _, row := range res.Rows {
		k, dims := q.cellOf(res, row)
		if byCell[k] == nil {
			byCell[k] = map[string]*same{}
		}
		name := dims["agent"] + "\x00" + dims["task"]
		s := byCell[k][name]
		if s == nil {
			s = &same{outcomes: map[string]int64{}}
			byCell[k][name] = s
		}
		last := row[len(row)-1]
		if bins, ok := last.(telemetry.Bins); ok {
			s.of += bins.Total()
			s.paths = bins
			continue
		}
		n, _ := number(last)
		s.add(dims["outcome"], int64(n))
	}
	if q.Bucket == 0 && q.By == "" && len(byCell) == 0 {
		byCell[cellKey{}] = nil
	}
	var out []Cell
	for k, tasks := range byCell {
		c := Cell{Group: k.group, Figure: r.figure(tasks)}
		if q.Bucket > 0 {
			c.At = time.Unix(0, k.at).UTC()
		}
		out = append(out, c)
	}
	sortCells(out)
	return out, nil
}

// cellOf is the cell that a row belongs to, and its dimensions.
func (q *Question) cellOf(res *telemetry.Result, row []any) (k cellKey, dims map[string]string) {
	dims = map[string]string{}
	for i, c := range res.Columns {
		switch c.Kind {
		case "time":
			k.at, _ = row[i].(int64)
		case "dimension":
			dims[c.Name], _ = row[i].(string)
		}
	}
	k.group = dims[q.By]
	return k, dims
}

func (s *same) add(outcome string, n int64) {
	if outcome == "" {
		outcome = "failed" // $known: its root ended in error
	}
	s.of += n
	s.outcomes[outcome] += n
	if resolved(outcome) {
		s.passed += n
	}
}

// counts are how many runs went each way.
func (s *same) counts() []int64 {
	list := make([]int64, 0, len(s.outcomes)+len(s.paths))
	for _, n := range s.outcomes {
		list = append(list, n)
	}
	for _, b := range s.paths {
		list = append(list, b.N)
	}
	return list
}

func (r *Repeat) figure(tasks map[string]*same) Figure {
	var all, used int64
	var trials []stat.Trials
	var counts [][]int64
	var bits, variance, weight float64
	for _, s := range tasks {
		all += s.of
		list := s.counts()
		trials = append(trials, stat.Trials{Passed: s.passed, Of: s.of})
		counts = append(counts, list)
		enough := s.of >= 2
		if r.What == "pass" {
			enough = s.of >= r.K
		}
		if !enough {
			continue
		}
		used += s.of
		if h, _, high, ok := stat.Entropy(list); ok && r.What == "path" {
			w := float64(s.of)
			sd := (high - h) / 1.96
			bits, variance, weight = bits+w*h, variance+w*w*sd*sd, weight+w
		}
	}
	switch r.What {
	case "pass":
		v, low, high, _, ok := stat.PassHat(trials, r.K)
		return unsure(figure(v, low, high, ok, used, all), fmt.Sprintf("no agent and task has %d runs of known outcome", r.K))
	case "spread":
		v, low, high, _, ok := stat.SpreadWithin(counts)
		return unsure(figure(v, low, high, ok, used, all), "no agent and task has two runs of known outcome")
	}
	if weight == 0 {
		return Figure{Coverage: covered(0, all), Why: "no agent and task has two runs"}
	}
	v, half := bits/weight, 1.96*math.Sqrt(variance)/weight
	return figure(v, max(0, v-half), v+half, true, used, all)
}

func unsure(f Figure, why string) Figure {
	if f.Value == nil {
		f.Why = why
	}
	return f
}

func errNoKPI(id string) error {
	return fault.New(fault.KindNotFound, "kpi.not_found", "there is no KPI %.63q", id).WithHint("`reeve kpi list` lists them")
}
