package policy

import (
	"os"
	"strings"
	"testing"

	"reeve/internal/activity"
)

// What the starter policies and the floor let an agent of each autonomy do, with
// a bound credential, in its own data classes.
func TestStartersByAutonomy(t *testing.T) {
	t.Parallel()
	docs, err := Starters()
	if err != nil {
		t.Fatal(err)
	}
	var e Engine
	e.Replace(1, compile(t, docs...))
	const allow, hold, deny = activity.VerdictAllow, activity.VerdictHold, activity.VerdictDeny
	for autonomy, want := range map[string][4]activity.Verdict{ // think, read, write, destroy
		"read_only":  {allow, allow, deny, deny},
		"supervised": {allow, allow, hold, deny},
		"bounded":    {allow, allow, allow, hold},
		"autonomous": {allow, allow, allow, allow},
	} {
		for i, effect := range []string{"think", "read", "write", "destructive"} {
			ask := func(change func(*Request)) activity.Verdict {
				r := request()
				r.Agent.Autonomy, r.Resource.Effect = autonomy, effect
				if effect == "think" {
					r.Action, r.Resource = "call_model", Resource{Type: "Model", ID: "openai/gpt", Upstream: "openai", UpstreamShared: true, Effect: effect}
					r.Call.Model = &ModelCall{Endpoint: "chat"}
				}
				if change != nil {
					change(r)
				}
				return e.Decide(r).Verdict
			}
			if got := ask(nil); got != want[i] {
				t.Errorf("%s %s: %v, want %v", autonomy, effect, got, want[i])
			}
			if got := ask(func(r *Request) { r.Call.Depth = 4 }); got != deny {
				t.Errorf("%s %s, four hops deep: %v", autonomy, effect, got)
			}
			if effect == "think" {
				if got := ask(func(r *Request) { r.Resource.Deprecated = true }); got != deny {
					t.Errorf("%s, a deprecated model: %v", autonomy, got)
				}
				continue
			}
			if got := ask(func(r *Request) { r.Resource.Classes = []string{"secret"} }); got != deny {
				t.Errorf("%s %s, data that it was not registered for: %v", autonomy, effect, got)
			}
			if got := ask(func(r *Request) { r.Resource.Pinned = false }); got == allow {
				t.Errorf("%s %s, a definition that nobody accepted: %v", autonomy, effect, got)
			}
		}
	}
}

// The policies in the manual are policies.
func TestManualCompiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, block := range strings.Split(string(text), "```") {
		if i%2 == 1 && strings.Contains(block, "permit (") {
			found++
			compile(t, Document{Name: "manual", Cedar: block})
		}
	}
	if found == 0 {
		t.Error("no policy in the manual")
	}
}
