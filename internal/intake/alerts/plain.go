package alerts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"reeve/internal/alert"
)

// severityOf is a sender's word for how bad something is, in ours; "" when it is
// none that is known.
func severityOf(word string) string {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical", "crit", "fatal", "emergency", "emerg", "disaster", "p1", "1", "sev1", "sev-1", "page":
		return alert.Critical
	case "error", "err", "major", "high", "p2", "2", "sev2", "sev-2", "severe":
		return alert.Error
	case "warning", "warn", "minor", "medium", "average", "moderate", "p3", "3", "sev3", "sev-3":
		return alert.Warning
	case "info", "informational", "information", "low", "notice", "none", "debug", "p4", "p5", "4", "5", "sev4", "sev5":
		return alert.Info
	}
	return ""
}

// stateOf is a sender's word for whether something is wrong; "" when it is none
// that is known.
func stateOf(word string) string {
	switch strings.ToLower(strings.ReplaceAll(strings.TrimSpace(word), "_", " ")) {
	case "firing", "alerting", "triggered", "trigger", "re-triggered", "open", "opened", "active", "problem", "critical", "warning", "error", "down", "failed", "failing",
		"anomalous", "unresolved", "acknowledged", "unknown", "new", "nodata", "no data", "warn", "bad", "unhealthy", "fired":
		return alert.Firing
	case "resolved", "resolve", "ok", "closed", "close", "recovered", "recovery", "up", "normal", "inactive", "cleared", "clear", "healthy", "fixed", "success", "passed", "good", "done":
		return alert.Resolved
	}
	return ""
}

// timeOf reads a time as senders write it: RFC 3339, or seconds, milli-, micro-
// or nanoseconds since 1970. The zero time is none.
func timeOf(s string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05 MST"} {
		if t, err := time.Parse(layout, s); err == nil {
			return sane(t)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f <= 0 || f > 9e18 {
		return time.Time{}
	}
	switch {
	case f >= 1e17:
		return sane(time.Unix(0, int64(f)))
	case f >= 1e14:
		return sane(time.UnixMicro(int64(f)))
	case f >= 1e11:
		return sane(time.UnixMilli(int64(f)))
	}
	whole, part := math.Modf(f)
	return sane(time.Unix(int64(whole), int64(math.Round(part*1e6))*1000))
}

// sane drops times that no clock shows: zero times of other languages among them.
func sane(t time.Time) time.Time {
	if t.Year() < 1990 || t.Year() > 2200 {
		return time.Time{}
	}
	return t.UTC()
}

// object is a JSON object that nobody described.
type object map[string]any

func parseAny(body []byte, what string) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, malformed(what, err)
	}
	if d.More() {
		return nil, malformed(what, nil)
	}
	return v, nil
}

// scalar is a value as text; lists and objects are "".
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// get is the first of the names that has a scalar.
func (o object) get(names ...string) string {
	for _, n := range names {
		if s := strings.TrimSpace(scalar(o[n])); s != "" {
			return s
		}
	}
	return ""
}

// maxFlat bounds the labels that are made of a body, and their depth.
const (
	maxFlat  = 64
	maxDepth = 4
)

// flatten makes labels of the scalars in an object: a.b.c. Long texts are none.
func flatten(out map[string]string, prefix string, v any, depth int) {
	if len(out) >= maxFlat {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if depth >= maxDepth {
			return
		}
		names := make([]string, 0, len(v))
		for n := range v {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			key := n
			if prefix != "" {
				key = prefix + "." + n
			}
			flatten(out, key, v[n], depth+1)
		}
	default:
		if s := scalar(v); s != "" && len(s) <= 300 && prefix != "" {
			out[prefix] = s
		}
	}
}

// tags reads "a:b,c:d", or a list of such, into labels.
func tags(out map[string]string, v any) {
	add := func(s string) {
		name, value, ok := strings.Cut(strings.TrimSpace(s), ":")
		if !ok {
			name, value, ok = strings.Cut(strings.TrimSpace(s), "=")
		}
		if name = strings.TrimSpace(name); ok && name != "" && len(out) < maxFlat {
			out[name] = strings.TrimSpace(value)
		}
	}
	switch v := v.(type) {
	case string:
		for _, s := range strings.Split(v, ",") {
			add(s)
		}
	case []any:
		for _, e := range v {
			if pair, ok := e.([]any); ok && len(pair) == 2 {
				add(scalar(pair[0]) + ":" + scalar(pair[1]))
			} else {
				add(scalar(e))
			}
		}
	case map[string]any:
		flatten(out, "", v, 0)
	}
}

// The names under which most systems say the same.
var (
	keyNames      = []string{"key", "dedup_key", "dedupKey", "fingerprint", "alias", "incident_identifier", "incident_key", "alert_id", "alertId", "incident_id", "incidentId"}
	titleNames    = []string{"title", "summary", "alertname", "alert_name", "search_name", "rule", "rule_name", "name", "check", "subject", "message"}
	textNames     = []string{"text", "description", "body", "message", "details", "reason", "output"}
	stateNames    = []string{"status", "state", "alert_state", "event_action", "transition"}
	severityNames = []string{"severity", "level", "priority", "urgency", "criticality"}
	timeNames     = []string{"at", "timestamp", "time", "date", "occurred_at", "updated_at", "startsAt", "starts_at", "_time"}
	urlNames      = []string{"url", "link", "html_url", "web_url", "runbook", "runbook_url", "dashboard", "dashboard_url", "results_link"}
)

// read makes a report of an object whose sender was never described, by the
// names that most use.
func (o object) read(raw []byte) alert.Report {
	r := alert.Report{
		Key: o.get(keyNames...), Title: o.get(titleNames...), Severity: severityOf(o.get(severityNames...)),
		At: timeOf(o.get(timeNames...)), Labels: map[string]string{}, Raw: raw,
	}
	word := o.get(stateNames...)
	if r.State = stateOf(word); r.State == "" {
		r.State = alert.Firing // an alert that says nothing of its state tells that something is wrong
	}
	if r.Severity == "" {
		r.Severity = severityOf(word)
	}
	if strings.EqualFold(word, alert.Acked) {
		r.Ack = alert.Acked
	}
	for _, n := range textNames {
		if s := o.get(n); s != "" && s != r.Title {
			r.Text = s
			break
		}
	}
	for _, n := range urlNames {
		r.Links = append(r.Links, links(n, o.get(n))...)
	}
	for _, n := range [...]string{"labels", "tags", "fields", "custom_details", "dimensions"} {
		tags(r.Labels, o[n])
	}
	for _, n := range [...]string{"agent", "reeve_agent", "service", "host", "source", "environment", "env", "team", "component", "group", "class", "check"} {
		if s := o.get(n); s != "" {
			r.Labels[n] = s
		}
	}
	if r.Key == "" {
		r.Key = keyOf(r.Title, r.Labels)
	}
	return r
}

// keyOf is a key of a title and what it is about, for senders without one. The
// state and the time are no part of it.
func keyOf(title string, labels map[string]string) string {
	if title == "" && len(labels) == 0 {
		return ""
	}
	names := make([]string, 0, len(labels))
	for n := range labels {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sha256.New()
	h.Write([]byte(title))
	for _, n := range names {
		h.Write([]byte("\x00" + n + "\x00" + labels[n]))
	}
	return "auto:" + hex.EncodeToString(h.Sum(nil)[:12])
}

// rawOf is a part of a body as JSON again, for what was parsed as a whole.
func rawOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // it was JSON
		return nil
	}
	return b
}

// anyJSON reads JSON by the source's mapping; without one by the names that most
// use, from an object or a list of them.
func anyJSON(r *Request) ([]alert.Report, error) {
	v, err := parseAny(r.Body, "JSON")
	if err != nil {
		return nil, err
	}
	if r.Mapping != nil {
		return r.Mapping.Read(v, r)
	}
	return plainAlerts(v, r.Body)
}

func plainAlerts(v any, body []byte) ([]alert.Report, error) {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v["alerts"].([]any); ok {
			return plainList(list)
		}
		out := object(v).read(body)
		if out.Key == "" {
			return nil, missing("title or key")
		}
		return []alert.Report{out}, nil
	case []any:
		return plainList(v)
	}
	return nil, malformed("an object or a list of objects", nil)
}

func plainList(list []any) ([]alert.Report, error) {
	if len(list) > maxReports {
		return nil, tooMany()
	}
	out := make([]alert.Report, 0, len(list))
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, malformed("a list of objects", nil)
		}
		r := object(m).read(rawOf(m))
		if r.Key == "" {
			return nil, missing("title or key in one of the list")
		}
		out = append(out, r)
	}
	return out, nil
}
