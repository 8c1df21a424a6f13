package alerts

import (
	"encoding/json"
	"net/http"
	"strings"

	"reeve/internal/alert"
)

// bigPanda reads BigPanda's Alerts API: one alert, or several under "alerts".
// An alert is known by its incident_identifier, else by its primary and its
// secondary property.
func bigPanda(r *Request) ([]alert.Report, error) {
	v, err := parseAny(r.Body, "an alert of BigPanda")
	if err != nil {
		return nil, err
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, malformed("an alert of BigPanda", nil)
	}
	list, several := top["alerts"].([]any)
	if !several {
		out, err := bigPandaOne(top, nil, r.Body)
		return []alert.Report{out}, err
	}
	if len(list) > maxReports {
		return nil, tooMany()
	}
	out := make([]alert.Report, 0, len(list))
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, malformed("a list of alerts of BigPanda", nil)
		}
		one, err := bigPandaOne(m, top, rawOf(m))
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// pandaPrimary are the properties that BigPanda looks for, in its order.
var pandaPrimary = []string{"host", "service", "application", "device"}

func bigPandaOne(a, top object, raw []byte) (alert.Report, error) {
	get := func(name string) string { return first(a.get(name), top.get(name)) }
	status := strings.ToLower(get("status"))
	out := alert.Report{State: alert.Firing, Severity: severityOf(status), Text: a.get("description"), At: timeOf(a.get("timestamp")), Labels: map[string]string{}, Raw: raw}
	switch status {
	case "critical", "warning", "unknown":
		out.Ack = alert.Unacked
	case "ok":
		out.State, out.Severity = alert.Resolved, ""
	case "acknowledged":
		out.Ack, out.Severity = alert.Acked, ""
	case "":
		return out, missing("status")
	default:
		return out, malformed("an alert of BigPanda: status is ok, critical, warning, unknown or acknowledged", nil)
	}
	primaryName, secondaryName := get("primary_property"), first(get("secondary_property"), "check")
	primary := a.get(primaryName)
	for _, n := range pandaPrimary {
		if primary == "" {
			primaryName, primary = n, a.get(n)
		}
	}
	if primary == "" {
		return out, missing("primary property (host, service, application or device)")
	}
	secondary := a.get(secondaryName)
	out.Key = a.get("incident_identifier")
	if out.Key == "" {
		out.Key = get("app_key") + "|" + primary + "|" + secondary
	}
	out.Title = first(secondary, primaryName) + " on " + primary
	for name, v := range a {
		switch name {
		case "app_key", "status", "timestamp", "description", "primary_property", "secondary_property", "incident_identifier":
			continue
		}
		value := scalar(v)
		if list, ok := v.([]any); ok { // BigPanda joins lists with bars
			var parts []string
			for _, e := range list[:min(len(list), 20)] {
				parts = append(parts, scalar(e))
			}
			value = strings.Join(parts, "|")
		}
		switch {
		case value == "" || len(out.Labels) >= maxFlat:
		case strings.HasPrefix(value, "http"):
			out.Links = append(out.Links, alert.Link{Title: name, URL: value})
		default:
			out.Labels[name] = value
		}
	}
	return out, nil
}

// tookBigPanda answers as the Alerts API does.
func tookBigPanda(_ *Request, n int) Reply {
	body, _ := json.Marshal(map[string]any{"response": map[string]any{"status": "created", "alerts": n}}) // texts and a number
	return Reply{Status: http.StatusCreated, Body: string(body)}
}
