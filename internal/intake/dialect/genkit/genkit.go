// Package genkit is the vocabulary of Firebase Genkit.
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
package genkit

import (
	"encoding/json"

	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// Dialect is Genkit.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "genkit", Rules: rules, Finish: finish}
}

var kinds = map[string]activity.Kind{
	"model": activity.KindModel, "background-model": activity.KindModel, "embedder": activity.KindEmbedding,
	"tool": activity.KindTool, "tool.v2": activity.KindTool, "retriever": activity.KindRetrieval, "evaluator": activity.KindEvaluator,
	"flow": activity.KindWorkflow, "reranker": activity.KindRerank,
}

const outputKey = "genkit:output"

var rules = []dialect.Rule{
	{Key: "genkit:metadata:subtype", Field: dialect.Kind, Rank: 14, Kinds: kinds},
	{Key: "genkit:type", Field: dialect.Kind, Rank: 15, Kinds: map[string]activity.Kind{"flow": activity.KindWorkflow, "action": activity.KindTask}},
	{Key: "genkit:name", Field: dialect.StepName, Rank: 30},
	{Key: "genkit:sessionId", Field: dialect.Session, Rank: 93},
	{Key: "genkit:input", Field: dialect.ContentInput, Rank: 73, Format: dialect.Chat},
	{Key: outputKey, Field: dialect.ContentOutput, Rank: 73, Format: dialect.Chat},
}

// finish reads what a model's answer says inside its JSON.
func finish(s *dialect.Span, f *activity.Fragment) {
	if f.Kind == activity.KindTool {
		s.Set(dialect.ToolName, 60, s.Get(dialect.StepName))
	}
	if f.Kind != activity.KindModel {
		return
	}
	s.Set(dialect.ModelRequested, 100, s.Get(dialect.StepName))
	var out struct {
		Finish string `json:"finishReason"`
		Usage  struct {
			Input  *int64 `json:"inputTokens"`
			Output *int64 `json:"outputTokens"`
			Total  *int64 `json:"totalTokens"`
		} `json:"usage"`
	}
	if json.Unmarshal(s.Content(dialect.ContentOutput, outputKey), &out) != nil {
		return
	}
	s.Set(dialect.Finish, 70, dialect.TextValue(out.Finish))
	for field, n := range map[dialect.Field]*int64{dialect.InputTokens: out.Usage.Input, dialect.OutputTokens: out.Usage.Output, dialect.TotalTokens: out.Usage.Total} {
		if n != nil {
			s.Set(field, 110, dialect.IntValue(*n))
		}
	}
}
