package dialect

import (
	"testing"

	"reeve/internal/activity"
)

func TestUsageIsWhole(t *testing.T) {
	t.Parallel()
	const no = activity.Unknown
	for _, c := range []struct {
		name      string
		u         activity.Usage // as sent
		total     int64
		kind      activity.Kind
		exclusive bool
		want      activity.Usage
		changed   bool
	}{
		{
			"inclusive",
			activity.Usage{InputTotal: 41, CacheRead: 8, CacheWrite: 0, OutputTotal: 13, Reasoning: 2},
			54, activity.KindModel, false,
			activity.Usage{InputTotal: 41, CacheRead: 8, CacheWrite: 0, OutputTotal: 13, Reasoning: 2},
			false,
		},
		{
			"dialect says exclusive",
			activity.Usage{InputTotal: 41, CacheRead: 8, CacheWrite: no, OutputTotal: 13, Reasoning: no},
			no, activity.KindModel, true,
			activity.Usage{InputTotal: 49, CacheRead: 8, CacheWrite: no, OutputTotal: 13, Reasoning: no},
			true,
		},
		{
			"cache above input proves exclusive",
			activity.Usage{InputTotal: 3, CacheRead: 100, CacheWrite: 20, OutputTotal: 5, Reasoning: no},
			no, activity.KindModel, false,
			activity.Usage{InputTotal: 123, CacheRead: 100, CacheWrite: 20, OutputTotal: 5, Reasoning: no},
			true,
		},
		{
			"reasoning above output",
			activity.Usage{InputTotal: 3, CacheRead: no, CacheWrite: no, OutputTotal: 5, Reasoning: 50},
			no, activity.KindModel, false,
			activity.Usage{InputTotal: 3, CacheRead: no, CacheWrite: no, OutputTotal: 55, Reasoning: 50},
			true,
		},
		{
			"input from the total",
			activity.Usage{InputTotal: no, CacheRead: no, CacheWrite: no, OutputTotal: 13, Reasoning: no},
			54, activity.KindModel, false,
			activity.Usage{InputTotal: 41, CacheRead: no, CacheWrite: no, OutputTotal: 13, Reasoning: no},
			false,
		},
		{
			"an embedding's total is input", activity.NoUsage, 5, activity.KindEmbedding, false,
			activity.Usage{InputTotal: 5, CacheRead: no, CacheWrite: no, OutputTotal: no, Reasoning: no},
			false,
		},
		{"a total alone says nothing of its parts", activity.NoUsage, 5, activity.KindModel, false, activity.NoUsage, false},
		{
			"zero is said",
			activity.Usage{InputTotal: 0, CacheRead: 0, CacheWrite: no, OutputTotal: 0, Reasoning: no},
			no, activity.KindModel, false,
			activity.Usage{InputTotal: 0, CacheRead: 0, CacheWrite: no, OutputTotal: 0, Reasoning: no},
			false,
		},
	} {
		u := c.u
		if changed := whole(&u, c.total, c.kind, c.exclusive); u != c.want || changed != c.changed {
			t.Errorf("%s: %+v %t, want %+v %t", c.name, u, changed, c.want, c.changed)
		}
	}
}

func TestFinishReason(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "end_turn": "stop", "MAX_TOKENS": "length", "tool_calls": "tool_call", `["tool_use","stop"]`: "tool_call", "SAFETY": "content_filter", "whatever": "other",
	} {
		if got := finishReason(TextValue(in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCanonicalProvider(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"openai": "openai", "OpenAI": "openai", "openai.responses": "openai", "azure": "azure.ai.openai", "az.ai.openai": "azure.ai.openai",
		"amazon-bedrock": "aws.bedrock", "google": "gcp.gen_ai", "mistralai": "mistral_ai", "vertex.anthropic": "gcp.vertex_ai", " xAI ": "x_ai", "acme": "acme",
	} {
		if got := CanonicalProvider(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"openai.api_key": true, "X-API-Key": true, "http.request.header.authorization": true, "db.password": true, "session.cookie": true,
		"public_key": true, "client_secret": true, "my.api_key.value": true,
		"gen_ai.usage.input_tokens": false, "partition_key": false, "max_token": false, "token": false, "description": false, "k": false,
	} {
		if got := secret([]byte(key)); got != want {
			t.Errorf("%s: %t, want %t", key, got, want)
		}
	}
}

// The order of detection: what the sender says in its own words wins over what
// a name alone suggests.
func TestKindOrder(t *testing.T) {
	t.Parallel()
	m := NewMap(Dialect{Name: "d", Rules: []Rule{
		{Key: "explicit", Field: Kind, Rank: 3, Kinds: map[string]activity.Kind{"tool": activity.KindTool}},
		{Key: "model.name", Field: Kind, Rank: 18, KindOf: activity.KindModel},
	}})
	for _, c := range []struct {
		attributes [][2]string
		want       activity.Kind
	}{
		{nil, activity.KindOther},
		{[][2]string{{"model.name", "m"}}, activity.KindModel},
		{[][2]string{{"model.name", "m"}, {"explicit", "TOOL"}}, activity.KindTool},
		{[][2]string{{"explicit", "nonsense"}, {"model.name", "m"}}, activity.KindModel},
		{[][2]string{{"explicit", "tool"}, {"reeve.step.kind", "guardrail"}}, activity.KindGuardrail},
		{[][2]string{{"mcp.method.name", "tools/call"}}, activity.KindTool},
		{[][2]string{{"mcp.method.name", "tools/list"}}, activity.KindMCP},
		{[][2]string{{"db.system", "qdrant"}}, activity.KindRetrieval},
		{[][2]string{{"http.request.method", "GET"}}, activity.KindHTTP},
	} {
		var s Span
		for _, a := range c.attributes {
			m.Attribute(&s, []byte(a[0]), TextValue(a[1]), false, false)
		}
		var f activity.Fragment
		m.Fill(&s, &f)
		if f.Kind != c.want {
			t.Errorf("%v: %s, want %s", c.attributes, f.Kind, c.want)
		}
	}
}
