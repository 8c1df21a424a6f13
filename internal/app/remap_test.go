package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/intake"
	"reeve/internal/intake/dialect"
)

// TestRemap sends calls to a server whose table knows neither models, tokens nor
// agents, and starts today's on the same data: a plan tells what differs, applying
// it reaches steps, runs and sums, and a second plan finds nothing.
func TestRemap(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	var older []dialect.Dialect
	for _, d := range intake.Dialects() {
		d.Rules = slices.DeleteFunc(slices.Clone(d.Rules), func(r dialect.Rule) bool {
			return strings.HasPrefix(r.Key, "gen_ai.usage.") || strings.HasPrefix(r.Key, "gen_ai.request.") || r.Key == "gen_ai.agent.name" || r.Key == "gen_ai.input.messages"
		})
		older = append(older, d)
	}
	options := func(table *dialect.Map) Options {
		c := testConfig(t.TempDir())
		c.Data = dir
		return Options{Config: c, Logger: slog.New(slog.DiscardHandler), Version: "test", Table: table}
	}
	a, stop := launchWith(t, options(dialect.NewMap(older...)))
	at := time.Now().UTC().Add(-2 * time.Hour)
	const n = 40
	var spans string
	for i := range n {
		spans += fmt.Sprintf(`,{"traceId":"0102030405060708090a0b0c0d0e%04x","spanId":"010203040506%04x","name":"chat","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.agent.name","value":{"stringValue":"payer"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o-mini"}},
			{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"a plum for number %d\"}]}]"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":1000}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":10}}]}`, i/4+1, i+1, at.UnixNano(), at.Add(time.Second).UnixNano(), i)
	}
	if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+spans[1:]+`]}]}]}`)); r.status != http.StatusOK {
		t.Fatalf("sending: %+v", r)
	}
	c := client.New("http://"+a.Address("listen"), "")
	runs := func(of string) int {
		list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Agent: of, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	eventually(t, "the runs", func() bool { return runs("") == n/4 })
	if runs("payer") != 0 {
		t.Fatal("the older table knows the agent")
	}
	stop()

	a, stop = launchWith(t, options(nil))
	c = client.New("http://"+a.Address("listen"), "")
	plan := func(all bool) *client.Remap {
		r, err := c.PlanRemap(t.Context(), client.PlanRemapRequest{All: all})
		return remapIs(t, c, r, err, "planned")
	}
	r := plan(true)
	if r.Steps != n || r.Changed != n || len(r.Rows) != 1 || r.Rows[0].Changed != n {
		t.Fatalf("planned %+v", r)
	}
	for _, f := range r.Fields {
		for _, x := range f.Examples {
			if strings.Contains(x.Before+x.After, "plum") {
				t.Errorf("a plan tells what was said: %+v", f)
			}
		}
	}
	if runs("payer") != 0 {
		t.Fatal("a plan changed something")
	}
	x, err := c.ApplyRemap(t.Context(), client.RemapRequest{ID: r.ID})
	if x = remapIs(t, c, x, err, "applied"); x.Applied != n {
		t.Fatalf("applied %+v", x)
	}
	holds := func(when string) {
		t.Helper()
		if got := runs("payer"); got != n/4 {
			t.Errorf("%s: %d runs of the agent", when, got)
		}
		list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Query: `"plum for number 7"`, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != 1 {
			t.Fatalf("%s: the words are found in %d runs", when, len(list.Items))
		}
		if u := list.Items[0].Usage.InputTotal; u == nil || *u != 4000 {
			t.Errorf("%s: the run has %v tokens", when, u)
		}
		for _, from := range []string{"steps", "runs"} {
			res, err := c.Query(t.Context(), client.Query{From: from, Select: []client.Measure{{Func: "sum", Field: "input_tokens", As: "x"}}, Start: at.Add(-time.Hour).Format(time.RFC3339), End: time.Now().Add(time.Hour).UTC().Format(time.RFC3339), GroupBy: []string{"agent"}})
			if err != nil || len(res.Rows) != 1 || fmt.Sprint(res.Rows[0]) != "[payer 40000]" {
				t.Errorf("%s: %s sum up to %v: %v", when, from, res, err)
			}
		}
	}
	holds("applied")
	if again := plan(true); again.Changed != 0 || again.Steps != n {
		t.Errorf("a second plan: %+v", again)
	}
	if older := plan(false); older.Steps != 0 {
		t.Errorf("nothing is older: %+v", older)
	}
	stop()
	a, _ = launchWith(t, options(nil))
	c = client.New("http://"+a.Address("listen"), "")
	holds("after a restart")
}

// remapIs waits for a remap that was asked for to be in a state, and reads it again.
func remapIs(t *testing.T, c *client.Client, r *client.Remap, err error, state string) *client.Remap {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the remap to be "+state, func() bool {
		if r, err = c.GetRemap(t.Context(), client.RemapRequest{ID: r.ID}); err != nil {
			t.Fatal(err)
		}
		if r.State == "failed" {
			t.Fatalf("it failed: %+v", r)
		}
		return r.State == state
	})
	return r
}
