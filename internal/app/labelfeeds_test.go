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

// settlesAtOnce is an app that does, and what waits for a session's run to count so.
func settlesAtOnce(t *testing.T) (*App, *client.Client, func(session, outcome, basis string) *client.RunOutcome) {
	a := start(t, func(c *Config) {
		c.Outcomes = outcome.Config{Interactive: time.Second, Autonomous: time.Second, Asynchronous: time.Second}
	})
	c := client.New("http://"+a.Address("listen"), "")
	return a, c, func(session, outcome, basis string) (got *client.RunOutcome) {
		t.Helper()
		eventually(t, session+" to be "+outcome+" by "+basis, func() bool {
			list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Session: session})
			if err != nil {
				t.Fatal(err)
			}
			if len(list.Items) != 1 || list.Items[0].Outcome == nil || *list.Items[0].Outcome != outcome {
				return false
			}
			got, err = c.GetRunOutcome(t.Context(), client.RunRequest{ID: list.Items[0].ID})
			return err == nil && got.Basis == basis
		})
		return got
	}
}

// What a person says in the place of a judge of outcomes overrules the judge that
// spoke first, and what they take back leaves the judge's word.
func TestLabelsAreEvidence(t *testing.T) {
	t.Parallel()
	a, c, is := settlesAtOnce(t)
	if _, err := c.PutEvaluator(t.Context(), client.PutEvaluatorRequest{Name: "outcome", Kind: "rule", When: "steps > 1000"}); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Minute)
	sendSpans(t, a, spanJSON(78, 0, -1, "agent", at, at.Add(time.Second), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "refunds", "session.id", "s78", "reeve.outcome", "resolved"))
	run := is("s78", "failed", "judge").RunID
	label := func(verdict string) {
		t.Helper()
		if _, err := c.LabelRun(t.Context(), client.LabelRunRequest{Run: run, Evaluator: "outcome", Verdict: verdict}); err != nil {
			t.Fatal(err)
		}
	}
	label("pass")
	is("s78", "verified_resolved", "person")
	label("fail")
	is("s78", "failed", "person")
	label("")
	is("s78", "failed", "judge")
	if l, err := c.ListEvaluations(t.Context(), client.ListEvaluationsRequest{Run: run}); err != nil || len(l.Items) != 1 {
		t.Errorf("a label that was taken back is listed: %+v, %v", l, err)
	}
}

// Of what other systems say of a run, only what is said of its outcome decides it.
func TestScoresOfOneSideAreNoOutcome(t *testing.T) {
	t.Parallel()
	a, c, is := settlesAtOnce(t)
	at := time.Now().Add(-time.Minute)
	for i, session := range []string{"toxic", "named", "done"} {
		sendSpans(t, a, spanJSON(80+i, 0, -1, "agent", at, at.Add(time.Second), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "refunds", "session.id", session, "reeve.outcome", "resolved"))
		is(session, "implied_resolved", "agent")
	}
	say := func(session, name, kind string, value float64) {
		t.Helper()
		if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Session: session}, Name: name, Kind: kind, Value: &value, Giver: "system"}); err != nil {
			t.Fatal(err)
		}
	}
	say("toxic", "toxicity", "", 0.02)
	say("named", "Outcome_quality", "", 0.1)
	is("named", "failed", "judge") // they are read in order: the first was read, too
	say("done", "", "done", 0)
	is("done", "failed", "judge")
	if o := is("toxic", "implied_resolved", "agent"); len(o.Evidence) != 0 {
		t.Errorf("a score of one side is evidence: %+v", o.Evidence)
	}
}
