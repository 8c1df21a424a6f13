package api

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// What a query may name; measures and dimensions are the engine's to know.
var (
	queryTables = map[string]search.Scope{
		"runs": search.ScopeRun, "steps": search.ScopeStep, "messages": search.ScopeMessage, "logs": search.ScopeLog,
		"decisions": search.ScopeDecision,
	}
	queryFuncs = []string{"count", "sum", "avg", "min", "max", "p50", "p90", "p95", "p99", "distinct", "rate"}
)

const (
	maxQueryRows = 10_000
	maxBuckets   = 20_000
)

func query(a *API, ctx context.Context, req *client.Query) (*client.QueryResult, error) {
	scope, ok := queryTables[req.From]
	if !ok {
		return nil, invalid("from is %q", req.From).WithHint("runs, steps, decisions, messages or logs")
	}
	q := telemetry.Query{Table: req.From, GroupBy: req.GroupBy, OrderBy: req.OrderBy, Limit: req.Limit}
	var err error
	if q.From, q.To, err = a.period(req.Start, req.End); err != nil {
		return nil, err
	}
	if q.To.IsZero() {
		q.To = a.o.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	if req.Bucket != "" {
		ms, err := (search.Field{Type: search.TypeDuration}).Read(req.Bucket, time.Time{})
		if err != nil || ms.Number < 1000 {
			return nil, invalid("bucket is %q", req.Bucket).WithHint("a duration of a second or more: 5m, 1h, 1d")
		}
		q.Bucket = time.Duration(ms.Number * 1e6)
		if int64(q.To.Sub(q.From)/q.Bucket) > maxBuckets {
			return nil, invalid("the period has more than %d buckets", maxBuckets).WithHint("take a longer bucket")
		}
	}
	if q.Limit < 0 || q.Limit > maxQueryRows {
		return nil, invalid("limit is %d", q.Limit).WithHint("it must be at least 1 and at most %d", maxQueryRows)
	}
	q.Limit = orDefault(q.Limit, maxQueryRows)
	if len(req.GroupBy) > 4 || len(req.Select) > 16 {
		return nil, invalid("a query groups by at most 4 dimensions and has at most 16 measures")
	}
	for _, g := range req.GroupBy {
		// The engine knows which there are; here it is only made sure that the
		// name is one.
		if strings.Trim(g, "abcdefghijklmnopqrstuvwxyz_") != "" || g == "" || len(g) > 64 {
			return nil, invalid("cannot group by %q", clip(g, 64)).WithHint("a dimension such as agent, model, tool, team, status or outcome")
		}
	}
	names := map[string]bool{}
	for _, m := range req.Select {
		if !slices.Contains(queryFuncs, m.Func) {
			return nil, invalid("unknown function %q", m.Func).WithHint("%s", strings.Join(queryFuncs, ", "))
		}
		if m.Field == "" && m.Func != "count" && m.Func != "rate" {
			return nil, invalid("%s needs a field", m.Func)
		}
		as := m.As
		if as == "" {
			as = strings.TrimSuffix(m.Func+"_"+m.Field, "_")
		}
		if strings.ContainsFunc(as, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' || r == utf8.RuneError }) {
			return nil, invalid("a measure's name has quotes or control characters")
		}
		if names[as] || len(as) > 64 {
			return nil, invalid("two measures are called %q, or the name is too long", clip(as, 64)).WithHint("name them with as")
		}
		names[as] = true
		q.Select = append(q.Select, telemetry.Measure{Func: m.Func, Field: m.Field, As: as})
	}
	if len(q.Select) == 0 {
		q.Select = []telemetry.Measure{{Func: "count", As: "count"}}
		names["count"] = true
	}
	if by := strings.TrimPrefix(req.OrderBy, "-"); by != "" && by != "time" && !names[by] && !slices.Contains(req.GroupBy, by) {
		return nil, invalid("cannot order by %q", by).WithHint("a measure's name or a dimension of the query")
	}
	var where search.Expr
	switch scope {
	case search.ScopeRun:
		where, err = a.parseRuns(ctx, req.Where, q.From, q.To)
	case search.ScopeStep, search.ScopeDecision:
		where, err = a.parseRows(ctx, scope, req.Where, q.From, q.To)
	default:
		where, err = parseSearch(scope, req.Where)
	}
	if err != nil {
		return nil, err
	}
	if err := a.restrict(ctx, &q, scope, where); err != nil {
		return nil, err
	}
	res, err := a.o.Store.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &client.QueryResult{
		Columns: make([]client.QueryColumn, len(res.Columns)), Rows: res.Rows, Source: res.Source, Cut: res.Cut, Scanned: res.Scanned,
		TookMS: float64(res.Took) / 1e6,
	}
	for i, c := range res.Columns {
		out.Columns[i] = client.QueryColumn{Name: c.Name, Unit: c.Unit, Kind: c.Kind}
	}
	if out.Rows == nil {
		out.Rows = [][]any{}
	}
	for i, c := range res.Columns {
		if c.Kind != "time" {
			continue
		}
		// Engines count nanoseconds, which a JSON number cannot hold.
		out.Columns[i].Unit = ""
		for _, row := range out.Rows {
			if ns, ok := row[i].(int64); ok {
				row[i] = at(ns).Format(time.RFC3339Nano)
			}
		}
	}
	return out, nil
}

// restrict puts the caller's reach into a query before anything is counted.
func (a *API) restrict(ctx context.Context, q *telemetry.Query, scope search.Scope, where search.Expr) error {
	who := whoOf(ctx)
	role := identity.Viewer
	switch {
	case scope == search.ScopeMessage || scope == search.ScopeLog && (search.HasText(where) || search.Names(where, "body")):
		// These rows are content, or are found by it.
		if role = identity.Reader; !somewhere(who, role) {
			return errContentSearch
		}
	case scope == search.ScopeDecision: // rows have no content: nothing to hide from viewers
	default:
		where, role = phrases(who, scope, where)
	}
	q.Content = role == identity.Reader
	var only search.Expr
	q.Teams, only = reachOf(who, role)
	if scope == search.ScopeLog && (q.Teams != nil || only != nil) {
		return fault.New(fault.KindDenied, "api.logs_all_teams", "log records name no team: a query over them needs the role %s for all teams", role)
	}
	q.Where = search.Both(where, only)
	return nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "api.query_invalid", format, args...)
}
