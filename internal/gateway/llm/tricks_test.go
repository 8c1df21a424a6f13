package llm

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

var requests = map[string]*gateway.Call{
	"chat":      parseCall("openai", []byte("POST /v1/chat/completions\n\n{\"model\":\"gpt-4o\",\"messages\":[]}")),
	"responses": parseCall("openai", []byte("POST /v1/responses\n\n{\"model\":\"gpt-4o\",\"input\":\"x\"}")),
	"messages":  parseCall("anthropic", []byte("POST /v1/messages\n\n{\"model\":\"claude-3\",\"max_tokens\":5,\"messages\":[]}")),
	"gemini":    parseCall("gemini", []byte("POST /v1beta/models/g:streamGenerateContent\n\n{\"contents\":[]}")),
	"converse":  parseCall("bedrock", []byte("POST /model/m/converse\n\n{\"messages\":[]}")),
}

// A provider that was broken into tries to get a call past the judge, by saying
// it so that only some readers find it. Either it is found, or nothing passes.
func TestTricks(t *testing.T) {
	t.Parallel()
	const sse, json = "text/event-stream", "application/json"
	for name, c := range map[string]struct {
		of, kind, body string
		code           string // "": it passes, without the call
	}{
		"choices twice":             {"chat", json, `{"choices":[],"choices":[{"message":{"tool_calls":[{"function":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"choices in another case":   {"chat", json, `{"Choices":[{"message":{"tool_calls":[{"function":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"calls in another case":     {"chat", json, `{"choices":[{"message":{"Tool_Calls":[{"function":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"calls spelled":             {"chat", json, `{"choices":[{"message":{"content":"x","tool\u005fcalls":[{"function":{"name":"evil"}}]},"finish_reason":"stop"}]}`, ""},
		"delta and message":         {"chat", sse, "data: {\"choices\":[{\"delta\":{},\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"evil\"}}]}}]}\n\n", "llm.answer_broken"},
		"old and new calls":         {"chat", json, `{"choices":[{"message":{"function_call":{"name":"evil"},"tool_calls":[{"function":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"one index for two choices": {"chat", json, `{"choices":[{"index":0,"message":{"tool_calls":[{"function":{"name":"evil"}}]}},{"index":0,"message":{"tool_calls":[{"function":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"two names of one call":     {"chat", sse, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"ev\"}}]}}]}\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"il\"}}]}}]}\n\n", "llm.answer_broken"},
		"a call after its end":      {"chat", sse, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"evil\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n", "llm.answer_broken"},
		"a line that is no field":   {"chat", sse, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"evil\"}}]}}]}\n\n", "llm.answer_broken"},
		"an event in two lines":     {"chat", sse, "data: {\"choices\":[{\"delta\":\rdata: {\"tool_calls\":[{\"function\":{\"name\":\"evil\"}}]}}]}\r\r", ""},
		"a stream called JSON":      {"chat", json, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"evil\"}}]}}]}\n\n", "llm.answer_broken"},
		"more after the object":     {"chat", json, `{"choices":[]} {"choices":[{"message":{"tool_calls":[{"function":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"an event that never ends":  {"chat", sse, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"evil\"}}]}}]}", ""},
		"a large event":             {"chat", sse, "data: {\"x\":\"" + strings.Repeat("x", maxEvent), "llm.answer_too_large"},

		"content in another case":        {"messages", json, `{"CONTENT":[{"type":"tool_use","name":"evil","input":{}}]}`, "llm.answer_broken"},
		"a message that begins whole":    {"messages", sse, "data: {\"type\":\"message_start\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"name\":\"evil\"}]}}\n\n", "llm.answer_broken"},
		"a block within a block":         {"messages", sse, "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"name\":\"evil\"}}\n\n", "llm.answer_broken"},
		"input for a text":               {"messages", sse, "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n", "llm.answer_broken"},
		"a call that never ends":         {"messages", sse, "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"name\":\"evil\"}}\n\n", "llm.answer_broken"},
		"a message that ends in a call":  {"messages", sse, "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"name\":\"evil\"}}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n", "llm.answer_broken"},
		"a call spelled in a whole":      {"messages", json, `{"c\u006fntent":[{"type":"tool\u005fuse","name":"evil","input":{}}],"stop_reason":"tool_use"}`, ""},
		"other arguments at the end":     {"responses", sse, "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"evil\",\"arguments\":\"\"}}\n\ndata: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,\"delta\":\"{1}\"}\n\ndata: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"evil\",\"arguments\":\"{}\"}}\n\n", "llm.answer_broken"},
		"a call only in the last event":  {"responses", sse, "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"evil\",\"arguments\":\"{}\"}]}}\n\n", ""},
		"an item without its beginning":  {"responses", sse, "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"evil\",\"arguments\":\"{}\"}}\n\n", ""},
		"an item without its end":        {"responses", sse, "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"evil\",\"arguments\":\"{}\"}}\n\n", "llm.answer_broken"},
		"another call in the last event": {"responses", sse, "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"a\",\"name\":\"good\",\"arguments\":\"{}\"}}\n\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"a\",\"name\":\"evil\",\"arguments\":\"{}\"}]}}\n\n", "llm.answer_broken"},
		"output in another case":         {"responses", json, `{"Output":[{"type":"function_call","call_id":"a","name":"evil","arguments":"{}"}]}`, "llm.answer_broken"},

		"a function in another case":  {"gemini", sse, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"FunctionCall\":{\"name\":\"evil\"}}]}}]}\n\n", "llm.answer_broken"},
		"a function in two spellings": {"gemini", sse, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"good\"},\"function_call\":{\"name\":\"evil\"}}]}}]}\n\n", "llm.answer_broken"},
		"a function in the other one": {"gemini", sse, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"function_call\":{\"name\":\"evil\"}}]}}]}\n\n", ""},
		"an object for a list":        {"gemini", json, `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"evil"}}]}}]}`, "llm.answer_broken"},
		"a tool in another case":      {"converse", json, `{"output":{"message":{"content":[{"tooluse":{"name":"evil","input":{}}}]}}}`, "llm.answer_broken"},
		"no event stream":             {"converse", "application/vnd.amazon.eventstream", "0123456789abcdef", "llm.answer_broken"},
		"plain text":                  {"converse", "text/plain", `{"output":{"message":{"content":[{"toolUse":{"name":"evil","input":{}}}]}}}`, "llm.answer_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _, err := passed(t, requests[c.of], http.StatusOK, c.kind, []byte(c.body), denying("evil"), nil)
			code := ""
			if err != nil {
				code = fault.From(err).Code
			}
			if code != c.code {
				t.Fatalf("it ends with %q, want %q; on went %q", code, c.code, out)
			}
			if code == "" && !strings.Contains(out, "refused") || strings.Contains(out, `"name":"evil"`) {
				t.Errorf("on went %q", out)
			}
		})
	}
	p, err := protocol().Propose(requests["chat"])
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Header{
		"compressed":        {"Content-Type": {json}, "Content-Encoding": {"gzip"}},
		"compressed beside": {"Content-Type": {json}, "Content-Encoding": {"identity", "gzip"}},
		"of two types":      {"Content-Type": {json, sse}},
	} {
		if out, err := p.Answer(http.StatusOK, h, denying()).Next([]byte("x")); err == nil {
			t.Errorf("an answer that is %s passes a judge: %q", name, out)
		}
		if out, err := p.Answer(http.StatusOK, h, nil).Next([]byte("x")); err != nil || string(out) != "x" {
			t.Errorf("an answer that is %s does not pass without one: %q %v", name, out, err)
		}
	}
}

// An answer of any size is watched in bounded memory.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	p, err := protocol().Propose(parseCall("openai", []byte("POST /v1/embeddings\n\n{\"model\":\"text-embedding-3-small\",\"input\":\"x\"}")))
	if err != nil {
		t.Fatal(err)
	}
	a := p.Answer(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, nil)
	feed := func(s string) {
		if _, err := a.Next([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	feed(`{"object":"list","data":[`)
	for range 300 {
		feed(strings.Repeat(`{"embedding":[0.123456789]},`, 4000)) // 33 MB in all
	}
	feed(`{}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}`)
	if _, facts := a.End(nil); facts.Usage.InputTotal != 7 || facts.Model != "m" {
		t.Errorf("facts of a large answer: %+v", facts)
	}
	// A model that does not stop: its text is kept to a limit.
	if p, err = protocol().Propose(requests["chat"]); err != nil {
		t.Fatal(err)
	}
	a = p.Answer(http.StatusOK, http.Header{"Content-Type": {"text/event-stream"}}, nil)
	for range 2000 {
		feed("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + strings.Repeat("word ", 200) + "\"}}]}\n\n")
	}
	_, facts := a.End(nil)
	if n := len(facts.Contents[0].Raw); n < maxKept/2 || n > maxKept+1000 {
		t.Errorf("%d bytes of a long text are kept", n)
	}
	// A call that does not end may not fill memory.
	a = p.Answer(http.StatusOK, http.Header{"Content-Type": {"text/event-stream"}}, denying())
	var ended error
	for i := 0; i < 20000 && ended == nil; i++ {
		_, ended = a.Next([]byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"" + strings.Repeat("x", 1000) + "\"}}]}}]}\n\n"))
	}
	if ended == nil || fault.From(ended).Code != "llm.answer_too_large" {
		t.Errorf("a call of 20 MB ends with %v", ended)
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	denied := fault.New(fault.KindDenied, "policy.forbid", "denied: no").WithHint("ask the owner")
	for name, c := range map[string]struct {
		dialect, path string
		f             *fault.Error
		status        int
		retry         string
		want          []string
	}{
		"openai":          {"openai", "/v1/chat/completions", denied, 403, "false", []string{`{"error":{"message":"denied: no (policy.forbid, decision dec_1). ask the owner","type":"permission_error","param":null,"code":"policy.forbid"}}`}},
		"openai 401":      {"openai", "/v1/models", fault.New(fault.KindUnauthenticated, "agent.key", "no"), 401, "false", []string{`authentication_error`}},
		"openai rate":     {"openai", "/v1/models", fault.New(fault.KindExhausted, "limit.rate", "no"), 429, "true", []string{`rate_limit_error`}},
		"openai budget":   {"openai", "/v1/models", fault.New(fault.KindExhausted, "budget.exceeded", "no"), 429, "false", []string{`budget.exceeded`}},
		"openai down":     {"openai", "/v1/models", fault.New(fault.KindUnavailable, "upstream.open", "no"), 503, "true", []string{`server_error`}},
		"openai messages": {"openai", "/v1/messages", denied, 403, "false", []string{`{"type":"error","error":{"type":"permission_error"`, `"request_id":"dec_1"`}},
		"anthropic":       {"anthropic", "/v1/messages", denied, 403, "false", []string{`{"type":"error","error":{"type":"permission_error","message":"denied: no (policy.forbid, decision dec_1). ask the owner"},"request_id":"dec_1"}`}},
		"anthropic 404":   {"anthropic", "/v1/messages", fault.New(fault.KindNotFound, "gateway.upstream", "no"), 404, "false", []string{`not_found_error`}},
		"anthropic 503":   {"anthropic", "/v1/messages", fault.New(fault.KindUnavailable, "decision.not_recorded", "no"), 503, "true", []string{`overloaded_error`}},
		"anthropic 413":   {"anthropic", "/v1/messages", fault.New(fault.KindInvalid, "gateway.too_large", "no"), 413, "false", []string{`request_too_large`}},
		"azure":           {"azure", "/openai/deployments/d/chat/completions", denied, 403, "false", []string{`"code":"policy.forbid"`}},
		"azure claude":    {"azure", "/anthropic/v1/messages", denied, 403, "false", []string{`{"type":"error"`}},
		"gemini":          {"gemini", "/v1beta/models/g:generateContent", denied, 403, "false", []string{`"code":403`, `"status":"PERMISSION_DENIED"`, `"reason":"policy.forbid"`}},
		"gemini 400":      {"gemini", "/v1beta/models/g:generateContent", fault.New(fault.KindInvalid, "llm.json", "no"), 400, "false", []string{`INVALID_ARGUMENT`}},
		"bedrock":         {"bedrock", "/model/m/converse", denied, 403, "false", []string{`{"message":"denied: no`}},
		"bedrock budget":  {"bedrock", "/model/m/converse", fault.New(fault.KindExhausted, "budget.exceeded", "no"), 400, "false", nil},
		"bedrock rate":    {"bedrock", "/model/m/converse", fault.New(fault.KindExhausted, "limit.rate", "no"), 429, "true", nil},
		"bedrock 401":     {"bedrock", "/model/m/converse", fault.New(fault.KindUnauthenticated, "agent.key", "no"), 403, "false", nil},
		"bedrock answer":  {"bedrock", "/model/m/converse", errBroken, 424, "false", nil},
		"bedrock down":    {"bedrock", "/model/m/converse", fault.New(fault.KindUnavailable, "upstream.open", "no"), 503, "true", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			protocol().Refuse(w, &gateway.Call{Upstream: up(c.dialect), Method: "POST", Path: c.path, Request: &http.Request{Header: http.Header{}}}, c.f, "dec_1")
			body := w.Body.String()
			if w.Code != c.status || w.Header().Get("X-Should-Retry") != c.retry || (w.Header().Get("Retry-After") != "") != (c.retry == "true") || w.Header().Get("X-Reeve-Decision") != "dec_1" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("%s has no %s", body, want)
				}
			}
			kinds := map[string]string{
				"bedrock": "AccessDeniedException", "bedrock budget": "ServiceQuotaExceededException", "bedrock rate": "ThrottlingException",
				"bedrock 401": "UnrecognizedClientException", "bedrock answer": "ModelErrorException", "bedrock down": "ServiceUnavailableException",
			}
			if got := w.Header().Get("X-Amzn-Errortype"); got != kinds[name] {
				t.Errorf("exception %q, want %q", got, kinds[name])
			}
		})
	}
	// Nobody knows the upstream: the SDK gives itself away.
	for header, want := range map[string]string{"Anthropic-Version": `{"type":"error"`, "X-Goog-Api-Key": `"status":"NOT_FOUND"`, "Amz-Sdk-Invocation-Id": `{"message"`, "X": `"param":null`} {
		w := httptest.NewRecorder()
		protocol().Refuse(w, &gateway.Call{Request: &http.Request{Header: http.Header{header: {"x"}}}}, fault.New(fault.KindNotFound, "gateway.upstream", "no"), "")
		if w.Code != 404 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
}
