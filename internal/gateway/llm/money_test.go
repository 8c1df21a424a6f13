package llm

import (
	"net/http"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/price"
)

// TestMoney goes all the way from an answer as a provider gives it to what the call
// cost, to the billionth of a dollar. The formats count differently: OpenAI's and
// Gemini's input includes what was cached and Anthropic's and Bedrock's does not;
// OpenAI's output includes reasoning and Gemini's does not. Prices of the book, in
// dollars a million tokens, are written out beside each sum.
func TestMoney(t *testing.T) {
	t.Parallel()
	book, err := price.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dialect, request, kind, answer string
		usage                          activity.Usage
		nanos                          int64
	}{
		// 600 of input at 2.50, 400 cached at 1.25, 500 of output at 10.
		"chat completions, cached": {
			"openai", "POST /v1/chat/completions\n\n" + `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`, "application/json",
			`{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"prompt_tokens_details":{"cached_tokens":400,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`,
			activity.Usage{InputTotal: 1000, CacheRead: 400, CacheWrite: -1, OutputTotal: 500, Reasoning: 0},
			600*2500 + 400*1250 + 500*10_000,
		},
		// 1,000 of input at 1.10, 200 cached at 0.55, 900 of output at 4.40, of which 640 are reasoning.
		"chat completions, reasoning": {
			"openai", "POST /v1/chat/completions\n\n" + `{"model":"o3-mini","messages":[{"role":"user","content":"hi"}]}`, "application/json",
			`{"id":"chatcmpl-2","object":"chat.completion","model":"o3-mini-2025-01-31","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":1200,"completion_tokens":900,"total_tokens":2100,"prompt_tokens_details":{"cached_tokens":200},"completion_tokens_details":{"reasoning_tokens":640,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}`,
			activity.Usage{InputTotal: 1200, CacheRead: 200, CacheWrite: -1, OutputTotal: 900, Reasoning: 640},
			1000*1100 + 200*550 + 900*4400,
		},
		// 256 of input at 0.25, 1,792 cached at 0.025, 1,100 of output at 2.
		"responses, cached and reasoning": {
			"openai", "POST /v1/responses\n\n" + `{"model":"gpt-5-mini","input":"hi"}`, "application/json",
			`{"id":"resp_1","object":"response","status":"completed","model":"gpt-5-mini-2025-08-07","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello.","annotations":[]}]}],"usage":{"input_tokens":2048,"input_tokens_details":{"cached_tokens":1792},"output_tokens":1100,"output_tokens_details":{"reasoning_tokens":1024},"total_tokens":3148}}`,
			activity.Usage{InputTotal: 2048, CacheRead: 1792, CacheWrite: -1, OutputTotal: 1100, Reasoning: 1024},
			256*250 + 1792*25 + 1100*2000,
		},
		// 500 of input at 3, 300 read at 0.30, 200 written at 3.75, 100 of output at 15.
		"anthropic, cache read and written": {
			"anthropic", "POST /v1/messages\n\n" + `{"model":"claude-3-5-sonnet-20241022","max_tokens":200,"messages":[{"role":"user","content":"hi"}]}`, "application/json",
			`{"id":"msg_1","type":"message","role":"assistant","model":"claude-3-5-sonnet-20241022","content":[{"type":"text","text":"Hello."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":500,"cache_creation_input_tokens":200,"cache_read_input_tokens":300,"output_tokens":100}}`,
			activity.Usage{InputTotal: 1000, CacheRead: 300, CacheWrite: 200, OutputTotal: 100, Reasoning: -1},
			500*3000 + 300*300 + 200*3750 + 100*15_000,
		},
		// 1,000 of input at 1.25, 3,000 cached at 0.125, 50 + 700 thoughts of output at 10.
		"gemini, cached and thoughts": {
			"gemini", "POST /v1beta/models/gemini-2.5-pro:generateContent\n\n" + `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`, "application/json",
			`{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello."}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":4000,"cachedContentTokenCount":3000,"candidatesTokenCount":50,"thoughtsTokenCount":700,"totalTokenCount":4750},"modelVersion":"gemini-2.5-pro","responseId":"r1"}`,
			activity.Usage{InputTotal: 4000, CacheRead: 3000, CacheWrite: -1, OutputTotal: 750, Reasoning: 700},
			1000*1250 + 3000*125 + 750*10_000,
		},
		// 41 of input at 3, 1,000 read at 0.30, 500 written at 3.75, 13 of output at 15.
		"converse, cache read and written": {
			"bedrock", "POST /model/anthropic.claude-3-5-sonnet-20241022-v2:0/converse\n\n" + `{"messages":[{"role":"user","content":[{"text":"x"}]}]}`, "application/json",
			`{"metrics":{"latencyMs":5},"output":{"message":{"content":[{"text":"Hello."}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":41,"outputTokens":13,"totalTokens":1554,"cacheReadInputTokens":1000,"cacheWriteInputTokens":500}}`,
			activity.Usage{InputTotal: 1541, CacheRead: 1000, CacheWrite: 500, OutputTotal: 13, Reasoning: -1},
			41*3000 + 1000*300 + 500*3750 + 13*15_000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := protocol().Propose(parseCall(c.dialect, []byte(c.request)))
			if err != nil {
				t.Fatal(err)
			}
			_, facts, err := fed(p.Answer(http.StatusOK, http.Header{"Content-Type": {c.kind}}, nil), []byte(c.answer), nil)
			if err != nil {
				t.Fatal(err)
			}
			if facts.Usage != c.usage {
				t.Errorf("usage %+v, want %+v", facts.Usage, c.usage)
			}
			model := facts.Model
			if model == "" { // Bedrock names none in its answer
				model = p.Resource.Name
			}
			got := book.Cost(p.Resource.Provider, model, today, facts.Usage)
			if got.Nanos != c.nanos || got.Currency != "USD" || got.Basis != activity.CostBook {
				t.Errorf("%s of %q costs %+v, want %d", model, p.Resource.Provider, got, c.nanos)
			}
		})
	}
}
