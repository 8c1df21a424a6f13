package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"reeve/client"
	"reeve/examples/modelserver"
)

// models is a scripted model server that counts its calls.
func models(t *testing.T, seed uint64) (s *modelserver.Server, up *httptest.Server) {
	t.Helper()
	s = modelserver.New(modelserver.Options{Seed: seed})
	up = httptest.NewServer(s)
	t.Cleanup(up.Close)
	return s, up
}

// asksItsModel is an agent that puts what it is asked to its model through the door, and says
// what that answers. before may hold it up.
func asksItsModel(t *testing.T, door func() string, before func(ctx context.Context)) *httptest.Server {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Message, Token string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if before != nil {
			before(r.Context())
		}
		got := post(r.Context(), door()+"/llm/openai/v1/chat/completions", "application/json", []byte(`{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"`+in.Message+`"}]}`), "Authorization", "Bearer "+in.Token)
		var said struct {
			Choices []struct{ Message struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(got.body), &said); got.status != http.StatusOK || err != nil || len(said.Choices) != 1 {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "its model does not answer")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"reply": said.Choices[0].Message.Content})
	}))
	t.Cleanup(up.Close)
	return up
}

// drillHouse registers an agent with its cases, and two upstreams of which one stands in for
// the other.
func drillHouse(t *testing.T, c *client.Client, primary, spare, agent string, n int) {
	t.Helper()
	put := func(name, url string, fallback ...string) {
		t.Helper()
		in := client.PutUpstreamRequest{Name: name, Kind: "llm", Dialect: "openai", URL: url, Team: "core", Environment: "production", Shared: true, AllowPrivate: true, Fallback: fallback, Credential: &client.Credential{Kind: "bearer", Source: "value", Value: "provider-secret"}}
		if have, err := c.GetUpstream(t.Context(), client.UpstreamRequest{Name: name}); err == nil {
			in.Revision = have.Revision
		}
		if _, err := c.PutUpstream(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	put("spare", spare)
	put("openai", primary, "spare")
	if _, err := c.PutInvokeTarget(t.Context(), client.PutInvokeTargetRequest{Name: "refund", Kind: "http", URL: agent, AllowPrivate: true, Body: `{"message":"{{input}}","token":"{{token}}"}`, Answer: "/reply"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutDataset(t.Context(), client.PutDatasetRequest{Name: "golden", Team: "core", Environment: "production"}); err != nil {
		t.Fatal(err)
	}
	for range n {
		if _, err := c.AddDatasetItem(t.Context(), client.AddDatasetItemRequest{Name: "golden", Input: []client.ChatMessage{{Role: "user", Content: "May I send it back?"}}, Contains: []string{"understood"}}); err != nil {
			t.Fatal(err)
		}
	}
}

// drilled waits for the end of a drill's newest experiment.
func drilled(t *testing.T, c *client.Client, name string) *client.Drill {
	t.Helper()
	var d *client.Drill
	eventually(t, "the drill's end", func() bool {
		var err error
		d, err = c.GetDrill(t.Context(), client.NameRequest{Name: name})
		return err == nil && d.Running == "" && len(d.History) > 0 && d.History[0].State != "waiting" && d.History[0].State != "running"
	})
	return d
}

// TestDrillThroughTheDoor: an upstream that is well is taken as down in a drill's tests
// alone, what stands in answers, and the two are compared; a fallback that is dead, or none,
// is an alert; nothing of it is in a figure, and live calls go where they always do.
func TestDrillThroughTheDoor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "refund")
	c := client.New("http://"+a.Address("listen"), "")
	primary, up1 := models(t, 1)
	spare, up2 := models(t, 2)
	agent := asksItsModel(t, a.Door, nil)
	const cases = 19 // 18 are the least that can pass
	drillHouse(t, c, up1.URL, up2.URL, agent.URL, cases)
	put := func(change func(*client.PutDrillRequest)) (*client.Drill, error) {
		in := client.PutDrillRequest{Name: "openai-down", Agent: "refund", Upstream: "openai", Dataset: "golden", Every: "24h"}
		if change != nil {
			change(&in)
		}
		return c.PutDrill(t.Context(), in)
	}
	for code, change := range map[string]func(*client.PutDrillRequest){
		"experiment.no_fallback": func(in *client.PutDrillRequest) { in.Upstream = "spare" },
		"experiment.no_upstream": func(in *client.PutDrillRequest) { in.Upstream = "gone" },
		"dataset.not_found":      func(in *client.PutDrillRequest) { in.Dataset = "gone" },
		"experiment.invalid":     func(in *client.PutDrillRequest) { in.Every = "-24h" },
		"experiment.not_found":   func(in *client.PutDrillRequest) { in.Agent = "gone" },
	} {
		if _, err := put(change); apiCode(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
	if _, err := put(nil); err != nil {
		t.Fatal(err)
	}
	d := drilled(t, c, "openai-down") // by itself: it is due at once
	came := d.Result.Came
	if came.Verdict != "passed" || came.Answered.N != cases || *came.Answered.Value != 1 || came.Compared != cases || *came.Quality.Value != 0 || !slices.Equal(came.Served, []string{"spare"}) || came.TookNow == nil || came.CostNow == nil || *came.CostNow <= 0 || d.Failing || d.NextAt == nil || d.By == "" {
		t.Fatalf("%+v: %+v", d, came)
	}
	if primary.Calls() != cases || spare.Calls() != cases {
		t.Errorf("%d calls of the upstream that was taken as down, %d of its fallback; want %d each", primary.Calls(), spare.Calls(), cases)
	}
	x, err := c.GetExperiment(t.Context(), client.GetExperimentRequest{ID: d.Result.Experiment})
	if err != nil || len(x.Results) != 2*cases || x.Plan != "openai-down" || x.Says == "" {
		t.Fatalf("%+v, %v", x, err)
	}
	without := x.Results[slices.IndexFunc(x.Results, func(r client.ExperimentResult) bool { return r.Group == "b" })]
	eventually(t, "its run, as a test", func() bool {
		r, err := c.GetRun(t.Context(), client.RunRequest{ID: without.RunID})
		return err == nil && r.Mode == "test"
	})
	eventually(t, "its decision", func() bool {
		l, err := c.ListDecisions(t.Context(), client.ListDecisionsRequest{Run: without.RunID})
		return err == nil && len(l.Items) == 1 && l.Items[0].Upstream == "spare" && slices.ContainsFunc(l.Items[0].Reasons, func(r client.Reason) bool { return r.Code == "upstream.drill" })
	})
	if l, err := c.ListRuns(t.Context(), client.ListRunsRequest{Agent: "refund", Query: "-mode:test"}); err != nil || len(l.Items) != 0 {
		t.Errorf("work that was no test: %+v, %v", l, err)
	}
	// A live call meets the upstream itself, also while a drill is underway.
	key, err := c.CreateAgentKey(t.Context(), client.CreateAgentKeyRequest{Name: "refund", Label: "live"})
	if err != nil {
		t.Fatal(err)
	}
	live := func() {
		t.Helper()
		if got := post(t.Context(), a.Door()+"/llm/openai/v1/chat/completions", "application/json", []byte(`{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}`), "Authorization", "Bearer "+key.Key, "X-Reeve-Run", "live"); got.status != 200 {
			t.Fatalf("%+v", got)
		}
	}
	before, there := primary.Calls(), spare.Calls()
	live()
	if primary.Calls() != before+1 || spare.Calls() != there {
		t.Error("a live call went to the fallback")
	}
	// The fallback is dead: the drill fails, and somebody hears of it.
	up2.Close()
	if d, err = c.RunDrill(t.Context(), client.NameRequest{Name: "openai-down"}); err != nil || d.Running == "" {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := c.RunDrill(t.Context(), client.NameRequest{Name: "openai-down"}); apiCode(err) != "experiment.running" && apiCode(err) != "" {
		t.Errorf("a second one at once: %v", err)
	}
	d = drilled(t, c, "openai-down")
	if came = d.Result.Came; came.Verdict != "failed" || came.Answered.N != cases || *came.Answered.Value != 0 || came.Compared != 0 || len(came.Lost) == 0 || !d.Failing {
		t.Fatalf("%+v: %+v", d, came)
	}
	alert := func(state string) func() bool {
		return func() bool {
			l, err := c.ListAlerts(t.Context(), client.ListAlertsRequest{})
			return err == nil && slices.ContainsFunc(l.Items, func(x client.Alert) bool {
				return x.State == state && x.Labels["signal"] == "drill" && x.Labels["drill"] == "openai-down"
			})
		}
	}
	eventually(t, "its alert", alert("firing"))
	// It is well again, and so is the alert.
	_, up3 := models(t, 3)
	drillSpare(t, c, up3.URL)
	if _, err := c.RunDrill(t.Context(), client.NameRequest{Name: "openai-down"}); err != nil {
		t.Fatal(err)
	}
	if d = drilled(t, c, "openai-down"); d.Result.Came.Verdict != "passed" || d.Failing || len(d.History) < 3 {
		t.Errorf("%+v: %+v", d, d.Result.Came)
	}
	eventually(t, "its alert's end", alert("resolved"))
	// Recorded runs, put again both ways.
	if _, err := c.PutEvaluator(t.Context(), client.PutEvaluatorRequest{Name: "understands", Kind: "rule", Agents: []string{"refund"}, When: `answer.contains("nderstood")`}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the recorded run", func() bool {
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{Agent: "refund", Query: "status:done -mode:test"})
		if err != nil || len(l.Items) != 1 {
			return false
		}
		again, err := c.ReplayRun(t.Context(), client.ReplayRunRequest{ID: l.Items[0].ID})
		return err == nil && again.Was != ""
	})
	before = primary.Calls()
	if _, err := c.PutDrill(t.Context(), client.PutDrillRequest{Name: "recorded", Agent: "refund", Upstream: "openai", Runs: 5, Evaluators: []string{"understands"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RunDrill(t.Context(), client.NameRequest{Name: "recorded"}); err != nil {
		t.Fatal(err)
	}
	if d = drilled(t, c, "recorded"); d.Result == nil || d.Result.Came.Verdict != "unsure" || d.Result.Came.Compared != 1 || *d.Result.Came.Answered.Value != 1 || primary.Calls() != before+1 || d.NextAt != nil {
		t.Errorf("%+v: %+v, %d calls", d, d.Result, primary.Calls()-before)
	}
	if err := c.DeleteDrill(t.Context(), client.NameRequest{Name: "recorded"}); err != nil {
		t.Error(err)
	}
	if l, err := c.ListDrills(t.Context(), client.ListDrillsRequest{}); err != nil || len(l.Items) != 1 {
		t.Errorf("%+v, %v", l, err)
	}
}

// drillSpare gives the fallback another address.
func drillSpare(t *testing.T, c *client.Client, url string) {
	t.Helper()
	have, err := c.GetUpstream(t.Context(), client.UpstreamRequest{Name: "spare"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutUpstream(t.Context(), client.PutUpstreamRequest{Name: "spare", Kind: "llm", Dialect: "openai", URL: url, Team: "core", Environment: "production", Shared: true, AllowPrivate: true, Revision: have.Revision, Credential: &client.Credential{Kind: "bearer", Source: "value", Value: "provider-secret"}}); err != nil {
		t.Fatal(err)
	}
}

// TestADrillOutlivesTheProcess: a server that is killed in the middle of a drill tries it
// again when it is back, and nothing of the half counts.
func TestADrillOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startChild(t, childOptions{Dir: dir})
	primary, up1 := models(t, 1)
	spare, up2 := models(t, 2)
	var door atomic.Value
	door.Store("http://" + first.Gateway)
	var asked atomic.Int32
	reached, killed := make(chan struct{}), make(chan struct{})
	agent := asksItsModel(t, func() string { return door.Load().(string) }, func(ctx context.Context) {
		if asked.Add(1) != 6 {
			return
		}
		close(reached)
		select {
		case <-killed:
		case <-ctx.Done():
		}
	})
	if _, err := first.api.CreateAgent(t.Context(), client.CreateAgentRequest{Name: "refund", Team: "core", Environment: "production", Purpose: "tests drills", Owner: "dev", Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	drillHouse(t, first.api, up1.URL, up2.URL, agent.URL, 5)
	if _, err := first.api.PutDrill(t.Context(), client.PutDrillRequest{Name: "openai-down", Agent: "refund", Upstream: "openai", Dataset: "golden", Every: "24h"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Fatal("the drill did not begin")
	}
	_ = first.end(t, syscall.SIGKILL)
	close(killed)
	if n := primary.Calls() + spare.Calls(); n != 5 {
		t.Errorf("%d calls before it was killed, want 5", n)
	}
	again := startChild(t, childOptions{Dir: dir})
	door.Store("http://" + again.Gateway)
	d := drilled(t, again.api, "openai-down")
	eventually(t, "the second try", func() bool {
		d = drilled(t, again.api, "openai-down")
		return d.History[0].State == "done"
	})
	if len(d.History) != 2 || d.History[1].State != "failed" || !strings.Contains(d.History[1].Why, "Reeve ended") || d.Result.Came.Cases != 5 || *d.Result.Came.Answered.Value != 1 || d.Failing || d.Trouble != "" {
		t.Errorf("%+v: %+v", d, d.Result)
	}
	if primary.Calls()+spare.Calls() != 15 {
		t.Errorf("%d calls of the one, %d of the other", primary.Calls(), spare.Calls())
	}
}
