// Package openllmetry is the vocabulary of Traceloop's OpenLLMetry: its own
// kinds and entities beside OpenTelemetry's names, association properties, and
// messages flattened under gen_ai.prompt and gen_ai.completion.
//
// What for: it names which attribute feeds which field.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table and pure functions.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package openllmetry

import (
	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is OpenLLMetry.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "openllmetry", Rules: rules, Finish: finish}
}

var kinds = map[string]activity.Kind{
	"workflow": activity.KindWorkflow, "task": activity.KindTask, "agent": activity.KindAgent,
	"tool": activity.KindTool, "unknown": activity.KindOther,
}

var requests = map[string]activity.Kind{
	"chat": activity.KindModel, "completion": activity.KindModel, "embedding": activity.KindEmbedding, "rerank": activity.KindRerank,
}

var rules = []dialect.Rule{
	{Key: "traceloop.span.kind", Field: dialect.Kind, Rank: 7, Kinds: kinds},
	{Key: "llm.request.type", Field: dialect.Kind, Rank: 8, Kinds: requests},
	{Key: "traceloop.llm.request.type", Field: dialect.Kind, Rank: 8, Kinds: requests},

	{Key: "traceloop.workflow.name", Field: dialect.RunName, Rank: 40},
	{Key: "traceloop.entity.name", Field: dialect.EntityName, Rank: 10},
	{Key: "traceloop.association.properties.", Field: dialect.Label, Rank: 80},

	{Key: "llm.usage.prompt_tokens", Field: dialect.InputTokens, Rank: 100},
	{Key: "llm.usage.completion_tokens", Field: dialect.OutputTokens, Rank: 100},
	{Key: "llm.usage.total_tokens", Field: dialect.TotalTokens, Rank: 20},
	{Key: "llm.usage.reasoning_tokens", Field: dialect.Reasoning, Rank: 35},
	{Key: "llm.response.model", Field: dialect.Model, Rank: 30},

	{Key: "gen_ai.prompt.", Field: dialect.ContentInput, Rank: 50, Format: genai.Traceloop},
	{Key: "gen_ai.completion.", Field: dialect.ContentOutput, Rank: 50, Format: genai.Traceloop},
	{Key: "llm.prompts", Field: dialect.ContentInput, Rank: 70, Format: genai.Traceloop},
	{Key: "llm.completions", Field: dialect.ContentOutput, Rank: 70, Format: genai.Traceloop},
	{Key: "llm.request.functions.", Field: dialect.ContentTools, Rank: 60, Format: genai.Tools},
	{Key: "traceloop.entity.input", Field: dialect.ContentInput, Rank: 75, Format: genai.JSON},
	{Key: "traceloop.entity.output", Field: dialect.ContentOutput, Rank: 75, Format: genai.JSON},
	{Key: "mcp.request.argument", Field: dialect.ContentArguments, Rank: 50, Format: genai.JSON},
	{Key: "mcp.response.value", Field: dialect.ContentResult, Rank: 50, Format: genai.JSON},
}

// finish gives the entity's name to what the entity is.
func finish(s *dialect.Span, f *activity.Fragment) {
	name := s.Get(dialect.EntityName)
	switch f.Kind {
	case activity.KindAgent:
		s.Set(dialect.Agent, 40, name)
	case activity.KindTool:
		s.Set(dialect.ToolName, 50, name)
	}
	s.Set(dialect.StepName, 60, name)
}
