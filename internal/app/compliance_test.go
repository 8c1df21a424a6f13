package app

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/compliance"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/retention"
)

// putHouse puts a framework of the name house in force that has these controls.
func putHouse(t *testing.T, c *client.Client, controls string) {
	t.Helper()
	mapping := "id: house\ntitle: House\nsource: ours\nversion: 1\nabout: x\ncontrols:\n" + controls
	if _, err := c.PutComplianceFramework(t.Context(), client.PutComplianceFrameworkRequest{ID: "house", Mapping: mapping}); err != nil {
		t.Fatal(err)
	}
}

// An assessment says nothing of what nobody looked at: "at most" of no record is
// unknown, and what is known as of now alone is unknown of a past period. What the
// database says and the log of changes did not is not signed.
func TestComplianceOfNothing(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	controls := `  - {id: none, title: None failed, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: "failed:true"}, at_most: 0}]}
  - {id: known, title: All are known, article: a, about: x, evidence: [{id: e, title: x, fact: unknown_agents, at_most: 5}]}
`
	putHouse(t, c, controls)
	results := func(from, to string) (string, *client.ComplianceAssessment) {
		t.Helper()
		x, err := c.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "house", From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		return x.Controls[0].Result + " " + x.Controls[1].Result, x
	}
	if got, _ := results("-1h", ""); got != "unknown pass" {
		t.Errorf("without any run: %s", got)
	}
	sendSpans(t, a, streamRuns(8_000_000, 3, "clerk", func(int) string { return "resolved" })...)
	var x *client.ComplianceAssessment
	eventually(t, "the runs to be looked at", func() bool {
		var got string
		got, x = results("-1h", "")
		return got == "pass pass"
	})
	if e := x.Controls[0].Evidence[0]; e.Records != 3 || *e.Value != 0 || e.AsOf != nil {
		t.Errorf("%+v", e)
	}
	if e := x.Controls[1].Evidence[0]; e.AsOf == nil || time.Since(*e.AsOf) > time.Minute || !strings.Contains(e.Text, "as of") {
		t.Errorf("%+v", e)
	}
	if got, past := results("-400h", "-300h"); got != "unknown unknown" || !strings.Contains(past.Controls[1].Evidence[0].Text, "as of now alone") {
		t.Errorf("of a past period: %s, %+v", got, past)
	}
	for _, bad := range [][2]string{{"-1h", "2100-01-01T00:00:00Z"}, {"-1h", "-2h"}} {
		if _, err := c.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "house", From: bad[0], To: bad[1]}); !isCode(err, "api.") {
			t.Errorf("%v: %v", bad, err)
		}
	}

	pack, err := c.ExportCompliance(ctx, client.ComplianceAssessmentRequest{ID: x.ID})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(pack.Zip)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.ListAuditKeys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := compliance.Verify(raw, keys.Items[0].Key); err != nil || m.Assessment != x.ID {
		t.Fatalf("%+v, %v", m, err)
	}
	err = a.control.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE compliance_assessments SET body = REPLACE(body, '"fail":0', '"fail":1') WHERE id = ?`, x.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExportCompliance(ctx, client.ComplianceAssessmentRequest{ID: x.ID}); !isCode(err, "compliance.not_recorded") {
		t.Errorf("an assessment that was changed is signed: %v", err)
	}

	if err := c.PutComplianceSchedule(ctx, client.PutComplianceScheduleRequest{ID: "house", Every: 30}); err != nil {
		t.Fatal(err)
	}
	list, err := c.ListComplianceFrameworks(ctx)
	if err != nil || list.Items[0].ID != "house" || list.Items[0].Every != 30 || list.Items[0].Next == nil {
		t.Errorf("%+v, %v", list, err)
	}
}

// Of a period that began before what is kept, nothing is known for certain: neither
// that nothing failed nor that enough was done.
func TestComplianceOfWhatIsGone(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	controls := `  - {id: none, title: None failed, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: "failed:true"}, at_most: 0}]}
  - {id: done, title: Tasks are done, article: a, about: x, evidence: [{id: e, title: x, kpi: task_completion, at_least: 0.1, least: 1}]}
  - {id: some, title: There were runs, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: "agent:clerk"}, at_least: 2}]}
`
	putHouse(t, c, controls)
	sendSpans(t, a, streamRuns(8_100_000, 3, "clerk", func(int) string { return "resolved" })...)
	assess := func(from string) (string, *client.ComplianceAssessment) {
		t.Helper()
		x, err := c.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "house", From: from})
		if err != nil {
			t.Fatal(err)
		}
		return x.Controls[0].Result + " " + x.Controls[1].Result + " " + x.Controls[2].Result, x
	}
	eventually(t, "the runs to be looked at", func() bool { got, _ := assess("-40d"); return got == "pass pass pass" })
	const days = 14
	if _, err := c.PutRetention(ctx, client.PutRetentionRequest{Kind: "runs", Team: "support", Days: days, Reason: "contract"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := assess("-10d"); got != "pass pass pass" {
		t.Errorf("of what is kept: %s", got)
	}
	got, x := assess("-40d")
	if got != "unknown unknown pass" || !strings.Contains(x.Controls[0].Evidence[0].Text, "may be gone by their age or for space") {
		t.Errorf("of a period that is partly gone: %s: %+v", got, x.Controls[0].Evidence)
	}
}

// What was dropped for space, or by a rule that is gone, is not taken for what never
// was, however much is free now.
func TestComplianceOfWhatWasDropped(t *testing.T) {
	t.Parallel()
	controls := `  - {id: none, title: None failed, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: "failed:true"}, at_most: 0}]}
`
	for what, c := range map[string]struct {
		bytes Bytes
		drop  func(a *App, c *client.Client) error
		kept  int // days
	}{
		"for space": {1, func(*App, *client.Client) error { return nil }, 0},
		"by a rule that is gone": {0, func(a *App, c *client.Client) error {
			if _, err := c.PutRetention(t.Context(), client.PutRetentionRequest{Kind: "runs", Environment: "production", Days: 3, Reason: "contract"}); err != nil {
				return err
			}
			if _, err := a.keeping.pass(t.Context(), time.Now(), true); err != nil {
				return err
			}
			_, err := c.DeleteRetention(t.Context(), client.DeleteRetentionRequest{Kind: "runs", Environment: "production", Reason: "it ended"})
			return err
		}, 3},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a := start(t, func(o *Config) { o.Store.MaxBytes, o.Store.MaxAge = c.bytes, 0 })
			x := client.New("http://"+a.Address("listen"), "")
			ctx := t.Context()
			putHouse(t, x, controls)
			var spans []string
			for d := range 10 {
				at := time.Now().Add(-time.Duration(d)*day - time.Minute)
				spans = append(spans, spanJSON(8_200_000+d, 0, -1, "agent", at, at.Add(time.Second), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "clerk", "deployment.environment.name", "production"))
			}
			sendSpans(t, a, spans...)
			count := func() int {
				l, err := x.ListRuns(ctx, client.ListRunsRequest{From: "-20d", Limit: 50})
				if err != nil {
					t.Fatal(err)
				}
				return len(l.Items)
			}
			eventually(t, "the runs", func() bool { return count() == 10 })
			assess := func(from string) string {
				t.Helper()
				got, err := x.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "house", From: from})
				if err != nil {
					t.Fatal(err)
				}
				return got.Controls[0].Result
			}
			eventually(t, "the runs to be looked at", func() bool { return assess("-10d") == "pass" })
			if err := c.drop(a, x); err != nil {
				t.Fatal(err)
			}
			eventually(t, "days to be dropped", func() bool {
				if _, err := a.keeping.pass(ctx, time.Now(), true); err != nil {
					t.Fatal(err)
				}
				return count() <= c.kept+1
			})
			if got := assess("-10d"); got != "unknown" {
				t.Errorf("of what was dropped: %s", got)
			}
			if got := assess(time.Now().UTC().Truncate(day).Add(-time.Duration(c.kept) * day).Format(time.RFC3339)); got != "pass" {
				t.Errorf("of what is there: %s", got)
			}
			since, err := a.keeping.KeptSince(ctx, "decisions", false)
			if err != nil || since.IsZero() != (c.kept > 0) {
				t.Errorf("decisions are kept since %v, %v: a rule about runs leaves them", since, err)
			}
			if r, err := x.GetRetention(ctx); err != nil || !strings.Contains(r.Text, "some was dropped") {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// Evidence that looks for words is unknown of a time in which what was said went before
// its run; evidence of the runs themselves is not.
func TestComplianceOfWhatWasSaid(t *testing.T) {
	t.Parallel()
	controls := `  - {id: word, title: Nobody said it, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: "\"purple weather\""}, at_most: 0}]}
  - {id: runs, title: None failed, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: "failed:true"}, at_most: 0}]}
`
	for what, c := range map[string]struct {
		age  time.Duration // of content, by the configuration
		drop func(a *App, c *client.Client) error
	}{
		"by whole days": {3 * day, func(*App, *client.Client) error { return nil }},
		"by a rule that is gone": {0, func(a *App, c *client.Client) error {
			if _, err := c.PutRetention(t.Context(), client.PutRetentionRequest{Kind: "content", Environment: "production", Days: 3, Reason: "contract"}); err != nil {
				return err
			}
			if _, err := a.keeping.pass(t.Context(), time.Now(), true); err != nil {
				return err
			}
			_, err := c.DeleteRetention(t.Context(), client.DeleteRetentionRequest{Kind: "content", Environment: "production", Reason: "it ended"})
			return err
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a := start(t, func(o *Config) { o.Store.MaxAge, o.Store.ContentMaxAge = 0, c.age })
			x := client.New("http://"+a.Address("listen"), "")
			ctx := t.Context()
			putHouse(t, x, controls)
			var spans []string
			for d := range 8 {
				at := time.Now().Add(-time.Duration(d)*day - time.Minute)
				spans = append(spans, spanJSON(8_300_000+d, 0, -1, "agent", at, at.Add(time.Second), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "clerk", "deployment.environment.name", "production",
					"gen_ai.input.messages", `[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"fair and mild\"}]}]`))
			}
			sendSpans(t, a, spans...)
			said := func() int {
				l, err := x.ListRuns(ctx, client.ListRunsRequest{From: "-20d", Query: `"fair and mild"`, Limit: 50})
				if err != nil {
					t.Fatal(err)
				}
				return len(l.Items)
			}
			eventually(t, "what was said", func() bool { return said() == 8 })
			assess := func(from string) (string, string) {
				t.Helper()
				got, err := x.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "house", From: from})
				if err != nil {
					t.Fatal(err)
				}
				return got.Controls[0].Result + " " + got.Controls[1].Result, got.Controls[0].Evidence[0].Text
			}
			if got, text := assess("-8d"); c.age == 0 && got != "pass pass" {
				t.Errorf("before anything went: %s: %s", got, text)
			}
			if err := c.drop(a, x); err != nil {
				t.Fatal(err)
			}
			eventually(t, "what was said to be dropped", func() bool {
				if _, err := a.keeping.pass(ctx, time.Now(), true); err != nil {
					t.Fatal(err)
				}
				return said() < 6
			})
			marks, err := a.keeping.rules.Marks(ctx)
			if err != nil || !slices.ContainsFunc(marks, func(m retention.Mark) bool { return m.Kind == retention.Content }) || !retention.Dropped(marks).IsZero() {
				t.Errorf("marks %+v, %v", marks, err)
			}
			if got, text := assess("-8d"); got != "unknown pass" || !strings.Contains(text, "dropped by retention") {
				t.Errorf("of what was dropped: %s: %s", got, text)
			}
			if got, text := assess("-2d"); got != "pass pass" {
				t.Errorf("of what is there: %s: %s", got, text)
			}
			if r, err := x.GetRetention(ctx); err != nil || !strings.Contains(r.Text, "Of what was said before") {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func isCode(err error, code string) bool {
	f := fault.From(err)
	return err != nil && (f != nil && strings.HasPrefix(f.Code, code) || strings.Contains(err.Error(), code))
}
