package api

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "query-child" {
		os.Exit(duck.ChildMain(nil, os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// fill stores n runs of some agents: every tenth fails, every second says its
// outcome, some have no cost; a second period before has no failures.
func fill(t testing.TB, n int) *duck.Store {
	t.Helper()
	s, err := duck.Open(duck.Options{Dir: t.TempDir(), Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	w := &telemetry.Write{Received: testNow.UnixNano(), Cursor: 1}
	for period := range 2 {
		for i := range n {
			start := testNow.Add(-time.Duration(period)*24*time.Hour - time.Duration(i+1)*(23*time.Hour)/time.Duration(n)).UnixNano()
			r := activity.Run{
				ID: activity.RunOfKey(fmt.Sprint(period, i)), Revision: 1, Agent: fmt.Sprint("agent-", i%4), Team: teams[i%2], Environment: "production",
				Name: "task", Status: activity.RunDone, Start: start, End: start + int64(100+i%50)*1e6, Received: start, Updated: start, Steps: 2, ModelCalls: 1, ToolCalls: 1,
				Session: fmt.Sprint("s", i%10), Usage: activity.Usage{InputTotal: 100, CacheRead: -1, CacheWrite: -1, OutputTotal: 10, Reasoning: -1},
				Cost: activity.Cost{Nanos: 1e6, Currency: "USD", Basis: activity.CostBook}, Tools: []string{"look"}, Models: []string{"m"},
			}
			failed := period == 0 && i%10 == 0
			if failed {
				r.RootError, r.Errors, r.ErrorType = true, 1, "Timeout"
			}
			if i%2 == 0 {
				r.Outcome = "resolved"
				if failed {
					r.Outcome = "failed"
				}
			}
			if i%5 == 1 {
				r.Cost, r.UnknownCostCalls = activity.Cost{}, 1
			}
			step := func(k byte, kind activity.Kind, status activity.Status) activity.Step {
				return activity.Step{Fragment: activity.Fragment{
					Run: r.ID, Step: activity.StepOfKey(fmt.Sprint(period, i, k)), Kind: kind, Status: status, Start: start, End: r.End, Name: kind.String(),
					Agent: r.Agent, Environment: r.Environment, TTFT: -1, Usage: activity.NoUsage,
				}, Revision: 1, Received: start, Team: r.Team}
			}
			model, tool := step(1, activity.KindModel, activity.StatusOK), step(2, activity.KindTool, activity.StatusOK)
			model.Model, model.Call, model.Counted = "m", true, true
			tool.ToolName = "look"
			if period == 0 && i%3 == 0 {
				tool.Status, tool.ErrorType, tool.StatusMessage = activity.StatusError, "Timeout", "order not found"
			}
			w.Steps, w.Runs = append(w.Steps, model, tool), append(w.Runs, r)
			w.Rollups = append(w.Rollups, telemetry.RollupDelta{
				Minute: start / 60e9, Family: telemetry.FamilyAgent, Agent: r.Agent, Team: r.Team, Environment: r.Environment, Runs: 1, Count: 2,
			})
			errors := int64(0)
			if tool.Status == activity.StatusError {
				errors = 1
			}
			w.Rollups = append(w.Rollups, telemetry.RollupDelta{
				Minute: start / 60e9, Family: telemetry.FamilyTool, Key: tool.ToolName, Agent: r.Agent, Team: r.Team, Environment: r.Environment, Count: 1, Errors: errors,
			})
		}
	}
	if err := s.Append(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkRunsList(b *testing.B) {
	a := newTestAPI(b, func(o *Options) { o.Store = fill(b, 5000) })
	b.ReportAllocs()
	for b.Loop() {
		if got := send(a, "GET", Prefix+"/runs?limit=50", "as viewer", ""); got.status != 200 {
			b.Fatalf("%d %s", got.status, got.body)
		}
	}
}

func BenchmarkOverview(b *testing.B) {
	a := newTestAPI(b, func(o *Options) { o.Store = fill(b, 5000) })
	for b.Loop() {
		if got := send(a, "GET", Prefix+"/overview", "as viewer", ""); got.status != 200 {
			b.Fatalf("%d %s", got.status, got.body)
		}
	}
}

// BenchmarkSteps50k is the budget of a run's page: 50,000 light steps in under
// 300 ms of server time, compressed as a browser asks for it.
func BenchmarkSteps50k(b *testing.B) {
	store := &memStore{runs: []activity.Run{testRun(0, nil)}, steps: map[activity.RunID][]activity.Step{}}
	for n := range 50_000 {
		store.steps[runID(0)] = append(store.steps[runID(0)], activity.Step{
			Fragment: activity.Fragment{
				Run: runID(0), Step: activity.StepOfKey(fmt.Sprint(n)), Parent: activity.StepOfKey(fmt.Sprint(n / 8)), Kind: activity.KindModel, Name: "chat gpt-4o-mini",
				Status: activity.StatusOK, Source: activity.SourceSDK, Start: testNow.UnixNano() + int64(n)*1e6, End: testNow.UnixNano() + int64(n)*1e6 + 12345678,
				Agent: "refund-agent", Provider: "openai", Model: "gpt-4o-mini", FinishReason: "stop", TTFT: 5e6,
				Usage: activity.Usage{InputTotal: 1000 + int64(n), CacheRead: 12, CacheWrite: -1, OutputTotal: 99, Reasoning: -1},
			}, Cost: activity.Cost{Nanos: 123456, Currency: "USD", Basis: activity.CostBook}, Counted: true,
			Refs: []activity.ContentRef{{Field: activity.ContentInput, Messages: "0-31"}, {Field: activity.ContentOutput, Messages: "32"}},
		})
	}
	a := newTestAPI(b, func(o *Options) { o.Store = store })
	for _, accept := range []string{"", "gzip"} {
		b.Run("encoding="+accept, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				got := send(a, "GET", Prefix+"/runs/"+runID(0).String()+"/steps?limit=50000", "as viewer", "", "Accept-Encoding", accept)
				if size = len(got.body); got.status != 200 {
					b.Fatalf("%d %s", got.status, got.body)
				}
			}
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

func TestRealStore(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, func(o *Options) { o.Store = fill(t, 100) })

	page := get[client.List[client.Run]](t, a, "/runs?q=any(kind:tool+status:error)+-outcome:failed&from=-24h&limit=7", "as viewer")
	if len(page.Items) != 7 || page.Next == "" {
		t.Errorf("runs with a failing tool: %d, next %q; want 7 and more", len(page.Items), page.Next)
	}
	steps := get[client.List[client.Step]](t, a, "/runs/"+page.Items[0].ID+"/steps", "as viewer")
	if len(steps.Items) != 2 || steps.Items[1].Error == nil && steps.Items[0].Error == nil {
		t.Errorf("its steps are %+v, want two, one with an error", steps.Items)
	}
	sessions := get[client.List[client.Session]](t, a, "/sessions?from=-24h&limit=4", "as viewer")
	if len(sessions.Items) != 4 || sessions.Items[0].Runs != 10 {
		t.Errorf("sessions are %+v, want 4 of 10 runs", sessions.Items)
	}
	got := send(a, "POST", Prefix+"/query", "as viewer@core/*", `{"from":"runs","select":[{"func":"count","as":"n"},{"func":"p95","field":"duration_ms"}],"group_by":["team"],"bucket":"1h","start":"-24h"}`)
	if got.status != 200 {
		t.Fatalf("query: %d %s", got.status, got.body)
	}
	q := get[client.SearchFields](t, a, "/search/fields?scope=run", "as viewer@shop/*")
	for _, f := range q.Items {
		if f.Name == "agent" && len(f.Values) != 2 {
			t.Errorf("agents offered to shop: %v, want its two", f.Values)
		}
	}

	o := get[client.Overview](t, a, "/overview", "as viewer")
	figures := map[string]client.Figure{}
	for _, f := range o.Figures {
		figures[f.ID] = f
	}
	for id, want := range map[string]float64{"runs": 100, "resolved": 0.8, "ended_ok": 0.9, "cost": 0.08, "cost_per_run": 0.001, "tokens": 11000} {
		f := figures[id]
		if f.Value == nil || *f.Value < want*0.999 || *f.Value > want*1.001 {
			t.Errorf("figure %s is %+v, want %v", id, f, want)
		}
	}
	if f := figures["resolved"]; f.N != 50 || f.Unknown != 50 || f.Low == nil || *f.Low > 0.8 || *f.High < 0.8 || f.Previous == nil || *f.Previous != 1 {
		t.Errorf("resolved is %+v, want 40 of 50 with an interval, 50 unknown, all before", f)
	}
	if f, ok := figures["satisfaction"]; !ok || f.Value != nil {
		t.Errorf("satisfaction is %+v, want unknown: nobody said a word", f)
	}
	sum := sumPoints(o.Outcomes.Points)
	if sum.Total != 100 || sum.Unknown != 50 || sum.Resolved != 40 || sum.Failed != 10 {
		t.Errorf("outcomes sum to %+v, want 40 resolved, 10 failed, 50 unknown", sum)
	}
	if len(o.Fleet) != 2 || len(o.Fleet[0].Agents) != 2 || o.Fleet[0].Agents[0].Failed == 0 || o.Fleet[0].Agents[0].Reason == "" {
		t.Errorf("fleet is %+v, want two teams, the failing one first with a reason", o.Fleet)
	}
	if len(o.Outside) != 1 || o.Outside[0].Name != "look" || !o.Outside[0].Worse || o.Outside[0].N != 100 {
		t.Errorf("outside is %+v, want the tool look", o.Outside)
	}
	if len(o.NeedsPerson.Items) != 0 || !slices.Equal(o.NeedsPerson.Sources, []string{"second people"}) || o.Seen.State == "never" {
		t.Errorf("needs %+v, seen %+v", o.NeedsPerson, o.Seen)
	}
	t.Log(o.Text)
	part := get[client.Overview](t, a, "/overview?team=core", "as viewer@shop/*")
	if len(part.Fleet) != 0 || part.Figures[0].N != 0 {
		t.Errorf("another team's overview is %+v", part.Fleet)
	}
}
