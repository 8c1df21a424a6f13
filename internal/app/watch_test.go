package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"reeve/client"
)

// An agent in a loop at the door is found and narrowed without a person, and
// one word of a person takes that back; the same loop in telemetry alone is a
// finding on which nothing acts.
func TestALoopIsContained(t *testing.T) {
	t.Parallel()
	a, key, tracer := chatter(t)
	c := client.New("http://"+a.Address("listen"), "")
	if _, err := c.PutResponsePolicy(t.Context(), client.PutResponsePolicyRequest{
		Name: "loops", Detectors: []string{"loop"}, Contain: "quarantined", For: "1h", Mode: "enforce", Reason: "a test",
	}); err != nil {
		t.Fatal(err)
	}
	call := func() int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", a.Door()+"/llm/openai/v1/chat/completions",
			strings.NewReader(`{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"what is the state of order 7?"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Reeve-Run", "loop-1")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	// From the event to its effect at the door, by one clock: less than five same calls
	// are no loop, so the fifth is the earliest that can have led here.
	n, fifth := 0, time.Time{}
	eventually(t, "a refusal", func() bool {
		n++
		if n == 5 {
			fifth = time.Now()
		}
		got := call()
		if got != 200 && got != 403 || got == 403 && n <= 5 {
			t.Fatalf("call %d was answered with %d", n, got)
		}
		return got == 403
	})
	took := time.Since(fifth)
	t.Logf("contained %s after the fifth same call", took.Round(time.Millisecond))
	if took > bindsWithin {
		t.Errorf("the door refused %s after the call that led to it, want %s", took, bindsWithin)
	}
	found, err := c.ListFindings(t.Context(), client.ListFindingsRequest{Detector: "loop", State: "open"})
	if err != nil || len(found.Items) != 1 {
		t.Fatalf("found %+v, %v", found, err)
	}
	f := found.Items[0]
	did := responseOf(f, "loops")
	if !f.Authenticated || f.Agent != "chatter" || len(f.Runs) == 0 || len(f.Steps) == 0 || did.State != "in_force" {
		t.Fatalf("found %+v", f)
	}
	events, err := c.AgentTimeline(t.Context(), client.AgentRequest{Name: "chatter"})
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, e := range events.Items {
		told = told || strings.Contains(e.Reason, f.ID)
	}
	if !told {
		t.Errorf("the timeline names no finding: %+v", events.Items)
	}
	if _, err := c.FalseAlarm(t.Context(), client.FalseAlarmRequest{ID: f.ID, Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the way back", func() bool { return call() == 200 })
	after, err := c.GetFinding(t.Context(), client.FindingRequest{ID: f.ID})
	if err != nil || after.Verdict == nil || after.Verdict.Verdict != "noise" || responseOf(*after, "loops").State != "reverted" {
		t.Errorf("afterwards %+v, %v", after, err)
	}

	// Telemetry that claims to be the agent.
	ctx, root := tracer.Start(t.Context(), "invoke_agent chatter", trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "invoke_agent"), attribute.String("gen_ai.agent.name", "chatter")))
	for range 12 {
		_, s := tracer.Start(ctx, "execute_tool search", trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.agent.name", "chatter"), attribute.String("gen_ai.tool.name", "search"),
			attribute.String("gen_ai.tool.call.arguments", `{"q":"order 7"}`)))
		s.End()
	}
	root.End()
	eventually(t, "the claimed loop", func() bool {
		list, err := c.ListFindings(t.Context(), client.ListFindingsRequest{Detector: "loop", State: "open"})
		if err != nil {
			return false
		}
		for _, f := range list.Items {
			if f.Subject == "search" {
				return !f.Authenticated && responseOf(f, "loops").State == "claimed"
			}
		}
		return false
	})
	if g, _ := a.agents.Lookup("chatter"); g.Contained(time.Now()) != "none" {
		t.Errorf("a claim contained the agent: %s", g.Containment)
	}
	b, err := c.AgentBehaviour(t.Context(), client.BehaviourRequest{Name: "chatter"})
	if err != nil || len(b.Seen) != 2 || b.Seen[0].Source != "door" || b.Seen[0].Total.ModelCalls < 8 || b.Seen[1].Total.Repeated < 11 {
		t.Errorf("measured %+v, %v", b, err)
	}
	tried, err := c.TryRule(t.Context(), client.TryRuleRequest{When: "same_call >= 10.0"})
	if err != nil || tried.Fired == 0 || tried.Runs == 0 || tried.Findings[0].Agent != "chatter" {
		t.Errorf("tried %+v, %v", tried, err)
	}
}

// bindsWithin is how soon after an event its effect is at the door. Tests share their
// machine with each other, so it is not tighter; `reeve bench contain` measures.
const bindsWithin = 2 * time.Second

// responseOf is what a policy did about a finding.
func responseOf(f client.Finding, policy string) client.Response {
	for _, x := range f.Responses {
		if x.Policy == policy {
			return x
		}
	}
	return client.Response{}
}
