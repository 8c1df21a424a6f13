package app

import (
	"context"
	"strconv"
	"time"

	"reeve/internal/control"
	"reeve/internal/cost"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
)

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
