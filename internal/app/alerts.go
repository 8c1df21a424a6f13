package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/internal/alert"
	"reeve/internal/change"
	"reeve/internal/fleet"
	"reeve/internal/hook"
	"reeve/internal/intake/alerts"
)

// openAlerts reads who sends alerts and changes, and what they said.
func (a *App) openAlerts(ctx context.Context) (err error) {
	a.hooks, err = hook.New(ctx, hook.Options{DB: a.control, Sealer: a.authority.ca, Logger: a.log.With("part", "sources of alerts"), CheckMapping: alerts.CheckMapping})
	if err != nil {
		return err
	}
	a.alerts, err = alert.New(ctx, alert.Options{DB: a.control, Logger: a.log.With("part", "alerts"), Match: a.matchLabels, Committed: func() { wake(a.alertsMoved) }})
	if err != nil {
		return err
	}
	a.changes, err = change.New(change.Options{DB: a.control, Logger: a.log.With("part", "changes"), Match: a.matchLabels, Owner: func(name string) (team, environment string) {
		if g, ok := a.agents.Lookup(name); ok {
			return g.Team, g.Environment
		}
		return "", ""
	}})
	return err
}

// Labels by which senders name an agent: by its name, its id, or the service it
// runs as.
var (
	nameLabels    = []string{"agent", "reeve_agent", "reeve.agent", "gen_ai.agent.name", "gen_ai_agent_name", "agent_name"}
	idLabels      = []string{"agent_id", "gen_ai.agent.id", "gen_ai_agent_id"}
	serviceLabels = []string{"service", "service.name", "service_name", "app", "application", "ml_app", "component", "job"}
)

// matchLabels finds the registered agent that labels name, as telemetry would be
// matched.
func (a *App) matchLabels(team string, labels map[string]string) (name, owner, reason string) {
	try := func(all []string, claim func(value string) fleet.Claim) bool {
		for _, label := range all {
			value := labels[label]
			if value == "" || len(value) > 200 {
				continue
			}
			c := claim(value)
			c.Team = team
			if m := a.fleet.Match(c); m.Agent != "" {
				name, reason = m.Agent, "label "+label+"="+value+": "+m.Why
				return true
			}
		}
		return false
	}
	found := try(nameLabels, func(v string) fleet.Claim { return fleet.Claim{Name: v} }) ||
		try(idLabels, func(v string) fleet.Claim { return fleet.Claim{AgentID: v} }) ||
		try(serviceLabels, func(v string) fleet.Claim { return fleet.Claim{Service: v} }) ||
		try(serviceLabels, func(v string) fleet.Claim { return fleet.Claim{Name: v} })
	if !found {
		return "", "", ""
	}
	if g, ok := a.agents.Lookup(name); ok {
		owner = g.Team
	}
	return name, owner, reason
}

var hookDeliveries = prometheus.NewDesc("reeve_source_deliveries_total", "Deliveries of registered senders of alerts and changes, by what became of them.",
	[]string{"source", "purpose", "kind", "result"}, nil)

// alertFigures gives what outside systems send.
func (p *parts) alertFigures(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	for _, c := range p.a.hooks.Counts() {
		for result, n := range map[string]int64{"taken": c.Deliveries, "refused": c.Refused, "forged": c.Forged} {
			out <- prometheus.MustNewConstMetric(hookDeliveries, counter, float64(n), c.Name, c.Purpose, c.Kind, result)
		}
	}
	s := p.a.alerts.Stats()
	for _, f := range []figure{
		{"reeve_source_strangers_total", "Deliveries for sources that nobody registered.", counter, float64(p.a.hooks.Strangers())},
		{"reeve_alerts", "Alerts that are kept.", gauge, float64(s.Kept)},
		{"reeve_alerts_firing", "Of them, that fire.", gauge, float64(s.Firing)},
		{"reeve_alert_reports_total", "What senders said of alerts.", counter, float64(s.Taken)},
		{"reeve_alert_late_total", "Of it, that came after newer word and changed nothing.", counter, float64(s.Late)},
		{"reeve_alert_writes_total", "Transactions that kept it.", counter, float64(s.Batches)},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}
