package intake

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// seed is a recorded body with its signal and encoding.
type seed struct {
	name string
	sig  signal
	json bool
	body []byte
}

func seeds(tb testing.TB) (out []seed) {
	tb.Helper()
	files, err := filepath.Glob("testdata/captures/*/*.body.bin")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		i := strings.LastIndex(file, "v1_")
		sig, ok := signalNames[strings.TrimSuffix(file[i+3:], ".body.bin")]
		if i < 0 || !ok {
			continue // a vendor's own wire format
		}
		out = append(out, seed{file, sig, bytes.HasPrefix(body, []byte("{")), body})
	}
	return out
}

func newWorker(tb testing.TB) *worker {
	in, _ := fixture(tb, nil)
	return in.worker()
}

// check looks at what must hold of any batch, and that it survives the log.
func check(t *testing.T, n *normaliser) {
	t.Helper()
	for i := range n.batch.Fragments {
		f := &n.batch.Fragments[i]
		if f.Run.IsZero() || f.Step.IsZero() || f.Start <= 0 || (f.End != activity.Unknown && f.End < f.Start) || f.Parent == f.Step {
			t.Fatalf("fragment %+v", f)
		}
		for _, c := range f.Contents {
			if strings.HasSuffix(c.Format, ".messages") && strings.HasPrefix(c.From, "llm.") && !json.Valid(c.Raw) {
				t.Fatalf("content from %s is no JSON: %q", c.From, c.Raw)
			}
			_, _ = genai.Parse(c.Format, c.Raw) // must not panic; text that is no JSON is the sender's
			genai.Role(c.Format, c.Raw)
		}
		activity.Attributes(f.Attributes)
		activity.Events(f.Events, 100)
	}
	envelope := activity.AppendBatch(nil, &n.batch)
	if err := activity.DecodeEnvelope(envelope, nil, func(b *activity.Batch) error {
		if len(b.Fragments) != len(n.batch.Fragments) || len(b.Logs) != len(n.batch.Logs) || len(b.Metrics) != len(n.batch.Metrics) {
			t.Fatal("the log lost something")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// FuzzProtobuf decodes any bytes as any signal. Where the collector's decoder
// reads them too, it sees as many records. (It also reads some bytes that are
// no protobuf, such as groups without an end; we refuse those.)
func FuzzProtobuf(f *testing.F) {
	for _, s := range seeds(f) {
		if !s.json {
			f.Add(uint8(s.sig), s.body)
		}
	}
	f.Add(uint8(traces), one(f, nil))
	f.Add(uint8(traces), request(field(field(nil, 1, make16(1)), 2, make8(1))))
	w := newWorker(f)
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		sig := signal(which % 3)
		if w.n.run(sig, body, at, dev) != nil {
			return
		}
		check(t, &w.n)
		want := int64(-1)
		switch sig {
		case traces:
			r := ptraceotlp.NewExportRequest()
			if r.UnmarshalProto(body) == nil {
				want = int64(r.Traces().SpanCount())
			}
		case logs:
			r := plogotlp.NewExportRequest()
			if r.UnmarshalProto(body) == nil {
				want = int64(r.Logs().LogRecordCount())
			}
		}
		if want >= 0 && w.n.accepted+w.n.rejected != want {
			t.Fatalf("%d accepted, %d rejected; the collector sees %d", w.n.accepted, w.n.rejected, want)
		}
	})
}

// FuzzJSON reads any text as any signal's JSON.
func FuzzJSON(f *testing.F) {
	for _, s := range seeds(f) {
		if s.json {
			f.Add(uint8(s.sig), s.body)
		}
	}
	f.Add(uint8(traces), []byte(`{"resource_spans":[{"scopeSpans":[{"spans":[{"traceId":{"type":"Buffer","data":[1,2]},"spanId":[1],"kind":"SPAN_KIND_CLIENT","startTimeUnixNano":1e18}]}]}]}`))
	f.Add(uint8(logs), deep(30))
	w := newWorker(f)
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		sig := signal(which % 3)
		out, _, err := transcode(nil, sig, body, 64<<20)
		if err != nil {
			return
		}
		if err := w.n.run(sig, out, at, dev); err != nil {
			t.Fatalf("what we wrote we cannot read: %v", err)
		}
		check(t, &w.n)
	})
}

// TestJSONAgainstOracle sends every capture through the collector's JSON and
// back through ours: the same protobuf must come out.
func TestJSONAgainstOracle(t *testing.T) {
	t.Parallel()
	for _, s := range seeds(t) {
		if s.json {
			continue
		}
		var text, want, got []byte
		var err error
		switch s.sig {
		case traces:
			r := ptraceotlp.NewExportRequest()
			if err = r.UnmarshalProto(s.body); err == nil {
				want, _ = r.MarshalProto()
				text, err = r.MarshalJSON()
			}
		case logs:
			r := plogotlp.NewExportRequest()
			if err = r.UnmarshalProto(s.body); err == nil {
				want, _ = r.MarshalProto()
				text, err = r.MarshalJSON()
			}
		case metrics:
			r := pmetricotlp.NewExportRequest()
			if err = r.UnmarshalProto(s.body); err == nil {
				addMetrics(r.Metrics())
				want, _ = r.MarshalProto()
				text, err = r.MarshalJSON()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		ours, _, err := transcode(nil, s.sig, text, 64<<20)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		switch s.sig {
		case traces:
			r := ptraceotlp.NewExportRequest()
			if err = r.UnmarshalProto(ours); err == nil {
				got, err = r.MarshalProto()
			}
		case logs:
			r := plogotlp.NewExportRequest()
			if err = r.UnmarshalProto(ours); err == nil {
				got, err = r.MarshalProto()
			}
		case metrics:
			r := pmetricotlp.NewExportRequest()
			if err = r.UnmarshalProto(ours); err == nil {
				got, err = r.MarshalProto()
			}
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v; %d bytes through JSON, want %d\n%s", s.name, err, len(got), len(want), text)
		}
	}
}

// addMetrics adds every kind of metric, which the captures lack.
func addMetrics(md pmetric.Metrics) {
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	m := ms.AppendEmpty()
	m.SetName("sum")
	s := m.SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	s.DataPoints().AppendEmpty().SetIntValue(-5)
	s.DataPoints().AppendEmpty().SetDoubleValue(1.5)
	m = ms.AppendEmpty()
	m.SetName("exponential")
	e := m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	e.SetScale(-3)
	e.SetCount(7)
	e.SetSum(2.5)
	e.Positive().SetOffset(-2)
	e.Positive().BucketCounts().FromRaw([]uint64{1, 200, 3})
	e.SetTimestamp(5)
	m = ms.AppendEmpty()
	m.SetName("summary")
	q := m.SetEmptySummary().DataPoints().AppendEmpty()
	q.SetCount(3)
	v := q.QuantileValues().AppendEmpty()
	v.SetQuantile(0.5)
	v.SetValue(9)
	m = ms.AppendEmpty()
	m.SetName("gauge")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(4)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	md := pmetric.NewMetrics()
	addMetrics(md)
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	in, log := fixture(t, nil)
	if w := post(in, "/v1/metrics", protobuf, body); w.Code != 200 || w.Body.Len() > 0 {
		t.Fatal(w.Code, w.Body)
	}
	var got []string
	for _, m := range log.batches(t)[0].Metrics {
		raw, _ := json.Marshal([]any{m.Name, m.Type, m.Value, m.Count, m.Monotonic, m.Delta, len(m.Point) > 0})
		got = append(got, string(raw))
	}
	want := []string{
		`["sum","sum",-5,-1,true,true,true]`, `["sum","sum",1.5,-1,true,true,true]`,
		`["exponential","exponential_histogram",2.5,7,false,false,true]`,
		`["summary","summary",0,3,false,false,true]`, `["gauge","gauge",4,-1,false,false,true]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSpansAgainstOracle compares span by span with the collector's decoder.
func TestSpansAgainstOracle(t *testing.T) {
	t.Parallel()
	w := newWorker(t)
	for _, s := range seeds(t) {
		if s.sig != traces || s.json {
			continue
		}
		r := ptraceotlp.NewExportRequest()
		if err := r.UnmarshalProto(s.body); err != nil {
			t.Fatal(err)
		}
		if err := w.n.run(traces, s.body, at, dev); err != nil {
			t.Fatal(err)
		}
		i := 0
		eachSpan(r.Traces(), func(resource pcommon.Map, sp ptrace.Span) {
			f := &w.n.batch.Fragments[i]
			i++
			if f.Trace != activity.TraceID(sp.TraceID()) || f.Span != activity.SpanID(sp.SpanID()) || f.Start != int64(sp.StartTimestamp()) || f.End != int64(sp.EndTimestamp()) {
				t.Errorf("%s span %d: %+v", s.name, i, f)
			}
			taken := map[string]bool{}
			for _, c := range f.Contents {
				taken[c.From] = true
			}
			have := activity.Attributes(f.Attributes)
			for k := range sp.Attributes().All() {
				_, kept := have[k]
				prefix := false
				for from := range taken {
					prefix = prefix || (strings.HasSuffix(from, ".") && strings.HasPrefix(k, from))
				}
				if !kept && !taken[k] && !prefix {
					t.Errorf("%s span %s: attribute %s is neither attribute nor content", s.name, f.Name, k)
				}
			}
			if got := activity.Attributes(f.Resource); len(got) != resource.Len() {
				t.Errorf("%s: %d of %d resource attributes", s.name, len(got), resource.Len())
			}
		})
	}
}

func eachSpan(td ptrace.Traces, each func(resource pcommon.Map, s ptrace.Span)) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				each(rs.Resource().Attributes(), s)
			}
		}
	}
}

func FuzzValue(f *testing.F) {
	f.Add([]byte{1<<3 | 2, 1, 'k', 2<<3 | 2, 2, 3 << 3, 5})
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, v := dialect.KeyValue(raw)
		if out := v.AppendJSON(nil); !json.Valid(out) {
			t.Fatalf("%x is no JSON: %s", raw, out)
		}
	})
}
