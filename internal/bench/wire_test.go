package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// What the hand-written writer says, the collector's decoder must read.
func TestWriterAgainstCollector(t *testing.T) {
	t.Parallel()
	attrs := AppendText(nil, SpanAttr, "text", "höher")
	attrs = AppendInt(attrs, SpanAttr, "int", 300)
	attrs = AppendInt(attrs, SpanAttr, "negative", -5)
	attrs = AppendFloat(attrs, SpanAttr, "float", 0.25)
	attrs = AppendBool(attrs, SpanAttr, "bool", true)
	attrs = AppendTexts(attrs, SpanAttr, "list", "a", "bc")
	span := Span{
		Trace: [16]byte{1}, ID: [8]byte{2}, Parent: [8]byte{3}, Name: "chat m", Kind: KindClient, Start: 10, End: 20,
		Attributes: attrs, Events: AppendEvent(nil, 12, "exception", AppendText(nil, EventAttr, "exception.type", "timeout")),
		Status: StatusError, StatusMessage: "too late",
	}
	spans := AppendSpan(nil, &span)
	root := Span{Trace: [16]byte{1}, ID: [8]byte{3}, Name: "root", Kind: KindInternal, Start: 1, End: 30}
	spans = AppendSpan(spans, &root)
	body := AppendRequest(nil, AppendText(nil, ResourceAttr, "service.name", "svc"), Scope{"s", "1"}, spans)

	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalProto(body); err != nil {
		t.Fatalf("the collector cannot read the request: %v", err)
	}
	rs := req.Traces().ResourceSpans()
	if rs.Len() != 1 || rs.At(0).ScopeSpans().At(0).Spans().Len() != 2 {
		t.Fatalf("got %d resources", rs.Len())
	}
	got := rs.At(0).ScopeSpans().At(0).Spans().At(0)
	want := map[string]any{"text": "höher", "int": int64(300), "negative": int64(-5), "float": 0.25, "bool": true, "list": []any{"a", "bc"}}
	if d := cmp.Diff(want, got.Attributes().AsRaw()); d != "" {
		t.Errorf("attributes (-want +got):\n%s", d)
	}
	if got.Name() != "chat m" || got.ParentSpanID() != [8]byte{3} || got.StartTimestamp() != 10 || got.EndTimestamp() != 20 ||
		got.Status().Message() != "too late" || got.Status().Code() != StatusError || got.Events().At(0).Name() != "exception" {
		t.Errorf("span came back changed: %+v", got)
	}
	if p := rs.At(0).ScopeSpans().At(0).Spans().At(1); !p.ParentSpanID().IsEmpty() {
		t.Errorf("root has parent %v", p.ParentSpanID())
	}

	logs := AppendLog(nil, 5, 9, "gen_ai.choice", "done", [16]byte{1}, [8]byte{2}, AppendText(nil, LogAttr, "k", "v"))
	lr := plogotlp.NewExportRequest()
	if err := lr.UnmarshalProto(AppendRequest(nil, nil, Scope{"s", ""}, logs)); err != nil {
		t.Fatalf("the collector cannot read the logs: %v", err)
	}
	l := lr.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	if l.Body().Str() != "done" || l.EventName() != "gen_ai.choice" || l.TraceID() != [16]byte{1} || l.SpanID() != [8]byte{2} {
		t.Errorf("log record came back changed: %v %v", l.Body(), l.EventName())
	}
}
