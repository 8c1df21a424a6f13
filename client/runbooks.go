package client

import "time"

// RunbookStep is one step: an act of Reeve, or words for a person.
type RunbookStep struct {
	Text   string `json:"text"`
	Kind   string `json:"kind,omitempty"`   // of the act, as in an incident's offers; "" a person's to do
	Target string `json:"target,omitempty"` // a name, {cause} or {agents}
	Level  string `json:"level,omitempty"`
	For    string `json:"for,omitempty"` // how long it holds, such as 2h
}

// Runbook is what is done about incidents of a kind, step by step.
type Runbook struct {
	Name      string        `json:"name"`
	Team      string        `json:"team,omitempty"`
	Text      string        `json:"text,omitempty"`
	Kinds     []string      `json:"kinds"`    // of incidents that it is for; none: all
	Approval  bool          `json:"approval"` // a second person agrees before it begins
	Steps     []RunbookStep `json:"steps"`
	Revision  int64         `json:"revision"`
	UpdatedAt time.Time     `json:"updated_at"`
}

// PutRunbookRequest makes or changes a runbook.
type PutRunbookRequest struct {
	Name     string        `json:"-" path:"name"`
	Team     string        `json:"team,omitempty"`
	Text     string        `json:"text,omitempty"`
	Kinds    []string      `json:"kinds,omitempty"`
	Approval bool          `json:"approval,omitempty"`
	Steps    []RunbookStep `json:"steps"`
	Revision int64         `json:"revision,omitempty"`
}

// TryRunbookRequest asks what a runbook would do to an incident.
type TryRunbookRequest struct {
	ID      string `json:"-" path:"id"`
	Runbook string `json:"runbook"`
}

// RunbookTrial is what a runbook would do, step by step.
type RunbookTrial struct {
	Steps []RunbookTrialStep `json:"steps"`
}

// RunbookTrialStep is what a step would come to.
type RunbookTrialStep struct {
	RunbookStep
	Previews []IncidentPreview `json:"previews"`
	Problem  string            `json:"problem,omitempty"` // why it cannot be done
}

// StartRunbookRequest begins a runbook on an incident.
type StartRunbookRequest struct {
	ID      string `json:"-" path:"id"`
	Runbook string `json:"runbook"`
	Reason  string `json:"reason"`
}

// RunbookRunRequest names a run of a runbook; the words are what came of a person's
// step, or why it is rolled back.
type RunbookRunRequest struct {
	ID   string `json:"-" path:"id"`
	Text string `json:"text,omitempty"`
}

// RunbookRun is a runbook on an incident.
type RunbookRun struct {
	ID         string           `json:"id"`
	Incident   string           `json:"incident"`
	Runbook    string           `json:"runbook"`
	State      string           `json:"state"` // waiting, running, done, failed, rolled_back
	Reason     string           `json:"reason"`
	By         string           `json:"by"`
	ApprovedBy string           `json:"approved_by,omitempty"`
	At         time.Time        `json:"at"`
	Steps      []RunbookRunStep `json:"steps"`
	Number     int64            `json:"number,omitempty"` // of the incident; in lists over incidents
}

// RunbookRunStep is what became of a step.
type RunbookRunStep struct {
	RunbookStep
	State  string     `json:"state"` // open, done, failed, undone
	Acts   []string   `json:"acts"`
	Result string     `json:"result,omitempty"`
	By     string     `json:"by,omitempty"`
	At     *time.Time `json:"at"`
}

// IncidentReviewPDF is a review as a document.
type IncidentReviewPDF struct {
	Name string `json:"name"` // of the file
	PDF  string `json:"pdf"`  // base64
}
