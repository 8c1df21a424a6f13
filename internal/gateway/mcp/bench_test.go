package mcp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"reeve/client"
)

// cpu is what this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkToolCall compares calls of a tool: at a server that does nothing, past
// a bare reverse proxy, through the door, and at the SDK's own server. What a
// proxy costs is the difference to the first.
func BenchmarkToolCall(b *testing.B) {
	h := newHouse(b, nil)
	key := h.agent("refunds")
	up := h.server("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if bytes.Contains(body, []byte("server/discover")) {
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":"reeve-discover","result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"ttlMs":0,"cacheScope":"private"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"refunded 12.50 EUR for order o-1"}],"isError":false}}`)
	}), nil)
	target, err := url.Parse(up.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := bareProxy(b, target)
	own := sdkServer(b)
	body := []byte(modernBody("1", "tools/call", `"name":"refund","arguments":{"amount":12.5,"order":"o-1"}`))
	var direct float64
	for _, way := range []struct{ name, url string }{{"direct", up.URL + "/mcp"}, {"bare", bare.URL + "/mcp"}, {"door", h.url + "/mcp/shop"}, {"sdk", own.URL + "/mcp"}} {
		b.Run(way.name, func(b *testing.B) {
			transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
			defer transport.CloseIdleConnections()
			call := func() {
				if err := callTool(transport, way.url, key, body); err != nil {
					b.Error(err)
				}
			}
			for range 16 {
				call()
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			used := cpu()
			b.ResetTimer()
			for range 16 {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						call()
					}
				})
			}
			wg.Wait()
			per := float64((cpu() - used).Microseconds()) / float64(b.N)
			if way.name == "direct" {
				direct = per
			}
			b.ReportMetric(per-direct, "cpu-µs/call-over-direct")
		})
	}
}

// bareProxy is a reverse proxy that does nothing.
func bareProxy(b *testing.B, target *url.URL) *httptest.Server {
	b.Helper()
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	bare := httptest.NewServer(proxy)
	b.Cleanup(bare.Close)
	return bare
}

// sdkServer is the SDK's own server with one tool.
func sdkServer(b *testing.B) *httptest.Server {
	b.Helper()
	type in struct {
		Amount float64 `json:"amount"`
		Order  string  `json:"order"`
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "sdk", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "refund"}, func(context.Context, *sdk.CallToolRequest, in) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "refunded"}}}, nil, nil
	})
	own := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{Stateless: true}))
	b.Cleanup(own.Close)
	return own
}

// callTool calls the tool once.
func callTool(transport *http.Transport, address, key string, body []byte) error {
	req, err := http.NewRequest("POST", address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = http.Header{
		"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"refund"},
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || !bytes.Contains(text, []byte("refunded")) {
		return fmt.Errorf("%d %s %w", resp.StatusCode, text, err)
	}
	return nil
}

// BenchmarkToolCallAt500 calls the SDK's own server 500 times a second: directly,
// past a bare reverse proxy and through the door, a second each in turn, so that
// what else the machine does is the same for all. Calls begin when they are due,
// whether the ones before are answered or not.
func BenchmarkToolCallAt500(b *testing.B) {
	h := newHouse(b, nil)
	key := h.agent("refunds")
	own := sdkServer(b)
	h.at("shop", own.URL+"/mcp", func(u *client.Upstream) { u.Credential = nil })
	target, err := url.Parse(own.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := bareProxy(b, target)
	body := []byte(modernBody("1", "tools/call", `"name":"refund","arguments":{"amount":12.5,"order":"o-1"}`))
	const rate = 500
	ways := []struct{ name, url string }{{"direct", own.URL + "/mcp"}, {"bare", bare.URL + "/mcp"}, {"door", h.url + "/mcp/shop"}}
	took := make([][]time.Duration, len(ways))
	more := map[string][]float64{} // by how much the door's p99 of a second is above the others' of the same three
	var mu sync.Mutex
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	defer transport.CloseIdleConnections()
	for _, way := range ways { // connections, and what the door finds out at first
		for range 16 {
			if err := callTool(transport, way.url, key, body); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ResetTimer()
	for sent := 0; sent < b.N; sent += rate {
		var second99 [3]float64
		for k := range ways {
			i := (k + sent/rate) % len(ways) // none is always behind the same one
			way, from := ways[i], len(took[i])
			var all sync.WaitGroup
			tick := time.NewTicker(time.Second / rate)
			for range min(rate, b.N-sent) {
				due := <-tick.C
				all.Go(func() {
					if err := callTool(transport, way.url, key, body); err != nil {
						b.Error(err)
						return
					}
					mu.Lock()
					took[i] = append(took[i], time.Since(due))
					mu.Unlock()
				})
			}
			tick.Stop()
			all.Wait()
			part := slices.Sorted(slices.Values(took[i][from:]))
			second99[i] = float64(part[(len(part)-1)*99/100].Microseconds()) / 1000
		}
		more["direct"] = append(more["direct"], second99[2]-second99[0])
		more["bare"] = append(more["bare"], second99[2]-second99[1])
	}
	for name, by := range more {
		slices.Sort(by)
		b.ReportMetric(by[len(by)/2], "p99-over-"+name+"-ms") // the median: one second in which something else ran says nothing
	}
	for i, way := range ways {
		slices.Sort(took[i])
		for name, part := range map[string]int{"p50": 50, "p99": 99} {
			if n := len(took[i]); n > 0 {
				b.ReportMetric(float64(took[i][(n-1)*part/100].Microseconds())/1000, way.name+"-"+name+"-ms")
			}
		}
	}
}
