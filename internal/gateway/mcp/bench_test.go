package mcp_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
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
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	bare := httptest.NewServer(proxy)
	b.Cleanup(bare.Close)
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
	body := []byte(modernBody("1", "tools/call", `"name":"refund","arguments":{"amount":12.5,"order":"o-1"}`))
	var direct float64
	for _, way := range []struct{ name, url string }{{"direct", up.URL + "/mcp"}, {"bare", bare.URL + "/mcp"}, {"door", h.url + "/mcp/shop"}, {"sdk", own.URL + "/mcp"}} {
		b.Run(way.name, func(b *testing.B) {
			transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
			defer transport.CloseIdleConnections()
			call := func() {
				req, err := http.NewRequest("POST", way.url, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header = http.Header{
					"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
					"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"refund"},
				}
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !bytes.Contains(text, []byte("refunded")) {
					b.Error(resp.StatusCode, err, string(text))
				}
				_ = resp.Body.Close()
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
