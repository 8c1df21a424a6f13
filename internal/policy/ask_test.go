package policy

import (
	"testing"

	"reeve/internal/activity"
)

// What servers ask is denied unless a policy permits it, by upstream and agent.
func TestAsk(t *testing.T) {
	t.Parallel()
	const allow, hold, deny = activity.VerdictAllow, activity.VerdictHold, activity.VerdictDeny
	base := Ask{Upstream: "forms", UpstreamTeam: "core", Action: "ask_user", Agent: Agent{Name: "refunds", Team: "support", Autonomy: "bounded", Lifecycle: "production"}}
	for _, c := range []struct {
		name, text string
		change     func(*Ask)
		want       activity.Verdict
	}{
		{"nothing permits", `@id("a") permit (principal is Agent, action == Action::"call_tool", resource);`, nil, deny},
		{"the upstream may", `@id("a") permit (principal == Upstream::"forms", action == Action::"ask_user", resource == Agent::"refunds");`, nil, allow},
		{"another upstream may", `@id("a") permit (principal == Upstream::"mail", action == Action::"ask_user", resource);`, nil, deny},
		{"the other question", `@id("a") permit (principal == Upstream::"forms", action == Action::"ask_model", resource);`, nil, deny},
		{"its team's", `@id("a") permit (principal in Team::"core", action in [Action::"ask_user", Action::"ask_model"], resource in Team::"support");`, nil, allow},
		{"a forbid", `@id("a") permit (principal, action, resource); @id("b") forbid (principal, action == Action::"ask_user", resource) when { context has url };`, func(a *Ask) { a.URL = "https://x.example" }, deny},
		{"a hold", `@id("a") permit (principal, action, resource); @id("b") @hold("security") forbid (principal is Upstream, action == Action::"ask_user", resource);`, nil, hold},
		{"observed", `@id("a") permit (principal == Upstream::"mail", action == Action::"ask_user", resource);`, func(a *Ask) { a.Agent.Enforcement = "observe" }, allow},
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
			if d := e.Ask(&a); d.Verdict != c.want {
				t.Errorf("%v, want %v (%v)", d.Verdict, c.want, d.Reasons)
			}
		})
	}
	if d := new(Engine).Ask(&base); d.Verdict != deny {
		t.Errorf("an engine without policies: %v", d.Verdict)
	}
}
