package change

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

var t0 = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

func open(t testing.TB, now *time.Time) (*Book, *control.DB) {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b, err := New(Options{
		DB: db, Now: func() time.Time { return *now },
		Match: func(_ string, l map[string]string) (string, string, string) {
			if l["service"] == "refunds" {
				return "refund-agent", "support", "label service=refunds"
			}
			return "", "", ""
		},
		Owner: func(agent string) (string, string) {
			if agent == "refund-agent" {
				return "support", "production"
			}
			return "", ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, db
}

func list(t testing.TB, b *Book, f Filter) []client.Change {
	t.Helper()
	all, _, err := b.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func titles(all []client.Change) string {
	var out []string
	for _, c := range all {
		out = append(out, c.Title)
	}
	return strings.Join(out, "; ")
}

// A deployment's words may come in any order and more than once: the newest
// status stands, and it began when its first word says.
func TestStatusesInAnyOrder(t *testing.T) {
	t.Parallel()
	word := func(status string, minute int) Report {
		return Report{Key: "d1", Kind: "deployment", Title: "refunds to production", Status: status, At: t0, StatusAt: t0.Add(time.Duration(minute) * time.Minute), Labels: map[string]string{"service": "refunds"}}
	}
	words := []Report{word("pending", 0), word("running", 1), word("succeeded", 5)}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0, 2, 1, 1}, {0, 2, 1}} {
		now := t0.Add(time.Hour)
		b, _ := open(t, &now)
		for _, i := range order {
			if err := b.Take(t.Context(), Sender{Source: "forge"}, []Report{words[i]}); err != nil {
				t.Fatal(err)
			}
		}
		all := list(t, b, Filter{})
		if len(all) != 1 || all[0].Status != "succeeded" || !all[0].At.Equal(t0) || all[0].EndedAt == nil || !all[0].EndedAt.Equal(t0.Add(5*time.Minute)) ||
			all[0].Agent != "refund-agent" || all[0].Team != "support" || all[0].AgentReason == "" {
			t.Errorf("%v: %+v", order, all)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	now := t0
	b, _ := open(t, &now)
	future := t0.Add(48 * time.Hour)
	who := Actor{Person: "per_1", Can: func(role, team, _ string) bool { return role == "developer" && team == "support" }}
	for name, c := range map[string]struct {
		in   client.CreateChangeRequest
		kind fault.Kind
	}{
		"no title":             {client.CreateChangeRequest{Kind: "deployment", Team: "support"}, fault.KindInvalid},
		"another kind":         {client.CreateChangeRequest{Kind: "x", Title: "t", Team: "support"}, fault.KindInvalid},
		"another status":       {client.CreateChangeRequest{Kind: "model", Title: "t", Status: "done", Team: "support"}, fault.KindInvalid},
		"the future":           {client.CreateChangeRequest{Kind: "model", Title: "t", At: &future, Team: "support"}, fault.KindInvalid},
		"a script for a link":  {client.CreateChangeRequest{Kind: "model", Title: "t", URL: "javascript:x", Team: "support"}, fault.KindInvalid},
		"too large":            {client.CreateChangeRequest{Kind: "model", Title: "t", After: json.RawMessage(`"` + strings.Repeat("x", 20_000) + `"`), Team: "support"}, fault.KindInvalid},
		"another team":         {client.CreateChangeRequest{Kind: "model", Title: "t", Team: "billing"}, fault.KindDenied},
		"all teams":            {client.CreateChangeRequest{Kind: "model", Title: "t"}, fault.KindDenied},
		"another team's agent": {client.CreateChangeRequest{Kind: "model", Title: "t", Agent: "refund-agent", Team: "billing"}, fault.KindInvalid},
	} {
		if _, err := b.Create(t.Context(), who, c.in); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	one, err := b.Create(t.Context(), who, client.CreateChangeRequest{Kind: "model", Title: "gpt-5", Agent: "refund-agent", Key: "k", Before: json.RawMessage(`"gpt-4"`)})
	if err != nil || one.Team != "support" || one.Environment != "production" || one.By != "per_1" || string(one.Before) != `"gpt-4"` {
		t.Fatalf("%+v, %v", one, err)
	}
	now = now.Add(time.Minute)
	two, err := b.Create(t.Context(), who, client.CreateChangeRequest{Kind: "model", Title: "gpt-5.1", Agent: "refund-agent", Key: "k"})
	if err != nil || two.ID != one.ID || two.Title != "gpt-5.1" || !two.At.Equal(one.At) {
		t.Errorf("the same key: %+v, %v", two, err)
	}
	if err := b.Take(t.Context(), Sender{Source: "x"}, []Report{{Kind: "model", Title: "t"}}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("without a key: %v", err)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	now := t0.Add(time.Hour)
	b, _ := open(t, &now)
	for i, r := range []Report{
		{Agent: "refund-agent", Kind: "prompt"}, {Agent: "other", Team: "billing", Kind: "model"}, {Kind: "policy"}, {Kind: "deployment", Team: "billing", Environment: "staging"},
	} {
		r.Key, r.Title, r.At = fmt.Sprint(i), fmt.Sprintf("c%d", i), t0.Add(time.Duration(i)*time.Minute)
		if err := b.Take(t.Context(), Sender{Source: "s"}, []Report{r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, want string
		f          Filter
	}{
		{"all", "c3; c2; c1; c0", Filter{}},
		{"of an agent and of none", "c3; c2; c0", Filter{Agent: "refund-agent"}},
		{"of an agent within its team", "c2; c0", Filter{Agent: "refund-agent", Team: "support"}},
		{"of an agent alone", "c0", Filter{Agent: "refund-agent", Only: true}},
		{"of a team", "c3; c1", Filter{Team: "billing"}},
		{"of an environment and of none", "c2; c1; c0", Filter{Environment: "production"}},
		{"of kinds", "c2; c0", Filter{Kinds: []string{"prompt", "policy"}}},
		{"a period", "c2; c1", Filter{From: t0.Add(time.Minute), To: t0.Add(3 * time.Minute)}},
		{"words", "c1", Filter{Q: "C1"}},
		{"what a team may see", "c2; c0", Filter{Visible: []Place{{"support", "*"}}}},
		{"nothing", "", Filter{Visible: []Place{}}},
	} {
		if got := titles(list(t, b, c.f)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	page, next, err := b.List(t.Context(), Filter{Limit: 3})
	if err != nil || len(page) != 3 {
		t.Fatal(page, err)
	}
	if rest, last, err := b.List(t.Context(), Filter{Limit: 3, After: next}); err != nil || titles(rest) != "c0" || last.ID != "" {
		t.Errorf("%s, %v, %v", titles(rest), last, err)
	}
}

// Our own changes come from the record of them and from what was observed, each
// once, whatever is read twice.
func TestOurs(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(time.Minute)
	b, db := open(t, &now)
	type state struct{ Team, Lifecycle, Containment, Kind, Value string }
	for _, r := range []audit.Record{
		{Kind: "admin.person_created", Person: "p", Action: "create", Object: "per_2"},
		{Kind: "admin.agent_updated", Person: "p", Action: "promote", Object: "refund-agent", After: state{Team: "support", Lifecycle: "production"}, Reason: "it is good"},
		{Kind: "admin.agent_updated", Person: "p", Action: "contain", Object: "refund-agent", After: state{Team: "support", Containment: "read_only"}},
		{Kind: "admin.policy_updated", Person: "p", Action: "put", Object: "refunds", After: state{Team: "billing"}},
		{Kind: "admin.tool_accepted", Person: "p", Action: "accept", Object: "shop/refund"},
		{Kind: "revoke", Person: "p", Action: "stop", Object: "stp_1", After: map[string]any{"kind": "agent", "value": "refund-agent"}},
		{Kind: "admin.upstream_put", Person: "p", Action: "put", Object: "shop"},
	} {
		if err := db.Write(t.Context(), func(tx *control.Tx) error { return audit.Append(t.Context(), tx, r) }); err != nil {
			t.Fatal(err)
		}
	}
	event := func(kind, data string) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *control.Tx) error {
			return tx.Event(t.Context(), control.Event{Type: kind, Object: "refund-agent", Data: json.RawMessage(data)})
		}); err != nil {
			t.Fatal(err)
		}
	}
	event("agent.version_seen", `{"agent":"refund-agent","version":"ab","changed":null}`)
	event("agent.version_seen", `{"agent":"refund-agent","version":"cd","changed":["prompts"],"at":"2026-01-02T03:04:05Z"}`)
	event("agent.version_seen", `{"agent":"refund-agent","version":"ef","changed":["models","tools"]}`)
	event("run.updated", `{}`)
	for range 3 {
		if more, err := b.Follow(t.Context()); err != nil || more {
			t.Fatal(more, err)
		}
	}
	got := map[string]client.Change{}
	for _, c := range list(t, b, Filter{}) {
		got[c.Title] = c
	}
	for title, want := range map[string]struct{ kind, agent, team string }{
		"refund-agent promoted to production":    {"agent", "refund-agent", "support"},
		"refund-agent contained: read_only":      {"agent", "refund-agent", "support"},
		"policy refunds changed":                 {"policy", "", "billing"},
		"tool shop/refund accepted":              {"tool", "", ""},
		"agent refund-agent stopped":             {"agent", "refund-agent", "support"},
		"upstream shop changed":                  {"upstream", "", ""},
		"refund-agent changed its prompts":       {"prompt", "refund-agent", "support"},
		"refund-agent changed its models, tools": {"agent", "refund-agent", "support"},
	} {
		c, ok := got[title]
		if !ok || c.Kind != want.kind || c.Agent != want.agent || c.Team != want.team || c.Source != Ours {
			t.Errorf("%s: %+v", title, c)
		}
	}
	if at := got["refund-agent changed its prompts"].At; !at.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("a change of the past is of %s, want the day on which its runs were", at)
	}
	if at := got["refund-agent changed its models, tools"].At; now.Sub(at) > time.Hour {
		t.Errorf("a change without a time is of %s, want when it was seen", at)
	}
	if len(got) != 8 {
		t.Errorf("%d changes: %v", len(got), titles(list(t, b, Filter{})))
	}
	if c := got["refund-agent promoted to production"]; c.Text != "it is good" || c.By != "p" {
		t.Errorf("got %+v", c)
	}
}

// Run takes changes as they are made, and ends with its context.
func TestRunFollows(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(time.Minute)
	b, db := open(t, &now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	if err := db.Write(t.Context(), func(tx *control.Tx) error {
		return audit.Append(t.Context(), tx, audit.Record{Kind: "admin.policy_created", Person: "p", Action: "put", Object: "x"})
	}); err != nil {
		t.Fatal(err)
	}
	deadline, tick := time.After(30*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for len(list(t, b, Filter{})) == 0 {
		b.Wake()
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the change was not taken")
		}
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("Run should tell why it ended")
	}
}
