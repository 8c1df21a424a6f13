package client

import (
	"encoding/json"
	"time"
)

// Evaluator is what looks at runs that ended and says how good they were.
type Evaluator struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind"` // groundedness, judge, leak, refusal, rule, schema, voice
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Agents      []string          `json:"agents"` // none: all
	Share       float64           `json:"share"`  // of the runs, 0 to 1
	When        string            `json:"when,omitempty"`
	Schema      json.RawMessage   `json:"schema,omitempty"`
	Rules       map[string]string `json:"rules,omitempty"`
	Judge       *Judge            `json:"judge,omitempty"`
	Off         bool              `json:"off"`
	Revision    int64             `json:"revision"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

// Judge is a model that is asked about runs, through the door, as an agent of its
// own.
type Judge struct {
	Agent    string `json:"agent"`    // that it asks as: its policy, budget and runs hold
	Upstream string `json:"upstream"` // a model provider in the format of OpenAI or Anthropic
	Model    string `json:"model"`
	Prompt   string `json:"prompt"`          // what is good and what is not; may have {{prompt}}, {{documents}} and {{answer}}
	After    string `json:"after,omitempty"` // only what this evaluator was unsure of
	Daily    int64  `json:"daily,omitempty"` // questions a day at most; 200 where none is given
}

// PutEvaluatorRequest makes an evaluator, or changes the one of that revision.
type PutEvaluatorRequest struct {
	Name        string            `path:"name" json:"-"`
	Kind        string            `json:"kind"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Agents      []string          `json:"agents,omitempty"`
	Share       float64           `json:"share,omitempty"`  // 1 where none is given
	When        string            `json:"when,omitempty"`   // of a rule: CEL that is true of what passes
	Schema      json.RawMessage   `json:"schema,omitempty"` // of a schema
	Rules       map[string]string `json:"rules,omitempty"`  // of a voice: Vale's rule files by name
	Judge       *Judge            `json:"judge,omitempty"`  // of a judge: the model that is asked
	Off         bool              `json:"off,omitempty"`
	Revision    int64             `json:"revision,omitempty"`
}

// EvaluatorRequest names an evaluator.
type EvaluatorRequest struct {
	Name string `path:"name"`
}

// ListEvaluatorsRequest has no parameters.
type ListEvaluatorsRequest struct{}

// TryEvaluatorRequest asks what an evaluator would find of texts; nothing is kept.
type TryEvaluatorRequest struct {
	Kind      string            `json:"kind"`
	When      string            `json:"when,omitempty"`
	Schema    json.RawMessage   `json:"schema,omitempty"`
	Rules     map[string]string `json:"rules,omitempty"`
	Judge     *Judge            `json:"judge,omitempty"`
	Prompt    string            `json:"prompt,omitempty"`
	Answer    string            `json:"answer"`
	Documents []string          `json:"documents,omitempty"`
}

// TryEvaluatorOnRunsRequest asks what an evaluator would say of the newest runs that it
// would look at; nothing is kept.
type TryEvaluatorOnRunsRequest struct {
	Name        string            `json:"name,omitempty"` // as it is called, or is going to be
	Kind        string            `json:"kind"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Agents      []string          `json:"agents,omitempty"`
	When        string            `json:"when,omitempty"`
	Schema      json.RawMessage   `json:"schema,omitempty"`
	Rules       map[string]string `json:"rules,omitempty"`
	Judge       *Judge            `json:"judge,omitempty"`
	Runs        int               `json:"runs,omitempty"` // 20 where none is given, 5 of a judge; at most 100, 10 of a judge
}

// EvaluatorTrial is what an evaluator would say of runs.
type EvaluatorTrial struct {
	Items       []Evaluation  `json:"items"` // the newest run first
	Pass        int64         `json:"pass"`
	Unsure      int64         `json:"unsure"`
	Fail        int64         `json:"fail"`
	None        int64         `json:"none"` // nothing to judge
	Passed      Share         `json:"passed"`
	Gone        int64         `json:"gone"` // runs that cannot be looked at: their texts are not kept
	Tokens      int64         `json:"tokens"`
	CostUSD     *float64      `json:"cost_usd"` // of what has a price; null: nothing has
	CostUnknown int64         `json:"cost_unknown"`
	Refused     *JudgeRefusal `json:"refused,omitempty"` // why a judge was asked no more
}

// Evaluation is what an evaluator, or a person in its place, says of one run.
type Evaluation struct {
	ID            string           `json:"id"`
	Run           string           `json:"run"`
	Evaluator     string           `json:"evaluator"`
	Kind          string           `json:"kind"`
	Source        string           `json:"source"`  // online, human
	Verdict       string           `json:"verdict"` // pass, unsure, fail; "" had nothing to judge
	Score         *float64         `json:"score"`
	Text          string           `json:"text"`
	Marks         []EvaluationMark `json:"marks"` // for readers
	Agent         string           `json:"agent,omitempty"`
	Version       string           `json:"version,omitempty"`
	Team          string           `json:"team,omitempty"`
	Environment   string           `json:"environment,omitempty"`
	By            string           `json:"by,omitempty"` // the person
	Revision      int64            `json:"revision"`     // of the evaluator
	TookUS        int64            `json:"took_us"`
	Tokens        int64            `json:"tokens,omitempty"`         // of a judge's answer
	CostUSD       *float64         `json:"cost_usd"`                 // of it; null: unknown, or it costs nothing
	JudgeRun      string           `json:"judge_run,omitempty"`      // in which the judge was asked
	JudgeDecision string           `json:"judge_decision,omitempty"` // the door's
	At            time.Time        `json:"at"`
}

// EvaluationMark is a part of the answer, and what is said of it.
type EvaluationMark struct {
	Start    int    `json:"start"` // bytes of the answer
	End      int    `json:"end"`
	Text     string `json:"text"`
	Says     string `json:"says"`
	Good     bool   `json:"good"`
	Step     string `json:"step,omitempty"` // that read what carries it
	Document string `json:"document,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

// ListEvaluationsRequest narrows a list of evaluations.
type ListEvaluationsRequest struct {
	Run         string `query:"run"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Evaluator   string `query:"evaluator"`
	Verdict     string `query:"verdict"` // pass, unsure, fail, none
	Source      string `query:"source"`  // online, human
	Team        string `query:"team"`
	Environment string `query:"environment"`
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// EvaluationSummaryRequest asks what evaluators found in a period.
type EvaluationSummaryRequest struct {
	Agent       string `query:"agent"`
	Evaluator   string `query:"evaluator"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	From        string `query:"from"`
	To          string `query:"to"`
}

// EvaluationSummary is what evaluators found, and how far people agree with them.
type EvaluationSummary struct {
	From         time.Time              `json:"from"`
	To           time.Time              `json:"to"`
	Figures      []EvaluationFigures    `json:"figures"`
	Agreements   []EvaluationAgreement  `json:"agreements"`
	Calibrations []EvaluatorCalibration `json:"calibrations"`      // of each evaluator at its revision now
	Refused      *JudgeRefusal          `json:"refused,omitempty"` // the last time since the start that a judge was not asked
}

// EvaluatorCalibration is how far an evaluator's verdicts can be believed: beside
// those of people on the same runs.
type EvaluatorCalibration struct {
	Evaluator   string            `json:"evaluator"`
	Kind        string            `json:"kind"`
	Revision    int64             `json:"revision"`
	Judged      int64             `json:"judged"`    // runs with a verdict
	Passed      Share             `json:"passed"`    // as it says
	Corrected   Interval          `json:"corrected"` // as people would say, by what they said of each verdict
	Labelled    int64             `json:"labelled"`  // runs that people judged too
	Kappa       Interval          `json:"kappa"`     // Cohen's
	Beside      []CalibrationCell `json:"beside"`
	Tokens      int64             `json:"tokens"`
	CostUSD     *float64          `json:"cost_usd"`     // of what has a price; null: nothing has
	CostUnknown int64             `json:"cost_unknown"` // answers without a price
}

// CalibrationCell is what people said of the runs that got one verdict.
type CalibrationCell struct {
	Verdict string `json:"verdict"`
	Judged  int64  `json:"judged"`
	Passed  int64  `json:"passed"` // by people
	Failed  int64  `json:"failed"`
}

// Interval is an estimate with its 95 % interval; null: unknown.
type Interval struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// JudgeRefusal is why a judge was not asked.
type JudgeRefusal struct {
	At        time.Time `json:"at"`
	Evaluator string    `json:"evaluator"`
	Code      string    `json:"code"`
	Detail    string    `json:"detail"`
	Hint      string    `json:"hint,omitempty"`
}

// EvaluationFigures are what one evaluator found of one version of an agent.
type EvaluationFigures struct {
	Evaluator   string   `json:"evaluator"`
	Agent       string   `json:"agent"`
	Version     string   `json:"version"`
	Team        string   `json:"team,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Pass        int64    `json:"pass"`
	Unsure      int64    `json:"unsure"`
	Fail        int64    `json:"fail"`
	None        int64    `json:"none"` // had nothing to judge
	Passed      Share    `json:"passed"`
	Score       *float64 `json:"score"` // mean
}

// EvaluationAgreement is how far two judges agree on the runs that both judged.
type EvaluationAgreement struct {
	Evaluator string   `json:"evaluator"`
	With      string   `json:"with"` // people: the evaluator and people; each_other: people among themselves
	N         int64    `json:"n"`
	Agree     Share    `json:"agree"`
	Kappa     *float64 `json:"kappa"`      // Cohen's; null where it is not defined
	MissedBad int64    `json:"missed_bad"` // the evaluator passed what people failed
	WrongBad  int64    `json:"wrong_bad"`  // it failed what people passed
}

// AnnotationQueueRequest asks what oneself should look at.
type AnnotationQueueRequest struct {
	Evaluator   string `query:"evaluator"`
	Agent       string `query:"agent"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Limit       int    `query:"limit" max:"200"`
}

// LabelRunRequest says of a run, in an evaluator's place, pass or fail; an empty
// verdict takes it back.
type LabelRunRequest struct {
	Run       string `json:"run"`
	Evaluator string `json:"evaluator"`
	Verdict   string `json:"verdict"`
	Why       string `json:"why,omitempty"`
}
