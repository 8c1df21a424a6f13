package app

import (
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/genai"
)

// What a replay cannot put again is counted by what it is.
func TestChatOfWhatCannotBeReplayed(t *testing.T) {
	t.Parallel()
	chat, left := chatOf([]activity.Message{
		{Format: genai.OpenAI, Field: activity.ContentInput, Raw: []byte(`{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}`)},
		{Format: genai.OpenAI, Field: activity.ContentInput, Raw: []byte(`{"role":"user",`)},
		{Format: genai.Anthropic, Field: activity.ContentInput, Raw: []byte(`{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"A cat."}]}`)},
	})
	if left[genai.PartMedia] != 1 || left["unreadable"] != 1 || left[genai.PartReasoning] != 1 || len(left) != 3 || len(chat.Messages) != 2 || chat.Messages[0].Text != "What is this?" {
		t.Errorf("%+v, left %v", chat, left)
	}
}

// TestReplayOfARun: a recorded step is put to another model, through the door and as a
// test; its tools are those of the recording, and the first other call ends it.
func TestReplayOfARun(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "refund")
	var bodies []string // of one caller at a time
	provider(t, a, "openai", "openai", func(_, body string) string {
		bodies = append(bodies, body)
		model := "gpt-4o-mini"
		if strings.Contains(body, `"model":"gpt-4o"`) {
			model = "gpt-4o"
		}
		usage := `"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}`
		call := func(args string) string {
			return `{"id":"c1","model":"` + model + `","choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"find_order","arguments":` + args + `}}]},"finish_reason":"tool_calls"}],` + usage + `}`
		}
		switch {
		case strings.Contains(body, `"role":"tool"`):
			return `{"id":"c2","model":"` + model + `","choices":[{"message":{"role":"assistant","content":"Order 7 is lost."},"finish_reason":"stop"}],` + usage + `}`
		case strings.Contains(body, "order 9"):
			return call(`"{\"id\": 9}"`)
		}
		return call(`"{\"id\":7}"`)
	})
	key, err := client.New("http://"+a.Address("listen"), "").CreateAgentKey(t.Context(), client.CreateAgentKeyRequest{Name: "refund", Label: "replay"})
	if err != nil {
		t.Fatal(err)
	}
	call := func(body string) {
		if got := post(t.Context(), a.Door()+"/llm/openai/v1/chat/completions", "application/json", []byte(body), "Authorization", "Bearer "+key.Key, "X-Reeve-Run", "r1"); got.status != 200 {
			t.Fatalf("%+v", got)
		}
	}
	tools := `"tools":[{"type":"function","function":{"name":"find_order","description":"finds","parameters":{"type":"object","properties":{"id":{"type":"integer"}}}}}]`
	call(`{"model":"gpt-4o","max_tokens":50,` + tools + `,"messages":[{"role":"system","content":"You find orders."},{"role":"user","content":"Where is order 7?"}]}`)
	call(`{"model":"gpt-4o","max_tokens":50,` + tools + `,"messages":[{"role":"system","content":"You find orders."},{"role":"user","content":"Where is order 7?"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"find_order","arguments":"{\"id\": 7}"}}]},{"role":"tool","tool_call_id":"call_1","content":"{\"state\":\"lost\"}"}]}`)
	c := client.New("http://"+a.Address("listen"), "")
	run := ""
	eventually(t, "the run", func() bool {
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{Agent: "refund"})
		if err == nil && len(l.Items) == 1 && l.Items[0].Status == "done" {
			run = l.Items[0].ID
		}
		return run != ""
	})
	var out *client.Replay
	eventually(t, "the run to be stored", func() bool {
		out, err = c.ReplayRun(t.Context(), client.ReplayRunRequest{ID: run, Model: "gpt-4o-mini"})
		if err != nil && apiCode(err) != "experiment.not_stored" && apiCode(err) != "experiment.no_upstream" { // nor its decisions yet
			t.Fatal(err)
		}
		return err == nil && out.Was != ""
	})
	if out.Stopped != nil || out.Answer != "Order 7 is lost." || len(out.Turns) != 2 || len(out.Turns[0].Calls) != 1 || !out.Turns[0].Calls[0].Recorded || out.Was != "Order 7 is lost." || *out.Shared != 1 || len(out.Left) != 0 || out.Cost == nil || *out.Cost <= 0 || out.Upstream != "openai" {
		t.Fatalf("%+v", out)
	}
	if last := bodies[len(bodies)-1]; !strings.Contains(last, `"model":"gpt-4o-mini"`) || !strings.Contains(last, "You find orders.") || !strings.Contains(last, `\"lost\"`) || !strings.Contains(last, `"find_order"`) {
		t.Errorf("the model was given %s", last)
	}
	eventually(t, "the replay's run, as a test", func() bool {
		r, err := c.GetRun(t.Context(), client.RunRequest{ID: out.TestRun})
		return err == nil && r.Mode == "test"
	})
	// The same as an experiment: what the cheaper model would save, and whether its answer
	// is as good, with no agent invoked and nothing of what was said kept.
	if _, err := c.PutEvaluator(t.Context(), client.PutEvaluatorRequest{Name: "found", Kind: "rule", Agents: []string{"refund"}, When: `answer.contains("lost")`}); err != nil {
		t.Fatal(err)
	}
	x, err := c.StartExperiment(t.Context(), client.StartExperimentRequest{Agent: "refund", Kind: "proof", Evaluators: []string{"found"}, Proof: &client.Proof{Model: "gpt-4o-mini", Runs: 10}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the proof's end", func() bool {
		x, err = c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: x.ID})
		return err == nil && x.State == "done"
	})
	if v := x.Proves; v == nil || v.Compared != 1 || v.Unknown != 0 || v.Before == nil || v.Now == nil || *v.Now >= *v.Before || *v.Saving.Value <= 0 || *v.Quality.Value != 0 || *v.Passes.Value != 1 {
		t.Errorf("%+v: %+v", x, x.Proves)
	}
	// What it paid is that of the conversation that is replayed: on its own model a run of
	// two saves nothing.
	for _, asked := range []string{"Is order 7 gone?", "Is order 7 found?"} {
		chat := `{"model":"gpt-4o","max_tokens":50,` + tools + `,"messages":[{"role":"user","content":"` + asked + `"}`
		for _, body := range []string{chat + `]}`, chat + `,{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"find_order","arguments":"{\"id\": 7}"}}]},{"role":"tool","tool_call_id":"call_1","content":"{\"state\":\"lost\"}"}]}`} {
			if got := post(t.Context(), a.Door()+"/llm/openai/v1/chat/completions", "application/json", []byte(body), "Authorization", "Bearer "+key.Key, "X-Reeve-Run", "r2"); got.status != 200 {
				t.Fatalf("%+v", got)
			}
		}
	}
	eventually(t, "the run of two", func() bool {
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{Agent: "refund", Query: "status:done -mode:test"})
		if err != nil || len(l.Items) != 2 || l.Items[0].StepCount < 4 {
			return false
		}
		again, err := c.ReplayRun(t.Context(), client.ReplayRunRequest{ID: l.Items[0].ID}) // its decisions are stored too
		return err == nil && again.Was != ""
	})
	if x, err = c.StartExperiment(t.Context(), client.StartExperimentRequest{Agent: "refund", Kind: "proof", Evaluators: []string{"found"}, Proof: &client.Proof{Model: "gpt-4o", Runs: 10}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second proof's end", func() bool {
		x, err = c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: x.ID})
		return err == nil && x.State == "done"
	})
	if v := x.Proves; v == nil || v.Compared != 2 || v.Priced != 2 || *v.Before <= 0 || *v.Saving.Value != 0 || *v.Saving.Low != 0 || *v.Saving.High != 0 {
		t.Errorf("%+v: %+v", x, x.Proves)
	}
	if !slices.ContainsFunc(x.Results, func(r client.ExperimentResult) bool { return strings.Contains(r.Why, "in neither figure: 2") }) {
		t.Errorf("calls of the other conversation are not told: %+v", x.Results)
	}
	other, system := "Where is order 9?", "Be brief."
	out, err = c.ReplayRun(t.Context(), client.ReplayRunRequest{ID: run, Prompt: &other, System: &system})
	if err != nil || out.Stopped == nil || out.Stopped.Name != "find_order" || out.Stopped.Recorded || out.Answer != "" || !strings.Contains(out.Why, "the recording has no call of find_order") || out.Model == "" {
		t.Errorf("%+v, %v", out, err)
	}
	if last := bodies[len(bodies)-1]; !strings.Contains(last, "Be brief.") || strings.Contains(last, "You find orders.") {
		t.Errorf("the model was given %s", last)
	}
	long := strings.Repeat("x", 65<<10)
	for code, req := range map[string]client.ReplayRunRequest{
		"experiment.no_step": {ID: run, Step: "0000000000000001"}, "experiment.no_upstream": {ID: run, Upstream: "gone"}, "experiment.invalid": {ID: run, Prompt: &long}, "run.not_found": {ID: "run_00000000000000000000000000"},
	} {
		if _, err := c.ReplayRun(t.Context(), req); apiCode(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
}
