package intake

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// loadRequest is a request of n spans as an agent sends them: about 25
// attributes and 1.6 kB each, messages among them.
func loadRequest(tb testing.TB, n int) []byte {
	tb.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for _, kv := range [][2]string{
		{"service.name", "refund-agent"},
		{"service.version", "1.4.2"},
		{"deployment.environment.name", "prod"},
		{"telemetry.sdk.language", "python"},
		{"telemetry.sdk.name", "opentelemetry"},
		{"host.name", "node-17"},
		{"k8s.pod.name", "refund-7d9c"},
	} {
		rs.Resource().Attributes().PutStr(kv[0], kv[1])
	}
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("opentelemetry.instrumentation.openai_v2")
	ss.Scope().SetVersion("2.1b0")
	message := `[{"role":"system","parts":[{"type":"text","content":"You are a refund agent. Be brief."}]},{"role":"user","parts":[{"type":"text","content":"` +
		strings.Repeat("please refund my order ", 12) + `"}]}]`
	for i := range n {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1, byte(i / 10), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
		s.SetSpanID(pcommon.SpanID{1, 2, 3, 4, 5, 6, byte(i >> 8), byte(i)})
		s.SetParentSpanID(pcommon.SpanID{1, 2, 3, 4, 5, 6, 7, 1})
		s.SetName("chat gpt-4o-mini")
		s.SetKind(ptrace.SpanKindClient)
		s.SetStartTimestamp(1795374095807000000)
		s.SetEndTimestamp(1795374096807000000)
		a := s.Attributes()
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", "gpt-4o-mini")
		a.PutStr("gen_ai.response.model", "gpt-4o-mini-2026-01-01")
		a.PutStr("gen_ai.response.id", fmt.Sprintf("chatcmpl-%08d", i))
		a.PutEmptySlice("gen_ai.response.finish_reasons").AppendEmpty().SetStr("stop")
		a.PutInt("gen_ai.request.max_tokens", 200)
		a.PutDouble("gen_ai.request.temperature", 0.2)
		a.PutDouble("gen_ai.request.top_p", 0.9)
		a.PutInt("gen_ai.usage.input_tokens", 412)
		a.PutInt("gen_ai.usage.output_tokens", 57)
		a.PutInt("gen_ai.usage.cache_read.input_tokens", 128)
		a.PutStr("gen_ai.agent.name", "refund-agent")
		a.PutStr("gen_ai.agent.id", "agent-7")
		a.PutStr("gen_ai.conversation.id", "conv-1")
		a.PutStr("user.id", "user-9")
		a.PutStr("server.address", "api.openai.com")
		a.PutInt("server.port", 443)
		a.PutStr("gen_ai.output.type", "text")
		a.PutStr("app.tenant", "acme")
		a.PutStr("app.region", "eu-central-1")
		a.PutBool("app.retry", false)
		a.PutStr("app.build", "2026.11.22-abcdef")
		a.PutStr("gen_ai.input.messages", message)
		a.PutStr("gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"text","content":"The refund for order 1042 was approved: 49.90 EUR. You will see it within three days."}],"finish_reason":"stop"}]`)
	}
	raw, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		tb.Fatal(err)
	}
	// As the SDKs encode it: fields in ascending order.
	var m collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &m); err != nil {
		tb.Fatal(err)
	}
	if raw, err = proto.Marshal(&m); err != nil {
		tb.Fatal(err)
	}
	return raw
}

type nullLog struct{}

func (nullLog) Publish(context.Context, []byte) error { return nil }

// BenchmarkAccept is decode, normalise and encode; publishing costs nothing.
func BenchmarkAccept(b *testing.B) {
	const spans = 300
	body := loadRequest(b, spans)
	in, _ := fixture(b, func(o *Options) { o.Log = nullLog{} })
	w := in.worker()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.accept(b.Context(), w, traces, false, body, dev); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
	b.ReportMetric(float64(len(body))/spans, "B/span")
}

// BenchmarkNormalise is Accept without the encoding.
func BenchmarkNormalise(b *testing.B) {
	const spans = 300
	body := loadRequest(b, spans)
	in, _ := fixture(b, func(o *Options) { o.Log = nullLog{} })
	w := in.worker()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.n.run(traces, body, time.Unix(1795400000, 0), dev); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}

// BenchmarkOracle is what the collector's own decoder takes for the same bytes,
// without any normalising.
func BenchmarkOracle(b *testing.B) {
	const spans = 300
	body := loadRequest(b, spans)
	b.ReportAllocs()
	for b.Loop() {
		r := ptraceotlp.NewExportRequest()
		if err := r.UnmarshalProto(body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}

func TestAcceptAllocations(t *testing.T) {
	const spans = 300
	body := loadRequest(t, spans)
	in, _ := fixture(t, func(o *Options) { o.Log = nullLog{} })
	w := in.worker()
	n := testing.AllocsPerRun(20, func() {
		if _, err := in.accept(t.Context(), w, traces, false, body, dev); err != nil {
			t.Fatal(err)
		}
	})
	if n > 30 {
		t.Errorf("%.0f allocations for a request of %d spans, want at most 30", n, spans)
	}
}
