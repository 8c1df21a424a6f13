package app

import (
	"strings"
	"testing"

	"reeve/client"
)

// TestTheGate: what was never shown is not passed, a refusal names what fails and
// changes nothing, and it is kept.
func TestTheGate(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "refund")
	c := client.New("http://"+a.Address("listen"), "")
	g, err := c.GetGate(t.Context(), client.GateRequest{Name: "refund"})
	if err != nil {
		t.Fatal(err)
	}
	passed := map[string]bool{}
	for _, k := range g.Checks {
		passed[k.Name] = k.Passed
	}
	if g.Passed || len(g.Checks) != 8 || passed["evaluations"] || passed["experiment"] || passed["coverage"] || passed["latency"] || !passed["policy"] || !passed["incidents"] || !passed["approvals"] {
		t.Errorf("%+v", g)
	}
	_, err = c.PassGate(t.Context(), client.PassGateRequest{Name: "refund", Reason: "it is ready"})
	if err == nil || !strings.Contains(err.Error(), "promote.refused") || !strings.Contains(err.Error(), "experiment: no experiment") {
		t.Errorf("%v", err)
	}
	if _, err := c.PassGate(t.Context(), client.PassGateRequest{Name: "refund"}); err == nil {
		t.Error("a promotion without a reason")
	}
	if ag, _ := a.agents.Lookup("refund"); ag.Lifecycle == "production" {
		t.Error("it was promoted")
	}
	kept, err := c.ListAudit(t.Context(), client.ListAuditRequest{Kind: "admin.agent_gate"})
	if err != nil || len(kept.Items) != 1 {
		t.Errorf("%+v, %v", kept, err)
	}
}
