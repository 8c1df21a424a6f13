package alerts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"time"

	"reeve/internal/alert"
)

// promAlert is an alert of Prometheus, Alertmanager and Grafana.
type promAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     text              `json:"startsAt"`
	EndsAt       text              `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`

	// Grafana's.
	SilenceURL   string `json:"silenceURL"`
	DashboardURL string `json:"dashboardURL"`
	PanelURL     string `json:"panelURL"`
	ValueString  string `json:"valueString"`
}

// notification is the body of Alertmanager's webhook, version 4.
type notification struct {
	Version     string            `json:"version"`
	Status      string            `json:"status"`
	ExternalURL string            `json:"externalURL"`
	Alerts      []json.RawMessage `json:"alerts"`
}

// resolveTimeout is Alertmanager's own: an alert without an end that is not
// sent again is over.
const resolveTimeout = 5 * time.Minute

// alertmanager reads what Prometheus posts to API v2, a list, and what
// Alertmanager's webhook posts, an object. Both know an alert by the fingerprint
// of its labels, so that one source may take both.
func alertmanager(r *Request) ([]alert.Report, error) {
	if body := bytes.TrimLeft(r.Body, " \t\r\n"); len(body) > 0 && body[0] == '[' {
		return prometheus(r)
	}
	return alertmanagerWebhook(r, false)
}

func prometheus(r *Request) ([]alert.Report, error) {
	var list []json.RawMessage
	if err := decode(r.Body, "a list of alerts", &list); err != nil {
		return nil, err
	}
	if len(list) > maxReports {
		return nil, tooMany()
	}
	out := make([]alert.Report, 0, len(list))
	for _, raw := range list {
		var a promAlert
		if err := decode(raw, "a list of alerts", &a); err != nil {
			return nil, err
		}
		if len(a.Labels) == 0 {
			return nil, missing("labels in one of the alerts")
		}
		started, ends := timeOf(string(a.StartsAt)), timeOf(string(a.EndsAt))
		rep := a.report(raw)
		rep.State, rep.Started = alert.Firing, started
		// Sent again and again while it fires, each time with an end that lies ahead;
		// an end that has passed says that it is over.
		switch {
		case !ends.IsZero() && !ends.After(r.Now):
			rep.State, rep.At, rep.Started = alert.Resolved, ends, time.Time{}
		case ends.IsZero():
			rep.At, rep.Expires = started, r.Now.Add(resolveTimeout)
		default:
			rep.At, rep.Expires = started, ends
		}
		out = append(out, rep)
	}
	return out, nil
}

func alertmanagerWebhook(r *Request, grafana bool) ([]alert.Report, error) {
	var n notification
	if err := decode(r.Body, "a notification of Alertmanager", &n); err != nil {
		return nil, err
	}
	if n.Alerts == nil {
		return nil, missing("alerts")
	}
	if len(n.Alerts) > maxReports {
		return nil, tooMany()
	}
	out := make([]alert.Report, 0, len(n.Alerts))
	for _, raw := range n.Alerts {
		var a promAlert
		if err := decode(raw, "a notification of Alertmanager", &a); err != nil {
			return nil, err
		}
		if len(a.Labels) == 0 && a.Fingerprint == "" {
			return nil, missing("labels in one of the alerts")
		}
		rep := a.report(raw)
		if rep.State = stateOf(first(a.Status, n.Status)); rep.State == "" {
			return nil, missing("status firing or resolved in one of the alerts")
		}
		started, ends := timeOf(string(a.StartsAt)), timeOf(string(a.EndsAt))
		rep.At, rep.Started = started, started
		if rep.State == alert.Resolved {
			rep.At, rep.Started = ends, time.Time{}
		}
		if !grafana {
			rep.Links = append(rep.Links, links("Alertmanager", n.ExternalURL)...)
		}
		out = append(out, rep)
	}
	return out, nil
}

// report is what both forms share.
func (a *promAlert) report(raw []byte) alert.Report {
	key := a.Fingerprint
	if key == "" {
		key = fingerprint(a.Labels)
	}
	r := alert.Report{
		Key: key, Severity: severityOf(first(a.Labels["severity"], a.Labels["priority"], a.Labels["level"])),
		Title:  first(a.Annotations["summary"], a.Annotations["title"], a.Labels["alertname"], a.Annotations["message"]),
		Text:   first(a.Annotations["description"], a.Annotations["message"]),
		Labels: a.Labels,
		Links: links("Query", a.GeneratorURL, "Runbook", first(a.Annotations["runbook_url"], a.Annotations["runbook"]),
			"Dashboard", first(a.DashboardURL, a.Annotations["dashboard_url"], a.Annotations["dashboard"]), "Panel", a.PanelURL, "Silence", a.SilenceURL),
		Raw: raw,
	}
	if r.Text == "" {
		r.Text = a.ValueString
	}
	return r
}

// fingerprint is Prometheus's own: FNV-1a over the sorted labels, each name and
// value followed by 0xff. Labels without a value are none.
func fingerprint(labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for n, v := range labels {
		if v != "" {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	sum := uint64(14695981039346656037)
	add := func(s string) {
		for i := range len(s) {
			sum = (sum ^ uint64(s[i])) * 1099511628211
		}
		sum = (sum ^ 0xff) * 1099511628211
	}
	for _, n := range names {
		add(n)
		add(labels[n])
	}
	return fmt.Sprintf("%016x", sum)
}

// tookAlertmanager answers as Alertmanager does: 200 and nothing.
func tookAlertmanager(*Request, int) Reply { return Reply{Status: http.StatusOK} }
