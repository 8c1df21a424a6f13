// Package client is Reeve's only public Go package: the JSON shapes of the API
// and a typed client for it.
//
// What for: the server's handlers and this client share these types, so they
// cannot differ; other programs import them.
//
// Who calls it: api (as request and response types), cli, demo, bench, users.
//
// Promises: fields are only added; unknown is null (a nil pointer), never 0;
// times are RFC 3339 UTC; a Client is safe for concurrent use.
//
// How it fails: calls return *Problem for an answer that says no, and the
// transport's error otherwise.
//
// Start reading at Client and Run.
package client

import "time"

// Usage counts tokens. nil is unknown, which is not zero.
type Usage struct {
	InputTotal      *int64 `json:"input_total"`
	InputCacheRead  *int64 `json:"input_cache_read"`
	InputCacheWrite *int64 `json:"input_cache_write"`
	OutputTotal     *int64 `json:"output_total"`
	OutputReasoning *int64 `json:"output_reasoning"`
}

// Cost is money; Amount is nil when unknown. Basis is provider, rate_card,
// imported, book or unknown; Price names the price used.
type Cost struct {
	Amount   *float64 `json:"amount"`
	Currency string   `json:"currency,omitempty"`
	Basis    string   `json:"basis"`
	Price    string   `json:"price,omitempty"`
}

// Coverage says how much of a run could be seen.
type Coverage struct {
	ModelCalls        int64    `json:"model_calls"`
	UnknownUsageCalls int64    `json:"unknown_usage_calls"`
	UnknownCostCalls  int64    `json:"unknown_cost_calls"`
	RootSeen          bool     `json:"root_seen"`
	Flags             []string `json:"flags,omitempty"`
}

// Run is one execution of a task by an agent.
type Run struct {
	ID          string            `json:"id"`
	TraceIDs    []string          `json:"trace_ids"`
	Name        string            `json:"name"`
	Agent       string            `json:"agent"`
	AgentState  string            `json:"agent_state,omitempty"`      // registered, unknown, doubtful, blocked; "" when nobody observes
	Registered  string            `json:"registered_agent,omitempty"` // the agent that it is in the register
	Version     string            `json:"version,omitempty"`
	Task        string            `json:"task,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Team        string            `json:"team,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Session     string            `json:"session,omitempty"`
	User        string            `json:"user,omitempty"`
	Mode        string            `json:"mode,omitempty"`
	Status      string            `json:"status"`  // running, waiting, done, stale
	Outcome     *string           `json:"outcome"` // nil: unknown
	StartedAt   time.Time         `json:"started_at"`
	EndedAt     *time.Time        `json:"ended_at"`
	DurationMS  *float64          `json:"duration_ms"`
	StepCount   int64             `json:"step_count"`
	ErrorCount  int64             `json:"error_count"`
	ModelCalls  int64             `json:"model_calls"`
	ToolCalls   int64             `json:"tool_calls"`
	LogCount    int64             `json:"log_count"`
	Failed      bool              `json:"failed"` // the root step ended in error
	ErrorType   string            `json:"error_type,omitempty"`
	Usage       Usage             `json:"usage"`
	Cost        Cost              `json:"cost"`
	Models      []string          `json:"models"`
	Tools       []string          `json:"tools"`
	Sources     []string          `json:"sources"`
	Agents      []string          `json:"agents"`
	Dialects    []string          `json:"dialects"`
	Coverage    Coverage          `json:"coverage"`
	Revision    uint32            `json:"revision"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Joined      bool              `json:"joined,omitempty"` // it only repeats calls of a linked run, which counts them; lists leave it out
	Linked      []LinkedRun       `json:"linked,omitempty"` // one run read alone: where its links lead
}

// LinkedRun is a run that another's steps link to.
type LinkedRun struct {
	RunID  string `json:"run_id"`
	Kind   string `json:"kind"` // span: a step links there; linked_by: a step there links here; same_call: one model call, told by the door and by an SDK
	Name   string `json:"name,omitempty"`
	Agent  string `json:"agent,omitempty"`
	Status string `json:"status,omitempty"` // "" when it is not there, or not for the caller to see
	Joined bool   `json:"joined,omitempty"` // its calls count in this run, not there
	Usage  *Usage `json:"usage,omitempty"`
	Cost   *Cost  `json:"cost,omitempty"`
}

// StepError is how a step failed.
type StepError struct {
	Type    string `json:"type,omitempty"`
	Message string `json:"message,omitempty"`
}

// ToolCall is what a tool step called. Arguments and Result are nil without
// the permission to read content or when not recorded.
type ToolCall struct {
	Name      string  `json:"name"`
	CallID    string  `json:"call_id,omitempty"`
	Arguments *string `json:"arguments"`
	Result    *string `json:"result"`
}

// Part is a piece of a message: text, reasoning, tool_call, tool_result, media,
// tool (a definition), document, json.
type Part struct {
	Type      string `json:"type"`
	Text      string `json:"text,omitempty"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments,omitempty"` // JSON text
	MimeType  string `json:"mime_type,omitempty"`
	URI       string `json:"uri,omitempty"`
	Data      string `json:"data,omitempty"` // JSON text of anything else
}

// Message is what was said. Ordinal is its place among the run's distinct
// messages: the same message resent has the same ordinal.
type Message struct {
	Ordinal      int32  `json:"ordinal"`
	Field        string `json:"field"` // input, output, system, tools, arguments, result, documents, query
	Role         string `json:"role,omitempty"`
	Name         string `json:"name,omitempty"` // of the participant
	Parts        []Part `json:"parts"`
	FinishReason string `json:"finish_reason,omitempty"`
	Format       string `json:"format,omitempty"`
	Raw          string `json:"raw,omitempty"`
	StepID       string `json:"step_id,omitempty"` // where it first appeared
	Size         int32  `json:"size,omitempty"`
}

// Step is one unit in a run. A page of steps without content leaves out what
// is marked optional (see ListStepsRequest).
type Step struct {
	ID             string            `json:"id"`
	RunID          string            `json:"run_id" openapi:"optional"`
	ParentID       *string           `json:"parent_id"`
	TraceID        string            `json:"trace_id,omitempty"`
	SpanID         string            `json:"span_id,omitempty"`
	Revision       uint32            `json:"revision" openapi:"optional"`
	Source         string            `json:"source" openapi:"optional"`
	Agent          string            `json:"agent,omitempty"`
	Version        string            `json:"version,omitempty"`
	Kind           string            `json:"kind"`
	Name           string            `json:"name"`
	Status         string            `json:"status"` // ok, error, running
	Error          *StepError        `json:"error"`
	StartedAt      time.Time         `json:"started_at" openapi:"optional"`
	StartNS        int64             `json:"start_ns,string"`
	DurationMS     *float64          `json:"duration_ms"` // nil while running
	TTFTMS         *float64          `json:"ttft_ms,omitempty"`
	Provider       string            `json:"provider,omitempty"`
	Model          string            `json:"model,omitempty"`
	ModelRequested string            `json:"model_requested,omitempty"`
	ResponseID     string            `json:"response_id,omitempty"`
	FinishReason   string            `json:"finish_reason,omitempty"`
	Usage          Usage             `json:"usage" openapi:"optional"`
	Cost           Cost              `json:"cost" openapi:"optional"`
	Counted        bool              `json:"counted"` // usage and cost count in the run
	Tool           *ToolCall         `json:"tool,omitempty"`
	Input          []Message         `json:"input,omitempty"`
	Output         []Message         `json:"output,omitempty"`
	System         []Message         `json:"system,omitempty"`
	ToolsOffered   []Message         `json:"tools_offered,omitempty"`
	Documents      []Message         `json:"documents,omitempty"`
	MessageRefs    map[string]string `json:"message_refs,omitempty"` // field -> ordinals "0-31,33"
	Session        string            `json:"session,omitempty"`
	User           string            `json:"user,omitempty"`
	Service        string            `json:"service,omitempty"`
	DecisionID     string            `json:"decision_id,omitempty"`
	Flags          []string          `json:"flags,omitempty"`
	Dialect        string            `json:"dialect,omitempty"`
	Scope          string            `json:"scope,omitempty"`
	MapVersion     int32             `json:"map_version,omitempty"`
	Links          []string          `json:"links,omitempty"`  // runs
	Linked         []LinkedStep      `json:"linked,omitempty"` // the same with steps, and why
	Attributes     map[string]any    `json:"attributes,omitempty"`
	Resource       map[string]any    `json:"resource,omitempty"`
	Events         []StepEvent       `json:"events,omitempty"`
}

// LinkedStep is a step of another run, or of this one.
type LinkedStep struct {
	RunID  string `json:"run_id"`
	StepID string `json:"step_id,omitempty"`
	Kind   string `json:"kind"` // as of LinkedRun
}

// StepEvent is a span event.
type StepEvent struct {
	At         time.Time      `json:"at"`
	Name       string         `json:"name"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// Log is a log record.
type Log struct {
	At          time.Time      `json:"at"`
	RunID       string         `json:"run_id,omitempty"`
	StepID      string         `json:"step_id,omitempty"`
	TraceID     string         `json:"trace_id,omitempty"`
	Severity    int32          `json:"severity"`
	EventName   string         `json:"event_name,omitempty"`
	Body        string         `json:"body"`
	Agent       string         `json:"agent,omitempty"`
	Service     string         `json:"service,omitempty"`
	Scope       string         `json:"scope,omitempty"`
	Team        string         `json:"team,omitempty"` // of the key it was sent with; none of records stored before that was kept
	Environment string         `json:"environment,omitempty"`
	Withheld    bool           `json:"withheld,omitempty"` // body and attributes need the role reader
	Attributes  map[string]any `json:"attributes,omitempty"`
}

// MetricPoint is one data point of a metric. Value is the sum of a histogram.
type MetricPoint struct {
	At          time.Time      `json:"at"`
	Name        string         `json:"name"`
	Unit        string         `json:"unit,omitempty"`
	Type        string         `json:"type"`
	Value       float64        `json:"value"`
	Count       *int64         `json:"count,omitempty"`
	Agent       string         `json:"agent,omitempty"`
	Service     string         `json:"service,omitempty"`
	Team        string         `json:"team,omitempty"` // of the key it was sent with
	Environment string         `json:"environment,omitempty"`
	Attributes  map[string]any `json:"attributes,omitempty"`
}

// Session is runs that belong together for the user.
type Session struct {
	ID         string    `json:"id"`
	Agents     []string  `json:"agents"`
	User       string    `json:"user,omitempty"`
	Runs       int64     `json:"runs"`
	ErrorRuns  int64     `json:"error_runs"`
	StartedAt  time.Time `json:"started_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	Usage      Usage     `json:"usage"`
	Cost       Cost      `json:"cost"`
	LastStatus string    `json:"last_status"`
	Running    int64     `json:"running"`
	Partial    bool      `json:"partial,omitempty"` // more runs than were counted
}

// List is a page: Items and an opaque Next, "" on the last page.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Measure is one figure of a query: "p95(duration_ms)".
type Measure struct {
	Func  string `json:"func" enum:"count,sum,avg,min,max,p50,p90,p95,p99,distinct,rate"`
	Field string `json:"field,omitempty" example:"duration_ms"`
	As    string `json:"as,omitempty"`
}

// Query is the body of POST /api/v1/query.
type Query struct {
	From    string    `json:"from" enum:"runs,steps,decisions,messages,logs"`
	Select  []Measure `json:"select,omitempty"`                                         // none: count
	Where   string    `json:"where,omitempty" example:"agent:refund-agent failed:true"` // the search language
	GroupBy []string  `json:"group_by,omitempty" example:"agent,outcome"`
	Bucket  string    `json:"bucket,omitempty" example:"1h"`
	Start   string    `json:"start,omitempty" example:"-24h"` // RFC 3339 or relative: "-24h"
	End     string    `json:"end,omitempty"`
	OrderBy string    `json:"order_by,omitempty"`
	Limit   int       `json:"limit,omitempty"`
}

// QueryColumn describes a column of a QueryResult.
type QueryColumn struct {
	Name string `json:"name"`
	Unit string `json:"unit,omitempty"`
	Kind string `json:"kind"` // dimension, time, measure
}

// QueryResult is a query's answer; a cell is null when unknown.
type QueryResult struct {
	Columns []QueryColumn `json:"columns"`
	Rows    [][]any       `json:"rows"`
	Source  string        `json:"source"`        // rollups or rows
	Cut     bool          `json:"cut,omitempty"` // there are more rows than the limit
	Scanned int64         `json:"scanned"`
	TookMS  float64       `json:"took_ms"`
}

// Problem is an error answer (RFC 9457) with Reeve's code and hint.
type Problem struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
	Hint   string `json:"hint,omitempty"`
}

// Error is the problem's detail with its code.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }
