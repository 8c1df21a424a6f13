package datadog

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
)

var (
	errJSON = fault.New(fault.KindInvalid, "intake.malformed", "the body is not the JSON of this endpoint")
	errPack = fault.New(fault.KindInvalid, "intake.malformed", "the body is not the msgpack of this endpoint")
)

// number is an id that comes as a number or as its text.
type number string

// UnmarshalJSON takes both; null is none.
func (n *number) UnmarshalJSON(b []byte) error {
	if s := strings.Trim(string(b), `"`); s != "null" {
		*n = number(s)
	}
	return nil
}

// event is a span event. Members that only pass through are raw.
type event struct {
	TraceID   number             `json:"trace_id"`
	SpanID    number             `json:"span_id"`
	ParentID  number             `json:"parent_id"`
	SessionID string             `json:"session_id"`
	Service   string             `json:"service"`
	Name      string             `json:"name"`
	Tags      []string           `json:"tags"`
	StartNS   json.Number        `json:"start_ns"`
	Duration  json.Number        `json:"duration"`
	Status    string             `json:"status"`
	Message   string             `json:"status_message"`
	Meta      meta               `json:"meta"`
	Metrics   map[string]float64 `json:"metrics"`
	Errors    []string           `json:"collection_errors"`
	Links     json.RawMessage    `json:"span_links"`
}

// meta is an event's meta: JavaScript writes "span.kind" and "error.message"
// flat, Python span and error as objects, the public API kind.
type meta map[string]json.RawMessage

// take removes a member and returns it.
func (m meta) take(key string) json.RawMessage {
	raw := m[key]
	delete(m, key)
	return raw
}

func (m meta) takeText(key string) string {
	var s string
	_ = json.Unmarshal(m.take(key), &s) // not a text: none
	return s
}

// content is an input or an output.
type content struct {
	Messages   json.RawMessage `json:"messages"`
	Value      json.RawMessage `json:"value"`
	Documents  json.RawMessage `json:"documents"`
	Parameters json.RawMessage `json:"parameters"`
	Prompt     json.RawMessage `json:"prompt"`
}

// spanEvents takes what the SDKs send: a list of groups of span events.
func spanEvents(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var groups []struct {
		Spans []json.RawMessage `json:"spans"`
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) > 0 && body[0] == '{' { // one group alone
		body = append(append([]byte{'['}, body...), ']')
	}
	if err := json.Unmarshal(body, &groups); err != nil {
		return dialect.Reply{}, errJSON.WithCause(err)
	}
	for _, g := range groups {
		for _, raw := range g.Spans {
			writeEvent(out, raw, nil)
		}
	}
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

// publicSpans takes the public API's request.
func publicSpans(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var q struct {
		Data struct {
			Attributes struct {
				MLApp     string            `json:"ml_app"`
				SessionID string            `json:"session_id"`
				JoinKey   string            `json:"feedback_join_key"`
				Tags      []string          `json:"tags"`
				Spans     []json.RawMessage `json:"spans"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return dialect.Reply{}, errJSON.WithCause(err)
	}
	all := q.Data.Attributes
	for _, raw := range all.Spans {
		writeEvent(out, raw, func(e *event) {
			if e.SessionID == "" {
				e.SessionID = all.SessionID
			}
			e.Tags = append(e.Tags, all.Tags...)
			if all.MLApp != "" {
				e.Tags = append(e.Tags, "ml_app:"+all.MLApp)
			}
			if all.JoinKey != "" {
				e.Tags = append(e.Tags, "feedback_join_key:"+all.JoinKey)
			}
		})
	}
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

// writeEvent writes one span event, changed first by with where it is not nil.
func writeEvent(out *dialect.Writer, raw []byte, with func(*event)) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		out.Reject("a span event cannot be read")
		return
	}
	if with != nil {
		with(&e)
	}
	write(out, &e)
}

func write(out *dialect.Writer, e *event) {
	s := dialect.OutSpan{Trace: dialect.TraceOf(string(e.TraceID)), ID: dialect.SpanOf(string(e.SpanID), true), Name: e.Name}
	if s.ID == (activity.SpanID{}) || s.Trace == (activity.TraceID{}) {
		out.Reject("a span event has no span_id or trace_id")
		return
	}
	if e.ParentID != "undefined" && e.ParentID != "0" {
		s.Parent = dialect.SpanOf(string(e.ParentID), true)
	}
	s.Start = dialect.Instant([]byte(e.StartNS))
	if d, err := e.Duration.Int64(); err == nil && d >= 0 && s.Start > 0 {
		s.End = s.Start + d
	} else if f, err := e.Duration.Float64(); err == nil && f >= 0 && s.Start > 0 {
		s.End = s.Start + int64(f)
	}
	e.tags(&s)
	s.Text("session.id", e.SessionID)
	s.Text("service.name", e.Service)
	for _, name := range dialect.Keys(e.Metrics) {
		n := e.Metrics[name]
		if n == float64(int64(n)) {
			s.Int(metricPrefix+name, int64(n))
		} else {
			s.Float(metricPrefix+name, n)
		}
	}
	s.Texts("datadog.collection_errors", e.Errors)
	s.JSON("datadog.span_links", e.Links)
	kind := e.Meta.write(&s)
	s.Text(kindKey, kind)
	if e.Status == "error" {
		s.Failed = true
		if s.Message == "" {
			s.Message = e.Message
		}
	}
	out.Span(&s)
}

// tags writes "key:value" tags, those that OpenTelemetry has a name for by it.
func (e *event) tags(s *dialect.OutSpan) {
	for _, t := range e.Tags {
		key, v, ok := strings.Cut(t, ":")
		if !ok || v == "" {
			continue
		}
		switch key {
		case "env":
			s.Text("deployment.environment.name", v)
		case "service":
			if e.Service == "" {
				s.Text("service.name", v)
			}
		case "version":
			s.Text("service.version", v)
		case "session_id":
			if e.SessionID == "" {
				s.Text("session.id", v)
			}
		case "user_id", "user_handle":
			s.Text("user.id", v)
		case "error_type":
			s.Text("error.type", v)
		default:
			s.Text(tagPrefix+key, v)
		}
	}
}

// write writes a meta and returns the kind it names.
func (m meta) write(s *dialect.OutSpan) (kind string) {
	if m == nil {
		return ""
	}
	kind = m.takeText("span.kind")
	if kind == "" {
		kind = m.takeText("kind")
	}
	var span struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(m.take("span"), &span) == nil && kind == "" {
		kind = span.Kind
	}
	if name := m.takeText("model_name"); name != "" && name != "custom" {
		s.Text(modelKey, name)
	}
	if p := m.takeText("model_provider"); p != "unknown" && p != "custom" {
		s.Text(providerKey, p)
	}
	var problem struct{ Message, Type, Stack string }
	_ = json.Unmarshal(m.take("error"), &problem) // not an object: the flat names follow
	s.Message = first(problem.Message, m.takeText("error.message"))
	s.Text("error.type", first(problem.Type, m.takeText("error.type")))
	s.Text("exception.stacktrace", first(problem.Stack, m.takeText("error.stack")))
	var by struct {
		Agent string `json:"pagent_name"`
	}
	if raw := m.take("agent_attribution"); json.Unmarshal(raw, &by) == nil {
		s.Text(parentKey, by.Agent)
		s.JSON(metaPrefix+"agent_attribution", raw)
	}
	s.JSON(toolsKey, m.take("tool_definitions"))
	s.JSON(metadataKey, m.take("metadata"))
	m.content(s, "input", inputKey)
	m.content(s, "output", outputKey)
	for _, key := range dialect.Keys(m) { // what is not known is kept
		s.JSON(metaPrefix+key, m[key])
	}
	return kind
}

func (m meta) content(s *dialect.OutSpan, name, key string) {
	raw := m.take(name)
	var c content
	if json.Unmarshal(raw, &c) != nil {
		s.JSON(key, raw)
		return
	}
	switch {
	case len(c.Messages) > 0:
		s.JSON(key, c.Messages)
	case len(c.Value) > 0:
		s.JSON(key, c.Value)
	case len(c.Parameters) > 0:
		s.JSON(key, c.Parameters)
	}
	if len(c.Documents) > 0 {
		if name == "output" {
			s.JSON(documentsKey, c.Documents)
		} else {
			s.JSON(key, c.Documents)
		}
	}
	s.JSON(metaPrefix+name+".prompt", c.Prompt)
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
