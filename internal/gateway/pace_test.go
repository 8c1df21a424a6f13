package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/gateway"
)

// TestFindingsBindTheNextAction: the fifth same call of a run, the first action
// of a kind that the agent never did, and what is open about it in telemetry are
// seen by the policy that decides on the very call.
func TestFindingsBindTheNextAction(t *testing.T) {
	t.Parallel()
	open := map[string][]string{}
	h := newHouse(t, func(o *gateway.Options) { o.Findings = func(name, _ string) []string { return open[name] } })
	sent := 0
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent++ }), func(u *client.Upstream) {
		u.Routes = append(u.Routes, client.Route{Method: "DELETE", Path: "/v1/orders/{id}", Effect: "destructive"})
	})
	h.permit(permitAll + `
@id("loop") @reason("it goes in circles") forbid (principal, action == Action::"call_api", resource) when { context.findings.contains("loop") };
@id("first") @hold("security") @reason("its first refund") forbid (principal, action == Action::"call_api", resource)
when { context.findings.contains("new_tool") && resource.effect == Effect::"destructive" };
@id("open") @reason("an open finding") forbid (principal, action == Action::"call_api", resource) when { context.findings.contains("cost") };`)
	key := h.agent("refunds")
	send := func(run, body string) answer {
		return h.call(key, "POST", "/http/shop/v1/refunds", body, "Content-Type", "application/json", "X-Reeve-Run", run)
	}
	for i := range 4 {
		if a := send("r1", `{"order":7}`); a.status != 200 {
			t.Fatalf("call %d: %d %s", i+1, a.status, a.body)
		}
	}
	if a := send("r1", `{"order":7}`); a.status != 403 || sent != 4 {
		t.Errorf("the fifth same call: %d %s, %d forwarded", a.status, a.body, sent)
	} else if d := h.log.Of(t, a.decision); d.Reasons[0].Text != "it goes in circles" || !strings.Contains(string(d.Context), `"findings":["loop"]`) {
		t.Errorf("reasons %+v, %s", d.Reasons, d.Context)
	}
	if a := send("r1", `{"order":8}`); a.status != 200 {
		t.Errorf("with other arguments: %d %s", a.status, a.body)
	}
	if a := send("r2", `{"order":7}`); a.status != 200 {
		t.Errorf("in another run: %d %s", a.status, a.body)
	}
	if a := h.call(key, "DELETE", "/http/shop/v1/orders/7", "", "X-Reeve-Run", "r2"); a.problem != "decision.held" {
		t.Errorf("an action it never did: %d %s %s", a.status, a.problem, a.body)
	}
	open["refunds"] = []string{"cost"}
	if a := send("r3", `{"order":9}`); a.status != 403 {
		t.Errorf("with an open finding: %d %s", a.status, a.body)
	}
	open["refunds"] = nil
	if a := send("r3", `{"order":9}`); a.status != 200 {
		t.Errorf("with none any more: %d %s", a.status, a.body)
	}
}
