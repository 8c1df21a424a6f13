// Package codex is what OpenAI's Codex CLI reports: log records for each prompt,
// answer, tool and decision, and spans where its tracing is on.
//
// What for: the table reads the spans; steps makes steps of the log records.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap.
//
// Promises: pure functions. A run is a conversation: nothing in the records
// tells one turn from the next. Input tokens include cached ones. The span of a
// turn repeats its calls' usage and is a container.
//
// How it fails: it does not; see package dialect.
//
// Start reading at steps.
package codex

import (
	"cmp"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Dialect is Codex.
func Dialect() dialect.Dialect {
	return dialect.Dialect{Name: "codex", Rules: rules, Finish: finish, Log: steps}
}

var kinds = map[string]activity.Kind{
	"session": activity.KindAgent, "model": activity.KindModel, "tool": activity.KindTool, "decision": activity.KindDecision,
}

// spans are the spans that mean something of all that its runtime traces.
var spans = map[string]activity.Kind{
	"session_loop": activity.KindAgent, "session_task.turn": activity.KindTask, "handle_responses": activity.KindModel,
}

const (
	prefix       = "codex."
	kindKey      = "codex.kind"
	withheld     = "[REDACTED]"
	promptKey    = "codex.prompt"
	argumentsKey = "codex.arguments"
	outputKey    = "codex.output"
)

var rules = []dialect.Rule{
	{Key: kindKey, Field: dialect.Kind, Rank: 13, Kinds: kinds},
	{Key: "codex.usage.reasoning_output_tokens", Field: dialect.Reasoning, Rank: 70},
	{Key: "codex.conversation.id", Field: dialect.Session, Rank: 94},
	{Key: "codex.model", Field: dialect.ModelRequested, Rank: 97},
	{Key: "codex.input_token_count", Field: dialect.InputTokens, Rank: 80},
	{Key: "codex.output_token_count", Field: dialect.OutputTokens, Rank: 80},
	{Key: "codex.cached_token_count", Field: dialect.CacheRead, Rank: 115},
	{Key: "codex.reasoning_token_count", Field: dialect.Reasoning, Rank: 75},
	{Key: "codex.ttft_ms", Field: dialect.TTFTMillis, Rank: 70},
	{Key: "codex.tool_name", Field: dialect.ToolName, Rank: 82},
	{Key: "codex.call_id", Field: dialect.ToolCallID, Rank: 82},
	{Key: promptKey, Field: dialect.ContentInput, Rank: 86},
	{Key: argumentsKey, Field: dialect.ContentArguments, Rank: 86, Format: genai.JSON},
	{Key: outputKey, Field: dialect.ContentResult, Rank: 86},
}

func finish(s *dialect.Span, f *activity.Fragment) {
	if k, ok := spans[s.Name]; ok && (f.Kind == 0 || f.Kind == activity.KindOther) {
		f.Kind = k
	}
	if f.Kind == activity.KindModel {
		s.Set(dialect.Provider, 205, dialect.TextValue("openai"))
	}
}

// steps makes the steps of one log record.
func steps(out *dialect.Writer, l *dialect.LogRecord) bool {
	event, ok := strings.CutPrefix(l.Event, prefix)
	if !ok {
		return false
	}
	conversation := l.Text("conversation.id")
	if l.Trace != (activity.TraceID{}) || conversation == "" {
		return true // its span tells it, or nothing says what it belongs to
	}
	c := talk{out: out, l: l, id: conversation, key: "codex/" + conversation}
	switch event {
	case "conversation_starts":
		c.lives("")
	case "user_prompt":
		c.lives(l.Text("prompt"))
	case "sse_event", "websocket_event":
		if l.Text("event.kind") == "response.completed" {
			c.model()
		}
	case "api_request":
		if l.Int("http.response.status_code") >= 400 || l.Text("error.message") != "" {
			c.model()
		}
	case "tool_result":
		c.tool()
	case "tool_decision":
		c.decision()
	}
	return true
}

// talk is a conversation, as one record of it tells.
type talk struct {
	out     *dialect.Writer
	l       *dialect.LogRecord
	id, key string
}

func (c *talk) root() activity.SpanID { return dialect.SpanOf(c.key, false) }

func (c *talk) step(kind, name, id string, ms int64) dialect.OutSpan {
	when := cmp.Or(c.l.Text("event.timestamp"), c.l.Text("event.sequence"))
	s := dialect.OutSpan{ID: dialect.SpanOf(c.key+"/"+c.l.Event+"/"+cmp.Or(id, when), false), Parent: c.root(), Name: name, Start: c.l.Time, End: c.l.Time}
	if ms > 0 {
		s.Start -= ms * 1e6
	}
	c.about(&s)
	s.Text(kindKey, kind)
	return s
}

func (c *talk) about(s *dialect.OutSpan) {
	s.Text("reeve.run.id", c.key)
	s.Text("session.id", c.id)
	s.Text("user.id", cmp.Or(c.l.Text("user.email"), c.l.Text("user.account_id")))
	s.Text("service.version", c.l.Text("app.version"))
	s.Text("deployment.environment.name", c.l.Text("env"))
	s.Text("reeve.mode", "interactive")
}

// lives writes the conversation's own step anew, up to this record.
func (c *talk) lives(prompt string) {
	s := dialect.OutSpan{ID: c.root(), Name: "codex", Start: c.l.Time, End: c.l.Time}
	c.about(&s)
	s.Text(kindKey, "session")
	if prompt != withheld {
		s.Text(promptKey, prompt)
	}
	c.out.Span(&s)
}

func (c *talk) copy(s *dialect.OutSpan, keys ...string) {
	for _, key := range keys {
		s.Text(prefix+key, c.l.Text(key))
	}
}

func (c *talk) model() {
	l := c.l
	s := c.step("model", cmp.Or(l.Text("model"), "model"), "", l.Int("duration_ms"))
	for _, key := range [...]string{"input_token_count", "output_token_count", "cached_token_count", "reasoning_token_count", "tool_token_count", "ttft_ms"} {
		if n := l.Int(key); n >= 0 {
			s.Int(prefix+key, n)
		}
	}
	c.copy(&s, "model", "slug", "attempt", "http.response.status_code")
	if problem := l.Text("error.message"); problem != "" || l.Int("http.response.status_code") >= 400 {
		s.Failed, s.Message = true, problem
		s.Text("error.type", l.Text("http.response.status_code"))
	}
	c.out.Span(&s)
	c.lives("")
}

func (c *talk) tool() {
	l := c.l
	s := c.step("tool", l.Text("tool_name"), l.Text("call_id"), l.Int("duration_ms"))
	c.copy(&s, "tool_name", "call_id", "mcp_server")
	s.Text(argumentsKey, l.Text("arguments"))
	s.Text(outputKey, l.Text("output"))
	if l.Text("success") == "false" {
		s.Failed = true
		s.Text("error.type", "tool_error")
	}
	c.out.Span(&s)
	c.lives("")
}

func (c *talk) decision() {
	s := c.step("decision", c.l.Text("tool_name"), c.l.Text("call_id"), 0)
	c.copy(&s, "tool_name", "call_id", "decision", "source")
	c.out.Span(&s)
	c.lives("")
}
