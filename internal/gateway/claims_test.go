package gateway_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/gateway"
	"reeve/internal/testkit"
)

// said are the headers in which an agent could speak of itself as of another: of
// its own agent, user, instance, task and run.
var said = []string{
	"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Tracestate", "reeve=1", "Baggage", "user.id=cfo,reeve.user=cfo",
	"X-Reeve-Agent", "other", "X-Reeve-User", "cfo", "X-Reeve-Instance", "i-1", "X-Reeve-Team", "sales", "X-Reeve-Task", "fresh", "X-Reeve-Version", "v9",
	"X-Reeve-Run", "fresh", "X-Reeve-Taint", "none", "X-Forwarded-User", "cfo", "X-Reeve-Enforcement", "observe",
}

// A key is shared by copies of an agent, so it has no instance, whatever the
// caller says; each decision says which credential it was.
func TestKeysHaveNoInstance(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for _, headers := range [][]string{nil, said} {
		a := h.call(key, "GET", "/http/shop/v1/orders/1", "", headers...)
		d := h.log.Of(t, a.decision)
		if d.Instance != "" || d.Bound || d.Credential != "agent_key" || !strings.Contains(key, d.CredentialID) || d.CredentialID == "" {
			t.Errorf("decision %+v", d)
		}
	}
}

// What an agent says of itself groups its records and does nothing else: it
// names no user and no other agent, and lowers no taint.
func TestWhatAnAgentSaysOfItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.agent("other")
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h.upstream("shop", ok, nil)
	h.upstream("web", ok, func(u *client.Upstream) { u.External = true })
	h.permit(`
		@id("agent") permit (principal == Agent::"refunds", action, resource);
		@id("user") permit (principal, action, resource) when { context has user };
		@id("clean") forbid (principal, action, resource in Upstream::"shop") when { context.taint.untrusted };`)
	if a := h.call(key, "GET", "/http/web/v1/orders/1", ""); a.status != 200 {
		t.Fatalf("reading outside: %d %s", a.status, a.body)
	}
	for _, headers := range [][]string{nil, said, append([]string{"X-Reeve-Session", "fresh"}, said...)} {
		a := h.call(key, "GET", "/http/shop/v1/orders/1", "", headers...)
		if a.problem != "decision.denied" {
			t.Errorf("tainted, saying %v: %q", headers, a.problem)
		}
		d := h.log.Of(t, a.decision)
		if d.Agent != "refunds" || d.User != "" || d.Team != "support" || !d.Enforced {
			t.Errorf("saying %v: decision %+v", headers, d)
		}
	}
	// Nor does another agent's key become this agent's by saying so.
	_, foreign, err := h.agents.CreateKey(t.Context(), testkit.EveryRole(), "other", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	a := h.call(foreign, "GET", "/http/shop/v1/orders/1", "", "X-Reeve-Agent", "refunds")
	if d := h.log.Of(t, a.decision); a.problem != "decision.denied" || d.Agent != "other" {
		t.Errorf("another agent that says it is this one: %q, %+v", a.problem, d)
	}
}

// Whoever is not known is refused and counted; one refusal a second is recorded,
// and says how many more there were.
func TestStrangersAreSampled(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	h := newHouse(t, func(o *gateway.Options) {
		o.Now = func() time.Time { return time.UnixMicro(now.Load()) }
	})
	const calls = 200
	knock := func(n int) {
		for i := range n {
			if a := h.call("", "GET", "/http/shop/v1/orders/1", "", "X-Api-Key", strings.Repeat("x", i%60+1)); a.status != http.StatusUnauthorized {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
	}
	knock(calls)
	if n := len(h.log.All()); n != 1 {
		t.Errorf("%d records of %d refusals within a second", n, calls)
	}
	now.Add(time.Second.Microseconds())
	knock(1)
	all := h.log.All()
	if len(all) != 2 || len(all[1].Reasons) != 1 || !strings.Contains(all[1].Reasons[0].Text, "199 more refusals of strangers") {
		t.Errorf("a second later: %+v", all)
	}
	s := h.door.Stats()
	if s.Strangers != calls+1 {
		t.Errorf("%d counted, want %d", s.Strangers, calls+1)
	}
	for _, c := range s.Calls {
		if c.Verdict != "deny" || c.Result != "denied" || c.Code == "" {
			t.Errorf("counted as let in: %+v", c)
		}
	}
}
