package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/finding"
	"reeve/internal/incident"
)

// This file hands findings and alerts to incidents.

// wake tells a follower that there is news; one word is enough.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

const (
	movedAtOnce = 1000
	// movedLook is how often news are looked for without being told.
	movedLook = 5 * time.Second
)

// followAlerts takes what happened to alerts into incidents.
func (a *App) followAlerts(ctx context.Context) error {
	return a.follow(ctx, "alerts", a.alertsMoved, func(after int64) (signals []incident.Signal, last int64, err error) {
		list, last, err := a.alerts.Moved(ctx, after, movedAtOnce)
		for i := range list {
			signals = append(signals, a.signalOfAlert(&list[i]))
		}
		return signals, last, err
	})
}

// followFindings takes what happened to findings into incidents. What is merely
// worth knowing opens none.
func (a *App) followFindings(ctx context.Context) error {
	return a.follow(ctx, "findings", a.watching.moved, func(after int64) (signals []incident.Signal, last int64, err error) {
		list, last, err := a.watching.findings.Moved(ctx, after, movedAtOnce)
		for i := range list {
			if list[i].Severity != finding.Info {
				signals = append(signals, a.signalOfFinding(&list[i]))
			}
		}
		return signals, last, err
	})
}

// follow takes news into incidents in their order, from where the last process
// stopped. told has a word when there may be some.
func (a *App) follow(ctx context.Context, what string, told <-chan struct{}, news func(after int64) ([]incident.Signal, int64, error)) error {
	after, err := a.incidents.Cursor(ctx, what)
	if err != nil {
		return err
	}
	look := time.NewTicker(movedLook)
	defer look.Stop()
	for {
		signals, last, err := news(after)
		if err != nil && ctx.Err() == nil {
			a.log.Error("news were not taken into incidents and are read again", "of", what, "err", err)
		}
		if last > after && err == nil {
			a.incidents.TakeFrom(ctx, what, last, signals)
			after = last
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-told:
		case <-look.C:
		}
	}
}

// spokenOf is the agent that a team's word names: not another team's, or anybody
// who may send could put their signals, and with them their responders, into the
// incidents of others.
func (a *App) spokenOf(team, name string) string {
	if g, ok := a.agents.Lookup(name); ok && team != "" && g.Team != team {
		return ""
	}
	return name
}

// signalOfAlert reads an alert as incidents do: what its labels name, in the
// words that monitoring uses for it.
func (a *App) signalOfAlert(x *client.Alert) incident.Signal {
	label := func(names ...string) string {
		for _, n := range names {
			if v := x.Labels[n]; v != "" {
				return v
			}
		}
		return ""
	}
	s := incident.Signal{
		ID: x.ID, Kind: "alert", Fingerprint: x.ID, At: x.StateChangedAt, Resolved: x.State == alert.Resolved, Title: x.Title, Text: x.Text, Team: x.Team,
		Environment: cmp.Or(x.Environment, label("environment", "env", "deployment_environment", "deployment.environment.name")), Labels: x.Labels,
		// Labels are the sender's word: no credential stands behind an agent's name.
		Agent: cmp.Or(x.Agent, a.spokenOf(x.Team, label("agent", "reeve_agent", "gen_ai.agent.name", "gen_ai_agent_name", "agent_name"))), Claimed: true,
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
	case alert.Critical:
		s.Severity = incident.Critical
	case alert.Info:
		s.Severity = incident.Info
	default:
		s.Severity = incident.Warning
	}
	return s
}

// signalOfFinding reads a finding as incidents do. One that a person called
// noise is over.
func (a *App) signalOfFinding(f *finding.Finding) incident.Signal {
	s := incident.Signal{
		ID: f.ID, Kind: "finding", Fingerprint: f.Fingerprint, At: f.First, Severity: f.Severity, Title: strings.TrimSpace(f.Agent + " " + f.Text), Text: f.Why, Team: f.Team, Environment: f.Environment,
		Agent: f.Agent, Version: f.Version, Claimed: !f.Authenticated, Labels: map[string]string{"detector": f.Detector},
		Resolved: !f.Open() || f.Verdict != nil && f.Verdict.Verdict == finding.Noise,
	}
	if s.Resolved {
		s.At = time.Time{} // now: its last sighting was before
	}
	if s.Claimed {
		s.Agent = a.spokenOf(s.Team, s.Agent)
	}
	if len(f.Runs) > 0 {
		s.Run = f.Runs[len(f.Runs)-1]
	}
	switch {
	case f.Subject == "":
	case f.Detector == "new_source":
		s.Source = f.Subject
	case f.Detector == "new_peer":
		s.Peer = f.Subject
	case f.Detector == "new_model", f.Detector == "provider_change", f.Detector == "output_length", a.isModel(f.Subject):
		s.Model = f.Subject
	case slices.Contains([]string{"errors", "latency", "loop", "retry_storm", "new_tool", "refusals", "injected_destination"}, f.Detector):
		s.Tool = f.Subject
	default:
		s.Labels["subject"] = f.Subject
	}
	return s
}

// isModel reports whether a name is a model's: one that an upstream offers, or
// that has a price.
func (a *App) isModel(name string) bool {
	if _, _, priced := a.book.Bound("", name, time.Now(), 1, 1); priced {
		return true
	}
	return slices.ContainsFunc(a.upstreams.List(), func(u client.Upstream) bool {
		return u.Kind == "llm" && slices.ContainsFunc(u.Models, func(m client.ModelRule) bool { return m.Name == name })
	})
}
