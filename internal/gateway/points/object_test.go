package points

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/gateway"
)

// What readObject takes can be read in one way only: by whoever takes the first
// of two names as by whoever takes the last.
func FuzzReadObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"tool":"x","arguments":{"a":[1,{"b":null}]}}`, `{"a":"\ud800"}`, `[{}]`, `{"a":{}}x`, "{\"\xff\":1}", strings.Repeat(`{"a":`, 100),
		`{"hook_event_name":"PreToolUse","tool_input":{}}`, `{"subject":{"type":"user","id":"a"},"action":{"name":"x"},"resource":{"type":"t","id":"i"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := readObject(b)
		if err != nil {
			return
		}
		var last map[string]any
		if err := json.Unmarshal(b, &last); err != nil || len(last) != len(o) {
			t.Fatalf("%q: %v, %d names of %d", b, err, len(o), len(last))
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if o2, err := readObject(again); err != nil || len(o2) != len(o) {
			t.Fatalf("%q is not read again: %v", again, err)
		}
		// No reader of a shape of ours panics, and what it takes keeps its bounds.
		if q, err := decideRequest(o); err == nil {
			out := &gateway.Outside{Tool: q.Tool, Body: q.Arguments}
			if toolCall(out) == nil && (len(out.Tool) > maxName || len(out.Body) > 0 && !gateway.ArgsOf(out.Body).Readable) {
				t.Fatalf("%q", b)
			}
		}
		if h, err := readHook(o); err == nil && h.event == "" {
			t.Fatalf("%q", b)
		}
		if e, err := readEvaluation(o); err == nil {
			if a, err := question(e); err != nil || !json.Valid(a) || bytes.ContainsRune(a, '\n') {
				t.Fatalf("%q: %q %v", b, a, err)
			}
		}
		var done client.CompleteDecisionRequest
		_ = readAll(o, map[string]any{"result": &done.Result}, &done.Output, "output")
	})
}
