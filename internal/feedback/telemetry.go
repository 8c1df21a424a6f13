package feedback

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// evaluationEvent is the log record in which OpenTelemetry's GenAI conventions,
// and through our dialects other tools, say how good something was.
const evaluationEvent = "gen_ai.evaluation.result"

// TakeLogs keeps what is feedback of the log records that are about to be stored.
// It is called before they are, and again with the same ones after a crash: each
// is kept once. What cannot be feedback is left; only a database that fails is an
// error.
func (b *Book) TakeLogs(ctx context.Context, logs []activity.LogRecord) error {
	for i := range logs {
		l := &logs[i]
		if l.EventName != evaluationEvent {
			continue
		}
		from, r := ofLog(l)
		_, err := b.Take(ctx, from, []Report{r})
		switch {
		case err == nil:
		case fault.Is(err, fault.KindInvalid) || fault.From(err).Code == "feedback.too_many":
			b.o.Logger.Debug("an evaluation is no feedback", "run", l.Run.String(), "err", err)
		default:
			return err
		}
	}
	return nil
}

// ofLog reads a record. Its run was derived within the sender's team, so it can
// be no other team's.
func ofLog(l *activity.LogRecord) (Sender, Report) {
	at := activity.Attributes(l.Attributes)
	text := func(name string) string {
		if v, ok := at[name]; ok {
			return activity.AttributeText(v)
		}
		return ""
	}
	from := Sender{Source: "telemetry", Verified: true}
	r := Report{Name: text("gen_ai.evaluation.name"), Label: text("gen_ai.evaluation.score.label"), Comment: text("gen_ai.evaluation.explanation"), Giver: System, At: time.Unix(0, l.Time)}
	if !l.Run.IsZero() {
		r.On.Run = l.Run.String()
	}
	if l.Step != (activity.StepID{}) {
		r.On.Step = l.Step.String()
	}
	r.On.Session = clip(cmp.Or(l.Session, text("session.id")), maxKey)
	score, has := number(at["gen_ai.evaluation.score.value"])
	if has {
		r.Value = &score
	}
	if saidByUser(r.Name) {
		r.Giver = User
	}
	key := ""
	for name := range at {
		switch {
		case strings.HasPrefix(name, "langfuse.score."):
			from.Source = "langfuse"
		case strings.HasPrefix(name, "datadog.evaluation."):
			from.Source = "datadog"
		case name == "langsmith.feedback":
			from.Source = "langsmith"
		}
	}
	switch from.Source {
	case "langfuse":
		key = text("langfuse.score.id")
		if word(text("langfuse.score.source")) == "EVAL" || word(text("langfuse.score.source")) == "ANNOTATION" {
			r.Giver = System
		}
	case "datadog":
		r.ofDatadog(text)
	case "langsmith":
		key = r.ofLangSmith(text("langsmith.feedback"))
	}
	if u := text("enduser.id"); u != "" {
		r.User = u
	}
	if key != "" {
		// The run is in it: no other team's score of the same id replaces this one.
		r.Key = clip(r.On.Run+" "+r.On.Session+" "+key, maxKey)
	}
	if r.Value != nil && (*r.Value < 0 || *r.Value > 5) {
		// A number on an unknown scale is neither good nor bad.
		r.Kind, r.Label, r.Value = Label, cmp.Or(r.Label, floatText(*r.Value)), nil
	}
	return from, r
}

// ofDatadog reads what LLM Observability's end-user feedback says beside.
func (r *Report) ofDatadog(text func(string) string) {
	if word(text("datadog.evaluation.event_kind")) == "feedback" {
		r.Giver = User
	}
	r.On.JoinKey = clip(word(text("datadog.evaluation.feedback_join_key")), maxKey)
	if word(text("datadog.evaluation.metric_type")) == "text" && r.Comment == "" {
		r.Comment, r.Label = r.Label, ""
	}
	var by struct{ ID, Type string }
	if json.Unmarshal([]byte(text("datadog.evaluation.submitter")), &by) == nil && by.ID != "" {
		r.User = by.ID
		if by.Type != "" && by.Type != "user" {
			r.Giver = System
		}
	}
	switch word(text("datadog.evaluation.assessment")) {
	case "pass":
		one := 1.0
		r.Kind, r.Value = Thumb, &one
	case "fail":
		zero := 0.0
		r.Kind, r.Value = Thumb, &zero
	}
}

// ofLangSmith reads who gave a feedback, and its own id.
func (r *Report) ofLangSmith(raw string) (key string) {
	var f struct {
		ID     string
		Source struct{ Type string } `json:"feedback_source"`
	}
	if json.Unmarshal([]byte(raw), &f) != nil {
		return ""
	}
	if f.Source.Type == "model" || f.Source.Type == "auto_eval" {
		r.Giver = System
	}
	return f.ID
}

// word is a value without the quotes of JSON.
func word(s string) string { return strings.Trim(s, `"`) }

func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	}
	return 0, false
}

// saidByUser reports whether a score's name says that a person gave it. Scores
// that other tools compute come the same way; taken for users' words they would
// make satisfaction a figure of themselves.
func saidByUser(name string) bool {
	low := strings.ToLower(name)
	for _, part := range []string{"feedback", "thumb", "user", "csat", "nps", "rating", "reaction", "satisfaction"} {
		if strings.Contains(low, part) {
			return true
		}
	}
	return false
}
