package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/audit/tree"
	"reeve/internal/siem"
)

// A decision through a whole Reeve: it is in the list at once, in the store a
// moment later, under a checkpoint that a witness keeps, and its receipt holds
// without the server; the SIEM has it, and both logs verify.
func TestADecisionIsProven(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	lines := filepath.Join(outside, "siem.jsonl")
	a := start(t, func(o *Config) {
		o.Audit.WitnessFile = filepath.Join(outside, "checkpoints")
		o.SIEM = []siem.Config{{Name: "lines", Kind: "file", File: lines}}
	})
	register(t, a, "orders-agent")
	_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "orders-agent", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }))
	t.Cleanup(up.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: "shop", Kind: "http", URL: up.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
		Routes: []client.Route{{Method: "GET", Path: "/orders/{id}", Effect: "read"}},
	}); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", a.Door()+"/http/shop/orders/7", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	id := resp.Header.Get("X-Reeve-Decision")
	c := client.New("http://"+a.Address("listen"), "")
	list, err := c.ListDecisions(t.Context(), client.ListDecisionsRequest{Agent: "orders-agent"})
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != id {
		t.Fatalf("at once: %+v, %v", list, err)
	}
	eventually(t, "the decision in the store, completed", func() bool {
		d, err := a.store.Decision(t.Context(), id)
		return err == nil && d.Result.String() == "ok" && d.EndSeq > d.Seq
	})
	q, err := c.Query(t.Context(), client.Query{From: "decisions", GroupBy: []string{"agent", "verdict"}})
	if err != nil || len(q.Rows) != 1 || q.Rows[0][0] != "orders-agent" {
		t.Errorf("counted: %+v, %v", q, err)
	}
	var receipt *client.DecisionReceipt
	eventually(t, "the receipt of both records", func() bool {
		receipt, err = c.DecisionReceipt(t.Context(), client.IDRequest{ID: id})
		return err == nil && len(receipt.Records) == 2
	})
	text, err := json.Marshal(receipt)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.ListAuditKeys(t.Context())
	if err != nil || len(keys.Items) != 1 {
		t.Fatalf("keys: %+v, %v", keys, err)
	}
	offline, err := tree.ReadReceipt(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := offline.Verify(keys.Items[0].Key); err != nil || len(offline.Contents) == 0 {
		t.Errorf("offline: %v, %d contents", err, len(offline.Contents))
	}
	eventually(t, "the decision at the SIEM", func() bool {
		text, err := os.ReadFile(lines)
		return err == nil && strings.Contains(string(text), id) && strings.Contains(string(text), "admin.")
	})
	eventually(t, "a witnessed checkpoint of both logs, which hold", func() bool {
		f, err := os.Open(a.o.Config.Audit.WitnessFile)
		if err != nil {
			return false
		}
		defer f.Close()
		checkpoints, err := tree.ReadWitnessed(f)
		if err != nil {
			t.Fatal(err)
		}
		reports, err := VerifyLogs(t.Context(), a.o.Config.Data, a.control, checkpoints, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			if r.Break != nil {
				t.Fatalf("%s: %+v", r.What, r.Break)
			}
		}
		return len(reports) == 2 && reports[0].Witnessed > 0 && reports[1].Witnessed > 0
	})
	if v, err := c.VerifyAudit(t.Context()); err != nil || !v.OK || len(v.Items) != 2 {
		t.Errorf("the server says %+v, %v", v, err)
	}
}
