package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/budget"
	"reeve/internal/gateway"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/gateway/llm"
	"reeve/internal/price"
)

// modelHouse is a house with a model upstream, budgets, rates and prices.
func modelHouse(t testing.TB, answer http.HandlerFunc, change ...func(*gateway.Options)) (h *house, key string, ledger *budget.Ledger) {
	t.Helper()
	book, err := price.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	h = newHouse(t, func(o *gateway.Options) {
		ledger, err = budget.Open(t.Context(), budget.Options{DB: openDB(t), Dir: t.TempDir(), Config: budget.Defaults()})
		if err != nil {
			t.Fatal(err)
		}
		ledger.Ready()
		o.Protocols = []gateway.Protocol{httpapi.New(), llm.New(nil)}
		o.Budgets, o.Rates, o.Limits, o.Prices = ledger, budget.NewRates(time.Now(), 0), budget.Defaults(), book
		for _, c := range change {
			c(o)
		}
	})
	h.upstream("openai", answer, func(u *client.Upstream) { u.Kind, u.Dialect, u.Routes = "llm", "openai", nil })
	return h, h.agent("refunds"), ledger
}

const chat = `{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`

const chatAnswer = `{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`

// A model call's usage and cost are in its decision and its step, and the
// budget has given back what was not used.
func TestModelCall(t *testing.T) {
	t.Parallel()
	h, key, ledger := modelHouse(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" {
			t.Error(r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	a := h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
	if a.status != 200 || a.body != chatAnswer {
		t.Fatalf("%d %s", a.status, a.body)
	}
	d := h.log.Of(t, a.decision)
	if d.Usage.InputTotal != 9 || d.Usage.OutputTotal != 3 || d.Cost.Basis != activity.CostBook || d.Cost.Nanos <= 0 || d.Model != "gpt-4o-mini" || d.Action != "call_model" {
		t.Errorf("decision: %+v", d)
	}
	if len(d.Reserved) != 3 {
		t.Fatalf("reserved: %+v", d.Reserved)
	}
	for _, r := range d.Reserved {
		if r.Unit == "tokens" && (r.Spent != 12 || r.Amount < 100) || r.Unit == "money" && r.Spent != d.Cost.Nanos || r.Unit == "calls" && r.Spent != 1 {
			t.Errorf("reserved: %+v", r)
		}
	}
	left, _, _ := ledger.Left(time.Now(), budget.Use{Agent: "refunds", Team: "support", Pilot: true})
	if left == nil || *left != budget.Defaults().PilotTokens-12 {
		t.Errorf("tokens left: %v", left)
	}
	f := h.waitFragments(1)[0]
	if f.Kind != activity.KindModel || f.Usage.OutputTotal != 3 || f.ResponseID != "chatcmpl-1" || f.ModelRequested != "gpt-4o-mini" || f.Provider != "openai" {
		t.Errorf("step: %+v", f)
	}
}

// Rates of a statement, of a pilot and of a throttled agent refuse with the
// time to wait.
func TestRates(t *testing.T) {
	t.Parallel()
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, chatAnswer) })
	h.permit(`@id("few") @limit("3/m by agent") permit (principal, action, resource);`)
	for i := range 4 {
		a := h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
		switch {
		case i < 3 && a.status != 200:
			t.Fatalf("call %d: %d %s", i, a.status, a.body)
		case i == 3 && (a.status != 429 || a.problem != "limit.rate" || a.header.Get("Retry-After") == ""):
			t.Fatalf("the fourth call: %d %s %v", a.status, a.problem, a.header)
		}
		if i == 3 {
			if d := h.log.Of(t, a.decision); d.Verdict != activity.VerdictDeny || d.Reasons[0].Code != "limit.rate" {
				t.Errorf("decision: %+v", d)
			}
		}
	}
}

// A model's answer that proposes a call of a local tool: decided where a policy
// names the tool, untouched where none does.
func TestLocalToolsOfAnAnswer(t *testing.T) {
	t.Parallel()
	tool := func(name string) string {
		return fmt.Sprintf(`{"id":"c1","object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":%q,"arguments":"{\"amount\": 900}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`, name)
	}
	name := "refund"
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, tool(name))
	})
	call := func() answer {
		return h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
	}
	if a := call(); a.body != tool("refund") {
		t.Errorf("no policy names the tool, and the answer became %s", a.body)
	}
	h.permit(permitAll + `@id("big") @reason("too much") forbid (principal, action == Action::"call_tool", resource == Tool::"local.refund")
		when { context.args.int.hasTag("/amount") && context.args.int.getTag("/amount") > 500 };`)
	a := call()
	if a.status != 200 || strings.Contains(a.body, `"tool_calls":[`) || !strings.Contains(a.body, "too much") {
		t.Errorf("the denied tool call: %d %s", a.status, a.body)
	}
	var denied *activity.Decision
	for _, d := range h.log.Ended() {
		if d.LocalTool {
			denied = &d
		}
	}
	if denied == nil || denied.Parent != a.decision || denied.Verdict != activity.VerdictDeny || denied.Tool != "refund" || denied.Resource != "local.refund" || denied.Agent != "refunds" {
		t.Errorf("decision of the tool: %+v", denied)
	}
	name = "other"
	if a := call(); a.body != tool("other") {
		t.Errorf("a tool that no policy names: %s", a.body)
	}
}
