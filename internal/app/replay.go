package app

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/api"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/genai"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// replayer puts recorded model steps to models again; it implements api.Replayer.
type replayer struct{ app *App }

// Replay implements api.Replayer.
func (x replayer) Replay(ctx context.Context, who experiment.Actor, run *activity.Run, in api.Replay) (experiment.Replayed, experiment.Replaying, error) {
	r, _, err := x.prepare(ctx, run, in)
	if err != nil {
		return experiment.Replayed{}, r, err
	}
	out, err := x.app.experiments.Replay(ctx, who, r)
	return out, r, err
}

// paidBy is what model calls cost by today's prices: those of their replay are priced
// by the same.
func (x replayer) paidBy(calls []*activity.Step) (usd float64) {
	for _, s := range calls {
		_, cost := x.app.paid(s.Provider, s.Usage, s.Model, s.ModelRequested)
		usd += cost // NaN stays NaN
	}
	return usd
}

// Recorded are the newest runs of an agent at its place that are over and called a model.
func (x replayer) Recorded(ctx context.Context, name, team, environment string, limit int) ([]string, error) {
	// Tests are left out by the search: an agent that is tested often has more of them
	// than any page.
	filter := search.Both(search.Is("agent", name), search.Is("status", "done"), search.Is("team", team), search.Is("environment", environment), &search.Not{Of: search.Is("mode", evaluate.Test)})
	page, err := x.app.store.Runs(ctx, telemetry.RunsQuery{Filter: filter, Limit: limit})
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range page.Runs {
		out = append(out, page.Runs[i].ID.String())
	}
	return out, nil
}

// prepare reads a recorded step as what is put to a model, and the steps of its run.
func (x replayer) prepare(ctx context.Context, run *activity.Run, in api.Replay) (experiment.Replaying, *telemetry.StepsPage, error) {
	a := x.app
	r := experiment.Replaying{Agent: run.Agent, Run: run.ID.String(), Upstream: in.Upstream, Model: in.Model, Evaluators: in.Evaluators}
	step, page, messages, missing, err := x.step(ctx, run, in.Step)
	if err != nil {
		return r, nil, err
	}
	r.Step = step.Step.String()
	r.Chat, r.Left = chatOf(messages)
	if missing > 0 {
		r.Left["not_loaded"] = missing
	}
	if in.System != nil {
		r.Chat.System = *in.System
	}
	if in.Prompt != nil {
		r.Chat.Messages = withPrompt(r.Chat.Messages, *in.Prompt)
	}
	if len(r.Chat.Messages) == 0 {
		return r, nil, fault.New(fault.KindConflict, "experiment.not_recorded", "what this step was given was not recorded").WithHint("content is kept where the agent's setting and content rules say so")
	}
	r.Model = cmp.Or(r.Model, step.ModelRequested, step.Model)
	if r.Upstream == "" {
		if r.Upstream, err = x.upstreamOf(ctx, run, step.Step); err != nil {
			return r, nil, err
		}
	}
	if t, ok, err := (textsOf{a}).Texts(ctx, run.ID); err != nil {
		return r, nil, err
	} else if ok {
		r.Was = t.Answer
	}
	if r.Recording, err = a.recordingOf(ctx, r.Run); err != nil {
		return r, nil, err
	}
	r.Ask = func(ctx context.Context, t *experiment.Test, c *experiment.Chat) (experiment.Spoken, error) {
		return a.askReplay(ctx, t, &r, c)
	}
	return r, page, nil
}

// step finds the model step that is replayed, the run's first where none is named,
// with what it was given, and how many messages of that are not kept or too many to load.
func (x replayer) step(ctx context.Context, run *activity.Run, named string) (*activity.Step, *telemetry.StepsPage, []activity.Message, int64, error) {
	page, err := x.app.store.StepsPage(ctx, run.ID, telemetry.StepsQuery{Limit: textSteps, Light: true})
	if err != nil {
		return nil, nil, nil, 0, err
	}
	if len(page.Steps) == 0 {
		return nil, nil, nil, 0, fault.New(fault.KindUnavailable, "experiment.not_stored", "what this run did is not stored yet").WithHint("try again in some seconds")
	}
	var step *activity.Step
	for i := range page.Steps {
		s := &page.Steps[i]
		if s.Kind != activity.KindModel || named != "" && s.Step.String() != named {
			continue
		}
		if step == nil || s.Start < step.Start {
			step = s
		}
	}
	if step == nil {
		return nil, nil, nil, 0, fault.New(fault.KindNotFound, "experiment.no_step", "the run has no such model step").WithHint("`reeve replay RUN` takes the run's first one; of a run the first %d steps are looked at", textSteps)
	}
	var want []int32
	for k, ref := range step.Refs {
		if activity.Said(step.Refs, k) && ref.Field != activity.ContentOutput {
			want = append(want, ordinalsOf(ref.Messages)...)
		}
	}
	all, err := x.app.store.MessagesWithin(ctx, run.ID, want, messageBytes)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	at := map[int32]*activity.Message{}
	for i := range all {
		at[all[i].Ordinal] = &all[i]
	}
	// In the step's own order, with the field that it gave them in.
	var out []activity.Message
	var missing int64
	for k, ref := range step.Refs {
		if !activity.Said(step.Refs, k) || ref.Field == activity.ContentOutput {
			continue
		}
		for _, n := range ordinalsOf(ref.Messages) {
			m := at[n]
			if m == nil {
				missing++
				continue
			}
			c := *m
			c.Field = ref.Field
			out = append(out, c)
		}
	}
	return step, &page, out, missing, nil
}

// upstreamOf is where the step's call went, by its decision.
func (x replayer) upstreamOf(ctx context.Context, run *activity.Run, step activity.StepID) (string, error) {
	page, err := x.app.store.Decisions(ctx, telemetry.DecisionsQuery{Run: run.ID, Limit: 1000})
	if err != nil {
		return "", err
	}
	last := ""
	for i := range page.Decisions {
		if d := &page.Decisions[i]; d.Action == "call_model" && d.Upstream != "" {
			if last = d.Upstream; d.Step == step {
				return last, nil
			}
		}
	}
	if last == "" {
		return "", fault.New(fault.KindInvalid, "experiment.no_upstream", "the run called its model past the door: say which upstream is asked").WithHint("--upstream NAME; `reeve upstream list` lists them")
	}
	return last, nil
}

// chatOf reads what a model was given. A replay is of text and of calls of tools: left
// counts the rest by what it is, since without it the model is asked another thing.
func chatOf(messages []activity.Message) (c experiment.Chat, left map[string]int64) {
	left = map[string]int64{}
	for i := range messages {
		m := &messages[i]
		parsed, err := genai.Parse(m.Format, m.Raw)
		if err != nil {
			left["unreadable"]++
			continue
		}
		if m.Field == activity.ContentTools {
			for _, p := range parsed.Parts {
				if p.Type != genai.PartTool || p.Name == "" {
					left["tool"]++
					continue
				}
				c.Tools = append(c.Tools, experiment.Tool{Name: p.Name, Description: p.Text, Schema: p.Arguments})
			}
			continue
		}
		turn := experiment.Turn{Role: parsed.Role}
		for _, p := range parsed.Parts {
			switch p.Type {
			case genai.PartText:
				turn.Text += p.Text
			case genai.PartToolCall:
				turn.Calls = append(turn.Calls, experiment.Proposed{ID: p.ID, Name: p.Name, Arguments: p.Arguments, Recorded: true})
			case genai.PartToolResult:
				c.Messages = append(c.Messages, experiment.Turn{Role: "tool", CallID: p.ID, Text: cmp.Or(p.Text, p.Data)})
			default: // media, reasoning, documents, parts of a shape that is the sender's own
				left[p.Type]++
			}
		}
		switch {
		case m.Field == activity.ContentSystem || turn.Role == "system" || turn.Role == "developer":
			c.System = strings.TrimSpace(c.System + "\n\n" + turn.Text)
		case turn.Role == "assistant" && (turn.Text != "" || len(turn.Calls) > 0):
			c.Messages = append(c.Messages, turn)
		case turn.Role == "tool" || turn.Text == "":
			// its results are in already
		default:
			turn.Role = "user"
			c.Messages = append(c.Messages, turn)
		}
	}
	return c, left
}

// withPrompt puts other words in place of the user's last.
func withPrompt(all []experiment.Turn, text string) []experiment.Turn {
	out := slices.Clone(all)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i].Role == "user" {
			out[i].Text = text
			return out
		}
	}
	return append(out, experiment.Turn{Role: "user", Text: text})
}

const replayTokens = 4096 // of an answer

type obj = map[string]any

// askReplay puts a chat to the model, through the door, as a call of the test.
func (a *App) askReplay(ctx context.Context, t *experiment.Test, r *experiment.Replaying, c *experiment.Chat) (s experiment.Spoken, err error) {
	u, ok := a.upstreams.Lookup(r.Upstream)
	if !ok || u.Kind != "llm" {
		return s, fault.New(fault.KindNotFound, "experiment.no_upstream", "there is no upstream %.64s with models", r.Upstream).WithHint("`reeve upstream list` lists them")
	}
	in := inside{agent: r.Agent, run: t.Key, scope: "door " + gateway.TestScope(t.ID), upstream: u.Name, method: http.MethodPost, header: http.Header{"Content-Type": {"application/json"}}}
	var body obj
	switch u.Dialect {
	case "openai":
		in.path, body = "/v1/chat/completions", openAIChat(r.Model, c)
	case "anthropic":
		in.path, body = "/v1/messages", anthropicChat(r.Model, c)
		in.header["Anthropic-Version"] = []string{"2023-06-01"}
	default:
		return s, fault.New(fault.KindInvalid, "experiment.no_upstream", "upstream %s speaks %s; a replay speaks the formats of OpenAI and Anthropic", u.Name, cmp.Or(u.Dialect, "another format"))
	}
	if in.body, err = json.Marshal(body); err != nil {
		return s, err
	}
	if g, ok := a.agents.Lookup(r.Agent); ok {
		a.experiments.Tests.Name(t, a.doorScope(g).RunOfKey(t.Key))
	}
	out, err := a.callInside(ctx, in)
	if err != nil {
		return s, err
	}
	if out.status != http.StatusOK {
		return s, fault.New(fault.KindUnavailable, "experiment.model", "the model's provider answered with status %d", out.status).WithHint("its own words stand with the test's run")
	}
	text, model, usage := saidBy(out.body)
	s = experiment.Spoken{Turn: experiment.Turn{Role: "assistant", Text: text, Calls: proposedBy(out.body)}, Model: cmp.Or(model, r.Model), Decision: out.decision, Cost: math.NaN()}
	s.Tokens, s.Cost = a.paid(u.Dialect, usage, model, r.Model)
	return s, nil
}

// schemaOf is a tool's schema, or one that takes anything.
func schemaOf(t *experiment.Tool) json.RawMessage {
	if json.Valid([]byte(t.Schema)) && t.Schema != "" && t.Schema != "null" {
		return json.RawMessage(t.Schema)
	}
	return json.RawMessage(`{"type":"object"}`)
}

func openAIChat(model string, c *experiment.Chat) obj {
	messages := []any{}
	if c.System != "" {
		messages = append(messages, obj{"role": "system", "content": c.System})
	}
	for i := range c.Messages {
		m := &c.Messages[i]
		x := obj{"role": m.Role, "content": m.Text}
		if m.Role == "tool" {
			x["tool_call_id"] = m.CallID
		}
		if len(m.Calls) > 0 {
			calls := []any{}
			for _, p := range m.Calls {
				calls = append(calls, obj{"id": p.ID, "type": "function", "function": obj{"name": p.Name, "arguments": p.Arguments}})
			}
			x["tool_calls"] = calls
			if m.Text == "" {
				x["content"] = nil
			}
		}
		messages = append(messages, x)
	}
	body := obj{"model": model, "messages": messages, "max_tokens": replayTokens}
	if len(c.Tools) > 0 {
		tools := []any{}
		for i := range c.Tools {
			tools = append(tools, obj{"type": "function", "function": obj{"name": c.Tools[i].Name, "description": c.Tools[i].Description, "parameters": schemaOf(&c.Tools[i])}})
		}
		body["tools"] = tools
	}
	return body
}

func anthropicChat(model string, c *experiment.Chat) obj {
	type block = obj
	var messages []obj
	add := func(role string, b block) { // neighbours of one role are one message
		if n := len(messages); n > 0 && messages[n-1]["role"] == role {
			messages[n-1]["content"] = append(messages[n-1]["content"].([]block), b)
			return
		}
		messages = append(messages, obj{"role": role, "content": []block{b}})
	}
	for i := range c.Messages {
		m := &c.Messages[i]
		switch {
		case m.Role == "tool":
			add("user", block{"type": "tool_result", "tool_use_id": m.CallID, "content": m.Text})
		default:
			if m.Text != "" {
				add(m.Role, block{"type": "text", "text": m.Text})
			}
			for _, p := range m.Calls {
				args := json.RawMessage(p.Arguments)
				if !json.Valid(args) {
					args = json.RawMessage("{}")
				}
				add("assistant", block{"type": "tool_use", "id": p.ID, "name": p.Name, "input": args})
			}
		}
	}
	body := obj{"model": model, "messages": messages, "max_tokens": replayTokens}
	if c.System != "" {
		body["system"] = c.System
	}
	if len(c.Tools) > 0 {
		tools := []any{}
		for i := range c.Tools {
			tools = append(tools, obj{"name": c.Tools[i].Name, "description": c.Tools[i].Description, "input_schema": schemaOf(&c.Tools[i])})
		}
		body["tools"] = tools
	}
	return body
}

// proposedBy are the calls of tools in an answer in the format of OpenAI or Anthropic.
func proposedBy(body []byte) (out []experiment.Proposed) {
	var x struct {
		Choices []struct {
			Message struct {
				Calls []struct {
					ID       string `json:"id"`
					Function struct {
						Name      string `json:"name"`
						Arguments string `json:"arguments"`
					} `json:"function"`
				} `json:"tool_calls"`
			} `json:"message"`
		} `json:"choices"`
		Content []struct {
			Type  string          `json:"type"`
			ID    string          `json:"id"`
			Name  string          `json:"name"`
			Input json.RawMessage `json:"input"`
		} `json:"content"`
	}
	if json.Unmarshal(body, &x) != nil {
		return nil
	}
	if len(x.Choices) > 0 {
		for _, c := range x.Choices[0].Message.Calls {
			out = append(out, experiment.Proposed{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		}
	}
	for _, c := range x.Content {
		if c.Type == "tool_use" {
			out = append(out, experiment.Proposed{ID: c.ID, Name: c.Name, Arguments: string(c.Input)})
		}
	}
	return out
}
