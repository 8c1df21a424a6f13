package app

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"reeve/client"
)

// TestPollers reads a transcript of Copilot Studio and calls of Bedrock from
// stubs through a whole server, kills it, and finds each once.
func TestPollers(t *testing.T) {
	t.Parallel()
	rows, err := os.ReadFile("../intake/testdata/made/copilot-studio/001-rows.json")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := os.ReadFile("../intake/testdata/made/bedrock-logs/001-records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	// The records are moved to today: what is older than retention is not kept.
	rows = bytes.ReplaceAll(rows, []byte("17936000"), []byte(fmt.Sprint(now.Add(-time.Hour).Unix()/100)))
	calls = bytes.ReplaceAll(calls, []byte("2026-11-02T10"), []byte(now.Add(-time.Hour).Format("2006-01-02T15")))
	dataverse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if user, password, _ := r.BasicAuth(); user != "client-1" || password != "its-secret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = fmt.Fprint(w, `{"access_token":"a-token","expires_in":3599}`)
			return
		}
		if r.Header.Get("Authorization") != "Bearer a-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(rows)
	}))
	t.Cleanup(dataverse.Close)
	hour := now.Add(-time.Hour).Format("2006/01/02/15")
	const prefix = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/"
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKID/") || !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/s3/aws4_request") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.URL.Path == "/" {
			_, _ = fmt.Fprintf(w, `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>%s%s/a.json.gz</Key></Contents></ListBucketResult>`, prefix, hour)
			return
		}
		z := gzip.NewWriter(w)
		_, _ = z.Write(calls)
		_ = z.Close()
	}))
	t.Cleanup(bucket.Close)

	o := childOptions{Dir: t.TempDir(), Env: []string{"COPILOT_SECRET=its-secret", "BEDROCK_KEYS=AKID:its-key"}}
	server := startChild(t, o)
	if _, err := server.api.CreateTeam(t.Context(), client.CreateTeamRequest{Name: "care"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []client.PutPollerRequest{
		{Name: "copilot", Kind: "copilot_studio", URL: dataverse.URL, TokenURL: dataverse.URL + "/token", Credential: &client.Credential{Kind: "basic", User: "client-1", Source: "env", Ref: "COPILOT_SECRET"}},
		{Name: "bedrock", Kind: "bedrock_s3", URL: bucket.URL, Prefix: prefix, Credential: &client.Credential{Kind: "sigv4", Region: "us-east-1", Header: "s3", Source: "env", Ref: "BEDROCK_KEYS"}},
	} {
		p.Team, p.Environment, p.AllowPrivate = "care", "production", true
		if _, err := server.api.PutPoller(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(server *child) bool {
		runs, err := server.api.ListRuns(t.Context(), client.ListRunsRequest{Team: "care", Limit: 100})
		return err == nil && len(runs.Items) == 5
	}
	eventually(t, "a conversation and four calls", func() bool { return seen(server) })
	_ = server.end(t, syscall.SIGKILL)
	again := startChild(t, o)
	eventually(t, "both pollers to have read all", func() bool {
		list, err := again.api.ListPollers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list.Items {
			if p.Status.LastPollAt == nil || p.Status.LagSeconds == nil || p.Status.State != "waiting" {
				return false
			}
		}
		return seen(again)
	})
	list, err := again.api.ListPollers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Items {
		if want := map[string]int64{"copilot": 1, "bedrock": 4}[p.Name]; p.Status.Records != want || p.Status.Rejected != 0 || !p.Credential.Set {
			t.Errorf("%s: %+v, want %d records", p.Name, p.Status, want)
		}
	}
	runs, err := again.api.ListRuns(t.Context(), client.ListRunsRequest{Session: "conv-123"})
	if err != nil || len(runs.Items) != 1 {
		t.Fatalf("%v, %v", runs, err)
	}
	if r := runs.Items[0]; r.Outcome == nil || *r.Outcome != "escalated" || r.Usage.InputTotal != nil || r.Cost.Amount != nil {
		t.Errorf("the conversation is %+v", r)
	}
	if err := again.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
