package llm

import (
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// bedrock is Amazon Bedrock's runtime. Its requests are signed by the upstream's
// credential of kind sigv4, its streams are Amazon's event stream.
var bedrock = dialect{
	name: "bedrock", refuse: refuseBedrock, provider: "aws.bedrock",
	operations: []operation{
		{method: "POST", path: "/model/{model}/converse", endpoint: "converse", name: "chat", kind: activity.KindModel, read: readConverse, answer: newConverse},
		{method: "POST", path: "/model/{model}/converse-stream", endpoint: "converse", name: "chat", kind: activity.KindModel, read: streamed(readConverse), answer: newConverse},
		{method: "POST", path: "/model/{model}/invoke", endpoint: "invoke", name: "chat", kind: activity.KindModel, read: readInvoke, answer: newInvoke},
		{method: "POST", path: "/model/{model}/invoke-with-response-stream", endpoint: "invoke", name: "chat", kind: activity.KindModel, read: streamed(readInvoke), answer: newInvoke},
		{method: "POST", path: "/model/{model}/count-tokens", endpoint: "count_tokens", name: "count tokens", kind: activity.KindHTTP, read: func(r *request) { r.cur.Skip() }, silent: true},
	},
}

func readConverse(r *request) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "messages":
			from := c.Pos()
			for a := c.Array(); a.Next(); {
				r.converseMessage()
			}
			r.note(activity.ContentInput, genai.Bedrock, c.Since(from))
		case "system":
			from := c.Pos()
			for a := c.Array(); a.Next(); {
				r.converseBlock()
			}
			r.note(activity.ContentSystem, genai.Parts, c.Since(from))
		case "inferenceConfig":
			r.amounts()
		case "toolConfig":
			for t := c.Object(); t.Next(); {
				if string(t.Key) == "tools" {
					r.converseTools()
				}
			}
		case "additionalModelRequestFields":
			r.beside()
		case "promptVariables":
			r.unbounded = true
		}
	}
	if strings.Contains(r.model, ":prompt/") {
		r.unbounded, r.endless = true, true // a stored prompt
	}
}

func (r *request) converseMessage() {
	c := &r.cur
	var role []byte
	mark := len(r.called)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "role":
			role = c.Word()
		case "content":
			for a := c.Array(); a.Next(); {
				r.converseBlock()
			}
		}
	}
	if string(role) == "assistant" {
		r.spoke(mark)
	}
}

func (r *request) converseBlock() {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "text", "cachePoint", "reasoningContent":
		case "guardContent":
			for g := c.Object(); g.Next(); {
				r.unbounded = r.unbounded || string(g.Key) != "text"
			}
		case "toolUse":
			var call called
			for t := c.Object(); t.Next(); {
				switch string(t.Key) {
				case "toolUseId":
					call.id, _ = c.Quoted()
				case "name":
					call.name, _ = c.Quoted()
				}
			}
			r.called = append(r.called, call)
		case "toolResult":
			var res result
			for t := c.Object(); t.Next(); {
				switch string(t.Key) {
				case "toolUseId":
					res.id, _ = c.Quoted()
				case "content":
					res.text = r.converseResult()
				}
			}
			r.results = append(r.results, res)
		default:
			r.unbounded = true
		}
	}
}

func (r *request) converseResult() []byte {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		for o := c.Object(); o.Next(); {
			r.unbounded = r.unbounded || string(o.Key) != "text" && string(o.Key) != "json"
		}
	}
	return c.Since(from)
}

func (r *request) converseTools() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		for o := c.Object(); o.Next(); {
			name := ""
			key := string(o.Key)
			for t := c.Object(); t.Next(); {
				if string(t.Key) == "name" {
					name = c.Text()
				}
			}
			switch key {
			case "toolSpec":
				r.offer(name)
			case "cachePoint":
			case "systemTool":
				r.host(strings.TrimPrefix(name, "nova_"))
			default:
				r.host(snake(key))
			}
		}
	}
	r.note(activity.ContentTools, genai.Tools, c.Since(from))
}

// amounts reads the bounds of an answer under the names that models of Bedrock
// have for them.
func (r *request) amounts() {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "maxTokens", "max_new_tokens", "max_tokens", "maxTokenCount", "max_gen_len", "max_completion_tokens", "max_tokens_to_sample":
			r.limit()
		case "numResults", "num_generations", "n":
			r.several()
		}
	}
}

// beside reads what Converse passes to the model as it is: bounds and tools in
// the model's own words.
func (r *request) beside() {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "tools":
			r.anthropicTools()
		case "maxTokens", "max_new_tokens", "max_tokens", "maxTokenCount", "max_gen_len", "max_completion_tokens", "max_tokens_to_sample":
			r.limit()
		case "inferenceConfig", "textGenerationConfig":
			r.amounts()
		case "mcp_servers":
			r.host("mcp")
		}
	}
}

// shapeOf is the wire shape of a model's own requests and answers, by its name:
// a foundation model, an inference profile in a region, or an ARN of either.
func shapeOf(model string) string {
	switch {
	case strings.Contains(model, "anthropic."):
		return "anthropic"
	case strings.Contains(model, "amazon.nova"):
		return "nova"
	case strings.Contains(model, "openai."), strings.Contains(model, "qwen."), strings.Contains(model, "deepseek.v"), strings.Contains(model, "moonshot"),
		strings.Contains(model, "minimax."), strings.Contains(model, "zai."), strings.Contains(model, "google.gemma"), strings.Contains(model, "mistral.") && !strings.Contains(model, "mistral-7b"):
		return "openai"
	}
	return ""
}

// readInvoke reads a body in the words of the model that the path names.
func readInvoke(r *request) {
	r.shape = shapeOf(r.model)
	model := r.model
	switch r.shape {
	case "anthropic":
		readMessages(r)
	case "nova":
		readConverse(r)
	case "openai":
		readChat(r)
	default:
		r.readOther()
	}
	r.model = model
	if strings.Contains(model, "embed") {
		r.silent = true
	}
}

// readOther reads what the rest have in common: a prompt and a bound.
func (r *request) readOther() {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "prompt", "inputText", "texts", "message":
			r.content(activity.ContentInput, genai.JSON)
		case "textGenerationConfig":
			r.amounts()
		case "max_tokens", "maxTokens", "max_gen_len", "maxTokenCount", "max_new_tokens", "max_tokens_to_sample":
			r.limit()
		case "num_generations", "n":
			r.several()
		case "tools":
			r.shape = "closed"
			r.chatTools()
		case "images", "inputImage", "image", "documents", "chat_history":
			r.unbounded = true
		}
	}
}
