package app

import (
	"context"
	"path/filepath"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/audit/record"
	"reeve/internal/decision"
	"reeve/internal/siem"
)

// openSIEM checks the targets; the records flow while the process runs.
func (a *App) openSIEM(context.Context) (err error) {
	a.siem, err = siem.New(siem.Options{
		Dir: filepath.Join(a.o.Config.Data, "siem"), Targets: a.o.Config.SIEM, Host: a.stops.Node(), Logger: a.log.With("part", "siem"),
		Sources: []siem.Source{decisionLines{a.decisions}, changeLines{a}},
	})
	return err
}

// decisionLines is the log of decisions as a source.
type decisionLines struct{ log *decision.Log }

func (d decisionLines) Name() string { return d.log.Name() }

func (d decisionLines) Records(ctx context.Context, seq int64, limit int) ([]siem.Record, error) {
	lines, err := d.log.Lines(ctx, seq, limit)
	out := make([]siem.Record, len(lines))
	for i, l := range lines {
		out[i] = siem.Record{Log: d.Name(), Seq: l.Seq, At: l.At, Kind: l.Kind, Line: l.Raw}
	}
	return out, err
}

// changeLines is the log of administrative changes as a source.
type changeLines struct{ app *App }

func (c changeLines) Name() string { return audit.LogName(c.app.control.Install()) }

func (c changeLines) Records(ctx context.Context, seq int64, limit int) ([]siem.Record, error) {
	lines, err := audit.Lines(ctx, c.app.control, seq, limit)
	out := make([]siem.Record, 0, len(lines))
	for _, line := range lines {
		r, err := record.Parse(line)
		if err != nil {
			return out, err
		}
		out = append(out, siem.Record{Log: c.Name(), Seq: r.Seq, At: r.At, Kind: r.Kind, Line: line})
	}
	return out, err
}

// siemStatus is what the API tells of the targets.
func (a *App) siemStatus() []client.SIEMTarget {
	out := []client.SIEMTarget{}
	for _, s := range a.siem.Status() {
		t := client.SIEMTarget{Name: s.Name, Kind: s.Kind, Where: s.Where, Sent: s.Sent, Error: s.Error, Cursors: s.Cursors, Behind: map[string]int64{}}
		for log, last := range map[string]int64{a.decisions.Name(): a.decisions.Stats().Records, audit.LogName(a.control.Install()): a.proofs.changes.Size()} {
			t.Behind[log] = max(0, last-s.Cursors[log])
		}
		for from, into := range map[*time.Time]**time.Time{&s.LastSent: &t.LastSentAt, &s.FailingSince: &t.FailingSince} {
			if !from.IsZero() {
				at := *from
				*into = &at
			}
		}
		out = append(out, t)
	}
	return out
}
