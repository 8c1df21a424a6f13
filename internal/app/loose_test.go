package app

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"reeve/client"
)

// Log records and metric points that name no run belong to the team of their key: a
// rule of retention of that team takes them, and nobody else's.
func TestRetentionOfLooseRecords(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c, ctx := client.New("http://"+a.Address("listen"), ""), t.Context()
	if _, err := c.CreateTeam(ctx, client.CreateTeamRequest{Name: "core"}); err != nil {
		t.Fatal(err)
	}
	key, err := c.CreateIntakeKey(ctx, client.CreateIntakeKeyRequest{Name: "ci", Team: "core", Environment: "staging"})
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-5 * 24 * time.Hour)
	for _, headers := range [][]string{{"X-Api-Key", key.Secret}, nil} {
		for path, text := range map[string]string{
			"/v1/logs":    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"a line"}}]}]}]}`,
			"/v1/metrics": `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"n","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1"}]}}]}]}]}`,
		} {
			if got := post(ctx, "http://"+a.Address("listen")+path, "application/json", fmt.Appendf(nil, text, old.UnixNano()), headers...); got.status != http.StatusOK {
				t.Fatal(got)
			}
		}
	}
	seen := func() (records, points map[string]int) {
		t.Helper()
		from := old.Add(-time.Hour).UTC().Format(time.RFC3339)
		l, err := c.ListLogs(ctx, client.ListLogsRequest{Loose: true, From: from})
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.ListMetricPoints(ctx, client.ListMetricPointsRequest{From: from, Name: "n"})
		if err != nil {
			t.Fatal(err)
		}
		records, points = map[string]int{}, map[string]int{}
		for _, x := range l.Items {
			records[x.Team+"/"+x.Environment]++
		}
		for _, x := range m.Items {
			points[x.Team+"/"+x.Environment]++
		}
		return records, points
	}
	eventually(t, "records and points with their places", func() bool {
		r, p := seen()
		return r["core/staging"] == 1 && p["core/staging"] == 1 && len(r) == 2 && len(p) == 2
	})
	if _, err := c.PutRetention(ctx, client.PutRetentionRequest{Kind: "runs", Team: "core", Days: 3, Reason: "contract"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the team's to be gone, and nobody else's", func() bool {
		r, p := seen()
		return len(r) == 1 && len(p) == 1 && r["core/staging"]+p["core/staging"] == 0
	})
}
