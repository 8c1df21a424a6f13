package llm

import (
	"testing"
)

// A request goes to another model with nothing else of it changed; what cannot go
// elsewhere says so.
func TestRepin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ dialect, line, body, path, want string }{
		"chat":               {"openai", "POST /v1/chat/completions", `{"messages":[{"role":"user","content":"\"model\":\"x\""}], "model" : "gpt-4o" ,"n":1}`, "/v1/chat/completions", `{"messages":[{"role":"user","content":"\"model\":\"x\""}], "model" : "m\"2" ,"n":1}`},
		"responses":          {"openai", "POST /v1/responses", `{"model":"gpt-4o","input":"a"}`, "/v1/responses", `{"model":"m\"2","input":"a"}`},
		"messages":           {"anthropic", "POST /v1/messages", `{"model":"claude-sonnet-4","max_tokens":5,"messages":[]}`, "/v1/messages", `{"model":"m\"2","max_tokens":5,"messages":[]}`},
		"converse":           {"bedrock", "POST /model/amazon.nova-lite-v1%3A0/converse", `{"messages":[]}`, "/model/m%222/converse", `{"messages":[]}`},
		"gemini":             {"gemini", "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent", `{"contents":[]}`, "/v1beta/models/m%222:streamGenerateContent", `{"contents":[]}`},
		"azure":              {"azure", "POST /openai/deployments/gpt-4o/chat/completions", `{"model":"whatever","messages":[]}`, "/openai/deployments/m%222/chat/completions", `{"model":"whatever","messages":[]}`},
		"an embedding":       {"openai", "POST /v1/embeddings", `{"model":"text-embedding-3-small","input":"a"}`, "", ""},
		"an answer kept":     {"openai", "POST /v1/responses/resp_1/cancel", ``, "", ""},
		"no model":           {"openai", "POST /v1/chat/completions", `{"messages":[]}`, "", ""},
		"a model of no name": {"openai", "POST /v1/chat/completions", `{"model":5,"messages":[]}`, "", ""},
		"broken":             {"openai", "POST /v1/chat/completions", `{"model":"gpt-4o","messages":[}`, "", ""},
		"named twice":        {"openai", "POST /v1/chat/completions", `{"model":"gpt-4o","model":"gpt-4o","messages":[]}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := parseCall(c.dialect, []byte(c.line+"\n\n"+c.body))
			path, body, ok := protocol().Repin(call, `m"2`)
			if path != c.path || string(body) != c.want || ok != (c.path != "") {
				t.Fatalf("%t %s\n%s\nwant %s\n%s", ok, path, body, c.path, c.want)
			}
			if !ok {
				return
			}
			call.Path, call.Body = path, body
			if p, err := protocol().Propose(call); err == nil && p.Resource.Name != `m"2` {
				t.Errorf("it is read as a call of %s", p.Resource.Name)
			}
		})
	}
}
