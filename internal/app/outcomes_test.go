package app

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/kpi"
	"reeve/internal/outcome"
	"reeve/internal/telemetry"
)

// spanJSON is a span of OTLP; attributes are key, value, key, value.
func spanJSON(run, span, parent int, name string, from, to time.Time, failed bool, attributes ...any) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"traceId":"%032x","spanId":"%016x","name":"%s","startTimeUnixNano":"%d","endTimeUnixNano":"%d"`, run+1, run*1000+span+1, name, from.UnixNano(), to.UnixNano())
	if parent >= 0 {
		fmt.Fprintf(&b, `,"parentSpanId":"%016x"`, run*1000+parent+1)
	}
	if failed {
		b.WriteString(`,"status":{"code":2,"message":"no"}`)
	}
	b.WriteString(`,"attributes":[`)
	for i := 0; i < len(attributes); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		switch v := attributes[i+1].(type) {
		case int:
			fmt.Fprintf(&b, `{"key":"%s","value":{"intValue":%d}}`, attributes[i], v)
		case float64:
			fmt.Fprintf(&b, `{"key":"%s","value":{"doubleValue":%g}}`, attributes[i], v)
		default:
			fmt.Fprintf(&b, `{"key":"%s","value":{"stringValue":"%v"}}`, attributes[i], v)
		}
	}
	b.WriteString(`]}`)
	return b.String()
}

func sendSpans(t *testing.T, a *App, spans ...string) {
	t.Helper()
	body := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Join(spans, ",") + `]}]}]}`
	if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(body)); r.status != http.StatusOK {
		t.Fatalf("sending: %+v", r)
	}
}

// someRuns sends n runs of all sorts that began an hour ago.
func someRuns(t *testing.T, a *App, n int) {
	t.Helper()
	outcomes := []string{"resolved", "resolved", "resolved", "escalated", "abandoned", "", "failed", ""}
	var spans []string
	at := time.Now().Add(-time.Hour)
	for i := range n {
		from := at.Add(time.Duration(i) * time.Second)
		to := from.Add(time.Duration(1000+37*i%5000) * time.Millisecond)
		attributes := []any{"gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", fmt.Sprintf("agent-%d", i%3), "reeve.task", fmt.Sprintf("task-%d", i%2), "user.id", fmt.Sprintf("u%d", i)}
		if o := outcomes[i%len(outcomes)]; o != "" {
			attributes = append(attributes, "reeve.outcome", o)
		}
		if i%10 == 9 {
			attributes = append(attributes, "reeve.mode", "test")
		}
		if i%4 == 3 {
			attributes = append(attributes, "reeve.mode", "asynchronous")
		}
		spans = append(spans, spanJSON(i, 0, -1, "agent", from, to, i%16 == 7, attributes...))
		for k := range i % 4 {
			spans = append(spans, spanJSON(i, 1+k, 0, "call", from.Add(time.Millisecond), from.Add(time.Duration(10+i)*time.Millisecond), i%5 == 0 && k == 0,
				"gen_ai.operation.name", "chat", "gen_ai.system", "openai", "gen_ai.request.model", "gpt-4o-mini", "gen_ai.usage.input_tokens", 1000+i, "gen_ai.usage.output_tokens", 100+k, "gen_ai.usage.cost", 0.001*float64(1+i%9)))
		}
		for k := range i % 3 {
			spans = append(spans, spanJSON(i, 10+k, 0, "tool", from.Add(time.Duration(20+k)*time.Millisecond), from.Add(40*time.Millisecond), i%7 == 0,
				"gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", fmt.Sprintf("tool-%d", (i+k)%4)))
		}
		if i%6 == 5 {
			spans = append(spans, spanJSON(i, 20, 0, "approval", from.Add(50*time.Millisecond), from.Add(650*time.Millisecond), false, "reeve.step.kind", "human"))
		}
	}
	for part := range slices.Chunk(spans, 500) {
		sendSpans(t, a, part...)
	}
}

// Each KPI equals the same figure recomputed from the raw records.
func TestKPIsFromRawRecords(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	const n = 240
	someRuns(t, a, n)
	var list *client.KPIList
	var err error
	eventually(t, "the store to have them all", func() bool {
		if list, err = c.ListKPIs(t.Context(), client.ListKPIsRequest{From: "-3h"}); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list.Items, func(k client.KPI) bool { return k.ID == "runs" && k.N == n-n/10 })
	})
	page, err := c.ListRuns(t.Context(), client.ListRunsRequest{Limit: 1000, Query: "status:done,stale"})
	if err != nil || len(page.Items) != n {
		t.Fatalf("%d runs: %v", len(page.Items), err)
	}
	runs := slices.DeleteFunc(page.Items, func(r client.Run) bool { return r.Mode == "test" })
	steps := map[string][]client.Step{}
	for _, r := range runs {
		list, err := c.ListSteps(t.Context(), client.ListStepsRequest{ID: r.ID})
		if err != nil {
			t.Fatal(err)
		}
		steps[r.ID] = list.Items
	}
	reported := func(r *client.Run) string {
		if r.Outcome != nil && *r.Outcome != "" {
			return *r.Outcome
		}
		if r.Failed {
			return "failed"
		}
		return ""
	}
	share := func(of, among func(*client.Run) bool) func() (float64, int) {
		return func() (float64, int) {
			var k, n float64
			for i := range runs {
				if among(&runs[i]) {
					n++
					if of(&runs[i]) {
						k++
					}
				}
			}
			return k / n, int(n)
		}
	}
	is := func(words ...string) func(*client.Run) bool {
		return func(r *client.Run) bool { return slices.Contains(words, reported(r)) }
	}
	known := func(r *client.Run) bool { return reported(r) != "" }
	all := func(*client.Run) bool { return true }
	mean := func(of func(*client.Run) (float64, bool)) func() (float64, int) {
		return func() (float64, int) {
			var sum, n float64
			for i := range runs {
				if v, ok := of(&runs[i]); ok {
					sum, n = sum+v, n+1
				}
			}
			return sum / n, int(n)
		}
	}
	cost := func(r *client.Run) (float64, bool) {
		if r.Cost.Amount == nil {
			return 0, false
		}
		return *r.Cost.Amount, true
	}
	calls := func(kind string, of func(*client.Step) bool) func() (float64, int) {
		return func() (float64, int) {
			var k, n float64
			for _, r := range runs {
				for i := range steps[r.ID] {
					if s := &steps[r.ID][i]; s.Kind == kind {
						n++
						if of(s) {
							k++
						}
					}
				}
			}
			return k / n, int(n)
		}
	}
	want := map[string]func() (float64, int){
		"task_completion":  share(is("resolved"), known),
		"escalation_rate":  share(is("escalated"), known),
		"abandonment_rate": share(is("abandoned"), known),
		"failure_rate":     share(is("failed"), known),
		"containment_rate": share(is("resolved"), known),
		"cost_per_run":     mean(cost),
		"cost_per_resolved": func() (float64, int) {
			var sum, hits, n float64
			for i := range runs {
				if v, ok := cost(&runs[i]); ok && known(&runs[i]) {
					sum, n = sum+v, n+1
					if is("resolved")(&runs[i]) {
						hits++
					}
				}
			}
			return sum / hits, int(n)
		},
		"steps_per_run": mean(func(r *client.Run) (float64, bool) { return float64(r.StepCount), true }),
		"human_minutes_per_run": mean(func(r *client.Run) (float64, bool) {
			var ms float64
			for _, s := range steps[r.ID] {
				if s.Kind == "human" {
					ms += *s.DurationMS
				}
			}
			return ms / 60_000, true
		}),
		"run_latency_p95": func() (float64, int) {
			var list []float64
			for _, r := range runs {
				list = append(list, *r.DurationMS)
			}
			slices.Sort(list)
			return list[int(math.Ceil(0.95*float64(len(list))))-1], len(list)
		},
		"tool_error_rate": calls("tool", func(s *client.Step) bool { return s.Status == "error" }),
		"runs":            func() (float64, int) { _, n := share(all, all)(); return float64(n), n },
	}
	got := map[string]client.KPI{}
	for _, k := range list.Items {
		got[k.ID] = k
		switch {
		case k.Value == nil && k.Why == "":
			t.Errorf("%s is unknown and does not say why", k.ID)
		case k.Value != nil && k.Low != nil && (*k.Low > *k.Value || *k.High < *k.Value):
			t.Errorf("%s is %v, outside of %v to %v", k.ID, *k.Value, *k.Low, *k.High)
		case k.Value != nil && k.N == 0:
			t.Errorf("%s is %v of nothing", k.ID, *k.Value)
		}
	}
	for id, compute := range want {
		v, n := compute()
		allowed := 1e-9 * max(1, v)
		if got[id].Unit == "ms" { // read from bins
			allowed = telemetry.BinError * v
		}
		if k := got[id]; k.Value == nil || math.Abs(*k.Value-v) > allowed || k.N != int64(n) {
			t.Errorf("%s is %v of %d, recomputed %v of %d", id, k.Value, k.N, v, n)
		}
	}
	// The records behind a share are as many as it says.
	for _, id := range []string{"task_completion", "failure_rate", "escalation_rate"} {
		k := got[id]
		for query, count := range map[string]int64{k.Records: k.N, k.Hits: k.HitCount} {
			opened, err := c.ListRuns(t.Context(), client.ListRunsRequest{Limit: 1000, Query: query})
			if err != nil || int64(len(opened.Items)) != count {
				t.Errorf("%s: %s opens %d records, want %d: %v", id, query, len(opened.Items), count, err)
			}
		}
	}
	// Runs that a user gave up or a person took over are in no part of resolution, nor
	// are they unknown to it.
	_, of := share(all, func(r *client.Run) bool { return !is("abandoned", "escalated")(r) })()
	if k := got["resolution_rate"]; k.Coverage == nil || k.N == 0 || math.Abs(*k.Coverage-float64(k.N)/float64(of)) > 1e-9 {
		t.Errorf("resolution is of %d runs of %d: %+v", k.N, of, k.KPIFigure)
	}
	for _, id := range []string{"csat", "frustration_rate", "value_net"} {
		if got[id].Value != nil || !strings.HasPrefix(got[id].Why, "no data") {
			t.Errorf("%s is %+v", id, got[id].KPIFigure)
		}
	}
	detail, err := c.GetKPI(t.Context(), client.KPIRequest{ID: "task_completion", From: "-3h", By: "agent"})
	if err != nil || len(detail.Groups) != 3 || len(detail.Series) == 0 {
		t.Fatalf("split by agent: %+v, %v", detail, err)
	}
	var sum, hits int64
	for _, g := range detail.Groups {
		sum, hits = sum+g.N, hits+g.HitCount
	}
	if sum != detail.N || hits != detail.HitCount {
		t.Errorf("the agents have %d of %d, all %d of %d", hits, sum, detail.HitCount, detail.N)
	}
	for id := range got {
		if _, err := c.GetKPI(t.Context(), client.KPIRequest{ID: id, From: "-3h", By: "task"}); err != nil && got[id].Table != "decisions" {
			t.Errorf("%s over time and by task: %v", id, err)
		}
	}
	ownKPIs(t, c)
	ledger(t, c, runs, reported)
}

// ownKPIs are defined, versioned, refused and dropped.
func ownKPIs(t *testing.T, c *client.Client) {
	t.Helper()
	req := client.PutKPIRequest{
		ID: "tool_runs", Title: "Runs with tools", About: "Runs that call a tool.", Unit: "share", Direction: "none", Owner: "core",
		KPIShape: client.KPIShape{Share: &client.KPIShare{Table: "runs", Of: "tool_calls>0", Among: "status:done"}},
	}
	k, err := c.PutKPI(t.Context(), req)
	if err != nil || k.Version != 1 {
		t.Fatalf("%+v, %v", k, err)
	}
	if _, err := c.PutKPI(t.Context(), req); err == nil {
		t.Error("the same version is defined twice")
	}
	req.Version, req.Share = 1, &client.KPIShare{Table: "runs", Of: "tool_calls>1", Among: "status:done"}
	if k, err = c.PutKPI(t.Context(), req); err != nil || k.Version != 2 {
		t.Errorf("%+v, %v", k, err)
	}
	versions, err := c.ListKPIVersions(t.Context(), client.IDRequest{ID: "tool_runs"})
	if err != nil || len(versions.Items) != 2 || versions.Items[0].Version != 2 || versions.Items[0].Formula == versions.Items[1].Formula {
		t.Errorf("%+v, %v", versions, err)
	}
	bad := req
	bad.ID, bad.Version, bad.Share = "bad", 0, nil
	bad.Mean, bad.Unit = &client.KPIMean{Table: "runs", Field: "cost) from x --", Among: ""}, "usd"
	if _, err := c.PutKPI(t.Context(), bad); err == nil {
		t.Error("a field that does not exist is taken")
	}
	bad = req
	bad.ID, bad.Version = "task_completion", 0
	if _, err := c.PutKPI(t.Context(), bad); err == nil {
		t.Error("a KPI of the catalogue is redefined")
	}
	if err := c.DeleteKPI(t.Context(), client.DeleteKPIRequest{ID: "tool_runs", Reason: "over"}); err != nil {
		t.Error(err)
	}
	if _, err := c.GetKPI(t.Context(), client.KPIRequest{ID: "tool_runs"}); err == nil {
		t.Error("a dropped KPI is computed")
	}
}

// ledger checks the value of runs against their number.
func ledger(t *testing.T, c *client.Client, runs []client.Run, outcomeOf func(*client.Run) string) {
	t.Helper()
	one := func(v float64) client.Assumption { return client.Assumption{Value: v, Low: v / 2, High: v * 2} }
	if _, err := c.PutAssumptions(t.Context(), client.ValueAssumptions{
		Source: "a test", Hour: one(60), Tasks: map[string]client.TaskWorth{"": {Minutes: one(6), Money: one(0)}}, Harm: map[string]client.Assumption{"failed": one(3)},
	}); err != nil {
		t.Fatal(err)
	}
	l, err := c.GetValueLedger(t.Context(), client.KPIScope{From: "-3h"})
	if err != nil {
		t.Fatal(err)
	}
	var resolved, failed float64
	for i := range runs {
		switch outcomeOf(&runs[i]) {
		case "resolved":
			resolved++
		case "failed":
			failed++
		}
	}
	if math.Abs(*l.Value-6*resolved) > 1e-9 || math.Abs(*l.Harm-3*failed) > 1e-9 || math.Abs(*l.Net-(*l.Value-*l.Cost-*l.People-*l.Harm)) > 1e-9 || len(l.Sensitivity) != 4 {
		t.Errorf("ledger %+v of %v resolved and %v failed", l, resolved, failed)
	}
	k, err := c.GetKPI(t.Context(), client.KPIRequest{ID: "value_net", From: "-3h"})
	if err != nil || k.Value == nil || math.Abs(*k.Value-*l.Net) > 1e-9 {
		t.Errorf("the KPI is %v, the ledger %v: %v", k.Value, *l.Net, err)
	}
}

// Evidence finds its run before and after it came, by key and by session; what
// nobody speaks of is settled by the window; a person's word holds over all.
func TestOutcomesThroughTheEngine(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) {
		c.Outcomes = outcome.Config{Interactive: time.Second, Autonomous: time.Second, Asynchronous: 24 * time.Hour}
	})
	c := client.New("http://"+a.Address("listen"), "")
	say := func(req client.ReportOutcomeRequest) *client.OutcomeEvidence {
		t.Helper()
		req.Source = "orders"
		e, err := c.ReportOutcome(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := say(client.ReportOutcomeRequest{SenderID: "e1", Key: "order_id=7", Outcome: "resolved"})
	if again := say(client.ReportOutcomeRequest{SenderID: "e1", Key: "order_id=7", Outcome: "failed"}); again.ID != first.ID || again.Outcome != "resolved" {
		t.Errorf("the same event again is %+v", again)
	}
	at := time.Now().Add(-time.Minute)
	send := func(i int, attributes ...any) {
		sendSpans(t, a, spanJSON(i, 0, -1, "agent", at, at.Add(time.Second), false, append([]any{"gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "refunds", "session.id", fmt.Sprintf("s%d", i)}, attributes...)...))
	}
	send(0, "reeve.label.order_id", "7", "reeve.mode", "asynchronous")
	send(1, "reeve.outcome", "resolved", "user.id", "u1")
	send(2, "user.id", "u2")
	send(3, "reeve.mode", "asynchronous")
	send(4, "reeve.mode", "test")
	runs := map[string]client.Run{}
	wait := func(session, want string) {
		t.Helper()
		eventually(t, session+" to be "+want, func() bool {
			list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Session: session})
			if err != nil {
				t.Fatal(err)
			}
			if len(list.Items) != 1 {
				return false
			}
			runs[session] = list.Items[0]
			return list.Items[0].Outcome != nil && *list.Items[0].Outcome == want
		})
	}
	wait("s0", "verified_resolved")
	wait("s1", "implied_resolved")
	wait("s2", "contained")
	say(client.ReportOutcomeRequest{Session: "s2", Outcome: "failed"})
	wait("s2", "failed")
	o, err := c.GetRunOutcome(t.Context(), client.RunRequest{ID: runs["s2"].ID})
	if err != nil || o.Basis != "event" || len(o.Evidence) != 1 || !o.Evidence[0].Counts {
		t.Errorf("outcome of s2: %+v, %v", o, err)
	}
	if _, err = c.DecideOutcome(t.Context(), client.DecideOutcomeRequest{ID: runs["s2"].ID, Outcome: "escalated", Reason: "they called"}); err != nil {
		t.Fatal(err)
	}
	wait("s2", "escalated")
	// Of these only s0 is labelled as resolved or failed: what the agent says of itself
	// is in no figure of accuracy.
	send(5, "reeve.outcome", "failed", "user.id", "u5")
	eventually(t, "s5 to be settled", func() bool {
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{Session: "s5", Query: "outcome:failed flag:settled"})
		return err == nil && len(l.Items) == 1
	})
	if k, err := c.GetKPI(t.Context(), client.KPIRequest{ID: "answer_accuracy", From: "-3h"}); err != nil || k.Value == nil || *k.Value != 1 || k.N != 1 || k.Version != 2 {
		t.Errorf("accuracy of one labelled run: %+v, %v", k, err)
	}
	list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Query: "flag:settled"})
	if err != nil || len(list.Items) != 4 {
		t.Errorf("%d runs are settled: %v", len(list.Items), err)
	}
	evidence, err := c.ListEvidence(t.Context(), client.ListEvidenceRequest{})
	if err != nil || len(evidence.Items) != 3 {
		t.Errorf("%d pieces of evidence: %v", len(evidence.Items), err)
	}
}

var exportedName = regexp.MustCompile(`\breeve_[a-z0-9_]+`)

// Each name in deploy/ is exported, and each KPI named there is in the catalogue.
func TestDeployNames(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	someRuns(t, a, 48)
	eventually(t, "the store to have them", func() bool {
		list, err := c.ListKPIs(t.Context(), client.ListKPIsRequest{From: "-3h"})
		return err == nil && slices.ContainsFunc(list.Items, func(k client.KPI) bool { return k.ID == "runs" && k.N > 40 })
	})
	if err := a.computeKPIs(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	families, err := a.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range families {
		have[f.GetName()] = true
	}
	ids := map[string]bool{}
	for _, d := range kpi.Catalogue() {
		ids[d.ID] = true
	}
	files, err := filepath.Glob("../../deploy/*/*")
	if err != nil || len(files) < 2 {
		t.Fatalf("deploy has %d files: %v", len(files), err)
	}
	named := regexp.MustCompile(`kpi=~?\\?"([a-z0-9_|]+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := exportedName.FindAllString(string(text), -1)
		if len(names) == 0 {
			t.Errorf("%s names nothing of Reeve's", file)
		}
		for _, n := range names {
			if !have[n] {
				t.Errorf("%s names %s, which is not exported", file, n)
			}
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			for _, id := range strings.Split(m[1], "|") {
				if !ids[id] {
					t.Errorf("%s names the KPI %s, which the catalogue does not have", file, id)
				}
			}
		}
	}
}
