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
	"net/http"
	"strings"

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
	id, parent, trace, kind, name string
	all, data, custom             dialect.Object // the item, its span_data, the data of a custom span
	start                         int64
}

// ingest takes a batch of items. What a trace says of itself is said of its
// spans that come with it.
func ingest(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	q, ok := dialect.ParseObject(r.Body)
	if !ok {
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.malformed", "the body is not a list of traces and spans")
	}
	b := batch{traces: map[string]dialect.Object{}, spans: map[string]*item{}, begins: map[string]*item{}}
	q.Get("data").Each(func(raw dialect.Raw) {
		if why := b.take(raw.Object()); why != "" {
			out.Reject(why)
		}
	})
	for _, s := range b.order {
		b.write(out, s)
	}
	return dialect.Reply{Status: http.StatusNoContent, Body: []byte{}}, nil
}

type batch struct {
	traces map[string]dialect.Object
	spans  map[string]*item
	begins map[string]*item // the first agent of a trace
	order  []*item
}

// take sorts an item; why says what is wrong with it.
func (b *batch) take(o dialect.Object) (why string) {
	id := o.Get("id").Text()
	switch object := o.Get("object").Text(); {
	case id == "":
		return "an item is no JSON object or has no id"
	case object == "trace":
		b.traces[id] = o
		return ""
	case object != "trace.span":
		return "an item is neither a trace nor a span"
	}
	s := &item{
		id: id, parent: o.Get("parent_id").Text(), trace: o.Get("trace_id").Text(),
		all: o, data: o.Get("span_data").Object(), start: dialect.Instant(o.Get("started_at")),
	}
	if s.trace == "" {
		return "a span has no trace_id"
	}
	s.kind, s.name = s.data.Take("type").Text(), s.data.Take("name").Text()
	if s.kind == "custom" {
		s.custom = s.data.Get("data").Object()
		s.kind = cmp.Or(s.custom.Get("sdk_span_type").Text(), s.kind)
	}
	if first := b.begins[s.trace]; s.kind == "agent" && (first == nil || s.start < first.start) {
		b.begins[s.trace] = s
	}
	b.spans[id] = s
	b.order = append(b.order, s)
	return ""
}

// agent is whose step a span is: the nearest agent's above it, and above all
// agents the first of the trace.
func (b *batch) agent(s *item) string {
	if name := s.custom.Get("agent_name").Text(); name != "" {
		return name
	}
	at := s
	for n := 0; at != nil && at.kind != "agent" && n < 100; n++ {
		at = b.spans[at.parent]
	}
	if at == nil || at.kind != "agent" {
		at = b.begins[s.trace]
	}
	if at == nil {
		return ""
	}
	return at.name
}

// traceID is the hexadecimal part of trace_{32 digits}.
func traceID(id string) activity.TraceID {
	if rest, ok := strings.CutPrefix(id, "trace_"); ok && len(rest) == 32 {
		return dialect.TraceOf(rest)
	}
	return dialect.TraceOf(id)
}

func (b *batch) write(out *dialect.Writer, i *item) {
	s := dialect.OutSpan{
		Trace: traceID(i.trace), ID: dialect.SpanOf(i.id, false), Parent: dialect.SpanOf(i.parent, false), Name: cmp.Or(i.name, i.kind),
		Start: i.start, End: dialect.Instant(i.all.Get("ended_at")), Attributes: out.Attributes(),
	}
	if trace, ok := b.traces[i.trace]; ok {
		s.Text("openai_agents.workflow_name", trace.Get("workflow_name").Text())
		s.Text("session.id", trace.Get("group_id").Text())
		for _, m := range trace.Get("metadata").Object() {
			s.JSON("openai_agents.metadata."+m.Key, m.Value)
		}
	}
	kind := i.kind
	if above := b.spans[i.parent]; kind == "response" && above != nil && above.kind == "turn" && above.custom.Get("usage") != nil {
		kind = "reference" // the call is its turn, which has the usage
	}
	s.Text(typeKey, kind)
	s.Text(agentKey, b.agent(i))
	s.Text(nameKey, i.name)
	if problem := i.all.Get("error").Object(); problem != nil {
		s.Failed, s.Message = true, problem.Get("message").Text()
		s.JSON("openai_agents.error.data", problem.Get("data"))
	}
	tokens(&s, i.data.Take("usage").Object())
	tokens(&s, i.custom.Get("usage").Object())
	for _, m := range i.data {
		switch m.Key {
		case "input":
			s.JSON(inputKey, m.Value)
		case "output":
			s.JSON(outputKey, m.Value)
		case "model":
			s.Text("gen_ai.request.model", m.Value.Text())
		case "response_id":
			s.Text("gen_ai.response.id", m.Value.Text())
		default:
			s.JSON("openai_agents."+m.Key, m.Value)
		}
	}
	out.Span(&s)
}

// tokens writes a usage, whose input includes what was cached.
func tokens(s *dialect.OutSpan, u dialect.Object) {
	s.Count("gen_ai.usage.input_tokens", u.Get("input_tokens"))
	s.Count("gen_ai.usage.output_tokens", u.Get("output_tokens"))
	s.Count("gen_ai.usage.cache_read.input_tokens", u.Get("cached_input_tokens"))
	s.Count("gen_ai.usage.cache_creation.input_tokens", u.Get("cache_write_input_tokens"))
	s.Count("gen_ai.usage.cache_read.input_tokens", u.Get("input_tokens_details").Object().Get("cached_tokens"))
	s.Count("gen_ai.usage.reasoning.output_tokens", u.Get("output_tokens_details").Object().Get("reasoning_tokens"))
}
