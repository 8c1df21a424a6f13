package app

import (
	"context"

	"reeve/internal/control"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
)

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
