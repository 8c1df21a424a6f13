// Package telemetry is the store of activity: runs, steps, messages, log
// records, metric points and rollups, written once and read by questions.
//
// What for: one interface that the embedded engine (telemetry/duck: Parquet
// segments, DuckDB, an index) and ClickHouse both serve.
//
// Who calls it: package run appends; api reads.
//
// Promises: Append is one atomic step together with the log's cursor, so that
// replaying the log after a crash stores nothing twice; what Append returned
// for is read by every later call; a question never blocks an Append.
//
// How it fails: Append returns an error and changes nothing; a question that
// runs out of time or memory returns a fault of kind exhausted.
//
// Start reading at Store; telemetrytest holds what every engine must do.
package telemetry

import (
	"bytes"
	"cmp"
	"context"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/search"
)

// Store is one engine. Safe for concurrent use.
type Store interface {
	// Cursor is the log position that the last Append of this partition
	// committed; 0 when there is none.
	Cursor(ctx context.Context, partition int) (uint64, error)
	// Append stores a write and moves the partition's cursor, all or nothing.
	// The write's slices belong to the caller again when Append returns.
	Append(ctx context.Context, w *Write) error

	// Run reads a run's row. A missing one is fault.KindNotFound.
	Run(ctx context.Context, id activity.RunID) (*activity.Run, error)
	// HasRun tells quickly whether the run may have rows; false is certain.
	HasRun(id activity.RunID) bool
	// Runs lists run rows, newest start first unless q says otherwise.
	Runs(ctx context.Context, q RunsQuery) (RunsPage, error)
	// Steps reads the newest revision of every step of a run, by start time.
	Steps(ctx context.Context, id activity.RunID) ([]activity.Step, error)
	// StepsPage reads some of the steps of a run, in the order of ByStart, at a
	// cost that goes by what it returns: a run may have 250,000 steps.
	StepsPage(ctx context.Context, id activity.RunID, q StepsQuery) (StepsPage, error)
	// Step reads one step. A missing one is fault.KindNotFound.
	Step(ctx context.Context, run activity.RunID, id activity.StepID) (*activity.Step, error)
	// Messages reads messages of a run by ordinal with their content filled
	// in; no ordinals means all.
	Messages(ctx context.Context, id activity.RunID, ordinals []int32) ([]activity.Message, error)
	// Logs lists log records, newest first.
	Logs(ctx context.Context, q LogsQuery) (LogsPage, error)
	// Metrics lists metric points, newest first.
	Metrics(ctx context.Context, q MetricsQuery) (MetricsPage, error)
	// Decisions lists decisions, newest first.
	Decisions(ctx context.Context, q DecisionsQuery) (DecisionsPage, error)
	// Decision reads one by its id. A missing one is fault.KindNotFound.
	Decision(ctx context.Context, id string) (*activity.Decision, error)
	// Query answers an aggregate question (see Query); from rollups where
	// they can answer it, else from rows.
	Query(ctx context.Context, q Query) (*Result, error)

	// Retain drops what is older than the policy says and what is above its
	// size, oldest partition first, and reports what went.
	Retain(ctx context.Context, p Retention) (Dropped, error)
	// Forget takes runs out, or only their content, and reports what went. A
	// message that runs which stay have too is kept.
	Forget(ctx context.Context, f Forget) (Dropped, error)
	// Stats describes the store for /metrics and the health page.
	Stats(ctx context.Context) (Stats, error)
	// Maintain does the engine's own work (merging) until ctx ends.
	Maintain(ctx context.Context) error
	Close() error
}

// Call is a model call as it is stored: what its price depends on, and its cost.
type Call struct {
	Run                             activity.RunID
	Step                            activity.StepID
	Start                           int64
	Kind                            activity.Kind
	Agent, Team, Environment        string
	Provider, Model, ModelRequested string
	Usage                           activity.Usage
	Cost                            activity.Cost
	Counted                         bool
}

// Write is one append: whole folded steps, run rows and what changed in the
// rollups since the last write.
type Write struct {
	Partition int
	Cursor    uint64 // log position up to which this write holds everything
	Steps     []activity.Step
	Messages  []activity.Message
	Logs      []activity.LogRecord
	Metrics   []activity.MetricPoint
	Runs      []activity.Run
	Decisions []activity.Decision // completed ones; a write of PartitionDecisions
	Rollups   []RollupDelta
	Received  int64 // ns, for the clamp of partitions
}

// RollupDelta is a signed difference to one minute of one family of rollups:
// (agent), (agent, model) or (agent, tool). Model and Tool are "" where the
// family has none.
type RollupDelta struct {
	Minute      int64 // minutes since 1970 UTC
	Family      Family
	Agent       string
	Team        string
	Environment string
	Key         string // model or tool
	Runs        int64  // runs started (family agent)
	Count       int64  // steps (agent), calls (model, tool)
	Errors      int64
	InputTotal  int64
	OutputTotal int64
	CacheRead   int64
	Unknown     int64 // model calls without usage
	CostNanos   int64
	CostUnknown int64 // model calls without a price
	Latency     []Bucket
}

// Family is a family of rollups.
type Family uint8

// The families.
const (
	FamilyAgent Family = iota
	FamilyModel
	FamilyTool
)

// Bucket is a signed count in one bucket of the latency sketch; Sketch in
// sketch.go tells its bounds.
type Bucket struct {
	Index int16
	Count int64
}

// StepsQuery asks for steps of one run.
type StepsQuery struct {
	After StepPlace // only steps behind it; zero: from the first
	Limit int       // 0: all
	// Light leaves out what a list of steps does not show: attributes,
	// resource, events, tags, labels, links and everything about the sender.
	Light bool
}

// StepPlace is a step's place in the order of a run's steps.
type StepPlace struct {
	Start int64
	Step  activity.StepID
}

// ByStart orders the steps of a run: by start, then by id.
func ByStart(a, b activity.Step) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), bytes.Compare(a.Step[:], b.Step[:]))
}

// StepsPage is a page of steps; More tells that others follow.
type StepsPage struct {
	Steps []activity.Step
	More  bool
}

// RunsQuery asks for run rows.
type RunsQuery struct {
	Filter   search.Expr // nil: all
	From, To time.Time   // by start; zero: open
	Teams    []string    // nil: every team; else only these (access)
	Content  bool        // the asker may read content: a phrase is looked for in it
	Sort     string      // "started" (default), "duration", "cost", "steps", "errors", "tokens", "updated"; "-" before it for ascending
	Limit    int
	Cursor   string
}

// RunsPage is a page of run rows; Next is "" on the last.
type RunsPage struct {
	Runs []activity.Run
	Next string
}

// Place is a team and an environment; Anywhere is any of them. What was sent without
// a key, or stored before it was known, has none.
type Place struct{ Team, Environment string }

// Anywhere stands for any team, or any environment, in a Place.
const Anywhere = "*"

// Holds reports whether something of a team and an environment is at p.
func (p Place) Holds(team, environment string) bool {
	return (p.Team == Anywhere || p.Team == team) && (p.Environment == Anywhere || p.Environment == environment)
}

// LogsQuery asks for log records. Text is a phrase in the body.
type LogsQuery struct {
	Places      []Place // only what is at one of them (access); nil: all
	Run         activity.RunID
	Agent       string
	From, To    time.Time
	MinSeverity int32
	Text        string
	OnlyLoose   bool // only those that belong to no run
	Limit       int
	Cursor      string
}

// LogsPage is a page of log records; Next is "" on the last.
type LogsPage struct {
	Logs []activity.LogRecord
	Next string
}

// MetricsQuery asks for metric points.
type MetricsQuery struct {
	Places      []Place // only what is at one of them (access); nil: all
	Name, Agent string
	From, To    time.Time
	Limit       int
	Cursor      string
}

// MetricsPage is a page of metric points; Next is "" on the last.
type MetricsPage struct {
	Points []activity.MetricPoint
	Next   string
}

// Query is an aggregate question over one table.
type Query struct {
	Table    string      // "runs", "steps", "messages", "logs", "decisions"
	Select   []Measure   // none: rows' count
	Where    search.Expr // nil: all
	GroupBy  []string    // dimensions: agent, model, tool, team, environment, kind, status, outcome, version, provider, user, session, error_type, task, currency, run, call (of steps: what ParseCall reads), run_user and the like (of steps: of their runs), policies (of decisions), hash (of messages)
	Bucket   time.Duration
	From, To time.Time
	Teams    []string
	OrderBy  string // a measure's name or a dimension; "-" before it for descending
	Limit    int    // of rows; 0: 20,000, at most MostRows
	Content  bool   // the asker may read content: text predicates are allowed
	NoTests  bool   // without runs of mode test, and without what belongs to them
	Binned   bool   // p50 and its like may come from bins (see BinError)
}

// MostRows is how many rows an answer has at most.
const MostRows = 200_000

// Measure is one figure: Func of Field, named As in the answer.
type Measure struct {
	Func  string // count, sum, avg, min, max, p50, p90, p95, p99, quantile, quantiles, bins, distinct, rate, squares, products
	Field string // duration_ms, cost, input_tokens, output_tokens, cache_read_tokens, errors, steps, ...; "" for count
	As    string

	Where search.Expr // only of the rows that fulfil it; nil: all that the query selects
	At    float64     // of quantile: 0 to 1
	Ats   []float64   // of quantiles, which gives a list of values or nil; bins gives Bins
	With  string      // of products: the other field; the sum of Field times With
}

// Result is the answer to a Query. A value is nil when unknown.
type Result struct {
	Columns []Column
	Rows    [][]any
	Source  string // "rollups" or "rows": what answered
	Cut     bool   // there are more rows than Limit
	Scanned int64  // rows read
	Took    time.Duration
}

// Column describes a column of a Result.
type Column struct {
	Name string
	Unit string // ms, usd, tokens, count, "" for dimensions
	Kind string // "dimension", "time" or "measure"
}

// Retention says what may stay.
type Retention struct {
	Now      time.Time
	MaxAge   time.Duration // 0: no limit
	MaxBytes int64         // 0: no limit
	Content  time.Duration // messages may stay shorter than the rest; 0: as MaxAge

	// Dropping is told, before anything but content goes, that what is older than a
	// time may be gone from then on. Nothing goes when it fails. May be nil.
	Dropping func(before time.Time) error
	// DroppingContent is told the same before content goes that its runs outlive.
	DroppingContent func(before time.Time) error
}

// Forget names runs that are to go.
type Forget struct {
	Runs        map[activity.RunID]struct{}
	ContentOnly bool // only messages, arguments and results
	// Words also takes log records and metric points of no run in whose texts it finds
	// something; nil takes none. It must be safe for concurrent use.
	Words func(text string) bool
	// Loose also takes log records and metric points of no run that are older than it
	// says for their team and environment; a zero time keeps all. Nil takes none.
	Loose func(team, environment string) time.Time
	// Scrub writes the index anew afterwards, so that its free pages hold nothing of
	// what went: the store takes nothing meanwhile, some seconds a GB.
	Scrub bool
	// Dry only counts rows that Words finds; runs stay.
	Dry bool
}

// Dropped is what Retain or Forget removed.
type Dropped struct {
	Partitions, Files int
	Rows              int64 // of Forget
	Bytes             int64
}

// Stats describes the store.
type Stats struct {
	Steps, Runs, Messages, Logs, Metrics int64
	Decisions                            int64
	Files                                int
	Bytes, StepBytes, MessageBytes       int64
	MessagesRaw                          int64 // bytes of content as senders sent it
	Oldest                               time.Time
	OldestContent                        time.Time // zero: nothing that was said is there
}
