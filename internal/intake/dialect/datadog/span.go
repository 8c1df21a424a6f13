package datadog

import (
	"cmp"
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

// spanEvents takes what the SDKs send: a list of groups of span events.
func spanEvents(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	group := func(g dialect.Raw) {
		g.Object().Get("spans").Each(func(e dialect.Raw) { event(out, e, nil) })
	}
	body := dialect.Raw(r.Body)
	if one := body.Object(); one != nil {
		group(body)
	} else if !body.Each(group) {
		return dialect.Reply{}, errJSON
	}
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

// publicSpans takes the public API's request, whose spans share some facts.
func publicSpans(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	body, ok := dialect.ParseObject(r.Body)
	if !ok {
		return dialect.Reply{}, errJSON
	}
	all := body.Get("data").Object().Get("attributes").Object()
	tags := all.Get("tags").Texts()
	for _, key := range [...]string{"ml_app", "feedback_join_key"} {
		if v := all.Get(key).Text(); v != "" {
			tags = append(tags, key+":"+v)
		}
	}
	session := all.Get("session_id")
	all.Get("spans").Each(func(raw dialect.Raw) {
		event(out, raw, func(e *dialect.Object, more *[]string) {
			*more = tags
			if e.Get("session_id") == nil && session != nil {
				e.Set("session_id", session)
			}
		})
	})
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

// event writes one span event; with, where it is not nil, adds first what stands
// elsewhere.
func event(out *dialect.Writer, raw dialect.Raw, with func(e *dialect.Object, tags *[]string)) {
	e, ok := dialect.ParseObject(raw)
	if !ok {
		out.Reject("a span event is no JSON object")
		return
	}
	var tags []string
	if with != nil {
		with(&e, &tags)
	}
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(e.Get("trace_id").Word()), ID: dialect.SpanOf(e.Get("span_id").Word(), true),
		Name: e.Get("name").Text(), Start: dialect.Instant(e.Get("start_ns")), Attributes: out.Attributes(),
	}
	if s.ID == (activity.SpanID{}) || s.Trace == (activity.TraceID{}) {
		out.Reject("a span event has no span_id or trace_id")
		return
	}
	if parent := e.Get("parent_id").Word(); parent != "undefined" && parent != "0" {
		s.Parent = dialect.SpanOf(parent, true)
	}
	if d, ok := e.Get("duration").Int(); ok && d >= 0 && s.Start > 0 {
		s.End = s.Start + d
	}
	s.Text("session.id", e.Get("session_id").Text())
	s.Text("service.name", e.Get("service").Text())
	e.Get("tags").Each(func(t dialect.Raw) { tag(&s, e, t.Text()) })
	for _, t := range tags {
		tag(&s, e, t)
	}
	for _, m := range e.Get("metrics").Object() {
		s.Number(metricPrefix+m.Key, m.Value)
	}
	s.Texts("datadog.collection_errors", e.Get("collection_errors").Texts())
	s.JSON("datadog.span_links", e.Get("span_links"))
	about(&s, e.Get("meta").Object())
	if e.Get("status").Text() == "error" {
		s.Failed, s.Message = true, cmp.Or(s.Message, e.Get("status_message").Text())
	}
	out.Span(&s)
}

// tag writes a "key:value" tag, one that OpenTelemetry has a name for by it.
func tag(s *dialect.OutSpan, e dialect.Object, t string) {
	key, v, ok := strings.Cut(t, ":")
	if !ok || v == "" {
		return
	}
	switch key {
	case "env":
		s.Text("deployment.environment.name", v)
	case "service":
		if e.Get("service") == nil {
			s.Text("service.name", v)
		}
	case "version":
		s.Text("service.version", v)
	case "session_id":
		if e.Get("session_id") == nil {
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

// about writes an event's meta: JavaScript writes "span.kind" and "error.message"
// flat, Python span and error as objects, the public API kind.
func about(s *dialect.OutSpan, meta dialect.Object) {
	kind := cmp.Or(meta.Take("span.kind").Text(), meta.Take("kind").Text(), meta.Take("span").Object().Get("kind").Text())
	s.Text(kindKey, kind)
	if name := meta.Take("model_name").Text(); name != "custom" {
		s.Text(modelKey, name)
	}
	if p := meta.Take("model_provider").Text(); p != "unknown" && p != "custom" {
		s.Text(providerKey, p)
	}
	problem := meta.Take("error").Object()
	s.Message = cmp.Or(problem.Get("message").Text(), meta.Take("error.message").Text())
	s.Text("error.type", cmp.Or(problem.Get("type").Text(), meta.Take("error.type").Text()))
	s.Text("exception.stacktrace", cmp.Or(problem.Get("stack").Text(), meta.Take("error.stack").Text()))
	s.Text(parentKey, meta.Get("agent_attribution").Object().Get("pagent_name").Text())
	s.JSON(toolsKey, meta.Take("tool_definitions"))
	s.JSON(metadataKey, meta.Take("metadata"))
	input, output := meta.Take("input"), meta.Take("output")
	content(s, input, "input", inputKey, inputKey)
	content(s, output, "output", outputKey, documentsKey)
	for _, m := range meta { // what is not known is kept
		s.JSON(metaPrefix+m.Key, m.Value)
	}
}

// content writes an input or output; only what was retrieved is documents.
func content(s *dialect.OutSpan, raw dialect.Raw, name, key, documents string) {
	c := raw.Object()
	if c == nil {
		s.JSON(key, raw)
		return
	}
	for _, from := range [...]string{"messages", "value", "parameters"} {
		if v := c.Get(from); v != nil {
			s.JSON(key, v)
			break
		}
	}
	s.JSON(documents, c.Get("documents"))
	s.JSON(metaPrefix+name+".prompt", c.Get("prompt"))
}
