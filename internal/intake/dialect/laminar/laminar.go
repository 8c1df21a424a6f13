// Package laminar is the vocabulary of Laminar's SDK beside OpenTelemetry's.
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
package laminar

import (
	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// Dialect is Laminar.
func Dialect() dialect.Dialect { return dialect.Dialect{Name: "laminar", Rules: rules} }

var kinds = map[string]activity.Kind{
	"llm": activity.KindModel, "cached": activity.KindModel, "tool": activity.KindTool, "evaluator": activity.KindEvaluator,
	"human_evaluator": activity.KindEvaluator, "evaluation": activity.KindEvaluator, "executor": activity.KindEvaluator,
	"default": activity.KindTask, "pipeline": activity.KindTask,
}

var rules = []dialect.Rule{
	{Key: "lmnr.span.type", Field: dialect.Kind, Rank: 10, Kinds: kinds},
	{Key: "lmnr.association.properties.session_id", Field: dialect.Session, Rank: 82},
	{Key: "lmnr.association.properties.user_id", Field: dialect.User, Rank: 82},
	{Key: "lmnr.association.properties.tags", Field: dialect.Tags, Rank: 70},
	{Key: "lmnr.association.properties.labels", Field: dialect.Tags, Rank: 71},
	{Key: "lmnr.association.properties.metadata.", Field: dialect.Label, Rank: 82},
	{Key: "lmnr.association.properties.", Field: dialect.Label, Rank: 83},
	{Key: "lmnr.span.input", Field: dialect.ContentInput, Rank: 76, Format: dialect.Chat},
	{Key: "lmnr.span.output", Field: dialect.ContentOutput, Rank: 76, Format: dialect.Chat},
}
