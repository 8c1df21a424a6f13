package client

import (
	"encoding/json"
	"time"
)

// ListRunsRequest filters runs. From and To take RFC 3339 or a distance from
// now (-24h). Sort is started, duration, cost, steps, errors, tokens or
// updated, newest or largest first; with "-" before it the other way round.
type ListRunsRequest struct {
	Agent       string `query:"agent"`
	Session     string `query:"session"`
	TraceID     string `query:"trace_id"`
	Outcome     string `query:"outcome"` // several with commas; unknown asks for runs without
	Status      string `query:"status"`  // several with commas
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Query       string `query:"q"` // the search language
	From        string `query:"from"`
	To          string `query:"to"`
	Sort        string `query:"sort"`
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// RunRequest names a run.
type RunRequest struct {
	ID string `path:"id"`
}

// ListStepsRequest asks for the steps of a run by start time. Without Content
// the rows are light: id, parent_id, kind, name, status, start_ns, duration_ms,
// ttft_ms, agent, provider, model, usage and cost where known, counted, error,
// tool's name, finish_reason, message_refs, source and flags.
type ListStepsRequest struct {
	ID      string `path:"id"`
	Content bool   `query:"content"` // needs the role reader
	Limit   int    `query:"limit" max:"50000"`
	Cursor  string `query:"cursor"`
}

// StepRequest names a step of a run.
type StepRequest struct {
	ID   string `path:"id"`
	Step string `path:"step"`
}

// ListMessagesRequest asks for the distinct messages of a run. Ordinals is a
// list with ranges, "0-31,33"; empty means all.
type ListMessagesRequest struct {
	ID       string `path:"id"`
	Ordinals string `query:"ordinals"`
	Raw      bool   `query:"raw"` // also as the sender wrote it
	Limit    int    `query:"limit" max:"10000"`
	Cursor   string `query:"cursor"`
}

// ListRunLogsRequest asks for the log records of a run, newest first.
type ListRunLogsRequest struct {
	ID          string `path:"id"`
	MinSeverity int    `query:"min_severity"`
	Query       string `query:"q"`      // a phrase in the body
	Around      bool   `query:"around"` // those of its agent that name no run, from a minute before it to a minute after it, instead
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// ListLogsRequest asks for log records, newest first.
type ListLogsRequest struct {
	Agent       string `query:"agent"`
	From        string `query:"from"`
	To          string `query:"to"`
	MinSeverity int    `query:"min_severity"`
	Query       string `query:"q"`     // a phrase in the body
	Loose       bool   `query:"loose"` // only those that belong to no run
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// RunMetricsRequest asks for the metric points around a run: of its agent,
// from a minute before its start to a minute after its end.
type RunMetricsRequest struct {
	ID     string `path:"id"`
	Name   string `query:"name"`
	Limit  int    `query:"limit" max:"10000"`
	Cursor string `query:"cursor"`
}

// ListMetricPointsRequest asks for metric points, newest first.
type ListMetricPointsRequest struct {
	Name   string `query:"name"`
	Agent  string `query:"agent"`
	From   string `query:"from"`
	To     string `query:"to"`
	Limit  int    `query:"limit" max:"10000"`
	Cursor string `query:"cursor"`
}

// ListSessionsRequest asks for sessions, the last active first.
type ListSessionsRequest struct {
	Agent       string `query:"agent"`
	User        string `query:"user"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Query       string `query:"q"` // the search language, over the sessions' runs
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"200"`
	Cursor      string `query:"cursor"`
}

// SearchField is a field that a search can compare.
type SearchField struct {
	Name      string   `json:"name"` // a dynamic field's name ends in a dot: attr.
	Aliases   []string `json:"aliases,omitempty"`
	Scope     string   `json:"scope"` // run, step, message, log
	Type      string   `json:"type"`  // text, enum, number, duration, money, time, bool, list, dynamic
	Unit      string   `json:"unit,omitempty"`
	Operators []string `json:"operators"`
	Values    []string `json:"values,omitempty"` // known values
	Help      string   `json:"help"`
}

// SearchFields are the fields, and the limits of a search.
type SearchFields struct {
	Items     []SearchField `json:"items"`
	MaxLength int           `json:"max_length"`
	MaxDepth  int           `json:"max_depth"`
}

// SearchFieldsRequest asks for the fields of one scope, or of all.
type SearchFieldsRequest struct {
	Scope string `query:"scope"`
}

// CompleteSearchRequest asks how a search could go on at a cursor.
type CompleteSearchRequest struct {
	Text   string `query:"text"`
	Cursor int    `query:"at"` // byte offset; 0 and a text means its end
}

// SearchSuggestion replaces the bytes from From to To of the text.
type SearchSuggestion struct {
	Text string `json:"text"`
	Kind string `json:"kind"` // field, value, function, word
	Help string `json:"help,omitempty"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// OverviewRequest asks for the overview of a period; the default is the last
// 24 hours against the 24 before.
type OverviewRequest struct {
	From        string `query:"from"`
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Bucket      string `query:"bucket"` // 15m, 1h; empty chooses by the period
}

// OverviewBrokenRequest asks for the background of the overview's incidents.
type OverviewBrokenRequest struct {
	Environment string `query:"environment"`
	Team        string `query:"team"`
}

// OverviewBroken is the background of the worst incidents that need a person.
type OverviewBroken struct {
	Items []BrokenIncident `json:"items"`
	More  int              `json:"more"` // incidents that need a person and are not looked at
}

// BrokenIncident is what was changed before an incident, and what it costs.
type BrokenIncident struct {
	ID        string   `json:"id"`
	Number    int64    `json:"number"`
	Title     string   `json:"title"`
	Change    *Change  `json:"change"`               // the newest of what it is about, before it opened; null: none, or unknown
	ChangeWhy string   `json:"change_why,omitempty"` // why there is none
	Runs      *int64   `json:"runs"`                 // in its reach since it began; null unknown
	Unpriced  int64    `json:"unpriced"`             // of them, those with a call without a price
	Cost      *float64 `json:"cost"`                 // of these runs; null unknown
	CostWhy   string   `json:"cost_why,omitempty"`   // why it is unknown
	Q         string   `json:"q,omitempty"`          // the search for the runs
	From      string   `json:"from,omitempty"`
}

// Figure is a number that opens: what it is, from how many, how sure, and the
// search that lists the runs behind it. Value is nil when unknown.
type Figure struct {
	ID       string   `json:"id"`
	Label    string   `json:"label"`
	Value    *float64 `json:"value"`
	Unit     string   `json:"unit,omitempty"` // runs, share, ms, usd, tokens, agents
	N        int64    `json:"n"`              // sample size
	Low      *float64 `json:"low,omitempty"`  // 95 % Wilson interval of a share
	High     *float64 `json:"high,omitempty"`
	Previous *float64 `json:"previous,omitempty"` // the same over the period before
	Unknown  int64    `json:"unknown,omitempty"`  // how many of N could not be counted
	Formula  string   `json:"formula"`
	Query    string   `json:"query,omitempty"` // opens the runs behind it
}

// OverviewWaiting is a band of rows that wait for a person or hold now.
// Sources names the parts of Reeve that report into it; without any it is
// unknown, not empty, whether something waits.
type OverviewWaiting struct {
	Items   []OverviewRow `json:"items"`
	Sources []string      `json:"sources"`
}

// OverviewRow is one thing that needs a person or is in force.
type OverviewRow struct {
	ID    string     `json:"id"`
	Kind  string     `json:"kind"`
	Text  string     `json:"text"`
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"`
	Owner string     `json:"owner,omitempty"`
	Path  string     `json:"path,omitempty"` // where it opens in the console
}

// OutcomePoint counts the runs that started in one bucket by outcome. Unknown
// holds runs that ended without saying an outcome, Running those not over.
type OutcomePoint struct {
	At        time.Time `json:"at"`
	Resolved  int64     `json:"resolved"` // verified and assumed
	Verified  int64     `json:"verified"` // of them, those that a downstream system, the user or a person confirmed
	Contained int64     `json:"contained"`
	Deflected int64     `json:"deflected"`
	Escalated int64     `json:"escalated"`
	Abandoned int64     `json:"abandoned"`
	Failed    int64     `json:"failed"`
	Unknown   int64     `json:"unknown"`
	Running   int64     `json:"running"`
	Total     int64     `json:"total"`
}

// OverviewOutcomes are the outcomes over time, and the totals of the period
// before in buckets of the same length.
type OverviewOutcomes struct {
	BucketMS int64          `json:"bucket_ms"`
	Points   []OutcomePoint `json:"points"`
	Previous []int64        `json:"previous"` // total runs a bucket, one period earlier
}

// ChartPoint is a value at a time; nil where unknown.
type ChartPoint struct {
	At    time.Time `json:"at"`
	Value *float64  `json:"value"`
	N     int64     `json:"n"`
}

// OverviewChart is a small chart. A chart whose measure nothing reports yet
// has no points and says why in Missing.
type OverviewChart struct {
	ID      string                  `json:"id"`
	Title   string                  `json:"title"`
	Unit    string                  `json:"unit"`
	Series  map[string][]ChartPoint `json:"series"`
	Missing string                  `json:"missing,omitempty"`
}

// Mark is one of an agent's five marks: objective, behaviour, data, identity,
// cost. State is good, warn, bad or unknown.
type Mark struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Path   string `json:"path,omitempty"` // the page of the console that shows why
}

// AgentMarks is how an agent stands.
type AgentMarks struct {
	Agent  string `json:"agent"`
	Team   string `json:"team"`
	State  string `json:"state"` // the worst mark that is known
	Reason string `json:"reason,omitempty"`
	Path   string `json:"path,omitempty"`
	Marks  []Mark `json:"marks"`
}

// ListAgentMarksRequest asks how agents stand, by what they did in a period.
type ListAgentMarksRequest struct {
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	From        string `query:"from"`
	To          string `query:"to"`
}

// FleetAgent is an agent's row in the overview. Success is the share of its
// ended runs that did not fail; Resolved of those with an outcome.
type FleetAgent struct {
	Agent    string   `json:"agent"`
	Team     string   `json:"team"`
	State    string   `json:"state"` // good, warn, bad, unknown: the worst mark
	Reason   string   `json:"reason,omitempty"`
	Path     string   `json:"path,omitempty"` // of the worst mark
	Marks    []Mark   `json:"marks"`
	Runs     int64    `json:"runs"`
	Running  int64    `json:"running"`
	Failed   int64    `json:"failed"`
	Success  Figure   `json:"success"`
	Resolved Figure   `json:"resolved"`
	P95MS    *float64 `json:"p95_ms"`
	Cost     *float64 `json:"cost"`
	Coverage *float64 `json:"coverage"` // share of runs whose root was seen and whose usage and cost are known
	// LastRun is when the latest of these runs started; null without one.
	LastRun *time.Time `json:"last_run"`
}

// FleetTeam is a team's agents, the worst first.
type FleetTeam struct {
	Team   string       `json:"team"` // "": no team
	State  string       `json:"state"`
	Agents []FleetAgent `json:"agents"`
	// More sums up the agents of the team that are not listed: the overview has
	// a limit of rows, and shows those first that are worth a look.
	More *FleetRest `json:"more,omitempty"`
}

// FleetRest is what a number of agents have in common in a list that leaves
// them out.
type FleetRest struct {
	Agents int64 `json:"agents"`
	Runs   int64 `json:"runs"`
	Failed int64 `json:"failed"`
}

// Deviation is a model, tool or provider that differs from the period before
// by more than chance explains.
type Deviation struct {
	Kind      string   `json:"kind"` // model, tool
	Name      string   `json:"name"`
	Measure   string   `json:"measure"` // error_share, p95_ms
	Value     *float64 `json:"value"`
	N         int64    `json:"n"`
	Previous  *float64 `json:"previous"`
	PreviousN int64    `json:"previous_n"`
	Low       *float64 `json:"low,omitempty"` // 99 % interval of the difference of shares
	High      *float64 `json:"high,omitempty"`
	Worse     bool     `json:"worse"`
	Text      string   `json:"text"`
	Query     string   `json:"query"`
}

// Seen says whether Reeve sees anything at all: quiet (nothing happens) is not
// blind (nothing arrives).
type Seen struct {
	State           string     `json:"state"` // live, quiet, blind, never
	Text            string     `json:"text"`
	LastTelemetryAt *time.Time `json:"last_telemetry_at"`
	AgeMS           *int64     `json:"age_ms"`
	Running         int64      `json:"running"`
}

// Overview answers: are the agents helping, what needs a person?
type Overview struct {
	From         time.Time        `json:"from"`
	To           time.Time        `json:"to"`
	PreviousFrom time.Time        `json:"previous_from"`
	PreviousTo   time.Time        `json:"previous_to"`
	Environment  string           `json:"environment,omitempty"`
	Team         string           `json:"team,omitempty"`
	Text         string           `json:"text"` // the sentence, filled in
	Figures      []Figure         `json:"figures"`
	Seen         Seen             `json:"seen"`
	NeedsPerson  OverviewWaiting  `json:"needs_a_person"`
	InForce      OverviewWaiting  `json:"in_force"`
	Outcomes     OverviewOutcomes `json:"outcomes"`
	Charts       []OverviewChart  `json:"charts"`
	Fleet        []FleetTeam      `json:"fleet"`
	Outside      []Deviation      `json:"outside"`
	TookMS       float64          `json:"took_ms"`
}

// HealthPart is one part of Reeve and how it is.
type HealthPart struct {
	Name   string         `json:"name"`   // store, activity log, intake, reader...
	State  string         `json:"state"`  // ok, degraded, down
	Reason string         `json:"reason"` // in words: what is wrong, or how much there is
	Facts  map[string]any `json:"facts,omitempty"`
}

// Health is how Reeve itself is. LastBatchAt is when intake last accepted
// something, LagMS how far the store is behind the log.
type Health struct {
	State       string       `json:"state"`
	Version     string       `json:"version,omitempty"`
	StartedAt   *time.Time   `json:"started_at,omitempty"`
	Dev         bool         `json:"dev"`
	LastBatchAt *time.Time   `json:"last_batch_at"`
	LagMS       *int64       `json:"lag_ms"`
	StoreBytes  *int64       `json:"store_bytes"`
	Parts       []HealthPart `json:"parts"`
	Addresses   Addresses    `json:"addresses"`
}

// Addresses are the URLs at which a server listens, as it knows them itself;
// "" is a listener that is off. A host of "" (http://:4317) is any address.
type Addresses struct {
	Console  string `json:"console,omitempty"`
	Door     string `json:"door,omitempty"`
	OTLPHTTP string `json:"otlp_http,omitempty"`
	OTLPGRPC string `json:"otlp_grpc,omitempty"`
}

// Notice is something that everybody signed in should know, with buttons.
type Notice struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Text    string         `json:"text,omitempty"`
	Actions []NoticeAction `json:"actions,omitempty"`
	Links   []NoticeLink   `json:"links,omitempty"`
}

// NoticeAction is a button: what it calls.
type NoticeAction struct {
	Label  string          `json:"label"`
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// NoticeLink leads somewhere in the console.
type NoticeLink struct {
	Label  string `json:"label"`
	Path   string `json:"path"`
	Beside bool   `json:"beside,omitempty"` // a page of this server that is not the console's
}

// Event is one line of GET /events. Its position is the SSE id.
type Event struct {
	ID   string          `json:"-"`    // position, for Last-Event-ID
	Type string          `json:"type"` // run.updated, health.changed, reset...
	Data json.RawMessage `json:"data,omitempty"`
}

// RunUpdated is the data of the event run.updated.
type RunUpdated struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Agent       string `json:"agent,omitempty"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	Session     string `json:"session,omitempty"`
	Revision    uint32 `json:"revision,omitempty"`
	Steps       int64  `json:"steps,omitempty"`
}

// Grant is a role for a team and an environment; "*" means all.
type Grant struct {
	Role        string `json:"role"` // viewer, reader, developer, approver, responder, security, auditor, admin
	Team        string `json:"team"`
	Environment string `json:"environment"`
}

// Me is who asks. Kind is person, token or dev.
type Me struct {
	Kind        string     `json:"kind"`
	Person      *Person    `json:"person"` // nil for dev
	Grants      []Grant    `json:"grants"`
	TokenID     string     `json:"token_id,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	Operations  []string   `json:"operations"` // the operations that the roles allow somewhere
	Dev         bool       `json:"dev"`
	SetupNeeded bool       `json:"setup_needed"` // no account exists yet
	HasFactor   bool       `json:"has_factor"`   // the person has a second factor
	FreshUntil  *time.Time `json:"fresh_until"`  // until when it counts for dangerous acts; nil: it does not now
}

// Person is somebody who signs in.
type Person struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"` // what one signs in with
	FullName  string    `json:"full_name,omitempty"`
	Email     string    `json:"email,omitempty"`
	Disabled  bool      `json:"disabled"`
	Teams     []string  `json:"teams"`
	Grants    []Grant   `json:"grants"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
	Waits     string    `json:"waits,omitempty"` // the proposal by which its roles wait for a second person
}

// PageRequest asks for a page of a list.
type PageRequest struct {
	Limit  int    `query:"limit" max:"1000"`
	Cursor string `query:"cursor"`
}

// EverybodyRequest asks for one's own things or, as an admin, everybody's.
type EverybodyRequest struct {
	Everybody bool `query:"everybody"`
}

// Setup tells the sign-in page what to offer.
type Setup struct {
	Needed    bool             `json:"needed"`    // no account exists: make the first with the admin token
	Dev       bool             `json:"dev"`       // nobody has to sign in
	Providers []ProviderButton `json:"providers"` // to sign in with, beside a password
}

// IDRequest names an object.
type IDRequest struct {
	ID string `path:"id"`
}

// CreatePersonRequest makes an account. With the admin token as credential it
// makes the first one, with every role everywhere, and the token dies.
type CreatePersonRequest struct {
	Name     string   `json:"name"`
	FullName string   `json:"full_name,omitempty"`
	Email    string   `json:"email,omitempty"`
	Password string   `json:"password"`
	Teams    []string `json:"teams,omitempty"`
	Grants   []Grant  `json:"grants,omitempty"`
}

// UpdatePersonRequest changes an account; a nil field stays. Version is the
// one that was read: another gives a conflict.
type UpdatePersonRequest struct {
	ID       string    `path:"id" json:"-"`
	Version  int64     `json:"version"`
	FullName *string   `json:"full_name,omitempty"`
	Email    *string   `json:"email,omitempty"`
	Password *string   `json:"password,omitempty"`
	Disabled *bool     `json:"disabled,omitempty"`
	Teams    *[]string `json:"teams,omitempty"`
	Grants   *[]Grant  `json:"grants,omitempty"`
}

// Team owns agents; people belong to it.
type Team struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Channel   string    `json:"channel,omitempty"`
	People    []string  `json:"people"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

// CreateTeamRequest makes a team.
type CreateTeamRequest struct {
	Name    string `json:"name"`
	Channel string `json:"channel,omitempty"`
}

// SignInRequest is a name and a password.
type SignInRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Code     string `json:"code,omitempty"` // of the second factor, where the account has one
}

// SignedIn is a new session. Secret goes into the header
// X-Reeve-Session-Secret of every request beside the cookie, and is shown once.
type SignedIn struct {
	ID        string    `json:"id"`
	Secret    string    `json:"secret"`
	Person    Person    `json:"person"`
	ExpiresAt time.Time `json:"expires_at"`
}

// SignIn is a session of a person, as the list shows it.
type SignIn struct {
	ID        string    `json:"id"`
	PersonID  string    `json:"person_id"`
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used"`
	ExpiresAt time.Time `json:"expires_at"`
	Agent     string    `json:"agent,omitempty"` // the browser
	Address   string    `json:"address,omitempty"`
	Current   bool      `json:"current"`
}

// Token is a personal or service token, without its secret.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"` // personal, service
	Owner     string     `json:"owner"`
	Grants    []Grant    `json:"grants"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used"`
	Revoked   bool       `json:"revoked"`
}

// CreateTokenRequest makes a token. Its grants are at most those of its maker;
// none means all of the maker's. ExpiresIn is a duration such as 30d.
type CreateTokenRequest struct {
	Name      string  `json:"name"`
	Kind      string  `json:"kind,omitempty"`
	Grants    []Grant `json:"grants,omitempty"`
	ExpiresIn string  `json:"expires_in,omitempty"`
}

// NewToken is a token with its secret, which is shown once.
type NewToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret"`
}

// IntakeKey lets a sender write telemetry for a team and an environment, and
// nothing else.
type IntakeKey struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	Team           string     `json:"team"`
	Environment    string     `json:"environment"`
	SpansPerSecond int64      `json:"spans_per_second,omitempty"` // quota; 0: none of its own
	BytesPerSecond int64      `json:"bytes_per_second,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	LastUsed       *time.Time `json:"last_used"`
	Revoked        bool       `json:"revoked"`
}

// CreateIntakeKeyRequest makes an intake key.
type CreateIntakeKeyRequest struct {
	Name           string `json:"name"`
	Team           string `json:"team"`
	Environment    string `json:"environment"`
	SpansPerSecond int64  `json:"spans_per_second,omitempty"`
	BytesPerSecond int64  `json:"bytes_per_second,omitempty"`
	ExpiresIn      string `json:"expires_in,omitempty"`
}

// NewIntakeKey is an intake key with its secret, which is shown once.
type NewIntakeKey struct {
	Key    IntakeKey `json:"key"`
	Secret string    `json:"secret"`
}

// AuditRecord is one administrative change or decision. Record is the line of
// the log as it was hashed; Before and After are absent where nothing was there
// or once erased.
type AuditRecord struct {
	Seq    int64           `json:"seq"`
	At     time.Time       `json:"at"`
	Kind   string          `json:"kind"`
	Who    string          `json:"who,omitempty"`
	Record json.RawMessage `json:"record"`
	Leaf   string          `json:"leaf"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// ListAuditRequest asks for the audit log, newest first.
type ListAuditRequest struct {
	Kind   string `query:"kind"`
	Who    string `query:"who"`
	From   string `query:"from"`
	To     string `query:"to"`
	Limit  int    `query:"limit" max:"1000"`
	Cursor string `query:"cursor"`
}

// EventsRequest follows what changes. After is the position to resume from;
// the header Last-Event-ID says the same. Types limits to some, with commas.
type EventsRequest struct {
	After string `query:"after"`
	Types string `query:"types"`
	Run   string `query:"run"`
}

// Operation is one line of the table of operations.
type Operation struct {
	Name    string `json:"name"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Role    string `json:"role"` // public, signed_in or a role
	Summary string `json:"summary"`
}
