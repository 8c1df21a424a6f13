package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Query is what a rule of scope query asks the store: a figure of the records that a
// search finds, of each agent or of all together, over the last window. It is what a
// search or a chart shows, kept as a question.
type Query struct {
	KPI   string `json:"kpi,omitempty"`   // a KPI by its id, in place of table, where, func, field and of
	Table string `json:"table"`           // runs, steps, decisions, messages or logs
	Where string `json:"where,omitempty"` // a search; "" all
	Func  string `json:"func"`            // count, share, or one of the store's: sum, avg, p95...
	Field string `json:"field,omitempty"` // of the store's
	Of    string `json:"of,omitempty"`    // share: the search whose records are counted among all
	By    string `json:"by,omitempty"`    // agent (each apart), or "" all together
}

// Funcs of a query, with those that need a field.
var (
	queryFuncs   = []string{"count", "share", "sum", "avg", "min", "max", "p50", "p90", "p95", "p99", "distinct"}
	queryTables  = map[string]search.Scope{"runs": search.ScopeRun, "steps": search.ScopeStep, "decisions": search.ScopeDecision, "messages": search.ScopeMessage, "logs": search.ScopeLog}
	fieldless    = []string{"count", "share"}
	errTwoFields = "%s of a %s is of a field, such as duration_ms or cost"
)

// parse reads the searches of a query.
func (q *Query) parse() (where, of search.Expr, err error) {
	scope, ok := queryTables[q.Table]
	switch {
	case q.KPI != "" && (q.Table+q.Where+q.Func+q.Field+q.Of != "" || len(q.KPI) > 63):
		return nil, nil, invalid("a query is about a KPI, or about what a search finds").WithHint("leave out table, where, func, field and of")
	case q.KPI != "" && q.By != "" && q.By != "agent":
		return nil, nil, invalid("a query is by agent, or of all together")
	case q.KPI != "":
		return nil, nil, nil
	case !ok:
		return nil, nil, invalid("a query is of runs, steps, decisions, messages or logs")
	case !slices.Contains(queryFuncs, q.Func):
		return nil, nil, invalid("a figure is one of %s", strings.Join(queryFuncs, ", "))
	case !slices.Contains(fieldless, q.Func) && q.Field == "":
		return nil, nil, invalid(errTwoFields, q.Func, strings.TrimSuffix(q.Table, "s"))
	case (q.Func == "share") != (q.Of != ""):
		return nil, nil, invalid("a share, and nothing else, says of which records: of")
	case q.By != "" && q.By != "agent":
		return nil, nil, invalid("a query is by agent, or of all together")
	case len(q.Where) > maxWhen || len(q.Of) > maxWhen || len(q.Field) > 100:
		return nil, nil, invalid("a search has at most %d bytes", maxWhen)
	}
	if q.Where != "" {
		if where, err = search.ParseIn(scope, q.Where); err != nil {
			return nil, nil, invalid("the search cannot be read: %v", err)
		}
	}
	if q.Of != "" {
		if of, err = search.ParseIn(scope, q.Of); err != nil {
			return nil, nil, invalid("the search of a share cannot be read: %v", err)
		}
	}
	// A phrase is looked for in what was said, which not everybody who reads figures
	// may read: a count would tell.
	for _, e := range []search.Expr{where, of} {
		if e != nil && (search.HasText(e) || scope == search.ScopeLog && search.Names(e, "body")) {
			return nil, nil, invalid("a rule does not look for phrases: they are found in content").WithHint("name a field, such as tool:refund, error_type:timeout or severity>=17")
		}
	}
	return where, of, nil
}

// Ask is the question to the store for a time, in buckets or (0) as one. Its figures
// are called value and records.
func (r *Rule) Ask(from, to time.Time, bucket time.Duration) (telemetry.Query, error) {
	q := r.Query
	if q == nil || q.KPI != "" {
		return telemetry.Query{}, fmt.Errorf("rule %s asks nothing of the store itself", r.Name)
	}
	where, of, err := q.parse()
	if err != nil {
		return telemetry.Query{}, err
	}
	and := []search.Expr{}
	if where != nil {
		and = append(and, where)
	}
	if r.Environment != "" {
		and = append(and, search.Is("environment", r.Environment))
	}
	if len(r.Agents) > 0 {
		and = append(and, search.Is("agent", r.Agents...))
	}
	out := telemetry.Query{Table: q.Table, Where: search.Both(and...), From: from, To: to, Bucket: bucket, Limit: maxQueryRows, NoTests: true}
	if r.Team != "" {
		out.Teams = []string{r.Team}
	}
	if q.By == "agent" {
		out.GroupBy = []string{"team", "environment", "agent"}
		if q.Table == "logs" { // a log record names no more
			out.GroupBy = []string{"agent"}
		}
	}
	value := telemetry.Measure{Func: q.Func, Field: q.Field, As: "value"}
	if q.Func == "share" {
		value = telemetry.Measure{Func: "count", As: "value", Where: of}
	}
	out.Select = []telemetry.Measure{value, {Func: "count", As: "records"}}
	return out, nil
}

// maxQueryRows bounds an answer: names come from senders.
const maxQueryRows = 20_000

// Row is what a query gave for one agent, or of all, in one bucket.
type Row struct {
	At                       time.Time // of the bucket's begin; zero without
	Team, Environment, Agent string
	Value                    float64
	Low, High                float64 // of a KPI: the ends of its interval, infinite where they are unknown
	Records                  int64
}

// Rows reads an answer to Ask. A figure that is unknown is no row: nothing holds of
// what nobody knows.
func (r *Rule) Rows(res *telemetry.Result) []Row {
	var out []Row
	for _, cells := range res.Rows {
		row, known := Row{}, false
		for i, c := range res.Columns {
			v := cells[i]
			switch c.Name {
			case "team":
				row.Team, _ = v.(string)
			case "environment":
				row.Environment, _ = v.(string)
			case "agent":
				row.Agent, _ = v.(string)
			case "value":
				row.Value, known = float(v)
			case "records":
				n, _ := float(v)
				row.Records = int64(n)
			default:
				if c.Kind == "time" {
					row.At = instant(v)
				}
			}
		}
		if r.Query.Func == "share" {
			if known = row.Records > 0; known {
				row.Value /= float64(row.Records)
			}
		}
		if known {
			out = append(out, row)
		}
	}
	return out
}

func float(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, n == n
	case int64:
		return float64(n), true
	case int32:
		return float64(n), true
	case int:
		return float64(n), true
	case uint64:
		return float64(n), true
	}
	return 0, false
}

func instant(v any) time.Time {
	switch t := v.(type) {
	case time.Time:
		return t.UTC()
	case int64:
		return time.Unix(0, t).UTC()
	}
	return time.Time{}
}

// Measures are what a rule of scope query asks of a row.
func (w *Row) Measures(window time.Duration) Measures {
	return Measures{Agent: w.Agent, Team: w.Team, Environment: w.Environment, Figure: w.Value, Low: w.Low, High: w.High, Records: float64(w.Records), Window: window.Seconds()}
}
