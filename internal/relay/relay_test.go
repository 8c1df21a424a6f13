package relay

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // senders compress
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"reeve/client"
	"reeve/internal/bus"
	"reeve/internal/content"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// plainRemote dials whatever it is told.
type plainRemote struct{ headers map[string]string }

func (p plainRemote) Authorize(r *http.Request) error {
	for k, v := range p.headers {
		r.Header.Set(k, v)
	}
	return nil
}
func (plainRemote) Transport() http.RoundTripper { return http.DefaultTransport }
func (plainRemote) Cleartext2() http.RoundTripper {
	t := &http.Transport{Protocols: new(http.Protocols)}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}
func (plainRemote) Set() bool { return true }
func (plainRemote) Close()    {}

// house is a relay over real stores.
type house struct {
	*Relay
	bus *bus.Bus
	db  *control.DB
	set *content.Set
}

func open(t *testing.T, dir string, relayBytes int64) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Dir: filepath.Join(dir, "bus"), RelayBytes: relayBytes, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	set, err := content.New(t.Context(), content.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(t.Context(), Options{
		DB: db, Queue: b.Relay(), Plans: set, Install: "here", Secret: func(k []byte) bool { return string(k) == "api_key" },
		Open: func(d *client.RelayDestination) (Remote, error) { return plainRemote{d.Headers}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.pause = time.Millisecond
	return &house{r, b, db, set}
}

func (h *house) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(h.bus.Close(), h.db.Close()); err != nil {
		t.Error(err)
	}
}

// run runs the relay until the returned func is called.
func (h *house) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }() // ends with ctx
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func start(t *testing.T) *house {
	t.Helper()
	h := open(t, t.TempDir(), 0)
	t.Cleanup(func() { h.close(t) })
	h.run(t)
	return h
}

func (h *house) put(t *testing.T, d client.RelayDestination) {
	t.Helper()
	if _, err := h.Put(t.Context(), "per_1", d); err != nil {
		t.Fatal(err)
	}
}

func (h *house) status(t *testing.T, name string) client.RelayStatus {
	t.Helper()
	for _, d := range h.List(t.Context()) {
		if d.Name == name {
			return d.Status
		}
	}
	t.Fatalf("no destination %s", name)
	return client.RelayStatus{}
}

// eventually waits until is is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}

// backend is an OTLP/HTTP back end that decodes with the collector's library.
type backend struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  [][]byte
	headers []http.Header
	answer  func(n int, w http.ResponseWriter) bool // true: it answered, and took nothing
	calls   int
}

func newBackend(t *testing.T) *backend {
	b := &backend{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var src io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		src = z
	}
	body, err := io.ReadAll(src)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.answer != nil && b.answer(b.calls, w) {
		return
	}
	b.bodies = append(b.bodies, body)
	h := r.Header.Clone()
	h.Set("Path", r.URL.Path)
	b.headers = append(b.headers, h)
}

// names are the names of the spans that it took, sorted.
func (b *backend) names(t *testing.T) (out []string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.bodies {
		out = append(out, namesOf(t, body)...)
	}
	slices.Sort(out)
	return out
}

func namesOf(t *testing.T, body []byte) (out []string) {
	t.Helper()
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalProto(body); err != nil {
		t.Fatal(err)
	}
	for _, rs := range req.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				out = append(out, s.Name())
			}
		}
	}
	return out
}

// spans is a request of spans of those names, with what makes a span hard.
func spans(t *testing.T, names ...string) *Arrival {
	t.Helper()
	tr := ptrace.NewTraces()
	a := &Arrival{Signal: Traces, Team: "core", Environment: "production"}
	rs := tr.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "svc")
	rs.SetSchemaUrl("https://example.com/schema")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("scope")
	ss.Scope().Attributes().PutBool("x", true)
	for i, name := range names {
		s := ss.Spans().AppendEmpty()
		s.SetName(name)
		s.SetTraceID(pcommon.TraceID{1, byte(i)})
		s.SetSpanID(pcommon.SpanID{2, byte(i)})
		s.SetStartTimestamp(1_700_000_000_000_000_000)
		s.TraceState().FromRaw("a=b")
		s.SetDroppedAttributesCount(3)
		s.Attributes().PutStr("nobody.knows.this", "kept")
		s.Attributes().PutEmptySlice("list").AppendEmpty().SetDouble(1.5)
		s.Attributes().PutEmptyMap("map").PutEmptyBytes("raw").FromRaw([]byte{0, 1})
		e := s.Events().AppendEmpty()
		e.SetName("event")
		e.Attributes().PutInt("n", int64(i))
		s.Links().AppendEmpty().SetTraceID(pcommon.TraceID{9})
		a.Records = append(a.Records, Record{Agent: "refund", Dialect: "otel-genai"})
	}
	a.Body = marshal(t, tr)
	return a
}

func marshal(t *testing.T, tr ptrace.Traces) []byte {
	t.Helper()
	b, err := ptraceotlp.NewExportRequestFromTraces(tr).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What nobody filters or redacts goes out byte for byte, fields included that no
// version of the protocol has yet.
func TestWhatArrivedGoesOut(t *testing.T) {
	t.Parallel()
	h, b := start(t), newBackend(t)
	h.put(t, client.RelayDestination{Name: "all", URL: b.URL + "/base", Headers: map[string]string{"X-Tenant": "t1"}})
	a := spans(t, "one", "two")
	a.Body = append(a.Body, 0xfa, 0x3f, 3, 'n', 'e', 'w') // field 1023 of the request
	h.Offer(t.Context(), a)
	eventually(t, "the request", func() bool { return len(b.names(t)) == 2 })
	if diff := cmp.Diff(a.Body, b.bodies[0]); diff != "" {
		t.Errorf("relayed body (-sent +got):\n%s", diff)
	}
	got := b.headers[0]
	for name, want := range map[string]string{"Path": "/base/v1/traces", "Content-Type": "application/x-protobuf", "X-Tenant": "t1", HopHeader: "here"} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Get(name), want)
		}
	}
	eventually(t, "the counts", func() bool { s := h.status(t, "all"); return s.Sent == 2 && s.Waiting == 0 && s.State == "idle" })
}

func TestFilters(t *testing.T) {
	t.Parallel()
	h, b := start(t), newBackend(t)
	for name, d := range map[string]client.RelayDestination{
		"agents":       {Agents: []string{"refund"}},
		"dialects":     {Dialects: []string{"langfuse"}},
		"environments": {Environments: []string{"staging"}},
		"teams":        {Teams: []string{"other"}},
		"signals":      {Signals: []string{"logs"}},
	} {
		d.Name, d.URL = name, b.URL+"/"+name
		h.put(t, d)
	}
	a := spans(t, "one", "two", "three", "unreadable")
	a.Records[1].Agent, a.Records[2].Dialect, a.Records[3].Unreadable = "search", "langfuse", true
	h.Offer(t.Context(), a)
	byKey := spans(t, "four") // no environment of its key: the sender's word counts
	byKey.Environment, byKey.Records[0].Environment, byKey.Records[0].Agent = "", "staging", "x"
	h.Offer(t.Context(), byKey)
	eventually(t, "all requests", func() bool { return len(b.names(t)) >= 4 })
	got := map[string][]string{}
	b.mu.Lock()
	for i, body := range b.bodies {
		path := strings.Split(b.headers[i].Get("Path"), "/")[1]
		got[path] = append(got[path], namesOf(t, body)...)
	}
	b.mu.Unlock()
	want := map[string][]string{"agents": {"one", "three"}, "dialects": {"three"}, "environments": {"four"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what passed (-want +got):\n%s", diff)
	}
	eventually(t, "the counts", func() bool { s := h.status(t, "agents"); return s.Sent == 2 && s.Filtered == 2 })
}

func TestRedaction(t *testing.T) {
	t.Parallel()
	h, b := start(t), newBackend(t)
	h.put(t, client.RelayDestination{Name: "clean", URL: b.URL, Redact: []string{"pii.email"}})
	tr := ptrace.NewTraces()
	rs := tr.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("host.owner", "ops@example.com")
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("mail to jo@example.com")
	s.SetSpanID(pcommon.SpanID{1})
	s.Attributes().PutStr("gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"I am jo@example.com"}]}]`)
	s.Attributes().PutStr("api_key", "sk-very-secret")
	s.Attributes().PutEmptySlice("deep").AppendEmpty().SetEmptyMap().PutStr("to", "jo@example.com")
	s.Attributes().PutStr("plain", "stays")
	s.Attributes().PutEmptyBytes("bytes").FromRaw([]byte("jo@example.com"))
	s.Attributes().PutEmptyBytes("hidden").FromRaw([]byte("\xff\x00jo@example.com\xfe"))
	s.Attributes().PutEmptyBytes("picture").FromRaw([]byte("\xff\xd8\xff\xe0 no text \x00\x80"))
	s.Events().AppendEmpty().Attributes().PutStr("text", "jo@example.com")
	s.Status().SetMessage("jo@example.com is unknown")
	h.Offer(t.Context(), &Arrival{Signal: Traces, Body: marshal(t, tr), Records: []Record{{Agent: "refund"}}})
	eventually(t, "the request", func() bool { return len(b.names(t)) == 1 })
	body := string(b.bodies[0])
	for _, gone := range []string{"jo@example.com", "ops@example.com", "sk-very-secret", "api_key"} {
		if strings.Contains(body, gone) {
			t.Errorf("%q went out:\n%q", gone, body)
		}
	}
	for _, kept := range []string{"I am ", "stays", "is unknown", "mail to ", "\xff\xd8\xff\xe0 no text \x00\x80"} {
		if !strings.Contains(body, kept) {
			t.Errorf("%q is gone:\n%q", kept, body)
		}
	}
}

// A destination is asked again as the protocol says, and no span is lost or,
// where it was refused for good, sent again.
func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer         func(n int, w http.ResponseWriter) bool
		sent, rejected int64
		names          []string
	}{
		"503 then 200": {func(n int, w http.ResponseWriter) bool {
			if n < 4 {
				http.Error(w, "busy", http.StatusServiceUnavailable)
			}
			return n < 4
		}, 4, 0, []string{"a", "b", "c", "d"}},
		"401 then 200": {func(n int, w http.ResponseWriter) bool {
			if n < 3 {
				w.WriteHeader(http.StatusUnauthorized)
			}
			return n < 3
		}, 4, 0, []string{"a", "b", "c", "d"}},
		"400": {func(_ int, w http.ResponseWriter) bool {
			http.Error(w, "not this", http.StatusBadRequest)
			return true
		}, 0, 4, nil},
		"500 for ever": {func(_ int, w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}, 0, 4, nil},
		"partial success": {func(_ int, w http.ResponseWriter) bool {
			resp := ptraceotlp.NewExportResponse()
			resp.PartialSuccess().SetRejectedSpans(1)
			resp.PartialSuccess().SetErrorMessage("one is too old")
			body, _ := resp.MarshalProto()
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(body)
			return true
		}, 3, 1, nil},
		"413 until one": {nil, 3, 1, []string{"a", "b", "d"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, b := start(t), newBackend(t)
			b.answer = tt.answer
			if tt.answer == nil {
				b.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					z, err := gzip.NewReader(r.Body)
					if err != nil {
						t.Error(err)
						return
					}
					body, _ := io.ReadAll(z)
					if names := namesOf(t, body); len(names) > 1 || names[0] == "c" {
						w.WriteHeader(http.StatusRequestEntityTooLarge)
						return
					}
					b.mu.Lock()
					defer b.mu.Unlock()
					b.bodies = append(b.bodies, body)
				})
			}
			h.put(t, client.RelayDestination{Name: "one", URL: b.URL})
			h.Offer(t.Context(), spans(t, "a", "b", "c", "d"))
			eventually(t, "the end of it", func() bool {
				s := h.status(t, "one")
				return s.Sent+s.Rejected == 4
			})
			s := h.status(t, "one")
			if s.Sent != tt.sent || s.Rejected != tt.rejected || s.Waiting != 0 {
				t.Errorf("status %+v, want %d sent and %d rejected", s, tt.sent, tt.rejected)
			}
			if tt.rejected > 0 && s.LastRejected == "" {
				t.Error("nobody is told why")
			}
			if diff := cmp.Diff(tt.names, b.names(t)); tt.names != nil && diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "Fri, 27 Nov 2026 12:00:30 GMT": 30 * time.Second, "Fri, 27 Nov 2026 11:00:30 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("Retry-After %q waits %s, want %s", text, got, want)
		}
	}
}

// A dead destination stops nobody; when the queue is full it loses the oldest,
// says so, and goes on with what is left.
func TestFallsOffTheEnd(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), 256<<10)
	t.Cleanup(func() { h.close(t) })
	b := newBackend(t)
	var alive sync.Mutex
	dead := true
	slow := newBackend(t)
	slow.answer = func(_ int, w http.ResponseWriter) bool {
		alive.Lock()
		defer alive.Unlock()
		if dead {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return dead
	}
	h.put(t, client.RelayDestination{Name: "live", URL: b.URL})
	h.put(t, client.RelayDestination{Name: "dead", URL: slow.URL})
	h.run(t)
	const n = 600
	for i := range n {
		a := spans(t, fmt.Sprintf("%04d", i))
		tr := ptraceotlp.NewExportRequest()
		if err := tr.UnmarshalProto(a.Body); err != nil {
			t.Fatal(err)
		}
		// Noise that does not compress, so that the queue fills.
		noise := make([]byte, 2000)
		for j := range noise {
			noise[j] = byte((i*7919 + j*j*31 + j*i) >> 3)
		}
		tr.Traces().ResourceSpans().At(0).Resource().Attributes().PutEmptyBytes("noise").FromRaw(noise)
		a.Body = marshal(t, tr.Traces())
		h.Offer(t.Context(), a)
		if i%20 == 0 { // the live one keeps up: it is the dead one that loses
			eventually(t, "the live destination", func() bool { return len(b.names(t)) == i+1 })
		}
	}
	eventually(t, "the live destination", func() bool { return len(b.names(t)) == n })
	if s := h.status(t, "dead"); s.State != "failing" || s.Waiting == 0 || s.LagSeconds <= 0 || s.FailingSince == nil || !strings.Contains(s.Error, "503") {
		t.Errorf("dead destination: %+v", s)
	}
	alive.Lock()
	dead = false
	alive.Unlock()
	eventually(t, "the other to catch up", func() bool { s := h.status(t, "dead"); return s.Waiting == 0 && s.State == "idle" })
	s := h.status(t, "dead")
	if s.Lost == 0 || s.Sent == 0 || s.Sent+s.Lost < n {
		t.Errorf("status %+v, want a gap and the rest", s)
	}
	names := slices.Compact(slow.names(t))
	if int64(len(names)) != s.Sent || names[len(names)-1] != fmt.Sprintf("%04d", n-1) {
		t.Errorf("%d spans to %s, want %d up to the newest", len(names), names[len(names)-1], s.Sent)
	}
}

// A restart goes on where it was; a paused destination collects meanwhile.
func TestRestartAndPause(t *testing.T) {
	t.Parallel()
	dir, b := t.TempDir(), newBackend(t)
	h := open(t, dir, 0)
	stop := h.run(t)
	h.put(t, client.RelayDestination{Name: "one", URL: b.URL})
	h.Offer(t.Context(), spans(t, "a"))
	// Until it is known to have arrived, a pause would have it sent again.
	eventually(t, "the first", func() bool { return h.status(t, "one").Sent == 1 })
	if _, err := h.Pause(t.Context(), "per_1", "one", true); err != nil {
		t.Fatal(err)
	}
	h.Offer(t.Context(), spans(t, "b"))
	if s := h.status(t, "one"); s.State != "paused" || s.Waiting != 1 {
		t.Errorf("status %+v, want paused with one waiting", s)
	}
	stop()
	h.close(t)

	h = open(t, dir, 0)
	t.Cleanup(func() { h.close(t) })
	h.run(t)
	h.Offer(t.Context(), spans(t, "c"))
	if s := h.status(t, "one"); s.State != "paused" || s.Sent != 1 {
		t.Errorf("status %+v after a restart, want paused with one sent", s)
	}
	if _, err := h.Pause(t.Context(), "per_1", "one", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rest", func() bool { return len(b.names(t)) == 3 })
	if got := b.names(t); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("spans %v, want each once", got)
	}
	if err := h.Delete(t.Context(), "per_1", "one"); err != nil {
		t.Fatal(err)
	}
	if h.Wants(Traces, "core", "production") {
		t.Error("a deleted destination still wants something")
	}
}

// grpcBackend is the collector's own server.
type grpcBackend struct {
	ptraceotlp.UnimplementedGRPCServer
	mu    sync.Mutex
	calls int
	names []string
	t     *testing.T
}

func (g *grpcBackend) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	resp := ptraceotlp.NewExportResponse()
	switch g.calls++; g.calls {
	case 1:
		st, err := status.New(codes.ResourceExhausted, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Millisecond)})
		if err != nil {
			g.t.Error(err)
		}
		return resp, st.Err()
	case 2:
		return resp, status.Error(codes.Unavailable, "going down")
	}
	body, err := req.MarshalProto()
	if err != nil {
		g.t.Error(err)
	}
	g.names = append(g.names, namesOf(g.t, body)...)
	resp.PartialSuccess().SetRejectedSpans(1)
	resp.PartialSuccess().SetErrorMessage("one is too old")
	return resp, nil
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"gzip", "none"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			h, g := start(t), &grpcBackend{t: t}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			srv := grpc.NewServer()
			ptraceotlp.RegisterGRPCServer(srv, g)
			go func() { _ = srv.Serve(l) }() // ends with Stop
			t.Cleanup(srv.Stop)
			h.put(t, client.RelayDestination{Name: "one", URL: "http://" + l.Addr().String(), Protocol: "grpc", Compression: compression})
			h.Offer(t.Context(), spans(t, "a", "b", "c"))
			eventually(t, "the spans", func() bool { s := h.status(t, "one"); return s.Sent == 2 && s.Rejected == 1 })
			if s := h.status(t, "one"); s.LastRejected != "one is too old" {
				t.Errorf("status %+v", s)
			}
			g.mu.Lock()
			if !slices.Equal(g.names, []string{"a", "b", "c"}) {
				t.Errorf("spans %v", g.names)
			}
			g.mu.Unlock()
			test, err := h.Test(t.Context(), "one")
			if err != nil || test.TraceID == "" || !strings.Contains(test.Error, "too old") {
				t.Errorf("test %+v, %v", test, err)
			}
		})
	}
}

// What the message of the log cannot hold is halved.
func TestLargeArrival(t *testing.T) {
	t.Parallel()
	h, b := start(t), newBackend(t)
	h.put(t, client.RelayDestination{Name: "one", URL: b.URL, Compression: "none"})
	tr := ptrace.NewTraces()
	ss := tr.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	a := &Arrival{Signal: Traces}
	seed := uint32(1)
	for i := range 12 {
		s := ss.Spans().AppendEmpty()
		s.SetName(fmt.Sprint(i))
		s.SetSpanID(pcommon.SpanID{byte(i + 1)})
		noise := make([]byte, 1<<20)
		for j := range noise {
			seed ^= seed << 13
			seed ^= seed >> 17
			seed ^= seed << 5
			noise[j] = byte(seed)
		}
		s.Attributes().PutEmptyBytes("noise").FromRaw(noise)
		a.Records = append(a.Records, Record{})
	}
	a.Body = marshal(t, tr)
	h.Offer(t.Context(), a)
	eventually(t, "all spans", func() bool { return len(b.names(t)) == 12 })
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.bodies {
		if len(body) > largestBody {
			t.Errorf("a body of %d bytes went out, most is %d", len(body), largestBody)
		}
	}
}

func TestBadDestinations(t *testing.T) {
	t.Parallel()
	h := start(t)
	ok := client.RelayDestination{Name: "ok", URL: "https://otlp.example.com"}
	h.put(t, ok)
	tests := map[string]struct {
		change func(*client.RelayDestination)
		code   string
	}{
		"no name":        {func(d *client.RelayDestination) { d.Name = "" }, "relay.invalid"},
		"a name with /":  {func(d *client.RelayDestination) { d.Name = "a/b" }, "relay.invalid"},
		"a protocol":     {func(d *client.RelayDestination) { d.Protocol = "http/json" }, "relay.invalid"},
		"a signal":       {func(d *client.RelayDestination) { d.Signals = []string{"profiles"} }, "relay.invalid"},
		"a compression":  {func(d *client.RelayDestination) { d.Compression = "zstd" }, "relay.invalid"},
		"a timeout":      {func(d *client.RelayDestination) { d.TimeoutMS = 1 }, "relay.invalid"},
		"a class":        {func(d *client.RelayDestination) { d.Redact = []string{"nothing.known"} }, "content.class"},
		"an empty agent": {func(d *client.RelayDestination) { d.Agents = []string{""} }, "relay.invalid"},
		"a key in the URL": {func(d *client.RelayDestination) {
			d.Credential = &client.Credential{Kind: "query", Header: "k", Source: "env", Ref: "K"}
		}, "relay.invalid"},
		"another revision": {func(d *client.RelayDestination) { d.Name, d.Revision = "ok", 7 }, "relay.revision"},
		"one that is not":  {func(d *client.RelayDestination) { d.Revision = 1 }, "relay.not_found"},
	}
	for name, tt := range tests {
		d := client.RelayDestination{Name: "new", URL: ok.URL}
		tt.change(&d)
		_, err := h.Put(t.Context(), "per_1", d)
		if f := fault.From(err); err == nil || f.Code != tt.code {
			t.Errorf("%s: %v, want %s", name, err, tt.code)
		}
	}
	if err := h.Delete(t.Context(), "per_1", "none"); fault.From(err).Code != "relay.not_found" {
		t.Errorf("deleting none: %v", err)
	}
}
