package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/telemetry"
)

// A rule is tried over decisions, messages and logs as over runs: from the store, and
// not by who may not read them.
func TestRulesOfAllRecords(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	store.answer = func(q telemetry.Query) (*telemetry.Result, error) {
		res := &telemetry.Result{}
		row := []any{}
		for _, g := range q.GroupBy {
			res.Columns = append(res.Columns, telemetry.Column{Name: g, Kind: "dimension"})
			row = append(row, map[string]string{"agent": "refund", "team": "core", "environment": "production"}[g])
		}
		res.Columns = append(res.Columns, telemetry.Column{Name: "time", Kind: "time"}, telemetry.Column{Name: "value"}, telemetry.Column{Name: "records"})
		res.Rows = [][]any{append(row, testNow.Add(-time.Hour).UnixNano(), int64(30), int64(30))}
		return res, nil
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	body := func(table string) string {
		return `{"when":"value > 20.0","scope":"query","window":"1h","query":{"table":"` + table + `","func":"count","by":"agent"}}`
	}
	for _, table := range []string{"runs", "steps", "decisions", "messages", "logs"} {
		got := decode[client.RuleTrial](t, send(a, "POST", Prefix+"/rules/try", "as viewer+reader", body(table)), http.StatusOK)
		if got.Fired != 1 || len(got.Agents) != 1 || got.Agents[0].Agent != "refund" {
			t.Errorf("%s: %+v", table, got)
		}
	}
	for c, code := range map[[2]string]string{{"messages", "as viewer"}: "rule.denied", {"logs", "as viewer@core/*"}: "rule.denied", {"metrics", "as admin"}: "rule.invalid"} {
		if got := send(a, "POST", Prefix+"/rules/try", c[1], body(c[0])); !strings.Contains(string(got.body), code) {
			t.Errorf("%s %s: %d %s", c[1], c[0], got.status, got.body)
		}
	}
}
