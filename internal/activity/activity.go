// Package activity is the vocabulary everybody shares: ids, steps, log
// records, metric points and the batches that carry them on the activity log.
//
// What for: intake turns what senders say into these values, the log keeps
// them, package run folds them, telemetry stores them.
//
// Who calls it: almost everyone; it imports nothing of Reeve.
//
// Promises: ids are derived from what the sender said (never minted), so that
// intake, gateway, replays and nodes agree; Merge is commutative, associative
// and idempotent; the codec reads records of the previous release.
//
// How it fails: decoding returns an error and never panics; unknown fields are
// skipped.
//
// Start reading at Step, then Merge, then codec.go.
package activity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// Unknown marks a count, a time or an amount that nobody reported. It is not
// zero: zero is something a sender said.
const Unknown int64 = -1

// RunID names a run: the first 16 bytes of SHA-256 over the run's key.
type RunID [16]byte

// StepID names a step: derived from (trace, span) or from the decision's id.
type StepID [16]byte

// TraceID is a W3C trace id as the sender gave it; zero means none.
type TraceID [16]byte

// SpanID is a W3C span id as the sender gave it; zero means none.
type SpanID [8]byte

var enc32 = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Mint makes an id that sorts by time: prefix, nanoseconds, randomness.
func Mint(prefix string, at int64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(at))
	rand.Read(b[8:])
	return prefix + Text32(b[:])
}

// Text32 writes bytes as ids do: base32 in lower case, without letters that are
// taken for digits, in the order of the bytes.
func Text32(b []byte) string { return enc32.EncodeToString(b) }

// RunOfTrace is the id of the run that a trace is, in the scope of nobody.
func RunOfTrace(t TraceID) RunID { return Scope{}.RunOfTrace(t) }

// RunOfKey is the id of a run that its sender named (X-Reeve-Run,
// reeve.run.id), in the scope of nobody.
func RunOfKey(key string) RunID { return Scope{}.RunOfKey(key) }

// Scope is whose records share ids: those of one team in one environment. Trace
// ids travel to every service that an agent calls, and names such as "1" are
// taken twice; without a scope whoever knows one could write into another
// team's run, make it their own and read it.
type Scope struct{ Team, Environment string }

// ScopeOf is the scope of an authenticated sender. A sender without a team (dev)
// has the scope of nobody, whatever environment it claims.
func ScopeOf(team, environment string) Scope {
	if team == "" {
		return Scope{}
	}
	return Scope{team, environment}
}

// RunOfTrace is the id of the run that a trace is.
func (s Scope) RunOfTrace(t TraceID) RunID { return RunID(s.derive("trace", t[:])) }

// RunOfKey is the id of a run that its sender named.
func (s Scope) RunOfKey(key string) RunID { return RunID(s.derive("run", []byte(key))) }

// StepOfSpan is the id of the step that a span is. A zero span gives the zero id.
func (s Scope) StepOfSpan(t TraceID, span SpanID) StepID {
	if span == (SpanID{}) {
		return StepID{}
	}
	var b [24]byte
	copy(b[:], t[:])
	copy(b[16:], span[:])
	return StepID(s.derive("span", b[:]))
}

// derive puts the scope before the key, under a domain of its own: neither
// names nor domains have a zero byte, so no two scopes meet.
func (s Scope) derive(domain string, key []byte) [16]byte {
	if s == (Scope{}) {
		return derive(domain, key)
	}
	var buf [128]byte
	b := append(buf[:0], s.Team...)
	b = append(b, 0)
	b = append(b, s.Environment...)
	b = append(b, 0)
	return derive(domain+" of", append(b, key...))
}

// RunOfSession is the id of a run known only by sender and session.
func RunOfSession(sender, session string) RunID {
	return RunID(derive("session", []byte(sender+"\x00"+session)))
}

// StepOfSpan is the id of the step that a span is, in the scope of nobody. A
// zero span gives the zero id.
func StepOfSpan(t TraceID, s SpanID) StepID { return Scope{}.StepOfSpan(t, s) }

// StepOfKey is the id of a step that has no span: a decision, a log record's call.
func StepOfKey(key string) StepID { return StepID(derive("step", []byte(key))) }

func derive(domain string, key []byte) (id [16]byte) {
	var buf [64]byte
	b := append(buf[:0], domain...)
	b = append(b, 0)
	b = append(b, key...)
	sum := sha256.Sum256(b)
	copy(id[:], sum[:16])
	return id
}

// String is the id with its readable prefix: run_0123….
func (id RunID) String() string { return "run_" + enc32.EncodeToString(id[:]) }

// IsZero reports whether the id is absent.
func (id RunID) IsZero() bool { return id == RunID{} }

// String is the id with its readable prefix: stp_0123….
func (id StepID) String() string { return "stp_" + enc32.EncodeToString(id[:]) }

// IsZero reports whether the id is absent.
func (id StepID) IsZero() bool { return id == StepID{} }

// String is 32 hex digits, or "" for none.
func (t TraceID) String() string {
	if t == (TraceID{}) {
		return ""
	}
	return hex.EncodeToString(t[:])
}

// String is 16 hex digits, or "" for none.
func (s SpanID) String() string {
	if s == (SpanID{}) {
		return ""
	}
	return hex.EncodeToString(s[:])
}

// ErrID is returned by the Parse functions for text that is no id.
var ErrID = errors.New("not an id")

// ParseRunID reads what RunID.String wrote.
func ParseRunID(s string) (RunID, error) {
	b, err := parseID("run_", s)
	return RunID(b), err
}

// ParseStepID reads what StepID.String wrote.
func ParseStepID(s string) (StepID, error) {
	b, err := parseID("stp_", s)
	return StepID(b), err
}

func parseID(prefix, s string) (id [16]byte, err error) {
	if len(s) != len(prefix)+26 || s[:len(prefix)] != prefix {
		return id, ErrID
	}
	n, err := enc32.Decode(id[:], []byte(s[len(prefix):]))
	if err != nil || n != 16 {
		return [16]byte{}, ErrID
	}
	return id, nil
}

// ParseTraceID reads 32 hex digits.
func ParseTraceID(s string) (t TraceID, err error) {
	if len(s) != 32 {
		return t, ErrID
	}
	if _, err := hex.Decode(t[:], []byte(s)); err != nil {
		return TraceID{}, ErrID
	}
	return t, nil
}

// ParseSpanID reads 16 hex digits.
func ParseSpanID(text string) (s SpanID, err error) {
	if len(text) != 16 {
		return s, ErrID
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return SpanID{}, ErrID
	}
	return s, nil
}

// Kind is what a step is. The zero Kind is KindOther.
type Kind uint8

// The kinds of steps; the names are stable (Kind.String).
const (
	KindOther Kind = iota
	KindAgent
	KindModel
	KindTool
	KindRetrieval
	KindEmbedding
	KindGuardrail
	KindHandoff
	KindHuman
	KindWorkflow
	KindTask
	KindPlan
	KindRerank
	KindMemory
	KindMCP
	KindA2A
	KindDecision
	KindEvaluator
	KindPrompt
	KindHTTP
	KindEvent
	kindCount
)

var kindNames = [kindCount]string{
	"other", "agent", "model", "tool", "retrieval", "embedding", "guardrail", "handoff", "human",
	"workflow", "task", "plan", "rerank", "memory", "mcp", "a2a", "decision", "evaluator", "prompt", "http", "event",
}

// String is the kind's stable name.
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return "other"
}

// ParseKind finds a kind by its name; ok is false for an unknown one.
func ParseKind(s string) (k Kind, ok bool) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), true
		}
	}
	return KindOther, false
}

// Source is who said it; a higher source wins a conflict in Merge.
type Source uint8

// The sources, weakest first.
const (
	SourceInferred Source = iota
	SourceSDK
	SourceProvider
	SourceGateway
)

// DialectDoor is the dialect of steps that the door itself tells: no sender's are read
// as it.
const DialectDoor = "door"

var sourceNames = [...]string{"inferred", "sdk", "provider", "gateway"}

// String is the source's stable name.
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "inferred"
}

// Status is how a step stands.
type Status uint8

// The states of a step. Running steps have no end yet.
const (
	StatusRunning Status = iota
	StatusOK
	StatusError
)

var statusNames = [...]string{"running", "ok", "error"}

// String is the status's stable name.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "running"
}

// Flag is a bit set of what was wrong with a record that was kept all the same.
type Flag uint32

// The flags; FlagNames lists their stable names in this order.
const (
	FlagStartMissing    Flag = 1 << iota // no start time: the other edge or the time of receipt stands in
	FlagEndBeforeStart                   // end was before start: kept as zero duration
	FlagClampedTime                      // event time outside [received - retention, received + 1 h]
	FlagClockSkew                        // event time in the future by more than a minute
	FlagSelfParent                       // named itself as parent: parent dropped
	FlagBadID                            // an id of the wrong length: replaced or dropped
	FlagTruncated                        // an attribute or content was cut at the limit
	FlagInvalidUTF8                      // invalid UTF-8 was replaced
	FlagBadIndex                         // a flattened index was out of range: slot dropped
	FlagAgentGuessed                     // agent taken from service.name as last resort
	FlagSecretDropped                    // an attribute that looked like a credential was dropped
	FlagContentWithheld                  // the sender redacted content
	FlagGenerated                        // made by the demo's generator, not by an agent
	FlagCycle                            // its parents form a circle: shown as a root
	FlagUsageExclusive                   // sender's input tokens excluded the cache: total was made whole
	FlagUsageMismatch                    // reported usage differs: a container's from its leaves, an SDK's from the door's
	FlagAlone                            // a call at the door without any trace context: its run was made up
	FlagJoined                           // another step tells the same call and counts in its place
	FlagSettled                          // of a run: its outcome was decided by evidence, not only reported
	FlagLabelled                         // of a settled run: a person, a downstream system or the user said how it ended
)

// FlagNames are the stable names of the flags, in bit order.
var FlagNames = []string{
	"start_missing", "end_before_start", "clamped_time", "clock_skew", "self_parent", "bad_id", "truncated",
	"invalid_utf8", "bad_index", "agent_guessed", "secret_dropped", "content_withheld", "generated", "cycle",
	"usage_exclusive", "usage_mismatch", "alone", "joined", "settled", "labelled",
}

// Names lists the flags that are set.
func (f Flag) Names() []string {
	var out []string
	for i, n := range FlagNames {
		if f&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// Usage counts tokens; Unknown where not reported. Totals are wholes:
// InputTotal includes both caches, OutputTotal includes reasoning.
type Usage struct {
	InputTotal, CacheRead, CacheWrite, OutputTotal, Reasoning int64
}

// NoUsage is the usage of a step that reported none.
var NoUsage = Usage{Unknown, Unknown, Unknown, Unknown, Unknown}

// Known reports whether any total was reported.
func (u Usage) Known() bool { return u.InputTotal >= 0 || u.OutputTotal >= 0 }

// CostBasis says where a cost comes from; the order is the precedence.
type CostBasis uint8

// The bases of a cost, weakest first.
const (
	CostUnknown CostBasis = iota
	CostBook              // the embedded price book
	CostImported
	CostRateCard
	CostProvider // the sender or provider said it
)

var costBasisNames = [...]string{"unknown", "book", "imported", "rate_card", "provider"}

// String is the basis's stable name.
func (b CostBasis) String() string {
	if int(b) < len(costBasisNames) {
		return costBasisNames[b]
	}
	return "unknown"
}

// Cost is money in nano-units of Currency (1e-9); Nanos is meaningless when
// Basis is CostUnknown. Price names the price that was used, e.g.
// "genai-prices@2026-09-23 openai/gpt-4o-mini".
type Cost struct {
	Nanos    int64
	Currency string
	Basis    CostBasis
	Price    string
}

// ContentField is which content of a step this is.
type ContentField uint8

// The contents of a step.
const (
	ContentInput     ContentField = iota // messages given to a model, or what a step was given
	ContentOutput                        // messages a model gave, or what a step returned
	ContentSystem                        // system instructions given apart from the messages
	ContentTools                         // tool definitions offered to a model
	ContentArguments                     // a tool call's arguments
	ContentResult                        // a tool call's result
	ContentDocuments                     // retrieved documents
	ContentQuery                         // a retrieval's query
	contentFieldCount
)

var contentFieldNames = [contentFieldCount]string{"input", "output", "system", "tools", "arguments", "result", "documents", "query"}

// String is the field's stable name.
func (f ContentField) String() string {
	if f < contentFieldCount {
		return contentFieldNames[f]
	}
	return "input"
}

// Content is one content of a step as its sender gave it. Formats are the
// stable names of package genai ("genai.messages", "openai.messages", "text",
// "json"...). Raw is a JSON array whose elements are messages when the format
// ends in ".messages", ".documents" or ".tools", else one value; package run
// splits arrays into messages and stores each once.
type Content struct {
	Field  ContentField
	Format string
	From   string // the attribute or event it came from
	Order  int32  // position among fragments of one field (log records of one call)
	Raw    []byte
}

// ContentBand is the first Order of a band. Senders say one content in several
// shapes; of the contents of one field those of the lowest band there is are
// what was said, and higher bands repeat it: band 0 is the best attribute, band
// 1 is events and log records (Order within the band is their order), band 2
// and above are further attributes. From BesideBand on a content is about the
// call, not said in it (a request's parameters): it is kept, and never shown as
// a message.
func ContentBand(n int) int32 { return int32(n) << 16 }

// BesideBand is the first band of what was not said.
const BesideBand = 101

// Link points to another step: to a span that the sender named, or to one that
// Reeve found (then Run and Step say which).
type Link struct {
	TraceID TraceID
	SpanID  SpanID
	Run     RunID
	Step    StepID
	Kind    LinkKind
}

// LinkKind is why there is a link.
type LinkKind uint8

// The kinds of links; the names are stable (LinkKind.String).
const (
	LinkSpan     LinkKind = iota // the sender linked the span
	LinkSameCall                 // one model call, told by the door and by an SDK
	LinkBack                     // a span elsewhere links here
)

var linkKindNames = [...]string{"span", "same_call", "linked_by"}

// String is the kind's stable name.
func (k LinkKind) String() string {
	if int(k) < len(linkKindNames) {
		return linkKindNames[k]
	}
	return "span"
}

// RunLink is a run that steps of another link to.
type RunLink struct {
	Run  RunID
	Kind LinkKind
}

// Fragment is what one sender said once about one step: a span, a log record
// that belongs to a span, a gateway record. A Step is the fold of its fragments.
//
// Strings and byte slices may alias the buffer they were decoded from; copy
// what outlives the batch.
type Fragment struct {
	Run    RunID
	Step   StepID
	Parent StepID // zero: a root or unknown
	Trace  TraceID
	Span   SpanID

	Source Source
	Kind   Kind
	Status Status
	Flags  Flag

	Start int64 // ns since 1970 UTC
	End   int64 // ns; Unknown while running

	Name          string
	StatusMessage string
	ErrorType     string

	Agent          string // name
	AgentID        string // as the sender numbers its agents
	AgentVersion   string
	AgentExplicit  bool // said by the sender on this step, not taken from service.name
	Service        string
	Environment    string // from the sender's attributes; the key's environment wins
	Task           string
	RunName        string
	Session        string
	User           string
	Mode           string // interactive, autonomous, asynchronous, test; "" unknown
	Outcome        string // explicit end with this outcome; "" none
	Waiting        bool   // the step says that the run waits (for a person or a job)
	Provider       string // normalised
	ModelRequested string
	Model          string // the one that answered, else the requested one
	ResponseID     string
	FinishReason   string
	TTFT           int64 // ns to first token; Unknown
	Usage          Usage
	ReportedCost   Cost // Basis CostProvider or CostUnknown
	ToolName       string
	ToolCallID     string
	DecisionID     string

	Dialect        string // "otel-genai", "openinference", ...
	Scope          string // instrumentation scope name
	ScopeVersion   string
	MapVersion     int32 // version of the dialect's table that made this
	Tags           []string
	Labels         []Label
	Links          []Link
	Contents       []Content
	Attributes     []byte // raw OTLP repeated KeyValue (field 1 each) of the span, content taken out
	Resource       []byte // raw OTLP repeated KeyValue (field 1 each)
	Events         []byte // raw OTLP repeated Span.Event (field 1 each), content taken out
	WholeFragment  bool   // a finished span: everything its sender will say
	OnlyContent    bool   // carries only content for a step whose span comes separately (a log record)
	ScopeAttribute []byte // raw OTLP repeated KeyValue (field 1 each) of the scope
}

// Label is one key and value that a sender attached to a run.
type Label struct{ Key, Value string }

// LogRecord is an OTLP log record. Those of a known trace are shown beside the
// run's steps.
type LogRecord struct {
	Time       int64 // ns
	Run        RunID // zero: belongs to no run
	Step       StepID
	Trace      TraceID
	Span       SpanID
	Severity   int32 // OTLP severity number, 0 unknown
	EventName  string
	Body       string // text, or JSON when the body was structured
	Agent      string
	Service    string
	Session    string
	Scope      string
	Flags      Flag
	Attributes []byte // raw OTLP repeated KeyValue (field 1 each)
	Resource   []byte

	Team        string // of the key it was sent with; the batch's, until it is stored
	Environment string // the key's, or what the sender says
}

// What event times may be: no later than FutureSkew behind the receipt, and no
// earlier than what is kept, at most LongestAge where all is. Other times would make
// a partition a day of a sender's choice, that no retention reaches or all of it does.
const (
	FutureSkew = time.Hour
	LongestAge = 400 * 24 * time.Hour
)

// ClampTime is the nearest time that may be; keeps is how long things are kept, 0 for
// ever.
func ClampTime(t, received int64, keeps time.Duration) int64 {
	if keeps <= 0 {
		keeps = LongestAge
	}
	return max(min(t, received+int64(FutureSkew)), received-int64(keeps))
}

// ClampSpan is ClampTime for what has a start and perhaps an end: how long it took
// stays, unless only one of them may not be.
func ClampSpan(start, end, received int64, keeps time.Duration) (int64, int64) {
	s := ClampTime(start, received, keeps)
	if end == Unknown {
		return s, end
	}
	e := ClampTime(end, received, keeps)
	took := end - start
	switch {
	case s > start && e > end: // both before
		e = ClampTime(s+took, received, keeps)
	case s < start && e < end: // both after
		s = ClampTime(e-took, received, keeps)
	}
	return s, max(s, e)
}

// MetricPoint is one data point of an OTLP metric.
type MetricPoint struct {
	Time       int64
	StartTime  int64
	Name       string
	Unit       string
	Type       string // gauge, sum, histogram, exponential_histogram, summary
	Monotonic  bool
	Delta      bool
	Value      float64 // gauge and sum; sum of a histogram
	Count      int64   // histogram and summary; Unknown otherwise
	Agent      string
	Service    string
	Attributes []byte // raw OTLP repeated KeyValue (field 1 each)
	Resource   []byte
	Point      []byte // the raw OTLP data point: buckets and quantiles are in it

	Team        string // of the key it was sent with; the batch's, until it is stored
	Environment string // the key's, or what the sender says
}

// Batch is what one accepted request carried, and the unit on the log.
type Batch struct {
	Received    int64  // ns
	Sender      string // intake key's id, or "dev"
	Team        string
	Environment string // the key's; wins over what the sender claims; "" takes the sender's
	Fragments   []Fragment
	Logs        []LogRecord
	Metrics     []MetricPoint
	Settled     []Settled
}

// Settled says how a run ended for its user, decided after its end; of two about
// one run the later in the log holds. One about a run that nobody knows is
// dropped.
type Settled struct {
	Run     RunID
	Outcome string // "": nothing holds any longer but what the run reported
	// Labelled says that it is no guess of ours, of a judge or of the agent: somebody
	// said so who knows.
	Labelled bool
}
