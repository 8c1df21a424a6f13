package examples_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"reeve/examples/agentkit"
	"reeve/examples/analyst"
	"reeve/examples/modelserver"
	"reeve/examples/nightly"
	"reeve/examples/research"
	"reeve/examples/shop"
	"reeve/examples/support"
)

// sink keeps what an agent's SDK sends.
type sink struct {
	mu    sync.Mutex // guards what follows
	spans []ptrace.Span
	logs  []string // event names, "" for the agent's own lines
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		req := ptraceotlp.NewExportRequest()
		err = req.UnmarshalProto(body)
		for _, rs := range req.Traces().ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, sp := range ss.Spans().All() {
					s.spans = append(s.spans, sp)
				}
			}
		}
	case "/v1/logs":
		req := plogotlp.NewExportRequest()
		err = req.UnmarshalProto(body)
		for _, rl := range req.Logs().ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, l := range sl.LogRecords().All() {
					s.logs = append(s.logs, l.EventName())
				}
			}
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

type world struct {
	sink  *sink
	model *modelserver.Server
	shop  *shop.Shop
	env   agentkit.Env
}

func newWorld(t *testing.T, o modelserver.Options) *world {
	t.Helper()
	w := &world{sink: &sink{}, model: modelserver.New(o), shop: shop.New(1, shop.Faults{}, 0)}
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	model, tools := serve(w.model), serve(w.shop.Handler())
	w.env = agentkit.Env{
		OpenAIURL: model + "/v1", AnthropicURL: model, OrdersURL: tools + "/orders", KBURL: tools + "/kb",
		Setup: agentkit.SetupOptions{Endpoint: serve(w.sink)},
	}
	return w
}

// run lets an agent work on n tasks and waits for its telemetry.
func (w *world) run(t *testing.T, s agentkit.Spec, n int, change func(*agentkit.Agent)) (errs []error) {
	t.Helper()
	a, closeAgent, err := s.Start(t.Context(), w.env)
	if err != nil {
		t.Fatal(err)
	}
	a.Backoff = time.Millisecond
	if change != nil {
		change(a)
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range n {
		res, err := a.Run(t.Context(), s.Task(r))
		errs = append(errs, err)
		if err == nil && res.Answer == "" {
			t.Errorf("%s gave an empty answer", a.Name)
		}
	}
	if err := closeAgent(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	return errs
}

func specs() []agentkit.Spec {
	return []agentkit.Spec{support.Spec(), research.Spec(), analyst.Spec(), nightly.Spec()}
}

// Each example works through its tasks and tells its story in its dialect.
func TestEveryExample(t *testing.T) {
	t.Parallel()
	marks := map[string]string{ // an attribute that only this dialect has on a model call
		"refund-agent": "gen_ai.input.messages", "research-agent": "llm.input_messages.1.message.content",
		"data-analyst": "gen_ai.usage.input_tokens", "returns-nightly": "gen_ai.prompt.0.content",
	}
	for _, s := range specs() {
		t.Run(s.Service.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, modelserver.Options{Seed: 1})
			for _, err := range w.run(t, s, 6, nil) {
				if err != nil {
					t.Error(err)
				}
			}
			var roots, marked, tools int
			for _, sp := range w.sink.spans {
				if sp.ParentSpanID().IsEmpty() {
					roots++
				}
				if _, ok := sp.Attributes().Get(marks[s.Service.Name]); ok && sp.Kind() == ptrace.SpanKindClient {
					marked++
				}
				for _, d := range s.Tools {
					if strings.Contains(sp.Name(), d) {
						tools++
					}
				}
			}
			if roots != 6 || marked < 6 || tools < 6 {
				t.Errorf("%d roots, %d model calls in its dialect, %d tool calls", roots, marked, tools)
			}
			if events := slices.Contains(w.sink.logs, "gen_ai.choice"); events != (s.Service.Name == "data-analyst") {
				t.Errorf("events sent: %v", events)
			}
		})
	}
}

// A provider that is overloaded is asked again, each try a span; one that
// stays so ends the run with its error.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, modelserver.Options{Seed: 1})
	w.model.Outage(529, time.Now().Add(time.Hour))
	errs := w.run(t, support.Spec(), 1, func(a *agentkit.Agent) { a.Retries = 3 })
	var status *agentkit.StatusError
	if !errors.As(errs[0], &status) || status.Status != 529 {
		t.Errorf("got %v, want a 529", errs[0])
	}
	var failed int
	for _, sp := range w.sink.spans {
		if v, ok := sp.Attributes().Get("error.type"); ok && v.Str() == "overloaded_error" && sp.Kind() == ptrace.SpanKindClient {
			failed++
		}
	}
	if failed != 4 {
		t.Errorf("%d failed model calls, want 4", failed)
	}
}

// A search that always promises another page makes an agent loop on one tool
// with a growing context, until its limit of turns.
func TestRunaway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, modelserver.Options{Seed: 1})
	w.shop.SetFaults(shop.Faults{EndlessSearch: true})
	errs := w.run(t, research.Spec(), 1, func(a *agentkit.Agent) { a.MaxTurns = 15 })
	if !errors.Is(errs[0], agentkit.ErrTurns) {
		t.Errorf("got %v, want the limit of turns", errs[0])
	}
	var sizes []int64
	for _, sp := range w.sink.spans {
		if v, ok := sp.Attributes().Get("llm.token_count.prompt"); ok {
			sizes = append(sizes, v.Int())
		}
	}
	if len(sizes) != 15 || !slices.IsSorted(sizes) || sizes[14] < 5*sizes[0] {
		t.Errorf("input tokens by turn: %v, want 15 growing ones", sizes)
	}
}

// The same seed gives the same conversation.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	answers := func() (out []string) {
		w := newWorld(t, modelserver.Options{Seed: 5})
		a, closeAgent, err := support.Spec().Start(t.Context(), w.env)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = closeAgent(context.WithoutCancel(t.Context())) }()
		r := rand.New(rand.NewPCG(7, 7))
		for range 5 {
			res, err := a.Run(t.Context(), support.Spec().Task(r))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, res.Answer)
		}
		return out
	}
	if a, b := answers(), answers(); !slices.Equal(a, b) {
		t.Errorf("two runs of one seed differ:\n%q\n%q", a, b)
	}
}

// Both wire formats stream what they answer plainly.
func TestStreams(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(modelserver.New(modelserver.Options{Seed: 1}))
	t.Cleanup(s.Close)
	for path, want := range map[string]string{
		"/v1/chat/completions": "data: [DONE]", "/v1/messages": "event: message_stop",
	} {
		resp, err := http.Post(s.URL+path, "application/json", strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s: %v, no %q in\n%s", path, err, want, raw)
		}
	}
	for name, body := range map[string]string{"nothing": "", "no messages": `{"messages":[]}`, "wrong type": `{"messages":7}`} {
		resp, err := http.Post(s.URL+"/v1/messages", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %s", name, resp.Status)
		}
	}
}
