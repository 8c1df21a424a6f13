// Package opik is where Comet's Opik clients send OTLP, and the little that they
// say beside OpenTelemetry's names.
//
// What for: it names which attribute feeds which field, and their path.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors.
//
// Promises: a table.
//
// How it fails: it does not; see package dialect.
//
// Start reading at Dialect.
package opik

import "reeve/internal/intake/dialect"

// Dialect is Opik.
func Dialect() dialect.Dialect {
	return dialect.Dialect{
		Name: "opik",
		Rules: []dialect.Rule{
			{Key: "thread_id", Field: dialect.Session, Rank: 96},
			{Key: "opik.tags", Field: dialect.Tags, Rank: 85},
			{Key: "opik.metadata.", Field: dialect.Label, Rank: 97},
		},
		Aliases: []dialect.Alias{
			{Path: "/v1/private/otel/v1/traces", Signal: "traces"},
		},
	}
}
