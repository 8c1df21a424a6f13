package alerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"reeve/internal/alert"
	"reeve/internal/fault"
)

// hecEvent is an event as Splunk's HTTP Event Collector takes it.
type hecEvent struct {
	Time       text            `json:"time"`
	Host       text            `json:"host"`
	Source     text            `json:"source"`
	Sourcetype text            `json:"sourcetype"`
	Index      text            `json:"index"`
	Event      json.RawMessage `json:"event"`
	Fields     map[string]any  `json:"fields"`
}

// splunkAlert is what Splunk's alert action posts.
type splunkAlert struct {
	SID        string         `json:"sid"`
	SearchName string         `json:"search_name"`
	App        string         `json:"app"`
	Owner      string         `json:"owner"`
	Results    string         `json:"results_link"`
	Result     map[string]any `json:"result"`
}

// splunk reads events of the HTTP Event Collector (objects one after the other,
// or lines at /raw), and the webhook of an alert action, which says neither a
// state nor an end: its source resolves it when nothing more is heard.
func splunk(r *Request) ([]alert.Report, error) {
	if strings.HasSuffix(r.Path, "/raw") || strings.HasSuffix(r.Path, "/raw/1.0") {
		return hecRaw(r)
	}
	var out []alert.Report
	d := json.NewDecoder(bytes.NewReader(r.Body))
	for n := 0; ; n++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformed("JSON objects one after the other", err)
		}
		if n >= maxReports {
			return nil, tooMany()
		}
		rep, err := splunkOne(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, rep)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.KindInvalid, "alerts.empty", "the body holds no event")
	}
	return out, nil
}

func splunkOne(raw []byte) (alert.Report, error) {
	var probe struct {
		SearchName *string `json:"search_name"`
		hecEvent
	}
	if err := decode(raw, "an event of Splunk", &probe); err != nil {
		return alert.Report{}, err
	}
	if probe.Event == nil {
		if probe.SearchName == nil {
			return alert.Report{}, fault.New(fault.KindInvalid, "alerts.no_event", "one of the objects has no event")
		}
		var a splunkAlert
		if err := decode(raw, "an alert of Splunk", &a); err != nil {
			return alert.Report{}, err
		}
		return a.report(raw), nil
	}
	return probe.report(raw)
}

// report of an alert action: one alert a search.
func (a *splunkAlert) report(raw []byte) alert.Report {
	o := object(a.Result)
	out := alert.Report{
		Key: "search:" + a.App + "/" + a.SearchName, State: alert.Firing, Title: first(a.SearchName, "a search without a name"), Text: o.get("message", "description", "_raw"),
		Severity: severityOf(o.get(severityNames...)), At: timeOf(timeOfSID(a.SID)), Labels: labels("app", a.App, "owner", a.Owner),
		Links: links("Results", a.Results), Raw: raw,
	}
	if out.At.IsZero() {
		out.At = timeOf(o.get("_time"))
	}
	for name, v := range a.Result {
		if s := scalar(v); s != "" && len(s) <= 300 && !strings.HasPrefix(name, "_") && len(out.Labels) < maxFlat {
			out.Labels[name] = s
		}
	}
	return out
}

// timeOfSID is when a scheduled search ran: scheduler__user__app__name_at_1700000000_12.
func timeOfSID(sid string) string {
	i := strings.LastIndex(sid, "_at_")
	if i < 0 {
		return ""
	}
	at, _, _ := strings.Cut(sid[i+4:], "_")
	return at
}

// report of an event of the collector.
func (e *hecEvent) report(raw []byte) (alert.Report, error) {
	v, err := parseAny(e.Event, "an event of Splunk")
	if err != nil {
		return alert.Report{}, err
	}
	var out alert.Report
	switch v := v.(type) {
	case map[string]any:
		out = object(v).read(raw)
	case string:
		if strings.TrimSpace(v) == "" {
			return out, fault.New(fault.KindInvalid, "alerts.no_event", "one of the objects has an empty event")
		}
		out = alert.Report{State: alert.Firing, Title: firstLine(v), Text: v, Labels: map[string]string{}, Raw: raw}
	default:
		return out, malformed("an event of text or an object", nil)
	}
	for name, s := range map[string]text{"host": e.Host, "source": e.Source, "sourcetype": e.Sourcetype, "index": e.Index} {
		if s != "" && out.Labels[name] == "" {
			out.Labels[name] = string(s)
		}
	}
	flatten(out.Labels, "", e.Fields, 0)
	fields := object(e.Fields)
	out.Severity = first(out.Severity, severityOf(fields.get(severityNames...)))
	if word := fields.get(stateNames...); stateOf(word) != "" {
		out.State = stateOf(word)
	}
	if out.At.IsZero() {
		out.At = timeOf(string(e.Time))
	}
	if key := fields.get(keyNames...); key != "" {
		out.Key = key
	} else if out.Key == "" || strings.HasPrefix(out.Key, "auto:") {
		out.Key = keyOf(out.Title, labels("host", string(e.Host), "source", string(e.Source), "sourcetype", string(e.Sourcetype)))
	}
	return out, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func hecRaw(r *Request) ([]alert.Report, error) {
	var out []alert.Report
	for _, line := range strings.Split(string(r.Body), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if len(out) >= maxReports {
			return nil, tooMany()
		}
		all := labels("host", r.Query.Get("host"), "source", r.Query.Get("source"), "sourcetype", r.Query.Get("sourcetype"))
		out = append(out, alert.Report{Key: keyOf(line, all), State: alert.Firing, Title: line, Labels: all, Raw: []byte(line)})
	}
	if len(out) == 0 {
		return nil, fault.New(fault.KindInvalid, "alerts.empty", "the body holds no event")
	}
	return out, nil
}

// tookSplunk answers as the collector does. What it took is on disk, so that
// acknowledgements need no waiting: any is given.
func tookSplunk(r *Request, _ int) Reply {
	if r.Header.Get("X-Splunk-Request-Channel") != "" {
		return Reply{Status: http.StatusOK, Body: fmt.Sprintf(`{"text":"Success","code":0,"ackId":%d}`, r.Now.UnixMicro()%1_000_000_000)}
	}
	return Reply{Status: http.StatusOK, Body: `{"text":"Success","code":0}`}
}

// failedSplunk answers with the collector's own codes, by which forwarders
// decide whether to send again.
func failedSplunk(status int, err *fault.Error) Reply {
	code, text := 6, "Invalid data format"
	switch {
	case err.Code == "hook.no_proof":
		code, text = 2, "Token is required"
	case status == http.StatusUnauthorized:
		code, text, status = 4, "Invalid token", http.StatusForbidden
	case err.Code == "alerts.empty":
		code, text = 5, "No data"
	case err.Code == "alerts.no_event":
		code, text = 12, "Event field is required"
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		code, text, status = 9, "Server is busy", http.StatusServiceUnavailable
	case status >= 500:
		code, text = 8, "Internal server error"
	}
	body, _ := json.Marshal(map[string]any{"text": text, "code": code, "reason": err.Message}) // texts and a number
	return Reply{Status: status, Body: string(body)}
}

// sfxAlert is what Splunk Observability Cloud posts.
type sfxAlert struct {
	IncidentID text           `json:"incidentId"`
	Severity   text           `json:"severity"`
	Status     text           `json:"status"`
	State      text           `json:"statusExtended"`
	EventType  text           `json:"eventType"`
	Timestamp  text           `json:"timestamp"`
	Title      text           `json:"messageTitle"`
	Body       text           `json:"messageBody"`
	Detector   text           `json:"detector"`
	DetectorID text           `json:"detectorId"`
	URL        text           `json:"detectorUrl"`
	Rule       text           `json:"rule"`
	Tip        text           `json:"tip"`
	Runbook    text           `json:"runbookUrl"`
	Metric     text           `json:"originatingMetric"`
	Dimensions any            `json:"dimensions"` // an object, or its text
	Inputs     map[string]any `json:"inputs"`
}

// splunkObservability reads a detector's alert: anomalous, or ok again, known by
// its incident.
func splunkObservability(r *Request) ([]alert.Report, error) {
	var a sfxAlert
	if err := decode(r.Body, "an alert of Splunk Observability Cloud", &a); err != nil {
		return nil, err
	}
	if a.IncidentID == "" {
		return nil, missing("incidentId")
	}
	out := alert.Report{
		Key: string(a.IncidentID), State: alert.Firing, Severity: severityOf(string(a.Severity)), Title: first(string(a.Title), string(a.Rule), string(a.Detector)),
		Text: first(string(a.Body), string(a.Tip)), At: timeOf(string(a.Timestamp)), Raw: r.Body,
		Labels: labels("detector", string(a.Detector), "rule", string(a.Rule), "metric", string(a.Metric)),
		Links:  links("Detector", string(a.URL), "Runbook", string(a.Runbook)),
	}
	switch word := strings.ToLower(first(string(a.State), string(a.Status))); word {
	case "ok", "stopped", "manually resolved", "manual_resolve", "auto resolved":
		out.State, out.Note = alert.Resolved, word
	}
	if written, ok := a.Dimensions.(string); ok {
		tags(out.Labels, strings.Trim(written, "{}"))
	} else {
		flatten(out.Labels, "", a.Dimensions, 0)
	}
	for name, v := range a.Inputs { // the key of a signal holds its dimensions
		if in, ok := v.(map[string]any); ok {
			flatten(out.Labels, "", in["key"], 0)
			if value := scalar(in["value"]); value != "" && len(out.Labels) < maxFlat {
				out.Labels["value."+name] = value
			}
		}
	}
	return []alert.Report{out}, nil
}
