package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// house reports backups to /metrics. A time of 0 is never.
type house struct{ b *backups }

var (
	backupAt     = prometheus.NewDesc("reeve_backup_last_success_timestamp_seconds", "When the last whole backup was begun; 0: never.", nil, nil)
	backupTried  = prometheus.NewDesc("reeve_backup_last_trial_timestamp_seconds", "When a backup was last restored on trial and held; 0: never.", nil, nil)
	backupBytes  = prometheus.NewDesc("reeve_backup_last_bytes", "Size of the last whole backup.", nil, nil)
	backupFailed = prometheus.NewDesc("reeve_backup_failures_total", "Backups that were not made, since the start.", nil, nil)
)

// Describe lists what is collected.
func (h house) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{backupAt, backupTried, backupBytes, backupFailed} {
		ch <- d
	}
}

// Collect reads what is in memory.
func (h house) Collect(ch chan<- prometheus.Metric) {
	h.b.mu.Lock()
	last, tried, failed := h.b.last, h.b.tried, h.b.failed
	h.b.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(backupAt, prometheus.GaugeValue, unixOf(last.At))
	ch <- prometheus.MustNewConstMetric(backupTried, prometheus.GaugeValue, unixOf(tried))
	ch <- prometheus.MustNewConstMetric(backupBytes, prometheus.GaugeValue, float64(last.Bytes))
	ch <- prometheus.MustNewConstMetric(backupFailed, prometheus.CounterValue, float64(failed))
}

func unixOf(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}
