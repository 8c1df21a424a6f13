package app

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/control/controltest"
	"reeve/internal/finding"
	"reeve/internal/fleet"
	"reeve/internal/incident"
	"reeve/internal/price"
	"reeve/internal/telemetry"
	"reeve/internal/upstream"
)

// withRefunds is an App that knows agents alone: refunds, of team core.
func withRefunds(t *testing.T) *App {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	agents, err := agent.New(t.Context(), agent.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	a := &App{agents: agents}
	register(t, a, "refunds") // of team core
	return a
}

// Whom an act would touch is told to who may touch them.
func TestPreviewsTellWhoMay(t *testing.T) {
	t.Parallel()
	a := withRefunds(t)
	who := incident.Actor{Can: func(role, team, _ string) bool { return role == "responder" && team == "growth" }}
	for _, o := range []incident.Offer{{Kind: handContain, Target: "refunds", Level: agent.Quarantined}, {Kind: handStop, Target: "crm", Level: "upstream"}, {Kind: handStop, Target: "core", Level: "team"}} {
		p, err := incidentHands{a}.Preview(t.Context(), who, o)
		if err != nil || p.Needs == "" || len(p.Hits) != 0 {
			t.Errorf("%s %s: %+v, %v", o.Kind, o.Target, p, err)
		}
	}
}

// What one team's senders say of another team's agent does not join what is known
// of that agent.
func TestSignalsNameTheirOwnAgents(t *testing.T) {
	t.Parallel()
	a := withRefunds(t)
	for _, c := range []struct{ name, team, want string }{
		{"refunds", "core", "refunds"},
		{"refunds", "", "refunds"}, // a source of the whole house
		{"refunds", "growth", ""},
		{"elsewhere", "growth", "elsewhere"}, // registered by nobody
	} {
		if got := a.signalOfAlert(&client.Alert{Team: c.team, Labels: map[string]string{"agent": c.name}}).Agent; got != c.want {
			t.Errorf("an alert of %q about %s: %q, want %q", c.team, c.name, got, c.want)
		}
		if got := a.signalOfFinding(&finding.Finding{Detector: "errors", Team: c.team, Agent: c.name}).Agent; got != c.want {
			t.Errorf("a claimed finding of %q about %s: %q, want %q", c.team, c.name, got, c.want)
		}
		if got := a.signalOfFinding(&finding.Finding{Detector: "errors", Team: c.team, Agent: c.name, Authenticated: true}).Agent; got != c.name {
			t.Errorf("a proved finding about %s: %q", c.name, got)
		}
	}
}

// A finding about how long calls take says of what kind its name is; incidents join by
// the name alone, and by what the map saw that agents use.
func TestSignalsNameWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	a := withRefunds(t)
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if a.book, err = price.Embedded(); err != nil {
		t.Fatal(err)
	}
	if a.upstreams, err = upstream.New(t.Context(), upstream.Options{DB: db, Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	if a.fleet, err = fleet.New(t.Context(), fleet.Options{DB: db, Agents: a.agents}); err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string][2]string{"tool look": {"look", ""}, "model gpt-4o": {"", "gpt-4o"}, "look": {"look", ""}} {
		s := a.signalOfFinding(&finding.Finding{Detector: "latency", Agent: "refunds", Subject: subject, Authenticated: true})
		if got := [2]string{s.Tool, s.Model}; got != want {
			t.Errorf("%s: tool and model %q, want %q", subject, got, want)
		}
	}
	now := time.Now().UnixNano()
	step := activity.Step{Fragment: activity.Fragment{
		Run: activity.RunOfKey("r"), Step: activity.StepOfKey("s"), Agent: "refunds", Environment: "production", Kind: activity.KindTool, Name: "look", ToolName: "look",
		Status: activity.StatusOK, Start: now, End: now, Usage: activity.NoUsage,
	}, Revision: 1, Received: now, Team: "core"}
	a.fleet.Observe(&telemetry.Write{Received: now, Cursor: 1, Steps: []activity.Step{step}})
	uses, err := a.usesOfAgents(t.Context())
	if err != nil || !slices.Contains(uses, incident.Use{Agent: "refunds", Node: incident.Node{Kind: "tool", Value: "look"}}) {
		t.Errorf("%+v %v", uses, err)
	}
}
