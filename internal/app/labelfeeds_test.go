package app

import (
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/outcome"
)

// What a user says is evidence; what they take back is none any more, and what
// the agent itself reported holds again.
func TestFeedbackIsEvidence(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) {
		c.Outcomes = outcome.Config{Interactive: 24 * time.Hour, Autonomous: 24 * time.Hour, Asynchronous: 24 * time.Hour}
	})
	c := client.New("http://"+a.Address("listen"), "")
	at := time.Now().Add(-time.Minute)
	sendSpans(t, a, spanJSON(77, 0, -1, "agent", at, at.Add(time.Second), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "refunds", "session.id", "s77", "reeve.outcome", "resolved"))
	is := func(outcome, basis string) {
		t.Helper()
		eventually(t, "the run to be "+outcome+" by "+basis, func() bool {
			list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Session: "s77"})
			if err != nil {
				t.Fatal(err)
			}
			if len(list.Items) != 1 || list.Items[0].Outcome == nil || *list.Items[0].Outcome != outcome {
				return false
			}
			o, err := c.GetRunOutcome(t.Context(), client.RunRequest{ID: list.Items[0].ID})
			return err == nil && o.Basis == basis
		})
	}
	is("resolved", "")
	down, up := 0.0, 1.0
	say := func(v *float64, at time.Time) {
		t.Helper()
		if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Session: "s77"}, Key: "k1", Kind: "thumb", Value: v, At: &at}); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	say(&down, now.Add(-30*time.Second))
	is("failed", "feedback")
	say(&up, now.Add(-20*time.Second))
	is("verified_resolved", "feedback")
	back := now.Add(-10 * time.Second)
	if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Session: "s77"}, Key: "k1", Removed: true, At: &back}); err != nil {
		t.Fatal(err)
	}
	is("resolved", "")
}
