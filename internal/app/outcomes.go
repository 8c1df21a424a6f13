package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/internal/api"
	"reeve/internal/compliance"
	"reeve/internal/cost"
	"reeve/internal/finding"
	"reeve/internal/kpi"
	"reeve/internal/objective"
	"reeve/internal/outcome"
)

// accounting is how runs ended, and what figures come of it.
type accounting struct {
	outcomes *outcome.Book
	kpis     *kpi.Book
	costs    *cost.Book
	exporter exporter
	pushes   []*pushed // receivers of figures

	objectives *objective.Book
}

func (c *accounting) shown() api.Accounts {
	return api.Accounts{Outcomes: c.outcomes, KPIs: c.kpis, Objectives: c.objectives}
}

func (a *App) startAccounts(start func(string, func(context.Context) error)) {
	start("outcomes", a.outcomes.Run)
	start("figures for /metrics", a.exportKPIs)
	start("objectives", a.objectives.Run)
	start("evidence from feedback and evaluations", a.feedOutcomes)
	start("monthly reports", a.reportCosts)
	start("frameworks assessed by themselves", func(ctx context.Context) error { return a.api.AssessByItself(ctx, a.controlsFail) })
	start("audits of sources", a.sources.Ask)
	start("limits of sources", func(ctx context.Context) error { return a.sources.Keep(ctx, a.tellBreach) })
}

// openOutcomes loads what was said of how runs ended.
func (a *App) openOutcomes(ctx context.Context) (err error) {
	a.outcomes, err = outcome.New(ctx, outcome.Options{
		DB: a.control, Store: a.store, Windows: a.o.Config.Outcomes, Logger: a.log.With("part", "outcomes"),
		Publish: func(ctx context.Context, batch []byte) error { return a.health.Publish(ctx, batch) }, Late: a.lateRun,
	})
	if err != nil {
		return err
	}
	if a.kpis, err = kpi.New(ctx, a.control, nil, a.log.With("part", "kpis")); err != nil {
		return err
	}
	a.kpis.AskedBy(a.askersOf)
	a.costs, err = cost.New(ctx, cost.Options{DB: a.control, Logger: a.log.With("part", "cost")})
	return err
}

// controlsFail makes a finding of controls that an assessment by schedule found
// failing and the one before did not.
func (a *App) controlsFail(ctx context.Context, x *compliance.Assessment, controls []string) {
	_, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: "control_failed", Severity: finding.Warning, Fingerprint: finding.Fingerprint("control_failed", x.Framework, strings.Join(controls, ",")), Subject: x.Framework,
		Text: fmt.Sprintf("controls of %s fail that did not before: %s; assessment %s", x.Title, strings.Join(controls[:min(len(controls), 20)], ", "), x.ID), Measure: "failing controls",
		Seen: fmt.Sprint(x.Fail), Event: x.At.UnixNano(),
	})
	if err != nil && ctx.Err() == nil {
		a.log.Warn("failing controls are not told of", "framework", x.Framework, "err", err) // the assessment says it, too
	}
}

// lateRun makes a finding of a run that takes too long or stands still.
func (a *App) lateRun(ctx context.Context, l outcome.Late) {
	_, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: "run_" + l.Kind, Severity: finding.Warning, Team: l.Run.Team, Environment: l.Run.Environment, Agent: l.Run.Agent, Version: l.Run.Version, Task: l.Run.Task,
		Fingerprint: finding.Fingerprint("run_"+l.Kind, l.Run.ID.String(), l.Rule),
		Subject:     l.Rule, Text: strings.TrimSpace("a run is late: " + l.Text), Measure: l.Kind, Runs: []string{l.Run.ID.String()}, Event: l.Run.Updated,
	})
	if err != nil && ctx.Err() == nil {
		a.log.Warn("a late run is not told of", "run", l.Run.ID.String(), "err", err) // it is found again in a minute
	}
}

// outcomeFigures gives how settling goes.
func (p *parts) outcomeFigures(out chan<- prometheus.Metric) {
	p.kpis(out)
	p.objectiveFigures(out)
	s := p.a.outcomes.Stats()
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	for _, f := range []figure{
		{"reeve_outcomes_settled_total", "Outcomes that were decided, again included.", counter, float64(s.Settled)},
		{"reeve_outcome_evidence_total", "Pieces of evidence about outcomes that were kept.", counter, float64(s.Evidence)},
		{"reeve_outcome_evidence_unmatched_total", "Of them, those whose run was not there when they came.", counter, float64(s.Unmatched)},
		{"reeve_outcome_settling_lag_seconds", "How far settling is behind.", gauge, s.Lag.Seconds()},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}
