package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/genai"
	"reeve/internal/telemetry"
)

// runOf is one run of an agent: what it says of itself, its prompts and tools.
type runOf struct {
	prompts []string
	models  []string
	tools   []string
	code    string
	source  activity.Source // who says so; the SDK unless said
}

// ran observes a run and lets some time go by.
func (h *house) ran(r runOf) {
	h.t.Helper()
	h.spans++
	h.cursor++
	id := activity.RunOfKey(fmt.Sprint("run", h.cursor))
	w := telemetry.Write{Cursor: h.cursor, Received: h.clock().UnixNano()}
	step := func(model string) {
		s := h.said(func(s *activity.Step) {
			s.Agent, s.AgentVersion, s.Source = "refund", r.code, max(r.source, activity.SourceSDK)
		})
		if model != "" {
			s.Kind, s.Model, s.ModelRequested = activity.KindModel, model+"-2024-08-06", model
		}
		s.Run = id
		w.Steps = append(w.Steps, s)
	}
	step("")
	for _, m := range r.models {
		step(m)
	}
	message := func(field activity.ContentField, format, raw string) {
		m := activity.Message{Run: id, Team: "core", Env: "production", Agent: "refund", Field: field, Format: format, Raw: []byte(raw), Time: h.clock().UnixNano()}
		copy(m.Hash[:], hashOf(format, raw)) // as the store does: the same text, the same hash
		if _, ok := h.cache.get(m.Hash); ok {
			m.Raw = nil
		}
		w.Messages = append(w.Messages, m)
	}
	for _, p := range r.prompts {
		message(activity.ContentSystem, genai.Text, p)
	}
	for _, d := range r.tools {
		message(activity.ContentTools, "openai.tools", d)
	}
	h.Observe(&w)
	h.drain()
	h.flushed()
	h.pass(30 * time.Second)
	h.flushed()
}

func (h *house) versions() (out []string) {
	h.t.Helper()
	list, err := h.Versions(h.t.Context(), "refund")
	if err != nil {
		h.t.Fatal(err)
	}
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, strings.Join(list[i].Changed, "+"))
	}
	return out
}

func tool(name, description string) string {
	b, _ := json.Marshal(map[string]any{"type": "function", "function": map[string]any{"name": name, "description": description, "parameters": map[string]any{"type": "object", "properties": map[string]any{"id": map[string]any{"type": "string"}, "why": map[string]any{"type": "string"}}}}})
	return string(b)
}

const basePrompt = "You give money back.\nNever more than 3 times a day.\nBe polite."

func TestVersions(t *testing.T) {
	t.Parallel()
	base := runOf{prompts: []string{basePrompt}, models: []string{"gpt-4o"}, tools: []string{tool("refund", "gives back"), tool("order", "reads")}, code: "1.0"}
	with := func(edit func(*runOf)) runOf {
		r := base
		edit(&r)
		return r
	}
	filledIn := func(n int) runOf {
		return with(func(r *runOf) {
			r.prompts = []string{fmt.Sprintf("%s\nWhat we know:\n- %s paid late\n- order of %s is lost\nAnswer now.", basePrompt, strings.Repeat("x", n+1), strings.Repeat("y", n+2))}
		})
	}
	times := func(n int, r runOf) []runOf {
		out := make([]runOf, n)
		for i := range out {
			out[i] = r
		}
		return out
	}
	for name, c := range map[string]struct {
		runs []runOf
		want []string // parts that changed, by version
	}{
		"always the same": {times(6, base), []string{""}},
		"another prompt": {
			append(times(4, base), with(func(r *runOf) { r.prompts = []string{strings.Replace(basePrompt, "3 times", "5 times", 1)} })),
			[]string{"", "prompt"},
		},
		"a prompt that is new twice": {
			append(times(1, base), times(2, with(func(r *runOf) { r.prompts = []string{basePrompt + "\nIn German."} }))...),
			[]string{"", "prompt"},
		},
		"another model, twice":          {append(times(4, base), times(2, with(func(r *runOf) { r.models = []string{"gpt-5"} }))...), []string{"", "model"}},
		"a fallback that answered once": {append(append(times(4, base), with(func(r *runOf) { r.models = []string{"claude"} })), times(3, base)...), []string{""}},
		"two models from the start":     {times(6, with(func(r *runOf) { r.models = []string{"gpt-4o", "gpt-4o-mini"} })), []string{""}},
		"a tool more":                   {append(times(4, base), with(func(r *runOf) { r.tools = append(r.tools, tool("mail", "sends")) })), []string{"", "tools"}},
		"a tool's description":          {append(times(4, base), with(func(r *runOf) { r.tools = []string{tool("refund", "gives all back"), tool("order", "reads")} })), []string{"", "tools"}},
		"tools in another order":        {append(times(4, base), with(func(r *runOf) { r.tools = []string{base.tools[1], base.tools[0]} })), []string{""}},
		"a tool's keys in another order": {append(times(4, base), with(func(r *runOf) {
			r.tools = []string{`{"function":{"parameters":{"properties":{"why":{"type":"string"},"id":{"type":"string"}},"type":"object"},"description":"gives  back","name":"refund"},"type":"function"}`, base.tools[1]}
		})), []string{""}},
		"released anew with another prompt": {
			append(times(4, base), with(func(r *runOf) { r.code, r.prompts = "1.1", []string{basePrompt + "\nIn German."} })),
			[]string{"", "prompt+code"},
		},
		"back to what it was": {append(append(times(4, base), times(3, with(func(r *runOf) { r.code = "1.1" }))...), base), []string{"", "code", "code"}},
		"dates and ids in the prompt": {[]runOf{
			with(func(r *runOf) {
				r.prompts = []string{basePrompt + "\nToday is Friday, 27 November 2026, 10:15. Ticket 4711-2201, user 0af76519-16cd-43dd-8448-eb211c80319c, ann@example.com."}
			}),
			with(func(r *runOf) {
				r.prompts = []string{basePrompt + "\nToday is Monday, 1 December 2026, 9:05. Ticket 4712-0007, user 1bf76519-16cd-43dd-8448-eb211c80319c, bob@example.org."}
			}),
			with(func(r *runOf) {
				r.prompts = []string{basePrompt + "\nToday is Tuesday, 2 December 2026, 9:05. Ticket 9912-0007, user 2bf76519-16cd-43dd-8448-eb211c80319c, eve@example.org."}
			}),
		}, []string{""}},
		"white space":                  {append(times(4, base), with(func(r *runOf) { r.prompts = []string{"\n" + strings.ReplaceAll(basePrompt, " ", "  ") + "\r\n\n"} })), []string{""}},
		"retrieved text in the prompt": {[]runOf{filledIn(1), filledIn(2), filledIn(3), filledIn(4), filledIn(5), filledIn(6), filledIn(7)}, []string{""}},
		"retrieved text as a message of its own": {[]runOf{
			with(func(r *runOf) { r.prompts = []string{basePrompt, "Context: aaa"} }), with(func(r *runOf) { r.prompts = []string{basePrompt, "Context: bbb"} }),
			with(func(r *runOf) { r.prompts = []string{basePrompt, "Context: ccc"} }), with(func(r *runOf) { r.prompts = []string{basePrompt, "Context: ddd"} }),
			with(func(r *runOf) { r.prompts = []string{basePrompt, "Context: eee"} }), with(func(r *runOf) { r.prompts = []string{basePrompt, "Context: fff"} }),
		}, []string{""}},
		"the prompt around retrieved text changes": {append([]runOf{filledIn(1), filledIn(2), filledIn(3), filledIn(4)},
			times(3, with(func(r *runOf) { r.prompts = []string{"You only tell the time.\nNothing else."} }))...), []string{"", "prompt"}},
		"a tool that is offered no more":     {append(times(4, base), times(25, with(func(r *runOf) { r.tools = base.tools[:1] }))...), []string{"", "tools"}},
		"our own word for it, from the door": {append(times(3, base), with(func(r *runOf) { r.code, r.source = "9f0c3a", activity.SourceGateway })), []string{""}},
		"known better later":                 {append([]runOf{{code: "1.0"}}, times(3, base)...), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.register("refund", nil)
			for i, r := range c.runs {
				if i == len(c.runs)/2 {
					h.restart() // which makes no version
				}
				h.ran(r)
			}
			if got := h.versions(); !cmp.Equal(got, c.want) {
				t.Errorf("versions by what changed %q, want %q", got, c.want)
			}
		})
	}
}

func TestVersionReachesTheRegister(t *testing.T) {
	t.Parallel()
	h := open(t)
	policy := "h1"
	h.o.Policies = func(*agent.Agent) ([]string, string) { return []string{"core-refunds"}, policy }
	a := h.register("refund", nil)
	for range 4 {
		h.ran(runOf{prompts: []string{basePrompt}, models: []string{"gpt-4o"}, tools: []string{tool("refund", "x")}, code: "1.0"})
	}
	list, err := h.Versions(t.Context(), "refund")
	if err != nil || len(list) != 1 || !list[0].Current || list[0].Run == "" {
		t.Fatalf("versions %+v, %v", list, err)
	}
	v := list[0]
	if !cmp.Equal(v.MadeOf["tools"], []string{"refund"}) || !cmp.Equal(v.MadeOf["model"], []string{"gpt-4o"}) || !cmp.Equal(v.MadeOf["policy"], []string{"core-refunds"}) || len(v.Parts) != 5 {
		t.Errorf("made of %v, parts %v", v.MadeOf, v.Parts)
	}
	if got, _, ok := h.VersionNow("refund"); !ok || got != v.Hash {
		t.Errorf("now %q, want %q", got, v.Hash)
	}
	// What a version was approved with is known.
	if _, err := h.ApproveVersion(t.Context(), dev, a, v.Hash, "reviewed"); err != nil {
		t.Fatal(err)
	}
	inv, err := h.Inventory(t.Context(), a, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range inv.Parts {
		if p.Kind != KindModel && !p.Known { // the model's name in telemetry is that which answered
			t.Errorf("unknown after approval: %+v", p)
		}
	}
	policy = "h2"
	h.ran(runOf{prompts: []string{basePrompt}, models: []string{"gpt-4o"}, tools: []string{tool("refund", "x")}, code: "1.0"})
	h.ran(runOf{prompts: []string{basePrompt}, models: []string{"gpt-4o"}, tools: []string{tool("refund", "x")}, code: "1.0"})
	if got := h.versions(); !cmp.Equal(got, []string{"", "policy"}) {
		t.Errorf("after another policy: %q", got)
	}
	if list, _ = h.Versions(t.Context(), "refund"); list[0].ApprovedBy != "" || list[1].ApprovedBy != "ann" {
		t.Errorf("approved %+v", list)
	}
	_, err = h.ApproveVersion(t.Context(), dev, a, "nothing", "r")
	h.want("a version that never was", err, "fleet.no_version")
}

func FuzzReadPrompt(f *testing.F) {
	f.Add(genai.Text, []byte(basePrompt))
	f.Add(genai.OpenAI, []byte(`{"role":"system","content":[{"type":"text","text":"a\n2026-01-01"}]}`))
	f.Add("openai.tools", []byte(tool("a", "b")))
	f.Add("anthropic.tools", []byte(`{"name":"a","input_schema":{"type":"object"}}`))
	f.Fuzz(func(t *testing.T, format string, raw []byte) {
		p, q := readPrompt(textOf(format, raw)), readPrompt(textOf(format, raw))
		if p.hash != q.hash || len(p.lines) > maxLines {
			t.Errorf("%q: %v and %v", raw, p, q)
		}
		if len(p.lines) > 0 && !covers(common([][]uint64{p.lines, q.lines}), p.lines) {
			t.Errorf("%q is not like itself", raw)
		}
		if name, hash, ok := readTool(format, raw); ok && (name == "" && !strings.ContainsFunc(string(raw), isControl) || hash == "") {
			t.Errorf("%q: tool %q %q", raw, name, hash)
		}
	})
}

func BenchmarkReadPrompt(b *testing.B) {
	text := strings.Repeat("You answer questions about orders of a shop. Never more than 3 refunds.\nToday is 2026-11-27 and the ticket is 4711-2201 of ann@example.com.\n", 30)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		readPrompt(text)
	}
}
