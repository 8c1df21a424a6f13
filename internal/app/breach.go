package app

import (
	"cmp"
	"context"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/incident"
	"reeve/internal/source"
)

// readyWithin is when a source has to keep its limits again, or have others.
const readyWithin = 3 * 24 * time.Hour

// tellBreach makes a finding of a source that breaks a limit of its readiness, which
// becomes an incident as any does, with somebody who has to bring the source back.
func (a *App) tellBreach(ctx context.Context, t source.Told) {
	text := make([]string, len(t.Breaches))
	for i, b := range t.Breaches {
		text[i] = b.Text
	}
	out := ""
	if t.Out {
		out = "; it is out of use"
	}
	f, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: "source_readiness", Severity: finding.Warning, Team: t.Source.Team,
		Fingerprint: finding.Fingerprint("source_readiness", t.Source.Name, t.Breaches[0].Limit),
		Subject:     t.Source.Name, Text: "source " + t.Source.Name + " is not ready: " + strings.Join(text, "; ") + out, Measure: t.Breaches[0].Limit, Event: time.Now().UnixNano(),
	})
	if err == nil {
		err = a.ownBreach(ctx, &t.Source, f.Fingerprint)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("a source that breaks its limits is not told of", "source", t.Source.Name, "err", err) // in a minute again
	}
}

// ownBreach gives the incident of a breach somebody who answers for the source, and a
// date. A breach is told of each minute while it lasts, so that an incident which is not
// there yet has its owner with the next.
func (a *App) ownBreach(ctx context.Context, s *client.Source, fingerprint string) error {
	id, live, ok := a.incidents.Of(fingerprint)
	if !ok || !live {
		return nil
	}
	text := "Have source " + s.Name + " keep its limits again, or change them"
	tasks, err := a.incidents.Tasks(ctx, id)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.Text == text {
			return nil // also where it is done: whoever did it was asked already
		}
	}
	owner := cmp.Or(s.Owner, strings.TrimSpace(s.Team+" owner of source "+s.Name))
	_, err = a.incidents.AddTask(ctx, feedbackActor, id, incident.Task{Kind: incident.TaskAction, Owner: owner, DueAt: time.Now().Add(readyWithin).UTC().Truncate(time.Microsecond), Text: text})
	if fault.Is(err, fault.KindNotFound) { // not stored yet
		return nil
	}
	return err
}
