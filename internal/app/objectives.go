package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/finding"
	"reeve/internal/kpi"
	"reeve/internal/objective"
	"reeve/internal/telemetry"
)

// openObjectives loads what figures should come to.
func (a *App) openObjectives(ctx context.Context) (err error) {
	a.objectives, err = objective.New(ctx, objective.Options{
		DB: a.control, Store: a.store, KPIs: indicators{a}, Agent: a.trusted, Alarm: a.objectiveAlarm, Over: a.objectiveOver, Logger: a.log.With("part", "objectives"),
	})
	return err
}

// indicators are the KPIs as objectives count them.
type indicators struct{ app *App }

func (i indicators) Indicator(id string) (objective.Indicator, error) {
	d, err := i.app.kpis.Get(id)
	if err != nil {
		return objective.Indicator{}, err
	}
	p := d.Parts()
	out := objective.Indicator{
		ID: d.ID, Title: d.Title, Unit: d.Unit, Direction: d.Direction, Team: d.Team, Version: d.Version, Missing: d.Missing,
		Kind: p.Kind, Table: p.Table, Of: p.Of, Among: p.Among, Base: p.Base, Field: p.Field, Scale: p.Scale, Events: p.Events, Where: p.Where,
	}
	if out.Kind == "" {
		out.Kind = objective.KindFigure
		out.Table, _ = d.Records()
	}
	if d.Missing != "" && i.app.outsideKPIs().Knows(d.ID) {
		out.Missing = ""
	}
	return out, nil
}

func (i indicators) Figures(ctx context.Context, id string, p objective.Part) ([]objective.Point, error) {
	d, err := i.app.kpis.Get(id)
	if err != nil {
		return nil, err
	}
	all, err := kpi.Evaluate(ctx, i.app.store.Query, []*kpi.Definition{d}, kpi.Question{
		From: p.From, To: p.To, Where: p.Where, Bucket: p.Slice, Ledger: i.app.kpis.Assumptions(),
		Outside: i.app.outsideKPIs().Figures(&client.KPIScope{Agent: p.Agent, Version: p.Version, Task: p.Task, Team: p.Team, Environment: p.Environment}),
	})
	if err != nil {
		return nil, err
	}
	var out []objective.Point
	for _, c := range all[id].Cells {
		if !c.At.IsZero() {
			out = append(out, objective.Point{At: c.At, Value: c.Value, N: c.N})
		}
	}
	return out, nil
}

// trusted is a registered agent with what it may do by itself.
func (a *App) trusted(name string) (objective.Agent, bool) {
	g, ok := a.agents.Lookup(name)
	if !ok {
		return objective.Agent{}, false
	}
	return objective.Agent{Name: g.Name, Team: g.Team, Environment: g.Environment, Autonomy: g.Autonomy, Containment: g.Contained(time.Now()), Retired: g.Lifecycle == "retired"}, true
}

// objectiveAlarm makes a finding of an alarm.
func (a *App) objectiveAlarm(ctx context.Context, x objective.Alarm) (objective.Told, error) {
	o := &x.Objective
	f, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: "objective_" + x.Kind, Severity: x.Severity, Team: o.Team, Environment: o.Environment, Agent: o.Agent, Version: o.Version, Task: o.Task,
		Fingerprint: finding.Fingerprint("objective", o.Name, x.Key), Subject: o.Name, Text: x.Text, Measure: x.Measure, Expected: x.Expected, Seen: x.Seen, Why: x.Why,
		Runs: x.Runs, Event: x.Event, Authenticated: a.passedDoor(ctx, o.Agent, x.Runs),
	})
	return objective.Told{Finding: f.ID, Proved: f.Authenticated}, err
}

// passedDoor reports whether each of the runs that are shown of an agent has a
// step that the door itself recorded. Telemetry alone names an agent; what an
// agent did at the door it did as one that had proved who it is, and only that
// may narrow it.
func (a *App) passedDoor(ctx context.Context, name string, runs []string) bool {
	if name == "" || len(runs) == 0 {
		return false
	}
	for _, text := range runs {
		id, err := activity.ParseRunID(text)
		if err != nil {
			return false
		}
		steps, err := a.store.Steps(ctx, id)
		if err != nil || !atDoor(steps, name) {
			return false
		}
	}
	return true
}

func atDoor(steps []activity.Step, name string) bool {
	for i := range steps {
		if s := &steps[i]; s.Source == activity.SourceGateway && s.Agent == name {
			return true
		}
	}
	return false
}

// objectiveOver ends what followed from a finding whose cause has passed.
func (a *App) objectiveOver(ctx context.Context, id, why string) error {
	return a.watching.respond.Passed(ctx, id, why)
}

// objectiveFigures gives how objectives stand.
func (p *parts) objectiveFigures(out chan<- prometheus.Metric) {
	book := p.a.objectives
	if book == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, o := range book.List() {
		_, s, err := book.Standing(o.Name)
		if err != nil {
			continue // it was deleted just now
		}
		labels := []string{o.Name, o.KPI, o.Agent, o.Team}
		gauge(objectiveState, 1, append(labels, s.State)...)
		if s.Known {
			gauge(objectiveLeft, s.Budget.Left(), labels...)
		}
		if s.Value != nil {
			gauge(objectiveValue, *s.Value, labels...)
		}
		gauge(objectiveTarget, o.Target, labels...)
		for _, l := range s.Looks {
			if l.LongCounts.N > 0 {
				gauge(objectiveBurn, l.LongRate, append(labels, l.Severity, l.Long.String())...)
			}
		}
	}
	s := book.Stats()
	const counter = prometheus.CounterValue
	for _, f := range []figure{
		{"reeve_objective_looks_total", "Looks at objectives.", counter, float64(s.Looks)},
		{"reeve_objective_labels_total", "Verdicts about runs that objectives counted, changed ones again.", counter, float64(s.Labels)},
		{"reeve_objective_alarms_total", "Alarms of objectives that were raised.", counter, float64(s.Alarms)},
		{"reeve_objective_failures_total", "Looks and verdicts that have to be repeated.", counter, float64(s.Failed)},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}

var (
	objectiveLabels = []string{"objective", "kpi", "agent", "team"}
	objectiveState  = prometheus.NewDesc("reeve_objective_state", "1 for the state that an objective is in: met, burning, missed, spent, frozen, no_data, waiting.", append(append([]string{}, objectiveLabels...), "state"), nil)
	objectiveLeft   = prometheus.NewDesc("reeve_objective_budget_left", "Share of its budget that is left; below 0 it is overspent. Absent where nothing was counted.", objectiveLabels, nil)
	objectiveValue  = prometheus.NewDesc("reeve_objective_value", "What the objective's figure comes to in its window.", objectiveLabels, nil)
	objectiveTarget = prometheus.NewDesc("reeve_objective_target", "What it should come to.", objectiveLabels, nil)
	objectiveBurn   = prometheus.NewDesc("reeve_objective_burn_rate", "How many times faster than evenly its budget is spent, by the long time of each alert.", append(append([]string{}, objectiveLabels...), "severity", "over"), nil)
)

// countVerdicts tells objectives of runs that were written.
func (a *App) countVerdicts(w *telemetry.Write) { a.objectives.Observe(w) }
