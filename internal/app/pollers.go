package app

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/intake"
	"reeve/internal/intake/dialect/bedrocklog"
	"reeve/internal/intake/dialect/copilotstudio"
	"reeve/internal/poll"
)

// recordPaths are the doors at which intake takes what pollers read.
var recordPaths = map[poll.Kind]string{poll.Transcripts: copilotstudio.Path, poll.Invocations: bedrocklog.Path}

// openPollers loads what is asked for records; they are read while the process
// runs.
func (a *App) openPollers(ctx context.Context) (err error) {
	a.pollers, err = poll.New(ctx, poll.Options{
		DB: a.control, Logger: a.log.With("part", "pollers"),
		Open: func(name, address string, c *client.Credential, allowPrivate bool, timeout time.Duration) (poll.Remote, error) {
			return a.upstreams.Outside(name, address, nil, c, allowPrivate, timeout)
		},
		Team: func(ctx context.Context, name string) error {
			teams, err := a.identity.Teams(ctx)
			if err != nil {
				return err
			}
			for _, t := range teams {
				if t.Name == name {
					return nil
				}
			}
			return fault.New(fault.KindInvalid, "poll.team", "there is no team %.60q", name).WithHint("`reeve team list` lists them")
		},
		Deliver: func(ctx context.Context, p *client.Poller, kind poll.Kind, records []byte) (poll.Taken, error) {
			header := http.Header{}
			if p.Agent != "" {
				header.Set(bedrocklog.AgentHeader, p.Agent)
			}
			t, err := a.intake.Deliver(ctx, recordPaths[kind], header, records, intake.Sender{ID: "poller " + p.Name, Team: p.Team, Environment: p.Environment})
			out := poll.Taken{Steps: t.Spans, Rejected: t.Rejected}
			if len(t.Reasons) > 0 {
				out.Reason = t.Reasons[0]
			}
			return out, err
		},
	})
	return err
}

var (
	pollerRecords = prometheus.NewDesc("reeve_poller_records_total", "Records by poller and what became of them: read, rejected.", []string{"poller", "result"}, nil)
	pollerLag     = prometheus.NewDesc("reeve_poller_lag_seconds", "Time since all that was there had been read.", []string{"poller"}, nil)
	pollerFailing = prometheus.NewDesc("reeve_poller_failing", "1 while a poller cannot read.", []string{"poller"}, nil)
)

// pollers gives how the pollers do.
func (p *parts) pollers(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	for _, d := range p.a.pollers.List() {
		failing := 0.0
		if d.Status.State == "failing" {
			failing = 1
		}
		out <- prometheus.MustNewConstMetric(pollerRecords, counter, float64(d.Status.Records), d.Name, "read")
		out <- prometheus.MustNewConstMetric(pollerRecords, counter, float64(d.Status.Rejected), d.Name, "rejected")
		out <- prometheus.MustNewConstMetric(pollerFailing, gauge, failing, d.Name)
		if d.Status.LagSeconds != nil {
			out <- prometheus.MustNewConstMetric(pollerLag, gauge, *d.Status.LagSeconds, d.Name)
		}
	}
}
