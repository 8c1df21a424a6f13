package app

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"reeve/client"
	"reeve/internal/telemetry"
)

// A sender whose clock is anywhere must not make partitions of its choice, nor days
// that retention by size never reaches while it drops those of others.
func TestTimesOutsideWhatIsKept(t *testing.T) {
	t.Parallel()
	dir := ""
	a := start(t, func(c *Config) { c.Store.MaxAge, dir = 7*24*time.Hour, c.Data })
	c := client.New("http://"+a.Address("listen"), "")
	send := func(trace byte, n int, at func(i int) time.Time) {
		t.Helper()
		td := ptrace.NewTraces()
		spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
		for i := range n {
			s := spans.AppendEmpty()
			s.SetTraceID(pcommon.TraceID{trace, byte(i >> 8), byte(i)})
			s.SetSpanID(pcommon.SpanID{1, byte(i >> 8), byte(i)})
			s.SetStartTimestamp(pcommon.NewTimestampFromTime(at(i)))
			s.SetEndTimestamp(pcommon.NewTimestampFromTime(at(i).Add(3 * time.Second)))
		}
		body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		if got := post(t.Context(), "http://"+a.Address("listen")+"/v1/traces", "application/x-protobuf", body); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	now := time.Now()
	send(1, 1, func(int) time.Time { return now.Add(-time.Minute) })
	const spans = 10_000
	send(2, spans, func(i int) time.Time { return now.Add(time.Duration(i-spans/2) * 24 * time.Hour) })
	eventually(t, "all runs to be stored", func() bool {
		s, err := a.store.Stats(t.Context())
		return err == nil && s.Steps == spans+1 && s.Runs == spans+1
	})
	days, err := os.ReadDir(filepath.Join(dir, "telemetry", "segments"))
	if err != nil || len(days) == 0 || len(days) > 7+2 {
		t.Errorf("%d partitions of a request over %d days, want at most 9: %v", len(days), spans, err)
	}
	if _, err := a.store.Retain(t.Context(), telemetry.Retention{Now: time.Now(), MaxBytes: 1}); err != nil {
		t.Fatal(err)
	}
	// The clock may pass midnight in between: what is after tomorrow may never be.
	latest := time.Now().Add(48 * time.Hour).UTC().Format("2006-01-02")
	days, err = os.ReadDir(filepath.Join(dir, "telemetry", "segments"))
	for _, d := range days {
		if d.Name() > latest {
			t.Errorf("partition %s stays", d.Name())
		}
	}
	if list, err2 := c.ListRuns(t.Context(), client.ListRunsRequest{From: now.Add(-time.Hour).UTC().Format(time.RFC3339), To: now.UTC().Format(time.RFC3339)}); err != nil || err2 != nil || len(list.Items) != 1 {
		t.Errorf("the run of today is not there behind it: %v, %v", err, err2)
	}
}
