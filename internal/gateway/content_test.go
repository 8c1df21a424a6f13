package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/gateway"
)

// Content rules at the door: blocked before anything is forwarded, redacted
// before it is forwarded and stored, both ways; policy knows the classes that a
// call carries and can have them redacted.
func TestContentRules(t *testing.T) {
	t.Parallel()
	const mail, card = "ada.lovelace@example.com", "4111 1111 1111 1111"
	var rules *content.Set
	h := newHouse(t, func(o *gateway.Options) {
		var err error
		if rules, err = content.New(t.Context(), content.Options{DB: openDB(t)}); err != nil {
			t.Fatal(err)
		}
		for _, r := range []client.ContentRule{
			{Name: "mail", Classes: []string{"pii.email"}, Action: "redact", Direction: "both", Reason: "a test"},
			{Name: "card", Classes: []string{"pii.payment.card"}, Action: "block", Direction: "both", Reason: "a test"},
			{Name: "iban", Classes: []string{"pii.payment.iban"}, Action: "flag", Direction: "request", Reason: "a test"},
		} {
			if _, err := rules.Put(t.Context(), content.Actor{Person: "ada"}, r); err != nil {
				t.Fatal(err)
			}
		}
		o.Content = rules
	})
	key := h.agent("refunds")
	var seen, answer string
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen = string(b)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}), nil)
	post := func(body string) (status int, problem, got string, d activity.Decision) {
		t.Helper()
		seen = ""
		a := h.call(key, "POST", "/http/shop/v1/refunds", body, "Content-Type", "application/json")
		return a.status, a.problem, a.body, h.log.Of(t, a.decision)
	}
	answer = `{"ok": true}`
	status, problem, _, d := post(`{"note": "write to ` + mail + ` soon"}`)
	if status != 200 || seen == "" || strings.Contains(seen, mail) || !slices.Contains(d.Redacted, "pii.email") {
		t.Errorf("redacted: %d %s, forwarded %q, record %v", status, problem, seen, d.Redacted)
	}
	for _, f := range h.waitFragments(1) {
		for _, c := range f.Contents {
			if strings.Contains(string(c.Raw), mail) {
				t.Errorf("stored: %s", c.Raw)
			}
		}
	}
	status, problem, _, d = post(`{"card": "` + card + `"}`)
	if status != 403 || problem != "content.blocked" || seen != "" || d.Result != activity.ResultDenied || d.Reasons[0].Code != "content.blocked" {
		t.Errorf("blocked: %d %s, forwarded %q, %+v", status, problem, seen, d.Reasons)
	}
	answer = `{"owner": "` + mail + `"}`
	if _, _, got, _ := post(`{}`); strings.Contains(got, mail) || !strings.Contains(got, `"owner"`) {
		t.Errorf("an answer to redact: %s", got)
	}
	answer = `{"card": "` + card + `"}`
	if status, problem, got, d := post(`{}`); status != 403 || problem != "content.blocked" || strings.Contains(got, card) || d.Result != activity.ResultError || d.ErrorCode != "content.blocked" {
		t.Errorf("an answer to block: %d %s %s, %s %s", status, problem, got, d.Result, d.ErrorCode)
	}
	answer = `{}`
	h.permit(permitAll + `@id("no-iban") @reason("no accounts") forbid (principal, action == Action::"call_api", resource) when { context.classes.contains(DataClass::"pii.payment") };`)
	if status, problem, _, d := post(`{"iban": "DE89370400440532013000"}`); status != 403 || problem != "decision.denied" || d.Reasons[0].Text != "no accounts" {
		t.Errorf("a class that policy forbids: %d %s %+v", status, problem, d.Reasons)
	}
	h.permit(`@id("all") @redact("pii.ip") permit (principal, action, resource);`)
	if status, _, _, d := post(`{"from": "81.2.69.142"}`); status != 200 || strings.Contains(seen, "81.2.69.142") || !slices.Contains(d.Redacted, "pii.ip") {
		t.Errorf("what policy has redacted: %d %q %v", status, seen, d.Redacted)
	}
	h.permit(`@id("all") @redact("nobody.knows") permit (principal, action, resource);`)
	if status, problem, _, _ := post(`{}`); status != 403 || problem != "content.class" {
		t.Errorf("a class that nobody can find: %d %s", status, problem)
	}
	h.permit(permitAll)
	if a := h.call(key, "GET", "/http/shop/v1/orders/1?to="+mail, ""); a.problem != "content.query" {
		t.Errorf("in a query: %d %s", a.status, a.problem)
	}
}

// What an agent says beside the body, in the address or a header, is read as its
// reader will: nothing can be taken out there, so what a rule keeps back is refused.
// What protocols and client libraries say there is not taken for content.
func TestContentRulesBesideTheBody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *gateway.Options) {
		rules, err := content.New(t.Context(), content.Options{DB: openDB(t)})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []client.ContentRule{
			{Name: "mail", Classes: []string{"pii.email"}, Action: "redact", Direction: "request", Reason: "a test"},
			{Name: "card", Classes: []string{"pii.payment.card", "secret"}, Action: "block", Direction: "request", Reason: "a test"},
			{Name: "ip", Classes: []string{"pii.ip"}, Action: "flag", Direction: "request", Reason: "a test"},
		} {
			if _, err := rules.Put(t.Context(), content.Actor{Person: "ada"}, r); err != nil {
				t.Fatal(err)
			}
		}
		o.Content = rules
	})
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }), nil)
	const aws = "AKIA" + "Q3TZ7PLMXW2VBN5R"
	for _, c := range []struct {
		name, path string
		headers    []string
		code       string // "" passes
	}{
		{"nothing", "/any/orders/7?page=2", nil, ""},
		{"a path", "/any/people/ada.lovelace@example.com", nil, "content.query"},
		{"an escaped path", "/any/people/ada.lovelace%40example.com", nil, "content.query"},
		{"every letter escaped", "/any/people/%61%64%61%40%65%78%61%6d%70%6c%65%2e%63%6f%6d", nil, "content.query"},
		{"a path to block", "/any/cards/4111111111111111", nil, "content.blocked"},
		{"a query", "/any/people?mail=ada%40example.com", nil, "content.query"},
		{"a query escaped twice", "/any/people?mail=ada%2540example.com", nil, "content.query"},
		{"pluses", "/any/pay?card=4111+1111+1111+1111", nil, "content.blocked"},
		{"JSON in a query", "/any/pay?q=%7B%22k%22%3A%22%5Cu0041KIA" + aws[4:] + "%22%7D", nil, "content.blocked"},
		{"a flag", "/any/from/81.2.69.142", nil, ""},
		{"a header", "/any/orders/7", []string{"X-Note", "mail ada@example.com"}, "content.header"},
		{"a header to block", "/any/orders/7", []string{"X-Deploy", aws}, "content.blocked"},
		{"the client's name", "/any/orders/7", []string{"User-Agent", "bot (+ada@example.com)"}, "content.header"},
		{"the client's name with a key", "/any/orders/7", []string{"User-Agent", aws}, "content.blocked"},
		{"a header that goes no further", "/any/orders/7", []string{"X-Forwarded-For", "81.2.69.142", "Cookie", "mail=ada@example.com", "X-Reeve-Run", "ada@example.com"}, ""},
		{"what clients say", "/any/orders/7", []string{
			"Idempotency-Key", "3f2c9a7e-5b1d-4c86-9e0f-7a2b8d4c6e10", "User-Agent", "OpenAI/JS 6.1.0", "X-Request-Id", "0af7651916cd43dd8448eb211c80319c",
			"X-Stainless-Runtime-Version", "v22.1.0", "If-None-Match", `"33a64df551425fcc55e4d42a148795d9f25f89d4"`, "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}, ""},
	} {
		a := h.call(key, "GET", "/http/shop"+c.path, "", c.headers...)
		if a.problem != c.code || (a.status == 200) != (c.code == "") {
			t.Errorf("%s: %d %s %s, want %q", c.name, a.status, a.problem, a.body, c.code)
		}
		if strings.Contains(a.body, "example.com") || strings.Contains(a.body, aws[:8]) {
			t.Errorf("%s: the refusal says it again: %s", c.name, a.body)
		}
	}
}

// A model's stream: what its events share is redacted, blocked, and a key of ours
// in it is killed.
func TestContentRulesOverEvents(t *testing.T) {
	t.Parallel()
	const aws = "AKIA" + "Q3TZ7PLMXW2VBN5R"
	var told, leaked []string
	var mu sync.Mutex
	var rules *content.Set
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, text := range told {
			_, _ = fmt.Fprintf(w, "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.WriteString(w, "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}, func(o *gateway.Options) {
		var err error
		if rules, err = content.New(t.Context(), content.Options{DB: openDB(t), Leaked: func(k string) { mu.Lock(); leaked = append(leaked, k); mu.Unlock() }}); err != nil {
			t.Fatal(err)
		}
		o.Content = rules
	})
	call := func() (answer, activity.Decision) {
		a := h.call(key, "POST", "/llm/openai/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":100,"stream":true,"messages":[]}`, "Content-Type", "application/json")
		return a, h.log.Of(t, a.decision)
	}
	told = []string{"your key is ", key[:9], key[9:], ", bye"}
	a, _ := call()
	mu.Lock()
	if a.status != 200 || !slices.Equal(leaked, []string{key}) {
		t.Errorf("a key of ours over two events: %d, leaked %q", a.status, leaked)
	}
	mu.Unlock()
	put := func(action string) {
		if _, err := rules.Put(t.Context(), content.Actor{Person: "ada"}, client.ContentRule{Name: action, Classes: []string{"secret"}, Action: action, Direction: "answer", Reason: "a test"}); err != nil {
			t.Fatal(err)
		}
	}
	put("redact")
	told = []string{"the key is ", aws[:6], aws[6:], ", keep it"}
	if a, d := call(); a.status != 200 || strings.Contains(a.body, aws[:6]) || !strings.Contains(a.body, "[redacted:secret.aws-access-token]") || !strings.Contains(a.body, ", keep it") || d.Result != activity.ResultOK {
		t.Errorf("to redact: %d %s, %s", a.status, a.body, d.Result)
	}
	put("block")
	if a, d := call(); strings.Contains(a.body, aws[:6]) || d.Result != activity.ResultError || d.ErrorCode != "content.blocked" {
		t.Errorf("to block: %d %s, %s %s", a.status, a.body, d.Result, d.ErrorCode)
	}
}
