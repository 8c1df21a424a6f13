package intake

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// TestFrameworkTraces reads what the tracers of agent frameworks hand over as
// input and output of their calls, as a collection of recorded traces with the
// expected messages has it: set REEVE_FRAMEWORK_TRACES to its folder. What the
// collection itself could not read is left out.
func TestFrameworkTraces(t *testing.T) {
	folder := os.Getenv("REEVE_FRAMEWORK_TRACES")
	if folder == "" {
		t.Skip("REEVE_FRAMEWORK_TRACES names no folder of traces")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.trace.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no traces in %s: %v", folder, err)
	}
	total, good := 0, 0
	for _, file := range files {
		n, ok := framework(t, file)
		t.Logf("%-50s %d of %d", filepath.Base(file), ok, n)
		total, good = total+n, good+ok
	}
	t.Logf("%d of %d inputs and outputs of model calls read as expected", good, total)
	if good*100 < total*95 {
		t.Errorf("%d of %d: below 95 in 100", good, total)
	}
}

// framework compares one trace: how many messages there are, and what they say.
func framework(t *testing.T, file string) (n, good int) {
	t.Helper()
	var trace struct {
		Observations []struct {
			ID, Type      string
			Input, Output json.RawMessage
		}
	}
	type side struct {
		Success bool
		Data    []struct {
			Role      string
			Content   json.RawMessage
			ToolCalls []struct{ Name string } `json:"tool_calls"`
		}
	}
	var want map[string]struct{ Input, Output side }
	read(t, file, &trace)
	read(t, strings.Replace(file, ".trace.", ".chatml.", 1), &want)
	for _, o := range trace.Observations {
		if o.Type != "GENERATION" {
			continue
		}
		for i, s := range []side{want[o.ID].Input, want[o.ID].Output} {
			if !s.Success || len(s.Data) == 0 || s.Data[0].Role == "" {
				continue
			}
			n++
			raw, field, name := o.Input, activity.ContentInput, "input"
			if i == 1 {
				raw, field, name = o.Output, activity.ContentOutput, "output"
			}
			said, calls := messages(t, raw, field, name)
			text, wanted := "", 0
			for _, m := range s.Data {
				text += words(m.Content)
				wanted += len(m.ToolCalls)
			}
			if squeeze(said) != squeeze(text) || calls < wanted {
				t.Logf("%s %s %s: %d calls, want %d; got %.200q want %.200q", filepath.Base(file), o.ID, name, calls, wanted, said, text)
				continue
			}
			good++
		}
	}
	return n, good
}

func read(t *testing.T, file string, v any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

// messages sends one value as a Langfuse client would, and reads it as people do.
func messages(t *testing.T, raw json.RawMessage, field activity.ContentField, name string) (text string, calls int) {
	t.Helper()
	in, log := fixture(t, nil)
	body, err := json.Marshal(map[string]any{"batch": []any{map[string]any{"id": "1", "type": "generation-create", "timestamp": "2026-11-22T19:04:18Z", "body": map[string]any{
		"id": "o", "traceId": "t", "name": "x", "startTime": "2026-11-22T19:04:18Z", name: raw,
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	post(in, "/api/public/ingestion", "application/json", body)
	for _, f := range log.batches(t)[0].Fragments {
		for _, c := range f.Contents {
			if c.Field == activity.ContentSystem {
				text = string(c.Raw) + text
			}
			if c.Field != field || !strings.HasSuffix(c.Format, ".messages") {
				continue
			}
			_ = genai.Split(c.Raw, func(e []byte) bool { // what was read before a fault counts
				m, err := genai.Parse(c.Format, e)
				if err != nil {
					t.Errorf("%s: %v", c.Format, err)
				}
				for _, p := range m.Parts {
					switch p.Type {
					case genai.PartText, genai.PartToolResult:
						text += p.Text + p.Data
					case genai.PartToolCall:
						calls++
					}
				}
				return true
			})
		}
	}
	return text, calls
}

// words are the texts of an expected content.
func words(raw json.RawMessage) (out string) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct{ Text, Content string }
	_ = json.Unmarshal(raw, &parts) // of another shape: no words
	for _, p := range parts {
		out += p.Text + p.Content
	}
	return out
}

// squeeze leaves out what JSON's writers differ in.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
