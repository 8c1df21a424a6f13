package app

import (
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/incident"
)

// A run of an incident becomes a case in one act, also after the incident's end: it
// is shown first, redacted, and taken back, unless somebody changed it since.
func TestACaseOfAnIncident(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	register(t, a, "refund")
	_, key, err := a.agents.CreateKey(ctx, everyRole(), "refund", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	provider(t, a, "openai", "openai", func(string, string) string {
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"Never."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	})
	askDoor(t, a, key, "wrong-1")
	register(t, a, "other")
	_, other, err := a.agents.CreateKey(ctx, everyRole(), "other", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	askDoor(t, a, other, "right-1")
	run := activity.RunOfKey("wrong-1").String()
	eventually(t, "the run's answer", func() bool {
		r, ok, err := a.recorded(ctx, run)
		return err == nil && ok && r.Answer == "Never." && len(r.Input) == 2
	})
	placed := a.incidents.Take(ctx, []incident.Signal{{ID: "s1", Kind: "finding", Fingerprint: "f1", At: time.Now(), Severity: "warning", Title: "wrong answers", Team: "core", Environment: "production", Agent: "refund", Run: run}})
	if len(placed) != 1 {
		t.Fatalf("%+v", placed)
	}
	if err := a.incidents.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	id := placed[0].Incident
	c := client.New("http://"+a.Address("listen"), "")
	offers, err := c.ListIncidentOffers(ctx, client.IncidentRequest{ID: id})
	if err != nil || !offered(offers, "make_case", "incidents-core") {
		t.Fatalf("%+v, %v", offers, err)
	}
	if _, err := c.ResolveIncident(ctx, client.IncidentNoteRequest{ID: id}); err != nil {
		t.Fatal(err)
	}
	req := client.IncidentActRequest{ID: id, Kind: "make_case", Target: run, Level: "incidents-core", Reason: "never again", Message: "Within 14 days."}
	p, err := c.PreviewIncidentAct(ctx, req)
	if err != nil || p.Needs != "" || !strings.Contains(p.Text, "The data set is made. ") || !strings.Contains(p.Text, "Answered: “Never.”") || strings.Contains(p.Text, "ada@") || !strings.Contains(p.Text, "Cut out:") {
		t.Fatalf("%+v, %v", p, err)
	}
	if all, err := c.ListDatasets(ctx, client.ListDatasetsRequest{}); err != nil || len(all.Items) != 0 {
		t.Fatalf("looking made a data set: %+v, %v", all, err)
	}
	items := func() []client.DatasetItem {
		all, err := c.ListDatasetItems(ctx, client.ListDatasetItemsRequest{Name: "incidents-core"})
		if err != nil {
			t.Fatal(err)
		}
		return all.Items
	}
	done, err := c.ActOnIncident(ctx, req)
	if err != nil || done.State != "done" {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := items(); len(got) != 1 || got[0].Run != run || got[0].Expected != "Within 14 days." || got[0].Verdict != "bad" || !strings.Contains(got[0].Note, id) {
		t.Errorf("%+v", got)
	}
	if p, err := c.PreviewIncidentAct(ctx, req); err != nil || !strings.Contains(p.Needs, "already") {
		t.Errorf("a second time: %+v, %v", p, err)
	}
	if _, err := c.ActOnIncident(ctx, req); apiCode(err) != "dataset.conflict" {
		t.Errorf("a second time: %v", err)
	}
	if back, err := c.UndoIncidentAct(ctx, client.UndoActRequest{ID: done.ID, Reason: "another run"}); err != nil || back.State != "undone" || len(items()) != 0 {
		t.Errorf("%+v, %v, %+v", back, err, items())
	}
	// Again, and this time somebody puts it right before it is taken back.
	if done, err = c.ActOnIncident(ctx, req); err != nil || len(items()) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := c.AddDatasetItem(ctx, client.AddDatasetItemRequest{Name: "incidents-core", Run: run, Expected: "Within 30 days."}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UndoIncidentAct(ctx, client.UndoActRequest{ID: done.ID, Reason: "x"}); apiCode(err) != "incident.act" || len(items()) != 1 {
		t.Errorf("somebody else's change was taken back: %v", err)
	}
	for name, bad := range map[string]client.IncidentActRequest{
		"no run":               {Target: "run_nothing", Level: "incidents-core"},
		"one of another agent": {Target: activity.RunOfKey("right-1").String(), Level: "incidents-core"},
		"another run":          {Target: activity.RunOfKey("nobody's").String(), Level: "incidents-core"},
		"no data set":          {Target: run, Level: "gone"},
		"no name":              {Target: run, Level: "A b"},
		"a deleted one's":      {Target: run, Level: "incidents-core~1"},
	} {
		bad.ID, bad.Kind, bad.Reason = id, "make_case", "why"
		if x, err := c.ActOnIncident(ctx, bad); err == nil {
			t.Errorf("%s: %+v", name, x)
		}
	}
	x, err := c.GetIncident(ctx, client.IncidentRequest{ID: id})
	if err != nil || x.State != "resolved" {
		t.Errorf("%s, %v", x.State, err)
	}
}
