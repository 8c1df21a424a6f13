package genai

import (
	"encoding/json"
	"fmt"
	"strings"
)

// providerBlock is the shapes of a part that say by the name of a member what
// they are: Gemini's and Bedrock's.
type providerBlock struct {
	Thought          bool            `json:"thought"`
	FunctionCall     *namedValue     `json:"functionCall"`
	FunctionResponse *namedValue     `json:"functionResponse"`
	SnakeCall        *namedValue     `json:"function_call"` // Gemini as Python writes it
	SnakeResponse    *namedValue     `json:"function_response"`
	InlineData       *geminiData     `json:"inlineData"`
	FileData         *geminiData     `json:"fileData"`
	ToolUse          *namedValue     `json:"toolUse"`
	ToolResult       *namedValue     `json:"toolResult"`
	Reasoning        json.RawMessage `json:"reasoningContent"`
	Document         json.RawMessage `json:"document"`
	Video            json.RawMessage `json:"video"`
	Audio            json.RawMessage `json:"audio"`
}

type namedValue struct {
	ID       loose           `json:"id"`
	UseID    loose           `json:"toolUseId"`
	Name     loose           `json:"name"`
	Args     json.RawMessage `json:"args"`
	Input    json.RawMessage `json:"input"`
	Response json.RawMessage `json:"response"`
	Content  json.RawMessage `json:"content"`
}

type geminiData struct {
	MimeType loose `json:"mimeType"`
	URI      loose `json:"fileUri"`
}

// part reads a part that names itself by a member; ok is false for another.
func (b *block) part(raw []byte) (p Part, ok bool) {
	call := func(typ string, v *namedValue) (Part, bool) {
		p := Part{Type: typ, ID: string(first(v.ID, v.UseID)), Name: string(v.Name)}
		if typ == PartToolCall {
			p.Arguments = string(firstRaw(v.Args, v.Input))
			return p, true
		}
		p.setResult(firstRaw(v.Response, jsonOnly(v.Content)))
		return p, true
	}
	media := func(mime, uri string) (Part, bool) {
		p := Part{Type: PartMedia, MimeType: mime, URI: uri}
		if uri == "" {
			p.Data = string(raw)
		}
		return p, true
	}
	switch {
	case b.FunctionCall != nil:
		return call(PartToolCall, b.FunctionCall)
	case b.SnakeCall != nil:
		return call(PartToolCall, b.SnakeCall)
	case b.SnakeResponse != nil:
		return call(PartToolResult, b.SnakeResponse)
	case b.ToolUse != nil:
		return call(PartToolCall, b.ToolUse)
	case b.FunctionResponse != nil:
		return call(PartToolResult, b.FunctionResponse)
	case b.ToolResult != nil:
		return call(PartToolResult, b.ToolResult)
	case b.Thought && b.Text != "":
		return Part{Type: PartReasoning, Text: string(b.Text)}, true
	case object(b.Reasoning):
		var r struct {
			Text struct {
				Text loose `json:"text"`
			} `json:"reasoningText"`
		}
		_ = json.Unmarshal(b.Reasoning, &r) // what does not fit has no text
		return Part{Type: PartReasoning, Text: string(r.Text.Text)}, true
	case b.InlineData != nil:
		return media(string(b.InlineData.MimeType), "")
	case b.FileData != nil:
		return media(string(b.FileData.MimeType), string(b.FileData.URI))
	case object(b.Image):
		return media("image", link(b.Image))
	case object(b.Document):
		return media("document", "")
	case object(b.Video):
		return media("video", "")
	case object(b.Audio):
		return media("audio", "")
	}
	return Part{}, false
}

// jsonOnly is the value of [{"json": value}], how Converse gives a result that
// is no text; any other content stays.
func jsonOnly(content json.RawMessage) json.RawMessage {
	var list []struct {
		JSON json.RawMessage `json:"json"`
	}
	if json.Unmarshal(content, &list) == nil && len(list) == 1 && present(list[0].JSON) {
		return list[0].JSON
	}
	return content
}

// parseResponses reads an item of OpenAI's Responses.
func parseResponses(raw []byte) (Message, error) {
	m, err := parseMessage(raw)
	if err != nil {
		return m, err
	}
	if s, ok := words(raw); ok { // an input that is a text alone
		return text("user", s), nil
	}
	var item struct {
		Type      string          `json:"type"`
		CallID    loose           `json:"call_id"`
		Name      loose           `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Input     json.RawMessage `json:"input"`
		Action    json.RawMessage `json:"action"`
		Operation json.RawMessage `json:"operation"`
		Output    json.RawMessage `json:"output"`
		Summary   json.RawMessage `json:"summary"`
		Content   json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &item) != nil {
		return m, nil // no object: read above
	}
	switch kind := item.Type; {
	case kind == "" || kind == "message":
		return m, nil
	case kind == "reasoning":
		m = Message{Role: "assistant"}
		for _, p := range appendContent(appendContent(nil, item.Summary), item.Content) {
			m.Parts = append(m.Parts, Part{Type: PartReasoning, Text: p.Text})
		}
		if len(m.Parts) == 0 {
			m.Parts = []Part{{Type: PartReasoning}} // it thought, and does not say what
		}
		return m, nil
	case strings.HasSuffix(kind, "_call_output"):
		p := Part{Type: PartToolResult, ID: string(item.CallID)}
		p.setResult(item.Output)
		return Message{Role: "tool", Parts: []Part{p}}, nil
	case strings.HasSuffix(kind, "_call"):
		p := Part{Type: PartToolCall, ID: string(item.CallID), Name: string(item.Name)}
		if p.Name == "" {
			p.Name = strings.TrimSuffix(kind, "_call")
		}
		p.Arguments = unquote(firstRaw(item.Arguments, item.Input, item.Action, item.Operation))
		return Message{Role: "assistant", Parts: []Part{p}}, nil
	}
	return Message{Role: "assistant", Parts: []Part{{Type: PartJSON, Data: string(raw)}}}, nil
}

// parseGemini reads a content, or a candidate around one.
func parseGemini(raw []byte) (Message, error) {
	var c struct {
		FinishReason string          `json:"finishReason"`
		Content      json.RawMessage `json:"content"`
		Role         string          `json:"role"`
		Parts        json.RawMessage `json:"parts"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		if json.Valid(raw) {
			return parseMessage(raw)
		}
		return Message{}, fmt.Errorf("genai: message: %w", ErrFormat)
	}
	finish, candidate := c.FinishReason, object(c.Content)
	if candidate {
		inner := c.Content
		c.Role = "model"
		if json.Unmarshal(inner, &c) != nil {
			return Message{Role: "assistant", FinishReason: finish, Parts: []Part{{Type: PartJSON, Data: string(raw)}}}, nil
		}
	}
	m := Message{Role: canonical(c.Role), FinishReason: finish, Parts: appendContent(nil, c.Parts)}
	if len(m.Parts) == 0 && !candidate {
		m.Parts = []Part{{Type: PartJSON, Data: string(raw)}}
	}
	return m, nil
}
