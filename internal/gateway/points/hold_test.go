package points_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
)

const holdPay = `@id("reads") permit (principal, action, resource) when { resource == Tool::"local.look" };
@id("pay") @hold("finance") @reason("money leaves") permit (principal, action, resource) when { resource == Tool::"local.pay" };`

func finance(name string) approval.Person {
	return approval.Person{ID: "per_" + name, Name: name, Groups: []string{"finance"}}
}

// agree approves what waits.
func (h *house) agree(id string) {
	h.t.Helper()
	a, err := h.book.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.book.Opened(h.t.Context(), id, "per_fin"); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.book.Approve(h.t.Context(), id, finance("fin"), a.Bound); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) awaited(credential, id string, waitMS int) client.DecisionAnswer {
	h.t.Helper()
	r := h.send("GET", fmt.Sprintf("/decisions/%s/answer?wait_ms=%d", id, waitMS), credential, "")
	if r.status != 200 {
		h.t.Fatalf("%d %s", r.status, r.body)
	}
	var a client.DecisionAnswer
	r.into(h.t, &a)
	return a
}

func TestHoldApproveOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	other := h.agent("other")
	pay := `{"tool":"pay","arguments":{"amount":5},"run":"r1"}`
	a := h.decide(key, pay)
	if a.Verdict != "hold" || a.Code != "approval.pending" || a.Approval == nil || a.Approval.Address != "https://reeve.example/approvals/"+a.Approval.ID || a.ExpiresAt != nil {
		t.Fatalf("%+v", a)
	}
	if p := h.log.Proposed(a.ID); p.Result != activity.ResultHeld || p.Approval != a.Approval.ID || !hasReason(p, "point.decisions") {
		t.Fatalf("%+v", p)
	}
	if again := h.decide(key, pay); again.Approval == nil || again.Approval.ID != a.Approval.ID {
		t.Errorf("the same question does not join: %+v", again)
	}
	if changed := h.decide(key, `{"tool":"pay","arguments":{"amount":6},"run":"r1"}`); changed.Approval == nil || changed.Approval.ID == a.Approval.ID {
		t.Errorf("other arguments join: %+v", changed)
	}
	if r := h.send("GET", "/decisions/"+a.ID+"/answer", other, ""); r.status != 404 {
		t.Errorf("another agent learns of it: %d %s", r.status, r.body)
	}
	if w := h.awaited(key, a.ID, 0); w.Verdict != "hold" || w.ID != a.ID {
		t.Errorf("%+v", w)
	}
	got := make(chan client.DecisionAnswer, 1)
	go func() { got <- h.awaited(key, a.ID, 20_000) }()
	h.agree(a.Approval.ID)
	w := <-got
	if w.Verdict != "allow" || w.ID == a.ID || w.ExpiresAt == nil {
		t.Fatalf("%+v", w)
	}
	if p := h.log.Proposed(w.ID); p.Approval != a.Approval.ID || !hasReason(p, "approval.granted") {
		t.Errorf("%+v", p)
	}
	// Collected again it is the same answer; asked again it is a new question.
	if w2 := h.awaited(key, a.ID, 0); w2.ID != w.ID || w2.Verdict != "allow" {
		t.Errorf("%+v", w2)
	}
	if r := h.send("POST", "/decisions/"+w.ID+"/complete", key, `{"result":"ok","output":"paid"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if s, err := h.book.Get(t.Context(), a.Approval.ID); err != nil || s.State != approval.Done {
		t.Errorf("%v %v", s, err)
	}
	if again := h.decide(key, pay); again.Verdict == "allow" {
		t.Errorf("an approval was used twice: %+v", again)
	}
}

func TestHoldDenied(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	a := h.decide(key, `{"tool":"pay","arguments":{"amount":5},"key":"k"}`)
	p := finance("fin")
	p.Reason = "too much"
	if err := h.book.Opened(t.Context(), a.Approval.ID, "per_fin"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Deny(t.Context(), a.Approval.ID, p); err != nil {
		t.Fatal(err)
	}
	w := h.awaited(key, a.ID, 0)
	if w.Verdict != "deny" || !strings.Contains(w.Reason, "too much") || w.Code != "approval.denied" {
		t.Errorf("%+v", w)
	}
	// The key's answer follows what people said.
	if w := h.decide(key, `{"tool":"pay","arguments":{"amount":5},"key":"k"}`); w.Verdict != "deny" {
		t.Errorf("%+v", w)
	}
}

// An approval that was given while policy changed is void: it is decided again.
func TestHoldDecidedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	a := h.decide(key, `{"tool":"pay","arguments":{"amount":5}}`)
	h.agree(a.Approval.ID)
	h.permit(holdPay + `@id("stop") @reason("not today") forbid (principal, action, resource == Tool::"local.pay");`)
	if w := h.awaited(key, a.ID, 0); w.Verdict != "deny" {
		t.Errorf("%+v", w)
	}
}

func TestHoldRevokedKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	a := h.decide(key, `{"tool":"pay","arguments":{"amount":5}}`)
	h.agree(a.Approval.ID)
	// Another credential of the same agent does not collect what was agreed for this one.
	// It only looks: the approval is left to who asked.
	for _, other := range []string{"rvt_support", h.secondKey("refunds")} {
		if w := h.awaited(other, a.ID, 0); w.Verdict != "hold" {
			t.Errorf("%+v", w)
		}
	}
	if s, err := h.book.Get(t.Context(), a.Approval.ID); err != nil || s.State != approval.Approved {
		t.Errorf("%+v %v", s, err)
	}
	if w := h.awaited(key, a.ID, 0); w.Verdict != "allow" {
		t.Errorf("%+v", w)
	}
}

func TestHoldElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	// Claude Code: denied with the page; after approval the same call is allowed.
	hook := `{"session_id":"s","hook_event_name":"PreToolUse","tool_name":"pay","tool_input":{"amount":1},"tool_use_id":"t1"}`
	r := h.send("POST", "/hooks/claude-code?wait_ms=0", key, hook)
	if !strings.Contains(r.body, `"permissionDecision":"deny"`) || !strings.Contains(r.body, "https://reeve.example/approvals/") {
		t.Fatalf("%s", r.body)
	}
	p := h.log.Proposed(r.header.Get("X-Reeve-Decision"))
	h.agree(p.Approval)
	if r := h.send("POST", "/hooks/claude-code?wait_ms=0", key, hook); r.body != "{}" {
		t.Errorf("%s", r.body)
	}
	if r := h.send("POST", "/hooks/claude-code?wait_ms=soon", key, hook); !strings.Contains(r.body, `"deny"`) {
		t.Errorf("%s", r.body)
	}
	// Copilot Studio: a hold is a block, at once.
	r = h.send("POST", "/copilot-studio/refunds/analyze-tool-execution", key, `{"toolDefinition":{"name":"pay"},"inputValues":{"amount":2}}`)
	if !strings.Contains(r.body, `"blockAction":true`) || !strings.Contains(r.body, `"reasonCode":2`) {
		t.Errorf("%s", r.body)
	}
}

func TestAccessRequest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	other := h.agent("other")
	parts := []string{`"subject":{"type":"agent","id":"refunds"}`, `"action":{"name":"call_tool"}`, `"resource":{"type":"tool","id":"pay","properties":{"arguments":{"amount":3}}}`}
	q := object(parts...)
	r := h.send("POST", "/access/v1/evaluation", key, q)
	var d struct {
		Decision bool
		Context  struct {
			ID      string `json:"evaluation_id"`
			Reason  string
			Request struct {
				Endpoint string
				Expires  string `json:"expires_at"`
			} `json:"access_request"`
		}
	}
	r.into(t, &d)
	if d.Decision || d.Context.Reason != "approval_required" || d.Context.Request.Endpoint != "https://door.example/access/v1/requests" || d.Context.Request.Expires == "" {
		t.Fatalf("%s", r.body)
	}
	denial := `"denial":{"evaluation_id":"` + d.Context.ID + `","expires_at":"` + d.Context.Request.Expires + `"}`
	r = h.send("POST", "/access/v1/requests", key, object(append(parts, denial)...))
	var task struct {
		Task struct {
			ID, Status string
			Endpoint   string `json:"status_endpoint"`
		}
		Result map[string]any
	}
	r.into(t, &task)
	if r.status != 202 || task.Task.Status != "pending" || r.header.Get("Location") != task.Task.Endpoint {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for name, c := range map[string]struct{ credential, body string }{
		"another's":         {other, object(append(parts, denial)...)},
		"another resource":  {key, object(parts[0], parts[1], `"resource":{"type":"tool","id":"look"}`, denial)},
		"forged evaluation": {key, object(append(parts, `"denial":{"evaluation_id":"dec_forged","expires_at":"`+d.Context.Request.Expires+`"}`)...)},
		"expired":           {key, object(append(parts, `"denial":{"evaluation_id":"`+d.Context.ID+`","expires_at":"2020-01-01T00:00:00Z"}`)...)},
		"no denial":         {key, q},
		"items":             {key, object(append(parts, denial, `"items":[]`)...)},
	} {
		if r := h.send("POST", "/access/v1/requests", c.credential, c.body); r.status != 400 || !strings.Contains(r.body, "urn:openid:authzen:access-request:error:") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	at := strings.TrimPrefix(task.Task.Endpoint, "https://door.example")
	if r := h.send("GET", at, other, ""); r.status != 404 {
		t.Errorf("%d %s", r.status, r.body)
	}
	h.agree(task.Task.ID)
	r = h.send("GET", at, key, "")
	r.into(t, &task)
	if task.Task.Status != "approved" || task.Result["mode"] != "reevaluate" {
		t.Errorf("%s", r.body)
	}
	// The task grants nothing: evaluating again does, once.
	for i, want := range []bool{true, false} {
		r := h.send("POST", "/access/v1/evaluation", key, q)
		r.into(t, &d)
		if d.Decision != want {
			t.Errorf("evaluation %d: %s", i, r.body)
		}
	}
}

// What a token asked is collected by a token, not by an agent's key.
func TestHoldOfToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	a := h.decide("rvt_support", `{"agent":"refunds","tool":"pay","arguments":{"amount":5}}`)
	h.agree(a.Approval.ID)
	if w := h.awaited(key, a.ID, 0); w.Verdict != "hold" {
		t.Errorf("%+v", w)
	}
	if w := h.awaited("rvt_support", a.ID, 0); w.Verdict != "allow" {
		t.Errorf("%+v", w)
	}
}

// An answer to an approved question is told again while it holds. Then people
// are asked anew.
func TestHoldToldAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(h *house){
		"time":        func(h *house) { h.clock.pass(11 * time.Minute) },
		"policy":      func(h *house) { h.permit(holdPay) },
		"containment": func(h *house) { h.contain("refunds", agent.Supervised) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.permit(holdPay)
			key := h.agent("refunds")
			a := h.decide(key, `{"tool":"pay","arguments":{"amount":5},"key":"k"}`)
			h.agree(a.Approval.ID)
			first := h.awaited(key, a.ID, 0)
			if again := h.awaited(key, a.ID, 0); first.Verdict != "allow" || again.ID != first.ID {
				t.Fatalf("%+v %+v", first, again)
			}
			if r := h.send("POST", "/decisions/"+first.ID+"/complete", key, `{"result":"ok"}`); r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			change(h)
			if r := h.send("GET", "/decisions/"+a.ID+"/answer", "rvt_support", ""); r.status != 404 {
				t.Errorf("a reader is told of what does not hold: %d %s", r.status, r.body)
			}
			w := h.awaited(key, a.ID, 0)
			if w.Verdict != "hold" || w.Approval == nil || w.Approval.ID == a.Approval.ID {
				t.Fatalf("%+v", w)
			}
			h.agree(w.Approval.ID)
			got := h.decide(key, `{"tool":"pay","arguments":{"amount":5},"key":"k"}`)
			if got.Verdict != "allow" || got.ID == first.ID {
				t.Errorf("%+v", got)
			}
		})
	}
}

// While nobody reported how the approved action ended it is not allowed again.
func TestHoldToldAgainOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	a := h.decide(key, `{"tool":"pay","arguments":{"amount":5}}`)
	h.agree(a.Approval.ID)
	if w := h.awaited(key, a.ID, 0); w.Verdict != "allow" {
		t.Fatalf("%+v", w)
	}
	h.permit(holdPay)
	if w := h.awaited(key, a.ID, 0); w.Verdict != "deny" {
		t.Errorf("%+v", w)
	}
}

// A held question is decided for the agent as it is when the answer is fetched.
func TestHoldContained(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.permit(holdPay)
	key := h.agent("refunds")
	a := h.decide(key, `{"tool":"pay","arguments":{"amount":5}}`)
	h.agree(a.Approval.ID)
	h.contain("refunds", agent.Quarantined)
	h.permit(permitAll)
	if w := h.awaited(key, a.ID, 0); w.Verdict != "deny" {
		t.Errorf("%+v", w)
	}
}
