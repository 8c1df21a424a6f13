package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/compliance"
	"reeve/internal/incident"
)

// With responses.feedback_first an incident that users' feedback is part of is
// resolved when as many are content as before; one that is about something else of
// the same agent is not held up.
func TestFeedbackHasToRecoverFirst(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) { c.Responses.FeedbackFirst = true })
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	labels := map[string]string{"agent": "clerk", "team": "support", "environment": "production"}
	tell := func(from alert.Sender, key, title, state string) {
		t.Helper()
		if err := a.alerts.Take(ctx, from, []alert.Report{{Key: key, State: state, Title: title, Text: "x", Severity: alert.Critical, Labels: labels}}); err != nil {
			t.Fatal(err)
		}
	}
	find := func(title string) (found string) {
		t.Helper()
		patiently(t, "an incident of "+title, func() bool {
			l, err := c.ListIncidents(ctx, client.ListIncidentsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range l.Items {
				if strings.Contains(x.Title, title) {
					found = x.ID
				}
			}
			return found != ""
		})
		return found
	}
	resolve := func(id string) error {
		_, err := c.ResolveIncident(ctx, client.IncidentNoteRequest{ID: id, Note: "done"})
		return err
	}
	from := feedbackSource
	from.Team, from.Environment = "support", "production"
	tell(from, "unhappy", "Users are unhappy with clerk", alert.Firing)
	unhappy := find("Users are unhappy")
	if err := resolve(unhappy); err == nil || !strings.Contains(err.Error(), "unhappy with clerk still") {
		t.Errorf("resolved while users are unhappy: %v", err)
	}
	// It asks for the incident's own signals.
	if why, err := a.unhappyYet(ctx, incident.Incident{ID: "inc_other", Agents: []string{"clerk"}}); why != "" || err != nil {
		t.Errorf("another incident of the agent is held up: %q, %v", why, err)
	}
	tell(from, "unhappy", "Users are unhappy with clerk", alert.Resolved)
	patiently(t, "the incident to be resolved", func() bool { return resolve(unhappy) == nil })

	a.o.Config.Responses.FeedbackFirst = false
	if why, err := a.unhappyYet(ctx, incident.Incident{ID: unhappy}); why != "" || err != nil {
		t.Errorf("nobody asked for it, and it is held up: %q, %v", why, err)
	}
}

// A control that fails in an assessment by schedule and did not before is a finding,
// which names the assessment; told twice it is one.
func TestFailingControlsAreFound(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	x := &compliance.Assessment{ID: "cas_1", Framework: "house", Title: "House rules", At: time.Now(), Fail: 2}
	for range 2 {
		a.controlsFail(t.Context(), x, []string{"r1", "r2"})
	}
	l, err := c.ListFindings(t.Context(), client.ListFindingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	found := slices.DeleteFunc(l.Items, func(f client.Finding) bool { return f.Detector != "control_failed" })
	if len(found) != 1 || found[0].Subject != "house" || found[0].Count != 2 || !strings.Contains(found[0].Text, "r1, r2") || !strings.Contains(found[0].Text, "cas_1") {
		t.Errorf("%+v", found)
	}
}

// The spread of outcomes has its interval, on the page and on /metrics.
func TestSpreadHasItsInterval(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	const runs = 60
	for task := range 6 { // of two tasks runs end alike, of four in two ways
		sendSpans(t, a, streamRuns(8_200_000+100*task, runs, "clerk", func(i int) string {
			if task >= 2 && i%2 == 0 {
				return "failed"
			}
			return "resolved"
		}, "reeve.task", fmt.Sprintf("task-%d", task))...)
	}
	var k *client.KPIDetail
	eventually(t, "the spread of all runs", func() bool {
		var err error
		if k, err = c.GetKPI(ctx, client.KPIRequest{ID: "outcome_spread", From: "-1h", By: "agent"}); err != nil {
			t.Fatal(err)
		}
		return k.N == 6*runs
	})
	// Of 60 runs, 30 each way, two differ with chance 30/59: the mean over six tasks.
	want := 4 * (30.0 / 59) / 6
	if k.Value == nil || *k.Value < want-1e-9 || *k.Value > want+1e-9 || k.Low == nil || *k.Low >= want || *k.High <= want || *k.Coverage != 1 || len(k.Groups) != 1 {
		t.Errorf("spread: %+v, want %v", k, want)
	}
	if err := a.computeKPIs(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	text := metricsPage(t, a)
	for _, name := range []string{"value", "low", "high", "coverage"} {
		if s := `reeve_kpi_` + name + `{agent="clerk",kpi="outcome_spread",unit="share"}`; !strings.Contains(text, s) {
			t.Errorf("/metrics has no %s", s)
		}
	}
}

// A rule on the spread of outcomes fires for the agent whose runs of one task began to
// end differently, and not for one that goes on as ever: it asks for the lower end of
// the interval.
func TestSpreadAlarms(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	sent := map[string]int{}
	runs := func(agent string, n, failEach int) { // every so manieth fails
		t.Helper()
		sendSpans(t, a, streamRuns(8_400_000+1000*len(agent)+sent[agent], n, agent, func(i int) string {
			if i%failEach == 0 {
				return "failed"
			}
			return "resolved"
		}, "reeve.task", "refund")...)
		sent[agent] += n
	}
	told := func(revision int64) []client.Finding {
		t.Helper()
		patiently(t, "the runs to be counted", func() bool {
			k, err := c.GetKPI(ctx, client.KPIRequest{ID: "outcome_spread", From: "-1h", By: "agent"})
			if err != nil {
				t.Fatal(err)
			}
			return k.N == int64(sent["clerk"]+sent["steady"])
		})
		if _, err := c.PutRule(ctx, client.PutRuleRequest{Name: "spread", When: "low > 0.4 && records >= 40.0", Query: &client.RuleQuery{KPI: "outcome_spread", By: "agent"}, Window: "1h", Text: fmt.Sprintf("outcomes spread, looked %d", revision), Reason: "asked again at once", Revision: revision}); err != nil {
			t.Fatal(err)
		}
		a.watching.asker.Ask(ctx)
		l, err := c.ListFindings(ctx, client.ListFindingsRequest{Detector: "rule:spread"})
		if err != nil {
			t.Fatal(err)
		}
		return l.Items
	}
	for _, agent := range []string{"clerk", "steady"} {
		runs(agent, 100, 5) // two of a hundred differ with chance .32
	}
	if found := told(0); len(found) != 0 {
		t.Fatalf("told of what is as it was: %+v", found)
	}
	runs("steady", 200, 5)
	runs("clerk", 300, 2)
	found := told(1)
	if len(found) != 1 || found[0].Agent != "clerk" || !strings.Contains(found[0].Seen, "95 % interval 0.4") {
		t.Fatalf("found %+v, want one of clerk with its interval", found)
	}
	// What a search finds has no interval, and a rule of it says so at once.
	_, err := c.TryRule(ctx, client.TryRuleRequest{When: "low > 0.4", Query: &client.RuleQuery{Table: "runs", Func: "count"}, Window: "1h"})
	if apiCode(err) != "rule.invalid" {
		t.Errorf("an interval of a search: %v", err)
	}
}
