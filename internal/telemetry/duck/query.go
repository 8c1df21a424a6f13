package duck

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

const (
	maxGroups   = 20_000
	maxMeasures = 160 // the catalogue of KPIs asks for its figures of a table at once
)

// Query answers an aggregate question: from rollups when they hold everything
// it names, else from rows through DuckDB.
func (s *Store) Query(ctx context.Context, q telemetry.Query) (*telemetry.Result, error) {
	began := time.Now()
	if len(q.Select) == 0 {
		q.Select = []telemetry.Measure{{Func: "count"}}
	}
	q.Select = slices.Clone(q.Select)
	for i := range q.Select {
		if m := &q.Select[i]; m.As == "" {
			m.As = strings.Trim(m.Func+"_"+m.Field, "_")
		}
	}
	if err := checkQuery(&q); err != nil {
		return nil, err
	}
	res, ok, err := s.queryRollups(ctx, &q)
	if !ok && err == nil {
		res, err = s.queryRows(ctx, &q)
	}
	if err != nil {
		return nil, err
	}
	res.Took = time.Since(began)
	return res, nil
}

func checkQuery(q *telemetry.Query) error {
	if len(q.Select) > maxMeasures || len(q.GroupBy) > 8 {
		return badQuery("a query has at most %d measures and 8 dimensions", maxMeasures)
	}
	if q.Bucket < 0 || q.Bucket > 0 && q.Bucket < time.Second {
		return badQuery("a bucket is a second or longer")
	}
	seen := map[string]bool{"time": q.Bucket > 0}
	names := slices.Clone(q.GroupBy)
	for _, m := range q.Select {
		names = append(names, m.As)
	}
	for _, n := range names {
		if seen[n] || n == "" || len(n) > 64 {
			return badQuery("the name %q stands twice or is none", n)
		}
		seen[n] = true
	}
	if o := strings.TrimPrefix(q.OrderBy, "-"); o != "" && !seen[o] {
		return badQuery("order_by %s is neither a measure nor a dimension of the query", o)
	}
	return nil
}

// dimension and measureOf give columns of SQL by table.
var dimensions = map[string]map[string]string{
	tableRuns: {
		"agent": "agent", "team": "team", "environment": "environment", "status": "status", "outcome": "outcome", "version": "version",
		"user": `"user"`, "session": "session", "error_type": "error_type", "task": "task", "mode": "mode", "name": "name", "sender": "sender", "failed": "failed", "path": "path", "run": "run::VARCHAR",
	},
	tableSteps: {
		"agent": "agent", "team": "team", "environment": "environment", "status": "status", "version": "version", "user": `"user"`,
		"session": "session", "error_type": "error_type", "task": "task", "model": "model", "tool": "tool", "kind": "kind", "provider": "provider",
		"name": "name", "service": "service", "finish_reason": "finish_reason", "dialect": "dialect", "outcome": "outcome", "model_requested": "model_requested",
		"currency": "currency", "run": "run::VARCHAR", "call": "concat_ws(' ', sid, span, trace::VARCHAR, slo)", "at": "start::VARCHAR",
		"run_user": "run_user", "run_session": "run_session", "run_task": "run_task", "run_version": "run_version", "run_outcome": "run_outcome",
	},
	tableDecisions: decisionDimensions,
	tableMessages:  {"agent": "agent", "team": "team", "environment": "environment", "role": "role", "field": "field", "format": "format", "run": "run::VARCHAR", "hash": "lower(lpad(to_hex(hash), 16, '0'))"},
	tableLogs:      {"agent": "agent", "service": "service", "session": "session", "severity": "severity", "event": "event", "scope": "scope"},
}

// namesOf lists what may be named, for a hint.
func namesOf[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

type measureColumn struct{ expr, unit string }

var measures = map[string]map[string]measureColumn{
	tableRuns: {
		"duration_ms": {"duration / 1e6", "ms"}, "cost": {"cost / 1e9", "usd"}, "tokens": {"tokens", "tokens"},
		"input_tokens": {"input_tokens", "tokens"}, "output_tokens": {"output_tokens", "tokens"},
		"cache_read_tokens": {"cache_read_tokens", "tokens"}, "cache_write_tokens": {"cache_write_tokens", "tokens"},
		"reasoning_tokens": {"reasoning_tokens", "tokens"}, "steps": {"steps", "count"}, "errors": {"errors", "count"},
		"model_calls": {"model_calls", "count"}, "tool_calls": {"tool_calls", "count"}, "logs": {"logs", "count"},
		"failed": {"failed::INT", "count"}, "waiting_ms": {"coalesce(waiting, 0) / 1e6", "ms"}, "started": {"start / 1e9", "s"}, "unknown_usage": {"unknown_usage", "count"}, "unknown_cost": {"unknown_cost", "count"},
		"run": {"run", "count"}, "session": {"nullif(session, '')", "count"}, "user": {`nullif("user", '')`, "count"}, "agent": {"nullif(agent, '')", "count"},
		"path": {"coalesce(path_hash, 0)", "path"}, "tool_successes": {"coalesce(acted, 0)", "count"},
	},
	tableSteps: {
		"duration_ms": {"duration / 1e6", "ms"}, "ttft_ms": {"ttft / 1e6", "ms"}, "cost": {"CASE WHEN counted THEN cost END / 1e9", "usd"},
		"tokens":       {"CASE WHEN counted THEN " + stepTokens + " END", "tokens"},
		"input_tokens": {"CASE WHEN counted THEN input_tokens END", "tokens"}, "output_tokens": {"CASE WHEN counted THEN output_tokens END", "tokens"},
		"cache_read_tokens":  {"CASE WHEN counted THEN cache_read_tokens END", "tokens"},
		"cache_write_tokens": {"CASE WHEN counted THEN cache_write_tokens END", "tokens"},
		"reasoning_tokens":   {"CASE WHEN counted THEN reasoning_tokens END", "tokens"},
		"errors":             {"(status = 'error')::INT", "count"}, "calls": {"call::INT", "count"},
		"run": {"run", "count"}, "session": {"nullif(session, '')", "count"}, "user": {`nullif("user", '')`, "count"},
		"agent": {"nullif(agent, '')", "count"}, "model": {"nullif(model, '')", "count"}, "tool": {"nullif(tool, '')", "count"},
	},
	tableDecisions: decisionMeasures,
	tableMessages:  {"size": {"size", "bytes"}, "run": {"run", "count"}, "hash": {"hash", "count"}},
	tableLogs:      {"run": {"run", "count"}, "errors": {"(severity >= 17)::INT", "count"}},
}

var scopes = map[string]search.Scope{
	tableRuns: search.ScopeRun, tableSteps: search.ScopeStep, tableMessages: search.ScopeMessage, tableLogs: search.ScopeLog,
	tableDecisions: search.ScopeDecision,
}

func (q *queryPlan) measure(m telemetry.Measure) (expr, unit string, err error) {
	if m.Func == "count" && m.Field == "" {
		return "count(*)", "count", nil
	}
	if m.Func == "rate" && m.Field == "" {
		seconds := q.seconds()
		return fmt.Sprintf("count(*) / %f", seconds), "per_second", nil
	}
	c, ok := measures[q.Table][m.Field]
	if !ok {
		return "", "", badQuery("%s has no measure %s", q.Table, m.Field).WithHint("%s", namesOf(measures[q.Table]))
	}
	switch m.Func {
	case "squares":
		return "sum((" + c.expr + ") * (" + c.expr + "))::DOUBLE", c.unit, nil
	case "products":
		with, ok := measures[q.Table][m.With]
		if !ok {
			return "", "", badQuery("%s has no measure %s", q.Table, m.With).WithHint("%s", namesOf(measures[q.Table]))
		}
		return "sum((" + c.expr + ")::DOUBLE * (" + with.expr + "))::DOUBLE", c.unit, nil
	case "quantiles":
		list := make([]string, len(m.Ats))
		for i, at := range m.Ats {
			if !(at >= 0 && at <= 1) {
				return "", "", badQuery("a quantile is from 0 to 1")
			}
			list[i] = fmt.Sprintf("%.9f", at)
		}
		return fmt.Sprintf("quantile_disc(%s, [%s])", c.expr, strings.Join(list, ", ")), c.unit, nil
	case "bins":
		return binsSQL(c, q.few), c.unit, nil
	case "quantile":
		if !(m.At >= 0 && m.At <= 1) {
			return "", "", badQuery("a quantile is from 0 to 1")
		}
		return fmt.Sprintf("quantile_disc(%s, %.9f)::DOUBLE", c.expr, m.At), c.unit, nil
	case "count":
		return "count(" + c.expr + ")", "count", nil
	case "sum":
		return "sum(" + c.expr + ")::DOUBLE", c.unit, nil
	case "avg", "min", "max":
		return m.Func + "(" + c.expr + ")::DOUBLE", c.unit, nil
	case "distinct":
		return "count(DISTINCT " + c.expr + ")", "count", nil
	case "rate": // the share of rows, or the sum by second for counts
		if m.Field == "errors" || m.Field == "failed" {
			return "avg(" + c.expr + ")::DOUBLE", "ratio", nil
		}
		return fmt.Sprintf("sum(%s)::DOUBLE / %f", c.expr, q.seconds()), "per_second", nil
	case "p50", "p90", "p95", "p99":
		// Exact: approx_quantile is the slower one in DuckDB.
		return fmt.Sprintf("quantile_disc(%s, 0.%s)::DOUBLE", c.expr, m.Func[1:]), c.unit, nil
	}
	return "", "", badQuery("there is no function %s", m.Func)
}

// filtered is a measure of the rows that its own condition selects: a column of
// chosen.
func (q *queryPlan) filtered(m telemetry.Measure, w *where, scope search.Scope, chosen *conditionColumns) (expr, unit string, err error) {
	expr, unit, err = q.measure(m)
	if err != nil || m.Where == nil {
		return strings.ReplaceAll(expr, here, ""), unit, err
	}
	cond, err := chosen.of(m.Where, w, scope)
	if err != nil {
		return "", "", err
	}
	if strings.Contains(expr, here) {
		return strings.ReplaceAll(expr, here, " FILTER (WHERE "+cond+")"), unit, nil
	}
	// Between the aggregate and what is done with it (a cast, a division).
	end := strings.LastIndexByte(expr, ')') + 1
	return expr[:end] + " FILTER (WHERE " + cond + ")" + expr[end:], unit, nil
}

// conditionColumns are conditions of measures, each once: a catalogue of figures asks
// for sixty measures under twenty conditions, some of which look into steps.
type conditionColumns struct {
	names map[string]string // of the column, by condition
	cols  []string
}

func (c *conditionColumns) of(e search.Expr, w *where, scope search.Scope) (string, error) {
	key := e.String()
	if name, ok := c.names[key]; ok {
		return name, nil
	}
	cond, err := w.cond(e, scope)
	if err != nil {
		return "", err
	}
	name := quoteName(fmt.Sprint("where ", len(c.cols))) // no column of a table has a space
	if c.names == nil {
		c.names = map[string]string{}
	}
	c.names[key] = name
	c.cols = append(c.cols, "("+cond+") AS "+name)
	return name, nil
}

// runsWith adds to runs what lies in their steps, where a question names it: the
// order in which each called its tools, how many of these calls went well, and how
// long it waited for people.
func (src *source) runsWith(q *telemetry.Query) string {
	from := src.from(tableRuns)
	join := func(column, expr, of string) {
		from = "(SELECT t.*, p." + column + " FROM " + from + " t LEFT JOIN (SELECT run, " + expr + " AS " + column + " FROM " +
			src.from(tableSteps) + " WHERE " + of + " GROUP BY run) p ON t.run = p.run)"
	}
	kind := func(k activity.Kind) string { return "kind = '" + k.String() + "'" }
	if slices.Contains(q.GroupBy, "path") {
		join("path", "left(string_agg(tool, ' > ' ORDER BY start, sid), 500)", kind(activity.KindTool))
	}
	if names(q, "path") {
		from = "(SELECT t.*, o.path_hash FROM " + from + " t LEFT JOIN (" + src.paths() + ") o ON t.run = o.run)"
	}
	if names(q, "waiting_ms") {
		join("waiting", "sum(duration)", kind(activity.KindHuman))
	}
	if names(q, "tool_successes") {
		join("acted", "count(*)", kind(activity.KindTool)+" AND status = 'ok'")
	}
	return from
}

// ofRuns are dimensions of steps that lie in their runs: a span seldom repeats who
// its run is for. What a step says itself comes first.
var ofRuns = map[string]string{
	"run_user":    `coalesce(nullif(t."user", ''), x."user")`,
	"run_session": "coalesce(nullif(t.session, ''), x.session)",
	"run_task":    "coalesce(nullif(t.task, ''), x.task)",
	"run_version": "coalesce(nullif(t.version, ''), CASE WHEN x.agent = t.agent THEN x.version END)",
	"run_outcome": "x.outcome",
}

// earlier is how long before a period the runs of its steps may have begun.
const earlier = 7 * 24 * time.Hour

// stepsWith adds to steps what a question names of their runs.
func (src *source) stepsWith(q *telemetry.Query, runs *source) string {
	var add []string
	for _, d := range q.GroupBy {
		if expr, ok := ofRuns[d]; ok {
			add = append(add, expr+" AS "+d)
		}
	}
	return "(SELECT t.*, " + strings.Join(add, ", ") + " FROM " + src.from(tableSteps) + " t LEFT JOIN " + runs.from(tableRuns) + " x ON t.run = x.run)"
}

// joinsRuns reports a question about steps that names something of their runs.
func joinsRuns(q *telemetry.Query) bool {
	return q.Table == tableSteps && slices.ContainsFunc(q.GroupBy, func(d string) bool { return ofRuns[d] != "" })
}

type queryPlan struct {
	*telemetry.Query
	now  time.Time
	keep bool      // the answer is worth keeping
	and  *timePart // a part of the time that is asked together with From to To; nil: none
	few  bool      // rows are so few that bins are counted here
}

// seconds is the length of a bucket, else of the period.
func (q *queryPlan) seconds() float64 {
	d := q.Bucket
	if d == 0 {
		to := q.To
		if to.IsZero() {
			to = q.now
		}
		if !q.From.IsZero() {
			d = to.Sub(q.From)
		}
	}
	return max(d.Seconds(), 1)
}

func (s *Store) queryRows(ctx context.Context, query *telemetry.Query) (*telemetry.Result, error) {
	if _, ok := scopes[query.Table]; !ok {
		return nil, badQuery("there is no table %s", query.Table)
	}
	if query.Table == tableRuns || query.NoTests || joinsRuns(query) {
		s.settleRuns()
	}
	now := s.o.Now()
	if parts := partsOf(query, now, s.moves); len(parts) > 1 {
		if res, err := s.queryParts(ctx, query, parts, now); err != nil || res != nil {
			return res, err
		}
	}
	return s.queryPart(ctx, &queryPlan{Query: query, now: now})
}

// queryPart answers from rows with one statement.
func (s *Store) queryPart(ctx context.Context, q *queryPlan) (*telemetry.Result, error) {
	src, err := s.sourceOf(ctx, q, q.From, q.To)
	if err != nil {
		return nil, err
	}
	defer src.release()
	w := &where{now: q.now, content: q.Content, from: src.from, within: src.within}
	scanned := src.rows(q.Table)
	from, done := s.rowsFrom(q, src, q.From, q.To)
	defer done()
	spans := q.during(w, q.From, q.To)
	if q.and != nil {
		other, err := s.sourceOf(ctx, q, q.and.from, q.and.to)
		if err != nil {
			return nil, err
		}
		defer other.release()
		both := src.with(other)
		w.from, w.within = both.from, both.within
		scanned = both.rows(q.Table)
		more, done := s.rowsFrom(q, other, q.and.from, q.and.to)
		defer done()
		// Each half has its files and its time, so that little of them is read.
		from = "(SELECT * FROM " + from + " WHERE " + all(spans) + " UNION ALL BY NAME SELECT * FROM " + more + " WHERE " + all(q.during(w, q.and.from, q.and.to)) + ")"
		spans = nil
	}
	conds, err := s.conditions(ctx, q, src, w)
	if err != nil {
		return nil, err
	}
	res := &telemetry.Result{Source: "rows", Scanned: scanned}
	bins := 0
	for _, m := range q.Select {
		if m.Func == "bins" {
			bins++
		}
	}
	q.few = int64(bins)*scanned <= sentKeys
	var chosen conditionColumns
	cols, groups, err := q.columns(w, res, &chosen)
	if err != nil {
		return nil, err
	}
	from += " WHERE " + strings.Join(append(conds, spans...), " AND ")
	if len(chosen.cols) > 0 {
		from = "(SELECT *, " + strings.Join(chosen.cols, ", ") + " FROM " + from + ")"
	}
	sql := "SELECT " + strings.Join(cols, ", ") + " FROM " + from
	if len(groups) > 0 {
		sql += " GROUP BY " + strings.Join(groups, ", ")
	}
	sql += orderSQL(q.Query, res.Columns)
	if res.Rows, err = s.sums.ask(ctx, s.child, sql, w.args, q.keep, q.binned(res)); err != nil {
		return nil, err
	}
	cut(q.Query, res)
	return res, nil
}

// sourceOf chooses the files of a question for a part of its time.
func (s *Store) sourceOf(ctx context.Context, q *queryPlan, from, to time.Time) (*source, error) {
	src := s.source(from, to)
	if q.Table != tableRuns {
		src.tight()
	}
	src.exact(q.Table)
	if err := s.until(ctx, q, src, from, to); err != nil {
		src.release()
		return nil, err
	}
	return src, nil
}

// rowsFrom is the table of a question with what it names beside its own columns; done
// gives back what it needs until the question is answered.
func (s *Store) rowsFrom(q *queryPlan, src *source, since, to time.Time) (from string, done func()) {
	switch {
	case q.Table == tableRuns:
		return src.runsWith(q.Query), func() {}
	case joinsRuns(q.Query):
		runs := s.source(reaching(since), to)
		return src.stepsWith(q.Query, runs), runs.release
	}
	return src.from(q.Table), func() {}
}

// during are conditions on the time of rows.
func (q *queryPlan) during(w *where, from, to time.Time) (conds []string) {
	at := q.at()
	if !from.IsZero() {
		conds = append(conds, at+" >= "+w.bind(from.UnixNano()))
	}
	if !to.IsZero() {
		conds = append(conds, at+" < "+w.bind(to.UnixNano()))
	}
	return conds
}

func all(conds []string) string {
	if len(conds) == 0 {
		return "true"
	}
	return strings.Join(conds, " AND ")
}

// reaching is from when on runs may have begun of which steps lie after a time.
func reaching(from time.Time) time.Time {
	if from.IsZero() {
		return from
	}
	return from.Add(-earlier)
}

// conditions are what rows have to fulfil, apart from their time.
func (s *Store) conditions(ctx context.Context, q *queryPlan, src *source, w *where) ([]string, error) {
	cond, err := w.cond(q.Where, scopes[q.Table])
	if err != nil {
		return nil, err
	}
	conds := []string{cond}
	if q.Teams != nil {
		c := w.teams(q.Teams)
		if q.Table == tableLogs { // records know their run, not their team
			c = "run IN (SELECT run FROM " + src.from(tableRuns) + " x WHERE " + c + ")"
		}
		conds = append(conds, c)
	}
	if q.NoTests {
		c, err := s.noTests(ctx, q, src)
		if err != nil {
			return nil, err
		}
		conds = append(conds, c)
	}
	return conds, nil
}

// at is the column of a row's time.
func (q *queryPlan) at() string {
	if q.Table == tableMessages || q.Table == tableLogs || q.Table == tableDecisions {
		return "time"
	}
	return "start"
}

// columns are what is selected, and the numbers of those that are grouped by.
func (q *queryPlan) columns(w *where, res *telemetry.Result, chosen *conditionColumns) (cols, groups []string, err error) {
	add := func(expr, name string) {
		cols = append(cols, expr+" AS "+quoteName(name))
		groups = append(groups, fmt.Sprint(len(cols)))
	}
	if q.Bucket > 0 {
		add(fmt.Sprintf("(%s // %d) * %[2]d", q.at(), int64(q.Bucket)), "time")
		res.Columns = append(res.Columns, telemetry.Column{Name: "time", Unit: "ns", Kind: "time"})
	}
	for _, d := range q.GroupBy {
		expr, ok := dimensions[q.Table][d]
		if !ok {
			return nil, nil, badQuery("%s cannot be grouped by %s", q.Table, d).WithHint("%s", namesOf(dimensions[q.Table]))
		}
		if expr != "failed" && expr != "severity" {
			expr = "nullif(" + expr + ", '')"
		}
		add(expr, d)
		res.Columns = append(res.Columns, telemetry.Column{Name: d, Kind: "dimension"})
	}
	for _, m := range q.Select {
		expr, unit, err := q.filtered(m, w, scopes[q.Table], chosen)
		if err != nil {
			return nil, nil, err
		}
		cols = append(cols, expr+" AS "+quoteName(strings.ReplaceAll(m.As, `"`, "")))
		res.Columns = append(res.Columns, telemetry.Column{Name: m.As, Unit: unit, Kind: "measure"})
	}
	return cols, groups, nil
}

// binned are the places of the columns that are bins.
func (q *queryPlan) binned(res *telemetry.Result) (places []int) {
	for i, m := range q.Select {
		if m.Func == "bins" {
			places = append(places, len(res.Columns)-len(q.Select)+i)
		}
	}
	return places
}

// mostGroups is how many rows a question's answer has.
func mostGroups(q *telemetry.Query) int {
	if q.Limit <= 0 {
		return maxGroups
	}
	return min(q.Limit, telemetry.MostRows)
}

// cut leaves as many rows as were asked for, and says so.
func cut(q *telemetry.Query, res *telemetry.Result) {
	if most := mostGroups(q); len(res.Rows) > most {
		res.Rows, res.Cut = res.Rows[:most:most], true
	}
}

func orderSQL(q *telemetry.Query, cols []telemetry.Column) string {
	var by []string
	if name := strings.TrimPrefix(q.OrderBy, "-"); name != "" {
		for i, c := range cols {
			if c.Name == name {
				dir := " ASC NULLS LAST"
				if strings.HasPrefix(q.OrderBy, "-") {
					dir = " DESC NULLS LAST"
				}
				by = append(by, fmt.Sprint(i+1, dir))
			}
		}
	}
	for i, c := range cols { // a fixed order, so that a page is the same twice
		if c.Kind != "measure" {
			by = append(by, fmt.Sprint(i+1))
		}
	}
	sql := ""
	if len(by) > 0 {
		sql = " ORDER BY " + strings.Join(by, ", ")
	}
	return sql + fmt.Sprintf(" LIMIT %d", mostGroups(q)+1) // one more tells that there are more
}

// rollupFilter is the part of a search that rollups can decide.
type rollupFilter func(*telemetry.RollupDelta) bool

// queryRollups answers from rollups; ok is false when they cannot.
func (s *Store) queryRollups(ctx context.Context, q *telemetry.Query) (*telemetry.Result, bool, error) {
	family, fits, ok := rollupFits(q, s.o.Now())
	if !ok {
		return nil, false, nil
	}
	level, ok := rollupLevel(q)
	if !ok {
		return nil, false, nil
	}
	from, to := int64(-1<<40), int64(1<<40)
	if !q.From.IsZero() {
		from = floorDiv(floorDiv(q.From.Unix(), 60), level) * level // buckets of a chart are whole
	}
	if !q.To.IsZero() {
		to = floorDiv(q.To.Unix()+59, 60)
	}
	rows, err := s.rollups(ctx, family, level, from, to)
	if err != nil {
		return nil, true, storageFault("reading rollups", err)
	}
	groups := groupRollups(q, rows, fits)
	res := &telemetry.Result{Source: "rollups", Scanned: int64(len(rows))}
	if q.Bucket > 0 {
		res.Columns = append(res.Columns, telemetry.Column{Name: "time", Unit: "ns", Kind: "time"})
	}
	for _, g := range q.GroupBy {
		res.Columns = append(res.Columns, telemetry.Column{Name: g, Kind: "dimension"})
	}
	for _, m := range q.Select {
		res.Columns = append(res.Columns, telemetry.Column{Name: m.As, Unit: rollupUnit(m), Kind: "measure"})
	}
	seconds := (&queryPlan{Query: q, now: s.o.Now()}).seconds()
	// What a page leaves out needs no quantile: where these do not decide the order,
	// they are read of what is left.
	late := func(m telemetry.Measure) bool {
		return isQuantile(m) && m.As != strings.TrimPrefix(q.OrderBy, "-")
	}
	var j bucketJoiner
	measure := func(row []any, g *rollupGroup, wanted func(telemetry.Measure) bool) {
		joined := false
		for i, m := range q.Select {
			if !wanted(m) {
				continue
			}
			if isQuantile(m) && !joined {
				joined = true
				g.sums.Latency = j.join(rows, g) // read at once, and then of no more use
			}
			row[len(row)-len(q.Select)+i] = rollupMeasure(&g.sums, m, q.Table, seconds)
		}
		g.sums.Latency = nil
	}
	width := len(res.Columns)
	cells := make([]any, width*len(groups))
	list := make([]rollupRow, 0, len(groups))
	for i := range groups {
		g := &groups[i]
		if g.sums.Count == 0 && g.sums.Runs == 0 && len(groups) > 1 {
			continue
		}
		row := cells[:width:width]
		cells = cells[width:]
		at := 0
		if q.Bucket > 0 {
			row[0], at = g.bucket*int64(time.Minute), 1
		}
		for i, name := range q.GroupBy {
			if text := rollupDimension(&rows[g.first].RollupDelta, name); text != "" {
				row[at+i] = text
			}
		}
		measure(row, g, func(m telemetry.Measure) bool { return !late(m) })
		list = append(list, rollupRow{row, g})
	}
	for _, r := range firstRows(q, res.Columns, list) {
		if slices.ContainsFunc(q.Select, late) {
			measure(r.cells, r.of, late)
		}
		res.Rows = append(res.Rows, r.cells)
	}
	cut(q, res)
	return res, true, nil
}

// rollupRow is a row of an answer and what it was read from.
type rollupRow struct {
	cells []any
	of    *rollupGroup
}

// isQuantile reports whether a measure is read from sketches.
func isQuantile(m telemetry.Measure) bool { return strings.HasPrefix(m.Func, "p") }

// rollupGroup is one row of an answer: the sums of rollups that agree on its
// dimensions, and which they are.
type rollupGroup struct {
	bucket int64
	sums   telemetry.RollupDelta
	first  int32 // of the rows that it is of; -1: none
	last   int32
	next   []int32 // of each row of the question, the next of its group; -1: none
}

// groupRollups sums rows by the question's dimensions. Texts are told apart by
// numbers: a group is found by five of them instead of by four texts.
func groupRollups(q *telemetry.Query, rows []*rolled, fits rollupFilter) []rollupGroup {
	type key struct {
		bucket int64
		dims   [4]int32
	}
	bucket := int64(q.Bucket / time.Minute)
	names := make([]numbered, len(q.GroupBy))
	index := make(map[key]int32, 1024)
	next := make([]int32, len(rows))
	groups := make([]rollupGroup, 0, min(len(rows), 1<<14))
	for n, d := range rows {
		if !fits(&d.RollupDelta) || q.Teams != nil && !slices.Contains(q.Teams, d.Team) {
			continue
		}
		var k key
		if bucket > 0 {
			k.bucket = floorDiv(d.Minute, bucket) * bucket
		}
		for i, g := range q.GroupBy {
			k.dims[i] = names[i].number(rollupDimension(&d.RollupDelta, g))
		}
		next[n] = -1
		at, ok := index[k]
		if !ok {
			at = int32(len(groups))
			index[k] = at
			groups = append(groups, rollupGroup{bucket: k.bucket, first: int32(n), last: int32(n), next: next})
		}
		g := &groups[at]
		if ok {
			next[g.last], g.last = int32(n), int32(n)
		}
		addCounts(&g.sums, &d.RollupDelta)
	}
	if len(groups) == 0 && len(q.GroupBy) == 0 && q.Bucket == 0 {
		groups = append(groups, rollupGroup{first: -1}) // as SQL: one row of nothing
	}
	return groups
}

// numbered gives numbers to texts. Rows of a block share the memory of theirs, and
// those beside each other are often alike.
type numbered struct {
	ids  map[string]int32
	last string
	n    int32
}

func (t *numbered) number(s string) int32 {
	if t.ids == nil {
		t.ids = map[string]int32{}
	} else if s == t.last {
		return t.n
	}
	n, ok := t.ids[s]
	if !ok {
		n = int32(len(t.ids))
		t.ids[s] = n
	}
	t.last, t.n = s, n
	return n
}

// bucketJoiner adds sketches.
type bucketJoiner struct {
	counts [1 << 11]int64 // zero between calls
	out    []telemetry.Bucket
}

// join is the sum of the sketches of a group's rows, valid until the next call.
func (j *bucketJoiner) join(rows []*rolled, g *rollupGroup) []telemetry.Bucket {
	j.out = j.out[:0]
	if g.first == g.last { // as are most groups of a chart
		if g.first >= 0 {
			rows[g.first].eachBucket(func(b telemetry.Bucket) { j.out = append(j.out, b) })
		}
		return j.out
	}
	low, high := len(j.counts), -1
	for at := g.first; at >= 0; at = g.next[at] {
		rows[at].eachBucket(func(b telemetry.Bucket) {
			if i := int(b.Index); i >= 0 && i < len(j.counts) {
				j.counts[i] += b.Count
				low, high = min(low, i), max(high, i)
			}
		})
	}
	for i := low; i <= high; i++ {
		if j.counts[i] != 0 {
			j.out = append(j.out, telemetry.Bucket{Index: int16(i), Count: j.counts[i]})
			j.counts[i] = 0
		}
	}
	return j.out
}

// rollupLevel is the coarsest level whose buckets the question's fall on.
func rollupLevel(q *telemetry.Query) (int64, bool) {
	whole := func(l int64) bool {
		step := time.Duration(l) * time.Minute
		on := func(t time.Time) bool { return t.IsZero() || t.UnixNano()%int64(step) == 0 }
		return (q.Bucket == 0 || q.Bucket%step == 0) && on(q.From) && on(q.To)
	}
	for _, l := range []int64{levelHour, levelFive, levelMinute} {
		if whole(l) {
			return l, true
		}
	}
	// "The last day until now" does not end on a minute; the minute that is not
	// over yet holds nothing from the future.
	if q.Bucket == 0 || q.Bucket%time.Minute == 0 {
		if q.Bucket > 0 && q.Bucket%(5*time.Minute) == 0 {
			return levelFive, true
		}
		return levelMinute, q.Bucket > 0
	}
	return 0, false
}

func rollupDimension(d *telemetry.RollupDelta, name string) string {
	switch name {
	case "agent":
		return d.Agent
	case "team":
		return d.Team
	case "environment":
		return d.Environment
	}
	return d.Key
}

// rollupFits finds the family and filter for a question, if rollups hold all it
// names.
func rollupFits(q *telemetry.Query, now time.Time) (telemetry.Family, rollupFilter, bool) {
	family := telemetry.FamilyAgent
	switch q.Table {
	case tableSteps:
	case tableRuns:
		for _, m := range q.Select {
			if m.Func != "count" || m.Field != "" {
				return 0, nil, false
			}
		}
	default:
		return 0, nil, false
	}
	if len(q.GroupBy) > 4 || q.NoTests {
		return 0, nil, false
	}
	use := func(name string) bool {
		var want telemetry.Family
		switch name {
		case "agent", "team", "environment":
			return true
		case "model":
			want = telemetry.FamilyModel
		case "tool":
			want = telemetry.FamilyTool
		default:
			return false
		}
		if q.Table == tableRuns || family != telemetry.FamilyAgent && family != want {
			return false
		}
		family = want
		return true
	}
	for _, g := range q.GroupBy {
		if !use(g) {
			return 0, nil, false
		}
	}
	for _, m := range q.Select {
		if rollupUnit(m) == "" || m.Where != nil {
			return 0, nil, false
		}
	}
	fits, ok := rollupWhere(q.Where, use, now)
	// By model and tool, rollups hold calls only, where rows show every step: the
	// question must say that it means calls.
	switch family {
	case telemetry.FamilyModel:
		ok = ok && saysCalls(q.Where, "call", "true")
	case telemetry.FamilyTool:
		ok = ok && saysCalls(q.Where, "kind", "tool")
	}
	return family, fits, ok
}

func rollupWhere(e search.Expr, use func(string) bool, now time.Time) (rollupFilter, bool) {
	switch e := e.(type) {
	case nil:
		return func(*telemetry.RollupDelta) bool { return true }, true
	case *search.And:
		var all []rollupFilter
		for _, of := range e.Of {
			f, ok := rollupWhere(of, use, now)
			if !ok {
				return nil, false
			}
			all = append(all, f)
		}
		return func(d *telemetry.RollupDelta) bool {
			for _, f := range all {
				if !f(d) {
					return false
				}
			}
			return true
		}, true
	case *search.Cmp:
		name := e.Field
		if name == "env" {
			name = "environment"
		}
		if saysCalls(e, "call", "true") && use("model") || saysCalls(e, "kind", "tool") && use("tool") {
			return func(*telemetry.RollupDelta) bool { return true }, true // what the family holds
		}
		if (e.Op != ":" && e.Op != "!=") || !use(name) {
			return nil, false
		}
		var vals []search.Value
		for i := range e.Values {
			v, err := e.Read(search.ScopeStep, i, now)
			if err != nil {
				return nil, false
			}
			vals = append(vals, v)
		}
		negated := e.Op == "!="
		return func(d *telemetry.RollupDelta) bool {
			text := rollupDimension(d, name)
			for _, v := range vals {
				if v.Unknown && text == "" || !v.Unknown && (text == v.Text || v.Prefix && strings.HasPrefix(text, v.Text)) {
					return !negated
				}
			}
			return negated
		}, true
	}
	return nil, false
}

// saysCalls reports whether a search demands field:value.
func saysCalls(e search.Expr, field, value string) bool {
	switch e := e.(type) {
	case *search.And:
		return slices.ContainsFunc(e.Of, func(of search.Expr) bool { return saysCalls(of, field, value) })
	case *search.Cmp:
		return e.Field == field && e.Op == ":" && len(e.Values) == 1 && e.Values[0] == value
	}
	return false
}

// rollupUnit is the unit of a measure that rollups hold, "" for others.
func rollupUnit(m telemetry.Measure) string {
	switch m.Func {
	case "count":
		if m.Field == "" {
			return "count"
		}
	case "sum":
		switch m.Field {
		case "input_tokens", "output_tokens", "cache_read_tokens", "tokens":
			return "tokens"
		case "cost":
			return "usd"
		case "errors":
			return "count"
		}
	case "rate":
		switch m.Field {
		case "errors":
			return "ratio"
		case "":
			return "per_second"
		}
	case "p50", "p90", "p95", "p99":
		if m.Field == "duration_ms" {
			return "ms"
		}
	}
	return ""
}

func rollupMeasure(d *telemetry.RollupDelta, m telemetry.Measure, table string, seconds float64) any {
	count := d.Count
	if table == tableRuns {
		count = d.Runs
	}
	known := func(n int64, v float64) any {
		// Nothing but unknowns: the sum is unknown, not zero.
		if n > 0 && v == 0 {
			return nil
		}
		return v
	}
	switch m.Func {
	case "count":
		return count
	case "rate":
		if m.Field == "errors" {
			if count == 0 {
				return nil
			}
			return float64(d.Errors) / float64(count)
		}
		return float64(count) / seconds
	case "sum":
		switch m.Field {
		case "input_tokens":
			return known(d.Unknown, float64(d.InputTotal))
		case "output_tokens":
			return known(d.Unknown, float64(d.OutputTotal))
		case "cache_read_tokens":
			return known(d.Unknown, float64(d.CacheRead))
		case "tokens":
			return known(d.Unknown, float64(d.InputTotal+d.OutputTotal))
		case "cost":
			return known(d.CostUnknown, float64(d.CostNanos)/1e9)
		}
		return float64(d.Errors)
	}
	q := map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}[m.Func]
	if ns, ok := telemetry.Quantile(d.Latency, q); ok {
		return ns / 1e6
	}
	return nil
}

// firstRows orders and cuts rows as orderSQL does.
func firstRows(q *telemetry.Query, cols []telemetry.Column, list []rollupRow) []rollupRow {
	order, sign := -1, 1.0
	for i, c := range cols {
		if c.Name == strings.TrimPrefix(q.OrderBy, "-") {
			order = i
		}
	}
	desc := strings.HasPrefix(q.OrderBy, "-")
	if desc {
		sign = -1
	}
	// Numbers are read once and not at every comparison; a chart has thousands.
	type keyed struct {
		rollupRow
		key float64
	}
	rows := make([]keyed, len(list))
	numbers := order >= 0 && (cols[order].Kind == "measure" || cols[order].Kind == "time")
	for i, r := range list {
		rows[i].rollupRow = r
		if !numbers {
			continue
		}
		if v := r.cells[order]; v == nil {
			rows[i].key = math.Inf(1) // last, either way
		} else {
			rows[i].key = sign * toFloat(v)
		}
	}
	slices.SortFunc(rows, func(a, b keyed) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		if order >= 0 && !numbers {
			if c := compareValues(a.cells[order], b.cells[order], desc); c != 0 {
				return c
			}
		}
		for i, c := range cols {
			if c.Kind != "measure" {
				if c := compareValues(a.cells[i], b.cells[i], false); c != 0 {
					return c
				}
			}
		}
		return 0
	})
	list = list[:0]
	for _, r := range rows[:min(mostGroups(q)+1, len(rows))] { // one more tells that there are more
		list = append(list, r.rollupRow)
	}
	return list
}

// sortRows orders and cuts the rows of an answer as orderSQL does.
func sortRows(q *telemetry.Query, res *telemetry.Result) {
	list := make([]rollupRow, len(res.Rows))
	for i, r := range res.Rows {
		list[i].cells = r
	}
	res.Rows = res.Rows[:0]
	for _, r := range firstRows(q, res.Columns, list) {
		res.Rows = append(res.Rows, r.cells)
	}
	cut(q, res)
}

// compareValues orders nil last.
func compareValues(a, b any, desc bool) int {
	if a == nil || b == nil {
		return cmp.Compare(b2i(a == nil), b2i(b == nil))
	}
	c := 0
	switch a := a.(type) {
	case string:
		text, _ := b.(string)
		c = strings.Compare(a, text)
	case int64:
		n, _ := b.(int64)
		c = cmp.Compare(a, n)
	default:
		c = cmp.Compare(toFloat(a), toFloat(b))
	}
	if desc {
		return -c
	}
	return c
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}
