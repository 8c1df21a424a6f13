package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// BenchmarkSameSteps sends the same hundred model calls in each wire format:
// cpu-ns/step of each against plain OTLP's in the same run.
func BenchmarkSameSteps(b *testing.B) {
	const n = 100
	plain := loadRequest(b, n)
	r := ptraceotlp.NewExportRequest()
	if err := r.UnmarshalProto(plain); err != nil {
		b.Fatal(err)
	}
	inJSON, err := r.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	spans := r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	input, output := "", ""
	if v, ok := spans.At(0).Attributes().Get("gen_ai.input.messages"); ok {
		input = v.Str()
	}
	if v, ok := spans.At(0).Attributes().Get("gen_ai.output.messages"); ok {
		output = v.Str()
	}
	at := func(i int) string { return time.Unix(0, 1795374095807000000+int64(i)).UTC().Format(time.RFC3339Nano) }
	call := func(i int) map[string]any {
		return map[string]any{"max_tokens": 200, "temperature": 0.2, "top_p": 0.9, "seq": i}
	}
	var datadog, langfuse, agents []any
	var langsmith bytes.Buffer
	for i := range n {
		id := fmt.Sprintf("%016x", i+1)
		uuid := fmt.Sprintf("01a204a4-c14d-720b-9c73-%012x", i)
		datadog = append(datadog, map[string]any{
			"event_type": "span", "_dd.stage": "raw", "spans": []any{map[string]any{
				"trace_id": "6b033b960000000067d21221e3f2d664", "span_id": fmt.Sprint(i + 1), "parent_id": "9999", "name": "chat gpt-4o-mini",
				"tags":     []string{"version:1.4.2", "env:prod", "service:refund-agent", "ml_app:support", "language:python", "error:0"},
				"start_ns": 1795374095807000000 + i, "duration": 1000000000, "status": "ok",
				"meta":    map[string]any{"span.kind": "llm", "model_name": "gpt-4o-mini-2026-01-01", "model_provider": "openai", "metadata": call(i), "input": map[string]any{"messages": json.RawMessage(input)}, "output": map[string]any{"messages": json.RawMessage(output)}},
				"metrics": map[string]any{"input_tokens": 412, "output_tokens": 57, "cache_read_input_tokens": 128},
			}},
		})
		langfuse = append(langfuse, map[string]any{"id": id, "type": "generation-create", "timestamp": at(i), "body": map[string]any{
			"id": uuid, "traceId": "4f1eb1c3-e5c4-480f-a43f-f0314b874a28", "name": "chat gpt-4o-mini", "startTime": at(i), "endTime": at(i + 1e9),
			"environment": "prod", "release": "1.4.2", "model": "gpt-4o-mini-2026-01-01", "modelParameters": call(i),
			"input": json.RawMessage(input), "output": json.RawMessage(output), "usageDetails": map[string]int{"input": 284, "input_cached_tokens": 128, "output": 57},
		}})
		agents = append(agents, map[string]any{
			"object": "trace.span", "id": "span_" + id, "trace_id": "trace_16538e661f434e109b0c692418591932", "parent_id": nil, "started_at": at(i), "ended_at": at(i + 1e9),
			"span_data": map[string]any{
				"type": "generation", "model": "gpt-4o-mini", "model_config": call(i), "input": json.RawMessage(input), "output": json.RawMessage(output),
				"usage": map[string]int{"input_tokens": 412, "output_tokens": 57},
			}, "error": nil,
		})
		part := func(name string, v any) {
			text, err := json.Marshal(v)
			if err != nil {
				b.Fatal(err)
			}
			fmt.Fprintf(&langsmith, "--b\r\nContent-Disposition: form-data; name=\"post.%s%s\"\r\nContent-Type: application/json; length=%d\r\n\r\n%s\r\n", uuid, name, len(text), text)
		}
		part("", map[string]any{"id": uuid, "trace_id": "01a204a4-c14d-720b-9c73-e501a9b710ab", "name": "ChatOpenAI", "run_type": "llm", "session_name": "support", "start_time": at(i), "end_time": at(i + 1e9), "tags": []string{"refund"}})
		part(".inputs", map[string]any{"messages": json.RawMessage(input)})
		part(".outputs", map[string]any{"messages": json.RawMessage(output)})
		part(".extra", map[string]any{"metadata": map[string]any{"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "usage_metadata": map[string]any{"input_tokens": 412, "output_tokens": 57, "input_token_details": map[string]int{"cache_read": 128}}, "session_id": "conv-1"}, "runtime": call(i)})
	}
	langsmith.WriteString("--b--\r\n")
	marshal := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	for _, c := range []struct {
		name, path, kind string
		body             []byte
	}{
		{"otlp protobuf", "/v1/traces", protobuf, plain},
		{"otlp json", "/v1/traces", "application/json", inJSON},
		{"datadog", "/api/v2/llmobs", "application/json", marshal(datadog)},
		{"langfuse", "/api/public/ingestion", "application/json", marshal(map[string]any{"batch": langfuse})},
		{"langsmith", "/runs/multipart", "multipart/form-data; boundary=b", langsmith.Bytes()},
		{"openai agents", "/v1/traces/ingest", "application/json", marshal(map[string]any{"data": agents})},
	} {
		b.Run(c.name, func(b *testing.B) {
			in, log := fixture(b, nil)
			before := cpu()
			for b.Loop() {
				log.data = log.data[:0]
				if w := post(in, c.path, c.kind, c.body); w.Code/100 != 2 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			if s := in.Stats(); s.Spans != int64(b.N*n) {
				b.Fatalf("%d spans of %d requests", s.Spans, b.N)
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N*n), "cpu-ns/step")
			b.ReportMetric(float64(len(c.body)/n), "B/step")
		})
	}
}
