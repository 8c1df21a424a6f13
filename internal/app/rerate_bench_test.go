package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reeve/client"
)

// BenchmarkRerate prices 20,000 calls in 2,000 runs again: what a plan and what
// an apply take for a call, until the reader has the change.
func BenchmarkRerate(b *testing.B) {
	dir := b.TempDir()
	card := filepath.Join(dir, "prices.yaml")
	c := testConfig(filepath.Join(dir, "data"))
	c.Prices.File = card
	open := func(input string) (*App, *client.Client, func()) {
		if err := os.WriteFile(card, []byte("name: ours\nprices:\n  - model: house-model\n    input: "+input+"\n    output: 0\n"), 0o600); err != nil {
			b.Fatal(err)
		}
		a, err := New(b.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler), Version: "test"})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }() // ends with ctx
		return a, client.New("http://"+a.Address("listen"), ""), func() {
			cancel()
			if err := errors.Join(<-done, a.Stop(context.Background())); err != nil {
				b.Error(err)
			}
		}
	}
	const calls, perRun = 20_000, 10
	at := time.Now().UTC().Add(-3 * time.Hour)
	a, api, stop := open("1")
	for from := 0; from < calls; from += 1000 {
		var body bytes.Buffer
		for i := from; i < from+1000; i++ {
			fmt.Fprintf(&body, `,{"traceId":"0102030405060708090a0b0c%08x","spanId":"01020304%08x","name":"chat","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.agent.name","value":{"stringValue":"payer"}},{"key":"gen_ai.request.model","value":{"stringValue":"house-model"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":1000}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":10}}]}`, i/perRun+1, i+1, at.UnixNano()+int64(i)*1e6, at.UnixNano()+int64(i)*1e6+5e8)
		}
		if r := post(b.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+body.String()[1:]+`]}]}]}`)); r.status != 200 {
			b.Fatalf("sending: %+v", r)
		}
	}
	stop()
	prices := []string{"3", "1"}
	for n := 0; b.Loop(); n++ {
		_, api, stop = open(prices[n%2])
		wait := func(r *client.Rerate, err error, state string) *client.Rerate {
			for err == nil && r.State != state && r.State != "failed" {
				select {
				case <-time.After(10 * time.Millisecond):
				case <-b.Context().Done():
				}
				r, err = api.GetRerate(b.Context(), client.RerateRequest{ID: r.ID})
			}
			if err != nil || r.State == "failed" {
				b.Fatalf("%+v: %v", r, err)
			}
			return r
		}
		r, err := api.PlanRerate(b.Context(), client.PlanRerateRequest{From: at.Add(-time.Hour), To: time.Now().Add(time.Hour)})
		r = wait(r, err, "planned")
		if r.Changed != calls {
			b.Fatalf("%d calls differ", r.Changed)
		}
		b.ReportMetric(float64(r.TookMS)*1e6/calls, "plan-ns/call")
		x, err := api.ApplyRerate(b.Context(), client.RerateRequest{ID: r.ID})
		x = wait(x, err, "applied")
		b.ReportMetric(float64(x.TookMS)*1e6/calls, "apply-ns/call")
		stop()
	}
	b.ReportMetric(0, "ns/op")
}
