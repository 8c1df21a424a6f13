package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
)

// TestAuditPlanAsks: a plan asks a real agent sampled questions as tests, at once and
// after a restart in the middle of it; the audit has the error rate with its interval,
// breaks the source's limit, and what the agent would write is not written.
func TestAuditPlanAsks(t *testing.T) {
	t.Parallel()
	config := testConfig(t.TempDir())
	var a *App
	begin := func() (end func()) {
		t.Helper()
		var err error
		if a, err = New(t.Context(), Options{Config: config, Logger: slog.New(slog.DiscardHandler), Version: "test"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func(a *App) { done <- a.Run(ctx) }(a)
		ended := false
		end = func() {
			if ended {
				return
			}
			ended = true
			cancel()
			if err := errors.Join(<-done, a.Stop(context.Background())); err != nil {
				t.Errorf("running Reeve: %v", err)
			}
		}
		t.Cleanup(end)
		eventually(t, "readiness", func() bool { return get(t, "http://"+a.Address("listen")+"/readyz") == http.StatusOK })
		return end
	}
	end := begin()
	register(t, a, "refund")
	provider(t, a, "openai", "openai", func(string, string) string {
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	})
	var live, hold atomic.Int32
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { live.Add(1) }))
	t.Cleanup(shop.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: "shop", Kind: "http", URL: shop.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
		Routes: []client.Route{{Method: "POST", Path: "/prices", Effect: "write"}},
	}); err != nil {
		t.Fatal(err)
	}
	var door atomic.Value
	door.Store(a.Door())
	asked := make(chan string, 100)
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Message, Token string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		call := func(path, body string) {
			req, err := http.NewRequestWithContext(r.Context(), "POST", door.Load().(string)+path, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+in.Token)
			req.Header.Set("Content-Type", "application/json")
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}
		asked <- in.Message
		if hold.Load() == 1 { // until Reeve goes away
			<-r.Context().Done()
			return
		}
		call("/llm/openai/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`)
		var n int
		_, _ = fmt.Sscanf(in.Message, "What does plan %d cost?", &n)
		answer := fmt.Sprintf("Plan %d costs %d euros a month.", n, 10+n)
		switch {
		case n == 0:
			call("/http/shop/prices", `{"write":true}`) // in a test this is refused, and says nothing of the source
		case n%3 == 0:
			answer = fmt.Sprintf("Plan %d costs %d euros a month.", n, 99+n)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"reply": answer})
	}))
	t.Cleanup(agent.Close)

	c := client.New("http://"+a.Address("listen"), "")
	limit := 0.9
	if _, err := c.PutSource(t.Context(), client.PutSourceRequest{Name: "prices", Team: "core", MinAccuracy: &limit}); err != nil {
		t.Fatal(err)
	}
	plan := client.PutAuditPlanRequest{Name: "prices", Agent: "refund", Every: "24h"}
	for i := range 22 {
		plan.Sheet = append(plan.Sheet, client.KnownQuestion{Question: fmt.Sprintf("What does plan %d cost?", i), Truth: fmt.Sprintf("%d euros a month", 10+i)})
	}
	if _, err := c.PutAuditPlan(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "cannot be tested") {
		t.Errorf("a plan for an agent that nobody can invoke: %v", err)
	}
	if _, err := c.PutInvokeTarget(t.Context(), client.PutInvokeTargetRequest{
		Name: "refund", Kind: "http", URL: agent.URL, AllowPrivate: true, Body: `{"message":"{{input}}","token":"{{token}}"}`, Answer: "/reply",
	}); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]client.PutAuditPlanRequest{
		"no agent":                     {Sheet: plan.Sheet},
		"nothing to ask":               {Agent: "refund"},
		"two kinds of questions":       {Agent: "refund", Sheet: plan.Sheet, Dataset: "golden"},
		"a sheet without its truth":    {Agent: "refund", Sheet: []client.KnownQuestion{{Question: "What?"}}},
		"a sample below the least":     {Agent: "refund", Sheet: plan.Sheet, Sample: 9},
		"more often than each hour":    {Agent: "refund", Sheet: plan.Sheet, Every: "10m"},
		"no time":                      {Agent: "refund", Sheet: plan.Sheet, Every: "often"},
		"a data set that is not there": {Agent: "refund", Dataset: "nowhere"},
		"recorded without a truth":     {Agent: "refund", Questions: "recorded"},
		"a truth in plain http":        {Agent: "refund", Questions: "recorded", TruthURL: "http://truth.example"},
		"another agent":                {Agent: "nobody", Sheet: plan.Sheet},
	} {
		bad.Name = "prices"
		if _, err := c.PutAuditPlan(t.Context(), bad); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}

	hold.Store(1)
	p, err := c.PutAuditPlan(t.Context(), plan)
	if err != nil || p.Questions != "sheet" || p.Known != 22 || p.Sample != 50 || p.Every != "24h0m0s" {
		t.Fatalf("%+v %v", p, err)
	}
	select {
	case <-asked:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was asked")
	}
	end() // in the middle of the first question
	hold.Store(0)
	end = begin()
	defer end()
	door.Store(a.Door())
	c = client.New("http://"+a.Address("listen"), "")
	eventually(t, "the audit after the restart", func() bool {
		p, err = c.GetAuditPlan(t.Context(), client.SourceRequest{Name: "prices"})
		return err == nil && p.LastAudit != "" && p.Running == ""
	})
	if p.Trouble != "" || p.NextAt == nil || time.Until(*p.NextAt) < 23*time.Hour {
		t.Errorf("%+v", p)
	}
	audits, err := c.ListSourceAudits(t.Context(), client.SourceRequest{Name: "prices"})
	if err != nil || len(audits.Items) != 1 {
		t.Fatalf("%+v %v", audits, err)
	}
	// 3, 6, 9, 12, 15, 18 and 21 are wrong; 0 tried to write and came to no answer.
	x := audits.Items[0]
	if x.Asked != 21 || x.Correct != 14 || x.Unanswered != 1 || len(x.Wrong) != 7 || x.Wrong[0].Run == "" || x.Experiment != p.Last || x.Agent != "refund" ||
		x.ErrorRate == nil || x.ErrorRate.Hits != 7 || fmt.Sprintf("%.3f %.3f", x.ErrorRate.Low, x.ErrorRate.High) != "0.172 0.546" {
		t.Errorf("%+v %+v", x, x.ErrorRate)
	}
	if live.Load() != 0 {
		t.Errorf("%d calls were made for real", live.Load())
	}
	e, err := c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: p.Last})
	if err != nil || e.Kind != "audit" || len(e.Results) != 22 {
		t.Fatalf("%+v %v", e, err)
	}
	ready, err := c.GetReadiness(t.Context(), client.ReadinessRequest{})
	if err != nil || len(ready.Sources) != 1 || ready.Sources[0].Plan == nil || len(ready.Sources[0].Breaches) != 1 || ready.Sources[0].Breaches[0].Limit != "min_accuracy" || len(ready.Sources[0].Plan.Sheet) != 0 {
		t.Fatalf("%+v %v", ready.Sources, err)
	}

	// What users asked, against an address that knows what is true.
	truth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Question string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		var n int
		if _, err := fmt.Sscanf(in.Question, "What does plan %d cost?", &n); err != nil {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"truth": fmt.Sprintf("%d euros a month", 10+n)})
	}))
	t.Cleanup(truth.Close)
	place, ok := a.agents.Lookup("refund")
	if !ok {
		t.Fatal("no agent")
	}
	key, err := c.CreateIntakeKey(t.Context(), client.CreateIntakeKeyRequest{Name: "its", Team: place.Team, Environment: place.Environment})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 14 {
		readPrices(t, a, key.Secret, i, fmt.Sprintf("What does plan %d cost?", 20+i))
	}
	readPrices(t, a, key.Secret, 14, "Is it nice there?")
	eventually(t, "the runs that read it", func() bool {
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{Query: "source:prices status:done"})
		return err == nil && len(l.Items) == 15
	})
	if p, err = c.PutAuditPlan(t.Context(), client.PutAuditPlanRequest{Name: "prices", Agent: "refund", TruthURL: truth.URL, AllowPrivate: true, Every: "24h", Revision: p.Revision}); err != nil || p.Questions != "recorded" {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := c.AskAuditPlan(t.Context(), client.SourceRequest{Name: "prices"}); err != nil {
		t.Fatal(err)
	}
	first := x.ID
	eventually(t, "the audit of what users asked", func() bool {
		p, err = c.GetAuditPlan(t.Context(), client.SourceRequest{Name: "prices"})
		return err == nil && p.Running == "" && (p.Trouble != "" || p.LastAudit != first)
	})
	audits, err = c.ListSourceAudits(t.Context(), client.SourceRequest{Name: "prices"})
	if err != nil || len(audits.Items) != 2 {
		t.Fatalf("%+v %+v %v", p, audits, err)
	}
	// 21, 24, 27, 30 and 33 of 20 to 33 are wrong.
	if x = audits.Items[0]; x.Asked != 14 || x.Correct != 9 || !strings.HasPrefix(x.Wrong[0].Item, "run_") {
		t.Errorf("%+v", x)
	}
	if e, err = c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: p.Last}); err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Results {
		if r.Answer != "" {
			t.Errorf("an answer to a user's own question is kept with the experiment: %q", r.Answer)
		}
	}

	// The way to the agent goes: the plan says that it is not possible.
	if err := a.control.Write(t.Context(), func(tx *control.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM invoke_targets`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if p, err = c.AskAuditPlan(t.Context(), client.SourceRequest{Name: "prices"}); err != nil || !strings.Contains(p.NotPossible, "cannot be tested") {
		t.Errorf("%+v %v", p, err)
	}
	eventually(t, "the plan's trouble", func() bool {
		p, err = c.GetAuditPlan(t.Context(), client.SourceRequest{Name: "prices"})
		return err == nil && strings.Contains(p.Trouble, "cannot be tested")
	})
	if err := c.DeleteAuditPlan(t.Context(), client.SourceRequest{Name: "prices"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetAuditPlan(t.Context(), client.SourceRequest{Name: "prices"}); err == nil {
		t.Error("the plan is there still")
	}
}

// readPrices reports a run of the agent that was asked something and read the source.
func readPrices(t *testing.T, a *App, key string, n int, question string) {
	t.Helper()
	now := time.Now().Add(-time.Minute).UnixNano()
	trace := fmt.Sprintf("%032x", 0xabc0+n)
	attribute := func(k, v string) map[string]any {
		return map[string]any{"key": k, "value": map[string]any{"stringValue": v}}
	}
	messages, err := json.Marshal([]map[string]any{{"role": "user", "parts": []map[string]any{{"type": "text", "content": question}}}})
	if err != nil {
		t.Fatal(err)
	}
	span := func(id, parent, name string, attributes ...map[string]any) map[string]any {
		return map[string]any{"traceId": trace, "spanId": id, "parentSpanId": parent, "name": name, "startTimeUnixNano": fmt.Sprint(now), "endTimeUnixNano": fmt.Sprint(now + 1e6), "attributes": append(attributes, attribute("gen_ai.agent.name", "refund"))}
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource": map[string]any{"attributes": []any{attribute("service.name", "refund"), attribute("deployment.environment.name", "production")}},
		"scopeSpans": []any{map[string]any{"spans": []any{
			span("00f067aa0ba90200", "", "invoke_agent refund", attribute("gen_ai.operation.name", "invoke_agent")),
			span("00f067aa0ba90201", "00f067aa0ba90200", "retrieval prices", attribute("gen_ai.operation.name", "retrieval"), attribute("gen_ai.data_source.id", "prices")),
			span("00f067aa0ba90202", "00f067aa0ba90200", "chat gpt-4o-mini", attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.request.model", "gpt-4o-mini"), attribute("gen_ai.input.messages", string(messages))),
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := post(t.Context(), "http://"+a.Address("listen")+"/v1/traces", "application/json", body, "Authorization", "Bearer "+key); got.status != http.StatusOK {
		t.Fatalf("a trace: %d %s", got.status, got.body)
	}
}
