package bus

import (
	"encoding/json"
	"testing"
)

// What is written by hand is the JSON that it stands for.
func TestEventsAreWrittenAsJSON(t *testing.T) {
	t.Parallel()
	for _, e := range []Event{
		{Type: "run.updated", ID: "run_1", Data: json.RawMessage(`{"id":"run_1","agent":"a<b>","steps":3}`)},
		{Type: "run.updated", Data: json.RawMessage(`"x"`)},
		{Type: "run.updated", ID: "run_1"},
		{Type: `a"b`, ID: "line\nbreak", Data: json.RawMessage(`[1]`)},
		{Type: "ümlaut", ID: `\`, Data: json.RawMessage(`null`)},
	} {
		b, err := appendEvent(nil, &e)
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		var back, want Event
		std, _ := json.Marshal(e)
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if err := json.Unmarshal(std, &want); err != nil {
			t.Fatal(err)
		}
		var data, wantData any
		_ = json.Unmarshal(back.Data, &data)
		_ = json.Unmarshal(want.Data, &wantData)
		x, _ := json.Marshal(data)
		y, _ := json.Marshal(wantData)
		if back.Type != want.Type || back.ID != want.ID || string(x) != string(y) {
			t.Errorf("%s, want %s", b, std)
		}
	}
	for _, bad := range []string{`{`, `{"a":1}{"b":2}`, "\x00"} {
		if b, err := appendEvent(nil, &Event{Type: "x", Data: json.RawMessage(bad)}); err == nil {
			t.Errorf("data %q was written as %s", bad, b)
		}
	}
}
