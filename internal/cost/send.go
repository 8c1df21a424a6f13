package cost

import (
	"context"
	"time"

	"reeve/internal/control"
)

// Write makes the text of a month's report.
type Write func(ctx context.Context, month string) (string, error)

// Send hands a report over, in the transaction that notes that it is sent.
type Send func(ctx context.Context, tx *control.Tx, channel string, to []string, month, text string) error

const lookEvery = 5 * time.Minute

// Run sends the report of each month, once, from the day on that the settings
// name, until ctx ends.
func (b *Book) Run(ctx context.Context, write Write, send Send) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := b.due(ctx, write, send); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("the monthly report is not sent yet", "err", err) // it is tried again
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// due sends the report of the month before, where it is time and it was not sent.
// A report that was due before anybody wanted one is not sent after it.
func (b *Book) due(ctx context.Context, write Write, send Send) error {
	s := b.Settings()
	if s.Report.Channel == "" {
		return nil
	}
	now := b.o.Now().In(s.Location())
	first := time.Date(now.Year(), now.Month(), s.Report.Day, 6, 0, 0, 0, s.Location())
	if now.Before(first) || s.Report.Since.After(first) {
		return nil
	}
	month := s.MonthOf(time.Date(now.Year(), now.Month(), 0, 12, 0, 0, 0, s.Location()))
	_, sent, err := control.One(ctx, b.o.DB, func(r control.Row) (m string, err error) { return m, r.Scan(&m) }, `SELECT month FROM cost_reports WHERE month = ?`, month)
	if err != nil || sent {
		return err
	}
	text, err := write(ctx, month)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO cost_reports (month, at) VALUES (?, ?) ON CONFLICT (month) DO NOTHING`, month, control.Micros(now))
		if err != nil || n == 0 {
			return err
		}
		return send(ctx, tx, s.Report.Channel, s.Report.To, month, text)
	})
}
