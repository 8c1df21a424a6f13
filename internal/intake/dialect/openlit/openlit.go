// Package openlit is what OpenLIT says beside OpenTelemetry's names, its words
// for coding agents included.
//
// What for: it names which attribute feeds which field.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table. Totals of a session are kept and never added to its calls.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package openlit

import (
	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// Dialect is OpenLIT.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "openlit", Rules: rules, Finish: finish}
}

var rules = []dialect.Rule{
	{Key: "gen_ai.application_name", Field: dialect.Agent, Rank: 60},
	{Key: "openlit.agent.version_hash", Field: dialect.AgentVersion, Rank: 30},
	{Key: "gen_ai.framework.tags", Field: dialect.Tags, Rank: 80},
	{Key: "coding_agent.session.id", Field: dialect.Session, Rank: 88},
	{Key: "coding_agent.agent.id", Field: dialect.AgentID, Rank: 40},
	{Key: "coding_agent.agent.type", Field: dialect.Agent, Rank: 62},
}

var spans = map[string]activity.Kind{
	"coding_agent.session": activity.KindAgent, "coding_agent.subagent": activity.KindAgent, "coding_agent.llm.turn": activity.KindModel,
	"coding_agent.tool.call": activity.KindTool, "coding_agent.edit.decision": activity.KindDecision,
	"coding_agent.git.commit": activity.KindEvent, "coding_agent.git.pull_request": activity.KindEvent,
}

func finish(s *dialect.Span, f *activity.Fragment) {
	if k, ok := spans[s.Name]; ok && (f.Kind == 0 || f.Kind == activity.KindOther) {
		f.Kind = k
	}
}
