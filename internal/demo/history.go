package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/encoding/protowire"

	"reeve/client"
	"reeve/examples/agentkit"
	"reeve/internal/bench"
)

// historyTotals is what was sent.
type historyTotals struct {
	runs, spans, bytes int64
	skipped            bool
	said               []opinion
}

// bodyBytes is the size at which a body is sent.
const bodyBytes = 1 << 20

// sendHistory makes and sends the history up to now, day after day so that the
// store's daily partitions fill one after the other, a few bodies at a time.
func (d *Demo) sendHistory(ctx context.Context, at Endpoints, now time.Time) (historyTotals, error) {
	if here, err := d.hasHistory(ctx, at); err != nil || here {
		return historyTotals{skipped: here}, err
	}
	var runs, spans, sent atomic.Int64
	var opinions []opinion
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	begin, said := time.Now(), time.Now()
	for day := range d.o.Days {
		if ctx.Err() != nil {
			break
		}
		bodies := map[place]*bytes.Buffer{}
		h := newHistory(d.o.Seed, day, d.o.Days, now)
		for i := range fleet {
			m := &fleet[i]
			where := place{m.team, m.environment}
			if bodies[where] == nil {
				bodies[where] = &bytes.Buffer{}
			}
			r, s := h.agentDay(i, m, bodies[where])
			runs.Add(int64(r))
			spans.Add(int64(s))
			if bodies[where].Len() > bodyBytes {
				body := bodies[where]
				bodies[where] = nil
				g.Go(func() error { sent.Add(int64(body.Len())); return d.post(ctx, at, where, body.Bytes()) })
			}
		}
		opinions = append(opinions, h.said...)
		for where, body := range bodies {
			if body != nil && body.Len() > 0 {
				g.Go(func() error { sent.Add(int64(body.Len())); return d.post(ctx, at, where, body.Bytes()) })
			}
		}
		if time.Since(said) > time.Second || day == d.o.Days-1 {
			said = time.Now()
			d.say("  day %2d of %d: %d runs, %d steps, %.0f MB, %.1f s", day+1, d.o.Days, runs.Load(), spans.Load(), float64(sent.Load())/1e6, time.Since(begin).Seconds())
		}
	}
	err := g.Wait()
	return historyTotals{runs: runs.Load(), spans: spans.Load(), bytes: sent.Load(), said: opinions}, err
}

// hasHistory tells whether an earlier demo filled this folder.
func (d *Demo) hasHistory(ctx context.Context, at Endpoints) (bool, error) {
	var page client.List[client.Run]
	err := call(ctx, at, http.MethodGet, "/runs?limit=1&from=-720h&to=-24h", nil, &page)
	if err != nil {
		return false, fmt.Errorf("looking for earlier history: %w", err)
	}
	return len(page.Items) > 0, nil
}

// post sends one body until it is taken; the server says when it is busy.
func (d *Demo) post(ctx context.Context, at Endpoints, where place, body []byte) error {
	key := d.keyOfPlace(where)
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.OTLP+"/v1/traces", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		resp, err := httpClient.Do(req)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		if err != nil {
			return err
		}
		switch resp.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			seconds, _ := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(max(time.Duration(seconds*float64(time.Second)), 100*time.Millisecond)):
			}
		default:
			return fmt.Errorf("the intake refused generated history: %s: %.300s", resp.Status, answer)
		}
	}
}

// history makes one day.
type history struct {
	seed      uint64
	day, days int
	start     time.Time // of the day
	now       time.Time // nothing starts after this
	r         *rand.Rand
	attrs     []byte
	spans     []byte
	said      []opinion
}

func newHistory(seed uint64, day, days int, now time.Time) *history {
	start := now.Add(-time.Duration(days-day) * 24 * time.Hour)
	return &history{seed: seed, day: day, days: days, start: start, now: now.Add(-10 * time.Minute)}
}

// agentDay appends all runs of one agent on this day as one request and says
// how many runs and spans there are.
func (h *history) agentDay(index int, m *member, out *bytes.Buffer) (runs, spans int) {
	h.r = rand.New(rand.NewPCG(h.seed, uint64(index)<<16|uint64(h.day)))
	h.spans = h.spans[:0]
	w := works[m.work]
	v := h.version(m)
	a := &agentkit.Agent{
		Name: m.name, ID: m.team + "/" + m.name, Version: v, Description: w.task, System: w.system, Mode: w.mode,
		Model: &agentkit.Model{Provider: m.provider, Name: h.modelOf(m), MaxTokens: 1024}, Dialect: dialects[m.framework].dialect, Tools: &agentkit.Tools{},
	}
	defs := w.defs()
	var session string
	var user string
	for hour := range 24 {
		at := h.start.Add(time.Duration(hour) * time.Hour)
		for range h.poisson(m.perDay * 1.35 * share(m, at)) {
			start := at.Add(time.Duration(h.r.Int64N(int64(time.Hour))))
			if start.After(h.now) {
				continue
			}
			follow := session != "" && w.mode == "interactive" && h.r.IntN(4) == 0
			if !follow {
				session, user = h.session(w), ""
				if w.mode == "interactive" {
					user = fmt.Sprintf("user-%d", 1000+h.r.IntN(900))
				}
			}
			spans += h.run(m, &w, a, defs, start, session, user, follow)
			runs++
		}
	}
	if runs == 0 {
		return 0, 0
	}
	d := dialects[m.framework]
	res := bench.AppendText(nil, bench.ResourceAttr, "service.name", m.name)
	res = bench.AppendText(res, bench.ResourceAttr, "service.namespace", m.team)
	res = bench.AppendText(res, bench.ResourceAttr, "service.version", v)
	res = bench.AppendText(res, bench.ResourceAttr, "deployment.environment.name", m.environment)
	res = bench.AppendText(res, bench.ResourceAttr, "reeve.framework", m.framework)
	res = bench.AppendBool(res, bench.ResourceAttr, "reeve.generated", true)
	out.Write(bench.AppendRequest(nil, res, bench.Scope{Name: d.scope, Version: d.version}, h.spans))
	return runs, spans
}

func (h *history) version(m *member) string {
	minor := 2 + h.day/9
	if m.quirks.newOn > 0 {
		minor = 4
		if h.changed(m) {
			minor = 5
		}
	}
	if h.handsOver(m) {
		minor = 7
	}
	return fmt.Sprintf("%d.%d.%d", 1+len(m.name)%3, minor, len(m.work)%4)
}

// handsOver is whether the agent's version that gives work to people runs.
func (h *history) handsOver(m *member) bool { return m.quirks.handsOver && h.day >= h.days-2 }

// changed is whether the agent's notable new version runs on this day.
func (h *history) changed(m *member) bool {
	return m.quirks.newOn > 0 && h.day >= m.quirks.newOn*h.days/30
}

func (h *history) modelOf(m *member) string {
	if m.quirks.newModel != "" && h.changed(m) {
		return m.quirks.newModel
	}
	return m.model
}

// share is the part of a working day's runs that falls into this hour: people
// ask in working hours, jobs run at night, weekends are calm.
func share(m *member, at time.Time) float64 {
	at = at.UTC()
	if m.quirks.nightly {
		if hour := at.Hour(); hour >= 1 && hour <= 3 {
			return 1. / 3
		}
		return 0
	}
	s := 0.25 / 24
	if hour := float64(at.Hour()); hour >= 6 && hour < 20 {
		s += 0.75 / 8.9 * math.Sin((hour-6)/14*math.Pi)
	}
	switch at.Weekday() {
	case time.Saturday:
		s *= 0.3
	case time.Sunday:
		s *= 0.2
	}
	return s
}

func (h *history) poisson(mean float64) int {
	n := 0
	for p := h.r.ExpFloat64(); p < mean; p += h.r.ExpFloat64() {
		n++
	}
	return n
}

func (h *history) session(w work) string {
	kind := "chat"
	if w.mode != "interactive" {
		kind = "job"
	}
	return fmt.Sprintf("%s-%08x", kind, h.r.Uint32())
}

func (w *work) defs() []agentkit.ToolDef {
	var out []agentkit.ToolDef
	for _, t := range w.tools {
		out = append(out, agentkit.ToolDef{Name: t.name, Description: t.description, Schema: json.RawMessage(`{"type":"object"}`)})
	}
	return out
}

// words fills a text's places. Numbers are drawn once a run so that what was
// asked, looked up and answered is about one thing.
func (h *history) words(w *work) *strings.Replacer {
	return strings.NewReplacer("{n}", strconv.Itoa(1000+h.r.IntN(9000)), "{d}", strconv.Itoa(2+h.r.IntN(7)), "{s}", w.subjects[h.r.IntN(len(w.subjects))])
}

func pickOf[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (h *history) id() (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], h.r.Uint64()|1)
	return b
}

// one is a run being made.
type one struct {
	h       *history
	m       *member
	a       *agentkit.Agent
	task    agentkit.Task
	trace   [16]byte
	parent  [8]byte
	at      time.Time
	n       int
	failing bool // something goes wrong for good
	outage  bool // the provider has its bad day
	ended   string
}

// run appends the spans of one run, children first, and says how many.
func (h *history) run(m *member, w *work, a *agentkit.Agent, defs []agentkit.ToolDef, start time.Time, session, user string, follow bool) int {
	fill := h.words(w)
	o := &one{h: h, m: m, a: a, parent: h.id(), at: start.Add(2 * time.Millisecond)}
	first, second := h.id(), h.id()
	copy(o.trace[:], first[:])
	copy(o.trace[8:], second[:])
	prompt := pickOf(h.r, w.prompts)
	if follow {
		prompt = pickOf(h.r, w.followUp)
	}
	o.task = agentkit.Task{Name: w.task, Prompt: fill.Replace(prompt), Session: session, User: user}
	o.outage = m.quirks.badDay > 0 && h.day == m.quirks.badDay*h.days/30 && start.UTC().Hour() >= 10 && start.UTC().Hour() < 13
	o.failing = h.r.Float64() < 0.02+m.quirks.failing || o.outage && h.r.IntN(10) < 6

	history := []agentkit.Message{{Role: "user", Content: o.task.Prompt}}
	turns := 1 + h.r.IntN(w.turns)
	if m.quirks.longRuns && h.r.IntN(4) == 0 {
		turns *= 3
	}
	failed, lastTool := "", 0
	for turn := range turns {
		if o.outage && h.r.IntN(3) > 0 || h.r.IntN(90) == 0 {
			o.model(history, defs, nil, pickOf(h.r, []string{"rate_limit_error", "overloaded_error"}))
			o.at = o.at.Add(time.Duration(1+h.r.IntN(4)) * time.Second)
		}
		last := turn == turns-1
		if o.failing && last && (o.outage || h.r.IntN(2) == 0) {
			for range 2 {
				o.model(history, defs, nil, "overloaded_error")
			}
			failed = "overloaded_error"
			break
		}
		reply := &agentkit.Reply{Message: agentkit.Message{Role: "assistant"}, Finish: "stop"}
		if last {
			reply.Message.Content = fill.Replace(pickOf(h.r, w.answers))
			o.model(history, defs, reply, "")
			history = append(history, reply.Message)
			break
		}
		var called []toolText
		for range 1 + h.r.IntN(5)/4 {
			called = append(called, w.tools[lastTool%len(w.tools)])
			lastTool++
		}
		reply.Finish = "tool_calls"
		for _, t := range called {
			reply.Message.ToolCalls = append(reply.Message.ToolCalls, agentkit.ToolCall{ID: fmt.Sprintf("call_%08x", h.r.Uint32()), Name: t.name, Arguments: fill.Replace(t.arguments)})
		}
		if h.r.IntN(3) == 0 {
			reply.Message.Content = pickOf(h.r, []string{"Let me check that.", "I need one more fact.", "One moment.", "First I look it up."})
		}
		o.model(history, defs, reply, "")
		history = append(history, reply.Message)
		for i, t := range called {
			result := o.tool(reply.Message.ToolCalls[i], t, fill)
			history = append(history, agentkit.Message{Role: "tool", ToolCallID: reply.Message.ToolCalls[i].ID, Content: result})
		}
		if m.quirks.delegates && turn == 0 && h.r.IntN(3) == 0 {
			o.delegate(fill, w)
		}
	}
	if o.failing && failed == "" && h.r.IntN(2) == 0 {
		failed = pickOf(h.r, []string{"turn_limit", "tool_error", "timeout"})
	}
	// A few senders die before their root leaves.
	if h.r.IntN(250) == 0 {
		return o.n
	}
	o.root(history, start, failed)
	o.opine()
	return o.n
}

// model appends one model call; reply is nil when it failed with kind.
func (o *one) model(history []agentkit.Message, defs []agentkit.ToolDef, reply *agentkit.Reply, kind string) {
	h := o.h
	name, attrs := o.a.Dialect.Model(o.a, o.task, history, defs)
	took := time.Duration(float64(550*time.Millisecond) * math.Exp(0.5*h.r.NormFloat64()))
	s := bench.Span{Name: name, Kind: bench.KindClient}
	if reply == nil {
		took /= 4
		attrs = append(attrs, attribute.String("error.type", kind))
		s.Status, s.StatusMessage = bench.StatusError, "the provider answered "+kind
	} else {
		// Frameworks send instructions of their own that no SDK records.
		in := 1500 + 300*(len(o.m.name)%12) + (len(o.a.System)+200*len(defs))/4
		hit := in / 128 * 128 * (o.n & 1)
		for i, m := range history {
			in += 6 + (len(m.Content)+60*len(m.ToolCalls))/4
			if i == len(history)-3 {
				hit = in / 64 * 64
			}
		}
		if hit < 256 {
			hit = 0
		}
		out := 12 + (len(reply.Message.Content)+50*len(reply.Message.ToolCalls))/4 + h.r.IntN(60)
		reply.ID, reply.Model = fmt.Sprintf("resp_%012x", h.r.Uint64()>>16), o.a.Model.Name
		reply.Usage = agentkit.Usage{Input: in, Output: out, CacheRead: hit, Known: !o.m.quirks.noUsage}
		took = took * time.Duration(250+out) / 250 // as the scripted model answers
		attrs = append(attrs, o.a.Dialect.ModelEnd(reply)...)
	}
	o.add(s, attrs, took)
}

// tool appends one tool call and gives its result.
func (o *one) tool(c agentkit.ToolCall, t toolText, fill *strings.Replacer) string {
	h := o.h
	name, attrs := o.a.Dialect.Tool(o.a, o.task, c)
	took := time.Duration(float64(t.typical) * float64(time.Millisecond) * math.Exp(0.45*h.r.NormFloat64()))
	if o.m.quirks.slowTool > 0 && h.changed(o.m) {
		took = time.Duration(float64(took) * o.m.quirks.slowTool)
	}
	if h.r.IntN(60) == 0 {
		took *= 12 // a slow spot
	}
	s := bench.Span{Name: name, Kind: bench.KindInternal}
	result := fill.Replace(pickOf(h.r, t.results))
	if h.r.IntN(45) == 0 || o.failing && h.r.IntN(4) == 0 {
		result = t.failure
		attrs = append(attrs, attribute.String("error.type", "tool_error"))
		s.Status, s.StatusMessage = bench.StatusError, t.failure
	}
	o.add(s, append(attrs, o.a.Dialect.ToolEnd(result)...), took)
	return result
}

// delegate appends a nested agent with one model call of its own.
func (o *one) delegate(fill *strings.Replacer, w *work) {
	outer, agent := o.parent, o.a
	helper := *o.a
	helper.Name, helper.ID, helper.System = o.m.name+"-policy", o.m.team+"/"+o.m.name+"-policy", "You check whether a request is within policy. Answer in one sentence."
	o.a, o.parent = &helper, o.h.id()
	begin := o.at
	ask := []agentkit.Message{{Role: "user", Content: "Is this within policy? " + o.task.Prompt}}
	reply := &agentkit.Reply{Finish: "stop", Message: agentkit.Message{Role: "assistant", Content: fill.Replace("Yes, {s} is covered; limits are not reached.")}}
	o.model(ask, nil, reply, "")
	name, attrs := helper.Dialect.Agent(&helper, o.task)
	attrs = append(attrs, helper.Dialect.AgentEnd(reply.Message.Content)...)
	s := bench.Span{ID: o.parent, Parent: outer, Name: name, Kind: bench.KindInternal}
	o.a, o.parent = agent, outer
	o.write(s, attrs, begin, o.at)
}

// outcomes is how runs end for their users, when the agent says so.
var outcomes = []string{"resolved", "resolved", "resolved", "resolved", "resolved", "resolved", "contained", "escalated", "escalated", "abandoned"}

func (o *one) root(history []agentkit.Message, start time.Time, failed string) {
	h := o.h
	name, attrs := o.a.Dialect.Agent(o.a, o.task)
	last := history[len(history)-1]
	if last.Role == "assistant" && failed == "" {
		attrs = append(attrs, o.a.Dialect.AgentEnd(last.Content)...)
	}
	attrs = append(attrs, attribute.String("reeve.task", o.task.Name), attribute.String("reeve.mode", o.a.Mode))
	s := bench.Span{ID: o.parent, Name: name, Kind: bench.KindInternal, Status: bench.StatusOK}
	switch {
	case failed != "":
		s.Status, s.StatusMessage = bench.StatusError, "the run ended with "+failed
		o.ended = "failed"
	case len(o.m.name)%4 != 0: // a quarter of the agents never says: unknown is not resolved
		o.ended = pickOf(h.r, outcomes)
		if h.handsOver(o.m) && h.r.Float64() < 0.75 {
			o.ended = "escalated"
		}
	}
	if failed != "" {
		attrs = append(attrs, attribute.String("error.type", failed))
	}
	if o.ended != "" {
		attrs = append(attrs, attribute.String("reeve.outcome", o.ended))
	}
	o.write(s, attrs, start, o.at.Add(3*time.Millisecond))
}

// add appends a step under the current parent and moves on in time.
func (o *one) add(s bench.Span, attrs []attribute.KeyValue, took time.Duration) {
	s.ID, s.Parent = o.h.id(), o.parent
	o.write(s, attrs, o.at, o.at.Add(took))
	o.at = o.at.Add(took + time.Millisecond)
}

func (o *one) write(s bench.Span, attrs []attribute.KeyValue, start, end time.Time) {
	s.Trace, s.Start, s.End = o.trace, start.UnixNano(), end.UnixNano()
	b := o.h.attrs[:0]
	for _, kv := range attrs {
		b = appendAttribute(b, kv)
	}
	o.h.attrs = b
	s.Attributes = b
	o.h.spans = bench.AppendSpan(o.h.spans, &s)
	o.n++
}

// appendAttribute writes the kinds of values that the dialects use.
func appendAttribute(b []byte, kv attribute.KeyValue) []byte {
	const field protowire.Number = bench.SpanAttr
	key := string(kv.Key)
	switch kv.Value.Type() {
	case attribute.INT64:
		return bench.AppendInt(b, field, key, kv.Value.AsInt64())
	case attribute.FLOAT64:
		return bench.AppendFloat(b, field, key, kv.Value.AsFloat64())
	case attribute.BOOL:
		return bench.AppendBool(b, field, key, kv.Value.AsBool())
	case attribute.STRINGSLICE:
		return bench.AppendTexts(b, field, key, kv.Value.AsStringSlice()...)
	default:
		return bench.AppendText(b, field, key, kv.Value.AsString())
	}
}
