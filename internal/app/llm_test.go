package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
)

// A model's answer as OpenAI streams it: a text, then a call of a local tool.
const refundStream = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":"Let me see."},"finish_reason":null}]}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"refund","arguments":""}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"order\":1042}"}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":0}}}

data: [DONE]

`

// A model call through a whole Reeve: the answer passes byte for byte until a
// policy names the tool that it proposes; then the call is refused in its place,
// and the run shows what was asked, said, used and paid.
func TestAModelCallThroughTheDoor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "refund-agent")
	_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "refund-agent", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	const question = `{"model":"gpt-4o-mini","max_tokens":200,"stream":true,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Refund order 1042."}],"tools":[{"type":"function","function":{"name":"refund","parameters":{}}}]}`
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/chat/completions" || string(body) != question || r.Header.Get("Authorization") != "Bearer sk-upstream-1" || r.Header.Get("X-Api-Key") != "" {
			t.Errorf("the provider got %s %s %v", r.URL.Path, body, r.Header)
		}
		if r.Header.Get("X-Case") == "broken" {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Etag", "x")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, `{"choices":[{"message":{"tool_calls":[`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, refundStream)
	}))
	t.Cleanup(up.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: "openai", Kind: "llm", Dialect: "openai", URL: up.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
		Credential: &client.Credential{Kind: "bearer", Source: "value", Value: "sk-upstream-1"},
	}); err != nil {
		t.Fatal(err)
	}
	send := func(run, kind string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", a.Door()+"/llm/openai/v1/chat/completions", strings.NewReader(question))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Reeve-Run", run)
		req.Header.Set("X-Case", kind)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%d %s: %v", resp.StatusCode, body, err)
		}
		return resp, string(body)
	}
	ask := func(run string) string {
		t.Helper()
		resp, body := send(run, "")
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		return body
	}
	if got := ask("free"); got != refundStream {
		t.Errorf("without a policy about the tool the answer became\n%s", got)
	}
	c := client.New("http://"+a.Address("listen"), "")
	policy := func(mode string, revision int64) int64 {
		t.Helper()
		p, err := c.PutPolicy(t.Context(), client.PutPolicyRequest{
			Name: "no-refunds", Mode: mode, Reason: "a test", Revision: revision,
			Cedar: `@id("no-refunds") @reason("refunds are for people") forbid (principal, action == Action::"call_tool", resource == Tool::"local.refund");`,
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.Revision
	}
	revision := policy("observe", 0)
	if got := ask("watched"); got != refundStream {
		t.Errorf("with a policy that observes the answer became\n%s", got)
	}
	eventually(t, "what would have been refused", func() bool {
		list, err := c.ListDecisions(t.Context(), client.ListDecisionsRequest{Action: "call_tool", Tool: "refund"})
		return err == nil && len(list.Items) == 1 && list.Items[0].Verdict == "allow" && list.Items[0].Would == "deny" && !list.Items[0].Enforced
	})
	policy("enforce", revision)
	if resp, body := send("broken", "broken"); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, `"code":"llm.answer_broken"`) ||
		resp.Header.Get("X-Should-Retry") != "false" || resp.Header.Get("Etag") != "" {
		t.Errorf("a broken answer gives %d %v %s", resp.StatusCode, resp.Header, body)
	}
	got := ask("bound")
	if !strings.Contains(got, `"content":"Let me see."`) || !strings.Contains(got, `refunds are for people`) || !strings.Contains(got, `"finish_reason":"stop"`) || strings.Contains(got, "tool_calls") {
		t.Errorf("with a policy that forbids the tool the answer is\n%s", got)
	}
	eventually(t, "the denied call of the tool", func() bool {
		list, err := c.ListDecisions(t.Context(), client.ListDecisionsRequest{Action: "call_tool", Tool: "refund", Verdict: "deny"})
		return err == nil && len(list.Items) == 1 && list.Items[0].Verdict == "deny" && list.Items[0].LocalTool && list.Items[0].ParentID != "" && strings.Contains(got, list.Items[0].ID)
	})
	run := activity.RunOfKey("bound").String() // --dev: the scope of nobody
	var step client.Step
	eventually(t, "the model's step in its run", func() bool {
		list, err := c.ListSteps(t.Context(), client.ListStepsRequest{ID: run, Content: true})
		if err != nil || len(list.Items) == 0 || list.Items[0].Status != "ok" {
			return false
		}
		step = list.Items[0]
		return true
	})
	u := step.Usage
	if step.Kind != "model" || step.Name != "chat gpt-4o-mini" || step.Provider != "openai" || step.Model != "gpt-4o-mini" || step.ResponseID != "chatcmpl-7" ||
		u.InputTotal == nil || *u.InputTotal != 1000 || u.OutputTotal == nil || *u.OutputTotal != 100 {
		t.Errorf("the step is %+v, usage %+v", step, u)
	}
	// 1,000 tokens at 0.15 and 100 at 0.60 USD a million.
	if step.Cost.Amount == nil || *step.Cost.Amount != 0.00021 || step.Cost.Currency != "USD" {
		t.Errorf("it cost %+v", step.Cost)
	}
	if len(step.Input) != 2 || step.Input[0].Role != "system" || step.Input[1].Parts[0].Text != "Refund order 1042." || len(step.ToolsOffered) != 1 {
		t.Errorf("it was asked %+v with %+v", step.Input, step.ToolsOffered)
	}
	if len(step.Output) != 1 || len(step.Output[0].Parts) != 2 || step.Output[0].Parts[0].Text != "Let me see." || step.Output[0].Parts[1].Name != "refund" {
		t.Errorf("it said %+v", step.Output)
	}
}
