package app

import (
	"fmt"
	"strings"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/genai"
	"reeve/internal/telemetry"
)

// A run is compared with a replay by the calls that the replay does again, and left out
// where they cannot be told.
func TestExchange(t *testing.T) {
	t.Parallel()
	// Messages by what they are called in the steps below.
	words := map[string]string{
		"sys": `{"role":"system","content":"You find orders."}`, "route": `{"role":"system","content":"Say billing or orders."}`,
		"u": `{"role":"user","content":"Where is order 7?"}`, "v": `{"role":"user","content":"And order 9?"}`, "short": `{"role":"user","content":"In short: order 7?"}`,
		"marked": `{"role":"user","content":[{"type":"text","text":"Where is order 7?","cache_control":{"type":"ephemeral"}}]}`,
		"c":      `{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"find_order","arguments":"{\"id\":7}"}}]}`,
		"r":      `{"role":"tool","tool_call_id":"call_1","content":"lost"}`,
		"a":      `{"role":"assistant","content":"Order 7 is lost."}`, "b": `{"role":"assistant","content":"Order 9 is here."}`, "bill": `{"role":"assistant","content":"billing"}`,
	}
	at, ordinal := map[int32]*activity.Message{}, map[string]string{}
	for name, raw := range words {
		n := int32(len(at))
		at[n] = &activity.Message{Ordinal: n, Format: genai.OpenAI, Raw: []byte(raw)}
		ordinal[name] = fmt.Sprint(n)
	}
	ordinal["gone"] = "1000" // is not kept
	refs := func(field activity.ContentField, names string) []activity.ContentRef {
		if names == "" {
			return nil
		}
		var list []string
		for name := range strings.FieldsSeq(names) {
			list = append(list, ordinal[name])
		}
		return []activity.ContentRef{{Field: field, Messages: strings.Join(list, ",")}}
	}
	type call struct {
		system, in, out string
		failed, outer   bool // outer: around the next, which alone says what it cost
	}
	for name, c := range map[string]struct {
		calls  []call
		of     string // the calls, by place
		answer string
		beside int
		code   string
	}{
		"one call":                   {[]call{{in: "u", out: "a"}}, "0", "Order 7 is lost.", 0, ""},
		"a call of a tool":           {[]call{{"sys", "u", "c", false, false}, {"sys", "u c r", "a", false, false}}, "0 1", "Order 7 is lost.", 0, ""},
		"it goes on after":           {[]call{{in: "u", out: "a"}, {in: "u a v", out: "b"}}, "0", "Order 7 is lost.", 1, ""},
		"a router before":            {[]call{{"route", "u", "bill", false, false}, {"sys", "u", "c", false, false}, {"sys", "u c r", "a", false, false}}, "0", "billing", 2, ""},
		"another chat between":       {[]call{{in: "u", out: "c"}, {in: "v", out: "b"}, {in: "u c r", out: "a"}}, "0 2", "Order 7 is lost.", 1, ""},
		"a try that failed":          {[]call{{in: "u", failed: true}, {in: "u", out: "c"}, {in: "u c r", failed: true}, {in: "u c r", out: "a"}}, "1 3", "Order 7 is lost.", 0, ""},
		"marks for a cache":          {[]call{{in: "marked", out: "c"}, {in: "u c r", out: "a"}}, "0 1", "Order 7 is lost.", 0, ""},
		"said around what it cost":   {[]call{{in: "u", out: "c", outer: true}, {}, {in: "u c r", out: "a"}}, "1 2", "Order 7 is lost.", 0, ""},
		"told in other words around": {[]call{{in: "short", out: "c", outer: true}, {in: "u", out: "c"}, {in: "u c r", out: "a"}}, "1 2", "Order 7 is lost.", 0, ""},
		"the same asked twice":       {[]call{{in: "u", out: "a"}, {in: "u", out: "a"}}, "", "", 0, "experiment.not_one_conversation"},
		"the same asked twice later": {[]call{{in: "u", out: "c"}, {in: "u c r", out: "a"}, {in: "u c r", out: "b"}}, "", "", 0, "experiment.not_one_conversation"},
		"two ways":                   {[]call{{in: "u", out: "c"}, {in: "u c r v", out: "b"}, {in: "u c r", out: "a"}}, "", "", 0, "experiment.not_one_conversation"},
		"a history rewritten":        {[]call{{in: "u", out: "c"}, {in: "short c r", out: "a"}}, "", "", 0, "experiment.not_one_conversation"},
		"another system prompt":      {[]call{{"sys", "u", "c", false, false}, {"route", "u c r", "a", false, false}}, "", "", 0, "experiment.not_one_conversation"},
		"it ends with a tool":        {[]call{{in: "u", out: "c"}}, "", "", 0, "experiment.not_one_conversation"},
		"all came to nothing":        {[]call{{in: "u", failed: true}}, "", "", 0, "experiment.not_one_conversation"},
		"its answer is gone":         {[]call{{in: "u", out: "gone"}}, "", "", 0, "experiment.not_recorded"},
		"no answer":                  {[]call{{in: "u"}}, "", "", 0, "experiment.not_recorded"},
		"one between says nothing":   {[]call{{in: "u", out: "c"}, {out: "a"}, {in: "u c r", out: "a"}}, "", "", 0, "experiment.not_recorded"},
		"the first says nothing":     {[]call{{out: "a"}}, "", "", 0, "experiment.not_recorded"},
	} {
		steps := []activity.Step{{Fragment: activity.Fragment{Step: activity.StepID{200}, Kind: activity.KindTool}}}
		for i := len(c.calls) - 1; i >= 0; i-- { // not by time
			x := c.calls[i]
			s := activity.Step{Counted: !x.outer}
			s.Step, s.Kind, s.Start, s.Status = activity.StepID{byte(i + 1)}, activity.KindModel, int64(i), activity.StatusOK
			if x.failed {
				s.Status = activity.StatusError
			}
			if i > 0 && c.calls[i-1].outer {
				s.Parent = activity.StepID{byte(i)}
			}
			s.Refs = append(append(refs(activity.ContentSystem, x.system), refs(activity.ContentInput, x.in)...), refs(activity.ContentOutput, x.out)...)
			steps = append(steps, s)
		}
		e, err := exchangeOf(steps, activity.StepID{1}, at)
		var of []string
		for _, s := range e.calls {
			of = append(of, fmt.Sprint(s.Step[0]-1))
		}
		if c.code != "" {
			if fault.From(err).Code != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
			continue
		}
		if err != nil || strings.Join(of, " ") != c.of || e.answer != c.answer || e.beside != c.beside {
			t.Errorf("%s: calls %v, %q, %d beside, %v", name, of, e.answer, e.beside, err)
		}
	}
	if _, err := (replayer{}).exchangeAt(t.Context(), activity.RunID{}, &telemetry.StepsPage{More: true}, activity.StepID{1}); fault.From(err).Code != "experiment.not_one_conversation" {
		t.Errorf("of a run with more steps than are read: %v", err)
	}
}
