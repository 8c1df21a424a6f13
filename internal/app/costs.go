package app

import (
	"context"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/finding"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
	"reeve/internal/source"
)

// tellBreach makes a finding of a source that breaks a limit of its readiness.
func (a *App) tellBreach(ctx context.Context, t source.Told) {
	text := make([]string, len(t.Breaches))
	for i, b := range t.Breaches {
		text[i] = b.Text
	}
	out := ""
	if t.Out {
		out = "; it is out of use"
	}
	_, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: "source_readiness", Severity: finding.Warning, Team: t.Source.Team,
		Fingerprint: finding.Fingerprint("source_readiness", t.Source.Name, t.Breaches[0].Limit),
		Subject:     t.Source.Name, Text: "source " + t.Source.Name + " is not ready: " + strings.Join(text, "; ") + out, Measure: t.Breaches[0].Limit, Event: time.Now().UnixNano(),
	})
	if err != nil && ctx.Err() == nil {
		a.log.Warn("a source that breaks its limits is not told of", "source", t.Source.Name, "err", err) // in a minute again
	}
}

// reportCosts mails the report of the month before, on the day that the settings
// name.
func (a *App) reportCosts(ctx context.Context) error {
	return a.costs.Run(ctx, a.api.MonthlyReport, func(ctx context.Context, tx *control.Tx, in string, to []string, month, text string) error {
		if len(to) == 0 {
			to = []string{""} // the channel's own address
		}
		for _, address := range to {
			d := notify.Delivery{Channel: in, Purpose: "report", Object: "cost-" + month, Message: channel.Message{
				Key: "cost-" + month + "-" + address, Action: channel.Trigger, Severity: "info", Title: "What agents cost in " + month, Text: text, To: address,
				URL: a.outside("/cost?month=" + month),
			}}
			if _, err := a.calling.notices.EnqueueIn(ctx, tx, d); err != nil {
				return err
			}
		}
		return nil
	})
}
