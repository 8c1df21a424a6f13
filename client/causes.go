package client

import "time"

// DifferentRequest asks what sets a selection of runs apart from the others that
// Query finds. The selection is a search, a stretch of time, both together, or runs
// by their ids.
type DifferentRequest struct {
	Selection    string   `json:"selection,omitempty"`     // the search language: status:error, duration>10s, ...
	SelectedFrom string   `json:"selected_from,omitempty"` // those that began from here on
	SelectedTo   string   `json:"selected_to,omitempty"`   // and before this
	Runs         []string `json:"runs,omitempty"`          // at most 1000, instead of the three above
	Query        string   `json:"query,omitempty"`         // which runs at all; "" is all of the period
	From         string   `json:"from,omitempty"`          // default: 24 hours ago
	To           string   `json:"to,omitempty"`
	Limit        int      `json:"limit,omitempty"` // differences at most; 0 is 20
}

// Different is what sets a selection apart, the strongest first.
type Different struct {
	Selected  int                `json:"selected"`  // runs of the selection that were looked at
	Rest      int                `json:"rest"`      // other runs that were looked at
	Truncated bool               `json:"truncated"` // there are more: the newest were looked at
	Items     []Difference       `json:"items"`
	Measures  []DifferentMeasure `json:"measures"`
	Unread    []string           `json:"unread"` // what could not be compared now: prompt, policy, source_version
}

// DifferentMeasure is a figure of runs on both sides, over those that know it.
type DifferentMeasure struct {
	Name       string   `json:"name"`     // duration_ms, cost, input_tokens, ...
	Selected   int      `json:"selected"` // runs of the selection that know it
	Rest       int      `json:"rest"`     // other runs that know it
	Median     *float64 `json:"median"`
	RestMedian *float64 `json:"rest_median"`
	P95        *float64 `json:"p95"`
	RestP95    *float64 `json:"rest_p95"`
	P          float64  `json:"p"`     // of such a difference by chance
	Clear      bool     `json:"clear"` // the two sides differ beyond chance
}

// Difference is a value that is more or less frequent in the selection than in
// the rest, beyond what chance brings among so many values.
type Difference struct {
	Name      string  `json:"name"` // agent, version, prompt, model, tool, source_version, policy, label:KEY, ...
	Value     string  `json:"value"`
	Selected  int     `json:"selected"` // runs of the selection with it
	Rest      int     `json:"rest"`     // other runs with it
	Share     float64 `json:"share"`
	RestShare float64 `json:"rest_share"`
	Effect    float64 `json:"effect"` // share minus rest_share, with its interval of 95 %
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Lift      float64 `json:"lift"` // how many times likelier a run with it is selected than one without
	P         float64 `json:"p"`    // of such a difference by chance
}

// Suspects are the steps at which a run may have gone wrong first.
type Suspects struct {
	Agent  string    `json:"agent"`   // the likeliest by all its steps; "" if none can be blamed
	AgentP float64   `json:"agent_p"` // how likely
	Steps  int       `json:"steps"`   // that were looked at
	Asked  []string  `json:"asked"`   // what is wrong with the run; none: nothing is, and nobody is blamed
	Items  []Suspect `json:"items"`   // the likeliest first

	Verdict *SuspectVerdict `json:"verdict"` // what a person said of this run; null: nobody did
	Learned *SuspectWeights `json:"learned"` // what the team's verdicts made of the order; null: it is the shipped one
}

// JudgeSuspectsRequest names the step at which a run went wrong, in place of what was
// named before; without a step it takes that back.
type JudgeSuspectsRequest struct {
	ID     string `path:"id" json:"-"`
	StepID string `json:"step_id"`
	Reason string `json:"reason,omitempty"`
}

// SuspectVerdict is what a person said of a run's suspects.
type SuspectVerdict struct {
	RunID    string    `json:"run_id"`
	StepID   string    `json:"step_id"`
	Kind     string    `json:"kind"`
	StepName string    `json:"step_name"`
	Agent    string    `json:"agent"`
	Team     string    `json:"team"`
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// SuspectWeights are what the verdicts of a team made of the order of its suspects.
type SuspectWeights struct {
	Team     string                `json:"team"`
	Verdicts int                   `json:"verdicts"` // that teach: the newest 100
	Changes  []SuspectWeightChange `json:"changes"`  // the largest first; those below .05 are left out
}

// SuspectWeightChange is the weight of one piece of evidence, in log odds.
type SuspectWeightChange struct {
	Evidence string  `json:"evidence"`
	Shipped  float64 `json:"shipped"`
	Now      float64 `json:"now"`
}

// ListSuspectVerdictsRequest asks what people named, and what was learned of it.
type ListSuspectVerdictsRequest struct {
	Team  string `query:"team"`
	Limit int    `query:"limit" max:"1000"`
}

// SuspectVerdicts are what people named, the newest first, and what each team's
// verdicts came to.
type SuspectVerdicts struct {
	Items []SuspectVerdict `json:"items"`
	Teams []SuspectWeights `json:"teams"`
}

// ListProbablyFailedRequest asks which runs of an agent that nobody judged have
// probably failed.
type ListProbablyFailedRequest struct {
	Agent       string `query:"agent"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	From        string `query:"from"` // default: 30 days ago
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"200"` // default 50
}

// ProbablyFailed are unjudged runs by how likely each has failed, by how the judged
// runs of the same agent went.
type ProbablyFailed struct {
	Agent     string              `json:"agent"`
	Judged    int                 `json:"judged"`    // runs that people, users or downstream systems judged and that were learned from
	Failed    int                 `json:"failed"`    // of these
	Needed    int                 `json:"needed"`    // of each outcome, before anything is said
	Learned   bool                `json:"learned"`   // false: there are not enough judged runs
	Text      string              `json:"text"`      // how far to believe it, in words
	AUROC     *float64            `json:"auroc"`     // on judged runs that it had not learned from; null: unknown
	Bins      []ProbablyFailedBin `json:"bins"`      // how often runs of such a chance had failed; empty: unknown
	Unjudged  int                 `json:"unjudged"`  // that were looked at
	Truncated bool                `json:"truncated"` // there are more runs: the newest were looked at
	Items     []ProbablyFailedRun `json:"items"`     // the likeliest first
}

// ProbablyFailedBin says what came of the judged runs of about one chance.
type ProbablyFailedBin struct {
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Runs      int     `json:"runs"`
	Predicted float64 `json:"predicted"` // mean chance
	Failed    float64 `json:"failed"`    // share that had failed
}

// ProbablyFailedRun is an unjudged run with its chance, and what that is made of.
type ProbablyFailedRun struct {
	RunID   string                 `json:"run_id"`
	Start   time.Time              `json:"start"`
	Version string                 `json:"version,omitempty"`
	Task    string                 `json:"task,omitempty"`
	Outcome string                 `json:"outcome,omitempty"` // a guess: of the agent, a rule or a judge
	P       float64                `json:"p"`
	Parts   []ProbablyFailedReason `json:"parts"` // that say most, for or against
}

// ProbablyFailedReason is what one measure adds to a chance, in log odds.
type ProbablyFailedReason struct {
	Name string  `json:"name"`
	Adds float64 `json:"adds"`
}

// Suspect is a step that may be the one where a run went wrong.
type Suspect struct {
	StepID  string   `json:"step_id"`
	Agent   string   `json:"agent,omitempty"`
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	P       float64  `json:"p"` // the chances of all steps add up to 1
	Reasons []string `json:"reasons"`
}
