// Package otelgenai is the vocabulary of OpenTelemetry's GenAI conventions in
// its three generations: messages as JSON or structured attributes, a message
// an event or log record, and the legacy prompt and completion attributes.
//
// What for: it names which gen_ai.* attribute feeds which field.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table and pure functions.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package otelgenai

import (
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is OpenTelemetry GenAI.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "otel-genai", Rules: rules, Finish: finish, Event: event}
}

// operations are the values of gen_ai.operation.name, the standard's and those
// that vendors add.
var operations = map[string]activity.Kind{
	"chat": activity.KindModel, "text_completion": activity.KindModel, "generate_content": activity.KindModel,
	"completion": activity.KindModel, "generate": activity.KindModel, "response": activity.KindModel,
	"message": activity.KindModel, "llm_request": activity.KindModel, "model_request": activity.KindModel,
	"llm_call": activity.KindModel, "fetch_response": activity.KindModel,
	"tool_call": activity.KindTool, "execute_tool": activity.KindTool, "tools": activity.KindTool,
	"agent_call": activity.KindAgent, "invoke_agent": activity.KindAgent, "create_agent": activity.KindAgent,
	"handle_conversation_turn": activity.KindAgent,
	"user_prompt":              activity.KindEvent, "system_prompt": activity.KindEvent, "schedule_tool_calls": activity.KindEvent,
	"embeddings": activity.KindEmbedding, "embedding": activity.KindEmbedding, "rerank": activity.KindRerank,
	"retrieval": activity.KindRetrieval, "retrieve": activity.KindRetrieval, "vector_db_retrieve": activity.KindRetrieval,
	"invoke_workflow": activity.KindWorkflow, "agent_step": activity.KindTask, "execute_task": activity.KindTask, "plan": activity.KindPlan,
	"search_memory": activity.KindMemory, "create_memory": activity.KindMemory, "update_memory": activity.KindMemory,
	"upsert_memory": activity.KindMemory, "delete_memory": activity.KindMemory, "create_memory_store": activity.KindMemory,
	"delete_memory_store": activity.KindMemory,
}

var rules = []dialect.Rule{
	{Key: "gen_ai.operation.name", Field: dialect.Kind, Rank: 4, Kinds: operations},
	{Key: "gen_ai.tool.name", Field: dialect.Kind, Rank: 16, KindOf: activity.KindTool},
	{Key: "gen_ai.tool.call.id", Field: dialect.Kind, Rank: 16, KindOf: activity.KindTool},
	{Key: "gen_ai.tool.call.arguments", Field: dialect.Kind, Rank: 16, KindOf: activity.KindTool},
	{Key: "gen_ai.retrieval.query.text", Field: dialect.Kind, Rank: 17, KindOf: activity.KindRetrieval},
	{Key: "gen_ai.retrieval.documents", Field: dialect.Kind, Rank: 17, KindOf: activity.KindRetrieval},
	{Key: "gen_ai.embeddings.dimension.count", Field: dialect.Kind, Rank: 17, KindOf: activity.KindEmbedding},
	{Key: "gen_ai.request.model", Field: dialect.Kind, Rank: 18, KindOf: activity.KindModel},
	{Key: "gen_ai.response.model", Field: dialect.Kind, Rank: 18, KindOf: activity.KindModel},
	{Key: "gen_ai.input.messages", Field: dialect.Kind, Rank: 18, KindOf: activity.KindModel},
	{Key: "gen_ai.output.messages", Field: dialect.Kind, Rank: 18, KindOf: activity.KindModel},

	{Key: "gen_ai.workflow.name", Field: dialect.RunName, Rank: 30},
	{Key: "gen_ai.conversation.id", Field: dialect.Session, Rank: 30},
	{Key: "gen_ai.user", Field: dialect.User, Rank: 100},
	{Key: "gen_ai.request.user", Field: dialect.User, Rank: 120},
	{Key: "gen_ai.agent.id", Field: dialect.AgentID, Rank: 10},
	{Key: "gen_ai.main_agent.id", Field: dialect.AgentID, Rank: 20},
	{Key: "gen_ai.agent.name", Field: dialect.Agent, Rank: 10},
	{Key: "gen_ai.main_agent.name", Field: dialect.Agent, Rank: 30},
	{Key: "gen_ai.agent.version", Field: dialect.AgentVersion, Rank: 10},
	{Key: "gen_ai.environment", Field: dialect.Environment, Rank: 40},

	{Key: "gen_ai.provider.name", Field: dialect.Provider, Rank: 10},
	{Key: "gen_ai.system", Field: dialect.Provider, Rank: 20},
	{Key: "gen_ai.request.provider", Field: dialect.Provider, Rank: 80},
	{Key: "gen_ai.request.model", Field: dialect.ModelRequested, Rank: 10},
	{Key: "gen_ai.request_model", Field: dialect.ModelRequested, Rank: 90},
	{Key: "gen_ai.response.model", Field: dialect.Model, Rank: 10},
	{Key: "gen_ai.response.id", Field: dialect.ResponseID, Rank: 10},
	{Key: "gen_ai.response.finish_reasons", Field: dialect.Finish, Rank: 10},
	{Key: "gen_ai.response.finish_reason", Field: dialect.Finish, Rank: 20},
	{Key: "gen_ai.response.stop_reason", Field: dialect.Finish, Rank: 30},
	{Key: "gen_ai.finishReason", Field: dialect.Finish, Rank: 60},
	{Key: "gen_ai.response.time_to_first_chunk", Field: dialect.TTFTSeconds, Rank: 10},
	{Key: "gen_ai.client.operation.time_to_first_chunk", Field: dialect.TTFTSeconds, Rank: 40},
	{Key: "gen_ai.server.time_to_first_token", Field: dialect.TTFTSeconds, Rank: 45},

	{Key: "gen_ai.usage.input_tokens", Field: dialect.InputTokens, Rank: 10},
	{Key: "gen_ai.usage.prompt_tokens", Field: dialect.InputTokens, Rank: 20},
	{Key: "gen_ai.usage.output_tokens", Field: dialect.OutputTokens, Rank: 10},
	{Key: "gen_ai.usage.completion_tokens", Field: dialect.OutputTokens, Rank: 20},
	{Key: "gen_ai.usage.total_tokens", Field: dialect.TotalTokens, Rank: 10},
	{Key: "gen_ai.usage.cache_read.input_tokens", Field: dialect.CacheRead, Rank: 10},
	{Key: "gen_ai.usage.cache_read_input_tokens", Field: dialect.CacheRead, Rank: 20},
	{Key: "gen_ai.usage.cache_read_tokens", Field: dialect.CacheRead, Rank: 30},
	{Key: "gen_ai.usage.details.cache_read_tokens", Field: dialect.CacheRead, Rank: 40},
	{Key: "gen_ai.usage.details.cache_read_input_tokens", Field: dialect.CacheRead, Rank: 50},
	{Key: "gen_ai.usage.input_cached_tokens", Field: dialect.CacheRead, Rank: 80},
	{Key: "gen_ai.usage.cache_write.input_tokens", Field: dialect.CacheWrite, Rank: 10},
	{Key: "gen_ai.usage.cache_creation.input_tokens", Field: dialect.CacheWrite, Rank: 20},
	{Key: "gen_ai.usage.cache_creation_input_tokens", Field: dialect.CacheWrite, Rank: 30},
	{Key: "gen_ai.usage.cache_write_tokens", Field: dialect.CacheWrite, Rank: 40},
	{Key: "gen_ai.usage.details.cache_write_tokens", Field: dialect.CacheWrite, Rank: 50},
	{Key: "gen_ai.usage.details.cache_creation_input_tokens", Field: dialect.CacheWrite, Rank: 60},
	{Key: "gen_ai.usage.reasoning.output_tokens", Field: dialect.Reasoning, Rank: 10},
	{Key: "gen_ai.usage.reasoning_tokens", Field: dialect.Reasoning, Rank: 20},
	{Key: "gen_ai.usage.details.thoughts_tokens", Field: dialect.Reasoning, Rank: 30},
	{Key: "gen_ai.usage.cost", Field: dialect.Cost, Rank: 20},
	{Key: "gen_ai.usage.total_cost", Field: dialect.Cost, Rank: 50},
	{Key: "operation.cost", Field: dialect.Cost, Rank: 60},
	{Key: "gen_ai.usage.input_cost", Field: dialect.CostInput, Rank: 20},
	{Key: "gen_ai.usage.output_cost", Field: dialect.CostOutput, Rank: 20},

	{Key: "gen_ai.tool.name", Field: dialect.ToolName, Rank: 10},
	{Key: "gen_ai.tool.call.id", Field: dialect.ToolCallID, Rank: 10},

	{Key: "gen_ai.input.messages", Field: dialect.ContentInput, Rank: 10, Format: genai.Messages},
	{Key: "gen_ai.output.messages", Field: dialect.ContentOutput, Rank: 10, Format: genai.Messages},
	{Key: "gen_ai.system_instructions", Field: dialect.ContentSystem, Rank: 10, Format: genai.Parts},
	{Key: "gen_ai.tool.definitions", Field: dialect.ContentTools, Rank: 10, Format: genai.Tools},
	{Key: "gen_ai.tool.call.arguments", Field: dialect.ContentArguments, Rank: 10, Format: genai.JSON},
	{Key: "gen_ai.tool.input", Field: dialect.ContentArguments, Rank: 20, Format: genai.JSON},
	{Key: "gen_ai.tool.args", Field: dialect.ContentArguments, Rank: 30, Format: genai.JSON},
	{Key: "gen_ai.tool.call.result", Field: dialect.ContentResult, Rank: 10, Format: genai.JSON},
	{Key: "gen_ai.tool.output", Field: dialect.ContentResult, Rank: 20, Format: genai.JSON},
	{Key: "gen_ai.retrieval.documents", Field: dialect.ContentDocuments, Rank: 10, Format: genai.Documents},
	{Key: "gen_ai.retrieval.query.text", Field: dialect.ContentQuery, Rank: 10},
	{Key: "gen_ai.retrieval.query", Field: dialect.ContentQuery, Rank: 20},
	// The legacy whole-prompt attributes, on spans and in content events.
	{Key: "gen_ai.prompt", Field: dialect.ContentInput, Rank: 60, Format: genai.OpenAI},
	{Key: "gen_ai.completion", Field: dialect.ContentOutput, Rank: 60, Format: genai.OpenAI},
}

// finish takes names from the span's own, "operation name" by convention.
func finish(s *dialect.Span, f *activity.Fragment) {
	switch f.Kind {
	case activity.KindAgent:
		for _, op := range [...]string{"invoke_agent ", "create_agent "} {
			if name, ok := strings.CutPrefix(s.Name, op); ok {
				s.Set(dialect.Agent, 220, dialect.TextValue(name))
			}
		}
	case activity.KindTool:
		if name, ok := strings.CutPrefix(s.Name, "execute_tool "); ok {
			s.Set(dialect.ToolName, 220, dialect.TextValue(name))
		}
	}
}
