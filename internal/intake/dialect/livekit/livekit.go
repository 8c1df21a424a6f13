// Package livekit is the vocabulary of LiveKit's agents.
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
package livekit

import (
	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is LiveKit's.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "livekit", Rules: rules, Finish: finish}
}

var rules = []dialect.Rule{
	{Key: "lk.function_tool.name", Field: dialect.ToolName, Rank: 70},
	{Key: "lk.input_text", Field: dialect.ContentInput, Rank: 79},
	{Key: "lk.user_transcript", Field: dialect.ContentInput, Rank: 81},
	{Key: "lk.chat_ctx", Field: dialect.ContentInput, Rank: 82, Format: dialect.Chat},
	{Key: "lk.response.text", Field: dialect.ContentOutput, Rank: 79},
	{Key: "lk.function_tool.output", Field: dialect.ContentResult, Rank: 59, Format: genai.JSON},
	{Key: "lk.function_tool.arguments", Field: dialect.ContentArguments, Rank: 59, Format: genai.JSON},
}

var spans = map[string]activity.Kind{
	"agent_turn": activity.KindAgent, "start_agent_activity": activity.KindAgent, "function_tool": activity.KindTool, "llm_node": activity.KindTask,
}

func finish(s *dialect.Span, f *activity.Fragment) {
	if k, ok := spans[s.Name]; ok && (f.Kind == 0 || f.Kind == activity.KindOther) {
		f.Kind = k
	}
}
