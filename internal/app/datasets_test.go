package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/experiment"
)

// askDoor asks the model of a test one question, as a run of that key.
func askDoor(t *testing.T, a *App, key, run string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", a.Door()+"/llm/openai/v1/chat/completions", strings.NewReader(
		`{"model":"gpt-4o-mini","max_tokens":20,"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"I am ada@example.org. Can I return it?"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Reeve-Run", run)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, said)
	}
}

// TestFromARunToAnExport: a run through the door, a complaint, a case of it, an
// export, and the erasure of its user.
func TestFromARunToAnExport(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "refund")
	_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "refund", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	provider(t, a, "openai", "openai", func(string, string) string {
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"Never."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	})
	askDoor(t, a, key, "complaint-1")
	c := client.New("http://"+a.Address("listen"), "")
	run := activity.RunOfKey("complaint-1").String()
	eventually(t, "the run's answer", func() bool {
		r, ok, err := a.recorded(t.Context(), run)
		return err == nil && ok && r.Answer == "Never." && len(r.Input) == 2
	})
	if _, err := c.PutDataset(t.Context(), client.PutDatasetRequest{Name: "refunds", Team: "desk", Environment: "production"}); err != nil {
		t.Fatal(err)
	}
	yes, thumb := true, 0.0
	if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Run: run}, Kind: "thumb", Value: &thumb, User: "ada", Consent: &yes}); err != nil {
		t.Fatal(err)
	}
	var item *client.DatasetItem
	eventually(t, "the complaint with the case", func() bool {
		item, err = c.AddDatasetItem(t.Context(), client.AddDatasetItemRequest{Name: "refunds", Run: run, Expected: "Of course, within 14 days."})
		return err == nil && item.Feedback != ""
	})
	if item.Verdict != "bad" || item.Consent != "given" || item.Answer != "Never." || len(item.Input) != 2 || item.Input[0].Content != "Be kind." ||
		strings.Contains(item.Input[1].Content, "ada@") || len(item.Redacted) != 1 || item.FeedbackAt == nil {
		t.Errorf("%+v", item)
	}
	x, err := c.ExportDataset(t.Context(), client.ExportDatasetRequest{Name: "refunds", Format: "preferences", Reason: "training"})
	if err != nil {
		t.Fatal(err)
	}
	var line struct {
		Metadata struct{ Run string } `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(x.Content), &line); err != nil || x.Items != 1 || line.Metadata.Run != run {
		t.Errorf("%+v, %v", x, err)
	}
	cases, err := c.ListRunCases(t.Context(), client.IDRequest{ID: run})
	if err != nil || len(cases.Items) != 1 || cases.Items[0].Case != item.Case {
		t.Errorf("%+v, %v", cases, err)
	}
	// Who may read the set and not its run is served nothing of what its tools answered.
	for team, want := range map[string]string{"*": run, "desk": ""} {
		who := experiment.Actor{Person: "per_1", Can: func(_, at, _ string) bool { return team == "*" || at == team }}
		tasks, _, err := a.casesOf(t.Context(), who, "refunds", 0)
		if err != nil || len(tasks) != 1 || tasks[0].Run != want || len(tasks[0].Messages) != 2 {
			t.Errorf("a reader of %s gets %+v, %v; want run %q", team, tasks, err, want)
		}
	}
}
