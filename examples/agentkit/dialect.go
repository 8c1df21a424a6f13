package agentkit

import (
	"encoding/json"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
)

// Dialect is a vocabulary for what an agent does: names and attributes of its
// spans, and log records beside them. The four here are what instrumentations
// in the field speak.
type Dialect interface {
	Scope() string
	Agent(a *Agent, t Task) (name string, attrs []attribute.KeyValue)
	AgentEnd(answer string) []attribute.KeyValue
	Model(a *Agent, t Task, history []Message, defs []ToolDef) (name string, attrs []attribute.KeyValue)
	ModelEnd(r *Reply) []attribute.KeyValue
	// Events are log records of one model call; r is nil when it failed.
	Events(a *Agent, history []Message, r *Reply) []log.Record
	Tool(a *Agent, t Task, c ToolCall) (name string, attrs []attribute.KeyValue)
	ToolEnd(result string) []attribute.KeyValue
}

func str(k, v string) attribute.KeyValue { return attribute.String(k, v) }

func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // only own maps and strings get here
		return "{}"
	}
	return string(raw)
}

// GenAI is the current generation of OpenTelemetry's GenAI conventions: whole
// messages as JSON in span attributes.
type GenAI struct{}

// Scope is the instrumentation scope.
func (GenAI) Scope() string { return "example.agentkit.genai" }

// Agent describes the run's root.
func (GenAI) Agent(a *Agent, t Task) (string, []attribute.KeyValue) {
	return "invoke_agent " + a.Name, append(genAICommon(a, t),
		str("gen_ai.operation.name", "invoke_agent"), str("gen_ai.agent.description", a.Description),
		str("gen_ai.provider.name", a.Model.Provider), str("gen_ai.request.model", a.Model.Name),
		str("gen_ai.input.messages", jsonText([]any{genAIMessage(Message{Role: "user", Content: t.Prompt})})))
}

func genAICommon(a *Agent, t Task) []attribute.KeyValue {
	out := []attribute.KeyValue{
		str("gen_ai.agent.name", a.Name), str("gen_ai.agent.id", a.ID), str("gen_ai.agent.version", a.Version),
		str("gen_ai.conversation.id", t.Session),
	}
	if t.User != "" {
		out = append(out, str("user.id", t.User))
	}
	return out
}

// AgentEnd gives the answer.
func (GenAI) AgentEnd(answer string) []attribute.KeyValue {
	return []attribute.KeyValue{str("gen_ai.output.messages", jsonText([]any{genAIMessage(Message{Role: "assistant", Content: answer})}))}
}

func genAIMessage(m Message) map[string]any {
	var parts []any
	switch {
	case m.Role == "tool":
		parts = append(parts, map[string]any{"type": "tool_call_response", "id": m.ToolCallID, "response": m.Content})
	case m.Content != "":
		parts = append(parts, map[string]any{"type": "text", "content": m.Content})
	}
	for _, c := range m.ToolCalls {
		parts = append(parts, map[string]any{"type": "tool_call", "id": c.ID, "name": c.Name, "arguments": json.RawMessage(c.Arguments)})
	}
	return map[string]any{"role": m.Role, "parts": parts}
}

// Model describes a call.
func (GenAI) Model(a *Agent, t Task, history []Message, defs []ToolDef) (string, []attribute.KeyValue) {
	var messages, tools []any
	for _, m := range history {
		messages = append(messages, genAIMessage(m))
	}
	for _, d := range defs {
		tools = append(tools, map[string]any{"type": "function", "name": d.Name, "description": d.Description, "parameters": d.Schema})
	}
	return "chat " + a.Model.Name, append(genAICommon(a, t),
		str("gen_ai.operation.name", "chat"), str("gen_ai.provider.name", a.Model.Provider),
		str("gen_ai.request.model", a.Model.Name), attribute.Int("gen_ai.request.max_tokens", a.Model.MaxTokens),
		attribute.Bool("gen_ai.request.stream", a.Model.Stream),
		str("gen_ai.system_instructions", jsonText([]any{map[string]any{"type": "text", "content": a.System}})),
		str("gen_ai.input.messages", jsonText(messages)), str("gen_ai.tool.definitions", jsonText(tools)))
}

// ModelEnd describes its answer.
func (GenAI) ModelEnd(r *Reply) []attribute.KeyValue {
	m := genAIMessage(r.Message)
	m["finish_reason"] = r.Finish
	return append(genAIAnswer(r), str("gen_ai.output.messages", jsonText([]any{m})))
}

func genAIAnswer(r *Reply) []attribute.KeyValue {
	out := []attribute.KeyValue{
		str("gen_ai.response.id", r.ID), str("gen_ai.response.model", r.Model),
		attribute.StringSlice("gen_ai.response.finish_reasons", []string{r.Finish}),
	}
	if r.Usage.Known {
		out = append(out, attribute.Int("gen_ai.usage.input_tokens", r.Usage.Input), attribute.Int("gen_ai.usage.output_tokens", r.Usage.Output),
			attribute.Int("gen_ai.usage.cache_read.input_tokens", r.Usage.CacheRead))
	}
	if r.FirstToken > 0 {
		out = append(out, attribute.Float64("gen_ai.response.time_to_first_chunk", r.FirstToken.Seconds()))
	}
	return out
}

// Events are none: everything is on the span.
func (GenAI) Events(*Agent, []Message, *Reply) []log.Record { return nil }

// Tool describes a tool call.
func (GenAI) Tool(a *Agent, t Task, c ToolCall) (string, []attribute.KeyValue) {
	if source := a.Reads[c.Name]; source != "" {
		return "retrieval " + c.Name, append(genAICommon(a, t), str("gen_ai.operation.name", "retrieval"), str("gen_ai.data_source.id", source),
			str("gen_ai.tool.name", c.Name), str("gen_ai.tool.call.id", c.ID), str("gen_ai.tool.call.arguments", c.Arguments))
	}
	return "execute_tool " + c.Name, append(genAITool(a, t, c), str("gen_ai.tool.call.arguments", c.Arguments))
}

func genAITool(a *Agent, t Task, c ToolCall) []attribute.KeyValue {
	return append(genAICommon(a, t), str("gen_ai.operation.name", "execute_tool"), str("gen_ai.tool.name", c.Name),
		str("gen_ai.tool.call.id", c.ID), str("gen_ai.tool.type", "function"), str("mcp.method.name", "tools/call"),
		str("mcp.server.name", a.Tools.server[c.Name]))
}

// ToolEnd gives its result.
func (GenAI) ToolEnd(result string) []attribute.KeyValue {
	return []attribute.KeyValue{str("gen_ai.tool.call.result", result)}
}

// GenAIEvents is the first generation of the GenAI conventions: spans without
// content, one log record a message.
type GenAIEvents struct{ GenAI }

// Scope is the instrumentation scope.
func (GenAIEvents) Scope() string { return "example.agentkit.genai_events" }

// Agent describes the run's root, without content.
func (GenAIEvents) Agent(a *Agent, t Task) (string, []attribute.KeyValue) {
	return "invoke_agent " + a.Name, append(genAICommon(a, t),
		str("gen_ai.operation.name", "invoke_agent"), str("gen_ai.system", a.Model.Provider), str("gen_ai.request.model", a.Model.Name))
}

// AgentEnd says nothing: the answer is in the last event.
func (GenAIEvents) AgentEnd(string) []attribute.KeyValue { return nil }

// Model describes a call, without content.
func (GenAIEvents) Model(a *Agent, t Task, _ []Message, _ []ToolDef) (string, []attribute.KeyValue) {
	return "chat " + a.Model.Name, append(genAICommon(a, t),
		str("gen_ai.operation.name", "chat"), str("gen_ai.system", a.Model.Provider),
		str("gen_ai.request.model", a.Model.Name), attribute.Int("gen_ai.request.max_tokens", a.Model.MaxTokens))
}

// ModelEnd describes its answer, without content.
func (GenAIEvents) ModelEnd(r *Reply) []attribute.KeyValue { return genAIAnswer(r) }

// Tool describes a tool call; arguments and result are in the events.
func (GenAIEvents) Tool(a *Agent, t Task, c ToolCall) (string, []attribute.KeyValue) {
	return "execute_tool " + c.Name, genAITool(a, t, c)
}

// ToolEnd says nothing.
func (GenAIEvents) ToolEnd(string) []attribute.KeyValue { return nil }

// Events are the conversation as sent and the choice that came back.
func (GenAIEvents) Events(a *Agent, history []Message, r *Reply) []log.Record {
	record := func(event string, body ...attribute.KeyValue) log.Record {
		var l log.Record
		l.SetEventName(event)
		l.SetBody(attribute.MapValue(body...))
		l.AddAttributes(str("gen_ai.system", a.Model.Provider), str("event.name", event))
		return l
	}
	out := []log.Record{record("gen_ai.system.message", str("content", a.System))}
	for _, m := range history {
		switch m.Role {
		case "tool":
			out = append(out, record("gen_ai.tool.message", str("id", m.ToolCallID), str("content", m.Content)))
		case "assistant":
			out = append(out, record("gen_ai.assistant.message", eventMessage(m)...))
		default:
			out = append(out, record("gen_ai.user.message", str("content", m.Content)))
		}
	}
	if r != nil {
		out = append(out, record("gen_ai.choice", attribute.Int("index", 0), str("finish_reason", r.Finish),
			attribute.Map("message", append(eventMessage(r.Message), str("role", "assistant"))...)))
	}
	return out
}

func eventMessage(m Message) []attribute.KeyValue {
	var out []attribute.KeyValue
	if m.Content != "" {
		out = append(out, str("content", m.Content))
	}
	var calls []attribute.Value
	for _, c := range m.ToolCalls {
		calls = append(calls, attribute.MapValue(str("id", c.ID), str("type", "function"),
			attribute.Map("function", str("name", c.Name), str("arguments", c.Arguments))))
	}
	if calls != nil {
		out = append(out, attribute.Slice("tool_calls", calls...))
	}
	return out
}

// OpenLLMetry is Traceloop's vocabulary: one attribute for each field of each
// message.
type OpenLLMetry struct{}

// Scope is the instrumentation scope.
func (OpenLLMetry) Scope() string { return "opentelemetry.instrumentation.agentkit" }

func llmetryCommon(a *Agent, t Task) []attribute.KeyValue {
	out := []attribute.KeyValue{
		str("traceloop.workflow.name", a.Name), str("traceloop.association.properties.session_id", t.Session),
		str("traceloop.association.properties.task", t.Name), str("gen_ai.agent.name", a.Name),
	}
	if t.User != "" {
		out = append(out, str("traceloop.association.properties.user_id", t.User))
	}
	return out
}

// Agent describes the run's root.
func (OpenLLMetry) Agent(a *Agent, t Task) (string, []attribute.KeyValue) {
	return a.Name + ".workflow", append(llmetryCommon(a, t), str("traceloop.span.kind", "workflow"),
		str("traceloop.entity.name", a.Name), str("traceloop.entity.input", jsonText(map[string]any{"args": []string{t.Prompt}, "kwargs": map[string]any{}})))
}

// AgentEnd gives the answer.
func (OpenLLMetry) AgentEnd(answer string) []attribute.KeyValue {
	return []attribute.KeyValue{str("traceloop.entity.output", jsonText(answer))}
}

// Model describes a call.
func (OpenLLMetry) Model(a *Agent, t Task, history []Message, defs []ToolDef) (string, []attribute.KeyValue) {
	out := append(llmetryCommon(a, t), str("llm.request.type", "chat"), str("gen_ai.system", a.Model.Provider),
		str("gen_ai.request.model", a.Model.Name), attribute.Int("gen_ai.request.max_tokens", a.Model.MaxTokens),
		str("gen_ai.prompt.0.role", "system"), str("gen_ai.prompt.0.content", a.System))
	for i, m := range history {
		out = append(out, llmetryMessage("gen_ai.prompt."+strconv.Itoa(i+1), m)...)
	}
	for i, d := range defs {
		p := "llm.request.functions." + strconv.Itoa(i)
		out = append(out, str(p+".name", d.Name), str(p+".description", d.Description), str(p+".parameters", string(d.Schema)))
	}
	return a.Model.Provider + ".chat", out
}

func llmetryMessage(prefix string, m Message) []attribute.KeyValue {
	out := []attribute.KeyValue{str(prefix+".role", m.Role)}
	if m.Content != "" {
		out = append(out, str(prefix+".content", m.Content))
	}
	if m.ToolCallID != "" {
		out = append(out, str(prefix+".tool_call_id", m.ToolCallID))
	}
	for i, c := range m.ToolCalls {
		p := prefix + ".tool_calls." + strconv.Itoa(i)
		out = append(out, str(p+".id", c.ID), str(p+".name", c.Name), str(p+".arguments", c.Arguments))
	}
	return out
}

// ModelEnd describes its answer.
func (OpenLLMetry) ModelEnd(r *Reply) []attribute.KeyValue {
	out := append(llmetryMessage("gen_ai.completion.0", r.Message), str("gen_ai.completion.0.finish_reason", r.Finish),
		str("gen_ai.response.id", r.ID), str("gen_ai.response.model", r.Model))
	if r.Usage.Known {
		out = append(out, attribute.Int("gen_ai.usage.prompt_tokens", r.Usage.Input), attribute.Int("gen_ai.usage.completion_tokens", r.Usage.Output),
			attribute.Int("llm.usage.total_tokens", r.Usage.Input+r.Usage.Output), attribute.Int("gen_ai.usage.cache_read_input_tokens", r.Usage.CacheRead))
	}
	return out
}

// Events are none.
func (OpenLLMetry) Events(*Agent, []Message, *Reply) []log.Record { return nil }

// Tool describes a tool call.
func (OpenLLMetry) Tool(a *Agent, t Task, c ToolCall) (string, []attribute.KeyValue) {
	return c.Name + ".tool", append(llmetryCommon(a, t), str("traceloop.span.kind", "tool"), str("traceloop.entity.name", c.Name),
		str("traceloop.entity.input", jsonText(map[string]any{"args": []any{}, "kwargs": json.RawMessage(c.Arguments)})))
}

// ToolEnd gives its result.
func (OpenLLMetry) ToolEnd(result string) []attribute.KeyValue {
	return []attribute.KeyValue{str("traceloop.entity.output", result)}
}

// OpenInference is Arize's vocabulary.
type OpenInference struct{}

// Scope is the instrumentation scope.
func (OpenInference) Scope() string { return "openinference.instrumentation.agentkit" }

func inferenceCommon(a *Agent, t Task, kind string) []attribute.KeyValue {
	out := []attribute.KeyValue{
		str("openinference.span.kind", kind), str("session.id", t.Session), str("agent.name", a.Name),
		str("metadata", jsonText(map[string]string{"task": t.Name, "release": a.Version})),
	}
	if t.User != "" {
		out = append(out, str("user.id", t.User))
	}
	return out
}

// Agent describes the run's root.
func (OpenInference) Agent(a *Agent, t Task) (string, []attribute.KeyValue) {
	return a.Name, append(inferenceCommon(a, t, "AGENT"), str("input.value", t.Prompt), str("input.mime_type", "text/plain"))
}

// AgentEnd gives the answer.
func (OpenInference) AgentEnd(answer string) []attribute.KeyValue {
	return []attribute.KeyValue{str("output.value", answer), str("output.mime_type", "text/plain")}
}

// Model describes a call.
func (OpenInference) Model(a *Agent, t Task, history []Message, defs []ToolDef) (string, []attribute.KeyValue) {
	out := append(inferenceCommon(a, t, "LLM"), str("llm.model_name", a.Model.Name), str("llm.provider", a.Model.Provider),
		str("llm.system", a.Model.Provider), str("llm.invocation_parameters", jsonText(map[string]any{"max_tokens": a.Model.MaxTokens})),
		str("llm.input_messages.0.message.role", "system"), str("llm.input_messages.0.message.content", a.System))
	for i, m := range history {
		out = append(out, inferenceMessage("llm.input_messages."+strconv.Itoa(i+1), m)...)
	}
	for i, d := range defs {
		out = append(out, str("llm.tools."+strconv.Itoa(i)+".tool.json_schema", jsonText(map[string]any{
			"type": "function", "function": map[string]any{"name": d.Name, "description": d.Description, "parameters": d.Schema},
		})))
	}
	return "ChatCompletion", out
}

func inferenceMessage(prefix string, m Message) []attribute.KeyValue {
	out := []attribute.KeyValue{str(prefix+".message.role", m.Role)}
	if m.Content != "" {
		out = append(out, str(prefix+".message.content", m.Content))
	}
	if m.ToolCallID != "" {
		out = append(out, str(prefix+".message.tool_call_id", m.ToolCallID))
	}
	for i, c := range m.ToolCalls {
		p := prefix + ".message.tool_calls." + strconv.Itoa(i) + ".tool_call"
		out = append(out, str(p+".id", c.ID), str(p+".function.name", c.Name), str(p+".function.arguments", c.Arguments))
	}
	return out
}

// ModelEnd describes its answer.
func (OpenInference) ModelEnd(r *Reply) []attribute.KeyValue {
	out := append(inferenceMessage("llm.output_messages.0", r.Message), str("llm.response.model_name", r.Model),
		str("llm.finish_reason", r.Finish), str("output.value", r.Message.Content), str("output.mime_type", "text/plain"))
	if r.Usage.Known {
		out = append(out, attribute.Int("llm.token_count.prompt", r.Usage.Input), attribute.Int("llm.token_count.completion", r.Usage.Output),
			attribute.Int("llm.token_count.total", r.Usage.Input+r.Usage.Output), attribute.Int("llm.token_count.prompt_details.cache_read", r.Usage.CacheRead))
	}
	return out
}

// Events are none.
func (OpenInference) Events(*Agent, []Message, *Reply) []log.Record { return nil }

// Tool describes a tool call.
func (OpenInference) Tool(a *Agent, t Task, c ToolCall) (string, []attribute.KeyValue) {
	return c.Name, append(inferenceCommon(a, t, "TOOL"), str("tool.name", c.Name), str("tool_call.id", c.ID),
		str("input.value", c.Arguments), str("input.mime_type", "application/json"))
}

// ToolEnd gives its result.
func (OpenInference) ToolEnd(result string) []attribute.KeyValue {
	return []attribute.KeyValue{str("output.value", result), str("output.mime_type", "application/json")}
}
