package cost

import (
	"context"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
)

// Written is a month's report: as Markdown, and as a PDF; nil where none could be
// made.
type Written struct {
	Month, Text string
	PDF         []byte
}

// Write makes a month's report.
type Write func(ctx context.Context, month string) (Written, error)

// Send hands a report over, in the transaction that notes that it is sent. asked
// says that a person wanted it now.
type Send func(ctx context.Context, tx *control.Tx, channel string, to []string, w Written, asked bool) error

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

// Sending is what is known of the mail of the monthly report.
type Sending struct {
	LastMonth string    // the newest month whose report was handed over; "" none
	LastAt    time.Time // when
	NextAt    time.Time // when the next is due; zero: nobody wants one
}

// dayOf is when the report of the month before now's is due.
func (s *Settings) dayOf(now time.Time) time.Time {
	now = now.In(s.Location())
	return time.Date(now.Year(), now.Month(), s.Report.Day, 6, 0, 0, 0, s.Location())
}

// Sending says which report went out last and when the next is due.
func (b *Book) Sending(ctx context.Context) (out Sending, err error) {
	last, some, err := control.One(ctx, b.o.DB, func(r control.Row) (x Sending, err error) {
		var at int64
		err = r.Scan(&x.LastMonth, &at)
		x.LastAt = control.Time(at)
		return x, err
	}, `SELECT month, at FROM cost_reports ORDER BY at DESC, month DESC LIMIT 1`)
	if err != nil {
		return out, err
	}
	if some {
		out = last
	}
	s := b.Settings()
	if s.Report.Channel == "" {
		return out, nil
	}
	first := s.dayOf(b.o.Now())
	out.NextAt = first
	sent, err := b.sent(ctx, s.monthBefore(first))
	if err != nil {
		return out, err
	}
	if sent || s.Report.Since.After(first) {
		out.NextAt = s.dayOf(time.Date(first.Year(), first.Month()+1, 1, 12, 0, 0, 0, s.Location()))
	}
	return out, nil
}

// monthBefore is the month before that of t.
func (s *Settings) monthBefore(t time.Time) string {
	return s.MonthOf(time.Date(t.Year(), t.Month(), 0, 12, 0, 0, 0, s.Location()))
}

// sent tells whether a month's report was handed over.
func (b *Book) sent(ctx context.Context, month string) (bool, error) {
	_, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (m string, err error) { return m, r.Scan(&m) }, `SELECT month FROM cost_reports WHERE month = ?`, month)
	return ok, err
}

// due sends the report of the month before, where it is time and it was not sent.
// A report that was due before anybody wanted one is not sent after it.
func (b *Book) due(ctx context.Context, write Write, send Send) error {
	s := b.Settings()
	if s.Report.Channel == "" {
		return nil
	}
	now, first := b.o.Now(), s.dayOf(b.o.Now())
	if now.Before(first) || s.Report.Since.After(first) {
		return nil
	}
	month := s.monthBefore(first)
	if sent, err := b.sent(ctx, month); err != nil || sent {
		return err
	}
	w, err := write(ctx, month)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO cost_reports (month, at) VALUES (?, ?) ON CONFLICT (month) DO NOTHING`, month, control.Micros(now))
		if err != nil || n == 0 {
			return err
		}
		return send(ctx, tx, s.Report.Channel, s.Report.To, w, false)
	})
}

// SendNow sends a month's report to those who get it, whether it went out or not;
// by itself it goes out no more.
func (b *Book) SendNow(ctx context.Context, who Actor, month string, write Write, send Send) error {
	s := b.Settings()
	if s.Report.Channel == "" {
		return invalid("nobody gets a month's report").WithHint("name a channel of kind email in the settings of cost")
	}
	from, _, err := s.Month(month)
	if err != nil {
		return err
	}
	now := b.o.Now()
	if now.Before(from) {
		return invalid("%s is to come", month)
	}
	w, err := write(ctx, month)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		// A month that goes on is not over: its report still goes out by itself.
		if s.MonthOf(now) != month {
			if _, err := tx.Exec(ctx, `INSERT INTO cost_reports (month, at) VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET at = excluded.at`, month, control.Micros(now)); err != nil {
				return err
			}
		}
		if err := send(ctx, tx, s.Report.Channel, s.Report.To, w, true); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.cost_report", Person: who.Person, Via: who.Via, Action: "send", Object: month})
	})
}
