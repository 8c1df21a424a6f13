package app

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"reeve/client"
)

// received are the traces that an OTLP back end took, by the collector's
// library.
type received struct {
	mu     sync.Mutex
	traces map[string]int
}

func (b *received) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(z)
	req := ptraceotlp.NewExportRequest()
	if err != nil || req.UnmarshalProto(body) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range req.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				b.traces[s.TraceID().String()]++
			}
		}
	}
}

// TestRelayOverKill kills the process while telemetry is relayed: what was
// acknowledged reaches the destination after the next start.
func TestRelayOverKill(t *testing.T) {
	t.Parallel()
	b := &received{traces: map[string]int{}}
	backend := httptest.NewServer(b)
	t.Cleanup(backend.Close)
	dir := t.TempDir()
	server := startChild(t, childOptions{Dir: dir})
	if _, err := server.api.PutRelay(t.Context(), client.PutRelayRequest{Name: "backend", URL: backend.URL, AllowPrivate: true}); err != nil {
		t.Fatal(err)
	}
	acked, _ := sendUntil(t, server, 300, func() { _ = server.end(t, syscall.SIGKILL) })
	again := startChild(t, childOptions{Dir: dir})
	eventually(t, "all acknowledged traces", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for id := range acked {
			if b.traces[id] == 0 {
				return false
			}
		}
		return true
	})
	list, err := again.api.ListRelays(t.Context())
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("destinations %+v: %v", list, err)
	}
	if s := list.Items[0].Status; s.Lost != 0 || s.Rejected != 0 {
		t.Errorf("status %+v", s)
	}
	t.Logf("%d acknowledged, %d relayed", len(acked), len(b.traces))
	if err := again.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
