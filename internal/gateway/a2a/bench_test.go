package a2a_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpu is what this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDoor compares messages through the door with messages through a bare
// httputil.ReverseProxy and with those that meet no proxy, all in this process,
// in turn: what a proxy costs is the difference to the last.
func BenchmarkDoor(b *testing.B) {
	h := newHouse(b, nil)
	key := h.agent("sales")
	a := newActor(b, "1.0", func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, taskResult("t1", "c1", "TASK_STATE_COMPLETED"))
	})
	h.upstream("actor", a.url, nil)
	target, err := url.Parse(a.url)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, DisableCompression: true}
	bare := httptest.NewServer(proxy)
	b.Cleanup(bare.Close)
	text := strings.Repeat("x", 1000)
	params := `{"message":{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"` + text + `"}]}}`
	rpc := `{"jsonrpc":"2.0","id":7,"method":"SendMessage","params":` + params + `}`
	ways := []struct{ name, url, body string }{
		{"direct", a.url + "/rpc", rpc},
		{"bare", bare.URL + "/rpc", rpc},
		{"door", h.url + "/a2a/actor", rpc},
		{"door, HTTP+JSON to JSON-RPC", h.url + "/a2a/actor/message:send", params},
	}
	spent := make([]time.Duration, len(ways))
	calls := 0
	call := func(url, body string) {
		req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("A2A-Version", "1.0")
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			b.Fatal(resp.StatusCode, err)
		}
		_ = resp.Body.Close()
	}
	const batch = 50
	for b.Loop() {
		for i, w := range ways {
			from := cpu()
			for range batch {
				call(w.url, w.body)
			}
			spent[i] += cpu() - from
		}
		calls += batch
		a.mu.Lock()
		a.got = nil
		a.mu.Unlock()
	}
	for i, w := range ways {
		b.ReportMetric(float64((spent[i]-spent[0]).Microseconds())/float64(calls), "us/"+strings.ReplaceAll(w.name, " ", "_"))
	}
}
