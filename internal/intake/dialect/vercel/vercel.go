// Package vercel is the legacy vocabulary of Vercel's AI SDK: an outer span
// ai.generateText around inner ones that call the model. Its later one is
// OpenTelemetry's.
//
// What for: it names which attribute feeds which field, and puts the answer,
// whose text and tool calls are attributes of their own, together.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table and pure functions. The outer span is a workflow: that it
// repeats the usage of its calls counts nothing twice.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package vercel

import (
	"encoding/json"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is the AI SDK's.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "vercel-ai", Rules: rules, Finish: finish}
}

var operations = map[string]activity.Kind{
	"ai.generateText.doGenerate": activity.KindModel, "ai.streamText.doStream": activity.KindModel,
	"ai.generateObject.doGenerate": activity.KindModel, "ai.streamObject.doStream": activity.KindModel,
	"ai.embed.doEmbed": activity.KindEmbedding, "ai.embedMany.doEmbed": activity.KindEmbedding, "ai.rerank.doRerank": activity.KindRerank,
	"ai.toolCall":     activity.KindTool,
	"ai.generateText": activity.KindWorkflow, "ai.streamText": activity.KindWorkflow,
	"ai.generateObject": activity.KindWorkflow, "ai.streamObject": activity.KindWorkflow,
	"ai.embed": activity.KindWorkflow, "ai.embedMany": activity.KindWorkflow, "ai.rerank": activity.KindWorkflow,
}

var rules = []dialect.Rule{
	{Key: "ai.operationId", Field: dialect.Kind, Rank: 12, Kinds: operations},
	{Key: "ai.toolCall.name", Field: dialect.Kind, Rank: 16, KindOf: activity.KindTool},
	{Key: "ai.operationId", Field: dialect.StepName, Rank: 70},
	{Key: "ai.telemetry.functionId", Field: dialect.Agent, Rank: 45},
	{Key: "ai.telemetry.metadata.", Field: dialect.Label, Rank: 84},
	{Key: "ai.settings.context.", Field: dialect.Label, Rank: 90},
	{Key: "ai.settings.runtimeContext.", Field: dialect.Label, Rank: 91},

	{Key: "ai.model.provider", Field: dialect.Provider, Rank: 50},
	{Key: "aisdk.model.provider", Field: dialect.Provider, Rank: 55},
	{Key: "ai.model.id", Field: dialect.ModelRequested, Rank: 40},
	{Key: "aisdk.model.id", Field: dialect.ModelRequested, Rank: 45},
	{Key: "ai.response.model", Field: dialect.Model, Rank: 40},
	{Key: "ai.response.id", Field: dialect.ResponseID, Rank: 20},
	{Key: "ai.response.finishReason", Field: dialect.Finish, Rank: 50},
	{Key: "ai.response.msToFirstChunk", Field: dialect.TTFTMillis, Rank: 20},
	{Key: "ai.stream.msToFirstChunk", Field: dialect.TTFTMillis, Rank: 30},

	{Key: "ai.usage.inputTokens", Field: dialect.InputTokens, Rank: 40},
	{Key: "ai.usage.promptTokens", Field: dialect.InputTokens, Rank: 50},
	{Key: "ai.usage.tokens", Field: dialect.InputTokens, Rank: 60},
	{Key: "ai.usage.outputTokens", Field: dialect.OutputTokens, Rank: 40},
	{Key: "ai.usage.completionTokens", Field: dialect.OutputTokens, Rank: 50},
	{Key: "ai.usage.totalTokens", Field: dialect.TotalTokens, Rank: 40},
	{Key: "ai.usage.cachedInputTokens", Field: dialect.CacheRead, Rank: 90},
	{Key: "ai.usage.inputTokenDetails.cacheReadTokens", Field: dialect.CacheRead, Rank: 95},
	{Key: "ai.usage.inputTokenDetails.cacheWriteTokens", Field: dialect.CacheWrite, Rank: 80},
	{Key: "ai.usage.reasoningTokens", Field: dialect.Reasoning, Rank: 50},
	{Key: "ai.usage.outputTokenDetails.reasoningTokens", Field: dialect.Reasoning, Rank: 55},

	{Key: "ai.toolCall.name", Field: dialect.ToolName, Rank: 30},
	{Key: "ai.toolCall.id", Field: dialect.ToolCallID, Rank: 40},
	{Key: "ai.toolCall.args", Field: dialect.ContentArguments, Rank: 40, Format: genai.JSON},
	{Key: "ai.toolCall.result", Field: dialect.ContentResult, Rank: 40, Format: genai.JSON},

	{Key: "ai.prompt.messages", Field: dialect.ContentInput, Rank: 30, Format: dialect.Chat},
	{Key: "ai.prompt", Field: dialect.ContentInput, Rank: 31, Format: dialect.Chat},
	{Key: "ai.value", Field: dialect.ContentInput, Rank: 32, Format: genai.JSON},
	{Key: "ai.values", Field: dialect.ContentInput, Rank: 33, Format: genai.JSON},
	{Key: "ai.prompt.tools", Field: dialect.ContentTools, Rank: 30, Format: genai.Tools},
	{Key: textKey, Field: dialect.ContentOutput, Rank: 35},
	{Key: callsKey, Field: dialect.ContentOutput, Rank: 36, Format: genai.JSON},
	{Key: "ai.response.object", Field: dialect.ContentOutput, Rank: 37, Format: genai.JSON},
	{Key: "ai.result.text", Field: dialect.ContentOutput, Rank: 38},
	{Key: "ai.result.object", Field: dialect.ContentOutput, Rank: 39, Format: genai.JSON},
	{Key: "ai.result.toolCalls", Field: dialect.ContentOutput, Rank: 41, Format: genai.JSON},
	{Key: reasoningKey, Field: dialect.ContentOutput, Rank: 42},
	{Key: "ai.embedding", Field: dialect.ContentOutput, Rank: 43, Format: genai.JSON},
	{Key: "ai.embeddings", Field: dialect.ContentOutput, Rank: 44, Format: genai.JSON},
}

const (
	textKey      = "ai.response.text"
	callsKey     = "ai.response.toolCalls"
	reasoningKey = "ai.response.reasoning"
)

// finish makes one message of an answer's parts, and reads the operation from
// the attribute that holds the function's name too where it stands alone.
func finish(s *dialect.Span, f *activity.Fragment) {
	if f.Kind == 0 || f.Kind == activity.KindOther {
		name, _, _ := strings.Cut(s.Name, " ")
		if k, ok := operations[name]; ok {
			f.Kind = k
		}
	}
	text, calls, reasoning := s.Content(dialect.ContentOutput, textKey), s.Content(dialect.ContentOutput, callsKey), s.Content(dialect.ContentOutput, reasoningKey)
	if len(calls) == 0 && len(reasoning) == 0 {
		return
	}
	if !json.Valid(calls) {
		calls = nil
	}
	arena := s.Arena()
	n := len(arena)
	arena = append(arena, `[{"role":"assistant","content":[`...)
	part := func(kind string, b []byte) {
		if len(b) == 0 {
			return
		}
		if arena[len(arena)-1] != '[' {
			arena = append(arena, ',')
		}
		arena = append(arena, `{"type":"`+kind+`","text":`...)
		arena = append(activity.AppendJSONString(arena, b), '}')
	}
	part("reasoning", reasoning)
	part("text", text)
	arena = append(arena, ']')
	if len(calls) > 0 && calls[0] == '[' {
		arena = append(append(arena, `,"tool_calls":`...), calls...)
	}
	arena = append(arena, `}]`...)
	s.AddContent(dialect.ContentOutput, 34, genai.OpenAI, "ai.response", s.Keep(arena, n))
}
