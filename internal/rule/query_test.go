package rule

import (
	"strings"
	"testing"
	"time"

	"reeve/internal/telemetry"
)

// A rule of scope query asks of value and records, and what it cannot ask is refused
// with words.
func TestQueryRules(t *testing.T) {
	t.Parallel()
	good := Rule{Name: "slow", When: "value > 5000.0 && records >= 20.0", Query: &Query{Table: "runs", Func: "p95", Field: "duration_ms", Where: "agent:refunds", By: "agent"}, Team: "core", Environment: "production"}
	for name, c := range map[string]struct {
		change func(r *Rule)
		want   string
	}{
		"as it is":         {func(*Rule) {}, ""},
		"no query":         {func(r *Rule) { r.Query, r.Scope = nil, OfQuery }, "has a query"},
		"a query of a run": {func(r *Rule) { r.Scope = Run }, "has a query"},
		"a strange table":  {func(r *Rule) { r.Query.Table = "metrics" }, "of runs, steps, decisions, messages or logs"},
		"decisions": {func(r *Rule) {
			*r.Query = Query{Table: "decisions", Func: "share", Of: "verdict:deny", Where: "agent:refunds", By: "agent"}
		}, ""},
		"messages": {func(r *Rule) {
			*r.Query = Query{Table: "messages", Func: "sum", Field: "size", Where: "role:assistant"}
		}, ""},
		"logs of a place": {func(r *Rule) { *r.Query = Query{Table: "logs", Func: "count", Where: "severity>=17"} }, "name no environment"},
		"logs": {func(r *Rule) {
			r.Environment, *r.Query = "", Query{Table: "logs", Func: "count", Where: "severity>=17"}
		}, ""},
		"what logs say":        {func(r *Rule) { r.Environment, *r.Query = "", Query{Table: "logs", Func: "count", Where: "body~secret"} }, "does not look for phrases"},
		"a phrase of messages": {func(r *Rule) { *r.Query = Query{Table: "messages", Func: "count", Where: `"secret words"`} }, "does not look for phrases"},
		"a run's field":        {func(r *Rule) { *r.Query = Query{Table: "decisions", Func: "count", Where: "task:refund"} }, "cannot be read"},
		"a strange figure":     {func(r *Rule) { r.Query.Func = "median" }, "a figure is one of"},
		"no field":             {func(r *Rule) { r.Query.Field = "" }, "is of a field"},
		"a share of nothing":   {func(r *Rule) { r.Query.Func = "share" }, "says of which records"},
		"a broken search":      {func(r *Rule) { r.Query.Where = "duration:" }, "cannot be read"},
		"a phrase":             {func(r *Rule) { r.Query.Where = `"secret words"` }, "does not look for phrases"},
		"a phrase of a step":   {func(r *Rule) { r.Query.Where = `any("secret words")` }, "does not look for phrases"},
		"a share of a phrase":  {func(r *Rule) { r.Query.Func, r.Query.Of = "share", `-"secret words"` }, "does not look for phrases"},
		"by something":         {func(r *Rule) { r.Query.By = "model" }, "by agent"},
		"a measure of a run":   {func(r *Rule) { r.When = "cost > 2.0" }, "undeclared reference to 'cost'"},
		"a window of a minute": {func(r *Rule) { r.Window = time.Minute }, "a window is from"},
	} {
		r, q := good, *good.Query
		r.Query = &q
		c.change(&r)
		_, err := Compile(r)
		if got := err != nil; got != (c.want != "") || got && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	r, err := Compile(good)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1e9, 0).UTC()
	ask, err := r.Ask(now.Add(-time.Hour), now, 0)
	if err != nil || len(ask.Teams) != 1 || ask.Teams[0] != "core" || len(ask.GroupBy) != 3 || !ask.NoTests || !strings.Contains(ask.Where.String(), "production") {
		t.Errorf("%+v, %v", ask, err)
	}
	rows := r.Rows(&telemetry.Result{
		Columns: []telemetry.Column{{Name: "bucket", Kind: "time"}, {Name: "team"}, {Name: "environment"}, {Name: "agent"}, {Name: "value"}, {Name: "records"}},
		Rows: [][]any{
			{now.UnixNano(), "core", "production", "refunds", 6000.0, int64(25)},
			{now.UnixNano(), "core", "production", "few", 6000.0, int64(3)},
			{now.UnixNano(), "core", "production", "unknown", nil, int64(25)},
		},
	})
	if len(rows) != 2 || !rows[0].At.Equal(now) {
		t.Fatalf("%+v", rows)
	}
	for i, want := range []bool{true, false} {
		m := rows[i].Measures(time.Hour)
		if r.Holds(&m) != want {
			t.Errorf("of %+v it holds: %t", rows[i], !want)
		}
	}
	share := good
	share.Query = &Query{Table: "runs", Func: "share", Of: "outcome:failed"}
	share.When = "value > 0.2"
	s, err := Compile(share)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Rows(&telemetry.Result{Columns: []telemetry.Column{{Name: "value"}, {Name: "records"}}, Rows: [][]any{{int64(3), int64(12)}, {int64(0), int64(0)}}})
	if len(got) != 1 || got[0].Value != .25 {
		t.Errorf("shares: %+v", got)
	}
}
