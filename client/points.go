package client

import (
	"encoding/json"
	"time"
)

// This file holds the shapes of decision points: an action that does not pass
// the door is decided here, and who asked acts, or not, by the answer.

// DecideRequest asks whether an agent may do something that does not pass the
// door. Tool names a tool inside the agent's process.
type DecideRequest struct {
	Agent       string          `json:"agent,omitempty"` // with a team's token; an agent's own credential says it
	User        string          `json:"user,omitempty"`  // whom it acts for; only with a team's token
	Tool        string          `json:"tool"`
	Arguments   json.RawMessage `json:"arguments,omitempty"` // a JSON object, as the tool would get it
	CallID      string          `json:"call_id,omitempty"`   // by which the model knows the call
	Run         string          `json:"run,omitempty"`       // groups the agent's own records, as do the next two
	Session     string          `json:"session,omitempty"`
	Traceparent string          `json:"traceparent,omitempty"`
	Obligations []string        `json:"obligations,omitempty"` // what the asker can meet: arguments
	Key         string          `json:"key,omitempty"`         // the same key and question give the same decision
	WaitMS      int64           `json:"wait_ms,omitempty"`     // how long to wait for a person, at most 60000; 0 answers at once
	Unreported  bool            `json:"unreported,omitempty"`  // nobody will report how it ended
}

// DecisionAnswer is what was decided of an action that does not pass the door.
type DecisionAnswer struct {
	ID          string          `json:"id"`      // of the decision
	Verdict     string          `json:"verdict"` // allow, deny, hold
	Would       string          `json:"would"`   // what enforcing would have given
	Enforced    bool            `json:"enforced"`
	Code        string          `json:"code,omitempty"` // why not, in a stable code; "" when allowed
	Reason      string          `json:"reason"`         // why, in words
	Hint        string          `json:"hint,omitempty"`
	Reasons     []Reason        `json:"reasons"`
	Obligations []Obligation    `json:"obligations"`         // to meet when acting; an asker meets only what it declared
	Arguments   json.RawMessage `json:"arguments,omitempty"` // to act with instead of those sent; absent: as sent
	Approval    *AnswerApproval `json:"approval,omitempty"`  // what a held action waits for
	ExpiresAt   *time.Time      `json:"expires_at"`          // report how it ended before; nil: not expected
	Forwarded   bool            `json:"forwarded"`           // always false: the asker acts
}

// Obligation is something that must be done for an allowed action to be allowed.
type Obligation struct {
	ID   string `json:"id"`
	Type string `json:"type"` // arguments: act with the answer's arguments
}

// AnswerApproval is the approval that a held action waits for.
type AnswerApproval struct {
	ID        string     `json:"id"`
	Address   string     `json:"address"` // the console's page of it
	ExpiresAt *time.Time `json:"expires_at"`
}

// AwaitDecisionRequest asks how a held action stands.
type AwaitDecisionRequest struct {
	ID     string `path:"id" json:"-"`
	WaitMS int64  `query:"wait_ms"` // at most 60000; 0 answers at once
}

// CompleteDecisionRequest reports how an allowed action ended.
type CompleteDecisionRequest struct {
	ID         string          `path:"id" json:"-"`
	Result     string          `json:"result"`                // ok, error, cancelled
	Output     json.RawMessage `json:"output,omitempty"`      // what the tool gave, any JSON
	Error      string          `json:"error,omitempty"`       // in words
	DurationMS int64           `json:"duration_ms,omitempty"` // how long the tool took
}

// CompletedDecision is how an action ended, as recorded.
type CompletedDecision struct {
	ID     string `json:"id"`
	Result string `json:"result"`
}

// AgentCoverage is how much of what an agent does was decided by Reeve.
type AgentCoverage struct {
	Agent       string     `json:"agent"`
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
	Results     int64      `json:"results"`    // tool results seen in prompts
	Governed    int64      `json:"governed"`   // of them, of calls that a decision allowed
	Ungoverned  int64      `json:"ungoverned"` // of them, of calls that nothing decided: finding ungoverned_action
	Unchecked   int64      `json:"unchecked"`  // actions that went on without waiting for the answer
	Share       *float64   `json:"share"`      // governed of results and unchecked; nil: nothing was seen
	LastAt      *time.Time `json:"last_at"`    // the last ungoverned or unchecked action; nil none
}

// ListCoverageRequest asks for the coverage of agents, the least covered first.
type ListCoverageRequest struct {
	Agent string `query:"agent"`
	From  string `query:"from"` // by day, UTC; "" is 30 days ago
	To    string `query:"to"`
	Limit int    `query:"limit" max:"1000"`
}
