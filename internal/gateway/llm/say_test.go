package llm

import (
	"encoding/json"
	"testing"
)

func TestSay(t *testing.T) {
	t.Parallel()
	const chatPath, messages, responses = "POST /v1/chat/completions", "POST /v1/messages", "POST /v1/responses"
	const converse, gemini = "POST /model/amazon.nova-lite-v1%3A0/converse", "POST /v1beta/models/gemini-2.5-flash:generateContent"
	for name, c := range map[string]struct{ dialect, line, body, want string }{
		"chat":                     {"openai", chatPath, `{"messages":[{"role":"user","content":"a"}] ,"n":1}`, `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"say \"no\""}] ,"n":1}`},
		"chat with spaces":         {"openai", chatPath, `{"messages" : [ {"role":"tool","content":"a"} ] }`, `{"messages" : [ {"role":"tool","content":"a"} ,{"role":"user","content":"say \"no\""}] }`},
		"chat that is to go on":    {"openai", chatPath, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, ""},
		"chat of nothing":          {"openai", chatPath, `{"messages":[]}`, ""},
		"chat that is broken":      {"openai", chatPath, `{"messages":[{"role":"user"}`, ""},
		"responses, a text":        {"openai", responses, `{"input":"a","n":1}`, `{"input":[{"role":"user","content":"a"},{"role":"user","content":"say \"no\""}],"n":1}`},
		"responses, items":         {"openai", responses, `{"input":[{"type":"function_call_output","call_id":"x","output":"y"}]}`, `{"input":[{"type":"function_call_output","call_id":"x","output":"y"},{"role":"user","content":"say \"no\""}]}`},
		"messages":                 {"anthropic", messages, `{"messages":[{"role":"user","content":"a"}],"max_tokens":5}`, `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"say \"no\""}],"max_tokens":5}`},
		"messages with a prefill":  {"anthropic", messages, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"{"}]}`, ""},
		"converse":                 {"bedrock", converse, `{"messages":[{"role":"user","content":[{"text":"a"}]}]}`, `{"messages":[{"role":"user","content":[{"text":"a"},{"text":"say \"no\""}]}]}`},
		"converse, after the tool": {"bedrock", converse, `{"messages":[{"content":[{"toolResult":{"toolUseId":"x","content":[{"text":"}]"}]}} ],"role":"user"} ]}`, `{"messages":[{"content":[{"toolResult":{"toolUseId":"x","content":[{"text":"}]"}]}} ,{"text":"say \"no\""}],"role":"user"} ]}`},
		"converse of a model":      {"bedrock", converse, `{"messages":[{"role":"assistant","content":[{"text":"a"}]}]}`, ""},
		"gemini":                   {"gemini", gemini, `{"contents":[{"role":"user","parts":[{"text":"a"}]}]}`, `{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"say \"no\""}]}]}`},
		"gemini, one alone":        {"gemini", gemini, `{"contents":{"parts":[{"text":"a"}]}}`, ""},
		"a list of models":         {"openai", "GET /v1/models", ``, ""},
		"an embedding":             {"openai", "POST /v1/embeddings", `{"input":"a"}`, ""},
		"nothing that is known":    {"openai", "POST /v1/other", `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := parseCall(c.dialect, []byte(c.line+"\n\n"+c.body))
			got, ok := protocol().Say(call, `say "no"`)
			if string(got) != c.want || ok != (c.want != "") {
				t.Fatalf("%t\n%s\n%s", ok, got, c.want)
			}
			if ok && !json.Valid(got) {
				t.Errorf("no JSON: %s", got)
			}
			if call.Body = got; ok {
				if _, err := protocol().Propose(call); err != nil && c.dialect == "bedrock" {
					t.Error(err)
				}
			}
		})
	}
}
