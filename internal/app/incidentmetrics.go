package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	incidentsLive   = prometheus.NewDesc("reeve_incidents_live", "Incidents that are not over, by state and severity.", []string{"state", "severity"}, nil)
	pagesNow        = prometheus.NewDesc("reeve_pages", "Pages of the last day, by state; paging and exhausted have no answer.", []string{"state"}, nil)
	deliveriesNow   = prometheus.NewDesc("reeve_deliveries", "Deliveries of the last day, by channel and state.", []string{"channel", "state"}, nil)
	deliveryOldest  = prometheus.NewDesc("reeve_delivery_oldest_queued_seconds", "How long the delivery that waits longest has waited.", nil, nil)
	lessonsActive   = prometheus.NewDesc("reeve_lessons_active", "Lessons that hold.", nil, nil)
	incidentSignals = prometheus.NewDesc("reeve_incident_signals_total", "Signals that incidents took, by what came of them.", []string{"what"}, nil)
)

// incidentFigures gives what waits for people, and whether they were told.
func (p *parts) incidentFigures(ctx context.Context, out chan<- prometheus.Metric) {
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	s, live := p.a.incidents.Stats()
	for k, n := range live {
		out <- prometheus.MustNewConstMetric(incidentsLive, gauge, float64(n), k[0], k[1])
	}
	for what, n := range map[string]int64{"taken": s.Taken, "again": s.Again, "joined": s.Joined, "opened": s.Opened, "silenced": s.Silent, "absorbed": s.Absorbs, "lost": s.Lost} {
		out <- prometheus.MustNewConstMetric(incidentSignals, counter, float64(n), what)
	}
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("reeve_incident_writes_failed_total", "Writes of incidents that failed and were tried again.", nil, nil), counter, float64(s.Failed))
	// A database that is busy leaves figures out rather than to hold the scrape up.
	if pages, err := p.a.calling.book.Counts(ctx); err == nil {
		for state, n := range pages {
			out <- prometheus.MustNewConstMetric(pagesNow, gauge, float64(n), state)
		}
	}
	if sent, oldest, err := p.a.calling.notices.Counts(ctx); err == nil {
		for k, n := range sent {
			out <- prometheus.MustNewConstMetric(deliveriesNow, gauge, float64(n), k[0], k[1])
		}
		out <- prometheus.MustNewConstMetric(deliveryOldest, gauge, oldest.Seconds())
	}
	out <- prometheus.MustNewConstMetric(lessonsActive, gauge, float64(p.a.lessons.Active()))
}
