package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/budget"
	"reeve/internal/bus"
	"reeve/internal/content"
	"reeve/internal/decision"
	"reeve/internal/gateway"
	"reeve/internal/price"
)

// cpu is what this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// realLog is a log of decisions as the product has it.
func realLog(t testing.TB) *decision.Log {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := decision.Open(t.Context(), decision.Options{Stream: b.Decisions(), Dir: t.TempDir(), Install: "bench", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; b.Close() })
	return l
}

// BenchmarkDoor compares calls through the door with calls through a bare
// httputil.ReverseProxy and with calls that meet no proxy, all in this process:
// what a proxy costs is the difference to the last.
func BenchmarkDoor(b *testing.B) {
	log := realLog(b)
	book, err := price.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	var steps *gateway.Steps
	h := newHouse(b, func(o *gateway.Options) {
		c := budget.Defaults()
		c.PilotRate, c.PilotCalls, c.PilotTokens, c.PilotMoney = "999999/s by agent", 1e9, 1e12, 1e6
		ledger, err := budget.Open(b.Context(), budget.Options{DB: openDB(b), Dir: b.TempDir(), Config: c})
		if err != nil {
			b.Fatal(err)
		}
		ledger.Ready()
		o.Decisions, o.Budgets, o.Rates, o.Limits, o.Prices = log, ledger, budget.NewRates(time.Now(), 0), c, book
		rules, err := content.New(b.Context(), content.Options{DB: openDB(b)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := rules.Put(b.Context(), content.Actor{Person: "ada"}, client.ContentRule{
			Name: "secrets", Classes: []string{"secret", "pii.payment"}, Action: "redact", Direction: "request", Reason: "a benchmark",
		}); err != nil {
			b.Fatal(err)
		}
		o.Content = rules
		steps = gateway.NewSteps(func(context.Context, []byte) error { return nil }, slog.New(slog.DiscardHandler))
		o.Steps = steps
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = steps.Run(ctx) }()
	b.Cleanup(cancel)
	h.permit(thousand())
	key := h.agent("refunds")
	body := strings.Repeat("x", 1024)
	up := h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}), nil)
	target, err := url.Parse(up.URL)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, DisableCompression: true}
	bare := httptest.NewServer(proxy)
	b.Cleanup(bare.Close)
	ways := []struct{ name, url string }{
		{"direct", up.URL + "/v1/refunds"},
		{"bare", bare.URL + "/v1/refunds"},
		{"door", h.url + "/http/shop/v1/refunds"},
	}
	var direct, bareCost float64
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			per, rate := drive(b, w.url, key, 32)
			if w.name == "direct" {
				direct = per
			}
			switch w.name {
			case "bare":
				bareCost = per - direct
			case "door":
				b.ReportMetric((per-direct)/bareCost, "of-bare's-cpu")
			}
			b.ReportMetric(per-direct, "cpu-µs/call-over-direct")
			b.ReportMetric(rate, "calls/s")
		})
	}
}

// thousand are as many policies of other agents beside those that are about
// the call.
func thousand() string {
	var all strings.Builder
	all.WriteString(permitAll)
	for i := range 998 {
		fmt.Fprintf(&all, "@id(\"p%d\") permit (principal == Agent::\"agent-%d\", action, resource in Upstream::\"up-%d\") when { context.args.readable };\n", i, i, i%50)
	}
	all.WriteString(`@id("limited") @limit("999999/s by agent") permit (principal, action == Action::"call_api", resource) when { context.args.number.hasTag("/amount") && context.args.number.getTag("/amount").lessThan(decimal("100.0")) && !context.taint.untrusted };`)
	return all.String()
}

// drive calls with n workers and gives the CPU of a call in µs and calls a second.
func drive(b *testing.B, to, key string, n int) (per, rate float64) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: n, DisableCompression: true, DialContext: (&net.Dialer{}).DialContext}
	defer transport.CloseIdleConnections()
	call := func() {
		req, err := http.NewRequest("POST", to, strings.NewReader(`{"amount": 12.5, "currency": "EUR", "order": "o-1"}`))
		if err != nil {
			b.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			b.Error(err)
			return
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			b.Error(resp.StatusCode, err)
		}
		_ = resp.Body.Close()
	}
	for range n {
		call()
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	began, used := time.Now(), cpu()
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				call()
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	took := time.Since(began)
	return float64((cpu() - used).Microseconds()) / float64(b.N), float64(b.N) / took.Seconds()
}

// BenchmarkFirstByte is the median time until a stream's first piece is read,
// one call at a time, through a bare proxy and through the door.
func BenchmarkFirstByte(b *testing.B) {
	log := realLog(b)
	h := newHouse(b, func(o *gateway.Options) { o.Decisions = log })
	key := h.agent("refunds")
	up := h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "data: last\n\n")
	}), nil)
	target, err := url.Parse(up.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := httptest.NewServer(httputil.NewSingleHostReverseProxy(target))
	b.Cleanup(bare.Close)
	for _, way := range []struct{ name, url string }{{"bare", bare.URL + "/v1/orders/1"}, {"door", h.url + "/http/shop/v1/orders/1"}} {
		b.Run(way.name, func(b *testing.B) {
			var took []time.Duration
			buf := make([]byte, 13)
			for b.Loop() {
				req, err := http.NewRequest("GET", way.url, nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("X-Api-Key", key)
				began := time.Now()
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(resp.Body, buf); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
