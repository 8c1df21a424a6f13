// Package agentops is the vocabulary of AgentOps' SDK.
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
package agentops

import (
	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// Dialect is AgentOps.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "agentops", Rules: rules, Finish: finish}
}

var kinds = map[string]activity.Kind{
	"session": activity.KindWorkflow, "workflow": activity.KindWorkflow, "chain": activity.KindWorkflow,
	"task": activity.KindTask, "operation": activity.KindTask, "text": activity.KindTask,
	"agent": activity.KindAgent, "tool": activity.KindTool, "llm": activity.KindModel,
	"guardrail": activity.KindGuardrail, "http": activity.KindHTTP,
}

// outcomes are the end states of a session, in our words.
var outcomes = map[string]string{"Success": "resolved", "Fail": "failed", "Indeterminate": "unknown"}

var rules = []dialect.Rule{
	{Key: "agentops.span.kind", Field: dialect.Kind, Rank: 11, Kinds: kinds},
	{Key: "agentops.entity.name", Field: dialect.EntityName, Rank: 20},
	{Key: "operation.name", Field: dialect.EntityName, Rank: 30},
	{Key: "workflow.name", Field: dialect.RunName, Rank: 50},
	{Key: "workflow.session_id", Field: dialect.Session, Rank: 86},
	{Key: "workflow.user_id", Field: dialect.User, Rank: 125},
	{Key: "agent.id", Field: dialect.AgentID, Rank: 30},
	{Key: "agentops.session.end_state", Field: dialect.Level, Rank: 60},
	{Key: "gen_ai.streaming.time_to_first_token", Field: dialect.TTFTSeconds, Rank: 50},
	{Key: "agentops.entity.input", Field: dialect.ContentInput, Rank: 77, Format: dialect.Chat},
	{Key: "agentops.entity.output", Field: dialect.ContentOutput, Rank: 77, Format: dialect.Chat},
}

func finish(s *dialect.Span, f *activity.Fragment) {
	name := s.Get(dialect.EntityName)
	switch f.Kind {
	case activity.KindAgent:
		s.Set(dialect.Agent, 42, name)
	case activity.KindTool:
		s.Set(dialect.ToolName, 52, name)
	}
	if outcome, ok := outcomes[s.Text(dialect.Level)]; ok {
		s.Set(dialect.Outcome, 60, dialect.TextValue(outcome))
	}
}
