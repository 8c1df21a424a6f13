package client

import "time"

// Steering is what people do about a run while it goes on.
type Steering struct {
	Hold  *RunHold  `json:"hold"` // null: nobody holds it
	Notes []RunNote `json:"notes"`
}

// RunHold is a run whose further calls wait for a person.
type RunHold struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
}

// RunNote is what a person says to a run's model.
type RunNote struct {
	ID         string     `json:"id"`
	By         string     `json:"by"`
	Text       string     `json:"text"`
	Every      bool       `json:"every"` // each further call carries it, not the next alone
	At         time.Time  `json:"at"`
	Until      time.Time  `json:"until"`
	EndedAt    *time.Time `json:"ended_at"` // null while it may still be told
	ToldAt     *time.Time `json:"told_at"`  // the first time; null: not yet
	Told       int64      `json:"told"`
	DecisionID string     `json:"decision_id,omitempty"` // of the last call that carried it
}

// HoldRunRequest makes each further call of a run wait for a person. Seconds 0 is
// a day.
type HoldRunRequest struct {
	ID      string `path:"id" json:"-"`
	Reason  string `json:"reason,omitempty"`
	Seconds int64  `json:"seconds,omitempty"`
}

// ReleaseRunRequest lets a held run go on.
type ReleaseRunRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason,omitempty"`
}

// TellRunRequest says something to a run's model: with its next call, or with
// Every in each one. Seconds 0 is a day.
type TellRunRequest struct {
	ID      string `path:"id" json:"-"`
	Text    string `json:"text"`
	Every   bool   `json:"every,omitempty"`
	Seconds int64  `json:"seconds,omitempty"`
}

// WithdrawRunNoteRequest ends a note.
type WithdrawRunNoteRequest struct {
	ID   string `path:"id"`
	Note string `path:"note"`
}
