package content

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// conversation is what a model call carries: prose, code, JSON of tools.
func conversation(size int) []byte {
	prose := "The customer asked about the status of the order and whether the access to the account can be restored by Friday. We told them that the key contact is away. "
	code := "func token(s string) (key string, err error) {\n\tfor i := range s {\n\t\tif s[i] == ':' {\n\t\t\treturn s[:i], nil\n\t\t}\n\t}\n\treturn \"\", errors.New(\"no token\")\n}\n"
	tool := `{"order_id":"A-20391","total":129.90,"items":[{"sku":"XK-22","qty":2}],"created":"2026-11-20T10:11:12Z"}`
	var messages []any
	for n, i := 0, 0; n < size; i++ {
		text := fmt.Sprintf("%d: ", i) + strings.Repeat(prose, 3) + code + tool
		n += len(text)
		messages = append(messages, map[string]string{"role": "user", "content": text})
	}
	b, err := json.Marshal(map[string]any{"model": "m", "messages": messages})
	if err != nil {
		panic(err)
	}
	return b
}

func benchmarkRequest(b *testing.B, p *Plan, forget bool) {
	body := conversation(64 << 10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if forget {
			p.set.memory = memory{}
		}
		if _, _, err := p.Request(body); err != nil {
			b.Fatal(err)
		}
	}
}

// The floor: looking at each byte once.
func BenchmarkFloor(b *testing.B) {
	body := conversation(64 << 10)
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		for _, c := range body {
			if c == 0 {
				n++
			}
		}
	}
	_ = n
}

func BenchmarkIndexFloor(b *testing.B) {
	body := conversation(64 << 10)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if bytes.Contains(body, []byte("rvk_")) {
			b.Fatal()
		}
	}
}

func BenchmarkOwnKeysOnly(b *testing.B) {
	benchmarkRequest(b, rules(b).For("bot", "core", "production"), true)
}

func BenchmarkSecrets(b *testing.B) {
	benchmarkRequest(b, rules(b, on("redact", "secret")).For("bot", "core", "production"), true)
}

func BenchmarkPersonal(b *testing.B) {
	benchmarkRequest(b, rules(b, on("redact", "pii")).For("bot", "core", "production"), true)
}

func BenchmarkEverything(b *testing.B) {
	benchmarkRequest(b, rules(b, on("redact", "pii", "secret")).For("bot", "core", "production"), true)
}

func BenchmarkResent(b *testing.B) {
	benchmarkRequest(b, rules(b, on("redact", "pii", "secret")).For("bot", "core", "production"), false)
}

func BenchmarkStream(b *testing.B) {
	p := rules(b, on("redact", "pii", "secret")).For("bot", "core", "production")
	words := strings.SplitAfter(strings.Repeat("The customer asked about the status of the order and the access to the account. ", 50), " ")
	b.ReportAllocs()
	for b.Loop() {
		s := p.Text(false)
		for _, w := range words {
			if _, _, err := s.Add([]byte(w)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(words)), "ns/piece")
}

// What an agent says beside the body of a call: an address, and headers.
func BenchmarkBesideTheBody(b *testing.B) {
	p := rules(b, on("redact", "pii", "secret")).For("bot", "core", "production")
	for name, text := range map[string]string{
		"address": "/v1/customers/cus_20391/orders/7?expand=items&page=2", "headers": "OpenAI/JS 6.1.0\ncors\n",
		"escaped": "/v1/customers/M%C3%BCller/orders/7?expand=items&page=2",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if out, _, err := p.Request([]byte(text)); err != nil || string(out) != text {
					b.Fatal(string(out), err)
				}
			}
		})
	}
}

// What looking for our own keys adds to a span of 1.6 kB that is stored.
func BenchmarkEachOwnKey(b *testing.B) {
	text := []byte(strings.Repeat(`server.address: orders.example, gen_ai.provider.name: openai, "please move the delivery of order 1042 over"; `, 15))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		EachOwnKey(text, func(string) { b.Fatal("there is none") })
	}
}

// What a model's answer costs: a short text, and figures of tokens that are none.
func BenchmarkAnswer(b *testing.B) {
	p := rules(b, on("redact", "secret")).For("bot", "core", "production")
	text := []byte(`{"id":"chatcmpl-9","object":"chat.completion","created":1730000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"The order is on its way."},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"total_tokens":29}}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p.set.memory = memory{}
		if _, _, err := p.Request(text); err != nil {
			b.Fatal(err)
		}
	}
}
