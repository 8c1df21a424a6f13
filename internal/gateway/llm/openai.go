package llm

import (
	"net/url"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/upstream"
)

// openai is OpenAI's format, which many others speak, some of them beside
// Anthropic's. A base URL ends in /v1 by custom; whether the upstream's own URL
// has it or the agent's, both are found.
var openai = dialect{
	name: "openai", refuse: refuseOpenAI, provider: "openai", byHost: true, snake: true,
	operations: slices.Concat(both("", "/v1", openaiOperations...), both("", "/v1", below("", "anthropic", refuseAnthropic, anthropicOperations[:2]...)...)),
}

var openaiOperations = []operation{
	{method: "POST", path: "/chat/completions", endpoint: "chat.completions", name: "chat", kind: activity.KindModel, read: readChat, answer: newChat},
	{method: "POST", path: "/responses", endpoint: "responses", name: "chat", kind: activity.KindModel, read: readResponses, answer: newResponses},
	{method: "GET", path: "/responses/{model}", endpoint: "responses.get", name: "collect", kind: activity.KindHTTP, answer: newResponses, silent: true, stored: true},
	{method: "POST", path: "/responses/{model}/cancel", endpoint: "responses.cancel", name: "cancel", kind: activity.KindHTTP, answer: newResponses, silent: true, stored: true},
	{method: "POST", path: "/completions", endpoint: "completions", name: "text_completion", kind: activity.KindModel, read: readCompletions, answer: newCompletions},
	{method: "POST", path: "/embeddings", endpoint: "embeddings", name: "embeddings", kind: activity.KindEmbedding, read: readEmbeddings, answer: newEmbeddings, silent: true},
	{method: "GET", path: "/models", endpoint: "models", name: "list models", kind: activity.KindHTTP, silent: true},
	{method: "GET", path: "/models/{model}", endpoint: "models", name: "describe", kind: activity.KindHTTP, silent: true},
}

// both lists operations under each of two prefixes.
func both(first, second string, list ...operation) []operation {
	out := make([]operation, 0, 2*len(list))
	for _, prefix := range []string{first, second} {
		for _, o := range list {
			o.path = prefix + o.path
			out = append(out, o)
		}
	}
	return out
}

// hosts are providers that speak OpenAI's format, by the end of their host.
var hosts = []struct{ suffix, provider string }{
	{"groq.com", "groq"},
	{"deepseek.com", "deepseek"},
	{"mistral.ai", "mistral_ai"},
	{"x.ai", "x_ai"},
	{"perplexity.ai", "perplexity"},
	{"together.xyz", "together"},
	{"together.ai", "together"},
	{"openrouter.ai", "openrouter"},
	{"fireworks.ai", "fireworks"},
	{"cerebras.ai", "cerebras"},
	{"cohere.ai", "cohere"},
	{"cohere.com", "cohere"},
	{"moonshot.ai", "moonshotai"},
	{"googleapis.com", "gcp.gemini"},
	{"amazonaws.com", "aws.bedrock"},
	{"azure.com", "azure.ai.openai"},
	{"anthropic.com", "anthropic"},
	{"openai.com", "openai"},
}

// hostProvider is who answers at the upstream's address; "" for nobody known.
func hostProvider(u *upstream.Upstream) string {
	base, err := url.Parse(u.URL)
	if err != nil {
		return ""
	}
	host := base.Hostname()
	for _, h := range hosts {
		if host == h.suffix || strings.HasSuffix(host, "."+h.suffix) {
			return h.provider
		}
	}
	return ""
}

// limit reads one of a request's bounds on one answer: where there are two, the larger
// may be the one that counts.
func (r *request) limit() {
	n, ok := r.cur.Int()
	if !ok {
		return // null is none
	}
	if n < 0 {
		r.endless = true // some servers take -1 for no bound
		return
	}
	r.most = max(r.most, n)
}

// several is how many answers a request asks for.
func (r *request) several() {
	if n, ok := r.cur.Int(); ok {
		r.times = max(r.times, n)
	}
}

func readChat(r *request) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "model":
			r.model = c.Text()
		case "messages":
			r.chatMessages()
		case "tools":
			r.chatTools()
		case "functions":
			r.functions()
		case "stream":
			r.stream = c.True()
		case "max_tokens", "max_completion_tokens", "max_output_tokens":
			r.limit()
		case "n":
			r.several()
		case "prediction":
			// Rejected parts of a prediction are paid as output beyond the limit.
			r.endless = r.endless || c.Kind() == '{'
		case "web_search_options":
			if c.Kind() == '{' {
				r.host("web_search")
			}
		case "plugins", "data_sources", "mcp_servers":
			if c.Kind() == '[' {
				r.host(string(o.Key))
			}
		default:
			r.strange(&o, "model", "messages", "tools", "functions", "stream", "max_tokens", "max_completion_tokens", "n", "web_search_options", "plugins",
				"data_sources", "mcp_servers")
		}
	}
	// These search the web whether or not the request says so.
	if strings.Contains(r.model, "-search-") || strings.HasSuffix(r.model, "-search-api") || strings.HasSuffix(r.model, ":online") {
		r.host("web_search")
	}
}

func (r *request) chatMessages() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		var role, id, name, text []byte
		mark := len(r.called)
		for o := c.Object(); o.Next(); {
			switch string(o.Key) {
			case "role":
				role = c.Word()
			case "content":
				text = r.parts(textParts)
			case "tool_call_id":
				id, _ = c.Quoted()
			case "name":
				name, _ = c.Quoted()
			case "tool_calls":
				r.chatCalls()
			case "audio":
				r.unbounded = r.unbounded || c.Kind() == '{'
			}
		}
		switch string(role) {
		case "assistant":
			r.spoke(mark)
		case "tool", "function":
			r.results = append(r.results, result{id: id, name: name, text: text})
		}
	}
	r.note(activity.ContentInput, genai.OpenAI, c.Since(from))
}

func (r *request) chatCalls() {
	c := &r.cur
	for a := c.Array(); a.Next(); {
		var call called
		for o := c.Object(); o.Next(); {
			switch string(o.Key) {
			case "id":
				call.id, _ = c.Quoted()
			case "function", "custom":
				for f := c.Object(); f.Next(); {
					if string(f.Key) == "name" {
						call.name, _ = c.Quoted()
					}
				}
			}
		}
		r.called = append(r.called, call)
	}
}

// textParts are the parts whose tokens their bytes bound.
func textParts(kind []byte) bool {
	switch string(kind) {
	case "text", "refusal", "input_text", "output_text", "summary_text", "reasoning_text":
		return true
	}
	return false
}

// parts passes over a content and notes what its bytes do not bound.
func (r *request) parts(bounded func(kind []byte) bool) []byte {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		if c.Kind() == '"' {
			continue
		}
		known := false
		for o := c.Object(); o.Next(); {
			if string(o.Key) == "type" {
				kind := c.Word()
				known = bounded(kind)
			}
		}
		r.unbounded = r.unbounded || !known
	}
	return c.Since(from)
}

func (r *request) chatTools() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		var kind, name string
		for o := c.Object(); o.Next(); {
			switch string(o.Key) {
			case "type":
				kind = c.Text()
			case "function", "custom":
				for f := c.Object(); f.Next(); {
					if string(f.Key) == "name" {
						name = c.Text()
					}
				}
			}
		}
		if name != "" && (kind == "function" || kind == "custom" || kind == "") {
			r.offer(name)
		} else {
			r.host(plainTool(kind))
		}
	}
	r.note(activity.ContentTools, genai.Tools, c.Since(from))
}

// functions are the tools of the oldest clients.
func (r *request) functions() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		for o := c.Object(); o.Next(); {
			if string(o.Key) == "name" {
				r.offer(c.Text())
			}
		}
	}
	r.note(activity.ContentTools, genai.Tools, c.Since(from))
}

func readCompletions(r *request) {
	c := &r.cur
	best, prompts := int64(1), int64(1)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "model":
			r.model = c.Text()
		case "prompt":
			from := c.Pos()
			prompts = r.inputs()
			r.note(activity.ContentInput, genai.JSON, c.Since(from))
		case "stream":
			r.stream = c.True()
		case "max_tokens":
			r.limit()
		case "n":
			r.several()
		case "best_of":
			if n, ok := c.Int(); ok {
				best = n
			}
		default:
			r.strange(&o, "model", "prompt", "stream", "max_tokens", "n", "best_of")
		}
	}
	if r.times = max(r.times, best); r.times > 1<<32 {
		r.times = 1 << 32
	}
	r.times *= prompts
}

// inputs passes over a text, several, or their tokens, and counts the texts.
func (r *request) inputs() int64 {
	c := &r.cur
	n := int64(0)
	for a := c.Array(); a.Next(); {
		switch c.Kind() {
		case '"', '[':
			n++
		case '{':
			r.unbounded = true // an image
		}
	}
	return max(n, 1)
}

func readEmbeddings(r *request) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "model":
			r.model = c.Text()
		case "input":
			from := c.Pos()
			r.inputs()
			r.note(activity.ContentInput, genai.JSON, c.Since(from))
		default:
			r.strange(&o, "model", "input")
		}
	}
}
