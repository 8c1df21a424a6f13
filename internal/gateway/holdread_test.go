package gateway_test

import (
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/testkit"
)

const holdReads = `@id("reads") @hold("finance") @reason("somebody looks") permit (principal, action == Action::"call_api", resource);`

// A call without a body is held, forwarded and void by the same rules: what it is
// for stands in its method, path and query.
func TestHeldReads(t *testing.T) {
	t.Parallel()
	get := func(h *held, method, path string, headers ...string) answer {
		return h.call(h.key, method, path, "", append([]string{"X-Reeve-Run", "r1"}, headers...)...)
	}
	const path = "/http/shop/any/v1/orders?of=7&page=1"
	for _, c := range []struct {
		name, code, problem string
		change              func(t *testing.T, h *held)
	}{
		{"as it was", "", "", func(*testing.T, *held) {}},
		{"contained", "approval.containment", "approval.void", func(t *testing.T, h *held) { contain(agent.Throttled)(t, h.house, "refunds") }},
		{"upstream", "approval.upstream", "approval.void", func(t *testing.T, h *held) {
			u, _ := h.upstreams.Lookup("shop")
			s := u.Shape()
			s.TimeoutMS = 5000
			if _, err := h.upstreams.Put(t.Context(), "ada", s); err != nil {
				t.Fatal(err)
			}
		}},
		{"another key", "approval.credential", "approval.void", func(t *testing.T, h *held) {
			_, key, err := h.agents.CreateKey(t.Context(), testkit.EveryRole(), "refunds", agent.NewKey{Label: "second"})
			if err != nil {
				t.Fatal(err)
			}
			h.key = key
		}},
		{"a changed statement", "approval.other_policy", "approval.void", func(_ *testing.T, h *held) {
			h.permit(`@id("reads") @hold("finance") @reason("somebody peeks") permit (principal, action == Action::"call_api", resource);`)
		}},
		{"policy denies now", "", "decision.denied", func(_ *testing.T, h *held) { h.permit(`@id("no") forbid (principal, action, resource);`) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHeld(t, 10*time.Millisecond, nil)
			h.permit(holdReads)
			if got := get(h, "GET", path); got.problem != "approval.pending" {
				t.Fatalf("%+v", got)
			}
			a := h.approve()
			for _, other := range []answer{
				get(h, "GET", "/http/shop/any/v1/orders?of=8&page=1"), get(h, "GET", "/http/shop/any/v1/orders?page=1&of=7"),
				get(h, "DELETE", path), get(h, "GET", path, "X-Account", "another"),
			} {
				if other.problem != "approval.pending" || h.seen.Load() != 0 {
					t.Fatalf("another call: %+v, %d forwarded", other, h.seen.Load())
				}
			}
			c.change(t, h)
			got := get(h, "GET", path)
			if c.problem == "" {
				if again := get(h, "GET", path); got.status != 200 || again.status != 200 || again.header.Get("X-Reeve-Collected") != a.ID || h.seen.Load() != 1 {
					t.Errorf("%+v, then %+v; %d forwarded", got, again, h.seen.Load())
				}
				return
			}
			if got.problem != c.problem || h.seen.Load() != 0 {
				t.Errorf("%+v, want %s; %d forwarded", got, c.problem, h.seen.Load())
			}
			if c.code == "" {
				return
			}
			if b, err := h.book.Get(t.Context(), a.ID); err != nil || b.State != approval.Void || b.Code != c.code {
				t.Errorf("%s %s %v, want %s", b.State, b.Code, err, c.code)
			}
			if d := h.log.Of(t, got.decision); d.Verdict != activity.VerdictDeny || d.Approval != a.ID || d.Reasons[0].Code != c.code {
				t.Errorf("decision: %+v", d)
			}
		})
	}
}
