// Package mlflow is the vocabulary of MLflow's tracing.
//
// What for: it names which attribute feeds which field. Values are JSON inside
// text, kinds too.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table and pure functions.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package mlflow

import (
	"encoding/json"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// Dialect is MLflow.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "mlflow", Rules: rules, Finish: finish}
}

// kinds are MLflow's span types, as plain text and as the JSON string that its
// exporter writes.
var kinds = quoted(map[string]activity.Kind{
	"llm": activity.KindModel, "chat_model": activity.KindModel, "chain": activity.KindWorkflow, "workflow": activity.KindWorkflow,
	"agent": activity.KindAgent, "tool": activity.KindTool, "retriever": activity.KindRetrieval, "embedding": activity.KindEmbedding,
	"reranker": activity.KindRerank, "memory": activity.KindMemory, "guardrail": activity.KindGuardrail, "evaluator": activity.KindEvaluator,
	"parser": activity.KindTask, "task": activity.KindTask,
})

func quoted(all map[string]activity.Kind) map[string]activity.Kind {
	out := make(map[string]activity.Kind, 2*len(all))
	for name, k := range all {
		out[name], out[`"`+name+`"`] = k, k
	}
	return out
}

var rules = []dialect.Rule{
	{Key: "mlflow.spanType", Field: dialect.Kind, Rank: 11, Kinds: kinds},
	{Key: "mlflow.trace.session", Field: dialect.Session, Rank: 88},
	{Key: "mlflow.trace.user", Field: dialect.User, Rank: 88},
	{Key: "mlflow.chat.tokenUsage", Field: dialect.UsageBuckets, Rank: 30},
	{Key: "mlflow.llm.model", Field: dialect.ModelRequested, Rank: 86},
	{Key: "mlflow.llm.provider", Field: dialect.Provider, Rank: 86},
	{Key: "mlflow.spanFunctionName", Field: dialect.StepName, Rank: 90},
	{Key: "mlflow.spanInputs", Field: dialect.ContentInput, Rank: 74, Format: dialect.Chat},
	{Key: "mlflow.spanOutputs", Field: dialect.ContentOutput, Rank: 74, Format: dialect.Chat},
	{Key: "mlflow.chat.tools", Field: dialect.ContentTools, Rank: 70, Format: "genai.tools"},
}

func finish(s *dialect.Span, f *activity.Fragment) {
	var u struct {
		Input      *int64 `json:"input_tokens"`
		Output     *int64 `json:"output_tokens"`
		Total      *int64 `json:"total_tokens"`
		CacheRead  *int64 `json:"cache_read_input_tokens"`
		CacheWrite *int64 `json:"cache_creation_input_tokens"`
	}
	if json.Unmarshal([]byte(s.Text(dialect.UsageBuckets)), &u) == nil {
		for field, n := range map[dialect.Field]*int64{
			dialect.InputTokens: u.Input, dialect.OutputTokens: u.Output, dialect.TotalTokens: u.Total,
			dialect.CacheRead: u.CacheRead, dialect.CacheWrite: u.CacheWrite,
		} {
			if n != nil {
				s.Set(field, 100, dialect.IntValue(*n))
			}
		}
	}
	for _, field := range [...]dialect.Field{dialect.Session, dialect.User, dialect.ModelRequested, dialect.Provider, dialect.StepName} {
		if text := s.Text(field); strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) && len(text) > 2 {
			s.Set(field, 1, dialect.TextValue(text[1:len(text)-1])) // JSON of a word
		}
	}
	if f.Kind == activity.KindAgent {
		s.Set(dialect.Agent, 230, dialect.TextValue(s.Name))
	}
}
