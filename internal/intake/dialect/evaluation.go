package dialect

// EvaluationEvent is the name of the log record that holds an evaluation, as
// OpenTelemetry's GenAI conventions call it; vendors' scores become one.
const EvaluationEvent = "gen_ai.evaluation.result"

// Evaluation is what somebody or something said of a step's or run's result.
type Evaluation struct {
	Name, Label, Explanation string
	Score                    *float64
}

// Write adds e to a log record.
func (e Evaluation) Write(l *OutLog) {
	l.Text("gen_ai.evaluation.name", e.Name)
	l.Text("gen_ai.evaluation.score.label", e.Label)
	l.Text("gen_ai.evaluation.explanation", e.Explanation)
	if e.Score != nil {
		l.Float("gen_ai.evaluation.score.value", *e.Score)
	}
}
