package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// The load is what its description says: sizes, attributes, steps a run,
// children before their root, and the truth of each body.
func TestLoadIsAsDescribed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size     int
		min, max int
		spans    int64
	}{{1600, 1400, 1800, 20_000}, {16000, 14000, 18000, 6000}} {
		load := Load{Spans: tt.spans, SpanBytes: tt.size, Agents: 5, Cost: true, End: time.Unix(1_790_000_000, 0)}
		type seen struct {
			n        int
			rootLast bool
		}
		runs := map[pcommon.TraceID]*seen{}
		var want, got Truth
		var size, attrs int
		for _, a := range load.AgentsOf() {
			for {
				body, truth := a.Body(nil)
				if truth.Spans == 0 {
					break
				}
				want.Add(truth)
				size += len(body)
				req := ptraceotlp.NewExportRequest()
				if err := req.UnmarshalProto(body); err != nil {
					t.Fatal(err)
				}
				spans := req.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans()
				for i := range spans.Len() {
					s := spans.At(i)
					got.Spans++
					attrs += s.Attributes().Len()
					r := runs[s.TraceID()]
					if r == nil {
						r = &seen{}
						runs[s.TraceID()] = r
					}
					r.n++
					if r.rootLast {
						t.Fatalf("span %s after its root", s.Name())
					}
					r.rootLast = s.ParentSpanID().IsEmpty()
					if s.EndTimestamp() <= s.StartTimestamp() {
						t.Fatalf("span %s ends at its start", s.Name())
					}
					if v, ok := s.Attributes().Get("gen_ai.usage.input_tokens"); ok {
						got.ModelCalls++
						got.InputTokens += v.Int()
						o, _ := s.Attributes().Get("gen_ai.usage.output_tokens")
						got.OutputTokens += o.Int()
						c, _ := s.Attributes().Get("gen_ai.usage.cost")
						got.CostNanos += int64(c.Double()*1e9 + 0.5)
					}
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d: truth of the bodies (-said +found):\n%s", tt.size, d)
		}
		if want.Spans != tt.spans {
			t.Errorf("%d: %d spans, want %d", tt.size, want.Spans, tt.spans)
		}
		if mean := size / int(want.Spans); mean < tt.min || mean > tt.max {
			t.Errorf("%d: %d bytes a span, want %d to %d", tt.size, mean, tt.min, tt.max)
		}
		if mean := attrs / int(want.Spans); mean < 22 || mean > 28 {
			t.Errorf("%d: %d attributes a span, want about 25", tt.size, mean)
		}
		for id, r := range runs {
			if r.rootLast && (r.n < 8 || r.n > 12) {
				t.Errorf("%d: run %s has %d steps, want 8 to 12", tt.size, id, r.n)
			}
		}
		t.Logf("%d: %d bytes and %d attributes a span, %d runs", tt.size, size/int(want.Spans), attrs/int(want.Spans), len(runs))
	}
}

func TestLoadRepeatsItselfBySeed(t *testing.T) {
	t.Parallel()
	load := Load{Spans: 2000, Agents: 2, End: time.Unix(1_790_000_000, 0)}
	a, _ := load.AgentsOf()[1].Body(nil)
	b, _ := load.AgentsOf()[1].Body(nil)
	if !bytes.Equal(a, b) {
		t.Error("the same seed gave two bodies")
	}
	load.Seed = 2
	if c, _ := load.AgentsOf()[1].Body(nil); bytes.Equal(a, c) {
		t.Error("another seed gave the same body")
	}
}

func BenchmarkBody(b *testing.B) {
	for name, size := range map[string]int{"1600": 1600, "16000": 16000} {
		b.Run(name, func(b *testing.B) {
			a := Load{Spans: 1 << 40, SpanBytes: size, Agents: 1}.AgentsOf()[0]
			var buf []byte
			var spans int64
			for b.Loop() {
				var truth Truth
				buf, truth = a.Body(buf[:0])
				spans += truth.Spans
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(spans), "ns/span")
		})
	}
}
