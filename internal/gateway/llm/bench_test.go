package llm

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"reeve/internal/gateway"
)

// history is a chat request of about n bytes: a system prompt, tools, and turns
// with calls and results.
func history(n int) *gateway.Call {
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-4o-mini","temperature":0.2,"max_tokens":200,"stream":true,"messages":[{"role":"system","content":"You are a refund agent. Be brief."}`)
	for i := 0; b.Len() < n-700; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"}`, strings.Repeat(`Refund order 1042 please, it came broken.\n`, 6))
		fmt.Fprintf(&b, `,{"role":"assistant","content":null,"tool_calls":[{"id":"call_%d","type":"function","function":{"name":"lookup_order","arguments":"{\"order_id\":\"1042\"}"}}]}`, i)
		fmt.Fprintf(&b, `,{"role":"tool","tool_call_id":"call_%d","content":"{\"status\":\"delivered\",\"total\":49.9}"}`, i)
	}
	b.WriteString(`],"tools":[{"type":"function","function":{"name":"lookup_order","description":"Look up an order by id","parameters":{"type":"object","properties":{"order_id":{"type":"string","description":"the order's number"}},"required":["order_id"]}}}]}`)
	return parseCall("openai", append([]byte("POST /v1/chat/completions\n\n"), b.Bytes()...))
}

func TestProposeAllocs(t *testing.T) {
	p := protocol()
	// One object and the closure for the answer, the names and lists of a call;
	// a history of any length adds nothing.
	for size, most := range map[int]float64{2 << 10: 27, 1 << 20: 27} {
		c := history(size)
		if got := testing.AllocsPerRun(20, func() {
			if _, err := p.Propose(c); err != nil {
				t.Fatal(err)
			}
		}); got > most {
			t.Errorf("a body of %d bytes takes %.0f allocations, at most %.0f are allowed", len(c.Body), got, most)
		}
	}
}

func BenchmarkPropose(b *testing.B) {
	for _, size := range []int{2 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dkB", size>>10), func(b *testing.B) {
			p, c := protocol(), history(size)
			b.SetBytes(int64(len(c.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Propose(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// chatStream is a stream of n events of text, one to a piece, and its end.
func chatStream(n int) (pieces [][]byte) {
	event := func(delta, finish string) []byte {
		return fmt.Appendf(nil, `data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}`+"\n\n", delta, finish)
	}
	for range n {
		pieces = append(pieces, event(`{"content":" word"}`, "null"))
	}
	return append(pieces, event("{}", `"stop"`), []byte("data: [DONE]\n\n"))
}

func BenchmarkAnswer(b *testing.B) {
	pieces := chatStream(500)
	for name, judge := range map[string]gateway.Judge{"watched": nil, "judged": denying()} {
		b.Run(name, func(b *testing.B) {
			p, err := protocol().Propose(history(2 << 10))
			if err != nil {
				b.Fatal(err)
			}
			h := http.Header{"Content-Type": {"text/event-stream"}}
			b.ReportAllocs()
			for b.Loop() {
				a := p.Answer(http.StatusOK, h, judge)
				for _, piece := range pieces {
					if _, err := a.Next(piece); err != nil {
						b.Fatal(err)
					}
				}
				if _, facts := a.End(nil); facts.FinishReason != "stop" {
					b.Fatal(facts)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(pieces)), "ns/event")
		})
	}
}

func TestAnswerAllocs(t *testing.T) {
	pieces := chatStream(500)
	p, err := protocol().Propose(history(2 << 10))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Content-Type": {"text/event-stream"}}
	for name, judge := range map[string]gateway.Judge{"watched": nil, "judged": denying()} {
		got := testing.AllocsPerRun(20, func() {
			a := p.Answer(http.StatusOK, h, judge)
			for _, piece := range pieces {
				if _, err := a.Next(piece); err != nil {
					t.Fatal(err)
				}
			}
			a.End(nil)
		})
		// Growing buffers and the facts; an event of text costs none.
		if got > 60 {
			t.Errorf("%s: 500 events take %.0f allocations", name, got)
		}
	}
}

// BenchmarkRuled is a stream of 500 events under content rules.
func BenchmarkRuled(b *testing.B) {
	pieces := chatStream(500)
	p, err := protocol().Propose(history(2 << 10))
	if err != nil {
		b.Fatal(err)
	}
	rules := plan(b, "redact", "", "secret", "pii")
	h := http.Header{"Content-Type": {"text/event-stream"}}
	b.ReportAllocs()
	for b.Loop() {
		a := p.Answer(http.StatusOK, h, nil)
		a.(gateway.Ruled).Rules(rules)
		for _, piece := range pieces {
			if _, err := a.Next(piece); err != nil {
				b.Fatal(err)
			}
		}
		if _, facts := a.End(nil); facts.FinishReason != "stop" {
			b.Fatal(facts)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(pieces)), "ns/event")
}

// BenchmarkRuledBytes is the same stream looked at byte by byte, as it was before
// events were known: what BenchmarkRuled is to be compared with.
func BenchmarkRuledBytes(b *testing.B) {
	pieces := chatStream(500)
	rules := plan(b, "redact", "", "secret", "pii")
	for b.Loop() {
		s := rules.Stream()
		for _, piece := range pieces {
			if _, err := s.Next(piece); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(pieces)), "ns/event")
}
