package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// memDecisions answers from memory.
type memDecisions []activity.Decision

func (m memDecisions) List(_ context.Context, q telemetry.DecisionsQuery) (p telemetry.DecisionsPage, err error) {
	for _, d := range m {
		ok, err := search.MatchDecision(q.Filter, testNow, &d)
		if err != nil {
			return p, err
		}
		if ok && (q.Teams == nil || slices.Contains(q.Teams, d.Team)) && (q.Run.IsZero() || q.Run == d.Run) && (q.After.ID == "" || d.At < q.After.At) {
			p.Decisions = append(p.Decisions, d)
		}
	}
	slices.SortFunc(p.Decisions, func(a, b activity.Decision) int { return cmp.Compare(b.At, a.At) })
	if len(p.Decisions) > q.Limit {
		p.Decisions, p.More = p.Decisions[:q.Limit], true
	}
	return p, nil
}

func (m memDecisions) Get(_ context.Context, id string) (*activity.Decision, error) {
	for _, d := range m {
		if d.ID == id {
			return &d, nil
		}
	}
	return nil, fault.New(fault.KindNotFound, "decision.unknown", "none")
}

func (m memDecisions) Content(_ context.Context, d *activity.Decision) error {
	d.ArgumentsHash, d.Context = "digest", []byte(`{"principal":"x"}`)
	return nil
}

func (m memDecisions) UserName(context.Context, string) (string, error) {
	return "ada@example.com", nil
}

func (m memDecisions) Pseudonyms(_ context.Context, name string) ([]string, error) {
	if name == "ada@example.com" {
		return []string{"usr_1"}, nil
	}
	return nil, nil
}

func someDecisions() memDecisions {
	var out memDecisions
	for i := range 10 {
		d := activity.Decision{
			ID: fmt.Sprintf("dec_%026d", i), At: testNow.UnixNano() + int64(i), Completed: activity.Unknown, Agent: fmt.Sprint("agent-", i%2), Team: "core",
			Environment: "production", Action: "call_tool", Tool: "refund", User: "usr_1", Run: activity.RunOfKey(fmt.Sprint(i % 3)),
			LatencyUS: activity.Unknown, UpstreamUS: activity.Unknown, DecideUS: activity.Unknown, Usage: activity.NoUsage, EndSeq: activity.Unknown, Seq: int64(i),
		}
		if i%5 == 0 {
			d.Team, d.Verdict, d.Would, d.Enforced = "other", activity.VerdictDeny, activity.VerdictDeny, true
			d.Reasons = []activity.Reason{{Code: "policy.forbid", Text: "no"}}
		}
		out = append(out, d)
	}
	return out
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, func(o *Options) { o.Decisions = someDecisions() })
	list := func(query, caller string) client.List[client.Decision] {
		t.Helper()
		return get[client.List[client.Decision]](t, a, "/decisions?"+query, caller)
	}
	for query, want := range map[string]int{
		"": 10, "agent=agent-1": 5, "verdict=deny": 2, "would=deny&enforced=true": 2, "enforced=false": 8, "code=policy.forbid": 2, "tool=refund,other": 10,
		"tool=unknown": 0, "user=usr_1": 10, "user=ada@example.com": 10, "user=bob": 0, "team=other": 2, "q=" + url.QueryEscape("agent:agent-0 verdict:deny"): 1,
		"run=" + activity.RunOfKey("1").String(): 3,
	} {
		if got := list(query, "as reader"); len(got.Items) != want {
			t.Errorf("%s: %d decisions, want %d", query, len(got.Items), want)
		}
	}
	if got := list("", "as viewer@core/production"); len(got.Items) != 8 {
		t.Errorf("one team's viewer sees %d", len(got.Items))
	}
	var ids []string
	for next := ""; ; {
		page := list("limit=3&cursor="+next, "as viewer")
		for _, d := range page.Items {
			ids = append(ids, d.ID)
			if d.Context != nil || d.ArgumentsHash != "" || d.UserName != "" || d.LatencyUS != nil || d.EndSeq != nil || d.Seq == nil {
				t.Errorf("in a list: %+v", d)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(ids) != 10 || !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("in pages: %q", ids)
	}
	if got := get[client.List[client.Decision]](t, a, "/runs/"+activity.RunOfKey("2").String()+"/decisions", "as viewer"); len(got.Items) != 3 {
		t.Errorf("of a run: %d", len(got.Items))
	}
	if got := send(a, http.MethodGet, Prefix+"/decisions/"+ids[4], "as viewer@core/production", ""); got.status != http.StatusNotFound {
		t.Errorf("another team's decision: %d", got.status)
	}
	id := ids[3]
	if d := get[client.Decision](t, a, "/decisions/"+id, "as viewer"); d.Context != nil || d.ArgumentsHash != "" || d.UserName != "" {
		t.Errorf("a viewer sees content: %+v", d)
	}
	if d := get[client.Decision](t, a, "/decisions/"+id, "as reader"); string(d.Context) != `{"principal":"x"}` || d.ArgumentsHash != "digest" || d.UserName != "ada@example.com" {
		t.Errorf("a reader sees %+v", d)
	}
}

func TestDecisionsRefuse(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, func(o *Options) { o.Decisions = someDecisions() })
	for _, c := range []struct {
		path, caller string
		status       int
		code         string
	}{
		{"/decisions?cursor=%21", "as viewer", 400, "api.cursor"},
		{"/decisions?cursor=e30", "as viewer", 400, "api.cursor"},
		{"/decisions?enforced=perhaps", "as viewer", 400, "api.parameter_invalid"},
		{"/decisions?run=x", "as viewer", 400, "api.parameter_invalid"},
		{"/decisions?from=yesterdayish", "as viewer", 400, "api.parameter_invalid"},
		{"/decisions?q=nothing:1", "as viewer", 400, "search.syntax"},
		{"/decisions?user=ada@example.com", "as viewer", 403, "api.user_names"},
		{"/decisions/dec_x", "as viewer", 404, "decision.unknown"},
		{"/runs/x/decisions", "as viewer", 404, "api.run_not_found"},
		{"/decisions", "", 401, "api.credentials_missing"},
	} {
		got := send(a, http.MethodGet, Prefix+c.path, c.caller, "")
		if p := got.problem(t); got.status != c.status || p.Code != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.path, got.status, p.Code, c.status, c.code)
		}
	}
	without := newTestAPI(t, nil)
	if got := send(without, http.MethodGet, Prefix+"/decisions", "as viewer", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("without a log: %d", got.status)
	}
}
