package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"reeve/client"
)

// Users who are unhappy with an agent open an incident that somebody has to
// answer by a date; what they say joins its run before and after it, through
// whatever door it came, and through a kill.
func TestFeedbackFromEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	s := startChild(t, childOptions{Dir: dir})
	ctx := t.Context()
	thumb := func(trace string, v float64, key string) client.Feedback {
		t.Helper()
		f, err := s.api.CreateFeedback(ctx, client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Trace: trace}, Kind: "thumb", Value: &v, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return *f
	}
	sendRun := func(n int) {
		t.Helper()
		if a := post(ctx, "http://"+s.HTTP+"/v1/traces", protobuf, oneRun(t, n)); a.status != http.StatusOK {
			t.Fatalf("%+v", a)
		}
	}
	joined := func(id string) bool {
		f, err := s.api.GetFeedback(ctx, client.FeedbackRequest{ID: id})
		return err == nil && f.Run != "" && f.Agent == "robust"
	}

	before := thumb(traceOf(0), 1, "")
	score, _ := json.Marshal(map[string]any{"batch": []any{map[string]any{"id": "e1", "type": "score-create", "timestamp": "2026-11-02T08:00:00Z", "body": map[string]any{"id": "s1", "traceId": traceOf(1), "name": "user-feedback", "value": 1}}}})
	if a := post(ctx, "http://"+s.Console+"/api/public/ingestion", "application/json", score); a.status != http.StatusMultiStatus {
		t.Fatalf("%+v", a)
	}
	unknown := thumb(traceOf(999), 1, "")

	// What was acknowledged is there after a kill, and still waits for its run.
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // it was killed
	s = startChild(t, childOptions{Dir: dir})
	sendRun(0)
	sendRun(1)
	eventually(t, "the feedback that came first to be joined", func() bool { return joined(before.ID) })
	eventually(t, "the score of another tool to be joined", func() bool {
		l, err := s.api.ListFeedback(ctx, client.ListFeedbackRequest{Source: "langfuse"})
		return err == nil && len(l.Items) == 1 && l.Items[0].Agent == "robust" && l.Items[0].Verdict == "positive"
	})
	if joined(unknown.ID) {
		t.Error("feedback on an unknown run was joined to one")
	}

	for n := range 14 {
		sendRun(10 + n)
		bad := thumb(traceOf(10+n), 0, fmt.Sprint("bad", n))
		if again := thumb(traceOf(10+n), 0, fmt.Sprint("bad", n)); again.ID != bad.ID {
			t.Errorf("the same word twice is two: %s %s", bad.ID, again.ID)
		}
	}
	var incident string
	eventually(t, "an incident of unhappy users", func() bool {
		l, err := s.api.ListIncidents(ctx, client.ListIncidentsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range l.Items {
			if bytes.Contains([]byte(x.Title), []byte("unhappy with robust")) {
				incident = x.ID
			}
		}
		return incident != ""
	})
	eventually(t, "somebody who has to answer by a date", func() bool {
		x, err := s.api.GetIncident(ctx, client.IncidentRequest{ID: incident})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range x.Tasks {
			if task.Owner != "" && task.DueAt != nil {
				return true
			}
		}
		return false
	})
	sum, err := s.api.FeedbackSummary(ctx, client.FeedbackSummaryRequest{Agent: "robust", From: "-4000h"})
	if err != nil || len(sum.Agents) != 1 || sum.All.Negative != 14 || sum.All.Positive != 2 || sum.All.Answered != 16 {
		t.Errorf("%+v, %v", sum, err)
	}
}
