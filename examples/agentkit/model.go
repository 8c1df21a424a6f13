package agentkit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
)

// Message is one message of a conversation, in no provider's form.
type Message struct {
	Role       string // user, assistant, tool
	Content    string
	ToolCalls  []ToolCall // of an assistant
	ToolCallID string     // of a tool
}

// ToolCall is what a model asks for. Arguments is JSON text.
type ToolCall struct{ ID, Name, Arguments string }

// ToolDef is a tool offered to a model.
type ToolDef struct {
	Name, Description string
	Schema            json.RawMessage
}

// Usage counts tokens; Known is false when the provider said nothing.
type Usage struct {
	Input, Output, CacheRead int // Input includes CacheRead
	Known                    bool
}

// Reply is a model's answer.
type Reply struct {
	ID, Model, Finish string
	Message           Message
	Usage             Usage
	FirstToken        time.Duration // 0 when not streamed
}

// StatusError is an answer with an HTTP status that is no success.
type StatusError struct {
	Status     int
	Type       string // the provider's word: rate_limit_error, overloaded_error, ...
	Message    string
	RetryAfter time.Duration
}

// Error is the provider's word and message.
func (e *StatusError) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Message) }

// retryable says whether asking again may help.
func (e *StatusError) retryable() bool {
	return e.Status == http.StatusTooManyRequests || e.Status >= 500
}

// Model is a provider's endpoint. Safe for concurrent use.
type Model struct {
	Provider  string // "openai" or "anthropic": which wire format
	BaseURL   string // OPENAI_BASE_URL or ANTHROPIC_BASE_URL
	Key       string
	Name      string
	MaxTokens int
	Stream    bool // OpenAI only
	HTTP      *http.Client
}

// Ask sends the conversation once; retrying is the caller's.
func (m *Model) Ask(ctx context.Context, system string, history []Message, tools []ToolDef) (*Reply, error) {
	if m.Provider == "anthropic" {
		return m.askAnthropic(ctx, system, history, tools)
	}
	return m.askOpenAI(ctx, system, history, tools)
}

type openAIMessage struct {
	Role       string           `json:"role"`
	Content    *string          `json:"content"`
	ToolCalls  []openAIToolCall `json:"tool_calls,omitempty"`
	ToolCallID string           `json:"tool_call_id,omitempty"`
}

type openAIToolCall struct {
	Index    int    `json:"index,omitempty"`
	ID       string `json:"id,omitempty"`
	Type     string `json:"type,omitempty"`
	Function struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type openAIUsage struct {
	PromptTokens        int `json:"prompt_tokens"`
	CompletionTokens    int `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

type openAIAnswer struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Choices []struct {
		FinishReason *string       `json:"finish_reason"`
		Message      openAIMessage `json:"message"`
		Delta        openAIMessage `json:"delta"`
	} `json:"choices"`
	Usage *openAIUsage `json:"usage"`
}

// openAIMessages is the conversation in OpenAI's form.
func openAIMessages(system string, history []Message) []openAIMessage {
	out := []openAIMessage{{Role: "system", Content: &system}}
	for _, h := range history {
		om := openAIMessage{Role: h.Role, ToolCallID: h.ToolCallID}
		if h.Content != "" || len(h.ToolCalls) == 0 {
			om.Content = &h.Content
		}
		for _, c := range h.ToolCalls {
			oc := openAIToolCall{ID: c.ID, Type: "function"}
			oc.Function.Name, oc.Function.Arguments = c.Name, c.Arguments
			om.ToolCalls = append(om.ToolCalls, oc)
		}
		out = append(out, om)
	}
	return out
}

func openAITools(tools []ToolDef) []any {
	var out []any
	for _, t := range tools {
		out = append(out, map[string]any{"type": "function", "function": map[string]any{"name": t.Name, "description": t.Description, "parameters": t.Schema}})
	}
	return out
}

func (m *Model) askOpenAI(ctx context.Context, system string, history []Message, tools []ToolDef) (*Reply, error) {
	req := map[string]any{"model": m.Name, "messages": openAIMessages(system, history), "max_completion_tokens": m.MaxTokens}
	if len(tools) > 0 {
		req["tools"] = openAITools(tools)
	}
	if m.Stream {
		req["stream"] = true
		req["stream_options"] = map[string]any{"include_usage": true}
	}
	start := time.Now()
	resp, err := m.post(ctx, "/chat/completions", req, "Authorization", "Bearer "+m.Key)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if m.Stream {
		return readOpenAIStream(resp.Body, start)
	}
	var a openAIAnswer
	if err := decode(resp.Body, &a); err != nil {
		return nil, err
	}
	if len(a.Choices) == 0 {
		return nil, fmt.Errorf("the answer %s has no choice", a.ID)
	}
	c := a.Choices[0]
	r := &Reply{ID: a.ID, Model: a.Model, Message: Message{Role: "assistant"}, Usage: usageOf(a.Usage)}
	if c.FinishReason != nil {
		r.Finish = *c.FinishReason
	}
	r.Message.add(c.Message)
	return r, nil
}

func usageOf(u *openAIUsage) Usage {
	if u == nil {
		return Usage{}
	}
	return Usage{Input: u.PromptTokens, Output: u.CompletionTokens, CacheRead: u.PromptTokensDetails.CachedTokens, Known: true}
}

// add joins a message or a delta of one.
func (m *Message) add(o openAIMessage) {
	if o.Content != nil {
		m.Content += *o.Content
	}
	for _, c := range o.ToolCalls {
		if c.ID != "" { // a first piece, or a whole call
			m.ToolCalls = append(m.ToolCalls, ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		} else if n := len(m.ToolCalls); n > 0 {
			m.ToolCalls[n-1].Arguments += c.Function.Arguments
		}
	}
}

func readOpenAIStream(body io.Reader, start time.Time) (*Reply, error) {
	r := &Reply{Message: Message{Role: "assistant"}}
	sc := bufio.NewScanner(body)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		data, ok := strings.CutPrefix(sc.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			return r, nil
		}
		var a openAIAnswer
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			return nil, fmt.Errorf("reading the stream: %w", err)
		}
		if r.FirstToken == 0 {
			r.FirstToken = time.Since(start)
		}
		r.ID, r.Model = a.ID, a.Model
		if a.Usage != nil {
			r.Usage = usageOf(a.Usage)
		}
		for _, c := range a.Choices {
			r.Message.add(c.Delta)
			if c.FinishReason != nil {
				r.Finish = *c.FinishReason
			}
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("reading the stream: %w", err)
	}
	return nil, fmt.Errorf("the stream ended without [DONE]: %w", io.ErrUnexpectedEOF)
}

type anthropicBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   string          `json:"content,omitempty"`
}

type anthropicMessage struct {
	Role    string           `json:"role"`
	Content []anthropicBlock `json:"content"`
}

func anthropicMessages(history []Message) []anthropicMessage {
	var out []anthropicMessage
	for _, h := range history {
		am := anthropicMessage{Role: h.Role}
		switch {
		case h.Role == "tool":
			am.Role = "user"
			am.Content = []anthropicBlock{{Type: "tool_result", ToolUseID: h.ToolCallID, Content: h.Content}}
			// Results of one turn belong into one message.
			if n := len(out); n > 0 && out[n-1].Role == "user" && out[n-1].Content[0].Type == "tool_result" {
				out[n-1].Content = append(out[n-1].Content, am.Content...)
				continue
			}
		default:
			if h.Content != "" {
				am.Content = append(am.Content, anthropicBlock{Type: "text", Text: h.Content})
			}
			for _, c := range h.ToolCalls {
				am.Content = append(am.Content, anthropicBlock{Type: "tool_use", ID: c.ID, Name: c.Name, Input: json.RawMessage(c.Arguments)})
			}
		}
		out = append(out, am)
	}
	return out
}

func (m *Model) askAnthropic(ctx context.Context, system string, history []Message, tools []ToolDef) (*Reply, error) {
	req := map[string]any{"model": m.Name, "max_tokens": m.MaxTokens, "system": system, "messages": anthropicMessages(history)}
	if len(tools) > 0 {
		var defs []any
		for _, t := range tools {
			defs = append(defs, map[string]any{"name": t.Name, "description": t.Description, "input_schema": t.Schema})
		}
		req["tools"] = defs
	}
	resp, err := m.post(ctx, "/v1/messages", req, "x-api-key", m.Key)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a struct {
		ID, Model  string
		Content    []anthropicBlock
		StopReason string `json:"stop_reason"`
		Usage      *struct {
			Input      int `json:"input_tokens"`
			Output     int `json:"output_tokens"`
			CacheRead  int `json:"cache_read_input_tokens"`
			CacheWrite int `json:"cache_creation_input_tokens"`
		}
	}
	if err := decode(resp.Body, &a); err != nil {
		return nil, err
	}
	r := &Reply{ID: a.ID, Model: a.Model, Finish: a.StopReason, Message: Message{Role: "assistant"}}
	if a.Usage != nil { // Anthropic counts cached tokens apart
		r.Usage = Usage{a.Usage.Input + a.Usage.CacheRead + a.Usage.CacheWrite, a.Usage.Output, a.Usage.CacheRead, true}
	}
	for _, b := range a.Content {
		switch b.Type {
		case "text":
			r.Message.Content += b.Text
		case "tool_use":
			r.Message.ToolCalls = append(r.Message.ToolCalls, ToolCall{b.ID, b.Name, string(b.Input)})
		}
	}
	return r, nil
}

func (m *Model) post(ctx context.Context, path string, body any, header, value string) (*http.Response, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(m.BaseURL, "/")+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(header, value)
	// Whatever stands between joins its own view of this call to ours.
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
	if m.Provider == "anthropic" {
		req.Header.Set("anthropic-version", "2023-06-01")
	}
	c := m.HTTP
	if c == nil {
		c = &http.Client{Timeout: 2 * time.Minute}
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	e := &StatusError{Status: resp.StatusCode, Type: "http_error"}
	var problem struct {
		Error struct{ Type, Message string }
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && json.Unmarshal(answer, &problem) == nil && problem.Error.Type != "" {
		e.Type, e.Message = problem.Error.Type, problem.Error.Message
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return nil, e
}

func decode(r io.Reader, into any) error {
	if err := json.NewDecoder(io.LimitReader(r, 16<<20)).Decode(into); err != nil {
		return fmt.Errorf("reading the model's answer: %w", err)
	}
	return nil
}
