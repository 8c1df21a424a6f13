package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"go/build"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"reeve/client"
)

// house is as much of a server as the demo needs: it takes OTLP, keeps what it
// needs to check, and answers the few operations.
type house struct {
	mu        sync.Mutex // guards what follows
	spans     int
	bytes     int
	roots     int
	generated int
	agents    map[string]int
	teamOf    map[string]string // agent -> key's team and environment
	days      map[string]int
	live      int
	models    map[string]bool
	bad       []string
	people    map[string]client.CreatePersonRequest
	keep      bool // decode spans; off measures the sender alone
}

func newHouse() *house {
	return &house{agents: map[string]int{}, teamOf: map[string]string{}, days: map[string]int{}, models: map[string]bool{}, people: map[string]client.CreatePersonRequest{}, keep: true}
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case r.URL.Path == "/readyz":
	case r.URL.Path == "/v1/traces":
		h.bytes += len(body)
		if h.keep {
			h.take(body, r.Header.Get("Authorization"))
		}
	case strings.HasPrefix(r.URL.Path, "/v1/"):
	case r.Method == http.MethodPost && r.URL.Path == "/api/v1/teams":
		var req client.CreateTeamRequest
		h.decode(body, &req)
		if req.Name == "platform" {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"code":"x.exists","status":409}`))
		}
	case r.Method == http.MethodPost && r.URL.Path == "/api/v1/people":
		var req client.CreatePersonRequest
		h.decode(body, &req)
		h.people[req.Name] = req
	case r.Method == http.MethodPost && r.URL.Path == "/api/v1/sign-ins":
		var req client.SignInRequest
		h.decode(body, &req)
		if p, ok := h.people[req.Name]; !ok || p.Password != req.Password {
			http.Error(w, `{"code":"x","status":401}`, http.StatusUnauthorized)
			return
		}
		w.Header().Set("Set-Cookie", "reeve=1; HttpOnly")
		_ = json.NewEncoder(w).Encode(client.SignedIn{ID: "s", Secret: "secret-of-" + req.Name})
	case r.Method == http.MethodPost && r.URL.Path == "/api/v1/intake-keys":
		var req client.CreateIntakeKeyRequest
		h.decode(body, &req)
		_ = json.NewEncoder(w).Encode(client.NewIntakeKey{Secret: req.Team + "/" + req.Environment})
	case r.URL.Path == "/api/v1/runs":
		_, _ = w.Write([]byte(`{"items":[]}`))
	default:
		h.bad = append(h.bad, r.Method+" "+r.URL.Path)
		http.NotFound(w, r)
	}
}

func (h *house) decode(body []byte, into any) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		h.bad = append(h.bad, err.Error())
	}
}

func (h *house) take(body []byte, auth string) {
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalProto(body); err != nil {
		h.bad = append(h.bad, err.Error())
		return
	}
	for _, rs := range req.Traces().ResourceSpans().All() {
		name, _ := rs.Resource().Attributes().Get("service.name")
		generated, ok := rs.Resource().Attributes().Get("reeve.generated")
		h.teamOf[name.Str()] = strings.TrimPrefix(auth, "Bearer ")
		for _, ss := range rs.ScopeSpans().All() {
			for _, sp := range ss.Spans().All() {
				h.spans++
				h.agents[name.Str()]++
				if ok && generated.Bool() {
					h.generated++
				} else {
					h.live++
				}
				if sp.ParentSpanID().IsEmpty() {
					h.roots++
				}
				if sp.EndTimestamp() <= sp.StartTimestamp() {
					h.bad = append(h.bad, "span "+sp.Name()+" ends at its start")
				}
				h.days[sp.StartTimestamp().AsTime().Format(time.DateOnly)]++
				for _, k := range []string{"gen_ai.request.model", "llm.model_name"} {
					if v, ok := sp.Attributes().Get(k); ok {
						h.models[v.Str()] = true
					}
				}
			}
		}
	}
}

// poll waits until ok says yes.
func (h *house) poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		h.mu.Lock()
		yes := ok()
		h.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for: %s", what)
		case <-tick.C:
		}
	}
}

// start runs a demo beside a house and stops it at the end of the test.
func start(t *testing.T, o Options) (*Demo, *house, *bytes.Buffer) {
	t.Helper()
	h := newHouse()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	out := &bytes.Buffer{}
	mu := &sync.Mutex{}
	o.Out = writerFunc(func(p []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return out.Write(p) })
	d := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, Endpoints{API: s.URL}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	h.poll(t, "the banner", func() bool { mu.Lock(); defer mu.Unlock(); return strings.Contains(out.String(), "Ctrl-C") })
	return d, h, out
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestHistory(t *testing.T) {
	t.Parallel()
	_, h, out := start(t, Options{Pace: 0.001})
	h.poll(t, "live spans", func() bool { return h.live > 20 })
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.bad) > 0 {
		t.Errorf("what the demo sent is wrong: %q", h.bad[:min(len(h.bad), 5)])
	}
	if len(h.agents) < 40 || len(h.days) < 30 || len(h.models) < 10 {
		t.Errorf("%d agents, %d days, %d models; want 40, 30 and some", len(h.agents), len(h.days), len(h.models))
	}
	if h.generated < 100_000 || h.generated > 300_000 {
		t.Errorf("%d generated spans, want 100k to 300k", h.generated)
	}
	for agent, want := range map[string]string{"invoice-matcher": "finance/production", "test-writer": "platform/test", "data-analyst": "data/staging"} {
		if h.teamOf[agent] != want {
			t.Errorf("%s was sent with the key of %q, want %q", agent, h.teamOf[agent], want)
		}
	}
	banner := out.String()
	banner = strings.Trim(banner[strings.Index(banner, "  Reeve is at"):], "\n")
	if n := len(strings.Split(banner, "\n")); n != 10 {
		t.Errorf("the banner has %d lines, want 10:\n%s", n, banner)
	}
	t.Logf("%d generated spans, %d roots, %.0f MB, %d live spans\n%s", h.generated, h.roots, float64(h.bytes)/1e6, h.live, out)
}

// The same seed and day give the same bytes; another seed others.
func TestHistoryIsAFunctionOfItsSeed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	day := func(seed uint64) []byte {
		var b bytes.Buffer
		h := newHistory(seed, 12, 30, now)
		for i := range fleet {
			h.agentDay(i, &fleet[i], &b)
		}
		return b.Bytes()
	}
	if !bytes.Equal(day(1), day(1)) {
		t.Error("one seed gave two histories")
	}
	if bytes.Equal(day(1), day(2)) {
		t.Error("two seeds gave one history")
	}
}

func TestStoriesAndPeople(t *testing.T) {
	t.Parallel()
	d, h, _ := start(t, Options{Days: -1, Pace: 0.002})
	post := func(path, site string) (int, map[string]any, http.Header) {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		var body map[string]any
		_ = json.Unmarshal(w.Body.Bytes(), &body)
		return w.Code, body, w.Header()
	}
	for _, tt := range []struct {
		path, site string
		want       int
	}{
		{"/x/demo/play/runaway", "same-origin", http.StatusAccepted},
		{"/x/demo/play/outage", "", http.StatusAccepted},
		{"/x/demo/play/flood", "", http.StatusNotFound},
		{"/x/demo/play/hijack", "", http.StatusInternalServerError}, // this house has no door
		{"/x/demo/advise/many", "", http.StatusBadRequest},
		{"/x/demo/advise/1", "cross-site", http.StatusForbidden},
		{"/x/demo/play/outage", "cross-site", http.StatusForbidden},
		{"/x/demo/become/nobody", "", http.StatusNotFound},
	} {
		if code, body, _ := post(tt.path, tt.site); code != tt.want {
			t.Errorf("%s from %q: %d, want %d: %v", tt.path, tt.site, code, tt.want, body)
		}
	}
	code, body, header := post("/x/demo/become/sre", "same-origin")
	if code != http.StatusOK || body["secret"] != "secret-of-sre" || header.Get("Set-Cookie") == "" {
		t.Errorf("becoming the SRE: %d %v %v", code, body, header)
	}
	notices := d.Notices()
	if len(notices) != 2 || len(notices[0].Actions) != 3 || len(notices[1].Actions) != 3 {
		t.Errorf("notices: %+v", notices)
	}
	h.poll(t, "80 turns of the runaway", func() bool { return h.agents["research-agent"] > 120 })
}

// Until the server takes it, a body is sent again; what it refuses is an error
// with its reason.
func TestRefusedHistory(t *testing.T) {
	t.Parallel()
	var busy int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if busy++; busy < 3 {
			http.Error(w, "busy", http.StatusTooManyRequests)
			return
		}
		http.Error(w, "not like this", http.StatusBadRequest)
	}))
	t.Cleanup(s.Close)
	err := New(Options{}).post(t.Context(), Endpoints{API: s.URL, OTLP: s.URL}, place{}, []byte{1})
	if err == nil || !strings.Contains(err.Error(), "not like this") || busy != 3 {
		t.Errorf("got %v after %d answers", err, busy)
	}
}

// Product packages know nothing of the demo, nor of the examples.
func TestNobodyKnowsTheDemo(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "./...")
	list.Dir = "../.."
	list.Stderr = os.Stderr
	raw, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.Lines(string(raw)) {
		path = strings.TrimPrefix(strings.TrimSpace(path), "reeve/")
		if path == "internal/demo" || path == "internal/cli" || strings.HasPrefix(path, "examples") {
			continue
		}
		p, err := build.ImportDir(filepath.Join("../..", path), 0)
		if err != nil {
			if _, none := err.(*build.NoGoError); none {
				continue
			}
			t.Fatal(err)
		}
		for _, imp := range p.Imports {
			if imp == "reeve/internal/demo" || strings.HasPrefix(imp, "reeve/examples") {
				t.Errorf("%s imports %s", path, imp)
			}
		}
	}
}

// BenchmarkHistoryDay is what one day of the whole fleet costs the sender.
func BenchmarkHistoryDay(b *testing.B) {
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	spans, size := 0, 0
	for b.Loop() {
		var buf bytes.Buffer
		h := newHistory(1, 12, 30, now)
		for i := range fleet {
			_, n := h.agentDay(i, &fleet[i], &buf)
			spans += n
		}
		size += buf.Len()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(spans), "ns/span")
	b.ReportMetric(float64(size)/float64(spans), "B/span")
}
