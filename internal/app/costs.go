package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/cost"
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
	return a.costs.Run(ctx, a.api.MonthlyReport, a.mailCosts)
}

// mailCosts mails a written report to each address, as text with the PDF beside it.
func (a *App) mailCosts(ctx context.Context, tx *control.Tx, in string, to []string, w cost.Written, asked bool) error {
	if len(to) == 0 {
		to = []string{""} // the channel's own address
	}
	var files []channel.File
	if w.PDF != nil {
		files = []channel.File{{Name: "cost-" + w.Month + ".pdf", Type: "application/pdf", Data: w.PDF}}
	}
	for _, address := range to {
		d := notify.Delivery{Channel: in, Purpose: "report", Object: "cost-" + w.Month, Message: channel.Message{
			Key: "cost-" + w.Month + "-" + address, Action: channel.Trigger, Severity: "info", Title: "What agents cost in " + w.Month, Text: w.Text, To: address,
			URL: a.outside("/cost?month=" + w.Month), Files: files,
		}}
		if asked { // a mail of its own, not the one that went out before
			d.Message.Key += "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
		}
		if _, err := a.calling.notices.EnqueueIn(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}
