package llm

import (
	"slices"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// anthropic is the Messages API. Anthropic itself takes OpenAI's chat
// completions too.
var anthropic = dialect{
	name: "anthropic", refuse: refuseAnthropic, provider: "anthropic", byHost: true, snake: true,
	operations: slices.Concat(both("", "/v1", anthropicOperations...), both("", "/v1", below("", "anthropic", refuseOpenAI, openaiOperations[0])...)),
}

var anthropicOperations = []operation{
	{method: "POST", path: "/messages", endpoint: "messages", name: "chat", kind: activity.KindModel, read: readMessages, answer: newMessages},
	{method: "POST", path: "/messages/count_tokens", endpoint: "count_tokens", name: "count tokens", kind: activity.KindHTTP, read: readMessages, silent: true},
	{method: "GET", path: "/models", endpoint: "models", name: "list models", kind: activity.KindHTTP, silent: true},
	{method: "GET", path: "/models/{model}", endpoint: "models", name: "describe", kind: activity.KindHTTP, silent: true},
}

func readMessages(r *request) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "model":
			r.model = c.Text()
		case "messages":
			r.anthropicMessages()
		case "system":
			from := c.Pos()
			r.parts(textParts)
			r.note(activity.ContentSystem, genai.Parts, c.Since(from))
		case "tools":
			r.anthropicTools()
		case "stream":
			r.stream = c.True()
		case "max_tokens":
			r.limit()
		case "mcp_servers":
			if c.Kind() == '[' && string(c.Raw()) != "[]" {
				r.host("mcp")
			}
		case "container":
			if c.Kind() != 'n' {
				r.host("container")
			}
		default:
			r.strange(&o, "model", "messages", "system", "tools", "stream", "max_tokens", "mcp_servers", "container")
		}
	}
}

func (r *request) anthropicMessages() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		var role []byte
		mark := len(r.called)
		for o := c.Object(); o.Next(); {
			switch string(o.Key) {
			case "role":
				role = c.Word()
			case "content":
				for b := c.Array(); b.Next(); {
					r.anthropicBlock()
				}
			}
		}
		if string(role) == "assistant" {
			r.spoke(mark)
		}
	}
	r.note(activity.ContentInput, genai.Anthropic, c.Since(from))
}

func (r *request) anthropicBlock() {
	c := &r.cur
	var kind, id, of, name, text []byte
	before := r.unbounded
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Word()
		case "id":
			id, _ = c.Quoted()
		case "tool_use_id":
			of, _ = c.Quoted()
		case "name":
			name, _ = c.Quoted()
		case "content":
			text = r.parts(anthropicParts)
		}
	}
	switch string(kind) {
	case "text", "thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use":
	case "tool_use":
		r.called = append(r.called, called{id, name})
	case "tool_result":
		r.results = append(r.results, result{id: of, text: text})
		return
	default:
		r.unbounded = true
		return
	}
	r.unbounded = before
}

func anthropicParts(kind []byte) bool {
	return string(kind) == "text" || string(kind) == "search_result" || string(kind) == "tool_reference"
}

// ownTools are Anthropic's tools that run in the agent, by their type without
// its edition.
var ownTools = map[string]bool{"bash": true, "text_editor": true, "computer": true, "memory": true}

func (r *request) anthropicTools() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		var kind, name string
		for o := c.Object(); o.Next(); {
			switch string(o.Key) {
			case "type":
				kind = c.Text()
			case "name":
				name = c.Text()
			}
		}
		switch plain := plainTool(kind); {
		case kind == "" || kind == "custom" || ownTools[plain]:
			r.offer(name)
		case plain == "mcp_toolset":
			r.host("mcp")
		default:
			r.host(plain)
		}
	}
	r.note(activity.ContentTools, genai.Tools, c.Since(from))
}
