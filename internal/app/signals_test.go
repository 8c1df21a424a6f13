package app

import (
	"path/filepath"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/control/controltest"
	"reeve/internal/finding"
	"reeve/internal/incident"
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
