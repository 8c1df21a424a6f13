// Package datadog is Datadog's LLM Observability: what its SDKs send through
// the surface of the Datadog agent, or to its public API.
//
// What for: the table names which attribute feeds which field; span.go turns
// span events into spans with these attributes, trace.go does the same for what
// rides on APM traces, evaluation.go turns evaluations into log records.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors.
//
// Promises: pure functions. Ids are kept: a decimal one as its bytes. Of APM
// traces only what belongs to LLM Observability is taken, and nothing that was
// submitted by the other way too: a call counts once.
//
// How it fails: a body that is no JSON or msgpack is refused whole; a span that
// cannot be read is counted and named in the answer.
//
// Start reading at rules, then Dialect's endpoints.
package datadog

import (
	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is Datadog's LLM Observability.
func Dialect() dialect.Dialect {
	return dialect.Dialect{
		Name: "datadog", Rules: rules, Finish: finish, Exclusive: nil,
		Endpoints: []dialect.Endpoint{
			{Method: "POST", Path: "/evp_proxy/v2/api/v2/llmobs", Types: jsonTypes, Take: spanEvents},
			{Method: "POST", Path: "/api/v2/llmobs", Types: jsonTypes, Take: spanEvents},
			{Method: "POST", Path: "/evp_proxy/v2/api/intake/llm-obs/v1/trace/spans", Types: jsonTypes, Take: publicSpans},
			{Method: "POST", Path: "/api/intake/llm-obs/v1/trace/spans", Types: jsonTypes, Take: publicSpans},
			{Method: "POST", Path: "/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric", Types: jsonTypes, Take: evaluations},
			{Method: "POST", Path: "/api/intake/llm-obs/v2/eval-metric", Types: jsonTypes, Take: evaluations},
			{Method: "PUT", Path: "/v0.4/traces", Types: []string{"application/msgpack"}, Take: apmTraces},
			{Method: "POST", Path: "/v0.4/traces", Types: []string{"application/msgpack"}, Take: apmTraces},
			// What the SDKs send beside it is not ours to keep.
			{Method: "POST", Path: "/dogstatsd/v2/proxy", Take: dropped},
			{Method: "PUT", Path: "/v0.6/stats", Take: dropped},
			{Method: "POST", Path: "/v0.6/stats", Take: dropped},
			{Method: "POST", Path: "/telemetry/proxy/api/v2/apmtelemetry", Take: dropped},
		},
		// The SDKs look for this word among the agent's endpoints.
		Info: `"endpoints":["/v0.4/traces","/evp_proxy/v2/","/dogstatsd/v2/proxy"],"client_drop_p0s":false`,
	}
}

var jsonTypes = []string{"application/json", "text/plain", ""}

var kinds = map[string]activity.Kind{
	"llm": activity.KindModel, "agent": activity.KindAgent, "workflow": activity.KindWorkflow, "task": activity.KindTask,
	"tool": activity.KindTool, "embedding": activity.KindEmbedding, "retrieval": activity.KindRetrieval, "experiment": activity.KindEvaluator,
}

// The attributes of spans that this package writes. What has a name of
// OpenTelemetry's goes by it.
const (
	kindKey      = "datadog.span.kind"
	modelKey     = "datadog.model_name"
	providerKey  = "datadog.model_provider"
	parentKey    = "datadog.parent_agent"
	metricPrefix = "datadog.metrics."
	tagPrefix    = "datadog.tag."
	inputKey     = "datadog.input"
	outputKey    = "datadog.output"
	documentsKey = "datadog.documents"
	toolsKey     = "datadog.tool_definitions"
	metadataKey  = "datadog.metadata"
	metaPrefix   = "datadog.meta."
	firstToken   = metricPrefix + "time_to_first_token"
)

var rules = []dialect.Rule{
	{Key: kindKey, Field: dialect.Kind, Rank: 13, Kinds: kinds},
	{Key: parentKey, Field: dialect.Agent, Rank: 70},
	{Key: modelKey, Field: dialect.ModelRequested, Rank: 95},
	{Key: providerKey, Field: dialect.Provider, Rank: 90},
	{Key: metadataKey, Field: dialect.Metadata, Rank: 60},
	{Key: tagPrefix + "agent_version", Field: dialect.AgentVersion, Rank: 25},
	{Key: tagPrefix, Field: dialect.Label, Rank: 95},

	{Key: metricPrefix + "input_tokens", Field: dialect.InputTokens, Rank: 60},
	{Key: metricPrefix + "output_tokens", Field: dialect.OutputTokens, Rank: 60},
	{Key: metricPrefix + "total_tokens", Field: dialect.TotalTokens, Rank: 60},
	{Key: metricPrefix + "cache_read_input_tokens", Field: dialect.CacheRead, Rank: 100},
	{Key: metricPrefix + "cache_write_input_tokens", Field: dialect.CacheWrite, Rank: 100},
	{Key: metricPrefix + "reasoning_output_tokens", Field: dialect.Reasoning, Rank: 60},
	{Key: metricPrefix + "total_cost", Field: dialect.Cost, Rank: 70},
	{Key: metricPrefix + "input_cost", Field: dialect.CostInput, Rank: 70},
	{Key: metricPrefix + "output_cost", Field: dialect.CostOutput, Rank: 70},
	{Key: firstToken, Field: dialect.TTFTSeconds, Rank: 60},

	{Key: inputKey, Field: dialect.ContentInput, Rank: 28, Format: dialect.Chat},
	{Key: outputKey, Field: dialect.ContentOutput, Rank: 28, Format: dialect.Chat},
	{Key: documentsKey, Field: dialect.ContentDocuments, Rank: 28, Format: genai.Documents},
	{Key: toolsKey, Field: dialect.ContentTools, Rank: 28, Format: genai.Tools},
}

// finish names what the span's own name is the only name of.
func finish(s *dialect.Span, f *activity.Fragment) {
	switch f.Kind {
	case activity.KindAgent:
		s.Set(dialect.Agent, 65, dialect.TextValue(s.Name)) // before the agent that called it
	case activity.KindTool:
		s.Set(dialect.ToolName, 230, dialect.TextValue(s.Name))
	}
}

func dropped(*dialect.Writer, *dialect.Request) (dialect.Reply, error) { return dialect.Reply{}, nil }
