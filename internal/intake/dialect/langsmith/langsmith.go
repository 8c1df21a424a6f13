// Package langsmith is LangSmith's vocabulary: its attributes on OpenTelemetry
// spans, and the runs that its SDKs send as multipart forms.
//
// What for: the table names which attribute feeds which field; multipart.go
// turns runs into spans with these attributes.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors.
//
// Promises: a table and pure functions.
//
// How it fails: attributes do not; a form whose parts cannot be read is refused
// whole, so that the SDK sends it again.
//
// Start reading at rules, then runsMultipart.
package langsmith

import (
	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is LangSmith.
func Dialect() dialect.Dialect {
	form, text := []string{"multipart/form-data"}, []string{"application/json"}
	return dialect.Dialect{
		Name: "langsmith", Rules: rules, Finish: finish,
		Aliases: []dialect.Alias{{Path: "/otel/v1/traces", Signal: "traces"}, {Path: "/otel/v1/claude_code", Signal: "logs"}},
		Endpoints: []dialect.Endpoint{
			{Method: "POST", Path: "/runs/multipart", Types: form, Take: runsMultipart},
			{Method: "POST", Path: "/runs/batch", Types: text, Take: runsBatch},
			{Method: "POST", Path: "/runs", Types: text, Take: oneRun},
			{Method: "POST", Path: "/feedback", Types: text, Take: oneFeedback},
		},
		Info: `"version":"0.12.0","instance_flags":{},"batch_ingest_config":{"use_multipart_endpoint":true,"size_limit":100,"size_limit_bytes":15728640,"scale_up_qsize_trigger":1000,"scale_up_nthreads_limit":16,"scale_down_nempty_trigger":4}`,
	}
}

var kinds = map[string]activity.Kind{
	"llm": activity.KindModel, "chain": activity.KindWorkflow, "tool": activity.KindTool, "retriever": activity.KindRetrieval,
	"embedding": activity.KindEmbedding, "prompt": activity.KindPrompt, "parser": activity.KindTask,
}

var rules = []dialect.Rule{
	{Key: "langsmith.span.kind", Field: dialect.Kind, Rank: 9, Kinds: kinds},
	{Key: "langsmith.trace.name", Field: dialect.RunName, Rank: 20},
	{Key: "langsmith.trace.session_id", Field: dialect.Session, Rank: 40},
	{Key: "langsmith.metadata.ls_provider", Field: dialect.Provider, Rank: 70},
	{Key: "langsmith.metadata.ls_model_name", Field: dialect.ModelRequested, Rank: 85},
	{Key: "langsmith.metadata.", Field: dialect.Label, Rank: 86},
	{Key: "langsmith.span.tags", Field: dialect.Tags, Rank: 60},
	{Key: "langsmith.response.model", Field: dialect.Model, Rank: 45},
	{Key: "langsmith.usage", Field: dialect.UsageBuckets, Rank: 20},
	{Key: "langsmith.error", Field: dialect.ErrorMessage, Rank: 30},
	{Key: "langsmith.first_token", Field: dialect.FirstTokenAt, Rank: 20},
	{Key: "langsmith.inputs", Field: dialect.ContentInput, Rank: 27, Format: dialect.Chat},
	{Key: "langsmith.outputs", Field: dialect.ContentOutput, Rank: 27, Format: dialect.Chat},
	{Key: "gen_ai.serialized.name", Field: dialect.StepName, Rank: 80},
	{Key: "langsmith.documents", Field: dialect.ContentDocuments, Rank: 30, Format: genai.Documents},
}

func finish(s *dialect.Span, f *activity.Fragment) {
	if f.Kind == activity.KindTool {
		s.Set(dialect.ToolName, 230, dialect.TextValue(s.Name))
	}
	if f.Parent.IsZero() && f.Kind == activity.KindWorkflow {
		s.Set(dialect.Agent, 235, dialect.TextValue(s.Name)) // a graph's name is the agent's: nothing else names one
	}
}
