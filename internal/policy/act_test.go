package policy

import (
	"testing"

	"reeve/internal/activity"
)

// Acting for somebody is as registered while no policy names it, and needs a
// permit once one does; audience, scopes, depth and the agent itself are known.
func TestAct(t *testing.T) {
	t.Parallel()
	const allow, deny = activity.VerdictAllow, activity.VerdictDeny
	base := Act{
		Agent: Agent{Name: "refunds", Team: "support", Autonomy: "bounded", Lifecycle: "production"}, User: "okta:jane", Groups: []string{"sre"},
		Depth: 1, Audience: "https://api.example", Scopes: []string{"tools:call"},
	}
	for _, c := range []struct {
		name, text string
		change     func(*Act)
		want       activity.Verdict
	}{
		{"nothing is said of it", `@id("a") permit (principal, action == Action::"call_tool", resource);`, nil, allow},
		{"a permit of everything", `@id("a") permit (principal, action, resource);`, nil, allow},
		{"a forbid of everything", `@id("a") forbid (principal == Agent::"refunds", action, resource);`, nil, deny},
		{"named for another", `@id("a") permit (principal == Agent::"billing", action == Action::"act_for", resource);`, nil, deny},
		{"named for it", `@id("a") permit (principal == Agent::"refunds", action == Action::"act_for", resource == User::"okta:jane");`, nil, allow},
		{"the audience", `@id("a") permit (principal, action == Action::"act_for", resource) when { context.audience == "https://other.example" };`, nil, deny},
		{"a scope", `@id("a") permit (principal, action == Action::"act_for", resource) unless { context.scopes.contains("tools:call") };`, nil, deny},
		{"too deep", `@id("a") permit (principal, action, resource); @id("b") forbid (principal, action == Action::"act_for", resource) when { context.depth > 1 };`, func(a *Act) { a.Depth = 2 }, deny},
		{"for an agent", `@id("a") permit (principal, action == Action::"act_for", resource in Team::"support");`, func(a *Act) { a.User, a.For = "", Agent{Name: "desk", Team: "support"} }, allow},
		{"for another team's", `@id("a") permit (principal, action == Action::"act_for", resource in Team::"support");`, func(a *Act) { a.User, a.For = "", Agent{Name: "desk", Team: "core"} }, deny},
		{"a hold", `@id("a") permit (principal, action, resource); @id("b") @hold("security") forbid (principal, action == Action::"act_for", resource);`, nil, deny},
		{"observed", `@id("a") permit (principal == Agent::"billing", action == Action::"act_for", resource);`, func(a *Act) { a.Agent.Enforcement = "observe" }, allow},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compiler, err := NewCompiler()
			if err != nil {
				t.Fatal(err)
			}
			list, err := compiler.Compile(Document{Name: "p", Cedar: c.text})
			if err != nil {
				t.Fatal(err)
			}
			var e Engine
			e.Replace(1, list)
			a := base
			if c.change != nil {
				c.change(&a)
			}
			if d := e.Act(&a); d.Verdict != c.want {
				t.Errorf("%v, want %v (%v)", d.Verdict, c.want, d.Reasons)
			}
		})
	}
	if d := new(Engine).Act(&base); d.Verdict != allow {
		t.Errorf("an engine without policies: %v", d.Verdict)
	}
}
