package intake

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
)

// at is the time of receipt in these tests.
var at = time.Unix(1795400000, 0).UTC()

// one is a request of one sound span, changed.
func one(t testing.TB, change func(ptrace.Span)) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "svc")
	addSpan(rs.ScopeSpans().AppendEmpty(), change)
	return marshal(t, td)
}

func addSpan(ss ptrace.ScopeSpans, change func(ptrace.Span)) {
	s := ss.Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{1})
	s.SetSpanID(pcommon.SpanID{2})
	s.SetParentSpanID(pcommon.SpanID{3})
	s.SetName("chat m")
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-2 * time.Second)))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(-time.Second)))
	if change != nil {
		change(s)
	}
}

func marshal(t testing.TB, td ptrace.Traces) []byte {
	t.Helper()
	raw, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// only sends a body and returns its one fragment.
func only(t *testing.T, body []byte, change func(*Options)) activity.Fragment {
	t.Helper()
	in, log := fixture(t, change)
	if w := post(in, "/v1/traces", protobuf, body); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Fatalf("status %d, body %q", w.Code, w.Body)
	}
	b := log.batches(t)
	if len(b) != 1 || len(b[0].Fragments) != 1 {
		t.Fatalf("got %d batches, want one of one fragment: %+v", len(b), b)
	}
	return b[0].Fragments[0]
}

// What is wrong with a span is flagged, and the span is kept.
func TestFlaggedSpans(t *testing.T) {
	t.Parallel()
	start := at.Add(-2 * time.Second).UnixNano()
	for _, c := range []struct {
		name   string
		change func(ptrace.Span)
		flags  activity.Flag
		check  func(f *activity.Fragment) bool
	}{
		{"sound", nil, 0, func(f *activity.Fragment) bool { return f.Status == activity.StatusOK && f.WholeFragment }},
		{"no start", func(s ptrace.Span) { s.SetStartTimestamp(0) }, activity.FlagStartMissing, func(f *activity.Fragment) bool {
			return f.Start == f.End && f.End == at.Add(-time.Second).UnixNano()
		}},
		{"no times", func(s ptrace.Span) { s.SetStartTimestamp(0); s.SetEndTimestamp(0) }, activity.FlagStartMissing, func(f *activity.Fragment) bool {
			return f.Start == at.UnixNano() && f.End == f.Start
		}},
		{"no end is running", func(s ptrace.Span) { s.SetEndTimestamp(0) }, 0, func(f *activity.Fragment) bool {
			return f.End == activity.Unknown && f.Status == activity.StatusRunning && !f.WholeFragment
		}},
		{"no clock says this", func(s ptrace.Span) { s.SetStartTimestamp(1 << 63) }, activity.FlagStartMissing, nil},
		{"end before start", func(s ptrace.Span) { s.SetEndTimestamp(1) }, activity.FlagEndBeforeStart, func(f *activity.Fragment) bool {
			return f.Start == start && f.End == start
		}},
		{"a day ahead", func(s ptrace.Span) {
			s.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(24 * time.Hour)))
			s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(24*time.Hour + 5*time.Second)))
		}, activity.FlagClockSkew | activity.FlagClampedTime, func(f *activity.Fragment) bool {
			// How long it took stays, and so does what was sent.
			a := activity.Attributes(f.Attributes)
			return f.End == at.Add(time.Hour).UnixNano() && f.Start == at.Add(time.Hour-5*time.Second).UnixNano() &&
				a["reeve.time.sent"] == at.Add(24*time.Hour).Format(time.RFC3339Nano) && a["reeve.time.sent.end"] == at.Add(24*time.Hour+5*time.Second).Format(time.RFC3339Nano)
		}},
		{"an end in a hundred years", func(s ptrace.Span) {
			s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(80 * 365 * 24 * time.Hour)))
		}, activity.FlagClockSkew | activity.FlagClampedTime, func(f *activity.Fragment) bool {
			_, moved := activity.Attribute(f.Attributes, "reeve.time.sent")
			return f.Start == start && f.End == at.Add(time.Hour).UnixNano() && !moved
		}},
		{"five minutes ahead", func(s ptrace.Span) { s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(5 * time.Minute))) }, activity.FlagClockSkew, nil},
		{"a day late", func(s ptrace.Span) {
			s.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-24 * time.Hour)))
		}, 0, nil},
		{"older than anything that is kept", func(s ptrace.Span) {
			s.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-91 * 24 * time.Hour)))
		}, activity.FlagClampedTime, func(f *activity.Fragment) bool {
			return f.Start == at.Add(-90*24*time.Hour).UnixNano() && f.End == at.Add(-time.Second).UnixNano()
		}},
		{"running for longer than anything is kept", func(s ptrace.Span) {
			s.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-91 * 24 * time.Hour)))
			s.SetEndTimestamp(0)
		}, activity.FlagClampedTime, func(f *activity.Fragment) bool {
			return f.Start == at.Add(-90*24*time.Hour).UnixNano() && f.End == activity.Unknown
		}},
		{"1970", func(s ptrace.Span) { s.SetStartTimestamp(1); s.SetEndTimestamp(1001) }, activity.FlagClampedTime, func(f *activity.Fragment) bool {
			return f.Start == at.Add(-90*24*time.Hour).UnixNano() && f.End == f.Start+1000
		}},
		{"its own parent", func(s ptrace.Span) { s.SetParentSpanID(s.SpanID()) }, activity.FlagSelfParent, func(f *activity.Fragment) bool { return f.Parent.IsZero() }},
		{"index out of range", func(s ptrace.Span) {
			s.Attributes().PutStr("llm.input_messages.10001.message.content", "x")
			s.Attributes().PutStr("llm.input_messages.0.message.content", "kept")
		}, activity.FlagBadIndex, func(f *activity.Fragment) bool {
			return len(f.Contents) == 1 && string(f.Contents[0].Raw) == `[{"content":"kept"}]`
		}},
		{"negative index", func(s ptrace.Span) { s.Attributes().PutStr("gen_ai.prompt.-1.content", "x") }, activity.FlagBadIndex, nil},
		{"not an index", func(s ptrace.Span) { s.Attributes().PutStr("gen_ai.prompt.name", "greeting") }, 0, nil},
		{"prototype", func(s ptrace.Span) { s.Attributes().PutStr("llm.input_messages.0.__proto__.x", "x") }, activity.FlagBadIndex, nil},
		{"list and name in one place", func(s ptrace.Span) {
			s.Attributes().PutStr("llm.input_messages.0.message.content", "a")
			s.Attributes().PutStr("llm.input_messages.0.message.content.0.text", "b")
		}, activity.FlagBadIndex, func(f *activity.Fragment) bool { return json.Valid(f.Contents[0].Raw) }},
		{"5 MB attribute", func(s ptrace.Span) { s.Attributes().PutStr("note", strings.Repeat("é", 5<<19)) }, activity.FlagTruncated, func(f *activity.Fragment) bool {
			v, ok := activity.Attribute(f.Attributes, "note")
			text, _ := v.(string)
			return ok && len(text) <= 1<<20 && len(text) > 1<<20-4 && strings.Trim(text, "é") == ""
		}},
		{"5 MB of content", func(s ptrace.Span) {
			s.Attributes().PutStr("gen_ai.input.messages", `[{"role":"user","content":"`+strings.Repeat("x", 5<<20)+`"}]`)
		}, activity.FlagTruncated, func(f *activity.Fragment) bool {
			return len(f.Contents) == 1 && f.Contents[0].Format == "text" && len(f.Contents[0].Raw) == 1<<20 && len(f.Attributes) == 0
		}},
		{"5 MB list", func(s ptrace.Span) {
			l := s.Attributes().PutEmptySlice("list")
			for range 5 << 10 {
				l.AppendEmpty().SetStr(strings.Repeat("x", 1<<10))
			}
		}, activity.FlagTruncated, nil},
		{"many large attributes", func(s ptrace.Span) {
			for i := range 10 {
				s.Attributes().PutStr(fmt.Sprint("note", i), strings.Repeat("x", 1<<20))
			}
		}, activity.FlagTruncated, func(f *activity.Fragment) bool { return len(f.Attributes) < 6<<20 }},
		{"invalid UTF-8", func(s ptrace.Span) { s.Attributes().PutStr("note", "a\xffb"); s.SetName("n\xfe") }, activity.FlagInvalidUTF8, func(f *activity.Fragment) bool {
			v, _ := activity.Attribute(f.Attributes, "note")
			return v == "a\uFFFDb" && f.Name == "n\uFFFD"
		}},
		{"invalid UTF-8 in a map", func(s ptrace.Span) { s.Attributes().PutEmptyMap("m").PutStr("k", "\xff") }, activity.FlagInvalidUTF8, nil},
		{"invalid UTF-8 in content", func(s ptrace.Span) { s.Attributes().PutStr("gen_ai.prompt", "a\xff") }, activity.FlagInvalidUTF8, func(f *activity.Fragment) bool {
			return string(f.Contents[0].Raw) == "a\uFFFD"
		}},
		{"long valid text in a list", func(s ptrace.Span) {
			s.Attributes().PutEmptySlice("l").AppendEmpty().SetStr(strings.Repeat("é", 200))
		}, 0, nil},
		{"credentials", func(s ptrace.Span) {
			s.Attributes().PutStr("openai.api_key", "sk-1")
			s.Attributes().PutEmptySlice("http.request.header.Authorization").AppendEmpty().SetStr("Bearer x")
			s.Attributes().PutStr("db.password", "p")
			s.Attributes().PutInt("max_tokens", 5)
			s.Attributes().PutStr("partition_key", "kept")
		}, activity.FlagSecretDropped, func(f *activity.Fragment) bool {
			a := activity.Attributes(f.Attributes)
			return len(a) == 2 && a["partition_key"] == "kept"
		}},
		{"generated", func(s ptrace.Span) { s.Attributes().PutBool("reeve.generated", true) }, activity.FlagGenerated, nil},
		{"unknown attributes are kept as they came", func(s ptrace.Span) { s.Attributes().PutStr("acme.thing", "1") }, 0, func(f *activity.Fragment) bool {
			return activity.Attributes(f.Attributes)["acme.thing"] == "1"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := only(t, one(t, c.change), func(o *Options) { o.Now = func() time.Time { return at } })
			if got := f.Flags &^ activity.FlagAgentGuessed; got != c.flags {
				t.Errorf("flags %v, want %v", got.Names(), c.flags.Names())
			}
			if c.check != nil && !c.check(&f) {
				t.Errorf("fragment is %+v", f)
			}
		})
	}
}

// Log records and points are clamped, too, and keep what was sent.
func TestClampedRecords(t *testing.T) {
	t.Parallel()
	sent := at.Add(72 * time.Hour)
	ld, md := plog.NewLogs(), pmetric.NewMetrics()
	l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.SetTimestamp(pcommon.NewTimestampFromTime(sent))
	l.Attributes().PutStr("k", "v")
	p := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at.Add(-500 * 24 * time.Hour)))
	p.Attributes().PutStr("k", "v")
	logBody, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	pointBody, err2 := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	// For ever is not for all times.
	in, log := fixture(t, func(o *Options) { o.Keeps, o.Now = nil, func() time.Time { return at } })
	if a, b := post(in, "/v1/logs", protobuf, logBody), post(in, "/v1/metrics", protobuf, pointBody); a.Code != 200 || b.Code != 200 {
		t.Fatal(a.Code, b.Code)
	}
	got := log.batches(t)
	rec, point := got[0].Logs[0], got[1].Metrics[0]
	if a := activity.Attributes(rec.Attributes); rec.Time != at.Add(time.Hour).UnixNano() || rec.Flags&activity.FlagClampedTime == 0 || a["k"] != "v" || a["reeve.time.sent"] != sent.Format(time.RFC3339Nano) {
		t.Errorf("the log record has time %v, flags %v, attributes %v", time.Unix(0, rec.Time), rec.Flags.Names(), a)
	}
	if a := activity.Attributes(point.Attributes); point.Time != at.Add(-activity.LongestAge).UnixNano() || a["k"] != "v" || a["reeve.time.sent"] != at.Add(-500*24*time.Hour).Format(time.RFC3339Nano) {
		t.Errorf("the point has time %v, attributes %v", time.Unix(0, point.Time), a)
	}
}

// field appends one length-delimited field.
func field(dst []byte, number int, body []byte) []byte {
	dst = dialect.AppendVarint(dst, uint64(number<<3|2))
	return append(dialect.AppendVarint(dst, uint64(len(body))), body...)
}

// request wraps spans, given as protobuf, into a request.
func request(spans ...[]byte) []byte {
	var scope []byte
	for _, s := range spans {
		scope = field(scope, 2, s)
	}
	return field(nil, 1, field(nil, 2, scope))
}

func TestIDsOfWrongLength(t *testing.T) {
	t.Parallel()
	span := func(trace, id, parent []byte) []byte {
		return field(field(field(nil, 1, trace), 2, id), 4, parent)
	}
	in, log := fixture(t, nil)
	parent := span([]byte("short"), []byte("a span id of sixteen"), nil)
	child := span([]byte("short"), []byte{1, 2, 3}, []byte("a span id of sixteen"))
	if w := post(in, "/v1/traces", protobuf, request(parent, child)); w.Code != 200 || w.Body.Len() > 0 {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
	fs := log.batches(t)[0].Fragments
	for _, f := range fs {
		if f.Flags&activity.FlagBadID == 0 {
			t.Errorf("flags %v, want bad_id", f.Flags.Names())
		}
	}
	if fs[0].Run != fs[1].Run || fs[1].Parent != fs[0].Step {
		t.Error("records that agree on a wrong id no longer meet")
	}
}

// What cannot be kept is counted and the rest is.
func TestPartialSuccess(t *testing.T) {
	t.Parallel()
	good := field(field(nil, 1, make16(1)), 2, make8(1))
	body := request(
		good,
		field(nil, 1, make16(1)), // no span id
		field(nil, 2, make8(2)),  // no trace id
		[]byte{1<<3 | 2, 200},    // cut
		field(field(nil, 1, make16(0)), 2, make8(1)), // zero ids
		good,
	)
	in, log := fixture(t, nil)
	w := post(in, "/v1/traces", protobuf, body)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	r := ptraceotlp.NewExportResponse()
	if err := r.UnmarshalProto(w.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	if p := r.PartialSuccess(); p.RejectedSpans() != 4 || !strings.Contains(p.ErrorMessage(), "no span id") || !strings.Contains(p.ErrorMessage(), "no trace id") {
		t.Errorf("partial success %d %q", p.RejectedSpans(), p.ErrorMessage())
	}
	if n := len(log.batches(t)[0].Fragments); n != 2 {
		t.Errorf("%d spans kept, want 2", n)
	}

	w = post(in, "/v1/traces", "application/json; charset=utf-8", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}`))
	if want := `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"a span has no span id"}}`; w.Body.String() != want {
		t.Errorf("JSON answer %s, want %s", w.Body, want)
	}
}

// Senders of before OTLP 0.15 put records into another field, which must not be
// acknowledged and lost. What is empty, or has more than we know, is no fault.
func TestOlderAndNewerOTLP(t *testing.T) {
	t.Parallel()
	span := field(field(nil, 1, make16(1)), 2, make8(1))
	for _, c := range []struct {
		name, path, kind string
		body             []byte
		records          int
	}{
		{"library spans", "/v1/traces", protobuf, field(nil, 1, field(nil, 1000, append(field(nil, 1, field(nil, 1, []byte("lib"))), field(nil, 2, span)...))), 1},
		{"library spans in JSON", "/v1/traces", "application/json", []byte(`{"resourceSpans":[{"instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"lib"},"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001"}]}]}]}`), 1},
		{"library logs", "/v1/logs", protobuf, field(nil, 1, field(nil, 1000, field(nil, 2, nil))), 1},
		{"library logs in JSON", "/v1/logs", "application/json", []byte(`{"resource_logs":[{"instrumentation_library_logs":[{"logs":[{}],"instrumentationLibrary":{"name":"lib"}}]}]}`), 1},
		{"library metrics in JSON", "/v1/metrics", "application/json", []byte(`{"resourceMetrics":[{"instrumentationLibraryMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":1}]}}]}]}]}`), 1},
		{"nothing", "/v1/traces", protobuf, nil, 0},
		{"nothing in JSON", "/v1/traces", "application/json", []byte(`{}`), 0},
		{"empty groups", "/v1/traces", "application/json", []byte(`{"resourceSpans":[{"resource":{"entityRefs":[]},"scopeSpans":[{"spans":[]}]}]}`), 0},
		{"more than is known", "/v1/logs", "application/json", []byte(`{"resourceLogs":[{"new":1,"scopeLogs":[{"logRecords":[{"newer":2}]}]}]}`), 1},
	} {
		in, log := fixture(t, nil)
		w := post(in, c.path, c.kind, c.body)
		got := 0
		if w.Code == http.StatusOK && len(log.data) > 0 {
			b := log.batches(t)[0]
			got = len(b.Fragments) + len(b.Logs) + len(b.Metrics)
			for _, f := range b.Fragments {
				if f.Scope != "lib" {
					t.Errorf("%s: scope %q, want lib", c.name, f.Scope)
				}
			}
		}
		if w.Code != http.StatusOK || got != c.records {
			t.Errorf("%s: %d with %d records, want 200 with %d: %q", c.name, w.Code, got, c.records, w.Body)
		}
	}
}

func make16(b byte) []byte { return append(make([]byte, 15), b) }
func make8(b byte) []byte  { return append(make([]byte, 7), b) }

func deep(n int) []byte {
	return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","attributes":[{"key":"k","value":` +
		strings.Repeat(`{"arrayValue":{"values":[`, n) + strings.Repeat(`]}}`, n) + `}]}]}]}]}`)
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	sound := one(t, nil)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 40<<20))
	z.Close()
	enc, _ := zstd.NewWriter(nil)
	for _, c := range []struct {
		name, path, kind, encoding string
		body                       []byte
		status                     int
		code                       string
	}{
		{"cut protobuf", "/v1/traces", protobuf, "", sound[:len(sound)-3], 400, "intake.malformed"},
		{"not protobuf", "/v1/traces", protobuf, "", []byte("hello, this is text"), 400, "intake.malformed"},
		{"not JSON", "/v1/traces", "application/json", "", []byte("hello"), 400, "intake.malformed"},
		{"cut JSON", "/v1/traces", "application/json", "", []byte(`{"resourceSpans":[{"scopeSpans":[`), 400, "intake.malformed"},
		{"JSON of something else", "/v1/traces", "application/json", "", []byte(`{"spans":[{"name":"chat"}]}`), 400, "intake.malformed"},
		{"unknown member below the top", "/v1/traces", "application/json", "", []byte(`{"resourceSpans":[{"scopes":[{"spans":[{"name":"chat"}]}]}]}`), 400, "scopes"},
		{"unknown member beside nothing", "/v1/logs", "application/json", "", []byte(`{"resourceLogs":[{"scopeLogs":[{"records":[{}]}]}]}`), 400, "records"},
		{"map of groups", "/v1/metrics", "application/json", "", []byte(`{"resourceMetrics":{"0":{"scopeMetrics":[{"metrics":[]}]}}}`), 400, "intake.malformed"},
		{"protobuf of something else", "/v1/traces", protobuf, "", field(nil, 7, []byte("hello")), 400, "field 7"},
		{"protobuf with records elsewhere", "/v1/logs", protobuf, "", field(nil, 1, field(nil, 9, []byte("hello"))), 400, "field 9"},
		{"JSON of another signal", "/v1/logs", "application/json", "", []byte(`{"resourceSpans":[]}`), 400, "intake.malformed"},
		{"text after JSON", "/v1/traces", "application/json", "", []byte(`{} {}`), 400, "intake.malformed"},
		{"deep JSON", "/v1/traces", "application/json", "", deep(10_000), 400, "intake.too_deep"},
		{"deep unknown JSON", "/v1/traces", "application/json", "", []byte(`{"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`), 400, "intake.too_deep"},
		{"form post of a page", "/v1/traces", "text/plain", "", sound, 415, "intake.media_type"},
		{"form", "/v1/traces", "application/x-www-form-urlencoded", "", sound, 415, "intake.media_type"},
		{"no content type", "/v1/traces", "", "", sound, 415, "intake.media_type"},
		{"unknown compression", "/v1/traces", protobuf, "br", sound, 415, "intake.compression"},
		{"says gzip", "/v1/traces", protobuf, "gzip", sound, 400, "intake.unreadable"},
		{"says zstd", "/v1/traces", protobuf, "zstd", sound, 400, "intake.unreadable"},
		{"says deflate", "/v1/traces", protobuf, "deflate", sound, 400, "intake.unreadable"},
		{"bomb", "/v1/traces", protobuf, "gzip", bomb.Bytes(), 413, "intake.too_large"},
		{"zstd bomb", "/v1/traces", protobuf, "zstd", enc.EncodeAll(make([]byte, 40<<20), nil), 413, "intake.too_large"},
		{"large", "/v1/traces", protobuf, "", make([]byte, 17<<20), 413, "intake.too_large"},
		{"elsewhere", "/v1/other", protobuf, "", sound, 404, "intake.path"},
		{"our key in the URL by another name", "/v1/traces?x=rvi_1", protobuf, "", sound, 400, "intake.key_in_url"},
		{"key in the URL", "/v1/traces?api_key=rvk_1", protobuf, "", sound, 400, "intake.key_in_url"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, log := fixture(t, nil)
			w := post(in, c.path, c.kind, c.body, "Content-Encoding", c.encoding)
			if w.Code != c.status {
				t.Errorf("status %d, want %d: %q", w.Code, c.status, w.Body)
			}
			if !strings.Contains(w.Body.String(), c.code) {
				t.Errorf("answer %q does not say %s", w.Body, c.code)
			}
			if c.kind == "application/json" {
				var s struct {
					Code    int
					Message string
				}
				if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || s.Code == 0 {
					t.Errorf("answer %q is no google.rpc.Status: %v", w.Body, err)
				}
			}
			if len(log.data) > 0 {
				t.Error("something was published")
			}
			if n := in.limits.inFlight(); n != 0 {
				t.Errorf("%d bytes still count as in flight", n)
			}
		})
	}
	in, _ := fixture(t, nil)
	r := httptestGet(in)
	if r.Code != http.StatusMethodNotAllowed || r.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", r.Code, r.Header().Get("Allow"))
	}
}

// many is a request of n records of a signal that say nothing: a few bytes each,
// and hundreds in memory.
func many(s signal, n int) []byte {
	record := []byte{2<<3 | 2, 0}
	if s == metrics {
		// One gauge of n points.
		points := bytes.Repeat([]byte{1<<3 | 2, 0}, n)
		record = field(nil, 2, field(nil, 5, points))
		n = 1
	}
	return field(nil, 1, field(nil, 2, bytes.Repeat(record, n)))
}

func manyJSON(s signal, n int) []byte {
	list := strings.Repeat("{},", n-1) + "{}"
	text := [...]string{
		traces:  `{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}`,
		logs:    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[%s]}]}]}`,
		metrics: `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[%s]}}]}]}]}`,
	}[s]
	return fmt.Appendf(nil, text, list)
}

// A small body of many records must not take gigabytes, nor leave them behind.
func TestTooManyRecords(t *testing.T) {
	t.Parallel()
	for s, path := range map[signal]string{traces: "/v1/traces", logs: "/v1/logs", metrics: "/v1/metrics"} {
		in, log := fixture(t, nil)
		held := func() {
			t.Helper()
			if n := in.limits.inFlight(); n != 0 {
				t.Errorf("%s: %d bytes still count as in flight", path, n)
			}
			// All workers that a next request could get.
			for range readyWorkers + 1 {
				w := in.worker()
				if n := &w.n; max(cap(n.fragments), cap(n.logs), cap(n.metrics), cap(n.scratch), cap(n.marks), len(n.orders)) > largeRequest {
					t.Errorf("%s: a worker keeps %d fragments, %d logs, %d points, %d parts", path, cap(n.fragments), cap(n.logs), cap(n.metrics), cap(n.scratch))
				}
			}
		}
		for kind, body := range map[string][]byte{protobuf: many(s, 60_000), "application/json": manyJSON(s, 60_000)} {
			if w := post(in, path, kind, body); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "intake.too_many") || !strings.Contains(w.Body.String(), "smaller batches") {
				t.Errorf("%s as %s: %d %q, want 413 with intake.too_many and advice", path, kind, w.Code, w.Body)
			}
			held()
		}
		_, err := call(t.Context(), dial(t, in), s, many(s, 60_000))
		if st := status.Convert(err); st.Code() != codes.ResourceExhausted || !strings.Contains(st.Message(), "intake.too_many") || len(st.Details()) != 0 {
			t.Errorf("%s over gRPC: %v with %v, want RESOURCE_EXHAUSTED without advice to send the same again", path, err, st.Details())
		}
		held()
		if len(log.data) > 0 {
			t.Errorf("%s: something was published", path)
		}
		if w := post(in, path, protobuf, many(s, maxRecords-1)); w.Code != http.StatusOK {
			t.Errorf("%s: %d records: %d %q", path, maxRecords-1, w.Code, w.Body)
		}
		held()
	}
}

// What many records take counts as in flight while they are worked on.
func TestRecordsCountAsInFlight(t *testing.T) {
	t.Parallel()
	var in *Intake
	most := int64(0)
	in, _ = fixture(t, func(o *Options) { o.Log = watchLog(func() { most = max(most, in.limits.inFlight()) }) })
	body := many(logs, 20_000)
	if w := post(in, "/v1/logs", protobuf, body); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	if want := int64(19 << 20); most < want {
		t.Errorf("%d bytes of 20,000 records counted as %d, want at least %d", len(body), most, want)
	}
	// A body that has not come yet counts over gRPC too.
	if err := in.limits.reserve("other", 0, in.config.InFlight-1<<20, in.now()); err != nil {
		t.Fatal(err)
	}
	_, err := call(t.Context(), dial(t, in), logs, many(logs, 1))
	if st := status.Convert(err); st.Code() != codes.ResourceExhausted || !strings.Contains(st.Message(), "intake.busy") {
		t.Errorf("with 1 MB left a call is answered %v", err)
	}
	in.limits.release("other", in.config.InFlight-1<<20)
	if _, err := call(t.Context(), dial(t, in), logs, many(logs, 1)); err != nil {
		t.Error(err)
	}
}

// watchLog is called with every batch.
type watchLog func()

func (w watchLog) Publish(context.Context, []byte) error { w(); return nil }

// JSON becomes protobuf that is longer only where it says nothing.
func TestJSONGrowth(t *testing.T) {
	t.Parallel()
	in, _ := fixture(t, func(o *Options) { o.Config = Config{MaxBody: 1 << 20, MaxAttribute: 1 << 16, InFlight: 64 << 20} })
	for name, body := range map[string][]byte{
		"objects": manyJSON(logs, 340_000),
		"numbers": []byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"explicitBounds":[` + strings.Repeat("0,", 500_000) + `0]}]}}]}]}]}`),
	} {
		path := map[string]string{"objects": "/v1/logs", "numbers": "/v1/metrics"}[name]
		if w := post(in, path, "application/json", body); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "intake.too_many") {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestCompressions(t *testing.T) {
	t.Parallel()
	body := one(t, nil)
	enc, _ := zstd.NewWriter(nil)
	var gz, zl bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(body)
	g.Close()
	d := zlib.NewWriter(&zl)
	d.Write(body)
	d.Close()
	for name, packed := range map[string][]byte{"": body, "identity": body, "gzip": gz.Bytes(), "deflate": zl.Bytes(), "zstd": enc.EncodeAll(body, nil)} {
		in, log := fixture(t, nil)
		if w := post(in, "/v1/traces", protobuf, packed, "Content-Encoding", name); w.Code != 200 || len(log.batches(t)) != 1 {
			t.Errorf("%q: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	in, log := fixture(t, func(o *Options) {
		o.Anonymous = nil
		o.Keys = keyring{"rvk_good": {ID: "key_1", Team: "support", Environment: "production"}}
	})
	body := one(t, nil)
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct{ name, value string }{
		{"Authorization", "Bearer rvk_good"},
		{"Authorization", "bearer rvk_good"},
		{"Authorization", basic("pk-lf-1:rvk_good")},
		{"Authorization", basic("rvk_good:x")},
		{"X-Api-Key", "rvk_good"},
		{"DD-API-KEY", "rvk_good"},
		{"api_key", "rvk_good"},
		{"Authorization", "rvk_good"},
	} {
		if w := post(in, "/v1/traces", protobuf, body, c.name, c.value); w.Code != 200 {
			t.Errorf("%s: %s: %d %q", c.name, c.value, w.Code, w.Body)
		}
	}
	for _, b := range log.batches(t) {
		if b.Sender != "key_1" || b.Team != "support" || b.Environment != "production" {
			t.Errorf("sender %q team %q environment %q", b.Sender, b.Team, b.Environment)
		}
	}
	for _, value := range []string{"", "Bearer rvk_bad", "Bearer ", basic("a:b"), "Basic !!!"} {
		w := post(in, "/v1/traces", protobuf, body, "Authorization", value)
		if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %d", value, w.Code)
		}
	}
}

// While the store is behind, who sends most is refused, and nobody else for it.
func TestSlowRefusesWhoSendsMost(t *testing.T) {
	t.Parallel()
	now, slow := at, error(nil)
	in, _ := fixture(t, func(o *Options) {
		o.Anonymous, o.Now, o.Slow = nil, func() time.Time { return now }, func() error { return slow }
		o.Keys = keyring{"flood": {ID: "key_1"}, "steady": {ID: "key_2"}, "new": {ID: "key_3"}}
	})
	send := func(key string, n int) int {
		return post(in, "/v1/logs", protobuf, many(logs, n), "X-Api-Key", key).Code
	}
	for range 5 {
		if a, b := send("flood", 10_000), send("steady", 10); a != 200 || b != 200 {
			t.Fatal(a, b)
		}
		now = now.Add(time.Second)
	}
	slow = fault.New(fault.KindExhausted, "intake.backpressure", "the store is behind")
	passed := map[string]int{}
	for range 600 {
		for key, n := range map[string]int{"flood": 10_000, "steady": 10} {
			switch code := send(key, n); code {
			case 200:
				passed[key]++
			case 429:
			default:
				t.Fatalf("%s got %d", key, code)
			}
		}
		now = now.Add(100 * time.Millisecond)
	}
	// A minute of both: the flood gets through once its share is the other's.
	if passed["steady"] < 590 || passed["flood"] > 3 {
		t.Errorf("of 600 requests each the flood got %d through, the steady sender %d", passed["flood"], passed["steady"])
	}
	if code := send("new", 1); code != 200 {
		t.Errorf("who sent nothing yet got %d", code)
	}
	slow = nil
	if code := send("flood", 10_000); code != 200 {
		t.Errorf("once the store is no longer behind the flood gets %d", code)
	}
	// Alone there is nobody to give way to.
	now, slow = now.Add(time.Hour), fault.New(fault.KindExhausted, "intake.backpressure", "the store is behind")
	w := post(in, "/v1/logs", protobuf, many(logs, 1), "X-Api-Key", "steady")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the only sender got %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	_, err := call(metadata.AppendToOutgoingContext(t.Context(), "x-api-key", "steady"), dial(t, in), logs, many(logs, 1))
	if st := status.Convert(err); st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 {
		t.Errorf("over gRPC: %v", err)
	}
}

func TestBackpressure(t *testing.T) {
	t.Parallel()
	in, log := fixture(t, nil)
	log.fail = fault.New(fault.KindExhausted, "intake.backpressure", "the log is full")
	w := post(in, "/v1/traces", protobuf, one(t, nil))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	conn := dial(t, in)
	_, err := call(t.Context(), conn, traces, one(t, nil))
	st := status.Convert(err)
	if st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 {
		t.Fatalf("gRPC: %v", err)
	}
	if r, ok := st.Details()[0].(*errdetails.RetryInfo); !ok || r.RetryDelay.AsDuration() <= 0 {
		t.Errorf("gRPC detail %v", st.Details()[0])
	}
	log.mu.Lock()
	log.fail = errors.New("disk on fire")
	log.mu.Unlock()
	if w := post(in, "/v1/traces", protobuf, one(t, nil)); w.Code != 500 || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("a failing log: %d %q", w.Code, w.Body)
	}
}

func TestInFlightIsShared(t *testing.T) {
	t.Parallel()
	l := newLimits(100)
	if err := l.reserve("a", 0, 80, at); err != nil {
		t.Errorf("one large request: %v", err)
	}
	if err := l.reserve("a", 0, 10, at); err == nil {
		t.Error("a sender with more than half got more")
	}
	if err := l.reserve("b", 0, 15, at); err != nil {
		t.Errorf("another sender found no room: %v", err)
	}
	if err := l.reserve("b", 0, 10, at); err == nil {
		t.Error("more was let in than there is room")
	}
	l.release("a", 80)
	l.release("b", 15)
	if l.inFlight() != 0 {
		t.Errorf("%d left", l.inFlight())
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := Sender{ID: "slow", SpansPerSecond: 1}
		in, _ := fixture(t, func(o *Options) {
			o.Now = time.Now
			o.Anonymous = nil
			o.Keys = keyring{"slow": slow, "other": {ID: "other"}}
		})
		body := loadRequest(t, 5)
		send := func(key string) int {
			return post(in, "/v1/traces", protobuf, body, "x-api-key", key).Code
		}
		if got := send("slow"); got != 200 { // a burst of two seconds, then in debt by three
			t.Fatalf("first: %d", got)
		}
		w := post(in, "/v1/traces", protobuf, body, "x-api-key", "slow")
		if w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("second: %d", w.Code)
		}
		if got := send("other"); got != 200 {
			t.Errorf("another sender: %d", got)
		}
		<-time.After(4 * time.Second)
		if got := send("slow"); got != 200 {
			t.Errorf("after the debt: %d", got)
		}
	})
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	in, log := fixture(t, func(o *Options) {
		o.Anonymous = nil
		o.Keys = keyring{"rvk_good": {ID: "key_1"}}
		o.Config = Config{MaxBody: 64 << 10, MaxAttribute: 1 << 10, InFlight: 1 << 20}
	})
	conn := dial(t, in)
	body := one(t, nil)
	for _, key := range []string{"x-api-key", "api_key", "dd-api-key"} {
		for _, compress := range []string{"gzip", "zstd", "identity"} {
			ctx := metadata.AppendToOutgoingContext(t.Context(), key, "rvk_good")
			if _, err := call(ctx, conn, traces, body, grpc.UseCompressor(compress)); err != nil {
				t.Errorf("%s, %s: %v", key, compress, err)
			}
		}
	}
	if n := len(log.batches(t)); n != 9 {
		t.Errorf("%d batches, want 9", n)
	}
	good := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer rvk_good")
	for _, c := range []struct {
		name string
		err  error
		want codes.Code
	}{
		{"no key", second2(call(t.Context(), conn, traces, body)), codes.Unauthenticated},
		{"garbage", second2(call(good, conn, traces, []byte("garbage"))), codes.InvalidArgument},
		{"large", second2(call(good, conn, traces, make([]byte, 65<<10))), codes.ResourceExhausted},
		{"bomb", second2(call(good, conn, traces, make([]byte, 1<<20), grpc.UseCompressor("gzip"))), codes.ResourceExhausted},
	} {
		if got := status.Code(c.err); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
}

func second2[A any](_ A, err error) error { return err }

// The generations of content events, and log records that join their spans.
func TestContentEvents(t *testing.T) {
	t.Parallel()
	body := one(t, func(s ptrace.Span) {
		s.Attributes().PutStr("gen_ai.operation.name", "chat")
		e := s.Events().AppendEmpty()
		e.SetName("gen_ai.user.message")
		e.Attributes().PutStr("content", "hello")
		e = s.Events().AppendEmpty()
		e.SetName("gen_ai.choice")
		e.Attributes().PutStr("gen_ai.event.content", `{"index":0,"finish_reason":"stop","message":{"content":"hi"}}`)
		e = s.Events().AppendEmpty()
		e.SetName("gen_ai.content.prompt")
		e.Attributes().PutStr("gen_ai.prompt", "old prompt")
		e = s.Events().AppendEmpty()
		e.SetName("cache miss")
		e.Attributes().PutStr("error.type", "not of the step")
		e.Attributes().PutStr("api_key", "sk")
	})
	f := only(t, body, nil)
	var got []string
	for _, c := range f.Contents {
		got = append(got, fmt.Sprintf("%s %s %s %d %s", c.Field, c.Format, c.From, c.Order, c.Raw))
	}
	want := []string{
		"input text gen_ai.prompt 0 old prompt",
		`input genai.event.messages gen_ai.user.message 65536 [{"role":"user","content":"hello"}]`,
		`output genai.event.messages gen_ai.choice 65537 [{"role":"assistant","index":0,"finish_reason":"stop","message":{"content":"hi"}}]`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("contents\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if f.Status != activity.StatusOK || f.ErrorType != "" {
		t.Errorf("an event's error.type made the step %v %q", f.Status, f.ErrorType)
	}
	events := activity.Events(f.Events, 10)
	if len(events) != 4 || bytes.Contains(f.Events, []byte("hello")) || bytes.Contains(f.Events, []byte("sk")) {
		t.Errorf("events %+v", events)
	}
}

func TestLogContent(t *testing.T) {
	t.Parallel()
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	r := sl.LogRecords().AppendEmpty()
	r.SetEventName("gen_ai.client.inference.operation.details")
	r.SetTraceID(pcommon.TraceID{1})
	r.SetSpanID(pcommon.SpanID{2})
	m := r.Attributes().PutEmptySlice("gen_ai.input.messages").AppendEmpty().SetEmptyMap()
	m.PutStr("role", "user")
	m.PutEmptySlice("parts").AppendEmpty().SetEmptyMap().PutStr("content", "hi")
	r.Attributes().PutStr("gen_ai.request.model", "m")
	plain := sl.LogRecords().AppendEmpty()
	plain.Body().SetStr("just a line")
	plain.SetSeverityNumber(plog.SeverityNumberWarn)
	plain.SetTraceID(pcommon.TraceID{1})
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	in, log := fixture(t, nil)
	if w := post(in, "/v1/logs", protobuf, body); w.Code != 200 {
		t.Fatal(w.Body)
	}
	b := log.batches(t)[0]
	if len(b.Logs) != 2 || b.Logs[1].Body != "just a line" || b.Logs[1].Severity != 13 || b.Logs[1].Run.IsZero() {
		t.Errorf("logs %+v", b.Logs)
	}
	if bytes.Contains(b.Logs[0].Attributes, []byte("hi")) {
		t.Error("content stayed among the attributes of the log record")
	}
	if len(b.Fragments) != 1 || !b.Fragments[0].OnlyContent || b.Fragments[0].Step != activity.StepOfSpan(activity.TraceID{1}, activity.SpanID{2}) {
		t.Fatalf("fragments %+v", b.Fragments)
	}
	if c := b.Fragments[0].Contents[0]; string(c.Raw) != `[{"role":"user","parts":[{"content":"hi"}]}]` || c.Order != activity.ContentBand(1) {
		t.Errorf("content %+v %s", c, c.Raw)
	}
}

func TestPendingSpan(t *testing.T) {
	t.Parallel()
	f := only(t, one(t, func(s ptrace.Span) {
		s.Attributes().PutStr("logfire.span_type", "pending_span")
		s.Attributes().PutStr("logfire.pending_parent_id", "0000000000000009")
	}), nil)
	want := activity.StepOfSpan(activity.TraceID{1}, activity.SpanID{3})
	if f.Step != want || f.Status != activity.StatusRunning || f.Parent != activity.StepOfSpan(activity.TraceID{1}, activity.SpanID{7: 9}) {
		t.Errorf("fragment %+v", f)
	}
}

func TestManyLinks(t *testing.T) {
	t.Parallel()
	f := only(t, one(t, func(s ptrace.Span) {
		for n := range byte(200) {
			l := s.Links().AppendEmpty()
			l.SetTraceID([16]byte{1, n})
			l.SetSpanID([8]byte{1, n})
		}
	}), nil)
	if len(f.Links) != maxLinks || f.Flags&activity.FlagTruncated == 0 {
		t.Errorf("%d links, flags %v; want %d and truncated", len(f.Links), f.Flags.Names(), maxLinks)
	}
}

func httptestGet(in http.Handler) *recorder {
	w := &recorder{header: http.Header{}}
	r, _ := http.NewRequest(http.MethodGet, "/v1/traces", nil)
	in.ServeHTTP(w, r)
	return w
}

type recorder struct {
	header http.Header
	Code   int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(code int)        { r.Code = code }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
