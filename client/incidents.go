package client

import "time"

// Incident is signals (findings and alerts) with one cause as far as is known.
type Incident struct {
	ID             string          `json:"id"`
	Number         int64           `json:"number"`
	Title          string          `json:"title"`
	State          string          `json:"state"`          // open, acknowledged, mitigated, resolved, reviewed, merged
	Severity       string          `json:"severity"`       // info, warning, critical
	Kind           string          `json:"kind,omitempty"` // wrong_answer, wrong_action, outage; "" unknown
	Team           string          `json:"team,omitempty"`
	Environment    string          `json:"environment,omitempty"`
	Owner          string          `json:"owner,omitempty"` // people by name
	Lead           string          `json:"lead,omitempty"`
	Communications string          `json:"communications,omitempty"`
	OpenedAt       time.Time       `json:"opened_at"`
	LastAt         time.Time       `json:"last_at"` // of its newest signal
	AcknowledgedAt *time.Time      `json:"acknowledged_at"`
	AcknowledgedBy string          `json:"acknowledged_by,omitempty"`
	MitigatedAt    *time.Time      `json:"mitigated_at"`
	ResolvedAt     *time.Time      `json:"resolved_at"`
	ReviewedAt     *time.Time      `json:"reviewed_at"`
	QuietAt        *time.Time      `json:"quiet_at"` // since when none of its signals fires
	MergedInto     string          `json:"merged_into,omitempty"`
	Cause          *IncidentNode   `json:"cause"` // what most of its signals share; null unknown
	CauseText      string          `json:"cause_text,omitempty"`
	Signals        int             `json:"signals"`
	Firing         int             `json:"firing"`
	Occurrences    int64           `json:"occurrences"` // with repetitions
	People         *int64          `json:"people"`      // distinct users touched; null unknown
	Runs           int64           `json:"runs"`
	Agents         []string        `json:"agents"`
	Nodes          []IncidentNode  `json:"nodes"` // the most shared first
	Places         []IncidentPlace `json:"places"`
	Manual         bool            `json:"manual"` // a person opened it
	Revision       int64           `json:"revision"`
}

// IncidentNode is something that signals are about.
type IncidentNode struct {
	Kind  string `json:"kind"` // agent, tool, server, model, provider, source, policy, version, run
	Value string `json:"value"`
}

// IncidentPlace is a team and environment that an incident touches.
type IncidentPlace struct {
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// IncidentReason is why a signal is in an incident.
type IncidentReason struct {
	Rule   string  `json:"rule"`
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
}

// IncidentSignal is a finding, an alert or a person's report in an incident.
type IncidentSignal struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"` // finding, alert, person
	Fingerprint string            `json:"fingerprint"`
	Title       string            `json:"title"`
	Text        string            `json:"text,omitempty"`
	Severity    string            `json:"severity"`
	Firing      bool              `json:"firing"`
	Claimed     bool              `json:"claimed,omitempty"` // its agent's name is not proved
	FirstAt     time.Time         `json:"first_at"`
	LastAt      time.Time         `json:"last_at"`
	Count       int64             `json:"count"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Agent       string            `json:"agent,omitempty"`
	Tool        string            `json:"tool,omitempty"`
	Model       string            `json:"model,omitempty"`
	Provider    string            `json:"provider,omitempty"`
	Source      string            `json:"source,omitempty"`
	Policy      string            `json:"policy,omitempty"`
	Version     string            `json:"version,omitempty"`
	Run         string            `json:"run,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Score       float64           `json:"score"` // by which it joined
	Reasons     []IncidentReason  `json:"reasons"`
	By          string            `json:"by,omitempty"` // the person who put it here
}

// IncidentEvidence is the record that a sentence rests on.
type IncidentEvidence struct {
	Kind string `json:"kind"` // finding, alert, run, decision, agent, change, page, act, move, person, audit (id: the kind of record)
	ID   string `json:"id"`
}

// IncidentEntry is one sentence of a timeline.
type IncidentEntry struct {
	At       time.Time         `json:"at"`
	Kind     string            `json:"kind"`
	Text     string            `json:"text"`
	Detail   string            `json:"detail,omitempty"`
	Evidence *IncidentEvidence `json:"evidence"`
	Person   string            `json:"person,omitempty"`
}

// IncidentMove is a merge or a split.
type IncidentMove struct {
	ID       string           `json:"id"`
	Kind     string           `json:"kind"`
	Source   string           `json:"source"`
	Target   string           `json:"target"`
	At       time.Time        `json:"at"`
	Person   string           `json:"person,omitempty"` // "" Reeve itself
	Signals  int              `json:"signals"`
	Reasons  []IncidentReason `json:"reasons"`
	Reason   string           `json:"reason,omitempty"`
	Weights  int64            `json:"weights,omitempty"` // the revision of the weights that it made
	UndoneAt *time.Time       `json:"undone_at"`
	UndoneBy string           `json:"undone_by,omitempty"`
}

// IncidentDetail is an incident with what its page shows.
type IncidentDetail struct {
	Incident
	Timeline []IncidentEntry  `json:"timeline"`
	Members  []IncidentSignal `json:"members"` // the earliest first, at most 500
	Moves    []IncidentMove   `json:"moves"`
	Acts     []IncidentAct    `json:"acts"`
	Tasks    []IncidentTask   `json:"tasks"`
	Playbook []string         `json:"playbook"`
	Reach    *IncidentReach   `json:"reach"` // null where no agent is known
}

// IncidentReach finds the runs that share what an incident is about: who saw it.
type IncidentReach struct {
	Q    string    `json:"q"` // in the language of searches
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// ListIncidentsRequest narrows a list.
type ListIncidentsRequest struct {
	State    string `query:"state"` // live (default), all, or states with commas
	Agent    string `query:"agent"`
	Severity string `query:"severity"`
	Team     string `query:"team"`
	Q        string `query:"q"`
	Limit    int    `query:"limit" max:"500"`
	Cursor   string `query:"cursor"`
}

// IncidentRequest names an incident by its id or number.
type IncidentRequest struct {
	ID string `path:"id"`
}

// OpenIncidentRequest opens an incident by hand.
type OpenIncidentRequest struct {
	Title       string   `json:"title"`
	Text        string   `json:"text,omitempty"`
	Severity    string   `json:"severity"`
	Kind        string   `json:"kind,omitempty"`
	Team        string   `json:"team,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Agents      []string `json:"agents,omitempty"`
}

// IncidentNoteRequest is an act with a person's words.
type IncidentNoteRequest struct {
	ID   string `json:"-" path:"id"`
	Note string `json:"note,omitempty"`
}

// UpdateIncidentRequest changes what people say of an incident; fields that are
// not given stay. People are named by id or name.
type UpdateIncidentRequest struct {
	ID             string  `json:"-" path:"id"`
	Title          *string `json:"title,omitempty"`
	Severity       *string `json:"severity,omitempty"`
	Kind           *string `json:"kind,omitempty"`
	Owner          *string `json:"owner,omitempty"`
	Lead           *string `json:"lead,omitempty"`
	Communications *string `json:"communications,omitempty"`
	Revision       int64   `json:"revision,omitempty"` // the one that was read; 0 whatever is there
	Reason         string  `json:"reason,omitempty"`
}

// MergeIncidentRequest makes an incident part of another.
type MergeIncidentRequest struct {
	ID     string `json:"-" path:"id"`
	Into   string `json:"into"`
	Reason string `json:"reason,omitempty"`
}

// SplitIncidentRequest takes signals out of an incident.
type SplitIncidentRequest struct {
	ID           string   `json:"-" path:"id"`
	Fingerprints []string `json:"fingerprints"`
	Reason       string   `json:"reason,omitempty"`
}

// JudgeSignalRequest says whether a signal belongs where it is.
type JudgeSignalRequest struct {
	ID          string `json:"-" path:"id"`
	Fingerprint string `json:"fingerprint"`
	Right       bool   `json:"right"`
	Reason      string `json:"reason,omitempty"`
}

// UndoMoveRequest takes a merge or split back.
type UndoMoveRequest struct {
	ID     string `json:"-" path:"id"` // of the move
	Reason string `json:"reason,omitempty"`
}

// IncidentWeight is how far one rule is believed.
type IncidentWeight struct {
	Rule    string  `json:"rule"`
	Text    string  `json:"text"`
	Weight  float64 `json:"weight"`
	Default float64 `json:"default"`
}

// IncidentWeightChange is the difference of one weight.
type IncidentWeightChange struct {
	Rule   string  `json:"rule"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// IncidentWeightsRevision is what one verdict changed.
type IncidentWeightsRevision struct {
	Revision int64                  `json:"revision"`
	At       time.Time              `json:"at"`
	Person   string                 `json:"person"`
	Why      string                 `json:"why"`
	Incident string                 `json:"incident,omitempty"`
	Reverts  int64                  `json:"reverts,omitempty"`
	Changes  []IncidentWeightChange `json:"changes"`
}

// IncidentWeights are the weights by which signals are joined.
type IncidentWeights struct {
	Threshold float64                   `json:"threshold"`
	Weights   []IncidentWeight          `json:"weights"`
	History   []IncidentWeightsRevision `json:"history"`
}

// RevertWeightsRequest takes what one revision changed back.
type RevertWeightsRequest struct {
	Revision int64  `json:"revision"`
	Reason   string `json:"reason,omitempty"`
}

// IncidentOffer is something that can be done about an incident.
type IncidentOffer struct {
	Kind   string `json:"kind"` // contain, stop, lower_budget, pin_model, pin_version, switch_upstream, source_out, tell_affected
	Target string `json:"target"`
	Level  string `json:"level,omitempty"` // of a containment, the kind of a stop's target, a budget's new limit
	Text   string `json:"text"`
	Why    string `json:"why,omitempty"`
}

// IncidentPreview is what an act would come to.
type IncidentPreview struct {
	Text  string   `json:"text"`
	Hits  []string `json:"hits"`
	Undo  string   `json:"undo"`
	Needs string   `json:"needs,omitempty"`
	Draft string   `json:"draft,omitempty"` // words to begin with, where it needs some
	// Second says that a second person agrees before it is done.
	Second bool `json:"second,omitempty"`
}

// IncidentAct is something that was done about an incident.
type IncidentAct struct {
	ID       string     `json:"id"`
	State    string     `json:"state"` // doing, done, failed, undone
	At       time.Time  `json:"at"`
	Kind     string     `json:"kind"`
	Target   string     `json:"target"`
	Level    string     `json:"level,omitempty"`
	Text     string     `json:"text"`
	Person   string     `json:"person"`
	Reason   string     `json:"reason,omitempty"`
	Result   string     `json:"result,omitempty"`
	Until    *time.Time `json:"until"`
	UndoneBy string     `json:"undone_by,omitempty"`
	UndoneAt *time.Time `json:"undone_at"`
}

// IncidentActRequest asks to do something about an incident, or what it would
// come to.
type IncidentActRequest struct {
	ID     string     `json:"-" path:"id"`
	Kind   string     `json:"kind"`
	Target string     `json:"target"`
	Level  string     `json:"level,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	// Message is what people are told: of tell_affected.
	Message string `json:"message,omitempty"`
}

// UndoActRequest takes an act back.
type UndoActRequest struct {
	ID     string `json:"-" path:"id"` // of the act
	Reason string `json:"reason"`
}

// IncidentRecord is something that a run of an affected agent changed.
type IncidentRecord struct {
	Run      string    `json:"run"`
	Step     string    `json:"step,omitempty"`
	Decision string    `json:"decision,omitempty"`
	At       time.Time `json:"at"`
	Agent    string    `json:"agent"`
	Action   string    `json:"action"`
	Target   string    `json:"target,omitempty"`
	Effect   string    `json:"effect,omitempty"`
	Outcome  string    `json:"outcome,omitempty"`
	User     string    `json:"user,omitempty"`
}

// IncidentTask is something to do about or after an incident.
type IncidentTask struct {
	ID         string            `json:"id"`
	Incident   string            `json:"incident"`
	Kind       string            `json:"kind"` // action, compensation, step
	Text       string            `json:"text"`
	Owner      string            `json:"owner,omitempty"`
	DueAt      *time.Time        `json:"due_at"`
	DoneAt     *time.Time        `json:"done_at"`
	DoneBy     string            `json:"done_by,omitempty"`
	By         string            `json:"by"`
	ApprovedBy string            `json:"approved_by,omitempty"`
	Result     string            `json:"result,omitempty"`
	Evidence   *IncidentEvidence `json:"evidence"`
	CreatedAt  time.Time         `json:"created_at"`
	Number     int64             `json:"number,omitempty"` // of the incident; in lists over incidents
	Title      string            `json:"title,omitempty"`  // the same
}

// AddIncidentTaskRequest adds something to do.
type AddIncidentTaskRequest struct {
	ID       string            `json:"-" path:"id"`
	Kind     string            `json:"kind"`
	Text     string            `json:"text"`
	Owner    string            `json:"owner,omitempty"`
	DueAt    *time.Time        `json:"due_at,omitempty"`
	Evidence *IncidentEvidence `json:"evidence,omitempty"`
}

// ChangeIncidentTaskRequest changes a task; fields that are not given stay.
type ChangeIncidentTaskRequest struct {
	ID      string     `json:"-" path:"id"` // of the task
	Owner   *string    `json:"owner,omitempty"`
	DueAt   *time.Time `json:"due_at,omitempty"`
	Approve bool       `json:"approve,omitempty"` // agree to a compensation
	Done    *bool      `json:"done,omitempty"`
	Result  string     `json:"result,omitempty"`
}

// ListIncidentActionsRequest asks for what is to be done after incidents.
type ListIncidentActionsRequest struct {
	Mine     bool   `query:"mine"`
	Kind     string `query:"kind"`     // action (the default), compensation
	Unagreed bool   `query:"unagreed"` // of compensations: those that wait for the asker's agreement
}

// IncidentReview is what is written after an incident.
type IncidentReview struct {
	Incident  string    `json:"incident"`
	Number    int64     `json:"number"`
	State     string    `json:"state"` // draft, done
	Text      string    `json:"text"`  // Markdown
	Author    string    `json:"author,omitempty"`
	UpdatedAt time.Time `json:"updated_at"`
	Revision  int64     `json:"revision"` // 0: drafted from the timeline, not saved
}

// SaveReviewRequest stores a review.
type SaveReviewRequest struct {
	ID       string `json:"-" path:"id"`
	Text     string `json:"text"`
	Revision int64  `json:"revision"` // the one that was read
	Done     bool   `json:"done,omitempty"`
}

// SilenceMatcher is one of Alertmanager's: a label, a value, and how to compare.
type SilenceMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"is_regex"`
	IsEqual bool   `json:"is_equal"`
}

// Silence keeps signals from making incidents for a time.
type Silence struct {
	ID       string           `json:"id"`
	Kind     string           `json:"kind"` // silence, maintenance
	Team     string           `json:"team,omitempty"`
	Matchers []SilenceMatcher `json:"matchers"`
	Reason   string           `json:"reason"`
	Author   string           `json:"author"`
	StartsAt time.Time        `json:"starts_at"`
	EndsAt   time.Time        `json:"ends_at"`
	State    string           `json:"state"` // pending, active, expired
	EndedBy  string           `json:"ended_by,omitempty"`
	Held     int64            `json:"held"` // signals that it held back since the server started
}

// ListSilencesRequest asks for silences.
type ListSilencesRequest struct {
	All bool `query:"all"` // those that are over too
}

// CreateSilenceRequest starts a silence.
type CreateSilenceRequest struct {
	Kind     string           `json:"kind"`
	Team     string           `json:"team,omitempty"`
	Matchers []SilenceMatcher `json:"matchers"`
	Reason   string           `json:"reason"`
	StartsAt *time.Time       `json:"starts_at,omitempty"`
	EndsAt   time.Time        `json:"ends_at"`
}

// EndSilenceRequest ends a silence.
type EndSilenceRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason,omitempty"`
}
