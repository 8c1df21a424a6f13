// Package api is the HTTP face of Reeve: a table of operations, who may call
// each, and the JSON that goes in and out.
//
// What for: console, command line, client package and other programs read and
// change Reeve through it. Router, access checks, the OpenAPI file, the
// client's methods and the command line's listing all come from the one table
// in table.go.
//
// Who calls it: app builds it from the parts it reads and mounts it at
// /api/v1; app and web put Guard in front of every listener.
//
// Promises: an operation without a permission cannot be registered; a request
// is authenticated and allowed before its body is read; rows outside the
// caller's teams and environments are filtered before they are counted; content
// (messages, arguments, results, log bodies) is sent only to the role reader;
// what is unknown is null, never 0. A Handler is safe for concurrent use.
//
// How it fails: every refusal is a problem document (RFC 9457) with a stable
// code and a hint; causes are logged, never sent; a panic in an operation is a
// logged 500 and the process goes on.
//
// Start reading at New, operation and the table in table.go.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/bus"
	"reeve/internal/canary"
	"reeve/internal/dataset"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/hook"
	"reeve/internal/incident"
	"reeve/internal/invoice"
	"reeve/internal/lesson"
	"reeve/internal/provenance/judged"
	"reeve/internal/remap"
	"reeve/internal/rerate"
	"reeve/internal/steer"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Prefix is where the operations live.
const Prefix = "/api/v1"

// Live is the hot tail: what package run holds in memory and the store may not
// have yet.
type Live interface {
	// Live is a run in memory with the steps and messages not yet stored, which
	// replace the store's of the same id; false when it is not in memory.
	Live(id activity.RunID) (*activity.Run, []activity.Step, []activity.Message, bool)
	// LiveRun is Live for the row alone.
	LiveRun(id activity.RunID) (*activity.Run, bool)
	// LiveRuns lists the runs whose row in memory is newer than the store's and
	// that fulfil the filter; nil means all.
	LiveRuns(filter search.Expr) []activity.Run
}

// Events is the stream that live views follow; *bus.Events is one.
type Events interface {
	Last(ctx context.Context) (uint64, error)
	Read(ctx context.Context, after uint64, handle func(position uint64, at time.Time, ev bus.Event) error) error
}

// Notices supplies what everybody should know; the list may be empty.
type Notices interface {
	Notices(ctx context.Context) ([]client.Notice, error)
}

// Health reports how Reeve itself is.
type Health interface {
	Health(ctx context.Context) (client.Health, error)
}

// Options are the parts the API reads. Store, Identity and Logger are required;
// without the others the operations that need them say
// what is missing, or answer with nothing in memory and no notices.
type Options struct {
	Store    telemetry.Store
	Identity Identity
	Audit    AuditLog
	Live     Live
	Events   Events
	Notices  Notices
	Health   Health
	Logger   *slog.Logger

	Decisions Decisions // what was decided; nil without a door
	Agents    Agents
	Fleet     Fleet
	Stops     Stops
	Steer     *steer.Book  // what people do about live runs; nil without a door
	Lessons   *lesson.Book // what agents are to keep in mind; nil: nothing
	Upstreams Upstreams
	Sources   Sources        // what agents read; nil keeps none
	Alerts    Alerts         // what outside systems say is wrong; nil keeps none
	Changes   Changes        // what was changed; nil keeps none
	Hooks     *hook.Registry // who says so; nil takes nothing
	// MatchLabels finds the agent that labels name; may be nil.
	MatchLabels func(team string, labels map[string]string) (agent, owner, reason string)
	Peers       Peers        // the cards of peers; nil without a door
	Budgets     Budgets      // what may be spent; nil without a door
	Content     ContentRules // what content may hold; nil without a door
	Tools       Tools        // the tools of MCP servers; nil without a door
	Policies    Policies
	Door        Asker
	Points      Points   // decides what does not pass the door; nil without one
	Coverage    Coverage // nil without a door
	Simulations Simulations
	Findings    Findings         // what detectors saw; nil without
	Detectors   DetectorSettings // nil with Findings
	Rules       RuleBook         // nil with Findings
	Canaries    *canary.Book
	Judged      *judged.Book // which steps people named; nil: nobody can
	Watch       Watch        // nil with Findings
	Responses   Responses    // what follows from findings; nil without
	AgentPlace  AgentPlace
	Complaints  Complaints                 // what was said against runs; nil: nobody can say anything
	SIEM        func() []client.SIEMTarget // where records stream to; nil without a door
	Proofs      Proofs                     // of the audit logs; nil without a door
	Invoices    *invoice.Book              // what providers bill; nil keeps none
	Remaps      *remap.Book                // what is mapped again; nil without
	Rerates     *rerate.Book               // what is priced again; nil without
	Pollers     Pollers                    // what is asked for records; nil without
	Relay       Relay                      // where telemetry is forwarded to; nil without
	// Approvals is what waits for people, nil without a door; Rehearser tries
	// edits, nil refuses them; ApprovalPage is where the console shows one.
	Approvals    *approval.Book
	Rehearser    Rehearser
	ApprovalPage func(id string) string

	Compliance Compliance     // what frameworks ask for; the zero value keeps none
	Topics     Topics         // what people ask for; the zero value groups nothing
	Accounts                  // how runs ended, and what figures come of it
	Spending   Spending       // what agents cost
	Incidents  *incident.Book // nil keeps none
	// Feedback is what people said of runs, nil keeps none; FeedbackURL makes the
	// address of a path for people outside and is required with it.
	Feedback    *feedback.Book
	FeedbackURL func(path string) string
	Evaluations *evaluate.Book   // how good runs were; nil evaluates nothing
	Replayer    Replayer         // of recorded model steps; nil: there is none
	Gate        Gate             // what an agent has to show before production; nil: nothing
	Experiments *experiment.Book // what is run on cases; nil runs none
	Datasets    *dataset.Book    // cases from recorded runs; nil keeps none
	OnCall      *OnCall          // nil calls nobody

	// PoliciesAbout may be nil: what an agent may do is then not told. Version is
	// of this program, for documents that name their maker.
	PoliciesAbout PoliciesAbout
	Backups       Backups // nil makes none
	Keeping       Keeping // nil keeps no telemetry
	Version       string
	Credentials   *Credentials // what proves agents; nil without

	Connections Connections // nil: upstreams get no tokens
	// Providers are the ways to sign in beside a password, and what the sign-in
	// page shows of them; may be nil.
	Providers       Providers
	ProviderButtons []client.ProviderButton

	// Dev answers requests without credentials as a developer with every role.
	// The caller must have bound the listener to loopback.
	Dev bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Timeout bounds an operation that is no stream; 0 means 30 s.
	Timeout time.Duration
}

// API is the handler of everything under Prefix.
type API struct {
	measured measuredRuns // see probably.go
	o        Options
	mux      *http.ServeMux
	table    []operation
	replays
	streams streams
	beat    time.Duration // between heartbeats of an event stream
	large   chan struct{} // a slot for each large run being read
}

// New builds the handler and starts nothing. A table that contradicts itself
// (an operation without a permission, a path value without a field) is a bug in
// Reeve and panics.
func New(o Options) *API {
	if o.Store == nil || o.Identity == nil || o.Logger == nil {
		panic("api.New: Store, Identity and Logger are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	a := &API{o: o, mux: http.NewServeMux(), table: table(), streams: streams{by: map[string]int{}}, beat: heartbeat, large: make(chan struct{}, maxLargeReads)}
	a.replays.init()
	for i := range a.table {
		op := &a.table[i]
		op.check()
		a.mux.Handle(op.Method+" "+Prefix+op.Path, a.edge(op))
	}
	a.mux.HandleFunc(Prefix+"/", a.noSuchOperation)
	return a
}

// ServeHTTP answers a request under Prefix.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// noSuchOperation answers what no pattern took: a path that does not exist, or
// a method that it does not take.
func (a *API) noSuchOperation(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := a.mux.Handler(probe); pattern != "" && pattern != Prefix+"/" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		a.problem(w, r, fault.New(fault.KindNotFound, "api.no_such_path", "nothing lives at %s", r.URL.Path).
			WithHint("GET %s/openapi.json lists what does", Prefix))
		return
	}
	for _, m := range allowed {
		w.Header().Add("Allow", m)
	}
	writeProblem(w, http.StatusMethodNotAllowed, fault.New(fault.KindInvalid, "api.method_not_allowed",
		"%s does not take %s", r.URL.Path, r.Method).WithHint("it takes %s", strings.Join(allowed, " and ")))
}

// Operations lists the table, for the command line and for whoever asks what
// there is.
func Operations() []client.Operation {
	var out []client.Operation
	for _, op := range table() {
		out = append(out, client.Operation{
			Name: op.Name, Method: op.Method, Path: Prefix + op.Path, Role: op.Permission.String(), Summary: op.Summary,
		})
	}
	return out
}
