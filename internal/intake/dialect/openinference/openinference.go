// Package openinference is the vocabulary of Arize's OpenInference: kinds in
// upper case, and messages flattened into one attribute a leaf.
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
package openinference

import (
	"bytes"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is OpenInference.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "openinference", Rules: rules, Finish: finish}
}

var kinds = map[string]activity.Kind{
	"llm": activity.KindModel, "embedding": activity.KindEmbedding, "chain": activity.KindWorkflow,
	"retriever": activity.KindRetrieval, "reranker": activity.KindRerank, "tool": activity.KindTool,
	"agent": activity.KindAgent, "guardrail": activity.KindGuardrail, "evaluator": activity.KindEvaluator,
	"prompt": activity.KindPrompt, "decision": activity.KindDecision, "unknown": activity.KindOther,
	"LLM": activity.KindModel, "CHAIN": activity.KindWorkflow, "TOOL": activity.KindTool, "AGENT": activity.KindAgent,
}

var rules = []dialect.Rule{
	{Key: "openinference.span.kind", Field: dialect.Kind, Rank: 3, Kinds: kinds},
	{Key: "llm.model_name", Field: dialect.Kind, Rank: 18, KindOf: activity.KindModel},

	{Key: "agent.name", Field: dialect.Agent, Rank: 20},
	{Key: "llm.user", Field: dialect.User, Rank: 110},
	{Key: "tag.tags", Field: dialect.Tags, Rank: 50},
	{Key: "metadata", Field: dialect.Metadata, Rank: 50},

	{Key: "llm.provider", Field: dialect.Provider, Rank: 30},
	{Key: "llm.system", Field: dialect.Provider, Rank: 40},
	{Key: "llm.request.model_name", Field: dialect.ModelRequested, Rank: 20},
	{Key: "embedding.model_name", Field: dialect.ModelRequested, Rank: 60},
	{Key: "reranker.model_name", Field: dialect.ModelRequested, Rank: 70},
	{Key: "llm.model_name", Field: dialect.ModelRequested, Rank: 80},
	{Key: "llm.response.model_name", Field: dialect.Model, Rank: 20},
	{Key: "llm.output_model_name", Field: dialect.Model, Rank: 50},
	{Key: "llm.finish_reason", Field: dialect.Finish, Rank: 40},

	{Key: "llm.token_count.prompt", Field: dialect.InputTokens, Rank: 30},
	{Key: "llm.token_count.completion", Field: dialect.OutputTokens, Rank: 30},
	{Key: "llm.token_count.total", Field: dialect.TotalTokens, Rank: 30},
	{Key: "llm.token_count.prompt_details.cache_read", Field: dialect.CacheRead, Rank: 60},
	{Key: "llm.token_count.prompt_details.cache_input", Field: dialect.CacheRead, Rank: 70},
	{Key: "llm.token_count.prompt_details.cache_write", Field: dialect.CacheWrite, Rank: 70},
	{Key: "llm.token_count.completion_details.reasoning", Field: dialect.Reasoning, Rank: 40},
	{Key: "llm.cost.total", Field: dialect.Cost, Rank: 30},
	{Key: "llm.cost.prompt", Field: dialect.CostInput, Rank: 30},
	{Key: "llm.cost.completion", Field: dialect.CostOutput, Rank: 30},

	{Key: "tool.name", Field: dialect.ToolName, Rank: 20},
	{Key: "tool.id", Field: dialect.ToolCallID, Rank: 20},
	{Key: "tool_call.id", Field: dialect.ToolCallID, Rank: 30},

	{Key: "input.mime_type", Field: dialect.InputMime, Rank: 1},
	{Key: "output.mime_type", Field: dialect.OutputMime, Rank: 1},
	{Key: "llm.input_messages.", Field: dialect.ContentInput, Rank: 40, Format: genai.OpenInference},
	{Key: "llm.output_messages.", Field: dialect.ContentOutput, Rank: 40, Format: genai.OpenInference},
	{Key: "llm.prompts.", Field: dialect.ContentInput, Rank: 45, Format: genai.OpenInference},
	{Key: "llm.choices.", Field: dialect.ContentOutput, Rank: 45, Format: genai.OpenInference},
	{Key: "input.value", Field: dialect.ContentInput, Rank: 80, Format: genai.JSON},
	{Key: "output.value", Field: dialect.ContentOutput, Rank: 80, Format: genai.JSON},
	// The request's parameters: Anthropic's system prompt is among them, so they
	// are content like the rest of the input, although nobody said them: by their
	// rank they stand beside it.
	{Key: "llm.invocation_parameters", Field: dialect.ContentInput, Rank: 95, Format: genai.JSON},
	{Key: "llm.tools.", Field: dialect.ContentTools, Rank: 40, Format: genai.OpenInferenceTools},
	{Key: "tool.parameters", Field: dialect.ContentArguments, Rank: 60, Format: genai.JSON},
	{Key: "retrieval.documents.", Field: dialect.ContentDocuments, Rank: 40, Format: genai.OpenInferenceDocuments},
	{Key: "reranker.output_documents.", Field: dialect.ContentDocuments, Rank: 50, Format: genai.OpenInferenceDocuments},
	{Key: "reranker.input_documents.", Field: dialect.ContentInput, Rank: 60, Format: genai.OpenInferenceDocuments},
	{Key: "reranker.query", Field: dialect.ContentQuery, Rank: 40},
	{Key: "embedding.embeddings.", Field: dialect.ContentInput, Rank: 90, Format: genai.OpenInferenceDocuments},
}

// finish names what the span's own name is the only name of.
func finish(s *dialect.Span, f *activity.Fragment) {
	switch f.Kind {
	case activity.KindAgent:
		s.Set(dialect.Agent, 230, dialect.TextValue(s.Name))
	case activity.KindTool:
		s.Set(dialect.ToolName, 230, dialect.TextValue(s.Name))
	case activity.KindModel:
		answered(s)
	}
}

// answered finds the model that answered inside LangChain's own account of it,
// where no attribute says which it was.
func answered(s *dialect.Span) {
	raw := s.Content(dialect.ContentOutput, "output.value")
	if s.Text(dialect.Model) != "" || !bytes.Contains(raw, []byte(`"response_metadata"`)) {
		return
	}
	if model := dialect.Raw(raw).Find("response_metadata", 8).Object().Get("model_name").Text(); model != "" {
		s.Set(dialect.Model, 240, dialect.TextValue(model))
	}
}
