package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/client"
)

// captured is what a recording's truth says, and what Reeve makes of it.
type captured struct {
	Runs, Traces, CallsOK, CallsFailed, Embeddings, Tools int

	Input, Output, CacheRead     *int64 // what the runs say
	InputOfSteps, OutputOfSteps  int64  // and their counted steps
	Agent, Session, User, Status string
}

// TestCapturesThroughTheServer sends every recorded body to a running Reeve, and
// compares runs and steps as the API gives them with what a careful reader found in
// the recording: leaf calls, tokens once, unknown as unknown. That what is read of the
// bodies is right is intake.TestCaptures; this is of folding, counting and storing.
func TestCapturesThroughTheServer(t *testing.T) {
	t.Parallel()
	const dir = "../intake/testdata/captures"
	var truths map[string]struct {
		Runs        int     `json:"runs"`
		Traces      int     `json:"traces"`
		CallsOK     int     `json:"model_calls_ok"`
		CallsFailed int     `json:"model_calls_failed"`
		Embeddings  int     `json:"embeddings"`
		Tools       int     `json:"tool_calls"`
		Input       *int64  `json:"input_total"`
		CacheRead   *int64  `json:"input_cache_read"`
		Output      *int64  `json:"output_total"`
		Agent       string  `json:"agent"`
		Session     *string `json:"session"`
		User        *string `json:"user"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &truths); err != nil || len(truths) < 14 {
		t.Fatalf("%d truths: %v", len(truths), err)
	}
	a := start(t, func(c *Config) { c.Store.MaxAge = 0; c.Intake.MaxBody = 16 << 20 })
	base := "http://" + a.Address("listen")
	c := client.New(base, "")
	for name, truth := range truths {
		// A key each, so that what came of each recording can be told apart.
		team := strings.ReplaceAll(name, "_", "-")
		if _, err := c.CreateTeam(t.Context(), client.CreateTeamRequest{Name: team}); err != nil {
			t.Fatal(err)
		}
		key, err := c.CreateIntakeKey(t.Context(), client.CreateIntakeKeyRequest{Name: name, Team: team, Environment: "production"})
		if err != nil {
			t.Fatal(err)
		}
		sendCapture(t, base, filepath.Join(dir, name), key.Secret)
		want := captured{
			Runs: truth.Runs, Traces: truth.Traces, CallsOK: truth.CallsOK, CallsFailed: truth.CallsFailed, Embeddings: truth.Embeddings, Tools: truth.Tools,
			Input: truth.Input, Output: truth.Output, CacheRead: truth.CacheRead, Agent: truth.Agent, Status: "done",
		}
		for from, to := range map[**int64]*int64{&truth.Input: &want.InputOfSteps, &truth.Output: &want.OutputOfSteps} {
			if *from != nil {
				*to = **from
			}
		}
		for from, to := range map[**string]*string{&truth.Session: &want.Session, &truth.User: &want.User} {
			if *from != nil {
				*to = **from
			}
		}
		var got captured
		settled := func() bool {
			got = seenOf(t, c, team)
			return got.Runs == want.Runs && got.Status == want.Status && cmp.Equal(got, want)
		}
		if !comesTrue(t, settled) {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(want, got))
		}
	}
}

// comesTrue asks for a quarter of a minute.
func comesTrue(t *testing.T, is func() bool) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return true
}

// sendCapture posts the bodies of a recording as its client did.
func sendCapture(t *testing.T, base, dir, key string) {
	t.Helper()
	bodies, err := filepath.Glob(filepath.Join(dir, "*.body.bin"))
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no bodies in %s: %v", dir, err)
	}
	for _, file := range bodies {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var meta struct {
			Method, Path string
			Headers      map[string][]string
		}
		text, err := os.ReadFile(strings.TrimSuffix(file, ".body.bin") + ".meta.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &meta); err != nil {
			t.Fatal(err)
		}
		headers := []string{"X-Api-Key", key}
		kind := "application/x-protobuf"
		if strings.HasSuffix(dir, "-grpc") {
			// The same messages; that gRPC carries them is intake's to show.
			signal := strings.TrimSuffix(file[strings.LastIndex(file, "v1_")+len("v1_"):], ".body.bin")
			meta.Path = "/v1/" + signal
		} else {
			for name, values := range meta.Headers {
				switch strings.ToLower(name) {
				case "content-type":
					kind = values[0]
				case "content-length", "content-encoding", "authorization", "host", "connection", "x-api-key", "dd-api-key", "api_key", "accept-encoding":
				default:
					headers = append(headers, name, values[0])
				}
			}
		}
		if meta.Method != "" && meta.Method != "POST" {
			continue // a client that asks what the server can
		}
		if got := post(t.Context(), base+meta.Path, kind, body, headers...); got.status/100 != 2 || strings.Contains(got.body, "partialSuccess") {
			t.Fatalf("%s: %d %s", file, got.status, got.body)
		}
	}
}

// seenOf is what a person would see of a team's runs and their steps.
func seenOf(t *testing.T, c *client.Client, team string) captured {
	t.Helper()
	list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Team: team, From: "2026-01-01T00:00:00Z", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	got := captured{Runs: len(list.Items)}
	add := func(to **int64, n *int64) {
		if n == nil {
			return
		}
		if *to == nil {
			*to = new(int64)
		}
		**to += *n
	}
	var agents, sessions, users, states []string
	for _, r := range list.Items {
		add(&got.Input, r.Usage.InputTotal)
		add(&got.Output, r.Usage.OutputTotal)
		add(&got.CacheRead, r.Usage.InputCacheRead)
		got.Traces += len(r.TraceIDs)
		agents, sessions, users, states = append(agents, r.Agent), append(sessions, r.Session), append(users, r.User), append(states, string(r.Status))
		steps, err := c.ListSteps(t.Context(), client.ListStepsRequest{ID: r.ID})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps.Items {
			switch s.Kind {
			case "tool":
				got.Tools++
			case "embedding":
				got.Embeddings++
			}
			if !s.Counted {
				continue
			}
			if s.Usage.InputTotal != nil {
				got.InputOfSteps += *s.Usage.InputTotal
			}
			if s.Usage.OutputTotal != nil {
				got.OutputOfSteps += *s.Usage.OutputTotal
			}
			switch {
			case s.Kind != "model":
			case s.Status == "error":
				got.CallsFailed++
			default:
				got.CallsOK++
			}
		}
	}
	// All runs of a story have the same agent, session and user.
	one := func(all []string) string {
		slices.Sort(all)
		return strings.Join(slices.Compact(all), " and ")
	}
	got.Agent, got.Session, got.User, got.Status = one(agents), one(sessions), one(users), one(states)
	return got
}
