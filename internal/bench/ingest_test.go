package bench

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// sink takes OTLP and counts each span id; it is busy now and then.
type sink struct {
	ptraceotlp.UnimplementedGRPCServer
	mu    sync.Mutex // guards what follows
	spans map[[8]byte]int
	asked int
}

func newSink() *sink { return &sink{spans: map[[8]byte]int{}} }

// take counts a request's spans; false is "busy".
func (s *sink) take(req ptraceotlp.ExportRequest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked++; s.asked%5 == 0 {
		return false
	}
	for _, rs := range req.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, sp := range ss.Spans().All() {
				s.spans[sp.SpanID()]++
			}
		}
	}
	return true
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	req := ptraceotlp.NewExportRequest()
	if r.URL.Path != "/v1/traces" || req.UnmarshalProto(body) != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	if !s.take(req) {
		w.Header().Set("Retry-After", "0.01")
		http.Error(w, "busy", http.StatusTooManyRequests)
	}
}

func (s *sink) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	if !s.take(req) {
		return ptraceotlp.NewExportResponse(), status.Error(codes.ResourceExhausted, "busy")
	}
	return ptraceotlp.NewExportResponse(), nil
}

func TestIngestDeliversEverythingOnce(t *testing.T) {
	t.Parallel()
	httpSink, grpcSink := newSink(), newSink()
	hs := httptest.NewServer(httpSink)
	t.Cleanup(hs.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gs := grpc.NewServer(grpc.MaxRecvMsgSize(32 << 20))
	ptraceotlp.RegisterGRPCServer(gs, grpcSink)
	go func() { _ = gs.Serve(l) }()
	t.Cleanup(gs.Stop)

	for _, tt := range []struct {
		name, endpoint string
		sink           *sink
	}{{"http", hs.URL, httpSink}, {"grpc", "grpc://" + l.Addr().String(), grpcSink}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := Ingest(t.Context(), IngestOptions{Load: Load{Spans: 5000, Agents: 6}, Target: Target{Endpoint: tt.endpoint}, Settle: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if r.Truth.Spans != 5000 || r.Busy == 0 {
				t.Errorf("report says %d spans and %d busy answers, want 5000 and some", r.Truth.Spans, r.Busy)
			}
			tt.sink.mu.Lock()
			defer tt.sink.mu.Unlock()
			if len(tt.sink.spans) != 5000 {
				t.Errorf("sink has %d spans, want 5000", len(tt.sink.spans))
			}
			for id, n := range tt.sink.spans {
				if n != 1 {
					t.Fatalf("span %x came %d times", id, n)
				}
			}
			var text bytes.Buffer
			if err := r.Text(&text); err != nil || !strings.Contains(text.String(), "5000 spans") {
				t.Errorf("report reads %v:\n%s", err, text.String())
			}
			if r.ServerCPU != nil || r.DiskPerSpan != nil {
				t.Error("a figure that nobody could measure is given")
			}
		})
	}
}

func TestIngestSaysWhyABodyWasRefused(t *testing.T) {
	t.Parallel()
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no key", http.StatusUnauthorized) }))
	t.Cleanup(hs.Close)
	_, err := Ingest(t.Context(), IngestOptions{Load: Load{Spans: 100, Agents: 1}, Target: Target{Endpoint: hs.URL}})
	if err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("got %v, want the server's reason", err)
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	got := stages(map[string]float64{
		`reeve_stage_seconds_total{stage="decode"}`:        1,
		`reeve_stage_seconds_total{part="0",stage="fold"}`: 2,
		`process_cpu_seconds_total`:                        9,
	})
	if len(got) != 2 || got["decode"] != 1 || got["fold"] != 2 {
		t.Errorf("got %v", got)
	}
}

func TestKindOfFile(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"telemetry/segments/2026-11-22/steps/0000000001.parquet": "telemetry/segments/steps",
		"telemetry/index.db-wal":                                 "telemetry/index.db-wal",
		"control.db":                                             "control.db",
		"bus/jetstream/x/streams/ACTIVITY/msgs/1.blk":            "bus/jetstream/x/streams/ACTIVITY/msgs",
	} {
		if got := kindOfFile(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
