package app

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/source"
)

// readRun reports a run that was asked something, read a source or none, and ended so.
func readRun(t *testing.T, a *App, n int, ago time.Duration, question, read, outcome, mode, task string) {
	t.Helper()
	attr := func(k, v string) map[string]any {
		return map[string]any{"key": k, "value": map[string]any{"stringValue": v}}
	}
	messages, err := json.Marshal([]any{map[string]any{"role": "user", "parts": []any{map[string]any{"type": "text", "content": question}}}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(-ago)
	trace := fmt.Sprintf("%032x", 0x51000+n)
	span := func(k int, parent, name string, attributes ...any) map[string]any {
		x := map[string]any{
			"traceId": trace, "spanId": fmt.Sprintf("%016x", 16*n+k), "name": name, "startTimeUnixNano": fmt.Sprint(start.UnixNano()), "endTimeUnixNano": fmt.Sprint(start.Add(time.Second).UnixNano()),
			"attributes": append(attributes, attr("gen_ai.agent.name", "asker"), attr("gen_ai.conversation.id", fmt.Sprint("s", n))),
		}
		if parent != "" {
			x["parentSpanId"] = parent
		}
		return x
	}
	root := fmt.Sprintf("%016x", 16*n+1)
	all := []any{attr("gen_ai.operation.name", "invoke_agent")}
	for k, v := range map[string]string{"reeve.outcome": outcome, "reeve.mode": mode, "reeve.task": task} {
		if v != "" {
			all = append(all, attr(k, v))
		}
	}
	spans := []any{
		span(1, "", "invoke_agent asker", all...),
		span(2, root, "chat gpt-4o-mini", attr("gen_ai.operation.name", "chat"), attr("gen_ai.request.model", "gpt-4o-mini"), attr("gen_ai.input.messages", string(messages))),
	}
	if read != "" {
		spans = append(spans, span(3, root, "retrieval "+read, attr("gen_ai.operation.name", "retrieval"), attr("gen_ai.data_source.id", read)))
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource": map[string]any{"attributes": []any{attr("service.name", "asker")}}, "scopeSpans": []any{map[string]any{"spans": spans}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := post(t.Context(), "http://"+a.Address("listen")+"/v1/traces", "application/json", body); got.status != http.StatusOK {
		t.Fatalf("a trace: %d %s", got.status, got.body)
	}
}

// TestReadinessOfWhatIsAsked: answers whose sources were all fresh are a figure with n,
// interval and coverage, as on /metrics; what is asked is grouped by topic where Topics
// knows the run and by task elsewhere, and what was not answered is a list of questions.
func TestReadinessOfWhatIsAsked(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	for _, in := range []client.PutSourceRequest{
		{Name: "policy", Namespace: "pg", Dataset: "policy", MaxAge: "2h"},
		{Name: "notes", Namespace: "pg", Dataset: "notes"}, // nobody says how old it may be
	} {
		if _, err := c.PutSource(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	f := &source.Facts{}
	for i, ago := range []time.Duration{10 * time.Hour, 2*time.Hour + 30*time.Minute} {
		f.Versions = append(f.Versions, source.Version{Dataset: source.Dataset{Namespace: "pg", Name: "policy"}, Version: fmt.Sprint(i), At: time.Now().Add(-ago)})
	}
	f.Versions = append(f.Versions, source.Version{Dataset: source.Dataset{Namespace: "pg", Name: "notes"}, Version: "1", At: time.Now().Add(-10 * time.Hour)})
	if err := a.sources.Take(ctx, source.Sender{}, f); err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		ago                           time.Duration
		question, read, outcome, mode string
		task                          string
	}{
		// At 3 h the version of 10 h ago was there, 7 h old: stale. At 2 h and later the one of 2.5 h.
		{3 * time.Hour, "I want a refund for my order", "policy", "resolved", "", "refund"},
		{2 * time.Hour, "please refund the order I returned", "policy", "resolved", "", "refund"},
		{time.Hour, "can you refund my last order, it arrived broken", "policy", "failed", "", "refund"},
		{50 * time.Minute, "refund for a returned order please", "", "resolved", "", "refund"}, // answered, and from nothing
		{45 * time.Minute, "what is the weather in Bern today, mail it to ada@example.com", "notes", "escalated", "", "weather"},
		{40 * time.Minute, "I want a refund for my order", "policy", "failed", "test", "refund"}, // a test: nobody asked
	} {
		readRun(t, a, i+1, x.ago, x.question, x.read, x.outcome, x.mode, x.task)
	}
	var ready *client.Readiness
	eventually(t, "a topic of four runs", func() bool {
		var err error
		if ready, err = c.GetReadiness(ctx, client.ReadinessRequest{From: "-5h"}); err != nil {
			t.Fatal(err)
		}
		return len(ready.Topics) == 2 && ready.Topics[0].Asked+ready.Topics[1].Asked == 5 && ready.Grouped == "topic" && ready.Looked == 4
	})
	// Three of four that read something read the policy: one of them when it was stale.
	if s := ready.AllFresh; s == nil || s.N != 3 || s.Hits != 2 || math.Abs(s.Value-2.0/3) > 1e-9 || s.Low >= s.Value || s.High <= s.Value || ready.Unknown != 1 || ready.Reading != 4 {
		t.Errorf("%+v of %+v", ready.AllFresh, ready)
	}
	var topic, task client.TopicCoverage
	for _, x := range ready.Topics {
		if x.By == "topic" {
			topic = x
		} else {
			task = x
		}
	}
	if topic.ID == "" || !strings.Contains(topic.Topic, "refund") || topic.Asked != 4 || topic.Backlog != 1 || topic.Supported == nil || topic.Supported.Hits != 2 || topic.Supported.N != 4 {
		t.Errorf("%+v", topic)
	}
	if task.Topic != "weather" || task.ID != "" || task.Asked != 1 || task.Backlog != 1 || task.Supported == nil || task.Supported.Hits != 0 {
		t.Errorf("%+v", task)
	}
	// Weighted by demand: four asked with a half, one with nothing.
	if ready.Coverage == nil || math.Abs(*ready.Coverage-0.4) > 1e-9 {
		t.Errorf("coverage %v, want .4", ready.Coverage)
	}
	for _, x := range ready.Topics {
		runs, err := c.ListRuns(ctx, client.ListRunsRequest{Query: x.Records, From: "-5h"})
		if err != nil || int64(len(runs.Items)) != x.Backlog {
			t.Errorf("%s opens %d runs, not %d: %v", x.Records, len(runs.Items), x.Backlog, err)
		}
	}

	asked := func(req client.ListUnansweredRequest) []client.UnansweredQuestion {
		t.Helper()
		req.From = "-5h"
		l, err := c.ListUnanswered(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return l.Items
	}
	all := asked(client.ListUnansweredRequest{})
	if len(all) != 2 || !strings.HasPrefix(all[0].Text, "what is the weather in Bern today") || strings.Contains(all[0].Text, "ada@example.com") || all[0].Task != "weather" || all[0].Topic != "" || all[0].Outcome != "escalated" || all[1].TopicID != topic.ID || all[1].Sources[0] != "policy" || all[1].Hidden {
		t.Errorf("%+v", all)
	}
	if len(all) == 2 && !strings.Contains(all[1].Text, "refund my last order") {
		t.Errorf("asked %q", all[1].Text)
	}
	if some := asked(client.ListUnansweredRequest{Topic: topic.ID}); len(some) != 1 || some[0].TopicID != topic.ID {
		t.Errorf("of the topic: %+v", some)
	}
	if some := asked(client.ListUnansweredRequest{Topic: "none", Task: "weather"}); len(some) != 1 || some[0].Task != "weather" {
		t.Errorf("of no topic: %+v", some)
	}
	if _, err := c.ListUnanswered(ctx, client.ListUnansweredRequest{Topic: "top_nothing"}); err == nil {
		t.Error("a topic that is not there has questions")
	}

	k, err := c.GetKPI(ctx, client.KPIRequest{ID: "fresh_answers", From: "-5h", By: "agent"})
	if err != nil || k.Value == nil || math.Abs(*k.Value-2.0/3) > 1e-9 || k.N != 3 || k.Low == nil || k.Coverage == nil || *k.Coverage != 0.75 || len(k.Groups) != 1 || k.Groups[0].N != 3 {
		t.Fatalf("%+v, %v", k, err)
	}
	if of, err := c.GetKPI(ctx, client.KPIRequest{ID: "fresh_answers", From: "-5h", Task: "weather"}); err != nil || of.Value != nil || of.Why == "" {
		t.Errorf("of what nobody knows: %+v, %v", of, err)
	}
	if err := a.computeKPIs(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	text := metricsPage(t, a)
	for _, want := range []string{`reeve_kpi_records{agent="",kpi="fresh_answers",unit="share"} 3`, `reeve_kpi_coverage{agent="",kpi="fresh_answers",unit="share"} 0.75`} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	limit := 0.9
	if _, err := c.PutObjective(ctx, client.PutObjectiveRequest{Name: "fresh", KPI: "fresh_answers", Target: 0.9, Limit: &limit, Slice: "1h", DryRun: true}); err != nil {
		t.Errorf("an objective on it: %v", err)
	}
}
