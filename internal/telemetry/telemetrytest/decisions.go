package telemetrytest

import (
	"cmp"
	"context"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

var enc32 = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Decisions makes n decisions, a second apart from g.Start on.
func (g *Generator) Decisions(n int) []activity.Decision {
	out := make([]activity.Decision, n)
	for i := range out {
		at := g.Start.UnixNano() + int64(i)*1e9
		var key [16]byte
		binary.BigEndian.PutUint64(key[:], uint64(at))
		binary.BigEndian.PutUint64(key[8:], g.r.Uint64())
		agent := fmt.Sprintf("agent-%02d", g.r.IntN(8))
		d := &out[i]
		*d = activity.Decision{
			ID: "dec_" + enc32.EncodeToString(key[:]), At: at, Completed: at + g.r.Int64N(1e9), Node: "node-1", Seq: int64(2 * i), EndSeq: int64(2*i + 1),
			Agent: agent, Registered: g.r.IntN(4) > 0, Team: "team-" + string('a'+agent[len(agent)-1]%3), Environment: "production",
			Lifecycle: "pilot", Autonomy: "bounded", Containment: "none", Credential: "agent_key", CredentialID: fmt.Sprint("key-", g.r.IntN(3)),
			Instance: "i-1", Version: "v1", Bound: true, Chain: []string{"a", "b"}, User: fmt.Sprint("usr_", g.r.IntN(5)),
			Action: "call_tool", Resource: "orders.refund", Upstream: "orders", Tool: []string{"refund", "lookup", "it's \"odd\""}[g.r.IntN(3)], Effect: "write", Pin: "p",
			ArgumentsBytes: 12, Verdict: activity.Verdict(g.r.IntN(3)), Would: activity.Verdict(g.r.IntN(3)), Enforced: g.r.IntN(2) == 0,
			Reasons:  []activity.Reason{{Code: fmt.Sprint("policy.r", g.r.IntN(3)), Text: "because"}, {Code: "floor.supervised", Text: "x"}},
			Policies: []activity.PolicyRef{{Policy: fmt.Sprint("p", g.r.IntN(2)), Statement: "s", Hash: "h"}}, PolicyVersion: 4, Redacted: []string{"email"},
			Run: activity.RunOfKey(fmt.Sprint(i / 5)), Step: activity.StepOfKey(fmt.Sprint(i)), Trace: activity.TraceID{1, byte(i)}, Span: activity.SpanID{3, byte(i)},
			Session: fmt.Sprint("s-", i/20), Reserved: []activity.Reserve{{Budget: "b", Key: "k", Count: 1, Since: 7, Unit: "tokens", Amount: 100, Spent: 60}},
			Result: activity.Result(1 + g.r.IntN(6)), Status: 200, LatencyUS: 1000 + g.r.Int64N(90_000), UpstreamUS: g.r.Int64N(1000), DecideUS: 9,
			BytesIn: 100, BytesOut: 2000, Usage: activity.Usage{InputTotal: g.r.Int64N(100), CacheRead: 0, CacheWrite: activity.Unknown, OutputTotal: 5, Reasoning: activity.Unknown},
			Cost: activity.Cost{Nanos: g.r.Int64N(1e9), Currency: "USD", Basis: activity.CostBook, Price: "book"},
		}
		if g.r.IntN(5) == 0 {
			d.Usage, d.Cost, d.Tool, d.Status, d.LatencyUS = activity.NoUsage, activity.Cost{}, "", 0, activity.Unknown
			d.ErrorCode, d.Reasons, d.Run = "upstream.timeout", nil, activity.RunID{}
		}
	}
	return out
}

func decisions(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(21, recent())
	all := g.Decisions(200)
	for at := 0; at < len(all); at += 50 {
		// As a log gives them: by their completion.
		part := slices.Clone(all[at : at+50])
		slices.SortFunc(part, func(a, b activity.Decision) int { return cmp.Compare(a.Completed, b.Completed) })
		write(t, s, &telemetry.Write{Partition: telemetry.PartitionDecisions, Cursor: uint64(at + 50), Decisions: part})
	}
	if n := must(s.Cursor(ctx, telemetry.PartitionDecisions))(t); n != 200 {
		t.Errorf("the cursor is %d", n)
	}
	if n := must(s.Stats(ctx))(t).Decisions; n != 200 {
		t.Errorf("%d decisions in the stats", n)
	}
	decisionLists(t, s, all)
	decisionSearches(t, s, all)
	decisionFigures(t, s, all)
	for i := 0; i < len(all); i += 37 {
		if diff := gocmp.Diff(&all[i], must(s.Decision(ctx, all[i].ID))(t)); diff != "" {
			t.Errorf("by id (-want +got):\n%s", diff)
		}
	}
	for _, id := range []string{"", "dec_", all[0].ID + "x", "run_" + all[0].ID[4:], strings.Replace(all[0].ID, all[0].ID[20:], strings.Repeat("0", 10), 1), "'; DROP TABLE x"} {
		if _, err := s.Decision(ctx, id); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("decision %q gives %v", id, err)
		}
	}
}

func newestFirst(of []activity.Decision) []activity.Decision {
	out := slices.Clone(of)
	slices.SortStableFunc(out, func(a, b activity.Decision) int { return cmp.Compare(b.At, a.At) })
	return out
}

func decisionLists(t *testing.T, s telemetry.Store, all []activity.Decision) {
	t.Helper()
	ctx := context.Background()
	var got []activity.Decision
	for q := (telemetry.DecisionsQuery{Limit: 33}); ; {
		p := must(s.Decisions(ctx, q))(t)
		got = append(got, p.Decisions...)
		if !p.More {
			break
		}
		last := &got[len(got)-1]
		q.After = telemetry.DecisionPlace{At: last.At, ID: last.ID}
	}
	if diff := gocmp.Diff(newestFirst(all), got); diff != "" {
		t.Fatalf("all, in pages (-want +got):\n%s", diff)
	}
	run := all[12].Run
	var want []activity.Decision
	for _, d := range newestFirst(all) {
		if d.Run == run {
			want = append(want, d)
		}
	}
	got = nil
	for q := (telemetry.DecisionsQuery{Limit: 2, Run: run}); ; {
		p := must(s.Decisions(ctx, q))(t)
		got = append(got, p.Decisions...)
		if !p.More {
			break
		}
		last := &got[len(got)-1]
		q.After = telemetry.DecisionPlace{At: last.At, ID: last.ID}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("of a run (-want +got):\n%s", diff)
	}
	p := must(s.Decisions(ctx, telemetry.DecisionsQuery{From: time.Unix(0, all[10].At), To: time.Unix(0, all[20].At), Limit: 100}))(t)
	if len(p.Decisions) != 10 || p.Decisions[9].ID != all[10].ID {
		t.Errorf("a period has %d", len(p.Decisions))
	}
	p = must(s.Decisions(ctx, telemetry.DecisionsQuery{Teams: []string{}, Limit: 100}))(t)
	if len(p.Decisions) != 0 {
		t.Errorf("nobody's teams see %d", len(p.Decisions))
	}
	if p, err := s.Decisions(ctx, telemetry.DecisionsQuery{After: telemetry.DecisionPlace{At: 1, ID: "nonsense"}}); err != nil || len(p.Decisions) != 0 || p.More {
		t.Errorf("behind everything: %+v, %v", p, err)
	}
}

// decisionSearches compares the engine with search.MatchDecision.
func decisionSearches(t *testing.T, s telemetry.Store, all []activity.Decision) {
	t.Helper()
	for _, text := range []string{
		"agent:agent-01", "agent!=agent-01,agent-02", "agent:agent-0*", "agent~GENT-03", "verdict:deny", "would:deny verdict!=deny", "enforced:false", "registered:true",
		"reason:policy.r1", "code:floor*", "reason:unknown", "policy:p1", "tool:unknown", "tool:refund", `tool:"it's \"odd\""`, "result:ok", "result:unknown", "result!=unknown",
		"latency>50ms", "latency:unknown", "upstream_time<500ms", "decide_time<1ms", "tokens>50", "tokens:unknown", "cost>0.5", "cost:unknown", "status:200", "status:unknown", "started>-3h",
		"ended<-10m", "error_code:upstream.timeout", "user:usr_3", "session:s-4", "credential_id:key-1", "run:" + all[11].Run.String(), "run:unknown OR agent:agent-01",
		"step:" + all[7].Step.String(), "trace_id:" + all[7].Trace.String(), "id:" + all[9].ID, "refund", "NOT floor", "run.mode:test", "verdict:deny -run.mode:test", "local_tool:false node:node-1 action:call_tool effect:write",
	} {
		e, err := search.ParseAsked(search.ScopeDecision, text)
		if err != nil {
			t.Fatalf("parse %s: %v", text, err)
		}
		e, err = search.Resolve(search.ScopeDecision, e, func(c *search.Cmp) (search.Expr, error) {
			return &search.Among{Runs: map[activity.RunID]bool{all[11].Run: true, all[7].Run: true}, Said: c}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		want := map[string]bool{}
		for i := range all {
			ok, err := search.MatchDecision(e, now, &all[i])
			if err != nil {
				t.Fatalf("match %s: %v", text, err)
			}
			if ok {
				want[all[i].ID] = true
			}
		}
		p, err := s.Decisions(context.Background(), telemetry.DecisionsQuery{Filter: e, Limit: 1000})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := map[string]bool{}
		for _, d := range p.Decisions {
			got[d.ID] = true
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %d decisions, want %d", text, len(got), len(want))
		}
	}
}

func decisionFigures(t *testing.T, s telemetry.Store, all []activity.Decision) {
	t.Helper()
	ctx := context.Background()
	type figures struct{ n, denied, would int64 }
	want := map[string]figures{}
	for _, d := range all {
		f := want[d.Agent]
		f.n++
		f.denied += int64(b2i(d.Verdict == activity.VerdictDeny))
		f.would += int64(b2i(d.Would == activity.VerdictDeny && d.Verdict != activity.VerdictDeny))
		want[d.Agent] = f
	}
	res := must(s.Query(ctx, telemetry.Query{
		Table: "decisions", GroupBy: []string{"agent"}, OrderBy: "-n",
		Select: []telemetry.Measure{
			{Func: "count", As: "n"},
			{Func: "sum", Field: "denied", As: "d"},
			{Func: "sum", Field: "would_denied", As: "w"},
			{Func: "p95", Field: "latency_ms", As: "p"},
			{Func: "distinct", Field: "run", As: "r"},
		},
	}))(t)
	if len(res.Rows) != len(want) {
		t.Errorf("%d agents, want %d", len(res.Rows), len(want))
	}
	for _, r := range res.Rows {
		f := want[fmt.Sprint(r[0])]
		if fmt.Sprint(r[1], r[2], r[3]) != fmt.Sprint(f.n, f.denied, f.would) {
			t.Errorf("%v, want %+v", r, f)
		}
	}
	for _, dim := range []string{
		"team", "verdict", "would", "reason", "tool", "upstream", "result", "enforced", "status", "error_code", "user", "action", "credential", "autonomy", "resource",
		"run", "policies",
	} {
		res := must(s.Query(ctx, telemetry.Query{Table: "decisions", GroupBy: []string{dim}, Bucket: time.Hour, From: recent(), To: recent().Add(time.Hour)}))(t)
		var n int64
		for _, r := range res.Rows {
			n += r[2].(int64)
		}
		if n != int64(len(all)) {
			t.Errorf("by %s: %d decisions", dim, n)
		}
	}
	// The policies of a run's decisions are told by name, as a policy has them.
	byPolicy := map[string]int64{}
	for _, d := range all {
		names := make([]string, len(d.Policies))
		for i, p := range d.Policies {
			names[i] = p.Policy
		}
		byPolicy[fmt.Sprintf("%x %s", d.Run[:], strings.Join(names, " "))]++
	}
	for _, r := range must(s.Query(ctx, telemetry.Query{Table: "decisions", GroupBy: []string{"run", "policies"}}))(t).Rows {
		var run activity.RunID
		if !telemetry.ParseUUID(fmt.Sprint(r[0]), (*[16]byte)(&run)) {
			t.Errorf("a run is called %v", r[0])
		}
		policies, _ := r[1].(string)
		if key := fmt.Sprintf("%x %s", run[:], policies); byPolicy[key] != r[2].(int64) {
			t.Errorf("%q: %v decisions, want %d", key, r[2], byPolicy[key])
		}
	}
	if _, err := s.Query(ctx, telemetry.Query{Table: "decisions", GroupBy: []string{"blob"}}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("grouping by a column that is none gives %v", err)
	}
}
