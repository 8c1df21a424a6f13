package agentkit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Agent is a model, its instructions and its tools. Safe for concurrent use.
type Agent struct {
	Name, ID, Version, Description string
	System                         string
	Mode                           string // interactive, autonomous, asynchronous
	Model                          *Model
	Tools                          *Tools // nil: none
	Dialect                        Dialect
	Telemetry                      *Telemetry
	Reads                          map[string]string // the data that a tool reads, by the tool; may be nil
	MaxTurns                       int               // model calls in one run [12]
	Retries                        int               // of one model call [5]
	Backoff                        time.Duration     // before the first retry; doubles [500 ms]
	// Outcome says how a run that ended without an error ended for its user:
	// resolved, contained, escalated, abandoned; nil or "" when nobody knows.
	Outcome func(Task, Result) string
}

// Task is what one run is for.
type Task struct {
	Name    string // kind of work: refund, question...
	Prompt  string
	Session string
	User    string
	History []Message // of the session so far
}

// Result is how a run ended.
type Result struct {
	Answer  string
	History []Message
	Turns   int
}

// ErrTurns is returned when a run was cut at MaxTurns.
var ErrTurns = errors.New("the run reached its limit of turns")

// Run works on one task: ask the model, call the tools it names, until it
// answers. One run is one trace: agent, model and tool spans.
func (a *Agent) Run(ctx context.Context, t Task) (res Result, err error) {
	name, attrs := a.Dialect.Agent(a, t)
	// No convention has a word for what kind of work a run does, nor for
	// whether somebody waits for it; an endpoint that does not know these keeps
	// them as plain attributes.
	attrs = append(attrs, str("reeve.task", t.Name), str("reeve.mode", a.Mode))
	ctx, span := a.Telemetry.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(attrs...))
	defer func() {
		span.SetAttributes(a.Dialect.AgentEnd(res.Answer)...)
		if err == nil && a.Outcome != nil {
			if outcome := a.Outcome(t, res); outcome != "" {
				span.SetAttributes(str("reeve.outcome", outcome))
			}
		}
		finish(span, err)
	}()
	res.History = append(append([]Message(nil), t.History...), Message{Role: "user", Content: t.Prompt})
	var defs []ToolDef
	if a.Tools != nil {
		defs = a.Tools.Defs
	}
	for res.Turns < orDefault(a.MaxTurns, 12) {
		res.Turns++
		reply, err := a.ask(ctx, t, res.History, defs)
		if err != nil {
			a.Telemetry.Log(ctx, log.SeverityError, "giving up: the model does not answer", attribute.String("error", err.Error()))
			return res, fmt.Errorf("turn %d: %w", res.Turns, err)
		}
		res.History = append(res.History, reply.Message)
		if len(reply.Message.ToolCalls) == 0 {
			res.Answer = reply.Message.Content
			return res, nil
		}
		for _, c := range reply.Message.ToolCalls {
			res.History = append(res.History, Message{Role: "tool", ToolCallID: c.ID, Content: a.call(ctx, t, c)})
		}
	}
	return res, ErrTurns
}

// ask calls the model until it answers, each try a span of its own.
func (a *Agent) ask(ctx context.Context, t Task, history []Message, defs []ToolDef) (*Reply, error) {
	pause := orDefault(a.Backoff, 500*time.Millisecond)
	for try := 0; ; try++ {
		reply, err := a.askOnce(ctx, t, history, defs)
		var status *StatusError
		if err == nil || !errors.As(err, &status) || !status.retryable() || try >= orDefault(a.Retries, 5) {
			return reply, err
		}
		delay := max(pause, status.RetryAfter)
		a.Telemetry.Log(ctx, log.SeverityWarn, "model call failed, trying again",
			attribute.Int("status", status.Status), attribute.Int("attempt", try+1), attribute.String("wait", delay.String()))
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(delay):
		}
		pause = min(2*pause, 30*time.Second)
	}
}

func (a *Agent) askOnce(ctx context.Context, t Task, history []Message, defs []ToolDef) (reply *Reply, err error) {
	name, attrs := a.Dialect.Model(a, t, history, defs)
	ctx, span := a.Telemetry.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	defer func() { finish(span, err) }()
	reply, err = a.Model.Ask(ctx, a.System, history, defs)
	for _, r := range a.Dialect.Events(a, history, reply) {
		r.SetTimestamp(time.Now())
		r.SetSeverity(log.SeverityInfo)
		a.Telemetry.logger.Emit(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	span.SetAttributes(a.Dialect.ModelEnd(reply)...)
	if reply.Usage.Known {
		for kind, n := range map[string]int{"input": reply.Usage.Input, "output": reply.Usage.Output} {
			a.Telemetry.tokens.Record(ctx, int64(n), metric.WithAttributes(
				attribute.String("gen_ai.token.type", kind), attribute.String("gen_ai.operation.name", "chat"),
				attribute.String("gen_ai.request.model", a.Model.Name), attribute.String("gen_ai.provider.name", a.Model.Provider)))
		}
	}
	return reply, nil
}

// call runs one tool. What went wrong goes back to the model as text, as it
// should: the model may do something else.
func (a *Agent) call(ctx context.Context, t Task, c ToolCall) string {
	name, attrs := a.Dialect.Tool(a, t, c)
	ctx, span := a.Telemetry.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(attrs...))
	text, err := a.Tools.Call(ctx, c)
	span.SetAttributes(a.Dialect.ToolEnd(text)...)
	finish(span, err)
	if err != nil {
		a.Telemetry.Log(ctx, log.SeverityWarn, "tool call failed", attribute.String("tool", c.Name), attribute.String("error", err.Error()))
		if text == "" {
			text = "error: " + err.Error()
		}
	}
	return text
}

// finish ends a span as the conventions say: error.type and a status.
func finish(span trace.Span, err error) {
	if err != nil {
		kind := "error"
		var status *StatusError
		switch {
		case errors.As(err, &status):
			kind = status.Type
		case errors.Is(err, ErrTool):
			kind = "tool_error"
		case errors.Is(err, ErrTurns):
			kind = "turn_limit"
		case errors.Is(err, context.DeadlineExceeded):
			kind = "timeout"
		case errors.Is(err, context.Canceled):
			kind = "cancelled"
		}
		span.SetAttributes(attribute.String("error.type", kind))
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
