package app

import (
	"context"
	"time"

	"reeve/internal/alert"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// drillSource is whose alerts failover drills are.
var drillSource = alert.Sender{Source: "reeve:drill", Kind: "drill"} // no registered sender can be called so

// tellDrill makes an alert of a drill that failed, which becomes an incident as any alert
// does, and ends it with one that passes.
func (a *App) tellDrill(ctx context.Context, x experiment.DrillTold) error {
	p := &x.Plan
	from := drillSource
	from.Team, from.Environment = p.Team, p.Environment
	r := alert.Report{
		Key: "drill/" + p.Name, State: alert.Resolved, Severity: alert.Error, Title: "The failover of " + p.Drill.Upstream + " for " + p.Agent + " does not hold", Text: x.Text,
		Labels: map[string]string{"agent": p.Agent, "team": p.Team, "environment": p.Environment, "signal": "drill", "drill": p.Name, "upstream": p.Drill.Upstream},
		Links:  []alert.Link{{Title: "The drill", URL: a.feedbackURL("/cost?drill=" + p.Name)}},
	}
	if x.Experiment != "" {
		r.Labels["experiment"] = x.Experiment
	}
	if x.Failing {
		r.State = alert.Firing
	}
	return a.alerts.Take(ctx, from, []alert.Report{r})
}

// standIns are what the door may call in place of an upstream with models, for the agents
// of a team.
func (a *App) standIns(name, team string) ([]string, error) {
	u, ok := a.upstreams.Lookup(name)
	if !ok || u.Team != team && !u.Shared {
		return nil, fault.New(fault.KindNotFound, "experiment.no_upstream", "team %q has no upstream %.64s", team, name).WithHint("`reeve upstream list` lists them")
	}
	if u.Kind != "llm" {
		return nil, fault.New(fault.KindInvalid, "experiment.no_upstream", "upstream %.64s has no models: in a test nothing else is called for real, so its failover cannot be tried", name)
	}
	all, _ := a.upstreams.StandIns(name)
	return all, nil
}

// rightsOf is what a person may do now: nothing where the account is closed.
func (a *App) rightsOf(ctx context.Context, person string) (func(role, team, environment string) bool, error) {
	who := identity.Principal{}
	if dev := identity.Dev(); a.o.Config.Dev && person == dev.Kind {
		who = dev
	} else {
		p, err := a.identity.Person(ctx, person)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return nil, err
		}
		if err == nil && !p.Disabled && (p.EndsAt.IsZero() || time.Now().Before(p.EndsAt)) {
			who = identity.Principal{Kind: identity.KindPerson, PersonID: p.ID, Name: p.Name, Grants: p.Grants}
		}
	}
	return func(role, team, environment string) bool { return who.Can(identity.Role(role), team, environment) }, nil
}
