package client

import "time"

// Canary asks a model the same questions on a schedule, and tells when what answers
// under its name is another thing than before.
type Canary struct {
	Name        string         `json:"name"`
	Team        string         `json:"team"`
	Environment string         `json:"environment"`
	Agent       string         `json:"agent"`    // as whom it asks
	Upstream    string         `json:"upstream"` // of kind llm
	Model       string         `json:"model"`    // the name that is asked for
	Every       string         `json:"every"`    // 10m to 168h
	Prompts     []string       `json:"prompts"`  // those that are asked
	Off         bool           `json:"off"`
	By          string         `json:"by"`
	Revision    int64          `json:"revision"`
	UpdatedAt   time.Time      `json:"updated_at"`
	NormalFrom  time.Time      `json:"normal_from"` // what answered from then on is the normal
	Due         time.Time      `json:"due"`
	Shifts      []CanaryShift  `json:"shifts"`            // what changed since
	Answers     []CanaryAnswer `json:"answers"`           // the newest, of one canary
	Rounds      int            `json:"rounds"`            // answered since its normal began
	Needed      int            `json:"rounds_needed"`     // from so many on it can tell a change
	AnsweredAt  *time.Time     `json:"answered_at"`       // the newest answer since; null without
	FailedAt    *time.Time     `json:"failed_at"`         // the newest question without one; null without
	Silent      int            `json:"silent_rounds"`     // in a row, up to now, that nothing answered
	Finding     string         `json:"finding,omitempty"` // the open one that tells of it, or that nothing answers
}

// CanaryShift is what changed of a canary's answers.
type CanaryShift struct {
	Feature  string  `json:"feature"`
	Text     string  `json:"text"`
	Distance float64 `json:"distance"`
	Chance   float64 `json:"chance"` // of such a distance without a change
}

// CanaryAnswer is what came of one prompt.
type CanaryAnswer struct {
	At          time.Time `json:"at"`
	Prompt      string    `json:"prompt"`
	Error       string    `json:"error,omitempty"`
	Model       string    `json:"model,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	Finish      string    `json:"finish,omitempty"`
	Text        string    `json:"text,omitempty"`
	In          *int64    `json:"input_tokens"`
	Out         *int64    `json:"output_tokens"`
	TookMS      int64     `json:"took_ms"`
	Decision    string    `json:"decision,omitempty"`
}

// CanaryRequest names a canary.
type CanaryRequest struct {
	Name string `path:"name"`
}

// PutCanaryRequest makes or changes a canary.
type PutCanaryRequest struct {
	Name        string   `json:"-" path:"name"`
	Team        string   `json:"team"`
	Environment string   `json:"environment"`
	Agent       string   `json:"agent"`
	Upstream    string   `json:"upstream"`
	Model       string   `json:"model"`
	Every       string   `json:"every,omitempty"`   // "" is 1h
	Prompts     []string `json:"prompts,omitempty"` // none: eight of Reeve's own
	Off         bool     `json:"off,omitempty"`
	Revision    int64    `json:"revision,omitempty"`
	Reason      string   `json:"reason,omitempty"`
}

// CanaryReasonRequest is an act on a canary with its reason.
type CanaryReasonRequest struct {
	Name   string `json:"-" path:"name"`
	Reason string `json:"reason"`
}

// DeleteCanaryRequest drops a canary.
type DeleteCanaryRequest struct {
	Name   string `path:"name"`
	Reason string `query:"reason"`
}
