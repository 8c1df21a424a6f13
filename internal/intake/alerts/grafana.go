package alerts

import (
	"encoding/json"

	"reeve/internal/alert"
)

// grafana reads Grafana's webhook: Alertmanager's, with links to its own pages.
// A body that a custom template made is read by the names that most use.
func grafana(r *Request) ([]alert.Report, error) {
	var probe struct {
		Alerts json.RawMessage `json:"alerts"`
	}
	if err := decode(r.Body, "a notification of Grafana", &probe); err != nil {
		return nil, err
	}
	if probe.Alerts != nil {
		return alertmanagerWebhook(r, true)
	}
	v, err := parseAny(r.Body, "a notification of Grafana")
	if err != nil {
		return nil, err
	}
	return plainAlerts(v, r.Body)
}
