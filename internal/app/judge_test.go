package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// provider is an upstream with models that answers each call as told.
func provider(t *testing.T, a *App, name, dialect string, answer func(path, body string) string) {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // of unknown length, as providers answer
		_, _ = io.WriteString(w, answer(r.URL.Path, string(body)))
	}))
	t.Cleanup(up.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: name, Kind: "llm", Dialect: dialect, URL: up.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
	}); err != nil {
		t.Fatal(err)
	}
}

// TestAJudgeAsksThroughTheDoor: it is an agent as any other, in both formats; what
// it asks is decided and paid, and when it is stopped it asks no more.
func TestAJudgeAsksThroughTheDoor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "judge-agent")
	provider(t, a, "openai", "openai", func(path, body string) string {
		if path != "/v1/chat/completions" || !strings.Contains(body, "Refunds take 14 days.") {
			t.Errorf("%s %s", path, body)
		}
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"{\"verdict\":\"fail\",\"score\":0.2,\"why\":\"curt\"}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`
	})
	provider(t, a, "anthropic", "anthropic", func(path, body string) string {
		if path != "/v1/messages" {
			t.Errorf("%s %s", path, body)
		}
		return `{"id":"m1","type":"message","role":"assistant","model":"claude-3-5-haiku-20241022","content":[{"type":"text","text":"{\"verdict\":\"pass\",\"score\":1,\"why\":\"kind\"}"}],"stop_reason":"end_turn","usage":{"input_tokens":1000,"output_tokens":100}}`
	})
	c := client.New("http://"+a.Address("listen"), "")
	for _, p := range []struct {
		upstream, model, want string
		cost                  float64
	}{
		{"openai", "gpt-4o-mini", "fail", 0.00021}, {"anthropic", "claude-3-5-haiku-20241022", "pass", 0.0012},
	} {
		x, err := c.TryEvaluator(t.Context(), client.TryEvaluatorRequest{
			Kind: "judge", Answer: "Refunds take 14 days.", Judge: &client.Judge{Agent: "judge-agent", Upstream: p.upstream, Model: p.model, Prompt: "Is it kind?"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if x.Verdict != p.want || x.Tokens != 1100 || x.CostUSD == nil || *x.CostUSD < p.cost*0.99 || *x.CostUSD > p.cost*1.01 || x.JudgeDecision == "" {
			t.Errorf("%s: %+v, cost %v", p.upstream, x, x.CostUSD)
		}
		eventually(t, "the judge's decision", func() bool {
			d, err := c.GetDecision(t.Context(), client.IDRequest{ID: x.JudgeDecision})
			return err == nil && d.Agent == "judge-agent" && d.Action == "call_model" && d.Result == "ok" && d.RunID == x.JudgeRun
		})
	}
	if _, err := a.agents.Contain(t.Context(), everyRole(), "judge-agent", "quarantined", time.Time{}, "test"); err != nil {
		t.Fatal(err)
	}
	_, err := c.TryEvaluator(t.Context(), client.TryEvaluatorRequest{
		Kind: "judge", Answer: "Refunds take 14 days.", Judge: &client.Judge{Agent: "judge-agent", Upstream: "openai", Model: "gpt-4o-mini", Prompt: "Is it kind?"},
	})
	if err == nil || !strings.Contains(err.Error(), "quarantined") {
		t.Errorf("a judge that is stopped: %v", err)
	}
}
