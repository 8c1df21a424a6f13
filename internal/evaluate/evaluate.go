// Package evaluate says how good runs were: by words, rules and shapes that need
// no model, on each run that ends or on a share of them, and by people, with how
// far the two agree.
//
// What for: that a run ended tells nothing of its answer. What can be told
// cheaply and always is told here; what cannot is put before a person, or before a
// model where somebody set a judge (judge.go), which is measured against people.
//
// Who calls it: the store of activity tells of runs that ended (Observe); app
// reads their texts (Runs) and runs the book; api lists, labels and tries;
// outcomes follow by sequence (After).
//
// Promises: one run, one evaluator at one revision is one evaluation, however
// often the run is told of. Observe never waits; what ended while nobody ran is
// caught up with. What was looked at and what was found in it (the sentences, the
// words) is part of each. Memory and rows are bounded. Safe for concurrent use.
//
// How it fails: faults evaluate.*. A run whose texts cannot be read is tried
// again and counted; an evaluator that cannot judge says so by the empty verdict.
//
// Start reading at Evaluator, then kinds.go and Book.Run.
package evaluate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// The verdicts. "" is said where there was nothing to judge.
const (
	Pass   = "pass"
	Unsure = "unsure"
	Fail   = "fail"
)

// Verdicts lists them.
var Verdicts = []string{Pass, Unsure, Fail}

// Where evaluations come from.
const (
	Online = "online"
	Human  = "human"
)

// Test is the mode of runs that are part of an experiment: nobody was served by
// them, so evaluators that look at what happens pass them over.
const Test = "test"

// Evaluator is what looks at runs, as somebody set it.
type Evaluator struct {
	Name        string    `json:"-"`
	Team        string    `json:"-"` // whose runs; "" all
	Environment string    `json:"-"` // "" all
	Revision    int64     `json:"-"`
	UpdatedAt   time.Time `json:"-"`

	Kind   string            `json:"kind"`
	Agents []string          `json:"agents,omitempty"` // none: all
	Share  float64           `json:"share"`            // of the runs, 0 to 1; which ones goes by their ids
	When   string            `json:"when,omitempty"`   // rule: CEL that is true of what passes
	Schema json.RawMessage   `json:"schema,omitempty"` // schema: of the answer
	Rules  map[string]string `json:"rules,omitempty"`  // voice: rule files by name
	Judge  *Judge            `json:"judge,omitempty"`  // judge: the model that is asked
	Off    bool              `json:"off,omitempty"`

	check check // nil: it is stored and no longer valid
}

// Texts is what of a run is judged.
type Texts struct {
	Agent, Version, Team, Environment, Task string
	Mode                                    string // test: it is part of an experiment
	Prompt                                  string // what the user said last
	Answer                                  string // what the run gave back
	Documents                               []Document
	Steps, Errors                           int64
	Cost                                    float64 // NaN unknown
	Ended                                   time.Time
}

// Document is a text that the run read.
type Document struct {
	Step, Name, Text string
}

// Found is what an evaluator found of a run.
type Found struct {
	Verdict string   `json:"-"`
	Score   *float64 `json:"-"`
	Text    string   `json:"text,omitempty"` // in words
	Marks   []Mark   `json:"marks,omitempty"`
}

// Mark is a part of the answer, and what is said of it.
type Mark struct {
	Start    int    `json:"start"` // bytes of the answer
	End      int    `json:"end"`
	Text     string `json:"text"` // of the answer, cut
	Says     string `json:"says"`
	Good     bool   `json:"good,omitempty"`
	Step     string `json:"step,omitempty"`     // that read what carries it
	Document string `json:"document,omitempty"` // its name
	Evidence string `json:"evidence,omitempty"` // its words, cut
}

// Evaluation is one, as it is kept.
type Evaluation struct {
	ID          string    `json:"-"`
	Seq         int64     `json:"-"`
	Run         string    `json:"-"`
	Evaluator   string    `json:"-"`
	Source      string    `json:"-"`
	Agent       string    `json:"-"`
	Version     string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	Person      string    `json:"-"`
	At          time.Time `json:"-"`
	Found
	Kind     string `json:"kind,omitempty"`
	Revision int64  `json:"revision,omitempty"`
	TookUS   int64  `json:"took_us,omitempty"`
	Cost            // of asking a judge
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "evaluate.invalid", format, args...)
}

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Compile checks an evaluator and makes it ready.
func Compile(e Evaluator) (*Evaluator, error) {
	make, known := kinds[e.Kind]
	switch {
	case !nameShape.MatchString(e.Name):
		return nil, invalid("an evaluator's name has 1 to 63 of a-z, 0-9 and hyphens")
	case !known:
		return nil, invalid("a kind is one of %s, not %.40q", strings.Join(Kinds(), ", "), e.Kind)
	case !(e.Share > 0 && e.Share <= 1):
		return nil, invalid("the share of runs is above 0 and at most 1")
	case len(e.Agents) > 200 || len(e.Team) > 200 || len(e.Environment) > 200:
		return nil, invalid("an evaluator names at most 200 agents")
	case e.When != "" && e.Kind != "rule", e.Schema != nil && e.Kind != "schema", len(e.Rules) > 0 && e.Kind != "voice", e.Judge != nil && e.Kind != "judge":
		return nil, invalid("only a rule has a condition, only a schema a schema, only a voice rules, only a judge a model")
	}
	var err error
	e.check, err = make(&e)
	return &e, err
}

// Kinds lists what an evaluator may be.
func Kinds() []string {
	return []string{"groundedness", "judge", "leak", "refusal", "rule", "schema", "voice"}
}

// About reports whether the evaluator looks at a run.
func (e *Evaluator) About(r *activity.Run) bool {
	return !e.Off && e.check != nil && r.Mode != Test && (e.Team == "" || e.Team == r.Team) && (e.Environment == "" || e.Environment == r.Environment) &&
		(len(e.Agents) == 0 || slices.Contains(e.Agents, r.Agent)) && e.sampled(r.ID)
}

// sampled goes by the run's id: every node, and every try, picks the same runs.
func (e *Evaluator) sampled(id activity.RunID) bool {
	if e.Share >= 1 {
		return true
	}
	sum := sha256.Sum256(append([]byte("sample\x00"), id[:]...))
	return float64(binary.BigEndian.Uint32(sum[:4]))/(1<<32) < e.Share
}

// Look looks at texts. A judge is asked by its Book instead.
func (e *Evaluator) Look(t *Texts) Found { return e.check(t) }

// id names what an evaluator at a revision, or a person, says of a run.
func id(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return "evl_" + activity.Text32(sum[:15])
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
