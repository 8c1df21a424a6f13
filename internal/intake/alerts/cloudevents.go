package alerts

import (
	"encoding/json"
	"mime"
	"net/url"
	"strings"

	"reeve/internal/alert"
	"reeve/internal/fault"
)

// cloudEvents reads CloudEvents 1.0 over HTTP: binary (attributes in headers),
// structured, or a batch. What the event is about is its source and subject; its
// data is read by the names that most use.
func cloudEvents(r *Request) ([]alert.Report, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	switch kind {
	case "application/cloudevents-batch+json":
		var list []json.RawMessage
		if err := decode(r.Body, "a batch of CloudEvents", &list); err != nil {
			return nil, err
		}
		if len(list) > maxReports {
			return nil, tooMany()
		}
		out := make([]alert.Report, 0, len(list))
		for _, raw := range list {
			one, err := structured(raw)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		return out, nil
	case "application/cloudevents+json":
		one, err := structured(r.Body)
		return []alert.Report{one}, err
	}
	if r.Header.Get("Ce-Specversion") == "" {
		return nil, fault.New(fault.KindInvalid, "alerts.cloudevents", "this is no CloudEvent").WithHint("send application/cloudevents+json, or the attributes as ce-* headers")
	}
	one, err := binary(r)
	return []alert.Report{one}, err
}

func structured(raw []byte) (alert.Report, error) {
	v, err := parseAny(raw, "a CloudEvent")
	if err != nil {
		return alert.Report{}, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return alert.Report{}, malformed("a CloudEvent", nil)
	}
	return event(m, m["data"], raw)
}

func binary(r *Request) (alert.Report, error) {
	attributes := object{}
	for name, values := range r.Header {
		if attribute, ok := strings.CutPrefix(strings.ToLower(name), "ce-"); ok && len(values) > 0 {
			value, err := url.PathUnescape(values[0]) // the binding escapes what a header cannot hold
			if err != nil {
				value = values[0]
			}
			attributes[attribute] = value
		}
	}
	var data any
	if len(r.Body) > 0 {
		var err error
		if data, err = parseAny(r.Body, "JSON"); err != nil {
			data = string(r.Body) // any data is a CloudEvent's
		}
	}
	return event(attributes, data, r.Body)
}

// event makes a report of an event's attributes and data.
func event(a object, data any, raw []byte) (alert.Report, error) {
	if !strings.HasPrefix(a.get("specversion"), "1.") {
		return alert.Report{}, fault.New(fault.KindInvalid, "alerts.cloudevents", "specversion is 1.0, not %.20q", a.get("specversion"))
	}
	id, source, kind := a.get("id"), a.get("source"), a.get("type")
	if id == "" || source == "" || kind == "" {
		return alert.Report{}, missing("id, source and type of a CloudEvent")
	}
	var out alert.Report
	said := ""
	if m, ok := data.(map[string]any); ok {
		out = object(m).read(raw)
		said = object(m).get(stateNames...)
	} else {
		out = alert.Report{State: alert.Firing, Text: scalar(data), Labels: map[string]string{}, Raw: raw}
	}
	last := kind[strings.LastIndexAny(kind, "./:")+1:]
	if stateOf(said) == "" && stateOf(last) == alert.Resolved { // com.example.alert.resolved
		out.State = alert.Resolved
	}
	if out.Key == "" || strings.HasPrefix(out.Key, "auto:") {
		subject := a.get("subject")
		stem := kind
		if stateOf(last) != "" {
			stem = kind[:len(kind)-len(last)]
		}
		out.Key = source + "|" + subject
		if subject == "" {
			out.Key = source + "|" + stem
		}
	}
	if at := timeOf(a.get("time")); !at.IsZero() {
		out.At = at
	}
	out.Title = first(out.Title, a.get("subject"), kind)
	for name, v := range a {
		switch name {
		case "specversion", "id", "data", "data_base64", "datacontenttype", "dataschema", "time":
			continue
		}
		if s := scalar(v); s != "" && len(s) <= 300 && len(out.Labels) < maxFlat && out.Labels[name] == "" {
			out.Labels[name] = s
		}
	}
	return out, nil
}
