package points_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/gateway"
)

// A tool's result that comes back to a model without a decision is a finding,
// and counted once however often the request is sent.
func TestUngovernedAction(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("clerk")
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`)
	}))
	t.Cleanup(model.Close)
	if _, err := h.upstreams.Put(t.Context(), "ada", client.Upstream{
		Name: "openai", Kind: "llm", Dialect: "openai", URL: model.URL, Team: "support", Environment: "production", AllowPrivate: true,
	}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.door.Serve(ctx, l, gateway.Serving{Drain: time.Second}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	post := func(calls ...string) string {
		t.Helper()
		var made, back []string
		for _, c := range calls {
			id, name, _ := strings.Cut(c, " ")
			made = append(made, `{"id":"`+id+`","type":"function","function":{"name":"`+name+`","arguments":"{}"}}`)
			back = append(back, `{"role":"tool","tool_call_id":"`+id+`","content":"done"}`)
		}
		body := `{"model":"gpt-4o","max_tokens":5,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[` +
			strings.Join(made, ",") + `]},` + strings.Join(back, ",") + `]}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String()+"/llm/openai/v1/chat/completions", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%d %s %v", resp.StatusCode, text, err)
		}
		return resp.Header.Get("X-Reeve-Decision")
	}
	reason := func(id string) string {
		p := h.log.Proposed(id)
		for _, r := range p.Reasons {
			if r.Code == gateway.UngovernedAction {
				return r.Text
			}
		}
		return ""
	}
	h.decide(key, `{"tool":"pay","call_id":"call_1"}`) // by the model's id
	h.decide(key, `{"tool":"look"}`)                   // by name, for one result
	if got := reason(post("call_1 pay", "call_2 crm__look")); got != "" {
		t.Errorf("decided, and found: %s", got)
	}
	first := post("call_3 shell", "call_4 look")
	if got := reason(first); !strings.HasSuffix(got, ": shell, look") {
		t.Errorf("%q", got)
	}
	if got := reason(post("call_3 shell", "call_4 look")); got != "" { // sent again
		t.Errorf("counted again: %s", got)
	}
	c := h.covered("clerk")
	if len(c) != 1 || c[0].Results != 4 || c[0].Governed != 2 || c[0].Ungoverned != 2 || c[0].Share == nil || *c[0].Share != 0.5 || c[0].LastAt == nil || c[0].Team != "support" {
		t.Fatalf("%+v", c)
	}
	// The results in a test are a recording's: nobody ran a tool.
	body := `{"model":"gpt-4o","max_tokens":5,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_9","type":"function","function":{"name":"shell","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_9","content":"done"}]}`
	req := httptest.NewRequestWithContext(gateway.AsTest(t.Context()), http.MethodPost, "/llm/openai/v1/chat/completions", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	tested := httptest.NewRecorder()
	h.door.ServeHTTP(tested, req)
	if got := reason(tested.Header().Get("X-Reeve-Decision")); tested.Code != 200 || got != "" {
		t.Errorf("%d, a test's: %s", tested.Code, got)
	}
	if c := h.covered("clerk"); len(c) != 1 || c[0].Results != 4 {
		t.Errorf("a test's results are counted: %+v", c)
	}
	// Written, it is the same, and an event says it.
	run, stop := context.WithCancel(t.Context())
	stop()
	_ = h.coverage.Run(run)
	if c := h.covered("clerk"); len(c) != 1 || c[0].Results != 4 || c[0].Governed != 2 || c[0].LastAt == nil {
		t.Errorf("%+v", c)
	}
	types, err := control.All(t.Context(), h.db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT type FROM outbox`)
	if err != nil || !slices.Contains(types, "finding.ungoverned_action") {
		t.Errorf("%v %v", types, err)
	}
	if c, err := h.coverage.List(t.Context(), "", time.Now().AddDate(0, 0, -1), time.Now(), func(team, _ string) bool { return team != "support" }); err != nil || len(c) != 0 {
		t.Errorf("another team's readers see it: %+v %v", c, err)
	}
}

// An agent that reports nothing takes no room of the others'.
func TestOpenByAgent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("flood")
	other := h.agent("other")
	kept := h.decide(other, `{"tool":"pay"}`)
	var last client.DecisionAnswer
	for range 1001 {
		last = h.decide(key, `{"tool":"pay"}`)
	}
	if last.Verdict != "allow" || last.ExpiresAt != nil {
		t.Errorf("%+v", last)
	}
	if r := h.send("POST", "/decisions/"+kept.ID+"/complete", other, `{"result":"ok"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
