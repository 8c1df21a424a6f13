package datadog

import (
	"encoding/json"
	"net/http"
	"strconv"

	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// evaluation is one evaluation of a span or trace.
type evaluation struct {
	JoinOn struct {
		Span *struct {
			SpanID  number `json:"span_id"`
			TraceID number `json:"trace_id"`
		} `json:"span"`
		Tag *struct{ Key, Value string } `json:"tag"`
	} `json:"join_on"`
	SpanID      number          `json:"span_id"`
	TraceID     number          `json:"trace_id"`
	SessionID   string          `json:"session_id"`
	JoinKey     string          `json:"feedback_join_key"`
	Type        string          `json:"metric_type"`
	Label       string          `json:"label"`
	Score       *float64        `json:"score_value"`
	Category    string          `json:"categorical_value"`
	Boolean     *bool           `json:"boolean_value"`
	JSONValue   json.RawMessage `json:"json_value"`
	Text        string          `json:"text_value"`
	MLApp       string          `json:"ml_app"`
	TimestampMS json.Number     `json:"timestamp_ms"`
	Tags        []string        `json:"tags"`
	Assessment  string          `json:"assessment"`
	Reasoning   string          `json:"reasoning"`
	Scope       string          `json:"eval_scope"`
	Kind        string          `json:"event_kind"`
	Submitter   json.RawMessage `json:"submitter"`
	Metadata    json.RawMessage `json:"metadata"`
}

// evaluations takes evaluations and end users' feedback.
func evaluations(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var q struct {
		Data struct {
			Attributes struct {
				Metrics []json.RawMessage `json:"metrics"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return dialect.Reply{}, errJSON.WithCause(err)
	}
	for _, raw := range q.Data.Attributes.Metrics {
		var e evaluation
		if err := json.Unmarshal(raw, &e); err != nil || e.Label == "" {
			out.Reject("an evaluation cannot be read or has no label")
			continue
		}
		e.write(out, r.Now)
	}
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

func (e *evaluation) write(out *dialect.Writer, now int64) {
	l := dialect.OutLog{
		Event: dialect.EvaluationEvent, Time: dialect.Instant([]byte(e.TimestampMS)),
		Trace: dialect.TraceOf(string(e.TraceID)), Span: dialect.SpanOf(string(e.SpanID), true),
	}
	if l.Time == 0 {
		l.Time = now
	}
	if on := e.JoinOn.Span; on != nil {
		l.Trace, l.Span = dialect.TraceOf(string(on.TraceID)), dialect.SpanOf(string(on.SpanID), true)
	}
	ev := dialect.Evaluation{Name: e.Label, Label: first(e.Category, e.Text), Explanation: e.Reasoning, Score: e.Score}
	if e.Boolean != nil {
		ev.Label = strconv.FormatBool(*e.Boolean)
	}
	ev.Write(&l)
	l.JSON("datadog.evaluation.json_value", e.JSONValue)
	l.Text("datadog.evaluation.assessment", e.Assessment)
	l.Text("datadog.evaluation.scope", e.Scope)
	l.Text("datadog.evaluation.kind", e.Kind)
	l.JSON("datadog.evaluation.submitter", e.Submitter)
	l.JSON("datadog.evaluation.metadata", e.Metadata)
	l.Text("session.id", e.SessionID)
	l.Text("datadog.tag.ml_app", e.MLApp)
	l.Text("datadog.tag.feedback_join_key", e.JoinKey)
	if on := e.JoinOn.Tag; on != nil {
		l.Text("datadog.join."+on.Key, on.Value)
	}
	l.Texts("datadog.tags", e.Tags)
	if l.Span == (activity.SpanID{}) {
		l.Trace = activity.TraceID{} // of a run at most, by its session or key
		if e.TraceID != "" {
			l.Trace = dialect.TraceOf(string(e.TraceID))
		}
	}
	out.Log(&l)
}
