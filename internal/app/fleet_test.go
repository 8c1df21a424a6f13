package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// What real SDKs sent: their agents are found with first evidence within the
// minute and adopted in one call, and each has one version although its
// telemetry came twice and in two orders.
func TestFleetOnCaptures(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	files, err := filepath.Glob("../intake/testdata/captures/*/*v1_traces.body.bin")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	// These tell of the same agent as another release: versions of their own.
	files = slices.DeleteFunc(files, func(f string) bool { return strings.Contains(f, "/langfuse") || strings.Contains(f, "/vercel") })
	taken := 0
	send := func(files []string) {
		t.Helper()
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			kind := "application/x-protobuf"
			if raw[0] == '{' {
				kind = "application/json"
			}
			var header []string
			if len(raw) > 2 && raw[0] == 0x1f && raw[1] == 0x8b {
				header = []string{"Content-Encoding", "gzip"}
			}
			if got := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", kind, raw, header...); got.status == 200 {
				taken++
			}
		}
	}
	began := time.Now()
	send(files)
	if taken < len(files)/2 { // those of OTLP over gRPC are framed otherwise
		t.Fatalf("%d of %d captures were taken", taken, len(files))
	}
	c := client.New("http://"+a.Address("listen"), "")
	var found []client.UnknownAgent
	eventually(t, "unknown agents", func() bool {
		list, err := c.ListUnknownAgents(t.Context(), client.ListUnknownAgentsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		found = list.Items
		return len(found) > 0
	})
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	for _, u := range found {
		if u.RunID == "" || u.StepID == "" || u.Seen == 0 {
			t.Errorf("found without evidence: %+v", u)
		}
	}
	slices.Reverse(files)
	send(files)
	done, err := c.AdoptAgents(t.Context(), client.AdoptAgentsRequest{All: true, Reason: "start"})
	if err != nil || len(done.Adopted) == 0 {
		t.Fatalf("adopted %+v, %v", done, err)
	}
	eventually(t, "a version", func() bool {
		v, err := c.ListAgentVersions(t.Context(), client.AgentRequest{Name: done.Adopted[0].Name})
		if err != nil {
			t.Fatal(err)
		}
		return len(v.Items) > 0
	})
	for _, g := range done.Adopted {
		versions, err := c.ListAgentVersions(t.Context(), client.AgentRequest{Name: g.Name})
		if err != nil || len(versions.Items) > 1 {
			t.Errorf("%s has the versions %+v, %v", g.Name, versions, err)
		}
		inv, err := c.AgentInventory(t.Context(), client.InventoryRequest{Name: g.Name})
		if err != nil || len(inv.Items) == 0 {
			t.Errorf("%s uses nothing: %+v, %v", g.Name, inv, err)
		}
	}
}
