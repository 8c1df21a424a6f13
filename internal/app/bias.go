package app

import (
	"context"
	"net/url"

	"reeve/internal/alert"
	"reeve/internal/experiment"
)

// biasSource is whose alerts bias plans are.
var biasSource = alert.Sender{Source: "reeve:bias", Kind: "bias"} // no registered sender can be called so

// tellBias makes an alert of a bias plan that found a difference, which becomes an
// incident as any alert does, and ends it once the plan finds none.
func (a *App) tellBias(ctx context.Context, x experiment.Told) error {
	if !x.Adverse && !x.Before {
		return nil // nothing was wrong, and nothing is
	}
	from := biasSource
	from.Team, from.Environment = x.Experiment.Team, x.Experiment.Environment
	r := alert.Report{
		Key: "bias/" + x.Plan, State: alert.Resolved, Severity: alert.Error, Title: x.Experiment.Agent + " answers differently by " + x.Experiment.Bias.Attribute, Text: x.Text,
		Labels: map[string]string{"agent": x.Experiment.Agent, "team": x.Experiment.Team, "environment": x.Experiment.Environment, "signal": "bias", "plan": x.Plan, "experiment": x.Experiment.ID},
		Links: []alert.Link{
			{Title: "The plan and what it found", URL: a.feedbackURL("/evaluations?plan=" + url.QueryEscape(x.Plan))},
			{Title: "Each answer", URL: a.feedbackURL("/evaluations/experiments/" + x.Experiment.ID)},
		},
	}
	if x.Experiment.AgentVersion != "" {
		r.Labels["version"] = x.Experiment.AgentVersion
	}
	if x.Adverse {
		r.State = alert.Firing
	}
	return a.alerts.Take(ctx, from, []alert.Report{r})
}
