package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/budget"
	"reeve/internal/gateway"
)

// heldModel is a house with a model and a Book.
func heldModel(t *testing.T, wait time.Duration, answer http.HandlerFunc) (*held, *budget.Ledger) {
	t.Helper()
	h := &held{}
	var ledger *budget.Ledger
	h.house, h.key, ledger = modelHouse(t, answer, func(o *gateway.Options) {
		h.book = openBook(t, wait)
		o.Approvals = h.book
		o.Page = func(id string) string { return "https://reeve.example/approvals/" + id }
	})
	return h, ledger
}

func (h *held) chat(headers ...string) <-chan answer {
	out := make(chan answer, 1)
	headers = append([]string{"Content-Type", "application/json", "X-Reeve-Run", "r1"}, headers...)
	go func() { out <- h.call(h.key, "POST", "/llm/openai/v1/chat/completions", chat, headers...) }()
	return out
}

// A held model call holds no budget while it waits, tells an SDK that its retry
// makes sense, and goes on as any.
func TestAHeldModelCall(t *testing.T) {
	t.Parallel()
	h, ledger := heldModel(t, 50*time.Millisecond, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	h.permit(`@id("ask") @hold("finance") @limit("2/m by agent") permit (principal, action == Action::"call_model", resource);`)
	whole, _, _ := ledger.Left(time.Now(), budget.Use{Agent: "refunds", Team: "support", Pilot: true})
	got := <-h.chat()
	a := h.one(approval.Pending)
	if got.status != 409 || got.header.Get("X-Should-Retry") != "true" || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, `"code":"approval.pending"`) || !strings.Contains(got.body, "/approvals/"+a.ID) {
		t.Errorf("%+v", got)
	}
	left, _, _ := ledger.Left(time.Now(), budget.Use{Agent: "refunds", Team: "support", Pilot: true})
	if left == nil || whole == nil || *left != *whole {
		t.Errorf("%v tokens are left of %v while it waits", left, whole)
	}
	if a.Ask.Effect != "think" || a.Ask.Model != "gpt-4o-mini" || !a.Ask.Editable {
		t.Errorf("%+v", a.Ask)
	}
	h.approve()
	// The second call is the second of two that the rate lets pass: using an
	// approval counts no more.
	if got := <-h.chat(); got.status != 200 || got.body != chatAnswer {
		t.Errorf("%+v", got)
	}
	if left, _, _ := ledger.Left(time.Now(), budget.Use{Agent: "refunds", Team: "support", Pilot: true}); *left != *whole-12 {
		t.Errorf("%v tokens are left of %v", *left, *whole)
	}
	if got := <-h.chat("X-Reeve-Run", "r2"); got.status != 429 {
		t.Errorf("the third call in a minute: %+v", got)
	}
}

// A tool of the agent's own that a model proposes waits inside the answer, for
// longer than the upstream may be silent.
func TestAHeldLocalTool(t *testing.T) {
	t.Parallel()
	const text = `{"id":"c1","object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"refund","arguments":"{\"amount\": 900}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`
	var slow atomic.Bool
	h, _ := heldModel(t, 10*time.Second, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if slow.Load() { // in two pieces, so that more is to be read after the wait
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "\n")
			return
		}
		_, _ = io.WriteString(w, text)
	})
	u, _ := h.upstreams.Lookup("openai")
	s := u.Shape()
	s.TimeoutMS = 2500
	if _, err := h.upstreams.Put(t.Context(), "ada", s); err != nil {
		t.Fatal(err)
	}
	h.permit(permitAll + `@id("big") @hold("finance") @reason("too much") forbid (principal, action == Action::"call_tool", resource == Tool::"local.refund");`)

	waits := h.chat()
	a := h.one(approval.Pending)
	if a.Ask.Forwarded || a.Ask.Editable || a.Ask.Tool != "refund" || a.Ask.Resource != "local.refund" {
		t.Errorf("%+v", a.Ask)
	}
	if r, err := h.book.Open(a); err != nil || string(r.Body) != `{"amount": 900}` {
		t.Errorf("%s %v", r.Body, err)
	}
	h.approve()
	if got := <-waits; got.status != 200 || got.body != text {
		t.Errorf("agreed to: %+v", got)
	}
	done := h.one(approval.Done)
	d := h.log.Of(t, done.UsedBy)
	if d.Verdict != activity.VerdictAllow || !d.LocalTool || d.Approval != a.ID || d.Reasons[0].Code != "approval.granted" {
		t.Errorf("decision: %+v", d)
	}

	slow.Store(true)
	waits = h.chat("X-Reeve-Run", "r2")
	b := h.one(approval.Pending)
	<-time.After(3 * time.Second) // longer than the upstream may be silent
	by := finance
	by.Reason = "wrong account"
	if _, err := h.book.Deny(t.Context(), b.ID, by); err != nil {
		t.Fatal(err)
	}
	if got := <-waits; got.status != 200 || strings.Contains(got.body, `"tool_calls":[`) || !strings.Contains(got.body, "wrong account") {
		t.Errorf("denied: %+v", got)
	}
	// And for a day it is denied at once.
	if got := <-h.chat("X-Reeve-Run", "r3"); got.status != 200 || !strings.Contains(got.body, "a person denied this very action") {
		t.Errorf("denied again: %+v", got)
	}
}
