package activity

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// full has every field set, so that a forgotten one fails the round trip.
func full() *Batch {
	resource := bytes.Repeat([]byte("resource"), 40)
	f := Fragment{
		Run: RunID{1}, Step: StepID{2}, Parent: StepID{3}, Trace: TraceID{4}, Span: SpanID{5},
		Source: SourceSDK, Kind: KindTool, Status: StatusError, Flags: FlagBadID | FlagUsageMismatch,
		Start: 1795374095807000000, End: 1795374095928798373, Name: "chat gpt-4o-mini", StatusMessage: "no", ErrorType: "429",
		Agent: "refund-agent", AgentID: "agent-7", AgentVersion: "1.4.2", AgentExplicit: true, Service: "refund-agent",
		Environment: "prod", Task: "refund", RunName: "refund run", Session: "conv-1", User: "user-9", Mode: "test",
		Outcome: "resolved", Waiting: true, Provider: "openai", ModelRequested: "gpt-4o-mini", Model: "gpt-4o-mini-2026-01-01",
		ResponseID: "chatcmpl-1", FinishReason: "tool_call", TTFT: 12345, Usage: Usage{41, 8, 0, 13, 2},
		ReportedCost: Cost{Nanos: -5, Currency: "USD", Basis: CostProvider, Price: "said"}, ToolName: "lookup_order",
		ToolCallID: "call_1", DecisionID: "dec_1", Dialect: "otel-genai", Scope: "scope", ScopeVersion: "0.21.0", MapVersion: 3,
		Tags: []string{"a", "", "b"}, Labels: []Label{{"k", "v"}, {"", ""}}, Links: []Link{{TraceID: TraceID{9}, SpanID: SpanID{8}}, {TraceID{9}, SpanID{8}, RunID{1}, StepID{2}, LinkSameCall}},
		Contents: []Content{
			{Field: ContentInput, Format: "genai.messages", From: "gen_ai.input.messages", Order: 2, Raw: []byte(`[{"role":"user"}]`)},
			{Field: ContentOutput, Format: "text", From: "output.value", Order: -1, Raw: []byte(`hello`)},
		},
		Attributes: []byte("attributes"), Resource: resource, Events: []byte("events"), WholeFragment: true, OnlyContent: true,
		ScopeAttribute: []byte("scope attributes"),
	}
	second := f
	second.Usage, second.TTFT, second.End = NoUsage, Unknown, Unknown
	second.Resource = bytes.Clone(resource) // equal, not the same memory
	log := LogRecord{
		Time: 7, Run: RunID{1}, Step: StepID{2}, Trace: TraceID{4}, Span: SpanID{5}, Severity: 9, EventName: "gen_ai.choice",
		Body: "body", Agent: "refund-agent", Service: "svc", Session: "s", Scope: "scope", Flags: FlagTruncated,
		Attributes: []byte("la"), Resource: resource,
	}
	point := MetricPoint{
		Time: 8, StartTime: 6, Name: "gen_ai.client.token.usage", Unit: "{token}", Type: "histogram", Monotonic: true, Delta: true,
		Value: math.Pi, Count: 0, Agent: "a", Service: "s", Attributes: []byte("ma"), Resource: resource, Point: []byte("p"),
	}
	return &Batch{
		Received: 99, Sender: "key_1", Team: "support", Environment: "production",
		Fragments: []Fragment{f, second, {End: Unknown, TTFT: Unknown, Usage: NoUsage}},
		Logs:      []LogRecord{log, {}}, Metrics: []MetricPoint{point, {Count: Unknown}},
	}
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	want := full()
	src := AppendBatch(nil, want)
	src = AppendBatch(src, &Batch{Received: 1})
	src = AppendBatch(src, want) // into slices that were used before
	var n int
	err := DecodeEnvelope(src, nil, func(got *Batch) error {
		n++
		w := want
		if n == 2 {
			w = &Batch{Received: 1}
		}
		if d := cmp.Diff(w, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("batch %d (-want +got):\n%s", n, d)
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Fatalf("DecodeEnvelope = %v after %d batches, want 3", err, n)
	}
	if c := bytes.Count(src, want.Fragments[0].Resource); c != 2 {
		t.Errorf("the resource stands %d times in two batches, want once in each", c)
	}
}

func TestCodecStopsAtError(t *testing.T) {
	t.Parallel()
	src := AppendBatch(AppendBatch(nil, full()), full())
	stop := errors.New("stop")
	var n int
	if err := DecodeEnvelope(src, nil, func(*Batch) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("DecodeEnvelope = %v after %d calls, want stop after 1", err, n)
	}
}

func TestCodecBadInput(t *testing.T) {
	t.Parallel()
	src := AppendBatch(nil, full())
	for cut := 1; cut < len(src); cut++ {
		if err := DecodeEnvelope(src[:cut], nil, func(*Batch) error { return nil }); !errors.Is(err, ErrCodec) {
			t.Fatalf("first %d of %d bytes: %v, want ErrCodec", cut, len(src), err)
		}
	}
	for name, in := range map[string][]byte{
		"reference beyond the table": {0x0a, 5, 6<<3 | 2, 3, 0x90, 1, 1}, // field 18
		"short run id":               {0x0a, 5, 6<<3 | 2, 3, 1<<3 | 2, 1, 7},
		"group":                      {0x0a, 1, 9<<3 | 3},
		"endless varint":             bytes.Repeat([]byte{0xff}, 20),
	} {
		if err := DecodeEnvelope(in, nil, func(*Batch) error { return nil }); !errors.Is(err, ErrCodec) {
			t.Errorf("%s: %v, want ErrCodec", name, err)
		}
	}
}

// A newer release may add fields anywhere; an older reader skips them.
func TestCodecSkipsUnknownFields(t *testing.T) {
	t.Parallel()
	unknown := []byte{0xf8, 0x7f, 5, 0xf9, 0x7f, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 0x7f, 1, 9, 0xfd, 0x7f, 1, 2, 3, 4}
	inner := append([]byte{12<<3 | 2, 1, 'n'}, unknown...)
	batch := append([]byte{6<<3 | 2, byte(len(inner))}, inner...)
	batch = append(batch, unknown...)
	src := append([]byte{0x0a, byte(len(batch))}, batch...)
	src = append(src, unknown...)
	var name string
	if err := DecodeEnvelope(src, nil, func(b *Batch) error { name = b.Fragments[0].Name; return nil }); err != nil || name != "n" {
		t.Errorf("name %q, err %v, want n", name, err)
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(AppendBatch(nil, full()))
	f.Add(AppendBatch(AppendBatch(nil, &Batch{}), full()))
	f.Add([]byte{0x0a, 0})
	f.Fuzz(func(t *testing.T, src []byte) {
		var again []byte
		if DecodeEnvelope(src, nil, func(b *Batch) error { again = AppendBatch(again, b); return nil }) != nil {
			return
		}
		// What was understood survives another round.
		var third []byte
		if err := DecodeEnvelope(again, nil, func(b *Batch) error { third = AppendBatch(third, b); return nil }); err != nil {
			t.Fatalf("own encoding does not decode: %v", err)
		}
		if !bytes.Equal(again, third) {
			t.Fatalf("encoding is not stable:\n%x\n%x", again, third)
		}
	})
}

// load is a batch as a busy sender's: 100 spans of about 1.6 kB.
func load() *Batch {
	resource := bytes.Repeat([]byte("resource attribute "), 20)
	attributes := bytes.Repeat([]byte("a"), 900)
	b := &Batch{Received: 1, Sender: "key", Team: "team"}
	for i := range 100 {
		f := full().Fragments[0]
		f.Span[7] = byte(i)
		f.Resource, f.Attributes = resource, attributes
		f.Contents = []Content{{Format: "genai.messages", From: "gen_ai.input.messages", Raw: attributes[:300]}}
		f.Tags, f.Labels, f.Links = nil, nil, nil
		f.ResponseID = fmt.Sprintf("chatcmpl-%d", i)
		b.Fragments = append(b.Fragments, f)
	}
	return b
}

func BenchmarkAppendBatch(b *testing.B) {
	batch := load()
	dst := AppendBatch(nil, batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		dst = AppendBatch(dst[:0], batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch.Fragments)), "ns/span")
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	src := AppendBatch(nil, load())
	var into Batch
	b.ReportAllocs()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if err := DecodeEnvelope(src, &into, func(*Batch) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/span")
}

func TestCodecAllocations(t *testing.T) {
	batch := load()
	dst := AppendBatch(nil, batch)
	var into Batch
	each := func(*Batch) error { return nil }
	n := testing.AllocsPerRun(50, func() {
		dst = AppendBatch(dst[:0], batch)
		if err := DecodeEnvelope(dst, &into, each); err != nil {
			t.Fatal(err)
		}
	})
	// The table of a batch grows from nothing: a handful for 100 spans.
	if n > 10 {
		t.Errorf("%.0f allocations for a batch of 100 spans there and back, want at most 10", n)
	}
}
