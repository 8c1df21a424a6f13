package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/provenance/judged"
)

// A person names the step of a failed run; it stands with the suspects, moves the order
// of the team's runs, and is taken back.
func TestJudgeSuspects(t *testing.T) {
	t.Parallel()
	store := &memStore{steps: map[activity.RunID][]activity.Step{}, messages: map[activity.RunID][]activity.Message{}}
	for n := range 25 {
		id := runID(n)
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) { r.Outcome = "failed" }))
		for k := range 5 {
			step := activity.Step{Fragment: activity.Fragment{Step: activity.StepID{byte(n + 1), byte(k + 1)}, Kind: activity.KindModel, Name: fmt.Sprint("chat", k), Start: int64(k), End: activity.Unknown, TTFT: activity.Unknown, Usage: activity.NoUsage}}
			store.steps[id] = append(store.steps[id], step)
			store.messages[id] = append(store.messages[id], activity.Message{Ordinal: int32(k), Step: step.Step, Field: activity.ContentOutput, Role: "assistant", Format: "text", Raw: []byte(strings.Repeat("all is well here ", k+3))})
		}
		tool := activity.Step{Fragment: activity.Fragment{Step: activity.StepID{byte(n + 1), 99}, Kind: activity.KindHuman, Name: "asked", Start: 9, End: activity.Unknown, TTFT: activity.Unknown, Usage: activity.NoUsage}}
		store.steps[id] = append(store.steps[id], tool)
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	book, err := judged.New(judged.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Judged = book
	path := func(n int) string { return Prefix + "/runs/" + runID(n).String() + "/suspects" }
	judge := func(n int, step, who string) answer {
		return send(a, "POST", path(n)+"/judge", who, fmt.Sprintf(`{"step_id": %q, "reason": "it made that up"}`, step))
	}
	stepOf := func(n, k int) string { return store.steps[runID(n)][k].Step.String() }
	before := get[client.Suspects](t, a, strings.TrimPrefix(path(24), Prefix), "as reader+responder")
	if before.Verdict != nil || before.Learned != nil || before.Items[0].Name == "chat3" {
		t.Fatalf("%+v", before)
	}
	for n := range 24 {
		out := decode[client.Suspects](t, judge(n, stepOf(n, 3), "as reader+responder"), http.StatusOK)
		if out.Verdict == nil || out.Verdict.StepID != stepOf(n, 3) || out.Verdict.StepName != "chat3" || out.Learned == nil || out.Learned.Verdicts != n+1 {
			t.Fatalf("%+v", out)
		}
	}
	after := get[client.Suspects](t, a, strings.TrimPrefix(path(24), Prefix), "as reader+responder")
	p := func(x client.Suspects) float64 {
		for _, s := range x.Items {
			if s.Name == "chat3" {
				return s.P
			}
		}
		return 0
	}
	if p(after) < 1.5*p(before) || len(after.Learned.Changes) == 0 {
		t.Errorf("%.2f before, %.2f after: %+v", p(before), p(after), after.Learned)
	}
	all := get[client.SuspectVerdicts](t, a, "/suspect-verdicts", "as reader+responder")
	if len(all.Items) != 24 || len(all.Teams) != 1 || all.Teams[0].Verdicts != 24 {
		t.Errorf("%+v", all)
	}
	if other := get[client.SuspectVerdicts](t, a, "/suspect-verdicts?team=shop", "as reader+responder"); len(other.Items)+len(other.Teams) != 0 {
		t.Errorf("%+v", other)
	}
	for _, c := range []struct {
		got  answer
		code string
	}{
		{judge(0, "stp_nothing", "as reader+responder"), "judged.step"},
		{judge(0, stepOf(0, 5), "as reader+responder"), "judged.not_guilty"},
		{judge(24, "", "as reader+responder"), "judged.not_found"},
		{judge(0, stepOf(0, 3), "as viewer"), "api."},
		{send(a, "POST", path(0)+"/judge", "as reader+responder", fmt.Sprintf(`{"step_id": %q, "reason": %q}`, stepOf(0, 3), strings.Repeat("x", 2000))), "judged.reason"},
	} {
		if c.got.status < 400 || !strings.Contains(string(c.got.body), c.code) {
			t.Errorf("%s: %d %s", c.code, c.got.status, c.got.body)
		}
	}
	for n := range 24 {
		if got := judge(n, "", "as reader+responder"); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if back := get[client.Suspects](t, a, strings.TrimPrefix(path(24), Prefix), "as reader+responder"); p(back) != p(before) || back.Learned != nil {
		t.Errorf("taken back: %.3f, before %.3f", p(back), p(before))
	}
	store.runs[0].Outcome, store.runs[0].RootError = "resolved", false
	if got := judge(0, stepOf(0, 3), "as reader+responder"); got.status != http.StatusConflict {
		t.Errorf("a run that went well: %d %s", got.status, got.body)
	}
}

// Unjudged runs are ranked by what the judged ones show, with how far to believe it;
// with too few judged ones nothing is said.
func TestProbablyFailed(t *testing.T) {
	t.Parallel()
	store := &memStore{steps: map[activity.RunID][]activity.Step{}, messages: map[activity.RunID][]activity.Message{}}
	bad := map[string]bool{}
	for n := range 120 {
		id := runID(n)
		failed := n%3 == 0
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) {
			r.Outcome, r.RootError, r.Errors = "", false, 0
			if n < 80 {
				r.Flags |= activity.FlagLabelled
				r.Outcome = map[bool]string{true: "failed", false: "verified_resolved"}[failed]
			} else {
				bad[id.String()] = failed
			}
		}))
		for k := range 4 + n%4 {
			step := activity.Step{Fragment: activity.Fragment{Step: activity.StepID{byte(n + 1), byte(k + 1)}, Kind: activity.KindTool, Name: "look", ToolName: "look", Start: int64(k), End: activity.Unknown, TTFT: activity.Unknown, Usage: activity.NoUsage}}
			args := fmt.Sprintf(`{"page": "p%d"}`, k)
			if failed && n%9 != 0 { // it asks for the same again and again
				args = `{"page": "p1"}`
			}
			store.steps[id] = append(store.steps[id], step)
			store.messages[id] = append(store.messages[id], activity.Message{Ordinal: int32(k), Step: step.Step, Field: activity.ContentArguments, Format: "text", Raw: []byte(args), Size: int32(len(args))})
		}
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	ask := func(q string) client.ProbablyFailed {
		return get[client.ProbablyFailed](t, a, "/probably-failed?from=-365d&"+q, "as reader")
	}
	out := ask("agent=a")
	if !out.Learned || out.Judged != 80 || out.Failed != 27 || out.Unjudged != 40 || len(out.Items) != 40 || out.AUROC == nil || *out.AUROC < .75 || len(out.Bins) == 0 {
		t.Fatalf("%+v", out)
	}
	right := 0
	for _, x := range out.Items[:8] {
		if bad[x.RunID] {
			right++
		}
	}
	if right < 7 || len(out.Items[0].Parts) == 0 || out.Items[0].P <= out.Items[39].P {
		t.Errorf("%d of the first eight had failed: %+v", right, out.Items[:8])
	}
	if again := ask("agent=a&limit=3"); len(again.Items) != 3 || again.Items[0].RunID != out.Items[0].RunID {
		t.Errorf("asked again: %+v", again.Items)
	}
	for i := range store.runs {
		if i >= 12 {
			store.runs[i].Flags &^= activity.FlagLabelled
		}
	}
	if few := ask("agent=a"); few.Learned || len(few.Items) != 0 || !strings.Contains(few.Text, "not enough judged runs: 4 failed and 8 did not, and 5 of each are needed") {
		t.Errorf("%+v", few)
	}
	if none := ask("agent=nobody"); none.Learned || none.Judged != 0 {
		t.Errorf("%+v", none)
	}
	if got := send(a, "GET", Prefix+"/probably-failed", "as reader", ""); got.status != http.StatusBadRequest {
		t.Errorf("without an agent: %d %s", got.status, got.body)
	}
	if got := send(a, "GET", Prefix+"/probably-failed?agent=a", "as viewer", ""); got.status != http.StatusForbidden {
		t.Errorf("a viewer: %d %s", got.status, got.body)
	}
}
