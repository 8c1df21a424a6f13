// Package openaiagents is what the exporter of OpenAI's Agents SDK sends: traces
// and spans of its own shape.
//
// What for: the table names which attribute feeds which field; ingest turns
// items into spans with these attributes.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors.
//
// Promises: pure functions. A response span has no usage, its turn has: the turn
// is the call then, and the task that sums up all turns is a container.
//
// How it fails: a body that is no list of items is refused whole; an item that
// cannot be read is counted.
//
// Start reading at ingest.
package openaiagents

import (
	"cmp"
	"encoding/json"
	"net/http"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is OpenAI's Agents SDK.
func Dialect() dialect.Dialect {
	return dialect.Dialect{
		Name: "openai-agents", Rules: rules, Finish: finish,
		Endpoints: []dialect.Endpoint{{Method: "POST", Path: "/v1/traces/ingest", Types: []string{"application/json"}, Take: ingest}},
	}
}

const (
	typeKey   = "openai_agents.type"
	nameKey   = "openai_agents.name"
	agentKey  = "openai_agents.agent_name"
	userKey   = "openai_agents.metadata.user"
	inputKey  = "openai_agents.input"
	outputKey = "openai_agents.output"
)

// kinds are the types of spans, and of custom ones what the SDK calls them.
var kinds = map[string]activity.Kind{
	"agent": activity.KindAgent, "function": activity.KindTool, "generation": activity.KindModel, "response": activity.KindModel,
	"handoff": activity.KindHandoff, "guardrail": activity.KindGuardrail, "mcp_tools": activity.KindMCP,
	"transcription": activity.KindModel, "speech": activity.KindModel, "speech_group": activity.KindTask,
	"turn": activity.KindModel, "task": activity.KindWorkflow, "custom": activity.KindTask, "reference": activity.KindEvent, "trace": activity.KindWorkflow,
}

var rules = []dialect.Rule{
	{Key: typeKey, Field: dialect.Kind, Rank: 13, Kinds: kinds},
	{Key: agentKey, Field: dialect.Agent, Rank: 72},
	{Key: "openai_agents.workflow_name", Field: dialect.RunName, Rank: 60},
	{Key: userKey, Field: dialect.User, Rank: 94},
	{Key: "openai_agents.metadata.user_id", Field: dialect.User, Rank: 93},
	{Key: "openai_agents.metadata.", Field: dialect.Label, Rank: 94},
	{Key: nameKey, Field: dialect.EntityName, Rank: 40},
	{Key: inputKey, Field: dialect.ContentInput, Rank: 29, Format: dialect.Chat},
	{Key: outputKey, Field: dialect.ContentOutput, Rank: 29, Format: dialect.Chat},
	{Key: "openai_agents.tools", Field: dialect.ContentTools, Rank: 90, Format: genai.JSON},
}

func finish(s *dialect.Span, f *activity.Fragment) {
	name := s.Get(dialect.EntityName)
	switch f.Kind {
	case activity.KindAgent:
		s.Set(dialect.Agent, 68, name)
	case activity.KindTool:
		s.Set(dialect.ToolName, 72, name)
	}
}

// item is a trace or a span.
type item struct {
	Object    string                     `json:"object"`
	ID        string                     `json:"id"`
	TraceID   string                     `json:"trace_id"`
	ParentID  string                     `json:"parent_id"`
	StartedAt json.RawMessage            `json:"started_at"`
	EndedAt   json.RawMessage            `json:"ended_at"`
	Data      map[string]json.RawMessage `json:"span_data"`
	Error     *struct {
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	} `json:"error"`

	Workflow string                     `json:"workflow_name"`
	Group    string                     `json:"group_id"`
	Metadata map[string]json.RawMessage `json:"metadata"`
}

// usage is the tokens of a turn or generation: input includes what was cached.
type usage struct {
	Input      *int64 `json:"input_tokens"`
	Output     *int64 `json:"output_tokens"`
	Cached     *int64 `json:"cached_input_tokens"`
	CacheWrite *int64 `json:"cache_write_input_tokens"`
	Details    struct {
		Cached *int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputDetails struct {
		Reasoning *int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
}

// ingest takes a batch of items. What a trace says of itself is said of its
// spans that come with it.
func ingest(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var q struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.malformed", "the body is not a list of traces and spans").WithCause(err)
	}
	traces, spans := map[string]*item{}, []*item{}
	turns := map[string]bool{} // spans that are turns with usage
	for _, raw := range q.Data {
		var i item
		if err := json.Unmarshal(raw, &i); err != nil || i.ID == "" {
			out.Reject("an item cannot be read or has no id")
			continue
		}
		switch i.Object {
		case "trace":
			traces[i.ID] = &i
		case "trace.span":
			if i.TraceID == "" {
				out.Reject("a span has no trace_id")
				continue
			}
			spans = append(spans, &i)
			if kind, inner := i.custom(); kind == "turn" && inner["usage"] != nil {
				turns[i.ID] = true
			}
		default:
			out.Reject("an item is neither a trace nor a span")
		}
	}
	agents := agentsOf(spans)
	for _, s := range spans {
		s.write(out, traces[s.TraceID], turns[s.ParentID], agents[s.ID])
	}
	return dialect.Reply{Status: http.StatusNoContent, Body: []byte{}}, nil
}

// agentsOf is whose step each span is: the nearest agent's above it, and above
// all agents the first of the trace.
func agentsOf(spans []*item) map[string]string {
	byID, begins := map[string]*item{}, map[string]*item{}
	for _, s := range spans {
		byID[s.ID] = s
		if first := begins[s.TraceID]; text(s.Data["type"]) == "agent" && (first == nil || dialect.Instant(s.StartedAt) < dialect.Instant(first.StartedAt)) {
			begins[s.TraceID] = s
		}
	}
	out := map[string]string{}
	for _, s := range spans {
		at, n := s, 0
		for at != nil && text(at.Data["type"]) != "agent" && n < 100 {
			at, n = byID[at.ParentID], n+1
		}
		if at == nil {
			at = begins[s.TraceID]
		}
		if at != nil {
			out[s.ID] = text(at.Data["name"])
		}
	}
	return out
}

// custom is the SDK's own name of a custom span, and its data.
func (i *item) custom() (kind string, inner map[string]json.RawMessage) {
	if text(i.Data["type"]) != "custom" {
		return "", nil
	}
	_ = json.Unmarshal(i.Data["data"], &inner) // no object: nothing is said
	return text(inner["sdk_span_type"]), inner
}

// text is a JSON string's, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // no string: none
	return s
}

// traceID is the hexadecimal part of trace_{32 digits}.
func traceID(id string) activity.TraceID {
	const prefix = "trace_"
	if len(id) == len(prefix)+32 && id[:len(prefix)] == prefix {
		return dialect.TraceOf(id[len(prefix):])
	}
	return dialect.TraceOf(id)
}

func (i *item) write(out *dialect.Writer, trace *item, ofTurn bool, agent string) {
	s := dialect.OutSpan{
		Trace: traceID(i.TraceID), ID: dialect.SpanOf(i.ID, false), Parent: dialect.SpanOf(i.ParentID, false),
		Start: dialect.Instant(i.StartedAt), End: dialect.Instant(i.EndedAt),
	}
	if trace != nil {
		s.Text("openai_agents.workflow_name", trace.Workflow)
		s.Text("session.id", trace.Group)
		for _, key := range dialect.Keys(trace.Metadata) {
			s.JSON("openai_agents.metadata."+key, trace.Metadata[key])
		}
	}
	kind := text(i.Data["type"])
	if inner, data := i.custom(); inner != "" {
		kind = inner
		if name := text(data["agent_name"]); name != "" {
			agent = name
		}
		tokens(&s, data["usage"])
	}
	if kind == "response" && ofTurn {
		kind = "reference" // the call is its turn, which has the usage
	}
	s.Text(typeKey, kind)
	s.Text(agentKey, agent)
	name := text(i.Data["name"])
	s.Name = cmp.Or(name, kind)
	s.Text(nameKey, name)
	if i.Error != nil {
		s.Failed, s.Message = true, i.Error.Message
		s.JSON("openai_agents.error.data", i.Error.Data)
	}
	for _, key := range dialect.Keys(i.Data) {
		raw := i.Data[key]
		switch key {
		case "type", "name":
		case "input":
			s.JSON(inputKey, raw)
		case "output":
			s.JSON(outputKey, raw)
		case "model":
			s.Text("gen_ai.request.model", text(raw))
		case "response_id":
			s.Text("gen_ai.response.id", text(raw))
		case "usage":
			tokens(&s, raw)
		default:
			s.JSON("openai_agents."+key, raw)
		}
	}
	out.Span(&s)
}

// tokens writes a usage; what was not said is left out.
func tokens(s *dialect.OutSpan, raw json.RawMessage) {
	var u usage
	if raw == nil || json.Unmarshal(raw, &u) != nil {
		return
	}
	s.Count("gen_ai.usage.input_tokens", u.Input)
	s.Count("gen_ai.usage.output_tokens", u.Output)
	s.Count("gen_ai.usage.cache_read.input_tokens", cmp.Or(u.Cached, u.Details.Cached))
	s.Count("gen_ai.usage.cache_creation.input_tokens", u.CacheWrite)
	s.Count("gen_ai.usage.reasoning.output_tokens", u.OutputDetails.Reasoning)
}
