package api

import (
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/genai"
)

func known(n int64) *int64 {
	if n == activity.Unknown {
		return nil
	}
	return &n
}

func at(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func knownAt(ns int64) *time.Time {
	if ns == activity.Unknown {
		return nil
	}
	t := at(ns)
	return &t
}

func millis(from, to int64) *float64 {
	if from == activity.Unknown || to == activity.Unknown {
		return nil
	}
	ms := float64(to-from) / 1e6
	return &ms
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func usageOf(u activity.Usage) client.Usage {
	return client.Usage{
		InputTotal: known(u.InputTotal), InputCacheRead: known(u.CacheRead), InputCacheWrite: known(u.CacheWrite),
		OutputTotal: known(u.OutputTotal), OutputReasoning: known(u.Reasoning),
	}
}

func costOf(c activity.Cost) client.Cost {
	out := client.Cost{Basis: c.Basis.String(), Currency: c.Currency, Price: c.Price}
	if c.Basis != activity.CostUnknown {
		amount := float64(c.Nanos) / 1e9
		out.Amount = &amount
	}
	return out
}

func runOf(r *activity.Run) client.Run {
	out := client.Run{
		ID: r.ID.String(), TraceIDs: []string{}, Name: r.Name, Agent: r.Agent, Version: r.Version, Task: r.Task,
		Environment: r.Environment, Team: r.Team, Tags: r.Tags, Session: r.Session, User: r.User, Mode: r.Mode,
		Status: r.Status.String(), Outcome: text(r.Outcome), StartedAt: at(r.Start), EndedAt: knownAt(r.End),
		DurationMS: millis(r.Start, r.End), StepCount: r.Steps, ErrorCount: r.Errors, ModelCalls: r.ModelCalls, ToolCalls: r.ToolCalls,
		LogCount: r.Logs, Failed: r.RootError, ErrorType: r.ErrorType, Usage: usageOf(r.Usage), Cost: costOf(r.Cost),
		Models: list(r.Models), Tools: list(r.Tools), Sources: list(r.Sources), Agents: list(r.Agents), Dialects: list(r.Dialects),
		Coverage: client.Coverage{
			ModelCalls: r.ModelCalls, UnknownUsageCalls: r.UnknownUsageCalls, UnknownCostCalls: r.UnknownCostCalls,
			RootSeen: !r.Partial, Flags: r.Flags.Names(),
		},
		Revision: r.Revision, UpdatedAt: at(r.Updated), Joined: r.Flags&activity.FlagJoined != 0,
	}
	for _, t := range r.Traces {
		out.TraceIDs = append(out.TraceIDs, t.String())
	}
	if len(r.Labels) > 0 {
		out.Labels = make(map[string]string, len(r.Labels))
		for _, l := range r.Labels {
			out.Labels[l.Key] = l.Value
		}
	}
	return out
}

// maxStepEvents bounds the span events of one step in an answer.
const maxStepEvents = 1000

// stepOf is a step in full, without its contents (fillContent adds them).
func stepOf(s *activity.Step) client.Step {
	out := client.Step{
		ID: s.Step.String(), RunID: s.Run.String(), TraceID: s.Trace.String(), SpanID: s.Span.String(),
		Revision: s.Revision, Source: s.Source.String(), Agent: s.Agent, Version: s.AgentVersion, Kind: s.Kind.String(), Name: s.Name,
		Status: s.Status.String(), StartedAt: at(s.Start), StartNS: s.Start, DurationMS: millis(s.Start, s.End),
		Provider: s.Provider, Model: s.Model, ModelRequested: s.ModelRequested, ResponseID: s.ResponseID, FinishReason: s.FinishReason,
		Usage: usageOf(s.Usage), Cost: costOf(s.Cost), Counted: s.Counted, Session: s.Session, User: s.User, Service: s.Service,
		DecisionID: s.DecisionID, Flags: s.Flags.Names(), Dialect: s.Dialect, Scope: s.Scope, MapVersion: s.MapVersion,
		Attributes: activity.Attributes(s.Attributes), Resource: activity.Attributes(s.Resource), MessageRefs: refsOf(s.Refs),
	}
	if !s.Parent.IsZero() {
		p := s.Parent.String()
		out.ParentID = &p
	}
	if s.Status == activity.StatusError || s.ErrorType != "" {
		out.Error = &client.StepError{Type: s.ErrorType, Message: s.StatusMessage}
	}
	if s.TTFT != activity.Unknown && s.TTFT != 0 {
		ms := float64(s.TTFT) / 1e6
		out.TTFTMS = &ms
	}
	if s.ToolName != "" || s.ToolCallID != "" || s.Kind == activity.KindTool {
		out.Tool = &client.ToolCall{Name: s.ToolName, CallID: s.ToolCallID}
	}
	for _, l := range s.Links {
		if scope := activity.ScopeOf(s.Team, s.Environment); l.Kind == activity.LinkSpan {
			l.Run, l.Step = scope.RunOfTrace(l.TraceID), scope.StepOfSpan(l.TraceID, l.SpanID)
		}
		out.Links = append(out.Links, l.Run.String())
		out.Linked = append(out.Linked, client.LinkedStep{RunID: l.Run.String(), StepID: l.Step.String(), Kind: l.Kind.String()})
	}
	for _, e := range activity.Events(s.Events, maxStepEvents) {
		out.Events = append(out.Events, client.StepEvent{At: at(e.Time), Name: e.Name, Attributes: activity.Attributes(e.Attributes)})
	}
	return out
}

// refsOf joins the ordinals of a field's contents in order; what only repeats
// them in another shape is left out.
func refsOf(refs []activity.ContentRef) map[string]string {
	if len(refs) == 0 {
		return nil
	}
	out := make(map[string]string, len(refs))
	for i, r := range refs {
		if !activity.Said(refs, i) {
			continue
		}
		f := r.Field.String()
		if have := out[f]; have != "" {
			out[f] = have + "," + r.Messages
		} else {
			out[f] = r.Messages
		}
	}
	return out
}

// messageOf reads a stored message in its sender's format. What cannot be read
// is shown as it came.
func messageOf(m *activity.Message, raw bool) client.Message {
	out := client.Message{
		Ordinal: m.Ordinal, Field: m.Field.String(), Role: m.Role, Format: m.Format, StepID: m.Step.String(), Size: m.Size, Parts: []client.Part{},
	}
	parsed, err := genai.Parse(m.Format, m.Raw)
	if err != nil {
		// The sender's format promised something else: the words are still there.
		out.Parts = append(out.Parts, client.Part{Type: "text", Text: string(m.Raw)})
	} else {
		for _, p := range parsed.Parts {
			out.Parts = append(out.Parts, client.Part(p))
		}
		if out.Role == "" {
			out.Role = parsed.Role
		}
		out.Name, out.FinishReason = parsed.Name, parsed.FinishReason
	}
	if raw {
		out.Raw = string(m.Raw)
	}
	return out
}

func logOf(r *activity.LogRecord, content bool) client.Log {
	out := client.Log{
		At: at(r.Time), TraceID: r.Trace.String(), Severity: r.Severity, EventName: r.EventName,
		Agent: r.Agent, Service: r.Service, Scope: r.Scope, Team: r.Team, Environment: r.Environment, Withheld: !content,
	}
	if !r.Run.IsZero() {
		out.RunID = r.Run.String()
	}
	if !r.Step.IsZero() {
		out.StepID = r.Step.String()
	}
	if content {
		out.Body, out.Attributes = r.Body, activity.Attributes(r.Attributes)
	}
	return out
}

func pointOf(p *activity.MetricPoint) client.MetricPoint {
	return client.MetricPoint{
		At: at(p.Time), Name: p.Name, Unit: p.Unit, Type: p.Type, Value: p.Value, Count: known(p.Count),
		Agent: p.Agent, Service: p.Service, Team: p.Team, Environment: p.Environment, Attributes: activity.Attributes(p.Attributes),
	}
}
