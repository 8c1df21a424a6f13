package api

import (
	"testing"

	"reeve/client"
	"reeve/internal/agent"
)

type oneAgent struct {
	Agents
	is agent.Agent
}

func (o oneAgent) Lookup(name string) (*agent.Agent, bool) { return &o.is, name == o.is.Name }

// What a team says of telemetry of its own that names another team's agent is no
// word about that agent.
func TestVerdictsStayInTheTeam(t *testing.T) {
	t.Parallel()
	a := &API{o: Options{Agents: oneAgent{is: agent.Agent{Name: "refunds", Team: "payments"}}}}
	for _, c := range []struct{ agent, team, want string }{
		{"refunds", "payments", "refunds"},
		{"refunds", "", "refunds"}, // without a key, as in dev mode
		{"refunds", "growth", "growth/refunds"},
		{"nobody", "growth", "nobody"},
	} {
		if got := a.judged(&client.Finding{Agent: c.agent, Team: c.team}, "").Agent; got != c.want {
			t.Errorf("%s of %q: about %q, want %q", c.agent, c.team, got, c.want)
		}
	}
}
