package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"reeve/client"
)

// TestRerate changes prices under calls that are stored: a plan shows the
// difference, applying it reaches calls, runs and rollups, undoing gives all
// back.
func TestRerate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	card := filepath.Join(dir, "prices.yaml")
	prices := func(input string) {
		if err := os.WriteFile(card, []byte("name: ours\nprices:\n  - model: house-model\n    input: "+input+"\n    output: 0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := func(c *Config) { c.Data, c.Prices.File = filepath.Join(dir, "data"), card }
	prices("1") // a millionth of a dollar for a token
	a, stop := launch(t, config)
	at := time.Now().UTC().Add(-2 * time.Hour)
	var spans string
	const n = 40
	for i := range n {
		given := ""
		if i == 7 {
			given = `,{"key":"gen_ai.usage.cost","value":{"doubleValue":0.5}}`
		}
		spans += fmt.Sprintf(`,{"traceId":"0102030405060708090a0b0c0d0e%04x","spanId":"010203040506%04x","name":"chat","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.agent.name","value":{"stringValue":"payer"}},{"key":"gen_ai.request.model","value":{"stringValue":"house-model"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":1000}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":10}}%s]}`, i/4+1, i+1, at.UnixNano(), at.Add(time.Second).UnixNano(), given)
	}
	if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+spans[1:]+`]}]}]}`)); r.status != http.StatusOK {
		t.Fatalf("sending: %+v", r)
	}
	// total is what rollups, steps and runs say that all of it cost, in millionths.
	total := func(c *client.Client) (out [3]int64) {
		sum := func(from, field string) int64 {
			req := client.Query{From: from, Select: []client.Measure{{Func: "sum", Field: field, As: "x"}}, Start: at.Add(-time.Hour).Format(time.RFC3339), End: time.Now().Add(time.Hour).UTC().Format(time.RFC3339), GroupBy: []string{"agent"}}
			res, err := c.Query(t.Context(), req)
			if err != nil || len(res.Rows) == 0 {
				return -1
			}
			for _, cell := range res.Rows[0] {
				if v, ok := cell.(float64); ok {
					return int64(v*1e6 + 0.5)
				}
			}
			return -2
		}
		runs, err := c.ListRuns(t.Context(), client.ListRunsRequest{Agent: "payer", Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs.Items {
			if r.Cost.Amount != nil {
				out[2] += int64(*r.Cost.Amount*1e6 + 0.5)
			}
		}
		out[0], out[1] = sum("steps", "cost"), sum("runs", "cost")
		return out
	}
	want := func(c *client.Client, what string, micros int64) {
		t.Helper()
		var got [3]int64
		eventually(t, fmt.Sprintf("%s to be %d", what, micros), func() bool {
			got = total(c)
			return got == [3]int64{micros, micros, micros}
		})
	}
	c := client.New("http://"+a.Address("listen"), "")
	const given, first, second = 500_000, 39 * 1000, 39 * 3000
	want(c, "the first cost", given+first)

	stop()
	prices("3")
	a, stop = launch(t, config)
	c = client.New("http://"+a.Address("listen"), "")
	want(c, "the cost after a price change", given+first)
	done := func(r *client.Rerate, err error, state string) *client.Rerate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the rerate to be "+state, func() bool {
			if r, err = c.GetRerate(t.Context(), client.RerateRequest{ID: r.ID}); err != nil {
				t.Fatal(err)
			}
			if r.State == "failed" {
				t.Fatalf("it failed: %+v", r)
			}
			return r.State == state
		})
		return r
	}
	r, err := c.PlanRerate(t.Context(), client.PlanRerateRequest{From: at.Add(-time.Hour), To: time.Now().Add(time.Hour)})
	r = done(r, err, "planned")
	if r.Calls != n || r.Given != 1 || r.Changed != 39 || *r.Before != 0.039 || *r.After != 0.117 {
		t.Fatalf("planned %+v, %v to %v", r, *r.Before, *r.After)
	}
	want(c, "the cost while it is planned", given+first)
	x, err := c.ApplyRerate(t.Context(), client.RerateRequest{ID: r.ID})
	done(x, err, "applied")
	want(c, "the new cost", given+second)
	stop()
	a, _ = launch(t, config)
	c = client.New("http://"+a.Address("listen"), "")
	want(c, "the new cost after a restart", given+second)
	x, err = c.UndoRerate(t.Context(), client.RerateRequest{ID: r.ID})
	done(x, err, "undone")
	want(c, "the old cost", given+first)
}

// launch starts a server that may be stopped before the test ends.
func launch(t *testing.T, change func(*Config)) (*App, func()) {
	t.Helper()
	c := testConfig(t.TempDir())
	change(&c)
	return launchWith(t, Options{Config: c, Logger: slog.New(slog.DiscardHandler), Version: "test"})
}

func launchWith(t *testing.T, o Options) (*App, func()) {
	t.Helper()
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }() // ends with ctx
	stop := sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, a.Stop(context.Background())); err != nil {
			t.Errorf("running Reeve: %v", err)
		}
	})
	t.Cleanup(stop)
	eventually(t, "readiness", func() bool { return get(t, "http://"+a.Address("listen")+"/readyz") == http.StatusOK })
	return a, stop
}
