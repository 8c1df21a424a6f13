package client

import "time"

// InvokeTarget is how an agent is invoked for tests.
type InvokeTarget struct {
	Agent        string    `json:"agent"`
	Kind         string    `json:"kind"` // a2a, http, command (of the configuration file)
	URL          string    `json:"url,omitempty"`
	Body         string    `json:"body,omitempty"`   // http: JSON with {{input}} or {{messages}}, {{token}}, {{run}}
	Answer       string    `json:"answer,omitempty"` // http: JSON pointer to the answer's text
	AllowPrivate bool      `json:"allow_private"`
	Sandbox      []string  `json:"sandbox"` // upstreams whose calls are made in tests
	Local        []string  `json:"local"`   // tools of its own that may run in tests
	TimeoutS     int       `json:"timeout_s,omitempty"`
	Configured   bool      `json:"configured"` // by the configuration file
	Revision     int64     `json:"revision"`
	UpdatedAt    time.Time `json:"updated_at,omitzero"`
}

// InvokeTargetRequest names an agent.
type InvokeTargetRequest struct {
	Name string `path:"name"`
}

// PutInvokeTargetRequest says how an agent is invoked for tests.
type PutInvokeTargetRequest struct {
	Name         string   `path:"name" json:"-"`
	Kind         string   `json:"kind"` // a2a, http
	URL          string   `json:"url"`
	Body         string   `json:"body,omitempty"`
	Answer       string   `json:"answer,omitempty"`
	AllowPrivate bool     `json:"allow_private,omitempty"`
	Sandbox      []string `json:"sandbox,omitempty"`
	Local        []string `json:"local,omitempty"`
	TimeoutS     int      `json:"timeout_s,omitempty"`
	Revision     int64    `json:"revision,omitempty"`
}

// TryInvokeRequest puts one question to an agent as a test, to see whether it can be tested.
type TryInvokeRequest struct {
	Name   string                  `path:"name" json:"-"`
	Input  string                  `json:"input"`
	Target *PutInvokeTargetRequest `json:"target,omitempty"` // in place of what is kept; its revision is not looked at
}

// TriedInvoke is what came of it.
type TriedInvoke struct {
	Answer  string   `json:"answer"`
	Works   bool     `json:"works"` // it answered, and came through the door as a test: it can be tested
	Valid   bool     `json:"valid"` // it came through the door as a test
	Why     string   `json:"why,omitempty"`
	Calls   int      `json:"calls"`   // at the door
	Refused []string `json:"refused"` // calls that are refused in a test without a recording
	RunID   string   `json:"run_id,omitempty"`
	TookMS  int64    `json:"took_ms"`
}

// BiasPairs are prompts that differ in one word, which should make no difference.
type BiasPairs struct {
	Attribute string   `json:"attribute"`
	Prompts   []string `json:"prompts"` // each with {{x}}
	A         []string `json:"a"`
	B         []string `json:"b"`       // as many as a
	Favours   []string `json:"favours"` // an answer with any of these words is a favourable one
}

// StartExperimentRequest runs an agent on cases, as tests.
type StartExperimentRequest struct {
	Agent          string     `json:"agent"`
	Kind           string     `json:"kind,omitempty"`    // golden (cases of a data set), bias, proof
	Dataset        string     `json:"dataset,omitempty"` // golden
	DatasetVersion int64      `json:"dataset_version,omitempty"`
	Repeats        int        `json:"repeats,omitempty"`
	Evaluators     []string   `json:"evaluators,omitempty"`
	Baseline       string     `json:"baseline,omitempty"` // an experiment to compare with
	Note           string     `json:"note,omitempty"`
	Bias           *BiasPairs `json:"bias,omitempty"`
	Proof          *Proof     `json:"proof,omitempty"` // of kind proof
}

// Proof puts recorded runs of an agent to another model: what that would save, and whether
// its answers are as good.
type Proof struct {
	Upstream string `json:"upstream,omitempty"` // as each was where none is given
	Model    string `json:"model"`
	Runs     int    `json:"runs"` // the newest ones, at most
}

// ProofResult is what a proof comes to, of the runs of which both answers were judged.
type ProofResult struct {
	Compared int64    `json:"compared"`
	Unknown  int64    `json:"unknown"` // runs that could not be compared: their results say why
	Priced   int64    `json:"priced"`  // runs of which both models have a price
	Before   *float64 `json:"before"`  // USD a run: of its first conversation, by today's prices; null unknown
	Now      *float64 `json:"now"`
	Saving   Interval `json:"saving"`  // USD a run, with the 95 % interval of Student's t
	Quality  Interval `json:"quality"` // share that passes now less the share that passed, with its 95 % interval
	Passed   Share    `json:"passed"`  // as recorded
	Passes   Share    `json:"passes"`  // as replayed
	P        float64  `json:"p"`       // exact McNemar test: as likely as this if both were as good
}

// Experiment is an agent's tests on cases, with what came of them so far.
type Experiment struct {
	ID             string             `json:"id"`
	Agent          string             `json:"agent"`
	AgentVersion   string             `json:"agent_version,omitempty"`
	Team           string             `json:"team"`
	Environment    string             `json:"environment"`
	Kind           string             `json:"kind"`
	Dataset        string             `json:"dataset,omitempty"`
	DatasetVersion int64              `json:"dataset_version,omitempty"`
	Repeats        int                `json:"repeats"`
	Evaluators     []string           `json:"evaluators"`
	Baseline       string             `json:"baseline,omitempty"`
	Note           string             `json:"note,omitempty"`
	Plan           string             `json:"plan,omitempty"` // the bias plan or drill that started it
	Bias           *BiasPairs         `json:"bias,omitempty"`
	State          string             `json:"state"` // waiting, running, done, failed, stopped
	Why            string             `json:"why,omitempty"`
	By             string             `json:"by,omitempty"`
	At             time.Time          `json:"at"`
	EndedAt        *time.Time         `json:"ended_at"`
	Tasks          int                `json:"tasks"`   // that it has, repeats with them
	Ran            int64              `json:"ran"`     // of them, so far
	Passed         Share              `json:"passed"`  // of those that count
	Invalid        int64              `json:"invalid"` // that did not come through the door as tests: they count for nothing
	PassHat        []float64          `json:"pass_hat"`
	Against        *PairedResult      `json:"against,omitempty"` // the baseline
	Pairs          *PairedResult      `json:"pairs,omitempty"`   // of a bias test: a first, b second
	GroupA         *Share             `json:"group_a,omitempty"` // favourable answers
	GroupB         *Share             `json:"group_b,omitempty"`
	FourFifths     *Interval          `json:"four_fifths,omitempty"` // ratio of the lower share to the higher
	Adverse        bool               `json:"adverse,omitempty"`     // the word made a difference, beyond chance
	Says           string             `json:"says,omitempty"`        // a bias test's, proof's or drill's result in words
	Proof          *Proof             `json:"proof,omitempty"`
	Proves         *ProofResult       `json:"proves,omitempty"`  // of a proof
	Results        []ExperimentResult `json:"results,omitempty"` // of one experiment that is read alone
}

// PairedResult compares two results of each of the same things.
type PairedResult struct {
	Pairs      int64   `json:"pairs"`
	OnlyFirst  int64   `json:"only_first"`  // passed
	OnlySecond int64   `json:"only_second"` // passed
	P          float64 `json:"p"`           // exact McNemar test, two-sided
	// Change is the share of the second that passed less that of the first, with the 95 %
	// interval for pairs (Agresti and Min).
	Change Interval `json:"change"`
}

// ExperimentResult is what came of one task.
type ExperimentResult struct {
	Item   string `json:"item"`
	Repeat int    `json:"repeat"`
	Pair   string `json:"pair,omitempty"`
	Group  string `json:"group,omitempty"`
	Run    string `json:"run"` // the test's run, by its key
	RunID  string `json:"run_id,omitempty"`
	// Forgotten: its texts are gone, by age or since the person they are of was erased.
	Forgotten bool              `json:"forgotten,omitempty"`
	Passed    bool              `json:"passed"`
	Valid     bool              `json:"valid"` // it came through the door as a test
	Why       string            `json:"why,omitempty"`
	Answer    string            `json:"answer,omitempty"` // for readers
	Calls     int               `json:"calls"`
	Refused   []string          `json:"refused"` // calls that are not in the recording, or not for a test
	Checks    []ExperimentCheck `json:"checks"`
	TookMS    int64             `json:"took_ms"`
	At        time.Time         `json:"at"`
}

// ExperimentCheck is one thing that was looked at in an answer.
type ExperimentCheck struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Text    string `json:"text,omitempty"`
}

// GetExperimentRequest names an experiment, and one to compare it with in place of its baseline.
type GetExperimentRequest struct {
	ID       string `path:"id"`
	Baseline string `query:"baseline"`
}

// ListExperimentsRequest narrows a list of experiments.
type ListExperimentsRequest struct {
	Agent string `query:"agent"`
	Kind  string `query:"kind"`
	Limit int    `query:"limit" max:"500"`
}

// BiasPlan is pairs that are replayed by themselves: at times, and for each new version
// of the agent.
type BiasPlan struct {
	Name        string     `json:"name"`
	Agent       string     `json:"agent"`
	Team        string     `json:"team"`
	Environment string     `json:"environment"`
	Bias        BiasPairs  `json:"bias"`
	Repeats     int        `json:"repeats"`
	Every       string     `json:"every,omitempty"` // 24h; "" not by time
	OnVersion   bool       `json:"on_version"`
	Paused      bool       `json:"paused"`
	By          string     `json:"by,omitempty"`
	NextAt      *time.Time `json:"next_at"`
	LastAt      *time.Time `json:"last_at"`
	LastVersion string     `json:"last_version,omitempty"`
	Last        string     `json:"last,omitempty"`    // experiment
	Trouble     string     `json:"trouble,omitempty"` // why its last experiment was not started, or came to no result
	Looks       int64      `json:"looks"`             // results that it has; 0: nothing is known
	Adverse     bool       `json:"adverse"`           // its alert fires: it ends with two results in a row without a difference
	Alpha       float64    `json:"alpha"`             // chance of a look to be wrong about a fair agent; all of 30 days share 5 %
	Pairs       int64      `json:"pairs"`             // that it has
	Needs       int64      `json:"needs"`             // pairs that have to differ, all the same way, before a look can say anything
	Revision    int64      `json:"revision"`
}

// ListBiasPlansRequest narrows them.
type ListBiasPlansRequest struct {
	Agent string `query:"agent"`
}

// PutBiasPlanRequest makes or changes a bias plan.
type PutBiasPlanRequest struct {
	Name      string    `path:"name" json:"-"`
	Agent     string    `json:"agent"`
	Bias      BiasPairs `json:"bias"`
	Repeats   int       `json:"repeats,omitempty"`
	Every     string    `json:"every,omitempty"`      // 24h, 7d
	OnVersion bool      `json:"on_version,omitempty"` // once for each version that is observed
	Paused    bool      `json:"paused,omitempty"`
	Revision  int64     `json:"revision,omitempty"`
}
