// Package mastra is what Mastra's exporter says beside OpenTelemetry's names,
// and the attributes of its versions before 1.0, which are the AI SDK's under
// other prefixes.
//
// What for: it names which attribute feeds which field.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table. A generation is the container of its steps: usage that
// both carry counts once.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package mastra

import (
	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is Mastra.
func Dialect() dialect.Dialect { return dialect.Dialect{Name: "mastra", Rules: table()} }

var kinds = map[string]activity.Kind{
	"agent_run": activity.KindAgent, "model_generation": activity.KindModel, "model_step": activity.KindModel,
	"model_chunk": activity.KindEvent, "tool_call": activity.KindTool, "mcp_tool_call": activity.KindTool,
	"processor_run": activity.KindGuardrail, "workflow_run": activity.KindWorkflow, "workflow_step": activity.KindTask,
	"workflow_conditional": activity.KindTask, "workflow_conditional_eval": activity.KindTask, "workflow_parallel": activity.KindTask,
	"workflow_loop": activity.KindTask, "workflow_sleep": activity.KindTask, "workflow_wait_event": activity.KindTask, "generic": activity.KindTask,
}

var rules = []dialect.Rule{
	{Key: "mastra.span.type", Field: dialect.Kind, Rank: 11, Kinds: kinds},
	{Key: "mastra.metadata.sessionId", Field: dialect.Session, Rank: 87},
	{Key: "mastra.metadata.threadId", Field: dialect.Session, Rank: 89},
	{Key: "mastra.metadata.userId", Field: dialect.User, Rank: 87},
	{Key: "mastra.metadata.resourceId", Field: dialect.User, Rank: 89},
	{Key: "mastra.metadata.", Field: dialect.Label, Rank: 87},
	{Key: "mastra.tags", Field: dialect.Tags, Rank: 75},
}

// table adds the AI SDK's attributes under the prefixes of earlier versions.
func table() []dialect.Rule {
	out := rules
	for i, prefix := range [...]string{"stream.", "generateText.", "streamText.", "generateObject.", "streamObject.", "generate."} {
		rank := uint8(130 + 10*i)
		out = append(out,
			dialect.Rule{Key: prefix + "prompt.messages", Field: dialect.ContentInput, Rank: 78, Format: dialect.Chat},
			dialect.Rule{Key: prefix + "response.text", Field: dialect.ContentOutput, Rank: 78, Format: genai.Text},
			dialect.Rule{Key: prefix + "usage.promptTokens", Field: dialect.InputTokens, Rank: rank},
			dialect.Rule{Key: prefix + "usage.inputTokens", Field: dialect.InputTokens, Rank: rank + 1},
			dialect.Rule{Key: prefix + "usage.completionTokens", Field: dialect.OutputTokens, Rank: rank},
			dialect.Rule{Key: prefix + "usage.outputTokens", Field: dialect.OutputTokens, Rank: rank + 1},
		)
	}
	return out
}
