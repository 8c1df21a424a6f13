package client

// ReplayRunRequest puts a recorded model step of a run to a model again. What is left
// out is as it was.
type ReplayRunRequest struct {
	ID         string   `path:"id" json:"-"`
	Step       string   `json:"step,omitempty"`     // a model step; the run's first where none is given
	Upstream   string   `json:"upstream,omitempty"` // of kind llm
	Model      string   `json:"model,omitempty"`
	System     *string  `json:"system,omitempty"` // other instructions
	Prompt     *string  `json:"prompt,omitempty"` // in place of the user's last words
	Evaluators []string `json:"evaluators,omitempty"`
}

// Replay is what came of a replay. Its calls of tools are those of the recording.
type Replay struct {
	Run      string `json:"run"`
	Step     string `json:"step"`
	TestRun  string `json:"test_run,omitempty"` // mode test: its page shows each call
	Upstream string `json:"upstream"`
	Model    string `json:"model"`
	// Left counts what of the recorded step was left out: media, reasoning, unreadable,
	// not_loaded and others. With any, the model was asked another thing than it was.
	Left    map[string]int64 `json:"left,omitempty"`
	Turns   []ReplayTurn     `json:"turns"`
	Stopped *ReplayCall      `json:"stopped"`       // the call that is not in the recording, at which it stopped; null: none
	Why     string           `json:"why,omitempty"` // it came to no answer
	Answer  string           `json:"answer"`
	Was     string           `json:"was"`    // what the run answered
	Shared  *float64         `json:"shared"` // words that both have, as F1; null where one of them said nothing
	Checks  []ReplayCheck    `json:"checks"`
	Tokens  int64            `json:"tokens"`
	Cost    *float64         `json:"cost"` // null: no price is known
}

// ReplayTurn is what the model said, and what it asked for.
type ReplayTurn struct {
	Model    string       `json:"model"`
	Text     string       `json:"text"`
	Calls    []ReplayCall `json:"calls"`
	Decision string       `json:"decision,omitempty"`
	Tokens   int64        `json:"tokens"`
	Cost     *float64     `json:"cost"`
}

// ReplayCall is a call of a tool that the model asked for.
type ReplayCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Recorded  bool   `json:"recorded"`
	Result    string `json:"result,omitempty"` // as recorded
}

// ReplayCheck is what an evaluator says of the answer, and of the one before.
type ReplayCheck struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Before  string `json:"before,omitempty"`
	Text    string `json:"text,omitempty"`
}
