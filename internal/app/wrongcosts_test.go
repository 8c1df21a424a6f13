package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// TestWrongCosts sends what other systems counted wrongly, each case by its
// public issue, and asks for the right figures of the runs and of the sums.
func TestWrongCosts(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../intake/testdata/costs/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Issue  string
		Traces [][]struct {
			ID, Parent  int
			Name, Scope string
			Attributes  map[string]any
		}
		Want struct {
			Input, Output, Nanos int64
			Read                 int64 `json:"cache_read"`
			Write                int64 `json:"cache_write"`
		}
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	card := filepath.Join(dir, "prices.yaml")
	if err := os.WriteFile(card, []byte("name: cases\nprices:\n  - {model: cost-model, input: 1, cache_read: 0.1, cache_write: 1.25, output: 10}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := start(t, func(c *Config) { c.Prices.File = card })
	api := client.New("http://"+a.Address("listen"), "")
	at := time.Now().UTC().Add(-time.Hour)
	for n, c := range cases {
		var scopes []string
		for k, trace := range c.Traces {
			for i, s := range trace {
				attributes := []string{
					fmt.Sprintf(`{"key":"session.id","value":{"stringValue":"case-%d"}}`, n), fmt.Sprintf(`{"key":"reeve.agent","value":{"stringValue":"agent-%d"}}`, n),
				}
				for key, v := range s.Attributes {
					value := fmt.Sprintf(`{"stringValue":%q}`, v)
					if f, ok := v.(float64); ok {
						value = fmt.Sprintf(`{"intValue":%d}`, int64(f))
					}
					attributes = append(attributes, fmt.Sprintf(`{"key":%q,"value":%s}`, key, value))
				}
				parent := ""
				if s.Parent > 0 {
					parent = fmt.Sprintf(`"parentSpanId":"0000000000%02x%02x%02x",`, n+1, k+1, s.Parent)
				}
				from := at.Add(time.Duration(i) * time.Second)
				scopes = append(scopes, fmt.Sprintf(`{"scope":{"name":%q},"spans":[{"traceId":"0000000000000000000000000000%02x%02x",%s"spanId":"0000000000%02x%02x%02x","name":%q,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s]}]}`,
					s.Scope, n+1, k+1, parent, n+1, k+1, s.ID, s.Name, from.UnixNano(), from.Add(time.Second).UnixNano(), strings.Join(attributes, ",")))
			}
		}
		body := `{"resourceSpans":[{"scopeSpans":[` + strings.Join(scopes, ",") + `]}]}`
		if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(body)); r.status != http.StatusOK {
			t.Fatalf("%s: sending: %+v", c.Issue, r)
		}
	}
	for n, c := range cases {
		var got string
		want := fmt.Sprintf("runs %d+%d read %d write %d cost %d, sums %d+%d cost %d", c.Want.Input, c.Want.Output, c.Want.Read, c.Want.Write, c.Want.Nanos, c.Want.Input, c.Want.Output, c.Want.Nanos)
		read := func() bool {
			list, err := api.ListRuns(t.Context(), client.ListRunsRequest{Session: fmt.Sprintf("case-%d", n), Limit: 10})
			if err != nil || len(list.Items) != len(c.Traces) {
				return false
			}
			var in, out, cached, written, nanos int64
			value := func(p *int64) int64 {
				if p == nil {
					return 0
				}
				return *p
			}
			for _, r := range list.Items {
				in, out = in+value(r.Usage.InputTotal), out+value(r.Usage.OutputTotal)
				cached, written = cached+value(r.Usage.InputCacheRead), written+value(r.Usage.InputCacheWrite)
				if r.Cost.Amount != nil {
					nanos += int64(*r.Cost.Amount*1e9 + 0.5)
				}
			}
			res, err := api.Query(t.Context(), client.Query{From: "steps", GroupBy: []string{"agent"}, Where: fmt.Sprintf("agent:agent-%d counted:true", n), Select: []client.Measure{
				{Func: "sum", Field: "input_tokens", As: "in"}, {Func: "sum", Field: "output_tokens", As: "out"}, {Func: "sum", Field: "cost", As: "cost"},
			}, Start: "-2h"})
			if err != nil || len(res.Rows) != 1 {
				return false
			}
			sum := map[string]float64{}
			for i, column := range res.Columns {
				if v, ok := res.Rows[0][i].(float64); ok {
					sum[column.Name] = v
				}
			}
			got = fmt.Sprintf("runs %d+%d read %d write %d cost %d, sums %d+%d cost %d", in, out, cached, written, nanos, int64(sum["in"]), int64(sum["out"]), int64(sum["cost"]*1e9+0.5))
			return got == want
		}
		func() {
			defer func() { // also when it was waited for in vain
				if got != want {
					t.Errorf("%s:\n got  %s\n want %s", c.Issue, got, want)
				}
			}()
			eventually(t, c.Issue, read)
		}()
	}
}
