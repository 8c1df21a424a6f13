package intake

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"reeve/internal/intake/dialect"
	"reeve/internal/intake/dialect/bedrocklog"
	"reeve/internal/intake/dialect/copilotstudio"
)

// TestRecordsAgain holds that a record that is read twice, as those of the last
// hours are, is one step.
func TestRecordsAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"copilot-studio", "bedrock-logs"} {
		in, log := fixture(t, nil)
		sendMade(t, in, name)
		once := fmt.Sprintf("%+v", folded(t, log))
		sendMade(t, in, name)
		if twice := fmt.Sprintf("%+v", folded(t, log)); len(twice) != len(once) {
			t.Errorf("%s: read twice it is\n%s\nonce\n%s", name, twice, once)
		}
	}
}

// TestBadRecords holds what is refused whole, and what of a body is counted.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, body string
		status     int
		rejected   int64
	}{
		{bedrocklog.Path, ``, 400, 0},
		{bedrocklog.Path, `[`, 400, 0},
		{bedrocklog.Path, `{"schemaType":"Other","requestId":"1","timestamp":"2026-11-02T10:00:00Z"}`, 202, 1},
		{bedrocklog.Path, `{"requestId":"1"}` + "\nnonsense\n" + `{"requestId":"2","timestamp":"2026-11-02T10:00:00Z"}`, 202, 2},
		{bedrocklog.Path, `[{"requestId":"2","timestamp":"2026-11-02T10:00:00Z","input":[],"output":"x","requestMetadata":{"traceparent":"00-zz-1-01"}}]`, 202, 0},
		{copilotstudio.Path, `{}`, 400, 0},
		{copilotstudio.Path, `nonsense`, 400, 0},
		{copilotstudio.Path, `{"value":[{"content":"{}"},{"conversationtranscriptid":"1","content":"no list"},7]}`, 202, 3},
		{copilotstudio.Path, `[{"conversationtranscriptid":"1","content":"{\"activities\":[7,{},{\"type\":\"event\",\"name\":\"DynamicPlanStepFinished\"},{\"type\":\"message\",\"from\":7}]}"}]`, 202, 0},
	} {
		in, _ := fixture(t, nil)
		w := post(in, c.path, "application/json", []byte(c.body))
		if w.Code != c.status || in.Stats().Rejected != c.rejected {
			t.Errorf("%s: %d with %d rejected, want %d with %d: %s", c.body, w.Code, in.Stats().Rejected, c.status, c.rejected, w.Body)
		}
	}
}

// TestDeliver holds that what was fetched for somebody is his, within the same
// limits.
func TestDeliver(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/made/bedrock-logs/001-records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	in, log := fixture(t, nil)
	from := Sender{ID: "poller b", Team: "care", Environment: "production"}
	header := http.Header{bedrocklog.AgentHeader: {"claims"}}
	got, err := in.Deliver(t.Context(), bedrocklog.Path, header, append(body, "nonsense\n"...), from)
	if err != nil || got.Spans != 4 || got.Rejected != 1 || len(got.Reasons) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, b := range log.batches(t) {
		for i := range b.Fragments {
			if f := &b.Fragments[i]; f.Agent != "claims" || b.Environment != "production" || b.Team != "care" {
				t.Errorf("a call of agent %q in %q of team %q", f.Agent, b.Environment, b.Team)
			}
		}
	}
	if n := in.Stats().InFlight; n != 0 {
		t.Errorf("%d bytes are still in flight", n)
	}
	if _, err := in.Deliver(t.Context(), bedrocklog.Path, header, make([]byte, in.config.MaxBody+1), from); err == nil {
		t.Error("a body above the limit was taken")
	}
}

// FuzzRecords gives anything to the doors of records.
func FuzzRecords(f *testing.F) {
	for _, file := range []string{"copilot-studio/001-rows.json", "bedrock-logs/001-records.jsonl"} {
		body, err := os.ReadFile("testdata/made/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	w := newWorker(f)
	d := newDoors(registry())
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{bedrocklog.Path, copilotstudio.Path} {
			out := &dialect.Writer{}
			if _, err := d.vendor[path][0].Take(out, &dialect.Request{Header: http.Header{}, Body: body, Now: at.UnixNano()}); err != nil {
				continue
			}
			if spans := out.Traces(); spans != nil {
				if err := w.n.run(traces, spans, at, dev); err != nil {
					t.Fatalf("what we wrote we cannot read: %v", err)
				}
				check(t, &w.n)
			}
		}
	})
}
