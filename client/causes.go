package client

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
