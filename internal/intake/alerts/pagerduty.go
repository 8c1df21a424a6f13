package alerts

import (
	"encoding/json"
	"strings"

	"reeve/internal/alert"
)

type pdReference struct {
	ID      string `json:"id"`
	Summary string `json:"summary"`
	HTMLURL string `json:"html_url"`
}

// pdEvent is an event of PagerDuty's webhooks, version 3.
type pdEvent struct {
	Event struct {
		ID         string                 `json:"id"`
		EventType  string                 `json:"event_type"`
		OccurredAt text                   `json:"occurred_at"`
		Agent      *pdReference           `json:"agent"`
		Client     *struct{ Name string } `json:"client"`
		Data       json.RawMessage        `json:"data"`
	} `json:"event"`
}

type pdIncident struct {
	ID        string        `json:"id"`
	Type      string        `json:"type"`
	HTMLURL   string        `json:"html_url"`
	Number    text          `json:"number"`
	Status    string        `json:"status"`
	Key       text          `json:"incident_key"`
	Title     string        `json:"title"`
	Urgency   string        `json:"urgency"`
	Service   *pdReference  `json:"service"`
	Priority  *pdReference  `json:"priority"`
	Policy    *pdReference  `json:"escalation_policy"`
	Teams     []pdReference `json:"teams"`
	Assignees []pdReference `json:"assignees"`
}

// pagerDuty reads an event about an incident. Events about other things (notes,
// responders, services, the test ping) are no alerts: they are taken and nothing
// comes of them.
func pagerDuty(r *Request) ([]alert.Report, error) {
	var e pdEvent
	if err := decode(r.Body, "an event of PagerDuty", &e); err != nil {
		return nil, err
	}
	if e.Event.EventType == "" {
		return nil, missing("event.event_type")
	}
	state, ack := pdState(e.Event.EventType)
	if state == "" {
		return nil, nil
	}
	var in pdIncident
	if err := decode(e.Event.Data, "an incident of PagerDuty", &in); err != nil {
		return nil, err
	}
	if in.ID == "" {
		return nil, missing("event.data.id")
	}
	out := alert.Report{
		Key: in.ID, State: state, Ack: ack, Title: in.Title, At: timeOf(string(e.Event.OccurredAt)), Severity: pdSeverity(&in),
		Labels: map[string]string{}, Links: links("PagerDuty", in.HTMLURL), Raw: r.Body, Note: strings.TrimPrefix(e.Event.EventType, "incident."),
	}
	if e.Event.Agent != nil {
		out.By = e.Event.Agent.Summary
	}
	label := func(name, value string) {
		if value != "" {
			out.Labels[name] = value
		}
	}
	refer := func(name string, ref *pdReference) {
		if ref != nil {
			label(name, first(ref.Summary, ref.ID))
		}
	}
	refer("service", in.Service)
	refer("priority", in.Priority)
	refer("escalation_policy", in.Policy)
	label("urgency", in.Urgency)
	label("number", string(in.Number))
	label("incident_key", string(in.Key))
	label("teams", names(in.Teams))
	label("assignees", names(in.Assignees))
	return []alert.Report{out}, nil
}

func names(all []pdReference) string {
	var out []string
	for _, r := range all[:min(len(all), 20)] {
		out = append(out, first(r.Summary, r.ID))
	}
	return strings.Join(out, ", ")
}

// pdState is what an event says of its incident; "" nothing.
func pdState(kind string) (state, ack string) {
	switch kind {
	case "incident.triggered", "incident.reopened":
		return alert.Firing, alert.Unacked
	case "incident.unacknowledged":
		return alert.Firing, alert.Unacked
	case "incident.acknowledged":
		return alert.Firing, alert.Acked
	case "incident.escalated", "incident.reassigned", "incident.delegated", "incident.priority_updated", "incident.service_updated":
		return alert.Firing, ""
	case "incident.resolved":
		return alert.Resolved, ""
	}
	return "", ""
}

func pdSeverity(in *pdIncident) string {
	if in.Priority != nil {
		if s := severityOf(in.Priority.Summary); s != "" {
			return s
		}
	}
	switch in.Urgency {
	case "high":
		return alert.Error
	case "low":
		return alert.Warning
	}
	return ""
}
