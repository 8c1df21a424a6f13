package datadog

import (
	"cmp"
	"net/http"

	"reeve/internal/intake/dialect"
)

// evaluations takes evaluations and end users' feedback.
func evaluations(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	body, ok := dialect.ParseObject(r.Body)
	if !ok {
		return dialect.Reply{}, errJSON
	}
	body.Get("data").Object().Get("attributes").Object().Get("metrics").Each(func(raw dialect.Raw) {
		e := raw.Object()
		if e.Get("label").Text() == "" {
			out.Reject("an evaluation is no JSON object or has no label")
			return
		}
		evaluation(out, e, r.Now)
	})
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

func evaluation(out *dialect.Writer, e dialect.Object, now int64) {
	join := e.Take("join_on").Object()
	on := join.Get("span").Object()
	span, trace := e.Take("span_id").Word(), e.Take("trace_id").Word()
	l := dialect.OutLog{
		Event: dialect.EvaluationEvent, Time: cmp.Or(dialect.Instant(e.Take("timestamp_ms")), now),
		Trace: dialect.TraceOf(cmp.Or(on.Get("trace_id").Word(), trace)), Span: dialect.SpanOf(cmp.Or(on.Get("span_id").Word(), span), true),
		Attributes: out.Attributes(),
	}
	value := dialect.Evaluation{
		Name: e.Take("label").Text(), Explanation: e.Take("reasoning").Text(),
		Label: cmp.Or(e.Take("categorical_value").Text(), e.Take("text_value").Text()),
	}
	if yes := e.Take("boolean_value"); value.Label == "" {
		value.Label = string(yes)
	}
	if score, ok := e.Take("score_value").Float(); ok {
		value.Score = &score
	}
	value.Write(&l)
	l.Text("session.id", e.Take("session_id").Text())
	if tag := join.Get("tag").Object(); tag != nil {
		l.Text("datadog.join."+tag.Get("key").Text(), tag.Get("value").Text())
	}
	l.Texts("datadog.tags", e.Take("tags").Texts())
	for _, m := range e { // what is not known is kept
		l.JSON("datadog.evaluation."+m.Key, m.Value)
	}
	out.Log(&l)
}
