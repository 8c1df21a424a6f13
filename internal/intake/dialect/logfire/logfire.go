// Package logfire is what Pydantic AI and Logfire say beside OpenTelemetry's
// names: whole conversations in attributes of their own.
//
// What for: it names which attribute feeds which field.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: a table.
//
// How it fails: it does not; see package dialect.
//
// Start reading at rules.
package logfire

import (
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is Logfire's and Pydantic AI's.
func Dialect() dialect.Dialect { return dialect.Dialect{Name: "logfire", Rules: rules} }

var rules = []dialect.Rule{
	{Key: "logfire.msg", Field: dialect.StepName, Rank: 40},
	{Key: "agent_name", Field: dialect.Agent, Rank: 50},
	{Key: "model_name", Field: dialect.ModelRequested, Rank: 95},
	{Key: "pydantic_ai.all_messages", Field: dialect.ContentInput, Rank: 65, Format: genai.Messages},
	{Key: "all_messages_events", Field: dialect.ContentInput, Rank: 66, Format: dialect.Chat},
	{Key: "final_result", Field: dialect.ContentOutput, Rank: 65, Format: genai.JSON},
	{Key: "tool_arguments", Field: dialect.ContentArguments, Rank: 55, Format: genai.JSON},
	{Key: "tool_response", Field: dialect.ContentResult, Rank: 55, Format: genai.JSON},
}
