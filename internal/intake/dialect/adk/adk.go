// Package adk is what Google's Agent Development Kit says beside
// OpenTelemetry's names.
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
package adk

import (
	"encoding/json"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is the Agent Development Kit's.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "google-adk", Rules: rules, Finish: finish}
}

const (
	requestKey  = "gcp.vertex.agent.llm_request"
	responseKey = "gcp.vertex.agent.llm_response"
)

var rules = []dialect.Rule{
	{Key: "gcp.vertex.agent.session_id", Field: dialect.Session, Rank: 92},
	{Key: requestKey, Field: dialect.ContentInput, Rank: 72, Format: genai.JSON},
	{Key: responseKey, Field: dialect.ContentOutput, Rank: 72, Format: genai.JSON},
	{Key: "gcp.vertex.agent.tool_call_args", Field: dialect.ContentArguments, Rank: 57, Format: genai.JSON},
	{Key: "gcp.vertex.agent.tool_response", Field: dialect.ContentResult, Rank: 57, Format: genai.JSON},
}

// finish takes messages and what no attribute says out of the request and the
// answer, which are Gemini's own.
func finish(s *dialect.Span, _ *activity.Fragment) {
	var request struct {
		Contents json.RawMessage `json:"contents"`
	}
	if raw := s.Content(dialect.ContentInput, requestKey); len(raw) > 2 && json.Unmarshal(raw, &request) == nil && len(request.Contents) > 2 {
		s.AddContent(dialect.ContentInput, 71, genai.Gemini, requestKey, request.Contents)
	}
	var response struct {
		Content json.RawMessage `json:"content"`
		Usage   struct {
			Cached *int64 `json:"cached_content_token_count"`
		} `json:"usage_metadata"`
	}
	if raw := s.Content(dialect.ContentOutput, responseKey); len(raw) > 2 && json.Unmarshal(raw, &response) == nil {
		if len(response.Content) > 2 {
			s.AddContent(dialect.ContentOutput, 71, genai.Gemini, responseKey, response.Content)
		}
		if n := response.Usage.Cached; n != nil {
			s.Set(dialect.CacheRead, 120, dialect.IntValue(*n))
		}
	}
}
