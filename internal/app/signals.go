package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
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

// signalOfAlert reads an alert as incidents do.
func (a *App) signalOfAlert(x *client.Alert) incident.Signal {
	s := incident.OfAlert(x, a.spokenOf)
	if team := x.Labels["team"]; s.Team == "" && len(team) <= 100 {
		// The source is of no team, so it may speak for each; a team's own source
		// speaks for that team whatever its labels say.
		s.Team = team
	}
	return s
}

// signalOfFinding reads a finding as incidents do. One that a person called
// noise is over.
func (a *App) signalOfFinding(f *finding.Finding) incident.Signal {
	s := incident.Signal{
		ID: f.ID, Kind: "finding", Fingerprint: f.Fingerprint, At: f.First, Severity: f.Severity, Title: finding.Line(f.Agent, f.Text), Text: f.Why, Team: f.Team, Environment: f.Environment,
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
	subject := f.Subject
	if f.Detector == "latency" { // it says of what kind the name is
		for _, kind := range []string{"tool ", "source ", "peer ", "model "} {
			subject = strings.TrimPrefix(subject, kind)
		}
	}
	switch {
	case f.Subject == "":
	case f.Detector == "new_source", f.Detector == "stale_source", f.Detector == "source_readiness":
		s.Source = f.Subject
	case f.Detector == "new_peer":
		s.Peer = f.Subject
	case f.Detector == "new_model", f.Detector == "provider_change", f.Detector == "output_length", a.isModel(subject):
		s.Model = subject
	case slices.Contains([]string{"errors", "latency", "loop", "retry_storm", "new_tool", "refusals", "injected_destination"}, f.Detector):
		s.Tool = subject
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
