package genai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// The formats, by their stable names. One that ends in ".messages",
// ".documents" or ".tools" is a JSON array whose elements are stored one by
// one; the functions of this package take such an element. The others are one
// value.
const (
	Messages               = "genai.messages"            // OTel GenAI: {role, parts[]}
	Parts                  = "genai.parts"               // OTel GenAI system instructions: the array is one value
	Events                 = "genai.event.messages"      // OTel GenAI, a message an event: {role, content, tool_calls[]} or {message, finish_reason}
	Tools                  = "genai.tools"               // tool definitions of any vendor
	Documents              = "genai.documents"           // OTel GenAI retrieval: {id, score}
	OpenAI                 = "openai.messages"           // chat completions: {role, content, tool_calls[]}
	Anthropic              = "anthropic.messages"        // {role, content: blocks[]}
	Responses              = "openai.responses.messages" // Responses: items {type, role, content} or {type, call_id, name, arguments}, or a text
	Gemini                 = "gemini.messages"           // {role, parts: [{text} | {functionCall} | …]}, or a candidate {content, finishReason}
	Bedrock                = "bedrock.messages"          // Converse: {role, content: [{text} | {toolUse} | …]}
	OpenInference          = "openinference.messages"    // put together from llm.*_messages.{i}.message.*
	OpenInferenceTools     = "openinference.tools"       // put together from llm.tools.{i}
	OpenInferenceDocuments = "openinference.documents"   // put together from retrieval.documents.{i}.document.*
	Traceloop              = "traceloop.messages"        // put together from gen_ai.prompt.{i}.* and gen_ai.completion.{i}.*
	JSON                   = "json"                      // one JSON value of the sender's own shape
	Text                   = "text"                      // plain text
)

// Message is one message, tool definition, document or value in the canonical
// form. Role is system, user, assistant or tool, what the sender wrote when it
// is none of the words known for these, and "" where the format has none.
type Message struct {
	Role         string
	Name         string // of the participant, where the sender gave one
	FinishReason string // as the sender gave it; model output only
	Parts        []Part
}

// The types of a Part.
const (
	PartText       = "text"
	PartReasoning  = "reasoning"
	PartToolCall   = "tool_call"   // Name, ID, Arguments
	PartToolResult = "tool_result" // ID, and Text or Data
	PartMedia      = "media"       // MimeType, and URI or Data
	PartTool       = "tool"        // a definition: Name, Text (description), Arguments (JSON schema)
	PartDocument   = "document"    // ID, Text, Data (the whole document)
	PartJSON       = "json"        // Data: what no other type describes
)

// Part is one piece of a Message; which fields are set depends on Type.
type Part struct {
	Type      string
	Text      string
	ID        string
	Name      string
	Arguments string // JSON text
	MimeType  string
	URI       string
	Data      string // JSON text
}

// Parse reads one message, or one value, of a format. An unknown format is
// read as JSON when it is JSON, else as text. Text that is no JSON in a format
// that is JSON gives ErrFormat.
func Parse(format string, raw []byte) (Message, error) {
	switch format {
	case Text:
		return text("", string(raw)), nil
	case Messages, Events, OpenAI, Anthropic, Bedrock, OpenInference, Traceloop:
		return parseMessage(raw)
	case Responses:
		return parseResponses(raw)
	case Gemini:
		return parseGemini(raw)
	case Parts:
		m := Message{Role: "system"}
		if !json.Valid(raw) {
			return m, fmt.Errorf("genai: %s: %w", format, ErrFormat)
		}
		m.Parts = appendContent(nil, raw)
		return m, nil
	}
	if !json.Valid(raw) {
		if format == JSON || strings.HasSuffix(format, ".tools") || strings.HasSuffix(format, ".documents") {
			return Message{}, fmt.Errorf("genai: %s: %w", format, ErrFormat)
		}
		return text("", string(raw)), nil
	}
	switch {
	case strings.HasSuffix(format, ".messages"):
		return parseMessage(raw)
	case strings.HasSuffix(format, ".tools"):
		return Message{Parts: []Part{parseTool(raw)}}, nil
	case strings.HasSuffix(format, ".documents"):
		return Message{Parts: []Part{parseDocument(raw)}}, nil
	}
	var s string
	if json.Unmarshal(raw, &s) == nil && raw[space(raw, 0)] == '"' {
		return text("", s), nil
	}
	return Message{Parts: []Part{{Type: PartJSON, Data: string(raw)}}}, nil
}

func text(role, s string) Message {
	return Message{Role: role, Parts: []Part{{Type: PartText, Text: s}}}
}

// wire is the union of the shapes of a message.
type wire struct {
	Role         string          `json:"role"`
	Type         string          `json:"type"`
	Name         loose           `json:"name"`
	ID           loose           `json:"id"`
	FinishReason loose           `json:"finish_reason"`
	Parts        json.RawMessage `json:"parts"`
	Content      json.RawMessage `json:"content"`
	Contents     json.RawMessage `json:"contents"`
	Text         loose           `json:"text"`
	Reasoning    loose           `json:"reasoning_content"`
	Refusal      loose           `json:"refusal"`
	ToolCalls    json.RawMessage `json:"tool_calls"`
	ToolCallID   loose           `json:"tool_call_id"`
	Function     json.RawMessage `json:"function_call"`
	Message      json.RawMessage `json:"message"`
	Kwargs       json.RawMessage `json:"kwargs"` // LangChain's constructor form
	Additional   struct {
		ToolCalls json.RawMessage `json:"tool_calls"`
	} `json:"additional_kwargs"` // LangChain: where calls stand that have no place of their own
}

// loose is a string that also takes what else senders put there.
type loose string

// UnmarshalJSON takes a string as it is, null as "", the rest as its JSON text.
func (l *loose) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case string(b) == "null":
	case json.Unmarshal(b, &s) == nil:
		*l = loose(s)
	default:
		*l = loose(b)
	}
	return nil
}

func parseMessage(raw []byte) (Message, error) {
	if i := space(raw, 0); i < len(raw) && raw[i] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return text("", s), nil
		}
	}
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		if json.Valid(raw) {
			return Message{Parts: []Part{{Type: PartJSON, Data: string(raw)}}}, nil
		}
		return Message{}, fmt.Errorf("genai: message: %w", ErrFormat)
	}
	if inner := w.Message; object(inner) {
		finish := w.FinishReason
		role := w.Role
		w = wire{Role: role}
		if err := json.Unmarshal(inner, &w); err != nil {
			return Message{Role: canonical(role), Parts: []Part{{Type: PartJSON, Data: string(raw)}}}, nil
		}
		if w.Role == "" {
			w.Role = "assistant"
		}
		if w.FinishReason == "" {
			w.FinishReason = finish
		}
	}
	if object(w.Kwargs) {
		return parseLangChain(raw, w.Kwargs)
	}
	return w.message(raw), nil
}

// message builds the canonical form; raw is the whole, kept when nothing of it
// was understood.
func (w *wire) message(raw []byte) Message {
	m := Message{Role: canonical(w.Role), Name: string(w.Name), FinishReason: string(w.FinishReason)}
	if m.Role == "" && w.Type != "" {
		m.Role = canonical(w.Type)
	}
	if w.Reasoning != "" {
		m.Parts = append(m.Parts, Part{Type: PartReasoning, Text: string(w.Reasoning)})
	}
	id := w.ToolCallID
	if id == "" && m.Role == "tool" {
		id = w.ID
	}
	if m.Role == "tool" && present(w.Content) {
		p := Part{Type: PartToolResult, ID: string(id), Name: m.Name}
		p.setResult(w.Content)
		m.Parts = append(m.Parts, p)
	} else {
		m.Parts = appendContent(m.Parts, w.Content)
	}
	m.Parts = appendContent(m.Parts, w.Contents)
	m.Parts = appendContent(m.Parts, w.Parts)
	if w.Text != "" && len(m.Parts) == 0 {
		m.Parts = append(m.Parts, Part{Type: PartText, Text: string(w.Text)})
	}
	if w.Refusal != "" {
		m.Parts = append(m.Parts, Part{Type: PartText, Text: string(w.Refusal)})
	}
	_ = Split(w.ToolCalls, func(e []byte) bool { // an error: what was read before it stays
		m.Parts = m.addCall(parsePart(e))
		return true
	})
	_ = Split(w.Additional.ToolCalls, func(e []byte) bool { // as above
		m.Parts = m.addCall(parsePart(e))
		return true
	})
	if object(w.Function) {
		p := parsePart(w.Function)
		p.Type = PartToolCall
		m.Parts = append(m.Parts, p)
	}
	if len(m.Parts) == 0 && w.Role == "" {
		m.Parts = []Part{{Type: PartJSON, Data: string(raw)}}
	}
	return m
}

// addCall appends a tool call unless the content held it already: OpenInference
// repeats Anthropic's blocks among the calls.
func (m *Message) addCall(p Part) []Part {
	p.Type = PartToolCall
	for _, q := range m.Parts {
		if q.Type == PartToolCall && q.ID != "" && q.ID == p.ID {
			return m.Parts
		}
	}
	return append(m.Parts, p)
}

func parseLangChain(raw, kwargs []byte) (Message, error) {
	var outer struct {
		ID []string `json:"id"`
	}
	var w wire
	if json.Unmarshal(raw, &outer) != nil || json.Unmarshal(kwargs, &w) != nil {
		return Message{Parts: []Part{{Type: PartJSON, Data: string(raw)}}}, nil
	}
	if n := len(outer.ID); n > 0 && w.Role == "" {
		name := strings.ToLower(outer.ID[n-1])
		w.Role = strings.TrimSuffix(strings.TrimSuffix(name, "chunk"), "message")
	}
	return w.message(raw), nil
}

// block is the union of the shapes of a part.
type block struct {
	Type       string          `json:"type"`
	ID         loose           `json:"id"`
	CallID     loose           `json:"call_id"`
	ToolUseID  loose           `json:"tool_use_id"`
	ToolCallID loose           `json:"tool_call_id"`
	ToolID     loose           `json:"tool_id"`    // Datadog
	CamelID    loose           `json:"toolCallId"` // AI SDK
	CamelName  loose           `json:"toolName"`
	Name       loose           `json:"name"`
	Text       loose           `json:"text"`
	Thinking   loose           `json:"thinking"`
	Content    json.RawMessage `json:"content"`
	Arguments  json.RawMessage `json:"arguments"`
	Args       json.RawMessage `json:"args"`
	Input      json.RawMessage `json:"input"`
	Response   json.RawMessage `json:"response"`
	Result     json.RawMessage `json:"result"`
	Output     json.RawMessage `json:"output"`
	Function   *struct {
		Name      loose           `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
	MimeType  string          `json:"mime_type"`
	MediaType string          `json:"media_type"`
	Modality  string          `json:"modality"`
	URI       loose           `json:"uri"`
	URL       loose           `json:"url"`
	FileID    loose           `json:"file_id"`
	Data      loose           `json:"data"`
	ImageURL  json.RawMessage `json:"image_url"`
	Image     json.RawMessage `json:"image"`
	Source    *struct {
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
		URL       string `json:"url"`
	} `json:"source"`
	ToolCall json.RawMessage `json:"tool_call"`

	providerBlock
}

// appendContent adds what a content is: a string, one block, or several.
func appendContent(parts []Part, raw []byte) []Part {
	i := space(raw, 0)
	if i >= len(raw) {
		return parts
	}
	switch raw[i] {
	case 'n':
		return parts
	case '[':
		_ = Split(raw, func(e []byte) bool { // an error: what was read before it stays
			parts = appendContent(parts, e)
			return true
		})
		return parts
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			if s == "" {
				return parts
			}
			return append(parts, Part{Type: PartText, Text: s})
		}
	case '{':
		return append(parts, parsePart(raw))
	}
	return append(parts, Part{Type: PartJSON, Data: string(raw)})
}

func parsePart(raw []byte) Part {
	var b block
	if json.Unmarshal(raw, &b) != nil {
		return Part{Type: PartJSON, Data: string(raw)}
	}
	if object(b.ToolCall) && b.Function == nil {
		return parsePart(b.ToolCall)
	}
	if p, ok := b.part(raw); ok && b.Type == "" {
		return p
	}
	b.Name = first(b.Name, b.CamelName)
	p := Part{ID: string(first(b.ID, b.CallID, b.ToolUseID, b.ToolCallID, b.ToolID, b.CamelID)), Name: string(b.Name)}
	kind := b.Type
	if kind == "" && (b.Function != nil || (b.Name != "" && (present(b.Arguments) || present(b.Args) || present(b.Input)))) {
		kind = "function"
	}
	switch kind {
	case "text", "input_text", "output_text", "summary_text", "refusal", "":
		if s, ok := words(b.Content); ok && b.Text == "" {
			b.Text = loose(s)
		}
		if b.Text != "" {
			return Part{Type: PartText, Text: string(b.Text)}
		}
	case "reasoning", "thinking", "redacted_thinking":
		s, _ := words(b.Content)
		return Part{Type: PartReasoning, Text: string(first(b.Thinking, b.Text, loose(s), b.Data))}
	case "tool_call", "tool_use", "function", "function_call", "server_tool_call", "server_tool_use", "mcp_call", "tool-call":
		p.Type = PartToolCall
		if kind == "function_call" && b.CallID != "" {
			p.ID = string(b.CallID)
		}
		args := firstRaw(b.Arguments, b.Input, b.Args)
		if b.Function != nil {
			p.Name = string(first(b.Function.Name, b.Name))
			args = firstRaw(b.Function.Arguments, args)
		}
		p.Arguments = unquote(args)
		return p
	case "tool_call_response", "tool_result", "function_call_output", "server_tool_call_response", "tool-result":
		p.Type = PartToolResult
		p.ID = string(first(b.ToolUseID, b.CallID, b.ToolCallID, b.ToolID, b.CamelID, b.ID))
		p.setResult(firstRaw(b.Response, b.Result, b.Output, b.Content))
		return p
	case "image", "image_url", "input_image", "audio", "input_audio", "video", "file", "input_file", "document", "blob", "uri":
		p = Part{Type: PartMedia, Name: string(b.Name), MimeType: firstText(b.MimeType, b.MediaType), URI: string(first(b.URI, b.URL, b.FileID))}
		if p.MimeType == "" {
			p.MimeType = b.Modality
		}
		if b.Source != nil {
			p.MimeType, p.URI = firstText(b.Source.MediaType, p.MimeType), firstText(p.URI, b.Source.URL)
		}
		for _, raw := range []json.RawMessage{b.ImageURL, b.Image} {
			if p.URI == "" && len(raw) > 0 {
				p.URI = link(raw)
			}
		}
		if p.URI == "" {
			p.Data = string(raw)
		}
		return p
	}
	return Part{Type: PartJSON, Data: string(raw)}
}

// link finds the address in "url", {"url":"…"} or {"image":{"url":"…"}}.
func link(raw []byte) string {
	if s, ok := words(raw); ok {
		return s
	}
	var o struct {
		URL   loose           `json:"url"`
		Image json.RawMessage `json:"image"`
	}
	if json.Unmarshal(raw, &o) != nil {
		return ""
	}
	if o.URL == "" && len(o.Image) > 0 && len(o.Image) < len(raw) {
		return link(o.Image)
	}
	return string(o.URL)
}

func (p *Part) setResult(raw []byte) {
	if s, ok := words(raw); ok {
		p.Text = s
		return
	}
	var b strings.Builder
	for _, q := range appendContent(nil, raw) {
		if q.Type != PartText {
			p.Data = string(raw)
			return
		}
		b.WriteString(q.Text)
	}
	p.Text = b.String()
}

// parseTool reads a definition: {type, name, description, parameters}, OpenAI's
// {function: {…}}, Anthropic's input_schema, AI SDK's inputSchema.
func parseTool(raw []byte) Part {
	type tool struct {
		Name        loose           `json:"name"`
		Type        loose           `json:"type"`
		Description loose           `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
		InputSchema json.RawMessage `json:"input_schema"`
		InputCamel  json.RawMessage `json:"inputSchema"`
	}
	var o struct {
		tool
		Function json.RawMessage `json:"function"`
		Schema   json.RawMessage `json:"json_schema"`
		Spec     json.RawMessage `json:"toolSpec"` // Bedrock
	}
	if s, ok := words(raw); ok { // a definition as JSON inside a string
		raw = []byte(s)
	}
	if json.Unmarshal(raw, &o) != nil {
		return Part{Type: PartJSON, Data: string(raw)}
	}
	t := o.tool
	switch {
	case object(o.Function):
		_ = json.Unmarshal(o.Function, &t) // what does not fit stays in Data
	case object(o.Spec):
		_ = json.Unmarshal(o.Spec, &t) // as above
		var inner struct {
			JSON json.RawMessage `json:"json"`
		}
		if json.Unmarshal(t.InputCamel, &inner) == nil && present(inner.JSON) {
			t.InputCamel = inner.JSON
		}
	case len(o.Schema) > 0 && len(o.Schema) < len(raw):
		return parseTool(o.Schema)
	}
	return Part{
		Type: PartTool, Name: string(first(t.Name, t.Type)), Text: string(t.Description),
		Arguments: unquote(firstRaw(t.Parameters, t.InputSchema, t.InputCamel)), Data: string(raw),
	}
}

func parseDocument(raw []byte) Part {
	var d struct {
		ID       loose `json:"id"`
		Name     loose `json:"name"`
		Content  loose `json:"content"`
		Text     loose `json:"text"`
		Document loose `json:"document"`
	}
	if json.Unmarshal(raw, &d) != nil {
		return Part{Type: PartJSON, Data: string(raw)}
	}
	return Part{Type: PartDocument, ID: string(d.ID), Name: string(d.Name), Text: string(first(d.Content, d.Text, d.Document)), Data: string(raw)}
}

// words reads a JSON string.
func words(raw []byte) (string, bool) {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// unquote turns JSON inside a JSON string into that JSON: arguments come both ways.
func unquote(raw []byte) string {
	if s, ok := words(raw); ok {
		return s
	}
	return string(raw)
}

func object(raw []byte) bool {
	i := space(raw, 0)
	return i < len(raw) && raw[i] == '{'
}

func present(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }

func first(all ...loose) loose {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func firstText(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func firstRaw(all ...json.RawMessage) json.RawMessage {
	for _, r := range all {
		if present(r) {
			return r
		}
	}
	return nil
}

// canonical maps the words that senders use for the four roles.
func canonical(role string) string {
	switch role {
	case "", "system", "user", "assistant", "tool":
		return role
	case "developer":
		return "system"
	case "human", "Human":
		return "user"
	case "ai", "AI", "model", "bot", "chatbot", "CHATBOT":
		return "assistant"
	case "function", "tool_result", "ipython":
		return "tool"
	}
	if l := strings.ToLower(role); l != role {
		return canonical(l)
	}
	return role
}

// Role finds the role of one message without parsing the rest: "" when the
// format has none or the message names none. It looks at the outermost keys
// only and allocates nothing for the usual roles.
func Role(format string, raw []byte) string {
	if format == Parts {
		return "system"
	}
	if !strings.HasSuffix(format, ".messages") {
		return ""
	}
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return ""
	}
	choice := false
	for i = space(raw, i+1); i < len(raw) && raw[i] == '"'; {
		end := str(raw, i)
		if end < 0 {
			return ""
		}
		key := raw[i+1 : end-1]
		if i = space(raw, end); i >= len(raw) || raw[i] != ':' {
			return ""
		}
		i = space(raw, i+1)
		if end = value(raw, i); end <= i {
			return ""
		}
		val := raw[i:end]
		switch string(key) {
		case "role":
			return roleOf(val)
		case "message":
			choice = len(val) > 0 && val[0] == '{'
		}
		if i = space(raw, end); i >= len(raw) || raw[i] != ',' {
			break
		}
		i = space(raw, i+1)
	}
	if choice {
		return "assistant"
	}
	return ""
}

func roleOf(val []byte) string {
	val = bytes.Trim(val, `"`)
	switch string(val) {
	case "system":
		return "system"
	case "user":
		return "user"
	case "assistant":
		return "assistant"
	case "tool":
		return "tool"
	}
	if len(val) > 64 {
		return ""
	}
	return canonical(string(val))
}
