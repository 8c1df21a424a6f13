package incident

import (
	"cmp"

	"reeve/client"
)

// OfAlert reads an alert as incidents do: what its labels name, in the
// words that monitoring uses for it. known tells which agent of a team a name in
// a label means.
func OfAlert(x *client.Alert, known func(team, name string) string) Signal {
	label := func(names ...string) string {
		for _, n := range names {
			if v := x.Labels[n]; v != "" {
				return v
			}
		}
		return ""
	}
	s := Signal{
		ID: x.ID, Kind: "alert", Fingerprint: x.ID, At: x.StateChangedAt, Resolved: x.State == "resolved", Title: x.Title, Text: x.Text, Team: x.Team,
		Environment: cmp.Or(x.Environment, label("environment", "env", "deployment_environment", "deployment.environment.name")), Labels: x.Labels,
		// Labels are the sender's word: no credential stands behind an agent's name.
		Agent: cmp.Or(x.Agent, known(x.Team, label("agent", "reeve_agent", "gen_ai.agent.name", "gen_ai_agent_name", "agent_name"))), Claimed: true,
		Version: label("version", "agent_version", "service_version", "service.version"), Tool: label("tool", "tool_name", "gen_ai.tool.name", "gen_ai_tool_name"),
		Model: label("model", "gen_ai.request.model", "gen_ai_request_model", "model_name"), Provider: label("provider", "gen_ai.provider.name", "gen_ai_provider_name", "gen_ai_system"),
		Source: label("source", "dataset", "data_source", "table"), Policy: label("policy"), Run: label("run", "run_id"), Peer: label("peer", "calls_agent", "on_behalf_of"),
	}
	if s.Tool == "" {
		if server := label("upstream", "mcp_server", "server"); server != "" {
			s.Tool = server + "/"
		}
	}
	switch x.Severity {
	case "critical":
		s.Severity = Critical
	case "info":
		s.Severity = Info
	default:
		s.Severity = Warning
	}
	return s
}
