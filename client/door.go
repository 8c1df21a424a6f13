package client

import (
	"encoding/json"
	"time"
)

// This file holds the shapes of the door: agents, their keys, stops, decisions,
// policies, upstreams and budgets.

// Agent is a registered agent. Name is its key everywhere and never changes.
type Agent struct {
	Name          string            `json:"name"`
	Team          string            `json:"team"`
	Owner         string            `json:"owner"`   // a person's name
	Sponsor       string            `json:"sponsor"` // who answers for it on the business side; "" none
	Purpose       string            `json:"purpose"`
	Kind          string            `json:"kind"`        // internal, third_party
	Environment   string            `json:"environment"` // production, staging, ...
	Mode          string            `json:"mode"`        // interactive, autonomous, asynchronous
	DataClasses   []string          `json:"data_classes"`
	Labels        map[string]string `json:"labels"`
	Task          string            `json:"task,omitempty"` // default kind of work
	Lifecycle     string            `json:"lifecycle"`      // draft, pilot, production, retired
	Autonomy      string            `json:"autonomy"`       // read_only, supervised, bounded, autonomous
	Containment   string            `json:"containment"`    // none, throttled, supervised, read_only, quarantined
	ContainedTill *time.Time        `json:"contained_till"` // nil: until released
	Enforcement   string            `json:"enforcement"`    // observe, enforce
	ObserveTill   *time.Time        `json:"observe_till"`   // break-glass ends then
	Pins          []AgentPin        `json:"pins"`           // what it is held to
	Content       string            `json:"content"`        // full, metadata: what of its content is stored
	Aliases       []AgentAlias      `json:"aliases"`
	MergedInto    string            `json:"merged_into,omitempty"` // the agent that it turned out to be
	Origin        string            `json:"origin"`                // registered, adopted, dev
	Version       string            `json:"version"`               // hash of what it is made of, as last observed; "" unknown
	Standard      []StandardBreak   `json:"standard"`              // what it breaks of the standard; empty when it conforms
	Marks         []Mark            `json:"marks"`                 // identity, standard, seen
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
	LastSeen      *time.Time        `json:"last_seen"`
	Revision      int64             `json:"revision"` // grows with each change; updates take it
}

// AgentPin holds an agent to one model or version for a while.
type AgentPin struct {
	Kind   string     `json:"kind"`           // model, version
	From   string     `json:"from,omitempty"` // model: in place of which other
	Value  string     `json:"value"`
	Until  *time.Time `json:"until"` // nil: until it is taken out
	By     string     `json:"by"`
	At     time.Time  `json:"at"`
	Reason string     `json:"reason"`
}

// AgentAlias is a way by which telemetry is recognised as an agent's.
type AgentAlias struct {
	Kind  string `json:"kind"` // name, agent_id, service
	Value string `json:"value"`
}

// StandardBreak is one rule of the standard that an agent does not meet.
type StandardBreak struct {
	Rule        string     `json:"rule"`
	Text        string     `json:"text"`
	Why         string     `json:"why"`     // how it breaks it
	Refused     bool       `json:"refused"` // the rule refuses; else it flags
	WaivedTill  *time.Time `json:"waived_till"`
	WaiveReason string     `json:"waive_reason,omitempty"`
}

// Upstream is something the door forwards to.
type Upstream struct {
	Name         string            `json:"name"`
	Kind         string            `json:"kind"`              // llm, http, mcp, a2a
	Dialect      string            `json:"dialect,omitempty"` // llm: openai, anthropic, azure, bedrock, gemini
	URL          string            `json:"url"`
	Team         string            `json:"team"`
	Environment  string            `json:"environment"`
	Shared       bool              `json:"shared"`   // other teams' policies may name it
	External     bool              `json:"external"` // data sent there leaves the house
	Region       string            `json:"region,omitempty"`
	Headers      map[string]string `json:"headers,omitempty"`
	Credential   *Credential       `json:"credential"`       // nil: none
	Models       []ModelRule       `json:"models,omitempty"` // empty: every model
	Routes       []Route           `json:"routes,omitempty"` // http: what may be called
	Classes      []string          `json:"classes,omitempty"`
	MaxTokens    int64             `json:"max_tokens,omitempty"` // per call; 0 no limit
	TimeoutMS    int64             `json:"timeout_ms,omitempty"`
	AllowPrivate bool              `json:"allow_private"`      // addresses in private ranges
	Fallback     []string          `json:"fallback,omitempty"` // upstreams to try next, in order
	HealthPath   string            `json:"health_path,omitempty"`
	Peer         *Peer             `json:"peer,omitempty"`      // a2a: who answers there
	AskHosts     []string          `json:"ask_hosts,omitempty"` // mcp: hosts that it may send people to
	Health       UpstreamHealth    `json:"health"`
	Switch       *UpstreamSwitch   `json:"switch,omitempty"`     // where its calls go in its place
	Connection   *Connection       `json:"connection,omitempty"` // of a credential of kind oauth
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
	Revision     int64             `json:"revision"`
}

// Credential says where an upstream's own credential comes from. A value is
// written and never read back.
type Credential struct {
	Kind   string `json:"kind"`             // bearer, header, basic, query, sigv4, oauth
	Header string `json:"header,omitempty"` // for kind header
	Source string `json:"source"`           // value, env, file, vault; oauth: of the client's secret or key, "" for none
	Ref    string `json:"ref,omitempty"`    // name of the variable, path of the file, "secret/data/openai#key"
	Value  string `json:"value,omitempty"`  // write only, for source value
	User   string `json:"user,omitempty"`   // basic: name; sigv4: access key id
	Region string `json:"region,omitempty"` // sigv4
	Set    bool   `json:"set"`              // whether a value is there now
	OAuth  *OAuth `json:"oauth,omitempty"`  // for kind oauth
}

// ModelRule allows a model of an upstream.
type ModelRule struct {
	Name       string     `json:"name"` // exact, or a prefix ending in *
	Region     string     `json:"region,omitempty"`
	MaxOutput  int64      `json:"max_output,omitempty"`
	Deprecated *time.Time `json:"deprecated"` // from this day on policy sees it as deprecated
	Classes    []string   `json:"classes,omitempty"`
}

// Route names what may be called of an HTTP API.
type Route struct {
	Name    string   `json:"name"`   // "" takes method and path
	Method  string   `json:"method"` // "*" for all
	Path    string   `json:"path"`   // /v1/users/{id}, a last segment {rest...} takes everything below
	Effect  string   `json:"effect"` // read, write, destructive
	Classes []string `json:"classes,omitempty"`
	Shows   Shows    `json:"shows,omitzero"`
}

// Shows is where in the arguments of an action stands what a person looks at
// first: JSON Pointers, or query:NAME.
type Shows struct {
	Amount      []string `json:"amount,omitempty"`
	Currency    []string `json:"currency,omitempty"`
	Destination []string `json:"destination,omitempty"`
	Recipient   []string `json:"recipient,omitempty"`
}

// UpstreamSwitch is where a person sends an upstream's calls for a while.
type UpstreamSwitch struct {
	To     string     `json:"to"`
	By     string     `json:"by"`
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until"` // nil: until it is switched back
	Reason string     `json:"reason"`
}

// UpstreamHealth is how an upstream answers now.
type UpstreamHealth struct {
	State     string     `json:"state"` // unknown, ok, failing, open (circuit breaker)
	Since     *time.Time `json:"since"`
	LastError string     `json:"last_error,omitempty"`
	Calls     int64      `json:"calls"`  // since start
	Errors    int64      `json:"errors"` // since start
	P95MS     *float64   `json:"p95_ms"`
}

// Decision is the record of one proposed action.
type Decision struct {
	ID            string          `json:"id"`
	At            time.Time       `json:"at"`
	CompletedAt   *time.Time      `json:"completed_at"`
	Agent         string          `json:"agent"`
	Registered    bool            `json:"registered"`
	Instance      string          `json:"instance,omitempty"`
	Version       string          `json:"version,omitempty"`
	Team          string          `json:"team,omitempty"`
	Environment   string          `json:"environment,omitempty"`
	Lifecycle     string          `json:"lifecycle,omitempty"`
	Autonomy      string          `json:"autonomy,omitempty"`
	Containment   string          `json:"containment,omitempty"`
	Credential    string          `json:"credential,omitempty"`
	CredentialID  string          `json:"credential_id,omitempty"`
	Bound         bool            `json:"bound"`
	OnBehalfOf    []string        `json:"on_behalf_of"`
	User          string          `json:"user,omitempty"`      // a pseudonym
	UserName      string          `json:"user_name,omitempty"` // the name behind it, for readers, unless erased
	Action        string          `json:"action"`
	Resource      string          `json:"resource"`
	Upstream      string          `json:"upstream,omitempty"`
	Tool          string          `json:"tool,omitempty"`
	Model         string          `json:"model,omitempty"`
	Effect        string          `json:"effect,omitempty"`
	ArgumentsHash string          `json:"arguments_hash,omitempty"`
	Verdict       string          `json:"verdict"` // allow, deny, hold
	Would         string          `json:"would"`   // what enforcing would have given
	Enforced      bool            `json:"enforced"`
	Floor         string          `json:"floor"`
	Reasons       []Reason        `json:"reasons"`
	Policies      []PolicyRef     `json:"policies"`
	PolicyVersion int64           `json:"policy_version"`
	Context       json.RawMessage `json:"context,omitempty"`
	Origins       []Origin        `json:"origins,omitempty"` // for readers: where what the arguments name came from
	Redacted      []string        `json:"redacted,omitempty"`
	RunID         string          `json:"run_id,omitempty"`
	StepID        string          `json:"step_id,omitempty"`
	TraceID       string          `json:"trace_id,omitempty"`
	SpanID        string          `json:"span_id,omitempty"`
	Session       string          `json:"session,omitempty"`
	ApprovalID    string          `json:"approval_id,omitempty"`
	Reserved      []Reserve       `json:"reserved"`
	BytesIn       int64           `json:"bytes_in"`
	BytesOut      int64           `json:"bytes_out"`
	Seq           *int64          `json:"seq"`     // its record in the log of decisions
	EndSeq        *int64          `json:"end_seq"` // the record of its completion
	Pin           string          `json:"pin,omitempty"`
	Result        string          `json:"result"` // pending, ok, error, denied, cut, timeout, unknown
	Status        int             `json:"status,omitempty"`
	ErrorCode     string          `json:"error_code,omitempty"`
	LatencyUS     *int64          `json:"latency_us"`
	UpstreamUS    *int64          `json:"upstream_us"`
	DecideUS      *int64          `json:"decide_us"`
	Usage         Usage           `json:"usage"`
	Cost          Cost            `json:"cost"`
	Node          string          `json:"node"`
	LocalTool     bool            `json:"local_tool"`
	Point         string          `json:"point,omitempty"` // the decision point that asked: what was decided was not forwarded by us; "" at the door
	ParentID      string          `json:"parent_id,omitempty"`
}

// Reason says why in a stable code and in words.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// PolicyRef names a statement that took part.
type PolicyRef struct {
	Policy    string `json:"policy"`
	Statement string `json:"statement"`
	Hash      string `json:"hash,omitempty"`
}

// Reserve is what a decision held back in a budget.
type Reserve struct {
	Budget string `json:"budget"`
	Key    string `json:"key,omitempty"` // whose share of it
	Unit   string `json:"unit"`
	Amount int64  `json:"amount"`
	Spent  *int64 `json:"spent"`
}

// Policy is a named set of Cedar statements.
type Policy struct {
	Name       string            `json:"name"`
	Team       string            `json:"team"`      // "" for security's own
	Guardrail  bool              `json:"guardrail"` // forbids for everybody
	Mode       string            `json:"mode"`      // observe, enforce
	Cedar      string            `json:"cedar"`
	Statements []PolicyStatement `json:"statements"`
	Reason     string            `json:"reason"` // why the newest version was made
	Author     string            `json:"author"`
	Origin     string            `json:"origin"`   // starter, api, file (read-only here)
	Warnings   []string          `json:"warnings"` // what it names that is not there
	Revision   int64             `json:"revision"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

// PolicyStatement is one statement of a policy.
type PolicyStatement struct {
	ID     string `json:"id"`
	Effect string `json:"effect"` // permit, forbid
	Reason string `json:"reason,omitempty"`
	Hold   string `json:"hold,omitempty"`
	Redact string `json:"redact,omitempty"`
	Limit  string `json:"limit,omitempty"`
	Hash   string `json:"hash"`
	Line   int    `json:"line"`
}

// Budget bounds what is spent in a period. Spent and reserved are of all shares
// together; where each has its own, fullest is the one with the least left, and
// shares are shown for one budget, the fullest first.
type Budget struct {
	Name         string        `json:"name"`
	Scope        string        `json:"scope"` // agent, user, task, team
	Match        string        `json:"match"` // the agent, user, task or team; "*" gives each its own
	Unit         string        `json:"unit"`  // tokens, money, calls
	Limit        float64       `json:"limit"`
	Currency     string        `json:"currency,omitempty"`
	Period       string        `json:"period"` // hour, day, week, month, total
	Hard         bool          `json:"hard"`   // refuse beyond it; else warn
	Team         string        `json:"team"`   // who owns it
	Spent        float64       `json:"spent"`
	Reserved     float64       `json:"reserved"`
	UnknownCalls int64         `json:"unknown_calls"` // calls of which nobody knows what they came to
	Fullest      *BudgetShare  `json:"fullest,omitempty"`
	Shares       []BudgetShare `json:"shares,omitempty"`
	ResetsAt     *time.Time    `json:"resets_at"`
	BuiltIn      bool          `json:"built_in"` // the pilots', from the configuration
	Ready        bool          `json:"ready"`    // false while a start still reads what was spent
	Revision     int64         `json:"revision"`
	UpdatedAt    time.Time     `json:"updated_at"`
}

// BudgetShare is what one agent, user, task or team spent of a budget.
type BudgetShare struct {
	Key          string  `json:"key"`
	Spent        float64 `json:"spent"`
	Reserved     float64 `json:"reserved"`
	UnknownCalls int64   `json:"unknown_calls"`
}

// Stop ends actions until it is lifted. Exactly what it names is stopped.
type Stop struct {
	ID        string     `json:"id"`
	Target    StopTarget `json:"target"`
	Reason    string     `json:"reason"`
	By        string     `json:"by"`
	CreatedAt time.Time  `json:"created_at"`
	Until     *time.Time `json:"until"` // ends by itself
	LiftedAt  *time.Time `json:"lifted_at"`
	LiftedBy  string     `json:"lifted_by,omitempty"`
	Receipt   *Receipt   `json:"receipt"`
}

// StopTarget is what a stop takes: kind agent, instance, run, session, user,
// version, tool, model, upstream, team, label (key=value) or everything.
type StopTarget struct {
	Kind  string `json:"kind"`
	Value string `json:"value,omitempty"`
}

// Receipt says what a stop ended and how fast, measured at the door.
type Receipt struct {
	ID                 string     `json:"id"`
	Agent              string     `json:"agent,omitempty"`
	RequestedAt        time.Time  `json:"requested_at"`
	StoppedAt          time.Time  `json:"stopped_at"`
	TimeToStopMS       float64    `json:"time_to_stop_ms"`
	CallsCut           []CutCall  `json:"calls_cut"`
	CredentialsRevoked int        `json:"credentials_revoked"`
	Delegates          []string   `json:"delegates"`
	Targets            []StopNode `json:"targets"`
	ThroughDoor        bool       `json:"through_door"` // false: this agent's traffic does not pass the door
	Notes              []string   `json:"notes"`
}

// CutCall is a call that a stop ended.
type CutCall struct {
	DecisionID string    `json:"decision_id"`
	Agent      string    `json:"agent"`
	Resource   string    `json:"resource"`
	RunID      string    `json:"run_id,omitempty"`
	StartedAt  time.Time `json:"started_at"`
	CutMS      float64   `json:"cut_ms"` // after the request to stop
	BytesOut   int64     `json:"bytes_out"`
}

// StopNode is how a node of the installation answered a stop.
type StopNode struct {
	Node      string    `json:"node"`
	State     string    `json:"state"` // stopped, presumed
	StoppedAt time.Time `json:"stopped_at"`
	CallsCut  int       `json:"calls_cut"`
}

// AgentKey is a credential of an agent that clients who know only API keys can
// present. Its text is shown once.
type AgentKey struct {
	ID        string     `json:"id"`
	Agent     string     `json:"agent"`
	Label     string     `json:"label"`
	Networks  []string   `json:"networks"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used"`
	RevokedAt *time.Time `json:"revoked_at"`
	Key       string     `json:"key,omitempty"` // only in the answer that made it
	// Secret is Key again, by the name that other keys give it.
	Secret string `json:"secret,omitempty"`
}

// UnknownAgent is an agent that was seen and is not registered, or was not.
type UnknownAgent struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`           // as it calls itself; "" when it only has an id
	Claims      []AgentClaim `json:"claims"`         // the ways it names itself
	Team        string       `json:"team,omitempty"` // of the key it came with
	Environment string       `json:"environment,omitempty"`
	Where       string       `json:"where"` // telemetry, door, both
	FirstSeen   time.Time    `json:"first_seen"`
	LastSeen    time.Time    `json:"last_seen"`
	Seen        int64        `json:"seen"`             // steps and calls
	SeenSince   int64        `json:"seen_since"`       // of them, after the decision
	RunID       string       `json:"run_id,omitempty"` // first evidence
	StepID      string       `json:"step_id,omitempty"`
	LastRunID   string       `json:"last_run_id,omitempty"`
	Why         string       `json:"why"`            // why it is not known, or doubtful
	Candidates  []string     `json:"candidates"`     // registered agents it may be, when the match is doubtful
	Suggested   string       `json:"suggested_name"` // a free name to register it under
	State       string       `json:"state"`          // open, registered, merged, blocked, dismissed
	Agent       string       `json:"agent,omitempty"`
	DecidedBy   string       `json:"decided_by,omitempty"`
	DecidedAt   *time.Time   `json:"decided_at"`
	Reason      string       `json:"reason,omitempty"`
	OpenedAt    time.Time    `json:"opened_at"`
}

// AgentClaim is who a record says its agent is.
type AgentClaim struct {
	Team        string `json:"team,omitempty"` // of the key it came with
	Environment string `json:"environment,omitempty"`
	Name        string `json:"name,omitempty"`
	AgentID     string `json:"agent_id,omitempty"`
	Service     string `json:"service,omitempty"`
}

// AgentMatch is what became of a claim, and by which rule.
type AgentMatch struct {
	Claim      AgentClaim `json:"claim"`
	Agent      string     `json:"agent,omitempty"` // "" when it is nobody's
	Rule       string     `json:"rule,omitempty"`  // credential, agent_id, alias, name, service
	Why        string     `json:"why"`             // "matched by alias service=billing"
	Candidates []string   `json:"candidates"`
	FirstSeen  *time.Time `json:"first_seen"` // nil for a question about a claim that was not seen
	LastSeen   *time.Time `json:"last_seen"`
	Seen       int64      `json:"seen"`
}

// Adoption is what became of unknown agents that were adopted together.
type Adoption struct {
	Adopted []Agent           `json:"adopted"`
	Skipped []SkippedAdoption `json:"skipped"`
}

// SkippedAdoption is an unknown agent that could not be adopted, with why.
type SkippedAdoption struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Code string `json:"code"`
	Why  string `json:"why"`
}

// Inventory is what an agent was observed to use.
type Inventory struct {
	Agent   string          `json:"agent"`
	From    *time.Time      `json:"from"` // nil: from the beginning
	To      *time.Time      `json:"to"`
	Items   []InventoryItem `json:"items"`
	LeftOut int64           `json:"left_out"` // uses of parts beyond the 500 of a name that are kept
}

// InventoryItem is something an agent was observed to use.
type InventoryItem struct {
	Kind      string     `json:"kind"` // prompt, model, tool, server, source, dataset, policy, job, peer, code
	Name      string     `json:"name"`
	Detail    string     `json:"detail,omitempty"` // a model's provider, a tool's server, a prompt's hash
	Known     bool       `json:"known"`            // false: nobody registered or approved it
	FirstSeen *time.Time `json:"first_seen"`
	LastSeen  *time.Time `json:"last_seen"`
	Seen      int64      `json:"seen"`             // uses; 0 for what was only on offer or named
	RunID     string     `json:"run_id,omitempty"` // where it was last seen
}

// InventoryChange is a part that one of two dates has, or both.
type InventoryChange struct {
	InventoryItem
	Change string `json:"change"` // added, removed, same
	Before int64  `json:"before"` // uses in the days up to the first date
	After  int64  `json:"after"`
}

// AgentVersion is what an agent was made of from a time on.
type AgentVersion struct {
	Hash       string              `json:"hash"`
	Name       string              `json:"name"`    // the name it was observed under
	Parts      map[string]string   `json:"parts"`   // prompt, model, tools, code, policy: hash of each; absent when unknown
	MadeOf     map[string][]string `json:"made_of"` // the same parts by name
	FirstSeen  time.Time           `json:"first_seen"`
	LastSeen   time.Time           `json:"last_seen"`
	Changed    []string            `json:"changed"` // parts that differ from the version before; empty for the first
	RunID      string              `json:"run_id,omitempty"`
	Current    bool                `json:"current"`
	Approved   bool                `json:"approved"`
	ApprovedBy string              `json:"approved_by,omitempty"`
	ApprovedAt *time.Time          `json:"approved_at"`
	Reason     string              `json:"reason,omitempty"`
}

// AgentRevision is an agent as people set it at one time.
type AgentRevision struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Author   string    `json:"author"`
	Action   string    `json:"action"` // create, update, promote, contain, release, retire, alias, ...
	Reason   string    `json:"reason,omitempty"`
	Changed  []string  `json:"changed"` // fields that differ from the revision before
	Agent    Agent     `json:"agent"`
}

// AgentEvent is an entry of an agent's timeline.
type AgentEvent struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // lifecycle, containment, change, version, key, alias, waiver
	Text   string    `json:"text"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Ref    string    `json:"ref,omitempty"` // a revision, a version's hash, a key's id
}

// Standard is what agents keep to.
type Standard struct {
	Version string         `json:"version"`
	Rules   []StandardRule `json:"rules"`
}

// StandardRule asks something of the agents that When names.
type StandardRule struct {
	ID      string         `json:"id"`
	Text    string         `json:"text"`
	Refuse  bool           `json:"refuse"`
	When    map[string]any `json:"when"`
	Require map[string]any `json:"require"`
}

// Conformance is how far agents keep to the standard.
type Conformance struct {
	Version string            `json:"version"`
	Teams   []TeamConformance `json:"teams"` // the worst first
}

// TeamConformance is how far the agents of a team keep to the standard.
type TeamConformance struct {
	Team       string           `json:"team"`
	Agents     int              `json:"agents"`
	Conforming int              `json:"conforming"` // without a break, or with all of them waived
	Waived     int              `json:"waived"`     // of those, by a waiver
	Share      float64          `json:"share"`
	Rules      []BrokenStandard `json:"rules"` // that agents break, the most broken first
}

// BrokenStandard is how many agents break a rule.
type BrokenStandard struct {
	Rule   string `json:"rule"`
	Text   string `json:"text"`
	Agents int    `json:"agents"`
}

// Waiver lets an agent break a rule of the standard until a date.
type Waiver struct {
	Agent  string    `json:"agent"`
	Rule   string    `json:"rule"`
	Till   time.Time `json:"till"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// AgentSummary answers whether an agent may go on.
type AgentSummary struct {
	Agent      Agent            `json:"agent"`
	Verdict    string           `json:"verdict"` // good, warn, bad
	Text       string           `json:"text"`    // the answer in words
	MayDo      []Entitlement    `json:"may_do"`  // policies that can be about it; nil when unknown
	Version    *AgentVersion    `json:"version"` // as last observed; nil unknown
	LastChange *AgentEvent      `json:"last_change"`
	Inventory  []InventoryCount `json:"inventory"` // of the last 7 days
	Unknown    int              `json:"unknown_parts"`
	Known      []string         `json:"known_as"`   // names under which its telemetry comes
	LiveCalls  *int             `json:"live_calls"` // at the door now; nil without a door
	LiveRuns   *int64           `json:"live_runs"`
	Day        *AgentDay        `json:"day"` // the last 24 hours; nil when the store does not answer
}

// Entitlement is a policy that can be about an agent, in words.
type Entitlement struct {
	Policy     string   `json:"policy"`
	Team       string   `json:"team,omitempty"`
	Guardrail  bool     `json:"guardrail"`
	Mode       string   `json:"mode"`
	Statements []string `json:"statements"`
}

// InventoryCount counts the parts of a kind.
type InventoryCount struct {
	Kind    string `json:"kind"`
	Parts   int    `json:"parts"`
	Unknown int    `json:"unknown"`
}

// AgentDay is what an agent did in 24 hours.
type AgentDay struct {
	Runs      int64            `json:"runs"`
	Failed    int64            `json:"failed"`
	Cost      *float64         `json:"cost"` // USD; nil unknown
	Tokens    *int64           `json:"tokens"`
	Decisions map[string]int64 `json:"decisions"` // by verdict, with would_deny and would_hold of observe; nil: not counted here
}
