package feedback

import (
	"strings"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"reeve/internal/activity"
)

// evaluated is a record of an evaluation with attributes: text, or a number.
func evaluated(t *testing.T, attributes map[string]any) *activity.LogRecord {
	t.Helper()
	l := &activity.LogRecord{EventName: evaluationEvent, Time: 1e18, Run: activity.RunOfKey("run")}
	for k, v := range attributes {
		kv := &common.KeyValue{Key: k}
		switch x := v.(type) {
		case string:
			kv.Value = &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: x}}
		case float64:
			kv.Value = &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: x}}
		}
		b, err := proto.Marshal(kv)
		if err != nil {
			t.Fatal(err)
		}
		l.Attributes = protowire.AppendBytes(protowire.AppendTag(l.Attributes, 1, protowire.BytesType), b)
	}
	return l
}

// What other tools' scores say, by whom, and of what: as their records reach us.
func TestScoresOfOtherTools(t *testing.T) {
	t.Parallel()
	const name, score, label, why = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label", "gen_ai.evaluation.explanation"
	for what, c := range map[string]struct {
		attributes                     map[string]any
		source, giver, verdict         string
		kind, user, joinKey, key, text string // key: how it ends
	}{
		"a score of OpenTelemetry": {attributes: map[string]any{name: "helpfulness", score: 0.9, why: "to the point"}, source: "telemetry", giver: System, verdict: Positive, kind: Rating, text: "to the point"},
		"a word of OpenTelemetry":  {attributes: map[string]any{name: "correctness", label: "fail"}, source: "telemetry", giver: System, verdict: Negative, kind: Label},
		"a user's csat of 4":       {attributes: map[string]any{name: "csat", score: 4.0, "enduser.id": "ada"}, source: "telemetry", giver: User, verdict: Positive, kind: Rating, user: "ada"},
		"a user's csat of 1":       {attributes: map[string]any{name: "csat", score: 1.0}, source: "telemetry", giver: User, kind: Label},
		"a rating of 1":            {attributes: map[string]any{name: "star-rating", score: 1.0}, source: "telemetry", giver: User, kind: Label},
		"an nps of 5":              {attributes: map[string]any{name: "NPS", score: 5.0}, source: "telemetry", giver: User, kind: Label},
		"a number of no scale":     {attributes: map[string]any{name: "csat", score: 87.0}, source: "telemetry", giver: User, kind: Label},

		"a user's thumb of Langfuse": {attributes: map[string]any{name: "user-feedback", score: 1.0, "langfuse.score.id": "s1", "langfuse.score.source": `"API"`}, source: "langfuse", giver: User, verdict: Positive, kind: Rating, key: " s1"},
		"an annotation of Langfuse":  {attributes: map[string]any{name: "user-intent", score: 0.0, "langfuse.score.id": "s2", "langfuse.score.source": `"ANNOTATION"`}, source: "langfuse", giver: System, verdict: Negative, kind: Rating, key: " s2"},

		"an assessment of Datadog":      {attributes: map[string]any{name: "faithful", score: 0.2, "datadog.evaluation.assessment": `"pass"`}, source: "datadog", giver: System, verdict: Positive, kind: Thumb},
		"a failed assessment":           {attributes: map[string]any{name: "toxicity", score: 0.9, "datadog.evaluation.assessment": `"fail"`}, source: "datadog", giver: System, verdict: Negative, kind: Thumb},
		"end-user feedback of Datadog":  {attributes: map[string]any{name: "helpful", score: 0.0, "datadog.evaluation.event_kind": `"feedback"`, "datadog.evaluation.feedback_join_key": `"order-7"`, "datadog.evaluation.submitter": `{"id":"u7","type":"user"}`}, source: "datadog", giver: User, verdict: Negative, kind: Rating, user: "u7", joinKey: "order-7"},
		"feedback that a service gives": {attributes: map[string]any{name: "helpful", score: 1.0, "datadog.evaluation.event_kind": `"feedback"`, "datadog.evaluation.submitter": `{"id":"svc","type":"service"}`}, source: "datadog", giver: System, verdict: Positive, kind: Rating, user: "svc"},
		"words of Datadog":              {attributes: map[string]any{name: "said", label: "it lost my order", "datadog.evaluation.metric_type": `"text"`, "datadog.evaluation.event_kind": `"feedback"`}, source: "datadog", giver: User, kind: Comment, text: "it lost my order"},

		"a user's word of LangSmith": {attributes: map[string]any{name: "user_score", score: 0.0, "langsmith.feedback": `{"id":"f1","feedback_source":{"type":"api"}}`}, source: "langsmith", giver: User, verdict: Negative, kind: Rating, key: " f1"},
		"a model's of LangSmith":     {attributes: map[string]any{name: "user_score", score: 1.0, "langsmith.feedback": `{"id":"f2","feedback_source":{"type":"model"}}`}, source: "langsmith", giver: System, verdict: Positive, kind: Rating, key: " f2"},
		"no feedback of LangSmith":   {attributes: map[string]any{name: "user_score", score: 1.0, "langsmith.feedback": `[]`}, source: "langsmith", giver: User, verdict: Positive, kind: Rating},
	} {
		l := evaluated(t, c.attributes)
		from, r := ofLog(l)
		if err := r.check(time.Unix(0, l.Time).Add(time.Hour)); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if from.Source != c.source || r.Giver != c.giver || r.verdict() != c.verdict || r.Kind != c.kind || r.User != c.user || r.On.JoinKey != c.joinKey || r.Comment != c.text {
			t.Errorf("%s: from %q by %q is %q (%s), user %q, join key %q, text %q; want %+v", what, from.Source, r.Giver, r.verdict(), r.Kind, r.User, r.On.JoinKey, r.Comment, c)
		}
		if r.On.Run != l.Run.String() || c.key == "" != (r.Key == "") || !strings.HasSuffix(r.Key, c.key) {
			t.Errorf("%s: of run %s by key %q, want one that ends in %q", what, r.On.Run, r.Key, c.key)
		}
	}
}
