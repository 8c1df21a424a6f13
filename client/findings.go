package client

import "time"

// Finding is what one detector saw of one subject. Those of other parts (agents
// that nobody registered, tools that changed, actions that nobody decided) stand
// in the same list, with the path of the page where they are dealt with.
type Finding struct {
	ID            string          `json:"id"`
	Detector      string          `json:"detector"` // loop, cost, new_tool..., rule:NAME, unknown_agent, tool_NAME, ungoverned_action
	Severity      string          `json:"severity"` // info, warning, critical
	Agent         string          `json:"agent,omitempty"`
	Team          string          `json:"team,omitempty"`
	Environment   string          `json:"environment,omitempty"`
	Version       string          `json:"version,omitempty"`
	Task          string          `json:"task,omitempty"`
	Subject       string          `json:"subject,omitempty"` // the tool, model or destination that it is about
	Text          string          `json:"text"`
	Measure       string          `json:"measure,omitempty"`
	Expected      string          `json:"expected,omitempty"`
	Seen          string          `json:"seen,omitempty"`
	Why           string          `json:"why,omitempty"`      // how rare that is
	Authenticated bool            `json:"authenticated"`      // the agent had proved who it is; else its name is a claim, and nothing acts on it
	Runs          []string        `json:"runs"`               // evidence, the newest last
	Steps         []string        `json:"steps"`              //
	Path          string          `json:"path,omitempty"`     // of the page where it is dealt with, when that is not the finding itself
	Count         int64           `json:"count"`              // how often it was seen
	FirstSeen     time.Time       `json:"first_seen"`         //
	LastSeen      time.Time       `json:"last_seen"`          //
	ClosedAt      *time.Time      `json:"closed_at"`          // null: open
	LagMS         *int64          `json:"lag_ms"`             // from the record's arrival to the finding; null: unknown
	Verdict       *FindingVerdict `json:"verdict"`            // null: nobody judged it
	Responses     []Response      `json:"responses"`          // what was done, or would have been, because of it
	Incident      string          `json:"incident,omitempty"` // the live one that it is part of
}

// FindingVerdict is what a person said of a finding.
type FindingVerdict struct {
	Verdict string    `json:"verdict"` // useful, noise
	By      string    `json:"by"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
}

// ListFindingsRequest narrows a list of findings.
type ListFindingsRequest struct {
	Agent       string `query:"agent"`
	Detector    string `query:"detector"`
	Severity    string `query:"severity"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Run         string `query:"run"`
	State       string `query:"state"`   // open, closed; "" is both
	Verdict     string `query:"verdict"` // useful, noise, none; "" is all
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// FindingRequest names a finding.
type FindingRequest struct {
	ID string `path:"id"`
}

// JudgeFindingRequest says what a finding was worth. An empty verdict takes one
// back.
type JudgeFindingRequest struct {
	ID      string `path:"id" json:"-"`
	Verdict string `json:"verdict"` // useful, noise, ""
	Reason  string `json:"reason,omitempty"`
}

// FalseAlarmRequest calls a finding noise and takes back what was done because
// of it.
type FalseAlarmRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason"`
}

// Detector is one that there is, with what is wanted of it.
type Detector struct {
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	About     string            `json:"about"`          // what it looks at
	Unit      string            `json:"unit,omitempty"` // of the minimum effect
	Fixed     bool              `json:"fixed"`          // it tells of a fact and has no alarms a week
	Setting   DetectorSetting   `json:"setting"`        // for all agents
	Agents    []DetectorSetting `json:"agents"`         // for single ones
	Open      int               `json:"open"`           // findings
	Useful    int               `json:"useful"`         // verdicts of 90 days
	Noise     int               `json:"noise"`
	Precision *float64          `json:"precision"` // useful of those judged; null: none judged
	Adjusted  []DetectorLearned `json:"adjusted"`  // where verdicts changed what it may tell
}

// DetectorSetting is what is wanted of a detector, by effect.
type DetectorSetting struct {
	Agent         string     `json:"agent,omitempty"`
	Off           bool       `json:"off"`
	AlarmsPerWeek float64    `json:"alarms_per_week"` // about one agent, while nothing is wrong
	MinimumEffect float64    `json:"minimum_effect"`  // what is smaller is not told
	Rest          string     `json:"rest"`            // after an alarm about the same
	Severity      string     `json:"severity"`
	Revision      int64      `json:"revision"` // 0: the default
	By            string     `json:"by,omitempty"`
	Reason        string     `json:"reason,omitempty"`
	At            *time.Time `json:"at"`
}

// DetectorLearned is how people's verdicts changed what a detector may tell of
// an agent: noise halves the alarms that are allowed, useful gives half of that
// back. Taking a verdict back takes this back.
type DetectorLearned struct {
	Agent   string  `json:"agent"`
	Useful  int     `json:"useful"`
	Noise   int     `json:"noise"`
	Allowed float64 `json:"allowed"`        // alarms a week, now
	Set     float64 `json:"set"`            // as set
	Effect  float64 `json:"minimum_effect"` // the smallest that is told, now
}

// PutDetectorRequest changes what is wanted of a detector. What is left out
// takes the default.
type PutDetectorRequest struct {
	Name          string  `path:"name" json:"-"`
	Agent         string  `json:"agent,omitempty"` // "" is all
	Off           bool    `json:"off,omitempty"`
	AlarmsPerWeek float64 `json:"alarms_per_week,omitempty"`
	MinimumEffect float64 `json:"minimum_effect,omitempty"`
	Rest          string  `json:"rest,omitempty"` // 10m
	Severity      string  `json:"severity,omitempty"`
	Revision      int64   `json:"revision,omitempty"` // that was read; 0 is any
	Reason        string  `json:"reason"`
}

// ResetDetectorRequest goes back to what holds for all, or to the default.
type ResetDetectorRequest struct {
	Name   string `path:"name"`
	Agent  string `query:"agent"`
	Reason string `query:"reason"`
}

// Rule is a condition over measures that somebody wrote.
type Rule struct {
	Name        string     `json:"name"`
	Text        string     `json:"text,omitempty"`   // what it finds, in words
	When        string     `json:"when"`             // CEL: cost > 2.0 && task == 'refund'
	Scope       string     `json:"scope"`            // run, agent
	Window      string     `json:"window,omitempty"` // of scopes agent and query: 5m to 168h
	Query       *RuleQuery `json:"query,omitempty"`  // of scope query
	Severity    string     `json:"severity"`
	Team        string     `json:"team,omitempty"` // whose agents; "" all
	Environment string     `json:"environment,omitempty"`
	Agents      []string   `json:"agents"` // none: all
	Rest        string     `json:"rest"`
	Off         bool       `json:"off"`
	Revision    int64      `json:"revision"`
	By          string     `json:"by"`
	Reason      string     `json:"reason,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	Open        int        `json:"open"`     // findings
	Failures    int64      `json:"failures"` // times it could not be asked, since the start
}

// RuleQuery is what a rule asks the store: a figure of what a search finds.
type RuleQuery struct {
	KPI   string `json:"kpi,omitempty"`   // a KPI by its id, in place of table, where, func, field and of
	Table string `json:"table,omitempty"` // runs, steps
	Where string `json:"where,omitempty"` // a search
	Func  string `json:"func,omitempty"`  // count, share, sum, avg, min, max, p50, p90, p95, p99, distinct
	Field string `json:"field,omitempty"` // of all but count and share: duration_ms, cost...
	Of    string `json:"of,omitempty"`    // share: the search whose records are counted among all
	By    string `json:"by,omitempty"`    // agent: each apart; "" all together
}

// RuleRequest names a rule.
type RuleRequest struct {
	Name string `path:"name"`
}

// PutRuleRequest makes or changes a rule.
type PutRuleRequest struct {
	Name        string     `path:"name" json:"-"`
	Text        string     `json:"text,omitempty"`
	When        string     `json:"when"`
	Scope       string     `json:"scope,omitempty"`
	Window      string     `json:"window,omitempty"`
	Query       *RuleQuery `json:"query,omitempty"`
	Severity    string     `json:"severity,omitempty"`
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
	Agents      []string   `json:"agents,omitempty"`
	Rest        string     `json:"rest,omitempty"`
	Off         bool       `json:"off,omitempty"`
	Revision    int64      `json:"revision,omitempty"`
	Reason      string     `json:"reason,omitempty"`
}

// DeleteRuleRequest drops a rule.
type DeleteRuleRequest struct {
	Name   string `path:"name"`
	Reason string `query:"reason"`
}

// TryRuleRequest asks when a rule would have held. Nothing is kept.
type TryRuleRequest struct {
	When        string     `json:"when"`
	Scope       string     `json:"scope,omitempty"`
	Window      string     `json:"window,omitempty"`
	Query       *RuleQuery `json:"query,omitempty"`
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
	Agents      []string   `json:"agents,omitempty"`
	Rest        string     `json:"rest,omitempty"`
	Days        int        `json:"days,omitempty"` // 0 is 30
}

// RuleTrial is when a rule would have held.
type RuleTrial struct {
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Runs     int            `json:"runs"`  // that were looked at
	Steps    int            `json:"steps"` //
	Whole    bool           `json:"whole"` // false: there were more runs than are looked at; the newest were
	Fired    int            `json:"fired"`
	PerWeek  *float64       `json:"per_week"` // null: nothing was looked at
	Agents   []RuleTrialOf  `json:"agents"`   // by how often
	Days     []RuleTrialDay `json:"days"`
	Findings []Finding      `json:"findings"` // the newest, at most 50
}

// RuleTrialOf is how often a rule would have held of an agent.
type RuleTrialOf struct {
	Agent string `json:"agent"`
	Fired int    `json:"fired"`
}

// RuleTrialDay is how often a rule would have held on a day, UTC.
type RuleTrialDay struct {
	Day   string `json:"day"`
	Fired int    `json:"fired"`
}

// RuleWord is a word that a rule may use.
type RuleWord struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	About string `json:"about"`
	Run   bool   `json:"run"`   // rules of scope run have it
	Agent bool   `json:"agent"` // rules of scope agent have it
	Query bool   `json:"query"` // rules of scope query have it
}

// BehaviourRequest asks what was measured of an agent.
type BehaviourRequest struct {
	Name string `path:"name"`
	From string `query:"from"` // -24h by default
}

// LogKinds are the kinds of an agent's log lines, by each way of knowing of it.
type LogKinds struct {
	Agent string        `json:"agent"`
	Items []LogKindsOne `json:"items"`
}

// LogKindsOne are those of one way.
type LogKindsOne struct {
	Source      string    `json:"source"` // door: it had proved who it is; telemetry: its name is a claim
	Name        string    `json:"name"`
	Environment string    `json:"environment,omitempty"`
	Kinds       []LogKind `json:"kinds"` // the most frequent first
}

// LogKind is a kind of log line.
type LogKind struct {
	ID    int    `json:"id"`   // as the findings of new_log call it: kind 7
	Text  string `json:"text"` // its words; <*> where lines differ, or a value stands
	Lines int    `json:"lines"`
}

// AgentBehaviour is what was measured of an agent, by each way of knowing of it.
type AgentBehaviour struct {
	Agent string      `json:"agent"`
	From  time.Time   `json:"from"`
	Seen  []Behaviour `json:"seen"` // what the door saw first; none: nothing was seen
}

// Behaviour is what one way of knowing tells of an agent.
type Behaviour struct {
	Source      string           `json:"source"` // door: it had proved who it is; telemetry: its name is a claim
	Name        string           `json:"name"`   // under which it was seen
	Environment string           `json:"environment,omitempty"`
	FirstSeen   time.Time        `json:"first_seen"`
	LastSeen    time.Time        `json:"last_seen"`
	StepSeconds int              `json:"step_seconds"`
	Points      []BehaviourPoint `json:"points"` // those with activity
	Total       BehaviourPoint   `json:"total"`
	Runs        int64            `json:"runs"` // that ended, ever
	Parts       []BehaviourPart  `json:"parts"`
	Path        *BehaviourPath   `json:"path"`  // null: too little was seen
	Hours       []float64        `json:"hours"` // runs begun by hour, UTC: 24 of working days, 24 of week ends
	Ranges      []BehaviourRange `json:"ranges"`
}

// BehaviourPoint is what was measured in a stretch of time.
type BehaviourPoint struct {
	At             time.Time `json:"at"`
	Steps          int64     `json:"steps"`
	Runs           int64     `json:"runs"` // that began
	EndedRuns      int64     `json:"ended_runs"`
	FailedRuns     int64     `json:"failed_runs"`
	ModelCalls     int64     `json:"model_calls"`
	ToolCalls      int64     `json:"tool_calls"`
	Errors         int64     `json:"errors"`
	Refused        int64     `json:"refused"`  // denied or held
	Retries        int64     `json:"retries"`  // failures directly after one of the same
	Repeated       int64     `json:"repeated"` // calls beyond the first of the same with the same arguments
	Handoffs       int64     `json:"handoffs"`
	Answers        int64     `json:"answers"`    // of models in words
	Declined       int64     `json:"declined"`   // of these, those that refuse
	FirstSeen      int64     `json:"first_seen"` // tools, models, sources, destinations never seen before
	WaitingMS      float64   `json:"waiting_ms"`
	InputTokens    float64   `json:"input_tokens"`
	OutputTokens   float64   `json:"output_tokens"`
	Cost           *float64  `json:"cost"` // null: unknown
	UnpricedCalls  int64     `json:"unpriced_calls"`
	P50MS          *float64  `json:"p50_ms"` // of calls; null: there were none
	P95MS          *float64  `json:"p95_ms"`
	ContextGrowth  *float64  `json:"context_growth"` // mean of the runs that ended: last input over the first
	Surprise       *float64  `json:"surprise"`       // bits by which each next tool was unexpected
	OutputPerModel *float64  `json:"output_per_call"`
}

// BehaviourPart is what was measured of a tool, version, task or kind of error.
type BehaviourPart struct {
	Kind         string    `json:"kind"` // tool (models too), version, task, error
	Name         string    `json:"name"`
	Calls        int64     `json:"calls"` // runs, of versions and tasks
	Errors       int64     `json:"errors"`
	MeanMS       *float64  `json:"mean_ms"`
	InputTokens  float64   `json:"input_tokens"`
	OutputTokens float64   `json:"output_tokens"`
	Cost         float64   `json:"cost"`
	FirstSeen    time.Time `json:"first_seen"`
	LastSeen     time.Time `json:"last_seen"`

	Repeated int64 `json:"repeated"` // calls beyond the first of the same with the same arguments in one run
	Retries  int64 `json:"retries"`  // failures directly after one of the same in one run
	Refused  int64 `json:"refused"`  // denied or held by the door

	// Of versions and tasks: null for tools and errors.
	ModelCalls    *int64   `json:"model_calls"`
	ToolCalls     *int64   `json:"tool_calls"`
	Handoffs      *int64   `json:"handoffs"`
	Answers       *int64   `json:"answers"`  // of models in words
	Declined      *int64   `json:"declined"` // of these, those that refuse
	WaitingMS     *float64 `json:"waiting_ms"`
	OutputPerCall *float64 `json:"output_per_call"` // tokens of a model call; of models too
	ContextGrowth *float64 `json:"context_growth"`  // mean over runs
}

// BehaviourPath is how an agent goes from tool to tool.
type BehaviourPath struct {
	Entropy    float64         `json:"entropy"`    // bits that the next tool tells when the one before is known
	Repeatable float64         `json:"repeatable"` // 1: always the same order; 0: any tool after any other
	Moves      []BehaviourMove `json:"moves"`      // the most frequent
}

// BehaviourMove is how often one tool followed another.
type BehaviourMove struct {
	From  string  `json:"from"` // "" is the run's beginning
	To    string  `json:"to"`
	Share float64 `json:"share"` // of what followed From
	Count float64 `json:"count"` // older ones weigh less
}

// BehaviourRange is what is normal of a measure of an agent.
type BehaviourRange struct {
	Measure string  `json:"measure"`
	Median  float64 `json:"median"`
	Low     float64 `json:"low"`  // what 10 of 100 are below
	High    float64 `json:"high"` // what 99 of 100 are below
	Values  int64   `json:"values"`
}

// Response is what a response policy did, or would have done, about a finding.
type Response struct {
	ID          string     `json:"id"`
	Policy      string     `json:"policy"`
	Revision    int64      `json:"revision"` // of the policy
	Finding     string     `json:"finding"`
	Detector    string     `json:"detector"`
	Agent       string     `json:"agent"`
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
	Contain     string     `json:"contain"`
	Before      string     `json:"before"` // the containment that was in force
	State       string     `json:"state"`  // in_force, ended, reverted, would, braked, claimed, not_needed, failed
	Why         string     `json:"why,omitempty"`
	At          time.Time  `json:"at"`
	Until       *time.Time `json:"until"`
	TookMS      *int64     `json:"took_ms"` // from the arrival of the record that led here; null: nothing was done
	EndedAt     *time.Time `json:"ended_at"`
	EndedBy     string     `json:"ended_by,omitempty"`
	Reason      string     `json:"reason,omitempty"` // of the end
}

// ResponsePolicy says what follows from which findings, without a person.
type ResponsePolicy struct {
	Name        string    `json:"name"`
	Text        string    `json:"text,omitempty"`
	Detectors   []string  `json:"detectors"`          // none: all
	Severity    string    `json:"severity,omitempty"` // at least
	Team        string    `json:"team,omitempty"`     // whose agents; "" all
	Environment string    `json:"environment,omitempty"`
	Agents      []string  `json:"agents"` // none: all
	Contain     string    `json:"contain"`
	For         string    `json:"for,omitempty"` // "": until a person ends it
	Mode        string    `json:"mode"`          // observe, enforce
	Revision    int64     `json:"revision"`
	By          string    `json:"by"`
	Reason      string    `json:"reason,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Acts        int       `json:"acts"`  // of 30 days: what was done
	Would       int       `json:"would"` // and what would have been
}

// ResponsePolicies are all of them, with the brake.
type ResponsePolicies struct {
	Items   []ResponsePolicy `json:"items"`
	PerHour int              `json:"per_hour"` // agents that are contained in an hour without a person
	PerTeam int              `json:"per_team"` // of those, of one team
}

// ResponsePolicyRequest names a response policy.
type ResponsePolicyRequest struct {
	Name string `path:"name"`
}

// PutResponsePolicyRequest makes or changes a response policy.
type PutResponsePolicyRequest struct {
	Name        string   `path:"name" json:"-"`
	Text        string   `json:"text,omitempty"`
	Detectors   []string `json:"detectors,omitempty"`
	Severity    string   `json:"severity,omitempty"`
	Team        string   `json:"team,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Agents      []string `json:"agents,omitempty"`
	Contain     string   `json:"contain"`        // throttled, supervised, read_only, quarantined
	For         string   `json:"for,omitempty"`  // 1h
	Mode        string   `json:"mode,omitempty"` // observe unless it says enforce
	Revision    int64    `json:"revision,omitempty"`
	Reason      string   `json:"reason,omitempty"`
}

// DeleteResponsePolicyRequest drops a response policy.
type DeleteResponsePolicyRequest struct {
	Name   string `path:"name"`
	Reason string `query:"reason"`
}

// ListResponsesRequest narrows what was done about findings.
type ListResponsesRequest struct {
	Agent   string `query:"agent"`
	Finding string `query:"finding"`
	State   string `query:"state"`
	Limit   int    `query:"limit" max:"1000"`
	Cursor  string `query:"cursor"`
}

// ResponseActRequest takes a response back, or applies what would have been done.
type ResponseActRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason"`
}
