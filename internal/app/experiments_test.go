package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

// TestExperimentsAreTests: an agent is run on cases, by the token that it is given;
// what it would do for real is refused, its run has mode test and its answers count.
func TestExperimentsAreTests(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "refund")
	provider(t, a, "openai", "openai", func(string, string) string {
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"Within 14 days."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	})
	var live atomic.Int32
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { live.Add(1) }))
	t.Cleanup(shop.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: "shop", Kind: "http", URL: shop.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
		Routes: []client.Route{{Method: "POST", Path: "/refunds", Effect: "write"}},
	}); err != nil {
		t.Fatal(err)
	}
	var last, trace atomic.Value
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Message, Token string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		last.Store(in.Token)
		// It reports the run itself as well, as one of a person's.
		if _, ids, ok := strings.Cut(r.Header.Get("Traceparent"), "-"); ok {
			trace.Store(ids[:32])
			now := time.Now().UnixNano()
			span := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"refund"}}]},"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"00f067aa0ba902b7","name":"invoke_agent refund","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"invoke_agent"}},{"key":"gen_ai.agent.name","value":{"stringValue":"refund"}},{"key":"reeve.mode","value":{"stringValue":"interactive"}}]}]}]}]}`, ids[:32], now-1e6, now)
			resp, err := http.Post("http://"+a.Address("listen")+"/v1/traces", "application/json", strings.NewReader(span))
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("its own span: %v %v", resp, err)
			} else {
				_ = resp.Body.Close()
			}
		}
		call := func(path, body string) string {
			req, err := http.NewRequestWithContext(r.Context(), "POST", a.Door()+path, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return ""
			}
			req.Header.Set("Authorization", "Bearer "+in.Token)
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return ""
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			return string(text)
		}
		said := call("/llm/openai/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`)
		if strings.Contains(in.Message, "refund it") {
			call("/http/shop/refunds", `{"order":7}`)
		}
		if strings.Contains(said, "14 days") {
			_ = json.NewEncoder(w).Encode(map[string]string{"reply": "Within 14 days."})
		}
	}))
	t.Cleanup(agent.Close)
	c := client.New("http://"+a.Address("listen"), "")
	if _, err := c.GetInvokeTarget(t.Context(), client.InvokeTargetRequest{Name: "refund"}); err == nil || !strings.Contains(err.Error(), "cannot be tested") {
		t.Errorf("%v", err)
	}
	if _, err := c.PutInvokeTarget(t.Context(), client.PutInvokeTargetRequest{
		Name: "refund", Kind: "http", URL: agent.URL, AllowPrivate: true, Body: `{"message":"{{input}}","token":"{{token}}"}`, Answer: "/reply",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutDataset(t.Context(), client.PutDatasetRequest{Name: "golden", Team: "core", Environment: "production"}); err != nil {
		t.Fatal(err)
	}
	for _, ask := range []string{"When do I get it?", "Please refund it."} {
		if _, err := c.AddDatasetItem(t.Context(), client.AddDatasetItemRequest{Name: "golden", Input: []client.ChatMessage{{Role: "user", Content: ask}}, Contains: []string{"14 days"}}); err != nil {
			t.Fatal(err)
		}
	}
	x, err := c.StartExperiment(t.Context(), client.StartExperimentRequest{Agent: "refund", Dataset: "golden"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the experiment's end", func() bool {
		x, err = c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: x.ID})
		return err == nil && x.State == "done"
	})
	if x.Passed.N != 2 || *x.Passed.Value != 0.5 || x.Invalid != 0 || len(x.Results) != 2 || !x.Results[0].Passed || len(x.Results[1].Refused) != 1 || !strings.Contains(x.Results[1].Refused[0], "test.not_recorded") {
		t.Fatalf("%+v", x)
	}
	if live.Load() != 0 {
		t.Errorf("%d calls were made for real", live.Load())
	}
	run := activity.RunOfKey(x.Results[0].Run).String()
	eventually(t, "the test's run", func() bool {
		r, err := c.GetRun(t.Context(), client.RunRequest{ID: run})
		return err == nil && r.Mode == "test" && r.Agent == "refund"
	})
	eventually(t, "the run that the agent reports itself", func() bool {
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{TraceID: trace.Load().(string)})
		return err == nil && len(l.Items) == 1 && l.Items[0].Mode == "test"
	})
	req, err := http.NewRequestWithContext(t.Context(), "POST", a.Door()+"/http/shop/refunds", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+last.Load().(string))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("X-Reeve-Code"); got != "test.over" || live.Load() != 0 {
		t.Errorf("a test's token after it: %s", got)
	}
}
