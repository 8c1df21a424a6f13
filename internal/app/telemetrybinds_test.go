package app

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"reeve/client"
)

// A loop that telemetry alone tells of, under a team's intake key, is in the words that
// policies read within 2 s, and the next call at the door is refused by one.
func TestTelemetryBindsAtTheDoor(t *testing.T) {
	t.Parallel()
	a, key, _ := chatter(t)
	c := client.New("http://"+a.Address("listen"), "")
	if _, err := c.CreateTeam(t.Context(), client.CreateTeamRequest{Name: "core"}); err != nil {
		t.Fatal(err)
	}
	sender, err := c.CreateIntakeKey(t.Context(), client.CreateIntakeKeyRequest{Team: "core", Environment: "production", Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutPolicy(t.Context(), client.PutPolicyRequest{
		Name: "claims", Mode: "enforce", Reason: "a test", Cedar: `@id("claims") forbid (principal, action == Action::"call_model", resource) when { context.findings.contains("claimed:loop") };`,
	}); err != nil {
		t.Fatal(err)
	}
	n := 0
	call := func() answer { // each time something else: it is no loop itself
		n++
		return post(t.Context(), a.Door()+"/llm/openai/v1/chat/completions", "application/json", fmt.Appendf(nil, `{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"order %d"}]}`, n), "Authorization", "Bearer "+key, "X-Reeve-Run", "probe")
	}
	if got := call(); got.status != http.StatusOK {
		t.Fatalf("before the loop: %+v", got)
	}
	text := func(k, v string) *common.KeyValue {
		return &common.KeyValue{Key: k, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}}
	}
	now := uint64(time.Now().UnixNano())
	var spans []*otlp.Span
	for i := range 9 {
		s := &otlp.Span{
			TraceId: []byte("0123456789abcdef"), SpanId: fmt.Appendf(nil, "span-%03d", i), Name: "execute_tool search", ParentSpanId: []byte("span-000"), StartTimeUnixNano: now - 1e9 + uint64(i)*1e6, EndTimeUnixNano: now - 1e9 + uint64(i)*1e6 + 1,
			Attributes: []*common.KeyValue{text("gen_ai.operation.name", "execute_tool"), text("gen_ai.agent.name", "chatter"), text("gen_ai.tool.name", "search"), text("gen_ai.tool.call.arguments", `{"q":"order 7"}`)},
		}
		if i == 0 {
			s.Name, s.ParentSpanId, s.Attributes = "invoke_agent chatter", nil, []*common.KeyValue{text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "chatter")}
		}
		spans = append(spans, s)
	}
	body, err := proto.Marshal(&otlp.TracesData{ResourceSpans: []*otlp.ResourceSpans{{ScopeSpans: []*otlp.ScopeSpans{{Spans: spans}}}}})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if got := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", protobuf, body, "Authorization", "Bearer "+sender.Secret); got.status != http.StatusOK {
		t.Fatalf("its telemetry: %+v", got)
	}
	var last answer
	eventually(t, "a refusal", func() bool { last = call(); return last.status == http.StatusForbidden })
	took := time.Since(began)
	t.Logf("refused %s after its telemetry was sent", took.Round(time.Millisecond))
	if took > bindsWithin {
		t.Errorf("the door refused %s after telemetry told of it, want %s", took, bindsWithin)
	}
	if last.header.Get("X-Reeve-Code") != "decision.denied" {
		t.Errorf("refused by %s", last.header.Get("X-Reeve-Code"))
	}
	if g, _ := a.agents.Lookup("chatter"); g.Contained(time.Now()) != "none" {
		t.Errorf("what telemetry claims contained the agent: %s", g.Containment)
	}
}
