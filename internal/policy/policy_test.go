package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

func compile(t testing.TB, docs ...Document) []Statement {
	t.Helper()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	var all []Statement
	for _, d := range docs {
		s, err := c.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s...)
	}
	return all
}

func starters(t testing.TB) []Document {
	t.Helper()
	var docs []Document
	for _, n := range []string{"guardrails", "supervised", "bounded"} {
		b, err := os.ReadFile("testdata/" + n + ".cedar")
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, Document{Name: n, Guardrail: n == "guardrails", Cedar: string(b)})
	}
	return docs
}

func TestCases(t *testing.T) {
	t.Parallel()
	var file struct {
		Entities []types.Entity
		Cases    []struct {
			Name                        string
			Principal, Action, Resource types.EntityUID
			Context                     types.Record
			Changed                     []types.Entity
			PlainReasons, UnlessReasons []string
			PlainErrors, UnlessErrors   int
		}
	}
	b, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 36 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	var e Engine
	e.Replace(1, compile(t, starters(t)...))
	s := e.set.Load()
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			entities := types.EntityMap{}
			for _, x := range append(slices.Clone(file.Entities), c.Changed...) {
				entities[x.UID] = x
			}
			got := map[int][]string{}
			errs := map[bool]int{}
			forbidden := false
			for _, o := range s.evaluateSlow(s.all, entities, cedar.Request{Principal: c.Principal, Action: c.Action, Resource: c.Resource, Context: c.Context}) {
				if o.err {
					errs[o.st.pass() == passUnless]++
					continue
				}
				got[o.st.pass()] = append(got[o.st.pass()], o.st.ID)
				forbidden = forbidden || o.st.pass() == passForbid
			}
			plain := got[passPermit]
			if forbidden { // plain Cedar's Deny lists forbids only
				plain = got[passForbid]
			}
			sorted := func(l []string) []string { l = append([]string{}, l...); slices.Sort(l); return l }
			if d := cmp.Diff(sorted(c.PlainReasons), sorted(plain)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(sorted(c.UnlessReasons), sorted(got[passUnless])); d != "" {
				t.Error(d)
			}
			if errs[false] != c.PlainErrors || errs[true] != c.UnlessErrors {
				t.Errorf("errors %v, want %d and %d", errs, c.PlainErrors, c.UnlessErrors)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"permit (principal, action, resource)\n  when { ":                                                               "line 2",
		`@hodl("x") permit (principal, action, resource);`:                                                              "no annotation @hodl",
		`@hold permit (principal, action, resource);`:                                                                   "@hold needs a value",
		`@hold("a:0") permit (principal, action, resource);`:                                                            "cannot be read",
		`@limit("30/w by agent") permit (principal, action, resource);`:                                                 "cannot be read",
		`@redact(",") permit (principal, action, resource);`:                                                            "cannot be read",
		"permit (principal, action == Action::\"call_tool\", resource) when {\n resource.effect == Effect::\"raed\" };": "line 2, column 21",
		`permit (principal, action == Action::"call_toll", resource);`:                                                  "line 1",
		`permit (principal, action == Action::"call_tool", resource) when { resource.colour == "red" };`:                "line 1",
		`@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);`:                 "there twice",
		"": "at least one statement",
	} {
		_, err := c.Compile(Document{Name: "p", Cedar: text})
		if err == nil || !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n gave %v, want %q", text, err, want)
		}
	}
	if _, err := c.Compile(Document{Guardrail: true, Cedar: "permit (principal, action, resource);"}); err == nil {
		t.Error("a guardrail permits")
	}
}

func request() *Request {
	return &Request{
		Agent:    Agent{Name: "refunds", Team: "support", Owner: "ann", Lifecycle: "production", Autonomy: "autonomous", Containment: "none", Enforcement: "enforce", Classes: []string{"orders"}},
		Action:   "call_tool",
		Resource: Resource{Type: "Tool", ID: "orders.get", Upstream: "orders", UpstreamTeam: "it", UpstreamShared: true, Pinned: true, Effect: "read", Classes: []string{"orders"}},
		Call:     Call{Credential: "x509_svid", Bound: true, Now: time.Unix(1790000000, 0)},
	}
}

// TestFloorUpstreamTeam asks every cell of whose upstream it is under a policy
// that permits everything: another team's is denied whatever the agent's standing,
// its mode and its credential, but for a call of --dev that shows none.
func TestFloorUpstreamTeam(t *testing.T) {
	t.Parallel()
	var e, dev Engine
	dev.Dev = true
	all := compile(t, Document{Name: "all", Cedar: "permit (principal, action, resource);"})
	e.Replace(1, all)
	dev.Replace(1, all)
	cells := 0
	for _, owner := range []string{"support", "it", ""} {
		for _, shared := range []bool{false, true} {
			for _, enforcement := range []string{"enforce", "observe"} {
				for _, credential := range []string{"x509_svid", "jwt_svid", "access_token", "foreign_token", "agent_key", "team_token", "dev", ""} {
					for _, kind := range []struct{ action, typ string }{{"call_tool", "Tool"}, {"call_model", "Model"}, {"call_api", "Api"}, {"send_task", "Peer"}, {"read_source", "Source"}} {
						r := request()
						r.Action, r.Resource.Type, r.Resource.UpstreamTeam, r.Resource.UpstreamShared = kind.action, kind.typ, owner, shared
						r.Agent.Enforcement, r.Call.Credential = enforcement, credential
						want := activity.VerdictDeny
						if owner == "support" || shared {
							want = activity.VerdictAllow
						}
						d := e.Decide(r)
						if d.Verdict != want || d.Would != want || d.Floor != want || want == activity.VerdictDeny && d.Reasons[0].Code != "floor.upstream_team" {
							t.Errorf("%q shared %v %s %s %s: %v would %v %v, want %v", owner, shared, enforcement, credential, kind.action, d.Verdict, d.Would, d.Reasons, want)
						}
						back, ok := ParseContext(d.Context())
						if again := e.Decide(back); !ok || again.Verdict != want {
							t.Errorf("%q shared %v %s: replayed %v, want %v", owner, shared, credential, again.Verdict, want)
						}
						if credential == "dev" {
							want = activity.VerdictAllow
						}
						if d := dev.Decide(r); d.Verdict != want {
							t.Errorf("dev %q shared %v %s %s: %v, want %v", owner, shared, enforcement, credential, d.Verdict, want)
						}
						cells++
					}
				}
			}
		}
	}
	if cells != 3*2*2*8*5 {
		t.Errorf("%d cells", cells)
	}
}

// TestFloor asks every cell under a policy that permits everything.
func TestFloor(t *testing.T) {
	t.Parallel()
	var e, dev Engine
	dev.Dev = true
	all := compile(t, Document{Name: "all", Cedar: "permit (principal, action, resource);"})
	e.Replace(1, all)
	dev.Replace(1, all)
	// What each word does to think, read, write, destructive: a allow, h hold, d deny.
	autonomy := map[string]string{"read_only": "aadd", "supervised": "aahh", "bounded": "aaah", "autonomous": "aaaa", "": "dddd", "odd": "dddd"}
	containment := map[string]string{"none": "aaaa", "throttled": "aaaa", "supervised": "aahh", "read_only": "aadd", "quarantined": "dddd", "": "dddd", "odd": "dddd"}
	lifecycle := map[string]string{"draft": "dddd", "pilot": "aaaa", "production": "aaaa", "retired": "dddd", "": "dddd", "odd": "dddd"}
	verdicts := map[byte]activity.Verdict{'a': activity.VerdictAllow, 'h': activity.VerdictHold, 'd': activity.VerdictDeny}
	cells := 0
	for a, av := range autonomy {
		for c, cv := range containment {
			for l, lv := range lifecycle {
				for i, effect := range []string{"think", "read", "write", "destructive", "odd"} {
					for _, enforcement := range []string{"enforce", "observe"} {
						r := request()
						r.Agent.Autonomy, r.Agent.Containment, r.Agent.Lifecycle, r.Agent.Enforcement, r.Resource.Effect = a, c, l, enforcement, effect
						want, wantDev := activity.VerdictDeny, activity.VerdictDeny
						if effect != "odd" {
							base := max(verdicts[av[i]], verdicts[cv[i]])
							want, wantDev = max(base, verdicts[lv[i]]), max(base, verdicts[lv[i]])
							if l == "draft" {
								wantDev = base
							}
						}
						if d := e.Decide(r); d.Verdict != want || d.Floor != want {
							t.Errorf("%s %s %s %s %s: %v, want %v", a, c, l, effect, enforcement, d.Verdict, want)
						}
						if d := dev.Decide(r); d.Verdict != wantDev {
							t.Errorf("dev %s %s %s %s: %v, want %v", a, c, l, effect, d.Verdict, wantDev)
						}
						cells++
					}
				}
			}
		}
	}
	if cells != 6*7*6*5*2 {
		t.Errorf("%d cells", cells)
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	permit := "permit (principal, action, resource);"
	for _, c := range []struct {
		name   string
		docs   []Document
		change func(*Request)
		want   activity.Verdict
		would  activity.Verdict
		code   string
	}{
		{name: "nothing permits", want: 2, would: 2, code: "policy.no_permit"},
		{name: "permit", docs: []Document{{Name: "a", Cedar: permit}}},
		{name: "forbid wins", docs: []Document{{Name: "a", Cedar: permit + "forbid (principal, action, resource);"}}, want: 2, would: 2, code: "policy.forbid"},
		{
			name: "forbid that errs", docs: []Document{{Name: "a", Cedar: permit + `forbid (principal, action == Action::"call_tool", resource) when { resource.effect == Effect::"read" && 9223372036854775807 + context.depth > 0 };`}},
			change: func(r *Request) { r.Call.Depth = 1 }, want: 2, would: 2, code: "policy.error",
		},
		{
			name: "plain permit that errs permits nothing", docs: []Document{{Name: "a", Cedar: `permit (principal, action == Action::"call_tool", resource) when { 9223372036854775807 + context.depth > 0 };` + permit}},
			change: func(r *Request) { r.Call.Depth = 1 },
		},
		{name: "hold adds up", docs: []Document{{Name: "a", Cedar: permit + `@hold("ops:2") forbid (principal, action, resource);`}}, want: 1, would: 1, code: "policy.hold"},
		{name: "observed forbid", docs: []Document{{Name: "a", Cedar: permit}, {Name: "b", Observe: true, Cedar: "forbid (principal, action, resource);"}}, want: 0, would: 2, code: "policy.forbid"},
		{name: "observed permit", docs: []Document{{Name: "a", Observe: true, Cedar: permit}}, want: 2, would: 0},
		{name: "observed agent", change: func(r *Request) { r.Agent.Enforcement = "observe" }, want: 0, would: 2, code: "policy.no_permit"},
		{name: "another team's policy", docs: []Document{{Name: "a", Team: "sales", Cedar: permit}}, want: 2, would: 2, code: "policy.no_permit"},
		{
			name: "an upstream not shared", docs: []Document{{Name: "a", Team: "support", Cedar: permit}}, change: func(r *Request) { r.Resource.UpstreamShared = false },
			want: 2, would: 2, code: "policy.no_permit",
		},
		{
			name: "an upstream not shared, permitted by a policy for all", docs: []Document{{Name: "a", Cedar: permit}}, change: func(r *Request) { r.Resource.UpstreamShared = false },
			want: 2, would: 2, code: "floor.upstream_team",
		},
		{name: "a shared upstream", docs: []Document{{Name: "a", Team: "support", Cedar: permit}}},
		{
			name: "a value that does not fit", docs: []Document{{Name: "a", Cedar: permit + `permit (principal, action == Action::"call_tool", resource) when { context.args.int.hasTag("/n") };`}},
			change: func(r *Request) { r.Call.Args.Unfit = []string{"/n"} }, want: 2, would: 2, code: "policy.error",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var e Engine
			e.Replace(7, compile(t, c.docs...))
			r := request()
			if c.change != nil {
				c.change(r)
			}
			d := e.Decide(r)
			if d.Verdict != c.want || d.Would != c.would || d.Enforced != (c.want == c.would) {
				t.Errorf("%v, would %v, enforced %v", d.Verdict, d.Would, d.Enforced)
			}
			if c.code != "" && !slices.ContainsFunc(d.Reasons, func(r activity.Reason) bool { return r.Code == c.code }) {
				t.Errorf("no reason %s in %v", c.code, d.Reasons)
			}
			if !json.Valid(d.Context()) {
				t.Errorf("context %s", d.Context())
			}
		})
	}
}

// many makes n statements for as many agents and tools beside the starters.
func many(t testing.TB, n int) []Statement {
	t.Helper()
	docs := starters(t)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "@id(\"s%d\") permit (principal == Agent::\"a%d\", action == Action::\"call_tool\", resource in Upstream::\"u%d\") when { context.depth < 3 };\n", i, i%(n/5+1), i%50)
		if (i+1)%1000 == 0 || i == n-1 {
			docs = append(docs, Document{Name: fmt.Sprint("p", i), Cedar: b.String()})
			b.Reset()
		}
	}
	return compile(t, docs...)
}

func TestSliceIsWhole(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(l ...string) string { return l[rnd.IntN(len(l))] }
	for range 60 {
		var b strings.Builder
		for i := range 25 {
			fmt.Fprintf(&b, "@id(\"%d\") %s %s (%s, %s, %s) when { %s };\n", i, pick("", "", `@hold("x")`, `@limit("1/s by agent")`), pick("permit", "permit", "forbid"),
				pick("principal", "principal is Agent", `principal == Agent::"refunds"`, `principal == Agent::"b"`, `principal in Team::"support"`, `principal is Agent in Team::"sales"`),
				pick(`action == Action::"call_tool"`, `action in [Action::"call_tool"]`),
				pick("resource", "resource is Tool", `resource == Tool::"orders.get"`, `resource == Tool::"x"`, `resource in Upstream::"orders"`, `resource in Team::"it"`, `resource is Tool in Upstream::"other"`),
				pick("true", "context.bound", `resource.effect == Effect::"read"`, "context.depth > 1", `context has user && context.user in Team::"support"`))
		}
		var e Engine
		e.Replace(1, compile(t, Document{Name: "r", Cedar: b.String()}))
		for range 20 {
			r := request()
			r.Agent.Name, r.Agent.Team = pick("refunds", "b", "c"), pick("support", "sales", "")
			r.Resource.ID, r.Resource.Upstream, r.Resource.UpstreamTeam = pick("orders.get", "x"), pick("orders", "other"), pick("it", "")
			r.Call.Bound, r.Call.Depth, r.Call.User = rnd.IntN(2) == 0, rnd.IntN(4), pick("", "ann")
			r.Call.UserTeams = []string{"support"}
			got, want := e.Decide(r), e.decide(e.set.Load(), &scratch{}, r, applicable(e.set.Load(), r))
			got.Context, want.Context = nil, nil
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s\n%+v\n%s", b.String(), r, d)
			}
		}
	}
}

// marshalled is the request as cedar-go writes it.
func (r *Request) marshalled() []byte {
	m := types.RecordMap{}
	for _, n := range fieldNames {
		if v := r.field(n); v != nil {
			m[n] = v
		}
	}
	p, x := uid("Agent", r.Agent.Name), uid(r.Resource.Type, r.Resource.ID)
	list := []types.Entity{}
	for _, u := range []types.EntityUID{p, x, uid("Upstream", r.Resource.Upstream), uid("User", r.Call.User)} {
		if e, ok := r.Get(u); ok {
			list = append(list, e)
		}
	}
	b, err := json.Marshal(map[string]any{"principal": p, "action": uid("Action", r.Action), "resource": x, "context": types.NewRecord(m), "entities": list})
	if err != nil {
		return nil // nothing of the above fails to encode
	}
	return b
}

// applicable is the whole set, but for what a team's policy is not about.
func applicable(s *snapshot, r *Request) []*Statement {
	return slices.DeleteFunc(slices.Clone(s.all), func(st *Statement) bool { return !st.applies(r, actionBit(r.Action)) })
}

func FuzzCompile(f *testing.F) {
	for _, d := range starters(f) {
		f.Add(d.Cedar)
	}
	c, err := NewCompiler()
	if err != nil {
		f.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(13, 14))
	w := &writer{rnd: rnd}
	for range 50 {
		f.Add(w.statement("x", true))
	}
	r := randomRequest(rnd)
	withArgs(rnd, r)
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		statements, err := c.Compile(Document{Name: "f", Cedar: text})
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
		if err != nil {
			var at *SyntaxError
			if !fault.Is(err, fault.KindInvalid) || len(err.Error()) > 2000 || errors.As(err, &at) && (at.Line < 1 || at.Column < 1) {
				t.Fatal(err)
			}
			return
		}
		// What compiles decides as cedar-go does.
		var e Engine
		e.Replace(1, statements)
		got := e.Decide(r)
		for i := range statements {
			statements[i].when = nil
		}
		e.Replace(1, statements)
		want := e.Decide(r)
		got.Context, want.Context = nil, nil
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var e Engine
			e.Replace(1, many(b, n))
			r := request()
			r.Agent.Name, r.Resource.Upstream = "a7", "u7"
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(r)
			}
		})
	}
}
