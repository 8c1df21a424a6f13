package alerts

import (
	"encoding/json"

	"reeve/internal/alert"
)

// sentryHook is the body of a webhook of a Sentry integration.
type sentryHook struct {
	Action string `json:"action"`
	Data   struct {
		Event *sentryEvent `json:"event"`
		Error *sentryEvent `json:"error"`
		Rule  text         `json:"triggered_rule"`
		Issue *sentryIssue `json:"issue"`
		// Of metric alerts.
		Metric      *sentryMetric `json:"metric_alert"`
		Title       text          `json:"description_title"`
		Description text          `json:"description_text"`
		WebURL      text          `json:"web_url"`
	} `json:"data"`
	Actor struct {
		Type string `json:"type"`
		Name text   `json:"name"`
	} `json:"actor"`
}

type sentryEvent struct {
	EventID   text            `json:"event_id"`
	IssueID   text            `json:"issue_id"`
	Title     text            `json:"title"`
	Level     text            `json:"level"`
	Culprit   text            `json:"culprit"`
	Datetime  text            `json:"datetime"`
	Timestamp text            `json:"timestamp"`
	WebURL    text            `json:"web_url"`
	Platform  text            `json:"platform"`
	Env       text            `json:"environment"`
	Release   text            `json:"release"`
	Tags      json.RawMessage `json:"tags"`
}

type sentryIssue struct {
	ID        text `json:"id"`
	ShortID   text `json:"shortId"`
	Title     text `json:"title"`
	Level     text `json:"level"`
	Culprit   text `json:"culprit"`
	Status    text `json:"status"`
	FirstSeen text `json:"firstSeen"`
	LastSeen  text `json:"lastSeen"`
	Permalink text `json:"permalink"`
	WebURL    text `json:"web_url"`
	Platform  text `json:"platform"`
	Project   struct {
		Slug text `json:"slug"`
		Name text `json:"name"`
	} `json:"project"`
}

type sentryMetric struct {
	ID         text `json:"id"`
	Identifier text `json:"identifier"`
	Title      text `json:"title"`
	Started    text `json:"date_started"`
	Detected   text `json:"date_detected"`
	Closed     text `json:"date_closed"`
	Rule       struct {
		Name text `json:"name"`
		Env  text `json:"environment"`
	} `json:"alert_rule"`
}

// sentry reads what Sentry says of issues and metric alerts. An issue and the
// events that an alert rule sends of it are one alert. Installations and comments
// are no alerts.
func sentry(r *Request) ([]alert.Report, error) {
	var h sentryHook
	if err := decode(r.Body, "a webhook of Sentry", &h); err != nil {
		return nil, err
	}
	if h.Action == "" {
		return nil, missing("action")
	}
	var out alert.Report
	switch d := &h.Data; {
	case d.Metric != nil:
		out = h.metric()
	case d.Issue != nil:
		out = h.issue()
	case d.Event != nil:
		out = h.event(d.Event)
	case d.Error != nil:
		out = h.event(d.Error)
	default:
		return nil, nil
	}
	if out.State == "" {
		return nil, nil
	}
	if out.Key == "" {
		return nil, missing("id of the issue or metric alert")
	}
	if out.At.IsZero() { // it orders what the body gives no time for
		out.At = timeOf(r.Header.Get("Sentry-Hook-Timestamp"))
	}
	out.By, out.Raw = string(h.Actor.Name), r.Body
	return []alert.Report{out}, nil
}

func keyed(prefix string, id text) string {
	if id == "" {
		return ""
	}
	return prefix + string(id)
}

func labels(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	return out
}

func (h *sentryHook) event(e *sentryEvent) alert.Report {
	out := alert.Report{
		Key: keyed("issue:", e.IssueID), State: alert.Firing, Severity: severityOf(string(e.Level)), Title: string(e.Title), Text: string(e.Culprit),
		At: timeOf(first(string(e.Datetime), string(e.Timestamp))), Links: links("Sentry", string(e.WebURL)),
		Labels: labels("rule", string(h.Data.Rule), "platform", string(e.Platform), "environment", string(e.Env), "release", string(e.Release)),
	}
	var tagged any
	if json.Unmarshal(e.Tags, &tagged) == nil {
		tags(out.Labels, tagged)
	}
	return out
}

func (h *sentryHook) issue() alert.Report {
	i := h.Data.Issue
	out := alert.Report{
		Key: keyed("issue:", i.ID), Severity: severityOf(string(i.Level)), Title: string(i.Title), Text: string(i.Culprit),
		Links:  links("Sentry", first(string(i.WebURL), string(i.Permalink))),
		Labels: labels("project", string(i.Project.Slug), "platform", string(i.Platform), "issue", string(i.ShortID)),
	}
	switch h.Action {
	case "created":
		out.State, out.At = alert.Firing, timeOf(first(string(i.FirstSeen), string(i.LastSeen)))
	case "unresolved":
		out.State = alert.Firing
	case "resolved", "ignored", "archived":
		out.State, out.Note = alert.Resolved, h.Action
	}
	return out
}

func (h *sentryHook) metric() alert.Report {
	m := h.Data.Metric
	out := alert.Report{
		Key: keyed("metric:", m.ID), Title: first(string(m.Title), string(h.Data.Title), string(m.Rule.Name)), Text: string(h.Data.Description),
		Links: links("Sentry", string(h.Data.WebURL)), Labels: labels("rule", string(m.Rule.Name), "environment", string(m.Rule.Env), "identifier", string(m.Identifier)),
	}
	switch h.Action {
	case "critical", "warning", "open":
		out.State, out.Severity = alert.Firing, severityOf(h.Action)
		out.At = timeOf(first(string(m.Detected), string(m.Started)))
	case "resolved":
		out.State, out.At = alert.Resolved, timeOf(string(m.Closed))
	}
	return out
}
