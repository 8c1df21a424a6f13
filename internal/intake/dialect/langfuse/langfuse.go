// Package langfuse is Langfuse's vocabulary: its attributes on OpenTelemetry
// spans, and the batches of events that its older SDKs send.
//
// What for: the table names which attribute feeds which field;
// ingestion.go turns a batch into spans with these attributes.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors.
//
// Promises: a table and pure functions. Its usage is in buckets that do not
// overlap; totals are made of them.
//
// How it fails: attributes do not; a batch answers each event that cannot be
// read with an error of its own.
//
// Start reading at rules, then ingestion.
package langfuse

import (
	"encoding/json"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// Dialect is Langfuse.
func Dialect() dialect.Dialect {
	return dialect.Dialect{
		Name: "langfuse", Rules: rules, Finish: finish,
		Aliases: []dialect.Alias{
			{Path: "/api/public/otel/v1/traces", Signal: "traces"},
			{Path: "/api/public/otel/v1/metrics", Signal: "metrics"},
		},
		Endpoints: []dialect.Endpoint{{Method: "POST", Path: "/api/public/ingestion", Types: []string{"application/json"}, Take: ingestion}},
	}
}

var kinds = map[string]activity.Kind{
	"span": activity.KindTask, "generation": activity.KindModel, "event": activity.KindEvent, "embedding": activity.KindEmbedding,
	"agent": activity.KindAgent, "tool": activity.KindTool, "chain": activity.KindWorkflow, "retriever": activity.KindRetrieval,
	"guardrail": activity.KindGuardrail, "evaluator": activity.KindEvaluator,
}

var rules = []dialect.Rule{
	{Key: "langfuse.observation.type", Field: dialect.Kind, Rank: 2, Kinds: kinds},
	{Key: "langfuse.observation.model.name", Field: dialect.Kind, Rank: 18, KindOf: activity.KindModel},

	{Key: "langfuse.trace.name", Field: dialect.RunName, Rank: 10},
	{Key: "langfuse.session.id", Field: dialect.Session, Rank: 10},
	{Key: "langfuse.user.id", Field: dialect.User, Rank: 10},
	{Key: "langfuse.environment", Field: dialect.Environment, Rank: 10},
	{Key: "langfuse.version", Field: dialect.AgentVersion, Rank: 40},
	{Key: "langfuse.release", Field: dialect.AgentVersion, Rank: 50},
	{Key: "langfuse.trace.tags", Field: dialect.Tags, Rank: 10},
	{Key: "langfuse.tags", Field: dialect.Tags, Rank: 20},
	{Key: "langfuse.trace.metadata", Field: dialect.Metadata, Rank: 10},
	{Key: "langfuse.observation.metadata", Field: dialect.Metadata, Rank: 20},
	{Key: "langfuse.metadata", Field: dialect.Metadata, Rank: 30},
	{Key: "langfuse.trace.metadata.", Field: dialect.Label, Rank: 10},
	{Key: "langfuse.observation.metadata.", Field: dialect.Label, Rank: 20},
	{Key: "langfuse.metadata.", Field: dialect.Label, Rank: 30},

	{Key: "langfuse.observation.model.name", Field: dialect.ModelRequested, Rank: 30},
	{Key: "langfuse.observation.usage_details", Field: dialect.UsageBuckets, Rank: 10},
	{Key: "langfuse.observation.cost_details", Field: dialect.CostBuckets, Rank: 10},
	{Key: "langfuse.observation.completion_start_time", Field: dialect.FirstTokenAt, Rank: 10},
	{Key: "langfuse.observation.level", Field: dialect.Level, Rank: 10},
	{Key: "langfuse.observation.status_message", Field: dialect.ErrorMessage, Rank: 20},

	{Key: "langfuse.observation.input", Field: dialect.ContentInput, Rank: 20, Format: dialect.Chat},
	{Key: "langfuse.observation.output", Field: dialect.ContentOutput, Rank: 20, Format: dialect.Chat},
	{Key: "langfuse.trace.input", Field: dialect.ContentInput, Rank: 25, Format: dialect.Chat},
	{Key: "langfuse.trace.output", Field: dialect.ContentOutput, Rank: 25, Format: dialect.Chat},
}

func finish(s *dialect.Span, f *activity.Fragment) {
	model := s.Text(dialect.ModelRequested)
	switch {
	case f.Kind == activity.KindModel && (contains(s.Name, "embedding") || contains(model, "embedding")):
		f.Kind = activity.KindEmbedding // its wrappers of clients call everything a generation
	case f.Kind == activity.KindTask && model != "" && s.Scope == "langfuse-sdk" && old(s.ScopeVersion):
		f.Kind = activity.KindModel // Python up to 3.3.0 named generations spans
	case f.Kind == activity.KindAgent:
		s.Set(dialect.Agent, 230, dialect.TextValue(s.Name))
	}
	if level := s.Text(dialect.Level); strings.EqualFold(level, "ERROR") {
		f.Status = activity.StatusError
	}
	known := buckets(s)
	cost(s, known)
	firstToken(s, f)
}

func contains(s, word string) bool { return strings.Contains(strings.ToLower(s), word) }

// old reports versions that are 3.3.0 at most.
func old(version string) bool {
	rest, ok := strings.CutPrefix(version, "3.")
	return ok && (strings.HasPrefix(rest, "0.") || strings.HasPrefix(rest, "1.") || strings.HasPrefix(rest, "2.") || rest == "3.0")
}

// buckets makes totals of the sender's buckets, which do not overlap: what it
// calls input is what was not cached. It reports whether there were any.
func buckets(s *dialect.Span) bool {
	var tokens map[string]float64
	raw := s.Text(dialect.UsageBuckets)
	if raw == "" || json.Unmarshal([]byte(raw), &tokens) != nil {
		return false
	}
	sums := map[dialect.Field]int64{}
	add := func(f dialect.Field, n float64) { sums[f] += int64(n) }
	for name, n := range tokens {
		if n < 0 || n > 1e15 {
			continue
		}
		switch {
		case name == "total":
			add(dialect.TotalTokens, n)
		case strings.HasPrefix(name, "input") || strings.HasPrefix(name, "prompt") || strings.HasPrefix(name, "cache"):
			add(dialect.InputTokens, n)
			switch {
			case strings.Contains(name, "creation") || strings.Contains(name, "write"):
				add(dialect.CacheWrite, n)
			case strings.Contains(name, "cache"):
				add(dialect.CacheRead, n)
			}
		case strings.HasPrefix(name, "output") || strings.HasPrefix(name, "completion"):
			add(dialect.OutputTokens, n)
			if strings.Contains(name, "reasoning") {
				add(dialect.Reasoning, n)
			}
		}
	}
	for f, n := range sums {
		s.Set(f, 5, dialect.IntValue(n))
	}
	return len(sums) > 0
}

// cost reads what the call cost. Zeros without usage say that nobody knows.
func cost(s *dialect.Span, known bool) {
	var usd map[string]float64
	raw := s.Text(dialect.CostBuckets)
	if raw == "" || json.Unmarshal([]byte(raw), &usd) != nil {
		return
	}
	total, ok := usd["total"]
	if !ok {
		for _, n := range usd {
			total += n
		}
	}
	if total > 0 || (total == 0 && known) {
		s.Set(dialect.Cost, 10, dialect.FloatValue(total))
	}
}

// firstToken reads a time that some SDKs write as JSON inside the text.
func firstToken(s *dialect.Span, f *activity.Fragment) {
	at := strings.Trim(s.Text(dialect.FirstTokenAt), `"`)
	if at == "" || f.Start <= 0 {
		return
	}
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil && t.UnixNano() >= f.Start {
		s.Set(dialect.TTFTMillis, 10, dialect.FloatValue(float64(t.UnixNano()-f.Start)/1e6))
	}
}
