// Package claudecode is what Claude Code reports: log records for each prompt,
// request, tool and decision, and spans where its tracing is on.
//
// What for: the table reads the spans; steps makes steps of the log records, so
// that a session without spans is seen too.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: pure functions. A run is one prompt and what came of it, its session
// is Claude Code's. Input tokens exclude cached ones, as Anthropic counts. A
// record that names a trace makes no step: its span does.
//
// How it fails: it does not; see package dialect. What OTEL_LOG_USER_PROMPTS and
// its like do not send is not there.
//
// Start reading at steps.
package claudecode

import (
	"cmp"
	"encoding/json"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is Claude Code.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "claude-code", Rules: rules, Finish: finish, Log: steps, Exclusive: exclusive}
}

var kinds = map[string]activity.Kind{
	"interaction": activity.KindAgent, "llm_request": activity.KindModel, "tool": activity.KindTool, "tool.execution": activity.KindTask,
	"tool.blocked_on_user": activity.KindHuman, "hook": activity.KindGuardrail, "tool_decision": activity.KindDecision,
}

// prefixed adds the names with the prefix that most versions write.
func prefixed(all map[string]activity.Kind) map[string]activity.Kind {
	out := make(map[string]activity.Kind, 2*len(all))
	for name, k := range all {
		out[name], out[prefix+name] = k, k
	}
	return out
}

const (
	prefix   = "claude_code."
	typeKey  = "span.type"
	withheld = "<REDACTED>"

	runPrefix = "claude_code/" // of run keys that are made here

	promptKey    = "claude_code.prompt"
	argumentsKey = "claude_code.tool_input"
	resultKey    = "claude_code.tool_output"
)

var rules = []dialect.Rule{
	{Key: typeKey, Field: dialect.Kind, Rank: 13, Kinds: prefixed(kinds)},
	{Key: "subagent_type", Field: dialect.Agent, Rank: 74},
	{Key: "agent_id", Field: dialect.AgentID, Rank: 60},
	{Key: "claude_code.model", Field: dialect.ModelRequested, Rank: 96},
	{Key: "claude_code.request_id", Field: dialect.ResponseID, Rank: 60},
	{Key: "claude_code.input_tokens", Field: dialect.InputTokens, Rank: 70},
	{Key: "claude_code.output_tokens", Field: dialect.OutputTokens, Rank: 70},
	{Key: "claude_code.cache_read_tokens", Field: dialect.CacheRead, Rank: 110},
	{Key: "claude_code.cache_creation_tokens", Field: dialect.CacheWrite, Rank: 110},
	{Key: "claude_code.cost_usd", Field: dialect.Cost, Rank: 80},
	{Key: "claude_code.tool_name", Field: dialect.ToolName, Rank: 80},
	{Key: "claude_code.tool_use_id", Field: dialect.ToolCallID, Rank: 80},
	{Key: "claude_code.error", Field: dialect.ErrorMessage, Rank: 60},
	{Key: "claude_code.ttft_ms", Field: dialect.TTFTMillis, Rank: 60},
	// Its spans use plain names.
	{Key: "model", Field: dialect.ModelRequested, Rank: 120},
	{Key: "input_tokens", Field: dialect.InputTokens, Rank: 200},
	{Key: "output_tokens", Field: dialect.OutputTokens, Rank: 200},
	{Key: "cache_read_tokens", Field: dialect.CacheRead, Rank: 200},
	{Key: "cache_creation_tokens", Field: dialect.CacheWrite, Rank: 200},
	{Key: "stop_reason", Field: dialect.Finish, Rank: 200},
	{Key: "tool_name", Field: dialect.ToolName, Rank: 200},
	{Key: "tool_use_id", Field: dialect.ToolCallID, Rank: 200},
	{Key: "user_prompt", Field: dialect.ContentInput, Rank: 83},
	{Key: promptKey, Field: dialect.ContentInput, Rank: 84},
	{Key: "response.model_output", Field: dialect.ContentOutput, Rank: 83},
	{Key: "tool_input", Field: dialect.ContentArguments, Rank: 83, Format: genai.JSON},
	{Key: argumentsKey, Field: dialect.ContentArguments, Rank: 84, Format: genai.JSON},
	{Key: resultKey, Field: dialect.ContentResult, Rank: 84},
}

// exclusive: Anthropic's counts, which only what is Claude Code's own uses here.
func exclusive(s *dialect.Span) bool {
	return own(s) || strings.HasPrefix(s.Text(dialect.RunKey), runPrefix)
}

func own(s *dialect.Span) bool {
	return strings.HasPrefix(s.Name, prefix) || strings.Contains(s.Scope, "claude_code")
}

// finish reads spans whose type is only in their name.
func finish(s *dialect.Span, f *activity.Fragment) {
	if own(s) && (f.Kind == 0 || f.Kind == activity.KindOther) {
		if k, ok := kinds[strings.TrimPrefix(s.Name, prefix)]; ok {
			f.Kind = k
		}
	}
	if f.Kind == activity.KindModel && exclusive(s) {
		s.Set(dialect.Provider, 200, dialect.TextValue("anthropic"))
	}
}

// steps makes the steps of one log record.
func steps(out *dialect.Writer, l *dialect.LogRecord) bool {
	event, ok := strings.CutPrefix(l.Event, prefix)
	if !ok && !strings.Contains(l.Scope, "claude_code") && l.Service != "claude-code" {
		return false
	}
	if l.Trace != (activity.TraceID{}) {
		return true // its span tells it
	}
	session := l.Text("session.id")
	if session == "" {
		return true
	}
	t := turn{out: out, l: l, session: session, key: runPrefix + session + "/" + l.Text("prompt.id")}
	switch event {
	case "user_prompt":
		t.begin()
	case "api_request":
		t.model(false)
	case "api_error", "api_refusal":
		t.model(true)
	case "tool_result":
		t.tool()
	case "tool_decision":
		t.decision()
	}
	return true
}

// turn is what came of one prompt, as one record of it tells.
type turn struct {
	out          *dialect.Writer
	l            *dialect.LogRecord
	session, key string
}

// step begins a step that ended when the record was made. id tells it from the
// others of its turn.
func (t *turn) step(kind, name, id string, ms int64) dialect.OutSpan {
	s := dialect.OutSpan{ID: dialect.SpanOf(t.key+"/"+id, false), Parent: t.root(), Name: name, Start: t.l.Time, End: t.l.Time}
	if ms > 0 {
		s.Start -= ms * 1e6
	}
	t.about(&s)
	s.Text(typeKey, kind)
	return s
}

// root is the step that stands for the turn. Each record moves its end.
func (t *turn) root() activity.SpanID { return dialect.SpanOf(t.key, false) }

func (t *turn) about(s *dialect.OutSpan) {
	s.Text("reeve.run.id", t.key)
	s.Text("session.id", t.session)
	s.Text("user.id", cmp.Or(t.l.Text("user.email"), t.l.Text("user.account_uuid"), t.l.Text("user.id")))
	s.Text("service.version", t.l.Text("app.version"))
	s.Text("claude_code.prompt.id", t.l.Text("prompt.id"))
	s.Text("claude_code.permission_mode", t.l.Text("permission_mode"))
	s.Text("reeve.mode", "interactive")
}

// lives writes the turn's own step anew, up to this record.
func (t *turn) lives(prompt string) {
	s := dialect.OutSpan{ID: t.root(), Name: "claude_code", Start: t.l.Time, End: t.l.Time}
	t.about(&s)
	s.Text(typeKey, "interaction")
	if prompt != withheld {
		s.Text(promptKey, prompt)
	}
	t.out.Span(&s)
}

func (t *turn) begin() { t.lives(t.l.Text("prompt")) }

// id is what tells a record from others: its own number, else its time.
func (t *turn) id(first string) string {
	return cmp.Or(first, t.l.Text("event.sequence"), t.l.Text("event.timestamp")) + "/" + t.l.Event
}

func (t *turn) model(failed bool) {
	l := t.l
	s := t.step("llm_request", cmp.Or(l.Text("model"), "llm_request"), t.id(l.Text("request_id")), l.Int("duration_ms"))
	for _, key := range [...]string{"input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens", "ttft_ms"} {
		if n := l.Int(key); n >= 0 {
			s.Int(prefix+key, n)
		}
	}
	if usd, ok := l.Attributes["cost_usd"].Float(); ok {
		s.Float(prefix+"cost_usd", usd)
	}
	for _, key := range [...]string{"model", "request_id", "speed", "query_source", "effort", "status_code", "attempt", "error"} {
		s.Text(prefix+key, l.Text(key))
	}
	if failed {
		s.Failed, s.Message = true, cmp.Or(l.Text("error"), l.Text("refusal_reason"), "the request failed")
		s.Text("error.type", cmp.Or(l.Text("status_code"), strings.TrimPrefix(l.Event, prefix)))
	}
	t.out.Span(&s)
	t.lives("")
}

func (t *turn) tool() {
	l := t.l
	s := t.step("tool", l.Text("tool_name"), t.id(l.Text("tool_use_id")), l.Int("duration_ms"))
	for _, key := range [...]string{"tool_name", "tool_use_id", "decision_source", "decision_type", "tool_result_size_bytes"} {
		s.Text(prefix+key, l.Text(key))
	}
	if raw := l.Text("tool_parameters"); raw != "" {
		s.Text(argumentsKey, cmp.Or(l.Text("tool_input"), raw))
		var p struct {
			Server string `json:"mcp_server_name"`
			Skill  string `json:"skill_name"`
		}
		_ = json.Unmarshal([]byte(raw), &p) // cut or no JSON: nothing more is known
		s.Text("claude_code.mcp_server", p.Server)
		s.Text("claude_code.skill", p.Skill)
	} else {
		s.Text(argumentsKey, l.Text("tool_input"))
	}
	s.Text(resultKey, l.Text("tool_output"))
	if v := l.Text("success"); v == "false" {
		s.Failed, s.Message = true, l.Text("error")
		s.Text("error.type", cmp.Or(l.Text("error_type"), "tool_error"))
	}
	t.out.Span(&s)
	t.lives("")
}

// decision is what was answered to a tool's wish to run: by configuration, a
// hook, or a person.
func (t *turn) decision() {
	l := t.l
	s := t.step("tool_decision", l.Text("tool_name"), t.id(l.Text("tool_use_id")), 0)
	for _, key := range [...]string{"tool_name", "tool_use_id", "decision", "source"} {
		s.Text(prefix+key, l.Text(key))
	}
	t.out.Span(&s)
	t.lives("")
}
