package app

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/compliance"
)

// askedRun is a run of a session in which a model was told what a user asked.
func askedRun(t *testing.T, n int, session, text string, failed bool) []byte {
	t.Helper()
	attr := func(k, v string) map[string]any {
		return map[string]any{"key": k, "value": map[string]any{"stringValue": v}}
	}
	messages, err := json.Marshal([]any{map[string]any{"role": "user", "parts": []any{map[string]any{"type": "text", "content": text}}}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(-time.Hour + time.Duration(n)*time.Minute)
	at := func(d time.Duration) string { return fmt.Sprint(start.Add(d).UnixNano()) }
	trace := fmt.Sprintf("%032x", 0x70000+n)
	status := map[string]any{}
	if failed {
		status = map[string]any{"code": 2, "message": "no answer"}
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource": map[string]any{"attributes": []any{attr("service.name", "asker")}},
		"scopeSpans": []any{map[string]any{"spans": []any{
			map[string]any{"traceId": trace, "spanId": fmt.Sprintf("%016x", 2*n+1), "name": "invoke_agent asker", "startTimeUnixNano": at(0), "endTimeUnixNano": at(2 * time.Second), "status": status, "attributes": []any{attr("gen_ai.operation.name", "invoke_agent"), attr("gen_ai.agent.name", "asker"), attr("gen_ai.conversation.id", session)}},
			map[string]any{"traceId": trace, "spanId": fmt.Sprintf("%016x", 2*n+2), "parentSpanId": fmt.Sprintf("%016x", 2*n+1), "name": "chat gpt-4o-mini", "startTimeUnixNano": at(time.Millisecond), "endTimeUnixNano": at(time.Second), "attributes": []any{attr("gen_ai.operation.name", "chat"), attr("gen_ai.agent.name", "asker"), attr("gen_ai.request.model", "gpt-4o-mini"), attr("gen_ai.conversation.id", session), attr("gen_ai.input.messages", string(messages))}},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// What users ask arrives as topics, keeps its ids through a kill, and a session
// that asks again is seen; a framework is assessed, and its pack verified.
func TestTopicsAndComplianceFromEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	s := startChild(t, childOptions{Dir: dir})
	ctx := t.Context()
	n := 0
	send := func(session, text string, failed bool) {
		t.Helper()
		n++
		if a := post(ctx, "http://"+s.HTTP+"/v1/traces", "application/json", askedRun(t, n, session, text, failed)); a.status != http.StatusOK {
			t.Fatalf("%+v", a)
		}
	}
	for i, text := range []string{"I want a refund for my order", "please refund the order I returned", "can you refund my last order, it arrived broken", "refund for a returned order please"} {
		send(fmt.Sprint("s", i), text, i == 0)
	}
	topics := func() *client.TopicList {
		list, err := s.api.ListTopics(ctx, client.ListTopicsRequest{Agent: "asker"})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	eventually(t, "a topic of four runs", func() bool {
		list := topics()
		return len(list.Items) == 1 && list.Items[0].Runs == 4
	})
	first := topics().Items[0]
	if !strings.Contains(first.Title, "refund") || first.Unanswered.N < 1 {
		t.Errorf("%+v", first)
	}
	page, err := s.api.GetTopic(ctx, client.TopicRequest{ID: first.ID})
	if err != nil || len(page.Examples) == 0 || !strings.Contains(page.Examples[0].Text, "refund") || len(page.Agents) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}

	// The same text finds a topic's runs in lists and in figures, by id and by name.
	send("weather", "what is the weather in Bern today", false)
	found := func(q string) (n int) {
		t.Helper()
		runs, err := s.api.ListRuns(ctx, client.ListRunsRequest{Query: q})
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		counted, err := s.api.Query(ctx, client.Query{From: "runs", Where: q})
		if err != nil || len(counted.Rows) != 1 || fmt.Sprint(counted.Rows[0][0]) != fmt.Sprint(len(runs.Items)) {
			t.Fatalf("%s: %d in the list, %+v counted, %v", q, len(runs.Items), counted, err)
		}
		return len(runs.Items)
	}
	eventually(t, "the run about the weather", func() bool {
		stored, err := s.api.Query(ctx, client.Query{From: "runs", Where: "agent:asker status:done"})
		return err == nil && fmt.Sprint(stored.Rows[0][0]) == "5"
	})
	for q, want := range map[string]int{
		"topic:" + first.ID:                           4,
		`topic:"` + first.Title + `"`:                 4,
		"topic~REFUND":                                4,
		"topic~refund failed:true":                    1,
		"-topic:" + first.ID:                          1,
		"topic!=" + first.ID + " agent:asker":         1,
		"topic:unknown":                               1,
		"topic:*":                                     4,
		"topic:unknown," + first.ID:                   5,
		"topic~nothing-like-it":                       0,
		"(topic~refund or name~weather) -failed:true": 3,
	} {
		if n := found(q); n != want {
			t.Errorf("%s: %d runs, want %d", q, n, want)
		}
	}
	for q, why := range map[string]string{"topic:tpc_nobody": "there is no topic", "topic>3": "cannot be compared", "any(topic:x)": "topic"} {
		if _, err := s.api.ListRuns(ctx, client.ListRunsRequest{Query: q}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", q, err)
		}
	}
	if _, err := s.api.PutRule(ctx, client.PutRuleRequest{Name: "of-topics", Scope: "query", Query: &client.RuleQuery{Table: "runs", Func: "count", Where: "topic~refund"}, Window: "1h", When: "value > 3"}); err == nil || !strings.Contains(err.Error(), "topic is for searches that somebody looks at") {
		t.Errorf("a rule by topic: %v", err)
	}

	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // it was killed
	s = startChild(t, childOptions{Dir: dir})
	send("angry", "how can I get the refund for my order?", false)
	send("angry", "That is not what I asked. How do I get the refund for my order?", false)
	eventually(t, "the same topic with two more runs", func() bool {
		list := topics()
		return len(list.Items) == 1 && list.Items[0].Runs == 6 && list.Items[0].ID == first.ID
	})
	moods, err := s.api.ListMoods(ctx, client.ListMoodsRequest{Agent: "asker"})
	if err != nil || len(moods.Items) != 1 || !moods.Items[0].Frustrated || moods.Frustrated.N != 6 {
		t.Fatalf("%+v, %v", moods, err)
	}
	about, err := s.api.GetRunTopic(ctx, client.RunRequest{ID: moods.Items[0].Signs[0].Run})
	if err != nil || about.Topic == nil || about.Topic.ID != first.ID || about.Session == nil {
		t.Errorf("%+v, %v", about, err)
	}
	figures, err := s.api.ListKPIs(ctx, client.ListKPIsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range figures.Items {
		if k.ID == "frustration_rate" && (k.Value == nil || k.N != 6) {
			t.Errorf("frustration %+v", k.KPIFigure)
		}
	}

	a, err := s.api.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "eu-ai-act"})
	if err != nil || a.Pass+a.Fail+a.Unknown != len(a.Controls) || a.Pass == len(a.Controls) {
		t.Fatalf("%+v, %v", a, err)
	}
	for _, c := range a.Controls {
		for _, e := range c.Evidence {
			if e.ID == "chain-whole" && e.Result != "pass" {
				t.Errorf("the audit chain: %+v", e)
			}
		}
	}
	keys, err := s.api.ListAuditKeys(ctx)
	if err != nil || len(keys.Items) == 0 {
		t.Fatal(err)
	}
	pack, err := s.api.ExportCompliance(ctx, client.ComplianceAssessmentRequest{ID: a.ID})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(pack.Zip)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := compliance.Verify(raw, keys.Items[len(keys.Items)-1].Key); err != nil || m.Assessment != a.ID {
		t.Errorf("%+v, %v", m, err)
	}
}
