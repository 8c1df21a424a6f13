package alerts

import (
	"encoding/json"
	"strings"

	"reeve/internal/alert"
)

// monitor is the body of Datadog's webhook, as the template in docs/alerts.md
// and its own default make it.
type monitor struct {
	Body        text            `json:"body"`
	LastUpdated text            `json:"last_updated"`
	EventType   text            `json:"event_type"`
	Title       text            `json:"title"`
	Severity    text            `json:"severity"`
	AlertType   text            `json:"alert_type"`
	Query       text            `json:"alert_query"`
	Transition  text            `json:"alert_transition"`
	Date        text            `json:"date"`
	Scopes      text            `json:"scopes"`
	URL         text            `json:"url"`
	Tags        json.RawMessage `json:"tags"`
	ID          text            `json:"id"`
	MonitorID   text            `json:"monitor_id"`
	CycleKey    text            `json:"alert_cycle_key"`
	Aggregation text            `json:"aggregation_key"`
	Hostname    text            `json:"hostname"`
	Org         struct {
		ID   text `json:"id"`
		Name text `json:"name"`
	} `json:"org"`
}

// filled is a value of the template, unless Datadog left the variable as it is.
func filled(t text) string {
	s := strings.TrimSpace(string(t))
	if strings.HasPrefix(s, "$") {
		return ""
	}
	return s
}

// datadog reads a monitor's webhook. A monitor with several groups is one alert
// for each of them.
func datadog(r *Request) ([]alert.Report, error) {
	var m monitor
	if err := decode(r.Body, "a webhook of Datadog", &m); err != nil {
		return nil, err
	}
	title := filled(m.Title)
	if title == "" && filled(m.MonitorID) == "" {
		return nil, missing("title or monitor_id")
	}
	state, severity := transition(first(filled(m.Transition), bracketed(title)))
	if state == "" { // a template without the transition: success is the end
		if state = alert.Firing; filled(m.AlertType) == "success" {
			state = alert.Resolved
		}
	}
	out := alert.Report{
		State: state, Severity: first(severityOf(filled(m.Severity)), severity, severityOf(filled(m.AlertType))), Title: plainTitle(title), Text: filled(m.Body),
		At: timeOf(first(filled(m.LastUpdated), filled(m.Date))), Labels: map[string]string{}, Links: links("Datadog", filled(m.URL)), Raw: r.Body,
	}
	if monitor := filled(m.MonitorID); monitor != "" {
		out.Key = "monitor:" + monitor + "|" + filled(m.Scopes)
	} else {
		out.Key = first(filled(m.Aggregation), "title:"+out.Title+"|"+filled(m.Scopes))
	}
	var tagged any
	if json.Unmarshal(m.Tags, &tagged) == nil {
		if s, ok := tagged.(string); !ok || !strings.HasPrefix(s, "$") {
			tags(out.Labels, tagged)
		}
	}
	tags(out.Labels, filled(m.Scopes))
	for name, v := range map[string]text{"host": m.Hostname, "query": m.Query, "org": m.Org.Name, "event_type": m.EventType} {
		if s := filled(v); s != "" && out.Labels[name] == "" {
			out.Labels[name] = s
		}
	}
	return []alert.Report{out}, nil
}

// transition is what $ALERT_TRANSITION means.
func transition(word string) (state, severity string) {
	switch strings.ToLower(word) {
	case "triggered", "re-triggered", "renotify":
		return alert.Firing, alert.Error
	case "warn", "re-warn":
		return alert.Firing, alert.Warning
	case "no data", "re-no data":
		return alert.Firing, alert.Warning
	case "recovered":
		return alert.Resolved, ""
	}
	return "", ""
}

// bracketed is the word in front of a title: "[Triggered on {host:a}] cpu".
func bracketed(title string) string {
	rest, ok := strings.CutPrefix(title, "[")
	if !ok {
		return ""
	}
	word, _, _ := strings.Cut(rest, "]")
	word, _, _ = strings.Cut(word, " on {")
	return strings.TrimSpace(word)
}

// plainTitle is a title without that word: it changes from delivery to delivery.
func plainTitle(title string) string {
	if state, _ := transition(bracketed(title)); state == "" {
		return title
	}
	_, rest, _ := strings.Cut(title, "]")
	return first(rest, title)
}
