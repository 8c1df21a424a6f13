package app

import (
	"cmp"
	"context"
	"slices"
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
	alertsAtOnce = 1000
	// alertsLook is how often alerts are looked at without being told.
	alertsLook = 5 * time.Second
)

// followAlerts takes what happened to alerts into incidents, in its order, from
// where the last process stopped.
func (a *App) followAlerts(ctx context.Context) error {
	after, err := a.incidents.Cursor(ctx, "alerts")
	if err != nil {
		return err
	}
	look := time.NewTicker(alertsLook)
	defer look.Stop()
	for {
		list, last, err := a.alerts.Moved(ctx, after, alertsAtOnce)
		if err != nil && ctx.Err() == nil {
			a.log.Error("alerts were not taken into incidents and are read again", "err", err)
		}
		if last > after && err == nil {
			signals := make([]incident.Signal, len(list))
			for i := range list {
				signals[i] = a.signalOfAlert(&list[i])
			}
			a.incidents.TakeFrom(ctx, "alerts", last, signals)
			after = last
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-a.alertsMoved:
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

// findingMoved takes a finding that opened or closed, or that a person judged,
// into incidents. It follows the outbox, so that none is left out while this
// process lives; what a crash loses is read again by recallFindings.
func (a *App) findingMoved(ctx context.Context, kind, id string) {
	if kind != "finding.opened" && kind != "finding.closed" && kind != "finding.judged" {
		return
	}
	f, err := a.watching.findings.Get(ctx, id)
	if err != nil {
		return // it is about something else than one finding, or is gone
	}
	a.incidents.Take(ctx, []incident.Signal{a.signalOfFinding(&f)})
}

// recallFindings takes in the findings that are open at the start.
func (a *App) recallFindings(ctx context.Context) error {
	list, err := a.watching.openFindings(ctx)
	if err != nil {
		return err
	}
	signals := make([]incident.Signal, len(list))
	for i := range list {
		signals[len(list)-1-i] = a.signalOfFinding(&list[i]) // the oldest first
	}
	a.incidents.Take(ctx, signals)
	return nil
}

// signalOfFinding reads a finding as incidents do. One that a person called
// noise is over.
func (a *App) signalOfFinding(f *finding.Finding) incident.Signal {
	s := incident.Signal{
		ID: f.ID, Kind: "finding", Fingerprint: f.Fingerprint, At: f.First, Severity: f.Severity, Title: f.Text, Text: f.Why, Team: f.Team, Environment: f.Environment,
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
