package app

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/client"
	"reeve/internal/api"
	"reeve/internal/kpi"
)

// KPIs on /metrics are those of the last day, computed apart from the scrape: a
// scrape must not wait for questions to the store.
const (
	kpiEvery  = time.Minute
	kpiPeriod = 24 * time.Hour
	// kpiAgents bounds the labels: the agents with the most records of each.
	kpiAgents = 100
)

var (
	kpiLabels   = []string{"kpi", "unit", "agent"}
	kpiValue    = prometheus.NewDesc("reeve_kpi_value", "A KPI over the last 24 hours, by agent; agent is empty for all. Unknown ones are absent.", kpiLabels, nil)
	kpiLow      = prometheus.NewDesc("reeve_kpi_low", "Lower end of its 95 % interval.", kpiLabels, nil)
	kpiHigh     = prometheus.NewDesc("reeve_kpi_high", "Upper end of its 95 % interval.", kpiLabels, nil)
	kpiRecords  = prometheus.NewDesc("reeve_kpi_records", "Records that it is from; 0 where it is unknown.", kpiLabels, nil)
	kpiCoverage = prometheus.NewDesc("reeve_kpi_coverage", "Records that it is from, of those that it could be from.", kpiLabels, nil)
	kpiAge      = prometheus.NewDesc("reeve_kpi_age_seconds", "How long ago KPIs were computed.", nil, nil)
)

// exported are the figures that the next scrapes give.
type exported struct {
	at   time.Time
	list []exportedFigure
}

type exportedFigure struct {
	id, unit, agent string
	kpi.Figure
}

// exporter computes the figures for /metrics.
type exporter struct{ last atomic.Pointer[exported] }

// kpiFirst is how long after the start figures are first computed: whoever waits for a
// page just then goes first.
const kpiFirst = 5 * time.Second

// exportKPIs computes figures every minute until ctx ends.
func (a *App) exportKPIs(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(kpiFirst):
	}
	t := time.NewTicker(kpiEvery)
	defer t.Stop()
	for {
		if err := a.computeKPIs(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.Warn("KPIs for /metrics are old", "err", err) // reeve_kpi_age_seconds tells
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

// outsideKPIs computes what is not of the store alone, of all teams.
func (a *App) outsideKPIs() api.Outside {
	return api.Outside{Topics: a.topics, Feedback: a.feedback, Evaluations: a.evaluations, Datasets: a.datasets, Experiments: a.experiments, Sources: a.sources, Runs: a.store.Runs, Ask: a.store.Query}
}

func (a *App) computeKPIs(ctx context.Context, now time.Time) error {
	next, err := a.figures(ctx, now)
	if err != nil {
		return err
	}
	a.exporter.last.Store(next)
	a.pushKPIs(ctx, next)
	return nil
}

// figures computes what is exported, for half a minute at most.
func (a *App) figures(ctx context.Context, now time.Time) (*exported, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	next := &exported{at: now}
	outside := a.outsideKPIs().Figures(&client.KPIScope{})
	for _, by := range []string{"", "agent"} {
		all, err := kpi.Evaluate(ctx, a.store.Query, a.kpis.All(), kpi.Question{From: now.Add(-kpiPeriod), To: now, By: by, Ledger: a.kpis.Assumptions(), Outside: outside})
		if err != nil {
			return nil, err
		}
		for _, x := range all {
			cells := x.Cells
			if by == "agent" {
				cells = slices.DeleteFunc(slices.Clone(cells), func(c kpi.Cell) bool { return c.Group == "" })
				cells = cells[:min(len(cells), kpiAgents)] // the most records come first
			}
			for _, c := range cells {
				next.list = append(next.list, exportedFigure{x.Definition.ID, x.Definition.Unit, c.Group, c.Figure})
			}
		}
	}
	slices.SortFunc(next.list, func(x, y exportedFigure) int { return cmp.Or(cmp.Compare(x.id, y.id), cmp.Compare(x.agent, y.agent)) })
	return next, nil
}

// kpis gives the figures of the last day.
func (p *parts) kpis(out chan<- prometheus.Metric) {
	for _, x := range p.a.pushes {
		out <- x.sent
		out <- x.failed
	}
	last := p.a.exporter.last.Load()
	if last == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v *float64, labels ...string) {
		if v != nil {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, *v, labels...)
		}
	}
	for i := range last.list {
		f := &last.list[i]
		labels := []string{f.id, f.unit, f.agent}
		n := float64(f.N)
		gauge(kpiValue, f.Value, labels...)
		gauge(kpiLow, f.Low, labels...)
		gauge(kpiHigh, f.High, labels...)
		gauge(kpiCoverage, f.Coverage, labels...)
		gauge(kpiRecords, &n, labels...)
	}
	age := time.Since(last.at).Seconds()
	gauge(kpiAge, &age)
}
