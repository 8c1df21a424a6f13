package modelserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// content is a message's content in either format: text or blocks.
type content struct {
	text   string
	blocks []block
}

type block struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Input   json.RawMessage `json:"input"`
	Content *content        `json:"content"`
}

// UnmarshalJSON takes a string, null or a list of blocks.
func (c *content) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, &c.blocks)
	}
	if string(raw) == "null" {
		return nil
	}
	return json.Unmarshal(raw, &c.text)
}

var errEmpty = errors.New("messages: at least one is needed")

func parseOpenAI(body []byte) (*request, error) {
	var in struct {
		Model    string
		Messages []struct {
			Role      string
			Content   *content
			ToolCalls []struct {
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		Tools []struct {
			Function struct {
				Name string
			}
		}
		Stream        bool
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("the body is no chat completion request: %w", err)
	}
	r := &request{model: in.Model, stream: in.Stream, usage: in.StreamOptions.IncludeUsage}
	for _, t := range in.Tools {
		r.tools = append(r.tools, t.Function.Name)
		r.toolSize += 220
	}
	for _, m := range in.Messages {
		text := ""
		if m.Content != nil {
			text = m.Content.text
			for _, b := range m.Content.blocks {
				text += b.Text
			}
		}
		if m.Role == "system" || m.Role == "developer" {
			r.system += text
			continue
		}
		out := message{role: m.Role, text: text}
		for _, c := range m.ToolCalls {
			out.calls = append(out.calls, call{c.ID, c.Function.Name, c.Function.Arguments})
		}
		r.messages = append(r.messages, out)
	}
	if len(r.messages) == 0 {
		return nil, errEmpty
	}
	return r, nil
}

func parseAnthropic(body []byte) (*request, error) {
	var in struct {
		Model    string
		System   *content
		Messages []struct {
			Role    string
			Content *content
		}
		Tools  []struct{ Name string }
		Stream bool
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("the body is no messages request: %w", err)
	}
	r := &request{model: in.Model, stream: in.Stream, usage: true}
	if in.System != nil {
		r.system = in.System.text
		for _, b := range in.System.blocks {
			r.system += b.Text
		}
	}
	for _, t := range in.Tools {
		r.tools = append(r.tools, t.Name)
		r.toolSize += 220
	}
	for _, m := range in.Messages {
		if m.Content == nil {
			continue
		}
		out := message{role: m.Role, text: m.Content.text}
		for _, b := range m.Content.blocks {
			switch b.Type {
			case "text":
				out.text += b.Text
			case "tool_use":
				out.calls = append(out.calls, call{b.ID, b.Name, string(b.Input)})
			case "tool_result":
				text := ""
				if b.Content != nil {
					text = b.Content.text
					for _, part := range b.Content.blocks {
						text += part.Text
					}
				}
				r.messages = append(r.messages, message{role: "tool", text: text})
			}
		}
		if out.text != "" || out.calls != nil {
			r.messages = append(r.messages, out)
		}
	}
	if len(r.messages) == 0 {
		return nil, errEmpty
	}
	return r, nil
}

func writeOpenAI(w http.ResponseWriter, req *request, a *answer) {
	usage := map[string]any{
		"prompt_tokens": a.in, "completion_tokens": a.out, "total_tokens": a.in + a.out,
		"prompt_tokens_details": map[string]any{"cached_tokens": a.hit}, "completion_tokens_details": map[string]any{"reasoning_tokens": 0},
	}
	finish := "stop"
	var calls []any
	for i, c := range a.calls {
		finish = "tool_calls"
		calls = append(calls, map[string]any{"index": i, "id": c.id, "type": "function", "function": map[string]any{"name": c.name, "arguments": c.args}})
	}
	base := map[string]any{"id": "chatcmpl-" + a.id, "created": time.Now().Unix(), "model": req.model, "system_fingerprint": "fp_scripted"}
	with := func(kind string, more map[string]any) map[string]any {
		out := map[string]any{"object": kind}
		for k, v := range base {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	if !req.stream {
		msg := map[string]any{"role": "assistant", "content": a.text, "refusal": nil}
		if calls != nil {
			msg["tool_calls"] = calls
			if a.text == "" {
				msg["content"] = nil
			}
		}
		writeJSON(w, http.StatusOK, with("chat.completion", map[string]any{
			"choices": []any{map[string]any{"index": 0, "message": msg, "finish_reason": finish, "logprobs": nil}}, "usage": usage,
		}))
		return
	}
	e := newEvents(w)
	chunk := func(delta map[string]any, finish any) {
		e.send("", with("chat.completion.chunk", map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}}))
	}
	chunk(map[string]any{"role": "assistant", "content": ""}, nil)
	for _, piece := range pieces(a.text) {
		chunk(map[string]any{"content": piece}, nil)
	}
	if calls != nil {
		chunk(map[string]any{"tool_calls": calls}, nil)
	}
	chunk(map[string]any{}, finish)
	if req.usage {
		e.send("", with("chat.completion.chunk", map[string]any{"choices": []any{}, "usage": usage}))
	}
	e.raw("data: [DONE]\n\n")
}

func writeAnthropic(w http.ResponseWriter, req *request, a *answer) {
	// Anthropic counts cached tokens apart from input tokens.
	usage := map[string]any{
		"input_tokens": a.in - a.hit, "cache_read_input_tokens": a.hit, "cache_creation_input_tokens": 0,
		"output_tokens": a.out, "service_tier": "standard",
	}
	stop := "end_turn"
	var blocks []map[string]any
	if a.text != "" {
		blocks = append(blocks, map[string]any{"type": "text", "text": a.text})
	}
	for _, c := range a.calls {
		stop = "tool_use"
		blocks = append(blocks, map[string]any{"type": "tool_use", "id": c.id, "name": c.name, "input": json.RawMessage(c.args)})
	}
	msg := map[string]any{"id": "msg_" + a.id, "type": "message", "role": "assistant", "model": req.model, "content": blocks, "stop_reason": stop, "stop_sequence": nil, "usage": usage}
	if !req.stream {
		writeJSON(w, http.StatusOK, msg)
		return
	}
	e := newEvents(w)
	msg["content"], msg["stop_reason"] = []any{}, nil
	e.send("message_start", map[string]any{"type": "message_start", "message": msg})
	for i, b := range blocks {
		start := map[string]any{"type": b["type"]}
		var deltas []map[string]any
		if b["type"] == "text" {
			start["text"] = ""
			for _, piece := range pieces(a.text) {
				deltas = append(deltas, map[string]any{"type": "text_delta", "text": piece})
			}
		} else {
			start["id"], start["name"], start["input"] = b["id"], b["name"], map[string]any{}
			deltas = append(deltas, map[string]any{"type": "input_json_delta", "partial_json": string(b["input"].(json.RawMessage))})
		}
		e.send("content_block_start", map[string]any{"type": "content_block_start", "index": i, "content_block": start})
		for _, d := range deltas {
			e.send("content_block_delta", map[string]any{"type": "content_block_delta", "index": i, "delta": d})
		}
		e.send("content_block_stop", map[string]any{"type": "content_block_stop", "index": i})
	}
	e.send("message_delta", map[string]any{"type": "message_delta", "delta": map[string]any{"stop_reason": stop, "stop_sequence": nil}, "usage": map[string]any{"output_tokens": a.out}})
	e.send("message_stop", map[string]any{"type": "message_stop"})
}

// pieces cuts text as a stream does.
func pieces(text string) []string {
	var out []string
	for len(text) > 48 {
		out = append(out, text[:48])
		text = text[48:]
	}
	if text != "" {
		out = append(out, text)
	}
	return out
}

// events writes server-sent events.
type events struct{ w http.ResponseWriter }

func newEvents(w http.ResponseWriter) events {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	return events{w}
}

func (e events) send(event string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		return // only own values get here, and they can be encoded
	}
	if event != "" {
		event = "event: " + event + "\n"
	}
	e.raw(event + "data: " + string(raw) + "\n\n")
}

func (e events) raw(s string) {
	if _, err := e.w.Write([]byte(s)); err != nil {
		return // the caller has gone away
	}
	if f, ok := e.w.(http.Flusher); ok {
		f.Flush()
	}
}
