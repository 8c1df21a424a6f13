// Package telemetrytest is the suite that every telemetry engine passes, and
// the generator of agent activity that it and the benchmarks share.
//
// What for: engines cannot differ in what a caller sees.
//
// Who calls it: the tests of telemetry/duck and of later engines.
//
// Promises: Run uses the interface only; Generator gives the same activity for
// the same seed.
//
// How it fails: through testing.T.
//
// Start reading at Run.
package telemetrytest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// Generator makes runs of agents as package run would write them: 8 to 12 steps
// of about 25 attributes, many runs interleaved. Not safe for concurrent use.
type Generator struct {
	r       *rand.Rand
	Start   time.Time
	Span    time.Duration // over which the runs start
	Agents  int
	History int // bytes of a new message; a run's history grows by two a turn

	n      int
	cursor uint64
	shared map[[16]byte]bool
}

// NewGenerator makes a generator of small steps (about 1.6 kB as OTLP).
func NewGenerator(seed uint64, start time.Time) *Generator {
	return &Generator{
		r: rand.New(rand.NewPCG(seed, seed)), Start: start, Span: time.Hour, Agents: 40, History: 300, shared: map[[16]byte]bool{},
	}
}

func (g *Generator) id() (b [16]byte) {
	for i := range b {
		b[i] = byte(g.r.Uint32())
	}
	return b
}

func appendAttr(dst []byte, key string, value []byte) []byte {
	kv := protowire.AppendString([]byte{0x0a}, key)
	kv = protowire.AppendBytes(append(kv, 0x12), value)
	return protowire.AppendBytes(append(dst, 0x0a), kv)
}

// String, Int and Double append an OTLP attribute to dst.
func String(dst []byte, key, v string) []byte {
	return appendAttr(dst, key, protowire.AppendString([]byte{0x0a}, v))
}

// Int appends an OTLP attribute to dst.
func Int(dst []byte, key string, v int64) []byte {
	return appendAttr(dst, key, protowire.AppendVarint([]byte{0x18}, uint64(v)))
}

// Strings appends an OTLP attribute that is a list of strings to dst.
func Strings(dst []byte, key string, vs ...string) []byte {
	var list []byte
	for _, v := range vs {
		list = protowire.AppendBytes(append(list, 0x0a), protowire.AppendString([]byte{0x0a}, v))
	}
	return appendAttr(dst, key, protowire.AppendBytes([]byte{0x2a}, list))
}

var words = []string{
	"order", "refund", "customer", "delivery", "late", "payment", "invoice", "please", "check", "status", "account", "ticket", "answer",
	"policy", "return", "window", "agent", "search", "result", "found", "three", "items", "price", "total", "euro", "address", "update",
	"confirm", "sorry", "delay", "warehouse", "shipment", "tracking", "number", "email", "phone", "yesterday", "tomorrow", "because", "however",
}

func (g *Generator) prose(n int) string {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = append(b, words[g.r.IntN(len(words))]...)
		if g.r.IntN(6) == 0 {
			b = fmt.Append(b, " ", g.r.IntN(100000))
		}
		b = append(b, ' ')
	}
	return string(b)
}

// Write makes a write of n runs that start around the same time.
func (g *Generator) Write(runs int) *telemetry.Write {
	g.cursor++
	w := &telemetry.Write{Cursor: g.cursor}
	rolls := map[string]*telemetry.RollupDelta{}
	for range runs {
		g.run(w, rolls)
	}
	for _, d := range rolls {
		w.Rollups = append(w.Rollups, *d)
	}
	w.Received = g.Start.Add(g.Span).UnixNano()
	return w
}

var models = []string{"gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5", "claude-haiku-4-5"}

func (g *Generator) run(w *telemetry.Write, rolls map[string]*telemetry.RollupDelta) {
	g.n++
	agent := fmt.Sprintf("agent-%02d", g.r.IntN(g.Agents))
	team := "team-" + string('a'+agent[len(agent)-1]%6)
	trace := activity.TraceID(g.id())
	session := fmt.Sprintf("session-%x", g.id())[:24]
	start := g.Start.UnixNano() + g.r.Int64N(int64(g.Span))
	steps := 8 + g.r.IntN(5)
	run := activity.Run{
		ID: activity.RunOfTrace(trace), Revision: 1, Traces: []activity.TraceID{trace}, Name: "handle ticket", Agent: agent, Version: "1.4.2",
		Environment: "production", Team: team, Sender: "key_1", Session: session, User: fmt.Sprintf("user-%d", g.r.IntN(5000)), Mode: "interactive",
		Status: activity.RunDone, Start: start, Received: start + 1e9, Updated: start + 30e9, Usage: activity.Usage{CacheWrite: activity.Unknown, Reasoning: activity.Unknown},
		Cost: activity.Cost{Currency: "USD", Basis: activity.CostBook}, Agents: []string{agent}, Dialects: []string{"otel-genai"},
	}
	var res []byte
	for _, kv := range [][2]string{
		{"service.name", agent},
		{"service.version", "1.4.2"},
		{"deployment.environment.name", "production"},
		{"telemetry.sdk.language", "go"},
		{"telemetry.sdk.name", "opentelemetry"},
		{"telemetry.sdk.version", "1.47.0"},
		{"host.name", "node-7"},
		{"k8s.pod.name", agent + "-6f7d9"},
	} {
		res = String(res, kv[0], kv[1])
	}
	var root activity.SpanID
	at := start
	ordinal := int32(0)
	for i := range steps {
		id := g.id()
		span := activity.SpanID(id[:8])
		dur := int64(5e6 + g.r.ExpFloat64()*4e8)
		s := activity.Step{Revision: 1, Received: start + 1e9, Sender: "key_1", Team: team}
		f := &s.Fragment
		*f = activity.Fragment{
			Run: run.ID, Step: activity.StepOfSpan(trace, span), Trace: trace, Span: span, Source: activity.SourceSDK, Status: activity.StatusOK,
			Start: at, End: at + dur, Agent: agent, AgentVersion: "1.4.2", AgentExplicit: true, Service: agent, Environment: "production", Session: session,
			User: run.User, Mode: "interactive", TTFT: activity.Unknown, Usage: activity.NoUsage, Dialect: "otel-genai",
			Scope: "opentelemetry.instrumentation.openai", ScopeVersion: "0.47.0", MapVersion: 1, WholeFragment: true, Resource: res,
		}
		if i == 0 {
			root = span
			f.Kind, f.Name, f.End = activity.KindAgent, "invoke_agent "+agent, start+30e9
		} else {
			f.Parent = activity.StepOfSpan(trace, root)
		}
		a := String(nil, "gen_ai.agent.name", agent)
		a = String(a, "gen_ai.conversation.id", session)
		a = String(a, "user.id", run.User)
		switch {
		case i == 0:
		case i%3 == 0:
			f.Kind, f.Name, f.ToolName = activity.KindTool, "execute_tool lookup_order", "lookup_order"
			f.ToolCallID = fmt.Sprintf("call_%x", g.id())[:29]
			if g.r.IntN(20) == 0 {
				f.Status, f.ErrorType, f.StatusMessage = activity.StatusError, "timeout", "upstream did not answer in 2 s"
				run.Errors++
			}
			run.ToolCalls++
			a = String(a, "gen_ai.operation.name", "execute_tool")
			a = String(a, "gen_ai.tool.name", f.ToolName)
			a = String(a, "gen_ai.tool.call.id", f.ToolCallID)
		default:
			model := models[g.r.IntN(len(models))]
			f.Kind, f.Name, f.Model, f.ModelRequested, f.Provider = activity.KindModel, "chat "+model, model, model, "openai"
			f.ResponseID = fmt.Sprintf("chatcmpl-%x", g.id())[:38]
			f.FinishReason = "stop"
			f.Usage.InputTotal, f.Usage.OutputTotal, f.Usage.CacheRead = 500+g.r.Int64N(4000), 20+g.r.Int64N(600), g.r.Int64N(400)
			s.Cost = activity.Cost{Nanos: f.Usage.InputTotal*150 + f.Usage.OutputTotal*600, Currency: "USD", Basis: activity.CostBook, Price: "genai-prices@2026-09-23 openai/" + model}
			s.Counted, s.Call = true, true
			run.ModelCalls++
			run.Usage.InputTotal += f.Usage.InputTotal
			run.Usage.OutputTotal += f.Usage.OutputTotal
			run.Usage.CacheRead += f.Usage.CacheRead
			run.Cost.Nanos += s.Cost.Nanos
			a = String(a, "gen_ai.operation.name", "chat")
			a = String(a, "gen_ai.provider.name", "openai")
			a = String(a, "gen_ai.request.model", model)
			a = String(a, "gen_ai.response.model", model)
			a = String(a, "gen_ai.response.id", f.ResponseID)
			a = Int(a, "gen_ai.usage.input_tokens", f.Usage.InputTotal)
			a = Int(a, "gen_ai.usage.output_tokens", f.Usage.OutputTotal)
			a = Int(a, "gen_ai.usage.cache_read.input_tokens", f.Usage.CacheRead)
			a = Strings(a, "gen_ai.response.finish_reasons", "stop")
			a = Int(a, "gen_ai.request.max_tokens", 1024)
			first := ordinal
			for range 2 {
				g.message(w, &run, &s, ordinal)
				ordinal++
			}
			s.Refs = []activity.ContentRef{
				{Field: activity.ContentInput, Format: "genai.messages", From: "gen_ai.input.messages", Messages: fmt.Sprintf("0-%d", first)},
				{Field: activity.ContentOutput, Format: "genai.messages", From: "gen_ai.output.messages", Messages: fmt.Sprint(first + 1)},
			}
		}
		for k := 0; k < 12; k++ {
			a = String(a, fmt.Sprintf("app.context.key_%02d", k), fmt.Sprintf("value-%d-%s", g.r.IntN(1000), words[g.r.IntN(len(words))]))
		}
		f.Attributes = a
		run.Steps++
		run.End = max(run.End, f.End)
		at += dur
		w.Steps = append(w.Steps, s)
		k := fmt.Sprint(f.Start/60e9, agent)
		d := rolls[k]
		if d == nil {
			d = &telemetry.RollupDelta{Minute: f.Start / 60e9, Agent: agent, Team: team, Environment: "production"}
			rolls[k] = d
		}
		d.Count++
		d.Errors += int64(f.Status / activity.StatusError)
		if s.Counted {
			d.InputTotal += f.Usage.InputTotal
			d.OutputTotal += f.Usage.OutputTotal
			d.CacheRead += f.Usage.CacheRead
			d.CostNanos += s.Cost.Nanos
		}
		if i == 0 {
			d.Runs++
		}
		d.Latency = append(d.Latency, telemetry.Bucket{Index: telemetry.Index(f.End - f.Start), Count: 1})
	}
	run.Models, run.Tools = models, []string{"lookup_order"}
	w.Runs = append(w.Runs, run)
}

func (g *Generator) message(w *telemetry.Write, run *activity.Run, s *activity.Step, ordinal int32) {
	role := []string{"user", "assistant"}[ordinal%2]
	raw, _ := json.Marshal(map[string]any{"role": role, "parts": []any{map[string]any{"type": "text", "content": g.prose(g.History)}}})
	w.Messages = append(w.Messages, activity.Message{
		Run: run.ID, Ordinal: ordinal, Step: s.Step, Time: s.Start, Day: int32(s.Start / int64(24*time.Hour)), Field: activity.ContentInput,
		Format: "genai.messages", Role: role, Hash: g.id(), Size: int32(len(raw)), Raw: raw, Agent: run.Agent, Team: run.Team, Env: run.Environment,
	})
}
